"""Effective numbers of 50,000 items of 64 columns; beside vendi-score 0.0.3 at 2,000 items, and a Gaussian kernel.

Data: ``default_rng(0).normal(size=(N, D))``.  The answers of infoscope contain the standard error, the profile over
orders, the curve over numbers of items and the look at the order of the rows; vendi-score gives the number alone.  Its
``score_X`` makes the N x N matrix, its ``score_dual`` the D x D one; the Gaussian matrix is made with NumPy for it.

INFOSCOPE_VENDI_PYTHON names the Python of an environment with ``vendi-score==0.0.3``; without one the peer is skipped.
"""

from __future__ import annotations

import os
import shutil
from argparse import Namespace
from typing import Any

from harness import Row, bar, best_of, fresh, main, peak_mb, publish, reset_peak, resident_mb

SEED = 0
LARGE, WIDE = 50_000, 64
SMALL = 2_000
GAUSSIAN = dict(d=8, sigma=1.5)
TASKS = {
    "cosine, order 1": dict(kernel="cosine", order=1),
    "gaussian, order 1": dict(kernel="gaussian", order=1),
    "gaussian, order 2": dict(kernel="gaussian", order=2),
}


# ------------------------------------------------------------------------------------------------- the contenders
def infoscope(kernel: str, order: float, threads: int) -> Any:
    import warnings

    from infoscope import effective_number

    warnings.simplefilter("ignore")
    sigma = {"sigma": GAUSSIAN["sigma"]} if kernel == "gaussian" else {}

    def call(x: Any) -> tuple[float, float]:
        found = effective_number(x, kernel=kernel, order=order, n_jobs=threads, **sigma)
        return found.value, found.value_se

    return call


def vendi(kernel: str, order: float, threads: int, dual: bool = False) -> Any:
    import numpy as np
    from vendi_score import vendi as peer

    def call(x: Any) -> tuple[float, None]:
        if kernel == "cosine":
            score = peer.score_dual if dual else peer.score_X
            return float(score(x, q=order)), None
        squares = (x**2).sum(1)
        squared = squares[:, None] + squares - 2 * x @ x.T
        return float(peer.score_K(np.exp(-squared / (2 * GAUSSIAN["sigma"] ** 2)), q=order)), None

    return call


def vendi_dual(kernel: str, order: float, threads: int) -> Any:
    return vendi(kernel, order, threads, dual=True)


CONTENDERS = {"infoscope": infoscope, "vendi-score": vendi, "vendi-score, dual": vendi_dual}


def contender(name: str, task: str, n: int, d: int, threads: int) -> Row:
    import numpy as np

    call = CONTENDERS[name](threads=threads, **TASKS[task])
    after_import = resident_mb()
    x = np.random.default_rng(SEED).normal(size=(n, d))
    call(x[:300])
    reset_peak()
    (value, error), timing = best_of(lambda: call(x))
    return {**timing, "value": value, "error": error, "peak": peak_mb(), "after_import": after_import}


# ------------------------------------------------------------------------------------------------- the comparison
def run(options: Namespace) -> None:
    large, small = (5_000, 500) if options.quick else (LARGE, SMALL)
    named = os.environ.get("INFOSCOPE_VENDI_PYTHON", "")
    peer = shutil.which(named) if named else None
    fresh("contender", threads=options.threads, name="infoscope", task="cosine, order 1", n=500, d=WIDE)
    tables, used, found = {}, {}, {}
    for task, n, d in (
        ("cosine, order 1", large, WIDE),
        ("cosine, order 1", small, WIDE),
        ("gaussian, order 1", small, GAUSSIAN["d"]),
        ("gaussian, order 2", small, GAUSSIAN["d"]),
        ("gaussian, order 2", 10 * small, GAUSSIAN["d"]),
    ):
        rows = {"infoscope": fresh("contender", name="infoscope", task=task, n=n, d=d, threads=options.threads)}
        peers = ["vendi-score"] if n <= small else []  # N x N numbers
        peers += ["vendi-score, dual"] if task.startswith("cosine") else []
        for name in peers:
            if peer is not None:
                rows[name] = fresh(
                    "contender", python=peer, limit=600.0, name=name, task=task, n=n, d=d, threads=options.threads
                )
        used |= {name.split(",")[0]: row["versions"] for name, row in rows.items() if "versions" in row}
        tables[f"{task}, N = {n:,}, D = {d}"] = [_line(name, row, rows["infoscope"]) for name, row in rows.items()]
        found[task, n] = rows
    notes = [] if peer else ["vendi-score was skipped: no Python of it was named (INFOSCOPE_VENDI_PYTHON)."]
    exact = (1 + 4 / GAUSSIAN["sigma"] ** 2) ** (GAUSSIAN["d"] / 2)
    notes.append(
        f"The law of the Gaussian rows has the effective number {exact:.1f} of order 2. infoscope takes it from pairs, "
        "without bias; order 1 has not converged, and infoscope warns."
    )
    seconds = found["cosine, order 1", large]["infoscope"]["seconds"]
    bars = [bar(f"cosine, N = {large:,}, D = {WIDE}, with error and curve", seconds, 1.0, unit="s")]
    publish("effective_number", options, tables, bars=bars, notes=notes, used=used)


def _line(name: str, row: Row, ours: Row) -> Row:
    if "failed" in row:
        return {"contender": name, "seconds": row["failed"]}
    peak = None if row["peak"] is None else row["peak"] - row["after_import"]
    error = "" if row["error"] is None else f" ± {row['error']:.2g}"
    return {
        "contender": name,
        "seconds": row["seconds"],
        "best of": row["runs"],
        "CPU seconds": row["cpu_seconds"],
        "times infoscope": row["seconds"] / ours["seconds"],
        "peak above import, MB": peak,
        "effective number": f"{row['value']:.4f}{error}",
    }


if __name__ == "__main__":
    main(run, {"contender": contender})
