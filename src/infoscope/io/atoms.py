"""Atoms of a topology: which are heavy, what they are called, which are bonded, where the backbone runs."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from infoscope.base.errors import DataError, ParameterError, require

# fmt: off
SOLVENT = frozenset({  # residue names of water and of single ions in the usual force fields, coarse-grained ones too
    "HOH", "WAT", "SOL", "H2O", "OH2", "OHH", "HHO", "HOD", "DOD", "D2O", "TIP", "TIP3", "TIP3P", "TIP4", "TIP4P",
    "TIP5", "TP3", "TP4", "TP5", "SPC", "SPCE", "OPC", "OPC3", "T3P", "T4P", "T4E", "SWM4", "SWM6",
    "W", "WF", "PW", "SW", "TW", "WN", "BMW", "WT4", "WLS", "ION",
    "NA", "NA+", "SOD", "CL", "CL-", "CLA", "K", "K+", "POT", "LI", "LI+", "LIT", "CS", "CS+", "CES", "RB", "RB+",
    "RUB", "MG", "MG2+", "CA", "CA2+", "CAL", "ZN", "ZN2+", "ZN2", "BA", "BAR", "CD", "CAD", "CD2", "BR", "BR-", "IOD",
    "F-", "I-",
})
# fmt: on
SMALL, MANY = 3, 20  # residues of at most so many atoms, so many of one name, may be a solvent of another name
CHAIN = {"CA", "BB"}  # the atom of a residue that stands for it where models leave the others out
NEXT_IN_CHAIN = 0.45  # nm: such atoms of neighbouring residues are at 0.38 (CA), 0.29 (a cis bond), 0.35 (BB)
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
    def small_residues(self) -> dict[str, int]:
        """Names of residues that may be a solvent not known here: many of one to three atoms; how many there are."""
        if not hasattr(self.atoms, "resnames"):
            return {}
        residues = self.atoms.residues
        sizes = np.bincount(np.searchsorted(residues.resindices, self.atoms.resindices), minlength=len(residues))
        few = [str(name) for name, size in zip(residues.resnames, sizes, strict=True) if size <= SMALL]
        chain = {str(name) for name, atom in zip(self.atoms.resnames, self.names, strict=True) if atom in CHAIN}
        counts = Counter(name for name in few if name.upper() not in SOLVENT and name not in chain)
        return {name: count for name, count in counts.items() if count >= MANY}

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

    @cached_property
    def links(self) -> list[tuple[int, int]]:
        """Pairs of atoms along which a molecule is made whole: bonds, else what is near in a residue or a chain."""
        places = np.flatnonzero(~self.solvent)
        try:
            found = self.bonds(places if hasattr(self.atoms, "bonds") else places[self.heavy[places]])[0]
        except DataError:  # atoms of which no radius is known, as the beads of a coarse-grained model
            found = sorted(self._stored_bonds(set(places.tolist())))
        by_residue: dict[str, list[int]] = {}
        for place in places.tolist():
            by_residue.setdefault(self.residue_labels[place], []).append(place)
        joined = _components(len(self.names), found)
        for residue in by_residue.values():
            if len(set(joined[residue])) > 1:  # hydrogens without bonds, beads
                points = self.positions[residue]
                found += [(residue[a], residue[b]) for a, b in nearest_tree(points, self.box).tolist()]
        chain = [place for place in places.tolist() if self.names[place] in CHAIN]
        numbers = _attribute(self.atoms, "resids", np.zeros(len(self.names), int))
        following = [(a, b) for a, b in pairwise(chain) if numbers[b] == numbers[a] + 1]
        if following:
            ends = np.array(following)
            steps = minimum_image((self.positions[ends[:, 1]] - self.positions[ends[:, 0]]).astype(float), self.box)
            near = np.linalg.norm(steps, axis=1) < NEXT_IN_CHAIN
            found += [pair for pair, linked in zip(following, near.tolist(), strict=True) if linked]
        return found

    @cached_property
    def molecule_numbers(self) -> np.ndarray:
        """Which molecule each atom is of: what links join."""
        return _components(len(self.names), self.links)

    def in_residue(self, place: int) -> dict[str, int]:
        """Atoms of the residue of an atom: place by name."""
        return self._residues[self.residue_labels[place]]

    def bonds(self, places: Sequence[int] | np.ndarray) -> tuple[list[tuple[int, int]], bool]:
        """Bonds among some atoms; and whether they had to be guessed from distances in the first frame."""
        inside = {int(place) for place in places}
        known = self._stored_bonds(inside)
        bonded = {place for bond in known for place in bond}
        if len(inside) < 2 or bonded == inside:
            return sorted(known), False
        return sorted(known | self._guessed(np.array(sorted(inside)))), True

    def _stored_bonds(self, inside: set[int]) -> set[tuple[int, int]]:
        """Bonds that the topology holds, among some atoms."""
        if not hasattr(self.atoms, "bonds"):
            return set()
        ends = self._places(np.ravel(self.atoms.bonds.to_indices())).reshape(-1, 2)
        return {(int(min(b)), int(max(b))) for b in ends if b[0] in inside and b[1] in inside}

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


def one_conformer(atoms: Any, selection: str | None = None) -> tuple[np.ndarray, str]:
    """Places of the atoms without those of other alternate locations than one, and a sentence that says which.

    Of residues that follow each other, one letter is taken for all: that which a selection names (``altloc B``), else
    that of the highest occupancy, then the first.
    """
    named = re.search(r"altloc\s+(\w)", selection or "", re.IGNORECASE)
    letters = np.array([str(one).strip() for one in _attribute(atoms, "altLocs", [""] * len(atoms))])
    every = np.arange(len(atoms))
    if not (letters != "").any():
        return every, ""
    occupancy = np.asarray(_attribute(atoms, "occupancies", np.ones(len(atoms))), float)
    chains = _attribute(atoms, "chainIDs", _attribute(atoms, "segids", [""] * len(atoms)))
    keys = list(zip(map(str, chains), map(int, atoms.resids), strict=True))
    own: dict[tuple[str, int], list[int]] = {}
    for place in np.flatnonzero(letters != "").tolist():
        own.setdefault(keys[place], []).append(place)
    stretches: list[list[tuple[str, int]]] = []
    for key in sorted(own):
        follows = stretches and stretches[-1][-1][0] == key[0] and key[1] - stretches[-1][-1][1] <= 1
        stretches[-1].append(key) if follows else stretches.append([key])
    kept = letters == ""
    chosen: Counter[str] = Counter()
    for stretch in stretches:
        together = _best_letter([place for key in stretch for place in own[key]], letters, occupancy)
        together = named[1] if named else together
        for key in stretch:
            here = set(letters[own[key]])
            letter = together if together in here else _best_letter(own[key], letters, occupancy)
            kept[[place for place in own[key] if letters[place] == letter]] = True
            chosen[letter] += 1
    which = ", ".join(f"{letter} of {count}" for letter, count in sorted(chosen.items()))
    told = f"{sum(chosen.values())} residues have alternate locations: one is used ({which}), " + (
        "as selected" if named else "that of the highest occupancy; select='... and altloc B' takes another"
    )
    return every[kept], told


def _best_letter(places: list[int], letters: np.ndarray, occupancy: np.ndarray) -> str:
    """The letter of the highest mean occupancy among some atoms; of equal ones the first."""
    means = {letter: float(occupancy[[p for p in places if letters[p] == letter]].mean()) for letter in
             sorted(set(letters[places].tolist()))}  # fmt: skip
    return max(means, key=lambda letter: round(means[letter], 6))


def nearest_tree(points: np.ndarray, box: np.ndarray | None, linked: Sequence[tuple[int, int]] = ()) -> np.ndarray:
    """Edges (parent, child), parents first, of the tree of shortest nearest-image distances; links come before all."""
    from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree

    if len(points) < 2:
        return np.empty((0, 2), int)
    i, j = np.triu_indices(len(points), 1)
    lengths = np.zeros((len(points),) * 2)
    lengths[i, j] = np.linalg.norm(minimum_image((points[j] - points[i]).astype(np.float64), box), axis=1) + 1e-9
    if len(linked):
        a, b = np.sort(np.array(linked), axis=1).T
        lengths[a, b] *= 1e-6
    order, parents = breadth_first_order(minimum_spanning_tree(lengths), 0, directed=False)
    return np.array([(parents[child], child) for child in order[1:]])


def minimum_image(vectors: np.ndarray, box: np.ndarray | None) -> np.ndarray:
    """Vectors to the nearest images in a box (edges, then angles); as they are without one."""
    if box is None or not box[:3].any():
        return vectors
    minimize_vectors = require("MDAnalysis.lib.distances", "md").minimize_vectors
    return minimize_vectors(np.ascontiguousarray(vectors, dtype=np.float64), box.astype(np.float32))


def _components(n: int, pairs: Sequence[tuple[int, int]]) -> np.ndarray:
    """Number of the connected part that each of n atoms is in."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ends = np.array(pairs, int).reshape(-1, 2)
    graph = coo_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(n, n))
    numbers: np.ndarray = connected_components(graph, directed=False)[1]
    return numbers


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
