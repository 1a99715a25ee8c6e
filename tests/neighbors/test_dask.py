"""Dask arrays: the answers of NumPy to the last rank, whatever the chunks, lazily, and in little memory."""

import os
import sys
import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infoscope.base import DataError, fingerprint
from infoscope.neighbors import (
    Space,
    backend_dask,
    chunks,
    count_closer,
    count_within,
    distance_histogram,
    nearest,
    reduce_tiles,
)
from infoscope.neighbors.reductions import Reduction

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")
N = 211


@pytest.fixture(params=["kept", "streamed"])
def cut(request, monkeypatch):
    """Small blocks and parts, so that little data are cut as much data would be."""
    cut_small(monkeypatch, request.param == "kept")


def cut_small(monkeypatch, kept):
    monkeypatch.setattr(backend_dask, "BLOCK_ROWS", 60)
    monkeypatch.setattr(backend_dask, "BATCH_ROWS", 150)
    for name, value in dict(PART_ROWS=1, MERGED=2, KEPT_ALONE=2**30 * kept, KEPT_SHARE=0.25 * kept).items():
        monkeypatch.setattr(chunks, name, value)


def grid(seed=0, n=N, d=4):
    """A coarse grid with duplicated rows: ties in most rows."""
    x = np.rint(np.random.default_rng(seed).normal(size=(n, d)) * 2) / 2
    x[n // 2 : n // 2 + 8] = x[0]
    return x


def chunked(x, rows=50, columns=-1):
    return da.from_array(x, chunks=(rows, columns))


def same(graph, expected):
    for field in ("rows", "indptr", "items", "squared", "admissible"):
        np.testing.assert_array_equal(getattr(graph, field), getattr(expected, field))


CASES = {
    "plain": (dict(), [dict()]),
    "weighted features": (dict(feature_weights=[2.0, 1, 0.5, 0]), [dict()]),
    "periodic": (dict(period=[3.0, 0, 0, 2.0], period_check=False), [dict()]),
    "manhattan": (dict(metric="manhattan"), [dict()]),
    "chebyshev": (dict(metric="chebyshev", period=3.0, period_check=False), [dict()]),
    "hamming": (dict(metric="hamming"), [dict()]),
    "runs": (
        dict(run=np.random.default_rng(1).integers(0, 4, N)),
        [dict(exclusion_window=3.0), dict(neighbors_from="other_runs")],
    ),
    "time": (
        dict(time=np.random.default_rng(2).permutation(N) * 0.1, run=np.arange(N) % 2),
        [dict(exclusion_window=1.0)],
    ),
    "weights": (dict(sample_weight=np.random.default_rng(3).integers(0, 3, N)), [dict()]),
}


@pytest.mark.parametrize("case", CASES)
def test_same_as_numpy(cut, case):
    options, rules = CASES[case]
    x, y = grid(), grid(7)
    a, b = Space(x, **options), Space(y, **options)
    lazy_a, lazy_b = Space(chunked(x, (1, 100, 3, 7, 100)), **options), Space(chunked(y, 64, 3), **options)
    some = np.random.default_rng(4).integers(0, N, 70)
    for rule in rules:
        for ties in ("index", "all"):
            graph = nearest(a, 3, ties=ties, **rule)
            same(nearest(lazy_a, 3, ties=ties, **rule), graph)
        same(
            nearest(lazy_a, 20, queries=some, columns=np.arange(0, N, 2), **rule),
            nearest(a, 20, queries=some, columns=np.arange(0, N, 2), **rule),
        )
        for pairs in (graph, nearest(a, 16, queries=some, **rule)):  # few radii a row, and many
            np.testing.assert_array_equal(count_closer(lazy_b, pairs, **rule), count_closer(b, pairs, **rule))
    if "sample_weight" in options:  # whole numbers: their sums are exact
        np.testing.assert_array_equal(count_closer(lazy_b, graph, weighted=True), count_closer(b, graph, weighted=True))


@pytest.mark.parametrize("options", [dict(metric="cosine"), dict(metric="cosine", feature_weights=[1.0, 2, 3, 0.5])])
def test_directions(cut, options):
    x = np.random.default_rng(5).normal(size=(N, 4)).astype(np.float32)
    same(nearest(Space(chunked(x), **options), 5), nearest(Space(x, **options), 5))


def test_float32_tiles_that_cannot_decide_are_made_again_in_float64(cut):
    centres = np.random.default_rng(6).normal(size=(20, 6))
    x = centres[np.arange(N) % 20] + 1e-9 * np.random.default_rng(7).normal(size=(N, 6))
    same(nearest(Space(chunked(x)), 3), nearest(Space(x), 3))


@settings(max_examples=20)
@given(
    heights=st.lists(st.integers(1, 40), min_size=1, max_size=8),
    width=st.integers(1, 3),
    k=st.integers(1, 4),
    block=st.integers(20, 90),
    kept=st.booleans(),
    seed=st.integers(0, 99),
)
def test_no_chunking_changes_the_answer(heights, width, k, block, kept, seed):
    n = sum(heights) + 6
    x = grid(seed, n, 3)
    with pytest.MonkeyPatch.context() as patch:
        cut_small(patch, kept)
        patch.setattr(backend_dask, "BLOCK_ROWS", block)
        lazy = Space(da.from_array(x, chunks=((*heights, 6), width)))
        graph = nearest(lazy, k, ties="all")
        same(graph, nearest(Space(x), k, ties="all"))
        np.testing.assert_array_equal(count_closer(lazy, graph), count_closer(Space(x), graph))


def test_new_points(cut):
    x, new = grid(), grid(8, 45)
    expected = nearest(Space(x), 3, ties="all", queries=Space(new))
    same(nearest(Space(chunked(x)), 3, ties="all", queries=Space(new)), expected)
    same(nearest(Space(chunked(x)), 3, ties="all", queries=Space(chunked(new, 11))), expected)


def test_chosen_pairs(cut):
    i, j = np.random.default_rng(9).integers(0, N, (2, 500))
    for options in (dict(), dict(period=3.0, period_check=False), dict(metric="manhattan", feature_weights=range(4))):
        plain, lazy = Space(grid(), **options), Space(chunked(grid(), 30, 2), **options)
        np.testing.assert_array_equal(lazy.squared_distances(i, j), plain.squared_distances(i, j))
        np.testing.assert_array_equal(lazy.displacements(i, j), plain.displacements(i, j))
    assert len(lazy.squared_distances([], [])) == 0


def test_chosen_pairs_of_many_items(cut, monkeypatch):
    monkeypatch.setattr(backend_dask, "BLOCK_BYTES", 2**11)
    i, j = np.random.default_rng(9).integers(0, N, (2, 500))
    lazy = Space(chunked(grid(), 30, 2))
    np.testing.assert_array_equal(lazy.squared_distances(i, j), Space(grid()).squared_distances(i, j))


def test_histogram_per_group(cut):
    x, groups = (grid() > 0).astype(float), np.arange(N) % 3
    np.testing.assert_array_equal(
        distance_histogram(Space(chunked(x), metric="hamming"), groups=groups),
        distance_histogram(Space(x, metric="hamming"), groups=groups),
    )


def test_radii_that_differ_from_row_to_row(cut):
    lengths = np.random.default_rng(10).integers(0, 30, N)
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    radii = np.random.default_rng(11).integers(0, 12, indptr[-1]) / 4
    np.testing.assert_array_equal(
        count_within(Space(chunked(grid())), indptr, radii), count_within(Space(grid()), indptr, radii)
    )


class Farthest(Reduction):
    """Needs whole rows, of two spaces in lockstep."""

    whole_rows, precision = True, np.float64

    def start(self, block):
        return []

    def update(self, state, tiles):
        a, b = (np.where(np.isfinite(t.squared), t.squared, 0) for t in tiles)
        assert a.shape[1] == N
        state.append(np.stack([a.max(1), b.max(1), (a * b).max(1)]))
        return 0

    def finish(self, states):
        return np.hstack(sum(states, []))


def test_whole_rows_of_two_spaces(cut):
    x, y = grid(), grid(12, d=6)
    np.testing.assert_allclose(
        reduce_tiles([Space(chunked(x)), Space(chunked(y, 64, 2))], Farthest()),
        reduce_tiles([Space(x), Space(y)], Farthest()),
        rtol=1e-12,
    )


# -------------------------------------------------------------------------------------------------------------- Space
def test_scale():
    x = np.random.default_rng(13).normal(size=(N, 3)).astype(np.float32) * [1, 10, 1] + [0, 50, 0]
    x[:, 2] %= 2.0
    options = dict(scale="standard", period=[0, 0, 2.0], period_check=False)
    weights = Space(chunked(x), **options).feature_weights
    np.testing.assert_allclose(weights, Space(x, **options).feature_weights, rtol=1e-9)
    x[:, 0] = 0.1
    with pytest.warns(UserWarning, match="constant"):
        assert Space(chunked(x), **options).feature_weights[0] == 0


def test_degrees_read_as_radians():
    x = np.random.default_rng(14).uniform(-180, 180, (N, 2))
    with pytest.raises(DataError, match="degrees"):
        Space(chunked(x), period=[0, 2 * np.pi])


@pytest.mark.parametrize("entry, word", [(np.nan, "NaN"), (-np.inf, "infinite"), (1e200, "overflow")])
def test_bad_entries_are_named_when_they_are_read(entry, word):
    x = grid()
    x[137, 2] = entry
    space = Space(chunked(x), name="A")  # nothing is read yet
    with pytest.raises(DataError, match=f"A holds .*row 137, column 2.*{word if word == 'overflow' else ''}") as error:
        nearest(space, 1)
    assert word in str(error.value)


def test_a_row_without_direction():
    x = grid() + 0.25
    x[60] = 0
    with pytest.raises(DataError, match="row 60 .*all zeros"):
        nearest(Space(chunked(x), metric="cosine"), 1)


@pytest.mark.parametrize(
    "x, word",
    [
        (np.ones((5, 2), complex), "complex"),
        (np.ones((5, 2), "U1"), "dtype"),
        (np.ones((0, 2)), "empty"),
        (np.ones((5, 0)), "empty"),
        (np.ones(5), "shape"),
    ],
)
def test_what_is_no_table_of_numbers(x, word):
    with pytest.raises(DataError, match=word):
        Space(da.from_array(x))


@pytest.mark.parametrize(
    "dtype, expected",
    [
        (np.float32, np.float32),
        (">f4", np.float32),
        (np.int16, np.float64),
        (bool, np.float64),
        (np.float16, np.float64),
        (np.uint8, np.float64),
    ],
)
def test_types(dtype, expected):
    x = (grid() * 2).astype(dtype)
    space = Space(chunked(x, 40, 3))
    assert space.features.dtype == expected and space.features.chunks[1] == (4,)
    same(nearest(space, 2), nearest(Space(x), 2))


def test_unknown_chunk_sizes_are_counted():
    lazy = chunked(grid())
    part = lazy[lazy[:, 0] > 0]
    same(nearest(Space(part), 2), nearest(Space(grid()[grid()[:, 0] > 0]), 2))
    assert np.isnan(part.shape[0])  # the caller's array is as it was


def test_tall_chunks_of_few_features_are_cut(monkeypatch):
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 2000)
    space = Space(chunked(grid(), N, 1))
    assert max(space.features.chunks[0]) * 4 * 8 <= 2000
    same(nearest(space, 2), nearest(Space(grid()), 2))


def test_nothing_is_read_before_it_is_needed():
    read = []
    data = np.random.default_rng(0).normal(size=(N, 4))  # without ties, which are completed by another look
    lazy = chunked(data).map_blocks(lambda x: read.append(len(x)) or x, dtype=float, meta=np.empty((0, 0)))
    space = Space(lazy, feature_weights=[1, 2, 3, 4], time=np.arange(N), sample_weight=np.ones(N))
    assert fingerprint(space.features) == fingerprint(Space(lazy).features)
    repr(space)
    assert read == []
    nearest(space, 1)
    assert len(read) == 5  # small data are read once


def test_runs_given_as_a_list():
    x = grid()
    plain, lazy = Space([x[:80], x[80:]]), Space([chunked(x[:80], 33), chunked(x[80:], 50)])
    same(nearest(lazy, 2, neighbors_from="other_runs"), nearest(plain, 2, neighbors_from="other_runs"))


def test_data_frames_keep_their_names():
    frames, pandas = pytest.importorskip("dask.dataframe"), pytest.importorskip("pandas")
    frame = pandas.DataFrame(grid(), columns=list("abcd"))
    space = Space(frames.from_pandas(frame, npartitions=3))
    assert space.feature_names == tuple("abcd")
    same(nearest(space, 2), nearest(Space(grid()), 2))


# ------------------------------------------------------------------------------------------------------------ clusters
@pytest.fixture(scope="module")
def cluster():
    """Two worker processes of 500 MB each, of which Python and the compiled kernels take about 280."""
    distributed = pytest.importorskip("distributed")
    options = {f"distributed.worker.memory.{how}": False for how in ("spill", "target")}
    options["distributed.scheduler.allowed-failures"] = 0  # a worker killed for its memory fails the test at once
    with (
        dask.config.set(options),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, memory_limit="500MB", dashboard_address=":0", silence_logs=50
        ) as local,
        distributed.Client(local) as client,
    ):
        yield client


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("case", ["plain", "time", "weights"])
def test_same_as_numpy_on_a_cluster(cluster, monkeypatch, kept, case):
    cut_small(monkeypatch, kept)
    options, (rule, *_) = CASES[case]
    a, b = Space(grid(), **options), Space(grid(7), **options)
    lazy_a, lazy_b = Space(chunked(grid(), 37), **options), Space(chunked(grid(7), 101, 3), **options)
    graph = nearest(a, 3, ties="all", **rule)
    same(nearest(lazy_a, 3, ties="all", **rule), graph)
    np.testing.assert_array_equal(count_closer(lazy_b, graph, **rule), count_closer(b, graph, **rule))


def test_errors_come_back_from_a_cluster(cluster):
    x = grid()
    x[200, 1] = np.nan
    with pytest.raises(DataError, match="row 200, column 1"):
        nearest(Space(chunked(x)), 1)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of resident memory from /proc")
def test_data_larger_than_the_memory_of_the_workers(cluster):
    """1.3 GB of features in two spaces, made chunk by chunk; no worker exceeds 500 MB, and nothing large comes here."""
    psutil = pytest.importorskip("psutil")

    def peak():
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) / 1000 for line in status if line.startswith("VmHWM"))

    n, d, asked = 88_000, 1000, 500
    random = da.random.default_rng(0)
    x = random.random((n, d), chunks=(1000, d))
    y = x + random.random((n, d), chunks=(1000, d))
    assert x.nbytes > 700e6
    rows = np.sort(np.random.default_rng(1).choice(n, asked, replace=False))
    here, largest, done = psutil.Process(), [], threading.Event()
    before, workers = here.memory_info().rss, cluster.run(os.getpid)

    def watch():
        while not done.wait(0.02):
            largest.append(here.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    begin = time.perf_counter()
    try:
        graph = nearest(Space(x), 1, queries=rows)
        closer, _ = count_closer(Space(y), graph)
    finally:
        done.set()
        watcher.join()
    peaks = list(cluster.run(peak).values())
    print(
        f"{time.perf_counter() - begin:.1f} s, peaks of the workers {peaks} MB, "
        f"here {(max(largest) - before) / 1e6:.0f} MB more"
    )
    assert cluster.run(os.getpid) == workers  # none was killed and started again
    assert max(peaks) < 500
    assert max(largest) - before < 200e6
    assert 2 * (closer.mean() + 1) / n < 0.8  # neighbours in x say something about y
