"""States of a batch in one layer, and how they become vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from infoscope.base import DataError, ParameterError
from infoscope.base.checks import check_choice

from .items import Items
from .tokens import POOLS, join_tokens, read_tokens

MOST_BEFORE = 16  # class and register tokens of a picture
SHOWN = 20  # characters of a token in a message


class States(NamedTuple):
    """What a layer made of a batch.

    Attributes
    ----------
    values : array (items, tokens, features), or (items, features)
        The states.
    mask : array (items, tokens) or None
        Nonzero where a token is no padding.
    before : int or None
        Class and register tokens before the patches of a picture; None of what has no patches.
    """

    values: np.ndarray
    mask: np.ndarray | None = None
    before: int | None = None


Hear = Callable[[str, States], None]


class Pooling(NamedTuple):
    """How tokens of an item become one vector, in one way or several.

    Attributes
    ----------
    pools : tuple of str
        Ways, as for `pool_tokens`.
    n, start, stop, skip_first : int
        As for `pool_tokens`.
    """

    pools: tuple[str, ...]
    n: int = 10
    start: int = 0
    stop: int | None = None
    skip_first: int = 0

    def describe(self) -> dict[str, Any]:
        """What a store depends on."""
        return {"n": self.n, "start": self.start, "stop": self.stop, "skip_first": self.skip_first}

    def vectors(self, layer: str, states: States, batch: Items, tokens: Sequence[Any] = ()) -> dict[str, np.ndarray]:
        """Vectors of a batch, by pool.

        Raises
        ------
        DataError
            States that are not finite (layer, item and token are named), too few tokens, other shapes.
        """
        x, mask = states.values, states.mask
        if x.ndim == 2 and mask is not None and len(x) == mask.size and mask.shape[1] > 1:
            x = x.reshape(*mask.shape, x.shape[1])  # a layer that takes all tokens as rows
        if x.ndim == 2 and len(x) == len(batch.ids):
            return dict.fromkeys(self.pools, x)  # one vector an item already
        if x.ndim != 3 or len(x) != len(batch.ids) or (mask is not None and x.shape[:2] != mask.shape):
            raise DataError(f"{layer} gives states of shape {x.shape}: (items, tokens, features) are needed")
        try:
            return self._pooled(x, mask, states.before, batch.spell)
        except DataError as error:
            raise DataError(f"layer {layer}: {error}{_token_at(x, mask, tokens)}") from error

    def _pooled(
        self, x: np.ndarray, mask: np.ndarray | None, before: int | None, spell: Callable[[int], str]
    ) -> dict[str, np.ndarray]:
        """Vectors of each pool; the first token of a picture is that of its class, the others are its patches."""
        of_class = {"first"} if before is not None else set()
        found = {}
        if of_class.intersection(self.pools):
            if not before:
                raise DataError("the network has no class token before the patches, which pool='first' is: use 'mean'")
            found["first"] = join_tokens(read_tokens(x[:, :1], None, spell=spell), "first")
        others = [one for one in self.pools if one not in of_class]
        if others:
            read = read_tokens(x[:, before or 0 :], mask, self.skip_first, spell)
            found |= {one: join_tokens(read, one, n=self.n, start=self.start, stop=self.stop) for one in others}
        return found


def make_pooling(pool: str | Sequence[str], **options: Any) -> Pooling:
    """A pooling of known ways."""
    pools = (pool,) if isinstance(pool, str) else tuple(pool)
    for one in pools:
        check_choice(one, "pool", POOLS)
    if not pools:
        raise ParameterError(f"pool names no way: it is one of {', '.join(POOLS)}, or several")
    return Pooling(pools, **options)


def patch_tokens(shape: Sequence[int], picture: tuple[int, ...], patch: tuple[int, int] | None) -> int | None:
    """How many of the tokens (items, tokens, features) come before the patches of a picture.

    Examples
    --------
    >>> from infoscope.representations.states import patch_tokens
    >>> patch_tokens((1, 257, 384), (224, 224), (14, 14))
    1
    """
    if len(shape) != 3 or patch is None:
        return None
    before = int(shape[1]) - (picture[0] // patch[0]) * (picture[1] // patch[1])
    return before if 0 <= before <= MOST_BEFORE else None


# --------------------------------------------------------------------------------------------------------------- steps
def _token_at(x: np.ndarray, mask: np.ndarray | None, tokens: Sequence[Any]) -> str:
    """The first token whose states are not finite, as the tokenizer writes it."""
    wrong = ~np.isfinite(x).all(2)
    if mask is not None:
        wrong &= mask != 0
    if not len(tokens) or not wrong.any():
        return ""
    row, column = np.argwhere(wrong)[0]
    return f" (the token is {str(tokens[row][column])[:SHOWN]!r})" if column < len(tokens[row]) else ""
