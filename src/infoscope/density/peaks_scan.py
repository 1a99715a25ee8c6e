"""Other looks at peaks: how many are left at each significance, and the decision graph."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from infoscope.base import Origin, Provenance, Result, kernel
from infoscope.base.contents import holds, integers, numbers
from infoscope.base.rounding import first_lowest, order_of
from infoscope.neighbors import nearest

from .topography import falling
from .unique_points import ranks_of

if TYPE_CHECKING:
    import pandas

    from .estimators import PointDensity


@dataclass(frozen=True, kw_only=True, eq=False)
class ClusterScan(Result):
    """How many clusters are left at each significance.

    Attributes
    ----------
    Z : array (S,)
        Significances, growing.
    n_clusters : array (S,) of int
        Clusters at each.
    Z_used : float
        The significance of the estimator.
    """

    Z: np.ndarray
    n_clusters: np.ndarray
    Z_used: float
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {"Z": numbers("S"), "n_clusters": integers("S")}

    _references = ("k_star",)

    @property
    def _title(self) -> str:
        return f"Clusters against significance (Z from {self.Z[0]:g} to {self.Z[-1]:g})"

    @property
    def _estimates(self) -> list[tuple[str, float, float]]:
        return []

    def _rows(self) -> list[dict[str, Any]]:
        return [dict(n_clusters=n, Z_from=a, Z_to=b) for n, a, b in self.stretches()]

    def stretches(self) -> list[tuple[int, float, float]]:
        """Clusters, and the first and last Z in a row that give so many."""
        cuts = np.flatnonzero(np.diff(self.n_clusters)) + 1
        first, last = np.append(0, cuts), np.append(cuts, len(self.Z)) - 1
        return [(int(self.n_clusters[a]), float(self.Z[a]), float(self.Z[b])) for a, b in zip(first, last, strict=True)]

    @property
    def verdict(self) -> str:
        """One sentence: which number of clusters does not hang on the choice of Z."""
        several = [one for one in self.stretches() if one[0] > 1]
        if not several:
            return f"One cluster at every Z from {self.Z[0]:g} on."
        n, a, b = several[first_lowest([a - b for _, a, b in several], self.Z[-1])]
        return (
            f"{n} clusters over the longest stretch, Z = {a:g} to {b:g}; {self.n_clusters[-1]} at Z = {self.Z[-1]:g}."
        )

    def to_frame(self) -> pandas.DataFrame:
        """One row a significance."""
        import pandas

        return pandas.DataFrame({"Z": self.Z, "n_clusters": self.n_clusters})


@dataclass(frozen=True, kw_only=True, eq=False)
class DecisionGraph(Result):
    """Log density of every item less its error, and the distance to the nearest item where that is higher.

    Attributes
    ----------
    lower_log_density : array (N,)
        Log density less its standard error: peaks must stand out of their own error.
    separation : array (N,)
        Distance to the nearest item that is denser by this measure; the highest of all has the distance of the item
        farthest from it.
    centers : array (C,) of int
        Items at the peaks that `DensityPeaks` found significant.
    origin : Origin or None
        File, row (or frame), time and name of every item, as far as they are known.
    """

    lower_log_density: np.ndarray = field(repr=False)
    separation: np.ndarray = field(repr=False)
    centers: np.ndarray
    origin: Origin | None = field(default=None, repr=False)
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {
        "lower_log_density": numbers("N"),
        "separation": numbers("N"),
        "centers": integers("C", below="separation"),
        "origin": holds(Origin, length="separation") | None,
    }

    _references = ("k_star",)

    @property
    def _title(self) -> str:
        return f"Decision graph (N = {len(self.separation)})"

    @property
    def _estimates(self) -> list[tuple[str, float, float]]:
        return []

    @property
    def verdict(self) -> str:
        """One sentence: whether the significant peaks are also those that stand apart."""
        n = len(self.centers)
        far = order_of(-np.asarray(self.separation))[:n]
        return (
            f"{len(np.intersect1d(far, self.centers))} of the {n} significant peaks are among the {n} items farthest "
            "from a denser one."
        )

    def to_frame(self) -> pandas.DataFrame:
        """One row an item."""
        import pandas

        where = {} if self.origin is None else self.origin.columns()
        return pandas.DataFrame({**where, "lower_log_density": self.lower_log_density, "separation": self.separation})


def separation(density: PointDensity) -> np.ndarray:
    """Distance from every point of a fitted density to the nearest one with a higher log density less its error.

    Points without a denser one in the neighbour table are asked one by one; from a graph, which holds no more, they get
    the distance of their last neighbour, or more if any other point's is larger.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.density import KNNDensity
    >>> from infoscope.density.peaks_scan import separation
    >>> found = KNNDensity(2, dimension=1).fit(np.array([[0.0], [1.0], [2.1], [3.5], [9.0]]))
    >>> separation(found).round(2)
    array([1. , 8. , 1.1, 1.4, 5.5])
    """
    table, value = density.sample_.table, density._values - density._errors
    place = np.empty(len(value), np.int64)
    order = falling(value, ranks_of(density.sample_))
    place[order] = np.arange(len(value))
    out = np.empty(len(value))
    _first_denser(table.items, table.distances, place, out)
    space = density.sample_.space
    for i in np.flatnonzero(np.isnan(out)):
        if place[i] == 0:
            continue
        if space is None:
            out[i] = table.distances[i, -1]
        else:
            out[i] = nearest(space, 1, queries=np.array([i]), columns=np.sort(order[: place[i]])).distances[0]
    top = order[0]
    others = np.delete(np.arange(len(value)), top)
    farthest = (
        table.distances[top, -1] if space is None else space.pair_distances(np.full(len(others), top), others).max()
    )
    out[top] = max(float(farthest), float(np.nanmax(out)))
    return out


@kernel()
def _first_denser(items, distances, place, out):
    """NaN where no neighbour is denser."""
    for i in range(len(out)):
        out[i] = np.nan
        for rank in range(items.shape[1]):
            if place[items[i, rank]] < place[i]:
                out[i] = distances[i, rank]
                break
