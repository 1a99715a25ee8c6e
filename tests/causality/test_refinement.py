"""Direct and indirect edges where both are known."""

import numpy as np
import pytest
from scipy.stats import norm
from scipy.stats import t as student_t

from infoscope.base import ParameterError
from infoscope.causality import CommunityCausalGraph, refine_edges
from infoscope.causality.communities import communities
from infoscope.causality.refinement import _between


def three(direct, seed, n=2001):
    """x drives y by its square, y drives z by its square, and x drives z as well or not."""
    rng = np.random.default_rng(seed)
    x, y, z = np.zeros((3, n))
    noise = rng.normal(size=(3, n))
    for t in range(n - 1):
        x[t + 1] = 0.7 * x[t] + 0.7 * noise[0, t]
        y[t + 1] = 0.3 * y[t] + 0.6 * (x[t] ** 2 - 1) + 0.4 * noise[1, t]
        z[t + 1] = 0.3 * z[t] + 0.6 * (y[t] ** 2 - 1) + direct * x[t] + 0.3 * noise[2, t]
    return np.c_[x, y, z]


@pytest.fixture(scope="module")
def graph():
    """One that says all three edges, as links at several lags would."""
    found = CommunityCausalGraph(lags=[1], n_epochs=10).fit(three(0.6, 0)).result_
    from dataclasses import replace

    links = np.array([[0, 1, 1], [0, 0, 1], [0, 0, 0]], bool)
    by_hand = communities(links)
    nothing = np.full(3, np.nan)
    return replace(
        found, adjacency=links, labels=by_hand.labels, levels=by_hand.levels, edges=by_hand.edges,
        reduced=by_hand.reduced, edge_rise=nothing, edge_rise_se=nothing, edge_p=nothing, edge_lag=np.zeros(3, int),
    )  # fmt: skip


def test_a_direct_edge_is_seen_and_an_indirect_one_is_not(graph):
    found = refine_edges(graph, three(0.6, 0))
    assert found.edges.tolist() == [[0, 2]] and found.mediators == ("column 1",)
    assert found.direct[0] and found.rise[0] > 4 * found.rise_se[0] and found.p_value[0] < 1e-3
    found = refine_edges(graph, three(0.0, 1))
    assert not found.direct[0] and found.p_value[0] > 0.1
    assert found.rise_se[0] == 0 and np.isnan(found.detection_limit[0])  # no weight in either part
    assert found.verdict.endswith("for their sources got no weight.")
    found = refine_edges(graph, three(0.0, 2))
    (limit,) = found.detection_limit
    assert found.verdict.endswith(f"for a rise up to {limit:.2g} would not show.") and found.rise[0] <= limit
    assert norm.isf(0.1) * found.rise_se[0] < limit < student_t.isf(0.1, 1) * found.rise_se[0]  # one edge, one lag
    assert "0 of 1" in found.verdict and found.to_frame().direct.tolist() == ["not seen"]


def test_runs_and_more_of_the_past(graph):
    series = three(0.6, 2)
    found = refine_edges(graph, [series[:1000], series[1000:]], dimension=2, exclusion_window=12)
    assert found.direct[0] and found.dimension == 2


def test_all_communities_on_paths_are_mediators():
    edges = np.array([[0, 1], [0, 2], [1, 3], [2, 3], [0, 3], [4, 3], [0, 5]])
    assert _between(edges, 0, 3) == [1, 2]
    assert _between(edges, 4, 3) == []


def test_another_series_is_refused(graph):
    with pytest.raises(ParameterError, match="variables of the graph"):
        refine_edges(graph, three(0.0, 0)[:, :2])
