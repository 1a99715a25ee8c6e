"""Imbalance Gain: time beside DADApy 0.3.4, memory of a large case, and how often a p-value is a false alarm.

    python benchmarks/causality_gain.py                 all parts
    python benchmarks/causality_gain.py --only alarms   one of them

speed   a pair of coupled Rossler oscillators, 2,500 rows, 50 alphas, both directions, one thread; k = 5.  DADApy's
        `return_inf_imb_causality` (exact ranks: maxk = N - 1) gets every seventh alpha, and its time is scaled: it
        sorts the present anew for every alpha.  Values are compared.
large   the same systems, 20,000 rows, the 33 alphas and the 40 neighbours of the defaults, lags 2, 4, ..., 20, two
        threads, one direction, errors included
alarms  200 pairs of series that tell nothing of each other, of independent rows and of rows with a correlation time of
        19 (autoregressive, 0.9): how many p-values are at most 0.05

Set INFOSCOPE_PEER_PYTHON as for imbalance_vs_dadapy.py; without it the peer is skipped.
"""

from __future__ import annotations

import tempfile
import warnings
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness import Row, bar, best_of, fresh, main, peak_mb, publish, reset_peak, resident_mb
from imbalance_vs_dadapy import peer_python

N, K, LAG, N_ALPHAS = 2_500, 5, 20, 50
PEER_STEP = 7  # every which alpha the peer gets
AGREEMENT = 1e-9
LARGE, LAGS = 20_000, list(range(2, 21, 2))
PAIRS, ALARM_ROWS, PERMUTATIONS, LEVEL = 200, 600, 19, 0.05
SECONDS, LARGE_SECONDS, LARGE_MB = 2.0, 120.0, 500.0
SERIES = {"independent rows": 0.0, "autoregressive, 0.9": 0.9}


# ------------------------------------------------------------------------------------------------- speed
def save_pair(path: Path, n: int) -> str:
    """Present and future of both systems, six columns each: any Python can read them."""
    import numpy as np

    from infoscope.causality import sample_times
    from infoscope.datasets import coupled_rossler

    series = coupled_rossler(40 * n, random_state=1)
    rows = sample_times(series, LAG, n_samples=n)
    np.save(path, np.column_stack([series[rows], series[rows + LAG]]))
    return str(path)


def load_pair(file: str) -> tuple[Any, Any]:
    import numpy as np

    both = np.load(file)
    return both[:, :6].copy(), both[:, 6:].copy()


def infoscope(alphas: Any, threads: int) -> Callable[[Any, Any], list[Any]]:
    from infoscope.causality import imbalance_gain

    warnings.simplefilter("ignore")  # that rows in no order look correlated: both contenders see all pairs

    def call(now: Any, later: Any) -> list[Any]:
        options: dict[str, Any] = dict(k=min(K, len(now) // 4), alphas=alphas, n_permutations=0, exclusion_window=0)
        return [
            imbalance_gain(now[:, a], now[:, b], future=later[:, b], n_jobs=threads, **options).delta
            for a, b in ((slice(3), slice(3, 6)), (slice(3, 6), slice(3)))
        ]

    return call


def dadapy(alphas: Any, threads: int) -> Callable[[Any, Any], list[Any]]:
    from dadapy import MetricComparisons

    def call(now: Any, later: Any) -> list[Any]:
        data = MetricComparisons(maxk=len(now) - 1, n_jobs=threads)
        return [
            data.return_inf_imb_causality(now[:, a], now[:, b], later[:, b], list(alphas), k=K)
            for a, b in ((slice(3), slice(3, 6)), (slice(3, 6), slice(3)))
        ]

    return call


def contender(name: str, file: str, threads: int) -> Row:
    import numpy as np

    alphas = np.linspace(0, 1, N_ALPHAS)
    call = infoscope(alphas, threads) if name == "infoscope" else dadapy(alphas[::PEER_STEP], threads)
    after_import = resident_mb()
    now, later = load_pair(file)
    call(now[:300], later[:300])
    reset_peak()
    values, timing = best_of(lambda: call(now, later))
    used = len(values[0])
    delta = [[float(value) for value in way] for way in values]
    return {**timing, "alphas": used, "delta": delta, "peak": peak_mb(), "after_import": after_import}


def run_speed(options: Namespace, folder: Path) -> None:
    n = 500 if options.quick else N
    common = {"file": save_pair(folder / "pair.npy", n), "threads": 1}
    rows = {"infoscope": fresh("contender", name="infoscope", **common)}
    peer = peer_python()
    if peer:
        rows["DADApy"] = fresh("contender", name="DADApy", python=peer, **common)
    notes = [
        "DADApy sorts the future once and the present once an alpha: the time for all alphas is that of 9 sorts times "
        "51/9."
    ]
    if peer:
        difference = _difference(rows)
        if difference > AGREEMENT:
            raise SystemExit(f"causality_gain.py: the contenders disagree by {difference:.3g}")
        notes.append(f"The contenders agree: their imbalances differ by {difference:.0e} at most.")
    else:
        notes.append("DADApy was skipped: INFOSCOPE_PEER_PYTHON names no Python that exists.")
    ours = rows["infoscope"]
    table = [
        {
            "contender": name,
            "alphas": row["alphas"],
            "seconds": row["seconds"],
            "best of": row["runs"],
            "CPU seconds": row["cpu_seconds"],
            f"CPU seconds for {N_ALPHAS} alphas": _for_all(row),
            "times infoscope": _for_all(row) / _for_all(ours),
            "peak above import, MB": _above(row),
        }
        for name, row in rows.items()
    ]
    faster = _for_all(rows["DADApy"]) / _for_all(ours) if peer else None
    bars = [
        bar("both directions, one thread", ours["seconds"], SECONDS, unit="s"),
        bar("less CPU time than DADApy", faster, 10, at_least=True, unit="times"),
    ]
    title = f"{n:,} rows, {N_ALPHAS} alphas, both directions, one thread"
    used = {name: row["versions"] for name, row in rows.items()}
    publish("causality_gain", options, {title: table}, part="speed", bars=bars, notes=notes, used=used)


def _difference(rows: dict[str, Row]) -> float:
    """Largest difference at the alphas that both had."""
    ours, theirs = ([way[::step] for way in rows[name]["delta"]] for name, step in (("infoscope", PEER_STEP),
                                                                                     ("DADApy", 1)))  # fmt: skip
    pairs = zip(ours, theirs, strict=True)
    return max(abs(a - b) for one, other in pairs for a, b in zip(one, other, strict=True))


def _for_all(row: Row) -> float:
    """The present is ranked once an alpha, the future once for all."""
    return row["cpu_seconds"] * (N_ALPHAS + 1) / (row["alphas"] + 1)


def _above(row: Row) -> float | None:
    return None if row["peak"] is None else row["peak"] - row["after_import"]


# ------------------------------------------------------------------------------------------------- large
def large(n: int, threads: int) -> Row:
    from infoscope.causality import scan_lags
    from infoscope.datasets import coupled_rossler

    warnings.simplefilter("ignore")
    options: dict[str, Any] = dict(both=False, n_permutations=0, exclusion_window=0, n_jobs=threads)
    series = coupled_rossler(5 * n, random_state=1)
    scan_lags(series[:2_000, :3], series[:2_000, 3:], [1, 2], **options)  # kernels are compiled and loaded
    after_import = resident_mb()
    reset_peak()
    scan, timing = best_of(
        lambda: scan_lags(series[:, :3], series[:, 3:], LAGS, n_samples=n, **options), repeats=1
    )  # fmt: skip
    return {
        **timing,
        "k": scan.k,
        "gain": [float(gain) for gain in scan.forward],
        "gain_se": [float(se) for se in scan.forward_se],
        "peak": peak_mb(),
        "after_import": after_import,
    }


def run_large(options: Namespace, _: Path) -> None:
    n = 1_500 if options.quick else LARGE
    row = fresh("large", n=n, threads=options.threads)
    table = [
        {
            "rows": n,
            "k": row["k"],
            "lags": len(LAGS),
            "seconds": row["seconds"],
            "CPU seconds": row["cpu_seconds"],
            "peak above import, MB": _above(row),
            "gain at the first lag": f"{row['gain'][0]:.3f} ± {row['gain_se'][0]:.3f}",
            "at the last": f"{row['gain'][-1]:.3f} ± {row['gain_se'][-1]:.3f}",
        }
    ]
    bars = [
        bar("33 alphas at ten lags", row["seconds"], LARGE_SECONDS, unit="s"),
        bar("peak above import", _above(row), LARGE_MB, unit="MB"),
    ]
    title = f"{n:,} rows, 33 alphas, {len(LAGS)} lags, three columns each"
    notes = [
        "One run.  Memory counts from after the series is made and the kernels are loaded.",
        f"The threads had {row['cpu_seconds'] / row['seconds']:.2f} cores between them.",
    ]
    publish(
        "causality_gain", options, {title: table}, part="large", bars=bars, notes=notes, used={"this": row["versions"]}
    )


# ------------------------------------------------------------------------------------------------- false alarms
def alarms(phi: float, pairs: int, rows: int, threads: int) -> Row:
    from infoscope.causality import imbalance_gain
    from infoscope.datasets import ar1

    warnings.simplefilter("ignore")
    p, nulls = [], set()
    for seed in range(pairs):
        (x,) = ar1(rows, 2, phi, random_state=seed)
        found = imbalance_gain(
            x[:, :1], x[:, 1:], lag=1, n_permutations=PERMUTATIONS, random_state=seed, n_jobs=threads
        )
        p.append(found.p_value)
        nulls.add(found.null)
    return {"p": p, "nulls": sorted(nulls)}


def run_alarms(options: Namespace, _: Path) -> None:
    from scipy.stats import binom

    pairs = 10 if options.quick else PAIRS
    low, high = (binom.ppf(q, pairs, LEVEL) / pairs for q in (0.025, 0.975))
    table, bars, used = [], [], {}
    for name, phi in SERIES.items():
        row = fresh("alarms", phi=phi, pairs=pairs, rows=ALARM_ROWS, threads=options.threads)
        rate = sum(p <= LEVEL for p in row["p"]) / pairs
        table.append({
            "series": name, "pairs": pairs, "rows": ALARM_ROWS, "null": ", ".join(row["nulls"]),
            "p at most 0.05": rate, "mean p": sum(row["p"]) / pairs, "lowest p": min(row["p"]),
        })  # fmt: skip
        bars.append(bar(f"{name}: share of p-values at most 0.05", rate, float(high)))
        used = {"this": row["versions"]}
    notes = [
        f"Binomial 95 % of {pairs} pairs at 5 %: {low:.3g} to {high:.3g}.  {PERMUTATIONS} shifted sources a pair, so a "
        "p-value of 0.05 is the lowest there can be; where a series is found to have fewer shifts that say something "
        "new, its p-value stays above."
    ]
    publish("causality_gain", options, {"Series that tell nothing of each other": table}, part="alarms", bars=bars,
            notes=notes, used=used)  # fmt: skip


PARTS: dict[str, Callable[[Namespace, Path], None]] = {"speed": run_speed, "large": run_large, "alarms": run_alarms}


def run(options: Namespace) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for part in options.only:
            PARTS[part](options, Path(folder))


if __name__ == "__main__":
    main(run, {"contender": contender, "large": large, "alarms": alarms}, tuple(PARTS))
