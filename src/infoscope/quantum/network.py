"""The network: a vision transformer of patches of spins that takes the couplings beside them.

Pure functions of a dictionary of arrays.  Its attention weights do not depend on the input ("factored attention"); on a
periodic lattice one row of them is rolled along the lattice of patches, so that the network is invariant under
translations by whole patches.

Source: Rende, Viteritti, Becca, Scardicchio, Laio, Carleo, arXiv:2502.09488; factored attention: arXiv:2310.05715.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

Parameters = Mapping[str, Any]
EPSILON = 1e-6  # of layer norms
HIDDEN = 4  # width of the hidden layer, in units of d_model


@dataclass(frozen=True)
class NetworkShape:
    """What fixes the shapes of all parameters; hashable, so that a compiled step belongs to one.

    Attributes
    ----------
    patches : tuple of tuple of int
        Sites of each patch.
    n_couplings : int
        m; with `per_site` it is the number of sites.
    per_site : bool
        Couplings are a field with one value a site: patches of spins and of couplings are embedded apart.
    d_model, n_heads, n_layers : int
    grid : tuple of int
        The periodic lattice of patches along which a row of attention weights is rolled; empty: all n x n are free.
    complex_amplitude : bool
        Whether log psi has an imaginary part.
    shared_embedding : bool
        One embedding for spins and fields, as in published weights.
    head_norm : bool
        Layer norms behind the last dense maps, as in published weights.
    """

    patches: tuple[tuple[int, ...], ...]
    n_couplings: int
    per_site: bool
    d_model: int
    n_heads: int
    n_layers: int
    grid: tuple[int, ...] = ()
    complex_amplitude: bool = False
    shared_embedding: bool = False
    head_norm: bool = False

    @property
    def n_patches(self) -> int:
        return len(self.patches)

    @property
    def n_sites(self) -> int:
        return len(self.patches) * len(self.patches[0])


def parameter_shapes(shape: NetworkShape) -> dict[str, tuple[int, ...]]:
    """Names and shapes of all parameters, in the order in which they are written one after the other."""
    d, n, b = shape.d_model, shape.n_patches, len(shape.patches[0])
    shapes: dict[str, tuple[int, ...]] = {}

    def dense(name: str, inside: int, outside: int) -> None:
        shapes[f"{name}.kernel"], shapes[f"{name}.bias"] = (inside, outside), (outside,)

    def norm(name: str) -> None:
        shapes[f"{name}.scale"], shapes[f"{name}.bias"] = (d,), (d,)

    if shape.per_site:
        dense("embedding.spins", b, d // 2)
        if not shape.shared_embedding:
            dense("embedding.couplings", b, d - d // 2)
    else:
        dense("embedding", b + shape.n_couplings, d)
    for i in range(shape.n_layers):
        norm(f"block{i}.norm1")
        shapes[f"block{i}.attention.weights"] = (shape.n_heads, n) if shape.grid else (shape.n_heads, n, n)
        dense(f"block{i}.attention.value", d, d)
        dense(f"block{i}.attention.output", d, d)
        norm(f"block{i}.norm2")
        dense(f"block{i}.hidden", d, HIDDEN * d)
        dense(f"block{i}.output", HIDDEN * d, d)
    norm("head.norm")
    for part in ("amplitude", "phase")[: 1 + shape.complex_amplitude]:
        dense(f"head.{part}", d, d)
        if shape.head_norm:
            norm(f"head.{part}.norm")
    return shapes


def first_parameters(shape: NetworkShape, rng: np.random.Generator) -> np.ndarray:
    """Xavier-uniform kernels, zero biases, scales of one: one vector."""
    parts = []
    for name, size in parameter_shapes(shape).items():
        if name.endswith(("kernel", "weights")):
            bound = math.sqrt(6 / (size[-2] + size[-1]))
            parts.append(rng.uniform(-bound, bound, size).ravel())
        else:
            parts.append(np.full(size, 1.0 if name.endswith("scale") else 0.0).ravel())
    return np.concatenate(parts)


def as_parameters(vector: Any, shape: NetworkShape) -> dict[str, Any]:
    """The named arrays of one vector."""
    found, start = {}, 0
    for name, size in parameter_shapes(shape).items():
        stop = start + math.prod(size)
        found[name] = vector[start:stop].reshape(size)
        start = stop
    return found


def n_parameters(shape: NetworkShape) -> int:
    """P."""
    return sum(math.prod(size) for size in parameter_shapes(shape).values())


def as_vector(parameters: Parameters, shape: NetworkShape) -> np.ndarray:
    """One vector of named arrays."""
    return np.concatenate([np.asarray(parameters[name]).ravel() for name in parameter_shapes(shape)])


def forward_flops(shape: NetworkShape) -> float:
    """Multiplications and additions of one evaluation, roughly: what costs are forecast with."""
    d, n = shape.d_model, shape.n_patches
    block = n * d * (4 * d + 4 * HIDDEN * d + 2 * n + 30 * HIDDEN)
    return float(shape.n_layers * block + 2 * n * d * (len(shape.patches[0]) + shape.n_couplings) + 2 * d * d)


# ------------------------------------------------------------------------------------------------------------- forward
def log_amplitudes(parameters: Parameters, shape: NetworkShape, spins: Any, couplings: Any) -> Any:
    """log psi of rows of spins (M, n) and of standardised couplings (M, m), before any symmetry: (M,)."""
    x = _embed(parameters, shape, spins, couplings)
    for i in range(shape.n_layers):
        x = x + _attend(parameters, f"block{i}.attention", shape, _norm(parameters, f"block{i}.norm1", x))
        hidden = _dense(parameters, f"block{i}.hidden", _norm(parameters, f"block{i}.norm2", x))
        x = x + _dense(parameters, f"block{i}.output", gelu(hidden))
    return _head(parameters, shape, x)


def hidden_layers(parameters: Parameters, shape: NetworkShape, spins: Any, couplings: Any) -> list[Any]:
    """What each block makes of the rows, pooled over patches: n_layers arrays (M, d)."""
    x, found = _embed(parameters, shape, spins, couplings), []
    for i in range(shape.n_layers):
        x = x + _attend(parameters, f"block{i}.attention", shape, _norm(parameters, f"block{i}.norm1", x))
        hidden = _dense(parameters, f"block{i}.hidden", _norm(parameters, f"block{i}.norm2", x))
        x = x + _dense(parameters, f"block{i}.output", gelu(hidden))
        found.append(x.mean(axis=-2))
    return found


def gelu(x: Any) -> Any:
    """x Phi(x) in its usual form with tanh, written as a logistic function: one exponential."""
    return x / (1 + jnp.exp(-2 * math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)))


def log_cosh(u: Any) -> Any:
    """log cosh without overflow, of real and complex numbers."""
    u = jnp.where(jnp.real(u) < 0, -u, u)
    return u + jnp.log1p(jnp.exp(-2 * u)) - math.log(2)


def _embed(parameters: Parameters, shape: NetworkShape, spins: Any, couplings: Any) -> Any:
    patches = np.asarray(shape.patches)
    in_patches = spins[:, patches]  # (M, n, b)
    if shape.per_site:
        of_couplings = "embedding.spins" if shape.shared_embedding else "embedding.couplings"
        embedded = (
            _dense(parameters, "embedding.spins", in_patches),
            _dense(parameters, of_couplings, couplings[:, patches]),
        )
        return jnp.concatenate(embedded, axis=-1)
    kernel, b = parameters["embedding.kernel"], patches.shape[1]
    # spins and couplings side by side in one vector, multiplied apart: couplings are the same in all patches
    return in_patches @ kernel[:b] + (couplings @ kernel[b:] + parameters["embedding.bias"])[:, None, :]


def _attend(parameters: Parameters, name: str, shape: NetworkShape, x: Any) -> Any:
    weights = parameters[f"{name}.weights"]
    if shape.grid:
        weights = weights[:, rolled_places(shape.grid)]
    value = _dense(parameters, f"{name}.value", x)
    heads = value.reshape(*value.shape[:-1], shape.n_heads, shape.d_model // shape.n_heads)
    mixed = jnp.einsum("hij,...jhe->...ihe", weights, heads)
    return _dense(parameters, f"{name}.output", mixed.reshape(value.shape))


def rolled_places(grid: tuple[int, ...]) -> np.ndarray:
    """Which weight of a row patch i gives patch j: that of their displacement on the periodic lattice; (n, n)."""
    at = np.stack(np.unravel_index(np.arange(math.prod(grid)), grid), axis=1)
    between = (at[None, :] - at[:, None]) % np.asarray(grid)
    return np.ravel_multi_index(tuple(np.moveaxis(between, -1, 0)), grid)


def _head(parameters: Parameters, shape: NetworkShape, x: Any) -> Any:
    z = _norm(parameters, "head.norm", x.sum(axis=-2))
    u = _head_part(parameters, "head.amplitude", shape, z)
    if shape.complex_amplitude:
        u = jax.lax.complex(u, _head_part(parameters, "head.phase", shape, z))
    return log_cosh(u).sum(axis=-1)


def _head_part(parameters: Parameters, name: str, shape: NetworkShape, z: Any) -> Any:
    u = _dense(parameters, name, z)
    return _norm(parameters, f"{name}.norm", u) if shape.head_norm else u


def _dense(parameters: Parameters, name: str, x: Any) -> Any:
    return x @ parameters[f"{name}.kernel"] + parameters[f"{name}.bias"]


def _norm(parameters: Parameters, name: str, x: Any) -> Any:
    centred = x - x.mean(axis=-1, keepdims=True)
    spread = jax.lax.rsqrt((centred * centred).mean(axis=-1, keepdims=True) + EPSILON)
    return centred * spread * parameters[f"{name}.scale"] + parameters[f"{name}.bias"]
