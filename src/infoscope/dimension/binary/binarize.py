"""Rules that make bits of numbers, and how much the answer depends on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from infoscope.base import DataError, ParameterError, check_matrix
from infoscope.base.rounding import SAME
from infoscope.neighbors import kind_of, to_columns, to_numpy

Rule: TypeAlias = Any  # None, "sign", "median", "two_bit", a number, or one number a column
RULES = ("sign", "median", "two_bit")


@dataclass(frozen=True)
class Settled:
    """A rule with its numbers.

    Attributes
    ----------
    thresholds : array (D,) or float
        Larger is 1; of "two_bit" the mean.
    width : float or None
        The standard deviation of "two_bit".
    words : str
        For results.
    """

    thresholds: Any
    width: float | None
    words: str


def binarize(X, rule: Rule = "sign") -> np.ndarray:
    """Make bits of numbers.

    Parameters
    ----------
    X : array (N, D) or frame
        Finite numbers.
    rule : {"sign", "median", "two_bit"}, float or array (D,)
        "sign": 1 where a number is positive (zero is 0, so a ReLU that is off is 0).  "median": above the median of its
        column, which makes balanced bits.  A number, or one a column: above that threshold.  "two_bit": two bits a
        column, high bit first, for below mean - deviation, below mean, up to mean + deviation, and above, with mean and
        deviation of all entries.

    Returns
    -------
    array (N, D) of bool
        Of "two_bit" (N, 2 D).

    Raises
    ------
    DataError
        If entries are not finite numbers.
    ParameterError
        If there is no such rule, or not one threshold a column.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.dimension import binarize
    >>> binarize(np.array([[-1.0, 0.0, 2.0]])).astype(int)
    array([[0, 0, 1]])
    >>> binarize(np.array([[-3.0, -1.0, 1.0, 3.0]]), "two_bit").astype(int)
    array([[0, 0, 0, 1, 1, 0, 1, 1]])
    """
    values = (
        check_matrix(X, "X")
        if kind_of(X) in ("numpy", "builtins")
        else check_matrix(to_numpy(to_columns(X, "X").values), "X")
    )
    return bits_by_rule(values, settled(values, rule, "X"))


def bits_by_rule(values, rule: Settled):
    """Boolean matrix of an array or a tensor."""
    if rule.width is None:
        return values > rule.thresholds
    room = SAME * (abs(rule.thresholds) + rule.width)  # two values in equal numbers lie on these thresholds
    high = ~(values < rule.thresholds - room)
    outer = rule.width + room
    low = (high & (values > rule.thresholds + outer)) | (~high & ~(values < rule.thresholds - outer))
    if kind_of(values) == "torch":
        import torch

        return torch.stack([high, low], -1).reshape(len(values), -1)
    return np.stack([high, low], -1).reshape(len(values), -1)


def settled(values, rule: Rule, name: str) -> Settled:
    """The rule with the numbers it takes from the data."""
    kind, d = kind_of(values), int(values.shape[1])
    if kind == "numpy":
        check_matrix(values, name)
    if isinstance(rule, str):
        if rule not in RULES:
            raise ParameterError(
                f"binarize is {rule!r}; it must be {', '.join(map(repr, RULES))}, a threshold, or one a column"
            )
        if rule == "sign":
            return Settled(0.0, None, "1 where positive")
        if rule == "median":
            return Settled(_medians(values, kind), None, "1 above the median of the column")
        mean, width = _mean_and_deviation(values, kind)
        return Settled(mean, width, f"two bits around {mean:.4g} ± {width:.4g}")
    thresholds = np.asarray(rule, np.float64) if not isinstance(rule, bool) else np.array(np.nan)
    if thresholds.shape not in ((), (d,)) or not np.isfinite(thresholds).all():
        raise ParameterError(
            f"binarize must be a rule, one finite threshold, or one for each of the {d} columns of "
            f"{name}; got {rule if np.ndim(rule) == 0 else f'shape {thresholds.shape}'}"
        )
    words = f"1 above {float(thresholds):g}" if thresholds.ndim == 0 else "1 above a threshold for each column"
    if kind == "torch" and thresholds.ndim:
        import torch

        return Settled(torch.as_tensor(thresholds, device=values.device), None, words)
    return Settled(float(thresholds) if thresholds.ndim == 0 else thresholds, None, words)


def _medians(values, kind: str):
    if kind == "dask":
        raise ParameterError("the medians of a Dask array need all its rows at once: pass thresholds, one a column")
    if kind == "torch":
        ordered = values.double().sort(0).values  # torch's own median is the lower of two
        n = len(ordered)
        return (ordered[(n - 1) // 2] + ordered[n // 2]) / 2
    return np.median(values, axis=0)


def _mean_and_deviation(values, kind: str) -> tuple[float, float]:
    if kind == "torch":
        values = values.double()
        return float(values.mean()), float(values.std(correction=0))
    if kind == "dask":
        import dask

        mean, width = dask.compute(values.mean(dtype=np.float64), values.std(dtype=np.float64))
        if not np.isfinite(width):
            raise DataError("the data hold NaN or infinite numbers: remove these rows")
        return float(mean), float(width)
    return float(values.mean(dtype=np.float64)), float(values.std(dtype=np.float64))
