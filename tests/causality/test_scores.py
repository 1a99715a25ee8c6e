"""Scores of communities against scikit-learn and by hand."""

import numpy as np
import pytest

from infoscope.base import DataError
from infoscope.causality import community_scores


@pytest.mark.parametrize("seed", range(5))
def test_the_rand_index_is_that_of_scikit_learn(seed):
    from sklearn.metrics import adjusted_rand_score

    g = np.random.default_rng(seed)
    a, b = g.integers(0, 4, 30), g.integers(0, 3, 30)
    assert community_scores(a, b, [], []).rand_index == pytest.approx(adjusted_rand_score(a, b), abs=1e-12)
    assert community_scores(a, a + 7, [], []).rand_index == 1


def test_edges_are_pairs_of_variables():
    truth, found = [0, 0, 1, 1, 2], list("aabbc")
    scores = community_scores(truth, found, [(0, 1), (1, 2)], [("a", "b"), ("c", "b"), ("a", "c")])
    assert (scores.n_missing, scores.n_false, scores.n_reversed, scores.hamming_distance) == (2, 4, 2, 4)
    assert scores.recall == pytest.approx(4 / 6) and scores.precision == pytest.approx(4 / 8)
    assert scores.f1 == pytest.approx(8 / 14)
    nothing = community_scores(truth, found, [], [])
    assert np.isnan(nothing.precision) and np.isnan(nothing.f1) and nothing.hamming_distance == 0


def test_bad_input():
    with pytest.raises(DataError, match="one label for every variable"):
        community_scores([0, 1], [0], [], [])
    with pytest.raises(DataError, match="the label of no variable"):
        community_scores([0, 1], [0, 1], [(0, 2)], [])
    with pytest.raises(DataError, match="names two communities"):
        community_scores([0, 1], [0, 1], [(0, 1, 1)], [])
