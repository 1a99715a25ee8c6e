"""Spin configurations as rows of +1 and -1, and as whole numbers: site 0 is the least significant bit, bit 0 is up."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from infoscope.base import DataError, ParameterError
from infoscope.base.checks import check_positive_int

MAX_STATES = 2**20
TABLE_BITS = 24  # up to so many sites a table finds the place of a state, beyond that a search
LONGEST = 62  # sites of a configuration that is one whole number


def check_magnetization(magnetization: Any, n_sites: int) -> int | None:
    """The sum of the spins that is asked for, if some configuration has it; None asks for none.

    Raises
    ------
    ParameterError
        If it is no whole number, or one that no configuration of so many spins has.

    Examples
    --------
    >>> from infoscope.quantum.configurations import check_magnetization
    >>> check_magnetization(0, 4), check_magnetization(None, 3)
    (0, None)
    """
    if magnetization is None:
        return None
    total = check_positive_int(magnetization, "magnetization", -n_sites, n_sites)
    if (total + n_sites) % 2:
        raise ParameterError(
            f"magnetization (the sum of the spins, each +1 or -1) is {total}, and {n_sites} spins have "
            f"{'odd' if n_sites % 2 else 'even'} ones only: take {total + 1 if total < n_sites else total - 1}, or None"
        )
    return total


def count_configurations(n_sites: int, magnetization: int | None = None) -> int:
    """How many configurations there are, of all or of one magnetisation.

    Examples
    --------
    >>> from infoscope.quantum.configurations import count_configurations
    >>> count_configurations(16), count_configurations(16, 0)
    (65536, 12870)
    """
    return 2**n_sites if magnetization is None else math.comb(n_sites, (n_sites - magnetization) // 2)


def enumerate_configurations(
    n_sites: int, magnetization: int | None = None, *, max_states: int = MAX_STATES
) -> np.ndarray:
    """All configurations as rising whole numbers.

    Parameters
    ----------
    n_sites : int
        How many spins.
    magnetization : int, optional
        Only those whose spins have this sum.
    max_states : int
        More than so many are refused.

    Returns
    -------
    ndarray of int64

    Raises
    ------
    ParameterError
        If there are too many, or no configuration has this magnetisation.

    Examples
    --------
    >>> from infoscope.quantum import enumerate_configurations, spins_of
    >>> numbers = enumerate_configurations(3, magnetization=1)
    >>> numbers, spins_of(numbers, 3).tolist()
    (array([1, 2, 4]), [[-1, 1, 1], [1, -1, 1], [1, 1, -1]])
    """
    magnetization = check_magnetization(magnetization, n_sites)
    n_states = count_configurations(n_sites, magnetization)
    if n_states > max_states or n_sites > LONGEST:
        raise ParameterError(
            f"{n_sites} spins have {n_states:,} configurations, {gigabytes(8 * n_states)} a vector; at most "
            f"{max_states:,} are written down: take fewer spins, a fixed magnetization, or samples"
        )
    if magnetization is None:
        return np.arange(n_states, dtype=np.int64)
    return _with_bits(n_sites, (n_sites - magnetization) // 2)


def spins_of(numbers: Any, n_sites: int) -> np.ndarray:
    """Configurations as rows of spins.

    Parameters
    ----------
    numbers : array of int, shape (M,)
        Bit i is 0 where spin i is up.
    n_sites : int
        How many spins.

    Returns
    -------
    ndarray of int8, shape (M, n_sites)
        +1 (up) and -1 (down).

    Examples
    --------
    >>> from infoscope.quantum import spins_of
    >>> spins_of([0, 1], 2).tolist()
    [[1, 1], [-1, 1]]
    """
    numbers = np.asarray(numbers, np.int64)
    if n_sites > LONGEST:
        raise ParameterError(f"{n_sites} spins do not fit into one whole number: at most {LONGEST} do")
    spins = np.empty((n_sites, len(numbers)), np.int8)  # by columns: that is how operators look at them
    for site in range(n_sites):
        spins[site] = 1 - 2 * ((numbers >> site) & 1)
    return spins.T


def numbers_of(spins: Any) -> np.ndarray:
    """Configurations as whole numbers: the inverse of `spins_of`.

    Parameters
    ----------
    spins : array, shape (M, n_sites)
        +1 and -1.

    Returns
    -------
    ndarray of int64, shape (M,)

    Raises
    ------
    DataError
        If there is anything but +1 and -1, or more than 62 sites.

    Examples
    --------
    >>> from infoscope.quantum import numbers_of
    >>> numbers_of([[1, 1], [-1, 1]])
    array([0, 1])
    """
    spins = check_spins(spins)
    n_sites = spins.shape[1]
    if n_sites > LONGEST:
        raise DataError(f"{n_sites} spins do not fit into one whole number: at most {LONGEST} do")
    numbers = np.zeros(len(spins), np.int64)
    for site in range(n_sites):
        numbers |= (spins[:, site] < 0).astype(np.int64) << site
    return numbers


def check_spins(spins: Any, n_sites: int | None = None, name: str = "spins") -> np.ndarray:
    """Rows of +1 and -1, as int8; one configuration may come as a plain vector."""
    array = np.asarray(spins)
    array = array[None] if array.ndim == 1 else array
    if array.ndim != 2 or (n_sites is not None and array.shape[1] != n_sites):
        wanted = "n_sites" if n_sites is None else n_sites
        raise DataError(f"{name} has shape {array.shape}, and must have (configurations, {wanted})")
    try:
        wrong = ~((array == 1) | (array == -1))
    except TypeError:
        raise DataError(f"{name} holds {array.dtype}: give +1 (up) and -1 (down)") from None
    if wrong.any():
        row, site = np.argwhere(wrong)[0]
        raise DataError(f"{name} holds {array[row, site]!r} in row {row}, site {site}: give +1 (up) and -1 (down)")
    return array.astype(np.int8, copy=False)


def places_of(states: np.ndarray, numbers: np.ndarray, n_sites: int) -> np.ndarray:
    """Where numbers stand among rising states; -1 where one is not among them."""
    if len(states) == 2**n_sites:
        return numbers
    if n_sites <= TABLE_BITS:
        return place_table(states, n_sites)[numbers]
    at = np.minimum(np.searchsorted(states, numbers), len(states) - 1)
    return np.where(states[at] == numbers, at, -1)


def place_table(states: np.ndarray, n_sites: int) -> np.ndarray:
    """The place of every number among rising states, -1 for those that are not there."""
    table = np.full(2**n_sites, -1, np.int32)
    table[states] = np.arange(len(states), dtype=np.int32)
    return table


def gigabytes(n_bytes: float) -> str:
    """A number of bytes for a message."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= size:
            return f"{n_bytes / size:,.3g} {unit}"
    return f"{n_bytes:.0f} bytes"


def _with_bits(n_sites: int, n_down: int) -> np.ndarray:
    """Rising numbers of `n_sites` bits of which `n_down` are set: without the highest bit, then with it."""
    row = [np.zeros(1, np.int64)] + [np.zeros(0, np.int64)] * n_down  # of no bits
    for site in range(n_sites):
        row = [row[0]] + [np.concatenate([row[k], row[k - 1] | (1 << site)]) for k in range(1, n_down + 1)]
    return row[n_down]
