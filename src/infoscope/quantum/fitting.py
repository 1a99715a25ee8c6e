"""The loop of training: one compiled step after the other, its history, its checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from infoscope.base.progress import progress
from infoscope.storage import Checkpoint

from .training_options import Schedule, active_probabilities, check_finite_energy


class Rows(Protocol):
    """Where the rows of a step come from: the enumerated law, or chains."""

    n_rows: int

    def step(
        self, theta: np.ndarray, previous: np.ndarray, systems: dict[str, Any], rates: dict[str, float], state: Any
    ) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
        """New parameters, the update, and what is reported."""
        ...

    def spins_of_row(self, row: int) -> np.ndarray:
        """The configuration of a row of the last step."""
        ...


@dataclass
class TrainingState:
    """All that a run needs to go on.

    Attributes
    ----------
    theta, previous : ndarray
        Parameters, and the last update.
    done : int
        Steps.
    seed : int
        Of all random numbers: those of a step depend on it and the number of the step alone.
    history : dict of list
    chains : ndarray of int8 (R, n_chains, n_sites)
        Where Markov chains stand; empty for exact draws.
    v_scores : ndarray (R,)
        The last of each system.
    """

    theta: np.ndarray
    previous: np.ndarray
    done: int
    seed: int
    history: dict[str, list[Any]]
    chains: np.ndarray
    v_scores: np.ndarray

    def as_plain(self) -> dict[str, Any]:
        """For a checkpoint."""
        return {"is": "FoundationQuantumState", **vars(self)}

    @classmethod
    def from_plain(cls, held: dict[str, Any]) -> TrainingState:
        return cls(**{name: value for name, value in held.items() if name != "is"})


@dataclass(frozen=True)
class TrainingRun:
    """What stays the same over a run.

    Attributes
    ----------
    rows : Rows
    schedule : Schedule
    couplings, scaled : ndarray (R, m)
    weights : ndarray (R,)
    per_step : int
        Systems a step looks at.
    active : bool
        Whether hard systems are looked at more often, with weights that correct for it.
    n_sites : int
    """

    rows: Rows
    schedule: Schedule
    couplings: np.ndarray
    scaled: np.ndarray
    weights: np.ndarray
    per_step: int
    active: bool
    n_sites: int

    def go(self, state: TrainingState, checkpoint: Checkpoint | None, label: str = "training") -> None:
        """To the end of the schedule; the checkpoint is kept between steps."""
        with progress(self.schedule.n_iter, label, "steps") as bar:
            bar.update(state.done)
            try:
                while state.done < self.schedule.n_iter:
                    self._step(state)
                    bar.update(1)
                    bar.note(self._note(state))
                    if checkpoint is not None:
                        checkpoint.save_when_due(state.as_plain)
            except KeyboardInterrupt:
                if checkpoint is None:
                    raise
                checkpoint.save(state.as_plain())
                raise KeyboardInterrupt(
                    f"stopped after {state.done} of {self.schedule.n_iter} steps; {checkpoint.path} holds them: go on "
                    "with resume=True"
                ) from None
        if checkpoint is not None:
            checkpoint.save(state.as_plain())

    def _step(self, state: TrainingState) -> None:
        rng = np.random.default_rng([state.seed, state.done])
        chosen, weights = self._choose(state, rng)
        systems = {
            "numbers": chosen,
            "couplings": self.couplings[chosen],
            "scaled": self.scaled[chosen],
            "weights": weights,
            "uniforms": rng.uniform(size=len(chosen)),
        }
        rates = self.schedule.rates(state.done)
        theta, previous, report = self.rows.step(state.theta, state.previous, systems, rates, state)
        check_finite_energy(report, systems["couplings"], self.rows.n_rows, self.rows.spins_of_row)
        energies, variances = np.asarray(report["energies"]), np.asarray(report["variances"])
        v_scores = state.v_scores.copy()
        v_scores[chosen] = self.n_sites * variances / energies**2
        record = {
            "systems": chosen,
            "energies": energies,
            "variances": variances,
            "diag_shift": float(report["diag_shift"]),
            "truncated": bool(report["truncated"]),
        }
        if "acceptance" in report:
            record["acceptance"] = float(report["acceptance"])
        # all of it at once: what an interrupt leaves is the state before the step, or after it
        state.theta, state.previous, state.v_scores, state.done = theta, previous, v_scores, state.done + 1
        state.chains = report.get("chains", state.chains)
        for name, value in record.items():
            state.history.setdefault(name, []).append(value)

    def _choose(self, state: TrainingState, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Which systems a step looks at, and their weights P_k / (S q_k) of sum one on average."""
        n = len(self.weights)
        if self.per_step == n and not self.active:
            return np.arange(n), self.weights
        q = active_probabilities(state.v_scores, self.weights) if self.active else self.weights
        chosen = rng.choice(n, self.per_step, p=q / q.sum())
        weights = self.weights[chosen] / (q[chosen] * self.per_step)
        return chosen, weights / weights.sum()

    def _note(self, state: TrainingState) -> str:
        energies = state.history["energies"][-1]
        return f"energy {energies.mean() / self.n_sites:.5f} a site, V-score {np.nanmax(state.v_scores):.1e}"


def history_arrays(history: dict[str, list[Any]]) -> dict[str, np.ndarray]:
    """One array a record, a row a step."""
    return {name: np.asarray(values) for name, values in history.items()}
