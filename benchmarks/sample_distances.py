"""Distances between two samples beside what a user would do instead: POT, scikit-learn's kernels, SciPy's sqrtm.

    python benchmarks/sample_distances.py [--quick] [--threads N]

Every contender gets the same two samples and is asked for the number; the p-value and the extrapolation of
ours are rows of their own.  INFOSCOPE_MEASURES_PYTHON names the Python of an environment with ``POT==0.9.5``; without
one it is skipped.
"""

from __future__ import annotations

import os
import shutil
from argparse import Namespace
from typing import Any

from harness import Row, best_of, fresh, main, peak_mb, publish, reset_peak, resident_mb

LIMIT = 600.0  # seconds
SLICED, FRECHET, KERNEL = (20_000, 64), (5_000, 512), (4_000, 32)
DIRECTIONS = 128  # two bases of 64


def samples(n: int, d: int) -> tuple[Any, Any]:
    import numpy as np

    g = np.random.default_rng(0)
    return g.normal(size=(n, d)), 1.1 * g.normal(size=(n, d)) + 0.1


def contender(what: str, name: str, n: int, d: int, threads: int) -> Row:
    """One distance by one contender: value, best time, memory above that of the samples."""
    calls = {"sliced": _sliced, "frechet": _frechet, "mmd": _mmd}
    call = calls[what](name, threads)
    call(*samples(200, min(d, 16)))
    a, b = samples(n, d)
    reset_peak()
    before = resident_mb()
    value, timing = best_of(lambda: call(a, b))
    peak = peak_mb()
    more = None if before is None or peak is None else peak - before
    return {"value": value, "more_mb": more} | timing


def _sliced(name: str, threads: int) -> Any:
    if name == "POT":
        import ot

        return lambda a, b: float(ot.sliced_wasserstein_distance(a, b, n_projections=DIRECTIONS, seed=0))
    from infoscope import sliced_wasserstein

    permutations = 200 if "p-value" in name else 0
    return lambda a, b: sliced_wasserstein(a, b, n_directions=DIRECTIONS, random_state=0, n_jobs=threads,
                                           extrapolate=False, n_permutations=permutations).value  # fmt: skip


def _frechet(name: str, threads: int) -> Any:
    if name == "SciPy sqrtm":
        return _by_sqrtm
    from infoscope import frechet_distance

    return lambda a, b: frechet_distance(a, b, extrapolate="extrapolated" in name, random_state=0).value


def _by_sqrtm(a: Any, b: Any) -> float:
    """As users of features of networks compute it."""
    import numpy as np
    from scipy.linalg import sqrtm

    ca, cb = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = sqrtm(ca @ cb)
    return float(((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(ca) + np.trace(cb) - 2 * np.trace(np.real(root)))


def _mmd(name: str, threads: int) -> Any:
    if name == "scikit-learn":
        return _by_kernel_matrices
    from infoscope import mmd

    permutations = 200 if "p-value" in name else 0
    return lambda a, b: mmd(a, b, bandwidth=8.0, n_jobs=threads, n_permutations=permutations, random_state=0).value


def _by_kernel_matrices(a: Any, b: Any) -> float:
    from sklearn.metrics.pairwise import rbf_kernel

    n, m, gamma = len(a), len(b), 1 / (2 * 8.0**2)
    aa, bb, ab = rbf_kernel(a, gamma=gamma), rbf_kernel(b, gamma=gamma), rbf_kernel(a, b, gamma=gamma)
    return float((aa.sum() - n) / (n * (n - 1)) + (bb.sum() - m) / (m * (m - 1)) - 2 * ab.mean())


def run(options: Namespace) -> None:
    named = os.environ.get("INFOSCOPE_MEASURES_PYTHON", "")
    pot = shutil.which(named) if named else None
    tables, used = {}, {}
    for what, title, (n, d), names in (
        ("sliced", f"Sliced Wasserstein distance, {DIRECTIONS} directions", SLICED,
         ("infoscope", "infoscope, 200 permutations for a p-value", "POT")),
        ("frechet", "Squared Fréchet distance", FRECHET, ("infoscope", "infoscope, extrapolated", "SciPy sqrtm")),
        ("mmd", "Squared mean discrepancy, Gaussian kernel", KERNEL,
         ("infoscope", "infoscope, 200 permutations for a p-value", "scikit-learn")),
    ):  # fmt: skip
        n = n // 10 if options.quick else n
        common: Row = {"threads": options.threads, "what": what, "n": n, "d": d}
        rows = {}
        for name in names:
            if name == "POT" and pot is None:
                continue
            python = {"python": pot} if name == "POT" else {}
            rows[name] = fresh("contender", limit=LIMIT, name=name, **python, **common)
        used |= {name.split(",")[0]: row["versions"] for name, row in rows.items() if "versions" in row}
        tables[f"{title}, two samples of {n:,} rows, D = {d}"] = [_line(name, row) for name, row in rows.items()]
    publish(
        "sample_distances", options, tables, used=used,
        notes=[
            *(["POT was skipped: no Python of it was named."] if pot is None else []),
            "Every time of infoscope includes the standard error of the rows, which the others do not give. POT draws "
            "independent directions, infoscope whole orthonormal bases.",
        ],
    )  # fmt: skip


def _line(name: str, row: Row) -> Row:
    if "failed" in row:
        return {"contender": name, "value": None, "seconds": None, "memory beside the samples, MB": None,
                "why not": row["failed"]}  # fmt: skip
    return {"contender": name, "value": row["value"], "seconds": row["seconds"], "CPU seconds": row["cpu_seconds"],
            "memory beside the samples, MB": row["more_mb"]}  # fmt: skip


if __name__ == "__main__":
    main(run, {"contender": contender})
