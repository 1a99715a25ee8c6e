"""Coupled chaotic systems in continuous time: who drives whom is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from infoscope.base import kernel
from infoscope.base.errors import ParameterError

ROSSLER, LORENZ, LORENZ_96 = 0, 1, 2
START = np.array([11.120979, 17.496796, 51.023544])  # of the first Rossler system
SUBSTEPS = 8  # of a Rossler step


def coupled_rossler(
    n_samples: int = 5000,
    *,
    coupling: float | Sequence[Sequence[float]] = 0.07,
    frequencies: Sequence[float] = (1.015, 0.985),
    stride: int = 4,
    n_discarded: int = 5000,
    random_state: int | np.random.Generator | None = None,
) -> np.ndarray:
    """Rossler oscillators, some of which drive others through their first variable.

    ``x1' = -w x2 - x3 + sum_p C_p (p1 - x1)``, ``x2' = w x1 + 0.15 x2``, ``x3' = 0.2 + x3 (x1 - 10)``; steps of 0.0785,
    each of eight fourth-order Runge-Kutta steps.

    Parameters
    ----------
    n_samples : int
        Rows that are kept.
    coupling : float or array (S, S)
        How strongly the first system drives the second; or from every system (row) to every other (column).
    frequencies : sequence of float
        w of the S systems.
    stride : int
        Steps between rows.
    n_discarded : int
        Rows before the first that is kept.
    random_state : int, Generator or None
        Where the systems start.

    Returns
    -------
    ndarray of shape (n_samples, 3 S)
        Three columns a system.

    References
    ----------
    Del Tatto, Fortunato, Bueti, Laio (2024), PNAS 121, e2317256121: this pair of systems.

    Examples
    --------
    >>> from infoscope.datasets import coupled_rossler
    >>> coupled_rossler(10, n_discarded=100, random_state=0).shape
    (10, 6)
    """
    rates = np.asarray(frequencies, float)
    matrix = _couplings(coupling, len(rates))
    starts = START * (0.5 + np.random.default_rng(random_state).uniform(size=(len(rates), 1)))
    starts[0] = START
    return _frames(ROSSLER, starts.ravel(), matrix, rates, 0.0785 / SUBSTEPS, SUBSTEPS * stride, n_samples, n_discarded)


def coupled_lorenz(
    n_samples: int = 5000,
    *,
    coupling: tuple[float, float] = (0.1, 0.0),
    stride: int = 5,
    n_discarded: int = 1000,
    random_state: int | np.random.Generator | None = None,
) -> np.ndarray:
    """Two Lorenz systems that drive each other through the squares of their second variables.

    sigma = 10, rho = 28, beta = 8/3; ``y2' += c_xy x2^2`` and ``x2' += c_yx y2^2``; Runge-Kutta steps of 0.01.

    Parameters
    ----------
    n_samples : int
        Rows that are kept.
    coupling : (float, float)
        From the first to the second system, and back.
    stride : int
        Steps between rows.
    n_discarded : int
        Rows before the first that is kept.
    random_state : int, Generator or None
        Where the systems start.

    Returns
    -------
    ndarray of shape (n_samples, 6)
        Three columns a system.

    Examples
    --------
    >>> from infoscope.datasets import coupled_lorenz
    >>> coupled_lorenz(10, n_discarded=100, random_state=0).shape
    (10, 6)
    """
    matrix = np.zeros((2, 2))
    matrix[0, 1], matrix[1, 0] = coupling
    starts = np.random.default_rng(random_state).normal(size=6) + np.tile([0.0, 0.0, 25.0], 2)
    return _frames(LORENZ, starts, matrix, np.zeros(2), 0.01, stride, n_samples, n_discarded)


def coupled_lorenz96(
    n_samples: int = 5000,
    n_sites: int = 40,
    *,
    forcings: Sequence[float] = (5.0, 6.0),
    coupling: float | Sequence[Sequence[float]] = 1.0,
    stride: int = 2,
    n_discarded: int = 2000,
    random_state: int | np.random.Generator | None = None,
) -> np.ndarray:
    """Rings of Lorenz's 1996 model of the weather, some of which drive others site by site.

    ``x_i' = (x_(i+1) - x_(i-2)) x_(i-1) - x_i + F + sum_p C_p p_i``; Runge-Kutta steps of 0.03.

    Parameters
    ----------
    n_samples : int
        Rows that are kept.
    n_sites : int
        Sites of every ring.
    forcings : sequence of float
        F of the S rings.
    coupling : float or array (S, S)
        How strongly the first ring drives the second; or from every ring (row) to every other (column).
    stride : int
        Steps between rows.
    n_discarded : int
        Rows before the first that is kept.
    random_state : int, Generator or None
        Where the rings start.

    Returns
    -------
    ndarray of shape (n_samples, n_sites * S)
        Ring by ring.

    Examples
    --------
    >>> from infoscope.datasets import coupled_lorenz96
    >>> coupled_lorenz96(10, 6, n_discarded=100, random_state=0).shape
    (10, 12)
    """
    rates = np.asarray(forcings, float)
    if n_sites < 4:
        raise ParameterError(f"n_sites is {n_sites}: a ring has at least 4")
    matrix = _couplings(coupling, len(rates))
    noise = np.random.default_rng(random_state).normal(size=(len(rates), n_sites))
    return _frames(LORENZ_96, (rates[:, None] + noise).ravel(), matrix, rates, 0.03, stride, n_samples, n_discarded)


def _couplings(coupling: float | Sequence[Sequence[float]], n: int) -> np.ndarray:
    """(S, S) from row to column."""
    given = np.asarray(coupling, float)
    if given.ndim == 0 and n >= 2:
        matrix = np.zeros((n, n))
        matrix[0, 1] = given
        return matrix
    if given.shape != (n, n) or not np.isfinite(given).all():
        raise ParameterError(
            f"coupling has shape {given.shape} for {n} systems: give one number, or ({n}, {n}) of them"
        )
    return given


def _frames(
    kind: int,
    state: np.ndarray,
    coupling: np.ndarray,
    rates: np.ndarray,
    step: float,
    stride: int,
    n_samples: int,
    n_discarded: int,
) -> np.ndarray:
    if min(n_samples, stride) < 1 or n_discarded < 0:
        raise ParameterError("n_samples and stride must be at least 1, n_discarded at least 0")
    frames, state = np.empty((n_samples, len(state))), np.array(state)
    _integrate(kind, state, coupling, rates, step, stride, n_discarded, frames)
    if not np.isfinite(frames).all():
        raise ParameterError("the systems ran away to infinity: take weaker couplings")
    return frames


@kernel
def _integrate(kind, state, coupling, rates, step, stride, discarded, frames):
    """Classical Runge-Kutta steps; every stride-th state is a frame."""
    n = len(state)
    k1, k2, k3, k4, at = np.empty(n), np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    for frame in range(-discarded, len(frames)):
        for _ in range(stride):
            _slope(kind, state, coupling, rates, k1)
            at[:] = state + step / 2 * k1
            _slope(kind, at, coupling, rates, k2)
            at[:] = state + step / 2 * k2
            _slope(kind, at, coupling, rates, k3)
            at[:] = state + step * k3
            _slope(kind, at, coupling, rates, k4)
            state += step / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        if frame >= 0:
            frames[frame] = state


@kernel
def _slope(kind, x, coupling, rates, out):
    """Time derivative of all variables; who drives is in the rows of `coupling`."""
    systems = len(coupling)
    size = len(x) // systems
    for s in range(systems):
        o = s * size
        if kind == ROSSLER:
            out[o] = -rates[s] * x[o + 1] - x[o + 2]
            out[o + 1] = rates[s] * x[o] + 0.15 * x[o + 1]
            out[o + 2] = 0.2 + x[o + 2] * (x[o] - 10)
        elif kind == LORENZ:
            out[o] = 10 * (x[o + 1] - x[o])
            out[o + 1] = x[o] * (28 - x[o + 2]) - x[o + 1]
            out[o + 2] = x[o] * x[o + 1] - 8 / 3 * x[o + 2]
        else:
            for i in range(size):
                out[o + i] = (
                    (x[o + (i + 1) % size] - x[o + (i - 2) % size]) * x[o + (i - 1) % size] - x[o + i] + rates[s]
                )
        for p in range(systems):
            c = coupling[p, s]
            if c == 0:
                continue
            if kind == ROSSLER:
                out[o] += c * (x[p * size] - x[o])
            elif kind == LORENZ:
                out[o + 1] += c * x[p * size + 1] ** 2
            else:
                for i in range(size):
                    out[o + i] += c * x[p * size + i]
