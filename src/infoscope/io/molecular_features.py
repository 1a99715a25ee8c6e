"""What to measure in every frame of a molecule: torsions, distances, superposed positions, and their names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np

from infoscope.base.errors import DataError
from infoscope.statistics import dihedral_angle

from .atoms import CHI, Molecule, minimum_image, nearest_tree, neighbors_of, ring_bonds

Measure = Callable[[np.ndarray, np.ndarray | None], np.ndarray]


@dataclass(frozen=True)
class Recipe:
    """Which atoms are read in every frame, and what is made of them.

    Attributes
    ----------
    atoms : ndarray of int
        Places of the atoms in their group.
    names : tuple of str
        Of the D features.
    unit : str
        Of all features.
    period : float
        Of all features; 0 for none.
    measure : callable
        Takes positions (frames, atoms, 3) in nm and boxes (frames, 6) or None; returns (frames, D).
    notes : tuple of str
        What was decided on the way.
    """

    atoms: np.ndarray
    names: tuple[str, ...]
    unit: str
    period: float
    measure: Measure
    notes: tuple[str, ...] = ()

    def about_columns(self) -> dict[str, Any]:
        """Units and periods of the features, as a Table takes them."""
        period = dict.fromkeys(self.names, self.period) if self.period else {}
        return {"units": dict.fromkeys(self.names, self.unit), "period": period}


# ---------------------------------------------------------------------------------------------------------- the recipes
def backbone_torsions(molecule: Molecule, selection: str | None) -> Recipe:
    """phi and psi of every amino acid whose N and CA, or CA and C, are selected."""
    chosen = set(molecule.select(selection).tolist())
    angles = {name: four for name, four in _backbone(molecule).items() if name.split()[-1] != "omega"}
    angles = {name: four for name, four in angles.items() if four[1] in chosen and four[2] in chosen}
    if not angles:
        raise DataError(
            f"no residue has a phi or psi: it takes atoms N, CA, C and a neighbour along the chain. There are "
            f"{molecule.summary()}. Choose features='torsions' or 'heavy_atom_distances'."
        )
    return _torsions(angles)


def torsions(molecule: Molecule, selection: str | None) -> Recipe:
    """One torsion for each bond between selected heavy atoms that can turn; in rings only phi of proline."""
    chosen = molecule.select(selection)
    inside = set(chosen.tolist())
    heavy = np.flatnonzero(molecule.heavy & ~molecule.solvent)
    heavy = np.union1d(heavy, chosen[molecule.heavy[chosen]])
    bonds, guessed = molecule.bonds(heavy)
    rings, links = ring_bonds(bonds), neighbors_of(bonds)
    backbone = {frozenset(four[1:3]): (name, four) for name, four in _backbone(molecule).items()}
    angles, in_rings = {}, 0
    for b, c in bonds:
        if b not in inside or c not in inside or len(links[b]) < 2 or len(links[c]) < 2:
            continue
        if frozenset((b, c)) in backbone:
            name, four = backbone[frozenset((b, c))]
        elif (b, c) in rings:
            in_rings += 1
            continue
        else:
            b, c = _outwards(molecule, b, c)
            four = (_outer(molecule, links[b], c), b, c, _outer(molecule, links[c], b))
            name = _torsion_name(molecule, b, c)
        angles[name] = four
    if not angles:
        raise DataError(f"no bond between selected heavy atoms can turn. There are {molecule.summary()}.")
    notes: tuple[str, ...] = (f"{in_rings} bonds in rings have no torsion here",) if in_rings else ()
    notes += ("bonds were guessed from distances in the first frame",) if guessed else ()
    return _torsions(angles, notes)


def distances(molecule: Molecule, places: np.ndarray) -> Recipe:
    """Distances of all pairs of atoms."""
    if len(places) < 2:
        raise DataError(f"distances need two atoms, and {len(places)} is chosen: widen select")
    pairs = np.array(list(combinations(range(len(places)), 2)))
    labels = [molecule.labels[place] for place in places]
    names = tuple(f"{labels[i]} - {labels[j]}" for i, j in pairs)
    if molecule.box is None:
        return Recipe(places, names, "nm", 0.0, partial(pair_distances, pairs=pairs))
    atoms, tree = _whole_tree(molecule, places)
    number = molecule.molecule_numbers[places]
    inside = number[pairs[:, 0]] == number[pairs[:, 1]]
    measure = partial(pair_distances, pairs=pairs, tree=tree, inside=inside)
    several = () if inside.all() else ("distances between molecules are those of nearest images",)
    return Recipe(atoms, names, "nm", 0.0, measure, several)


def positions(molecule: Molecule, places: np.ndarray) -> Recipe:
    """x, y and z of the atoms, made whole where a periodic box cuts the molecule; superposed later, with all frames."""
    if len(places) < 3:
        raise DataError(f"positions are superposed by at least three atoms, and {len(places)} are chosen: widen select")
    names = tuple(f"{molecule.labels[place]} {axis}" for place in places for axis in "xyz")
    if molecule.box is None:
        return Recipe(places, names, "nm", 0.0, partial(whole_positions, tree=np.empty((0, 2), int), n=len(places)))
    atoms, tree = _whole_tree(molecule, places, together=True)
    return Recipe(atoms, names, "nm", 0.0, partial(whole_positions, tree=tree, n=len(places)))


def _whole_tree(molecule: Molecule, places: np.ndarray, *, together: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Atoms to read, the chosen ones first, and edges (parent, child) among them that make every molecule whole.

    Atoms between chosen ones are read too: a link is never longer than a bond.  With `together`, molecules are joined
    at their nearest atoms.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import breadth_first_order

    n, links = len(molecule.names), np.array(molecule.links, int).reshape(-1, 2)
    graph = coo_array((np.ones(len(links)), (links[:, 0], links[:, 1])), shape=(n, n)).tocsr()
    parent = np.full(n, -1)
    seen = np.zeros(n, bool)
    order: list[int] = []
    for root in places.tolist():
        if not seen[root]:
            reached, above = breadth_first_order(graph, root, directed=False)
            seen[reached] = True
            parent[reached] = above[reached]
            parent[root] = -1
            order += reached.tolist()
    chosen, needed = np.zeros(n, bool), np.zeros(n, bool)
    chosen[places] = needed[places] = True
    for place in reversed(order):  # from the leaves: what leads to a chosen atom is needed
        if needed[place] and parent[place] >= 0:
            needed[parent[place]] = True
    between = [place for place in order if needed[place] and not chosen[place]]
    atoms = np.concatenate([places, np.array(between, int)])
    where = {place: number for number, place in enumerate(atoms.tolist())}
    edges = [(where[int(parent[p])], where[p]) for p in order if needed[p] and parent[p] >= 0]
    if together:
        return atoms, nearest_tree(molecule.positions[atoms], molecule.box, edges)
    return atoms, np.array(edges, int).reshape(-1, 2)


def _torsions(angles: dict[str, tuple[int, int, int, int]], notes: tuple[str, ...] = ()) -> Recipe:
    fours = np.array(list(angles.values()))
    atoms, where = np.unique(fours, return_inverse=True)
    measure = partial(torsion_angles, fours=where.reshape(fours.shape))
    return Recipe(atoms, tuple(angles), "rad", 2 * np.pi, measure, notes)


def _backbone(molecule: Molecule) -> dict[str, tuple[int, int, int, int]]:
    """phi, psi and omega of all residues in order; omega is called by the residue before its bond."""
    angles: dict[tuple[int, str], tuple[int, int, int, int]] = {}
    for c, n in molecule.peptide_bonds:
        before, after = molecule.in_residue(c), molecule.in_residue(n)
        if {"N", "CA"} <= before.keys():
            angles[c, "psi"] = (before["N"], before["CA"], c, n)
        if {"CA", "C"} <= after.keys():
            angles[n, "phi"] = (c, n, after["CA"], after["C"])
        ends = [_alpha(molecule, residue, atom) for residue, atom in ((before, c), (after, n))]
        if None not in ends:
            angles[c, "omega"] = (ends[0], c, n, ends[1])  # type: ignore[assignment]
    residue, order = molecule.residue_labels, {"phi": 0, "psi": 1, "omega": 2}
    first = {label: min(molecule.in_residue(place).values()) for (place, _) in angles for label in [residue[place]]}
    ordered = sorted(angles, key=lambda key: (first[residue[key[0]]], order[key[1]]))
    return {f"{residue[place]} {kind}": angles[place, kind] for place, kind in ordered}


def _alpha(molecule: Molecule, residue: dict[str, int], atom: int) -> int | None:
    """The CA of a residue, or the carbon beside the peptide bond of a cap that has none (CH3, CAY, ...)."""
    if "CA" in residue:
        return residue["CA"]
    carbons = [p for name, p in residue.items() if name.startswith("C") and p != atom and molecule.heavy[p]]
    points = molecule.positions
    return min(carbons, key=lambda place: float(np.linalg.norm(points[place] - points[atom])), default=None)


def _outer(molecule: Molecule, candidates: Sequence[int], other: int) -> int:
    """Which neighbour defines a torsion: the branch with the lowest number in its name, as for chi; then the first."""

    def branch(place: int) -> tuple[int, int]:
        digits = molecule.names[place].lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'*")
        return int(digits) if digits.isdecimal() else 0, place

    return min((place for place in candidates if place != other), key=branch)


def _outwards(molecule: Molecule, b: int, c: int) -> tuple[int, int]:
    """A side chain's bond in the direction away from the backbone, other bonds in the order of their atoms."""
    letters = [CHI.get(molecule.names[place][1:2], 9) for place in (b, c)]
    return (c, b) if letters[1] < letters[0] else (b, c)


def _torsion_name(molecule: Molecule, b: int, c: int) -> str:
    """'LEU5 chi1' in the side chain of an amino acid, else the two atoms of the bond."""
    residue, names = molecule.residue_labels, (molecule.names[b], molecule.names[c])
    letters = [CHI.get(name[1:2], 6 if name[1:2] == "Z" else 0) for name in names]
    side_chain = residue[b] == residue[c] and {"N", "CA", "C"} <= molecule.in_residue(b).keys()
    if side_chain and letters[0] and letters[1] == letters[0] + 1:
        branch = names[0][2:] if names[0][2:].isdecimal() and names[0][2:] != "1" else ""
        return f"{residue[b]} chi{letters[0]}{'_' + branch if branch else ''}"
    first, second = molecule.labels[b], molecule.labels[c]
    return f"{first}-{molecule.names[c]} torsion" if residue[b] == residue[c] else f"{first} - {second} torsion"


# --------------------------------------------------------------------------------------------------------- the formulas
def torsion_angles(points: np.ndarray, boxes: np.ndarray | None, *, fours: np.ndarray) -> np.ndarray:
    """Torsion angles in radians from -pi to pi, of nearest images where there is a box."""
    return dihedral_angle(*(_vectors(points, fours[:, [step, step + 1]], boxes) for step in range(3)))


def pair_distances(
    points: np.ndarray,
    boxes: np.ndarray | None,
    *,
    pairs: np.ndarray,
    tree: np.ndarray | None = None,
    inside: np.ndarray | None = None,
) -> np.ndarray:
    """Distances of pairs of atoms: inside whole molecules, and of nearest images between them, where there is a box."""
    if boxes is None or tree is None or inside is None:
        return np.sqrt(np.square(_vectors(points, pairs, boxes)).sum(axis=-1))
    whole = _joined(points, boxes, tree)
    vectors = whole[:, pairs[:, 1]] - whole[:, pairs[:, 0]]
    between = np.flatnonzero(~inside)
    vectors[:, between] = _vectors(points, pairs[between], boxes)
    return np.sqrt(np.square(vectors).sum(axis=-1))


def whole_positions(points: np.ndarray, boxes: np.ndarray | None, *, tree: np.ndarray, n: int) -> np.ndarray:
    """Positions of the first n atoms, each at the image nearest to the atom it hangs on."""
    return _joined(points, boxes, tree)[:, :n].reshape(len(points), -1)


def _joined(points: np.ndarray, boxes: np.ndarray | None, tree: np.ndarray) -> np.ndarray:
    """Positions (frames, atoms, 3) with each atom at the image nearest to its parent."""
    if boxes is None or not len(tree):
        return points
    steps = _vectors(points, tree, boxes)
    joined = points.copy()
    for edge, (parent, child) in enumerate(tree):  # parents come first
        joined[:, child] = joined[:, parent] + steps[:, edge]
    return joined


def superpose(rows: np.ndarray, *, cycles: int = 50, converged: float = 1e-7) -> np.ndarray:
    """Each frame turned and moved onto the mean of all, the mean found by iteration; written into `rows`.

    Parameters
    ----------
    rows : ndarray of shape (N, 3 atoms)
        Positions in nm, changed in place.
    cycles : int
        Most iterations.
    converged : float
        Largest change of the mean structure, in nm, at which it counts as found.

    Returns
    -------
    ndarray of shape (N, 3 atoms)
        `rows`.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.io.molecular_features import superpose
    >>> corner = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    >>> turned = corner[:, [1, 2, 0]] + 7
    >>> rows = superpose(np.array([corner.ravel(), turned.ravel()]))
    >>> bool(np.abs(rows[0] - rows[1]).max() < 1e-12)
    True
    """
    points = rows.reshape(len(rows), -1, 3)
    blocks = [slice(start, start + 512) for start in range(0, len(points), 512)]
    mean = points[0].astype(np.float64)
    mean -= mean.mean(axis=0)
    for _ in range(cycles):
        total = np.zeros_like(mean)
        for block in blocks:
            frames = points[block].astype(np.float64)
            frames -= frames.mean(axis=1, keepdims=True)
            u, _, vt = np.linalg.svd(np.einsum("nax,ay->nxy", frames, mean))
            u[:, :, 2] *= np.sign(np.linalg.det(u @ vt))[:, None]  # rotations only, no mirror images
            turned = frames @ (u @ vt)
            points[block] = turned
            total += turned.sum(axis=0)
        change = np.abs(total / len(points) - mean).max()
        mean = total / len(points)
        if change < converged:
            break
    return rows


def _vectors(points: np.ndarray, ends: np.ndarray, boxes: np.ndarray | None) -> np.ndarray:
    """Vectors (frames, pairs, 3) from the first atom of each pair to the nearest image of the second."""
    vectors = points[:, ends[:, 1]] - points[:, ends[:, 0]]
    if boxes is not None:
        for frame, box in enumerate(boxes):
            vectors[frame] = minimum_image(vectors[frame], box)
    return vectors
