"""Shared information by the definitions: all distances, plain loops over rows.

Closer is closer by more than rounding: ranks of two columns have the same steps, so that distances are equal on paper.
"""

import math

import numpy as np
from scipy.special import digamma
from scipy.stats import norm, rankdata

CLOSER, TIED = 1 - 1e-12, 1 + 1e-12


def distances(x, norm_="max", period=None):
    delta = np.abs(np.asarray(x)[:, None] - np.asarray(x)[None])
    if period is not None:
        delta = np.minimum(delta, np.asarray(period) - delta)
    return delta.max(-1) if norm_ == "max" else delta.sum(-1) if norm_ == "city" else np.sqrt((delta**2).sum(-1))


def allowed(n, window=0, run=None):
    """Pairs that may be neighbours: not the item itself, nothing of its run within the window."""
    apart = np.abs(np.arange(n)[:, None] - np.arange(n))
    same_run = np.ones((n, n), bool) if run is None else run[:, None] == run
    return ~(same_run & (apart <= window))


def ksg(tables, k, algorithm=1, may=None):
    """Kraskov et al. 2004, Eqs. (8), (9) and (23), for any number of tables of distances."""
    n = len(tables[0])
    may = allowed(n) if may is None else may
    joint = np.max(tables, axis=0)
    total = 0.0
    for i in range(n):
        others = np.flatnonzero(may[i])
        near = others[np.lexsort((others, joint[i, others]))][:k]
        r = joint[i, near[-1]]
        own = 1 + np.sum(joint[i, others] < r * CLOSER) if algorithm == 1 else k  # k, but for ties
        total += (len(tables) - 1) * digamma(len(others) + 1) + digamma(own)
        if algorithm == 1:
            total -= sum(digamma(1 + np.sum(t[i, others] < r * CLOSER)) for t in tables)
        else:
            total -= (len(tables) - 1) / k
            total -= sum(digamma(np.sum(t[i, others] <= t[i, near].max() * TIED)) for t in tables)
    return total / n


def mixed(tables, k):
    """Gao et al. 2017, algorithm 1."""
    n = len(tables[0])
    joint = np.max(tables, axis=0)
    total = 0.0
    for i in range(n):
        r = np.sort(np.delete(joint[i], i))[k - 1]
        if r == 0:
            k_i, counts = np.sum(joint[i] == 0), [np.sum(t[i] == 0) for t in tables]
        else:
            k_i, *counts = [np.sum(t[i] < r * CLOSER) for t in (joint, *tables)]
        total += digamma(k_i) + (len(tables) - 1) * math.log(n) - sum(digamma(c) for c in counts)
    return total / n


def ross(table, labels, k):
    """Ross 2014, Eq. (2)."""
    n = len(labels)
    total = 0.0
    for i in range(n):
        mine = np.flatnonzero((labels == labels[i]) & (np.arange(n) != i))
        r = np.sort(table[i, mine])[k - 1]
        m = np.sum(np.delete(table[i], i) < r * CLOSER) + 1
        own = 1 + np.sum(table[i, mine] < r * CLOSER)
        total += digamma(n) - digamma(len(mine) + 1) + digamma(own) - digamma(m)
    return total / n


def rank_normal(x):
    return norm.ppf(rankdata(x, axis=0) / (len(x) + 1))


def plug_in(a, b):
    table = np.array([[np.sum((a == s) & (b == t)) for t in np.unique(b)] for s in np.unique(a)]) / len(a)
    outer = table.sum(1)[:, None] * table.sum(0)
    return float(np.sum(table[table > 0] * np.log(table[table > 0] / outer[table > 0])))
