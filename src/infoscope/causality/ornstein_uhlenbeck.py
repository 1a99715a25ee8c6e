"""Linear Langevin dynamics: transfer entropy and interventions in closed form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from infoscope.base import DataError, ParameterError, provenance
from infoscope.base.checks import check_matrix, check_vector
from infoscope.base.contents import numbers
from infoscope.base.rounding import exceeds

from .joint_laws import check_times, gaussian_information, residual_covariance, settle_variables, unit_factor
from .results import Intervention, TransferEntropy

SYMMETRIC = 1e-9
BALANCE = 1e-10
LAW_POINTS, LAW_REACH = 201, 5.0  # points at which densities are given, over so many standard deviations


@dataclass(frozen=True, eq=False)
class LinearProcess:
    """A stationary linear process in continuous time, ``dx = -A x dt + dW`` with ``<dW dW^T> = Q dt``.

    Parameters
    ----------
    drift : array (D, D)
        A; all its eigenvalues have a positive real part.
    noise : array (D, D)
        Q, symmetric.

    Raises
    ------
    DataError
        If the process has no stationary law.

    Examples
    --------
    >>> from infoscope.causality import LinearProcess
    >>> whirl = LinearProcess([[1, 2], [-2, 1]], [[2, 0], [0, 2]])
    >>> whirl.covariance, whirl.is_reversible, round(whirl.entropy_production, 12)
    (array([[1., 0.],
           [0., 1.]]), False, 8.0)
    """

    drift: np.ndarray
    noise: np.ndarray

    _contents = {"drift": numbers("D", "D", finite=True), "noise": numbers("D", "D", finite=True)}

    def __post_init__(self) -> None:
        for name in ("drift", "noise"):
            object.__setattr__(self, name, np.array(check_matrix(getattr(self, name), name), np.float64))
        if self.drift.shape != self.noise.shape or len(self.drift) != self.drift.shape[1]:
            raise DataError(
                f"drift has shape {self.drift.shape} and noise {self.noise.shape}: both are square, one row a variable"
            )
        _check_symmetric(self.noise, "noise", semidefinite=True)
        slowest = np.linalg.eigvals(self.drift).real.min()
        if slowest <= 0:
            raise DataError(
                f"drift has an eigenvalue with real part {slowest:.3g}: the process runs away and has no stationary law"
            )

    @classmethod
    def in_well(cls, S: Any, gamma: Any = 1.0, kT: float = 1.0) -> LinearProcess:
        """Overdamped motion in the well ``U = x^T S^{-1} x / 2`` with frictions gamma.

        Parameters
        ----------
        S : array (D, D)
            Shape of the well; its covariance in equilibrium is kT S.
        gamma : float or array (D,)
            Friction of every coordinate.
        kT : float
            Temperature.

        Returns
        -------
        LinearProcess

        Raises
        ------
        DataError
            If S is not symmetric and positive.
        ParameterError
            If a friction or kT is not positive.
        """
        S = np.asarray(check_matrix(S, "S"), np.float64)
        if len(S) != S.shape[1]:
            raise DataError(f"S has shape {S.shape}: it is square, one row a coordinate")
        _check_symmetric(S, "S")
        friction = np.broadcast_to(np.asarray(gamma, np.float64), (len(S),)) if np.ndim(gamma) == 0 else gamma
        friction = check_vector(friction, "gamma", length=len(S), of="coordinates")
        if not (friction > 0).all() or not 0 < kT < np.inf:
            raise ParameterError(f"gamma is {gamma!r} and kT {kT!r}: both are positive")
        return cls(np.linalg.inv(S) / friction[:, None], np.diag(2 * kT / friction))

    def __len__(self) -> int:
        return len(self.drift)

    @property
    def covariance(self) -> np.ndarray:
        """Of the stationary law: A S + S A^T = Q."""
        from scipy.linalg import solve_continuous_lyapunov

        found = solve_continuous_lyapunov(self.drift, self.noise)
        return (found + found.T) / 2

    def propagator(self, lag: float) -> np.ndarray:
        """Means after a lag: E = exp(-A lag)."""
        from scipy.linalg import expm

        return np.asarray(expm(-self.drift * lag))

    @property
    def is_reversible(self) -> bool:
        """Detailed balance: A S is symmetric."""
        flow = self.drift @ self.covariance
        return not exceeds(np.abs(flow - flow.T).max(), BALANCE * np.abs(flow).max())

    @property
    def entropy_production(self) -> float:
        """Nats per unit of time: tr(A^T D^{-1} A S) - tr A with D = Q/2; infinite where noise acts on too few."""
        if self.is_reversible:
            return 0.0
        A, S = self.drift, self.covariance
        if np.linalg.matrix_rank(self.noise) < len(self):
            return float("inf")
        return float(np.trace(A.T @ np.linalg.solve(self.noise / 2, A @ S)) - np.trace(A))

    def lagged_covariance(self, lag: float) -> np.ndarray:
        """(2 D, 2 D) covariance of (x(0), x(lag))."""
        S, E = self.covariance, self.propagator(lag)
        return np.block([[S, S @ E.T], [E @ S, S]])


def ou_transfer_entropy(
    S: Any, gamma: Any, kT: float, lags: Any, source: Any, target: Any, *, condition: Any = (), unit: str = "nats"
) -> TransferEntropy:
    """Transfer entropy between coordinates of an Ornstein-Uhlenbeck process, in closed form.

    ``T(X -> Y) = I(X(0); Y(lag) | Y(0), Z(0))``, half the logarithm of the ratio of residual variances of Y(lag).

    Parameters
    ----------
    S : array (D, D) or LinearProcess
        Shape of the well ``U = x^T S^{-1} x / 2``; or any linear process, which has its own frictions.
    gamma : float or array (D,)
        Frictions; None with a `LinearProcess`.
    kT : float
        Temperature; None with a `LinearProcess`.
    lags : float or sequence of float
        Units of time.
    source, target : int or sequence of int
        Numbers of the coordinates.
    condition : int or sequence of int
        Coordinates whose present is known as well.
    unit : {"nats", "bits"}

    Returns
    -------
    TransferEntropy
        Both directions, whether the process is reversible, and its entropy production.

    Raises
    ------
    DataError
        If the process has no stationary law.
    ParameterError
        No such coordinates, negative lags.

    References
    ----------
    Barnett, Barrett, Seth (2009), Phys. Rev. Lett. 103, 238701: half the Granger causality.
    Del Tatto, Banerjee, Hassanali, Laio (2025), arXiv:2502.19384, for processes in equilibrium.

    Examples
    --------
    >>> from infoscope.causality import ou_transfer_entropy
    >>> found = ou_transfer_entropy([[1, 0.6], [0.6, 1]], [1, 0.1], 1.0, 0.5, 0, 1)
    >>> found.forward.round(6), found.backward.round(6)           # the slow one informs the fast one
    (array([0.051767]), array([0.000743]))
    """
    process = _process(S, gamma, kT)
    x, y, z = settle_variables(source, target, condition, len(process))
    times, factor, n = check_times(lags), unit_factor(unit), len(process)
    forward, backward = np.zeros((2, len(times)))
    for at, lag in enumerate(times.tolist()):
        if lag == 0:  # the future is the present, which is known
            continue
        both = process.lagged_covariance(lag)
        forward[at] = gaussian_information(both, x, [n + one for one in y], y + z)
        backward[at] = gaussian_information(both, y, [n + one for one in x], x + z)
    return TransferEntropy(
        source=name_of(x),
        target=name_of(y),
        lags=times,
        forward=forward * factor,
        backward=backward * factor,
        method="ou",
        condition=name_of(z) if z else None,
        unit=unit,
        is_reversible=process.is_reversible,
        entropy_production=process.entropy_production,
        provenance=provenance(
            "ou_transfer_entropy",
            dict(lags=times, source=x, target=y, condition=z, unit=unit),
            None,
            process.drift,
            process.noise,
        ),
    )


def ou_intervention(S: Any, gamma: Any, kT: float, lags: Any, source: Any, target: Any, values: Any) -> Intervention:
    """What a coordinate of an Ornstein-Uhlenbeck process does to another when it is set to a value, in closed form.

    At time 0 the source is set to ``a`` (or ``b``) in copies in equilibrium, all else stays as it was; the dynamics
    then runs as before.  The effect is the divergence of the two laws of the target, KL[do(a) || do(b)].

    Parameters
    ----------
    S, gamma, kT, lags
        As for `ou_transfer_entropy`.
    source, target : int
        Numbers of the coordinates.
    values : (float, float)
        a and b.

    Returns
    -------
    Intervention
        With the divergence of the observed laws (source found at a or b, not set to it) beside it.

    Raises
    ------
    DataError, ParameterError
        As for `ou_transfer_entropy`; two values that are the same.

    References
    ----------
    Del Tatto, Banerjee, Hassanali, Laio (2025), arXiv:2502.19384.  Pearl (2009), Causality, section 3.2.

    Examples
    --------
    >>> from infoscope.causality import ou_intervention
    >>> ou_intervention([[1, 0.6], [0.6, 1]], [1, 0.1], 1.0, 0.5, 0, 1, (0, 2)).effect.round(6)
    array([0.340645])
    """
    process = _process(S, gamma, kT)
    (x,), (y,), _ = _single(settle_variables(source, target, (), len(process)))
    a, b = check_values(values)
    times, S0 = check_times(lags), process.covariance
    others = S0.copy()
    others[x, :] = others[:, x] = 0  # do(x): what x was is forgotten, the others keep their joint law
    means, spread, effect, observed = np.zeros((2, len(times))), np.zeros(len(times)), *np.zeros((2, len(times)))
    for at, lag in enumerate(times.tolist()):
        E = process.propagator(lag)
        V = E @ others @ E.T + S0 - E @ S0 @ E.T
        means[:, at], spread[at] = (E[y, x] * a, E[y, x] * b), V[y, y]
        effect[at] = (E[y, x] * (a - b)) ** 2 / (2 * V[y, y])
        both = process.lagged_covariance(lag)
        slope = both[len(process) + y, x] / S0[x, x]
        left = residual_covariance(both, [len(process) + y], [x])[0, 0]
        observed[at] = (slope * (a - b)) ** 2 / (2 * left)
    reach = LAW_REACH * float(np.sqrt(spread.max()))
    grid = np.linspace(means.min() - reach, means.max() + reach, LAW_POINTS)
    away = (grid - means[..., None]) / np.sqrt(spread)[:, None]
    laws = np.exp(-(away**2) / 2) / np.sqrt(2 * np.pi * spread)[:, None]
    return Intervention(
        source=name_of([x]),
        target=name_of([y]),
        values=(a, b),
        lags=times,
        effect=effect,
        observed=observed,
        grid=grid,
        laws=laws,
        method="ou",
        provenance=provenance(
            "ou_intervention", dict(lags=times, source=x, target=y, values=[a, b]), None, process.drift, process.noise
        ),
    )


def name_of(numbers: list[int]) -> str:
    """Name of coordinates that have numbers only: x0, or (x0, x2)."""
    names = [f"x{number}" for number in numbers]
    return names[0] if len(names) == 1 else f"({', '.join(names)})"


def check_values(values: Any) -> tuple[float, float]:
    """Two different values to set a variable to.

    Raises
    ------
    ParameterError
        If there are not two, or they are the same.
    """
    given = np.asarray(values, np.float64)
    if given.shape != (2,) or not np.isfinite(given).all() or given[0] == given[1]:
        raise ParameterError(f"values is {values!r}: give the two different numbers that the source is set to")
    return float(given[0]), float(given[1])


def _process(S: Any, gamma: Any, kT: Any) -> LinearProcess:
    if not isinstance(S, LinearProcess):
        return LinearProcess.in_well(S, gamma, kT)
    if gamma is not None or kT is not None:
        raise ParameterError("a LinearProcess has its frictions and temperature itself: pass gamma=None and kT=None")
    return S


def _single(found: tuple[list[int], list[int], list[int]]) -> tuple[list[int], list[int], list[int]]:
    if len(found[0]) > 1 or len(found[1]) > 1:
        raise ParameterError("an intervention sets one coordinate and looks at one: give one number for each")
    return found


def _check_symmetric(matrix: np.ndarray, name: str, *, semidefinite: bool = False) -> None:
    size = np.abs(matrix).max()
    if np.abs(matrix - matrix.T).max() > SYMMETRIC * size:
        raise DataError(f"{name} is not symmetric: it holds covariances")
    least = np.linalg.eigvalsh(matrix).min()
    if least < -SYMMETRIC * size or (least <= 0 and not semidefinite):
        raise DataError(f"{name} has the eigenvalue {least:.3g}: covariances are positive")
