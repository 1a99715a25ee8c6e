"""Curves over tokens and controls: by hand, paired errors by replicates, planted answers."""

from dataclasses import replace

import numpy as np
import pytest

from infoscope import Space, information_imbalance
from infoscope.base import DataError, ParameterError
from infoscope.representations import (
    ControlledTokens,
    compare_layers,
    token_lag_imbalance,
    token_number_curve,
    window_asymmetry,
)


def two_forms(seed, n=80, tokens=6, noise=1.5):
    """Every token of both forms knows a little of the same; lists of unequal length, what is used at the end."""
    g = np.random.default_rng(seed)
    meaning = g.normal(size=(n, 1, 3))
    return [[x for x in meaning + noise * g.normal(size=(n, tokens, 3))] for _ in range(2)]


def test_points_are_pooled_by_hand():
    a, b = two_forms(0)
    a = [np.concatenate([np.full((i % 3, 3), 9.0), x]) for i, x in enumerate(a)]  # more tokens, in front
    found = token_number_curve(a, None, b, None, numbers=(1, 4, 6), k=2)
    for h, join in enumerate((np.ravel, lambda x: x.mean(0))):
        for i, number in enumerate((1, 4, 6)):
            x, y = (Space(np.array([join(one[-number:]) for one in side]), metric="cosine") for side in (a, b))
            one = information_imbalance(x, y, k=2)
            assert found.values[0, h, i] == pytest.approx(one.a_to_b, abs=1e-12)
            assert found.values[1, h, i] == pytest.approx(one.b_to_a, abs=1e-12)
            assert found.values_se[0, h, i] == pytest.approx(one.a_to_b_se, rel=1e-9)
            assert found.gain[0, h, i] == pytest.approx(found.values[0, h, 0] - one.a_to_b, abs=1e-12)
    x, y = (Space(np.array([one.mean(0) for one in side]), metric="cosine") for side in (a, b))
    assert found.all_tokens[0] == pytest.approx(information_imbalance(x, y, k=2).a_to_b, abs=1e-12)
    assert len(found.to_frame()) == 7


def test_tokens_beside_one_vector_an_item():
    """A caption is one vector, whatever the number of patches that are asked about it."""
    a, b = two_forms(2)
    caption = np.array([one.mean(0) for one in b])
    found = token_number_curve(a, None, caption, None, numbers=(1, 4))
    back = token_number_curve(caption, None, a, None, numbers=(1, 4))
    for h, join in enumerate((np.ravel, lambda x: x.mean(0))):
        for i, number in enumerate((1, 4)):
            x, y = (Space(v, metric="cosine") for v in (np.array([join(one[-number:]) for one in a]), caption))
            one = information_imbalance(x, y)
            assert found.values[:, h, i] == pytest.approx([one.a_to_b, one.b_to_a], abs=1e-12)
            assert back.values[::-1, h, i] == pytest.approx(found.values[:, h, i], abs=1e-12)
    with pytest.raises(ParameterError, match="one vector an item, which has no mask"):
        token_number_curve(a, None, caption, np.ones(80))
    with pytest.raises(ParameterError, match="both forms have one vector an item"):
        token_number_curve(caption, None, caption, None)


def test_many_tokens_tell_more_than_one():
    a, b = two_forms(1, n=300)
    found = token_number_curve(np.array(a), np.ones((300, 6)), b, None, numbers=(1, 3, 6), how="mean_last_n")
    assert (np.diff(found.values[:, 0]) < 0).all() and found.gain[0, 0, 2] > 5 * found.gain_se[0, 0, 2]
    assert found.all_tokens is None and found.verdict.startswith("6 tokens tell more than 1 by mean_last_n")
    assert token_number_curve(a, None, b, None, how="mean").values.shape == (2, 0, 5)


def test_errors_of_gains_are_those_of_replicates():
    """150 sets; the spread of the gain is known to 6 %: errors within 25 % of it."""
    gains, errors = [], []
    for seed in range(150):
        a, b = two_forms(seed)
        found = token_number_curve(a, None, b, None, numbers=(1, 6), how="mean_last_n")
        gains.append(found.gain[:, 0, 1])
        errors.append(found.gain_se[:, 0, 1])
    ratio = np.sqrt(np.mean(np.square(errors), axis=0)) / np.std(gains, axis=0, ddof=1)
    assert (ratio > 0.75).all() and (ratio < 1.25).all()


def beside_a_control(gain, skew):
    """A result of so many places with these differences to two controls, all with the error 1."""
    places = len(gain)
    ones, shape = np.ones((2, 3, places)), (2, 2, places)
    gain = np.broadcast_to(np.array([gain, np.full(places, 9.0)]), shape)  # the second control is far away
    return ControlledTokens(
        names_a=tuple(f"lag {i}" for i in range(places)), names_b=("last",) * places,
        conditions=("given", "near", "far"), controls=("near", "far"), values=ones, values_se=ones, asymmetry=ones[0],
        asymmetry_se=ones[0], gain=gain, gain_se=np.ones(shape), n_items=50,
        asymmetry_gain=np.array([skew, np.full(places, -9.0)]), asymmetry_gain_se=np.ones((2, places)),
    )  # fmt: skip


def test_verdicts_are_corrected_for_the_number_of_places():
    """2.2 errors have p = 0.028: enough for one place, too much for the largest of 20; 4 errors have 6e-5."""
    assert beside_a_control([2.2], [-2.2]).verdict == (
        "Lag 0 tells more than in every control; more directed or less than in every control at lag 0 (each at 5 %)."
    )
    many = [2.2] + [0.1] * 19
    assert beside_a_control(many, many).verdict == (
        "Nowhere is more told than in every control; the asymmetry is nowhere told from that of the controls (each at "
        "5 %, corrected for 20 places)."
    )
    assert beside_a_control([4.0, -4.0] + [0.1] * 18, many).verdict.startswith("Lag 0 tells more than in every")


def test_the_sentence_of_curves_is_corrected_for_the_ways_to_join_tokens():
    """p = 0.028 twice is enough after Holm's correction only where both are below half of the level."""
    a, b = two_forms(0)
    found = token_number_curve(a, None, b, None, numbers=(1, 6), how=("last_n", "mean_last_n"))
    found = replace(found, gain=np.full((2, 2, 2), 2.2), gain_se=np.ones((2, 2, 2)))
    assert found.verdict.count("no more than 1") == 2 and found.verdict.endswith("(at 5 %, corrected for 2 tests).")
    found = replace(found, gain=np.array([[[0, 2.2], [0, -2.3]]] * 2), gain_se=np.full((2, 2, 2), 0.9))
    assert found.verdict.startswith("6 tokens tell more than 1 by last_n; 6 tokens tell less than 1 by mean_last_n")


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        (dict(numbers=(1, 7)), DataError, "item 0 has 6 tokens, and 7 are needed"),
        (dict(numbers=(2, 1)), ParameterError, "ascending"),
        (dict(numbers=()), ParameterError, "at least one"),
        (dict(how="first"), ParameterError, "how"),
        (dict(how=("last_n", "last_n")), ParameterError, "each once"),
        (dict(how=()), ParameterError, "at least one of last_n"),
        (dict(metric="labels"), ParameterError, "metric"),
    ],
)
def test_what_makes_no_sense_is_said(change, error, said):
    a, b = two_forms(0)
    with pytest.raises(error, match=said):
        token_number_curve(a, None, b, None, **dict(numbers=(1, 2)) | change)


def causal(seed, n=80, kept=0.9):
    """Walks: each token keeps a part of the one before."""
    g = np.random.default_rng(seed)
    steps = g.normal(size=(n, 8, 3))
    for t in range(1, 8):
        steps[:, t] += kept * steps[:, t - 1]
    return steps


def test_controls_stand_beside_the_same_numbers():
    given, flat = causal(0), causal(1, kept=0.0)
    found = token_lag_imbalance(given, lags=[1, 4], controls={"flat": flat, "again": (given, np.ones((80, 8)))})
    plain = token_lag_imbalance(given, lags=[1, 4], n_permutations=19)
    control = token_lag_imbalance(flat, lags=[1, 4], n_permutations=19)
    for way, name in enumerate(("a_to_b", "b_to_a")):
        for c, one in enumerate((plain, control, plain)):
            np.testing.assert_allclose(found.values[way, c], one.table(name)[:, 0], atol=1e-12)
            np.testing.assert_allclose(found.values_se[way, c], one.table(name, "values_se")[:, 0], rtol=1e-9)
    np.testing.assert_allclose(found.asymmetry[0], plain.asymmetry[:, 0], atol=1e-12)
    np.testing.assert_allclose(found.asymmetry_se[0], plain.asymmetry_se[:, 0], rtol=1e-9)
    np.testing.assert_allclose(found.gain[:, 0], found.values[:, 1] - found.values[:, 0], atol=1e-12)
    np.testing.assert_allclose(found.asymmetry_gain, found.asymmetry[0] - found.asymmetry[1:], atol=1e-12)
    assert (found.gain[:, 1] == 0).all() and (found.gain_se[:, 1] < 1e-12).all()  # what is given, beside itself
    assert found.gain[0, 0, 0] > 5 * found.gain_se[0, 0, 0] and len(found.to_frame()) == 6


def test_errors_of_differences_to_controls_are_those_of_replicates():
    """150 sets of states that share their items with the control; spreads are known to 6 %."""
    values, errors = [], []
    for seed in range(150):
        given = causal(seed)
        found = token_lag_imbalance(given, lags=[1], controls={"noisy": given + 1.5 * causal(seed + 999)})
        values.append([found.gain[0, 0, 0], found.asymmetry_gain[0, 0]])
        errors.append([found.gain_se[0, 0, 0], found.asymmetry_gain_se[0, 0]])
    ratio = np.sqrt(np.mean(np.square(errors), axis=0)) / np.std(values, axis=0, ddof=1)
    assert (ratio > 0.75).all() and (ratio < 1.3).all()


def test_windows_beside_a_control_of_shuffled_words():
    g = np.random.default_rng(2)
    past = g.normal(size=(300, 2, 4))
    future = np.concatenate([past[:, :, :2], 0.01 * g.normal(size=(300, 2, 2))], axis=2)
    states = np.concatenate([past, future], axis=1)
    windows = dict(past=slice(0, 2), future=slice(-2, None), metric="euclidean")
    mixed = np.array([x[g.permutation(4)] for x in states])
    found = window_asymmetry(states, controls={"shuffled words": mixed}, **windows)
    assert found.asymmetry_gain[0, 0] < -3 * found.asymmetry_gain_se[0, 0]
    assert found.names_a == ("past",) and "more directed" in found.verdict
    for change, said in (
        (dict(controls={}), "controls is no mapping"),
        (dict(controls={"given": mixed}), "spelt alike"),
        (dict(controls={"few": mixed[:20]}), "control few has 20 items"),
        (dict(controls={"short": mixed[:, :1]}), "control short: item 0 has 1 tokens"),
        (dict(controls={"x": mixed}, n_permutations=19), "n_permutations goes without controls"),
    ):
        with pytest.raises((DataError, ParameterError), match=said):
            window_asymmetry(states, **windows | change)
    assert compare_layers([states[:, 0]], [states[:, 1]], n_permutations=19).n_items == 300
