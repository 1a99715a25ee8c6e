"""A double well whose free energy is known exactly, with oscillators that hang on its variable."""

from __future__ import annotations

import numpy as np

from infoscope.base import ParameterError
from infoscope.base.array_types import ArrayLike, Floats
from infoscope.base.checks import RandomState, check_random_state

from .kinds import QUADRATURE
from .law_kernels import QuadratureTerms
from .system import BuiltInSystem, check_basin

BASINS = ("z < 0", "z > 0")
RANGE = 4.0  # |z| beyond which exp(-F) is below 1e-190
GRID = 20_001


class QuadratureSystem(BuiltInSystem):
    """V = 2 (z^2 - 1)^2 + 0.3 z + sum_j k_j exp(0.3 z) (y_j - s_j sin 2z)^2 / 2, coordinates (z, y_1, ..., y_n).

    The variable is z.  The oscillators are integrated out by hand: F(z) = 2 (z^2 - 1)^2 + 0.3 z + 0.15 n z, exactly, so
    that populations and means are one-dimensional integrals.

    Parameters
    ----------
    stiffness : array (n,), optional
        k; four from 1 to 8 by default.
    shift : float or array (n,)
        s.
    n_jobs : int, optional
        Threads, as in `available_threads`.

    Raises
    ------
    ParameterError
        A stiffness that is not positive, shifts of another number.

    Examples
    --------
    >>> from infoscope.sampling.systems import QuadratureSystem
    >>> system = QuadratureSystem()
    >>> system.populations([0.0]).round(4), round(system.mean(), 4)
    (array([0.8261, 0.1739]), -0.6499)
    """

    kind = QUADRATURE
    gradient_seconds = 1e-7

    def __init__(
        self, stiffness: ArrayLike | None = None, *, shift: ArrayLike = 1.0, n_jobs: int | None = None
    ) -> None:
        given = np.geomspace(1.0, 8.0, 4) if stiffness is None else stiffness
        self.stiffness = np.atleast_1d(np.asarray(given, np.float64))
        if self.stiffness.ndim != 1 or not (self.stiffness > 0).all():
            raise ParameterError("stiffness is a row of positive numbers")
        shifts = np.asarray(shift, np.float64)
        if shifts.ndim > 0 and shifts.shape != self.stiffness.shape:
            raise ParameterError(f"shift has shape {shifts.shape}: one number, or one for each stiffness")
        self.shift = np.ascontiguousarray(np.broadcast_to(shifts, self.stiffness.shape))
        self.n_coordinates, self.n_jobs = 1 + len(self.stiffness), n_jobs

    def __repr__(self) -> str:
        return f"QuadratureSystem({len(self.stiffness)} oscillators)"

    def _terms(self) -> QuadratureTerms:
        return QuadratureTerms(self.stiffness, self.shift)

    def free_energy(self, z: ArrayLike) -> Floats:
        """F(z) up to a constant, exactly.

        Parameters
        ----------
        z : array
            Values of the variable.

        Returns
        -------
        array, shape of z
            In kT.
        """
        z = np.asarray(z, np.float64)
        return 2 * (z**2 - 1) ** 2 + (0.3 + 0.15 * len(self.stiffness)) * z

    def populations(self, edges: ArrayLike) -> Floats:
        """Probabilities of the intervals of z that rising edges make, the two open ones included.

        Parameters
        ----------
        edges : array (e,)
            Within -4 and 4.

        Returns
        -------
        array (e + 1,)
        """
        ends = [-RANGE, *np.asarray(edges, np.float64).tolist(), RANGE]
        masses = np.array([self._integral(lambda z: 1.0, a, b) for a, b in zip(ends[:-1], ends[1:], strict=True)])
        return masses / masses.sum()

    def mean(self) -> float:
        """Mean of z.

        Returns
        -------
        float
        """
        return self._integral(lambda z: z, -RANGE, RANGE) / self._integral(lambda z: 1.0, -RANGE, RANGE)

    def starts(self, n: int, *, basin: int | None = None, random_state: RandomState = None) -> Floats:
        """Independent draws of the law itself: z by inversion, then the oscillators.

        Parameters
        ----------
        n : int
        basin : {0, 1}, optional
            z < 0 or z > 0 for all draws; both in their shares by default.
        random_state : int, Generator or None

        Returns
        -------
        array (n, D)

        Raises
        ------
        ParameterError
            No such basin.
        """
        side, rng = check_basin(basin, BASINS), check_random_state(random_state)
        grid = np.linspace(-RANGE if side != 1 else 0.0, RANGE if side != 0 else 0.0, GRID)
        density = np.exp(-self.free_energy(grid))
        below = np.concatenate([[0.0], np.cumsum(density[1:] + density[:-1])])
        z = np.interp(rng.random(n) * below[-1], below, grid)
        width = 1 / np.sqrt(self.stiffness * np.exp(0.3 * z)[:, None])
        return np.column_stack([z, self.shift * np.sin(2 * z)[:, None] + width * rng.normal(size=width.shape)])

    def _integral(self, function: object, low: float, high: float) -> float:
        from scipy.integrate import quad

        def weighted(z: float) -> float:
            return float(function(z) * np.exp(-self.free_energy(z)))  # type: ignore[operator]

        return float(quad(weighted, low, high, points=[p for p in (-1.0, 0.0, 1.0) if low < p < high], limit=200)[0])
