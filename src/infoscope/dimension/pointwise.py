"""The dimension around every item, from the distances of its k nearest neighbours, with its error.

Where the density is constant, (r_j / r_k)^d of the k - 1 nearer neighbours are k - 1 independent uniform numbers, so
d S = d sum_j log(r_k / r_j) has the law Gamma(k - 1).  Hence d = (k - 2) / S without bias, with the variance
d^2 / (k - 3); d^2 / (k - 2) has that mean, and is the square of the error.

Smoothing adds the sums S_c of items c near an item.  Their neighbourhoods share items, so a sum over M of them is not
worth M (k - 1) ratios.  What each term says, x_cl = 1 - d log(r_k / r_l) for neighbour l of item c, has mean zero.
Given where the items c are, their other neighbours fall independently of each other, so terms with different l are
uncorrelated, and those of one l are nearly the same number where the c are close.  The variance of the sum is that of
sum_l g_l with g_l = sum_c x_cl, which sum_l g_l^2 estimates; two pooled items that are neighbours of each other tell
one distance twice, which adds twice the product of these terms.  (sum w (k - 1))^2 over that variance is the number of
independent ratios a, and d = (a - 1)/a over their mean, with error d / sqrt(a - 1).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.stats import chi2

from infoscope.base import DataError, ParameterError, check_positive_int, kernel, provenance
from infoscope.base.array_types import Floats, Ints
from infoscope.neighbors import (
    NeighborGraph,
    Space,
    as_space,
    find_repeated_rows,
    graph_of,
    item_origin,
    looking_at_row_order,
    settle_window,
)
from infoscope.statistics import run_order

from .estimators import thinning, warn_of_constant_columns
from .neighbor_table import NeighborTable, independent_rows, neighbor_table
from .pointwise_results import PointwiseDimension

FEWEST = 3  # neighbours: with two, one ratio has no mean
FEWEST_INDEPENDENT = 5  # neighbourhoods that share no item, that can be compared


def pointwise_dimension(
    X: Any,
    *,
    k: int = 20,
    smoothing: int = 0,
    time: Any = None,
    run: Any = None,
    exclusion_window: float | str | None = None,
    n_jobs: int | None = None,
) -> PointwiseDimension:
    """The intrinsic dimension around every item, with its error.

    From the distances r_1 ... r_k of its neighbours: ``d = (k - 2) / sum_j log(r_k / r_j)``, the most likely value
    without its bias, with the error ``d / sqrt(k - 2)``.

    Parameters
    ----------
    X : array (N, D), frame, Space or NeighborGraph
        The items; a graph shares one neighbour search among several estimators.  Items of weight zero are no
        neighbours; other weights say how much an item counts in smoothing.
    k : int
        Neighbours of every item, 3 at least; more have smaller errors, and see more of how the density changes.
    smoothing : int
        So many nearest neighbours whose sums are pooled with that of the item.  The error knows that they share
        neighbours; it does not know whether their dimension is that of the item.
    time, run : array (N,), optional
        When and in which series an item was seen, if `X` is not a Space that knows.
    exclusion_window : float or "auto", optional
        Time that rows must be apart to be used together; 0 says that rows are in no order (models, poses).  Default:
        half a correlation time where times or runs are known.  Every row then has its neighbours among one row in so
        many, those of its own thinning.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    PointwiseDimension

    Raises
    ------
    DataError, ParameterError
        NaN, too few different items, numbers of neighbours that do not fit.

    References
    ----------
    Levina, Bickel, Advances in Neural Information Processing Systems 17 (2004), Eq. (8), and MacKay, Ghahramani (2005)
    on sums in place of averages.  The bias, the law and the error of pooled neighbourhoods are derived above.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope import pointwise_dimension
    >>> g = np.random.default_rng(0)
    >>> line, plane = np.c_[g.uniform(0, 9, 300), np.zeros(300)], g.uniform(20, 23, size=(300, 2))
    >>> found = pointwise_dimension(np.r_[line, plane], smoothing=20)
    >>> [round(float(np.median(part)), 1) for part in np.split(found.dimension, 2)]
    [1.0, 1.9]
    """
    check_positive_int(k, "k", FEWEST)
    check_positive_int(smoothing, "smoothing", 0)
    given = {name: values for name, values in (("time", time), ("run", run)) if values is not None}
    with looking_at_row_order(exclusion_window != 0, way_out="or `exclusion_window=0` to silence") as look:
        graph = graph_of(X)
        if graph is not None and given:
            raise ParameterError(f"{', '.join(given)} go with data, not with a neighbour graph")
        parts: list[tuple[Ints, _Local]]
        if graph is not None:
            space, parts, stride = graph.space, [(np.arange(len(graph)), _of_graph(graph, k, smoothing))], 1
        else:
            space = as_space(X, name="X") if not isinstance(X, Space) else X
            space = space.replace(**given) if given else space
            warn_of_constant_columns(space)
            space, window = settle_window(space, exclusion_window)
            stride = thinning(space, "auto", window, n_jobs=n_jobs)
            parts = [(rows, _of_space(space.take(rows), k, smoothing, n_jobs)) for rows in _parts(space, stride)]
        return look.add_to(_result(space, parts, k, smoothing, stride))


class _Local(NamedTuple):
    """Dimension, independent ratios and distance of every item of a part; the test that they are one."""

    dimension: Floats
    n_ratios: Floats
    distance: Floats
    p_value: float | None
    table: NeighborTable
    n_tied: int


# --------------------------------------------------------------------------------------------------------------- steps
def _parts(space: Space, stride: int) -> list[Ints]:
    """Rows of every thinning; all rows where none is needed."""
    if stride == 1:
        return [np.arange(len(space))]
    order = run_order(len(space), space.time, space.run).rows
    if len(order) // stride <= FEWEST:
        raise DataError(
            f"rows are taken as a trajectory and thinned to one in {stride}, which leaves {len(order) // stride} of "
            f"{len(order)}: too few. Rows that do not follow each other in time (models, docked poses) are used all "
            "with exclusion_window=0; a trajectory must be longer"
        )
    return [np.sort(order[first::stride]) for first in range(stride)]


def _of_graph(graph: NeighborGraph, k: int, smoothing: int) -> _Local:
    table = neighbor_table(graph, max(k, min(smoothing + 1, int(np.diff(graph.indptr).min()))))
    if not table.complete:
        raise ParameterError("a dimension at every item needs a graph with a row of every item")
    return _of_points(table, k, smoothing)


def _of_space(space: Space, k: int, smoothing: int, n_jobs: int | None) -> _Local:
    """Every item of the space: those that repeat another one have its numbers, those of weight zero none."""
    table = neighbor_table(space, max(k, min(smoothing + 1, len(space) - 1)), n_jobs=n_jobs)
    found = _of_points(table, k, smoothing)
    if table.n_items == len(space):
        return found
    point = np.full(len(space), -1)
    point[table.kept] = np.arange(table.n_items)
    repeated = find_repeated_rows(space) if table.n_duplicates else None
    if repeated is not None:
        group = repeated.group
        of_group = np.full(group.max() + 1, -1)
        of_group[group[table.kept]] = np.arange(table.n_items)
        point = of_group[group]
    here = point >= 0
    d, n_ratios, distance = (np.where(here, values[point], np.nan) for values in found[:3])
    return found._replace(dimension=d, n_ratios=n_ratios, distance=distance)


def _of_points(table: NeighborTable, k: int, smoothing: int) -> _Local:
    """Every different item of a table."""
    k = min(k, table.distances.shape[1])
    if k < FEWEST:
        raise DataError(f"{table.n_items} different items have {k} neighbours each, fewer than the {FEWEST} needed")
    log_r, weight = np.log(table.distances), table.shares
    total = np.sum(log_r[:, k - 1 : k] - log_r[:, : k - 1], axis=1)
    n_ratios = np.full(len(total), k - 1.0)
    mean = total / (k - 1)
    if smoothing:
        mean = np.empty(len(total))
        members = _members(table.distances, smoothing)
        _pool(log_r, table.items, k, members, weight, total, mean, n_ratios)
    with np.errstate(divide="ignore", invalid="ignore"):
        d = np.where(mean > 0, (n_ratios - 1) / n_ratios / mean, np.nan)
    n_tied = int(np.sum(~(mean > 0)))
    return _Local(d, n_ratios, table.distances[:, k - 1], _one_dimension(table, k, total), table, n_tied)


def _members(distances: Floats, smoothing: int) -> Ints:
    """Neighbours to pool: of a group of ties that goes on beyond the last none, for which of them is arbitrary."""
    width = distances.shape[1]
    if smoothing >= width:
        return np.full(len(distances), width)
    return np.sum(distances[:, :smoothing] < distances[:, smoothing : smoothing + 1], axis=1)


def _one_dimension(table: NeighborTable, k: int, total: Floats) -> float | None:
    """Bartlett's test, over neighbourhoods that share no item, that all sums are of one Gamma law: 2 d S is chi-square
    with 2 (k - 1) degrees of freedom, as a sum of squares is of which the variance is asked."""
    sums = total[independent_rows(table, k)]
    sums = sums[sums > 0]
    m, degrees = len(sums), 2 * (k - 1)
    if m < FEWEST_INDEPENDENT:
        return None
    statistic = m * degrees * (np.log(sums.mean()) - np.log(sums).mean())
    correction = 1 + (m + 1) / (3 * m * degrees)
    return float(chi2.sf(statistic / correction, m - 1))


def _result(
    space: Space | None, parts: list[tuple[Ints, _Local]], k: int, smoothing: int, stride: int
) -> PointwiseDimension:
    n, (_, first) = sum(len(rows) for rows, _ in parts), parts[0]
    values = np.full((3, n), np.nan)
    for rows, found in parts:
        values[:, rows] = found[:3]
    d, n_ratios, distance = values
    used = min(k, first.table.distances.shape[1])
    notes = list(first.table.notes)
    if tied := sum(found.n_tied for _, found in parts):
        notes.append(
            f"{tied} items have all their {used} neighbours at one distance, and no dimension (on a lattice use "
            "LatticeID)"
        )
    if stride > 1:
        notes.append(
            f"rows are correlated: the neighbours of each are among one row in {stride}, those of its own thinning; "
            "rows near in time have errors in common"
        )
    coordinates = None
    if space is not None and space.backend == "numpy" and space.metric != "precomputed":
        coordinates = space.features
    hashed = first.table.input_parts if space is None else (space.hashed, space.sample_weight, space.time, space.run)
    return PointwiseDimension(
        dimension=d,
        dimension_se=d / np.sqrt(n_ratios - 1),
        n_ratios=n_ratios,
        distance=distance,
        k=used,
        smoothing=min(smoothing, first.table.distances.shape[1]),
        n_items=n,
        n_duplicates=sum(found.table.n_duplicates for _, found in parts),
        thinned=stride,
        p_value=first.p_value,
        coordinates=coordinates,
        feature_names=None if space is None else space.feature_names,
        origin=item_origin(space),
        notes=tuple(notes),
        provenance=provenance("pointwise_dimension", dict(k=k, smoothing=smoothing), None, *hashed),
    )


@kernel()
def _pool(log_r, items, k, members, weight, total, mean, n_ratios):
    """Mean of the ratios of an item and its first neighbours, and how many independent ones it is worth."""
    n = log_r.shape[0]
    place = np.zeros(n, np.int64)  # of the pooled items, 1 + their rank
    said = np.zeros(n)  # g_l of every neighbour l of a pooled item
    touched = np.empty((items.shape[1] + 1) * (k - 1), np.int64)
    for i in range(n):
        count, ratios, sums, squares = members[i] + 1, 0.0, 0.0, 0.0
        for m in range(count):
            c = i if m == 0 else items[i, m - 1]
            place[c] = m + 1
            ratios += weight[c] * (k - 1)
            squares += weight[c] ** 2 * (k - 1)
            sums += weight[c] * total[c]
        mean[i] = sums / ratios
        d = ratios / sums
        variance, n_touched = 0.0, 0
        for m in range(count):
            c = i if m == 0 else items[i, m - 1]
            for j in range(k - 1):
                one = items[c, j]
                x = weight[c] * (1 - d * (log_r[c, k - 1] - log_r[c, j]))
                said[one] += x
                touched[n_touched] = one
                n_touched += 1
                if place[one] > m + 1:  # a pair of pooled items, once
                    for back in range(k - 1):
                        if items[one, back] == c:
                            variance += 2 * x * weight[one] * (1 - d * (log_r[one, k - 1] - log_r[one, back]))
        for t in range(n_touched):
            variance += said[touched[t]] ** 2
            said[touched[t]] = 0.0
        for m in range(count):
            place[i if m == 0 else items[i, m - 1]] = 0
        # never worth less than one neighbourhood, nor more than as many that share nothing
        most = ratios**2 / squares
        n_ratios[i] = k - 1 if not sums > 0 else min(max(ratios**2 / max(variance, 1e-300), k - 1), most)
