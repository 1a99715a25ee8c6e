"""A mixture in 20 coordinates: a flow trained in the run, and taken from its file by a second run.

Two modes are 8 apart in four variables and 3 in the other coordinates, with weights 0.25 and 0.75 and random
covariances of condition 10.  Chains start half in each mode, so that the flow learns from wrong weights.  The second
run begins with chains of its own and the flow of the first, from its saved file, without training it.  Both take the
paths that adaptation finds cheapest; a third run, with the flow of the file too, takes slow ones.  Local moves alone
are the peer.
"""

from __future__ import annotations

import tempfile
import time
from argparse import Namespace
from pathlib import Path
from typing import Any

from harness import Row, bar, fresh, main, publish

SEED = 0
D, M = 20, 4
WEIGHTS = (0.25, 0.75)
DRAWS = 20_000
FLOW = {"batch_size": 256, "learning_rate": 2e-3}  # layers and widths are those of the library
SLOW = 8 / 1024  # of the third run's paths: 1,024 steps from mode to mode


def system_of(threads: int) -> Any:
    from infoscope.sampling.systems import GaussianMixtureSystem

    return GaussianMixtureSystem.separated(D, n_variables=M, weights=WEIGHTS, random_state=SEED, n_jobs=threads)


def starts_of(system: Any, n_chains: int, seed: int) -> Any:
    import numpy as np

    return np.concatenate([system.starts(n_chains // 2, basin=b, random_state=seed + b) for b in (0, 1)])


def divergences(system: Any, proposal: Any) -> Row:
    """KL(flow || marginal of the variables), by draws of the flow, in nats.

    The flow gives every mode the share of the visits in adaptation, and some more to the rarer; that is not quite the
    share of the law, which the acceptance takes out.  `kl` is beside the marginal with the flow's weights, `kl with the
    weights` beside the marginal itself.
    """
    import numpy as np

    from infoscope.sampling import GaussianMixtureProposal

    _, means, covariances = system.variables_law()
    z = proposal.sample(DRAWS, np.random.default_rng(SEED))
    flow, share = proposal.log_prob(z), float((system.component_of(z) == 0).mean())
    own = flow - GaussianMixtureProposal(means, covariances, [share, 1 - share]).log_prob(z)
    true = flow - GaussianMixtureProposal(means, covariances, WEIGHTS).log_prob(z)
    return {
        "share of mode 0": share,
        "kl": float(own.mean()),
        "kl_se": float(own.std() / DRAWS**0.5),
        "kl with the weights": float(true.mean()),
    }


def sampled(
    system: Any, proposal: Any, n_chains: int, n_adapt: int, n_iter: int, seed: int, step_length: Any = "auto"
) -> tuple[Any, float]:
    import numpy as np

    from infoscope.sampling import FlowCVSampler, SubsetVariables

    sampler = FlowCVSampler(
        system, SubsetVariables(range(M), n_coordinates=D), proposal=proposal, n_local=10, random_state=seed,
        step_length=step_length,
        basins=lambda z: np.asarray(system.component_of(z)),
    )  # fmt: skip
    began = time.perf_counter()
    sampler.fit(starts_of(system, n_chains, seed + 10), n_adapt=n_adapt, n_iter=n_iter)
    return sampler, time.perf_counter() - began


def row_of(name: str, sampler: Any, seconds: float) -> Row:
    found = sampler.result_
    return {
        "run": name,
        "weight": float(found.populations[0]),
        "weight_se": float(found.populations_se[0]),
        "acceptance": float(found.acceptance_rate),
        "crossing acceptance": float(found.crossing_acceptance),
        "gradients a switch": float(found.gradients_per_switch),
        "chains": found.n_chains,
        "states": len(found.chain),
        "exact": bool(found.exact),
        "seconds": seconds,
    }


# ------------------------------------------------------------------------------------------------- the contenders
def learn(path: str, n_chains: int, n_adapt: int, n_iter: int, updates: int, threads: int) -> Row:
    """The first run: trains its flow, and keeps it."""
    import infoscope
    from infoscope.sampling import DefensiveProposal, FlowProposal

    system, flow = system_of(threads), FlowProposal(**FLOW, max_updates=updates)
    sampler, seconds = sampled(system, DefensiveProposal(flow), n_chains, n_adapt, n_iter, SEED)
    infoscope.save(sampler.proposal_, path)
    learnt = sampler.proposal_.proposal_
    found = divergences(system, learnt) | {"layers": learnt.kind_, "updates": learnt.training_.n_updates}
    return row_of("flow trained in the run", sampler, seconds) | {"flow": found, "step": sampler.result_.local_step}


def reuse(name: str, path: str, n_chains: int, n_adapt: int, n_iter: int, step_length: Any, threads: int) -> Row:
    """Another run: the flow of the file, other chains."""
    import infoscope

    system, proposal = system_of(threads), infoscope.load(path)
    before = proposal.proposal_.network_.parameters.copy()
    sampler, seconds = sampled(system, proposal, n_chains, n_adapt, n_iter, SEED + 1, step_length)
    unchanged = bool((sampler.proposal_.proposal_.network_.parameters == before).all())
    return row_of(name, sampler, seconds) | {"unchanged": unchanged}


def local(step: float, n_chains: int, n_moves: int, threads: int) -> Row:
    """The peer: local moves alone, with the step that the sampler found."""
    import numpy as np

    from infoscope.sampling import local_moves, start_chains

    system, switches = system_of(threads), 0
    generators = [np.random.default_rng(one) for one in np.random.SeedSequence(SEED).spawn(n_chains)]
    state = start_chains(system, starts_of(system, n_chains, SEED + 10))
    began, mode = time.perf_counter(), system.component_of(state.x)
    for _ in range(n_moves // 20):
        state = local_moves(system, state, 20, generators=generators, step_size=step).state
        now = system.component_of(state.x)
        switches, mode = switches + int((now != mode).sum()), now
    return {"moves": n_chains * n_moves, "switches": switches, "seconds": time.perf_counter() - began}


# ------------------------------------------------------------------------------------------------- the comparison
def run(options: Namespace) -> None:
    quick = options.quick
    many = {"n_chains": 32 if quick else 160, "n_adapt": 40}
    few = {"n_chains": 16 if quick else 64, "n_adapt": 20}
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "flow.npz"))
        first = fresh(
            "learn", path=path, n_iter=50 if quick else 1500, updates=50 if quick else 1000, **many,
            threads=options.threads,
        )  # fmt: skip
        flow, step = first.pop("flow"), first.pop("step")
        again = {"path": path, "threads": options.threads}
        second = fresh(
            "reuse", name="flow of the file", step_length="auto", n_iter=50 if quick else 1200, **many, **again
        )
        third = fresh(
            "reuse", name="flow of the file, slow paths", step_length=SLOW, n_iter=10 if quick else 300, **few, **again
        )
    alone = fresh("local", step=step, n_chains=32, n_moves=400 if quick else 20_000, threads=options.threads)
    unchanged = second.pop("unchanged") and third.pop("unchanged")
    for row in (first, second, third, alone):
        row.pop("versions", None)  # those of this process
    bars = []
    for row in (first, second, third):
        name = row["run"]
        off = abs(row["weight"] - WEIGHTS[0]) / row["weight_se"]
        bars += [
            bar(f"weight of mode 0, {name}: errors from 0.25", off, 4),
            bar(f"error of the weight, {name}", row["weight_se"], 0.01),
            bar(f"crossing acceptance, {name}", row["crossing acceptance"], 0.2, at_least=True),
        ]
    bars += [
        bar("KL of the flow from the marginal with its own weights", flow["kl"], 0.05, unit="nats"),
        bar("switches by local moves alone", alone["switches"], 0),
    ]
    notes = [
        f"The runs left the flow of the file as it was: {unchanged}.",
        "The flow has its modes by the visits in adaptation; beside the marginal with the weights 0.25 and 0.75 its "
        f"divergence is {flow['kl with the weights']:.3f} nats.",
    ]
    tables = {"Three runs": [first, second, third], "The flow": [flow], "Local moves alone": [alone]}
    publish("sampling_mixture20", options, tables, bars=bars, notes=notes)


if __name__ == "__main__":
    main(run, {"learn": learn, "reuse": reuse, "local": local})
