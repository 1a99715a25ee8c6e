"""One fit of one histogram, with everything that should be said about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from infoscope.base import DataError

from .hamming import HammingHistogram
from .model import Fitted, fit_law, moment_solution
from .results import MISFIT, BinaryDimension
from .window import Window, check_window, remarks, window_of

ALIKE = 1000.0  # condition number from which two parameters are hardly two

Covariance = Callable[[Fitted, Window], tuple[str | None, np.ndarray | None]]


@dataclass(frozen=True)
class AskedWindow:
    """A window as the user asks for it."""

    alpha_min: float = 0.0
    alpha_max: float = 0.4
    support: str = "lattice"


def fit_histogram(h: HammingHistogram, asked: AskedWindow, covariance: Covariance | None = None) -> BinaryDimension:
    """Fit the law in a window; DataError if there is nothing to fit.

    `covariance` tells where the error comes from, and the covariance of (a, b).
    """
    if h.observed[-1] == 0:
        return no_variability(h)
    fitted, window = fit_window(h, asked)
    how, of_line = (None, None) if covariance is None else covariance(fitted, window)
    return as_result(h, fitted, window, asked, how, of_line)


def fit_window(h: HammingHistogram, asked: AskedWindow) -> tuple[Fitted, Window]:
    """The optimum and its window."""
    window = window_of(h, asked.alpha_min, asked.alpha_max, asked.support)
    check_window(window, h, asked.alpha_max)
    fitted = fit_law(window.r, window.p, *h.moments(), h.n_bits, h.q)
    if not (fitted.converged and fitted.has_peak and np.isfinite(fitted.kl)):
        hint = "".join(f"; {said}" for said in remarks(window, h, asked.alpha_max))
        raise DataError(
            f"no law with a peak fits the window up to alpha_max={asked.alpha_max:g}: try another "
            f"alpha_max, and look at the histogram's plot(){hint}"
        )
    return fitted, window


def as_result(
    h: HammingHistogram, fitted: Fitted, window: Window, asked: AskedWindow, how: str | None, of_line: np.ndarray | None
) -> BinaryDimension:
    """The numbers of a fit with their errors and warnings."""
    turn = np.array([[1.0, -fitted.centre], [0.0, 1.0]])  # d0 = a - b centre
    covariance = np.full((2, 2), np.nan) if of_line is None or fitted.at_bound else turn @ of_line @ turn.T
    d0_se, d1_se = np.sqrt(np.diag(covariance)).tolist()
    floor = max(window.n_occupied - 3, 1) / (2 * window.n_pairs)
    ratio = fitted.kl / floor
    moment_d0, moment_d1 = moment_solution(*h.moments(), h.q)
    warnings = list(remarks(window, h, asked.alpha_max))
    if fitted.at_bound:
        warnings.append(
            "the optimum lies on the edge of what is possible, where d is smaller than a distance: the "
            "number means little; try another alpha_max"
        )
    elif ratio > MISFIT:
        warnings.append(
            f"the law does not describe the histogram in the window: its divergence is {ratio:.3g} times "
            "what noise makes; compare windows with scan_alpha"
        )
    correlation = fitted.hessian / np.sqrt(np.outer(np.diag(fitted.hessian), np.diag(fitted.hessian)))
    condition = float(np.linalg.cond(correlation))
    if condition > ALIKE:
        warnings.append(
            f"the window hardly tells d0 and d1 apart (condition number {condition:.0f}): raise alpha_max, "
            "or use more items"
        )
    varying = max(h.bits_that_vary, 1)
    notes = list(h.notes)
    if how == "jackknife" and h.group_counts is None:
        notes.append(
            "too few items for the error of pairs that share one: as in a jackknife, each item counts alone, and pairs "
            "twice, which is on the safe side"
        )
    if h.n_duplicates:
        notes.append(f"{h.n_duplicates} items repeat an earlier one; they count, at distance 0")
    if h.n_varying is not None and h.n_varying < h.n_bits:
        notes.append(f"{h.n_bits - h.n_varying} of {h.n_bits} bits are the same in all items and change no distance")
    return BinaryDimension(
        d0=fitted.d0,
        d0_se=d0_se,
        d1=fitted.b,
        d1_se=d1_se,
        per_bit=fitted.d0 / varying,
        per_bit_se=d0_se / varying,
        d_mean=fitted.a,
        d_mean_se=np.nan if np.isnan(d0_se) or of_line is None else float(np.sqrt(of_line[0, 0])),
        covariance=covariance,
        error=how,
        kl=fitted.kl,
        kl_floor=floor,
        kl_ratio=ratio,
        r_min=int(window.r[0]),
        r_max=int(window.r[-1]),
        alpha=window.alpha,
        n_pairs=h.n_pairs,
        n_window_pairs=window.n_pairs,
        n_bits=h.n_bits,
        n_varying=h.n_varying,
        n_samples=h.n_samples,
        n_duplicates=h.n_duplicates,
        q=h.q,
        coding=h.coding,
        moment_d0=float(moment_d0),
        moment_d1=float(moment_d1),
        stride=h.stride,
        at_bound=fitted.at_bound,
        n_iter=fitted.n_iter,
        condition=condition,
        r=window.r,
        p_emp=window.p,
        p_model=fitted.p,
        histogram=h,
        warnings=tuple(warnings),
        notes=tuple(notes),
    )


def no_variability(h: HammingHistogram) -> BinaryDimension:
    """All items alike: the one histogram that says zero."""
    return _without_fit(h, 0.0, "no variability: all items are alike, so the dimension is 0")


def failed(h: HammingHistogram, why: str) -> BinaryDimension:
    """No number, and why."""
    return _without_fit(h, np.nan, why)


def _without_fit(h: HammingHistogram, d0: float, why: str) -> BinaryDimension:
    nothing = np.empty(0)
    return BinaryDimension(
        d0=d0,
        d0_se=np.nan,
        d1=np.nan,
        d1_se=np.nan,
        per_bit=d0,
        per_bit_se=np.nan,
        d_mean=d0,
        d_mean_se=np.nan,
        covariance=np.full((2, 2), np.nan),
        error=None,
        n_pairs=h.n_pairs,
        n_bits=h.n_bits,
        n_varying=h.n_varying,
        n_samples=h.n_samples,
        n_duplicates=h.n_duplicates,
        q=h.q,
        coding=h.coding,
        stride=h.stride,
        r_min=int(h.observed[0]),
        r_max=int(h.observed[-1]),
        r=nothing,
        p_emp=nothing,
        p_model=nothing,
        histogram=h,
        warnings=(why,),
        notes=h.notes,
    )
