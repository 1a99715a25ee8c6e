"""What each column is worth beside the others of a fit: the cross-fitted rise without it, near-copies together.

A weight says in which proportion columns make neighbours, not whether they are needed: where one column decides alone,
the weights of others change nothing and stay where the fit began.
"""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np

from infoscope.imbalance.plan import ComparisonPlan
from infoscope.neighbors import Space, to_numpy

from .rise import dii_rise

ALIKE = 0.95  # correlation from which two columns are near-copies: without one the other would stand in


class ColumnRises(NamedTuple):
    """By how much the imbalance rises without each column; near-copies and the columns of a group go together.

    Attributes
    ----------
    rise, rise_se, rise_p : array (D,)
        Rise on rows that did not choose the weights, its standard error, and the p-value of "it does not rise",
        adjusted for the number of columns (Benjamini and Hochberg); 0, 0 and 1 for constant columns.
    copies : tuple of tuple of int
        Columns that were left out together because they are near-copies.
    """

    rise: np.ndarray
    rise_se: np.ndarray
    rise_p: np.ndarray
    copies: tuple[tuple[int, ...], ...]


def column_rises(plan: ComparisonPlan, *, groups: Any, k: int, lambda_factor: float, **options: Any) -> ColumnRises:
    """Test every column of a plan.

    Parameters
    ----------
    plan : ComparisonPlan
        Data and target; rows of equal weight.
    groups : sequence or None
        Labels of columns that share a weight, if the fit knew any.
    k, lambda_factor
        Of the bandwidth "point".
    **options
        `max_table_bytes` and `n_jobs` of `dii_rise`.

    Raises
    ------
    DataError
        As `dii_rise`: fewer than forty rows, a window too wide for two halves.
    """
    space, goal = plan.spaces
    labels = near_copies(space) if groups is None else np.unique(np.asarray(groups).astype(str), return_inverse=True)[1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the fit has said it
        found = dii_rise(space, goal, groups=labels, k=k, lambda_factor=lambda_factor,
                         exclusion_window=plan.exclusion_window, random_state=0, **options)  # fmt: skip
    place = {name: at for at, name in enumerate(found.names)}
    at = np.array([place.get(str(label), -1) for label in labels])
    known = at >= 0
    rise, rise_se, rise_p = (np.where(known, values[at], empty) for values, empty in
                             ((found.rise, 0.0), (found.rise_se, 0.0), (found.p_adjusted, 1.0)))  # fmt: skip
    several = [tuple(np.flatnonzero(labels == label).tolist()) for label in np.unique(labels)]
    copies = tuple(one for one in several if len(one) > 1) if groups is None else ()
    return ColumnRises(rise, rise_se, rise_p, copies)


def near_copies(space: Space) -> np.ndarray:
    """One label a column; the same for columns that correlate by 0.95 or more, directly or through others.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.imbalance.dii.column_rises import near_copies
    >>> from infoscope.neighbors import Space
    >>> x = np.random.default_rng(0).normal(size=(100, 3))
    >>> near_copies(Space(np.c_[x, -x[:, 1] + 0.01 * x[:, 2]])).tolist()
    [0, 1, 2, 1]
    """
    values = np.asarray(to_numpy(space.features), np.float64)
    d = values.shape[1]
    plain = np.flatnonzero((space.period == 0) & (np.ptp(values, axis=0) > 0))
    if len(plain) < 2:
        return np.arange(d)
    near = np.abs(np.corrcoef(values[:, plain], rowvar=False)) >= ALIKE
    from scipy.sparse.csgraph import connected_components

    whole = np.eye(d, dtype=bool)
    whole[np.ix_(plain, plain)] |= near
    return connected_components(whole, directed=False)[1]
