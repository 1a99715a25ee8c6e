"""Whether weights may depend on the distance of sites alone, decided from data."""

import numpy as np
import pytest

from infoscope.clones import InteractionModel
from infoscope.clones.stationarity import places_differ
from infoscope.datasets import ising_square


def text(rng, n, length, n_tokens=8):
    """Windows of one Markov chain, cut anywhere."""
    chain = rng.dirichlet(np.full(n_tokens, 0.5), size=n_tokens).cumsum(axis=1)
    tokens = np.empty((n, length), int)
    tokens[:, 0] = rng.integers(n_tokens, size=n)
    for _ in range(30):  # forgotten where it began
        tokens[:, 0] = (chain[tokens[:, 0]] < rng.random((n, 1))).sum(axis=1)
    for site in range(1, length):
        tokens[:, site] = (chain[tokens[:, site - 1]] < rng.random((n, 1))).sum(axis=1)
    return np.minimum(tokens, n_tokens - 1)


@pytest.mark.parametrize("n", (20, 120, 600, 5000))
def test_windows_of_a_chain_are_alike_everywhere(n):
    assert not any(places_differ(text(np.random.default_rng(seed), n, 24)) for seed in range(20))


def test_beginnings_of_documents_alone_do_not_count():
    tokens = text(np.random.default_rng(0), 5000, 32)
    tokens[::5, 0] = 0  # every fifth window begins a document, always with one token
    assert not places_differ(tokens)


@pytest.mark.parametrize("temperature", (3.0, 4.0, 6.0))
def test_rows_of_a_square_differ_from_a_line(temperature):
    assert places_differ((ising_square(2000, 6, temperature, random_state=0) > 0).astype(int))


def test_columns_of_an_alignment_differ():
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.full(20, 0.3), size=40)
    tokens = np.stack([rng.choice(20, size=200, p=share) for share in shares], axis=1)
    assert places_differ(tokens)
    tokens[:, 20:] = -1  # padding has no say
    assert places_differ(tokens)
    assert not places_differ(np.where(rng.random((200, 40)) < 0.1, -1, rng.integers(20, size=(200, 40))))


def test_a_model_decides_and_says_so():
    pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    rows = np.repeat(rng.integers(3, size=(2000, 5)), 6, axis=1)
    walks = (rng.integers(3, size=(2000, 1)) + rng.integers(2, size=(2000, 30)).cumsum(axis=1)) % 3
    fitted = [InteractionModel(2, n_heads=2, n_steps=3).fit(tokens) for tokens in (rows, walks)]
    assert [model.relative_ for model in fitted] == [False, True]
    assert fitted[0].energy().positions.shape == (1, 2, 30, 30)
    assert len(fitted[0].parameters_) > len(fitted[1].parameters_)
    assert not InteractionModel(2, n_heads=2, n_steps=3).fit(walks[:, :16]).relative_  # short: room for all pairs
    assert InteractionModel(2, n_heads=2, n_steps=3, positions="relative").fit(rows).relative_
