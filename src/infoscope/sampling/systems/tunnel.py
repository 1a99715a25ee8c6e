"""Two modes far apart, and many coordinates whose means depend on where between them a chain is."""

from __future__ import annotations

from typing import Any

import numpy as np

from infoscope.base import ParameterError
from infoscope.base.array_types import ArrayLike, Floats
from infoscope.base.checks import RandomState, check_random_state

from .kinds import TUNNEL
from .law_kernels import TunnelTerms
from .system import BuiltInSystem, check_basin

BASINS = ("around 0", "around `distance`")


class GaussianTunnel(BuiltInSystem):
    """p(z) = w_0 N(0, 1) + w_1 N(d, 1), and y_j | z ~ N(a cos(pi z / d), sigma_j^2), coordinates (z, y_1, ..., y_n).

    The variable is the first coordinate.  Going from one mode to the other, all y must follow it.  The density is
    normalised: ``-energy`` is its logarithm.

    Parameters
    ----------
    sigma : array (n,), optional
        Widths of the others; 19 from 0.5 to 5 by default.
    distance : float
        d, between the modes.
    weights : (float, float)
        Of the modes; they sum to one.
    amplitude : float, optional
        a; d / 2 by default.
    n_jobs : int, optional
        Threads, as in `available_threads`.

    Raises
    ------
    ParameterError
        Widths, distance or weights that are not positive.

    References
    ----------
    Schönle, Gabrié, Lelièvre, Stoltz (2024), arXiv:2405.18160.

    Examples
    --------
    >>> from infoscope.sampling.systems import GaussianTunnel
    >>> tunnel = GaussianTunnel()
    >>> tunnel.n_coordinates, tunnel.populations([5.0]).round(4)
    (20, array([0.3, 0.7]))
    """

    kind = TUNNEL
    gradient_seconds = 2e-7

    def __init__(
        self,
        sigma: ArrayLike | None = None,
        *,
        distance: float = 10.0,
        weights: tuple[float, float] = (0.3, 0.7),
        amplitude: float | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.sigma = np.linspace(0.5, 5.0, 19) if sigma is None else np.atleast_1d(np.asarray(sigma, np.float64))
        self.distance, self.weights = float(distance), np.asarray(weights, np.float64)
        self.amplitude = self.distance / 2 if amplitude is None else float(amplitude)
        if not (self.sigma > 0).all() or not self.distance > 0:
            raise ParameterError("sigma and distance are positive")
        if self.weights.shape != (2,) or not (self.weights > 0).all() or abs(self.weights.sum() - 1) > 1e-9:
            raise ParameterError(f"weights is {weights!r}: two positive numbers that sum to one")
        self.centres = np.array([0.0, self.distance])
        self.n_coordinates, self.n_jobs = 1 + len(self.sigma), n_jobs

    def __repr__(self) -> str:
        return f"GaussianTunnel({len(self.sigma)} others, distance={self.distance:g}, weights={self.weights.tolist()})"

    def _terms(self) -> TunnelTerms:
        return TunnelTerms(np.log(self.weights), self.centres, self.sigma, self.amplitude, self.distance)

    def free_energy(self, z: ArrayLike) -> Floats:
        """-ln p(z), exactly.

        Parameters
        ----------
        z : array
            Values of the variable.

        Returns
        -------
        array, shape of z
            In kT.
        """
        from scipy.special import logsumexp

        away = np.asarray(z, np.float64)[..., None] - self.centres
        return np.asarray(np.log(2 * np.pi) / 2 - logsumexp(np.log(self.weights) - away**2 / 2, axis=-1))

    def populations(self, edges: ArrayLike) -> Floats:
        """Probabilities of the intervals of z that rising edges make, the two open ones included.

        Parameters
        ----------
        edges : array (e,)

        Returns
        -------
        array (e + 1,)
        """
        from scipy.special import ndtr

        below = ndtr(np.asarray(edges, np.float64)[:, None] - self.centres) @ self.weights
        return np.diff(np.concatenate([[0.0], below, [1.0]]))

    def starts(self, n: int, *, basin: int | None = None, random_state: RandomState = None) -> Floats:
        """Independent draws of the law itself.

        Parameters
        ----------
        n : int
        basin : {0, 1}, optional
            Mode of all draws; both in their shares by default.
        random_state : int, Generator or None

        Returns
        -------
        array (n, D)

        Raises
        ------
        ParameterError
            No such basin.
        """
        mode, rng = check_basin(basin, BASINS), check_random_state(random_state)
        modes: Any = rng.random(n) < self.weights[1] if mode is None else np.full(n, mode)
        z = self.centres[modes.astype(int)] + rng.normal(size=n)
        mean = self.amplitude * np.cos(np.pi * z / self.distance)
        return np.column_stack([z, mean[:, None] + self.sigma * rng.normal(size=(n, len(self.sigma)))])
