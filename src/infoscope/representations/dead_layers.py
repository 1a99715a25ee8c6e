"""Layers that tell nothing, because all items, or all pairs of items, are alike: how it is known, and what is said."""

from __future__ import annotations

import numpy as np

from infoscope.base import DataError


def is_dead(values: np.ndarray) -> bool:
    """Whether all items (rows) are the same, number by number."""
    return bool((values == values[:1]).all())


def refuse_dead(values: np.ndarray, name: str) -> None:
    """Raise where a layer is dead.

    Parameters
    ----------
    values : array (N, D)
        Vectors of the items, or their packed bits.
    name : str
        What the message calls the layer.

    Raises
    ------
    DataError

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.representations.dead_layers import refuse_dead
    >>> refuse_dead(np.ones((4, 2)), "layer 7")
    Traceback (most recent call last):
    ...
    infoscope.base.errors.DataError: layer 7 is dead: all 4 items have the same vector; leave it out
    """
    if is_dead(values):
        raise DataError(f"{name} is dead: all {len(values)} items have the same vector; leave it out")


def refuse_alike(size: float, smallest: float, measure: str, name: str) -> None:
    """Raise where what a measure compares is the same for all pairs of items, as in a layer of one unit an item.

    Parameters
    ----------
    size : float
        Of what is compared, without its mean.
    smallest : float
        What is rounding.
    measure, name : str
        What messages call the measure and the layer.

    Raises
    ------
    DataError
    """
    if not size > smallest:
        raise DataError(
            f"all pairs of items are alike in {name}: {measure} has nothing to compare; leave the layer out"
        )
