"""Tensors give the answers of NumPy, to the last bit: through NumPy's kernels in main memory, through tiles of tensors
on a GPU, and through the same tiles in main memory, where they can be tried without one."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.neighbors import brute

from infoscope.base import DataError, InfoscopeWarning, ParameterError
from infoscope.neighbors import Reduction, Space, count_closer, count_within, distance_histogram, nearest, reduce_tiles
from infoscope.neighbors.reductions import column_items, row_items

torch = pytest.importorskip("torch")

from infoscope.neighbors import admissible, backend_torch, tensors  # noqa: E402  (they need torch)

gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
PLACES = ["kernels", "tiles", pytest.param("cuda", marks=gpu)]
TILES = [(256, 2048), (31, 17)]


@pytest.fixture
def place(request, monkeypatch):
    """Where tensors are, and what reads them there."""
    monkeypatch.setattr(tensors, "KERNELS_ON_CPU", request.param == "kernels")
    return "cuda" if request.param == "cuda" else "cpu"


@pytest.fixture
def tiles(monkeypatch):
    monkeypatch.setattr(tensors, "KERNELS_ON_CPU", False)

    def shape(rows, columns):
        monkeypatch.setattr(backend_torch, "CPU_TILE", (rows, columns))
        monkeypatch.setattr(backend_torch, "GPU_TILE", (rows, columns))

    return shape


def pair(x, device="cpu", **options):
    """The same space of arrays and of tensors."""
    return Space(x, **options), Space(torch.tensor(np.asarray(x), device=device), **options)


def radii_of(space, n_rows, most, seed):
    """Up to `most` radii a row, in no order: distances of random pairs, some twice, some a hair apart, one huge."""
    rng = np.random.default_rng(seed)
    indptr = np.concatenate([[0], np.cumsum(rng.integers(0, most + 1, n_rows))])
    i, j = rng.integers(len(space), size=(2, indptr[-1]))
    radii = space.squared_distances(i, j) * rng.choice([1, 1 + 3e-13, 1 + 1e-9], indptr[-1])
    radii[rng.integers(0, len(radii), len(radii) // 5)] = radii[0]
    radii[-1] = 1e300
    return indptr, radii


def assert_same(one, other, ks=(1, 7), weighted=False, queries=None, **rule):
    """Neighbours, ranks and counts of two spaces are equal; `queries` may be a pair of spaces."""
    new = queries if isinstance(queries, tuple) else (queries, queries)
    n_rows = len(one) if queries is None else len(new[0])
    asked = [(space, {**rule, "queries": rows}) for space, rows in zip((one, other), new, strict=True)]
    i, j = np.random.default_rng(0).integers(len(one), size=(2, 200))
    np.testing.assert_array_equal(other.squared_distances(i, j), one.squared_distances(i, j))
    for k in ks:
        for ties in ("index", "all"):
            a, b = (nearest(space, k, ties=ties, **options) for space, options in asked)
            for field in ("indptr", "items", "squared", "admissible"):
                np.testing.assert_array_equal(getattr(a, field), getattr(b, field))
    for most in (3, 40):
        indptr, radii = radii_of(one, n_rows, most, most)
        a, b = (count_within(space, indptr, radii, weighted=weighted, **options) for space, options in asked)
        for mine, theirs in zip(b, a, strict=True):
            if weighted:
                np.testing.assert_allclose(mine, theirs, rtol=1e-12, atol=1e-12 * one.sample_weight.sum())
            else:
                np.testing.assert_array_equal(mine, theirs)


# ------------------------------------------------------------------------------------------------------- equal answers
@pytest.mark.parametrize("place", PLACES, indirect=True)
@pytest.mark.parametrize("metric", ["euclidean", "periodic", "manhattan", "chebyshev", "cosine", "hamming"])
@pytest.mark.parametrize(("d", "dtype"), [(1, np.float64), (3, np.float32), (11, np.float64), (50, np.float32)])
def test_metrics(place, metric, d, dtype):
    rng = np.random.default_rng(d)
    x = rng.normal(size=(130, d)).astype(dtype)
    options = {"metric": metric, "feature_weights": rng.uniform(0.3, 2, d)}
    if metric == "hamming":
        x = np.rint(x)
    if metric == "periodic":
        options = {"period": np.where(np.arange(d) % 3 == 0, 2.5, 0), "feature_weights": rng.uniform(0.3, 2, d)}
    assert_same(*pair(x, place, period_check=False, **options))


@pytest.mark.parametrize("shape", TILES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", ["normal", "offset", "outlier", "clusters", "duplicates", "lattice", "huge", "tiny"])
def test_hard_data(tiles, kind, dtype, shape):
    tiles(*shape)
    x = brute.hard_data(kind, 150, 9, dtype)
    assert_same(*pair(x))


@pytest.mark.parametrize("shape", TILES)
def test_columns_of_very_different_norms_are_read_apart(tiles, shape):
    tiles(*shape)
    x = np.random.default_rng(2).standard_cauchy((180, 6))
    x[::30] *= 1e3
    parts = []
    original = backend_torch.TorchTiles._parts

    def counted(self, t):
        found = list(original(self, t))
        parts.append(len(found))
        return iter(found)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backend_torch.TorchTiles, "_parts", counted)
        one, other = pair(x, sample_weight=np.linspace(0.5, 2, 180))
        assert_same(one, other)
        assert_same(one, other, weighted=True)
    assert max(parts) > 2


@pytest.mark.parametrize("place", PLACES, indirect=True)
def test_windows_runs_and_chosen_items(place):
    rng = np.random.default_rng(3)
    n = 170
    run = np.repeat([2, 0, 1], [60, 70, 40])
    x, time = rng.integers(-3, 4, (n, 4)).astype(float), rng.permutation(n) / 10
    for options, rule in (
        ({}, {}),
        ({"run": run}, {"neighbors_from": "other_runs"}),
        ({"run": run, "time": time}, {"exclusion_window": 1.5}),
        ({"time": time}, {"exclusion_window": 3.0}),
    ):
        one, other = pair(x, place, **options)
        assert_same(one, other, **rule)
        assert_same(one, other, queries=rng.permutation(n)[:33], **rule)
        assert_same(one, other, ks=(2,), columns=np.sort(rng.permutation(n)[:120]), **rule)
        assert_same(one, other, queries=pair(rng.normal(size=(29, 4)).round(1), place), neighbors_from="any")


@pytest.mark.parametrize("place", PLACES, indirect=True)
@pytest.mark.parametrize("d", [2, 5])
def test_masses(place, d):
    rng = np.random.default_rng(4)
    x, weight = rng.integers(-4, 5, (140, d)).astype(float), rng.lognormal(sigma=2, size=140)
    weight[::9] = 0  # never candidates
    one, other = pair(x, place, sample_weight=weight, time=np.arange(140.0))
    for rule in ({}, {"exclusion_window": 4.0}):
        assert_same(one, other, weighted=True, **rule)
        graph = nearest(one, 3, ties="all", **rule)
        for a, b in zip(*(count_closer(s, graph, weighted=True, **rule) for s in (one, other)), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12 * weight.sum())


@given(data=st.data())
@settings(max_examples=14, derandomize=True, deadline=None)
def test_any_size_and_tile(data):
    n, d = data.draw(st.integers(2, 60)), data.draw(st.integers(1, 20))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    x = rng.normal(size=(n, d)) if data.draw(st.booleans()) else rng.integers(0, 3, (n, d))
    x = (x + data.draw(st.sampled_from([0, 1000]))).astype(data.draw(st.sampled_from([np.float32, np.float64])))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tensors, "KERNELS_ON_CPU", False)
        patch.setattr(tensors, "CPU_CHUNK", data.draw(st.sampled_from([1, 3000, 2**20])))
        patch.setattr(backend_torch, "CPU_TILE", (data.draw(st.integers(5, 70)), data.draw(st.integers(7, 70))))
        assert_same(*pair(x), ks={1, data.draw(st.integers(1, n - 1)), n - 1})


@pytest.mark.parametrize("place", PLACES, indirect=True)
def test_identical_points(place):
    one, other = pair(np.full((90, 4), 0.1), place)
    assert_same(one, other, ks=(1, 89))


def test_float32_starts_over_in_float64(tiles, monkeypatch):
    tiles(64, 64)
    made = []
    original = backend_torch.TorchTiles.__init__
    monkeypatch.setattr(
        backend_torch.TorchTiles,
        "__init__",
        lambda self, *a, **o: (original(self, *a, **o), made.append(self.dtype))[0],
    )
    assert_same(*pair(brute.hard_data("clusters", 200, 20, np.float64)), ks=(5,))
    assert {np.dtype(np.float32), np.dtype(np.float64)} == set(made)
    made.clear()
    assert_same(*pair(np.random.default_rng(0).normal(size=(200, 20)) * 1e20), ks=(5,))
    assert set(made) == {np.dtype(np.float64)}  # beyond 1e15 at once


@pytest.mark.parametrize("place", PLACES, indirect=True)
@pytest.mark.parametrize("kind", ["normal", "outlier", "huge", "clusters"])
@pytest.mark.parametrize("precision", [np.float32, np.float64])
def test_tiles_keep_their_promise(place, kind, precision):
    x = torch.tensor(brute.hard_data(kind, 120, 40, np.float64), device=place)
    space = Space(x, feature_weights=np.linspace(0.2, 2, 40))
    pairs = admissible.admissible_pairs(row_items(space, None), column_items(space, None))
    side = backend_torch.Side(x, pairs.rows)
    source = backend_torch.TorchTiles(space, side, side, pairs, precision)
    tile = source.tile(slice(20, 120), slice(10, 90), source.buffer(8000))
    i, j = (v.reshape(-1) for v in torch.meshgrid(torch.arange(100), torch.arange(80), indexing="ij"))
    i, j = i.to(place), j.to(place)
    truth = tile.measure(i, j).view(100, 80)
    assert torch.equal(torch.isinf(tile.squared).nonzero(), ((i + 20) == (j + 10)).view(100, 80).nonzero())
    off = torch.where(torch.isinf(tile.squared), 0, tile.squared.double() - truth).abs()
    assert bool((off <= tile.row_band.double()[:, None] + tile.column_band.double()).all())
    assert bool((tile.squared >= 0).all()) and tile.mass is None


class Sizes(Reduction):
    """Remembers the tiles it was given."""

    precision, whole_rows = np.float64, True

    def start(self, block):
        return []

    def update(self, state, tiles):
        assert all(isinstance(t.squared, torch.Tensor) for t in tiles)
        state.append([tuple(t.squared.shape) for t in tiles])
        return 0

    def finish(self, states):
        return states


def test_reductions_get_tensors_of_whole_rows(tiles):
    tiles(20, 8)
    spaces = [pair(np.random.default_rng(s).normal(size=(50, 3 + s)))[1] for s in (0, 1)]
    states = reduce_tiles(spaces, Sizes())
    assert all(len(state) == 1 and [columns for _, columns in state[0]] == [50, 50] for state in states)
    assert sum(state[0][0][0] for state in states) == 50


@pytest.mark.parametrize("place", PLACES, indirect=True)
def test_histogram_of_hamming_distances(place):
    one, other = pair(np.random.default_rng(0).integers(0, 3, (80, 6)), place, metric="hamming")
    np.testing.assert_array_equal(distance_histogram(other), distance_histogram(one))


# ----------------------------------------------------------------------------------------------------------- settings
@pytest.mark.parametrize("word", ["high", "medium"])
def test_lowered_precision_is_neither_used_nor_changed(tiles, word):
    tiles(64, 64)
    matmul = torch.backends.mkldnn.matmul if hasattr(torch.backends.mkldnn, "matmul") else SimpleNamespace()
    before, seen = torch.get_float32_matmul_precision(), []

    class Look(Sizes):
        def update(self, state, tiles):
            seen.append(getattr(matmul, "fp32_precision", torch.get_float32_matmul_precision()))
            return super().update(state, tiles)

    try:
        torch.set_float32_matmul_precision(word)
        assert_same(*pair(np.random.default_rng(1).normal(size=(300, 64))))
        reduce_tiles([pair(np.eye(40))[1]], Look())
        assert set(seen) <= {"ieee", "none", "highest", "tf32"} - ({"tf32"} if word == "medium" else set())
        assert torch.get_float32_matmul_precision() == word
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert_same(*pair(np.random.default_rng(2).normal(size=(100, 64))))
    finally:
        torch.set_float32_matmul_precision(before)


def test_deterministic_algorithms_and_default_types(tiles):
    tiles(64, 64)
    rng, before = np.random.default_rng(1), torch.get_default_dtype()
    try:
        torch.use_deterministic_algorithms(True)
        torch.set_default_dtype(torch.float16)
        for metric in ("euclidean", "hamming", "chebyshev"):
            one, other = pair(np.rint(rng.normal(size=(120, 9))), metric=metric, sample_weight=rng.uniform(1, 2, 120))
            assert_same(one, other)
            assert_same(one, other, weighted=True)
    finally:
        torch.use_deterministic_algorithms(False)
        torch.set_default_dtype(before)


def test_one_device_for_all():
    spaces = [SimpleNamespace(backend="torch", features=torch.empty(2, 2, device=device)) for device in ("cpu", "meta")]
    with pytest.raises(ParameterError, match="cpu, meta"):
        backend_torch.run_torch(spaces, [None, None], None, None, "")


def test_tile_shape_follows_memory(monkeypatch):
    device = torch.device("cuda")
    for name in ("memory_reserved", "memory_allocated"):
        monkeypatch.setattr(torch.cuda, name, lambda d: 0)
    for free, n, spaces in ((2**37, 10**6, 1), (2**33, 10**6, 2), (2**28, 50, 1), (0, 10**6, 1), (2**33, 0, 1)):
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda d, free=free: (free, free))
        rows, columns = backend_torch._tile_shape(device, n, spaces)
        assert 1 <= rows <= 4096 and 1 <= columns <= max(n, 1)
        assert rows * columns * spaces * backend_torch.PAIR_BYTES <= max(free, 2**16 * 160 * spaces) / 2 + 2**25


# --------------------------------------------------------------------------------------------------------- the features
def test_tensors_are_owned_and_copied_once():
    x = torch.randn(20, 3, requires_grad=True)
    before = x.detach().clone()
    space = Space(x)
    assert space.features.data_ptr() != x.data_ptr() and not space.features.requires_grad
    assert space.backend == "torch" and len(space) == 20 and space.features.device == x.device
    assert tensors.as_array(space.features).ctypes.data == space.features.data_ptr()  # seen, not copied again
    x.data[:] = 0.0
    assert torch.equal(space.features, before)


@pytest.mark.parametrize("kind", ["float16", "bfloat16", "uint8", "int64", "bool"])
def test_other_types(kind):
    x = (torch.rand(50, 4, generator=torch.manual_seed(0)) * 5).to(getattr(torch, kind))
    space = Space(x)
    assert space.features.dtype == (torch.float32 if "float" in kind else torch.float64)
    one, other = Space(x.double().numpy()), space
    np.testing.assert_array_equal(nearest(one, 5).items, nearest(other, 5).items)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (torch.tensor([[0.0, 1.0], [2.0, float("nan")]]), "A holds NaN in row 1, column 1"),
        (torch.tensor([[0.0], [-float("inf")]]), "infinite number .-inf. in row 1, column 0"),
        (torch.tensor([[0.0], [1e200]], dtype=torch.float64), "1.0e.200 in row 1, column 0: its square overflows"),
        (torch.zeros(3), "two dimensions"),
        (torch.zeros(0, 3), "empty"),
        (torch.zeros(3, 3, dtype=torch.complex64), "complex"),
        (torch.eye(3).to_sparse(), "to_dense"),
        (torch.zeros(3, 3, device="meta"), "no float64"),
    ],
)
def test_bad_tensors(x, message):
    with pytest.raises(DataError, match=message):
        Space(x, name="A")


def test_cosine_directions_have_the_bits_of_numpy():
    rng = np.random.default_rng(0)
    for dtype in (np.float32, np.float64):
        x = (rng.normal(size=(900, 21)) * 1e30).astype(dtype)
        one, other = pair(x, metric="cosine", feature_weights=np.linspace(0.5, 2, 21))
        np.testing.assert_array_equal(other.features.numpy(), one.features)
    with pytest.raises(DataError, match="row 1 of A is all zeros"):
        Space(torch.tensor([[1.0, 0.0], [0.0, 0.0]]), metric="cosine", name="A")


@pytest.mark.filterwarnings("ignore::infoscope.base.InfoscopeWarning")
def test_standard_scale_and_displacements():
    rng = np.random.default_rng(0)
    x = np.column_stack([rng.normal(size=80) * 7, rng.uniform(-180, 180, 80), np.full(80, 0.1)])
    one, other = pair(x, scale="standard", period=[0, 360, 0])
    np.testing.assert_array_equal(other.feature_weights, one.feature_weights)
    assert_same(one, other)
    i, j = np.arange(80), np.roll(np.arange(80), 3)
    np.testing.assert_array_equal(other.displacements(i, j), one.displacements(i, j))
    np.testing.assert_array_equal(other.take(i[::2]).pair_distances([1], [3]), one.pair_distances([2], [6]))
    extremes, deviations = tensors.column_statistics(other.features, other.period)
    np.testing.assert_array_equal(extremes, [x.min(0), x.max(0)])
    np.testing.assert_allclose(1 / deviations[:2], one.feature_weights[:2], rtol=1e-12)


def test_degrees_read_as_radians_are_noticed():
    angles = np.random.default_rng(0).uniform(-180, 180, (100, 1))
    with pytest.raises((DataError, InfoscopeWarning)):
        Space(torch.tensor(angles), period=2 * np.pi)


def test_shortcuts_serve_tensors_too():
    rng = np.random.default_rng(0)
    assert_same(*pair(rng.normal(size=(2100, 2)).astype(np.float32)), ks=(3,))  # a KD-tree
    assert_same(*pair(rng.normal(size=(500, 1)).round(1), sample_weight=rng.uniform(1, 2, 500)), weighted=True)
