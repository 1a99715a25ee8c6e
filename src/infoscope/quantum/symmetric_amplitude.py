"""log psi of the symmetric wave function: the network summed over the images of each configuration."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from .network import NetworkShape, Parameters, log_amplitudes

ACTIVATION_BYTES = 2**20  # of the widest layer of one chunk: it stays in the cache of a core


def symmetric_log_amplitudes(
    parameters: Parameters, shape: NetworkShape, images: Any, characters: Any, couplings: Any, trivial: bool
) -> Any:
    """log psi of rows, from their images.

    Parameters
    ----------
    parameters, shape
        The network.
    images : array (M, G, n)
        Spins, in the precision of the network.
    characters : array (G,)
    couplings : array (M, m)
        Standardised.
    trivial : bool
        Whether all characters are +1.

    Returns
    -------
    array (M,)
        float64; complex128 where amplitudes are complex or may be negative.
    """
    n_rows, n_images, n_sites = images.shape
    each = jnp.repeat(couplings, n_images, axis=0) if n_images > 1 else couplings
    logs = log_amplitudes(parameters, shape, images.reshape(-1, n_sites), each).reshape(n_rows, n_images)
    logs = logs.astype(jnp.complex128 if shape.complex_amplitude else jnp.float64)
    if n_images == 1:
        return logs[:, 0]
    highest = lax.stop_gradient(jnp.real(logs).max(axis=1, keepdims=True))
    terms = jnp.exp(logs - highest)
    if trivial:
        total = terms.sum(axis=1)
    else:
        total = (terms * characters).sum(axis=1).astype(jnp.complex128)
    return jnp.log(total) + highest[:, 0] - math.log(n_images)


def rows_in_chunk(shape: NetworkShape, n_images: int) -> int:
    """How many rows are evaluated together."""
    row = n_images * shape.n_patches * 4 * shape.d_model * 8
    return max(8, ACTIVATION_BYTES // row)


def map_rows(function: Callable[..., Any], arrays: tuple[Any, ...], chunk: int) -> Any:
    """A function of rows, a chunk at a time: the memory is that of one chunk, the values are the same.

    The last chunk is filled up with copies of the first row.
    """
    n_rows = arrays[0].shape[0]
    if n_rows <= chunk:
        return function(*arrays)
    n_chunks = -(-n_rows // chunk)
    chunk = -(-n_rows // n_chunks)  # as even as can be
    missing = n_chunks * chunk - n_rows

    def cut(array: Any) -> Any:
        if missing:
            array = jnp.concatenate([array, jnp.broadcast_to(array[:1], (missing, *array.shape[1:]))])
        return array.reshape(n_chunks, chunk, *array.shape[1:])

    found = lax.map(lambda part: function(*part), tuple(cut(array) for array in arrays))
    return jax.tree.map(lambda x: x.reshape(n_chunks * chunk, *x.shape[2:])[:n_rows], found)
