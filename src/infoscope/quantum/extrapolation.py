"""Whether couplings that are asked for lie among those that a state was trained on."""

from __future__ import annotations

from typing import Any

import numpy as np

HULL_COUPLINGS = 6  # with more of them no sample of couplings fills a hull: their ranges are looked at
ENDS = 5  # times 1 / n of the range: draws of the same law lie inside, but for one set in 75
EDGE = 1e-9  # of the range: what lies on the edge is inside


def outside_training(trained: np.ndarray | None, couplings: np.ndarray, *, per_site: bool = False) -> np.ndarray:
    """Which systems lie outside what a state was trained on: outside the convex hull of its couplings.

    Parameters
    ----------
    trained : array (R, m) or None
        None: the state is as good everywhere.
    couplings : array (Q, m)
        Rows that are asked for.
    per_site : bool
        Whether the couplings are one quantity at every site: then it is the range over all sites that counts, because
        no sample of many fields fills its hull.

    Returns
    -------
    array of bool (Q,)

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.quantum import outside_training
    >>> trained = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    >>> outside_training(trained, np.array([[0.2, 0.2], [0.8, 0.8], [1.0, 0.0]])).tolist()
    [False, True, False]
    """
    if trained is None:
        return np.zeros(len(couplings), bool)
    trained = np.asarray(trained, np.float64)
    if per_site:
        trained, columns = trained.reshape(-1, 1), couplings.reshape(len(couplings), -1)
        # n draws leave a share of about 1 / n open at either end of the law they are from
        low, high = float(trained.min()), float(trained.max())
        reach = ENDS / len(trained) * (high - low)
        low, high = low - reach, high + reach
        return _beyond(columns, np.full(columns.shape[1], low), np.full(columns.shape[1], high))
    box = _beyond(couplings, trained.min(axis=0), trained.max(axis=0))
    if trained.shape[1] == 1 or trained.shape[1] > HULL_COUPLINGS:
        return box
    return np.array([out or not _in_hull(trained, one) for out, one in zip(box, couplings, strict=True)])


def say_outside(outside: np.ndarray, family: Any, couplings: np.ndarray) -> list[str]:
    """The warning for systems beyond the trained ones: none, or one."""
    if not outside.any():
        return []
    first = couplings[np.argmax(outside)]
    where = ", ".join(f"{name} = {v:.4g}" for name, v in zip(family.coupling_names[:3], first, strict=False))
    more = ", ..." if len(first) > 3 else ""
    return [
        f"{int(outside.sum())} of {len(outside)} systems lie outside the trained couplings (the first at "
        f"{where}{more}): the network was never asked there, and no error bar knows it; train around them"
    ]


def _beyond(values: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    slack = EDGE * np.maximum(high - low, 1e-300)
    return ((values < low - slack) | (values > high + slack)).any(axis=1)


def _in_hull(points: np.ndarray, one: np.ndarray) -> bool:
    """Whether weights exist that make the point: a linear programme, with the distance as its value."""
    from scipy.optimize import linprog

    span = np.ptp(points, axis=0)
    used = span > 0
    scaled, target = (points[:, used] - one[used]) / span[used], np.zeros(int(used.sum()))
    n, m = scaled.shape
    # minimise the sum of what is missed
    found = linprog(
        np.r_[np.zeros(n), np.ones(2 * m)],
        A_eq=np.block([[scaled.T, np.eye(m), -np.eye(m)], [np.ones((1, n)), np.zeros((1, 2 * m))]]),
        b_eq=np.r_[target, 1.0],
        method="highs",
    )
    return bool(found.status == 0 and found.fun <= EDGE)
