"""Couplings beyond the trained ones: hulls against triangles, ranges for disorder, and who says so."""

import numpy as np
import pytest
from tests.quantum.dense_states import DenseState, IsingMatrices

from infoscope.base import DataWarning
from infoscope.quantum import Chain, IsingFamily, fidelity_susceptibility, outside_training, quantum_expectation


def test_an_interval():
    trained = np.array([[0.75], [2.0], [1.0]])
    asked = np.array([[0.75], [0.7499], [1.3], [2.0], [2.01]])
    assert outside_training(trained, asked).tolist() == [False, True, False, False, True]
    assert not outside_training(None, asked).any()


def test_a_hull_against_delaunay():
    from scipy.spatial import Delaunay

    rng = np.random.default_rng(0)
    for m in (2, 3):
        trained, asked = rng.normal(size=(12, m)), rng.normal(size=(60, m))
        expected = Delaunay(trained).find_simplex(asked) < 0
        assert 5 < expected.sum() < 55
        np.testing.assert_array_equal(outside_training(trained, asked), expected)


def test_trained_rows_are_inside_even_on_a_line():
    line = np.linspace(0, 1, 5)[:, None] * [1.0, 2.0]
    assert not outside_training(line, line).any()
    assert outside_training(line, np.array([[0.5, 0.9]]))[0]


def test_fields_on_every_site_are_looked_at_by_their_range():
    rng = np.random.default_rng(1)
    trained, inside = rng.uniform(0, 1, (50, 12)), rng.uniform(0.05, 0.95, (20, 12))
    assert not outside_training(trained, inside, per_site=True).any()
    inside[3, 5] = 1.5
    assert np.flatnonzero(outside_training(trained, inside, per_site=True)).tolist() == [3]


@pytest.mark.parametrize("ask", [fidelity_susceptibility, lambda s, c: quantum_expectation(s, "energy", c)])
def test_answers_warn_and_flag(ask):
    ising = IsingMatrices(4)
    state = DenseState(IsingFamily(Chain(4)), lambda c: ising.ground(c[0]))
    state.couplings_ = np.array([[0.8], [1.2]])
    with pytest.warns(DataWarning, match=r"1 of 3 systems lie outside .*the first at field = 1.3"):
        found = ask(state, [0.9, 1.1, 1.3])
    assert found.outside.tolist() == [False, False, True] and len(found.warnings) == 1
    assert "outside the trained couplings" in found.verdict
