"""Observables against Kronecker products."""

import numpy as np
import pytest
from tests.quantum import dense

from infoscope.base import DataError, ParameterError
from infoscope.quantum import Chain, Square, magnetization, spin_correlation, squared_magnetization, structure_factor


@pytest.mark.parametrize("axis", ["x", "y", "z"])
def test_the_squared_magnetisation_is_the_square_of_the_magnetisation(axis):
    signs = np.array([1.0, -1.0, 1.0])
    for options in ({}, {"signs": signs}):
        factors = options.get("signs", np.ones(3))
        mean = dense.total([(f"{axis.upper()}{i}", factors[i] / 3) for i in range(3)], 3)
        assert np.allclose(magnetization(3, axis, **options).matrix().toarray(), mean, atol=1e-15)
        square = squared_magnetization(3, axis, **options).matrix().toarray()
        assert np.allclose(square, mean @ mean, atol=1e-15)


def test_the_structure_factor_is_the_norm_of_a_wave_of_spins():
    lattice, q = Square(2, 3), np.array([0.3, -1.1])
    wave = sum(np.exp(1j * q @ r) * dense.string(f"Z{i}", 6) for i, r in enumerate(lattice.positions))
    found = structure_factor(lattice, q).matrix().toarray()
    assert np.allclose(found, (wave.conj().T @ wave).real / 6, atol=1e-14)
    parts = sum(structure_factor(lattice, q, axis).matrix() for axis in "xyz")
    assert np.allclose(structure_factor(lattice, q, "all").matrix().toarray(), parts.toarray(), atol=1e-14)
    staggered = structure_factor(Chain(4), [np.pi]).matrix().toarray()
    square = squared_magnetization(4, signs=[1, -1, 1, -1]).matrix().toarray()
    assert np.allclose(staggered, 4 * square, atol=1e-14)


def test_correlations_are_products_of_two_spins():
    found = spin_correlation(3, 0, 2, "all").matrix().toarray()
    assert np.allclose(found, 4 * dense.heisenberg([(0, 2)], 3), atol=1e-15)
    assert np.allclose(spin_correlation(3, 1, 1).matrix().toarray(), np.eye(8), atol=0)


def test_what_cannot_be_is_refused():
    with pytest.raises(ParameterError, match="momentum must be 2 finite numbers"):
        structure_factor(Square(2), [np.pi])
    with pytest.raises(ParameterError, match="axis must be one of"):
        magnetization(3, "w")
    with pytest.raises(ParameterError, match="j must be at most 2"):
        spin_correlation(3, 0, 3)
    with pytest.raises((DataError, ParameterError), match="signs"):
        squared_magnetization(3, signs=[1, -1])
