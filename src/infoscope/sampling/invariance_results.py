"""Whether moves leave a target as it is, and how far off they were."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from infoscope.base import Provenance, Result
from infoscope.base.contents import numbers

GRADIENT_BOUND, REVERSAL_BOUND, LEVEL = 1e-4, 1e-8, 1e-3


@dataclass(frozen=True, kw_only=True, eq=False)
class InvarianceCheck(Result):
    """What `check_invariance` found.

    Attributes
    ----------
    gradient_error, variables_error : float
        Largest difference between a slope and differences of values, of the target and of the variables, by the size
        of a slope.
    position_error, work_error : float
        How far from its start the way back of a path ends, and how far its work is from minus that of the way there.
    engine_error : float
        Largest difference of end points and works between the target's own engine and steps by its gradient; NaN
        without an engine.
    observables : tuple of str
        What was looked at before and after the moves.
    p_values : array (K,)
        Of the signed ranks of the changes of each: changes up and down are alike where a move leaves the law as it is.
    p_value : float
        The smallest one, adjusted for their number (Holm); NaN where too little moved.
    mean_exp, mean_exp_se : float
        Mean of exp(L) over all attempts: 1 in equilibrium, but of such heavy tails that a low value only says that
        paths are too fast.
    acceptance_rate : float
        Of the moves.
    moved : float
        Share of the configurations that changed.
    n_chains, n_moves : int
        Configurations, and moves of each.
    n_nan, n_constraint_failed : int
        Attempts that met numbers that are not finite, or constraints that could not be held.
    embedding, path : str
    step, step_length : float or array
        What was used.
    """

    gradient_error: float
    variables_error: float
    position_error: float
    work_error: float
    engine_error: float
    observables: tuple[str, ...]
    p_values: np.ndarray
    p_value: float
    mean_exp: float
    mean_exp_se: float
    acceptance_rate: float
    moved: float
    n_chains: int
    n_moves: int
    n_nan: int
    n_constraint_failed: int
    embedding: str
    path: str
    step: float
    step_length: np.ndarray
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {"p_values": numbers("observables"), "step_length": numbers("L")}

    _references = ("jarzynski_paths", "nonlocal_variables")
    _estimates = ()  # the table of checks

    @property
    def passed(self) -> bool:
        """Whether paths go back and the law stays; the gradients only cost acceptance and do not count."""
        return not self._faults

    @property
    def _faults(self) -> list[str]:
        found = []
        if not (self.position_error <= REVERSAL_BOUND and self.work_error <= REVERSAL_BOUND):
            found.append(f"paths do not go back (off by {self.position_error:.2g}, works by {self.work_error:.2g} kT)")
        if self.engine_error > REVERSAL_BOUND:
            found.append(f"the target's own engine leads elsewhere than its gradient (by {self.engine_error:.2g})")
        if self.p_value < LEVEL:
            worst = self.observables[int(np.nanargmin(self.p_values))]
            found.append(f"moves change the law of {worst} (p = {self.p_value:.2g})")
        return found

    @property
    def verdict(self) -> str:
        """One sentence: whether the moves may be trusted with this target."""
        slope = max(self.gradient_error, self.variables_error)
        gradients = "" if slope <= GRADIENT_BOUND else " A gradient is wrong, which costs acceptance only."
        if self._faults:
            return f"These moves are not exact for this target: {'; '.join(self._faults)}.{gradients}"
        if math.isnan(self.p_value):
            return (
                f"Paths go back, and too little moved ({self.moved:.1%} of the configurations) to say more: give more "
                f"configurations, or shorter steps.{gradients}"
            )
        return f"Paths go back, and the moves leave the law as it is (p = {self.p_value:.2g}).{gradients}"

    @property
    def _title(self) -> str:
        return f"Invariance of {self.path} paths, {self.embedding} embedding ({self.n_chains} configurations)"

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {"check": "gradient of the target", "value": self.gradient_error, "bound": GRADIENT_BOUND},
            {"check": "gradients of the variables", "value": self.variables_error, "bound": GRADIENT_BOUND},
            {"check": "way back, position", "value": self.position_error, "bound": REVERSAL_BOUND},
            {"check": "way back, work", "value": self.work_error, "bound": REVERSAL_BOUND},
            {"check": "the target's own engine", "value": self.engine_error, "bound": REVERSAL_BOUND},
            {"check": "stationarity, p-value", "value": self.p_value, "bound": LEVEL},
            {"check": "mean of exp(L)", "value": self.mean_exp, "bound": math.nan},
            {"check": "accepted", "value": self.acceptance_rate, "bound": math.nan},
        ]
