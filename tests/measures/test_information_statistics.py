"""Whether errors and p-values of shared information are what they say, over many samples."""

import warnings

import numpy as np
import pytest
from scipy.stats import binom, kstest
from tests.test_decisions import walk

from infoscope import (
    Space,
    conditional_mutual_information,
    mutual_information,
    pairwise_mutual_information,
    total_correlation,
)
from infoscope.statistics import permutation_p_value

NULLS = 2000
QUICK = 200


def at_most(n, level=0.05):
    """The number of rejections at a true level that one sample in a hundred exceeds."""
    return int(binom.ppf(0.99, n, level))


def independent(seed, n=60):
    return np.random.default_rng(seed).normal(size=(2, n, 1))


def p_plain(seed):
    x, y = independent(seed)
    return mutual_information(x, y, se=False, n_permutations=19, random_state=seed).p_value


def p_labels(seed):
    x, y = independent(seed)
    labels = np.digitize(y[:, 0], [-0.5, 0.5])
    return mutual_information(x, labels, se=False, n_permutations=19, random_state=seed).p_value


def p_series(seed, null="shift"):
    """So short that a dozen shifts are all there are: their p-values cannot be small, and are not."""
    x, y = walk(300, 1, 0.9, seed), walk(300, 1, 0.9, seed + 100_000)
    time = np.arange(300.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return mutual_information(
            Space(x, time=time), Space(y, time=time), se=False, n_permutations=19, null=null, random_state=seed
        ).p_value


def p_total(seed):
    columns = np.random.default_rng(seed).normal(size=(60, 3))
    return total_correlation(columns, se=False, n_permutations=19, random_state=seed).p_value


def p_conditional(seed):
    g = np.random.default_rng(seed)
    z = g.normal(size=80)
    x, y = z + g.normal(size=80), z + g.normal(size=80)
    return conditional_mutual_information(x, y, z, se=False, n_permutations=19, random_state=seed).p_value


def p_pair(seed):
    x, y = independent(seed)
    found = pairwise_mutual_information(np.hstack([x, y]), method="ksg", se=False, n_permutations=19, random_state=seed)
    return found.p_value[0, 1]


def p_copula(seed):
    x, y = independent(seed)
    return pairwise_mutual_information(np.hstack([x, y]), method="copula", se=False).p_value[0, 1]


WHO = {
    "rows": p_plain, "labels": p_labels, "series, shifted": p_series, "series, blocks": lambda s: p_series(s, "blocks"),
    "total": p_total, "conditional": p_conditional, "pairs": p_pair, "pairs, copula": p_copula,
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("who", WHO)
def test_false_alarms(who):
    rejected = sum(WHO[who](seed) <= 0.05 for seed in range(NULLS))
    assert rejected <= at_most(NULLS)


@pytest.mark.parametrize("who", ["rows", pytest.param("series, shifted", marks=pytest.mark.slow)])
def test_false_alarms_in_few_samples(who):
    assert sum(WHO[who](seed) <= 0.05 for seed in range(QUICK)) <= at_most(QUICK)


def test_p_values_are_uniform():
    """200 nulls of 39 shuffles each: steps of 1/40 are spread evenly by adding less than a step."""
    p = []
    for seed in range(200):
        x, y = independent(seed, 40)
        p.append(mutual_information(x, y, se=False, n_permutations=39, random_state=seed).p_value)
    spread = np.array(p) - np.random.default_rng(0).random(200) / 40
    assert kstest(spread, "uniform").pvalue > 0.01


def test_shifts_of_a_short_series_are_few():
    """300 rows of correlation time 19 have about a dozen shifts: no p-value below 1/13 says anything."""
    assert min(p_series(seed) for seed in range(20)) > 0.05
    assert permutation_p_value(1.0, np.zeros(199), independent=12.0) == pytest.approx(1 / 13)
    assert permutation_p_value(1.0, np.zeros(199), independent=500.0) == 1 / 200


# -------------------------------------------------------------------------------------------------------------- errors
def gaussian(seed, rho, n, series=0.0):
    g = np.random.default_rng(seed)
    if not series:
        x = g.normal(size=n)
        return x, rho * x + np.sqrt(1 - rho**2) * g.normal(size=n)
    a, b = walk(n, 1, series, seed)[:, 0], walk(n, 1, series, seed + 100_000)[:, 0]
    return a, rho * a + np.sqrt(1 - rho**2) * b


def covered(rho, n, samples):
    truth, count, errors, values = -0.5 * np.log(1 - rho**2), 0, [], []
    for seed in range(samples):
        found = mutual_information(*gaussian(seed, rho, n))
        low, high = found.interval
        count += low <= truth <= high
        errors.append(found.value_se)
        values.append(found.value)
    return count, np.mean(errors), np.std(values)


@pytest.mark.slow
@pytest.mark.parametrize("rho", [0.3, 0.6, 0.75, 0.9])
@pytest.mark.parametrize("n", [300, 1000])
def test_coverage_on_the_gaussian_family(rho, n):
    count, error, spread = covered(rho, n, 200)
    assert count >= 0.88 * 200
    assert error == pytest.approx(spread, rel=0.25)  # parts of thirty rows say a fifth too little


def test_coverage_in_few_samples():
    count, error, spread = covered(0.75, 300, 40)
    assert count >= 32  # a coverage of 0.88 gives less in one of a hundred
    assert error == pytest.approx(spread, rel=0.35)


@pytest.mark.slow
def test_coverage_of_series():
    """Rows of an autoregression: parts are stretches of time, neighbours lie outside the correlation time."""
    truth, count = -0.5 * np.log(1 - 0.75**2), 0
    for seed in range(100):
        x, y = gaussian(seed, 0.75, 3000, series=0.9)
        time = np.arange(3000.0)
        found = mutual_information(Space(x[:, None], time=time), Space(y[:, None], time=time))
        low, high = found.interval
        count += low <= truth <= high
    assert count >= 88 - 5  # what 100 samples of 88 % may lack
