"""ACE-ALA-ALA-ALA-NME at 300 K by `FlowCVSampler` along its six torsions, beside tempering and a bias on its phi.

    nice -n 5 python benchmarks/sampling_trialanine.py run     --work FOLDER --minutes 60
    nice -n 5 python benchmarks/sampling_trialanine.py publish --work FOLDER

run: sixteen chains, two started in each of the eight basins (signs of the three phi), each dragged there from one
minimised structure. Every move draws new phi and psi of one residue, chosen at random, from a mixture that was learnt
in adaptation (`BlockProposal`); the other residues' torsions are held where they are. Paths and local moves by the
compiled loops (`peptide_target.py`), which agree with OpenMM's. A checkpoint is kept: the same command goes on.
publish: `results/sampling_trialanine.json`, with what `results/sampling_peptides.json` says of the same System.
"""

from __future__ import annotations

import itertools

import numpy as np

from harness import bar
from infoscope.sampling import BlockProposal, FlowCVSampler
from peptide_populations import patterns
from peptide_runs import KAPPA, STEP, Run, by_chain, command_line, dragged, moves_row, numbers_of
from peptide_systems import handedness_names, peptide
from peptide_target import CompiledTarget, difference_from_openmm, torsion_variables

SEED, RESIDUES, CHAINS = 18, 3, 2  # chains started in each basin
STEP_LENGTH, LOCAL = 0.005, 4  # rad, moves of ten steps
ADAPTATION, ROUND = 200, 1500  # iterations
RIGHT, EXTENDED, LEFT_HANDED = (-80.0, -20.0), (-80.0, 150.0), (55.0, 40.0)  # phi and psi of starts, degrees
NAMES = handedness_names(RESIDUES)


def sampler() -> tuple[FlowCVSampler, np.ndarray]:
    """The sampler and its starts."""
    chain = peptide(RESIDUES)
    target, variables = CompiledTarget(chain), torsion_variables(chain)
    blocks = [[2 * residue, 2 * residue + 1] for residue in range(RESIDUES)]
    proposal = BlockProposal(blocks, period=2 * np.pi, random_state=SEED)
    options = {"kappa": KAPPA, "step": STEP, "step_length": STEP_LENGTH, "local": "hmc", "n_local": LOCAL}
    made = FlowCVSampler(target, variables, basins=patterns, proposal=proposal, random_state=SEED, **options)
    return made, starts(target, variables)


def starts(target: CompiledTarget, variables) -> np.ndarray:
    """Slow paths from the minimised structure; right-handed residues alternate between helix and extended."""
    signs = np.array(list(itertools.product((0, 1), repeat=RESIDUES)))
    places = np.array([[RIGHT, EXTENDED], [LEFT_HANDED, LEFT_HANDED]])
    turns = np.arange(CHAINS)[:, None, None] + np.arange(len(signs))[:, None] + np.arange(RESIDUES)
    goals = np.radians(places[np.tile(signs, (CHAINS, 1, 1)), turns % 2].reshape(-1, 2 * RESIDUES))
    return dragged(target, variables, goals, 4000, np.random.default_rng(SEED))


def summary(found) -> dict[str, np.ndarray]:
    """What is published of a result; what each attempted move says of the basins, one row a chain and iteration."""
    chance = np.exp(np.minimum(by_chain(found, found.log_acceptance), 0.0))[..., None]
    before, beyond = (np.eye(len(NAMES))[by_chain(found, patterns(one))] for one in (found.before, found.beyond))
    return {
        "angles": by_chain(found, found.variables).astype(np.float32),
        "recycled": (chance * beyond + (1 - chance) * before).astype(np.float32),
        **numbers_of(found),
    }


def line(found) -> str:
    seen = np.bincount(patterns(found.variables), minlength=len(NAMES))
    rates = f"{found.acceptance_rate:.3f} {found.crossing_acceptance:.3f} {found.r_hat.max():.3f}"
    return f"{found.n_gradients} {found.n_switches} {rates} {seen}"


# ---------------------------------------------------------------- what is published
def report(kept: dict[str, np.ndarray], spent: dict, others: dict) -> tuple[dict, list, list]:
    rows = share_table(kept, others["ACE-ALA-ALA-ALA-NME at 300 K"])
    path, work_apart = difference_from_openmm(peptide(RESIDUES))
    moves = moves_row(kept, kept["angles"].shape[1], len(kept["angles"]))
    moves["changes of basin"] = int(kept["n_switches"])
    if spent["all evaluations"] > moves["force evaluations"]:  # not where a run was taken up from its checkpoint alone
        moves |= {"with starts and adaptation": int(spent["all evaluations"]), "CPU s": spent["CPU s"]}
    torsions = [
        {"torsion": f"{name}{1 + k}", "R-hat": float(kept["r_hat"][2 * k + j]),
         "effective draws": float(kept["effective_size"][2 * k + j])}
        for k in range(RESIDUES) for j, name in enumerate(("phi", "psi"))
    ]  # fmt: skip
    tables = {"Populations": rows, "Moves": [moves], "Torsions": torsions,
              "A path of 100 steps beside OpenMM's": [{"end, nm": path, "work, kT": work_apart}]}  # fmt: skip
    text = "basins visited, and within three standard errors of"
    bars = [
        *(bar(f"{text} {reference}", within_three(rows, column), 8, at_least=True)
          for reference, column in (("tempering", "errors apart"), ("the fixed bias", "errors apart from it"))),
        bar("R-hat, largest of six torsions", moves["R-hat, largest"], 1.02),
    ]  # fmt: skip
    return tables, bars, NOTES


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
    "(`recycled_mean`); errors from the spread of the chains. Bennett: from the works of all attempts, for the basins "
    "that a move of one residue leads to from the first one.",
    "Errors apart: of both ends from tempering, and from the fixed bias; not where tempering did not see the basin.",
    "A move draws phi and psi of one residue anew. `force evaluations` are those of production; burn-in and "
    "adaptation, 100 and 200 iterations, come before.",
]


if __name__ == "__main__":
    command_line(Run("trialanine", sampler, summary, line, report, ADAPTATION, ROUND), __doc__, 60.0)
