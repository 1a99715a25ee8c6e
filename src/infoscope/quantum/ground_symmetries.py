"""Which symmetries ground states have beside Marshall's signs, so that a network is not forced into an excited state.

Where no element between two configurations is positive, the ground state is (Perron and Frobenius), and so it has every
symmetry of the Hamiltonian with the sign +1.  Elsewhere it may be odd: that of a ring of six Heisenberg spins is, and
the lowest even state lies far above it, with a perfect V-score of its own.  There exact ground states are asked, where
they can be found.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from infoscope.base import warn

from .configurations import places_of, spins_of
from .diagonalisation import ground_state
from .exact_results import GroundState
from .families import HeisenbergFamily, SpinFamily
from .orbits import permute_bits

FOUND_STATES = 2**16  # configurations up to which ground states are found
SYSTEMS = 3  # that are looked at
SAME = 1e-6  # of the largest amplitude


def flip_sign(family: SpinFamily, couplings: np.ndarray, *, positive: bool) -> int | None:
    """+1 or -1, for a network beside Marshall's signs; None where ground states have both, or it is not known.

    Parameters
    ----------
    family : SpinFamily
        Whose Hamiltonian commutes with the flip.
    couplings : array (R, m)
        Of the systems that are trained.
    positive : bool
        Whether ground states beside Marshall's signs may be positive.

    Examples
    --------
    >>> from infoscope.quantum import Chain, HeisenbergFamily
    >>> from infoscope.quantum.ground_symmetries import flip_sign
    >>> flip_sign(HeisenbergFamily(Chain(6), marshall_sign=False), [[0.2]], positive=False)
    -1
    """
    if positive:
        return 1
    turns = 0 if family.marshall_sites is None else int(family.marshall_sites.sum())
    if family.n_states > FOUND_STATES:
        return _of_singlets(family, turns)
    signs = {one.parity for one in _some_ground_states(family, couplings)} - {0}  # 0: states of both are lowest
    if len(signs) == 1:
        return signs.pop() * (-1) ** turns
    warn(
        "ground states of the trained systems differ in their parity under the flip of all spins, so the network does "
        'without it: train them apart, with symmetries={"spin_flip": 1} or -1'
    )
    return None


def are_invariant(family: SpinFamily, couplings: np.ndarray, permutations: np.ndarray, *, positive: bool) -> bool:
    """Whether ground states beside Marshall's signs stay as they are under permutations of sites, as far as is known.

    Parameters
    ----------
    family : SpinFamily
        Whose Hamiltonian commutes with them.
    couplings : array (R, m)
        Of the systems that are trained.
    permutations : array of int (G, n_sites)
        They act as ``spins[:, permutation]``.
    positive : bool
        Whether ground states beside Marshall's signs may be positive.

    Examples
    --------
    >>> from infoscope.quantum import Chain, HeisenbergFamily
    >>> from infoscope.quantum.ground_symmetries import are_invariant
    >>> ring = HeisenbergFamily(Chain(6), marshall_sign=False)
    >>> [are_invariant(ring, [[0.2]], Chain(6).translations(step), positive=False) for step in (1, 2)]
    [False, True]
    """
    if positive or family.n_states > FOUND_STATES:
        return True
    some = _some_ground_states(family, couplings)
    # of several lowest states no one needs to be
    return all(found.amplitudes is not None and _stays(family, found, permutations) for found in some)


def missing_symmetry(
    family: SpinFamily, couplings: np.ndarray, *, positive: bool, sign: int | None, permutations: np.ndarray | None
) -> str:
    """What the ground state of one system lacks of the symmetries of a network; nothing, as far as is known.

    Parameters
    ----------
    family : SpinFamily
    couplings : array (m,)
    positive : bool
        Whether its ground state beside Marshall's signs may be positive.
    sign : int or None
        Under the flip of all spins, beside Marshall's signs.
    permutations : array of int (G, n_sites) or None
        Under which amplitudes beside Marshall's signs stay as they are.

    Examples
    --------
    >>> from infoscope.quantum import Chain, HeisenbergFamily
    >>> from infoscope.quantum.ground_symmetries import missing_symmetry
    >>> ring = HeisenbergFamily(Chain(6), marshall_sign=False)
    >>> missing_symmetry(ring, [0.2], positive=False, sign=1, permutations=None)
    'is odd under the flip of all spins, and the network is even'
    """
    own, found = 1, None
    if not positive:
        if family.n_states > FOUND_STATES:
            return ""
        found = _ground_state(family, tuple(np.asarray(couplings, np.float64).tolist()))
        if found.amplitudes is None:
            return ""  # one of several ground states may have them
        turns = 0 if family.marshall_sites is None else int(family.marshall_sites.sum())
        own = found.parity * (-1) ** turns
    if sign is not None and own and own != sign:
        kinds = {1: "even", -1: "odd"}
        return f"is {kinds[own]} under the flip of all spins, and the network is {kinds[sign]}"
    if found is not None and permutations is not None and not _stays(family, found, permutations):
        return "changes under translations by patches, and the network does not"
    return ""


def _stays(family: SpinFamily, found: GroundState, permutations: np.ndarray) -> bool:
    """Whether a ground state beside Marshall's signs stays as it is under permutations."""
    psi = _beside_signs(family, found)
    for permutation in permutations:
        places = places_of(found.configurations, permute_bits(found.configurations, permutation), family.n_sites)
        if np.abs(psi[places] - psi).max() > SAME * np.abs(psi).max():
            return False
    return True


def _of_singlets(family: SpinFamily, turns: int) -> int | None:
    """Of Heisenberg spins whose total is zero, (-1)^(N / 2); None of others."""
    if isinstance(family, HeisenbergFamily):
        return (-1) ** (family.n_sites // 2 + turns)
    warn(
        "whether the ground state is even or odd under the flip of all spins is not known, so the network does without "
        'it: say symmetries={"spin_flip": 1} or -1 where you know'
    )
    return None


def _some_ground_states(family: SpinFamily, couplings: np.ndarray) -> list[GroundState]:
    return [_ground_state(family, tuple(one)) for one in some_systems(couplings).tolist()]


def some_systems(couplings: np.ndarray) -> np.ndarray:
    """The few of many systems whose ground states are looked at: from the first to the last of their order."""
    systems = np.asarray(couplings, np.float64)
    order = np.lexsort(systems.T[::-1])
    return systems[order[np.unique(np.linspace(0, len(systems) - 1, SYSTEMS).astype(int))]]


@lru_cache(maxsize=16)
def _ground_state(family: Any, couplings: tuple[float, ...]) -> GroundState:
    return ground_state(family, couplings)


def _beside_signs(family: SpinFamily, found: GroundState) -> np.ndarray:
    """Amplitudes without Marshall's signs."""
    psi = np.asarray(found.amplitudes)
    if family.marshall_sites is None:
        return psi
    down = (spins_of(found.configurations, family.n_sites)[:, family.marshall_sites] < 0).sum(axis=1)
    return psi * np.where(down % 2, -1, 1)
