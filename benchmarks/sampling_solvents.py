"""Populations of a dimer and of a polymer in solvent by two routes, and what a switch between their basins costs.

Route one: global moves.  Chains start in both basins, and each iteration makes two HMC moves of 20 steps and one move
to a value of the variable that a fixed mixture of two normal laws proposes, in the soft embedding, with frictionless
paths.  Populations are shares of the time (errors from the scatter of the chains); all attempted moves give the same
difference by Bennett's equation.

Route two: umbrella sampling.  A spring holds the variable at one value in each of many windows, HMC moves sample them,
and the windows are joined by the equations of Shirts and Chodera (2008).  Errors come from 60 resamples of ten blocks
of every window.

The polymer's published settings: steps of sqrt(2e-4), 400 for the distance between the modes, linear, unit masses; the
published program divides forces, but not energies, by kT twice, which one row does as well (here in the soft embedding,
there with a constrained distance: no measure of that program). Costs of a switch are those of paths from one basin to
the other; the acceptance that was once measured with the published program, 0.25 +- 0.06, counts moves within a basin
as well.
"""

from __future__ import annotations

import time
from argparse import Namespace
from typing import Any

from harness import Row, bar, fresh, main, publish

SEED = 0
PARTS = ("dimer", "polymer")
PUBLISHED_COST = 1600.0  # gradients a switch: 400 steps, acceptance 0.25 +- 0.06 with the published program
PUBLISHED = (400, 0.01414, 1.0, 1.0, "linear", 100.0)
REPEATS = 2  # paths from each start
SETTINGS = (  # of polymer paths: steps between the modes, time step, masses of the ends and of other beads, springs
    PUBLISHED,
    (400, 0.01414, 1.0, 1.0, "cosine", 100.0),
    (200, 0.01414, 1.0, 1.0, "linear", 100.0),
    (200, 0.02, 1.0, 1.0, "linear", 100.0),
    (200, 0.02, 3.0, 3.0, "linear", 100.0),
    (300, 0.02, 1.0, 1.0, "linear", 100.0),
    (300, 0.02, 1.0, 1.0, "linear", 300.0),
    (400, 0.02, 1.0, 1.0, "linear", 100.0),
    (400, 0.02, 1.0, 1.0, "linear", 300.0),
    (300, 0.025, 2.0, 2.0, "linear", 100.0),
)
DIMER = (400, 0.0212, 1.0, 1.0, "linear", 400.0)
SYSTEMS: dict[str, dict[str, Any]] = {
    # centres and width of the proposal, boundary of the basins, step of local moves, windows and their springs
    "dimer": dict(
        centres=(0.0, 1.0), width=0.2, middle=0.5, hmc_step=0.02,
        windows=(-0.12, 1.2, 17), window_kappa=150.0, chains=24, moves=250, window_moves=800,
    ),
    "polymer": dict(
        centres=(3.529472, 5.651341), width=0.2, middle=4.62, hmc_step=0.015,
        windows=(3.1, 6.1, 16), window_kappa=60.0, chains=16, moves=80, window_moves=300,
    ),
}  # fmt: skip


def make(name: str, threads: int) -> Any:
    from infoscope.sampling.systems import DimerInSolvent, PolymerInSolvent

    return DimerInSolvent(n_jobs=threads) if name == "dimer" else PolymerInSolvent(n_jobs=threads)


def masses_of(system: Any, ends: float, inner: float) -> Any:
    """Of all coordinates: the molecule comes first, from end to end, and the solvent has ones."""
    import numpy as np

    masses = np.ones((system.n_points, system.n_dim))
    masses[: system.n_molecule] = inner
    masses[[0, system.n_molecule - 1]] = ends
    return masses.ravel()


def proposal_of(name: str) -> Any:
    from infoscope.sampling import GaussianMixtureProposal

    about = SYSTEMS[name]
    return GaussianMixtureProposal([[c] for c in about["centres"]], [[[about["width"] ** 2]]] * 2)


# ------------------------------------------------------------------------------------------------- global moves
def global_moves(name: str, chains: int, moves: int, setting: tuple[Any, ...], threads: int) -> Row:
    import numpy as np

    from infoscope.sampling import (
        SoftEmbedding,
        bennett_difference,
        count_switches,
        global_move,
        local_moves,
        start_chains,
    )

    about, system = SYSTEMS[name], make(name, threads)
    n_steps, step, ends, inner, schedule, kappa = setting
    embedding = SoftEmbedding(system, system.variables, kappa=kappa)
    proposal, middle = proposal_of(name), about["middle"]
    low, high = about["centres"]
    generators = np.random.default_rng(SEED).spawn(chains)
    state = start_chains(system, system.starts(chains, random_state=SEED))
    began, kept, traces = time.process_time(), [], []
    for iteration in range(moves + moves // 10):
        moved = local_moves(
            system, state, 2, generators=generators, step_size=about["hmc_step"], kind="hmc", n_leapfrog=20
        )
        move = global_move(
            embedding, proposal, moved.state, generators=generators, step=step, schedule=schedule,
            step_length=(high - low) / n_steps, masses=masses_of(system, ends, inner),
        )  # fmt: skip
        state = move.state
        if iteration >= moves // 10:
            traces.append(system.variables.values(state.x)[:, 0])
            kept.append((move.z_before[:, 0], move.z_proposed[:, 0], move.log_acceptance, move.accepted,
                         move.n_gradients + moved.n_gradients))  # fmt: skip
    seconds = time.process_time() - began
    xi = np.array(traces).T
    before, after, log_acceptance, accepted, gradients = (np.array(column) for column in zip(*kept, strict=True))
    share = (xi < middle).mean(1)
    there, here = before < middle, after < middle
    chain = np.broadcast_to(np.arange(chains), before.shape)
    bennett = bennett_difference(
        log_acceptance[there & ~here], log_acceptance[~there & here],
        forward_piece=chain[there & ~here], reverse_piece=chain[~there & here],
    )  # fmt: skip
    crossing = there != here
    switches = int(np.sum(count_switches(xi, low + 0.1 * (high - low), high - 0.1 * (high - low))))
    return {
        "population": float(share.mean()),
        "population_se": float(share.std(ddof=1) / np.sqrt(chains)),
        "bennett": float(bennett.value),
        "bennett_se": float(bennett.value_se),
        "acceptance": float(accepted.mean()),
        "crossing": float(np.exp(np.minimum(log_acceptance[crossing], 0)).mean()),
        "switches": switches,
        "gradients": int(gradients.sum()),
        "seconds": seconds * moves / (moves + moves // 10),
    }


# ------------------------------------------------------------------------------------------------- umbrella sampling
def umbrella(name: str, window_moves: int, threads: int) -> Row:
    import numpy as np

    about, system = SYSTEMS[name], make(name, threads)
    centres = np.linspace(*about["windows"])
    n, rng, kappa, step = len(centres), np.random.default_rng(SEED), about["window_kappa"], about["hmc_step"]
    stretched = centres > about["middle"]
    x = system.starts(2 * n, random_state=SEED)[np.where(stretched, 2 * np.arange(n) + 1, 2 * np.arange(n))]
    began, values, accepted = time.process_time(), np.empty((n, window_moves)), 0.0
    z = system.variables.values(x)
    drag: Any = dict(kappa=kappa, masses=1.0, schedule="linear")
    x, _ = system.drag(system.variables, x, z, centres[:, None] - z, rng.normal(size=x.shape), n_steps=600,
                       step=0.7 * step, **drag)  # fmt: skip
    for move in range(-window_moves // 5, window_moves):
        # a path that goes nowhere is HMC under the spring: its work is what the total energy gains
        ends, works = system.drag(system.variables, x, centres[:, None], np.zeros((n, 1)), rng.normal(size=x.shape),
                                  n_steps=20, step=step, **drag)  # fmt: skip
        stays = -rng.standard_exponential(n) <= -works
        x = np.where(stays[:, None], ends, x)
        if move >= 0:
            values[:, move] = system.variables.values(x)[:, 0]
            accepted += stays.mean() / window_moves
    seconds = time.process_time() - began
    blocks = np.array_split(np.arange(window_moves), 10)
    first, free = _below(values, centres, kappa, about["middle"], np.zeros(n))
    shares = [first]
    for _ in range(60):
        drawn = [np.concatenate([blocks[b] for b in rng.integers(0, 10, 10)]) for _ in range(n)]
        length = min(map(len, drawn))
        again = np.array([row[rows[:length]] for row, rows in zip(values, drawn, strict=True)])
        shares.append(_below(again, centres, kappa, about["middle"], free)[0])
    logits = np.log(np.array(shares)) - np.log1p(-np.array(shares))
    return {
        "population": shares[0],
        "population_se": float(np.std(shares[1:])),
        "difference": float(logits[0]),
        "difference_se": float(np.std(logits[1:])),
        "acceptance": float(accepted),
        "gradients": int(n * 20 * (window_moves + window_moves // 5)),
        "seconds": seconds,
    }


def _below(values: Any, centres: Any, kappa: float, middle: float, free: Any) -> tuple[float, Any]:
    """The share below the middle without springs, and the free energies of the windows, from `free` on.

    Weights of all draws by the equations of MBAR with as many draws a window: the minimum of a convex function of the
    windows' free energies, by Newton's steps.
    """
    import numpy as np

    draws, n, each = values.ravel(), len(centres), values.shape[1]
    biases = kappa / 2 * (draws[:, None] - centres) ** 2
    least = biases.min(1)
    factors = np.exp(least[:, None] - biases)

    def convex(free: Any) -> tuple[float, Any]:
        mixture = factors @ np.exp(free)
        return float(np.log(mixture).sum() - each * free.sum()), mixture

    value, mixture = convex(free)
    for _ in range(200):
        parts = factors * np.exp(free) / mixture[:, None]
        slope, step = parts.sum(0) - each, np.zeros(n)  # the first window's stays: only differences count
        step[1:] = np.linalg.solve((np.diag(parts.sum(0)) - parts.T @ parts)[1:, 1:], slope[1:])
        if abs(step).max() < 1e-6:
            break
        while not convex(free - step)[0] <= value and abs(step).max() > 1e-9:
            step /= 2
        free = free - step
        value, mixture = convex(free)
    log_weights = least - np.log(mixture)
    weights = np.exp(log_weights - log_weights.max())
    return float(weights[draws < middle].sum() / weights.sum()), free


# ------------------------------------------------------------------------------------------------- cost of a switch
def crossings(paths: int, threads: int) -> Row:
    """Mean acceptance of polymer paths from either basin to the other, with the same starts for all settings."""
    import numpy as np

    from infoscope.sampling.systems import PolymerInSolvent

    about, system = SYSTEMS["polymer"], make("polymer", threads)
    x, proposal, found = system.starts(paths, random_state=SEED), proposal_of("polymer"), []
    x, paths = np.tile(x, (REPEATS, 1)), REPEATS * paths
    low, high = about["centres"]
    for twice, setting in [(True, PUBLISHED), *((False, one) for one in SETTINGS)]:
        n_steps, step, ends, inner, schedule, kappa = setting
        rng = np.random.default_rng(SEED)
        mover = PolymerInSolvent(kT=system.kT**2, n_jobs=threads) if twice else system
        z = system.variables.values(x) + rng.normal(size=(paths, 1)) / np.sqrt(kappa)
        up = z[:, 0] < about["middle"]
        target = np.where(up, high, low)[:, None] + about["width"] * rng.normal(size=(paths, 1))
        masses = masses_of(system, ends, inner)
        momenta = rng.normal(size=x.shape) * np.sqrt(masses)
        counts = np.maximum(1, np.ceil(n_steps * np.abs(target - z)[:, 0] / (high - low))).astype(int)
        began = time.process_time()
        arrived, works = mover.drag(system.variables, x, z, target - z, momenta, kappa=kappa, n_steps=counts,
                                    step=step, masses=masses, schedule=schedule)  # fmt: skip
        seconds = time.process_time() - began
        if twice:  # any force leaves the moves exact, as long as the work is that of the true energies
            works = works + (1 - system.kT / mover.kT) * (system.energy(arrived) - system.energy(x))
        chances = np.exp(np.minimum(-works + proposal.log_prob(z) - proposal.log_prob(target), 0))
        chances = np.where(np.isfinite(chances), chances, 0.0)
        by_start = chances.reshape(REPEATS, -1).mean(0)  # paths from one start are no independent ones
        acceptance, error = float(chances.mean()), float(by_start.std(ddof=1) / np.sqrt(len(by_start)))
        found.append(
            {
                "paths": "published, forces divided twice" if twice else "infoscope",
                "steps": n_steps,
                "time step": step,
                "masses of ends and others": f"{ends:g}, {inner:g}",
                "spring": kappa,
                "schedule": schedule,
                "acceptance": f"{acceptance:.3f} ± {error:.3f}",
                "gradients a path": float(counts.mean()),
                "gradients a switch": float(counts.mean() / acceptance) if acceptance > 1e-3 else None,
                "its se": float(counts.mean() * error / acceptance**2) if acceptance > 1e-3 else None,
                "CPU milliseconds a path": 1e3 * seconds / paths,
            }
        )
    return {"rows": found}


# ------------------------------------------------------------------------------------------------- the comparison
def run(options: Namespace) -> None:
    if "dimer" in options.only:
        _publish("dimer", options, DIMER, {}, [], [])
    if "polymer" in options.only:
        paths = 8 if options.quick else 80
        rows = fresh("crossings", paths=paths, threads=options.threads)["rows"]
        own = rows[1:]
        best = min(range(len(own)), key=lambda i: own[i]["gradients a switch"] or 1e9)
        bars = [
            bar("polymer, gradients a switch beside the 1,600 of the published program",
                PUBLISHED_COST / (own[best]["gradients a switch"] or 1e9), 3.0, at_least=True, unit="times fewer")
        ]  # fmt: skip
        chosen = f"The global moves take the settings of row {best + 2} of the table of paths, the cheapest there."
        title = f"Paths between the basins, {REPEATS} from each of {paths} starts"
        _publish("polymer", options, SETTINGS[best], {title: rows}, bars, [chosen])


def _publish(
    name: str, options: Namespace, setting: Any, tables: dict[str, list[Row]], bars: list[Row], notes: list[str]
) -> None:
    about, quick = SYSTEMS[name], options.quick
    chains, moves = (4, 10) if quick else (about["chains"], about["moves"])
    window_moves = 20 if quick else about["window_moves"]
    moved = fresh("global_moves", name=name, chains=chains, moves=moves, setting=setting, threads=options.threads)
    held = fresh("umbrella", name=name, window_moves=window_moves, threads=options.threads)
    share, share_se = moved["population"], moved["population_se"]
    logit_se = share_se / max(share * (1 - share), 1e-9)
    import math

    logit = math.log(max(share, 1e-9) / max(1 - share, 1e-9))

    def line(route: str, difference: float, error: float, row: Row) -> Row:
        own = "population" in row and route != "global moves, Bennett"
        return {
            "route": route,
            "population of the compact basin": f"{row['population']:.4f} ± {row['population_se']:.4f}" if own else "",
            "free energy of the other less it, kT": f"{difference:.3f} ± {error:.3f}",
            "gradients, millions": row["gradients"] / 1e6,
            "CPU seconds": row["seconds"],
        }

    title = f"{name.capitalize()}: {chains} chains of {moves} global moves; {about['windows'][2]} windows of "
    title += f"{window_moves} moves"
    both = [
        line("global moves, shares of time", logit, logit_se, moved),
        line("global moves, Bennett", moved["bennett"], moved["bennett_se"], moved),
        line("umbrella sampling", held["difference"], held["difference_se"], held),
    ]
    costs = [
        {
            "acceptance": moved["acceptance"],
            "acceptance between basins": moved["crossing"],
            "switches": moved["switches"],
            "gradients a switch": moved["gradients"] / max(moved["switches"], 1),
            "CPU milliseconds a switch": 1e3 * moved["seconds"] / max(moved["switches"], 1),
        }
    ]
    away = abs(logit - held["difference"]) / math.hypot(logit_se, held["difference_se"])
    bars = [bar(f"{name}, shares of time and umbrella sampling", away, 3.0, unit="errors apart"), *bars]
    notes = ["Local moves are counted in the gradients of a switch: 40 an iteration and chain.", *notes]
    found = {title: both, "Cost of a switch": costs} | tables
    publish("sampling_solvents", options, found, part=name, bars=bars, notes=notes)


if __name__ == "__main__":
    main(run, {"global_moves": global_moves, "umbrella": umbrella, "crossings": crossings}, PARTS)
