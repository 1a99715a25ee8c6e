"""Large Information Imbalance: 100,000 items exactly, the share of a matrix product, a million items sampled.

1. 100,000 items, 50 columns against the first 25, float32, exact ranks, both directions.
2. 20,000 items, two spaces of 512 columns that share 256, float32, one direction (`nearest` in A, `count_closer` in
   B): 2 N^2 (D_A + D_B) operations, as a share of the rate of ``np.matmul(a, b.T, out=c)`` in the same process.
   `b` is an array of its own (NumPy takes a cheaper routine for ``a @ a.T``), one call warms up, the best of five
   counts.  The matrix product may choose its shape: we try the shapes of SHAPES, from the tile of our own engine to
   the largest that a user would hold in memory, and compare with the fastest of them.
3. A million items, 20 columns against the first 10, float64, 1,000 sampled query rows against all columns; and once
   more with 10,000 other rows, as the truth to compare with.  Twenty further samples of 1,000 rows show whether the
   standard errors hold on the average, since one sample may lie anywhere.

All data are independent normal numbers of ``default_rng(0)``.

``--before SRC`` compares instead this tree with an older one, in turns and in one run: exact Information Imbalance both
ways, 50 columns against the first 25, float32, with one thread and two, in CPU seconds (other programs may run).
"""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from harness import Row, bar, best_of, fresh, main, peak_mb, publish, reset_peak

SEED = 0
TURNS = ((10_000, 1), (30_000, 1), (100_000, 1), (10_000, 30))  # items, neighbours
SHAPES = ((256, 2_048), (1_024, 4_096), (4_096, 4_096), (2_048, 20_000))


# ------------------------------------------------------------------------------------------------- the jobs
def exact(n: int, d: int, threads: int) -> Row:
    import numpy as np

    from infoscope import information_imbalance

    X = np.random.default_rng(SEED).standard_normal((n, d), dtype=np.float32)
    information_imbalance(X[:500], X[:500, : d // 2], n_jobs=threads)
    reset_peak()
    result, timing = best_of(lambda: information_imbalance(X, X[:, : d // 2], n_jobs=threads))
    return {**timing, **numbers(result), "peak": peak_mb()}


def in_tree(source: str, n: int, d: int, k: int, threads: int) -> Row:
    """The time with the infoscope of a source tree, and with one thread the rates of matrix products beside it."""
    sys.path.insert(0, source)
    import numpy as np

    from infoscope import information_imbalance

    X = np.random.default_rng(SEED).standard_normal((n, d), dtype=np.float32)
    information_imbalance(X[:1_000], X[:1_000, : d // 2], k=k, n_jobs=threads)
    reset_peak()
    result, timing = best_of(lambda: information_imbalance(X, X[:, : d // 2], k=k, n_jobs=threads))
    peak = peak_mb()
    rates = [matmul_rate(*shape, d, clock="cpu_seconds") for shape in SHAPES[:3]] if threads == 1 else []
    return {**timing, "peak": peak, "rates": rates, **numbers(result)}


def sampled(n: int, d: int, n_rows: int, seed: int, threads: int) -> Row:
    import numpy as np

    from infoscope import information_imbalance

    X = np.random.default_rng(SEED).standard_normal((n, d))
    options: dict[str, Any] = {"n_jobs": threads, "random_state": seed}
    information_imbalance(X[:500], X[:500, : d // 2], n_rows=100, **options)
    reset_peak()
    result, timing = best_of(lambda: information_imbalance(X, X[:, : d // 2], n_rows=n_rows, **options))
    return {**timing, **numbers(result), "peak": peak_mb()}


def repeated(n: int, d: int, n_rows: int, samples: int, threads: int) -> Row:
    """Values of `samples` independent samples of rows, seeds 100, 101 and so on."""
    import numpy as np

    from infoscope import information_imbalance

    X = np.random.default_rng(SEED).standard_normal((n, d))
    seeds = range(100, 100 + samples)
    found = [information_imbalance(X, X[:, : d // 2], n_rows=n_rows, n_jobs=threads, random_state=s) for s in seeds]
    return {"found": [numbers(result) for result in found]}


def numbers(result: Any) -> Row:
    return {name: float(getattr(result, name)) for name in ("a_to_b", "a_to_b_se", "b_to_a", "b_to_a_se")}


def share(n: int, d: int, threads: int) -> Row:
    import numpy as np

    from infoscope.neighbors import Space, count_closer, nearest

    rng = np.random.default_rng(SEED)
    X = rng.standard_normal((n, d), dtype=np.float32)
    Y = np.hstack([X[:, : d // 2], rng.standard_normal((n, d - d // 2), dtype=np.float32)])

    def one_direction(rows: int = n) -> float:
        A, B = Space(X[:rows]), Space(Y[:rows])
        graph = nearest(A, 1, ties="all", n_jobs=threads)
        closer, tied = count_closer(B, graph, n_jobs=threads)
        return float(2 / rows * np.mean(closer + (tied + 1) / 2))  # a rank; `tied` counts the pair itself

    one_direction(1_000)
    reset_peak()
    value, timing = best_of(one_direction)
    peak = peak_mb()
    rates = [matmul_rate(rows, columns, d) for rows, columns in SHAPES]  # its arrays are not part of our peak
    return {**timing, "a_to_b": value, "peak": peak, "rates": rates}


def matmul_rate(rows: int, columns: int, d: int, repeats: int = 5, clock: str = "seconds") -> float:
    """Operations per second of ``np.matmul(a, b.T, out=c)``, float32: the best of five calls after one."""
    import numpy as np

    rng = np.random.default_rng(SEED)
    a, b = (rng.standard_normal((size, d), dtype=np.float32) for size in (rows, columns))
    c = np.empty((rows, columns), np.float32)
    np.matmul(a, b.T, out=c)
    _, timing = best_of(lambda: np.matmul(a, b.T, out=c), repeats)
    return 2 * rows * columns * d / timing[clock]


# ------------------------------------------------------------------------------------------------- the report
def compare_trees(options: Namespace) -> None:
    """Old and new in turns; both must give the same numbers to the last digit."""
    before, after, d = options.before, str(Path(__file__).resolve().parent.parent / "src"), 50
    rows, best_rate = [], 0.0
    for n, k in TURNS:
        n = n // 10 if options.quick else n
        for threads in (1, 2):
            old, new = (fresh("in_tree", source=tree, n=n, d=d, k=k, threads=threads) for tree in (before, after))
            if numbers_of(old) != numbers_of(new):
                raise SystemExit(f"{n:,} items, k = {k}: the answers differ: {numbers_of(old)}, {numbers_of(new)}")
            best_rate = max(best_rate, *old["rates"], *new["rates"], 0.0)
            rows.append(
                {
                    "items": n, "k": k, "threads": threads,
                    "before, CPU seconds": old["cpu_seconds"], "now, CPU seconds": new["cpu_seconds"],
                    "times faster": old["cpu_seconds"] / new["cpu_seconds"],
                    "before, peak MB": old["peak"], "now, peak MB": new["peak"],
                }
            )  # fmt: skip
    wanted = {(10_000, 1): 1.8, (30_000, 1): 2.0, (100_000, 1): 2.5, (10_000, 30): 1.8}
    bars = [
        bar(f"{n:,} items, k = {k}, the slower of one thread and two",
            min((r["times faster"] for r in rows if (r["items"], r["k"]) == (n, k)), default=None), limit,
            at_least=True, unit="times")
        for (n, k), limit in wanted.items()
    ]  # fmt: skip
    largest = max((r for r in rows if r["threads"] == 1 and r["k"] == 1), key=lambda r: r["items"])
    rate = 2 * largest["items"] ** 2 * (d + d // 2) / largest["now, CPU seconds"]
    bars.append(
        bar(
            f"{largest['items']:,} items, rate beside the fastest matrix product",
            100 * rate / best_rate,
            60,
            at_least=True,
            unit="%",
        )
    )
    notes = [
        f"{largest['items']:,} items: N^2 (D_A + D_B) multiplications and additions at {rate / 1e9:.0f} 10^9 a second;"
        f" the fastest of np.matmul, D = {d}: {best_rate / 1e9:.0f}.",
        "CPU time of the best of up to three calls; old and new tree in turns, each in a process of its own.",
        "Both trees gave the same numbers, to the last digit.",
    ]
    publish("imbalance_large", options, {"Before and now": rows}, part="before", bars=bars, notes=notes)


def numbers_of(row: Row) -> Row:
    return {name: value for name, value in row.items() if name.startswith(("a_to_b", "b_to_a"))}


def run(options: Namespace) -> None:
    if options.before:
        compare_trees(options)
        return
    quick = options.quick
    n_exact, n_share, n_million = (3_000, 3_000, 20_000) if quick else (100_000, 20_000, 1_000_000)
    few, many = (100, 1_000) if quick else (1_000, 10_000)
    d_exact, d_share, d_million = 50, 512, 20

    # fill the kernel cache, so that no measured process holds a compiler
    fresh("exact", threads=options.threads, n=600, d=d_exact)
    fresh("sampled", threads=options.threads, n=600, d=d_million, n_rows=100, seed=0)
    whole = fresh("exact", threads=options.threads, n=n_exact, d=d_exact)
    part = fresh("share", threads=options.threads, n=n_share, d=d_share)
    quickly = fresh("sampled", threads=options.threads, n=n_million, d=d_million, n_rows=few, seed=0)
    longer = fresh("sampled", threads=options.threads, n=n_million, d=d_million, n_rows=many, seed=1)

    others = fresh("repeated", threads=options.threads, n=n_million, d=d_million, n_rows=few, samples=20)["found"]

    rate = 2 * n_share**2 * 2 * d_share / part["seconds"]
    best = max(part["rates"])
    deviation = max(distances(quickly, longer).values())
    apart = [distances(sample, longer) for sample in others]
    tables = {
        "Time and memory": [
            line(f"{n_exact:,} items, D = {d_exact} and {d_exact // 2}, float32, exact, both directions", whole),
            line(f"{n_share:,} items, D = {d_share} and {d_share}, float32, exact, A to B only", part),
            line(f"{n_million:,} items, D = {d_million} and {d_million // 2}, float64, {few:,} sampled rows", quickly),
            line(f"{n_million:,} items, D = {d_million} and {d_million // 2}, float64, {many:,} sampled rows", longer),
        ],
        f"Share of the matrix product, float32, D = {d_share}": [
            speed(f"infoscope, {n_share:,} items, one direction", rate, best),
            *(
                speed(f"np.matmul, ({rows:,} x {d_share}) by ({d_share} x {columns:,})", found, best)
                for (rows, columns), found in zip(SHAPES, part["rates"], strict=True)
            ),
        ],
    }
    tables[f"Distance of samples of {few:,} rows from the {many:,}-row run, in their own standard errors"] = [
        {
            "direction": name,
            "first sample": distances(quickly, longer)[value],
            "root mean square of 20 others": (sum(z[value] ** 2 for z in apart) / len(apart)) ** 0.5,
            "largest of 20 others": max(z[value] for z in apart),
        }
        for name, value in (("A to B", "a_to_b"), ("B to A", "b_to_a"))
    ]
    bars = [
        bar("100,000 items, exact, both directions", whole["seconds"], 60, unit="s"),
        bar("its peak memory, everything included", whole["peak"], 1_000, unit="MB"),
        bar("share of the matrix product, D = 512", 100 * rate / best, 65, at_least=True, unit="%"),
        bar("1,000,000 items, 1,000 sampled rows", quickly["seconds"], 15, unit="s"),
        bar("its peak memory, everything included", quickly["peak"], 2_000, unit="MB"),
        bar("its distance from the 10,000-row run", deviation, 3, unit="of its standard errors"),
    ]
    notes = [
        f"{few:,} rows: {estimates(quickly)}; {many:,} other rows: {estimates(longer)}.",
        "Peak memory is that of the whole process: interpreter, libraries, data and work.",
    ]
    publish("imbalance_large", options, tables, bars=bars, notes=notes, used={"this": whole["versions"]})


def distances(sample: Row, longer: Row) -> dict[str, float]:
    return {name: abs(sample[name] - longer[name]) / sample[name + "_se"] for name in ("a_to_b", "b_to_a")}


def line(what: str, row: Row) -> Row:
    return {
        "what": what,
        "seconds": row["seconds"],
        "best of": row["runs"],
        "CPU seconds": row["cpu_seconds"],
        "peak of the process, MB": row["peak"],
    }


def speed(what: str, rate: float, best: float) -> Row:
    return {"what": what, "10^9 operations a second": rate / 1e9, "share, %": 100 * rate / best}


def estimates(row: Row) -> str:
    labels = (("A to B", "a_to_b"), ("B to A", "b_to_a"))
    return ", ".join(f"{label} {row[value]:.4f} ± {row[value + '_se']:.4f}" for label, value in labels)


if __name__ == "__main__":
    main(
        run, {"exact": exact, "sampled": sampled, "share": share, "repeated": repeated, "in_tree": in_tree}, trees=True
    )
