"""Looked-up local energies against sparse matrices, and draws without replacement against their law."""

from __future__ import annotations

import numpy as np
import pytest

from infoscope.quantum import Chain, CustomFamily, HeisenbergFamily, IsingFamily, Square
from infoscope.quantum.exact_law import draw_without_replacement, exact_local_energies, make_tables
from infoscope.quantum.signed_orbits import find_signed_orbits
from infoscope.quantum.symmetries import make_group

jax = pytest.importorskip("jax")

from infoscope.quantum.jax_precision import double_precision  # noqa: E402


@pytest.mark.parametrize(
    ("family", "symmetries", "couplings"),
    [
        (IsingFamily(Chain(6)), {"spin_flip": 1}, [0.7]),
        (IsingFamily(Chain(6), coupling=("field", "interaction")), {"spin_flip": -1, "translations": 1}, [0.7, 1.3]),
        (HeisenbergFamily(Chain(6)), {"spin_flip": 1, "translations": -1, "point_group": 1}, [0.3]),
        (HeisenbergFamily(Square(2, 3), magnetization=2), {}, [0.3]),
        (CustomFamily(3, [("Z0 Y1 X2", 0.4, "a"), ("X0", -1.0), ("Y2", 0.3, "a")]), {}, [1.7]),
    ],
    ids=["flip", "two couplings", "characters", "sector", "complex"],
)
def test_local_energies_are_those_of_the_matrix(family, symmetries, couplings):
    n = family.n_sites
    group = make_group(symmetries, family.lattice, n)
    orbits = find_signed_orbits(n, group, family.magnetization)
    tables = make_tables(family.operator, orbits, group.images(orbits.spins), group.characters)
    rng = np.random.default_rng(0)
    logs = rng.normal(size=len(orbits)) + 1j * rng.normal(size=len(orbits))
    amplitudes = np.where(orbits.orbit_of >= 0, orbits.signs * np.exp(logs)[orbits.orbit_of], 0)
    matrix = family.operator.matrix(np.array(couplings), states=orbits.states)
    places = np.searchsorted(orbits.states, orbits.numbers)
    wanted = (matrix @ amplitudes)[places] / amplitudes[places] * orbits.signs[places] / orbits.signs[places]
    with double_precision():
        found = exact_local_energies(vars(tables), logs, np.array(couplings))
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12)
    # nothing of H psi is lost where the amplitude is zero by symmetry
    assert np.abs((matrix @ amplitudes)[orbits.orbit_of < 0]).max(initial=0) < 1e-12


@pytest.mark.parametrize("spread", [0.1, 2.0, 20.0])
def test_draws_are_unbiased(spread):
    rng = np.random.default_rng(1)
    p = np.exp(spread * rng.normal(size=40))
    p /= p.sum()
    n_rows, values = 12, rng.normal(size=40)
    uniforms = (np.arange(4000) + 0.5) / 4000
    with double_precision():
        draw = jax.jit(jax.vmap(lambda u: draw_without_replacement(p, n_rows, u)))
        rows, weights = (np.asarray(one) for one in draw(uniforms))
    assert rows.shape == (4000, n_rows)
    assert (np.sort(rows, axis=1)[:, 1:] != np.sort(rows, axis=1)[:, :-1]).all()  # nobody twice
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    # weights are normalised by their sum, which is 1 on average: a bias of second order in the spread of that sum
    counted = np.bincount(rows.ravel(), weights.ravel(), minlength=40) / 4000
    np.testing.assert_allclose(counted, p, rtol=0.15, atol=2e-4)
    # independent draws of as many rows err by sqrt(variance / rows)
    errors = (weights * values[rows]).sum(axis=1) - p @ values
    independent = np.sqrt((p @ values**2 - (p @ values) ** 2) / n_rows)
    assert np.sqrt((errors**2).mean()) < independent


def test_all_orbits_are_taken_where_there_is_room():
    p = np.array([0.5, 0.3, 0.2])
    with double_precision():
        rows, weights = draw_without_replacement(p, 3, 0.3)
    np.testing.assert_array_equal(rows, [0, 1, 2])
    np.testing.assert_allclose(weights, p)


def test_probable_ones_are_always_there():
    p = np.array([0.6, 0.3, *[0.01] * 10])
    for uniform in (0.0, 0.4, 0.99):
        with double_precision():
            rows, weights = (np.asarray(one) for one in draw_without_replacement(p, 4, uniform))
        assert {0, 1} <= set(rows.tolist())
        # two of ten, each with half of what is left
        np.testing.assert_allclose(np.sort(weights)[::-1], [0.6, 0.3, 0.05, 0.05])
