"""One step of training against the same step written down, and what must not change it."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from scipy.optimize import brentq

jax = pytest.importorskip("jax")

from infoscope.quantum import Chain, HeisenbergFamily, IsingFamily, natural_gradient  # noqa: E402
from infoscope.quantum.exact_law import make_tables  # noqa: E402
from infoscope.quantum.jax_precision import double_precision  # noqa: E402
from infoscope.quantum.network import NetworkShape, first_parameters, n_parameters, parameter_shapes  # noqa: E402
from infoscope.quantum.signed_orbits import find_signed_orbits  # noqa: E402
from infoscope.quantum.symmetries import make_group  # noqa: E402
from infoscope.quantum.training_step import StepPlan, derivatives, exact_log_amplitudes, exact_step, take_step  # noqa: E402

PATCHES = ((0, 1), (2, 3), (4, 5))
ISING = NetworkShape(PATCHES, 1, False, 4, 2, 1, ())
COMPLEX = NetworkShape(PATCHES, 1, False, 4, 2, 1, (), complex_amplitude=True)
RATES = {"learning_rate": 0.05, "diag_shift": 1e-3, "momentum": 0.4}
COUPLINGS = np.array([[0.4], [0.9], [1.7]])


class Problem:
    """Six spins in three systems, all that a step takes."""

    def __init__(self, shape, n_rows=8, symmetries=None, **options):
        family = (
            IsingFamily(Chain(6)) if not shape.complex_amplitude else HeisenbergFamily(Chain(6), marshall_sign=False)
        )
        group = make_group({"spin_flip": 1} if symmetries is None else symmetries, family.lattice, 6)
        self.orbits = find_signed_orbits(6, group, family.magnetization)
        tables = make_tables(family.operator, self.orbits, group.images(self.orbits.spins), group.characters)
        self.tables, self.family = vars(tables), family
        rng = np.random.default_rng(5)
        self.theta = first_parameters(shape, rng) + 0.05 * rng.normal(size=n_parameters(shape))
        options = {"form": "dual", "trained": tuple(parameter_shapes(shape))} | options
        self.plan = StepPlan(shape, group.is_trivial, n_rows, **options)
        self.previous = 0.01 * rng.normal(size=self.plan.n_trained())
        scaled = (COUPLINGS - COUPLINGS.mean()) / COUPLINGS.std()
        self.systems = {"couplings": COUPLINGS, "scaled": scaled, "weights": np.array([0.2, 0.3, 0.5])}
        self.uniforms = np.array([0.3, 0.6, 0.1])

    def step(self, rates=None):
        with double_precision():
            found = exact_step(
                self.theta, self.previous, self.tables, self.systems, self.uniforms, rates or RATES, plan=self.plan
            )
            return [np.asarray(one) for one in found[:2]] + [{name: np.asarray(one) for name, one in found[2].items()}]

    def logs(self, theta=None):
        with double_precision():
            theta = self.theta if theta is None else theta
            return np.asarray(_logs(theta, self.tables, self.systems["scaled"], plan=self.plan))


_logs = jax.jit(exact_log_amplitudes, static_argnames="plan")


@pytest.mark.parametrize("shape", [ISING, COMPLEX], ids=["real", "complex"])
def test_a_step_is_what_it_is_made_of(shape):
    problem = Problem(shape)
    theta, update, report = problem.step()
    rows = report["rows"]
    logs, p = problem.logs(), []
    for one in logs:
        law = problem.orbits.counts * np.exp(2 * one.real)
        p.append(law / law.sum())
    # local energies by sparse matrices
    energies = []
    for one, (coupling,) in zip(logs, COUPLINGS, strict=True):
        psi = np.exp(one)[problem.orbits.orbit_of]
        matrix = problem.family.operator.matrix(np.array([coupling]), states=problem.orbits.states)
        at = np.searchsorted(problem.orbits.states, problem.orbits.numbers)
        energies.append(((matrix @ psi) / psi)[at])
    energies, p = np.array(energies), np.array(p)
    np.testing.assert_allclose(report["energies"], (p * energies).sum(1).real, rtol=1e-10)
    centred = energies - (p * energies).sum(1, keepdims=True)
    np.testing.assert_allclose(report["variances"], (p * np.abs(centred) ** 2).sum(1), rtol=1e-10)
    # derivatives by finite differences
    jacobian = np.empty((*logs.shape, len(problem.theta)), logs.dtype)
    for i in range(len(problem.theta)):
        shift = np.zeros(len(problem.theta))
        shift[i] = 1e-5
        jacobian[..., i] = (problem.logs(problem.theta + shift) - problem.logs(problem.theta - shift)) / 2e-5
    # the weights of the draws
    weights = []
    for k, drawn in enumerate(rows):
        c = brentq(lambda c, law=p[k]: np.minimum(law / c, 1).sum() - 8, 1e-12, 1)
        w = np.maximum(p[k][drawn], c)
        weights.append(problem.systems["weights"][k] * w / w.sum())
    system = np.repeat([0, 1, 2], 8)
    index = (system, rows.ravel())
    wanted = natural_gradient(
        jacobian[index], energies[index], system, diag_shift=1e-3, weights=np.ravel(weights), momentum=0.4,
        previous=problem.previous,
    )  # fmt: skip
    np.testing.assert_allclose(update, wanted.update, rtol=1e-4, atol=1e-6 * np.abs(wanted.update).max())
    np.testing.assert_allclose(theta, problem.theta - 0.05 * update, rtol=1e-12)


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        (ISING, {"chunk": 5}),
        (ISING, {"form": "primal"}),
        (COMPLEX, {"jacobian_bytes": 20_000, "chunk": 5}),
        (COMPLEX, {"form": "primal", "chunk": 3}),
    ],
    ids=["chunks", "primal", "complex, blocks of parameters in chunks", "complex, primal in chunks"],
)
def test_the_way_it_is_computed_changes_nothing(shape, options):
    wanted = Problem(shape).step()
    found = Problem(shape, **options).step()
    scale = np.abs(wanted[1]).max()
    np.testing.assert_allclose(found[1], wanted[1], atol=1e-10 * scale)
    np.testing.assert_allclose(found[0], wanted[0], atol=1e-10)


def test_a_constant_of_one_system_changes_nothing():
    problem = Problem(ISING)
    before = problem.step()[1]
    # a term that is a number: the coupling shifts all energies of its system
    shift = np.array([7.0, -3.0, 0.5])
    tables = dict(problem.tables)
    for name, value in (("targets", np.arange(len(problem.orbits))), ("coefficients", 1.0), ("couplings_of", 1)):
        column = np.broadcast_to(value, len(problem.orbits))[:, None].astype(tables[name].dtype)
        old = tables[name].copy()
        if name == "couplings_of":
            old[old == 1] = 2
        tables[name] = np.concatenate([old, column], axis=1)
    problem.tables = tables
    problem.systems["couplings"] = np.c_[COUPLINGS, shift]
    np.testing.assert_allclose(problem.step()[1], before, rtol=1e-9, atol=1e-12)


def test_only_some_parameters_move():
    names = tuple(name for name in parameter_shapes(ISING) if name.startswith("head."))
    problem = Problem(ISING, trained=names)
    theta, update, _ = problem.step()
    moved = theta != problem.theta
    assert len(update) == 4 + 4 + 16 + 4 == moved.sum() and moved[-28:].all()


def test_changed_rates_and_numbers_compile_nothing():
    problem = Problem(ISING)
    problem.step()
    compiled = exact_step._cache_size()
    problem.uniforms = np.array([0.1, 0.2, 0.9])
    problem.systems["couplings"] = COUPLINGS + 0.1
    problem.step({"learning_rate": 0.01, "diag_shift": 1e-5, "momentum": 0.0})
    assert exact_step._cache_size() == compiled


def test_small_eigenvalues_are_left_out_in_a_step_of_its_own():
    problem = Problem(ISING, form="primal")  # at most 21 of its eigenvalues are not rounding
    rates = RATES | {"diag_shift": 1e-40}
    theta, previous, report = problem.step(rates)
    assert report["truncated"] and (theta == problem.theta).all() and (previous == problem.previous).all()
    step = partial(exact_step, tables=problem.tables, systems=problem.systems, uniforms=problem.uniforms)
    with double_precision():
        theta, update, report = take_step(step, problem.theta, problem.previous, rates, problem.plan)
        theta, update = np.asarray(theta), np.asarray(update)
    assert report["truncated"] and float(report["diag_shift"]) == pytest.approx(1e-36)
    assert np.isfinite(update).all() and (update != problem.previous).any()
    np.testing.assert_allclose(theta, problem.theta - 0.05 * update, rtol=1e-12)


def test_float64_stays_inside():
    Problem(ISING).step()
    assert jax.numpy.ones(2).dtype == "float32" and not jax.config.jax_enable_x64
    assert jax.config.jax_compilation_cache_dir is None


def test_negative_amplitudes():
    """Odd under the spin flip: derivatives are real, the amplitude of the flipped spins is minus the other."""
    problem = Problem(ISING, symmetries={"spin_flip": -1})
    logs = problem.logs()
    assert logs.dtype == complex
    np.testing.assert_allclose(np.sin(logs.imag), 0, atol=1e-12)
    _, update, report = problem.step()
    assert np.isfinite(update).all()
    for k, (coupling,) in enumerate(COUPLINGS):
        psi = problem.orbits.signs * np.exp(logs[k])[problem.orbits.orbit_of]
        matrix = problem.family.operator.matrix(np.array([coupling]))
        assert report["energies"][k] == pytest.approx(((psi.conj() @ matrix @ psi) / (psi.conj() @ psi)).real)


def test_single_precision_networks():
    wanted, found = Problem(ISING).step(), Problem(ISING, single=True).step()
    np.testing.assert_allclose(found[2]["energies"], wanted[2]["energies"], rtol=1e-5)
    assert found[1].dtype == np.float64


def test_derivatives_of_rows():
    problem = Problem(COMPLEX)
    images = problem.tables["images"][:3]
    samples = {"images": images, "characters": problem.tables["characters"], "scaled": np.zeros((3, 1))}
    names = ("head.amplitude.bias",)
    with double_precision():
        found = jax.jit(derivatives, static_argnums=(2, 3))(problem.theta, samples, names, problem.plan)
    assert found.shape == (3, 2, 4)
