"""The network against the same formulas written as loops."""

from __future__ import annotations

import math

import numpy as np
import pytest

jax = pytest.importorskip("jax")

from infoscope.quantum.jax_precision import double_precision  # noqa: E402
from infoscope.quantum.network import (  # noqa: E402
    NetworkShape,
    as_parameters,
    as_vector,
    first_parameters,
    gelu,
    hidden_layers,
    log_amplitudes,
    log_cosh,
    n_parameters,
    parameter_shapes,
    rolled_places,
)

CHAIN = NetworkShape(((0, 1), (2, 3), (4, 5)), 1, False, 4, 2, 1, (3,))
SQUARE = NetworkShape(
    tuple(tuple(4 * (2 * i + a) + 2 * j + b for a in (0, 1) for b in (0, 1)) for i in (0, 1) for j in (0, 1)),
    2, False, 4, 2, 2, (2, 2), complex_amplitude=True, head_norm=True,
)  # fmt: skip
DISORDER = NetworkShape(((0, 1), (2, 3), (4, 5)), 6, True, 4, 2, 1, (3,))
SHARED = NetworkShape(((0, 1), (2, 3)), 4, True, 4, 2, 1, (), shared_embedding=True)


def evaluate(named, shape, spins, couplings):
    """Compiled: the plain functions would compile every operation apart."""
    with double_precision():
        return np.asarray(jax.jit(log_amplitudes, static_argnums=1)(named, shape, spins, couplings))


def by_loops(parameters, shape, spins, couplings):
    """One configuration, patch by patch and head by head."""

    def dense(name, x):
        return x @ parameters[f"{name}.kernel"] + parameters[f"{name}.bias"]

    def norm(name, x):
        return (x - x.mean()) / math.sqrt(x.var() + 1e-6) * parameters[f"{name}.scale"] + parameters[f"{name}.bias"]

    x = []
    for patch in shape.patches:
        if shape.per_site:
            other = "embedding.spins" if shape.shared_embedding else "embedding.couplings"
            x.append(np.r_[dense("embedding.spins", spins[list(patch)]), dense(other, couplings[list(patch)])])
        else:
            x.append(dense("embedding", np.r_[spins[list(patch)], couplings]))
    n, width = len(x), shape.d_model // shape.n_heads
    for i in range(shape.n_layers):
        values = [dense(f"block{i}.attention.value", norm(f"block{i}.norm1", one)) for one in x]
        weights = parameters[f"block{i}.attention.weights"]
        mixed = np.zeros((n, shape.d_model))
        for to in range(n):
            for source in range(n):
                for head in range(shape.n_heads):
                    if shape.grid:
                        a, b = np.unravel_index(to, shape.grid), np.unravel_index(source, shape.grid)
                        away = tuple((q - p) % side for p, q, side in zip(a, b, shape.grid, strict=True))
                        weight = weights[head].reshape(shape.grid)[away]
                    else:
                        weight = weights[head, to, source]
                    part = slice(head * width, (head + 1) * width)
                    mixed[to, part] += weight * values[source][part]
        x = [one + dense(f"block{i}.attention.output", more) for one, more in zip(x, mixed, strict=True)]
        for j, one in enumerate(x):
            hidden = dense(f"block{i}.hidden", norm(f"block{i}.norm2", one))
            hidden = 0.5 * hidden * (1 + np.tanh(math.sqrt(2 / math.pi) * (hidden + 0.044715 * hidden**3)))
            x[j] = one + dense(f"block{i}.output", hidden)
    z = norm("head.norm", np.sum(x, axis=0))
    u = dense("head.amplitude", z)
    u = norm("head.amplitude.norm", u) if shape.head_norm else u
    if shape.complex_amplitude:
        v = dense("head.phase", z)
        u = u + 1j * (norm("head.phase.norm", v) if shape.head_norm else v)
    return np.log(np.prod(np.cosh(u)))


@pytest.mark.parametrize("shape", [CHAIN, SQUARE, DISORDER, SHARED], ids=["chain", "square", "disorder", "shared"])
def test_amplitudes_are_those_of_loops(shape):
    rng = np.random.default_rng(3)
    theta = first_parameters(shape, rng) + 0.1 * rng.normal(size=n_parameters(shape))
    spins = rng.choice([-1.0, 1.0], (5, shape.n_sites))
    couplings = rng.normal(size=(5, shape.n_couplings))
    named = as_parameters(theta, shape)
    found = evaluate(named, shape, spins, couplings)
    by_hand = [by_loops(named, shape, s, c) for s, c in zip(spins, couplings, strict=True)]
    # phases are defined up to 2 pi
    np.testing.assert_allclose(np.exp(found), np.exp(by_hand), rtol=1e-10)


@pytest.mark.parametrize("shape", [CHAIN, SQUARE], ids=["chain", "square"])
def test_rolled_attention_knows_no_place(shape):
    rng = np.random.default_rng(0)
    theta = first_parameters(shape, rng)
    spins, couplings = rng.choice([-1.0, 1.0], (4, shape.n_sites)), rng.normal(size=(4, shape.n_couplings))
    grid = np.arange(shape.n_patches).reshape(shape.grid)
    moved = np.empty_like(spins)
    for to, source in zip(np.roll(grid, 1, axis=-1).ravel(), grid.ravel(), strict=True):
        moved[:, list(shape.patches[to])] = spins[:, list(shape.patches[source])]
    named = as_parameters(theta, shape)
    here, there = (evaluate(named, shape, s, couplings) for s in (spins, moved))
    np.testing.assert_allclose(here, there, rtol=1e-12)
    assert np.abs(here[0] - here[1]) > 1e-3  # it does tell configurations apart


def test_parameters_have_names_and_one_order():
    theta = first_parameters(CHAIN, np.random.default_rng(1))
    named = as_parameters(theta, CHAIN)
    assert {name: value.shape for name, value in named.items()} == parameter_shapes(CHAIN)
    np.testing.assert_array_equal(as_vector(named, CHAIN), theta)
    kernel = named["block0.hidden.kernel"]
    assert np.abs(kernel).max() <= math.sqrt(6 / sum(kernel.shape)) and not named["block0.hidden.bias"].any()
    assert (named["head.norm.scale"] == 1).all()


def test_number_of_parameters():
    # b=2, d=12, 4 heads, 2 layers, 5 patches, one coupling: counted by hand
    shape = NetworkShape(tuple((2 * i, 2 * i + 1) for i in range(5)), 1, False, 12, 4, 2, (5,))
    block = 2 * 24 + 4 * 5 + 2 * (144 + 12) + 12 * 48 + 48 + 48 * 12 + 12
    assert n_parameters(shape) == 3 * 12 + 12 + 2 * block + 24 + 144 + 12 == 3412


def test_functions_far_out():
    x = np.array([-800.0, -3.0, 0.0, 3.0, 800.0])
    with double_precision():
        np.testing.assert_allclose(gelu(x)[::2], [0, 0, 800])
        np.testing.assert_allclose(gelu(x)[1], -1.5 * (1 - np.tanh(math.sqrt(2 / math.pi) * (3 + 0.044715 * 27))))
        np.testing.assert_allclose(log_cosh(x)[::2], [800 - math.log(2), 0, 800 - math.log(2)], atol=1e-15)
        u = np.array([0.3 + 0.2j, -1.5 - 4j, 2j])
        np.testing.assert_allclose(np.exp(log_cosh(u)), np.cosh(u), rtol=1e-13)


def test_rolled_places_are_displacements():
    np.testing.assert_array_equal(rolled_places((3,)), [[0, 1, 2], [2, 0, 1], [1, 2, 0]])
    places = rolled_places((2, 3))
    assert places[0].tolist() == list(range(6)) and places[4, 0] == 5  # from (1, 1) to (0, 0): (-1, -1) is (1, 2)


def test_hidden_layers_are_pooled():
    spins = np.ones((2, 6))
    theta = as_parameters(first_parameters(CHAIN, np.random.default_rng(0)), CHAIN)
    with double_precision():
        (layer,) = jax.jit(hidden_layers, static_argnums=1)(theta, CHAIN, spins, np.zeros((2, 1)))
    assert layer.shape == (2, 4)
