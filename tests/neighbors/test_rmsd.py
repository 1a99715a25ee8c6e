"""Superposed RMSDs against SciPy's and NumPy's own superpositions, on easy and on degenerate molecules."""

import warnings

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from infoscope.base import DataError, ParameterError
from infoscope.neighbors import Space, nearest, rmsd, superposed_rmsd


def by_svd(x, y, weights=None):
    """RMSD by the singular value decomposition of the covariance; the residual is summed, not subtracted."""
    w = np.ones(len(x)) if weights is None else np.asarray(weights, float)
    x, y = (z - np.average(z, axis=0, weights=w) for z in (x, y))
    u, _, vt = np.linalg.svd((w[:, None] * x).T @ y)
    turn = u @ np.diag([1, 1, np.sign(np.linalg.det(u) * np.linalg.det(vt))]) @ vt
    return np.sqrt((w * ((x - y @ turn.T) ** 2).sum(1)).sum() / w.sum())


def turned(x, rng):
    return x @ Rotation.random(random_state=int(rng.integers(2**31))).as_matrix().T + rng.normal(size=3)


def molecules(kind, rng, n=6, atoms=9):
    """A list of conformations of the order of one nanometre."""
    x = rng.normal(size=(n, atoms, 3)) * [1.0, 0.7, 0.4]
    if kind == "planar":
        x[..., 2] = 0
    if kind == "linear":
        x[..., 1:] = 0
    if kind == "mirrored":
        x[1::2] = x[::2] * [-1, 1, 1]
    if kind == "mirrored linear":
        x[..., 1:] = 0
        x[1::2] = -x[::2]
    if kind == "identical":
        x[:] = x[0]
    if kind == "nearly identical":
        x = x[0] + rng.normal(size=x.shape) * 10.0 ** -np.arange(1, n + 1)[:, None, None]
    if kind == "symmetric":  # a cube in different numberings: many optima
        corners = np.array(np.meshgrid(*[[-0.5, 0.5]] * 3)).reshape(3, -1).T
        x = np.array([corners[rng.permutation(8)] for _ in range(n)])
    if kind == "two atoms":
        x = x[:, :2]
    if kind == "one atom":
        x = x[:, :1]
    return np.array([turned(y, rng) for y in x])


KINDS = [
    "general",
    "planar",
    "linear",
    "mirrored",
    "mirrored linear",
    "identical",
    "nearly identical",
    "symmetric",
    "two atoms",
    "one atom",
]


@pytest.mark.parametrize("kind", KINDS)
def test_every_pair_agrees_with_svd_and_scipy(kind):
    rng = np.random.default_rng(KINDS.index(kind))
    x = molecules(kind, rng)
    got = superposed_rmsd(x)
    centred = x - x.mean(1, keepdims=True)
    for i in range(len(x)):
        for j in range(len(x)):
            # rounding is about 1e-16 of a nanometre; squares lose half of it only where Newton's root is taken
            assert abs(got[i, j] - by_svd(x[i], x[j])) < 1e-9
            if i != j and x.shape[1] > 2 and "linear" not in kind:  # SciPy warns where the rotation is not unique
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    _, distance = Rotation.align_vectors(centred[i], centred[j])
                assert abs(got[i, j] - distance / np.sqrt(x.shape[1])) < 1e-6  # SciPy subtracts, too
    assert np.array_equal(got, got.T) and not np.diagonal(got).any()


def test_small_differences_keep_their_digits():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(20, 3))
    y = x + rng.normal(size=x.shape) * 1e-9
    got = superposed_rmsd(np.array([x, turned(y, rng) - 3]))[0, 1]
    # a turned and moved molecule is rounded at 1e-15
    assert abs(got - by_svd(x, y)) < 1e-14


def test_weights_and_offsets():
    rng = np.random.default_rng(2)
    x, w = rng.normal(size=(5, 7, 3)), np.array([12.0, 1, 0, 16, 14, 1, 32])
    got = superposed_rmsd(x + 100.0, w)
    want = [[by_svd(a, b, w) for b in x] for a in x]
    np.testing.assert_allclose(got, want, atol=1e-10)  # an offset of 100 costs two digits


def test_blocks_threads_and_types_give_the_same():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(rmsd.BLOCK + 37, 6, 3))
    one, two, single = superposed_rmsd(x, n_jobs=1), superposed_rmsd(x, n_jobs=2), superposed_rmsd(x, dtype=np.float32)
    assert np.array_equal(one, two) and single.dtype == np.float32
    np.testing.assert_allclose(single, one, rtol=1e-6)  # rounded once to float32
    i, j = rng.integers(len(x), size=(2, 60))
    np.testing.assert_allclose(one[i, j], [by_svd(x[a], x[b]) for a, b in zip(i, j, strict=True)], atol=1e-9)


def test_positions_superposed_on_one_structure_bound_it_from_above():
    rng = np.random.default_rng(4)
    x = rng.normal(size=(1, 8, 3)) + 0.2 * rng.normal(size=(30, 8, 3))
    x -= x.mean(1, keepdims=True)
    on_first = np.array([y @ Rotation.align_vectors(x[0], y)[0].as_matrix().T for y in x])
    apart = np.sqrt(((on_first[:, None] - on_first) ** 2).sum((2, 3)) / 8)
    assert (superposed_rmsd(x) <= apart + 1e-12).all()


def test_it_is_a_space():
    x = np.random.default_rng(5).normal(size=(40, 5, 3))
    distances = superposed_rmsd(x)
    graph = nearest(Space.from_distances(distances), 1)  # ties have probability zero
    np.fill_diagonal(distances, np.inf)
    assert np.array_equal(graph.items, distances.argmin(1))


def test_too_large_a_matrix_names_the_way_out():
    x = np.zeros((200, 4, 3))
    with pytest.raises(ParameterError, match=r"200 frames take 0.00032 GB.*positions\[::2\] fits.*float32.*positions"):
        superposed_rmsd(x, limit="80 kB")
    assert superposed_rmsd(x, limit=320_000).shape == (200, 200)
    with pytest.raises(ParameterError, match="such as '2 GB'"):
        superposed_rmsd(x, limit="much")


@pytest.mark.parametrize(
    ("positions", "weights", "message"),
    [
        (np.zeros((4, 12)), None, r"\(frames, atoms, 3\): reshape"),
        (np.zeros((4, 0, 3)), None, r"\(frames, atoms, 3\)"),
        (np.full((2, 2, 3), np.nan), None, "NaN in row 0.*atom 0 x"),
        (np.zeros((2, 2, 3)), [0, 0], "all zero"),
        (np.zeros((2, 2, 3)), [1, -1], "negative"),
        (np.zeros((2, 2, 3)), [1, 1, 1], "3 entries.*2 atoms"),
    ],
)
def test_bad_input(positions, weights, message):
    with pytest.raises(DataError, match=message):
        superposed_rmsd(positions, weights)
