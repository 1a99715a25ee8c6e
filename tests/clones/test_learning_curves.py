"""Losses on clones along a training: against losses counted by hand, and the step at which an order is learnt."""

from dataclasses import replace

import numpy as np
import pytest

from infoscope.clones import CloneLadder, InteractionModel, StudyTransformer, learning_curves
from infoscope.clones.curve_results import _end_of_first, _learnt


def pairs(n=300, seed=0):
    """Six bits; the second of each pair is its first."""
    return np.repeat(np.random.default_rng(seed).integers(2, size=(n, 3)), 2, axis=1)


def independent(n=200, seed=1):
    return np.random.default_rng(seed).integers(2, size=(n, 6))


def partner(trust):
    """Trusts the other token of the pair."""
    return lambda tokens, sites: trust * np.eye(2)[tokens[np.arange(len(tokens)), sites ^ 1]]


TRUSTS = {0: 0.0, 1: 0.5, 10: 2.0, 100: 6.0}


def test_losses_are_those_counted_by_hand():
    real, clone = pairs(), independent()
    curves = learning_curves({step: partner(t) for step, t in TRUSTS.items()}, {1: clone}, real, n_sites=6)
    for at, trust in enumerate(TRUSTS.values()):
        same, other = np.log1p(np.exp(-trust)), np.log1p(np.exp(trust))
        agree = (clone[:, ::2] == clone[:, 1::2]).mean()
        assert curves.loss[0, at] == pytest.approx(same, abs=1e-12)
        assert curves.loss[1, at] == pytest.approx(agree * same + (1 - agree) * other, abs=1e-12)
        assert curves.accuracy[:, at] == pytest.approx([1, agree] if trust else [0.5, 0.5], abs=1e-12)
    np.testing.assert_array_equal(curves.difference[1, 0], curves.loss[1] - curves.loss[0])
    assert curves.orders.tolist() == [0, 1]
    assert curves.steps.tolist() == [0, 1, 10, 100]


def test_errors_of_losses_are_calibrated():
    """The mean of agreements of 3 pairs in 200 sequences, again and again."""
    trust, found = 2.0, []
    for seed in range(60):
        clones = {1: independent(seed=seed)}
        curves = learning_curves({0: partner(0.0), 1: partner(trust)}, clones, pairs(20), n_sites=6, n_resamples=60)
        expected = (np.log1p(np.exp(-trust)) + np.log1p(np.exp(trust))) / 2
        found.append((curves.loss[1, 1] - expected) / curves.loss_se[1, 1])
    # a mean of 60 squares is 1 within sqrt(2 / 60) = 0.18, and 60 resamples add as much: three of both
    assert np.mean(np.square(found)) == pytest.approx(1.0, abs=0.75)


def test_errors_of_differences_pair_what_one_training_shares():
    """Trainings differ in how much they trust; two sets of the same law see the same trainings, and nothing remains."""
    trusts = np.random.default_rng(0).uniform(0.5, 3.0, size=12)
    runs = [{0: partner(0.0), 1: partner(trust)} for trust in trusts]
    real, clone = pairs(), pairs(200, seed=1)
    curves = learning_curves(runs, {2: clone}, real, n_resamples=200)
    own = np.log1p(np.exp(-trusts))
    assert curves.loss_se[0, 1] == pytest.approx(own.std() / np.sqrt(12), rel=0.2)  # 200 resamples: 5 %, four of them
    assert curves.difference_se[1, 0, 1] < 1e-12
    assert (curves.accuracy_se == 0).all()


def test_documents_are_resampled_together():
    rng = np.random.default_rng(0)
    easy = np.repeat(rng.random(30) < 0.5, 10)  # ten sequences a document, all easy or none
    real = np.where(easy[:, None], pairs(300), np.stack([independent(300)[:, 0]] * 6, axis=1) ^ [0, 1, 0, 1, 0, 1])
    checkpoints = {0: partner(0.0), 1: partner(2.0)}
    alone = learning_curves(checkpoints, {1: independent()}, real)
    together = learning_curves(checkpoints, {1: independent()}, real, document=np.arange(300) // 10)
    # sequences of a document are alike: 10 of them say as much as one, and the error is sqrt(10) = 3.2 times as large
    assert together.loss_se[0, 1] / alone.loss_se[0, 1] == pytest.approx(np.sqrt(10), rel=0.25)


def test_padding_is_never_scored():
    real = pairs()
    real[:, 4:] = -1
    seen = []

    def watch(tokens, sites):
        seen.append(tokens[np.arange(len(tokens)), sites].min())
        return np.zeros((len(tokens), 2))

    curves = learning_curves({0: watch, 1: watch}, {1: independent()}, real, n_sites=6)
    assert min(seen) == 0
    np.testing.assert_allclose(curves.loss, np.log(2), atol=1e-12)


def test_the_clock_is_the_first_step_close_to_the_best():
    curves = np.array([[1.0, 0.5, 0.04, 0.0, 0.3], [1.0, 0.9, 0.8, 0.7, 0.6], [0.5, 0.5, 0.5, 0.5, 0.5]])
    learnt = _learnt(curves, 0.05)
    assert learnt.argmax(axis=-1).tolist() == [2, 4, 0]
    assert _end_of_first(learnt).tolist() == [3, 4, 4]


def test_a_clone_is_flat_until_its_loss_rises_again_and_what_the_real_loss_does_meanwhile():
    trusts = {0: 0.0, 1: 1.0, 2: 1.1, 3: 1.2, 4: 4.0}  # of three pairs in four, equal: log(3) = 1.1 is best
    clone = pairs(400, seed=2)
    clone[::4, 1::2] ^= 1
    curves = learning_curves(
        {step: partner(trust) for step, trust in trusts.items()}, {2: clone}, pairs(), n_sites=6, clock_level=0.06
    )
    assert curves.clock.tolist() == [4, 1]
    assert curves.flat_until.tolist() == [4, 3]
    real = [np.log1p(np.exp(-trusts[step])) for step in (1, 3)]
    assert curves.flat_fall[1, 0] == pytest.approx(real[0] - real[1], abs=1e-12)
    own = [0.75 * np.log1p(np.exp(-trusts[step])) + 0.25 * np.log1p(np.exp(trusts[step])) for step in (1, 3)]
    assert curves.flat_fall[1, 1] == pytest.approx(own[0] - own[1], abs=1e-12)
    assert "of which until step 3 by 0.0499" in curves.verdict


def test_what_falls_later_is_measured_from_each_clock():
    steps = {0: 0.0, 1: 3.0, 2: 3.0}
    curves = learning_curves({step: partner(t) for step, t in steps.items()}, {2: pairs(seed=2)}, pairs())
    assert curves.clock.tolist() == [1, 1]
    np.testing.assert_allclose(curves.later_fall, 0, atol=1e-12)


def test_orders_whose_intervals_overlap_are_not_said_to_follow_each_other():
    curves = learning_curves({0: partner(0.0), 1: partner(3.0)}, {k: pairs(seed=k) for k in (1, 2, 3)}, pairs())
    says = [
        ([9, 1, 5, 9], [9, 2, 6, 9], "; low orders first;"),
        ([9, 1, 5, 6], [9, 2, 6, 9], "; low orders first (orders 2 and 3 are not told apart);"),
        ([9, 1, 5, 3], [9, 2, 6, 4], "; NOT in the order of their orders: 3 before 2;"),
        ([9, 1, 2, 3], [9, 2, 3, 4], "; the intervals of neighbouring orders overlap, which is first is not known;"),
    ]
    for low, high, words in says:
        assert words in replace(curves, clock_low=np.array(low), clock_high=np.array(high)).verdict


def test_bad_requests_are_refused_with_a_way_out():
    good = {0: partner(0.0), 1: partner(1.0)}
    cases = [
        (lambda: learning_curves({0: partner(0.0)}, {1: independent()}, pairs()), "two steps"),
        (lambda: learning_curves([good, {0: partner(0.0), 2: partner(1.0)}], {1: independent()}, pairs()), "same ones"),
        (lambda: learning_curves(good, {1: independent()[:, :4]}, pairs()), "6"),
        (lambda: learning_curves(good, {1: independent()}, pairs(), document=[1, 2]), "document"),
        (lambda: learning_curves(good, {0: independent()}, pairs()), "whole number from 1"),
        (lambda: learning_curves(good, {"a": independent()}, pairs()), "whole number from 1"),
        (lambda: learning_curves(good, {1: independent()}, pairs(), clock_level=5), "below 1"),
        (lambda: CloneLadder((2, 2)).fit(pairs()), "different"),
        (lambda: CloneLadder((2, 9)).fit(pairs()), "6 sites"),
        (lambda: CloneLadder().sample(pairs()), "fit first"),
        (lambda: StudyTransformer().checkpoints_, "fit first"),
    ]
    for call, words in cases:
        with pytest.raises(ValueError, match=words):
            call()


def test_a_clone_that_has_not_converged_is_refused():
    pytest.importorskip("torch")
    frozen = InteractionModel(2, n_heads=1, n_steps=20).fit(pairs()).sample(pairs(40), n_sweeps=4)
    with pytest.raises(ValueError, match="NOT CONVERGED"):
        learning_curves({0: partner(0.0), 1: partner(1.0)}, {2: frozen}, pairs())


def test_a_ladder_trains_every_order_and_resumes(tmp_path):
    pytest.importorskip("torch")
    tokens = pairs(600)
    model = InteractionModel(n_heads=2, n_steps=100, learning_rate=0.05)
    ladder = CloneLadder((1, 2), model=model).fit(tokens, checkpoint=tmp_path)
    assert ladder.losses_[1] == pytest.approx(np.log(2), abs=0.02)
    assert ladder.losses_[2] < 0.05  # the other token of the pair says all
    again = CloneLadder((1, 2), model=model).fit(tokens, checkpoint=tmp_path, resume=True)
    np.testing.assert_array_equal(again.models_[2].parameters_, ladder.models_[2].parameters_)


@pytest.mark.parametrize("kind", ("encoder", "decoder"))
def test_a_transformer_learns_pairs_and_looks_where_it_may(kind):
    pytest.importorskip("torch")
    tokens = pairs(400)
    model = StudyTransformer(kind, n_layers=1, n_heads=2, width=16, n_steps=200, batch_size=64, learning_rate=5e-3,
                             n_kept=5).fit(tokens)  # fmt: skip
    assert sorted(model.checkpoints_)[0] == 0
    assert sorted(model.checkpoints_)[-1] == 200
    last = model.checkpoints_[200]
    rows = np.arange(50)
    loss = -last(tokens[:50], np.full(50, 3))[rows, tokens[:50, 3]].mean()
    assert loss < 0.05
    other = tokens[:50].copy()
    hidden = [3] if kind == "encoder" else [3, 4, 5]  # a decoder does not look ahead
    other[:, hidden] ^= 1
    np.testing.assert_array_equal(last(other, np.full(50, 3)), last(tokens[:50], np.full(50, 3)))


def test_a_ladder_compares_orders_on_the_same_sequences():
    pytest.importorskip("torch")
    tokens, new = pairs(600), pairs(200, seed=5)
    ladder = CloneLadder((1, 2), model=InteractionModel(n_heads=2, n_steps=60, learning_rate=0.05)).fit(tokens)
    found = ladder.compare(new)
    each = np.stack([ladder.models_[order].losses(new) for order in (1, 2)])
    np.testing.assert_allclose(found.loss, each.mean(axis=1))
    np.testing.assert_allclose(found.loss_se, each.std(axis=1, ddof=1) / np.sqrt(200))
    np.testing.assert_allclose(found.gain[1], (each[0] - each[1]).mean())
    np.testing.assert_allclose(found.gain_se[1], (each[0] - each[1]).std(ddof=1) / np.sqrt(200))
    assert "order 2 is the highest" in found.verdict
    twice = ladder.compare(np.repeat(new, 2, axis=0), document=np.repeat(np.arange(200), 2))
    np.testing.assert_allclose(twice.loss_se, found.loss_se)  # copies of a document say nothing new


def test_a_clone_that_is_noisier_than_the_order_before_is_named():
    pytest.importorskip("torch")
    tokens, new = pairs(600), pairs(200, seed=5)
    ladder = CloneLadder((1, 2), model=InteractionModel(n_heads=2, n_steps=60, learning_rate=0.05)).fit(tokens)
    clones = ladder.sample(new)
    found = ladder.compare(new, clones=clones)
    each = ladder.models_[2].losses(clones[2].tokens)
    assert found.clone_loss[1] == pytest.approx(each.mean())
    assert found.clone_loss_se[1] == pytest.approx(each.std(ddof=1) / np.sqrt(200))
    assert np.isnan(ladder.compare(new).clone_loss).all()
    assert "NOISIER" not in found.verdict + ladder.compare(new).verdict
    for more, named in ((1.0, False), (3.0, True)):  # errors above what tokens cost the order before
        cost = np.array([0.0, found.loss[0] + more * np.hypot(found.clone_loss_se[1], found.loss_se[0])])
        told = replace(found, clone_loss=cost).verdict
        assert ("NOISIER than the real sequences: the clones of order 2" in told) == named


def test_pictures_show_bounds_the_end_and_what_was_learnt_between_three_steps():
    pytest.importorskip("matplotlib")
    curves = learning_curves({step: partner(t) for step, t in TRUSTS.items()}, {1: independent()}, pairs(), n_sites=6)
    ax = curves.plot(bounds={"order 1": 0.69}, inset=True)
    dashed = [line for line in ax.lines if line.get_linestyle() == "--"]
    assert [line.get_ydata()[0] for line in dashed] == [0.69]
    (small,) = ax.child_axes
    assert small.get_xlim() == (10, 100)
    ax = curves.plot(kind="orders")
    shown = [text.get_text() for text in ax.get_legend().get_texts()]
    assert shown == ["step 0", "step 100"]  # the loss on independent bits only rises: order 1 is known at step 0
    assert [label.get_text() for label in ax.get_xticklabels()] == ["1", "real"]
    assert {line.get_label() for line in curves.plot(kind="accuracy").lines} >= {"real", "order 1"}


@pytest.mark.parametrize("kind", ("encoder", "decoder"))
def test_a_transformer_that_is_resumed_ends_at_the_same_bits(kind, tmp_path, monkeypatch):
    from infoscope.storage import Checkpoint

    options = dict(n_layers=1, n_heads=2, width=8, n_steps=30, batch_size=16, n_kept=5)
    whole = StudyTransformer(kind, **options).fit(pairs())
    file = tmp_path / "study.npz"
    saved = Checkpoint.save

    def killed_after(self, state):
        saved(self, state)
        if len(state["losses"]) >= 11:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Checkpoint, "save", killed_after)
        patched.setattr(Checkpoint, "save_when_due", lambda self, make: self.save(make()))
        with pytest.raises(KeyboardInterrupt):
            StudyTransformer(kind, **options).fit(pairs(), checkpoint=file)
    again = StudyTransformer(kind, **options).fit(pairs(), checkpoint=file, resume=True)
    np.testing.assert_array_equal(again.curve_, whole.curve_)
    assert list(again.states_) == list(whole.states_)
    for step, state in whole.states_.items():
        for name, values in state.items():
            np.testing.assert_array_equal(again.states_[step][name], values)
    with pytest.raises(ValueError, match="n_steps"):
        StudyTransformer(kind, **(options | {"n_steps": 40})).fit(pairs(), checkpoint=file, resume=True)


def test_a_training_that_cannot_be_is_refused():
    pytest.importorskip("torch")
    with pytest.raises(ValueError, match=r"mask_fraction is 3: pass a share"):
        StudyTransformer(mask_fraction=3).fit(pairs())
    wild = StudyTransformer(n_layers=1, n_heads=2, width=8, n_steps=40, learning_rate=1e30, batch_size=16)
    with pytest.raises(RuntimeError, match=r"the loss is nan at step \d+: take a smaller learning_rate than 1e\+30"):
        wild.fit(pairs())
