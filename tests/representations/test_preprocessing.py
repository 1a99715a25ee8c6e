"""Transformers of layers: by hand, by scikit-learn's checks, inside comparisons; signs by brute force."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from infoscope import Space, information_imbalance
from infoscope.base import DataError, ParameterError
from infoscope.representations import Center, ClipRows, RemoveCentroids, SignBits, choose_layers, compare_layers

QUICK = dict(n_permutations=19, random_state=0)


@parametrize_with_checks([ClipRows(), Center()])
def test_scikit_learn_finds_nothing_wrong(estimator, check):
    state = np.random.get_state(legacy=True)  # noqa: NPY002  (some checks draw from it themselves)
    check(estimator)
    np.random.set_state(state)  # noqa: NPY002


def test_quantiles_of_every_item_by_hand():
    x = np.random.default_rng(0).normal(size=(7, 11))
    expected = x.copy()
    for row in expected:  # linear interpolation between the sorted entries, positions q (D - 1)
        ordered = np.sort(row)
        for q, cut in ((0.1, np.maximum), (0.8, np.minimum)):
            place = q * 10
            low = int(place)
            row[:] = cut(row, ordered[low] + (place - low) * (ordered[min(low + 1, 10)] - ordered[low]))
    np.testing.assert_allclose(ClipRows(0.1, 0.8).fit_transform(x), expected, atol=1e-12)
    assert ClipRows().fit_transform(x.astype("f4")).dtype == np.float32


@pytest.mark.parametrize("quantiles", [{"lower": "0.1"}, {"lower": 0.9, "upper": 0.1}, {"upper": None}])
def test_quantiles_that_were_changed_after_the_fit_are_looked_at_again(quantiles):
    x = np.random.default_rng(0).normal(size=(5, 4))
    fitted = ClipRows().fit(x).set_params(**quantiles)
    for ask in (fitted.transform, fitted.fit):
        with pytest.raises(ParameterError, match="give 0 <= lower < upper <= 1"):
            ask(x)


def test_centroids_by_hand_and_groups_that_were_not_seen():
    g = np.random.default_rng(1)
    x, groups = g.normal(size=(30, 4)), g.integers(0, 3, 30)
    fit = RemoveCentroids(groups).fit(x)
    for one in range(3):
        np.testing.assert_allclose(fit.transform(x)[groups == one].mean(0), 0, atol=1e-12)
    new = fit.transform(x[:2] + 1, groups=[2, 0])
    np.testing.assert_allclose(new, x[:2] + 1 - [x[groups == 2].mean(0), x[groups == 0].mean(0)], atol=1e-12)
    with pytest.raises(DataError, match="no fitted item is of the group 7"):
        fit.transform(x[:2], groups=[0, 7])
    with pytest.raises(DataError, match="30"):
        fit.transform(x[:2])
    with pytest.raises(DataError, match="29 items"):
        RemoveCentroids(groups).fit(x[:29])
    with pytest.raises(ParameterError, match="no groups"):
        RemoveCentroids().fit(x)


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_a_missing_group_is_no_group_of_its_own(missing):
    groups = np.array(["a", missing, "a", "b"], object)
    with pytest.raises(DataError, match="label 1 of groups is missing"):
        RemoveCentroids(groups).fit(np.eye(4))


def test_groups_without_centroids_make_no_layers_alike():
    """In 40 pairs of layers without relation, in groups of four, each measure is below 0.05 in 7 at most (binomial,
    99 %); shuffles across groups would find debiased CKA there in nearly all.  What items share beyond their group is
    found, through a pipeline as well."""
    groups, beyond = np.repeat(np.arange(15), 4), []
    for seed in range(40):
        a, b = np.random.default_rng(seed).normal(size=(2, 1, 60, 12))
        options = dict(measures=("imbalance", "cka_debiased", "rsa"), random_state=0, n_jobs=1)
        found = compare_layers(a, b, preprocess=RemoveCentroids(groups), n_permutations=39, **options)
        beyond.append(found.best_p <= 0.05)
    assert (np.sum(beyond, 0) <= 7).all() and any("within the groups" in note for note in found.notes)
    steps = make_pipeline(RemoveCentroids(groups), StandardScaler())
    shared = compare_layers(a, a + 0.5 * b, preprocess=steps, n_permutations=39, **options)
    assert (shared.best_p == 1 / 40).all() and any("within the groups" in note for note in shared.notes)


def test_items_without_centroids_have_fewer_directions():
    """Sixty items less the means of fifteen groups have 45 directions: wide layers without relation fill them, and all
    their canonical correlations are 1."""
    groups = np.repeat(np.arange(15), 4)
    a, b = np.random.default_rng(0).normal(size=(2, 60, 50))
    left, right = (np.linalg.svd(RemoveCentroids(groups).fit_transform(x))[0][:, :45] for x in (a, b))
    np.testing.assert_allclose(np.linalg.svd(left.T @ right, compute_uv=False), 1)
    with pytest.raises(ParameterError, match="a, layer 0 has rank 45 of 60 items, centred in 15 groups: all canonical"):
        compare_layers([a], [b], measures="cca", preprocess=RemoveCentroids(groups), **QUICK)
    found = compare_layers([a[:, :44]], [b[:, :20]], measures="cca", preprocess=RemoveCentroids(groups), **QUICK)
    assert found.values[0, 0, 0] < 1


def test_zero_is_no_positive_number():
    x = np.array([[1.0, 0.0, -1.0, 2.0], [1.0, 1.0, 0.0, -2.0]])
    bits = SignBits().fit_transform(x)
    assert bits.metric == "bits" and bits.n_bits == 4
    assert bits.pair_distances([0], [1])[0] == np.sum(np.where(x[0] > 0, 1, -1) != np.where(x[1] > 0, 1, -1))


def test_features_that_outweigh_all_others():
    """The meaning is in 16 features; two are 1000 times larger and know nothing: clipped, little of them is left."""
    g = np.random.default_rng(2)
    hidden = g.normal(size=(300, 4))
    a, b = (hidden @ g.normal(size=(4, 16)) for _ in range(2))
    spoilt = [np.hstack([x, 1000 * np.abs(g.normal(size=(300, 2)))]) for x in (a, b)]
    values = [
        compare_layers([x], [y], measures="imbalance", preprocess=steps, **QUICK).values[:, 0, 0].mean()
        for (x, y), steps in (((a, b), None), (spoilt, None), (spoilt, ClipRows(0.05, 0.85)))
    ]
    assert values[0] < 0.1 and values[1] > 0.9 and values[2] < values[0] + 0.1


def test_steps_are_those_by_hand_and_recorded():
    g = np.random.default_rng(3)
    a, b, groups = g.normal(size=(60, 6)) + 5, g.normal(size=(60, 9)) + 5, g.integers(0, 4, 60)
    steps = [RemoveCentroids(groups), StandardScaler(), PCA(3)]
    found = compare_layers([a], [b], measures=("imbalance", "cka", "rsa"), preprocess=steps, **QUICK)
    by_hand = [make_pipeline(RemoveCentroids(groups), StandardScaler(), PCA(3)).fit_transform(x) for x in (a, b)]
    plain = compare_layers([by_hand[0]], [by_hand[1]], measures=("imbalance", "cka", "rsa"), **QUICK)
    np.testing.assert_allclose(found.values, plain.values, atol=1e-9)
    assert found.preprocess[0].startswith("RemoveCentroids(groups=60 values, hash ")
    assert found.preprocess[2].startswith("PCA(") and "n_components=3" in found.preprocess[2]
    assert "StandardScaler(" in str(found) and plain.preprocess == ()
    assert found.provenance.parameters["preprocess"][1].startswith("StandardScaler(")


def test_a_choice_gives_every_part_its_own_groups():
    g = np.random.default_rng(4)
    a, b, groups = g.normal(size=(2, 80, 5)), g.normal(size=(1, 80, 5)), g.integers(0, 2, 80)
    found = choose_layers(a, b, preprocess=RemoveCentroids(groups), n_permutations=19, random_state=0)
    rows, place = found.items, int(found.layer_a.split()[1])
    by_hand = [RemoveCentroids(groups[rows]).fit_transform(x[rows]) for x in (a[place], b[0])]
    plain = compare_layers([by_hand[0]], [by_hand[1]], measures="cka_debiased", **QUICK)
    np.testing.assert_allclose(found.judged.values, plain.values, atol=1e-6)


@pytest.mark.filterwarnings("ignore:.*items repeat another one in all layers")  # six signs tell 64 items apart
@pytest.mark.parametrize("n_features", [6, 130])
def test_signs_with_ties_are_those_of_the_library_and_of_counting(n_features):
    """Few bits are full of ties: against spaces of unequal entries, and mutual neighbours by hand."""
    g = np.random.default_rng(5)
    hidden = g.normal(size=(50, 5))
    a, b = (hidden @ g.normal(size=(5, n_features)) for _ in range(2))
    found = compare_layers([a], [b], measures=("imbalance", "mutual_knn", "rsa"), k_mutual=4, metric="hamming",
                           preprocess=SignBits(), **QUICK)  # fmt: skip
    signs = [(x > 0).astype(float) for x in (a, b)]
    one = information_imbalance(*(Space(x, metric="hamming") for x in signs), k=1)
    assert found.table("a_to_b")[0, 0] == pytest.approx(one.a_to_b, abs=1e-12)
    assert found.table("b_to_a", "values_se")[0, 0] == pytest.approx(one.b_to_a_se, rel=1e-9)
    weights = []
    for x in signs:
        d = (x[:, None] != x).sum(2).astype(float)
        np.fill_diagonal(d, np.inf)
        kth = np.sort(d, axis=1)[:, 3:4]
        closer, tied = d < kth, d == kth
        weights.append(closer + tied * (4 - closer.sum(1, keepdims=True)) / tied.sum(1, keepdims=True))
    share = (weights[0] * weights[1]).sum() / (4 * 50)
    assert found.table("mutual_knn")[0, 0] == pytest.approx(share, abs=1e-12)
    plain = compare_layers(signs[:1], signs[1:], measures=("imbalance", "mutual_knn", "rsa"), k_mutual=4,
                           metric="hamming", **QUICK)  # fmt: skip
    np.testing.assert_array_equal(plain.values, found.values)


@pytest.mark.parametrize(
    ("steps", "metric", "said"),
    [
        (ClipRows, "cosine", "give transformers"),
        ("clip", "cosine", "give transformers"),
        (ClipRows(0.9, 0.1), "cosine", "a, layer 0, ClipRows.*lower"),
        ([SignBits(), Center()], "hamming", "put SignBits"),
        (SignBits(), "cosine", "say metric='hamming'"),
        (None, "hamming", "SignBits"),
        (RemoveCentroids([0, 1]), "cosine", "a, layer 0, RemoveCentroids"),
    ],
)
def test_what_makes_no_sense_is_said(steps, metric, said):
    x = np.random.default_rng(0).normal(size=(1, 30, 4))
    with pytest.raises((DataError, ParameterError), match=said):
        compare_layers(x, x, metric=metric, preprocess=steps, **QUICK)
    with pytest.raises(ParameterError, match="give them as an array"):
        compare_layers([Space(x[0], metric="cosine")], x, preprocess=Center(), **QUICK)
