"""How far the layers of several checkpoints are from those of a reference, in both directions, with errors."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from infoscope.base import Provenance, Result
from infoscope.base.contents import number, numbers, whole
from infoscope.base.results import say_estimate
from infoscope.base.rounding import exceeds

__all__ = ["CheckpointComparison"]

DIRECTIONS = ("to_reference", "from_reference")


@dataclass(frozen=True, kw_only=True, eq=False)
class CheckpointComparison(Result):
    """Every layer of every checkpoint beside the same layer of a reference.

    Attributes
    ----------
    checkpoints : tuple of str
        Their names, in order.
    layers : tuple of str
        Names of the layers.
    reference : str
        Name of what all are compared with.
    to_reference, to_reference_se : array (checkpoints, layers)
        Information Imbalance of a layer towards that of the reference, with its standard error: what the layer still,
        or already, tells about it; 1 where it tells nothing.
    from_reference, from_reference_se : array (checkpoints, layers)
        The other way round: what the layer of the reference tells about that of the checkpoint.
    to_floor, from_floor : array (checkpoints, layers)
        The least values, those of layers whose neighbours are the same.
    asymmetry, asymmetry_se : array (checkpoints, layers)
        to_reference less from_reference, with the error of the paired difference: above 0 where the reference tells
        more about the checkpoint than the checkpoint about the reference.
    p_values, p_values_adjusted : array (checkpoints, layers)
        Of "neither tells more", of one layer alone, and corrected for the number of tests: those of all checkpoints but
        the reference, whose own row is NaN.
    adjust : str
        Name of the correction.
    k : int
        Neighbours.
    metric : str
        Of the distances.
    level : float
        Of the tests.
    n_items : int
        Items.
    """

    checkpoints: tuple[str, ...]
    layers: tuple[str, ...]
    reference: str
    to_reference: np.ndarray = field(repr=False)
    to_reference_se: np.ndarray = field(repr=False)
    from_reference: np.ndarray = field(repr=False)
    from_reference_se: np.ndarray = field(repr=False)
    to_floor: np.ndarray = field(repr=False)
    from_floor: np.ndarray = field(repr=False)
    asymmetry: np.ndarray = field(repr=False)
    asymmetry_se: np.ndarray = field(repr=False)
    p_values: np.ndarray = field(repr=False)
    p_values_adjusted: np.ndarray = field(repr=False)
    adjust: str = "holm"
    k: int = 1
    metric: str = "cosine"
    level: float = 0.05
    n_items: int = 0
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {
        **{
            name: numbers("checkpoints", "layers")
            for name in (
                "to_reference", "to_reference_se", "from_reference", "from_reference_se", "to_floor", "from_floor",
                "asymmetry", "asymmetry_se", "p_values", "p_values_adjusted",
            )
        },
        "k": whole(1),
        "level": number(0.0),
        "n_items": whole(),
    }  # fmt: skip

    _references = ("information_imbalance",)

    @property
    def to_reference_normalized(self) -> np.ndarray:
        """``(to_reference - floor)/(1 - floor)``: 0 where the neighbours are those of the reference, 1 is nothing."""
        return _normalized(self.to_reference, self.to_floor)

    @property
    def from_reference_normalized(self) -> np.ndarray:
        """``(from_reference - floor)/(1 - floor)``."""
        return _normalized(self.from_reference, self.from_floor)

    @property
    def changed(self) -> np.ndarray:
        """Whether any item of a layer has other neighbours than in the reference; array (checkpoints, layers)."""
        there = exceeds(self.to_reference, self.to_floor, 1.0)
        return np.asarray(there | exceeds(self.from_reference, self.from_floor, 1.0))

    @property
    def lost(self) -> np.ndarray:
        """Layers that tell less about the reference than it about them, beyond what the number of tests explains."""
        return np.asarray((self.p_values_adjusted <= self.level) & (self.asymmetry > 0))

    @property
    def gained(self) -> np.ndarray:
        """Layers that tell more about the reference than it about them, likewise."""
        return np.asarray((self.p_values_adjusted <= self.level) & (self.asymmetry < 0))

    def _rows(self) -> list[dict[str, Any]]:
        tables = {name: getattr(self, name) for name in (*DIRECTIONS, "asymmetry")}
        rows = []
        for c, checkpoint in enumerate(self.checkpoints):
            for at, layer in enumerate(self.layers):
                row: dict[str, Any] = dict(checkpoint=checkpoint, layer=layer, reference=self.reference)
                for name, table in tables.items():
                    row |= {name: float(table[c, at]), f"{name}_se": float(getattr(self, f"{name}_se")[c, at])}
                row |= {f"{name}_normalized": float(getattr(self, f"{name}_normalized")[c, at]) for name in DIRECTIONS}
                row |= dict(p_value=float(self.p_values[c, at]), p_adjusted=float(self.p_values_adjusted[c, at]))
                rows.append(row | dict(changed=bool(self.changed[c, at]), k=self.k, n_items=self.n_items))
        return rows

    @property
    def beside(self) -> str:
        """What the reference is called in words."""
        return f"checkpoint {self.reference}" if self.reference in self.checkpoints else "the reference"

    @property
    def _itself(self) -> np.ndarray:
        """Whether a checkpoint is the reference, array (checkpoints,): what stands beside itself is no test."""
        return np.array([name == self.reference for name in self.checkpoints])

    def _farthest(self, checkpoint: int) -> int:
        """The layer that differs most from the reference, both directions together."""
        return int(np.argmax((self.to_reference_normalized + self.from_reference_normalized)[checkpoint]))

    @property
    def _title(self) -> str:
        return (
            f"{len(self.checkpoints)} checkpoint{'s' * (len(self.checkpoints) > 1)} x {len(self.layers)} layers beside "
            f"{self.beside} (N = {self.n_items}, {self.metric}, k = {self.k})"
        )

    @property
    def _estimates(self) -> list[Any]:
        lines = []
        for c, name in enumerate(self.checkpoints):
            n_changed = int(self.changed[c].sum())
            said = "no layer differs"
            if n_changed:
                at = self._farthest(c)
                values = [
                    say_estimate(getattr(self, way)[c, at], getattr(self, f"{way}_se")[c, at]) for way in DIRECTIONS
                ]
                said = (
                    f"{n_changed} of {len(self.layers)} layers differ, most {self.layers[at]}: to {self.beside} "
                    f"{values[0]}, from it {values[1]}"
                )
            lines.append((name, said, None))
        return lines

    @property
    def verdict(self) -> str:
        """One sentence: what differs, and where one of both tells more."""
        total, changed = int((~self._itself).sum()) * len(self.layers), int(self.changed.sum())
        if not changed:
            return f"No layer differs from that of {self.beside}: the neighbours of all items are the same."
        told = f"{changed} of {total} layers have other neighbours than those of {self.beside}"
        if not (self.lost.any() or self.gained.any()):
            return f"{told}; in none does one tell more than the other, after correction for {total} tests."
        sides = [
            f"{self.beside} tells more about {_name_layers(self, self.lost)}" if self.lost.any() else "",
            f"{_name_layers(self, self.gained)} more about {self.beside}" if self.gained.any() else "",
        ]
        return f"{told}; {', '.join(filter(None, sides))} than the reverse, after correction for {total} tests."


def _normalized(values: np.ndarray, floors: np.ndarray) -> np.ndarray:
    return np.where(exceeds(values, floors, 1.0), (values - floors) / (1 - floors), 0.0)


def _name_layers(found: CheckpointComparison, which: np.ndarray) -> str:
    """The layers of one checkpoint by name, those of several by their number."""
    if len(found.checkpoints) == 1 and which.sum() <= 4:
        return ", ".join(found.layers[at] for at in np.flatnonzero(which[0]))
    number = int(which.sum())
    return f"{number} layer{'s' if number > 1 else ''}"
