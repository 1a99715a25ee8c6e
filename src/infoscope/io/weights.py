"""Statistical weights from the bias under which rows were sampled."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from infoscope.base.errors import DataError, ParameterError, warn

from .table import Table

FEW_EFFECTIVE = 20  # rows worth, below which a few rows decide every result


def weights_from_bias(bias: Any, kT: float | None = None) -> np.ndarray:
    """Weights that take a bias away again: exp((V - max V) / kT).

    Parameters
    ----------
    bias : array_like of shape (N,) or (N, n)
        Bias V of every row, in the unit of `kT`; of several columns (one for each bias that acted) the sum is taken.
        -inf gives a row the weight 0.
    kT : float, optional
        Temperature times Boltzmann's constant: 2.494 kJ/mol at 300 K.  Without it, `bias` holds logarithms of weights.

    Returns
    -------
    ndarray of shape (N,)
        The largest weight is 1; only ratios mean something.

    Raises
    ------
    DataError
        If a value is NaN or +inf, or no row has a weight.
    ParameterError
        If `kT` is not a positive number.

    Examples
    --------
    >>> from infoscope.io import weights_from_bias
    >>> weights_from_bias([0.0, 2.5], kT=2.5)
    array([0.36787944, 1.        ])
    """
    kT = checked_kT(kT)
    columns = np.asarray(bias, dtype=np.float64)
    if columns.ndim not in (1, 2) or not columns.size:
        raise DataError(f"the bias has shape {columns.shape}: one value a row is needed, or one column for each bias")
    bad = np.isnan(columns) | (columns == np.inf)
    if bad.any():
        row = int(np.argwhere(bad)[0][0])
        value = columns[row].max() if columns.ndim == 2 else columns[row]
        raise DataError(f"the bias of row {row} (counted from 0) is {value}: leave out that row (missing='drop')")
    total = columns if columns.ndim == 1 else columns.sum(axis=1)
    highest = total.max()
    if highest == -np.inf:
        raise DataError("the bias is -inf in every row: no row has a weight")
    return np.asarray(np.exp((total - highest) / kT))


def column_list(names: str | Sequence[str] | None) -> tuple[str, ...]:
    """One column or several; a comma stands between names in a text.

    Examples
    --------
    >>> from infoscope.io.weights import column_list
    >>> column_list("metad.bias,walls.bias"), column_list(None)
    (('metad.bias', 'walls.bias'), ())
    """
    if names is None:
        return ()
    parts = [part.strip() for part in names.split(",")] if isinstance(names, str) else list(names)
    return tuple(part for part in parts if part)


def weigh(table: Table, columns: Sequence[str], kT: float | None) -> Table:
    """The table with weights from columns among its labels, and a note that says what they are worth.

    Raises DataError where a column holds no numbers, or a number that is no bias.
    """
    if not columns:
        if kT is not None:
            raise ParameterError("kT needs the bias: log_weights=COLUMN")
        return table
    bias = np.stack([_numbers(table.labels[name], name, table.source) for name in columns], axis=1)
    try:
        weights = weights_from_bias(bias, kT)
    except DataError as error:
        raise DataError(f"{table.source}, {', '.join(columns)}: {error}") from error
    return dataclasses.replace(
        table, sample_weight=weights, notes=(*table.notes, describe_weights(weights, columns, kT))
    )


def describe_weights(weights: np.ndarray, columns: Sequence[str], kT: float | None) -> str:
    """A sentence on what weighted rows are worth, with a warning where that is little."""
    from infoscope.statistics import effective_sample_size

    n_kish = effective_sample_size(weights)
    names = " + ".join(columns)
    alone = "logarithms of weights as they are (for an energy, give kT as well)"
    inside = names if kT in (None, 1) else f"({names}) / {kT:.6g}"  # a bias in units of kT is divided by nothing
    of = f"exp({names}), {alone}" if kT is None else f"exp({inside})"
    unequal = n_kish < (1 - 1e-9) * len(weights)  # few rows of equal weight are no fault of the weights
    if unequal and n_kish < FEW_EFFECTIVE:
        warn(
            f"the weights {of} leave {n_kish:.1f} effective rows of {len(weights)}: a few rows decide everything. Is "
            "kT in the unit of the bias, and is the bias converged?"
        )
    return f"weights {of}: {len(weights)} rows are worth {n_kish:.4g} (Kish's number)"


def checked_kT(kT: float | None) -> float:
    """kT as a number; 1 where nothing is said."""
    if kT is None:
        return 1.0
    if isinstance(kT, bool) or not isinstance(kT, int | float | np.number) or not 0 < kT < np.inf:
        raise ParameterError(f"kT must be a positive number in the unit of the bias, got {kT!r}")
    return float(kT)


def _numbers(values: np.ndarray, name: str, source: str) -> np.ndarray:
    try:
        return np.asarray(values, dtype=np.float64)
    except (ValueError, TypeError) as error:
        raise DataError(f"{source}: column '{name}' holds no numbers, so it is no bias ({error})") from error
