"""A double well with oscillators in plain NumPy, for tests of the loop: cheap, and safe to run in a forked process."""

import numpy as np

from infoscope.sampling import FunctionVariables, SubsetVariables, Target

STIFFNESS, SHIFT, TILT, BARRIER = np.array([4.0, 1.0]), 0.7, 0.4, 5.0


def energy_and_gradient(x):
    """V = B (z^2 - 1)^2 + t z + sum k_j (y_j - s sin 2z)^2 / 2."""
    z, y = x[:, :1], x[:, 1:]
    away = y - SHIFT * np.sin(2 * z)
    energy = BARRIER * (z[:, 0] ** 2 - 1) ** 2 + TILT * z[:, 0] + 0.5 * (STIFFNESS * away**2).sum(1)
    slope = 4 * BARRIER * z * (z**2 - 1) + TILT - 2 * SHIFT * np.cos(2 * z) * (STIFFNESS * away).sum(1, keepdims=True)
    return energy, np.concatenate([slope, STIFFNESS * away], axis=1)


def target():
    return Target(energy_and_gradient, True, n_coordinates=3)


def variables():
    return SubsetVariables([0], n_coordinates=3, names=["z"])


def function_variables():
    return FunctionVariables(
        lambda x: x[:, :1] + 0.2 * x[:, 1:2] ** 2,
        lambda x: np.stack([np.ones(len(x)), 0.4 * x[:, 1], np.zeros(len(x))], axis=1)[:, None, :],
        names=["xi"],
    )


def starts(n_each, random_state=0):
    """Near the bottoms of both wells."""
    rng = np.random.default_rng(random_state)
    z = np.repeat([-1.0, 1.0], n_each) + 0.1 * rng.normal(size=2 * n_each)
    return np.column_stack(
        [z, SHIFT * np.sin(2 * z) + 0.3 * rng.normal(size=2 * n_each), 0.3 * rng.normal(size=2 * n_each)]
    )


def share_below(edge=0.0):
    """P(z < edge): the oscillators leave no trace."""
    grid = np.linspace(-3, 3, 20_001)
    weight = np.exp(-(BARRIER * (grid**2 - 1) ** 2 + TILT * grid))
    return weight[grid < edge].sum() / weight.sum()
