"""Logits of a masked token by factored attention, in NumPy: the reference that trained models are compared with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from infoscope.base import DataError, check_choice

from .token_arrays import check_tokens

EPSILON = 1e-5  # of the layer norm
NORMS = ("none", "layer")


def factored_logits(
    tokens: Any,
    position_weights: Sequence[Any],
    value_weights: Sequence[Any],
    masked: int | Sequence[int],
    norm: str | None = None,
) -> np.ndarray:
    """Logits of one masked token a sequence: attention whose weights do not depend on the input, n layers deep.

    With x the one-hot tokens, the masked one a row of zeros, and a sum over heads h in every layer,
    ``x <- x + (sum_h A_h x V_h^T)^2`` (squares of entries) for all layers but the last, which gives the logits
    ``sum_h A_h x V_h^T``.  Every square doubles the degree, so n layers join 2^(n-1) + 1 sites.

    Parameters
    ----------
    tokens : array (n, L) of int
        Sequences; what stands at the masked site does not matter.
    position_weights : sequence of arrays (L, L) or (H, L, L)
        A of every layer.
    value_weights : sequence of arrays (V, V) or (H, V, V)
        V of every layer.
    masked : int or array (n,) of int
        The masked site, of all or of each.
    norm : {None, "layer"}
        "layer" standardizes the V entries of each site after every layer but the last (epsilon 1e-5, no gain): the
        logits are then no polynomials, and the order is not bounded.

    Returns
    -------
    array (n, V)

    Raises
    ------
    DataError
        Weights that do not fit together or to the tokens.

    References
    ----------
    Rende, Gerace, Laio, Goldt, NeurIPS 2024 (arXiv 2410.19637), Eqs. (1) and (3).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.clones import factored_logits
    >>> A, V = np.ones((3, 3)), np.diag([2.0, 1.0])
    >>> factored_logits([[0, 1, 1]], [A], [V], masked=1)                               # of tokens 0 and 1 beside it
    array([[2., 1.]])
    """
    norm = check_choice("none" if norm is None else norm, "norm", NORMS)
    layers = _check_layers(position_weights, value_weights)
    length, n_tokens = layers[0][0].shape[-1], layers[0][1].shape[-1]
    array, _ = check_tokens(tokens, n_tokens)
    if array.shape[1] != length:
        raise DataError(f"sequences have {array.shape[1]} sites, but position_weights are for {length}")
    sites = np.asarray(masked)
    fits = sites.dtype.kind in "iu" and sites.shape in ((), (len(array),))
    if not fits or (sites < 0).any() or (sites >= length).any():
        raise DataError(f"masked must be sites from 0 to {length - 1}, one for all sequences or one for each")
    x = np.eye(n_tokens)[array]
    sites = np.broadcast_to(sites, (len(array),))
    x[np.arange(len(array)), sites] = 0.0
    for positions, values in layers[:-1]:
        x = x + _attend(positions, values, x) ** 2  # Eq. (3)
        if norm == "layer":
            x = x - x.mean(-1, keepdims=True)
            x = x / np.sqrt((x**2).mean(-1, keepdims=True) + EPSILON)
    positions, values = layers[-1]
    return np.asarray(np.einsum("hbj,bju,hvu->bv", positions[:, sites], x, values, optimize=True))  # Eq. (1)


# --------------------------------------------------------------------------------------------------------------- steps
def _attend(positions: np.ndarray, values: np.ndarray, x: np.ndarray) -> np.ndarray:
    return np.asarray(np.einsum("hij,bju,hvu->biv", positions, x, values, optimize=True))


def _check_layers(position_weights: Sequence[Any], value_weights: Sequence[Any]) -> list[tuple[np.ndarray, np.ndarray]]:
    """(H, L, L) and (H, V, V) of every layer."""
    if len(position_weights) != len(value_weights) or not len(position_weights):
        raise DataError(
            f"there are {len(position_weights)} position_weights and {len(value_weights)} value_weights: pass one of "
            "each a layer, and at least one layer"
        )
    layers: list[tuple[np.ndarray, np.ndarray]] = []
    for number, pair in enumerate(zip(position_weights, value_weights, strict=True)):
        heads = []
        for array, name in zip(pair, ("position_weights", "value_weights"), strict=True):
            array = np.asarray(array, np.float64)
            array = array[None] if array.ndim == 2 else array
            if array.ndim != 3 or array.shape[1] != array.shape[2] or not np.isfinite(array).all():
                raise DataError(
                    f"{name} of layer {number} have shape {array.shape}, or are not finite: pass one square matrix, or "
                    "one a head"
                )
            heads.append(array)
        if len(heads[0]) != len(heads[1]):
            raise DataError(f"layer {number} has {len(heads[0])} heads of positions, but {len(heads[1])} of values")
        if layers and (heads[0].shape[1:] != layers[0][0].shape[1:] or heads[1].shape[1:] != layers[0][1].shape[1:]):
            raise DataError(f"weights of layer {number} are of other sites or tokens than those of layer 0")
        layers.append((heads[0], heads[1]))
    return layers
