"""Paths of a target with constraints: only its own engine keeps them, and knows the momenta that lead back."""

from __future__ import annotations

from typing import Any

import numpy as np

from infoscope.base import ParameterError

from .path_noise import PathNoise
from .paths import PathEnd


def steer_by_engine(
    embedding: Any,
    z: np.ndarray,
    displacement: np.ndarray,
    y: np.ndarray,
    *,
    n_steps: np.ndarray,
    step: Any,
    path: str,
    schedule: str,
    friction: Any,
    masses: Any,
    noise: PathNoise,
    start: Any = None,
    mirror: PathNoise | None = None,
) -> PathEnd:
    """`paths.steer` in the soft embedding of a target whose ``constrained`` is true; `start` is not needed.

    A gradient in all coordinates knows nothing of constraints, so that no other kernel would move along them.

    Raises
    ------
    ParameterError
        For any path but "underdamped" without friction, and variables that the engine does not know.
    """
    target = embedding.target
    if path != "underdamped" or np.any(friction) or np.ndim(step):
        raise ParameterError(
            "a target with constraints is dragged by its own engine alone: path='underdamped', without friction, with "
            "one step for all"
        )
    rows = np.flatnonzero(n_steps)
    weights = np.array(np.broadcast_to(target.masses if masses is None else masses, y.shape[1:]), np.float64)
    found = target.drag(
        embedding.variables, y[rows], z[rows], displacement[rows], noise.normals[noise.first[rows]] * np.sqrt(weights),
        kappa=embedding.kappa, n_steps=n_steps[rows], step=float(step), masses=weights, schedule=schedule,
        return_momenta=True,
    )  # fmt: skip
    if found is None:
        raise ParameterError(
            "a target with constraints needs variables that its engine knows: torsions, angles, distances, forces of "
            "OpenMM"
        )
    ends, works, momenta = found
    if mirror is not None:
        mirror.normals[mirror.first[rows]] = -momenta / np.sqrt(weights)
    lost = ~(np.isfinite(works) & np.isfinite(ends).all(1))
    end, log_acceptance, is_nan = y.copy(), np.full(len(y), -np.inf), np.zeros(len(y), bool)
    end[rows] = np.where(lost[:, None], y[rows], ends)
    log_acceptance[rows], is_nan[rows] = np.where(lost, -np.inf, -works), lost
    return PathEnd(end, log_acceptance, np.where(n_steps > 0, n_steps + 1, 0), is_nan, np.zeros(len(y), bool))
