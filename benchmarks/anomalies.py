"""What changed between two samples: exactness, rates of false flags, known excesses, time and memory.

    python benchmarks/anomalies.py                  all parts
    python benchmarks/anomalies.py --only regions   one of them

null      critical values beside those of the specification, tails beside rational arithmetic
rates     100,000 label permutations on a fixed cloud: how often each control is wrong
regions   seven over- and three under-densities among 50,000 + 50,000 points: counts, purities, time
columns   1,000 points of signal among 100,000 + 100,000 in 100 columns
unequal   4,500 against 1,500: purities
large     1,000,000 + 1,000,000 points in four dimensions, K = 200: time and memory

The authors' code (EagleEye) has a licence for non-commercial use only and is not run here: its times and counts are
the published ones.
"""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from harness import Row, bar, fresh, main, peak_mb, publish, reset_peak, resident_mb

PUBLISHED_SECONDS = 211.0  # 50,000 + 50,000, three columns, K = 500, ten processes, without the null
ALPHAS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7)
CRITICAL = {  # (K, p): iid labels, ranks 20 to K - 1
    (100, 0.5): (6.1955, 8.7498, 11.1966, 13.5702, 15.9097, 18.2004),
    (500, 0.5): (7.0620, 9.6260, 12.1101, 14.5429, 16.9105, 19.3041),
    (1000, 0.5): (7.2906, 9.8674, 12.3768, 14.8109, 17.2435, 19.6263),
    (500, 0.25): (6.9851, 9.5824, 12.0375, 14.5015, 16.9468, 19.3125),
    (500, 0.75): (6.9526, 9.4629, 11.8675, 14.2643, 16.6455, 18.9870),
    (500, 0.1): (6.8326, 9.4009, 11.8647, 14.3303, 16.6986, 19.1401),
    (500, 0.9): (6.5497, 8.9691, 11.3339, 13.6419, 15.9387, 18.2288),
}
OVER = ((-7.5, -7.5, -7.5), (7.5, 7.5, 7.5), (65, 0, 0), (0, 65, 0), (0, 0, 65), (-80, 0, 0), (0, -80, 0))
MORE, WIDTHS = (50, 100, 200, 300, 500, 700, 900), (1, 2, 3, 4, 5, 6, 7)
UNDER = ((-22.5, -22.5, -22.5), (0, 0, -80), (95, 0, 0))
FEWER, NARROW = (100, 300, 700), (3, 2, 1)
PUBLISHED = {  # flagged, pruned, recovered of every region, in the order above
    "over": ((96, 54, 88), (169, 69, 91), (327, 153, 193), (508, 236, 300), (774, 376, 482), (1018, 521, 667),
             (1322, 705, 983)),
    "under": ((227, 88, 142), (608, 295, 306), (862, 702, 697)),
}  # fmt: skip
SPREAD = {"flagged": (595, 667), "pruned": (516, 589), "recovered": (587, 657)}  # published, ten seeds


# --------------------------------------------------------------------------------------------------------- exactness
def null(ks: list[int], threads: int) -> Row:
    from fractions import Fraction

    import numpy as np

    from infoscope.anomalies import scan_critical_value, scan_null_tail
    from infoscope.anomalies.null import score_table

    rows, worst = [], 0.0
    for (K, p), wanted in CRITICAL.items():
        if K not in ks:
            continue
        began = time.perf_counter()
        values = [scan_critical_value(alpha, K - 1, 20, p=p) for alpha in ALPHAS]
        seconds = time.perf_counter() - began
        worst = max(worst, *(abs(a - b) for a, b in zip(values, wanted, strict=True)))
        rows.append([K, p, *values, seconds])

    def exact(K: int, k_min: int, crossing: list[int], n1: int, n_tot: int) -> Fraction:
        """All arrangements of the labels, counted one step at a time in whole numbers."""
        ways = {0: 1}
        stopped = Fraction(0)
        for k in range(1, K + 1):
            left: dict[int, int] = {}
            for s, count in ways.items():
                for hit in (0, 1):
                    room = n1 - s if hit else n_tot - (k - 1) - (n1 - s)
                    if room > 0:
                        left[s + hit] = left.get(s + hit, 0) + count * room
            total = 1
            for j in range(k):
                total *= n_tot - j
            if k >= k_min:
                stopped += Fraction(sum(c for s, c in left.items() if s >= crossing[k]), total)
                left = {s: c for s, c in left.items() if s < crossing[k]}
            ways = left
        return stopped

    K, n1, n_tot, k_min, away = 120, 199, 799, 5, 0.0
    table, p = score_table(K, n1 / n_tot), n1 / n_tot
    for u in (1.0, 3.0, 6.0, 12.0, 30.0, 80.0):
        crossing = [0] * (K + 1)
        for k in range(1, K + 1):
            at = k * (k + 1) // 2
            crossing[k] = int(np.searchsorted(table[at : at + k + 1], u * (1 - 1e-12)))
        truth = exact(K, k_min, crossing, n1, n_tot)
        ours = float(scan_null_tail(u, K, k_min, p=p, n1=n1, n_tot=n_tot))
        away = max(away, abs(ours / float(truth) - 1)) if truth else away
    return {"rows": rows, "worst": worst, "relative": away}


def run_null(options: Namespace, folder: Path) -> None:
    found = fresh("null", threads=options.threads, ks=[100] if options.quick else [100, 500, 1000])
    names = [f"{alpha:g}" for alpha in ALPHAS]
    table = []
    for K, p, *values, seconds in found["rows"]:
        cells = {name: f"{value:.4f}" for name, value in zip(names, values, strict=True)}
        table.append({"K": K, "p": p, **cells, "seconds": seconds})
    bars = [
        bar("largest difference from the critical values of the specification", found["worst"], 1e-3),
        bar("largest relative difference of tails from rational arithmetic (K = 120, drawn labels)", found["relative"],
            1e-10),
    ]  # fmt: skip
    title = "Critical values u*: P(score > u*) is at most so much (independent labels, ranks 20 to K - 1)"
    notes = ["By simulation, 10^6 rows of 500 labels take 16 GB and leave ten rows beyond 1e-5."]
    publish("anomalies", options, {title: table}, part="null", bars=bars, notes=notes, used={"this": found["versions"]})


# ------------------------------------------------------------------------------------------------------- false flags
def rates(n: int, K: int, trials: int, threads: int) -> Row:
    from concurrent.futures import ThreadPoolExecutor

    import numpy as np

    from infoscope import Space
    from infoscope.anomalies.multiple_testing import Null, adjusted_p_values
    from infoscope.anomalies.neighbor_stream import Ordered
    from infoscope.anomalies.null import attained_scores, scan_null_tail
    from infoscope.anomalies.scores import Rule, empty_scan, scan_rows

    x = np.random.default_rng(0).normal(size=(n, 2))
    squared, items = Ordered(Space(x)).rows(np.arange(n), K + 1)
    rule, half = Rule(K, 1, 0.5), n // 2
    levels = attained_scores(K, 0.5, np.arange(K + 1) > 0)
    tails = scan_null_tail(levels, **Null(rule, half, half, True).law("over", True))
    labels = (np.arange(n) >= half).astype(np.uint8)
    alphas = (0.05, 0.01, 0.001)

    def some(part: int) -> Any:
        generator, scan = np.random.default_rng([1, part]), empty_scan(n)
        small, any_, largest = np.zeros(3), np.zeros(2), []
        for _ in range(trials // threads):
            mixed = generator.permutation(labels)
            scan_rows(squared, items, mixed, rule, scan, np.arange(n))
            scores = scan.over[mixed == 1]
            p = tails[np.searchsorted(levels, scores * (1 - 1e-12))]
            small += [np.count_nonzero(p <= alpha) for alpha in alphas]
            any_ += [(adjusted_p_values(p, control) <= 0.05).any() for control in ("fdr", "fdr_by")]
            largest.append(scores.max())
        return small, any_, largest

    began = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        parts = list(pool.map(some, range(threads)))
    seconds = time.perf_counter() - began
    done = trials // threads * threads
    small, any_ = (sum(part[i] for part in parts) / done for i in (0, 1))
    largest = np.concatenate([part[2] for part in parts])
    size = min(1000, done)
    whole = largest[: done // size * size].reshape(-1, size)  # each permutation in turn is the observed one
    at_least = np.stack([size - np.searchsorted(np.sort(row), row * (1 - 1e-12)) for row in whole])
    family = float(np.mean(at_least / size <= 0.05))
    flags = {"point": (small / half).tolist(), "any": any_.tolist(), "family": family}
    return {**flags, "trials": done, "seconds": seconds}


def run_rates(options: Namespace, folder: Path) -> None:
    n, K, trials = (400, 40, 1_000) if options.quick else (2_000, 100, 100_000)
    found = fresh("rates", threads=options.threads, n=n, K=K, trials=trials)
    trials = found["trials"]

    def limit(alpha: float) -> float:
        return alpha + 2.33 * (alpha * (1 - alpha) / trials) ** 0.5

    measured = {
        "per point (fpr)": list(zip((0.05, 0.01, 0.001), found["point"], strict=True)),
        "largest score (fwer), any flag": [(0.05, found["family"])],
        "Benjamini-Hochberg (fdr), any flag": [(0.05, found["any"][0])],
        "Benjamini-Yekutieli (fdr_by), any flag": [(0.05, found["any"][1])],
    }
    table = [
        {"control": name, "nominal": alpha, "measured": f"{rate:.5f}", "99 % bound": f"{limit(alpha):.5f}"}
        for name, pairs in measured.items()
        for alpha, rate in pairs
    ]
    bars = [bar(f"{name}, nominal {alpha:g}", rate, limit(alpha)) for name, pairs in measured.items()
            for alpha, rate in pairs]  # fmt: skip
    bars += [bar(f"{name}, share of the nominal 0.05", measured[name][0][1] / 0.05, 0.94, at_least=True)
             for name in ("per point (fpr)", "largest score (fwer), any flag")]  # fmt: skip
    title = f"{trials:,} permutations of the labels of {n:,} fixed points, K = {K}: how often something is flagged"
    notes = [
        f"{found['seconds']:.0f} s. Scores are discrete, so that a rate can lie a little below what is allowed.",
        "For the largest score each permutation in turn is the observed one, and 999 others are its permutations.",
    ]
    publish("anomalies", options, {title: table}, part="rates", bars=bars, notes=notes,
            used={"this": found["versions"]})  # fmt: skip


# ------------------------------------------------------------------------------------------------- a known answer
def known_regions(seed: int, n: int, share: float) -> tuple[Any, Any, Any, Any]:
    """Test and reference in a cube, and which region each point is of (-1: background)."""
    import numpy as np

    g = np.random.default_rng(seed)

    def sample(centres: Any, sizes: Any, widths: Any) -> tuple[Any, Any]:
        sizes = [round(size * share) for size in sizes]
        parts = [np.array(c) + w * g.normal(size=(m, 3)) for c, m, w in zip(centres, sizes, widths, strict=True)]
        points = np.concatenate([g.uniform(-100, 100, (n - sum(sizes), 3)), *parts])
        return points, np.repeat([-1, *range(len(sizes))], [n - sum(sizes), *sizes])

    return *sample(OVER, MORE, WIDTHS), *sample(UNDER, FEWER, NARROW)


def regions(seed: int, n: int, share: float, K: int, threads: int) -> Row:
    import numpy as np

    from infoscope import DensityAnomaly

    y, y_region, x, x_region = known_regions(seed, n, share)
    model = DensityAnomaly(K, control="fpr", alpha=1e-5, n_jobs=threads)
    small = np.random.default_rng(0).normal(size=(2, 5_000, 3))
    model.fit(*small)  # loads the kernels
    reset_peak()
    before, began, cpu = resident_mb(), time.perf_counter(), time.process_time()
    found = model.fit(x, y).result_
    timing = {"seconds": time.perf_counter() - began, "cpu_seconds": time.process_time() - cpu}
    rows = []
    for one, truth, centres in ((found.over, y_region, OVER), (found.under, x_region, UNDER)):
        for number in range(len(centres)):
            # the region that holds most of what was put there
            held = [np.count_nonzero(truth[region.anomalous_rows] == number) for region in one.resolved]
            if not held or not max(held):
                rows.append([one.side, number, 0, 0, 0, 0, None, None, None])
                continue
            region = one.resolved[int(np.argmax(held))]
            true = float(np.mean(truth[region.anomalous_rows] >= 0))
            rows.append([one.side, number, region.n_flagged, region.n_pruned, region.n_anomalous, region.n_injected,
                         region.purity, region.purity_se, true])  # fmt: skip
    extra = [sum(region.established for region in one.resolved) for one in (found.over, found.under)]
    return {**timing, "rows": rows, "established": extra, "peak": None if before is None else peak_mb() - before}


def run_regions(options: Namespace, folder: Path) -> None:
    n, share, K, seeds = (6_000, 0.3, 150, (0,)) if options.quick else (50_000, 1.0, 500, (0, 1, 2))
    rows = [fresh("regions", threads=options.threads, seed=seed, n=n, share=share, K=K) for seed in seeds]
    table = []
    for side, number, flagged, pruned, recovered, injected, purity, se, true in rows[0]["rows"]:
        published = PUBLISHED[side][number]
        table.append({
            "region": f"{side} {number + 1}", "signal": round((MORE if side == "over" else FEWER)[number] * share),
            "flagged (published)": f"{flagged} ({published[0]})", "pruned (published)": f"{pruned} ({published[1]})",
            "recovered (published)": f"{recovered} ({published[2]})", "injected": injected,
            "purity": None if purity is None else f"{purity:.3f} ± {se:.3f}", "true purity": true,
        })  # fmt: skip
    away = [abs(row[6] - row[8]) for found in rows for row in found["rows"] if row[6] is not None]
    large = [abs(row[6] - row[8]) for found in rows for row in found["rows"] if row[6] is not None and row[4] >= 200]
    pulls = [abs(row[6] - row[8]) / row[7] for found in rows for row in found["rows"] if row[6] is not None]
    seconds = max(found["seconds"] for found in rows)
    costs = [
        {"contender": f"infoscope, seed {seed}", "seconds": found["seconds"], "CPU seconds": found["cpu_seconds"],
         "peak above warm-up, MB": found["peak"], "regions found (over, under)":
         ", ".join(str(sum(row[0] == side and row[6] is not None for row in found["rows"])) for side in PUBLISHED)}
        for seed, found in zip(seeds, rows, strict=True)
    ] + [{"contender": "EagleEye, published, 10 processes", "seconds": PUBLISHED_SECONDS, "CPU seconds": None,
          "peak above warm-up, MB": None, "regions found (over, under)": "7, 3"}]  # fmt: skip
    bars = [
        bar("regions found, of ten, the fewest of any seed", min(sum(row[6] is not None for row in found["rows"])
                                                                for found in rows), 10, at_least=True),
        bar("largest error of a purity", max(away), 0.05),
        bar("largest error of a purity, regions of 200 points and more", max(large, default=None), 0.05),
        bar("largest error of a purity in its standard errors", max(pulls), 3.5),
        bar("faster than the published 211 s on ten processes", PUBLISHED_SECONDS / seconds, 10, at_least=True,
            unit="times"),
    ]  # fmt: skip
    title = f"Seven over- and three under-densities, {n:,} + {n:,} points, K = {K}, 1e-5 a point, seed {seeds[0]}"
    publish("anomalies", options, {title: table, "Cost": costs}, part="regions", bars=bars,
            used={"this": rows[0]["versions"]})  # fmt: skip


# ------------------------------------------------------------------------------------------------------ many columns
def nonlinear_features(latent: Any, w: Any, b: float) -> Any:
    """Ten nonlinear functions of ten variables."""
    import numpy as np

    x = latent.T
    r, low = np.hypot(x[0], x[1]), np.log1p(np.abs(x[2]))
    f = np.sign(x[3]) * np.sqrt(np.abs(x[3]))
    return np.column_stack([
        2 / np.pi * np.arctan(x[0] + x[1]), np.tanh(x[2] / 2), 2 / (1 + np.exp(-(x[3] - x[4]))) - 1,
        x[5] / (1 + np.abs(x[5])), np.exp(-((x[6] - x[7]) ** 2) / 2), np.cos(latent @ w + b),
        x[8] * x[9] / (1 + np.abs(x[8] * x[9])), r / (1 + r), low / (1 + low), f / (1 + np.abs(f)),
    ])  # fmt: skip


def columns(seed: int, n: int, signal: int, K: int, threads: int) -> Row:
    import numpy as np

    from infoscope import DensityAnomaly

    g = np.random.default_rng(seed)
    w, b = g.normal(size=10), g.uniform(0, 2 * np.pi)
    covariance = np.eye(10)
    for i, j, r in ((0, 1, 0.8), (2, 3, 0.9), (5, 7, -0.7)):
        covariance[i, j] = covariance[j, i] = r
    turn = np.linalg.qr(g.normal(size=(100, 10)))[0].T  # into a hundred columns, distances kept
    x = nonlinear_features(g.uniform(-10, 10, (n, 10)), w, b) @ turn
    excess = g.multivariate_normal(np.ones(10), covariance, signal)
    latent = np.concatenate([g.uniform(-10, 10, (n - signal, 10)), excess])
    y = nonlinear_features(latent, w, b) @ turn
    began = time.perf_counter()
    found = DensityAnomaly(K, control="fpr", alpha=1e-5, side="over", n_jobs=threads).fit(x, y).result_
    recovered = np.concatenate([region.anomalous_rows for region in found.over.resolved] or [np.empty(0, int)])
    true = float(np.mean(recovered >= n - signal)) if len(recovered) else None
    return {"seconds": time.perf_counter() - began, "flagged": found.over.n_flagged, "pruned": found.over.n_pruned,
            "recovered": len(recovered), "true": true, "peak": peak_mb()}  # fmt: skip


def run_columns(options: Namespace, folder: Path) -> None:
    n, signal, K, seeds = (3_000, 150, 100, (0,)) if options.quick else (100_000, 1_000, 500, (0, 1))
    rows = {(seed, s): fresh("columns", threads=options.threads, seed=seed, n=n, signal=s, K=K)
            for seed in seeds for s in (signal, 0) if s or seed == seeds[0]}  # fmt: skip
    table = [
        {"seed": seed, "signal": s, "flagged": row["flagged"], "pruned": row["pruned"], "recovered": row["recovered"],
         "signal among recovered": row["true"], "seconds": row["seconds"], "peak of the process, MB": row["peak"]}
        for (seed, s), row in rows.items()
    ]  # fmt: skip
    table.append({"seed": "published, 10 seeds", "signal": 1_000, **{k: f"{a} to {b}" for k, (a, b) in SPREAD.items()},
                  "signal among recovered": None, "seconds": None, "peak of the process, MB": None})  # fmt: skip
    bars = [bar("flagged without signal", rows[seeds[0], 0]["flagged"], 5)]
    for name, (low, high) in SPREAD.items():
        values = [row[name] for (_, s), row in rows.items() if s]
        bars += [bar(f"{name}, fewest", min(values), low, at_least=True), bar(f"{name}, most", max(values), high)]
    title = f"{signal:,} points of signal among {n:,} + {n:,} in 100 columns, K = {K}, 1e-5 a point"
    notes = ["The specification leaves open how published signals enter the ten functions; here they are drawn from a "
             "normal law with mean one in the ten variables, as it says."]  # fmt: skip
    publish("anomalies", options, {title: table}, part="columns", bars=bars, notes=notes,
            used={"this": rows[seeds[0], 0]["versions"]})  # fmt: skip


# ----------------------------------------------------------------------------------------------------- unequal sizes
def unequal(n_reference: int, n_test: int, signal: int, seeds: list[int], threads: int) -> Row:
    import numpy as np

    from infoscope import DensityAnomaly

    rows = []
    for seed in seeds:
        g = np.random.default_rng(seed)
        x, y = g.normal(size=(n_reference, 2)), g.normal(size=(n_test, 2))
        y[-signal:] = 1.5 + 0.15 * g.normal(size=(signal, 2))
        for side, pair in (("over", (x, y)), ("under", (y, x))):
            found = getattr(DensityAnomaly(n_jobs=threads).fit(*pair).result_, side)
            if not found.established:
                rows.append([seed, side, None, None, None])
                continue
            region = found.established[0]
            true = float(np.mean(region.anomalous_rows >= n_test - signal))
            rows.append([seed, side, region.purity, region.purity_se, true])
    return {"rows": rows}


def run_unequal(options: Namespace, folder: Path) -> None:
    sizes = (900, 300, 60) if options.quick else (4_500, 1_500, 150)
    seeds = list(range(2 if options.quick else 10))
    found = fresh(
        "unequal", threads=options.threads, n_reference=sizes[0], n_test=sizes[1], signal=sizes[2], seeds=seeds
    )
    table = [{"seed": seed, "excess in": "the smaller sample as test" if side == "over" else "the smaller sample as "
              "reference", "purity": None if purity is None else f"{purity:.3f} ± {se:.3f}", "true purity": true}
             for seed, side, purity, se, true in found["rows"]]  # fmt: skip
    away = [abs(row[2] - row[4]) for row in found["rows"] if row[2] is not None]
    mean = sum(away) / len(away)
    bars = [bar("largest error of a purity", max(away), 0.1), bar("mean error of a purity", mean, 0.05)]
    notes = ["The authors' formula has the ratio of the samples upside down: at these sizes it gave -0.66 for 0.77."]
    title = f"{sizes[2]} points of signal, {sizes[0]:,} points against {sizes[1]:,}"
    publish("anomalies", options, {title: table}, part="unequal", bars=bars, notes=notes,
            used={"this": found["versions"]})  # fmt: skip


# ---------------------------------------------------------------------------------------------------------- large
def large(n: int, K: int, signal: int, threads: int) -> Row:
    import numpy as np

    from infoscope import DensityAnomaly

    g = np.random.default_rng(0)
    x, y = g.normal(size=(n, 4)), g.normal(size=(n, 4))
    y[-signal:] = [1.5, 0, 0, 0] + 0.1 * g.normal(size=(signal, 4))
    model = DensityAnomaly(K, n_jobs=threads)
    model.fit(x[:5_000], y[:5_000])  # loads the kernels
    reset_peak()
    began, cpu = time.perf_counter(), time.process_time()
    found = model.fit(x, y).result_
    timing = {"seconds": time.perf_counter() - began, "cpu_seconds": time.process_time() - cpu, "peak": peak_mb()}
    region = found.over.established[0]
    return {**timing, "flagged": found.over.n_flagged, "pruned": found.over.n_pruned, "purity": region.purity,
            "purity_se": region.purity_se, "true": float(np.mean(region.anomalous_rows >= n - signal))}  # fmt: skip


def run_large(options: Namespace, folder: Path) -> None:
    n, K, signal = (20_000, 100, 500) if options.quick else (1_000_000, 200, 2_000)
    row = fresh("large", threads=options.threads, n=n, K=K, signal=signal)
    table = [{"seconds": row["seconds"], "CPU seconds": row["cpu_seconds"], "peak of the process, MB": row["peak"],
              "flagged": row["flagged"], "pruned": row["pruned"], "true purity": row["true"],
              "purity of the first region": f"{row['purity']:.3f} ± {row['purity_se']:.3f}"}]  # fmt: skip
    memory = bar("peak memory of the process", row["peak"], 8_000, unit="MB")
    bars = [bar("time", row["seconds"], 600, unit="s"), memory]
    title = f"{n:,} + {n:,} points in four dimensions, K = {K}, {signal:,} of them signal"
    publish("anomalies", options, {title: table}, part="large", bars=bars, used={"this": row["versions"]})


PARTS: dict[str, Callable[[Namespace, Path], None]] = {
    "null": run_null,
    "rates": run_rates,
    "regions": run_regions,
    "columns": run_columns,
    "unequal": run_unequal,
    "large": run_large,
}
JOBS = {"null": null, "rates": rates, "regions": regions, "columns": columns, "unequal": unequal, "large": large}


def run(options: Namespace) -> None:
    with TemporaryDirectory() as folder:
        for part in options.only:
            PARTS[part](options, Path(folder))


if __name__ == "__main__":
    main(run, JOBS, tuple(PARTS))
