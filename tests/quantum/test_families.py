"""Families against Hamiltonians written down as Kronecker products, and what they refuse."""

import numpy as np
import pytest
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
    pauli_sum,
)

LATTICES = [Chain(5), Chain(4, periodic=False), Square(2, 3), Graph(3, [(0, 1), (1, 2), (0, 1)])]


@pytest.mark.parametrize("lattice", LATTICES, ids=str)
def test_ising_families_are_what_their_formula_says(lattice):
    bonds, n = lattice.bonds(), lattice.n_sites
    field = IsingFamily(lattice, interaction=0.5)
    assert np.allclose(field.operator.matrix([0.7]).toarray(), dense.ising(bonds, n, 0.5, 0.7), atol=1e-14)
    interaction = IsingFamily(lattice, coupling="interaction", field=0.3)
    assert np.allclose(interaction.operator.matrix([0.7]).toarray(), dense.ising(bonds, n, 0.7, 0.3), atol=1e-14)
    both = IsingFamily(lattice, coupling=("field", "interaction"))
    assert both.coupling_names == ("field", "interaction") and both.n_couplings == 2
    assert np.allclose(both.operator.matrix([0.2, 0.9]).toarray(), dense.ising(bonds, n, 0.9, 0.2), atol=1e-14)
    fields = np.random.default_rng(0).random(n)
    disorder = RandomFieldIsing(lattice, interaction=1 / np.e)
    assert disorder.per_site and disorder.n_couplings == n
    assert np.allclose(disorder.operator.matrix(fields).toarray(), dense.ising(bonds, n, 1 / np.e, fields), atol=1e-14)


@pytest.mark.parametrize("lattice", [Chain(5), Chain(6, periodic=False), Square(2, 3, periodic=False)], ids=str)
def test_heisenberg_families_are_what_their_formula_says(lattice):
    n = lattice.n_sites
    family = HeisenbergFamily(lattice, couplings=("J2", "J1"), magnetization=None)
    bonds = [lattice.bonds(order) for order in (1, 2)]
    expected = 0.8 * dense.heisenberg(bonds[0], n) + 0.3 * dense.heisenberg(bonds[1], n)
    assert np.allclose(family.operator.matrix([0.3, 0.8]).toarray(), expected, atol=1e-14)
    fixed = HeisenbergFamily(lattice, couplings="J2", fixed={"J1": 0.8}, magnetization=None)
    assert np.allclose(fixed.operator.matrix([0.3]).toarray(), expected, atol=1e-14)
    assert HeisenbergFamily(lattice, magnetization=None).fixed == {"J1": 1.0}


def test_a_bond_given_twice_counts_twice():
    once, twice = Graph(2, [(0, 1)]), Graph(2, [(0, 1), (1, 0)])
    for make in (lambda g: IsingFamily(g, "interaction", field=0.0), lambda g: HeisenbergFamily(g, ("J1",))):
        a, b = make(once).operator.matrix([1.0]).toarray(), make(twice).operator.matrix([1.0]).toarray()
        assert np.array_equal(b, 2 * a) and a.any()


def test_symmetries_of_families():
    ising = IsingFamily(Chain(4))
    assert ising.spin_flip_commutes() and not ising.conserves_magnetization and ising.is_real
    assert all(ising.commutes_with(one) for one in [*Chain(4).translations(), *Chain(4).point_group()])
    disorder = RandomFieldIsing(Chain(4))
    assert disorder.spin_flip_commutes() and [disorder.commutes_with(one) for one in Chain(4).translations()] == [
        True,
        False,
        False,
        False,
    ]
    heisenberg = HeisenbergFamily(Square(2, 4))
    assert heisenberg.conserves_magnetization and heisenberg.spin_flip_commutes()
    assert not HeisenbergFamily(Square(2, 4), magnetization=2).spin_flip_commutes()  # other states
    longitudinal = CustomFamily(Chain(2), [("Z0 Z1", -1.0), ("Z0", -1.0, "g"), ("Z1", -1.0, "g")])
    assert not longitudinal.spin_flip_commutes() and longitudinal.conserves_magnetization


def test_marshalls_signs_make_all_elements_between_configurations_negative():
    family = HeisenbergFamily(Square(2, 4), couplings=("J1",))
    states = family.configurations()
    plain = family.operator.matrix([1.0], states).toarray()
    turned = family.operator.rotated(family.marshall_sites).matrix([1.0], states).toarray()
    off = ~np.eye(len(states), dtype=bool)
    assert plain[off].max() > 0 and turned[off].max() == 0 and np.array_equal(abs(plain), abs(turned))
    assert HeisenbergFamily(Chain(5), magnetization=1).marshall_sites is None
    assert HeisenbergFamily(Chain(4), marshall_sign=False).marshall_sites is None
    with pytest.raises(ParameterError, match="more than two sublattices: take marshall_sign=False"):
        HeisenbergFamily(Chain(5), magnetization=1, marshall_sign=True)


def test_custom_families_are_their_terms():
    terms = [("Z0 Z1", -1.0), ("X0", -1.0, "h"), ("X1", -1.0, "h"), ("Y0 Y1", 0.5, "g")]
    family = CustomFamily(2, terms, names=("g", "h"))
    assert family.coupling_names == ("g", "h") and family.n_sites == 2 and family.lattice == Graph(2)
    expected = dense.total([("Z0 Z1", -1.0), ("X0", -0.3), ("X1", -0.3), ("Y0 Y1", 0.35)], 2)
    assert np.allclose(family.operator.matrix([0.7, 0.3]).toarray(), expected, atol=1e-15)
    assert CustomFamily(1, [("Z0", 1.0, "strength")], names="strength").coupling_names == ("strength",)
    again = CustomFamily(Graph(2), family.operator)
    assert np.array_equal(again.operator.matrix([0.7, 0.3]).toarray(), family.operator.matrix([0.7, 0.3]).toarray())
    assert CustomFamily(2, terms, names=("g", "h")) == family and hash(family) == hash(
        CustomFamily(2, terms, ("g", "h"))
    )
    ours = CustomFamily(Chain(3), IsingFamily(Chain(3)).operator)
    theirs = IsingFamily(Chain(3)).operator.matrix([0.6]).toarray()
    assert np.array_equal(ours.operator.matrix([0.6]).toarray(), theirs)


def test_couplings_come_as_numbers_rows_and_by_name():
    one, two = IsingFamily(Chain(3)), IsingFamily(Chain(3), ("field", "interaction"))
    assert (
        one.as_system(0.5).tolist() == [0.5] == one.as_system([0.5]).tolist() == one.as_system({"field": 0.5}).tolist()
    )
    assert one.as_systems([0.5, 1.0]).tolist() == [[0.5], [1.0]] == one.as_systems([[0.5], [1.0]]).tolist()
    assert two.as_systems([0.5, 1.0]).tolist() == [[0.5, 1.0]]
    assert two.as_systems({"interaction": 1.0, "field": [0.5, 0.7]}).tolist() == [[0.5, 1.0], [0.7, 1.0]]


@pytest.mark.parametrize(
    ("couplings", "words"),
    [
        ([0.5], r"shape \(1,\), and must have \(2,\) or \(systems, 2\): field, interaction"),
        ([[0.5, 1.0, 2.0]], r"shape \(1, 3\)"),
        (np.zeros((0, 2)), r"shape \(0, 2\)"),
        ([0.5, np.nan], r"holds nan in row 0, column 1 \(interaction\)"),
        ([[0.5, 1.0], [np.inf, 1.0]], r"holds inf in row 1, column 0 \(field\)"),
        ({"field": 1.0}, "give field, interaction"),
        ("warm", "give numbers"),
    ],
)
def test_couplings_that_cannot_be_are_named(couplings, words):
    with pytest.raises(DataError, match=words):
        IsingFamily(Chain(3), ("field", "interaction")).as_systems(couplings)


def test_one_system_is_not_several():
    with pytest.raises(DataError, match="which are 2 systems"):
        IsingFamily(Chain(3)).as_system([0.5, 1.0])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: HeisenbergFamily(Chain(5)), "magnetization .* is 0, and 5 spins have odd ones only"),
        (lambda: HeisenbergFamily(Chain(4), magnetization=6), "magnetization must be at most 4"),
        (lambda: HeisenbergFamily(Chain(4), ("J3",)), "no bonds of order 3"),
        (lambda: HeisenbergFamily(Chain(4), ("J4",)), "couplings must be one of"),
        (lambda: HeisenbergFamily(Chain(6), ("J1",), fixed={"J1": 1.0}), "J1 is among the couplings"),
        (lambda: HeisenbergFamily(Chain(6), ("J2",), fixed={"J1": np.inf}), "must be a finite number"),
        (lambda: HeisenbergFamily(Chain(6), ()), "no coupling"),
        (lambda: IsingFamily(Chain(4), "temperature"), "coupling must be one of 'field', 'interaction'"),
        (lambda: IsingFamily(Chain(4), field=0.5), "field changes, so it has no fixed value"),
        (lambda: IsingFamily(Graph(3)), "no bonds of order 1"),
        (lambda: IsingFamily(12), "lattice must be a Chain, Square or Graph"),
        (lambda: IsingFamily(Graph(3, [(0, 3)])), "sites are numbered 0 to 2"),
        (lambda: RandomFieldIsing(Chain(4), interaction=np.nan), "interaction must be a finite number"),
        (lambda: CustomFamily(2, [("Z0", 1.0)]), "no coupling"),
        (lambda: CustomFamily(2, [("Z0", 1.0, "g")], names=("g", "h")), "the coupling 'h' enters no term"),
        (lambda: CustomFamily(2, [("Z2", 1.0, "g")]), "names site 2"),
        (lambda: CustomFamily(2, [("Z0", 1j, "g")]), "not its own adjoint"),
        (lambda: CustomFamily(2, {"Z0": 1.0}), "terms must be a sequence"),
        (lambda: CustomFamily(2, [("X0", 1.0, "g")], magnetization=0), "changes the sum of the spins"),
        (lambda: CustomFamily(2, [("Z0", 1.0, "g")], per_site=True), "one coupling for each of 2 sites"),
        (lambda: CustomFamily(3, pauli_sum([("Z0", 1.0, "g")], 2)), "acts on 2 sites, and the lattice has 3"),
    ],
)
def test_families_that_cannot_be_are_refused(make, words):
    with pytest.raises(ParameterError, match=words):
        make()


def test_a_coupling_that_enters_no_term_is_refused():
    with pytest.raises(ParameterError, match="the coupling 'J2' enters no term"):
        CustomFamily(2, [("Z0 Z1", 1.0, "J1"), ("X0", 0.0, "J2")])
