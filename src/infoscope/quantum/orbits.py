"""Configurations that symmetries lead into each other: one of every orbit stands for all of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from infoscope.base import ParameterError

from .configurations import LONGEST, places_of

BYTE = 8


@dataclass(frozen=True, eq=False)
class Orbits:
    """Orbits of a group of permutations of sites, with or without the flip of all spins.

    Attributes
    ----------
    representatives : ndarray of int64, shape (O,)
        The lowest number of every orbit, rising.
    multiplicity : ndarray of int64, shape (O,)
        How many configurations an orbit has.
    orbit_of : ndarray of int64, shape (S,)
        Which orbit each of the states belongs to.
    """

    representatives: np.ndarray
    multiplicity: np.ndarray
    orbit_of: np.ndarray


def find_orbits(states: Any, n_sites: int, permutations: Any = None, *, spin_flip: bool = False) -> Orbits:
    """Orbits of configurations.

    Parameters
    ----------
    states : array of int64, shape (S,)
        Rising numbers of configurations, such as ``family.configurations()``.
    n_sites : int
        How many spins.
    permutations : array of int, shape (G, n_sites), optional
        A group of permutations, which act as ``spins[:, permutation]``; the identity alone by default.
    spin_flip : bool
        Whether all spins may be flipped too.

    Returns
    -------
    Orbits

    Raises
    ------
    ParameterError
        If the permutations are no group, or lead out of the states.

    Notes
    -----
    Work is S times G, with one look-up for every 8 sites.

    Examples
    --------
    >>> from infoscope.quantum import Chain, find_orbits
    >>> found = find_orbits(range(16), 4, Chain(4).translations(), spin_flip=True)
    >>> found.representatives, found.multiplicity
    (array([0, 1, 3, 5]), array([2, 8, 4, 2]))
    """
    states = np.asarray(states, np.int64)
    group = np.arange(n_sites)[None] if permutations is None else np.asarray(permutations)
    _check_group(group, n_sites)
    lowest, last, whole = states, (1 << n_sites) - 1, len(states) == 1 << n_sites
    for permutation in group:
        image = permute_bits(states, permutation)
        for one in (image, image ^ last) if spin_flip else (image,):
            if not whole and places_of(states, one, n_sites).min(initial=0) < 0:
                raise ParameterError(
                    "a symmetry leads out of the states: all spins are flipped only where their sum is zero"
                )
            lowest = np.minimum(lowest, one)
    representatives, orbit_of, multiplicity = np.unique(lowest, return_inverse=True, return_counts=True)
    return Orbits(representatives, multiplicity, orbit_of)


def permute_bits(numbers: np.ndarray, permutation: Any) -> np.ndarray:
    """Numbers of the configurations ``spins[:, permutation]``: bit i of an image is bit ``permutation[i]``.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.quantum.orbits import permute_bits
    >>> permute_bits(np.array([1, 2, 4]), [1, 2, 0])
    array([4, 1, 2])
    """
    goes_to = np.argsort(permutation)  # the bit that a bit becomes
    image = np.zeros_like(numbers)
    for start in range(0, len(goes_to), BYTE):
        part = goes_to[start : start + BYTE]
        table = np.zeros(1 << len(part), np.int64)
        for bit, place in enumerate(part):
            table |= ((np.arange(len(table)) >> bit) & 1) << int(place)
        image |= table[(numbers >> start) & (len(table) - 1)]
    return image


def _check_group(group: np.ndarray, n_sites: int) -> None:
    if n_sites > LONGEST or group.ndim != 2 or not (np.sort(group, axis=1) == np.arange(n_sites)).all():
        raise ParameterError(f"permutations must be rows that name each of the {n_sites} sites once, at most {LONGEST}")
    members = _rows(group)
    if any(not _rows(group[:, one]) <= members for one in group):
        raise ParameterError("the permutations are no group: add the products of those that are there")


def _rows(group: np.ndarray) -> set[bytes]:
    return {row.tobytes() for row in np.ascontiguousarray(group)}
