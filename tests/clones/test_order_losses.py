"""Smallest losses of every order: published figures, brute force, closed forms."""

import numpy as np
import pytest
from scipy.optimize import minimize
from tests.clones.laws import LADDER_LOSSES, ladder_law, random_law

from infoscope import exact_order_losses
from infoscope.base import DataError, ParameterError
from infoscope.clones import enumerate_states, masked_floor
from infoscope.clones.contrasts import contrast_features, count_features, site_contrasts
from infoscope.clones.logistic import fit_logits, log_softmax


def test_the_ladder_of_four_orders():
    found = exact_order_losses(ladder_law(), 6, 2)
    np.testing.assert_allclose(found.losses[:4], LADDER_LOSSES, atol=1e-6)
    assert found.floor == pytest.approx(LADDER_LOSSES[3], abs=1e-6)
    np.testing.assert_allclose(found.losses[4:], found.floor, atol=1e-9)  # higher orders find nothing more
    assert found.complete_order == 4
    assert found.shares.sum() == pytest.approx(1.0, abs=1e-9)
    assert "order 4" in found.verdict


def test_a_fit_is_the_least_of_a_general_minimizer():
    """Three tokens on four sites, order 2: the same loss by BFGS on indicator features written out by hand."""
    law = random_law(4, 3)
    found = exact_order_losses(law, 4, 3, max_order=2).site_losses[1, 1]
    states = enumerate_states(4, 3)
    x = np.concatenate([np.ones((81, 1)), *(np.eye(3)[states[:, j]] for j in (0, 2, 3))], axis=1)

    def loss(w):
        logits = x @ w.reshape(10, 3)
        log_p = logits - np.log(np.exp(logits).sum(1, keepdims=True))
        gradient = x.T @ (law[:, None] * (np.exp(log_p) - np.eye(3)[states[:, 1]]))
        return -(law * log_p[np.arange(81), states[:, 1]]).sum(), gradient.ravel()

    best = minimize(loss, np.zeros(30), jac=True, method="BFGS", options=dict(gtol=1e-9))
    assert found == pytest.approx(best.fun, abs=1e-8)


def test_order_one_is_the_entropy_of_each_token_and_order_l_its_entropy_given_all_others():
    law = random_law(3, 4).reshape(4, 4, 4)
    found = exact_order_losses(law, 3, 4)
    alone = [law.sum(tuple(j for j in range(3) if j != i)) for i in range(3)]
    np.testing.assert_allclose(found.site_losses[:, 0], [-(p * np.log(p)).sum() for p in alone], atol=1e-10)
    joint = -(law * np.log(law)).sum()
    others = [law.sum(i) for i in range(3)]
    np.testing.assert_allclose(found.site_floors, [joint + (p * np.log(p)).sum() for p in others], atol=1e-12)
    np.testing.assert_allclose(found.site_losses[:, 2], found.site_floors, atol=1e-12)
    assert (np.diff(found.losses) < 0).all()


def test_a_law_with_states_that_never_happen():
    """The third spin is the product of the others: order 3 knows it, its logits grow without end."""
    spins = 1 - 2 * enumerate_states(3, 2)
    law = np.where(spins.prod(1) > 0, 0.25, 0.0)
    found = exact_order_losses(law, 3, 2)
    np.testing.assert_allclose(found.losses, [np.log(2), np.log(2), 0.0], atol=1e-12)
    copies = np.zeros((2, 2, 2))
    copies[0, 0, 0] = copies[1, 1, 1] = 0.5  # and here order 2 reaches zero only at infinity
    assert exact_order_losses(copies, 3, 2).losses[1] < 1e-9


def test_constant_and_independent_tokens():
    law = np.zeros(27)
    law[13] = 1.0
    found = exact_order_losses(law, 3, 3)
    assert (found.losses < 1e-9).all() and found.complete_order == 1
    alone = np.array([0.2, 0.3, 0.5])
    free = exact_order_losses(np.einsum("a,b,c->abc", alone, alone, alone), 3, 3)
    np.testing.assert_allclose(free.losses, -(alone * np.log(alone)).sum(), atol=1e-9)
    assert "independent" in free.verdict and np.isnan(free.shares).all()


def test_contrasts_are_at_right_angles_for_any_alphabet():
    for n_tokens in (2, 3, 5):
        c = site_contrasts(n_tokens)
        np.testing.assert_allclose(c.T @ c, n_tokens * np.eye(n_tokens), atol=1e-12)
    states = enumerate_states(4, 3)
    x = contrast_features(states, 3, 4)
    assert x.shape == (81, 81) == (81, count_features(4, 3, 4))
    np.testing.assert_allclose(x.T @ x, 81 * np.eye(81), atol=1e-10)


def test_a_penalty_keeps_logits_finite():
    weights = np.array([[0.5, 0.0], [0.0, 0.5]])
    found = fit_logits(np.array([[1.0, 1.0], [1.0, -1.0]]), weights, penalty=1e-3)
    w = found.coefficients
    p = np.exp(log_softmax(np.array([[1.0, 1.0], [1.0, -1.0]]) @ w))
    stationary = np.array([[1.0, 1.0], [1.0, -1.0]]).T @ (0.5 * p - weights) + 1e-3 * w
    assert found.converged and np.abs(stationary).max() < 1e-5


@pytest.mark.parametrize(
    ("law", "length", "n_tokens", "error", "text"),
    [
        (np.full(4, 0.25), 1, 4, ParameterError, "length must be at least 2"),
        (np.full(4, 0.25), 2, 1, ParameterError, "n_tokens must be at least 2"),
        (np.full(8, 0.125), 2, 2, DataError, "2 tokens on 2 sites make 4 states"),
        (np.full((2, 4), 0.125), 3, 2, DataError, "shape"),
        ([0.5, np.nan, 0.25, 0.25], 2, 2, DataError, "nan for state 1"),
        ([0.5, -0.1, 0.3, 0.3], 2, 2, DataError, "negative"),
        ([0.5, 0.5, 0.5, 0.5], 2, 2, DataError, "adds up to 2"),
        (np.full(4, 0.25), 2.5, 2, ParameterError, "whole number"),
        (np.full(4, 0.25), 40, 10, ParameterError, "too many to list"),
    ],
)
def test_what_is_no_law(law, length, n_tokens, error, text):
    for function in (exact_order_losses, masked_floor):
        with pytest.raises(error, match=text):
            function(law, length, n_tokens)


def test_an_order_above_the_length():
    with pytest.raises(ParameterError, match="max_order is 3, but sequences have 2 sites"):
        exact_order_losses(np.full(4, 0.25), 2, 2, max_order=3)
    with pytest.raises(ParameterError, match="at least 1"):
        exact_order_losses(np.full(4, 0.25), 2, 2, max_order=0)
