"""Laws that can be listed, for the tests of clones."""

from itertools import combinations

import numpy as np

from infoscope.clones import enumerate_states, law_of_energy

LADDER_LOSSES = (0.650775, 0.594324, 0.406993, 0.395570)  # orders 1 to 4 of `ladder_law`, made apart from this library


def ladder_law():
    """Six spins with interactions of orders 1 to 4."""
    spins = 1 - 2 * enumerate_states(6, 2)
    rng, log_p = np.random.default_rng(1), np.zeros(64)
    for r in range(1, 5):
        for sites in combinations(range(6), r):
            log_p += 0.35 * rng.normal() / np.sqrt(r) * spins[:, sites].prod(1)
    return law_of_energy(-log_p)


def pure_law(order, length=6, seed=2, size=0.5):
    """Spins with random interactions of one order alone."""
    spins = 1 - 2 * enumerate_states(length, 2)
    rng = np.random.default_rng(seed)
    return law_of_energy(-sum(size * rng.normal() * spins[:, s].prod(1) for s in combinations(range(length), order)))


def potts_couplings(length=5, n_tokens=3, seed=0):
    """Symmetric couplings (L, V, L, V) of pairs, without fields."""
    j = np.random.default_rng(seed).normal(size=(length, n_tokens, length, n_tokens))
    j = (j + j.transpose(2, 3, 0, 1)) / 2
    j[np.arange(length), :, np.arange(length)] = 0
    return j


def potts_law(couplings):
    """exp of half the sum over ordered pairs."""
    length, n_tokens = couplings.shape[:2]
    x = np.eye(n_tokens)[enumerate_states(length, n_tokens)]
    return law_of_energy(-np.einsum("sia,iajb,sjb->s", x, couplings, x) / 2)


def potts_logits(couplings):
    """(V^L, L, V): what the couplings say of every token, other sites given."""
    length, n_tokens = couplings.shape[:2]
    return np.einsum("iajb,sjb->sia", couplings, np.eye(n_tokens)[enumerate_states(length, n_tokens)])


def random_law(length, n_tokens, seed=0):
    """Any law."""
    return np.random.default_rng(seed).dirichlet(np.full(n_tokens**length, 0.7))
