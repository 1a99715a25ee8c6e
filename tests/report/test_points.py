"""Points on their way to a page: which of many are drawn, and that packing loses nothing that is seen."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from hypothesis.extra.numpy import arrays
from tests.report.reader import read

import infoscope
from infoscope.base import MissingExtraError, Origin, SourceFile
from infoscope.report import check_page_path, write_page
from infoscope.report.answers import answer_of
from infoscope.report.explorer import explorer_of
from infoscope.report.packing import LEVELS, MANY, packed, unpacked
from infoscope.report.points import Points, points_of, thinned


def points(group, weight=None):
    n = len(group)
    return Points(
        coordinates={"x": np.arange(n, dtype=float)},
        values={},
        group=np.asarray(group),
        groups=("state 0", "state 1", "state 2"),
        group_word="state",
        items=np.arange(n),
        weight=weight,
        origin=None,
        n_columns=1,
    )


def test_thinning_keeps_shares_and_small_groups():
    group = np.repeat([0, 1, 2], [60_000, 39_950, 50])
    some_of = thinned(points(group), 10_000)
    kept = np.bincount(some_of.group)
    assert len(some_of) <= 10_000 and kept[2] == 50  # a small state stays whole
    np.testing.assert_allclose(kept[:2] / group.size, [0.06, 0.03995], atol=0.001)  # a tenth of each of the others
    assert some_of.items.tolist() == thinned(points(group), 10_000).items.tolist()
    assert (np.diff(some_of.items) > 0).all() and (some_of.coordinates["x"] == some_of.items).all()
    few = points([0, 1, 2])
    assert thinned(few, 3) is few


@given(arrays(np.float64, some.integers(1, 40), elements=some.floats(-1e6, 1e6)), some.data())
def test_packing_is_undone(values, data):
    rows = data.draw(arrays(np.int64, len(values), elements=some.integers(0, 2**29)))
    back = unpacked(*packed({"row": rows, "value": values, "same": np.full(len(values), np.nan)}))
    assert back["row"].tolist() == rows.tolist() and np.isnan(back["same"]).all()
    np.testing.assert_array_equal(back["value"], values.astype(np.float32))


def test_levels_of_many_points():
    values = np.random.default_rng(0).normal(size=MANY + 1)
    values[7] = np.nan
    back = unpacked(*packed({"value": values, "exact": values}, levels=["value"]))
    step = np.nanmax(values) - np.nanmin(values)
    assert np.nanmax(np.abs(back["value"] - values)) <= 0.51 * step / LEVELS and np.isnan(back["value"][7])
    np.testing.assert_array_equal(back["exact"], values.astype(np.float32))


def test_groups_have_the_populations_of_the_result(states):
    """Counts and shares of the page are those of the labels and of the table, thinned or not."""
    found = points_of(states)
    for shown in (found, thinned(found, 30)):
        data = explorer_data(states, shown)
        assert [group["count"] for group in data["groups"]] == np.bincount(states.labels).tolist()
        np.testing.assert_allclose([group["share"] for group in data["groups"]], states.populations, rtol=1e-12)
        columns = unpacked(data["text"], data["parts"])
        shares = np.bincount(columns["group"].astype(int), columns["weight"])
        np.testing.assert_allclose(shares, states.populations, rtol=1e-6)  # float32


def test_files_without_weights_of_items_still_sum_to_the_populations(states):
    found = points_of(replace(states, item_weight=None))
    np.testing.assert_allclose(np.bincount(found.group, found.weight), states.populations, rtol=1e-12)
    assert "within a state all count alike" in found.said and not points_of(states).said


def explorer_data(result, shown):
    from infoscope.report.explorer import _data

    return _data(answer_of(result, saved_as="s.npz"), points_of(result), shown, 1)


def test_many_points_are_said_to_be_thinned(states, monkeypatch, tmp_path):
    monkeypatch.setattr("infoscope.report.points.thinned.__defaults__", (50,))
    text = read(states.to_html(tmp_path / "page.html")).text
    assert "Of 120 items 50 are drawn" in text


def test_where_points_are_from(states):
    files = (SourceFile("a.xtc", "frame"), SourceFile("b.xtc", "frame"))
    time = np.datetime64("2024-01-01", "ns") + np.arange(120) * np.timedelta64(1, "D")
    origin = Origin(np.arange(120) * 10, files, np.arange(120) % 2, time=time)
    found = replace(states, origin=origin)
    data = explorer_data(found, points_of(found))
    columns = unpacked(data["text"], data["parts"])
    assert (
        data["kind"] == "frame" and data["files"] == ["a.xtc", "b.xtc"] and data["suffix"] == ".pdb" and data["dated"]
    )
    assert columns["row"].tolist() == origin.row.tolist() and columns["file"].tolist() == origin.file.tolist()
    assert columns["time"][1] - columns["time"][0] == 86_400_000
    assert data["extract"] == "infoscope extract s.npz"
    assert explorer_data(states, points_of(states))["extract"] == ""  # from an array in memory


def test_results_without_points_have_no_explorer():
    x = np.random.default_rng(0).normal(size=(40, 2))
    assert explorer_of(answer_of(infoscope.information_imbalance(x, x[:, :1])), 1) == ("", "")


def test_nothing_flagged(tmp_path):
    x = np.random.default_rng(0).normal(size=(80, 2))
    found = infoscope.DensityAnomaly().fit(x[:40], x[40:]).result_
    assert not found.flagged_items().size
    data = explorer_data(found, points_of(found))
    counts = {group["name"]: group["count"] for group in data["groups"]}
    assert counts == {"flagged, in no region": 0, "reference": 40, "test": 40}
    assert found.verdict in read(write_page(found, tmp_path / "page.html")).text


def test_the_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "bokeh", None)
    with pytest.raises(MissingExtraError, match=r"infoscope\[report\]"):
        check_page_path("page.html")
