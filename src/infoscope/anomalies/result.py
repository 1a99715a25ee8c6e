"""What `DensityAnomaly` found: scores and p-values of all points, thresholds, regions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from infoscope.base import DataError, Origin, ParameterError, Provenance, Result, check_choice, format_estimate
from infoscope.base.contents import choices, flags, holds, integers, numbers, values, whole
from infoscope.neighbors import TIE, Space, nearest

from .null import score_table
from .regions import Region

if TYPE_CHECKING:
    import pandas

CONTROL_WORDS = {
    "fdr": "false discovery rate",
    "fdr_by": "false discovery rate, whatever the dependence",
    "fwer": "chance of any false flag",
    "fpr": "rate of false flags per point",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Excess:
    """One side: where one sample has more points than the other.

    Arrays have one entry for every pooled item, the reference first.  Scores of the other sample's points are injected
    scores: what they would have as points of the sample with the excess.

    Attributes
    ----------
    side : {"over", "under"}
        Excess of the test sample, or of the reference.
    scores, p_values : array (N,)
        Largest score of the scan; P(score at least as large) where labels carry no information.
    adjusted : array (N,)
        p-values of the own sample's points adjusted for their number (as `control` says); NaN for the others.
    k_star : array (N,) of int
        Rank at which each point stands out most.
    threshold : float
        Points with larger scores are flagged.
    flagged : array (N,) of bool
        Of the own sample.
    region : array (N,) of int
        Region of flagged points and of injected ones above the threshold; -1 elsewhere.
    pruned_step : array (N,) of int
        Step of the equalisation at which the point went; 0 where it stayed.
    pruned_level : array (N,)
        Score because of which it went; NaN where it stayed.
    maxima : array (B,)
        Largest scores under label permutations, if there were any.
    regions : tuple of Region
    equalised : bool
        False where the equalisation was left out.
    smallest_alone : int
        Smallest number of rows, with no row of the other sample among them, that would have been flagged; 0 if none.
    smallest_among, expected_among : int, float
        Smallest number of rows among `k` neighbours that would have been flagged (0 if not even all), and how many
        there are where nothing happened.
    """

    side: str
    scores: np.ndarray = field(repr=False)
    p_values: np.ndarray = field(repr=False)
    adjusted: np.ndarray = field(repr=False)
    k_star: np.ndarray = field(repr=False)
    threshold: float
    flagged: np.ndarray = field(repr=False)
    region: np.ndarray = field(repr=False)
    pruned_step: np.ndarray = field(repr=False)
    pruned_level: np.ndarray = field(repr=False)
    maxima: np.ndarray = field(repr=False)
    regions: tuple[Region, ...] = ()
    equalised: bool = True
    smallest_alone: int = 0
    smallest_among: int = 0
    expected_among: float = 0.0

    _contents = {
        "side": choices("over", "under"),
        "scores": numbers("N"),
        "p_values": numbers("N"),
        "adjusted": numbers("N"),
        "k_star": integers("N", below="scores"),
        "flagged": flags("N"),
        "region": integers("N", low=-1, below="regions"),
        "pruned_step": integers("N"),
        "pruned_level": numbers("N"),
        "maxima": numbers("B"),
    }

    @property
    def n_flagged(self) -> int:
        return int(self.flagged.sum())

    @property
    def n_pruned(self) -> int:
        return int(np.count_nonzero(self.pruned_step))

    @property
    def resolved(self) -> tuple[Region, ...]:
        """The regions that have counts."""
        return tuple(region for region in self.regions if region.resolved)

    @property
    def established(self) -> tuple[Region, ...]:
        """The regions whose signal is above zero with 95 % confidence."""
        return tuple(region for region in self.regions if region.established)


class ScanPath(NamedTuple):
    """The scan of one point, rank by rank."""

    k: np.ndarray  # ranks
    successes: np.ndarray  # points of the sample with the excess among the first k
    scores: np.ndarray  # phi(k, S_k)
    looked: np.ndarray  # bool: ranks at which the scan looks (ends of tie groups from k_min on)


@dataclass(frozen=True, kw_only=True, eq=False)
class Anomalies(Result):
    """Where two samples differ.

    Attributes
    ----------
    over, under : Excess or None
        Excess of the test sample over the reference, and the other way round; None for a side not asked for.
    regions : tuple of Region
        Of both sides.
    global_p_value : float
        Exact p-value of the hypothesis that the samples do not differ at all, from label permutations; NaN without.
    n_reference, n_test, k, k_min : int
    probability : float
        Of the label "test" where nothing happened.
    exposure : float
        Test points a reference point stands for where nothing happened, after both excesses are removed.
    control, alpha, null : str, float, str
        What is controlled, at which level, and how labels fall where nothing happened.
    n_permutations : int
        Label permutations.
    n_blocks : int
        Blocks of rows that were permuted as a whole; 0 where rows were.
    cross_fit : bool
        Whether the counts of regions come from rows that did not define them.
    n_blind, k_needed : int
        Rows that have more than `k` equally near neighbours, so that nothing can be found around them; and the `k` that
        would look at all of these (0: there are none).
    too_few : str
        Where no outcome whatever would have been flagged at this level: which rows, blocks or permutations can show no
        difference, as a clause; else empty.
    labels : array (N,) of uint8
        1 for the test sample.
    space : Space
        Both samples, the reference first.
    row_numbers : array (N,) of int or None
        Number of every item among the rows of its sample as they were brought; None: all are there.
    origin : Origin or None
        File, row (or frame), time and name of every item, as far as they are known.
    """

    over: Excess | None = field(repr=False)
    under: Excess | None = field(repr=False)
    regions: tuple[Region, ...] = field(repr=False)
    global_p_value: float
    n_reference: int
    n_test: int
    k: int
    k_min: int
    probability: float
    exposure: float
    control: str
    alpha: float
    null: str
    n_permutations: int = 0
    n_blocks: int = 0
    cross_fit: bool = False
    n_blind: int = 0
    k_needed: int = 0
    too_few: str = ""
    includes_self: bool = field(default=False, repr=False)
    labels: np.ndarray = field(repr=False)
    space: Space = field(repr=False)
    ids: Any = field(default=None, repr=False)
    row_numbers: np.ndarray | None = field(default=None, repr=False)
    origin: Origin | None = field(default=None, repr=False)
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {
        "labels": integers("space", below=2),
        "n_reference": whole(1),
        "n_test": whole(1),
        "k": whole(1, "labels"),
        "k_min": whole(1, "labels"),
        "control": choices(*CONTROL_WORDS),
        "n_permutations": whole(),
        "n_blocks": whole(),
        "n_blind": whole(),
        "k_needed": whole(),
        "ids": values("space") | None,
        "origin": holds(Origin, length="space") | None,
        "row_numbers": integers("space"),
    }

    _references = ("eagleeye",)

    def _check_contents(self) -> None:
        """Raise where sides or regions that were read name rows that there are not."""
        n = {True: self.n_test, False: self.n_reference}
        if self.n_test + self.n_reference != len(self.labels):
            raise DataError("n_reference and n_test of Anomalies do not go with its labels")
        for side in self.sides:
            if len(side.scores) != len(self.labels):
                raise DataError(f"scores of the side {side.side} of Anomalies do not go with its labels")
        for region in (*self.regions, *(region for side in self.sides for region in side.regions)):
            own, other = n[region.side == "over"], n[region.side == "under"]
            pairs = [(region.own_rows, own), (region.anomalous_rows, own), (region.pruned_rows, own)]
            for rows, most in (*pairs, (region.other_rows, other), (region.injected_rows, other)):
                if len(rows) and rows.max() >= most:
                    raise DataError(f"region {region.name} of Anomalies names row {rows.max()} of {most}")

    @property
    def sides(self) -> tuple[Excess, ...]:
        """The sides that were asked for."""
        return tuple(side for side in (self.over, self.under) if side is not None)

    @property
    def feature_names(self):
        """Names of the columns, or None."""
        return self.space.feature_names

    @property
    def coordinates(self):
        """Features of all items (N, D)."""
        return self.space.features

    @property
    def significant(self) -> bool:
        """Whether anything was flagged."""
        return any(side.n_flagged for side in self.sides)

    @property
    def decidable(self) -> bool:
        """Whether anything could have been flagged."""
        return not self.too_few

    @property
    def verdict(self) -> str:
        """One sentence: where the samples differ, and by how much."""
        words = f"{CONTROL_WORDS[self.control]} {self.alpha:g}"
        if not self.significant:
            return self._absence(words)
        parts = []
        for side, more in ((self.over, "more"), (self.under, "fewer")):
            if side is None or not side.n_flagged:
                continue
            places, signal = len(side.established), sum(region.signal for region in side.established)
            where = f"{places} region{'s' if places != 1 else ''}" if places else "places too small to count"
            parts.append(f"{more} points than the reference in {where}" + (f" ({signal:.0f} in all)" if places else ""))
        return f"The test sample has {', and '.join(parts)} ({words}).{self._unseen}"

    def _absence(self, words: str) -> str:
        """That nothing was found, and what would have been."""
        n = len(self.labels)
        if self.too_few:
            return f"Undecided: {self.too_few} at {self.alpha:g}."
        if self.n_blind == n:
            return f"Undecided ({words}).{self._unseen}"
        found = [text for side in self.sides if (text := _would_be_found(side, self.k))]
        power = f" Found would have been: {'; '.join(found)}." if found else ""
        return f"No place was found where the samples differ ({words}).{power}{self._unseen}"

    @property
    def _unseen(self) -> str:
        """Where nothing could be found, in words."""
        if not self.n_blind:
            return ""
        way_out = f": k = {self.k_needed} would look at them" if self.k_needed else ""
        return (
            f" Around {self.n_blind} of {len(self.labels)} rows more than k = {self.k} neighbours are equally near, "
            f"and nothing can be found there{way_out}."
        )

    @property
    def _title(self) -> str:
        return f"Anomalies ({self.n_reference} reference, {self.n_test} test, k = {self.k})"

    @property
    def _estimates(self) -> list[tuple[str, Any, float | None]]:
        shown: list[tuple[str, Any, float | None]] = []
        if np.isfinite(self.global_p_value):
            shown.append(("global p-value", self.global_p_value, None))
        for side in self.sides:
            text = f"{side.n_flagged} flagged (score above {side.threshold:.4g}), {side.n_pruned} pruned"
            shown.append((side.side, text, None))
            for region in side.established[:20]:
                expected, purity = (format_estimate(getattr(region, name), getattr(region, f"{name}_se"))
                                    for name in ("background", "purity"))  # fmt: skip
                text = f"{region.n_anomalous} points, {expected} expected, purity {purity}"
                text += f", {region.significance_li_ma:.1f} sigma"
                shown.append((f"  {region.name}", text, None))
            others = len(side.regions) - len(side.established[:20])
            if others:
                shown.append(("", f"and {others} region{'s' if others > 1 else ''} too uncertain to count", None))
        return shown

    def _rows(self) -> list[dict[str, Any]]:
        return [region.to_dict() for region in self.regions]

    def to_frame(self, what: str = "regions", *, flagged: bool = True) -> pandas.DataFrame:
        """A table of regions, or of points.

        Parameters
        ----------
        what : {"regions", "rows"}
            One row a region; or one row a point and side, with its scores.
        flagged : bool
            Only points that are flagged; else all of both samples.

        Returns
        -------
        pandas.DataFrame
        """
        import pandas

        if check_choice(what, "what", ("regions", "rows")) == "regions":
            return pandas.DataFrame(self._rows())
        return pandas.concat([self._points(side, flagged) for side in self.sides], ignore_index=True)

    def scan_path(self, item: int, side: str = "over") -> ScanPath:
        """The scan of one pooled item, rank by rank: what its score is the largest of.

        Parameters
        ----------
        item : int
            Number of the item; the test sample starts at ``n_reference``.
        side : {"over", "under"}

        Returns
        -------
        ScanPath
        """
        check_choice(side, "side", ("over", "under"))
        if not 0 <= item < len(self.labels):
            raise ParameterError(f"item is {item}; there are {len(self.labels)} items")
        wanted, own = self.k - self.includes_self, int(self.includes_self)
        graph = nearest(self.space, min(wanted + 1, len(self.labels) - 1), queries=np.array([item]))
        squared = np.append(graph.squared, np.inf)[: wanted + 1]
        hits = self.labels[graph.items[:wanted]] == (1 if side == "over" else 0)
        successes = np.cumsum(hits) + own
        k = np.arange(1, wanted + 1) + own
        p = self.probability if side == "over" else 1 - self.probability
        scores = score_table(self.k, p)[k * (k + 1) // 2 + successes]
        looked = (squared[1:] > squared[:-1] * (1 + TIE)) & (k >= self.k_min)
        return ScanPath(k, successes, scores, looked)

    def flagged_items(self) -> np.ndarray:
        """Pooled numbers of the flagged items, in the order of the rows of ``to_frame("rows")``."""
        return np.concatenate([np.flatnonzero(side.flagged) for side in self.sides])

    # ---- steps ----
    def _points(self, side: Excess, flagged: bool) -> pandas.DataFrame:
        import pandas

        items = np.flatnonzero(side.flagged) if flagged else np.arange(len(self.labels))
        test, numbers = self.labels[items] == 1, self.row_numbers
        region = side.region[items]
        purity = np.array([r.purity for r in side.regions] + [np.nan])
        recovered = np.zeros(len(self.labels), np.bool_)
        first = self.n_reference if side.side == "over" else 0
        for found in side.regions:
            recovered[found.anomalous_rows + first] = True
        places = {"row": np.where(test, items - self.n_reference, items) if numbers is None else numbers[items]}
        if self.origin is not None:
            places = self.origin.columns(items)
        table = {
            "side": side.side,
            "sample": np.where(test, "test", "reference"),
            **places,
            "score": side.scores[items],
            "p_value": side.p_values[items],
            "adjusted_p_value": side.adjusted[items],
            "k": side.k_star[items],
            "region": region,
            "pruned": side.pruned_step[items] > 0,
            "anomalous": recovered[items],
            "purity": purity[region],
        }
        if self.ids is not None:
            table["id"] = np.asarray(self.ids, object)[items]
        return pandas.DataFrame(table)


def _would_be_found(side: Excess, k: int) -> str:
    """The smallest excess of one side that would have been flagged, in words."""
    own, other = ("test", "reference") if side.side == "over" else ("reference", "test")
    parts = [f"{side.smallest_alone} {own} rows with no {other} row among them"] if side.smallest_alone else []
    if side.smallest_among:
        parts.append(f"{side.smallest_among} among {k} neighbours, where {side.expected_among:.3g} are expected")
    return ", or ".join(parts)
