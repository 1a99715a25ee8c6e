"""Optimal transport on a line, where sorted values meet in order: costs, derivatives, costs of other labels."""

from __future__ import annotations

import numpy as np

from infoscope.base import kernel


def sorted_with_mass(values: np.ndarray, mass: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values in rising order, their masses, and the order."""
    order = np.argsort(values, kind="stable")
    return values[order], mass[order], order


# ------------------------------------------------------------------------------------------------------------- kernels
@kernel
def transport(a, b, mass_a, mass_b, total, p, slope_a, slope_b):
    """Mean |x - y|^p of the plan that carries rising `a` to rising `b`; both masses add up to `total`.

    `slope_a[i]` gets the mean derivative p |x - y|^(p-1) sign(x - y) of what leaves a[i], `slope_b[j]` that of what
    arrives at b[j], by y.
    """
    cost, i, j = 0.0, 0, 0
    left_a, left_b = mass_a[0], mass_b[0]
    slope_a[:] = 0.0
    slope_b[:] = 0.0
    while i < len(a) and j < len(b):
        moved = min(left_a, left_b)
        away = a[i] - b[j]
        size = abs(away)
        if p == 2.0:
            slope, power = 2.0 * away, size * size
        elif p == 1.0:
            slope, power = np.sign(away), size
        else:
            slope, power = p * np.sign(away) * size ** (p - 1.0), size**p
        cost += moved * power
        slope_a[i] += moved * slope
        slope_b[j] -= moved * slope
        left_a -= moved
        left_b -= moved
        if left_a <= 0.0:
            i += 1
            if i < len(a):
                left_a = mass_a[i]
        if left_b <= 0.0:
            j += 1
            if j < len(b):
                left_b = mass_b[j]
    for i in range(len(a)):
        slope_a[i] /= mass_a[i]
    for j in range(len(b)):
        slope_b[j] /= mass_b[j]
    return cost / total


@kernel
def add_potential(values, slope, order, potential):
    """Add the integral of the slope along rising values to the items they belong to: what a bit of mass there costs."""
    height = 0.0
    potential[order[0]] += height
    for i in range(1, len(values)):
        height += 0.5 * (slope[i - 1] + slope[i]) * (values[i] - values[i - 1])
        potential[order[i]] += height


@kernel
def exchanged_costs(values, order, mass, arrangements, p, costs):
    """Costs (P,) of one line after labels were exchanged: `values` rise, `order` are their items."""
    n = len(values)
    a, b = np.empty(n), np.empty(n)
    mass_a, mass_b = np.empty(n), np.empty(n)
    for trial in range(len(arrangements)):
        n_a, n_b, total_a, total_b = 0, 0, 0.0, 0.0
        for k in range(n):
            item = order[k]
            if arrangements[trial, item] == 0:
                a[n_a], mass_a[n_a] = values[k], mass[item]
                total_a += mass[item]
                n_a += 1
            else:
                b[n_b], mass_b[n_b] = values[k], mass[item]
                total_b += mass[item]
                n_b += 1
        costs[trial] += _cost(a[:n_a], b[:n_b], mass_a, mass_b, total_a, total_b, p)


@kernel
def _cost(a, b, mass_a, mass_b, total_a, total_b, p):
    """The same without derivatives; masses are scaled to one product of totals, exact for whole numbers."""
    cost, i, j = 0.0, 0, 0
    left_a, left_b = mass_a[0] * total_b, mass_b[0] * total_a
    while i < len(a) and j < len(b):
        moved = min(left_a, left_b)
        size = abs(a[i] - b[j])
        if p == 2.0:
            cost += moved * size * size
        elif p == 1.0:
            cost += moved * size
        else:
            cost += moved * size**p
        left_a -= moved
        left_b -= moved
        if left_a <= 0.0:
            i += 1
            if i < len(a):
                left_a = mass_a[i] * total_b
        if left_b <= 0.0:
            j += 1
            if j < len(b):
                left_b = mass_b[j] * total_a
    return cost / (total_a * total_b)
