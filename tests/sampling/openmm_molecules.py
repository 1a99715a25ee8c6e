"""Small molecules for the tests of paths in OpenMM: built here, with laws that are known."""

import numpy as np
import openmm
from openmm import app, unit
from scipy.integrate import quad

from infoscope.datasets import load_alanine_dipeptide

KT = 8.31446261815324e-3 * 300
BOND, ANGLE = (0.15, 2.0e4), (1.95, 300.0)  # rest value in nm or radians, strength
TORSION = ((1, 0.6, 2.0), (3, 0.0, 3.0))  # periodicity, phase, height in kJ/mol


def chain(*, constrained=False, masses=(12.0, 14.0, 13.0, 16.0)):
    """Four atoms on springs with a torsion that favours one of three states."""
    system = openmm.System()
    for mass in masses:
        system.addParticle(mass)
    bonds, angles, torsions = openmm.HarmonicBondForce(), openmm.HarmonicAngleForce(), openmm.PeriodicTorsionForce()
    for i in range(3):
        if constrained:
            system.addConstraint(i, i + 1, BOND[0])
        else:
            bonds.addBond(i, i + 1, *BOND)
    for i in range(2):
        angles.addAngle(i, i + 1, i + 2, *ANGLE)
    for periodicity, phase, height in TORSION:
        torsions.addTorsion(0, 1, 2, 3, periodicity, phase, height)
    for force in (bonds, angles, torsions):
        system.addForce(force)
    return system


def torsion_energy(phi):
    """Of the chain, in kT."""
    return sum(height * (1 + np.cos(n * phi - phase)) for n, phase, height in TORSION) / KT


def torsion_mean(function):
    """Mean over the law of the chain's torsion, which nothing else depends on."""
    norm = quad(lambda phi: np.exp(-torsion_energy(phi)), -np.pi, np.pi)[0]
    return quad(lambda phi: function(phi) * np.exp(-torsion_energy(phi)), -np.pi, np.pi)[0] / norm


def chain_draws(n, rng):
    """Exact draws of the flexible chain, (n, 12): bonds by r^2, angles by their sine, the torsion by its energy."""

    def draw(grid, log_weight):
        weight = np.cumsum(np.exp(log_weight - log_weight.max()))
        return np.interp(rng.random(size), weight / weight[-1], grid)

    size = (n, 3)
    r = np.linspace(0.1, 0.2, 20001)
    lengths = draw(r, 2 * np.log(r) - BOND[1] * (r - BOND[0]) ** 2 / (2 * KT))
    size = (n, 2)
    theta = np.linspace(0.8, 3.0, 20001)
    bends = draw(theta, np.log(np.sin(theta)) - ANGLE[1] * (theta - ANGLE[0]) ** 2 / (2 * KT))
    size = n
    phi = np.linspace(-np.pi, np.pi, 20001)
    turns = draw(phi, -torsion_energy(phi))
    first = np.zeros((n, 3))
    second = np.stack([lengths[:, 0], np.zeros(n), np.zeros(n)], axis=1)
    third = second + lengths[:, 1:2] * np.stack([-np.cos(bends[:, 0]), np.sin(bends[:, 0]), np.zeros(n)], axis=1)
    return np.stack([first, second, third, place(first, second, third, lengths[:, 2], bends[:, 1], turns)], 1).reshape(
        n, 12
    )


def place(a, b, c, length, angle, turn):
    """The point at a length from c, an angle with b and a torsion with a."""
    axis = (c - b) / np.linalg.norm(c - b, axis=1, keepdims=True)
    normal = np.cross(b - a, axis)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    side = np.cross(normal, axis)
    local = (-np.cos(angle), np.sin(angle) * np.cos(turn), np.sin(angle) * np.sin(turn))
    return c + length[:, None] * (local[0][:, None] * axis + local[1][:, None] * side + local[2][:, None] * normal)


def alanine(*, constraints=None):
    """System, topology and a relaxed configuration (22, 3) of alanine dipeptide in implicit water."""
    data = load_alanine_dipeptide()
    points = data.positions.to_numpy()[0].reshape(-1, 3)
    topology = app.Topology()
    strand, residues = topology.addChain(), {}
    for name in data.positions.columns[::3]:
        residue, atom, _ = name.split()
        if residue not in residues:
            residues[residue] = topology.addResidue(residue[:3], strand)
        topology.addAtom(atom, app.Element.getBySymbol(atom[0]), residues[residue])
    topology.createStandardBonds()
    modeller = app.Modeller(topology, [openmm.Vec3(*map(float, point)) for point in points] * unit.nanometer)
    field = app.ForceField("amber14/protein.ff14SB.xml", "implicit/obc2.xml")
    modeller.addHydrogens(field, platform=openmm.Platform.getPlatformByName("Reference"))
    system = field.createSystem(modeller.topology, constraints=constraints, removeCMMotion=False)
    reference = openmm.Platform.getPlatformByName("Reference")
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), reference)
    context.setPositions(modeller.positions)
    openmm.LocalEnergyMinimizer.minimize(context, maxIterations=50)
    relaxed = context.getState(getPositions=True).getPositions(asNumpy=True).value_in_unit(unit.nanometer)
    return system, modeller.topology, np.array(relaxed)
