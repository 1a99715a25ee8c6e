"""Who may be whose neighbour (eq. R1): self, windows, runs, chosen rows and columns, weights of zero."""

import numpy as np
import pytest
from tests.neighbors import brute

from infoscope.base import ParameterError
from infoscope.neighbors import Admissibility, Reduction, Space, count_closer, count_within, nearest, reduce_tiles
from infoscope.neighbors.reductions import admissible_mass


class Admissible(Reduction):
    """The admissible pairs themselves, as a table of columns per row."""

    def start(self, block):
        return []

    def update(self, state, tiles):
        (t,) = tiles
        i, j = np.nonzero(np.isfinite(t.squared))
        state.append((i + t.block.start, t.columns[j]))
        return 0

    def finish(self, states):
        return tuple(np.concatenate(part) for part in zip(*sum(states, []), strict=True))


def mask_of(space, n_rows, **options):
    mask = np.zeros((n_rows, len(space)), bool)
    rows, columns = reduce_tiles([space], Admissible(), **options)
    mask[rows, columns] = True
    assert len(rows) == mask.sum()  # no pair is seen twice
    return mask


def random_items(seed):
    """Items of a few runs in any order, with times in any order and often equal distances from each other."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(8, 70))
    d = int(rng.choice([1, 2, 4]))
    x = rng.integers(0, 6, (n, d)).astype(rng.choice([np.float32, np.float64]))
    run = rng.choice([3, 7, 100, -2], n) if rng.random() < 0.7 else None
    # quarters, far apart from each other or not: differences are exact, windows are met exactly
    time = rng.permutation(4 * n)[:n] / 4 - 5 if rng.random() < 0.7 else None
    weight = rng.integers(0, 3, n).astype(float) if rng.random() < 0.5 else None
    if weight is not None:
        weight[rng.integers(n)] = 1
    space = Space(
        x, run=run, time=time, sample_weight=weight, period=4.0 if rng.random() < 0.3 else None, period_check=False
    )
    other_runs = run is not None and len(np.unique(run)) > 1 and rng.random() < 0.3
    window = 0.0 if other_runs or rng.random() < 0.3 else float(rng.integers(1, 24)) / 4
    queries = rng.permutation(n)[: rng.integers(1, n)] if rng.random() < 0.5 else None
    columns = rng.permutation(n)[: rng.integers(1, n)] if rng.random() < 0.5 else None
    rule = dict(exclusion_window=window, neighbors_from="other_runs" if other_runs else "any", columns=columns)
    mask = brute.allowed(
        n,
        run=run,
        time=time,
        window=window,
        other_runs=other_runs,
        sample_weight=weight,
        queries=queries,
        columns=columns,
    )
    return rng, space, queries, rule, mask


@pytest.mark.parametrize("seed", range(60))
def test_rules_of_admissibility_pair_by_pair(seed):
    rng, space, queries, rule, mask = random_items(seed)
    n, rows = len(space), np.arange(len(space)) if queries is None else queries
    np.testing.assert_array_equal(mask_of(space, len(rows), queries=queries, **rule), mask)
    weight = np.ones(n) if space.sample_weight is None else space.sample_weight
    options = dict(rule)
    m, v, q = admissible_mass(space, queries, options.pop("columns"), Admissibility(**options))
    np.testing.assert_array_equal(m, mask.sum(1))
    np.testing.assert_allclose(v, (mask * weight).sum(1), rtol=1e-14)
    np.testing.assert_allclose(q, (mask * weight**2).sum(1), rtol=1e-14)

    period = 4.0 if space.period.any() else None
    squared = brute.squared_distances(space.features, period=period)[rows]
    radii = [squared[r, rng.choice(n, 3)] for r in range(len(rows))]
    indptr = 3 * np.arange(len(rows) + 1)
    for weighted in (False, True)[: 1 + (space.sample_weight is not None)]:
        mine = count_within(space, indptr, np.concatenate(radii), queries=queries, weighted=weighted, **rule)
        theirs = brute.counts(squared, mask, radii, weight if weighted else None)
        for a, b in zip(mine, theirs, strict=True):
            np.testing.assert_array_equal(a, b)

    most = int(mask.sum(1).min())
    if most == 0:
        with pytest.raises(ParameterError, match="may use only 0 items"):
            nearest(space, 1, queries=queries, **rule)
        return
    for k in {1, most}:  # with k = most, only some rows have a next neighbour
        for ties in ("index", "all"):
            graph = nearest(space, k, queries=queries, ties=ties, **rule)
            np.testing.assert_array_equal(graph.rows, rows)
            np.testing.assert_array_equal(graph.admissible, mask.sum(1))
            expected = brute.nearest(squared, mask, k, ties)
            np.testing.assert_array_equal(np.diff(graph.indptr), [len(items) for items in expected])
            np.testing.assert_array_equal(graph.items, np.concatenate(expected))
            measured = space.squared_distances(graph.rows[graph.row_of_pair], graph.items)
            np.testing.assert_array_equal(graph.squared, measured)


def test_ties_are_complete_where_some_rows_have_no_more_items():
    """Items of the short run have three candidates for k = 2, those of the long run just two."""
    x = np.array([[0.0], [2.0], [4.0], [1.0], [3.0]])
    graph = nearest(Space(x, run=[0, 0, 0, 1, 1]), 2, ties="all", neighbors_from="other_runs")
    assert [graph.items[a:b].tolist() for a, b in zip(graph.indptr, graph.indptr[1:], strict=False)] == [
        [3, 4],
        [3, 4],
        [4, 3],
        [0, 1],
        [1, 2],
    ]
    x = np.array([[0.0], [1.0], [-1.0], [9.0], [0.0], [1.0], [-1.0]])
    graph = nearest(Space(x, run=[0, 1, 1, 1, 2, 0, 0]), 1, ties="all", columns=[0, 1, 2], neighbors_from="other_runs")
    assert graph.items[graph.indptr[4] : graph.indptr[5]].tolist() == [0]
    assert graph.items[graph.indptr[0] : graph.indptr[1]].tolist() == [1, 2]  # while items 1 to 3 have only item 0


@pytest.mark.parametrize(
    ("distance", "inside"), [(1.0, True), (1 + 0.5e-9, True), (1 + 2e-9, False), (1 - 1e-12, True)]
)
def test_the_window_includes_its_edge_with_a_slack_of_1e_9(distance, inside):
    space = Space(np.arange(4.0)[:, None], time=[0.0, distance, 50.0, 60.0])
    mask = mask_of(space, 4, exclusion_window=1.0)
    assert mask[0].tolist() == [False, not inside, True, True]
    assert mask[1].tolist() == [not inside, False, True, True]


def test_windows_of_rounded_times():
    """0.1 + 0.1 + 0.1 is not 0.3: three steps must still be a window of 0.3."""
    time = np.cumsum(np.full(2000, 0.1))
    space = Space(np.random.default_rng(0).normal(size=(2000, 3)), time=time)
    m, _, _ = admissible_mass(space, admissibility=Admissibility(0.3))
    assert m[0] == 1996 and m[-1] == 1996 and (m[3:-3] == 1993).all()


def test_time_counts_inside_each_run_when_it_is_not_given():
    run = np.array(list("abacab"))
    mask = mask_of(Space(np.arange(6.0)[:, None], run=run), 6, exclusion_window=1)
    expected = brute.allowed(6, run=run, time=[0, 0, 1, 0, 2, 1], window=1)
    np.testing.assert_array_equal(mask, expected)


def test_windows_never_reach_across_the_joins_of_a_list_of_runs():
    pieces = [np.random.default_rng(r).normal(size=(n, 3)) for r, n in enumerate((5, 1, 7))]
    space = Space(pieces)
    assert space.run.tolist() == [0] * 5 + [1] + [2] * 7
    mask = mask_of(space, 13, exclusion_window=100)
    np.testing.assert_array_equal(mask, space.run[:, None] != space.run)
    np.testing.assert_array_equal(mask, mask_of(space, 13, neighbors_from="other_runs"))


def test_new_points_are_not_excluded_from_anything():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 3))
    space = Space(x, run=np.arange(40) // 20, time=np.arange(40.0))
    new = Space(x[:25])
    for rule in ({}, {"exclusion_window": 5.0}, {"neighbors_from": "other_runs"}):
        assert mask_of(space, 25, queries=new, **rule).all()
        graph = nearest(space, 1, queries=new, **rule)
        assert graph.items.tolist() == list(range(25)) and not graph.squared.any()
        assert (graph.admissible == 40).all()
    mask = mask_of(space, 25, queries=new, columns=[3, 1])
    assert mask[:, [1, 3]].all() and mask.sum() == 50


def test_zero_weights_equal_removed_rows():
    rng = np.random.default_rng(4)
    x, weight = rng.normal(size=(120, 3)), rng.random(120)
    weight[rng.permutation(120)[:50]] = 0
    kept = np.flatnonzero(weight)
    whole, part = Space(x, sample_weight=weight), Space(x[kept], sample_weight=weight[kept])
    ours, theirs = nearest(whole, 5, queries=kept), nearest(part, 5)
    np.testing.assert_array_equal(ours.items, kept[theirs.items])
    np.testing.assert_array_equal(ours.squared, theirs.squared)
    for a, b in zip(count_closer(whole, ours, weighted=True), count_closer(part, theirs, weighted=True), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-14)


def test_mass_of_a_row_that_outweighs_all_others():
    """V of a heavy row is the sum of the light ones, not a difference of two large numbers."""
    weight = np.full(50, 1e-9)
    weight[20] = 1e9
    _, v, q = admissible_mass(Space(np.arange(50.0)[:, None], sample_weight=weight))
    assert v[20] == pytest.approx(49e-9, rel=1e-13) and q[20] == pytest.approx(49e-18, rel=1e-13)


@pytest.mark.parametrize("weights", ["heavy", "heavy tails"])
@pytest.mark.parametrize("d", [1, 3])
def test_masses_around_heavy_rows_keep_their_digits(d, weights):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, d))
    weight = np.full(300, 1e-9) if weights == "heavy" else np.exp(6 * rng.normal(size=300))
    weight[20] = 1e9
    space = Space(x, sample_weight=weight)
    graph = nearest(np.hstack([x, 3 * rng.normal(size=(300, 2))]), 3)  # near and far in x
    squared, mask = brute.squared_distances(x), brute.self_excluded(300)
    theirs = brute.counts(squared, mask, [squared[i, graph.items[3 * i : 3 * i + 3]] for i in range(300)], weight)
    rounding = 300 * 2.0**-106 * weight.sum()  # of sums kept in two numbers; tiles add without it
    for a, b in zip(count_closer(space, graph, weighted=True), theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=rounding if d == 1 else 0)
        assert (a >= 0).all()


# ------------------------------------------------------------------------------------------------------ bad arguments
@pytest.mark.parametrize(
    "verb",
    [
        lambda s, **o: nearest(s, 1, **o),
        lambda s, **o: count_within(s, [0, 1, 1, 1, 1], [1.0], **o),
        lambda s, **o: reduce_tiles([s], Admissible(), **o),
    ],
)
@pytest.mark.parametrize("d", [1, 3])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"exclusion_window": -1.0}, "exclusion_window is -1.0; it must be a time >= 0"),
        ({"exclusion_window": np.nan}, "exclusion_window is nan"),
        ({"exclusion_window": np.inf}, "exclusion_window is inf"),
        ({"exclusion_window": "auto"}, "exclusion_window is 'auto'"),
        ({"neighbors_from": "own_run"}, "neighbors_from is 'own_run'; it must be 'any' or 'other_runs'"),
        ({"neighbors_from": "other_runs"}, "needs at least two runs.*run="),
        ({"columns": [0, 4]}, "columns holds 4, but the items are numbered 0 to 3"),
        ({"columns": [-1]}, "columns holds -1"),
        ({"columns": [1, 1, 2]}, "columns holds an item twice"),
        ({"columns": np.array([True, False, True, True])}, r"columns must be item numbers.*np.flatnonzero\(mask\)"),
    ],
)
def test_bad_rules_are_refused_by_every_verb(verb, d, options, message):
    space = Space(np.arange(4.0 * d).reshape(4, d))
    with pytest.raises(ParameterError, match=message):
        verb(space, **options)


@pytest.mark.parametrize(
    ("queries", "message"),
    [
        ([0, 9], "queries holds 9, but the items are numbered 0 to 3"),
        ([-1], "holds -1"),
        ([], "queries is empty"),
        (np.ones(4, bool), "np.flatnonzero"),
        (np.zeros((2, 3)), "queries must be item numbers.*new points .* a Space"),
        ([0.0, 1.0], "must be item numbers"),
    ],
)
def test_bad_queries_are_refused(queries, message):
    with pytest.raises(ParameterError, match=message):
        nearest(np.eye(4), 1, queries=queries)
    with pytest.raises(ParameterError, match=message):
        reduce_tiles([Space(np.eye(4))], Admissible(), queries=queries)


def test_new_points_must_be_measured_as_the_items_are():
    with pytest.raises(ParameterError, match="queries have 2 features.*the space has 3"):
        nearest(np.eye(3), 1, queries=Space(np.eye(2)))
    with pytest.raises(ParameterError, match="metric 'cosine'.*measured alike"):
        nearest(np.eye(3), 1, queries=Space(np.eye(3), metric="cosine"))
    with pytest.raises(ParameterError, match="labels of the queries and of the space are not the same set"):
        nearest(Space.from_labels(["a", "b", "c"]), 1, queries=Space.from_labels(["b", "c", "d"]))
    with pytest.raises(ParameterError, match="no rows in a matrix of distances"):
        nearest(Space.from_distances(1 - np.eye(3)), 1, queries=Space.from_distances(1 - np.eye(3)))
