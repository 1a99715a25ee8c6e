"""Local moves of all coordinates, MALA and HMC, and the step size that suits them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from infoscope.base import ParameterError
from infoscope.base.checks import check_choice, check_positive_int

from .chain_state import ChainState
from .interfaces import Potential, WalkEngine

N_LEAPFROG = 10  # steps of one move of HMC
LOCAL_MOVES = ("mala", "hmc")
TARGET_ACCEPTANCE = {"mala": 0.574, "hmc": 0.65}  # Roberts & Rosenthal (1998); Beskos et al. (2013)


class LocalMoves(NamedTuple):
    """What a number of local steps did.

    Attributes
    ----------
    state : ChainState
    acceptance : ndarray, shape (n,)
        Mean acceptance probability of each chain.
    n_gradients : ndarray of int, shape (n,)
    """

    state: ChainState
    acceptance: np.ndarray
    n_gradients: np.ndarray


def local_moves(
    target: Potential,
    state: ChainState,
    n_steps: int,
    *,
    generators: Sequence[np.random.Generator],
    step_size: Any,
    kind: str = "mala",
    n_leapfrog: int = N_LEAPFROG,
    masses: Any = None,
) -> LocalMoves:
    """Steps of MALA or HMC of all chains; the target stays invariant.

    Parameters
    ----------
    target : Potential
    state : ChainState
    n_steps : int
        Of every chain; 0 leaves all as it is.
    generators : sequence of n Generators
        Of the chains.
    step_size : float or array (n,)
        dt of MALA, ``x' = x - dt grad V / M + sqrt(2 dt / M) G``; Delta of the leapfrog steps of HMC.
    kind : {"mala", "hmc"}
    n_leapfrog : int
        Leapfrog steps of one step of HMC.
    masses : array (D,), optional
        M, diagonal; by default those of the target where it has any, else ones.

    Returns
    -------
    LocalMoves
        A step that meets numbers that are not finite is rejected.

    Raises
    ------
    ParameterError
        Step sizes that are not positive, an unknown kind.

    References
    ----------
    Roberts, Tweedie (1996), Bernoulli 2, 341; Duane, Kennedy, Pendleton, Roweth (1987), Phys. Lett. B 195, 216.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.sampling import Target, local_moves
    >>> from infoscope.sampling.chain_state import start_chains
    >>> spring = Target(lambda x: (x**2).sum(1) / 2, lambda x: x, n_coordinates=3)
    >>> generators = [np.random.default_rng(seed) for seed in range(100)]
    >>> moved = local_moves(spring, start_chains(spring, np.zeros((100, 3))), 50, generators=generators, step_size=0.5)
    >>> round(float(moved.state.energy.mean()), 1)                                          # 3 kT / 2
    1.5
    """
    check_choice(kind, "kind", LOCAL_MOVES)
    n_steps, n_leapfrog = check_positive_int(n_steps, "n_steps", 0), check_positive_int(n_leapfrog, "n_leapfrog")
    n, d = state.x.shape
    step = np.broadcast_to(np.asarray(step_size, np.float64), (n,))[:, None]
    if not (np.isfinite(step) & (step > 0)).all():
        raise ParameterError(f"step_size is {step_size!r}: it must be positive")
    masses = getattr(target, "masses", None) if masses is None else masses
    inverse_masses = np.ones(d) if masses is None else 1.0 / np.broadcast_to(np.asarray(masses, np.float64), (d,))
    normals, log_uniform = np.empty((n, n_steps, d)), np.empty((n, n_steps))
    for chain, rng in enumerate(generators):  # one call a chain: its draws are its own
        rng.standard_normal(out=normals[chain])
        log_uniform[chain] = -rng.standard_exponential(n_steps)
    cost = np.full(n, count_gradients(n_steps, kind, n_leapfrog), np.int64)
    if n_steps and isinstance(target, WalkEngine):  # MALA is one leap of sqrt(2 dt), and its acceptance is the same
        leaps, leap = (1, np.sqrt(2 * step[:, 0])) if kind == "mala" else (n_leapfrog, step[:, 0])
        *there, acceptance = target.walk(
            *state, normals, log_uniform, step=leap, n_leaps=leaps, masses=1.0 / inverse_masses
        )
        return LocalMoves(ChainState(*there), acceptance, cost)
    total = np.zeros(n)
    for at in range(n_steps):
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            if kind == "mala":
                *there, log_ratio = _langevin(target, state, step, inverse_masses, normals[:, at])
            else:
                *there, log_ratio = _leapfrog(target, state, step, inverse_masses, normals[:, at], n_leapfrog)
        log_ratio = np.where(np.isnan(log_ratio), -np.inf, log_ratio)
        state = state.moved(log_uniform[:, at] <= log_ratio, *there)
        total += np.exp(np.minimum(log_ratio, 0.0))
    return LocalMoves(state, total / max(n_steps, 1), cost)


def count_gradients(n_steps: int, kind: str, n_leapfrog: int = N_LEAPFROG) -> int:
    """Gradients that so many local steps need.

    Parameters
    ----------
    n_steps : int
    kind : {"mala", "hmc"}
    n_leapfrog : int
        Of one step of HMC.

    Returns
    -------
    int

    Examples
    --------
    >>> from infoscope.sampling.local_moves import count_gradients
    >>> count_gradients(5, "mala"), count_gradients(5, "hmc")
    (5, 50)
    """
    return n_steps * (1 if kind == "mala" else n_leapfrog)


class DualAveraging:
    """A step size on its way to a wanted acceptance: for adaptation only, and frozen before production.

    Parameters
    ----------
    step_size : float
        To begin with.
    target_acceptance : float
        0.574 suits MALA, 0.65 HMC.

    Attributes
    ----------
    step_size : float
        To use for the next steps.
    averaged : float
        What it settles at: to use from then on.

    Raises
    ------
    ParameterError
        A step size that is not positive, an acceptance not between 0 and 1.

    References
    ----------
    Hoffman, Gelman (2014), J. Mach. Learn. Res. 15, 1593, section 3.2.

    Examples
    --------
    >>> from infoscope.sampling.local_moves import DualAveraging
    >>> rule = DualAveraging(1.0, 0.5)
    >>> for _ in range(300):
    ...     rule.update(1 / (1 + rule.step_size**2))                     # a half where the step is 1, whatever it was
    >>> round(rule.averaged, 1)
    1.0
    """

    SHRINKAGE, DELAY, DECAY = 0.05, 10.0, 0.75  # gamma, t_0, kappa of the paper

    def __init__(self, step_size: float, target_acceptance: float = TARGET_ACCEPTANCE["mala"]) -> None:
        if not (0 < step_size < np.inf and 0 < target_acceptance < 1):
            raise ParameterError(
                f"step_size is {step_size!r} and target_acceptance {target_acceptance!r}: a positive number, and one "
                "between 0 and 1"
            )
        self.step_size = self.averaged = float(step_size)
        self.target_acceptance = float(target_acceptance)
        self._centre, self._error, self._n = math.log(10 * step_size), 0.0, 0

    def update(self, acceptance: float) -> None:
        """Learn from the mean acceptance probability of the last steps, over all chains."""
        self._n += 1
        wanting = self.target_acceptance - (float(acceptance) if math.isfinite(acceptance) else 0.0)
        self._error += (wanting - self._error) / (self._n + self.DELAY)
        log_step = self._centre - math.sqrt(self._n) / self.SHRINKAGE * self._error
        weight = self._n**-self.DECAY
        self.averaged = math.exp(weight * log_step + (1 - weight) * math.log(self.averaged))
        self.step_size = math.exp(log_step)

    def state(self) -> np.ndarray:
        """All it knows, as numbers: for a checkpoint."""
        return np.array([self.step_size, self.averaged, self.target_acceptance, self._centre, self._error, self._n])

    @classmethod
    def restored(cls, state: np.ndarray) -> DualAveraging:
        """The rule whose `state` this is."""
        step_size, averaged, wanted, centre, error, n = map(float, state)
        rule = cls(step_size, wanted)
        rule.averaged, rule._centre, rule._error, rule._n = averaged, centre, error, int(n)
        return rule


# ------------------------------------------------------------------------------------------------------------ proposals
def _langevin(
    target: Potential, state: ChainState, step: np.ndarray, inverse_masses: np.ndarray, noise: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """x' ~ N(x - dt grad V / M, 2 dt / M), and ln [pi(x') q(x | x') / pi(x) q(x' | x)]."""
    drift, spread = step * inverse_masses, np.sqrt(2 * step * inverse_masses)
    x = state.x - drift * state.gradient + spread * noise
    energy, gradient = _evaluate(target, x, state)
    back = (state.x - x + drift * gradient) / spread
    return x, energy, gradient, 0.5 * ((noise**2).sum(1) - (back**2).sum(1)) - (energy - state.energy)


def _leapfrog(
    target: Potential, state: ChainState, step: np.ndarray, inverse_masses: np.ndarray, noise: np.ndarray, n: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Verlet from fresh momenta, and minus the change of the total energy."""
    p = noise / np.sqrt(inverse_masses)
    x, energy, gradient = state
    before = energy + 0.5 * (p**2 * inverse_masses).sum(1)
    for _ in range(n):
        p = p - step / 2 * gradient
        x = x + step * inverse_masses * p
        energy, gradient = _evaluate(target, x, state)
        p = p - step / 2 * gradient
    return x, energy, gradient, before - energy - 0.5 * (p**2 * inverse_masses).sum(1)


def _evaluate(target: Potential, x: np.ndarray, state: ChainState) -> tuple[np.ndarray, np.ndarray]:
    """NaN where x is not finite: compiled potentials are not asked there."""
    sane = np.isfinite(x).all(1)
    if sane.all():
        return target.energy_and_gradient(x)
    energy, gradient = target.energy_and_gradient(np.where(sane[:, None], x, state.x))
    return np.where(sane, energy, np.nan), np.where(sane[:, None], gradient, np.nan)
