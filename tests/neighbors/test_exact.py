"""Neighbours and ranks are those of the values given, to the last one: the promise everything else stands on."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tests.neighbors import brute

from infoscope.neighbors import Space, backend_numpy, count_closer, count_within, kernels, nearest, panels, reductions
from infoscope.neighbors.reductions import column_items, numpy_source, row_items


@pytest.fixture(params=["panels", "tiles"])
def both_ways(request, monkeypatch):
    """The test twice: by panels, however few items there are, and by tiles alone."""
    monkeypatch.setattr(panels, "FEWEST_ITEMS", 3)
    monkeypatch.setattr(panels, "SWITCHED_ON", panels.SWITCHED_ON and request.param == "panels")


def check_ranks(x, ks=(1, 5, 30), **options):
    """Neighbours in x, and their ranks in the first half of its columns and in itself, against brute force."""
    n = len(x)
    half = x[:, : x.shape[1] // 2 + 1]
    in_x, in_half, mask = brute.squared_distances(x), brute.squared_distances(half), brute.self_excluded(n)
    for k in ks:
        graph = nearest(x, k, **options)
        expected = brute.nearest(in_x, mask, k)
        np.testing.assert_array_equal(graph.items.reshape(n, k), expected)
        np.testing.assert_array_equal(graph.admissible, n - 1)
        for data, squared in ((half, in_half), (x, in_x)):
            radii = [squared[i, items] for i, items in enumerate(expected)]
            for mine, theirs in zip(count_closer(data, graph), brute.counts(squared, mask, radii), strict=True):
                np.testing.assert_array_equal(mine, theirs)
        measured = np.concatenate([in_x[i, items] for i, items in enumerate(expected)]).astype(float)
        np.testing.assert_allclose(graph.squared, measured, rtol=1.1e-12, atol=0)  # of a group, that of the nearest


KINDS = [
    "normal",
    "offset",
    "outlier",
    "far outlier",
    "clusters",
    "duplicates",
    "lattice",
    "huge",
    "tiny",
    "mixed",
    "half constant",
]


@pytest.mark.usefixtures("both_ways")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("n", "d"), [(350, 3), (260, 50)])
def test_exact_ranks(kind, n, d, dtype):
    check_ranks(brute.hard_data(kind, n, d, dtype))


@pytest.mark.usefixtures("both_ways")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", ["offset", "outlier", "clusters"])
def test_exact_ranks_in_784_columns(kind, dtype):
    check_ranks(brute.hard_data(kind, 120, 784, dtype), ks=(1, 5, 30))


@pytest.mark.usefixtures("both_ways")
@pytest.mark.parametrize("n", [3, 31, 64, 257, 600])
@pytest.mark.parametrize("kind", ["clusters", "duplicates"])
def test_exact_ranks_for_any_number_of_items(kind, n):
    check_ranks(brute.hard_data(kind, n, 7, np.float32), ks=sorted({1, 2, min(30, n - 1), n - 1}))


@pytest.mark.parametrize("kind", ["offset", "clusters", "lattice"])
def test_exact_ranks_in_one_and_two_columns(kind):
    for d in (1, 2):
        check_ranks(brute.hard_data(kind, 200, d, np.float64), ks=(1, 30))


@pytest.mark.parametrize("kind", ["normal", "clusters", "far outlier", "lattice"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_exact_ranks_over_several_tiles(kind, dtype):
    x = brute.hard_data(kind, 5000, 8, dtype)
    rows = np.random.default_rng(0).choice(5000, 300, replace=False)
    squared = brute.squared_distances(x[rows], x, dtype=np.float64)
    mask = rows[:, None] != np.arange(5000)
    for k in (1, 40):
        graph = nearest(x, k, queries=rows)
        expected = brute.nearest(squared, mask, k)
        np.testing.assert_array_equal(graph.items.reshape(-1, k), expected)
        radii = [row[items] for row, items in zip(squared, expected, strict=True)]
        for mine, theirs in zip(count_closer(x, graph), brute.counts(squared, mask, radii), strict=True):
            np.testing.assert_array_equal(mine, theirs)


@pytest.mark.usefixtures("both_ways")
def test_bytes_and_integers_are_ranked_by_their_values():
    rng = np.random.default_rng(3)
    pixels = rng.integers(0, 17, (300, 64)).astype(np.uint8)  # a difference of bytes would wrap around
    check_ranks(pixels, ks=(1, 5))
    check_ranks(rng.integers(-3, 4, (200, 5)).astype(np.int16), ks=(1, 5))
    check_ranks(rng.integers(0, 2, (150, 9)).astype(bool), ks=(1, 5))
    check_ranks(rng.normal(size=(150, 4)).astype(np.float16), ks=(1, 5))


def test_any_memory_layout_and_byte_order():
    x = brute.hard_data("offset", 120, 12, np.float64)
    expected = nearest(x, 3).items
    for same in (np.asfortranarray(x), np.repeat(x, 2, axis=1)[:, ::2], x[::-1][::-1], x.astype(">f8"), x.tolist()):
        np.testing.assert_array_equal(nearest(same, 3).items, expected)


@pytest.mark.parametrize("d", [7, 8, 16, 29, 64, 129])
@pytest.mark.parametrize("kinds", [(np.float32, np.float32), (np.float64, np.float64), (np.float32, np.float64)])
def test_distances_are_summed_in_eight_lanes_to_the_last_bit(d, kinds):
    rng = np.random.default_rng(d)
    x, y = (rng.normal(size=(50, d)).astype(kind) for kind in kinds)
    weights = rng.random(d)
    i, j = rng.integers(0, 50, (2, 400))
    terms = ((x[i].astype(float) - y[j].astype(float)) * weights) ** 2
    lanes = [np.zeros(400) for _ in range(8)]
    for a in range(d):
        lanes[a % 8] = lanes[a % 8] + terms[:, a]
    expected = ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]))
    for left, right in ((x, y), (np.asfortranarray(x), y), (np.repeat(x, 2, axis=1)[:, ::2], np.asfortranarray(y))):
        found = kernels.pair_squares(left, i, right, j, weights, np.empty(0), kernels.EUCLIDEAN)
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("offset", [0.0, 0.2, 3.0])
def test_single_precision_around_zero_is_not_copied(offset):
    x = np.random.default_rng(6).normal(size=(300, 20)).astype(np.float32) + np.float32(offset)
    x[7] *= 1e4  # one outlier decides nothing
    space, rows = Space(x), np.arange(50, 250)
    pairs = reductions.admissible_pairs(row_items(space, None), column_items(space, None))
    tiles = numpy_source(space, None, pairs, np.float32)
    assert (tiles.y is space.features) == (offset < 1)
    check_ranks(x, ks=(1, 5))
    np.testing.assert_array_equal(nearest(x, 3, queries=rows).items, nearest(x, 3).items.reshape(300, 3)[rows].ravel())


def test_items_at_the_radii_are_not_measured_again(monkeypatch):
    """The twenty radii of a row are distances of items; what is measured beside them are pairs that nearly tie."""
    monkeypatch.setattr(panels, "SWITCHED_ON", False)
    x = np.random.default_rng(4).normal(size=(300, 40)).astype(np.float32)
    graph, measured = nearest(x, 20), []
    count = kernels.count_many
    monkeypatch.setattr(kernels, "count_many", lambda *given: measured.append(count(*given)) or measured[-1])
    known = count_closer(x, graph)
    assert sum(measured) < graph.n_pairs / 50
    radii = Space(x).squared_distances(graph.rows[graph.row_of_pair], graph.items)
    for mine, theirs in zip(known, count_within(x, graph.indptr, radii), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert sum(measured) > graph.n_pairs / 2  # where the items are not known they are measured


@pytest.mark.usefixtures("both_ways")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_scales_at_the_ends_of_the_type(dtype):
    x = np.random.default_rng(5).normal(size=(120, 6))
    for scale in (1e37, 1e-37) if dtype == np.float32 else (1e140, 1e-140):
        check_ranks((x * scale).astype(dtype), ks=(1, 5))
    x[:] = np.abs(x)  # the mean of two of these overflows in float32
    if dtype == np.float32:
        check_ranks((x / x.max() * 3.4e38).astype(dtype), ks=(1,))


@pytest.mark.usefixtures("both_ways")
def test_weighted_features_are_ranked_by_their_weighted_differences():
    x = brute.hard_data("offset", 200, 9, np.float32)
    weights = 10.0 ** np.random.default_rng(2).integers(-5, 6, 9)
    weights[4] = 0
    squared, mask = brute.squared_distances(x, weights=weights), brute.self_excluded(len(x))
    graph = nearest(Space(x, feature_weights=weights), 4)
    np.testing.assert_array_equal(graph.items.reshape(-1, 4), brute.nearest(squared, mask, 4))


# ------------------------------------------------------------------------------------------------------------ near ties
def near_tie_data(dtype, d, exponent=0, offset=0.0):
    """From the first item: distances squared 1, 1 + 2^-40 (9.1e-13: tied with 1) and 1 + 2^-39 (1.8e-12: not)."""
    step = 2.0**-20  # its square is 2^-40
    rng = np.random.default_rng(1)
    x = np.vstack([np.zeros(d), np.eye(d)[0], np.eye(d)[0], np.eye(d)[0], 3 + rng.random((400, d))])
    x[2, 1] = step
    x[3, 1:3] = step
    return (x * 2.0**exponent + offset).astype(dtype)


@pytest.mark.parametrize("many", [False, True])
@pytest.mark.parametrize(
    ("dtype", "d", "exponent", "offset"),
    [
        (np.float32, 3, 0, 0.0),
        (np.float32, 20, 30, 0.0),
        (np.float64, 3, 0, 1.0),
        (np.float64, 20, -9, 8.0),
        (np.float64, 3, 60, 0.0),
        (np.float32, 8, -60, 0.0),
    ],
)
def test_ties_are_within_1e_12_of_the_squared_radius(monkeypatch, many, dtype, d, exponent, offset):
    monkeypatch.setattr(reductions, "MANY", 0 if many else 10**9)
    x = near_tie_data(dtype, d, exponent, offset)
    unit = 4.0**exponent
    radii = np.array([1, 1 + 2.0**-40, 1 + 2.0**-39]) * unit
    np.testing.assert_array_equal(Space(x).squared_distances([0, 0, 0], [1, 2, 3]), radii)
    closer, tied = count_within(x, [0, 3], radii, queries=[0])
    # 1 ties with 1 + 2^-40; 1 + 2^-40 ties with both others; 1 + 2^-39 ties with 1 + 2^-40 only
    np.testing.assert_array_equal(closer, [0, 0, 1])
    np.testing.assert_array_equal(tied, [2, 3, 2])
    assert nearest(x, 1, ties="all", queries=[0]).items.tolist() == [1, 2]
    assert nearest(x, 2, ties="all", queries=[0]).items.tolist() == [1, 2]  # a group is measured from its nearest
    assert nearest(x, 3, ties="all", queries=[0]).items.tolist() == [1, 2, 3]
    assert nearest(x, 2, queries=[0]).items.tolist() == [1, 2]


def test_near_ties_on_a_line():
    x = np.concatenate([[0.0, 1.0, 1 + 2.0**-41, 1 + 2.0**-40], np.linspace(5, 9, 50)])[:, None]
    closer, tied = count_within(x, [0, 3], x[1:4, 0] ** 2, queries=[0])
    np.testing.assert_array_equal(closer, [0, 0, 1])
    np.testing.assert_array_equal(tied, [2, 3, 2])


@pytest.mark.usefixtures("both_ways")
def test_mean_ranks_add_up_on_lattices():
    """The mean ranks of a row are 1 ... M shared out: their sum is M (M + 1) / 2, whatever the ties."""
    grid = np.stack(np.meshgrid(*[np.arange(5.0)] * 3), -1).reshape(-1, 3)
    n = len(grid)
    for x in (grid, grid.astype(np.float32) * 0.5 + 100, grid[:, :1], np.zeros((30, 3))):
        n = len(x)
        closer, tied = count_closer(x, nearest(x, n - 1))
        ranks = closer + (tied + 1) / 2
        np.testing.assert_array_equal(ranks.reshape(n, n - 1).sum(1), n * (n - 1) / 2)


# ------------------------------------------------------------------------------------------------------- the error band
def check_band(space, precision):
    """No tile is farther from the measured value than its band says; direct tiles are the measured value."""
    pairs = reductions.admissible_pairs(row_items(space, None), column_items(space, None))
    source = numpy_source(space, None, pairs, precision)
    n = len(space)
    whole = slice(0, n)
    tile = source.tile(whole, whole, np.empty(n * n, source.dtype))
    i, j = np.nonzero(~np.eye(n, dtype=bool))
    measured, made = space.squared_distances(i, j), tile.squared[i, j].astype(np.float64)
    np.testing.assert_array_equal(measured, tile.measure(i, j))
    assert (np.diagonal(tile.squared) == np.inf).all()
    band = tile.row_band[i].astype(np.float64) + tile.column_band[j]
    assert np.isfinite(made).all()
    assert (np.abs(made - measured) <= band).all()
    assert (tile.lower_bounds()[i, j] <= measured).all()
    if source.direct:
        np.testing.assert_array_equal(made, measured)
    return source


KINDS_OF_ROWS = st.sampled_from(
    ["normal", "offset", "outlier", "clusters", "mixed", "huge", "tiny", "lattice", "signs"]
)


@given(
    kind=KINDS_OF_ROWS,
    n=st.integers(2, 40),
    d=st.sampled_from([3, 4, 7, 8, 9, 16, 50, 131, 784]),
    dtype=st.sampled_from([np.float32, np.float64]),
    precision=st.sampled_from([np.float32, np.float64]),
    weighted=st.booleans(),
    seed=st.integers(0, 2**31),
)
@settings(max_examples=120)
def test_the_band_holds_for_hard_data(kind, n, d, dtype, precision, weighted, seed):
    rng = np.random.default_rng(seed)
    if kind == "signs":  # equal magnitudes: all rounding in one direction
        x = (rng.choice([-1.0, 1.0], (n, d)) * (1 + rng.random())).astype(dtype)
        x[: n // 2] = np.abs(x[: n // 2])
    else:
        x = brute.hard_data(kind, max(n, 4), d, dtype, seed)
    weights = 10.0 ** rng.uniform(-4, 4, d) if weighted else None
    check_band(Space(x, feature_weights=weights), precision)


@given(
    data=st.data(),
    precision=st.sampled_from([np.float32, np.float64]),
    dtype=st.sampled_from([np.float32, np.float64]),
    d=st.integers(1, 12),
)
@settings(max_examples=120)
def test_the_band_holds_for_any_numbers(data, precision, dtype, d):
    size = 2.0**100
    elements = st.floats(-size, size, width=np.dtype(dtype).itemsize * 8, allow_subnormal=True)
    x = data.draw(hnp.arrays(dtype, st.tuples(st.integers(2, 8), st.just(d)), elements=elements))
    if np.abs(x).max() > 1e-100:  # squares of smaller numbers alone are refused
        check_band(Space(x), precision)


def test_the_band_is_the_stated_one():
    """c = gamma(D + 12, u) + gamma(3 D + 16, 2^-53), and never tightened."""
    for d in (3, 50, 784):
        for dtype, unit in ((np.float32, 2.0**-24), (np.float64, 2.0**-53)):
            expected = (d + 12) * unit / (1 - (d + 12) * unit) + (3 * d + 16) * 2.0**-53 / (1 - (3 * d + 16) * 2.0**-53)
            assert backend_numpy.error_band(d, dtype) == pytest.approx(expected, rel=1e-14)


# -------------------------------------------------------------------------------------------------------- starting over
def passes(monkeypatch):
    """Record the type of the tiles of every pass over row blocks, and how many blocks it has."""
    seen = []
    inner = backend_numpy._map_blocks

    def spy(sources, reduction, blocks, *rest):
        seen.append((sources[0].dtype, len(blocks)))
        return inner(sources, reduction, blocks, *rest)

    monkeypatch.setattr(backend_numpy, "_map_blocks", spy)
    return seen


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_blocks_that_float32_cannot_decide_start_over(monkeypatch, dtype):
    rng = np.random.default_rng(0)
    easy = rng.normal(size=(256, 40))
    hard = rng.normal(size=(2, 40))[rng.integers(0, 2, 256)] + 1e-4 * rng.normal(size=(256, 40))
    x = np.vstack([easy, hard]).astype(dtype)  # the second row block sees 128 near twins per row
    seen = passes(monkeypatch)
    check_ranks(x, ks=(5,))
    assert (np.dtype(np.float32), 2) in seen and (np.dtype(np.float64), 1) in seen


def test_easy_data_stays_in_float32(monkeypatch):
    seen = passes(monkeypatch)
    check_ranks(np.random.default_rng(0).normal(size=(300, 40)), ks=(1, 5))
    assert {dtype for dtype, _ in seen} == {np.dtype(np.float32)}


def test_scales_beyond_float32_start_in_float64(monkeypatch):
    seen = passes(monkeypatch)
    check_ranks(brute.hard_data("huge", 100, 8, np.float64), ks=(1,))
    assert {dtype for dtype, _ in seen} == {np.dtype(np.float64)}


@pytest.mark.parametrize("share", [-1.0, 2.0])  # every block starts over; none ever does
@pytest.mark.parametrize("kind", ["clusters", "offset", "lattice"])
def test_starting_over_changes_nothing(monkeypatch, share, kind):
    monkeypatch.setattr(backend_numpy, "IN_VAIN", share)
    check_ranks(brute.hard_data(kind, 300, 12, np.float32), ks=(1, 20))


COLLECTED = {
    "far from the origin": lambda g: g.normal(size=(700, 20)) + 1e4,
    "ties": lambda g: g.integers(0, 2, size=(700, 12)).astype(float),
    "repeats": lambda g: np.repeat(g.normal(size=(175, 30)), 4, axis=0),
    "two scales": lambda g: np.r_[g.normal(size=(350, 15)) * 1e-4, g.normal(size=(350, 15)) * 1e4 + 1e5],
}


@pytest.mark.parametrize("k", [8, 60, 300])
@pytest.mark.parametrize("name", COLLECTED)
def test_many_neighbours_are_those_of_a_sort(name, k):
    """Candidates are collected by bounds and measured in the end: also where bounds cannot tell them apart."""
    x = COLLECTED[name](np.random.default_rng(0))
    space = Space(x)
    i, j = np.divmod(np.arange(len(x) ** 2), len(x))
    squared = space.pair_distances(i, j).reshape(len(x), len(x)) ** 2
    np.fill_diagonal(squared, np.inf)
    found = nearest(space, k)
    expected = np.sort(squared, axis=1)[:, :k]
    np.testing.assert_allclose(found.squared.reshape(-1, k), expected, rtol=1e-12)
    items = found.items.reshape(-1, k)
    np.testing.assert_allclose(np.take_along_axis(squared, items, 1), expected, rtol=1e-12)
    assert all(len(set(row)) == k for row in items.tolist())
