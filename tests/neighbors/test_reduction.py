"""The one loop: a method of one's own is a reduction; spaces go in lockstep; Ctrl-C and errors leave nothing behind."""

import itertools
import signal
import sys
import threading
import time

import numpy as np
import pytest
import threadpoolctl
from tests.neighbors import brute

from infoscope.base import ParameterError, threads
from infoscope.neighbors import (
    Reduction,
    Space,
    backend_numpy,
    count_within,
    distance_histogram,
    nearest,
    order_test,
    reduce_tiles,
)
from infoscope.neighbors.reductions import CountWithin, ItemsWithin, KSmallest
from infoscope.neighbors.tie_groups import cut_rows


class KernelSum(Reduction):
    """sum_j exp(-d^2 / 2) of every row: needs values, not only their order."""

    precision = np.float64

    def start(self, block):
        return np.zeros(block.stop - block.start)

    def update(self, state, tiles):
        (t,) = tiles
        state += np.exp(-t.squared / 2).sum(1)
        return 0

    def merge(self, state, other):
        return state + other

    def finish(self, states):
        return np.concatenate(states)


class Softmax(Reduction):
    """The weighted mean of d^2 with weights softmax(-d^2) over each whole row."""

    precision, whole_rows = np.float64, True

    def start(self, block):
        return []

    def update(self, state, tiles):
        (t,) = tiles
        state.append(t.squared.shape)
        with np.errstate(invalid="ignore"):
            weight = np.exp(t.squared.min(1, keepdims=True) - t.squared)
            state.append(np.where(weight > 0, weight * t.squared, 0).sum(1) / weight.sum(1))
        return 0

    def finish(self, states):
        return states


class Agreement(Reduction):
    """In how many pairs the first space has the smaller distance, decided by measuring."""

    def start(self, block):
        return np.zeros(block.stop - block.start, np.int64)

    def update(self, state, tiles):
        a, b = tiles
        assert a.block == b.block and a.part == b.part
        np.testing.assert_array_equal(a.columns, b.columns)
        i, j = np.nonzero(np.isfinite(a.squared))
        np.testing.assert_array_equal((i, j), np.nonzero(np.isfinite(b.squared)))
        np.add.at(state, i, a.measure(i, j) < b.measure(i, j))
        return 0

    def finish(self, states):
        return np.concatenate(states)


# ------------------------------------------------------------------------------------------------------ values in tiles
@pytest.mark.parametrize("kind", ["normal", "offset", "clusters", "half constant"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_kernel_sums_in_float64(kind, dtype):
    x = brute.hard_data(kind, 500, 6, dtype)
    squared = brute.squared_distances(x).astype(float)
    expected = np.exp(-squared / 2).sum(1) - 1
    # |tile - truth| <= c (|x|^2 + |y|^2) with c = 1e-14 for D = 6; exp passes it on
    np.testing.assert_allclose(reduce_tiles([Space(x)], KernelSum()), expected, rtol=1e-11)
    np.testing.assert_allclose(
        reduce_tiles(Space(x), KernelSum(), queries=[7, 3], columns=np.arange(100)),
        np.exp(-squared[[7, 3]][:, :100] / 2).sum(1) - 1,
        rtol=1e-11,
    )
    new = Space(x[:5] + dtype(1))
    away = brute.squared_distances(new.features, x).astype(float)
    np.testing.assert_allclose(reduce_tiles([Space(x)], KernelSum(), queries=new), np.exp(-away / 2).sum(1), rtol=1e-11)


def test_whole_rows_come_in_one_tile(monkeypatch):
    x = np.random.default_rng(0).normal(size=(5000, 4))
    squared = brute.squared_distances(x[:200], x, dtype=float)
    squared[np.arange(200), np.arange(200)] = np.inf
    weight = np.exp(squared.min(1, keepdims=True) - squared)
    expected = (weight * np.where(np.isinf(squared), 0, squared)).sum(1) / weight.sum(1)
    for limit in (backend_numpy.WHOLE_ROWS_BYTES, 2**20):  # then fewer rows a tile
        monkeypatch.setattr(backend_numpy, "WHOLE_ROWS_BYTES", limit)
        states = reduce_tiles([Space(x)], Softmax(), queries=np.arange(200))
        assert all(len(state) == 2 and state[0][1] == 5000 for state in states)
        assert max(state[0][0] for state in states) <= max(16, limit // (8 * 5000))
        np.testing.assert_allclose(np.concatenate([state[1] for state in states]), expected, rtol=1e-10)


def test_spaces_in_lockstep():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(300, 5)).astype(np.float32)
    y = rng.random((300, 2)) * 3
    a, b = Space(x, run=np.arange(300) % 4), Space(y, period=1.0, metric="manhattan", period_check=False)
    first = brute.squared_distances(x)
    second = brute.squared_distances(y, period=1.0, metric="manhattan")
    found = reduce_tiles([a, b], Agreement())
    np.testing.assert_array_equal(found, (first < second).sum(1))
    other = np.arange(300)[:, None] % 4 != np.arange(300) % 4  # the first space says who is admissible
    found = reduce_tiles([a, b], Agreement(), neighbors_from="other_runs", queries=np.arange(40))
    np.testing.assert_array_equal(found, ((first < second) & other).sum(1)[:40])
    new = [Space(x[:9] + 1), Space(y[:9] + 1, period=1.0, metric="manhattan", period_check=False)]
    found = reduce_tiles([a, b], Agreement(), queries=new)
    first = brute.squared_distances(x[:9] + np.float32(1), x)
    second = brute.squared_distances(y[:9] + 1, y, period=1.0, metric="manhattan")
    np.testing.assert_array_equal(found, (first < second).sum(1))


def test_spaces_that_cannot_go_in_lockstep():
    a, b = Space(np.eye(4)), Space(np.eye(5))
    for spaces, queries, message in (
        ([a, b], None, r"need the same items, got \[4, 5\]"),
        ([], None, "no space"),
        ([a, a], [a], "1 sets of new points for 2 spaces"),
        ([a, a], [a, a.take([0, 1])], r"same items, got \[4, 2\]"),
        ([a, Space(np.ones((4, 2)))], a, "queries have 4 features.*the space has 2"),
    ):
        with pytest.raises(ParameterError, match=message):
            reduce_tiles(spaces, Agreement(), queries=queries)


# ------------------------------------------------------------------------------------------------ merging column chunks
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("cuts", [[], [200], [1, 7, 300, 301]])
def test_states_of_the_same_rows_merge(cuts, weighted):
    """What a cluster does: states of column chunks, merged in any grouping, are the state of all columns."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 4, (400, 4)).astype(float)
    space = Space(x, sample_weight=rng.integers(1, 5, 400))
    from infoscope.neighbors.reductions import admissible_pairs, column_items, numpy_source, row_items

    pairs = admissible_pairs(row_items(space, None), column_items(space, None))
    source = numpy_source(space, None, pairs, np.float64)
    edges = [0, *cuts, 400]
    radii = space.squared_distances(np.arange(400), rng.integers(0, 400, 400))
    for reduction in (KSmallest(5), CountWithin(np.arange(401), radii, weighted), ItemsWithin(radii)):

        def states(chunks, reduction=reduction):
            for block in (slice(0, 150), slice(150, 400)):
                parts = [backend_numpy.fold(reduction, [source], block, slice(*edge), 64) for edge in chunks]
                while len(parts) > 1:
                    last = parts.pop()
                    parts[-1] = reduction.merge(parts[-1], last)
                yield parts[0]

        merged = reduction.finish(list(states(list(itertools.pairwise(edges)))))
        whole = reduce_tiles([space], reduction)
        if isinstance(reduction, ItemsWithin):
            merged, whole = (np.stack(v)[:, np.lexsort(v[1::-1])] for v in (merged, whole))
        if isinstance(reduction, KSmallest):  # of what lies beyond the k-th only a tie must be known
            merged, whole = ((v.squared, v.items, cut_rows(v.squared, v.beyond)) for v in (merged, whole))
        for a, b in zip(merged, whole, strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_reduction_that_forgets_a_step_says_so():
    class Unfinished(Reduction):
        pass

    with pytest.raises(TypeError, match="Unfinished does not define start"):
        reduce_tiles([Space(np.eye(3))], Unfinished())


# --------------------------------------------------------------------------------------------------------- histograms
@pytest.mark.parametrize(
    "make",
    [
        lambda bits: Space.from_bits(np.packbits(bits, axis=1), n_bits=bits.shape[1]),
        lambda bits: Space(bits.astype(np.float32), metric="hamming"),
    ],
)
def test_histograms_of_distances(make):
    rng = np.random.default_rng(2)
    bits = rng.random((300, 37)) < 0.4
    table = (bits[:, None] != bits).sum(-1)
    group = rng.choice(["x", "y", "z"], 300)
    run = np.arange(300) % 3
    other = ~np.eye(300, dtype=bool)
    counts = np.array([np.bincount(table[group == g][other[group == g]], minlength=38) for g in "xyz"])
    space = make(bits)
    np.testing.assert_array_equal(distance_histogram(space), counts.sum(0))
    np.testing.assert_array_equal(distance_histogram(space, groups=group), counts)
    far = table[:20, 20:]
    np.testing.assert_array_equal(
        distance_histogram(make(bits[20:]), make(bits[:20])), np.bincount(far.ravel(), minlength=38)
    )
    apart = table[run[:, None] != run]
    np.testing.assert_array_equal(
        distance_histogram(space.replace(run=run), neighbors_from="other_runs"), np.bincount(apart, minlength=38)
    )


def test_histograms_need_integer_distances():
    bits = Space(np.eye(4), metric="hamming")
    assert distance_histogram(Space.from_labels(list("abca"))).tolist() == [2, 10]
    for wrong, message in (
        (lambda: distance_histogram(np.eye(4)), "integer distances, not metric 'euclidean'"),
        (lambda: distance_histogram(bits.replace(feature_weights=[1, 2, 1, 1])), "no integer"),
        (lambda: distance_histogram(bits, np.eye(4)), "other must be a Space"),
        (lambda: distance_histogram(bits, groups=[0, 1]), "groups has length 2, there are 4 rows"),
    ):
        with pytest.raises(ParameterError, match=message):
            wrong()


# --------------------------------------------------------------------------------------------------- order of the rows
def test_rows_in_order_are_noticed_and_shuffled_ones_are_not():
    rng = np.random.default_rng(0)
    walk = np.cumsum(rng.normal(size=(600, 3)), axis=0)
    assert order_test(walk).level == "loud" and order_test(walk[::-1]).level == "loud"
    assert order_test(walk[rng.permutation(600)]).level == "silent"
    assert order_test(rng.normal(size=(600, 3))).level == "silent"
    assert order_test(rng.integers(0, 3, (600, 2))).level == "silent"  # ties do not fall to the row number
    assert order_test(np.zeros((600, 2))).level == "silent"
    walks = [np.cumsum(rng.normal(size=(n, 2)), axis=0) for n in (200, 2, 350)]
    assert order_test(Space(walks)).level == "loud"
    mixed = rng.permutation(552)  # runs interleaved, and each of them out of order
    assert order_test(Space(walks).take(mixed)).level == "silent"
    a, b = order_test(walk, random_state=3), order_test(walk, random_state=3)
    assert a.p_value == b.p_value and a.share == b.share


# -------------------------------------------------------------------------------------------------------- interruptions
class Slow(Reduction):
    """20,000 tiles of a millisecond each."""

    def start(self, block):
        return None

    def update(self, state, tiles):
        time.sleep(1e-3)
        return 0

    def finish(self, states):
        return None


@pytest.fixture
def nothing_left_behind(monkeypatch):
    """BLAS has as many threads as before, nobody holds its limit, and no worker goes on."""

    def blas():
        return sorted(
            (lib["filepath"], lib["num_threads"])
            for lib in threadpoolctl.threadpool_info()
            if lib["user_api"] == "blas"
        )

    monkeypatch.setattr(backend_numpy, "TILE", (4, 8))
    before, workers = blas(), threading.active_count()
    yield
    assert blas() == before
    assert threads._process["entries"] == 0
    assert threading.active_count() == workers
    nearest(np.random.default_rng(0).normal(size=(100, 4)), 2)  # and it still works


def run_slowly():
    reduce_tiles([Space(np.random.default_rng(0).normal(size=(800, 4)))], Slow(), n_jobs=2)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of another kind")
def test_ctrl_c_stops_within_seconds(nothing_left_behind):
    if threading.current_thread() is not threading.main_thread():
        pytest.skip("signals reach the main thread only")
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        pytest.skip("somebody else listens to Ctrl-C")
    main = threading.main_thread().ident
    timer = threading.Timer(0.3, lambda: signal.pthread_kill(main, signal.SIGINT))
    timer.start()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run_slowly()
    assert time.monotonic() - started < 4  # all of it would take ten seconds or more
    timer.join()


def test_an_interrupt_while_progress_is_shown(nothing_left_behind, monkeypatch):
    from infoscope.base import Progress

    def pressed(self, n=1):
        raise KeyboardInterrupt

    monkeypatch.setattr(Progress, "update", pressed)
    with pytest.raises(KeyboardInterrupt):
        run_slowly()
    monkeypatch.undo()


def test_an_error_in_a_worker_comes_out(nothing_left_behind):
    class Broken(Slow):
        def update(self, state, tiles):
            raise FloatingPointError("in a worker")

    with pytest.raises(FloatingPointError, match="in a worker"):
        reduce_tiles([Space(np.random.default_rng(0).normal(size=(800, 4)))], Broken(), n_jobs=2)


def test_verbs_run_in_threads_side_by_side():
    x = np.random.default_rng(0).normal(size=(700, 5))
    expected = nearest(x, 3)
    results = [None] * 4

    def work(p):
        results[p] = nearest(x, 3, n_jobs=2).items, count_within(x, np.arange(701), np.full(700, 4.0))[0]

    workers = [threading.Thread(target=work, args=(p,)) for p in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for items, closer in results:
        np.testing.assert_array_equal(items, expected.items)
        np.testing.assert_array_equal(closer, results[0][1])
    assert threads._process["entries"] == 0
