"""Information in laws that are known exactly: tables of probabilities and Gaussian covariances."""

from __future__ import annotations

from typing import Any

import numpy as np

from infoscope.base import DataError, ParameterError
from infoscope.statistics.units import information_unit


def unit_factor(unit: str) -> float:
    """What a number of nats is multiplied with."""
    return 1 / information_unit(unit)


def table_information(joint: np.ndarray) -> float:
    """I(X; Y | Z) in nats of a table p(z, x, y); it need not add up to one.

    Terms are ``p log(p(x, y, z) p(z) / (p(x, z) p(y, z)))`` with 0 log 0 = 0.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.causality.joint_laws import table_information
    >>> round(table_information(np.eye(2)[None] / 2), 6)                # y = x, two states: log 2
    0.693147
    """
    p = np.asarray(joint, np.float64)
    p = p / p.sum()
    both = p.sum(2, keepdims=True) * p.sum(1, keepdims=True)
    there = p > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(there, p * np.log(p * p.sum((1, 2), keepdims=True) / both), 0.0)
    return max(float(terms.sum()), 0.0)


def gaussian_information(covariance: np.ndarray, x: list[int], y: list[int], z: list[int]) -> float:
    """I(X; Y | Z) in nats of Gaussian variables: half the logarithm of the ratio of residual determinants.

    Raises
    ------
    DataError
        If one of the variables is a linear function of others.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.causality.joint_laws import gaussian_information
    >>> round(gaussian_information(np.array([[1, 0.6], [0.6, 1]]), [0], [1], []), 6)     # -log(1 - 0.36)/2
    0.223144
    """
    without = residual_covariance(covariance, y, z)
    given = residual_covariance(covariance, y, z + x)
    signs, logs = zip(*(np.linalg.slogdet(one) for one in (without, given)), strict=True)
    if min(signs) <= 0:
        raise DataError("the covariance is singular: one of the variables is a linear function of the others")
    return max(float(logs[0] - logs[1]) / 2, 0.0)


def residual_covariance(covariance: np.ndarray, y: list[int], given: list[int]) -> np.ndarray:
    """Covariance of some variables when others are known."""
    own = covariance[np.ix_(y, y)]
    if not given:
        return own
    cross = covariance[np.ix_(y, given)]
    try:
        known = np.linalg.solve(covariance[np.ix_(given, given)], cross.T)
    except np.linalg.LinAlgError:
        raise DataError("the covariance is singular: one of the variables is a linear function of the others") from None
    return own - cross @ known


def variable_numbers(given: Any, n: int, name: str) -> list[int]:
    """Numbers of some variables of a process of n, each once.

    Raises
    ------
    ParameterError
        If there is no such variable, or one is named twice.
    """
    numbers = np.atleast_1d(np.asarray(given, dtype=object)).tolist() if np.size(given) else []
    for number in numbers:
        if isinstance(number, bool) or not hasattr(number, "__index__") or not 0 <= int(number) < n:
            raise ParameterError(f"{name} is {given!r}; the variables of this process are numbered 0 to {n - 1}")
    if len(set(numbers)) < len(numbers):
        raise ParameterError(f"{name} names a variable twice: {given!r}")
    return [int(number) for number in numbers]


def settle_variables(source: Any, target: Any, condition: Any, n: int) -> tuple[list[int], list[int], list[int]]:
    """Numbers of the variables of source, target and condition, which share none."""
    found = [variable_numbers(one, n, name) for one, name in ((source, "source"), (target, "target"))]
    found.append(variable_numbers(() if condition is None else condition, n, "condition"))
    if not found[0] or not found[1]:
        raise ParameterError("source and target need at least one variable each")
    everything = sum(found, [])
    if len(set(everything)) < len(everything):
        raise ParameterError(
            f"source {source!r}, target {target!r} and condition {condition!r} share a variable: each may stand in one"
        )
    return found[0], found[1], found[2]


def check_times(lags: Any, name: str = "lags") -> np.ndarray:
    """Lags in units of time: one or more numbers >= 0.

    Raises
    ------
    ParameterError
        If one is negative or not finite.
    """
    times = np.atleast_1d(np.asarray(lags, np.float64))
    if times.ndim != 1 or not len(times) or not ((times >= 0) & (times < np.inf)).all():
        raise ParameterError(f"{name} is {lags!r}: give one or more finite numbers >= 0")
    return times
