"""Power at each order: closed forms, brute force over subsets, and networks of factored attention."""

from itertools import combinations

import numpy as np
import pytest

from infoscope import interaction_degree
from infoscope.base import DataError, ParameterError
from infoscope.clones import enumerate_states, factored_logits


def random_layers(n_layers, rng, length=6, n_tokens=2, n_heads=2):
    shape = (n_heads, length, length), (n_heads, n_tokens, n_tokens)
    return tuple([0.3 * rng.normal(size=one) for _ in range(n_layers)] for one in shape)


@pytest.mark.parametrize("n_layers", [1, 2, 3])
def test_n_layers_join_2_to_the_n_minus_1_plus_1_sites(n_layers):
    """The logit of one token is a function of the others of degree 2^(n-1); beyond it there is rounding only."""
    positions, values = random_layers(n_layers, np.random.default_rng(n_layers))
    states = enumerate_states(6, 2)
    power = interaction_degree(factored_logits(states, positions, values, 2), 6, 2).power
    degree = 2 ** (n_layers - 1)
    assert power[degree + 1 :].sum() < 1e-25
    assert power[degree] > 1e-8
    assert interaction_degree(lambda s: factored_logits(s, positions, values, 2), 6, 2).degree == degree


@pytest.mark.parametrize("n_layers", [2, 3])
def test_layer_norm_breaks_the_bound(n_layers):
    positions, values = random_layers(n_layers, np.random.default_rng(n_layers))
    power = interaction_degree(factored_logits(enumerate_states(6, 2), positions, values, 2, "layer"), 6, 2).power
    beyond = 2 ** (n_layers - 1) + 1
    assert power[beyond : beyond + 3].sum() > 1e-6


def test_one_layer_by_hand():
    """logit_a = sum over j != i of A_ij V_a,s_j; what stands at the masked site does not matter."""
    rng = np.random.default_rng(0)
    a, v = rng.normal(size=(2, 4, 4)), rng.normal(size=(2, 3, 3))
    tokens = rng.integers(3, size=(5, 4))
    found = factored_logits(tokens, [a], [v], [0, 1, 2, 3, 0])
    for row, site in enumerate([0, 1, 2, 3, 0]):
        want = sum(a[h, site, j] * v[h][:, tokens[row, j]] for h in range(2) for j in range(4) if j != site)
        np.testing.assert_allclose(found[row], want, atol=1e-12)


def test_two_layers_by_loops():
    rng = np.random.default_rng(1)
    a, v = rng.normal(size=(2, 3, 3)), rng.normal(size=(2, 2, 2))
    x = np.zeros((3, 2))
    x[[0, 2], [1, 0]] = 1.0  # tokens 1, masked, 0
    y = x.copy()
    for i in range(3):
        y[i] += sum(a[0, i, j] * (v[0] @ x[j]) for j in range(3)) ** 2
    want = sum(a[1, 1, j] * (v[1] @ y[j]) for j in range(3))
    np.testing.assert_allclose(factored_logits([[1, 0, 0], [1, 1, 0]], a, v, 1), [want, want], atol=1e-12)


def test_power_by_brute_force_over_subsets():
    """Parts by inclusion and exclusion of conditional means, three tokens."""
    values = np.random.default_rng(3).normal(size=(3, 3, 3))
    power = np.zeros(4)
    for m in range(4):
        for subset in combinations(range(3), m):
            part = np.zeros((3, 3, 3))
            for r in range(m + 1):
                for inner in combinations(subset, r):
                    mean = values.mean(tuple(j for j in range(3) if j not in inner), keepdims=True)
                    part += (-1) ** (m - r) * mean
            power[m] += (part**2).mean()
    found = interaction_degree(values.ravel(), 3, 3)
    np.testing.assert_allclose(found.power, power, atol=1e-14)
    assert found.power.sum() == pytest.approx((values**2).mean())


def test_a_constant_joins_nothing():
    found = interaction_degree(np.full(8, 3.0), 3, 2)
    assert found.degree == 0 and found.verdict == "The function is constant." and np.isnan(found.shares).all()


@pytest.mark.parametrize(
    ("function", "error", "text"),
    [
        (np.zeros(7), DataError, "make 8 states"),
        (lambda tokens: np.zeros((2, len(tokens))), DataError, "one value, or one row"),
        (np.r_[np.zeros(7), np.nan], DataError, "not finite for state 7"),
    ],
)
def test_what_is_no_function_of_tokens(function, error, text):
    with pytest.raises(error, match=text):
        interaction_degree(function, 3, 2)


def test_too_many_states_or_too_few_sites():
    with pytest.raises(ParameterError, match="too many to list"):
        interaction_degree(lambda tokens: tokens[:, 0], 60, 5)
    with pytest.raises(ParameterError, match="length must be at least 2"):
        interaction_degree(np.zeros(2), 1, 2)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (dict(masked=6), "sites from 0 to 5"),
        (dict(masked=[1, 2, 3]), "sites from 0 to 5"),
        (dict(tokens=np.zeros((2, 5), int)), "have 5 sites"),
        (dict(tokens=np.full((2, 6), 2)), "holds token 2"),
        (dict(tokens=np.zeros((2, 6))), "not whole numbers"),
        (dict(position_weights=[]), "at least one layer"),
        (dict(position_weights=[np.ones((5, 6))] * 2), "one square matrix"),
        (dict(position_weights=[np.ones((3, 6, 6))] * 2), "3 heads of positions, but 1"),
        (dict(value_weights=[np.ones((2, 2)), np.ones((3, 3))]), "other sites or tokens"),
        (dict(norm="batch"), "norm must be one of"),
    ],
)
def test_weights_that_do_not_fit(change, text):
    given = dict(
        tokens=np.zeros((2, 6), int),
        position_weights=[np.ones((6, 6))] * 2,
        value_weights=[np.ones((2, 2))] * 2,
        masked=0,
    )
    with pytest.raises((DataError, ParameterError), match=text):
        factored_logits(**given | change)
