"""What BMTI costs: the parts ``speed``, ``large`` and ``wide`` of density.py."""

from __future__ import annotations

import time
from argparse import Namespace
from pathlib import Path

from density_shared import load, mean_error, peer_data, save, skipped
from harness import Row, bar, fresh, limit_memory, peak_mb, publish, reset_peak, resident_mb
from imbalance_vs_dadapy import peer_python

PEER_LIMIT = 300.0  # seconds, for a solver of the peer
PEER_MEMORY = 16.0  # GB


# ------------------------------------------------------------------------------------------------- time and memory
def bmti(file: str, solver: str, threads: int) -> Row:
    from infoscope import BMTI

    after_import = resident_mb()
    x, truth = load(file)
    BMTI(dimension=6, max_neighbors=100, solver=solver, error=None, n_jobs=threads).fit(x[:2_000])  # warm
    warm = resident_mb()
    reset_peak()
    began, cpu = time.perf_counter(), time.process_time()
    model = BMTI(dimension=6, max_neighbors=100, solver=solver, error=None, n_jobs=threads).fit(x)
    timing = {"seconds": time.perf_counter() - began, "cpu_seconds": time.process_time() - cpu}
    return {
        **timing,
        "after_import": after_import,
        "warm": warm,
        "peak": peak_mb(),
        "error": mean_error(model.log_density_, truth),
        "residual": float(model.residual_),
    }


def peer_bmti(file: str, solver: str, threads: int) -> Row:
    import numpy as np

    after_import = resident_mb()
    x, truth = load(file)
    peer_data(x[:1_000], threads).compute_density_BMTI(solver="sp_cg")
    warm = resident_mb()
    reset_peak()
    limit_memory(PEER_MEMORY)
    began, cpu = time.perf_counter(), time.process_time()
    try:
        data = peer_data(x, threads)
        data.compute_density_BMTI(solver=solver)
    except MemoryError:
        return {"failed": f"asked for more than {PEER_MEMORY:.0f} GB"}
    timing = {"seconds": time.perf_counter() - began, "cpu_seconds": time.process_time() - cpu}
    peak = peak_mb()
    matrix, right = data._get_BMTI_reg_linear_system("uncorr", 1)  # again, to see how well it is solved
    residual = np.linalg.norm(matrix.tocsr() @ data.log_den - right) / np.linalg.norm(right)
    return {
        **timing,
        "after_import": after_import,
        "warm": warm,
        "peak": peak,
        "error": mean_error(data.log_den, truth),
        "residual": float(residual),
    }


def run_speed(options: Namespace, folder: Path) -> None:
    quick, threads, peer = options.quick, options.threads, peer_python()
    n = 3_000 if quick else 50_000
    file, small = save(folder / "speed.npy", n, 1), save(folder / "small.npy", n // 10, 1)
    fresh("bmti", threads=threads, file=small, solver="auto")  # fills the kernel cache
    rows = {(f"{n:,}", "infoscope"): fresh("bmti", threads=threads, file=file, solver="auto")}
    rows[f"{n // 10:,}", "infoscope"] = fresh("bmti", threads=threads, file=small, solver="auto")
    if peer:
        for solver in ("sp_cg", "sp_direct"):
            name = f"DADApy, {solver}" + " (its default)" * (solver == "sp_direct")
            for size, data in ((f"{n:,}", file), (f"{n // 10:,}", small)):
                rows[size, name] = fresh(
                    "peer_bmti", python=peer, threads=threads, limit=PEER_LIMIT, file=data, solver=solver
                )
    ours = rows[f"{n:,}", "infoscope"]
    table = [
        {"N": size, "contender": name, **_cost(row, rows[size, "infoscope"])}
        for (size, name), row in sorted(rows.items(), key=lambda item: -int(item[0][0].replace(",", "")))
    ]
    theirs = rows.get((f"{n:,}", "DADApy, sp_cg"), {})
    both = "seconds" in theirs
    bars = [
        bar("faster than DADApy with sp_cg", theirs["seconds"] / ours["seconds"] if both else None, 2.5, at_least=True,
            unit="times"),
        bar("memory above import, share of DADApy's", _above(ours) / _above(theirs) if both else None, 0.25),
        bar("residual", ours["residual"], 1e-8),
    ]  # fmt: skip
    used = {name.split(",")[0]: row["versions"] for (_, name), row in rows.items() if "versions" in row}
    notes = [
        "Neighbours, k*, gradients, edges and the solution, without error bars on both sides; one call each.",
        f"A contender of DADApy may take {PEER_LIMIT:,.0f} s and {PEER_MEMORY:.0f} GB.",
        *skipped(peer),
    ]
    title = "BMTI, two wells in six dimensions, at most 100 neighbours"
    publish("density", options, {title: table}, part="speed", bars=bars, notes=notes, used=used)


def run_large(options: Namespace, folder: Path) -> None:
    n = 20_000 if options.quick else 1_000_000
    file = save(folder / "large.npy", n, 1)
    row = fresh("bmti", threads=options.threads, file=file, solver="auto")
    bars = [
        bar("time", row["seconds"], 600, unit="s"),
        bar("peak memory of the process", row["peak"], 12_000, unit="MB"),
    ]
    title = f"BMTI, two wells in six dimensions, N = {n:,}"
    table = [{"contender": "infoscope", **_cost(row, row), "peak of the process, MB": row["peak"]}]
    publish("density", options, {title: table}, part="large", bars=bars, used={"this": row["versions"]})


# ------------------------------------------------------------------------------------------------- many columns
def wide(n: int, d: int, threads: int) -> Row:
    import numpy as np

    from infoscope import BMTI

    after_import = resident_mb()
    x = np.random.default_rng(0).normal(size=(n, d))
    reset_peak()
    began = time.perf_counter()
    model = BMTI(n_jobs=threads).fit(x)
    seconds = time.perf_counter() - began
    finite = bool(np.isfinite(model.log_density_).all() and np.isfinite(model.log_density_se_).all())
    return {"seconds": seconds, "after_import": after_import, "peak": peak_mb(), "finite": finite}


def peer_wide(n: int, d: int, threads: int) -> Row:
    import numpy as np

    after_import = resident_mb()
    x = np.random.default_rng(0).normal(size=(n, d))
    limit_memory(PEER_MEMORY)
    reset_peak()
    began = time.perf_counter()
    try:
        data = peer_data(x, threads, dimension=None)
        data.compute_density_BMTI()
    except MemoryError as error:
        return {"failed": f"MemoryError: {error}"}
    seconds = time.perf_counter() - began
    finite = bool(np.isfinite(data.log_den).all())
    return {"seconds": seconds, "after_import": after_import, "peak": peak_mb(), "finite": finite}


def run_wide(options: Namespace, folder: Path) -> None:
    n, d = (300, 50) if options.quick else (1_500, 200)
    fresh("wide", threads=options.threads, n=200, d=10)  # fills the kernel cache
    rows = {"infoscope, with error bars": fresh("wide", threads=options.threads, n=n, d=d)}
    if peer := peer_python():
        rows["DADApy"] = fresh("peer_wide", python=peer, threads=options.threads, limit=PEER_LIMIT, n=n, d=d)
    table = [
        {
            "contender": name,
            "seconds": row.get("seconds", row.get("failed")),
            "peak above import, MB": _above(row),
            "all values finite": row.get("finite"),
        }
        for name, row in rows.items()
    ]
    ours = rows["infoscope, with error bars"]
    bars = [bar("memory above import", _above(ours), 500, unit="MB")]
    publish(
        "density",
        options,
        {f"BMTI, Gaussian, N = {n:,}, {d} columns": table},
        part="wide",
        bars=bars,
        notes=[f"DADApy may take {PEER_MEMORY:.0f} GB.", *skipped(peer)],
        used={name.split(",")[0]: row["versions"] for name, row in rows.items() if "versions" in row},
    )


def _above(row: Row) -> float | None:
    return None if row.get("peak") is None else row["peak"] - row["after_import"]


def _cost(row: Row, ours: Row) -> Row:
    if "failed" in row:
        return {"seconds": row["failed"], "CPU seconds": "", "times infoscope": "", "peak above import, MB": "",
                "residual": "", "mean absolute error": ""}  # fmt: skip
    return {
        "seconds": row["seconds"],
        "CPU seconds": row["cpu_seconds"],
        "times infoscope": row["seconds"] / ours["seconds"],
        "peak above import, MB": _above(row),
        "residual": f"{row['residual']:.1e}",
        "mean absolute error": f"{row['error']:.4f}",
    }
