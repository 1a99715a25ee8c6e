"""Which symmetries the wave function is given: spin flip, translations, point group, each with a sign.

The network is summed over the images of a configuration, psi(s) = 1/|G| sum_g chi(g) psi_network(g s), with characters
chi(g) of +1 or -1: then psi(h s) = chi(h) psi(s).  Without the spin flip a network mixes the two parities of an ordered
phase, whose energies are nearly equal, and its fidelity susceptibility is wrong while its energy looks right.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from infoscope.base import ParameterError

NAMES = ("spin_flip", "translations", "point_group")


@dataclass(frozen=True)
class SymmetryGroup:
    """Elements of the group over whose images the network is summed.

    Attributes
    ----------
    permutations : ndarray of int (G, n_sites)
        An element acts as ``spins[:, permutation]``, then turns all spins around where `flips` says so.
    flips : ndarray of bool (G,)
    characters : ndarray (G,)
        +1 or -1.
    """

    permutations: np.ndarray
    flips: np.ndarray
    characters: np.ndarray

    def __len__(self) -> int:
        return len(self.flips)

    @property
    def is_trivial(self) -> bool:
        """Whether all characters are +1: then a positive network stays positive."""
        return bool((self.characters > 0).all())

    def images(self, spins: Any) -> Any:
        """All images of rows of spins: (M, G, n_sites)."""
        sign = np.where(self.flips, -1, 1)[:, None]
        return spins[:, self.permutations] * sign.astype(spins.dtype)


def settle_symmetries(asked: Any, family: Any) -> dict[str, int]:
    """Names of symmetries and their signs; "auto" takes the spin flip where the Hamiltonian commutes with it.

    Raises
    ------
    ParameterError
        An unknown name, a sign that is none, or a symmetry that the Hamiltonian does not have.
    """
    if asked is None:
        return {}
    if isinstance(asked, str) and asked == "auto":
        return {"spin_flip": 1} if family.spin_flip_commutes() else {}
    if isinstance(asked, str):
        asked = (asked,)
    given = dict(asked) if isinstance(asked, Mapping) else {name: 1 for name in asked}
    for name, sign in given.items():
        if name not in NAMES:
            raise ParameterError(f'symmetries names {name!r}: give "auto", None, or some of {", ".join(NAMES)}')
        if sign is not True and sign not in (1, -1):
            raise ParameterError(f"the sign of {name} is {sign!r}: give 1 or -1")
    settled = {name: int(given[name]) for name in NAMES if name in given}
    if settled.get("point_group", 1) != 1:
        raise ParameterError("the sign of point_group is -1: only the symmetric sector (1) is there")
    if "spin_flip" in settled and not family.spin_flip_commutes():
        raise ParameterError("symmetries names spin_flip, and the Hamiltonian does not commute with it: leave it out")
    for name in settled:
        if name == "spin_flip":
            continue
        wrong = [p for p in _permutations(name, family.lattice) if not family.commutes_with(p)]
        if wrong:
            raise ParameterError(
                f"symmetries names {name}, and the Hamiltonian does not commute with all of them: leave it out"
            )
    return settled


def make_group(symmetries: Mapping[str, int], lattice: Any, n_sites: int) -> SymmetryGroup:
    """The group that these symmetries generate."""
    permutations, characters = np.arange(n_sites)[None], np.ones(1)
    if "translations" in symmetries:
        shifts = _permutations("translations", lattice)
        permutations, characters = shifts, _momentum(symmetries["translations"], shifts, lattice)
    if "point_group" in symmetries:
        turned = _permutations("point_group", lattice)
        permutations = np.concatenate([permutations[:, one] for one in turned])
        characters = np.tile(characters, len(turned))
    flips = np.zeros(len(permutations), bool)
    if "spin_flip" in symmetries:
        permutations, flips = np.concatenate([permutations] * 2), np.repeat([False, True], len(permutations))
        characters = np.concatenate([characters, symmetries["spin_flip"] * characters])
    return SymmetryGroup(permutations, flips, characters)


def leave_out_equal(group: SymmetryGroup, invariances: np.ndarray) -> SymmetryGroup:
    """One element of each set whose images the network cannot tell apart.

    Parameters
    ----------
    group : SymmetryGroup
    invariances : ndarray of int (T, n_sites)
        Permutations under which the network alone is invariant, a group: translations by whole patches.

    Raises
    ------
    ParameterError
        If equal images have characters of both signs: the sum would be zero.
    """
    kept: dict[tuple[bytes, bool], int] = {}
    for i, (permutation, flip) in enumerate(zip(group.permutations, group.flips, strict=True)):
        orbit = permutation[invariances]
        name = (orbit[np.lexsort(orbit.T[::-1])[0]].tobytes(), bool(flip))
        first = kept.setdefault(name, i)
        if group.characters[first] != group.characters[i]:
            raise ParameterError(
                "translations with the sign -1 need a network that tells them apart: take a patch_size of at least 2 "
                "(along both sides of a square)"
            )
    rows = list(kept.values())
    return SymmetryGroup(group.permutations[rows], group.flips[rows], group.characters[rows])


def join_groups(group: SymmetryGroup, invariances: np.ndarray) -> SymmetryGroup:
    """All under which the wave function is known to be (anti)symmetric: the group, after invariances of the network."""
    n = len(invariances)
    permutations = np.concatenate([group.permutations[:, one] for one in invariances])
    flips, characters = np.tile(group.flips, n), np.tile(group.characters, n)
    _, kept = np.unique(np.c_[permutations, flips], axis=0, return_index=True)  # those that are in both come twice
    kept = np.sort(kept)
    return SymmetryGroup(permutations[kept], flips[kept], characters[kept])


def _permutations(name: str, lattice: Any) -> np.ndarray:
    return np.asarray(lattice.translations() if name == "translations" else lattice.point_group())


def _momentum(sign: int, shifts: np.ndarray, lattice: Any) -> np.ndarray:
    """+1, or (-1)^(steps of a translation): momentum pi, or (pi, pi)."""
    if sign == 1:
        return np.ones(len(shifts))
    positions = np.rint(np.asarray(lattice.positions)).astype(int)
    steps = (positions[shifts[:, 0]] - positions[0]).sum(axis=1)
    if (np.ptp(positions, axis=0) % 2 == 0).any() and len(shifts) > 1:
        raise ParameterError("translations with the sign -1 need an even number of sites along each side")
    return np.where(steps % 2, -1.0, 1.0)
