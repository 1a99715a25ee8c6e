"""Values of the Information Imbalance against hand examples, published numbers, analytic limits and brute force."""

import numpy as np
import pytest
from scipy.integrate import quad
from tests.imbalance import brute

from infoscope.base import DataError
from infoscope.imbalance import imbalance_matrix, information_imbalance
from infoscope.neighbors import Space

HAND_A = np.array([(0, 0), (1, 0), (0, 2), (3, 1), (2, 2), (5, 0)], float)
HAND_B = np.array([0, 1, 4, 2, 7, 3.5])[:, None]
HAND_RANKS = np.array(
    [
        [0, 1, 4, 2, 5, 3],
        [1.5, 0, 4, 1.5, 5, 3],
        [5, 3.5, 0, 2, 3.5, 1],
        [3.5, 1, 3.5, 0, 5, 2],
        [5, 4, 1, 3, 0, 2],
        [4.5, 3, 1, 2, 4.5, 0],
    ]
)


def both(a, b, **options):
    result = information_imbalance(a, b, **options)
    return result.a_to_b, result.b_to_a


# ----------------------------------------------------------------------------------------------- known numbers
def test_hand_example_with_ties():
    ranks = brute.mean_ranks(brute.distances(HAND_B), ~np.eye(6, dtype=bool))
    np.testing.assert_array_equal(np.nan_to_num(ranks), HAND_RANKS)  # first of all, is the brute force right?
    result = information_imbalance(HAND_A, HAND_B)
    # nearest in A, by hand: 0-1, 1-0, 2-(0 and 4), 3-4, 4-3, 5-3
    mean_rank = (1 + 1.5 + (5 + 3.5) / 2 + 5 + 3 + 2) / 6
    assert result.a_to_b == pytest.approx(2 / 6 * mean_rank, abs=1e-14)
    assert result.a_to_b == pytest.approx(0.930556, abs=5e-7)
    assert result.a_to_b_rows[2] == pytest.approx(2 / 6 * 4.25, abs=1e-14)


@pytest.mark.parametrize(
    ("k", "expected"),
    [
        (1, (0.662916, 0.131258, 0.582778)),
        (3, (0.6808607, 0.1636893, 0.5666013)),
        (10, (0.6770832, 0.2271506, 0.5715496)),
    ],
)
def test_gaussian_columns_to_the_last_rank(k, expected):
    x = np.random.default_rng(42).normal(size=(1000, 3))
    found = (*both(x[:, :1], x, k=k), both(x[:, :2], x[:, 1:], k=k)[0])
    np.testing.assert_allclose(found, expected, atol=5e-7 if k == 1 else 5e-8, rtol=0)
    d = brute.distances(x[:, :1]), brute.distances(x)
    exact = brute.imbalance_by_sorting(*d, k), brute.imbalance_by_sorting(*d[::-1], k)
    np.testing.assert_allclose(found[:2], exact, atol=1e-12, rtol=0)


def test_sine():
    g = np.random.default_rng(0)
    x1 = g.uniform(0, 1, (1000, 1))
    x2 = 5 * np.sin(25 * x1) + g.normal(0, 0.5, (1000, 1))
    np.testing.assert_allclose(both(x1, x2), (0.217520, 0.978180), atol=5e-7)


def test_wine():
    from sklearn.datasets import load_wine

    wine = load_wine().data
    z = (wine - wine.mean(0)) / wine.std(0)
    np.testing.assert_allclose(both(wine, z, exclusion_window=0), (0.462126, 0.461684), atol=1e-6)
    np.testing.assert_allclose(both(z[:, :6], z[:, 6:], exclusion_window=0), (0.442873, 0.419139), atol=1e-6)


def test_digits():
    from sklearn.datasets import load_digits
    from sklearn.decomposition import PCA

    pixels = load_digits().data[:1000]
    components = PCA(10, random_state=0).fit_transform(pixels)
    found = (*both(components, pixels, exclusion_window=0), both(components[:, :2], pixels, exclusion_window=0)[0])
    np.testing.assert_allclose(found, (0.006758, 0.004642, 0.396574), atol=2e-3)


def limit(a, b):
    """N to infinity, a Gaussian columns against the same and b more."""
    if b == 1:
        c = lambda phi: np.sqrt(3) / 2 * np.sin(phi)  # noqa: E731
        return 2 / np.pi * quad(lambda phi: (c(phi) / (1 + c(phi))) ** (a / 2), 0, np.pi / 2)[0]
    g = np.random.default_rng(1)
    n = 400_000
    chi2_a, chi2_b = g.chisquare(a, n), g.chisquare(b, n)
    return 2 * np.mean(chi2_a < np.sqrt(3 * chi2_b) * g.normal(size=n))  # +- 0.0016


@pytest.mark.parametrize(("a", "b"), [(1, 1), (2, 1), (3, 1), (2, 2), (1, 9)])
def test_analytic_limits(a, b):
    x = np.random.default_rng(100 * a + b).normal(size=(4000, a + b))
    assert both(x[:, :a], x)[0] == pytest.approx(limit(a, b), abs=0.03)  # three times a scatter of 0.01


def test_analytic_limits_are_those_of_the_formula():
    np.testing.assert_allclose([limit(1, 1), limit(2, 1), limit(3, 1)], [0.56027, 1 / 3, 0.20460], atol=1e-5)
    np.testing.assert_allclose([limit(1, 9), limit(2, 2), limit(5, 5)], [0.847, 0.463, 0.283], atol=0.005)


def test_shared_coordinates():
    """Numbers published for one sample of 2000 each; here means of six."""
    x = np.random.default_rng(3).normal(size=(6, 2000, 4))
    np.testing.assert_allclose(np.mean([both(one[:, :2], one[:, 1:3]) for one in x], 0), (0.556, 0.567), atol=0.03)
    np.testing.assert_allclose(np.mean([both(one[:, :3], one[:, 1:]) for one in x], 0), (0.346, 0.356), atol=0.03)


def test_greedy_best_sets_of_ten_gaussians():
    x = np.random.default_rng(0).normal(size=(1000, 10))
    chosen, best = [], []
    for _ in range(7):
        sets = {str(c): x[:, [*chosen, c]] for c in range(10) if c not in chosen}
        to_set = imbalance_matrix({"full": x}, sets).values[0]
        to_full = imbalance_matrix(sets, {"full": x}).values[:, 0]
        winner = int(np.argmin(to_set + to_full))
        chosen.append(int(list(sets)[winner]))
        best.append((to_set[winner], to_full[winner]))
    expected = [(0.47, 0.81), (0.25, 0.67), (0.15, 0.51), (0.09, 0.38), (0.05, 0.28), (0.03, 0.19), (0.01, 0.12)]
    np.testing.assert_allclose(best, expected, atol=0.03)


# -------------------------------------------------------------------------------------------------- brute force
@pytest.mark.filterwarnings("ignore:.*repeats? another one:infoscope.base.InfoscopeWarning")
@pytest.mark.parametrize("seed", range(40))
def test_random_data_against_brute_force(seed):
    g = np.random.default_rng(seed)
    n, (da, db) = int(g.integers(5, 40)), g.integers(1, 5, 2)
    k = int(g.integers(1, min(6, n - 1)))
    a, b = (g.integers(0, 3, (n, d)).astype(float) if seed % 2 else g.normal(size=(n, d)) for d in (da, db))
    found = both(a, b, k=k)
    d_a, d_b = brute.distances(a), brute.distances(b)
    np.testing.assert_allclose(found, (brute.imbalance(d_a, d_b, k), brute.imbalance(d_b, d_a, k)), atol=1e-13)


@pytest.mark.filterwarnings("ignore:.*repeats? another one:infoscope.base.InfoscopeWarning")
@pytest.mark.parametrize("dtype", [np.float32, np.int64, bool])
def test_types_of_numbers(dtype):
    g = np.random.default_rng(1)
    a, b = (g.integers(0, 2 if dtype is bool else 5, (30, 2)).astype(dtype) for _ in range(2))
    d_a, d_b = brute.distances(a), brute.distances(b)
    assert both(a, b, k=2)[0] == pytest.approx(brute.imbalance(d_a, d_b, 2), abs=1e-13)


def test_each_space_has_its_own_period():
    g = np.random.default_rng(2)
    a, b = g.uniform(0, 360, (60, 2)), g.uniform(0, 4, (60, 3))
    found = both(Space(a, period=[360, 0]), Space(b, period=[0, 0, 4]), k=3)
    d_a, d_b = brute.distances(a, [360, 0]), brute.distances(b, [0, 0, 4])
    np.testing.assert_allclose(found, (brute.imbalance(d_a, d_b, 3), brute.imbalance(d_b, d_a, 3)), atol=1e-13)


@pytest.mark.parametrize(
    ("metric", "distance"),
    [
        ("manhattan", lambda u, v: np.abs(u - v).sum(-1)),
        ("chebyshev", lambda u, v: np.abs(u - v).max(-1)),
        ("hamming", lambda u, v: (u != v).sum(-1)),
    ],
)
def test_other_metrics(metric, distance):
    g = np.random.default_rng(3)
    a, b = g.integers(0, 4, (2, 40, 3)).astype(float)
    d_a, d_b = (distance(x[:, None], x[None]).astype(float) for x in (a, b))
    found = both(Space(a, metric=metric), Space(b, metric=metric), k=2)
    np.testing.assert_allclose(found, (brute.imbalance(d_a, d_b, 2), brute.imbalance(d_b, d_a, 2)), atol=1e-13)


def test_only_the_order_of_distances_counts():
    x = np.random.default_rng(4).normal(size=(50, 2))
    y = np.random.default_rng(5).normal(size=(50, 2))
    d = np.sqrt(brute.distances(x))
    expected = both(x, y, k=3)
    for transformed in (d, np.exp(d) - 1, np.log1p(d), d**3):
        assert both(Space.from_distances(transformed), y, k=3) == expected


def test_large_k_is_exact():
    x = np.random.default_rng(6).normal(size=(300, 3))
    d_a, d_b = brute.distances(x[:, :2]), brute.distances(x)
    for k in (150, 298):  # far beyond any list of fixed length
        assert both(x[:, :2], x, k=k)[0] == pytest.approx(brute.imbalance_by_sorting(d_a, d_b, k), abs=1e-12)
    assert both(x[:, :2], x, k=299) == (pytest.approx(1, abs=1e-12), pytest.approx(1, abs=1e-12))  # all items


# --------------------------------------------------------------------------------------------------- exact facts
@pytest.mark.parametrize("k", [1, 2, 7, 49])
def test_identical_spaces(k):
    x = np.random.default_rng(7).normal(size=(50, 3))
    np.testing.assert_allclose(both(x, x.copy(), k=k), (k + 1) / 50, atol=1e-14)


def test_constant_spaces_give_one():
    x = np.random.default_rng(8).normal(size=(40, 2))
    constant = np.full((40, 3), 2.5)
    assert both(x, constant, k=3) == (pytest.approx(1, abs=1e-14), pytest.approx(1, abs=1e-14))
    assert both(constant, constant) == (pytest.approx(1, abs=1e-14), pytest.approx(1, abs=1e-14))


def test_all_rows_twice():
    """A copy is a neighbour at distance zero like any other: never "the row itself"."""
    x = np.repeat(np.random.default_rng(9).integers(0, 50, (20, 2)).astype(float), 2, axis=0)
    y = np.random.default_rng(10).normal(size=(40, 2))
    result = information_imbalance(x, y, exclusion_window=0)
    assert result.a_to_b == pytest.approx(brute.imbalance(brute.distances(x), brute.distances(y)), abs=1e-14)
    assert min(result.a_to_b_ranks.min(), result.b_to_a_ranks.min()) > 0


@pytest.mark.parametrize("ties", [False, True])
def test_order_of_rows_does_not_matter(ties):
    g = np.random.default_rng(11)
    a, b = (g.integers(0, 3, (60, 2)).astype(float) if ties else g.normal(size=(60, 2)) for _ in range(2))
    y = g.integers(0, 3, 60)
    order = g.permutation(60)
    for target in (Space(b), Space.from_labels(y)):
        first = information_imbalance(a, target, k=3)
        second = information_imbalance(a[order], target.take(order), k=3)
        np.testing.assert_allclose(second.a_to_b_rows, first.a_to_b_rows[order], rtol=1e-14)
        np.testing.assert_allclose(second.b_to_a_rows, first.b_to_a_rows[order], rtol=1e-14)
        assert second.a_to_b_se == pytest.approx(first.a_to_b_se, rel=1e-12)


def test_isometries_and_units_change_nothing():
    """Whole numbers, quarter turns, mirrors, dyadic shifts and powers of two: arithmetic is exact, ties stay ties."""
    g = np.random.default_rng(12)
    a, b = g.integers(-8, 8, (2, 80, 3)).astype(float)
    expected = both(a, b, k=2)
    turned = a[:, [2, 0, 1]] * [1, -1, -1] + [0.5, -4, 1024]
    assert both(turned, b, k=2) == expected
    assert both(a * 2.0**-20, b * 2.0**13, k=2) == expected
    x = g.normal(size=(80, 3))
    assert both(x * 2.0**-20, x[:, :1] * 2.0**300) == both(x, x[:, :1])


def test_values_above_one_are_returned():
    x = np.random.default_rng(13).normal(size=(60, 30, 2))
    values = [both(pair[:, :1], pair[:, 1:])[0] for pair in x]
    assert max(values) > 1.1
    scatter = np.std(values) / np.sqrt(len(values))
    assert np.mean(values) == pytest.approx(1, abs=4 * scatter)  # independent data: expectation one


def test_result_fields_add_up():
    x = np.random.default_rng(14).normal(size=(50, 3))
    r = information_imbalance(Space(x, name="xyz"), Space(x[:, :1], name="x"), k=4)
    assert (r.name_a, r.name_b, r.k, r.n_items, r.n_rows, r.n_columns) == ("xyz", "x", 4, 50, 50, None)
    assert r.row_weights.sum() == pytest.approx(1) and r.row_weights @ r.a_to_b_rows == pytest.approx(
        r.a_to_b, abs=1e-14
    )
    for way in ("a_to_b", "b_to_a"):
        weights, ranks = getattr(r, f"{way}_rank_weights"), getattr(r, f"{way}_ranks")
        assert weights.sum() == pytest.approx(1) and 2 * weights @ ranks == pytest.approx(getattr(r, way), abs=1e-14)
        assert ranks.min() > 0 and ranks.max() < 1
    assert r.n_kish == r.n_effective == r.n_independent == 50
    assert r.a_to_b_floor == r.b_to_a_floor == pytest.approx(5 / 50)


# ------------------------------------------------------------------------------------------------------- labels
@pytest.mark.parametrize("k", [1, 3, 8])
def test_labels_as_target_in_closed_form(k):
    """Eq. (3): sum p_c^2 + (N - 1)/N (1 - overlap)."""
    g = np.random.default_rng(15)
    y = g.integers(0, 4, 80)
    x = g.normal(size=(80, 2)) + y[:, None]
    d = brute.distances(x)
    np.fill_diagonal(d, np.inf)
    overlap = np.mean([np.mean(y[np.argsort(d[i])[:k]] == y[i]) for i in range(80)])
    p = np.bincount(y) / 80
    expected = (p**2).sum() + 79 / 80 * (1 - overlap)
    result = information_imbalance(x, Space.from_labels(y), k=k)
    assert result.a_to_b == pytest.approx(expected, abs=1e-13)
    assert result.a_to_b == pytest.approx(brute.imbalance(brute.distances(x), brute.label_distances(y), k), abs=1e-13)
    assert result.b_to_a == pytest.approx(brute.imbalance(brute.label_distances(y), brute.distances(x), k), abs=1e-13)


def test_floor_of_labels_is_reached():
    y = np.repeat(["a", "b", "c"], [10, 15, 25])
    x = np.where(y == "a", 0.0, np.where(y == "b", 100.0, 1e4))[:, None] + np.random.default_rng(16).normal(
        size=(50, 1)
    )
    result = information_imbalance(x, Space.from_labels(y), k=5)
    assert result.a_to_b == pytest.approx(0.2**2 + 0.3**2 + 0.5**2, abs=1e-13)
    assert result.a_to_b_floor == pytest.approx(result.a_to_b, abs=1e-13) and result.a_to_b_normalized == pytest.approx(
        0
    )


def test_labels_of_one_item_each_and_of_one_class():
    x = np.random.default_rng(17).normal(size=(30, 2))
    unique, same = Space.from_labels(np.arange(30)), Space.from_labels(["a"] * 30)
    assert both(x, unique) == (pytest.approx(1), pytest.approx(1))  # all labels equally far: constant distance
    assert both(x, same) == (pytest.approx(1), pytest.approx(1))


def test_too_few_items():
    x = np.random.default_rng(18).normal(size=(3, 2))
    d = brute.distances(x), brute.distances(x[:, :1])
    assert both(x, x[:, :1])[0] == pytest.approx(brute.imbalance(*d), abs=1e-14)
    with pytest.raises(DataError, match="at least 3"):
        information_imbalance(x[:2], x[:2])


@pytest.mark.parametrize("n", [200, 9000])
def test_a_constant_tells_nothing_whatever_the_size(n):
    x = np.random.default_rng(0).normal(size=(n, 2))
    result = information_imbalance(np.zeros((n, 1)), x)
    # all others are equally near: the mean rescaled rank is exactly 1/2
    assert result.a_to_b == pytest.approx(1, abs=1e-12) and result.relation == "independent"


def test_few_different_values_are_labels():
    g = np.random.default_rng(1)
    values = g.integers(0, 3, 12_000)
    x = values[:, None] + g.normal(size=(12_000, 1))
    few = information_imbalance(values[:, None].astype(float), x, random_state=0)
    labels = information_imbalance(Space.from_labels(values), x, random_state=0)
    # the same rows are drawn, and a row's whole class is at distance 0 in both
    assert few.a_to_b == labels.a_to_b and any("few different values" in note for note in few.notes)
