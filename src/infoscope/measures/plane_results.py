"""What `information_plane` returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from infoscope.base import Provenance, Result, say_estimate
from infoscope.base.contents import choices, flags, numbers, whole


@dataclass(frozen=True, kw_only=True, eq=False)
class InformationPlane(Result):
    """What every layer keeps of its input and of the label, under noise.

    Attributes
    ----------
    layers : tuple of str
        Their names, in the order of the network.
    x_information, x_information_se : array (L,)
        Information about the input, and its standard error.
    y_information, y_information_se : array (L,)
        Information about the label.
    x_reliable, y_reliable : array (L,) of bool
        Whether each may be believed.
    noise : float
        Standard deviation of the noise, relative to that of the layer.
    deviations : array (L,)
        The same in units of the layer.
    compress : str or None
        How columns were compressed.
    n_components : int or None
        Principal components, where they were used.
    label_entropy : float or None
        Largest information about labels there can be.
    unit : str
        "nats" or "bits".
    n_items : int
        Inputs.
    """

    layers: tuple[str, ...]
    x_information: np.ndarray
    x_information_se: np.ndarray
    y_information: np.ndarray
    y_information_se: np.ndarray
    x_reliable: np.ndarray = field(repr=False)
    y_reliable: np.ndarray = field(repr=False)
    noise: float
    deviations: np.ndarray = field(repr=False)
    compress: str | None = None
    n_components: int | None = None
    label_entropy: float | None = None
    unit: str = "nats"
    n_items: int = 0
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {
        "x_information": numbers("layers"),
        "x_information_se": numbers("layers"),
        "y_information": numbers("layers"),
        "y_information_se": numbers("layers"),
        "x_reliable": flags("layers"),
        "y_reliable": flags("layers"),
        "deviations": numbers("layers", low=0.0),
        "unit": choices("nats", "bits"),
        "n_items": whole(),
    }
    _references = ("information_plane",)

    @property
    def _title(self) -> str:
        return f"Information plane ({len(self.layers)} layers, noise {self.noise:g} of their spread, {self.unit})"

    def _rows(self) -> list[dict[str, Any]]:
        names = ("x_information", "x_information_se", "y_information", "y_information_se", "x_reliable", "y_reliable")
        return [
            dict(layer=layer) | {name: getattr(self, name)[at].item() for name in names}
            for at, layer in enumerate(self.layers)
        ]

    @property
    def verdict(self) -> str:
        """One sentence: what the last layer keeps, and how far to believe it."""
        kept = say_estimate(self.y_information[-1], self.y_information_se[-1])
        said = f"The last layer holds {kept} {self.unit} about the label"
        if self.label_entropy is not None:
            said += f" of {self.label_entropy:.3g}"
        doubtful = int((~self.x_reliable).sum() + (~self.y_reliable).sum())
        if doubtful:
            said += f"; {doubtful} of {2 * len(self.layers)} numbers are no more than lower bounds"
        return f"{said}; all of them under noise of {self.noise:g} of the spread, without which they would be infinite."
