"""How often 95 % intervals of imbalances hold their mean, over replicates of planted relations."""

import numpy as np
import pytest

from infoscope import Space, information_imbalance
from infoscope.representations import compare_layers

N = 150
RELATIONS = {
    "independent": lambda g: (g.normal(size=(N, 5)), g.normal(size=(N, 5))),
    "15 of 50 features": lambda g: (lambda y: (y[:, :15], y))(g.normal(size=(N, 50))),
    "a copy with noise": lambda g: (lambda x: (x, x + 0.5 * g.normal(size=(N, 3))))(g.normal(size=(N, 3))),
}


def replicates(relation, metric, k, number):
    """Values (number, 2) of both directions, and their errors."""
    found = []
    for seed in range(number):
        x, y = (Space(one, metric=metric) for one in RELATIONS[relation](np.random.default_rng(seed)))
        one = information_imbalance(x, y, k=k, exclusion_window=0)
        found.append([(one.a_to_b, one.b_to_a), (one.a_to_b_se, one.b_to_a_se)])
    return np.moveaxis(np.array(found), 1, 0)


def coverage(values, errors):
    """Share of intervals, value and 1.96 errors, that hold the mean of all values."""
    return (np.abs(values - values.mean(0)) <= 1.96 * errors).mean(0)


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_intervals_hold_the_mean_often_enough(metric):
    """400 replicates tell a share of 0.95 to 0.011: 0.85 at least in each case, and 0.90 on average over cases."""
    found = {(relation, k): coverage(*replicates(relation, metric, k, 400)) for relation in RELATIONS for k in (1, 10)}
    for case, shares in found.items():
        print(metric, *case, *shares.round(3))
    assert all(shares.min() >= 0.85 for shares in found.values())
    assert np.mean(list(found.values())) >= 0.90


@pytest.mark.parametrize("relation", RELATIONS)
def test_few_replicates_hold_the_mean(relation):
    """60 replicates of one case each: 0.8 is five spreads (0.028) below 0.95."""
    assert coverage(*replicates(relation, "cosine", 1, 60)).min() >= 0.8


def test_intervals_of_layers_are_those_of_single_pairs():
    for relation in RELATIONS:
        x, y = RELATIONS[relation](np.random.default_rng(0))
        for metric in ("cosine", "euclidean"):
            for k in (1, 10):
                layers = compare_layers([x], [y], measures="imbalance", metric=metric, k=k, n_permutations=19)
                one = information_imbalance(Space(x, metric=metric), Space(y, metric=metric), k=k)
                for name in ("a_to_b", "b_to_a"):
                    assert layers.table(name)[0, 0] == pytest.approx(getattr(one, name), abs=1e-12)
                    error = layers.table(name, "values_se")[0, 0]
                    assert error == pytest.approx(getattr(one, f"{name}_se"), rel=1e-9)
