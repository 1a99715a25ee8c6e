"""The KD-tree and the sorted line give what the tiles give, bit for bit, and step aside where they do not apply."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tests.neighbors import brute

from infoscope.neighbors import Space, count_closer, count_within, nearest, shortcuts


@pytest.fixture
def used(monkeypatch):
    """Small data take the tree, too; remembers which shortcut gave an answer ("tree", "line") and which declined."""
    monkeypatch.setattr(shortcuts, "TREE_ITEMS", 10)
    seen = []

    def watched(inner, label):
        def spy(*args, **options):
            out = inner(*args, **options)
            seen.append(label if out is not None else f"no {label}")
            return out

        return spy

    monkeypatch.setattr(shortcuts, "nearest_by_tree", watched(shortcuts.nearest_by_tree, "tree"))
    monkeypatch.setattr(shortcuts, "count_on_line", watched(shortcuts.count_on_line, "line"))
    return seen


@pytest.fixture
def tiles_only():
    """Call a verb with both shortcuts switched off."""

    def call(verb, *args, **options):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(shortcuts, "nearest_by_tree", lambda *a, **o: None)
            patch.setattr(shortcuts, "count_on_line", lambda *a, **o: None)
            return verb(*args, **options)

    return call


def same_graph(a, b):
    for field in ("rows", "indptr", "items", "squared", "admissible"):
        np.testing.assert_array_equal(getattr(a, field), getattr(b, field))


DATA = {
    "normal": lambda rng, d: rng.normal(size=(400, d)),
    "float32": lambda rng, d: rng.normal(size=(400, d)).astype(np.float32),
    "offset": lambda rng, d: rng.normal(size=(400, d)) + 1e6,
    "clusters": lambda rng, d: brute.hard_data("clusters", 400, d, np.float64),
    "outlier": lambda rng, d: brute.hard_data("outlier", 400, d, np.float64),
    "some duplicates": lambda rng, d: rng.normal(size=(310, d))[np.minimum(rng.permutation(400), 309)],
    "grid and noise": lambda rng, d: np.vstack([rng.normal(size=(350, d)) * 9, rng.integers(0, 2, (50, d))]),
    "angles": lambda rng, d: rng.uniform(-400, 800, (400, d)).round(1),
}


# --------------------------------------------------------------------------------------------------------- the KD-tree
@pytest.mark.parametrize("kind", DATA)
@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "chebyshev"])
@pytest.mark.parametrize("d", [1, 3, 6])
def test_the_tree_gives_the_neighbours_of_the_tiles(used, tiles_only, kind, metric, d):
    rng = np.random.default_rng(d)
    x = DATA[kind](rng, d)
    period = np.where(np.arange(d) % 2 == 0, 360.0, 0.0) if kind == "angles" else None
    space = Space(x, metric=metric, period=period, feature_weights=rng.uniform(0.3, 3, d), period_check=False)
    for k, ties, queries in (
        (1, "index", None),
        (1, "all", None),
        (7, "all", None),
        (30, "index", None),
        (3, "all", rng.permutation(400)[:50]),
        (2, "all", Space(x[:40] * 1.01, metric=metric)),
    ):
        options = dict(ties=ties, queries=queries)
        same_graph(nearest(space, k, **options), tiles_only(nearest, space, k, **options))
    assert "tree" in used


def test_lattices_and_constants_go_back_to_the_tiles(used, tiles_only):
    grid = np.stack(np.meshgrid(*[np.arange(7.0)] * 3), -1).reshape(-1, 3)
    for x in (grid, np.ones((60, 2)), np.repeat(grid[:30], 5, axis=0)):
        for ties in ("index", "all"):
            same_graph(nearest(x, 3, ties=ties), tiles_only(nearest, x, 3, ties=ties))
    assert "no tree" in used


def test_wrapped_coordinates_that_round_to_the_edge_of_the_box(used, tiles_only):
    rng = np.random.default_rng(0)
    for period in (1.0, 0.1, 2 * np.pi, 360.0, 1 / 3):
        edges = np.array(
            [
                0.0,
                -1e-300,
                1e-300,
                -1e-20,
                np.nextafter(period, 0),
                period,
                np.nextafter(period, 9e9),
                -period,
                7 * period,
                np.nextafter(-period, 0),
                period / 2,
                -period / 2,
            ]
        )
        x = np.concatenate([edges, rng.uniform(-3 * period, 3 * period, 300)])[:, None]
        x = np.hstack([x, rng.normal(size=(len(x), 1))])
        for weight in (1.0, 0.3, 1 / 3, 0.7, np.pi, 1e-9):
            space = Space(x, period=[period, 0], feature_weights=[weight, weight], period_check=False)
            same_graph(nearest(space, 3, ties="all"), tiles_only(nearest, space, 3, ties="all"))
    assert "tree" in used


def test_the_tree_is_asked_only_where_it_applies(used):
    x = np.random.default_rng(0).normal(size=(200, 3))
    space = Space(x, time=np.arange(200.0), run=np.arange(200) // 100, sample_weight=np.arange(200) % 7)
    for options in ({"exclusion_window": 3.0}, {"neighbors_from": "other_runs"}, {"columns": np.arange(100)}, {}):
        nearest(space, 2, **options)  # the last has weights of zero
    nearest(Space(x, metric="cosine"), 2)
    nearest(Space(x, feature_weights=[1, 0, 1]), 2)
    nearest(np.random.default_rng(0).normal(size=(200, 7)), 2)
    nearest(x * 1e130, 2)
    nearest(x, 199)
    assert used == ["no tree"] * len(used) and len(used) == 9
    nearest(x, 2)
    assert used[-1] == "tree"


# numbers and their neighbours, far enough from 0 for their squares
numbers = st.one_of(
    st.floats(-8, 8).filter(lambda v: v == 0 or abs(v) > 1e-100),
    st.sampled_from([0.0, 1.0, -1.0, 2.0, 1 + 2.0**-52, 1 + 2.0**-41, -0.75, 0.75, 1e-12]),
)


@given(
    x=hnp.arrays(np.float64, st.tuples(st.integers(12, 30), st.integers(1, 3)), elements=numbers),
    periodic=st.booleans(),
    k=st.integers(1, 5),
    ties=st.sampled_from(["index", "all"]),
)
@settings(max_examples=100)
def test_the_tree_on_any_numbers(x, periodic, k, ties):
    space = Space(x, period=1.5 if periodic else None, period_check=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shortcuts, "TREE_ITEMS", 2)
        found = nearest(space, k, ties=ties)
        patch.setattr(shortcuts, "nearest_by_tree", lambda *a, **o: None)
        same_graph(found, nearest(space, k, ties=ties))


# ----------------------------------------------------------------------------------------------------- the sorted line
def line_values(kind, rng):
    if kind == "angles":
        return rng.uniform(-900, 900, (300, 1)).round(1)
    if kind == "integers":
        return rng.integers(0, 12, (300, 1)).astype(float)
    return DATA[kind](rng, 1)[:300]


@pytest.mark.parametrize("kind", ["normal", "float32", "offset", "clusters", "some duplicates", "angles", "integers"])
@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "chebyshev"])
@pytest.mark.parametrize("rule", [{}, {"exclusion_window": 12.0}, {"neighbors_from": "other_runs"}, {"columns": True}])
def test_the_line_gives_the_counts_of_the_tiles(used, tiles_only, kind, metric, rule):
    rng = np.random.default_rng(3)
    x = line_values(kind, rng)
    weight = rng.integers(0, 4, 300).astype(float)
    run = np.sort(rng.integers(0, 12, 300))  # short runs: little is forbidden, so the line applies
    space = Space(
        x,
        metric=metric,
        period=360.0 if kind == "angles" else None,
        feature_weights=[0.7],
        period_check=False,
        time=rng.permutation(300),
        run=run,
        sample_weight=weight,
    )
    if "columns" in rule:
        rule = {"columns": rng.permutation(300)[:170]}
    for queries in (None, rng.permutation(300)[:80], Space(x[:100] + 0.25, metric=metric)):
        n_rows = 300 if queries is None else len(queries)
        graph = nearest(space, 3, queries=queries, **rule)
        ends = rng.integers(0, 5, n_rows)
        indptr = np.concatenate([[0], np.cumsum(ends)])
        some = rng.integers(0, 300, (2, indptr[-1]))
        radii = space.squared_distances(*some)
        radii[::7] = 0.0
        radii[3::11] = 1e9
        for where, r in ((graph.indptr, graph.squared), (indptr, radii)):
            for weighted in (False, True):
                options = dict(queries=queries, weighted=weighted, **rule)
                for a, b in zip(
                    count_within(space, where, r, **options),
                    tiles_only(count_within, space, where, r, **options),
                    strict=True,
                ):
                    np.testing.assert_array_equal(a, b)  # these weights are integers: exact
                    assert a.dtype == b.dtype
    assert "line" in used


def test_fractional_masses_on_the_line(used, tiles_only):
    rng = np.random.default_rng(5)
    weight = np.exp(4 * rng.normal(size=500))
    for x, period in ((rng.normal(size=(500, 1)), None), (rng.random((500, 1)), 1.0)):
        space = Space(x, period=period, sample_weight=weight)
        graph = nearest(rng.normal(size=(500, 2)), 5, exclusion_window=3.0)  # of other data: near and far in x
        options = dict(weighted=True, exclusion_window=3.0)
        for a, b in zip(
            count_closer(space, graph, **options), tiles_only(count_closer, space, graph, **options), strict=True
        ):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=500 * 2.0**-106 * weight.sum())
    assert "line" in used


def test_half_a_period_is_the_largest_distance(used, tiles_only):
    x = np.concatenate([[0.0, 0.5, 0.25, 0.75, 1.5, -0.5, 1e6, 0.1], np.arange(72) / 8])[:, None]
    space = Space(x, period=1.0, period_check=False)
    radii = np.tile([0.25, 0.25 * (1 - 2e-12), 0.25 * (1 + 1e-9), 0.0625, 0.0, 4.0, 1e20], 80)
    mine = count_within(space, 7 * np.arange(81), radii)
    assert used == ["line"]
    theirs = tiles_only(count_within, space, 7 * np.arange(81), radii)
    brutes = brute.counts(brute.squared_distances(x, period=1.0), brute.self_excluded(80), radii.reshape(80, 7))
    for a, b, c in zip(mine, theirs, brutes, strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a, c)


def test_the_line_steps_aside(used, tiles_only):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(100, 1))
    few_runs = Space(x, run=np.arange(100) % 2)  # half of all pairs are forbidden: tiles are cheaper
    for space, rule in (
        (few_runs, {"neighbors_from": "other_runs"}),
        (Space(x * 1e130), {}),
        (Space(np.zeros((50, 1))), {}),
        (Space(rng.normal(size=(50, 2))), {}),
        (Space(x, metric="hamming"), {}),
    ):
        n = len(space)
        radii = space.squared_distances(np.arange(n), np.arange(n)[::-1])
        for a, b in zip(
            count_within(space, np.arange(n + 1), radii, **rule),
            tiles_only(count_within, space, np.arange(n + 1), radii, **rule),
            strict=True,
        ):
            np.testing.assert_array_equal(a, b)
    assert used == ["no line"] * 5


@given(
    x=hnp.arrays(np.float64, st.integers(2, 20), elements=numbers),
    period=st.sampled_from([None, 1.5, 2.0, 0.1, 40.0]),
    weight=st.sampled_from([1.0, 0.3, 7.0]),
    data=st.data(),
)
@settings(max_examples=150)
def test_the_line_on_any_numbers(x, period, weight, data):
    n = len(x)
    space = Space(x[:, None], period=period, feature_weights=[weight], period_check=False)
    others = data.draw(hnp.arrays(np.int64, 3 * n, elements=st.integers(0, n - 1)))
    radii = space.squared_distances(np.repeat(np.arange(n), 3), others)
    radii[::3] *= data.draw(st.sampled_from([1.0, 1 + 2.0**-52, 1 - 1e-12, 1 + 1e-12, 1 + 2e-12, 1e6]))
    found = count_within(space, 3 * np.arange(n + 1), radii)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shortcuts, "count_on_line", lambda *a, **o: None)
        for a, b in zip(found, count_within(space, 3 * np.arange(n + 1), radii), strict=True):
            np.testing.assert_array_equal(a, b)
