"""Alanine dipeptide as MDAnalysis holds it, made of the heavy atoms of the data that come with the package."""

import MDAnalysis as mda
import numpy as np
from MDAnalysis.coordinates.memory import MemoryReader

from infoscope.datasets import load_alanine_dipeptide

BONDS = [
    ("ACE1 CH3", "ACE1 C"), ("ACE1 C", "ACE1 O"), ("ACE1 C", "ALA2 N"), ("ALA2 N", "ALA2 CA"), ("ALA2 CA", "ALA2 CB"),
    ("ALA2 CA", "ALA2 C"), ("ALA2 C", "ALA2 O"), ("ALA2 C", "NME3 N"), ("NME3 N", "NME3 C"),
]  # fmt: skip


def frames(n=40):
    """The data set, thinned to n frames; its atoms (N, 10, 3) in nm, and their labels."""
    data = load_alanine_dipeptide("600K")
    rows = np.linspace(0, len(data) - 1, n).astype(int)
    labels = [name.removesuffix(" x") for name in data.positions.columns[::3]]
    return data, rows, data.positions.to_numpy()[rows].reshape(n, -1, 3), labels


def universe(positions, labels, *, bonds=True, box=None, dt=2.0):
    """A Universe that holds positions (N, atoms, 3) in nm; labels such as 'ALA2 CB'."""
    residues = list(dict.fromkeys(label.split()[0] for label in labels))
    system = mda.Universe.empty(
        len(labels),
        len(residues),
        atom_resindex=[residues.index(label.split()[0]) for label in labels],
        trajectory=True,
    )
    system.add_TopologyAttr("names", [label.split()[1] for label in labels])
    system.add_TopologyAttr("elements", [label.split()[1][0] for label in labels])
    system.add_TopologyAttr("types", [label.split()[1][0] for label in labels])
    system.guess_TopologyAttrs(to_guess=["masses"])
    system.add_TopologyAttr("resnames", [residue[:3] for residue in residues])
    system.add_TopologyAttr("resids", [int(residue[3:]) for residue in residues])
    system.add_TopologyAttr("segids", ["A"])
    if bonds:
        pairs = BONDS if bonds is True else bonds
        system.add_TopologyAttr("bonds", [tuple(labels.index(label) for label in pair) for pair in pairs])
    boxes = (
        None if box is None else np.tile(np.asarray(box, dtype=np.float32) * [10, 10, 10, 1, 1, 1], (len(positions), 1))
    )
    system.load_new(
        np.asarray(positions * 10, dtype=np.float32), format=MemoryReader, order="fac", dt=dt, dimensions=boxes
    )
    return system


def write(system, path, **options):
    """All frames of a Universe in the format of the path's ending."""
    with mda.Writer(str(path), n_atoms=len(system.atoms), **options) as writer:
        for _ in system.trajectory:
            writer.write(system.atoms)
    return path
