"""A text of pairs and triples that is generated: the ladder stops at order 3, and a transformer learns pairs first."""

import numpy as np
import pytest

from infoscope.clones import CloneLadder, InteractionModel, StudyTransformer, learning_curves

V, LENGTH = 6, 12
PAIR, TRIPLE = 1.6, 1.4  # weights of "as the letter before" and of "the sum of both letters before"


def steps():
    """(V, V, V): probability of a letter after two others."""
    before, last, new = np.ogrid[:V, :V, :V]
    weight = np.exp(PAIR * (new == last) + TRIPLE * (new == (before + last) % V))
    return weight / weight.sum(axis=2, keepdims=True)


def text(n, seed):
    """Windows that a chain has forgotten its start in."""
    rng, law = np.random.default_rng(seed), steps().cumsum(axis=2)
    letters = rng.integers(V, size=(n, LENGTH + 30))
    for at in range(2, letters.shape[1]):
        letters[:, at] = (rng.random(n)[:, None] > law[letters[:, at - 2], letters[:, at - 1]]).sum(axis=1)
    return letters[:, 30:]


def floor(tokens):
    """Loss of every window by the law itself: a letter inside given all others, by the steps that hold it."""
    log_p, sites = np.log(steps()), range(2, LENGTH - 2)
    losses = []
    for site in sites:
        logits = np.zeros((len(tokens), V))
        for new in range(V):
            changed = tokens.copy()
            changed[:, site] = new
            for at in range(site, site + 3):
                logits[:, new] += log_p[changed[:, at - 2], changed[:, at - 1], changed[:, at]]
        logits -= np.logaddexp.reduce(logits, axis=1)[:, None]
        losses.append(-logits[np.arange(len(tokens)), tokens[:, site]])
    return np.mean(losses, axis=0)


@pytest.mark.slow
def test_orders_of_a_text_of_triples_are_found_and_learnt_one_after_the_other():
    pytest.importorskip("torch")
    train, test = text(40_000, 0), text(2000, 1)
    model = InteractionModel(n_heads=16, positions="relative", n_steps=2000, n_tokens=V)
    ladder = CloneLadder((1, 2, 3, 4), model=model).fit(train)
    found = ladder.compare(test)
    for at in (0, 1):  # intervals of two errors do not overlap
        assert found.loss[at] - 2 * found.loss_se[at] > found.loss[at + 1] + 2 * found.loss_se[at + 1]
    assert found.gain[3] < 0.01 < found.gain[2] / 5  # nothing is left for order 4
    # the law of a chain has order 3: away from the ends nobody predicts better than by its own steps
    inside = [ladder.models_[3].masked_log_proba(test, site)[np.arange(2000), test[:, site]] for site in range(2, 10)]
    excess = -np.mean(inside, axis=0) - floor(test)
    assert abs(excess.mean()) < 0.02 + 3 * excess.std() / np.sqrt(2000)

    clones = ladder.sample(test[:600], max_sweeps=2000)
    assert all(clone.converged for clone in clones.values())
    studies = [
        StudyTransformer(n_layers=2, width=48, n_steps=3000, n_kept=30, random_state=seed).fit(train, n_tokens=V)
        for seed in range(2)
    ]
    asked = {order: clones[order] for order in (1, 2, 3)}
    curves = learning_curves([study.checkpoints_ for study in studies], asked, test[:600])
    clock = dict(zip(curves.orders, curves.clock, strict=True))
    assert clock[1] <= clock[2] <= clock[3]
    assert curves.loss[0, -1] < found.loss[1] - 0.05  # triples were learnt
    pair = list(curves.orders).index(2)
    assert curves.later_fall[pair, 0] > 3 * curves.later_fall_se[pair, 0]  # after pairs, text is still learnt
