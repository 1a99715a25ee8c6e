"""Total and conditional information, entropy, pairs of columns, compression, reliability: by brute force and theory."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.special import digamma
from tests.measures import brute_information as brute
from tests.statistics.series import autoregressive

from infoscope import Space
from infoscope.base import DataError, DataWarning, ParameterError
from infoscope.measures import (
    CanonicalCompressor,
    conditional_mutual_information,
    entropy,
    mutual_information,
    pairwise_mutual_information,
    reliability,
    total_correlation,
)
from infoscope.statistics.smoothing_bias import smoothing_bias

PLAIN = dict(marginals=None, se=False)


def three(n=120, seed=0):
    g = np.random.default_rng(seed)
    z = g.normal(size=(n, 1))
    return z + g.normal(size=(n, 2)), z + 0.5 * g.normal(size=(n, 1)), z


# ---------------------------------------------------------------------------------------------------- total correlation
@pytest.mark.parametrize("k", [1, 4])
def test_total_correlation_by_brute_force(k):
    blocks = three()
    expected = brute.ksg([brute.distances(b) for b in blocks], k)
    assert total_correlation(blocks, k=k, **PLAIN).value == pytest.approx(expected, abs=1e-9)


def test_of_two_blocks_it_is_the_mutual_information():
    x, y, _ = three()
    assert total_correlation([x, y], se=False).value == mutual_information(x, y, se=False).value


def test_columns_of_a_table_are_its_blocks():
    frame = pd.DataFrame(np.hstack(three()), columns=list("abcd"))
    found = total_correlation(frame, se=False)
    assert found.names == ("a", "b", "c", "d") and found.kind == "total correlation"
    assert found.value == total_correlation(frame.to_numpy(), se=False).value


def test_total_correlation_of_normal_columns():
    g = np.random.default_rng(3)
    z = g.multivariate_normal(np.zeros(3), 0.5 * np.eye(3) + 0.5, 4000)
    found = total_correlation(z, n_permutations=19)
    truth = -0.5 * np.linalg.slogdet(0.5 * np.eye(3) + 0.5)[1]
    assert abs(found.value - truth) < 3 * found.value_se and found.p_value == 0.05


# ---------------------------------------------------------------------------------------------- conditional information
def brute_conditional(tables, k):
    """Frenzel and Pompe 2007, Eq. (4)."""
    x, y, z = tables
    n, joint, total = len(x), np.max(tables, axis=0), 0.0
    for i in range(n):
        others = np.delete(np.arange(n), i)
        r = np.sort(joint[i, others])[k - 1] * brute.CLOSER
        n_z, n_xz, n_yz = (np.sum(t[i, others] < r) for t in (z, np.maximum(x, z), np.maximum(y, z)))
        total += digamma(k) + digamma(n_z + 1) - digamma(n_xz + 1) - digamma(n_yz + 1)
    return total / n


@pytest.mark.parametrize("k", [1, 5])
def test_conditional_information_by_brute_force(k):
    data = three()
    expected = brute_conditional([brute.distances(d) for d in data], k)
    assert conditional_mutual_information(*data, k=k, **PLAIN).value == pytest.approx(expected, abs=1e-9)


def test_repeated_values_beyond_a_third():
    """x, y and z are coins, y is x xor z: nothing alone, one bit given z."""
    x, z = np.random.default_rng(0).integers(0, 2, (2, 2000)).astype(float)
    y = (x != z).astype(float)
    found = conditional_mutual_information(x, y, z, unit="bits", se=False)
    assert found.value == pytest.approx(1, abs=0.005)  # sampling of the coins
    assert mutual_information(x, y, unit="bits", se=False).value < 0.005


def test_what_a_common_cause_explains():
    g = np.random.default_rng(1)
    z = g.normal(size=1500)
    x, y = z + 0.5 * g.normal(size=(2, 1500))
    found = conditional_mutual_information(x, y, z, n_permutations=39)
    assert found.p_value > 0.05 and abs(found.value) < 3 * found.value_se and found.null == "local"
    assert mutual_information(x, y, se=False).value > 0.4
    linked = conditional_mutual_information(x, y + x, z, n_permutations=39)
    assert linked.p_value == 1 / 40


def test_a_third_that_never_varies_tells_nothing():
    x, y, _ = three()
    with pytest.warns(DataWarning, match="constant"):
        found = conditional_mutual_information(x, y, np.ones(120), se=False)
    assert found.value == mutual_information(x, y, se=False).value and found.given == "Z"


def test_spaces_of_another_metric_cannot_be_joined():
    x, y, z = three()
    with pytest.raises(ParameterError, match="metric 'euclidean'"):
        conditional_mutual_information(Space(x), y, z)


# -------------------------------------------------------------------------------------------------------------- entropy
def test_the_published_entropy():
    x = np.random.default_rng(0).standard_normal((500, 1))
    assert entropy(x, se=False).value == pytest.approx(1.344572622, abs=1e-8)


@pytest.mark.parametrize("metric, log_ball", [
    ("euclidean", 1.5 * math.log(math.pi) - math.lgamma(2.5)),
    ("chebyshev", 3 * math.log(2)),
    ("manhattan", 3 * math.log(2) - math.lgamma(4)),
])  # fmt: skip
def test_entropy_in_every_metric_by_brute_force(metric, log_ball):
    x = np.random.default_rng(0).normal(size=(150, 3))
    table = brute.distances(x, {"euclidean": "euclidean", "chebyshev": "max", "manhattan": "city"}[metric])
    r = np.sort(table, axis=1)[:, 3]  # itself first
    expected = digamma(150) - digamma(3) + log_ball + 3 * np.log(r).mean()
    assert entropy(Space(x, metric=metric), se=False).value == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("metric", ["euclidean", "chebyshev", "manhattan"])
def test_weights_and_units_of_entropy(metric):
    x = np.random.default_rng(0).normal(size=(4000, 3))
    truth = 1.5 * math.log(2 * math.pi * math.e)
    weighted = entropy(Space(x / [1, 2, 4], metric=metric, feature_weights=[1, 2, 4]), se=False)
    assert weighted.value == pytest.approx(entropy(Space(x, metric=metric), se=False).value - math.log(8), abs=1e-9)
    assert weighted.value == pytest.approx(truth - math.log(8), abs=0.06)  # three standard errors
    assert entropy(x, unit="bits", se=False).value == pytest.approx(entropy(x, se=False).value / math.log(2))


@pytest.mark.parametrize("metric", ["euclidean", "chebyshev", "manhattan"])
def test_uniform_angles_fill_their_period(metric):
    phi = np.random.default_rng(0).uniform(0, 360, (4000, 2))
    found = entropy(Space(phi, metric=metric, period=360))
    assert abs(found.value - 2 * math.log(360)) < 3 * found.value_se


def test_balls_end_at_the_edge_of_a_period():
    phi = np.random.default_rng(0).uniform(0, 1, (30, 4))
    found = entropy(Space(phi, metric="chebyshev", period=1), k=14, se=False)
    assert abs(found.value) < 0.2  # of a box of volume one; four standard errors
    assert entropy(Space(phi, metric="chebyshev"), k=14, se=False).value > 0.4  # what an open box would say
    with pytest.raises(DataError, match="beyond half a period"):
        entropy(Space(phi, metric="manhattan", period=1), k=14)


@pytest.mark.parametrize(("columns", "warned"), [(1, False), (2, False), (5, False), (10, True), (20, True)])
def test_neighborhoods_in_many_columns_are_too_wide_and_that_is_said(columns, warned):
    """Normal columns, D/2 log(2 pi e): with 20 columns the value is 1.6 to 2 off and claimed within 0.2 to 0.4."""
    said = []
    for seed, n in ((0, 100), (1, 100), (2, 300), (3, 300)):
        found = entropy(np.random.default_rng(seed).normal(size=(n, columns)), exclusion_window=0)
        off = abs(found.value - columns / 2 * np.log(2 * np.pi * np.e))
        said.append(not found.reliable)
        assert off < 3 * found.value_se  # with what width hides
        if not found.reliable:
            assert "neighbourhoods are so wide" in found.verdict and f"in {columns} dimensions" in found.reasons[-1]
    assert said == [warned] * 4


def test_wide_neighborhoods_by_a_bias_that_is_known():
    """b k^(2/D) from k and 4 k: the difference is b k^(2/D) (4^(2/D) - 1)."""
    for d, b, k in ((1, 0.3, 3), (6, -0.2, 5), (20, 1.5, 3)):
        near, wide = (7 + b * number ** (2 / d) for number in (k, 4 * k))
        assert smoothing_bias(near, wide, 4, d) == pytest.approx(b * k ** (2 / d), rel=1e-9)


def test_what_has_no_entropy():
    x = np.random.default_rng(0).normal(size=(50, 2))
    with pytest.raises(DataError, match=r"10 rows of X are there more than 3 times \(rows 0, 1, 2, 3, 4, ...\)"):
        entropy(np.vstack([x[:2]] * 4 + [x]), k=3)
    with pytest.raises(DataError, match="column 2 of X never varies"):
        entropy(np.c_[x, np.ones(50)])
    with pytest.raises(DataError, match="still of X never varies"):
        entropy(pd.DataFrame({"still": np.ones(50), "moves": x[:, 0]}))
    with pytest.raises(ParameterError, match="'cosine', whose balls"):
        entropy(Space(x, metric="cosine"))


# ---------------------------------------------------------------------------------------------------------------- pairs
def table(n=800, seed=0):
    g = np.random.default_rng(seed)
    x = g.normal(size=(n, 5))
    x[:, 1] += x[:, 0]
    x[:, 2] = x[:, 3] ** 2 + 0.2 * x[:, 2]
    return x


def test_pairs_by_neighbours_are_those_of_two_columns():
    x = table(300)
    found = pairwise_mutual_information(x, method="ksg", n_permutations=0)
    for a in range(5):
        for b in range(5):
            if a != b:
                assert found.value[a, b] == pytest.approx(mutual_information(x[:, a], x[:, b], se=False).value)
    assert found.p_value is None and np.isnan(np.diag(found.value)).all()
    np.testing.assert_array_equal(found.value, found.value.T)


def test_pairs_of_a_copula_are_those_of_two_columns():
    x = table(300)
    found = pairwise_mutual_information(x, method="copula")
    one = mutual_information(x[:, 0], x[:, 1], estimator="copula", se=False)
    assert found.value[0, 1] == pytest.approx(one.value, abs=1e-12) and not found.refined.any()
    assert found.significant[0, 1] and not found.significant[2, 3]  # a parabola is not monotone


def test_screening_refines_the_pairs_that_a_copula_sees():
    x = table(300)
    found = pairwise_mutual_information(x, n_refine=1)
    assert found.refined.sum() == 2 and found.refined[0, 1]
    every = pairwise_mutual_information(x)
    assert every.significant[2, 3] and every.significant[0, 1] and every.significant.sum() == 4
    assert "2 of 10 pairs share something" in every.verdict


def test_pairs_with_a_constant_column_share_exactly_nothing():
    x = table(200)
    x[:, 4] = 7
    with pytest.warns(DataWarning, match="1 constant column.*nothing: 4"):
        found = pairwise_mutual_information(pd.DataFrame(x))
    assert (found.value[4, :4] == 0).all() and (found.p_value[4, :4] == 1).all()


def test_p_values_of_untied_pairs_come_from_one_null():
    """Each is what a shuffle of its own columns would say, to sampling: 199 draws know p = 0.5 to 0.035."""
    x = np.random.default_rng(5).normal(size=(150, 4))
    p = pairwise_mutual_information(x, method="ksg", se=False).p_value
    own = [mutual_information(x[:, a], x[:, b], se=False, n_permutations=199).p_value for a, b in ((0, 1), (2, 3))]
    np.testing.assert_allclose([p[0, 1], p[2, 3]], own, atol=0.15)


def test_pairs_bad_input():
    x = table(50)
    with pytest.raises(DataError, match="has one column"):
        pairwise_mutual_information(x[:, :1])
    with pytest.raises(ParameterError, match="periodic"):
        pairwise_mutual_information(Space(x, period=[360, 0, 0, 0, 0], period_check=False))
    with pytest.raises(ParameterError, match="method must be one of"):
        pairwise_mutual_information(x, method="all")


# ---------------------------------------------------------------------------------------------------------- compression
def planted(n=2000, d=20, seed=0):
    """One pair of correlation 0.8 turned into d + d columns."""
    g = np.random.default_rng(seed)
    x, y = g.normal(size=(n, d)), g.normal(size=(n, d))
    y[:, 0] = 0.8 * x[:, 0] + 0.6 * y[:, 0]
    turns = [np.linalg.qr(g.normal(size=(d, d)))[0] for _ in range(2)]
    return x @ turns[0], y @ turns[1], -0.5 * math.log(1 - 0.64)


def test_a_planted_pair_is_found_among_many_columns():
    x, y, truth = planted()
    plain, found = mutual_information(x, y, se=False, compress=None), mutual_information(x, y)  # the default
    assert plain.value < 0.3 * truth and abs(found.value - truth) < 0.08
    assert found.raw == plain.value and found.chosen == "linear" and found.n_components == 1
    assert found.candidates == ("identity", "linear", "quadratic") and len(found.component_values) == 4


def test_few_columns_need_no_compression():
    g = np.random.default_rng(0)
    x = g.normal(size=(1000, 2))
    y = np.sin(3 * x[:, :1]) + 0.3 * g.normal(size=(1000, 1))
    found = mutual_information(x, y, compress="canonical", se=False)
    assert found.chosen == "identity" and found.value == found.raw


def test_independent_columns_stay_independent_when_compressed():
    """Directions are found on other rows, so that nothing is made up: ten samples, sd 0.02 each."""
    values = []
    for seed in range(10):
        x, y = np.random.default_rng(seed).normal(size=(2, 500, 15))
        values.append(mutual_information(x, y, compress="canonical", se=False).value)
    assert abs(np.mean(values)) < 0.03


def test_a_compressor_of_ones_own():
    class First:
        def fit(self, X, Y):
            return self

        def transform(self, X, Y):
            return X[:, :1], Y[:, :1]

    x, y, _ = planted(d=6)
    found = mutual_information(x, y, compress=First(), se=False)
    assert found.candidates == ("identity", "First")


def test_canonical_correlations_are_those_of_the_definition():
    """Largest correlation of any combination: the generalised eigenvalue problem, solved by SciPy."""
    from scipy.linalg import eigh

    x, y, _ = planted(400, 4)
    fitted = CanonicalCompressor().fit(x, y)
    c = np.cov(np.hstack([x, y]), rowvar=False)
    zero = np.zeros((4, 4))
    cross, own = np.block([[zero, c[:4, 4:]], [c[4:, :4], zero]]), np.block([[c[:4, :4], zero], [zero, c[4:, 4:]]])
    expected = eigh(cross, own, eigvals_only=True)[::-1][:4]
    np.testing.assert_allclose(fitted.correlations_, expected, atol=1e-5)  # the ridge is 1e-6
    u, v = fitted.transform(x, y)
    assert abs(np.corrcoef(u[:, 0], v[:, 0])[0, 1]) == pytest.approx(fitted.correlations_[0], abs=1e-5)


@pytest.mark.parametrize("features", ["linear", "quadratic", "fourier"])
def test_more_columns_than_rows_are_reduced_first(features):
    x, y = np.random.default_rng(0).normal(size=(2, 60, 100))
    u, v = CanonicalCompressor(features).fit(x, y).transform(x, y)
    assert u.shape == v.shape and 1 <= u.shape[1] <= 4 and np.isfinite(u).all()


def test_a_surrogate_needs_a_compression():
    x, y, _ = planted(200, 4)
    with pytest.raises(ParameterError, match="surrogate=True"):
        mutual_information(x, y, surrogate=True)
    with pytest.raises(ParameterError, match="real numbers that lie on a line"):
        mutual_information(x, ["a", "b"] * 100, compress="canonical")


# ---------------------------------------------------------------------------------------------------------- reliability
def plug_in_gaussian(x, y):
    return -0.5 * math.log(1 - np.corrcoef(x[:, 0], y[:, 0])[0, 1] ** 2)


def test_the_error_of_any_estimator():
    """The standard error is that of repetitions, to 20 %: 100 of them know their spread to 7 %."""
    values, errors = [], []
    for seed in range(100):
        g = np.random.default_rng(seed)
        x = g.normal(size=(1000, 1))
        found = reliability(plug_in_gaussian, x, 0.75 * x + math.sqrt(1 - 0.75**2) * g.normal(size=(1000, 1)))
        values.append(found.value)
        errors.append(found.value_se)
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.2)


def test_a_bias_of_one_over_n_is_extrapolated():
    """Forty coefficients in 1000 rows are fitted too well by 0.02 of 0.35; 20 samples know their mean to 0.006."""

    def fitted(a, b):
        left = b[:, 0] - a @ np.linalg.lstsq(a, b[:, 0], rcond=None)[0]
        return -0.5 * math.log(left.var() / b.var())

    truth, found = 0.5 * math.log(2), []
    for seed in range(20):
        g = np.random.default_rng(seed)
        x = g.normal(size=(1000, 40))
        found.append(reliability(fitted, x, x[:, :1] + g.normal(size=(1000, 1)), parts=(1, 2, 3, 4, 5, 6)))
    values, limits = ([getattr(one, name) for one in found] for name in ("value", "limit"))
    assert np.mean(values) - truth > 0.015 and abs(np.mean(limits) - truth) < 0.015
    assert not any(one.is_lower_bound for one in found)  # it falls with more rows


def test_a_p_value_of_any_estimator():
    g = np.random.default_rng(0)
    x, y = g.normal(size=(2, 300, 1))
    assert reliability(plug_in_gaussian, x, y, n_permutations=99).p_value > 0.05
    assert reliability(plug_in_gaussian, x, x + y, n_permutations=99).p_value == 0.01
    blocks = np.arange(300) // 10
    assert reliability(plug_in_gaussian, x, x + y, n_permutations=99, blocks=blocks).null == "blocks"


def test_reliability_bad_input():
    x = np.random.default_rng(0).normal(size=(50, 1))
    for arguments, options, error, match in (
        ((plug_in_gaussian, x, x[:-1]), {}, DataError, "X has 50, Y has 49"),
        ((lambda a, b: "much", x, x), {}, DataError, "answers with str"),
        ((plug_in_gaussian, x, x), dict(parts=(2, 3)), ParameterError, "must hold 1"),
        ((plug_in_gaussian, x, x), dict(unit="mol"), ParameterError, "unit must be"),
    ):
        with pytest.raises(error, match=match):
            reliability(*arguments, **options)


def test_constant_condition_of_several_columns():
    """Nothing is known beforehand: the mutual information, whose null keeps the order of a series."""
    g = np.random.default_rng(0)
    x, y = g.normal(size=(2, 100))
    with pytest.warns(DataWarning, match="constant"):
        found = conditional_mutual_information(x, y, np.ones((100, 3)), se=False)
    assert found.value == mutual_information(x, y, se=False).value
    spaces = [Space(part[:, None], time=np.arange(100)) for part in (x, y, np.ones(100))]
    assert conditional_mutual_information(*spaces, se=False, n_permutations=19).null == "shift"


def test_copies_draw_entropy_down():
    x = np.random.default_rng(0).normal(size=200)
    with pytest.warns(DataWarning, match="repeat"):
        assert entropy(np.r_[x, x]).value < entropy(x).value - 0.5


def test_the_verdict_of_an_entropy_says_only_what_was_varied():
    """Its rows are cut into parts, its neighbours are not changed."""
    found = entropy(np.random.default_rng(2).normal(size=1000))
    assert found.reliable and "number of rows by" in found.verdict and "neighbours" not in found.verdict


def test_shifts_of_a_short_series_are_few_for_any_estimator():
    """300 rows of correlation time about 19 have about a dozen shifts: no p-value below 1/13 says anything."""
    found = [
        reliability(of_spaces, *walks(seed, 300), n_permutations=99, random_state=seed).p_value for seed in range(20)
    ]
    assert min(found) > 0.04


def of_spaces(x, y):
    return plug_in_gaussian(x.features, y.features)


def walks(seed, n, memory=0.9):
    """Two independent series."""
    g = np.random.default_rng(seed)
    steps, found = g.normal(size=(2, n)), np.zeros((2, n))
    for row in range(1, n):
        found[:, row] = memory * found[:, row - 1] + steps[:, row]
    return [Space(one[:, None], time=np.arange(float(n))) for one in found]


@pytest.mark.filterwarnings("ignore::infoscope.base.CorrelatedRowsWarning")
def test_the_conditional_p_value_of_a_series_has_the_variance_that_single_rows_lose():
    """Normal noise of memory 0.82 in X and Y: rows that move one by one forget it, in the data it stays."""
    g = np.random.default_rng(0)
    x, y, z = (autoregressive(0.82, 200, g) for _ in range(3))

    def ask(rows, **options):
        series = [Space(column[rows], **options) for column in (x + z, y + z, z)]
        return conditional_mutual_information(*series, se=False, n_permutations=99)

    time, mixed = np.arange(200.0), np.random.default_rng(1).permutation(200)
    found = ask(slice(None), time=time)
    plain = (1 + (found.null_values >= found.value).sum()) / 100
    assert found.p_value > 1.05 * plain or plain > 0.5
    assert ask(mixed, time=time[mixed]).p_value == pytest.approx(found.p_value, rel=0.3)  # other shuffles, as wide
    assert ask(slice(20), time=time[:20]).p_value == 1  # one visit or two: nothing can be said
    alone = ask(mixed)
    assert alone.p_value == (1 + (alone.null_values >= alone.value).sum()) / 100
