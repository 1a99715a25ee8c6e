"""`NeighborGraph`: who is near whom, as rows of any length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from infoscope.base import DataError
from infoscope.base.array_types import ArrayLike, Floats, Ints
from infoscope.base.contents import integers, numbers

from .known_neighbors import PairRows, check_known, read_sparse


@dataclass(frozen=True, eq=False)
class NeighborGraph:
    """Neighbours of every row: exact distances, sorted, self excluded.

    Parameters
    ----------
    rows : array (R,) of int
        Item number of every row.
    indptr : array (R + 1,) of int
        Row r holds the pairs ``indptr[r]:indptr[r + 1]``.
    items : array (P,) of int
        Item numbers of the neighbours, in order of (squared distance, item number).
    squared : array (P,)
        Exact squared distances; tied ones (see `nearest`) are that of the nearest of them.
    admissible : array (R,) of int
        M: how many items each row might have used.
    recall : float, optional
        Measured recall, when the neighbours were found approximately.
    recall_se : float, optional
        Its standard error.
    space : Space, optional
        The items themselves, where `nearest` made the graph of them: methods that also need features find them here.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.neighbors import Space, nearest
    >>> graph = nearest(Space(np.array([[0.0], [1.0], [3.0]])), 1)
    >>> graph.items, graph.distances
    (array([1, 0, 1]), array([1., 1., 2.]))
    """

    rows: Ints
    indptr: Ints
    items: Ints
    squared: Floats
    admissible: Ints
    recall: float | None = None
    recall_se: float | None = None
    space: Any = field(default=None, repr=False)

    @classmethod
    def from_sparse(cls, matrix: Any, *, space: Any = None) -> NeighborGraph:
        """The graph that a sparse matrix of distances holds, from whoever computed it.

        Parameters
        ----------
        matrix : sparse array (N, N)
            Distances to near items: ``obsp["distances"]`` of scanpy, ``kneighbors_graph(mode="distance")``,
            ``radius_neighbors_graph``.  What is not stored is not zero: nothing is known of it but that it is no
            nearer; a stored zero is a distance of zero.  Rows may differ in length; symmetric or not.
        space : Space, optional
            The items that the distances were measured of, for methods that need features too; distances are compared.

        Returns
        -------
        NeighborGraph
            For every estimator that takes a graph.  `imbalance_matrix` takes it among the spaces that predict.

        Raises
        ------
        DataError
            If this is no such matrix, or `space` measures other distances.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.neighbors import kneighbors_graph
        >>> from infoscope.neighbors import NeighborGraph
        >>> x = np.array([[0.0], [1.0], [3.0]])
        >>> NeighborGraph.from_sparse(kneighbors_graph(x, 1, mode="distance")).items
        array([1, 0, 1])
        """
        return cls.from_pairs(read_sparse(matrix), space=space)

    @classmethod
    def from_pairs(cls, pairs: PairRows, *, space: Any = None) -> NeighborGraph:
        """The graph of pairs that were read and checked, with a row for every item."""
        if space is not None:
            check_known(pairs, space)
        n = len(pairs.indptr) - 1
        return cls(np.arange(n), *pairs, np.full(n, n - 1), space=space)

    @classmethod
    def side_by_side(cls, graphs: Sequence[NeighborGraph]) -> tuple[NeighborGraph, list[Ints]]:
        """One graph with the pairs of several of the same rows, so that ranks of all of them take one sweep.

        Parameters
        ----------
        graphs : sequence of NeighborGraph
            Of the same rows.

        Returns
        -------
        joined : NeighborGraph
            Its rows are not sorted by distance: distances of different spaces stand side by side.
        places : list of array
            Where the pairs of every graph went.

        Raises
        ------
        DataError
            If the graphs have different rows.

        Examples
        --------
        >>> import numpy as np
        >>> from infoscope.neighbors import NeighborGraph, nearest
        >>> a, b = nearest(np.array([[0.0], [1.0], [3.0]]), 1), nearest(np.array([[0.0], [9.0], [1.0]]), 1)
        >>> joined, places = NeighborGraph.side_by_side([a, b])
        >>> joined.items.tolist(), [joined.items[place].tolist() for place in places]
        ([1, 2, 0, 2, 1, 0], [[1, 0, 1], [2, 2, 0]])
        """
        first = graphs[0]
        if not all(np.array_equal(graph.rows, first.rows) for graph in graphs):
            raise DataError("graphs of different rows cannot stand side by side: take the rows that all of them have")
        row = np.concatenate([graph.row_of_pair for graph in graphs])
        order = np.argsort(row, kind="stable")
        back = np.empty(len(order), np.int64)
        back[order] = np.arange(len(order))
        ends = np.cumsum([graph.n_pairs for graph in graphs])
        items = np.concatenate([graph.items for graph in graphs])[order]
        squared = np.concatenate([graph.squared for graph in graphs])[order]
        indptr = np.searchsorted(row[order], np.arange(len(first) + 1))
        joined = cls(first.rows, indptr, items, squared, first.admissible)
        return joined, [back[end - graph.n_pairs : end] for end, graph in zip(ends, graphs, strict=True)]

    _contents = {
        "rows": integers("R"),
        "indptr": integers("B", rising=True),
        "items": integers("P"),
        "squared": numbers("P", low=0.0),
        "admissible": integers("R"),
    }

    def _check_contents(self) -> None:
        """Raise where a graph that was read points outside itself, or outside its items."""
        if len(self.indptr) != len(self.rows) + 1 or self.indptr[0] != 0 or self.indptr[-1] != len(self.items):
            raise DataError("indptr of NeighborGraph does not go with its rows and pairs")
        numbers = [array for array in (self.rows, self.items) if len(array)]
        if self.space is not None and not hasattr(self.space, "features"):
            raise DataError("space of NeighborGraph is none")
        if self.space is not None and numbers and max(int(array.max()) for array in numbers) >= len(self.space):
            raise DataError(f"NeighborGraph names an item beyond the {len(self.space)} of its space")

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def n_pairs(self) -> int:
        return len(self.items)

    @property
    def row_of_pair(self) -> Ints:
        """The row (not the item number) every pair belongs to."""
        return np.repeat(np.arange(len(self.rows)), np.diff(self.indptr))

    @property
    def distances(self) -> Floats:
        """Distances, the roots of the squares (twice the cosine distance is a square: use the Space to convert it)."""
        return np.sqrt(self.squared)

    def squared_of_pairs(self, i: Ints, j: Ints) -> Floats:
        """Squared distances of pairs of items, of which one must be listed among the neighbours of the other.

        Raises
        ------
        DataError
            For a pair that the graph does not know.
        """
        n = int(max(self.rows.max(), self.items.max(initial=0), i.max(initial=0), j.max(initial=0))) + 1
        keys = self.rows[self.row_of_pair] * n + self.items
        order = np.argsort(keys)
        found = np.where(i == j, 0.0, np.nan)
        for first, second in ((i, j), (j, i)):
            asked = first * n + second
            place = np.searchsorted(keys[order], asked)
            known = place < len(keys)
            known[known] = keys[order][place[known]] == asked[known]
            found[known] = self.squared[order][place[known]]
        if np.isnan(found).any():
            at = int(np.argmax(np.isnan(found)))
            raise DataError(
                f"the distance of items {i[at]} and {j[at]} is not in the graph of neighbours: it is unknown, not zero"
            )
        return found

    def among(self, items: ArrayLike) -> NeighborGraph:
        """The graph of some of the items, which are numbered anew in the order given; others are no neighbours.

        Examples
        --------
        >>> import numpy as np
        >>> from infoscope.neighbors import nearest
        >>> nearest(np.array([[0.0], [1.0], [3.0]]), 2).among([0, 2]).items
        array([1, 0])
        """
        items = np.asarray(items, np.int64)
        part = self.take(items)
        number = np.full(len(self), -1)
        number[items] = np.arange(len(items))
        there = number[part.items] >= 0
        counts = np.bincount(part.row_of_pair[there], minlength=len(items))
        n = len(items)
        return NeighborGraph(
            np.arange(n),
            np.concatenate([[0], np.cumsum(counts)]),
            number[part.items[there]],
            part.squared[there],
            np.full(n, n - 1),
            self.recall,
            self.recall_se,
        )

    def take(self, rows: ArrayLike) -> NeighborGraph:
        """The graph of some of the rows (places in this graph), in the order given."""
        rows = np.asarray(rows, np.int64)
        lengths = np.diff(self.indptr)[rows]
        indptr = np.concatenate([[0], np.cumsum(lengths)])
        pairs = np.arange(indptr[-1]) - np.repeat(indptr[:-1] - self.indptr[rows], lengths)
        return NeighborGraph(
            self.rows[rows],
            indptr,
            self.items[pairs],
            self.squared[pairs],
            self.admissible[rows],
            self.recall,
            self.recall_se,
            self.space,
        )
