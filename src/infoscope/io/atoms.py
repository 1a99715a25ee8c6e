"""Atoms of a topology: which are heavy, what they are called, which are bonded, where the backbone runs."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from infoscope.base.errors import DataError, ParameterError, require

# fmt: off
SOLVENT = frozenset({  # residue names of water and of single ions in the usual force fields
    "HOH", "WAT", "SOL", "H2O", "TIP", "TIP3", "TIP3P", "TIP4", "TIP4P", "TIP5", "SPC", "SPCE", "OPC", "OPC3",
    "T3P", "T4P", "NA", "NA+", "SOD", "CL", "CL-", "CLA", "K", "K+", "POT", "LI", "LIT", "CS", "CES", "RB", "RUB",
    "MG", "MG2+", "CA", "CA2+", "CAL", "ZN", "ZN2+", "ZN2", "BR", "BR-", "IOD",
})
# fmt: on
PEPTIDE_BOND = 0.2  # nm: a carbonyl C this near an N is bonded to it (0.133); the next N is at 0.24 or more
LIGHTER_THAN_HEAVY = 3.5  # u: hydrogen, deuterium, and hydrogens made heavier for long time steps
CHI = {"A": 1, "B": 2, "G": 3, "D": 4, "E": 5}  # the Greek letter of the nearer atom of a side chain's bond


@dataclass(frozen=True, eq=False)
class Molecule:
    """The atoms of one system, with what their first frame tells about bonds.

    Parameters
    ----------
    atoms : AtomGroup
        Of MDAnalysis.
    positions : ndarray of shape (atoms, 3)
        Of the first frame, in nm.
    box : ndarray of shape (6,) or None
        Edges in nm and angles in degrees.
    """

    atoms: Any
    positions: np.ndarray
    box: np.ndarray | None

    def select(self, selection: str | None) -> np.ndarray:
        """Places of the selected atoms; without a selection all that are neither water nor ions."""
        if selection is None:
            chosen = np.flatnonzero(~self.solvent)
            if not len(chosen):
                raise DataError("there are only water and ions: choose atoms with select='...'")
            return chosen
        errors = require("MDAnalysis.exceptions", "md")
        try:
            group = self.atoms.select_atoms(selection)
        except (errors.SelectionError, AttributeError, ValueError, TypeError, NotImplementedError) as error:
            raise ParameterError(
                f"'{selection}' is no selection: {str(error).splitlines()[0]}. The language is that of MDAnalysis: "
                "'name CA', 'resid 2-20 and not name H*'."
            ) from error
        if not len(group):
            raise DataError(f"the selection '{selection}' has no atoms. There are {self.summary()}.")
        return self._places(group.ix)

    def summary(self) -> str:
        """Residues and atom names in a few words, for messages."""
        residues = list(dict.fromkeys(self.residue_labels))
        names = list(dict.fromkeys(self.names))
        return f"{len(self.names)} atoms; residues {_few(residues)}; atom names {_few(names)}"

    @cached_property
    def names(self) -> list[str]:
        return [str(name) for name in _attribute(self.atoms, "names", [f"atom{i}" for i in range(len(self.atoms))])]

    @cached_property
    def solvent(self) -> np.ndarray:
        """Whether each atom is of water or an ion."""
        residues = _attribute(self.atoms, "resnames", [""] * len(self.atoms))
        return np.array([str(name).upper() in SOLVENT for name in residues], dtype=bool)

    @cached_property
    def heavy(self) -> np.ndarray:
        """Whether each atom is heavier than hydrogen, by its element, else its mass, else its name."""
        elements = [str(e).upper() for e in _attribute(self.atoms, "elements", [""] * len(self.atoms))]
        masses = np.nan_to_num(np.asarray(_attribute(self.atoms, "masses", np.zeros(len(self.atoms))), dtype=float))
        named = np.array([not _is_hydrogen(name) for name in self.names], dtype=bool)
        heavy = np.where(masses > 0, masses >= LIGHTER_THAN_HEAVY, named)
        return np.where([bool(e) for e in elements], [e not in ("H", "D", "T") for e in elements], heavy)

    @cached_property
    def alpha_carbons(self) -> np.ndarray:
        """Whether each atom is the CA of an amino acid, and no calcium."""
        return (np.array(self.names) == "CA") & ~self.solvent

    @cached_property
    def residue_labels(self) -> list[str]:
        """Residue of each atom, such as ALA2; with its chain where that is needed to tell residues apart."""
        if not hasattr(self.atoms, "resnames") or not hasattr(self.atoms, "resids"):
            return [""] * len(self.atoms)
        codes = [str(code).strip() for code in _attribute(self.atoms, "icodes", [""] * len(self.atoms))]
        plain = [f"{n}{i}{c}" for n, i, c in zip(self.atoms.resnames, self.atoms.resids, codes, strict=True)]
        for prefix in ("", "chainIDs", "segids"):
            before = _attribute(self.atoms, prefix, None) if prefix else None
            labels = plain if before is None else [f"{b}:{p}" for b, p in zip(before, plain, strict=True)]
            if self._tells_apart(labels):
                return labels
        return [f"{label}#{index}" for label, index in zip(plain, self.atoms.resindices, strict=True)]

    @cached_property
    def labels(self) -> list[str]:
        """Every atom's own name, such as 'ALA2 CB'."""
        labels = [f"{r} {n}".strip() for r, n in zip(self.residue_labels, self.names, strict=True)]
        times: dict[str, int] = {}
        for label in labels:
            times[label] = times.get(label, 0) + 1
        return [f"{label}({place})" if times[label] > 1 else label for place, label in enumerate(labels)]

    @cached_property
    def places(self) -> list[tuple[int, str]]:
        """Number of the residue and name of each atom: what runs share, however their residues are called."""
        return list(zip(map(int, _attribute(self.atoms, "resids", [0] * len(self.names))), self.names, strict=True))

    @cached_property
    def peptide_bonds(self) -> list[tuple[int, int]]:
        """Places (C, N) of each pair of residues that a peptide bond links, from the distance in the first frame."""
        names = np.array(self.names)
        carbons, nitrogens = np.flatnonzero(names == "C"), np.flatnonzero(names == "N")
        if not len(carbons) or not len(nitrogens):
            return []
        lib = require("MDAnalysis.lib.distances", "md")
        pairs = lib.capped_distance(
            self.positions[carbons], self.positions[nitrogens], PEPTIDE_BOND, box=self.box, return_distances=False
        )
        residue = self.residue_labels
        linked = [(int(carbons[i]), int(nitrogens[j])) for i, j in pairs]
        return sorted((c, n) for c, n in linked if residue[c] != residue[n])

    def in_residue(self, place: int) -> dict[str, int]:
        """Atoms of the residue of an atom: place by name."""
        return self._residues[self.residue_labels[place]]

    def bonds(self, places: Sequence[int] | np.ndarray) -> tuple[list[tuple[int, int]], bool]:
        """Bonds among some atoms; and whether they had to be guessed from distances in the first frame."""
        inside = {int(place) for place in places}
        known: set[tuple[int, int]] = set()
        if hasattr(self.atoms, "bonds"):
            ends = self._places(np.ravel(self.atoms.bonds.to_indices())).reshape(-1, 2)
            known = {(int(min(b)), int(max(b))) for b in ends if b[0] in inside and b[1] in inside}
        bonded = {place for bond in known for place in bond}
        if len(inside) < 2 or bonded == inside:
            return sorted(known), False
        return sorted(known | self._guessed(np.array(sorted(inside)))), True

    def _guessed(self, places: np.ndarray) -> set[tuple[int, int]]:
        guessers = require("MDAnalysis.guesser.default_guesser", "md")
        guesser = guessers.DefaultGuesser(self.atoms.universe, box=self._in_angstrom)
        group = self.atoms[places]
        try:
            found = guesser.guess_bonds(group, np.asarray(self.positions[places] * 10, dtype=np.float32))
        except ValueError as error:
            raise DataError(
                f"the topology has no bonds, and they cannot be guessed: {error}. Give a topology with bonds (.tpr, "
                ".psf, .prmtop, .pdb with CONECT), or use features='backbone_torsions' or 'heavy_atom_distances'."
            ) from error
        return {(int(min(b)), int(max(b))) for b in self._places(np.ravel(found)).reshape(-1, 2)} if found else set()

    @property
    def _in_angstrom(self) -> np.ndarray | None:
        return None if self.box is None else self.box * np.array([10, 10, 10, 1, 1, 1])

    def _places(self, indices: np.ndarray) -> np.ndarray:
        """Places in the group of atoms given by their numbers in the universe; -1 for those not in it."""
        place = np.full(len(self.atoms.universe.atoms), -1)
        place[self.atoms.ix] = np.arange(len(self.atoms))
        return place[np.asarray(indices, dtype=np.intp)]

    @cached_property
    def _residues(self) -> dict[str, dict[str, int]]:
        residues: dict[str, dict[str, int]] = {}
        for place, (label, name) in enumerate(zip(self.residue_labels, self.names, strict=True)):
            residues.setdefault(label, {}).setdefault(name, place)
        return residues

    def _tells_apart(self, labels: list[str]) -> bool:
        """Whether no label is shared by two residues (water is not asked)."""
        kept = np.flatnonzero(~self.solvent)
        indices = self.atoms.resindices
        return len({labels[place] for place in kept}) == len({indices[place] for place in kept})


def ring_bonds(bonds: Sequence[tuple[int, int]]) -> set[tuple[int, int]]:
    """Bonds that are part of a ring: those of a spanning tree's cycles.

    Examples
    --------
    >>> from infoscope.io.atoms import ring_bonds
    >>> sorted(ring_bonds([(0, 1), (1, 2), (2, 0), (2, 3)]))
    [(0, 1), (1, 2), (2, 0)]
    """
    above: dict[int, int] = {}
    depth: dict[int, int] = {}
    links = neighbors_of(bonds)
    for root in links:
        if root in depth:
            continue
        depth[root], queue = 0, deque([root])
        while queue:
            here = queue.popleft()
            for there in links[here]:
                if there not in depth:
                    above[there], depth[there] = here, depth[here] + 1
                    queue.append(there)
    in_ring: set[frozenset[int]] = set()
    for a, b in bonds:
        if above.get(a) == b or above.get(b) == a:
            continue
        in_ring.add(frozenset((a, b)))
        while a != b:  # up from the deeper end until both meet
            if depth[a] < depth[b]:
                a, b = b, a
            in_ring.add(frozenset((a, above[a])))
            a = above[a]
    return {bond for bond in bonds if frozenset(bond) in in_ring}


def neighbors_of(bonds: Sequence[tuple[int, int]]) -> dict[int, list[int]]:
    """Bonded atoms of each atom, in order."""
    links: dict[int, list[int]] = {}
    for a, b in bonds:
        links.setdefault(a, []).append(b)
        links.setdefault(b, []).append(a)
    return {atom: sorted(others) for atom, others in sorted(links.items())}


def _attribute(atoms: Any, name: str, default: Any) -> Any:
    """An attribute of the topology, or what to take where it has none."""
    try:
        return getattr(atoms, name)
    except AttributeError:  # MDAnalysis' NoDataError is one
        return default


def _is_hydrogen(name: str) -> bool:
    return name.lstrip("0123456789").upper().startswith(("H", "D"))


def _few(names: Sequence[str], shown: int = 8) -> str:
    return ", ".join(names) if len(names) <= shown else f"{', '.join(names[: shown - 1])}, ... ({len(names)})"
