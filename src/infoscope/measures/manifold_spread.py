"""Are groups compact and their centres spread? Nuclear norms of centres and of members."""

from __future__ import annotations

from typing import Any

import numpy as np

from infoscope.base import DataError, ParameterError, provenance
from infoscope.base.checks import check_matrix
from infoscope.neighbors import Space, as_space, is_series, refuse_weights, target_space, to_numpy

from .one_sample import refuse_periods
from .spectral_results import ManifoldSpread

FEWEST_GROUPS = 2


def manifold_spread(X: Any, labels: Any = None) -> ManifoldSpread:
    """Does a representation keep groups compact and spread their centres?

    Vectors are made as long as 1. With c_b the mean of the members of group b, C of rows c_b and Z_b of its members,
    the global nuclear norm, of C, is large where centres are spread; the local one, the mean of those of Z_b, is small
    where groups are compact.

    Parameters
    ----------
    X : array (B, V, D), or Space or array (N, D) with labels
        V views of B items; or N items of some classes.
    labels : array (N,), optional
        Class of every item.

    Returns
    -------
    ManifoldSpread
        Errors count groups as independent draws.

    Raises
    ------
    DataError
        Vectors of length zero, fewer than two groups, NaN.
    ParameterError
        Views with labels, or items without.

    References
    ----------
    Yerxa, Kuang, Simoncelli, Chung, arXiv:2303.03307 (2023): the terms of the loss.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.measures.manifold_spread import manifold_spread
    >>> views = np.eye(4)[:, None].repeat(3, axis=1)                      # three equal views of four directions
    >>> found = manifold_spread(views)
    >>> round(found.value, 6), round(found.global_nuclear, 6), round(found.local_nuclear, 6)
    (1.0, 4.0, 1.732051)
    """
    rows, group, n_groups = _members(X, labels)
    timed = isinstance(X, Space) and is_series(X)
    lengths = np.linalg.norm(rows, axis=1)
    if not lengths.all():
        at = int(np.argmin(lengths))
        raise DataError(f"row {at} of X is all zeros and has no direction: leave it out")
    rows = rows / lengths[:, None]
    if n_groups < FEWEST_GROUPS:
        raise DataError(f"X has {n_groups} group: a spread is between two at least")
    d = rows.shape[1]
    centres = np.zeros((n_groups, d))
    np.add.at(centres, group, rows)
    centres /= np.bincount(group, minlength=n_groups)[:, None]
    _, singular, right = np.linalg.svd(centres, full_matrices=False)
    kept = singular > 1e-12 * singular[0] * max(centres.shape) if singular[0] > 0 else np.zeros(len(singular), bool)
    total = float(singular.sum())
    # sqrt(B) sum sqrt(lambda), lambda of the mean of c c^T: a group moves lambda_k by (z_k^2 - lambda_k) / B
    pulled = ((centres @ right[kept].T) ** 2 / (2 * np.maximum(singular[kept], np.finfo(float).tiny))).sum(1)
    error = float(np.std(pulled, ddof=1) * np.sqrt(n_groups))
    order = np.argsort(group, kind="stable")
    edges = np.searchsorted(group[order], np.arange(n_groups + 1))
    local = np.array(
        [np.linalg.svd(rows[order[a:b]], compute_uv=False).sum() for a, b in zip(edges[:-1], edges[1:], strict=True)]
    )
    bound = float(np.sqrt(n_groups * min(n_groups, d)))
    return ManifoldSpread(
        value=total / bound,
        value_se=error / bound,
        global_nuclear=total,
        global_nuclear_se=error,
        local_nuclear=float(local.mean()),
        local_nuclear_se=float(local.std(ddof=1) / np.sqrt(n_groups)),
        compactness=float(np.linalg.norm(centres, axis=1).mean()),
        n_groups=n_groups,
        n_items=len(rows),
        n_features=d,
        notes=("errors count the groups as independent draws, whatever the times of their members",) if timed else (),
        provenance=provenance("manifold_spread", {}, None, rows, group),
    )


def _members(X: Any, labels: Any) -> tuple[np.ndarray, np.ndarray, int]:
    """Vectors, the group of each, and how many groups there are."""
    values = X if isinstance(X, Space) else to_numpy(X) if hasattr(X, "ndim") else X
    if not isinstance(values, Space) and np.ndim(values) == 3:
        if labels is not None:
            raise ParameterError("X holds views of items (B, V, D), which are the groups: leave labels out")
        values = np.asarray(values)
        b, v, d = values.shape
        flat = check_matrix(values.reshape(b * v, d), "X").astype(np.float64)
        return flat, np.repeat(np.arange(b), v), b
    if labels is None:
        raise ParameterError("X has one vector an item: pass labels=, or views of items as an array (B, V, D)")
    space = refuse_weights(as_space(X, name="X"), "spreads have no weighted form")
    if space.metric not in ("euclidean", "cosine"):
        raise ParameterError(f"X has metric {space.metric!r}: pass columns of real numbers")
    refuse_periods(space, "a direction")
    classes, _ = target_space(labels, "labels", name="labels", option="labels")
    if len(classes) != len(space):
        raise DataError(f"labels has {len(classes)} entries, but there are {len(space)} rows of X: pass one for each")
    scale = 1.0 if space.metric == "cosine" else np.asarray(space.feature_weights)
    rows = np.asarray(to_numpy(space.features), np.float64) * scale
    codes = np.asarray(classes.features)[:, 0].astype(np.int64)
    groups, group = np.unique(codes, return_inverse=True)
    return rows, group.reshape(-1), len(groups)
