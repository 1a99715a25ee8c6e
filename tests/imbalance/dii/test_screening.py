"""Features that a target should weigh: beside a search by hand, and couplings of every shape."""

import numpy as np
import pytest

from infoscope.imbalance.dii.many_targets import Lines
from infoscope.imbalance.dii.screening import screen_sources


def by_hand(features, target, own, number):
    """The best features by correlations of Legendre polynomials of ranks with what the own past leaves of them."""
    from numpy.polynomial import legendre
    from scipy.stats import rankdata

    def shapes(values):
        u = (rankdata(values) - 0.5) / len(values) * 2 - 1
        return np.array([legendre.legval(u, np.eye(5)[degree]) for degree in range(1, 5)])

    past = np.column_stack([np.ones(len(target)), *shapes(features[:, own])])
    score = []
    for a in range(features.shape[1]):
        one = 0.0
        for told in shapes(target):
            left = told - past @ np.linalg.lstsq(past, told, rcond=None)[0]
            for tells in shapes(features[:, a]):
                one += np.corrcoef(tells, left)[0, 1] ** 2
        score.append(np.inf if a == own else one)
    return set(np.argsort(score)[::-1][:number].tolist())


def test_the_best_by_hand_are_chosen():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(150, 30))
    y = x[:, 3] + x[:, 7] ** 2 + 0.5 * rng.normal(size=150)
    chosen = screen_sources(x, np.zeros(30), Lines(y[None], np.zeros(1)), np.array([3]), 9)  # none of nine at random
    assert set(chosen[0].tolist()) == by_hand(x, y, 3, 9)


@pytest.mark.parametrize(
    "shape", [lambda x: x, lambda x: x**2, lambda x: np.exp(4 * x), lambda x: x**3 - 2 * x, lambda x: np.cos(2 * x)]
)
def test_couplings_of_every_shape_are_seen_among_many(shape):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(600, 400))
    told = shape(x[:, 250])
    y = told / told.std() + x[:, 5] + rng.normal(size=600)
    chosen = screen_sources(x, np.zeros(400), Lines(y[None], np.zeros(1)), np.array([5]), 20)
    assert chosen.shape == (1, 20) and len(set(chosen[0])) == 20 and {5, 250} <= set(chosen[0])


def test_angles_are_seen_wherever_zero_is():
    rng = np.random.default_rng(2)
    x = rng.uniform(0, 360, (400, 200))
    y = (x[:, 150] + 10 * rng.normal(size=400)) % 360
    for turn in (0.0, 123.0):
        chosen = screen_sources((x + turn) % 360, np.full(200, 360.0), Lines(y[None], np.full(1, 360.0)), [0], 12)
        assert 150 in chosen[0]


def test_what_the_own_past_explains_counts_for_no_other():
    """A noisy view of the own past tells nothing more: it comes after a faint source."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(2000, 60))
    x[:, 1] = x[:, 0] + 0.5 * rng.normal(size=2000)
    y = 3 * x[:, 0] + 0.5 * x[:, 2]
    chosen = screen_sources(x, np.zeros(60), Lines(y[None], np.zeros(1)), np.array([0]), 2)
    assert chosen.tolist() == [[0, 2]]


def test_numbers_that_make_no_sense():
    x = np.random.default_rng(0).normal(size=(50, 5))
    for number in (1, 5):
        with pytest.raises(ValueError, match="must lie between 2"):
            screen_sources(x, np.zeros(5), Lines(x.T, np.zeros(5)), np.arange(5), number)
