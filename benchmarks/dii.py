"""Differentiable Information Imbalance: a step beside DADApy, whole fits on data with known weights, large data.

1. One value and gradient, N = 2,000, D = 50 independent normal columns, target the first 25 of them: ours in float64
   and float32 beside one epoch of ``DiffImbalance`` (full batch), whose time is the difference of two trainings of
   different length after one that compiles; with JAX as it comes (float32) and with ``JAX_ENABLE_X64=1``.
2. Whole fits: five Gaussians (DADApy's tutorial), ten Gaussians and 285 monomials (Wild and co-workers 2025, Tables 1
   and 2), with the published generators; the fit ranks with `k`, the value reported is that at k = 1.
3. Large: one full-batch value and gradient at N = 20,000, D = 100; a fit by batches to a million rows of ten Gaussians,
   one epoch.

Set INFOSCOPE_PEER_PYTHON as for imbalance_vs_dadapy.py; without it the peer is skipped.
"""

from __future__ import annotations

import os
from argparse import Namespace
from itertools import combinations_with_replacement
from typing import Any

from harness import Row, bar, best_of, fresh, main, peak_mb, publish, reset_peak, resident_mb
from imbalance_vs_dadapy import peer_python

SEED = 0
N, D, HALF = 2_000, 50, 25
TEN = (5, 2, 1, 1, 0.5, 1e-4, 1e-4, 1e-4, 1e-4, 1e-4)
PLACES = (5, 20, 47, 280, 100, 11, 4, 2, 9, 7)
MONOMIALS = (5, 5, 1, 2, 7, 3, 10, 6, 4, 1)


# ------------------------------------------------------------------------------------------------- one step
def step(n: int, d: int, precision: str, threads: int) -> Row:
    import numpy as np

    from infoscope.imbalance.dii.objective import Objective
    from infoscope.imbalance.dii.softmax import Bandwidth
    from infoscope.imbalance.rank_table import rank_table
    from infoscope.neighbors import Space

    after_import = resident_mb()
    X = np.random.default_rng(SEED).normal(size=(n, d))

    def objective(rows: int) -> Objective:
        table = rank_table(Space(X[:rows, : d // 2]), n_jobs=threads)
        tiles = getattr(np, precision)
        return Objective(Space(X[:rows]), table, np.arange(d), Bandwidth(k=1), precision=tiles, n_jobs=threads)

    objective(500)(np.full(d, 0.1))
    reset_peak()
    made, ranking = best_of(lambda: objective(n), 1)
    (value, _), timing = best_of(lambda: made(np.full(d, 0.1)), 5)
    return {**timing, "ranking": ranking["seconds"], "value": value, "peak": peak_mb(), "after_import": after_import}


def peer_step(n: int, d: int, double: bool, threads: int) -> Row:
    if double:
        os.environ["JAX_ENABLE_X64"] = "1"
    import numpy as np
    from dadapy import DiffImbalance

    after_import = resident_mb()
    X = np.random.default_rng(SEED).normal(size=(n, d))
    model = DiffImbalance(X, X[:, : d // 2], num_epochs=2, params_init=np.full(d, 0.1), learning_rate=1e-9)
    model.train()  # compiles
    reset_peak()
    times = {}
    for epochs in (2, 7):
        model.num_epochs = epochs
        (_, values), timing = best_of(model.train, 3)
        times[epochs] = timing
    seconds = (times[7]["seconds"] - times[2]["seconds"]) / 5
    cpu = (times[7]["cpu_seconds"] - times[2]["cpu_seconds"]) / 5
    return {
        "seconds": seconds, "cpu_seconds": cpu, "runs": 3, "value": float(values[0]), "peak": peak_mb(),
        "after_import": after_import,
    }  # fmt: skip


# ------------------------------------------------------------------------------------------------- whole fits
def fit(case: str, k: int, threads: int) -> Row:
    import numpy as np

    from infoscope import DifferentiableImbalance, dii_value_and_grad

    X, Y, truth = data(case)
    DifferentiableImbalance(k=k, n_jobs=threads).fit(X[:200], Y[:200])  # warm
    reset_peak()
    fitted, timing = best_of(lambda: DifferentiableImbalance(k=k, n_jobs=threads).fit(X, Y), 1)
    w = fitted.weights_
    value = dii_value_and_grad(X / X.std(0), Y, w * X.std(0), k=1, n_jobs=threads)[0]
    return {
        **timing, "dii": float(fitted.dii_), "at_one": float(value), "violation": float(fitted.kkt_violation_),
        "cosine": float(w @ truth / np.linalg.norm(w) / np.linalg.norm(truth)), "zeros": int((w == 0).sum()),
        "weights": (w / w.max() * truth.max())[np.argsort(-truth)][:10].round(3).tolist(), "peak": peak_mb(),
    }  # fmt: skip


def data(case: str) -> tuple[Any, Any, Any]:
    """Columns, target and true weights."""
    import numpy as np

    if case == "five Gaussians":
        X, truth = np.random.RandomState(0).normal(size=(500, 5)), np.array([10, 3, 1, 30, 7.3])
        return X, X * truth, truth
    X = np.random.RandomState(9).multivariate_normal(np.zeros(10), np.eye(10), size=1500)
    if case == "ten Gaussians":
        truth = np.array(TEN)
        return X, X * truth, truth
    columns = [
        X[:, c].prod(1) for degree in (1, 2, 3) for c in map(list, combinations_with_replacement(range(10), degree))
    ]
    M, truth = np.stack(columns, axis=1), np.zeros(len(columns))
    truth[list(PLACES)] = MONOMIALS
    return M, M[:, list(PLACES)] * np.array(MONOMIALS), truth


# ------------------------------------------------------------------------------------------------- large data
def million(n: int, batch: int, threads: int) -> Row:
    import numpy as np

    from infoscope import DifferentiableImbalance

    truth = np.array(TEN)
    X = np.random.default_rng(SEED).normal(size=(n, 10))
    small = {"batch_size": min(batch, 500), "max_iter": 1, "random_state": 0, "n_jobs": threads}
    DifferentiableImbalance(**small).fit(X[:1000], X[:1000] * truth)
    model = DifferentiableImbalance(batch_size=batch, max_iter=1, random_state=0, n_jobs=threads)
    reset_peak()
    fitted, timing = best_of(lambda: model.fit(X, X * truth), 1)
    w = fitted.weights_
    return {
        **timing,
        "cosine": float(w @ truth / np.linalg.norm(w) / np.linalg.norm(truth)),
        "peak": peak_mb(),
        "dii": float(fitted.dii_),
        "dii_se": float(fitted.dii_se_),
        "zeros": int((w == 0).sum()),
    }


# ------------------------------------------------------------------------------------------------- the report
def run(options: Namespace) -> None:
    quick, threads, peer = options.quick, options.threads, peer_python()
    n, n_large, n_million, batch = (500, 2_000, 20_000, 500) if quick else (N, 20_000, 1_000_000, 2_000)
    fresh("step", threads=threads, n=300, d=D, precision="float64")  # fill the kernel cache
    fresh("step", threads=threads, n=300, d=D, precision="float32")
    steps = {f"infoscope, {p}": fresh("step", threads=threads, n=n, d=D, precision=p) for p in ("float64", "float32")}
    if peer is not None:
        for name, double in (("DADApy epoch, as it comes", False), ("DADApy epoch, JAX_ENABLE_X64=1", True)):
            steps[name] = fresh("peer_step", python=peer, threads=threads, n=n, d=D, double=double)
    cases = [("five Gaussians", 1), ("ten Gaussians", 1), ("285 monomials", 3), ("285 monomials", 1)]
    fits = {(case, k): fresh("fit", threads=threads, case=case, k=k) for case, k in (cases[:2] if quick else cases)}
    large = fresh("step", threads=threads, n=n_large, d=100, precision="float64")
    batches = fresh("million", threads=threads, n=n_million, batch=batch)

    ours = steps["infoscope, float64"]
    tables = {
        f"One value and gradient, N = {n:,}, D = {D}": [
            {
                "contender": name, "seconds": row["seconds"], "best of": row["runs"],
                "CPU seconds": row["cpu_seconds"], "times infoscope": row["seconds"] / ours["seconds"],
                "peak above import, MB": above(row), "DII": f"{row['value']:.6f}",
            }
            for name, row in steps.items()
        ],
        "Whole fits, ranking the target included": [
            {
                "data": case, "k": k, "seconds": row["seconds"], "cosine with the truth": f"{row['cosine']:.6f}",
                "DII at k": f"{row['dii']:.6f}", "DII at k = 1": f"{row['at_one']:.6f}", "zeros": row["zeros"],
                "violation": f"{row['violation']:.1e}", "largest weights": ", ".join(map(str, row["weights"])),
            }
            for (case, k), row in fits.items()
        ],
        "Large data": [
            {
                "what": f"value and gradient, N = {n_large:,}, D = 100, float64", "seconds": large["seconds"],
                "peak of the process, MB": large["peak"], "cosine with the truth": "",
            },
            {
                "what": f"one epoch of batches of {batch:,}, N = {n_million:,}, D = 10", "seconds": batches["seconds"],
                "peak of the process, MB": batches["peak"], "cosine with the truth": f"{batches['cosine']:.6f}",
            },
        ],
    }  # fmt: skip
    notes = [
        f"Ranking the target takes {ours['ranking']:.3g} s at N = {n:,} and {large['ranking']:.3g} s at "
        f"N = {n_large:,}, once a fit.",
        f"Batches: DII {batches['dii']:.5f} ± {batches['dii_se']:.5f} on 4,000 rows, {batches['zeros']} zeros.",
    ]
    if peer is None:
        notes.append("DADApy was skipped: INFOSCOPE_PEER_PYTHON names no Python that exists.")
    used = {name.split(",")[0]: row["versions"] for name, row in steps.items()}
    publish("dii", options, tables, bars=bars(steps, fits, large, batches), notes=notes, used=used)


def bars(steps: dict[str, Row], fits: dict[Any, Row], large: Row, batches: Row) -> list[Row]:
    def faster(ours: str, theirs: str) -> float | None:
        return steps[theirs]["seconds"] / steps[ours]["seconds"] if theirs in steps else None

    ten, nine = fits["ten Gaussians", 1], fits.get(("285 monomials", 3))
    epoch = "DADApy epoch, as it comes"
    found = [
        bar("float64 step, faster than a DADApy epoch", faster("infoscope, float64", epoch), 15, at_least=True,
            unit="times"),
        bar("float32 step, faster than a DADApy epoch", faster("infoscope, float32", epoch), 40, at_least=True,
            unit="times"),
        bar("ten Gaussians: noise columns at zero", ten["zeros"], 5, at_least=True),
        bar("ten Gaussians: 1 - cosine", 1 - ten["cosine"], 1e-4),
        bar("ten Gaussians: violation of the certificate", ten["violation"], 1e-6),
        bar("20,000 rows, full batch: peak memory of the process", large["peak"], 2_000, unit="MB"),
        bar("a million rows by batches: cosine", batches["cosine"], 0.99, at_least=True),
    ]  # fmt: skip
    if nine is not None:
        found += [
            bar("285 monomials: cosine", nine["cosine"], 0.999, at_least=True),
            bar("285 monomials: DII at k = 1", nine["at_one"], 0.0019),
            bar("285 monomials: whole fit", nine["seconds"], 30, unit="s"),
        ]
    return found


def above(row: Row) -> float | None:
    return None if row["peak"] is None else row["peak"] - row["after_import"]


if __name__ == "__main__":
    main(run, {"step": step, "peer_step": peer_step, "fit": fit, "million": million})
