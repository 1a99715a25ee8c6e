"""I3D: the dimension of data on a lattice, from the numbers of items in two diamonds around each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from infoscope.base import DataError, ParameterError, provenance
from infoscope.base.array_types import Floats, Ints
from infoscope.base.checks import check_positive_int
from infoscope.base.contents import holds, numbers
from infoscope.neighbors import NeighborGraph, Space, count_within

from .estimators import DimensionEstimator
from .results import DimensionScan

FEWEST_ITEMS = 8
FEWEST_PAIRS = 10  # within the inner radius, that the ratio of the counts has a law
MOST_COUNTED = 0.25  # of the items, in the outer ball: farther ones see the end of the data
LARGEST = 100.0  # dimension that is looked for


class LatticeID(DimensionEstimator):
    """Intrinsic dimension of integers (counts, spins, sites), by scale: radii (1, 2), (2, 4), (4, 8), ...

    Items are counted within two radii of the L1 distance around each.  Where the density is constant their mean numbers
    are in the ratio V(t1, d)/V(t2, d) of the numbers of lattice sites within these radii; d is where it is.  Items that
    are there twice count: on a lattice they must be.

    Parameters
    ----------
    max_radius : int, optional
        The largest outer radius; by default as far as a quarter of the items are counted, and no ball meets itself
        around a period.
    thin, n_jobs
        As for `TwoNN`.

    Attributes
    ----------
    result_ : DimensionScan
        Estimates, errors and their covariance at every scale; `ranks` are the two radii, `distance` the outer one.
    dimension_, dimension_se_ : array
        The same in short.

    References
    ----------
    Macocco, Glielmo, Grilli, Laio, Physical Review Letters 130, 067401 (2023), the estimator of two balls.  The number
    of sites is made by a recurrence in the radius, the error from pairs that share an item (`_covariance`).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope import Space
    >>> from infoscope.dimension import LatticeID
    >>> sites = np.random.default_rng(0).integers(0, 14, size=(2000, 3))
    >>> found = LatticeID(max_radius=4).fit(Space(sites, period=14))  # uniform, without an edge
    >>> found.dimension_.round(1)
    array([3.1, 3. ])
    """

    _contents = {
        "result_": holds(DimensionScan),
        "dimension_": numbers("result_.ranks"),
        "dimension_se_": numbers("result_.ranks"),
    }

    def __init__(self, max_radius=None, *, thin="auto", n_jobs=None):
        self.max_radius = max_radius
        self.thin = thin
        self.n_jobs = n_jobs

    def _estimate(self, data, notes) -> DimensionScan:
        space = _lattice_of(data)
        if len(space) < FEWEST_ITEMS:
            raise DataError(f"{len(space)} items are too few for a dimension: {FEWEST_ITEMS} at least")
        radii = 2 ** np.arange(int(np.log2(self._largest_radius(space))) + 1)
        within = _counts_within(space, radii, self.n_jobs)
        last = self._last_scale(within, len(space))
        radii, within = radii[: last + 1], within[:, : last + 1]
        total = within.sum(0)
        if total[0] < FEWEST_PAIRS:  # too few inner neighbours: the smaller radii go
            first = int(np.argmax(total >= FEWEST_PAIRS))
            notes = (*notes, f"radii below {radii[first]} were left out: hardly any items are that near")
            radii, within, total = radii[first:], within[:, first:], total[first:]
        if len(radii) < 2 or total[0] < FEWEST_PAIRS:
            raise DataError(
                f"only {int(total[0])} pairs of items lie within distance {int(radii[0])} of each other: too few for "
                "a dimension on the lattice; bring more items, or coarser ones (divide and round them)"
            )
        share = total[:-1] / total[1:]
        pairs = list(zip(radii[:-1].tolist(), radii[1:].tolist(), strict=True))
        d = np.array([_dimension_at(p, *pair) for p, pair in zip(share, pairs, strict=True)])
        slope = np.array([_slope(*pair, one) for pair, one in zip(pairs, d.tolist(), strict=True)])
        covariance = _covariance(within, share, slope)
        return DimensionScan(
            ranks=np.array(pairs),
            dimension=d,
            dimension_se=np.where(share < 1, np.sqrt(np.diag(covariance)), np.nan),  # nobody between the radii
            covariance=covariance,
            distance=radii[1:].astype(float),
            p_values=np.full(len(d), np.nan),
            method="I3D",
            n_items=len(space),
            n_rows=len(space),
            notes=notes,
            provenance=provenance("LatticeID", dict(max_radius=self.max_radius, thin=self.thin), None, space.hashed),
        )

    def _largest_radius(self, space: Space) -> int:
        """A ball of radius t has 2 t + 1 sites along an axis, and must not meet itself around a period."""
        periods = space.period[space.period > 0]
        room = int((periods.min() - 1) // 2) if len(periods) else int(np.ptp(space.features, axis=0).sum())
        if self.max_radius is not None:
            largest = check_positive_int(self.max_radius, "max_radius", 2)
            if len(periods) and largest > room:
                raise ParameterError(
                    f"max_radius={largest}: a ball meets itself around the period {periods.min():g}; at most {room}"
                )
            return largest
        if room < 2:
            raise DataError("the lattice has no room for a ball of radius 2: these data are too coarse for a dimension")
        return room

    def _last_scale(self, within: Ints, n: int) -> int:
        if self.max_radius is not None:
            return within.shape[1] - 1
        near = np.flatnonzero(within.mean(0) <= MOST_COUNTED * (n - 1))
        return max(1, int(near[-1])) if len(near) else 1

    def _averaged(self, found, stride, note) -> DimensionScan:
        shared = set.intersection(*({tuple(pair) for pair in one.ranks.tolist()} for one in found))
        kept = [[s for s, pair in enumerate(one.ranks.tolist()) if tuple(pair) in shared] for one in found]
        if not shared:
            raise DataError("the thinnings of these rows have no two radii in common: a trajectory must be longer")
        covariance = np.mean(
            [one.covariance[np.ix_(some, some)] for one, some in zip(found, kept, strict=True)], axis=0
        )
        first, some = found[0], kept[0]
        return replace(
            first,
            dimension=np.mean([one.dimension[some] for one, some in zip(found, kept, strict=True)], axis=0),
            dimension_se=np.sqrt(np.diag(covariance)),
            covariance=covariance,
            ranks=first.ranks[some],
            distance=first.distance[some],
            p_values=first.p_values[some],
            thinned=stride,
            notes=(*first.notes, note),
        )


def lattice_sites(radius: int, d: float) -> tuple[float, float]:
    """Sites of Z^d within an L1 radius, and how fast their number grows with d, for real d.

    The numbers V(t) have the generating function (1 + x)^d / (1 - x)^(d + 1), whose logarithmic derivative gives
    (t + 1) V(t + 1) = (2 d + 1) V(t) + t V(t - 1): all terms are positive, so no digit is lost.

    Examples
    --------
    >>> from infoscope.dimension.lattice import lattice_sites
    >>> lattice_sites(1, 3.0)  # a site and its six neighbours
    (7.0, 2.0)
    """
    before, here, slope_before, slope = 0.0, 1.0, 0.0, 0.0
    for t in range(radius):
        after = ((2 * d + 1) * here + t * before) / (t + 1)
        slope_after = (2 * here + (2 * d + 1) * slope + t * slope_before) / (t + 1)
        before, here, slope_before, slope = here, after, slope, slope_after
    return here, slope


# --------------------------------------------------------------------------------------------------------------- steps
def _lattice_of(data: Space | NeighborGraph) -> Space:
    """The items with the L1 distance, if they are whole numbers."""
    if isinstance(data, NeighborGraph):
        raise ParameterError(
            "LatticeID counts items within radii, which a graph of neighbours does not know: give data"
        )
    if data.backend != "numpy" or data.metric not in ("euclidean", "manhattan"):
        raise ParameterError(f"LatticeID counts in the L1 distance of numbers in memory, not of {data!r}")
    if data.sample_weight is not None:
        raise ParameterError("LatticeID counts items, and does not know what weights are to mean: give data without")
    if (data.feature_weights != 1).any():
        raise ParameterError("feature weights would take the data off the lattice: leave them out")
    off = np.argwhere(data.features != np.rint(data.features))
    if len(off):
        row, column = off[0]
        raise DataError(
            f"row {row} has {data.features[row, column]:g} in {data.column_name(column)}: the sites of a lattice are "
            "whole numbers; divide by the step and round, or use TwoNN, Gride or ABIDE"
        )
    known: dict[str, Any] = dict(
        period=data.period, time=data.time, run=data.run, ids=data.ids, name=data.name, period_check=False
    )
    return Space(data.features, metric="manhattan", feature_names=data.feature_names, **known)


def _counts_within(space: Space, radii: Ints, n_jobs: int | None) -> Ints:
    """(N, S): other items within each radius of every item; the tie of an integer distance is its equality."""
    n, s = len(space), len(radii)
    squared = np.tile(radii.astype(float) ** 2, n)
    closer, tied = count_within(space, np.arange(n + 1) * s, squared, n_jobs=n_jobs)
    return (closer + tied).reshape(n, s)


def _dimension_at(share: float, inner: int, outer: int) -> float:
    """Where V(inner, d)/V(outer, d), which falls with d, is `share`."""
    from scipy.optimize import brentq

    def beyond(d: float) -> float:
        return np.log(lattice_sites(inner, d)[0] / lattice_sites(outer, d)[0]) - np.log(share)

    if beyond(0.0) <= 0:
        return 0.0
    if beyond(LARGEST) >= 0:
        raise DataError(
            f"the dimension at radii {inner} and {outer} is beyond {LARGEST:g}: hardly any item is near another"
        )
    return float(brentq(beyond, 0.0, LARGEST, xtol=1e-12))


def _slope(inner: int, outer: int, d: float) -> float:
    """dp/dd of p = V(inner, d)/V(outer, d)."""
    (v, dv), (w, dw) = lattice_sites(inner, d), lattice_sites(outer, d)
    return (dv * w - v * dw) / w**2


def _covariance(within: Ints, share: Floats, slope: Floats) -> Floats:
    """Of the dimensions at all scales, from pairs that share an item.

    p is a ratio of sums over pairs; u = [d <= inner] - p [d <= outer] has the sum zero.  With h_i the sum of u over the
    pairs of item i, the sum over ordered pairs has the variance 4 sum_i h_i^2 - 2 sum_pairs u^2 (a U-statistic of
    second order, both of its parts): published errors count every pair twice, as if both were new.  Never below that
    of independent pairs, 2 sum u^2.
    """
    counts, total = within.astype(float), within.sum(0).astype(float)
    inner, outer = np.arange(len(share)), np.arange(1, len(share) + 1)
    h = counts[:, inner] - share * counts[:, outer]
    products = (
        total[np.minimum.outer(inner, inner)]
        - share[None, :] * total[np.minimum.outer(inner, outer)]
        - share[:, None] * total[np.minimum.outer(outer, inner)]
        + np.outer(share, share) * total[np.minimum.outer(outer, outer)]
    )
    variance = 4 * h.T @ h - 2 * products
    found, floor = np.diag(variance), 2 * np.diag(products)
    variance[found < floor] = variance[:, found < floor] = 0.0  # nothing is known of what these have in common
    np.fill_diagonal(variance, np.maximum(found, floor))
    per_share = total[outer] * slope
    return variance / np.outer(per_share, per_share)
