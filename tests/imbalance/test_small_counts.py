"""Classes of few items and handfuls of items: no error that claims too much, and no verdict that chance could give."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from infoscope import (
    DifferentiableImbalance,
    Space,
    compare_imbalances,
    imbalance_matrix,
    imbalance_scale_curve,
    information_imbalance,
    label_overlap,
    neighborhood_overlap,
)
from infoscope.imbalance.class_counts import best_by_chance

pytestmark = pytest.mark.filterwarnings("ignore")


def labels(*counts):
    return Space.from_labels(np.repeat(list("abcdefgh"[: len(counts)]), counts), name="class")


@pytest.mark.parametrize("seed", range(4))
def test_one_item_of_a_class_decides_nothing(seed):
    """49 of one class and 1 of another: where nobody is the one's neighbour, Delta was 0.9804 +- 0.0004."""
    x = np.random.default_rng(seed).normal(size=(50, 3))
    found = information_imbalance(x, labels(49, 1))
    assert found.relation == "unknown"
    assert found.verdict == (
        "Undecided: only 1 of 50 items are not of the largest class of class, and chance gives the best value with "
        "probability 0.37: 2 items of one other class would do."
    )
    near = cKDTree(x).query(x, 2)[1][:, 1]
    misses = np.count_nonzero((near == 49) != (np.arange(50) == 49))
    share = (misses + 1) / 52  # Agresti and Coull: one more of either outcome
    assert found.a_to_b_se >= 0.98 * np.sqrt(share * (1 - share) / 50) * (1 - 1e-12)


def test_every_function_says_so():
    x, rare, plenty = np.random.default_rng(0).normal(size=(50, 3)), labels(49, 1), labels(30, 20)
    for target, said in ((rare, True), (plenty, False)):
        found = [
            compare_imbalances(x[:, :1], x[:, 1:], target),
            imbalance_matrix({"x": x}, targets={"class": target}),
            imbalance_scale_curve(x, target),
        ]
        assert [any(text.startswith("undecided") for text in one.warnings) for one in found] == [said] * 3
    assert "single item" in information_imbalance(x[:8], labels(*[1] * 8)).verdict


@pytest.mark.parametrize(
    ("counts", "low", "high"), [((49, 1), 0.25, 0.45), ((48, 2), 0.0, 0.05), ((48, 1, 1), 0.05, 0.2)]
)
def test_how_often_chance_gives_the_best_value(counts, low, high):
    """Classes shuffled among points of three dimensions; the law of Poisson comes near."""
    g, label, best = np.random.default_rng(1), np.repeat(np.arange(len(counts)), counts), 0
    alone = np.array(counts)[label] == 1
    for _ in range(40):
        near = cKDTree(x := g.normal(size=(50, 3))).query(x, 2)[1][:, 1]
        for _ in range(25):
            order = g.permutation(50)
            misses = label[order][near] != label[order]
            best += not misses[~alone[order]].any()
    assert low < best / 1000 < high and low < best_by_chance(counts) < high


def test_two_classes_of_enough_items_have_a_verdict():
    x = np.random.default_rng(3).normal(size=(50, 2))
    x[25:] += 20
    found = information_imbalance(x, labels(25, 25))
    assert not found.a_to_b_undecided and found.relation == "equivalent"
    share = 1 / 52  # no neighbour is of another class, and the error was zero
    assert found.a_to_b_se == pytest.approx(0.98 * np.sqrt(share * (1 - share) / 50), rel=1e-12)


@pytest.mark.parametrize("n", [3, 4, 5, 6, 10])
def test_a_handful_of_items_has_no_error_of_zero(n):
    for seed in range(12):
        x = np.random.default_rng(seed).normal(size=(n, 2))
        found = information_imbalance(x, x[:, :1])
        errors = np.array([found.a_to_b_se, found.b_to_a_se, found.asymmetry_se])
        assert not (errors == 0).any()
        assert np.isnan(errors).any() == any("tells no error" in note for note in found.notes)


@pytest.mark.parametrize("n", [3, 4, 5, 7, 10])
def test_nothing_of_a_handful_of_items_has_an_error_of_zero(n):
    """Matrices, differences, fits and overlaps: an error above zero, or none."""
    for seed in range(3):
        g = np.random.default_rng(seed)
        x, z, kind = g.normal(size=(n, 2)), g.normal(size=(n, 2)), g.integers(0, 2, n)
        found = [
            compare_imbalances(x[:, :1], z, x).difference_se,
            DifferentiableImbalance().fit(x, x[:, 0] + z[:, 0]).result_.dii_se,
            neighborhood_overlap(x, z, k=2).overlap_se,
            label_overlap(x, kind, k=2).overlap_se,
            *imbalance_matrix({"x": x, "z": z}).values_se[[0, 1], [1, 0]],
        ]
        assert not any(error == 0 for error in found), found


def test_a_constant_column_tells_nothing_of_many_rows():
    """Sums of 9,000 ranks end at 1 within rounding, and other processors add in another order."""
    x = np.random.default_rng(0).normal(size=(9000, 3))
    found = information_imbalance(x, np.ones((9000, 1)))
    assert found.a_to_b == 1.0 and found.relation == "independent"
    for ulps in (-3, -1, 1, 3):
        off = type(found)(**(vars(found) | {"a_to_b": 1 + ulps * 1.1e-16, "a_to_b_se": 0.0}))
        assert off.relation == "independent"
