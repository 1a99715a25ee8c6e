"""Alanine dipeptide at 300 K by `FlowCVSampler` in OpenMM, beside the plain and biased dynamics of `sampling_peptides`.

    nice -n 10 python benchmarks/sampling_alanine.py run     --work FOLDER --minutes 30
    nice -n 10 python benchmarks/sampling_alanine.py publish --work FOLDER

run: twenty chains, eight of them started in the right-handed helix, eight extended, four left-handed, each dragged
there from one minimised structure. They move by hybrid Monte Carlo and by paths along phi and psi; adaptation learns
the proposal and the local step, and production goes on until 2.5 million force evaluations are spent. A checkpoint is
kept: stop it at any moment and start it again with the same command, it goes on as if it had never stopped.
publish: `results/sampling_alanine.json`, with what `results/sampling_peptides.json` says of the same System.

Every force evaluation of production counts: of paths, accepted or not, of local moves, and of the looks at their ends.
"""

from __future__ import annotations

import argparse
import json
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from scipy.stats import chi2

from harness import RESULTS, as_text, bar, busy, machine, versions, write_json
from infoscope.sampling import FlowCVSampler, MolecularVariables, OpenMMTarget, TorsionVariable
from peptide_populations import dipeptide_table, switches
from peptide_systems import TEMPERATURE, dipeptide_basins, peptide

SEED = 18
EVALUATIONS = 2_500_000
STARTS = ((8, (-80.0, -20.0)), (8, (-80.0, 150.0)), (4, (55.0, 40.0)))  # chains, and phi and psi in degrees
KAPPA, STEP, STEP_LENGTH = 300.0, 0.004, 0.008  # kT/rad^2, ps, rad
BURN_IN, ADAPTATION, ROUND = 40, 40, 20  # iterations; the last: of production between two looks at the clock
NAMES = ("right-handed helix", "extended", "left-handed")


def hands(z: np.ndarray) -> np.ndarray:
    """The basins alpha_R, C5 and PPII together, alpha_L and C7ax together."""
    return np.array([0, 1, 1, 2, 2])[dipeptide_basins(*np.degrees(z).T)]


def sampler() -> tuple[FlowCVSampler, np.ndarray]:
    """The sampler and its starts."""
    chain = peptide(1)
    target = OpenMMTarget(
        chain.system, temperature=TEMPERATURE, topology=chain.topology, positions=chain.positions, n_jobs=1
    )
    parts = [
        TorsionVariable(*map(int, atoms), name=name) for name, atoms in zip(("phi", "psi"), chain.torsions, strict=True)
    ]
    variables = MolecularVariables(parts)
    options = {"kappa": KAPPA, "step": STEP, "step_length": STEP_LENGTH, "local": "hmc", "n_local": 2}
    made = FlowCVSampler(target, variables, basins=hands, n_burn_in=BURN_IN, random_state=SEED, **options)
    return made, np.concatenate([dragged(target, variables, n, goal) for n, goal in STARTS])


def dragged(target: OpenMMTarget, variables: MolecularVariables, n: int, goal: tuple[float, float]) -> np.ndarray:
    """Starts in another basin: slow paths from the minimised structure, with thermal momenta."""
    rng = np.random.default_rng(SEED + n + round(goal[0]) % 7)
    x = np.repeat(target.positions, n, axis=0)
    z = variables.values(x)
    way = (np.radians(goal) - z + np.pi) % (2 * np.pi) - np.pi
    momenta = rng.normal(size=x.shape) * np.sqrt(target.masses)
    options = {"kappa": KAPPA, "step": 0.003, "masses": target.masses, "schedule": "cosine"}
    return target.drag(variables, x, z, way, momenta, n_steps=np.full(n, 1000), **options)[0]


def run(work: Path, until: float) -> None:
    work.mkdir(parents=True, exist_ok=True)
    made, starts = sampler()
    file, n_iter = work / "alanine.npz", ROUND
    if (work / "done.json").exists():
        n_iter = json.loads((work / "done.json").read_text())["iterations"] + ROUND
    while time.time() < until:
        began = time.process_time()
        made.fit(starts, n_adapt=ADAPTATION, n_iter=n_iter, checkpoint=file, resume=True)
        found = made.result_
        spent = {"iterations": n_iter, "evaluations": int(found.n_gradients)}
        (work / "done.json").write_text(json.dumps(spent))
        chains = by_chain(found)
        np.savez_compressed(work / "angles.npz", angles=chains.astype(np.float32), **summary(found))
        seen = [switches(angles) for angles in chains]
        print(spent, {key: sum(row[key] for row in seen) for key in seen[0]}, f"{time.process_time() - began:.0f} s")
        if found.n_gradients >= EVALUATIONS:
            return
        n_iter += ROUND


def by_chain(found) -> np.ndarray:
    """phi and psi of production, (chains, iterations, 2)."""
    order = np.lexsort((found.iteration, found.chain))
    return found.variables[order].reshape(found.n_chains, -1, 2)


def summary(found) -> dict[str, np.ndarray]:
    names = ("acceptance_rate", "crossing_acceptance", "n_gradients", "r_hat", "effective_size", "free_energy_bennett")
    names += ("free_energy_bennett_se", "free_energy_difference", "free_energy_difference_se", "consistency_p", "exact")
    return {name: np.asarray(getattr(found, name)) for name in names} | {"mean_steps": found.n_steps.mean()}


# ---------------------------------------------------------------- what is published
def publish(work: Path, busy_before: float | None) -> None:
    with np.load(work / "angles.npz") as file:
        kept = dict(file)
    spent, chains = int(kept["n_gradients"]), kept["angles"]
    others = json.loads((RESULTS / "sampling_peptides.json").read_text())["tables"]
    switched, shares = switch_table(chains, spent, others), share_table(chains, others)
    runs = left_table(chains, spent, shares[-1], others)
    before = before_production(chains, float(kept["mean_steps"]))
    moves = {
        "mean steps of a path": float(kept["mean_steps"]), "acceptance": float(kept["acceptance_rate"]),
        "acceptance between basins": float(kept["crossing_acceptance"]), "R-hat": float(np.max(kept["r_hat"])),
        "effective draws of phi": float(kept["effective_size"][0]), "chains": len(chains),
        "iterations": chains.shape[1], "force evaluations": spent, "before production, about": before,
    }  # fmt: skip
    energies = [
        {
            "left-handed less right-handed helix, kT, from": way,
            "value": float(kept[f"free_energy_{name}"][2]),
            "se": float(kept[f"free_energy_{name}_se"][2]),
        }
        for way, name in (("populations", "difference"), ("all attempts (Bennett)", "bennett"))
    ]
    text = "switches for a force evaluation beside plain dynamics, "
    report = {
        "name": "sampling_alanine",
        "date": datetime.now(UTC).date().isoformat(),
        "command": "python benchmarks/sampling_alanine.py publish",
        "machine": machine(1, busy_before),
        "versions": {"this": versions()},
        "tables": {"Switches": switched, "Populations": shares, "Moves": [moves], "Free energy": energies,
                   "Error of the left-handed share": runs},
        "bars": [
            *(bar(text + row["switches between"], row["ratio"], 30, at_least=True) for row in switched),
            bar("standard errors between populations and 100 ns of metadynamics, largest of six",
                max(row["standard errors apart"] for row in shares), 3),
            *error_bars(runs),
        ],
        "notes": NOTES,
    }  # fmt: skip
    print(as_text(report))
    write_json(RESULTS / "sampling_alanine.json", report)


def switch_table(chains: np.ndarray, spent: int, others: dict) -> list[dict]:
    """Counts with their Poisson limits, beside plain dynamics."""
    rows = []
    for row in others["Plain dynamics from the right-handed helix"]:
        name, theirs = row["switches between"], row["force evaluations"]
        seen = sum(switches(angles)[name] for angles in chains)
        low, high = (chi2.ppf(level, 2 * seen + more) / 2 / spent * 1e6 for level, more in ((0.025, 0), (0.975, 2)))
        plain = row["seen"] / theirs * 1e6 or row["95 % limit per million"]
        rows.append({
            "switches between": name, "sampler, seen": seen, "its force evaluations": spent,
            "per million": seen / spent * 1e6, "95 % from": float(low), "to": float(high),
            "plain dynamics, seen": row["seen"], "its evaluations": theirs,
            "per million, or 95 % limit of none": plain, "ratio": seen / spent * 1e6 / plain,
        })  # fmt: skip
    return rows


def share_table(chains: np.ndarray, others: dict) -> list[dict]:
    """Populations and their distance from 100 ns of metadynamics."""
    frames = chains.reshape(-1, 2)  # chain by chain: a block of the jackknife is a chain
    shares = dipeptide_table(frames, np.zeros(len(frames)), "this sampler", None)
    reference = {row["basin"]: row for row in others["Alanine dipeptide at 300 K"] if row["from"] == "metadynamics"}
    for row in shares:
        other = reference[row["basin"]]
        row |= {"metadynamics": other["share"], "its se": other["share_se"]}
        row["standard errors apart"] = abs(row["share"] - other["share"]) / np.hypot(row["share_se"], other["share_se"])
        row.pop("ns"), row.pop("from")
    return shares


def left_table(chains: np.ndarray, spent: int, whole: dict, others: dict) -> list[dict]:
    """Stretches of the run (all chains, so many iterations), the whole of it, and the runs of biased dynamics."""
    left, rows = hands(chains.reshape(-1, 2)).reshape(chains.shape[:2]) == 2, []
    for parts in (10, 5):
        found = np.array([part.mean() for part in np.array_split(left, parts, axis=1)])
        rows.append(left_row("this sampler, stretches", spent / parts, parts, found.mean(), found.std(ddof=1), whole))
    rows.append(left_row("this sampler, whole", spent, 1, whole["share"], whole["share_se"], whole))
    names = ("left-handed share", "spread of one run", "rms error")
    theirs = others["Left-handed share by biased dynamics, several runs"]
    return rows + [{key: row[key] for key in ("run", "force evaluations", "runs", *names)} for row in theirs]


def left_row(run: str, evaluations: float, runs: int, share: float, spread: float, whole: dict) -> dict:
    error = float(np.hypot(share - whole["metadynamics"], spread))
    return {"run": run, "force evaluations": round(evaluations), "runs": runs, "left-handed share": float(share),
            "spread of one run": float(spread), "rms error": error}  # fmt: skip


def error_bars(runs: list[dict]) -> list[dict]:
    """Errors beside the better package's own runs, and beside stretches of dynamics whose bias has grown."""
    ours = [row for row in runs if row["run"].startswith("this sampler")]
    short, long = ours[0], ours[-1]
    packages = [row for row in runs if row["run"] in ("OpenMM Metadynamics", "openmm-opes")]
    most = max(row["force evaluations"] for row in packages)
    better = min((row for row in packages if row["force evaluations"] == most), key=lambda row: row["rms error"])
    grown = [row for row in runs if row["run"] == "metadynamics, bias grown"][-1]
    # Errors fall with the root of the work: brought to the other's number of evaluations.
    scaled = short["spread of one run"] * np.sqrt(short["force evaluations"] / most)
    scaled_long = long["spread of one run"] * np.sqrt(long["force evaluations"] / grown["force evaluations"])
    text = "error of the left-handed share beside"
    return [
        bar(f"{text} {better['run']}, {most:,} evaluations each", scaled / better["rms error"], 2),
        bar(f"{text} metadynamics with a bias that has grown, {grown['force evaluations']:,} each",
            scaled_long / grown["spread of one run"], 2),
    ]  # fmt: skip


def before_production(chains: np.ndarray, mean_steps: float) -> int:
    """Force evaluations of burn-in and adaptation, whose local moves are ten of ten steps an iteration."""
    return round(len(chains) * ((BURN_IN + ADAPTATION) * 100 + ADAPTATION * (mean_steps + 1)))


NOTES = [
    "The same System for all: ff14SB, OBC2, bonds to hydrogen constrained, hydrogens of 3 u, steps of 4 fs.",
    "Switches between cores of phi or psi, seen at the end of every iteration (a few hundred force evaluations), and "
    "every 50 steps of plain dynamics. A count of none enters with its Poisson 95 % limit.",
    "The sampler's frames have equal weights; share_se: jackknife over its chains. Chains start in all three basins, "
    "as the sampler asks, plain dynamics in the right-handed helix.",
    "Counted: every force evaluation of production, so of paths, accepted or not, of local moves, and of the looks at "
    "their ends. Not counted: burn-in and adaptation (last column of Moves, spent once), whose proposal the stretches "
    "of the run begin with. A package's run begins without a bias: at its 250,000 evaluations it has an answer, and "
    "this sampler is still adapting.",
    "Spread of one run: standard deviation over independent runs or stretches; of the whole run the jackknife over its "
    "chains. rms error: spread and offset from 100 ns of metadynamics, together. In the bars errors are brought to the "
    "same number of evaluations by the root of their ratio.",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="+", choices=["run", "publish"])
    parser.add_argument("--work", type=Path, required=True, help="folder of the checkpoint")
    parser.add_argument("--minutes", type=float, default=60.0, help="stop after the round that passes this")
    options = parser.parse_args()
    busy_before = busy()
    if "run" in options.parts:
        run(options.work, time.time() + 60.0 * options.minutes)
    if "publish" in options.parts:
        publish(options.work, busy_before)


if __name__ == "__main__":
    main()
