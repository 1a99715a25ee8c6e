"""The command that compares: what it passes to the library, prints and saves."""

import json

import numpy as np
import pandas as pd
import pytest

from infoscope import Space, imbalance_matrix, information_imbalance, label_overlap, neighborhood_overlap
from infoscope.cli import compare as compare_module


def test_two_files(folder, infoscope):
    ran = infoscope("compare", "x.npy", "y.npy")
    assert ran.code == 0 and "warning" not in ran.err
    truth = information_imbalance(np.load("x.npy"), np.load("y.npy"))
    assert f"{truth.a_to_b:.2f}" in ran.out and f"{truth.b_to_a:.2f}" in ran.out
    assert "x.npy: 2 columns (0, 1); euclidean, columns not scaled" in ran.out and "120 items" in ran.out
    assert ran.out.rstrip().endswith(".") and "±" in ran.out


def test_columns_scale_and_hint(folder, infoscope):
    plain = infoscope("compare", "--space", "A=items.csv:a,b,wide", "--space", "B=items.csv:c", "--output", "r.json")
    assert "hint: the columns of A spread very differently" in plain.out and "of wide" in plain.out
    quiet = infoscope("compare", "-q", "--space", "A=items.csv:a,b,wide", "--space", "B=items.csv:c")
    assert "hint" not in quiet.out and "A  items.csv: 3 columns (a, b, wide)" in quiet.out
    scaled = infoscope(
        "compare",
        "--space",
        "A=items.csv:a,b,wide",
        "--space",
        "B=items.csv:c",
        "--scale",
        "A=standard",
        "--time",
        "none",
        "--output",
        "s.json",
    )
    assert "hint" not in scaled.out and "divided by its standard deviation" in scaled.out
    table = pd.read_csv("items.csv")
    truth = information_imbalance(Space(table[["a", "b", "wide"]], scale="standard"), Space(table[["c"]]))
    assert json.loads((folder / "s.json").read_text())["values"]["a_to_b"] == pytest.approx(truth.a_to_b, abs=1e-12)
    assert json.loads((folder / "r.json").read_text())["values"]["a_to_b"] != pytest.approx(truth.a_to_b, abs=1e-3)


def test_more_than_two_spaces_and_labels(folder, infoscope):
    spaces = ("--space", "A=items.csv:a", "--space", "B=items.csv:b", "--space", "C=items.csv:a,c")
    ran = infoscope(
        "compare",
        *spaces,
        "--time",
        "none",
        "--labels",
        "group",
        "--output",
        "m.csv",
        "--permutations",
        "19",
        "--seed",
        "3",
    )
    assert ran.code == 0 and "group" in ran.out and "p(A → B tells nothing) =" in ran.out
    rows = pd.read_csv("m.csv").set_index(["name_a", "name_b"])
    table = pd.read_csv("items.csv")
    named = {"A": table[["a"]], "B": table[["b"]], "C": table[["a", "c"]]}
    truth = imbalance_matrix({name: Space(frame) for name, frame in named.items()})
    for i, a in enumerate("ABC"):
        for j, b in enumerate("ABC"):
            if a != b:
                assert rows.loc[(a, b), "a_to_b"] == pytest.approx(truth.values[i, j], abs=1e-12)
    assert ("A", "group") in rows.index and ("group", "A") not in rows.index
    labels = information_imbalance(Space(named["A"]), Space.from_labels(table["group"]))
    assert rows.loc[("A", "group"), "a_to_b"] == pytest.approx(labels.a_to_b, abs=1e-12)


def test_one_space_and_labels_from_a_file(folder, infoscope):
    np.save("classes.npy", np.repeat(["u", "v"], 60))
    ran = infoscope("compare", "x.npy", "--labels", "classes.npy", "--output", "l.json")
    assert ran.code == 0 and "classes" in ran.out
    truth = information_imbalance(np.load("x.npy"), Space.from_labels(np.load("classes.npy")))
    assert json.loads((folder / "l.json").read_text())["values"]["a_to_b"] == pytest.approx(truth.a_to_b, abs=1e-12)


def test_pieces_are_runs(folder, infoscope):
    pieces = [item for i in (0, 1) for item in ("--space", f"A=run{i}.npy", "--space", f"B=target{i}.npy")]
    ran = infoscope("compare", *pieces, "--other-runs", "--output", "p.json")
    assert ran.code == 0 and "run0.npy, run1.npy (2 runs)" in ran.out
    a, b = ([np.load(f"{name}{i}.npy") for i in (0, 1)] for name in ("run", "target"))
    truth = information_imbalance(Space(a), Space(b), neighbors_from="other_runs")
    assert json.loads((folder / "p.json").read_text())["values"]["a_to_b"] == pytest.approx(truth.a_to_b, abs=1e-12)


class Seen(Exception):
    """Stops a command where it would compute."""


@pytest.fixture
def seen(monkeypatch, infoscope):
    """Run a command up to the computation, and return the spaces and options it would compute with."""
    held = {}

    def stop(spaces, labels, options):
        held.update(spaces=spaces, labels=labels, options=options)
        raise Seen

    monkeypatch.setattr(compare_module, "_compute", stop)

    def run(*arguments):
        with pytest.raises(Seen):
            infoscope("compare", *arguments)
        return held

    return run


def test_rows_time_run_and_weights_reach_the_library(folder, seen):
    held = seen(
        *("--space", "A=items.csv:a,phi", "--space", "B=items.csv:c", "--time", "t", "--run", "part", "--weights", "w"),
        *("--start", "10", "--stop", "110", "--stride", "5", "--window", "2", "-k", "4", "--sample-rows", "9"),
        *("--sample-columns", "8", "--jobs", "1", "--permutations", "5", "--seed", "7", "--period", "phi=360deg"),
    )
    table = pd.read_csv("items.csv").iloc[10:110:5]
    a = held["spaces"]["A"]
    assert np.allclose(a.features, table[["a", "phi"]], rtol=1e-14) and a.period.tolist() == [0, 360]
    assert np.array_equal(a.time, table["t"]) and np.allclose(a.sample_weight, table["w"], rtol=1e-14)
    assert a.run_names[a.run].tolist() == table["part"].tolist() and a.feature_names == ("a", "phi")
    expected = {"k": 4, "n_rows": 9, "n_columns": 8, "exclusion_window": 2.0, "n_permutations": 5}
    assert {name: held["options"][name] for name in expected} == expected
    assert held["options"]["random_state"] == 7 and held["options"]["n_jobs"] == 1


def test_columns_that_belong_to_the_items_are_no_features(folder, seen):
    held = seen("A=items.csv", "B=items.csv:a", "--time", "t", "--run", "part", "--weights", "w", "--labels", "group")
    assert held["spaces"]["A"].feature_names == ("a", "b", "c", "wide", "phi")
    assert held["labels"].name == "group" and np.array_equal(held["labels"].time, held["spaces"]["A"].time)


def test_a_time_step_counts_inside_runs(folder, seen):
    held = seen("x.npy", "y.npy", "--time", "0.5", "--stride", "10")
    assert np.allclose(held["spaces"]["x"].time, 5 * np.arange(12))
    pieces = [item for i in (0, 1) for item in ("--space", f"A=run{i}.npy", "--space", f"B=target{i}.npy")]
    held = seen(*pieces, "--time", "2")
    assert np.allclose(held["spaces"]["A"].time, 2 * np.r_[np.arange(70), np.arange(50)])
    assert held["spaces"]["B"].run.tolist() == [0] * 70 + [1] * 50


def test_dates_are_times(folder, seen):
    table = pd.read_csv("items.csv")
    table["day"] = pd.date_range("2020-01-01", periods=120, freq="D").strftime("%Y-%m-%d")
    table.to_csv("dated.csv", index=False)
    held = seen("A=dated.csv:a", "B=dated.csv:b", "--time", "day")
    assert np.allclose(np.diff(held["spaces"]["A"].time), 86400)


def test_a_file_for_all_rows_follows_the_choice_of_rows(folder, seen):
    np.save("w.npy", np.arange(1.0, 121))
    pieces = [item for i in (0, 1) for item in ("--space", f"A=run{i}.npy", "--space", f"B=target{i}.npy")]
    held = seen(*pieces, "--weights", "w.npy", "--start", "20")
    assert held["spaces"]["A"].sample_weight.tolist() == [*range(21, 71), *range(91, 121)]
    held = seen("both.npz/x", "y.npy", "--run", "items.csv:part")
    assert held["spaces"]["x"].run_names.tolist() == ["one", "two"]


@pytest.mark.parametrize(
    ("periods", "a", "b"),
    [
        (["7"], [7, 7], [7]),
        (["phi=360"], [0, 360], [0]),
        (["A=360", "A:a=none"], [0, 360], [0]),
        (["B=10", "20"], [20, 20], [10]),
        (["*h*=2pi"], [0, 2 * np.pi], [0]),
    ],
)
def test_periods_by_column_and_space(folder, seen, periods, a, b, monkeypatch):
    options = [item for period in periods for item in ("--period", period)]
    from infoscope.cli.inputs import spaces as spaces_module

    held = {}
    monkeypatch.setattr(
        spaces_module, "Space", lambda values, **options: held.update({options["name"]: options["period"]})
    )
    seen("A=items.csv:a,phi", "B=items.csv:b", *options)
    assert np.allclose(held["A"], a) and np.allclose(0 if held["B"] is None else held["B"], b)


def test_everything_is_saved(folder, infoscope):
    files = ["r.json", "r.csv"]
    outputs = [item for file in files for item in ("--output", file)]
    ran = infoscope("compare", "x.npy", "A=items.csv:a,b", *outputs, "--plot", "r.svg", "--seed", "5")
    assert ran.code == 0 and all(name in ran.out for name in (*files, "r.svg"))
    record = json.loads((folder / "r.json").read_text(encoding="utf-8"))
    assert record["command"].startswith("infoscope compare x.npy A=items.csv:a,b --output r.json")
    assert record["inputs"]["spaces"][1]["columns"] == ["a", "b"] and record["provenance"]["seed"] == 5
    assert record["provenance"]["input_hash"] and record["provenance"]["versions"]["numpy"]
    assert (folder / "r.svg").read_text().startswith("<?xml")
    assert pd.read_csv("r.csv")["a_to_b"][0] == pytest.approx(record["values"]["a_to_b"], rel=1e-14)


@pytest.mark.parametrize("name", ["p.png", "p.pdf", "P.PNG"])
def test_pictures(folder, infoscope, name):
    assert infoscope("compare", "x.npy", "y.npy", "--plot", name).code == 0
    assert (folder / name).read_bytes()[:4] in (b"\x89PNG", b"%PDF")


def test_a_correlated_series_warns_on_the_error_stream(folder, infoscope):
    walk = np.random.default_rng(1).normal(size=(400, 3)).cumsum(axis=0)
    np.save("walk.npy", walk)
    np.save("other.npy", walk[:, :1] + 1)
    ran = infoscope("compare", "walk.npy", "other.npy")
    assert ran.code == 0 and ran.err.count("warning: ") == 1 and "--time" in ran.err
    assert "Warning" not in ran.out
    assert infoscope("compare", "walk.npy", "other.npy", "--window", "0").err == ""


def test_overlaps(folder, infoscope):
    ran = infoscope("compare", "x.npy", "y.npy", "--overlap", "-k", "5", "--output", "o.json")
    truth = neighborhood_overlap(np.load("x.npy"), np.load("y.npy"), k=5)
    assert ran.code == 0 and json.loads((folder / "o.json").read_text())["values"]["overlap"] == truth.overlap
    for option in (["--permutations", "19"], ["--sample-columns", "50"]):
        refused = infoscope("compare", "x.npy", "y.npy", "--overlap", *option)
        assert refused.code and "leave it out" in refused.err
    np.save("x2.npy", np.load("x.npy"))
    refused = infoscope("compare", "x.npy", "y.npy", "x2.npy", "--overlap")
    assert refused.code and "one pair at a time" in refused.err


def test_overlap_with_labels(folder, infoscope):
    g = np.random.default_rng(0)
    x, y = g.normal(size=(60, 2)), np.repeat(["dog", "cat"], 30)
    pd.DataFrame({"a": x[:, 0], "b": x[:, 1] + 5 * (y == "cat"), "kind": y}).to_csv("pets.csv", index=False)
    ran = infoscope(
        "compare", "--space", "A=pets.csv:a,b", "--labels", "kind", "--overlap", "-k", "4", "--output", "o.json"
    )
    found = json.loads((folder / "o.json").read_text())["values"]
    x[:, 1] += 5 * (y == "cat")
    assert ran.code == 0 and found["overlap"] == pytest.approx(label_overlap(x, y, k=4).overlap)
    assert "carry the item's own kind" in ran.out and "cat (30)" in ran.out
