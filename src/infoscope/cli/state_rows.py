"""Rows with their state, as tables: those that states were found in, and new ones that were asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from infoscope.neighbors import item_origin

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class StateOfRows:
    """Every row with its file, time, state and density, for the writer; the states are in the printed table."""

    found: Any

    @property
    def title(self) -> str:
        """For the line that names the file."""
        return f"{self.found.n_items} rows with their state"

    def to_frame(self) -> pandas.DataFrame:
        """The table."""
        frame: pandas.DataFrame = self.found.to_frame("items")
        return frame


@dataclass(frozen=True, eq=False)
class StateOfNewRows:
    """Every row of another file with its state, whether it lies in the halo, and the probability of the state."""

    space: Any
    states: np.ndarray
    in_halo: np.ndarray
    probability: np.ndarray

    @classmethod
    def of(cls, peaks: Any, space: Any, bias: np.ndarray | None) -> StateOfNewRows:
        """Ask the states of new rows."""
        found = peaks.states_at(space, bias)
        return cls(space, found.state, found.in_halo, found.probability.max(axis=1))

    @property
    def title(self) -> str:
        """For the line that names the file."""
        return f"{len(self.states)} new rows with their state"

    def __str__(self) -> str:
        names, counts = np.unique(self.states, return_counts=True)
        shares = ", ".join(f"{n} in state {name}" for name, n in zip(names.tolist(), counts.tolist(), strict=True))
        origin, least = item_origin(self.space), int(self.probability.argmin())
        place = f"item {least}" if origin is None else origin.spell(least)
        return (
            f"{len(self.states)} new rows: {shares}; {int(self.in_halo.sum())} of them below the saddles of their "
            f"state (halo). Least sure: {place}, {self.probability[least]:.2g}."
        )

    def to_frame(self) -> pandas.DataFrame:
        """The table."""
        import pandas

        origin = item_origin(self.space)
        places = {"item": np.arange(len(self.states))} if origin is None else origin.columns()
        numbers = {"state": self.states, "halo": self.in_halo, "probability": self.probability}
        return pandas.DataFrame({**places, **numbers})
