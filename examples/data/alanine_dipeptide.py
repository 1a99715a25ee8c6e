"""Simulate alanine dipeptide and write the two data sets that come with infoscope.

The data are already in ``src/infoscope/datasets/data``; this script is their recipe and is never run by the tests, the
demo or the documentation. It needs only ``pip install openmm numpy`` (the data were made with OpenMM 8.6.1, NumPy 2.4.6
and Python 3.11 on Linux x86-64), downloads nothing, and uses one thread::

    nice python alanine_dipeptide.py hot          --work scratch --nanoseconds 1
    nice python alanine_dipeptide.py metadynamics --work scratch --nanoseconds NS
    python      alanine_dipeptide.py features     --work scratch --out ../../src/infoscope/datasets/data
    python      alanine_dipeptide.py report       --work scratch

Molecule: ACE-ALA-NME (22 atoms, L-alanine), heavy atoms from standard bond lengths and angles, hydrogens by
``openmm.app.Modeller``, energy minimised. Force field: ``amber14/protein.ff14SB.xml`` with the implicit solvent
``implicit/obc2.xml`` (OBC2, evaluated by OpenMM's own ``GBSAOBCForce``, which is faster than the general force that the
file makes, and has the same energy), no cutoff, bonds to hydrogen constrained, Langevin middle integrator with friction
1/ps, platform CPU with one thread.

hot: 600 K, 2 fs, 50 ps of equilibration, then NS nanoseconds with a frame every 0.5 ps.

metadynamics: 300 K, 4 fs (hydrogen mass 3 u), well-tempered metadynamics on phi and psi with
``openmm.app.Metadynamics``: Gaussians of width 0.3 rad and initial height 1 kJ/mol every 1 ps, bias factor 6, bias on a
periodic grid of 5 degrees; 50 ps of equilibration without bias; a frame every 1 ps.

Weights of the biased frames: ``log_weight = V(phi, psi) / kT + constant``, V being the bias at the end of the run. The
well-tempered bias grows everywhere at the same slow rate once it has converged, so its end value, up to a constant that
drops out, is the bias all frames felt, provided that the early frames, sampled while the wells were filling, are left
out (``--skip``, the share of the run). The constant makes the mean weight 1. The free energy of the grid is
``F = -gamma / (gamma - 1) V``, gamma being the bias factor, with its minimum at 0.

A run is kept as pieces, each written aside and then renamed, with a checkpoint that holds the random number generators
as well: run the same command again and an interrupted run goes on as if it had never stopped.
"""

from __future__ import annotations

import argparse
import itertools
import math
import os
import random
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import openmm as mm
from openmm import app, unit

from infoscope.datasets.molecules import stored_distances

SEED = 20260
GAS_CONSTANT = unit.MOLAR_GAS_CONSTANT_R.value_in_unit(unit.kilojoule_per_mole / unit.kelvin)
GRID = 73  # points from -pi to pi, both ends counted: every 5 degrees
BIAS_FACTOR = 6.0
BIAS_WIDTH = 0.3  # rad
BIAS_HEIGHT = 1.0  # kJ/mol
EQUILIBRATION = 50.0  # ps
PIECE = 100.0  # ps between two checkpoints

# Heavy atoms: residue, name, element, then three earlier atoms with bond length (nm), angle and torsion (degrees).
# The torsion of CB, phi - 120, makes the L form.
HEAVY_ATOMS = (
    ("ACE", "CH3", "C", None),
    ("ACE", "C", "C", ((0,), 0.152, None, None)),
    ("ACE", "O", "O", ((1, 0), 0.123, 120.5, None)),
    ("ALA", "N", "N", ((1, 0, 2), 0.1335, 116.6, 180.0)),
    ("ALA", "CA", "C", ((3, 1, 0), 0.1449, 121.9, 180.0)),
    ("ALA", "CB", "C", ((4, 3, 1), 0.1526, 109.7, 160.0)),
    ("ALA", "C", "C", ((4, 3, 1), 0.1522, 110.1, -80.0)),
    ("ALA", "O", "O", ((6, 4, 3), 0.123, 120.4, -100.0)),
    ("NME", "N", "N", ((6, 4, 3), 0.1335, 116.6, 80.0)),
    ("NME", "C", "C", ((8, 6, 4), 0.1449, 121.9, 180.0)),
)

# One torsion for each bond that can turn; omega carries the residue before the peptide bond, as is usual.
TORSIONS = {
    "ALA2 phi": ("ACE C", "ALA N", "ALA CA", "ALA C"),
    "ALA2 psi": ("ALA N", "ALA CA", "ALA C", "NME N"),
    "ACE1 omega": ("ACE CH3", "ACE C", "ALA N", "ALA CA"),
    "ALA2 omega": ("ALA CA", "ALA C", "NME N", "NME C"),
    "ALA2 methyl": ("ALA N", "ALA CA", "ALA CB", "ALA HB1"),
    "ACE1 methyl": ("ALA N", "ACE C", "ACE CH3", "ACE H1"),
    "NME3 methyl": ("ALA C", "NME N", "NME C", "NME H1"),
}


@dataclass(frozen=True)
class Recipe:
    """What distinguishes the two runs."""

    name: str
    temperature: float  # K
    step: float  # ps
    frame: float  # ps between frames
    hydrogen_mass: float | None  # u
    biased: bool


HOT = Recipe("hot", 600.0, 0.002, 0.5, None, False)
METADYNAMICS = Recipe("metadynamics", 300.0, 0.004, 1.0, 3.0, True)


# ---------------------------------------------------------------- the molecule
def place(points: list[np.ndarray], rule) -> np.ndarray:
    """Cartesian position of one atom from its bond length, angle and torsion to earlier atoms."""
    if rule is None:
        return np.zeros(3)
    anchors, length, angle, torsion = rule
    if angle is None:
        return points[anchors[0]] + [length, 0.0, 0.0]
    theta = math.radians(angle)
    b, c = points[anchors[0]], points[anchors[1]]
    # The third atom of the molecule lies in the xy plane: any point outside the bond will do as its torsion's anchor.
    d = points[anchors[2]] if torsion is not None else c + [0.0, 1.0, 0.0]
    chi = math.radians(torsion or 0.0)
    x = (b - c) / np.linalg.norm(b - c)
    z = np.cross(c - d, x)
    z /= np.linalg.norm(z)
    y = np.cross(z, x)
    local = (-math.cos(theta), math.sin(theta) * math.cos(chi), math.sin(theta) * math.sin(chi))
    return b + length * (local[0] * x + local[1] * y + local[2] * z)


def molecule(field: app.ForceField, heavy_atoms=HEAVY_ATOMS) -> app.Modeller:
    """ACE-ALA-NME (or a longer chain, its residues numbered: "ALA 2") with hydrogens, not yet minimised."""
    topology = app.Topology()
    chain = topology.addChain()
    residues, points = {}, []
    for residue, name, element, rule in heavy_atoms:
        if residue not in residues:
            residues[residue] = topology.addResidue(residue.split()[0], chain)
        topology.addAtom(name, app.Element.getBySymbol(element), residues[residue])
        points.append(place(points, rule))
    topology.createStandardBonds()
    positions = [mm.Vec3(*point) for point in points] * unit.nanometer
    modeller = app.Modeller(topology, positions)
    random.seed(SEED)  # Modeller places hydrogens at random before it relaxes them
    modeller.addHydrogens(field, platform=mm.Platform.getPlatformByName("Reference"))
    return modeller


def use_fast_solvent(system: mm.System) -> None:
    """The same OBC2 energy (to 1e-6 of it) by the force written for it, at 1.7 times the speed."""
    index = next(i for i, force in enumerate(system.getForces()) if isinstance(force, mm.CustomGBForce))
    general, special = system.getForce(index), mm.GBSAOBCForce()
    special.setNonbondedMethod(mm.GBSAOBCForce.NoCutoff)
    special.setSoluteDielectric(1.0)
    special.setSolventDielectric(78.5)
    for atom in range(general.getNumParticles()):
        charge, radius, scaled_radius = general.getParticleParameters(atom)
        special.addParticle(
            charge, radius + 0.009, scaled_radius / radius
        )  # the file's radii are less OBC's offset, nm
    system.removeForce(index)
    system.addForce(special)


def atom_names(topology: app.Topology) -> list[str]:
    return [f"{atom.residue.name} {atom.name}" for atom in topology.atoms()]


def torsion_force(names: list[str], torsion: str) -> mm.CustomTorsionForce:
    force = mm.CustomTorsionForce("theta")
    force.addTorsion(*(names.index(atom) for atom in TORSIONS[torsion]))
    return force


# ---------------------------------------------------------------- a run and its pieces
def force_field() -> app.ForceField:
    return app.ForceField("amber14/protein.ff14SB.xml", "implicit/obc2.xml")


class Run:
    """One simulation, kept in a folder as pieces and a checkpoint."""

    def __init__(self, recipe: Recipe, folder: Path, platform: str) -> None:
        self.recipe, self.folder = recipe, folder
        folder.mkdir(parents=True, exist_ok=True)
        field = force_field()
        modeller = molecule(field)
        self.names = atom_names(modeller.topology)
        mass = None if recipe.hydrogen_mass is None else recipe.hydrogen_mass * unit.dalton
        options = {"nonbondedMethod": app.NoCutoff, "constraints": app.HBonds, "hydrogenMass": mass}
        system = field.createSystem(modeller.topology, **options)
        use_fast_solvent(system)
        self.metadynamics = self.add_bias(system) if recipe.biased else None
        integrator = mm.LangevinMiddleIntegrator(recipe.temperature, 1.0, recipe.step)
        integrator.setRandomNumberSeed(SEED + recipe.biased)
        properties = {"Threads": "1"} if platform == "CPU" else {}
        self.simulation = app.Simulation(
            modeller.topology, system, integrator, mm.Platform.getPlatformByName(platform), properties
        )
        self.simulation.context.setPositions(modeller.positions)

    def add_bias(self, system: mm.System) -> app.Metadynamics:
        variables = [
            app.BiasVariable(torsion_force(self.names, name), -math.pi, math.pi, BIAS_WIDTH, True, GRID)
            for name in ("ALA2 phi", "ALA2 psi")
        ]
        every = self.steps(1.0)
        return app.Metadynamics(system, variables, self.recipe.temperature, BIAS_FACTOR, BIAS_HEIGHT, every)

    def steps(self, picoseconds: float) -> int:
        return round(picoseconds / self.recipe.step)

    def set_bias(self, values: np.ndarray) -> None:
        # OpenMM restores a bias only as that of another walker; set it in place, so that the run goes on unchanged.
        meta = self.metadynamics
        meta._selfBias, meta._totalBias = values.copy(), values.copy()
        meta._table.setFunctionParameters(GRID, GRID, values.flatten(), *meta._limits)
        meta._force.updateParametersInContext(self.simulation.context)

    def resume(self) -> int:
        """Number of pieces done; the simulation stands at the end of the last one."""
        path = self.folder / "state.npz"
        context = self.simulation.context
        if path.exists():
            with np.load(path) as state:
                context.loadCheckpoint(state["checkpoint"].tobytes())
                if self.metadynamics is not None:
                    self.set_bias(state["bias"])
                return int(state["pieces"])
        self.simulation.minimizeEnergy()
        context.setVelocitiesToTemperature(self.recipe.temperature, SEED)
        self.simulation.step(self.steps(EQUILIBRATION))
        return 0

    def advance(self) -> dict[str, np.ndarray]:
        """The frames of the next piece; the bias of a frame contains the Gaussian added at that moment."""
        context, every = self.simulation.context, self.steps(self.recipe.frame)
        positions, times, biases = [], [], []
        for _ in range(round(PIECE / self.recipe.frame)):
            if self.metadynamics is None:
                self.simulation.step(every)
            else:
                self.metadynamics.step(self.simulation, every)
                group = {self.metadynamics._force.getForceGroup()}
                energy = context.getState(getEnergy=True, groups=group).getPotentialEnergy()
                biases.append(energy.value_in_unit(unit.kilojoule_per_mole))
            state = context.getState(getPositions=True)
            positions.append(state.getPositions(asNumpy=True).value_in_unit(unit.nanometer))
            times.append(self.simulation.currentStep * self.recipe.step - EQUILIBRATION)
        grid = np.zeros((0, 0)) if self.metadynamics is None else self.metadynamics._totalBias
        frames = np.asarray(positions, dtype=np.float32)
        return {"positions": frames, "time": np.asarray(times), "bias": np.asarray(biases), "grid": grid}

    def simulate(self, nanoseconds: float) -> None:
        done, total = self.resume(), round(nanoseconds * 1000.0 / PIECE)
        start = time.perf_counter()
        for piece in range(done, total):
            frames = self.advance()
            save(self.folder / f"piece_{piece:05d}.npz", **frames)
            checkpoint = np.frombuffer(self.simulation.context.createCheckpoint(), dtype=np.uint8)
            save(self.folder / "state.npz", checkpoint=checkpoint, bias=frames["grid"], pieces=piece + 1)
            rate = PIECE * (piece + 1 - done) / (time.perf_counter() - start)
            print(f"{self.recipe.name}: {(piece + 1) * PIECE / 1000:.1f} ns, {rate:.1f} ps per second", flush=True)


def save(path: Path, **arrays) -> None:
    """Write aside, then rename: a piece is either whole or not there."""
    aside = path.with_name(f".{path.name}")
    with aside.open("wb") as handle:
        np.savez_compressed(handle, **arrays)
        handle.flush()
        os.fsync(handle.fileno())
    os.replace(aside, path)


def load(folder: Path) -> dict[str, np.ndarray]:
    """All frames of a run, and the bias grid after each piece as (piece, phi, psi)."""
    with np.load(folder / "state.npz") as state:
        count = int(state["pieces"])
    pieces = []
    for piece in range(count):
        with np.load(folder / f"piece_{piece:05d}.npz") as file:
            pieces.append(dict(file))
    run = {key: np.concatenate([piece[key] for piece in pieces]) for key in ("positions", "time", "bias")}
    run["grids"] = np.stack([piece["grid"].T for piece in pieces])  # OpenMM keeps the last variable first
    return run


# ---------------------------------------------------------------- features
def torsion(positions: np.ndarray, atoms: list[int]) -> np.ndarray:
    """Torsion angle in radians from -pi to pi, IUPAC sign."""
    a, b, c, d = (positions[:, atom].astype(np.float64) for atom in atoms)
    middle = c - b
    first, second = np.cross(b - a, middle), np.cross(middle, d - c)
    sine = np.einsum("ij,ij->i", np.cross(first, second), middle / np.linalg.norm(middle, axis=1, keepdims=True))
    return np.arctan2(sine, np.einsum("ij,ij->i", first, second))


def superposed(positions: np.ndarray, cycles: int = 20) -> np.ndarray:
    """Positions without translation and rotation: each frame on the mean of all, the mean found by iteration."""
    centred = positions - positions.mean(axis=1, keepdims=True)
    mean = centred[0]
    for _ in range(cycles):
        u, _, vt = np.linalg.svd(np.einsum("nai,aj->nij", centred, mean))
        u[:, :, 2] *= np.sign(np.linalg.det(u @ vt))[:, None]  # rotations only, no mirror images
        turned = centred @ (u @ vt)
        mean = turned.mean(axis=0)
    return turned


def features(names: list[str], positions: np.ndarray) -> dict[str, np.ndarray]:
    numbers = {residue: index for index, residue in enumerate(("ACE", "ALA", "NME"), start=1)}
    heavy = [index for index, name in enumerate(names) if not name.split()[1].startswith("H")]
    labels = [f"{names[i].split()[0]}{numbers[names[i].split()[0]]} {names[i].split()[1]}" for i in heavy]
    pairs = list(itertools.combinations(range(len(heavy)), 2))
    points = positions[:, heavy].astype(np.float64)
    angles = [torsion(positions, [names.index(atom) for atom in atoms]) for atoms in TORSIONS.values()]
    lengths = [np.linalg.norm(points[:, i] - points[:, j], axis=1) for i, j in pairs]
    distances, flat = np.stack(lengths, axis=1).astype(np.float32), superposed(points).reshape(len(points), -1)
    flat = flat.astype(np.float32)
    of_positions = stored_distances(flat, np.zeros(distances.shape, np.int8))
    return {
        "torsions": np.stack(angles, axis=1).astype(np.float32),
        "torsion_names": np.array(list(TORSIONS)),
        "distance_steps": (distances.view(np.int32) - of_positions.view(np.int32)).astype(np.int8),
        "distance_names": np.array([f"{labels[i]} - {labels[j]}" for i, j in pairs]),
        "positions": flat,
        "position_names": np.array([f"{label} {axis}" for label in labels for axis in "xyz"]),
    }


def interpolate(grid: np.ndarray, phi: np.ndarray, psi: np.ndarray) -> np.ndarray:
    """Periodic grid values between the grid points, by their Fourier series (exact for bands below the grid's)."""
    unique = grid[:-1, :-1]
    waves = np.fft.fftfreq(len(unique), 1.0 / len(unique))
    # The highest wave of an even grid has no partner of opposite sign; a smooth bias has nothing in it.
    coefficients = np.fft.fft2(unique) / unique.size
    along_phi = np.exp(1j * np.outer(phi + math.pi, waves))
    along_psi = np.exp(1j * np.outer(psi + math.pi, waves))
    return np.einsum("ni,ij,nj->n", along_phi, coefficients, along_psi, optimize=True).real


def free_energy(bias: np.ndarray) -> np.ndarray:
    surface = -BIAS_FACTOR / (BIAS_FACTOR - 1.0) * bias
    return surface - surface.min()


def kept(total: int, skip: float, frames: int) -> np.ndarray:
    """Evenly thinned frames, the last one among them, after the share `skip` of the run."""
    first = round(skip * total)
    stride = max(1, math.ceil((total - first) / frames))
    return np.arange(total - 1, first - 1, -stride)[::-1]


def write_hot(folder: Path, out: Path, frames: int) -> None:
    run = load(folder)
    keep = kept(len(run["time"]), 0.0, frames)
    table = features(atom_names(molecule(force_field()).topology), run["positions"][keep])
    save(out / "alanine_dipeptide_600K.npz", time=run["time"][keep].astype(np.float32), **table)


def write_metadynamics(folder: Path, out: Path, skip: float, frames: int) -> None:
    run = load(folder)
    keep = kept(len(run["time"]), skip, frames)
    table = features(atom_names(molecule(force_field()).topology), run["positions"][keep])
    grid = run["grids"][-1]
    bias = interpolate(grid, *table["torsions"][:, :2].T.astype(np.float64))
    log_weight = bias / (GAS_CONSTANT * METADYNAMICS.temperature)
    log_weight -= np.log(np.mean(np.exp(log_weight - log_weight.max()))) + log_weight.max()
    axis = np.linspace(-math.pi, math.pi, GRID)[:-1]
    extra = {
        "log_weight": log_weight,
        "bias": bias,
        "bias_at_time": run["bias"][keep],
        "grid_phi": axis,
        "grid_psi": axis,
        "bias_grid": grid[:-1, :-1],
        "free_energy": free_energy(grid)[:-1, :-1],
    }
    extra = {key: values.astype(np.float32) for key, values in extra.items()}
    save(out / "alanine_dipeptide_300K_metadynamics.npz", time=run["time"][keep].astype(np.float32), **table, **extra)


# ---------------------------------------------------------------- what the runs saw
def basins(phi: np.ndarray, psi: np.ndarray) -> dict[str, np.ndarray]:
    """Masks of three regions: left-handed (phi 0 to 125 degrees), helical (psi -120 to 50) and extended."""
    left = (phi > 0.0) & (phi < math.radians(125.0))
    helical = ~left & (psi > math.radians(-120.0)) & (psi < math.radians(50.0))
    return {"left-handed": left, "helical": helical, "extended": ~left & ~helical}


def crossings(phi: np.ndarray) -> int:
    """Passages between the cores of positive phi (30 to 90 degrees) and negative phi (-160 to -40)."""
    degrees = np.degrees(phi)
    core = np.where((degrees > 30) & (degrees < 90), 1, np.where((degrees > -160) & (degrees < -40), -1, 0))
    visited = core[core != 0]
    return int(np.sum(visited[1:] != visited[:-1]))


def differences(masks: dict[str, np.ndarray], weights: np.ndarray, kt: float) -> str:
    """Free energies of the basins in kJ/mol, that of the extended one being 0."""
    shares = {name: float(np.sum(weights * mask) / np.sum(weights)) for name, mask in masks.items()}
    energies = {name: -kt * math.log(max(share, 1e-300) / shares["extended"]) for name, share in shares.items()}
    return ", ".join(f"{name} {shares[name]:.4f} ({energies[name]:+.2f} kJ/mol)" for name in masks)


def report(recipe: Recipe, folder: Path, skip: float) -> None:
    names, run, kt = atom_names(molecule(force_field()).topology), load(folder), GAS_CONSTANT * recipe.temperature
    phi, psi = (
        torsion(run["positions"], [names.index(atom) for atom in TORSIONS[name]]) for name in ("ALA2 phi", "ALA2 psi")
    )
    print(f"{recipe.name}: {run['time'][-1]:.0f} ps, {len(phi)} frames, {crossings(phi)} crossings of phi")
    first = round(skip * len(phi)) if recipe.biased else 0
    middle = (first + len(phi)) // 2
    weights = np.ones(len(phi))
    if recipe.biased:
        log_weights = interpolate(run["grids"][-1], phi, psi) / kt
        weights = np.exp(log_weights - log_weights.max())
    for label, start, stop in (("all", first, len(phi)), ("1st half", first, middle), ("2nd half", middle, len(phi))):
        w, masks = weights[start:stop], basins(phi[start:stop], psi[start:stop])
        print(f"  {label}: {differences(masks, w, kt)}; effective frames {w.sum() ** 2 / (w @ w):.0f}")
    if recipe.biased:
        mesh = np.meshgrid(*[np.linspace(-math.pi, math.pi, GRID)[:-1]] * 2, indexing="ij")
        for eighth in range(1, 9):
            piece = max(1, round(len(run["grids"]) * eighth / 8)) - 1
            surface = free_energy(run["grids"][piece])[:-1, :-1]
            print(f"  bias at {eighth}/8: {differences(basins(*mesh), np.exp(-surface / kt), kt)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=["hot", "metadynamics", "features", "report"])
    parser.add_argument("--work", type=Path, required=True, help="folder of the pieces and checkpoints")
    parser.add_argument(
        "--nanoseconds", type=float, default=1.0, help="length of the run, with the pieces already done"
    )
    parser.add_argument("--platform", default="CPU", choices=["CPU", "Reference"])
    parser.add_argument("--out", type=Path, default=Path("."), help="folder of the data sets")
    parser.add_argument("--skip", type=float, default=0.2, help="share of the biased run left out at its beginning")
    parser.add_argument("--frames", type=int, default=5000, help="most frames kept of a run")
    given = parser.parse_args()
    if given.command in ("hot", "metadynamics"):
        recipe = HOT if given.command == "hot" else METADYNAMICS
        Run(recipe, given.work / recipe.name, given.platform).simulate(given.nanoseconds)
        return
    given.out.mkdir(parents=True, exist_ok=True)
    for recipe in (HOT, METADYNAMICS):
        folder = given.work / recipe.name
        if not (folder / "state.npz").exists():
            continue
        if given.command == "report":
            report(recipe, folder, given.skip)
        elif recipe.biased:
            write_metadynamics(folder, given.out, given.skip, given.frames)
        else:
            write_hot(folder, given.out, given.frames)


if __name__ == "__main__":
    main()
