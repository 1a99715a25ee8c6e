"""Intrinsic dimension of 100,000 items in 50 columns: TWO-NN and Gride beside DADApy 0.3.4 and scikit-dimension 0.5.0.

Data: ``default_rng(0).normal(size=(N, 50))``.  Exact, and with 10,000 query rows against all items, whose error is part
of the answer.  Gride goes to rank 64 everywhere.  The times of infoscope contain its errors and its test of the model,
which need searches in subsets; the peers' answers come without.

INFOSCOPE_PEER_PYTHON and INFOSCOPE_SKDIM_PYTHON name the Python of environments with ``dadapy==0.3.4`` and with
``scikit-dimension==0.5.0``; a peer without one is skipped.  A contender gets ten minutes.
"""

from __future__ import annotations

import os
import shutil
from argparse import Namespace
from typing import Any

from harness import Row, bar, best_of, fresh, limit_memory, main, peak_mb, publish, reset_peak, resident_mb
from imbalance_vs_dadapy import peer_python

N, D, SEED = 100_000, 50, 0
ROWS = 10_000
RANK = 64
LIMIT = 600.0
MEMORY = 18.0  # GB


# ------------------------------------------------------------------------------------------------- the contenders
def infoscope(method: str, threads: int) -> Any:
    from infoscope import Gride, TwoNN

    def call(x: Any, n_rows: int | None = None) -> tuple[float, float]:
        if method == "TWO-NN":
            found = TwoNN(n_rows=n_rows, n_jobs=threads).fit(x).result_
            return found.dimension, found.dimension_se
        scan = Gride(RANK, n_rows=n_rows, n_jobs=threads).fit(x).result_
        return float(scan.dimension[-1]), float(scan.dimension_se[-1])

    return call


def dadapy(method: str, threads: int) -> Any:
    from dadapy import Data

    def call(x: Any, n_rows: int | None = None) -> tuple[float, None]:
        data = Data(x, maxk=2 if method == "TWO-NN" else RANK, n_jobs=threads, verbose=False)
        if method == "TWO-NN":
            data.compute_distances()
            return float(data.compute_id_2NN(algorithm="ml")[0]), None
        return float(data.return_id_scaling_gride(range_max=RANK)[0][-1]), None

    return call


def scikit_dimension(method: str, threads: int) -> Any:
    import skdim

    def call(x: Any, n_rows: int | None = None) -> tuple[float, None]:
        if method == "TWO-NN":
            return float(skdim.id.TwoNN(discard_fraction=0, method="mle").fit(x).dimension_), None
        return float(skdim.id.GRIDE(n1=RANK // 2, n2=RANK).fit(x).dimension_), None

    return call


CONTENDERS = {"infoscope": infoscope, "DADApy": dadapy, "scikit-dimension": scikit_dimension}


def contender(name: str, method: str, n: int, n_rows: int | None, threads: int) -> Row:
    import numpy as np

    call = CONTENDERS[name](method, threads)
    after_import = resident_mb()
    x = np.random.default_rng(SEED).normal(size=(n, D))
    call(x[:1_000], None if n_rows is None else 200)
    if name != "infoscope":
        limit_memory(MEMORY)
    reset_peak()
    try:
        (value, error), timing = best_of(lambda: call(x, n_rows))
    except MemoryError:
        return {"failed": f"asked for more than {MEMORY:.0f} GB"}
    return {**timing, "value": value, "error": error, "peak": peak_mb(), "after_import": after_import}


# ------------------------------------------------------------------------------------------------- the comparison
def run(options: Namespace) -> None:
    n, n_rows = (4_000, 1_000) if options.quick else (N, ROWS)
    named = os.environ.get("INFOSCOPE_SKDIM_PYTHON", "")
    pythons = {"DADApy": peer_python(), "scikit-dimension": shutil.which(named) if named else None}
    tables, bars, used = {}, [], {}
    for method in ("TWO-NN", "Gride"):
        fresh("contender", threads=options.threads, name="infoscope", method=method, n=2_000, n_rows=None)
        common: Row = {"threads": options.threads, "method": method, "n": n}
        rows = {"infoscope, exact": fresh("contender", name="infoscope", n_rows=None, **common)}
        rows[f"infoscope, {n_rows:,} rows"] = fresh("contender", name="infoscope", n_rows=n_rows, **common)
        for name, python in pythons.items():
            if python is not None:
                rows[name] = fresh("contender", python=python, limit=LIMIT, name=name, n_rows=None, **common)
        used |= {name.split(",")[0]: row["versions"] for name, row in rows.items() if "versions" in row}
        title = f"{method}" + f" to rank {RANK}" * (method == "Gride") + f", N = {n:,}, D = {D}"
        tables[title] = [_line(name, row, rows["infoscope, exact"]) for name, row in rows.items()]
        bars += _bars(method, n_rows, rows)
    notes = [f"{name} was skipped: no Python of it was named." for name, python in pythons.items() if python is None]
    notes.append(
        "The dimension of Gaussian columns is 50; at this N all estimates from neighbours are too small, by the same "
        "law: the value shown is that at the farthest ranks. The error is that of infoscope; the peers give none."
    )
    publish("dimension", options, tables, bars=bars, notes=notes, used=used)


def _line(name: str, row: Row, ours: Row) -> Row:
    if "failed" in row:
        empty = ("best of", "CPU seconds", "times infoscope", "peak above import, MB", "dimension")
        return {"contender": name, "seconds": row["failed"], **dict.fromkeys(empty, "")}
    peak = None if row["peak"] is None else row["peak"] - row["after_import"]
    error = "" if row["error"] is None else f" ± {row['error']:.3f}"
    return {
        "contender": name,
        "seconds": row["seconds"],
        "best of": row["runs"],
        "CPU seconds": row["cpu_seconds"],
        "times infoscope": row["seconds"] / ours["seconds"],
        "peak above import, MB": peak,
        "dimension": f"{row['value']:.3f}{error}",
    }


def _bars(method: str, n_rows: int, rows: dict[str, Row]) -> list[Row]:
    found = []
    for name in ("DADApy", "scikit-dimension"):
        if name not in rows:
            continue
        # a peer that was stopped took at least its limit
        theirs = rows[name].get("seconds", LIMIT if "stopped" in rows[name].get("failed", "") else None)
        for ours, limit in (("infoscope, exact", 2.5), (f"infoscope, {n_rows:,} rows", 10)):
            ratio = None if theirs is None else theirs / rows[ours]["seconds"]
            what = f"{method}: {ours.split(', ')[1]}, faster than {name}"
            found.append(bar(what, ratio, limit, at_least=True, unit="times"))
    return found


if __name__ == "__main__":
    main(run, {"contender": contender})
