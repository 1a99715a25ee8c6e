"""Markov text: closed forms against enumeration, clones against the data."""

import numpy as np
import pytest

from infoscope import exact_order_losses, markov_floors
from infoscope.base import DataError, ParameterError
from infoscope.clones import (
    CloneLadder,
    InteractionModel,
    check_tokens,
    independent_clone,
    law_of_energy,
    markov_clone,
    masked_floor,
    shuffled_clone,
)  # fmt: skip


def dirichlet_chain(n_tokens=6, seed=0):
    return np.random.default_rng(seed).dirichlet(np.full(n_tokens, 0.5), size=n_tokens)


def window_law(p, length):
    """Law of a window of the stationary chain."""
    values, vectors = np.linalg.eig(p.T)
    law = np.real(vectors[:, np.argmax(np.real(values))])
    law = law / law.sum()
    for _ in range(length - 1):
        law = law[..., None] * p
    return law.ravel()


def draw_chain(p, n, length, seed):
    rng, bounds = np.random.default_rng(seed), p.cumsum(1)
    law = markov_floors(p).stationary
    s = np.empty((n, length), int)
    s[:, 0] = rng.choice(len(p), n, p=law)
    for i in range(1, length):
        s[:, i] = (rng.random(n)[:, None] > bounds[s[:, i - 1]]).sum(1)
    return s


def masked_losses(p, tokens):
    """-log p of inner tokens between their two neighbours, one mean a row."""
    a, b, c = tokens[:, :-2], tokens[:, 1:-1], tokens[:, 2:]
    return -np.log(p[a, b] * p[b, c] / (p @ p)[a, c]).mean(1)


def test_floors_are_those_of_all_windows_listed():
    p = dirichlet_chain()
    found = markov_floors(p, length=4)
    law = window_law(p, 4)
    losses = exact_order_losses(law, 4, 6, max_order=2)
    assert found.window == pytest.approx(masked_floor(law, 4, 6), abs=1e-10)
    assert losses.losses[0] == pytest.approx(found.independent, abs=1e-9)
    assert losses.losses[1] == pytest.approx(found.window, rel=1e-2)  # a pairwise model reaches the floor,
    assert losses.losses[1] == pytest.approx(found.window, abs=1e-8)  # and exactly so
    assert losses.site_losses[1, 1] == pytest.approx(found.masked, abs=1e-8)
    assert losses.site_losses[0, 1] == pytest.approx(found.next_token, abs=1e-8)
    assert found.masked < found.window < found.next_token < found.independent


def test_two_spins_by_hand():
    q = 0.9
    found = markov_floors([[q, 1 - q], [1 - q, q]])
    same, other = q**2 + (1 - q) ** 2, 2 * q * (1 - q)
    sure = q**2 / same
    between = same * -(sure * np.log(sure) + (1 - sure) * np.log(1 - sure)) + other * np.log(2)
    assert found.masked == pytest.approx(between, abs=1e-12)
    assert found.independent == pytest.approx(np.log(2)) and found.window is None


def test_a_chain_with_steps_that_never_happen():
    ring = np.roll(np.eye(3), 1, axis=1)
    found = markov_floors(ring, length=5)
    assert found.next_token == found.masked == found.window == 0.0
    assert found.independent == pytest.approx(np.log(3))


def test_clones_of_markov_text():
    """Order 2 and 3 clones are as predictable as the text, within error; independent and shuffled tokens are not."""
    p = dirichlet_chain()
    text, n = draw_chain(p, 4000, 20, 1), 4000
    real = masked_losses(p, text)

    def z(clone):
        losses = masked_losses(np.maximum(p, 1e-6), clone)
        return (losses.mean() - real.mean()) / np.hypot(losses.std(), real.std()) * np.sqrt(n)

    assert abs(z(markov_clone(text, random_state=2))) < 4
    assert abs(z(markov_clone(text, context=2, random_state=3))) < 4
    assert z(independent_clone(text, by_site=False, random_state=4)) > 50
    assert z(shuffled_clone(text, 4, random_state=5)) > 50
    floor = markov_floors(p).masked
    assert abs(real.mean() - floor) < 4 * real.std() / np.sqrt(n)


def test_a_markov_clone_has_the_steps_of_the_data():
    p = dirichlet_chain(4, seed=3)
    text = draw_chain(p, 2000, 12, 4)
    clone = markov_clone(text, 3000, random_state=5)
    counts = [np.zeros((4, 4)) for _ in range(2)]
    for count, s in zip(counts, (text, clone), strict=True):
        np.add.at(count, (s[:, :-1].ravel(), s[:, 1:].ravel()), 1)
    rows = [c / c.sum(1, keepdims=True) for c in counts]
    error = np.sqrt(rows[0] * (1 - rows[0]) / counts[1].sum(1, keepdims=True))
    assert (np.abs(rows[1] - rows[0]) < 5 * error + 1e-12).all()
    assert clone.shape == (3000, 12)


def test_a_context_the_data_end_with_falls_back_to_a_shorter_one():
    text = np.array([[0, 1, 2, 3], [4, 1, 5, 3]])
    clone = markov_clone(text, 200, context=1, random_state=0)
    for row in clone:
        assert row[0] in (0, 4)
        for a, b in zip(row, row[1:], strict=False):
            assert [a, b] in [[0, 1], [1, 2], [2, 3], [4, 1], [1, 5], [5, 3]] or a == 3
    assert len(np.unique(clone, axis=0)) == 4  # pairs mix what contexts of two keep apart
    assert len(np.unique(markov_clone(text, 200, context=2, random_state=0), axis=0)) == 2


def test_independent_clones_keep_the_frequencies_of_sites_or_of_all():
    text = np.repeat([[0, 1, 2]], 50, axis=0)
    assert (independent_clone(text, 20, random_state=0) == [0, 1, 2]).all()
    pooled = independent_clone(text, 3000, by_site=False, random_state=0)
    np.testing.assert_allclose(np.bincount(pooled.ravel()) / pooled.size, 1 / 3, atol=0.02)  # 9000 draws: 0.005


def test_a_shuffle_keeps_every_window():
    text = np.random.default_rng(0).integers(9, size=(40, 10))
    clone = shuffled_clone(text, 4, random_state=1)
    for start, stop in ((0, 4), (4, 8), (8, 10)):
        np.testing.assert_array_equal(np.sort(clone[:, start:stop], 1), np.sort(text[:, start:stop], 1))
    assert (clone != text).any()
    np.testing.assert_array_equal(shuffled_clone(text, 1), text)


def test_clones_of_constant_data_are_the_data_and_keep_their_type():
    text = np.zeros((5, 4), np.uint16)
    for clone in (independent_clone(text), markov_clone(text, context=2), shuffled_clone(text, 2)):
        assert clone.dtype == np.uint16 and (clone == 0).all()


@pytest.mark.parametrize(
    ("transition", "length", "error", "text"),
    [
        (np.eye(2), None, DataError, "2 sets of states"),
        (np.ones((2, 3)), None, DataError, "shape"),
        ([[0.5, 0.6], [0.5, 0.5]], None, DataError, "add up to one"),
        ([[1.5, -0.5], [0.5, 0.5]], None, DataError, "not be negative"),
        ([[np.nan, 1.0], [0.5, 0.5]], None, DataError, "not finite"),
        ([[1.0]], None, ParameterError, "n_tokens must be at least 2"),
        ([[0.5, 0.5], [0.5, 0.5]], 1, ParameterError, "length must be at least 2"),
    ],
)
def test_what_is_no_chain(transition, length, error, text):
    with pytest.raises(error, match=text):
        markov_floors(transition, length=length)


@pytest.mark.parametrize(
    ("tokens", "n_tokens", "error", "text"),
    [
        ([[0.5, 1.0]], None, DataError, "not whole numbers"),
        ([0, 1, 2], None, DataError, "one sequence a row"),
        ([[0], [1]], None, DataError, "at least two"),
        ([[0, -2]], None, DataError, "row 0, site 1 holds -2"),
        ([[0, 0]], None, DataError, "all tokens are 0"),
        ([[0, 5]], 4, DataError, "row 0, site 1 holds token 5, but there are 4"),
        ([[0, 1]], 1, ParameterError, "at least 2"),
        ([[0, 1]], 2**17, ParameterError, "at most"),
    ],
)
def test_what_are_no_tokens(tokens, n_tokens, error, text):
    with pytest.raises(error, match=text):
        check_tokens(tokens, n_tokens)
    if n_tokens is None and "all tokens" not in text:
        for clone in (independent_clone, markov_clone, lambda s: shuffled_clone(s, 2)):
            with pytest.raises(error, match=text):
                clone(tokens)


def test_too_few_sequences_and_windows_that_do_not_fit():
    with pytest.raises(DataError, match="hold 1 sequences, and at least 2"):
        check_tokens([[0, 1]], min_sequences=2)
    with pytest.raises(ParameterError, match="window is 5, but sequences have 4 sites"):
        shuffled_clone(np.eye(4, dtype=int), 5)
    with pytest.raises(ParameterError, match="context is 4"):
        markov_clone(np.eye(4, dtype=int), context=4)
    with pytest.raises(DataError, match="lowest finite"):
        law_of_energy([np.inf, np.inf])


def test_a_trained_model_of_pairs_reaches_the_floor_and_its_clones_are_the_text():
    """7.5: a model of order 2 is within 1 % of the floor; clones of order 2 and 3 are as predictable as the text."""
    pytest.importorskip("torch")
    p = dirichlet_chain()
    length, n = 12, 6000
    text, test = draw_chain(p, n, length, 1), draw_chain(p, 1000, length, 7)
    model = InteractionModel(n_heads=12, positions="relative", n_steps=700, n_tokens=len(p), validation=0.0)
    ladder = CloneLadder((1, 2, 3), model=model).fit(text)
    everything = np.concatenate([test, draw_chain(p, 9000, length, 8)])
    floor = markov_floors(p, length=length).window
    assert ladder.models_[2].loss(everything) == pytest.approx(floor, rel=0.01)
    real = masked_losses(p, test)
    for order, clone in ladder.sample(test, max_sweeps=400).items():
        losses = masked_losses(np.maximum(p, 1e-6), clone.tokens)
        away = (losses.mean() - real.mean()) / np.hypot(losses.std(), real.std()) * np.sqrt(len(test))
        assert clone.converged
        assert abs(away) < 4 if order > 1 else away > 20


def padded_text(n=4000):
    """Sentences of 3 to 8 letters of a chain, at the right ends of their rows or at the left."""
    p, rng = dirichlet_chain(4, seed=3), np.random.default_rng(0)
    text = draw_chain(p, n, 8, 4)
    length, left = rng.integers(3, 9, size=n), rng.random(n) < 0.3
    site = np.arange(8)
    text[np.where(left[:, None], site < 8 - length[:, None], site >= length[:, None])] = -1
    return text


def pairs_of(tokens):
    """Letters that follow each other."""
    return [pair for row in tokens.tolist() for pair in zip(row, row[1:], strict=False) if min(pair) >= 0]


def shares(tokens):
    return np.bincount(tokens[tokens >= 0], minlength=4) / (tokens >= 0).sum()


def test_padding_of_clones_is_that_of_data_and_is_never_drawn():
    text = padded_text()
    patterns = {tuple(row) for row in text < 0}
    clones = {
        "independent": independent_clone(text, random_state=0),
        "pooled": independent_clone(text, 3000, by_site=False, random_state=1),
        "pairs": markov_clone(text, random_state=2),
        "triples": markov_clone(text, 3000, context=2, random_state=3),
    }
    for clone in clones.values():
        assert clone.dtype == text.dtype and {tuple(row) for row in clone < 0} == patterns
        # 16,000 letters and more, neighbours alike: five errors of a share
        np.testing.assert_allclose(shares(clone), shares(text), atol=5 * np.sqrt(3 * 0.25 / 16_000))
    mine, theirs = (np.mean([a == b for a, b in pairs_of(rows)]) for rows in (clones["pairs"], text))
    assert set(pairs_of(clones["pairs"])) <= set(pairs_of(text))
    assert mine == pytest.approx(theirs, abs=0.03)


def test_padding_stays_where_tokens_are_shuffled():
    text = padded_text(500)
    clone = shuffled_clone(text, 4, random_state=0)
    np.testing.assert_array_equal(clone < 0, text < 0)
    assert (clone != text).any()
    for start in (0, 4):
        part = slice(start, start + 4)
        np.testing.assert_array_equal(np.sort(clone[:, part], axis=1), np.sort(text[:, part], axis=1))


def test_what_is_no_padding_is_refused_still():
    with pytest.raises(DataError, match="holds -2"):
        independent_clone([[0, 1, -2], [1, 0, 1]])
    with pytest.raises(DataError, match="all padding"):
        markov_clone([[0, 1, 1], [-1, -1, -1]])
