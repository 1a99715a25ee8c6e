"""Energy with gradient of a phi^4 field on a line, by its wavelets, and the Haar transform."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from infoscope.base import kernel
from infoscope.base.array_types import Floats


class Phi4Terms(NamedTuple):
    beta: float
    a: float
    h: float
    field: Floats  # (N,) to write on
    other: Floats  # (N,) to write on


@kernel(references=False)
def phi4_energy(terms: Phi4Terms, x: Floats, gradient: Floats) -> float:
    """beta [sum_i ((1 - f_i^2)^2 / 4a + h f_i) / N + a N / 2 sum_i (f_i - f_i-1)^2], f_0 = f_N+1 = 0; f of wavelets x.

    The transform is orthogonal: the gradient by wavelets is the transform of the gradient by sites.
    """
    n, field, slope = len(x), terms.field, terms.other
    haar_field(x, field, slope)
    energy, before = 0.0, 0.0
    for i in range(n):
        f = field[i]
        after = field[i + 1] if i + 1 < n else 0.0
        well = 1 - f * f
        energy += (well * well / (4 * terms.a) + terms.h * f) / n + terms.a * n / 2 * (f - before) ** 2
        slope[i] = (-well * f / terms.a + terms.h) / n + terms.a * n * (2 * f - before - after)
        before = f
    energy += terms.a * n / 2 * before * before
    haar_coefficients(slope, gradient, field)
    for i in range(n):
        gradient[i] *= terms.beta
    return terms.beta * energy


@kernel(references=False)
def haar_field(coefficients: Floats, field: Floats, scratch: Floats) -> None:
    """A field of N = 2^k sites from its orthonormal Haar coefficients, the coarsest first."""
    n, root = len(field), np.sqrt(0.5)
    for i in range(n):
        field[i] = coefficients[i]
    length = 1
    while length < n:
        for i in range(length):
            mean, difference = field[i], field[length + i]
            scratch[2 * i], scratch[2 * i + 1] = (mean + difference) * root, (mean - difference) * root
        length *= 2
        for i in range(length):
            field[i] = scratch[i]


@kernel(references=False)
def haar_coefficients(field: Floats, coefficients: Floats, scratch: Floats) -> None:
    """Orthonormal Haar coefficients of N = 2^k sites: [0] is sqrt(N) times the mean."""
    length, root = len(field), np.sqrt(0.5)
    for i in range(length):
        coefficients[i] = field[i]
    while length > 1:
        length //= 2
        for i in range(length):
            a, b = coefficients[2 * i], coefficients[2 * i + 1]
            scratch[i], scratch[length + i] = (a + b) * root, (a - b) * root
        for i in range(2 * length):
            coefficients[i] = scratch[i]
