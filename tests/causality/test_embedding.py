"""Delay vectors and sample times against loops over runs."""

import numpy as np
import pandas as pd
import pytest

from infoscope.base import DataError, ParameterError
from infoscope.causality import embed, sample_times, suggest_embedding
from infoscope.causality.steps import in_lockstep, series_space
from infoscope.neighbors import Space

RUNS = [np.arange(7.0)[:, None] + [0, 100], 1000 + np.arange(4.0)[:, None] + [0, 100], 2000 + np.zeros((2, 2))]


def by_loops(runs, dimension, delay):
    found = []
    for run in runs:
        for t in range((dimension - 1) * delay, len(run)):
            found.append(np.concatenate([run[t - e * delay] for e in range(dimension)]))
    return np.array(found)


@pytest.mark.parametrize(("dimension", "delay"), [(1, 1), (2, 1), (2, 3), (3, 2)])
def test_delay_vectors_are_those_of_every_run(dimension, delay):
    vectors = embed(RUNS, dimension, delay=delay)
    np.testing.assert_array_equal(vectors.features, by_loops(RUNS, dimension, delay))
    lengths = [max(len(run) - (dimension - 1) * delay, 0) for run in RUNS]
    assert [int((vectors.run_names[vectors.run] == r).sum()) for r in range(3)] == lengths
    first = (dimension - 1) * delay
    assert vectors.time[: lengths[0]].tolist() == list(range(first, first + lengths[0]))


def test_what_belongs_to_rows_and_columns_travels():
    time = 0.5 * np.arange(8)
    space = Space(
        np.c_[np.arange(8.0) * 40, np.arange(8.0)],
        period=[360, 0],
        feature_weights=[2, 1],
        feature_names=("phi", "x"),
        time=time,
        ids=[f"frame {i}" for i in range(8)],
        name="pose",
    )
    vectors = embed(space, 2, delay=3)
    assert vectors.feature_names == ("phi(t)", "x(t)", "phi(t-3)", "x(t-3)") and vectors.name == "pose"
    assert vectors.period.tolist() == [360, 0, 360, 0] and vectors.feature_weights.tolist() == [2, 1, 2, 1]
    assert vectors.time.tolist() == time[3:].tolist() and vectors.ids[0] == "frame 3"
    days = np.datetime64("2020-01-01") + np.arange(8)
    assert embed(Space(space.features, time=days), 2).given_time[0] == days[1]


def test_rows_may_stand_in_any_order_where_time_says_which_follow():
    g = np.random.default_rng(0)
    x, shuffle = g.normal(size=(30, 2)), g.permutation(30)
    straight = embed(Space(x, time=np.arange(30)), 3, delay=2)
    mixed = embed(Space(x[shuffle], time=shuffle), 3, delay=2)
    order = np.argsort(mixed.time)
    np.testing.assert_array_equal(mixed.features[order], straight.features)
    np.testing.assert_array_equal(mixed.time[order], straight.time)


def test_a_frame_and_a_series_are_columns():
    frame = pd.DataFrame({"a": [1.0, 2.0, 4.0]})
    assert embed(frame, 2).feature_names == ("a(t)", "a(t-1)")
    assert embed(frame["a"], 2).features.tolist() == [[2, 1], [4, 2]]
    assert embed(np.array([1, 2, 4]), 2).features.tolist() == [[2, 1], [4, 2]]
    assert embed([np.arange(3.0), np.arange(2.0)], 2).features.tolist() == [[1, 0], [2, 1], [1, 0]]


def test_the_data_stay_as_they_are():
    x = np.random.default_rng(0).normal(size=(20, 2))
    before = x.copy()
    embed(x, 3)
    assert np.array_equal(x, before)


def starts_by_loops(lengths, lags, before):
    found, offset = [], 0
    for length in lengths:
        found += [offset + t for t in range(length) if all(0 <= t + lag < length for lag in lags) and t >= before]
        offset += length
    return found


@pytest.mark.parametrize("lags", [[1], [1, 5], [0], [-2, 3]])
@pytest.mark.parametrize(("dimension", "delay"), [(1, 1), (3, 2)])
def test_sample_times_have_all_lags_inside_their_run(lags, dimension, delay):
    lengths = [12, 5, 9]
    runs = [np.zeros((n, 1)) for n in lengths]
    found = sample_times(runs, lags, dimension=dimension, delay=delay)
    assert found.tolist() == starts_by_loops(lengths, lags, (dimension - 1) * delay)


def test_samples_are_evenly_spaced_and_reach_both_ends():
    found = sample_times(np.zeros(1001), [1, 20], n_samples=50)
    assert len(found) == 50 and found[0] == 0 and found[-1] == 980
    assert set(np.diff(found)) <= {19, 20, 21}


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: embed(np.zeros((4, 1)), 5), "reach over 5 rows, and the longest run has 4: lower dimension or delay"),
        (lambda: embed(np.zeros((4, 1)), 0), "dimension must be at least 1"),
        (lambda: embed(np.zeros((4, 1)), 2.5), "dimension must be a whole number"),
        (lambda: sample_times(np.zeros((4, 1)), 9), "the longest has 4: take shorter lags"),
        (lambda: sample_times(np.zeros((9, 1)), 2, n_samples=8), "only 7 rows have all lags inside their run"),
        (lambda: sample_times(np.zeros((9, 1)), [1, 1]), "names a lag twice"),
        (lambda: embed(Space(np.eye(4), time=[0, 1, 2, 4]), 2), "the step after row 2 is 2, others are 1.*run="),
        (lambda: sample_times(Space(np.eye(4), time=[0, 1, 3, 2], run=[0, 0, 1, 1]), 1), None),
        (lambda: embed(Space.from_labels(["a", "b"]), 2), "metric 'labels' has no columns"),
        (lambda: embed(np.array([[0.0], [np.nan], [1]]), 2), "NaN in row 1"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call, text):
    if text is None:
        call()
        return
    with pytest.raises((DataError, ParameterError), match=text):
        call()


def test_a_gap_names_its_run_and_row():
    runs = Space(np.zeros((6, 1)), time=[0, 1, 2, 0, 1, 5], run=list("aaabbb"))
    with pytest.raises(DataError, match="the step after row 4 of run b is 4, others are 1"):
        sample_times(runs, 1)


def test_embeddings_of_unequal_reach_meet_on_common_rows():
    x = np.arange(10.0)
    short, long = in_lockstep([embed(x, 2, name="a"), embed(x + 50, 4, name="b")])
    assert short.time.tolist() == long.time.tolist() == list(range(3, 10))
    with pytest.raises(DataError, match="no time to tell which belong together"):
        in_lockstep([series_space(x, "a"), series_space(x[1:], "b")])


# -------------------------------------------------------------------------------------------------------- suggestions
def henon(n):
    x = np.empty(n)
    x[:2] = 0.1, 0.2
    for t in range(2, n):
        x[t] = 1 - 1.4 * x[t - 1] ** 2 + 0.3 * x[t - 2]
    return x


def test_a_map_of_two_variables_needs_two_rows_one_step_apart():
    found = suggest_embedding(henon(1200), max_dimension=4, lag=1)
    assert (found.dimension, found.delay) == (2, 1)
    assert found.delta[1] < 0.2 * found.delta[0]


@pytest.mark.filterwarnings("ignore:runs are shorter than 20 correlation times")
def test_a_wave_needs_two_rows_a_part_of_its_period_apart():
    """The dimension of a circle is one, but a row alone does not say whether the wave rises."""
    wave = np.sin(0.3 * np.arange(700)) + 0.02 * np.random.default_rng(0).normal(size=700)
    found = suggest_embedding(wave, max_dimension=3, max_delay=12)
    assert found.dimension == 2 and 2 <= found.delay <= 9  # a quarter of the period is 5.2
    assert found.delta[0] > 0.5 and "correlation times" in found.warnings[0]


def test_noise_needs_nothing_and_too_short_runs_are_refused():
    found = suggest_embedding(np.random.default_rng(1).normal(size=400), max_dimension=3)
    assert found.dimension == 1 and found.delta[0] == pytest.approx(1, abs=0.1)
    with pytest.raises(DataError, match="too few for delay vectors of 8: lower max_dimension"):
        suggest_embedding(np.arange(12.0))
