"""The same numbers from NumPy, torch and Dask, whatever the chunks: ties, duplicates, windows, runs and weights."""

import numpy as np
import pytest

from infoscope import Space, imbalance_matrix, information_imbalance

BACKENDS = ("torch", "torch tiles", "dask")


def converted(x, backend, seed):
    if backend.startswith("torch"):
        return pytest.importorskip("torch").from_numpy(np.array(x))
    array = pytest.importorskip("dask.array")
    chunk = int(np.random.default_rng(seed).integers(30, len(x)))  # odd chunk sizes, one of them smaller
    return array.from_array(np.array(x), chunks=(chunk, -1))


def case(seed):
    """Random sizes and features; every second case on a coarse grid (ties in most rows), with duplicated rows."""
    g = np.random.default_rng(seed)
    n, d = int(g.integers(60, 220)), int(g.integers(1, 9))
    x = g.normal(size=(n, d + 1))
    if seed % 2:
        x = np.rint(x * 2) / 2
        x[n // 2] = x[0]
    x = x.astype(np.float32 if seed % 3 == 0 else np.float64)
    run = np.repeat([0, 1, 2], [n // 4, n // 4, n - 2 * (n // 4)])
    time = np.concatenate([np.arange((run == r).sum()) for r in range(3)]).astype(float)
    options = [dict(), dict(run=run), dict(run=run, time=time), dict(sample_weight=g.uniform(0.5, 2.0, n))][seed % 4]
    by_run = dict(neighbors_from="other_runs") if "run" in options else {}
    rule = dict(exclusion_window=2.0) if "time" in options else by_run
    k = 8 if "sample_weight" in options else int(g.integers(1, 6))
    return x, x[:, : max(1, d // 2)], options, dict(k=k, standard_error="graph", **rule)


@pytest.fixture(autouse=True)
def tiles(request, monkeypatch):
    """Tensors on the CPU are read by the NumPy kernels; "torch tiles" makes them take the way of a GPU."""
    if "torch tiles" in request.node.name:
        pytest.importorskip("torch")
        monkeypatch.setattr("infoscope.neighbors.tensors.KERNELS_ON_CPU", False)


@pytest.mark.filterwarnings("ignore::infoscope.base.InfoscopeWarning")
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("seed", range(8))
def test_backends_agree_to_the_last_rank(backend, seed):
    x, y, of_space, of_call = case(seed)
    plain = information_imbalance(Space(x, **of_space), Space(y, **of_space), **of_call)
    other = information_imbalance(
        Space(converted(x, backend, seed), **of_space), Space(converted(y, backend, seed), **of_space), **of_call
    )
    for way in ("a_to_b", "b_to_a"):
        ranks, expected = getattr(other, f"{way}_ranks"), getattr(plain, f"{way}_ranks")
        if "sample_weight" in of_space:  # masses are sums of floats: 1e-12 relative
            np.testing.assert_allclose(ranks, expected, rtol=1e-12)
        else:
            np.testing.assert_array_equal(ranks, expected)
        assert getattr(other, way) == pytest.approx(getattr(plain, way), rel=1e-12)
        assert getattr(other, f"{way}_se") == pytest.approx(getattr(plain, f"{way}_se"), rel=1e-9)


@pytest.mark.parametrize("backend", BACKENDS)
def test_matrix_of_another_backend(backend):
    x = np.random.default_rng(5).normal(size=(150, 4))
    parts = {"all": x, "first": x[:, :2], "last": x[:, 2:]}
    plain = imbalance_matrix(parts)
    other = imbalance_matrix({name: converted(part, backend, 3) for name, part in parts.items()})
    np.testing.assert_allclose(other.values, plain.values, rtol=1e-13)


def test_spaces_of_different_backends_may_be_compared():
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).normal(size=(50, 3))
    mixed = information_imbalance(x, torch.from_numpy(x))  # each space is searched on its own, so they may differ
    assert mixed.a_to_b == pytest.approx(2 / 50)
