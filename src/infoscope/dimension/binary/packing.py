"""What the user brought as bits: two values, packed bytes, states, or numbers and a rule that makes bits of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from infoscope.base import DataError, ParameterError, check_positive_int, warn
from infoscope.neighbors import Space, tensors
from infoscope.neighbors.bits import PackedBits, frozen, pack_segments
from infoscope.neighbors.convert import kind_of, to_columns

from .binarize import Rule, bits_by_rule

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


def pack_bits(X, *, binarize: Rule = None, name: str = "X") -> Space:
    """Pack two-valued columns 64 to a word: the smallest form of bits, and the fastest to compare.

    Parameters
    ----------
    X : array (N, D), frame or Space
        Two different values, such as 0 and 1, -1 and 1, False and True; or numbers, with a rule.
    binarize : str, float or array (D,), optional
        How numbers become bits, as for `binarize`.
    name : str
        What to call the data in errors.

    Returns
    -------
    Space
        Of the metric "bits": `distance_histogram`, `nearest` and all others take it, and so does `BinaryID`.

    Raises
    ------
    DataError
        If there are more than two values and no rule, or entries are not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.dimension import pack_bits
    >>> spins = np.array([[1, -1, 1], [1, 1, -1]])
    >>> pack_bits(spins).pair_distances([0], [1])
    array([2.])
    """
    bits = read_bits(X, binarize=binarize, name=name)
    if not isinstance(bits.packed, PackedBits):
        raise ParameterError(f"pack_bits takes arrays in memory; {name} can be passed to BinaryID as it is")
    n_bits = int(bits.n_bits[-1])
    as_bytes = bits.packed.words.view(np.uint8)[:, : -(-n_bits // 8)]
    return Space.from_bits(as_bytes, n_bits=n_bits, name=name)


def read_bits(
    X, *, n_bits: int | None = None, q: int = 2, binarize: Rule = None, boundaries=None, name: str = "X"
) -> Bits:
    """Read what the user brought.

    Parameters
    ----------
    X : array (N, D), frame, tensor, Dask array or Space
        Bits, states 0 ... q - 1, or numbers.
    n_bits : int, optional
        Says that X is packed bytes, as ``np.packbits(bits, axis=1)`` makes them, and how many bits count.
    q : int
        States of a column.
    binarize : str, float or array, optional
        How numbers become bits.
    boundaries : sequence of int, optional
        Columns before the end of each segment.
    name : str
        What to call the data in errors.

    Returns
    -------
    Bits

    Raises
    ------
    DataError, ParameterError
        Other values than there may be; options that do not go together.
    """
    q = check_positive_int(q, "q", 2)
    if q > 2 and (binarize is not None or n_bits is not None):
        raise ParameterError(f"q={q} states are read as they are: leave out binarize and n_bits")
    space = X if isinstance(X, Space) else None
    name = name if space is None or space.name is None else space.name
    if space is not None and space.metric == "bits":
        return _packed(space, q, n_bits, binarize, boundaries, name)
    if n_bits is not None:
        if kind_of(X) in ("torch", "dask"):
            raise ParameterError(f"packed bytes (n_bits=) are read from NumPy arrays; {name} is a {kind_of(X)} array")
        return _packed(Space.from_bits(X, n_bits=n_bits, name=name), q, None, binarize, boundaries, name)
    if space is not None:
        values, run, time = space.features, space.run, space.time
    else:
        read = to_columns(X, name)
        values, time = read.values, None if isinstance(read.time, list) else read.time
        run = None if read.run_lengths is None else np.repeat(np.arange(len(read.run_lengths)), read.run_lengths)
    _check_table(values, name)
    kind = kind_of(values)
    if kind == "torch" and tensors.has_kernels(values.device):
        values, kind = values.numpy(), "numpy"
    if kind == "torch":
        from .bits_torch_dask import bits_of_tensor

        bits = bits_of_tensor(values, q, binarize, boundaries, name)
    elif kind == "dask":
        from .bits_torch_dask import bits_of_chunks

        bits = bits_of_chunks(values, q, binarize, boundaries, name)
    else:
        bits = bits_of_array(np.asarray(values), q, binarize, boundaries, name)
    notes = ("sample weights are not used",) if space is not None and space.sample_weight is not None else ()
    return Bits(bits.packed, bits.n_bits, bits.n_varying, q, bits.coding, run, time, notes)


def bits_of_array(values: np.ndarray, q: int, rule: Rule, boundaries, name: str) -> Bits:
    """An array in memory, packed by blocks of rows."""
    maker = bit_maker(values, q, rule, name)
    ends = segment_ends(boundaries, values.shape[1])
    words = [pack_segments(maker(block), ends * maker.width)[0] for block in row_chunks(values)]
    word_ends = np.cumsum(-(-np.diff([0, *ends * maker.width]) // 64))
    packed = PackedBits(
        frozen(words[0] if len(words) == 1 else np.concatenate(words)),
        frozen(word_ends),
        ends * maker.per_column,
        int(q > 2),
    )
    varying = unpacked(packed.varying_bits(), ends * maker.width, word_ends)
    return Bits(packed, ends * maker.per_column, count_varying(varying, ends, maker), q, maker.coding)


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
        from .binarize import settled

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


def _check_table(values, name: str) -> None:
    if values.ndim != 2:
        raise DataError(
            f"{name} has shape {tuple(values.shape)}: bits are a table (items, bits); flatten all but the "
            f"first dimension, {name}.reshape(len({name}), -1)"
        )
    if 0 in tuple(values.shape):
        raise DataError(f"{name} is empty, shape {tuple(values.shape)}")


# --------------------------------------------------------------------------------------------------------------- packed
def _packed(space: Space, q: int, n_bits, rule: Rule, boundaries, name: str) -> Bits:
    if q != 2 or rule is not None or n_bits is not None:
        raise ParameterError(f"{name} is packed bits already: leave out q, n_bits and binarize")
    d = int(space.n_bits or 0)
    if boundaries is not None:  # segments begin with words of their own
        wide = np.unpackbits(space.features.view(np.uint8), axis=1)[:, :d].astype(bool)
        bits = bits_of_array(wide, 2, None, boundaries, name)
        packed, ends, varying = bits.packed, bits.n_bits, bits.n_varying
    else:
        packed, ends = PackedBits.of(space), np.array([d])
        varying = np.array([int(np.unpackbits(packed.varying_bits().view(np.uint8)).sum())])
    if space.sample_weight is not None:
        warn(f"the sample weights of {name} are not used")
    return Bits(packed, ends, varying, 2, "packed bits", space.run, space.time)
