"""What the parts of the benchmark of densities share: samples in files, DADApy's object, the measure of error."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def mean_error(estimate: Any, truth: Any) -> float:
    """Mean absolute difference after the mean difference is taken out."""
    difference = estimate - truth
    return float(abs(difference - difference.mean()).mean())


def save(path: Path, n: int, seed: int) -> str:
    """Six columns and the exact log density as the seventh: any Python can read them."""
    import numpy as np

    from infoscope.datasets import double_well_6d

    x, truth = double_well_6d(n, random_state=seed)
    np.save(path, np.column_stack([x, truth]))
    return str(path)


def load(file: str) -> tuple[Any, Any]:
    import numpy as np

    both = np.load(file)
    return np.ascontiguousarray(both[:, :6]), both[:, 6].copy()


def peer_data(x: Any, threads: int, dimension: float | None = 6.0) -> Any:
    from dadapy import Data

    data = Data(x, maxk=min(100, len(x) - 1), n_jobs=threads, verbose=False)
    data.compute_distances()
    if dimension is None:
        data.compute_id_2NN()
    else:
        data.set_id(dimension)
    data.compute_kstar()
    return data


def skipped(peer: str | None) -> list[str]:
    return [] if peer else ["DADApy was skipped: INFOSCOPE_PEER_PYTHON names no Python that exists."]
