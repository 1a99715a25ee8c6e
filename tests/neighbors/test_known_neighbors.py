"""Neighbours computed elsewhere: what a graph does not hold is unknown, what it holds is used as our own search is."""

import numpy as np
import pytest
from scipy import sparse

from infoscope import (
    ABIDE,
    BMTI,
    DensityPeaks,
    Gride,
    KNNDensity,
    KStarNN,
    NeighborGraph,
    PAk,
    Space,
    TwoNN,
    imbalance_matrix,
    information_imbalance,
)
from infoscope.base import DataError, DataWarning, ParameterError
from infoscope.neighbors import nearest

sklearn_neighbors = pytest.importorskip("sklearn.neighbors")
G = np.random.default_rng(0)
X = G.normal(size=(400, 3))
Y = X + 0.05 * G.normal(size=(400, 3))
K = 60


def stored(x=X, k=K, **options):
    """As scikit-learn and scanpy store it: CSR, k distances a row."""
    return sklearn_neighbors.kneighbors_graph(x, k, mode="distance", **options)


def lists(x=X, k=K, itself=False):
    tree = sklearn_neighbors.NearestNeighbors(n_neighbors=k + itself).fit(x)
    distances, indices = tree.kneighbors(x if itself else None)
    return indices, distances


OTHERS = {
    "sparse": lambda: NeighborGraph.from_sparse(stored()),
    "sparse array": lambda: NeighborGraph.from_sparse(sparse.csc_array(stored())),
    "lists": lambda: Space.from_neighbors(*lists()),
    "lists with the item itself": lambda: Space.from_neighbors(*lists(itself=True)),
}


# ----------------------------------------------------------------------------------------------------- what is read
@pytest.mark.parametrize("kind", OTHERS)
def test_the_neighbours_are_those_of_our_own_search(kind):
    ours, theirs = nearest(X, K), OTHERS[kind]()
    theirs = theirs if isinstance(theirs, NeighborGraph) else theirs.graph
    assert np.array_equal(ours.items, theirs.items) and np.array_equal(ours.indptr, theirs.indptr)
    assert np.allclose(ours.distances, theirs.distances, rtol=1e-12)
    assert theirs.admissible.tolist() == [399] * 400


def test_a_graph_that_was_made_symmetric():
    """The union of both ways, as some tools store it: rows of any length, whose first K are right."""
    both = stored().maximum(stored().T)
    theirs, ours = NeighborGraph.from_sparse(both), nearest(X, K)
    assert np.diff(theirs.indptr).min() >= K > 0 and np.diff(theirs.indptr).max() > K
    first = theirs.indptr[:-1, None] + np.arange(K)
    assert np.array_equal(theirs.items[first].ravel(), ours.items)


def test_pairs_that_are_known_and_pairs_that_are_not():
    space = Space.from_neighbors(*lists(k=5))
    near, far = nearest(X, 1).items[7], nearest(X, 399).items[400 * 7 - 8]
    assert np.isclose(
        space.pair_distances([7, near, 7], [near, 7, 7]), [np.linalg.norm(X[7] - X[near])] * 2 + [0]
    ).all()
    with pytest.raises(DataError, match=r"is not in the graph of neighbours: it is unknown, not zero"):
        space.pair_distances([7], [far])


# ---------------------------------------------------------------------------------------------- who takes a graph
@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize(
    "estimator",
    [
        TwoNN(),
        Gride(max_rank=8),
        ABIDE(max_neighbors=50),
        KNNDensity(10, dimension=3, calibrate=False),
        KStarNN(dimension=3, max_neighbors=50, calibrate=False),
        PAk(dimension=3, max_neighbors=50, calibrate=False),
        DensityPeaks(density=PAk(dimension=3, max_neighbors=50, calibrate=False)),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_estimators_say_the_same_of_both_graphs(kind, estimator):
    from sklearn.base import clone

    ours, theirs = (clone(estimator).fit(graph) for graph in (nearest(X, K), OTHERS[kind]()))
    for name in ("dimension_", "dimension_se_", "log_density_", "log_density_se_", "labels_"):
        if hasattr(ours, name):
            np.testing.assert_allclose(getattr(theirs, name), getattr(ours, name), rtol=1e-9)


def test_the_imbalance_of_a_graph_towards_data():
    """The two old hints, zeros written out and the mean of both ways, led to 1.9 'independent' for what is 0.01."""
    truth = information_imbalance(X, Y)
    for kind in OTHERS:
        found = imbalance_matrix({"graph": OTHERS[kind]()}, targets={"Y": Y})
        assert found.values[0, 0] == pytest.approx(truth.a_to_b, abs=1e-12) and truth.a_to_b < 0.05
        assert found.values_se[0, 0] == pytest.approx(truth.a_to_b_se, rel=1e-9)
    weighted = Space.from_neighbors(*lists(), sample_weight=np.linspace(0, 1, 400))
    ours = imbalance_matrix({"X": Space(X, sample_weight=np.linspace(0, 1, 400))}, targets={"Y": Y})
    assert imbalance_matrix({"graph": weighted}, targets={"Y": Y}).values == pytest.approx(ours.values, abs=1e-12)


def test_windows_and_runs_are_obeyed():
    run = np.repeat([0, 1], 200)
    options = dict(run=run, time=np.tile(np.arange(200.0), 2))
    for restriction in ({"exclusion_window": 20}, {"neighbors_from": "other_runs"}):
        ours = nearest(Space(X, **options), 3, **restriction)
        theirs = nearest(Space.from_neighbors(*lists(), **options), 3, **restriction)
        assert np.array_equal(ours.items, theirs.items) and np.array_equal(ours.admissible, theirs.admissible)


def test_features_go_with_a_graph_where_a_method_needs_them():
    graph = NeighborGraph.from_sparse(stored(), space=Space(X))
    ours = BMTI(dimension=3, max_neighbors=50, calibrate=False).fit(nearest(X, K))
    theirs = BMTI(dimension=3, max_neighbors=50, calibrate=False).fit(graph)
    np.testing.assert_allclose(theirs.log_density_, ours.log_density_, rtol=1e-9)
    with pytest.raises(ParameterError, match="a graph|features|neighbours"):
        BMTI(dimension=3, calibrate=False).fit(NeighborGraph.from_sparse(stored()))
    with pytest.raises(DataError, match=r"in the graph and .* in the space: they do not go together"):
        NeighborGraph.from_sparse(stored().power(2), space=Space(X))
    with pytest.raises(DataError, match="the graph has 400 items, the space 399"):
        NeighborGraph.from_sparse(stored(), space=Space(X[1:]))


# ------------------------------------------------------------------------------------------------- what is refused
def test_a_graph_is_no_target():
    graph = NeighborGraph.from_sparse(stored())
    with pytest.raises(ParameterError, match=r"so B → A cannot be told: imbalance_matrix\(\{'A': \.\.\.\}, targets="):
        information_imbalance(graph, Y)
    with pytest.raises(ParameterError, match="only the nearest neighbours are known, and this needs all distances"):
        imbalance_matrix({"Y": Y}, targets={"graph": graph})
    with pytest.raises(ParameterError, match="holds 60 neighbours of item 0 that may be used, 61 are needed"):
        nearest(Space.from_neighbors(*lists()), 61)
    with pytest.raises(ParameterError, match="about its own items alone"):
        nearest(Space.from_neighbors(*lists()), 1, columns=[0, 1, 2])
    with pytest.raises(ParameterError, match="time go with data, not with a neighbour graph"):
        TwoNN().fit(Space.from_neighbors(*lists(), time=np.arange(400)))


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda m: m[:, :300], "a row and a column an item"),
        (lambda m: m.toarray(), "a sparse matrix is needed, not ndarray: Space.from_distances"),
        (lambda m: sklearn_neighbors.kneighbors_graph(X, 5), "who is a neighbour, not how far"),
        (lambda m: -m, "distances are numbers >= 0"),
        (lambda m: m * np.nan, "distances are numbers >= 0"),
        (lambda m: m.astype(complex), "distances are needed"),
    ],
)
def test_matrices_that_are_no_graph(change, message):
    with pytest.raises(DataError, match=message):
        NeighborGraph.from_sparse(change(stored()))


def test_connectivities_are_no_distances():
    """UMAP's: symmetric, at most one, and one for some pair."""
    weights = stored(k=5)
    weights.data = np.exp(-weights.data / weights.data.max())
    weights = weights.maximum(weights.T)
    weights.data /= weights.data.max()
    with pytest.warns(DataWarning, match=r"as connectivities \(similarities\) are"):
        NeighborGraph.from_sparse(weights)


@pytest.mark.parametrize(
    "indices, distances, message",
    [
        ([[1.0], [0.0]], [[1.0], [1.0]], "must be item numbers"),
        ([[1], [0]], [1.0, 1.0], "one distance for each neighbour"),
        ([[1], [5]], [[1.0], [1.0]], "row 1 names item 5, but there are 2 rows"),
        ([[1, 1], [0, 0]], [[1.0, 1.0], [1.0, 1.0]], "row 0 names item 1 twice"),
        ([[1], [0]], [[1.0], [np.inf]], "distances are numbers >= 0"),
    ],
)
def test_lists_that_are_none(indices, distances, message):
    with pytest.raises(DataError, match=message):
        Space.from_neighbors(indices, distances)


def test_no_neighbour_and_zero_distances():
    """-1 stands for none; a stored zero is a distance of zero, as of a repeated item."""
    space = Space.from_neighbors([[1, -1], [0, 2], [1, -1]], [[0.0, np.inf], [0.0, 2.0], [2.0, np.inf]])
    assert space.graph.items.tolist() == [1, 0, 2, 1] and space.graph.distances.tolist() == [0, 0, 2, 2]


@pytest.mark.parametrize("made", [lambda s: s, lambda s: sparse.coo_array(s)])
def test_a_sparse_matrix_is_not_written_out(made):
    """What is not stored is not zero: the way to a graph is named wherever a sparse matrix is brought."""
    for call in (Space, Space.from_distances, TwoNN().fit):
        with pytest.raises(DataError, match=r"NeighborGraph\.from_sparse\(.*\).*is not zero"):
            call(made(stored()))
    with pytest.raises(DataError, match=r"\.toarray\(\) if it fits"):
        Space(made(sparse.random(50, 20, 0.1, format="csr", random_state=0)))


def test_zeros_that_were_written_out():
    """The second hint, (D + D.T)/2, makes a matrix that looks like distances."""
    full = stored(k=10).toarray()
    for matrix in (full, (full + full.T) / 2, np.maximum(full, full.T)):
        with pytest.raises(DataError, match=r"NeighborGraph\.from_sparse"):
            Space.from_distances(matrix)
    groups = np.repeat(np.arange(4), 5)
    assert (
        len(Space.from_distances((groups[:, None] != groups).astype(float))) == 20
    )  # zeros of equal items are distances
    one = np.ones((6, 6)) - np.eye(6)
    one[0, 1] = one[1, 0] = 0  # rounded to zero
    assert len(Space.from_distances(one)) == 6
