"""Estimates of transfer entropy against exact values of the processes that the data come from, and definitions."""

import numpy as np
import pytest

from infoscope.base import DataError, ParameterError
from infoscope.causality import markov_transfer_entropy, ou_transfer_entropy, transfer_entropy
from infoscope.datasets import ar1, markov_chain, ornstein_uhlenbeck
from infoscope.neighbors import Space

P = [[0, 0.5, 0.5], [0.5, 0.4, 0.1], [0.5, 0.1, 0.4]]
WELL = [[1, 0.6], [0.6, 1]]


def test_counts_are_those_of_the_definition():
    """Plug-in value by a dictionary of states, less (cells with both ends - ...)/(2 N)."""
    g = np.random.default_rng(0)
    x, y = g.integers(0, 3, 400), g.integers(0, 2, 400)
    y[1:] = np.where(g.random(399) < 0.5, x[:-1] % 2, y[1:])
    found = transfer_entropy(x, y, 1, method="discrete")
    a, later, now = x[:-1], y[1:], y[:-1]
    n, value, cells = 399, 0.0, 0
    count = {}
    for kind, parts in (("axy", (a, later, now)), ("y", (now,)), ("ay", (a, now)), ("yy", (later, now))):
        for key in zip(*parts, strict=True):
            count[(kind, *key)] = count.get((kind, *key), 0) + 1
    for i in range(n):
        p = count["axy", a[i], later[i], now[i]] * count["y", now[i]]
        value += np.log(p / (count["ay", a[i], now[i]] * count["yy", later[i], now[i]])) / n
    for kind, sign in (("axy", 1), ("y", 1), ("ay", -1), ("yy", -1)):
        cells += sign * sum(key[0] == kind for key in count)
    assert found.forward[0] == pytest.approx(value - cells / (2 * n), abs=1e-12)


@pytest.mark.filterwarnings("ignore:.*repeat another one")
def test_the_reversible_chain_from_its_steps():
    (state,) = markov_chain(40_000, P, random_state=0)
    exact = markov_transfer_entropy(P, [0, 1, 2], [0, 0, 1], [1, 2, 3])
    found = transfer_entropy(state, state == 2, [1, 2, 3], method="discrete")
    assert (np.abs(found.forward - exact.forward) < 3 * found.forward_se).all()
    assert (found.forward_se < 0.003).all() and np.abs(found.backward).max() < 1e-12
    assert "hardly back" in found.verdict


def test_covariances_give_the_linear_value_with_calibrated_errors():
    exact = ou_transfer_entropy(WELL, [1, 0.1], 1.0, 0.15, 0, 1).forward[0]
    values, errors = [], []
    for seed in range(40):
        (x,) = ornstein_uhlenbeck(1500, WELL, gamma=[1, 0.1], time_step=0.15, random_state=seed)
        found = transfer_entropy(x[:, 0], x[:, 1], 1, method="gaussian")
        values.append(found.forward[0])
        errors.append(found.forward_se[0])
    assert np.mean(values) == pytest.approx(exact, abs=3 * np.std(values) / np.sqrt(40) + 1 / 1500)
    assert 0.65 < np.std(values) / np.mean(errors) < 1.45  # 40 samples know a spread to 11 %


def test_neighbours_find_the_same_in_one_way():
    """Six series of 1500 rows: their mean is known to 0.006, the bias of the estimator is smaller."""
    found = []
    for seed in range(6):
        (x,) = ornstein_uhlenbeck(4500, WELL, gamma=[1, 0.1], time_step=0.15, random_state=seed)
        one = transfer_entropy(x[:, 0], x[:, 1], 1, n_samples=1500, se=False)
        found.append([one.forward[0], one.backward[0]])
    forward, backward = np.mean(found, axis=0)
    assert forward == pytest.approx(0.096, abs=0.02) and backward == pytest.approx(0.003, abs=0.015)


def test_linear_estimates_are_blind_to_even_couplings():
    (x,) = ar1(1500, 1, 0.7, random_state=0)
    g, y = np.random.default_rng(1), np.zeros(1500)
    for t in range(1499):
        y[t + 1] = 0.5 * y[t] + 0.6 * (x[t, 0] ** 2 - 1) + 0.4 * g.normal()
    linear = transfer_entropy(x, y, 1, method="gaussian", n_permutations=19)
    near = transfer_entropy(x, y, 1, n_permutations=19, se=False)
    assert linear.forward[0] < 0.02 and near.forward[0] > 0.2
    assert near.forward_p[0] == 0.05 and near.backward_p[0] > 0.05 and near.forward_null.shape == (1, 19)


def test_what_is_known_beside_and_longer_histories():
    g = np.random.default_rng(3)
    z = g.normal(size=3000)
    x, y = np.roll(z, 1) + 0.3 * g.normal(size=3000), np.roll(z, 2) + 0.3 * g.normal(size=3000)
    plain = transfer_entropy(x, y, 1, method="gaussian").forward[0]
    given = transfer_entropy(x, y, 1, method="gaussian", condition=np.roll(z, 1)).forward[0]
    left = 0.09 / 1.09 + 0.09  # variance of the later y once x is known; 1.09 before
    assert plain == pytest.approx(np.log(1.09 / left) / 2, abs=0.05) and abs(given) < 0.01
    two_back = transfer_entropy(np.roll(x, -1), y, 1, method="gaussian", history=(1, 1)).forward[0]
    seen = transfer_entropy(np.roll(x, -1), y, 1, method="gaussian", history=(2, 1)).forward[0]
    assert two_back < 0.01 and seen == pytest.approx(plain, abs=0.01)


def test_units_and_names():
    (state,) = markov_chain(3000, P, random_state=0)
    space = Space(state[:, None], time=np.arange(3000), name="state")
    nats, bits = (
        transfer_entropy(space, Space((state[:, None] == 2) * 1.0, time=space.time, name="third"), 1,
                         method="discrete", unit=unit, n_permutations=19)
        for unit in ("nats", "bits")
    )  # fmt: skip
    np.testing.assert_allclose(bits.forward, nats.forward / np.log(2))
    np.testing.assert_allclose(bits.forward_se, nats.forward_se / np.log(2))
    assert bits.forward_p == nats.forward_p == 0.05 and "state → third" in str(bits)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda x, y: transfer_entropy(x, y, 1, method="kraskov"), "method must be one of"),
        (lambda x, y: transfer_entropy(x, y, 0.5), "lags must be a whole number"),
        (lambda x, y: transfer_entropy(x, y, -1), "lags must be at least 0"),
        (lambda x, y: transfer_entropy(x, y[:50], 1), "lengths differ"),
        (lambda x, y: transfer_entropy(x, np.zeros(99), 1), "target is constant"),
        (lambda x, y: transfer_entropy(np.c_[x, x], y, 1, method="gaussian"), "singular"),
        (lambda x, y: transfer_entropy(x, y, 1, method="discrete"), "a state of its own"),
        (lambda x, y: transfer_entropy(Space(x[:, None], period=7), y, 1, method="gaussian"), "no periodic columns"),
        (lambda x, y: transfer_entropy(x, y, 1, history=(1,)), "rows for source and target"),
        (lambda x, y: transfer_entropy(x, y, 1, unit="hartley"), "unit must be one of"),
        (lambda x, y: transfer_entropy(np.where(x > 1, np.inf, x), y, 1), "infinite"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call, text):
    x, y = np.random.default_rng(0).normal(size=(2, 99))
    with pytest.raises((DataError, ParameterError), match=text):
        call(x, y)


@pytest.mark.parametrize("unit", ["nats", "bits"])
def test_the_largest_transfer_that_would_not_show(unit):
    x, y = np.random.default_rng(0).normal(size=(2, 200))
    options = dict(method="gaussian", unit=unit, null="permute")
    found = transfer_entropy(x, y, [1, 2], n_permutations=199, **options)
    for null, limits in (
        (found.forward_null, found.forward_detection_limit),
        (found.backward_null, found.backward_detection_limit),
    ):
        for values, limit in zip(null, limits, strict=True):  # two lags: 1/40 each
            assert (1 + (values >= limit).sum()) / 200 > 0.025 >= (1 + (values > limit).sum()) / 200
    most = max(found.forward_detection_limit.max(), found.backward_detection_limit.max())
    assert found.verdict.endswith(f"at these lags; a transfer up to {most:.2g} {unit} would not show.")
    few = transfer_entropy(x, y, [1, 2], n_permutations=19, **options)
    assert few.verdict.endswith("; so few draws show nothing.")
    plain = transfer_entropy(x, y, [1, 2], **options)
    if "No transfer" in plain.verdict:
        most = 2 * max(plain.forward_se.max(), plain.backward_se.max())
        assert plain.verdict.endswith(f"; a transfer up to {most:.2g} {unit} would not show.")


def test_a_p_value_of_the_level_itself_is_seen():
    """Of 199 sources none is as large: 1/200 of ten lags is 5 %, as the other verdicts read it."""
    x = np.random.default_rng(0).integers(0, 2, 400)
    found = transfer_entropy(x, np.roll(x, 1), range(1, 11), method="discrete", n_permutations=199)
    assert found.forward_p.min() == 1 / 200 and "hardly back" in found.verdict
