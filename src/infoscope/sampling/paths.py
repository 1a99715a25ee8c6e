"""Paths of y while the variables move from z to z': the works that decide whether the move is accepted.

Kernels "asym" to "coin_mala" are those of Schönle, Gabrié, Lelièvre, Stoltz (arXiv:2405.18160), "underdamped" that of
Schönle, Carbone, Gabrié, Lelièvre, Stoltz (arXiv:2512.16812); `steered_path` has their equations.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np

from infoscope.base import DataError, ParameterError
from infoscope.base.checks import check_choice, check_positive_int

from .path_noise import METROPOLISED, PATHS, PathNoise, given_noise
from .schedules import schedule_function


class PathPoint(NamedTuple):
    """Phi (n,) and its gradient along y (n, d) at (z, y); the potential and its gradient along x, where known."""

    energy: np.ndarray
    gradient: np.ndarray
    target_energy: np.ndarray | None = None
    target_gradient: np.ndarray | None = None


class PathPotential(Protocol):
    """What steers y: an embedding."""

    def evaluate(self, z: np.ndarray, y: np.ndarray) -> PathPoint:
        """Phi and its gradient at the rows of z (n, m) and y (n, d)."""
        ...


class PathEnd(NamedTuple):
    """Where n paths ended.

    Attributes
    ----------
    y : ndarray, shape (n, d)
    log_acceptance : ndarray, shape (n,)
        -W without the part of the proposal; -inf for a path that failed.
    n_gradients : ndarray of int, shape (n,)
    is_nan, constraint_failed : ndarray of bool, shape (n,)
        Energies or forces that are not finite; constraints that could not be held.
    energy, gradient : ndarray or None
        Potential (n,) and gradient along x (n, D) at the end, where the kernel has them.
    """

    y: np.ndarray
    log_acceptance: np.ndarray
    n_gradients: np.ndarray
    is_nan: np.ndarray
    constraint_failed: np.ndarray
    energy: np.ndarray | None = None
    gradient: np.ndarray | None = None


def steered_path(
    potential: Any,
    z0: Any,
    z1: Any,
    y0: Any,
    *,
    n_steps: Any,
    step: float,
    path: str = "underdamped",
    schedule: str = "linear",
    friction: Any = 0.0,
    masses: Any = None,
    noise: Any,
    log_uniform: Any = None,
    forward_coin: Any = True,
) -> tuple[np.ndarray, Any]:
    r"""Steer y while z goes from z0 to z1, with given random numbers: a path that anyone can check by hand.

    Parameters
    ----------
    potential : function or embedding
        Of z (n, m) and y (n, d), one row a path: the pair Phi (n,), in kT, and its gradient along y (n, d).
    z0, z1 : array (m,) or (n, m)
        Where the variables start and end.
    y0 : array (d,) or (n, d)
        Where y starts: one path, or n.
    n_steps : int or array (n,)
        K.
    step : float
        Time step Delta of "underdamped", dt of the others.
    path : {"underdamped", "asym", "sym_ula", "sym_mala", "coin_ula", "coin_mala"}
    schedule : {"linear", "cosine"}
    friction : float or array (d,)
        gamma, for "underdamped".
    masses : array (d,), optional
        M, diagonal; ones by default.  The others move with mobilities 1 / M.
    noise : array (R, d) or (R, n, d)
        Standard normal numbers, rows as they are used; more rows than needed do no harm (2 K + 2 are always enough).
        "underdamped": row 0 the initial momentum in units of sqrt(M), rows 2k + 1 and 2k + 2 the two thermostats of
        step k (not needed without friction).  The others: row k the noise of step k; K + 1 of them for "sym".
    log_uniform : array (R,) or (R, n), optional
        Logarithms of uniform numbers, for the Metropolis tests of "sym_mala" and "coin_mala".
    forward_coin : bool or array (n,)
        For the kernels with a coin: True moves z before y in every step, False after it.  Toss it, fairly, once a path:
        either side alone is biased.

    Returns
    -------
    y_end : ndarray, shape (d,) or (n, d)
    log_acceptance : float or ndarray, shape (n,)
        -W: without the part of the proposal.  Minus infinity where the path met numbers that are not finite.

    Raises
    ------
    ParameterError
        Too few random numbers, shapes that do not fit, unknown names.
    DataError
        A potential that returns another shape.

    Notes
    -----
    The variables stand at :math:`z_k = z_0 + f(k/K) (z_1 - z_0)`, with f of the schedule.

    "underdamped", with :math:`\alpha = \gamma \Delta / 4M` and k = 0 ... K - 1:

    .. math::

       p_{1/4} &= [(1 - \alpha) p + \sqrt{\gamma \Delta}\, G] / (1 + \alpha), \quad
       p_{1/2} = p_{1/4} - \tfrac{\Delta}{2} \nabla \Phi(z_k, y_k), \quad
       y_{k+1} = y_k + \Delta M^{-1} p_{1/2}, \\
       p_{3/4} &= p_{1/2} - \tfrac{\Delta}{2} \nabla \Phi(z_{k+1}, y_{k+1}), \quad
       p = [(1 - \alpha) p_{3/4} + \sqrt{\gamma \Delta}\, G'] / (1 + \alpha), \\
       W &= \Phi(z_K, y_K) - \Phi(z_0, y_0)
       + \sum_k \tfrac{1}{2} [p_{3/4}^2 - p_{1/4}^2] M^{-1} .

    The others take steps :math:`y_{k+1} = y_k - \delta \nabla \Phi(z^f_k, y_k) + \sqrt{2 \delta}\, G_k`, whose ratio
    of kernels is
    :math:`l_k = \tfrac{1}{2} |G_k|^2 - |y_k - y_{k+1} + \delta \nabla \Phi(z^b_k, y_{k+1})|^2 / 4 \delta`:

    - "asym": :math:`z^f_k = z_{k+1}, z^b_k = z_k`, K steps;
      :math:`-W = \Phi(z_0, y_0) - \Phi(z_K, y_K) + \sum_k l_k`.
    - "sym_ula": :math:`z^f_k = z^b_k = z_k`, K + 1 steps, k = 0 ... K; W as before, at the last y.
    - "coin_ula": :math:`z^f_k = z^b_k`, which is :math:`z_{k+1}` with the coin forward and :math:`z_k` otherwise; K
      steps.
    - "sym_mala", "coin_mala": the same steps, each accepted with
      :math:`\min(1, e^{l_k - \Phi(z^f_k, y_{k+1}) + \Phi(z^f_k, y_k)})`; W is the sum of the changes of
      :math:`\Phi` when z moves, at a y that does not.

    References
    ----------
    Schönle, Gabrié, Lelièvre, Stoltz, arXiv:2405.18160; Schönle, Carbone, Gabrié, Lelièvre, Stoltz, arXiv:2512.16812.

    Examples
    --------
    A spring that moves with z, dragged by one unit within K steps that begin at rest: the work falls with K.

    >>> import numpy as np
    >>> from infoscope.sampling import steered_path
    >>> def spring(z, y):
    ...     return ((y - z) ** 2).sum(1) / 2, y - z
    >>> for n_steps in (1, 10):
    ...     y, a = steered_path(spring, [0.0], [1.0], [0.0], n_steps=n_steps, step=0.6, noise=np.zeros((1, 1)))
    ...     print(y.round(3), round(a, 3))
    [0.] -0.545
    [1.033] -0.001
    """
    starts = np.asarray(y0, np.float64)
    y, z_start, z_end = (
        np.atleast_2d(starts),
        np.atleast_2d(np.asarray(z0, float)),
        np.atleast_2d(np.asarray(z1, float)),
    )
    if not len(y) == len(z_start) == len(z_end) or z_start.shape != z_end.shape or starts.ndim not in (1, 2):
        raise ParameterError(
            f"z0, z1 and y0 have shapes {np.shape(z0)}, {np.shape(z1)} and {starts.shape}: give one row a path, or one "
            "vector each"
        )
    check_choice(path, "path", PATHS)
    steps = np.broadcast_to(np.asarray(n_steps), (len(y),))
    for number in np.unique(steps):
        check_positive_int(number, "n_steps")
    end = steer(
        potential if hasattr(potential, "evaluate") else _Function(potential),
        z_start,
        z_end - z_start,
        y,
        n_steps=steps,
        step=step,
        path=path,
        schedule=schedule,
        friction=friction,
        masses=masses,
        noise=given_noise(path, friction, steps, y, noise, log_uniform, forward_coin),
    )
    return (end.y, end.log_acceptance) if starts.ndim == 2 else (end.y[0], float(end.log_acceptance[0]))


def steer(
    potential: PathPotential,
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
    start: PathPoint | None = None,
    mirror: PathNoise | None = None,
) -> PathEnd:
    """`steered_path` for many paths at a time; the work is the sum of their steps, whatever the longest is.

    Parameters
    ----------
    potential : PathPotential
    z, displacement : ndarray, shape (n, m)
        Where the variables start, and how far they go.
    y : ndarray, shape (n, d)
    n_steps : ndarray of int, shape (n,)
        K; a path of 0 steps is not steered and gets minus infinity.
    step : float or ndarray (n,)
    path, schedule : str
    friction : float or ndarray (d,)
    masses : ndarray (d,) or None
    noise : PathNoise
    start : PathPoint, optional
        At (z, y), where it is known.
    mirror : PathNoise, optional
        Of the same layout as `noise`: filled with the random numbers that lead every path back.

    Returns
    -------
    PathEnd
    """
    paths = _Paths(potential, z, displacement, y, n_steps, schedule_function(schedule), noise, start, mirror)
    inverse_masses = np.ones(y.shape[1]) if masses is None else 1.0 / np.broadcast_to(masses, y.shape[1:])
    steps = np.broadcast_to(np.asarray(step, np.float64), (len(y),))[paths.order, None]
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        if path == "underdamped":
            _underdamped(paths, steps, np.asarray(friction, np.float64), inverse_masses)
        else:
            _overdamped(paths, steps, inverse_masses, path)
    return paths.end()


# ----------------------------------------------------------------------------------------------------- paths in a batch
class _Paths:
    """Paths sorted by their number of steps, so that those still on their way are always the first ones."""

    def __init__(
        self,
        potential: PathPotential,
        z: np.ndarray,
        displacement: np.ndarray,
        y: np.ndarray,
        n_steps: np.ndarray,
        schedule: Callable[[Any], Any],
        noise: PathNoise,
        start: PathPoint | None,
        mirror: PathNoise | None,
    ) -> None:
        self.potential, self.schedule, self.noise, self.mirror = potential, schedule, noise, mirror
        self.order = np.argsort(-n_steps, kind="stable")
        self.n_steps = n_steps[self.order]
        # how many paths have more than k steps, for every k
        self.counts = np.searchsorted(-self.n_steps, -np.arange(n_steps.max(initial=0) + 1), side="left").tolist()
        self.n = self.counts[0]
        self.z, self.way, self.y = z[self.order], displacement[self.order], y[self.order].astype(np.float64)
        self.origin = self.y.copy()
        self.first, self.first_uniform = noise.first[self.order], noise.first_uniform[self.order]
        self.coin = noise.coin[self.order]
        self.momentum: np.ndarray | None = None
        self.energy, self.gradient = np.zeros(len(y)), np.zeros(y.shape)
        self.target_energy: np.ndarray | None = None
        self.target_gradient: np.ndarray | None = None
        self.n_gradients = np.zeros(len(y), np.int64)
        self.failed = np.zeros(len(y), bool)
        self.log_acceptance = np.zeros(len(y))
        if start is None:
            self.look(slice(0, self.n), self.z[: self.n])
        else:
            self.keep(slice(0, len(y)), PathPoint(*(None if part is None else part[self.order] for part in start)))  # type: ignore[arg-type]

    def station(self, rows: Any, k: Any) -> np.ndarray:
        """z_k of these paths."""
        return self.z[rows] + self.schedule(k / self.n_steps[rows])[:, None] * self.way[rows]

    def normals(self, a: int, row: Any) -> np.ndarray:
        return self.noise.normals[self.first[:a] + row]

    def look(self, rows: Any, z: np.ndarray) -> None:
        """Phi at z and the own y; a path that is lost goes back to its start and is no longer followed."""
        self._restart(rows, ~np.isfinite(self.y[rows]).all(1))
        self.keep(rows, self.evaluate(rows, z, self.y[rows]))
        self._restart(rows, ~np.isfinite(self.energy[rows]))

    def evaluate(self, rows: Any, z: np.ndarray, y: np.ndarray) -> PathPoint:
        self.n_gradients[rows] += 1
        return self.potential.evaluate(z, y)

    def keep(self, rows: Any, point: PathPoint) -> None:
        self.energy[rows], self.gradient[rows] = point.energy, point.gradient
        if point.target_energy is None or point.target_gradient is None:
            return
        if self.target_energy is None or self.target_gradient is None:
            self.target_energy = np.full(len(self.y), np.nan)
            self.target_gradient = np.full((len(self.y), point.target_gradient.shape[1]), np.nan)
        self.target_energy[rows], self.target_gradient[rows] = point.target_energy, point.target_gradient

    def _restart(self, rows: Any, lost: np.ndarray) -> None:
        if not lost.any():
            return
        numbers = np.arange(len(self.y))[rows][lost]
        self.failed[numbers] = True
        self.y[numbers], self.energy[numbers], self.gradient[numbers] = self.origin[numbers], 0.0, 0.0
        if self.momentum is not None:
            self.momentum[numbers] = 0.0

    def end(self) -> PathEnd:
        """In the order in which the paths came."""
        steered = self.n_steps > 0
        failed = steered & (self.failed | ~np.isfinite(self.log_acceptance) | ~np.isfinite(self.y).all(1))
        log_acceptance = np.where(failed | ~steered, -np.inf, self.log_acceptance)
        back = np.argsort(self.order)
        return PathEnd(
            np.where(failed[:, None], self.origin, self.y)[back],
            log_acceptance[back],
            self.n_gradients[back],
            failed[back],
            np.zeros(len(back), bool),
            None if self.target_energy is None else self.target_energy[back],
            None if self.target_gradient is None else self.target_gradient[back],
        )


# -------------------------------------------------------------------------------------------------------------- kernels
def _underdamped(paths: _Paths, step: np.ndarray, friction: np.ndarray, inverse_masses: np.ndarray) -> None:
    """Verlet steps between thermostats: the work is the change of the total energy outside the thermostats."""
    p = paths.momentum = np.zeros_like(paths.y)
    p[: paths.n] = paths.normals(paths.n, 0) / np.sqrt(inverse_masses)
    half, drift = step / 2, step * inverse_masses
    thermostat = _Thermostat(paths, p, step, friction, inverse_masses) if friction.any() else None
    begin = paths.energy.copy()
    kinetic = np.zeros(len(p)) if thermostat else -_kinetic(p, inverse_masses)
    for k in range(int(paths.n_steps.max(initial=0))):
        a = paths.counts[k]
        now = slice(0, a)
        if thermostat:
            thermostat.refresh(a, 2 * k + 1)
            kinetic[:a] -= _kinetic(p[:a], inverse_masses)
        p[:a] -= half[:a] * paths.gradient[:a]
        paths.y[:a] += drift[:a] * p[:a]
        paths.look(now, paths.station(now, k + 1))
        p[:a] -= half[:a] * paths.gradient[:a]
        if thermostat:
            kinetic[:a] += _kinetic(p[:a], inverse_masses)
            thermostat.refresh(a, 2 * k + 2)
    if not thermostat:  # the sum over steps telescopes
        kinetic += _kinetic(p, inverse_masses)
    paths.log_acceptance = -(paths.energy - begin) - kinetic
    if paths.mirror is not None:
        paths.mirror.normals[paths.first[: paths.n]] = -p[: paths.n] * np.sqrt(inverse_masses)


class _Thermostat:
    """p <- [(1 - alpha_1) p + sqrt(gamma Delta) G] / (1 + alpha_1), alpha_1 = gamma Delta / 4 M: keeps N(0, M)."""

    def __init__(
        self, paths: _Paths, momentum: np.ndarray, step: np.ndarray, friction: np.ndarray, inverse_masses: np.ndarray
    ) -> None:
        alpha = step * friction * inverse_masses / 4
        self.paths, self.momentum = paths, momentum
        self.kept, self.added = (1 - alpha) / (1 + alpha), np.sqrt(step * friction) / (1 + alpha)

    def refresh(self, a: int, row: int) -> None:
        paths, p = self.paths, self.momentum
        before = p[:a].copy() if paths.mirror is not None else None
        p[:a] = self.kept[:a] * p[:a] + self.added[:a] * paths.normals(a, row)
        if before is not None and paths.mirror is not None:
            # what takes -p_after to -p_before; row r of the way there is row 2K + 1 - r of the way back
            places = paths.first[:a] + 2 * paths.n_steps[:a] + 1 - row
            with np.errstate(divide="ignore"):
                paths.mirror.normals[places] = np.where(
                    self.added[:a] > 0, (self.kept[:a] * p[:a] - before) / self.added[:a], 0.0
                )


def _kinetic(p: np.ndarray, inverse_masses: np.ndarray) -> np.ndarray:
    return 0.5 * np.einsum("nd,nd,d->n", p, p, inverse_masses)


def _overdamped(paths: _Paths, step: np.ndarray, inverse_masses: np.ndarray, path: str) -> None:
    """Steps of Langevin dynamics at stations z^f, whose way back is looked at from stations z^b."""
    metropolised, symmetric = path in METROPOLISED, path.startswith("sym")
    if symmetric:
        ahead = np.zeros(len(paths.y), np.int64)  # z^f_k = z_(k + ahead)
    else:
        ahead = np.ones(len(paths.y), np.int64) if path == "asym" else paths.coin.astype(np.int64)
    drift, spread = step * inverse_masses, np.sqrt(2 * step * inverse_masses)
    begin, moved, ratios = paths.energy.copy(), np.zeros(len(paths.y)), np.zeros(len(paths.y))
    extra = 1 if symmetric else 0
    for k in range(int(paths.n_steps.max(initial=0)) + (extra if paths.n else 0)):
        a = paths.counts[k - extra] if k else paths.n
        now = slice(0, a)
        there = paths.station(now, k + ahead[:a])
        if k or ahead.any():  # at first, those whose variables move before y
            who = now if k else np.flatnonzero(ahead[:a])
            moved[who] -= paths.energy[who]
            paths.look(who, there[who])
            moved[who] += paths.energy[who]
        here, force = paths.y[:a].copy(), paths.gradient[:a].copy()
        noise = paths.normals(a, k)
        ahead_of = here - drift[:a] * force + spread[:a] * noise
        back = paths.station(now, k) if path == "asym" else there
        if not metropolised:
            paths.y[:a] = ahead_of
            paths.look(now, back)
            reverse = (here - paths.y[:a] + drift[:a] * paths.gradient[:a]) / spread[:a]
            ratios[:a] += 0.5 * ((noise**2).sum(1) - (reverse**2).sum(1))  # the ratio of kernels, l_k
            _record(paths, a, k, extra, reverse, None)
            continue
        sane = np.isfinite(ahead_of).all(1)
        point = paths.evaluate(now, back, np.where(sane[:, None], ahead_of, here))
        reverse = (here - ahead_of + drift[:a] * point.gradient) / spread[:a]
        ratio = 0.5 * ((noise**2).sum(1) - (reverse**2).sum(1)) - (point.energy - paths.energy[:a])
        accepted = sane & (paths.noise.log_uniform[paths.first_uniform[:a] + k] <= ratio)
        paths.y[:a][accepted] = ahead_of[accepted]
        paths.keep(np.flatnonzero(accepted), PathPoint(*(None if part is None else part[accepted] for part in point)))  # type: ignore[arg-type]
        _record(paths, a, k, extra, np.where(accepted[:, None], reverse, noise), accepted)
    # the last look of the others was at (z_K, y_K) already; that of "asym" was from z_(K - 1)
    last = np.arange(paths.n)[(ahead[: paths.n] == 0) & (not symmetric) | (path == "asym")]
    if len(last):
        moved[last] -= paths.energy[last]
        paths.look(last, paths.station(last, paths.n_steps[last]))
        moved[last] += paths.energy[last]
    paths.log_acceptance = -moved if metropolised else -(paths.energy - begin) + ratios
    if paths.mirror is not None and path.startswith("coin"):
        np.logical_not(paths.noise.coin, out=paths.mirror.coin)


def _record(paths: _Paths, a: int, k: int, extra: int, back: np.ndarray, accepted: np.ndarray | None) -> None:
    """The numbers of the way back: a step that was rejected is rejected again, one that was accepted is accepted."""
    if paths.mirror is None:
        return
    row = paths.n_steps[:a] + extra - 1 - k
    paths.mirror.normals[paths.first[:a] + row] = back
    if accepted is not None:
        drawn = paths.noise.log_uniform[paths.first_uniform[:a] + k]
        paths.mirror.log_uniform[paths.first_uniform[:a] + row] = np.where(accepted, -np.inf, drawn)


# ------------------------------------------------------------------------------------------------------ what users give
class _Function:
    """A function (z, y) -> (energy, gradient) as what steers y."""

    def __init__(self, function: Any) -> None:
        self.function = function

    def evaluate(self, z: np.ndarray, y: np.ndarray) -> PathPoint:
        energy, gradient = (np.asarray(part, np.float64) for part in self.function(z, y))
        if energy.shape != (len(y),) or gradient.shape != y.shape:
            raise DataError(
                f"the potential returns shapes {energy.shape} and {gradient.shape} for {len(y)} paths: expected "
                f"({len(y)},) and {y.shape}"
            )
        return PathPoint(energy, gradient)
