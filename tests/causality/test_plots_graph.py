"""Pictures of a causal graph: what is drawn where, read back from the axes."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest

from infoscope.base import ParameterError
from infoscope.causality import CommunityCausalGraph, communities
from infoscope.datasets import even_network

KINDS = ("levels", "links", "weights", "losses", "path")


@pytest.fixture(scope="module")
def found():
    """0 drives 1; 2 and 3 move by themselves."""
    series = even_network(400, 4, 1, random_state=0).series
    return CommunityCausalGraph([1], n_epochs=20, random_state=0, n_jobs=1).fit(series).result_


def of_links(found, pairs, n=None):
    """The same result with other links."""
    n = n or len(found.names)
    links, nothing = np.zeros((n, n), bool), np.full((n, n), np.nan)
    links[tuple(np.transpose(pairs).reshape(2, -1).astype(int))] = True
    made, weights = communities(links), np.where(links, 0.5, 0.0) + np.eye(n)
    edges = len(made.edges)
    return replace(
        found, names=tuple(f"v{a}" for a in range(n)), weights=weights[None], adjacency=links, labels=made.labels,
        levels=made.levels, edges=made.edges, reduced=made.reduced, edge_rise=np.linspace(0.1, 0.4, edges),
        edge_rise_se=np.full(edges, 0.01), edge_p=np.full(edges, 0.01), edge_lag=np.zeros(edges, int),
        copy_of=np.arange(n), rise=nothing, rise_se=nothing, past_rise=nothing, past_rise_se=nothing,
        p_value=np.ones((n, n)), p_adjusted=np.ones((n, n)), link_lag=np.zeros((n, n), int), test=links.astype(int),
        losses=np.ones((1, n, 3)), n_epochs=np.full((1, n), 3), dii=np.ones((1, n)), dii_se=np.ones((1, n)),
    )  # fmt: skip


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.mark.parametrize("style", ["screen", "paper"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_drawn_and_has_numbers(found, kind, style):
    assert tuple(found.pictures()) == KINDS
    axes = found.plot(kind=kind, style=style)
    assert axes.get_xlabel() and len(found.plot_data(kind=kind))


def nodes_of(axes):
    return [line for line in axes.lines if line.get_marker() == "o"]


def test_communities_stand_at_their_levels_and_edges_say_how_sure_they_are(found):
    graph = of_links(found, [(0, 1), (1, 2), (0, 2), (2, 3), (3, 2)], 5)  # 0 -> 1 -> {2, 3}, 0 -> {2, 3}; 4 alone
    axes = graph.plot()
    at = sorted(float(line.get_xdata()[0]) for line in nodes_of(axes)[:3])
    assert at == [0, 1, 2] and len(nodes_of(axes)) == 4
    sizes = [line.get_markersize() for line in nodes_of(axes)]
    assert sizes.index(max(sizes)) == 2 and sizes[0] == sizes[1] == sizes[3]  # {2, 3} is drawn third, 4 last
    styles = [arrow.get_linestyle() for arrow in axes.patches]
    assert [style == "-" for style in styles] == graph.reduced.tolist() == [True, False, True]
    widths = [arrow.get_linewidth() for arrow in axes.patches]
    assert np.argsort(widths).tolist() == np.argsort(graph.edge_rise).tolist()
    assert {"v0", "v1", "v2, v3", "v4"} <= {text.get_text() for text in axes.texts}


@pytest.mark.parametrize("n", [1, 13, 60])
def test_one_to_sixty_communities_lie_apart(found, n):
    g = np.random.default_rng(n)
    pairs = [(a, b) for a in range(n) for b in range(a + 1, n) if g.random() < 2 / n]
    axes = of_links(found, pairs, n).plot()
    places = np.array([(line.get_xdata()[0], line.get_ydata()[0]) for line in nodes_of(axes)])
    radius = np.array([line.get_markersize() for line in nodes_of(axes)]) * axes.figure.dpi / 72 / 2
    axes.figure.canvas.draw()
    pixels = axes.transData.transform(places)
    gaps = np.hypot(*(pixels[:, None] - pixels).transpose(2, 0, 1)) - radius[:, None] - radius
    assert len(places) == n and (gaps[~np.eye(n, dtype=bool)] > 0).all()


def test_links_are_framed_where_they_are(found):
    axes = found.plot(kind="links")
    order = np.argsort(found.labels, kind="stable")
    drawn = axes.images[0].get_array()
    np.testing.assert_array_equal(drawn, found.weights.max(0)[np.ix_(order, order)])
    frames = axes.collections[0].get_paths()
    middles = {tuple(np.round(path.vertices[:4].mean(0)).astype(int)[::-1]) for path in frames}
    assert {(order[a], order[b]) for a, b in middles} == {tuple(pair) for pair in np.argwhere(found.adjacency)}


def test_a_large_matrix_names_its_communities(found):
    ring = [(a, (a + 1) % 30) for a in range(30)] + [(30 + a, 30 + (a + 1) % 20) for a in range(20)]
    axes = of_links(found, [*ring, (0, 30)], 51).plot(kind="links")
    named = {text.get_text(): tick for text, tick in zip(axes.get_xticklabels(), axes.get_xticks(), strict=True)}
    assert named == {"0": 14.5, "2": 40.5} and axes.get_xlabel() == "target, by community"  # 50 stands alone between


def test_weights_of_a_target(found):
    axes = found.plot(kind="weights", target="column 1")
    heights = [bar.get_height() for bar in sorted(axes.patches, key=lambda bar: bar.get_x())]
    np.testing.assert_allclose(heights, np.sort(found.weights[0, :, 1])[::-1])
    assert found.plot_data(kind="weights", target=1).kind.tolist().count("own past") == 1
    assert "column 1" in found.plot(kind="weights").get_ylabel()  # the one that has a link
    for wrong in ("no such", 4, True):
        with pytest.raises(ParameterError, match="give the name or number of one of the 4 variables"):
            found.plot(kind="weights", target=wrong)


def test_losses_stay_after_the_last_epoch_and_many_are_a_fan(found):
    losses = np.array([[[0.9, 0.5, np.nan, np.nan], [0.8, 0.7, 0.6, 0.4], [np.nan] * 4, [0.9] * 4]])
    few = replace(found, losses=losses, n_epochs=np.array([[2, 4, 0, 4]]))
    lines = {line.get_label(): line.get_ydata().tolist() for line in few.plot(kind="losses").lines}
    assert lines == {"column 0": [0.9, 0.5, 0.5, 0.5], "column 1": [0.8, 0.7, 0.6, 0.4], "column 3": [0.9] * 4}
    g = np.random.default_rng(0).random((3, 4, 6))
    many = replace(found, lags=np.array([1, 2, 3]), losses=g, n_epochs=np.full((3, 4), 6))
    table = many.plot_data(kind="losses")
    np.testing.assert_allclose(table["quantile_0.5"], np.median(g.reshape(12, 6), 0))
    assert many.plot(kind="losses").lines[0].get_label() == "median"


def test_the_path_marks_plateau_and_threshold(found):
    path = found.threshold_path()
    axes = found.plot(kind="path")
    assert axes.get_xscale() == "log" and axes.lines[0].get_xdata()[0] == found.threshold
    shaded = axes.patches[-1].get_extents() if len(axes.patches) > 1 else None
    assert found.plot_data(kind="path")["n_communities"].tolist() == path.n_communities.tolist()
    assert shaded is not None and path.plateau[0] < path.plateau[1]
    named = " ".join(text.get_text() for text in axes.get_legend().get_texts())
    assert f"{path.plateau[1]:.2g}" in named and "tested links" in named
    plain = replace(found, fdr=None, threshold=0.0)
    assert "threshold used" not in " ".join(t.get_text() for t in plain.plot(kind="path").get_legend().get_texts())
