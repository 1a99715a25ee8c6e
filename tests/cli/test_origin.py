"""File, row and time of every item, in print and in tables, whatever lay between the file and the item."""

import re

import numpy as np
import pandas as pd
import pytest

import infoscope as library


def two_states(n, seed):
    """Rows of two clouds, one after the other in pieces of twenty, and which cloud each is of."""
    g = np.random.default_rng(seed)
    which = np.arange(n) // 20 % 2
    return g.normal(size=(n, 2)) + 8 * which[:, None], which


@pytest.fixture
def table(tmp_path, monkeypatch):
    """A file of 900 rows, of which some miss a value."""
    monkeypatch.chdir(tmp_path)
    x, which = two_states(900, 1)
    frame = pd.DataFrame({"x": x[:, 0], "y": x[:, 1], "name": [f"n{i}" for i in range(900)]})
    frame.loc[[3, 300, 505, 700], "y"] = np.nan
    frame.to_csv("c.csv", index=False)
    return frame, which


def test_rows_of_the_file_after_a_start_a_stride_and_gaps(table, infoscope):
    """Rows that are named are rows of the file: the value at the printed row is that of the centre."""
    frame, which = table
    options = ("--start", "500", "--stride", "2", "--missing", "drop", "--ids", "name", "--window", "0")
    options = options[:-2]  # density has no window
    ran = infoscope("density", "c.csv", "--states", *options, "--output", "s.csv", "--output", "s.npz")
    assert ran.code == 0, ran.err
    rows = np.setdiff1d(np.arange(500, 900, 2), [700])  # 505 is odd
    saved = pd.read_csv("s.csv")
    assert saved["row"].tolist() == rows.tolist() and saved["id"].tolist() == [f"n{row}" for row in rows]
    assert set(saved["file"]) == {"c.csv"} and saved["state"].nunique() == 2
    of_state = [set(which[saved["row"][saved["state"] == state]]) for state in (0, 1)]
    assert sorted(map(len, of_state)) == [1, 1]  # each state is one cloud, by the rows of the file
    found = library.load("s.npz")
    for state, centre in enumerate(found.centers):
        row = found.origin.row[centre]
        np.testing.assert_allclose(frame.loc[row, ["x", "y"]].to_numpy(float), found.coordinates[centre])
        line = ran.out.splitlines()[[text.split()[:1] for text in ran.out.splitlines()].index([str(state)])]
        assert line.split()[1:3] == [f"n{row}", str(row)]  # id and row, and no number of the item
    assert "the first is row 700 of c.csv" in ran.out


def test_rows_of_a_file_with_a_restart(tmp_path, monkeypatch, infoscope):
    """Rows are those of the file as it stands, with those that a restart wrote again; times are those of the rows."""
    monkeypatch.chdir(tmp_path)
    x, _ = two_states(300, 2)
    time = np.r_[np.arange(200), np.arange(150, 250)]  # rows 150 to 199 were written again
    with open("COLVAR", "w") as file:
        file.write("#! FIELDS time x y\n")
        np.savetxt(file, np.c_[time, x])
    ran = infoscope("density", "COLVAR", "--start", "10", "--output", "d.csv", "--output", "d.npz")
    assert ran.code == 0, ran.err
    rows = np.r_[np.arange(10, 150), np.arange(200, 300)]
    saved = pd.read_csv("d.csv")
    assert saved["row"].tolist() == rows.tolist() and saved["time"].tolist() == time[rows].tolist()
    found = library.load("d.npz")
    np.testing.assert_allclose(found.coordinates, x[rows])
    highest = int(np.argmax(found.log_density))
    assert f"highest (row {rows[highest]} of COLVAR, time {time[rows][highest]})" in ran.out


def test_rows_of_several_pieces(tmp_path, monkeypatch, infoscope):
    """As another input of the kind: runs in several files, thinned, with dates of a column as the times."""
    monkeypatch.chdir(tmp_path)
    for name, n in (("one.csv", 300), ("two.csv", 260)):
        x, _ = two_states(n, n)
        dates = pd.date_range("2020-01-01", periods=n, freq="D")
        pd.DataFrame({"x": x[:, 0], "y": x[:, 1], "day": dates}).to_csv(name, index=False)
    ran = infoscope("density", "one.csv", "two.csv", "--states", "--time", "day", "--stride", "3", "--output", "s.csv")
    assert ran.code == 0, ran.err
    saved = pd.read_csv("s.csv")
    assert saved["file"].tolist() == ["one.csv"] * 100 + ["two.csv"] * 87
    assert saved["row"].tolist() == [*range(0, 300, 3), *range(0, 260, 3)]
    days = pd.date_range("2020-01-01", periods=300, freq="D")
    assert (pd.to_datetime(saved["time"]) == days[saved["row"]]).all()
    heads = next(line.split() for line in ran.out.splitlines() if "population" in line)
    assert heads[:4] == ["cluster", "file", "row", "time"]


def test_flagged_rows(tmp_path, monkeypatch, infoscope):
    """Both files have their rows, whichever were left out."""
    monkeypatch.chdir(tmp_path)
    g = np.random.default_rng(3)
    reference, test = g.normal(size=(600, 2)), g.normal(size=(600, 2))
    test[400:460] = 6 + 0.1 * g.normal(size=(60, 2))
    for name, x in (("r.csv", reference), ("t.csv", test)):
        pd.DataFrame(x, columns=["x", "y"]).to_csv(name, index=False)
    ran = infoscope("anomalies", "r.csv", "t.csv", "--start", "100", "--output", "f.csv", "--output", "f.npz")
    assert ran.code == 0, ran.err
    saved = pd.read_csv("f.csv")
    over = saved[(saved["side"] == "over") & saved["anomalous"]]
    assert set(over["file"]) == {"t.csv"} and set(range(400, 460)) >= set(over["row"]) and len(over) > 50
    for name, x in (("r.csv", reference), ("t.csv", test)):
        mine = saved[saved["file"] == name]
        np.testing.assert_allclose(mine[["x", "y"]], x[mine["row"]], rtol=1e-12)
    assert library.load("f.npz").origin.spell(500) == "row 100 of t.csv"


def test_a_row_that_carries_the_weight_is_named(tmp_path, monkeypatch, infoscope):
    monkeypatch.chdir(tmp_path)
    g = np.random.default_rng(4)
    x = pd.DataFrame(g.normal(size=(300, 3)), columns=["x", "y", "w"])
    x["w"] = 1.0
    x.loc[[10, 250], "w"] = 60.0, 70.0
    x.to_csv("w.csv", index=False)
    ran = infoscope("compare", "A=w.csv:x", "B=w.csv:y", "--weights", "w", "--start", "50", "--window", "0")
    assert "row 250 of w.csv alone carries" in " ".join(ran.err.split())


def test_dates_are_printed_as_dates(infoscope, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    g = np.random.default_rng(0)
    days = np.datetime64("2020-01-01") + np.arange(120)
    lines = [f"{day},{x:.4f},{y:.4f}" for day, x, y in zip(days, *g.normal(size=(2, 120)), strict=True)]
    (tmp_path / "days.csv").write_text("date,x,y\n" + "\n".join(lines) + "\n")
    ran = infoscope("density", "days.csv", "--states", "--dimension", "2", "--window", "0")
    assert ran.code == 0 and re.search(r"^  0 +\d+ +2020-\d\d-\d\d ", ran.out, re.MULTILINE), ran.out + ran.err
