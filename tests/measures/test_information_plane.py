"""Layers between input and label: closed forms under noise, order by data processing, shared draws, bad input."""

import warnings

import numpy as np
import pytest

from infoscope.base import DataError, ParameterError
from infoscope.measures import information_plane

pytestmark = pytest.mark.filterwarnings("ignore::infoscope.base.DataWarning")
G = np.random.default_rng(0)
X = G.normal(size=(400, 3))
LABEL = (X[:, 0] + 0.3 * G.normal(size=400) > 0).astype(int)


def test_a_copy_under_noise_has_its_closed_form():
    """I(x; x + s z) = log(1 + 1/s^2) / 2 for one normal column; neighbours in one dimension have little bias."""
    s = 0.5
    x = np.random.default_rng(1).normal(size=(1000, 1))
    found = information_plane([x], x, (x[:, 0] > 0).astype(int), noise=s)
    exact = np.log1p(1 / s**2) / 2
    assert abs(found.x_information[0] - exact) < 4 * found.x_information_se[0]
    assert found.deviations[0] == pytest.approx(s * x.std()) and found.label_entropy == pytest.approx(
        np.log(2), abs=1e-3
    )


def test_later_layers_keep_less():
    layers = {"all": X, "two": X[:, :2], "sign": np.sign(X[:, :1])}
    found = information_plane(layers, X, LABEL, noise=0.2)
    assert found.layers == ("all", "two", "sign")
    assert (np.diff(found.x_information) < 0).all()
    assert found.y_information.max() < found.label_entropy + 0.02
    lost = found.y_information[0] - found.y_information[2]
    assert abs(lost) < 5 * np.hypot(found.y_information_se[0], found.y_information_se[2]) + 0.1


def test_less_noise_leaves_more():
    some = [information_plane([X], X, LABEL, noise=s).x_information[0] for s in (1.0, 0.3, 0.1)]
    assert some[0] < some[1] < some[2]


def test_wide_layers_are_compressed():
    wide = X @ np.random.default_rng(2).normal(size=(3, 40))
    found = information_plane([wide], wide, LABEL, noise=0.1, n_components=4)
    assert found.n_components == 4 and found.x_information[0] > 1
    canonical = information_plane([wide], wide, X[:, 0], noise=0.1, compress="canonical")
    assert canonical.label_entropy is None and canonical.y_information[0] > 0.5


def test_the_same_seed_gives_the_same_and_layers_share_it():
    one, two = (information_plane([X, X.copy()], X, LABEL, random_state=3) for _ in range(2))
    np.testing.assert_array_equal(one.x_information, two.x_information)
    assert one.x_information[0] == one.x_information[1] and one.y_information[0] == one.y_information[1]


@pytest.mark.slow
@pytest.mark.parametrize("what", ["copy", "pca"])
def test_errors_of_a_plane_are_those_of_replicates(what):
    """200 independent inputs and draws of noise tell a standard deviation to 5 %, and of 95 % intervals 88 % at least,
    less three deviations, hold the mean (of the copy: the truth, for the input).  Which three of six columns that vary
    alike come first is no smooth function of the rows, and a jackknife of it is too large; errors also hold what wide
    neighbourhoods may hide, which is no scatter."""
    truth, values, errors = np.log1p(4) / 2, [], []
    for seed in range(200):
        g = np.random.default_rng([3, seed])
        x = g.normal(size=(300, 1 if what == "copy" else 6))
        layer = x if what == "copy" else np.tanh(x @ np.random.default_rng(5).normal(size=(6, 12)) / 2)
        label = (x[:, 0] + 0.5 * g.normal(size=300) > 0).astype(int)
        noise = 0.5 if what == "copy" else 0.3
        found = information_plane([layer], x, label, noise=noise, n_components=3, random_state=seed, n_jobs=1)
        values.append([found.x_information[0], found.y_information[0]])
        errors.append([found.x_information_se[0], found.y_information_se[0]])
    values, errors = np.array(values), np.array(errors)
    ratio = errors.mean(0) / values.std(0, ddof=1)
    assert (ratio > 0.8).all() and (ratio < (1.4 if what == "copy" else 2.5)).all(), ratio
    middle = values.mean(0) if what == "pca" else [truth, values[:, 1].mean()]
    covered = (abs(values - middle) < 1.96 * errors).mean(0)
    assert (covered > 0.88 - 3 * np.sqrt(0.88 * 0.12 / 200)).all(), covered


@pytest.mark.parametrize(
    "call, error, text",
    [
        (lambda: information_plane([X], X, LABEL, noise=0), ParameterError, "noise is 0"),
        (lambda: information_plane([], X, LABEL), ParameterError, "layers is empty"),
        (lambda: information_plane(X, X, LABEL), ParameterError, "pass a mapping"),
        (lambda: information_plane([X[:5]], X, LABEL), DataError, "lengths differ"),
        (lambda: information_plane([0 * X], X, LABEL), DataError, "constant"),
        (lambda: information_plane([X], X, LABEL, compress="svd"), ParameterError, "compress must be"),
        (lambda: information_plane([X * np.nan], X, LABEL), DataError, "NaN in row 0"),
    ],
)
def test_bad_input_of_planes(call, error, text):
    with warnings.catch_warnings(), pytest.raises(error, match=text):
        warnings.simplefilter("ignore")
        call()
