"""Spins with known energies and correlations: the Ising chain, the Ising model on a square, Potts models."""

from __future__ import annotations

import math

import numpy as np

from infoscope.base import kernel, progress
from infoscope.base.errors import ParameterError

CRITICAL_TEMPERATURE = 2 / math.log(1 + math.sqrt(2))  # of the Ising model on the infinite square, J = k_B = 1


def ising_chain(
    n: int, n_spins: int, coupling: float = 0.5, *, random_state: int | np.random.Generator | None = None
) -> np.ndarray:
    """Independent equilibrium draws of the open Ising chain, P proportional to exp(K sum s_i s_{i+1}).

    Two neighbours are equal with probability 1/(1 + exp(-2K)), whatever the others do, so the draws are exact.

    Parameters
    ----------
    n : int
        Number of draws.
    n_spins : int
        Length of the chain.
    coupling : float
        K, which is J over the temperature.
    random_state : int, Generator or None
        Seed.

    Returns
    -------
    ndarray of int8, shape (n, n_spins)
        -1 and 1.

    See Also
    --------
    ising_chain_distances : The exact law of the Hamming distance of two draws.

    Examples
    --------
    >>> from infoscope.datasets import ising_chain
    >>> spins = ising_chain(2000, 50, coupling=0.5, random_state=0)
    >>> round(float((spins[:, 1:] * spins[:, :-1]).mean()), 2)        # tanh(0.5)
    0.46
    """
    _check(n=n, n_spins=n_spins)
    rng = np.random.default_rng(random_state)
    bonds = rng.random((n, n_spins)) < 1 / (1 + math.exp(2 * coupling))  # where the sign turns
    bonds[:, 0] = rng.random(n) < 0.5
    return (1 - 2 * (np.cumsum(bonds, axis=1) % 2)).astype(np.int8)


def ising_chain_distances(n_spins: int, coupling: float = 0.5) -> np.ndarray:
    """Probability of every Hamming distance of two independent draws of `ising_chain`.

    The product of two draws is a chain of its own, whose neighbours are equal with probability (1 + tanh^2 K)/2.

    Parameters
    ----------
    n_spins, coupling
        As in `ising_chain`.

    Returns
    -------
    ndarray of shape (n_spins + 1,)

    Examples
    --------
    >>> from infoscope.datasets import ising_chain_distances
    >>> ising_chain_distances(2, coupling=0.0)
    array([0.25, 0.5 , 0.25])
    """
    _check(n_spins=n_spins)
    equal = (1 + math.tanh(coupling) ** 2) / 2
    same, other = np.zeros(n_spins + 1), np.zeros(n_spins + 1)  # by the number of unequal spins; last pair equal or not
    same[0] = other[1] = 0.5
    for _ in range(n_spins - 1):
        stay, turn = same * equal + other * (1 - equal), same * (1 - equal) + other * equal
        same = stay
        other[0], other[1:] = 0.0, turn[:-1]
    return same + other


def ising_square(
    n: int,
    side: int,
    temperature: float,
    *,
    burn_in: int = 300,
    sweeps: int = 10,
    random_state: int | np.random.Generator | None = None,
) -> np.ndarray:
    """States of the Ising model on a periodic square, by cluster updates of Swendsen and Wang.

    Every cluster of a sweep gets a random sign, so both magnetisations occur equally often at any temperature, and
    states below the critical temperature 2.269 do not stick in stripes.

    Parameters
    ----------
    n : int
        Number of states.
    side : int
        Spins along one side.
    temperature : float
        In units of the coupling.
    burn_in : int
        Sweeps before the first state.
    sweeps : int
        Sweeps between states.
    random_state : int, Generator or None
        Seed.

    Returns
    -------
    ndarray of int8, shape (n, side**2)
        -1 and 1, row by row of the square.

    See Also
    --------
    ising_square_energy : The exact mean energy.

    Examples
    --------
    >>> from infoscope.datasets import ising_square
    >>> ising_square(3, 8, 2.5, random_state=0).shape
    (3, 64)
    """
    return (1 - 2 * _clusters(n, side, 2, 2.0, temperature, burn_in, sweeps, random_state)).astype(np.int8)


def ising_square_energy(side: int, temperature: float) -> float:
    """Exact mean energy per spin of `ising_square`, from the partition function of the finite periodic square.

    Kaufman's formula: Z is half the sum of four products over the modes of a row.

    Parameters
    ----------
    side : int
        Spins along one side; even.
    temperature : float
        In units of the coupling.

    Returns
    -------
    float

    Examples
    --------
    >>> from infoscope.datasets import ising_square_energy
    >>> round(ising_square_energy(30, 2.5), 3)
    -1.108
    """
    _check(side=side)
    if side % 2:
        raise ParameterError(f"side is {side}: the formula is for even sides")
    beta, h = 1 / temperature, 1e-5
    return float(-(_log_partition(side, beta + h) - _log_partition(side, beta - h)) / (2 * h) / side**2)


def potts(
    n: int,
    side: int,
    n_states: int,
    temperature: float,
    *,
    burn_in: int = 300,
    sweeps: int = 10,
    random_state: int | np.random.Generator | None = None,
) -> np.ndarray:
    """States of the Potts model on a periodic square, energy -sum delta(s_i, s_j), by cluster updates.

    The infinite square orders below the temperature 1/log(1 + sqrt(q)); with more than four states by a jump.

    Parameters
    ----------
    n, side : int
        Number of states, and sites along one side.
    n_states : int
        q, values a site can take.
    temperature : float
        In units of the coupling.
    burn_in, sweeps, random_state
        As in `ising_square`.

    Returns
    -------
    ndarray of int8, shape (n, side**2)
        0 to q - 1.

    Examples
    --------
    >>> from infoscope.datasets import potts
    >>> int(potts(3, 8, 4, 1.0, random_state=0).max()) < 4
    True
    """
    _check(n_states=n_states)
    if not 2 <= n_states <= 127:
        raise ParameterError(f"n_states is {n_states}; it must lie between 2 and 127")
    return _clusters(n, side, n_states, 1.0, temperature, burn_in, sweeps, random_state)


# ---------------------------------------------------------------------------------------------------------------- steps
def _check(**numbers: int) -> None:
    for name, value in numbers.items():
        if value < 1:
            raise ParameterError(f"{name} is {value}; it must be at least 1")


def _clusters(n, side, n_states, scale, temperature, burn_in, sweeps, random_state) -> np.ndarray:
    """States from sweeps; equal neighbours are bound with probability 1 - exp(-scale/temperature)."""
    _check(n=n, side=side, sweeps=sweeps)
    if not temperature > 0:
        raise ParameterError(f"temperature is {temperature}; it must be positive")
    if side < 3:
        raise ParameterError(f"side is {side}; below 3 a site would be its own neighbour twice")
    rng = np.random.default_rng(random_state)
    bound = 1 - math.exp(-scale / temperature)
    seed = int(rng.integers(2**63, dtype=np.uint64))
    state = np.array([seed], np.uint64)  # xorshift inside the kernel: a generator for each sweep would cost more
    spins = rng.integers(n_states, size=side * side).astype(np.int8)
    out = np.empty((n, side * side), np.int8)
    _sweep(spins, side, n_states, bound, state, burn_in)
    with progress(n, "cluster sweeps", "states") as bar:
        for row in out:
            _sweep(spins, side, n_states, bound, state, sweeps)
            row[:] = spins
            bar.update(1)
    return out


@kernel
def _uniform(state):
    """A number in [0, 1): splitmix64."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((z ^ (z >> np.uint64(31))) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@kernel
def _root(parent, site):
    while parent[site] != site:
        parent[site] = parent[parent[site]]
        site = parent[site]
    return site


@kernel
def _sweep(spins, side, n_states, bound, state, n_sweeps):
    """Bind equal neighbours at random, and give every cluster a new state."""
    n = side * side
    parent, drawn = np.empty(n, np.int64), np.empty(n, np.int8)
    for _ in range(n_sweeps):
        for site in range(n):
            parent[site] = site
        for site in range(n):
            x = site % side
            right = site + 1 - side if x == side - 1 else site + 1
            below = site + side if site + side < n else site + side - n
            for other in (right, below):
                if spins[site] == spins[other] and _uniform(state) < bound:
                    a, b = _root(parent, site), _root(parent, other)
                    if a != b:
                        parent[max(a, b)] = min(a, b)
        for site in range(n):
            if parent[site] == site:
                drawn[site] = np.int8(_uniform(state) * n_states)
        for site in range(n):
            spins[site] = drawn[_root(parent, site)]


def _log_partition(side: int, beta: float) -> float:
    """ln Z of the periodic square of even side (B. Kaufman, Phys. Rev. 76, 1232, 1949)."""
    c = math.cosh(2 * beta) ** 2 / math.sinh(2 * beta)
    k = np.arange(1, 2 * side)
    gamma = np.empty(2 * side)
    gamma[1:] = np.arccosh(np.maximum(c - np.cos(np.pi * k / side), 1.0))
    gamma[0] = 2 * beta + math.log(math.tanh(beta))  # its sign matters
    odd, even = gamma[1::2] * side / 2, gamma[0::2] * side / 2
    logs = [
        np.sum(np.logaddexp(odd, -odd)),
        np.sum(odd + np.log(-np.expm1(-2 * odd))),
        np.sum(np.logaddexp(even, -even)),
        np.sum(np.abs(even) + np.log(-np.expm1(-2 * np.abs(even)))),
    ]
    signs = np.array([1.0, 1.0, 1.0, np.sign(even[0])])
    top = max(logs)
    total = float(signs @ np.exp(np.array(logs) - top))
    return side**2 / 2 * math.log(2 * math.sinh(2 * beta)) - math.log(2) + top + math.log(total)
