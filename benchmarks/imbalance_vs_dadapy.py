"""Exact Information Imbalance of 10,000 items: infoscope, DADApy and the script a user would write.

Data: ``default_rng(0).normal(size=(10_000, 50))`` in float64, all columns against the first 25; both directions;
the k = 1 and the k = 30 nearest neighbours.  Every contender counts ranks among all items, so they must agree, and
that is checked.

DADApy has two public calls for this, and both run here:
- ``MetricComparisons(X, maxk=N - 1).return_inf_imb_two_selected_coords(columns, columns, k)``: two sets of
  columns.  Only with ``maxk = N - 1`` are its ranks exact; below, ranks beyond `maxk` are drawn at random.
- ``MetricComparisons(X).return_information_imbalace(Y, k, subset_size=N)`` (so spelt): two data sets.  With
  ``subset_size = N`` it takes all items at once, and its lists are complete.

Set INFOSCOPE_PEER_PYTHON to the Python of an environment with ``dadapy==0.3.4`` and ``numpy<2``; without it the
peer is skipped, and the report says so.
"""

from __future__ import annotations

import os
import shutil
import warnings
from argparse import Namespace
from collections.abc import Callable
from typing import Any

from harness import Row, bar, best_of, fresh, main, peak_mb, publish, reset_peak, resident_mb

N, D, HALF = 10_000, 50, 25
SEED = 0
PEER = "DADApy, two sets of columns"
PEER_FASTER = "DADApy, two data sets"
AGREEMENT = 1e-6  # a rank that rounding swaps in a contender moves its value by 2e-8

Pair = tuple[float, float]


# ------------------------------------------------------------------------------------------------- the contenders
def infoscope(threads: int) -> Callable[[Any, int], Pair]:
    from infoscope import information_imbalance

    def call(X: Any, k: int) -> Pair:
        result = information_imbalance(X, X[:, :HALF], k=k, n_jobs=threads)
        return result.a_to_b, result.b_to_a

    return call


def dadapy_columns(threads: int) -> Callable[[Any, int], Pair]:
    from dadapy import MetricComparisons

    def call(X: Any, k: int) -> Pair:
        data = MetricComparisons(X, maxk=len(X) - 1, n_jobs=threads)
        return data.return_inf_imb_two_selected_coords(list(range(D)), list(range(HALF)), k=k)

    return call


def dadapy_data_sets(threads: int) -> Callable[[Any, int], Pair]:
    from dadapy import MetricComparisons

    # it warns that one subset holds all items, which is what we ask for
    warnings.filterwarnings("ignore", message="Subset size", category=UserWarning)

    def call(X: Any, k: int) -> Pair:
        data = MetricComparisons(X, maxk=len(X) - 1, n_jobs=threads)
        # each answer is (value, 0): one subset of all items has no spread
        forward, backward = data.return_information_imbalace(X[:, :HALF], k=k, subset_size=len(X))
        return forward[0], backward[0]

    return call


def plain(threads: int) -> Callable[[Any, int], Pair]:
    """NumPy and SciPy as a careful user writes it: blocks of rows keep memory small, two threads share the blocks."""
    from concurrent.futures import ThreadPoolExecutor

    import numpy as np
    from scipy.spatial.distance import cdist

    def ranks(A: Any, start: int, stop: int) -> Any:
        distances = cdist(A[start:stop], A)
        rows = np.arange(stop - start)
        distances[rows, rows + start] = -1.0  # the item itself comes first, with rank 0
        order = distances.argsort(axis=1)
        rank = np.empty_like(order)
        np.put_along_axis(rank, order, np.arange(len(A))[None], axis=1)
        return rank

    def call(X: Any, k: int) -> Pair:
        A, B = X, np.ascontiguousarray(X[:, :HALF])

        def block(start: int) -> tuple[int, int]:
            a, b = (ranks(Z, start, min(start + 256, len(X))) for Z in (A, B))
            return b[(a > 0) & (a <= k)].sum(), a[(b > 0) & (b <= k)].sum()

        with ThreadPoolExecutor(threads) as pool:
            forward, backward = zip(*pool.map(block, range(0, len(X), 256)), strict=True)
        return 2 * sum(forward) / (k * len(X) ** 2), 2 * sum(backward) / (k * len(X) ** 2)

    return call


CONTENDERS = {
    "infoscope": infoscope,
    PEER: dadapy_columns,
    PEER_FASTER: dadapy_data_sets,
    "NumPy and SciPy script": plain,
}


# ------------------------------------------------------------------------------------------------- one measurement
def contender(name: str, n: int, k: int, threads: int) -> Row:
    import numpy as np

    call = CONTENDERS[name](threads)  # imports its packages
    after_import = resident_mb()
    X = np.random.default_rng(SEED).normal(size=(n, D))
    call(X[:300], k)
    after_warm_up = resident_mb()
    reset_peak()
    (forward, backward), timing = best_of(lambda: call(X, k))
    return {
        "a_to_b": float(forward),
        "b_to_a": float(backward),
        **timing,
        "after_import": after_import,
        "after_warm_up": after_warm_up,
        "peak": peak_mb(),
    }


def peer_python() -> str | None:
    named = os.environ.get("INFOSCOPE_PEER_PYTHON", "")
    return shutil.which(named) if named else None


# ------------------------------------------------------------------------------------------------- the comparison
def run(options: Namespace) -> None:
    n = 1_000 if options.quick else N
    peer = peer_python()
    measured: dict[tuple[str, int], Row] = {}
    for name in CONTENDERS:
        python = {"python": peer} if name.startswith("DADApy") else {}
        if python and peer is None:
            continue
        for k in (1, 30):
            if name == "infoscope":  # fills the kernel cache, so that no measured process holds a compiler
                fresh("contender", threads=options.threads, name=name, n=500, k=k)
            measured[name, k] = fresh("contender", threads=options.threads, name=name, n=n, k=k, **python)
    difference = largest_difference(measured)
    if difference > AGREEMENT:
        raise SystemExit(f"imbalance_vs_dadapy.py: the contenders disagree by {difference:.3g}")
    notes = [f"The contenders agree: their values differ by {difference:.0e} at most."]
    if peer is None:
        notes.append("DADApy was skipped: INFOSCOPE_PEER_PYTHON names no Python that exists.")
    used = {name.split(",")[0]: row["versions"] for (name, _), row in measured.items()}
    title = f"{n:,} items, {D} columns against the first {HALF}, float64, exact, both directions"
    publish("imbalance_vs_dadapy", options, {title: table(measured)}, bars=bars(measured), notes=notes, used=used)


def largest_difference(measured: dict[tuple[str, int], Row]) -> float:
    return max(
        abs(row[value] - measured["infoscope", k][value])
        for (_, k), row in measured.items()
        for value in ("a_to_b", "b_to_a")
    )


def above(row: Row, since: str = "after_import") -> float | None:
    return None if row["peak"] is None else row["peak"] - row[since]


def table(measured: dict[tuple[str, int], Row]) -> list[Row]:
    return [
        {
            "contender": name,
            "k": k,
            "seconds": row["seconds"],
            "best of": row["runs"],
            "CPU seconds": row["cpu_seconds"],
            "times infoscope": row["seconds"] / measured["infoscope", k]["seconds"],
            "peak above import, MB": above(row),
            "peak above warm-up, MB": above(row, "after_warm_up"),
            "A to B": f"{row['a_to_b']:.6f}",
            "B to A": f"{row['b_to_a']:.6f}",
        }
        for (name, k), row in measured.items()
    ]


def bars(measured: dict[tuple[str, int], Row]) -> list[Row]:
    ours = measured["infoscope", 1]

    def faster(name: str) -> float | None:
        return measured[name, 1]["seconds"] / ours["seconds"] if (name, 1) in measured else None

    def leaner(name: str) -> float | None:
        if (name, 1) not in measured or above(ours) is None:
            return None
        return (above(measured[name, 1]) or 0.0) / max(above(ours) or 0.0, 1.0)

    cost = measured["infoscope", 30]["seconds"] / ours["seconds"]
    return [
        bar("faster than DADApy with maxk = N - 1, k = 1", faster(PEER), 50, at_least=True, unit="times"),
        bar("faster than DADApy's call for two data sets, k = 1", faster(PEER_FASTER), 50, at_least=True, unit="times"),
        bar("k = 30 against k = 1", cost, 4, unit="times the cost"),
        bar("less peak memory than DADApy with maxk = N - 1", leaner(PEER), 20, at_least=True, unit="times"),
        bar("less peak memory than its call for two data sets", leaner(PEER_FASTER), 20, at_least=True, unit="times"),
    ]


if __name__ == "__main__":
    main(run, {"contender": contender})
