"""The self test of the sampler on the user's own system: gradients, the way back, and a law that stays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from infoscope.base import DataError, ParameterError, provenance
from infoscope.base.checks import check_choice, check_positive_int, check_random_state
from infoscope.statistics import adjust_p_values

from .chain_state import ChainState
from .embeddings import SoftEmbedding, SubsetEmbedding, displacement
from .global_move import drag, global_move
from .interfaces import CollectiveVariables, Potential, draw_each
from .invariance_results import InvarianceCheck
from .path_noise import PATHS, PathNoise, draw_noise
from .rigid import RigidEmbedding
from .targets import as_target, check_start, gradient_error
from .variables import LinearVariables, OneSlope, SubsetVariables, variable_values

EMBEDDINGS = ("auto", "subset", "soft", "rigid")
REVERSED_PATHS, REVERSED_STEPS = 50, 50  # more steps let rounding grow, where neighbouring paths part
FEWEST_CHANGES = 20  # for a test of ranks
DIRECTIONS = 6  # random ones, whose coordinates and squares are observed
MOST_VARIABLES = 10
POWER_STEPS, POWER_ROWS = 8, 32


def check_invariance(
    target: Any,
    variables: CollectiveVariables,
    x: Any,
    *,
    embedding: Any = "auto",
    kappa: Any = None,
    path: str = "underdamped",
    schedule: str = "linear",
    step: float | None = None,
    step_length: Any = None,
    friction: Any = 0.0,
    masses: Any = None,
    proposal: Any = None,
    n_moves: int = 3,
    observables: Callable[[np.ndarray], np.ndarray] | None = None,
    random_state: Any = None,
) -> InvarianceCheck:
    """Do the moves of the sampler leave this target as it is?  Asked of configurations that are in equilibrium.

    Three checks: gradients are those of energies and variables; a path that is taken back, with the random numbers
    mirrored, ends where it began with the opposite work; and observables change up and down alike.  The last one is
    exact: a move that obeys detailed balance makes the pair of configurations before and after exchangeable.

    Parameters
    ----------
    target : Potential
    variables : CollectiveVariables
    x : array (n, D)
        Independent configurations in equilibrium, some hundred to some thousand; correlated ones make p-values too
        small.
    embedding : {"auto", "subset", "soft", "rigid"} or an embedding
        "auto": subset for coordinates and linear maps of them, soft for the rest.
    kappa : float or array (m,), optional
        Of the soft embedding; by default z stays within 0.15 of the spread of a variable.
    path, schedule, friction, masses
        As in `steered_path`; a target's own masses by default.
    step : float, optional
        By default from the steepest curvature of the potential: a quarter of what Verlet steps stand.
    step_length : float or array (m,), optional
        As in `global_move`; by default a thirtieth of each variable's spread, times the square root of their number.
    proposal : Proposal, optional
        By default independent normals of the mean and 1.3 times the spread of the variables, uniform around periods.
    n_moves : int
        Of every configuration.
    observables : function, optional
        Of configurations (n, D): what to look at (n, K).  By default the energy, the variables (sine and cosine of
        periodic ones) and their squares, coordinates along six random directions and their squares (coordinates that
        are periodic without being a variable need observables of their own).
    random_state : int or Generator, optional

    Returns
    -------
    InvarianceCheck
        With a verdict; ``passed`` says it in one word.

    Raises
    ------
    DataError
        Configurations that are not finite, or all alike.
    ParameterError
        Unknown names.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.sampling import SubsetVariables, Target, check_invariance
    >>> spring = Target(lambda x: (x**2).sum(1) / 2, lambda x: x, n_coordinates=3)
    >>> x = np.random.default_rng(0).normal(size=(500, 3))
    >>> found = check_invariance(spring, SubsetVariables([0], n_coordinates=3), x, random_state=0)
    >>> found.passed, found.work_error < 1e-12
    (True, True)
    """
    target = as_target(target)
    start = check_start(target, x, gradient=False)
    check_choice(path, "path", PATHS)
    n_moves = check_positive_int(n_moves, "n_moves")
    generator = check_random_state(random_state)
    values = variable_values(variables, start)
    spread = _spread(values, variables.period)
    split = _settle_embedding(target, variables, embedding, kappa, spread)
    if masses is None and split.n_auxiliary == start.shape[1]:
        masses = getattr(target, "masses", None)  # as global_move does
    step = _safe_step(split, start, path, masses, generator) if step is None else float(step)
    length = np.asarray(spread * np.sqrt(len(spread)) / 30 if step_length is None else step_length, np.float64)
    proposal = _Broad(values, spread, variables.period) if proposal is None else proposal
    generators = generator.spawn(len(start))
    options = dict(step=step, path=path, schedule=schedule, friction=friction, masses=masses)
    with np.errstate(all="ignore"):
        slopes = [gradient_error(OneSlope(variables, at), start) for at in range(len(variables.names))]  # type: ignore[arg-type]
        gradients = gradient_error(target, start), max(slopes)
    position, work, engine = _go_back(split, proposal, start, generators, length, options)
    names, observe = _observables(target, variables, start, observables, generator)
    state = ChainState(start, *target.energy_and_gradient(start))
    before, logs, counts = np.asarray(observe(state.x), np.float64), [], np.zeros(3, np.int64)
    for _ in range(n_moves):
        move = global_move(split, proposal, state, generators=generators, step_length=length, **options)
        state = move.state
        logs.append(move.log_acceptance)
        counts += [move.accepted.sum(), move.is_nan.sum(), move.constraint_failed.sum()]
    p_values = _rank_tests(np.asarray(observe(state.x), np.float64) - before)
    weights = np.exp(np.minimum(np.concatenate(logs), 300.0))
    return InvarianceCheck(
        gradient_error=gradients[0],
        variables_error=gradients[1],
        position_error=position,
        work_error=work,
        engine_error=engine,
        observables=names,
        p_values=p_values,
        p_value=float(np.nanmin(adjust_p_values(p_values, "holm"))) if np.isfinite(p_values).any() else float("nan"),
        mean_exp=float(weights.mean()),
        mean_exp_se=float(weights.std(ddof=1) / np.sqrt(len(weights))),
        acceptance_rate=float(counts[0] / (n_moves * len(start))),
        moved=float((state.x != start).any(1).mean()),
        n_chains=len(start),
        n_moves=n_moves,
        n_nan=int(counts[1]),
        n_constraint_failed=int(counts[2]),
        embedding=_name_of(split),
        path=path,
        step=step,
        step_length=np.atleast_1d(length),
        provenance=provenance(
            "check_invariance",
            dict(
                embedding=_name_of(split), path=path, schedule=schedule, step=step, step_length=length, n_moves=n_moves
            ),
            random_state,
            start,
        ),
    )


# --------------------------------------------------------------------------------------------------------- what is used
def _settle_embedding(
    target: Potential, variables: CollectiveVariables, embedding: Any, kappa: Any, spread: np.ndarray
) -> Any:
    if hasattr(embedding, "steer"):
        return embedding
    check_choice(embedding, "embedding", EMBEDDINGS)
    linear = isinstance(variables, (SubsetVariables, LinearVariables))
    if embedding == "subset" or embedding == "auto" and linear:
        return SubsetEmbedding(target, variables)  # type: ignore[arg-type]
    if embedding == "rigid":
        return RigidEmbedding(target, variables)
    return SoftEmbedding(target, variables, kappa=1 / (0.15 * spread) ** 2 if kappa is None else kappa)


def _name_of(split: Any) -> str:
    kinds = {"subset": SubsetEmbedding, "soft": SoftEmbedding, "rigid": RigidEmbedding}
    return next((name for name, kind in kinds.items() if isinstance(split, kind)), type(split).__name__)


def _spread(values: np.ndarray, period: np.ndarray) -> np.ndarray:
    """Standard deviation of every variable; of a periodic one at most that of a uniform law."""
    middle = values[:1]
    spread = displacement(np.broadcast_to(middle, values.shape), values, period)[0].std(0)
    if not (spread > 0).all():
        at = int(np.flatnonzero(~(spread > 0))[0])
        raise DataError(
            f"variable {at} has the same value in all configurations: give configurations that differ in it"
        )
    return np.asarray(spread)


def _safe_step(split: Any, x: np.ndarray, path: str, masses: Any, generator: np.random.Generator) -> float:
    """A quarter of what Verlet steps stand, 2 / sqrt(lambda), with the steepest curvature lambda by power iteration."""
    rows = x[:POWER_ROWS]
    if hasattr(split, "evaluate"):
        z, y = split.split(rows, [generator] * len(rows))
        slope = lambda y: split.evaluate(z, y).gradient  # noqa: E731
    else:
        y, slope = rows, lambda y: split.target.energy_and_gradient(y)[1]
    weight = np.ones(y.shape[1]) if masses is None else 1 / np.sqrt(np.broadcast_to(masses, y.shape[1:]))
    along = generator.standard_normal(y.shape)
    size = np.ones(len(y))
    for _ in range(POWER_STEPS):
        along /= np.linalg.norm(along, axis=1, keepdims=True)
        move = 1e-5 * np.maximum(1.0, np.abs(y).max(1, keepdims=True))
        along = weight * (slope(y + move * weight * along) - slope(y - move * weight * along)) / (2 * move)
        size = np.linalg.norm(along, axis=1)
        if not (np.isfinite(size) & (size > 0)).any():
            return 0.1
        along = np.where((np.isfinite(size) & (size > 0))[:, None], along, 1.0)
    steepest = float(np.quantile(size[np.isfinite(size)], 0.9))
    return 0.5 / np.sqrt(steepest) if path == "underdamped" else 0.2 / steepest


class _Broad:
    """Independent normals around the variables, uniform around a period."""

    def __init__(self, values: np.ndarray, spread: np.ndarray, period: np.ndarray) -> None:
        self.mean, self.spread, self.period = values.mean(0), 1.3 * spread, period
        self.n_variables = len(spread)

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        normal = self.mean + self.spread * rng.standard_normal((n, self.n_variables))
        around = self.period * (rng.random((n, self.n_variables)) - 0.5)
        return np.where(self.period > 0, around, normal)

    def log_prob(self, z: np.ndarray) -> np.ndarray:
        return -0.5 * np.where(self.period > 0, 0.0, ((z - self.mean) / self.spread) ** 2).sum(1)


# --------------------------------------------------------------------------------------------------------- the way back
def _go_back(
    split: Any,
    proposal: Any,
    x: np.ndarray,
    generators: Sequence[np.random.Generator],
    length: np.ndarray,
    options: dict[str, Any],
) -> tuple[float, float, float]:
    """Largest errors of the position and of the work after there and back, and of the engine beside the kernel."""
    x, generators = x[:REVERSED_PATHS], generators[:REVERSED_PATHS]
    z, y = split.split(x, generators)
    z_new = np.asarray(draw_each(proposal, generators), np.float64)
    way, _ = displacement(z, z_new, split.period)
    n_steps = np.clip(np.ceil(np.sqrt(((way / length) ** 2).sum(1))), 1, REVERSED_STEPS).astype(np.int64)
    noise = draw_noise(options["path"], options["friction"], n_steps, split.n_auxiliary, generators)
    mirror = PathNoise(*(np.array(part) for part in noise))
    there = split.steer(z, way, y, n_steps=n_steps, noise=noise, mirror=mirror, **options)
    fine = np.isfinite(there.log_acceptance)
    if not fine.any():
        return float("inf"), float("inf"), float("nan")
    steps_back = np.where(fine, n_steps, 0)
    back = split.steer(z + way, -way, np.where(fine[:, None], there.y, y), n_steps=steps_back, noise=mirror, **options)
    size = np.maximum(1.0, np.abs(y).max(1))[fine]
    position = np.abs(back.y - y).max(1)[fine] / size
    work = np.abs(back.log_acceptance + there.log_acceptance)[fine] / np.maximum(
        1.0, np.abs(there.log_acceptance[fine])
    )
    engine = float("nan")
    if options["path"] == "underdamped" and not np.any(options["friction"]):
        dragged = drag(split, x, z, way, noise, n_steps, options["step"], options["schedule"], options["masses"])
        if dragged is not None:
            off = np.abs(dragged.y - there.y).max(1)[fine] / size
            engine = _largest(off, np.abs(dragged.log_acceptance - there.log_acceptance)[fine])
    return _largest(position), _largest(work), engine


def _largest(*errors: np.ndarray) -> float:
    """Infinite where one is no number."""
    found = np.concatenate(errors)
    return float(np.where(np.isnan(found), np.inf, found).max())


# -------------------------------------------------------------------------------------------------------- the law stays
def _observables(
    target: Potential,
    variables: CollectiveVariables,
    x: np.ndarray,
    given: Callable[[np.ndarray], np.ndarray] | None,
    generator: np.random.Generator,
) -> tuple[tuple[str, ...], Callable[[np.ndarray], np.ndarray]]:
    if given is not None:
        shape = np.shape(given(x))
        if len(shape) != 2 or shape[0] != len(x):
            raise ParameterError(f"observables returns shape {shape} for {len(x)} configurations: expected (n, K)")
        return tuple(f"observable {at}" for at in range(shape[1])), given
    centre, scale = x.mean(0), np.maximum(x.std(0), 1e-300)
    if isinstance(variables, SubsetVariables):  # an angle is known up to its period: it has no square
        scale[variables.indices[variables.period > 0]] = np.inf
    along = generator.standard_normal((x.shape[1], DIRECTIONS)) / np.sqrt(x.shape[1])
    shown = range(min(len(variables.names), MOST_VARIABLES))
    middle = variables.values(x).mean(0)

    def observe(x: np.ndarray) -> np.ndarray:
        xi, line = variables.values(x), ((x - centre) / scale) @ along
        columns = [target.energy(x)]
        for at in shown:
            period = variables.period[at]
            turned = 2 * np.pi * xi[:, at] / period if period > 0 else xi[:, at] - middle[at]
            columns += [np.sin(turned), np.cos(turned)] if period > 0 else [turned, turned**2]
        return np.column_stack([*columns, line, line**2])

    names = ["energy"]
    for at in shown:
        name = variables.names[at]
        names += [f"sin {name}", f"cos {name}"] if variables.period[at] > 0 else [name, f"{name} squared"]
    lines = [f"direction {at}" for at in range(DIRECTIONS)]
    return (*names, *lines, *(f"{line} squared" for line in lines)), observe


def _rank_tests(changes: np.ndarray) -> np.ndarray:
    """Wilcoxon's signed ranks of what changed; NaN where too little did."""
    from scipy.stats import wilcoxon

    found = np.full(changes.shape[1], np.nan)
    for at, column in enumerate(changes.T):
        some = column[column != 0]
        if len(some) >= FEWEST_CHANGES:
            found[at] = wilcoxon(some, method="approx").pvalue
    return found
