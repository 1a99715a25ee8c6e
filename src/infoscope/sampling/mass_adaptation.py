"""Masses of the paths: the inverse variance of every coordinate about its way along the variables."""

from __future__ import annotations

from typing import Any

import numpy as np

from .variables import short_way

WIDEST = 100.0  # ratio of the heaviest and the lightest mass
ROWS_PER_TERM = 10  # of a regression; with fewer, fewer terms


class PathVariance:
    """Running sums of a regression of the rest y on the variables, in every basin on its own.

    With all masses M_j = 1 / Var(y_j | z) every coordinate oscillates about its way with the same frequency, and one
    time step is right for all of them.  The regression is quadratic in every variable (a constant, cosine and sine of a
    periodic one), and becomes a constant where rows are few.

    Attributes
    ----------
    sums : dict of ndarray
        Of the products of terms (B, p, p), of terms and y (B, p, d), of y squared (B, d), about the first y of a basin.
    """

    def __init__(self, centres: np.ndarray, scale: np.ndarray, period: np.ndarray, sums: dict[str, Any]) -> None:
        self.centres, self.scale, self.period, self.sums = centres, scale, period, sums

    @classmethod
    def empty(cls, centres: np.ndarray, scale: np.ndarray, period: np.ndarray, d: int) -> PathVariance:
        """Of no rows yet; `centres` (B, m) are where the variables of every basin are measured from."""
        b, p = len(centres), 1 + 2 * centres.shape[1]
        sums = {"tt": np.zeros((b, p, p)), "ty": np.zeros((b, p, d)), "yy": np.zeros((b, d))}
        return cls(centres, scale, period, sums | {"origin": np.zeros((b, d)), "seen": np.zeros(b, bool)})

    def add(self, z: np.ndarray, y: np.ndarray, labels: np.ndarray) -> None:
        """Take in rows: variables (n, m), the rest (n, d), and their basins; of basins beyond the known ones none."""
        for b in np.unique(labels):
            if not 0 <= b < len(self.centres):
                continue
            rows = labels == b
            if not self.sums["seen"][b]:
                self.sums["origin"][b], self.sums["seen"][b] = y[rows][0], True
            t, away = self._terms(z[rows], b), y[rows] - self.sums["origin"][b]
            self.sums["tt"][b] += np.einsum("np,nq->pq", t, t)
            self.sums["ty"][b] += np.einsum("np,nd->pd", t, away)
            self.sums["yy"][b] += (away**2).sum(0)

    def variance(self, kappa: np.ndarray | None = None) -> np.ndarray | None:
        """Variance of y about its way, all basins together; None with too few rows.

        With a spring of strength `kappa` (m,), what the spring lets the coordinate move is added.
        """
        squares, freedom = np.zeros(self.sums["yy"].shape[1]), 0.0
        for b in np.flatnonzero(self.sums["seen"]):
            tt, ty, yy = (self.sums[name][b] for name in ("tt", "ty", "yy"))
            p = tt.shape[0]
            while p > 1 and tt[0, 0] < ROWS_PER_TERM * p:
                p = (p - 1) // 2 + 1 if p > (tt.shape[0] - 1) // 2 + 1 else 1
            if tt[0, 0] < 3:
                continue
            slopes = np.linalg.lstsq(tt[:p, :p], ty[:p], rcond=1e-10)[0]
            left = np.maximum(yy - np.einsum("pd,pd->d", slopes, ty[:p]), 0.0)
            m = self.centres.shape[1]
            if kappa is not None and p > m:
                left = left + tt[0, 0] * ((slopes[1 : 1 + m] / self.scale[:, None]) ** 2 / kappa[:, None]).sum(0)
            squares += left
            freedom += tt[0, 0] - p
        return squares / freedom if freedom > 0 else None

    def _terms(self, z: np.ndarray, b: int) -> np.ndarray:
        """1, then a first and a second term of every variable."""
        away = short_way(z - self.centres[b], self.period)
        u = away / self.scale
        a = 2 * np.pi / np.where(self.period > 0, self.period, 1.0)
        first = np.where(self.period > 0, np.sin(a * away) / (a * self.scale), u)
        second = np.where(self.period > 0, 1 - np.cos(a * away), u**2)
        return np.concatenate([np.ones((len(z), 1)), first, second], axis=1)


def masses_of(variance: np.ndarray) -> np.ndarray:
    """1 / variance; the lightest has at least a hundredth of the heaviest mass.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.sampling.mass_adaptation import masses_of
    >>> masses_of(np.array([0.25, 1.0, 100.0]))
    array([4.  , 1.  , 0.04])
    """
    tiny = np.finfo(float).tiny
    heaviest = 1 / max(variance[variance > 0].min(initial=np.inf), tiny)
    if not np.isfinite(heaviest) or heaviest == 0:
        return np.ones_like(variance)
    return np.maximum(1 / np.maximum(variance, 1 / heaviest), heaviest / WIDEST)
