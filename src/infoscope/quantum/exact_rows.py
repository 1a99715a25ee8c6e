"""Rows of a step from the enumerated law: tables made once, then one compiled step after the other."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from infoscope.base import ParameterError

from .exact_law import make_tables
from .network import NetworkShape, forward_flops, n_parameters, parameter_shapes
from .network_choice import NetworkChoice
from .signed_orbits import find_signed_orbits
from .training_step import StepPlan, choose_form, exact_step, take_step

TABLES = ("images", "characters", "log_counts", "targets", "coefficients", "couplings_of")


class ExactRows:
    """The enumerated law of a family.

    Parameters
    ----------
    family : SpinFamily
    choice : NetworkChoice
    shape : NetworkShape
    n_rows : int
        M_k that is asked for; there are never more rows than orbits.
    n_systems : int
        Of a step.
    full_sum : bool
        All orbits, with their probabilities as weights.
    options : dict
        "form", "trained", "single", "chunk".

    Raises
    ------
    ParameterError
        If a full sum would cost more than the draws.
    """

    def __init__(
        self,
        family: Any,
        choice: NetworkChoice,
        shape: NetworkShape,
        n_rows: int,
        n_systems: int,
        full_sum: bool,
        options: dict[str, Any],
    ) -> None:
        import jax

        self.orbits = find_signed_orbits(family.n_sites, choice.all_symmetries, family.magnetization)
        images = choice.group.images(self.orbits.spins)
        tables = make_tables(choice.operator, self.orbits, images, choice.group.characters)
        if full_sum:
            refuse_slow_sum(shape, len(choice.group), len(self.orbits), n_rows, n_systems)
        self.n_rows = len(self.orbits) if full_sum else min(n_rows, len(self.orbits))
        trained = options.get("trained") or tuple(parameter_shapes(shape))
        form = options.get("form", "auto")
        plan = StepPlan(
            shape, choice.group.is_trivial, self.n_rows, "dual", trained, options["single"], options["chunk"]
        )
        if form == "auto":
            real_rows = self.n_rows * n_systems * (2 if shape.complex_amplitude else 1)
            form = choose_form(plan.n_trained(), real_rows)
        self.plan = StepPlan(**{**vars(plan), "form": form})
        self._tables = jax.device_put({name: getattr(tables, name) for name in TABLES})
        self._drawn = np.zeros((0, 0), np.int64)

    def step(
        self, theta: np.ndarray, previous: np.ndarray, systems: dict[str, Any], rates: dict[str, float], state: Any
    ) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
        """New parameters, the update, and what is reported."""
        arguments = {name: systems[name] for name in ("couplings", "scaled", "weights")}
        step = partial(exact_step, tables=self._tables, systems=arguments, uniforms=systems["uniforms"])
        theta, previous, report = take_step(step, theta, previous, rates, self.plan)
        self._drawn = report.pop("rows")
        return np.asarray(theta), np.asarray(previous), report

    def first_chains(self, n_systems: int, seed: int) -> np.ndarray:
        """None: draws are independent."""
        return np.zeros((n_systems, 0, self.orbits.n_sites), np.int8)

    def spins_of_row(self, row: int) -> np.ndarray:
        """The configuration of a row of the last step."""
        return self.orbits.spins[np.asarray(self._drawn).ravel()[row]]


def step_flops(shape: NetworkShape, n_images: int, n_orbits: int, n_rows: int, n_systems: int) -> float:
    """Multiplications and additions of one step, roughly: evaluations, derivatives, the matrix and its factor."""
    forward, p, parts = forward_flops(shape) * n_images, n_parameters(shape), 2 if shape.complex_amplitude else 1
    rows = n_rows * n_systems * parts
    small, large = min(rows, p), max(rows, p)
    return n_orbits * n_systems * forward + 3 * rows * forward + 2.0 * small * small * large + small**3 / 3


def refuse_slow_sum(shape: NetworkShape, n_images: int, n_orbits: int, n_rows: int, n_systems: int) -> None:
    """Raise where a full sum costs more than draws without replacement."""
    full = step_flops(shape, n_images, n_orbits, n_orbits, n_systems)
    drawn = step_flops(shape, n_images, n_orbits, min(n_rows, n_orbits), n_systems)
    if full > drawn:
        raise ParameterError(
            f'training="full_sum" would cost {full:.1e} operations a step ({n_orbits * n_systems:,} rows), '
            f"{full / drawn:.1f} times as much as {n_rows * n_systems:,} draws: take "
            f'training="sampling", whose energies are exact sums all the same, or n_samples >= {n_orbits * n_systems}'
        )
