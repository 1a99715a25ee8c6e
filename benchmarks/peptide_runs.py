"""Long runs of the sampler on peptides: goes on where it stopped, keeps what is published, and reports it.

A benchmark brings a `Run`; `command_line` gives it its two parts:

    nice -n 10 python benchmarks/sampling_NAME.py run     --work FOLDER --minutes 30
    nice -n 10 python benchmarks/sampling_NAME.py publish --work FOLDER
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from harness import RESULTS, as_text, busy, machine, versions, write_json

KAPPA, STEP = 300.0, 0.004  # kT/rad^2, ps


@dataclass(frozen=True)
class Run:
    """What a benchmark of this kind says.

    `make` gives a sampler and its starts, `summary` what is kept of a result, `line` what is shown of it, `report` its
    tables, bars and notes of that, with the force evaluations and the seconds of the run. `finished` ends it early.
    """

    name: str
    make: Callable
    summary: Callable
    line: Callable
    report: Callable
    adaptation: int
    round: int  # iterations of production between two looks at the clock
    finished: Callable = lambda found: False


def command_line(run: Run, doc: str, minutes: float) -> None:
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("parts", nargs="+", choices=["run", "publish"])
    parser.add_argument("--work", type=Path, required=True, help="folder of the checkpoint")
    parser.add_argument("--minutes", type=float, default=minutes, help="stop after the round that passes this")
    options = parser.parse_args()
    busy_before = busy()
    if "run" in options.parts:
        go_on(run, options.work, time.time() + 60.0 * options.minutes)
    if "publish" in options.parts:
        publish(run, options.work, busy_before)


def go_on(run: Run, work: Path, until: float) -> None:
    """Rounds of production until the time is over; after each, what is published of it so far."""
    work.mkdir(parents=True, exist_ok=True)
    made, starts = run.make()
    known = work / "done.json"
    spent = json.loads(known.read_text()) if known.exists() else {"iterations": 0, "all evaluations": 0, "CPU s": 0.0}
    while time.time() < until:
        began, made.target.evaluations = time.process_time(), 0
        n_iter = spent["iterations"] + run.round
        made.fit(starts, n_adapt=run.adaptation, n_iter=n_iter, checkpoint=work / f"{run.name}.npz", resume=True)
        spent["iterations"] = n_iter
        spent["all evaluations"] += made.target.evaluations
        spent["CPU s"] += time.process_time() - began
        np.savez_compressed(work / "found.npz", **run.summary(made.result_))
        known.write_text(json.dumps(spent))
        print(spent, run.line(made.result_), flush=True)
        if run.finished(made.result_):
            return


def publish(run: Run, work: Path, busy_before: float | None) -> None:
    with np.load(work / "found.npz") as file:
        kept = dict(file)
    tables, bars, notes = run.report(kept, json.loads((work / "done.json").read_text()), others())
    report = {
        "name": f"sampling_{run.name}",
        "date": datetime.now(UTC).date().isoformat(),
        "command": f"python benchmarks/sampling_{run.name}.py publish",
        "machine": machine(1, busy_before),
        "versions": {"this": versions()},
        "tables": tables,
        "bars": bars,
        "notes": notes,
    }
    print(as_text(report))
    write_json(RESULTS / f"sampling_{run.name}.json", report)


def others() -> dict:
    """Tables of the reference runs of the same Systems."""
    return json.loads((RESULTS / "sampling_peptides.json").read_text())["tables"]


def dragged(target, variables, goals: np.ndarray, n_steps: int, rng: np.random.Generator) -> np.ndarray:
    """Starts in other basins: slow paths from the minimised structure to goals (n, m) in radians."""
    x = np.repeat(target.positions, len(goals), axis=0)
    z = variables.values(x)
    way = (goals - z + np.pi) % (2 * np.pi) - np.pi
    momenta = rng.normal(size=x.shape) * np.sqrt(target.masses)
    options = {"kappa": KAPPA, "step": 0.003, "masses": target.masses, "schedule": "cosine"}
    return target.drag(variables, x, z, way, momenta, n_steps=np.full(len(x), n_steps), **options)[0]


def by_chain(found, values: np.ndarray) -> np.ndarray:
    """Rows of production as (chains, iterations, ...)."""
    order = np.lexsort((found.iteration, found.chain))
    return np.asarray(values)[order].reshape(found.n_chains, -1, *np.shape(values)[1:])


def numbers_of(found) -> dict[str, np.ndarray]:
    """What every benchmark keeps of a result beside its rows."""
    names = ("acceptance_rate", "crossing_acceptance", "n_gradients", "n_switches", "r_hat", "effective_size",
             "free_energy_bennett", "free_energy_bennett_se", "free_energy_difference", "free_energy_difference_se",
             "consistency_p", "exact")  # fmt: skip
    return {name: np.asarray(getattr(found, name)) for name in names} | {"mean_steps": found.n_steps.mean()}


def moves_row(kept: dict[str, np.ndarray], n_iter: int, n_chains: int) -> dict:
    """The row that says how the chains moved."""
    return {
        "mean steps of a path": float(kept["mean_steps"]), "acceptance": float(kept["acceptance_rate"]),
        "acceptance between basins": float(kept["crossing_acceptance"]), "R-hat, largest": float(np.max(kept["r_hat"])),
        "effective draws, fewest": float(np.min(kept["effective_size"])), "chains": n_chains, "iterations": n_iter,
        "force evaluations": int(kept["n_gradients"]),
    }  # fmt: skip
