"""Cauchy-Schwarz divergence of two samples, from sums of a Gaussian kernel."""

from __future__ import annotations

from typing import Any

import numpy as np

from infoscope import neighbors
from infoscope.base import provenance
from infoscope.statistics import check_n_permutations

from .distance_results import CauchySchwarz
from .kernel_forms import gaussian
from .mmd import about, bandwidth_of
from .sample_units import Prepared, prepare, seed_of, variance_of_both_orders
from .two_sample_forms import kernel_means

SMALL = np.finfo(float).tiny


def cauchy_schwarz(
    a: Any,
    b: Any,
    *,
    bandwidth: float | str = "median",
    diagonal: bool = False,
    n_permutations: int = 0,
    exclusion_window: float | str | None = None,
    random_state: Any = None,
    n_jobs: int | None = None,
) -> CauchySchwarz:
    """log <K_aa> + log <K_bb> - 2 log <K_ab>: the angle between two densities made of Gaussian kernels.

    Parameters
    ----------
    a, b : array (N, D), frame, list of arrays (runs) or Space
        The reference and the test sample.
    bandwidth : float or "median"
        h of K = exp(-d^2 / 2 h^2); "median" is the median distance in both samples together.
    diagonal : bool
        Whether every row counts as its own pair, which biases the value downwards.
    n_permutations : int
        How often labels are exchanged for a p-value.
    exclusion_window : float or "auto", optional
        Time within which rows of a Space belong together: the length of blocks; 0 says that rows are in no order.
    random_state : int or Generator, optional
    n_jobs : int, optional
        Threads.

    Returns
    -------
    CauchySchwarz

    Raises
    ------
    DataError, ParameterError
        Columns that differ, NaN, too few rows, a bandwidth that is not positive.

    References
    ----------
    Yu et al., arXiv 2404.17951 (2024).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.measures import cauchy_schwarz
    >>> g = np.random.default_rng(0)
    >>> x, y = g.normal(size=(2000, 2)), g.normal(size=(2000, 2)) + [1, 0]
    >>> found = cauchy_schwarz(x, y, bandwidth=0.5)                # exact: 1 / (2 + h^2) = 0.444
    >>> abs(found.value - 0.444) < 2 * found.value_se
    True
    """
    number, seed = check_n_permutations(n_permutations), seed_of(random_state)
    prepared = prepare(a, b, exclusion_window)
    space = prepared.samples.space
    h = bandwidth_of(bandwidth, prepared)
    options = dict(bandwidth=bandwidth, diagonal=diagonal, n_permutations=number, exclusion_window=exclusion_window)
    record = provenance("cauchy_schwarz", options, seed, prepared.samples.reference.features,
                        prepared.samples.test.features)  # fmt: skip
    shared: dict[str, Any] = dict(bandwidth=h, diagonal=diagonal, provenance=record, **about(prepared))
    if h == 0 or prepared.same_rows:
        return CauchySchwarz(value=0.0, value_se=0.0, p_value=1.0 if number else None, **shared)
    logs = [[_log_rows(prepared, h, diagonal, row, column, n_jobs) for column in (0, 1)] for row in (0, 1)]
    means = [[_log_mean(prepared, logs[row][column], row, row == column and not diagonal) for column in (0, 1)]
             for row in (0, 1)]  # fmt: skip
    value = means[0][0] + means[1][1] - 2 * means[0][1]
    variance = 0.0
    for label in (0, 1):
        own, other = (np.exp(logs[label][c] - means[label][c]) for c in (label, 1 - label))
        variance += prepared.variance(label, 2 * (own - other))
    own_pairs = np.ones(len(space)) if diagonal else None
    found = kernel_means(prepared, gaussian(h), own_pairs, number, seed, n_jobs)
    scales = (found.means.inside[0], found.means.inside[1], found.means.between)
    if min(scales) > SMALL:
        variance = variance_of_both_orders(variance, found.second_order(prepared, scales))
    null = None
    if number:
        inside, between = (np.maximum(x, SMALL) for x in (found.null.inside, found.null.between))
        null = np.log(inside[0]) + np.log(inside[1]) - 2 * np.log(between)
    return CauchySchwarz(
        value=float(value), value_se=float(np.sqrt(variance)),
        **({} if null is None else prepared.tested(float(value), null, size=1.0)), **shared,
    )  # fmt: skip


# --------------------------------------------------------------------------------------------------------------- steps
def _log_rows(prepared: Prepared, h: float, diagonal: bool, row: int, column: int, n_jobs: int | None) -> np.ndarray:
    """log of the mean kernel of every row of one sample towards another, or towards its own."""
    samples = prepared.samples
    parts = np.flatnonzero(samples.labels == row), np.flatnonzero(samples.labels == column)
    space = samples.space.replace(sample_weight=_weights(prepared))
    found = neighbors.kernel_sums(space, h, queries=parts[0], columns=parts[1], include_self=diagonal and row == column,
                        n_jobs=n_jobs)  # fmt: skip
    weight = prepared.weight(column) * prepared.n[column]
    mass = weight.sum() - (weight if row == column and not diagonal else 0.0)
    return found.log_sum - np.log(mass)


def _weights(prepared: Prepared) -> np.ndarray:
    return np.concatenate([prepared.weight(label) * prepared.n[label] for label in (0, 1)])


def _log_mean(prepared: Prepared, logs: np.ndarray, row: int, others_only: bool) -> float:
    """log of the mean over pairs of what the logarithms are the row means of."""
    from scipy.special import logsumexp

    weight = prepared.weight(row)
    pairs = weight * (1 - weight) if others_only else weight
    return float(logsumexp(logs, b=pairs / pairs.sum()))
