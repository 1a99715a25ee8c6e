"""Operators written down as Kronecker products: what sparse ones are compared with."""

from functools import reduce

import numpy as np

PAULI = {
    "I": np.eye(2),
    "X": np.array([[0.0, 1.0], [1.0, 0.0]]),
    "Y": np.array([[0.0, -1j], [1j, 0.0]]),
    "Z": np.diag([1.0, -1.0]),
}


def on_sites(n_sites, **letters):
    """The product of Pauli matrices on some sites, as ``on_sites(3, s0="X")``; site 0 is the last factor."""
    factors = [PAULI[letters.get(f"s{site}", "I")] for site in reversed(range(n_sites))]
    return reduce(np.kron, factors)


def string(text, n_sites):
    """The product that a text such as "Z0 Z1" describes, factor by factor."""
    found = np.eye(2**n_sites, dtype=complex)
    for factor in text.split():
        found = found @ on_sites(n_sites, **{f"s{factor[1:]}": factor[0]})
    return found


def total(terms, n_sites):
    """The sum of (text, weight)."""
    return sum(weight * string(text, n_sites) for text, weight in terms)


def ising(bonds, n_sites, interaction, fields):
    """-J sum zz - sum h_i x_i."""
    terms = [(f"Z{i} Z{j}", -interaction) for i, j in bonds]
    terms += [(f"X{i}", -h) for i, h in enumerate(np.broadcast_to(fields, n_sites))]
    return total(terms, n_sites).real


def heisenberg(bonds, n_sites, weights=1.0):
    """sum J S . S over bonds."""
    weights = np.broadcast_to(weights, len(bonds))
    terms = [(f"{a}{i} {a}{j}", J / 4) for (i, j), J in zip(bonds, weights, strict=True) for a in "XYZ"]
    return total(terms, n_sites).real


def permuted(permutation):
    """The matrix P of a permutation of sites, (P psi)(s) = psi(s[permutation])."""
    n = len(permutation)
    found = np.zeros((2**n, 2**n))
    for number in range(2**n):
        bits = [(number >> site) & 1 for site in range(n)]
        found[number, sum(bits[permutation[site]] << site for site in range(n))] = 1.0
    return found
