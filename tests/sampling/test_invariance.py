"""The self test passes what is right, in every embedding and kernel, and fails what is wrong."""

import numpy as np
import pytest
from tests.sampling.test_global_move import _Engine, _NoCoin, _NoTest, _Ring
from tests.sampling.test_rigid import Bent, SixSteps, WithoutEndTerm
from tests.sampling.toys import Funnel, Mixture

from infoscope.base import DataError, ParameterError
from infoscope.sampling import (
    FunctionVariables,
    RigidEmbedding,
    SoftEmbedding,
    SubsetEmbedding,
    Target,
    check_invariance,
)

FUNNEL = Funnel()
START = FUNNEL.draw(1200, np.random.default_rng(0))


@pytest.mark.parametrize(
    "options",
    [
        dict(),
        dict(friction=1.0, schedule="cosine", masses=[1.0, 2.0]),
        dict(path="asym"),
        dict(path="sym_mala"),
        dict(path="coin_ula"),
        dict(embedding="soft"),
        dict(embedding="rigid", friction=0.5),
    ],
    ids=lambda options: "-".join(map(str, options.values())) or "plain",
)
def test_right_moves_pass(options):
    found = check_invariance(FUNNEL.target, FUNNEL.variables, START[:500], random_state=1, n_moves=2, **options)
    assert found.passed, str(found)
    assert found.position_error < 1e-9 and found.work_error < 1e-9
    assert found.gradient_error < 1e-6 and found.variables_error < 1e-6
    assert found.acceptance_rate > 0.05 and 0.05 < found.moved <= 1
    assert np.isnan(found.engine_error) and "leave the law as it is" in found.verdict


def test_periodic_variables_pass():
    ring = _Ring()
    x = ring.draw(800, np.random.default_rng(0))
    for embedding in ("subset", "soft"):
        found = check_invariance(ring.target, ring.variables, x, embedding=embedding, random_state=0)
        assert found.passed and found.observables[1:3] == ("sin x0", "cos x0") and found.acceptance_rate > 0.1


WRONG = {
    "no coin": (_NoCoin, dict(path="coin_ula", step=1.0, step_length=1.0, n_moves=5)),
    "untested steps": (_NoTest, dict(path="sym_mala", step=0.6, step_length=1.0, n_moves=3)),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_moves_fail(wrong):
    kind, options = WRONG[wrong]
    options = options | dict(proposal=Mixture([-1, 1], [0.5, 0.5]), random_state=0)
    found = check_invariance(
        FUNNEL.target, FUNNEL.variables, START, embedding=kind(FUNNEL.target, FUNNEL.variables), **options
    )
    assert not found.passed and found.p_value < 1e-4 and "change the law of" in found.verdict
    right = check_invariance(FUNNEL.target, FUNNEL.variables, START, **options)
    assert right.passed


@pytest.mark.slow
def test_the_missing_end_term_fails():
    bent = Bent()
    x, found = bent.draw(20_000, np.random.default_rng(0)), {}
    for kind in (SixSteps, WithoutEndTerm):
        found[kind] = check_invariance(
            bent.target, bent.variables, x, embedding=kind(bent.target, bent.variables), step=0.3, step_length=0.3,
            proposal=Mixture([-1, 1.2], [0.5, 0.8]), n_moves=5, random_state=0,
        )  # fmt: skip
    assert found[SixSteps].passed and not found[WithoutEndTerm].passed


class _Drifting(_Engine):
    """An engine that takes out the motion of the centre, as a CMMotionRemover would."""

    def drag(self, variables, x, z, way, momenta, **options):
        return super().drag(variables, x, z, way, momenta - momenta.mean(1, keepdims=True), **options)


@pytest.mark.parametrize("kappa", [None, 20.0])
def test_engines_that_do_something_else_fail(kappa):
    for kind, passes in ((_Engine, True), (_Drifting, False)):
        engine = kind()
        found = check_invariance(
            engine,
            FUNNEL.variables,
            START[:25],
            embedding="subset" if kappa is None else "soft",
            kappa=kappa,
            n_moves=1,
            random_state=0,
        )
        assert (found.engine_error < 1e-10) == passes and found.passed == passes
        assert passes or "own engine leads elsewhere" in found.verdict


def test_noisy_energies_do_not_go_back():
    """Energies with a memory, as of a neighbour list that is renewed now and then: the works of the two ways differ."""
    count = [0]

    def energy(x):
        count[0] += 1
        return (x**2).sum(1) / 2 + 1e-4 * (count[0] % 3)

    found = check_invariance(
        Target(energy, lambda x: x, n_coordinates=3), FUNNEL.variables, START[:100], random_state=0
    )
    assert not found.passed and found.work_error > 1e-8 and "do not go back" in found.verdict


def test_wrong_gradients_pass_and_are_said():
    target = Target(FUNNEL.target.energy, lambda x: 0.769 * FUNNEL.target.energy_and_gradient(x)[1], n_coordinates=3)
    found = check_invariance(target, FUNNEL.variables, START, random_state=0)
    assert found.passed and 0.1 < found.gradient_error < 1
    assert "A gradient is wrong, which costs acceptance only" in found.verdict
    bent = Bent()
    wrong = FunctionVariables(bent.variables.values, lambda x: 1.1 * bent.variables.jacobian(x))
    found = check_invariance(bent.target, wrong, bent.draw(200, np.random.default_rng(1)), random_state=0)
    assert found.passed and found.variables_error > 0.05


def test_a_law_that_is_not_the_target_is_seen():
    """Configurations that are not in equilibrium: the last check is of what it was given."""
    found = check_invariance(FUNNEL.target, FUNNEL.variables, 0.5 * START, random_state=0)
    assert not found.passed


def test_observables_of_the_user():
    found = check_invariance(
        FUNNEL.target, FUNNEL.variables, START[:300], observables=lambda x: x[:, :2] > 0, random_state=0
    )
    assert found.observables == ("observable 0", "observable 1") and found.p_values.shape == (2,)
    with pytest.raises(ParameterError, match=r"observables returns shape \(300,\)"):
        check_invariance(FUNNEL.target, FUNNEL.variables, START[:300], observables=lambda x: x[:, 0])


def test_too_little_to_tell():
    found = check_invariance(FUNNEL.target, FUNNEL.variables, START[:5], random_state=0)
    assert found.passed and np.isnan(found.p_value) and "too little moved" in found.verdict


def test_same_seed_same_answer():
    a, b = (check_invariance(FUNNEL.target, FUNNEL.variables, START[:100], random_state=3) for _ in range(2))
    np.testing.assert_array_equal(a.p_values, b.p_values)
    assert a.mean_exp == b.mean_exp and a.mean_exp_se > 0


def test_bad_input():
    with pytest.raises(DataError, match="variable 0 has the same value"):
        check_invariance(FUNNEL.target, FUNNEL.variables, np.ones((10, 3)))
    with pytest.raises(ParameterError, match="embedding"):
        check_invariance(FUNNEL.target, FUNNEL.variables, START[:10], embedding="hard")
    with pytest.raises(ParameterError, match="path"):
        check_invariance(FUNNEL.target, FUNNEL.variables, START[:10], path="hmc")
    for kind in (SubsetEmbedding, RigidEmbedding):
        found = check_invariance(
            FUNNEL.target, FUNNEL.variables, START[:30], embedding=kind(FUNNEL.target, FUNNEL.variables), n_moves=1
        )
        assert found.embedding == ("subset" if kind is SubsetEmbedding else "rigid")
    soft = SoftEmbedding(FUNNEL.target, FUNNEL.variables, kappa=3.0)
    assert check_invariance(FUNNEL.target, FUNNEL.variables, START[:30], embedding=soft, n_moves=1).embedding == "soft"
