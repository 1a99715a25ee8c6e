"""Standard errors of a Binary Intrinsic Dimension: pairs share items, so they are not independent.

Dyadic-robust sandwich: with the score u_ij of a pair (zero outside the window), S_i = sum_j u_ij, and H the Hessian of
the divergence times the pairs in the window,

    Cov(a, b) = H^-1 [ sum_i S_i S_i^T - sum_{i<j} u_ij u_ij^T ] H^-1

because a pair shares one item with those in S_i and S_j, and is counted in both.  Two sets of items take the same form.

Of B blocks of correlated items only the sums S_b over the pairs that touch them are compared,
B/(B - 1) sum_b S_b S_b^T about their mean: what is left when each block goes, a jackknife in linear order.  Pairs of
blocks that lie close in time are alike, which is no chance, and to take out their squares would take out more than is
counted twice.  The same is done where chance has made the sum over items no covariance, and in no direction is less
taken than independent pairs have.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from infoscope.base.rounding import SAME

from .hamming import HammingHistogram
from .model import Fitted, fit_law
from .packing import Bits
from .window import Window


def table_of(fitted: Fitted, window: Window) -> np.ndarray:
    """Scores at every distance from the first to the last of a window, (R, 2); zero where none can be."""
    table = np.zeros((int(window.r[-1] - window.r[0]) + 1, 2))
    table[window.r - window.r[0]] = fitted.scores
    return table


def dyadic_covariances(
    fits: list[Fitted],
    windows: list[Window],
    bits: Bits,
    other: Bits | None = None,
    *,
    blocks=None,
    by_segment: bool = False,
    n_jobs: int | None = None,
) -> list[tuple[str, np.ndarray]]:
    """Where errors come from, and covariances of (a, b), of several fits to the same pairs, from one more pass.

    Parameters
    ----------
    fits, windows : lists
        Several windows of one histogram, or one of each segment.
    bits, other : Bits
        The items.
    blocks : array (N,) of int, optional
        Blocks of correlated items.
    by_segment : bool
        Whether the fits belong to segments of the columns.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    list of (str, array (2, 2))
        "dyadic", "blocks", or "jackknife" where the dyadic sum was no covariance.
    """
    first, table = _tables(fits, windows, by_segment, len(bits.packed.ends))
    if blocks is not None:
        sums = bits.packed.block_sums(first, table, blocks, n_jobs=n_jobs)
        sides = [np.sqrt(len(sums) / (len(sums) - 1)) * (sums - sums.mean(0))]
    else:
        rows, partners = bits.packed.sums(first, table, None if other is None else other.packed, n_jobs=n_jobs)
        sides = [rows] if other is None else [rows, partners]
    found = []
    for f, (fitted, window) in enumerate(zip(fits, windows, strict=True)):
        segment, columns = (f, slice(0, 2)) if by_segment else (-1, slice(2 * f, 2 * f + 2))
        touching = sum(side[:, segment, columns].T @ side[:, segment, columns] for side in sides)
        how, middle = "blocks", touching
        if blocks is None:
            independent = (fitted.scores * window.counts[:, None]).T @ fitted.scores
            how, middle = _dyadic(touching, independent)
        inverse = np.linalg.pinv(window.n_pairs * fitted.hessian)
        found.append((how, inverse @ middle @ inverse))
    return found


def _dyadic(touching: np.ndarray, independent: np.ndarray) -> tuple[str, np.ndarray]:
    """The sum over items without the pairs that it counts twice; with them where nothing else is a covariance.

    These are then compared with independent pairs in units of those: in no direction is the error smaller.
    """
    scale = np.sqrt(np.diag(independent))  # d and its slope have units of their own
    between = touching - independent
    if np.all(np.linalg.eigvalsh(between / np.outer(scale, scale)) > 0):
        return "dyadic", between
    sizes, axes = np.linalg.eigh(independent / np.outer(scale, scale))
    root = scale[:, None] * axes * np.sqrt(np.maximum(sizes, SAME))  # of independent pairs: root root^T
    inverse = np.linalg.inv(root)
    ratios, turns = np.linalg.eigh(inverse @ touching @ inverse.T)
    return "jackknife", root @ (turns * np.maximum(ratios, 1.0)) @ turns.T @ root.T


def jackknife_covariance(fitted: Fitted, window: Window, h: HammingHistogram) -> np.ndarray:
    """From the fits without each group of items, in the same window; conservative."""
    values = []
    for touching in () if h.group_counts is None else h.group_counts:
        counts = np.asarray(h.counts - touching, float)
        inside = counts[window.r]
        if inside.sum() > 0:
            mean, deviation = _moments(counts)
            values.append(_without(fitted, window, inside, mean, deviation, h))
    x = np.array(values)
    away = x - x.mean(0)
    covariance = (len(x) - 1) / len(x) * away.T @ away  # of d0 and d1
    turn = np.array([[1.0, fitted.centre], [0.0, 1.0]])  # a = d0 + d1 centre
    return turn @ covariance @ turn.T


def _without(fitted, window, inside, mean, deviation, h) -> tuple[float, float]:
    one = fit_law(window.r, inside / inside.sum(), mean, deviation, h.n_bits, h.q, start=(fitted.d0, fitted.b))
    return one.d0, one.b


def _moments(counts: np.ndarray) -> tuple[float, float]:
    r, p = np.arange(len(counts)), counts / counts.sum()
    mean = float(p @ r)
    return mean, float(np.sqrt(p @ (r - mean) ** 2))


def _tables(fits, windows, by_segment: bool, n_segments: int) -> tuple[np.ndarray, Any]:
    """One table a segment; several windows of one histogram stand side by side in its columns."""
    tables = [table_of(*one) for one in zip(fits, windows, strict=True)]
    starts = np.array([int(w.r[0]) for w in windows])
    if by_segment:
        out = np.zeros((len(fits), max(map(len, tables)), 2))
        for p, table in enumerate(tables):
            out[p, : len(table)] = table
        return starts, out
    low, high = starts.min(), max(int(w.r[-1]) for w in windows)
    out = np.zeros((n_segments, high - low + 1, 2 * len(fits)))
    for f, (start, table) in enumerate(zip(starts, tables, strict=True)):
        out[-1, start - low : start - low + len(table), 2 * f : 2 * f + 2] = table
    return np.full(n_segments, low), out
