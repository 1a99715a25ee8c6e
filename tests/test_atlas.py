"""The calibration atlas: how it counts, and a few of its cells."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
if not BENCHMARKS.exists():
    pytest.skip("these are tests of the source tree", allow_module_level=True)


@pytest.fixture
def atlas(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import atlas

    yield atlas
    for name in ("atlas", "atlas_estimators", "atlas_situations", "harness"):
        sys.modules.pop(name, None)


def lines_of(path, found, situation="known", size=100, first=0):
    with path.open("a") as out:
        out.write(json.dumps({"task": [situation, size, "some", first], "seconds": 0.0, "found": found}) + "\n")


def test_spread_coverage_and_warnings_are_counted(atlas, tmp_path):
    rng = np.random.default_rng(0)
    value = 3 + 2 * rng.normal(size=400)  # the claim is half of the spread
    rows = [
        {"quantity": "q", "independent": 100, "warned": i % 4 == 0, "value": v, "error": 1.0, "truth": 3.0,
         "interval": None}
        for i, v in enumerate(value)
    ]  # fmt: skip
    lines_of(tmp_path / "r.jsonl", [*rows, {"quantity": "some", "refused": "too few"}])
    (cell,) = atlas.cells(tmp_path / "r.jsonl")
    assert cell["ratio"] == pytest.approx(value.std(ddof=1))
    assert cell["coverage"] == np.mean(np.abs(value - 3) <= 1.959963984540054)
    assert cell["coverage"] == pytest.approx(0.673, abs=0.06)  # P(|z| < 0.98), 99 % of 400
    assert (cell["warned"], cell["refused"], cell["replicates"]) == (0.25, 1, 400)
    why = atlas.falls_short(cell)
    assert "coverage" in why and "spread/claimed" in why and "25 % warn" in why


def test_intervals_that_are_given_count_and_a_truth_that_is_not_is_the_mean(atlas, tmp_path):
    rows = [
        {
            "quantity": "q",
            "independent": 5,
            "warned": False,
            "value": v,
            "error": 1.0,
            "truth": None,
            "interval": (a, b),
        }
        for v, a, b in ((1.0, 0, 3), (2.0, 1, 3), (3.0, 2.5, 4), (2.0, -1, 9))
    ] * 25
    lines_of(tmp_path / "r.jsonl", rows)
    (cell,) = atlas.cells(tmp_path / "r.jsonl")
    assert (cell["truth"], cell["coverage"], cell["kind"]) == (2.0, 0.75, "other")
    assert atlas.falls_short(cell) == "coverage 0.75"  # of 100 data sets; four could not tell
    assert atlas.falls_short({**cell, "replicates": 4}) == ""


def test_levels_are_held_against_the_binomial_bound(atlas, tmp_path):
    base = {"independent": 100, "warned": False, "value": float("nan"), "error": float("nan"), "truth": None}
    rows = [{"quantity": q, "p": p, "interval": None, **base} for q, n in (("good", 5), ("bad", 20)) for p in
            [0.04] * n + [0.5] * (100 - n)]  # fmt: skip
    lines_of(tmp_path / "r.jsonl", rows)
    why = {cell["quantity"]: atlas.falls_short(cell) for cell in atlas.cells(tmp_path / "r.jsonl")}
    assert why == {"good": "", "bad": "rejects 20 % at 5 %"}


def test_every_situation_can_be_drawn_again(atlas):
    from atlas_situations import SITUATIONS

    for situation in SITUATIONS:
        one, two = (situation.draw(np.random.default_rng(1), situation.sizes[0]) for _ in range(2))
        np.testing.assert_array_equal(one.x, two.x)
        assert len(one.x) == len(one.y) == situation.sizes[0]
        for carried in one.options.values():
            assert len(carried) == len(one.x)


def test_noise_that_is_added_differs_between_data_sets(atlas):
    """On a lattice many data sets begin with the same number; what is added to each must be its own all the same."""
    from atlas_estimators import generator_of
    from atlas_situations import SITUATIONS

    situation = next(s for s in SITUATIONS if s.name == "lattice of 2 values")
    drawn = [situation.draw(np.random.default_rng(i), 30) for i in range(20)]
    assert len({float(one.x[0, 0]) for one in drawn}) == 2
    assert len({float(generator_of(one).normal()) for one in drawn}) == 20
    assert generator_of(drawn[0]).normal() == generator_of(drawn[0]).normal()


CELLS = (
    ("independent, 2 columns", 100, "information_imbalance"),
    ("independent, 2 columns", 100, "dimensions"),
    ("independent, 2 columns", 100, "entropies"),
    ("independent, 2 columns", 100, "log_densities"),
    ("series of 100 correlation times", 300, "information_imbalance"),
    ("class of 50 %", 100, "imbalance_of_labels"),
    ("two clusters 6 sd apart", 300, "populations"),
)


@pytest.mark.slow
@pytest.mark.parametrize("cell", CELLS)
def test_intervals_hold_in_cells_of_the_first_kind(atlas, tmp_path, cell):
    """40 data sets: a coverage of 0.95 falls below 0.85 in one of 150 tests, one of 0.75 in more than nine of ten."""
    for first in range(0, 40, atlas.CHUNK):
        with (tmp_path / "r.jsonl").open("a") as out:
            out.write(json.dumps(atlas.work((*cell, first))) + "\n")
    found = atlas.cells(tmp_path / "r.jsonl")
    assert found
    for row in found:
        assert row["coverage"] >= 0.85, row


def test_a_run_goes_on_where_the_summary_ends(atlas, tmp_path, monkeypatch):
    """Two folders, one after the other, give the counts of one that holds both; what is counted is not drawn again."""
    rng = np.random.default_rng(0)

    def rows(n):
        return [
            {"quantity": q, "independent": 5, "warned": i % 2 == 0, "value": v, "error": 0.5, "truth": truth,
             "interval": None}
            for i in range(n) for q, truth in (("known", 3.0), ("not known", None)) for v in [3 + rng.normal()]
        ]  # fmt: skip

    first, second = rows(10), [*rows(9), {"quantity": "some", "refused": "too few"}]
    lines_of(tmp_path / "one.jsonl", first)
    lines_of(tmp_path / "two.jsonl", first)  # is counted already
    lines_of(tmp_path / "two.jsonl", second, first=10)
    lines_of(tmp_path / "both.jsonl", first)
    lines_of(tmp_path / "both.jsonl", second, first=10)
    before = atlas.cells(tmp_path / "one.jsonl", drawn="2026-11-30")
    after = atlas.cells(tmp_path / "two.jsonl", before, "2026-12-01")
    for cell, whole in zip(after, atlas.cells(tmp_path / "both.jsonl"), strict=True):
        assert (cell["replicates"], cell["refused"], cell["next"]) == (19, 1, 20)
        assert cell["drawn"] == "2026-11-30, 2026-12-01"
        assert cell["value"] == pytest.approx(whole["value"]) and cell["warned"] == pytest.approx(whole["warned"])
        assert cell["ratio"] == pytest.approx(whole["ratio"], rel=0.15)  # of parts, each about its own mean
        if cell["quantity"] == "known":
            assert cell["coverage"] == pytest.approx(whole["coverage"]) and cell["truth"] == 3.0
        else:
            assert cell["truth"] == pytest.approx(whole["value"])
    assert atlas.cells(tmp_path / "one.jsonl", before) == before

    monkeypatch.setattr(atlas, "SUMMARY", tmp_path / "atlas.json")
    name, size = "independent, 1 column", 30
    chosen = [{**cell, "situation": name, "size": size, "estimator": "dimensions"} for cell in after]
    (tmp_path / "atlas.json").write_text(json.dumps({"cells": chosen}))
    options = atlas.argparse.Namespace(replicates=40, sizes=[size], situations=[name], estimators=["dimensions"])
    begin = atlas.begin_of(atlas.committed())
    assert [task[3] for task in atlas.tasks(options, begin)] == [20, 30]
    atlas.forget(tmp_path / "none.jsonl", ["dimensions"], options)
    assert atlas.committed() == []


@pytest.mark.parametrize(
    "name", ["series of 25 correlation times", "series of 100 correlation times", "bits that flip"]
)
def test_a_series_has_as_many_correlation_times_as_it_says(atlas, name):
    """The mean of a column scatters as that of so many independent rows: 1,500 series tell this variance to 4 %, and
    the ends of a series of 25 take another 2 %."""
    from atlas_situations import SITUATIONS

    situation = next(s for s in SITUATIONS if s.name == name)
    drawn = [situation.draw(np.random.default_rng(i), 300) for i in range(1500)]
    columns = np.array([one.x[:, :1].astype(float) for one in drawn])[..., 0]
    assert columns.mean(1).var() * drawn[0].independent == pytest.approx(columns.var(), rel=0.12)
