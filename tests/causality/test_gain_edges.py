"""What a gain does at the edges: too few rows, lags back in time, missing and constant values, ties, periods, types."""

import numpy as np
import pytest

from infoscope.base import DataError, DataWarning, ParameterError
from infoscope.causality import imbalance_gain, scan_lags
from infoscope.datasets import ar1
from infoscope.neighbors import Space

QUIET = dict(n_permutations=0, exclusion_window=0)
SHORT = "ignore:runs are shorter than 20 correlation times"


def pair(n=60, seed=0, d=1):
    return np.random.default_rng(seed).normal(size=(2, n, d))


def midranks(future):
    """(N, N) 2r/N by comparing all with all; tied ones share the mean of their ranks."""
    d = ((future[:, None] - future) ** 2).sum(-1)
    n, off = len(d), ~np.eye(len(d), dtype=bool)
    found = np.zeros((n, n))
    for i in range(n):
        own = d[i, off[i]]
        found[i] = [2 * ((own < v).sum() + ((own == v).sum() + 1) / 2) / n for v in d[i]]
    return found


def mean_over_tied(squares, ranks, k):
    """Mean over rows, the items tied at the k-th distance sharing the places that are left with equal weight."""
    total = 0.0
    for i, row in enumerate(squares):
        others = np.delete(np.arange(len(row)), i)
        last = np.sort(row[others])[k - 1]
        nearer, tied = others[row[others] < last], others[row[others] == last]
        total += (ranks[i, nearer].sum() + (k - len(nearer)) * ranks[i, tied].mean()) / k
    return total / len(squares)


# ------------------------------------------------------------------------------------------------ rows, k and lags
@pytest.mark.parametrize("k", [59, 60, 400])
def test_fewer_rows_than_k_and_two_are_refused(k):
    x, y = pair()
    with pytest.raises(ParameterError, match=rf"k={k} neighbours asked for, and there are 60 rows: lower k"):
        imbalance_gain(x, y, future=x, k=k, **QUIET)
    assert imbalance_gain(x, y, future=x, k=58, **QUIET).k == 58


@pytest.mark.parametrize("k", [0, -3, 2.5, True])
def test_k_is_a_whole_number_from_one_on(k):
    with pytest.raises(ParameterError, match="k must be"):
        imbalance_gain(*pair(), lag=1, k=k, **QUIET)


@pytest.mark.parametrize("call", [imbalance_gain, scan_lags])
def test_lags_back_in_time_need_to_be_allowed(call):
    lags = {"lag": -2} if call is imbalance_gain else {"lags": [-2, 1]}
    with pytest.raises(ParameterError, match="at least 0"):
        call(*pair(), **lags, **QUIET)
    assert call(*pair(), **lags, allow_negative=True, **QUIET).n_samples == 58 - (call is scan_lags)


def test_the_present_foretells_itself_at_lag_zero():
    """Y(0) -> Y(0): the k nearest have the ranks 1..k, so the imbalance is (k + 1)/N and no source can better it."""
    x, y = pair(80, seed=1)
    found = imbalance_gain(x, y, lag=0, k=4, **QUIET)
    assert found.delta[0] == pytest.approx(5 / 80, rel=1e-12) and found.gain == 0 and found.alpha == 0


@pytest.mark.filterwarnings(SHORT)
def test_at_equilibrium_there_is_no_arrow_of_time():
    """Delta(Y(0) -> Y(t)) and Delta(Y(0) -> Y(-t)) of a reversible series have one mean."""
    forth, back = [], []
    for seed in range(30):
        (y,) = ar1(300, 1, 0.8, random_state=seed)
        x = np.random.default_rng(seed).normal(size=(300, 1))
        scan = scan_lags(x, y, [-2, 2], both=False, k=3, alphas=[0], allow_negative=True, **QUIET)
        back.append(scan.target_delta[0])
        forth.append(scan.target_delta[1])
    apart = np.subtract(forth, back)
    assert abs(apart.mean()) < 3 * apart.std() / np.sqrt(30)
    assert np.mean(forth) == pytest.approx(np.mean(back), rel=0.02)


# ---------------------------------------------------------------------------------------- missing and constant values
@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("where", ["source", "target", "future", "condition"])
def test_what_is_no_number_is_named_with_its_row_and_column(where, value):
    import pandas as pd

    given = {name: pair(d=2, seed=at)[0] for at, name in enumerate(("source", "target", "future", "condition"))}
    given[where][7, 1] = value
    frames = {name: pd.DataFrame(values, columns=["heat", "rain"]) for name, values in given.items()}
    with pytest.raises(DataError, match="(NaN|inf).*") as told:
        imbalance_gain(**frames, k=3, **QUIET)
    assert "7" in str(told.value) and "rain" in str(told.value)


def test_a_constant_source_is_flat_and_said():
    x, y = pair()
    with pytest.warns(DataWarning, match="source is constant: it tells nothing, and its gain is 0"):
        found = imbalance_gain(np.full((60, 2), 3.0), y, future=x, alphas=[0, 1, 50], **QUIET)
    assert found.gain == 0 and np.ptp(found.delta) == 0 and found.gain_se == 0


@pytest.mark.parametrize("when", ["now", "later"])
def test_a_constant_target_has_no_ranks(when):
    x, y = pair()
    flat = np.full((60, 1), 2.0)
    now, later = (flat, y) if when == "now" else (y, flat)
    with pytest.raises(DataError, match=rf"constant \({when}\): there is nothing to predict"):
        imbalance_gain(x, now, future=later, **QUIET)


def test_one_constant_column_of_several_changes_nothing():
    x, y = pair(d=2)
    wider = np.column_stack([y, np.full(60, 7.0)])
    plain, with_constant = (imbalance_gain(x, one, future=x, k=3, **QUIET) for one in (y, wider))
    np.testing.assert_allclose(with_constant.delta, plain.delta, rtol=1e-12)


# ------------------------------------------------------------------------------------------------- ties and duplicates
def test_tied_futures_share_their_mean_rank():
    x, y = pair(70, seed=2)
    future = np.random.default_rng(3).integers(0, 4, (70, 1)).astype(float)
    found = imbalance_gain(x, y, future=future, k=3, alphas=[0, 1], **QUIET)
    d = [((v[:, None] - v) ** 2).sum(-1) for v in (y, x)]
    for a, alpha in enumerate((0, 1)):
        squares = d[0] + alpha**2 * d[1]
        assert found.delta[a] == pytest.approx(mean_over_tied(squares, midranks(future), 3), rel=1e-12)


def test_tied_neighbours_are_taken_with_equal_chances():
    """States 0, 1, 2 now: over seeds, the mean is that of all tied candidates with equal weight."""
    g = np.random.default_rng(4)
    x, y = g.integers(0, 3, (2, 60, 1)).astype(float)
    future = y + 0.4 * x + 0.2 * g.normal(size=(60, 1))
    seeds = [imbalance_gain(x, y, future=future, k=3, alphas=[0, 1], random_state=s, **QUIET) for s in range(60)]
    delta = np.array([found.delta for found in seeds])
    d = [((v[:, None] - v) ** 2).sum(-1) for v in (y, x)]
    for a, alpha in enumerate((0, 1)):
        expected = mean_over_tied(d[0] + alpha**2 * d[1], midranks(future), 3)
        assert abs(delta[:, a].mean() - expected) < 3.5 * delta[:, a].std() / np.sqrt(60)
    again = imbalance_gain(x, y, future=future, k=3, alphas=[0, 1], random_state=0, **QUIET)
    assert np.array_equal(again.delta, delta[0]) and len(np.unique(delta[:, 0])) > 30


@pytest.mark.filterwarnings("ignore::infoscope.base.errors.InfoscopeWarning")
def test_rows_that_are_there_twice_are_legal():
    x, y = pair(40, seed=5)
    twice = [np.concatenate([one, one]) for one in (x, y, y + x)]
    found = imbalance_gain(twice[0], twice[1], future=twice[2], k=3, alphas=[0, 1], **QUIET)
    d = [((v[:, None] - v) ** 2).sum(-1) for v in (twice[1], twice[0])]
    assert found.delta[1] == pytest.approx(mean_over_tied(d[0] + d[1], midranks(twice[2]), 3), abs=0.05)
    assert np.isfinite([found.gain, found.gain_se, found.crossfit]).all()


# ---------------------------------------------------------------------------------------- periods and types
def test_columns_with_and_without_period_in_one_space():
    g = np.random.default_rng(6)
    n, period = 90, np.array([360.0, 0.0, 24.0])
    x = np.column_stack([g.uniform(-180, 180, n), 50 * g.normal(size=n), g.uniform(0, 24, n)])
    y = np.column_stack([g.normal(size=n), g.uniform(0, 1, n)])
    future = np.cos(np.deg2rad(x[:, :1])) + 0.2 * y[:, :1]
    found = imbalance_gain(
        Space(x, period=period), Space(y, period=[0, 1.0]), future=future, k=4, alphas=[0, 0.01, 0.3], **QUIET
    )

    def wrapped(values, periods):
        d = values[:, None] - values
        turns = np.where(periods > 0, np.rint(d / np.where(periods > 0, periods, 1)), 0)
        return ((d - turns * periods) ** 2).sum(-1)

    d_x, d_y = wrapped(x, period), wrapped(y, np.array([0, 1.0]))
    ranks = midranks(future)
    expected = [mean_over_tied(d_y + a**2 * d_x, ranks, 4) for a in (0, 0.01, 0.3)]
    np.testing.assert_allclose(found.delta, expected, rtol=1e-12)


def test_single_precision_gives_what_the_same_numbers_give():
    x, y = (one.astype(np.float32) for one in pair(100, seed=7, d=3))
    future = (y + x**2).astype(np.float32)
    far = [one + np.float32(1000) for one in (x, y)]  # an offset that a difference of squares would not survive
    for source, target in ((x, y), far):
        single = imbalance_gain(source, target, future=future, k=3, **QUIET)
        double = imbalance_gain(*(one.astype(np.float64) for one in (source, target)),
                                future=future.astype(np.float64), k=3, **QUIET)  # fmt: skip
        assert np.array_equal(single.delta, double.delta) and single.gain_se == double.gain_se


@pytest.mark.filterwarnings(SHORT)
@pytest.mark.parametrize("kind", ["float64", "float32", "int64", "fortran", "strided"])
def test_arrays_are_never_changed(kind):
    g = np.random.default_rng(8)
    made = [g.integers(0, 50, (60, 2)) if kind == "int64" else g.normal(size=(60, 2)) for _ in range(4)]
    if kind == "float32":
        made = [one.astype(np.float32) for one in made]
    elif kind == "fortran":
        made = [np.asfortranarray(one) for one in made]
    elif kind == "strided":
        made = [np.repeat(one, 2, axis=0)[::2] for one in made]
    before = [one.copy() for one in made]
    imbalance_gain(made[0], made[1], future=made[2], condition=made[3], n_permutations=19, exclusion_window=0)
    scan_lags(made[0], made[1], [0, 2], n_permutations=19, exclusion_window=0)
    for one, kept in zip(made, before, strict=True):
        assert one.dtype == kept.dtype and np.array_equal(one, kept)
