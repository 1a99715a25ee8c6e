"""Sparse matrices of operators between configurations, in sectors of magnetisation and of the flip of all spins.

A sector of parity p = +1 or -1 has one state (|s> + p |s flipped>) / sqrt 2 for every pair; s is the lower number, with
its highest spin up.  A row of H in it is the row of s, in which an element towards a flipped s' counts p times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import scipy.sparse as sp

from infoscope.base import ParameterError

from .configurations import gigabytes, places_of, spins_of

ROWS = 2**15  # configurations whose elements are found together
SOLVER_VECTORS = 24  # of a sector, which the search for eigenvectors holds


class SumOfStrings(Protocol):
    """What is asked of a `SpinOperator`, which stands above this file."""

    @property
    def flips(self) -> np.ndarray: ...
    @property
    def term_weight(self) -> np.ndarray: ...
    @property
    def term_coupling(self) -> np.ndarray: ...
    @property
    def n_sites(self) -> int: ...
    @property
    def n_couplings(self) -> int: ...
    def factors(self, couplings: Any) -> np.ndarray: ...
    def sum_strings(self, columns: np.ndarray, factors: np.ndarray) -> np.ndarray: ...


@dataclass(frozen=True, eq=False)
class Sector:
    """Configurations that stand for the states of a sector.

    Attributes
    ----------
    states : ndarray of int64, shape (S,)
        Rising numbers; of pairs the lower one where there is a parity.
    n_sites : int
    parity : int or None
        +1 (even) or -1 (odd) under the flip of all spins; None: every configuration is a state.
    """

    states: np.ndarray
    n_sites: int
    parity: int | None = None

    def places(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Which states numbers belong to (-1 for none), and the signs with which they do."""
        if self.parity is None:
            return places_of(self.states, numbers, self.n_sites), None
        above = numbers >> (self.n_sites - 1) == 1
        lower = np.where(above, numbers ^ ((1 << self.n_sites) - 1), numbers)
        if len(self.states) == 1 << (self.n_sites - 1):
            return lower, np.where(above, self.parity, 1)
        return places_of(self.states, lower, self.n_sites), np.where(above, self.parity, 1)

    def amplitudes(self, vector: np.ndarray, configurations: np.ndarray) -> np.ndarray:
        """Amplitudes of all configurations from a vector of the sector."""
        at, signs = self.places(configurations)
        return vector[at] if signs is None else vector[at] * (signs * np.sqrt(0.5))


def parity_sector(configurations: np.ndarray, n_sites: int, parity: int | None) -> Sector:
    """The sector of a parity, of all configurations or of one magnetisation."""
    if parity is None:
        return Sector(configurations, n_sites)
    return Sector(configurations[configurations >> (n_sites - 1) == 0], n_sites, parity)


def forecast_bytes(n_states: int, n_flips: int, n_parts: int = 1) -> float:
    """Memory that a matrix of so many parts and the search for its lowest states take at most."""
    return n_states * (n_flips * (4.0 + 8.0 * n_parts) * 2 + 8.0 * SOLVER_VECTORS)


def refuse_large(n_states: int, max_states: int, n_bytes: float, what: str) -> None:
    """Raise where there are more states than allowed, and say which memory they would take."""
    if n_states > max_states:
        raise ParameterError(
            f"{what} has {n_states:,} states and would take up to {gigabytes(n_bytes)} of memory; at most "
            f"{max_states:,} are allowed: take fewer spins, one magnetization, or a larger max_states"
        )


def matrices(
    operator: SumOfStrings, parts: Sequence[np.ndarray], sector: Sector, *, project: bool = False
) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """Several matrices with one pattern, such as those that each coupling multiplies.

    Parameters
    ----------
    operator : SpinOperator
        Whose strings.
    parts : sequence of arrays (T,)
        Factors of the strings in each matrix.
    sector : Sector
        What rows and columns stand for.
    project : bool
        Whether elements that lead out of the sector are left out; they are refused otherwise.

    Returns
    -------
    data : list of arrays
        Of each part.
    indices, indptr : ndarray
        As in SciPy's CSR form; a column may come twice in a row.

    Notes
    -----
    States times masks of bit operations, done for 2^15 states at a time.
    """
    masks = operator.flips @ (1 << np.arange(operator.n_sites, dtype=np.int64))
    data: list[list[np.ndarray]] = [[] for _ in parts]
    indices, counts = [], []
    for start in range(0, len(sector.states), ROWS):
        rows = sector.states[start : start + ROWS]
        columns = np.ascontiguousarray(spins_of(rows, operator.n_sites).T)
        elements = [np.ascontiguousarray(operator.sum_strings(columns, part).T) for part in parts]
        there = np.any([one != 0 for one in elements], axis=0)
        places, signs = sector.places((rows[:, None] ^ masks)[there])
        chosen = [one[there] for one in elements]
        if len(places) and places.min() < 0:
            if not project:
                raise ParameterError(
                    f"{operator!r} leads out of the {len(sector.states):,} states: it does not conserve what they share"
                )
            inside = places >= 0
            there[there] = inside
            places, chosen = places[inside], [one[inside] for one in chosen]
            signs = None if signs is None else signs[inside]
        for kept, one in zip(data, chosen, strict=True):
            kept.append(one if signs is None else one * signs)
        indices.append(places.astype(np.int32))
        counts.append(there.sum(axis=1))
    ends = np.concatenate([[0], *counts]).cumsum()
    return (
        [np.concatenate(one) for one in data],
        np.concatenate(indices),
        ends.astype(np.int32) if ends[-1] < 2**31 else ends,
    )


class SectorMatrices:
    """The Hamiltonians of an operator in a sector, H_0 + sum_i c_i H_i, whose pattern and parts are found once.

    With more than `MOST_PARTS` couplings every matrix is found anew, and nothing is kept.
    """

    MOST_PARTS = 8

    def __init__(self, operator: SumOfStrings, sector: Sector) -> None:
        self.operator, self.sector = operator, sector
        self._kept: Any = None
        if operator.n_couplings <= self.MOST_PARTS:
            numbers = range(-1, operator.n_couplings)
            parts = [np.where(operator.term_coupling == at, operator.term_weight, 0) for at in numbers]
            self._kept = matrices(operator, parts, sector)

    def at(self, couplings: np.ndarray) -> sp.csr_array:
        """H at the couplings of one system."""
        if self._kept is None:
            return self._matrix_of(self.operator.factors(couplings))
        parts, indices, indptr = self._kept
        data = parts[0].copy()
        for value, one in zip(couplings, parts[1:], strict=True):
            data += value * one
        return self._matrix(data, indices.copy(), indptr.copy())  # SciPy sorts them in place

    def part(self, number: int) -> sp.csr_array:
        """H_i, what multiplies coupling i."""
        if self._kept is None:
            return self._matrix_of(np.where(self.operator.term_coupling == number, self.operator.term_weight, 0))
        parts, indices, indptr = self._kept
        return self._matrix(parts[1 + number].copy(), indices.copy(), indptr.copy())

    def _matrix_of(self, factors: np.ndarray) -> sp.csr_array:
        (data,), indices, indptr = matrices(self.operator, [factors], self.sector)
        return self._matrix(data, indices, indptr)

    def _matrix(self, data: np.ndarray, indices: np.ndarray, indptr: np.ndarray) -> sp.csr_array:
        shape = (len(self.sector.states), len(self.sector.states))
        return sp.csr_array((data, indices, indptr), shape=shape)
