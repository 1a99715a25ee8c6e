"""BMTI as it is written, with loops over pairs of points and dense matrices; nothing of the library is used."""

import numpy as np
from scipy import stats


def displacement(x, i, j, period=0.0):
    """From point i to point j, the nearest image."""
    delta = x[j] - x[i]
    return delta - period * np.round(delta / period) if period else delta


def neighbours(x, max_neighbors, period=0.0):
    """Sorted distances and numbers of the neighbours of every point."""
    n = len(x)
    far = np.array([[np.linalg.norm(displacement(x, i, j, period)) for j in range(n)] for i in range(n)])
    np.fill_diagonal(far, -1)
    order = np.argsort(far, axis=1, kind="stable")[:, 1 : max_neighbors + 1]
    return np.take_along_axis(far, order, 1), order


def k_star(r, nn, d, alpha=1e-6):
    """Likelihood ratio of the balls of a point and of its next neighbour, with volumes."""
    out = np.full(len(r), r.shape[1] - 1)
    for i in range(len(r)):
        for k in range(3, r.shape[1]):
            v, w = r[i, k - 1] ** d, r[nn[i, k], k - 1] ** d
            if -2 * k * (np.log(v) + np.log(w) - 2 * np.log(v + w) + np.log(4)) > stats.chi2.isf(alpha, 1):
                out[i] = k
                break
    return out


def gradients(x, r, nn, k, d, period=0.0, interior=False, weight=None):
    """Mean-shift gradient of every point and its covariance matrix."""
    w = np.ones(len(x)) if weight is None else weight
    g, c = np.zeros(x.shape), np.zeros((len(x), x.shape[1], x.shape[1]))
    for i in range(len(x)):
        n = k[i] - 1
        step = np.array([displacement(x, i, j, period) for j in nn[i, :n]])
        share = w[nn[i, :n]] / w[nn[i, :n]].sum()
        factor = (d + 2) / r[i, k[i] - 1 if interior else n - 1] ** 2
        shift = share @ step
        g[i] = factor * shift
        effective = 1 / (share**2).sum()
        kappa = (effective + 1) / effective  # k*/(k* - 1) without weights
        c[i] = kappa * factor**2 * ((step - shift).T * share**2) @ (step - shift)
    return g, c


def edges(x, nn, k, g, c, period=0.0):
    """Source, target, difference, variance, signed errors at both ends and overlap of every edge."""
    inside = [{i, *nn[i, : k[i] - 1]} for i in range(len(x))]
    rows = []
    for i in range(len(x)):
        for j in nn[i, : k[i] - 1]:
            step = displacement(x, i, j, period)
            here, there = g[i] @ step, g[j] @ step
            e, f = np.sqrt(step @ c[i] @ step), np.sqrt(step @ c[j] @ step)
            p = len(inside[i] & inside[j]) / len(inside[i] | inside[j])
            s, t = e * np.sign(here), f * np.sign(there)
            rows.append((i, j, (here + there) / 2, max(e**2 + f**2 + 2 * p * s * t, 1e-6 * (e**2 + f**2)) / 4, s, t, p))
    source, target, *rest = map(np.array, zip(*rows, strict=True))
    return (source.astype(int), target.astype(int), *rest)


def covariance(source, target, s, t, p, variance):
    """Covariance of all differences, entry by entry; the overlap counts for points with an edge in either direction."""
    n = max(source.max(), target.max()) + 1
    overlap = np.eye(n)
    overlap[source, target] = overlap[target, source] = p
    i, j, l, m = source[:, None], target[:, None], source, target
    out = overlap[i, l] * s[:, None] * s + overlap[i, m] * s[:, None] * t
    out += overlap[j, l] * t[:, None] * s + overlap[j, m] * t[:, None] * t
    out /= 4
    np.fill_diagonal(out, variance)
    return out


def least_squares(source, target, difference, weight, n, alpha=1.0, prior=None, prior_se=None):
    """Values by the pseudo-inverse of one equation an edge (and one a point), and their covariance."""
    root = np.sqrt(alpha * weight)
    left = np.zeros((len(source), n))
    left[np.arange(len(source)), source] -= root
    left[np.arange(len(source)), target] += root
    right = root * difference
    if alpha < 1:
        sure = np.sqrt(1 - alpha) / prior_se
        left, right = np.vstack([left, np.diag(sure)]), np.concatenate([right, sure * prior])
    normal = np.linalg.pinv(left.T @ left, rcond=1e-12, hermitian=True)
    return normal @ (left.T @ right), normal
