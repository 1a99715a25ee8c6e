"""A fixed affine layer before a flow: mean 0 and covariance 1 of what is on a line, angles about their mean."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from infoscope.base.array_types import Floats
from infoscope.base.checks import check_choice
from infoscope.base.contents import flags, numbers
from infoscope.base.errors import DataError, ParameterError, warn

from .row_products import multiply_rows

LEAST_RESIDUAL = 1e-10  # of a column's variance, given the columns before it
DEGENERATE = ("raise", "drop")


@dataclass(frozen=True, eq=False)
class Whitening:
    """Values of variables and standard ones; made by `learn_whitening`.

    A variable with a period P becomes the angle 2 pi (z - mean) / P in [-pi, pi); the others together are centred and
    multiplied by the inverse Cholesky factor of their covariance.

    Attributes
    ----------
    mean : array (m,)
        The circular mean of a periodic variable.
    period : array (m,)
        0 for a variable without one.
    kept : array (m,) of bool
        False for a variable that never changed: it is `mean`, and has no standard value.
    factor, inverse : array (d, d)
        Cholesky factor of the covariance of the d variables that are kept and not periodic, and its inverse.
    """

    mean: np.ndarray
    period: np.ndarray
    kept: np.ndarray
    factor: np.ndarray
    inverse: np.ndarray

    _contents = {
        "mean": numbers("M", finite=True), "period": numbers("M", low=0), "kept": flags("M"),
        "factor": numbers("D", "D", finite=True), "inverse": numbers("D", "D", finite=True),
    }  # fmt: skip

    @property
    def periodic(self) -> np.ndarray:
        """Which standard variables are angles."""
        return (self.period > 0)[self.kept]

    @property
    def log_volume(self) -> float:
        """ln |dz / du| of the values z and their standard ones u."""
        turns = self.period[self.kept & (self.period > 0)] / (2 * math.pi)
        return float(np.log(np.diag(self.factor)).sum() + np.log(turns).sum())

    def standardize(self, z: Floats) -> Floats:
        """Standard values (n, d) of values (n, m)."""
        shifted, angle = (z - self.mean)[:, self.kept], self.periodic
        period = self.period[self.kept][angle]
        u = np.empty_like(shifted)
        u[:, ~angle] = multiply_rows(self.inverse, shifted[:, ~angle])
        turns = shifted[:, angle] / period
        u[:, angle] = 2 * math.pi * (turns - np.floor(turns + 0.5))
        return u

    def restore(self, u: Floats) -> Floats:
        """Values (n, m) of standard values (n, d); periodic ones in [-P/2, P/2)."""
        shifted, angle = np.empty_like(u), self.periodic
        period = self.period[self.kept][angle]
        shifted[:, ~angle] = multiply_rows(self.factor, u[:, ~angle])
        shifted[:, angle] = u[:, angle] * (period / (2 * math.pi))
        z = np.tile(self.mean, (len(u), 1))
        z[:, self.kept] += shifted
        return wrap(z, self.period)

    def unchanged(self, z: Floats) -> np.ndarray:
        """Which rows (n, m) have the one value of every variable that was dropped: (n,)."""
        return np.asarray((z[:, ~self.kept] == self.mean[~self.kept]).all(axis=1))


def learn_whitening(
    z: Floats, weights: Floats, period: Floats, *, names: Sequence[str] | None = None, on_degenerate: str = "raise"
) -> Whitening:
    """The whitening of some values.

    Parameters
    ----------
    z : array (N, m)
    weights : array (N,)
    period : array (m,)
        0 for a variable without one.
    names : sequence of str, optional
        For messages.
    on_degenerate : {"raise", "drop"}
        What to do with a variable that never changes.

    Returns
    -------
    Whitening

    Raises
    ------
    DataError
        If a variable never changes, or is a linear function of others, with its name.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.sampling.whitening import learn_whitening
    >>> z = np.random.default_rng(0).normal(size=(500, 2)) @ [[3.0, 1.0], [0.0, 0.1]] + 5
    >>> u = learn_whitening(z, np.ones(500), np.zeros(2)).standardize(z)
    >>> bool(np.allclose(np.cov(u.T, bias=True), np.eye(2)))
    True
    """
    check_choice(on_degenerate, "on_degenerate", DEGENERATE)
    share = weights / weights.sum()
    kept = (z != z[0]).any(axis=0)
    if not kept.all():
        told = ", ".join(_name(int(column), names) for column in np.flatnonzero(~kept))
        if on_degenerate == "raise" or not kept.any():
            raise DataError(
                f"{told} never changed, so there is no density of it: leave it out, pass values in which it changes, "
                'or on_degenerate="drop"'
            )
        warn(f"{told} never changed and is proposed as it is")
    line, angle = kept & (period == 0), period > 0
    mean = np.where(kept, share @ z, z[0])
    for column in np.flatnonzero(angle & kept):
        turn = 2 * math.pi / period[column]
        mean[column] = np.angle(share @ np.exp(1j * turn * z[:, column])) / turn
    shifted = z[:, line] - mean[line]
    covariance = (shifted * share[:, None]).T @ shifted
    _refuse_dependent(covariance, np.flatnonzero(line), names)
    factor = np.linalg.cholesky(covariance)
    inverse = np.linalg.solve(factor, np.eye(len(factor)))
    return Whitening(mean, np.asarray(period, dtype=np.float64), kept, factor, inverse)


def wrap(z: Floats, period: Floats) -> Floats:
    """Periodic columns in [-P/2, P/2), the others as they are."""
    angle = period > 0
    if angle.any():
        z = z.copy()
        z[:, angle] -= period[angle] * np.floor(z[:, angle] / period[angle] + 0.5)
    return z


def check_bounds_of_angles(bounds: object, period: Floats) -> None:
    """Intervals are of variables on a line: an interval of a circle has no first end.

    Raises
    ------
    ParameterError
        If a periodic variable has a finite bound.
    """
    if bounds is not None and np.isfinite(np.asarray(bounds, dtype=np.float64)[period > 0]).any():
        raise ParameterError("bounds of a periodic variable have no meaning: pass -inf and inf there")


def _refuse_dependent(covariance: Floats, columns: np.ndarray, names: Sequence[str] | None) -> None:
    """Say which column is a linear function of those before it: its variance given them is rounding."""
    spread = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(spread, spread)
    for last in range(1, len(columns)):
        before = correlation[:last, :last]
        residual = 1 - correlation[last, :last] @ np.linalg.solve(before, correlation[:last, last])
        if residual < LEAST_RESIDUAL:
            raise DataError(
                f"{_name(int(columns[last]), names)} is a linear function of the variables before it: leave it out"
            )


def _name(column: int, names: Sequence[str] | None) -> str:
    return f"variable {column}" if names is None else f"variable {column} ({names[column]!r})"
