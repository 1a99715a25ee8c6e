"""The peptides of the sampling benchmarks, for OpenMM: one System for every contender, and what its states are called.

`peptide(1)` is alanine dipeptide, ACE-ALA-NME, exactly as `examples/data/alanine_dipeptide.py` makes it for its run at
300 K (AMBER ff14SB, OBC2 solvent, bonds to hydrogen constrained, hydrogens of 3 u), `peptide(3)` is
ACE-ALA-ALA-ALA-NME of the same force field. Nothing acts between steps: no centre-of-mass remover, no thermostat in
the System, so that paths may be reversed.

Basins are intervals of the torsions in degrees, written down in `BASINS`. The limits lie on the ridges of the free
energy that comes with infoscope (`load_alanine_dipeptide("300K metadynamics")`).
"""

from __future__ import annotations

import itertools
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import openmm as mm
from openmm import app, unit

sys.path.append(str(Path(__file__).resolve().parents[1] / "examples" / "data"))
import alanine_dipeptide as recipe  # noqa: E402 - the script that made the shipped data

TEMPERATURE = 300.0  # K
FRICTION = 1.0  # 1/ps
STEP = 0.004  # ps, of dynamics with hydrogens of 3 u

# Where phi is positive the chain is left-handed; psi then tells the left-handed helix from the inverse gamma turn.
LEFT = (0.0, 125.0)  # phi
LEFT_HELIX = (-90.0, 115.0)  # psi, where phi is in LEFT
RIGHT_HELIX = (-110.0, 90.0)  # psi, where phi is not
EXTENDED = -120.0  # phi, where neither: below (and above 125) C5, from here to 0 polyproline II
BASINS = ("alpha_R", "C5", "PPII", "alpha_L", "C7ax")


@dataclass(frozen=True)
class Peptide:
    """An OpenMM System with what is needed to start it and to read it.

    `torsions` holds the four atoms of phi and psi of each alanine in the order phi1, psi1, phi2, ... as (2n, 4);
    `positions` (atoms, 3) in nm is a minimised structure.
    """

    system: mm.System
    topology: app.Topology
    positions: np.ndarray
    torsions: np.ndarray


# ---------------------------------------------------------------- the System
def peptide(alanines: int = 1) -> Peptide:
    """ACE, so many L-alanines, NME at 300 K in the solvent model of the shipped data."""
    field = recipe.force_field()
    modeller = recipe.molecule(field, heavy_atoms(alanines))
    options = {"nonbondedMethod": app.NoCutoff, "constraints": app.HBonds, "removeCMMotion": False}
    mass = recipe.METADYNAMICS.hydrogen_mass * unit.dalton
    system = field.createSystem(modeller.topology, hydrogenMass=mass, **options)
    recipe.use_fast_solvent(system)
    torsions = backbone_torsions(modeller.topology)
    return Peptide(system, modeller.topology, minimised(system, modeller.positions), torsions)


def heavy_atoms(alanines: int) -> list[tuple]:
    """The recipe's table of heavy atoms for any number of alanines, each placed on the residue before it."""
    table = recipe.HEAVY_ATOMS  # CH3, C, O of the cap; N, CA, CB, C, O of the alanine; N, C of the end
    rows, here = list(table[:3]), {0: 0, 1: 1, 2: 2}  # here: where the table's atoms stand in the longer chain
    for residue in range(alanines):
        here |= {3 + k: len(rows) + k for k in range(5)}
        label = "ALA" if alanines == 1 else f"ALA {residue + 1}"
        rows += [(label, name, element, moved(rule, here)) for _, name, element, rule in table[3:8]]
        if residue < alanines - 1:
            here |= {0: here[4], 1: here[6], 2: here[7]}  # the next residue stands on CA, C and O of this one
    here |= {8: len(rows)}
    return rows + [(*row[:3], moved(row[3], here)) for row in table[8:]]


def moved(rule: tuple | None, here: dict[int, int]) -> tuple | None:
    return rule and (tuple(here[atom] for atom in rule[0]), *rule[1:])


def minimised(system: mm.System, positions: unit.Quantity) -> np.ndarray:
    context = mm.Context(system, mm.VerletIntegrator(0.001), mm.Platform.getPlatformByName("Reference"))
    context.setPositions(positions)
    mm.LocalEnergyMinimizer.minimize(context)
    return context.getState(getPositions=True).getPositions(asNumpy=True).value_in_unit(unit.nanometer)


def backbone_torsions(topology: app.Topology) -> np.ndarray:
    """The atoms of phi and psi of each alanine: C N CA C, then N CA C N."""
    atoms = [{atom.name: atom.index for atom in residue.atoms()} for residue in topology.residues()]
    quadruples = []
    for before, here, after in zip(atoms, atoms[1:], atoms[2:], strict=False):
        quadruples.append([before["C"], here["N"], here["CA"], here["C"]])
        quadruples.append([here["N"], here["CA"], here["C"], after["N"]])
    return np.array(quadruples)


# ---------------------------------------------------------------- the states
def torsion_angles(positions: np.ndarray, torsions: np.ndarray) -> np.ndarray:
    """Torsions in degrees from -180 to 180 as (frames, torsions), of positions (frames, atoms, 3)."""
    return np.degrees(np.stack([recipe.torsion(positions, quadruple) for quadruple in torsions], axis=1))


def within(angle: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    return (angle > limits[0]) & (angle < limits[1])


def dipeptide_basins(phi: np.ndarray, psi: np.ndarray) -> np.ndarray:
    """Number of the basin of each frame in `BASINS`; angles in degrees."""
    left = within(phi, LEFT)
    right_handed = np.where(within(psi, RIGHT_HELIX), 0, np.where((phi < EXTENDED) | (phi >= LEFT[1]), 1, 2))
    return np.where(left, np.where(within(psi, LEFT_HELIX), 3, 4), right_handed)


def handedness(phi: np.ndarray) -> np.ndarray:
    """The basin of a chain of n alanines: its residues' signs as the bits of a number, 1 where phi is in `LEFT`.

    phi (frames, n) in degrees, the first residue being the highest bit: 0 is all right-handed, 2**n - 1 all
    left-handed.
    """
    bits = 1 << np.arange(phi.shape[1])[::-1]
    return within(phi, LEFT) @ bits


def handedness_names(alanines: int) -> list[str]:
    return ["".join(signs) for signs in itertools.product("-+", repeat=alanines)]
