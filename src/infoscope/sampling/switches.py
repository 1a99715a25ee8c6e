"""How often chains go from one basin to another, and what a switch costs."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from infoscope.base import DataError, ParameterError

LEVEL = 0.95


class SwitchCost(NamedTuple):
    """Evaluations of the gradient a switch, what `cost_of_switch` returns.

    Attributes
    ----------
    value, value_se : float
        Infinite, and NaN, where no switch was seen.
    low, high : float
        95 % interval; without a switch the low end is what the cost exceeds with 95 % confidence.
    n_switches : int
        What was counted.
    """

    value: float
    value_se: float
    low: float
    high: float
    n_switches: int


def count_switches(z: Any, low: float, high: float) -> Any:
    """How often a trace goes from below `low` to above `high`, or back; what lies between counts as on the way.

    Parameters
    ----------
    z : array_like, shape (n_draws,) or (n_chains, n_draws)
        One variable in the order of time.
    low, high : float
        Where the one basin ends and the other begins.

    Returns
    -------
    int or ndarray of int, shape (n_chains,)
        The last, unfinished stay counts as the others do: a switch is counted when the other basin is reached.

    Raises
    ------
    ParameterError
        If `low` exceeds `high`.
    DataError
        Values that are no numbers, or of another shape.

    Examples
    --------
    >>> from infoscope.sampling import count_switches
    >>> count_switches([0, 5, 0, 9, 5, 0.5, 10], low=1, high=9)
    3
    """
    if not low <= high:
        raise ParameterError(f"low is {low} and high is {high}: low must not exceed high")
    trace = np.asarray(z, np.float64)
    if trace.ndim not in (1, 2) or np.isnan(trace).any():
        raise DataError(f"z has shape {trace.shape}: numbers of shape (n_draws,) or (n_chains, n_draws) are needed")
    labels = np.where(trace <= low, 0, np.where(trace >= high, 1, -1))
    found = switches_between(np.atleast_2d(labels))
    return int(found[0]) if trace.ndim == 1 else found


def switches_between(labels: np.ndarray) -> np.ndarray:
    """Changes of basin in every row of labels (n_chains, n_draws), where -1 is none of them: (n_chains,).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.sampling.switches import switches_between
    >>> switches_between(np.array([[0, -1, 0, 2, 2], [-1, 1, -1, 0, 1]]))
    array([1, 2])
    """
    counts = []
    for row in labels:
        inside = row[row >= 0]
        counts.append(int((inside[1:] != inside[:-1]).sum()))
    return np.array(counts, dtype=np.int64)


def cost_of_switch(n_gradients: float, n_switches: int) -> SwitchCost:
    """Gradients a switch with its error: switches are rare events, and their number follows Poisson's law.

    Parameters
    ----------
    n_gradients : float
        Evaluations of all chains together.
    n_switches : int
        Switches of all chains together.

    Returns
    -------
    SwitchCost

    Examples
    --------
    >>> from infoscope.sampling.switches import cost_of_switch
    >>> cost_of_switch(10_000, 100).value_se
    10.0
    >>> none = cost_of_switch(100_000, 0)
    >>> none.value, round(none.low)  # 100 000 / -ln(0.05): three switches would have been seen
    (inf, 33381)
    """
    from scipy.special import gammaincinv

    if n_switches == 0:
        return SwitchCost(math.inf, math.nan, n_gradients / -math.log(1 - LEVEL), math.inf, 0)
    value, tail = n_gradients / n_switches, (1 - LEVEL) / 2  # exact limits of a Poisson mean: Garwood (1936)
    fewest, most = gammaincinv(n_switches, tail), gammaincinv(n_switches + 1, 1 - tail)
    return SwitchCost(
        value, value / math.sqrt(n_switches), n_gradients / float(most), n_gradients / float(fewest), int(n_switches)
    )
