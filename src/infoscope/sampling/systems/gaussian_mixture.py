"""A mixture of normal laws in many coordinates, whose modes differ in the first few."""

from __future__ import annotations

import numpy as np

from infoscope.base import DataError, ParameterError
from infoscope.base.array_types import ArrayLike, Floats
from infoscope.base.checks import RandomState, check_positive_int, check_random_state

from .kinds import MIXTURE
from .law_kernels import MixtureTerms
from .system import BuiltInSystem, check_basin


class GaussianMixtureSystem(BuiltInSystem):
    """p(x) = sum_c w_c N(x; mu_c, Sigma_c), normalised: ``-energy`` is its logarithm.

    The variables are the first `n_variables` coordinates; their law is the mixture of the components' own marginals.

    Parameters
    ----------
    weights : array (C,)
        They sum to one.
    means : array (C, D)
    covariances : array (C, D, D)
    n_variables : int
        How many of the coordinates are variables.
    n_jobs : int, optional
        Threads, as in `available_threads`.

    Raises
    ------
    DataError
        Shapes that do not fit, a covariance that is not positive definite.
    ParameterError
        Weights that are not positive or do not sum to one.

    Examples
    --------
    >>> from infoscope.sampling.systems import GaussianMixtureSystem
    >>> system = GaussianMixtureSystem.separated(20, n_variables=4, weights=(0.25, 0.75), random_state=0)
    >>> system
    GaussianMixtureSystem(2 components in 20 coordinates, weights=[0.25, 0.75])
    >>> system.variables_law()[1].round(2)[:, :2]              # the modes are 8 apart in the four variables
    array([[0., 0.],
           [4., 4.]])
    """

    kind = MIXTURE

    def __init__(
        self,
        weights: ArrayLike,
        means: ArrayLike,
        covariances: ArrayLike,
        *,
        n_variables: int = 1,
        n_jobs: int | None = None,
    ) -> None:
        self.weights, self.means = np.asarray(weights, np.float64), np.ascontiguousarray(means, np.float64)
        self.covariances = np.ascontiguousarray(covariances, np.float64)
        n, d = self.means.shape if self.means.ndim == 2 else (0, 0)
        if self.weights.shape != (n,) or self.covariances.shape != (n, d, d):
            raise DataError(
                f"weights {self.weights.shape}, means {self.means.shape}, covariances {self.covariances.shape}: "
                "one weight, one row and one square matrix for each component"
            )
        if not (self.weights > 0).all() or abs(self.weights.sum() - 1) > 1e-9:
            raise ParameterError(f"weights is {self.weights.tolist()}: positive numbers that sum to one")
        try:
            self._factors = np.linalg.cholesky(self.covariances)
        except np.linalg.LinAlgError:
            raise DataError("a covariance is not positive definite") from None
        log_determinants = 2 * np.log(np.diagonal(self._factors, axis1=1, axis2=2)).sum(1)
        self._log_weights = np.log(self.weights) - (log_determinants + d * np.log(2 * np.pi)) / 2
        self._precisions = np.linalg.inv(self.covariances)
        self.n_variables = check_positive_int(n_variables, "n_variables", maximum=d)
        self.n_coordinates, self.n_jobs = d, n_jobs
        self.gradient_seconds = 1e-9 * n * d * d

    @classmethod
    def separated(
        cls,
        n_coordinates: int = 20,
        *,
        n_variables: int = 4,
        weights: ArrayLike = (0.25, 0.75),
        separation: float = 8.0,
        other_separation: float = 3.0,
        condition: float = 10.0,
        random_state: RandomState = None,
        n_jobs: int | None = None,
    ) -> GaussianMixtureSystem:
        """Components far apart in the variables and less far in the others, with random covariances.

        Parameters
        ----------
        n_coordinates, n_variables : int
            D and m.
        weights : array (C,)
        separation, other_separation : float
            Distance between any two means in the variables, and in the other coordinates (two components stand on the
            diagonal, more on the corners of a simplex, which needs as many coordinates).
        condition : float
            Largest over smallest eigenvalue of every covariance; the eigenvalues are even in their logarithm, with a
            geometric mean of one, along random directions.
        random_state : int, Generator or None

        Returns
        -------
        GaussianMixtureSystem

        Raises
        ------
        ParameterError
            More components than coordinates to place them in.
        """
        rng, shares = check_random_state(random_state), np.asarray(weights, np.float64)
        d, m, n = check_positive_int(n_coordinates, "n_coordinates", 2), int(n_variables), len(shares)
        means = np.hstack([_corners(n, m, separation), _corners(n, d - m, other_separation)])
        values = np.geomspace(condition**-0.5, condition**0.5, d)
        turns = [np.linalg.qr(rng.normal(size=(d, d)))[0] for _ in range(n)]
        covariances = np.stack([(turn * values) @ turn.T for turn in turns])
        return cls(shares, means, covariances, n_variables=m, n_jobs=n_jobs)

    def __repr__(self) -> str:
        n, d = self.means.shape
        return f"GaussianMixtureSystem({n} components in {d} coordinates, weights={self.weights.tolist()})"

    def _terms(self) -> MixtureTerms:
        n, d = self.means.shape
        return MixtureTerms(self._log_weights, self.means, self._precisions, np.empty(n), np.empty((n, d)))

    def variables_law(self) -> tuple[Floats, Floats, Floats]:
        """The law of the variables: weights (C,), means (C, m) and covariances (C, m, m) of its components.

        Returns
        -------
        array (C,), array (C, m), array (C, m, m)
        """
        m = self.n_variables
        return self.weights.copy(), self.means[:, :m].copy(), self.covariances[:, :m, :m].copy()

    def component_of(self, x: ArrayLike) -> np.ndarray:
        """The component under which the variables of a configuration are most likely.

        Parameters
        ----------
        x : array (n, D) or (n, m)
            Configurations or values of the variables.

        Returns
        -------
        array of int (n,)
        """
        weights, means, covariances = self.variables_law()
        away = np.asarray(x, np.float64)[:, None, : self.n_variables] - means
        squares = np.einsum("nci,cij,ncj->nc", away, np.linalg.inv(covariances), away)
        return np.asarray((np.log(weights) - (squares + np.linalg.slogdet(covariances)[1]) / 2).argmax(1))

    def starts(self, n: int, *, basin: int | None = None, random_state: RandomState = None) -> Floats:
        """Independent draws of the law itself.

        Parameters
        ----------
        n : int
        basin : int, optional
            Component of all draws; all in their shares by default.
        random_state : int, Generator or None

        Returns
        -------
        array (n, D)

        Raises
        ------
        ParameterError
            No such component.
        """
        names = [f"component {number}" for number in range(len(self.weights))]
        chosen, rng = check_basin(basin, names), check_random_state(random_state)
        parts = rng.choice(len(self.weights), n, p=self.weights) if chosen is None else np.full(n, chosen)
        normal = rng.normal(size=(n, self.n_coordinates))
        return self.means[parts] + np.einsum("nij,nj->ni", self._factors[parts], normal)


def _corners(n: int, d: int, separation: float) -> Floats:
    """n points, all `separation` apart: two on the diagonal, more on the axes."""
    if d == 0:
        return np.zeros((n, 0))
    if n <= 2:
        return np.arange(n)[:, None] * np.full(d, separation / np.sqrt(d))
    if n > d + 1:
        raise ParameterError(f"{n} components cannot all stand {separation:g} apart in {d} coordinates: take {d + 1}")
    # n - 1 points on the axes, each separation apart, and the one on the diagonal that is as far from all of them
    side = separation / np.sqrt(2)
    k = min(n, d)
    points = np.zeros((n, d))
    points[:k, :k] = side * np.eye(k)
    if n > d:
        points[d] = side * (1 - np.sqrt(1 + d)) / d
    return points
