"""Natural gradients against their definition, and what must not change them."""

from __future__ import annotations

import numpy as np
import pytest

from infoscope.base import DataError, ParameterError
from infoscope.quantum import natural_gradient

pytest.importorskip("jax")

SYSTEM = np.repeat([0, 1, 2], 5)


def rows(complex_rows=False, n_parameters=7, seed=0):
    rng = np.random.default_rng(seed)
    jacobian, energies = rng.normal(size=(15, n_parameters)), rng.normal(size=15)
    if complex_rows:
        return jacobian + 1j * rng.normal(size=jacobian.shape), energies + 1j * rng.normal(size=15)
    return jacobian, energies


def by_definition(jacobian, energies, system, weights, shift):
    """Sums over systems of covariances, as they are defined."""
    metric, force = 0, 0
    for k in np.unique(system):
        here = system == k
        w = weights[here] / weights[here].sum()
        o, e = jacobian[here] - w @ jacobian[here], energies[here] - w @ energies[here]
        share = weights[here].sum() / weights.sum()
        metric = metric + share * (o.conj().T * w) @ o
        force = force + share * 2 * (o.conj().T * w) @ e
    return np.linalg.solve(metric.real + shift * np.eye(jacobian.shape[1]), force.real)


@pytest.mark.parametrize("complex_rows", [False, True])
@pytest.mark.parametrize("form", ["primal", "dual"])
def test_it_is_its_definition(form, complex_rows):
    jacobian, energies = rows(complex_rows)
    weights = np.random.default_rng(1).uniform(0.1, 1, 15)
    found = natural_gradient(jacobian, energies, SYSTEM, diag_shift=0.03, form=form, weights=weights)
    np.testing.assert_allclose(found.update, by_definition(jacobian, energies, SYSTEM, weights, 0.03), rtol=1e-9)
    assert found.diag_shift == 0.03 and not found.truncated and found.form == form


@pytest.mark.parametrize("n_parameters", [7, 40])
@pytest.mark.parametrize("complex_rows", [False, True])
def test_dual_is_primal(complex_rows, n_parameters):
    jacobian, energies = rows(complex_rows, n_parameters)
    both = [
        natural_gradient(jacobian, energies, SYSTEM, diag_shift=1e-3, form=form).update for form in ("primal", "dual")
    ]
    np.testing.assert_allclose(*both, atol=1e-10 * np.abs(both[0]).max())
    smaller = "dual" if n_parameters > 15 * (1 + complex_rows) else "primal"
    assert natural_gradient(jacobian, energies, SYSTEM, diag_shift=1e-3).form == smaller


def test_a_constant_of_one_system_changes_nothing_and_a_common_mean_would():
    jacobian, energies = rows()
    jacobian = jacobian + 3.0 * SYSTEM[:, None]  # systems differ
    before = natural_gradient(jacobian, energies, SYSTEM, diag_shift=0.1).update
    moved = energies + np.array([0.0, 50.0, -20.0])[SYSTEM]
    np.testing.assert_allclose(natural_gradient(jacobian, moved, SYSTEM, diag_shift=0.1).update, before, atol=1e-10)
    common = natural_gradient(jacobian, energies, np.zeros(15, int), diag_shift=0.1).update
    common_moved = natural_gradient(jacobian, moved, np.zeros(15, int), diag_shift=0.1).update
    assert np.abs(common_moved - common).max() > 1.0  # the same rows, centred by the mean of all


def test_systems_weigh_the_same_however_many_rows_they_have():
    jacobian, energies = rows()
    system = np.r_[np.zeros(3, int), np.ones(12, int)]
    weights = np.where(system == 0, 1 / 3, 1 / 12)
    found = natural_gradient(jacobian, energies, system, diag_shift=0.1)
    np.testing.assert_allclose(found.update, by_definition(jacobian, energies, system, weights, 0.1), rtol=1e-9)


def test_one_system_is_ordinary_stochastic_reconfiguration():
    jacobian, energies = rows()
    metric = np.cov(jacobian.T, bias=True)
    force = 2 * ((jacobian - jacobian.mean(0)).T @ (energies - energies.mean())) / 15
    found = natural_gradient(jacobian, energies, np.zeros(15, int), diag_shift=0.1)
    np.testing.assert_allclose(found.update, np.linalg.solve(metric + 0.1 * np.eye(7), force), rtol=1e-9)


def test_a_row_of_weight_zero_is_not_there():
    jacobian, energies = rows()
    weights = np.ones(15)
    weights[4] = 0
    kept = np.arange(15) != 4
    with_it = natural_gradient(jacobian, energies, SYSTEM, diag_shift=0.1, weights=weights)
    without = natural_gradient(jacobian[kept], energies[kept], SYSTEM[kept], diag_shift=0.1, weights=weights[kept])
    np.testing.assert_allclose(with_it.update, without.update, rtol=1e-10)


@pytest.mark.parametrize("form", ["primal", "dual"])
def test_momentum(form):
    jacobian, energies = rows()
    previous = np.random.default_rng(2).normal(size=7)
    x = np.concatenate([jacobian[k == SYSTEM] - jacobian[k == SYSTEM].mean(0) for k in range(3)]) / np.sqrt(15)
    e = np.concatenate([energies[k == SYSTEM] - energies[k == SYSTEM].mean() for k in range(3)]) / np.sqrt(15)
    right = 2 * e - 0.6 * x @ previous
    wanted = x.T @ np.linalg.solve(x @ x.T + 0.1 * np.eye(15), right) + 0.6 * previous
    found = natural_gradient(jacobian, energies, SYSTEM, diag_shift=0.1, form=form, momentum=0.6, previous=previous)
    np.testing.assert_allclose(found.update, wanted, rtol=1e-9)


def test_the_shift_grows_until_the_matrix_is_positive():
    jacobian, energies = rows(n_parameters=3)
    scale = 1e6  # rounding of the matrix, of rank 3 in 15 dimensions, is far above the shift
    found = natural_gradient(scale * jacobian, energies, SYSTEM, diag_shift=1e-6, form="dual")
    assert found.diag_shift in 1e-6 * 10.0 ** np.arange(1, 5) and np.isfinite(found.update).all()


def test_small_eigenvalues_are_left_out_in_the_end():
    jacobian, energies = rows(n_parameters=3)
    scale = 1e8
    found = natural_gradient(scale * jacobian, energies, SYSTEM, diag_shift=1e-12, form="dual")
    assert found.truncated and found.diag_shift == pytest.approx(1e-8)
    wanted = natural_gradient(jacobian, energies, SYSTEM, diag_shift=1e-14, form="primal").update / scale
    np.testing.assert_allclose(found.update, wanted, rtol=1e-5)


@pytest.mark.parametrize(
    ("changes", "error", "text"),
    [
        ({"jacobian": np.ones(15)}, DataError, "jacobian has shape"),
        ({"local_energy": np.ones(14)}, DataError, "local_energy has shape"),
        ({"system": np.zeros(15)}, DataError, "system holds float64"),
        ({"system": np.r_[np.zeros(14, int), 1]}, DataError, "system 1 has one row"),
        ({"local_energy": np.r_[np.ones(14), np.nan]}, DataError, "local_energy is not finite in row 14"),
        ({"weights": -np.ones(15)}, DataError, "weights must be"),
        ({"previous": np.ones(3)}, DataError, "previous has shape"),
        ({"diag_shift": 0.0}, ParameterError, "diag_shift"),
        ({"momentum": 1.0}, ParameterError, "momentum is 1.0"),
        ({"form": "both"}, ParameterError, "form must be one of"),
    ],
)
def test_bad_input(changes, error, text):
    jacobian, energies = rows()
    given = {"jacobian": jacobian, "local_energy": energies, "system": SYSTEM, "diag_shift": 0.1} | changes
    first = [given.pop(name) for name in ("jacobian", "local_energy", "system")]
    with pytest.raises(error, match=text):
        natural_gradient(*first, **given)
