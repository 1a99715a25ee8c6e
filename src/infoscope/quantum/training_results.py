"""What training did, step by step: energies and V-scores of every system."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from infoscope.base import Provenance, Result
from infoscope.base.contents import flags, numbers, whole
from infoscope.base.rounding import exceeds

__all__ = ["TrainingCurves"]

GOOD_V_SCORE = 1e-3
LAST = 0.1  # of the steps, over which energies are looked at for whether they still fall
FALLS = 1e-4  # of the energy, from which they do


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingCurves(Result):
    """Energies and V-scores of R systems along T steps; NaN where a step did not look at a system.

    Attributes
    ----------
    couplings : array (R, m)
        What was trained.
    coupling_names : tuple of str
    n_sites : int
    energy, energy_se : array (T, R)
        Of the state before the step; the error is that of the rows of a step, 0 where energies are exact sums.
    v_score : array (T, R)
        N Var(H) / E^2: how far the state is from an eigenstate.
    diag_shift : array (T,)
        Of the natural gradient, as it was used.
    truncated : array of bool (T,)
        Where no shift helped, and small eigenvalues were left out.
    exact_energy : array (R,) or None
        Ground states, where they were asked for.
    """

    couplings: np.ndarray = field(repr=False)
    coupling_names: tuple[str, ...]
    n_sites: int
    energy: np.ndarray = field(repr=False)
    energy_se: np.ndarray = field(repr=False)
    v_score: np.ndarray = field(repr=False)
    diag_shift: np.ndarray = field(repr=False)
    truncated: np.ndarray = field(repr=False)
    exact_energy: np.ndarray | None = field(default=None, repr=False)
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {
        "couplings": numbers("R", "coupling_names"),
        "n_sites": whole(1),
        **{name: numbers("diag_shift", "couplings") for name in ("energy", "energy_se", "v_score")},
        "diag_shift": numbers("T"),
        "truncated": flags("diag_shift"),
        "exact_energy": numbers("couplings") | None,
    }

    _references = ("foundation_states", "v_score")

    @property
    def n_steps(self) -> int:
        """T."""
        return len(self.diag_shift)

    @property
    def relative_error(self) -> np.ndarray:
        """Energies less exact ones, over their size, (T, R); NaN without exact ones."""
        if self.exact_energy is None:
            return np.full(self.energy.shape, np.nan)
        return (self.energy - self.exact_energy) / np.abs(self.exact_energy)

    @property
    def last_v_score(self) -> np.ndarray:
        """The last that is known of each system, (R,)."""
        return last_known(self.v_score)

    @property
    def _title(self) -> str:
        n = len(self.couplings)
        return f"Training of {n} system{'s' * (n > 1)} of {self.n_sites} spins, {self.n_steps} steps"

    @property
    def _estimates(self) -> list[Any]:
        shown: list[Any] = [("largest V-score in the end", float(np.nanmax(self.last_v_score)), None)]
        if self.exact_energy is not None:
            away = np.abs(last_known(self.relative_error))
            shown.append(("largest relative error of an energy", float(np.nanmax(away)), None))
        return [*shown, ("steps that left small eigenvalues out", int(self.truncated.sum()), None)]

    def _rows(self) -> list[dict[str, Any]]:
        rows = []
        for step, system in np.argwhere(np.isfinite(self.energy)).tolist():
            row: dict[str, Any] = {"step": step}
            row |= {n: float(v) for n, v in zip(self.coupling_names, self.couplings[system], strict=True)}
            row |= {name: float(getattr(self, name)[step, system]) for name in ("energy", "energy_se", "v_score")}
            if self.exact_energy is not None:
                row["relative_error"] = float(self.relative_error[step, system])
            rows.append(row | {"diag_shift": float(self.diag_shift[step])})
        return rows

    @property
    def verdict(self) -> str:
        """One sentence: whether the states are good, and whether more steps would help."""
        worst = float(np.nanmax(self.last_v_score))
        n_late = max(2, round(LAST * self.n_steps))
        late = self.energy[-n_late:]
        fall = (last_known(late[::-1]) - last_known(late)) / np.abs(last_known(late))
        falling = exceeds(float(np.nanmax(fall, initial=0.0)), FALLS)
        quality = "good states (below 0.001)" if worst <= GOOD_V_SCORE else "0.001 is good"
        said = f"After {self.n_steps} steps V-scores are {worst:.2g} at most: {quality}"
        return f"{said}; energies still fall: train longer." if falling else f"{said}; energies have settled."


def last_known(values: np.ndarray) -> np.ndarray:
    """The last number of each column that is one, NaN where none is.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.quantum.training_results import last_known
    >>> last_known(np.array([[1.0, 2.0], [3.0, np.nan]]))
    array([3., 2.])
    """
    known = np.isfinite(values)
    at = len(values) - 1 - np.argmax(known[::-1], axis=0)
    return np.where(known.any(axis=0), values[at, np.arange(values.shape[1])], np.nan)
