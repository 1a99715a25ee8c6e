"""The susceptibility against its closed form and against the sum over all states of perturbation theory."""

import numpy as np
import pytest

from infoscope.base import ParameterError
from infoscope.quantum import (
    Chain,
    CustomFamily,
    HeisenbergFamily,
    IsingFamily,
    RandomFieldIsing,
    Square,
    exact_susceptibility,
    ground_state,
    transverse_ising_chain_exact,
)


def perturbation_sum(family, couplings):
    """Re sum_n <0|H_i|n><n|H_j|0> / (E_n - E_0)^2 over all states of the whole dense matrix."""
    states = family.configurations()
    zero = np.zeros(family.n_couplings)
    matrix = family.operator.matrix(couplings, states).toarray()
    constant = family.operator.matrix(zero, states).toarray()
    slopes = [family.operator.matrix(one, states).toarray() - constant for one in np.eye(family.n_couplings)]
    levels, vectors = np.linalg.eigh(matrix)
    rows = np.array([vectors[:, 1:].conj().T @ slope @ vectors[:, 0] / (levels[1:] - levels[0]) for slope in slopes])
    return (rows.conj() @ rows.T).real


@pytest.mark.parametrize("n", [6, 10, 12])
def test_the_chain_has_the_susceptibility_of_its_closed_form(n):
    fields = [0.4, 0.75, 0.9, 1.0, 1.1, 1.3, 2.0]
    found, exact = exact_susceptibility(IsingFamily(Chain(n)), fields), transverse_ising_chain_exact(n, fields)
    off = np.abs(found.chi[:, 0, 0] - exact.chi)
    assert off.max() < 1e-9  # Richardson's remainder is of order (0.1)^6 / 64; asked for is 1e-6
    assert (off <= found.chi_error + 1e-11).all()
    assert np.allclose(found.energy, exact.energy, rtol=0, atol=1e-12 * n) and (found.parity == 1).all()


@pytest.mark.parametrize(
    ("family", "couplings"),
    [
        (IsingFamily(Square(2, 3), ("field", "interaction")), [0.8, 1.2]),
        (RandomFieldIsing(Chain(6)), [0.3, 0.9, 0.5, 1.4, 0.8, 1.0]),
        (HeisenbergFamily(Chain(8), ("J1", "J2")), [1.0, 0.3]),
        (HeisenbergFamily(Square(2, 4), ("J2",), magnetization=2), [0.4]),
        (
            CustomFamily(3, [("Z0 Z1", -1.0), ("Y0", 0.7, "g"), ("Z0", 0.3, "f"), ("X1 Y2", 0.4), ("X2", 0.2)]),
            [0.8, 0.5],
        ),
    ],
    ids=lambda one: type(one).__name__,
)
def test_the_tensor_is_the_sum_over_all_states(family, couplings):
    found, expected = exact_susceptibility(family, couplings), perturbation_sum(family, couplings)
    assert np.allclose(found.chi[0], expected, rtol=0, atol=1e-8 * max(1.0, np.abs(expected).max()))
    assert np.allclose(found.chi[0], found.chi[0].T, rtol=0, atol=1e-12)
    assert found.eigenvalues.min() > -1e-9


def test_the_tensor_is_the_loss_of_overlap_between_couplings():
    family, at = IsingFamily(Chain(8), ("field", "interaction")), np.array([0.9, 1.1])
    chi = exact_susceptibility(family, at).chi[0]
    psi = ground_state(family, at).amplitudes
    for direction in ([1.0, 0.0], [0.0, 1.0], [0.6, -0.8]):
        step = 1e-3 * np.array(direction)
        ends = [abs(psi @ ground_state(family, at + side * step).amplitudes) ** 2 for side in (1, -1)]
        loss = 1 - np.mean(ends)  # odd orders cancel
        assert loss == pytest.approx(step @ chi @ step, rel=1e-4)


def test_scaling_all_couplings_together_changes_nothing():
    family, at = HeisenbergFamily(Chain(8), ("J1", "J2")), np.array([0.8, 0.2])
    found = exact_susceptibility(family, at)
    assert np.abs(found.chi[0] @ at).max() < 1e-7 * found.eigenvalues[0, 0]  # H only grows along its own couplings
    vectors = found.eigenvectors[0]
    assert np.allclose(found.chi[0] @ vectors, vectors * found.eigenvalues[0], rtol=0, atol=1e-9)
    assert abs(vectors[:, 1] @ at) == pytest.approx(np.linalg.norm(at), rel=1e-6)


def test_units_of_a_coupling_are_its_own():
    plain = CustomFamily(Chain(6), IsingFamily(Chain(6)).operator)
    strings = [(text, weight * (1e6 if name else 1.0), name) for text, weight, name in plain.terms]
    micro = exact_susceptibility(CustomFamily(Chain(6), strings), 0.9e-6).chi[0, 0, 0]
    assert micro * 1e-12 == pytest.approx(exact_susceptibility(plain, 0.9).chi[0, 0, 0], rel=1e-8)


def test_a_coupling_that_does_not_change_the_state_has_none():
    family = CustomFamily(3, [("", 1.0, "shift"), ("Z0 Z1", -1.0), ("X0", -0.5), ("X1", -0.5), ("Z2", -1.0, "far")])
    found = exact_susceptibility(family, [2.0, 1.0])
    assert np.array_equal(found.chi[0], np.zeros((2, 2)))


def test_a_degenerate_ground_state_has_none_and_a_parity_may_have_one():
    family = IsingFamily(Chain(8))
    with pytest.raises(
        ParameterError, match=r"at field = 0 the ground state is degenerate: 2 states .* parity=1 or -1"
    ):
        exact_susceptibility(family, 0.0)
    even = exact_susceptibility(family, 0.0, parity=1)
    assert even.chi[0, 0, 0] == pytest.approx(transverse_ising_chain_exact(8, 0.0).chi[0], abs=1e-9)
    with pytest.raises(ParameterError, match="J2 = 0.5 the ground state is degenerate: 2 states") as caught:
        exact_susceptibility(HeisenbergFamily(Chain(8)), 0.5)  # both dimer states are even
    assert "parity" not in str(caught.value)


def test_one_state_alone_has_nothing_to_change_into():
    found = exact_susceptibility(HeisenbergFamily(Chain(4), magnetization=4), 0.3)
    assert found.chi.tolist() == [[[0.0]]]


def test_pictures_and_tables():
    found = exact_susceptibility(IsingFamily(Chain(6)), [1.0, 0.5])
    assert found.plot().lines[0].get_xdata().tolist() == [0.5, 1.0]
    assert "changes fastest at field = 1" in found.verdict
    both = exact_susceptibility(IsingFamily(Chain(6), ("field", "interaction")), [[0.5, 1.0], [1.0, 1.0]])
    assert [line.get_label() for line in both.plot(per_site=False).lines] == [
        "largest eigenvalue",
        "field",
        "interaction",
    ]
    curve = transverse_ising_chain_exact(6, np.linspace(0.5, 1.5, 11))
    assert list(curve.pictures()) == ["susceptibility", "energy", "gap"]
    for kind in curve.pictures():
        assert len(curve.plot(kind=kind).lines[0].get_xdata()) == 11
