"""Nuclear norm of the directions of a sample, exact, or by the norms of columns as published tables have it."""

from __future__ import annotations

from typing import Any

import numpy as np

from infoscope.base import provenance, warn
from infoscope.base.checks import check_choice
from infoscope.neighbors import as_space, refuse_weights

from .matrix_entropy import direction_entropy
from .one_sample import OneSample
from .similarity import Vectors
from .spectral_results import NuclearNorm


def nuclear_norm(
    X: Any, *, method: str = "exact", exclusion_window: float | str | None = None, n_jobs: int | None = None
) -> NuclearNorm:
    """Sum of the singular values of the rows without their mean, made as long as 1.

    With p the eigenvalues of R^T R / N the norm is sqrt(N) sum sqrt(p) = sqrt(N exp(H_1/2)): one number with the
    effective number of order 1/2.

    Parameters
    ----------
    X : Space, array (N, D), frame, tensor or Dask array
        The items.
    method : {"exact", "column-norms"}
        "column-norms" is the surrogate of published tables, the sum of the min(N, D) largest norms of columns.  It is
        at least the norm when all columns are kept, and is *not* invariant under rotations.
    exclusion_window : float, "auto" or None
        Time within which rows of a run belong together in the error; 0 says that rows are in no order.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    NuclearNorm

    Raises
    ------
    DataError
        Weights that differ, a row that is the mean of all others, fewer than two items.

    References
    ----------
    Li, Xia, Chang, Wu, arXiv:2410.10672 (2024).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.measures.nuclear_norm import nuclear_norm
    >>> x = np.random.default_rng(3).standard_normal((200, 3))
    >>> round(nuclear_norm(x).value, 6), round(nuclear_norm(x, method="column-norms").value, 6)
    (24.472537, 24.494322)
    """
    check_choice(method, "method", ("exact", "column-norms"))
    space = refuse_weights(as_space(X, name="X"), "a norm has no weighted form")
    sample, found = direction_entropy(space, None, exclusion_window, n_jobs, order=0.5)
    n, d = len(sample.space), int(sample.space.n_features)
    warnings, values = list(sample.warnings), np.empty(0)
    if found is None:
        value, error = 0.0, 0.0
        warnings.append("all items are one point: the norm is 0")
        warn(warnings[-1])
    elif method == "exact":
        value, values = float(np.sqrt(n) * np.exp(found.entropy / 2)), found.spectrum
        error = value * found.entropy_se / 2
    else:
        value, error = _column_norms(sample)
    return NuclearNorm(
        value=value,
        value_se=error,
        per_item=value / n,
        method=method,
        bound=float(np.sqrt(n * min(n, d))),
        spectrum=values,
        n_items=n,
        n_features=d,
        n_units=sample.n_units,
        warnings=tuple(warnings),
        notes=sample.notes,
        provenance=provenance(
            "nuclear_norm",
            dict(method=method, exclusion_window=exclusion_window, n_jobs=n_jobs),
            None,
            *(sample.space.hashed, sample.space.time, sample.space.run),
        ),
    )


def _column_norms(sample: OneSample) -> tuple[float, float]:
    """Sum of the largest norms of columns, and the error of that sum by the delta method."""
    vectors = Vectors(sample, centred=True, unit=True)
    n, d = vectors.n, vectors.d
    mean = np.zeros(d)
    for part, phi in vectors.blocks():
        mean += (sample.weight[part, None] * phi**2).sum(0)
    kept = np.argsort(-mean, kind="stable")[: min(n, d)]
    root = np.sqrt(mean[kept])
    influence = np.empty(n)
    for part, phi in vectors.blocks():
        influence[part] = np.sqrt(n) * (phi[:, kept] ** 2 / np.where(root > 0, 2 * root, 1.0)).sum(1)
    return float(np.sqrt(n) * root.sum()), float(sample.error(influence))
