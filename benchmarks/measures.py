"""Mutual information beside infomeasure 0.6.3, npeet-plus 0.2.0, benchmark-mi 0.1.3 and scikit-learn.

Kraskov's first estimator with k = 3, no errors asked on either side.  Data: ``x = default_rng(0).normal(size=(N, D))``
and ``y = 0.6 x + 0.8 normal``, whose information is 0.223 D nats.  With three columns the maximum norm is used inside
each space, as the peers do; with more the Euclidean distance.  benchmark-mi is Euclidean by default and standardises.

For 64 + 64 columns the limit is that of the matrix products: four sweeps over all pairs (neighbours need one a space,
counts need one a space), in float32, in tiles of the size that the engine uses.

INFOSCOPE_MEASURES_PYTHON names the Python of an environment with ``infomeasure==0.6.3 npeet-plus==0.2.0 scikit-learn``,
INFOSCOPE_BMI_PYTHON that of one with ``benchmark-mi==0.1.3 jax==0.4.30 jaxlib==0.4.30``; peers without are skipped.
"""

from __future__ import annotations

import math
import os
import shutil
from argparse import Namespace
from typing import Any

from harness import Row, bar, best_of, fresh, main, peak_mb, publish, reset_peak, resident_mb

SEED, K = 0, 3
SCALAR = "scalar pair"
CASES = {
    "3 + 3 columns": (20_000, 3),
    "20 + 20 columns": (3_000, 20),
    SCALAR: (50_000, 1),
    "64 + 64 columns": (20_000, 64),
}
PEERS = {
    "3 + 3 columns": ("npeet-plus", "infomeasure"),
    "20 + 20 columns": ("infomeasure", "npeet-plus", "benchmark-mi"),
    SCALAR: ("scikit-learn", "npeet-plus", "infomeasure"),
    "64 + 64 columns": ("matrix products",),
}
WANTED = {
    ("3 + 3 columns", "npeet-plus"): 1.5,
    ("3 + 3 columns", "infomeasure"): 3.0,
    ("20 + 20 columns", "infomeasure"): 8.0,
    ("20 + 20 columns", "npeet-plus"): 2.0,
    ("20 + 20 columns", "benchmark-mi"): 4.0,
    (SCALAR, "scikit-learn"): 1.5,
}
MEMORY_MB, SHARE = 300.0, 0.5


def pair(n: int, d: int) -> tuple[Any, Any]:
    import numpy as np

    rng = np.random.default_rng(SEED)
    x = rng.normal(size=(n, d))
    return x, 0.6 * x + 0.8 * rng.normal(size=(n, d))


# ------------------------------------------------------------------------------------------------- the contenders
def infoscope(threads: int) -> Any:
    from infoscope import Space, mutual_information

    def call(x: Any, y: Any) -> float:
        metric = "chebyshev" if x.shape[1] <= 3 else "euclidean"
        spaces = Space(x, metric=metric), Space(y, metric=metric)
        return mutual_information(*spaces, k=K, estimator="ksg1", se=False, n_jobs=threads).value

    return call


def infomeasure(threads: int) -> Any:
    import infomeasure

    return lambda x, y: float(infomeasure.mutual_information(x, y, approach="ksg", k=K, noise_level=0))


def npeet_plus(threads: int) -> Any:
    import npeet_plus

    return lambda x, y: float(npeet_plus.mi(x, y, k=K)) * math.log(2)  # it answers in bits


def benchmark_mi(threads: int) -> Any:
    import bmi

    return lambda x, y: float(
        bmi.estimators.KSGEnsembleFirstEstimator(neighborhoods=(K,), n_jobs=threads).estimate(x, y)
    )


def scikit_learn(threads: int) -> Any:
    from sklearn.feature_selection import mutual_info_regression

    return lambda x, y: float(mutual_info_regression(x, y.ravel(), n_neighbors=K, random_state=0)[0])


def matrix_products(threads: int) -> Any:
    """Only the products that four sweeps need."""
    from concurrent.futures import ThreadPoolExecutor

    import numpy as np

    from infoscope.base import one_blas_thread

    def call(x: Any, y: Any) -> float:
        sides = [np.ascontiguousarray(side, np.float32) for side in (x, y)]

        def rows(first: int) -> None:
            out = np.empty((256, 2048), np.float32)
            for side in sides * 2:
                block = side[first : first + 256]
                for column in range(0, len(side), 2048):
                    part = side[column : column + 2048]
                    whole = block.shape[0] == 256 and part.shape[0] == 2048
                    np.matmul(block, part.T, out=out if whole else np.empty((len(block), len(part)), np.float32))

        with one_blas_thread(), ThreadPoolExecutor(threads) as pool:
            list(pool.map(rows, range(0, len(x), 256)))
        return math.nan

    return call


CONTENDERS = {
    "infoscope": infoscope,
    "infomeasure": infomeasure,
    "npeet-plus": npeet_plus,
    "benchmark-mi": benchmark_mi,
    "scikit-learn": scikit_learn,
    "matrix products": matrix_products,
}


def contender(name: str, n: int, d: int, threads: int) -> Row:
    call = CONTENDERS[name](threads)
    after_import = resident_mb()
    x, y = pair(n, d)
    call(x[:600], y[:600])
    call(x[: min(n, 2_500)], y[: min(n, 2_500)])
    reset_peak()
    value, timing = best_of(lambda: call(x, y), repeats=5)
    value = None if math.isnan(value) else value
    return {**timing, "value": value, "peak": peak_mb(), "after_import": after_import}


# ------------------------------------------------------------------------------------------------- the comparison
def run(options: Namespace) -> None:
    pythons = {name: _named("INFOSCOPE_MEASURES_PYTHON") for name in ("infomeasure", "npeet-plus", "scikit-learn")}
    pythons["benchmark-mi"] = _named("INFOSCOPE_BMI_PYTHON")
    tables, bars, used = {}, [], {}
    for case, (n, d) in CASES.items():
        n = n // 20 if options.quick else n
        common: Row = {"threads": options.threads, "n": n, "d": d}
        rows = {"infoscope": fresh("contender", name="infoscope", **common)}
        for name in PEERS[case]:
            python = {"python": pythons[name]} if name in pythons else {}
            if python.get("python", "") is not None:
                rows[name] = fresh("contender", name=name, **python, **common)
        used |= {name: row["versions"] for name, row in rows.items() if name != "matrix products"}
        tables[f"{case}, N = {n:,}"] = [_line(name, row, rows["infoscope"]) for name, row in rows.items()]
        bars += _bars(case, rows)
    notes = [f"{name} was skipped: no Python of it was named." for name, python in pythons.items() if python is None]
    notes.append(
        "Times are compared by CPU seconds, all threads together, which depend little on what else a machine does."
    )
    publish("measures", options, tables, bars=bars, notes=notes, used=used)


def _named(variable: str) -> str | None:
    named = os.environ.get(variable, "")
    return shutil.which(named) if named else None


def _line(name: str, row: Row, ours: Row) -> Row:
    return {
        "contender": name,
        "seconds": row["seconds"],
        "best of": row["runs"],
        "CPU seconds": row["cpu_seconds"],
        "CPU, times infoscope": row["cpu_seconds"] / ours["cpu_seconds"],
        "peak above import, MB": None if row["peak"] is None else row["peak"] - row["after_import"],
        "nats": "" if row["value"] is None else row["value"],
    }


def _bars(case: str, rows: dict[str, Row]) -> list[Row]:
    ours = rows["infoscope"]
    found = []
    for (where, name), limit in WANTED.items():
        if where == case and name in rows:
            ratio = rows[name]["cpu_seconds"] / ours["cpu_seconds"]
            found.append(bar(f"{case}: less CPU time than {name}", ratio, limit, at_least=True, unit="times"))
    if "matrix products" in rows:
        share = rows["matrix products"]["cpu_seconds"] / ours["cpu_seconds"]
        found.append(bar(f"{case}: share of the limit of four sweeps", share, SHARE, at_least=True))
        memory = None if ours["peak"] is None else ours["peak"] - ours["after_import"]
        found.append(bar(f"{case}: peak above import", memory, MEMORY_MB, unit="MB"))
    return found


if __name__ == "__main__":
    main(run, {"contender": contender})
