"""Bits of tensors on a device and of Dask arrays: read and packed where they are."""

from __future__ import annotations

import numpy as np

from infoscope.base import DataError, ParameterError, require
from infoscope.neighbors import DaskBits, TorchBits, frozen, pack_segments, task

from .binarize import Rule, settled
from .bit_maker import BitMaker, Bits, bit_maker, count_varying, segment_ends, unpacked

MOST_VALUES = 66  # of a chunk, from which it is clear that they are no states


def bits_of_tensor(values, q: int, rule: Rule, boundaries, name: str) -> Bits:
    """Signs of a tensor, on its device."""
    import torch

    found = None
    if rule is None:
        if values.is_floating_point() and not bool(values.isfinite().all()):
            row, column = (~values.isfinite()).nonzero()[0].tolist()
            raise DataError(f"{name} holds NaN or an infinite number in row {row}, column {column}: remove that row")
        found = torch.unique(values)[:MOST_VALUES].cpu().numpy()
    maker = _maker(values, found, q, rule, name)
    kind, what = maker.rule
    if kind == "value":
        bits = values == what
    elif kind == "states":
        bits = (values[:, :, None] == torch.arange(what, device=values.device)).reshape(len(values), -1)
    else:
        bits = maker(values)
    ends = segment_ends(boundaries, int(values.shape[1]))
    packed = TorchBits(bits.to(torch.int8) * 2 - 1, ends * maker.width, ends * maker.per_column, int(q > 2))
    varying = count_varying(packed.varying_columns(), ends, maker)
    return Bits(packed, ends * maker.per_column, varying, q, maker.coding)


def bits_of_chunks(values, q: int, rule: Rule, boundaries, name: str) -> Bits:
    """Packed chunks of a Dask array, kept on the workers."""
    dask = require("dask", "cluster")
    if any(np.isnan(size) for size in values.shape):
        values = values.copy().compute_chunk_sizes()
    values = values.rechunk({1: -1})
    chunks, heights = list(values.to_delayed().ravel()), np.asarray(values.chunks[0])
    starts = np.concatenate([[0], np.cumsum(heights)]).tolist()
    found = None
    if rule is None:
        pieces = dask.compute(*[task(_values)(c, at, name) for c, at in zip(chunks, starts[:-1], strict=True)])
        found = np.unique(np.concatenate(pieces))
    maker = _maker(values, found, q, rule, name)
    ends = segment_ends(boundaries, int(values.shape[1]))
    words = list(
        dask.persist(
            *[task(_words)(c, maker, ends * maker.width, at, name) for c, at in zip(chunks, starts[:-1], strict=True)]
        )
    )
    word_ends = frozen(np.cumsum(-(-np.diff([0, *ends * maker.width]) // 64)))
    packed = DaskBits(words, heights, word_ends, ends * maker.per_column, int(q > 2))
    varying = unpacked(packed.varying_bits(), ends * maker.width, word_ends)
    return Bits(packed, packed.longest, count_varying(varying, ends, maker), q, maker.coding)


def _maker(values, found, q: int, rule: Rule, name: str) -> BitMaker:
    """How to make bits; `found` are the values there are, and tell what an array would."""
    if rule is not None:
        what = settled(values, rule, name)
        width = 2 if what.width is not None else 1
        return BitMaker(("rule", what), width, width, f"numbers, {what.words}")
    if str(values.dtype).endswith("bool"):
        return BitMaker(("value", True), 1, 1, "False and True")
    try:
        return bit_maker(np.asarray(found)[None], q, None, name)
    except DataError as error:
        text = str(error).split(" in row ")[0] if " in row " in str(error) else str(error)
        raise type(error)(text) from None


def _values(chunk, first: int, name: str) -> np.ndarray:
    if chunk.dtype.kind not in "biuf":
        raise ParameterError(f"{name} has dtype {chunk.dtype}: pass numbers or booleans")
    _check_finite(chunk, first, name)
    return np.unique(chunk)[:MOST_VALUES]


def _words(chunk, maker: BitMaker, ends, first: int, name: str) -> np.ndarray:
    _check_finite(chunk, first, name)
    return pack_segments(maker(chunk), ends)[0]


def _check_finite(chunk, first: int, name: str) -> None:
    if chunk.dtype.kind == "f" and not np.isfinite(chunk).all():
        row, column = np.argwhere(~np.isfinite(chunk))[0].tolist()
        raise DataError(
            f"{name} holds NaN or an infinite number in row {first + row}, column {column}: remove that row"
        )
