"""``infoscope anomalies``: the numbers of the library, from two files to flagged rows and a record that runs again."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import infoscope as library
from infoscope.anomalies import DensityAnomaly
from infoscope.neighbors import Space

NAMES = ["mass", "momentum", "angle"]


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Two samples of three columns of uneven spread: an excess in each, names, batches."""
    monkeypatch.chdir(tmp_path)
    g = np.random.default_rng(0)
    x, y = g.normal(size=(800, 3)), g.normal(size=(600, 3))
    y[:60] = [2, 0, 0] + 0.1 * g.normal(size=(60, 3))
    x[:50] = [0, -2, 0] + 0.1 * g.normal(size=(50, 3))
    frames = []
    for name, values in (("known", x), ("new", y)):
        frame = pd.DataFrame(np.round(values * [1, 50, 1], 6), columns=NAMES)
        frames.append(frame)
        named = frame.assign(id=[f"{name}-{i}" for i in range(len(frame))], batch=np.arange(len(frame)) // 20)
        named.to_csv(f"{name}.csv", index=False)
    return frames


def test_numbers_of_the_library(files, infoscope):
    ran = infoscope(
        "anomalies", "known.csv:mass,momentum,angle", "new.csv", "--scale", "standard", "--ids", "id", "-k", "60",
        "--output", "out.json", "--output", "out.npz", "--output", "rows.csv", "--plot", "out.png",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    reference = Space(files[0], scale="standard")
    test = Space(files[1], feature_weights=reference.feature_weights)
    found = DensityAnomaly(60).fit(reference, test).result_
    np.testing.assert_array_equal(library.load("out.npz").over.scores, found.over.scores)
    table = json.loads(Path("out.json").read_text())["table"]
    assert [row["n_flagged"] for row in table] == [region.n_flagged for region in found.regions]
    assert Path("out.png").stat().st_size > 0
    rows = pd.read_csv("rows.csv")
    wanted = found.to_frame("rows")
    assert len(rows) == len(wanted) == found.over.n_flagged + found.under.n_flagged
    np.testing.assert_allclose(rows["p_value"], wanted["p_value"])
    np.testing.assert_array_equal(rows["region"], wanted["region"])
    np.testing.assert_allclose(rows["purity"], wanted["purity"])
    for row in rows.itertuples():  # the data of the very row of its file
        number = int(row.id.rpartition("-")[2])
        assert row.row == number and row.mass == files[row.sample == "test"]["mass"][number]
    assert found.over.established and found.under.established
    for region, name in ((found.over.established[0], "mass"), (found.under.established[0], "momentum")):
        assert (
            f"{region.name:<8} {name} {region.centre[NAMES.index(name)]:.4g}" in ran.out
        )  # where, farthest column first
    again = infoscope("rerun", "out.json")
    assert again.code == 0 and "reproduced" in again.out


def test_a_constant_column_is_no_place(files, infoscope):
    """The mean of equal numbers is rounded, and so are their deviations: neither is far, nor narrow beside others."""
    for name in ("known", "new"):
        pd.read_csv(f"{name}.csv").assign(charge=0.1).to_csv(f"{name}.csv", index=False)
    ran = infoscope("anomalies", "known.csv:mass,angle,charge", "new.csv", "-k", "60")
    where = ran.out[ran.out.index("Where (sd:") :].splitlines()[1:]
    assert ran.code == 0 and all(line.split()[2] in ("mass", "angle") for line in where if line)
    assert "spread very differently" not in ran.out and "times as wide" not in ran.err


def test_rows_are_those_of_the_file(files, infoscope):
    """With a stride and rows left out, flagged rows are still numbered as in the file."""
    frame = pd.read_csv("new.csv")
    frame.loc[[4, 10], "angle"] = np.nan
    frame.to_csv("new.csv", index=False)
    columns = "mass,momentum,angle"
    ran = infoscope("anomalies", f"known.csv:{columns}", f"new.csv:{columns}", "--scale", "standard", "--stride", "2",
                    "--missing", "drop", "--ids", "id", "--side", "over", "--output", "rows.csv", "-q")  # fmt: skip
    assert ran.code == 0, ran.err
    rows = pd.read_csv("rows.csv")
    assert len(rows) and set(rows["side"]) == {"over"}
    assert [f"new-{row}" for row in rows["row"]] == rows["id"].tolist()
    assert not {4, 10} & set(rows["row"]) and (rows["row"] % 2 == 0).all()


def test_runs_and_control(files, infoscope):
    """Runs are permuted as blocks; a global p-value comes with permutations, the same for the same seed."""
    options = ("--scale", "standard", "--run", "batch", "--permutations", "39", "--seed", "3", "--quiet")
    ran = infoscope("anomalies", "known.csv:0-2", "new.csv", *options, "--plot", "out.pdf", "--style", "paper",
                    "--kind", "permutations")  # fmt: skip
    assert ran.code == 0 and "whole runs (70 blocks)" in ran.out and "global p-value" in ran.out, ran.err
    assert len(pd.read_csv("out.csv", comment="#")) == 39  # the numbers of the picture
    assert infoscope("anomalies", "known.csv:0-2", "new.csv", *options).out in ran.out
    refused = infoscope("anomalies", "known.csv:0-2", "new.csv", "--run", "batch", "--control", "fdr")
    assert refused.code == 2 and "--control fdr" in refused.err


def test_periods_hold_for_both(tmp_path, monkeypatch, infoscope):
    monkeypatch.chdir(tmp_path)
    g = np.random.default_rng(1)
    x, y = g.uniform(-180, 180, (2, 400, 2))
    y[:60, 0] = (180 + 5 * g.normal(size=60) + 180) % 360 - 180  # an excess on the seam
    for name, values in (("x", x), ("y", y)):
        pd.DataFrame(values, columns=["phi", "psi"]).to_csv(f"{name}.csv", index=False)
    ran = infoscope("anomalies", "x.csv", "y.csv", "--period", "360deg", "--output", "out.npz")
    assert ran.code == 0 and "periods: all 360" in ran.out, ran.err
    assert library.load("out.npz").space.period.tolist() == [360, 360]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "two files are needed"),
        (["known.csv"], "two files are needed"),
        (["known.csv:0-2", "missing.csv"], "missing.csv"),
        (["known.csv:0-2", "new.csv:0,1"], "3 columns"),
        (["known.csv:0,1", "new.csv:0,2"], "column 1 is 'momentum'"),
        (["known.csv:0-2", "new.csv", "-k", "many"], "-k is 'auto' or a number of neighbours, not 'many'"),
        (["known.csv:0-2", "new.csv", "-k", "5000"], "k=5000"),
        (["known.csv:0-2", "new.csv", "--control", "bonferroni"], "control"),
        (["known.csv:0-2", "new.csv", "--alpha", "2"], "alpha"),
        (["known.csv:0-2", "new.csv", "--side", "left"], "side"),
        (["known.csv:0-2", "new.csv", "--kind", "pie", "--plot", "out.png"], "--kind"),
        (["known.csv:0-2", "new.csv", "--output", "out.txt"], "not as '.txt'"),
        (["known.csv:0-2", "new.csv", "--metric", "rmsd"], "rmsd"),
    ],
)
def test_bad_input(files, infoscope, arguments, message):
    ran = infoscope("anomalies", *arguments)
    assert ran.code == 2 and message in ran.err and "Traceback" not in ran.err


@pytest.mark.parametrize("command", ["anomalies", "drift"])
def test_the_same_rows_as_reference_and_test_are_refused(files, infoscope, command):
    """The same file, or a copy of it under another name; other columns of a file are another sample."""
    Path("copy.csv").write_bytes(Path("known.csv").read_bytes())
    for other in ("known.csv", "copy.csv"):
        ran = infoscope(command, "known.csv", other)
        assert ran.code == 2 and "rows do not differ from themselves. Give two data sets" in ran.err, ran.err


def test_a_table_with_categories(folder, infoscope):
    g = np.random.default_rng(0)
    for name, shares in (("a.csv", (0.5, 0.3, 0.2)), ("b.csv", (0.2, 0.3, 0.5))):
        words = np.array(["x", "y", "z"])[g.choice(3, 300, p=shares)]
        pd.DataFrame({"kind": words, "size": g.normal(size=300)}).to_csv(name, index=False)
    ran = infoscope("anomalies", "a.csv", "b.csv", "--scale", "standard", "--output", "rows.csv")
    assert ran.code == 0 and "The test sample has more points than the reference" in ran.out
    assert "different words in kind are 1 apart" in ran.out + ran.err
    assert {"kind=x", "kind=z", "size"} <= set(pd.read_csv("rows.csv").columns)
    alone = infoscope("anomalies", "a.csv:kind", "b.csv")
    assert alone.code == 0 and "k grew from" in alone.out and "The test sample has more points" in alone.out
