"""Direct or indirect?  Edges between communities that a longer path could explain, asked again with its communities."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from infoscope.base import ParameterError, Provenance, Result, progress, provenance
from infoscope.base.checks import check_positive_int
from infoscope.base.contents import flags, integers, number, numbers, whole
from infoscope.imbalance.dii import dii_rise
from infoscope.imbalance.dii.cross_fit import detectable_rise
from infoscope.neighbors import Space, refuse_weights, to_numpy
from infoscope.statistics import adjust_p_values, level_of_one, say_detection_limit

from .embedding import at_most_rows
from .graph_results import CausalGraph
from .graph_sample import MOST_SAMPLES
from .steps import Steps, series_space, with_times


@dataclass(frozen=True, kw_only=True, eq=False)
class DirectEdges(Result):
    """Which of the edges that a longer path could explain are direct as well.

    Attributes
    ----------
    sources, targets, mediators : tuple of str
        Of every edge: its communities, and those on paths from one to the other, by the names of their variables.
    edges : array (E, 2) of int
        The same by the numbers of communities.
    rise, rise_se : array (E,)
        By how much the imbalance towards the target rises without the source, where the mediators and the target itself
        are known up to the step before; at the lag where that is clearest.
    p_value, p_adjusted : array (E,)
        Of "it does not rise", for all lags; adjusted for all edges.
    detection_limit : array (E,)
        The rise at that lag up to which an edge would not be direct, beside others that are not; NaN where the source
        got no weight.
    lag : array (E,) of int
        Steps from the source to the target.
    direct : array (E,) of bool
        Whether the edge is direct at the false discovery rate.
    fdr : float
    dimension : int
        Steps of the past of mediators and target that were known.
    n_samples : int
    """

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    mediators: tuple[str, ...]
    edges: np.ndarray = field(repr=False)
    rise: np.ndarray
    rise_se: np.ndarray
    p_value: np.ndarray
    p_adjusted: np.ndarray
    detection_limit: np.ndarray
    lag: np.ndarray
    direct: np.ndarray
    fdr: float = 0.1
    dimension: int = 1
    n_samples: int = 0
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {
        "edges": integers("sources", 2),
        **{name: numbers("sources") for name in ("rise", "rise_se", "p_value", "p_adjusted", "detection_limit")},
        "lag": integers("sources"),
        "direct": flags("sources"),
        "fdr": number(0.0),
        "dimension": whole(1),
        "n_samples": whole(),
    }

    _references = ("community_causal_graph", "differentiable_imbalance", "benjamini_hochberg")

    def _rows(self) -> list[dict[str, Any]]:
        columns = (self.sources, self.targets, self.mediators, self.lag, self.rise, self.rise_se, self.p_value)
        names = ("source", "target", "by way of", "lag", "rise", "rise_se", "p_value")
        rows = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
        return [
            {key: value.item() if isinstance(value, np.generic) else value for key, value in row.items()}
            | dict(direct="yes" if direct else "not seen")
            for row, direct in zip(rows, self.direct, strict=True)
        ] or [dict(source="none", target="none")]

    @property
    def _title(self) -> str:
        return f"Direct or indirect? (N = {self.n_samples})"

    @property
    def _estimates(self) -> list[Any]:
        return []

    @property
    def verdict(self) -> str:
        """One sentence: how many edges are seen to be direct."""
        if not len(self.edges):
            return "No edge has a longer path beside it: there is nothing to decide."
        said = (
            f"{int(self.direct.sum())} of {len(self.edges)} edges with a longer path beside them are seen to be direct "
            "as well"
        )
        if self.direct.all():
            return f"{said}."
        limits = self.detection_limit[~self.direct]
        known = np.isfinite(limits)
        why = (
            say_detection_limit(float(limits[known].max()), "a rise") if known.any() else "their sources got no weight"
        )
        return f"{said}; that the others are not seen does not prove that they are indirect only, for {why}."


def refine_edges(
    graph: CausalGraph,
    series: Any,
    *,
    dimension: int = 1,
    fdr: float = 0.1,
    n_samples: int | None = None,
    exclusion_window: float | str | None = None,
    n_jobs: int | None = None,
) -> DirectEdges:
    """Ask of every edge between communities that a longer path could explain whether it is direct as well.

    For an edge P -> Q let M be all communities on paths from P to Q.  The future of Q is predicted from P now, and from
    Q and M at the steps before that future, with one weight a community and step; the edge is direct when leaving P out
    makes the prediction worse on rows that did not choose the weights (`infoscope.imbalance.dii_rise`).

    Parameters
    ----------
    graph : CausalGraph
        What `CommunityCausalGraph` found.
    series : array, frame, Space, or list of runs
        The series it was found in.
    dimension : int
        Steps of the past of Q and M that are known.
    fdr : float
        False discovery rate of the direct edges.
    n_samples : int, optional
        Rows, evenly spaced; at most 2000 by default.
    exclusion_window : float, "auto" or None
        As in `CommunityCausalGraph`.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    DirectEdges

    Raises
    ------
    DataError
        Unequal steps, NaN, too few rows.
    ParameterError
        A series of other variables than those of the graph.

    References
    ----------
    Allione, Del Tatto, Laio, arXiv 2501.10886 (2025).

    Examples
    --------
    >>> from infoscope.causality import CommunityCausalGraph, refine_edges
    >>> from infoscope.datasets import even_network
    >>> chain = even_network(1500, 3, 2, shape="chains", random_state=0).series
    >>> graph = CommunityCausalGraph(lags=[1], n_epochs=40).fit(chain).result_
    >>> print(refine_edges(graph, chain).verdict)
    No edge has a longer path beside it: there is nothing to decide.
    """
    space = refuse_weights(series_space(series, "the series"), "a graph counts every row once")
    names = tuple(space.column_name(a) for a in range(space.n_features))
    if names != graph.names:
        raise ParameterError("the columns of the series are not the variables of the graph: give the series it is from")
    dimension = check_positive_int(dimension, "dimension")
    if not (isinstance(fdr, (int, float, np.number)) and 0 < fdr < 1):
        raise ParameterError(f"fdr is {fdr!r}; it must lie between 0 and 1")
    space = with_times(space)
    steps = Steps(space)
    edges = graph.edges[~graph.reduced]
    lags = np.unique(np.append(graph.lags, 1))
    found = np.full((len(edges), 5), np.nan)  # lag, rise, error, degrees of freedom, p
    members = [np.flatnonzero(graph.labels == community) for community in range(len(graph.levels))]
    between = [_between(graph.edges, *edge) for edge in edges.tolist()]
    n = 0
    with progress(len(edges), "direct or indirect", "edges") as bar:
        for at, (p, q) in enumerate(edges.tolist()):
            for lag in lags.tolist():
                rows = at_most_rows(steps, [lag], n_samples, MOST_SAMPLES, before=dimension)
                n = len(rows)
                one = _rise(space, steps, rows, lag, members, p, q, between[at], dimension, exclusion_window, n_jobs)
                if not found[at, 4] <= one[-1]:
                    found[at] = lag, *one
            found[at, 4] = min(1.0, len(lags) * found[at, 4])
            bar.update(1)
    adjusted = adjust_p_values(found[:, 4], "bh") if len(edges) else np.empty(0)
    level = level_of_one(len(edges), fdr, "bh") / len(lags)
    groups = [", ".join(group) for group in graph.communities]
    return DirectEdges(
        sources=tuple(groups[p] for p, _ in edges.tolist()),
        targets=tuple(groups[q] for _, q in edges.tolist()),
        mediators=tuple("; ".join(groups[m] for m in one) for one in between),
        edges=edges,
        lag=np.nan_to_num(found[:, 0]).astype(int),
        rise=found[:, 1],
        rise_se=found[:, 2],
        p_value=found[:, 4],
        detection_limit=detectable_rise(found[:, 2], found[:, 3], level),
        p_adjusted=adjusted,
        direct=adjusted <= fdr,
        fdr=float(fdr),
        dimension=dimension,
        n_samples=n,
        provenance=provenance(
            "refine_edges", dict(dimension=dimension, fdr=fdr, exclusion_window=exclusion_window), None, space.features
        ),
    )


# --------------------------------------------------------------------------------------------------------------- steps
def _between(edges: np.ndarray, source: int, target: int) -> list[int]:
    """All communities on paths from one to the other: what the one reaches of what reaches the other."""

    def reached(start: int, forth: np.ndarray, back: np.ndarray) -> set[int]:
        seen, ready = set(), [start]
        while ready:
            node = ready.pop()
            for child in back[forth == node].tolist():
                if child not in seen:
                    seen.add(child)
                    ready.append(child)
        return seen

    after = reached(source, edges[:, 0], edges[:, 1])
    before = reached(target, edges[:, 1], edges[:, 0])
    return sorted(after & before)


def _rise(space, steps, rows, lag, members, p, q, between, dimension, exclusion_window, n_jobs):
    """Rise, error, its degrees of freedom and p-value of the source at one lag."""
    values, about = to_numpy(space.features), space.take(rows).about_items(ids=False)
    pieces, labels, period = [values[rows][:, members[p]]], ["source"] * len(members[p]), [space.period[members[p]]]
    for step in range(1, dimension + 1):
        earlier = values[steps.moved(rows, lag - step)]
        for community in (q, *between):
            pieces.append(earlier[:, members[community]])
            labels += [f"{community} {step} before"] * len(members[community])
            period.append(space.period[members[community]])
    periods = np.concatenate(period)
    known = Space(
        np.concatenate(pieces, axis=1), period=periods if periods.any() else None, period_check=False, **about
    )
    own = space.period[members[q]]
    goal = Space(
        values[steps.moved(rows, lag)][:, members[q]], period=own if own.any() else None, period_check=False, **about
    )
    found = dii_rise(
        known, goal, groups=labels, exclusion_window=exclusion_window, target_kind="features", n_jobs=n_jobs
    )
    at = found.names.index("source")
    return tuple(float(getattr(found, name)[at]) for name in ("rise", "rise_se", "degrees", "p_value"))
