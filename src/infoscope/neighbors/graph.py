"""`NeighborGraph`: who is near whom, as rows of any length."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from infoscope.base import DataError
from infoscope.base.array_types import ArrayLike, Floats, Ints
from infoscope.base.contents import integers, numbers

from .space import Space


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
        Exact squared distances.
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
    space: Space | None = field(default=None, repr=False)

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
