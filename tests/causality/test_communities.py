"""Communities and levels beside their definition by minimal autonomous sets, and beside networkx."""

import numpy as np
import pytest

from infoscope.base import DataError
from infoscope.causality import communities

networkx = pytest.importorskip("networkx")


def by_definition(links):
    """Labels and levels from minimal autonomous sets, as Allione et al. define them."""
    n = len(links)
    reach = links | np.eye(n, dtype=bool)
    for middle in range(n):
        reach |= reach[:, [middle]] & reach[[middle]]
    sets = {b: set(np.flatnonzero(reach[:, b])) for b in range(n)}
    label, level, community = np.full(n, -1), 0, 0
    levels = []
    while sets:
        taken: set = set()
        sizes = {b: len(held) for b, held in sets.items()}
        for b in sorted(sets, key=lambda b: (sizes[b], b)):
            if sets[b] and not sets[b] & taken and all(not (sets[c] < sets[b]) for c in sets if sets[c]):
                label[list(sets[b])] = community
                taken |= sets[b]
                levels.append(level)
                community += 1
        sets = {b: held - taken for b, held in sets.items() if b not in taken}
        sets = {b: held for b, held in sets.items() if held}
        level += 1
    return label, np.array(levels)


@pytest.mark.parametrize("seed", range(60))
def test_random_digraphs(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 13))
    links = rng.random((n, n)) < rng.uniform(0.05, 0.4)
    np.fill_diagonal(links, False)
    found = communities(links)
    label, levels = by_definition(links)
    same = label[:, None] == label
    np.testing.assert_array_equal(found.labels[:, None] == found.labels, same)
    np.testing.assert_array_equal(found.levels[found.labels], levels[label])


@pytest.mark.parametrize("seed", range(20))
def test_edges_and_their_transitive_reduction_as_in_networkx(seed):
    rng = np.random.default_rng(100 + seed)
    n = int(rng.integers(3, 40))
    links = rng.random((n, n)) < rng.uniform(0.02, 0.3)
    np.fill_diagonal(links, False)
    found = communities(links)
    graph = networkx.condensation(networkx.from_numpy_array(links, create_using=networkx.DiGraph))
    number = {c: int(found.labels[min(graph.nodes[c]["members"])]) for c in graph}
    assert {tuple(e) for e in found.edges.tolist()} == {(number[a], number[b]) for a, b in graph.edges}
    reduced = networkx.transitive_reduction(graph)
    assert {tuple(e) for e in found.edges[found.reduced].tolist()} == {(number[a], number[b]) for a, b in reduced.edges}
    assert (found.levels[found.edges[:, 0]] < found.levels[found.edges[:, 1]]).all()


def test_more_communities_than_bits_of_a_word():
    n = 150
    links = np.triu(np.ones((n, n), bool), 1)  # a chain, and all that follows from it
    found = communities(links)
    np.testing.assert_array_equal(found.labels, np.arange(n))
    np.testing.assert_array_equal(found.levels, np.arange(n))
    assert found.reduced.sum() == n - 1 and (np.diff(found.edges[found.reduced], axis=1) == 1).all()


def test_no_links_and_all_links():
    found = communities(np.zeros((3, 3)))
    assert found.labels.tolist() == [0, 1, 2] and found.levels.tolist() == [0, 0, 0] and found.edges.shape == (0, 2)
    found = communities(np.ones((3, 3)))
    assert found.labels.tolist() == [0, 0, 0] and found.levels.tolist() == [0] and found.reduced.shape == (0,)
    assert communities([[1]]).labels.tolist() == [0]


@pytest.mark.parametrize(
    "wrong, said",
    [(np.zeros((2, 3)), "square"), (np.zeros((0, 0)), "square"), ([[0, np.nan], [0, 0]], r"adjacency\[0, 1\] is NaN")],
)
def test_what_is_no_graph(wrong, said):
    with pytest.raises(DataError, match=said):
        communities(wrong)
