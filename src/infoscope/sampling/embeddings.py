"""How a configuration becomes variables z and the rest y, so that y can be steered while z moves.

An embedding offers ``split`` and ``join``, ``evaluate`` (the potential Phi(z, y) that steers y) and ``steer``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from infoscope.base import ParameterError

from .engine_paths import steer_by_engine
from .interfaces import CollectiveVariables, Potential
from .paths import PathEnd, PathPoint, steer
from .variables import LinearVariables, SubsetVariables, short_way

Generators = Sequence[np.random.Generator]


class SubsetEmbedding:
    """x = (z, y) for variables that are coordinates, or linear maps of them; Phi(z, y) = V(x).

    For linear maps z = A x, y are coordinates along an orthonormal basis of what A does not see.

    Parameters
    ----------
    target : Potential
    variables : SubsetVariables or LinearVariables

    Attributes
    ----------
    n_auxiliary : int
        Length of y.
    kappa : None
        No restraint.

    Raises
    ------
    ParameterError
        Variables of another kind, of all coordinates, or of another number of them.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.sampling import SubsetEmbedding, SubsetVariables, Target
    >>> spring = Target(lambda x: (x**2).sum(1), lambda x: 2 * x, n_coordinates=3)
    >>> split = SubsetEmbedding(spring, SubsetVariables([1], n_coordinates=3))
    >>> split.split(np.array([[1.0, 2.0, 3.0]]))
    (array([[2.]]), array([[1., 3.]]))
    """

    kappa: None = None

    def __init__(self, target: Potential, variables: SubsetVariables | LinearVariables) -> None:
        if not isinstance(variables, (SubsetVariables, LinearVariables)):
            raise ParameterError(
                "the subset embedding needs variables that are coordinates or linear maps of them: use "
                "SubsetVariables or LinearVariables, or the soft embedding for any function"
            )
        if variables.n_coordinates != target.n_coordinates:
            raise ParameterError(
                f"the variables are of {variables.n_coordinates} coordinates, and the target has {target.n_coordinates}"
            )
        self.target, self.variables, self.period = target, variables, variables.period
        self.n_auxiliary = target.n_coordinates - len(variables.names)
        if self.n_auxiliary < 1:
            raise ParameterError("the variables are all there is: nothing is left to relax along a path")
        self._basis: _Coordinates | _LinearBasis = (
            _Coordinates(variables) if isinstance(variables, SubsetVariables) else _LinearBasis(variables.matrix)
        )

    def split(self, x: np.ndarray, generators: Generators | None = None) -> tuple[np.ndarray, np.ndarray]:
        """z (n, m) and y (n, D - m) of configurations; nothing is drawn."""
        return self.variables.values(x), self._basis.rest(x)

    def join(self, z: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Configurations (n, D)."""
        return self._basis.join(z, y)

    def evaluate(self, z: np.ndarray, y: np.ndarray) -> PathPoint:
        """Phi and its gradient along y, and the potential and its gradient along x."""
        energy, gradient = self.target.energy_and_gradient(self.join(z, y))
        return PathPoint(energy, self._basis.rest(gradient), energy, gradient)

    def start(self, x: np.ndarray, z: np.ndarray, energy: np.ndarray, gradient: np.ndarray) -> PathPoint:
        """The same at configurations whose potential is known: no gradient is computed."""
        return PathPoint(energy, self._basis.rest(gradient), energy, gradient)

    def steer(self, z: np.ndarray, displacement: np.ndarray, y: np.ndarray, **options: Any) -> PathEnd:
        """Paths along z, by `paths.steer`."""
        return steer(self, z, displacement, y, **options)


class SoftEmbedding:
    """y = x, held near z by a spring: ``Phi(z, x) = V(x) + (kappa / 2) |xi(x) - z|^2``.

    The marginal of x is the target whatever kappa is.  A periodic variable (period P, a = 2 pi / P) is held by
    (kappa / a^2) (1 - cos a (xi - z)).

    Parameters
    ----------
    target : Potential
    variables : CollectiveVariables
    kappa : float or array (m,)
        Strength, in 1 / (unit of the variable)^2: z lies within 1 / sqrt(kappa) of xi(x).

    Attributes
    ----------
    n_auxiliary : int
        Length of y, which is D.

    Raises
    ------
    ParameterError
        Strengths that are not positive, or of another number.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.sampling import SoftEmbedding, SubsetVariables, Target
    >>> spring = Target(lambda x: (x**2).sum(1), lambda x: 2 * x, n_coordinates=3)
    >>> soft = SoftEmbedding(spring, SubsetVariables([1], n_coordinates=3), kappa=8.0)
    >>> soft.evaluate(np.array([[2.5]]), np.array([[1.0, 2.0, 3.0]])).energy           # 14 + 4 (1/2)^2
    array([15.])
    """

    def __init__(self, target: Potential, variables: CollectiveVariables, *, kappa: Any) -> None:
        self.target, self.variables, self.period = target, variables, variables.period
        strengths = np.asarray(kappa, np.float64)
        m = len(variables.names)
        if strengths.shape not in ((), (1,), (m,)) or not (np.isfinite(strengths) & (strengths > 0)).all():
            raise ParameterError(f"kappa is {kappa!r}: give a positive number, or one for each of the {m} variables")
        self.kappa = np.broadcast_to(strengths, (m,)).copy()
        self.n_auxiliary = target.n_coordinates

    def split(self, x: np.ndarray, generators: Generators) -> tuple[np.ndarray, np.ndarray]:
        """z (n, m) drawn from its law given x, with the generator of every chain, and y = x."""
        return refresh(self.variables.values(x), self.kappa, self.period, generators), x

    def join(self, z: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Configurations (n, D), which are y."""
        return y

    def evaluate(self, z: np.ndarray, y: np.ndarray) -> PathPoint:
        """Phi and its gradient along y, and the potential and its gradient along x."""
        return self.start(y, z, *self.target.energy_and_gradient(y))

    def start(self, x: np.ndarray, z: np.ndarray, energy: np.ndarray, gradient: np.ndarray) -> PathPoint:
        """The same at configurations whose potential is known: only the variables are evaluated."""
        spring, pull = restraint(self.variables.values(x) - z, self.kappa, self.period)
        return PathPoint(energy + spring, gradient + self.variables.pull_back(x, pull), energy, gradient)

    def steer(self, z: np.ndarray, displacement: np.ndarray, y: np.ndarray, **options: Any) -> PathEnd:
        """Paths along z, by `paths.steer`; of a target with constraints by its own engine."""
        if getattr(self.target, "constrained", False):
            return steer_by_engine(self, z, displacement, y, **options)
        return steer(self, z, displacement, y, **options)


def restraint(difference: np.ndarray, kappa: np.ndarray, period: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Energy (n,) of the springs between xi and z, and its derivatives (n, m) in xi.

    Parameters
    ----------
    difference : ndarray, shape (n, m)
        xi - z.
    kappa, period : ndarray, shape (m,)
        A period of 0 is none.

    Returns
    -------
    energy, derivatives : ndarray

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.sampling.embeddings import restraint
    >>> restraint(np.array([[0.5, 4.0]]), np.array([2.0, 1.0]), np.array([0.0, 4.0]))[0]    # one whole period away: 0
    array([0.25])
    """
    periodic = period > 0
    if not periodic.any():
        pull = kappa * difference
        return 0.5 * (pull * difference).sum(1), pull
    a = 2 * np.pi / np.where(periodic, period, 1.0)
    # 1 - cos t = 2 sin^2(t/2), which keeps its figures near 0
    energy = np.where(periodic, 2 * kappa / a**2 * np.sin(a * difference / 2) ** 2, kappa / 2 * difference**2).sum(1)
    return energy, np.where(periodic, kappa / a * np.sin(a * difference), kappa * difference)


def refresh(xi: np.ndarray, kappa: np.ndarray, period: np.ndarray, generators: Generators) -> np.ndarray:
    """z drawn from exp(-restraint) around xi: normal, or von Mises where periodic.

    Parameters
    ----------
    xi : ndarray, shape (n, m)
    kappa, period : ndarray, shape (m,)
    generators : sequence of n Generators

    Returns
    -------
    ndarray, shape (n, m)
        Periodic ones in [xi - P/2, xi + P/2].

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.sampling.embeddings import refresh
    >>> generators = [np.random.default_rng(seed) for seed in range(1000)]
    >>> z = refresh(np.zeros((1000, 1)), np.array([25.0]), np.array([0.0]), generators)
    >>> bool(0.18 < z.std() < 0.22)                                                     # 1 / sqrt(kappa) = 0.2
    True
    """
    z = np.empty_like(xi)
    plain, periodic = np.flatnonzero(period == 0), np.flatnonzero(period > 0)
    a = 2 * np.pi / period[periodic]
    for row, rng in enumerate(generators):
        z[row, plain] = xi[row, plain] + rng.standard_normal(len(plain)) / np.sqrt(kappa[plain])
        if len(periodic):
            z[row, periodic] = xi[row, periodic] + rng.vonmises(0.0, kappa[periodic] / a**2) / a
    return z


def displacement(z: np.ndarray, z_new: np.ndarray, period: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The way from z to z_new, the short one for periodic variables, and whether it is ambiguous (half a period).

    Parameters
    ----------
    z, z_new : ndarray, shape (n, m)
    period : ndarray, shape (m,)
        A period of 0 is none.

    Returns
    -------
    way : ndarray, shape (n, m)
    ambiguous : ndarray of bool, shape (n,)

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.sampling.embeddings import displacement
    >>> displacement(np.array([[0.25], [0.0]]), np.array([[3.75], [2.0]]), np.array([4.0]))
    (array([[-0.5],
           [ 2. ]]), array([False,  True]))
    """
    way = short_way(z_new - z, period)
    # within rounding of half a period the way back could be the other one
    return way, ((period > 0) & (np.abs(np.abs(way) - period / 2) <= 1e-12 * period)).any(1)


# ---------------------------------------------------------------------------------------------------------- coordinates
class _Coordinates:
    """The coordinates that are variables, and those that are left."""

    def __init__(self, variables: SubsetVariables) -> None:
        self.n_coordinates, self.indices = variables.n_coordinates, variables.indices
        self.left = np.setdiff1d(np.arange(self.n_coordinates), self.indices)

    def rest(self, x: np.ndarray) -> np.ndarray:
        return np.take(x, self.left, axis=1)

    def join(self, z: np.ndarray, y: np.ndarray) -> np.ndarray:
        x = np.empty((len(z), self.n_coordinates))
        x[:, self.indices], x[:, self.left] = z, y
        return x


class _LinearBasis:
    """x = A^+ z + B y, with orthonormal columns B that A does not see: the volume of (z, y) is constant."""

    def __init__(self, matrix: np.ndarray) -> None:
        q, r = np.linalg.qr(matrix.T, mode="complete")
        m = len(matrix)
        self.of_z, self.of_y = np.linalg.solve(r[:m], q[:, :m].T), q[:, m:]  # x = Q1 R^-T z + Q2 y

    def rest(self, x: np.ndarray) -> np.ndarray:
        return np.einsum("nd,dk->nk", x, self.of_y)

    def join(self, z: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.einsum("nm,md->nd", z, self.of_z) + np.einsum("nk,dk->nd", y, self.of_y)
