"""Density equalisation against its definition, rebuilt list by list."""

from importlib import import_module

import numpy as np
import pytest
from tests.anomalies import slow_reading as slow

from infoscope.anomalies import equalise_density
from infoscope.anomalies.neighbor_stream import Ordered
from infoscope.anomalies.scores import Rule, scan_items
from infoscope.base import ParameterError
from infoscope.neighbors import Space

module = import_module("infoscope.anomalies.density_equalization")


def contaminated(kind, seed, n=110, signal=35):
    g = np.random.default_rng(seed)
    x = np.concatenate([g.normal(size=(2 * n, 2)), 1.2 + 0.2 * g.normal(size=(signal, 2))])
    if kind == "lattice":
        x = np.round(x * 6) / 6
    elif kind == "coarse":
        x = np.round(x * 2) / 2
    elif kind == "duplicates":
        x = x[g.integers(0, len(x), len(x))]
    labels = (np.arange(2 * n + signal) >= n).astype(np.uint8)
    order = g.permutation(len(x))
    return x[order], labels[order]


@pytest.mark.parametrize("kind", ["plain", "lattice", "coarse", "duplicates"])
@pytest.mark.parametrize("trim", [0, 1])
@pytest.mark.parametrize("include", [False, True])
def test_definition(kind, trim, include, monkeypatch):
    """Items, steps and levels; lists so short that they run out and are asked for again."""
    monkeypatch.setattr(module, "SPARE", 4)
    for seed in (0, 1):
        x, labels = contaminated(kind, seed)
        p, K, level = 0.5, 25, 4.0
        rule = Rule(K, 2, p, include)
        ordered = Ordered(Space(x))
        scores = scan_items(ordered, labels, rule).over
        found = module.equalise(ordered, labels, rule, scores, level, trim=trim)
        expected = slow.equalise(slow.squared_distances(x), labels, p, K, 2, level, trim, include)
        steps = dict(zip(found.items.tolist(), found.step.tolist(), strict=True))
        assert steps == {i: step for i, (step, _) in expected.items()}
        assert len(steps) > 5
        for i, u in zip(found.items, found.level, strict=True):
            assert u == pytest.approx(expected[i][1], rel=1e-9)


@pytest.mark.parametrize("size", [25, 40])
def test_isolated_clump(size):
    """A clump far from everything is removed whole or but for one, and no background row with it."""
    for seed in range(10):
        g = np.random.default_rng(seed)
        x = np.concatenate([g.normal(size=(1200, 2)), 30 + 0.1 * g.normal(size=(size, 2))])
        labels = (np.arange(len(x)) >= 600).astype(np.uint8)
        found = equalise_density(x, labels, 14.5, k=60)
        assert len(found.items) in (size - 1, size) and found.items.min() >= 1200


def test_row_order_does_not_matter():
    for kind in ("plain", "lattice", "duplicates"):
        x, labels = contaminated(kind, 3)
        first = equalise_density(x, labels, 4.0, k=25)
        shuffle = np.random.default_rng(0).permutation(len(x))
        again = equalise_density(x[shuffle], labels[shuffle], 4.0, k=25)
        one = dict(zip(first.items.tolist(), first.step.tolist(), strict=True))
        other = dict(zip(shuffle[again.items].tolist(), again.step.tolist(), strict=True))
        assert one == other and one


def test_steps_rise_and_nothing_above_the_threshold_goes_alone():
    x, labels = contaminated("plain", 4, n=1000, signal=200)
    space, rule, level = Space(x), Rule(60, 1, 0.5), 10.0
    ordered = Ordered(space)
    scores = scan_items(ordered, labels, rule).over
    found = module.equalise(ordered, labels, rule, scores, level, trim=1)
    assert (np.diff(found.step) >= 0).all() and found.step[0] == 1 and found.level[0] == scores[labels == 1].max()
    assert (scores[found.items] > level).all() and (labels[found.items] == 1).all()
    kept = np.setdiff1d(np.arange(len(x)), found.items)
    left = scan_items(Ordered(space.take(kept)), labels[kept], rule).over  # of those that could go, none stands out
    could = np.isin(kept, np.flatnonzero((scores > level) & (labels == 1)))
    assert np.mean(left[could] > level) < 0.02  # rows that once fell below never return, though others' going may lift


def test_bad_input():
    x, labels = contaminated("plain", 0)
    for arguments, text in (
        (dict(threshold=4.0, k=400), "k=400"),
        (dict(threshold=4.0, k=10, p=1.5), "p"),
        (dict(threshold=4.0, k=10, trim=2), "trim"),
        (dict(threshold=4.0, k=10, k_min=11), "k_min=11"),
    ):
        with pytest.raises(ParameterError, match=text):
            equalise_density(x, labels, **arguments)
    with pytest.raises(ParameterError, match="length"):
        equalise_density(x, labels[:-1], 4.0, k=10)
