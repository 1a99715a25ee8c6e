"""The law of the distances of d independent fair bits, with d a straight line in the distance, and its fit.

    ln P(r) = ln binom(d, r) + r ln(q - 1) - d ln q - ln Z,    d = d0 + d1 r        (arXiv 2411.02126; q = 2 there)

The fit minimises the Kullback-Leibler divergence from the observed P over (a, b): d = a + b (r - rbar), where rbar is
the mean of the window.  In these the two parameters are nearly independent, while (d0, d1) are almost collinear.
With v = (1, r - rbar), psi the digamma function, g1 = psi(d + 1) - psi(d - r + 1) - ln q, and g2 its derivative:

    gradient = sum_r (P - P_emp) g1 v,        Hessian = Cov_P(g1 v) + sum_r (P - P_emp) g2 v v^T
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import digamma, gammaln, polygamma

TOL = 1e-11  # relative step at which the fit ends
NOTHING = 1e-24  # expected gain in divergence at which it ends as well: the digits are used up
MAX_ITER = 200
LARGE = 40.0  # from which Stirling's series is exact to the last digit
NOISE = 1e-13  # of a divergence
STARTS = np.concatenate([np.arange(0.05, 1.0, 0.05), [1.0, 1.2, 1.5, 2.0, 3.0]])  # d0 / n_bits on the ridge
TRIES = 4  # starts that are followed when the best does not end inside
MARGIN = 1e-6  # distance from a bound at which a fit lies on it
FLAT = 1e-4  # and of a slope from that of a law without a peak


@dataclass(frozen=True)
class Fitted:
    """An optimum.

    Attributes
    ----------
    a, b : float
        d at the mean of the window, and its slope.
    centre : float
        That mean, rbar.
    p : array (R,)
        Model probabilities on the support.
    kl : float
        Divergence from the observed ones.
    hessian : array (2, 2)
        Of the divergence, in (a, b).
    scores : array (R, 2)
        g1 v - its mean under the model.
    n_iter : int
        Newton steps.
    converged, at_bound : bool
        Whether steps became small, and whether d equals r - 1 somewhere, below which there is no law.
    has_peak : bool
        Whether d0 is positive and the slope such that the law has a peak.
    """

    a: float
    b: float
    centre: float
    p: np.ndarray
    kl: float
    hessian: np.ndarray
    scores: np.ndarray
    n_iter: int
    converged: bool
    at_bound: bool
    has_peak: bool

    @property
    def d0(self) -> float:
        return self.a - self.b * self.centre

    def d(self, r):
        """The dimension at a distance."""
        return self.a + self.b * (r - self.centre)


def moment_solution(mean: float, deviation: float, q: int = 2) -> tuple[float, float]:
    """d0 and d1 of the law that has this mean and deviation; what every fit of a large window converges to.

    Examples
    --------
    >>> from infoscope.dimension.binary.model import moment_solution
    >>> moment_solution(50.0, 5.0)               # 100 independent bits
    (100.0, 0.0)
    """
    p = 1 - 1 / q
    if not deviation > 0:
        return np.nan, np.nan
    d0 = mean**1.5 * np.sqrt(1 - p) / (p * deviation)
    return float(d0), float((1 - np.sqrt(mean * (1 - p)) / deviation) / p)


def log_law(d, r, q: int = 2) -> np.ndarray:
    """ln of the unnormalised law at distances r < d + 1.

    Where d, r and d - r are large, logarithms of Gamma lose the digits in which laws of a million bits differ.  There
    Stirling's series with the large parts taken together, -d KL(r/d, p), keeps them.
    """
    d, r = np.broadcast_arrays(np.asarray(d, float), np.asarray(r, float))
    out, p = np.empty(d.shape), 1 - 1 / q
    large = (r > LARGE) & (d - r > LARGE)
    a, k = d[~large], r[~large]
    out[~large] = gammaln(a + 1) - gammaln(k + 1) - gammaln(a - k + 1) + k * np.log(q - 1.0) - a * np.log(q)
    a, k = d[large], r[large]
    away = k - a * p
    deviance = k * np.log1p(away / (a * p)) + (a - k) * np.log1p(-away / (a * (1 - p)))
    series = _stirling(a) - _stirling(k) - _stirling(a - k)
    out[large] = series - deviance + 0.5 * np.log(a / (2 * np.pi * k * (a - k)))
    return out


def _stirling(x):
    """lnGamma(x + 1) - (x ln x - x + ln(2 pi x)/2); the next term is below 1e-16 for x > 40."""
    y = 1 / (x * x)
    return (1 / 12 - y * (1 / 360 - y * (1 / 1260 - y / 1680))) / x


def fit_law(
    r: np.ndarray,
    p_emp: np.ndarray,
    mean: float,
    deviation: float,
    n_bits: int,
    q: int = 2,
    start: tuple[float, float] | None = None,
) -> Fitted:
    """The best d0 and d1.

    Parameters
    ----------
    r : array (R,)
        Support: distances in rising order.
    p_emp : array (R,)
        Observed probabilities, with sum 1; zero where nothing was seen.
    mean, deviation : float
        Of the whole histogram, for the starts.
    n_bits, q : int
        Bits (sites) of an item, states of each.
    start : tuple of float, optional
        d0 and d1 of a fit nearby, tried first.

    Returns
    -------
    Fitted
        The optimum of lowest divergence among the starts that were followed.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.stats import binom
    >>> from infoscope.dimension.binary.model import fit_law
    >>> r = np.arange(45)
    >>> p = binom.pmf(r, 100, 0.5)
    >>> found = fit_law(r, p / p.sum(), 50.0, 5.0, 100)
    >>> round(found.d0, 6)
    100.0
    """
    problem = _Problem(np.asarray(r, float), np.asarray(p_emp, float), q)
    found: list[Fitted] = []
    near = [] if start is None else [(start[0] + start[1] * problem.centre, start[1])]
    near = [one for one in near if problem.inside(*one)]
    for a, b in near or _starts(problem, mean, deviation, n_bits)[:TRIES]:
        found.append(_newton(problem, a, b))
        if found[-1].converged and found[-1].has_peak and not found[-1].at_bound:
            break
    inside = [one for one in found if one.converged and one.has_peak] or found
    return min(inside, key=lambda one: one.kl)


# ---------------------------------------------------------------------------------------------------------------- steps
class _Problem:
    """What does not change during a fit."""

    def __init__(self, r, p_emp, q: int):
        self.r, self.p_emp, self.q = r, p_emp, q
        self.centre = float(p_emp @ r)
        self.v = np.column_stack([np.ones_like(r), r - self.centre])
        seen = p_emp > 0
        self.entropy = float(p_emp[seen] @ np.log(p_emp[seen]))
        self.steepest = q / (q - 1.0)  # slope from which the law has no peak

    def inside(self, a: float, b: float) -> bool:
        """d > r - 1 on the support (it is a line, so its ends decide), d >= 0, and a slope with a peak."""
        ends = self.r[[0, -1]]
        d = a + b * (ends - self.centre)
        return bool(np.all(d - ends + 1 > 0) and np.all(d > -1) and b < self.steepest)

    def law(self, a: float, b: float):
        d = a + b * self.v[:, 1]
        with np.errstate(all="ignore"):
            log_p = log_law(d, self.r, self.q)
        log_p -= log_p.max()
        log_p -= np.log(np.exp(log_p).sum())
        return d, log_p

    def kl(self, a: float, b: float) -> float:
        if not self.inside(a, b):
            return np.inf
        value = self.entropy - float(self.p_emp @ self.law(a, b)[1])
        return value if np.isfinite(value) else np.inf

    def derivatives(self, a: float, b: float):
        """Gradient, Hessian, Fisher matrix, probabilities and scores."""
        d, log_p = self.law(a, b)
        p = np.exp(log_p)
        g1 = digamma(d + 1) - digamma(d - self.r + 1) - np.log(self.q)
        g2 = polygamma(1, d + 1) - polygamma(1, d - self.r + 1)
        slopes = g1[:, None] * self.v
        scores = slopes - p @ slopes
        fisher = (scores * p[:, None]).T @ scores
        rest = p - self.p_emp
        gradient = rest @ scores  # the mean drops out: both sum to one
        hessian = fisher + (self.v * (rest * g2)[:, None]).T @ self.v
        return gradient, hessian, fisher, p, scores


def _starts(problem: _Problem, mean: float, deviation: float, n_bits: int) -> list[tuple[float, float]]:
    """(a, b), best first: a line through the last distance, laws that peak where the histogram does, the moments."""
    r_max, slope = float(problem.r[-1]), problem.steepest
    lines = [(r_max, min(1.0, 0.99 * slope))]
    if mean > 0:
        lines += [(f * n_bits, slope - f * n_bits / mean) for f in STARTS]
    lines += [moment_solution(mean, deviation, problem.q)]
    starts = [(d0 + d1 * problem.centre, d1) for d0, d1 in lines if np.isfinite(d0)]
    starts = [start for start in starts if problem.inside(*start)]
    if not starts:  # a window beyond the peak: above the line d = r
        starts = [(problem.centre + w, 1.0) for w in (0.5, 2.0, float(n_bits))]
    return sorted(starts, key=lambda start: problem.kl(*start))


def _newton(problem: _Problem, a: float, b: float) -> Fitted:
    """Damped Newton: the Hessian where it is positive definite, the Fisher matrix else, plus damping of its size."""
    x, kl, damping, converged, n_iter = np.array([a, b]), problem.kl(a, b), 1e-3, False, 0
    gradient, hessian, fisher, p, scores = problem.derivatives(*x)
    for n_iter in range(1, MAX_ITER + 1):  # noqa: B007
        matrix = hessian if _positive(hessian) else fisher
        step = np.linalg.lstsq(matrix + damping * np.diag(np.diag(fisher)), -gradient, rcond=None)[0]
        size = np.max(np.abs(step) / np.maximum(np.abs(x), [1.0, 1e-3]))
        after = problem.kl(*(x + step))
        if after <= kl + NOISE:
            x, kl, damping = x + step, after, damping / 10
            gradient, hessian, fisher, p, scores = problem.derivatives(*x)
            if size < TOL or abs(gradient @ step) < NOTHING:
                converged = True
                break
        elif size < TOL or damping > 1e12:  # nothing better within rounding
            converged = size < 1e3 * TOL
            break
        else:
            damping *= 10
    r, d = problem.r, x[0] + x[1] * problem.v[:, 1]
    at_bound = bool(np.min(d - r + 1) < MARGIN * max(1.0, x[0]))
    has_peak = bool(problem.steepest - x[1] > FLAT and x[0] > x[1] * problem.centre)
    return Fitted(
        float(x[0]),
        float(x[1]),
        problem.centre,
        p,
        max(kl, 0.0),
        hessian,
        scores,
        n_iter,
        converged,
        at_bound,
        has_peak,
    )


def _positive(matrix: np.ndarray) -> bool:
    return bool(matrix[0, 0] > 0 and matrix[0, 0] * matrix[1, 1] > matrix[0, 1] ** 2)
