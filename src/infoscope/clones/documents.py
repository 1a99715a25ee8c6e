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


def unit_means(
    values: np.ndarray, unit: np.ndarray | None, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Means of columns over sequences, and the covariance of these means (ratios of sums over units).

    Parameters
    ----------
    values : array (n, K)
        One row a sequence.
    unit : array (n,) of int or None
        As `error_units` gives it.
    weights : array (n,), optional
        Of sequences, such as how many tokens each has; all alike by default.

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
    mass = np.ones(len(values)) if weights is None else np.asarray(weights, float)
    means = np.average(values, axis=0, weights=weights)
    away = mass[:, None] * (values - means)
    if unit is not None:
        sums = np.zeros((int(unit.max()) + 1, values.shape[1]))
        np.add.at(sums, unit, away)
        away = sums
    n = len(away)
    return means, away.T @ away * (n / max(n - 1, 1)) / mass.sum() ** 2


def mean_and_error(values: np.ndarray, weights: np.ndarray, unit: np.ndarray) -> tuple[float, float]:
    """`unit_means` of one column: a weighted mean, and its standard error.

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
    means, covariance = unit_means(values[:, None], unit, weights)
    return float(means[0]), float(np.sqrt(covariance[0, 0]))
