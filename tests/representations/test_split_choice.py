"""A pair chosen on one half of the items and judged on the other."""

import numpy as np
import pytest

from infoscope.base import ParameterError
from infoscope.representations import choose_layers, compare_layers


def test_the_pair_is_chosen_on_one_part_and_judged_on_the_other():
    g = np.random.default_rng(0)
    hidden = g.normal(size=(120, 3))
    a = {f"a{i}": s * hidden @ g.normal(size=(3, 10)) + g.normal(size=(120, 10)) for i, s in enumerate((0, 2, 0.5))}
    b = {"b0": g.normal(size=(120, 4)), "b1": hidden + 0.1 * g.normal(size=(120, 3))}
    found = choose_layers(a, b, measure="mutual_knn", k_mutual=5, n_permutations=39, random_state=1)
    assert (found.layer_a, found.layer_b) == ("a1", "b1") and len(found.items) == 60
    others = np.setdiff1d(np.arange(120), found.items)
    options = dict(measures="mutual_knn", k_mutual=5, n_permutations=39)
    chosen = compare_layers({n: x[others] for n, x in a.items()}, {n: x[others] for n, x in b.items()}, **options)
    np.testing.assert_allclose(found.chosen_on.values, chosen.values, atol=1e-12)
    judged = compare_layers([a["a1"][found.items]], [b["b1"][found.items]], **options)
    np.testing.assert_allclose(found.judged.values, judged.values, atol=1e-12)
    np.testing.assert_allclose(found.judged.values_se, judged.values_se, atol=1e-12)


def test_a_choice_from_noise_is_not_flattered():
    """100 independent models of six layers: judged values are 0 on average (the error of the mean is 0.007), and the
    values that chose are not; p-values of the judged pair are below 0.05 in at most 11 % (binomial 99 %)."""
    judged, chose, alarms = [], [], 0
    for seed in range(100):
        g = np.random.default_rng(seed)
        a, b = ([g.normal(size=(60, 8)) for _ in range(6)] for _ in range(2))
        found = choose_layers(a, b, n_permutations=39, random_state=g)
        judged.append(found.judged.values[0, 0, 0])
        chose.append(found.chosen_on.values[0].max())
        alarms += found.judged.p_values[0, 0, 0] <= 0.05
    assert abs(np.mean(judged)) < 4 * np.std(judged) / 10 and np.mean(chose) > 0.08 and alarms <= 11


def test_a_share_that_leaves_nobody_is_said():
    x = np.random.default_rng(0).normal(size=(20, 3))
    for share in (0.05, 0.99):
        with pytest.raises(ParameterError, match="share is"):
            choose_layers([x], [x], share=share)
