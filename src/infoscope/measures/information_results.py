"""What the functions about shared information return: nats or bits with their error, and whether to believe them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from infoscope.base import Provenance, Result
from infoscope.base.contents import choices, integers, number, numbers, whole
from infoscope.base.results import format_estimate, say_estimate
from infoscope.base.rounding import exceeds
from infoscope.statistics import say_detection_limit, student_interval
from infoscope.statistics.units import INFORMATION_UNITS

__all__ = ["Entropy", "Information", "Reliability"]

SIGNIFICANT = 0.05
SIZE_LIMITED = "sample-size limited"


@dataclass(frozen=True, kw_only=True, eq=False)
class Protocol(Result):
    """An estimate, what it does when rows or neighbours are changed, and whether to believe it."""

    value: float
    value_se: float = np.nan
    width_bias: float = 0.0
    unit: str = "nats"
    n_items: int = 0
    parts: np.ndarray | None = field(default=None, repr=False)
    by_size: np.ndarray | None = field(default=None, repr=False)
    by_size_se: np.ndarray | None = field(default=None, repr=False)
    reliable: bool | None = None
    reasons: tuple[str, ...] = ()
    is_lower_bound: bool = False
    p_value: float | None = None
    null_values: np.ndarray | None = field(default=None, repr=False)
    detection_limit: float | None = None
    null: str = "none"
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    provenance: Provenance | None = field(default=None, repr=False)

    _contents = {
        "n_items": whole(),
        "parts": integers("S", low=1),
        "by_size": numbers("S"),
        "by_size_se": numbers("S"),
        "null_values": numbers("P"),
        "unit": choices(*INFORMATION_UNITS),
        "null": choices("none", "shuffle", "shift", "blocks", "local"),
    }

    @property
    def clipped(self) -> float:
        """The value, or 0 where it is negative, for display: the estimate itself is never cut."""
        return max(self.value, 0.0)

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval: Student's t of the most parts that the rows were cut into.  Of bias it holds what the width of
        neighbourhoods hides, as far as more neighbours show it."""
        if self.value_se == 0:  # exact
            return self.value, self.value
        parts = 1 if self.parts is None or not len(self.parts) else int(self.parts[-1])
        return student_interval(self.value, self.value_se, parts - 1)

    @property
    def size_limited(self) -> bool:
        """Whether more rows would change the value."""
        return any(reason.startswith(SIZE_LIMITED) for reason in self.reasons)

    @property
    def seen(self) -> bool:
        """Whether the value tells dependence from independence."""
        if self.p_value is not None:
            return not exceeds(self.p_value, SIGNIFICANT)
        if not np.isfinite(self.value_se):
            return self.value > 0
        of_rows = np.sqrt(max(self.value_se**2 - self.width_bias**2, 0.0))  # where nothing is shared no width hides it
        return bool(exceeds(self.value, 2 * of_rows))

    @property
    def _unseen(self) -> float:
        """The largest value that would not be told from none."""
        if self.detection_limit is not None:
            return self.detection_limit
        return 2 * float(np.sqrt(max(self.value_se**2 - self.width_bias**2, 0.0)))

    @property
    def _estimates(self) -> list[tuple[str, Any, Any]]:
        said = say_estimate(self.value, self.value_se)
        lines: list[tuple[str, Any, Any]] = [("information", f"{said} {self.unit}", None), *self._of_width]
        if self.p_value is not None:
            lines.append(("p(independent)", f"{self.p_value:.2g}", None))
        return lines

    @property
    def _of_width(self) -> list[tuple[str, Any, Any]]:
        """A line where wide neighbourhoods hide as much as the rows leave open, or more."""
        if not 2 * self.width_bias**2 >= self.value_se**2 > 0:
            return []
        return [("of this ± by wide neighbourhoods", f"{self.width_bias:.2g}", None)]

    @property
    def _varied(self) -> str:
        return "rows"

    def _belief(self) -> str:
        """What the verdict says of the value's worth."""
        if self.reliable is None:
            return "its error and whether it may be believed were not asked for"
        if self.reliable:
            return f"it does not move with the number of {self._varied} by more than its error"
        return "; ".join(self.reasons)


@dataclass(frozen=True, kw_only=True, eq=False)
class Information(Protocol):
    """How much descriptions of the same items share.

    Attributes
    ----------
    names : tuple of str
        Of the descriptions.
    kind : {"mutual information", "conditional mutual information", "total correlation"}
        What was estimated.
    given : str or None
        What is known beforehand, of a conditional one.
    value, value_se : float
        The estimate, which may be negative, and its standard error, from disjoint parts of the rows and `width_bias`.
    width_bias : float
        What the width of neighbourhoods may hide, as far as more neighbours show it: the bias of strongly related
        columns and few rows, which are smooth in D dimensions.  It is part of the standard error.
    unit : {"nats", "bits"}
        Of all of them.
    estimator : {"ksg1", "ksg2", "mixed", "labels", "copula"}
        Which one was used.
    k : int
        Neighbours.
    raw : float or None
        The value without compression, where there was one.
    compressed : float or None
        What a few directions hold, where the value is that of all columns.
    copula : float or None
        That of a Gaussian copula, where all columns are real numbers; the rest is beyond it.
    k_values, by_k : array (K,)
        Numbers of neighbours, and the value for each.
    parts, by_size, by_size_se : array (S,)
        Into how many parts the rows were cut, and the mean value of the parts with its standard error.
    tie_fraction : float
        Share of the items whose k-th neighbour is at distance zero.
    reliable : bool or None
        Whether the value may be believed; None where it was not looked at.
    reasons : tuple of str
        Why not.
    is_lower_bound : bool
        Whether the value rises with more rows, so that the truth is probably larger.
    p_value, null_values, detection_limit, null
        Of "nothing is shared", the values of shuffled samples, the largest value whose p-value is above 0.05, and how
        they were shuffled.
    candidates, candidate_values, chosen, n_components, component_values
        Of a compression: what was tried and what each gave on rows that it had not seen, which one won, how many
        components it kept, and the value for 1, 2, ... of them.
    metrics, marginals : tuple
        How each description was measured, and what was done to its columns.
    n_items : int
        Rows.
    exclusion_window, neighbors_from
        Which rows were no neighbours.
    correlation_time : float or None
        Of the rows, where something was said about their order.
    correlated_rows : bool
        Whether rows look correlated although nothing was said.
    """

    names: tuple[str, ...] = ("X", "Y")
    kind: str = "mutual information"
    given: str | None = None
    estimator: str = "ksg1"
    k: int = 3
    raw: float | None = None
    compressed: float | None = None
    copula: float | None = None
    k_values: np.ndarray | None = field(default=None, repr=False)
    by_k: np.ndarray | None = field(default=None, repr=False)
    tie_fraction: float = 0.0
    candidates: tuple[str, ...] = ()
    candidate_values: np.ndarray | None = field(default=None, repr=False)
    chosen: str | None = None
    n_components: int | None = None
    component_values: np.ndarray | None = field(default=None, repr=False)
    metrics: tuple[str, ...] = ()
    marginals: tuple[str | None, ...] = ()
    exclusion_window: float = 0.0
    neighbors_from: str = "any"
    correlation_time: float | None = None
    correlated_rows: bool = False

    _contents = {
        "k": whole(1),
        "k_values": integers("K", low=1),
        "by_k": numbers("K"),
        "candidate_values": numbers("C"),
        "component_values": numbers("D"),
        "n_components": whole(1) | None,
        "exclusion_window": number(0.0),
        "estimator": choices("ksg1", "ksg2", "mixed", "labels", "copula", "frenzel-pompe"),
    }

    @property
    def _varied(self) -> str:
        return "rows" if self.k_values is None else "rows or neighbours"

    @property
    def beyond_gaussian(self) -> float | None:
        """The value less that of a Gaussian copula."""
        return None if self.copula is None else self.value - self.copula

    @property
    def _references(self) -> tuple[str, ...]:  # type: ignore[override]
        own = {"mixed": ("mixed_information",), "labels": ("label_information",), "copula": ("copula_information",)}
        papers: tuple[str, ...] = own.get(self.estimator, ("ksg",))
        papers += ("conditional_information",) if self.given is not None else ()
        return (*papers, "error_of_information") if self.by_size is not None else papers

    @property
    def _title(self) -> str:
        about = f" given {self.given}" if self.given is not None else ""
        how = self.estimator if self.estimator == "copula" else f"{self.estimator}, k = {self.k}"
        joined = ", ".join(self.names[:-1]) + f" and {self.names[-1]}"
        return f"{self.kind.capitalize()} of {joined}{about} ({how}, N = {self.n_items})"

    @property
    def _estimates(self) -> list[tuple[str, Any, Any]]:
        lines = super()._estimates
        if self.raw is not None:
            lines.append(("uncompressed", f"{self.raw:.4g}", None))
        if self.compressed is not None:
            lines.append(("along a few directions", f"{self.compressed:.4g}", None))
        if self.copula is not None and self.estimator != "copula":
            lines.append(("Gaussian copula", f"{self.copula:.4g}", None))
        return lines

    @property
    def verdict(self) -> str:
        """One sentence: how much, whether it is more than nothing, and whether to believe it."""
        shown = say_estimate(self.value, self.value_se)
        joined = ", ".join(self.names[:-1]) + f" and {self.names[-1]}"
        about = f" beyond what {self.given} tells" if self.given is not None else ""
        if not self.seen and not self.is_lower_bound:
            if self.reliable is None and self.p_value is None:
                start = f"{joined} share {shown} {self.unit}{about}"
            else:
                start = f"No information shared by {joined}{about} can be told from none ({shown} {self.unit})"
                limit = self._unseen
                if limit > 0:
                    start += f"; {say_detection_limit(limit, unit=self.unit)}"
        else:
            least = "at least " if self.is_lower_bound else ""
            start = f"{joined} share {least}{shown} {self.unit}{about}"
        order = ["but neighbouring rows look correlated and no time was given: it is probably too much"]
        return "; ".join([start, self._belief(), *(order if self.correlated_rows else [])]) + "."

    def _rows(self) -> list[dict[str, Any]]:
        row: dict[str, Any] = {f"name_{letter}": name for letter, name in zip("abcdefgh", self.names, strict=False)}
        names = (
            "value",
            "value_se",
            "unit",
            "p_value",
            "raw",
            "compressed",
            "copula",
            "estimator",
            "k",
            "n_items",
            "tie_fraction",
        )
        row |= {name: getattr(self, name) for name in names}
        return [row | {"reliable": self.reliable, "is_lower_bound": self.is_lower_bound, "given": self.given}]


@dataclass(frozen=True, kw_only=True, eq=False)
class Reliability(Protocol):
    """Whether the answer of an estimator may be believed.

    Attributes
    ----------
    value, value_se : float
        The estimate from all rows, and its standard error from disjoint parts of them.
    parts, by_size, by_size_se : array (S,)
        Into how many parts the rows were cut, and the mean of their estimates with its standard error.
    limit, limit_se : float
        Where a straight line in 1/N goes.
    follows_line : bool
        Whether the estimates follow one; only then is the limit a corrected value.
    reliable, reasons, is_lower_bound
        The verdict: whether the value may be believed, why not, and whether the truth is probably larger.
    p_value, null_values, detection_limit, null
        Of "nothing is shared".
    estimator : str
        Name of the function.
    n_items : int
        Rows.
    """

    estimator: str = "estimator"
    limit: float = np.nan
    limit_se: float = np.nan
    follows_line: bool = False

    _references = ("error_of_information",)

    @property
    def _title(self) -> str:
        return f"Reliability of {self.estimator} (N = {self.n_items})"

    @property
    def _estimates(self) -> list[tuple[str, Any, Any]]:
        limit = format_estimate(self.limit, self.limit_se) + ("" if self.follows_line else " (no line in 1/N)")
        return [*super()._estimates, ("limit of 1/N", limit, None)]

    @property
    def verdict(self) -> str:
        """One sentence: whether the number may be believed."""
        shown = say_estimate(self.value, self.value_se)
        if self.reliable:
            return f"{self.estimator} says {shown} {self.unit}, and {self._belief()}."
        return f"{self.estimator} says {shown} {self.unit}, which is not to be taken as it is: {self._belief()}."


@dataclass(frozen=True, kw_only=True, eq=False)
class Entropy(Protocol):
    """Differential entropy.

    Attributes
    ----------
    name : str
        Of the description.
    value, value_se : float
        The estimate, which is negative for narrow laws, and its standard error, from disjoint parts of the rows and
        `width_bias`.
    width_bias : float
        Half of what the width of neighbourhoods may hide, as far as more neighbours show it.
    unit : {"nats", "bits"}
        Of the answer, for columns in the units in which they came: metres have log(1000) more in millimetres.
    k, n_features, n_items : int
        Neighbours, columns and rows.
    metric : str
        In whose balls the volumes are taken.
    parts, by_size, by_size_se : array (S,)
        Into how many parts the rows were cut, and the mean of the parts with its standard error.
    reliable, reasons
        Whether the value moves with the number of rows, or with that of neighbours by more than errors allow for.
    """

    name: str = "X"
    k: int = 3
    n_features: int = 1
    metric: str = "euclidean"

    _contents = {"k": whole(1), "n_features": whole(1)}

    _references = ("entropy", "error_of_information")

    @property
    def _title(self) -> str:
        return f"Differential entropy of {self.name} ({self.n_features} columns, k = {self.k}, N = {self.n_items})"

    @property
    def _estimates(self) -> list[tuple[str, Any, Any]]:
        entropy = f"{say_estimate(self.value, self.value_se)} {self.unit}"
        return [("entropy", entropy, None), *self._of_width]

    @property
    def verdict(self) -> str:
        """One sentence: the entropy, and whether to believe it."""
        said = say_estimate(self.value, self.value_se)
        start = f"The entropy of {self.name} is {said} {self.unit} in the units of its columns"
        return f"{start}; {self._belief()}."
