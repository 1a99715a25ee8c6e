"""Selection of features: published sets and values, brute force, agreement with information_imbalance, validation."""

import itertools

import numpy as np
import pytest
from tests.imbalance import brute

import infoscope
import infoscope.base
from infoscope.base import DataError, ParameterError
from infoscope.imbalance import (
    dii_backward,
    dii_exhaustive,
    dii_forward,
    dii_path,
    dii_value_and_grad,
    information_imbalance,
    select_features_imbalance,
)
from infoscope.imbalance.selection import l1_path
from infoscope.imbalance.selection.results import suggest
from infoscope.neighbors import Space

NOW = {"exclusion_window": 0}  # rows are independent: nothing is warned about


def five_gaussians(n=500):
    a = np.random.RandomState(0).normal(size=(500, 5))[:n]
    return a, a * [10, 3, 1, 30, 7.3]


def ten_gaussians():
    x = np.random.RandomState(9).multivariate_normal(np.zeros(10), np.eye(10), size=1500)
    return x, x * np.array([5, 2, 1, 1, 0.5] + [1e-4] * 5)


def with_a_copy(n=300):
    g = np.random.default_rng(5)
    x = g.normal(size=(n, 8))
    x[:, 7] = x[:, 0] + 0.3 * g.normal(size=n)
    return x, np.column_stack([2 * x[:, 0] ** 2, 2 * x[:, 1] * x[:, 2], np.sin(2 * x[:, 3])])


# ----------------------------------------------------------------------------------------------------- published sets
def test_forward_and_backward_find_the_published_sets():
    a, b = five_gaussians()
    path = dii_forward(a, b, k=1, **NOW)
    assert path.sets == ((3,), (0, 3), (0, 3, 4), (0, 1, 3, 4), (0, 1, 2, 3, 4))
    # the published optimum, to the digits given; each weight in the units of its own column
    w = path.weights[-1] / path.weights[-1].max() * 30
    np.testing.assert_allclose(w, [9.993, 2.953, 0.887, 30, 7.309], atol=5e-3)
    assert path.value[-1] == pytest.approx(0.00468, abs=5e-6)
    # the reference values of smaller sets belong to weights that were not at their optimum: ours are not above them
    assert (path.value <= [0.2497, 0.0927, 0.0259, 0.0228, 0.0229]).all()
    back = dii_backward(a, b, 4, n_best=1, k=1, **NOW)
    assert back.sets == path.sets[:4]
    np.testing.assert_allclose(back.value, path.value[:4], rtol=1e-5)  # two ways to the same optimum


@pytest.mark.slow
def test_a_path_of_penalties_is_as_good_as_the_published_one():
    x, b = ten_gaussians()
    path = dii_path(x, b, bandwidth="gap", kernel_power=1, **NOW)
    value = dict(zip(path.sizes.tolist(), path.value.tolist(), strict=True))
    assert value[5] <= 0.0026 and value[3] <= 0.039 and value[2] <= 0.085
    assert path.sets[path.sizes.tolist().index(5)] == (0, 1, 2, 3, 4)
    assert path.suggested_size == 5


def test_symmetric_sets_of_a_gaussian():
    """Published values of ten independent columns (another random sample, hence 0.03)."""
    x = np.random.default_rng(3).normal(size=(1000, 10))
    path = select_features_imbalance(x, x, direction="both", max_features=7, n_best=2, **NOW)
    np.testing.assert_allclose(path.to_target, [0.81, 0.67, 0.51, 0.38, 0.28, 0.19, 0.12], atol=0.03)
    np.testing.assert_allclose(path.from_target, [0.47, 0.25, 0.15, 0.09, 0.05, 0.03, 0.01], atol=0.03)
    np.testing.assert_allclose(path.value, (path.from_target + path.to_target) / 2, rtol=1e-14)


# ------------------------------------------------------------------------------------------------------ by brute force
def all_sets(x, b, size, k=1, both=False, period=None, ok=None):
    """Every set of columns, by full matrices."""
    d_b, values = brute.distances(b), {}
    for units in itertools.combinations(range(x.shape[1]), size):
        d_a = brute.distances(x[:, units], None if period is None else period[list(units)])
        forth = brute.imbalance(d_a, d_b, k, ok)
        values[units] = (forth + brute.imbalance(d_b, d_a, k, ok)) / 2 if both else forth
    return values


@pytest.mark.filterwarnings("ignore:runs are shorter")
@pytest.mark.parametrize("case", ["plain", "ties", "both", "periodic", "window"])
def test_exhaustive_against_all_sets_by_brute_force(case):
    g = np.random.default_rng(8)
    x, k, options, period, ok = g.normal(size=(40, 5)), 1, dict(NOW), None, None
    if case == "ties":
        x, k = np.rint(2 * x), 3
    if case == "periodic":
        period = np.array([4.0, 0, 4.0, 0, 0])
        x = np.where(period > 0, np.mod(x, 4.0), x)
    if case == "window":
        options, ok = {"exclusion_window": 3}, brute.admissible(40, window=3)
    w = 0.5 ** np.arange(5)  # powers of two keep ties exact
    b = np.column_stack([x[:, 1], x[:, 3]]) + (0 if case == "ties" else 0.5 * g.normal(size=(40, 2)))
    space = Space(x, period=period, period_check=False, feature_weights=w, name="x")
    found = select_features_imbalance(
        space, b, "exhaustive", k, "both" if case == "both" else "to_target", max_features=2, scale=None, **options
    )
    for row, size in enumerate((1, 2)):
        values = all_sets(x * w, b, size, k, case == "both", None if period is None else period * w, ok)
        assert found.value[row] == pytest.approx(min(values.values()), abs=1e-12)
        assert values[found.sets[row]] == pytest.approx(min(values.values()), abs=1e-12)


@pytest.mark.parametrize("direction", ["to_target", "from_target"])
@pytest.mark.parametrize("kind", ["floats", "grid", "labels"])
def test_incremental_distances_agree_with_information_imbalance(kind, direction):
    """What the search compares (never the report) is the value of the sets themselves."""
    from infoscope.base import progress
    from infoscope.imbalance.dii.objective import Standardised
    from infoscope.imbalance.plan import make_plan
    from infoscope.imbalance.selection.imbalance_search import Aim, PlainSearch

    x, b = with_a_copy(120)
    x = np.rint(3 * x) if kind == "grid" else x
    target = Space.from_labels(b[:, 1] > 0.3, name="b") if kind == "labels" else Space(b, name="b")
    plan = make_plan([Space(x, name="x"), target], exclusion_window=0)
    with progress(1, "sets") as bar:
        scorer = PlainSearch(
            plan, Standardised(plan.spaces[0], np.ones(8), np.arange(8)), np.arange(8), Aim(3, None, direction), bar
        )
        pairs = scorer.score_sets(list(itertools.combinations(range(8), 2)))
        found = [*pairs, *scorer.grow_sets(pairs[:3]), *scorer.shrink_sets(scorer.score_sets([tuple(range(8))]))]
    assert {len(one.units) for one in found} == {2, 3, 7}
    for one in found:
        expected = information_imbalance(x[:, list(one.units)], target, k=3, **NOW)
        assert one.value == pytest.approx(expected.a_to_b if direction == "to_target" else expected.b_to_a, abs=1e-12)


def test_reported_values_and_errors_are_those_of_information_imbalance():
    x, b = with_a_copy(200)
    path = select_features_imbalance(x, b, k=2, max_features=4, n_best=2, **NOW)
    for row, units in enumerate(path.sets):
        expected = information_imbalance(x[:, units] * path.weights[row, list(units)], b, k=2, **NOW)
        assert path.value[row] == pytest.approx(expected.a_to_b, abs=1e-12)
        assert path.value_se[row] == pytest.approx(expected.a_to_b_se, rel=1e-9)
        np.testing.assert_allclose(path.weights[row, list(units)], 1 / x.std(0)[list(units)], rtol=1e-12)


def test_errors_of_differences_are_those_of_compare_imbalances():
    x, b = with_a_copy(200)
    path = select_features_imbalance(x, b, k=2, max_features=3, **NOW)
    best = int(np.argmin(path.value))
    for row in range(3):
        spaces = [x * path.weights[r] for r in (row, best)]
        expected = infoscope.compare_imbalances(*spaces, b, k=2, **NOW)
        assert path.excess[row] == pytest.approx(expected.difference, abs=1e-12)
        assert path.excess_se[row] == pytest.approx(expected.difference_se, rel=1e-9)


# --------------------------------------------------------------------------------------------- pairs that greedy misses
def test_exhaustive_finds_the_pair_that_tells_only_together():
    g = np.random.default_rng(1)
    x = g.normal(size=(300, 6))
    b = (3 * np.sign(x[:, 1] * x[:, 4]) + 0.8 * x[:, 0])[:, None]  # exclusive or of two signs
    alone = dii_forward(x, b, 1, n_best=1, **NOW)
    assert alone.sets[0] == (0,)
    assert dii_forward(x, b, 2, n_best=1, **NOW).sets[1] != (1, 4)
    found = dii_exhaustive(x, b, refine=4, **NOW)
    assert found.sets[1] == (1, 4) and found.value[1] < found.value[0] - 0.1
    assert select_features_imbalance(x, b, "exhaustive", k=3, **NOW).sets[1] == (1, 4)


# ------------------------------------------------------------------------------------------------ what selections know
def test_noise_and_copies_stay_out():
    x, b = with_a_copy()
    path = dii_forward(x, b, 6, n_best=2, **NOW)
    assert path.suggested_size == 4 and path.suggested == tuple(f"column {a}" for a in range(4))
    assert (path.standard_weights[path.sizes == 4][0, :4] > 0).all()


def test_groups_are_units_and_names_are_kept():
    g = np.random.default_rng(2)
    x, names = g.normal(size=(150, 6)), ["a", "b", "c", "d", "e", "f"]
    space = Space(x, feature_names=names, name="x")
    b = x[:, [1, 4]] + 0.05 * g.normal(size=(150, 2))
    groups = ["one", "two", "one", "three", "two", "three"]
    path = dii_forward(space, b, groups=groups, **NOW)
    assert path.names == ("one", "two", "three") and path.sets[0] == (1,)
    assert path.columns_of(1).tolist() == [1, 4] and path.suggested == ("two",)
    some = select_features_imbalance(space, b, among=["b", "c", 4], max_features=3, **NOW)
    assert some.names == ("b", "c", "e") and some.sets[1] == (0, 2)
    assert np.flatnonzero(some.weights[1]).tolist() == [1, 4]


def test_threads_and_the_order_of_rows_do_not_matter():
    x, b = with_a_copy(120)
    order = np.random.default_rng(0).permutation(120)
    one = dii_forward(x, b, 3, n_best=2, n_jobs=1, **NOW)
    two = dii_forward(x, b, 3, n_best=2, n_jobs=2, **NOW)
    np.testing.assert_array_equal(one.value, two.value)
    other = dii_forward(x[order], b[order], 3, n_best=2, **NOW)
    assert one.sets == two.sets == other.sets
    np.testing.assert_array_equal(one.value, other.value)  # rows are sorted before the search


def test_weights_of_rows_and_runs_run_through():
    x, b = with_a_copy(120)
    g = np.random.default_rng(6)
    space = Space(x, sample_weight=g.lognormal(0, 0.3, 120), run=np.arange(120) % 4, name="x")
    path = dii_forward(space, b, 2, n_best=1, neighbors_from="other_runs")
    plain = select_features_imbalance(space, b, "forward", 5, max_features=2, n_best=1, neighbors_from="other_runs")
    units = list(plain.sets[1])
    part = Space(x[:, units] / x[:, units].std(0), sample_weight=space.sample_weight, run=space.run)
    expected = information_imbalance(part, b, k=5, neighbors_from="other_runs")
    assert plain.value[1] == pytest.approx(expected.a_to_b, abs=1e-12)
    assert len(path.sets) == 2 and (path.value_se > 0).all()


# ---------------------------------------------------------------------------------------------------------- validation
def noise_sets(seed, runs=6, length=150, n=12, phi=0.95):
    """Autocorrelated noise: nothing tells anything about the target, but neighbours in time look alike."""
    g = np.random.default_rng(seed)
    series = np.empty((runs, length, 3 * n + 1))
    series[:, 0] = g.normal(size=series[:, 0].shape)
    for t in range(1, length):
        series[:, t] = phi * series[:, t - 1] + np.sqrt(1 - phi**2) * g.normal(size=series[:, 0].shape)
    flat = series.reshape(runs * length, -1)
    return flat[:, :-1], flat[:, -1:], np.repeat(np.arange(runs), length), np.repeat(np.arange(n), 3)


def test_leaving_runs_out_shows_that_noise_is_noise():
    naive, apart = [], []
    for seed in range(3):
        x, b, run, groups = noise_sets(seed)
        naive.append(select_features_imbalance(x, b, max_features=1, groups=groups, **NOW).value[0])
        path = select_features_imbalance(
            Space(x, run=run, name="x"),
            Space(b, run=run, name="b"),
            max_features=1,
            groups=groups,
            neighbors_from="other_runs",
            validation="runs",
            **NOW,
        )
        apart.append(path.validation_value[0])
        assert path.fold_names == tuple("012345") and path.fold_values.shape == (1, 6)
    # measured over many data sets: naive minimum 0.704, leave-one-run-out 0.996 with a spread of 0.05 a data set
    assert np.mean(naive) == pytest.approx(0.704, abs=0.06)
    assert np.mean(apart) == pytest.approx(0.996, abs=0.06)


def test_held_out_values_by_hand():
    """Neighbours and ranks of held-out rows among the rows that were searched."""
    x, b = with_a_copy(90)
    rows = np.arange(0, 90, 3)
    path = select_features_imbalance(x, b, max_features=1, n_best=1, validation=rows, **NOW)
    seen = np.setdiff1d(np.arange(90), rows)
    alone = [information_imbalance(x[seen][:, [a]], b[seen], **NOW).a_to_b for a in range(8)]
    a = int(np.argmin(alone))
    near = seen[np.abs(x[rows, a][:, None] - x[seen, a]).argmin(1)]
    d = ((b[rows, None] - b[None, seen]) ** 2).sum(-1)
    ranks = 1 + (d < ((b[rows] - b[near]) ** 2).sum(-1)[:, None]).sum(1)
    assert path.validation_value[0] == pytest.approx(np.mean(2 * ranks / (len(seen) + 1)), abs=1e-12)
    soft = dii_forward(x, b, 2, n_best=1, validation=0.3, random_state=0, **NOW)
    assert soft.fold_names == ("held out",) and (soft.validation_value_se > 0).all()


def test_rows_near_the_held_out_ones_are_left_out():
    from infoscope.imbalance.dii.validation import make_folds
    from infoscope.imbalance.plan import make_plan

    time = np.arange(50.0)
    space = Space(np.random.default_rng(0).normal(size=(50, 2)), time=time, name="x")
    with pytest.warns(infoscope.base.CorrelatedRowsWarning):
        plan = make_plan([space, space], exclusion_window=2)
    folds = make_folds(plan, "runs", np.random.default_rng(0))
    assert [f.held.tolist() for f in folds] == np.arange(50).reshape(5, 10).tolist()
    assert folds[1].seen.tolist() == [*range(8), *range(22, 50)]
    (share,) = make_folds(plan, 0.2, np.random.default_rng(0))
    blocks = 50 // (1 + int(plan.blocks.max())) if plan.blocks is not None else 2
    assert 10 <= len(share.held) < 10 + blocks + 1  # whole blocks
    gap = np.abs(share.held[:, None] - share.seen[None]).min()
    assert gap == 3  # two steps of time are within the window
    assert any("one run" in note for note in plan.log.notes)


# ------------------------------------------------------------------------------------------------- a path of penalties
@pytest.mark.parametrize("seed", range(10))
def test_what_a_path_keeps_does_not_hang_on_flat_weights(seed):
    """One column and noise beside it, or three: the value hardly depends on their weights, and the smaller went."""
    g = np.random.default_rng(seed)
    x = g.normal(size=(200, 2 if seed % 2 else 4))
    y = x[:, [0]] + g.normal(size=(200, 1))
    path = dii_path(x, y, **NOW)
    assert path.sets[0] == (0,)
    alone = [dii_value_and_grad(x[:, [a]], y, [1.0], k=path.k, **NOW)[0] for a in range(x.shape[1])]
    assert path.value[0] == pytest.approx(min(alone), rel=1e-9)
    lowest = path.value.min()
    if "no smaller number comes near" in path.rule:
        assert path.suggested_size == path.sizes[path.value.argmin()] > 1 and min(alone) > 1.02 * lowest


@pytest.mark.parametrize("seed", range(3))
def test_a_path_is_as_good_as_all_sets(seed):
    """Five columns, one a copy with noise; every set of up to three by its own optimum."""
    g = np.random.default_rng(seed)
    x = g.normal(size=(150, 5))
    y = np.c_[x[:, 0], 0.6 * x[:, 1]] + 0.3 * g.normal(size=(150, 2))
    x[:, 4] = x[:, 0] + 0.8 * g.normal(size=150)
    path, every = dii_path(x, y, **NOW), dii_exhaustive(x, y, 3, refine=None, **NOW)
    best = dict(zip(every.sizes.tolist(), every.value.tolist(), strict=True))
    for size, value in zip(path.sizes.tolist(), path.value.tolist(), strict=True):
        assert size > 3 or value < 1.02 * best[size]
    assert path.sets[1] == (0, 1) and path.suggested_size > 1
    smaller = [value for size, value in best.items() if size < path.suggested_size]
    assert "comes near" not in path.rule or min(smaller) > 1.02 * path.value.min()


def test_only_few_features_are_held_against_others(monkeypatch):
    """Sets of many features cost more to look at than they are worth."""
    x, b = with_a_copy(100)
    whole = dii_path(x, b, **NOW).n_evaluated
    monkeypatch.setattr(l1_path, "CHECKED", 3)
    assert dii_path(x, b, **NOW).n_evaluated < whole


# ------------------------------------------------------------------------------------------------------------- results
def test_suggestion():
    assert suggest(np.arange(1, 4), np.array([0.5, 0.31, 0.3]), np.array([0.02, 0.02, 0]))[0] == 2
    assert suggest(np.arange(1, 4), np.array([0.5, 0.31, 0.3]), np.array([0.02, 0.001, 0]))[0] == 3
    assert suggest(np.arange(1, 4), np.array([0.5, 0.305, 0.3]), np.array([0.02, 0.001, 0]))[0] == 2
    assert "no smaller" in suggest(np.array([1, 2]), np.array([0.5, 0.3]), np.array([0.02, 0]))[1]
    assert suggest(np.array([1, 2]), np.array([0.3, 0.5]), np.array([0, 0.02])) == (1, "the lowest value of all sizes")


def test_a_path_prints_plots_and_becomes_a_frame(tmp_path):
    import matplotlib

    matplotlib.use("Agg")
    x, b = with_a_copy(120)
    path = dii_path(x, b, alphas=[0, 1e-3, 0.03, 100], **NOW)
    assert path.sizes.tolist() == sorted(path.sizes.tolist()) and path.alpha_weights.shape == (4, 8)
    assert path.to_frame()["size"].tolist() == path.sizes.tolist()
    assert "keep what X can tell about target" in str(path) and "differentiable" in path.cite().lower()
    assert path.plot(kind="path").get_xlabel().startswith("penalty")
    assert "number of features" in path.plot(style="paper").get_xlabel()
    assert path.plot_data(kind="path").shape == (4, 10)
    back = infoscope.load(infoscope.save(path, tmp_path / "path.npz"))
    assert str(back) == str(path)
    with pytest.raises(ParameterError, match="no set of 20"):
        path.chosen(20)


# ----------------------------------------------------------------------------------------------------------- bad input
def test_a_penalty_too_strong_leaves_one_feature_and_says_so():
    x, b = with_a_copy(100)
    path = dii_path(x, b, alphas=[1e6], **NOW)
    assert path.sizes[0] == 1 and path.alpha_weights[-1].max() == 1 and np.count_nonzero(path.alpha_weights[-1]) == 1
    assert any("leaves one feature" in note for note in path.notes)


X, B = with_a_copy(60)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: dii_forward(X, B, 9, **NOW), "9 features.*only 8"),
        (lambda: dii_exhaustive(X, B, 9, **NOW), "9 features.*only 8"),
        (lambda: dii_forward(X, B, n_best=0, **NOW), "n_best"),
        (lambda: select_features_imbalance(X, B, n_best=0, **NOW), "n_best"),
        (lambda: dii_forward(X, B, among=["column 1", "phi"], **NOW), "'phi'.*column 0"),
        (lambda: dii_forward(X, B, among=[8], **NOW), "8.*0 to 7"),
        (lambda: dii_forward(X, B, among=[], **NOW), "empty"),
        (lambda: dii_forward(X, B, groups=[1, 2], **NOW), "groups has shape"),
        (lambda: select_features_imbalance(X, B, "sideways", **NOW), "method"),
        (lambda: select_features_imbalance(X, B, direction="up", **NOW), "direction"),
        (lambda: dii_exhaustive(X, B, 3, max_sets=50, **NOW), "92 sets.*max_sets=50.*among="),
        (lambda: dii_path(X, B, alphas=[-1.0], **NOW), "alphas"),
        (lambda: dii_path(X, B, alphas=[np.nan], **NOW), "alphas"),
        (lambda: dii_forward(X, B, validation=1.5, **NOW), "between 0 and 1"),
        (lambda: dii_forward(X, B, validation="rows", **NOW), "'rows'"),
        (lambda: dii_forward(X, B, validation=[1, 60], **NOW), "validation holds 60"),
        (lambda: dii_forward(X, B, k=60, **NOW), "k"),
        (lambda: dii_forward(Space(X, metric="manhattan"), B, **NOW), "Euclidean"),
        (lambda: dii_forward(X, B, standard_error="jackknife", **NOW), "jackknife"),
    ],
)
def test_bad_parameters(call, message):
    with pytest.raises(ParameterError, match=message):
        call()


def test_bad_data():
    with pytest.raises(DataError, match="row 3"):
        dii_forward(np.where(np.arange(60)[:, None] == 3, np.nan, X), B, **NOW)
    with pytest.raises(DataError, match="constant"):
        dii_forward(np.ones((60, 2)), B, **NOW)
    with pytest.raises(DataError, match="held out"):
        dii_forward(X, B, validation=[1, 2], **NOW)
    still = np.column_stack([X[:, :3], np.ones(60)])
    with pytest.warns(infoscope.base.DataWarning, match="column 3.*constant"):
        path = select_features_imbalance(still, B, **NOW)
    assert path.names == ("column 0", "column 1", "column 2") and path.weights.shape == (3, 4)
