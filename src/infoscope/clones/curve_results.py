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
    accuracy, accuracy_se : array (C, T)
        Share of masked tokens that are the most likely one (of m equally likely ones, one in m), in the same way.
    difference, difference_se : array (C, C, T)
        Loss on the first set less loss on the second; errors pair both by training.
    clock, clock_low, clock_high : array (C,)
        First step from which the loss is within `clock_level` of its whole fall above its lowest value, with a 95 %
        interval by resampling.
    later_fall, later_fall_se : array (C, C)
        Row k: how much the loss on each set falls between the clock of set k and the last step.
    flat_until : array (C,)
        Last step up to which, from its clock on, the loss on a set stays within `clock_level` of its whole fall above
        its lowest value.
    flat_fall, flat_fall_se : array (C, C)
        Row k: how much the loss on each set falls between the clock of set k and its `flat_until`.
    clock_level : float
    n_runs : int
    """

    steps: np.ndarray = field(repr=False)
    orders: np.ndarray
    loss: np.ndarray = field(repr=False)
    loss_se: np.ndarray = field(repr=False)
    accuracy: np.ndarray = field(repr=False)
    accuracy_se: np.ndarray = field(repr=False)
    difference: np.ndarray = field(repr=False)
    difference_se: np.ndarray = field(repr=False)
    clock: np.ndarray
    clock_low: np.ndarray
    clock_high: np.ndarray
    later_fall: np.ndarray = field(repr=False)
    later_fall_se: np.ndarray = field(repr=False)
    flat_until: np.ndarray
    flat_fall: np.ndarray = field(repr=False)
    flat_fall_se: np.ndarray = field(repr=False)
    clock_level: float
    n_runs: int
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    provenance: Provenance | None = field(default=None, repr=False)

    _references = ("infoscope", "data_clones")
    _contents = {
        "steps": integers("T"), "orders": integers("C"), "loss": numbers("C", "T"), "loss_se": numbers("C", "T"),
        "accuracy": numbers("C", "T"), "accuracy_se": numbers("C", "T"), "difference": numbers("C", "C", "T"),
        "difference_se": numbers("C", "C", "T"), "clock": numbers("C"), "clock_low": numbers("C"),
        "clock_high": numbers("C"),
        "later_fall": numbers("C", "C"), "later_fall_se": numbers("C", "C"), "flat_until": numbers("C"),
        "flat_fall": numbers("C", "C"), "flat_fall_se": numbers("C", "C"), "clock_level": number(), "n_runs": whole(1),
    }  # fmt: skip

    @classmethod
    def of(
        cls,
        steps: np.ndarray,
        orders: np.ndarray,
        losses: list[np.ndarray],
        right: list[np.ndarray],
        units: list[np.ndarray],
        *,
        clock_level: float,
        n_resamples: int,
        random_state: int,
        notes: tuple[str, ...],
        provenance: Provenance,
    ) -> LearningCurves:
        """From losses and shares of right tokens (R, T, n) of every set, and the units that are resampled."""
        n_runs = len(losses[0])
        curves, accuracy = (np.stack([table.mean(axis=(0, 2)) for table in tables]) for tables in (losses, right))
        rng = np.random.default_rng([random_state, 1])
        resampled, resampled_accuracy = np.empty((2, n_resamples, *curves.shape))
        for b in range(n_resamples):
            runs = rng.integers(n_runs, size=n_runs)
            for c, unit in enumerate(units):
                n_units = int(unit.max()) + 1
                counts = np.bincount(rng.integers(n_units, size=n_units), minlength=n_units)[unit]
                for tables, means in ((losses, resampled), (right, resampled_accuracy)):
                    means[b, c] = (tables[c][runs].mean(axis=0) * counts).sum(axis=-1) / counts.sum()
        sets = resampled.transpose(1, 0, 2)
        learnt = _learnt(curves, clock_level)
        at, until = learnt.argmax(axis=-1), _end_of_first(learnt)
        clocks = steps[_learnt(resampled, clock_level).argmax(axis=-1)].astype(float)
        low, high = np.quantile(clocks, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
        # one pair of sets after the other: all at once would be C^2 copies of every resample
        difference_se = np.array([[(one - two).std(axis=0, ddof=1) for two in sets] for one in sets])
        return cls(
            steps=steps, orders=orders, loss=curves, loss_se=resampled.std(axis=0, ddof=1),
            accuracy=accuracy, accuracy_se=resampled_accuracy.std(axis=0, ddof=1),
            difference=curves[:, None] - curves, difference_se=difference_se,
            clock=steps[at].astype(float), clock_low=low, clock_high=high,
            later_fall=(curves[:, at] - curves[:, -1:]).T,
            later_fall_se=(resampled[:, :, at] - resampled[:, :, -1:]).std(axis=0, ddof=1).T,
            flat_until=steps[until].astype(float), flat_fall=(curves[:, at] - curves[:, until]).T,
            flat_fall_se=(resampled[:, :, at] - resampled[:, :, until]).std(axis=0, ddof=1).T,
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
        text = f"learnt by step: {learnt}, real sequences at {self.clock[0]:g}{self._order_of_orders()}"
        pair = np.flatnonzero(self.orders == 2)
        if not len(pair):
            return text
        at = int(pair[0])
        flat = [format_estimate(self.flat_fall[at, on], self.flat_fall_se[at, on]) for on in (0, at)]
        later = [format_estimate(self.later_fall[at, on], self.later_fall_se[at, on]) for on in (0, at)]
        text += (
            f"; after order 2 was learnt, the loss fell by {later[0]} on real sequences and by {later[1]} on its clone"
        )
        if self.clock[at] < self.flat_until[at] < self.steps[-1]:
            text += f", of which until step {self.flat_until[at]:g} by {flat[0]} and by {flat[1]}"
        return text

    def _order_of_orders(self) -> str:
        """Whether low orders were learnt first: where the intervals of two clocks overlap, nothing is known of them."""
        pairs = [(k, k + 1) for k in range(1, len(self.orders) - 1)]
        reversed_ = [pair for pair in pairs if self.clock_low[pair[0]] > self.clock_high[pair[1]]]
        in_order = [pair for pair in pairs if self.clock_high[pair[0]] < self.clock_low[pair[1]]]
        if reversed_:
            return "; NOT in the order of their orders: " + ", ".join(
                f"{self.orders[high]} before {self.orders[low]}" for low, high in reversed_
            )
        if not in_order:
            return "; the intervals of neighbouring orders overlap, which is first is not known" if pairs else ""
        open_ = [pair for pair in pairs if pair not in in_order]
        said = ", ".join(f"{self.orders[low]} and {self.orders[high]}" for low, high in open_)
        return "; low orders first" + (f" (orders {said} are not told apart)" if said else "")

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {
                "sequences": self.name_of(at),
                "first_loss": float(self.loss[at, 0]),
                "last_loss": float(self.loss[at, -1]),
                "last_loss_se": float(self.loss_se[at, -1]),
                "last_accuracy": float(self.accuracy[at, -1]),
                "last_accuracy_se": float(self.accuracy_se[at, -1]),
                "clock": float(self.clock[at]),
                "clock_low": float(self.clock_low[at]),
                "clock_high": float(self.clock_high[at]),
                "flat_until": float(self.flat_until[at]),
            }
            for at in range(len(self.orders))
        ]


def _learnt(curves: np.ndarray, level: float) -> np.ndarray:
    """Steps at which the loss is within a share of its whole fall above its lowest value; curves (..., T)."""
    lowest = curves.min(axis=-1, keepdims=True)
    return np.asarray(curves <= lowest + level * (curves[..., :1] - lowest))


def _end_of_first(true: np.ndarray) -> np.ndarray:
    """Last place of the first stretch of true values; true (..., T)."""
    left = np.maximum.accumulate(true, axis=-1) & ~true
    return np.where(left.any(axis=-1), left.argmax(axis=-1), true.shape[-1]) - 1
