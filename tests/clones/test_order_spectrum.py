"""Losses of every order from data: intervals that hold the truth, orders that are not there, documents, bad input."""

import warnings

import numpy as np
import pytest
from tests.clones.laws import ladder_law
from tests.clones.test_markov import dirichlet_chain, draw_chain

from infoscope import exact_order_losses, markov_floors, order_spectrum
from infoscope.base import DataError, DataWarning, ParameterError
from infoscope.clones import enumerate_states
from infoscope.clones.documents import error_units, unit_means

STATES = enumerate_states(6, 2)


def ladder_data(n, seed):
    return STATES[np.random.default_rng(seed).choice(64, n, p=ladder_law())]


def truths(max_order=4):
    losses = exact_order_losses(ladder_law(), 6, 2).losses[:max_order]
    gains = -np.diff(losses)
    return dict(losses=losses, gains=gains, shares=gains / gains.sum())


def coverage(n_replicates, n, copies=1):
    """How often 95 % intervals hold the truth, and mean deviations in errors, by order."""
    held, away = {}, {}
    for seed in range(n_replicates):
        tokens = np.repeat(ladder_data(n, seed), copies, axis=0)
        run = None if copies == 1 else np.arange(n * copies) // copies
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)
            found = order_spectrum(tokens, 4, run=run)
        for name, truth in truths().items():
            low, high = found.interval(name)
            held.setdefault(name, []).append((low <= truth) & (truth <= high))
            away.setdefault(name, []).append((getattr(found, name) - truth) / getattr(found, f"{name}_se"))
    return {k: np.mean(v, axis=0) for k, v in held.items()}, {k: np.mean(v, axis=0) for k, v in away.items()}


@pytest.mark.slow
def test_intervals_hold_the_exact_losses_gains_and_shares():
    """40 data sets: a share of 0.95 is known to 0.034, a mean deviation to 0.16; four such errors are allowed."""
    held, away = coverage(40, 1500)
    for name in held:
        assert (held[name] >= 0.95 - 4 * 0.034).all(), name
        assert (np.abs(away[name]) < 4 * 0.16).all(), name


@pytest.mark.slow
@pytest.mark.parametrize(("n", "copies"), [(2000, 1), (1000, 1), (1000, 4)])
def test_intervals_over_many_data_sets(n, copies):
    """200 data sets, also in documents of four equal sequences: a share of 0.95 is known to 0.0154.

    At 40 independent sequences a parameter (n = 1000) shares are a little too sure, and held nine times in ten.
    """
    held, _ = coverage(200, n, copies)
    for name in held:
        expected = 0.95 if n >= 2000 else 0.91
        assert (held[name] >= expected - 4 * 0.0154).all(), (name, held[name])


def test_orders_that_tell_nothing_are_not_found():
    """Markov text: pairs reach the floor within 1 %, the third order adds nothing."""
    p = dirichlet_chain(4, seed=3)
    text = draw_chain(p, 20_000, 5, 0)  # the entropy of so much text is known to 0.7 %
    found = order_spectrum(text, 3)
    window = markov_floors(p, length=5).window
    exact = order_spectrum(text, 2, floor=window)
    assert found.losses[1] == pytest.approx(window, rel=0.01)
    assert abs(found.losses[1] - window) < 4 * found.losses_se[1]
    assert found.highest_order == 2 and found.p_values[1] > 0.05
    assert abs(found.gains[1]) < 4 * found.gains_se[1]
    assert abs(exact.shares[0] - 1) < 4 * exact.shares_se[0] + 1e-12
    assert "order 2" in found.verdict


def test_independent_tokens_tell_nothing_more_than_five_times_in_a_hundred():
    found = [order_spectrum(np.random.default_rng(s).integers(2, size=(300, 4)), 3).highest_order for s in range(60)]
    assert sum(order > 1 for order in found) <= 60 * 0.05 + 4 * np.sqrt(60 * 0.05 * 0.95)
    quiet = order_spectrum(np.random.default_rng(np.argmin(found)).integers(2, size=(300, 4)), 3)
    assert quiet.verdict.startswith("No order from 2 to 3")


def test_a_held_out_loss_is_above_and_the_loss_without_bias_below_it():
    found = order_spectrum(ladder_data(500, 0), 4)
    assert (found.held_out[2:] > found.losses[2:]).all()
    assert found.losses[0] == pytest.approx(found.held_out[0], abs=0.01)


def test_a_fit_is_that_of_counts_by_hand():
    """Order 1: the entropy of the frequencies, and 1/2n, by which it is too low on average."""
    tokens = ladder_data(400, 1)
    found = order_spectrum(tokens, 1)
    p = tokens.mean(0)
    entropy = -(p * np.log(p) + (1 - p) * np.log(1 - p)).mean()
    assert found.losses[0] == pytest.approx(entropy + 1 / 800, abs=1e-4)
    assert found.shares.shape == (0,) and found.highest_order == 1


def test_copies_in_documents_widen_errors_and_change_nothing_else():
    once, tokens = order_spectrum(ladder_data(600, 2), 3), np.repeat(ladder_data(600, 2), 4, axis=0)
    documents = order_spectrum(tokens, 3, run=np.arange(2400) // 4)
    assert documents.n_units == 600
    np.testing.assert_allclose(documents.losses_se, once.losses_se, rtol=0.1)
    np.testing.assert_allclose(documents.losses, once.losses, atol=0.01)
    with pytest.warns(DataWarning, match="pass run="):
        assert (order_spectrum(tokens, 3).losses_se < 0.6 * documents.losses_se).all()


def test_few_documents_are_cut_into_stretches():
    tokens = ladder_data(400, 3)
    found = order_spectrum(tokens, 2, run=np.arange(400) // 100)
    assert 20 <= found.n_units <= 40 and "4 documents were cut" in found.notes[0]
    assert "the document was cut" in error_units(np.zeros(100), 100)[1]
    with pytest.raises(DataError, match="too few for an error"):
        order_spectrum(tokens[:30], 2, run=np.zeros(30))


def test_the_covariance_of_means_by_resampling():
    rng = np.random.default_rng(0)
    values, unit = (
        rng.normal(size=(300, 2)) + np.repeat(rng.normal(size=(60, 2)), 5, axis=0),
        np.repeat(np.arange(60), 5),
    )
    _, covariance = unit_means(values, unit)
    means = [values.reshape(60, 5, 2)[rng.integers(60, size=60)].mean((0, 1)) for _ in range(4000)]
    np.testing.assert_allclose(covariance, np.cov(np.array(means).T), rtol=0.15, atol=2e-4)  # 4000 draws: 2 %, 60 units


def test_constant_data():
    found = order_spectrum(np.zeros((100, 3), int), 2, n_tokens=3)
    assert (found.losses < 0.01).all() and found.highest_order == 1 and found.gains[0] == pytest.approx(0, abs=1e-9)


def test_the_answer_depends_on_the_seed_alone():
    tokens = ladder_data(300, 4)
    a, b, c = (order_spectrum(tokens, 3, random_state=s) for s in (0, 0, 1))
    np.testing.assert_array_equal(a.losses, b.losses)
    assert (np.abs(a.losses - c.losses) < a.losses_se).all() and (a.losses[1:] != c.losses[1:]).any()


def test_too_few_sequences_a_parameter_are_said():
    with pytest.warns(DataWarning, match="order 3 has 16 parameters a site, and 100 independent sequences.*it gains"):
        found = order_spectrum(ladder_data(100, 5), 3)
    assert found.warnings


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        (dict(tokens=np.zeros((1, 4), int)), DataError, "hold 1 sequences, and at least 20"),
        (dict(tokens=np.zeros((30, 1), int)), DataError, "1 site"),
        (dict(tokens=np.zeros((30, 4), int), n_tokens=None), DataError, "all tokens are 0"),
        (dict(tokens=np.full((30, 4), 7)), DataError, "holds token 7"),
        (dict(tokens=np.full((30, 4), -1)), DataError, "start at 0"),
        (dict(tokens=np.zeros((30, 4))), DataError, "not whole numbers"),
        (dict(max_order=5), ParameterError, "max_order is 5, but sequences have 4 sites"),
        (dict(max_order=0), ParameterError, "at least 1"),
        (dict(n_tokens=1), ParameterError, "at least 2"),
        (dict(run=np.zeros(7)), DataError, "one label for each"),
        (dict(n_folds=1), ParameterError, "n_folds must be at least 2"),
        (dict(n_folds=50), DataError, "there are 30 independent"),
        (dict(floor=-0.1), ParameterError, "floor"),
    ],
)
def test_bad_input(change, error, text):
    tokens = np.random.default_rng(0).integers(2, size=(30, 4))
    with pytest.raises(error, match=text):
        order_spectrum(**dict(tokens=tokens, n_tokens=2) | change)


def test_fits_that_are_too_large_say_what_to_use_instead():
    tokens = np.random.default_rng(0).integers(60, size=(3000, 12))
    with pytest.raises(ParameterError, match="InteractionModel"):
        order_spectrum(tokens, 3)
