"""Effective numbers against published values, closed forms and plain eigenvalues; errors against replicates."""

import sys
import warnings

import numpy as np
import pytest

from infoscope.base import CorrelatedRowsWarning, DataError, DataWarning, ParameterError
from infoscope.measures import effective_number, matrix_entropy
from infoscope.neighbors import Space

pytestmark = pytest.mark.filterwarnings("ignore:the number changes by")  # small samples; one test asks for it
QUIET = dict(exclusion_window=0)
FILE = sys.modules["infoscope.measures.effective_number"]  # the function of this name hides it
D = np.random.default_rng(3).standard_normal((200, 3))  # data set D of the specification


def renyi(values, q):
    """exp of the Renyi entropy of eigenvalues that add up to 1."""
    p = values[values > 1e-13]
    if q == 1:
        return np.exp(-(p * np.log(p)).sum())
    return 1 / p.max() if q == np.inf else (p**q).sum() ** (1 / (1 - q))


def gaussian(x, sigma):
    return np.exp(-((x[:, None] - x) ** 2).sum(-1) / (2 * sigma**2))


# -------------------------------------------------------------------------------------------------------------- values
@pytest.mark.parametrize(
    "order, value, within",
    [(0.5, 41.2002474, 2e-3), (1, 20.9742305, 1e-7), (2, 10.6734005, 1e-7), (np.inf, 4.2008695, 1e-7)],
)
def test_published_vendi_scores(order, value, within):
    """Seven decimals are given; order 1/2 hangs on eigenvalues near the rounding of the largest."""
    found = effective_number(D, kernel="gaussian", sigma=1.0, order=order, unbiased=False, **QUIET)
    assert found.value == pytest.approx(value, abs=within)
    at = found.orders.tolist().index(order)
    assert found.profile[at] == pytest.approx(value, abs=within)


def test_published_unbiased_order_two():
    found = effective_number(D, kernel="gaussian", sigma=1.0, **QUIET)  # 2 is the default of a Gaussian
    assert found.order == 2 and found.unbiased
    assert found.value == pytest.approx(11.2187443, abs=1e-7)


@pytest.mark.parametrize("order", [0.5, 1, 2, 3, np.inf])
@pytest.mark.parametrize("shape", [(40, 6), (12, 30)])
@pytest.mark.parametrize("weighted", [False, True])
def test_both_sides_have_one_spectrum(order, shape, weighted):
    """From features where there are few, else from items: against the N x N matrix and its plain eigenvalues."""
    g = np.random.default_rng(0)
    x, w = g.normal(size=shape) + 0.5, g.uniform(0.2, 2, shape[0])
    w = w / w.sum() if weighted else np.full(shape[0], 1 / shape[0])
    weights = w * 7 if weighted else None
    u = x / np.linalg.norm(x, axis=1, keepdims=True)
    away = (x - w @ x) * np.sqrt(w)[:, None]
    covariance = np.linalg.eigvalsh(away.T @ away)
    root = np.sqrt(np.outer(w, w))
    for kernel, values in (
        ("cosine", np.linalg.eigvalsh(root * (u @ u.T))),
        ("covariance", covariance / covariance.sum()),
        ("gaussian", np.linalg.eigvalsh(root * gaussian(x, 1.3))),
    ):
        asked = dict(sigma=1.3) if kernel == "gaussian" else {}
        found = effective_number(x, kernel=kernel, order=order, weights=weights, unbiased=False, **asked, **QUIET)
        assert found.value == pytest.approx(renyi(values, order), rel=1e-9)


def test_rank_participation_ratio_and_effective_rank():
    x = np.random.default_rng(0).normal(size=(300, 3)) @ np.random.default_rng(1).normal(size=(3, 8))
    assert effective_number(x, kernel="covariance", order=0, **QUIET).value == pytest.approx(3, rel=1e-12)
    values = np.linalg.eigvalsh(np.cov(x.T))
    ratio = values.sum() ** 2 / (values**2).sum()
    plain = effective_number(x, kernel="covariance", order=2, unbiased=False, **QUIET)
    assert plain.value == pytest.approx(ratio, rel=1e-12) and "participation ratio" in str(plain)


@pytest.mark.parametrize("order", [0, 0.5, 1, 2, np.inf])
@pytest.mark.parametrize("m", [2, 5])
def test_separated_groups_of_equal_size_are_counted(order, m):
    """VS_q = m for m well separated equal groups, any q: their kernel has m blocks of ones."""
    x = 1e3 * np.repeat(np.arange(m), 8)[:, None] + np.zeros((8 * m, 2))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # the rows repeat
        found = effective_number(x, kernel="gaussian", sigma=1.0, order=order, unbiased=False, **QUIET)
    assert found.value == pytest.approx(m, rel=1e-9)


def test_order_two_of_a_gaussian_has_its_closed_form():
    """VS_2 = (1 + 4/sigma^2)^(D/2) for N(0, 1_D); unbiased in the purity, so four errors hold with p > 0.9999."""
    sigma, d = 1.5, 8
    x = np.random.default_rng(0).standard_normal((2500, d))
    found = effective_number(x, kernel="gaussian", sigma=sigma, **QUIET)
    assert not found.complete  # from pairs alone
    assert abs(found.value - (1 + 4 / sigma**2) ** (d / 2)) < 4 * found.value_se < 12
    assert found.converged


def test_order_one_of_a_gaussian_does_not_converge_and_says_so():
    x = np.random.default_rng(0).standard_normal((600, 8))
    with pytest.warns(DataWarning, match="changes by .* from half the items to all"):
        found = effective_number(x, kernel="gaussian", sigma=1.5, order=1, **QUIET)
    assert found.converged is False and "still grows" in found.verdict
    curve = found.curve[:, found.curve_orders.tolist().index(1)]
    assert (np.diff(curve) > 0.15 * curve[:-1]).all()
    assert found.curve_sizes.tolist() == [75, 150, 300, 600]


# -------------------------------------------------------------------------------------- large samples, other containers
@pytest.mark.parametrize("order", [0.5, 1, 2, 3, np.inf])
def test_products_give_what_eigenvalues_give(order, monkeypatch):
    x = np.random.default_rng(0).normal(size=(400, 4)) * [3, 1, 1, 1]
    exact = effective_number(x, kernel="gaussian", sigma=2.0, order=order, unbiased=False, **QUIET)
    monkeypatch.setattr(FILE, "EXACT", 150)
    random = effective_number(x, kernel="gaussian", sigma=2.0, order=order, unbiased=False, random_state=1, **QUIET)
    assert not random.complete and exact.complete
    # eight random vectors: their spread, and what the quadrature does not know, are a part of the error
    assert random.value == pytest.approx(exact.value, rel=1e-9 if order == np.inf else 0.03 if order >= 1 else 0.15)
    assert abs(random.value - exact.value) < 3 * random.value_se
    assert 0.5 * exact.value_se < random.value_se < 3 * exact.value_se


def test_pairs_of_many_items_are_those_of_the_matrix(monkeypatch):
    g = np.random.default_rng(0)
    x, w = g.normal(size=(300, 4)), g.uniform(0.1, 1, 300)
    time = np.arange(300.0)
    space = Space(x, sample_weight=w, time=time)
    asked = dict(kernel="gaussian", sigma=1.0, exclusion_window=3)
    exact = effective_number(space, **asked)
    monkeypatch.setattr(FILE, "EXACT", 100)
    pairs = effective_number(space, **asked)
    assert pairs.value == pytest.approx(exact.value, rel=1e-10)
    assert pairs.value_se == pytest.approx(exact.value_se, rel=1e-8)
    w = w / w.sum()
    allowed = np.abs(time[:, None] - time) > 3
    pair = np.outer(w, w) * allowed
    assert exact.value == pytest.approx(pair.sum() / (pair * gaussian(x, 1.0) ** 2).sum(), rel=1e-10)


@pytest.mark.parametrize("kernel", ["cosine", "covariance"])
def test_many_long_vectors(kernel, monkeypatch):
    x = np.random.default_rng(0).normal(size=(150, 90)) * np.linspace(0.2, 3, 90) + 0.3
    asked = dict(kernel=kernel, **QUIET)
    exact = [effective_number(x, order=q, **asked).value for q in (1, 2)]
    monkeypatch.setattr(FILE, "EXACT", 60)
    random = [effective_number(x, order=q, **asked).value for q in (1, 2)]
    assert random[0] == pytest.approx(exact[0], rel=0.05)
    assert random[1] == pytest.approx(exact[1], rel=1e-10)


@pytest.mark.parametrize("kernel", ["cosine", "covariance", "gaussian"])
@pytest.mark.parametrize("form", ["torch", "dask", "float32", "frame"])
def test_whatever_holds_the_numbers(kernel, form):
    x = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32 if form == "float32" else np.float64)
    if form == "torch":
        data = pytest.importorskip("torch").tensor(x)
    elif form == "dask":
        data = pytest.importorskip("dask.array").from_array(x, chunks=(25, 4))
    elif form == "frame":
        data = pytest.importorskip("pandas").DataFrame(x)
    else:
        data = x
    for order in (1, 2):
        asked = dict(kernel=kernel, order=order, sigma=1.0 if kernel == "gaussian" else "auto", **QUIET)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)  # 60 items do not converge
            plain = effective_number(x.astype(np.float64), **asked)
            found = effective_number(data, **asked)
        assert found.value == pytest.approx(plain.value, rel=1e-10)
        assert found.value_se == pytest.approx(plain.value_se, rel=1e-8)


def test_matrices_and_functions():
    x = np.random.default_rng(0).normal(size=(50, 3))
    plain = effective_number(x, kernel="gaussian", sigma=0.8, **QUIET)
    given = effective_number(gaussian(x, 0.8), kernel="precomputed", unbiased=True, **QUIET)
    from_function = effective_number(
        x, kernel=lambda a, b: np.exp(-((a[:, None] - b) ** 2).sum(-1) / (2 * 0.8**2)), **QUIET
    )
    assert given.value == pytest.approx(plain.value, rel=1e-12) == pytest.approx(from_function.value, rel=1e-12)
    assert given.value_se == pytest.approx(plain.value_se, rel=1e-9)
    assert from_function.kernel == "function"
    doubled = effective_number(2 * gaussian(x, 0.8), kernel="precomputed", unbiased=True, **QUIET)  # K_ii need not be 1
    assert doubled.value == pytest.approx(plain.value, rel=1e-12)


# ---------------------------------------------------------------------------------------------------------- invariances
def test_rotations_and_orders_of_rows_change_nothing():
    g = np.random.default_rng(0)
    x = g.normal(size=(120, 4)) * [3, 2, 1, 1]
    turn = np.linalg.qr(g.normal(size=(4, 4)))[0]
    order = g.permutation(120)
    for kernel, q in (("cosine", 1), ("covariance", 2), ("gaussian", 2), ("gaussian", 3)):
        values = [effective_number(y, kernel=kernel, order=q, **QUIET).value for y in (x, x @ turn, x[order], 4.0 * x)]
        np.testing.assert_allclose(values, values[0], rtol=1e-9)  # sigma="auto" is the median distance: 120 rows, all


def test_same_seed_same_answer():
    x = np.random.default_rng(0).normal(size=(100, 3))
    one, two = (effective_number(x, random_state=5, n_jobs=n, **QUIET) for n in (1, 2))
    assert one.value == two.value and one.value_se == two.value_se


# --------------------------------------------------------------------------------------------------------------- errors
@pytest.mark.slow
@pytest.mark.parametrize(
    "kernel, order, d", [("cosine", 1, 5), ("gaussian", 1, 3), ("gaussian", 2, 3), ("covariance", 2, 4)]
)
def test_errors_are_calibrated(kernel, order, d):
    """60 replicates tell a standard deviation to 9 %, groups left out an error to 18 % each; their mean must agree."""
    found = [
        effective_number(
            np.random.default_rng(seed).standard_normal((160, d)) * np.linspace(1, 2, d) + 0.5,
            kernel=kernel, order=order, sigma=1.0 if kernel == "gaussian" else "auto", **QUIET,
        )
        for seed in range(60)
        if not warnings.simplefilter("ignore")
    ]  # fmt: skip
    truth = np.std([one.entropy for one in found], ddof=1)
    said = np.sqrt(np.mean([one.entropy_se**2 for one in found]))
    assert 0.75 < said / truth < 1.35


def series(n, rho, seed, d=3):
    g = np.random.default_rng(seed)
    x = np.empty((n, d))
    x[0] = g.normal(size=d)
    for t in range(1, n):
        x[t] = rho * x[t - 1] + np.sqrt(1 - rho**2) * g.normal(size=d)
    return x


@pytest.mark.slow
def test_correlated_rows_make_larger_errors():
    """AR(1) with rho = 0.9: about 19 rows count as one for a mean; 40 replicates."""
    found = [
        effective_number(Space(series(800, 0.9, seed), time=np.arange(800)), kernel="gaussian", sigma=1.0)
        for seed in range(40)
        if not warnings.simplefilter("ignore")
    ]
    truth = np.std([one.entropy for one in found], ddof=1)
    said = np.sqrt(np.mean([one.entropy_se**2 for one in found]))
    naive = effective_number(series(800, 0.9, 0), kernel="gaussian", sigma=1.0, **QUIET).entropy_se
    assert 0.65 < said / truth < 1.5 and naive < 0.6 * truth
    assert found[0].n_units < 60 and found[0].exclusion_window > 5


def test_rows_that_look_correlated_are_reported():
    x = series(600, 0.97, 0)
    with pytest.warns(CorrelatedRowsWarning, match="far more often"):
        found = effective_number(x)
    assert any("far more often" in text for text in found.warnings)


# ----------------------------------------------------------------------------------------------------------- edge cases
def test_all_items_one_point():
    same = np.ones((20, 3))
    with pytest.warns(DataWarning, match="one point"):
        assert effective_number(same, kernel="covariance", **QUIET).value == 1
    for kernel in ("cosine", "gaussian"):
        for order in (0, 1, 2, np.inf):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DataWarning)  # the rows repeat
                found = effective_number(same, kernel=kernel, order=order, **QUIET)
            assert found.value == pytest.approx(1, rel=1e-12) and found.value_se == pytest.approx(0, abs=1e-9)


def test_items_that_have_nothing_in_common():
    with pytest.warns(DataWarning, match="no two items have anything in common"):
        found = effective_number(np.eye(20), kernel="precomputed", unbiased=True, **QUIET)
    assert found.value == np.inf and np.isnan(found.value_se)
    plain = effective_number(np.eye(20), kernel="precomputed", order=1, **QUIET)
    assert plain.value == pytest.approx(20)


@pytest.mark.parametrize(
    "call, error, text",
    [
        (lambda: effective_number([[0.0, np.nan], [1, 2]]), DataError, "NaN in row 0, column 1"),
        (lambda: effective_number([[0.0, 0.0], [1, 2]]), DataError, "row 0 of .* is all zeros"),
        (lambda: effective_number(D[:1]), DataError, "at least two"),
        (lambda: effective_number(D, order=-1), ParameterError, "order is -1"),
        (lambda: effective_number(D, order="two"), ParameterError, "order is 'two'"),
        (lambda: effective_number(D, kernel="rbf"), ParameterError, "kernel must be one of"),
        (lambda: effective_number(D, sigma=1.0), ParameterError, "sigma is the scale of kernel='gaussian'"),
        (lambda: effective_number(D, kernel="gaussian", sigma=0), ParameterError, "sigma is 0"),
        (lambda: effective_number(D, kernel="gaussian", sigma="mean"), ParameterError, "sigma is 'mean'"),
        (lambda: effective_number(D, kernel="precomputed"), DataError, "square"),
        (lambda: effective_number(np.triu(np.ones((3, 3))), kernel="precomputed"), DataError, "not symmetric"),
        (lambda: effective_number(np.zeros((3, 3)), kernel="precomputed"), DataError, "on its diagonal, row 0"),
        (
            lambda: effective_number(np.eye(3) + 2 * (np.ones((3, 3)) - np.eye(3)), kernel="precomputed"),
            DataError,
            "negative eigenvalue",
        ),
        (lambda: effective_number(D, kernel=lambda a, b: np.ones((2, 2))), DataError, "shape"),
        (lambda: effective_number(Space(D % 1, period=1.0)), ParameterError, "give cos and sin"),
        (lambda: effective_number(Space(D, metric="manhattan")), ParameterError, "needs distances only"),
        (lambda: effective_number(Space(D), weights=np.ones(200)), ParameterError, "given together with a Space"),
        (lambda: effective_number(D, weights=-np.ones(200)), DataError, "negative"),
    ],
)  # fmt: skip
def test_bad_input_is_named(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_order_zero_of_a_large_kernel_is_refused(monkeypatch):
    monkeypatch.setattr(FILE, "EXACT", 50)
    with pytest.raises(ParameterError, match="order 0 counts all eigenvalues"):
        effective_number(D, kernel="gaussian", order=0, **QUIET)


def test_items_of_weight_zero_are_no_items():
    weight = np.where(np.arange(200) < 50, 0.0, 2.5)
    found, without = effective_number(D, weights=weight, **QUIET), effective_number(D[50:], **QUIET)
    assert found.value == pytest.approx(without.value, rel=1e-12) and found.n_items == 150


def test_periodic_columns_by_distances():
    angles = np.random.default_rng(0).uniform(0, 360, (100, 1))
    found = effective_number(Space(angles, period=360), kernel="gaussian", sigma=30.0, **QUIET)
    away = np.abs((angles - angles.T + 180) % 360 - 180)
    k = np.exp(-(away**2) / (2 * 30**2)) ** 2
    assert found.value == pytest.approx(100 * 99 / (k.sum() - 100), rel=1e-9)


def test_similarities_that_are_given_are_counted_as_they_are():
    """m groups of equal size that have nothing in common are m items, of any order (specification 7.3)."""
    for m, size in ((6, 1), (3, 4), (5, 8)):
        matrix = np.kron(np.eye(m), np.ones((size, size)))
        for order in (None, 0, 0.5, 1, 2, np.inf):
            found = effective_number(matrix, kernel="precomputed", order=order, **QUIET)
            assert found.value == pytest.approx(m, rel=1e-9) and not found.unbiased
    with pytest.warns(DataWarning, match="no two items have anything in common"):
        pairs = effective_number(np.eye(6), kernel="precomputed", unbiased=True)
    assert pairs.value == np.inf and "inf" not in pairs.verdict and "nan" not in pairs.verdict


def test_two_items_have_no_error():
    x = np.array([[0.0], [1.0]])
    with pytest.warns(DataWarning, match="larger than that of the items, 2"):
        found = effective_number(x, kernel="gaussian", sigma=1.0)
    assert found.value == pytest.approx(np.e) and np.isnan(found.value_se)  # 1 / k^2, k = exp(-1/2)
    assert "± nan" not in found.verdict
    plain = effective_number(x, kernel="gaussian", sigma=1.0, unbiased=False)
    assert plain.value == pytest.approx(2 / (1 + np.exp(-1)))


def test_one_direction_is_singular_and_no_less_than_nothing():
    with pytest.warns(DataWarning, match="one point"):
        assert "About 1 direction, 0 %" in matrix_entropy(np.full((20, 3), 0.1)).verdict
    line = np.outer(np.arange(20.0), [1, 1, 1])
    assert "About 1 direction, 0 %" in matrix_entropy(line).verdict
    assert "1 ± 0 equally weighted direction." in effective_number(line, kernel="covariance", **QUIET).verdict
