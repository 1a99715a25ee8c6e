"""What `learning_curves` returns: losses by clone and step, with errors, and the step at which each order is learnt."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from infoscope.base import Provenance, Result, format_estimate
from infoscope.base.contents import integers, number, numbers, whole

LEVEL = 0.95  # of intervals


@dataclass(frozen=True, kw_only=True, eq=False)
class LearningCurves(Result):
    """Losses of a model on real sequences and on clones, along its training.

    C sets of sequences (real ones first), T steps, R trainings.

    Attributes
    ----------
    steps : array (T,)
    orders : array (C,)
        0 for real sequences.
    loss, loss_se : array (C, T)
        In nats a token, mean over trainings; errors by documents (sequences of clones), and trainings where there are
        several.
    clock, clock_low, clock_high : array (C,)
        First step from which the loss is within `clock_level` of its whole fall above its lowest value, with a 95 %
        interval by resampling.
    later_fall, later_fall_se : array (C, C)
        Row k: how much the loss on each set falls between the clock of set k and the last step.
    clock_level : float
    n_runs : int
    """

    steps: np.ndarray = field(repr=False)
    orders: np.ndarray
    loss: np.ndarray = field(repr=False)
    loss_se: np.ndarray = field(repr=False)
    clock: np.ndarray
    clock_low: np.ndarray
    clock_high: np.ndarray
    later_fall: np.ndarray = field(repr=False)
    later_fall_se: np.ndarray = field(repr=False)
    clock_level: float
    n_runs: int
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    provenance: Provenance | None = field(default=None, repr=False)

    _references = ("infoscope", "data_clones")
    _contents = {
        "steps": integers("T"), "orders": integers("C"), "loss": numbers("C", "T"), "loss_se": numbers("C", "T"),
        "clock": numbers("C"), "clock_low": numbers("C"), "clock_high": numbers("C"),
        "later_fall": numbers("C", "C"), "later_fall_se": numbers("C", "C"), "clock_level": number(),
        "n_runs": whole(1),
    }  # fmt: skip

    @classmethod
    def of(
        cls,
        steps: np.ndarray,
        orders: np.ndarray,
        losses: list[np.ndarray],
        units: list[np.ndarray],
        *,
        clock_level: float,
        n_resamples: int,
        random_state: int,
        notes: tuple[str, ...],
        provenance: Provenance,
    ) -> LearningCurves:
        """From losses (R, T, n) of every set, and the units that its sequences are resampled with."""
        n_runs = len(losses[0])
        curves = np.stack([table.mean(axis=(0, 2)) for table in losses])
        rng = np.random.default_rng([random_state, 1])
        resampled = np.empty((n_resamples, *curves.shape))
        for b in range(n_resamples):
            runs = rng.integers(n_runs, size=n_runs)
            for c, (table, unit) in enumerate(zip(losses, units, strict=True)):
                n_units = int(unit.max()) + 1
                counts = np.bincount(rng.integers(n_units, size=n_units), minlength=n_units)[unit]
                resampled[b, c] = (table[runs].mean(axis=0) * counts).sum(axis=-1) / counts.sum()
        at = _clock(curves, clock_level)
        falls = curves[:, at].T - curves[:, -1]
        clocks = steps[_clock(resampled, clock_level)].astype(float)
        low, high = np.quantile(clocks, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
        return cls(
            steps=steps, orders=orders, loss=curves, loss_se=resampled.std(axis=0, ddof=1),
            clock=steps[at].astype(float), clock_low=low, clock_high=high, later_fall=falls,
            later_fall_se=(resampled[:, :, at] - resampled[:, :, -1:]).std(axis=0, ddof=1).T,
            clock_level=float(clock_level), n_runs=n_runs, notes=notes, provenance=provenance,
        )  # fmt: skip

    def name_of(self, at: int) -> str:
        """What a set is called."""
        return "real" if self.orders[at] == 0 else f"order {self.orders[at]}"

    @property
    def _title(self) -> str:
        return f"Losses along training ({len(self.steps)} steps, trainings: {self.n_runs})"

    @property
    def verdict(self) -> str:
        """One sentence."""
        learnt = ", ".join(f"{self.name_of(at)} at {self.clock[at]:g}" for at in range(1, len(self.orders)))
        rising = bool((np.diff(self.clock[1:]) >= 0).all())
        text = f"learnt by step: {learnt}, real sequences at {self.clock[0]:g}"
        text += "; low orders first" if rising else "; NOT in the order of their orders"
        pair = np.flatnonzero(self.orders == 2)
        if not len(pair):
            return text
        at = int(pair[0])
        real = format_estimate(self.later_fall[at, 0], self.later_fall_se[at, 0])
        own = format_estimate(self.later_fall[at, at], self.later_fall_se[at, at])
        return f"{text}; after order 2 was learnt, the loss fell by {real} on real sequences and by {own} on its clone"

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {
                "sequences": self.name_of(at),
                "first_loss": float(self.loss[at, 0]),
                "last_loss": float(self.loss[at, -1]),
                "last_loss_se": float(self.loss_se[at, -1]),
                "clock": float(self.clock[at]),
                "clock_low": float(self.clock_low[at]),
                "clock_high": float(self.clock_high[at]),
            }
            for at in range(len(self.orders))
        ]


def _clock(curves: np.ndarray, level: float) -> np.ndarray:
    """First step at which the loss is within a share of its whole fall above its lowest value; curves (..., T)."""
    lowest = curves.min(axis=-1, keepdims=True)
    reached = curves <= lowest + level * (curves[..., :1] - lowest)
    return np.asarray(reached.argmax(axis=-1))
