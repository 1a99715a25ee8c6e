"""Every step of BMTI against loops over pairs of points and dense matrices."""

import numpy as np
import pytest
from tests.density import slow_bmti as slow

from infoscope.base import DataError, MissingExtraError
from infoscope.density import BMTI, KNNDensity, KStarNN
from infoscope.density.edges import edges_of, neighborhood_graph
from infoscope.density.lsdi import lsdi_weights, row_norms
from infoscope.density.solve import constants, normal_equations, solve
from infoscope.density.standard_errors import claimed_errors
from infoscope.density.unique_points import make_sample
from infoscope.dimension import k_star
from infoscope.neighbors import Space

pytestmark = pytest.mark.filterwarnings("ignore:.*looks like an angle")


def bmti(*args, **options):
    """Errors as claimed: calibration has tests of its own."""
    return BMTI(*args, **{"calibrate": False, **options})


def cube(seed, n, d):
    return np.random.default_rng(seed).normal(size=(n, d))


CASES = {  # data, period, intrinsic dimension, neighbours
    "three columns": (cube(0, 150, 3), 0.0, 3.0, 60),
    "periodic": (np.random.default_rng(1).uniform(-2, 5, (90, 2)), 1.5, 2.0, 20),
    "more columns than neighbours": (cube(2, 60, 30) * np.r_[np.ones(4), np.full(26, 1e-2)], 0.0, 4.3, 15),
    "one column": (cube(3, 80, 1), 0.0, 1.0, 30),
}


@pytest.mark.parametrize("interior", [False, True], ids=["mean-shift", "interior"])
@pytest.mark.parametrize("case", CASES)
def test_gradients_differences_variances_and_solution(case, interior):
    x, period, d, max_neighbors = CASES[case]
    r, nn = slow.neighbours(x, max_neighbors, period)
    k = slow.k_star(r, nn, d)
    g, c = slow.gradients(x, r, nn, k, d, period, interior)
    source, target, difference, variance, s, t, p = slow.edges(x, nn, k, g, c, period)

    space = Space(x, period=period or None)
    sample = make_sample(space, max_neighbors)
    np.testing.assert_array_equal(k_star(sample.table, d), k)
    edges = edges_of(sample, k, d, interior=interior, keep=True)
    np.testing.assert_array_equal(edges.graph.source, source)
    np.testing.assert_array_equal(edges.graph.target, target)
    np.testing.assert_allclose(edges.gradient, g, rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(edges.difference, difference, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(edges.variance, variance, rtol=1e-8)
    np.testing.assert_allclose(edges.near, s, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(edges.far, t, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(edges.overlap, p, rtol=1e-12)

    weight = 1 / (variance * np.sqrt(k[source] * k[target]))
    values, covariance = slow.least_squares(source, target, difference, weight, len(x))
    options = dict(dimension=d, max_neighbors=max_neighbors, weight_cap=None, error="uncorrelated")
    found = bmti(gradient="interior" if interior else "mean-shift", **options).fit(space)
    np.testing.assert_array_equal(found.k_star_, k)
    np.testing.assert_allclose(found.gradient_, g, rtol=1e-11, atol=1e-11)
    assert found.n_components_ == 1 and found.residual_ < 1e-8
    away = found.log_density_ - values
    # the constant is that of k*-NN, whose mean is weighted by k*
    np.testing.assert_allclose(away, away[0], atol=1e-6)
    by_points = KStarNN(dimension=d, calibrate=False, max_neighbors=max_neighbors).fit(space).log_density_
    assert np.average(found.log_density_, weights=k) == pytest.approx(np.average(by_points, weights=k), abs=1e-9)
    held = np.array([sum(i in nn[l, : k[l]] for l in range(len(x))) for i in range(len(x))])
    constant_se = np.sqrt((held**2).sum()) / k.sum()
    np.testing.assert_allclose(found.log_density_se_, np.sqrt(np.diag(covariance) + constant_se**2), rtol=1e-5)


def test_matrix_and_right_side():
    x, _, d, max_neighbors = CASES["three columns"]
    sample = make_sample(Space(x), max_neighbors)
    k = k_star(sample.table, d)
    edges = edges_of(sample, k, d)
    weight = np.random.default_rng(4).uniform(1, 5, len(edges.difference))
    prior, prior_se = cube(5, 150, 1)[:, 0], np.random.default_rng(6).uniform(0.1, 1, 150)
    for alpha in (1.0, 0.3):
        a, b = np.zeros((150, 150)), np.zeros(150)
        for i, j, w, f in zip(edges.graph.source, edges.graph.target, weight, edges.difference, strict=True):
            a[i, i] += alpha * w
            a[j, j] += alpha * w
            a[i, j] -= alpha * w
            a[j, i] -= alpha * w
            b[j] += alpha * w * f
            b[i] -= alpha * w * f
        a += (1 - alpha) * np.diag(1 / prior_se**2)
        b += (1 - alpha) * prior / prior_se**2
        system = normal_equations(edges.graph, weight, edges.difference, alpha=alpha, prior=prior, prior_se=prior_se)
        np.testing.assert_allclose(system.matrix.toarray(), a, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(system.right, b, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("prior", ["k*-NN", "PAk"])
def test_a_prior_in_the_least_squares(prior):
    from infoscope.density import PAk

    x, _, d, max_neighbors = CASES["three columns"]
    options = dict(dimension=d, max_neighbors=max_neighbors)
    known = (KStarNN if prior == "k*-NN" else PAk)(calibrate=False, **options).fit(x)
    r, nn = slow.neighbours(x, max_neighbors)
    k = slow.k_star(r, nn, d)
    source, target, difference, variance, *_ = slow.edges(x, nn, k, *slow.gradients(x, r, nn, k, d))
    weight = 1 / (variance * np.sqrt(k[source] * k[target]))
    values, covariance = slow.least_squares(
        source, target, difference, weight, len(x), 0.6, known.log_density_, known.log_density_se_
    )
    found = bmti(0.6, prior=prior, weight_cap=None, error="uncorrelated", **options).fit(known)
    np.testing.assert_allclose(found.log_density_, values, atol=1e-7)
    np.testing.assert_allclose(found.log_density_se_, np.sqrt(np.diag(covariance)), rtol=1e-6)


def test_weights_of_items():
    """Weighted mean shifts; their covariance sums squares of weights; everything else counts points."""
    x, weight = cube(7, 120, 2), np.random.default_rng(8).uniform(0.1, 3, 120)
    r, nn = slow.neighbours(x, 40)
    k = slow.k_star(r, nn, 2.0)
    g, c = slow.gradients(x, r, nn, k, 2.0, weight=weight)
    _, _, difference, variance, *_ = slow.edges(x, nn, k, g, c)
    sample = make_sample(Space(x, sample_weight=weight), 40)
    edges = edges_of(sample, k, 2.0)
    np.testing.assert_allclose(edges.gradient, g, atol=1e-11)
    np.testing.assert_allclose(edges.difference, difference, atol=1e-10)
    np.testing.assert_allclose(edges.variance, variance, rtol=1e-9)


def test_repeats_count_at_their_point():
    """A point met m times is m members of every neighbourhood, its own included: jitter of no width."""
    x = cube(9, 60, 2)
    times = np.random.default_rng(10).integers(1, 4, 60)
    sample = make_sample(Space(x, sample_weight=times), 20)
    with pytest.warns(UserWarning, match="repeat another one"):
        repeated = make_sample(Space(np.repeat(x, times, axis=0)), 20)
    k = k_star(sample.table, 2.0)
    for i in range(60):
        near = repeated.table.items[i, : k[i] - 1]
        factor = 4 / repeated.table.distances[i, k[i] - 2] ** 2
        members = np.repeat(x[near] - x[i], times[near], axis=0)
        shift = members.sum(axis=0) / (len(members) + times[i] - 1)
        np.testing.assert_allclose(edges_of(repeated, k, 2.0).gradient[i], factor * shift, atol=1e-11)
        if i > 3:
            break


# --------------------------------------------------------------------------------------------------------------- solver
def ring(n=400, k=6, seed=0):
    """A connected graph (every point leads to the next one), with values at its points."""
    g = np.random.default_rng(seed)
    items = np.array(
        [np.r_[(i + 1) % n, g.choice(np.delete(np.arange(n), [i, (i + 1) % n]), k, False)] for i in range(n)]
    )
    return neighborhood_graph(items, g.integers(1, k + 1, n)), g.normal(size=n), g


@pytest.mark.parametrize("solver", ["lu", "cg", "amg"])
def test_consistent_differences_are_integrated_exactly(solver):
    if solver == "amg":
        pytest.importorskip("pyamg")
    graph, truth, g = ring()
    weight = 10 ** g.uniform(-2, 2, len(graph.target))
    system = normal_equations(graph, weight, truth[graph.target] - truth[graph.source])
    assert system.n_components == 1
    found = solve(system, 6.0, solver=solver, tol=1e-11)
    assert found.residual <= 1e-11 and found.solver == solver
    np.testing.assert_allclose(found.values, truth - truth.mean(), atol=1e-8)


def test_auto_changes_to_multigrid(monkeypatch):
    pytest.importorskip("pyamg")
    from infoscope.density import solve as module

    monkeypatch.setattr(module, "PATIENCE", 3)
    monkeypatch.setattr(module, "FEW_POINTS", 0)
    graph, truth, _ = ring()
    found = solve(normal_equations(graph, np.ones(len(graph.target)), truth[graph.target] - truth[graph.source]), 6.0)
    assert found.solver == "cg, amg" and found.residual < 1e-8 and found.n_iterations > 3


def test_no_silent_wrong_answer(monkeypatch):
    from sklearn.exceptions import ConvergenceWarning

    from infoscope.density import solve as module

    graph, truth, _ = ring()
    system = normal_equations(graph, np.ones(len(graph.target)), truth[graph.target] - truth[graph.source])
    monkeypatch.setattr(module, "MOST_ITERATIONS", 2)
    with pytest.raises(DataError, match="stopped at a residual of .* 2 iterations"):
        solve(system, 6.0, solver="cg")
    monkeypatch.setattr(module, "USELESS", 1.0)
    with pytest.warns(ConvergenceWarning, match="stopped at a residual"):
        assert solve(system, 6.0, solver="cg").residual > 1e-8


def test_multigrid_says_what_to_install(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pyamg", None)
    with pytest.raises(MissingExtraError, match=r"infoscope\[solvers\]"):
        bmti(dimension=2, solver="amg").fit(cube(0, 60, 2))


@pytest.mark.parametrize("solver", ["lu", "cg"])
def test_errors_by_probes_are_the_diagonal_of_the_inverse(solver, monkeypatch):
    from infoscope.density import standard_errors as errors

    graph, _, g = ring(300)
    weight = g.uniform(0.5, 2, len(graph.target))
    prior_se = g.uniform(0.3, 1, 300)
    for alpha in (1.0, 0.7):
        options = dict(alpha=alpha, prior=np.zeros(300), prior_se=prior_se)
        system = normal_equations(graph, weight, np.zeros(len(weight)), **options)
        exact = np.diag(slow.least_squares(graph.source, graph.target, 0 * weight, weight, 300, **options)[1])
        ask = dict(alpha=alpha, prior_se=prior_se, solver=solver)
        np.testing.assert_allclose(claimed_errors(system, graph, weight, 6.0, **ask) ** 2, exact, rtol=1e-9)
        with monkeypatch.context() as patch:
            patch.setattr(errors, "FEW_POINTS", 0)
            ratio = claimed_errors(system, graph, weight, 6.0, **ask) ** 2 / exact
            # each of 300 to sqrt(2/64) = 0.18, their mean to 0.18/sqrt(300) if they were independent
            assert ratio.mean() == pytest.approx(1, abs=0.04) and ratio.std() < 0.25
            np.testing.assert_array_equal(
                claimed_errors(system, graph, weight, 6.0, n_jobs=2, **ask) ** 2 / exact, ratio
            )


def test_constants_of_separate_parts():
    """Two pairs and a far triple: each is shifted by itself."""
    x = np.array([[0.0], [1.0], [100.0], [101.0], [300.0], [301.5], [302.0]])
    sample = make_sample(Space(x), 2)
    k = np.full(7, 2)
    edges = edges_of(sample, k, 1.0)
    system = normal_equations(edges.graph, np.ones(7), edges.difference)
    assert system.n_components == 3 and np.bincount(system.component).tolist() == [3, 2, 2]
    away = np.arange(7.0)
    shift, shift_se = constants(system, sample, sample.table.items, k, np.full(7, 2.0), np.full(7, 2.0), away)
    np.testing.assert_allclose(shift, [5, 0.5, 2.5])
    assert (shift_se > 0).all()


# ----------------------------------------------------------------------------------------------------------------- LSDI
def test_lsdi_row_norms_against_the_whole_covariance():
    x = cube(11, 200, 3)
    r, nn = slow.neighbours(x, 25)
    k = slow.k_star(r, nn, 3.0)
    source, target, _, variance, s, t, p = slow.edges(x, nn, k, *slow.gradients(x, r, nn, k, 3.0))
    covariance = slow.covariance(source, target, s, t, p, variance)
    exact = (covariance**2).sum(axis=1)
    edges = edges_of(make_sample(Space(x), 25), k, 3.0, keep=True)
    ratio = row_norms(edges) / exact
    # 64 probes know a norm to sqrt(2/64) = 0.18
    assert ratio.mean() == pytest.approx(1, abs=0.05) and ratio.std() < 0.25
    bounded = variance / np.maximum(exact, variance**2)
    assert np.median(lsdi_weights(edges) / bounded) == pytest.approx(1, abs=0.1)
    np.testing.assert_array_equal(row_norms(edges, n_jobs=1), row_norms(edges, n_jobs=2))


@pytest.mark.filterwarnings("ignore:neighbouring rows are alike")  # groups of four, one after the other
def test_fewest_neighbours():
    """k* = 3 everywhere: two edges a point, covariances of rank one."""
    x = cube(12, 100, 2)
    found = bmti().fit(KNNDensity(3, dimension=2, calibrate=False).fit(x))
    assert set(found.k_star_.tolist()) == {3} and np.isfinite(found.log_density_).all()
    assert np.isfinite(found.log_density_se_).all() and found.residual_ < 1e-8
    fours = np.repeat(np.arange(0.0, 200, 10), 4)[:, None] + np.tile([0.0, 1.0, 2.2, 3.5], 20)[:, None]
    fours += np.random.default_rng(0).uniform(0, 0.1, fours.shape)
    found = bmti().fit(KNNDensity(3, dimension=1, calibrate=False).fit(fours))
    assert found.n_components_ == 20 and np.isfinite(found.log_density_se_).all()
    assert "20 separate parts of 4, 4, 4, 4, 4, ... points" in found.result_.notes[-1]
