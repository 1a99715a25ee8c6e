"""The reference runs of the peptide benchmarks: their energies are OpenMM's, their estimators have known answers."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm

openmm = pytest.importorskip("openmm")
BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
if not BENCHMARKS.exists():
    pytest.skip("these are tests of the source tree", allow_module_level=True)


@pytest.fixture(scope="module", autouse=True)
def benchmarks():
    sys.path.insert(0, str(BENCHMARKS))
    yield
    sys.path.remove(str(BENCHMARKS))


def moved_frames(chain, steps=300):
    """Structures of OpenMM's own dynamics at 500 K."""
    integrator = openmm.LangevinMiddleIntegrator(500.0, 1.0, 0.002)
    context = openmm.Context(chain.system, integrator, openmm.Platform.getPlatformByName("Reference"))
    context.setPositions(chain.positions)
    frames = []
    for _ in range(3):
        integrator.step(steps)
        frames.append(context.getState(getPositions=True).getPositions(asNumpy=True)._value)
    return frames


@pytest.mark.slow  # its loops take 10 s to compile
@pytest.mark.parametrize("alanines", [1, 3])
def test_energies_and_forces_are_those_of_openmm(alanines):
    # Two codes add some thousand terms of up to 1e4 kJ/mol/nm in different orders: 1e-9 is far above rounding.
    from peptide_forces import agreement
    from peptide_systems import peptide

    chain = peptide(alanines)
    assert max(agreement(chain.system, moved_frames(chain))) < 1e-9


def test_the_longer_chain_is_the_recipes_for_one_alanine():
    from peptide_systems import heavy_atoms, peptide, recipe

    assert heavy_atoms(1) == list(recipe.HEAVY_ATOMS)
    chain = peptide(3)
    # N, CA, C, CB: -122 degrees (L amino acids) within what angles bend
    names = [{atom.name: atom.index for atom in residue.atoms()} for residue in chain.topology.residues()][1:4]
    hands = [
        np.degrees(recipe.torsion(chain.positions[None], [atoms[name] for name in ("N", "CA", "C", "CB")]))[0]
        for atoms in names
    ]
    assert hands == pytest.approx([-122.0] * 3, abs=5.0)
    assert not any(isinstance(force, openmm.CMMotionRemover) for force in chain.system.getForces())


@pytest.mark.slow
def test_dynamics_hold_the_bonds_and_the_temperature():
    from peptide_dynamics import GAS_CONSTANT, walker
    from peptide_systems import peptide

    one = walker(peptide(1), 5)
    kinetic = []
    for _ in range(400):
        one.advance(1, 50)
        kinetic.append(0.5 * np.sum(one.velocities**2 / one.constraints.inverse_masses[:, None]))
    i, j = one.constraints.pairs.T
    squares = np.sum((one.positions[i] - one.positions[j]) ** 2, axis=1)
    assert squares == pytest.approx(one.constraints.squares, rel=1e-8)
    # 66 coordinates less 12 bonds; the error of the mean counts neighbours 0.2 ps apart as one in five (1/ps).
    expected = 0.5 * (66 - 12) * GAS_CONSTANT * 300.0
    error = np.std(kinetic) / np.sqrt(400 / 5)
    assert np.mean(kinetic) == pytest.approx(expected, abs=4 * error + 0.02 * expected)  # 2 %: steps of 4 fs


def test_a_bias_and_its_slopes_belong_together():
    from peptide_dynamics import POINTS, interpolated

    bias = np.random.default_rng(0).normal(size=(POINTS, POINTS))
    for phi, psi in np.random.default_rng(1).uniform(-np.pi, np.pi, (5, 2)):
        step = 1e-6
        slopes = [
            (interpolated(bias, phi + step, psi)[0] - interpolated(bias, phi - step, psi)[0]) / (2 * step),
            (interpolated(bias, phi, psi + step)[0] - interpolated(bias, phi, psi - step)[0]) / (2 * step),
        ]
        assert interpolated(bias, phi, psi)[1:] == pytest.approx(slopes, abs=1e-6)
    assert interpolated(bias, -np.pi + 2 * np.pi * 5 / POINTS, -np.pi)[0] == pytest.approx(bias[5, 0])


def test_frames_of_a_ladder_reweighted_to_its_coldest_rung():
    # Harmonic coordinates: the share beyond two and four widths is the normal tail; 120,000 draws.
    from peptide_dynamics import GAS_CONSTANT
    from peptide_populations import mixture_weights

    kt = GAS_CONSTANT * np.geomspace(300.0, 600.0, 6)
    x = np.random.default_rng(0).normal(size=(20_000, 6)) * np.sqrt(kt)
    weights = np.exp(mixture_weights(0.5 * x**2, 1 / kt))
    for widths, tolerance in ((2.0, 0.03), (4.0, 0.2)):
        share = np.sum(weights * (x > widths * np.sqrt(kt[0]))) / np.sum(weights)
        assert share == pytest.approx(norm.sf(widths), rel=tolerance)


def test_round_trips_by_hand():
    from peptide_populations import round_trips

    # The first replica climbs to the top and comes back; then another reaches the top, which was never coldest.
    turns = [[1, 0], [0, 1], [0, 1], [1, 0], [0, 1]]
    assert round_trips(np.array(turns, dtype=bool), 3) == 1


def test_basins_at_hand_picked_angles():
    from peptide_systems import BASINS, dipeptide_basins, handedness, handedness_names

    angles = {"alpha_R": (-70, -20), "C5": (-150, 160), "PPII": (-70, 155), "alpha_L": (55, 30), "C7ax": (60, 180)}
    for name, (phi, psi) in angles.items():
        assert BASINS[int(dipeptide_basins(np.array(phi), np.array(psi)))] == name
    assert BASINS[int(dipeptide_basins(np.array(150.0), np.array(160.0)))] == "C5"
    assert handedness_names(3)[int(handedness(np.array([[-70.0, 55.0, -70.0]]))[0])] == "-+-"


@pytest.mark.slow  # its loops take 10 s to compile
def test_compiled_paths_and_local_moves_are_those_of_openmm():
    # Both meet constraints to 1e-9 of a length and better: 100 steps end within 1e-8 nm, and works within 1e-4 kT.
    from infoscope.sampling import OpenMMTarget
    from peptide_systems import TEMPERATURE, peptide
    from peptide_target import CompiledTarget, difference_from_openmm

    chain = peptide(3)
    end, work = difference_from_openmm(chain)
    assert end < 1e-8
    assert work < 1e-4
    ours, rng = CompiledTarget(chain), np.random.default_rng(1)
    theirs = OpenMMTarget(chain.system, temperature=TEMPERATURE, positions=chain.positions, n_jobs=1)
    x = np.repeat(ours.positions, 3, axis=0)
    normals, log_uniform = rng.normal(size=(3, 2, x.shape[1])), np.log(rng.random((3, 2)))
    options = {"step": 0.003, "n_leaps": 10, "masses": theirs.masses}
    one, two = (target.walk(x, None, None, normals, log_uniform, **options) for target in (ours, theirs))
    assert not np.array_equal(one[0], x)
    np.testing.assert_allclose(one[0], two[0], atol=1e-8)
    np.testing.assert_allclose(one[1], two[1], atol=1e-4)
    np.testing.assert_allclose(one[3], two[3], atol=1e-4)
