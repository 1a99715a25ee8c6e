"""Transformers that every layer goes through before it is compared: checked, applied, described for the record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from infoscope.base import DataError, ParameterError, fingerprint
from infoscope.neighbors import Space


def check_steps(preprocess: Any) -> tuple[Any, ...]:
    """The transformers of ``preprocess=``, one or several.

    Raises
    ------
    ParameterError
        If one of them is none.
    """
    given = () if preprocess is None else preprocess
    steps = tuple(given) if isinstance(given, Sequence) else (given,)
    for step in steps:
        if isinstance(step, type) or not all(hasattr(step, name) for name in ("fit", "transform", "get_params")):
            raise ParameterError(
                f"preprocess holds {step!r}: give transformers, as ClipRows(), or those of scikit-learn"
            )
    return steps


def transform_layer(vectors: np.ndarray, steps: Sequence[Any], name: str) -> Any:
    """The vectors of a layer after all steps, each fitted on this layer alone.

    Parameters
    ----------
    vectors : array (N, D)
    steps : sequence of transformers
    name : str
        What messages call the layer.

    Returns
    -------
    array (N, D') or Space

    Raises
    ------
    DataError
        What a transformer says, with the name of the layer; another number of items.
    """
    from sklearn.base import clone

    found: Any = vectors
    for step in steps:
        if isinstance(found, Space):
            raise ParameterError(f"{describe_step(step)} comes after signs: put SignBits() last")
        try:
            found = clone(step).fit_transform(found)
        except ValueError as error:
            raise DataError(f"{name}, {describe_step(step)}: {error}") from error
        length = len(found) if isinstance(found, Space) else np.shape(found)[0]
        if length != len(vectors):
            raise DataError(
                f"{name}: {describe_step(step)} makes {length} items of {len(vectors)}: rows must stay the same items"
            )
    return found


def describe_step(step: Any) -> str:
    """A transformer as it is written; long arrays by their shape and hash."""
    own = step.get_params(deep=False)
    parts = []
    for name, value in own.items():
        if isinstance(value, (list, tuple, np.ndarray)) or hasattr(value, "to_numpy"):
            array = np.asarray(value)
            text = np.asarray(array.astype(str), "U") if array.dtype.kind == "O" else array
            parts.append(f"{name}={len(array)} values, hash {fingerprint(text)[:8]}")
        else:
            parts.append(f"{name}={value!r}")
    return f"{type(step).__name__}({', '.join(parts)})"


def tied_groups(steps: Sequence[Any]) -> np.ndarray | None:
    """Groups whose centroids the steps take away, a number an item; None where no step does.

    Without its centroid the items of a group add up to zero in every layer, so that layers without relation are alike
    in it: only shuffles inside groups leave that as it is.
    """
    if not steps:
        return None
    from .preprocessing import RemoveCentroids, read_groups

    inside = (one for step in steps for one in (step, *step.get_params(deep=True).values()))
    found = [read_groups(one.groups) for one in inside if isinstance(one, RemoveCentroids) and one.groups is not None]
    if not found:
        return None
    return np.unique(np.column_stack([np.unique(one, return_inverse=True)[1] for one in found]), axis=0,
                     return_inverse=True)[1].reshape(-1)  # fmt: skip


def steps_of_rows(steps: Sequence[Any], rows: np.ndarray) -> tuple[Any, ...]:
    """The same steps for some of the items: what they hold of each item goes with it."""
    return tuple(step.take(rows) if hasattr(step, "take") else step for step in steps)
