"""Which features the imbalance needs, beside the formula and where the answer is known."""

import numpy as np
import pytest
from scipy.stats import t as student_t

from infoscope.base import DataError, ParameterError
from infoscope.imbalance import dii_rise, dii_value_and_grad
from infoscope.imbalance.dii.cross_fit import cross_fit
from infoscope.neighbors import Admissibility, Space, items_of

N = 400


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(N, 5))
    return x, x[:, 0] + x[:, 2] ** 2 + 0.1 * rng.normal(size=N)


def test_what_is_needed_and_what_is_not(data):
    x, y = data
    found = dii_rise(x, y)
    assert found.needed == ["column 0", "column 2"] and (found.p_adjusted[[0, 2]] < 1e-6).all()
    assert (found.p_value[[1, 3, 4]] > 0.01).all() and found.dii < 0.3
    assert "Without column 0, column 2" in found.verdict
    assert found.n_blocks == 40 and found.n_items == N


def test_values_are_those_of_the_imbalance_with_a_weight_of_zero(data):
    """One feature: its weight is no choice, so the imbalance of all rows must come out, and nothing is left without."""
    x, y = data
    found = dii_rise(x[:, :1], y, k=4)
    value, _ = dii_value_and_grad(x[:, :1], y[:, None], [1.0], k=4, target_kind="features")
    assert found.dii == pytest.approx(value, abs=1e-12)
    assert found.dii + found.rise[0] == pytest.approx(1.0, abs=1e-12)  # without distances every rank is a mean rank


def test_order_of_rows_units_and_offsets_change_nothing(data):
    x, y = data
    shuffle = np.random.default_rng(1).permutation(N)
    a = dii_rise(x, y)
    b = dii_rise((x * [1, 1e3, 1, 1, 1] + [0, 0, 1e3, 0, 0])[shuffle], y[shuffle])
    np.testing.assert_allclose(a.rise, b.rise, atol=1e-6)
    np.testing.assert_allclose(a.rise_se, b.rise_se, atol=1e-6)


def test_those_that_replace_each_other_are_needed_together(data):
    x, y = data
    views = np.c_[x[:, 0], x[:, 0] + 0.02 * x[:, 1], x[:, 2:]]
    alone, together = dii_rise(views, y), dii_rise(views, y, groups=["a", "a", "b", "c", "d"])
    assert alone.rise[:2].max() < 0.6 * together.rise[0]  # in one of the halves at least the other steps in
    assert together.names == ("a", "b", "c", "d") and together.needed == ["a", "b"]


def test_a_series_is_cut_in_time_a_window_apart():
    rng = np.random.default_rng(2)
    x = np.empty((600, 3))
    x[0] = rng.normal(size=3)
    for t in range(599):
        x[t + 1] = 0.8 * x[t] + 0.6 * rng.normal(size=3)
    time = np.arange(600.0)
    found = dii_rise(Space(x, time=time), Space(x[:, :1] ** 3, time=time))
    assert found.exclusion_window > 5 and found.needed == ["column 0"]
    given = dii_rise(x, x[:, :1] ** 3, time=time, exclusion_window=found.exclusion_window)
    np.testing.assert_array_equal(given.rise, found.rise)
    fold = cross_fit(items_of(Space(x, time=time)), Admissibility(found.exclusion_window))
    assert all(np.abs(np.subtract.outer(p.seen, p.judged)).min() > found.exclusion_window for p in fold.parts)


def test_labels_and_angles():
    rng = np.random.default_rng(3)
    angle = rng.uniform(0, 2 * np.pi, 300)
    x = np.c_[angle, rng.normal(size=300)]
    found = dii_rise(x, np.where(np.cos(angle) > 0, "near", "far"), period=[2 * np.pi, 0])
    assert found.needed == ["column 0"]


@pytest.mark.parametrize("seed", [0])
def test_level_where_nothing_is_told(seed):
    """Normal columns and a target of its own: of 300 p-values at most 5 % and three standard errors lie below 0.05."""
    rng = np.random.default_rng(seed)
    p = np.concatenate([dii_rise(rng.normal(size=(150, 5)), rng.normal(size=150)).p_value for _ in range(60)])
    assert (p <= 0.05).mean() < 0.05 + 3 * np.sqrt(0.05 * 0.95 / len(p))


def test_bad_input(data):
    x, y = data
    with pytest.raises(DataError, match="39 rows"):
        dii_rise(x[:39], y[:39], k=3)
    with pytest.raises(DataError, match="counts every row once"):
        dii_rise(Space(x, sample_weight=np.arange(1.0, N + 1)), y)
    with pytest.raises(ParameterError, match="groups"):
        dii_rise(x, y, groups=["a", "b"])
    with pytest.raises(ParameterError, match="method"):
        dii_rise(x, y, adjust="none")
    bad = x.copy()
    bad[3, 2] = np.nan
    with pytest.raises(DataError, match="column 2"):
        dii_rise(bad, y)
    kept = x.copy()
    dii_rise(x, y)
    np.testing.assert_array_equal(x, kept)


def test_picture_and_table(data, tmp_path):
    x, y = data
    found = dii_rise(x, y)
    axes = found.plot()
    assert len(axes.patches) == 5 and {text.get_text() for text in axes.get_legend().get_texts()} == {
        "needed", "not seen to be needed",
    }  # fmt: skip
    assert found.to_frame()["feature"].tolist()[:2] == ["column 0", "column 2"]
    axes.figure.savefig(tmp_path / "rises.png")


@pytest.mark.parametrize(("adjust", "factor"), [("bh", 4), ("by", 4 * (1 + 1 / 2 + 1 / 3 + 1 / 4)), ("holm", 4)])
def test_the_largest_rise_that_would_not_show(adjust, factor):
    """Student's law at the limit of a feature gives the level of the first of four tests, by each adjustment."""
    x, y = np.random.default_rng(2).normal(size=(200, 4)), np.random.default_rng(3).normal(size=(200, 1))
    found = dii_rise(x, y, adjust=adjust)
    at_limit = student_t.sf(found.detection_limit / found.rise_se, found.degrees)
    np.testing.assert_allclose(at_limit * factor, 0.05, rtol=1e-7)  # of quantiles of old SciPy
    assert not found.needed and (found.rise <= found.detection_limit).all()
    half = f"of half of them a rise up to {np.median(found.detection_limit):.2g} would not show."
    assert found.verdict.endswith(half)
