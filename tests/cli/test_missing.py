"""--missing on the command line: rows or columns that miss values, of one file, of several, of two samples."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from infoscope import information_imbalance


@pytest.fixture
def gaps(folder):
    """The table of the folder in which column b misses rows 3 and 8, and c row 8."""
    table = pd.read_csv("items.csv")
    table.loc[[3, 8], "b"], table.loc[8, "c"] = np.nan, np.nan
    table.to_csv("gaps.csv", index=False)
    return table


def test_columns_are_left_out_of_every_space(gaps, infoscope):
    ran = infoscope("compare", "--space", "A=gaps.csv:a,b,wide", "--space", "B=gaps.csv:c,w", "--missing",
                    "drop-columns", "--output", "r.json")  # fmt: skip
    assert ran.code == 0, ran.err
    assert "note: A: 1 of 3 columns with missing values were left out: b 2" in ran.out
    assert "note: B: 1 of 2 columns with missing values were left out: c 1" in ran.out
    truth = information_imbalance(gaps[["a", "wide"]], gaps[["w"]])
    assert json.loads(Path("r.json").read_text())["values"]["a_to_b"] == pytest.approx(truth.a_to_b, abs=1e-12)
    again = infoscope("rerun", "r.json")
    assert again.code == 0 and "agree" in again.out + again.err or "same" in again.out + again.err


def test_rows_say_in_which_columns_something_is_missing(gaps, infoscope):
    ran = infoscope("dimension", "gaps.csv:a,b,c", "--missing", "drop")
    assert ran.code == 0 and "(the first is row 3); missing in b 2, c 1" in ran.out, ran.err


@pytest.mark.parametrize("command", ["dimension", "density", "select"])
def test_every_command_with_one_data_set(gaps, infoscope, command):
    more = ("--target", "phi") if command == "select" else ()
    ran = infoscope(command, "gaps.csv:a,b,c,wide", *more, "--missing", "drop-columns")
    assert ran.code == 0 and "2 of 4 columns with missing values were left out: b 2, c 1" in ran.out, ran.err


def test_two_samples_keep_the_columns_that_are_complete_in_both(gaps, infoscope):
    other = gaps.copy()
    other[["b", "c"]] = pd.read_csv("items.csv")[["b", "c"]]
    other.loc[5, "wide"] = np.nan
    other.to_csv("test.csv", index=False)
    ran = infoscope("anomalies", "gaps.csv:a,b,c,wide,phi", "test.csv:a,b,c,wide,phi", "--missing", "drop-columns")
    assert ran.code == 0, ran.err
    assert "reference: wide left out, because values are missing in test" in ran.out
    assert "test: b, c left out, because values are missing in reference" in ran.out
    assert "2 columns (a, phi)" in ran.out


def test_a_test_sample_with_one_more_column(folder, infoscope):
    table = pd.read_csv("items.csv")[["a", "b", "c"]]
    table[:60].to_csv("reference.csv", index=False)
    table[60:].assign(extra=1.0)[["extra", "c", "a", "b"]].to_csv("test.csv", index=False)
    ran = infoscope("anomalies", "reference.csv", "test.csv", "--output", "r.json")
    assert ran.code == 0 and "note: test: extra left out, because the reference has no such column" in ran.out, ran.err
    table[60:].to_csv("same.csv", index=False)
    infoscope("anomalies", "reference.csv", "same.csv", "--output", "s.json")
    values = [json.loads(Path(name).read_text())["values"] for name in ("r.json", "s.json")]
    assert values[0] == values[1]
    table[60:].drop(columns="b").to_csv("fewer.csv", index=False)
    ran = infoscope("anomalies", "reference.csv", "fewer.csv")
    assert ran.code != 0 and "3 columns" in ran.err and "Traceback" not in ran.err
