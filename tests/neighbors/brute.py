"""Independent answers: every pair, every rule, one line of arithmetic each; nothing is borrowed from the library.

Distances are summed in long double where the platform has one (on others this is float64 again).
"""

import math

import numpy as np

TIE = 1e-12


def squared_distances(x, y=None, *, metric="euclidean", period=None, weights=None, dtype=np.longdouble):
    """Squared distances of all pairs (N, M) by subtraction; the square of the distance for metrics without a root."""
    x = np.asarray(x).astype(dtype)
    y = x if y is None else np.asarray(y).astype(dtype)
    w = np.ones(x.shape[1], dtype) if weights is None else np.asarray(weights).astype(dtype)
    if metric == "cosine":
        x, y = x * w, y * w
        x, y = (v / np.sqrt((v**2).sum(1))[:, None] for v in (x, y))
        w = np.ones(x.shape[1], dtype)
    out = np.empty((len(x), len(y)), dtype)
    for i in range(len(x)):
        if metric == "hamming":
            out[i] = ((x[i] != y) * w).sum(1) ** 2
            continue
        delta = np.abs(x[i] - y)
        if period is not None:
            p = np.broadcast_to(np.asarray(period, dtype), delta.shape[1:])
            wrapped = np.mod(delta, np.where(p > 0, p, 1))
            delta = np.where(p > 0, np.minimum(wrapped, p - wrapped), delta)
        delta = delta * w
        if metric == "manhattan":
            out[i] = delta.sum(1) ** 2
        elif metric == "chebyshev":
            out[i] = delta.max(1) ** 2
        else:
            out[i] = (delta**2).sum(1)
    return out


def allowed(n, *, run=None, time=None, window=0.0, other_runs=False, sample_weight=None, queries=None, columns=None):
    """Eq. (R1) of the rules for real data as a mask (R, N), pair by pair."""
    run = np.zeros(n, int) if run is None else np.asarray(run)
    if time is None:  # an item's place in its own run
        time = [sum(run[m] == run[i] for m in range(i)) for i in range(n)]
    rows = range(n) if queries is None else queries
    mask = np.zeros((len(rows), n), bool)
    for r, i in enumerate(rows):
        for j in range(n) if columns is None else columns:
            near = run[i] == run[j] and (other_runs or (window > 0 and abs(time[i] - time[j]) <= window * (1 + 1e-9)))
            mask[r, j] = i != j and not near and (sample_weight is None or sample_weight[j] > 0)
    return mask


def nearest(squared, mask, k, ties="index"):
    """Items of every row in order of (group of ties, number); with ties="all" the whole group of the k-th."""
    found = []
    for row, use in zip(squared, mask, strict=True):
        items = np.flatnonzero(use)
        items = items[np.lexsort((items, row[items]))]
        ordered, group, first = row[items], np.zeros(len(items), int), 0  # measured from the nearest member
        for p in range(1, len(items)):
            if ordered[p] > ordered[first] * (1 + np.longdouble(TIE)):
                if p >= k:  # the group of the k-th is complete
                    items, group = items[:p], group[:p]
                    break
                first = p
            group[p] = first
        items = items[np.lexsort((items, group))]
        found.append(items[group <= group[k - 1]] if ties == "all" else items[:k])
    return found


def counts(squared, mask, radii, sample_weight=None):
    """(closer, tied) of every radius of every row: tied when |d^2 - t| <= 1e-12 t; masses are exact sums."""
    closer, tied = [], []
    for row, use, row_radii in zip(squared, mask, radii, strict=True):
        items = np.flatnonzero(use)
        items = items[np.argsort(row[items])]
        t = np.asarray(row_radii, squared.dtype)
        first = np.searchsorted(row[items], t * (1 - np.longdouble(TIE)), "left")
        last = np.searchsorted(row[items], t * (1 + np.longdouble(TIE)), "right")
        if sample_weight is None:
            closer.append(first)
            tied.append(last - first)
        else:
            mass = np.asarray(sample_weight)[items]
            closer.append([math.fsum(mass[:c]) for c in first])
            tied.append([math.fsum(mass[c:e]) for c, e in zip(first, last, strict=True)])
    return np.concatenate(closer), np.concatenate(tied)


def self_excluded(n):
    return ~np.eye(n, dtype=bool)


# -------------------------------------------------------------------------------------------- data that is hard to rank
def hard_data(kind, n, d, dtype, seed=0):
    """Data whose squared distances a plain matrix product gets wrong."""
    rng = np.random.default_rng([seed, n, d])
    x = rng.normal(size=(n, d))
    if kind == "offset":
        x += 1e3
    elif kind == "outlier":
        x[rng.integers(n)] = 1e4
    elif kind == "far outlier":  # as of a missing value written as a number
        x[rng.integers(n)] = -1e12
    elif kind == "clusters":  # inside 1e-6 of the distances between them
        x = rng.normal(size=(20, d))[rng.integers(0, 20, n)] + 1e-6 * rng.normal(size=(n, d))
    elif kind == "duplicates":
        x = x[rng.integers(0, n // 3, n)]
    elif kind == "lattice":
        x = rng.integers(0, 3, (n, d)).astype(float)
    elif kind == "huge":
        x *= 1e25
    elif kind == "tiny":
        x *= 1e-25
    elif kind == "mixed":  # columns of magnitudes 1e-6 ... 1e6
        x *= 10.0 ** rng.integers(-6, 7, d)
    elif kind == "half constant":
        x[:, ::2] = 7.25
    elif kind != "normal":
        raise ValueError(kind)
    return x.astype(dtype)
