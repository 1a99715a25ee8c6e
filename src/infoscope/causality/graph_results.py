"""What `CommunityCausalGraph` finds: links with their tests, communities, and the edges between these."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from infoscope.base import Provenance, Result
from infoscope.base.contents import flags, integers, number, numbers, whole
from infoscope.statistics import say_detection_limit

from .threshold_path import ThresholdPath, threshold_path

__all__ = ["CausalGraph", "UNTESTED", "BY_ITSELF", "BESIDE_ITS_PAST", "BY_WEIGHT", "COPIES", "BY_SHADOWS"]

UNTESTED, BY_ITSELF, BESIDE_ITS_PAST, BY_WEIGHT, COPIES, BY_SHADOWS = range(6)
TESTS = (
    "",
    "left out",
    "beside its past",
    "weight",
    "copy",
    "shadows",
)  # what carries a link, in the order of the codes
UNPREDICTED = 0.8


@dataclass(frozen=True, kw_only=True, eq=False)
class CausalGraph(Result):
    """Which variable drives which, which of them move by themselves together, and which of these groups drives which.

    Matrices of variables have sources as rows and targets as columns.

    Attributes
    ----------
    names : tuple of str
        Of the D variables.
    lags : array (L,) of int
        Steps ahead.
    step : float
        Time of a step.
    weights : array (L, D, D)
        Of every source in the prediction of every target, the largest of a target and lag is 1.
    dii, dii_se : array (L, D)
        Imbalance from all variables to every target later, on rows that did not choose the weights: 0 is predicted, 1
        is not.
    rise, rise_se : array (D, D)
        By how much the imbalance of the target rises without the source, on rows that did not choose the weights, at
        the lag where that is clearest; NaN where it was not tested.
    past_rise, past_rise_se : array (D, D)
        The same where nothing but the target's own past and the source is looked at.
    p_value, p_adjusted : array (D, D)
        Of "the source tells nothing", for all lags and both tests together; adjusted for all pairs.  1 where the weight
        is below the threshold.
    detection_limit : array (D, D)
        The rise up to which a pair would be no link, in the sharper of its tests and beside all pairs; NaN where it
        was not tested.
    link_lag : array (D, D) of int
        Place of the lag at which the test is clearest; -1 where there is none.
    test : array (D, D) of int
        What carries a link: 1 leaving it out, 2 beside the target's past, 3 its weight alone, 4 a copy of the target,
        5 its weight beside those of shifted copies.
    adjacency : array (D, D) of bool
        The links.
    threshold, fdr : float, float or None
        Share of the largest weight from which a source is looked at, and the false discovery rate that links have; None
        where weights alone decided.
    labels : array (D,) of int
        Community of every variable.
    levels : array (C,) of int
        Of the communities: 0 where nothing drives them.
    edges : array (E, 2) of int
        Which community drives which.
    reduced : array (E,) of bool
        Whether no longer path leads there.
    edge_rise, edge_rise_se, edge_p : array (E,)
        Mean rise of the targets of a community without those variables of the other that are above the threshold, its
        error, and the p-value, adjusted for all edges.
    edge_lag : array (E,) of int
        Place of the lag where that is clearest.
    copy_of : array (D,) of int
        First variable of those that are the same up to one part in a thousand; itself where there is none.
    losses : array (L, D, n_epochs)
        Mean value over the batches of every epoch; NaN after the last.
    n_epochs : array (L, D) of int
        Epochs until the weights came to rest.
    link_frequency : array (D, D) or None
        In which share of subsets of the time a link returns.
    n_samples, exclusion_window
        Rows, and the time within which two of a run were no neighbours.
    """

    names: tuple[str, ...]
    lags: np.ndarray
    weights: np.ndarray = field(repr=False)
    dii: np.ndarray = field(repr=False)
    dii_se: np.ndarray = field(repr=False)
    rise: np.ndarray = field(repr=False)
    rise_se: np.ndarray = field(repr=False)
    past_rise: np.ndarray = field(repr=False)
    past_rise_se: np.ndarray = field(repr=False)
    p_value: np.ndarray = field(repr=False)
    p_adjusted: np.ndarray = field(repr=False)
    detection_limit: np.ndarray = field(repr=False)
    link_lag: np.ndarray = field(repr=False)
    test: np.ndarray = field(repr=False)
    adjacency: np.ndarray = field(repr=False)
    labels: np.ndarray
    levels: np.ndarray
    edges: np.ndarray
    reduced: np.ndarray = field(repr=False)
    edge_rise: np.ndarray = field(repr=False)
    edge_rise_se: np.ndarray = field(repr=False)
    edge_p: np.ndarray = field(repr=False)
    edge_lag: np.ndarray = field(repr=False)
    copy_of: np.ndarray = field(repr=False)
    losses: np.ndarray = field(repr=False)
    n_epochs: np.ndarray = field(repr=False)
    link_frequency: np.ndarray | None = field(default=None, repr=False)
    threshold: float = 0.1
    fdr: float | None = 0.1
    step: float = 1.0
    n_samples: int = 0
    exclusion_window: float = 0.0
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {
        "lags": integers("L"),
        "weights": numbers("lags", "names", "names", low=0.0),
        **{name: numbers("lags", "names") for name in ("dii", "dii_se")},
        **{
            name: numbers("names", "names")
            for name in ("rise", "rise_se", "past_rise", "past_rise_se", "p_value", "p_adjusted", "detection_limit")
        },
        "link_lag": integers("names", "names", low=-1, below="lags"),
        "test": integers("names", "names", below=6),
        "adjacency": flags("names", "names"),
        "labels": integers("names", below="levels"),
        "levels": integers("C"),
        "edges": integers("E", 2, below="levels"),
        "reduced": flags("edges"),
        **{name: numbers("edges") for name in ("edge_rise", "edge_rise_se", "edge_p")},
        "edge_lag": integers("edges", low=-1, below="lags"),
        "copy_of": integers("names", below="names"),
        "losses": numbers("lags", "names", "S"),
        "n_epochs": integers("lags", "names"),
        "link_frequency": numbers("names", "names") | None,
        "threshold": number(0.0),
        "n_samples": whole(),
    }

    _references = ("community_causal_graph", "differentiable_imbalance", "benjamini_hochberg")

    @property
    def communities(self) -> list[list[str]]:
        """Names of the variables of every community."""
        return [
            [self.names[i] for i in np.flatnonzero(self.labels == community)] for community in range(len(self.levels))
        ]

    @property
    def n_links(self) -> int:
        """How many links there are."""
        return int(self.adjacency.sum())

    @property
    def unpredicted(self) -> list[str]:
        """Names of targets that nothing predicts at any lag: an imbalance above 0.8."""
        return [self.names[i] for i in np.flatnonzero((self.dii > UNPREDICTED).all(0))]

    def link_rows(self) -> list[dict[str, Any]]:
        """One row a link, the clearest first: names, lag, rise and its error, p-values, weight, what carries it."""
        rows = []
        for a, b in np.argwhere(self.adjacency):
            past = self.test[a, b] == BESIDE_ITS_PAST
            rise, se = (self.past_rise, self.past_rise_se) if past else (self.rise, self.rise_se)
            at = max(int(self.link_lag[a, b]), 0)
            row = dict(
                source=self.names[a],
                target=self.names[b],
                lag=int(self.lags[at]),
                rise=float(rise[a, b]),
                rise_se=float(se[a, b]),
                p_value=float(self.p_value[a, b]),
                p_adjusted=float(self.p_adjusted[a, b]),
                weight=float(self.weights[:, a, b].max()),
                test=TESTS[self.test[a, b]],
            )
            if self.link_frequency is not None:
                row["frequency"] = float(self.link_frequency[a, b])
            rows.append(row)
        return sorted(rows, key=lambda row: (row["p_value"], -row["weight"]))

    def edge_rows(self) -> list[dict[str, Any]]:
        """One row an edge between communities."""
        groups = self.communities
        return [
            dict(
                source=", ".join(groups[p]),
                target=", ".join(groups[q]),
                lag=int(self.lags[max(int(at), 0)]),
                rise=float(rise),
                rise_se=float(se),
                p_value=float(p_value),
                confirmed="unknown"
                if np.isnan(p_value) or self.fdr is None
                else "yes"
                if p_value <= self.fdr
                else "no",
                direct="yes" if kept else "not decided",
            )
            for (p, q), kept, rise, se, p_value, at in zip(
                self.edges, self.reduced, self.edge_rise, self.edge_rise_se, self.edge_p, self.edge_lag, strict=True
            )
        ]

    def to_frame(self, table: str = "links") -> Any:
        """A table as a pandas frame.

        Parameters
        ----------
        table : {"links", "edges", "variables", "adjacency", "weights"}
            One row a link, an edge between communities, or a variable; or the matrix of links, or of weights (the
            largest over lags), with names.
        """
        import pandas

        from infoscope.base.checks import check_choice

        check_choice(table, "table", ("links", "edges", "variables", "adjacency", "weights"))
        if table == "links":
            return pandas.DataFrame(self.link_rows(), columns=list(LINK_COLUMNS) if not self.n_links else None)
        if table == "edges":
            return pandas.DataFrame(self.edge_rows())
        if table == "variables":
            return pandas.DataFrame(
                dict(
                    variable=list(self.names),
                    community=self.labels,
                    level=self.levels[self.labels],
                    dii=self.dii.min(0),
                    dii_se=np.take_along_axis(self.dii_se, self.dii.argmin(0)[None], 0)[0],
                )
            )
        values = self.adjacency if table == "adjacency" else self.weights.max(0)
        return pandas.DataFrame(values, index=list(self.names), columns=list(self.names))

    def threshold_path(self) -> ThresholdPath:
        """Which communities weights alone make at every threshold, from 0.01 to 1, and the widest plateau of these."""
        return threshold_path(self.weights.max(0), self.copy_of)

    def to_networkx(self) -> Any:
        """The graph of variables for networkx: nodes with community and level, links with their tests.

        Raises
        ------
        MissingExtraError
            Without networkx (extra ``graphs``).
        """
        from infoscope.base import require

        networkx = require("networkx", "graphs")
        graph = networkx.DiGraph()
        for name, label in zip(self.names, self.labels, strict=True):
            graph.add_node(name, community=int(label), level=int(self.levels[label]))
        for row in self.link_rows():
            graph.add_edge(row.pop("source"), row.pop("target"), **row)
        return graph

    def _rows(self) -> list[dict[str, Any]]:
        return self.link_rows() or [dict(source="none", target="none")]

    @property
    def _title(self) -> str:
        lags = ", ".join(str(lag) for lag in self.lags)
        return f"Community causal graph of {len(self.names)} variables at lags {lags} (N = {self.n_samples})"

    @property
    def _estimates(self) -> list[Any]:
        shown: list[Any] = [("links", str(self.n_links), None)]
        for number_, (group, level) in enumerate(zip(self.communities, self.levels, strict=True)):
            if len(shown) > 12:
                shown.append(("...", f"{len(self.levels) - number_} more communities", None))
                break
            text = ", ".join(group[:8]) + (f", ... ({len(group)})" if len(group) > 8 else "")
            shown.append((f"community {number_}, level {level}", text, None))
        return shown

    @property
    def _limit(self) -> str:
        """What the tests of links could not have seen."""
        if self.fdr is None or (self.test == BY_SHADOWS).any():
            return ""
        limits = self.detection_limit[np.isfinite(self.detection_limit)]
        if not len(limits):
            return f"; no source weighed {self.threshold:g} of the largest, so none was looked at"
        half = say_detection_limit(float(np.median(limits)), "in half of them a rise of the imbalance")
        return f"; {_count(len(limits), 'pair')} weighed enough to be looked at, and {half}"

    @property
    def verdict(self) -> str:
        """One sentence: how many links, which false share they may have, and what they do not say."""
        if not self.n_links:
            what = "no variable is seen to tell about the future of another beyond what is known from its past"
            return f"No links: {what}{self._limit}."
        groups, asked = len(self.levels), np.isfinite(self.dii).any(0)
        free = [c for c in np.flatnonzero(self.levels == 0) if asked[self.labels == c].all()]
        moved = len(free)
        how = (
            "chosen by weight alone, so that nobody knows how many are false"
            if self.fdr is None
            else "chosen by weights beside those of shifted copies, which bounds the share of false ones only roughly"
            if (self.test == BY_SHADOWS).any()
            else f"of which about {100 * self.fdr:g} % or fewer are expected to be false"
        )
        copies = int((self.test == COPIES).sum())
        how += f" (and {_count(copies, 'link')} between copies)" if copies else ""
        return (
            f"{_count(self.n_links - copies, 'link')}, {how}; "
            f"{_count(groups, 'communit', 'ies', 'y')}, {moved} of which nothing here drives. "
            "A common cause that was not measured could make a link, so an intervention decides."
        )


LINK_COLUMNS = ("source", "target", "lag", "rise", "rise_se", "p_value", "p_adjusted", "weight", "test")


def _count(n: int, word: str, several: str = "s", one: str = "") -> str:
    return f"{n} {word}{one if n == 1 else several}"
