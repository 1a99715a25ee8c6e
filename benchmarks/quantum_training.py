"""Training one wave function for a family: errors against exact answers, and cost beside netket-foundation.

Accuracy: the periodic Ising chain of 12 spins for five seeds; every error is a sum over all configurations against the
closed form and sparse diagonalisation, at fields that were trained and at others; and whether the error that is
quoted of a susceptibility holds the truth.  Sizes: rings of 8 to 16 spins, whose peaks grow as N^(2/nu).  Fine-tuning:
one field that was not trained, beside training from scratch, five seeds.  Speed: the same network shape
(10 spins, 8 systems, 256 rows, 3,412 parameters), float64, beside netket-foundation with chains as in its tutorial (64
chains, 5 sweeps left out, 4 kept), in alternating processes of one core each; CPU seconds.  Memory: the same at 16
spins and 4,096 rows, all that the process holds from its second step on.  The jobs `random_fields` and `square` train
the other two families of the page (``--job square --arguments '{...}'``).

INFOSCOPE_NETKET_PYTHON names the Python of an environment with ``netket-foundation==0.1.1``; without it the peer is
skipped.
"""

from __future__ import annotations

import math
import os
import statistics
import tempfile
import time
from argparse import Namespace
from typing import Any

from harness import Row, bar, fresh, main, peak_mb, publish, reset_peak

SEEDS = (0, 1, 2, 3, 4)
TRAINED = (0.75, 2.0)
FIELDS = (0.75, 0.8, 0.9, 1.0, 1.1, 1.3, 2.0)
SIZES = (8, 10, 12, 14, 16)
TUNED = 0.95  # a field between two of those that are trained
NETWORK = {"d_model": 12, "n_heads": 4, "n_layers": 2, "patch_size": 2}
OURS = {  # whether the spin flip is on, and the sampler
    "spin flip, exact draws": (True, "exact"),
    "no symmetry, exact draws": (False, "exact"),
    "no symmetry, chains": (False, "metropolis"),
}
PEER = "netket-foundation, 64 chains"


# -------------------------------------------------------------------------------------------------------- our answers
def _state_errors(state: Any, coupling: Any) -> Row:
    """Energy, overlap and susceptibility of a trained state, by sums over all configurations."""
    import numpy as np

    from infoscope.quantum import ground_state, spins_of

    family = state.family
    exact = ground_state(family, coupling)
    spins = spins_of(exact.configurations, family.n_sites)
    logs = state.log_amplitude(spins, coupling)
    psi = np.exp(logs - logs.real.max())
    psi /= np.linalg.norm(psi)
    matrix = family.operator.matrix(family.as_system(coupling), states=exact.configurations)
    energy = np.vdot(psi, matrix @ psi).real
    variance = np.linalg.norm(matrix @ psi) ** 2 - energy**2
    derivative = state.coupling_derivatives(spins, coupling)[:, 0]
    p = np.abs(psi) ** 2
    chi = (p @ np.abs(derivative) ** 2) - np.abs(p @ derivative) ** 2
    overlap = np.nan if exact.amplitudes is None else np.abs(np.vdot(psi, exact.amplitudes)) ** 2
    return {
        "energy error": (energy - exact.energy) / abs(exact.energy),
        "infidelity": 1 - overlap,
        "V-score": family.n_sites * variance / energy**2,
        "chi": float(chi),
    }


def chain(seed: int, n_sites: int, n_iter: int, threads: int) -> Row:
    """The Ising chain, one seed."""
    import numpy as np

    from infoscope.quantum import Chain, FoundationQuantumState, IsingFamily, transverse_ising_chain_exact

    began, cpu = time.perf_counter(), time.process_time()
    state = FoundationQuantumState(
        IsingFamily(Chain(n_sites)), couplings=TRAINED, n_systems=8, n_samples=512, n_iter=n_iter,
        diag_shift=(1e-2, 1e-6), random_state=seed, **NETWORK,
    ).fit()  # fmt: skip
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    fields = sorted({*FIELDS, *np.linspace(*TRAINED, 8).tolist()})
    exact = transverse_ising_chain_exact(n_sites, np.array(fields))
    rows = []
    for field, chi in zip(fields, exact.chi, strict=True):
        found = _state_errors(state, field)
        rows.append({"field": field} | found | {"chi error": abs(found["chi"] / float(chi) - 1)})
    asked = state.fidelity_susceptibility(np.array(FIELDS), random_state=0)
    truth = exact.chi[np.isin(fields, FIELDS)]
    in_errors = np.abs(asked.chi[:, 0, 0] - truth) / asked.chi_se[:, 0, 0]
    return {"rows": rows, "seconds": seconds, "cpu_seconds": cpu, "in_errors": in_errors.tolist()}


def size(n_sites: int, n_iter: int, threads: int) -> Row:
    """The peak of the susceptibility of a ring, from a network trained around it."""
    import numpy as np

    from infoscope.quantum import Chain, FoundationQuantumState, IsingFamily, transverse_ising_chain_exact

    began = time.process_time()
    fields = np.linspace(0.85, 1.05, 9)
    state = FoundationQuantumState(
        IsingFamily(Chain(n_sites)), couplings=(0.75, 1.15), n_systems=8, n_samples=512, n_iter=n_iter,
        diag_shift=(1e-2, 1e-6), random_state=0, **NETWORK,
    ).fit()  # fmt: skip
    cpu = time.process_time() - began
    found = state.fidelity_susceptibility(fields, random_state=0)
    fine = np.linspace(0.7, 1.1, 4001)
    truth = transverse_ising_chain_exact(n_sites, fine).chi
    return {
        "spins": n_sites,
        "peak at": found.peak,
        "±": found.peak_se,
        "exactly at": float(fine[truth.argmax()]),
        "height a spin": found.peak_height / n_sites,
        "± height": found.peak_height_se / n_sites,
        "exact height a spin": float(truth.max()) / n_sites,
        "CPU seconds": cpu,
    }


def fine_tuning(seed: int, n_sites: int, n_iter: int, threads: int) -> Row:
    """Energy errors along the steps at one field: from scratch, and from the network of the family."""
    import numpy as np

    from infoscope.quantum import Chain, FoundationQuantumState, IsingFamily, transverse_ising_chain_exact

    exact = float(transverse_ising_chain_exact(n_sites, np.array([TUNED])).energy[0])

    def errors(state: Any, n_steps: int) -> list[float]:
        return ((state.history_["energies"][-n_steps:, 0] - exact) / abs(exact)).tolist()

    options = {"n_samples": 512, "n_iter": n_iter, "diag_shift": (1e-2, 1e-6), "random_state": seed, **NETWORK}
    family = IsingFamily(Chain(n_sites))
    scratch = errors(FoundationQuantumState(family, **options).fit([[TUNED]]), n_iter)
    state = FoundationQuantumState(family, couplings=TRAINED, n_systems=8, **options).fit()
    tuned = errors(state.partial_fit([[TUNED]], n_iter=n_iter // 3), n_iter // 3)
    return {"scratch": scratch, "tuned": tuned}


def random_fields(n_iter: int, threads: int) -> Row:
    """100 trained and 100 new realisations of random transverse fields."""
    import numpy as np

    from infoscope.quantum import Chain, FoundationQuantumState, RandomFieldIsing, ground_state, spins_of

    rng = np.random.default_rng(0)
    trained, new = rng.uniform(size=(100, 8)), rng.uniform(size=(100, 8))
    began = time.perf_counter()
    state = FoundationQuantumState(
        RandomFieldIsing(Chain(8), interaction=float(np.exp(-1))), n_samples=512, systems_per_step=16,
        learning_rate=0.08, n_iter=n_iter, random_state=0, **NETWORK,
    ).fit(trained)  # fmt: skip
    seconds = time.perf_counter() - began
    spins = spins_of(np.arange(256), 8)
    squared = (spins.mean(axis=1)) ** 2
    found = {}
    for name, systems in (("trained", trained), ("new", new)):
        values = []
        for fields in systems:
            psi = np.exp(state.log_amplitude(spins, fields))
            psi /= np.linalg.norm(psi)
            exact = ground_state(state.family, fields)
            energy = psi @ (state.family.operator.matrix(fields) @ psi)
            values.append((psi**2 @ squared, exact.amplitudes**2 @ squared, energy / exact.energy - 1))
        network, truth, error = np.array(values).T
        found[name] = {
            "energy error": float(np.abs(error).max()),
            "squared correlation": float(np.corrcoef(network, truth)[0, 1] ** 2),
            "mean difference": float(abs(np.mean(network - truth))),
        }
    return {"found": found, "seconds": seconds}


def square(n_iter: int, n_systems: int, learning_rate: float, threads: int) -> Row:
    """One network for the 4 x 4 J1-J2 square."""
    import numpy as np

    from infoscope.quantum import FoundationQuantumState, HeisenbergFamily, Square

    began, cpu = time.perf_counter(), time.process_time()
    trained = np.linspace(0, 0.6, n_systems)
    state = FoundationQuantumState(
        HeisenbergFamily(Square(4), couplings=("J2",)), d_model=16, n_heads=4, n_layers=2, n_samples=128 * n_systems,
        symmetries=("spin_flip", "translations", "point_group"), n_iter=n_iter, learning_rate=learning_rate,
        diag_shift=(1e-2, 1e-5), random_state=0,
    ).fit(trained)  # fmt: skip
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    rows = []
    for coupling in sorted({*trained.round(12).tolist(), 0.1, 0.3, 0.5, 0.55}):
        found = _state_errors(state, coupling)
        rows.append({"J2": coupling, "trained": bool(np.isclose(trained, coupling).any())} | found)
    return {"rows": rows, "seconds": seconds, "cpu_seconds": cpu}


# ------------------------------------------------------------------------------------------------------ cost of a step
def _one_core() -> None:
    """Everything of this process on one core: pools of threads that wait for each other would count as work."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])


def our_steps(n_sites: int, n_rows: int, flip: bool, sampler: str, n_steps: int, cache: str, threads: int) -> Row:
    """CPU seconds of the first step, with what comes before it, and of a later one."""
    _one_core()
    os.environ["INFOSCOPE_JAX_CACHE"] = cache
    began = time.process_time()
    from infoscope.quantum import Chain, FoundationQuantumState, IsingFamily
    from infoscope.quantum.fitting import TrainingRun

    times: list[float] = []
    step = TrainingRun._step

    def timed(self: Any, state: Any) -> None:
        before = time.process_time()
        step(self, state)
        times.append(time.process_time() - before)
        if len(times) == 1:
            times[0] = time.process_time() - began
            reset_peak()

    TrainingRun._step = timed  # type: ignore[method-assign]
    FoundationQuantumState(
        IsingFamily(Chain(n_sites)), couplings=TRAINED, n_systems=8, n_samples=n_rows, n_iter=n_steps + 1,
        random_state=0, symmetries="spin_flip" if flip else None, sampler=sampler, **NETWORK,
    ).fit()  # fmt: skip
    return {"first": times[0], "step": sorted(times[1:])[len(times[1:]) // 2], "peak_mb": peak_mb()}


def peer_steps(n_sites: int, n_rows: int, n_chains: int, n_steps: int, threads: int) -> Row:
    """The same of netket-foundation: 64 chains, 5 sweeps left out; its Hamiltonian as a list of Pauli strings."""
    _one_core()
    began = time.process_time()
    import jax
    import jax.numpy as jnp
    import netket as nk
    import netket_foundation as nkf
    import numpy as np
    import optax

    hilbert, space = nk.hilbert.Spin(0.5, n_sites), nkf.ParameterSpace(N=1, min=TRAINED[0], max=TRAINED[1])
    strings = ["".join("Z" if k in (i, (i + 1) % n_sites) else "I" for k in range(n_sites)) for i in range(n_sites)]
    strings += ["".join("X" if k == i else "I" for k in range(n_sites)) for i in range(n_sites)]

    def hamiltonian(coupling: Any) -> Any:
        weights = jnp.concatenate([-jnp.ones(n_sites), -coupling[0] * jnp.ones(n_sites)])
        return nkf.operator.PauliStringsJax(hilbert, strings, weights)

    model = nkf.model.ViTFNQS(
        num_layers=2, d_model=12, heads=4, L_eff=n_sites // 2, b=2, n_coups=1, complex=False, disorder=False,
        transl_invariant=True, two_dimensional=False,
    )  # fmt: skip
    sampler = nk.sampler.MetropolisLocal(hilbert, n_chains=n_chains)
    state = nkf.FoundationalQuantumState(
        sampler, model, space, n_replicas=8, n_samples=n_rows, n_discard_per_chain=5, seed=1
    )
    state.parameter_array = np.linspace(*TRAINED, 8).reshape(-1, 1)
    driver = nkf.VMC_SR(
        nkf.operator.ParametrizedOperator(hilbert, space, hamiltonian), optax.sgd(0.02), variational_state=state,
        diag_shift=1e-3, use_ntk=True,
    )  # fmt: skip
    driver.run(1, out=None, show_progress=False)
    jax.block_until_ready(state.parameters)
    first = time.process_time() - began
    driver.run(1, out=None, show_progress=False)  # the second one compiles something too
    reset_peak()
    times = []
    for _ in range(n_steps):
        before = time.process_time()
        driver.run(1, out=None, show_progress=False)
        jax.block_until_ready(state.parameters)
        times.append(time.process_time() - before)
    return {"first": first, "step": sorted(times)[len(times) // 2], "peak_mb": peak_mb()}


# --------------------------------------------------------------------------------------------------------------- parts
def run_chain(options: Namespace) -> None:
    quick = options.quick
    seeds, n_sites, n_iter = (SEEDS[:1], 6, 60) if quick else (SEEDS, 12, 300)
    table: list[Row] = []
    in_errors: list[float] = []
    for seed in seeds:
        found = fresh("chain", threads=options.threads, seed=seed, n_sites=n_sites, n_iter=n_iter)
        rows = found["rows"]
        in_errors += found["in_errors"]

        def worst(name: str, rows: list[Row] = rows, low: float = 0.0, high: float = 9.0) -> float:
            return max(row[name] for row in rows if low <= row["field"] < high)

        table.append(
            {
                "seed": seed,
                "energy error": worst("energy error"),
                "infidelity": worst("infidelity"),
                "V-score": worst("V-score"),
                "susceptibility off by, field < 0.8": worst("chi error", high=0.8),
                "susceptibility off by, field >= 0.8": worst("chi error", low=0.8),
                "seconds": found["seconds"],
                "CPU seconds": found["cpu_seconds"],
            }
        )
    largest = {name: max(row[name] for row in table) for name in table[0] if name != "seed"}
    bars = [
        bar("relative energy error, largest", largest["energy error"], 5e-5),
        bar("infidelity, largest", largest["infidelity"], 1e-3),
        bar("susceptibility off by, field < 0.8", largest["susceptibility off by, field < 0.8"], 0.15),
        bar("susceptibility off by, field >= 0.8", largest["susceptibility off by, field >= 0.8"], 0.10),
        bar(
            "intervals of 1.96 errors that hold the susceptibility",
            statistics.fmean(one < 1.96 for one in in_errors), 0.85, at_least=True,
        ),
        bar("seconds of training, longest", largest["seconds"], 180.0, unit="s"),
    ]  # fmt: skip
    notes = [
        "Periodic chain of 12 spins, 8 trained fields from 0.75 to 2, 512 rows, 300 steps, spin flip; largest errors "
        "over those and five other fields.",
        "Energies and susceptibilities against closed form and sparse diagonalisation, summed over all configurations.",
        f"Intervals at {len(FIELDS)} fields a seed; {sum(one < 1 for one in in_errors)} of {len(in_errors)} lie within "
        "one error.",
    ]
    publish("quantum_training", options, {"Five seeds": table}, part="chain", bars=bars, notes=notes)


def run_sizes(options: Namespace) -> None:
    sizes, n_iter = ((8, 10), 200) if options.quick else (SIZES, 300)
    table = [fresh("size", threads=options.threads, n_sites=n, n_iter=n_iter) for n in sizes]
    for row in table:
        row.pop("versions", None)
    sizes_log = [math.log(row["spins"]) for row in table]
    heights_log = [math.log(row["height a spin"] * row["spins"]) for row in table]
    nu = 2 / statistics.linear_regression(sizes_log, heights_log).slope
    steps = [b["height a spin"] - a["height a spin"] for a, b in zip(table, table[1:], strict=False)]
    bars = [
        bar("nu: off from 1 by", abs(nu - 1), 0.1),
        bar("exact peak away from the peak found, largest, in its errors",
            max(abs(row["peak at"] - row["exactly at"]) / row["±"] for row in table), 3.0),
    ]  # fmt: skip
    notes = [
        f"One network a size, trained at 8 fields from 0.75 to 1.15; nu = {nu:.3f} from heights that grow as N^(2/nu).",
        f"A spin's height grows by {', '.join(f'{step:.4f}' for step in steps)} from size to size: equal steps are a "
        "height that is linear in N.",
    ]
    publish("quantum_training", options, {"Peak of the susceptibility": table}, part="sizes", bars=bars, notes=notes)


def run_fine_tuning(options: Namespace) -> None:
    seeds, n_sites, n_iter = (SEEDS[:1], 6, 60) if options.quick else (SEEDS, 12, 300)
    table, shares = [], []
    for seed in seeds:
        found = fresh("fine_tuning", threads=options.threads, seed=seed, n_sites=n_sites, n_iter=n_iter)
        scratch, tuned = found["scratch"], found["tuned"]
        # the accuracy of training from scratch: its last tenth, which no single draw decides
        reached = statistics.fmean(scratch[-n_iter // 10 :])
        steps = next((n for n, error in enumerate(tuned) if error <= reached), None)
        shares.append(float("inf") if steps is None else steps / n_iter)
        row: Row = {"seed": seed, "scratch, last tenth": reached, "fine-tuning gets there after": steps}
        row |= {f"scratch, step {n_iter * k // 6}": scratch[min(n_iter * k // 6, n_iter - 1)] for k in (1, 2, 4)}
        row |= {f"tuned, step {n_iter * k // 30}": tuned[min(n_iter * k // 30, len(tuned) - 1)] for k in (0, 1, 5, 10)}
        table.append(row)
    bars = [bar("share of the steps from scratch, largest", max(shares), 1 / 3)]
    notes = [
        f"A ring of {n_sites} spins at the field {TUNED}, which is not among the eight that were trained; relative "
        f"errors of energies, exact sums along the steps; {n_iter} steps from scratch, {n_iter // 3} of `partial_fit` "
        "as it is by default."
    ]
    publish("quantum_training", options, {"Five seeds": table}, part="fine_tuning", bars=bars, notes=notes)


def _each_contender(n_sites: int, n_rows: int, n_steps: int, cache: str) -> dict[str, Row]:
    """Steps of each of ours, and of the peer where there is one, every one in a process of its own."""
    size = {"threads": 1, "n_sites": n_sites, "n_rows": n_rows, "n_steps": n_steps}
    found = {
        name: fresh("our_steps", flip=flip, sampler=sampler, cache=cache, **size)
        for name, (flip, sampler) in OURS.items()
    }
    if python := os.environ.get("INFOSCOPE_NETKET_PYTHON", ""):
        found[PEER] = fresh("peer_steps", python=python, n_chains=64, **size)
    return found


def _publish_beside_peer(
    part: str,
    options: Namespace,
    found: dict[str, Row],
    title: str,
    table: list[Row],
    bars: list[Row],
    notes: list[str],
) -> None:
    """With the versions of both, and a word where the peer was left out."""
    used = {"infoscope": next(iter(found.values()))["versions"]}
    if PEER in found:
        used["netket-foundation"] = found[PEER]["versions"]
    else:
        notes = [*notes, "netket-foundation was skipped: INFOSCOPE_NETKET_PYTHON names no Python."]
    publish("quantum_training", options, {title: table}, part=part, bars=bars, notes=notes, used=used)


def run_memory(options: Namespace) -> None:
    n_sites, n_rows = (6, 64) if options.quick else (16, 4096)
    with tempfile.TemporaryDirectory() as cache:
        found = _each_contender(n_sites, n_rows, 5, cache)
    table = [{"": name, "peak, MB": row["peak_mb"], "CPU seconds a step": row["step"]} for name, row in found.items()]
    bars = [
        bar(f"{name}: share of the peer's peak", found[name]["peak_mb"] / found[PEER]["peak_mb"], 0.25)
        for name in OURS
        if PEER in found
    ]
    notes = [
        f"{n_sites} spins, {n_rows:,} rows, 8 systems, the same network; resident memory of the whole process with all "
        "libraries and what the compiler left, from the second step on, at a first start; a step is the median of 5."
    ]
    _publish_beside_peer("memory", options, found, "Memory", table, bars, notes)


def run_speed(options: Namespace) -> None:
    n_sites, n_rows, n_steps = (6, 64, 3) if options.quick else (10, 256, 30)
    with tempfile.TemporaryDirectory() as cache:
        # alternating: what else runs changes with time
        rounds = [_each_contender(n_sites, n_rows, n_steps, cache) for _ in range(1 if options.quick else 2)]
    first, second, step = "CPU seconds to the first step", "at a second start", "CPU seconds a step"
    table = [
        {
            "": name,
            first: rounds[0][name]["first"],
            second: rounds[-1][name]["first"] if len(rounds) > 1 else None,
            step: min(one[name]["step"] for one in rounds),
        }
        for name in rounds[0]
    ]
    by_name = {row[""]: row for row in table}
    flip, plain = "spin flip, exact draws", "no symmetry, exact draws"

    def ratio(name: str, of_ours: str, of_peer: str) -> float | None:
        ours = by_name[name][of_ours]
        return by_name[PEER][of_peer] / ours if PEER in by_name and ours else None

    bars = [
        bar("a step, spin flip on ours: times faster", ratio(flip, step, step), 8, at_least=True),
        bar("a step without: times faster", ratio(plain, step, step), 15, at_least=True),
        bar("to the first step: times faster", ratio(flip, first, first), 2, at_least=True),
        bar("to the first step at a second start: times faster", ratio(flip, second, first), 6, at_least=True),
    ]
    notes = [
        f"{n_sites} spins, 8 systems, {n_rows} rows, the same network (two layers of width 12); every process on one "
        "core. The first step counts from the import of the libraries on. A step is the median of 30, the better of "
        "two processes.",
        "The peer: its Hamiltonian as one list of Pauli strings, which is faster than sums of operators.",
    ]
    _publish_beside_peer("speed", options, rounds[0], "Cost", table, bars, notes)


RUNS = {
    "chain": run_chain, "sizes": run_sizes, "fine_tuning": run_fine_tuning, "speed": run_speed, "memory": run_memory,
}  # fmt: skip


def run(options: Namespace) -> None:
    for part in options.only:
        RUNS[part](options)


if __name__ == "__main__":
    jobs = {"chain": chain, "size": size, "fine_tuning": fine_tuning, "random_fields": random_fields, "square": square}
    main(run, jobs | {"our_steps": our_steps, "peer_steps": peer_steps}, parts=tuple(RUNS))
