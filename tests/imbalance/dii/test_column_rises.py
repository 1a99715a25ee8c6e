"""Columns that change nothing are named as not needed; a slope that holds below weights that matter is no failure."""

import numpy as np
import pytest

from infoscope import DifferentiableImbalance
from infoscope.cli.select import certificate
from infoscope.imbalance import dii_rise
from infoscope.imbalance.dii.column_rises import near_copies
from infoscope.neighbors import Space


@pytest.mark.parametrize("seed", range(3))
def test_weights_that_change_nothing_are_named(seed):
    """Yes or no by one column of 0 and 1; three columns of noise keep weights of .5 to .85, which change nothing."""
    g = np.random.default_rng(seed)
    decides = g.integers(0, 2, 300)
    x, y = np.c_[decides, g.normal(size=(300, 3))].astype(float), np.array(["no", "yes"])[decides]
    found = DifferentiableImbalance(n_resamples=10, random_state=0).fit(x, y).result_
    assert (found.standard_weights[1:] > 0.3).all()  # as they were
    assert found.needed.tolist() == [0] and (found.rise_p[1:] > 0.3).all()
    assert "1 of 4 columns of X keeps the neighbourhoods of y: column 0" in found.verdict
    assert "no loss was seen without column" in found.verdict


def test_rises_are_those_of_the_test_and_near_copies_go_together():
    g = np.random.default_rng(3)
    x = g.normal(size=(240, 4))
    x[:, 3] = x[:, 0] + 0.02 * g.normal(size=240)
    found = DifferentiableImbalance(n_resamples=3, random_state=0).fit(x, x[:, 0] + 0.3 * x[:, 1]).result_
    direct = dii_rise(x, x[:, 0] + 0.3 * x[:, 1], groups=[0, 1, 2, 0])
    np.testing.assert_allclose(found.rise, direct.rise[[0, 1, 2, 0]], rtol=0.2, atol=1e-3)  # other halves, by order
    assert {0, 3} & set(found.needed.tolist()) and 2 not in found.needed
    assert near_copies(Space(x)).tolist() == [0, 1, 2, 0]
    without = dii_rise(x, x[:, 0] + 0.3 * x[:, 1])  # one at a time, each stands in for the other
    assert without.rise[0] < 0.6 * direct.rise[0] and without.rise[3] < 0.6 * direct.rise[0]


def test_no_resamples_no_test():
    g = np.random.default_rng(4)
    x = g.normal(size=(60, 2))
    fit = DifferentiableImbalance().fit(x, x[:, 0] + 0.5 * x[:, 1]).result_
    assert fit.needed is None and fit.verdict.startswith("2 of 2 columns of X get a weight for y: column 0 (weight 1)")
    assert fit.verdict.endswith("whether each is needed was not tested (resamples tell).")
    one = DifferentiableImbalance().fit(x[:, :1], x[:, 0]).result_
    assert one.verdict.startswith("1 of 1 columns of X keeps the neighbourhoods of y") and "tested" not in one.verdict
    few = DifferentiableImbalance(n_resamples=3, random_state=0).fit(x[:30], x[:30, 0]).result_
    assert few.rise is None and any("columns were not tested" in note for note in few.notes)
    assert "keep" not in few.verdict or few.verdict.startswith("1 of 2")


@pytest.mark.parametrize(("n", "seed", "proven"), [(200, 0, True), (40, 0, False)])
def test_a_steep_slope_is_looked_into(n, seed, proven):
    """Whole numbers of one column: its neighbours are so near that the slope by another squared weight is 15 or 65."""
    g = np.random.default_rng(seed)
    x = g.normal(size=(n, 4))
    fit = DifferentiableImbalance().fit(x, np.round(20 * x[:, 0]).astype(int))
    found = fit.result_
    assert found.kkt_violation > 10
    falls = []
    for a in range(1, 4):
        for share in 10.0 ** np.arange(-8, 1):
            start = found.standard_weights.copy()
            start[a] = share
            falls.append(found.dii + fit_value(x, start, fit))
    assert found.step_decrease == pytest.approx(max(0.0, *falls), abs=1e-9)
    text = certificate(found)
    if proven:
        assert text.startswith("a minimum to the accuracy of the fit") and "too small to matter" in text
    else:
        assert text.startswith(f"none, {found.step_column} at a weight of") and found.step_decrease > 0.5 * found.dii_se


def fit_value(x, standard_weights, fit):
    """Minus the value at other weights, by the estimator's own score on the same rows."""
    fit.weights_ = standard_weights / fit.scale_
    return fit.score(x, np.round(20 * x[:, 0]).astype(int))
