"""The verbs: every metric, ties, weights, streams; nothing depends on tiles, threads or the order of rows."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from tests.neighbors import brute

from infoscope.base import DataError, InfoscopeError, ParameterError
from infoscope.neighbors import (
    NeighborGraph,
    Space,
    backend_numpy,
    count_closer,
    count_within,
    distance_histogram,
    nearest,
    nearest_blocks,
    reductions,
    verbs,
)


def pairs_of(n):
    return tuple(v.ravel() for v in np.indices((n, n)))


# ------------------------------------------------------------------------------------------------------------- metrics
@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "chebyshev", "cosine", "hamming"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("d", [1, 2, 5, 8, 9, 19])
def test_metrics_against_scipy(metric, weighted, dtype, d):
    rng = np.random.default_rng(d)
    x = rng.integers(-2, 3, (60, d)).astype(dtype) if metric == "hamming" else rng.normal(size=(60, d)).astype(dtype)
    w = rng.uniform(0.5, 2, d) if weighted else np.ones(d)
    space = Space(x, metric=metric, feature_weights=w if weighted else None)
    x = x.astype(np.float64)
    if metric == "hamming":
        expected = ((x[:, None] != x) * w).sum(-1)
    else:
        expected = cdist(x * w, x * w, "cityblock" if metric == "manhattan" else metric)
    i, j = pairs_of(60)
    found = space.pair_distances(i, j).reshape(60, 60)
    # 1 - cos of unit vectors has absolute errors of a few units of 1e-16; the others are sums of positive terms
    rounded = metric == "cosine" and dtype == np.float32  # directions are kept in single precision, see `Space`
    u = 2.0**-24 if rounded else 0.0
    bound = 2 * u * np.sqrt(2 * np.abs(expected)) + 2 * u**2 + 2e-15 if metric == "cosine" else 1e-12 * expected
    assert (np.abs(found - expected) <= bound).all()
    chords = 2 * found if metric == "cosine" else found**2
    np.testing.assert_allclose(space.squared_distances(i, j), chords.ravel(), rtol=1e-14)
    held = dict(metric="euclidean", weights=np.ones(d)) if rounded else dict(metric=metric, weights=w)
    squared = brute.squared_distances(space.features.astype(np.float64) if rounded else x, **held)
    mask = brute.self_excluded(60)
    if metric != "cosine" or d > 1:  # one feature has two directions: ties up to rounding
        graph = nearest(space, 4)
        np.testing.assert_array_equal(graph.items.reshape(60, 4), brute.nearest(squared.astype(np.float64), mask, 4))
        radii = [squared[r, graph.items[4 * r : 4 * r + 4]] for r in range(60)]
        for a, b in zip(count_closer(space, graph), brute.counts(squared, mask, radii), strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "chebyshev"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_periodic_beside_other_features(metric, dtype):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(90, 11)) * 3
    period = np.zeros(11)
    period[[0, 3, 8, 10]] = [1.0, 2.5, 7.0, 360.0]
    x[:, 0] *= 100  # far outside [0, P): no wrapping needed
    x[:, 10] = rng.uniform(-180, 180, 90)
    x = x.astype(dtype)
    w = rng.uniform(0.1, 2, 11)
    space = Space(x, metric=metric, period=period, feature_weights=w)
    squared = brute.squared_distances(x, metric=metric, period=period, weights=w)
    i, j = pairs_of(90)
    np.testing.assert_allclose(space.squared_distances(i, j), squared.astype(float).ravel(), rtol=1e-9, atol=1e-24)
    mask = brute.self_excluded(90)
    np.testing.assert_array_equal(nearest(space, 7).items.reshape(90, 7), brute.nearest(squared, mask, 7))
    by_name = Space(
        x,
        metric=metric,
        period={"d": 2.5, "a": 1, "k": 360, "i": 7.0},
        feature_weights=w,
        feature_names=list("abcdefghijk"),
    )
    np.testing.assert_array_equal(nearest(by_name, 7).items, nearest(space, 7).items)


def test_minimum_image_by_hand():
    space = Space(np.array([[0.1, 5.0], [0.9, 5.0], [12.35, 5.0]]), period=[1, 0])
    np.testing.assert_allclose(space.pair_distances([0, 0, 1], [1, 2, 2]), [0.2, 0.25, 0.45])
    np.testing.assert_allclose(space.displacements([0, 0, 1], [1, 2, 2]), [[-0.2, 0], [0.25, 0], [0.45, 0]], atol=1e-15)
    for metric in ("manhattan", "chebyshev"):
        both = Space(np.array([[0.1, 5.0], [0.9, 7.0]]), metric=metric, period=[1, 0])
        assert both.pair_distances([0], [1])[0] == pytest.approx(2.2 if metric == "manhattan" else 2.0)


def test_cosine_does_not_see_the_length():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 6))
    lengths = 10.0 ** rng.uniform(-150, 150, (80, 1))
    np.testing.assert_array_equal(
        nearest(Space(x, metric="cosine"), 5).items, nearest(Space(x * lengths, metric="cosine"), 5).items
    )


@pytest.mark.parametrize("n_bits", [1, 7, 8, 63, 64, 65, 200])
def test_bits_are_a_hamming_distance(n_bits):
    rng = np.random.default_rng(n_bits)
    bits = rng.random((70, n_bits)) < 0.3
    packed = np.packbits(bits, axis=1)
    packed[:, -1] |= (0xFF >> (n_bits % 8 or 8)) & rng.integers(0, 256, 70).astype(np.uint8)  # padding must not count
    space, plain = Space.from_bits(packed, n_bits=n_bits), Space(bits, metric="hamming")
    i, j = pairs_of(70)
    np.testing.assert_array_equal(space.pair_distances(i, j), cdist(bits, bits, "hamming").ravel() * n_bits)
    np.testing.assert_array_equal(space.squared_distances(i, j), plain.squared_distances(i, j))
    for ties in ("index", "all"):
        a, b = nearest(space, 3, ties=ties), nearest(plain, 3, ties=ties)
        np.testing.assert_array_equal(a.items, b.items)
    apart = (bits[:, None] != bits).sum(-1)[~np.eye(70, dtype=bool)]
    np.testing.assert_array_equal(distance_histogram(space), np.bincount(apart, minlength=n_bits + 1))


def test_words_of_bits():
    words = np.random.default_rng(0).integers(0, 2**64, (40, 3), dtype=np.uint64)
    expected = np.bitwise_xor(words[:, None], words)
    expected = np.array([bin(int(v)).count("1") for v in expected.ravel()]).reshape(40, 40, 3).sum(-1)
    i, j = pairs_of(40)
    np.testing.assert_array_equal(Space.from_bits(words).pair_distances(i, j).reshape(40, 40), expected)


def test_labels_and_distances():
    labels = np.array(["b", "a", "c", "a", "b", "a"])
    space = Space.from_labels(labels)
    i, j = pairs_of(6)
    np.testing.assert_array_equal(space.pair_distances(i, j), (labels[i] != labels[j]).astype(float))
    assert [nearest(space, 1, queries=[r], ties="all").items.tolist() for r in range(6)] == [
        [4],
        [3, 5],
        [0, 1, 3, 4, 5],
        [1, 5],
        [0],
        [1, 3],
    ]
    x = np.random.default_rng(0).normal(size=(50, 4))
    table = cdist(x, x)
    given, computed = Space.from_distances(table), Space(x)
    np.testing.assert_array_equal(nearest(given, 6).items, nearest(computed, 6).items)
    np.testing.assert_array_equal(given.pair_distances(*pairs_of(50)), table.ravel())
    for dtype in (np.float32, np.float64):
        narrow = table.astype(dtype).astype(np.float64)
        narrow = (narrow + narrow.T) / 2
        graph = nearest(Space.from_distances(narrow.astype(dtype)), 5)
        np.testing.assert_array_equal(graph.items.reshape(50, 5), brute.nearest(narrow**2, brute.self_excluded(50), 5))


@pytest.mark.parametrize("d", [1, 2, 7, 8, 9, 24, 25])
@pytest.mark.parametrize(
    ("metric", "periodic"),
    [
        ("euclidean", False),
        ("manhattan", False),
        ("chebyshev", False),
        ("hamming", False),
        ("euclidean", True),
        ("manhattan", True),
        ("chebyshev", True),
    ],
)
def test_direct_tiles_are_the_bits_of_the_measured_pairs(metric, d, periodic):
    rng = np.random.default_rng(d)
    x = rng.normal(size=(33, d)) * 10.0 ** rng.integers(-3, 4, d)
    period = np.where(rng.random(d) < 0.7, rng.uniform(0.5, 3, d), 0) if periodic else None
    space = Space(x, metric=metric, period=period, feature_weights=rng.uniform(0.1, 3, d), period_check=False)
    pairs = reductions.admissible_pairs(reductions.row_items(space, None), reductions.column_items(space, None))
    source = reductions.numpy_source(space, None, pairs, np.float32)
    whole = slice(0, 33)
    if source.direct:
        tile = source.tile(whole, whole, np.empty(33 * 33, source.dtype))
        i, j = np.nonzero(~np.eye(33, dtype=bool))
        np.testing.assert_array_equal(tile.squared[i, j], space.squared_distances(i, j))
        assert not tile.row_band.any() and not tile.column_band.any()
    assert source.direct == (metric != "euclidean" or d < 3 or bool(space.period.any()))


# ------------------------------------------------------------------------------------------------- weights and counting
def test_weighted_counts_against_exact_sums():
    rng = np.random.default_rng(0)
    n = 400
    for d, spread in ((1, 1.0), (1, 6.0), (2, 1.0), (5, 1.0), (5, 6.0)):
        x, weight = rng.normal(size=(n, d)).round(1), np.exp(spread * rng.normal(size=n))
        squared, mask = brute.squared_distances(x), brute.self_excluded(n)
        graph = nearest(rng.normal(size=(n, 2)), 3)  # of other data: near and far in x
        radii = [squared[r, graph.items[3 * r : 3 * r + 3]] for r in range(n)]
        expected = brute.counts(squared, mask, radii, weight)
        for dtype in (np.float64, np.float32):  # float32 weights are summed in float64, too
            space = Space(x, sample_weight=weight.astype(dtype))
            if dtype == np.float32:
                expected = brute.counts(squared, mask, radii, weight.astype(np.float32).astype(np.float64))
            for a, b in zip(count_closer(space, graph, weighted=True), expected, strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-12, atol=n * 2.0**-106 * weight.sum())
                assert a.dtype == np.float64


def test_integer_weights_are_exact_and_equal_repeated_rows():
    rng = np.random.default_rng(1)
    for d in (1, 2, 4):
        x, weight = rng.integers(0, 5, (150, d)).astype(float), rng.integers(1, 5, 150)
        repeated = np.repeat(np.arange(150), weight)
        first = np.searchsorted(repeated, np.arange(150))
        graph = nearest(x, 4)
        radii = Space(x).squared_distances(graph.rows[graph.row_of_pair], graph.items)
        closer, tied = count_within(Space(x, sample_weight=weight), graph.indptr, radii, weighted=True)
        plain = count_within(x[repeated], graph.indptr, radii, queries=first)
        own = (weight - 1)[graph.row_of_pair]  # copies of the row itself lie at distance 0
        np.testing.assert_array_equal(closer, plain[0] - own * (radii > 0))
        np.testing.assert_array_equal(tied, plain[1] - own * (radii == 0))


@pytest.mark.parametrize("many", [0, 10**9])
@pytest.mark.parametrize("d", [2, 6])
def test_both_ways_of_counting_agree(monkeypatch, many, d):
    monkeypatch.setattr(reductions, "MANY", many)
    rng = np.random.default_rng(d)
    for x in (rng.normal(size=(300, d)), rng.integers(0, 4, (300, d)).astype(np.float32)):
        squared, mask = brute.squared_distances(x), brute.self_excluded(300)
        radii = [
            np.concatenate([squared[r, rng.choice(300, rng.integers(40))], [0.0, 1e-300, 1e9][: rng.integers(4)]])
            for r in range(300)
        ]
        indptr = np.concatenate([[0], np.cumsum([len(r) for r in radii])])
        mine = count_within(x, indptr, np.concatenate(radii).astype(float))
        for a, b in zip(mine, brute.counts(squared, mask, [r.astype(float) for r in radii]), strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("many", [0, 10**9])
@pytest.mark.parametrize("d", [1, 2, 3])
def test_radii_far_beyond_the_data(monkeypatch, many, d):
    """A radius that float32 cannot hold holds every item, but not the row itself."""
    monkeypatch.setattr(reductions, "MANY", many)
    x = np.random.default_rng(0).normal(size=(300, d)) * 1e3
    radii = np.array([0.0, 1e30, 3.4e38, 1e39, 1e300, 1e308])
    closer, tied = count_within(x, 6 * np.arange(301), np.tile(radii, 300))
    np.testing.assert_array_equal(closer.reshape(300, 6), np.tile([0, 299, 299, 299, 299, 299], (300, 1)))
    assert not tied.any()


def test_no_radii_and_rows_without_radii():
    x = np.random.default_rng(0).normal(size=(5, 3))
    for part in count_within(x, np.zeros(6, int), np.empty(0)):
        assert part.shape == (0,)
    closer, tied = count_within(x, [0, 0, 0, 2, 2, 2], [0.0, 1e6])
    assert closer.tolist() == [0, 4] and tied.tolist() == [0, 0]


# ----------------------------------------------------------------------------------------------- nothing else matters
def everything(space, **options):
    """What the verbs say about a space, as arrays."""
    graph = nearest(space, 4, ties="all", **options)
    out = [graph.items, graph.squared, graph.indptr, *count_closer(space, graph, **options)]
    out += list(count_closer(space, nearest(space, 20, **options), **options))
    return out, list(count_closer(space, graph, weighted=True, **options))


SPACES = {
    "product": lambda rng: dict(data=rng.normal(size=(420, 6)).astype(np.float32)),
    "clusters": lambda rng: dict(data=brute.hard_data("clusters", 420, 6, np.float64)),
    "lattice": lambda rng: dict(data=rng.integers(0, 3, (420, 4)).astype(float)),
    "periodic": lambda rng: dict(data=rng.random((420, 3)).round(2), period=[1, 1, 0]),
    "manhattan": lambda rng: dict(data=rng.integers(0, 9, (420, 5)).astype(np.float32), metric="manhattan"),
    "line": lambda rng: dict(data=rng.normal(size=(420, 1)).round(2)),
}


@pytest.mark.parametrize("kind", SPACES)
def test_answers_do_not_depend_on_tiles_threads_or_order(monkeypatch, kind):
    rng = np.random.default_rng(7)
    made = SPACES[kind](rng)
    data = made.pop("data")
    items = dict(sample_weight=rng.random(420) + 0.01, time=rng.permutation(420) / 2, run=rng.integers(0, 3, 420))
    space = Space(data, **made, **items)
    rule = dict(exclusion_window=4.0)
    exact, masses = everything(space, **rule)

    def same(others, other_masses):
        for a, b in zip(exact, others, strict=True):
            np.testing.assert_array_equal(a, b)
        for a, b in zip(masses, other_masses, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12)

    for n_jobs in (1, 5):
        same(*everything(space, n_jobs=n_jobs, **rule))
    for tile in ((7, 33), (100, 256), (1, 10**4), (420, 5)):
        monkeypatch.setattr(backend_numpy, "TILE", tile)
        same(*everything(space, **rule))
    monkeypatch.undo()

    order = rng.permutation(420)  # row p of the new space is item order[p]
    moved = Space(data[order], **made, **{name: v[order] for name, v in items.items()})
    graph, original = nearest(moved, 4, ties="all", **rule), nearest(space, 4, ties="all", **rule)
    back = np.argsort(order)
    np.testing.assert_array_equal(np.diff(graph.indptr)[back], np.diff(original.indptr))
    rows = graph.take(back)
    np.testing.assert_array_equal(rows.squared, original.squared)
    by_number = np.lexsort((order[rows.items], rows.squared, rows.row_of_pair))
    np.testing.assert_array_equal(order[rows.items][by_number], original.items)
    ranks = count_closer(moved, rows, **rule)
    for a, b in zip(ranks, exact[3:5], strict=True):
        np.testing.assert_array_equal(a[by_number], b)


def test_inputs_are_never_changed():
    rng = np.random.default_rng(0)
    given = dict(
        data=rng.random((60, 3)) * 9,
        period=np.array([2.0, 0, 0]),
        feature_weights=np.array([1.0, 2, 3]),
        sample_weight=rng.random(60),
        time=np.arange(60.0),
        run=np.arange(60) % 3,
    )
    copies = {name: v.copy() for name, v in given.items()}
    data = given.pop("data")
    space = Space(data, scale="standard", period_check=False, **given)
    graph = nearest(space, 3, exclusion_window=2.0)
    count_closer(space, graph, weighted=True)
    given["data"] = data
    for name, v in given.items():
        np.testing.assert_array_equal(v, copies[name])
        assert v.flags.writeable
    cosine = rng.normal(size=(20, 3))
    kept = cosine.copy()
    nearest(Space(cosine, metric="cosine", feature_weights=[1, 2, 3]), 2)
    np.testing.assert_array_equal(cosine, kept)
    packed = rng.integers(0, 256, (20, 3)).astype(np.uint8)
    kept = packed.copy()
    nearest(Space.from_bits(packed, n_bits=19), 2)
    np.testing.assert_array_equal(packed, kept)
    with pytest.raises(ValueError, match="read-only"):
        space.features[0, 0] = 5


# ----------------------------------------------------------------------------------------------------- graphs and ties
def test_ties_all_on_constant_and_duplicated_data():
    graph = nearest(np.zeros((9, 4)), 2, ties="all")
    assert (np.diff(graph.indptr) == 8).all() and not graph.squared.any()
    closer, tied = count_closer(np.zeros((9, 4)), graph)
    assert not closer.any() and (tied == 8).all()
    x = np.repeat(np.random.default_rng(0).normal(size=(20, 5)), 6, axis=0)
    for k, length in ((1, 5), (5, 5), (6, 11)):
        graph = nearest(x, k, ties="all")
        assert (np.diff(graph.indptr) == length).all()
        np.testing.assert_array_equal(
            graph.items, np.concatenate(brute.nearest(brute.squared_distances(x), brute.self_excluded(120), k, "all"))
        )


def test_ties_that_would_fill_the_memory_are_refused(monkeypatch):
    monkeypatch.setattr(verbs, "MAX_PAIRS", 1000)
    with pytest.raises(DataError, match="1,560 neighbour pairs.*few distinct values.*labels as the target"):
        nearest(np.zeros((40, 3)), 1, ties="all")


@pytest.mark.parametrize("options", [{}, {"ties": "all"}, {"queries": [5, 2, 2, 90]}, {"exclusion_window": 7.0}])
def test_blocks_are_the_same_neighbours_as_a_stream(options):
    x = np.random.default_rng(0).integers(0, 9, (101, 3)).astype(float)
    whole = nearest(x, 4, **options)
    blocks = list(nearest_blocks(x, 4, block_rows=7, **options))
    assert max(len(b) for b in blocks) == min(7, len(whole))
    for field in ("rows", "items", "squared", "admissible"):
        np.testing.assert_array_equal(np.concatenate([getattr(b, field) for b in blocks]), getattr(whole, field))
    new = Space(x[:9] + 0.3)
    streamed = np.concatenate([b.items for b in nearest_blocks(x, 2, block_rows=4, queries=new)])
    np.testing.assert_array_equal(streamed, nearest(x, 2, queries=new).items)


def test_graphs_hold_rows_of_any_length():
    graph = nearest(np.array([[0.0], [1.0], [2.0], [4.0]]), 1, ties="all")
    assert isinstance(graph, NeighborGraph) and len(graph) == 4 and graph.n_pairs == 5
    assert graph.row_of_pair.tolist() == [0, 1, 1, 2, 3] and graph.distances.tolist() == [1, 1, 1, 1, 2]
    part = graph.take([3, 1, 1])
    assert part.rows.tolist() == [3, 1, 1] and part.indptr.tolist() == [0, 1, 3, 5]
    assert part.items.tolist() == [2, 0, 2, 0, 2]
    ranks = count_closer(np.array([[0.0], [5.0], [1.0], [2.0]]), part)
    assert ranks[0].tolist() == [0, 2, 1, 2, 1]


@pytest.mark.parametrize(
    ("k", "error", "message"),
    [
        (0, ParameterError, "k must be at least 1, got 0"),
        (-2, ParameterError, "k must be at least 1, got -2"),
        (True, ParameterError, "k must be a whole number, got True"),
        (1.0, ParameterError, "whole number, got 1.0"),
        ("3", ParameterError, "whole number, got '3'"),
        (None, ParameterError, "whole number, got None"),
        (10, ParameterError, "k=10 neighbours asked for, but item 0 may use only 9 items: lower k"),
    ],
)
def test_bad_k(k, error, message):
    with pytest.raises(error, match=message):
        nearest(np.random.default_rng(0).normal(size=(10, 2)), k)


def test_a_starved_row_is_named_with_its_run():
    x = np.random.default_rng(0).normal(size=(12, 2))
    space = Space(x, run=["cold"] * 9 + ["warm"] * 3)
    assert nearest(space, 3, neighbors_from="other_runs").n_pairs == 36
    with pytest.raises(ParameterError, match=r"k=4 .* item 0 \(run cold\) may use only 3 items: lower k"):
        nearest(space, 4, neighbors_from="other_runs")
    with pytest.raises(ParameterError, match=r"item 11 \(run warm\).* only 0 items: lower k, shorten exclusion_window"):
        nearest(space.take(np.arange(12)), 1, queries=[11], columns=[9, 10, 11], exclusion_window=5)
    again = space.take([10, 11, 2]).replace(sample_weight=[1, 1, 1])
    with pytest.raises(ParameterError, match=r"\(run cold\)|\(run warm\)"):
        nearest(again, 3)
    with pytest.raises(ParameterError, match="item 0 may use only 0 items"):
        nearest([[1.0, 2.0]], 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0, 1], [1.0]), "one entry more than rows"),
        (([0, 1, 2, 1], [1.0]), "indptr must rise"),
        (([1, 1, 1, 1], [1.0]), "indptr"),
        (([0, 1, 1, 1], [-1.0]), "squared radius 0 is -1.0"),
        (([0, 1, 2, 2], [1.0, np.nan]), "squared radius 1 is nan"),
        (([0, 1, 1, 1], [np.inf]), "squared radius 0 is inf"),
        (([0, 1, 1, 1], [1.0, 2.0]), "indptr"),
    ],
)
def test_bad_radii(arguments, message):
    with pytest.raises(ParameterError, match=message):
        count_within(np.eye(3), *arguments)


def test_other_bad_arguments_of_verbs():
    x = np.eye(4)
    for wrong, message in (
        (lambda: nearest(x, 1, ties="some"), "ties is 'some'; it must be 'index' or 'all'"),
        (lambda: count_within(x, [0] * 5, [], weighted=True), "no sample_weight"),
        (lambda: list(nearest_blocks(x, 1, block_rows=0)), "block_rows must be at least 1"),
        (lambda: nearest(x, 1, n_jobs=0), "n_jobs=0"),
        (lambda: Space(x).pair_distances([0, 1], [2]), "i has 2 items and j has 1"),
        (lambda: Space(x).pair_distances([0], [4]), "j holds 4, but the items are numbered 0 to 3"),
        (lambda: Space(x).displacements([-5], [0]), "i holds -5"),
    ):
        with pytest.raises(ParameterError, match=message):
            wrong()
    assert issubclass(ParameterError, InfoscopeError) and issubclass(InfoscopeError, ValueError)
