"""How the cost of Information Imbalance grows with the number of items and of columns: fitted exponents.

Data: independent normal numbers of ``default_rng(0)`` in float32, all columns against the first half; exact, both
directions, k = 1.  The exponent is the slope of a straight line through log(seconds) against log(size): 2 is
expected in N and 1 in D.  Comparing the distances costs the same whatever D is, so the line is flatter at small D;
the exponent over the upper half of the sizes is given as well.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence

from harness import Row, bar, best_of, fresh, main, publish

SEED = 0
D_FIXED, N_FIXED = 50, 10_000
ITEMS = (2_500, 5_000, 10_000, 20_000, 40_000)
COLUMNS = (32, 64, 128, 256, 512, 1_024)


def times(sizes: Sequence[Sequence[int]], threads: int) -> Row:
    """Seconds for every (items, columns), in one process."""
    import numpy as np

    from infoscope import information_imbalance

    rng = np.random.default_rng(SEED)
    seconds = []
    for n, d in sizes:
        X = rng.standard_normal((n, d), dtype=np.float32)
        information_imbalance(X[:300], X[:300, : d // 2], n_jobs=threads)
        _, timing = best_of(lambda X=X, d=d: information_imbalance(X, X[:, : d // 2], n_jobs=threads))
        seconds.append(timing["seconds"])
    return {"seconds": seconds}


def exponent(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """Slope of log(seconds) against log(size), least squares."""
    import numpy as np

    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def run(options: Namespace) -> None:
    quick = options.quick
    items = (500, 1_000, 2_000) if quick else ITEMS
    columns = (16, 64, 256) if quick else COLUMNS
    n_fixed = 1_000 if quick else N_FIXED
    in_n = fresh("times", threads=options.threads, sizes=[(n, D_FIXED) for n in items])
    in_d = fresh("times", threads=options.threads, sizes=[(n_fixed, d) for d in columns])
    tables = {
        f"Items, D = {D_FIXED} and {D_FIXED // 2}": growth("N", items, in_n["seconds"], power=2),
        f"Columns, {n_fixed:,} items": growth("D", columns, in_d["seconds"], power=1),
        "Fitted exponents": [
            exponents("N", items, in_n["seconds"], expected=2),
            exponents("D", columns, in_d["seconds"], expected=1),
        ],
    }
    # "printed" is what is promised; a cost that grows faster than expected by more than a tenth is worth a flag
    bars = [
        bar("exponent in N", exponent(items, in_n["seconds"]), 2.1),
        bar("exponent in D", exponent(columns, in_d["seconds"]), 1.1),
    ]
    publish("imbalance_scaling", options, tables, bars=bars, used={"this": in_n["versions"]})


def growth(name: str, sizes: Sequence[int], seconds: Sequence[float], power: int) -> list[Row]:
    return [
        {name: size, "seconds": time, f"nanoseconds / {name}^{power}".removesuffix("^1"): 1e9 * time / size**power}
        for size, time in zip(sizes, seconds, strict=True)
    ]


def exponents(name: str, sizes: Sequence[int], seconds: Sequence[float], expected: int) -> Row:
    half = len(sizes) // 2
    return {
        "in": name,
        "all sizes": exponent(sizes, seconds),
        "upper half": exponent(sizes[half:], seconds[half:]),
        "expected": expected,
    }


if __name__ == "__main__":
    main(run, {"times": times})
