"""Paths on which the variables are held exactly where they should be: constrained dynamics whose constraint moves.

The scheme is that of Schönle, Carbone, Gabrié, Lelièvre, Stoltz (arXiv:2512.16812), with two additions: the kinetic
energy of the imposed velocity at both ends, without which a Gram matrix that depends on x biases every move whose
velocity does not vanish there, and a check that every step can be taken back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from infoscope.base import DataError, ParameterError

from .embeddings import displacement
from .interfaces import CollectiveVariables, Potential
from .path_noise import PathNoise
from .paths import PathEnd, PathPoint
from .schedules import schedule_function, schedule_velocity
from .variables import LinearVariables, SubsetVariables

TOLERANCE, MOST_ITERATIONS = 1e-12, 30  # of Newton's rule for the multipliers
RETURN_TOLERANCE = 1e-8  # how near a step that is taken back must come to where it began
HESSIAN_SPACING = 1e-5


class RigidEmbedding:
    r"""x is steered as a whole, with xi(x) = z at every step; no strength of a restraint to choose.

    Parameters
    ----------
    target : Potential
    variables : CollectiveVariables
        Independent of each other wherever paths go.
    fixman_force : bool
        Whether the force of the potential ln(det G) / 2 is applied, by differences of gradients of the variables
        (2 m of them a step).  Without it moves are as exact, and fewer are accepted.

    Attributes
    ----------
    n_auxiliary : int
        Length of y, which is x.

    Raises
    ------
    DataError
        Coordinates of another number.

    Notes
    -----
    With the gradients J of the variables, :math:`G = J^T M^{-1} J` and :math:`V_f = V + \tfrac{1}{2} \ln \det G`,
    momenta obey :math:`J^T M^{-1} p = v`, the velocity of z, and the work is

    .. math::

       W = V_f(x_K) - V_f(x_0) + \sum_k \tfrac{1}{2} [p_{3/4}^2 - p_{1/4}^2] M^{-1}
       - \tfrac{1}{2} [v_K^T G_K^{-1} v_K - v_0^T G_0^{-1} v_0] .

    The last bracket vanishes where G is constant or the schedule is "cosine".

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.sampling import FunctionVariables, RigidEmbedding, Target
    >>> spring = Target(lambda x: (x**2).sum(1) / 2, lambda x: x, n_coordinates=2)
    >>> radius = FunctionVariables(
    ...     lambda x: np.sqrt((x**2).sum(1, keepdims=True)),
    ...     lambda x: (x / np.sqrt((x**2).sum(1, keepdims=True)))[:, None, :],
    ...     names=["radius"],
    ... )
    >>> RigidEmbedding(spring, radius).split(np.array([[3.0, 4.0]]))
    (array([[5.]]), array([[3., 4.]]))
    """

    kappa: None = None

    def __init__(self, target: Potential, variables: CollectiveVariables, *, fixman_force: bool = True) -> None:
        known = getattr(variables, "n_coordinates", target.n_coordinates)
        if known != target.n_coordinates:
            raise DataError(f"the variables are of {known} coordinates, and the target has {target.n_coordinates}")
        self.target, self.variables, self.period = target, variables, variables.period
        self.n_auxiliary = target.n_coordinates
        self._is_linear = isinstance(variables, (SubsetVariables, LinearVariables))
        self.fixman_force = bool(fixman_force) and not self._is_linear

    def split(
        self, x: np.ndarray, generators: Sequence[np.random.Generator] | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """z (n, m), and x itself; nothing is drawn."""
        return self.variables.values(x), x

    def join(self, z: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Configurations (n, D), which are y."""
        return y

    def start(self, x: np.ndarray, z: np.ndarray, energy: np.ndarray, gradient: np.ndarray) -> PathPoint:
        """What is known of configurations."""
        return PathPoint(energy, gradient, energy, gradient)

    def steer(
        self,
        z: np.ndarray,
        displacement: np.ndarray,
        y: np.ndarray,
        *,
        n_steps: np.ndarray,
        step: Any,
        path: str = "underdamped",
        schedule: str = "cosine",
        friction: Any = 0.0,
        masses: Any = None,
        noise: PathNoise,
        start: PathPoint | None = None,
        mirror: PathNoise | None = None,
    ) -> PathEnd:
        """Paths along z; see `paths.steer` for the parameters.

        Raises
        ------
        ParameterError
            A path other than "underdamped".
        """
        if path != "underdamped":
            raise ParameterError(f"path={path!r} does not hold constraints: the rigid embedding needs 'underdamped'")
        begin = start or PathPoint(*self.target.energy_and_gradient(y))
        paths = _RigidPaths(self, z, displacement, y, n_steps, step, schedule, friction, masses, noise, begin, mirror)
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            paths.run()
        return paths.end(counted=start is None)

    def end_kinetic(self, velocity: np.ndarray, lifted: np.ndarray) -> np.ndarray:
        """v^T G^-1 v / 2 (n,), the kinetic energy that the imposed velocity puts in, given v and G^-1 v."""
        return 0.5 * (velocity * lifted).sum(1)

    def fixman(
        self, x: np.ndarray, jacobian: np.ndarray, gram: np.ndarray, inverse_masses: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """ln(det G) / 2 and its gradient, sum_i H_i M^-1 (J G^-1)_i with the Hessians H_i of the variables.

        The gradient is by differences: any function of x will do for a force.
        """
        sign, log_det = np.linalg.slogdet(gram)
        energy = np.where(sign > 0, 0.5 * log_det, np.nan)
        if not self.fixman_force:
            return energy, np.zeros_like(x)
        m = gram.shape[1]
        directions = inverse_masses * np.moveaxis(_solve(gram, jacobian), 1, 0)  # (m, n, D)
        size = np.sqrt((directions**2).mean(2, keepdims=True))
        spacing = HESSIAN_SPACING * np.maximum(1.0, np.abs(x).max(1))[:, None] / np.maximum(size, 1e-300)
        there = x + spacing * np.where(np.isfinite(directions), directions, 0.0)
        back = x - spacing * np.where(np.isfinite(directions), directions, 0.0)
        weights = np.repeat(np.eye(m), len(x), axis=0)
        pulls = [self.variables.pull_back(at.reshape(-1, x.shape[1]), weights) for at in (there, back)]
        return energy, ((pulls[0] - pulls[1]).reshape(there.shape) / (2 * spacing)).sum(0)


class _RigidPaths:
    """Paths side by side; those on their way are looked up at every step."""

    def __init__(
        self,
        embedding: RigidEmbedding,
        z: np.ndarray,
        way: np.ndarray,
        x: np.ndarray,
        n_steps: np.ndarray,
        step: Any,
        schedule: str,
        friction: Any,
        masses: Any,
        noise: PathNoise,
        begin: PathPoint,
        mirror: PathNoise | None,
    ) -> None:
        self.embedding, self.noise, self.mirror = embedding, noise, mirror
        self.z, self.way, self.n_steps = z, way, n_steps
        self.schedule, self.velocity_of = schedule_function(schedule), schedule_velocity(schedule)
        n, d = x.shape
        self.step = np.broadcast_to(np.asarray(step, np.float64), (n,))[:, None]
        self.inverse_masses = np.ones(d) if masses is None else 1.0 / np.broadcast_to(masses, (d,))
        self.friction = np.broadcast_to(np.asarray(friction, np.float64), (d,))
        self.origin, self.x, self.p = x, np.array(x, np.float64), np.zeros((n, d))
        self.energy, self.gradient = np.array(begin.energy), np.array(begin.gradient)
        self.log_acceptance, self.n_gradients = np.zeros(n), np.zeros(n, np.int64)
        self.is_nan, self.failed = np.zeros(n, bool), np.zeros(n, bool)

    def run(self) -> None:
        rows = np.flatnonzero(self.n_steps)
        if not len(rows):
            return
        here = self.x[rows]
        jacobian, gram = self._geometry(here)
        fixman, bend = self.embedding.fixman(here, jacobian, gram, self.inverse_masses)
        rows, (jacobian, gram, fixman, bend) = self._drop(rows, ~np.isfinite(fixman), jacobian, gram, fixman, bend)
        velocity = self._velocity(rows, 0)
        free = self.noise.normals[self.noise.first[rows]] / np.sqrt(self.inverse_masses)
        self.p[rows] = self._impose(free, velocity, jacobian, gram)
        begin = self.energy[rows] + fixman - self.embedding.end_kinetic(velocity, _solve(gram, velocity))
        # -W = [V_f - v^T G^-1 v / 2] at the start, minus that at the end, minus the kinetic works of all steps, which
        # telescope where no thermostat acts
        self.log_acceptance[rows] = begin + (0.0 if self.friction.any() else self._kinetic(rows))
        for k in range(int(self.n_steps.max())):
            rows, jacobian, gram, bend = self._advance(rows, k, jacobian, gram, bend)
            if not len(rows):
                return

    def _advance(
        self, rows: np.ndarray, k: int, jacobian: np.ndarray, gram: np.ndarray, bend: np.ndarray
    ) -> tuple[np.ndarray, ...]:
        """One step of all that are on their way; those that go on, with what is known where they are."""
        if self.friction.any():
            self._thermostat(rows, 2 * k + 1, self._velocity(rows, k), jacobian, gram)
            self.log_acceptance[rows] += self._kinetic(rows)
        step, x = self.step[rows], self.x[rows]
        kicked = self.p[rows] - step / 2 * (self.gradient[rows] + bend)
        x_new, pull, held = self._project(
            x + step * self.inverse_masses * kicked, jacobian, step, self._station(rows, k + 1)
        )
        rows, (jacobian, bend, x, kicked, x_new, pull) = self._drop(rows, ~held, jacobian, bend, x, kicked, x_new, pull)
        energy, gradient = self.embedding.target.energy_and_gradient(x_new)
        self.n_gradients[rows] += 1
        jacobian, gram = self._geometry(x_new)
        fixman, bend = self.embedding.fixman(x_new, jacobian, gram, self.inverse_masses)
        lost = ~(np.isfinite(energy) & np.isfinite(gradient).all(1))
        self.is_nan[rows[lost]] = True
        rows, (energy, gradient, jacobian, gram, fixman, bend, x, kicked, x_new, pull) = self._drop(
            rows, lost | ~np.isfinite(fixman), energy, gradient, jacobian, gram, fixman, bend, x, kicked, x_new, pull
        )
        step, velocity = self.step[rows], self._velocity(rows, k + 1)
        p = self._impose(kicked + pull - step / 2 * (gradient + bend), velocity, jacobian, gram)
        # taken back, the step must lead to where it began: Newton's rule may have found another root
        returned, _, held = self._project(
            x_new - step * self.inverse_masses * (p + step / 2 * (gradient + bend)),
            jacobian,
            step,
            self._station(rows, k),
        )
        near = np.abs(returned - x).max(1, initial=0) <= RETURN_TOLERANCE * np.maximum(1.0, np.abs(x).max(1, initial=0))
        rows, (energy, gradient, jacobian, gram, fixman, bend, x_new, p, velocity) = self._drop(
            rows, ~(held & near), energy, gradient, jacobian, gram, fixman, bend, x_new, p, velocity
        )
        self.x[rows], self.p[rows], self.energy[rows], self.gradient[rows] = x_new, p, energy, gradient
        if self.friction.any():
            self.log_acceptance[rows] -= self._kinetic(rows)
            self._thermostat(rows, 2 * k + 2, velocity, jacobian, gram)
        ends = self.n_steps[rows] == k + 1
        self._finish(rows[ends], fixman[ends], velocity[ends], gram[ends])
        on = ~ends
        return rows[on], jacobian[on], gram[on], bend[on]

    def _finish(self, rows: np.ndarray, fixman: np.ndarray, velocity: np.ndarray, gram: np.ndarray) -> None:
        kinetic = 0.0 if self.friction.any() else self._kinetic(rows)
        imposed = self.embedding.end_kinetic(velocity, _solve(gram, velocity))
        self.log_acceptance[rows] -= self.energy[rows] + fixman - imposed + kinetic
        if self.mirror is not None:
            self.mirror.normals[self.noise.first[rows]] = -self.p[rows] * np.sqrt(self.inverse_masses)

    def end(self, *, counted: bool) -> PathEnd:
        steered = self.n_steps > 0
        is_nan = self.is_nan | (steered & ~self.failed & ~np.isfinite(self.log_acceptance))
        lost = is_nan | self.failed
        return PathEnd(
            np.where(lost[:, None], self.origin, self.x),
            np.where(lost | ~steered, -np.inf, self.log_acceptance),
            self.n_gradients + (counted & steered),
            is_nan,
            self.failed & ~is_nan,
            self.energy,
            self.gradient,
        )

    # ---- geometry ----
    def _station(self, rows: np.ndarray, k: int) -> np.ndarray:
        return self.z[rows] + self.schedule(k / self.n_steps[rows])[:, None] * self.way[rows]

    def _velocity(self, rows: np.ndarray, k: int) -> np.ndarray:
        """v_k = (z' - z) f'(k / K) / (K Delta)."""
        steps = self.n_steps[rows]
        return self.way[rows] * self.velocity_of(k / steps)[:, None] / (steps[:, None] * self.step[rows])

    def _geometry(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Gradients of the variables (n, m, D), and G = J^T M^-1 J (n, m, m)."""
        jacobian = self.embedding.variables.jacobian(x)
        return jacobian, np.einsum("nad,nbd,d->nab", jacobian, jacobian, self.inverse_masses)

    def _impose(self, p: np.ndarray, velocity: np.ndarray, jacobian: np.ndarray, gram: np.ndarray) -> np.ndarray:
        """p + J G^-1 (v - J^T M^-1 p): the nearest momenta with which the variables move at v."""
        missing = velocity - np.einsum("nmd,nd,d->nm", jacobian, p, self.inverse_masses)
        return p + np.einsum("nmd,nm->nd", jacobian, _solve(gram, missing))

    def _project(
        self, free: np.ndarray, jacobian: np.ndarray, step: np.ndarray, z: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """x = free + Delta M^-1 J lambda with xi(x) = z, and J lambda, by Newton's rule; and whether it was found."""
        multipliers = np.zeros(z.shape)
        held = np.zeros(len(z), bool)
        rows = np.flatnonzero(np.isfinite(free).all(1))
        lift = step[:, :, None] * self.inverse_masses * jacobian
        x = free.copy()
        for _ in range(MOST_ITERATIONS + 1):
            if not len(rows):
                break
            trial = free[rows] + np.einsum("nmd,nm->nd", lift[rows], multipliers[rows])
            sane = np.isfinite(trial).all(1)
            rows, trial = rows[sane], trial[sane]
            x[rows] = trial
            missing, _ = displacement(self.embedding.variables.values(trial), z[rows], self.embedding.period)
            slope = self.embedding.variables.jacobian(trial)
            # beyond the rounding of xi itself there is nothing to gain
            rounding = 4 * np.finfo(float).eps * np.einsum("nmd,nd->nm", np.abs(slope), np.abs(trial))
            on = ~(np.abs(missing) <= TOLERANCE * np.maximum(1.0, np.abs(z[rows])) + rounding).all(1)
            held[rows[~on]] = True
            rows = rows[on]
            multipliers[rows] += _solve(np.einsum("nad,nbd->nab", slope[on], lift[rows]), missing[on])
        return x, np.einsum("nmd,nm->nd", jacobian, multipliers), held

    def _thermostat(
        self, rows: np.ndarray, number: int, velocity: np.ndarray, jacobian: np.ndarray, gram: np.ndarray
    ) -> None:
        """A half-step of friction and noise at imposed velocity: keeps the law of the momenta that move at v."""
        step, p = self.step[rows], self.p[rows]
        c = step * self.friction * self.inverse_masses / 4
        drift = 2 * c * np.einsum("nmd,nm->nd", jacobian, _solve(gram, velocity))
        spread = np.sqrt(step * self.friction)
        free = ((1 - c) * p + drift + spread * self.noise.normals[self.noise.first[rows] + number]) / (1 + c)
        lift = jacobian / (1 + c)[:, None, :]
        missing = velocity - np.einsum("nmd,nd,d->nm", jacobian, free, self.inverse_masses)
        inner = np.einsum("nad,nbd,d->nab", jacobian, lift, self.inverse_masses)
        self.p[rows] = free + np.einsum("nmd,nm->nd", lift, _solve(inner, missing))
        if self.mirror is not None:  # what leads from -p_after at -v to -p_before
            back = ((1 - c) * self.p[rows] + drift - (1 + c) * p) / np.where(spread > 0, spread, np.inf)
            self.mirror.normals[self.noise.first[rows] + 2 * self.n_steps[rows] + 1 - number] = back

    def _kinetic(self, rows: np.ndarray) -> np.ndarray:
        return 0.5 * np.einsum("nd,nd,d->n", self.p[rows], self.p[rows], self.inverse_masses)

    def _drop(self, rows: np.ndarray, lost: np.ndarray, *arrays: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
        """Paths that failed are not followed any further."""
        if lost.any():
            self.failed[rows[lost]] = True
            kept = ~lost
            return rows[kept], [array[kept] for array in arrays]
        return rows, list(arrays)


def _solve(matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Solutions of (n, m, m) with (n, m) or (n, m, D); numbers that are not finite where a matrix is singular."""
    vectors = right.ndim == 2
    columns = right[:, :, None] if vectors else right
    if matrix.shape[1] == 1:
        found = columns / matrix
    else:
        try:
            found = np.linalg.solve(matrix, columns)
        except np.linalg.LinAlgError:
            found = np.full(columns.shape, np.nan)
            for row in range(len(matrix)):
                if np.linalg.matrix_rank(matrix[row]) == matrix.shape[1]:
                    found[row] = np.linalg.solve(matrix[row], columns[row])
    return found[:, :, 0] if vectors else found
