"""Operators and graphs of NetKet against ours; what only stands for them is tried where NetKet is not installed."""

from types import SimpleNamespace

import numpy as np
import pytest
from tests.quantum import dense

from infoscope.base import DataError, MissingExtraError
from infoscope.quantum import (
    Chain,
    CustomFamily,
    Graph,
    HeisenbergFamily,
    IsingFamily,
    Square,
    from_netket,
    lattice_from_netket,
    numbers_of,
    pauli_sum,
    to_netket,
)
from infoscope.quantum.netket_operators import netket_magnetization

try:
    import netket
except ImportError:
    netket = None
with_netket = pytest.mark.skipif(netket is None, reason="NetKet is not installed")
quiet = pytest.mark.filterwarnings("ignore")


def spins(n, states=(1, -1)):
    return SimpleNamespace(size=n, local_states=list(states))


# -------------------------------------------------------------------------------------------------- without NetKet
def test_local_matrices_are_read_with_the_first_site_most_significant():
    rng = np.random.default_rng(0)
    two = rng.normal(size=(4, 4)) + 1j * rng.normal(size=(4, 4))
    one = rng.normal(size=(2, 2))
    local = SimpleNamespace(hilbert=spins(3), operators=[two, one], acting_on=[(0, 2), (1,)], constant=0.3)
    whole = 0.3 * np.eye(8, dtype=complex)
    for a in range(2):  # by elements <s| M |s'> of site 0 and 2, site 0 the lowest bit
        for b in range(2):
            for c in range(2):
                for d in range(2):
                    for middle in range(2):
                        bra, ket = a + 2 * middle + 4 * b, c + 2 * middle + 4 * d
                        whole[bra, ket] += two[2 * a + b, 2 * c + d]
    for a in range(2):
        for c in range(2):
            for rest in (0, 1, 4, 5):
                whole[rest + 2 * a, rest + 2 * c] += one[a, c]
    assert np.allclose(from_netket(local).matrix().toarray(), whole, rtol=0, atol=1e-14)


def test_pauli_strings_are_read_letter_by_letter():
    strings = SimpleNamespace(hilbert=spins(3), operators=["ZXI", "IIY"], weights=[1.0, 2.0 + 0j])
    assert from_netket(strings).strings() == (("Z0 X1", 1.0, None), ("Y2", 2.0, None))


@pytest.mark.parametrize(
    ("operator", "words"),
    [
        (SimpleNamespace(hilbert=spins(2, (2, 0, -2))), "only spins of a half"),
        (SimpleNamespace(hilbert=spins(2, (0, 1))), "only spins of a half"),
        (SimpleNamespace(hilbert=spins(2, (-1, 1))), "inverted_ordering"),
        (SimpleNamespace(hilbert=spins(2)), "neither Pauli strings nor local matrices"),
        (5, "only spins of a half"),
        (
            SimpleNamespace(hilbert=spins(7), operators=[np.eye(128)], acting_on=[tuple(range(7))], constant=0),
            "acts on 7 sites",
        ),
    ],
)
def test_what_cannot_be_read_is_named(operator, words):
    with pytest.raises(DataError, match=words):
        from_netket(operator)


def test_graphs_become_the_lattice_they_are():
    for lattice in (Chain(5), Chain(4, periodic=False), Square(3, 4), Square(4, periodic=False), Square(2, 3)):
        extent = getattr(lattice, "shape", None)
        backwards = [pair[::-1] for pair in lattice.bonds().tolist()][::-1]
        graph = SimpleNamespace(n_nodes=lattice.n_sites, edges=lambda kept=backwards: kept, extent=extent)
        assert lattice_from_netket(graph) == lattice
    star = SimpleNamespace(n_nodes=4, edges=lambda: [(0, 1), (0, 2), (0, 3)])
    assert lattice_from_netket(star) == Graph(4, [(0, 1), (0, 2), (0, 3)])


def test_a_coupling_is_given_to_an_operator_that_has_none():
    field = pauli_sum({"X0": -1.0, "X1": -1.0}, 2).times_coupling("h")
    family = CustomFamily(2, pauli_sum({"Z0 Z1": -1.0}, 2) + field)
    expected = dense.ising([(0, 1)], 2, 1.0, 0.7)
    assert np.allclose(family.operator.matrix([0.7]).toarray(), expected, rtol=0, atol=1e-15)
    with pytest.raises(ValueError, match="has couplings already"):
        field.times_coupling("g")


@pytest.mark.skipif(netket is not None, reason="NetKet is installed")
def test_without_netket_its_absence_is_said():
    with pytest.raises(MissingExtraError, match="pip install netket"):
        to_netket(pauli_sum({"Z0": 1.0}, 1))


# ----------------------------------------------------------------------------------------------------- with NetKet
def dense_of_netket(operator):
    """The matrix of an operator of NetKet, rows and columns in our order of configurations."""
    states = numbers_of(np.asarray(operator.hilbert.all_states()))
    order = np.argsort(states)
    return np.sort(states), np.asarray(operator.to_dense())[np.ix_(order, order)]


@with_netket
@quiet
def test_operators_of_netket_have_the_same_matrices():
    space = netket.hilbert.Spin(0.5, 6)
    graph = netket.graph.Grid([2, 3], pbc=False)
    sigma = netket.operator.spin
    for operator in (
        netket.operator.Ising(space, graph, h=0.7, J=-1.2),
        netket.operator.Heisenberg(space, graph, J=0.5),
        netket.operator.Heisenberg(space, graph, J=0.5, sign_rule=[False]),
        netket.operator.PauliStrings(space, ["ZXIIIY", "IIYYII", "IIIIII"], [1.0, 0.5, -2.0]),
        sigma.sigmay(space, 2) @ sigma.sigmaz(space, 0) + 0.3 * sigma.sigmap(space, 5) + 1.5,
    ):
        _, expected = dense_of_netket(operator)
        assert np.allclose(from_netket(operator).matrix().toarray(), expected, rtol=0, atol=1e-13)
        again = to_netket(from_netket(operator), hilbert=space)
        assert np.allclose(dense_of_netket(again)[1], expected, rtol=0, atol=1e-13)


@with_netket
@quiet
def test_families_are_those_of_netket_in_their_own_units():
    space, graph = netket.hilbert.Spin(0.5, 8), netket.graph.Chain(8)
    ising = netket.operator.Ising(space, graph, h=0.7, J=-1.0)
    ours = IsingFamily(lattice_from_netket(graph)).operator.matrix([0.7]).toarray()
    assert np.allclose(dense_of_netket(ising)[1], ours, rtol=0, atol=1e-13)
    space = netket.hilbert.Spin(0.5, 8, total_sz=0)
    heisenberg = netket.operator.Heisenberg(space, graph, J=0.25)  # 4 S.S, and Marshall's signs
    family = HeisenbergFamily(Chain(8), ("J1",))
    states, theirs = dense_of_netket(heisenberg)
    turned = family.operator.rotated(family.marshall_sites).matrix([1.0], states)
    assert np.allclose(theirs, turned.toarray(), rtol=0, atol=1e-13)
    assert netket_magnetization(heisenberg) == 0 and netket_magnetization(ising) is None


@with_netket
@quiet
def test_graphs_of_netket_become_lattices():
    assert lattice_from_netket(netket.graph.Chain(7)) == Chain(7)
    assert lattice_from_netket(netket.graph.Square(4)) == Square(4)
    assert lattice_from_netket(netket.graph.Grid([3, 4], pbc=False)) == Square(3, 4, periodic=False)
    assert isinstance(lattice_from_netket(netket.graph.Triangular([3, 3])), Graph)
