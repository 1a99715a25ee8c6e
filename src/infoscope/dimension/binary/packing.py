"""What the user brought as bits: two values, packed bytes, states, or numbers and a rule that makes bits of them."""

from __future__ import annotations

import numpy as np

from infoscope.base import DataError, ParameterError, check_positive_int
from infoscope.neighbors import Space, tensors
from infoscope.neighbors.bits import PackedBits, frozen, pack_segments
from infoscope.neighbors.convert import kind_of, to_columns
from infoscope.neighbors.weighting import refuse_weights

from .binarize import Rule
from .bit_maker import Bits, bit_maker, count_varying, row_chunks, segment_ends, unpacked


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
    space = refuse_weights(X, "a histogram of pairs counts every item once") if isinstance(X, Space) else None
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
    return Bits(bits.packed, bits.n_bits, bits.n_varying, q, bits.coding, run, time)


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


# --------------------------------------------------------------------------------------------------------------- steps
def _check_table(values, name: str) -> None:
    if values.ndim != 2:
        raise DataError(
            f"{name} has shape {tuple(values.shape)}: bits are a table (items, bits); flatten all but the "
            f"first dimension, {name}.reshape(len({name}), -1)"
        )
    if 0 in tuple(values.shape):
        raise DataError(f"{name} is empty, shape {tuple(values.shape)}")


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
    return Bits(packed, ends, varying, 2, "packed bits", space.run, space.time)
