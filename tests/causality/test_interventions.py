"""Restart configurations and divergences of two samples against closed forms and loops over pairs."""

import numpy as np
import pandas as pd
import pytest

from infoscope.base import DataError, ParameterError
from infoscope.causality import intervene, interventional_effect


def test_one_column_is_set_and_nothing_else():
    state = np.random.default_rng(0).normal(size=(30, 3))
    before = state.copy()
    changed = intervene(state, 1, 5.0)
    assert (changed[:, 1] == 5).all() and np.array_equal(changed[:, [0, 2]], before[:, [0, 2]])
    assert np.array_equal(state, before)
    both = intervene(state, [0, 2], [1, -1])
    assert (both[:, [0, 2]] == [1, -1]).all() and np.array_equal(both[:, 1], before[:, 1])
    whole = intervene(np.array([[1, 2], [3, 4]]), 0, 0.5)
    assert whole.tolist() == [[0.5, 2], [0.5, 4]]


def test_frames_stay_frames():
    frame = pd.DataFrame({"phi": [1.0, 2.0], "x": [3, 4]}, index=["a", "b"])
    changed = intervene(frame, "phi", -1.5)
    assert changed["phi"].tolist() == [-1.5, -1.5] and changed.index.tolist() == ["a", "b"]
    assert frame["phi"].tolist() == [1, 2]
    polars = pytest.importorskip("polars")
    assert intervene(polars.DataFrame({"phi": [1.0, 2.0]}), "phi", 3)["phi"].to_list() == [3, 3]


def energy_by_loops(a, b):
    def mean(x, y):
        return np.abs(x[:, None] - y).mean()

    return 2 * mean(a, b) - mean(a, a) - mean(b, b)


def test_the_energy_distance_is_the_mean_over_pairs():
    g = np.random.default_rng(1)
    a, b = g.normal(size=(40, 2)), 0.4 + g.normal(size=(55, 2)).round(1)  # ties as well
    found = interventional_effect(a, b, method="energy", n_bootstrap=20, n_permutations=19, random_state=0)
    np.testing.assert_allclose(found.effect, [energy_by_loops(a[:, i], b[:, i]) for i in range(2)], rtol=1e-12)


def test_the_divergence_of_two_gaussians():
    """KL = (difference of means)^2 / 2; twelve samples of 1000, error of their mean and a smoothing bias below 0.04."""
    values, errors = [], []
    for seed in range(12):
        g = np.random.default_rng(seed)
        found = interventional_effect(
            g.normal(size=1000), 1 + g.normal(size=1000), n_bootstrap=40, n_permutations=0, random_state=seed
        )
        values.append(found.effect[0])
        errors.append(found.effect_se[0])
    assert np.mean(values) == pytest.approx(0.5, abs=0.04 + 2 * np.std(values) / np.sqrt(12))
    assert 0.6 < np.std(values) / np.mean(errors) < 1.6  # 12 seeds know a spread to 20 %


@pytest.mark.parametrize("method", ["kde", "energy"])
def test_p_values_keep_their_level_and_find_what_is_there(method):
    p = []
    for seed in range(100):
        g = np.random.default_rng(seed)
        a, b = g.standard_t(4, size=(2, 60))
        p.append(
            interventional_effect(a, b, method=method, n_bootstrap=0, n_permutations=19, random_state=0).p_values[0]
        )
    assert np.mean(np.array(p) <= 0.05) <= 0.12  # binomial 95 % of 100: at most 10
    assert 0.4 < np.mean(p) < 0.65
    g = np.random.default_rng(0)
    found = interventional_effect(
        g.normal(size=(80, 2)), g.normal(size=(80, 2)) + [0, 1.5], method=method, random_state=0
    )
    assert found.p_values[1] == 0.005 < found.p_values[0] and "causes" in found.verdict
    assert found.effect_low[1] > found.null_high[1] and found.effect[1] > found.null_high[1]


def test_the_seed_decides_and_units_do_not():
    g = np.random.default_rng(0)
    a, b = g.normal(size=50), g.normal(size=60) + 0.5
    options = dict(n_bootstrap=30, n_permutations=19, random_state=5)
    first, again = (interventional_effect(a, b, **options) for _ in range(2))
    assert first.effect_se == again.effect_se and first.p_values == again.p_values
    scaled = interventional_effect(1e3 * a, 1e3 * b, **options)
    np.testing.assert_allclose(scaled.effect, first.effect, rtol=1e-9)
    assert np.isclose(interventional_effect(3 * a, 3 * b, method="energy", **options).effect,
                      3 * interventional_effect(a, b, method="energy", **options).effect)  # fmt: skip


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: intervene(np.eye(3), 3, 1.0), "column must be at most 2"),
        (lambda: intervene(pd.DataFrame({"a": [1.0]}), "b", 1.0), "no column 'b'; known are"),
        (lambda: intervene(np.eye(3), [0, 1], 1.0), "one finite number for each of the 2 columns"),
        (lambda: intervene(np.eye(3), 0, np.nan), "one finite number"),
        (lambda: interventional_effect(np.zeros(5), np.zeros(30)), "at least 20 are needed"),
        (lambda: interventional_effect(np.zeros((30, 2)), np.zeros(30)), "samples_a has 2 lags and samples_b 1"),
        (lambda: interventional_effect(np.zeros(30), np.zeros(30)), "all copies have the same value"),
        (lambda: interventional_effect(np.full(30, np.nan), np.zeros(30)), "NaN in row 0"),
        (lambda: interventional_effect(np.zeros(30), np.zeros(30), method="kl"), "method must be one of"),
        (lambda: interventional_effect(np.zeros(30), np.zeros(30), lags=[1, 2]), "1 columns of samples"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call, text):
    with pytest.raises((DataError, ParameterError), match=text):
        call()


def test_the_largest_effect_that_would_not_show():
    """An effect at the limit of its lag has a p-value above 1/40 (two lags), one above it has not."""
    g = np.random.default_rng(0)
    a, b = g.normal(size=(2, 100, 2))
    found = interventional_effect(a, b, n_permutations=199, n_bootstrap=0, random_state=1)
    assert "No effect" in found.verdict
    assert found.verdict.endswith(f"; an effect up to {found.detection_limit.max():.2g} would not show.")
    shifts, seen = np.linspace(0, 1.5, 31), []
    for shift in shifts:  # copies that exchange sides have other values then, so limits move with the shift
        one = interventional_effect(a + [shift, 0], b, n_permutations=199, n_bootstrap=0, random_state=1)
        assert (one.effect[0] > one.detection_limit[0]) == (one.p_values[0] * 2 <= 0.05)
        seen.append(one.p_values[0] * 2 <= 0.05)
    assert 3 < sum(seen) < 28
    few = interventional_effect(a, b, n_permutations=19, n_bootstrap=0)
    assert few.verdict.endswith("; so few draws show nothing.") and np.isinf(few.detection_limit).all()
