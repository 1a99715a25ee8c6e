"""How much the layers of two models have in common: values, errors, and what chance would give."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from infoscope.base import Provenance, Result
from infoscope.base.checks import check_choice
from infoscope.base.contents import integers, number, numbers, whole
from infoscope.base.results import say_estimate

__all__ = ["LayerComparison", "IMBALANCES"]

IMBALANCES = ("a_to_b", "b_to_a")  # small where a layer tells about another; all other measures are large there


@dataclass(frozen=True, kw_only=True, eq=False)
class LayerComparison(Result):
    """All pairs of layers of two models, by several measures, each beside its null.

    Attributes
    ----------
    names_a, names_b : tuple of str
        Of the layers.
    measures : tuple of str
        "a_to_b" and "b_to_a" are Information Imbalances (0: the neighbours of the first tell those of the second; 1:
        nothing), all others, as "cka", "mutual_knn" or "cca", similarities of at most 1.
    values, values_se : array (measures, L_A, L_B)
        Values and their standard errors.
    thresholds : array (measures, L_A, L_B)
        What shuffled items reach with a probability of `level`, in the measure's own sense.
    calibrated : array (measures, L_A, L_B)
        (s - t)/(1 - t) above the threshold t, 0 below: comparable between widths and measures.  For imbalances
        s = 1 - the value without its floor.
    p_values : array (measures, L_A, L_B)
        Of "these two layers have nothing in common", one pair alone.
    calibrated_a, calibrated_b : array (measures, L_A), array (measures, L_B)
        Of each layer with its best partner in the other model, beside the best partner of shuffled items.
    best_a, best_b : array (measures,) of int
        The pair of layers that has most in common.
    best_calibrated, best_p : array (measures,)
        Of that pair, beside the best pair of shuffled items: the choice among all pairs is taken into account.
    asymmetry, asymmetry_se : array (L_A, L_B) or None
        a_to_b less b_to_a, with the error of the paired difference: below 0 where A tells more about B than B about A.
    k, k_mutual : int
        Neighbours of the imbalances, and those that are compared.
    metric : str
        Of the distances.
    preprocess : tuple of str
        What every layer went through first.
    level : float
        Of the thresholds.
    n_permutations, n_items : int
        Shuffles, and items.
    """

    names_a: tuple[str, ...]
    names_b: tuple[str, ...]
    measures: tuple[str, ...]
    values: np.ndarray = field(repr=False)
    values_se: np.ndarray = field(repr=False)
    thresholds: np.ndarray = field(repr=False)
    calibrated: np.ndarray = field(repr=False)
    p_values: np.ndarray = field(repr=False)
    calibrated_a: np.ndarray = field(repr=False)
    calibrated_b: np.ndarray = field(repr=False)
    best_a: np.ndarray
    best_b: np.ndarray
    best_calibrated: np.ndarray
    best_p: np.ndarray
    asymmetry: np.ndarray | None = field(default=None, repr=False)
    asymmetry_se: np.ndarray | None = field(default=None, repr=False)
    k: int = 1
    k_mutual: int = 10
    metric: str = "cosine"
    preprocess: tuple[str, ...] = ()
    level: float = 0.05
    n_permutations: int = 0
    n_items: int = 0
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {
        **{
            name: numbers("measures", "names_a", "names_b")
            for name in ("values", "values_se", "thresholds", "calibrated", "p_values")
        },
        "calibrated_a": numbers("measures", "names_a"),
        "calibrated_b": numbers("measures", "names_b"),
        "best_a": integers("measures", below="names_a"),
        "best_b": integers("measures", below="names_b"),
        "best_calibrated": numbers("measures"),
        "best_p": numbers("measures"),
        "asymmetry": numbers("names_a", "names_b") | None,
        "asymmetry_se": numbers("names_a", "names_b") | None,
        "k": whole(1),
        "k_mutual": whole(1),
        "level": number(0.0),
        "n_permutations": whole(),
        "n_items": whole(),
    }

    _references = ("information_imbalance", "cka", "calibrated_similarity")

    def table(self, measure: str, what: str = "values") -> np.ndarray:
        """One matrix (L_A, L_B).

        Parameters
        ----------
        measure : str
            One of ``measures``.
        what : {"values", "values_se", "thresholds", "calibrated", "p_values"}
        """
        check_choice(measure, "measure", self.measures)
        check_choice(what, "what", ("values", "values_se", "thresholds", "calibrated", "p_values"))
        return np.asarray(getattr(self, what)[self.measures.index(measure)])

    def best_rows(self) -> list[dict[str, Any]]:
        """One row a measure: its best pair of layers, the value with its error, and what of it is beyond chance."""
        rows = []
        for m, (a, b) in enumerate(zip(self.best_a, self.best_b, strict=True)):
            row = dict(measure=self.measures[m], layer_a=self.names_a[a], layer_b=self.names_b[b])
            row |= dict(value=float(self.values[m, a, b]), value_se=float(self.values_se[m, a, b]))
            rows.append(row | dict(calibrated=float(self.best_calibrated[m]), p_best=float(self.best_p[m])))
        return rows

    def _rows(self) -> list[dict[str, Any]]:
        rows = []
        for m, measure in enumerate(self.measures):
            for a, layer_a in enumerate(self.names_a):
                for b, layer_b in enumerate(self.names_b):
                    row: dict[str, Any] = dict(measure=measure, layer_a=layer_a, layer_b=layer_b)
                    for name, table in (("value", self.values), ("value_se", self.values_se),
                                        ("threshold", self.thresholds), ("calibrated", self.calibrated),
                                        ("p_value", self.p_values)):  # fmt: skip
                        row[name] = float(table[m, a, b])
                    rows.append(row)
        return rows

    @property
    def _title(self) -> str:
        return (
            f"{len(self.names_a)} x {len(self.names_b)} layers (N = {self.n_items}, "
            f"{', '.join([*self.preprocess, self.metric])}, {self.n_permutations} shuffles)"
        )

    @property
    def _estimates(self) -> list[Any]:
        return [
            (
                f"{row['measure']}: {row['layer_a']}, {row['layer_b']}",
                f"{say_estimate(row['value'], row['value_se'])}; calibrated {row['calibrated']:.3f}, "
                f"p = {row['p_best']:.3g} as the best of {len(self.names_a) * len(self.names_b)}",
                None,
            )
            for row in self.best_rows()
        ]

    @property
    def verdict(self) -> str:
        """One sentence: which measures see something in common beyond the best of shuffled items."""
        beyond = [m for m, p in zip(self.measures, self.best_p, strict=True) if p <= self.level]
        pairs = len(self.names_a) * len(self.names_b)
        if not beyond:
            return f"No pair of layers has more in common than the best of {pairs} pairs of shuffled items."
        missed = [m for m in self.measures if m not in beyond]
        also = f"; not {', '.join(missed)}" if missed else ""
        sure = f"{'each ' if len(self.measures) > 1 else ''}at {100 * self.level:g} %"
        return (
            f"The layers have more in common than the best of {pairs} pairs of shuffled items, by "
            f"{', '.join(beyond)} ({sure}){also}; which pair is best is known only up to the errors of its rivals."
        )
