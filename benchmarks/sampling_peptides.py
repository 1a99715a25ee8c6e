"""Reference populations of two peptides, and what plain and biased dynamics reach with the same force evaluations.

    python benchmarks/sampling_peptides.py metadynamics fixed langevin --work FOLDER --minutes 30
    python benchmarks/sampling_peptides.py tempering umbrella peers    --work FOLDER --minutes 60
    python benchmarks/sampling_peptides.py publish                     --work FOLDER

metadynamics: alanine dipeptide at 300 K, well-tempered on phi and psi, up to 100 ns. fixed: the same with the bias of
the shipped 30 ns held fixed, whose frames have exact weights. langevin: plain dynamics, 2.5 million force evaluations.
tempering: ACE-ALA-ALA-ALA-NME, parallel tempering from 300 K to 600 K. umbrella: the same chain at 300 K with a fixed
bias on its three phi. These with the compiled loops of `peptide_dynamics.py`. peers: OpenMM's `Metadynamics` and
`openmm-opes` (0.2.0) from the same start, several seeds.
publish: from what is there, `results/sampling_peptides.json` with populations and errors.

Every run is kept in pieces with its random state: stop it at any moment and start it again with the same command, it
goes on as if it had never stopped. `--minutes` is the budget of this call. One thread.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import openmm as mm
from openmm import app, unit
from scipy.special import logsumexp
from scipy.stats import chi2

from harness import RESULTS, Row, as_text, busy, machine, versions, write_json
from peptide_dynamics import GAS_CONSTANT, Hills, Walker, walker
from peptide_forces import agreement
from peptide_populations import (
    KT,
    biased_chain_table,
    chain_table,
    dipeptide_table,
    growing_log_weights,
    ladder_table,
    patterns,
    switches,
)
from peptide_systems import FRICTION, LEFT, STEP, TEMPERATURE, dipeptide_basins, peptide, recipe

SEED = 18
FRAME = 50  # steps between frames: 0.2 ps
PIECE = 5000  # frames: 1 ns
GROWING, FIXED = 100, 100  # pieces of metadynamics, and of the run with a bias that stays
SHIPPED = Path(__file__).resolve().parents[1] / "src/infoscope/datasets/data/alanine_dipeptide_300K_metadynamics.npz"
LADDER = np.geomspace(300.0, 600.0, 6)  # K
SWAP = 250  # steps between swaps: 1 ps
ROUNDS = 100  # swaps in a piece of 0.1 ns a replica
TEMPERED = 100  # pieces: 10 ns a replica
PLAIN = 10  # pieces: 2.5 million force evaluations
PEER_RUNS, PEER_PARTS, PEER_STEPS = 4, 4, 62_500  # seeds; parts of a run; steps of a part


# ---------------------------------------------------------------- runs in pieces
def carry_on(folder: Path, walkers: list[Walker], pieces: int, piece_of: Callable, until: float) -> None:
    """Run `piece_of(number)` (a dictionary of arrays) until there are so many pieces, or the time is over."""
    folder.mkdir(parents=True, exist_ok=True)
    state = folder / "state.npz"
    done = restore(state, walkers) if state.exists() else 0
    while done < pieces and time.time() < until:
        began = time.process_time()
        recipe.save(folder / f"piece_{done:05d}.npz", **piece_of(done))
        done += 1
        recipe.save(state, **snapshot(walkers), pieces=done)
        print(f"{folder.name}: {done} of {pieces} pieces, {time.process_time() - began:.1f} CPU seconds", flush=True)


def snapshot(walkers: list[Walker]) -> dict:
    """All that changes in a run."""
    changing = {name: np.stack([getattr(w, name) for w in walkers]) for name in ("positions", "velocities", "bias")}
    return changing | {"rng": json.dumps([w.rng.bit_generator.state for w in walkers])}


def restore(path: Path, walkers: list[Walker]) -> int:
    with np.load(path) as state:
        for number, (w, generator) in enumerate(zip(walkers, json.loads(str(state["rng"])), strict=True)):
            w.positions, w.velocities = state["positions"][number].copy(), state["velocities"][number].copy()
            w.bias, w.rng.bit_generator.state = state["bias"][number].copy(), generator
        return int(state["pieces"])


def pieces(folder: Path, first: int = 0) -> list[dict[str, np.ndarray]]:
    return [dict(np.load(path)) for path in sorted(folder.glob("piece_*.npz"))[first:]]


# ---------------------------------------------------------------- reference runs
def metadynamics(work: Path, until: float) -> None:
    one = walker(peptide(1), SEED)
    one.hills = Hills(height=1.0)

    def piece(number: int) -> dict[str, np.ndarray]:
        angles, energies = one.advance(PIECE, FRAME, biased=True)
        return {"angles": angles.astype(np.float32), "bias": energies[:, 1], "grid": one.bias}

    carry_on(work / "metadynamics", [one], GROWING, piece, until)


def fixed(work: Path, until: float) -> None:
    """The bias at the end of the shipped 30 ns, held fixed: nothing to converge, and every frame's weight is exact."""
    one = walker(peptide(1), SEED + 2)
    with np.load(SHIPPED) as file:
        one.bias = file["bias_grid"].astype(np.float64)

    def piece(number: int) -> dict[str, np.ndarray]:
        angles, energies = one.advance(PIECE, FRAME, biased=True)
        return {"angles": angles.astype(np.float32), "bias": energies[:, 1]}

    carry_on(work / "fixed", [one], FIXED, piece, until)


def umbrella(work: Path, until: float) -> None:
    """ACE-ALA-ALA-ALA-NME with a fixed bias on each phi that makes both hands equally likely: exact weights."""
    one = walker(peptide(3), SEED + 3)
    one.bias = phi_bias()

    def piece(number: int) -> dict[str, np.ndarray]:
        angles, energies = one.advance(PIECE, FRAME, biased=True)
        return {"angles": angles.astype(np.float32), "bias": energies[:, 1]}

    carry_on(work / "umbrella", [one], FIXED, piece, until)


def phi_bias() -> np.ndarray:
    """Minus the dipeptide's free energy of phi up to the barrier between the hands, flat above; nothing on psi."""
    with np.load(SHIPPED) as file:
        surface = file["free_energy"].astype(np.float64)
    profile = -KT * logsumexp(-surface / KT, axis=1)
    phi = np.degrees(np.linspace(-np.pi, np.pi, len(profile), endpoint=False))
    barrier = profile[np.abs(phi) < 20].max()
    return np.repeat(-np.minimum(profile, barrier)[:, None], len(profile), axis=1)


def tempering(work: Path, until: float) -> None:
    """Replicas at fixed temperatures exchange configurations; `origin` says whose configuration each one holds."""
    chain, seeds = peptide(3), np.random.SeedSequence(SEED).spawn(len(LADDER))
    replicas = [walker(chain, seed, t) for seed, t in zip(seeds, LADDER, strict=True)]

    def piece(number: int) -> dict[str, np.ndarray]:
        angles, energies, swapped = [], [], []
        for turn in range(ROUNDS):
            made = [replica.advance(1, SWAP) for replica in replicas]
            angles.append([angle[0] for angle, _ in made])
            energies.append([energy[0, 0] for _, energy in made])
            swapped.append(swaps(replicas, np.array(energies[-1]), turn % 2))
        return {"angles": np.array(angles, np.float32), "energy": np.array(energies), "swapped": np.array(swapped)}

    carry_on(work / "tempering", replicas, TEMPERED, piece, until)


def swaps(replicas: list[Walker], energies: np.ndarray, first: int) -> np.ndarray:
    """Exchange neighbours first + 2k and the next by the Metropolis rule; true at the lower of each swapped pair."""
    beta, swapped = 1 / (GAS_CONSTANT * LADDER), np.zeros(len(replicas) - 1, dtype=bool)
    for low in range(first, len(replicas) - 1, 2):
        one, two = replicas[low], replicas[low + 1]
        gain = (beta[low] - beta[low + 1]) * (energies[low] - energies[low + 1])
        swapped[low] = np.log(replicas[0].rng.random()) < gain
        if swapped[low]:
            hotter = np.sqrt(two.temperature / one.temperature)
            one.positions, two.positions = two.positions, one.positions
            one.velocities, two.velocities = two.velocities / hotter, one.velocities * hotter
    return swapped


def langevin(work: Path, until: float) -> None:
    """Plain dynamics of alanine dipeptide from its minimum, in the right-handed helix."""
    one = walker(peptide(1), SEED + 1)

    def piece(number: int) -> dict[str, np.ndarray]:
        return {"angles": one.advance(PIECE, FRAME)[0].astype(np.float32)}

    carry_on(work / "langevin", [one], PLAIN, piece, until)


# ---------------------------------------------------------------- biased dynamics of others
def peers(work: Path, until: float) -> None:
    """Short runs of the two packages with OpenMM's Reference platform; each run is one file."""
    (work / "peers").mkdir(parents=True, exist_ok=True)
    for seed in range(PEER_RUNS):
        for name, sampler_of in (("metadynamics", openmm_metadynamics), ("opes", openmm_opes)):
            path = work / "peers" / f"{name}_{seed}.npz"
            if not path.exists() and time.time() < until:
                began = time.process_time()
                recipe.save(path, **biased_run(sampler_of, seed), cpu_seconds=time.process_time() - began)
                print(f"{path.stem}: {time.process_time() - began:.0f} CPU seconds", flush=True)


def openmm_metadynamics(system: mm.System, variables: list[app.BiasVariable]) -> app.Metadynamics:
    """The settings of the shipped data: 1 kJ/mol every ps, bias factor 6."""
    return app.Metadynamics(system, variables, TEMPERATURE, recipe.BIAS_FACTOR, recipe.BIAS_HEIGHT, 250)


def openmm_opes(system: mm.System, variables: list[app.BiasVariable]):
    """The settings of the package's own example: barrier 50 kJ/mol, bias factor 10, a kernel every ps."""
    from openmm_opes import OPES

    return OPES(system, variables, TEMPERATURE, 50.0, frequency=250, varianceFrequency=None, biasFactor=10)


def biased_run(sampler_of: Callable, seed: int) -> dict[str, np.ndarray]:
    """The free energy surface that the package reports after every part of the run, and the torsions."""
    chain = peptide(1)
    width = 0.15 if sampler_of is openmm_opes else recipe.BIAS_WIDTH  # rad; what each one means by it differs
    variables = [app.BiasVariable(one_torsion(atoms), -np.pi, np.pi, width, True, 73) for atoms in chain.torsions]
    sampler = sampler_of(chain.system, variables)
    integrator = mm.LangevinMiddleIntegrator(TEMPERATURE, FRICTION, STEP)
    integrator.setRandomNumberSeed(seed + 1)
    simulation = app.Simulation(chain.topology, chain.system, integrator, mm.Platform.getPlatformByName("Reference"))
    simulation.context.setPositions(chain.positions)
    simulation.context.setVelocitiesToTemperature(TEMPERATURE, seed + 1)
    smooth = {"correctSmoothing": True} if sampler_of is openmm_opes else {}
    surfaces, shares, angles = [], [], []
    for _ in range(PEER_PARTS):
        for _ in range(PEER_STEPS // 250):
            sampler.step(simulation, 250)
            angles.append(sampler.getCollectiveVariables(simulation))
        surface = sampler.getFreeEnergy(**smooth)
        surfaces.append(
            np.asarray(surface.value_in_unit(unit.kilojoule_per_mole) if unit.is_quantity(surface) else surface)
        )
        shares.append(left_share(surfaces[-1]))
    return {
        "surfaces": np.array(surfaces, np.float32),
        "left": np.array(shares),
        "angles": np.array(angles, np.float32),
    }


def one_torsion(atoms: np.ndarray) -> mm.CustomTorsionForce:
    force = mm.CustomTorsionForce("theta")
    force.addTorsion(*(int(atom) for atom in atoms))
    return force


def left_share(surface: np.ndarray) -> float:
    """Population of the left-handed side of a surface in kJ/mol; OpenMM keeps the last variable first."""
    weight = np.exp(-(surface - np.nanmin(surface))[:-1, :-1] / (GAS_CONSTANT * TEMPERATURE))
    phi = np.degrees(np.linspace(-np.pi, np.pi, len(surface))[:-1])
    left = (phi > LEFT[0] + 1e-6) & (phi < LEFT[1])  # a point at the limit belongs to neither side
    return float(np.nansum(weight[:, left]) / np.nansum(weight))


# ---------------------------------------------------------------- what is published
def publish(work: Path, busy_before: float | None) -> None:
    """Everything that is there, with its length, and what is missing."""
    folders = [name for name in RUNS if pieces(work / name)]
    tables: dict[str, list[Row]] = {
        "Alanine dipeptide at 300 K": dipeptide(work),
        "Plain dynamics from the right-handed helix": plain_switches(work) if "langevin" in folders else [],
        "ACE-ALA-ALA-ALA-NME at 300 K": [
            *(tempered(work) if "tempering" in folders else []),
            *(umbrella_table(work) if "umbrella" in folders else []),
        ],
        "The fixed bias beside tempering": beside_tempering(work) if {"tempering", "umbrella"} <= set(folders) else [],
        "Its ladder": ladder(work) if "tempering" in folders else [],
        "Left-handed share by biased dynamics, several runs": peer_table(work),
        "CPU time of a force evaluation": speeds(),
    }
    report = {
        "name": "sampling_peptides",
        "date": datetime.now(UTC).date().isoformat(),
        "command": f"python benchmarks/sampling_peptides.py {' '.join([*folders, 'publish'])}",
        "machine": machine(1, busy_before),
        "versions": {"this": versions()},
        "tables": {title: rows for title, rows in tables.items() if rows},
        "bars": [],
        "notes": NOTES,
    }
    print(as_text(report))
    write_json(RESULTS / "sampling_peptides.json", report)


NOTES = [
    "Basins in degrees. Left-handed: phi from 0 to 125; of it alpha_L has psi from -90 to 115, C7ax the rest. "
    "Right-handed: alpha_R has psi from -110 to 90; of the rest C5 has phi below -120 or above 125, PPII above -120. "
    "In the chain + is left-handed, - right-handed.",
    "share_se: delete-one-block jackknife, 20 blocks. The shipped data are weighted by the bias at their end, whose "
    "own error the blocks do not see; metadynamics, without its first fifth, by the bias that each frame felt; the run "
    "with a fixed bias has exact weights.",
    "Reference runs use compiled loops of our own, whose energies and forces agree with OpenMM's to the printed "
    "figure; steps of 4 fs (hydrogens of 3 u), friction 1/ps.",
    "Runs of the packages start in the right-handed helix without a bias; their share is that of the surface that the "
    "package itself reports. The rms error of a package's run is from the share of the 100 ns of metadynamics, spread "
    "and offset together. Stretches of the reference runs begin with a bias that has grown: the best case.",
    "Tempering saw nothing of ++- and +++ at 300 K: a share of 0 has no error here, and its shares below 0.003 have "
    "errors about as large as themselves. The fixed bias came into all eight basins, so often as the table says.",
    "CPU time of one thread, not wall time: other programs used the machine.",
]


def dipeptide(work: Path) -> list[Row]:
    with np.load(SHIPPED) as file:
        rows = dipeptide_table(file["torsions"][:, :2], file["log_weight"].astype(np.float64), "shipped data", 30.0)
    if done := pieces(work / "metadynamics"):
        angles, weights = after_filling(done)
        rows += dipeptide_table(angles, weights, "metadynamics", float(len(done)))
    if done := pieces(work / "fixed"):
        angles, bias = (np.concatenate([piece[key] for piece in done]) for key in ("angles", "bias"))
        rows += dipeptide_table(angles, bias / KT, "fixed bias", float(len(done)))
    return rows


def after_filling(done: list[dict[str, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Frames of metadynamics without its first fifth, and their log weights."""
    first = len(done) // 5
    bias, grids = (np.stack([piece[key] for piece in done]) for key in ("bias", "grid"))
    angles = np.concatenate([piece["angles"] for piece in done[first:]])
    return angles, growing_log_weights(bias, grids, Hills().factor)[first:].ravel()


def plain_switches(work: Path) -> list[Row]:
    angles = np.concatenate([piece["angles"] for piece in pieces(work / "langevin")])
    evaluations = len(angles) * FRAME
    return [
        {
            "switches between": name,
            "seen": count,
            "force evaluations": evaluations,
            "95 % limit per million": float(chi2.ppf(0.95, 2 * count + 2) / 2 / evaluations * 1e6),  # Poisson
        }
        for name, count in switches(angles).items()
    ]


def tempered(work: Path) -> list[Row]:
    done = pieces(work / "tempering")
    done = done[len(done) // 10 :]
    angles, energies = (np.concatenate([piece[key] for piece in done]) for key in ("angles", "energy"))
    return chain_table(angles, energies, LADDER, len(done) * ROUNDS * SWAP * STEP / 1000)


def umbrella_table(work: Path) -> list[Row]:
    done = pieces(work / "umbrella")
    done = done[len(done) // 10 :]
    angles, bias = (np.concatenate([piece[key] for piece in done]) for key in ("angles", "bias"))
    return biased_chain_table(angles, bias / KT, len(done))


def beside_tempering(work: Path) -> list[Row]:
    """How far two independent references are apart; not where tempering saw nothing."""
    pattern = patterns(np.concatenate([piece["angles"] for piece in pieces(work / "umbrella")]))
    rows: list[Row] = []
    for number, (one, two) in enumerate(zip(umbrella_table(work), tempered(work), strict=False)):
        seen, error = two["share"] > 1e-6, np.hypot(one["share_se"], two["share_se"])
        rows.append({
            "phi1 phi2 phi3": one["phi1 phi2 phi3"],
            "fixed bias": one["share"], "its se": one["share_se"],
            "tempering, all temperatures": two["share"], "tempering se": two["share_se"],
            "errors apart": float(abs(one["share"] - two["share"]) / error) if seen else None,
            "times entered under the bias": int(np.sum((pattern[1:] == number) & (pattern[:-1] != number))),
        })  # fmt: skip
    return rows


def ladder(work: Path) -> list[Row]:
    return ladder_table(np.concatenate([piece["swapped"] for piece in pieces(work / "tempering")]), LADDER)


def peer_table(work: Path) -> list[Row]:
    """Mean and spread over independent runs: the packages' own answers, and stretches of the reference runs.

    A stretch begins with its bias already grown: what biased dynamics can reach at best.
    """
    rows: list[Row] = []
    for name in ("metadynamics", "opes"):
        runs = [np.load(path)["left"] for path in sorted((work / "peers").glob(f"{name}_*.npz"))]
        package = {"metadynamics": "OpenMM Metadynamics", "opes": "openmm-opes"}[name]
        for part in range(PEER_PARTS) if len(runs) > 1 else ():
            rows.append(spread_row(package, (part + 1) * PEER_STEPS, np.array([left[part] for left in runs])))
    if done := pieces(work / "metadynamics"):
        angles, weights = after_filling(done)
        reference = dipeptide_table(angles, weights, "", 0.0)[-1]["share"]
        for row in rows:  # a run that has not converged may spread little and be wrong
            row["rms error"] = float(np.hypot(row["left-handed share"] - reference, row["spread of one run"]))
        rows += [row | {"rms error": None} for row in stretches("metadynamics, bias grown", angles, weights)]
    if done := pieces(work / "fixed"):
        angles, bias = (np.concatenate([piece[key] for piece in done]) for key in ("angles", "bias"))
        rows += [row | {"rms error": None} for row in stretches("fixed bias", angles, bias / KT)]
    return rows


def stretches(name: str, angles: np.ndarray, log_weights: np.ndarray) -> list[Row]:
    left = dipeptide_basins(*np.degrees(angles.astype(np.float64)).T) >= 3
    weights, rows = np.exp(log_weights - log_weights.max()), []
    for frames in (PIECE, 2 * PIECE, 5 * PIECE, 10 * PIECE):
        count = len(left) // frames
        if count > 3:
            parts = weights[: count * frames].reshape(count, frames)
            inside = left[: count * frames].reshape(count, frames)
            rows.append(spread_row(name, frames * FRAME, np.sum(parts * inside, axis=1) / np.sum(parts, axis=1)))
    return rows


def spread_row(name: str, evaluations: int, left: np.ndarray) -> Row:
    return {
        "run": name,
        "force evaluations": evaluations,
        "runs": len(left),
        "left-handed share": float(left.mean()),
        "spread of one run": float(left.std(ddof=1)),
    }


def speeds() -> list[Row]:
    """CPU microseconds of a step with OpenMM's platforms (one thread) and with the compiled loops."""
    rows: list[Row] = []
    for alanines in (1, 3):
        chain = peptide(alanines)
        energy, force = agreement(chain.system, chain.positions[None])
        row = {"alanines": alanines, "atoms": len(chain.positions)}
        for name in ("Reference", "CPU"):
            integrator = mm.LangevinMiddleIntegrator(TEMPERATURE, FRICTION, STEP)
            options = {"Threads": "1"} if name == "CPU" else {}
            context = mm.Context(chain.system, integrator, mm.Platform.getPlatformByName(name), options)
            context.setPositions(chain.positions)
            row[f"OpenMM {name}, us"] = cpu_microseconds(integrator.step, 2000)
        one = walker(chain, SEED)
        row["compiled loops, us"] = cpu_microseconds(lambda steps, one=one: one.advance(1, steps), 4000)
        rows.append(row | {"energies agree to, kJ/mol": energy, "forces agree to, kJ/mol/nm": force})
    return rows


def cpu_microseconds(run: Callable[[int], object], steps: int) -> float:
    run(100)
    began = time.process_time()
    run(steps)
    return (time.process_time() - began) / steps * 1e6


RUNS = {"metadynamics": metadynamics, "fixed": fixed, "langevin": langevin, "tempering": tempering,
        "umbrella": umbrella, "peers": peers}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="+", choices=[*RUNS, "publish"])
    parser.add_argument("--work", type=Path, required=True, help="folder of the pieces")
    parser.add_argument("--minutes", type=float, default=60.0, help="stop after the piece that passes this")
    options = parser.parse_args()
    until, busy_before = time.time() + 60.0 * options.minutes, busy()
    for part in options.parts:
        if part == "publish":
            publish(options.work, busy_before)
        else:
            RUNS[part](options.work, until)


if __name__ == "__main__":
    main()
