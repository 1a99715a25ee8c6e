"""Information Imbalance by brute force: N x N matrices, Python loops, exact comparisons, no code of the package.

Distances are compared with ``==``: ties must be exact, so data with ties hold whole numbers (or dyadic fractions).
"""

from __future__ import annotations

import numpy as np


# --------------------------------------------------------------------------------------------------- distances
def distances(x, period=None) -> np.ndarray:
    """Squared Euclidean distances by subtraction, with the nearest image of periodic columns."""
    x = np.asarray(x, float)
    delta = x[:, None, :] - x[None, :, :]
    if period is not None:
        for a, p in enumerate(np.broadcast_to(period, x.shape[1])):
            if p:
                delta[..., a] -= p * np.rint(delta[..., a] / p)
    return (delta**2).sum(-1)


def label_distances(y) -> np.ndarray:
    y = np.asarray(y)
    return (y[:, None] != y[None, :]).astype(float)


def admissible(n, *, w=None, time=None, run=None, window=0.0, other_runs=False) -> np.ndarray:
    """(R1): which columns each row may use; without time, an item's time is its place inside its run."""
    run = np.zeros(n, int) if run is None else np.asarray(run)
    if time is None:
        time = np.array([np.sum(run[:i] == run[i]) for i in range(n)], float)
    ok = np.zeros((n, n), bool)
    for i in range(n):
        for j in range(n):
            together = run[i] == run[j]
            near = window > 0 and abs(time[i] - time[j]) <= window * (1 + 1e-9)
            ok[i, j] = i != j and (w is None or w[j] > 0) and not (together and (other_runs or near))
    return ok


# --------------------------------------------------------------------------------------------------- unweighted
def mean_ranks(d, ok, wanted=None) -> np.ndarray:
    """Eq. (1) for the wanted pairs, by default all; NaN elsewhere and where a pair is not admissible."""
    n = len(d)
    ranks = np.full((n, n), np.nan)
    for i in range(n):
        for j in np.flatnonzero(ok[i] if wanted is None else ok[i] & wanted[i]):
            closer, tied = np.sum(d[i, ok[i]] < d[i, j]), np.sum(d[i, ok[i]] == d[i, j]) - 1  # itself is no tie
            ranks[i, j] = 1 + closer + tied / 2
    return ranks


def neighbor_shares(d, ok, k) -> np.ndarray:
    """1/k for closer items, (k - closer)/(k tied) for those tied at the k-th distance."""
    shares = np.zeros(d.shape)
    for i in range(len(d)):
        kth = np.sort(d[i, ok[i]])[k - 1]
        closer, tied = ok[i] & (d[i] < kth), ok[i] & (d[i] == kth)
        shares[i, closer] = 1 / k
        shares[i, tied] = (k - closer.sum()) / (k * tied.sum())
    return shares


def imbalance(d_a, d_b, k=1, ok=None) -> float:
    """Eq. (2): mean over rows of 2/(M + 1) times the mean rank of the k neighbours."""
    n = len(d_a)
    ok = ~np.eye(n, dtype=bool) if ok is None else ok
    shares = neighbor_shares(d_a, ok, k)
    ranks = np.nan_to_num(mean_ranks(d_b, ok, shares > 0))
    return float(np.mean([2 / (ok[i].sum() + 1) * shares[i] @ ranks[i] for i in range(n)]))


def shares_and_ranks(a, b, ok, k=1):
    """c_ij and u_ij of columns a and b: what the value and the errors are made of."""
    c = neighbor_shares(distances(a), ok, k)
    return c, np.nan_to_num(mean_ranks(distances(b), ok, c > 0)) / (ok.sum(1) + 1)[:, None]


def imbalance_by_sorting(d_a, d_b, k=1) -> float:
    """Eq. (2) for data without ties, by sorting: fast enough for a few thousand items."""
    n, total = len(d_a), 0.0
    for i in range(n):
        a, b = d_a[i].copy(), d_b[i].copy()
        a[i] = b[i] = -1.0
        rank = np.empty(n)
        rank[np.argsort(b)] = np.arange(n)
        total += 2 / n * rank[np.argsort(a)[1 : k + 1]].mean()
    return total / n


# ----------------------------------------------------------------------------------------------------- weighted
def rescaled_ranks(d, ok, w, unit=None) -> np.ndarray:
    """(R2); zero where a pair is not admissible."""
    n = len(d)
    u = np.zeros((n, n))
    for i in range(n):
        mass, mass2 = w[ok[i]].sum(), (w[ok[i]] ** 2).sum()
        e = mass2 / mass if unit is None else unit
        for j in np.flatnonzero(ok[i]):
            below = w[ok[i] & (d[i] < d[i, j])].sum() + w[ok[i] & (d[i] == d[i, j])].sum() / 2
            u[i, j] = (below + e / 2) / (mass + e)
    return u


def groups_by_distance(d, ok):
    """Admissible columns of one row, nearest first, tied ones together."""
    columns = np.flatnonzero(ok)
    return [columns[d[columns] == value] for value in np.unique(d[columns])]


def neighbor_weights(d, ok, w, k, rule, *, unit=None, cap=None) -> np.ndarray:
    """c_ij of the three rules."""
    c = np.zeros(d.shape)
    for i in range(len(d)):
        groups = groups_by_distance(d[i], ok[i])
        if rule == "mass":
            mass = w[ok[i]].sum()
            wanted = left = k * ((w[ok[i]] ** 2).sum() / mass if unit is None else unit)
            for group in groups:
                taken = min(left, w[group].sum())
                c[i, group] = taken / wanted * w[group] / w[group].sum()
                left -= taken
            c[i] /= c[i].sum()  # a row with less than this mass uses all it has
        elif rule == "count":
            left = k
            for group in groups:
                taken = min(left, len(group))
                c[i, group] = taken / len(group) * w[group]
                left -= taken
            c[i] /= c[i].sum()
        else:
            c[i] = thinning_row(groups, np.minimum(1, w / (w.max() if cap is None else cap)), w, k)
    return c


def thinning_row(groups, survive, w, k) -> np.ndarray:
    """Expected share of each item in the first k survivors: differences of E[min(k, survivors)], by convolution."""
    c, law, before = np.zeros(len(w)), np.ones(1), 0.0  # law[s] = P(s survivors so far)
    for group in groups:
        for j in group:
            law = np.convolve(law, [1 - survive[j], survive[j]])
        after = float(np.minimum(np.arange(len(law)), k) @ law)
        c[group] = (after - before) / k * w[group] / w[group].sum()
        before = after
    return c / c.sum()


def weighted_imbalance(d_a, d_b, w, k, rule, ok=None, *, unit=None, cap=None) -> float:
    """(R3)."""
    ok = ~np.eye(len(w), dtype=bool) & (w > 0)[None, :] if ok is None else ok
    c, u = neighbor_weights(d_a, ok, w, k, rule, unit=unit, cap=cap), rescaled_ranks(d_b, ok, w, unit)
    return float(w @ (2 * (c * u).sum(1)) / w.sum())


# ------------------------------------------------------------------------------------------------------- errors
def pair_deviations(c, u, w=None):
    """i, j, eps of all pairs with a weight: eps = omega (2u - Delta)."""
    n = len(c)
    w = np.ones(n) if w is None else w
    omega = w[:, None] / w.sum() * c
    delta = float((omega * 2 * u).sum())
    i, j = np.nonzero(c)
    return i, j, omega[i, j] * (2 * u[i, j] - delta)


def unit_deviations(d_a, d_b, w, k, rule, step=1e-6) -> np.ndarray:
    """What the copies n_m of an item change of the value by the effective mass e = Q/V alone, by differences: (N,).

    e of a row grows by w_m (w_m - e)/V with n_m; the value is followed downwards in e, because a neighbourhood of mass
    k e that is just filled has a kink there.
    """
    n = len(w)
    ok, found = ~np.eye(n, dtype=bool), np.zeros(n)
    for row in range(n):
        others = w[ok[row]]
        mass, unit = others.sum(), (others**2).sum() / others.sum()

        def value(e, row=row):
            only = ok & (np.arange(n) == row)[:, None]
            c = neighbor_weights(d_a[[row]], only[[row]], w, k, rule, unit=e)[0]
            return 2 * float(c @ rescaled_ranks(d_b, only, w, e)[row])

        slope = (value(unit) - value(unit * (1 - step))) / (unit * step)
        found[ok[row]] += w[row] / w.sum() * slope * others * (others - unit) / mass
    return found


def weighted_variance(d_a, d_b, w, k, rule) -> float:
    """(R5) with what every item adds by itself to the pairs that it is in."""
    n = len(w)
    ok = ~np.eye(n, dtype=bool)
    c, u = neighbor_weights(d_a, ok, w, k, rule), rescaled_ranks(d_b, ok, w)
    i, j, eps = pair_deviations(c, u, w)
    alone = unit_deviations(d_a, d_b, w, k, rule) + moved_ranks(d_b, c, ok, np.arange(n), k, w)
    of_item = np.bincount(i, eps, n) + np.bincount(j, eps, n)
    same = np.bincount(np.minimum(i, j) * n + np.maximum(i, j), eps)  # both ways between two items share both of them
    total = (of_item**2).sum() - (same**2).sum()
    return max(float(total + (2 * of_item * alone + alone**2).sum()), float((eps**2).sum()))


def count_variance(omega, other) -> float:
    """Binomial variance of the weighted share of neighbours in another class, with one more of either outcome."""
    pairs = 1 / (omega**2).sum()
    share = (pairs * (omega * other).sum() + 1) / (pairs + 2)
    return (1 - 1 / len(omega)) ** 2 * share * (1 - share) / pairs


def sharing_variance(i, j, eps, blocks=None, alone=None) -> float:
    """Sum of eps_p eps_q over all pairs of pairs that share a point or a block: (5), (R5), (R5b), as a double loop.

    What items add by themselves (`alone`) are pairs with themselves.
    """
    if alone is not None:
        i, j, eps = (np.append(a, b) for a, b in zip((i, j, eps), (*2 * [np.arange(len(alone))], alone), strict=True))
    label = np.arange(max(i.max(), j.max()) + 1) if blocks is None else blocks
    ends = [frozenset((label[a], label[b])) for a, b in zip(i, j, strict=True)]
    total = 0.0
    for p in range(len(eps)):
        for q in range(len(eps)):
            if ends[p] & ends[q]:
                total += eps[p] * eps[q]
    if blocks is None:
        return max(total, float((eps[np.asarray(i) != j] ** 2).sum()))  # of pairs of two
    queries = np.bincount(blocks[i], eps)
    return max(total, float((queries**2).sum()))


def moved_ranks(d_b, c, ok, rows, k, w=None):
    """(N,) what items add by moving the ranks of others: item by item, from whole matrices."""
    w = np.ones(len(c)) if w is None else w
    moved, share = np.zeros(len(c)), 0.0
    for i in rows:
        may, near = np.flatnonzero(ok[i]), np.flatnonzero(c[i])
        mass, squares = w[may].sum(), (w[may] ** 2).sum()
        share += w[i] / w[rows].sum() * (k - 1) * squares / mass**2
        stands = np.array([sum(c[i, j] * ((d_b[i, z] < d_b[i, j]) + (d_b[i, z] == d_b[i, j]) / 2) for j in near)
                           for z in may])  # fmt: skip
        beyond = stands - np.average(stands, weights=w[may])
        moved[may] += w[i] / w[rows].sum() * 2 * w[may] * beyond / (mass + squares / mass)
    return moved * np.clip((share - 0.05) / 0.15, 0, 1)


def block_means_error(values, blocks) -> float:
    """The plain block average of row values, which ignores shared neighbours: offered nowhere."""
    sums = np.array([(values - values.mean())[blocks == b].sum() / len(values) for b in np.unique(blocks)])
    return float(np.sqrt((sums**2).sum()))


def block_factor(n_blocks, n_rows, tau):
    """B/(B - 1), and what cuts cost rows that remember exponentially: (tau - 1/tau)/2 of L rows, at most half."""
    lost = min(max(tau - 1 / tau, 0.0) * n_blocks / (2 * n_rows), 0.5)
    return n_blocks / (n_blocks - 1) / (1 - lost)
