"""Do neighbouring rows look alike?  The warning nobody asked for and everybody with a trajectory needs.

A call of an estimator opens one look (`looking_at_row_order`); the search for neighbours shows it the nearest
neighbours that it finds anyway.  Searches inside others (halves, calibration, held-out rows) belong to the call that is
open.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from infoscope.base import CorrelatedRowsWarning, warn
from infoscope.statistics import OrderTest, adjacency_test

from .correlation import is_series
from .graph import NeighborGraph
from .kernels import TIE
from .space import Space

LOOKED_AT = 2000  # random rows
TIED = 0.05  # share of rows whose nearest neighbour is tied from which nothing can be told
MOST_LOOKS = 4  # searches of one call
WAY_OUT = "or `exclusion_window=0` to silence"


@dataclass
class RowOrderLook:
    """What one call learns, by the way, about the order of its rows.

    Attributes
    ----------
    way_out : str
        How to silence the warning, in the words of the caller.
    numbers : array (N,) or None
        Number of every row among the rows as they came, where that is another one.
    active : bool
        Whether there is anything to look for.
    found : list of (str, str)
        Level and message of every search that could tell.
    """

    way_out: str = WAY_OUT
    numbers: np.ndarray | None = None
    active: bool = True
    found: list[tuple[str, str]] = field(default_factory=list)

    @property
    def correlated(self) -> bool:
        """Whether rows look correlated, loudly."""
        return any(level == "loud" for level, _ in self.found)

    @property
    def warnings(self) -> tuple[str, ...]:
        """The loud message, if any."""
        return tuple(text for level, text in self.found if level == "loud")

    @property
    def notes(self) -> tuple[str, ...]:
        """Those that are no warnings."""
        return tuple(dict.fromkeys(text for level, text in self.found if level == "notice"))

    def add_to(self, result: Any) -> Any:
        """A result with these warnings and notes among its own."""
        said = [text for text in self.warnings if text not in result.warnings]
        noted = [text for text in self.notes if text not in result.notes]
        return replace(result, warnings=(*result.warnings, *said), notes=(*result.notes, *noted))

    def see(self, space: Space, rows: np.ndarray, items: np.ndarray) -> None:
        """Take in some rows and their nearest neighbours."""
        n = len(space)
        if self.numbers is not None and len(self.numbers) == n:
            rows, items, n = self.numbers[rows], self.numbers[items], int(self.numbers.max()) + 1
        self.hear(adjacency_test(rows, items, n))

    def hear(self, test: OrderTest, where: str = "") -> None:
        """Take in the result of a test, and warn if it is loud."""
        text = where + test.message.replace(WAY_OUT, self.way_out)
        self.found.append((test.level, text))
        if test.level == "loud":
            warn(text, CorrelatedRowsWarning)


_open: ContextVar[RowOrderLook | None] = ContextVar("row order look", default=None)


@contextmanager
def looking_at_row_order(
    active: bool = True, *, way_out: str = WAY_OUT, numbers: np.ndarray | None = None
) -> Iterator[RowOrderLook]:
    """Open the look of one call; inside an open one, that one goes on.

    Parameters
    ----------
    active : bool
        False where the caller was told about time, or to be silent.
    way_out : str
        The end of the message: what the caller's user can do, if rows are in no order.
    numbers : array (N,), optional
        Number of every row among the rows as they came.

    Yields
    ------
    RowOrderLook

    Examples
    --------
    >>> import warnings
    >>> import numpy as np
    >>> from infoscope.neighbors import nearest
    >>> from infoscope.neighbors.row_order import looking_at_row_order
    >>> walk = np.cumsum(np.random.default_rng(0).normal(size=(500, 3)), axis=0)
    >>> with warnings.catch_warnings(), looking_at_row_order() as look:
    ...     warnings.simplefilter("ignore")
    ...     graph = nearest(walk, 2)
    >>> look.correlated
    True
    """
    outer = _open.get()
    if outer is not None:
        yield outer
        return
    look = RowOrderLook(way_out, numbers, active)
    token = _open.set(look)
    try:
        yield look
    finally:
        _open.reset(token)


@contextmanager
def not_looking() -> Iterator[None]:
    """Show nothing to the look that is open: for searches among rows that were put in another order.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.neighbors import nearest
    >>> from infoscope.neighbors.row_order import looking_at_row_order, not_looking
    >>> with looking_at_row_order() as look, not_looking():
    ...     graph = nearest(np.sort(np.random.default_rng(0).normal(size=500))[:, None], 2)
    >>> look.correlated
    False
    """
    token = _open.set(None)
    try:
        yield
    finally:
        _open.reset(token)


def is_looking() -> bool:
    """Whether a look is open that wants to be shown neighbours."""
    look = _open.get()
    return look is not None and look.active and not look.correlated


def show_neighbors(space: Space, graph: NeighborGraph, *, ties_kept: bool = False) -> None:
    """Show the nearest neighbours of a search, among the items of one space, to the look that is open.

    `ties_kept` says that rows are longer where neighbours tie, so that a row with a single one has no tie.
    """
    look = _open.get()
    if look is None or not look.active or look.correlated or len(look.found) >= MOST_LOOKS:
        return
    if is_series(space) or not len(graph) or len(space) < 3:
        return
    some = np.random.default_rng(0).choice(len(graph), min(len(graph), LOOKED_AT), replace=False)
    first = graph.indptr[some]
    several = np.diff(graph.indptr)[some] > 1
    if not (ties_kept or several.all()):
        return  # nobody knows whether the only neighbour is tied with others
    tied = several.copy()
    tied[several] = graph.squared[first[several] + 1] <= graph.squared[first[several]] * (1 + TIE)
    if tied.mean() > TIED:
        return
    some, first = some[~tied], first[~tied]
    look.see(space, graph.rows[some], graph.items[first])
