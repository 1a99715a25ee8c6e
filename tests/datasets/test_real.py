"""Real data sets: shapes, names, no missing values."""

import numpy as np
import pytest

from infoscope.datasets import digit_descriptions, load_breast_cancer, load_diabetes, load_digits, load_wine


@pytest.mark.parametrize(
    ("load", "shape", "n_classes"),
    [(load_wine, (178, 13), 3), (load_breast_cancer, (569, 30), 2), (load_digits, (1797, 64), 10)],
)
def test_classes(load, shape, n_classes):
    frame, labels = load()
    assert frame.shape == shape and len(labels) == len(frame) and len(set(labels.tolist())) == n_classes
    assert np.isfinite(frame.to_numpy()).all() and len(set(frame.columns)) == shape[1]


def test_diabetes_keeps_its_units():
    frame, progression = load_diabetes()
    assert frame["age"].between(18, 80).all() and progression.shape == (442,) and progression.dtype == np.float64


def test_descriptions_of_the_digits():
    descriptions, labels = digit_descriptions()
    pixels = descriptions["pixels"].to_numpy()
    assert {len(frame) for frame in descriptions.values()} == {len(labels)}
    assert np.allclose(descriptions["quarters"].mean(axis=1), pixels.mean(axis=1))
    assert np.allclose(descriptions["quarters"]["top left"], pixels.reshape(-1, 8, 8)[:, :4, :4].mean(axis=(1, 2)))
    shades = descriptions["shades"].to_numpy()
    assert (np.diff(shades) >= 0).all() and np.array_equal(shades.sum(axis=1), pixels.sum(axis=1))
    components = descriptions["10 components"].to_numpy()
    assert np.allclose(components.mean(axis=0), 0, atol=1e-10)
    covariance = np.cov(components.T)
    assert np.allclose(covariance, np.diag(np.diag(covariance)), atol=1e-9)
    assert (np.diff(np.diag(covariance)) < 0).all()
    assert np.allclose(np.diag(covariance), np.linalg.eigvalsh(np.cov(pixels.T))[::-1][:10])
