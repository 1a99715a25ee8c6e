"""What the comparisons of features return: one index with its bins, a table of them, and one with a joint test."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from infoscope.base import Provenance, Result, say_estimate
from infoscope.base.contents import choices, numbers, whole
from infoscope.base.rounding import exceeds, order_of

__all__ = ["DriftTable", "StabilityIndex", "StabilityTable"]

ALPHA = 0.05
LAWS = ("chi-square", "permutations", "none")


@dataclass(frozen=True, kw_only=True, eq=False)
class StabilityIndex(Result):
    """How far apart two samples are in one feature, cut into bins: J = sum (p - q) log(p/q).

    Attributes
    ----------
    name : str
        The feature.
    value, value_se : float
        The index, in `unit`, and its standard error (delta method).
    corrected, corrected_se : float
        Without the bias of a finite sample; may be slightly negative where nothing changed.
    bias : float
        What was subtracted: (B - 1)(1/n + 1/m) where nothing changed.
    p_value : float or None
        Probability of a value at least as large where both samples have the same shares.
    null_quantile : float or None
        What 95 % of such values stay below.
    null_law : {"chi-square", "permutations", "none"}
        Where these come from.
    null_values : array or None
        Values after labels were exchanged.
    bins : tuple of str
        The bins, after empty ones were joined.
    counts_reference, counts_test : array (B,)
        Rows (or weight, in rows) of every bin; with 1/2 added where `smoothed`.
    woe, woe_se : array (B,)
        Weights of evidence log(p/q), natural, and their standard errors.
    edges : array or None
        Edges of the bins of numbers, before any were joined.
    n_reference, n_test : int
        Rows.
    n_blocks : int
        Blocks of correlated rows in both samples; 0 where rows are independent.
    smoothed : bool
        Whether 1/2 was added to every count, because a bin is empty in one sample and not by chance.
    unit : {"nats", "bits"}

    References
    ----------
    Jeffreys (1946), Proc. R. Soc. A 186, 453. Rao & Scott (1981), J. Am. Stat. Assoc. 76, 221.
    """

    name: str = "the feature"
    value: float
    value_se: float
    corrected: float
    corrected_se: float
    bias: float
    p_value: float | None = None
    null_quantile: float | None = None
    null_law: str = "none"
    null_values: np.ndarray | None = field(default=None, repr=False)
    bins: tuple[str, ...]
    counts_reference: np.ndarray = field(repr=False)
    counts_test: np.ndarray = field(repr=False)
    woe: np.ndarray = field(repr=False)
    woe_se: np.ndarray = field(repr=False)
    edges: np.ndarray | None = field(default=None, repr=False)
    n_reference: int
    n_test: int
    n_blocks: int = 0
    smoothed: bool = False
    unit: str = "nats"
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {
        "counts_reference": numbers("bins"),
        "counts_test": numbers("bins"),
        "woe": numbers("bins"),
        "woe_se": numbers("bins"),
        "null_values": numbers("P"),
        "edges": numbers("E"),
        "null_law": choices(*LAWS),
        "unit": choices("nats", "bits"),
        "n_reference": whole(),
        "n_test": whole(),
        "n_blocks": whole(),
    }
    _references = ("jeffreys",)

    @property
    def shares(self) -> tuple[np.ndarray, np.ndarray]:
        """Shares of the bins in the reference and in the test sample."""
        p, q = self.counts_reference, self.counts_test
        return p / p.sum(), q / q.sum()

    @property
    def drifted(self) -> bool:
        """Whether a value as large is rarer than 1 in 20 where nothing changed."""
        return self.p_value is not None and not exceeds(self.p_value, ALPHA)

    @property
    def _title(self) -> str:
        return f"Stability index of {self.name} ({len(self.bins)} bins, {self.n_reference} and {self.n_test} rows)"

    @property
    def _estimates(self) -> list[tuple[str, Any, Any]]:
        rows: list[tuple[str, Any, Any]] = [(f"J / {self.unit}", self.value, self.value_se)]
        rows.append(("without bias", self.corrected, self.corrected_se))
        if self.null_quantile is not None:
            rows.append(("95 % of nulls below", f"{self.null_quantile:.3g}", None))
        if self.p_value is not None:
            rows.append(("p-value", f"{self.p_value:.2g} ({self.null_law})", None))
        return rows

    def _rows(self) -> list[dict[str, Any]]:
        p, q = self.shares
        return [
            dict(bin=name, n_reference=float(a), n_test=float(b), share_reference=float(x), share_test=float(y),
                 woe=float(w), woe_se=float(se), contribution=float((x - y) * w))
            for name, a, b, x, y, w, se in zip(
                self.bins, self.counts_reference, self.counts_test, p, q, self.woe, self.woe_se, strict=True)
        ]  # fmt: skip

    @property
    def verdict(self) -> str:
        """One sentence: whether it drifted, where most, and what bins cannot see."""
        if len(self.bins) < 2:
            known = self.value_se == self.value_se
            return f"{self.name} has one bin only: nothing to compare" + (
                "." if known else ", and no drift is ruled out."
            )
        if self.p_value is None:
            return f"{self.name} differs by {say_estimate(self.corrected, self.corrected_se)} {self.unit}, no p-value."
        if not self.drifted:
            return (f"No drift of {self.name} was found (p = {self.p_value:.2g}); changes inside the bins, or smaller "
                    f"than {self.null_quantile:.2g} {self.unit}, would not be seen.")  # fmt: skip
        p, q = self.shares
        at = int(order_of(-(p - q) * self.woe, 1.0)[0])
        return (f"{self.name} drifted (p = {self.p_value:.2g}), most in the bin '{self.bins[at]}': "
                f"{p[at]:.1%} of the reference, {q[at]:.1%} of the test sample.")  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class StabilityTable(Result):
    """The stability index of every feature.

    Attributes
    ----------
    names : tuple of str
    features : tuple of StabilityIndex
        One a feature, with its bins.
    p_adjusted : array (D,)
        p-values adjusted for the number of features; NaN where there is none.
    adjust : str
        How: as in `infoscope.statistics.adjust_p_values`.
    """

    names: tuple[str, ...]
    features: tuple[StabilityIndex, ...] = field(repr=False)
    p_adjusted: np.ndarray
    adjust: str = "bh"
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {"p_adjusted": numbers("names"), "adjust": choices("bh", "by", "holm", "bonferroni")}
    _references = ("jeffreys",)

    def __getitem__(self, name: str) -> StabilityIndex:
        return self.features[self.names.index(name)]

    @property
    def values(self) -> np.ndarray:
        """The indices."""
        return np.array([one.value for one in self.features])

    @property
    def values_se(self) -> np.ndarray:
        """Their standard errors."""
        return np.array([one.value_se for one in self.features])

    @property
    def order(self) -> np.ndarray:
        """Numbers of the features, the largest index without bias first."""
        return order_of([-one.corrected for one in self.features], 1.0)

    @property
    def _title(self) -> str:
        return f"Stability index of {len(self.names)} features"

    def _rows(self) -> list[dict[str, Any]]:
        return [_feature_row(self.features[i], float(self.p_adjusted[i])) for i in self.order.tolist()]

    @property
    def verdict(self) -> str:
        """One sentence: how many drifted, and which most."""
        moved = [self.names[i] for i in self.order.tolist() if not exceeds(self.p_adjusted[i], ALPHA)
                 and np.isfinite(self.p_adjusted[i])]  # fmt: skip
        unknown = _unknown(self.features)
        if not moved:
            return f"No drift was found in any of {len(self.names)} features (adjusted p > {ALPHA:g}){unknown}."
        return f"{len(moved)} of {len(self.names)} features differ (adjusted p <= {ALPHA:g}), {moved[0]} most{unknown}."


@dataclass(frozen=True, kw_only=True, eq=False)
class DriftTable(Result):
    """What changed between two samples, feature by feature and in all of them together.

    Attributes
    ----------
    names : tuple of str
        The features; a last row called "all numbers together" is not among them.
    features : tuple of StabilityIndex
    shift, shift_se : array (D,)
        Wasserstein distance of a feature of numbers in standard deviations of the reference; NaN for categories.
    p_values, p_adjusted : array (D + 1,)
        Of every feature, and of the joint test last; adjusted for their number. NaN where there is none.
    joint, joint_se : float
        Sliced Wasserstein distance of all numbers together, in standard deviations; NaN where there are none.
    joint_null_values : array or None
        The same after labels were exchanged.
    top_direction : array or None
        Loadings of the columns of `joint_names` in the direction that differs most.
    joint_names : tuple of str
        Columns of the joint test.
    adjust : str
        How p-values were adjusted.
    alpha : float
        Level of the adjusted p-values from which a feature counts as drifted.
    n_reference, n_test, n_blocks : int
        Rows; blocks of correlated rows, 0 where rows are independent.
    """

    names: tuple[str, ...]
    features: tuple[StabilityIndex, ...] = field(repr=False)
    shift: np.ndarray
    shift_se: np.ndarray
    p_values: np.ndarray
    p_adjusted: np.ndarray
    joint: float
    joint_se: float
    joint_null_values: np.ndarray | None = field(default=None, repr=False)
    top_direction: np.ndarray | None = field(default=None, repr=False)
    joint_names: tuple[str, ...] = ()
    adjust: str = "bh"
    alpha: float = ALPHA
    n_reference: int
    n_test: int
    n_blocks: int = 0
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {
        "shift": numbers("names"),
        "shift_se": numbers("names"),
        "p_values": numbers("Q"),
        "p_adjusted": numbers("Q"),
        "joint_null_values": numbers("P"),
        "top_direction": numbers("joint_names"),
        "adjust": choices("bh", "by", "holm", "bonferroni"),
        "n_reference": whole(),
        "n_test": whole(),
        "n_blocks": whole(),
    }
    _references = ("jeffreys", "sliced_wasserstein", "benjamini_hochberg")

    @property
    def order(self) -> np.ndarray:
        """Numbers of the features, the largest index without bias first."""
        return order_of([-one.corrected for one in self.features], 1.0)

    @property
    def drifted(self) -> tuple[str, ...]:
        """Features whose adjusted p-value is at most alpha, the largest index first."""
        small = [bool(p == p and not exceeds(p, self.alpha)) for p in self.p_adjusted.tolist()]
        return tuple(self.names[i] for i in self.order.tolist() if small[i])

    @property
    def _title(self) -> str:
        blocks = f", {self.n_blocks} blocks" if self.n_blocks else ""
        return f"Drift of {len(self.names)} features ({self.n_reference} and {self.n_test} rows{blocks})"

    @property
    def _estimates(self) -> tuple[()]:
        return ()

    def _rows(self) -> list[dict[str, Any]]:
        rows = []
        for i in self.order.tolist():
            row = _feature_row(self.features[i], float(self.p_adjusted[i]))
            rows.append({"feature": row.pop("feature"), "index": row.pop("index"), "index_se": row.pop("index_se"),
                         "shift": _or_none(self.shift[i]), "shift_se": _or_none(self.shift_se[i])} | row)  # fmt: skip
        if self.joint == self.joint:
            p, adjusted = _or_none(self.p_values[-1]), _or_none(self.p_adjusted[-1])
            rows.append({"feature": "all numbers together", "index": None, "index_se": None, "shift": self.joint,
                         "shift_se": self.joint_se, "p_value": p, "p_adjusted": adjusted,
                         "drifted": _says(adjusted, self.alpha)})  # fmt: skip
        return rows

    @property
    def verdict(self) -> str:
        """One sentence: which features drifted, and what the joint test adds."""
        n, moved = len(self.names), self.drifted
        together = self.p_adjusted[-1] == self.p_adjusted[-1] and not exceeds(self.p_adjusted[-1], self.alpha)
        level = f"adjusted p <= {self.alpha:g}"
        if not moved and together:
            return f"No feature drifted alone, but all numbers together did ({level}): their relations changed."
        if not moved:
            unknown = _unknown(self.features)
            said = f"No drift was found in {n} features, alone or together ({level})"
            return f"{said}; {_unseen(self.features)}{unknown}."
        named = ", ".join(moved[:3]) + (f" and {len(moved) - 3} more" if len(moved) > 3 else "")
        return f"{len(moved)} of {n} features drifted ({level}): {named}."


# --------------------------------------------------------------------------------------------------------------- steps
def _feature_row(one: StabilityIndex, adjusted: float) -> dict[str, Any]:
    return {
        "feature": one.name, "index": one.value, "index_se": one.value_se, "corrected": one.corrected,
        "corrected_se": one.corrected_se, "null_95": one.null_quantile, "bins": len(one.bins), "p_value": one.p_value,
        "p_adjusted": _or_none(adjusted), "drifted": _says(_or_none(adjusted), ALPHA),
    }  # fmt: skip


def _unseen(features: tuple[StabilityIndex, ...]) -> str:
    """Changes of a feature that even a test of it alone would not have found."""
    asked = [one.null_quantile for one in features if one.null_quantile is not None and len(one.bins) > 1]
    limits = [limit for limit in asked if np.isfinite(limit)]
    if not limits:
        return "smaller changes may be there"
    low, high = f"{min(limits):.2g}", f"{max(limits):.2g}"
    return f"changes of one below {low if low == high else f'{low} to {high}'} {features[0].unit} would not be seen"


def _unknown(features: tuple[StabilityIndex, ...]) -> str:
    """Of how many features nothing is known."""
    n = sum(bool(one.value_se != one.value_se) for one in features)
    return f"; rows are too few to tell of {n} of them" if n else ""


def _or_none(value: float) -> float | None:
    return float(value) if value == value else None


def _says(p: float | None, alpha: float) -> str | None:
    return None if p is None else "no" if exceeds(p, alpha) else "yes"
