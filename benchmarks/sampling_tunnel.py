"""Gradients a switch on the Gaussian tunnel: published settings, unit masses, what adaptation finds; and local moves.

The law has two modes ten apart, and 19 coordinates that have to follow (`GaussianTunnel`); the proposal is an equal
mixture of both, and no local moves are made, as in Schönle, Gabrié, Lelièvre, Stoltz (arXiv:2405.18160) and Schönle,
Carbone, Gabrié, Lelièvre, Stoltz (arXiv:2512.16812).  Their count is used for the bars: the steps of all paths over the
changes of mode.  What was evaluated in all, starts of paths and ends that were taken included, stands beside it.
"""

from __future__ import annotations

import time
from argparse import Namespace
from typing import Any

from harness import Row, bar, fresh, main, publish

SEED, CHAINS = 0, 20
SETTINGS: dict[str, dict[str, Any]] = {
    "published: unit masses, 100 steps, linear": dict(step=0.67**0.5, step_length=0.1, masses=1.0, schedule="linear"),
    "unit masses, 50 steps, linear": dict(step=0.67**0.5, step_length=0.2, masses=1.0, schedule="linear"),
    "unit masses, the rest adapted": dict(masses=1.0),
    "all adapted": {},
}


def contender(name: str, n_iter: int, threads: int) -> Row:
    import numpy as np

    from infoscope.sampling import FlowCVSampler, GaussianMixtureProposal, SubsetVariables
    from infoscope.sampling.systems import GaussianTunnel

    tunnel = GaussianTunnel(n_jobs=threads)
    law = GaussianMixtureProposal(np.array([[0.0], [10.0]]), np.ones((2, 1, 1)), np.array([0.5, 0.5]))
    starts = np.concatenate([tunnel.starts(CHAINS // 2, basin=b, random_state=b) for b in (0, 1)])
    sampler = FlowCVSampler(
        tunnel,
        SubsetVariables([0], n_coordinates=20),
        proposal=law,
        n_local=0,
        basins=[5.0],
        random_state=SEED,
        **SETTINGS[name],
    )
    began = time.process_time()
    found = sampler.fit(starts, n_adapt=100, n_iter=n_iter).result_
    return {
        "steps": float(found.n_steps.sum() / max(found.n_switches, 1)),
        "evaluations": found.gradients_per_switch,
        "switches": found.n_switches,
        "acceptance": found.acceptance_rate,
        "crossing": found.crossing_acceptance,
        "population": float(found.populations[0]),
        "population_se": float(found.populations_se[0]),
        "bennett": float(found.free_energy_bennett[1]),
        "bennett_se": float(found.free_energy_bennett_se[1]),
        "steps_between": 10 / found.step_length,
        "step": found.step,
        "seconds": time.process_time() - began,
    }


def local_moves_alone(n_moves: int, threads: int) -> Row:
    import numpy as np

    from infoscope.sampling import count_switches, local_moves, start_chains
    from infoscope.sampling.systems import GaussianTunnel

    tunnel = GaussianTunnel(n_jobs=threads)
    chains = start_chains(tunnel, np.concatenate([tunnel.starts(CHAINS // 2, basin=b, random_state=b) for b in (0, 1)]))
    rngs, trace = np.random.default_rng(SEED).spawn(CHAINS), []
    for _ in range(100):
        chains = local_moves(tunnel, chains, n_moves // 100, generators=rngs, step_size=0.1).state
        trace.append(chains.x[:, 0])
    switches = int(count_switches(np.array(trace).T, 3.0, 7.0).sum())
    return {"switches": switches, "gradients": n_moves * CHAINS}


def run(options: Namespace) -> None:
    import numpy as np

    n_iter, threads = (100, 1) if options.quick else (3000, 1)
    rows, found = [], {}
    for name in SETTINGS:
        row = found[name] = fresh("contender", name=name, n_iter=n_iter, threads=threads)
        rows.append(
            {
                "settings": name,
                "steps a switch": f"{row['steps']:.1f} ± {row['steps'] / np.sqrt(max(row['switches'], 1)):.1f}",
                "gradients a switch": row["evaluations"],
                "acceptance": row["acceptance"],
                "between modes": row["crossing"],
                "time step": row["step"],
                "steps between modes": row["steps_between"],
                "population of the first (0.3)": f"{row['population']:.4f} ± {row['population_se']:.4f}",
                "free energy by Bennett (-0.847)": f"{row['bennett']:.3f} ± {row['bennett_se']:.3f}",
                "seconds": row["seconds"],
            }
        )
    local = fresh("local_moves_alone", n_moves=1000 if options.quick else 100_000, threads=threads)
    off = max(abs(row["population"] - 0.3) / row["population_se"] for row in found.values())
    bars = [
        bar("steps a switch, unit masses", found["unit masses, the rest adapted"]["steps"], 130),
        bar("steps a switch, all adapted", found["all adapted"]["steps"], 45),
        bar("switches of local moves alone, 100 000 of each of 20 chains", local["switches"], 0),
        bar("errors that populations are off by, the largest", off, 4),
    ]
    notes = [
        f"{CHAINS} chains of {n_iter} moves each; adaptation (100 iterations) is not counted, and is in the seconds.",
        f"Local moves alone (MALA): {local['switches']} switches in {local['gradients']:,} gradients.",
    ]
    publish("sampling_tunnel", options, {"Gradients a switch": rows}, bars=bars, notes=notes)


if __name__ == "__main__":
    main(run, {"contender": contender, "local_moves_alone": local_moves_alone})
