"""Packed bits of items, and how a block of rows becomes bits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from infoscope.base import DataError, ParameterError
from infoscope.base.contents import integers, values, whole
from infoscope.neighbors import PackedBits

from .binarize import Rule, bits_by_rule, settled

CHUNK = 2**24  # entries that become bits together
SHOWN = 6  # values that an error names


@dataclass(frozen=True, eq=False)
class Bits:
    """N items of D bits (or states), packed, on whatever device or cluster they are.

    Attributes
    ----------
    packed : PackedBits, TorchBits or DaskBits
        The rows.
    n_bits : array (P,) of int
        Bits (sites, if there are more states than two) before the end of every segment.
    n_varying : array (P,) of int
        Those of them in which not all items agree.
    q : int
        States of a site.
    coding : str
        What the values were.
    run, time : array (N,) or None
        What is known of the items.
    notes : tuple of str
        What was done on the way.
    """

    packed: Any
    n_bits: np.ndarray
    n_varying: np.ndarray
    q: int
    coding: str
    run: np.ndarray | None = None
    time: np.ndarray | None = None
    notes: tuple[str, ...] = ()

    _contents = {
        "n_bits": integers("P", low=1, rising=True),
        "n_varying": integers("P", rising=True),
        "q": whole(2),
        "run": values("packed"),
        "time": values("packed"),
    }

    def _check_contents(self) -> None:
        if not isinstance(self.packed, PackedBits) or not np.array_equal(self.n_bits, self.packed.longest):
            raise DataError("n_bits of Bits does not go with its packed rows")

    def __len__(self) -> int:
        return len(self.packed)

    def take(self, rows) -> Bits:
        """Some of the items."""
        return Bits(
            self.packed.take(rows),
            self.n_bits,
            self.n_varying,
            self.q,
            self.coding,
            None if self.run is None else self.run[rows],
            None if self.time is None else self.time[rows],
            self.notes,
        )

    def joined(self, other: Bits) -> Bits:
        """These items, then others."""
        if not np.array_equal(self.n_bits, other.n_bits) or self.q != other.q:
            raise DataError(
                f"these items have {other.n_bits[-1]} bits of {other.q} states, those before had "
                f"{self.n_bits[-1]} of {self.q}: they must be made alike"
            )
        return Bits(
            self.packed.joined(other.packed),
            self.n_bits,
            np.maximum(self.n_varying, other.n_varying),
            self.q,
            self.coding,
            notes=self.notes,
        )


# --------------------------------------------------------------------------------------------------------------- values
@dataclass(frozen=True)
class BitMaker:
    """How a block of rows becomes bits.

    Attributes
    ----------
    rule : tuple
        What `bits_by_rule` needs, or the value that means 1, or the number of states.
    width : int
        Bits of a column.
    per_column : int
        Sites of a column: its bits, or one if they are one state.
    coding : str
        In words.
    """

    rule: tuple
    width: int
    per_column: int
    coding: str

    def __call__(self, block):
        kind, what = self.rule
        if kind == "value":
            return np.asarray(block) == what
        if kind == "states":
            return (np.asarray(block)[:, :, None] == np.arange(what)).reshape(len(block), -1)
        return bits_by_rule(block, what)


def bit_maker(values, q: int, rule: Rule, name: str) -> BitMaker:
    if rule is not None:
        what = settled(values, rule, name)
        width = 2 if what.width is not None else 1
        return BitMaker(("rule", what), width, width, f"numbers, {what.words}")
    if values.dtype == bool:
        return BitMaker(("value", True), 1, 1, "False and True")
    low, high = _extremes(values, name)
    if q > 2:
        _check_states(values, q, low, high, name)
        return BitMaker(("states", q), q, 1, f"states 0 to {q - 1}")
    neighbours = values.dtype.kind in "iu" and high - low <= 1  # whole numbers without another in between
    for block in () if neighbours else row_chunks(values):
        other = (block != low) & (block != high)
        if other.any():
            raise DataError(_not_two_values(values, block[other], low, high, name))
    return BitMaker(
        ("value", high if high != low else np.inf), 1, 1, f"{low:g} only" if low == high else f"{low:g} and {high:g}"
    )


def _extremes(values, name: str) -> tuple[float, float]:
    if values.dtype.kind not in "iuf":
        raise DataError(f"{name} has dtype {values.dtype}: pass numbers or booleans")
    low, high = float(values.min()), float(values.max())
    if np.isfinite(low) and np.isfinite(high):
        return low, high
    row, column = np.argwhere(~np.isfinite(values))[0].tolist()
    what = "NaN" if np.isnan(values[row, column]) else "an infinite number"
    raise DataError(f"{name} holds {what} in row {row}, column {column}: bits have no missing values, remove that row")


def _check_states(values, q: int, low: float, high: float, name: str) -> None:
    if low < 0 or high > q - 1:
        wrong = low if low < 0 else high
        row, column = np.argwhere(values == wrong)[0].tolist()
        raise DataError(f"{name} holds {wrong:g} in row {row}, column {column}; with q={q}, states are 0 to {q - 1}")
    if values.dtype.kind == "f":
        for first, block in enumerate(row_chunks(values)):
            broken = block != np.rint(block)
            if broken.any():
                row, column = np.argwhere(broken)[0].tolist()
                raise DataError(
                    f"{name} holds {block[row, column]:g} in row {first * (CHUNK // values.shape[1]) + row}"
                    f", column {column}; states are whole numbers"
                )


def _not_two_values(values, others: np.ndarray, low: float, high: float, name: str) -> str:
    found = np.unique(others[:1000])
    shown = ", ".join(f"{v:g}" for v in sorted({low, high, *found[: SHOWN - 2].tolist()}))
    more = ", ..." if len(found) > SHOWN - 2 else ""
    way_out = ["say how numbers become bits, binarize='sign' (or 'median', 'two_bit', a threshold)"]
    if values.dtype.kind in "iu" or not (found % 1).any():
        way_out.append(f"states need q={int(high) + 1}" if low >= 0 and high < 64 else "")
        way_out.append("packed bytes need n_bits=" if low >= 0 and 63 < high < 256 else "")
    return f"{name} holds more than two values ({shown}{more}): {'; '.join(w for w in way_out if w)}"


def unpacked(words: np.ndarray, ends: np.ndarray, word_ends: np.ndarray) -> np.ndarray:
    """Bits of one row of words, without what fills up each segment."""
    parts = np.split(words, word_ends[:-1])
    flat = [np.unpackbits(part.view(np.uint8))[:width] for part, width in zip(parts, np.diff([0, *ends]), strict=True)]
    return np.concatenate(flat).astype(bool)


def row_chunks(values) -> Iterator[Any]:
    step = max(1, CHUNK // values.shape[1])
    for first in range(0, len(values), step):
        yield values[first : first + step]


def count_varying(varying: np.ndarray, ends: np.ndarray, maker: BitMaker) -> np.ndarray:
    """Sites that vary before the end of every segment; a state of many bits is one site."""
    sites = varying.reshape(-1, maker.width // maker.per_column).any(1)
    return np.concatenate([[0], np.cumsum(sites)])[ends * maker.per_column]


def segment_ends(boundaries, n_columns: int) -> np.ndarray:
    if boundaries is None:
        return np.array([n_columns])
    ends = np.atleast_1d(np.asarray(boundaries))
    if ends.dtype.kind not in "iu" or ends.ndim != 1 or not len(ends):
        raise ParameterError(f"boundaries must be numbers of columns, got {boundaries!r}")
    if ends[0] < 1 or ends[-1] > n_columns or (np.diff(ends) <= 0).any():
        raise ParameterError(
            f"boundaries must rise from at least 1 to at most {n_columns} columns, got "
            f"{ends.tolist()[:5]}{' ...' if len(ends) > 5 else ''}"
        )
    return ends.astype(np.int64)
