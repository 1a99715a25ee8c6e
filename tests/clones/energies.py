"""Random energies, and what they are by brute force: every term written out."""

from itertools import combinations

import numpy as np

from infoscope.clones import enumerate_states
from infoscope.clones.energy import StarEnergy


def random_energy(length, n_tokens, n_heads, order, seed=0, strength=1.0):
    """Of all orders from 1 to `order`."""
    rng = np.random.default_rng(seed)
    k = order - 1
    positions = rng.normal(size=(k, n_heads, length, length)) / np.sqrt(length)
    positions[..., range(length), range(length)] = 0
    legs, centres = rng.normal(size=(2, k, n_heads, n_tokens))
    return StarEnergy(rng.normal(size=(length, n_tokens)) * 0.3, legs, centres * strength / np.sqrt(n_heads), positions)


def log_weight_by_terms(energy, s):
    """Equation (1), product by product; tokens below 0 are left out."""
    sites = [i for i in range(energy.length) if s[i] >= 0]
    total = sum(energy.bias[i, s[i]] for i in sites)
    for at, (legs, centres, positions) in enumerate(zip(energy.legs, energy.centres, energy.positions, strict=True)):
        for i in sites:
            for others in combinations([j for j in sites if j != i], at + 1):
                terms = centres[:, s[i]].copy()
                for j in others:
                    terms *= positions[:, i, j] * legs[:, s[j]]
                total += terms.sum()
    return total


def law_of(energy):
    """Probabilities of all states, site 0 the slowest, and the states."""
    states = enumerate_states(energy.length, energy.n_tokens)
    weight = np.array([log_weight_by_terms(energy, s) for s in states])
    p = np.exp(weight - weight.max())
    return p / p.sum(), states


def total_variation(tokens, p, n_tokens):
    """Between the shares of states in a sample and their probabilities."""
    number = np.ravel_multi_index(tuple(tokens.T), (n_tokens,) * tokens.shape[1])
    return np.abs(np.bincount(number, minlength=len(p)) / len(tokens) - p).sum() / 2


def reach(n_states, n):
    """Three times the mean total variation of n independent draws from an even law, which is the largest of all."""
    return 3 * np.sqrt(n_states / (2 * np.pi * n))
