"""What is told of a file is what every command does with it."""

import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from infoscope.base import DataError
from infoscope.cli import main
from infoscope.io import inspect_file, inspection, read_record, read_table


def write_days(path, n=60):
    g = np.random.default_rng(0)
    frame = pd.DataFrame({"date": pd.date_range("2020-01-01", periods=n).strftime("%d.%m.%Y")})
    frame["place"], frame["x"], frame["y"] = g.choice(["NA", "DE"], n), g.normal(size=n), g.normal(size=n)
    frame.loc[[3, 8], "x"] = np.nan
    frame.loc[20:24, ["x", "y"]] = frame.loc[10:14, ["x", "y"]].to_numpy()  # five rows twice
    frame.to_csv(path, index=False)
    return frame


def write_european(path):
    g = np.random.default_rng(1)
    pd.DataFrame(g.normal(size=(40, 2)), columns=["a", "b"]).to_csv(path, sep=";", decimal=",", index=False)


def write_counted(path):
    g = np.random.default_rng(2)
    np.savetxt(path, np.c_[np.arange(50), g.normal(size=(50, 2))], header="Frame phi psi")


def write_plumed(path):
    g = np.random.default_rng(3)
    head = "#! FIELDS time phi d metad.rbias\n#! SET min_phi -pi\n#! SET max_phi pi\n"
    with open(path, "w") as file:
        file.write(head)
        np.savetxt(file, np.c_[np.arange(200.0), g.uniform(-3, 3, 200), g.normal(size=(200, 2))])


def write_names_of_pandas(path):
    pd.DataFrame(0.01 * np.random.default_rng(4).normal(size=(30, 3))).to_csv(path, index=False)


FILES = {
    "european.csv": write_european,
    "counted.dat": write_counted,
    "COLVAR": write_plumed,
    "pandas.csv": write_names_of_pandas,
}


def test_every_column_is_told(tmp_path):
    frame = write_days(tmp_path / "days.csv")
    report = inspect_file(tmp_path / "days.csv")
    assert [column.used_as for column in report.columns] == ["time", "no feature", "feature", "feature"]
    assert [column.n_missing for column in report.columns] == frame.isna().sum().tolist() == [0, 0, 2, 0]
    assert report.columns[1].n_different == 2  # NA is a place here
    assert (report.columns[3].low, report.columns[3].high) == (frame.y.min(), frame.y.max())
    assert (report.n_rows, report.n_incomplete) == (60, 2)
    assert report.n_repeats == frame[["x", "y"]].dropna().duplicated().sum() == 5
    assert report.time == ("2020-01-01", "2020-02-29", "86400 s")
    assert list(report.to_frame()["name"]) == list(frame.columns)


@pytest.mark.filterwarnings("ignore::infoscope.base.InfoscopeWarning")
@pytest.mark.parametrize("name", FILES)
def test_a_command_takes_the_same_and_so_does_the_one_that_is_printed(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    FILES[name](name)
    report = inspect_file(name)
    said = shlex.split(report.command)
    assert said[:2] == ["infoscope", "dimension"]
    outputs = ["--output", "bare.json"], ["--output", "said.json"]
    assert main(["dimension", name, *outputs[0]]) == 0 and main([*said[1:], *outputs[1]]) == 0
    bare, explicit = (read_record(file) for file in ("bare.json", "said.json"))
    assert bare["values"] == explicit["values"] and bare["table"] == explicit["table"]
    features = [column.name for column in report.columns if column.used_as == "feature"]
    assert bare["inputs"]["spaces"][0]["columns"] == features == explicit["inputs"]["spaces"][0]["columns"]
    table = read_table(name)
    assert (report.time is None) == (table.time is None)
    assert capsys.readouterr().err.count("error") == 0


def test_a_large_file_is_estimated_and_says_so(tmp_path, monkeypatch):
    path = tmp_path / "days.csv"
    frame = write_days(path)
    monkeypatch.setattr(inspection, "LARGE", path.stat().st_size // 3)
    report = inspect_file(path)
    step = -(-60 // report.n_looked_at)
    assert report.n_looked_at < 60 and report.n_incomplete == frame.x[::step].isna().sum()
    assert "estimated from" in str(report) or not (report.n_incomplete or report.n_repeats)
    whole = inspect_file(path, count_all=True)
    assert (whole.n_looked_at, whole.n_incomplete, whole.n_repeats) == (60, 2, 5)


def test_what_nobody_can_know_is_asked(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a;b\n1,234;5\n")
    with pytest.raises(DataError, match="decimal"):
        inspect_file(path)
    assert inspect_file(path, decimal="comma").columns[0].high == 1.234


def test_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_days("days.csv")
    assert main(["inspect", "days.csv"]) == 0
    printed = capsys.readouterr().out
    assert "2 of 60 rows miss a feature" in printed and "5 of 60 rows repeat another one" in printed
    assert printed.strip().splitlines()[-1].startswith("  infoscope dimension days.csv:x,y --header yes")
    assert main(["inspect", "days.csv", "--time", "none"]) == 0
    assert "time     none" in capsys.readouterr().out
    assert main(["inspect", "nothing.csv"]) == 2


def test_what_was_said_is_in_the_command_and_in_the_counts(tmp_path):
    path = tmp_path / "gaps.csv"
    path.write_text("a:b\n1.5:-999\n2.5:3\n-999:4\n3.5:5\n")
    report = inspect_file(path, na=-999, separator=":")
    assert [column.n_missing for column in report.columns] == [1, 1] and report.n_incomplete == 2
    assert [(column.low, column.high) for column in report.columns] == [(1.5, 3.5), (3.0, 5.0)]
    assert "--separator : " in report.command and "--na -999" in report.command


def test_a_file_that_no_command_uses_is_shown_with_what_is_wrong(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    x = np.random.default_rng(3).normal(size=(40, 3))
    pd.DataFrame(x, columns=["T", "p", "v"]).to_csv("plain.csv", index=False)
    head, *lines = Path("plain.csv").read_text().splitlines()
    Path("units.csv").write_text("\n".join([head, "K,bar,m/s", *lines]))
    holey = x.copy()
    holey[[5, 9], 1] = np.inf
    arrays = {"complex": x + 1j, "text": np.array(["a", "b"] * 20), "holey": holey, "huge": x * [1, 1e200, 1]}
    for name, array in arrays.items():
        np.save(f"{name}.npy", array)
    for file, said, problem in (
        ("units.csv", "text in row 0 (bar: a unit?), numbers below", "looks like units (K, bar, m/s): delete it"),
        ("complex.npy", "take its real and imaginary part", "holds complex128"),
        ("text.npy", "text; --labels", "no column is left to compare"),
        ("holey.npy", "infinite in 2 of 40 rows, first in row 5", "row 5 (counted from 0), column '1' is inf"),
        ("huge.npy", "whose squares overflow; divide it by a constant", "column '1': holds numbers of size"),
    ):
        assert main(["inspect", file]) == 2
        printed = capsys.readouterr()
        assert said in printed.out and "used as" in printed.out and problem in printed.err, file
        assert "The same" not in printed.out
    assert [c.used_as for c in inspect_file("holey.npy").columns] == ["feature", "no feature", "feature"]
    with pytest.raises(DataError, match=r"column 'T'.*line below the names \(K, bar, m/s\) holds units, delete it"):
        read_table("units.csv")
    assert inspect_file("plain.csv").problem == ""


def test_notes_of_the_command_name_its_options_and_names_stay_in_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    rows = np.random.default_rng(4).normal(size=(30, 2))
    times = np.random.default_rng(4).permutation(30)
    lines = [f"{t}\t{x}\t{y}" for t, (x, y) in zip(times, rows, strict=True)]
    Path("a.tsv").write_text("\n".join(['time\t"length\n(m)"\twidth', *lines]))
    assert main(["inspect", "a.tsv"]) == 0
    printed = capsys.readouterr().out
    assert "--run COLUMN" in printed and "run='" not in printed
    assert any(line.startswith("1  length (m)  numbers") for line in printed.splitlines())
    assert "run='COLUMN'" in " ".join(inspect_file("a.tsv").notes)
