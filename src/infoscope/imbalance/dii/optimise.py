"""Finding the weights: L-BFGS on w >= 0, from many neighbours to few, with a certificate of optimality.

The derivative by a weight, 2 w S, vanishes at w = 0 whatever S is.  So weights are optimised as w, and optimality is
certified in s = w^2: S = 0 where a weight is positive, S >= 0 where it is zero.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from infoscope.base import one_blas_thread, progress

from .objective import Objective, first_equal

MEMORY = 20  # corrections that L-BFGS remembers
LARGE_SHARE = 0.05  # of the items: neighbours at which the continuation begins
ROUGH = 1e-5  # relative decrease at which its first part ends
NEGLIGIBLE = 1e-3  # a weight below this share of the largest is tried at zero
REVIVED = 0.03  # share of the largest weight that a violator starts again with
CERTIFIED = 1e-7  # violation below which a zero stays
RESTARTS = 10
STEEP = 1e-2  # violation from which it is asked whether a step of one weight lowers the value
STEPS = 10.0 ** np.arange(-8, 1)  # shares of the largest weight that a weight is tried at
MOST_TRIED = 20


@dataclass(frozen=True)
class Optimum:
    """Where an optimisation ended.

    Attributes
    ----------
    weights : array (G,)
        The largest is 1 (but for a fixed bandwidth, whose scale matters).
    value : float
        DII there, without penalty.
    slopes : array (G,)
        Derivative of the DII by the squared weights.
    violation : float
        How far the certificate fails: the largest of |S| where w > 0 and of -S where w = 0.
    history : array
        DII after every iteration at the final bandwidth.
    n_evaluations : int
        Of value and gradient, at all bandwidths.
    converged : bool
        Whether it ended by itself, and not because the iterations allowed were used up.
    """

    weights: np.ndarray
    value: float
    slopes: np.ndarray
    violation: float
    history: np.ndarray = field(repr=False)
    n_evaluations: int
    converged: bool


@dataclass(frozen=True)
class Step:
    """A change of one weight that lowers the value most, among those that were tried.

    Attributes
    ----------
    decrease : float
        By how much; 0 if none lowers it.
    group : int
        Which weight; -1 if none.
    weight : float
        To what, as a share of the largest.
    """

    decrease: float
    group: int
    weight: float


def best_step(objective: Objective, optimum: Optimum) -> Step:
    """What the steepest slopes are worth: the value at other values of one weight, over eight orders of magnitude.

    Where neighbours are decided by one column alone, distances are so small that a slope by a squared weight may be
    huge and hold only below weights that are too small to matter.
    """
    w, slopes = optimum.weights, optimum.slopes
    wrong = np.where(w > 0, np.abs(slopes), np.maximum(-slopes, 0))
    tried = [a for a in np.argsort(-wrong, kind="stable")[:MOST_TRIED] if wrong[a] > STEEP]
    best = Step(0.0, -1, 0.0)
    for a in tried:
        shares = STEPS if w[a] == 0 else np.concatenate([1 - STEPS[:-1], 1 + STEPS]) * w[a] / w.max()
        for share in shares:
            there = w.copy()
            there[a] = share * w.max()
            decrease = optimum.value - objective.softmax_rows(there).value
            if decrease > best.decrease:
                best = Step(float(decrease), int(a), float(share))
    return best


def minimise(
    objective: Objective,
    start: np.ndarray | None = None,
    *,
    alpha: float = 0.0,
    max_iter: int = 200,
    tol: float = 1e-9,
    continuation: bool = True,
    show: bool = True,
) -> Optimum:
    """Weights w >= 0 with the smallest DII(w) + alpha |w|_1/|w|_2.

    Parameters
    ----------
    objective : Objective
        The function.
    start : array (G,), optional
        Starting weights; all equal by default.  With `alpha`, a weight that is zero stays zero.
    alpha : float
        Strength of the penalty, which depends on the direction of w only.
    max_iter : int
        Iterations at the final bandwidth.
    tol : float
        Relative decrease of the value, and size of the projected gradient, at which it ends.
    continuation : bool
        Whether to begin with many neighbours; for "point" and "global" bandwidths.
    show : bool
        Whether long work shows a progress bar with the current value.

    Returns
    -------
    Optimum

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.imbalance.dii.objective import Objective
    >>> from infoscope.imbalance.dii.optimise import minimise
    >>> from infoscope.imbalance.rank_table import rank_table
    >>> from infoscope.imbalance.dii.softmax import Bandwidth
    >>> from infoscope.neighbors import Space
    >>> x = np.random.default_rng(0).normal(size=(300, 3))
    >>> target = rank_table(Space(x * [2, 1, 0]))
    >>> best = minimise(Objective(Space(x), target, np.arange(3), Bandwidth(k=3)))
    >>> best.weights.round(2)
    array([1. , 0.5, 0. ])
    """
    w = np.ones(objective.n_weights) if start is None else np.asarray(start, float)
    counted = _Counted(objective)
    if objective.n_weights == 1 or np.count_nonzero(w) == 1 and alpha > 0:
        return _end(counted, w, [], True)  # the direction of one weight is no choice
    with progress(max_iter, "weights", "iterations") if show else _silent() as bar:
        large = int(LARGE_SHARE * len(objective.space))
        if continuation and objective.bandwidth.kind in ("point", "global") and large > objective.bandwidth.k:
            rough = _Counted(objective.with_bandwidth(k=large))
            w, _ = _descend(rough, w, alpha, max_iter, ROUGH, None)
            counted.n = rough.n
        history: list[float] = []

        def seen(value: float) -> None:
            history.append(value)
            bar.update(1)
            bar.note(f"DII {value:.4f}")

        w, converged = _descend(counted, w, alpha, max_iter, tol, seen)
        w, converged = _settle_zeros(counted, w, alpha, max_iter, tol, seen, converged)
    return _end(counted, w, history, converged)


class _Counted:
    """The objective, counting, and remembering the last place."""

    def __init__(self, objective: Objective):
        self.objective, self.n = objective, 0
        self.free = objective.bandwidth.kind != "fixed"  # only the direction of w matters
        self.place: np.ndarray | None = None

    def __call__(self, w: np.ndarray) -> tuple[float, np.ndarray]:
        if self.place is None or not np.array_equal(w, self.place):
            self.place, self.found = w.copy(), self.objective(w)
            self.n += 1
        return self.found

    def penalised(self, w: np.ndarray, alpha: float) -> tuple[float, np.ndarray]:
        """Value and gradient by w, penalty included."""
        size = np.linalg.norm(w)
        if size == 0:
            return 2.0 + alpha * (1 + np.sqrt(len(w))), np.zeros_like(w)  # worse than any direction
        value, slopes = self(w / size if self.free else w)
        gradient = 2 * w * slopes / (size * size if self.free else 1.0)
        if alpha:
            one = w.sum() / size
            value, gradient = value + alpha * one, gradient + alpha * (1 / size - one * w / size**2)
        return value, gradient


def _descend(counted: _Counted, w, alpha, max_iter, tol, seen: Callable[[float], None] | None):
    """One run of L-BFGS; the weights that were positive may become zero, none becomes negative."""
    from scipy.optimize import minimize

    active = np.flatnonzero(w > 0)
    full = np.zeros(len(w))

    def function(part):
        full[active] = part
        value, gradient = counted.penalised(full, alpha)
        return value, gradient[active]

    def after(intermediate_result):
        if seen is not None:
            seen(float(intermediate_result.fun))

    with one_blas_thread():  # threads cost more than products of a few weights
        found = minimize(
            function,
            w[active] / w.max(),
            jac=True,
            method="L-BFGS-B",
            bounds=[(0, None)] * len(active),
            callback=after,
            options=dict(maxcor=MEMORY, maxiter=max_iter, ftol=tol * 1e-3, gtol=tol),
        )
    full[active] = found.x
    scale = full.max() if counted.free and full.max() > 0 else 1.0
    return full / scale, found.status != 1  # 1: iterations used up; 2: rounding, or a kink, hides what is lower


def _settle_zeros(counted, w, alpha, max_iter, tol, seen, converged):
    """Weights that only fade become zero; zeros that would lower the value come back; until neither happens."""
    for _ in range(RESTARTS):
        value, _ = counted.penalised(w, alpha)
        _, slopes = counted(w / np.linalg.norm(w) if counted.free else w)
        fading = (w > 0) & (w < NEGLIGIBLE * w.max()) & (slopes > 0)
        tried = np.where(fading, 0.0, w)
        if fading.any() and counted.penalised(tried, alpha)[0] <= value + tol:
            w, converged = _descend(counted, tried, alpha, max_iter, tol, seen)
            continue
        violators = (w == 0) & (slopes < -CERTIFIED) if alpha == 0 else np.zeros(len(w), bool)
        if not violators.any():
            return w, converged
        trial, done = _descend(counted, np.where(violators, REVIVED * w.max(), w), alpha, max_iter, tol, seen)
        if counted.penalised(trial, alpha)[0] > value - tol * abs(value):
            return w, converged
        w, converged = trial, done
    return w, False


def _end(counted: _Counted, w, history, converged) -> Optimum:
    w = w / w.max() if counted.free else w
    first, place = first_equal(counted.objective.space, counted.objective.groups), np.empty_like(w)
    place[np.argsort(first, kind="stable")] = w[np.lexsort((-w, first))]  # of equal columns the first weighs most
    w = place
    value, slopes = counted(w)
    violation = float(np.max(np.where(w > 0, np.abs(slopes), np.maximum(-slopes, 0)), initial=0.0))
    return Optimum(w, value, slopes, violation, np.array(history), counted.n, converged)


class _silent:
    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def update(self, n):
        """Nothing is shown."""

    def note(self, text):
        """Nothing is shown."""
