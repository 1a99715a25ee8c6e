"""The forty tasks of Czyz et al. (2023, arXiv 2306.11078), written anew from their description: samples and truths.

Needs numpy and scipy.  A monotone map of a column changes no information, so most truths are those of Gaussians.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy.special import digamma, gammaln, ndtr

Draw = Callable[[int, np.random.Generator], tuple[Any, Any]]
SPARSE = 2 * 0.5 * math.log(1 / (1 - 0.64))  # two pairs of squared correlation 0.64


class Law(NamedTuple):
    """A law of pairs: how to draw n of them, and what they share, in nats."""

    name: str
    draw: Draw
    truth: float


def gaussian_truth(covariance: Any, dx: int) -> float:
    """Information of jointly normal columns, the first dx against the others."""
    parts = covariance, covariance[:dx, :dx], covariance[dx:, dx:]
    joint, x, y = (np.linalg.slogdet(part)[1] for part in parts)
    return float(0.5 * (x + y - joint))


def student_truth(d: int, nu: float) -> float:
    """Of a multivariate t of d + d columns with the identity: the two sides share their scale."""

    def entropy(width: int) -> float:  # up to terms that cancel
        a, b = (nu + width) / 2, nu / 2
        return float(-gammaln(a) + gammaln(b) + width / 2 * math.log(nu * math.pi) + a * (digamma(a) - digamma(b)))

    return 2 * entropy(d) - entropy(2 * d)


# ------------------------------------------------------------------------------------------------------------- samples
def dense(d: int) -> Draw:
    covariance = 0.5 * np.eye(2 * d) + 0.5

    def draw(n: int, g: np.random.Generator) -> tuple[Any, Any]:
        z = g.normal(size=(n, 2 * d)) @ np.linalg.cholesky(covariance).T
        return z[:, :d], z[:, d:]

    return draw


def sparse(d: int, rho: float = 0.8) -> Draw:
    """Two pairs of columns that depend on each other, the others on nothing."""

    def draw(n: int, g: np.random.Generator) -> tuple[Any, Any]:
        x, y = g.normal(size=(n, d)), g.normal(size=(n, d))
        y[:, :2] = rho * x[:, :2] + math.sqrt(1 - rho**2) * y[:, :2]
        return x, y

    return draw


def pair(rho: float = 0.75) -> Draw:
    def draw(n: int, g: np.random.Generator) -> tuple[Any, Any]:
        x = g.normal(size=(n, 1))
        return x, rho * x + math.sqrt(1 - rho**2) * g.normal(size=(n, 1))

    return draw


def student(d: int, nu: float) -> Draw:
    def draw(n: int, g: np.random.Generator) -> tuple[Any, Any]:
        z = g.normal(size=(n, 2 * d)) / np.sqrt(g.chisquare(nu, n) / nu)[:, None]
        return z[:, :d], z[:, d:]

    return draw


def additive(width: float) -> Draw:
    def draw(n: int, g: np.random.Generator) -> tuple[Any, Any]:
        x = g.random((n, 1))
        return x, x + g.uniform(-width, width, (n, 1))

    return draw


# ---------------------------------------------------------------------------------------------------------------- maps
def mapped(draw: Draw, x_map: Callable[[Any], Any], y_map: Callable[[Any], Any] | None = None) -> Draw:
    def both(n: int, g: np.random.Generator) -> tuple[Any, Any]:
        x, y = draw(n, g)
        return x_map(x), (x_map if y_map is None else y_map)(y)

    return both


def half_cube(x: Any) -> Any:
    return np.sign(x) * np.abs(x) ** 1.5


def bimodal(x: Any) -> Any:
    """The quantile of an even mixture of normals at -2 and 2, of width 0.6, at the level of x."""
    grid = np.linspace(-8, 8, 200_001)
    level = 0.5 * ndtr((grid + 2) / 0.6) + 0.5 * ndtr((grid - 2) / 0.6)
    return np.interp(ndtr(x), level, grid)


def wiggly_x(x: Any) -> Any:
    return x + 0.4 * np.sin(x) + 0.2 * np.sin(1.7 * x + 1) + 0.03 * np.sin(3.3 * x - 2.5)


def wiggly_y(y: Any) -> Any:
    return y - 0.4 * np.sin(0.4 * y) + 0.17 * np.sin(1.3 * y + 3.5) + 0.02 * np.sin(4.3 * y - 2.5)


def swiss_roll(x: Any) -> Any:
    angle = 1.5 * math.pi * (1 + 2 * ndtr(x))
    return np.hstack([angle * np.cos(angle), angle * np.sin(angle)]) / 21


def spiral(first: int, second: int, speed: float = 1 / 3) -> Callable[[Any], Any]:
    """Rows turned in a plane by an angle that grows with their squared length: volumes and information stay."""

    def turn(x: Any) -> Any:
        angle, turned = speed * (x**2).sum(1), x.copy()
        turned[:, first] = np.cos(angle) * x[:, first] - np.sin(angle) * x[:, second]
        turned[:, second] = np.sin(angle) * x[:, first] + np.cos(angle) * x[:, second]
        return turned

    return turn


def same(x: Any) -> Any:
    return x


# --------------------------------------------------------------------------------------------------------------- tasks
def published_tasks() -> list[Law]:
    """All forty."""
    normal = -0.5 * math.log(1 - 0.75**2)
    laws = [
        Law("normal 1+1", pair(), normal),
        Law("normal CDF 1+1", mapped(pair(), ndtr), normal),
        Law("half-cube 1+1", mapped(pair(), half_cube), normal),
        Law("bimodal 1+1", mapped(pair(), bimodal), normal),
        Law("wiggly 1+1", mapped(pair(), wiggly_x, wiggly_y), normal),
        Law("swiss roll 2+1", mapped(pair(), swiss_roll, same), normal),
        Law("additive 0.1", additive(0.1), math.log(1 / 0.2) + 0.1),
        Law("additive 0.75", additive(0.75), 1 / (4 * 0.75)),
    ]
    for d in (2, 3, 5, 25, 50):
        laws.append(Law(f"dense {d}+{d}", dense(d), gaussian_truth(0.5 * np.eye(2 * d) + 0.5, d)))
    for d in (2, 3, 5, 25):
        laws.append(Law(f"sparse {d}+{d}", sparse(d), SPARSE))
    turns = spiral(0, 1), spiral(1, 2)
    for d in (3, 5, 25):
        laws.append(Law(f"normal CDF of sparse {d}+{d}", mapped(sparse(d), ndtr), SPARSE))
        laws.append(Law(f"half-cube of sparse {d}+{d}", mapped(sparse(d), half_cube), SPARSE))
        laws.append(Law(f"spiral of sparse {d}+{d}", mapped(sparse(d), *turns), SPARSE))
        laws.append(Law(f"spiral of normal CDF of sparse {d}+{d}", mapped(mapped(sparse(d), ndtr), *turns), SPARSE))
    for d, nu in ((1, 1), (2, 1), (2, 2), (3, 2), (3, 3), (5, 2), (5, 3)):
        laws.append(Law(f"student {d}+{d}, {nu} degrees", student(d, nu), student_truth(d, nu)))
    for d, nu in ((1, 1), (2, 1), (3, 2), (5, 2)):
        laws.append(
            Law(f"asinh of student {d}+{d}, {nu} degrees", mapped(student(d, nu), np.arcsinh), student_truth(d, nu))
        )
    return laws
