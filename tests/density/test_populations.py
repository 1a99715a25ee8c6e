"""Populations of states, and what is made of them, against many trajectories of a walk whose law is known."""

import numpy as np
import pytest

from infoscope.base import ParameterError
from infoscope.density import DensityPeaks, KNNDensity, PAk
from infoscope.neighbors import Space

HEIGHT = 2.5  # of the barrier of 2.5 (x^2 - 1)^2, in kT
STEP, EVERY = 0.02, 5  # frames every 0.1


def walks(n_frames, n_walks, seed):
    """Frames of Brownian walks in 2.5 (x^2 - 1)^2, (walks, frames): Euler steps from one well or the other."""
    g = np.random.default_rng(seed)
    x, out = np.where(g.random(n_walks) < 0.5, -1.0, 1.0), np.empty((n_frames, n_walks))
    for t in range(-200, n_frames):
        for _ in range(EVERY):
            x = x - 4 * HEIGHT * x * (x * x - 1) * STEP + np.sqrt(2 * STEP) * g.normal(size=n_walks)
        if t >= 0:
            out[t] = x
    return out.T


def tilt(x):
    """Weights that favour the right well."""
    return np.exp(0.5 * x)


def right_state(x, **options):
    """Population of the right well, its error, and the free energy of the right over the left with its error."""
    space = Space(x[:, None], time=0.1 * np.arange(len(x)), **options)
    peaks = DensityPeaks(Z=1.65, density=PAk(dimension=1, max_neighbors=100, calibrate=False)).fit(space)
    found = next(cut for Z in (1.65, 2, 2.3, 2.6, 3, 3.5, 4) if (cut := peaks.cut(Z)).n_clusters <= 2)
    if found.n_clusters == 1:  # no Z finds two states: a bump of noise is as high as the barrier
        return (np.nan,) * 5
    left, right = np.argsort(x[found.centers])
    return (
        found.populations[right],
        found.populations_se[right],
        *found.free_energy_difference(right, left),
        found.n_stretches,
    )


def compare_with_many(n_frames, n_told, n_walks, weighted):
    """Mean claimed errors of population and free energy difference over the spread of both among many walks."""
    many = walks(n_frames, n_walks, 1)
    weight = tilt(many) if weighted else np.ones_like(many)
    share = ((many > 0) * weight).sum(1) / weight.sum(1)
    told = []
    for x in walks(n_frames, n_told, 2):
        told.append(right_state(x, **({"sample_weight": tilt(x)} if weighted else {})))
    claimed = np.nanmean(told, axis=0)
    assert np.mean(np.isnan(told)) < 0.1
    return share.std() / claimed[1], np.log(share / (1 - share)).std() / claimed[3]


@pytest.mark.parametrize("weighted", [False, True])
def test_populations_of_a_walk_in_two_wells(weighted):
    """By independent rows the errors are eight times too small."""
    ratios = compare_with_many(1500, 12, 1000, weighted)
    assert all(0.8 < ratio < 1.25 for ratio in ratios)


@pytest.mark.slow
@pytest.mark.parametrize("weighted", [False, True])
def test_populations_of_long_walks(weighted):
    """3000 frames every 0.1, as in the report: 0.479 +- 0.009 was said, where 400 trajectories spread by 0.069."""
    ratios = compare_with_many(3000, 40, 400, weighted)
    assert all(0.8 < ratio < 1.25 for ratio in ratios)


def test_independent_rows_have_the_multinomial_error():
    g = np.random.default_rng(3)
    x = np.r_[g.normal(size=(300, 2)), g.normal(size=(100, 2)) + 8]
    found = DensityPeaks(3, density=KNNDensity(20, dimension=2, calibrate=False)).fit(x).result_
    p = found.populations
    np.testing.assert_allclose(found.populations_covariance, (np.diag(p) - np.outer(p, p)) / 400, atol=1e-12)
    np.testing.assert_allclose(found.populations_se, np.sqrt(p * (1 - p) / 400), rtol=1e-9)
    value, error = found.with_units("kJ/mol", 300).free_energy_difference(1, 0)
    assert value == pytest.approx(2.4943 * np.log(3), rel=1e-4)
    # log p_1/p_0 of two shares: its derivative is 1/(p_0 p_1)
    assert error == pytest.approx(2.4943 / np.sqrt(400 * p[0] * p[1]), rel=1e-4)
    assert found.free_energy_difference(1, 1) == (0.0, 0.0) and found.n_stretches == 400
    with pytest.raises(ParameterError, match="no cluster 2: they are 0 to 1"):
        found.free_energy_difference(0, 2)


def test_few_stretches_are_warned_of():
    x = walks(400, 1, 4)[0]
    density = PAk(dimension=1, max_neighbors=50, calibrate=False).fit(Space(x[:, None], time=0.1 * np.arange(400)))
    found = DensityPeaks(1).fit(density).result_
    said = " ".join(found.warnings)
    assert found.n_stretches < 10 and ("stretches of the series" in said or "too short" in said)
    alone = PAk(dimension=1, max_neighbors=50, calibrate=False).fit(x[:, None], exclusion_window=0)
    assert DensityPeaks(1).fit(alone).result_.n_stretches == 400  # poses, not a trajectory


def test_runs_that_stay_in_one_state_count_as_one_visit_each():
    """Eight short runs that never cross: p (1 - p)/7, where rows within a quarter of a run would give half of it."""
    g = np.random.default_rng(5)
    well = np.array([0, 1, 1, 0, 1, 0, 1, 1])
    x = 4.0 * np.repeat(well, 100) + g.normal(size=800)
    space = Space(x[:, None], run=np.repeat(np.arange(8), 100))
    found = DensityPeaks(2, density=KNNDensity(30, dimension=1, calibrate=False)).fit(space).result_
    p = found.populations.max()
    assert found.n_clusters == 2 and found.n_stretches == pytest.approx(8)
    assert found.populations_se.max() == pytest.approx(np.sqrt(p * (1 - p) / 7), rel=0.1)  # a few rows lie across


def test_states_outlast_the_columns():
    """A slow mode spread over ten noisy columns, none of which shows it for long: the states themselves do."""
    g = np.random.default_rng(6)
    state = np.repeat(g.integers(0, 2, 20), 100)
    x = g.normal(size=(2000, 10)) + 2.2 * state[:, None]
    space = Space(x, time=np.arange(2000.0))
    found = DensityPeaks(1.65, density=KNNDensity(40, dimension=10, calibrate=False)).fit(space).result_
    assert found.n_clusters == 2 and found.n_stretches < 40
    assert found.populations_se.max() > 0.05  # twenty stays: 0.5/sqrt(20) = 0.11; of independent rows 0.011
