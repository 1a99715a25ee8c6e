"""The Binary Intrinsic Dimension against exact laws, enumeration and closed forms."""

import itertools

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import gammaln
from scipy.stats import binom, hypergeom
from sklearn.base import clone

import infoscope
from infoscope.base import DataError, ParameterError
from infoscope.datasets import (
    copied_bits,
    copied_bits_distances,
    ising_chain,
    ising_chain_distances,
    latent_text,
    latent_text_dimension,
)
from infoscope.dimension import (
    BinaryCurve,
    BinaryID,
    HammingHistogram,
    TwoNN,
    binarization_report,
    hamming_histogram,
    local_dimension,
    prefix_curve,
    scan_alpha,
    select_alpha,
)
from infoscope.dimension.binary.model import fit_law, moment_solution

FIT = BinaryID(error=None)


def fitted(law, alpha_max, q=2, **options):
    law = np.asarray(law)
    h = HammingHistogram(counts=law, n_bits=len(law) - 1, q=q)
    return BinaryID(alpha_max=alpha_max, q=q, error=None, **options).fit_histogram(h).result_


def coins(n=400, d=100, seed=0):
    return np.random.default_rng(seed).random((n, d)) < 0.5


# --------------------------------------------------------------------------------------------------- exact, noise-free
@pytest.mark.parametrize("alpha_max", [0.01, 0.1, 0.5, 1.0])
@pytest.mark.parametrize(("n_bits", "q"), [(40, 2), (1000, 2), (100_000, 2), (200, 3), (200, 4), (200, 8)])
def test_independent_sites(n_bits, q, alpha_max):
    law = binom.pmf(np.arange(n_bits + 1), n_bits, 1 - 1 / q)
    found = fitted(law, alpha_max, q)
    # logarithms of Gamma of 1e5 have ten digits after the point, and alpha 0.01 sees little curvature
    tolerance = 1e-6 if n_bits <= 1000 else 1e-4
    assert found.d0 == pytest.approx(n_bits, rel=tolerance) and abs(found.d1) < 2 * tolerance
    assert found.kl < 1e-10 and not found.at_bound


@pytest.mark.parametrize(
    ("n_bits", "alpha_max", "r_max", "d0", "d1"),
    [
        (1000, 0.1, 474, 785.90845, 0.432040),
        (1000, 0.5, 499, 793.11682, 0.415033),
        (4000, 0.1, 1949, 3180.05943, 0.410921),
        (4000, 0.5, 1999, 3195.79766, 0.402412),
    ],
)
def test_ising_chains(n_bits, alpha_max, r_max, d0, d1):
    found = fitted(ising_chain_distances(n_bits, 0.5), alpha_max)
    assert found.r_max == r_max
    assert (found.d0, found.d1) == (pytest.approx(d0, abs=1e-5), pytest.approx(d1, abs=1e-6))  # the printed digits


@pytest.mark.parametrize(
    ("n_free", "n_copies", "r_max", "d0", "d1"), [(50, 4, 96, 85.5081, 1.18476), (400, 9, 1791, 1118.7624, 1.38171)]
)
def test_copies_lie_on_a_lattice(n_free, n_copies, r_max, d0, d1):
    found = fitted(copied_bits_distances(n_free, n_copies), 0.5)
    assert found.r_max == r_max and found.stride == n_copies
    assert (found.d0, found.d1) == (pytest.approx(d0, abs=1e-4), pytest.approx(d1, abs=1e-5))
    assert found.moment_d0 == pytest.approx(np.sqrt(n_copies) * n_free, rel=1e-9)  # not n_free
    assert found.moment_d1 == pytest.approx(2 - 2 / np.sqrt(n_copies))


@pytest.mark.filterwarnings("ignore:the law does not describe", "ignore:the window hardly tells")
def test_an_empty_bin_is_data():
    """Two fits of the same counts: over the lattice, and over what was seen."""
    rng = np.random.default_rng(0)
    counts = np.bincount(rng.binomial(2000, 0.5, 3000), minlength=2001)
    h = HammingHistogram(counts=10 * counts, n_bits=2000)
    lattice, seen = (BinaryID(alpha_max=0.2, support=s).fit_histogram(h).result_ for s in ("lattice", "observed"))
    assert len(lattice.r) == lattice.r_max - lattice.r_min + 1 > len(seen.r) == np.count_nonzero(seen.p_emp)
    assert lattice.d0 != seen.d0


# --------------------------------------------------------------------------------------------------------- closed forms
@pytest.mark.parametrize(
    ("m", "per_bit", "slope"), [(0.0, 1.0, 0.0), (0.5, 0.67082, 0.211146), (0.8, 0.281106, 0.438262)]
)
def test_biased_bits(m, per_bit, slope):
    """d0/N = (1 - m^2)/sqrt(1 + m^2) and d1 = 2 - 2/sqrt(1 + m^2), which is not the entropy."""
    law = binom.pmf(np.arange(20_001), 20_000, (1 - m**2) / 2)
    found = fitted(law, 1.0)
    assert found.moment_d0 / 20_000 == pytest.approx((1 - m**2) / np.sqrt(1 + m**2), abs=1e-6)
    assert (found.per_bit, found.d1) == (pytest.approx(per_bit, abs=3e-4), pytest.approx(slope, abs=1e-3))


@pytest.mark.parametrize("coupling", [0.2, 0.5, 1.0])
def test_chain_limit(coupling):
    """Per spin 1/sqrt(cosh 2K) for long chains; ends matter like 1/N."""
    law = ising_chain_distances(4000, coupling)
    h = HammingHistogram(counts=law, n_bits=4000)
    assert moment_solution(*h.moments())[0] / 4000 == pytest.approx(np.cosh(2 * coupling) ** -0.5, rel=2e-3)


def test_participation_ratio_by_enumeration():
    """All states of nine spins: sqrt(N PR) of their correlations is what the moments of all distances say."""
    states = 1 - 2 * np.array(list(itertools.product((0, 1), repeat=9)))
    x = states.reshape(-1, 3, 3)
    energy = -(x * np.roll(x, 1, 1) + x * np.roll(x, 1, 2)).sum((1, 2))
    p = np.exp(-energy / 3.0)
    p /= p.sum()
    distance = (states[:, None] != states).sum(-1)
    law = np.bincount(distance.ravel(), weights=np.outer(p, p).ravel())
    correlation = (states * p[:, None]).T @ states
    ratio = 81 / (correlation**2).sum()
    h = HammingHistogram(counts=law, n_bits=9)
    assert moment_solution(*h.moments())[0] == pytest.approx(np.sqrt(9 * ratio), rel=1e-12)


def test_codes_of_constant_weight_have_a_negative_slope():
    """k of N bits set: pairs differ in 2 (k - overlap)."""
    n_bits, k = 400, 20
    overlap = hypergeom(n_bits, k, k)
    law = np.zeros(n_bits + 1)
    law[2 * (k - np.arange(k + 1))] = overlap.pmf(np.arange(k + 1))
    found = fitted(law, 0.4)
    assert found.stride == 2 and found.d1 < -1
    rng = np.random.default_rng(0)
    x = rng.permuted(np.repeat((np.arange(n_bits) < k)[None], 400, 0), axis=1)
    drawn = BinaryID().fit(x).result_
    assert drawn.stride == 2 and drawn.d1 == pytest.approx(found.d1, abs=4 * drawn.d1_se)
    assert drawn.d0 == pytest.approx(found.d0, abs=4 * drawn.d0_se)


def test_moments_of_states():
    """The law of d sites has mean and deviation that give d back, for every number of states."""
    for q in (2, 3, 8):
        p = 1 - 1 / q
        d0, d1 = moment_solution(50 * p, np.sqrt(50 * p * (1 - p)), q)
        assert d0 == pytest.approx(50, rel=1e-12) and abs(d1) < 1e-12


# ---------------------------------------------------------------------------------------------------------- the optimum
@pytest.mark.parametrize("seed", range(4))
def test_no_other_line_is_closer(seed):
    """Nelder-Mead on the divergence, written anew, from the optimum and from beside it."""
    h = hamming_histogram(ising_chain(150, 80, 0.2 * seed, random_state=seed))
    found = BinaryID(error=None).fit_histogram(h).result_
    r, p = found.r, found.p_emp

    def divergence(line):
        d = line[0] + line[1] * r
        if np.any(d - r + 1 <= 0):
            return np.inf
        log_law = gammaln(d + 1) - gammaln(r + 1) - gammaln(d - r + 1) - d * np.log(2)
        law = np.exp(log_law - log_law.max())
        return np.sum(p[p > 0] * np.log(p[p > 0] / (law / law.sum())[p > 0]))

    assert divergence((found.d0, found.d1)) == pytest.approx(found.kl, abs=1e-12)
    for start in ((found.d0, found.d1), (0.95 * found.d0, found.d1 + 0.05)):
        other = minimize(divergence, start, method="Nelder-Mead", options=dict(xatol=1e-9, fatol=1e-15, maxiter=4000))
        assert other.fun >= found.kl - 1e-12
        assert other.x[0] == pytest.approx(found.d0, rel=1e-3)


def test_every_start_ends_at_one_optimum():
    law = ising_chain_distances(1000, 0.5)
    r = np.arange(100, 480)
    p = law[r] / law[r].sum()
    h = HammingHistogram(counts=law, n_bits=1000)
    found = [
        fit_law(r, p, *h.moments(), 1000, start=start).d0 for start in ((600.0, 1.0), (1500.0, -1.0), (785.0, 0.4))
    ]
    np.testing.assert_allclose(found, found[0], rtol=1e-8)


# -------------------------------------------------------------------------------------------------------------- samples
def test_a_thousand_bits_at_every_window():
    """981 to 1008 over windows of 0.1 to 0.7 was measured elsewhere; from neighbours TWO-NN gives 205."""
    x = coins(1000, 1000)
    curve = scan_alpha(x, np.arange(0.1, 0.75, 0.1))
    assert 975 < curve.d0.min() <= curve.d0.max() < 1015  # one error of the smallest window is 17
    assert np.all(np.abs(curve.d0 - 1000) < 3 * curve.d0_se)
    assert TwoNN().fit(x.astype(float)).dimension_ < 230


def test_passages_with_a_topic():
    """Per bit at 20 to 320 tokens, as measured elsewhere for other directions, and what correlations say; 3 %."""
    x, w = latent_text(1000, 320, random_state=0)
    ends = 32 * np.array([20, 40, 80, 160, 320])
    curve = prefix_curve(x, ends)
    np.testing.assert_allclose(curve.per_bit, [0.404, 0.296, 0.2145, 0.151, 0.108], rtol=0.03)
    short = ends[:3]  # the matrix of correlations of all would take longer than everything else
    expected = [latent_text_dimension(w[:end]) for end in short]
    np.testing.assert_allclose(curve.moment_d0[:3] / short, expected, rtol=0.03)
    assert curve.exponent() == pytest.approx(-0.48, abs=0.03)
    cut = prefix_curve(latent_text(1000, 320, new_topic_at=20, random_state=0)[0], ends)
    np.testing.assert_allclose(cut.per_bit, [0.397, 0.412, 0.2775, 0.174, 0.1155], rtol=0.04)


def test_sample_of_a_chain():
    found = BinaryID(alpha_max=1.0).fit(ising_chain(1000, 300, 0.5, random_state=0)).result_
    assert found.per_bit == pytest.approx(0.804, abs=4 * found.per_bit_se) and found.kl_ratio < 3
    assert found.per_bit_se < 0.01


# ------------------------------------------------------------------------------------------------ what does not matter
def test_names_of_values_and_order_do_not_matter():
    x = coins()
    x[:, :20] = x[:, 20:40]
    plain = BinaryID().fit(x).result_
    rng = np.random.default_rng(1)
    flips = rng.random(100) < 0.5
    others = [x ^ flips, x[rng.permutation(400)], x[:, rng.permutation(100)], 2 * x - 1, x.astype(np.float32)]
    for other in others:
        found = BinaryID().fit(other).result_
        np.testing.assert_array_equal(found.histogram.counts, plain.histogram.counts)
        assert (found.d0, found.d0_se) == (plain.d0, pytest.approx(plain.d0_se, rel=1e-9))


def test_constant_bits_change_no_distance():
    x = coins()
    wide = np.c_[x, np.ones((400, 50), bool)]
    one, other = BinaryID().fit(x).result_, BinaryID().fit(wide).result_
    assert other.d0 == pytest.approx(one.d0, rel=1e-9) and other.per_bit == pytest.approx(one.per_bit, rel=1e-9)
    assert other.n_bits == 150 and other.n_varying == 100
    assert "50 of 150 bits are the same in all items" in " ".join(other.notes)


def test_parts_add_up():
    x = coins()
    whole = BinaryID().fit(x)
    grown = BinaryID()
    for rows in (slice(0, 150), slice(150, 151), slice(151, 400)):
        grown.partial_fit(x[rows])
    assert grown.dimension_ == whole.dimension_ and grown.dimension_se_ == whole.dimension_se_
    jackknife = BinaryID(error="jackknife")
    jackknife.partial_fit(x[:150]).partial_fit(x[150:])
    assert jackknife.dimension_se_ == BinaryID(error="jackknife").fit(x).dimension_se_
    a, b, between = (hamming_histogram(*sets) for sets in ((x[:150],), (x[150:],), (x[:150], x[150:])))
    np.testing.assert_array_equal(a.merge(b).merge(between).counts, whole.histogram_.counts)
    with pytest.raises(DataError, match="do not add up"):
        a.merge(hamming_histogram(x[:, :50]))
    with pytest.raises(DataError, match="must be made alike"):
        grown.partial_fit(x[:, :50])


def test_prefixes_are_fits_of_their_own():
    x = coins(300, 120)
    curve = prefix_curve(x, [7, 64, 65, 120])
    assert np.isnan(curve.d0[0]) or curve.d0[0] > 0
    for end, d0, se in zip((64, 65, 120), curve.d0[1:], curve.d0_se[1:], strict=True):
        alone = BinaryID().fit(x[:, :end])
        assert (d0, se) == (pytest.approx(alone.dimension_, rel=1e-12), pytest.approx(alone.dimension_se_, rel=1e-9))
    np.testing.assert_array_equal(prefix_curve(x, 40).control, [40, 80, 120])


def test_windows_are_fits_of_their_own():
    x = coins(300, 120)
    curve = scan_alpha(x, (0.2, 0.5, 0.9))
    for alpha, d0, se in zip(curve.control, curve.d0, curve.d0_se, strict=True):
        alone = BinaryID(alpha_max=float(alpha)).fit(x)
        assert (d0, se) == (alone.dimension_, pytest.approx(alone.dimension_se_, rel=1e-9))
    assert np.isnan(scan_alpha(hamming_histogram(x), (0.5,)).d0_se).all()


def test_states_between_two_sets_and_one_histogram():
    rng = np.random.default_rng(2)
    x, y = rng.integers(0, 4, (300, 80)), rng.integers(0, 4, (200, 80))
    found = BinaryID(q=4).fit(x, other=y).result_
    assert found.n_pairs == 60_000 and found.d0 == pytest.approx(80, abs=4 * found.d0_se)
    assert found.n_samples == 300 and found.histogram.n_partners == 200


@pytest.mark.filterwarnings("ignore:the law does not describe")
def test_samples_and_duplicates():
    x = np.r_[coins(), coins()[:25]]
    with pytest.warns(UserWarning, match="25 pairs of identical items stand apart.*drop_duplicates=True"):
        kept = BinaryID().fit(x).result_
    assert kept.n_duplicates == 25 and kept.histogram.counts[0] == 25
    assert "25 items repeat an earlier one" in " ".join(kept.notes)
    left_out = BinaryID(drop_duplicates=True).fit(x).result_
    assert left_out.d0 == BinaryID().fit(coins()).dimension_ and left_out.n_samples == 400
    few = BinaryID(n_rows=100, drop_duplicates=True, random_state=0).fit(x).result_
    assert few.n_samples == 100 and "100 of 400 items were drawn" in " ".join(few.notes)
    assert few.d0_se > 2 * left_out.d0_se  # independent bits: like 1/N


# -------------------------------------------------------------------------------------------------------------- windows
@pytest.mark.filterwarnings("ignore:the law does not describe", "ignore:the law describes no window")
def test_the_window_that_the_law_describes():
    assert select_alpha(hamming_histogram(coins())) == 0.95
    rng = np.random.default_rng(3)
    half = np.repeat(rng.random((2, 60)) < 0.5, 200, 0) ^ (rng.random((400, 60)) < 0.03)  # two groups: two peaks
    h = hamming_histogram(half)
    chosen = select_alpha(h)
    valley = np.flatnonzero(h.counts == 0)
    assert chosen <= h.counts[: valley[0] + 10].sum() / h.n_pairs
    found = BinaryID(alpha_max="auto").fit(half).result_
    assert found.r_max < valley[0] + 10


@pytest.mark.filterwarnings("ignore:the law does not describe")
def test_two_peaks_are_said():
    rng = np.random.default_rng(3)
    half = np.repeat(rng.random((2, 60)) < 0.5, 200, 0) ^ (rng.random((400, 60)) < 0.1)
    with pytest.warns(UserWarning, match="has a valley at distance .* set alpha_max below 0.[45]"):
        found = BinaryID(alpha_max=0.8, on_fail="warn").fit(half)
    assert not np.isfinite(found.dimension_) or found.result_.kl_ratio > 10


def test_one_peak_has_no_valley():
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for seed in range(20):
            BinaryID(alpha_max=0.9).fit(coins(150, 300, seed))


# ------------------------------------------------------------------------------------------------------ local dimension
def test_shells_of_exact_laws():
    for d, q in ((200, 2), (90, 4)):
        h = HammingHistogram(counts=binom.pmf(np.arange(d + 1), d, 1 - 1 / q), n_bits=d, q=q)
        np.testing.assert_allclose(local_dimension(h, n_shells=6).dimension, d, rtol=1e-9)
    codes = HammingHistogram(counts=copied_bits_distances(50, 2), n_bits=100)
    found = local_dimension(codes, n_shells=200)  # one shell each: binom(d, r + 2)/binom(d, r) by hand
    r, d = found.distance, found.dimension
    alone = r == 2 * np.rint(r / 2)
    r, d = r[alone], d[alone]
    growth = copied_bits_distances(50, 2)[(r + 2).astype(int)] / copied_bits_distances(50, 2)[r.astype(int)]
    assert alone.sum() > 10
    np.testing.assert_allclose((d - r) * (d - r - 1) / ((r + 1) * (r + 2)), growth, rtol=1e-6)


def test_shells_of_samples():
    found = local_dimension(coins(600, 100), n_shells=8)
    pull = (found.dimension - 100) / found.dimension_se
    assert np.abs(pull).max() < 4 and not found.notes
    assert "too small" in local_dimension(hamming_histogram(coins())).notes[0]


# ------------------------------------------------------------------------------------------------------------ the rules
def test_rules_and_their_thresholds():
    x = np.random.default_rng(4).normal(size=(500, 60)) + 0.5
    report = binarization_report(x, ("sign", "median", 0.5))
    assert report.ones.tolist() == [pytest.approx((x > 0).mean()), 0.5, pytest.approx((x > 0.5).mean())]
    assert report.d0[1] == BinaryID(binarize="median").fit(x).dimension_
    # a step of 0.05 deviations flips 0.05 times the density there, 0.399 at the middle and 0.352 at half a deviation
    np.testing.assert_allclose(report.flipped, 0.05 * np.array([0.352, 0.399, 0.399]), rtol=0.1)
    assert report.moved[0] > report.moved[1]  # a balanced bit stays balanced to first order
    assert "depends least" in report.verdict


# ---------------------------------------------------------------------------------------------- as scikit-learn expects
def test_parameters_and_clones():
    one = BinaryID(alpha_max=0.3, q=4, error=None)
    assert clone(one).get_params() == one.get_params()
    assert one.set_params(q=2).fit(coins()).dimension_ == clone(one).fit(coins()).dimension_
    assert one.n_features_in_ == 100 and one.fit(coins()) is one
    assert "alpha_max=0.3" in repr(one)


def test_results_print_and_plot():
    found = BinaryID().fit(coins()).result_
    text = str(found)
    assert "independent bits would be" in text and "±" in text and "acevedo2024" in found.cite()
    assert found.to_frame().shape[0] == 1 and found.to_dict()["d0"] == found.d0
    assert found.d_mode == pytest.approx(found.d0 + found.d1 * found.d0 / (2 - found.d1))
    curves = [scan_alpha(coins(), (0.3, 0.6)), prefix_curve(coins(), [50, 100]), local_dimension(coins())]
    curves.append(BinaryCurve.of([2.0, 3.0], [found, found], against="temperature"))
    for one in (found, found.histogram, *curves, binarization_report(np.random.default_rng(0).normal(size=(200, 50)))):
        assert one.plot() is not None and one.verdict and len(one.to_frame()) >= 1
    for kind in ("fit", "residuals"):
        assert found.plot(kind=kind, style="paper").get_xlabel()
    assert curves[-1].plot(quantity="d1", mark=2.5) is not None
    with pytest.raises(ParameterError, match="kind"):
        found.plot(kind="nothing")


def test_minimum_of_a_curve():
    found = [BinaryID(error=None).fit(coins(d=d)).result_ for d in (100, 60, 80)]
    curve = BinaryCurve.of([1.0, 2.0, 3.0], found, against="temperature")
    assert curve.minima().tolist() == [2.0] and "minimum at temperature 2" in curve.verdict
    with pytest.raises(DataError, match="at least one result"):
        BinaryCurve.of([], [], against="temperature")


def test_copies_of_samples():
    found = BinaryID().fit(copied_bits(800, 50, 4, random_state=1)).result_
    exact = fitted(copied_bits_distances(50, 4), 0.4).d0
    assert found.stride == 4 and found.d0 == pytest.approx(exact, abs=4 * found.d0_se)


def test_public_names():
    assert infoscope.BinaryID is BinaryID and FIT.get_params()["error"] is None


@pytest.mark.parametrize("wrong", ["a", True, None, [0.1]])
def test_a_lower_end_that_is_no_share(wrong):
    spins = np.random.default_rng(0).integers(0, 2, size=(50, 20))
    with pytest.raises(ParameterError, match="alpha_min is .* must be a share between 0 and 1"):
        BinaryID(alpha_min=wrong).fit(spins)
