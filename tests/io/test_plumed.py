"""PLUMED input: the numbers of the right atoms, checked on coordinates, in lines that PLUMED can read."""

import re

import numpy as np
import pytest

from infoscope.base import DataError, ParameterError
from infoscope.datasets import load_alanine_dipeptide
from infoscope.io import plumed_snippet

ALA = [  # ACE-ALA-NME with all hydrogens, in the order of AMBER's files
    *("ACE1 HH31", "ACE1 CH3", "ACE1 HH32", "ACE1 HH33", "ACE1 C", "ACE1 O", "ALA2 N", "ALA2 H", "ALA2 CA", "ALA2 HA"),
    *("ALA2 CB", "ALA2 HB1", "ALA2 HB2", "ALA2 HB3", "ALA2 C", "ALA2 O", "NME3 N", "NME3 H", "NME3 C", "NME3 H1"),
]
BACKBONE = ("N", "CA", "C", "O")


def residue(name, *side_chain):
    return [f"{name} {atom}" for atom in (*BACKBONE, "CB", *side_chain)]


def lines(text):
    """Label, action and atom numbers of each variable; and the arguments that are printed."""
    assert text.isascii() and text.endswith("\n")
    found = {}
    *actions, last = [line for line in text.splitlines() if not line.startswith(("#", "UNITS"))]
    for line in actions:
        match = re.fullmatch(r"([A-Za-z][A-Za-z0-9_]*): (TORSION|DISTANCE|ANGLE) ATOMS=(\d+(?:,\d+)*)", line)
        assert match is not None, line
        assert match[1] not in found
        found[match[1]] = (match[2], [int(number) for number in match[3].split(",")])
    printed = re.fullmatch(r"PRINT ARG=(\S+) FILE=(\S+) STRIDE=(\d+)", last)
    assert printed is not None and printed[1].split(",") == list(found)
    counts = {"DISTANCE": 2, "ANGLE": 3, "TORSION": 4}
    assert all(len(numbers) == counts[action] == len(set(numbers)) for action, numbers in found.values())
    return found


def test_the_textbook_case():
    text = plumed_snippet(["ALA2 phi", "ALA2 psi", "ALA2 CB - NME3 N"], atoms=ALA)
    assert text.splitlines() == [
        "# ALA2 phi", "phi: TORSION ATOMS=5,7,9,15", "# ALA2 psi", "psi: TORSION ATOMS=7,9,15,17",
        "# ALA2 CB - NME3 N", "d1: DISTANCE ATOMS=11,17", "PRINT ARG=phi,psi,d1 FILE=COLVAR STRIDE=500",
    ]  # fmt: skip


def test_units_file_and_stride():
    text = plumed_snippet("ALA2 phi", atoms=ALA, length_unit="A", file="out/COLVAR.0", stride=10)
    assert text.splitlines()[0] == "UNITS LENGTH=A" and text.splitlines()[-1].endswith("FILE=out/COLVAR.0 STRIDE=10")
    assert "UNITS" not in plumed_snippet("ALA2 phi", atoms=ALA)


def torsion(points):
    """Angle between the planes of the first three and the last three points, by projection."""
    a, b, c, d = (points[:, index] for index in range(4))
    axis = (c - b) / np.linalg.norm(c - b, axis=1, keepdims=True)
    v = (a - b) - np.sum((a - b) * axis, axis=1, keepdims=True) * axis
    w = (d - c) - np.sum((d - c) * axis, axis=1, keepdims=True) * axis
    return np.arctan2(np.sum(np.cross(axis, v) * w, axis=1), np.sum(v * w, axis=1))


def test_the_numbers_belong_to_the_variables():
    """The atoms of each line, taken from the positions, give the column of that name."""
    data = load_alanine_dipeptide()
    atoms = [name.removesuffix(" x") for name in data.positions.columns[::3]]
    points = data.positions.to_numpy()[::50].astype(float).reshape(-1, len(atoms), 3)
    names = ["ALA2 phi", "ALA2 psi", "ACE1 omega", "ALA2 omega", *data.distances.columns]
    stored = {**data.torsions[::50], **data.distances[::50]}
    found = lines(plumed_snippet(names, atoms=atoms))
    assert len(found) == 49
    for name, (action, numbers) in zip(names, found.values(), strict=True):
        chosen, column = points[:, np.array(numbers) - 1], stored[name].to_numpy().astype(float)
        if action == "TORSION":
            off = np.angle(np.exp(1j * (torsion(chosen) - column)))
        else:
            off = np.linalg.norm(chosen[:, 0] - chosen[:, 1], axis=1) - column
        assert np.abs(off).max() < 2e-3, name  # both are stored in few digits


def test_side_chains():
    atoms = [
        *residue("VAL1", "CG1", "CG2"), *residue("ILE2", "CG2", "CG1", "CD1"), *residue("THR3", "CG2", "OG1"),
        *residue("LYS4", "HG2", "CG", "CD", "CE", "NZ"), *residue("ARG5", "CG", "CD", "NE", "CZ", "NH1", "NH2"),
        *residue("MET6", "CG", "SD", "CE"), *residue("HIS7", "CG", "CD2", "ND1"), *residue("CYS8", "SG"),
    ]  # fmt: skip
    wanted = {
        "VAL1 chi1": "N CA CB CG1", "ILE2 chi1": "N CA CB CG1", "ILE2 chi2": "CA CB CG1 CD1",
        "THR3 chi1": "N CA CB OG1", "LYS4 chi4": "CG CD CE NZ", "ARG5 chi4": "CG CD NE CZ", "ARG5 chi5": "CD NE CZ NH1",
        "MET6 chi3": "CB CG SD CE", "HIS7 chi2": "CA CB CG ND1", "CYS8 chi1": "N CA CB SG",
    }  # fmt: skip
    found = lines(plumed_snippet(list(wanted), atoms=atoms))
    for (feature, four), (_, numbers) in zip(wanted.items(), found.values(), strict=True):
        label = feature.split()[0]
        assert [atoms[number - 1] for number in numbers] == [f"{label} {atom}" for atom in four.split()]
    assert list(found)[:4] == ["chi1_VAL1", "chi1_ILE2", "chi2_ILE2", "chi1_THR3"] and "chi3" in found


def test_two_to_four_atoms_of_your_own():
    names = ["ACE1 C - ALA2 N - ALA2 CA - ALA2 CB", "ALA2 N - ALA2 CA - ALA2 C", "ACE1 C - ALA2 N", "ACE1 O - ALA2 N"]
    found = lines(plumed_snippet(names, atoms=ALA))
    assert found == {
        "t1": ("TORSION", [5, 7, 9, 11]), "a1": ("ANGLE", [7, 9, 15]), "d1": ("DISTANCE", [5, 7]),
        "d2": ("DISTANCE", [6, 7]),
    }  # fmt: skip


def test_chains_and_labels():
    both = [f"{chain}:{atom}" for chain in "AB" for atom in ALA]
    found = lines(plumed_snippet(["A:ALA2 phi", "B:ALA2 phi", "A:ALA2 CB - B:ALA2 CB"], atoms=both))
    assert found["phi_A_ALA2"][1] == [5, 7, 9, 15] and found["phi_B_ALA2"][1] == [25, 27, 29, 35]
    with pytest.raises(DataError, match="residue before B:ALA2"):  # chains do not join
        plumed_snippet("B:ALA2 phi", atoms=[atom for atom in both if not atom.startswith("B:ACE")])
    with pytest.raises(DataError, match="'ACE1 C' stands twice .* A:ALA2"):
        plumed_snippet("ALA2 phi", atoms=ALA + ALA)
    assert lines(plumed_snippet("ALA2 phi", atoms=[*ALA, "HOH4 O", "HOH4 O"]))


def test_atoms_of_mdanalysis():
    mda = pytest.importorskip("MDAnalysis")
    residues = list(dict.fromkeys(atom.split()[0] for atom in ALA))
    system = mda.Universe.empty(len(ALA), 3, atom_resindex=[residues.index(atom.split()[0]) for atom in ALA])
    system.add_TopologyAttr("names", [atom.split()[1] for atom in ALA])
    system.add_TopologyAttr("resnames", ["ACE", "ALA", "NME"])
    system.add_TopologyAttr("resids", [1, 2, 3])
    text = plumed_snippet(["ALA2 phi", "ALA2 psi"], atoms=ALA)
    assert plumed_snippet(["ALA2 phi", "ALA2 psi"], atoms=system) == text
    assert plumed_snippet(["ALA2 phi", "ALA2 psi"], atoms=system.atoms) == text


@pytest.mark.parametrize(
    ("names", "error", "message"),
    [
        ("ALA2 CB x", ParameterError, "superposed positions"),
        ("radius of gyration", ParameterError, "PLUMED has no line for 'radius of gyration'"),
        ("ALA2 methyl", ParameterError, "has no line"),
        ("ACE1 CH3-C torsion", ParameterError, "two to four atoms joined"),
        ("ALA2 chi2_2", ParameterError, "has no line"),
        ("ALA2 chi1", DataError, "needs atoms that are not there: ALA2 has"),
        ("ACE1 phi", DataError, "residue before ACE1"),
        ("NME3 psi", DataError, "residue after NME3"),
        ("GLY9 phi", DataError, r"no residue GLY9 among the atoms \(ACE1, ALA2, NME3\)"),
        ("ALA2 CB - GLY9 N", DataError, "no atom 'GLY9 N'"),
        ("ALA2 CB - ALA2 CB", ParameterError, "names an atom twice"),
        (["ALA2 phi", "ALA2 phi"], ParameterError, "'ALA2 phi' is given twice"),
        ([], ParameterError, "no variable"),
        ("ALA2 phi\nPRINT", ParameterError, "has no line"),
    ],
)
def test_what_plumed_cannot_do(names, error, message):
    with pytest.raises(error, match=message):
        plumed_snippet(names, atoms=ALA)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"atoms": "ALA2 CB"}, ParameterError, "a sequence of names"),
        ({"atoms": 22}, ParameterError, "a sequence of names"),
        ({"atoms": []}, DataError, "empty"),
        ({"atoms": ["CA", "CB"]}, DataError, "atom 1 is called 'CA'"),
        ({"atoms": ALA, "length_unit": "pm"}, ParameterError, "length_unit"),
        ({"atoms": ALA, "file": "my file"}, ParameterError, "without spaces"),
        ({"atoms": ALA, "stride": 0}, ParameterError, "stride"),
    ],
)
def test_bad_input(options, error, message):
    with pytest.raises(error, match=message):
        plumed_snippet("ALA2 phi", **options)


def test_a_gap_in_the_chain():
    broken = [atom.replace("ACE1", "ACE0") for atom in ALA]
    with pytest.raises(DataError, match="residue before ALA2"):
        plumed_snippet("ALA2 phi", atoms=broken)
    inserted = [*residue("GLY52"), *residue("SER52A", "OG"), *residue("ALA53")]
    assert lines(plumed_snippet("SER52A phi", atoms=inserted))["phi"][1] == [3, 6, 7, 8]
    assert lines(plumed_snippet("ALA53 phi", atoms=inserted))["phi"][1] == [8, 12, 13, 14]
