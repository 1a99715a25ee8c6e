"""Directions on the sphere: random orthonormal bases, and such that gather around one (von Mises and Fisher)."""

from __future__ import annotations

import numpy as np

FEWEST_BLOCKS = 4  # of directions, for their error
GRID = 20_001  # angles at which a law is tabled
DEEP = 40.0  # in log density, below which an angle is out of the question


def orthonormal_blocks(d: int, n_directions: int, generator: np.random.Generator) -> list[np.ndarray]:
    """Blocks (b, D) of orthonormal rows, together at least so many: whole random bases where D is not larger.

    Directions of one basis see every coordinate once, so that a shift of the mean has the same sum over them whatever
    the basis.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.measures.directions import orthonormal_blocks
    >>> blocks = orthonormal_blocks(3, 10, np.random.default_rng(0))
    >>> len(blocks), bool(np.allclose(blocks[0] @ blocks[0].T, np.eye(3)))
    (4, True)
    """
    if d == 1:
        return [np.ones((1, 1))]
    n_blocks = max(FEWEST_BLOCKS if n_directions >= FEWEST_BLOCKS else 1, -(-n_directions // d))
    size = min(d, -(-n_directions // n_blocks)) if d > n_directions else d
    blocks = []
    for _ in range(n_blocks):
        q, r = np.linalg.qr(generator.standard_normal((d, size)))
        blocks.append((q * np.where(np.diag(r) < 0, -1.0, 1.0)).T)  # signs that make the basis uniform (Haar)
    return blocks


def around_first_axis(
    d: int, concentration: float, n_directions: int, generator: np.random.Generator
) -> list[np.ndarray]:
    """Blocks (b, D) of directions with density exp(kappa theta_1) on the sphere.

    theta = (t, sqrt(1 - t^2) v): t has density exp(kappa t) (1 - t^2)^((D - 3)/2) and is drawn in strata by its inverse
    distribution function; v are rows of random orthonormal bases of the other axes.

    References
    ----------
    Ulrich, Appl. Stat. 33, 158 (1984): the law of t.
    """
    if d == 1:
        return [np.ones((1, 1))]
    n_blocks = FEWEST_BLOCKS if n_directions >= FEWEST_BLOCKS else 1
    size = -(-n_directions // n_blocks)
    shares = (np.arange(n_blocks * size) + 0.5) / (n_blocks * size)
    angles = _angles_at(shares, d, concentration)
    blocks = []
    for b in range(n_blocks):
        mine = generator.permutation(angles[b::n_blocks])
        v = np.concatenate(_enough_tangents(d - 1, size, generator))[:size]
        blocks.append(np.column_stack([np.cos(mine), np.sin(mine)[:, None] * v]))
    return blocks


def turned(directions: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """Directions around the first axis, reflected so that they are around another one (Householder)."""
    normal = -axis.copy()
    normal[0] += 1.0
    size = normal @ normal
    return directions if size == 0 else directions - 2 * np.outer(directions @ normal, normal) / size


# --------------------------------------------------------------------------------------------------------------- steps
def _angles_at(shares: np.ndarray, d: int, concentration: float) -> np.ndarray:
    """Angles to the axis below which these shares of the law lie."""
    low, high = 0.0, np.pi
    for _ in range(3):  # the law may be narrow: look where it is
        angles = np.linspace(low, high, GRID)[1:-1]
        log_density = concentration * (np.cos(angles) - 1) + (d - 2) * np.log(np.sin(angles))
        inside = angles[log_density > log_density.max() - DEEP]
        step = angles[1] - angles[0]
        low, high = max(0.0, inside[0] - step), min(np.pi, inside[-1] + step)
    density = np.exp(log_density - log_density.max())
    below = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)])
    return np.interp(shares, below / below[-1], angles)


def _enough_tangents(d: int, size: int, generator: np.random.Generator) -> list[np.ndarray]:
    if d == 1:
        return [np.where(generator.random((size, 1)) < 0.5, -1.0, 1.0)]
    blocks = []
    for _ in range(-(-size // d)):
        q, r = np.linalg.qr(generator.standard_normal((d, min(d, size))))
        blocks.append((q * np.where(np.diag(r) < 0, -1.0, 1.0)).T)
    return blocks
