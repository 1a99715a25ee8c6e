"""Binary Intrinsic Dimension: what histograms and fits cost beside DADApy 0.3.4, and how right numbers and errors are.

    python benchmarks/binary_dimension.py                  all parts
    python benchmarks/binary_dimension.py --only ising     one of them

histogram  3,000 samples of 10,000 independent bits: all distances and their histogram, beside DADApy
large      100,000 samples of 10,000 bits, given packed: time and memory
fit        a histogram of some 2,400 bins: the whole fit, beside 20,000 of DADApy's million steps
bits       1,000 independent bits, windows of 0.1 to 0.7 of the pairs; beside 100,000 steps of DADApy, and TWO-NN
ising      two-dimensional Ising model, L = 30 and 100, against published fits; 5,000 states each
errors     standard error over the spread of 300 replicates (seeds 0 to 299) on four data sets

Set INFOSCOPE_PEER_PYTHON as for imbalance_vs_dadapy.py; without it the peer is skipped.
"""

from __future__ import annotations

import tempfile
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

from density_shared import skipped
from harness import Row, bar, best_of, fresh, main, peak_mb, publish, reset_peak, resident_mb
from imbalance_vs_dadapy import peer_python

SEED = 0
STEPS = 20_000
LIMIT = 1_800.0
# (temperature, d0 at alpha_max 0.1, d0 at 0.4) of published fits to 5,000 states
PUBLISHED = {
    30: [(1.5, 13.26, 13.13), (2.0, 61.33, 58.64), (2.2, 95.34, 82.14), (2.27, 104.45, 84.12), (2.30, 106.54, 82.88),
         (2.35, 109.41, 91.46), (2.5, 200.60, 235.31), (3.0, 522.49, 536.48), (4.0, 726.73, 735.65)],
    100: [(1.5, 155.2, 153.6), (2.0, 639.8, 610.5), (2.2, 872.6, 773.2), (2.27, 762.3, 452.3), (2.30, 595.0, 512.9),
          (2.35, 1264.1, 1400.7), (2.5, 3118.7, 3187.6), (3.0, 6097.8, 6164.6), (4.0, 8171.8, 8264.1)],
}  # fmt: skip


# ------------------------------------------------------------------------------------------------- histograms
def histogram(n: int, n_bits: int, threads: int) -> Row:
    import numpy as np

    from infoscope import hamming_histogram

    hamming_histogram(np.random.default_rng(1).integers(0, 2, (200, n_bits), dtype=np.int8), n_jobs=threads)
    x = np.random.default_rng(SEED).integers(0, 2, (n, n_bits), dtype=np.int8)
    before = resident_mb()
    reset_peak()
    h, timing = best_of(lambda: hamming_histogram(x, n_jobs=threads))
    mean, deviation = h.moments()
    return {**timing, "mean": mean, "deviation": deviation, "peak": peak_mb(), "before": before}


def peer_histogram(n: int, n_bits: int, threads: int) -> Row:
    import numpy as np
    from dadapy.hamming import Hamming

    def call(x: Any) -> Any:
        h = Hamming(coordinates=x, verbose=False)
        h.compute_distances()
        h.D_histogram(compute_flag=1)
        h.compute_moments()
        return h

    call(2 * np.random.default_rng(1).integers(0, 2, (50, n_bits)) - 1)
    x = 2 * np.random.default_rng(SEED).integers(0, 2, (n, n_bits), dtype=np.int8) - 1
    before = resident_mb()
    reset_peak()
    h, timing = best_of(lambda: call(x))
    return {
        **timing,
        "mean": float(h.D_mu_emp),
        "deviation": float(h.D_var_emp) ** 0.5,
        "peak": peak_mb(),
        "before": before,
    }


def run_histogram(options: Namespace, folder: Path) -> None:
    n, n_bits = (300, 1_000) if options.quick else (3_000, 10_000)
    rows = {"infoscope": fresh("histogram", threads=options.threads, n=n, n_bits=n_bits)}
    if peer := peer_python():
        rows["DADApy"] = fresh("peer_histogram", python=peer, limit=LIMIT, threads=options.threads, n=n, n_bits=n_bits)
    ours = rows["infoscope"]
    table = [
        {
            "contender": name,
            "seconds": row["seconds"],
            "best of": row["runs"],
            "times infoscope": row["seconds"] / ours["seconds"],
            "peak above before, MB": None if row["peak"] is None else row["peak"] - row["before"],
            "mean distance": f"{row['mean']:.4f}",
            "deviation": f"{row['deviation']:.4f}",
        }
        for name, row in rows.items()
    ]
    ratio = rows["DADApy"]["seconds"] / ours["seconds"] if "DADApy" in rows else None
    bars = [bar("histogram, faster than DADApy", ratio, 100, at_least=True, unit="times")]
    title = f"All distances of {n:,} samples of {n_bits:,} bits and their histogram"
    used = {name: row["versions"] for name, row in rows.items()}
    publish("binary_dimension", options, {title: table}, part="histogram", bars=bars, notes=skipped(peer), used=used)


def large(n: int, n_bits: int, threads: int) -> Row:
    import time

    import numpy as np

    from infoscope import hamming_histogram

    hamming_histogram(np.random.default_rng(1).integers(0, 256, (200, n_bits // 8), dtype=np.uint8), n_bits=n_bits)
    x = np.random.default_rng(SEED).integers(0, 256, (n, n_bits // 8), dtype=np.uint8)
    began = time.perf_counter()
    h = hamming_histogram(x, n_bits=n_bits, n_jobs=threads)
    seconds = time.perf_counter() - began
    mean, deviation = h.moments()
    return {"seconds": seconds, "peak": peak_mb(), "pairs": int(h.n_pairs), "mean": mean, "deviation": deviation}


def run_large(options: Namespace, folder: Path) -> None:
    n, n_bits = (3_000, 10_000) if options.quick else (100_000, 10_000)
    row = fresh("large", threads=options.threads, n=n, n_bits=n_bits)
    table = [
        {
            "pairs": row["pairs"],
            "seconds": row["seconds"],
            "word comparisons a second": row["pairs"] * -(-n_bits // 64) / row["seconds"],
            "peak of the process, MB": row["peak"],
            "mean distance": f"{row['mean']:.4f}",
            "deviation": f"{row['deviation']:.4f}",
        }
    ]
    bars = [bar("packed bits: peak memory of the process, their own 125 MB included", row["peak"], 1_000, unit="MB")]
    title = f"Histogram of {n:,} samples of {n_bits:,} bits, given packed"
    publish("binary_dimension", options, {title: table}, part="large", bars=bars, used={"infoscope": row["versions"]})


# ------------------------------------------------------------------------------------------------- fits
def counts_of(n_bits: int) -> Any:
    """Distances of 5,000 samples of independent bits, as counts."""
    import numpy as np
    from scipy.stats import binom

    r = np.arange(n_bits + 1)
    return np.random.default_rng(SEED).multinomial(5_000 * 4_999 // 2, binom.pmf(r, n_bits, 0.5))


def fit(n_bits: int, alpha: float, threads: int) -> Row:
    from infoscope import BinaryID, HammingHistogram

    h = HammingHistogram(counts=counts_of(n_bits), n_bits=n_bits)
    small = HammingHistogram(counts=counts_of(200), n_bits=200)
    BinaryID(error=None).fit_histogram(small)
    found, timing = best_of(lambda: BinaryID(alpha_max=alpha, error=None).fit_histogram(h).result_)
    return {**timing, "bins": len(found.r), "d0": found.d0, "kl": found.kl, "steps": found.n_iter}


def peer_fit(n_bits: int, alpha: float, steps: int, threads: int) -> Row:
    import numpy as np
    from dadapy.hamming import BID, Hamming

    h = Hamming(verbose=False)
    counts = counts_of(n_bits)
    h.D_values = np.flatnonzero(counts)
    h.D_counts = counts[h.D_values]
    h.D_probs = h.D_counts / h.D_counts.sum()
    peer = BID(H=h, alphamax=alpha, Nsteps=steps, L=n_bits, export_results=0)
    peer.computeBID()
    return {
        "seconds": 60 * float(peer.optimization_elapsed_time),
        "runs": 1,
        "bins": len(peer.remp),
        "d0": float(peer.Op.d0),
        "kl": float(peer.Op.KL),
        "steps": steps,
    }


def run_fit(options: Namespace, folder: Path) -> None:
    n_bits, steps = (10_000, 1_000) if options.quick else (900_000, STEPS)
    rows = {"infoscope": fresh("fit", threads=options.threads, n_bits=n_bits, alpha=0.4)}
    if peer := peer_python():
        rows[f"DADApy, {steps:,} steps"] = fresh(
            "peer_fit", python=peer, limit=LIMIT, threads=options.threads, n_bits=n_bits, alpha=0.4, steps=steps
        )
    table = [
        {
            "contender": name,
            "bins": row["bins"],
            "seconds": row["seconds"],
            "steps": row["steps"],
            "d0": f"{row['d0']:,.1f}",
            "divergence": row["kl"],
        }
        for name, row in rows.items()
    ]
    bars = [bar(f"fit of {rows['infoscope']['bins']:,} bins", rows["infoscope"]["seconds"], 0.2, unit="s")]
    title = f"Fit of the distances of 5,000 samples of {n_bits:,} independent bits, alpha_max 0.4"
    used = {name.split(",")[0]: row["versions"] for name, row in rows.items()}
    notes = [*skipped(peer), "A published fit takes a million steps. DADApy's bins are those where pairs were seen."]
    publish("binary_dimension", options, {title: table}, part="fit", bars=bars, notes=notes, used=used)


def bits(alphas: list[float], threads: int) -> Row:
    import numpy as np

    from infoscope import TwoNN, scan_alpha

    x = np.random.default_rng(SEED).integers(0, 2, (1_000, 1_000))
    curve = scan_alpha(x, alphas, n_jobs=threads)
    near = TwoNN(n_jobs=threads).fit(x.astype(float)).dimension_
    return {"d0": curve.d0.tolist(), "d0_se": curve.d0_se.tolist(), "two_nn": float(near)}


def peer_bits(alphas: list[float], steps: int, threads: int) -> Row:
    import numpy as np
    from dadapy.hamming import BID, Hamming

    h = Hamming(coordinates=2 * np.random.default_rng(SEED).integers(0, 2, (1_000, 1_000)) - 1, verbose=False)
    h.compute_distances()
    h.D_histogram(compute_flag=1)
    found = []
    for alpha in alphas:
        peer = BID(H=h, alphamax=alpha, Nsteps=steps, L=1_000, export_results=0)
        peer.computeBID()
        found.append(float(peer.Op.d0))
    return {"d0": found}


def run_bits(options: Namespace, folder: Path) -> None:
    alphas = [0.1, 0.4, 0.7] if options.quick else [round(0.1 * k, 1) for k in range(1, 8)]
    steps = 1_000 if options.quick else 100_000
    ours = fresh("bits", threads=options.threads, alphas=alphas)
    peer = peer_python()
    theirs = None
    if peer:
        theirs = fresh("peer_bits", python=peer, limit=LIMIT, threads=options.threads, alphas=alphas, steps=steps)
    table = [
        {
            "alpha_max": alpha,
            "infoscope": f"{ours['d0'][i]:.1f} ± {ours['d0_se'][i]:.1f}",
            f"DADApy, {steps:,} steps": None if theirs is None else f"{theirs['d0'][i]:.1f}",
        }
        for i, alpha in enumerate(alphas)
    ]
    bars = [
        bar("smallest d0 over windows", min(ours["d0"]), 981, at_least=True),
        bar("largest d0 over windows", max(ours["d0"]), 1_008),
    ]
    notes = [*skipped(peer), f"TWO-NN, from the two nearest neighbours of the same samples: {ours['two_nn']:.0f}."]
    used = {"infoscope": ours["versions"], **({} if theirs is None else {"DADApy": theirs["versions"]})}
    title = "1,000 samples of 1,000 independent bits"
    publish("binary_dimension", options, {title: table}, part="bits", bars=bars, notes=notes, used=used)


# ------------------------------------------------------------------------------------------------- Ising
def ising(side: int, temperature: float, n: int, threads: int) -> Row:
    from infoscope import scan_alpha
    from infoscope.datasets import ising_square

    x = ising_square(n, side, temperature, random_state=SEED)
    curve = scan_alpha(x, (0.1, 0.4), support="observed", n_jobs=threads)
    return {"d0": curve.d0.tolist(), "d0_se": curve.d0_se.tolist(), "ratio": curve.kl_ratio.tolist()}


def run_ising(options: Namespace, folder: Path) -> None:
    sides, n = ((30,), 500) if options.quick else ((30, 100), 5_000)
    tables, bars, used = {}, [], {}
    for side in sides:
        rows = []
        for temperature, *published in PUBLISHED[side]:
            row = fresh("ising", threads=options.threads, side=side, temperature=temperature, n=n)
            used = {"infoscope": row["versions"]}
            line: Row = {"T": temperature}
            for k, alpha in enumerate((0.1, 0.4)):
                line[f"alpha {alpha}"] = f"{row['d0'][k]:,.1f} ± {row['d0_se'][k]:.1f}"
                line[f"published, {alpha}"] = published[k]
                line[f"misfit, {alpha}"] = row["ratio"][k]
                # the states of both fluctuate: a tolerance, or three standard errors of the difference
                tolerance = 0.015 if temperature >= 2.5 else 0.10 if side == 100 else 0.03
                allowed = max(tolerance * published[k], 3 * 2**0.5 * row["d0_se"][k])
                away = abs(row["d0"][k] - published[k]) / allowed
                bars.append(bar(f"L = {side}, T = {temperature}, alpha {alpha}: difference over tolerance", away, 1))
            rows.append(line)
        tables[f"Two-dimensional Ising model, L = {side}, {n:,} states"] = rows
    notes = ["Tolerance: 1.5 % for T >= 2.5, below 3 % (L = 30) and 10 % (L = 100), or three errors of a difference."]
    publish("binary_dimension", options, tables, part="ising", bars=bars, notes=notes, used=used)


# ------------------------------------------------------------------------------------------------- errors
def replicate(name: str, rng: Any) -> Any:
    import numpy as np

    from infoscope.datasets import ising_chain

    if name == "independent":
        return rng.random((250, 200)) < 0.5
    if name == "chain":
        return ising_chain(200, 400, 1.2, random_state=rng)
    fixed = np.random.default_rng(99)  # the same directions and biases in every replicate
    if name == "shared topic":
        w = fixed.normal(size=(480, 16))
        w /= np.linalg.norm(w, axis=1)[:, None]
        return np.sqrt(0.5) * rng.normal(size=(250, 16)) @ w.T + np.sqrt(0.5) * rng.normal(size=(250, 480)) > 0
    return rng.random((250, 400)) < fixed.uniform(0.2, 0.8, 400)


def errors(name: str, seeds: list[int], threads: int) -> Row:
    import warnings

    import numpy as np

    from infoscope import BinaryID

    warnings.simplefilter("ignore")
    found = []
    for seed in seeds:
        x = replicate(name, np.random.default_rng(seed))
        dyadic, jackknife = (BinaryID(alpha_max=0.5, error=e, n_jobs=threads).fit(x) for e in ("dyadic", "jackknife"))
        found.append((dyadic.dimension_, dyadic.dimension_se_, jackknife.dimension_se_))
    values = np.array(found)
    claimed = np.sqrt((values[:, 1:] ** 2).mean(0))
    spread = float(values[:, 0].std(ddof=1))
    return {"mean": values[:, 0].mean(), "spread": spread, "dyadic": claimed[0], "jackknife": claimed[1]}


def run_errors(options: Namespace, folder: Path) -> None:
    seeds = list(range(20 if options.quick else 300))
    table, bars, used = [], [], {}
    for name in ("independent", "chain", "shared topic", "biased bits"):
        row = fresh("errors", threads=options.threads, name=name, seeds=seeds)
        used = {"infoscope": row["versions"]}
        ratio = row["dyadic"] / row["spread"]
        columns = ("mean", "spread", "dyadic", "jackknife")
        table.append({"data": name, **{key: row[key] for key in columns}, "dyadic / spread": ratio})
        bars.append(bar(f"{name}: |dyadic / spread - 1|", abs(ratio - 1), 0.15))
    title = f"d0 at alpha_max 0.5: spread of {len(seeds)} replicates and claimed errors (root mean square)"
    publish("binary_dimension", options, {title: table}, part="errors", bars=bars, used=used)


PARTS: dict[str, Callable[[Namespace, Path], None]] = {
    "histogram": run_histogram,
    "large": run_large,
    "fit": run_fit,
    "bits": run_bits,
    "ising": run_ising,
    "errors": run_errors,
}
JOBS: dict[str, Callable[..., Row]] = {
    "histogram": histogram,
    "peer_histogram": peer_histogram,
    "large": large,
    "fit": fit,
    "peer_fit": peer_fit,
    "bits": bits,
    "peer_bits": peer_bits,
    "ising": ising,
    "errors": errors,
}


def run(options: Namespace) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for part in options.only:
            PARTS[part](options, Path(folder))


if __name__ == "__main__":
    main(run, JOBS, tuple(PARTS))
