"""ACE-ALA-ALA-ALA-NME at 300 K by `FlowCVSampler` along its six torsions, beside tempering and a bias on its phi.

    nice -n 5 python benchmarks/sampling_trialanine.py run     --work FOLDER --minutes 15
    nice -n 5 python benchmarks/sampling_trialanine.py publish --work FOLDER

run: sixteen chains, two started in each of the eight basins (signs of the three phi), each dragged there from one
minimised structure. The proposal is not learnt from this chain: each residue's phi and psi come from a mixture of von
Mises laws of alanine dipeptide (the shipped metadynamics), with more on the left-handed side than it has. Paths and
local moves by the compiled loops (`peptide_target.py`), which agree with OpenMM's. A checkpoint is kept: the same
command goes on.
publish: `results/sampling_trialanine.json`, with what `results/sampling_peptides.json` says of the same System.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from harness import RESULTS, as_text, bar, busy, machine, versions, write_json
from infoscope.sampling import FlowCVSampler, GaussianMixtureProposal
from peptide_populations import patterns
from peptide_systems import LEFT, handedness_names, peptide, within
from peptide_target import CompiledTarget, difference_from_openmm, torsion_variables
from sampling_peptides import SHIPPED

SEED, RESIDUES, CHAINS = 18, 3, 2  # chains started in each basin
KAPPA, STEP, STEP_LENGTH, LOCAL = 300.0, 0.004, 0.005, 4  # kT/rad^2, ps, rad, moves of ten steps
ADAPTATION, ROUND = 60, 25  # iterations
LEFT_SHARE = 0.15  # of each residue's proposal; the dipeptide has 0.02
RIGHT, EXTENDED, LEFT_HANDED = (-80.0, -20.0), (-80.0, 150.0), (55.0, 40.0)  # phi and psi of starts, degrees
NAMES = handedness_names(RESIDUES)


class EachResidue:
    """One law of (phi, psi) for every residue, independently."""

    def __init__(self, law: GaussianMixtureProposal, residues: int) -> None:
        self.law, self.residues, self.n_variables = law, residues, 2 * residues

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        return self.law.sample(n * self.residues, rng).reshape(n, self.n_variables)

    def log_prob(self, z: np.ndarray) -> np.ndarray:
        return self.law.log_prob(np.reshape(z, (-1, 2))).reshape(-1, self.residues).sum(1)


def proposal() -> EachResidue:
    """The dipeptide's law with `LEFT_SHARE` on the left-handed side."""
    with np.load(SHIPPED) as file:
        angles, log_weight = file["torsions"][:, :2].astype(np.float64), file["log_weight"].astype(np.float64)
    weight, left = np.exp(log_weight - log_weight.max()), within(np.degrees(angles[:, 0]), LEFT)
    for side, share in ((left, LEFT_SHARE), (~left, 1 - LEFT_SHARE)):
        weight[side] *= share / weight[side].sum()
    law = GaussianMixtureProposal(n_components=8, period=2 * np.pi, random_state=SEED)
    return EachResidue(law.fit(angles, sample_weight=weight * len(weight)), RESIDUES)


def sampler(step_length: float = STEP_LENGTH, local: int = LOCAL) -> tuple[FlowCVSampler, np.ndarray]:
    """The sampler and its starts."""
    chain = peptide(RESIDUES)
    target, variables = CompiledTarget(chain), torsion_variables(chain)
    options = {"kappa": KAPPA, "step": STEP, "step_length": step_length, "local": "hmc", "n_local": local}
    made = FlowCVSampler(target, variables, basins=patterns, proposal=proposal(), random_state=SEED, **options)
    return made, starts(target, variables)


def starts(target: CompiledTarget, variables) -> np.ndarray:
    """Slow paths from the minimised structure; right-handed residues alternate between helix and extended."""
    signs = np.array(list(itertools.product((0, 1), repeat=RESIDUES)))
    places = np.array([[RIGHT, EXTENDED], [LEFT_HANDED, LEFT_HANDED]])
    turns = np.arange(CHAINS)[:, None, None] + np.arange(len(signs))[:, None] + np.arange(RESIDUES)
    goals = np.radians(places[np.tile(signs, (CHAINS, 1, 1)), turns % 2].reshape(-1, 2 * RESIDUES))
    x, rng = np.repeat(target.positions, len(goals), axis=0), np.random.default_rng(SEED)
    z = variables.values(x)
    way = (goals - z + np.pi) % (2 * np.pi) - np.pi
    momenta = rng.normal(size=x.shape) * np.sqrt(target.masses)
    options = {"kappa": KAPPA, "step": 0.003, "masses": target.masses, "schedule": "cosine"}
    return target.drag(variables, x, z, way, momenta, n_steps=np.full(len(x), 4000), **options)[0]


def run(work: Path, until: float) -> None:
    work.mkdir(parents=True, exist_ok=True)
    made, first = sampler()
    known = work / "done.json"
    spent = json.loads(known.read_text()) if known.exists() else {"iterations": 0, "all evaluations": 0, "CPU s": 0.0}
    while time.time() < until:
        began, made.target.evaluations = time.process_time(), 0
        spent["iterations"] += ROUND
        made.fit(first, n_adapt=ADAPTATION, n_iter=spent["iterations"], checkpoint=work / "trialanine.npz", resume=True)
        spent["all evaluations"] += made.target.evaluations
        spent["CPU s"] += time.process_time() - began
        known.write_text(json.dumps(spent))
        found = made.result_
        np.savez_compressed(work / "found.npz", **summary(found))
        seen = np.bincount(patterns(found.variables), minlength=len(NAMES))
        rates = f"{found.acceptance_rate:.3f} {found.crossing_acceptance:.3f} {found.r_hat.max():.3f}"
        print(spent, found.n_gradients, found.n_switches, rates, seen, flush=True)


def summary(found) -> dict[str, np.ndarray]:
    """What is published of a result; what each attempted move says of the basins, one row a chain and iteration."""
    order = np.lexsort((found.iteration, found.chain))
    chance = np.exp(np.minimum(found.log_acceptance, 0.0))[order, None]
    one_hot = np.eye(len(NAMES))
    before, beyond = (one_hot[patterns(getattr(found, name)[order])] for name in ("before", "beyond"))
    names = ("acceptance_rate", "crossing_acceptance", "n_gradients", "n_switches", "r_hat", "effective_size",
             "free_energy_bennett", "free_energy_bennett_se", "populations", "populations_se", "exact")  # fmt: skip
    angles = found.variables[order].reshape(found.n_chains, -1, 2 * RESIDUES).astype(np.float32)
    return {name: np.asarray(getattr(found, name)) for name in names} | {
        "angles": angles,
        "recycled": (chance * beyond + (1 - chance) * before).reshape(*angles.shape[:2], -1).astype(np.float32),
        "mean_steps": found.n_steps.mean(),
    }


# ---------------------------------------------------------------- what is published
def publish(work: Path, busy_before: float | None) -> None:
    with np.load(work / "found.npz") as file:
        kept = dict(file)
    spent = json.loads((work / "done.json").read_text())
    others = json.loads((RESULTS / "sampling_peptides.json").read_text())["tables"]["ACE-ALA-ALA-ALA-NME at 300 K"]
    rows = share_table(kept, others)
    path, work_apart = difference_from_openmm(peptide(RESIDUES))
    moves = {
        "mean steps of a path": float(kept["mean_steps"]), "acceptance": float(kept["acceptance_rate"]),
        "acceptance between basins": float(kept["crossing_acceptance"]), "changes of basin": int(kept["n_switches"]),
        "R-hat, largest": float(np.max(kept["r_hat"])),
        "effective draws, fewest": float(np.min(kept["effective_size"])),
        "chains": len(kept["angles"]), "iterations": kept["angles"].shape[1],
        "force evaluations": int(kept["n_gradients"]), "with starts and adaptation": int(spent["all evaluations"]),
        "CPU s": spent["CPU s"],
    }  # fmt: skip
    torsions = [
        {"torsion": f"{name}{1 + k}", "R-hat": float(kept["r_hat"][2 * k + j]),
         "effective draws": float(kept["effective_size"][2 * k + j])}
        for k in range(RESIDUES) for j, name in enumerate(("phi", "psi"))
    ]  # fmt: skip
    text = "basins visited, and within three standard errors of"
    report = {
        "name": "sampling_trialanine",
        "date": datetime.now(UTC).date().isoformat(),
        "command": "python benchmarks/sampling_trialanine.py publish",
        "machine": machine(1, busy_before),
        "versions": {"this": versions()},
        "tables": {
            "Populations": rows,
            "Moves": [moves],
            "Torsions": torsions,
            "A path of 100 steps beside OpenMM's": [{"end, nm": path, "work, kT": work_apart}],
        },
        "bars": [
            *(bar(f"{text} {reference}", within_three(rows, column), 8, at_least=True)
              for reference, column in (("tempering", "errors apart"), ("the fixed bias", "errors apart from it"))),
            bar("R-hat, largest of six torsions", moves["R-hat, largest"], 1.02),
        ],
        "notes": NOTES,
    }  # fmt: skip
    print(as_text(report))
    write_json(RESULTS / "sampling_trialanine.json", report)


def share_table(kept: dict[str, np.ndarray], others: list[dict]) -> list[dict]:
    """A row a basin: shares of the states, of both ends of every attempt, by Bennett, and of the two references."""
    frames = patterns(kept["angles"].reshape(-1, 2 * RESIDUES)).reshape(kept["angles"].shape[:2])
    states, states_se = over_chains(np.eye(len(NAMES))[frames])
    recycled, recycled_se = over_chains(kept["recycled"].astype(np.float64))
    bennett, bennett_se = from_differences(kept["free_energy_bennett"], kept["free_energy_bennett_se"])
    tempered, biased = (
        {row["phi1 phi2 phi3"]: row for row in others if row["from"] == source}
        for source in ("tempering, all temperatures", "fixed bias")
    )
    rows = []
    for b, name in enumerate(NAMES):
        one, two = tempered[name], biased[name]
        apart = [  # tempering that saw nothing of a basin says nothing of it
            abs(recycled[b] - row["share"]) / np.hypot(recycled_se[b], row["share_se"]) if row["share"] > 1e-6 else None
            for row in (one, two)
        ]
        rows.append({
            "phi1 phi2 phi3": name, "states": int(np.sum(frames == b)), "share": states[b], "share_se": states_se[b],
            "both ends": recycled[b], "its se": recycled_se[b], "Bennett": bennett[b], "Bennett se": bennett_se[b],
            "tempering": one["share"], "tempering se": one["share_se"], "errors apart": apart[0],
            "fixed bias": two["share"], "fixed bias se": two["share_se"], "errors apart from it": apart[1],
        })  # fmt: skip
    return [{key: plain(value) for key, value in row.items()} for row in rows]


def plain(value: object) -> object:
    """For JSON; None for what is not known."""
    if not isinstance(value, np.floating):
        return value
    return float(value) if np.isfinite(value) else None


def within_three(rows: list[dict], column: str) -> int:
    """Basins that chains came to at all: an error of one without states says nothing."""
    return sum(row[column] is not None and row[column] < 3 and row["states"] > 0 for row in rows)


def over_chains(shares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean over chains and iterations (chains, iterations, basins), and its standard error from the chains."""
    each = shares.mean(axis=1)
    return each.mean(axis=0), each.std(axis=0, ddof=1) / np.sqrt(len(each))


def from_differences(energies: np.ndarray, errors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shares of free energies over the first basin's, which is nearly all: an error is that of its own energy."""
    weight = np.exp(-energies)
    shares = weight / np.nansum(weight)
    shares_se = shares * errors
    shares_se[0] = np.sqrt(np.nansum(shares_se[1:] ** 2))
    return shares, shares_se


NOTES = [
    "+ is left-handed (phi from 0 to 125 degrees), - right-handed. Sixteen chains, two started in each basin.",
    "states: frames with equal weights; both ends: every attempted move counts with its probability of acceptance "
    "(`recycled_mean`); errors from the spread of the chains. Bennett: from the works of all attempts. Where there are "
    "few states these hang on a few attempts, and their errors are too small.",
    "Errors apart: of both ends from tempering, and from the fixed bias; not where tempering did not see the basin.",
    "The proposal is the dipeptide's law for each residue, with 15 % on the left-handed side; nothing is learnt from "
    "this chain. `force evaluations` are those of production; `with starts and adaptation` counts everything.",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="+", choices=["run", "publish"])
    parser.add_argument("--work", type=Path, required=True, help="folder of the checkpoint")
    parser.add_argument("--minutes", type=float, default=15.0, help="stop after the round that passes this")
    options = parser.parse_args()
    busy_before = busy()
    if "run" in options.parts:
        run(options.work, time.time() + 60.0 * options.minutes)
    if "publish" in options.parts:
        publish(options.work, busy_before)


if __name__ == "__main__":
    main()
