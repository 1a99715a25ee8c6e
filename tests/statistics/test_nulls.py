"""From the word for a null to what rows do, and p-values that count no more shifts than there are."""

import numpy as np
import pytest

from infoscope.base import ParameterError
from infoscope.statistics import Null, Shifts, choose_null, permutation_p_value, run_order

WORDS = ("shift", "block", "permute", "local")


def rows(n=40, reach=2.0, memory=4.0, **options):
    settings = dict(
        words=WORDS, auto=("shift", "block"), shifts=Shifts(run_order(n), reach, memory),
        blocks=lambda: np.arange(n) // 5, neighbors=lambda: np.stack([np.arange(n), np.arange(n)[::-1]], axis=1),
    )  # fmt: skip
    return n, settings | options


def choose(word, **options):
    n, settings = rows(**options)
    return choose_null(word, n, **settings)


def test_every_word_does_what_it_says():
    g = np.random.default_rng(0)
    shift = choose("shift").shuffle(g)
    moved = (shift - np.arange(40)) % 40
    assert len(set(moved)) == 1 and 3 <= moved[0] <= 37
    block = choose("block").shuffle(g)
    assert all((np.diff(block[at : at + 5]) == 1).all() for at in range(0, 40, 5))
    permuted = choose("permute").shuffle(g)
    assert sorted(permuted) == list(range(40)) and len(set((permuted - np.arange(40)) % 40)) > 5
    local = choose("local").shuffle(g)
    assert all(row in (at, 39 - at) for at, row in enumerate(local))


def test_two_words_of_one_meaning_draw_alike():
    for one, other in (("permute", "shuffle"), ("block", "blocks")):
        a, b = (choose(w, words=(w,)).shuffle(np.random.default_rng(3)) for w in (one, other))
        assert np.array_equal(a, b)


def test_auto_is_the_first_that_the_rows_allow():
    assert choose("auto").word == "shift"
    assert choose("auto", reach=20.0).word == "block"  # no run is longer than two windows
    assert choose("auto", reach=20.0, auto=("shift",)).word == "shift"  # and says so when it is drawn
    assert choose("auto", auto=("local",)).word == "local"
    with pytest.raises(ParameterError, match="be shifted"):
        choose("auto", reach=20.0, auto=("shift",)).shuffle(np.random.default_rng(0))


def test_words_that_do_not_suit_are_refused():
    with pytest.raises(ParameterError, match="null must be one of"):
        choose("twin")
    with pytest.raises(ParameterError, match="null='block' needs blocks .* at least 9: .* take null='permute'"):
        choose("block", fewest_blocks=9)
    with pytest.raises(ParameterError, match="needs blocks"):
        choose("block", blocks=lambda: None)


def test_a_shuffle_by_content_does_not_know_the_order_of_rows():
    x = np.random.default_rng(1).normal(size=40)
    mixed = np.random.default_rng(2).permutation(40)
    drawn = []
    for values in (x, x[mixed]):
        null = choose("permute", by_content=lambda values=values: np.argsort(values))
        pairs = zip(values, values[null.shuffle(np.random.default_rng(5))], strict=True)
        drawn.append(sorted(pairs))
    assert drawn[0] == drawn[1]


def test_neighbours_are_asked_for_once_and_only_when_drawn():
    asked = []

    def near():
        asked.append(1)
        return np.arange(6)[:, None]

    null = choose_null("local", 6, words=("local",), auto=("local",), neighbors=near)
    assert not asked
    for _ in range(3):
        null.shuffle(np.random.default_rng(0))
    assert len(asked) == 1


@pytest.mark.parametrize(("n", "reach", "memory"), [(100, 10, 5), (300, 0, 19), (60, 5, 1)])
def test_shifts_of_one_run_are_counted_a_memory_apart(n, reach, memory):
    """n rows less a window at either end, cut into pieces as long as rows remember."""
    assert Shifts(run_order(n), reach, memory).distinct == pytest.approx((n - 2 * reach) / memory)


def test_shifts_of_several_runs_go_with_each_other():
    run = np.repeat([0, 1], [100, 60])
    assert Shifts(run_order(160, run=run), 10.0, 5.0).distinct == pytest.approx(80 / 5 * 40 / 5)


def test_p_values_go_no_lower_than_there_are_shifts():
    few = Null("shift", lambda g: np.arange(3), 12.0)
    assert few.p_value(1.0, np.zeros(199)) == pytest.approx(1 / 13)
    assert few.p_value(1.0, np.r_[np.zeros(100), np.full(100, 2.0)]) == pytest.approx((1 + 6) / 13)
    np.testing.assert_allclose(few.p_of_count(np.array([0, 100]), 200), [1 / 13, 7 / 13])
    assert few.p_value(1.0, np.zeros(11)) == 1 / 12 and few.p_of_count(0, 11) == 1 / 12
    endless = Null("permute", few.shuffle)
    assert endless.p_value(1.0, np.zeros(199)) == permutation_p_value(1.0, np.zeros(199)) == 1 / 200
    assert endless.note(199) == () == few.note(12)
    assert few.note(199)[0].startswith("the series has about 12 shifts") and few.note(199)[0].endswith("0.077")
