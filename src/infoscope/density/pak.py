"""PAk: the density at a point from its neighbours, allowing log density to change linearly with the rank.

Shells between successive neighbours have volumes v_l = V_d (r_l^d - r_(l-1)^d).  F (log density times N) and a slope
maximise L = sum_l F + a l - v_l exp(F + a l), l = 1 ... k.  With shells relative to the ball of the k-th neighbour,
u_l = v_l/(V_d r_k^d), and x_l = l/k, nothing overflows in any dimension; L is concave, and Newton's steps settle in 4
to 8 rounds.
"""

from __future__ import annotations

import numpy as np

from infoscope.base import kernel

MOST_STEPS = 100
SETTLED = 1e-12


def most_likely_log_count(log_distances: np.ndarray, k: np.ndarray, d: float) -> tuple[np.ndarray, np.ndarray]:
    """F + log V_d + d log r_k at the maximum of L: the logarithm of the count a constant density would show.

    Parameters
    ----------
    log_distances : array (R, K)
        Of the neighbours of every row.
    k : array (R,) of int
        How many of them are used.
    d : float
        Intrinsic dimension.

    Returns
    -------
    log_count : array (R,)
    settled : array (R,) of bool
        False where equal distances leave L without a maximum; log k is given there.

    References
    ----------
    Rodriguez, d'Errico, Facco, Laio, Journal of Chemical Theory and Computation 14, 1206 (2018).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.density.pak import most_likely_log_count
    >>> r = np.log(np.arange(1, 11))[None]                                   # evenly spaced on a line: constant density
    >>> round(float(np.exp(most_likely_log_count(r, np.array([10]), 1.0)[0][0])), 6)
    10.0
    """
    out, settled = np.empty(len(k)), np.empty(len(k), np.bool_)
    _maximise(np.ascontiguousarray(log_distances), np.asarray(k, np.int64), float(d), out, settled)
    return out, settled


# ------------------------------------------------------------------------------------------------------------- kernels
@kernel()
def _likelihood(u, f, a):
    total, n = 0.0, len(u)
    for rank in range(n):
        here = f + a * (rank + 1) / n
        total += here - u[rank] * np.exp(here)
    return total


@kernel()
def _maximise(log_r, k, d, out, settled):
    for i in range(len(k)):
        n = k[i]
        u = np.empty(n)
        u[0] = np.exp(d * (log_r[i, 0] - log_r[i, n - 1]))
        for rank in range(1, n):
            u[rank] = np.exp(d * (log_r[i, rank - 1] - log_r[i, n - 1])) * np.expm1(
                d * (log_r[i, rank] - log_r[i, rank - 1])
            )
        f, a, done = np.log(n), 0.0, False
        best = _likelihood(u, f, a)
        for _ in range(MOST_STEPS):
            s0, s1, s2 = 0.0, 0.0, 0.0
            for rank in range(n):
                x = (rank + 1) / n
                e = u[rank] * np.exp(f + a * x)
                s0 += e
                s1 += x * e
                s2 += x * x * e
            g0, g1, det = n - s0, (n + 1) / 2 - s1, s0 * s2 - s1 * s1
            if not det > 1e-14 * s0 * s2:  # all points in one shell
                break
            step_f, step_a = (s2 * g0 - s1 * g1) / det, (s0 * g1 - s1 * g0) / det
            size = 1.0
            value = _likelihood(u, f + step_f, a + step_a)
            while not value >= best - 1e-13 * abs(best) and size > 1e-10:
                size /= 2
                value = _likelihood(u, f + size * step_f, a + size * step_a)
            f, a, best = f + size * step_f, a + size * step_a, value
            if abs(step_f) + abs(step_a) <= SETTLED * (1 + abs(f) + abs(a)):
                done = True
                break
        out[i] = f if done else np.log(n)
        settled[i] = done
