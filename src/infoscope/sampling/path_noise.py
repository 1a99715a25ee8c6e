"""The random numbers of a path: how many it needs, who draws them, in which order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from infoscope.base import ParameterError

PATHS = ("underdamped", "asym", "sym_ula", "sym_mala", "coin_ula", "coin_mala")
METROPOLISED = ("sym_mala", "coin_mala")


class PathNoise(NamedTuple):
    """Random numbers of n paths, one path after the other, in the order of `steered_path`.

    Attributes
    ----------
    normals : ndarray, shape (rows, d)
    first : ndarray, shape (n,)
        The row where each path begins.
    log_uniform : ndarray, shape (rows',)
        Metropolis draws of the steps; empty for kernels without.
    first_uniform : ndarray, shape (n,)
    coin : ndarray of bool, shape (n,)
        Whether z moves before y, for the kernels with a coin.
    """

    normals: np.ndarray
    first: np.ndarray
    log_uniform: np.ndarray
    first_uniform: np.ndarray
    coin: np.ndarray


def noise_rows(path: str, friction: Any, n_steps: Any) -> Any:
    """How many normal numbers each coordinate of a path of K steps needs: 1 or 2K + 1; K, or K + 1 for "sym"."""
    if path == "underdamped":
        return 2 * n_steps + 1 if np.any(friction) else np.ones_like(n_steps)
    return n_steps + 1 if path.startswith("sym") else n_steps


def draw_noise(
    path: str, friction: Any, n_steps: np.ndarray, n_auxiliary: int, generators: Sequence[np.random.Generator]
) -> PathNoise:
    """The random numbers of paths, each with the generator of its chain; nothing for a path of no steps.

    Parameters
    ----------
    path : str
    friction : float or ndarray
    n_steps : ndarray of int, shape (n,)
    n_auxiliary : int
        Length of y.
    generators : sequence of n Generators

    Returns
    -------
    PathNoise

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.sampling.path_noise import draw_noise
    >>> draw_noise("asym", 0.0, np.array([3, 5]), 2, [np.random.default_rng(seed) for seed in (0, 1)]).first
    array([0, 3])
    """
    rows = np.where(n_steps > 0, noise_rows(path, friction, n_steps), 0)
    tests = rows if path in METROPOLISED else np.zeros_like(rows)
    normals, uniform = np.empty((rows.sum(), n_auxiliary)), np.empty(tests.sum())
    first, first_uniform = np.cumsum(rows) - rows, np.cumsum(tests) - tests
    coin = np.ones(len(n_steps), bool)
    for chain, rng in enumerate(generators):
        if not rows[chain]:
            continue
        rng.standard_normal(out=normals[first[chain] : first[chain] + rows[chain]])
        if tests[chain]:
            uniform[first_uniform[chain] : first_uniform[chain] + tests[chain]] = -rng.standard_exponential(
                tests[chain]
            )
        if path.startswith("coin"):
            coin[chain] = rng.random() < 0.5
    return PathNoise(normals, first, uniform, first_uniform, coin)


def given_noise(
    path: str, friction: Any, n_steps: np.ndarray, y: np.ndarray, noise: Any, log_uniform: Any, forward_coin: Any
) -> PathNoise:
    """The random numbers that someone brought for the paths of y (n, d), in the layout of the kernels.

    Raises
    ------
    ParameterError
        Too few of them, or of another shape.
    """
    rows, n = noise_rows(path, friction, n_steps), len(y)
    normals = _rows_of_paths(noise, rows, y.shape, "noise")
    if path in METROPOLISED and log_uniform is None:
        raise ParameterError(f"path={path!r} tests its steps: pass log_uniform, one number a step")
    uniform = _rows_of_paths(log_uniform, rows, (n,), "log_uniform") if path in METROPOLISED else np.zeros(0)
    first = np.cumsum(rows) - rows
    return PathNoise(normals, first, uniform, first, np.broadcast_to(np.asarray(forward_coin, bool), (n,)).copy())


def _rows_of_paths(given: Any, rows: np.ndarray, shape: tuple[int, ...], name: str) -> np.ndarray:
    """(R, n, ...) as they were given, one path after the other."""
    array = np.asarray(given, np.float64)
    if array.ndim == len(shape) and shape[0] == 1:
        array = array[:, None]
    if array.ndim != len(shape) + 1 or array.shape[1:] != shape or len(array) < rows.max():
        raise ParameterError(
            f"{name} has shape {np.shape(given)}: these paths need ({rows.max()}, {', '.join(map(str, shape))}) "
            "numbers, or more rows"
        )
    return np.concatenate([array[:count, at] for at, count in enumerate(rows)])
