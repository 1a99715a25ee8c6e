"""Layers of two models beside each other: values by hand, nulls by measuring shuffled layers, levels and errors."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist, pdist
from scipy.stats import spearmanr

from infoscope import Space, information_imbalance
from infoscope.base import DataError, DataWarning, ParameterError
from infoscope.representations import (
    calibrate,
    canonical_correlations,
    cknna,
    compare_directions,
    compare_layers,
    conditional_imbalance,
    joint_imbalance,
    procrustes_distance,
    semantic_layers,
    token_lag_imbalance,
    token_number_curve,
)

SUMS = ("imbalance", "mutual_knn", "cka", "cka_debiased", "rsa")
ROTATIONS = ("procrustes", "cca", "svcca")
ALL = (*SUMS, *ROTATIONS, "cknna")


@pytest.fixture(scope="module")
def models():
    """Two layers that know of three hidden numbers, and one that does not; two layers of another width."""
    g = np.random.default_rng(0)
    hidden = g.normal(size=(90, 3))
    a = [hidden @ g.normal(size=(3, 8)), g.normal(size=(90, 20)), np.tanh(hidden @ g.normal(size=(3, 8)))]
    b = [hidden @ g.normal(size=(3, 40)) + g.normal(size=(90, 40)), hidden]
    return a, b


@pytest.fixture(scope="module")
def found(models):
    return compare_layers(*models, measures=ALL, k=2, k_mutual=5, n_permutations=49, random_state=1)


def by_hand(x, y, measure):
    """One value from the definitions, with all matrices."""
    n = len(x)
    if measure in ("cka", "cka_debiased"):
        k, q = x @ x.T, y @ y.T
        if measure == "cka":
            h = np.eye(n) - 1 / n
            return np.sum(h @ k @ h * q) / np.sqrt(np.sum(h @ k @ h * k) * np.sum(h @ q @ h * q))

        def hsic(k, q):  # Song et al. (2012), equation (5)
            k, q = k - np.diag(np.diag(k)), q - np.diag(np.diag(q))
            one = np.ones(n)
            value = np.trace(k @ q) + (one @ k @ one) * (one @ q @ one) / (n - 1) / (n - 2)
            return value - 2 / (n - 2) * one @ k @ q @ one

        return hsic(k, q) / np.sqrt(hsic(k, k) * hsic(q, q))
    if measure == "rsa":
        return spearmanr(pdist(x, "cosine"), pdist(y, "cosine")).statistic
    if measure == "procrustes":
        return np.cos(procrustes_distance(x, y))
    if measure in ("cca", "svcca"):
        return canonical_correlations(x, y, keep=0.99 if measure == "svcca" else None).mean()
    if measure == "cknna":
        return cknna(*(Space(z, metric="cosine", name="layer") for z in (x, y)), 5)
    near = []
    for z in (x, y):
        d = cdist(z, z, "cosine")
        np.fill_diagonal(d, np.inf)
        near.append(np.argsort(d, axis=1)[:, :5])
    return np.mean([len(set(p) & set(q)) / 5 for p, q in zip(*near, strict=True)])


@pytest.mark.parametrize("measure", ALL[1:])
def test_values_are_those_of_the_definitions(models, found, measure):
    """Matrices are kept in single precision: 1e-6; shares of neighbours are exact."""
    for a, x in enumerate(models[0]):
        for b, y in enumerate(models[1]):
            assert found.table(measure)[a, b] == pytest.approx(by_hand(x, y, measure), abs=1e-6)


def test_imbalances_are_those_of_the_library(models, found):
    for a, x in enumerate(models[0]):
        for b, y in enumerate(models[1]):
            one = information_imbalance(Space(x, metric="cosine"), Space(y, metric="cosine"), k=2)
            for measure in ("a_to_b", "b_to_a"):
                assert found.table(measure)[a, b] == pytest.approx(getattr(one, measure), abs=1e-12)
                error = found.table(measure, "values_se")[a, b]
                assert error == pytest.approx(getattr(one, f"{measure}_se"), rel=1e-9)
    np.testing.assert_allclose(found.asymmetry, found.table("a_to_b") - found.table("b_to_a"), atol=1e-15)


def test_shuffles_are_looked_up_and_not_measured_again(models):
    """The null of every measure is what the shuffled layers have when they are measured: 1e-6, single precision."""
    a, b = models
    options = dict(measures=ALL, k=2, k_mutual=5, n_permutations=19)
    found = compare_layers(a, b, random_state=np.random.default_rng(3), **options)
    g = np.random.default_rng(3)
    orders = [g.permutation(90) for _ in range(19)]
    shuffled = np.array(
        [compare_layers(a, [y[order] for y in b], random_state=0, **options).values for order in orders]
    )
    for m, measure in enumerate(found.measures):
        small = measure in ("a_to_b", "b_to_a")
        reached = (shuffled[:, m] <= found.values[m]) if small else (shuffled[:, m] >= found.values[m])
        np.testing.assert_allclose(found.p_values[m], (1 + reached.sum(0)) / 20)
        best = shuffled[:, m].min((1, 2)) if small else shuffled[:, m].max((1, 2))
        value = found.values[m].min() if small else found.values[m].max()
        assert found.best_p[m] == pytest.approx((1 + ((best <= value) if small else (best >= value)).sum()) / 20)
        worst = shuffled[:, m].min(2) if small else shuffled[:, m].max(2)
        partner = found.values[m].min(1) if small else found.values[m].max(1)
        edges = np.sort(np.concatenate([worst, partner[None]]), axis=0)[1 if small else -2]
        floor = 3 / 90 if small else 1.0  # (k + 1)/N is the least imbalance, 1 the largest similarity
        np.testing.assert_allclose(found.calibrated_a[m], np.clip((partner - edges) / (floor - edges), 0, 1), atol=1e-5)
        edge = np.sort(np.concatenate([shuffled[:, m], found.values[m][None]]), axis=0)[1 if small else -2]
        np.testing.assert_allclose(found.thresholds[m], edge, atol=1e-6)  # what lies beyond has p = 1/20


def test_what_is_alike_is_found_and_noise_is_not(found):
    best = {row["measure"]: row for row in found.best_rows()}
    for measure in found.measures:
        assert best[measure]["layer_a"] != "layer 1" and best[measure]["p_best"] == 0.02
        assert (found.table(measure, "p_values")[[0, 2]] == 0.02).all()
        assert (found.table(measure, "calibrated")[1] < 0.15).all()
    assert "a_to_b" in found.verdict and "(each at 5 %)" in found.verdict
    assert len(found.to_frame()) == (len(ALL) + 1) * 6


def test_width_makes_similarity_and_calibration_takes_it_away():
    """Independent normal columns: biased CKA is about D/(D + N), debiased 0 within 0.05 (N = 100, spread 0.016)."""
    g = np.random.default_rng(4)
    a, b = g.normal(size=(2, 1, 100, 1000))
    found = compare_layers(a, b, measures=("cka", "cka_debiased"), random_state=0, n_permutations=99)
    assert found.table("cka")[0, 0] == pytest.approx(0.909, abs=0.006)
    assert abs(found.table("cka_debiased")[0, 0]) < 0.05
    assert found.table("cka", "calibrated")[0, 0] < 0.01


@pytest.mark.parametrize(
    ("measures", "seeds", "most"), [pytest.param(SUMS, 200, 18, marks=pytest.mark.slow), (ALL[5:], 40, 6)]
)
def test_the_best_of_many_pairs_alarms_as_often_as_it_says(measures, seeds, most):
    """Pairs of independent models, 4 x 3 layers: of alarms at 5 % no more than the binomial 99 % bound, by each."""
    alarms = 0
    for seed in range(seeds):
        g = np.random.default_rng(seed)
        shared = g.normal(size=(2, 40, 3))  # layers of one model are alike
        a = [shared[0] @ g.normal(size=(3, 12)) for _ in range(4)]
        b = [shared[1] @ g.normal(size=(3, 6)) for _ in range(3)]
        found = compare_layers(a, b, measures=measures, k_mutual=5, n_permutations=39, random_state=g)
        alarms += found.best_p <= 0.05
    assert (alarms <= most).all() and (alarms >= 0.01 * seeds).all()


def test_tied_neighbours_share_their_mark():
    """Points of a grid have many neighbours at one angle: a layer is still itself, whatever the order of its items."""
    g = np.random.default_rng(8)
    points = np.argwhere(np.ones((6, 6))) + 1
    x, y = points * 1.0, points + 0.3 * g.normal(size=points.shape)
    order = g.permutation(36)
    options = dict(measures="cknna", k_mutual=4, n_permutations=19, random_state=0)
    found = compare_layers([x, y], [x, y], **options)
    again = compare_layers([x[order], y[order]], [x[order], y[order]], **options)
    np.testing.assert_allclose(np.diag(found.values[0]), 1.0, atol=1e-6)
    np.testing.assert_allclose(again.values, found.values, atol=1e-6)


def ratio_of_errors(make, measures, seeds=60):
    """Mean error over the spread of replicates, which sixty know to 9 %."""
    values, errors = [], []
    for seed in range(seeds):
        x, y = make(np.random.default_rng(seed))
        one = compare_layers([x], [y], measures=measures, n_permutations=19, random_state=0)
        values.append(one.values[:, 0, 0])
        errors.append(one.values_se[:, 0, 0])
    return np.sqrt(np.mean(np.square(errors), axis=0)) / np.std(values, axis=0, ddof=1)


def test_errors_are_those_of_replicates():
    """A planted relation.  Errors of mutual neighbours and of CKNNA are too large."""
    g = np.random.default_rng(9)
    to_a, to_b = g.normal(size=(4, 16)), g.normal(size=(4, 32))

    def make(g):
        hidden = g.normal(size=(100, 4))
        return hidden @ to_a, hidden @ to_b + g.normal(size=(100, 32))

    ratio = ratio_of_errors(make, ALL)
    assert (ratio > 0.75).all() and (np.delete(ratio, [2, 9]) < 1.3).all() and (ratio[[2, 9]] < 1.65).all()


def test_errors_of_nuclear_norms_with_noise_in_both_layers():
    """Four directions with noise, of all that one layer has; beyond them in the other there is noise alone."""
    g = np.random.default_rng(9)
    to_a, to_b = g.normal(size=(4, 4)), g.normal(size=(4, 8))

    def make(g):
        hidden = g.normal(size=(150, 4))
        return hidden @ to_a + g.normal(size=(150, 4)), hidden @ to_b + g.normal(size=(150, 8))

    ratio = ratio_of_errors(make, ROTATIONS, 100)
    assert (ratio > 0.75).all() and (ratio < 1.25).all()


def test_layers_are_loaded_once_and_names_are_kept(models, found):
    loaded = []

    def load(layer, name):
        def now():
            loaded.append(name)
            return layer

        return now

    a = {f"block {i}": load(x, f"a{i}") for i, x in enumerate(models[0])}
    b = {f"head {i}": load(x, f"b{i}") for i, x in enumerate(models[1])}
    again = compare_layers(a, b, measures=ALL, k=2, k_mutual=5, n_permutations=49, random_state=1, n_jobs=1)
    assert loaded == ["a0", "a1", "a2", "b0", "b1"]
    assert again.names_a == ("block 0", "block 1", "block 2") and again.names_b == ("head 0", "head 1")
    for name in ("values", "values_se", "thresholds", "calibrated", "p_values", "best_p", "asymmetry_se"):
        np.testing.assert_array_equal(getattr(again, name), getattr(found, name))


def test_both_models_in_another_order_of_items(models, found):
    order = np.random.default_rng(5).permutation(90)
    a, b = ([x[order] for x in layers] for layers in models)
    again = compare_layers(a, b, measures=ALL, k=2, k_mutual=5, n_permutations=49, random_state=1)
    np.testing.assert_allclose(again.values, found.values, atol=1e-6)
    np.testing.assert_allclose(again.values_se[:-1], found.values_se[:-1], atol=1e-6)
    np.testing.assert_allclose(again.values_se[-1], found.values_se[-1], rtol=0.6)  # of CKNNA: other blocks, 16 % each


@pytest.mark.filterwarnings("ignore:.*items repeat another one")
def test_tied_neighbours_share_their_weight():
    """Signs of few features: overlaps are means over ways to break ties, here by enumeration of all of them."""
    from itertools import combinations

    g = np.random.default_rng(6)
    x, y = g.integers(0, 3, (2, 12, 1)).astype(float)
    found = compare_layers([x], [y], measures="mutual_knn", metric="euclidean", k_mutual=2, n_permutations=19)
    total = 0.0
    for i in range(12):
        ways = []
        for z in (x, y):
            d = np.abs(z[:, 0] - z[i, 0])
            d[i] = np.inf
            edge = np.sort(d)[1]
            sure, tied = np.flatnonzero(d < edge), np.flatnonzero(d == edge)
            ways.append([{*sure, *some} for some in combinations(tied, 2 - len(sure))])
        total += np.mean([len(p & q) / 2 for p in ways[0] for q in ways[1]])
    assert found.table("mutual_knn")[0, 0] == pytest.approx(total / 12, abs=1e-12)


def test_calibration_by_hand():
    shuffled = np.arange(19.0)[:, None, None] / 100 * np.array([[1.0, 2.0]])
    found = calibrate(np.array([[0.5, 0.1]]), shuffled)
    assert found.threshold.tolist() == [[0.18, 0.34]]  # the 19th of 20 values: what is above has p = 1/20
    np.testing.assert_allclose(found.p_value, [[1 / 20, 15 / 20]])
    assert found.best == (0, 0) and found.best_p == 1 / 20


@pytest.mark.parametrize(
    "change, said",
    [
        (dict(a=[]), "no layers"),
        (dict(a=5), "mapping of names"),
        (dict(a=np.eye(90)), "a is a single layer: give a list"),
        (dict(a="model.store"), "a is a path: open the store first"),
        (dict(a=[np.ones((90, 3))]), "a, layer 0 is dead: all 90 items have the same vector"),
        (dict(a=[np.full((90, 3), np.nan)]), "a, layer 0"),
        (dict(b=[np.ones((80, 3)) + np.arange(80)[:, None] ** [1, 2, 3]]), "80 items"),
        (dict(measures="cosine"), "measures"),
        (dict(measures=()), "name at least one"),
        (dict(n_permutations=0), "n_permutations is 0"),
        (dict(n_permutations=5), "n_permutations"),
        (dict(k=89), "k=89"),
        (dict(metric="manhattan"), "metric"),
        (dict(metric="euclidean", measures="cknna"), "cknna compares cosines"),
        (dict(k_mutual=89, measures="cknna"), "k_mutual=89"),
        (dict(level=2), "level"),
        (
            dict(a=[Space(np.random.default_rng(0).normal(size=(90, 2)), time=np.arange(90))], metric="euclidean"),
            "times",
        ),
    ],
)
def test_what_makes_no_sense_is_said(models, change, said):
    given = dict(a=models[0], b=models[1]) | change
    with pytest.raises((DataError, ParameterError), match=said):
        compare_layers(given.pop("a"), given.pop("b"), **given)


def test_items_that_are_there_twice_are_told():
    """Of 60 items 6 repeat others, in 5 groups; equal in one layer alone they are not the same item."""
    g = np.random.default_rng(0)
    x, y = g.normal(size=(2, 60, 4))
    x[54:], y[54:] = x[[0, 1, 2, 3, 4, 4]], y[[0, 1, 2, 3, 4, 4]]
    with pytest.warns(DataWarning, match=r"6 of 60 items repeat another one in all layers \(5 groups"):
        found = compare_layers([x, x[:, :2]], [y], n_permutations=19)
    assert len(found.warnings) == 1 and not found.notes
    z = g.normal(size=(60, 4))
    assert compare_layers([x], [z], n_permutations=19).warnings == ()
    signs = compare_layers([x > 0], [y > 0], measures="imbalance", metric="hamming", n_permutations=19)
    assert not signs.warnings and "items repeat another one" in signs.notes[0]  # few bits repeat by chance
    wide = g.normal(size=(400, 3))
    wide[7] = wide[300]
    assert compare_layers([wide], [wide[:, :2]], measures="imbalance", n_permutations=19).notes == (
        "1 of 400 items repeat another one in all layers (1 group of equal items)",
    )


@pytest.mark.parametrize(
    "compare",
    [
        lambda x, y: semantic_layers([x, x[:, :3]], [y, y[:, :3]], random_state=0),
        lambda x, y: compare_directions([x, x[:, :3]], [y]),
        lambda x, y: compare_directions([x], [y], pairs="same"),
        lambda x, y: joint_imbalance([x, x[:, :2]], y),
        lambda x, y: conditional_imbalance(x, y, np.arange(60.0) % 7, fraction=0.5, n_permutations=19),
        lambda x, y: token_number_curve(x[:, None], None, y[:, None], None, numbers=[1]),
        lambda x, y: token_lag_imbalance(
            np.stack([x, y], 1), lags=[1], controls={"other": np.stack([y[:, ::-1], x[:, ::-1]], 1)}
        ),
    ],
    ids=["semantic", "directions", "same", "joint", "conditional", "tokens", "controls"],
)
def test_items_that_are_there_twice_are_told_by_all_that_compare(compare):
    """Of 60 items 6 repeat others in all layers; of items that differ in a layer nothing is said."""
    x, y = np.random.default_rng(1).normal(size=(2, 60, 4))
    assert not compare(x, y).warnings
    x[54:] = x[:6]
    assert not compare(x, y).warnings
    y[54:] = y[:6]
    with pytest.warns(DataWarning, match="6 of 60 items repeat another one in all layers"):
        found = compare(x, y)
    assert len(found.warnings) == 1


def test_weights_that_are_equal_or_zero_say_which_items_count():
    g = np.random.default_rng(1)
    x, y = g.normal(size=(2, 60, 4))
    weight = np.where(np.arange(60) < 20, 0.0, 2.5)
    options = dict(measures=ALL[:-1], k_mutual=5, metric="euclidean", n_permutations=19, random_state=0)
    found = compare_layers([Space(x, sample_weight=weight)], [Space(y, sample_weight=weight)], **options)
    np.testing.assert_array_equal(found.values, compare_layers([x[20:]], [y[20:]], **options).values)
    assert found.n_items == 40


def test_the_direction_of_one_column_is_its_sign():
    x, y = np.random.default_rng(1).normal(size=(2, 60, 1))
    with pytest.raises(DataError, match=r"one column.*sign alone.*metric='euclidean'"):
        compare_layers([x], [y])
    assert np.isfinite(compare_layers([x], [y], metric="euclidean", n_permutations=19, random_state=0).values).all()


def test_ids_must_match():
    g = np.random.default_rng(0)
    x, ids = g.normal(size=(30, 3)), [f"text {i}" for i in range(30)]
    a = [Space(x, metric="cosine", ids=ids)]
    with pytest.raises(DataError, match="text"):
        compare_layers(a, [Space(x, metric="cosine", ids=ids[::-1])], measures=("imbalance", "rsa"))
    with pytest.raises(ParameterError, match="space of directions"):
        compare_layers(a, a, measures="cka")


def test_stores_are_models_whose_ids_must_match(models, found, tmp_path):
    from infoscope.representations import RepresentationStore

    ids = [f"text {i}" for i in range(90)]
    a, b = (
        RepresentationStore.from_arrays(tmp_path / name, layers, ids=ids, dtype="float64")
        for name, layers in zip("ab", models, strict=True)
    )
    again = compare_layers(a, b, measures=ALL, k=2, k_mutual=5, n_permutations=49, random_state=1)
    np.testing.assert_array_equal(again.values, found.values)
    other = RepresentationStore.from_arrays(tmp_path / "c", models[1], ids=ids[::-1])
    with pytest.raises(DataError, match="text"):
        compare_layers(a, other)


def test_numerical_rank_is_that_of_the_type_that_came():
    """Rank 3 of 6 in single precision: directions of rounding are none; of more features than items too."""
    g = np.random.default_rng(2)
    x, y = g.normal(size=(2, 80, 6))
    low = (x[:, :3] @ g.normal(size=(3, 6))).astype(np.float32)
    wide = (x[:, :3] @ g.normal(size=(3, 200))).astype(np.float32)
    found = compare_layers([low, wide], [y], measures=ROTATIONS, n_permutations=19)
    for a, layer in enumerate((low, wide)):
        assert len(canonical_correlations(layer, y)) == 3
        for measure in ROTATIONS:
            assert found.table(measure)[a, 0] == pytest.approx(by_hand(layer, y, measure), abs=1e-9)


def test_procrustes_of_more_features_than_items():
    x, y = np.random.default_rng(3).normal(size=(2, 30, 100))
    found = compare_layers([x, y], [y[:, :40], y], measures="procrustes", n_permutations=19, random_state=0)
    expected = [[np.cos(procrustes_distance(p, q)) for q in (y[:, :40], y)] for p in (x, y)]
    np.testing.assert_allclose(found.values[0], expected, atol=1e-7)  # cos(arccos) of a layer with itself
    assert found.values_se[0, 1, 1] == 0 and (found.p_values[0, 0] > 0.05).all()


def test_layers_whose_directions_are_all_that_items_have():
    g = np.random.default_rng(4)
    few, wide = g.normal(size=(40, 5)), g.normal(size=(40, 39))
    said = "b, layer 1 has rank 39 of 40 items: all canonical correlations are 1 whatever.*preprocess=PCA.*'svcca'"
    with pytest.raises(ParameterError, match=said):
        compare_layers([few], [few, wide], measures="cca")
    leading = wide * 0.6 ** np.arange(39)  # nine directions or so hold 99 % of the variance
    found = compare_layers([few], [leading], measures="svcca", n_permutations=19, random_state=0)
    assert found.values[0, 0, 0] == pytest.approx(canonical_correlations(few, leading, keep=0.99).mean(), abs=1e-12)
    with pytest.raises(ParameterError, match="a, layer 0 has rank 39 of 40 items.*preprocess=PCA"):
        compare_layers([g.normal(size=(40, 900))], [few], measures="svcca")
    from sklearn.decomposition import PCA

    reduced = compare_layers([few], [wide], measures="cca", preprocess=PCA(4), n_permutations=19, random_state=0)
    assert reduced.values[0, 0, 0] < 0.9


def test_coordinates_that_would_not_fit_are_refused(models, monkeypatch):
    """Two models of three layers, 90 items, at most 20 directions of 8 bytes: 86 kB at a limit of 80 kB."""
    from infoscope.representations import layer_tables

    monkeypatch.setattr(layer_tables, "LIMIT_BYTES", 80_000)
    with pytest.raises(ParameterError, match="6 layers of 90 items would take"):
        compare_layers(models[0], models[1], measures="procrustes")
