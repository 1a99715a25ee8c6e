"""What a fit of feature weights found: weights, how steady they are, and how much information they keep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from infoscope.base.contents import numbers, values, whole
from infoscope.base.rounding import exceeds, order_of
from infoscope.imbalance.verdicts import SIGNIFICANT, Measured, is_known, join_names

NAMED = 6  # columns that the verdict names
LISTED = 10  # weights that are printed
KNOWN = 1e-6  # relative accuracy of a fitted weight: at a minimum, the root of that of the value
STEADY = 0.95  # share of the halves in which a weight must be positive


@dataclass(frozen=True, kw_only=True, eq=False)
class FeatureWeights(Measured):
    """Weights of columns that keep the neighbourhoods of a target, found by `DifferentiableImbalance`.

    Attributes
    ----------
    name_a, name_b : str
        Names of the data and of the target.
    names : tuple of str
        Names of the columns.
    weights : array (D,)
        Weight of every column in its own units: d^2 = sum (weight delta)^2.
    standard_weights : array (D,)
        The same in units of the columns' standard deviations; the largest is 1 (but for ``bandwidth="fixed"``).
    scale : array (D,)
        Those standard deviations; 0 where a column is constant.
    group : array (D,) or None
        Group of every column; columns of a group share their standardised weight.
    dii, dii_se : float
        Differentiable Information Imbalance of the weights, on the data of the fit: 0 when neighbours by the weighted
        columns are neighbours in the target, 1 when the columns say nothing. ``dii_interval`` is the 95 % interval.
    validation_dii, validation_dii_se : float or None
        The same at rows the fit did not see.
    validation_runs : mapping or None
        Columns ``run``, ``value``, ``value_se``: each run held out in turn.
    kkt_violation : float
        How far the weights are from a certified minimum (0: a minimum), in units of the derivative of the value by
        squared weights.
    step_decrease, step_column, step_weight : float or None, str, float
        Where that is large (above 0.01): by how much the value falls when one weight alone is changed, at most among
        nine sizes of each; which, and to what standardised weight. None where it was not asked.
    n_effective_neighbors : float
        Mean number of neighbours that the softmax counts.
    k, bandwidth, alpha : int, str, float
        As the fit used them.
    history : array
        Value after every iteration (with batches: of every batch).
    n_evaluations : int
        Evaluations of value and gradient.
    converged : bool
        Whether the fit ended by itself, and not because its iterations were used up.
    standard_weights_se, standard_weights_low, standard_weights_high, positive_share : array (D,) or None
        From random halves of the rows: standard error, 95 % interval, and the share of the halves in which a weight is
        positive. Resampled weights have the length (Euclidean norm) of the fitted ones.

    rise, rise_se, rise_p : array (D,) or None
        With resamples: by how much the imbalance rises without each column, on rows that did not choose the weights
        (the columns of a group, and near-copies, go together), its standard error, and the adjusted p-value of "it does
        not rise".

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.imbalance.dii.results import FeatureWeights
    >>> found = FeatureWeights(name_a="X", name_b="y", names=("mass", "colour"), weights=np.array([0.5, 0.0]),
    ...                        standard_weights=np.array([1.0, 0.0]), scale=np.array([2.0, 1.0]), dii=0.1, dii_se=0.01,
    ...                        kkt_violation=0.0, n_effective_neighbors=2.0, k=3, n_items=100, n_rows=100)
    >>> found.verdict
    '1 of 2 columns of X keeps the neighbourhoods of y: mass (weight 1); DII 0.100 ± 0.010.'
    """

    name_a: str = "X"
    name_b: str = "y"
    names: tuple[str, ...]
    weights: np.ndarray = field(repr=False)
    standard_weights: np.ndarray
    scale: np.ndarray = field(repr=False)
    group: np.ndarray | None = field(default=None, repr=False)
    dii: float
    dii_se: float
    validation_dii: float | None = None
    validation_dii_se: float | None = None
    validation_runs: Mapping[str, Any] | None = field(default=None, repr=False)
    kkt_violation: float
    n_effective_neighbors: float
    k: int
    bandwidth: str = "point"
    alpha: float = 0.0
    history: np.ndarray = field(default_factory=lambda: np.empty(0), repr=False)
    n_evaluations: int = 0
    converged: bool = True
    standard_weights_se: np.ndarray | None = field(default=None, repr=False)
    standard_weights_low: np.ndarray | None = field(default=None, repr=False)
    standard_weights_high: np.ndarray | None = field(default=None, repr=False)
    positive_share: np.ndarray | None = field(default=None, repr=False)
    step_decrease: float | None = None
    step_column: str = ""
    step_weight: float = 0.0
    rise: np.ndarray | None = field(default=None, repr=False)
    rise_se: np.ndarray | None = field(default=None, repr=False)
    rise_p: np.ndarray | None = field(default=None, repr=False)

    _contents = {
        "k": whole(1),
        "weights": numbers("names", low=0.0, finite=True),
        "standard_weights": numbers("names", low=0.0, finite=True),
        "scale": numbers("names"),
        "standard_weights_se": numbers("names"),
        "standard_weights_low": numbers("names"),
        "standard_weights_high": numbers("names"),
        "positive_share": numbers("names"),
        "rise": numbers("names"),
        "rise_se": numbers("names"),
        "rise_p": numbers("names"),
        "group": values("names"),
        "history": numbers("H"),
        "n_evaluations": whole(),
    }

    _references: tuple[str, ...] = ("differentiable_imbalance", "information_imbalance")  # type: ignore[assignment]

    @property
    def support(self) -> np.ndarray:
        """Numbers of the columns with a positive weight, the largest standardised weight first."""
        order = order_of(-self.standard_weights, same=KNOWN)
        return order[self.standard_weights[order] > 0]

    @property
    def needed(self) -> np.ndarray | None:
        """Numbers of the columns with a positive weight without which the imbalance rises, at 5 % for all of them.

        The largest weight first; None where it was not tested.
        """
        if self.rise_p is None:
            return None
        return np.array([a for a in self.support if not exceeds(self.rise_p[a], SIGNIFICANT)], dtype=np.int64)

    @property
    def weights_se(self) -> np.ndarray | None:
        """Standard errors of ``weights``, in the columns' own units."""
        return None if self.standard_weights_se is None else _per(self.standard_weights_se, self.scale)

    @property
    def weights_interval(self) -> np.ndarray | None:
        """95 % interval of every weight in its own units, shape (D, 2)."""
        if self.standard_weights_low is None or self.standard_weights_high is None:
            return None
        ends = (self.standard_weights_low, self.standard_weights_high)
        return np.column_stack([_per(end, self.scale) for end in ends])

    @property
    def dii_interval(self) -> tuple[float, float] | None:
        """The 95 % interval of ``dii``, or None where it is withheld."""
        return self._interval(self.dii, self.dii_se)

    @property
    def verdict(self) -> str:
        """One sentence: which columns carry the target, how much they keep, and what to be careful about."""
        support, needed, d = self.support, self.needed, len(self.names)
        chosen = support if needed is None or not len(needed) else needed
        parts = [f"{self.names[a]} (weight {self.standard_weights[a]:.2g})" for a in chosen[:NAMED]]
        more = [f"{len(chosen) - NAMED} more"] if len(chosen) > NAMED else []
        of, named = f"{len(chosen)} of {d} columns of {self.name_a}", join_names(parts + more)
        keep = f"{'keeps' if len(chosen) == 1 else 'keep'} the neighbourhoods of {self.name_b}"
        untested = needed is None and len(support) > 1  # a weight alone is no sign that its column is needed
        sentence = f"{of} {f'get a weight for {self.name_b}' if untested else keep}: {named}"
        clauses = [f"DII {self._format(self.dii, self.dii_se)}"]
        half = self.error_factor * self.dii_se if is_known(self.dii_se) else 0.0
        if not exceeds(1.0, self.dii + half):
            sentence = f"no weights of the columns of {self.name_a} tell anything about {self.name_b} (within error)"
            untested = False
            clauses += self._not_shown([("", self.dii_se)], "DII")
        if self.validation_dii is not None:
            clauses.append(f"{self._format(self.validation_dii, self.validation_dii_se)} at rows held out")
        if untested:
            how = " (resamples tell)" if self.positive_share is None else ""  # some fits cannot be tested
            clauses.append(f"whether each is needed was not tested{how}")
        if needed is not None and len(support) > len(needed):
            spare = [self.names[a] for a in support if a not in needed]
            others = [f"{len(spare) - NAMED} more"] if len(spare) > NAMED else []
            said = join_names(spare[:NAMED] + others) if len(needed) else "any single column"
            clauses.append(f"no loss was seen without {said}, on rows that did not choose the weights")
        if self.positive_share is not None:
            loose = [self.names[a] for a in chosen if self.positive_share[a] < STEADY]
            if loose:
                clauses.append(f"halves of the rows leave out {join_names(loose[:NAMED])} at times")
        if not self.converged:
            clauses.append("the iterations ended before the fit did")
        return self._qualified(sentence, *clauses)

    @property
    def _title(self) -> str:
        return f"Weights of {self.name_a} for {self.name_b} (k = {self.k}, N = {self.n_items})"

    @property
    def _estimates(self) -> list[tuple[str, Any, Any]]:
        lines: list[tuple[str, Any, Any]] = [("DII", self._format(self.dii, self.dii_se), None)]
        if self.validation_dii is not None:
            lines.append(("DII held out", self._format(self.validation_dii, self.validation_dii_se), None))
        se = self.standard_weights_se
        lines += [
            (f"weight of {self.names[a]}", float(self.standard_weights[a]), None if se is None else float(se[a]))
            for a in self.support[:LISTED]
        ]
        return lines

    def _rows(self) -> list[dict[str, Any]]:
        columns: dict[str, Any] = {
            "column": self.names,
            "weight": self.weights,
            "weight_se": self.weights_se,
            "standard_weight": self.standard_weights,
            "standard_weight_se": self.standard_weights_se,
            "standard_weight_low": self.standard_weights_low,
            "standard_weight_high": self.standard_weights_high,
            "positive_share": self.positive_share,
            "rise": self.rise,
            "rise_se": self.rise_se,
            "rise_p": self.rise_p,
            "group": self.group,
        }
        columns = {name: values for name, values in columns.items() if values is not None}
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


# ---------------------------------------------------------------------------------------------------------------- steps
def _per(values: np.ndarray, scale: np.ndarray) -> np.ndarray:
    return np.divide(values, scale, out=np.zeros(len(values)), where=scale > 0)
