"""Time step and number of steps of the paths, found on pilot paths whose ends are thrown away."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from infoscope.base import DataError

from .bennett import bennett_difference
from .chain_state import ChainState
from .interfaces import draw_moves
from .iteration import Chains, Settings, move_globally
from .local_moves import count_gradients
from .path_noise import draw_noise
from .variables import short_way

ENERGY_ERROR = 0.2  # kT, mean of a path at fixed variables
PILOTS = 96  # paths for one trial
FIXED_STEPS = 12  # of a path at fixed variables
TRIES = 50  # draws for a value in another basin
WIDER, NARROWER = (1.5, 2.0, 2.6), (0.6, 0.36, 0.22)  # times the step of the energy error that are tried
FIRST, LARGEST = 4, 2**12  # steps between basins
GOOD = 0.2  # acceptance below which slower paths and smaller steps are tried although they were not better
BETTER = 0.97  # a cost must fall below this part of the best one to go on


def tune_step(make: Callable[[Settings], Any], settings: Settings, chains: Chains) -> float:
    """Largest time step whose Verlet paths at fixed variables lose less than 0.2 kT on average.

    Parameters
    ----------
    make : function (settings) -> embedding
    settings : Settings
        Its step is where the search begins.
    chains : Chains
    """

    pilots = tiled(chains, PILOTS // 2)

    def lost(step: float) -> float:
        tried = settings.but(step=step, friction=0.0, path="underdamped", step_length=1.0)
        found = _energy_errors(make(tried), tried, repeat(pilots))
        return float(np.where(np.isfinite(found), found, 1e3).mean())

    low, step = 0.0, settings.step
    for _ in range(60):  # doubling down to where it holds, then up to where it does not
        if lost(step) < ENERGY_ERROR:
            low = step
            break
        step /= 2
    if not low:
        raise DataError("no time step conserves the energy of a path: is the gradient that of the energy?")
    high = 2 * low
    while lost(high) < ENERGY_ERROR and high < 1e6 * settings.step:
        low, high = high, 2 * high
    for _ in range(5):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if lost(middle) < ENERGY_ERROR else (low, middle)
    return low


def tune_lengths(
    make: Callable[[Settings], Any], proposal: Any, basins: Any, settings: Settings, chains: Chains, *, vary_step: bool
) -> tuple[Settings, np.ndarray]:
    """Step length (and time step) that make a switch cheapest: gradients over acceptance, between basins.

    Gradients are those of a path and of the local moves before it: paths that are short beside these may as well be
    slower.  The number of steps is doubled until the cost no longer falls, then halved in between.  The acceptance is
    that of a proposal with the right masses: what its weights are wrong by is estimated from the pilots themselves.

    Returns
    -------
    Settings
        With `step` and `step_length`.
    pilots : ndarray, shape (P, 3)
        Steps, acceptance, and gradients a switch of everything that was tried.
    """
    chains = tiled(chains, PILOTS)
    goal, distance = _goals(make(settings), proposal, basins, chains)
    tried: list[tuple[float, float, float]] = []
    n_others = count_gradients(settings.n_local, settings.local)

    def cost(n_steps: float, step: float) -> float:
        now = settings.but(step=step, step_length=distance / n_steps)
        acceptance = _acceptance(make(now), proposal, basins, now, repeat(chains), goal)
        found = (n_steps + n_others) / acceptance if acceptance > 1e-4 else math.inf
        tried.append((n_steps, acceptance, found))
        return found

    best: tuple[float, float, float] = (math.inf, FIRST, settings.step)
    start = FIRST
    for factors in ((1.0, *WIDER), NARROWER) if vary_step else ((1.0,),):
        for factor in factors:
            step = settings.step * factor
            found = _cheapest(lambda n, step=step: cost(n, step), start, n_others)  # type: ignore[misc]
            better = found[0] < BETTER * best[0]
            if better:
                best = (found[0], found[1], step)
            if math.isfinite(found[0]):
                start = max(FIRST, int(found[1] / 4))
            if not better and factor != 1.0:
                break
        if best[2] > settings.step and (best[1] + n_others) / best[0] > GOOD:
            break
    return settings.but(step=best[2], step_length=distance / best[1]), np.array(tried)


# --------------------------------------------------------------------------------------------------------------- steps
def _cheapest(cost: Callable[[float], float], start: int, n_others: int) -> tuple[float, float]:
    """Least cost and its number of steps: doubling, then one refinement on both sides.

    The cost of slow paths is at least their steps, which ends the doubling; it ends before where paths are accepted
    well and get dearer.  (Jumps without relaxation may have a small minimum of their own, which must not end it.)
    """
    seen: dict[float, float] = {}
    n, low, worse = float(start), math.inf, 0
    while n <= min(LARGEST, low) and worse < 2:
        seen[n] = cost(n)
        dearer = seen[n] > low / BETTER and (n + n_others) / seen[n] > GOOD
        low, worse = min(low, seen[n]), worse + 1 if dearer else 0
        n *= 2
    best = min(seen, key=lambda k: (seen[k], k))
    if not math.isfinite(seen[best]):
        return math.inf, best
    for ratio in (math.sqrt(2), 2**0.25):
        for near in (max(1.0, round(best / ratio)), round(best * ratio)):
            if near not in seen:
                seen[near] = cost(near)
        best = min(seen, key=lambda k: (seen[k], k))
    return seen[best], best


def _energy_errors(embedding: Any, settings: Settings, chains: Chains) -> np.ndarray:
    """Energies that paths at fixed variables end with, less those they began with."""
    n_steps = np.full(len(chains), FIXED_STEPS)
    z, y = embedding.split(chains.x, chains.generators)
    noise = draw_noise(settings.path, 0.0, n_steps, embedding.n_auxiliary, chains.generators)
    start = embedding.start(chains.x, z, chains.state.energy, chains.state.gradient)
    end = embedding.steer(
        z, np.zeros_like(z), y, n_steps=n_steps, step=settings.step, path=settings.path, schedule=settings.schedule,
        friction=0.0, masses=settings.masses, noise=noise, start=start,
    )  # fmt: skip
    return np.abs(end.log_acceptance)


def _goals(embedding: Any, proposal: Any, basins: Any, chains: Chains) -> tuple[np.ndarray, float]:
    """Values to go to, in another basin where there is one, and how far that is at the median."""
    z, period = embedding.variables.values(chains.x), embedding.variables.period
    here, goal = basins.labels(z), draw_moves(proposal, z, chains.generators)
    for _ in range(TRIES if basins.n_basins > 1 else 0):
        same = np.flatnonzero(basins.labels(goal) == here)
        if not len(same):
            break
        goal[same] = draw_moves(proposal, z[same], [chains.generators[row] for row in same])
    return np.where(goal == z, np.nan, goal), float(np.median(np.sqrt((short_way(goal - z, period) ** 2).sum(1))))


def _acceptance(
    embedding: Any, proposal: Any, basins: Any, settings: Settings, chains: Chains, goal: np.ndarray
) -> float:
    """Mean acceptance of the pilots, at the weights of basins that Bennett's equation finds in them."""
    move = move_globally(embedding, _Goal(proposal, goal), settings, chains)[1]
    logs = np.where(np.isnan(move.log_acceptance), -np.inf, move.log_acceptance)
    start, end = basins.labels(move.z_before), basins.labels(move.z_proposed)
    found = np.exp(np.minimum(logs, 0.0))
    for a in range(basins.n_basins):
        for b in range(a + 1, basins.n_basins):
            forward, reverse = (start == a) & (end == b), (start == b) & (end == a)
            shift = math.nan
            if forward.any() and reverse.any():
                shift = bennett_difference(logs[forward], logs[reverse]).value
            if math.isfinite(shift):
                found[forward] = np.exp(np.minimum(logs[forward] + shift, 0.0))
                found[reverse] = np.exp(np.minimum(logs[reverse] - shift, 0.0))
            else:
                found[forward | reverse] = _of_gaussian_works(logs[forward | reverse])
    return float(found.mean())


def _of_gaussian_works(logs: np.ndarray) -> float:
    """erfc(sigma / 2 sqrt(2)), where only one direction is known; failed paths are not accepted."""
    from scipy.special import erfc

    finite = logs[np.isfinite(logs)]
    if len(finite) < 2:
        return 0.0
    low, high = np.quantile(finite, [0.25, 0.75])  # 1.349 sigma apart in a normal law
    return float(erfc((high - low) / 1.349 / (2 * math.sqrt(2))) * len(finite) / len(logs))


class _Goal:
    """A proposal that draws what it was told to; NaN is a variable that stays where it is."""

    def __init__(self, proposal: Any, goal: np.ndarray) -> None:
        self.log_prob, self.goal = proposal.log_prob, goal

    def draw_moves(self, z: np.ndarray, generators: Any) -> np.ndarray:
        return np.where(np.isnan(self.goal), z, self.goal)


def tiled(chains: Chains, n_paths: int) -> Chains:
    """Every chain so often that there are about so many, with generators that come from those of the chain."""
    times = max(1, -(-n_paths // len(chains)))
    spawned = [rng for many in zip(*(rng.spawn(times) for rng in chains.generators), strict=True) for rng in many]
    return Chains(ChainState(*(np.concatenate([part] * times) for part in chains.state)), spawned)


def repeat(chains: Chains) -> Chains:
    """The same chains with the same random numbers still to come: trials that share them differ by less chance."""
    return Chains(chains.state, copy.deepcopy(chains.generators))
