"""What a basin is: between edges of a variable, what a function says, or what lies nearest to where chains began."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from infoscope.base import DataError, ParameterError
from infoscope.base.contents import numbers

from .variables import short_way

CORE = 0.7  # of the distance to the second nearest centre: farther out a state is between basins
NEAR = 0.1  # share of the pairs of a chain's states that are nearer than what joins two chains
LONGEST_LIST = 20  # of basins that a function may name


@dataclass(frozen=True, eq=False)
class EdgeBasins:
    """Intervals of one variable; arcs of a periodic one, of which the first begins at the first edge.

    Attributes
    ----------
    variable : int
        Which one.
    edges : ndarray, shape (E,)
        In rising order: E + 1 basins, or E arcs.
    period : float
        0 for none.
    """

    variable: int
    edges: np.ndarray
    period: float

    _contents = {"edges": numbers("E")}

    @property
    def n_basins(self) -> int:
        """How many."""
        return len(self.edges) + (0 if self.period else 1)

    def labels(self, z: np.ndarray) -> np.ndarray:
        """Basin of every row of z (n, m)."""
        values = z[:, self.variable]
        if self.period:
            values = self.edges[0] + np.mod(values - self.edges[0], self.period)
        found = np.searchsorted(self.edges, values, side="right")
        return np.asarray(found - 1 if self.period else found)

    def cores(self, z: np.ndarray) -> np.ndarray:
        """The same: an edge has no width."""
        return self.labels(z)


@dataclass(frozen=True, eq=False)
class CentreBasins:
    """The basin of the nearest centre, in units of `scale`; periodic variables by the short way.

    Attributes
    ----------
    centres : ndarray, shape (B, m)
    scale, period : ndarray, shape (m,)
    """

    centres: np.ndarray
    scale: np.ndarray
    period: np.ndarray

    _contents = {"centres": numbers("B", "M"), "scale": numbers("M"), "period": numbers("M")}

    @property
    def n_basins(self) -> int:
        """How many."""
        return len(self.centres)

    def labels(self, z: np.ndarray) -> np.ndarray:
        """Basin of every row of z (n, m)."""
        return np.asarray(self._distances(z).argmin(1))

    def cores(self, z: np.ndarray) -> np.ndarray:
        """The same, and -1 for a row that lies between two basins."""
        if len(self.centres) == 1:
            return np.zeros(len(z), np.int64)
        distances = self._distances(z)
        near = np.partition(distances, 1, axis=1)
        return np.where(near[:, 0] <= CORE * near[:, 1], distances.argmin(1), -1)

    def _distances(self, z: np.ndarray) -> np.ndarray:
        away = short_way(z[:, None, :] - self.centres, self.period) / self.scale
        return np.sqrt((away**2).sum(-1))


class FunctionBasins:
    """What a function of the variables (n, m) says: n whole numbers from 0."""

    def __init__(self, function: Callable[[np.ndarray], Any], n_basins: int) -> None:
        self.function, self.n_basins = function, n_basins

    def labels(self, z: np.ndarray) -> np.ndarray:
        """Basin of every row of z (n, m)."""
        found = np.asarray(self.function(z))
        if found.shape != (len(z),) or found.dtype.kind not in "iub":
            raise DataError(
                f"the function of basins returns {found.dtype} of shape {found.shape} for {len(z)} states: one whole "
                "number each is needed"
            )
        if len(found) and not 0 <= found.min() <= found.max() < LONGEST_LIST:
            raise DataError(
                f"the function of basins returns {found.min()} to {found.max()}: number basins from 0 to "
                f"{LONGEST_LIST - 1}"
            )
        return found.astype(np.int64)

    def cores(self, z: np.ndarray) -> np.ndarray:
        """The same: a function knows no width."""
        return self.labels(z)


def settle_basins(basins: Any, names: tuple[str, ...], period: np.ndarray, starts: np.ndarray) -> Any:
    """Basins that a user gave; None for "auto".

    Parameters
    ----------
    basins : "auto", sequence of float, mapping or function
        Edges of the only variable, edges by the name or number of one variable, or a function of the variables.
    names : tuple of str
    period : ndarray, shape (m,)
    starts : ndarray, shape (n_chains, m)
        Variables at the starts, which a function is tried on.

    Raises
    ------
    ParameterError
        Edges that do not rise, a variable that is unknown.
    """
    if isinstance(basins, str) and basins == "auto":
        return None
    if callable(basins):
        tried = FunctionBasins(basins, LONGEST_LIST)
        return FunctionBasins(basins, int(tried.labels(starts).max()) + 1)
    if isinstance(basins, Mapping):
        if len(basins) != 1:
            raise ParameterError(f"basins names {len(basins)} variables: give edges of one, or a function of all")
        ((name, edges),) = basins.items()
    elif len(names) == 1:
        name, edges = 0, basins
    else:
        raise ParameterError(
            f"basins is {basins!r}: of {len(names)} variables, say which one has the edges: {{{names[0]!r}: [...]}}"
        )
    at = name if isinstance(name, int) else names.index(name) if name in names else -1
    if not 0 <= at < len(names):
        raise ParameterError(f"basins names the variable {name!r}: there are {', '.join(names)}")
    rising = as_numbers(edges)
    wrong = rising.ndim != 1 or not np.isfinite(rising).all() or (np.diff(rising) <= 0).any()
    if wrong or len(rising) < (2 if period[at] else 1):
        raise ParameterError(f"edges of {names[at]} are {edges!r}: give rising numbers, at least two where periodic")
    if period[at] and rising[-1] - rising[0] >= period[at]:
        raise ParameterError(f"edges of {names[at]} span {rising[-1] - rising[0]:g}, its whole period")
    return EdgeBasins(at, rising, float(period[at]))


def as_numbers(given: Any) -> np.ndarray:
    """Numbers of any shape; NaN for what is none, so that the check that follows refuses it in its own words."""
    try:
        return np.asarray(given, np.float64)
    except (TypeError, ValueError):
        return np.array(np.nan)


def find_basins(trace: np.ndarray, period: np.ndarray) -> CentreBasins:
    """Basins from where local moves stay: chains are joined whose traces meet.

    Two chains are in one basin if some state of one lies nearer to one of the other than nine in ten pairs of states
    of either chain lie from each other.  Every basin has a centre, the mean of its chains; numbers go by the first
    variable.

    Parameters
    ----------
    trace : ndarray, shape (n_draws, n_chains, m)
        Variables while only local moves were made.
    period : ndarray, shape (m,)

    Returns
    -------
    CentreBasins
    """
    n_chains, m = trace.shape[1:]
    scale = _spread(trace, period)
    apart, own = np.full((n_chains, n_chains), np.inf), np.zeros(n_chains)
    for i in range(n_chains):
        for j in range(i, n_chains):
            way = short_way(trace[:, i, None, :] - trace[None, :, j], period) / scale
            distance = np.sqrt((way**2).sum(-1))
            if i == j:
                own[i] = np.quantile(distance[np.triu_indices(len(distance), 1)], NEAR)
            else:
                apart[i, j] = apart[j, i] = distance.min()
    groups = _joined(apart <= np.maximum(own[:, None], own[None, :]))
    centres = np.array([_centre(trace[:, groups == g].reshape(-1, m), period) for g in range(groups.max() + 1)])
    order = np.lexsort(centres.T[::-1])
    return CentreBasins(centres[order], scale, period.copy())


# --------------------------------------------------------------------------------------------------------------- steps
def _spread(trace: np.ndarray, period: np.ndarray) -> np.ndarray:
    """Root mean square of the variables about the mean of their own chain, (m,)."""
    n_chains, m = trace.shape[1:]
    means = np.array([_centre(trace[:, i], period) for i in range(n_chains)])
    away = short_way(trace - means, period)
    scale = np.sqrt((away**2).mean((0, 1)))
    return np.where(scale > 0, scale, 1.0)


def _centre(z: np.ndarray, period: np.ndarray) -> np.ndarray:
    """Mean, of angles the direction of the mean."""
    plain = z.mean(0)
    if not (period > 0).any():
        return np.asarray(plain)
    a = 2 * np.pi / np.where(period > 0, period, 1.0)
    angle = np.arctan2(np.sin(a * z).mean(0), np.cos(a * z).mean(0)) / a
    return np.where(period > 0, angle, plain)


def _joined(linked: np.ndarray) -> np.ndarray:
    """Number of the connected group of every row."""
    from scipy.sparse.csgraph import connected_components

    groups = connected_components(linked, directed=False)[1]
    return np.asarray(groups)
