"""Similarities that are a nuclear norm, s = c |A^T B|_*, of two layers' coordinates: Procrustes, CCA and SVCCA.

Every layer becomes coordinates A (N, r) of its items, made once.  Items of one layer exchanged by a permutation
exchange the rows of its coordinates: what is left of a shuffle is one product and its singular values.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .linear_similarity import centred_layers, directions_that_hold, principal_items, refuse_full_rank, shorter_side

ROTATIONS = ("procrustes", "cca", "svcca")
KEEP = 0.99  # share of the variance that SVCCA keeps
WAYS_OUT = {
    "cca": "reduce the layers first: preprocess=PCA(...) of scikit-learn, or the measure 'svcca'",
    "svcca": "reduce the layers first: preprocess=PCA(...) of scikit-learn",
}


def coordinates_of(
    x: np.ndarray, dtype: np.dtype, measures: Sequence[str], name: str, n_groups: int = 1
) -> dict[str, np.ndarray]:
    """Coordinates (N, r) of the items of a layer for each of the measures.

    Parameters
    ----------
    x : array (N, D)
        Vectors of the items.
    dtype : dtype
        That the layer came in.
    measures : sequence of str
        Of "procrustes" (centred columns of size one, from the shorter side), "cca" (orthonormal, on the numerical rank)
        and "svcca" (the leading ones, that hold 99 % of the variance).
    name : str
        What messages call the layer.
    n_groups : int
        Groups in which the items were centred.

    Raises
    ------
    ParameterError
        Where the rank is so large that all canonical correlations are 1 whatever the layers are.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.representations.nuclear_norms import coordinates_of
    >>> x = np.random.default_rng(0).normal(size=(20, 3)) * [9, 9, 0.1]
    >>> {one: a.shape for one, a in coordinates_of(x, x.dtype, ("procrustes", "cca", "svcca"), "a").items()}
    {'procrustes': (20, 3), 'cca': (20, 3), 'svcca': (20, 2)}
    """
    (x,) = centred_layers(x)
    found = {}
    if "procrustes" in measures:
        found["procrustes"] = shorter_side(x) / np.linalg.norm(x)
    if "cca" in measures or "svcca" in measures:
        left, s = principal_items(x, dtype)
        for measure, keep in (("cca", None), ("svcca", KEEP)):
            if measure in measures:
                found[measure] = np.ascontiguousarray(left[:, : directions_that_hold(s, keep)])
                refuse_full_rank(found[measure], name, WAYS_OUT[measure], n_groups)
    return found


def value_and_influence(a: np.ndarray, b: np.ndarray, measure: str) -> tuple[float, np.ndarray]:
    """The similarity of two layers, and what each item adds to it, to first order.

    With A^T B = P S Q^T the best rotations stand still to first order, so that item i adds p_i . q_i of the items'
    coordinates p = A P and q = B Q, less half of what it adds to the sizes of both: to each canonical variate (CCA), or
    to the whole (Procrustes).

    Parameters
    ----------
    a, b : array (N, r), (N, q)
        `coordinates_of` the layers.
    measure : {"procrustes", "cca", "svcca"}

    Returns
    -------
    value : float
    influence : array (N,)
        Of mean zero; its variance over N is that of the value.
    """
    left, s, right = np.linalg.svd(a.T @ b, full_matrices=False)
    p, q = a @ left, b @ right.T
    if measure == "procrustes":
        value, sizes = s.sum(), s.sum() * ((a**2).sum(1) + (b**2).sum(1))
        parts = (p * q).sum(1)
    else:
        value, sizes = s.mean(), (p**2 + q**2) @ s / len(s)
        parts = (p * q).mean(1)
    return min(float(value), 1.0), len(a) * (parts - sizes / 2)


class PermutedNorms:
    """Similarities of all pairs of layers when the items of the second are exchanged.

    Parameters
    ----------
    a, b : sequence of array (N, r)
        `coordinates_of` the layers of two models.
    measure : {"procrustes", "cca", "svcca"}
    """

    def __init__(self, a: Sequence[np.ndarray], b: Sequence[np.ndarray], measure: str):
        self.a, self.b, self.measure = a, b, measure

    def __call__(self, order: np.ndarray) -> np.ndarray:
        """array (L_A, L_B): item i of the first layers stands beside item order[i] of the second."""
        found = np.empty((len(self.a), len(self.b)))
        for at, second in enumerate(self.b):
            shuffled = second[order]
            for place, first in enumerate(self.a):
                s = np.linalg.svd(first.T @ shuffled, compute_uv=False)
                found[place, at] = min(s.sum() if self.measure == "procrustes" else s.mean(), 1.0)
        return found
