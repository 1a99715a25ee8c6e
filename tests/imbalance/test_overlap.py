"""Shares of neighbours in common, or with the own label: enumeration of all orders of ties, chance, errors."""

from itertools import combinations

import numpy as np
import pytest

from infoscope import Space, information_imbalance, label_overlap, neighborhood_overlap
from infoscope.base import ParameterError
from infoscope.datasets import ar1
from infoscope.representations import compare_layers

pytestmark = pytest.mark.filterwarnings("ignore:.*items repeat another one", "ignore:.*repeat")


def neighbourhoods(x, k, allowed=None):
    """Of every item, all sets of k nearest that breaking ties can give; whole numbers, so that == is exact."""
    found = []
    for i in range(len(x)):
        d = ((x - x[i]) ** 2).sum(1).astype(float)
        d[~(np.arange(len(x)) != i if allowed is None else allowed[i])] = np.inf
        edge = np.sort(d)[k - 1]
        sure, tied = np.flatnonzero(d < edge), np.flatnonzero(d == edge)
        found.append([{*sure, *some} for some in combinations(tied, k - len(sure))])
    return found


def mean_overlap(x, y, k, allowed=None):
    both = zip(neighbourhoods(x, k, allowed), neighbourhoods(y, k, allowed), strict=True)
    return np.mean([np.mean([len(p & q) / k for p in ways for q in others]) for ways, others in both])


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("values", [3, 40])
def test_the_mean_over_orders_of_ties(k, values):
    g = np.random.default_rng(k)
    x, y = g.integers(0, values, (2, 14, 2))
    found = neighborhood_overlap(x.astype(float), y.astype(float), k=k)
    assert found.overlap == pytest.approx(mean_overlap(x, y, k), abs=1e-12)
    assert found.chance == pytest.approx(k / 13)
    order = g.permutation(14)
    again = neighborhood_overlap(x[order].astype(float), y[order].astype(float), k=k)
    assert again.overlap == pytest.approx(found.overlap, abs=1e-12)


def test_the_largest_share_that_ties_leave():
    x = np.array([0, 0, 0, 0, 5, 5, 5, 5, 9.0])[:, None]
    found = neighborhood_overlap(x, x, k=1)
    assert (
        found.overlap == pytest.approx(found.ceiling, abs=1e-12) and found.ceiling < 1
    )  # one of three equal neighbours in each list: the same one in 1/3
    assert found.overlap == pytest.approx(mean_overlap(x, x, 1), abs=1e-12)
    assert "at most" in str(found)


def test_mutual_neighbours_of_layers_are_the_same_number():
    g = np.random.default_rng(2)
    for x, y in ((g.normal(size=(60, 5)), g.normal(size=(60, 3))), g.integers(0, 3, (2, 40, 2)).astype(float)):
        layers = compare_layers([x], [y], measures="mutual_knn", metric="euclidean", k_mutual=4, n_permutations=19)
        found = neighborhood_overlap(x, y, k=4)
        assert layers.table("mutual_knn")[0, 0] == pytest.approx(found.overlap, abs=1e-9)


@pytest.mark.filterwarnings("ignore:runs are shorter")
def test_chosen_rows_columns_and_windows():
    g = np.random.default_rng(3)
    x, y = g.integers(0, 30, (2, 16, 2))
    near = np.abs(np.subtract.outer(np.arange(16), np.arange(16))) > 2
    found = neighborhood_overlap(x.astype(float), y.astype(float), k=3, exclusion_window=2)
    assert found.overlap == pytest.approx(mean_overlap(x, y, 3, near), abs=1e-12)
    asked, answers = np.arange(0, 16, 2), np.arange(1, 16, 2)
    halves = np.zeros((16, 16), bool)
    halves[:, answers] = True
    found = neighborhood_overlap(x.astype(float), y.astype(float), k=3, rows=asked, columns=answers)
    both = zip(*(np.array(neighbourhoods(z, 3, halves), dtype=object)[asked] for z in (x, y)), strict=True)
    expected = [np.mean([len(p & q) / 3 for p in ways for q in others]) for ways, others in both]
    np.testing.assert_allclose(found.rows, expected, atol=1e-12)
    assert found.chance == pytest.approx(3 / 8)


def test_whole_numbers_as_weights_are_repeated_items():
    """Mass counts: four items of weight two, far from the others, are among the two neighbours of each in both."""
    g = np.random.default_rng(4)
    x = g.normal(size=(200, 2))
    w = g.integers(1, 3, 200).astype(float)
    even = neighborhood_overlap(Space(x, sample_weight=np.full(200, 7.0)), x[:, :1], k=10)
    assert even.overlap == neighborhood_overlap(x, x[:, :1], k=10).overlap
    found = neighborhood_overlap(Space(x, sample_weight=w), x[:, :1], k=10)
    own = neighborhood_overlap(Space(x, sample_weight=w), x, k=10)
    assert own.overlap == pytest.approx(own.ceiling) and 0.95 < own.ceiling <= 1
    # by hand: the nearest are taken until ten effective items of mass are used up, the last one in part
    value = 0.0
    for i in range(200):
        others = np.delete(np.arange(200), i)
        mass = 10 * (w[others] ** 2).sum() / w[others].sum()
        parts = []
        for z in (x, x[:, :1]):
            order = others[np.argsort(((z[others] - z[i]) ** 2).sum(1))]
            used = np.minimum(np.cumsum(w[order]), mass)
            part = np.zeros(200)
            part[order] = np.diff(used, prepend=0) / w[order]
            parts.append(part)
        value += w[i] / w.sum() * (w * parts[0] * parts[1]).sum() / mass
    assert found.overlap == pytest.approx(value, abs=1e-9)


def test_labels_by_enumeration():
    g = np.random.default_rng(5)
    x, y = g.integers(0, 4, (15, 2)), np.array(list("aaaaaaabbbbbccc"))
    found = label_overlap(x.astype(float), y, k=3)
    rows = [np.mean([np.mean(y[list(some)] == y[i]) for some in ways]) for i, ways in enumerate(neighbourhoods(x, 3))]
    np.testing.assert_allclose(found.rows, rows, atol=1e-12)
    np.testing.assert_allclose(found.class_overlap, [np.mean(np.array(rows)[y == c]) for c in "abc"], atol=1e-12)
    assert found.balanced == pytest.approx(np.mean(found.class_overlap))
    np.testing.assert_allclose(found.class_chance, [6 / 14, 4 / 14, 2 / 14])
    assert found.chance == pytest.approx((7 * 6 + 5 * 4 + 3 * 2) / 15 / 14)
    # formula (3) of the imbalance
    delta = information_imbalance(x.astype(float), Space.from_labels(y), k=3).a_to_b
    shares = np.array([7, 5, 3]) / 15
    assert delta == pytest.approx((shares**2).sum() + 14 / 15 * (1 - found.overlap), abs=1e-12)


def test_neighbours_by_the_size_of_the_class():
    """20 items of a class in the middle of 400 others: 30 neighbours cannot be of their own, 10 can."""
    g = np.random.default_rng(6)
    x = np.r_[g.normal(size=(400, 2)), 8 + g.normal(size=(20, 2))]
    y = np.r_[np.zeros(400), np.ones(20)].astype(int)
    fixed, part = label_overlap(x, y, k=30), label_overlap(x, y, class_fraction=0.5)
    assert fixed.class_overlap[1] < 0.64 and part.class_overlap[1] > 0.95
    assert part.class_k.tolist() == [200, 10]
    d = ((x[:, None] - x[None]) ** 2).sum(-1)
    np.fill_diagonal(d, np.inf)
    nearest = np.argsort(d, axis=1)
    expected = [np.mean(y[nearest[i, : (200, 10)[y[i]]]] == y[i]) for i in range(420)]
    np.testing.assert_allclose(part.rows, expected, atol=1e-12)


def test_no_error_is_zero():
    x = np.r_[np.zeros(30), np.full(30, 9.0)][:, None] + np.random.default_rng(8).uniform(size=(60, 1))
    found = label_overlap(x, np.repeat([0, 1], 30), k=3)
    assert found.overlap == 1 and found.overlap_se > 0.001 and (found.class_overlap_se > found.overlap_se).all()
    assert neighborhood_overlap(x, x, k=3).overlap_se == 0  # the same lists: nothing to be uncertain about


def test_what_could_not_be_seen_is_said():
    g = np.random.default_rng(7)
    found = neighborhood_overlap(g.normal(size=(100, 2)), g.normal(size=(100, 2)), k=5)
    assert "no more of their 5 nearest neighbours than chance" in found.verdict
    assert "an excess of less than 0.0" in found.verdict


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (dict(k=3, class_fraction=0.5), "give one of them"),
        (dict(class_fraction=0), "must lie in"),
        (dict(k=3, standard_error="jackknife"), "jackknife"),
    ],
)
def test_what_is_refused(options, text):
    x = np.random.default_rng(0).normal(size=(20, 2))
    with pytest.raises(ParameterError, match=text):
        label_overlap(x, np.arange(20) % 2, **options)
    with pytest.raises(ParameterError, match="give labels"):
        label_overlap(x, Space(x))


@pytest.mark.filterwarnings("ignore::infoscope.base.errors.InfoscopeWarning")
def test_errors_hold_the_scatter():
    """Independent rows and series: claimed is 0.75 to 1.5 of the scatter of 60 samples, which is known within 9 %."""
    for series in (False, True):
        values, errors = [], []
        for seed in range(60):
            g = np.random.default_rng(seed)
            n = 600 if series else 150
            z = ar1(n, 3, 0.9, random_state=seed)[0] if series else g.normal(size=(n, 3))
            time = dict(time=np.arange(float(n))) if series else {}
            found = neighborhood_overlap(Space(z[:, :2], **time), Space(z[:, 1:], **time), k=5)
            y = (z[:, 0] + z[:, 1] > 0).astype(int)
            labelled = label_overlap(Space(z[:, :1], **time), y, k=5)
            values.append([found.overlap, labelled.overlap, labelled.balanced])
            errors.append([found.overlap_se, labelled.overlap_se, labelled.balanced_se])
        ratio = np.sqrt((np.array(errors) ** 2).mean(0)) / np.std(values, axis=0, ddof=1)
        assert ((ratio > 0.75) & (ratio < 1.5)).all(), ratio
