"""Distances of tables of one and two sites: against tables that are counted, and their errors against repeats."""

import numpy as np
import pytest
from tests.clones.laws import random_law

from infoscope.clones import enumerate_states
from infoscope.clones.table_distances import table_distances

LENGTH, N_TOKENS = 4, 3
STATES = enumerate_states(LENGTH, N_TOKENS)


def tables(law):
    """Of single sites (L, V) and of pairs (P, V, V), state by state."""
    one = np.zeros((LENGTH, N_TOKENS))
    two = np.zeros((LENGTH, LENGTH, N_TOKENS, N_TOKENS))
    for state, p in zip(STATES, law, strict=True):
        for i in range(LENGTH):
            one[i, state[i]] += p
            for j in range(LENGTH):
                two[i, j, state[i], state[j]] += p
    return one, two[~np.eye(LENGTH, dtype=bool)]


def exact(p, q):
    """By the definition."""
    (a_one, a_two), (b_one, b_two) = tables(p), tables(q)
    return [((a_one - b_one) ** 2).sum(axis=1).mean(), ((a_two - b_two) ** 2).sum(axis=(1, 2)).mean()]


def draw(law, n, rng):
    return STATES[rng.choice(len(law), n, p=law)]


@pytest.mark.parametrize("same", (False, True))
def test_they_have_no_bias_and_their_errors_are_the_scatter_of_repeats(same):
    """Where the laws are one the first-order part of the variance vanishes, and the errors still hold."""
    p = random_law(LENGTH, N_TOKENS)
    q = p if same else random_law(LENGTH, N_TOKENS, seed=1)
    rng = np.random.default_rng(0)
    found = [table_distances(draw(p, 100, rng), draw(q, 100, rng)) for _ in range(300)]
    values, errors = (np.array(part) for part in zip(*found, strict=True))
    scatter = values.std(axis=0, ddof=1)
    assert (np.abs(values.mean(axis=0) - exact(p, q)) < 4 * scatter / np.sqrt(300)).all()
    # the spread of 300 values is known within 4 % (heavier tails: 8); without a difference a variance that is 0 is
    # estimated as 0 or more, so errors are a fifth to a third too large
    ratio = np.sqrt((errors**2).mean(axis=0)) / scatter
    assert (ratio > 0.85).all() and (ratio < (1.5 if same else 1.2)).all()


def test_padding_agrees_with_nothing():
    a = np.array([[0, 1, -1], [0, 1, -1], [1, 1, -1]])
    distances, _ = table_distances(a, a[::-1].copy())
    rows = a[:, :2]
    h = (rows[:, None] == rows).sum(-1)
    for order, (value, scale) in enumerate(zip(distances, (3, 6), strict=True)):
        k = h * (h - 1) ** order / scale
        each = k + k[::-1, ::-1] - k[:, ::-1] - k[:, ::-1].T
        assert value == pytest.approx((each.sum() - np.trace(each)) / 6, abs=1e-15)
