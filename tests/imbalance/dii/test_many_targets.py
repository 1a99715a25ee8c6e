"""Weights of many targets at once: values and slopes beside those of one target, weights beside the truth."""

import numpy as np
import pytest

from infoscope import dii_value_and_grad
from infoscope.imbalance.dii.many_targets import Descent, Lines, blocks_of_targets, fit_many_targets
from infoscope.imbalance.dii.pair_batches import OwnSources, PairBatches
from infoscope.neighbors import Admissibility, Items


def in_order(n, run=None):
    return Items(np.arange(n), np.zeros(n, int) if run is None else run, np.arange(float(n)))


def made(kind, sources, shared):
    """Batches of one kind."""
    if kind == "tensors":
        torch = pytest.importorskip("torch")
        from infoscope.imbalance.dii.pair_batches_torch import TorchBatches

        return TorchBatches(torch.device("cpu"), *shared)
    return OwnSources(sources, *shared) if kind == "own" else PairBatches(*shared)


@pytest.mark.parametrize("sources", ["shared", "own", "tensors"])
@pytest.mark.parametrize("period", [None, 3.0])
@pytest.mark.parametrize("width", [0.0, 6.0])
@pytest.mark.parametrize(("n", "k"), [(100, 4), (37, 4), (150, 12)])
def test_value_and_gradient_are_those_of_one_target(n, k, width, period, sources):
    """In single precision: 1e-6 of a value that is about one, 2e-6 of a gradient by weights of norm about one."""
    rng = np.random.default_rng(n)
    x, weights = rng.normal(size=(n, 7)), rng.uniform(0.1, 1, (4, 7))
    weights[0, 3] = 0
    weights /= np.linalg.norm(weights, axis=1, keepdims=True)
    targets = np.stack([rng.normal(size=n), x[:, 0] ** 2, np.round(2 * x[:, 1]), x[:, 2]])
    periods = np.zeros(7)
    if period:
        periods[2] = period
    shared = (
        np.ascontiguousarray(x.T, np.float32), periods.astype(np.float32), in_order(n), n, k, 0.1, Admissibility(width)
    )  # fmt: skip
    batches = made(sources, np.tile(np.arange(7), (4, 1)), shared)
    rows = rng.permutation(n)
    values, slopes = batches.value_and_slopes(rows, Lines(targets, np.zeros(4)), weights**2)
    for t in range(4):
        value, gradient = dii_value_and_grad(
            x.astype(np.float32),
            targets[t][:, None],
            weights[t],
            k=k,
            period=periods if period else None,
            target_kind="features",
            exclusion_window=width,
            time=np.arange(n),
        )
        assert values[t] == pytest.approx(value, abs=1e-6)
        np.testing.assert_allclose(2 * weights[t] * slopes[t], gradient, atol=2e-6)


def test_rows_that_may_use_nobody_take_no_part():
    """Those in the middle are within 30 of all others: values and slopes of the rest, whose ranks end sooner."""
    rng, width = np.random.default_rng(3), 30
    x, y = rng.normal(size=(50, 3)), rng.normal(size=50)
    shared = (
        np.ascontiguousarray(x.T, np.float32),
        np.zeros(3, np.float32),
        in_order(50),
        50,
        4,
        0.1,
        Admissibility(width),
    )
    value, slopes = PairBatches(*shared).value_and_slopes(np.arange(50), Lines(y[None], np.zeros(1)), np.ones((1, 3)))

    def brute_force(squared_weights):
        total, rows = 0.0, 0
        for i in range(50):
            others = np.flatnonzero(np.abs(np.arange(50) - i) > width)
            if not len(others):
                continue
            d = (squared_weights * (x[others] - x[i]) ** 2).sum(1)
            ranks = 1 + np.argsort(np.argsort(np.abs(y[others] - y[i])))
            c = np.exp(-(d - d.min()) / (0.1 * np.sort(d)[min(4, len(others)) - 1]))
            total, rows = total + (c / c.sum()) @ ranks / (len(others) + 1), rows + 1
        return 2 * total / rows

    assert value[0] == pytest.approx(brute_force(np.ones(3)), abs=1e-6)
    step = 1e-5
    numeric = [(brute_force(1 + step * e) - brute_force(1 - step * e)) / (2 * step) for e in np.eye(3)]
    np.testing.assert_allclose(slopes[0], numeric, atol=1e-5)


@pytest.mark.parametrize("sources", ["shared", "own", "tensors"])
def test_copies_of_rows_do_not_make_the_bandwidth_zero(sources):
    x = np.repeat(np.random.default_rng(0).normal(size=(10, 2)), 10, axis=0)
    y = np.random.default_rng(1).normal(size=(1, 100))
    shared = (
        np.ascontiguousarray(x.T, np.float32), np.zeros(2, np.float32), in_order(100), 100, 5, 0.1, Admissibility()
    )  # fmt: skip
    batches = made(sources, np.array([[0, 1]]), shared)
    values, slopes = batches.value_and_slopes(np.arange(100), Lines(y, np.zeros(1)), np.ones((1, 2)))
    expected, gradient = dii_value_and_grad(x, y[0][:, None], [1.0, 1.0], k=5, target_kind="features")
    assert values[0] == pytest.approx(expected, abs=1e-6)
    np.testing.assert_allclose(2 * slopes[0], gradient, atol=1e-5)


def test_weights_find_what_was_put_in():
    rng = np.random.default_rng(5)
    x = rng.normal(size=(1000, 6))
    targets = np.stack([x[:, 1], 3 * x[:, 2] + x[:, 4], x[:, 0] ** 3])
    found = fit_many_targets(x, np.zeros(6), Lines(targets, np.zeros(3)), in_order(1000), seed=1)
    np.testing.assert_allclose(np.linalg.norm(found.weights, axis=1), 1, atol=1e-12)
    assert found.weights.argmax(1).tolist() == [1, 2, 0]
    assert np.sort(found.weights[0])[-2] < 0.1
    assert found.weights[1, 4] / found.weights[1, 2] == pytest.approx(1 / 3, abs=0.1)  # the best weights of a sum
    rest = np.delete(found.weights[1], [2, 4])
    assert rest.max() < 0.1
    for losses, n_epochs in zip(found.losses, found.n_epochs, strict=True):
        assert np.isfinite(losses[:n_epochs]).all() and np.isnan(losses[n_epochs:]).all()
        assert losses[n_epochs - 1] < losses[0]


def test_sources_of_its_own_are_those_that_a_target_weighs():
    """Both ways give the same weights when the others are taken away: single precision, thirty steps."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=(120, 6))
    targets = Lines(np.stack([x[:, 0] + x[:, 1] ** 2, x[:, 4], x[:, 5] * x[:, 0]]), np.zeros(3))
    sources = np.array([[0, 1, 2], [4, 3, 0], [0, 2, 5]])
    descent = Descent(batch_size=40, n_epochs=10)
    found = fit_many_targets(x, np.zeros(6), targets, in_order(120), descent=descent, sources=sources)
    for t, mine in enumerate(sources):
        alone = fit_many_targets(x[:, mine], np.zeros(3), targets.take(np.array([t])), in_order(120), descent=descent)
        np.testing.assert_allclose(found.weights[t, mine], alone.weights[0], atol=1e-5)
        assert not np.delete(found.weights[t], mine).any()


def test_blocks_and_threads_change_nothing():
    rng = np.random.default_rng(6)
    x, targets = rng.normal(size=(300, 5)), rng.normal(size=(40, 300))
    lines, descent = Lines(targets, np.zeros(40)), Descent(n_epochs=6)
    one = fit_many_targets(x, np.zeros(5), lines, in_order(300), descent=descent, n_jobs=1)
    two = fit_many_targets(x, np.zeros(5), lines, in_order(300), descent=descent, n_jobs=2)
    np.testing.assert_array_equal(one.weights, two.weights)
    seen = []
    blocks = blocks_of_targets(40)
    part = fit_many_targets(
        x, np.zeros(5), lines, in_order(300), descent=descent, blocks=blocks[1:], done=lambda b, w: seen.append(b)
    )
    assert seen == blocks[1:] and np.isnan(part.weights[blocks[0]]).all()
    np.testing.assert_array_equal(part.weights[blocks[1]], one.weights[blocks[1]])


def test_blocks_do_not_depend_on_threads_and_hold_every_target_once():
    for n in (1, 31, 32, 160, 1000):
        edges = [(b.start, b.stop) for b in blocks_of_targets(n)]
        assert edges[0][0] == 0 and edges[-1][1] == n
        assert all(a[1] == b[0] for a, b in zip(edges, edges[1:], strict=False))
        assert max(b - a for a, b in edges) <= 128


def test_without_early_stopping_all_epochs_are_made():
    rng = np.random.default_rng(7)
    x = rng.normal(size=(200, 3))
    lines = Lines(x.T.copy(), np.zeros(3))
    found = fit_many_targets(x, np.zeros(3), lines, in_order(200), descent=Descent(n_epochs=12, tolerance=0.0))
    assert found.n_epochs.tolist() == [12] * 3 and not found.converged.any()


def test_tensors_descend_to_the_same_weights():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(6)
    x = rng.normal(size=(160, 4))
    targets = Lines(np.stack([x[:, 0] + x[:, 1] ** 2, np.round(x[:, 2])]), np.zeros(2))
    run = Items(np.arange(160), np.repeat([0, 1], 80), np.arange(160.0))
    options = dict(descent=Descent(batch_size=40, n_epochs=10), admissibility=Admissibility(3.0))
    here = fit_many_targets(x, np.zeros(4), targets, run, **options)
    there = fit_many_targets(x, np.zeros(4), targets, run, device=torch.device("cpu"), **options)
    np.testing.assert_allclose(there.weights, here.weights, atol=1e-4)  # forty steps in single precision
    np.testing.assert_allclose(there.losses, here.losses, atol=1e-5)
