"""The results of the Information Imbalance functions: numbers, their errors, a verdict and a picture."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from infoscope.base.contents import integers, numbers, whole
from infoscope.base.errors import DataError, ParameterError
from infoscope.base.rounding import exceeds, order_of

from .verdicts import (
    NOTABLE_FLOOR,
    PREDICTS,
    SIGNIFICANT,
    Measured,
    Reading,
    alternatives,
    is_known,
    join_names,
    phrase_relation,
    read,
    relate,
    sentence_of,
)

__all__ = ["ImbalanceDifference", "ImbalanceMatrix", "InformationImbalance", "ScaleCurve"]

WIDE = 8  # more columns than this are printed as a list of pairs


@dataclass(frozen=True, kw_only=True, eq=False)
class InformationImbalance(Measured):
    """Information Imbalance between two spaces, in both directions.

    Attributes
    ----------
    name_a, name_b : str
        Names of the two spaces.
    a_to_b, b_to_a : float
        The imbalances: near 0 when neighbours in the first space are neighbours in the second, 1 when the first says
        nothing about the second. Slightly more than 1 is noise and is not clipped.
    a_to_b_se, b_to_a_se : float
        Their standard errors. ``a_to_b_interval`` and ``b_to_a_interval`` are the 95 % intervals, None where withheld.
    asymmetry, asymmetry_se : float, float or None
        ``a_to_b - b_to_a``, with the error of the paired difference: below 0 where A tells more about B than B about A.
    a_to_b_floor, b_to_a_floor : float
        The smallest attainable value: (k + 1)/N for features, the sum of squared class shares for labels.
        ``a_to_b_normalized`` is ``(a_to_b - floor)/(1 - floor)``.
    a_to_b_undecided, b_to_a_undecided : str
        Why no value of this direction can decide, and what would do: classes too rare. Empty where one can.
    a_to_b_p, b_to_a_p : float or None
        Permutation p-values of "tells nothing", where asked for.
    k : int
        Neighbours per row. Values compare at equal k and N (of candidates) only.
    n_items, n_rows, n_columns, n_candidates : int
        All items; the rows used as queries; the columns that ranks were sampled from (None: all); the items that could
        be neighbours, where ``columns`` were chosen (None: all).
    n_kish, n_effective, n_independent : float or None
        Effective rows by weight; rows' worth of precision of these values (an upper figure); rows that are independent
        in time.
    a_to_b_rows, b_to_a_rows, row_weights : array or None
        One value a query row, whose mean with these weights is the imbalance.
    a_to_b_ranks, b_to_a_ranks, a_to_b_rank_weights, b_to_a_rank_weights : array or None
        Rescaled ranks, in (0, 1), of all neighbour pairs, and the weights of the pairs.
    correlation_time, n_correlation_times, correlation_time_resolved, exclusion_window, neighbors_from, n_blocks
        How time and runs were treated, in units of ``time``; the length of the median run in correlation times.
    lag_profile : mapping or None
        Columns ``lag_min``, ``lag_max``, ``chance`` and, for each direction, ``a_to_b_share`` (share of the neighbours
        in this bin) and ``a_to_b_mean`` (their mean value). A bin with infinite ``lag_max`` holds the other runs.
    run_values : mapping or None
        Columns ``run``, ``n_rows``, ``a_to_b``, ``a_to_b_se``, ``b_to_a``, ``b_to_a_se``.
    other_runs : mapping or None
        ``a_to_b``, ``a_to_b_se``, ``b_to_a``, ``b_to_a_se`` with neighbours from other runs only, where the window was
        chosen automatically and there are several runs: a check on runs that never saw the same states.
    warnings, notes : tuple of str
        What was found wrong, and what was done.

    Notes
    -----
    ``relation`` and ``verdict`` are read from the normalised values. With ``e`` two standard errors (with B blocks, the
    97.5 % point of Student's t with (B - 1)/2 degrees of freedom if larger), a direction *tells nothing* when
    ``1 - value <= e`` or its p-value is above
    0.05; it *predicts* when it tells something and is at most 0.2. "independent": neither tells anything. "equivalent":
    both predict. "a contains b": A predicts B, B does not predict A, and they differ by more than
    ``sqrt(e_ab**2 + e_ba**2)``; "b contains a" likewise. "partly shared": all else. ("unknown": a value is
    NaN, or classes are too rare to decide.)
    The verdict names relations that a shift of the values by ``e`` would allow too. Runs shorter than 20 correlation
    times make it say so; below 10, intervals are withheld.

    References
    ----------
    Glielmo, Zeni, Cheng, Csanyi, Laio, PNAS Nexus 1, pgac039 (2022).

    Examples
    --------
    >>> from infoscope.imbalance.results import InformationImbalance
    >>> result = InformationImbalance(
    ...     name_a="xy", name_b="x", a_to_b=0.05, a_to_b_se=0.01, b_to_a=0.56, b_to_a_se=0.02, k=1, n_items=9, n_rows=9
    ... )
    >>> result.relation
    'a contains b'
    >>> result.verdict
    'xy contains x: neighbours in xy predict neighbours in x, not the reverse.'
    """

    name_a: str = "A"
    name_b: str = "B"
    a_to_b: float
    a_to_b_se: float
    b_to_a: float
    b_to_a_se: float
    k: int
    asymmetry_se: float | None = None
    a_to_b_floor: float = 0.0
    b_to_a_floor: float = 0.0
    a_to_b_undecided: str = ""
    b_to_a_undecided: str = ""
    a_to_b_p: float | None = None
    b_to_a_p: float | None = None
    n_effective: float | None = None
    a_to_b_rows: np.ndarray | None = field(default=None, repr=False)
    b_to_a_rows: np.ndarray | None = field(default=None, repr=False)
    row_weights: np.ndarray | None = field(default=None, repr=False)
    a_to_b_ranks: np.ndarray | None = field(default=None, repr=False)
    b_to_a_ranks: np.ndarray | None = field(default=None, repr=False)
    a_to_b_rank_weights: np.ndarray | None = field(default=None, repr=False)
    b_to_a_rank_weights: np.ndarray | None = field(default=None, repr=False)
    lag_profile: Mapping[str, Any] | None = field(default=None, repr=False)
    run_values: Mapping[str, Any] | None = field(default=None, repr=False)
    other_runs: Mapping[str, float] | None = field(default=None, repr=False)

    _contents = {
        "k": whole(1),
        "a_to_b_rows": numbers("R"),
        "b_to_a_rows": numbers("R"),
        "row_weights": numbers("R"),
        "a_to_b_ranks": numbers("P"),
        "a_to_b_rank_weights": numbers("P"),
        "b_to_a_ranks": numbers("Q"),
        "b_to_a_rank_weights": numbers("Q"),
    }

    def _readings(self) -> tuple[Reading, Reading]:
        ab = read(self.a_to_b, self.a_to_b_se, self.a_to_b_floor, self.a_to_b_p, self.error_factor)
        return ab, read(self.b_to_a, self.b_to_a_se, self.b_to_a_floor, self.b_to_a_p, self.error_factor)

    @property
    def asymmetry(self) -> float:
        """``a_to_b - b_to_a``: below 0 where A tells more about B than B about A."""
        return self.a_to_b - self.b_to_a

    @property
    def a_to_b_normalized(self) -> float:
        """``(a_to_b - floor)/(1 - floor)``: 0 is the best attainable, 1 is nothing."""
        return self._readings()[0].value

    @property
    def b_to_a_normalized(self) -> float:
        """``(b_to_a - floor)/(1 - floor)``: 0 is the best attainable, 1 is nothing."""
        return self._readings()[1].value

    @property
    def a_to_b_interval(self) -> tuple[float, float] | None:
        """The 95 % interval of ``a_to_b``, or None where it is withheld."""
        return self._interval(self.a_to_b, self.a_to_b_se)

    @property
    def b_to_a_interval(self) -> tuple[float, float] | None:
        """The 95 % interval of ``b_to_a``, or None where it is withheld."""
        return self._interval(self.b_to_a, self.b_to_a_se)

    @property
    def relation(self) -> str:
        """One of "equivalent", "independent", "a contains b", "b contains a", "partly shared" (rules in Notes)."""
        return "unknown" if self.a_to_b_undecided or self.b_to_a_undecided else relate(*self._readings())

    @property
    def verdict(self) -> str:
        """One sentence: the relation, what the errors leave open, and whether to rely on it."""
        if reasons := [why for why in (self.a_to_b_undecided, self.b_to_a_undecided) if why]:
            return self._qualified(f"Undecided: {'; '.join(reasons)}")
        ab, ba = self._readings()
        relation = relate(ab, ba)
        known = is_known(self.a_to_b_se) and is_known(self.b_to_a_se)
        wide = known and any(exceeds(1.0 - PREDICTS, way.value - way.error) for way in (ab, ba))
        if relation == "independent" and (wide or self.interval_withheld):
            return self._qualified(
                f"Undecided whether {self.name_a} and {self.name_b} share anything: neither tells about the other, but "
                "the errors are too large to exclude it"
            )
        clauses = []
        if relation == "independent":
            ways = (
                (f"{self.name_a} → {self.name_b}", self.a_to_b_se),
                (f"{self.name_b} → {self.name_a}", self.b_to_a_se),
            )
            clauses += self._not_shown(ways)
        if not known:
            clauses.append("but a standard error is missing")
        elif others := alternatives(ab, ba):
            options = [f"'{phrase_relation(other, self.name_a, self.name_b)}'" for other in others]
            clauses.append(f"the errors also allow {' or '.join(options)}")
        return self._qualified(sentence_of(relation, self.name_a, self.name_b, ab, ba), *clauses)

    @property
    def _title(self) -> str:
        return f"Information Imbalance of {self.name_a} and {self.name_b} (k = {self.k}, {self._size})"

    @property
    def _estimates(self) -> list[tuple[str, str, None]]:
        forth, back = self._format(self.a_to_b, self.a_to_b_se), self._format(self.b_to_a, self.b_to_a_se)
        both = (self.a_to_b_floor, self.b_to_a_floor)
        floors = [f"   (floor {f:.3g})" if exceeds(f, NOTABLE_FLOOR) else "" for f in both]
        return [
            (f"Δ({self.name_a} → {self.name_b})", forth + floors[0], None),
            (f"Δ({self.name_b} → {self.name_a})", back + floors[1], None),
        ]

    def _rows(self) -> list[dict[str, Any]]:
        row: dict[str, Any] = {"name_a": self.name_a, "name_b": self.name_b}
        for way in ("a_to_b", "b_to_a"):
            low, high = getattr(self, f"{way}_interval") or (None, None)
            row |= {way: getattr(self, way), f"{way}_se": getattr(self, f"{way}_se")}
            row |= {f"{way}_low": low, f"{way}_high": high}
            row |= {f"{way}_{part}": getattr(self, f"{way}_{part}") for part in ("floor", "normalized", "p")}
        row |= {"asymmetry": self.asymmetry, "asymmetry_se": self.asymmetry_se}
        return [row | {"relation": self.relation, "k": self.k, "n_effective": self.n_effective} | self._context()]


@dataclass(frozen=True, kw_only=True, eq=False)
class ImbalanceMatrix(Measured):
    """Information Imbalance between all pairs of several spaces.

    Attributes
    ----------
    names, target_names : tuple of str
        The spaces that predict (rows) and those that are predicted (columns).
    values, values_se : array of shape (n_names, n_targets)
        ``values[i, j]`` is the imbalance from ``names[i]`` to ``target_names[j]``. A space with itself is never used.
    floors : array or float
        Smallest attainable values, of any shape that broadcasts to ``values``.
    p_values, p_values_adjusted, adjust : array or None, array or None, str or None
        Permutation p-values, the same corrected for the number of pairs, and the name of the correction.
    k : int
        Neighbours per row.

    Notes
    -----
    The verdict ranks the spaces by the mean of their row, floors removed. Its error is the mean of the row's errors: an
    upper bound, since the entries are correlated. Spaces within two joint errors of the best are named with it;
    `compare_imbalances` gives the error of one difference.
    """

    names: tuple[str, ...]
    target_names: tuple[str, ...]
    values: np.ndarray
    values_se: np.ndarray
    k: int
    floors: np.ndarray | float = 0.0
    p_values: np.ndarray | None = None
    p_values_adjusted: np.ndarray | None = None
    adjust: str | None = None

    _contents = {
        "k": whole(1),
        "values": numbers("names", "target_names"),
        "values_se": numbers("names", "target_names"),
        "p_values": numbers("names", "target_names"),
        "p_values_adjusted": numbers("names", "target_names"),
    }

    def _check_contents(self) -> None:
        if np.shape(self.floors) not in ((), np.shape(self.values)) or np.asarray(self.floors).dtype.kind not in "fiu":
            raise DataError("floors of ImbalanceMatrix must be one number, or one for each of its values")

    def _entry(self, i: int, j: int) -> dict[str, Any]:
        """One direction; p is the adjusted p-value if there is one."""
        p = self.p_values if self.p_values_adjusted is None else self.p_values_adjusted
        floor = np.broadcast_to(np.asarray(self.floors, dtype=float), np.shape(self.values))[i, j]
        value, se = float(self.values[i, j]), float(self.values_se[i, j])
        return {"value": value, "se": se, "floor": float(floor), "p": None if p is None else float(p[i, j])}

    def _cells(self) -> list[tuple[int, int]]:
        """The entries between two different spaces."""
        return [(i, j) for i, a in enumerate(self.names) for j, b in enumerate(self.target_names) if a != b]

    def pair(self, a: str, b: str) -> InformationImbalance:
        """Both directions between two spaces, p-values as adjusted; ParameterError if one was not computed."""
        known = [name for name in self.names if name in self.target_names]
        for name in (a, b):
            if name not in known:
                raise ParameterError(f"no values in both directions for {name!r}; they exist for {known}")
        row, column = self.names.index, self.target_names.index
        one: dict[str, Any] = {}
        for way, entry in (("a_to_b", self._entry(row(a), column(b))), ("b_to_a", self._entry(row(b), column(a)))):
            one |= {way: entry.pop("value")} | {f"{way}_{part}": number for part, number in entry.items()}
        return InformationImbalance(name_a=a, name_b=b, k=self.k, **one, **self._same())

    def pairs(self) -> list[InformationImbalance]:
        """All pairs of spaces for which both directions were computed, each once."""
        both = [name for name in self.names if name in self.target_names]
        return [self.pair(a, b) for i, a in enumerate(both) for b in both[i + 1 :]]

    @property
    def verdict(self) -> str:
        """One sentence: which space tells most about the others (or about the targets)."""
        scores = self._scores()
        only_targets = [name for name in self.target_names if name not in self.names]
        among = len(only_targets) + len(self.names) == len(self.target_names)  # every space is a target as well
        others = join_names((["the others"] if among else []) + (only_targets if among else list(self.target_names)))
        ranked = [list(scores)[i] for i in order_of([score.value for score in scores.values()], 1.0)]
        if not ranked or all(score.silent for score in scores.values()):
            widest = max((score.error / self.error_factor for score in scores.values()), default=None)
            clauses = self._not_shown([("", widest)], "mean Δ")
            return self._qualified(f"No space tells anything about {others} (within error)", *clauses)
        best = scores[ranked[0]]
        near = [
            n for n in ranked if not exceeds(scores[n].value - best.value, math.hypot(scores[n].error, best.error), 1.0)
        ]
        removed = ", floor removed," if exceeds(np.max(self.floors), NOTABLE_FLOOR) else ""
        means = [self._format(scores[n].value, scores[n].error / self.error_factor) for n in ranked]
        if len(near) > 1:
            told = f"{join_names(near)} tell most about {others} and cannot be told apart (within error)"
            return self._qualified(f"{told}: mean Δ{removed} {join_names(means[: len(near)])}")
        following = f", the next is {ranked[1]} with {means[1]}" if len(ranked) > 1 else ""
        return self._qualified(f"{ranked[0]} tells most about {others}: mean Δ{removed} {means[0]}{following}")

    def _scores(self) -> dict[str, Reading]:
        """The mean reading of every row."""
        scores = {}
        for i, name in enumerate(self.names):
            entries = [self._entry(row, j) for row, j in self._cells() if row == i]
            readings = [read(e["value"], e["se"], e["floor"], e["p"], self.error_factor) for e in entries]
            if readings := [r for r in readings if not math.isnan(r.value)]:
                value, error, _ = np.mean(readings, axis=0)
                scores[name] = Reading(float(value), float(error), all(r.silent for r in readings))
        return scores

    @property
    def _title(self) -> str:
        pairs = "row → column" if len(self.target_names) <= WIDE else f"the lowest of {len(self._cells())} pairs"
        return f"Information Imbalance Δ({pairs}), k = {self.k}, {self._size}"

    @property
    def _estimates(self) -> list[tuple[str, str, None]]:
        shown = {(i, j): self._format(self.values[i, j], self.values_se[i, j]) for i, j in self._cells()}
        if len(self.target_names) > WIDE:  # the best pairs, as a list
            best = [list(shown)[i] for i in order_of([self.values[cell] for cell in shown], 1.0)[:20]]
            return [(f"Δ({self.names[i]} → {self.target_names[j]})", shown[i, j], None) for i, j in best]
        width = max(len(text) for text in (*shown.values(), *self.target_names))
        lines = [("", "  ".join(f"{name:>{width}}" for name in self.target_names), None)]
        for i, name in enumerate(self.names):
            cells = [f"{shown.get((i, j), '-'):>{width}}" for j in range(len(self.target_names))]
            lines.append((name, "  ".join(cells), None))
        return lines

    def _rows(self) -> list[dict[str, Any]]:
        rows = []
        for i, j in self._cells():
            entry = self._entry(i, j)
            p = None if self.p_values is None else float(self.p_values[i, j])
            row: dict[str, Any] = {"name_a": self.names[i], "name_b": self.target_names[j]}
            row |= {"a_to_b": entry["value"], "a_to_b_se": entry["se"], "a_to_b_floor": entry["floor"], "a_to_b_p": p}
            row |= {"a_to_b_p_adjusted": None if self.p_values_adjusted is None else entry["p"]}
            rows.append(row | {"k": self.k, "n_items": self.n_items, "n_rows": self.n_rows})
        return rows


@dataclass(frozen=True, kw_only=True, eq=False)
class ScaleCurve(Measured):
    """Information Imbalance of two spaces against the number of neighbours.

    Attributes
    ----------
    name_a, name_b : str
        Names of the two spaces.
    k : array of int
        Numbers of neighbours, ascending.
    a_to_b, a_to_b_se, b_to_a, b_to_a_se : array
        Imbalances and their standard errors, one for each k.
    a_to_b_floor, b_to_a_floor : array or None
        Smallest attainable values; (k + 1)/N if None.
    """

    name_a: str = "A"
    name_b: str = "B"
    k: np.ndarray
    a_to_b: np.ndarray
    a_to_b_se: np.ndarray
    b_to_a: np.ndarray
    b_to_a_se: np.ndarray
    a_to_b_floor: np.ndarray | None = None
    b_to_a_floor: np.ndarray | None = None

    _contents = {
        "k": integers("S", low=1),
        "a_to_b": numbers("S"),
        "a_to_b_se": numbers("S"),
        "b_to_a": numbers("S"),
        "b_to_a_se": numbers("S"),
        "a_to_b_floor": numbers("S"),
        "b_to_a_floor": numbers("S"),
    }

    @property
    def n_answering(self) -> int:
        """Items that could be neighbours: all, or the chosen columns."""
        return self.n_items if self.n_candidates is None else self.n_candidates

    def floors(self) -> tuple[np.ndarray, np.ndarray]:
        """The smallest attainable values of both directions."""
        natural = (np.asarray(self.k, dtype=float) + 1.0) / self.n_answering
        forth, back = self.a_to_b_floor, self.b_to_a_floor
        return (natural if forth is None else np.asarray(forth)), (natural if back is None else np.asarray(back))

    def at(self, index: int) -> InformationImbalance:
        """The result at ``k[index]``."""
        arrays = {name: getattr(self, name) for name in ("a_to_b", "a_to_b_se", "b_to_a", "b_to_a_se")}
        arrays |= dict(zip(("a_to_b_floor", "b_to_a_floor"), self.floors(), strict=True))
        one: dict[str, Any] = {name: float(values[index]) for name, values in arrays.items()}
        one |= {"k": int(self.k[index]), "name_a": self.name_a, "name_b": self.name_b}
        return InformationImbalance(**one, **self._same())

    @property
    def verdict(self) -> str:
        """One sentence: the relation at the smallest and at the largest scale, or the one that holds at all."""
        relations = [self.at(i).relation for i in range(len(self.k))]
        clauses = [phrase_relation(relation, self.name_a, self.name_b) for relation in relations]
        first, last = f"k = {self.k[0]}", f"k = {self.k[-1]} ({self.k[-1] / self.n_answering:.2g} of all items)"
        if len(set(relations)) == 1:
            return self._qualified(f"{clauses[0]} at every scale from {first} to {last}")
        if relations[0] != relations[-1]:
            return self._qualified(f"{clauses[0]} at {first}, but {clauses[-1]} at {last}")
        between = ", ".join(str(k) for k, r in zip(self.k, relations, strict=True) if r != relations[0])
        return self._qualified(f"{clauses[0]} at {first} and at {last}, but not at k = {between}")

    @property
    def _title(self) -> str:
        return f"Information Imbalance of {self.name_a} and {self.name_b} against k ({self._size})"

    @property
    def _estimates(self) -> list[tuple[str, str, None]]:
        forth, back = f"Δ({self.name_a} → {self.name_b})", f"Δ({self.name_b} → {self.name_a})"
        texts = [[text for _, text, _ in self.at(i)._estimates[:2]] for i in range(len(self.k))]
        width = max(len(text) for text in (forth, *(a for a, _ in texts)))
        lines = [(f"k = {k}", f"{a:<{width}}  {b}", None) for k, (a, b) in zip(self.k, texts, strict=True)]
        return [("", f"{forth:<{width}}  {back}", None), *lines]

    def _rows(self) -> list[dict[str, Any]]:
        drop = set(self._context()) - {"n_items", "n_rows"} | {"n_effective"}
        rows = [self.at(i)._rows()[0] for i in range(len(self.k))]
        return [{name: value for name, value in row.items() if name not in drop} for row in rows]


@dataclass(frozen=True, kw_only=True, eq=False)
class ImbalanceDifference(Measured):
    """Whether one space tells more about a target than another does.

    Attributes
    ----------
    name_a, name_b, name_target : str
        The two spaces and the target.
    a_to_target, a_to_target_se, b_to_target, b_to_target_se : float
        Imbalances towards the target, and their standard errors.
    difference, difference_se : float
        ``a_to_target - b_to_target`` (negative: A tells more), and its standard error, which knows that both come from
        the same items.
    p_value : float or None
        Two-sided p-value of "no difference".
    target_floor : float
        The smallest attainable value.
    k : int
        Neighbours per row.
    """

    name_a: str = "A"
    name_b: str = "B"
    name_target: str = "target"
    a_to_target: float
    a_to_target_se: float
    b_to_target: float
    b_to_target_se: float
    difference: float
    difference_se: float
    k: int
    p_value: float | None = None
    target_floor: float = 0.0

    _contents = {"k": whole(1)}

    @property
    def difference_interval(self) -> tuple[float, float] | None:
        """The 95 % interval of the difference, or None where it is withheld."""
        return self._interval(self.difference, self.difference_se)

    @property
    def verdict(self) -> str:
        """One sentence: which of the two tells more, or that the errors do not say."""
        a, b, target = self.name_a, self.name_b, self.name_target
        both = ((self.a_to_target, self.a_to_target_se), (self.b_to_target, self.b_to_target_se))
        if all(read(value, se, self.target_floor, None, self.error_factor).silent for value, se in both):
            clauses = self._not_shown([(a, self.a_to_target_se), (b, self.b_to_target_se)])
            return self._qualified(f"Neither {a} nor {b} tells anything about {target} (within error)", *clauses)
        unsure = self.p_value is not None and exceeds(self.p_value, SIGNIFICANT)
        if unsure or not exceeds(abs(self.difference), self.error_factor * self.difference_se, 1.0):
            shown = self._format(self.difference, self.difference_se)
            return self._qualified(f"{a} and {b} tell equally much about {target} (within error): Δ differs by {shown}")
        more, less = (a, b) if self.difference < 0 else (b, a)
        shown = self._format(abs(self.difference), self.difference_se)
        return self._qualified(f"{more} tells more about {target} than {less}: Δ is lower by {shown}")

    @property
    def _title(self) -> str:
        return f"{self.name_a} or {self.name_b} about {self.name_target}? (k = {self.k}, {self._size})"

    @property
    def _estimates(self) -> list[tuple[str, str, None]]:
        labels = (f"Δ({self.name_a} → {self.name_target})", f"Δ({self.name_b} → {self.name_target})", "difference")
        names = ("a_to_target", "b_to_target", "difference")
        texts = [self._format(getattr(self, name), getattr(self, f"{name}_se")) for name in names]
        return [(label, text, None) for label, text in zip(labels, texts, strict=True)]

    def _rows(self) -> list[dict[str, Any]]:
        low, high = self.difference_interval or (None, None)
        own = {item.name: getattr(self, item.name) for item in fields(self) if item.name not in self._same()}
        return [own | {"difference_low": low, "difference_high": high} | self._context()]
