"""States of new points against the rule for items, many draws of the density, and what must be refused."""

import numpy as np
import pandas
import pytest

from infoscope.base import DataError, ParameterError
from infoscope.density import DensityPeaks, PAk
from infoscope.density.new_points import state_probabilities
from infoscope.neighbors import Space, nearest


def two_states(n=600, apart=5.0, seed=0):
    g = np.random.default_rng(seed)
    return np.r_[g.normal(size=(n, 2)), g.normal(size=(n, 2)) + [apart, 0]]


@pytest.fixture(scope="module")
def peaks():
    return DensityPeaks(2, density=PAk(dimension=2, max_neighbors=100, calibrate=False)).fit(two_states())


def test_probabilities_are_shares_of_draws():
    """The log density of a new point drawn 40 000 times: how often each state's point is the first one above it."""
    g = np.random.default_rng(1)
    items, lower_of_points = np.array([g.permutation(30)[:12] for _ in range(5)]), g.normal(size=30)
    states, lower, error = g.integers(0, 3, 30), 0.5 * g.normal(size=5), g.uniform(0.2, 1, 5)
    found = state_probabilities(lower, error, items, lower_of_points, states, 3)
    for i in range(5):
        drawn = lower[i] + error[i] * g.normal(size=40_000)
        above = lower_of_points[items[i]][None] > drawn[:, None]
        first = np.where(above.any(1), above.argmax(1), 0)
        share = np.bincount(states[items[i]][first], minlength=3) / 40_000
        np.testing.assert_allclose(found[i], share, atol=0.01)  # four standard errors of a share
    np.testing.assert_allclose(found.sum(1), 1, rtol=1e-12)


def test_items_have_their_own_states_and_new_points_those_around(peaks):
    x = two_states()
    np.testing.assert_array_equal(peaks.predict(x), peaks.labels_)
    new = two_states(seed=5)
    label = peaks.predict(new)
    of_well = peaks.predict([[0.0, 0.0], [5.0, 0.0]])
    assert sorted(of_well) == [0, 1]
    sure = np.abs(new[:, 0] - 2.5) > 0.7
    np.testing.assert_array_equal(label[sure], of_well[(new[sure, 0] > 2.5).astype(int)])
    probability = peaks.predict_proba(new)
    np.testing.assert_allclose(probability.sum(1), 1, rtol=1e-12)
    np.testing.assert_array_equal(probability.argmax(1), label)
    assert probability.max(1)[np.abs(new[:, 0] - 2.5) > 1.5].min() > 0.99
    assert probability.max(1)[np.abs(new[:, 0] - 2.5) < 0.3].mean() < 0.99  # between the states nobody is sure


def test_how_often_the_most_probable_state_is_that_of_a_fit_with_the_point(peaks):
    """New points added to the data and fitted with them: as many keep their state as was said."""
    new = np.c_[np.random.default_rng(6).uniform(1.7, 3.3, 60), np.random.default_rng(7).normal(size=60) * 0.5]
    probability, label = peaks.predict_proba(new), peaks.predict(new)
    kept = []
    for point, state in zip(new[:30], label[:30], strict=True):
        both = DensityPeaks(2, density=PAk(dimension=2, max_neighbors=100, calibrate=False)).fit(
            np.r_[two_states(), point[None]]
        )
        kept.append(both.labels_[-1] == both.labels_[np.flatnonzero(peaks.labels_ == state)[0]])
    assert np.mean(kept) > probability.max(1)[:30].mean() - 0.2


def test_the_halo(peaks):
    halo = DensityPeaks(2, halo=True).fit(peaks.density_)
    x = two_states()
    np.testing.assert_array_equal(halo.predict(x), halo.labels_)
    assert halo.predict([[0.0, 9.0]])[0] == -1 and halo.predict([[0.0, 0.0]])[0] >= 0
    assert halo.predict_proba([[0.0, 9.0]]).sum() == pytest.approx(1)


def test_a_bias_potential():
    x = two_states()
    potential = 0.3 * x[:, 0]
    found = DensityPeaks(2, density=PAk(dimension=2, max_neighbors=100, calibrate=False)).fit(x, bias=potential)
    np.testing.assert_array_equal(found.predict(x, bias=potential), found.labels_)
    with pytest.raises(ParameterError, match="pass its values at the new points"):
        found.predict(x)


def test_what_is_refused(peaks):
    with pytest.raises((DataError, ValueError), match="3 features, but DensityPeaks is expecting 2"):
        peaks.predict(np.zeros((4, 3)))
    frame = pandas.DataFrame(two_states(60), columns=["phi", "psi"])
    named = DensityPeaks(1, density=PAk(dimension=2, max_neighbors=50, calibrate=False)).fit(frame)
    assert len(named.predict(frame[:3])) == 3
    with pytest.raises(ValueError, match="chi"):
        named.predict(frame.rename(columns={"psi": "chi"}))
    with pytest.raises(ValueError, match="NaN|nan"):
        peaks.predict([[np.nan, 0.0]])
    x = two_states(60)
    bare = nearest(Space.from_distances(np.linalg.norm(x[:, None] - x, axis=-1)), 20)
    graph = DensityPeaks(1, density=PAk(dimension=2, max_neighbors=20, calibrate=False)).fit(bare)
    with pytest.raises(ParameterError, match="knows no features|matrix of distances"):
        graph.predict([[1.0, 0.0]])
