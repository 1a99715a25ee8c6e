"""Targets: every way to write one gives the same numbers; what is wrong at the start is said."""

import threading
import time
import warnings

import numpy as np
import pytest

from infoscope.base import DataError, InfoscopeWarning, ParameterError
from infoscope.sampling import Potential, Target, as_target
from infoscope.sampling.targets import check_start, gradient_error

X = np.random.default_rng(0).normal(size=(5, 3))


def energy(x):
    return (x**4).sum(-1) + x[..., 0] * x[..., 1]


def gradient(x):
    found = 4 * x**3
    found[..., 0] += x[..., 1]
    found[..., 1] += x[..., 0]
    return found


def both(x):
    return energy(x), gradient(x)


def test_every_way_to_write_a_target():
    right = energy(X) / 2.5, gradient(X) / 2.5
    ways = [
        Target(energy, gradient, n_coordinates=3, kT=2.5),
        Target(both, True, n_coordinates=3, kT=2.5),
        Target(energy, gradient, n_coordinates=3, kT=2.5, vectorized=False, n_jobs=2),
        Target(both, True, n_coordinates=3, kT=2.5, vectorized=False, n_jobs=1),
    ]
    for target in ways:
        assert isinstance(target, Potential) and as_target(target) is target
        np.testing.assert_array_equal(target.energy(X), right[0])
        for found, value in zip(target.energy_and_gradient(X), right, strict=True):
            np.testing.assert_array_equal(found, value)
            assert found.dtype == np.float64


def test_torch_targets():
    pytest.importorskip("torch")
    ways = [
        Target(energy, n_coordinates=3, backend="torch"),
        Target(energy, n_coordinates=3, backend="torch", vectorized=False),
        Target(
            energy, lambda x: 4 * x**3 + x[:, [1, 0, 2]] * x.new_tensor([1, 1, 0]), n_coordinates=3, backend="torch"
        ),
    ]
    for target in ways:
        np.testing.assert_allclose(target.energy(X), energy(X), rtol=1e-14)
        found = target.energy_and_gradient(X)
        np.testing.assert_allclose(found[0], energy(X), rtol=1e-14)
        np.testing.assert_allclose(found[1], gradient(X), rtol=1e-13, atol=1e-15)


def test_wrong_shapes_tell_the_right_one():
    for wrong in (lambda x: x.sum(), lambda x: x[:, :1], lambda x: x):
        with pytest.raises(DataError, match=r"energy returns shape .*expected \(5,\).*vectorized=False"):
            Target(wrong, gradient, n_coordinates=3).energy(X)
    with pytest.raises(DataError, match=r"gradient returns shape \(3, 5\).*expected \(5, 3\)"):
        Target(energy, lambda x: x.T, n_coordinates=3).energy_and_gradient(X)
    with pytest.raises(DataError, match=r"asked one by one: expected \(5,\)"):
        Target(lambda x: x, gradient, n_coordinates=3, vectorized=False).energy(X)


def test_torch_energies_may_work_in_place_and_must_be_followed():
    pytest.importorskip("torch")
    x = np.arange(6.0).reshape(2, 3)
    in_place = Target(lambda x: x.mul_(2.0).square().sum(1), n_coordinates=3, backend="torch")
    np.testing.assert_allclose(in_place.energy_and_gradient(x)[1], 8 * x)  # of 4 x^2
    for lost in (lambda x: x.detach().sum(1), lambda x: 1.0):
        with pytest.raises(DataError, match=r"without detach\(\) or NumPy, or pass gradient="):
            Target(lost, n_coordinates=3, backend="torch").energy_and_gradient(x)


@pytest.mark.parametrize("vectorized", [True, False])
@pytest.mark.parametrize(
    ("energy", "gradient", "message"),
    [
        (lambda x: x.sum(-1), True, "returns the pair"),
        (lambda x: (x.sum(-1), x, 1), True, "a tuple of 3"),
        (lambda x: (x.sum(-1), x), lambda x: x, "pass gradient=True where energy returns both"),
        (lambda x: [[1], [1, 2]], lambda x: x, "energy returns a list of 2, and real numbers"),
        (lambda x: None, lambda x: x, "energy returns a NoneType, and real numbers"),
        (lambda x: x.sum(-1) + 0j, lambda x: x, "energy returns an array of complex128"),
        (lambda x: x.sum(-1), lambda x: x.astype(str), "gradient returns an array of <U"),
    ],
)
def test_answers_that_are_no_numbers_are_named(energy, gradient, message, vectorized):
    target = Target(energy, gradient, n_coordinates=3, vectorized=vectorized, n_jobs=1)
    with pytest.raises(DataError, match=message):
        target.energy_and_gradient(np.ones((4, 3)))


def test_one_by_one_is_on_threads_only_where_a_call_is_slow(monkeypatch):
    """Plain Python holds the interpreter: quick functions stay in the caller's thread, and the numbers are the same."""
    from infoscope.sampling import targets

    here, seen = threading.get_ident(), []

    def energy(x):
        seen.append(threading.get_ident())
        time.sleep(0.01)  # so that no thread does all of it
        return float((x**2).sum())

    x, found = np.arange(24.0).reshape(8, 3), []
    for slow, threads in ((10.0, {here}), (0.005, None)):
        monkeypatch.setattr(targets, "WORTH_A_THREAD", slow)
        target = Target(energy, lambda x: 2 * x, n_coordinates=3, vectorized=False, n_jobs=2)
        seen.clear()
        found.append(target.energy(x))
        assert len(seen) == 8 and (set(seen) == threads if threads else len(set(seen)) > 1)
    np.testing.assert_array_equal(found[0], (x**2).sum(1))
    np.testing.assert_array_equal(found[0], found[1])
    assert Target(energy, lambda x: 2 * x, n_coordinates=3, vectorized=False).energy(x[:0]).shape == (0,)
    with pytest.raises(ParameterError, match="n_jobs=0 means no thread at all"):
        Target(energy, lambda x: 2 * x, n_coordinates=3, n_jobs=0)


def test_wrong_arguments():
    with pytest.raises(ParameterError, match="pass gradient="):
        Target(energy, n_coordinates=3)
    with pytest.raises(ParameterError, match="functions of configurations"):
        Target(3.0, gradient, n_coordinates=3)
    with pytest.raises(ParameterError, match="kT"):
        Target(energy, gradient, n_coordinates=3, kT=0)
    with pytest.raises(ParameterError, match="kT is '1': give a positive number"):
        Target(energy, gradient, n_coordinates=3, kT="1")
    with pytest.raises(ParameterError, match="vectorized is 'no'"):
        Target(energy, gradient, n_coordinates=3, vectorized="no")
    with pytest.raises(ParameterError, match="backend"):
        Target(energy, gradient, n_coordinates=3, backend="jax")
    with pytest.raises(ParameterError, match="n_coordinates"):
        Target(energy, gradient, n_coordinates=0)
    with pytest.raises(ParameterError, match=r"wrap it: Target\("):
        as_target(energy)
    with pytest.raises(ParameterError, match="energy_and_gradient"):
        as_target("a file")


def test_a_start_that_is_not_finite_is_named():
    target = Target(lambda x: np.log(x).sum(1), lambda x: 1 / x, n_coordinates=3)
    x = np.ones((4, 3))
    x[2, 1] = -1
    with np.errstate(all="ignore"), pytest.raises(DataError, match="chain 2 is nan"):
        check_start(target, x)
    steep = Target(lambda x: np.zeros(len(x)), lambda x: np.where(x == 7, np.inf, x), n_coordinates=3)
    x = np.ones((4, 3))
    x[3, 2] = 7
    with pytest.raises(DataError, match="gradient at the start of chain 3 is inf for coordinate 2"):
        check_start(steep, x)
    with pytest.raises(DataError, match=r"row 1, column 0"):
        check_start(target, [[1, 2, 3], [np.nan, 1, 1]])
    with pytest.raises(DataError, match="4 columns.*3 coordinates"):
        check_start(target, np.ones((2, 4)))


def test_a_wrong_gradient_warns_and_a_right_one_does_not():
    """The published polymer force was 0.769 of the gradient; offsets, steep walls and minima are no reason to warn."""
    wrong = Target(energy, lambda x: 0.769 * gradient(x), n_coordinates=3)
    with pytest.warns(InfoscopeWarning, match="not that of the energy"):
        check_start(wrong, X)
    for shift, scale, place in (
        (0.0, 1.0, X),
        (1e6, 1.0, X),
        (0.0, 1e8, X),
        (3.0, 1.0, np.zeros((1, 3))),
        (0, 1, 50 * X),
    ):
        right = Target(
            lambda x, a=shift, b=scale: a + b * energy(x), lambda x, b=scale: b * gradient(x), n_coordinates=3
        )
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            check_start(right, place)
    one_of_many = Target(energy, lambda x: gradient(x) * [1, 1, 1.01], n_coordinates=3)
    assert gradient_error(one_of_many, X) > 1e-4


def test_float32_energies_of_many_coordinates_warn_once():
    target = Target(lambda x: (x**2).sum(1).astype(np.float32), lambda x: 2 * x, n_coordinates=1001)
    with pytest.warns(InfoscopeWarning, match="float32") as caught:
        target.energy(np.ones((2, 1001)))
        target.energy(np.ones((2, 1001)))
    assert len(caught) == 1
    few = Target(lambda x: (x**2).sum(1).astype(np.float32), lambda x: 2 * x, n_coordinates=10)
    assert few.energy(np.ones((2, 10))).dtype == np.float64


def test_functions_that_change_their_argument_change_nothing_else():
    def rude(x):
        x *= x
        return x.sum(-1) / 2

    x = X.copy()
    for vectorized in (True, False):
        target = Target(rude, lambda x: 1 * x, n_coordinates=3, vectorized=vectorized, n_jobs=1)
        np.testing.assert_allclose(target.energy(x), (X**2).sum(1) / 2)
        energy, gradient = target.energy_and_gradient(x)
        np.testing.assert_allclose(energy, (X**2).sum(1) / 2)
        np.testing.assert_array_equal(gradient, X)
        np.testing.assert_array_equal(x, X)
