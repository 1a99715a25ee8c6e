"""Orbits of configurations under a group with characters: amplitudes of an orbit are equal up to signs.

Where an element that leaves a configuration alone has the character -1, all amplitudes of its orbit are zero, and the
orbit is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .configurations import enumerate_configurations, spins_of
from .orbits import find_orbits, permute_bits
from .symmetries import SymmetryGroup


@dataclass(frozen=True, eq=False)
class SignedOrbits:
    """Orbits of all configurations, or of those of one magnetisation.

    Attributes
    ----------
    states : ndarray of int64 (n_states,)
        Numbers of the configurations.
    numbers : ndarray of int64 (n_orbits,)
        Of the representatives: the smallest of each orbit.
    counts : ndarray of int64 (n_orbits,)
    orbit_of : ndarray of int32 (n_states,)
        -1 where the amplitude is zero by symmetry.
    signs : ndarray of int8 (n_states,)
        psi of a state is this times psi of its representative.
    n_sites : int
    """

    states: np.ndarray
    numbers: np.ndarray
    counts: np.ndarray
    orbit_of: np.ndarray
    signs: np.ndarray
    n_sites: int

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def spins(self) -> np.ndarray:
        """The representatives as spins, (n_orbits, n_sites)."""
        return spins_of(self.numbers, self.n_sites)


def find_signed_orbits(n_sites: int, group: SymmetryGroup, magnetization: int | None = None) -> SignedOrbits:
    """All orbits whose amplitudes may differ from zero.

    Parameters
    ----------
    n_sites : int
    group : SymmetryGroup
        A group: with every element also its products.
    magnetization : int, optional
        Only configurations whose spins have this sum; a group that flips spins needs the sum 0.
    """
    states = enumerate_configurations(n_sites, magnetization)
    found = find_orbits(states, n_sites, np.unique(group.permutations, axis=0), spin_flip=bool(group.flips.any()))
    signs = np.ones(len(states), np.int8)
    if group.is_trivial:
        return SignedOrbits(states, found.representatives, found.multiplicity, found.orbit_of, signs, n_sites)
    least, seen = found.representatives[found.orbit_of], np.zeros((2, len(states)), bool)
    for permutation, flip, character in zip(group.permutations, group.flips, group.characters, strict=True):
        image = permute_bits(states, permutation)
        image = image ^ ((1 << n_sites) - 1) if flip else image
        seen[int(character < 0)] |= image == least  # psi(g s) = chi(g) psi(s)
    signs[seen[1]] = -1
    zero = np.unique(found.orbit_of[seen[0] & seen[1]])
    alive = np.setdiff1d(np.arange(len(found.representatives)), zero)
    place = np.full(len(found.representatives), -1, np.int64)
    place[alive] = np.arange(len(alive))
    return SignedOrbits(
        states, found.representatives[alive], found.multiplicity[alive], place[found.orbit_of], signs, n_sites
    )


def find_representatives(numbers: np.ndarray, group: SymmetryGroup) -> tuple[np.ndarray, np.ndarray]:
    """The lowest number of the orbit of each configuration, and the sign of its amplitude beside that of the lowest.

    Parameters
    ----------
    numbers : ndarray of int64 (M,)
    group : SymmetryGroup

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.quantum import Chain
    >>> from infoscope.quantum.signed_orbits import find_representatives
    >>> from infoscope.quantum.symmetries import make_group
    >>> group = make_group({"spin_flip": -1, "translations": 1}, Chain(3), 3)
    >>> find_representatives(np.array([1, 2, 5]), group)  # 5 is 2 with all spins flipped
    (array([1, 1, 1]), array([ 1,  1, -1], dtype=int8))
    """
    lowest, signs = numbers.copy(), np.ones(len(numbers), np.int8)
    last = (1 << group.permutations.shape[1]) - 1
    for permutation, flip, character in zip(group.permutations, group.flips, group.characters, strict=True):
        image = permute_bits(numbers, permutation)
        image = image ^ last if flip else image
        lower = image < lowest
        lowest = np.where(lower, image, lowest)
        signs[lower] = character  # psi(s) = chi(g) psi(g s)
    return lowest, signs
