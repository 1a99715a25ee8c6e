"""The results of the Information Imbalance functions: numbers, their errors, a verdict and a picture."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard

import numpy as np

from infoscope.base.checks import check_choice
from infoscope.base.errors import ParameterError
from infoscope.base.results import Result, format_estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from infoscope.base.provenance import Provenance

__all__ = ["ImbalanceDifference", "ImbalanceMatrix", "InformationImbalance", "ScaleCurve"]

PREDICTS = 0.2  # a value up to here, its floor removed, predicts
SIGNIFICANT = 0.05  # p-values above tell nothing
RELIABLE_TIMES = 20  # runs shorter than this many correlation times are not reliable,
INTERVAL_TIMES = 10  # and below this many no interval is given
NOTABLE_FLOOR = 0.05  # floors above (labels) are removed before values are averaged or drawn together
WIDE = 8  # more columns than this are printed as a list of pairs


@dataclass(frozen=True, kw_only=True, eq=False)
class _Measured(Result):
    """What every imbalance was computed from, and whether its errors can be trusted.

    ``n_correlation_times`` is the length of the median run in correlation times; ``correlation_time_resolved`` is False
    when the series ended before its correlation did; ``correlated_rows`` is True when neighbouring rows are alike far
    more often than chance and neither ``time`` nor ``run`` was given.
    """

    n_items: int
    n_rows: int
    n_columns: int | None = None
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

    _references = ("information_imbalance",)

    @property
    def too_short(self) -> bool:
        """Whether runs are shorter than 20 correlation times while their own rows serve as neighbours."""
        times = self.n_correlation_times
        short = not self.correlation_time_resolved or (times is not None and times < RELIABLE_TIMES)
        return short and self.neighbors_from != "other_runs"

    @property
    def interval_withheld(self) -> bool:
        """Whether no interval is given, because fewer than 10 correlation times carry it."""
        few = [n for n in (self.n_correlation_times if self.too_short else None, self.n_independent) if n is not None]
        unresolved = self.too_short and not self.correlation_time_resolved
        return unresolved or any(n < INTERVAL_TIMES for n in few)

    @property
    def error_factor(self) -> float:
        """Half an interval in standard errors: 2, or with blocks the 97.5 % point of Student's t if that is larger."""
        if self.n_blocks is None or self.n_blocks < 2:
            return 2.0
        from scipy.special import stdtrit

        return max(2.0, float(stdtrit(self.n_blocks - 1, 0.975)))

    def _interval(self, value: float, se: float | None) -> tuple[float, float] | None:
        if self.interval_withheld or not _known(se):
            return None
        return value - self.error_factor * se, value + self.error_factor * se

    def _shown(self, value: float, se: float | None) -> str:
        return format_estimate(value, se if _known(se) and not self.interval_withheld else None)

    def _qualified(self, sentence: str, *clauses: str) -> str:
        """The sentence with what limits it."""
        limits = list(clauses)
        if self.too_short:
            unresolved = "" if self.correlation_time_resolved else "its correlation time is not resolved, so "
            limits.append(f"but {unresolved}fewer than 20 correlation times: not reliable")
        elif self.interval_withheld:
            limits.append("but fewer than 10 independent rows: not reliable")
        if self.correlated_rows:
            limits.append("but neighbouring rows look correlated and no time was given: probably too optimistic")
        return "; ".join([sentence, *limits]) + "."

    def _same(self) -> dict[str, Any]:
        """These fields, for another result of the same computation."""
        return {item.name: getattr(self, item.name) for item in fields(_Measured)}

    def _context(self) -> dict[str, Any]:
        """These fields for a table, without the long ones."""
        return {k: v for k, v in self._same().items() if k not in ("warnings", "notes", "provenance")}


@dataclass(frozen=True, kw_only=True, eq=False)
class InformationImbalance(_Measured):
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
    a_to_b_floor, b_to_a_floor : float
        The smallest attainable value: (k + 1)/N for features, the sum of squared class shares for labels.
        ``a_to_b_normalized`` is ``(a_to_b - floor)/(1 - floor)``.
    a_to_b_p, b_to_a_p : float or None
        Permutation p-values of "tells nothing", where asked for.
    k : int
        Neighbours per row. Values compare at equal k and N only.
    n_items, n_rows, n_columns : int
        All items; the rows used as queries; the columns that ranks were sampled from (None: all).
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
    warnings, notes : tuple of str
        What was found wrong, and what was done.

    Notes
    -----
    ``relation`` and ``verdict`` are read from the normalised values. With ``e`` two standard errors (with blocks, the
    97.5 % point of Student's t if larger), a direction *tells nothing* when ``1 - value <= e`` or its p-value is above
    0.05; it *predicts* when it tells something and is at most 0.2. "independent": neither tells anything. "equivalent":
    both predict. "a contains b": A predicts B, B does not predict A, and they differ by more than
    ``sqrt(e_ab**2 + e_ba**2)``; "b contains a" likewise. "partly shared": all else. ("unknown": a value is NaN.)
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
    a_to_b_floor: float = 0.0
    b_to_a_floor: float = 0.0
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

    def _readings(self) -> tuple[_Reading, _Reading]:
        ab = _read(self.a_to_b, self.a_to_b_se, self.a_to_b_floor, self.a_to_b_p, self.error_factor)
        return ab, _read(self.b_to_a, self.b_to_a_se, self.b_to_a_floor, self.b_to_a_p, self.error_factor)

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
        return _relate(*self._readings())

    @property
    def verdict(self) -> str:
        """One sentence: the relation, what the errors leave open, and whether to rely on it."""
        ab, ba = self._readings()
        relation = _relate(ab, ba)
        clauses = []
        if not (_known(self.a_to_b_se) and _known(self.b_to_a_se)):
            clauses.append("but a standard error is missing")
        elif relation == "independent" and any(way.value - way.error < 1.0 - PREDICTS for way in (ab, ba)):
            clauses.append("but the errors are too large to exclude that they share something")
        elif others := _alternatives(ab, ba):
            named = [f"'{_named(other, self.name_a, self.name_b)}'" for other in others]
            clauses.append(f"the errors also allow {' or '.join(named)}")
        return self._qualified(_sentence(relation, self.name_a, self.name_b, ab, ba), *clauses)

    @property
    def _title(self) -> str:
        return f"Information Imbalance of {self.name_a} and {self.name_b} (k = {self.k}, N = {self.n_items})"

    @property
    def _estimates(self) -> list[tuple[str, str, None]]:
        forth, back = self._shown(self.a_to_b, self.a_to_b_se), self._shown(self.b_to_a, self.b_to_a_se)
        return [(f"Δ({self.name_a} → {self.name_b})", forth, None), (f"Δ({self.name_b} → {self.name_a})", back, None)]

    def _rows(self) -> list[dict[str, Any]]:
        row: dict[str, Any] = {"name_a": self.name_a, "name_b": self.name_b}
        for way in ("a_to_b", "b_to_a"):
            low, high = getattr(self, f"{way}_interval") or (None, None)
            row |= {way: getattr(self, way), f"{way}_se": getattr(self, f"{way}_se")}
            row |= {f"{way}_low": low, f"{way}_high": high}
            row |= {f"{way}_{part}": getattr(self, f"{way}_{part}") for part in ("floor", "normalized", "p")}
        return [row | {"relation": self.relation, "k": self.k, "n_effective": self.n_effective} | self._context()]

    def plot(self, ax: Axes | None = None, *, kind: str = "plane", **options: Any) -> Axes:
        """Draw the result into ``ax`` (a new figure if None) and return the Axes, for "lags" the upper of two.

        ``kind`` is "plane" (both directions with errors among named regions), "ranks" (histograms of the rescaled
        ranks), "lags" (neighbours by their lag in time), "runs" (one value a run) or "weights" (cumulative weight).
        Options go to the function in `infoscope.imbalance.plots`, such as ``style="paper"``. ParameterError if ``kind``
        is unknown or the result does not hold what it draws.
        """
        from infoscope.imbalance import plots

        ways: dict[str, Callable[..., Axes]] = {"plane": plots.plot_plane, "ranks": plots.plot_ranks}
        ways |= {"lags": plots.plot_lags, "runs": plots.plot_runs, "weights": plots.plot_weights}
        return ways[check_choice(kind, "kind", tuple(ways))](self, ax, **options)


@dataclass(frozen=True, kw_only=True, eq=False)
class ImbalanceMatrix(_Measured):
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
        others = "the others" if set(self.names) == set(self.target_names) else _listed(self.target_names)
        ranked = sorted(scores, key=lambda name: scores[name].value)
        if not ranked or all(score.silent for score in scores.values()):
            return self._qualified(f"No space tells anything about {others} (within error)")
        best = scores[ranked[0]]
        near = [n for n in ranked if scores[n].value - best.value <= math.hypot(scores[n].error, best.error)]
        removed = ", floor removed," if np.max(self.floors) > NOTABLE_FLOOR else ""
        means = [self._shown(scores[n].value, scores[n].error / self.error_factor) for n in ranked]
        if len(near) > 1:
            told = f"{_listed(near)} tell most about {others} and cannot be told apart (within error)"
            return self._qualified(f"{told}: mean Δ{removed} {_listed(means[: len(near)])}")
        following = f", the next is {ranked[1]} with {means[1]}" if len(ranked) > 1 else ""
        return self._qualified(f"{ranked[0]} tells most about {others}: mean Δ{removed} {means[0]}{following}")

    def _scores(self) -> dict[str, _Reading]:
        """The mean reading of every row."""
        scores = {}
        for i, name in enumerate(self.names):
            entries = [self._entry(row, j) for row, j in self._cells() if row == i]
            read = [_read(e["value"], e["se"], e["floor"], e["p"], self.error_factor) for e in entries]
            if read := [r for r in read if not math.isnan(r.value)]:
                value, error, _ = np.mean(read, axis=0)
                scores[name] = _Reading(float(value), float(error), all(r.silent for r in read))
        return scores

    @property
    def _title(self) -> str:
        pairs = "row → column" if len(self.target_names) <= WIDE else f"the lowest of {len(self._cells())} pairs"
        return f"Information Imbalance Δ({pairs}), k = {self.k}, N = {self.n_items}"

    @property
    def _estimates(self) -> list[tuple[str, str, None]]:
        shown = {(i, j): self._shown(self.values[i, j], self.values_se[i, j]) for i, j in self._cells()}
        if len(self.target_names) > WIDE:  # the best pairs, as a list
            best = sorted(shown, key=lambda cell: self.values[cell])[:20]
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

    def plot(self, ax: Axes | None = None, *, kind: str = "heatmap", **options: Any) -> Axes:
        """Draw all pairs, as a heat map (``kind="heatmap"``) or in the imbalance plane (``kind="plane"``).

        Options go to the function in `infoscope.imbalance.plots`: ``style="paper"``, ``order="clustered"``.
        """
        from infoscope.imbalance import plots

        draw = plots.plot_plane if check_choice(kind, "kind", ("heatmap", "plane")) == "plane" else plots.plot_heatmap
        return draw(self, ax, **options)


@dataclass(frozen=True, kw_only=True, eq=False)
class ScaleCurve(_Measured):
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

    def floors(self) -> tuple[np.ndarray, np.ndarray]:
        """The smallest attainable values of both directions."""
        natural = (np.asarray(self.k, dtype=float) + 1.0) / self.n_items
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
        named = [_named(relation, self.name_a, self.name_b) for relation in relations]
        first, last = f"k = {self.k[0]}", f"k = {self.k[-1]} ({self.k[-1] / self.n_items:.2g} of all items)"
        if len(set(relations)) == 1:
            return self._qualified(f"{named[0]} at every scale from {first} to {last}")
        if relations[0] != relations[-1]:
            return self._qualified(f"{named[0]} at {first}, but {named[-1]} at {last}")
        between = ", ".join(str(k) for k, r in zip(self.k, relations, strict=True) if r != relations[0])
        return self._qualified(f"{named[0]} at {first} and at {last}, but not at k = {between}")

    @property
    def _title(self) -> str:
        return f"Information Imbalance of {self.name_a} and {self.name_b} against k (N = {self.n_items})"

    @property
    def _estimates(self) -> list[tuple[str, str, None]]:
        forth, back = f"Δ({self.name_a} → {self.name_b})", f"Δ({self.name_b} → {self.name_a})"
        width = max(len(forth), 17)
        texts = [[text for _, text, _ in self.at(i)._estimates] for i in range(len(self.k))]
        lines = [(f"k = {k}", f"{a:<{width}}  {b}", None) for k, (a, b) in zip(self.k, texts, strict=True)]
        return [("", f"{forth:<{width}}  {back}", None), *lines]

    def _rows(self) -> list[dict[str, Any]]:
        drop = set(self._context()) - {"n_items", "n_rows"} | {"n_effective"}
        rows = [self.at(i)._rows()[0] for i in range(len(self.k))]
        return [{name: value for name, value in row.items() if name not in drop} for row in rows]

    def plot(self, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw both directions against k/N with error bands; options as in `infoscope.imbalance.plots`."""
        from infoscope.imbalance import plots

        return plots.plot_scale_curve(self, ax, **options)


@dataclass(frozen=True, kw_only=True, eq=False)
class ImbalanceDifference(_Measured):
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

    @property
    def difference_interval(self) -> tuple[float, float] | None:
        """The 95 % interval of the difference, or None where it is withheld."""
        return self._interval(self.difference, self.difference_se)

    @property
    def verdict(self) -> str:
        """One sentence: which of the two tells more, or that the errors do not say."""
        a, b, target = self.name_a, self.name_b, self.name_target
        both = ((self.a_to_target, self.a_to_target_se), (self.b_to_target, self.b_to_target_se))
        if all(_read(value, se, self.target_floor, None, self.error_factor).silent for value, se in both):
            return self._qualified(f"Neither {a} nor {b} tells anything about {target} (within error)")
        unsure = self.p_value is not None and self.p_value > SIGNIFICANT
        if unsure or not abs(self.difference) > self.error_factor * self.difference_se:
            shown = self._shown(self.difference, self.difference_se)
            return self._qualified(f"{a} and {b} tell equally much about {target} (within error): Δ differs by {shown}")
        more, less = (a, b) if self.difference < 0 else (b, a)
        shown = self._shown(abs(self.difference), self.difference_se)
        return self._qualified(f"{more} tells more about {target} than {less}: Δ is lower by {shown}")

    @property
    def _title(self) -> str:
        return f"{self.name_a} or {self.name_b} about {self.name_target}? (k = {self.k}, N = {self.n_items})"

    @property
    def _estimates(self) -> list[tuple[str, str, None]]:
        labels = (f"Δ({self.name_a} → {self.name_target})", f"Δ({self.name_b} → {self.name_target})", "difference")
        names = ("a_to_target", "b_to_target", "difference")
        texts = [self._shown(getattr(self, name), getattr(self, f"{name}_se")) for name in names]
        return [(label, text, None) for label, text in zip(labels, texts, strict=True)]

    def _rows(self) -> list[dict[str, Any]]:
        low, high = self.difference_interval or (None, None)
        own = {item.name: getattr(self, item.name) for item in fields(self) if item.name not in self._same()}
        return [own | {"difference_low": low, "difference_high": high} | self._context()]

    def plot(self, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw both values with their errors; options as in `infoscope.imbalance.plots`."""
        from infoscope.imbalance import plots

        return plots.plot_difference(self, ax, **options)


# ------------------------------------------------------------------------------------------------ from numbers to words
class _Reading(NamedTuple):
    """One direction with its floor removed; the rules are in the Notes of `InformationImbalance`."""

    value: float
    error: float  # error_factor standard errors; 0 when there is none
    silent: bool  # tells nothing


def _named(relation: str, a: str, b: str) -> str:
    """A relation as a clause with the names of the spaces."""
    if relation.endswith((" b", " a")):
        return f"{a} contains {b}" if relation == "a contains b" else f"{b} contains {a}"
    words = {"partly shared": "share part of their information", "unknown": "have no known relation"}
    return f"{a} and {b} {words.get(relation, 'are ' + relation)}"


def _known(se: float | None) -> TypeGuard[float]:
    return se is not None and math.isfinite(se)


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def _read(value: float, se: float | None, floor: float, p: float | None, factor: float) -> _Reading:
    scale = 1.0 - floor
    if scale <= 0:  # k = N - 1: every order gives 1
        return _Reading(1.0, 0.0, True)
    error = factor * se / scale if _known(se) else 0.0
    normalized = (value - floor) / scale
    silent = 1.0 - normalized <= error * (1.0 + 1e-9) or (p is not None and p > SIGNIFICANT)
    return _Reading(normalized, error, silent)


def _relate(ab: _Reading, ba: _Reading) -> str:
    if math.isnan(ab.value) or math.isnan(ba.value):
        return "unknown"
    if ab.silent and ba.silent:
        return "independent"
    a_predicts, b_predicts = (way.value <= PREDICTS and not way.silent for way in (ab, ba))
    differ = abs(ab.value - ba.value) > math.hypot(ab.error, ba.error)
    if a_predicts and b_predicts:
        return "equivalent"
    if differ and (a_predicts or b_predicts):
        return "a contains b" if a_predicts else "b contains a"
    return "partly shared"


def _alternatives(ab: _Reading, ba: _Reading) -> list[str]:
    """Other relations within the errors: each value at either end, while what tells something still does."""
    ends = [[way._replace(value=way.value + sign * way.error) for sign in (-1, 0, 1)] for way in (ab, ba)]
    return sorted({_relate(a, b) for a in ends[0] for b in ends[1]} - {_relate(ab, ba)})


def _sentence(relation: str, a: str, b: str, ab: _Reading, ba: _Reading) -> str:
    if relation == "unknown":
        return f"The relation of {a} and {b} is unknown: a direction has no value"
    if relation == "equivalent":
        return f"{a} and {b} are equivalent: each predicts the neighbours of the other"
    if relation == "independent":
        return f"{a} and {b} look independent: neither tells anything about the other (within error)"
    shared = f"{a} and {b} share part of their information"
    if ba.value < ab.value:
        a, b, ab, ba = b, a, ba, ab  # from here on A tells more
    if relation != "partly shared":
        reverse = "not the reverse" if ba.value >= 0.5 else "better than the reverse"
        return f"{a} contains {b}: neighbours in {a} predict neighbours in {b}, {reverse}"
    little = "a little" if ab.value > 1.0 - PREDICTS else "something"
    if ba.silent:
        told = f"{a} tells {little} about {b}, {b} nothing about {a} (within error)"
    elif ba.value - ab.value > math.hypot(ab.error, ba.error):
        told = f"{a} tells more about {b} than {b} about {a}"
    else:
        told = f"each tells {little} about the other, equally much within error"
    return f"{shared}: {told}"
