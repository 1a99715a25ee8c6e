"""The trained critic: near the truth where that is easy, the same for a seed, and judged by `reliability`."""

import numpy as np
import pytest

pytest.importorskip("torch")

from infoscope import neural_information, reliability  # noqa: E402
from infoscope.base import DataError, ParameterError  # noqa: E402


def pair(n=2000, seed=0):
    g = np.random.default_rng(seed)
    x = g.normal(size=(n, 2))
    return x, 0.8 * x[:, :1] + 0.6 * g.normal(size=(n, 1))


@pytest.mark.parametrize("bound, critic", [("smile", "separable"), ("infonce", "separable"), ("smile", "concatenated")])
def test_a_gaussian_pair(bound, critic):
    """0.511 nats: critics of this size come within 0.12 on this sample."""
    assert neural_information(*pair(), bound=bound, critic=critic, n_epochs=15) == pytest.approx(0.511, abs=0.12)


def test_the_seed_decides():
    x, y = pair(400)
    first, second, other = (neural_information(x, y, n_epochs=3, random_state=seed) for seed in (0, 0, 1))
    assert first == second != other


def test_reliability_takes_it():
    x, y = pair(600)
    found = reliability(lambda a, b: neural_information(a, b, n_epochs=3), x, y, parts=(1, 2, 3))
    assert np.isfinite(found.value_se) and found.parts.tolist() == [1, 2, 3]


def test_bad_input():
    x, y = pair(100)
    for arguments, options, error, match in (
        ((x, y[:-1]), {}, DataError, "X has 100, Y has 99"),
        ((x[:30], y[:30]), {}, DataError, "30 rows are too few"),
        ((x, y), dict(bound="nwj"), ParameterError, "bound must be"),
        ((x, y), dict(critic="deep"), ParameterError, "critic must be"),
        ((x, y), dict(batch=2), ParameterError, "batch must be at least 8"),
    ):
        with pytest.raises(error, match=match):
            neural_information(*arguments, **options)
