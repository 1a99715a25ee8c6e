"""Which sequences belong together: documents, or stretches of few long ones; errors of means over them."""

from __future__ import annotations

from typing import Any

import numpy as np

from infoscope.base import DataError
from infoscope.statistics import block_labels, run_order

FEWEST_UNITS = 20  # documents from which an error is told; fewer are cut into stretches


def error_units(run: Any, n: int) -> tuple[np.ndarray | None, str]:
    """The independent unit of every sequence.

    Parameters
    ----------
    run : array (n,) or None
        The document of each sequence, whose sequences follow each other; None: sequences are independent.
    n : int
        Sequences.

    Returns
    -------
    unit : array (n,) of int or None
        0, 1, ...; None where every sequence is one.
    note : str
        What was done where documents are too few; else empty.

    Raises
    ------
    DataError
        Another number of labels, or too few sequences to be cut.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.clones.documents import error_units
    >>> error_units(np.arange(60) // 2, 60)[0][:5]
    array([0, 0, 1, 1, 2])
    """
    if run is None:
        return None, ""
    documents = run_order(n, None, run)
    count = len(documents.slices)
    if count >= FEWEST_UNITS:
        return np.asarray(documents.codes, np.int64), ""
    if n < 2 * FEWEST_UNITS:
        raise DataError(
            f"{n} sequences of {count} documents are too few for an error: pass more, or no run if they are independent"
        )
    unit = block_labels(None, run, n / FEWEST_UNITS, min_blocks=FEWEST_UNITS, max_blocks=2 * FEWEST_UNITS)
    what = "document was" if count == 1 else f"{count} documents were"
    return unit, f"errors are those of {unit.max() + 1} stretches, which the {what} cut into"


def unit_means(values: np.ndarray, unit: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Means of columns over sequences, and the covariance of these means.

    Parameters
    ----------
    values : array (n, K)
        One row a sequence.
    unit : array (n,) of int or None
        As `error_units` gives it.

    Returns
    -------
    means : array (K,)
    covariance : array (K, K)

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.clones.documents import unit_means
    >>> means, covariance = unit_means(np.array([[1.0], [3.0], [5.0], [7.0]]), np.array([0, 0, 1, 1]))
    >>> means, covariance                                                     # two units, 2 and 6: their mean, 4 +- 2
    (array([4.]), array([[4.]]))
    """
    means = values.mean(0)
    away = values - means
    if unit is not None:
        sums = np.zeros((int(unit.max()) + 1, values.shape[1]))
        np.add.at(sums, unit, away)
        away = sums
    n = len(away)
    return means, away.T @ away * (n / max(n - 1, 1)) / len(values) ** 2


def mean_and_error(values: np.ndarray, weights: np.ndarray, unit: np.ndarray) -> tuple[float, float]:
    """Weighted mean, and its standard error by units (a ratio of sums over them).

    Parameters
    ----------
    values, weights : array (n,)
        Means over the tokens of a sequence, and how many these are.
    unit : array (n,) of int

    Returns
    -------
    mean, error : float

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.clones.documents import mean_and_error
    >>> mean_and_error(np.array([1.0, 3.0]), np.array([4, 4]), np.arange(2))
    (2.0, 1.0)
    """
    mean = float(np.average(values, weights=weights))
    sums = np.bincount(unit, weights * (values - mean))
    n = len(sums)
    return mean, float(np.sqrt((sums**2).sum() * n / max(1, n - 1)) / weights.sum())
