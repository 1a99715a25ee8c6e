"""One sweep over two spaces gives what four passes give; where it must not be used it is not."""

import numpy as np
import pytest

from infoscope.neighbors import (
    Admissibility,
    Space,
    backend_numpy,
    count_closer,
    cross_ranks,
    nearest,
    neighbors_and_ranks,
    panels,
)


@pytest.fixture(autouse=True)
def tiles(monkeypatch):
    """Where panels apply they are faster, and this sweep makes way for them."""
    monkeypatch.setattr(panels, "SWITCHED_ON", False)


def test_makes_way_for_panels(monkeypatch):
    monkeypatch.setattr(panels, "SWITCHED_ON", True)
    space = Space(np.random.default_rng(0).normal(size=(600, 20)))
    assert neighbors_and_ranks(space, space, 1) is None


def check(a, b, k, n_jobs=None, **rule):
    found = neighbors_and_ranks(a, b, k, admissibility=Admissibility(**rule), n_jobs=n_jobs)
    assert found is not None
    for way, (source, target) in zip(found, ((a, b), (b, a)), strict=True):
        graph = nearest(source, k, ties="all", **rule)
        closer, tied = count_closer(target, graph, **rule)
        np.testing.assert_array_equal(way.graph.items, graph.items)
        np.testing.assert_array_equal(way.graph.squared, graph.squared)
        np.testing.assert_array_equal(way.graph.admissible, graph.admissible)
        np.testing.assert_array_equal(way.closer, closer)
        np.testing.assert_array_equal(way.tied, tied)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n", "d", "k"), [(600, 7, 1), (700, 50, 5), (2500, 20, 1), (900, 12, 30), (513, 784, 3)])
def test_equals_the_four_passes(n, d, k, dtype):
    x = np.random.default_rng(n).normal(size=(n, d)).astype(dtype)
    y = (x + np.random.default_rng(1).normal(size=(n, d))).astype(dtype)
    check(Space(x, period_check=False), Space(y, period_check=False), k)  # one of 784 columns happens to end at pi


@pytest.mark.parametrize("kind", ["offset", "outlier", "clusters", "tiny"])
def test_hard_values(kind):
    """Values at which float32 tiles decide little: many pairs are measured, or blocks start over in float64."""
    g = np.random.default_rng(3)
    x = g.normal(size=(800, 10))
    if kind == "offset":
        x += 1e3
    elif kind == "outlier":
        x[17] = 1e4
    elif kind == "clusters":
        x = g.normal(size=(20, 10))[g.integers(0, 20, 800)] + 1e-6 * x
    else:
        x *= 1e-25
    check(Space(x), Space(np.roll(x, 1, axis=1) + np.abs(x).max() * 0.1 * g.normal(size=x.shape)), 4)


def test_windows_runs_and_metrics():
    g = np.random.default_rng(4)
    x, run, time = g.normal(size=(640, 9)), np.repeat([0, 1, 2], [100, 300, 240]), g.permutation(640).astype(float)
    a, b = Space(x, run=run, time=time), Space(x[:, ::-1] + g.normal(size=x.shape), run=run, time=time, metric="cosine")
    check(a, b, 2, exclusion_window=5.0)
    check(a, b, 2, neighbors_from="other_runs")


def test_small_tiles_and_threads(monkeypatch):
    x = np.random.default_rng(5).normal(size=(1200, 8))
    a, b = Space(x), Space(x**3)
    monkeypatch.setattr(backend_numpy, "TILE", (130, 97))
    for n_jobs in (1, 3):
        check(a, b, 3, n_jobs=n_jobs)


@pytest.mark.parametrize("case", ["ties", "grid", "few columns", "few items", "weights", "periods", "large", "torch"])
def test_refuses(case, monkeypatch):
    x = np.random.default_rng(6).normal(size=(600, 9))
    options = {}
    if case == "ties":
        x[598] = x[599] = x[0]  # three of a kind: each has two nearest neighbours
    elif case == "grid":
        x = np.rint(x)
    elif case == "few columns":
        x = x[:, :4]
    elif case == "few items":
        x = x[:300]
    elif case == "weights":
        options = dict(sample_weight=np.linspace(1, 2, 600))
    elif case == "periods":
        options = dict(period=10.0, period_check=False)
    elif case == "large":
        monkeypatch.setattr(cross_ranks, "KEPT_BYTES", 8 * 600 * 100)
    else:
        x = pytest.importorskip("torch").from_numpy(x)
    space = Space(x, **options)
    assert neighbors_and_ranks(space, space, 1) is None
