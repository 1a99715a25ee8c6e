"""Time series with known correlation times, and a particle in a double well."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from infoscope.base import kernel
from infoscope.base.errors import ParameterError

BARRIER = 3.0
FRICTION = 1.0
GRID = np.linspace(-2.5, 2.5, 5001)  # beyond, the density of x is below 1e-30 of its maximum
CHUNK_VALUES = 2**20  # random numbers drawn at once


def ar1(
    n_steps: int | Sequence[int],
    n_columns: int = 1,
    phi: float | Sequence[float] = 0.9,
    *,
    n_runs: int = 1,
    random_state: int | np.random.Generator | None = None,
) -> list[np.ndarray]:
    """Stationary autoregressive series x_t = phi x_{t-1} + sqrt(1 - phi^2) z_t, one independent process a column.

    Every value is a standard Gaussian; the integrated correlation time is (1 + phi)/(1 - phi) steps.

    Parameters
    ----------
    n_steps : int or sequence of int
        Rows of each run; a sequence gives runs of unequal length.
    n_columns : int
        Number of independent columns.
    phi : float or sequence of float
        Correlation of successive values, for all columns or for each.
    n_runs : int
        Number of independent runs, if `n_steps` is one number.
    random_state : int, Generator or None
        Seed.

    Returns
    -------
    list of ndarray of shape (n_steps, n_columns)
        One array a run: what ``Space`` takes as a list of runs.

    Examples
    --------
    >>> from infoscope.datasets import ar1
    >>> [run.shape for run in ar1([50, 30], n_columns=2, phi=0.95, random_state=0)]
    [(50, 2), (30, 2)]
    """
    from scipy.signal import lfilter

    lengths = [n_steps] * n_runs if isinstance(n_steps, int) else list(n_steps)
    phis = np.broadcast_to(np.asarray(phi, dtype=float), (n_columns,))
    if not (np.abs(phis) < 1).all():
        raise ParameterError(f"phi is {phi}: it must lie between -1 and 1 for the series to be stationary")
    rng = np.random.default_rng(random_state)
    runs = []
    for length in lengths:
        z = rng.normal(size=(length, n_columns))
        z[1:] *= np.sqrt(1 - phis**2)
        runs.append(np.stack([lfilter([1.0], [1.0, -p], column) for p, column in zip(phis, z.T, strict=True)], axis=1))
    return runs


def double_well(
    n_frames: int = 2000,
    *,
    coupling: float = 0.0,
    n_followers: int = 9,
    stride: int = 5,
    time_step: float = 0.005,
    n_runs: int = 1,
    random_state: int | np.random.Generator | None = None,
) -> list[np.ndarray]:
    """Langevin trajectories of a particle in a double well, with harmonic followers.

    The energy is ``3 (x^2 - 1)^2 + sum_a kappa_a/2 (y_a - coupling x)^2`` with kappa geometric from 0.3 to 10;
    temperature and friction are 1, the integrator is Euler-Maruyama.  Every run starts from an equilibrium draw, so
    runs are independent samples of one ensemble.  Without coupling the followers say nothing about x (the Information
    Imbalance is 1); with it, `double_well_sample` gives the independent rows to compare with.

    Parameters
    ----------
    n_frames : int
        Stored rows of each run.
    coupling : float
        How strongly the followers follow x.
    n_followers : int
        Number of followers y.
    stride : int
        Integration steps between stored rows.
    time_step : float
        Integration step.
    n_runs : int
        Number of runs.
    random_state : int, Generator or None
        Seed.

    Returns
    -------
    list of ndarray of shape (n_frames, 1 + n_followers)
        One array a run; x first.  Rows are ``stride * time_step`` apart.

    Examples
    --------
    >>> from infoscope.datasets import double_well
    >>> [run.shape for run in double_well(100, n_runs=2, random_state=0)]
    [(100, 10), (100, 10)]
    """
    if min(n_frames, stride, n_runs) < 1 or n_followers < 0 or not time_step > 0:
        raise ParameterError(
            "n_frames, stride and n_runs must be at least 1, n_followers at least 0, time_step positive"
        )
    rng = np.random.default_rng(random_state)
    stiffness = _stiffness(n_followers)
    frames_at_once = max(1, CHUNK_VALUES // (stride * (1 + n_followers)))
    runs = []
    for state in double_well_sample(n_runs, coupling=coupling, n_followers=n_followers, random_state=rng):
        frames = np.empty((n_frames, 1 + n_followers))
        for start in range(0, n_frames, frames_at_once):
            part = frames[start : start + frames_at_once]
            noise = rng.normal(size=(len(part) * stride, 1 + n_followers))
            _walk(state, noise, part, stride, time_step, coupling, stiffness)
        runs.append(frames)
    return runs


def double_well_sample(
    n: int, *, coupling: float = 0.0, n_followers: int = 9, random_state: int | np.random.Generator | None = None
) -> np.ndarray:
    """Independent equilibrium draws of the system of `double_well`.

    Parameters
    ----------
    n : int
        Number of rows.
    coupling, n_followers
        As in `double_well`.
    random_state : int, Generator or None
        Seed.

    Returns
    -------
    ndarray of shape (n, 1 + n_followers)
        x first.

    Examples
    --------
    >>> from infoscope.datasets import double_well_sample
    >>> double_well_sample(5, random_state=0).shape
    (5, 10)
    """
    rng = np.random.default_rng(random_state)
    density = np.exp(-BARRIER * (GRID**2 - 1) ** 2)  # of x alone: the followers integrate to a constant
    cumulative = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)])
    x = np.interp(rng.uniform(size=n), cumulative / cumulative[-1], GRID)
    followers = coupling * x[:, None] + rng.normal(size=(n, n_followers)) / np.sqrt(_stiffness(n_followers))
    return np.column_stack([x, followers])


def _stiffness(n_followers: int) -> np.ndarray:
    return np.geomspace(0.3, 10.0, n_followers) if n_followers > 1 else np.full(n_followers, 0.3)


@kernel
def _walk(state, noise, frames, stride, time_step, coupling, stiffness):
    """Euler-Maruyama: r += f dt/gamma + sqrt(2 dt/gamma) g, at temperature 1; `state` is carried on."""
    kick = math.sqrt(2 * time_step / FRICTION)
    step = 0
    for frame in range(len(frames)):
        for _ in range(stride):
            x = state[0]
            force = -4 * BARRIER * x * (x * x - 1)
            for a in range(len(stiffness)):
                pull = stiffness[a] * (state[1 + a] - coupling * x)
                force += coupling * pull
                state[1 + a] += -pull * time_step / FRICTION + kick * noise[step, 1 + a]
            state[0] = x + force * time_step / FRICTION + kick * noise[step, 0]
            step += 1
        for a in range(len(state)):
            frames[frame, a] = state[a]
