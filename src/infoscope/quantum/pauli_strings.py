"""Products of Pauli matrices as text: "X0 Z3" is sigma^x on site 0 times sigma^z on site 3, "" is the identity.

A string P has one element a row, to the configuration s' in which the spins of its mask are flipped (s is the bra):

    <s| P |s'> = w prod_{i in signs} s_i.

For one site: sigma^z has no flip, sign and w = 1; sigma^x a flip and w = 1; sigma^y flip, sign and w = -i, for
<up| sigma^y |down> = -i.  Products follow, because (P Q) flips what either flips, and the signs of Q are read where P
has flipped already.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from infoscope.base import ParameterError

FACTOR = re.compile(r"([IXYZ])(\d+)")
PHASES = np.array([1, 1j, -1, -1j])


def read_pauli_string(text: Any, n_sites: int) -> tuple[np.ndarray, np.ndarray, complex]:
    """Flips, signs and weight of a product of Pauli matrices.

    Parameters
    ----------
    text : str
        Factors like ``Z3`` with spaces between; several on one site are multiplied in their order.
    n_sites : int
        How many sites there are.

    Returns
    -------
    flips, signs : ndarray of bool, shape (n_sites,)
    weight : complex

    Raises
    ------
    ParameterError
        If it is no such text, or names a site that does not exist.

    Examples
    --------
    >>> from infoscope.quantum.pauli_strings import read_pauli_string
    >>> read_pauli_string("X0 Y0", 1)                            # i sigma^z
    (array([False]), array([ True]), 1j)
    """
    flips, signs, turns = np.zeros(n_sites, bool), np.zeros(n_sites, bool), 0  # the weight is i^turns
    if not isinstance(text, str):
        raise ParameterError(f"a term is {text!r}, and must be text like 'Z0 Z1': factors X, Y, Z with a site number")
    for factor in text.split():
        match = FACTOR.fullmatch(factor.upper())
        if match is None:
            raise ParameterError(f"{text!r} holds {factor!r}: write factors like X0, Y3, Z12 with spaces between")
        site = int(match[2])
        if site >= n_sites:
            raise ParameterError(f"{text!r} names site {site}, but sites are numbered 0 to {n_sites - 1}")
        flip, sign = match[1] in "XY", match[1] in "YZ"
        turns += 2 * (sign and flips[site]) + 3 * (match[1] == "Y")
        flips[site] ^= flip
        signs[site] ^= sign
    return flips, signs, complex(PHASES[int(turns) % 4])


def spell_pauli_string(flips: np.ndarray, signs: np.ndarray) -> tuple[str, complex]:
    """The text of a product with these flips and signs, and the weight that it has by itself.

    Examples
    --------
    >>> from infoscope.quantum.pauli_strings import spell_pauli_string
    >>> spell_pauli_string([True, False], [True, True])
    ('Y0 Z1', (-0-1j))
    """
    flips, signs = np.asarray(flips), np.asarray(signs)
    letters = {(True, False): "X", (True, True): "Y", (False, True): "Z"}
    sites = np.flatnonzero(flips | signs).tolist()
    text = " ".join(f"{letters[bool(flips[at]), bool(signs[at])]}{at}" for at in sites)
    return text, complex(PHASES[3 * int((flips & signs).sum()) % 4])
