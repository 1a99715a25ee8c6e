"""R-hat, effective sizes and errors of Markov chains."""

import math
import tracemalloc

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from tests.statistics.series import autoregressive

from infoscope.base import DataError, ParameterError
from infoscope.statistics import chain_effective_size, chain_error, r_hat
from infoscope.statistics.correlation import lagged_products

KINDS = ("bulk", "tail", "mean")


def correlated(phi, n_chains, n_draws, seed):
    return autoregressive(phi, n_draws, np.random.default_rng(seed), n_chains).T


def noise(*shape, seed=7):
    return np.random.default_rng(seed).normal(size=shape)


def dyadic(x):
    """Whole multiples of 2^-20: exact at the median of an even number, from which two draws are equally far."""
    return np.rint(x * 2**20) / 2**20


def measures(x):
    return [r_hat(x), *[chain_effective_size(x, kind=kind) for kind in KINDS], chain_error(x).value_se]


# ----------------------------------------------------------------------------------------------- independent references
# ArviZ 0.23.4 (NumPy 2.4.6): rhat(method="rank"), ess(method="bulk" | "tail" | "mean"), mcse(method="mean")
ARVIZ = {
    "independent": (1.0045520292832366, 967.289115270522, 881.3883325679265, 963.6838265336701, 0.030338003584862883),
    "correlated": (1.0385390453116419, 214.20673311510288, 544.727922496115, 216.64603596659705, 0.06722281564240003),
    "antithetic": (0.9990021681096811, 1666.890750230186, 471.46744010100235, 1666.890750230186, 0.022168330575319514),
    "one chain": (math.nan, 143.0121108779247, 193.6223928061164, 142.11642426800066, 0.07772263292241281),
    "odd length": (1.0732542412035595, 31.489908882713934, 141.7393026941363, 33.67166179864248, 0.1749597127965515),
    "elsewhere": (1.1374636914435063, 21.195971112704463, 64.77484512966944, 20.823917567373734, 0.22786257543757005),
    "wider": (1.1249047349721206, 386.4677244105715, 57.89155028265505, 360.10619106314266, 0.08416605878575516),
    "no variance": (0.9991866930765549, 813.8724021124717, 731.3208268246512, 817.5206916316453, 1.5447327545406557),
    "counts": (1.014175271739384, 457.84401963270665, 394.807092604104, 480.1682404921827, 0.06056609203529094),
    "short": (1.014047240097995, 44.31363764158987, 44.31363764158987, 44.31363764158987, 0.12664873078040667),
}
INPUTS = {
    "independent": noise(4, 250),
    "correlated": correlated(0.7, 4, 400, 7),
    "antithetic": correlated(-0.6, 2, 300, 7),
    "one chain": correlated(0.5, 1, 400, 7),
    "odd length": correlated(0.3, 3, 101, 7) + np.linspace(0, 1, 101),
    "elsewhere": noise(4, 100) + np.array([[0], [0], [0], [1]]),
    "wider": dyadic(noise(4, 100) * np.array([[1], [1], [1], [3]])),
    "no variance": dyadic(np.random.default_rng(7).standard_cauchy(size=(4, 200))),
    "counts": np.random.default_rng(7).poisson(2.0, size=(4, 120)),
    "short": noise(5, 7),
}


@pytest.mark.parametrize("name", ARVIZ)
def test_values_of_arviz(name):
    """One definition, other sums: 1e-10 leaves room for the rounding of transforms only.

    They differ on purpose where an indicator or all draws are constant (ArviZ counts every draw; here it is NaN, or
    left out), and where ArviZ rounds a quantile below the draw that it is.
    """
    np.testing.assert_allclose(measures(INPUTS[name]), ARVIZ[name], rtol=1e-10)


def halves(x):
    half = x.shape[1] // 2
    return np.concatenate([x[:, :half], x[:, -half:]])


def scores(z):
    return scipy.stats.norm.ppf((scipy.stats.rankdata(z).reshape(z.shape) - 3 / 8) / (z.size + 1 / 4))


def naive_r_hat(z):
    n = z.shape[1]
    within = np.mean([np.var(chain, ddof=1) for chain in z])
    between = n * np.var([np.mean(chain) for chain in z], ddof=1)
    return np.sqrt(((n - 1) / n * within + between / n) / within)


def naive_size(z):
    """Word by word: autocovariances as double sums, pairs while they are positive, never growing."""
    m, n = z.shape
    within = np.mean([np.var(chain, ddof=1) for chain in z])
    total = (n - 1) / n * within + np.var([np.mean(chain) for chain in z], ddof=1)
    rho = [1.0]
    for lag in range(1, n):
        covariances = [
            sum((c[t] - np.mean(c)) * (c[t + lag] - np.mean(c)) for t in range(n - lag)) / n for c in np.asarray(z)
        ]
        rho.append(1 - (within - np.mean(covariances)) / total)
    tau, smallest, k = -1.0, math.inf, 0
    while rho[2 * k] + rho[2 * k + 1] > 0 and 2 * (k + 1) < n - 2:
        smallest = min(smallest, rho[2 * k] + rho[2 * k + 1])
        tau += 2 * smallest
        k += 1
    tau += rho[2 * k] if rho[2 * k] + rho[2 * k + 1] > 0 else max(rho[2 * k], 0)
    return m * n / max(tau, 1 / np.log10(m * n))


@pytest.mark.parametrize("phi", [-0.5, 0.0, 0.6, 0.95])
@pytest.mark.parametrize("shape", [(1, 40), (3, 41), (2, 9), (4, 4)])
def test_by_double_sums(phi, shape):
    x = correlated(phi, *shape, seed=3)
    z = halves(x)
    folded = np.round(np.abs(z - np.median(z)), 12)  # rounding does not tell draws apart
    expected = math.nan if len(x) == 1 else max(naive_r_hat(scores(z)), naive_r_hat(scores(folded)))
    assert r_hat(x) == pytest.approx(expected, rel=1e-10, nan_ok=True)
    assert chain_effective_size(x) == pytest.approx(naive_size(scores(z)), rel=1e-10)
    assert chain_effective_size(x, kind="mean") == pytest.approx(naive_size(z), rel=1e-10)
    tails = [halves(x <= np.sort(x, axis=None)[math.floor((x.size - 1) * p)]).astype(float) for p in (0.05, 0.95)]
    sizes = [naive_size(tail) for tail in tails if np.ptp(tail) > 0]
    assert chain_effective_size(x, kind="tail") == pytest.approx(min(sizes, default=math.nan), rel=1e-10, nan_ok=True)


@given(st.lists(st.lists(st.floats(-9, 9), min_size=1, max_size=9), min_size=1, max_size=5))
def test_lagged_products_by_double_sums(runs):
    products, pairs = lagged_products(np.concatenate(runs), [len(run) for run in runs])
    for lag in range(max(map(len, runs))):
        terms = [run[t] * run[t + lag] for run in runs for t in range(len(run) - lag)]
        assert products[lag] == pytest.approx(sum(terms), abs=1e-10) and pairs[lag] == len(terms)


# --------------------------------------------------------------------------------------------------------- closed forms
@pytest.mark.parametrize("phi", [0.0, 0.5, 0.9])
def test_autoregressive_chains(phi):
    """Effective size S (1 - phi) / (1 + phi), error of the mean sqrt of (1 + phi) / (1 - phi) / S at unit variance.

    60 data sets of 4 x 4000 draws: a size scatters by 9 % at phi = 0.9, so their mean by 1.2 %; where the sum is cut
    may bias it by as much.  4 % is both, with room.
    """
    found = [chain_error(correlated(phi, 4, 4000, seed)) for seed in range(60)]
    true = 16000 * (1 - phi) / (1 + phi)
    assert np.mean([mean.effective_size for mean in found]) == pytest.approx(true, rel=0.04)
    assert np.mean([mean.value_se for mean in found]) == pytest.approx(true**-0.5, rel=0.04)
    bulk = [chain_effective_size(correlated(phi, 4, 4000, seed)) for seed in range(20)]
    assert np.mean(bulk) == pytest.approx(true, rel=0.06)  # scores of normal draws are the draws; fewer data sets


@pytest.mark.parametrize(("phi", "n_chains", "n_draws"), [(0.0, 4, 500), (0.7, 4, 500), (0.9, 1, 4000)])
def test_the_error_covers(phi, n_chains, n_draws):
    """95 % of the intervals hold the true mean 0; 400 data sets: one standard deviation is 1.1 %, three are allowed."""
    found = [chain_error(correlated(phi, n_chains, n_draws, seed)) for seed in range(400)]
    covered = np.mean([abs(mean.value) < 1.96 * mean.value_se for mean in found])
    assert abs(covered - 0.95) < 0.033
    spread = np.std([mean.value for mean in found])  # its own error is 1 / sqrt(800) = 3.5 %
    assert np.mean([mean.value_se for mean in found]) == pytest.approx(spread, rel=0.11)


# ------------------------------------------------------------------------------------------------- what R-hat shall see
def test_chains_that_do_not_agree():
    x = noise(4, 1000)
    assert r_hat(x) < 1.01
    assert r_hat(x + np.array([[0], [0], [0], [0.5]])) > 1.02  # another place
    assert r_hat(x * np.array([[1], [1], [1], [2]])) > 1.02  # another spread: only the folded draws show it
    assert r_hat(x + np.linspace(0, 1, 1000)) > 1.02  # a drift common to all: only halves show it
    heavy = np.random.default_rng(0).standard_cauchy(size=(4, 1000))
    assert r_hat(heavy) < 1.01 < r_hat(heavy + np.array([[0], [0], [0], [1]]))


def test_ranks_alone_count_for_the_bulk():
    x = correlated(0.6, 3, 300, 1)
    assert chain_effective_size(np.exp(5 * x)) == chain_effective_size(x)
    assert chain_effective_size(np.exp(5 * x), kind="tail") == chain_effective_size(x, kind="tail")


# ------------------------------------------------------------------------------------------------------- constant draws
@pytest.mark.parametrize("value", [0.0, 0.1, -1e8 / 3])
def test_a_constant_says_nothing(value):
    x = np.full((3, 11), value)
    assert math.isnan(r_hat(x)) and all(math.isnan(chain_effective_size(x, kind=kind)) for kind in KINDS)
    mean = chain_error(x)
    assert mean[:2] == (value, 0.0) and math.isnan(mean.effective_size)


def test_chains_stuck_at_values_of_their_own():
    x = np.repeat([[0.1], [0.1], [0.7], [1.3]], 50, axis=1)
    assert r_hat(x) == math.inf
    mean = chain_error(x)  # four values, whatever the number of draws
    assert 2 < mean.effective_size < 8 and mean.value == pytest.approx(0.55)


def test_a_constant_half_is_no_failure():
    x = noise(2, 100)
    x[0, :50] = 0.0
    assert np.isfinite(measures(x)).all() and r_hat(x) > 1.1


def test_two_values():
    """The chain of a coin that stays with probability s: an AR(1) with phi = 2 s - 1, its indicators too."""
    flips = np.random.default_rng(0).random((4, 5000)) < 0.2  # s = 0.8, phi = 0.6
    x = np.cumsum(flips, axis=1) % 2
    for kind in KINDS:
        assert chain_effective_size(x, kind=kind) == pytest.approx(20000 * 0.4 / 1.6, rel=0.2)  # its scatter: 4 %
    assert r_hat(x) < 1.01
    seldom = np.arange(400).reshape(4, 100) % 100 == 3  # 1 %: both quantiles are 0, and "at most 0" is what varies
    assert np.isfinite(chain_effective_size(seldom, kind="tail"))
    assert math.isnan(chain_effective_size(~seldom, kind="tail"))  # both are the largest value
    assert math.isfinite(chain_effective_size(~seldom))


# --------------------------------------------------------------------------------------------------- shapes and numbers
def test_a_large_offset_costs_no_digits():
    x = np.rint(correlated(0.5, 4, 501, 0) * 2**10) * 2**-20  # a thousandth, exact in float64 beside 1e8
    assert np.array_equal((x + 1e8) - 1e8, x)
    np.testing.assert_allclose(measures(x + 1e8), measures(x), rtol=1e-10)
    assert chain_error(x + 1e8).value == pytest.approx(1e8, abs=1e-3)


def test_each_quantity_by_itself():
    x = noise(3, 60, 4) * [1.0, 1e-12, 1e12, 0.0]
    mean = chain_error(x)
    assert r_hat(x).shape == mean.value.shape == mean.value_se.shape == (4,)
    for d in range(4):
        np.testing.assert_array_equal(r_hat(x)[d], r_hat(x[:, :, d]))
        np.testing.assert_array_equal([part[d] for part in mean], chain_error(x[:, :, d]))
        for kind in KINDS:
            one = chain_effective_size(x[:, :, d], kind=kind)
            np.testing.assert_array_equal(chain_effective_size(x, kind=kind)[d], one)
    assert isinstance(r_hat(x[:, :, 0]), float) and all(isinstance(part, float) for part in chain_error(x[:, :, 0]))


def test_other_containers():
    x = np.rint(noise(3, 20) * 8)
    for same in (x.astype(np.float32), x.astype(np.int16), x.tolist(), list(x), x.T.copy().T):
        np.testing.assert_array_equal(measures(same), measures(x))
    assert measures(x > 0)[0] == measures((x > 0) * 1.0)[0]


def test_inputs_stay():
    x = noise(2, 10)
    before = x.copy()
    measures(x)
    np.testing.assert_array_equal(x, before)


def broken(value):
    x = noise(3, 10)
    x[1, 4] = value
    return x


@pytest.mark.parametrize(
    ("chains", "message"),
    [
        (broken(np.nan), "chain 1 holds NaN in row 4"),
        (broken(-np.inf), "chain 1 holds .*inf.* in row 4"),
        (noise(3, 3), "chains of 3 draws: at least 4"),
        (noise(10), r"shape \(10,\).*chain\[None\]"),
        (noise(2, 10, 2, 2), "n_chains, n_draws, D"),
        (np.empty((0, 10)), r"shape \(0, 10\)"),
        ([], r"shape \(0,\)"),
        ([noise(10), noise(12)], r"10 to 12 draws: keep the last 10 of each, chain\[-10:\]"),
        ([noise(10, 2), noise(9, 2)], "9 to 10 draws"),
        (noise(2, 10) + 1j, "complex"),
        ([["a"] * 5] * 2, "text"),
    ],
)
def test_bad_chains(chains, message):
    for measure in (r_hat, chain_effective_size, chain_error):
        with pytest.raises(DataError, match=message):
            measure(chains)


def test_an_unknown_kind():
    with pytest.raises(ParameterError, match="'bulk', 'tail', 'mean'"):
        chain_effective_size(noise(2, 10), kind="median")


@pytest.mark.parametrize("n_draws", [40_000, pytest.param(10**6, marks=pytest.mark.slow)])
def test_memory_of_long_chains(n_draws):
    """A few times the draws: ranks need order, place and scores; 7, 5, 2 and 2 times were measured.

    The Fourier transforms of a chain come on top, at most a batch of 2**20 numbers or one chain.
    """
    x = noise(32, n_draws)
    for measure in (r_hat, chain_effective_size, lambda c: chain_effective_size(c, kind="tail"), chain_error):
        tracemalloc.start()
        try:
            found = measure(x)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert np.isfinite(found).all() and peak < 8 * x.nbytes + 2**26
