"""What is asked of the dimension when the data are odd: each row of the list of edge cases."""

import warnings

import numpy as np
import pytest

from infoscope.base import DataError, ParameterError
from infoscope.dimension import ABIDE, Gride, TwoNN, neighbor_table
from infoscope.neighbors import Space

ALL = [TwoNN(), Gride(max_rank=16), ABIDE(max_neighbors=30)]


def named(estimator):
    return type(estimator).__name__


def normal(n=200, d=2, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d))


@pytest.mark.parametrize("estimator", ALL, ids=named)
def test_a_nan_is_counted_and_placed(estimator):
    x = normal()
    x[[7, 9], 1] = np.nan
    with pytest.raises(DataError, match="row 7, column 1.*2 rows of 200"):
        estimator.fit(x)
    x[[7, 9], 1] = 0
    x[50, 0] = np.inf
    with pytest.raises(DataError, match="row 50, column 0"):
        estimator.fit(x)


@pytest.mark.parametrize("estimator", ALL, ids=named)
def test_repeats_are_counted_once(estimator):
    x = normal()
    with pytest.warns(UserWarning, match="30 of 230 items of X repeat") as seen:
        found = estimator.fit(np.r_[x, x[:30]])
    assert sum("repeat" in str(one.message) for one in seen) == 1
    np.testing.assert_allclose(
        found.dimension_, type(estimator)(**estimator.get_params()).fit(x).dimension_, rtol=1e-12
    )
    assert found.result_.n_duplicates == 30 and found.result_.n_items == 200


@pytest.mark.parametrize("estimator", ALL, ids=named)
def test_constant_columns_are_said_once_and_change_nothing(estimator):
    x = normal()
    plain = np.array(estimator.fit(x).dimension_)
    with pytest.warns(UserWarning, match="1 of 3 columns of X are constant and tell nothing: 2") as seen:
        np.testing.assert_array_equal(estimator.fit(np.c_[x, np.full(200, 4.0)]).dimension_, plain)
    assert len(seen) == 1


@pytest.mark.parametrize("estimator", [TwoNN(), TwoNN("fit"), *ALL[1:]], ids=named)
def test_items_without_weight_are_no_items(estimator):
    """They were rows that asked, but no candidates."""
    x, weight = np.random.default_rng(0).random((300, 3)), np.ones(300)
    weight[:100] = 0
    found, rest = (estimator.fit(data).result_ for data in (Space(x, sample_weight=weight), x[100:]))
    np.testing.assert_array_equal(found.dimension, rest.dimension)
    np.testing.assert_array_equal(found.dimension_se, rest.dimension_se)
    assert found.n_items == 200 and "100 items of weight zero were left out" in found.notes


def test_positive_weights_are_used():
    """Every log ratio counts as its weight says, but for the bias of N of them."""
    x, weight = np.random.default_rng(1).random((300, 3)), np.random.default_rng(2).uniform(0.2, 2, 300)
    far = np.sqrt(((x[:, None] - x[None]) ** 2).sum(-1))
    near = np.sort(far, axis=1)[:, 1:3]
    log_mu = np.log(near[:, 1] / near[:, 0])
    found = TwoNN().fit(Space(x, sample_weight=weight)).dimension_
    assert found == pytest.approx(weight.sum() / (weight @ log_mu), rel=0.01)
    assert found != pytest.approx(300 / log_mu.sum(), rel=0.002)


@pytest.mark.parametrize("estimator", ALL, ids=named)
@pytest.mark.filterwarnings("ignore:.*repeat another one")
def test_too_few_different_items(estimator):
    with pytest.raises(DataError, match="has 1 different items"):
        estimator.fit(np.ones((40, 2)))
    for n in (2, 3, 4, 5, 7):
        few = type(estimator)().fit
        with pytest.raises(DataError, match=f"{n} different items, fewer than the"):
            few(normal(n))
    assert np.all(np.isfinite(type(estimator)().fit(normal(12)).dimension_))


def test_a_handful_of_points_has_a_dimension_and_an_error():
    """In a half of them every neighbour may lie within the inner radius, which alone would say dimension zero."""
    found = ABIDE(max_neighbors=20).fit(np.random.RandomState(0).normal(size=(10, 4))).result_  # noqa: NPY002
    assert 1 < found.dimension < 5 and 0 < found.dimension_se < 5


def test_more_neighbours_than_items():
    found = ABIDE(max_neighbors=100).fit(normal(40)).result_
    assert "39 are used" in " ".join(found.notes)
    with pytest.raises(ParameterError, match="max_rank=60 is too large: an item has only 49"):
        Gride(max_rank=60).fit(normal(50))


def test_ranks_beyond_half_of_the_items_are_left_out():
    """Halves of the items tell the error, and must have neighbours of the rank."""
    found = Gride(max_rank=49).fit(normal(50)).result_
    assert found.ranks[-1].tolist() == [8, 16] and "ranks above 24 were left out" in " ".join(found.notes)
    np.testing.assert_array_equal(found.dimension, Gride(max_rank=16).fit(normal(50)).dimension_)


def test_ties_go_by_number():
    table = neighbor_table(Space(np.array([[0.0], [1.0], [-1.0], [2.0], [-2.0]])), 4)
    assert table.items[0].tolist() == [1, 2, 3, 4]
    assert (table.items != np.arange(5)[:, None]).all()


def test_angles_may_lie_anywhere():
    angle = np.random.default_rng(1).uniform(0, 2 * np.pi, (400, 2))
    turns = np.random.default_rng(2).integers(0, 2, (400, 2))
    plain = TwoNN().fit(Space(angle, period=2 * np.pi)).dimension_
    assert TwoNN().fit(Space(angle + 2 * np.pi * turns, period=2 * np.pi)).dimension_ == pytest.approx(plain, rel=1e-9)
    assert TwoNN().fit(Space(angle, period=[2 * np.pi, 0])).dimension_ != plain


def test_far_from_the_origin():
    """Ratios of the smallest distances keep their digits: 1e6 away a float64 is known to 1e-10."""
    x = normal(500, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert TwoNN().fit(x + 1e6).dimension_ == pytest.approx(TwoNN().fit(x).dimension_, rel=1e-6)


def test_a_cap_is_told_without_advice():
    """More neighbours may lead away from the truth, as on a sphere."""
    x = np.random.default_rng(3).random((600, 2))
    found = ABIDE(max_neighbors=20).fit(Space(x, period=1.0)).result_
    assert "of the points use all 20 neighbours that there are" in found.notes[-1] and not found.warnings


def test_equal_distances_leave_no_answer():
    grid = np.stack(np.meshgrid(np.arange(10.0), np.arange(10.0)), -1).reshape(-1, 2)
    for estimator, what in ((TwoNN(), "TWO-NN"), (ABIDE(), "lattice"), (Gride(max_rank=4), "Gride")):
        with pytest.raises(DataError, match=what):
            estimator.fit(Space(grid, period=10.0))


@pytest.mark.parametrize(("estimator", "fewest"), [(TwoNN(), 8), (Gride(), 10), (ABIDE(max_neighbors=20), 10)])
def test_few_points_have_an_error_or_a_reason(estimator, fewest):
    """Three to twelve of them: refused, or an error that is a number above zero."""
    for n in range(3, 13):
        for seed in range(3):
            x = np.random.default_rng(seed).normal(size=(n, 3))
            if n < fewest:
                with pytest.raises(DataError, match=f"{n} different items, fewer than the {fewest} needed"):
                    estimator.fit(x)
            else:
                errors = np.atleast_1d(estimator.fit(x).dimension_se_)
                assert (errors > 0).all() and np.isfinite(errors).all()
