"""What `sample_weight` of a Space means to any estimator: zero is no item, equal weights are none, others are used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from infoscope.base import DataError, ParameterError
from infoscope.statistics import effective_sample_size

from .space import Space


class Weighting(NamedTuple):
    """Spaces of the same items, once it is settled which of these count and how much.

    Attributes
    ----------
    spaces : list of Space
        Items of positive weight; without weights where all are equal.
    kept : array of int
        Their numbers among the items as they came.
    n_kish : float
        Kish's effective number of items.
    notes : tuple of str
        What was left out.
    """

    spaces: list[Space]
    kept: np.ndarray
    n_kish: float
    notes: tuple[str, ...]


def settle_weights(spaces: Space | Sequence[Space], weight: np.ndarray | None = None) -> Weighting:
    """Leave out items of weight zero, forget equal weights.

    Parameters
    ----------
    spaces : Space or sequence of Space
        Of the same items, with the same weights.
    weight : array (N,), optional
        Weights to use instead of their own.

    Returns
    -------
    Weighting

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.neighbors import Space
    >>> from infoscope.neighbors.weighting import settle_weights
    >>> found = settle_weights(Space(np.array([[0.0], [1.0], [2.0]]), sample_weight=[2.0, 0.0, 2.0]))
    >>> found.kept.tolist(), found.spaces[0].sample_weight is None, found.n_kish
    ([0, 2], True, 2.0)
    """
    spaces = [spaces] if isinstance(spaces, Space) else list(spaces)
    n = len(spaces[0])
    weight = spaces[0].sample_weight if weight is None else weight
    if weight is None:
        return Weighting(spaces, np.arange(n), float(n), ())
    kept = np.flatnonzero(weight)
    equal = np.ptp(weight[kept]) <= 1e-12 * weight.max()  # what differs by rounding is equal
    spaces = [space.replace(sample_weight=None if equal else weight) for space in spaces]
    if len(kept) == n:
        return Weighting(spaces, kept, effective_sample_size(weight), ())
    note = f"{n - len(kept)} items of weight zero were left out"
    return Weighting([space.take(kept) for space in spaces], kept, effective_sample_size(weight), (note,))


def refuse_weights(space: Space, reason: str, way_out: str = "draw rows in proportion to their weights first") -> Space:
    """Items of positive weight, for a method that has no weighted form; an error where their weights differ.

    Raises
    ------
    DataError
        Weights that differ.
    """
    settled = settle_weights(space)
    (left,) = settled.spaces
    if left.sample_weight is not None:
        raise DataError(f"{space.name or 'the data'} has weights that differ, and {reason}: {way_out}")
    return left


def run_weights(space: Space, run_weight: object, weight: np.ndarray) -> np.ndarray:
    """What the weight of its run does to every item: 1 for "frames", one share a run for "equal", or as given."""
    if isinstance(run_weight, str) and run_weight == "frames":
        return np.ones(len(space))
    if space.run is None:
        raise ParameterError("run_weight needs runs: give the spaces run= labels or lists of arrays")
    n = len(space.run_names)
    if isinstance(run_weight, str) and run_weight == "equal":
        mass = np.bincount(space.run, weight)
        return 1 / np.where(mass > 0, mass, 1.0)[space.run]
    try:
        per_run = np.asarray(run_weight, float)
    except (TypeError, ValueError):
        per_run = np.empty(0)
    sound = per_run.shape == (n,) and np.isfinite(per_run).all() and (per_run >= 0).all()
    if not sound or not (per_run[space.run] * weight).any():
        raise ParameterError(f"run_weight must be 'frames', 'equal' or {n} numbers >= 0, one a run and not all zero")
    return per_run[space.run]
