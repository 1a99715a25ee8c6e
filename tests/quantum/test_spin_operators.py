"""Sums of Pauli strings against Kronecker products of 2 x 2 matrices."""

import numpy as np
import pytest
from tests.quantum import dense

from infoscope.base import DataError, ParameterError
from infoscope.quantum import enumerate_configurations, numbers_of, pauli_sum, spins_of


def random_terms(n_sites, n_terms, seed, complex_weights=False):
    """Random strings, several factors on a site among them."""
    rng = np.random.default_rng(seed)
    terms = []
    for _ in range(n_terms):
        factors = [f"{rng.choice(list('XYZI'))}{rng.integers(n_sites)}" for _ in range(rng.integers(0, 5))]
        weight = rng.normal() + (1j * rng.normal() if complex_weights else 0)
        terms.append((" ".join(factors), weight))
    return terms


@pytest.mark.parametrize("seed", range(6))
def test_matrices_are_those_of_kronecker_products(seed):
    terms = random_terms(4, 30, seed, complex_weights=seed % 2 == 1)
    operator = pauli_sum(terms, 4)
    expected = dense.total(terms, 4)
    assert np.allclose(operator.matrix().toarray(), expected, rtol=0, atol=1e-13)
    assert operator.is_hermitian == np.allclose(expected, expected.conj().T, rtol=0, atol=1e-13)
    assert not operator.flips[0].any() and len(np.unique(operator.flips, axis=0)) == operator.n_flips


def test_one_sigma_y_is_what_textbooks_say():
    assert pauli_sum([("Y0", 1.0)], 1).matrix().toarray().tolist() == [[0, -1j], [1j, 0]]
    assert pauli_sum([("Y0 Y1", 1.0)], 2).is_real and not pauli_sum([("Y0", 1.0)], 2).is_real


def test_couplings_multiply_their_strings():
    terms = random_terms(3, 12, 0)
    named = [(*term, [None, "a", "b"][at % 3]) for at, term in enumerate(terms)]
    operator = pauli_sum(named, 3)
    assert operator.coupling_names == ("a", "b")
    values = {None: 1.0, "a": 0.7, "b": -1.3}
    expected = dense.total([(text, weight * values[name]) for text, weight, name in named], 3)
    assert np.allclose(operator.matrix([0.7, -1.3]).toarray(), expected, rtol=0, atol=1e-13)
    assert np.allclose(operator.at([0.7, -1.3]).matrix().toarray(), expected, rtol=0, atol=1e-13)
    swapped = pauli_sum(named, 3, coupling_names=["b", "a"])
    assert np.allclose(swapped.matrix([-1.3, 0.7]).toarray(), expected, rtol=0, atol=1e-13)


def test_connected_configurations_and_elements_are_rows_of_the_matrix():
    operator = pauli_sum([(*term, "g") for term in random_terms(4, 20, 3)], 4)
    numbers = np.array([0, 5, 5, 15])
    couplings = np.array([[0.3], [-1.0], [2.0], [1.0]])
    connected, elements = operator.connected(spins_of(numbers, 4), couplings)
    assert connected.dtype == np.int8 and connected.shape == (4, operator.n_flips, 4)
    assert np.array_equal(connected[:, 0], spins_of(numbers, 4))
    for row, number in enumerate(numbers):
        rebuilt = np.zeros(16, complex)
        rebuilt[numbers_of(connected[row])] = elements[row]  # masks differ, so no place is met twice
        assert np.allclose(rebuilt, operator.matrix(couplings[row]).toarray()[number], rtol=0, atol=1e-13)
    assert np.allclose(operator.elements(spins_of(numbers[:1], 4), [0.3]), elements[:1], rtol=0, atol=1e-15)


def test_a_sector_is_the_block_of_the_whole_matrix():
    bonds = [(0, 1), (1, 2), (2, 3), (3, 4), (0, 3)]
    operator = pauli_sum([(f"{a}{i} {a}{j}", 0.25) for i, j in bonds for a in "XYZ"], 5)
    states = enumerate_configurations(5, 1)
    whole = dense.heisenberg(bonds, 5)
    assert np.allclose(operator.matrix(states=states).toarray(), whole[np.ix_(states, states)], rtol=0, atol=1e-14)
    with pytest.raises(ParameterError, match="leads out of the 10 states"):
        pauli_sum([("X0", 1.0)], 5).matrix(states=states)


def test_strings_come_back_and_strings_given_twice_count_twice():
    operator = pauli_sum([("Z0 Z1", 1.0), ("Z1 Z0", 1.0), ("X0", 2.0), ("X0", -2.0), ("Y1", 0.5, "g")], 2)
    assert operator.strings() == (("Z0 Z1", 2.0, None), ("Y1", 0.5, "g"))
    again = pauli_sum(operator.strings(), 2)
    assert np.array_equal(again.matrix([0.4]).toarray(), operator.matrix([0.4]).toarray())


def test_sums_differences_and_multiples():
    a = pauli_sum([("Z0", 1.0, "g"), ("X1", 0.5)], 2)
    b = pauli_sum([("Z0", 2.0, "h"), ("X1", -0.5), ("Z1", 1.0, "g")], 2)
    both = a + 2 * b
    assert both.coupling_names == ("g", "h")
    expected = dense.total([("Z0", 0.3), ("X1", 0.5), ("Z0", 4.0 * 0.7), ("X1", -1.0), ("Z1", 2.0 * 0.3)], 2)
    assert np.allclose(both.matrix([0.3, 0.7]).toarray(), expected, rtol=0, atol=1e-15)
    gone = a - a
    assert gone.n_flips == 1 and not gone.matrix([1.0]).nnz and gone.elements([[1, -1]], [1.0]).tolist() == [[0.0]]
    with pytest.raises(ParameterError, match="2 and 3 sites"):
        a + pauli_sum([("Z0", 1.0)], 3)
    with pytest.raises(TypeError):
        a + 1.0


@pytest.mark.parametrize("seed", range(8))
def test_symmetries_are_those_of_commutators(seed):
    rng = np.random.default_rng(seed)
    n = 3
    terms = random_terms(n, 3, seed + 20)
    if seed % 2:  # sums that commute by construction
        terms = [(f"{a}{i} {a}{(i + 1) % n}", 0.25) for i in range(n) for a in "XYZ"] + [
            ("Z0 Z1 Z2", float(seed % 4 == 1))
        ]
    operator, matrix = pauli_sum(terms, n), dense.total(terms, n)

    def commutes(other):
        return np.allclose(matrix @ other, other @ matrix, rtol=0, atol=1e-12)

    assert operator.commutes_with_flip() == commutes(dense.string("X0 X1 X2", n))
    assert operator.conserves_magnetization() == commutes(dense.total([(f"Z{i}", 1.0) for i in range(n)], n))
    for _ in range(4):
        permutation = rng.permutation(n)
        assert operator.commutes_with(permutation) == commutes(dense.permuted(permutation))


def test_magnetisation_is_conserved_where_strings_cancel_and_not_alone():
    assert not pauli_sum([("X0 X1", 1.0)], 2).conserves_magnetization()
    assert pauli_sum([("X0 X1", 1.0), ("Y0 Y1", 1.0)], 2).conserves_magnetization()
    assert not pauli_sum([("X0 X1", 1.0, "a"), ("Y0 Y1", 1.0, "b")], 2).conserves_magnetization()
    assert not pauli_sum([("X0 X1 Z2", 1.0), ("Y0 Y1", 1.0)], 3).conserves_magnetization()
    assert not pauli_sum([(" ".join(f"X{i}" for i in range(14)), 1.0)], 14).conserves_magnetization()


def test_rotation_multiplies_by_the_signs_of_spins_down():
    terms = random_terms(3, 15, 1)
    sites = np.array([True, False, True])
    spins = spins_of(np.arange(8), 3)
    signs = np.where((spins[:, sites] < 0).sum(axis=1) % 2, -1.0, 1.0)
    expected = signs[:, None] * dense.total(terms, 3) * signs
    assert np.allclose(pauli_sum(terms, 3).rotated(sites).matrix().toarray(), expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ([("Z2", 1.0)], "names site 2, but sites are numbered 0 to 1"),
        ([("Q0", 1.0)], "holds 'Q0': write factors like X0"),
        ([("Z0Z1", 1.0)], "holds 'Z0Z1'"),
        ([(3, 1.0)], "a term is 3"),
        ([("Z0", np.nan)], r"must be \(text, finite number\)"),
        ([("Z0", "1")], r"must be \(text, finite number\)"),
        (["Z0"], r"must be \(text, finite number\)"),
        ([("Z0", 1.0, 5)], "must be a name"),
        ([("Z0", 0.0, "g")], "the coupling 'g' enters no term"),
        ([("Z0", 1.0, "g"), ("Z0", -1.0, "g")], "the coupling 'g' enters no term"),
    ],
)
def test_terms_that_cannot_be_are_named(terms, words):
    with pytest.raises(ParameterError, match=words):
        pauli_sum(terms, 2)


def test_names_of_couplings_must_fit_the_terms():
    with pytest.raises(ParameterError, match="the coupling 'h' enters no term"):
        pauli_sum([("Z0", 1.0, "g")], 1, coupling_names=["g", "h"])
    with pytest.raises(ParameterError, match="coupling 'g', which coupling_names leaves out"):
        pauli_sum([("Z0", 1.0, "g")], 1, coupling_names=["h"])
    with pytest.raises(ParameterError, match="twice"):
        pauli_sum([("Z0", 1.0, "g")], 1, coupling_names=["g", "g"])


def test_couplings_of_another_number_or_not_finite_are_named():
    operator = pauli_sum([("Z0", 1.0, "g"), ("X0", 1.0, "h")], 1)
    with pytest.raises(ParameterError, match=r"shape \(1,\), and must have \(2,\)"):
        operator.matrix([1.0])
    with pytest.raises(ParameterError, match=r"shape \(3, 2\)"):
        operator.elements([[1]], np.ones((3, 2)))
    with pytest.raises(DataError, match="couplings holds nan"):
        operator.matrix([1.0, np.nan])
    with pytest.raises(ParameterError, match="names each of the 1 sites once"):
        operator.commutes_with([1])


def test_a_matrix_that_does_not_fit_says_what_it_needs_before_it_is_made():
    with pytest.raises(
        ParameterError, match=r"the matrix on 30 spins has 1,073,741,824 states and would take up to .* GB"
    ):
        pauli_sum([("X0", 1.0)], 30).matrix()
