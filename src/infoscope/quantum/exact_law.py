"""Where all configurations can be written down: orbits, what the Hamiltonian joins, and draws from their law.

A step then evaluates the network once for each orbit.  Energies are exact sums, local energies are looked up instead of
evaluated, and rows are drawn without replacement: a probable orbit is always there, the others with a probability
pi = min(p / c, 1) and the weight p / pi, so that every weighted mean over the rows is unbiased.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .configurations import places_of, spins_of
from .signed_orbits import SignedOrbits

MAX_SITES = 16  # up to which all configurations are written down unless asked for
LEAST = 1e-30  # probability: what is smaller is never drawn, and no weight is divided by zero
ROWS = 2**14  # orbits whose connections are found together


@dataclass(frozen=True, eq=False)
class ExactTables:
    """What the compiled step reads.

    Attributes
    ----------
    images : ndarray of int8 (n_orbits, G, n_sites)
        Those of the representatives under the elements that the network can tell apart.
    characters : ndarray (G,)
    log_counts : ndarray (n_orbits,)
        Logarithms of the numbers of configurations.
    targets : ndarray of int32 (n_orbits, L)
        The orbits that entry l of a row of the Hamiltonian leads to.
    coefficients : ndarray (n_orbits, L)
        Its weight, the sign between the state and its representative included.
    couplings_of : ndarray of int32 (n_orbits, L)
        Which coupling multiplies it; m for none.
    """

    images: np.ndarray
    characters: np.ndarray
    log_counts: np.ndarray
    targets: np.ndarray
    coefficients: np.ndarray
    couplings_of: np.ndarray


def make_tables(operator: Any, orbits: SignedOrbits, images: np.ndarray, characters: np.ndarray) -> ExactTables:
    """Connections of all orbits; entries of one row that lead to the same orbit by the same coupling are added up."""
    parts = [
        _connections(operator, orbits, slice(start, min(start + ROWS, len(orbits))))
        for start in range(0, len(orbits), ROWS)
    ]
    widest = max(part[0].shape[1] for part in parts)
    joined = []
    for which in range(3):
        padded = [np.pad(part[which], ((0, 0), (0, widest - part[which].shape[1]))) for part in parts]
        joined.append(np.concatenate(padded))
    return ExactTables(images, characters.astype(np.float64), np.log(orbits.counts), *joined)


def _connections(operator: Any, orbits: SignedOrbits, part: slice) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    numbers = orbits.numbers[part]
    n_rows, m = len(numbers), operator.n_couplings
    signs = spins_of(numbers, operator.n_sites).astype(np.int8)
    masks = operator.flips @ (1 << np.arange(operator.n_sites, dtype=np.int64))
    coupling = np.where(operator.term_coupling < 0, m, operator.term_coupling)
    pairs, pair_of = np.unique(np.stack([operator.term_flip, coupling], 1), axis=0, return_inverse=True)
    weight = np.zeros((n_rows, len(pairs)), operator.term_weight.dtype)
    for term, pair in enumerate(pair_of.ravel()):
        sites = np.flatnonzero(operator.term_signs[term])
        weight[:, pair] += operator.term_weight[term] * signs[:, sites].prod(axis=1)
    places = places_of(orbits.states, numbers[:, None] ^ masks[pairs[:, 0]], operator.n_sites)
    target = np.where(places >= 0, orbits.orbit_of[places], -1)
    weight = np.where(target >= 0, weight * orbits.signs[places], 0)
    return _merge_entries(np.where(target >= 0, target, 0), weight, np.broadcast_to(pairs[:, 1], weight.shape), m + 1)


def _merge_entries(target: np.ndarray, weight: np.ndarray, coupling: np.ndarray, n_couplings: int) -> Any:
    """Entries with one target and one coupling become one; rows are filled up with zeros."""
    n_rows, width = target.shape
    rows = np.repeat(np.arange(n_rows), width)
    key = (rows * (target.max(initial=0) + 1) + target.ravel()) * n_couplings + coupling.ravel()
    used = weight.ravel() != 0
    keys, first, of = np.unique(key[used], return_index=True, return_inverse=True)
    total = np.zeros(len(keys), weight.dtype)
    np.add.at(total, of.ravel(), weight.ravel()[used])
    row, there = rows[used][first], np.abs(total) > 0
    row, first, total = row[there], first[there], total[there]
    counts = np.bincount(row, minlength=n_rows)
    column = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    found = []
    for value, kind in (
        (target.ravel()[used][first], np.int32),
        (total, weight.dtype),
        (coupling.ravel()[used][first], np.int32),
    ):
        array = np.zeros((n_rows, max(1, int(counts.max(initial=0)))), kind)
        array[row, column] = value
        found.append(array)
    return tuple(found)


# ------------------------------------------------------------------------------------------- inside the compiled step
def exact_local_energies(tables: Any, log_amplitudes: Any, couplings: Any) -> Any:
    """E_L of all orbits of one system, from log psi (n_orbits,) and couplings (m,): looked up, nothing is evaluated."""
    import jax.numpy as jnp

    factors = jnp.concatenate([couplings, jnp.ones(1)])[tables["couplings_of"]] * tables["coefficients"]
    ratios = jnp.exp(log_amplitudes[tables["targets"]] - log_amplitudes[:, None])
    products = jnp.where(factors == 0, 0, factors * ratios)
    return products.sum(axis=1)


def orbit_law(tables: Any, log_amplitudes: Any) -> Any:
    """The probabilities of the orbits of one system."""
    import jax
    import jax.numpy as jnp

    return jax.nn.softmax(2 * jnp.real(log_amplitudes) + tables["log_counts"])


def draw_without_replacement(p: Any, n_rows: int, uniform: Any) -> tuple[Any, Any]:
    """Rows and their weights (of sum one) of one system: systematic draws with the probabilities min(p / c, 1).

    Source: Fearnhead and Clifford, J. R. Stat. Soc. B 65, 887 (2003), section 3.
    """
    import jax.numpy as jnp

    if n_rows >= p.shape[0]:
        return jnp.arange(p.shape[0]), p
    p = jnp.maximum(p, LEAST)
    rising = jnp.sort(p)
    falling, after = rising[::-1], jnp.cumsum(rising)[::-1]  # after: what this one and all smaller ones have together
    threshold = after / (n_rows - jnp.arange(p.shape[0])).clip(1)
    c = threshold[jnp.argmax(falling < threshold)]  # the first that is not always there
    inclusion = jnp.minimum(p / c, 1.0)
    at = jnp.searchsorted(jnp.cumsum(inclusion), jnp.arange(n_rows) + uniform, side="right")
    rows = at.clip(0, p.shape[0] - 1)
    weights = jnp.maximum(p[rows], c)
    return rows, weights / weights.sum()
