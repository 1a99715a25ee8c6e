"""Where spins sit and who is next to whom: chains, squares, graphs.

A permutation of sites acts on configurations as ``spins[:, permutation]``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, TypeAlias

import numpy as np

from infoscope.base import DataError, InfoscopeError, ParameterError
from infoscope.base.checks import check_positive_int

MAX_SITES = 1024  # a square of 32 x 32


@dataclass(frozen=True)
class Chain:
    """Spins on a line or a ring.

    Parameters
    ----------
    n_sites : int
        How many, at least 2.
    periodic : bool
        Whether the last is next to the first.

    Examples
    --------
    >>> from infoscope.quantum import Chain
    >>> Chain(4).bonds().tolist(), Chain(4).bonds(2).tolist()
    ([[0, 1], [0, 3], [1, 2], [2, 3]], [[0, 2], [1, 3]])
    """

    n_sites: int
    periodic: bool = True
    _contents: ClassVar[dict[str, Any]] = {}

    def _check_contents(self) -> None:
        check_made_anew(self)

    def __post_init__(self) -> None:
        object.__setattr__(self, "n_sites", check_positive_int(self.n_sites, "n_sites", 2, MAX_SITES))
        object.__setattr__(self, "periodic", bool(self.periodic))

    @property
    def positions(self) -> np.ndarray:
        """Coordinates of the sites, (n_sites, 1)."""
        return np.arange(self.n_sites, dtype=np.float64)[:, None]

    def bonds(self, order: int = 1) -> np.ndarray:
        """Pairs of sites that are `order` apart, (B, 2), each pair once."""
        order = check_positive_int(order, "order")
        return _pairs_at(self, _squared_distances(np.arange(self.n_sites)[:, None], self._periods), order**2, order)

    def translations(self, step: int = 1) -> np.ndarray:
        """Shifts by multiples of `step` sites, (G, n_sites); of an open chain the identity alone."""
        return _shifts(np.arange(self.n_sites)[:, None], (self.n_sites,), (step,), self.periodic)

    def point_group(self) -> np.ndarray:
        """The identity and the reflection, (2, n_sites)."""
        sites = np.arange(self.n_sites)
        return np.stack([sites, sites[::-1]])

    def patches(self, size: int) -> np.ndarray:
        """Numbers of the sites of patches of `size` neighbours each, (n_sites / size, size)."""
        size = check_positive_int(size, "patch_size")
        if self.n_sites % size:
            raise ParameterError(
                f"patches of {size} sites do not fill a chain of {self.n_sites}: {_divisors(self.n_sites)}"
            )
        return np.arange(self.n_sites).reshape(-1, size)

    @property
    def _periods(self) -> tuple[int, ...]:
        return (self.n_sites if self.periodic else 0,)


@dataclass(frozen=True)
class Square:
    """Spins on a square lattice; the site in row r and column c is number r * width + c.

    Parameters
    ----------
    length : int
        Number of rows.
    width : int, optional
        Number of columns, as many as rows by default.
    periodic : bool
        Whether it closes on itself both ways.

    Notes
    -----
    Bonds of order 1, 2, 3, ... join sites at the distances 1, sqrt 2, 2, sqrt 5, ..., on a torus by the shortest way,
    each pair once.  So on a torus of 4 x 4 a site has two third neighbours, which are as far on either side; on one of
    3 x 3 it has none.

    Examples
    --------
    >>> from infoscope.quantum import Square
    >>> [len(Square(4).bonds(order)) for order in (1, 2, 3)]
    [32, 32, 16]
    """

    length: int
    width: int | None = None
    periodic: bool = True
    _contents: ClassVar[dict[str, Any]] = {}

    def _check_contents(self) -> None:
        check_made_anew(self)

    def __post_init__(self) -> None:
        length = check_positive_int(self.length, "length", 1, MAX_SITES)
        width = length if self.width is None else check_positive_int(self.width, "width")
        if not 2 <= length * width <= MAX_SITES:
            raise ParameterError(f"a square of {length} x {width} sites: give it 2 to {MAX_SITES:,} of them")
        for name, value in (("length", length), ("width", width), ("periodic", bool(self.periodic))):
            object.__setattr__(self, name, value)

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of rows and columns."""
        return self.length, self.width or self.length

    @property
    def n_sites(self) -> int:
        """How many sites."""
        return self.shape[0] * self.shape[1]

    @property
    def positions(self) -> np.ndarray:
        """Row and column of the sites, (n_sites, 2)."""
        return self._cells.astype(np.float64)

    def bonds(self, order: int = 1) -> np.ndarray:
        """Pairs of sites at the distance of that order, (B, 2), each pair once."""
        order = check_positive_int(order, "order")
        squared = _squared_distances(self._cells, self.shape if self.periodic else (0, 0))
        reach = np.arange(order + 1) ** 2
        return _pairs_at(self, squared, int(np.unique(reach[:, None] + reach)[order]), order)

    def translations(self, step: int | tuple[int, int] = 1) -> np.ndarray:
        """Shifts by multiples of `step` rows and columns, (G, n_sites); of an open lattice the identity alone."""
        steps = step if isinstance(step, tuple) else (step, step)
        return _shifts(self._cells, self.shape, steps, self.periodic)

    def point_group(self) -> np.ndarray:
        """Reflections and, of a lattice with as many rows as columns, quarter turns: (4 or 8, n_sites)."""
        grid = np.arange(self.n_sites).reshape(self.shape)
        turned = [grid, grid.T] if self.shape[0] == self.shape[1] else [grid]
        return np.stack([one[::a, ::b].ravel() for one in turned for a in (1, -1) for b in (1, -1)])

    def patches(self, size: int | tuple[int, int]) -> np.ndarray:
        """Numbers of the sites of patches of `size` x `size` (or of two sizes), row by row, (patches, sites)."""
        sizes = size if isinstance(size, tuple) else (size, size)
        for one, (what, length) in zip(sizes, zip(("rows", "columns"), self.shape, strict=True), strict=True):
            one = check_positive_int(one, "patch_size")
            if length % one:
                raise ParameterError(f"patches of {one} {what} do not fill {length}: {_divisors(length)}")
        (rows, columns), (a, b) = self.shape, sizes
        grid = np.arange(self.n_sites).reshape(rows // a, a, columns // b, b)
        return grid.transpose(0, 2, 1, 3).reshape(-1, a * b)

    @property
    def _cells(self) -> np.ndarray:
        return np.indices(self.shape).reshape(2, -1).T


@dataclass(frozen=True)
class Graph:
    """Spins that any list of bonds joins.

    Parameters
    ----------
    n_sites : int
        How many spins.
    pairs : array of int, shape (B, 2)
        Bonds of order 1.  A bond that is given twice counts twice.
    further : sequence of arrays of int
        Bonds of order 2, 3, ...

    Raises
    ------
    ParameterError
        For a bond to a site that does not exist, or of a site to itself.

    Examples
    --------
    >>> from infoscope.quantum import Graph
    >>> Graph(3, [(0, 1), (1, 2), (0, 1)]).bonds().tolist()
    [[0, 1], [1, 2], [0, 1]]
    """

    n_sites: int
    pairs: tuple[tuple[int, int], ...] = ()
    further: tuple[tuple[tuple[int, int], ...], ...] = ()
    _contents: ClassVar[dict[str, Any]] = {}

    def _check_contents(self) -> None:
        check_made_anew(self)

    def __post_init__(self) -> None:
        n_sites = check_positive_int(self.n_sites, "n_sites", 1, MAX_SITES)
        object.__setattr__(self, "n_sites", n_sites)
        object.__setattr__(self, "pairs", _check_pairs(self.pairs, n_sites, "pairs"))
        further = tuple(_check_pairs(one, n_sites, f"further[{at}]") for at, one in enumerate(self.further))
        object.__setattr__(self, "further", further)

    @property
    def positions(self) -> np.ndarray:
        """Places on a circle for pictures, sites that follow each other 1 apart, (n_sites, 2)."""
        angle = 2 * np.pi * np.arange(self.n_sites) / self.n_sites
        radius = 0.5 / np.sin(np.pi / max(self.n_sites, 2))
        return radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)

    def bonds(self, order: int = 1) -> np.ndarray:
        """The bonds of that order, (B, 2), as they were given."""
        order = check_positive_int(order, "order")
        shells = (self.pairs, *self.further)
        if order > len(shells) or not shells[order - 1]:
            raise ParameterError(f"this graph has no bonds of order {order}: pass them as pairs or further")
        return np.array(shells[order - 1], np.int64)

    def translations(self, step: int = 1) -> np.ndarray:
        """The identity, (1, n_sites): no translation of a graph is known."""
        return np.arange(self.n_sites)[None]

    def point_group(self) -> np.ndarray:
        """The identity, (1, n_sites)."""
        return np.arange(self.n_sites)[None]

    def patches(self, size: int) -> np.ndarray:
        """Sites whose numbers follow each other, (n_sites / size, size)."""
        size = check_positive_int(size, "patch_size")
        if self.n_sites % size:
            raise ParameterError(f"patches of {size} do not fill {self.n_sites} sites: {_divisors(self.n_sites)}")
        return np.arange(self.n_sites).reshape(-1, size)


Lattice: TypeAlias = Chain | Square | Graph


def check_made_anew(held: Any) -> None:
    """Raise where what was read from a file is not what its own values make."""
    given = {item.name: getattr(held, item.name) for item in fields(held)}
    try:
        made = type(held)(**given)
    except (InfoscopeError, TypeError) as error:
        raise DataError(f"{type(held).__name__} cannot be made of its values: {error}") from error
    if made != held:
        raise DataError(f"{type(held).__name__} is not what its values make")


def sublattice(lattice: Lattice) -> np.ndarray | None:
    """Sites of one colour (bool) where bonds of order 1 join two colours only; None where no two colours do.

    Site 0 has the other colour, and so has the lowest site of every part that hangs together.

    Examples
    --------
    >>> from infoscope.quantum import Chain
    >>> from infoscope.quantum.lattices import sublattice
    >>> sublattice(Chain(4)), sublattice(Chain(5))
    (array([False,  True, False,  True]), None)
    """
    neighbors: list[list[int]] = [[] for _ in range(lattice.n_sites)]
    for a, b in lattice.bonds().tolist():
        neighbors[a].append(b)
        neighbors[b].append(a)
    color = [-1] * lattice.n_sites
    for start in range(lattice.n_sites):
        if color[start] >= 0:
            continue
        color[start], open_sites = 0, [start]
        while open_sites:
            site = open_sites.pop()
            for other in neighbors[site]:
                if color[other] == color[site]:
                    return None
                if color[other] < 0:
                    color[other] = 1 - color[site]
                    open_sites.append(other)
    return np.array(color) == 1


# --------------------------------------------------------------------------------------------------------------- steps
def _squared_distances(cells: np.ndarray, periods: Sequence[int]) -> np.ndarray:
    """Squared distances of all pairs of whole-numbered places, the shortest way where there is a period."""
    squared = np.zeros((len(cells), len(cells)), np.int64)
    for column, period in zip(cells.T, periods, strict=True):
        apart = np.abs(column[:, None] - column)
        squared += (np.minimum(apart, period - apart) if period else apart) ** 2
    return squared


def _pairs_at(lattice: Any, squared: np.ndarray, distance: int, order: int) -> np.ndarray:
    pairs = np.argwhere(np.triu(squared == distance))
    if not len(pairs):
        raise ParameterError(
            f"{lattice} has no bonds of order {order}: no two of its sites are {distance**0.5:.4g} apart"
        )
    return pairs


def _shifts(cells: np.ndarray, shape: tuple[int, ...], steps: tuple[int, ...], periodic: bool) -> np.ndarray:
    for length, step in zip(shape, steps, strict=True):
        if length % check_positive_int(step, "step"):
            raise ParameterError(f"shifts by {step} do not lead around {length} sites: {_divisors(length)}")
    if not periodic:
        return np.arange(len(cells))[None]
    moves = np.stack(np.meshgrid(*(np.arange(0, n, s) for n, s in zip(shape, steps, strict=True)), indexing="ij"), -1)
    moved = (cells + moves.reshape(-1, 1, len(shape))) % shape
    return np.ravel_multi_index(tuple(np.moveaxis(moved, -1, 0)), shape)


def _check_pairs(pairs: Any, n_sites: int, name: str) -> tuple[tuple[int, int], ...]:
    array = np.asarray(pairs)
    if not array.size:
        return ()
    if array.ndim != 2 or array.shape[1] != 2 or array.dtype.kind not in "iu":
        raise ParameterError(f"{name} must be pairs of site numbers, shape (B, 2); got shape {array.shape}")
    wrong = (array < 0) | (array >= n_sites)
    if wrong.any():
        at = int(np.argmax(wrong.any(axis=1)))
        raise ParameterError(
            f"{name}[{at}] joins {array[at, 0]} and {array[at, 1]}, but sites are numbered 0 to {n_sites - 1}: "
            "correct the bond, or make n_sites larger"
        )
    if (array[:, 0] == array[:, 1]).any():
        at = int(np.argmax(array[:, 0] == array[:, 1]))
        raise ParameterError(f"{name}[{at}] joins site {array[at, 0]} to itself: leave it out")
    return tuple((int(a), int(b)) for a, b in array)


def _divisors(n: int) -> str:
    return "take " + ", ".join(str(one) for one in range(1, n + 1) if n % one == 0)
