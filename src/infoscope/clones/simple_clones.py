"""Clones that need no model: independent tokens, Markov chains, shuffles within windows."""

from __future__ import annotations

from typing import Any

import numpy as np

from infoscope.base import check_positive_int, check_random_state

from .sequences import PADDING, check_sequences
from .token_arrays import check_order, check_tokens


def independent_clone(
    tokens: Any, n_sequences: int | None = None, *, by_site: bool = True, random_state: Any = None
) -> np.ndarray:
    """Sequences of independent tokens: order 1.

    Parameters
    ----------
    tokens : array (n, L) of int
        The data; -1 is padding, and each sequence has that of one of the data.
    n_sequences : int, optional
        How many to draw; as many as there are by default.
    by_site : bool
        Whether each site keeps its own frequencies; else those of all sites together, as fits windows of a text.
    random_state : int, Generator, optional

    Returns
    -------
    array (n_sequences, L), of the type of the tokens

    Examples
    --------
    >>> from infoscope.clones import independent_clone
    >>> independent_clone([[0, 1], [0, 1], [2, 1]], 4, random_state=0)[:, 1]
    array([1, 1, 1, 1])
    """
    read, padded = _read(tokens)
    n = len(read) if n_sequences is None else check_positive_int(n_sequences, "n_sequences")
    rng, length = check_random_state(random_state), read.shape[1]
    if padded:
        clone, u = read[rng.integers(len(read), size=n)], rng.random((n, length))
        for site in range(length):
            known = _tokens_of(read[:, site] if by_site else read)
            rows = np.flatnonzero(clone[:, site] != PADDING)
            clone[rows, site] = known[(u[rows, site] * len(known)).astype(np.int64)]
        return clone
    sites = np.arange(length) if by_site else rng.integers(length, size=(n, length))
    return read[rng.integers(len(read), size=(n, length)), sites]


def markov_clone(
    tokens: Any, n_sequences: int | None = None, *, context: int = 1, random_state: Any = None
) -> np.ndarray:
    """Sequences in which a token depends on the few before it: n-grams of context + 1 tokens.

    Frequencies are those of all sites together.  A sequence starts with the first tokens of one of the data; every
    other token is one that followed the same context somewhere, or a shorter end of it where the data end with it.

    Parameters
    ----------
    tokens : array (n, L) of int
        The data; -1 is padding, and each sequence has that of the one it starts with.  Nothing follows padding: a token
        behind it is drawn by its frequency.
    n_sequences : int, optional
        How many to draw; as many as there are by default.
    context : int
        How many tokens before.
    random_state : int, Generator, optional

    Returns
    -------
    array (n_sequences, L), of the type of the tokens

    Examples
    --------
    >>> from infoscope.clones import markov_clone
    >>> markov_clone([[0, 1, 2, 0, 1, 2]], 2, random_state=0)
    array([[0, 1, 2, 0, 1, 2],
           [0, 1, 2, 0, 1, 2]])
    """
    read, _ = _read(tokens)
    length = read.shape[1]
    context = check_order(context, length - 1, "context")
    n = len(read) if n_sequences is None else check_positive_int(n_sequences, "n_sequences")
    rng = check_random_state(random_state)
    followers = [_Followers(read, size) for size in range(context, 0, -1)]
    pooled = _tokens_of(read[:, context:])
    clone = read[rng.integers(len(read), size=n)]
    for site in range(context, length):
        u = rng.random(n)
        open_rows = np.flatnonzero(clone[:, site] != PADDING)
        clone[open_rows, site] = pooled[(u[open_rows] * len(pooled)).astype(np.int64)]
        for known in followers:
            drawn, seen = known.draw(clone[open_rows, site - known.size : site], u[open_rows])
            clone[open_rows[seen], site] = drawn[seen]
            open_rows = open_rows[~seen]
    return clone


def shuffled_clone(tokens: Any, window: int, *, random_state: Any = None) -> np.ndarray:
    """The sequences with their tokens in random order within windows: what is near stays near, in no order.

    Parameters
    ----------
    tokens : array (n, L) of int
        The data; -1 is padding, which stays.
    window : int
        Sites of a window; the last of a sequence may be shorter.
    random_state : int, Generator, optional

    Returns
    -------
    array (n, L), of the type of the tokens

    Examples
    --------
    >>> from infoscope.clones import shuffled_clone
    >>> shuffled_clone([[0, 1, 2, 3, 4, 5]], 3, random_state=0)
    array([[2, 0, 1, 5, 4, 3]])
    """
    read, padded = _read(tokens)
    window = check_order(window, read.shape[1], "window")
    rng, clone = check_random_state(random_state), read.copy()
    for start in range(0, read.shape[1], window):
        part = read[:, start : start + window]
        if padded:  # tokens in random order go to where tokens were
            from_, to = (np.argsort(keys, axis=1, kind="stable") for keys in (
                np.where(part == PADDING, 2.0, rng.random(part.shape)), part == PADDING,
            ))  # fmt: skip
            np.put_along_axis(clone[:, start : start + window], to, np.take_along_axis(part, from_, axis=1), axis=1)
        else:
            clone[:, start : start + window] = rng.permuted(part, axis=1)
    return clone


# --------------------------------------------------------------------------------------------------------------- steps
def _read(tokens: Any) -> tuple[np.ndarray, bool]:
    """Sequences in the type of the tokens, and whether there is padding."""
    array = np.asarray(tokens)
    if array.dtype.kind == "i" and (array == PADDING).any():
        return check_sequences(tokens, _alphabet(tokens))[0].astype(array.dtype), True
    return check_tokens(tokens, _alphabet(tokens))[0], False


def _tokens_of(sequences: np.ndarray) -> np.ndarray:
    """All that is no padding."""
    return sequences[sequences != PADDING] if sequences.dtype.kind == "i" else sequences.ravel()


def _alphabet(tokens: Any) -> int:
    """Constant data may be cloned as well: two tokens at least."""
    array = np.asarray(tokens)
    return max(2, int(array.max()) + 1) if array.size and array.dtype.kind in "iu" else 2


class _Followers:
    """Which tokens followed each context of one size."""

    def __init__(self, tokens: np.ndarray, size: int) -> None:
        self.size = size
        windows = np.lib.stride_tricks.sliding_window_view(tokens, size + 1, axis=1).reshape(-1, size + 1)
        if tokens.dtype.kind == "i":
            windows = windows[(windows != PADDING).all(axis=1)]
        self._contexts, code = np.unique(windows[:, :size], axis=0, return_inverse=True)
        order = np.argsort(code.ravel(), kind="stable")
        self._next = windows[order, size]
        self._starts = np.searchsorted(code.ravel()[order], np.arange(len(self._contexts) + 1))

    def draw(self, contexts: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A follower of each context, and whether it was ever followed."""
        place = _rows_among(contexts, self._contexts)
        seen = place >= 0
        first, stop = self._starts[place], self._starts[place + 1]
        return self._next[np.minimum(first + (u * (stop - first)).astype(np.int64), stop - 1)], seen


def _rows_among(rows: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Number of each row among rows that are all different; -1 where it is none of them."""
    _, code = np.unique(np.concatenate([known, rows]), axis=0, return_inverse=True)
    code = code.ravel()
    place = np.full(code.max() + 1, -1)
    place[code[: len(known)]] = np.arange(len(known))
    return place[code[len(known) :]]
