"""Compiled loops over neighbourhoods: mean shifts, their covariance along a displacement, differences along edges.

A neighbourhood is a row of item numbers; displacements are made when they are needed and never stored.  The covariance
of a gradient is either a D x D matrix of one point, or, where D is larger than a neighbourhood, the rows whose squares
it sums: an inner product with each gives the variance along a displacement.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from infoscope.base import kernel
from infoscope.base.rounding import SAME


class Cloud(NamedTuple):
    """Points in coordinates whose Euclidean distance is that of the neighbours."""

    x: np.ndarray  # (U, D)
    period: np.ndarray  # (D,), or empty where nothing is periodic
    weight: np.ndarray  # (U,) sum of the weights of the items on a point
    square: np.ndarray  # (U,) and of their squares
    own: np.ndarray  # (U,) the part of both that repeats the point itself
    own_square: np.ndarray


class Graph(NamedTuple):
    """Edges from every point to the members of its neighbourhood, and the same edges by the point they lead to."""

    indptr: np.ndarray  # (U + 1,)
    target: np.ndarray  # (E,)
    source: np.ndarray  # (E,)
    in_indptr: np.ndarray  # (U + 1,)
    in_edge: np.ndarray  # (E,)


# --------------------------------------------------------------------------------------------------------- gradients
@kernel()
def gradients(first, last, order, cloud, indptr, target, scale, gradient):
    """Mean shift times (d + 2)/R^2."""
    delta, mean = np.empty(cloud.x.shape[1]), np.empty(cloud.x.shape[1])
    for i in order[first:last]:
        _mean_shift(cloud.x, i, cloud, target[indptr[i] : indptr[i + 1]], cloud.own[i], delta, mean)
        for a in range(len(mean)):
            gradient[i, a] = scale[i] * mean[a]


# ------------------------------------------------------------------------------------------------------------- edges
@kernel()
def variance_at_targets(first, last, order, cloud, graph, scale, gradient, gram, longest, out):
    """For every edge into a point: the variance of that point's gradient along the edge."""
    D = cloud.x.shape[1]
    delta, mean, product = np.empty(D), np.empty(D), np.empty(longest + 1)
    form = np.empty((D, longest + 1)) if gram else np.empty((D, D))
    for j in order[first:last]:
        if graph.in_indptr[j] == graph.in_indptr[j + 1]:
            continue
        n = _form_of(j, cloud, graph, scale, gradient, gram, delta, mean, form)
        for q in range(graph.in_indptr[j], graph.in_indptr[j + 1]):
            e = graph.in_edge[q]
            _difference(cloud.x, graph.source[e], cloud.x, j, cloud.period, delta)
            out[e] = _along(form, gram, n, delta, product)


@kernel()
def differences(
    first, last, order, cloud, graph, scale, gradient, gram, longest, keep, variance, difference, near, far, overlap
):
    """Difference of the log density along every edge out of a point, and its variance.

    `variance` comes in as what `variance_at_targets` left.  With `keep`, the signed errors at both ends and the overlap
    of both neighbourhoods are left in `near`, `far` and `overlap`.
    """
    D = cloud.x.shape[1]
    delta, mean, product = np.empty(D), np.empty(D), np.empty(longest + 1)
    form = np.empty((D, longest + 1)) if gram else np.empty((D, D))
    stamp = np.full(len(cloud.x), -1, np.int32)
    for i in order[first:last]:
        n = _form_of(i, cloud, graph, scale, gradient, gram, delta, mean, form)
        stamp[i] = i
        for e in range(graph.indptr[i], graph.indptr[i + 1]):
            stamp[graph.target[e]] = i
        members = graph.indptr[i + 1] - graph.indptr[i] + 1
        for e in range(graph.indptr[i], graph.indptr[i + 1]):
            j = graph.target[e]
            _difference(cloud.x, i, cloud.x, j, cloud.period, delta)
            here, there = 0.0, 0.0
            for a in range(D):
                here += gradient[i, a] * delta[a]
                there += gradient[j, a] * delta[a]
            common = 1 if stamp[j] == i else 0
            for q in range(graph.indptr[j], graph.indptr[j + 1]):
                if stamp[graph.target[q]] == i:
                    common += 1
            shared = common / (members + graph.indptr[j + 1] - graph.indptr[j] + 1 - common)
            square_here, square_there = _along(form, gram, n, delta, product), variance[e]
            s, t = _signed(np.sqrt(square_here), here), _signed(np.sqrt(square_there), there)
            alone = 0.25 * (square_here + square_there)
            difference[e] = 0.5 * (here + there)
            variance[e] = max(alone + 0.5 * shared * s * t, FLOOR * alone)
            if keep:
                near[e], far[e], overlap[e] = s, t, shared


TINY = 1e-100  # its square and its inverse are numbers, too
FLOOR = 1e-6  # of the variance without correlation: opposite errors at both ends must not make an edge certain


# -------------------------------------------------------------------------------------------------------- new points
@kernel()
def at_new_points(
    first, last, y, items, n, scale, cloud, graph, scale_of, gradient_of, values, errors, uniform, out, error, grad
):
    """Weighted mean of what the neighbours of a new point say of it: their value minus the difference to them."""
    D = cloud.x.shape[1]
    delta, mean, other, mean_of = np.empty(D), np.empty(D), np.empty(D), np.empty(D)
    stamp = np.full(len(cloud.x), -1, np.int64)
    for p in range(first, last):
        members = items[p, : n[p]]
        for m in range(n[p]):
            stamp[members[m]] = p
        _mean_shift(y, p, cloud, members, 0.0, delta, mean)
        for a in range(D):
            grad[p, a] = scale[p] * mean[a]
        total, value, spread, certain = 0.0, 0.0, 0.0, 0.0
        for m in range(n[p]):
            j = members[m]
            _difference(y, p, cloud.x, j, cloud.period, delta)
            here, there = 0.0, 0.0
            for a in range(D):
                here += grad[p, a] * delta[a]
                there += gradient_of[j, a] * delta[a]
                mean_of[a] = gradient_of[j, a] / scale_of[j]
            row = graph.target[graph.indptr[j] : graph.indptr[j + 1]]
            e = _variance_along(y, p, cloud, members, 0.0, 0.0, mean, scale[p], delta, other)
            f = _variance_along(
                cloud.x, j, cloud, row, cloud.own[j], cloud.own_square[j], mean_of, scale_of[j], delta, other
            )
            common = 1
            for q in range(len(row)):
                if stamp[row[q]] == p:
                    common += 1
            shared = common / (n[p] + 1 + len(row) + 1 - common)
            both = shared * _signed(np.sqrt(e), here) * _signed(np.sqrt(f), there)
            variance = max(0.25 * (e + f + 2 * both), FLOOR * 0.25 * (e + f), TINY)
            sure = 1 / (variance * np.sqrt((n[p] + 1) * (len(row) + 1)))
            w = 1.0 if uniform else sure
            total += w
            value += w * (values[j] - 0.5 * (here + there))
            spread += w * errors[j]
            certain += sure
        out[p] = value / total
        error[p] = np.sqrt((spread / total) ** 2 + 1 / certain)


@kernel()
def _variance_along(at, i, cloud, members, own, own_square, mean, scale, delta, other):
    """One product a member: for a single displacement there is nothing to prepare."""
    shift = 0.0
    for a in range(len(delta)):
        shift += mean[a] * delta[a]
    mass, square, total = own, own_square, own_square * shift * shift
    for m in range(len(members)):
        j = members[m]
        _difference(at, i, cloud.x, j, cloud.period, other)
        along = -shift
        for a in range(len(delta)):
            along += other[a] * delta[a]
        mass += cloud.weight[j]
        square += cloud.square[j]
        total += cloud.square[j] * along * along
    return total * _factor(scale, mass, square)


# ------------------------------------------------------------------------------------------------------------- steps
@kernel()
def _signed(error, slope):
    """The error with the sign of the slope; 0 where that is rounding, as at a centre of symmetry."""
    return error * np.sign(slope) if abs(slope) > SAME * error else 0.0


@kernel()
def _difference(x, i, y, j, period, out):
    """From x[i] to y[j], the nearest image."""
    for a in range(x.shape[1]):
        out[a] = y[j, a] - x[i, a]
    for a in range(len(period)):
        if period[a] > 0:
            out[a] -= period[a] * np.rint(out[a] / period[a])


@kernel()
def _mean_shift(at, i, cloud, members, own, delta, mean):
    mean[:] = 0.0
    total = own
    for m in range(len(members)):
        j = members[m]
        _difference(at, i, cloud.x, j, cloud.period, delta)
        total += cloud.weight[j]
        for a in range(len(mean)):
            mean[a] += cloud.weight[j] * delta[a]
    for a in range(len(mean)):
        mean[a] /= total


@kernel()
def _factor(scale, mass, square):
    """What turns a sum of squared deviations into the variance of a gradient, with 1 + 1/n for n effective members."""
    return scale * scale * (1 + square / (mass * mass)) / (mass * mass)


@kernel()
def _form_of(i, cloud, graph, scale, gradient, gram, delta, mean, form):
    """Covariance of the gradient at a point, as a matrix or as the rows it is the sum of squares of (and their number).

    Cov = c^2 sum_m w_m^2 (delta_m - shift)(delta_m - shift)^T / (sum w)^2, times 1 + 1/n.
    """
    D = len(mean)
    mass, square = cloud.own[i], cloud.own_square[i]
    for e in range(graph.indptr[i], graph.indptr[i + 1]):
        mass += cloud.weight[graph.target[e]]
        square += cloud.square[graph.target[e]]
    factor = _factor(scale[i], mass, square)
    for a in range(D):
        mean[a] = gradient[i, a] / scale[i]
    n = 0
    root = np.sqrt(factor * cloud.own_square[i])
    if gram:
        if root > 0:
            for a in range(D):
                form[a, 0] = -root * mean[a]
            n = 1
    else:
        for a in range(D):
            for b in range(a, D):
                form[a, b] = factor * cloud.own_square[i] * mean[a] * mean[b]
    for e in range(graph.indptr[i], graph.indptr[i + 1]):
        j = graph.target[e]
        _difference(cloud.x, i, cloud.x, j, cloud.period, delta)
        if gram:
            root = np.sqrt(factor * cloud.square[j])
            for a in range(D):
                form[a, n] = root * (delta[a] - mean[a])
            n += 1
        else:
            for a in range(D):
                delta[a] -= mean[a]
            for a in range(D):
                part = factor * cloud.square[j] * delta[a]
                for b in range(a, D):
                    form[a, b] += part * delta[b]
    return n


@kernel()
def _along(form, gram, n, delta, product):
    """Delta^T Cov Delta."""
    D = len(delta)
    total = 0.0
    if gram:
        for m in range(n):
            product[m] = 0.0
        for a in range(D):
            step = delta[a]
            for m in range(n):
                product[m] += step * form[a, m]
        for m in range(n):
            total += product[m] * product[m]
        return total
    for a in range(D):
        part = 0.5 * form[a, a] * delta[a]
        for b in range(a + 1, D):
            part += form[a, b] * delta[b]
        total += 2 * delta[a] * part
    return max(total, 0.0)


# ------------------------------------------------------------------------------------------------ matrices on a graph
@kernel()
def transpose(indptr, target, source, in_indptr, in_edge):
    """Edges by the point they lead to: a counting sort; also the point they come from."""
    for e in range(len(target)):
        in_indptr[target[e] + 1] += 1
    for j in range(len(in_indptr) - 1):
        in_indptr[j + 1] += in_indptr[j]
    place = in_indptr[:-1].copy()
    for i in range(len(indptr) - 1):
        for e in range(indptr[i], indptr[i + 1]):
            source[e] = i
            in_edge[place[target[e]]] = e
            place[target[e]] += 1


@kernel()
def row_lengths(first, last, graph, length):
    """Different points that share an edge with a point, and itself."""
    seen = np.full(len(graph.indptr) - 1, -1, np.int32)
    for i in range(first, last):
        seen[i] = i
        count = 1
        for e in range(graph.indptr[i], graph.indptr[i + 1]):
            if seen[graph.target[e]] != i:
                seen[graph.target[e]] = i
                count += 1
        for q in range(graph.in_indptr[i], graph.in_indptr[i + 1]):
            j = graph.source[graph.in_edge[q]]
            if seen[j] != i:
                seen[j] = i
                count += 1
        length[i] = count


@kernel()
def fill_rows(first, last, graph, value, add, indptr, indices, data):
    """The symmetric matrix of values on edges, the diagonal (zero) first in every row; `add` sums both directions."""
    place = np.full(len(graph.indptr) - 1, -1, np.int64)
    for i in range(first, last):
        end = indptr[i]
        place[i], indices[end], data[end] = end, i, 0.0
        end += 1
        for e in range(graph.indptr[i], graph.indptr[i + 1]):
            j = graph.target[e]
            place[j], indices[end], data[end] = end, j, value[e]
            end += 1
        for q in range(graph.in_indptr[i], graph.in_indptr[i + 1]):
            e = graph.in_edge[q]
            j = graph.source[e]
            if place[j] < indptr[i]:
                place[j], indices[end], data[end] = end, j, value[e]
                end += 1
            elif add:
                data[place[j]] += value[e]


@kernel()
def sums_at_points(first, last, graph, at_source, at_target, out):
    """For every point: the first value of the edges out of it, and the second of those into it, summed."""
    for i in range(first, last):
        total = 0.0
        for e in range(graph.indptr[i], graph.indptr[i + 1]):
            total += at_source[e]
        for q in range(graph.in_indptr[i], graph.in_indptr[i + 1]):
            total += at_target[graph.in_edge[q]]
        out[i] = total


@kernel()
def add_to_members(items, k, value, out):
    """The value of every row, added to the first k items of the row."""
    for i in range(len(k)):
        for m in range(k[i]):
            out[items[i, m]] += value[i]


# ------------------------------------------------------------------------------------------------------------ probes
@kernel()
def probe_sums(first, last, graph, at_source, at_target, seed, start, out):
    """`sums_at_points` of both values times random signs: bit start + b of a word of the edge is that of probe b."""
    probes = out.shape[1]
    for i in range(first, last):
        for b in range(probes):
            out[i, b] = 0.0
        for e in range(graph.indptr[i], graph.indptr[i + 1]):
            word = _random_word(seed, e) >> np.uint64(start)
            for b in range(probes):
                out[i, b] += at_source[e] if (word >> np.uint64(b)) & np.uint64(1) else -at_source[e]
        for q in range(graph.in_indptr[i], graph.in_indptr[i + 1]):
            e = graph.in_edge[q]
            word = _random_word(seed, e) >> np.uint64(start)
            for b in range(probes):
                out[i, b] += at_target[e] if (word >> np.uint64(b)) & np.uint64(1) else -at_target[e]


@kernel()
def add_row_norms(first, last, graph, at_source, at_target, spread, out):
    """Squares of at_source[e] spread[source] + at_target[e] spread[target], summed over probes."""
    for i in range(first, last):
        for e in range(graph.indptr[i], graph.indptr[i + 1]):
            j = graph.target[e]
            total = 0.0
            for b in range(spread.shape[1]):
                value = at_source[e] * spread[i, b] + at_target[e] * spread[j, b]
                total += value * value
            out[e] += total


@kernel()
def matrix_times(first, last, indptr, indices, data, x, out):
    """A sparse matrix times several vectors."""
    for i in range(first, last):
        for b in range(x.shape[1]):
            out[i, b] = 0.0
        for q in range(indptr[i], indptr[i + 1]):
            value, j = data[q], indices[q]
            for b in range(x.shape[1]):
                out[i, b] += value * x[j, b]


@kernel()
def _random_word(seed, e):
    """splitmix64: the same signs however edges are divided among threads."""
    z = np.uint64(seed) + (np.uint64(e) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
