"""Similarities of two layers as linear maps see them, to the last digits: CKA, CCA and SVCCA, Procrustes.

Each takes two arrays (N, D) of the same items.  Columns are centred first; a layer is compared in whichever of its
two sides, features or items, is shorter.  For many layers, errors and a null: `compare_layers`, whose CKA is the same
sum from matrices of all items in single precision (`trace_forms`): a shuffle of items only looks those up, and here
there are none.
"""

from __future__ import annotations

import numpy as np

from infoscope.base import DataError, ParameterError

from .dead_layers import refuse_alike, refuse_dead
from .layers import FEWEST

ROUNDING = 1e-12  # of an unbiased HSIC, relative to the plain one that it is a difference from


def linear_cka(X: np.ndarray, Y: np.ndarray, *, debiased: bool = True) -> float:
    """Linear centred kernel alignment: ``|X^T Y|^2 / (|X^T X| |Y^T Y|)``, or the same of unbiased HSIC.

    Parameters
    ----------
    X, Y : array (N, D), (N, E)
        Two layers of the same items.
    debiased : bool
        Take the unbiased estimate of HSIC, which is 0 on average where nothing is shared, whatever the widths; the
        plain one is about D/(D + N) between independent layers.

    Returns
    -------
    float

    Raises
    ------
    DataError
        Different numbers of items, fewer than four, a layer that is constant; with `debiased`, one in which all pairs
        of items are alike.

    References
    ----------
    Kornblith, Norouzi, Lee, Hinton, ICML (2019); Song, Smola, Gretton, Bedo, Borgwardt, JMLR 13, 1393 (2012), Eq. (5).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.representations import linear_cka
    >>> x, y = np.random.default_rng(0).normal(size=(2, 100, 1000))
    >>> round(linear_cka(x, y, debiased=False), 1), abs(linear_cka(x, y)) < 0.05
    (0.9, True)
    """
    X, Y = centred_layers(X, Y, fewest=FEWEST)
    if not debiased:
        between, own = _product_of_grams(X, Y), (_product_of_grams(X, X), _product_of_grams(Y, Y))
        return float(between / np.sqrt(own[0] * own[1]))
    squares = [unbiased_hsic(Z, Z) for Z in (X, Y)]  # those of a matrix, added up
    for number, (Z, square) in enumerate(zip((X, Y), squares, strict=True)):
        plain = _product_of_grams(Z, Z) / (len(Z) * (len(Z) - 3))
        refuse_alike(square, ROUNDING * plain, "debiased CKA", f"layer {number}")
    return float(unbiased_hsic(X, Y) / np.sqrt(squares[0] * squares[1]))


def unbiased_hsic(X: np.ndarray, Y: np.ndarray) -> float:
    """HSIC_u of the kernels X X^T and Y Y^T, without a matrix of all items where features are fewer.

    [tr(K L) + sum(K) sum(L)/((n - 1)(n - 2)) - 2/(n - 2) sum(K L)]/(n (n - 3)), both with a diagonal of zeros.
    """
    n = len(X)
    lengths = (X**2).sum(1), (Y**2).sum(1)
    trace = _product_of_grams(X, Y) - float((lengths[0] * lengths[1]).sum())
    rows = [Z @ Z.sum(0) - length for Z, length in zip((X, Y), lengths, strict=True)]  # row sums of K and L
    whole = float(rows[0].sum()) * float(rows[1].sum())
    return hsic_of_sums(trace, whole, float((rows[0] * rows[1]).sum()), n)


def hsic_of_sums(trace, whole, rows, n: int):
    """HSIC_u of kernels with zero diagonals from tr(K L), sum(K) sum(L) and the product of their row sums."""
    return (trace + whole / ((n - 1) * (n - 2)) - 2 / (n - 2) * rows) / (n * (n - 3))


def canonical_correlations(X: np.ndarray, Y: np.ndarray, *, keep: float | None = None) -> np.ndarray:
    """Canonical correlations between two layers, on their numerical rank.

    Parameters
    ----------
    X, Y : array (N, D), (N, E)
        Two layers of the same items.
    keep : float, optional
        Keep only the leading principal directions of each that hold this share of its variance (SVCCA; 0.99 is usual).

    Returns
    -------
    array
        As many as the smaller of the two ranks, descending; their mean is the similarity.

    Raises
    ------
    DataError
        Different numbers of items, a layer that is constant.
    ParameterError
        A rank so large that all correlations are 1 whatever the layers are; `keep` outside of (0, 1].

    Notes
    -----
    Where the ranks add up to more than N - 1, some correlations are 1 whatever the layers are: compare with a null of
    shuffled items.  A singular value counts when it is above max(N, D) eps times the largest, with eps of the type that
    the layer came in.  A QR factorisation of a layer of lower rank would give directions of pure rounding.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.representations import canonical_correlations
    >>> x = np.random.default_rng(0).normal(size=(50, 3))
    >>> canonical_correlations(x, x[:, :2] @ [[1.0, 2.0], [0.0, 1.0]]).round(12)
    array([1., 1.])
    """
    if keep is not None and not 0 < keep <= 1:
        raise ParameterError(f"keep is {keep}; it must be a share of the variance, above 0 and at most 1")
    types = [np.asarray(Z).dtype for Z in (X, Y)]
    X, Y = centred_layers(X, Y)
    bases = []
    for number, (Z, dtype) in enumerate(zip((X, Y), types, strict=True)):
        left, s = principal_items(Z, dtype)
        bases.append(left[:, : directions_that_hold(s, keep)])
        refuse_full_rank(bases[-1], f"layer {number}", "keep fewer directions (keep=)")
    found = np.linalg.svd(bases[0].T @ bases[1], compute_uv=False)
    return np.minimum(found, 1.0)


def procrustes_distance(X: np.ndarray, Y: np.ndarray) -> float:
    """Angle left between two layers after the best rotation: ``arccos(|X^T Y|_* / (|X| |Y|))``, in radians.

    Parameters
    ----------
    X, Y : array (N, D), (N, E)
        Two layers of the same items.

    Returns
    -------
    float
        0 for layers that a rotation and a scale make the same.

    Raises
    ------
    DataError
        As `linear_cka`.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.representations import procrustes_distance
    >>> x = np.random.default_rng(0).normal(size=(50, 3))
    >>> bool(procrustes_distance(x, 2 * x[:, ::-1]) < 1e-7)
    True
    """
    X, Y = centred_layers(X, Y)
    nuclear = np.linalg.svd(shorter_side(X).T @ shorter_side(Y), compute_uv=False).sum()
    return float(np.arccos(min(1.0, nuclear / (np.linalg.norm(X) * np.linalg.norm(Y)))))


# --------------------------------------------------------------------------------------------------------------- steps
def centred_layers(*layers: np.ndarray, fewest: int = 3) -> list[np.ndarray]:
    """Layers of the same items, float64, the mean of every column taken away.

    Raises
    ------
    DataError
        Other shapes, numbers that are not finite, different numbers of items or too few, a layer that is constant.
    """
    arrays = [np.asarray(layer, np.float64) for layer in layers]
    for number, array in enumerate(arrays):
        if array.ndim != 2 or 0 in array.shape:
            raise DataError(f"layer {number} has shape {array.shape}; it needs items and features")
        if not np.isfinite(array).all():
            row, column = np.argwhere(~np.isfinite(array))[0]
            raise DataError(f"layer {number} holds {array[row, column]} in item {row}, feature {column}")
        if len(array) != len(arrays[0]):
            raise DataError(f"layers of {len(arrays[0])} and {len(array)} items: both must hold the same items")
        if len(array) < fewest:
            raise DataError(f"{len(array)} items: at least {fewest} are needed")
        refuse_dead(array, f"layer {number}")
    return [array - array.mean(0) for array in arrays]


def principal_items(X: np.ndarray, dtype: np.dtype) -> tuple[np.ndarray, np.ndarray]:
    """Orthonormal coordinates of the items and the singular values of centred X, on its numerical rank r.

    Parameters
    ----------
    X : array (N, D)
    dtype : dtype
        That the layer came in: below its rounding nothing counts.

    Returns
    -------
    left : array (N, r)
    s : array (r,)
        Descending.
    """
    left, s, _ = np.linalg.svd(X, full_matrices=False)
    eps = np.finfo(dtype).eps if dtype.kind == "f" else np.finfo(np.float64).eps
    rank = int((s > max(X.shape) * eps * s[0]).sum())
    return left[:, :rank], s[:rank]


def directions_that_hold(s: np.ndarray, keep: float | None) -> int:
    """How many leading principal directions hold this share of the variance; all where it is None."""
    if keep is None:
        return len(s)
    share = np.cumsum(s**2) / (s**2).sum()
    return min(len(s), int(np.searchsorted(share, keep * (1 - 1e-12))) + 1)


def refuse_full_rank(basis: np.ndarray, name: str, way_out: str, n_groups: int = 1) -> None:
    """Raise where the directions (N, r) of a layer are all that N centred items have: they hold any other layer.

    Items that are centred group by group have N less the number of groups.

    Raises
    ------
    ParameterError
        Naming the layer and the way out.
    """
    n, rank = basis.shape
    if rank >= n - n_groups:
        centred = "" if n_groups == 1 else f", centred in {n_groups} groups"
        raise ParameterError(
            f"{name} has rank {rank} of {n} items{centred}: all canonical correlations are 1 whatever the layers are; "
            f"bring more items than features, or {way_out}"
        )


def shorter_side(Z: np.ndarray) -> np.ndarray:
    """Z, or a square matrix (N, N) with the same Z Z^T where there are fewer items than features."""
    return np.transpose(np.linalg.qr(Z.T, mode="r")) if Z.shape[1] > len(Z) else Z


def _product_of_grams(X: np.ndarray, Y: np.ndarray) -> float:
    """tr(X X^T Y Y^T) = |X^T Y|^2, from the shorter side."""
    if X.shape[1] * Y.shape[1] <= len(X) * (X.shape[1] + Y.shape[1]):
        return float(((X.T @ Y) ** 2).sum())
    return float(((X @ X.T) * (Y @ Y.T)).sum())
