"""How numbers become words: what a result was computed from, whether its errors hold, and the rules of the verdicts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple, TypeGuard

from infoscope.base.contents import whole
from infoscope.base.provenance import Provenance
from infoscope.base.results import Result, format_estimate
from infoscope.base.rounding import STEPS, exceeds
from infoscope.statistics import block_degrees, student_reach

PREDICTS = 0.2  # a value up to here, its floor removed, predicts
SIGNIFICANT = 0.05  # p-values above tell nothing
RELIABLE_TIMES = 20  # runs shorter than this many correlation times are not reliable,
INTERVAL_TIMES = 10  # and below this many no interval is given
NOTABLE_FLOOR = 0.05  # floors above (labels) are removed before values are averaged or drawn together


@dataclass(frozen=True, kw_only=True, eq=False)
class Measured(Result):
    """What every imbalance was computed from, and whether its errors can be trusted.

    ``n_candidates`` is how many items could be neighbours and took part in the order, where these were chosen; else
    None. ``n_correlation_times`` is the length of the median run in correlation times; ``correlation_time_resolved`` is
    False when the series ended before its correlation did; ``correlated_rows`` is True when neighbouring rows are alike
    far more often than chance and neither ``time`` nor ``run`` was given.
    """

    n_items: int
    n_rows: int
    n_columns: int | None = None
    n_candidates: int | None = None
    n_kish: float | None = None
    n_independent: float | None = None
    correlation_time: float | None = None
    n_correlation_times: float | None = None
    correlation_time_resolved: bool = True
    exclusion_window: float = 0.0
    neighbors_from: str = "any"
    n_blocks: int | None = None
    standard_error: str = "graph"
    recall: float | None = None
    correlated_rows: bool = False
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    provenance: Provenance | None = field(default=None, repr=False)

    _contents = {"n_items": whole(1), "n_rows": whole(1)}

    _references = ("information_imbalance",)

    @property
    def _size(self) -> str:
        """How many items, in words of a title."""
        if self.n_candidates is None:
            return f"N = {self.n_items}"
        return f"{self.n_rows} rows among {self.n_candidates} of N = {self.n_items}"

    @property
    def too_short(self) -> bool:
        """Whether runs are shorter than 20 correlation times while their own rows serve as neighbours."""
        times = self.n_correlation_times
        short = not self.correlation_time_resolved or (times is not None and exceeds(RELIABLE_TIMES, times, same=STEPS))
        return short and self.neighbors_from != "other_runs"

    @property
    def interval_withheld(self) -> bool:
        """Whether no interval is given, because fewer than 10 correlation times carry it."""
        few = [n for n in (self.n_correlation_times if self.too_short else None, self.n_independent) if n is not None]
        unresolved = self.too_short and not self.correlation_time_resolved
        return unresolved or any(exceeds(INTERVAL_TIMES, n, same=STEPS) for n in few)

    @property
    def error_factor(self) -> float:
        """Half an interval in standard errors: 2, or with blocks the 97.5 % point of Student's t if that is larger."""
        if self.n_blocks is None or self.n_blocks < 2:
            return 2.0
        return max(2.0, student_reach(block_degrees(self.n_blocks)))

    def _interval(self, value: float, se: float | None) -> tuple[float, float] | None:
        if self.interval_withheld or not is_known(se):
            return None
        return value - self.error_factor * se, value + self.error_factor * se

    def _format(self, value: float, se: float | None) -> str:
        return format_estimate(value, se if is_known(se) and not self.interval_withheld else None)

    def _qualified(self, sentence: str, *clauses: str) -> str:
        """The sentence with what limits it."""
        limits = list(clauses)
        if self.too_short:
            unresolved = "" if self.correlation_time_resolved else "the correlation time is not resolved, so "
            limits.append(f"but {unresolved}fewer than 20 correlation times: not reliable")
        elif self.interval_withheld:
            limits.append("but fewer than 10 independent rows: not reliable")
        if self.correlated_rows:
            limits.append("but neighbouring rows look correlated and no time was given: Δ is probably too low")
        return "; ".join([sentence, *limits]) + "."

    def _not_shown(self, named: Sequence[tuple[str, float | None]], what: str = "Δ") -> list[str]:
        """What could not have been told from nothing, as a clause: what lies within the interval around 1."""
        limits = [f"{1 - self.error_factor * se:.2f}" for _, se in named if is_known(se) and se > 0]
        if self.interval_withheld or len(limits) < len(named):
            return []
        alike = len(set(limits)) == 1
        said = limits[:1] if alike else [f"{limit} ({name})" for limit, (name, _) in zip(limits, named, strict=True)]
        return [f"a {what} above {' or '.join(said)} would not show"]

    def _same(self) -> dict[str, Any]:
        """These fields, for another result of the same computation."""
        return {item.name: getattr(self, item.name) for item in fields(Measured)}

    def _context(self) -> dict[str, Any]:
        """These fields for a table, without the long ones."""
        return {k: v for k, v in self._same().items() if k not in ("warnings", "notes", "provenance")}


# ------------------------------------------------------------------------------------------------ from numbers to words
class Reading(NamedTuple):
    """One direction with its floor removed; the rules are in the Notes of `InformationImbalance`."""

    value: float
    error: float  # error_factor standard errors; 0 when there is none
    silent: bool  # tells nothing


def phrase_relation(relation: str, a: str, b: str) -> str:
    """A relation as a clause with the names of the spaces."""
    if relation.endswith((" b", " a")):
        return f"{a} contains {b}" if relation == "a contains b" else f"{b} contains {a}"
    words = {"partly shared": "share part of their information", "unknown": "have no known relation"}
    return f"{a} and {b} {words.get(relation, 'are ' + relation)}"


def is_known(se: float | None) -> TypeGuard[float]:
    return se is not None and math.isfinite(se)


def join_names(names: Sequence[str]) -> str:
    if not names:
        return "none"
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def read(value: float, se: float | None, floor: float, p: float | None, factor: float) -> Reading:
    scale = 1.0 - floor
    if not exceeds(1.0, floor):  # k = N - 1: every order gives 1
        return Reading(1.0, 0.0, True)
    error = factor * se / scale if is_known(se) else 0.0
    normalized = (value - floor) / scale
    silent = not exceeds(1.0, normalized + error, 1.0 / scale) or (p is not None and exceeds(p, SIGNIFICANT))
    return Reading(normalized, error, silent)


def relate(ab: Reading, ba: Reading) -> str:
    if math.isnan(ab.value) or math.isnan(ba.value):
        return "unknown"
    if ab.silent and ba.silent:
        return "independent"
    a_predicts, b_predicts = (not way.silent and not exceeds(way.value, PREDICTS, 1.0) for way in (ab, ba))
    if a_predicts and b_predicts:
        return "equivalent"
    clear = math.hypot(ab.error, ba.error)
    if a_predicts and exceeds(ba.value - ab.value, clear, 1.0):
        return "a contains b"
    return "b contains a" if b_predicts and exceeds(ab.value - ba.value, clear, 1.0) else "partly shared"


def alternatives(ab: Reading, ba: Reading) -> list[str]:
    """Other relations within the errors: each value at either end, while what tells something still does."""
    ends = [[way._replace(value=way.value + sign * way.error) for sign in (-1, 0, 1)] for way in (ab, ba)]
    return sorted({relate(a, b) for a in ends[0] for b in ends[1]} - {relate(ab, ba)})


def sentence_of(relation: str, a: str, b: str, ab: Reading, ba: Reading) -> str:
    if relation == "unknown":
        return f"The relation of {a} and {b} is unknown: a direction has no value"
    if relation == "equivalent":
        return f"{a} and {b} are equivalent: each predicts the neighbours of the other"
    if relation == "independent":
        return f"{a} and {b} look independent: neither tells anything about the other (within error)"
    shared = f"{a} and {b} share part of their information"
    if ab.silent > ba.silent or (ab.silent == ba.silent and exceeds(ab.value, ba.value, 1.0)):
        a, b, ab, ba = b, a, ba, ab  # from here on A tells more
    if relation != "partly shared":
        reverse = "better than the reverse" if exceeds(0.5, ba.value) else "not the reverse"
        return f"{a} contains {b}: neighbours in {a} predict neighbours in {b}, {reverse}"
    little = "a little" if exceeds(ab.value, 1.0 - PREDICTS) else "something"
    if ba.silent:
        told = f"{a} tells {little} about {b}, {b} nothing about {a} (within error)"
    elif exceeds(ba.value - ab.value, math.hypot(ab.error, ba.error), 1.0):
        told = f"{a} tells more about {b} than {b} about {a}"
    else:
        told = f"each tells {little} about the other, equally much within error"
    return f"{shared}: {told}"
