"""Information of a Gaussian copula: that of normal scores, were they jointly normal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from infoscope.base import DataError
from infoscope.base.array_types import Floats

SINGULAR = 1e-10  # smallest eigenvalue of correlations from which columns are functions of each other


def gaussian_information(blocks: Sequence[Floats], *, corrected: bool = True) -> float:
    """``sum_b H_b - H_all`` of jointly normal columns, without the bias of the sample.

    ``H_d = (1/2) log det C - (1/2) sum_i psi((N - i)/2) - (d/2)(log 2 - log(N - 1))``, i = 1 ... d, is unbiased for
    normal data.

    Parameters
    ----------
    blocks : sequence of array (N, D_b)
        Columns.
    corrected : bool
        Whether the bias is taken away.

    Returns
    -------
    float
        Infinite where some columns are functions of those of other blocks.

    Raises
    ------
    DataError
        Not more rows than columns plus one; columns of one block that are functions of each other.

    References
    ----------
    Goodman (1963), Ann. Math. Stat. 34, 152: moments of log det.  Ince et al. (2017), 38, 1541 (Human Brain Mapping).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.measures.gaussian_copula import gaussian_information
    >>> x = np.random.default_rng(0).normal(size=(20_000, 1))
    >>> y = 0.8 * x + 0.6 * np.random.default_rng(1).normal(size=(20_000, 1))
    >>> round(gaussian_information([x, y]), 1)
    0.5
    """
    joint = np.hstack(blocks)
    n, width = joint.shape
    if n <= width + 1:
        raise DataError(f"{n} rows are too few for the covariance of {width} columns: at least {width + 2} are needed")
    covariance = np.cov(joint, rowvar=False).reshape(width, width)
    ends = np.cumsum([block.shape[1] for block in blocks])
    total = -_log_det(covariance, n, corrected)
    for start, stop in zip([0, *ends[:-1]], ends, strict=True):
        own = _log_det(covariance[start:stop, start:stop], n, corrected)
        if own == -np.inf:
            raise DataError(
                f"columns {start} to {stop - 1} are linear functions of each other: their covariance is singular; "
                "leave some out"
            )
        total += own
    return float(total)


def _log_det(covariance: Floats, n: int, corrected: bool) -> float:
    """(1/2) log det without its expected excess."""
    from scipy.special import digamma

    d = len(covariance)
    scale = np.sqrt(np.diagonal(covariance))
    if not scale.all():  # a column that does not vary in these rows
        return -np.inf
    values = np.linalg.eigvalsh(covariance / np.outer(scale, scale))
    if values[0] < SINGULAR:
        return -np.inf
    half = 0.5 * float(np.log(values).sum()) + float(np.log(scale).sum())
    if not corrected:
        return half
    return half - 0.5 * float(digamma((n - np.arange(1, d + 1)) / 2).sum()) - d / 2 * (np.log(2) - np.log(n - 1))
