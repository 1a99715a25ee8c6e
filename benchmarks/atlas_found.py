"""What an estimator of the calibration atlas gives for a data set, and what the estimators have in common."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from atlas_situations import Drawn


class Found(NamedTuple):
    """One number of one data set.

    Attributes
    ----------
    quantity : str
    value, error : float or array
        Several of one data set (a density at every item) are summed up before they are kept.
    truth : float, array or None
        None: the mean of all replicates.
    interval : (float, float) or None
        95 %; None: value and 1.96 errors.
    p : float or None
        Of a test whose hypothesis is true.
    warned : bool
        Whether the result says something of itself.
    """

    quantity: str
    value: Any = np.nan
    error: Any = np.nan
    truth: Any = None
    interval: tuple[float, float] | None = None
    p: float | None = None
    warned: bool = False


Estimator = Callable[[Drawn], Sequence[Found]]


def told(quantity: str, result: Any, name: str = "value", truth: Any = None, at: Any = None) -> Found:
    """An estimate with the error, the interval and the warnings that a result prints; `at` chooses of an array."""
    value, error = getattr(result, name), getattr(result, f"{name}_se")
    if at is None:
        return Found(quantity, value, error, truth, interval_of(result, name), warned=bool(result.warnings))
    return Found(quantity, value[at], error[at], truth, warned=bool(result.warnings))


def interval_of(result: Any, name: str) -> tuple[float, float] | None:
    """The interval that a result prints, if it has one."""
    found = getattr(result, f"{name}_interval", None)
    if found is None and name in ("dimension", "value"):
        found = getattr(result, "interval", None)
    return None if found is None else (float(found[0]), float(found[1]))


def tested(quantity: str, result: Any) -> Found:
    """The p-value of a test whose hypothesis is true."""
    return Found(f"{quantity}, p-value", p=float(result.p_value), warned=bool(result.warnings))


def spaces(drawn: Drawn) -> tuple[Any, Any]:
    from infoscope import Space

    return Space(drawn.x, **drawn.options), Space(drawn.y, **drawn.options)


def generator_of(drawn: Drawn) -> np.random.Generator:
    """For what an estimator adds to the data, such as a column of noise; all the data decide, ties or not."""
    return np.random.default_rng([zlib.crc32(np.ascontiguousarray(part).tobytes()) for part in (drawn.x, drawn.y)])


def halves(drawn: Drawn) -> tuple[np.ndarray, np.ndarray]:
    """Two samples of one law."""
    n = len(drawn.x) // 2
    return drawn.x[:n], drawn.x[n : 2 * n]


def rows_alone(drawn: Drawn, fewest: int = 30, most: int = 1000, columns: int = 1) -> bool:
    """Whether the rows are as many as asked for, numbers, and carry neither time nor weights nor classes."""
    plain = not drawn.bits and not drawn.options and drawn.labels is None
    return plain and fewest <= len(drawn.x) <= most and drawn.x.shape[1] >= columns
