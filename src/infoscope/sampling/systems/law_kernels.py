"""Energies with gradients of laws in closed form: a tunnel, a double well with oscillators, a mixture."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from infoscope.base import kernel
from infoscope.base.array_types import Floats


class TunnelTerms(NamedTuple):
    log_weights: Floats
    centres: Floats
    sigma: Floats
    amplitude: float
    distance: float


class QuadratureTerms(NamedTuple):
    stiffness: Floats
    shift: Floats


class MixtureTerms(NamedTuple):
    log_weights: Floats  # with the constants of the normal laws
    means: Floats  # (components, D)
    precisions: Floats  # (components, D, D)
    logs: Floats  # (components,) to write on
    pulls: Floats  # (components, D) to write on


@kernel(references=False)
def tunnel_energy(terms: TunnelTerms, x: Floats, gradient: Floats) -> float:
    """-ln sum_c w_c N(z; c, 1) + sum_j [(y_j - mu(z))^2 / 2 sigma_j^2 + ln sigma_j], mu = amplitude cos(pi z / d)."""
    z, n = x[0], len(terms.centres)
    top = -np.inf
    for c in range(n):
        top = max(top, terms.log_weights[c] - (z - terms.centres[c]) ** 2 / 2)
    total, slope = 0.0, 0.0
    for c in range(n):
        away = z - terms.centres[c]
        weight = np.exp(terms.log_weights[c] - away * away / 2 - top)
        total += weight
        slope += weight * away
    angle = np.pi / terms.distance
    mean, drift = terms.amplitude * np.cos(angle * z), -terms.amplitude * angle * np.sin(angle * z)
    energy, slope = -top - np.log(total), slope / total
    for j in range(len(terms.sigma)):
        sigma = terms.sigma[j]
        away = (x[1 + j] - mean) / sigma
        energy += away * away / 2 + np.log(sigma)
        gradient[1 + j] = away / sigma
        slope -= away / sigma * drift
    gradient[0] = slope
    return energy + len(x) * np.log(2 * np.pi) / 2


@kernel(references=False)
def quadrature_energy(terms: QuadratureTerms, x: Floats, gradient: Floats) -> float:
    """2 (z^2 - 1)^2 + 0.3 z + sum_j k_j exp(0.3 z) (y_j - s_j sin 2z)^2 / 2."""
    z = x[0]
    well, growth, wave = z * z - 1, np.exp(0.3 * z), np.sin(2 * z)
    energy, slope, bend = 2 * well * well + 0.3 * z, 8 * well * z + 0.3, 2 * np.cos(2 * z)
    for j in range(len(terms.stiffness)):
        stiffness, away = terms.stiffness[j] * growth, x[1 + j] - terms.shift[j] * wave
        energy += stiffness * away * away / 2
        gradient[1 + j] = stiffness * away
        slope += 0.15 * stiffness * away * away - stiffness * away * terms.shift[j] * bend
    gradient[0] = slope
    return energy


@kernel(references=False)
def mixture_energy(terms: MixtureTerms, x: Floats, gradient: Floats) -> float:
    """-ln sum_c w_c N(x; mu_c, Sigma_c)."""
    n, d = terms.means.shape
    top = -np.inf
    for c in range(n):
        square = 0.0
        for i in range(d):
            pull = 0.0
            for j in range(d):
                pull += terms.precisions[c, i, j] * (x[j] - terms.means[c, j])
            terms.pulls[c, i] = pull
            square += pull * (x[i] - terms.means[c, i])
        terms.logs[c] = terms.log_weights[c] - square / 2
        top = max(top, terms.logs[c])
    total = 0.0
    for i in range(d):
        gradient[i] = 0.0
    for c in range(n):
        weight = np.exp(terms.logs[c] - top)
        total += weight
        for i in range(d):
            gradient[i] += weight * terms.pulls[c, i]
    for i in range(d):
        gradient[i] /= total
    return -top - np.log(total)
