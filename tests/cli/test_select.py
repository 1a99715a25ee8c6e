"""``infoscope select``: the library's numbers from files, told in words, in a record that can be run again."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from infoscope import DifferentiableImbalance, Space
from infoscope.imbalance.selection.feature_selection import dii_forward

N = 150


@pytest.fixture
def table(tmp_path, monkeypatch):
    """Four columns, of which a and b in the proportion 2 : 1 make the target; a class; a time, a run, a weight."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(N, 4))
    frame = pd.DataFrame(x * [1.0, 100.0, 1.0, 1.0], columns=["a", "b", "c", "d"])
    frame["u"], frame["v"] = 2 * x[:, 0], x[:, 1]
    frame["kind"] = np.where(x[:, 0] > 0, "high", "low")
    frame["code"] = (x[:, 0] > 0).astype(int)
    frame["part"] = np.repeat(["one", "two", "three"], N // 3)
    frame["t"] = np.tile(np.arange(N // 3), 3) * 0.5
    frame.to_csv("items.csv", index=False)
    np.save("target.npy", frame[["u", "v"]].to_numpy())
    return frame


SOURCES = list("abcd")


def record(path="out.json"):
    return json.loads(Path(path).read_text(encoding="utf-8"))


def test_weights_are_those_of_the_library(table, infoscope):
    ran = infoscope("select", "items.csv:a,b,c,d", "--target", "u,v", "--window", "0",
                    "--resamples", "5", "--output", "out.json", "--plot", "out.png")  # fmt: skip
    assert ran.code == 0, ran.err
    expected = DifferentiableImbalance(exclusion_window=0, n_resamples=5, random_state=0)
    expected.fit(Space(table[SOURCES]), Space(table[["u", "v"]]))
    rows = record()["table"]
    # One thread or several, the same sums: what differs is the last digits of a long optimisation.
    np.testing.assert_allclose([row["weight"] for row in rows], expected.weights_, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose([row["weight_se"] for row in rows], expected.weights_se_, rtol=1e-6, atol=1e-9)
    assert record()["values"]["dii"] == pytest.approx(expected.dii_, rel=1e-9)
    assert "certificate: a minimum" in ran.out and "95 % interval" in ran.out and "each column divided" in ran.out
    # b is a hundred times as wide and half as important: its weight in its own unit is near 1/200 of that of a.
    assert expected.weights_[1] / expected.weights_[0] == pytest.approx(1 / 200, rel=0.1)
    again = infoscope("rerun", "out.json")
    assert again.code == 0 and "reproduced" in again.out


def test_a_file_is_a_target_like_its_columns(table, infoscope):
    options = ("--window", "0", "--output", "out.json", "--quiet")
    values = []
    for target in ("u,v", "target.npy"):
        ran = infoscope("select", "items.csv:a,b,c,d", "--target", target, *options)
        assert ran.code == 0, ran.err
        values.append([row["weight"] for row in record()["table"]])
    np.testing.assert_array_equal(*values)


def test_columns_of_the_target_are_no_sources(table, infoscope):
    table.drop(columns=["kind", "part"]).to_csv("numbers.csv", index=False)
    for source in ("numbers.csv", "numbers.csv:*,!t"):
        ran = infoscope(
            "select", source, "--target", "u,v", "--time", "t", "--window", "0", "-q", "--output", "out.json"
        )
        assert ran.code == 0, ran.err
        assert [row["column"] for row in record()["table"]] == ["a", "b", "c", "d", "code"]


def test_labels_and_a_target_of_text(table, infoscope):
    expected = DifferentiableImbalance(exclusion_window=0, target="labels").fit(table[SOURCES], table["kind"])
    for option in ("--labels", "--target"):
        ran = infoscope("select", "items.csv:a,b,c,d", option, "kind", "--window", "0", "--output", "out.json")
        assert ran.code == 0, ran.err
        assert record()["values"]["dii"] == pytest.approx(expected.dii_, rel=1e-9)
        share = (table["kind"] == "high").mean()
        assert f"cannot be lower than {share**2 + (1 - share) ** 2:.3f}" in ran.out


def whole_numbers(n_different):
    return np.random.default_rng(1).permutation(np.arange(N) % n_different)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (whole_numbers(20), "labels"),
        (whole_numbers(21), "features"),
        (whole_numbers(3).astype(float), "features"),
        (whole_numbers(3).astype(np.uint8)[:, None], "labels"),
        (whole_numbers(2).astype(bool), "labels"),
        (np.array(["low", "mid", "high"])[whole_numbers(3)], "labels"),
        (np.random.default_rng(2).normal(size=(N, 2)), "features"),
        (whole_numbers(3)[:, None] + np.arange(2), "features"),
        (np.abs(np.subtract.outer(*2 * [np.random.default_rng(3).normal(size=N)])), "distances"),
    ],
    ids=["20 numbers", "21 numbers", "floats", "one column", "booleans", "text", "table", "whole table", "matrix"],
)
def test_what_a_target_is_is_decided_as_in_the_library(table, infoscope, values, kind):
    """The same array as a file, for the command, and in memory, for the fit and for the search."""
    np.save("y.npy", values)
    common = {"exclusion_window": 0, "random_state": 0}
    for said in ("auto", kind):
        ran = infoscope("select", "items.csv:a,b,c,d", "--target", "y.npy", "--target-kind", said, "--window", "0",
                        "--output", "out.json")  # fmt: skip
        assert ran.code == 0, ran.err
        assert record()["inputs"]["target"] == {"kind": kind, "name": "y"}
        fit = DifferentiableImbalance(target=said, **common).fit(table[SOURCES], values)
        assert record()["values"]["dii"] == pytest.approx(fit.dii_, rel=1e-9)
        told = said == "auto" and (kind == "distances" or kind == "labels" and values.dtype.kind in "iu")
        assert ("--target-kind features" in ran.out) == told, ran.out
    assert infoscope("rerun", "out.json").code == 0
    assert infoscope("select", "items.csv:a,b,c,d", "--target", "y.npy", "--size", "1", "--method", "forward",
                     "--window", "0", "--output", "out.json").code == 0  # fmt: skip
    path = dii_forward(table[SOURCES], values, 1, **common)
    assert record()["inputs"]["selection"][0]["value"] == pytest.approx(path.value[0], rel=1e-9)


def test_a_column_of_whole_numbers(table, infoscope):
    table["shade"] = np.array([2, 0, 4, 1, 3])[np.digitize(table["a"], [-1, -0.3, 0.3, 1])]  # numbers without order
    table.to_csv("items.csv", index=False)
    common = ("select", "items.csv:a,b,c,d", "--target", "shade", "--window", "0", "--output", "out.json")
    ran = infoscope(*common)
    note = "shade holds 5 different whole numbers and was taken as labels; "
    assert f"note: {note}--target-kind features compares their sizes" in ran.out
    assert record()["inputs"]["notes"] == [f"{note}target_kind='features' compares their sizes"]
    labels = DifferentiableImbalance(exclusion_window=0, target="labels").fit(table[SOURCES], table["shade"])
    assert record()["values"]["dii"] == pytest.approx(labels.dii_, rel=1e-9)
    numbers = DifferentiableImbalance(exclusion_window=0, target="features").fit(table[SOURCES], table[["shade"]])
    assert abs(numbers.dii_ - labels.dii_) > 1e-4  # they differ, so that the answer tells which it was
    for options in (("--target-kind", "features"), ("--metric", "manhattan"), ("--scale", "none")):  # the same of one
        ran = infoscope(*common, *options)
        assert record()["values"]["dii"] == pytest.approx(numbers.dii_, rel=1e-9) and "note" not in ran.out
    assert [row["column"] for row in record()["table"]] == SOURCES


def test_labels_in_a_file_for_each_run(table, infoscope):
    for number, rows in enumerate((slice(0, 60), slice(60, N))):
        table.iloc[rows].to_csv(f"run{number}.csv", index=False)
        np.save(f"kind{number}.npy", table["kind"].to_numpy(str)[rows])
    common = (
        "select",
        "run0.csv:a,b,c,d",
        "run1.csv:a,b,c,d",
        "--window",
        "0",
        "--stride",
        "2",
        "--output",
        "out.json",
    )
    values = []
    for target in (("--target", "kind0.npy", "--target", "kind1.npy"), ("--labels", "kind")):
        ran = infoscope(*common, *target)
        assert ran.code == 0, ran.err
        values.append(record()["values"]["dii"])
    assert values[0] == values[1]


def test_distances_of_the_chosen_rows(table, infoscope):
    y = np.random.default_rng(3).normal(size=(N, 3))
    distances = np.linalg.norm(y[:, None] - y, axis=-1)
    np.save("d.npy", distances)
    common = ("--target", "d.npy", "--window", "0", "--output", "out.json")
    ran = infoscope("select", "items.csv:a,b,c,d", "--start", "10", "--stride", "2", *common)
    assert ran.code == 0 and "d.npy: 150 columns" in ran.out and "distances of all pairs" in ran.out, ran.err
    rows = slice(10, None, 2)
    expected = DifferentiableImbalance(exclusion_window=0, target="distances").fit(
        table[SOURCES].iloc[rows], distances[rows, rows]
    )
    assert record()["values"]["dii"] == pytest.approx(expected.dii_, rel=1e-9)
    holed = table.copy()
    holed.loc[[3, 77], "b"] = np.nan
    holed.to_csv("holed.csv", index=False)
    assert infoscope("select", "holed.csv:a,b,c,d", "--missing", "drop", *common).code == 0
    kept = np.delete(np.arange(N), [3, 77])
    expected = DifferentiableImbalance(exclusion_window=0, target="distances").fit(
        table[SOURCES].iloc[kept], distances[np.ix_(kept, kept)]
    )
    assert record()["values"]["dii"] == pytest.approx(expected.dii_, rel=1e-9)


def test_sizes_are_those_of_the_library(table, infoscope):
    ran = infoscope("select", "items.csv:a,b,c,d", "--target", "u,v", "--window", "0", "--method", "forward",
                    "--output", "out.json", "--plot", "out.svg")  # fmt: skip
    assert ran.code == 0, ran.err
    spaces = Space(table[SOURCES], name="items"), Space(table[["u", "v"]], name="u,v")
    path = dii_forward(*spaces, exclusion_window=0, random_state=0)
    assert path.suggested == ("a", "b") and [row["column"] for row in record()["table"]] == ["a", "b"]
    told = record()["inputs"]["selection"]
    np.testing.assert_allclose([row["value"] for row in told], path.value, rtol=1e-6)
    assert "suggested size, of those above: 2" in ran.out and path.verdict in ran.out
    assert infoscope("rerun", "out.json").code == 0


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (["--size", "auto"], ["a", "b"]),
        (["--size", "1"], ["a"]),
        (["--method", "backward"], ["a", "b"]),
        (["--method", "exhaustive", "--size", "2"], ["a", "b"]),
        (["--method", "forward", "--size", "1"], ["a"]),
    ],
)
def test_every_method_finds_them(table, infoscope, options, names):
    ran = infoscope("select", "items.csv:a,b,c,d", "--target", "u,v", "--window", "0", *options, "--output", "out.json")
    assert ran.code == 0, ran.err
    assert [row["column"] for row in record()["table"]] == names
    assert ("1 of 1 columns of items keeps" in ran.out) == ("1" in options)  # not what another size would keep


def test_groups_share_a_weight(table, infoscope):
    ran = infoscope("select", "items.csv:a,b,c,d", "--target", "u,v", "--window", "0", "--groups", "noise=c,d",
                    "--groups", "signal=a,b", "--output", "out.json")  # fmt: skip
    assert ran.code == 0, ran.err
    weights = [row["standard_weight"] for row in record()["table"]]
    expected = DifferentiableImbalance(exclusion_window=0, groups=[1, 1, 0, 0])
    expected.fit(table[SOURCES], table[["u", "v"]])
    np.testing.assert_allclose(weights, expected.standard_weights_, rtol=1e-6)
    assert weights[0] == weights[1] == 1 and weights[2] == weights[3] < 0.1
    ran = infoscope("select", "items.csv:a,b,c,d", "--target", "u,v", "--window", "0", "--groups", "noise=c,d",
                    "--method", "forward", "--size", "2", "--output", "out.json")  # fmt: skip
    assert ran.code == 0 and [row["column"] for row in record()["table"]] == ["a", "b"], ran.err


def test_runs_are_held_out_and_times_are_used(table, infoscope):
    ran = infoscope("select", "items.csv:a,b,c,d", "--target", "u,v", "--time", "t", "--run", "part", "--window", "1",
                    "--validation", "runs", "--output", "out.json")  # fmt: skip
    assert ran.code == 0, ran.err
    expected = DifferentiableImbalance(exclusion_window=1, validation="runs", random_state=0)
    expected.fit(table[SOURCES], table[["u", "v"]], time=table["t"].to_numpy(), run=table["part"].to_numpy())
    assert record()["values"]["validation_dii"] == pytest.approx(expected.validation_dii_, rel=1e-6)
    assert "on rows that had no part in the fit" in ran.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "a file is needed"),
        (["items.csv:a,b"], "a target is needed"),
        (["items.csv:a,b", "--target", "u", "--labels", "kind"], "both are given"),
        (["items.csv:a,b", "--target", "uu"], "neither a file nor columns of the data"),
        (["items.csv:a,b", "--target", "u", "--target", "target.npy"], "not both"),
        (["items.csv:a,b", "--target", "u", "--method", "lasso"], "--method is 'weights', 'forward', 'backward' or"),
        (["items.csv:a,b", "--target", "u", "--size", "none"], "--size is 'auto' or a number"),
        (["items.csv:a,b", "--target", "u", "--size", "0"], "--size is 'auto' or a number"),
        (["items.csv:a,b", "--target", "u", "--size", "9", "--method", "forward"], "there are only 2"),
        (["items.csv:a,b", "--target", "u", "--validation", "2"], "--validation is 'runs' or a share"),
        (["items.csv:a,b", "--target", "u", "--groups", "z*"], "--groups z*: no column is called"),
        (["items.csv:a,b", "--target", "u", "--groups", "a,b", "--groups", "b"], "is in the group a,b already"),
        (["items.csv:a,b", "--labels", "kind", "--scale", "standard"], "labels are equal or not"),
        (["items.csv:a,b", "--target", "code", "--target-kind", "labels", "--metric", "cosine"], "labels are equal"),
        (["items.csv:a,b", "--target", "target.npy", "--target-kind", "distances", "--scale", "none"], "--scale says"),
        (["items.csv:a,b", "--target", "u,v", "--target-kind", "labels"], "takes one column"),
        (["items.csv:a,b", "--target", "u,v", "--target-kind", "distances"], "150"),
        (["items.csv:a,b", "--labels", "kind", "--target-kind", "features"], "--labels"),
        (["items.csv:a,b", "--target", "u", "--target-kind", "classes"], "--target-kind is 'auto', 'features'"),
        (["items.csv:a,b", "--target", "u", "--other-runs"], "--other-runs needs runs"),
        (["items.csv:kind", "--target", "u"], "is not numeric"),
        (["items.csv:a,b", "--target", "a,b"], "no column is left"),
        (["items.csv:a,b", "--target", "u", "-k", "150"], "k"),
        (["items.csv:a,b", "--target", "u", "--plot", "out.gif"], "pictures are saved as"),
        (["none.csv", "--target", "u"], "none.csv"),
    ],
)
def test_bad_input(table, infoscope, arguments, message):
    ran = infoscope("select", *arguments)
    assert ran.code == 2 and message in ran.err and "Traceback" not in ran.err
    assert len([line for line in ran.err.splitlines() if line.startswith("infoscope: error:")]) == 1


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:.*:UserWarning:MDAnalysis")
def test_frames_select_for_the_shape_of_frames(tmp_path, monkeypatch, infoscope):
    """Torsions of a trajectory as the data, its superposed atoms as the target."""
    pytest.importorskip("MDAnalysis")
    from tests.io import peptide

    from infoscope.io import trajectory
    from infoscope.neighbors import superposed_rmsd

    _, _, positions, atoms = peptide.frames(120)
    universe = peptide.universe(positions, atoms)
    universe.atoms.write(str(tmp_path / "top.pdb"))
    peptide.write(universe, tmp_path / "one.trr", dt=2.0)
    monkeypatch.chdir(tmp_path)
    ran = infoscope("select", "one.trr@top.pdb", "--target", "one.trr@top.pdb:positions:not name H*", "--metric",
                    "rmsd", "--window", "6", "--output", "out.json")  # fmt: skip
    assert ran.code == 0, ran.err
    a, b = trajectory("top.pdb", "one.trr"), trajectory("top.pdb", "one.trr", features="positions")
    shape = Space.from_distances(superposed_rmsd(b.values.reshape(len(b), -1, 3)), time=b.time)
    expected = DifferentiableImbalance(exclusion_window=6.0).fit(a.to_space(), shape)
    # the superposition of the command rounds float32 differently, which can exchange near ties in the target
    assert record()["values"]["dii"] == pytest.approx(expected.dii_, abs=0.01)
    assert infoscope("rerun", "out.json").code == 0


def test_a_bias_makes_weights_and_parts_are_one_run(table, infoscope):
    w = np.random.default_rng(5).uniform(0.5, 1.5, N)
    biased = table.assign(bias=2.5 * np.log(w), t=np.arange(N)).drop(columns="part")
    biased.iloc[: N // 3].to_csv("first.csv", index=False)
    biased.iloc[N // 3 :].to_csv("second.csv", index=False)
    common = ("--target", "u,v", "--window", "0", "-q", "--output", "out.json")
    table.assign(w=w).to_csv("whole.csv", index=False)
    assert infoscope("select", "whole.csv:a,b,c,d", "--weights", "w", *common).code == 0
    expected = [row["weight"] for row in record()["table"]]
    ran = infoscope(
        "select", "first.csv:a,b,c,d", "second.csv:a,b,c,d", "--log-weights", "bias", "--kT", "2.5", "--join", "one",
        "--time", "t", *common,
    )  # fmt: skip
    assert ran.code == 0, ran.err
    np.testing.assert_allclose([row["weight"] for row in record()["table"]], expected, rtol=1e-6, atol=1e-9)


def test_bandwidth_and_batches(table, infoscope):
    common = ("--target", "u,v", "--window", "0", "-q", "--output", "out.json")
    assert infoscope("select", "items.csv:a,b,c,d", "--bandwidth", "global", *common).code == 0
    found = DifferentiableImbalance(bandwidth="global", exclusion_window=0, random_state=0)
    found.fit(Space(table[SOURCES]), Space(table[["u", "v"]]))
    np.testing.assert_allclose([row["weight"] for row in record()["table"]], found.weights_, rtol=1e-6, atol=1e-9)
    assert infoscope("select", "items.csv:a,b,c,d", "--batch-size", "50", *common).code == 0
    assert any("in batches of 50 rows" in note for note in record()["notes"])
    ran = infoscope("select", "items.csv:a,b,c,d", "--batch-size", "50", "--size", "2", *common)
    assert ran.code != 0 and "leave out --size" in ran.err
    ran = infoscope("select", "items.csv:a,b,c,d", "--bandwidth", "wide", *common)
    assert ran.code != 0 and "--bandwidth" in ran.err


def test_an_integer_target_has_a_certificate(folder, infoscope):
    """Its neighbours are so near that slopes are steep: "none (largest slope 1.9e+15)" was all that was said."""
    g = np.random.default_rng(0)
    x = pd.DataFrame(g.normal(size=(120, 3)), columns=list("bcd"))
    x.assign(a=np.rint(20 * x["b"]).astype(int)).to_csv("t.csv", index=False)
    ran = infoscope("select", "t.csv", "--target", "a", "--size", "auto")
    (line,) = [line for line in ran.out.splitlines() if "certificate" in line]
    assert ran.code == 0 and "certificate: a minimum" in line  # one column, whatever its weight


def test_sizes_that_penalties_leap_over(folder, infoscope):
    """Columns that tell nothing: the sentence of all sizes, and no error that some size was not met."""
    g = np.random.default_rng(0)
    x = pd.DataFrame(g.normal(size=(120, 5)), columns=list("abcde")).assign(y=g.normal(size=120))
    x.to_csv("noise.csv", index=False)
    for size in "2345":
        ran = infoscope("select", "noise.csv", "--target", "y", "--size", size)
        assert ran.code == 0 and ("tell anything about y" in ran.out or "get a weight for y" in ran.out)
        fewer = f"note: of {size} features only" in ran.out
        assert fewer or f"    {size}  " in ran.out or f"*   {size}  " in ran.out
        if size == "2":  # as of all columns
            sentence = "no weights of the columns of noise tell anything about y (within error)"
            assert sentence in ran.out and sentence in infoscope("select", "noise.csv", "--target", "y").out
