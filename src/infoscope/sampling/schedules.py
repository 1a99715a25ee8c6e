"""How far along its way a variable is after a part of the steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from infoscope.base.checks import check_choice

SCHEDULES = ("linear", "cosine")


def schedule_function(schedule: str) -> Callable[[Any], Any]:
    """f(t) with f(0) = 0, f(1) = 1 and f(1 - t) = 1 - f(t): the way back is the way there, reversed.

    Parameters
    ----------
    schedule : {"linear", "cosine"}
        t, or (1 - cos(pi t)) / 2, whose velocity vanishes at both ends.

    Returns
    -------
    function
        Of numbers or arrays.

    Raises
    ------
    ParameterError
        An unknown schedule.

    Examples
    --------
    >>> from infoscope.sampling.schedules import schedule_function
    >>> f = schedule_function("cosine")
    >>> round(float(f(0.25)), 4), float(f(0.5)), float(f(1.0))
    (0.1464, 0.5, 1.0)
    """
    return _FUNCTIONS[check_choice(schedule, "schedule", SCHEDULES)]


def schedule_velocity(schedule: str) -> Callable[[Any], Any]:
    """f'(t) of a schedule.

    Parameters
    ----------
    schedule : {"linear", "cosine"}

    Returns
    -------
    function
        Of numbers or arrays.

    Raises
    ------
    ParameterError
        An unknown schedule.

    Examples
    --------
    >>> from infoscope.sampling.schedules import schedule_velocity
    >>> float(schedule_velocity("linear")(0.3)), float(schedule_velocity("cosine")(0.0))
    (1.0, 0.0)
    """
    return _VELOCITIES[check_choice(schedule, "schedule", SCHEDULES)]


def _linear(t: Any) -> Any:
    return t


def _cosine(t: Any) -> Any:
    # sin^2 keeps f small near 0, where 1 - cos loses its figures
    return np.sin(np.pi / 2 * t) ** 2


_FUNCTIONS: dict[str, Callable[[Any], Any]] = {"linear": _linear, "cosine": _cosine}
_VELOCITIES: dict[str, Callable[[Any], Any]] = {
    "linear": np.ones_like,
    "cosine": lambda t: np.pi / 2 * np.sin(np.pi * np.asarray(t)),
}
