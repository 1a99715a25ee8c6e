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

import numpy as np
from scipy.stats import chi2

from harness import bar
from infoscope.sampling import FlowCVSampler, MolecularVariables, OpenMMTarget, TorsionVariable
from peptide_populations import dipeptide_table, switches
from peptide_runs import KAPPA, STEP, Run, by_chain, command_line, dragged, moves_row, numbers_of
from peptide_systems import TEMPERATURE, dipeptide_basins, peptide

SEED = 18
EVALUATIONS = 2_500_000
STARTS = ((8, (-80.0, -20.0)), (8, (-80.0, 150.0)), (4, (55.0, 40.0)))  # chains, and phi and psi in degrees
STEP_LENGTH = 0.008  # rad
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
    starts = []
    for n, goal in STARTS:
        rng = np.random.default_rng(SEED + n + round(goal[0]) % 7)
        starts.append(dragged(target, variables, np.tile(np.radians(goal), (n, 1)), 1000, rng))
    return made, np.concatenate(starts)


def summary(found) -> dict[str, np.ndarray]:
    return {"angles": by_chain(found, found.variables).astype(np.float32), **numbers_of(found)}


def line(found) -> dict[str, int]:
    seen = [switches(angles) for angles in by_chain(found, found.variables)]
    return {key: sum(row[key] for row in seen) for key in seen[0]}


# ---------------------------------------------------------------- what is published
def report(kept: dict[str, np.ndarray], spent: dict, others: dict) -> tuple[dict, list, list]:
    evaluations, chains = int(kept["n_gradients"]), kept["angles"]
    switched, shares = switch_table(chains, evaluations, others), share_table(chains, others)
    runs = left_table(chains, evaluations, shares[-1], others)
    before = before_production(chains, float(kept["mean_steps"]))
    moves = moves_row(kept, chains.shape[1], len(chains)) | {"before production, about": before}
    energies = [
        {
            "left-handed less right-handed helix, kT, from": way,
            "value": float(kept[f"free_energy_{name}"][2]),
            "se": float(kept[f"free_energy_{name}_se"][2]),
        }
        for way, name in (("populations", "difference"), ("all attempts (Bennett)", "bennett"))
    ]
    text = "switches for a force evaluation beside plain dynamics, "
    tables = {"Switches": switched, "Populations": shares, "Moves": [moves], "Free energy": energies,
              "Error of the left-handed share": runs}  # fmt: skip
    bars = [
        *(bar(text + row["switches between"], row["ratio"], 30, at_least=True) for row in switched),
        bar("standard errors between populations and 100 ns of metadynamics, largest of six",
            max(row["standard errors apart"] for row in shares), 3),
        *error_bars(runs),
    ]  # fmt: skip
    return tables, bars, NOTES


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


def spent_enough(found) -> bool:
    return found.n_gradients >= EVALUATIONS


if __name__ == "__main__":
    command_line(Run("alanine", sampler, summary, line, report, ADAPTATION, ROUND, spent_enough), __doc__, 60.0)
