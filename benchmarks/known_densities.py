"""Samples whose log density is known, for the benchmarks of densities.  Needs numpy and infoscope."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class Known(NamedTuple):
    """How to draw n points with their log density; the dimension; the period of the columns, if they have one."""

    sample: Callable[[int, np.random.Generator], tuple[Any, Any]]
    dimension: int
    period: float | None = None


def gaussian(d: int) -> Known:
    def sample(n: int, g: np.random.Generator) -> tuple[Any, Any]:
        x = g.normal(size=(n, d))
        return x, -0.5 * (x**2).sum(1) - d / 2 * math.log(2 * math.pi)

    return Known(sample, d)


def uniform_torus(d: int) -> Known:
    return Known(lambda n, g: (g.random((n, d)), np.zeros(n)), d, 1.0)


def student(d: int, nu: float) -> Known:
    """Heavy tails: a Gaussian divided by an independent chi."""

    def sample(n: int, g: np.random.Generator) -> tuple[Any, Any]:
        x = g.normal(size=(n, d)) / np.sqrt(g.chisquare(nu, n) / nu)[:, None]
        const = math.lgamma((nu + d) / 2) - math.lgamma(nu / 2) - d / 2 * math.log(nu * math.pi)
        return x, const - (nu + d) / 2 * np.log1p((x**2).sum(1) / nu)

    return Known(sample, d)


def three_widths(d: int) -> Known:
    """Three Gaussians of widths 1, 0.5 and 0.25, side by side."""
    centre, width, share = np.array([0.0, 4.0, 7.0]), np.array([1.0, 0.5, 0.25]), np.array([0.5, 0.3, 0.2])

    def sample(n: int, g: np.random.Generator) -> tuple[Any, Any]:
        which = g.choice(3, size=n, p=share)
        x = g.normal(size=(n, d)) * width[which, None]
        x[:, 0] += centre[which]
        shifted = np.repeat(x[None], 3, axis=0)
        shifted[:, :, 0] -= centre[:, None]
        logs = -0.5 * (shifted**2).sum(2) / width[:, None] ** 2
        logs += (np.log(share) - d * np.log(width) - d / 2 * math.log(2 * math.pi))[:, None]
        return x, np.logaddexp.reduce(logs, axis=0)

    return Known(sample, d)


def von_mises(d: int, kappa: float) -> Known:
    """Angles: periodic, with one smooth hill a column."""

    def sample(n: int, g: np.random.Generator) -> tuple[Any, Any]:
        x = g.vonmises(0.0, kappa, (n, d))
        return x, kappa * np.cos(x).sum(1) - d * math.log(2 * math.pi * np.i0(kappa))

    return Known(sample, d, 2 * math.pi)


def exponential(d: int) -> Known:
    """A density that is highest at a hard wall."""

    def sample(n: int, g: np.random.Generator) -> tuple[Any, Any]:
        x = g.exponential(size=(n, d))
        return x, -x.sum(1)

    return Known(sample, d)


def banana(d: int) -> Known:
    """A Gaussian bent along a parabola: the bend keeps volumes."""

    def sample(n: int, g: np.random.Generator) -> tuple[Any, Any]:
        x = g.normal(size=(n, d))
        log_density = -0.5 * (x**2).sum(1) - d / 2 * math.log(2 * math.pi)
        x[:, 1] += x[:, 0] ** 2
        return x, log_density

    return Known(sample, d)


def two_wells() -> Known:
    from infoscope.datasets import double_well_6d

    return Known(lambda n, g: double_well_6d(n, random_state=g), 6)


GAUSSIANS = {f"Gaussian, {d}-D": gaussian(d) for d in (1, 2, 4, 8)}  # the table of the specification
WELLS = {"two wells, 6-D": two_wells()}
OTHERS = {  # nothing was tuned on these
    "uniform torus, 2-D": uniform_torus(2),
    "three widths, 2-D": three_widths(2),
    "von Mises, 3-D": von_mises(3, 2.0),
    "Student, 4 degrees, 3-D": student(3, 4.0),
    "exponential, 3-D": exponential(3),
    "bent Gaussian, 4-D": banana(4),
    "three widths, 5-D": three_widths(5),
}
ALL = {**GAUSSIANS, **WELLS, **OTHERS}
