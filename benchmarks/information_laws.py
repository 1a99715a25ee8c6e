"""Laws of pairs whose shared information is known, none of them among the forty published tasks.

They were written down, with their seeds, before anything ran on them: mixtures, copulas with dependent tails, products
of columns, noise that depends on the signal, waves and circles, pairs planted in other columns and in real data,
categories beside numbers, independence.  Truths are closed forms or integrals on grids.  Needs numpy, scipy and, for
the real data, scikit-learn.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri, stdtr, stdtrit
from scipy.stats import multivariate_t
from scipy.stats import t as student_t

from published_tasks import Draw, Law, additive, gaussian_truth, half_cube, mapped, sparse

SEEDS = (101, 102)  # two samples of every law
NOISE = 0.5 * math.log(2 * math.pi * math.e)  # entropy of a unit normal


def generator_of(number: int, seed: int) -> np.random.Generator:
    """Of the law with this number in the list."""
    return np.random.default_rng([number, seed])


# -------------------------------------------------------------------------------------------------------------- truths
def entropy_on_grid(density: Any, step: float) -> float:
    """-integral of p log p of a density on an even grid, which is first made to sum to one."""
    p = density / (density.sum() * step)
    return float(-(p[p > 0] * np.log(p[p > 0])).sum() * step)


def normal_density(x: Any, deviation: Any = 1.0) -> Any:
    return np.exp(-0.5 * (x / deviation) ** 2) / (deviation * math.sqrt(2 * math.pi))


def quantiles(n: int) -> Any:
    """Midpoints of n slices of a unit normal of equal probability."""
    return ndtri((np.arange(n) + 0.5) / n)


def information_on_grid(joint: Any) -> float:
    """Of a joint density on an even grid in both variables."""
    p = joint / joint.sum()
    outer = p.sum(1, keepdims=True) * p.sum(0)
    there = p > 0
    return float((p[there] * np.log(p[there] / outer[there])).sum())


def copula_truth(density: Callable[[Any, Any], Any], n: int = 4000) -> float:
    """Of a copula's density c(u, v): the mean of log c, on a grid that is fine in the corners."""
    z = np.linspace(-6.5, 6.5, n)
    u, mass = ndtr(z), normal_density(z) * (z[1] - z[0])
    c = density(u[:, None], u[None, :])
    weight = c * mass[:, None] * mass[None, :]
    weight /= weight.sum()
    return float((weight[c > 0] * np.log(c[c > 0])).sum())


# ------------------------------------------------------------------------------------------------------------- copulas
CLAYTON, GUMBEL, FRANK, T_RHO, T_NU = 2.0, 2.0, 5.0, 0.5, 2.0


def clayton(n: int, g: np.random.Generator) -> tuple[Any, Any]:
    u, w = g.random((2, n, 1))
    return u, (u**-CLAYTON * (w ** (-CLAYTON / (1 + CLAYTON)) - 1) + 1) ** (-1 / CLAYTON)


def clayton_density(u: Any, v: Any) -> Any:
    a = CLAYTON
    return (1 + a) * (u * v) ** (-1 - a) * (u**-a + v**-a - 1) ** (-2 - 1 / a)


def gumbel(n: int, g: np.random.Generator) -> tuple[Any, Any]:
    """Marshall and Olkin: a positive stable variable of index 1/2 is 1/z^2 of a normal z, up to scale."""
    scale = 1 / (2 * g.normal(size=(n, 1)) ** 2)  # its Laplace transform is exp(-sqrt(s))
    e = g.exponential(size=(n, 2))
    u = np.exp(-((e / scale) ** (1 / GUMBEL)))
    return u[:, :1], u[:, 1:]


def gumbel_density(u: Any, v: Any) -> Any:
    a, x, y = GUMBEL, -np.log(u), -np.log(v)
    s = (x**a + y**a) ** (1 / a)
    return np.exp(-s) / (u * v) * (x * y) ** (a - 1) * s ** (1 - 2 * a) * (s + a - 1)


def frank(n: int, g: np.random.Generator) -> tuple[Any, Any]:
    u, w = g.random((2, n, 1))
    top = w * (math.exp(-FRANK) - 1)
    return u, -np.log1p(top / (w + (1 - w) * np.exp(-FRANK * u))) / FRANK


def frank_density(u: Any, v: Any) -> Any:
    a, e = FRANK, math.exp(-FRANK)
    return a * (1 - e) * np.exp(-a * (u + v)) / (1 - e - (1 - np.exp(-a * u)) * (1 - np.exp(-a * v))) ** 2


def t_copula(n: int, g: np.random.Generator) -> tuple[Any, Any]:
    z = g.normal(size=(n, 2)) @ np.linalg.cholesky([[1, T_RHO], [T_RHO, 1]]).T
    u = stdtr(T_NU, z / np.sqrt(g.chisquare(T_NU, n) / T_NU)[:, None])
    return u[:, :1], u[:, 1:]


def t_density(u: Any, v: Any) -> Any:
    a, b = np.broadcast_arrays(stdtrit(T_NU, u), stdtrit(T_NU, v))
    joint = multivariate_t(shape=[[1, T_RHO], [T_RHO, 1]], df=T_NU).pdf(np.stack([a, b], -1))
    return joint / (student_t.pdf(a, T_NU) * student_t.pdf(b, T_NU))


# -------------------------------------------------------------------------------------------------------- pairs of one
def product(noise: float, more: float = 0.0) -> Draw:
    """y is the product of two columns, perhaps a third one, and noise."""

    def draw(n: int, g: np.random.Generator) -> tuple[Any, Any]:
        x = g.normal(size=(n, 3 if more else 2))
        y = x[:, :1] * x[:, 1:2] + noise * g.normal(size=(n, 1))
        return x, y + more * x[:, 2:] if more else y

    return draw


def product_truth(noise: float, more: float = 0.0) -> float:
    """h(y) - h(noise): given one factor, y is normal."""
    y = np.linspace(-40, 40, 80_001)
    spread = np.sqrt(quantiles(4000) ** 2 + noise**2 + more**2)
    density = np.mean([normal_density(y, s) for s in spread], axis=0)
    return entropy_on_grid(density, y[1] - y[0]) - NOISE - math.log(noise)


def spread_by(n: int, g: np.random.Generator) -> tuple[Any, Any]:
    """The size of y depends on x, its mean does not."""
    x = g.normal(size=(n, 1))
    return x, (0.2 + np.abs(x)) * g.normal(size=(n, 1))


def spread_truth() -> float:
    y, deviation = np.linspace(-40, 40, 80_001), 0.2 + np.abs(quantiles(4000))
    density = np.mean([normal_density(y, s) for s in deviation], axis=0)
    return entropy_on_grid(density, y[1] - y[0]) - NOISE - float(np.log(deviation).mean())


def wave(n: int, g: np.random.Generator) -> tuple[Any, Any]:
    x = g.uniform(-math.pi, math.pi, (n, 1))
    return x, np.sin(3 * x) + 0.3 * g.normal(size=(n, 1))


def wave_truth() -> float:
    y, phase = np.linspace(-4, 4, 20_001), (np.arange(4000) + 0.5) / 4000 * 2 * math.pi
    density = np.mean([normal_density(y - m, 0.3) for m in np.sin(phase)], axis=0)
    return entropy_on_grid(density, y[1] - y[0]) - NOISE - math.log(0.3)


def circle(n: int, g: np.random.Generator) -> tuple[Any, Any]:
    phase, noise = g.uniform(0, 2 * math.pi, (n, 1)), 0.2 * g.normal(size=(n, 2))
    return np.cos(phase) + noise[:, :1], np.sin(phase) + noise[:, 1:]


def circle_truth() -> float:
    grid, phase = np.linspace(-2.4, 2.4, 1201), (np.arange(2000) + 0.5) / 2000 * 2 * math.pi
    x = normal_density(grid[:, None] - np.cos(phase), 0.2)
    y = normal_density(grid[:, None] - np.sin(phase), 0.2)
    return information_on_grid(x @ y.T)


CORNERS = ((1, 1, 0.4), (-1, -1, 0.4), (1, -1, 0.1), (-1, 1, 0.1))  # place and share


def corners(width: float, apart: float = 1.0) -> Draw:
    def draw(n: int, g: np.random.Generator) -> tuple[Any, Any]:
        which = g.choice(len(CORNERS), size=n, p=[share for *_, share in CORNERS])
        place = apart * np.array([corner[:2] for corner in CORNERS], float)[which]
        z = place + width * g.normal(size=(n, 2))
        return z[:, :1], z[:, 1:]

    return draw


def corners_truth(width: float, apart: float = 1.0) -> float:
    grid = np.linspace(-apart - 7 * width, apart + 7 * width, 2001)
    up, down = (normal_density(grid - sign * apart, width) for sign in (1, -1))
    joint = sum(share * np.outer(up if x > 0 else down, up if y > 0 else down) for x, y, share in CORNERS)
    return information_on_grid(joint)


def switched(n: int, g: np.random.Generator) -> tuple[Any, Any]:
    """One side takes three values, the other follows it with noise."""
    x = g.integers(-1, 2, (n, 1)).astype(float)
    return x, 1.5 * x + g.normal(size=(n, 1))


def switched_truth() -> float:
    y = np.linspace(-10, 10, 20_001)
    density = np.mean([normal_density(y - 1.5 * x) for x in (-1, 0, 1)], axis=0)
    return entropy_on_grid(density, y[1] - y[0]) - NOISE


# ---------------------------------------------------------------------------------------------- among other columns
def planted(draw: Draw, dx: int, dy: int, rotation: int | None = None) -> Draw:
    """Beside independent normal columns, to dx + dy in all; turned by a random rotation of each side, if asked."""

    def among(n: int, g: np.random.Generator) -> tuple[Any, Any]:
        x, y = draw(n, g)
        x = np.hstack([x, g.normal(size=(n, dx - x.shape[1]))])
        y = np.hstack([y, g.normal(size=(n, dy - y.shape[1]))])
        if rotation is None:
            return x, y
        turns = np.random.default_rng(rotation)
        return x @ turn_of(dx, turns), y @ turn_of(dy, turns)

    return among


def turn_of(d: int, g: np.random.Generator) -> Any:
    return np.linalg.qr(g.normal(size=(d, d)))[0]


def in_scores(draw: Draw) -> Draw:
    """A pair of uniform columns as normal ones."""
    return mapped(draw, ndtri)


def in_real_data(draw: Draw, data: str, width: int, rotation: int | None = None) -> Draw:
    """A pair beside real columns: half of them on either side, and the rows of the other half shuffled."""

    def among(n: int, g: np.random.Generator) -> tuple[Any, Any]:
        from sklearn import datasets

        table = getattr(datasets, f"load_{data}")().data
        table = table[:, np.argsort(-table.std(0) / (1e-9 + np.abs(table).mean(0)), kind="stable")][:, : 2 * width]
        table = (table - table.mean(0)) / np.where(table.std(0) > 0, table.std(0), 1)
        n = min(n, len(table))
        x, y = draw(n, g)
        rows = g.permutation(len(table))[:n], g.permutation(len(table))[:n]
        x, y = np.hstack([x, table[rows[0], :width]]), np.hstack([y, table[rows[1], width:]])
        if rotation is None:
            return x, y
        turns = np.random.default_rng(rotation)
        return x @ turn_of(x.shape[1], turns), y @ turn_of(y.shape[1], turns)

    return among


def pairs(count: int, rho: float) -> Draw:
    def draw(n: int, g: np.random.Generator) -> tuple[Any, Any]:
        x = g.normal(size=(n, count))
        return x, rho * x + math.sqrt(1 - rho**2) * g.normal(size=(n, count))

    return draw


def pairs_truth(count: int, rho: float) -> float:
    return -0.5 * count * math.log(1 - rho**2)


LOADINGS = np.random.default_rng(7).normal(size=(2, 12, 3))


def factors(n: int, g: np.random.Generator) -> tuple[Any, Any]:
    """Three common factors behind twelve and twelve noisy columns."""
    z = g.normal(size=(n, 3))
    x, y = (z @ load.T + g.normal(size=(n, 12)) for load in LOADINGS)
    return x, y


def factors_truth() -> float:
    both = np.vstack(LOADINGS)
    return gaussian_truth(both @ both.T + np.eye(24), 12)


# --------------------------------------------------------------------------------------------------------- independent
def independent(x_of: Callable[[int, Any], Any], y_of: Callable[[int, Any], Any]) -> Draw:
    return lambda n, g: (x_of(n, g), y_of(n, g))


def heavy(d: int, nu: float) -> Callable[[int, Any], Any]:
    return lambda n, g: g.normal(size=(n, d)) / np.sqrt(g.chisquare(nu, n) / nu)[:, None]


# ---------------------------------------------------------------------------------------------------------------- laws
def new_laws() -> list[Law]:
    """All of them, in a fixed order: its number is a law's seed."""
    tail, stable = copula_truth(clayton_density), copula_truth(gumbel_density)
    folded = product_truth(0.3)
    spread, around = spread_truth(), circle_truth()
    one, four = pairs_truth(1, 0.8), pairs_truth(4, 0.6)
    return [
        Law("Clayton copula 1+1", in_scores(clayton), tail),
        Law("Gumbel copula 1+1, uniform", gumbel, stable),
        Law("Frank copula 1+1", in_scores(frank), copula_truth(frank_density)),
        Law("t copula 1+1, exponential", mapped(t_copula, lambda u: -np.log1p(-u)), copula_truth(t_density)),
        Law("Clayton copula turned in 6+6", planted(in_scores(clayton), 6, 6, 1), tail),
        Law("Gumbel copula in 20+20", planted(in_scores(gumbel), 20, 20), stable),
        Law("product 2+1", product(0.3), folded),
        Law("product in 10+1", planted(product(0.3), 10, 1), folded),
        Law("product and sum in 10+5", planted(product(0.5, 1.0), 10, 5), product_truth(0.5, 1.0)),
        Law("product turned in 6+3", planted(product(0.3), 6, 3, 2), folded),
        Law("spread by x 1+1", spread_by, spread),
        Law("spread by x in 8+8", planted(spread_by, 8, 8), spread),
        Law("wave 1+1", wave, wave_truth()),
        Law("wave in 6+6", planted(wave, 6, 6), wave_truth()),
        Law("circle 1+1", circle, around),
        Law("circle in 5+5", planted(circle, 5, 5), around),
        Law("corners 1+1", corners(0.4), corners_truth(0.4)),
        Law("corners turned in 10+10", planted(corners(0.4), 10, 10, 3), corners_truth(0.4)),
        Law("two clouds in 20+20", planted(corners(1.0, 2.0), 20, 20, 4), corners_truth(1.0, 2.0)),
        Law("three values in 5+5", planted(switched, 5, 5), switched_truth()),
        Law("two pairs turned in 20+20", planted(pairs(2, 0.8), 20, 20, 5), 2 * one),
        Law("four pairs turned in 8+8", planted(pairs(4, 0.6), 8, 8, 6), four),
        Law("half-cube of a pair turned in 10+10", planted(mapped(pairs(1, 0.8), half_cube), 10, 10, 7), one),
        Law("additive 0.1 in 10+10", planted(additive(0.1), 10, 10), math.log(1 / 0.2) + 0.1),
        Law("three factors behind 12+12", factors, factors_truth()),
        Law("sinh of three factors behind 12+12", mapped(factors, np.sinh), factors_truth()),
        Law("exponential of sparse 6+6", mapped(sparse(6), np.exp), 2 * one),
        Law("pair in 20+20 columns of digits", in_real_data(pairs(1, 0.8), "digits", 20), one),
        Law("spread by x in 15+15 columns of digits", in_real_data(spread_by, "digits", 15), spread),
        Law("pair turned in 15+15 of breast cancer", in_real_data(pairs(1, 0.8), "breast_cancer", 15, 8), one),
        Law("independent 5+5, exponentials", independent(*[lambda n, g: g.exponential(size=(n, 5))] * 2), 0.0),
        Law("independent 25+25, heavy tails", independent(heavy(25, 2.0), heavy(25, 2.0)), 0.0),
        Law(
            "independent 3+10, uniform and normal",
            independent(lambda n, g: g.random((n, 3)), lambda n, g: g.normal(size=(n, 10))),
            0.0,
        ),
    ]
