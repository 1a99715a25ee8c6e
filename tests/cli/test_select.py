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
    ran = infoscope("select", "items.csv:a,b,c,d", "--target", "code", "--window", "0")
    assert "write --labels code" in ran.out


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
        (["items.csv:a,b", "--target", "u", "--method", "lasso"], "--method is weights, forward"),
        (["items.csv:a,b", "--target", "u", "--size", "none"], "--size is 'auto' or a number"),
        (["items.csv:a,b", "--target", "u", "--size", "0"], "--size is 'auto' or a number"),
        (["items.csv:a,b", "--target", "u", "--size", "9", "--method", "forward"], "there are only 2"),
        (["items.csv:a,b", "--target", "u", "--validation", "2"], "--validation is 'runs' or a share"),
        (["items.csv:a,b", "--target", "u", "--groups", "z*"], "--groups z*: no column is called"),
        (["items.csv:a,b", "--target", "u", "--groups", "a,b", "--groups", "b"], "is in the group a,b already"),
        (["items.csv:a,b", "--labels", "kind", "--scale", "standard"], "labels are equal or not"),
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
