"""Variables and embeddings: gradients beside differences, laws of the springs, and what is refused."""

import numpy as np
import pytest
from scipy import integrate, stats

from infoscope.base import DataError, DataWarning, ParameterError
from infoscope.sampling import (
    CollectiveVariables,
    FunctionVariables,
    LinearVariables,
    SoftEmbedding,
    SubsetEmbedding,
    SubsetVariables,
    Target,
)
from infoscope.sampling.embeddings import displacement, refresh, restraint
from infoscope.sampling.variables import check_variables

RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 5))
TARGET = Target(
    lambda x: (x**4).sum(1) + x[:, 0] * x[:, 4],
    lambda x: 4 * x**3 + x[:, [4, 1, 2, 3, 0]] * [1, 0, 0, 0, 1],
    n_coordinates=5,
)
A = RNG.normal(size=(2, 5))


def angle_and_radius(x, module=np):
    stack = np.stack if module is np else module.stack
    return stack([module.arctan2(x[:, 1], x[:, 0]), (x**2).sum(1)], 1)


def their_jacobian(x):
    found = np.zeros((len(x), 2, 5))
    r2 = x[:, 0] ** 2 + x[:, 1] ** 2
    found[:, 0, 0], found[:, 0, 1], found[:, 1] = -x[:, 1] / r2, x[:, 0] / r2, 2 * x
    return found


KINDS = {
    "subset": SubsetVariables([3, 1], n_coordinates=5),
    "linear": LinearVariables(A),
    "function": FunctionVariables(angle_and_radius, their_jacobian, names=["angle", "r2"], period=[2 * np.pi, 0]),
}


def differences(function, x, width=1e-6):
    """Gradients by central differences: the first index of the answer is the coordinate."""
    return np.array([(function(x + one) - function(x - one)) / (2 * width) for one in width * np.eye(x.shape[1])])


@pytest.mark.parametrize("kind", [*KINDS, "torch", "torch_jacobian"])
def test_gradients_of_variables(kind):
    if kind.startswith("torch"):
        torch = pytest.importorskip("torch")
        given = (lambda x: torch.as_tensor(their_jacobian(x.numpy()))) if kind == "torch_jacobian" else None
        variables = FunctionVariables(
            lambda x: angle_and_radius(x, torch), given, names=["angle", "r2"], backend="torch"
        )
    else:
        variables = KINDS[kind]
    assert isinstance(variables, CollectiveVariables) and len(variables.names) == 2
    right = differences(variables.values, X).transpose(1, 2, 0)
    np.testing.assert_allclose(variables.jacobian(X), right, atol=1e-8)
    weights = RNG.normal(size=(4, 2))
    np.testing.assert_allclose(variables.pull_back(X, weights), np.einsum("nm,nmd->nd", weights, right), atol=1e-8)


def test_names_and_periods():
    assert KINDS["subset"].names == ("x3", "x1") and KINDS["linear"].names == ("z0", "z1")
    np.testing.assert_array_equal(KINDS["function"].period, [2 * np.pi, 0])
    np.testing.assert_array_equal(SubsetVariables([0, 1], n_coordinates=2, period=3).period, [3, 3])
    named = SubsetVariables([0, 1], n_coordinates=2, names=["r", "phi"], period={"phi": 360})
    np.testing.assert_array_equal(named.period, [0, 360])


def test_variables_where_chains_start():
    """What the sampler looks at first: finite values, and periods that fit them."""
    x = np.linspace(-3.1, 3.1, 400)[:, None] * [1.0, 50.0]
    found = check_variables(SubsetVariables([0, 1], n_coordinates=2, period=[2 * np.pi, 360]), x)
    np.testing.assert_array_equal(found, x)
    with pytest.warns(DataWarning, match="'x0' looks like an angle"):
        check_variables(SubsetVariables([0], n_coordinates=2), x)
    with pytest.raises(DataError, match="'x1' looks like degrees"):
        check_variables(SubsetVariables([1], n_coordinates=2, period=2 * np.pi), x)
    x[7, 1] = np.nan
    with pytest.raises(DataError, match="variable 'x1' is nan at the start of chain 7"):
        check_variables(SubsetVariables([0, 1], n_coordinates=2, period=[7, 360]), x)

    class Flat(SubsetVariables):
        def values(self, x):
            return x[:, 0]

    with pytest.raises(DataError, match=r"shape \(400,\) for 400 configurations: expected \(400, 1\)"):
        check_variables(Flat([0], n_coordinates=2), x)


def test_a_wrong_jacobian_is_named():
    """Differences at the starts: of each variable by itself, and of angles across their cut."""
    x = np.random.default_rng(2).normal(size=(12, 5))
    right = FunctionVariables(angle_and_radius, their_jacobian, names=["angle", "r2"], period=[2 * np.pi, 0])
    check_variables(right, x)
    x[:6, 0], x[:6, 1] = -1.0, 1e-7 * np.arange(-3, 3)  # angles on both sides of pi
    check_variables(right, x)

    def wrong(x):
        found = their_jacobian(x)
        found[:, 1] *= 1.05
        return found

    with pytest.raises(DataError, match="the jacobian of variable 'r2' is not that of its values"):
        check_variables(FunctionVariables(angle_and_radius, wrong, names=["angle", "r2"], period=[2 * np.pi, 0]), x)


def test_what_is_no_variable_says_so():
    with pytest.raises(ParameterError, match="variables is None: name some"):
        check_variables(None, X)
    with pytest.raises(ParameterError, match=r"a function without names, .*wrap it: FunctionVariables"):
        check_variables(angle_and_radius, X)


def test_wrong_variables():
    for wrong in ([0, 0], [], [5], [-1], [0.5]):
        with pytest.raises(ParameterError, match="indices"):
            SubsetVariables(wrong, n_coordinates=5)
    with pytest.raises(ParameterError, match="2 different names"):
        LinearVariables(A, names=["a", "a"])
    with pytest.raises(ParameterError, match="period"):
        LinearVariables(A, period=[1, 2, 3])
    with pytest.raises(ParameterError, match="period"):
        LinearVariables(A, period=-1)
    with pytest.raises(DataError, match="span 1 dimensions"):
        LinearVariables([[1, 2, 3], [2, 4, 6]])
    with pytest.raises(ParameterError, match="pass jacobian="):
        FunctionVariables(angle_and_radius)
    with pytest.raises(DataError, match=r"angle, r2 returns shape \(4,\).*expected \(4, 2\)"):
        FunctionVariables(lambda x: x[:, 0], their_jacobian, names=["angle", "r2"]).values(X)
    with pytest.raises(DataError, match=r"jacobian.*expected \(4, 2, 5\)"):
        FunctionVariables(angle_and_radius, lambda x: x, names=["angle", "r2"]).jacobian(X)


@pytest.mark.parametrize("variables", [KINDS["subset"], KINDS["linear"]])
def test_subset_embedding(variables):
    split = SubsetEmbedding(TARGET, variables)
    z, y = split.split(X)
    assert z.shape == (4, 2) and y.shape == (4, 3) and split.n_auxiliary == 3
    np.testing.assert_allclose(split.join(z, y), X, atol=1e-14)
    other = split.join(z + 1, y)
    np.testing.assert_allclose(variables.values(other), z + 1, atol=1e-13)
    np.testing.assert_allclose(split.split(other)[1], y, atol=1e-13)
    point = split.evaluate(z, y)
    np.testing.assert_allclose(point.energy, TARGET.energy(X), atol=1e-12)
    right = differences(lambda y: TARGET.energy(split.join(z, y)), y).T
    np.testing.assert_allclose(point.gradient, right, atol=1e-7)
    # the volume of (z, y) is that of x, everywhere alike
    slopes = [differences(lambda x: np.concatenate(split.split(x), 1), row[None])[:, 0] for row in X]
    cells = np.abs(np.linalg.det(slopes))
    np.testing.assert_allclose(cells, cells[0], rtol=1e-7)


@pytest.mark.parametrize("variables", list(KINDS.values()))
def test_soft_embedding(variables):
    split = SoftEmbedding(TARGET, variables, kappa=[3.0, 0.5])
    generators = [np.random.default_rng(i) for i in range(4)]
    z, y = split.split(X, generators)
    assert y is X and split.join(z, y) is X
    point = split.evaluate(z, y)
    away = variables.values(X) - z
    right = TARGET.energy(X) + np.where(
        variables.period > 0, [3.0, 0.5] * (1 - np.cos(away)), np.array([3.0, 0.5]) * away**2 / 2
    ).sum(1)
    np.testing.assert_allclose(point.energy, right, atol=1e-12)
    np.testing.assert_allclose(point.gradient, differences(lambda x: split.evaluate(z, x).energy, X).T, atol=1e-7)
    known = split.start(X, z, *TARGET.energy_and_gradient(X))
    np.testing.assert_array_equal(known.gradient, point.gradient)


def test_springs_of_any_period():
    """One period is no way; near the middle a spring of any period is (kappa / 2) d^2."""
    kappa, period = np.array([7.0, 7.0, 7.0]), np.array([0.0, 360.0, 2.0])
    energy, pull = restraint(np.array([[1e-4, 1e-4, 1e-4]]), kappa, period)
    np.testing.assert_allclose(energy, 3 * 7 * 1e-8 / 2, rtol=1e-6)
    np.testing.assert_allclose(pull, 7e-4, rtol=1e-6)
    energy, pull = restraint(np.array([[0.0, 720.0, -2.0]]), kappa, period)
    np.testing.assert_allclose(energy, 0, atol=1e-20)
    np.testing.assert_allclose(pull, 0, atol=1e-10)


def test_refreshed_variables_have_their_law():
    """Kolmogorov-Smirnov beside the density exp(-restraint), found by quadrature."""
    kappa, period, n = np.array([4.0, 2.0]), np.array([0.0, 6.0]), 4000
    generators = [np.random.default_rng([3, i]) for i in range(n)]
    z = refresh(np.full((n, 2), 0.7), kappa, period, generators)
    for one, reach in enumerate((8.0, 3.0)):
        grid = np.linspace(-reach, reach, 4001)
        alone = np.exp(-restraint(grid[:, None], kappa[[one]], period[[one]])[0])
        cumulative = integrate.cumulative_trapezoid(alone, grid, initial=0)
        law = lambda at, grid=grid, c=cumulative: np.interp(at - 0.7, grid, c / c[-1])  # noqa: E731
        assert stats.kstest(z[:, one], law).pvalue > 1e-3
    again = refresh(np.full((1, 2), 0.7), kappa, period, [np.random.default_rng([3, 5])])
    np.testing.assert_array_equal(again[0], z[5])


def test_the_short_way():
    period = np.array([0.0, 4.0])
    way, ambiguous = displacement(
        np.array([[0.0, 0.5], [0.0, 0.0], [9.0, -1.9]]), np.array([[3.0, 3.5], [0.0, 2.0], [2.0, 1.9]]), period
    )
    np.testing.assert_allclose(way, [[3, -1], [0, 2], [-7, -0.2]])
    np.testing.assert_array_equal(ambiguous, [False, True, False])
    assert not displacement(np.zeros((2, 1)), np.ones((2, 1)), np.zeros(1))[1].any()


def test_embeddings_that_make_no_sense():
    with pytest.raises(ParameterError, match="soft embedding"):
        SubsetEmbedding(TARGET, KINDS["function"])
    with pytest.raises(ParameterError, match="of 4 coordinates, and the target has 5"):
        SubsetEmbedding(TARGET, SubsetVariables([0], n_coordinates=4))
    with pytest.raises(ParameterError, match="nothing is left"):
        SubsetEmbedding(TARGET, SubsetVariables(range(5), n_coordinates=5))
    for wrong in (0, -1, [1, 2, 3], np.nan):
        with pytest.raises(ParameterError, match="kappa"):
            SoftEmbedding(TARGET, KINDS["function"], kappa=wrong)
