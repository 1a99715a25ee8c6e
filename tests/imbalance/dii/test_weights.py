"""Sample weights: hand example, published numbers, brute force, and what weights must not change."""

import itertools
import warnings

import numpy as np
import pytest
from tests.imbalance import brute

from infoscope.base import DataError, DataWarning, ParameterError
from infoscope.imbalance import imbalance_matrix, imbalance_scale_curve, information_imbalance
from infoscope.neighbors import Space

pytestmark = pytest.mark.filterwarnings("ignore::infoscope.base.errors.DataWarning")
RULES = ("mass", "count", "thinning")
TRUTH = 0.56027  # x -> (x, y) for independent Gaussians, N to infinity


def weighted(a, b, w, **options):
    return information_imbalance(Space(a, sample_weight=w), Space(b, sample_weight=w), on_low_weight="warn", **options)


def tilted_columns(n=200, seed=2024):
    x = np.random.default_rng(seed).normal(size=(n, 3))
    return x[:, :1], x[:, :2], np.exp(0.8 * x[:, 1])


# ----------------------------------------------------------------------------------------------- known numbers
def test_hand_example():
    a, b, w = np.array([0, 1, 3, 7.0])[:, None], np.array([0, 4, 1, 2.0])[:, None], np.array([1, 2, 3, 4.0])
    u = np.array(
        [
            [0, 0.78636364, 0.25454545, 0.54090909],
            [0.81111111, 0, 0.63333333, 0.32222222],
            [0.4, 0.75, 0, 0.4],
            [0.68, 0.68, 0.32, 0],
        ]
    )
    np.testing.assert_allclose(brute.rescaled_ranks(brute.distances(b), ~np.eye(4, dtype=bool), w), u, atol=5e-9)
    assert u[0, 2] == pytest.approx((3 / 2 + 29 / 18) / (9 + 29 / 9), abs=5e-9)
    cases = [  # errors: brute.weighted_variance
        (1, "count", 1.1877171717, 0.25653464),
        (2, "count", 1.1157656566, 0.15582104),
        (1, "mass", 1.0281415749, 0.21330838),
        (1, "thinning", 1.0096829502, 0.15655017),
    ]
    for k, rule, value, se in cases:
        result = weighted(a, b, w, k=k, neighbor_rule=rule)
        assert result.a_to_b == pytest.approx(value, abs=1e-8)
        assert result.a_to_b_se == pytest.approx(se, abs=1e-6)  # its slopes are differences of 1e-6


@pytest.mark.parametrize(
    ("k", "rule", "value", "se"),
    [
        (1, "count", 0.7968214626, 0.0825278912),
        (10, "count", 0.6236654180, 0.0554845917),
        (10, "mass", 0.6194820504, 0.0522465049),
        (1, "thinning", 0.6396201197, 0.0643497267),
        (3, "thinning", 0.6388032285, 0.0580248844),
    ],
)
def test_tilted_gaussian(k, rule, value, se):
    a, b, w = tilted_columns()
    result = weighted(a, b, w, k=k, neighbor_rule=rule)
    assert result.a_to_b == pytest.approx(value, abs=1e-7 if rule == "thinning" else 1e-8)
    assert result.a_to_b_se == pytest.approx(se, abs=2e-6)  # brute.weighted_variance, whose slopes are differences
    assert result.n_kish == pytest.approx(101.1273407836, abs=1e-8)
    d = brute.distances(a), brute.distances(b)
    assert result.a_to_b == pytest.approx(brute.weighted_imbalance(*d, w, k, rule), abs=1e-8)


def test_defaults_with_weights():
    a, b, w = tilted_columns()
    assert weighted(a, b, w).a_to_b == weighted(a, b, w, k=10, neighbor_rule="mass").a_to_b
    assert weighted(a, b, w).k == 10
    thinned = weighted(a, b, w, neighbor_rule="thinning")
    assert thinned.k == 1 and thinned.a_to_b == pytest.approx(0.6396201197, abs=1e-7)


def replicas(y, w):
    """Row j w_j times; copies of one row are one run, so that they are no neighbours of each other."""
    run = np.repeat(np.arange(len(w)), w)
    return y[run], run


@pytest.mark.parametrize(
    ("k", "expected", "naive", "default"),
    [(1, 0.4700806857, 0.1250743605, 0.5095695688), (4, 0.5251245194, 0.3470404521, 0.5063254250)],
)
def test_whole_weights_are_replicated_rows(k, expected, naive, default):
    g = np.random.default_rng(7)
    y, w = g.normal(size=(40, 2)), g.integers(1, 4, 40)
    x, run = replicas(y, w)
    copies = information_imbalance(Space(x[:, :1], run=run), Space(x, run=run), k=k, neighbors_from="other_runs")
    masses = weighted(y[:, :1], y, w, k=k, neighbor_rule="mass", effective_unit=1.0)
    assert masses.a_to_b == pytest.approx(copies.a_to_b, abs=1e-12) == pytest.approx(expected, abs=1e-10)
    # a copy is its own nearest neighbour where copies may be neighbours: the value means nothing
    assert information_imbalance(x[:, :1], x, k=k, exclusion_window=0).a_to_b == pytest.approx(naive, abs=1e-10)
    assert weighted(y[:, :1], y, w, k=k, neighbor_rule="mass").a_to_b == pytest.approx(default, abs=1e-10)


def test_unit_of_mass():
    a, b, w = tilted_columns()
    assert weighted(a, b, w, k=10, effective_unit=1.0).a_to_b == pytest.approx(0.6265164085, abs=1e-8)


# -------------------------------------------------------------------------------------------------- brute force
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("seed", range(8))
def test_random_weights_against_brute_force(rule, seed):
    """With and without ties, zero weights and labels; the error too."""
    g = np.random.default_rng(seed)
    n, k = int(g.integers(12, 32)), int(g.integers(1, 5))
    w = g.integers(0, 4, n).astype(float) if seed % 2 else np.exp(g.normal(size=n))
    x, y = (g.integers(0, 3, (n, 2)).astype(float) if seed % 4 < 2 else g.normal(size=(n, 2)) for _ in range(2))
    labels = g.integers(0, 3, n)
    kept = w > 0
    ok = ~np.eye(kept.sum(), dtype=bool)
    d_x, d_y, d_labels = brute.distances(x[kept]), brute.distances(y[kept]), brute.label_distances(labels[kept])
    for target, d in ((Space(y, sample_weight=w), d_y), (Space.from_labels(labels, sample_weight=w), d_labels)):
        result = information_imbalance(Space(x, sample_weight=w), target, k=k, neighbor_rule=rule, on_low_weight="warn")
        expected = (
            brute.weighted_imbalance(d_x, d, w[kept], k, rule),
            brute.weighted_imbalance(d, d_x, w[kept], k, rule),
        )
        np.testing.assert_allclose((result.a_to_b, result.b_to_a), expected, atol=2e-9)
        c = brute.neighbor_weights(d_x, ok, w[kept], k, rule)
        variance = brute.weighted_variance(d_x, d, w[kept], k, rule)
        if target.metric == "labels":
            variance = max(variance, brute.count_variance(w[kept][:, None] / w[kept].sum() * c, d_labels))
        assert result.a_to_b_se == pytest.approx(np.sqrt(variance), abs=1e-5)  # slopes are differences of 1e-6


@pytest.mark.parametrize("k", [1, 2, 4])
def test_thinning_against_all_survivals(k):
    """Every one of the 2^10 sets of survivors, with its probability."""
    g = np.random.default_rng(3)
    n = 10
    a, b, w = g.normal(size=(n, 2)), g.normal(size=(n, 2)), g.uniform(0.2, 2, n)
    d = brute.distances(a)
    survive = w / w.max()
    c = np.zeros((n, n))
    for alive in itertools.product((False, True), repeat=n):
        alive = np.array(alive)
        probability = np.prod(np.where(alive, survive, 1 - survive))
        for i in range(n):
            others = np.flatnonzero(alive & (np.arange(n) != i))
            c[i, others[np.argsort(d[i, others])[:k]]] += probability / k
    c /= c.sum(1, keepdims=True)
    u = brute.rescaled_ranks(brute.distances(b), ~np.eye(n, dtype=bool), w)
    found = weighted(a, b, w, k=k, neighbor_rule="thinning")
    np.testing.assert_allclose(found.a_to_b_rows, 2 * (c * u).sum(1), atol=1e-9)  # the walk ends at 1e-9


def test_thinning_with_a_cap():
    a, b, w = tilted_columns(60)
    d = brute.distances(a), brute.distances(b)
    cap = np.quantile(w, 0.9)
    found = weighted(a, b, w, k=2, neighbor_rule="thinning", cap=cap)
    assert found.a_to_b == pytest.approx(brute.weighted_imbalance(*d, w, 2, "thinning", cap=cap), abs=1e-8)
    with pytest.raises(ParameterError, match="cap is 0"):
        weighted(a, b, w, neighbor_rule="thinning", cap=0.0)


def test_thinning_that_would_walk_too_far():
    x = np.random.default_rng(5).normal(size=(500, 2))
    w = np.ones(500)
    w[0] = 40
    with pytest.raises(ParameterError, match="half of all items"):
        weighted(x, x[:, :1], w, neighbor_rule="thinning")


def test_ranks_have_mean_one_half():
    """sum_j w_j u_ij / V_i = 1/2 for any weights and ties: a constant B gives exactly one."""
    g = np.random.default_rng(6)
    x, w = g.normal(size=(50, 2)), g.exponential(size=50)
    for rule in RULES:
        assert weighted(x, np.ones((50, 1)), w, k=2, neighbor_rule=rule).a_to_b == pytest.approx(1, abs=1e-12)
        assert weighted(np.ones((50, 1)), x, w, k=50 - 1, neighbor_rule=rule).a_to_b == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("k", [1, 2, 7])
def test_identical_spaces_reach_the_floor(rule, k):
    """The neighbours come first, in the order of their weights; and no target does better."""
    g = np.random.default_rng(k)
    x, w = g.normal(size=(40, 3)), g.exponential(size=40)
    result = weighted(x, x.copy(), w, k=k, neighbor_rule=rule)
    assert result.a_to_b_floor == pytest.approx(result.a_to_b, abs=1e-9)
    assert weighted(x, x[:, :1], w, k=k, neighbor_rule=rule).a_to_b_floor == pytest.approx(
        result.a_to_b_floor, abs=1e-9
    )
    tied = weighted(np.rint(x[:, :1]), x, w, k=k, neighbor_rule=rule)
    assert tied.a_to_b_floor <= tied.a_to_b


# ---------------------------------------------------------------------------------------- what changes nothing
@pytest.mark.parametrize("rule", [None, *RULES])
@pytest.mark.parametrize("k", [1, 3, 10])
def test_equal_weights_are_no_weights(rule, k):
    x = np.random.default_rng(42).normal(size=(1000, 3))
    expected = {1: 0.662916, 3: 0.6808607, 10: 0.6770832}[k]
    plain = information_imbalance(x[:, :1], x, k=k)
    found = information_imbalance(
        *(Space(s, sample_weight=np.full(1000, 7.0)) for s in (x[:, :1], x)), k=k, neighbor_rule=rule
    )
    assert found.a_to_b == plain.a_to_b == pytest.approx(expected, abs=5e-7)
    assert found.a_to_b_se == plain.a_to_b_se


@pytest.mark.parametrize("rule", RULES)
def test_the_weighted_formula_at_nearly_equal_weights(rule):
    """Not the shortcut for equal weights: one weight differs in the last place."""
    x = np.random.default_rng(42).normal(size=(1000, 3))
    w = np.ones(1000)
    w[0] = 1 + 1e-14
    found = weighted(x[:, :1], x, w, k=3, neighbor_rule=rule)
    assert found.a_to_b == pytest.approx(
        information_imbalance(x[:, :1], x, k=3).a_to_b, abs=1e-9 if rule == "thinning" else 1e-12
    )


@pytest.mark.parametrize("rule", RULES)
def test_scale_of_weights_does_not_matter(rule):
    a, b, w = tilted_columns()
    first, four, seven = (weighted(a, b, factor * w, k=5, neighbor_rule=rule) for factor in (1, 4, 7))
    assert (four.a_to_b, four.b_to_a, four.a_to_b_se) == (first.a_to_b, first.b_to_a, first.a_to_b_se)  # a power of two
    assert seven.a_to_b == pytest.approx(first.a_to_b, rel=1e-12)


@pytest.mark.parametrize("rule", RULES)
def test_weight_zero_means_no_row(rule):
    a, b, w = tilted_columns(150)
    w[::7] = 0
    kept = w > 0
    found, removed = (
        weighted(a, b, w, k=3, neighbor_rule=rule),
        weighted(a[kept], b[kept], w[kept], k=3, neighbor_rule=rule),
    )
    assert found.a_to_b == pytest.approx(removed.a_to_b, abs=1e-12)
    assert found.a_to_b_se == pytest.approx(removed.a_to_b_se, abs=1e-12)
    assert found.n_items == kept.sum() and any("22 items of weight zero" in note for note in found.notes)


def test_weights_of_zero_and_one_are_a_subset():
    """With its defaults too: k = 1, as without weights."""
    a, b, _ = tilted_columns(80)
    w = np.random.default_rng(8).integers(0, 2, 80)
    found, subset = weighted(a, b, w), information_imbalance(a[w > 0], b[w > 0])
    assert found.k == subset.k == 1
    assert (found.a_to_b, found.b_to_a, found.a_to_b_se) == (subset.a_to_b, subset.b_to_a, subset.a_to_b_se)
    spaces = {name: Space(x, sample_weight=w) for name, x in (("a", a), ("b", b))}
    assert imbalance_matrix(spaces).values[0, 1] == subset.a_to_b


@pytest.mark.parametrize("rule", RULES)
def test_order_of_rows_does_not_matter(rule):
    g = np.random.default_rng(9)
    a, b, w = g.integers(0, 3, (40, 2)).astype(float), g.integers(0, 4, (40, 1)).astype(float), g.exponential(size=40)
    order = g.permutation(40)
    first, second = (weighted(a[o], b[o], w[o], k=3, neighbor_rule=rule) for o in (np.arange(40), order))
    np.testing.assert_allclose(second.a_to_b_rows, first.a_to_b_rows[order], atol=1e-12)


# ----------------------------------------------------------------------------------------------- what is reported
def test_few_effective_items():
    x = np.random.default_rng(10).normal(size=(60, 2))
    w = np.ones(60)
    w[17] = 1000.0
    spaces = [Space(x, sample_weight=w), Space(x[:, :1], sample_weight=w)]
    with pytest.raises(DataError, match="effective items of 60"):
        information_imbalance(*spaces)
    with pytest.warns(DataWarning) as caught:
        result = information_imbalance(*spaces, on_low_weight="warn")
    texts = " ".join(str(one.message) for one in caught)
    assert "effective items of 60" in texts and "item 17 alone carries 94% of the weight" in texts
    assert result.n_kish == pytest.approx(w.sum() ** 2 / (w**2).sum()) and len(result.warnings) == 2
    with pytest.raises(ParameterError, match="on_low_weight"):
        information_imbalance(*spaces, on_low_weight="ignore")


def test_small_k_with_weights_warns():
    a, b, w = tilted_columns()
    for rule in ("mass", "count"):
        with pytest.warns(DataWarning, match="k >= 5"):
            weighted(a, b, w, k=4, neighbor_rule=rule)
    with warnings.catch_warnings():
        warnings.simplefilter("error", DataWarning)
        weighted(a, b, w, k=1, neighbor_rule="thinning")
        weighted(a, b, w, k=5, neighbor_rule="mass")


def test_the_rule_of_equal_shares_is_not_offered():
    a, b, w = tilted_columns()
    for rule in ("equal", "nearest", "Mass"):
        with pytest.raises(ParameterError, match="neighbor_rule"):
            weighted(a, b, w, neighbor_rule=rule)


def test_scale_curve_with_weights_is_one_comparison_for_each_k():
    a, b, w = tilted_columns()
    spaces = [Space(a, sample_weight=w), Space(b, sample_weight=w)]
    curve = imbalance_scale_curve(*spaces, k=(5, 8), neighbor_rule="count")
    for place, k in enumerate((5, 8)):
        single = information_imbalance(*spaces, k=k, neighbor_rule="count")
        assert (curve.a_to_b[place], curve.b_to_a_se[place]) == (single.a_to_b, single.b_to_a_se)
    assert curve.n_kish == pytest.approx(101.1273407836, abs=1e-8)


# --------------------------------------------------------------------------------------------------- statistics
def reweighted_values(n, seeds, rule, k):
    """x, y with y drawn from N(0.8, 1.6^2) and reweighted to N(0, 1): the weight is hidden from x."""
    values, plain, shares = [], [], []
    for seed in range(seeds):
        g = np.random.default_rng(seed)
        y = g.normal(0.8, 1.6, n)
        x = np.column_stack([g.normal(size=n), y])
        w = np.exp(-(y**2) / 2 + (y - 0.8) ** 2 / (2 * 1.6**2))
        result = weighted(x[:, :1], x, w, k=k, neighbor_rule=rule)
        values.append(result.a_to_b)
        shares.append(result.n_kish / n)
        plain.append(information_imbalance(x[:, :1], x).a_to_b)
    return np.mean(values), np.mean(plain), np.mean(shares)


@pytest.mark.parametrize(("rule", "k"), [("mass", 10), ("count", 10), ("thinning", 1)])
def test_reweighting_to_the_target(rule, k):
    """At N = 500 a single value scatters by 0.03: the mean of ten by 0.01."""
    value, plain, share = reweighted_values(500, 10, rule, k)
    assert value == pytest.approx(TRUTH, abs=0.03)
    assert plain == pytest.approx(0.718, abs=0.04)  # without weights
    assert share == pytest.approx(0.68, abs=0.03)


@pytest.mark.slow
@pytest.mark.parametrize(("rule", "k"), [("mass", 10), ("mass", 40), ("count", 10), ("count", 40), ("thinning", 1)])
def test_reweighting_to_the_target_in_full(rule, k):
    value, plain, _ = reweighted_values(1500, 14, rule, k)
    assert value == pytest.approx(TRUTH, abs=0.015)
    assert plain == pytest.approx(0.718, abs=0.015)
