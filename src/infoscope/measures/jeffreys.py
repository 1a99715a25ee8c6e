"""Jeffreys divergence of two sets of shares: its value, bias, standard error, and its law where nothing changed.

``J = sum_b (p_b - q_b) log(p_b / q_b)`` (the population stability index and the information value are this number).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from infoscope.base.rounding import exceeds

CHANCE = 10.0  # rows expected in a bin from which its emptiness is no chance


class Shares(NamedTuple):
    """The shares of the bins in one sample, and the covariance of their errors.

    Attributes
    ----------
    counts : array (B,)
        Rows, or weight in units of rows.
    share : array (B,)
    covariance : array (B, B)
    """

    counts: np.ndarray
    share: np.ndarray
    covariance: np.ndarray


class Index(NamedTuple):
    """What the shares say.  `bias` is of second order, `variance` by the delta method, of first order."""

    value: float
    variance: float
    bias: float
    woe: np.ndarray  # (B,) weights of evidence, log(p / q)
    woe_se: np.ndarray


def plain_shares(counts: np.ndarray) -> Shares:
    """Of independent rows: multinomial."""
    total = counts.sum()
    p = counts / total
    return Shares(counts, p, (np.diag(p) - np.outer(p, p)) / total)


def unit_shares(table: np.ndarray, n_rows: float) -> Shares:
    """Of units (rows with weights, blocks of rows) that are independent of each other.

    Parameters
    ----------
    table : array (G, B)
        Weight of every unit in every bin.
    n_rows : float
        What the counts add up to.
    """
    total = table.sum()
    p = table.sum(axis=0) / total
    error = (table - table.sum(axis=1, keepdims=True) * p) / total  # sums to zero over the units
    few = len(table) / max(len(table) - 1, 1)
    return Shares(p * n_rows, p, few * error.T @ error)


def jeffreys_index(a: Shares, b: Shares) -> Index:
    """The index and its errors by the delta method; every share must be positive.

    With w = log(p / q), the derivatives are g = w + 1 - q/p by p and h = -w + 1 - p/q by q; the second ones,
    1/p + q/p^2 and 1/q + p/q^2, times half the variances are the bias, (B - 1)(1/n + 1/m) where p = q.
    """
    p, q = a.share, b.share
    w = np.log(p / q)
    g, h = w + 1 - q / p, -w + 1 - p / q
    variance = g @ a.covariance @ g + h @ b.covariance @ h
    va, vb = np.diag(a.covariance), np.diag(b.covariance)
    bias = 0.5 * ((1 / p + q / p**2) * va + (1 / q + p / q**2) * vb).sum()
    return Index(jeffreys(p, q), float(max(variance, 0.0)), float(bias), w, np.sqrt(va / p**2 + vb / q**2))


def jeffreys(p: np.ndarray, q: np.ndarray) -> float:
    """The value alone."""
    return float(((p - q) * np.log(p / q)).sum())


def null_law(a: Shares, b: Shares, *, plain: bool) -> tuple[float, float]:
    """Scale and degrees of freedom of the chi-square law that J follows where p = q.

    J is then the quadratic form of p - q with 1 / pooled share: a sum of chi-squares with the eigenvalues of the scaled
    covariance as weights.  These are all 1/n + 1/m for independent rows (`plain`), with B - 1 degrees of freedom;
    elsewhere the law with the same mean and variance is taken (Satterthwaite; Rao & Scott 1981).
    """
    if plain:
        return float(1 / a.counts.sum() + 1 / b.counts.sum()), float(len(a.counts) - 1)
    pooled = (a.counts + b.counts) / (a.counts.sum() + b.counts.sum())
    root = 1 / np.sqrt(pooled)
    scaled = root[:, None] * (a.covariance + b.covariance) * root
    first, second = np.trace(scaled), (scaled**2).sum()
    return (float(second / first), float(first**2 / second)) if first > 0 else (0.0, 1.0)


class Joining(NamedTuple):
    """Which bins became one, and whether 1/2 was added to every count."""

    groups: tuple[tuple[int, ...], ...]
    smoothed: bool


def join_empty(a: np.ndarray, b: np.ndarray, n_ordered: int, empty: str) -> Joining:
    """What becomes of bins that are empty in one sample.

    Bins that are empty in both are left out.  With "pool", one whose emptiness may be chance (fewer than ten rows
    expected) is joined to its neighbour with fewer rows, or, among categories, to the others of its kind and then to
    the smallest; where it is no chance, its evidence is kept and 1/2 is added to all counts, as with "smooth".
    """
    groups = [[bin] for bin in range(len(a)) if a[bin] + b[bin] > 0]
    share = b.sum() / a.sum()

    def counts(group: list[int]) -> tuple[float, float]:
        return float(a[group].sum()), float(b[group].sum())

    def is_chance(group: list[int]) -> bool:
        in_a, in_b = counts(group)
        return exceeds(CHANCE, in_b / share if in_a == 0 else in_a * share)

    while empty == "pool" and len(groups) > 1:
        lone = [g for g in groups if min(counts(g)) == 0 and is_chance(g)]
        if not lone:
            break
        group = min(lone, key=lambda g: (sum(counts(g)), g))
        at = groups.index(group)
        ordered = max(group) < n_ordered
        if ordered:
            beside = [groups[p] for p in (at - 1, at + 1) if 0 <= p < len(groups) and max(groups[p]) < n_ordered]
        else:
            beside = [g for g in lone if g is not group and max(g) >= n_ordered]
        beside = beside or [g for g in groups if g is not group]
        other = min(beside, key=lambda g: (sum(counts(g)), g))
        groups[groups.index(other)] = sorted([*other, *group])
        groups.remove(group)
    smoothed = empty != "error" and any(min(counts(g)) == 0 for g in groups)
    return Joining(tuple(map(tuple, groups)), smoothed)


def joined(table: np.ndarray, joining: Joining) -> np.ndarray:
    """Columns of a table (..., B) summed over the groups."""
    return np.stack([table[..., list(group)].sum(axis=-1) for group in joining.groups], axis=-1)
