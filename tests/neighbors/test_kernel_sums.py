"""Sums, means and covariances under a Gaussian kernel against plain float64 arithmetic, on every backend."""

import math

import numpy as np
import pytest

from infoscope.base import ParameterError
from infoscope.neighbors import Space, kernel_matrix, kernel_product, kernel_sums

# Backends differ in the order of sums of up to 400 terms, and in tiles within 1e-11 of an exponent.
CLOSE = dict(rtol=3e-11, atol=1e-13)


def brute(x, y, h, weight=None, period=None, allowed=None, scale=1.0):
    """(log sum, mean, covariance) of every row of x over y, one pair at a time."""
    delta = y[None].astype(float) - x[:, None].astype(float)
    if period is not None:
        delta -= np.where(period > 0, period, 0) * np.rint(delta / np.where(period > 0, period, 1))
    exponent = -((scale * delta) ** 2).sum(-1) / (2 * h * h)
    exponent = exponent + (0 if weight is None else np.log(weight))
    exponent = exponent if allowed is None else np.where(allowed, exponent, -np.inf)
    top = exponent.max(1, keepdims=True)
    p = np.exp(exponent - np.where(top > -np.inf, top, 0))
    total = p.sum(1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = p / total
        mean = (p[..., None] * delta).sum(1)
        away = delta - mean[:, None]
        covariance = (p[..., None, None] * away[..., :, None] * away[..., None, :]).sum(1)
        return np.log(total[:, 0]) + top[:, 0], mean, covariance


def assert_matches(found, expected):
    for mine, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(mine, theirs, **CLOSE)


@pytest.fixture(scope="module")
def points():
    return np.random.default_rng(0).normal(size=(400, 3)) * [1, 2, 0.5]


@pytest.mark.parametrize("h", [0.05, 0.7, 30.0])
@pytest.mark.parametrize("d", [1, 2, 3])
def test_sums_means_and_covariances_are_those_of_plain_arithmetic(points, h, d):
    x = points[:, :d]
    others = ~np.eye(len(x), dtype=bool)
    assert_matches(kernel_sums(x, h, moments=2), brute(x, x, h, allowed=others))
    assert_matches(kernel_sums(x, h, moments=2, include_self=True), brute(x, x, h))


def test_several_bandwidths_and_bandwidths_of_ones_own(points):
    several, own = np.array([0.3, 1.0]), np.random.default_rng(1).uniform(0.2, 2, (400, 2))
    together, apart = kernel_sums(points, several, moments=2), kernel_sums(points, own, moments=2)
    assert together.log_sum.shape == (400, 2) and together.covariance.shape == (400, 2, 3, 3)
    for h in range(2):
        assert_matches([part[:, h] for part in together], kernel_sums(points, several[h], moments=2))
        for row in (0, 399):
            alone = kernel_sums(points, own[row, h], moments=2, queries=[row])
            assert_matches([part[[row], h] for part in apart], alone)


def test_two_samples_weights_powers_and_columns(points):
    x, y = points[:150], points[150:]
    weight = np.random.default_rng(2).uniform(0.1, 3, 250) * (np.arange(250) % 5 > 0)
    space = Space(y, sample_weight=weight)
    some = weight > 0
    found = kernel_sums(space, 0.8, moments=2, queries=Space(x))
    assert_matches(found, brute(x, y[some], 0.8, weight[some]))
    squares = kernel_sums(space, 0.8, power=2, queries=Space(x))
    np.testing.assert_allclose(squares.log_sum, brute(x, y[some], 0.8 / math.sqrt(2), weight[some])[0], **CLOSE)
    chosen = np.arange(1, 40)[some[1:40]]
    few = kernel_sums(space, 0.8, queries=Space(x), columns=np.arange(1, 40))
    np.testing.assert_allclose(few.log_sum, brute(x, y[chosen], 0.8, weight[chosen])[0], **CLOSE)


def test_periods_by_minimum_image_and_feature_weights(points):
    angles, period = points % 3.0, np.array([3.0, 3.0, 0.0])
    space = Space(angles, period=period, feature_weights=[1.0, 0.5, 2.0], period_check=False)
    others = ~np.eye(400, dtype=bool)
    expected = brute(angles, angles, 0.4, period=period, allowed=others, scale=np.array([1.0, 0.5, 2.0]))
    assert_matches(kernel_sums(space, 0.4, moments=2), expected)


def test_windows_and_runs_are_left_out_and_self_is_asked_for(points):
    run, time = np.repeat([0, 1], 200), np.tile(np.arange(200.0), 2)
    space = Space(points, run=run, time=time)
    near = (run[:, None] == run) & (np.abs(time[:, None] - time) <= 3)
    assert_matches(kernel_sums(space, 0.5, moments=2, exclusion_window=3), brute(points, points, 0.5, allowed=~near))
    with_self = kernel_sums(space, 0.5, moments=2, exclusion_window=3, include_self=True)
    assert_matches(with_self, brute(points, points, 0.5, allowed=~near | np.eye(400, dtype=bool)))
    other = kernel_sums(space, 0.5, neighbors_from="other_runs")
    np.testing.assert_allclose(other.log_sum, brute(points, points, 0.5, allowed=run[:, None] != run)[0], **CLOSE)


def test_far_from_everything_nothing_underflows():
    y = np.random.default_rng(3).normal(size=(300, 4))
    x = np.array([[1e3, 0, 0, 0], [0, 0, 0, 0.0]])
    found = kernel_sums(Space(y), 0.05, moments=2, queries=Space(x))
    assert found.log_sum[0] < -1e8
    assert_matches(found, brute(x, y, 0.05))


@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_sharp_kernels_far_from_the_origin_are_measured(offset):
    """A tile is off by c (|x|^2 + |y|^2): two clusters 1e4 apart and a bandwidth of 1e-3 would leave no digit."""
    g = np.random.default_rng(4)
    x = np.r_[g.normal(size=(150, 5)) * 1e-3, 1e4 + g.normal(size=(150, 5)) * 1e-3] + offset
    assert_matches(kernel_sums(x, 1e-3, moments=2), brute(x, x, 1e-3, allowed=~np.eye(300, dtype=bool)))


def test_a_row_that_may_use_nobody():
    found = kernel_sums(np.zeros((1, 2)), 1.0, moments=2)
    assert found.log_sum[0] == -np.inf and np.isnan(found.mean).all() and np.isnan(found.covariance).all()
    alone = kernel_sums(np.zeros((1, 2)), 1.0, moments=2, include_self=True)
    assert alone.log_sum[0] == 0 and not alone.mean.any() and not alone.covariance.any()


def test_other_metrics_have_sums_and_no_moments(points):
    far = np.abs(points[:, None] - points).sum(-1)
    others = np.where(np.eye(400, dtype=bool), 0, np.exp(-(far**2) / 2))
    for space in (Space(points, metric="manhattan"), Space.from_distances(far)):
        np.testing.assert_allclose(np.exp(kernel_sums(space, 1.0).log_sum), others.sum(1), rtol=1e-11)
        with pytest.raises(ParameterError, match="needs displacements"):
            kernel_sums(space, 1.0, moments=1)
    unit = points / np.linalg.norm(points, axis=1, keepdims=True)
    cosine = kernel_sums(Space(points, metric="cosine"), 0.5)
    np.testing.assert_allclose(cosine.log_sum, kernel_sums(unit, 0.5).log_sum, **CLOSE)


def test_nothing_depends_on_threads_or_order_of_rows(points):
    one, two = kernel_sums(points, 0.7, moments=2, n_jobs=1), kernel_sums(points, 0.7, moments=2, n_jobs=2)
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)
    order = np.random.default_rng(5).permutation(400)
    for a, b in zip(one, kernel_sums(points[order], 0.7, moments=2), strict=True):
        np.testing.assert_allclose(a[order], b, **CLOSE)


@pytest.mark.parametrize("place", ["kernels", "tiles"])
@pytest.mark.parametrize("periodic", [False, True])
def test_tensors_give_the_same(points, place, periodic, monkeypatch):
    torch = pytest.importorskip("torch")
    from infoscope.neighbors import backend_torch, tensors

    monkeypatch.setattr(tensors, "KERNELS_ON_CPU", place == "kernels")
    monkeypatch.setattr(backend_torch, "CPU_TILE", (31, 17))
    options = dict(sample_weight=np.random.default_rng(6).uniform(0.5, 2, 400), time=np.arange(400.0))
    options |= dict(period=[3.0, 0, 0], period_check=False) if periodic else {}
    x = points % 3.0 if periodic else points
    h = np.random.default_rng(1).uniform(0.2, 2, (400, 2))
    asked = dict(moments=2, exclusion_window=2, include_self=True)
    mine = kernel_sums(Space(torch.tensor(x), **options), h, **asked)
    assert_matches(mine, kernel_sums(Space(x, **options), h, **asked))
    new = kernel_sums(Space(torch.tensor(x)), 0.4, moments=1, queries=Space(torch.tensor(x[:50] + 0.1)))
    assert new.covariance is None
    assert_matches(new[:2], kernel_sums(Space(x), 0.4, moments=1, queries=Space(x[:50] + 0.1))[:2])


def test_dask_gives_the_same(points):
    array = pytest.importorskip("dask.array")
    options = dict(sample_weight=np.random.default_rng(6).uniform(0.5, 2, 400), time=np.arange(400.0))
    h = np.random.default_rng(1).uniform(0.2, 2, (400, 2))
    lazy = Space(array.from_array(points, chunks=(90, 3)), **options)
    asked = dict(moments=2, exclusion_window=2, include_self=True)
    assert_matches(kernel_sums(lazy, h, **asked), kernel_sums(Space(points, **options), h, **asked))


def test_dask_merges_rows_of_several_blocks_and_parts(monkeypatch):
    array = pytest.importorskip("dask.array")
    from infoscope.neighbors import chunks

    monkeypatch.setattr(chunks, "PART_ROWS", 300)
    x = np.random.default_rng(7).normal(size=(900, 2))
    h = np.random.default_rng(1).uniform(0.2, 2, (900, 1))
    lazy = Space(array.from_array(x, chunks=(300, 2)))
    assert_matches(kernel_sums(lazy, h, moments=2), kernel_sums(x, h, moments=2))


@pytest.mark.parametrize("place", ["arrays", "tiles", "dask"])
@pytest.mark.parametrize("d", [2, 3])
def test_the_matrix_and_its_products(points, place, d, monkeypatch):
    x, vectors = points[:150, :d], np.random.default_rng(8).normal(size=(150, 2))
    expected = np.exp(-((x[:, None] - x) ** 2).sum(-1) / (2 * 0.7**2))
    data = x
    if place == "tiles":
        torch = pytest.importorskip("torch")
        from infoscope.neighbors import backend_torch, tensors

        monkeypatch.setattr(tensors, "KERNELS_ON_CPU", False)
        monkeypatch.setattr(backend_torch, "CPU_TILE", (31, 17))
        data = torch.tensor(x)
    elif place == "dask":
        data = pytest.importorskip("dask.array").from_array(x, chunks=(60, d))
    space = Space(data, time=np.arange(150.0)[::-1], sample_weight=np.arange(1.0, 151))  # neither changes anything
    np.testing.assert_allclose(kernel_matrix(space, 0.7), expected, **CLOSE)
    np.testing.assert_allclose(kernel_product(space, 0.7, vectors), expected @ vectors, **CLOSE)


def test_a_matrix_of_too_many_items_is_refused():
    with pytest.raises(ParameterError, match="would take"):
        kernel_matrix(Space(np.arange(20_000.0)[:, None]), 1.0)


@pytest.mark.parametrize("wrong", [0.0, -1.0, np.nan, np.inf, 1e-200, 1e200, [], np.ones((3, 1)), np.ones((1, 1, 1))])
def test_a_bandwidth_that_is_none(points, wrong):
    with pytest.raises(ParameterError, match="bandwidth"):
        kernel_sums(points, wrong)


def test_what_does_not_go_together(points):
    with pytest.raises(ParameterError, match="new points are not among the items"):
        kernel_sums(points, 1.0, queries=Space(points), include_self=True)
    with pytest.raises(ParameterError, match="moments must be at most 2"):
        kernel_sums(points, 1.0, moments=3)
    with pytest.raises(ParameterError, match="power is 0"):
        kernel_sums(points, 1.0, power=0)
    with pytest.raises(ParameterError, match="would take .* GiB: ask for some of the rows"):
        kernel_sums(np.zeros((2000, 400)), 1.0, moments=2)
