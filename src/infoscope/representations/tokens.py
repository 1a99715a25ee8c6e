"""From the states of all tokens to one vector an item, and what tokens tell about each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from infoscope.base import DataError, ParameterError
from infoscope.base.checks import check_choice, check_positive_int

from .comparison_results import LayerComparison
from .layer_comparison import compare_layers
from .layers import spell_names
from .token_controls import compare_controls
from .token_results import ControlledTokens

POOLS = ("mean", "last", "first", "last_n", "mean_last_n", "window")


def spell_number(item: int) -> str:
    """An item by its number, where nothing else is known of it."""
    return f"item {item}"


class Tokens(NamedTuple):
    """Tokens of all items, one after the other, without padding.

    Attributes
    ----------
    values : array (sum of lengths, E)
    starts : array (N + 1,) of int
        Where those of an item begin.
    spell : callable
        What messages call an item.
    """

    values: np.ndarray
    starts: np.ndarray
    spell: Callable[[int], str] = spell_number

    @property
    def lengths(self) -> np.ndarray:
        return np.diff(self.starts)

    def at(self, place: int) -> np.ndarray:
        """One token of every item: places from 0, or from -1 backwards; array (N, E)."""
        return self.values[(self.starts[1:] if place < 0 else self.starts[:-1]) + place]

    def window(self, places: Sequence[int]) -> np.ndarray:
        """Several tokens of every item, one after the other; array (N, tokens * E)."""
        return np.concatenate([self.at(place) for place in places], axis=1)


def read_tokens(
    states: Any, mask: Any = None, skip_first: int = 0, spell: Callable[[int], str] = spell_number
) -> Tokens:
    """Tokens from a padded array with its mask, or from a list of arrays, without the first ones of every item.

    Raises
    ------
    DataError
        Shapes that do not go together, items without tokens, or with no more than are left out, states that are not
        finite; item and token are named.
    """
    if mask is None and not hasattr(states, "ndim"):
        parts = [np.asarray(one) for one in states]
        if not parts or any(one.ndim != 2 or one.shape[1] != parts[0].shape[1] for one in parts):
            raise DataError("give the tokens of every item as an array (tokens, features) with the same features")
        values, lengths = np.concatenate(parts), np.array([len(one) for one in parts])
    else:
        x = np.asarray(states)
        if x.ndim != 3:
            raise DataError(f"states have {x.ndim} dimensions: give (items, tokens, features), or a list of arrays")
        kept = np.ones(x.shape[:2], bool) if mask is None else np.asarray(mask).astype(bool)
        if kept.shape != x.shape[:2]:
            raise DataError(f"mask is {kept.shape} and states are {x.shape}: one entry a token of every item")
        values, lengths = x[kept], kept.sum(1)
    empty = np.flatnonzero(lengths == 0)
    if len(empty):
        raise DataError(f"{spell(int(empty[0]))} has no tokens ({len(empty)} such items): leave it out of all models")
    starts = np.concatenate([[0], np.cumsum(lengths)])
    wrong = np.flatnonzero(~np.isfinite(values).all(1))
    if len(wrong):
        item = int(np.searchsorted(starts, wrong[0], side="right")) - 1
        raise DataError(
            f"token {wrong[0] - starts[item]} of {spell(item)} is not finite ({len(wrong)} such tokens): half "
            "precision overflows at 65,504; extract in bfloat16 or float32"
        )
    tokens = Tokens(values.astype(np.float32 if values.dtype.itemsize < 4 else values.dtype), starts, spell)
    return _without_first(tokens, check_positive_int(skip_first, "skip_first")) if skip_first else tokens


def pool_tokens(
    states: Any,
    mask: Any = None,
    *,
    how: str = "mean",
    n: int = 10,
    start: int = 0,
    stop: int | None = None,
    skip_first: int = 0,
) -> np.ndarray:
    """One vector an item from the states of its tokens, whatever the side of the padding.

    Parameters
    ----------
    states : array (N, T, E), or list of arrays (T_i, E)
        States of all tokens.
    mask : array (N, T), optional
        Nonzero where a token is no padding.
    how : {"mean", "last", "first", "last_n", "mean_last_n", "window"}
        Mean over tokens; the last or first one; the last `n` one after the other, or their mean; the tokens from
        `start` to `stop` one after the other.
    n : int
        Tokens of "last_n" and "mean_last_n".
    start, stop : int, int or None
        Of "window", as of a slice: -5 counts from the end.
    skip_first : int
        Tokens that are left out first, as those that causal models park attention on.

    Returns
    -------
    array (N, E) or (N, tokens * E)

    Raises
    ------
    DataError
        Items with too few tokens, without tokens, or with states that are not finite.
    ParameterError
        A window without tokens, or whose length differs from item to item.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.representations import pool_tokens
    >>> states = np.arange(12.0).reshape(2, 3, 2)
    >>> pool_tokens(states, mask=[[0, 1, 1], [1, 1, 1]], how="mean").tolist()          # padded on the left
    [[3.0, 4.0], [8.0, 9.0]]
    >>> pool_tokens(states, how="window", start=-2).tolist()
    [[2.0, 3.0, 4.0, 5.0], [8.0, 9.0, 10.0, 11.0]]
    """
    return join_tokens(read_tokens(states, mask, skip_first), how, n=n, start=start, stop=stop)


def join_tokens(tokens: Tokens, how: str, *, n: int = 10, start: int = 0, stop: int | None = None) -> np.ndarray:
    """One vector an item from tokens that were read, as `pool_tokens` says."""
    check_choice(how, "how", POOLS)
    if how == "mean":
        return _means(tokens, tokens.lengths)
    if how == "mean_last_n":
        return _means(tokens, np.minimum(tokens.lengths, check_positive_int(n, "n")))
    if how in ("first", "last"):
        return tokens.at(0 if how == "first" else -1)
    places = range(-check_positive_int(n, "n"), 0) if how == "last_n" else _window(start, stop)
    check_lengths(tokens, places)
    return tokens.window(places)


def token_lag_imbalance(
    states: Any,
    mask: Any = None,
    *,
    lags: Sequence[int] = (1, 2, 5),
    skip_first: int = 0,
    controls: Mapping[str, Any] | None = None,
    **options: Any,
) -> LayerComparison | ControlledTokens:
    """What earlier tokens tell about the last one, and back: how far do correlations reach?

    Parameters
    ----------
    states, mask, skip_first
        As for `pool_tokens`.
    lags : sequence of int
        Tokens before the last.
    controls : mapping of str to states or (states, mask), optional
        The same items seen by an untrained model, with shuffled words, ...: what is due to the model or the text alone.
    **options
        Of `compare_layers`; its measures are the imbalances by default.  With controls `k`, `metric`, `preprocess` and
        `n_jobs`.

    Returns
    -------
    LayerComparison
        "a" are the tokens at every lag, "b" is the last token: ``a_to_b`` says what a token tells about one that comes
        later, ``b_to_a`` the reverse, ``asymmetry`` their difference with its error.
    ControlledTokens
        With controls: the same numbers of all, and the differences to each control, paired by item.

    Raises
    ------
    DataError
        Items with too few tokens.
    ParameterError
        Lags that are no whole numbers from 1.

    Notes
    -----
    In a causal model the last token has seen the earlier ones, which makes it tell about them whatever it has learnt:
    show the same of an untrained model, and of shuffled words, beside it (`controls`).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.representations import token_lag_imbalance
    >>> walk = np.random.default_rng(0).normal(size=(300, 12, 4)).cumsum(1)            # each token adds to the last
    >>> found = token_lag_imbalance(walk, lags=[1, 8], random_state=0)
    >>> found.table("a_to_b").ravel().round(1).tolist()
    [0.2, 0.7]
    """
    numbers = [check_positive_int(lag, "lags") for lag in lags]
    if not numbers or len(set(numbers)) < len(numbers):
        raise ParameterError(f"lags is {lags!r}: name at least one, and each once")

    def layers(tokens: Tokens) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        check_lengths(tokens, [-1 - max(numbers)])
        return {f"lag {lag}": tokens.at(-1 - lag) for lag in numbers}, {"last": tokens.at(-1)}

    return _compare(layers, states, mask, skip_first, controls, options)


def window_asymmetry(
    states: Any,
    mask: Any = None,
    *,
    past: slice = slice(0, 5),
    future: slice = slice(-5, None),
    skip_first: int = 0,
    controls: Mapping[str, Any] | None = None,
    **options: Any,
) -> LayerComparison | ControlledTokens:
    """Do the first tokens tell more about the last than the last about the first?

    Parameters
    ----------
    states, mask, skip_first
        As for `pool_tokens`.
    past, future : slice
        Tokens that are put one after the other.
    controls : mapping of str to states or (states, mask), optional
        The same items seen by an untrained model, with shuffled words, ...: what is due to the model or the text alone.
    **options
        Of `compare_layers`; its measures are the imbalances by default.  With controls `k`, `metric`, `preprocess` and
        `n_jobs`.

    Returns
    -------
    LayerComparison
        "a" is the past and "b" the future: ``asymmetry`` below 0 says that the past tells more.
    ControlledTokens
        With controls: the same numbers of all, and the differences to each control, paired by item.

    Raises
    ------
    DataError
        Items with too few tokens, or in which both windows share a token.
    ParameterError
        Windows whose length differs from item to item.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.representations import window_asymmetry
    >>> states = np.random.default_rng(0).normal(size=(200, 12, 3))
    >>> found = window_asymmetry(states, random_state=0)                               # nothing tells anything
    >>> bool(abs(found.asymmetry[0, 0]) < 3 * found.asymmetry_se[0, 0])
    True
    """
    if past.step not in (None, 1) or future.step not in (None, 1):
        raise ParameterError("past and future are slices of neighbouring tokens, without a step")
    windows = [_window(one.start or 0, one.stop) for one in (past, future)]

    def layers(tokens: Tokens) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        for places in windows:
            check_lengths(tokens, places)
        _check_apart(tokens, windows)
        a, b = (tokens.window(one) for one in windows)
        return {"past": a}, {"future": b}

    return _compare(layers, states, mask, skip_first, controls, options)


# --------------------------------------------------------------------------------------------------------------- steps
def _compare(layers: Callable[[Tokens], Any], states, mask, skip_first, controls, options):
    """Layers of tokens compared: alone with shuffles, or beside those of controls."""
    a, b = layers(read_tokens(states, mask, skip_first))
    if controls is None:
        return compare_layers(a, b, **({"measures": "imbalance"} | options))
    if not isinstance(controls, Mapping) or not controls:
        raise ParameterError("controls is no mapping of names to states: {'untrained': states}")
    conditions = {"given": (a, b)}
    for name, key in list(spell_names((*conditions, *controls), "controls, beside what is given,").items())[1:]:
        own, its_mask = one if isinstance(one := controls[key], tuple) else (one, None)
        try:
            conditions[name] = layers(read_tokens(own, its_mask, skip_first))
        except DataError as error:
            raise DataError(f"control {name}: {error}") from error
    return compare_controls(conditions, **options)


def _check_apart(tokens: Tokens, windows: list[range]) -> None:
    ends = [np.where(np.array(one) < 0, tokens.lengths[:, None] + np.array(one), np.array(one)) for one in windows]
    shared = np.flatnonzero(ends[0].max(1) >= ends[1].min(1))
    if len(shared):
        raise DataError(
            f"past and future share a token of {tokens.spell(int(shared[0]))} ({len(shared)} such items): take "
            "shorter windows, or leave out items with few tokens"
        )


def _without_first(tokens: Tokens, number: int) -> Tokens:
    check_lengths(tokens, [number])
    kept = np.ones(len(tokens.values), bool)
    for place in range(number):
        kept[tokens.starts[:-1] + place] = False
    return Tokens(tokens.values[kept], tokens.starts - number * np.arange(len(tokens.starts)), tokens.spell)


def _means(tokens: Tokens, last: np.ndarray) -> np.ndarray:
    """Means over the last tokens of every item, in double precision until they are divided."""
    ends = tokens.starts[1:]
    places = zip(ends - last, ends, strict=True)  # items are long and many: a sum each is faster than sums of all
    sums = np.stack([tokens.values[first:end].sum(0, dtype=np.float64) for first, end in places])
    return (sums / last[:, None]).astype(tokens.values.dtype)


def _window(start: int, stop: int | None) -> range:
    """Places of a window of one length, whatever the length of the item."""
    end = 0 if stop is None else stop
    if (start < 0) == (end < 0 or stop is None) and end > start:
        return range(start, end)
    raise ParameterError(
        f"the window from {start} to {stop} has no tokens, or another number of them in every item: count both ends "
        "from the start (0, 5), or both from the end (-5, None)"
    )


def check_lengths(tokens: Tokens, places: Sequence[int]) -> None:
    needed = max(-min(places), max(places) + 1)
    short = np.flatnonzero(tokens.lengths < needed)
    if len(short):
        raise DataError(
            f"{tokens.spell(int(short[0]))} has {tokens.lengths[short[0]]} tokens, and {needed} are needed "
            f"({len(short)} of {len(tokens.lengths)} items are too short): leave these out of all models, or ask for "
            "fewer tokens"
        )
