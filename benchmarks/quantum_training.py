"""Training one wave function for a family: errors against exact answers, and cost beside netket-foundation.

Accuracy: the periodic Ising chain of 12 spins for five seeds, random transverse fields that were never trained, and the
4 x 4 J1-J2 square; every error is a sum over all configurations against sparse diagonalisation, at couplings that were
trained and at others.  Speed and memory: the same network shape (10 spins, 8 systems, 256 rows, 3,412 parameters; for
memory 16 spins and 4,096 rows), float64, beside netket-foundation with chains as in its tutorial (64 chains, 5 sweeps
left out, 4 kept), in alternating processes; CPU seconds.

INFOSCOPE_NETKET_PYTHON names the Python of an environment with ``netket-foundation==0.1.1``; without it the peer is
skipped.
"""

from __future__ import annotations

import time
from typing import Any

from harness import Row, main

SEEDS = (0, 1, 2, 3, 4)
TRAINED = (0.75, 2.0)
FIELDS = (0.75, 0.8, 0.9, 1.0, 1.1, 1.3, 2.0)
PARTS = ("chain", "fields", "square", "tuning", "speed", "memory")
NETWORK = {"d_model": 12, "n_heads": 4, "n_layers": 2, "patch_size": 2}


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
    return {"rows": rows, "seconds": seconds, "cpu_seconds": cpu}


def random_fields(n_iter: int, threads: int) -> Row:
    """100 trained and 100 new realisations of random transverse fields."""
    import numpy as np

    from infoscope.quantum import Chain, FoundationQuantumState, RandomFieldIsing, ground_state, spins_of

    rng = np.random.default_rng(0)
    trained, new = rng.uniform(size=(100, 8)), rng.uniform(size=(100, 8))
    began = time.perf_counter()
    state = FoundationQuantumState(
        RandomFieldIsing(Chain(8), interaction=float(np.exp(-1))), n_samples=1024, systems_per_step=16, n_iter=n_iter,
        random_state=0, **NETWORK,
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


if __name__ == "__main__":
    main(lambda options: None, {"chain": chain, "random_fields": random_fields, "square": square}, parts=PARTS)
