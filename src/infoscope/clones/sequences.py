"""Sequences as models take them: whole numbers from 0 to V - 1, and -1 where there is only padding."""

from __future__ import annotations

from typing import Any

import numpy as np

from infoscope.base import DataError

from .token_arrays import check_tokens

PADDING = -1


def check_sequences(
    tokens: Any, n_tokens: int | None = None, *, length: int | None = None, min_sequences: int = 1
) -> tuple[np.ndarray, int]:
    """Sequences whose sites may be padding, which is never scored and never drawn.

    Parameters
    ----------
    tokens : array (n, L) of int
        Ids from 0 to V - 1; -1 is padding.
    n_tokens : int, optional
        V; by default one more than the largest id.
    length : int, optional
        L, where a model has one already.
    min_sequences : int
        Fewest rows that will do.

    Returns
    -------
    tokens : array (n, L) of int32
        A copy.
    n_tokens : int
        V.

    Raises
    ------
    DataError
        As `check_tokens`; another number of sites than `length`; a sequence that is all padding.

    Examples
    --------
    >>> from infoscope.clones.sequences import check_sequences
    >>> check_sequences([[0, 2, 1], [1, 0, -1]])[1]
    3
    """
    given = np.asarray(tokens)
    padded = given.ndim == 2 and given.dtype.kind == "i" and bool((given == PADDING).any())
    read, n_tokens = check_tokens(
        np.where(given == PADDING, 0, given) if padded else tokens, n_tokens, min_sequences=min_sequences
    )
    if length is not None and read.shape[1] != length:
        raise DataError(f"sequences have {read.shape[1]} sites, and the model knows {length}: cut them to {length}")
    read = np.where(given == PADDING, PADDING, read) if padded else read
    empty = np.flatnonzero((read == PADDING).all(axis=1))
    if len(empty):
        raise DataError(f"row {empty[0]} is all padding ({len(empty)} such rows): leave it out")
    return np.array(read, np.int32), n_tokens
