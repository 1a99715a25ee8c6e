"""Stochastic processes with known laws: Markov chains, linear Langevin dynamics, and wells of Gaussians."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from infoscope.base import kernel
from infoscope.base.errors import ParameterError

CHUNK_VALUES = 2**20  # random numbers drawn at once


def markov_chain(
    n_steps: int, P: Any, *, n_runs: int = 1, random_state: int | np.random.Generator | None = None
) -> list[np.ndarray]:
    """States of a stationary Markov chain.

    Parameters
    ----------
    n_steps : int
        Steps of each run.
    P : array (m, m)
        Probabilities of the next state (column) in every state (row).
    n_runs : int
        Number of independent runs, each of which starts from the stationary law.
    random_state : int, Generator or None
        Seed.

    Returns
    -------
    list of ndarray of int, shape (n_steps,)
        One array a run.

    Examples
    --------
    >>> from infoscope.datasets import markov_chain
    >>> markov_chain(6, [[0.1, 0.9], [0.9, 0.1]], random_state=1)
    [array([1, 1, 0, 1, 0, 1])]
    """
    P = np.asarray(P, float)
    if P.ndim != 2 or P.shape[0] != P.shape[1] or P.min() < 0 or np.abs(P.sum(1) - 1).max() > 1e-9:
        raise ParameterError("P is no matrix of probabilities: square, not negative, rows that add up to 1")
    if min(n_steps, n_runs) < 1:
        raise ParameterError("n_steps and n_runs must be at least 1")
    rng = np.random.default_rng(random_state)
    m = len(P)
    pi = np.linalg.lstsq(np.vstack([P.T - np.eye(m), np.ones(m)]), np.append(np.zeros(m), 1), rcond=None)[0]
    starts = np.searchsorted(np.cumsum(np.maximum(pi, 0)), rng.uniform(size=n_runs) * np.maximum(pi, 0).sum())
    sums = np.cumsum(P, axis=1)
    runs = []
    for start in starts.tolist():
        states = np.empty(n_steps, np.int64)
        _walk_chain(min(start, m - 1), sums, rng.uniform(size=n_steps), states)
        runs.append(states)
    return runs


def ornstein_uhlenbeck(
    n_frames: int,
    S: Any,
    *,
    gamma: float | Sequence[float] = 1.0,
    kT: float = 1.0,
    time_step: float = 0.01,
    n_runs: int = 1,
    start: Any = None,
    random_state: int | np.random.Generator | None = None,
) -> list[np.ndarray]:
    """Overdamped motion in the well ``U = x^T S^{-1} x / 2``, sampled from its exact law, without an integration error.

    Parameters
    ----------
    n_frames : int
        Rows of each run, `time_step` apart; the first is the start.
    S : array (D, D)
        Shape of the well; the covariance in equilibrium is kT S.
    gamma : float or sequence of float
        Friction of every coordinate.
    kT : float
        Temperature.
    time_step : float
        Time between rows.
    n_runs : int
        Number of independent runs, each of which starts in equilibrium.
    start : array (n_runs, D), optional
        Where they start instead.
    random_state : int, Generator or None
        Seed.

    Returns
    -------
    list of ndarray of shape (n_frames, D)
        One array a run.

    Examples
    --------
    >>> from infoscope.datasets import ornstein_uhlenbeck
    >>> [run.shape for run in ornstein_uhlenbeck(50, [[1, 0.6], [0.6, 1]], n_runs=2, random_state=0)]
    [(50, 2), (50, 2)]
    """
    from scipy.linalg import expm

    S = np.asarray(S, float)
    if S.ndim != 2 or S.shape[0] != S.shape[1] or not np.allclose(S, S.T) or np.linalg.eigvalsh(S).min() <= 0:
        raise ParameterError("S is no covariance: it must be square, symmetric and positive")
    friction = np.broadcast_to(np.asarray(gamma, float), (len(S),))
    if min(n_frames, n_runs) < 1 or not (friction > 0).all() or not kT > 0 or not time_step > 0:
        raise ParameterError("n_frames and n_runs must be at least 1; gamma, kT and time_step positive")
    rng = np.random.default_rng(random_state)
    E = expm(-np.linalg.inv(S) / friction[:, None] * time_step)
    kick = _root(kT * (S - E @ S @ E.T))
    state = rng.normal(size=(n_runs, len(S))) @ _root(kT * S).T if start is None else _starts(start, n_runs, len(S))
    frames = np.empty((n_frames, n_runs, len(S)))
    frames[0] = state
    at_once = max(1, CHUNK_VALUES // state.size)
    for first in range(1, n_frames, at_once):
        noise = rng.normal(size=(min(at_once, n_frames - first), *state.shape)) @ kick.T
        for t, kicks in enumerate(noise, start=first):
            frames[t] = frames[t - 1] @ E.T + kicks
    return [np.ascontiguousarray(frames[:, run]) for run in range(n_runs)]


def langevin_wells(
    n_frames: int,
    centres: Any,
    *,
    weights: Sequence[float] | None = None,
    gamma: float | Sequence[float] = 1.0,
    kT: float = 1.0,
    time_step: float = 0.01,
    stride: int = 1,
    n_runs: int = 1,
    start: Any = None,
    random_state: int | np.random.Generator | None = None,
) -> list[np.ndarray]:
    """Langevin trajectories between wells: ``U = -kT log p`` with a mixture p of unit Gaussians as law.

    Parameters
    ----------
    n_frames : int
        Rows of each run; the first is the start.
    centres : array (W, D)
        Of the wells.
    weights : sequence of float, optional
        Of the wells; equal by default.
    gamma : float or sequence of float
        Friction of every coordinate.
    kT : float
        Temperature; it sets the pace alone.
    time_step : float
        Step of the Euler-Maruyama integration.
    stride : int
        Steps between rows.
    n_runs : int
        Number of independent runs, each of which starts in equilibrium.
    start : array (n_runs, D), optional
        Where they start instead, for example after an intervention.
    random_state : int, Generator or None
        Seed.

    Returns
    -------
    list of ndarray of shape (n_frames, D)
        One array a run, rows ``stride * time_step`` apart.

    Examples
    --------
    >>> from infoscope.datasets import langevin_wells
    >>> [run.shape for run in langevin_wells(50, [(0, 0), (5, 5), (12, 0)], n_runs=2, random_state=0)]
    [(50, 2), (50, 2)]
    """
    centres = np.atleast_2d(np.asarray(centres, float))
    wells, d = centres.shape
    share = np.full(wells, 1 / wells) if weights is None else np.asarray(weights, float)
    friction = np.broadcast_to(np.asarray(gamma, float), (d,)).copy()
    if share.shape != (wells,) or not (share > 0).all():
        raise ParameterError(f"weights is {weights!r}: give a positive one for each of the {wells} wells")
    if min(n_frames, n_runs, stride) < 1 or not (friction > 0).all() or not kT > 0 or not time_step > 0:
        raise ParameterError("n_frames, stride and n_runs must be at least 1; gamma, kT and time_step positive")
    rng = np.random.default_rng(random_state)
    if start is None:
        state = centres[rng.choice(wells, n_runs, p=share / share.sum())] + rng.normal(size=(n_runs, d))
    else:
        state = _starts(start, n_runs, d)
    at_once = max(1, CHUNK_VALUES // (stride * d))
    runs = []
    for run in range(n_runs):
        frames, here = np.empty((n_frames, d)), state[run].copy()
        frames[0] = here
        for first in range(1, n_frames, at_once):
            part = frames[first : first + at_once]
            noise = rng.normal(size=(len(part) * stride, d))
            _walk_wells(here, noise, part, stride, time_step, kT, friction, centres, share)
        runs.append(frames)
    return runs


def _starts(start: Any, n_runs: int, d: int) -> np.ndarray:
    state = np.array(start, float)
    if state.shape != (n_runs, d):
        raise ParameterError(f"start has shape {state.shape}: one row of {d} coordinates for each of {n_runs} runs")
    return state


def _root(covariance: np.ndarray) -> np.ndarray:
    """A root of a covariance that may be singular to rounding."""
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    return vectors * np.sqrt(np.maximum(values, 0))


@kernel
def _walk_chain(state, sums, uniform, states):
    for t in range(len(states)):
        states[t] = state
        following = 0
        while following < len(sums) - 1 and uniform[t] >= sums[state, following]:
            following += 1
        state = following


@kernel
def _walk_wells(state, noise, frames, stride, time_step, kT, friction, centres, share):
    """Euler-Maruyama: r += kT grad log p dt/gamma + sqrt(2 kT dt/gamma) g; `state` is carried on."""
    wells, d = centres.shape
    weight, pull = np.empty(wells), np.empty(d)
    step = 0
    for frame in range(len(frames)):
        for _ in range(stride):
            nearest = np.inf
            for w in range(wells):
                away = 0.0
                for a in range(d):
                    away += (state[a] - centres[w, a]) ** 2
                weight[w] = away
                nearest = min(nearest, away)
            total = 0.0
            pull[:] = 0.0
            for w in range(wells):
                weight[w] = share[w] * math.exp((nearest - weight[w]) / 2)
                total += weight[w]
                for a in range(d):
                    pull[a] += weight[w] * (centres[w, a] - state[a])
            for a in range(d):
                state[a] += kT * pull[a] / total * time_step / friction[a]
                state[a] += math.sqrt(2 * kT * time_step / friction[a]) * noise[step, a]
            step += 1
        frames[frame] = state
