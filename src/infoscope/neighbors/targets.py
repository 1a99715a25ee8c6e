"""What the user brought as a target, as a Space: features, labels, distances.  Nobody else decides it."""

from __future__ import annotations

from typing import Any

import numpy as np

from infoscope.base import DataError, ParameterError
from infoscope.base.checks import check_choice, is_frame

from .convert import Data, kind_of, to_numpy
from .frame_columns import as_series, collected, polars_values
from .space import Space

TARGETS = ("auto", "features", "labels", "distances")
FEW_LABELS = 20  # different whole numbers up to which a single column of them is taken as labels


def target_space(y: Data, kind: str = "auto", *, name: str = "y", option: str = "target") -> tuple[Space, list[str]]:
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
    option : str
        What the caller's own argument for `kind` is called, for the messages.

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
    check_choice(kind, option, TARGETS)
    y = collected(y)
    if y is None:
        raise DataError(
            f"this estimator requires y to be passed, but the target {name} is None: pass the features, labels "
            "or distances whose neighbourhoods should be kept"
        )
    if isinstance(y, Space):
        if kind == "labels" and y.metric != "labels" or kind == "distances" and y.metric != "precomputed":
            raise ParameterError(
                f"{option}={kind!r}, but {name} is a Space with metric {y.metric!r}: leave {option} at 'auto'"
            )
        return (y if y.name else y.replace(name=name)), []
    notes: list[str] = []
    if kind == "auto":
        kind, notes = guess_target_kind(y, name, option)
    if kind == "labels":
        series = kind_of(y) in ("pandas", "polars") and not is_frame(y)  # its name and index are kept
        return _give_name(Space.from_labels(y if series else to_numpy(y)), name), notes
    if kind == "distances":
        return Space.from_distances(y, name=name), notes
    return Space(_two_dimensional(y), name=_own_name(y) or name), notes


def is_integer_column(y: Data) -> bool:
    """Whether it is one column of an integer type, which may be labels or sizes.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.neighbors.targets import is_integer_column
    >>> is_integer_column(np.arange(4)), is_integer_column(np.arange(4.0))
    (True, False)
    """
    if is_frame(y):
        return False
    kind = _dtype_kind(y)
    shape = np.shape(y)
    return kind in ("i", "u") and (len(shape) == 1 or len(shape) == 2 and shape[1] == 1)


def guess_target_kind(y: Data, name: str = "y", option: str = "target") -> tuple[str, list[str]]:
    """What ``kind="auto"`` stands for, "features", "labels" or "distances", and what there is to say about it."""
    if is_frame(y) or isinstance(y, (list, tuple)) and len(y) and np.ndim(y[0]) == 2:
        return "features", []
    dtype = getattr(y, "dtype", None)
    if dtype is not None and any(word in str(dtype).lower() for word in ("categor", "enum", "bool", "str", "utf8")):
        return "labels", []
    values = y if kind_of(y) in ("torch", "dask") else polars_values(y) if kind_of(y) == "polars" else _array(y)
    if values is None:
        return "features", []
    single = values.ndim == 1 or values.ndim == 2 and values.shape[1] == 1
    if single and _dtype_kind(values) in ("S", "U", "b", "O") and not _numbers(values):
        return "labels", []
    if is_integer_column(values) and 0 < (n := _n_different(values)) <= FEW_LABELS:
        return "labels", [
            f"{name} holds {n} different whole numbers and was taken as labels; {option}='features' compares "
            "their sizes"
        ]
    square = values.ndim == 2 and values.shape[0] == values.shape[1] > 2 and _dtype_kind(values) in ("f", "i", "u")
    if square and isinstance(values, np.ndarray) and _looks_like_distances(values):
        return "distances", [
            f"{name} is symmetric with a zero diagonal and was taken as distances; {option}='features' takes it as "
            "columns"
        ]
    return "features", []


# ---------------------------------------------------------------------------------------------------------------- steps
def _looks_like_distances(values: np.ndarray) -> bool:
    return not np.diagonal(values).any() and np.array_equal(values, values.T)


def _dtype_kind(y: Data) -> str:
    """NumPy's letter for the type of the entries; of tensors and Dask arrays too."""
    name = str(getattr(y, "dtype", "")).removeprefix("torch.").lower()
    if kind_of(y) == "numpy" or not name:
        return np.asarray(y).dtype.kind
    return "u" if name.startswith("uint") else "i" if name.startswith("int") else "b" if "bool" in name else "f"


def _n_different(values: Any) -> int:
    if kind_of(values) == "torch":
        return len(values.unique())
    if kind_of(values) == "dask":
        import dask.array

        return len(dask.array.unique(values).compute())
    return len(np.unique(values))


def _numbers(values: Any) -> bool:
    return _dtype_kind(values) == "O" and all(
        isinstance(v, (int, float, np.number)) and not isinstance(v, (bool, np.bool_)) for v in values.ravel()
    )


def _two_dimensional(y: Data) -> Any:
    if kind_of(y) == "pandas" and not is_frame(y):
        if hasattr(y, "iloc"):
            return y.to_frame()
        return as_series(y).to_numpy()[:, None]
    if kind_of(y) == "polars" and not is_frame(y):
        return y.to_frame()
    if kind_of(y) in ("torch", "dask", "xarray", "anndata") or is_frame(y):
        return y[:, None] if getattr(y, "ndim", 2) == 1 else y
    if isinstance(y, (list, tuple)) and len(y) and np.ndim(y[0]) == 2:
        return y
    values = _array(y)
    if values is None:
        return y
    if values.dtype.kind == "O" and _numbers(values):
        values = values.astype(np.float64)
    return values[:, None] if values.ndim == 1 else values


def _array(y: Any) -> np.ndarray | None:
    try:
        return np.asarray(y)
    except ValueError:  # rows of unequal length: a Space says what is wrong
        return None


def _own_name(y: Data) -> str | None:
    own = getattr(y, "name", None) if kind_of(y) in ("pandas", "polars") else None
    return None if own is None else str(own)


def _give_name(space: Space, name: str) -> Space:
    return space if space.name else space.replace(name=name)
