"""Layers of which is known what they share, against published and measured values and the law of their covariances."""

import numpy as np
import pytest

from infoscope import Space, information_imbalance
from infoscope.base import ParameterError
from infoscope.datasets import simulated_layers
from infoscope.representations import linear_cka

# first m of 50 normal numbers, cosine, 750 items ask and 750 others answer, ranks from 0 over n - 2: means and spreads
# over ten seeds of both directions, from a computation of its own with full distance matrices
MEASURED = {
    5: (0.649, 0.024, 0.497, 0.020),
    15: (0.274, 0.009, 0.197, 0.008),
    25: (0.111, 0.007, 0.076, 0.004),
    45: (0.0068, 0.0009, 0.0044, 0.0005),
}


@pytest.mark.parametrize("m", MEASURED)
def test_few_of_many_features_by_disjoint_halves(m):
    """Means of ten seeds lie within a spread: their difference has a standard error of 0.45 spreads."""
    found = []
    for seed in range(10):
        layers = simulated_layers(1500, "features", widths_a=(m,), widths_b=(50,), random_state=seed)
        half = np.random.default_rng(seed).permutation(1500) < 750
        x, y = (Space(one[0], metric="cosine") for one in (layers.a, layers.b))
        one = information_imbalance(x, y, rows=half, columns=~half, exclusion_window=0)
        found.append([(value * 751 - 2) / 748 for value in (one.a_to_b, one.b_to_a)])  # 2 (rank - 1)/(n - 2)
    means = np.mean(found, axis=0)
    forth, forth_sd, back, back_sd = MEASURED[m]
    assert means[0] == pytest.approx(forth, abs=forth_sd)
    assert means[1] == pytest.approx(back, abs=back_sd)
    assert means[1] < means[0]  # all fifty tell more about some of them than the reverse


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("meaning", dict(widths_a=(64, 64, 16), widths_b=(32, 8), strengths_a=(0, 1, 2), strengths_b=(0.5, 3))),
        ("features", dict(widths_a=(5, 30), widths_b=(10, 40))),
        ("random", dict(widths_a=(16, 64), widths_b=(8, 8))),
    ],
)
def test_cka_of_many_items_is_that_of_the_covariances(kind, options):
    """10,000 items; the largest spread is that of the wide layers that share nothing, below 0.01."""
    layers = simulated_layers(10_000, kind, **options, random_state=1)
    found = [[linear_cka(x, y) for y in layers.b] for x in layers.a]
    np.testing.assert_allclose(found, layers.cka, atol=0.02)
    assert [x.shape for x in layers.a] == [(10_000, width) for width in options["widths_a"]]


def test_the_meaning_is_in_the_layers():
    layers = simulated_layers(2000, strengths_a=[0] * 7 + [5], random_state=0)
    told = [np.linalg.lstsq(x, layers.meaning, rcond=None)[1].sum() / (layers.meaning**2).sum() for x in layers.a]
    assert min(told[:-1]) > 0.9  # 64 columns of noise explain 64/2000 of anything
    assert told[-1] == pytest.approx(1 / (5**2 + 1), rel=0.1)  # noise along directions that are 5 long
    middle = np.unravel_index(simulated_layers(10, random_state=0).cka.argmax(), (8, 6))
    assert middle[0] in (3, 4) and middle[1] in (2, 3)


@pytest.mark.parametrize("kind", ["meaning", "features", "random"])
def test_one_seed_one_answer(kind):
    one, same, other = (simulated_layers(20, kind, random_state=seed) for seed in (3, 3, 4))
    assert all(np.array_equal(x, y) for x, y in zip(one.a + one.b, same.a + same.b, strict=True))
    assert not np.array_equal(one.a[0], other.a[0])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (dict(kind="planted"), "kind"),
        (dict(n_items=0), "at least 1"),
        (dict(widths_a=()), "both models need a layer"),
        (dict(widths_b=(3,)), "narrower than the meaning"),
        (dict(strengths_a=(1, 2)), "one finite number for each of 8 layers"),
        (dict(kind="random", strengths_a=(1,) * 8), "strengths are of kind='meaning'"),
    ],
)
def test_what_makes_no_sense_is_said(options, said):
    with pytest.raises(ParameterError, match=said):
        simulated_layers(**options)
