"""Neighbours in the product of several spaces: the distance of two items is the largest of their distances in each.

What Kraskov's estimators of mutual information ask first.  Columns compared by the largest difference stay what they
are beside those of another space, so such spaces are joined column by column.  In few dimensions boxes answer.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from infoscope.base import ParameterError, require
from infoscope.base.array_types import ArrayLike

from . import box_search
from .admissible import Admissibility
from .convert import Data
from .graph import NeighborGraph
from .k_smallest import k_smallest
from .reductions import check_spaces
from .space import Queries, Space, as_space
from .tensors import as_arrays, on_device
from .verbs import admissible_counts, check_queries


def nearest_product(
    spaces: Sequence[Space | Data],
    k: int,
    *,
    queries: Queries | Sequence[Space] = None,
    columns: ArrayLike | None = None,
    exclusion_window: float = 0.0,
    neighbors_from: str = "any",
    n_jobs: int | None = None,
) -> NeighborGraph:
    """The k nearest admissible items of every row under the largest of several spaces' distances.

    Parameters
    ----------
    spaces : list of Space or array
        The same N items in each, measured in any metric.  Times, runs and weights are those of the first.
    k : int
        Neighbours a row.
    queries : None, array of int or list of Space
        Rows: all items, some items, or new points (one Space per space).
    columns : array of int, optional
        Restricts the candidates.
    exclusion_window, neighbors_from, n_jobs
        As for `reduce_tiles`.

    Returns
    -------
    NeighborGraph
        Sorted; `squared` holds the largest of the squared distances.  Ties at the k-th place keep the lowest item
        numbers.

    Raises
    ------
    ParameterError
        If k < 1, a row may use fewer than k items (it is named), or the spaces do not hold the same number of items.

    References
    ----------
    Kraskov, Stoegbauer, Grassberger, Phys. Rev. E 69, 066138 (2004), eq. (1) and figure 1: the space Z = (X, Y) with
    the maximum norm.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.neighbors import nearest_product
    >>> x, y = np.array([[0.0], [1.0], [5.0]]), np.array([[0.0], [9.0], [2.0]])
    >>> graph = nearest_product([x, y], 1)
    >>> graph.items, graph.distances
    (array([2, 2, 0]), array([5., 7., 5.]))
    """
    spaces = _of_one_kind([as_space(space) for space in spaces])
    if not spaces:
        raise ParameterError("spaces is empty: give at least one")
    new = _new_points(spaces, queries)
    asked: list[Any] = [*new] if new is not None else [check_queries(spaces[0], cast(Queries, queries))] * len(spaces)
    check_spaces(spaces, asked)
    admissibility = Admissibility(exclusion_window, neighbors_from).check(spaces[0])
    admissible = admissible_counts(spaces[0], k, asked[0], columns, admissibility)
    joined, ask = _joined(spaces, asked)
    squared, items, _ = k_smallest(
        joined,
        k,
        ask,
        dict(columns=columns, n_jobs=n_jobs, **admissibility.options),
        found=box_search.nearest_by_boxes(joined, k, ask, columns, admissibility, n_jobs),
        largest=True,
    )
    rows = np.arange(len(squared)) if new is not None or queries is None else asked[0]
    return NeighborGraph(rows, np.arange(len(rows) + 1) * k, items.ravel(), squared.ravel(), admissible)


def _new_points(spaces: list[Space], queries: Any) -> list[Space] | None:
    """One space of new points per space, or None where rows are items."""
    if isinstance(queries, Space):
        queries = [queries]
    if not isinstance(queries, (list, tuple)) or not len(queries) or not isinstance(queries[0], Space):
        return None
    return [_alike(new, space) for new, space in zip(queries, spaces, strict=False)] + list(queries[len(spaces) :])


# ------------------------------------------------------------------------------------------ arrays of different kinds
def _of_one_kind(spaces: list[Space]) -> list[Space]:
    """The same spaces with all features where those of one of them must be: on a device, or in Dask's chunks."""
    spaces = [as_arrays(space) for space in spaces]
    kinds = {space.backend for space in spaces}
    leading = next((s for kind in ("dask", "torch") for s in spaces if s.backend == kind), None)
    if len(kinds) < 2 or leading is None or kinds == {"dask", "torch"}:
        return spaces  # what cannot be joined is refused where the spaces are compared
    return [_alike(space, leading) for space in spaces]


def _alike(space: Space, leading: Space) -> Space:
    """A space of NumPy numbers with its features as those of `leading` are kept."""
    if space.backend != "numpy" or leading.backend == "numpy" or space.metric in ("bits", "precomputed", "neighbors"):
        return as_arrays(space)
    twin, features = copy.copy(space), space.features
    if leading.backend == "torch":
        object.__setattr__(twin, "features", on_device(features, leading.features.device))
    elif len(space) == len(leading):
        chunks = (leading.features.chunks[0], -1)
        object.__setattr__(twin, "features", require("dask.array", "cluster").from_array(features, chunks))
    return twin


# ------------------------------------------------------------------------------------------------ columns side by side
def _joined(spaces: list[Space], queries: list[Any]) -> tuple[list[Space], list[Any]]:
    """The spaces, those compared by the largest difference of columns made one; the same for new points."""
    together = [s for s, space in enumerate(spaces) if _by_largest_difference(space)]
    if len(together) < 2:
        return spaces, queries
    others = [s for s in range(len(spaces)) if s not in together]
    one = _side_by_side([spaces[s] for s in together])
    ask = queries[0]
    if isinstance(ask, Space):
        ask = _side_by_side([queries[s] for s in together])
    return [one, *(spaces[s] for s in others)], [ask, *(queries[s] for s in others)]


def _by_largest_difference(space: Space) -> bool:
    if space.backend != "numpy":
        return False
    return space.metric == "chebyshev" or (space.metric in box_search.SUMMED and space.n_features == 1)


def _side_by_side(spaces: list[Space]) -> Space:
    """One space of all columns, compared by the largest difference; everything else is that of the first."""
    one = copy.copy(spaces[0])
    changes = {
        "features": np.concatenate([s.features for s in spaces], axis=1),
        "feature_weights": np.concatenate([s.feature_weights for s in spaces]),
        "period": np.concatenate([s.period for s in spaces]),
        "metric": "chebyshev",
        "feature_names": None,
        "notes": (),
    }
    for field, value in changes.items():
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
        object.__setattr__(one, field, value)
    return one
