"""p-values of estimates whose errors are normal."""

from __future__ import annotations

from typing import Any

import numpy as np

from infoscope.base.rounding import exceeds


def normal_p_value(value: Any, se: Any, size: float = 1.0) -> Any:
    """Two-sided p-value of "it is zero", of an estimate with a normal error.

    Parameters
    ----------
    value, se : float or array
        Estimate and its standard error, of one shape.
    size : float
        Size of the terms that the value is a difference of: below 1e-12 of it a difference is rounding.

    Returns
    -------
    float or ndarray
        1 where the value is zero up to rounding, whatever its error: nothing speaks against zero.  0 where a value that
        is not zero has the error 0, as of quantities that are known exactly.  NaN where the value or the error is NaN.

    Examples
    --------
    >>> from infoscope.statistics import normal_p_value
    >>> normal_p_value([0.0, 1.959964, 0.1], [0.0, 1.0, 0.0]).round(4)
    array([1.  , 0.05, 0.  ])
    """
    from scipy.special import ndtr

    values, errors = np.asarray(value, np.float64), np.asarray(se, np.float64)
    away = np.abs(values)
    p = 2 * ndtr(-np.divide(away, errors, out=np.full(away.shape, np.inf), where=errors != 0))
    p = np.where(np.isnan(values) | np.isnan(errors), np.nan, np.where(exceeds(away, 0.0, size), p, 1.0))
    return p if p.ndim else float(p)
