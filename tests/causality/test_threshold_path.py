"""Communities against the threshold, beside mutual reachability computed anew at every threshold."""

import numpy as np
import pytest

from infoscope.causality.threshold_path import MOST, threshold_path


def parts_of(links):
    """Which variables reach each other, by powers of the matrix of links: rows of equal communities are equal."""
    reach = links | np.eye(len(links), dtype=bool)
    for _ in range(len(links)):
        reach = (reach.astype(int) @ reach.astype(int)) > 0
    return reach & reach.T


@pytest.mark.parametrize("seed", range(4))
def test_steps_are_those_of_direct_recomputation(seed):
    g = np.random.default_rng(seed)
    weights = np.where(g.random((9, 9)) < 0.5, g.random((9, 9)) ** 2, 0.0)
    path = threshold_path(weights)
    assert path.bounds[0] == 0.01 and path.bounds[-1] == 1 and (np.diff(path.bounds) > 0).all()
    off = weights * (1 - np.eye(9))
    for threshold in np.r_[0.0101, path.bounds[:-1], path.bounds[1:-1] - 1e-9, np.geomspace(0.0101, 0.999, 50)]:
        parts = parts_of(off > threshold)
        step = np.searchsorted(path.bounds, threshold, side="right") - 1
        labels = path.labels[step]
        assert path.n_communities[step] == len(np.unique(parts, axis=0)) == labels.max() + 1
        np.testing.assert_array_equal(labels[:, None] == labels, parts)
    assert (np.diff(path.n_communities) > 0).all()  # neighbours differ, or they would be one step
    widths = np.log(path.bounds[1:] / path.bounds[:-1])
    assert path.plateau == tuple(path.bounds[[path.widest, path.widest + 1]]) and path.widest == widths.argmax()


def test_with_many_weights_thresholds_are_a_grid():
    g = np.random.default_rng(0)
    weights = g.random((40, 40))
    path = threshold_path(weights)
    grid = np.r_[np.geomspace(0.01, 1, MOST, endpoint=False), 1.0]
    assert np.isin(path.bounds, grid).all()
    for low, high, n in zip(path.bounds[:-1], path.bounds[1:], path.n_communities, strict=True):
        for threshold in (low, high / 1.0116 * 0.99999):  # just above its last point of the grid
            if threshold >= low:
                assert n == len(np.unique(parts_of(weights * (1 - np.eye(40)) > threshold), axis=0))


def test_copies_stay_together_and_what_has_no_weights_stays_apart():
    path = threshold_path(np.eye(4), copy_of=np.array([0, 1, 1, 3]))
    assert path.n_communities.tolist() == [3] and path.labels.tolist() == [[0, 1, 1, 2]]
    assert path.plateau == (0.01, 1.0)
