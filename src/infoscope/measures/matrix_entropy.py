"""Entropy of the directions of a sample: rows without their mean, made as long as 1."""

from __future__ import annotations

from typing import Any

import numpy as np

from infoscope.base import DataError, ParameterError, provenance, warn
from infoscope.neighbors import as_space
from infoscope.statistics.units import information_unit

from .effective_number import Measured, measure_entropy, similarity_side
from .one_sample import OneSample, read_sample, refuse_periods
from .spectral_results import SpectralEntropy


def matrix_entropy(
    X: Any,
    *,
    weights: Any = None,
    unit: str = "nats",
    exclusion_window: float | str | None = None,
    n_jobs: int | None = None,
) -> SpectralEntropy:
    """Entropy of the spectrum of R^T R / N, with R the rows without the mean of the columns, made as long as 1.

    Parameters
    ----------
    X : Space, array (N, D), frame, tensor or Dask array
        The items; weights, times and runs belong to a `Space`.
    weights : array (N,), optional
        Of the items, where X is no `Space`.
    unit : {"nats", "bits"}
        Of the entropy.
    exclusion_window : float, "auto" or None
        Time within which rows of a run belong together in the error; 0 says that rows are in no order.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    SpectralEntropy
        Of kind "matrix"; `relative` is the entropy divided by log D.

    Raises
    ------
    DataError
        A row that is the mean of all others, fewer than two items.

    References
    ----------
    Li, Xia, Chang, Wu, arXiv:2410.10672 (2024).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.measures.matrix_entropy import matrix_entropy
    >>> found = matrix_entropy(np.random.default_rng(3).standard_normal((200, 3)))
    >>> round(found.value, 6), round(found.relative, 6)
    (1.094935, 0.996653)
    """
    by = information_unit(unit)
    sample, found = direction_entropy(X, weights, exclusion_window, n_jobs, order=1.0)
    warnings = list(sample.warnings)
    n, d = len(sample.space), int(sample.space.n_features)
    if found is None:
        warnings.append("all items are one point: the entropy is 0")
        warn(warnings[-1])
    entropy, error = (0.0, 0.0) if found is None else (found.entropy, found.entropy_se)
    space = sample.space
    return SpectralEntropy(
        value=entropy / by,
        value_se=error / by,
        kind="matrix",
        relative=entropy / float(np.log(d)) if d > 1 else 0.0,
        unit=unit,
        effective_number=float(np.exp(entropy)),
        spectrum=np.ones(1) if found is None else found.spectrum,
        n_dropped=0 if found is None else found.n_dropped,
        n_items=n,
        n_features=d,
        n_units=sample.n_units,
        warnings=tuple(warnings),
        notes=sample.notes,
        provenance=provenance(
            "matrix_entropy",
            dict(unit=unit, exclusion_window=exclusion_window, n_jobs=n_jobs),
            None,
            *space.input_parts,
        ),
    )


def direction_entropy(
    X: Any, weights: Any, exclusion_window: Any, n_jobs: int | None, order: float
) -> tuple[OneSample, Measured | None]:
    """The sample, and the entropy of its directions from the mean; None where all items are one point."""
    space = as_space(X, name="X", sample_weight=weights)
    if space.metric != "euclidean":
        raise ParameterError(
            f"directions need columns of real numbers, and X has metric {space.metric!r}: pass the columns"
        )
    refuse_periods(space, "a direction")
    sample = read_sample(space, None, exclusion_window, n_jobs=n_jobs)
    if len(sample.space) < 2:
        raise DataError(f"there is {len(sample.space)} item of positive weight: a sample has at least two")
    side = similarity_side(sample, None, "directions", None, n_jobs)
    return sample, None if side is None else measure_entropy(side, order, False, np.random.default_rng(0), n_jobs)
