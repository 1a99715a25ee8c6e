"""Pooling of tokens by hand, and what tokens tell about each other where it is known."""

import numpy as np
import pytest

from infoscope.base import DataError, ParameterError
from infoscope.representations import pool_tokens, token_lag_imbalance, window_asymmetry


@pytest.fixture(scope="module")
def texts():
    """Five items of 4 to 8 tokens, padded on the right with NaN, which nobody may read."""
    g = np.random.default_rng(0)
    parts = [g.normal(size=(length, 3)) for length in (4, 8, 5, 6, 7)]
    states, mask = np.full((5, 8, 3), np.nan), np.zeros((5, 8), int)
    for i, one in enumerate(parts):
        states[i, : len(one)], mask[i, : len(one)] = one, 1
    return parts, states, mask


POOLED = {
    "mean": lambda x: x.mean(0),
    "last": lambda x: x[-1],
    "first": lambda x: x[0],
    "last_n": lambda x: x[-3:].ravel(),
    "mean_last_n": lambda x: x[-3:].mean(0),
    "window": lambda x: x[1:3].ravel(),
}


@pytest.mark.parametrize("how", POOLED)
@pytest.mark.parametrize("skip", [0, 1])
def test_pools_by_hand_wherever_the_padding_is(texts, how, skip):
    parts, states, mask = texts
    expected = np.array([POOLED[how](one[skip:]) for one in parts])
    options = dict(how=how, n=3, start=1, stop=3, skip_first=skip)
    left = np.array([np.roll(one, -int(m.sum()), axis=0) for one, m in zip(states, mask, strict=True)])
    left_mask = np.array([np.roll(m, -int(m.sum())) for m in mask])
    for found in (
        pool_tokens(states, mask, **options),
        pool_tokens(left, left_mask, **options),
        pool_tokens(parts, **options),
    ):
        np.testing.assert_allclose(found, expected, atol=1e-12)


def test_half_precision_becomes_single():
    states = np.ones((3, 4, 2), np.float16) * np.arange(1, 4)[:, None, None].astype(np.float16)
    assert pool_tokens(states).dtype == np.float32


@pytest.mark.parametrize(
    "change, error, said",
    [
        (dict(how="last_n", n=5), DataError, "item 0 has 4 tokens, and 5 are needed"),
        (dict(how="middle"), ParameterError, "how"),
        (dict(how="window", start=2, stop=-1), ParameterError, "another number of them in every item"),
        (dict(how="window", start=3, stop=3), ParameterError, "no tokens"),
        (dict(mask=np.ones((5, 7))), DataError, r"mask is \(5, 7\)"),
        (dict(mask=np.ones((5, 8))), DataError, "token 4 of item 0 is not finite"),
        (dict(mask=np.zeros((5, 8))), DataError, "item 0 has no tokens"),
        (dict(skip_first=4), DataError, "item 0 has 4 tokens"),
        (dict(states=np.ones((5, 8))), DataError, "2 dimensions"),
        (dict(states=[np.ones((3, 2)), np.ones((3, 3))], mask=None), DataError, "same features"),
    ],
)
def test_what_makes_no_sense_is_said(texts, change, error, said):
    given = dict(states=texts[1], mask=texts[2]) | change
    with pytest.raises(error, match=said):
        pool_tokens(given.pop("states"), given.pop("mask"), **given)


def test_lags_see_how_far_a_walk_remembers():
    """Tokens of a walk forget: the farther back, the less is told; a token drawn anew tells nothing (1 within 4 se)."""
    g = np.random.default_rng(1)
    walk = g.normal(size=(300, 12, 4)).cumsum(1)
    found = token_lag_imbalance(walk, lags=[1, 3, 8], random_state=0)
    told = found.table("a_to_b")[:, 0]
    assert found.names_a == ("lag 1", "lag 3", "lag 8") and (np.diff(told) > 0.1).all()
    noise = token_lag_imbalance(g.normal(size=(300, 4, 4)), lags=[1], random_state=0)
    assert abs(noise.table("a_to_b")[0, 0] - 1) < 4 * noise.table("a_to_b", "values_se")[0, 0]
    with pytest.raises(DataError, match="item 0 has 12 tokens, and 13"):
        token_lag_imbalance(walk, lags=[12])
    with pytest.raises(ParameterError, match="lags"):
        token_lag_imbalance(walk, lags=[])


def test_a_past_that_holds_more_is_seen():
    """The future keeps two of the past's four numbers: the past tells the future, and not the reverse."""
    g = np.random.default_rng(2)
    past = g.normal(size=(300, 2, 4))
    future = np.concatenate([past[:, :, :2], 0.01 * g.normal(size=(300, 2, 2))], axis=2)
    states = np.concatenate([past, future], axis=1)
    found = window_asymmetry(states, past=slice(0, 2), future=slice(-2, None), metric="euclidean", random_state=0)
    reverse = window_asymmetry(states[:, ::-1], past=slice(0, 2), future=slice(-2, None), metric="euclidean")
    assert found.asymmetry[0, 0] < -5 * found.asymmetry_se[0, 0]
    assert reverse.asymmetry[0, 0] > 5 * reverse.asymmetry_se[0, 0]
    with pytest.raises(DataError, match="share a token of item 0"):
        window_asymmetry(states, past=slice(0, 3), future=slice(-2, None))
    with pytest.raises(ParameterError, match="step"):
        window_asymmetry(states, past=slice(0, 4, 2))
