"""Small real data sets that come with scikit-learn, as frames with names, and their labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas


def load_wine() -> tuple[pandas.DataFrame, np.ndarray]:
    """178 wines by 13 chemical measurements, and the cultivar each was made from.

    Returns
    -------
    frame : DataFrame of shape (178, 13)
    labels : ndarray of str, shape (178,)

    Examples
    --------
    >>> from infoscope.datasets import load_wine
    >>> frame, cultivar = load_wine()
    >>> frame.shape, sorted(set(cultivar.tolist()))
    ((178, 13), ['class_0', 'class_1', 'class_2'])
    """
    return _load("load_wine")


def load_breast_cancer() -> tuple[pandas.DataFrame, np.ndarray]:
    """569 breast tumours by 30 measurements of their cell nuclei, and the diagnosis.

    The first ten columns are means over the cells, the next ten their errors, the last ten those of the worst cells.

    Returns
    -------
    frame : DataFrame of shape (569, 30)
    labels : ndarray of str, shape (569,)

    Examples
    --------
    >>> from infoscope.datasets import load_breast_cancer
    >>> frame, diagnosis = load_breast_cancer()
    >>> frame.shape, sorted(set(diagnosis.tolist()))
    ((569, 30), ['benign', 'malignant'])
    """
    return _load("load_breast_cancer")


def load_digits() -> tuple[pandas.DataFrame, np.ndarray]:
    """1797 handwritten digits as the 64 grey values of their 8 x 8 pixels, and the digit.

    Returns
    -------
    frame : DataFrame of shape (1797, 64)
    labels : ndarray of int, shape (1797,)

    Examples
    --------
    >>> from infoscope.datasets import load_digits
    >>> frame, digit = load_digits()
    >>> frame.shape, digit[:5].tolist()
    ((1797, 64), [0, 1, 2, 3, 4])
    """
    frame, labels = _load("load_digits")
    return frame, labels.astype(np.int64)


def load_diabetes() -> tuple[pandas.DataFrame, np.ndarray]:
    """442 diabetes patients by 10 measurements in their own units, and how far the disease went a year later.

    Returns
    -------
    frame : DataFrame of shape (442, 10)
    progression : ndarray of float, shape (442,)

    Examples
    --------
    >>> from infoscope.datasets import load_diabetes
    >>> frame, progression = load_diabetes()
    >>> frame.shape, progression.shape
    ((442, 10), (442,))
    """
    return _load("load_diabetes", scaled=False)


def digit_descriptions() -> tuple[dict[str, pandas.DataFrame], np.ndarray]:
    """The handwritten digits of `load_digits`, each written down in four ways, and the digit.

    Returns
    -------
    descriptions : dict of str to DataFrame, each of 1797 rows
        All 64 pixels; their first 10 principal components; the mean of each quarter of the image; its 64 grey values in
        ascending order, which no longer say where they belong.
    labels : ndarray of int, shape (1797,)

    Examples
    --------
    >>> from infoscope.datasets import digit_descriptions
    >>> descriptions, digit = digit_descriptions()
    >>> {name: frame.shape[1] for name, frame in descriptions.items()}
    {'pixels': 64, '10 components': 10, 'quarters': 4, 'shades': 64}
    """
    import pandas as pd

    frame, labels = load_digits()
    pixels = frame.to_numpy()
    quarters = pixels.reshape(-1, 2, 4, 2, 4).mean(axis=(2, 4)).reshape(-1, 4)
    return {
        "pixels": frame,
        "10 components": pd.DataFrame(_principal_components(pixels, 10), columns=[f"PC{n}" for n in range(1, 11)]),
        "quarters": pd.DataFrame(quarters, columns=["top left", "top right", "bottom left", "bottom right"]),
        "shades": pd.DataFrame(np.sort(pixels, axis=1), columns=[f"shade_{rank}" for rank in range(64)]),
    }, labels


def _principal_components(values: np.ndarray, n: int) -> np.ndarray:
    """Projections on the directions of largest variance, each with its largest entry positive."""
    centred = values - values.mean(axis=0)
    directions = np.linalg.svd(centred, full_matrices=False)[2][:n]
    largest = np.abs(directions).argmax(axis=1)
    directions *= np.sign(directions[np.arange(n), largest])[:, None]
    return centred @ directions.T


def _load(function: str, **options: Any) -> tuple[pandas.DataFrame, np.ndarray]:
    from sklearn import datasets

    bunch = getattr(datasets, function)(as_frame=True, **options)
    labels = bunch.target.to_numpy()
    if "target_names" in bunch:
        labels = np.asarray(bunch.target_names)[labels]
    return bunch.data, labels
