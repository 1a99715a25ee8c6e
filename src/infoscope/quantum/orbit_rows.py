"""Rows whose amplitudes are equal up to a sign by symmetry: one of each orbit stands for the others."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .configurations import LONGEST, numbers_of, spins_of
from .signed_orbits import find_representatives
from .symmetries import SymmetryGroup


class OrbitRows(NamedTuple):
    """Rows that are evaluated in place of others.

    Attributes
    ----------
    spins : array of int8 (Q, n_sites)
    couplings : array (Q, m)
    place : array of int (M,)
        Which of them stands for each row.
    signs : array of int8 (M,)
        psi of a row is this times psi of the one that stands for it.
    """

    spins: np.ndarray
    couplings: np.ndarray
    place: np.ndarray
    signs: np.ndarray

    @classmethod
    def of(cls, spins: np.ndarray, couplings: np.ndarray, group: SymmetryGroup) -> OrbitRows:
        """Rows (M, n_sites) with their couplings (M, m); as they are where there is little to gain."""
        n_rows, n_sites = spins.shape
        if n_rows <= len(group) or n_sites > LONGEST or (couplings != couplings[0]).any():
            return cls(spins, couplings, np.arange(n_rows), np.ones(n_rows, np.int8))
        lowest, signs = find_representatives(numbers_of(spins), group)
        numbers, place = np.unique(lowest, return_inverse=True)
        return cls(spins_of(numbers, n_sites), couplings[: len(numbers)], place.ravel(), signs)
