"""Observables of spins, ready to be measured.  All are in Pauli matrices: spins of a half are sigma / 2."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from infoscope.base import ParameterError
from infoscope.base.checks import check_choice, check_matrix, check_positive_int

from .lattices import Lattice
from .spin_operators import SpinOperator, pauli_sum

AXES = ("x", "y", "z")


def magnetization(n_sites: int, axis: str = "z", *, signs: Any = None) -> SpinOperator:
    """The mean of the spins, m = (1/N) sum_i sigma_i.

    Parameters
    ----------
    n_sites : int
        N.
    axis : {"z", "x", "y"}
        Which Pauli matrix.
    signs : array, shape (n_sites,), optional
        Factors of the spins: +1 and -1 on two sublattices for the staggered magnetisation.

    Returns
    -------
    SpinOperator

    Examples
    --------
    >>> from infoscope.quantum import magnetization
    >>> magnetization(2, "x").strings()
    (('X0', 0.5, None), ('X1', 0.5, None))
    """
    axis = check_choice(axis, "axis", AXES).upper()
    factors = _factors(n_sites, signs)
    return pauli_sum([(f"{axis}{site}", factors[site] / n_sites) for site in range(n_sites)], n_sites)


def squared_magnetization(n_sites: int, axis: str = "z", *, signs: Any = None) -> SpinOperator:
    """The square m^2 = (1/N^2) sum_ij sigma_i sigma_j, which tells order where the mean vanishes by symmetry.

    Parameters
    ----------
    n_sites, axis, signs
        As for `magnetization`.

    Returns
    -------
    SpinOperator

    Examples
    --------
    >>> from infoscope.quantum import squared_magnetization
    >>> squared_magnetization(2).strings()
    (('', 0.5, None), ('Z0 Z1', 0.5, None))
    """
    factors = _factors(n_sites, signs)
    return _pair_sum(np.outer(factors, factors) / n_sites**2, [axis])


def spin_correlation(n_sites: int, i: int, j: int, axis: str = "z") -> SpinOperator:
    """The correlation sigma_i sigma_j of two spins.

    Parameters
    ----------
    n_sites : int
        How many spins there are.
    i, j : int
        Which two.
    axis : {"z", "x", "y", "all"}
        Which Pauli matrix; "all" is the sum of the three, which is 4 S_i . S_j.

    Returns
    -------
    SpinOperator

    Examples
    --------
    >>> from infoscope.quantum import spin_correlation
    >>> spin_correlation(4, 0, 2, "all").strings()
    (('X0 X2', 1.0, None), ('Y0 Y2', 1.0, None), ('Z0 Z2', 1.0, None))
    """
    axis = check_choice(axis, "axis", (*AXES, "all"))
    pair = [check_positive_int(site, name, 0, n_sites - 1) for site, name in ((i, "i"), (j, "j"))]
    letters = AXES if axis == "all" else (axis,)
    return pauli_sum([(" ".join(f"{letter.upper()}{at}" for at in pair), 1.0) for letter in letters], n_sites)


def structure_factor(lattice: Lattice, momentum: Sequence[float], axis: str = "z") -> SpinOperator:
    """The structure factor S(q) = (1/N) sum_ij cos(q . (r_i - r_j)) sigma_i sigma_j.

    Parameters
    ----------
    lattice : Chain, Square or Graph
        Where the spins are.
    momentum : sequence of float
        q, in radians for one lattice constant: (pi, pi) for antiferromagnetic order on a square.
    axis : {"z", "x", "y", "all"}
        Which Pauli matrix; "all" is the sum of the three.

    Returns
    -------
    SpinOperator

    Raises
    ------
    ParameterError
        If q has another number of components than places have.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.quantum import Chain, structure_factor
    >>> structure_factor(Chain(2), [np.pi]).strings()
    (('', 1.0, None), ('Z0 Z1', -1.0, None))
    """
    positions = lattice.positions
    q = np.atleast_1d(np.asarray(momentum, np.float64))
    if q.shape != (positions.shape[1],) or not np.isfinite(q).all():
        raise ParameterError(f"momentum must be {positions.shape[1]} finite numbers for this lattice, got {momentum!r}")
    phase = positions @ q
    axis = check_choice(axis, "axis", (*AXES, "all"))
    return _pair_sum(np.cos(phase[:, None] - phase) / len(phase), AXES if axis == "all" else (axis,))


# --------------------------------------------------------------------------------------------------------------- steps
def _factors(n_sites: int, signs: Any) -> np.ndarray:
    n_sites = check_positive_int(n_sites, "n_sites")
    if signs is None:
        return np.ones(n_sites)
    given = check_matrix(np.asarray(signs)[None], "signs")[0]
    if len(given) != n_sites:
        raise ParameterError(f"signs has {len(given)} entries, but there are {n_sites} sites: give one for each")
    return given


def _pair_sum(weights: np.ndarray, axes: Sequence[str]) -> SpinOperator:
    """The sum of weights_ij sigma_i sigma_j; a spin squared is 1."""
    n_sites, terms = len(weights), []
    for axis in axes:
        letter = check_choice(axis, "axis", AXES).upper()
        terms.append(("", float(np.trace(weights))))
        rows, columns = np.triu_indices(n_sites, 1)
        both = (weights + weights.T)[rows, columns].tolist()
        pairs = zip(rows.tolist(), columns.tolist(), both, strict=True)
        terms += [(f"{letter}{i} {letter}{j}", value) for i, j, value in pairs]
    return pauli_sum(terms, n_sites)
