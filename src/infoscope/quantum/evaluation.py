"""The trained wave function asked for rows: amplitudes and their derivatives by the couplings, in compiled chunks."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .jax_precision import compiled
from .network import NetworkShape, as_parameters, hidden_layers
from .symmetric_amplitude import rows_in_chunk, symmetric_log_amplitudes
from .symmetries import SymmetryGroup

CHUNKS = 8  # of the size that stays in cache: fewer calls


class Evaluator:
    """Answers of one network with one vector of parameters.

    Parameters
    ----------
    theta : ndarray (P,)
    shape : NetworkShape
    group : SymmetryGroup
    scaling : ndarray (2, m)
        Mean and scale of the couplings.
    single : bool
        Whether the network computes in float32.
    chunk : int
        Rows a call; 0 decides by the size of the layers.
    """

    def __init__(
        self,
        theta: np.ndarray,
        shape: NetworkShape,
        group: SymmetryGroup,
        scaling: np.ndarray,
        single: bool,
        chunk: int,
    ) -> None:
        self.theta, self.shape, self.group, self.scaling = theta, shape, group, scaling
        self.kind: Any = np.float32 if single else np.float64
        self.chunk = chunk or CHUNKS * rows_in_chunk(shape, len(group))

    def log_amplitudes(self, spins: np.ndarray, couplings: np.ndarray) -> np.ndarray:
        """(M,), of spins (M, n) and couplings (M, m)."""
        return np.asarray(self._by_chunks(_amplitudes, spins, couplings))

    def coupling_derivatives(self, spins: np.ndarray, couplings: np.ndarray) -> np.ndarray:
        """(M, m): those of the real part, and of the imaginary part where there is one."""
        return np.asarray(self._by_chunks(_derivatives, spins, couplings)) / self.scaling[1]

    def hidden_layers(self, spins: np.ndarray, couplings: np.ndarray) -> list[np.ndarray]:
        """What each block makes of the configurations themselves, pooled over patches."""
        found = self._by_chunks(_layers, spins, couplings)
        return [np.asarray(one) for one in np.moveaxis(found, 1, 0)]

    def _by_chunks(self, function: Any, spins: np.ndarray, couplings: np.ndarray) -> np.ndarray:
        scaled = ((couplings - self.scaling[0]) / self.scaling[1]).astype(self.kind)
        found = []
        trivial = self.group.is_trivial
        for start in range(0, len(spins), self.chunk):
            stop = min(start + self.chunk, len(spins))
            n_rows = stop - start
            filled = min(self.chunk, 1 << max(3, (n_rows - 1).bit_length()))  # few lengths: few compilations
            where = np.minimum(np.arange(start, start + filled), stop - 1)
            images = self.group.images(spins[where])
            part = function(self.theta, images, self.group.characters, scaled[where], shape=self.shape, trivial=trivial)
            found.append(np.asarray(part)[:n_rows])
        return np.concatenate(found)


@partial(compiled, static_argnames=("shape", "trivial"))
def _amplitudes(theta: Any, images: Any, characters: Any, scaled: Any, *, shape: NetworkShape, trivial: bool) -> Any:
    parameters = as_parameters(theta.astype(scaled.dtype), shape)
    return symmetric_log_amplitudes(parameters, shape, images.astype(scaled.dtype), characters, scaled, trivial)


@partial(compiled, static_argnames=("shape", "trivial"))
def _derivatives(theta: Any, images: Any, characters: Any, scaled: Any, *, shape: NetworkShape, trivial: bool) -> Any:
    parameters = as_parameters(theta.astype(scaled.dtype), shape)

    def logs(couplings: Any) -> Any:
        found = symmetric_log_amplitudes(parameters, shape, images.astype(scaled.dtype), characters, couplings, trivial)
        return (jnp.real(found), jnp.imag(found)) if shape.complex_amplitude else (jnp.real(found),)

    found, pull = jax.vjp(logs, scaled)
    one, zero = jnp.ones_like(found[0]), jnp.zeros_like(found[0])
    if not shape.complex_amplitude:
        return pull((one,))[0].astype(jnp.float64)
    real, imaginary = pull((one, zero))[0], pull((zero, one))[0]  # rows do not mix: one reverse pass gives all of them
    return jax.lax.complex(real.astype(jnp.float64), imaginary.astype(jnp.float64))


@partial(compiled, static_argnames=("shape", "trivial"))
def _layers(theta: Any, images: Any, characters: Any, scaled: Any, *, shape: NetworkShape, trivial: bool) -> Any:
    parameters = as_parameters(theta.astype(scaled.dtype), shape)
    return jnp.stack(hidden_layers(parameters, shape, images[:, 0].astype(scaled.dtype), scaled), axis=1)
