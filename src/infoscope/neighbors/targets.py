"""What the user brought as a target, as a Space: features, labels, distances."""

from __future__ import annotations

from typing import Any

import numpy as np

from infoscope.base import DataError, ParameterError
from infoscope.base.checks import check_choice, is_frame

from .convert import Data, kind_of
from .space import Space

TARGETS = ("auto", "features", "labels", "distances")
FEW_LABELS = 20  # different whole numbers up to which a single column of them is taken as labels


def target_space(y: Data, kind: str = "auto", *, name: str = "y") -> tuple[Space, list[str]]:
    """The target as a Space, and what was decided about it.

    Parameters
    ----------
    y : Space, array, frame, sequence of labels, or matrix of distances
        The target.
    kind : {"auto", "features", "labels", "distances"}
        What it is.  "auto": text, booleans and categories are labels, and so is a single column of whole numbers (of
        an integer type) with at most twenty different values; a symmetric N x N matrix with a zero diagonal holds
        distances; all else are features.
    name : str
        What to call it when it has no name.

    Returns
    -------
    Space, list of str

    Raises
    ------
    DataError, ParameterError
        As `Space` raises them; an unknown kind.

    Examples
    --------
    >>> from infoscope.neighbors import target_space
    >>> target_space(["a", "b", "a"])[0].metric
    'labels'
    """
    check_choice(kind, "target", TARGETS)
    if y is None:
        raise DataError(
            "this estimator requires y to be passed, but the target y is None: pass the features, labels "
            "or distances whose neighbourhoods the weights should keep"
        )
    if isinstance(y, Space):
        if kind == "labels" and y.metric != "labels" or kind == "distances" and y.metric != "precomputed":
            raise ParameterError(f"target={kind!r}, but y is a Space with metric {y.metric!r}: leave target at 'auto'")
        return (y if y.name else y.replace(name=name)), []
    notes: list[str] = []
    if kind == "auto":
        kind, notes = _guessed(y, name)
    if kind == "labels":
        series = kind_of(y) == "pandas" and not is_frame(y)  # its name and index are kept
        return _named(Space.from_labels(y if series else np.asarray(y)), name), notes
    if kind == "distances":
        return Space.from_distances(y, name=name), notes
    return Space(_two_dimensional(y), name=_own_name(y) or name), notes


# ---------------------------------------------------------------------------------------------------------------- steps
def _guessed(y: Data, name: str) -> tuple[str, list[str]]:
    if is_frame(y):
        return "features", []
    if kind_of(y) in ("torch", "dask") or isinstance(y, (list, tuple)) and len(y) and np.ndim(y[0]) == 2:
        return "features", []
    dtype = getattr(y, "dtype", None)
    if dtype is not None and any(word in str(dtype).lower() for word in ("categor", "enum", "bool", "str", "utf8")):
        return "labels", []
    values = np.asarray(y)
    single = values.ndim == 1 or values.ndim == 2 and values.shape[1] == 1
    if single and (values.dtype.kind in "SUb" or values.dtype.kind == "O" and not _numbers(values)):
        return "labels", []
    if single and values.dtype.kind in "iu" and len(values) and len(np.unique(values)) <= FEW_LABELS:
        return "labels", [
            f"{name} holds {len(np.unique(values))} different whole numbers and was taken as labels; "
            "target='features' compares their sizes"
        ]
    square = values.ndim == 2 and values.shape[0] == values.shape[1] > 2 and values.dtype.kind in "fiu"
    if square and not np.diagonal(values).any() and np.array_equal(values, values.T):
        return "distances", [
            f"{name} is symmetric with a zero diagonal and was taken as distances; target='features' "
            "takes it as columns"
        ]
    return "features", []


def _numbers(values: np.ndarray) -> bool:
    return all(isinstance(v, (int, float, np.number)) and not isinstance(v, (bool, np.bool_)) for v in values.ravel())


def _two_dimensional(y: Data) -> Any:
    if kind_of(y) in ("pandas", "polars") and not is_frame(y):
        return y.to_frame()
    if kind_of(y) in ("torch", "dask", "xarray", "anndata") or is_frame(y):
        return y[:, None] if getattr(y, "ndim", 2) == 1 else y
    if isinstance(y, (list, tuple)) and len(y) and np.ndim(y[0]) == 2:
        return y
    values = np.asarray(y)
    if values.dtype.kind == "O" and _numbers(values):
        values = values.astype(np.float64)
    return values[:, None] if values.ndim == 1 else values


def _own_name(y: Data) -> str | None:
    own = getattr(y, "name", None) if kind_of(y) in ("pandas", "polars") else None
    return None if own is None else str(own)


def _named(space: Space, name: str) -> Space:
    return space if space.name else space.replace(name=name)
