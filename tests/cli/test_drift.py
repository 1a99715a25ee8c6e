"""``infoscope drift``: the numbers of the library from two files, text among the columns, a record that runs."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import infoscope as library
from infoscope.measures import drift_table


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Two tables with numbers, text, a flag, names of rows and a row number; one column stands in one of them only."""
    monkeypatch.chdir(tmp_path)
    g = np.random.default_rng(0)
    frames = {}
    for name, n, shift, share in (("old", 300, 0.0, 0.5), ("new", 250, 0.6, 0.8)):
        frame = pd.DataFrame(
            {
                "id": np.arange(n),
                "mass": np.round(g.normal(size=n) + shift, 6),
                "angle": np.round(g.uniform(-180, 180, n), 4),
                "kind": np.where(g.random(n) < share, "heavy", "light"),
                "flag": g.random(n) < 0.5,
                "person": [f"{name}-{i}" for i in range(n)],
            }
        )
        frames[name] = frame if name == "old" else frame.assign(extra=g.normal(size=n))
        frames[name].to_csv(f"{name}.csv", index=False)
    return frames


def test_numbers_of_the_library(files, infoscope):
    ran = infoscope("drift", "old.csv", "new.csv", "--output", "out.json", "--output", "out.csv", "--output", "out.npz",
                    "--plot", "out.png")  # fmt: skip
    assert ran.code == 0, ran.err
    table = json.loads(Path("out.json").read_text())["table"]
    columns = ["mass", "angle", "kind", "flag"]
    found = drift_table(*(files[name][columns] for name in ("old", "new")), random_state=0)
    assert [row["feature"] for row in table] == found.to_frame()["feature"].tolist()
    for row, true in zip(table, found.to_frame().to_dict("records"), strict=True):
        for key in ("index", "index_se", "shift", "p_value", "p_adjusted"):
            expected = true[key]
            assert row[key] == (None if pd.isna(expected) else pytest.approx(expected, rel=1e-12)), (row, key)
    assert found.drifted == ("kind", "mass") or found.drifted == ("mass", "kind")
    np.testing.assert_array_equal(library.load("out.npz").p_adjusted, found.p_adjusted)
    assert pd.read_csv("out.csv")["feature"].tolist() == [row["feature"] for row in table]
    assert Path("out.png").stat().st_size > 0
    for text in ("column 'id' is left out", "person left out: 300 different words", "extra left out"):
        assert text in ran.err + ran.out, (text, ran.err)
    again = infoscope("rerun", "out.json")
    assert again.code == 0 and "reproduced" in again.out, again.err


def test_chosen_columns_periods_and_pictures(files, infoscope):
    ran = infoscope("drift", "old.csv:angle,kind", "new.csv", "--period", "angle=360", "--kind", "shares", "--column",
                    "kind", "--plot", "kind.png", "--output", "out.json", "--adjust", "holm", "-q")  # fmt: skip
    assert ran.code == 0, ran.err
    assert [row["feature"] for row in json.loads(Path("out.json").read_text())["table"]][:2] == ["kind", "angle"]
    assert Path("kind.png").stat().st_size > 0
    for kind in ("table", "direction", "null"):
        assert infoscope("drift", "old.csv:mass,angle", "new.csv", "--kind", kind, "--plot", f"{kind}.png").code == 0


def test_columns_of_text_alone(files, infoscope):
    ran = infoscope("drift", "old.csv:kind,flag", "new.csv", "--start", "10", "--output", "out.json")
    assert ran.code == 0, ran.err
    table = json.loads(Path("out.json").read_text())["table"]
    true = drift_table(*(files[name][["kind", "flag"]].iloc[10:] for name in ("old", "new")), random_state=0).to_frame()
    assert [row["feature"] for row in table] == true["feature"].tolist()
    assert [row["p_value"] for row in table] == pytest.approx(true["p_value"].tolist(), rel=1e-12)
    again = infoscope("rerun", "out.json")
    assert again.code == 0 and "reproduced" in again.out, again.err
    files["old"][["id", "kind"]].to_csv("a.csv", index=False)
    files["new"][["id", "kind"]].to_csv("b.csv", index=False)
    ran = infoscope("drift", "a.csv", "b.csv")
    assert ran.code == 0 and "id left out" in ran.out + ran.err, ran.err


def test_text_that_misses_values_and_rows_that_are_left_out(files, infoscope):
    old = files["old"].copy()
    old.loc[3, "mass"] = np.nan
    old.loc[5, "kind"] = None
    old.to_csv("gaps.csv", index=False)
    ran = infoscope("drift", "gaps.csv:mass,kind", "new.csv:mass,kind")
    assert ran.code == 2 and "mass" in ran.err
    ran = infoscope("drift", "gaps.csv:mass,kind", "new.csv:mass,kind", "--missing", "drop", "--output", "out.json")
    assert ran.code == 0, ran.err
    table = {row["feature"]: row for row in json.loads(Path("out.json").read_text())["table"]}
    kept = old.drop(index=3)[["mass", "kind"]]
    true = drift_table(kept, files["new"][["mass", "kind"]], missing="bin", random_state=0).to_frame()
    true = true.set_index("feature")
    for name in ("mass", "kind"):
        assert table[name]["index"] == pytest.approx(true.loc[name, "index"], rel=1e-12)


def test_correlated_rows_go_together(infoscope, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    g = np.random.default_rng(1)
    for name in ("one", "two"):
        x = np.empty(1500)
        x[0] = 0
        for t in range(1, 1500):
            x[t] = 0.9 * x[t - 1] + g.normal()
        pd.DataFrame({"time": np.arange(1500.0), "x": x}).to_csv(f"{name}.csv", index=False)
    ran = infoscope("drift", "one.csv", "two.csv")
    assert ran.code == 0 and "blocks" in ran.out and "No drift was found" in ran.out, ran.out
    naive = infoscope("drift", "one.csv", "two.csv", "--window", "0")
    assert "blocks" not in naive.out


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["old.csv"], "two files are needed"),
        (["old.csv", "old.csv"], "rows do not differ from themselves. Give two data sets"),
        (["old.csv", "nowhere.csv"], "nowhere.csv"),
        (["old.csv", "new.csv", "--column", "mass"], "goes with --kind shares"),
        (["old.csv", "new.csv", "--adjust", "none"], "--adjust is"),
        (["old.csv:kind", "new.csv:mass,kind"], "has columns of text only, and new.csv has numbers"),
        (["old.csv:kind", "new.csv", "--time", "id"], "--time says what goes with numbers"),
        (["old.csv", "new.csv", "--kind", "shares", "--column", "nose", "--plot", "x.png"], "no feature 'nose'"),
        (["old.csv", "new.csv", "--permutations", "3"], "--permutations must be at least 19"),
    ],
)
def test_bad_input_is_one_sentence(files, infoscope, arguments, message):
    ran = infoscope("drift", *arguments)
    assert ran.code == 2 and message in ran.err, ran.err


def test_tables_of_parquet_have_text_too(files, infoscope):
    pytest.importorskip("pyarrow")
    for name, frame in files.items():
        frame.to_parquet(f"{name}.parquet")
    ran = infoscope("drift", "old.parquet", "new.csv", "--output", "out.json")
    assert ran.code == 0, ran.err
    table = json.loads(Path("out.json").read_text())["table"]
    plain = infoscope("drift", "old.csv", "new.csv", "--output", "plain.json")
    assert plain.code == 0 and table == json.loads(Path("plain.json").read_text())["table"]
