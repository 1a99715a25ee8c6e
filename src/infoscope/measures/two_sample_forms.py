"""From kernel sums to means inside and between two samples, as they are and for every arrangement of the labels."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .kernel_forms import Forms, Kernel, kernel_forms
from .sample_units import Prepared, permuted_labels


class Means(NamedTuple):
    """Means of the kernel, over pairs of items that are not the same.

    Attributes
    ----------
    inside : tuple of two (float or array (P,))
        In the reference and in the test sample.
    between : float or array (P,)
    """

    inside: tuple[Any, Any]
    between: Any


class KernelMeans(NamedTuple):
    """Means, those of the rows, those of all arrangements, and the variance of second order.

    Attributes
    ----------
    means : Means
    own, other : tuple of two arrays
        Mean kernel of every row of a sample with its own sample, and with the other one.
    null : Means
        Arrays (P,).
    spread : tuple of three float
        Variance of the kernel that no row explains: inside the reference, inside the test sample, between.
    """

    means: Means
    own: tuple[np.ndarray, np.ndarray]
    other: tuple[np.ndarray, np.ndarray]
    null: Means
    spread: tuple[float, float, float]

    def second_order(self, prepared: Prepared, scales: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> float:
        """Variance of mean_aa / s_a + mean_bb / s_b - 2 mean_ab / s_ab that is left where no row has an influence."""
        if prepared.blocks is not None:
            return 0.0
        n, m = (1 / (prepared.weight(label) ** 2).sum() for label in (0, 1))  # effective
        a, b, ab = (spread / scale**2 for spread, scale in zip(self.spread, scales, strict=True))
        return float(2 * (a / (n * (n - 1)) + b / (m * (m - 1)) + 2 * ab / (n * m)))


def kernel_means(
    prepared: Prepared, kernel: Kernel, diagonal: np.ndarray | None, n_permutations: int, seed: int,
    n_jobs: int | None = None,
) -> KernelMeans:  # fmt: skip
    """Means of a kernel inside and between two samples.

    Parameters
    ----------
    prepared : Prepared
    kernel : Kernel
    diagonal : array (N,) or None
        Kernel of every item with itself, where the item counts as its own pair.
    n_permutations, seed : int
    n_jobs : int, optional
    """
    samples = prepared.samples
    labels = samples.labels
    weight = np.concatenate([prepared.weight(label) * prepared.n[label] for label in (0, 1)])
    arrangements = permuted_labels(prepared, n_permutations, seed)
    forms = kernel_forms(samples.space, kernel, weight, labels, arrangements, n_jobs)
    means = _means(forms.rows, weight, labels[None], _form(forms, weight, labels), diagonal)
    null = _means(forms.rows, weight, arrangements, forms.forms, diagonal)
    own, other = [], []
    for label in (0, 1):
        mine = labels == label
        w, total = weight[mine], weight[mine].sum()
        inside = forms.rows[mine, label]
        own.append((inside + w * diagonal[mine]) / total if diagonal is not None else inside / (total - w))
        other.append(forms.rows[mine, 1 - label] / weight[~mine].sum())
    one = Means((float(means.inside[0][0]), float(means.inside[1][0])), float(means.between[0]))
    return KernelMeans(
        one, (own[0], own[1]), (other[0], other[1]), null, _spread(forms, weight, labels, one, own, other)
    )


# --------------------------------------------------------------------------------------------------------------- steps
def _form(forms: Forms, weight: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return np.array([(forms.rows[:, 1] * weight * labels).sum()])


def _means(rows, weight, arrangements, inside_test, diagonal) -> Means:
    """z^T K z is the sum inside the test sample; the rest follows from the sums of all rows."""
    z = arrangements
    whole = (rows.sum(axis=1) * weight) @ z.T.astype(float)  # sum of the rows of the test sample over all items
    total = (rows.sum(axis=1) * weight).sum()
    between = whole - inside_test
    inside_reference = total - 2 * between - inside_test
    mass = weight @ z.T.astype(float)
    rest = weight.sum() - mass
    if diagonal is None:
        squares = (weight**2) @ z.T.astype(float)
        left = (weight**2).sum() - squares
        pairs = mass**2 - squares, rest**2 - left
    else:
        own = (weight**2 * diagonal) @ z.T.astype(float)
        inside_test, inside_reference = inside_test + own, inside_reference + (weight**2 * diagonal).sum() - own
        pairs = mass**2, rest**2
    return Means((inside_reference / pairs[1], inside_test / pairs[0]), between / (mass * rest))


def _spread(forms: Forms, weight, labels, means: Means, own, other) -> tuple[float, float, float]:
    """E[(k - k_i - k_j + k)^2] for each of the three kinds of pairs."""
    found = []
    for label in (0, 1):
        mine = labels == label
        w = weight[mine]
        second = (forms.squares[mine, label] * w).sum() / (w.sum() ** 2 - (w**2).sum())
        rows = (own[label] ** 2 * w).sum() / w.sum()
        found.append(second - 2 * rows + means.inside[label] ** 2)
    mine = labels == 0
    w, v = weight[mine], weight[~mine]
    second = (forms.squares[mine, 1] * w).sum() / (w.sum() * v.sum())
    rows = sum((part**2 * x).sum() / x.sum() for part, x in zip(other, (w, v), strict=True))
    found.append(second - rows + means.between**2)
    return max(found[0], 0.0), max(found[1], 0.0), max(found[2], 0.0)
