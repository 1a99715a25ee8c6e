"""Periods of angles: shape, and whether a declared period fits the values (degrees read as radians)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from infoscope.base.errors import DataError, ParameterError, warn
from infoscope.base.rounding import exceeds

from .order import run_order

TURN = 2 * math.pi


def as_periods(period: Any, n_features: int, feature_names: Sequence[str] | None = None) -> np.ndarray:
    """Periods of all features, 0 where a feature is not periodic.

    Parameters
    ----------
    period : None, float, sequence of length `n_features`, or mapping
        None or 0 means not periodic; one number holds for all features; a mapping goes by feature name.
    n_features : int
    feature_names : sequence of str, optional

    Returns
    -------
    ndarray, shape (n_features,)

    Raises
    ------
    ParameterError
        If the length is wrong, a name unknown, or a period negative, NaN or infinite.

    Examples
    --------
    >>> from infoscope.statistics import as_periods
    >>> as_periods([None, 360], 2)
    array([  0., 360.])
    >>> as_periods({"phi": 360}, 2, ["x", "phi"])
    array([  0., 360.])
    """
    if period is None:
        return np.zeros(n_features)
    if isinstance(period, Mapping):
        names = list(feature_names or ())
        given = {str(name): value for name, value in period.items()}  # frames may call a column 20
        for name in period:
            if str(name) not in names:
                raise ParameterError(
                    f"period is given for {name!r}, but the features are {', '.join(names) or 'unnamed'}"
                )
        period = [given.get(name) for name in names]
    try:
        values = np.asarray(period, dtype=object)
        flat = [0.0 if item is None else float(item) for item in values.reshape(-1).tolist()]
    except (TypeError, ValueError):
        raise ParameterError(f"period must be numbers (0 or None: not periodic), got {period!r}") from None
    if values.ndim == 0:
        flat = flat * n_features
    elif values.ndim != 1 or len(flat) != n_features:
        raise ParameterError(
            f"period has shape {values.shape}, but there are {n_features} features: pass one number for all, "
            "or one per feature with 0 where a feature is not periodic"
        )
    for feature, item in enumerate(flat):
        if not (math.isfinite(item) and item >= 0):
            name = f" ({feature_names[feature]!r})" if feature_names else ""
            raise ParameterError(f"period of feature {feature}{name} is {item}: it must be positive, or 0 for none")
    return np.array(flat, dtype=np.float64)


def circular_deviation(resultant: Any, period: Any) -> Any:
    """sqrt(-2 ln R) P / 2 pi of angles with the resultant R; 0 where rounding alone keeps it from 1.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.statistics.angles import circular_deviation
    >>> turns = np.exp(2j * np.pi * np.array([0.1, 1.1, 2.1]))           # one direction
    >>> float(circular_deviation(abs(turns.mean()), 1.0))
    0.0
    """
    resultant = np.clip(resultant, 1e-300, 1.0)
    return np.where(exceeds(1.0, resultant), np.sqrt(-2 * np.log(resultant)), 0.0) * period / (2 * np.pi)


def check_period(column: Any, period: float | None, name: str, *, time: Any = None, run: Any = None) -> str | None:
    """Whether a period fits the values of a feature.

    Parameters
    ----------
    column : array_like, shape (N,)
        Values that are not finite are left out.
    period : float or None
        0 or None: declared not periodic.
    name : str
        Feature name for the messages.
    time, run : array_like, shape (N,), optional
        With `time`, an unwrapped angle (no step of half a period or more inside a run) is told from degrees.

    Returns
    -------
    str or None
        A note for the result when the values go beyond one period (legal: an unwrapped angle).

    Raises
    ------
    DataError
        If degrees were declared as radians or the reverse.

    Warns
    -----
    DataWarning
        If the values cover a small part of the period, as radians under degrees would, or look like an angle that was
        not declared.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.statistics import check_period
    >>> check_period(np.linspace(0, 9.0, 50), 2 * np.pi, "phi")
    "'phi' spans 1.4 periods (unwrapped): taken modulo 6.283"
    >>> check_period(np.linspace(-179, 179, 50), 2 * np.pi, "phi")
    Traceback (most recent call last):
    ...
    infoscope.base.errors.DataError: column 'phi' looks like degrees (range 358), period 6.283 is in radians: pass ...
    """
    values = np.asarray(column, dtype=np.float64)
    finite = values if np.isfinite(values).all() else values[np.isfinite(values)]
    if not len(finite):
        return None
    low, high = float(finite.min()), float(finite.max())
    if not period:
        _undeclared(finite, low, high, name)
        return None
    if _degrees_under_radians(low, high, period):
        text = f"column {name!r} looks like degrees (range {high - low:.0f}), period {period:.4g} is in radians"
        way_out = f"pass period={360 if period > 4 else 180} or np.deg2rad"
        if time is None or not _small_steps(values, period, time, run):
            raise DataError(f"{text}: {way_out}")
        _warn(f"{text}. No step reaches half a period, so it is taken as an unwrapped angle; if it is not, {way_out}")
    elif _radians_under_degrees(low, high, period):
        if high - low > 0.9 * TURN:
            raise DataError(
                f"column {name!r} looks like radians (range {high - low:.3g}), period {period:g} is in degrees: "
                "pass period=2*np.pi or np.rad2deg"
            )
        _warn(
            f"column {name!r} spans only {100 * (high - low) / period:.2g} % of its period {period:g}: "
            "if it is in radians, pass period=2*np.pi"
        )
        return None
    if high - low > 1.05 * period:
        return f"{name!r} spans {(high - low) / period:.2g} periods (unwrapped): taken modulo {period:.4g}"
    return None


def dihedral_angle(first: np.ndarray, middle: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Torsion angles of chains of three vectors, in radians from -pi to pi with the IUPAC sign.

    ``tan = |b2| b1 . (b2 x b3) / (b1 x b2) . (b2 x b3)``.

    Parameters
    ----------
    first, middle, last : ndarray, shape (..., 3)
        b1, b2 and b3, each from one point to the next.

    Returns
    -------
    ndarray, shape (...)

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.statistics import dihedral_angle
    >>> float(dihedral_angle(np.array([-1.0, 0, 0]), np.array([0, 0, 1.0]), np.array([0, 1.0, 0])).round(4))
    1.5708
    """
    normal = np.cross(middle, last)
    sine = np.linalg.norm(middle, axis=-1) * np.einsum("...x,...x->...", first, normal)
    return np.asarray(np.arctan2(sine, np.einsum("...x,...x->...", np.cross(first, middle), normal)))


def check_jumps(trace: Any, name: str) -> bool:
    """Whether a variable without a period jumps like an angle that is cut open: from one end of a turn to the other.

    Parameters
    ----------
    trace : array_like, shape (n_draws, n_chains)
        Values in the order of time, of small moves.
    name : str
        For the message.

    Returns
    -------
    bool
        Whether it warned.

    Warns
    -----
    DataWarning
        If values stay within one turn, and some step is longer than half of it although the way round is short.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.statistics import check_jumps
    >>> check_jumps(np.linspace(-3, 3, 50)[:, None], "phi")              # from end to end in small steps: no angle
    False
    """
    values = np.asarray(trace, dtype=np.float64)
    steps = np.abs(np.diff(values, axis=0))
    low, high, longest = float(values.min()), float(values.max()), float(steps.max(initial=0.0))
    for turn, unit in ((TURN, "2*np.pi"), (360.0, "360")):
        slack = 1e-3 * turn
        inside = (low >= -turn / 2 - slack and high <= turn / 2 + slack) or (low >= -slack and high <= turn + slack)
        far = steps[steps > turn / 2]
        if inside and len(far) and np.median(turn - far) < turn / 4 and np.median(steps) < turn / 4:
            _warn(
                f"{name!r} jumped by {longest:.3g} in one iteration of local moves, more than half a turn: it looks "
                f"like an angle without its period; period={unit}?"
            )
            return True
    return False


def _degrees_under_radians(low: float, high: float, period: float) -> bool:
    radians = any(abs(period - turn) <= 0.01 * turn for turn in (TURN, math.pi))
    degrees = (low >= -180.5 and high <= 180.5) or (low >= -0.5 and high <= 360.5)
    return radians and degrees and high - low > max(20.0, 1.05 * period)


def _radians_under_degrees(low: float, high: float, period: float) -> bool:
    slack = 0.001 * TURN
    radians = (low >= -math.pi - slack and high <= math.pi + slack) or (low >= -slack and high <= TURN + slack)
    return any(abs(period - turn) <= 1 for turn in (360, 180)) and radians


def _small_steps(values: np.ndarray, period: float, time: Any, run: Any) -> bool:
    order = run_order(len(values), time, run)
    steps = [np.diff(values[order.rows[start:stop]]) for start, stop in order.slices]
    return all(bool((np.abs(part) < period / 2).all()) for part in steps)


def _undeclared(values: np.ndarray, low: float, high: float, name: str) -> None:
    """Warn when values fill a full turn, with mass at both edges, and no period was declared."""
    for turn, unit in ((TURN, "2*np.pi"), (360.0, "360")):
        edge = turn / 2
        inside = low >= -edge * 1.001 and high <= edge * 1.001
        if not inside or high - low <= 0.97 * turn:
            continue
        # 0.3 % of the values in each outer 2 % of the turn.  One value is no mass: with it, one standardised normal
        # column in a hundred would be called an angle at N = 300.
        least = max(2, 0.003 * len(values))
        left = np.count_nonzero(values <= -edge + 0.02 * turn)
        right = np.count_nonzero(values >= edge - 0.02 * turn)
        if min(left, right) >= least:
            _warn(f"column {name!r} looks like an angle (it fills {-edge:.4g}..{edge:.4g}); period={unit}?")


def _warn(text: str) -> None:
    warn(text)
