"""How many items alike in a nuisance may change places: as many as leave what the nuisance does as it is.

Under the null items of b stand where others like them in the nuisance stood.  Where these are not alike enough, it
lacks some of what the nuisance alone makes two layers share: its imbalances are too large, and p-values too small.  By
how much is seen when places are changed twice: the nuisance then differs more, and the mean of the null rises again.

It rises by less than it has already risen: items that are near none but each other change back, and an imbalance that
grows with the difference itself, not with its square, has 1/(sqrt(2) - 1) times that behind it.  And what is seen in
some hundred shuffles is uncertain by a tenth of a standard deviation, of which the largest number that passes has had
the luckiest.  So where a narrower number has to be looked for, the next narrower than the one that passes is taken;
and half of the widest, where its mean rises by little.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from infoscope.neighbors import NeighborGraph
from infoscope.statistics import shuffle_among_neighbors

WIDTHS = (10, 7, 5, 4, 3)  # that are tried, the item itself counted
NARROWEST = 2
RISE = 0.075  # standard deviations of the null by which its mean may be seen to rise
LITTLE = 0.02  # the same, up to which the widest is taken
FEWEST_SHUFFLES = 200  # from which a rise is found
NARROW = (
    "the nuisance is much of what the layers hold: at {n} items the {wider} most alike may still differ too much in "
    "it. Items changed places with the most alike one alone, which finds less of what else is shared; some {needed:,} "
    "items would allow n_like={widest}"
)
TOO_WIDE = (
    "the nuisance still differs among n_like={width} items: the null is about {rise:.1f} standard deviations too "
    "large, and p-values are too small; n_like='auto' finds a number that does"
)

Null = Callable[[list[np.ndarray]], np.ndarray]  # orders to imbalances (2, K, L_A, L_B)


class Width(NamedTuple):
    """How many items may change places.

    Attributes
    ----------
    n_like : int
        With the item itself.
    warnings, notes : tuple of str
        What is to be said of it.
    """

    n_like: int
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def choose_width(
    like: NeighborGraph, n_like: int | str, null: Null, n_shuffles: int, generator: np.random.Generator
) -> Width:
    """The number of items at which the null lacks nothing that is seen; one that is given is looked at.

    Parameters
    ----------
    like : NeighborGraph
        The items most alike in the nuisance, as many as there may be, and all that are tied with the last.
    n_like : int or "auto"
    null : callable
        From orders of the items of b to imbalances (2, K, L_A, L_B).
    n_shuffles : int
        At every width.
    generator : numpy.random.Generator
    """
    n_shuffles = max(n_shuffles, FEWEST_SHUFFLES)

    def rise_at(width: int) -> float:
        once = [shuffle_among_neighbors(some_of(like, width - 1, generator), generator) for _ in range(n_shuffles)]
        twice = [first[second] for first, second in zip(once, [*once[1:], once[0]], strict=True)]
        return _rise(null(twice), null(once))

    if not isinstance(n_like, str):
        rise = rise_at(n_like)
        return Width(n_like, () if rise <= RISE else (TOO_WIDE.format(width=n_like, rise=rise),))
    widths = [width for width in WIDTHS if width <= int(np.diff(like.indptr).min()) + 1]
    if not widths:
        return Width(NARROWEST)
    if not like.squared.any():  # the nuisance is the same among them: the null lacks nothing
        return Width(widths[0])
    first = rise = rise_at(widths[0])
    if first <= LITTLE:
        return Width(widths[0])
    narrower = [*widths[1:], NARROWEST, NARROWEST]
    if first <= RISE:
        return Width(narrower[1], notes=(_describe_width(narrower[1]),))  # five of ten
    tried = 1
    while rise > RISE and tried < len(widths):
        rise = rise_at(widths[tried])
        tried += 1
    width = narrower[tried - 1]  # than the last that was tried
    if width > NARROWEST:
        return Width(width, notes=(_describe_width(width),))
    needed = len(like) * (first / RISE) ** (2 / 3)  # a rise goes as (n_like / N)^2, the deviation as N^(-1/2)
    said = NARROW.format(n=len(like), wider=widths[-1], needed=_rounded(needed), widest=widths[0])
    return Width(NARROWEST, (said,))


def some_of(graph: NeighborGraph, number: int, generator: np.random.Generator) -> np.ndarray:
    """Each item, and `number` of its neighbours, the nearest: those that are tied have equal chances."""
    row = graph.row_of_pair
    order = np.lexsort((generator.random(len(row)), graph.squared, row))
    first = graph.indptr[:-1, None] + np.arange(number)
    return np.concatenate([np.arange(len(graph))[:, None], graph.items[order][first]], axis=1)


# --------------------------------------------------------------------------------------------------------------- steps
def _rise(twice: np.ndarray, once: np.ndarray) -> float:
    """Of the mean of the null, in its standard deviations: that of all pairs of layers, or of one beyond chance."""
    spread = np.maximum(once.std(axis=1, ddof=1), np.finfo(float).tiny)
    rises = (twice.mean(axis=1) - once.mean(axis=1)) / spread
    chance = 3 * np.sqrt(2 / once.shape[1])  # of the largest of many
    return float(max(rises.mean(), rises.mean(axis=0).max() - chance))


def _describe_width(width: int) -> str:
    alike = f"the {width} most alike in the nuisance"
    return f"items of b were shuffled among {alike}, which may differ too much among more"


def _rounded(number: float) -> int:
    """Two digits of a number that is known roughly."""
    unit = 10 ** max(int(np.floor(np.log10(number))) - 1, 0)
    return int(np.ceil(number / unit) * unit)
