"""Molecules that a box cuts, alternate locations, and what is solvent."""

import warnings

import MDAnalysis as mda
import numpy as np
import pytest
from tests.io.peptide import universe

from infoscope.io import trajectory
from infoscope.io.atoms import SOLVENT

# ---------------------------------------------------------------------------------------------------------------- boxes


def wrapped(positions, box):
    """Atoms in the box, each for itself, as a simulation without whole molecules writes them."""
    return np.mod(positions, np.asarray(box)[:3])


def chain(n=18, step=0.359, at=(0.5, 1.0, 1.0)):
    """A straight chain of alpha carbons, from end to end (n - 1) steps, in nm."""
    return np.array(at) + step * np.arange(n)[:, None] * np.array([1.0, 0, 0])


@pytest.mark.parametrize("features", ["ca_distances", "positions"])
def test_a_chain_longer_than_half_the_box(features):
    """6.1 nm in a box of 7 nm: the nearest image of the other end is 0.9 nm away, and is no part of the molecule."""
    box = [7, 7, 7, 90, 90, 90]
    frames = np.array([chain(), chain(at=(4.0, 6.9, 0.1))])
    whole = np.linalg.norm(frames[0, -1] - frames[0, 0])
    system = universe(wrapped(frames, box), [f"ALA{i} CA" for i in range(1, 19)], bonds=False, box=box)
    table = trajectory(system, features=features)
    if features == "ca_distances":
        ends = table.values[:, table.names.index("ALA1 CA - ALA18 CA")]
    else:
        atoms = table.values.reshape(2, 18, 3)
        ends = np.linalg.norm(atoms[:, -1] - atoms[:, 0], axis=1)
    np.testing.assert_allclose(ends, whole, atol=1e-4)
    assert abs(whole - 6.103) < 1e-3


def test_both_ends_alone_are_of_one_molecule():
    """Another input of the kind: only the two ends are selected; what lies between is read with them."""
    box = [7, 7, 7, 90, 90, 90]
    frames = wrapped(np.array([chain(), chain(at=(3.0, 2.0, 1.0))]), box)
    system = universe(frames, [f"ALA{i} CA" for i in range(1, 19)], bonds=False, box=box)
    table = trajectory(system, select="resid 1 18", features="distances")
    assert table.values.shape == (2, 1)
    np.testing.assert_allclose(table.values, 17 * 0.359, atol=1e-4)


def test_nearest_images_between_molecules():
    """Two chains far apart in the box are near through its wall; each is whole by itself."""
    box = [7, 7, 7, 90, 90, 90]
    first, second = chain(at=(0.2, 0.3, 1.0)), chain(at=(0.2, 6.8, 1.0))
    frames = wrapped(np.array([np.r_[first, second]] * 2), box)
    labels = [f"ALA{i} CA" for i in (*range(1, 19), *range(31, 49))]
    table = trajectory(universe(frames, labels, bonds=False, box=box), features="ca_distances")
    value = dict(zip(table.names, table.values[0], strict=True))
    assert value["ALA1 CA - ALA31 CA"] == pytest.approx(0.5, abs=1e-4)  # 0.3 + 7 - 6.8
    assert value["ALA31 CA - ALA48 CA"] == pytest.approx(17 * 0.359, abs=1e-4)
    assert "distances between molecules are those of nearest images" in table.notes


def test_bonds_of_the_topology_say_what_is_one_molecule():
    """A ring-free polymer of beads whose names say nothing, and a free bead; a triclinic box."""
    box = [7, 7, 7, 70, 80, 85]
    beads = chain(15, 0.4)
    labels = [f"POL{i} C" for i in range(1, 16)] + ["FRE90 C"]
    bonds = [(labels[i], labels[i + 1]) for i in range(14)]
    edges = mda.lib.mdamath.triclinic_vectors(np.array(box, np.float32) * [10, 10, 10, 1, 1, 1]) / 10
    points = np.r_[beads, [[0.5, 1.5, 1.0]]]
    inside = points @ np.linalg.inv(edges)
    cut = (inside - np.floor(inside)) @ edges
    system = universe(np.array([cut, cut]), labels, bonds=bonds, box=box)
    table = trajectory(system, features="distances", select="all")
    value = dict(zip(table.names, table.values[0], strict=True))
    assert value["POL1 C - POL15 C"] == pytest.approx(14 * 0.4, abs=1e-3)
    assert value["POL1 C - FRE90 C"] == pytest.approx(0.5, abs=1e-3)


# ------------------------------------------------------------------------------------------------- alternate locations
ATOM = (
    "ATOM  {serial:5d}  {name:<3s}{alt:1s}{res:3s} A{resid:4d}    {x:8.3f}{y:8.3f}{z:8.3f}{occ:6.2f}  0.00"
    "           {el:1s}"
)


def pdb(path, atoms):
    """Write (name, altloc, resid, position in angstrom, occupancy) as a PDB file of two models."""
    lines = []
    for model in (1, 2):
        lines.append(f"MODEL     {model:4d}")
        for serial, (name, alt, resid, (x, y, z), occ) in enumerate(atoms, start=1):
            lines.append(ATOM.format(serial=serial, name=name, alt=alt or " ", res="ALA", resid=resid, x=x, y=y, z=z,
                                     occ=occ, el=name[0]))  # fmt: skip
        lines.append("ENDMDL")
    path.write_text("\n".join([*lines, "END", ""]))
    return path


def dihedral(a, b, c, d):
    """By the normals of both planes."""
    b1, b2, b3 = b - a, c - b, d - c
    n1, n2 = np.cross(b1, b2), np.cross(b2, b3)
    return np.arctan2(np.linalg.norm(b2) * b1 @ n2, n1 @ n2)


C1, N2, C2 = np.array([0.0, 0, 0]), np.array([1.33, 0, 0]), np.array([2.4, 2.2, 0.4])
CA_A, CA_B, C_B = np.array([1.9, 1.0, 0.9]), np.array([1.9, 1.35, 0.1]), np.array([2.2, 1.2, -1.4])
N3, CA1 = np.array([3.7, 2.4, 0.3]), np.array([-0.8, -1.2, 0.2])


@pytest.mark.parametrize(("occupancy", "letter"), [((0.7, 0.3), "A"), ((0.3, 0.7), "B"), ((0.5, 0.5), "A")])
def test_one_conformer_whole(tmp_path, occupancy, letter):
    """CA with A and B, C with B listed first: the highest occupancy, then A, for all atoms of the residue."""
    a, b = occupancy
    atoms = [
        ("CA", "", 1, CA1, 1.0), ("C", "", 1, C1, 1.0), ("N", "", 2, N2, 1.0), ("CA", "A", 2, CA_A, a),
        ("CA", "B", 2, CA_B, b), ("C", "B", 2, C_B, b), ("C", "A", 2, C2, a), ("N", "", 3, N3, 1.0),
    ]  # fmt: skip
    table = trajectory(pdb(tmp_path / "alt.pdb", atoms), features="backbone_torsions", select="all")
    mine = (CA_A, C2) if letter == "A" else (CA_B, C_B)
    assert table.values[0, table.names.index("ALA2 phi")] == pytest.approx(dihedral(C1, N2, *mine), abs=1e-3)
    assert any(f"one is used ({letter} of 1), that of the highest occupancy" in note for note in table.notes)
    other = trajectory(tmp_path / "alt.pdb", features="distances", select="altloc B")
    assert other.names == ("ALA2 CA - ALA2 C",)
    assert other.values[0, 0] == pytest.approx(np.linalg.norm(CA_B - C_B) / 10, abs=1e-3)


def test_neighbouring_residues_share_a_letter(tmp_path):
    """Another input of the kind: by itself the second residue would take B, with its neighbour it takes A."""
    atoms = [
        ("CA", "A", 1, CA1, 0.9), ("CA", "B", 1, CA1 + 1, 0.1), ("CA", "A", 2, CA_A, 0.45), ("CA", "B", 2, CA_B, 0.55),
        ("CA", "", 3, N3, 1.0), ("CA", "C", 5, 2 * N3, 0.2), ("CA", "B", 5, 3 * N3, 0.8),
    ]  # fmt: skip
    table = trajectory(pdb(tmp_path / "alt.pdb", atoms), features="ca_distances")
    value = dict(zip(table.names, table.values[0], strict=True))
    assert value["ALA1 CA - ALA2 CA"] == pytest.approx(np.linalg.norm(CA1 - CA_A) / 10, abs=1e-3)
    assert value["ALA3 CA - ALA5 CA"] == pytest.approx(np.linalg.norm(2 * N3) / 10, abs=1e-3)


# -------------------------------------------------------------------------------------------------------------- solvent
def beads(residues):
    """A system of residues with a bead each, (name of residue, name of bead)."""
    system = mda.Universe.empty(len(residues), len(residues), atom_resindex=range(len(residues)), trajectory=True)
    system.add_TopologyAttr("names", [bead for _, bead in residues])
    system.add_TopologyAttr("resnames", [residue for residue, _ in residues])
    system.add_TopologyAttr("resids", range(1, len(residues) + 1))
    g = np.random.default_rng(0)
    system.load_new(g.uniform(0, 50, (3, len(residues), 3)).astype(np.float32), order="fac")
    return system


@pytest.mark.parametrize("name", ["W", "WF", "PW", "ION", "OH2", "OHH", "HHO", "DOD", "SW", "SWM4"])
def test_solvent_of_coarse_and_fine_force_fields(name):
    system = beads([("ALA", "BB")] * 5 + [(name, "W")] * 30)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = trajectory(system, features="positions")
    assert table.values.shape == (3, 15) and name in SOLVENT
    assert "30 atoms of water and ions are left out (select='all' keeps them)" in table.notes


def test_small_residues_that_stay_in_are_told():
    """Water of a name that nobody knows; a chain of one bead a residue is no solvent."""
    table = trajectory(beads([("ALA", "BB")] * 30 + [("QQQ", "O")] * 40), features="positions")
    told = [note for note in table.notes if "stay in" in note]
    assert told == [
        "40 residues QQQ of one to three atoms stay in: solvent of a name that is not known here? "
        "select='not resname QQQ' leaves them out"
    ]
    assert table.values.shape == (3, 210)
    assert not any("stay in" in note for note in trajectory(beads([("MOL", "O")] * 19), features="positions").notes)
