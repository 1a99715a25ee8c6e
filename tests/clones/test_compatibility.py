"""Whether conditionals belong to one law: zero where they do, brute force over all orders where they do not."""

from itertools import permutations

import numpy as np
import pytest
from tests.clones.laws import ladder_law, potts_couplings, potts_logits, random_law

from infoscope import compatibility_index
from infoscope.base import DataError, ParameterError
from infoscope.clones import enumerate_states, exact_conditionals, factored_logits
from infoscope.clones.logistic import log_softmax


@pytest.mark.parametrize("length, n_tokens, law", [(6, 2, ladder_law()), (4, 3, random_law(4, 3))])
def test_conditionals_of_a_law_are_compatible(length, n_tokens, law):
    found = compatibility_index(exact_conditionals(law, length, n_tokens), enumerate_states(length, n_tokens))
    assert found.value < 1e-12 and found.compatible and "one joint law" in found.verdict
    p = np.random.default_rng(0).permutation(len(law))[: 2 * found.n_pairs]
    want = np.log(law[p[found.n_pairs :]] / law[p[: found.n_pairs]])
    np.testing.assert_allclose(found.log_ratios, [want, want], atol=1e-11)  # each is the log-ratio itself


def test_one_layer_with_symmetric_weights_is_compatible_and_two_layers_are_not():
    rng = np.random.default_rng(1)
    a, v = rng.normal(size=(5, 5)), rng.normal(size=(3, 3))
    a, v = (a + a.T) / 2, (v + v.T) / 2
    tokens = rng.integers(3, size=(80, 5))
    one = compatibility_index(lambda s, sites: factored_logits(s, [a], [v], sites), tokens, n_tokens=3)
    assert one.value < 1e-12
    two = compatibility_index(lambda s, sites: factored_logits(s, [a / 3, a], [v, v], sites), tokens, n_tokens=3)
    assert two.value > 5 * two.value_se > 0 and "no joint law" in two.verdict


def test_the_spread_is_that_over_all_orders():
    """A random table that is no law: its spread by walking every order of sites of every pair."""
    states = enumerate_states(3, 2)
    logits = np.random.default_rng(3).normal(size=(8, 3, 2))
    for site in range(3):
        logits[states[:, site] == 1, site] = logits[states[:, site] == 0, site]
    log_p = log_softmax(logits)

    def walk(a, b, order):
        total, at = 0.0, list(a)
        for site in order:
            if at[site] != b[site]:
                row = int(np.dot(at, [4, 2, 1]))
                total += log_p[row, site, b[site]] - log_p[row, site, at[site]]
                at[site] = b[site]
        return total

    walks = np.array([[walk(a, b, order) for order in permutations(range(3))] for a in states for b in states])
    within = ((walks - walks.mean(1, keepdims=True)) ** 2).mean(1)  # the mean of d^2/2 over pairs of orders
    want = np.sqrt(within.mean()) / np.abs(walks).mean()
    values = []
    for seed in range(40):
        tokens = np.random.default_rng(seed).integers(2, size=(1200, 3))
        values.append(compatibility_index(logits, tokens, n_pairs=600, random_state=seed))
    found = np.array([one.value for one in values])
    errors = np.array([one.value_se for one in values])
    assert abs(found.mean() - want) < 4 * found.std() / np.sqrt(40)
    assert 0.6 < errors.mean() / found.std() < 1.6  # 40 values know their spread to 11 %


def test_a_table_and_a_function_agree():
    couplings = potts_couplings(4, 3)
    table, tokens = potts_logits(couplings), np.random.default_rng(0).integers(3, size=(30, 4))

    def ask(s, sites):
        return np.einsum("najb,njb->na", couplings[sites], np.eye(3)[s])

    a, b = compatibility_index(table, tokens, n_tokens=3), compatibility_index(ask, tokens, n_tokens=3)
    np.testing.assert_allclose(a.log_ratios, b.log_ratios, atol=1e-12)


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        (dict(tokens=np.zeros((3, 2), int)), DataError, "at least 4 are needed"),
        (dict(tokens=np.zeros((5, 2), int)), DataError, "no pair of sequences differs"),
        (dict(tokens=np.zeros((5, 1), int)), DataError, "1 site"),
        (dict(tokens=np.zeros(5, int)), DataError, "one sequence a row"),
        (dict(n_tokens=1), ParameterError, "at least 2"),
        (dict(n_pairs=1), ParameterError, "n_pairs must be at least 2"),
        (dict(logits=np.zeros((4, 2, 3))), DataError, r"need \(4, 2, 2\)"),
        (dict(logits=lambda s, i: np.zeros((len(s), 1))), ParameterError, "of 1 tokens"),
        (dict(logits=exact_conditionals([0.5, 0.0, 0.0, 0.5], 2, 2)), DataError, "infinite"),
    ],
)
def test_bad_input(change, error, text):
    tokens = np.array([[0, 1], [1, 0], [1, 1], [0, 0], [1, 0]])
    with pytest.raises(error, match=text):
        compatibility_index(**dict(logits=np.zeros((4, 2, 2)), tokens=tokens, n_tokens=2) | change)
