"""Is an edge between communities more than its single links?  All of one community left out of targets of the other."""

from __future__ import annotations

import numpy as np

from infoscope.base import progress
from infoscope.imbalance.dii.cross_fit import student_test
from infoscope.statistics import adjust_p_values

from .communities import Communities
from .graph_fit import Memory, in_pieces
from .graph_links import Weighed, leave_out_groups


def untested_edges(n_edges: int) -> dict[str, np.ndarray]:
    """The fields of a result for edges that are not tested."""
    found = {name: np.full(n_edges, np.nan) for name in ("edge_rise", "edge_rise_se", "edge_p")}
    return found | {"edge_lag": np.full(n_edges, -1)}


def edge_tests(weighed: Weighed, graph: Communities, memory: Memory, n_jobs: int | None) -> dict[str, np.ndarray]:
    """The mean rise of all targets of a community, when all variables of another that were looked at are left out.

    Parameters
    ----------
    weighed : Weighed
        The sample and its weights.
    graph : Communities
        Of all variables, those that were left out of the sample included.
    memory : Memory
        Keeps what has been computed.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    dict
        `edge_rise`, `edge_rise_se`, `edge_p` (for all lags together, adjusted for all edges) and `edge_lag`.
    """
    sample, found = weighed.sample, untested_edges(len(graph.edges))
    if not len(graph.edges):
        return found
    label, n_lags = graph.labels[sample.columns], len(sample.lags)
    into = {int(c): np.flatnonzero(graph.edges[:, 1] == c) for c in np.unique(graph.edges[:, 1])}
    members = {c: [at for at, place in enumerate(sample.targets) if label[place] == c] for c in into}
    lines = [sample.line_of(lag, at) for c in into for lag in range(n_lags) for at in members[c]]

    def without_communities(line: int) -> tuple[np.ndarray, np.ndarray]:
        looked_at = np.array(weighed.sources(line), dtype=int)
        sources = graph.edges[into[int(label[weighed.own(line)])], 0]
        groups = [looked_at[label[looked_at] == source] for source in sources]
        return leave_out_groups(weighed, line, groups)

    with progress(len(lines), "edges tested", "targets") as bar:
        tests = in_pieces("edges", without_communities, lines, tuple, memory, n_jobs, bar)
    of_line = dict(zip(lines, tests, strict=True))
    for community, edges in into.items():
        if not members[community]:
            continue
        of_lags = [[of_line[sample.line_of(lag, at)] for at in members[community]] for lag in range(n_lags)]
        rise = np.array([np.mean([one for one, _ in of_lag], axis=0) for of_lag in of_lags])
        between = np.array([np.mean([one for _, one in of_lag], axis=0) for of_lag in of_lags])
        se, p, _ = student_test(rise, between)
        best = p.argmin(0)
        clearest = (best, np.arange(len(edges)))
        found["edge_rise"][edges], found["edge_rise_se"][edges] = rise[clearest], se[clearest]
        found["edge_p"][edges], found["edge_lag"][edges] = np.minimum(1.0, n_lags * p[clearest]), best
    found["edge_p"] = adjust_p_values(found["edge_p"], "bh")
    return found
