"""Levels of tests: how they are counted, and a few of them."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
if not BENCHMARKS.exists():
    pytest.skip("these are tests of the source tree", allow_module_level=True)


@pytest.fixture
def levels(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import levels

    yield levels
    for name in ("levels", "level_tests", "atlas_situations", "harness"):
        sys.modules.pop(name, None)


def test_shares_are_held_against_the_binomial_bounds(levels):
    """Of 2,000: 0.99 of binomial counts are at most 123 at 5 % and 31 at 1 %, and 0.99 at least 78 at 5 %."""
    row = {"data_sets": 2000, "least": 0.0}
    for count, said in ((123, ""), (124, "too often"), (78, ""), (77, "clearly less")):
        assert levels.judge(row | {"rejects_5": count}, 0.05) == said
    for count, said in ((31, ""), (32, "too often")):
        assert levels.judge(row | {"rejects_1": count}, 0.01) == said
    assert levels.share(row | {"rejects_5": 124}, 0.05) == "**6.2**"
    assert levels.share(row | {"rejects_1": 3}, 0.01) == "*0.1*"
    assert levels.share({"data_sets": 2000, "least": 0.05, "rejects_1": 0}, 0.01) == "-"  # 19 permutations


def test_p_values_on_the_level_count_and_those_that_are_missing_do_not(levels):
    found = levels.shares([0.05, 0.01, 0.0101, 0.2, float("nan")])
    assert found == {"data_sets": 5, "without": 1, "rejects_5": 3, "rejects_1": 1}


def test_a_data_set_depends_on_its_number_alone(levels):
    cell = ("interventional_effect", "independent")
    whole, part = levels.work(cell, 0, 4), levels.work(cell, 2, 2)
    assert whole["found"][2:] == part["found"]
    assert whole["found"][0] != whole["found"][1]


@pytest.fixture
def summary(levels, tmp_path, monkeypatch):
    """A summary of two cells, and an empty folder."""
    about = {"rows": "independent", "p_value": "p", "size": 60, "least": 0.01, "without": 0, "rejects_1": 1}
    cells = [
        {"test": "mmd", "data_sets": 20, "rejects_5": 3, "refused": 0, "next": 40},
        {"test": "order_test", "data_sets": 9, "rejects_5": 1, "refused": 1, "next": 10},
    ]
    monkeypatch.setattr(levels, "SUMMARY", tmp_path / "levels.json")
    levels.SUMMARY.write_text(json.dumps({"cells": [about | cell for cell in cells]}))
    return tmp_path / "p_values.jsonl"


def draw(lines, test, first, p=0.5):
    with lines.open("a") as out:
        record = {"cell": [test, "independent"], "first": first, "seconds": 2.0, "found": [{"p": p}] * 10}
        out.write(json.dumps(record) + "\n")


def test_a_run_goes_on_where_the_summary_ends(levels, summary):
    """Nothing that is counted is drawn again, nor what may have been drawn and was lost."""
    for test, first in (
        ("mmd", 30),
        ("mmd", 50),
        ("dii_rise", 10),
    ):  # 30 is among those that are counted, 40 is on its way
        draw(summary, test, first)
    asked = [(test, "independent") for test in ("mmd", "order_test", "dii_rise")]
    queues = levels.queues_of(asked, summary, levels.committed())
    assert [queues[cell].number for cell in asked] == [30, 10, 10]
    assert [queues[asked[0]].take() for _ in range(3)] == [40, 60, 70]
    assert queues[asked[1]].take() == 10 and queues[asked[2]].take() == 0
    assert queues[asked[0]].number == 60


def test_counts_of_the_summary_and_of_the_folder_add_up_once(levels, summary):
    draw(summary, "mmd", 30, 0.001)
    draw(summary, "mmd", 60, 0.02)
    table = levels.summary(summary, levels.committed())
    for _ in range(2):  # what was published is not counted again
        found = {row["test"]: row for row in table}
        assert found["mmd"]["data_sets"] == 30 and found["mmd"]["rejects_5"] == 13 and found["mmd"]["rejects_1"] == 1
        assert found["mmd"]["next"] == 70 and found["order_test"]["next"] == 10
        assert (found["order_test"]["data_sets"], found["order_test"]["refused"]) == (9, 1)
        table = levels.summary(summary, table)


def test_what_was_mended_is_forgotten_in_both(levels, summary):
    draw(summary, "mmd", 40)
    draw(summary, "order_test", 10)
    levels.forget(summary, ["mmd"])
    assert {row["test"] for row in levels.committed()} == {"order_test"}
    queues = levels.queues_of([("mmd", "independent"), ("order_test", "independent")], summary, levels.committed())
    assert [queue.number for queue in queues.values()] == [0, 20]
    assert [queue.take() for queue in queues.values()] == [0, 20]


def test_every_cell_gets_some_before_the_cheapest_are_finished(levels):
    cheap, dear, new = (levels.Queue(number, iter(range(99)), seconds) for number, seconds in (
        (100, [0.1]), (90, [5.0]), (100, [2.0])))  # fmt: skip
    queues = {("cheap", "x"): cheap, ("dear", "x"): dear, ("new", "x"): new}
    assert levels.next_cell(queues, 2000) == ("dear", "x")
    dear.number = 100
    assert levels.next_cell(queues, 2000) == ("cheap", "x")
    cheap.number = 2000
    assert levels.next_cell(queues, 2000) == ("new", "x")
    assert levels.next_cell({("cheap", "x"): cheap}, 2000) is None


def test_series_remember_for_half_a_block(levels):
    """Blocks of two correlation times, and 1 + 2 sum rho^k of an exponential: so many blocks are in 200 rows."""
    from level_tests import SERIES

    for rows in SERIES:
        rho = np.exp(-4 * rows.blocks / rows.size)
        tau = (1 + rho) / (1 - rho)
        assert rows.size / (2 * tau) == pytest.approx(rows.blocks, rel=0.1)
        x = rows.draw(np.random.default_rng(0), 200)
        assert np.mean(x[1:] * x[:-1]) == pytest.approx(rho, abs=0.03)


def test_every_test_draws_and_gives_p_values(levels):
    from level_tests import LEVELS

    assert len({one.name for one in LEVELS}) == len(LEVELS) >= 35
    for name in ("imbalance_matrix", "stability_index_permuted", "compare_checkpoints", "order_test"):
        one = next(one for one in LEVELS if one.name == name)
        found = one.test(np.random.default_rng(0), one.rows[0])
        assert found and all(one.least - 1e-12 <= p <= 1 for p in found.values())


QUICK = (
    ("information_imbalance", "independent"),
    ("imbalance_matrix", "series of 20 blocks"),
    ("compare_imbalances", "independent"),
    ("compare_imbalances", "series of 20 blocks"),
    ("pairwise_screen", "independent"),
    ("stability_index_permuted", "series of 10 blocks"),
    ("sliced_wasserstein", "independent"),
    ("mmd", "lattice of 3 values"),
    ("mutual_information", "independent"),
    ("compare_directions", "independent"),
    ("order_test", "lattice of 3 values"),
)


@pytest.mark.slow
@pytest.mark.parametrize("cell", QUICK)
def test_tests_reject_no_more_often_than_they_say(levels, cell):
    """200 null data sets: a test at its level is above the bound in one of 5,000, one that rejects 17 % is
    found in 99 of 100."""
    found = levels.work(cell, 0, 200)["found"]
    for name in found[0]:
        rejected = sum(row[name] <= 0.05 + 1e-9 for row in found)
        assert rejected <= binom.ppf(0.9998, 200, 0.05), (cell, name, rejected)
