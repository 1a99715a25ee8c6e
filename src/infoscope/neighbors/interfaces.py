"""What the parts of the engine know of each other: spaces, the tiles made of them, and reductions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np

from infoscope.base.array_types import Array, Floats, Ints

Precision: TypeAlias = type[np.float32] | type[np.float64]
State: TypeAlias = Any  # plain NumPy arrays; every reduction has its own


class Measured(Protocol):
    """How pairs are measured."""

    @property
    def metric(self) -> str: ...
    @property
    def feature_weights(self) -> np.ndarray: ...
    @property
    def period(self) -> np.ndarray: ...


class SpaceLike(Measured, Protocol):
    """What files below `space.py` know of a Space."""

    @property
    def features(self) -> Array: ...
    @property
    def sample_weight(self) -> np.ndarray | None: ...
    @property
    def time(self) -> np.ndarray | None: ...
    @property
    def run(self) -> np.ndarray | None: ...
    @property
    def n_features(self) -> int: ...
    @property
    def backend(self) -> str: ...
    def __len__(self) -> int: ...
    def squared_distances(self, i: Ints, j: Ints) -> np.ndarray: ...


# ---------------------------------------------------------------------------------------------------------------- tiles
@dataclass(frozen=True, eq=False)
class Side:
    """The rows or the columns of one space: item p of them is features[index[p]]."""

    features: Array
    index: Array


class Radii(NamedTuple):
    """Squared radii of a block of rows, the edges of what ties with them, and the items that they are the distances of
    (-1 where that is not known)."""

    squared: Floats
    low: Floats
    high: Floats
    items: Ints


class Tile(NamedTuple):
    """Squared distances of a block of pairs in one space; ``squared`` is off by ``row_band + column_band`` at most.

    Attributes
    ----------
    squared : array or tensor (b, m)
        Infinite where the pair is not admissible.
    row_band, column_band : array or tensor (b,), (m,)
        ``c |x|^2``; zero where `squared` is the measured value itself.
    rows, columns : array of int (b,), (m,)
        Item numbers.
    block, part : slice
        Where these rows and columns stand among all of them.
    source : Tiles
        Who made the tile, and can read it.
    """

    squared: Array
    row_band: Array
    column_band: Array
    rows: Ints
    columns: Ints
    block: slice
    part: slice
    source: Tiles

    @property
    def mass(self) -> Array | None:
        """The columns' weights, or None."""
        return None if self.source.mass is None else self.source.mass[self.part]

    def measure(self, i: Array, j: Array) -> Array:
        """Exact squared distances of pairs given by their places in the tile."""
        return self.source.measure(i + self.block.start, j + self.part.start)

    def lower_bounds(self) -> Array:
        return self.squared - (self.row_band[:, None] + self.column_band)


class Tiles(Protocol):
    """Makes the tiles of one space, where the data are, and reads them for reductions."""

    dtype: np.dtype[Any]
    columns: Side
    mass: Array | None  # weights of the columns

    @property
    def rough(self) -> bool:
        """Whether tiles in float64 would tell more."""

    @staticmethod
    def joined(sources: Sequence[Any]) -> Tiles:
        """One source of tiles of the largest of several spaces' distances."""

    def buffer(self, size: int) -> Array:
        """Memory for tiles of this many pairs."""

    def tile(self, block: slice, part: slice, buffer: Array) -> Tile:
        """The tile of some rows and columns, made in the buffer."""

    def measure(self, i: Array, j: Array) -> Array:
        """Exact squared distances of pairs given by their places among all rows and columns."""

    def keep_smallest(self, t: Tile, best: Floats, items: Ints, beyond: Floats) -> int:
        """Update each row's k smallest, and the smallest left out; returns, as all below, how many pairs were measured
        in vain."""

    def count_few(self, t: Tile, indptr: Ints, low: Floats, high: Floats, closer: Ints, tied: Ints) -> int:
        """Count the items closer than, and tied with, each radius."""

    def count_many(self, t: Tile, mass: Array, indptr: Ints, radii: Radii, steps: Array, tied: Array) -> int:
        """The same for many sorted radii a row, and for masses; `steps[r]` gets what lies between radii r - 1 and r."""

    def pairs_within(self, t: Tile, high: Floats) -> tuple[Ints, Ints, Floats, int]:
        """(row, column, squared) of every pair within its row's radius, and the number in vain."""


# ----------------------------------------------------------------------------------------------------------- reductions
class Reduction:
    """What a method does with tiles.

    States are plain arrays (NumPy, whatever the backend), parameters are attributes, nothing else is kept: the same
    object serves threads, a GPU and a cluster.

    Attributes
    ----------
    whole_rows : bool
        Every tile must hold all columns of its rows (softmax, sorting); then `merge` is never called.
    looks_twice : bool
        The tiles of a block of rows are kept; after the last, `turn` and then `update_again` with every tile once more.
    precision : type
        ``np.float32`` where only the order of distances matters (bounds decide, doubtful pairs are measured),
        ``np.float64`` where their values enter.
    largest : bool
        Of several spaces, one tile is handed over: that of the largest of their distances, a space of its own.
    row_bytes : int
        What a row of the reduction takes on its way to a task of a cluster or back: tasks of large rows get few rows.
    """

    whole_rows = False
    looks_twice = False
    largest = False
    precision: Precision = np.float32
    row_bytes = 0

    def start(self, block: slice) -> State:
        """The state of one block of rows before any tile."""
        raise TypeError(f"{type(self).__name__} does not define start")

    def open(self, block: slice, sources: Sequence[Tiles]) -> State:
        """The state that sees the tiles of these sources; by default the one of `start`."""
        return self.start(block)

    def close(self, state: State, block: slice, sources: Sequence[Tiles]) -> tuple[State, int]:
        """After the last tile: the state that is merged and finished, and how many pairs were measured in vain."""
        return state, 0

    def update(self, state: State, tiles: Sequence[Tile]) -> int:
        """Take in one tile per space (the same pairs); return how many pairs were measured in vain."""
        raise TypeError(f"{type(self).__name__} does not define update")

    def turn(self, state: State, tiles: Sequence[Tile]) -> None:
        """Between two looks: what was found decides what is looked for; `tiles` are the first of the block."""
        raise TypeError(f"{type(self).__name__} does not define turn")

    def update_again(self, state: State, tiles: Sequence[Tile]) -> int:
        """Take in a tile the second time; return how many pairs were measured in vain."""
        raise TypeError(f"{type(self).__name__} does not define update_again")

    def merge(self, state: State, other: State) -> State:
        """Join two states of the same rows and different columns; associative."""
        raise TypeError(f"{type(self).__name__} does not define merge")

    def finish(self, states: list[State]) -> Any:
        """The answer, from the states in row order."""
        raise TypeError(f"{type(self).__name__} does not define finish")

    def for_rows(self, block: slice) -> Reduction:
        """What a task on a cluster needs to know to reduce these rows, whose tiles number them from 0.

        A reduction with parameters per row returns a copy with those of the block; one that puts row numbers into its
        states adds the block's first row.
        """
        return self
