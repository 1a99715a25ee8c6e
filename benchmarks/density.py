"""Densities: how right they are, how right their errors are, and what they cost, beside DADApy 0.3.4 and KDE.

    python benchmarks/density.py                       all parts
    python benchmarks/density.py --only calibration    one of them

accuracy     two wells in six dimensions (exact density): N = 10,000, ten samples whose seeds stand below
calibration  true error / claimed error, against dimension, and on densities that nothing was tuned on
speed        BMTI, N = 50,000, six dimensions: time and memory beside DADApy's solvers, residual of both
large        BMTI, N = 1,000,000, six dimensions
wide         BMTI, N = 1,500 in 200 columns: memory
peaks        DensityPeaks on sixty sets in 30 dimensions with few neighbours: is every label a label?

All densities get the true dimension.  Set INFOSCOPE_PEER_PYTHON as for imbalance_vs_dadapy.py; without it the peer is
skipped.  DADApy's default solver and its wide case get limits of time and memory, which the tables say.
"""

from __future__ import annotations

import tempfile
from argparse import Namespace
from collections.abc import Callable, Iterable
from pathlib import Path

import density_accuracy
import density_cost
from density_shared import skipped
from harness import Row, bar, fresh, main, publish
from imbalance_vs_dadapy import peer_python

NAMED_SETS = (16, 49, 30)  # where DADApy's labels were seen to be no labels


# ------------------------------------------------------------------------------------------------- labels of peaks
def peaks(seeds: list[int], threads: int) -> Row:
    import warnings

    import numpy as np

    from infoscope import DensityPeaks, PAk

    warnings.simplefilter("ignore")  # that 12 neighbours limit k*, which is what we ask for
    bad, differs = [], []
    for seed in seeds:
        x = np.random.default_rng(seed).normal(size=(300, 30))
        first, again = (
            DensityPeaks(density=PAk(max_neighbors=12, n_jobs=jobs)).fit(x).labels_ for jobs in (1, threads)
        )
        if not _labels_are_labels(first):
            bad.append(seed)
        if not np.array_equal(first, again):
            differs.append(seed)
    return {"bad": bad, "died": [], "differs": differs}


def peer_peaks(seeds: list[int], threads: int) -> Row:
    import numpy as np
    from dadapy import Data

    bad, died = [], []
    for seed in seeds:
        data = Data(np.random.default_rng(seed).normal(size=(300, 30)), maxk=12, n_jobs=threads, verbose=False)
        try:
            data.compute_id_2NN()
            data.compute_density_PAk()
            labels = data.compute_clustering_ADP()
        except (ValueError, IndexError) as error:
            print(f"seed {seed}: {error}")
            died.append(seed)
            continue
        if not _labels_are_labels(labels):
            bad.append(seed)
    return {"bad": bad, "died": died, "differs": None}


def run_peaks(options: Namespace, folder: Path) -> None:
    seeds = list(NAMED_SETS) if options.quick else sorted({*range(60), *NAMED_SETS})
    rows = {"infoscope": fresh("peaks", threads=options.threads, seeds=seeds)}
    if peer := peer_python():
        rows["DADApy"] = fresh("peer_peaks", python=peer, threads=options.threads, seeds=seeds)
    table = [
        {
            "contender": name,
            "sets": len(seeds),
            "sets with a label that is none": len(row["bad"]),
            "sets that raise an error": len(row["died"]),
            "seeds of both": ", ".join(map(str, [*row["bad"], *row["died"]])),
            "differ with the number of threads": "" if row["differs"] is None else len(row["differs"]),
        }
        for name, row in rows.items()
    ]
    ours = rows["infoscope"]
    bars = [
        bar("sets with a label that is none", len(ours["bad"]), 0),
        bar("sets whose labels differ with the number of threads", len(ours["differs"]), 0),
    ]
    title = "Density peaks, 300 Gaussian items in 30 dimensions, 12 neighbours"
    used = {name: row["versions"] for name, row in rows.items()}
    publish("density", options, {title: table}, part="peaks", bars=bars, notes=skipped(peer), used=used)


def _labels_are_labels(labels: Iterable[int]) -> bool:
    found = sorted({int(label) for label in labels})
    return found == list(range(len(found)))


PARTS: dict[str, Callable[[Namespace, Path], None]] = {
    "accuracy": density_accuracy.run_accuracy,
    "calibration": density_accuracy.run_calibration,
    "speed": density_cost.run_speed,
    "large": density_cost.run_large,
    "wide": density_cost.run_wide,
    "peaks": run_peaks,
}
JOBS = {
    "accuracy": density_accuracy.accuracy,
    "peer_accuracy": density_accuracy.peer_accuracy,
    "calibration": density_accuracy.calibration,
    "bmti": density_cost.bmti,
    "peer_bmti": density_cost.peer_bmti,
    "wide": density_cost.wide,
    "peer_wide": density_cost.peer_wide,
    "peaks": peaks,
    "peer_peaks": peer_peaks,
}


def run(options: Namespace) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for part in options.only:
            PARTS[part](options, Path(folder))


if __name__ == "__main__":
    main(run, JOBS, tuple(PARTS))
