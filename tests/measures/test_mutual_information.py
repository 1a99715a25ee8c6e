"""Mutual information against published numbers, brute force and closed forms."""

import warnings

import numpy as np
import pandas as pd
import pytest
from tests.measures import brute_information as brute
from tests.statistics.series import autoregressive

from infoscope import Space
from infoscope.base import DataError, DataWarning, ParameterError
from infoscope.measures import conditional_mutual_information, mutual_information

PLAIN = dict(marginals=None, compress=None, se=False)


def pair(n=500, seed=0):
    r = np.random.default_rng(seed)
    x = r.standard_normal((n, 1))
    return x, 0.8 * x + 0.6 * r.standard_normal((n, 1))


def value(x, y, **options):
    return mutual_information(x, y, **(PLAIN | options)).value


# ------------------------------------------------------------------------------------------------- numbers of the field
@pytest.mark.parametrize(
    "estimator, expected",
    [("ksg1", (0.636232412, 0.620260162, 0.580490433)), ("ksg2", (0.522174759, 0.642242664, 0.585566753))],
)
def test_numbers_of_other_packages_on_a_gaussian_pair(estimator, expected):
    found = [value(*pair(), estimator=estimator, k=k) for k in (1, 3, 10)]
    np.testing.assert_allclose(found, expected, atol=1e-8)


@pytest.mark.parametrize(
    "columns, expected",
    [
        (1, (0.199142982, 0.254165105, 0.251570997)),
        (3, (0.600292173, 0.583939700, 0.576118897)),
        (20, (1.067414369, 0.813000531, 0.721713351)),
    ],
)
def test_values_of_infomeasure_in_one_and_in_many_columns(columns, expected):
    # infomeasure 0.6.3, mutual_information(x, y, approach="ksg", k=k, noise_level=0), in nats, k = 1, 3, 5
    rng = np.random.default_rng(columns)
    x = rng.normal(size=(1000, columns))
    y = 0.6 * x + 0.8 * rng.normal(size=(1000, columns))
    a, b = (Space(z, metric="chebyshev") for z in (x, y))
    found = [value(a, b, estimator="ksg1", k=k, exclusion_window=0) for k in (1, 3, 5)]
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_the_copula_of_a_gaussian_pair_with_its_bias_removed():
    assert value(*pair(), estimator="copula") == pytest.approx(0.560641353, abs=1e-8)


def test_columns_against_labels():
    r = np.random.default_rng(1)
    c = r.integers(0, 2, 400)
    x = r.standard_normal((400, 1)) + 3 * c[:, None]
    assert value(x, c) == value(c, x) == pytest.approx(0.522098972, abs=1e-8)
    assert value(x, c.astype(float), estimator="mixed") == pytest.approx(0.523349493, abs=1e-8)


def test_two_sets_of_labels():
    r = np.random.default_rng(2)
    u = r.integers(0, 4, (2000, 1))
    v = (u + r.integers(0, 2, (2000, 1))) % 4
    assert value(u, v, estimator="mixed", k=5) == pytest.approx(0.693558359, abs=1e-8)
    assert value(u, v) == pytest.approx(0.693559028, abs=1e-8)
    assert value(u.astype(float), v.astype(float), k=5) == pytest.approx(0.693558359, abs=1e-8)  # "mixed" by itself


# ---------------------------------------------------------------------------------------------------------- brute force
def data(n=90, dx=2, dy=3, seed=0, grid=None):
    g = np.random.default_rng(seed)
    x, y = g.normal(size=(n, dx)), g.normal(size=(n, dy))
    y[:, 0] += x[:, 0]
    return (x, y) if grid is None else (np.round(x * grid) / grid, np.round(y * grid) / grid)


@pytest.mark.parametrize("k", [1, 3, 7])
@pytest.mark.parametrize("algorithm", [1, 2])
@pytest.mark.parametrize("dx, dy", [(1, 1), (2, 3), (4, 6)])
def test_both_algorithms_by_brute_force(algorithm, k, dx, dy):
    x, y = data(dx=dx, dy=dy, seed=k)
    norms = ["max" if d <= 3 else "euclidean" for d in (dx, dy)]
    expected = brute.ksg([brute.distances(x, norms[0]), brute.distances(y, norms[1])], k, algorithm)
    assert value(x, y, k=k, estimator=f"ksg{algorithm}") == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("grid, k", [(2, 2), (2, 5), (4, 2)])
def test_ties_by_brute_force(grid, k):
    x, y = data(n=150, dx=1, dy=1, seed=grid, grid=grid)  # steps of 1/2 and 1/4 are exact: ties are ties everywhere
    tables = [brute.distances(x), brute.distances(y)]
    found = mutual_information(x, y, k=k, **PLAIN)
    assert found.estimator == "mixed" and 0 < found.tie_fraction < 1
    assert found.value == pytest.approx(brute.mixed(tables, k), abs=1e-9)


def test_ties_beyond_distance_zero_by_brute_force():
    x = np.arange(60.0)[:, None]
    y = (np.arange(60.0)[:, None] * 7) % 60
    expected = brute.ksg([brute.distances(x), brute.distances(y)], 3)
    found = mutual_information(x, y, **PLAIN)
    assert found.estimator == "ksg1" and found.value == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("k", [1, 4])
def test_labels_by_brute_force(k):
    x, _ = data(n=120, dx=3)
    labels = np.digitize(x[:, 0], [-0.4, 0.6])
    expected = brute.ross(brute.distances(x), labels, k)
    assert value(x, labels, k=k) == pytest.approx(expected, abs=1e-9)
    assert value(x, np.array(["a", "b", "c"])[labels], k=k) == pytest.approx(expected, abs=1e-9)


def test_rank_normal_columns_are_the_default_of_plain_data():
    x, y = data()
    z = brute.rank_normal(x), brute.rank_normal(y)
    expected = brute.ksg([brute.distances(c) for c in z], 3)
    found = mutual_information(x, y, se=False)
    assert found.value == pytest.approx(expected, abs=1e-9) and found.marginals == ("rank-normal", "rank-normal")
    monotone = mutual_information(np.exp(x), y**3, se=False)
    assert monotone.value == found.value  # the ranks are the same


@pytest.mark.parametrize("metric, norm", [("euclidean", "euclidean"), ("manhattan", "city"), ("chebyshev", "max")])
def test_the_metric_of_a_space_is_used(metric, norm):
    x, y = data()
    spaces = Space(x, metric=metric, feature_weights=[2.0, 0.5]), Space(y, metric=metric)
    expected = brute.ksg([brute.distances(x * [2.0, 0.5], norm), brute.distances(y, norm)], 3)
    assert mutual_information(*spaces, se=False).value == pytest.approx(expected, abs=1e-9)


def test_periodic_and_precomputed_spaces():
    g = np.random.default_rng(0)
    phi = g.uniform(0, 360, (100, 1))
    y = np.cos(np.deg2rad(phi)) + 0.3 * g.normal(size=(100, 1))
    tables = [brute.distances(phi, period=360), brute.distances(y)]
    expected = brute.ksg(tables, 3)
    spaces = Space(phi, period=360), Space(y)
    assert mutual_information(*spaces, se=False).value == pytest.approx(expected, abs=1e-9)
    away = [Space.from_distances(table) for table in tables]
    assert mutual_information(*away, se=False).value == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("runs", [1, 2])
def test_rows_within_the_window_are_nobodys_neighbours(runs):
    x, y = data(n=120, dx=1, dy=2)
    run = np.repeat(np.arange(runs), 120 // runs)
    spaces = [Space(c, metric="chebyshev", run=run) for c in (x, y)]
    expected = brute.ksg([brute.distances(x), brute.distances(y)], 3, may=brute.allowed(120, 5, run))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = mutual_information(*spaces, exclusion_window=5, se=False)
    assert found.value == pytest.approx(expected, abs=1e-9)


def test_two_sets_of_labels_are_a_table():
    g = np.random.default_rng(0)
    a = g.integers(0, 3, 200)
    b = np.where(g.random(200) < 0.5, a, g.integers(0, 3, 200))
    assert value(a, b) == pytest.approx(brute.plug_in(a, b), abs=1e-12)


# ----------------------------------------------------------------------------------------------------------- invariance
def test_exchanging_the_two_and_rearranging_rows_change_nothing():
    x, y = data(n=200)
    both = mutual_information(x, y), mutual_information(y, x)
    assert both[0].value == pytest.approx(both[1].value, abs=1e-12)
    order = np.random.default_rng(1).permutation(200)
    moved = mutual_information(x[order], y[order])
    assert moved.value == pytest.approx(both[0].value, abs=1e-12)
    assert moved.value_se == pytest.approx(both[0].value_se, abs=1e-12)  # parts are dealt by contents and seed
    assert moved.reasons == both[0].reasons


def test_the_number_of_threads_changes_nothing():
    x, y = data(n=3000)
    found = [mutual_information(x, y, se=False, n_jobs=jobs).value for jobs in (1, 2)]
    assert found[0] == found[1]


def test_a_column_that_is_shifted_by_a_million():
    x, y = data(n=1000, grid=1024)  # such numbers keep their differences when a million is added
    found = mutual_information(x, y, se=False).value
    assert mutual_information(x + 1e6, y, se=False).value == found
    assert mutual_information(x, y + 1e6, se=False).value == found


def test_a_constant_column_tells_exactly_nothing():
    y = np.zeros(1_000_000, int)
    y[np.random.default_rng(0).choice(len(y), 100, replace=False)] = 1
    with pytest.warns(DataWarning, match="constant"):
        found = mutual_information(np.full(len(y), 3.7), y)
    assert found.value == 0 and found.value_se == 0 and "exactly nothing" in found.notes[-1]


def test_a_constant_column_beside_others_is_left_out():
    x, y = data()
    with pytest.warns(DataWarning, match="1 constant column.*of X were left out: column 1"):
        found = mutual_information(np.c_[x[:, 0], np.ones(90), x[:, 1]], y, se=False)
    assert found.value == mutual_information(x, y, se=False).value
    assert len(found.warnings) == 1


def test_bits_are_nats_divided_by_log_two():
    x, y = pair()
    nats, bits = (mutual_information(x, y, unit=unit, n_permutations=19) for unit in ("nats", "bits"))
    for name in ("value", "value_se", "copula"):
        assert getattr(bits, name) == pytest.approx(getattr(nats, name) / np.log(2))
    for name in ("by_k", "by_size", "by_size_se", "null_values"):
        np.testing.assert_allclose(getattr(bits, name), getattr(nats, name) / np.log(2))
    assert bits.p_value == nats.p_value and bits.reasons == nats.reasons == ()


def test_frames_keep_the_names_of_their_columns():
    x, y = data()
    frame = pd.DataFrame(x, columns=["a", "b"])
    found = mutual_information(frame, pd.Series(y[:, 0], name="target"), se=False)
    assert found.names == ("X", "target")
    assert found.value == mutual_information(x, y[:, 0], se=False).value


# -------------------------------------------------------------------------------------------------- errors and verdicts
def test_the_curve_over_k_comes_from_one_search():
    x, y = data(n=300)
    found = mutual_information(x, y, k=4)
    assert found.k_values.tolist() == [1, 3, 4, 5, 8, 10, 20, 50]
    each = [mutual_information(x, y, k=int(k), se=False).value for k in found.k_values]
    np.testing.assert_allclose(found.by_k, each, atol=1e-12)
    assert found.parts.tolist() == list(range(1, 11)) and found.by_size[0] == found.value


def test_many_columns_without_much_data_are_called_limited():
    g = np.random.default_rng(0)
    x = g.normal(size=(400, 8))
    found = mutual_information(x, x + 0.5 * g.normal(size=(400, 8)))
    assert not found.reliable and found.size_limited and found.is_lower_bound
    assert "at least" in found.verdict and "sample-size limited" in found.verdict


def test_a_pair_that_is_well_sampled_is_believed():
    found = mutual_information(*pair(2000))
    assert found.reliable and not found.reasons and not found.is_lower_bound
    assert abs(found.value - 0.510826) < 3 * found.value_se


def test_independence():
    g = np.random.default_rng(0)
    found = mutual_information(g.normal(size=500), g.normal(size=500), n_permutations=99)
    assert found.p_value > 0.05 and "can be told from none" in found.verdict and found.clipped >= 0
    assert len(found.null_values) == 99 and abs(found.null_values.mean()) < 0.02
    fifth = np.sort(found.null_values)[-5]  # five of 99 may be as large where (1 + 4)/(1 + 99) is the last p <= 0.05
    assert f"; values up to {fifth:.2g} nats would not show;" in found.verdict
    plain = mutual_information(g.normal(size=500), g.normal(size=500))
    of_rows = 2 * np.sqrt(plain.value_se**2 - plain.width_bias**2)
    assert f"; values up to {of_rows:.2g} nats would not show;" in plain.verdict


def test_rows_that_look_correlated_are_told():
    walk = np.cumsum(np.random.default_rng(0).normal(size=(500, 3)), axis=0)
    with pytest.warns(match="look correlated|neighbouring rows"):
        found = mutual_information(walk, walk[:, :1] ** 2)
    assert found.correlated_rows and "look correlated" in found.verdict


def test_a_small_label_can_be_left_out():
    x, _ = data(n=100)
    labels = np.array(["a"] * 50 + ["b"] * 48 + ["rare"] * 2)
    with pytest.raises(DataError, match=r"'rare' \(2\)"):
        mutual_information(x, labels)
    with pytest.warns(DataWarning, match="2 rows of labels"):
        found = mutual_information(x, labels, small_labels="drop", se=False, marginals=None)
    assert (
        found.value == mutual_information(x[:98], labels[:98], se=False, marginals=None).value and found.n_items == 98
    )


# ------------------------------------------------------------------------------------------------------------ bad input
def test_bad_input():
    x, y = data()
    wrong = x.copy()
    wrong[4, 1] = np.nan
    for arguments, options, error, match in (
        ((x, y[:-1]), {}, DataError, "X has 90 rows, Y has 89"),
        ((wrong, y), {}, DataError, "X holds NaN in row 4, column 1"),
        ((x, y), dict(k=0), ParameterError, "k must be at least 1"),
        ((x[:7], y[:7]), {}, DataError, "7 items are too few for k=3 neighbours: at least 8"),
        ((x, y), dict(estimator="ksg"), ParameterError, "estimator must be one of"),
        ((x, y), dict(estimator="labels"), ParameterError, "needs labels"),
        ((x, Space.from_labels(["a", "b"] * 45)), dict(estimator="ksg1"), ParameterError, "holds labels"),
        ((x, y), dict(unit="hartleys"), ParameterError, "unit must be one of"),
        ((x, y), dict(marginals="uniform"), ParameterError, "marginals must be one of"),
        ((x, y), dict(n_permutations=5), ParameterError, "n_permutations must be at least 19"),
        ((x, y), dict(exclusion_window="long"), ParameterError, "exclusion_window"),
        ((x, y), dict(compress="pca"), ParameterError, "compress is 'pca'"),
        ((x[:5], y[:5]), dict(estimator="copula"), DataError, "5 rows are too few for the covariance"),
        ((np.c_[x, x[:, 0]], y), dict(estimator="copula"), DataError, "linear functions of each other"),
    ):
        with pytest.raises(error, match=match):
            mutual_information(*arguments, **options)


def test_what_has_no_ranks():
    g = np.random.default_rng(0)
    phi = Space(g.uniform(0, 360, (50, 1)), period=360)
    with pytest.raises(ParameterError, match="is periodic.*cos and sin"):
        mutual_information(phi, g.normal(size=50), marginals="rank-normal")
    with pytest.raises(ParameterError, match="'cosine'"):
        mutual_information(Space(g.normal(size=(50, 3)), metric="cosine"), g.normal(size=50), marginals="rank-normal")
    with pytest.raises(ParameterError, match="cos and sin"):
        mutual_information(phi, g.normal(size=50), estimator="copula")


def test_weights_that_differ_are_refused():
    x, y = data()
    with pytest.raises(DataError, match="counts of neighbours have no weighted form"):
        mutual_information(Space(x, sample_weight=np.linspace(1, 2, 90)), y)


def test_an_error_from_two_parts_is_said_to_be_rough():
    # 180 rows of many columns can be cut in two only: one degree of freedom, and Student's factor is 12.7
    x = np.random.default_rng(3).normal(size=(180, 5))
    few = mutual_information(x, x[:, :4] + np.random.default_rng(4).normal(size=(180, 4)))
    assert few.parts.tolist() == [1, 2] and not few.reliable
    assert any("no more than 2 parts" in reason for reason in few.reasons)
    low, high = few.interval
    assert (high - low) / few.value_se == pytest.approx(2 * 12.706, rel=1e-4)
    many = mutual_information(x[:, 0], x[:, 0] + x[:, 1])
    low, high = many.interval
    assert many.parts.tolist()[-1] == 10 and (high - low) / many.value_se == pytest.approx(2 * 2.262, rel=1e-3)
    assert not any("parts" in reason for reason in many.reasons)


@pytest.mark.parametrize("other", ["columns", "labels"])
def test_rounded_columns_share_nothing(other):
    """Neighbours that are tied at the k-th place are not closer than it: 0.22 and 0.35 nats if they were counted so."""
    g = np.random.default_rng(1)
    x = g.normal(size=1000).round(1)
    y = g.normal(size=1000).round(1) if other == "columns" else g.integers(0, 3, 1000).astype(str)
    found = mutual_information(x, y)
    assert abs(found.value) < 3 * found.value_se


def test_null_knows_nothing_of_the_order_of_rows():
    g = np.random.default_rng(0)
    x, y = g.normal(size=(2, 60))
    moved = g.permutation(60)
    one = mutual_information(x, y, se=False, n_permutations=19)
    other = mutual_information(x[moved], y[moved], se=False, n_permutations=19)
    np.testing.assert_allclose(one.null_values, other.null_values, atol=1e-12)  # sums in another order


def test_copies_of_rows_are_told():
    """Two independent columns, every row twice."""
    x, y = np.random.default_rng(0).normal(size=(2, 100))
    with pytest.warns(DataWarning, match="repeat another one in both spaces"):
        assert mutual_information(np.r_[x, x], np.r_[y, y], se=False).warnings


def lattice(step, n=2000, seed=0):
    x, y = np.random.default_rng(seed).normal(size=(2, n, 1))
    return [Space(np.round(one / step) * step) for one in (x, y)]


def tells_ties(found):
    return any("as far as the one before it" in reason and "rank-normal" in reason for reason in found.reasons)


@pytest.mark.filterwarnings("ignore:.*repeat another one")
@pytest.mark.parametrize("se", [True, False])
def test_ties_at_the_last_place_are_told(se):
    """Independent columns rounded to 0.1 give 0.12 nats, five errors: a value that must not be believed."""
    found = mutual_information(*lattice(0.1), se=se)
    assert found.value > 0.05 and found.reliable is False and tells_ties(found)
    ranked = mutual_information(*lattice(0.1), marginals="rank-normal", se=se)  # the way out that the reason names
    assert abs(ranked.value) < 0.05 and not tells_ties(ranked)
    assert not tells_ties(mutual_information(*lattice(1e-6)))


@pytest.mark.filterwarnings("ignore:.*repeat another one")
def test_ties_at_the_last_place_beside_labels_and_a_third():
    """Steps of 0.001 hold half a row of 2000 on a line in the middle, steps of 0.1 a third of one of 1000 in space."""
    r = np.random.default_rng(0)
    labels = r.integers(0, 2, 2000).astype(str)
    assert tells_ties(mutual_information(lattice(0.001)[0], labels, se=False))
    assert not tells_ties(mutual_information(lattice(1e-9)[0], labels, se=False))
    three = r.normal(size=(3, 1000, 1))
    assert tells_ties(conditional_mutual_information(*(Space(one.round(1)) for one in three), se=False))
    assert not tells_ties(conditional_mutual_information(*(Space(one) for one in three), se=False))


def test_the_second_algorithm_refuses_tied_places():
    with pytest.raises(ParameterError, match=r"needs columns without ties.*take 'ksg1' or 'mixed'"):
        mutual_information(*lattice(0.1, n=300), estimator="ksg2", se=False)


def test_a_few_tied_places_of_the_second_algorithm_do_not_depend_on_the_order_of_rows():
    """Two items as far from a third, one of them further in y: which of them is the k-th would be chance."""
    x, y = np.random.default_rng(5).normal(size=(2, 400, 1)).round(3)
    mixed = np.random.default_rng(6).permutation(400)
    found = [
        mutual_information(Space(x[rows]), Space(y[rows]), estimator="ksg2", se=False).value
        for rows in (np.arange(400), np.arange(400)[::-1], mixed)
    ]
    np.testing.assert_allclose(found, found[0], rtol=1e-9)


def test_columns_that_are_functions_of_each_other_have_no_bound():
    x = np.random.default_rng(0).normal(size=200)
    found = mutual_information(x, x**3, estimator="copula")
    assert found.value == np.inf and found.reliable is False
    assert "functions of each other" in found.verdict and "too few rows" not in found.verdict


def test_a_verdict_says_only_what_was_varied():
    x, y = pair(1000)
    assert "number of rows by" in mutual_information(x, y, estimator="copula").verdict
    assert "number of rows or neighbours by" in mutual_information(x, y).verdict


@pytest.mark.filterwarnings("ignore::infoscope.base.CorrelatedRowsWarning")
def test_classes_of_a_series_have_fewer_rows_to_use_than_members():
    """Three classes of a slow series, of which a window forbids some: the curve over k ends there."""
    for seed in range(4):
        g = np.random.default_rng(seed)
        x, y = (autoregressive(0.8, 300, g) for _ in range(2))
        labels = (y[:, 0] > 0).astype(int) + (y[:, 0] > 1)
        found = mutual_information(Space(x, time=np.arange(300.0)), Space.from_labels(labels))
        members = [np.flatnonzero(labels == label) for label in range(3)]
        apart = [np.abs(some[:, None] - some) > found.exclusion_window for some in members]
        assert found.k_values.max() <= min(one.sum(1).min() for one in apart)
        assert np.isfinite(found.value_se)
