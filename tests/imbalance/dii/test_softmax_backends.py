"""Ranks, softmax and weights from torch tiles and Dask tasks are those of NumPy."""

import numpy as np
import pytest
from tests.imbalance.dii.test_softmax import BANDWIDTHS, CASES, data

from infoscope.base import DataError
from infoscope.imbalance.dii import softmax_torch
from infoscope.imbalance.dii.objective import Objective, standardise
from infoscope.imbalance.dii.optimise import minimise
from infoscope.imbalance.dii.softmax import Bandwidth, soft_ranks
from infoscope.imbalance.rank_table import rank_table
from infoscope.neighbors import Admissibility, Space, backend_dask, chunks, tensors


@pytest.fixture
def tiles(monkeypatch):
    """Tensors in main memory take the way of a GPU; returns what makes a tensor."""
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(tensors, "KERNELS_ON_CPU", False)
    return torch.tensor


@pytest.fixture(params=["kept", "streamed"])
def cut(request, monkeypatch):
    """Dask arrays in small blocks and parts, so that little data are cut as much data would be."""
    array = pytest.importorskip("dask.array")
    cut_small(monkeypatch, request.param == "kept")
    return lambda x: array.from_array(x, chunks=(13, -1))


def cut_small(monkeypatch, kept):
    monkeypatch.setattr(backend_dask, "BLOCK_ROWS", 16)
    monkeypatch.setattr(backend_dask, "BATCH_ROWS", 32)
    for name, value in dict(PART_ROWS=1, MERGED=2, KEPT_ALONE=2**30 * kept, KEPT_SHARE=0.25 * kept).items():
        monkeypatch.setattr(chunks, name, value)


def both(make, values, options):
    return Space(values, **options), Space(make(values), **options)


def split(case):
    """(options of the space that is weighed, of its target, of the calls) of a case of `test_softmax`."""
    options = dict(CASES[case])
    rule = {name: options.pop(name) for name in ("exclusion_window", "neighbors_from") if name in options}
    of_target = {name: options[name] for name in ("run", "sample_weight") if name in options}
    return options, of_target, {"admissibility": Admissibility(**rule)}


def assert_same(one, two, tol):
    """Value, slopes, rows, entropies and pairs of two `SoftmaxRows`."""
    assert two.value == pytest.approx(one.value, abs=tol)
    np.testing.assert_allclose(two.rows, one.rows, rtol=0, atol=tol)
    np.testing.assert_allclose(two.entropy, one.entropy, rtol=0, atol=tol * 10)  # sums of N logarithms
    if one.slopes is not None:
        np.testing.assert_allclose(two.slopes, one.slopes, rtol=0, atol=tol * max(1, np.abs(one.slopes).max()))
    if one.pairs is not None:
        for a, b in zip(one.pairs[:2], two.pairs[:2], strict=True):
            np.testing.assert_array_equal(a, b)
        for a, b in zip(one.pairs[2:], two.pairs[2:], strict=True):
            np.testing.assert_allclose(a, b, rtol=0, atol=tol)


# ---------------------------------------------------------------------------------------------------------------- torch
@pytest.mark.parametrize("case", CASES)
def test_torch_tiles(tiles, case):
    options, of_target, rule = split(case)
    x, y, w = data()
    target, target_of_tensors = both(tiles, y, of_target)
    table, other_table = rank_table(target, **rule), rank_table(target_of_tensors, **rule)
    np.testing.assert_allclose(other_table.rescaled(), table.rescaled(), rtol=1e-14)
    a, b = both(tiles, x, {**options, "feature_weights": w})
    for bandwidth in BANDWIDTHS:
        if "sample_weight" in options and bandwidth.kind in ("global", "gap"):
            continue  # a common bandwidth is counted in rows
        for power in (1, 2):
            kind = Bandwidth(bandwidth.kind, bandwidth.k, bandwidth.size, power)
            assert_same(soft_ranks(a, table, kind, **rule), soft_ranks(b, other_table, kind, **rule), 1e-10)
        assert_same(
            soft_ranks(a, table, kind, pairs=True, **rule), soft_ranks(b, table, kind, pairs=True, **rule), 1e-10
        )


@pytest.mark.parametrize("kind", ["point", "perplexity", "fixed"])
def test_torch_tiles_with_ties_duplicates_and_queries(tiles, kind):
    g = np.random.default_rng(2)
    x, y = np.rint(2 * g.normal(size=(90, 3))), np.rint(g.normal(size=(90, 2)))
    x[40:50] = x[0]  # k = 2 neighbours at distance zero
    rows = g.permutation(90)[:31]
    # a perplexity above the number of duplicates; a bandwidth that follows tied neighbours, and matters
    bandwidth = Bandwidth(kind, 2, {"perplexity": 30.0, "point": 0.5, "fixed": 2.0}[kind])
    target, target_of_tensors = both(tiles, y, {})
    table = rank_table(target, queries=rows)
    np.testing.assert_array_equal(rank_table(target_of_tensors, queries=rows).values, table.values)
    a, b = both(tiles, x, {"feature_weights": [1.0, 0.5, 0.7]})
    assert_same(soft_ranks(a, table, bandwidth, queries=rows), soft_ranks(b, table, bandwidth, queries=rows), 1e-10)


def test_torch_tiles_of_points_that_are_all_the_same(tiles):
    y = data()[1]
    a, b = both(tiles, np.ones((40, 3)), {})
    for kind in ("point", "perplexity"):
        found = soft_ranks(b, rank_table(Space(y)), Bandwidth(kind, 3, 5.0))
        assert found.value == pytest.approx(1, abs=1e-12) and not found.slopes.any()  # chance: nobody is nearer
        assert_same(soft_ranks(a, rank_table(Space(y)), Bandwidth(kind, 3, 5.0)), found, 1e-12)


def test_torch_tiles_far_from_the_origin_are_measured_again(tiles):
    """Products of vectors of length 1e5 spoil distances of 1e-2 in float64; both backends measure those pairs."""
    g = np.random.default_rng(3)
    x = g.normal(size=(120, 4)) * 1e5
    x[60:] = x[:60] + 1e-2 * g.normal(size=(60, 4))
    table = rank_table(Space(x[:, :2]))
    a, b = both(tiles, x, {})
    one, two = (soft_ranks(s, table, Bandwidth("fixed", size=1e-4)) for s in (a, b))
    assert two.value == pytest.approx(one.value, rel=1e-10)
    # few pairs weigh something: their differences are taken one by one
    np.testing.assert_allclose(two.slopes, one.slopes, rtol=1e-9)


def test_both_ways_to_the_slopes_of_torch_tiles(tiles, monkeypatch):
    x, y, w = data(n=60)
    table, plain = rank_table(Space(y)), Space(tiles(x), feature_weights=w)
    turning = Space(tiles(x), feature_weights=w, period=[1.1, 0, 0, 2.0], period_check=False)
    for space in (plain, turning):
        one = soft_ranks(space, table, Bandwidth("fixed", size=0.5))
        with monkeypatch.context() as patch:
            patch.setattr(softmax_torch, "FEW", 1.1)
            two = soft_ranks(space, table, Bandwidth("fixed", size=0.5))
        np.testing.assert_allclose(two.slopes, one.slopes, rtol=0, atol=1e-13)


def test_float32_torch_tiles(tiles):
    x, y, w = data(n=300)
    a, b = both(tiles, x, {"feature_weights": w})
    table = rank_table(Space(y))
    exact, fast = soft_ranks(a, table, Bandwidth(k=5)), soft_ranks(b, table, Bandwidth(k=5), precision=np.float32)
    assert fast.value == pytest.approx(exact.value, abs=1e-5)  # as test_softmax asks of NumPy
    np.testing.assert_allclose(fast.slopes, exact.slopes, atol=1e-3 * np.abs(exact.slopes).max())


# ----------------------------------------------------------------------------------------------------------------- Dask
@pytest.mark.parametrize("case", CASES)
def test_dask(cut, case):
    options, of_target, rule = split(case)
    x, y, w = data()
    target, lazy_target = both(cut, y, of_target)
    table, lazy_table = rank_table(target, **rule), rank_table(lazy_target, **rule)
    np.testing.assert_array_equal(lazy_table.values, table.values)
    a, b = both(cut, x, {**options, "feature_weights": w})
    for kind in ("point", "perplexity"):
        bandwidth = Bandwidth(kind, 3, 5.0, 1)
        assert_same(soft_ranks(a, table, bandwidth, **rule), soft_ranks(b, lazy_table, bandwidth, **rule), 1e-12)
    assert_same(
        soft_ranks(a, table, bandwidth, pairs=True, **rule), soft_ranks(b, table, bandwidth, pairs=True, **rule), 1e-12
    )


@pytest.mark.parametrize("kind", ["global", "gap"])
def test_dask_with_a_common_bandwidth_and_queries(cut, kind):
    x, y, w = data()
    a, b = both(cut, x, {"feature_weights": w})
    rows = np.array([30, 2, 17, 5, 39, 21])
    table = rank_table(Space(y), queries=rows)
    np.testing.assert_array_equal(rank_table(Space(cut(y)), queries=rows).values, table.values)
    one, two = (soft_ranks(s, table, Bandwidth(kind, 2, 0.3), queries=rows) for s in (a, b))
    assert_same(one, two, 1e-12)


def test_tasks_of_wide_tables_get_few_rows(monkeypatch):
    array = pytest.importorskip("dask.array")
    x, y, w = data(n=200)
    table, heights = rank_table(Space(y)), []
    original = backend_dask._batches

    def seen(*args):
        for batch in original(*args):
            heights.extend(block.stop - block.start for block in batch)
            yield batch

    monkeypatch.setattr(backend_dask, "_batches", seen)
    monkeypatch.setattr(backend_dask, "BLOCK_BYTES", 64 * table.values[:1].nbytes)
    monkeypatch.setattr(backend_dask, "TILE", (32, 64))
    lazy = Space(array.from_array(x, chunks=(50, -1)), feature_weights=w)
    assert_same(
        soft_ranks(Space(x, feature_weights=w), table, Bandwidth(k=3)), soft_ranks(lazy, table, Bandwidth(k=3)), 1e-12
    )
    assert max(heights) == 64


@pytest.fixture(scope="module")
def cluster():
    """Two worker processes."""
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, memory_limit="600MB", dashboard_address=":0", silence_logs=50
        ) as local,
        distributed.Client(local) as client,
    ):
        yield client


@pytest.mark.parametrize("kept", [True, False])
def test_a_cluster(cluster, monkeypatch, kept):
    array = pytest.importorskip("dask.array")
    cut_small(monkeypatch, kept)
    weight = np.random.default_rng(4).lognormal(0, 0.6, 40)
    x, y, w = data()
    for options in ({}, {"sample_weight": weight}):
        target, lazy_target = both(lambda v: array.from_array(v, chunks=(17, 2)), y, options)
        table = rank_table(target)
        np.testing.assert_array_equal(rank_table(lazy_target).values, table.values)
        a, b = both(lambda v: array.from_array(v, chunks=(9, 4)), x, {**options, "feature_weights": w})
        assert_same(soft_ranks(a, table, Bandwidth(k=3)), soft_ranks(b, table, Bandwidth(k=3)), 1e-12)
        pairs = [soft_ranks(s, table, Bandwidth(k=3), pairs=True) for s in (a, b)]
        assert_same(*pairs, 1e-12)


# ----------------------------------------------------------------------------------------------------- a fit of weights
def columns(seed=1, n=120):
    """Columns of very different units and origins, one of them constant, one an angle; and a target of two of them."""
    g = np.random.default_rng(seed)
    z = g.normal(size=(n, 4))
    x = np.column_stack([z * [1e3, 1, 1e-3, 10] + [5e4, 0, 1, -3], np.full(n, 2.5), g.uniform(0, 360, n)])
    return x, z[:, :2] * [1.0, 0.5]


@pytest.mark.filterwarnings("ignore:.* constant and got weight 0")
@pytest.mark.parametrize("backend", ["torch", "torch tiles", "dask"])
def test_standardise(backend, monkeypatch, request):
    x, _ = columns()
    if backend == "torch tiles":
        monkeypatch.setattr(tensors, "KERNELS_ON_CPU", False)
    make = (
        (lambda v: pytest.importorskip("dask.array").from_array(v, chunks=(50, 2)))
        if backend == "dask"
        else pytest.importorskip("torch").tensor
    )
    period = [0, 0, 0, 0, 0, 360.0]
    one, two = (standardise(Space(v, period=period)) for v in (x, make(x)))
    np.testing.assert_allclose(two.scale, one.scale, rtol=1e-12)
    np.testing.assert_array_equal(two.columns, [0, 1, 2, 3, 5])
    assert two.space.backend == backend.split()[0]
    here = np.asarray(two.space.features.compute() if backend == "dask" else two.space.features)
    np.testing.assert_allclose(here, one.space.features, rtol=0, atol=1e-9)  # 5e4 subtracted from values of 1e3
    # by hand: columns of unit deviation, the angle in units of its circular deviation
    np.testing.assert_allclose(here[:, :4].std(0), 1, rtol=1e-12)
    resultant = abs(np.exp(2j * np.pi * x[:, 5] / 360).mean())
    assert two.scale[5] == pytest.approx(np.sqrt(-2 * np.log(resultant)) * 360 / (2 * np.pi))
    assert two.space.period[4] == pytest.approx(360 / two.scale[5])


def test_standardise_reads_dask_arrays_chunk_by_chunk():
    dask, array = pytest.importorskip("dask"), pytest.importorskip("dask.array")
    pieces = []

    def read(block):
        pieces.append(block.shape)
        return block

    x = array.from_array(columns(n=3000)[0][:, :4], chunks=(100, 4)).map_blocks(read, dtype=float)
    with dask.config.set(scheduler="threads"):  # where a cluster exists, workers would fill their own
        found = standardise(Space(x))
    assert set(pieces) - {(0, 0)} == {(100, 4)}  # Dask tries every function on nothing
    assert found.space.features.numblocks[0] > 1
    with pytest.raises(DataError, match="all columns"):
        standardise(Space(array.ones((50, 3), chunks=20)))


@pytest.mark.parametrize("backend", ["torch", "torch tiles", "dask", "cluster"])
def test_one_fit_gives_the_weights_of_numpy(backend, monkeypatch, request):
    x, y = columns(n=90)
    x, start, table = x[:, :4], np.array([1.0, 0.8, 1.2, 0.9]), rank_table(Space(y))
    if backend == "torch tiles":
        monkeypatch.setattr(tensors, "KERNELS_ON_CPU", False)
    if backend.startswith("torch"):
        lazy = pytest.importorskip("torch").tensor(x)
    else:
        lazy = pytest.importorskip("dask.array").from_array(x, chunks=(31, 4))
        request.getfixturevalue("cluster") if backend == "cluster" else None
    one, two = (
        minimise(Objective(standardise(Space(v)).space, table, np.arange(4), Bandwidth("perplexity", size=8.0)), start,
                 show=False, max_iter=25)
        for v in (x, lazy)
    )  # fmt: skip
    # values and slopes agree to 1e-12, and an optimum is flat: weights follow its square root
    np.testing.assert_allclose(two.weights, one.weights, rtol=0, atol=1e-6)
    assert two.value == pytest.approx(one.value, abs=1e-11)
    assert one.weights[0] == 1 and one.weights[1] == pytest.approx(0.5, abs=0.1) and one.weights[2:].max() < 0.1
