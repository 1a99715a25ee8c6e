"""The Differentiable Information Imbalance as a function of non-negative weights, ready for an optimiser.

Columns are centred and divided by their standard deviation once; weights belong to these standardised columns, so that
neither the answer nor the way to it depends on units.  A group of columns has one weight.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from infoscope.base import DataError, ParameterError, warn
from infoscope.base.rounding import SAME, level_ties
from infoscope.imbalance.plan import ComparisonPlan
from infoscope.imbalance.rank_table import LIMIT_BYTES, RankTable, rank_table
from infoscope.neighbors import (
    UNRESTRICTED,
    Admissibility,
    Space,
    as_arrays,
    deviations,
    hand_over,
    on_device,
    to_numpy,
)
from infoscope.statistics.angles import circular_deviation

from .softmax import Bandwidth, SoftmaxRows, soft_ranks

LEAST_K, K_SHARE = 3, 100  # neighbours by default: one in a hundred, at least three
CENTRE_ROWS = 1000


@dataclass(frozen=True)
class Standardised:
    """Columns in units of their standard deviation.

    Attributes
    ----------
    space : Space
        The columns that vary, centred and divided.
    scale : array (D,)
        Standard deviation of every column of the data; 0 where a column is constant.
    columns : array
        Numbers of the columns that vary.
    """

    space: Space
    scale: np.ndarray
    columns: np.ndarray


def standardise(space: Space) -> Standardised:
    """Centre every column and divide it by its standard deviation (circular for periodic ones).

    Tensors stay on their device, and Dask arrays lazy: only extremes, deviations and a thousand rows are computed.  A
    fit looks at the data a hundred times, so ``array.persist()`` beforehand pays where the cluster has the memory.

    Parameters
    ----------
    space : Space
        Euclidean features; its own `feature_weights` are kept as a factor of nothing: the fit finds weights anew.

    Returns
    -------
    Standardised

    Raises
    ------
    DataError
        If all columns are constant.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.imbalance.dii.objective import standardise
    >>> from infoscope.neighbors import Space
    >>> standardise(Space(np.array([[1.0, 5.0], [3.0, 5.0]]))).scale
    Traceback (most recent call last):
    ...
    infoscope.base.errors.DataError: 2 items: an imbalance needs at least 3
    """
    if len(space) < 3:
        raise DataError(f"{len(space)} items: an imbalance needs at least 3")
    if space.metric != "euclidean":
        raise ParameterError(
            f"{space.name or 'X'} has metric {space.metric!r}: weights belong to the features of a Euclidean space"
        )
    extremes, scale = _spread(space)
    scale = np.where(np.ptp(extremes, axis=0) <= SAME * np.abs(extremes).max(0), 0.0, scale)
    columns = np.flatnonzero(scale > 0)
    if not len(columns):
        raise DataError(f"all columns of {space.name or 'X'} are constant: there is nothing to weigh")
    if len(columns) < len(scale):
        lost = [space.column_name(int(a)) for a in np.flatnonzero(scale == 0)]
        warn(
            f"{', '.join(lost[:5])}{', ...' if len(lost) > 5 else ''} of {space.name or 'X'} "
            f"{'is' if len(lost) == 1 else 'are'} constant and got weight 0"
        )
    period = space.period[columns] / scale[columns]
    names = None if space.feature_names is None else [space.feature_names[a] for a in columns]
    standard = Space(
        _centred(space, columns, scale[columns]),
        period=period if period.any() else None,
        period_check=False,
        feature_names=names,
        name=space.name,
        **space.about_items(),
    )
    return Standardised(standard, scale, columns)


def _spread(space: Space) -> tuple[np.ndarray, np.ndarray]:
    """Extremes (2, D) and standard deviation (D,) of every column, circular for periodic ones; found where they are."""
    x = as_arrays(space).features
    if not isinstance(x, np.ndarray):
        extremes, scale, _ = deviations(x, None, space.period)
        return extremes, scale
    scale = x.std(0, dtype=np.float64)
    for a in np.flatnonzero(space.period):
        turn = np.exp(2j * np.pi * x[:, a].astype(np.float64) / space.period[a])
        scale[a] = circular_deviation(abs(turn.mean()), space.period[a])
    return np.stack([x.min(0), x.max(0)]).astype(np.float64), scale


def _centred(space: Space, columns: np.ndarray, scale: np.ndarray):
    """(x - centre)/scale of some columns, float64, as the kind of array that they are: a Dask array stays lazy.

    The centre decides about rounding only; it is the median of at most a thousand rows, as an outlier must not move it.
    """
    x = space.features if len(columns) == space.n_features else space.features[:, columns]
    sample = to_numpy(x[:: len(space) // CENTRE_ROWS + 1]).astype(np.float64)
    centre = np.where(space.period[columns] > 0, 0.0, np.median(sample, axis=0))
    if space.backend == "torch":
        return x.double().sub(on_device(centre, x.device)).div_(on_device(scale, x.device))
    values = (x.astype(np.float64) - centre) / scale
    return hand_over(values) if isinstance(values, np.ndarray) else values


@dataclass(frozen=True)
class Objective:
    """DII of the weights of groups of columns.

    Parameters
    ----------
    space : Space
        Standardised columns.
    table : RankTable
        Ranks in the target.
    groups : array (D,) of int
        Group of every column; ``np.arange(D)`` for one weight a column.
    bandwidth : Bandwidth
        How far a row looks.
    admissibility : Admissibility
        Who may be whose neighbour.
    queries : array of int, optional
        Rows that are averaged (validation); the table has one row each.
    precision : type
        Of the tiles.
    n_jobs : int, optional
        Threads.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.imbalance.dii.objective import Objective
    >>> from infoscope.imbalance.rank_table import rank_table
    >>> from infoscope.imbalance.dii.softmax import Bandwidth
    >>> from infoscope.neighbors import Space
    >>> x = Space(np.random.default_rng(0).normal(size=(200, 2)))
    >>> objective = Objective(x, rank_table(x), np.arange(2), Bandwidth(k=3))
    >>> value, slopes = objective(np.array([1.0, 1.0]))
    >>> value < objective(np.array([1.0, 0.0]))[0]
    True
    """

    space: Space
    table: RankTable
    groups: np.ndarray
    bandwidth: Bandwidth
    admissibility: Admissibility = UNRESTRICTED
    queries: np.ndarray | None = None
    precision: Any = np.float64
    n_jobs: int | None = None

    @property
    def n_weights(self) -> int:
        """Groups of columns."""
        return int(self.groups.max()) + 1

    def __call__(self, weights: np.ndarray) -> tuple[float, np.ndarray]:
        """Value, and its derivative by the squared weight of every group."""
        found = self.softmax_rows(weights, gradient=True)
        if found.slopes is None:
            raise TypeError("the slopes were not kept: softmax_rows(..., gradient=True)")
        return found.value, np.bincount(self.groups, found.slopes, self.n_weights)

    def softmax_rows(self, weights: np.ndarray, *, gradient: bool = False, pairs: bool = False) -> SoftmaxRows:
        """Everything the softmax says at these weights."""
        space = self.space.replace(feature_weights=np.asarray(weights, float)[self.groups])
        return soft_ranks(
            space,
            self.table,
            self.bandwidth,
            gradient=gradient,
            pairs=pairs,
            queries=self.queries,
            precision=self.precision,
            n_jobs=self.n_jobs,
            admissibility=self.admissibility,
        )

    def with_bandwidth(self, **changes: Any) -> Objective:
        """The same with another bandwidth."""
        return replace(self, bandwidth=replace(self.bandwidth, **changes))

    def of_columns(self, groups_kept) -> Objective:
        """The same for some of the groups, numbered anew in the order given."""
        groups_kept = np.asarray(groups_kept)
        columns = np.concatenate([np.flatnonzero(self.groups == g) for g in groups_kept])
        number = np.concatenate([np.full((self.groups == g).sum(), new) for new, g in enumerate(groups_kept)])
        return replace(self, space=columns_of(self.space, columns), groups=number)


def columns_of(space: Space, columns) -> Space:
    """A Euclidean space of some of its columns."""
    period = space.period[columns]
    names = None if space.feature_names is None else [space.feature_names[a] for a in columns]
    return Space(
        space.features[:, columns],
        period=period if period.any() else None,
        period_check=False,
        feature_weights=space.feature_weights[columns],
        feature_names=names,
        name=space.name,
        **space.about_items(),
    )


def first_equal(space: Space, groups: np.ndarray) -> np.ndarray:
    """For every group of one column, the first group that is this column or its mirror image; else the group itself.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.imbalance.dii.objective import first_equal
    >>> from infoscope.neighbors import Space
    >>> x = np.random.default_rng(0).normal(size=(20, 2))
    >>> first_equal(Space(x[:, [0, 1, 0, 1]] * [1, 1, -1, 2]), np.arange(4))
    array([0, 1, 0, 3])
    """
    first, x = np.arange(int(groups.max()) + 1), as_arrays(space).features
    if len(first) == 1 or not isinstance(x, np.ndarray):
        return first
    x = x.astype(np.float64) - x[0]
    size, mark = np.abs(x).max(axis=0), (np.abs(x) * np.random.default_rng(0).random((len(x), 1))).sum(axis=0)
    known: dict[tuple[float, float], int] = {}
    alone = np.bincount(groups)[groups] == 1
    for a, key in enumerate(zip(level_ties(mark), space.period, strict=True)):
        b = known.setdefault(key, a) if alone[a] else a
        if b < a and any((np.abs(x[:, a] + sign * x[:, b]) <= SAME * size[a]).all() for sign in (-1, 1)):
            first[groups[a]] = groups[b]
    return first


def make_objective(
    plan: ComparisonPlan,
    bandwidth: Bandwidth,
    groups=None,
    *,
    precision: Any = np.float64,
    limit_bytes: int | None = LIMIT_BYTES,
) -> tuple[Objective, Standardised]:
    """The objective of a plan whose first space is weighed and whose second is the target.

    Parameters
    ----------
    plan : ComparisonPlan
        Spaces, window, runs and weights, as `infoscope.imbalance.plan.make_plan` settles them.
    bandwidth : Bandwidth
        How far a row looks.
    groups : sequence, optional
        One label a column: columns with the same label share a weight.
    precision, limit_bytes : optional
        Of the tiles; of the rank table.

    Returns
    -------
    Objective, Standardised
    """
    standard = standardise(plan.spaces[0])
    numbers = np.arange(len(standard.columns))
    if groups is not None:
        labels = np.asarray(groups)
        if labels.shape != (len(standard.scale),):
            raise ParameterError(
                f"groups has shape {labels.shape}; one label for each of the {len(standard.scale)} columns is needed"
            )
        kept = labels[standard.columns]
        _, first, numbers = np.unique(kept, return_index=True, return_inverse=True)
        numbers = np.argsort(np.argsort(first))[numbers]  # in the order in which the groups appear
    table = rank_table(plan.spaces[1], n_jobs=plan.n_jobs, limit_bytes=limit_bytes, admissibility=plan.admissibility)
    return Objective(
        standard.space, table, numbers, bandwidth, plan.admissibility, None, precision, plan.n_jobs
    ), standard


def default_k(n: int) -> int:
    """Neighbours that make a fit steady: one in a hundred, at least three."""
    return min(max(LEAST_K, n // K_SHARE), max(n - 2, 1))
