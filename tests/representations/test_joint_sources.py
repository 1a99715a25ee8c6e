"""What several sources tell together: closed forms, brute force, errors by replicates."""

import numpy as np
import pytest
from scipy.stats import rankdata

from infoscope import RepresentationStore, Space, information_imbalance
from infoscope.base import DataError, ParameterError
from infoscope.representations import SignBits, compare_layers, conditional_imbalance, joint_imbalance


def imbalance_of(d_source, d_target):
    """2/N times the mean rank in the target of the nearest in the source, from whole matrices."""
    n, ranks = len(d_source), []
    for i in range(n):
        others = np.delete(np.arange(n), i)
        nearest = np.argmin(d_source[i, others])
        ranks.append(rankdata(d_target[i, others])[nearest])
    return 2 * np.mean(ranks) / n


def test_two_halves_are_the_whole():
    """Both halves of the coordinates: every neighbour is the first, (k + 1)/N, and each half adds to the other."""
    b = np.random.default_rng(0).normal(size=(200, 6))
    found = joint_imbalance([b[:, :3], b[:, 3:]], b, metric="euclidean", weighting="equal")
    assert found.joint == pytest.approx(2 / 200, abs=1e-12) and found.joint_se < 1e-12
    for s, half in enumerate((b[:, :3], b[:, 3:])):
        one = information_imbalance(half, b, k=1)
        assert found.alone[s] == pytest.approx(one.a_to_b, abs=1e-12)
        assert found.alone_se[s] == pytest.approx(one.a_to_b_se, rel=1e-9)
        assert found.without[1 - s] == found.alone[s]
    np.testing.assert_allclose(found.added, found.without - found.joint, atol=1e-14)
    assert (found.p_values_adjusted < 1e-6).all() and "tell what the others do not" in found.verdict
    spread = joint_imbalance([b[:, :3], 50 * b[:, 3:]], b, metric="euclidean")  # units do not matter
    assert spread.joint < 0.03


def test_a_copy_adds_nothing_and_noise_blurs():
    g = np.random.default_rng(1)
    b = g.normal(size=(300, 4))
    turn = np.linalg.qr(g.normal(size=(4, 4)))[0]
    a = b + 0.5 * g.normal(size=(300, 4))
    copy = joint_imbalance({"a": a, "copy": 3 * a @ turn}, b, metric="euclidean")
    np.testing.assert_allclose(copy.added, 0, atol=1e-12)
    assert (copy.p_values == 1).all() and "a and copy add nothing" in copy.verdict
    noise = joint_imbalance({"a": a, "noise": g.normal(size=(300, 4))}, b, metric="euclidean")
    assert noise.added[0] > 5 * noise.added_se[0] and noise.added[1] < -3 * noise.added_se[1]
    assert "noise only blurs" in noise.verdict


def test_codes_of_several_values_differ_or_not():
    """Entries 0 to 4: that 0 and 4 are farther apart as numbers than 0 and 1 counts for nothing."""
    g = np.random.default_rng(6)
    codes = [g.integers(0, 5, (50, 30)), g.integers(0, 5, (50, 40))]
    found = joint_imbalance([Space(x, metric="hamming") for x in codes], Space(codes[0][:, :9], metric="hamming"),
                            metric="hamming", weighting="equal")  # fmt: skip
    between = sum((x[:, None] != x[None]).sum(2) for x in codes)
    expected = information_imbalance(
        Space.from_distances(between.astype(float)), Space(codes[0][:, :9], metric="hamming")
    )
    assert found.joint == pytest.approx(expected.a_to_b, abs=1e-12)


def test_items_of_a_store_and_of_a_space_must_be_the_same(tmp_path):
    g, ids = np.random.default_rng(7), [f"text {i}" for i in range(40)]
    store = RepresentationStore.from_arrays(tmp_path / "s", list(g.normal(size=(2, 40, 3))), ids=ids, dtype="float32")
    target = Space(g.normal(size=(40, 2)), ids=ids, metric="cosine")
    other = target.replace(ids=ids[::-1])
    assert joint_imbalance(store, target).n_items == 40
    for call in (
        lambda: joint_imbalance(store, other),
        lambda: compare_layers(store, [other], measures="imbalance", n_permutations=19),
        lambda: conditional_imbalance(store, store, other, fraction=0.5, n_permutations=19),
    ):
        with pytest.raises(DataError, match="row 0 is 'text"):
            call()


@pytest.mark.parametrize("weighting", ["equal", "spread"])
def test_three_sources_are_the_mean_of_their_cosines(weighting):
    g = np.random.default_rng(2)
    b = g.normal(size=(60, 8))
    sources = [b[:, :3] + 4, b[:, 3:5], g.normal(size=(60, 5)) + b[:, 5:6]]
    found = joint_imbalance(sources, b, weighting=weighting)

    def distances(x):
        unit = x / np.linalg.norm(x, axis=1, keepdims=True)
        return 1 - unit @ unit.T

    parts = [distances(x) for x in sources]
    if weighting == "spread":
        parts = [d / d.mean() for d in parts]
    goal = distances(b)
    assert found.joint == pytest.approx(imbalance_of(sum(parts), goal), abs=1e-12)
    for s in range(3):
        assert found.without[s] == pytest.approx(imbalance_of(sum(parts) - parts[s], goal), abs=1e-12)
        assert found.alone[s] == pytest.approx(imbalance_of(parts[s], goal), abs=1e-12)


def test_signs_are_counted_together():
    """Bits of both halves, one after the other, are the bits of the whole: all that is told is told."""
    b = np.random.default_rng(3).normal(size=(80, 300))
    found = joint_imbalance([b[:, :150], b[:, 150:]], b, metric="hamming", weighting="equal", preprocess=SignBits())
    whole = information_imbalance(*[(b > 0).astype(float)] * 2, k=1)
    assert found.joint == pytest.approx(whole.a_to_b, abs=1e-12)


def test_errors_are_those_of_replicates():
    """150 sets of 100 items; the spread of the differences is known to 6 %: errors within 25 % of it."""
    values, errors = [], []
    for seed in range(150):
        g = np.random.default_rng(seed)
        b = g.normal(size=(100, 4))
        sources = [b[:, :2] + 0.3 * g.normal(size=(100, 2)), b[:, 2:] + 0.6 * g.normal(size=(100, 2))]
        found = joint_imbalance(sources, b, metric="euclidean")
        values.append([found.joint, *found.added])
        errors.append([found.joint_se, *found.added_se])
    ratio = np.sqrt(np.mean(np.square(errors), axis=0)) / np.std(values, axis=0, ddof=1)
    assert (ratio > 0.75).all() and (ratio < 1.25).all()


def test_what_makes_no_sense_is_said():
    x = np.random.default_rng(0).normal(size=(2, 30, 3))
    for change, said in (
        (dict(sources=x[:1]), "two at least"),
        (dict(target=x), "target has 2 layers"),
        (dict(target=x[0, :20]), "30 items"),
        (dict(weighting="some"), "weighting"),
        (dict(metric="manhattan"), "metric"),
        (dict(k=29), "k=29"),
        (dict(sources=[x[0], np.ones((30, 2))]), "sources, layer 1 is dead: all 30 items"),
    ):
        given = dict(sources=x, target=x[0]) | change
        with pytest.raises((DataError, ParameterError), match=said):
            joint_imbalance(given.pop("sources"), given.pop("target"), **given)
