"""Clones that need no model: independent tokens, Markov chains, shuffles within windows."""

from __future__ import annotations

from typing import Any

import numpy as np

from infoscope.base import check_positive_int, check_random_state

from .token_arrays import check_order, check_tokens


def independent_clone(
    tokens: Any, n_sequences: int | None = None, *, by_site: bool = True, random_state: Any = None
) -> np.ndarray:
    """Sequences of independent tokens: order 1.

    Parameters
    ----------
    tokens : array (n, L) of int
        The data.
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
    read, _ = check_tokens(tokens, _alphabet(tokens))
    n = len(read) if n_sequences is None else check_positive_int(n_sequences, "n_sequences")
    rng, length = check_random_state(random_state), read.shape[1]
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
        The data.
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
    read, _ = check_tokens(tokens, _alphabet(tokens))
    length = read.shape[1]
    context = check_order(context, length - 1, "context")
    n = len(read) if n_sequences is None else check_positive_int(n_sequences, "n_sequences")
    rng = check_random_state(random_state)
    followers = [_Followers(read, size) for size in range(context, 0, -1)]
    pooled = read[:, context:].ravel()
    clone = np.empty((n, length), read.dtype)
    clone[:, :context] = read[rng.integers(len(read), size=n), :context]
    for site in range(context, length):
        u = rng.random(n)
        clone[:, site] = pooled[(u * len(pooled)).astype(np.int64)]
        open_rows = np.arange(n)
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
        The data.
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
    read, _ = check_tokens(tokens, _alphabet(tokens))
    window = check_order(window, read.shape[1], "window")
    rng, clone = check_random_state(random_state), read.copy()
    for start in range(0, read.shape[1], window):
        clone[:, start : start + window] = rng.permuted(read[:, start : start + window], axis=1)
    return clone


# --------------------------------------------------------------------------------------------------------------- steps
def _alphabet(tokens: Any) -> int:
    """Constant data may be cloned as well: two tokens at least."""
    array = np.asarray(tokens)
    return max(2, int(array.max()) + 1) if array.size and array.dtype.kind in "iu" else 2


class _Followers:
    """Which tokens followed each context of one size."""

    def __init__(self, tokens: np.ndarray, size: int) -> None:
        self.size = size
        windows = np.lib.stride_tricks.sliding_window_view(tokens, size + 1, axis=1).reshape(-1, size + 1)
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
