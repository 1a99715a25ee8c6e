"""Exact answers against dense matrices, closed forms and published energies."""

import numpy as np
import pytest
import scipy.sparse as sp
from tests.quantum import dense

from infoscope.base import DataError, ParameterError
from infoscope.quantum import (
    Chain,
    CustomFamily,
    Graph,
    HeisenbergFamily,
    IsingFamily,
    RandomFieldIsing,
    Square,
    exact_spectrum,
    ground_state,
    magnetization,
    spin_correlation,
    spins_of,
    squared_magnetization,
    transverse_ising_chain_exact,
)
from infoscope.quantum.diagonalisation import Sectors
from infoscope.quantum.lowest_levels import lowest_levels

ISING = IsingFamily(Chain(8))


# ------------------------------------------------------------------------------------------------------- lowest levels
def test_levels_of_a_large_matrix_are_found_as_often_as_they_are_there():
    rng = np.random.default_rng(0)
    values = np.concatenate([[-3.0] * 5, [-2.5] * 2, np.linspace(-2, 5, 593)])
    reflections = [np.eye(600)]
    for _ in range(3):  # a product of reflections is orthogonal
        axis = rng.normal(size=600)
        reflections.append(np.eye(600) - 2 * np.outer(axis, axis) / (axis @ axis))
    turn = np.linalg.multi_dot(reflections)
    matrix = sp.csr_array((turn * values) @ turn.T)
    levels, vectors = lowest_levels(matrix, 7, width=1e-9)
    assert np.allclose(levels, values[:7], rtol=0, atol=1e-11)
    assert np.allclose(vectors.T @ vectors, np.eye(7), rtol=0, atol=1e-9)
    assert np.allclose(matrix @ vectors, vectors * levels, rtol=0, atol=1e-9)
    again, _ = lowest_levels(matrix, 7, width=1e-9)
    assert np.array_equal(again, levels)


def test_levels_of_a_complex_matrix():
    rng = np.random.default_rng(1)
    half = (rng.normal(size=(500, 500)) + 1j * rng.normal(size=(500, 500))) * (rng.random((500, 500)) < 0.02)
    matrix = sp.csr_array(half + half.conj().T)
    levels, vectors = lowest_levels(matrix, 3, width=1e-9)
    assert np.allclose(levels, np.linalg.eigvalsh(matrix.toarray())[:3], rtol=0, atol=1e-11)
    assert np.allclose(matrix @ vectors, vectors * levels, rtol=0, atol=1e-9)


# ------------------------------------------------------------------------------------------------------- ground states
FAMILIES = [
    (IsingFamily(Chain(7)), [0.9]),
    (IsingFamily(Square(2, 3), ("interaction", "field")), [0.7, 1.1]),
    (RandomFieldIsing(Chain(6, periodic=False)), [0.3, 0.9, 0.2, 1.4, 0.8, 1.0]),
    (HeisenbergFamily(Chain(8), ("J1", "J2")), [1.0, 0.3]),
    (HeisenbergFamily(Square(2, 4), ("J2",), magnetization=2), [0.4]),
    (CustomFamily(3, [("Z0 Z1", -1.0), ("Z1 Z2", -0.5), ("Y0", 0.7, "g"), ("Z0", 0.3, "g"), ("X1 Y2", 0.4)]), [0.8]),
]


@pytest.mark.parametrize(("family", "couplings"), FAMILIES, ids=lambda one: type(one).__name__)
def test_ground_states_are_those_of_dense_matrices(family, couplings):
    states = family.configurations()
    strings = [(t, w * (1.0 if name is None else dict(zip(family.coupling_names, couplings, strict=True))[name]))
               for t, w, name in family.operator.strings()]  # fmt: skip
    matrix = dense.total(strings, family.n_sites)[np.ix_(states, states)]
    levels, vectors = np.linalg.eigh(matrix)
    found = ground_state(family, couplings)
    assert found.degeneracy == 1 and np.array_equal(found.configurations, states)
    assert abs(found.energy - levels[0]) < 1e-12 and abs(found.gap - (levels[1] - levels[0])) < 1e-11
    assert abs(abs(np.vdot(vectors[:, 0], found.amplitudes)) - 1) < 1e-12
    assert abs(np.linalg.norm(found.amplitudes) - 1) < 1e-13
    largest = found.amplitudes[np.argmax(np.abs(found.amplitudes))]
    assert abs(np.imag(largest)) < 1e-14 and abs(largest) == pytest.approx(abs(found.amplitudes).max())
    spectrum = exact_spectrum(family, couplings, k=5)
    assert np.allclose(spectrum.energies[0], levels[:5], rtol=0, atol=1e-11)


def test_the_same_call_gives_the_same_bits_and_the_largest_amplitude_is_positive():
    family = HeisenbergFamily(Chain(12))
    one, two = ground_state(family, 0.2), ground_state(family, 0.2)
    assert one.energy == two.energy and np.array_equal(one.amplitudes, two.amplitudes)
    first = int(np.argmax(np.abs(one.amplitudes) > (1 - 1e-6) * np.abs(one.amplitudes).max()))
    assert one.amplitudes[first] > 0


def test_sectors_of_parity_hold_all_levels_between_them():
    for family in (ISING, HeisenbergFamily(Chain(6))):
        both = [exact_spectrum(family, [0.7], k=family.n_states // 2, parity=one).energies[0] for one in (1, -1)]
        whole = np.linalg.eigvalsh(family.operator.matrix([0.7], family.configurations()).toarray())
        assert np.allclose(np.sort(np.concatenate(both)), whole, rtol=0, atol=1e-12)
    even, odd = ground_state(ISING, 0.7, parity=1), ground_state(ISING, 0.7, parity=-1)
    flipped = np.arange(256) ^ 255
    assert np.allclose(even.amplitudes[flipped], even.amplitudes) and np.allclose(
        odd.amplitudes[flipped], -odd.amplitudes
    )
    assert (even.parity, odd.parity) == (1, -1) and even.energy < odd.energy


def test_many_couplings_are_found_anew_and_few_kept_with_the_same_answer():
    disorder = RandomFieldIsing(Chain(9))
    assert Sectors(disorder, parity=None, max_states=512).matrices[1]._kept is None
    uniform = ground_state(disorder, np.full(9, 0.8))
    assert abs(uniform.energy - ground_state(IsingFamily(Chain(9)), 0.8).energy) < 1e-12


# ---------------------------------------------------------------------------------------------------------- degeneracy
def test_degenerate_ground_states_are_counted_and_no_vector_is_given():
    found = ground_state(ISING, 0.0)
    assert (found.degeneracy, found.amplitudes, found.parity) == (2, None, 0)
    assert found.energy == -8 and abs(found.gap - 4) < 1e-12
    assert found.verdict.startswith("2 states share the lowest energy")
    with pytest.raises(ParameterError, match="2 states share the lowest energy"):
        found.expect(magnetization(8))
    assert ground_state(ISING, 0.0, parity=1).degeneracy == 1


def test_levels_closer_than_rounding_are_told_apart_by_parity():
    exact = transverse_ising_chain_exact(12, 0.08)
    even = ground_state(IsingFamily(Chain(12)), 0.08, parity=1)
    assert exact.gap[0] < 1e-12 and even.degeneracy == 1 and abs(even.energy - exact.energy[0]) < 1e-12
    assert ground_state(IsingFamily(Chain(12)), 0.08).degeneracy == 2


def test_the_dimers_of_the_frustrated_chain_are_exact_and_two():
    """Majumdar and Ghosh 1969: with J2 = J1 / 2 products of singlets are ground states, -3/8 per site."""
    for n in (8, 12):
        found = exact_spectrum(HeisenbergFamily(Chain(n)), [0.5], k=3)
        assert np.allclose(found.energies[0, :2] / n, -3 / 8, rtol=0, atol=1e-13) and found.degeneracy.tolist() == [2]
        assert found.energies[0, 2] > found.energies[0, 0] + 0.1
    bonds = [(0, 1), (2, 3)]
    one = ground_state(HeisenbergFamily(Graph(4, bonds), ("J1",)), 1.0)  # two dimers that know nothing of each other
    assert one.degeneracy == 1 and abs(one.energy + 1.5) < 1e-13


def test_more_copies_than_are_looked_for_are_said_to_be_so():
    loose = CustomFamily(8, [("Z0 Z1", 1.0, "g")])  # half of all states are lowest
    found = ground_state(loose, 1.0)
    assert found.degeneracy >= 24 and np.isnan(found.gap) and "at least" in found.notes[0]
    none = ground_state(CustomFamily(2, [("Z0 Z1", 1.0, "g")]), 0.0)
    assert none.degeneracy == 4 and np.isnan(none.gap)


def test_triplets_are_three():
    found = exact_spectrum(HeisenbergFamily(Chain(10), magnetization=None), [0.0], k=5)
    assert np.ptp(found.energies[0, 1:4]) < 1e-12 < found.energies[0, 4] - found.energies[0, 3]


# ---------------------------------------------------------------------------------------------------- published values
def test_energies_of_the_square_of_sixteen_are_the_known_ones():
    found = exact_spectrum(HeisenbergFamily(Square(4)), [0.0, 0.5])
    assert np.allclose(found.energy / 16, [-0.701780, -0.528620], rtol=0, atol=5e-7)
    assert found.degeneracy.tolist() == [1, 1]


def bethe_energy(n):
    """The ground state of the Heisenberg ring from the equations of Bethe 1931, solved by iteration."""
    m = n // 2
    numbers, roots = np.arange(m) - (m - 1) / 2, np.zeros(m)
    for _ in range(500):
        phases = np.pi * numbers + np.arctan(roots[:, None] - roots).sum(axis=1)
        roots = np.tan(phases / n) / 2
    return n / 4 - (2 / (1 + 4 * roots**2)).sum()


@pytest.mark.parametrize("n", [6, 10, 14])
def test_the_heisenberg_ring_has_the_energy_of_bethes_equations(n):
    assert abs(ground_state(HeisenbergFamily(Chain(n), ("J1",)), 1.0).energy - bethe_energy(n)) < 1e-11


@pytest.mark.parametrize("n", [2, 4, 8, 10])
def test_closed_forms_agree_with_diagonalisation(n):
    lattice = Chain(n) if n > 2 else Graph(2, [(0, 1), (0, 1)])  # the bond of a ring of two counts twice
    for J, fields in ((1.0, [0.3, 0.75, 1.0, 1.3, 2.0]), (0.4, [0.2, 0.5])):
        exact = transverse_ising_chain_exact(n, fields, interaction=J)
        family = IsingFamily(lattice, interaction=J)
        found = exact_spectrum(family, fields)
        assert np.allclose(found.energy, exact.energy, rtol=0, atol=1e-12 * n)
        assert np.allclose(found.gap, exact.gap, rtol=0, atol=1e-12 * n)
        sx = [ground_state(family, h).expect(magnetization(n, "x")) for h in fields]
        assert np.allclose(sx, exact.transverse_magnetization, rtol=0, atol=1e-12)


def test_closed_forms_at_their_own_special_points():
    for n in (8, 10, 16, 64):
        at_one = transverse_ising_chain_exact(n, 1.0)
        assert abs(at_one.chi[0] - n * (n - 1) / 32) < 1e-12 * n**2
        assert abs(at_one.energy[0] + 2 / np.sin(np.pi / (2 * n))) < 1e-12 * n  # a geometric sum
    chi = transverse_ising_chain_exact(10, [0.75, 0.9, 1.1, 1.3, 2.0]).chi
    assert np.allclose(chi, [1.7778, 2.8682, 1.9844, 0.6717, 0.0534], rtol=0, atol=5e-5)
    zero = transverse_ising_chain_exact(6, [0.0, -0.5, 0.5])
    assert zero.energy[0] == pytest.approx(-6, abs=1e-14) and zero.gap[0] == pytest.approx(0, abs=1e-14)
    assert zero.energy[1] == pytest.approx(zero.energy[2]) and zero.chi[1] == pytest.approx(zero.chi[2])
    assert zero.transverse_magnetization[1] == pytest.approx(-zero.transverse_magnetization[2])


# -------------------------------------------------------------------------------------------------------- observables
def test_means_are_those_of_the_vector_and_sectors_project():
    found = ground_state(IsingFamily(Chain(8)), 0.9)
    spins = spins_of(found.configurations, 8)
    by_hand = ((spins.mean(axis=1)) ** 2 * found.amplitudes**2).sum()
    assert abs(found.expect(squared_magnetization(8)) - by_hand) < 1e-13
    neel = ground_state(HeisenbergFamily(Chain(8), ("J1",)), 1.0)
    bonds = [neel.expect(spin_correlation(8, i, (i + 1) % 8, "all")) / 4 for i in range(8)]
    assert abs(sum(bonds) - neel.energy) < 1e-12  # H is the sum of its bonds
    assert neel.expect(magnetization(8, "x")) == 0.0  # leads out of the sector: no amplitude there


# ------------------------------------------------------------------------------------------------------------ bad input
@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (
            lambda: ground_state(IsingFamily(Chain(24)), 1.0),
            ParameterError,
            r"16,777,216 states and would take up to .* GB",
        ),
        (lambda: ground_state(ISING, 1.0, max_states=10), ParameterError, "256 states and would take up to .* kB"),
        (lambda: ground_state(ISING, [1.0, 2.0]), DataError, "which are 2 systems"),
        (lambda: ground_state(ISING, np.nan), DataError, "holds nan"),
        (lambda: ground_state(ISING, 1.0, parity=2), ParameterError, "parity must be 1"),
        (lambda: ground_state(ISING, 1.0, tolerance=0.0), ParameterError, "tolerance"),
        (lambda: exact_spectrum(ISING, 1.0, k=0), ParameterError, "k must be at least 1"),
        (lambda: exact_spectrum(IsingFamily(Chain(15)), 1.0, k=9000), ParameterError, "whole matrix, 2.15 GB"),
        (lambda: exact_spectrum(ISING, 1.0, k=257), ParameterError, "k must be at most 256"),
        (
            lambda: ground_state(CustomFamily(2, [("Z0", 1.0, "g")]), 1.0, parity=1),
            ParameterError,
            "the flip of all spins is no symmetry",
        ),
        (lambda: transverse_ising_chain_exact(5, 1.0), ParameterError, "even number of spins"),
        (lambda: transverse_ising_chain_exact(6, 1.0, interaction=0.0), ParameterError, "interaction"),
        (lambda: transverse_ising_chain_exact(6, np.inf), DataError, "h holds"),
    ],
)
def test_what_cannot_be_is_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_the_limit_is_that_of_the_sector():
    family = HeisenbergFamily(Chain(22, periodic=False), ("J1",), magnetization=20)
    found = ground_state(family, 1.0)  # 22 states of 4 million
    k = np.pi * 21 / 22  # one magnon on an open chain: J (cos k - 1) above the ferromagnet
    assert abs(found.energy - (21 / 4 + np.cos(k) - 1)) < 1e-12


def test_pictures_and_tables():
    spectrum = exact_spectrum(ISING, [1.0, 0.0, 0.5], k=3)
    assert list(spectrum.pictures()) == ["energies", "gap"]
    assert list(spectrum.to_frame()) == ["field", "energy", "energy_per_site", "gap", "degeneracy"]
    line = spectrum.plot(kind="gap").lines[0]
    assert line.get_xdata().tolist() == [0.0, 0.5, 1.0] and line.get_ydata()[0] == 0.0
    assert len(spectrum.plot().lines) >= 3
    with pytest.raises(ParameterError, match="there are field"):
        spectrum.plot(coupling="J")
    assert ground_state(ISING, 0.0).pictures() == {}
