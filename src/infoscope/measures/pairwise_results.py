"""What all pairs of columns share: one matrix with its errors."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from infoscope.base import Provenance, Result
from infoscope.base.contents import choices, flags, numbers, whole
from infoscope.base.results import say_estimate
from infoscope.base.rounding import order_of

__all__ = ["InformationMatrix"]

SIGNIFICANT = 0.05
LISTED = 5  # pairs that are printed


@dataclass(frozen=True, kw_only=True, eq=False)
class InformationMatrix(Result):
    """Information that every two columns share.

    Attributes
    ----------
    names : tuple of str
        Of the columns.
    value, value_se : array (P, P)
        Estimates and their standard errors; NaN on the diagonal.
    p_value, p_value_adjusted : array (P, P) or None
        Of "nothing is shared", and adjusted for the number of pairs (false discovery rate).
    refined : array (P, P) of bool
        Which pairs were counted by neighbours; the others are those of a Gaussian copula.
    method : {"copula", "ksg", "screen-then-ksg"}
        How.
    unit : {"nats", "bits"}
        Of the values.
    k, n_items : int
        Neighbours; rows.
    """

    names: tuple[str, ...]
    value: np.ndarray = field(repr=False)
    value_se: np.ndarray = field(repr=False)
    p_value: np.ndarray | None = field(default=None, repr=False)
    p_value_adjusted: np.ndarray | None = field(default=None, repr=False)
    refined: np.ndarray = field(repr=False)
    method: str = "copula"
    unit: str = "nats"
    k: int = 3
    n_items: int = 0
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    provenance: Provenance | None = field(default=None, repr=False)

    _contents = {
        "value": numbers("names", "names"),
        "value_se": numbers("names", "names"),
        "p_value": numbers("names", "names"),
        "p_value_adjusted": numbers("names", "names"),
        "refined": flags("names", "names"),
        "method": choices("copula", "ksg", "screen-then-ksg"),
        "unit": choices("nats", "bits"),
        "k": whole(1),
        "n_items": whole(),
    }

    @property
    def _references(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("copula_information",) if self.method == "copula" else ("ksg", "copula_information")

    @property
    def significant(self) -> np.ndarray:
        """Pairs whose adjusted p-value is at most 5 %; without p-values, those above two standard errors."""
        if self.p_value_adjusted is not None:
            return np.asarray(np.nan_to_num(self.p_value_adjusted, nan=1.0) <= SIGNIFICANT)
        return np.asarray(np.nan_to_num(self.value - 2 * self.value_se, nan=-1.0) > 0)

    def pairs(self) -> list[tuple[int, int]]:
        """Every pair once, those that share most first."""
        first, second = np.triu_indices(len(self.names), 1)
        order = order_of(-np.nan_to_num(self.value[first, second]))
        return [(int(first[a]), int(second[a])) for a in order]

    @property
    def _title(self) -> str:
        return f"Mutual information of {len(self.names)} columns ({self.method}, N = {self.n_items})"

    @property
    def _estimates(self) -> list[tuple[str, str, None]]:
        listed = self.pairs()[:LISTED]
        return [(f"{self.names[a]}, {self.names[b]}", f"{self._say_pair(a, b)} {self.unit}", None) for a, b in listed]

    def _say_pair(self, a: int, b: int) -> str:
        return say_estimate(float(self.value[a, b]), float(self.value_se[a, b]))

    @property
    def verdict(self) -> str:
        """One sentence: how many pairs share something, and which most."""
        pairs = self.pairs()
        some = [pair for pair in pairs if self.significant[pair]]
        by = "adjusted p <= 0.05" if self.p_value_adjusted is not None else "more than two standard errors"
        if not some:
            return f"No two columns share anything that can be told from nothing ({len(pairs)} pairs, {by})."
        a, b = some[0]
        gaussian = "" if self.refined[a, b] else ", of which a Gaussian copula sees what is monotone"
        return (
            f"{len(some)} of {len(pairs)} pairs share something ({by}); most: {self.names[a]} and {self.names[b]}, "
            f"{self._say_pair(a, b)} {self.unit}{gaussian}."
        )

    def _rows(self) -> list[dict[str, Any]]:
        rows = []
        for a, b in self.pairs():
            row: dict[str, Any] = {"name_a": self.names[a], "name_b": self.names[b]}
            row |= {"value": float(self.value[a, b]), "value_se": float(self.value_se[a, b])}
            for name in ("p_value", "p_value_adjusted"):
                table = getattr(self, name)
                row[name] = None if table is None else float(table[a, b])
            rows.append(row | {"unit": self.unit, "by_neighbors": bool(self.refined[a, b]), "n_items": self.n_items})
        return rows
