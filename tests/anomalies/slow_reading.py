"""The definitions read slowly, in plain Python: scores by sorting, equalisation by rebuilding lists at each step."""

from math import comb, log

import numpy as np

TIE = 1e-12


def phi(k, s, p):
    return -log(sum(comb(k, t) * p**t * (1 - p) ** (k - t) for t in range(s, k + 1))) if s else 0.0


def squared_distances(x, period=None):
    away = np.asarray(x, float)[:, None] - np.asarray(x, float)
    if period is not None:
        away -= period * np.rint(away / period)
    return (away**2).sum(axis=-1)


def groups(squared, items):
    """Neighbours, nearest first, as a list of tie groups."""
    order = sorted(items, key=lambda j: squared[j])
    found, last = [], 0.0
    for j in order:
        if found and squared[j] <= last * (1 + TIE):
            found[-1].append(j)
        else:
            found.append([j])
        last = squared[j]
    return found


def score(i, squared, there, labels, p, K, k_min, include=False):
    """Largest phi over the ends of tie groups, and its first rank; `labels` are 1 for successes."""
    best, at = 0.0, 0
    k = s = int(include)
    for group in groups(squared[i], [j for j in there if j != i]):
        k, s = k + len(group), s + sum(int(labels[j]) for j in group)
        if k > K:
            break
        if k >= k_min:
            value = phi(k, s, p)
            if value > best * (1 + 1e-12):
                best, at = value, k
    return best, at


def stretch(i, squared, there, labels, K, trim, include=False):
    """i and the leading stretch of its own sample, by whole tie groups, among the first K."""
    found, n = [[i]], int(include)
    for group in groups(squared[i], [j for j in there if j != i]):
        n += len(group)
        if n > K:  # a group that reaches beyond the last rank tells nothing
            break
        if any(labels[j] == 0 for j in group):
            if trim and len(found) > 1:
                found.pop()
            break
        found.append(group)
    return [j for group in found for j in group]


def equalise(squared, labels, p, K, k_min, level, trim=1, include=False):
    """{item: (step, level)} of what is removed, exactly as section 2.6 reads."""
    n = len(labels)
    original = [score(i, squared, range(n), labels, p, K, k_min, include)[0] for i in range(n)]
    strong = {i for i in range(n) if labels[i] and original[i] > level * (1 + 1e-12)}
    active, removed, step = set(strong), {}, 0
    while True:
        active -= set(removed)
        if not active:
            return removed
        step += 1
        there = [j for j in range(n) if j not in removed]
        current = {i: score(i, squared, there, labels, p, K, k_min, include)[0] for i in active}
        u = max(current.values())
        for i in [i for i in active if current[i] >= u * (1 - 1e-12)]:
            run = stretch(i, squared, there, labels, K, trim, include)
            for t in run:
                if t in strong:
                    removed.setdefault(t, (step, u))
        active = {i for i in active if current[i] > level * (1 + 1e-12)}
