"""How right densities and their errors are: the parts ``accuracy`` and ``calibration`` of density.py."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from density_shared import load, mean_error, peer_data, save, skipped
from harness import Row, bar, fresh, publish
from imbalance_vs_dadapy import peer_python

SEEDS = (2001, 2002, 2003, 2004, 2005, 2006, 2007, 2008, 2009, 2010)  # of the accuracy part
CALIBRATION_SEEDS = (3001, 3002, 3003, 3004, 3005)
KDE_ROWS = 1_500  # items at which the kernel estimates are evaluated: they cost N each
WEIGHTS = ("uncorrelated", "identity", "lsdi")


# ------------------------------------------------------------------------------------------------- accuracy
def accuracy(files: list[str], threads: int) -> Row:
    """Mean absolute error, sample by sample, of every density of infoscope and of two kernel estimates."""
    import numpy as np
    from scipy.stats import gaussian_kde
    from sklearn.neighbors import KernelDensity

    from infoscope import BMTI, KNNDensity, KStarNN, PAk, nearest

    found: dict[str, list[float]] = {}
    for file in files:
        x, truth = load(file)
        graph = nearest(x, 100, n_jobs=threads)
        methods: dict[str, Any] = {
            "10-NN": KNNDensity(10, dimension=6, calibrate=False).fit(graph),
            "k*-NN": KStarNN(dimension=6, calibrate=False).fit(graph),
            "PAk": PAk(dimension=6, calibrate=False).fit(graph),
        }
        for weights in WEIGHTS:
            model = BMTI(weights=weights, dimension=6, max_neighbors=100, error=None, n_jobs=threads)
            methods[f"BMTI, {weights} weights"] = model.fit(x)
        for name, model in methods.items():
            found.setdefault(name, []).append(mean_error(model.log_density_, truth))
        some = np.arange(min(KDE_ROWS, len(x)))
        kernels = gaussian_kde(x.T)  # Scott's rule, the covariance of the sample
        found.setdefault("Gaussian kernels, Scott (SciPy)", []).append(
            mean_error(kernels.logpdf(x[some].T), truth[some])
        )
        round_kernels = KernelDensity(bandwidth="scott").fit(x)  # one width for all columns
        found.setdefault("Gaussian kernels, Scott (scikit-learn)", []).append(
            mean_error(round_kernels.score_samples(x[some]), truth[some])
        )
    return {"errors": found}


def peer_accuracy(files: list[str], threads: int) -> Row:
    found: dict[str, list[float]] = {}
    for file in files:
        x, truth = load(file)
        data = peer_data(x, threads)
        data.compute_density_kstarNN()
        found.setdefault("k*-NN", []).append(mean_error(data.log_den, truth))
        data.compute_density_PAk()
        found.setdefault("PAk", []).append(mean_error(data.log_den, truth))
        for weights, theirs in (("uncorrelated", "uncorr"), ("identity", "identity")):
            data.compute_density_BMTI(theirs, solver="sp_cg")
            found.setdefault(f"BMTI, {weights} weights", []).append(mean_error(data.log_den, truth))
        data.compute_density_kNN(10)  # last: it leaves its k behind
        found.setdefault("10-NN", []).append(mean_error(data.log_den, truth))
    return {"errors": found}


def run_accuracy(options: Namespace, folder: Path) -> None:
    quick, threads = options.quick, options.threads
    n, seeds = (1_000, SEEDS[:2]) if quick else (10_000, SEEDS)
    files = [save(folder / f"{seed}.npy", n, seed) for seed in seeds]
    rows = {"infoscope": fresh("accuracy", threads=threads, files=files)}
    if peer := peer_python():
        rows["DADApy"] = fresh("peer_accuracy", python=peer, threads=threads, files=files)
    ours, theirs = rows["infoscope"]["errors"], rows.get("DADApy", {}).get("errors", {})
    table = [
        {
            "density": name,
            "infoscope": _spread(errors) if "kernels" not in name else "",
            "DADApy": _spread(theirs[name]) if name in theirs else "",
            "other": _spread(errors) if "kernels" in name else "",
            "largest difference": _apart(errors, theirs.get(name)),
        }
        for name, errors in ours.items()
    ]
    name = "BMTI, uncorrelated weights"
    bars = [bar("BMTI: mean absolute error over the samples", mean(ours[name]), 0.270)]
    if theirs:
        differences = [a - b for a, b in zip(ours[name], theirs[name], strict=True)]
        bars.append(bar("BMTI against DADApy's, same samples: mean difference", mean(differences), stdev(theirs[name])))
    publish(
        "density",
        options,
        {f"Mean absolute error of the log density, N = {n:,}, mean ± sd of {len(seeds)} samples": table},
        part="accuracy",
        bars=bars,
        notes=[
            "The mean difference from the exact log density is taken out of each sample. Seeds: "
            f"{', '.join(map(str, seeds))}, listed before the run.",
            f"The kernel estimates are evaluated at the first {min(KDE_ROWS, n):,} items of each sample.",
            "DADApy's LSDI weights need all pairs of edges, some 10^11 here: left out. Its BMTI is solved with sp_cg.",
            *skipped(peer_python()),
        ],
        used={name: row["versions"] for name, row in rows.items()},
    )


# ------------------------------------------------------------------------------------------------- calibration
def calibration(names: list[str], n: int, most: int | str, seeds: list[int], threads: int) -> Row:
    """For each density, method and seed: error, claimed error, mean and spread of error / claimed error."""
    import numpy as np

    from infoscope import BMTI, KStarNN, PAk, Space
    from known_densities import ALL

    rows = []
    for name in names:
        known = ALL[name]
        for seed in seeds:
            x, truth = known.sample(n, np.random.default_rng(seed))
            space = Space(x, period=known.period)
            shared: dict[str, Any] = {"dimension": known.dimension, "max_neighbors": most, "n_jobs": threads}
            for method, model in (
                ("BMTI", BMTI(random_state=0, **shared)),
                ("k*-NN", KStarNN(**shared)),
                ("PAk", PAk(**shared)),
            ):
                model.fit(space)
                difference, claimed = model.log_density_ - truth, model.log_density_se_
                pull, factor = difference / claimed, float(model.calibration_)
                rows.append(
                    {
                        "data": name,
                        "method": method,
                        "error": float(np.abs(difference).mean()),
                        "shape": mean_error(model.log_density_, truth),
                        "claimed": float(claimed.mean()) / factor,  # what the estimator claims by itself
                        "factor": factor,
                        "pull_sd": float(pull.std()),
                        "pull_sd_claimed": float(pull.std()) * factor,
                        "pull_rms": float(np.sqrt(np.mean(pull**2))),
                        "within": float(np.mean(np.abs(pull) < 1)),
                        "k_star": float(np.median(model.k_star_)),
                    }
                )
    return {"rows": rows}


def run_calibration(options: Namespace, folder: Path) -> None:
    from known_densities import GAUSSIANS, OTHERS, WELLS

    quick, threads = options.quick, options.threads
    n, seeds = (500, CALIBRATION_SEEDS[:1]) if quick else (2_000, CALIBRATION_SEEDS)
    groups = {
        f"Gaussians and two wells, N = {n:,}": ([*GAUSSIANS, *WELLS], n, "auto"),
        f"Gaussians and two wells, N = {n:,}, at most 100 neighbours": ([*GAUSSIANS, *WELLS], n, 100),
        f"Densities that nothing was tuned on, N = {n:,}": ([*OTHERS], n, "auto"),
        f"Two wells, N = {5 * n:,}": ([*WELLS], 5 * n, "auto"),
    }
    tables, bars, used = {}, [], {}
    for title, (names, size, most) in groups.items():
        answer = fresh("calibration", threads=threads, names=names, n=size, most=most, seeds=list(seeds))
        used = {"this": answer["versions"]}
        tables[title] = _calibration_table(answer["rows"])
        for method in ("BMTI", "k*-NN", "PAk"):
            pulls = [row["pull sd, calibrated"] for row in tables[title] if row["method"] == method]
            bars.append(bar(f"{title}: {method}, smallest spread of pulls", min(pulls), 0.8, at_least=True))
            bars.append(bar(f"{title}: {method}, largest spread of pulls", max(pulls), 1.25))
    notes = [
        "A pull is (estimate - truth) / error; its spread is 1 where errors are as large as said, larger where they "
        "are too small; its root mean square counts the mean difference as well. Claimed: by the estimator itself. "
        "Calibrated: multiplied with the factor that it finds on a stand-in for the data, the default. From, to: over "
        "the samples. Error: mean absolute difference from the truth; shape: the same without its mean.",
        f"Means over {len(seeds)} samples, seeds {', '.join(map(str, seeds))}; all densities got the true dimension.",
    ]
    publish("density", options, tables, part="calibration", bars=bars, notes=notes, used=used)


def _calibration_table(rows: list[Row]) -> list[Row]:
    table = []
    for key in dict.fromkeys((row["data"], row["method"]) for row in rows):
        some = [row for row in rows if (row["data"], row["method"]) == key]

        def over(name: str, some: list[Row] = some) -> float:
            return mean(row[name] for row in some)

        table.append(
            {
                "data": key[0],
                "method": key[1],
                "error": over("error"),
                "shape": over("shape"),
                "claimed": over("claimed"),
                "pull sd, claimed": over("pull_sd_claimed"),
                "factor": over("factor"),
                "pull sd, calibrated": over("pull_sd"),
                "from": min(row["pull_sd"] for row in some),
                "to": max(row["pull_sd"] for row in some),
                "pull rms, calibrated": over("pull_rms"),
                "within one error, %": round(100 * over("within")),
                "neighbours": round(over("k_star")),
            }
        )
    return table


def _spread(values: list[float]) -> str:
    return f"{mean(values):.4f} ± {stdev(values):.4f}"


def _apart(ours: list[float], theirs: list[float] | None) -> str:
    """Of the two libraries, over the samples: the same formulas must give the same numbers."""
    if theirs is None:
        return ""
    return f"{max(abs(a - b) for a, b in zip(ours, theirs, strict=True)):.0e}"
