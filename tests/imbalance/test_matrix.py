"""All pairs of spaces, scale curves and differences: the numbers of single calls, at the cost of few passes."""

import itertools

import numpy as np
import pytest
import scipy.stats
from tests.imbalance import brute

import infoscope.imbalance.matrix as matrix_module
import infoscope.imbalance.neighbor_rules as neighbor_rules
import infoscope.imbalance.ranks as ranks
from infoscope.base import DataError, ParameterError
from infoscope.imbalance import compare_imbalances, imbalance_matrix, imbalance_scale_curve, information_imbalance
from infoscope.neighbors import Space


def descriptions(n=80, **options):
    g = np.random.default_rng(1)
    x = g.normal(size=(n, 4))
    spaces = {"xyz": x[:, :3], "xy": x[:, :2], "grid": np.rint(x[:, 1:3]), "t": x[:, 3:]}
    spaces = {name: Space(values, **options) for name, values in spaces.items()}
    return spaces | {"sign": Space.from_labels(x[:, 0] > 0, **options)}


def same_as_single_calls(matrix, spaces, rel=None, **options):
    for (i, a), (j, b) in itertools.product(enumerate(matrix.names), enumerate(matrix.target_names)):
        if a == b:
            assert np.isnan(matrix.values[i, j]) and np.isnan(matrix.values_se[i, j])
            continue
        single = information_imbalance(spaces[a], spaces[b], **options)
        expected = single.a_to_b, single.a_to_b_se, single.a_to_b_floor
        found = matrix.values[i, j], matrix.values_se[i, j], matrix.floors[i, j]
        assert found == expected if rel is None else found == pytest.approx(expected, rel=rel)


@pytest.mark.parametrize("k", [1, 5])
def test_entries_are_single_calls(k):
    spaces = descriptions()
    same_as_single_calls(imbalance_matrix(spaces, k=k), spaces, k=k)


@pytest.mark.filterwarnings("ignore::infoscope.base.errors.InfoscopeWarning")
def test_entries_are_single_calls_with_windows_runs_and_weights():
    run = np.repeat([0, 1], 40)
    spaces = descriptions(run=run)
    options = {"k": 2, "exclusion_window": 2, "standard_error": "graph"}
    same_as_single_calls(imbalance_matrix(spaces, **options), spaces, **options)
    spaces = descriptions(sample_weight=np.random.default_rng(2).exponential(size=80))
    same_as_single_calls(imbalance_matrix(spaces), spaces, rel=1e-12)
    same_as_single_calls(imbalance_matrix(spaces, neighbor_rule="count"), spaces, rel=1e-12, neighbor_rule="count")


def test_some_spaces_against_some_targets():
    spaces = descriptions()
    sources, targets = {n: spaces[n] for n in ("xyz", "xy")}, {n: spaces[n] for n in ("xy", "sign", "t")}
    matrix = imbalance_matrix(sources, targets)
    assert (matrix.names, matrix.target_names, matrix.values.shape) == (("xyz", "xy"), ("xy", "sign", "t"), (2, 3))
    same_as_single_calls(matrix, spaces)


def spy(monkeypatch, module, name):
    calls, original = [], getattr(module, name)

    def counted(space, *args, **options):
        calls.append(space)
        return original(space, *args, **options)

    monkeypatch.setattr(module, name, counted)
    return calls


def test_each_space_is_searched_once_and_ranked_once(monkeypatch):
    searches, counts = spy(monkeypatch, neighbor_rules, "nearest"), spy(monkeypatch, ranks, "count_closer")
    spaces = {f"s{c}": np.random.default_rng(c).normal(size=(50, 3)) for c in range(5)}
    imbalance_matrix(spaces, k=3)
    assert len(searches) == len(counts) == 5
    searches.clear(), counts.clear()
    imbalance_matrix({n: spaces[n] for n in ("s0", "s1", "s2")}, {n: spaces[n] for n in ("s3", "s4")})
    assert (len(searches), len(counts)) == (3, 2)
    searches.clear(), counts.clear()
    tables = spy(monkeypatch, matrix_module, "ranks_in")
    imbalance_matrix({n: spaces[n] for n in ("s0", "s1", "s2")}, n_permutations=19, random_state=0)
    assert (len(searches), len(counts), len(tables)) == (6, 3, 3)  # once for the values, once for the p-values
    searches.clear(), counts.clear()
    imbalance_scale_curve(spaces["s0"], spaces["s1"], k=(1, 2, 4, 8))
    assert len(searches) == len(counts) == 2


def test_p_values_and_their_adjustment():
    spaces = descriptions()
    raw = imbalance_matrix(spaces, adjust="holm")
    off = np.isfinite(raw.values)
    np.testing.assert_allclose(
        raw.p_values[off], scipy.stats.norm.cdf((raw.values[off] - 1) / raw.values_se[off]), rtol=1e-9
    )
    p = np.sort(raw.p_values[off])
    m = len(p)
    holm = np.minimum(np.maximum.accumulate(p * (m - np.arange(m))), 1)
    np.testing.assert_allclose(np.sort(raw.p_values_adjusted[off]), holm, rtol=1e-12)
    harmonic = (1 / np.arange(1, m + 1)).sum()
    by = np.minimum(np.minimum.accumulate((p * m * harmonic / np.arange(1, m + 1))[::-1])[::-1], 1)
    found = imbalance_matrix(spaces)
    assert found.adjust == "by"
    np.testing.assert_allclose(np.sort(found.p_values_adjusted[off]), by, rtol=1e-12)
    np.testing.assert_allclose(
        np.sort(imbalance_matrix(spaces, adjust="bonferroni").p_values_adjusted[off]), np.minimum(p * m, 1)
    )


def test_permutation_p_values_of_a_matrix():
    spaces = {"xy": np.random.default_rng(3).normal(size=(60, 2)), "t": np.random.default_rng(4).normal(size=(60, 1))}
    spaces["x"] = spaces["xy"][:, :1]
    matrix = imbalance_matrix(spaces, n_permutations=99, random_state=0)
    assert matrix.p_values[0, 2] == matrix.p_values[2, 0] == 0.01
    assert min(matrix.p_values[0, 1], matrix.p_values[1, 0]) > 0.02
    assert np.isnan(matrix.p_values[0, 0])


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("weights", [False, True])
def test_a_target_without_variation_tells_nothing(seed, weights):
    """The value is 1 up to rounding, and so is its error: rounding must not become a finding."""
    g = np.random.default_rng(seed)
    n = 37 + seed
    w = g.uniform(1, 2, n) if weights else None
    spaces = {"x": g.normal(size=(n, 2)), "constant": np.ones((n, 1)), "y": g.normal(size=(n, 1))}
    spaces = {name: Space(x, name=name, sample_weight=w) for name, x in spaces.items()}
    options = {"k": 7, "on_low_weight": "warn"}
    matrix = imbalance_matrix(spaces, **options)
    assert matrix.values[0, 1] == 1 and matrix.values_se[0, 1] == 0 and matrix.p_values[0, 1] == 1
    assert matrix.values[1, 0] == pytest.approx(1, abs=1e-12)
    single = information_imbalance(spaces["x"], spaces["constant"], **options)
    assert (single.a_to_b, single.a_to_b_se, single.relation) == (1, 0, "independent")
    difference = compare_imbalances(spaces["x"], spaces["y"], spaces["constant"], **options)
    assert (difference.difference, difference.difference_se, difference.p_value) == (0, 0, 1)


def test_wrong_matrices():
    x = np.random.default_rng(6).normal(size=(30, 2))
    for spaces, targets in (({}, None), ({"x": x}, None), ({"x": x}, {}), ({"x": x}, {"x": x})):
        with pytest.raises(ParameterError, match="at least two"):
            imbalance_matrix(spaces, targets)
    with pytest.raises(ParameterError, match="names? one|one thing"):
        imbalance_matrix({"x": x, "y": x[:, :1]}, {"x": x[:, 1:]})  # which one is "x"?
    with pytest.raises(DataError, match="short has 29"):
        imbalance_matrix({"x": x, "short": x[1:]})
    with pytest.raises(ParameterError, match="jackknife"):
        imbalance_matrix({"x": x, "y": x[:, :1]}, standard_error="jackknife")
    with pytest.raises(ParameterError, match="adjust"):
        imbalance_matrix({"x": x, "y": x[:, :1]}, adjust="sidak")


# -------------------------------------------------------------------------------------------------- scale curve
@pytest.mark.parametrize("ties", [False, True])
def test_scale_curve_is_a_single_call_for_each_k(ties):
    g = np.random.default_rng(7)
    a, b = (g.integers(0, 4, (70, 2)).astype(float) if ties else g.normal(size=(70, 2)) for _ in range(2))
    ks = (1, 2, 3, 10, 40, 69)
    curve = imbalance_scale_curve(a, b, k=ks)
    assert tuple(curve.k) == ks
    for place, k in enumerate(ks):
        single = information_imbalance(a, b, k=k)
        for name in ("a_to_b", "a_to_b_se", "b_to_a", "b_to_a_se", "a_to_b_floor", "b_to_a_floor"):
            assert getattr(curve, name)[place] == getattr(single, name), (name, k)
    assert curve.a_to_b[0] == pytest.approx(brute.imbalance(brute.distances(a), brute.distances(b)), abs=1e-13)


def test_numbers_of_neighbours_of_a_scale_curve():
    x = np.random.default_rng(8).normal(size=(100, 2))
    assert list(imbalance_scale_curve(x, x).k) == [1, 2, 4, 8, 16]
    assert list(imbalance_scale_curve(x, x, k=[8, 2, 2, 4]).k) == [2, 4, 8]
    assert list(imbalance_scale_curve(x, x, k=3).k) == [3]
    for k in ([], [0, 1], [1.5], ["many"], [100]):
        with pytest.raises(ParameterError, match="k"):
            imbalance_scale_curve(x, x, k=k)
    with pytest.raises(TypeError):
        imbalance_scale_curve(x, x, neighbour_rule="mass")
    with pytest.raises(ParameterError, match="neighbor_rule"):
        imbalance_scale_curve(x, x, neighbor_rule="equal")


# -------------------------------------------------------------------------------------------------- differences
def test_difference_is_that_of_single_calls():
    spaces = descriptions()
    result = compare_imbalances(spaces["xyz"], spaces["grid"], spaces["sign"], k=3)
    single = [information_imbalance(spaces[name], spaces["sign"], k=3) for name in ("xyz", "grid")]
    assert (result.a_to_target, result.b_to_target) == (single[0].a_to_b, single[1].a_to_b)
    assert (result.a_to_target_se, result.b_to_target_se) == (single[0].a_to_b_se, single[1].a_to_b_se)
    assert result.difference == pytest.approx(single[0].a_to_b - single[1].a_to_b)
    assert result.p_value == pytest.approx(
        2 * scipy.stats.t.sf(abs(result.difference) / result.difference_se, len(spaces["xyz"]) / 4), rel=1e-9
    )


def test_error_of_a_difference_is_a_double_sum():
    x = np.random.default_rng(9).normal(size=(40, 3))
    ok = ~np.eye(40, dtype=bool)
    dense = np.zeros((40, 40))
    for sign, source in ((1, x[:, :2]), (-1, x[:, 1:])):
        i, j, eps = brute.pair_deviations(*brute.shares_and_ranks(source, x, ok, 2))
        dense[i, j] += sign * eps
    i, j = np.nonzero(dense)
    expected = np.sqrt(brute.sharing_variance(i, j, dense[i, j]))
    assert compare_imbalances(x[:, :2], x[:, 1:], x, k=2).difference_se == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("case", ["different", "nested", "nearly the same"])
def test_error_of_a_difference_is_calibrated(case):
    """100 data sets of 200: (scatter)/(mean error), known to 7 %."""
    found = []
    for seed in range(100):
        g = np.random.default_rng(seed)
        x = g.normal(size=(200, 4))
        a = x[:, :2]
        b = {"different": x[:, [0, 2]], "nested": x[:, :3], "nearly the same": a + 0.05 * g.normal(size=(200, 2))}[case]
        result = compare_imbalances(a, b, x, exclusion_window=0)
        found.append((result.difference, result.difference_se, np.hypot(result.a_to_target_se, result.b_to_target_se)))
    found = np.array(found)
    assert 0.7 <= found[:, 0].std(ddof=1) / found[:, 1].mean() <= 1.3
    if case == "nearly the same":
        assert found[:, 1].mean() < 0.75 * found[:, 2].mean()  # much of the two errors is common


def test_equal_spaces_do_not_differ():
    x = np.random.default_rng(10).normal(size=(50, 3))
    result = compare_imbalances(x[:, :2], x[:, :2].copy(), x)
    assert (result.difference, result.difference_se, result.p_value) == (0, 0, 1)
    slightly = compare_imbalances(x[:, :2], x[:, :2] + 1e-4 * x[::-1, :2], x)
    assert slightly.difference_se < 0.2 * np.hypot(slightly.a_to_target_se, slightly.b_to_target_se)
    with pytest.raises(ParameterError, match="jackknife"):
        compare_imbalances(x, x, x, standard_error="jackknife")
