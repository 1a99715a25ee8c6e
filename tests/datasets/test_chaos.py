"""Coupled chaotic systems and networks against another integrator, loops and known moments."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from infoscope.base.errors import ParameterError
from infoscope.datasets import coupled_lorenz, coupled_lorenz96, coupled_rossler, even_network, logistic_network


def rossler(_, s, w, c):
    x, y = s[:3], s[3:]
    return [-w[0] * x[1] - x[2], w[0] * x[0] + 0.15 * x[1], 0.2 + x[2] * (x[0] - 10),
            -w[1] * y[1] - y[2] + c * (x[0] - y[0]), w[1] * y[0] + 0.15 * y[1], 0.2 + y[2] * (y[0] - 10)]  # fmt: skip


def lorenz(_, s, forth, back):
    x, y = s[:3], s[3:]
    return [10 * (x[1] - x[0]), x[0] * (28 - x[2]) - x[1] + back * y[1] ** 2, x[0] * x[1] - 8 / 3 * x[2],
            10 * (y[1] - y[0]), y[0] * (28 - y[2]) - y[1] + forth * x[1] ** 2, y[0] * y[1] - 8 / 3 * y[2]]  # fmt: skip


def lorenz96(_, s, c):
    x, y = s.reshape(2, -1)
    slopes = [(np.roll(z, -1) - np.roll(z, 2)) * np.roll(z, 1) - z + f for z, f in ((x, 5), (y, 6))]
    return np.concatenate([slopes[0], slopes[1] + c * x])


@pytest.mark.parametrize(
    ("frames", "slope", "arguments", "step"),
    [
        (lambda: coupled_rossler(20, n_discarded=0, random_state=0), rossler, ((1.015, 0.985), 0.07), 0.314),
        (lambda: coupled_lorenz(20, coupling=(0.1, 0.05), n_discarded=0, random_state=0), lorenz, (0.1, 0.05), 0.05),
        (lambda: coupled_lorenz96(10, 6, n_discarded=0, random_state=0), lorenz96, (1.0,), 0.06),
    ],
)
def test_trajectories_are_those_of_another_integrator(frames, slope, arguments, step):
    """Eighth-order steps of SciPy at 1e-11; chaos lets the 1e-4 of fourth order grow over these times."""
    found = frames()
    times = step * np.arange(len(found))
    exact = solve_ivp(slope, (0, times[-1]), found[0], "DOP853", times, args=arguments, rtol=1e-11, atol=1e-11).y.T
    scale = np.abs(exact).max()
    np.testing.assert_allclose(found, exact, atol=2e-3 * scale)


def test_the_driver_does_not_notice():
    one = coupled_rossler(50, coupling=0.0, n_discarded=10, random_state=3)
    other = coupled_rossler(50, coupling=0.1, n_discarded=10, random_state=3)
    assert np.array_equal(one[:, :3], other[:, :3]) and not np.allclose(one[:, 3:], other[:, 3:])
    three = coupled_rossler(
        9, coupling=[[0, 0, 0.08], [0, 0, 0.05], [0, 0, 0]], frequencies=(1.015, 0.985, 1.005), random_state=0
    )
    assert three.shape == (9, 9)


def test_the_logistic_network_is_its_equations():
    network = logistic_network(4, sizes=(3, 2), random_state=3)
    g = np.random.default_rng(3)
    r = g.uniform(3.85, 3.98, 5)
    M = np.zeros((5, 5))
    M[[0, 1, 2, 3, 4], [2, 0, 1, 4, 3]] += 0.16
    M[[3, 4], [0, 1]] += 0.12
    assert network.links.sum() == 7 and network.links[0, 3] and network.links[2, 0] and not network.links[3, 0]
    after = network.series[:-1]
    f = r * after * (1 - after)
    np.testing.assert_allclose(network.series[1:], (1 - M.sum(1)) * f + f @ M.T, atol=1e-14)
    assert network.labels.tolist() == [0, 0, 0, 1, 1] and network.edges.tolist() == [[0, 1]]
    assert (network.series > 0).all() and (network.series < 1).all()


def test_random_parents_come_before():
    network = logistic_network(2, sizes=[2] * 40, parents="random", random_state=0)
    assert (network.edges[:, 0] < network.edges[:, 1]).all() and 15 < len(network.edges) <= 39
    assert len(set(network.edges[:, 1].tolist())) == len(network.edges)


@pytest.mark.parametrize(("shape", "edges"), [
    ("pairs", [[0, 1], [2, 3], [4, 5], [6, 7]]),
    ("chains", [[0, 1], [1, 2], [2, 3], [4, 5]]),
    ("stars", [[0, 1], [0, 2], [0, 3], [4, 5]]),
])  # fmt: skip
def test_followers_follow_squares(shape, edges):
    network = even_network(20_000, 10, 4, shape=shape, random_state=0)
    assert network.edges.tolist() == edges and network.links.sum() == 4
    x, y = network.series[:, 0], network.series[:, 1]
    noise = y[1:] - 0.5 * y[:-1] - 0.6 * (x[:-1] ** 2 - 1)  # what is left is the noise, of size c
    assert noise.std() == pytest.approx(0.4, abs=0.01)  # 20,000 draws know it to 0.002
    assert abs(np.corrcoef(noise, x[:-1])[0, 1]) < 0.03 and abs(np.corrcoef(noise[1:], noise[:-1])[0, 1]) < 0.03
    assert np.corrcoef(x[1:], x[:-1])[0, 1] == pytest.approx(0.7, abs=0.02) and x.std() == pytest.approx(1, abs=0.05)
    assert abs(np.corrcoef(x[:-1], y[1:])[0, 1]) < 0.05  # which no linear test sees


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: coupled_rossler(5, coupling=[[0, 1]]), "coupling has shape"),
        (lambda: coupled_lorenz(0), "at least 1"),
        (lambda: coupled_lorenz96(5, 3), "at least 4"),
        (lambda: logistic_network(5, parents=[(), (1,), ()]), "other communities"),
        (lambda: logistic_network(0), "at least 1"),
        (lambda: even_network(10, 4, 3), "need 6 variables"),
        (lambda: even_network(10, memory=1.0), "between -1 and 1"),
        (lambda: even_network(10, shape="rings"), "shape must be one of"),
    ],
)
def test_bad_arguments(call, text):
    with pytest.raises(ParameterError, match=text):
        call()
