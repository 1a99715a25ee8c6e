"""Markov chains against the law they sample, and local energies against sparse matrices."""

from __future__ import annotations

import numpy as np
import pytest

from infoscope.base import ParameterError
from infoscope.quantum import (
    Chain,
    CustomFamily,
    FoundationQuantumState,
    HeisenbergFamily,
    IsingFamily,
    numbers_of,
    spins_of,
)

jax = pytest.importorskip("jax")

from infoscope.quantum import chain_rows  # noqa: E402
from infoscope.quantum.chain_rows import group_arrays  # noqa: E402
from infoscope.quantum.jax_precision import double_precision  # noqa: E402
from infoscope.quantum.local_energies import local_energies, operator_arrays  # noqa: E402
from infoscope.quantum.metropolis import chain_log_amplitudes, first_chains, key_of  # noqa: E402
from infoscope.quantum.network import NetworkShape, first_parameters, parameter_shapes  # noqa: E402
from infoscope.quantum.symmetries import make_group  # noqa: E402
from infoscope.quantum.training_step import StepPlan  # noqa: E402

SHAPE = NetworkShape(((0, 1), (2, 3)), 1, False, 4, 2, 1, (), complex_amplitude=True)
SMALL = {"d_model": 4, "n_heads": 2, "n_layers": 1, "random_state": 0, "sampler": "metropolis"}


@pytest.mark.parametrize(
    "family",
    [
        IsingFamily(Chain(4)),
        HeisenbergFamily(Chain(4), magnetization=2),
        CustomFamily(4, [("Z0 Y1 X2", 0.4, "a"), ("X0 X3", -1.0), ("Y2", 0.3, "a"), ("Z1", 0.2)]),
    ],
    ids=["field", "exchange", "complex"],
)
def test_local_energies_are_those_of_the_matrix(family):
    theta = first_parameters(SHAPE, np.random.default_rng(0)) * 1.5
    states = family.configurations()
    spins, m = spins_of(states, 4), len(states)
    group = make_group({}, family.lattice, 4)
    plan = StepPlan(SHAPE, True, 1, "dual", tuple(parameter_shapes(SHAPE)), chunk=5)
    coupling, scaled = np.full((m, 1), 0.7), np.zeros((m, 1))

    @jax.jit
    def both(spins, coupling, scaled, operator, group):
        logs = chain_log_amplitudes(theta, spins, scaled, group, plan)
        return logs, local_energies(theta, spins, logs, coupling, scaled, operator, group, plan)

    with double_precision():
        arrays = operator_arrays(family.operator), group_arrays(group)
        logs, found = (np.asarray(one) for one in both(spins, coupling, scaled, *arrays))
    psi = np.exp(logs)
    np.testing.assert_allclose(found, family.operator.matrix([0.7], states=states) @ psi / psi, rtol=1e-11)


def train(family, couplings, **changes):
    return FoundationQuantumState(family, **{**SMALL, "n_iter": 2, "n_samples": 64, **changes}).fit(couplings)


@pytest.mark.parametrize(
    "family",
    [
        pytest.param(IsingFamily(Chain(4)), marks=pytest.mark.slow),
        HeisenbergFamily(Chain(4)),
        pytest.param(HeisenbergFamily(Chain(4), magnetization=2), marks=pytest.mark.slow),
    ],
)
def test_chains_sample_the_law(family):
    state = train(family, [[0.5], [0.9]])
    states = family.configurations()
    logs = state.log_amplitude(spins_of(states, 4), 0.5)
    p = np.exp(2 * logs.real)
    p /= p.sum()
    n = 64 * 400
    found = state.sample(0.5, n, random_state=0)
    assert found.spins.shape == (64, 400, 4) and not found.exact and 0.1 < found.acceptance <= 1
    shares = np.array([(numbers_of(found.spins.reshape(-1, 4)) == one).mean() for one in states])
    # a sweep between draws: correlation times of a few draws at most, so at least n / 10 independent ones; 5 sigma
    assert (np.abs(shares - p) < 5 * np.sqrt(10 * p * (1 - p) / n)).all()
    np.testing.assert_allclose(
        np.exp(found.log_amplitudes[3, :9]), np.exp(state.log_amplitude(found.spins[3, :9], 0.5)), rtol=1e-10
    )


@pytest.mark.slow
def test_training_on_chains_lowers_the_energy():
    family = IsingFamily(Chain(4))
    state = train(family, [[0.5], [1.5]], n_iter=60, n_samples=128)
    exact = [np.linalg.eigvalsh(family.operator.matrix([h]).toarray())[0] for h in (0.5, 1.5)]
    # exact energies are bounds for the mean; samples scatter by sqrt(variance / rows), the variance is that of the end
    error = np.abs(state.history_["energies"][-10:].mean(axis=0) / exact - 1)
    assert (error < 5e-3).all()
    assert state.history_["acceptance"].shape == (60,)


def test_chains_and_chunks_and_files_change_nothing(tmp_path):
    family, options = HeisenbergFamily(Chain(4), marshall_sign=False), {"n_iter": 4, "n_chains": 16}
    wanted = train(family, [[0.1], [0.3]], **options)
    other = train(family, [[0.1], [0.3]], chunk_size=7, **options)
    np.testing.assert_allclose(other.parameters_, wanted.parameters_, atol=1e-10)
    path = tmp_path / "run.npz"
    train(family, [[0.1], [0.3]], **options).fit([[0.1], [0.3]], checkpoint=path)
    again = FoundationQuantumState(family, **{**SMALL, "n_samples": 64, **options})
    again.fit([[0.1], [0.3]], checkpoint=path, resume=True)
    np.testing.assert_array_equal(again.parameters_, wanted.parameters_)


def test_chains_of_a_system_burn_in_when_it_is_first_looked_at(monkeypatch):
    left_out, step = [], chain_rows.chain_step

    def watched(*args, n_left_out, **options):
        left_out.append(n_left_out)
        return step(*args, n_left_out=n_left_out, **options)

    monkeypatch.setattr(chain_rows, "chain_step", watched)
    before = step._cache_size()
    state = train(IsingFamily(Chain(4)), [[0.5], [0.9], [1.5]], n_iter=8, systems_per_step=1, n_samples=16)
    looked_at = state.history_["systems"].ravel().tolist()
    assert set(looked_at) == {0, 1, 2}
    assert left_out == [0 if k in looked_at[:n] else chain_rows.BURN_IN for n, k in enumerate(looked_at)]
    assert step._cache_size() == before + 1  # a burn-in compiles nothing


def test_a_burn_in_is_what_more_draws_would_be():
    family = IsingFamily(Chain(4))
    group, plan = make_group({}, family.lattice, 4), StepPlan(SHAPE, True, 1, "dual", ())
    theta = first_parameters(SHAPE, np.random.default_rng(0))
    start = first_chains(5, 4, None, np.random.default_rng(1))

    def drawn(n_left_out, n_draws):
        with double_precision():
            return chain_rows._sample(
                theta, start, np.zeros((5, 1)), group_arrays(group), key_of(0, 0), n_left_out,
                plan=plan, n_draws=n_draws, n_moves=3, exchange=False, all_flip=True,
            )  # fmt: skip

    last, spins, logs, acceptance = drawn(4, 3)
    np.testing.assert_array_equal(spins[:, -1], last)
    for found, whole in zip((last, spins, logs, acceptance), drawn(0, 7), strict=True):
        np.testing.assert_array_equal(found, whole[:, 4:] if whole.ndim > 1 and whole.shape[1] == 7 else whole)


def test_starts_and_keys():
    rng = np.random.default_rng(0)
    assert (first_chains(9, 6, 2, rng).sum(axis=1) == 2).all()
    assert set(np.unique(first_chains(9, 6, None, rng))) == {-1, 1}
    assert (key_of(1, 2) == key_of(1, 2)).all() and (key_of(1, 2) != key_of(1, 3)).any()


@pytest.mark.parametrize(
    ("n_chains", "text"),
    [
        (5, "n_chains is 5 for 2 systems"),
        (10, "n_samples is 64, 32 rows for each of 2 systems, and n_chains gives each 5"),
    ],
)
def test_chains_that_do_not_share_out(n_chains, text):
    with pytest.raises(ParameterError, match=text):
        train(IsingFamily(Chain(4)), [[0.5], [0.9]], n_chains=n_chains)
