"""``infoscope shares``: the numbers of the library, from files to a picture and a record that runs again."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import infoscope as library
from infoscope import mutual_information, pairwise_mutual_information, total_correlation


@pytest.fixture
def table(tmp_path, monkeypatch):
    """Six columns, of which the last two follow the first; a class, a series."""
    monkeypatch.chdir(tmp_path)
    g = np.random.default_rng(0)
    x = g.normal(size=(300, 6))
    x[:, 4] += 2 * x[:, 0]
    x[:, 5] = np.abs(x[:, 0]) + 0.3 * x[:, 5]
    frame = pd.DataFrame(x, columns=list("abcdef")).round(6)
    frame["kind"] = np.where(frame.a > 0.5, "high", "low")
    frame.to_csv("data.csv", index=False)
    return frame


def test_numbers_of_the_library(table, infoscope):
    ran = infoscope(
        "shares", "data.csv:a,b", "data.csv:e", "--permutations", "19", "--output", "out.json", "--output", "out.npz",
        "--plot", "out.png",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    found = mutual_information(table[["a", "b"]], table[["e"]], n_permutations=19)
    saved = library.load("out.npz")
    assert saved.value == pytest.approx(found.value, abs=1e-12) and saved.p_value == found.p_value
    assert saved.value_se == pytest.approx(found.value_se, abs=1e-12) and saved.copula == pytest.approx(found.copula)
    assert json.loads(Path("out.json").read_text())["table"][0]["value"] == pytest.approx(found.value)
    assert Path("out.png").stat().st_size > 0 and "by their ranks" in ran.out + ran.err
    again = infoscope("rerun", "out.json")
    assert again.code == 0 and "reproduced" in again.out


def test_many_columns_are_compressed_as_in_the_library(table, infoscope):
    ran = infoscope("shares", "data.csv:a,b,c,d", "data.csv:e,f", "--output", "out.npz")
    assert ran.code == 0, ran.err
    found = mutual_information(table[list("abcd")], table[["e", "f"]])
    saved = library.load("out.npz")
    assert saved.chosen == found.chosen is not None and saved.value == pytest.approx(found.value, abs=1e-12)
    plain = infoscope(
        "shares", "data.csv:a,b,c,d", "data.csv:e,f", "--compress", "none", "--fast", "--output", "raw.npz"
    )
    assert plain.code == 0 and library.load("raw.npz").value == pytest.approx(found.raw, abs=1e-12)


def test_labels(table, infoscope):
    ran = infoscope("shares", "data.csv:a,b", "--labels", "kind", "--unit", "bits", "--output", "out.npz")
    assert ran.code == 0, ran.err
    found = mutual_information(table[["a", "b"]], table["kind"], unit="bits")
    assert library.load("out.npz").value == pytest.approx(found.value, abs=1e-12) and "bits" in ran.out


def test_pairs(table, infoscope):
    ran = infoscope(
        "shares", "data.csv:0-5", "--columns", "pairs", "--fast", "--output", "out.csv", "--plot", "out.png",
        "--permutations", "39",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    found = pairwise_mutual_information(table[list("abcdef")], se=False, n_permutations=39)
    np.testing.assert_allclose(pd.read_csv("out.csv")["value"], [found.value[pair] for pair in found.pairs()])


def test_three_descriptions(table, infoscope):
    ran = infoscope("shares", "data.csv:a", "data.csv:e", "data.csv:f", "--fast", "--output", "out.npz")
    assert ran.code == 0, ran.err
    found = total_correlation([table["a"], table["e"], table["f"]], se=False)
    assert library.load("out.npz").value == pytest.approx(found.value, abs=1e-12)


def test_said_metrics_take_the_values(table, infoscope):
    ran = infoscope("shares", "data.csv:a,b", "data.csv:e", "--scale", "standard", "--fast", "--output", "out.npz")
    spaces = [library.Space(table[names], scale="standard") for names in (["a", "b"], ["e"])]
    assert ran.code == 0, ran.err
    assert library.load("out.npz").value == pytest.approx(mutual_information(*spaces, se=False).value, abs=1e-12)


@pytest.mark.parametrize("arguments, message", [
    (("data.csv",), "two descriptions are needed"),
    (("data.csv:a", "data.csv:b", "--columns", "pairs"), "--columns pairs takes one description"),
    (("data.csv:a", "data.csv:b", "--labels", "kind"), "--labels goes with one description"),
    (("data.csv:a", "data.csv:b", "--kind", "matrix"), "--kind matrix goes with --columns pairs"),
    (("data.csv:a", "data.csv:b", "--estimator", "best"), "--estimator is"),
    (("data.csv:a", "data.csv:b", "--permutations", "3"), "n_permutations must be at least 19|--permutations"),
])  # fmt: skip
def test_bad_input(table, infoscope, arguments, message):
    ran = infoscope("shares", *arguments)
    assert ran.code == 2
    assert re.search(message, ran.err)


def test_ties_are_judged_as_in_the_library(infoscope, tmp_path, monkeypatch):
    """Columns rounded to half their spread: by their ranks nothing is told of ties, and the record says by what."""
    monkeypatch.chdir(tmp_path)
    rounded = (np.random.default_rng(1).normal(size=(300, 2)) * 3.3).round() / 2
    pd.DataFrame(rounded, columns=["x", "y"]).to_csv("rounded.csv", index=False)
    ran = infoscope("shares", "rounded.csv:x", "rounded.csv:y", "--output", "out.npz", "--output", "out.json")
    assert ran.code == 0, ran.err
    saved, found = library.load("out.npz"), mutual_information(rounded[:, :1], rounded[:, 1:])
    assert saved.value == pytest.approx(found.value, abs=1e-12)
    assert (saved.reliable, saved.reasons, saved.marginals) == (found.reliable, found.reasons, found.marginals)
    assert saved.marginals == ("rank-normal", "rank-normal")
    assert "ties look like shared" in infoscope("shares", "rounded.csv:x", "rounded.csv:y", "--marginals", "none").out
