"""Samples of densities that are known exactly."""

from __future__ import annotations

import math

import numpy as np

# A cube of a sum of two Gaussians in (x, y) is a sum of four: centre, a and b of exp(-a (x-mx)^2 - b (y-my)^2), height
MX = np.array([0.0, 0.3, 0.75, 1.5])
MY = np.array([0.0, 5 / 3, 20 / 9, 2.5])
A = np.array([6.0, 5.0, 4.0, 3.0])
B = np.array([0.75, 1.5, 2.25, 3.0])
HEIGHT = np.array([27.0, 54 * math.exp(-1.8 - 25 / 12), 36 * math.exp(-2.25 - 25 / 18), 8.0])


def double_well_6d(
    n: int = 10_000, *, random_state: int | np.random.Generator | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Independent points in two wells of six dimensions, and the exact log density at each.

    In the first two columns the density is [3 exp(-2x^2 - y^2/4) + 2 exp(-(x - 1.5)^2 - (y - 2.5)^2)]^3, normalised;
    the other four are Gaussian with variance 1/12.

    Parameters
    ----------
    n : int
        Points.
    random_state : int, Generator or None
        Seed.

    Returns
    -------
    features : array (n, 6)
    log_density : array (n,)

    Examples
    --------
    >>> from infoscope.datasets import double_well_6d
    >>> x, log_density = double_well_6d(1000, random_state=0)
    >>> x.shape, log_density.shape
    ((1000, 6), (1000,))
    """
    generator = np.random.default_rng(random_state)
    share = HEIGHT * math.pi / np.sqrt(A * B)
    which = generator.choice(4, size=n, p=share / share.sum())
    x = generator.normal(MX[which], np.sqrt(0.5 / A[which]))
    y = generator.normal(MY[which], np.sqrt(0.5 / B[which]))
    features = np.column_stack([x, y, generator.normal(0, math.sqrt(1 / 12), (n, 4))])
    return features, double_well_6d_log_density(features)


def double_well_6d_log_density(features: np.ndarray) -> np.ndarray:
    """Exact log density of `double_well_6d` at points (n, 6).

    Parameters
    ----------
    features : array (n, 6)
        Where.

    Returns
    -------
    ndarray, shape (n,)
        Natural logarithm of the density.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.datasets.densities import double_well_6d_log_density
    >>> round(float(double_well_6d_log_density(np.zeros((1, 6)))[0]), 3)
    0.666
    """
    x, y, *rest = np.asarray(features, float).T
    wells = 3 * np.exp(-2 * x**2 - y**2 / 4) + 2 * np.exp(-((x - 1.5) ** 2) - (y - 2.5) ** 2)
    norm = math.log(float((HEIGHT * math.pi / np.sqrt(A * B)).sum()) * (math.pi / 6) ** 2)
    return 3 * np.log(wells) - 6 * sum(z**2 for z in rest) - norm
