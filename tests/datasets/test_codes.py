"""Bits with known redundancy against their exact laws."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from scipy.stats import chisquare

from infoscope.base import ParameterError
from infoscope.datasets import copied_bits, copied_bits_distances, latent_text, latent_text_dimension


def test_copies():
    x = copied_bits(400, 20, 3, random_state=0)
    assert x.shape == (400, 60)
    np.testing.assert_array_equal(x[:, ::3], x[:, 1::3])
    np.testing.assert_array_equal(x[:, ::3], x[:, 2::3])
    law = copied_bits_distances(20, 3)
    assert law.sum() == pytest.approx(1) and not law[np.arange(61) % 3 > 0].any()
    # pairs without a common item are independent
    distance = (x[::2] != x[1::2]).sum(1)
    counts = np.bincount(distance, minlength=61)[::3]
    middle = slice(6, 15)
    expected = law[::3] * 200
    assert chisquare(counts[middle], expected[middle] / expected[middle].sum() * counts[middle].sum()).pvalue > 1e-3


def test_correlations_of_passages():
    x, w = latent_text(20_000, 2, n_channels=4, n_topics=3, random_state=1)
    spins = 2.0 * x - 1
    expected = 2 / np.pi * np.arcsin(w @ w.T / 2)
    found = spins.T @ spins / len(x)
    off = ~np.eye(8, dtype=bool)
    np.testing.assert_allclose(found[off], expected[off], atol=4 / np.sqrt(20_000))
    np.testing.assert_allclose(np.linalg.norm(w, axis=1), 1)
    square = (expected[off] ** 2).sum() / 8 + 1
    assert latent_text_dimension(w) == pytest.approx(square**-0.5)


def test_a_new_topic_cuts_the_correlation():
    x, w = latent_text(20_000, 2, n_channels=4, n_topics=1, new_topic_at=1, random_state=2)
    spins = 2.0 * x - 1
    across = spins[:, :4].T @ spins[:, 4:] / len(x)
    assert np.abs(across).max() < 4 / np.sqrt(20_000)
    assert np.abs(spins[:, 0] @ spins[:, 1:4] / len(x)).min() == pytest.approx(1 / 3, abs=0.03)  # 2/pi asin(1/2)


def test_one_seed_one_answer():
    one, other = (latent_text(5, 3, random_state=3)[0] for _ in range(2))
    assert np.array_equal(one, other) and pdist(one).max() > 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: copied_bits(5, 0, 2), "must be at least 1"),
        (lambda: copied_bits_distances(5, 0), "must be at least 1"),
        (lambda: latent_text(5, 0), "must be at least 1"),
        (lambda: latent_text(5, 3, new_topic_at=3), "between 1 and 2"),
    ],
)
def test_bad_parameters(call, message):
    with pytest.raises(ParameterError, match=message):
        call()
