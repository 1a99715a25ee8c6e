"""Variables of molecules: their formulas against finite differences, mdtraj and OpenMM's own; and by their names."""

import pickle

import numpy as np
import pytest

openmm = pytest.importorskip("openmm")
app = pytest.importorskip("openmm.app")

from infoscope.base import DataError, ParameterError  # noqa: E402
from infoscope.io import openmm_variables, plumed_snippet  # noqa: E402
from infoscope.sampling import (  # noqa: E402
    AngleVariable,
    CollectiveVariables,
    DistanceVariable,
    ForceVariable,
    MolecularVariables,
    TorsionVariable,
)

N_ATOMS = 6


def coordinates(n=5, seed=0):
    return np.random.default_rng(seed).normal(size=(n, 3 * N_ATOMS), scale=0.2)


def span():
    """x2 - x1 + y2 z1, as a force."""
    force = openmm.CustomCompoundBondForce(2, "x2 - x1 + y2*z1")
    force.addBond([1, 4], [])
    return ForceVariable(force, name="span")


def everything():
    return MolecularVariables([
        TorsionVariable(4, 0, 2, 5, name="turn"), AngleVariable(3, 1, 5), DistanceVariable(5, 2), span(),
    ])  # fmt: skip


def test_slopes_are_those_of_finite_differences():
    variables, x, h = everything(), coordinates(), 1e-6
    assert isinstance(variables, CollectiveVariables) and all(
        isinstance(v, CollectiveVariables) for v in variables.parts
    )
    found = variables.jacobian(x)
    assert found.shape == (5, 4, 18)
    for j in range(x.shape[1]):
        ahead, behind = x.copy(), x.copy()
        ahead[:, j] += h
        behind[:, j] -= h
        change = variables.values(ahead) - variables.values(behind)
        change[:, 0] = np.angle(np.exp(1j * change[:, 0]))
        assert np.allclose(found[:, :, j], change / (2 * h), rtol=1e-6, atol=1e-7)  # h^2 and rounding over h
    weights = np.random.default_rng(1).normal(size=(5, 4))
    assert np.allclose(variables.pull_back(x, weights), np.einsum("nm,nmd->nd", weights, found), rtol=0, atol=1e-13)
    assert variables.names == ("turn", "angle 3-1-5", "distance 5-2", "span")
    assert np.array_equal(variables.period, [2 * np.pi, 0, 0, 0])


def test_values_are_those_of_mdtraj():
    mdtraj = pytest.importorskip("mdtraj")
    x = coordinates(50)
    frames = mdtraj.Trajectory(x.reshape(50, N_ATOMS, 3).astype(np.float32), None)
    x = frames.xyz.astype(np.float64).reshape(50, -1)  # mdtraj holds float32
    found = everything().values(x)
    assert np.allclose(found[:, 0], mdtraj.compute_dihedrals(frames, [[4, 0, 2, 5]])[:, 0], atol=2e-5)
    assert np.allclose(found[:, 1], mdtraj.compute_angles(frames, [[3, 1, 5]])[:, 0], atol=2e-5)
    assert np.allclose(found[:, 2], mdtraj.compute_distances(frames, [[5, 2]])[:, 0], atol=1e-6)


@pytest.mark.parametrize("part", range(4))
def test_restraints_in_openmm_are_those_of_numpy(part):
    """kappa (1 - cos) of a torsion and kappa / 2 times the square of others: energies and forces."""
    variable, kappa, rest = everything().parts[part], 3.0, 0.4
    system = openmm.System()
    for _ in range(N_ATOMS):
        system.addParticle(1.0)
    force = variable.restraint("kappa", "rest")
    force.addGlobalParameter("kappa", kappa)
    force.addGlobalParameter("rest", rest)
    system.addForce(force)
    context = openmm.Context(system, openmm.VerletIntegrator(1.0), openmm.Platform.getPlatformByName("Reference"))
    for row in coordinates():
        context.setPositions(row.reshape(-1, 3))
        state = context.getState(getEnergy=True, getForces=True)
        away = variable.values(row[None])[0, 0] - rest
        energy, slope = (
            (kappa * (1 - np.cos(away)), kappa * np.sin(away)) if part == 0 else (kappa * away**2 / 2, kappa * away)
        )
        assert np.isclose(state.getPotentialEnergy()._value, energy, rtol=1e-10)
        forces = state.getForces(asNumpy=True)._value.ravel()
        assert np.allclose(-forces, slope * variable.jacobian(row[None])[0, 0], rtol=1e-9, atol=1e-10)


def test_variables_can_be_sent():
    x = coordinates()
    assert np.array_equal(pickle.loads(pickle.dumps(everything())).values(x), everything().values(x))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: TorsionVariable(0, 1, 2), ParameterError, "a torsion takes 4 atoms, got 3"),
        (lambda: AngleVariable(0, 1, 1), ParameterError, "an angle takes different atoms"),
        (lambda: DistanceVariable(0, -1), ParameterError, "places from 0"),
        (lambda: DistanceVariable(0, 1.5), ParameterError, "whole numbers"),
        (lambda: DistanceVariable(0, 9).values(coordinates()), DataError, "names atom 9, and there are 6"),
        (lambda: DistanceVariable(0, 1).values(np.zeros((2, 4))), DataError, r"got shape \(2, 4\)"),
        (lambda: MolecularVariables([]), ParameterError, "no variable"),
        (lambda: MolecularVariables([DistanceVariable(0, 1)] * 2), ParameterError, "two variables are called"),
        (lambda: MolecularVariables([np.sin]), ParameterError, "no torsion, angle, distance or force"),
        (lambda: ForceVariable("x", name="x"), ParameterError, "Force of OpenMM"),
        (lambda: ForceVariable(openmm.CustomBondForce("r"), name="x", period=360), ParameterError, "2 pi or none"),
    ],
)
def test_what_is_no_variable(make, error, message):
    with pytest.raises(error, match=message):
        make()


# ------------------------------------------------------------------------------------------------------------- by names
def topology(copies=1):
    """ACE-ALA-NME without hydrogens, and a water."""
    found = app.Topology()
    for copy in range(copies):
        strand = found.addChain("AB"[copy])
        for number, (residue, atoms) in enumerate(
            [("ACE", "CH3 C O"), ("ALA", "N CA CB C O"), ("NME", "N C"), ("HOH", "O")], start=1
        ):
            added = found.addResidue(residue, strand, str(number))
            for atom in atoms.split():
                found.addAtom(atom, app.Element.getBySymbol(atom[0]), added)
    return found


NAMES = ["ALA2 phi", "ALA2 psi", "ACE1 omega", "ALA2 CB - NME3 N", "ALA2 N - ALA2 CA - ALA2 C"]


def test_names_are_read_as_plumed_reads_them():
    variables = openmm_variables(NAMES, topology())
    assert variables.names == tuple(NAMES)
    labels = [f"{atom.residue.name}{atom.residue.id} {atom.name}" for atom in topology().atoms()]
    text = plumed_snippet(NAMES, atoms=labels)
    numbers = [line.split("ATOMS=")[1] for line in text.splitlines() if "ATOMS=" in line]
    assert [",".join(str(atom + 1) for atom in part.atoms) for part in variables.parts] == numbers
    kinds = [TorsionVariable, TorsionVariable, TorsionVariable, DistanceVariable, AngleVariable]
    assert [type(part) for part in variables.parts] == kinds
    assert openmm_variables(NAMES, labels).parts[0].atoms == variables.parts[0].atoms == (1, 3, 4, 6)


def test_two_chains():
    assert openmm_variables("B:ALA2 phi", topology(2)).parts[0].atoms == (12, 14, 15, 17)


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("ALA3 phi", DataError, "no residue ALA3 among the atoms .* Did you mean 'ALA2'"),
        ("ALA2 CB - NME3 M", DataError, "no atom 'NME3 M' .* Did you mean 'NME3 N'"),
        ("PHI", ParameterError, "no torsion, angle or distance is called 'PHI'.*two to four atoms"),
        ("ALA2 fi", ParameterError, "Did you mean .*'ALA2 phi'"),
        ("ALA2 CB x", ParameterError, "superposed positions"),
        ("ALA2 chi1", DataError, "needs atoms that are not there"),
        ([], ParameterError, "no variable"),
    ],
)
def test_names_that_the_topology_has_not(name, error, message):
    with pytest.raises(error, match=message):
        openmm_variables(name, topology())
