"""Levels of tests: how they are counted, and a few of them."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


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


def test_runs_go_on_and_forget_what_was_mended(levels, tmp_path):
    lines = tmp_path / "p_values.jsonl"
    for test, first in (("mmd", 0), ("mmd", 10), ("order_test", 0)):
        record = {"cell": [test, "independent"], "first": first, "seconds": 2.0, "found": [{"p": 0.5}] * 10}
        with lines.open("a") as out:
            out.write(json.dumps(record) + "\n")
    done, spent = levels.progress_of(lines)
    assert done["mmd", "independent"] == {0, 10} and spent["mmd", "independent"] == 4.0
    levels.forget(lines, ["mmd"])
    done, _ = levels.progress_of(lines)
    assert not done["mmd", "independent"] and done["order_test", "independent"] == {0}


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
