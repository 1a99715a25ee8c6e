"""Factored attention, n layers deep: weights that do not look at the input, squares between layers, in PyTorch.

n layers join up to 2^(n-1) + 1 tokens (Rende et al., arXiv 2410.19637, equations 1 and 3).  The square of a layer is
scaled by a number of its own, learnt, which is no function of the input: normalising by the input breaks the order.
The conditionals of different sites are those of no common law beyond one layer, and each needs a pass of its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from infoscope.base.array_types import Floats
from infoscope.base.errors import ParameterError

NORM_EPSILON = 1e-5  # as in `factored_logits`


@dataclass(frozen=True)
class FactoredNetwork:
    """Deep factored attention.

    Attributes
    ----------
    n_layers, length, n_tokens, n_heads, value_rank : int
    relative : bool
        Whether A depends on the distance of sites alone.
    norm : {None, "layer"}
        "layer" standardizes the entries of each site after every layer but the last; the order is then not bounded.
    """

    n_layers: int
    length: int
    n_tokens: int
    n_heads: int
    value_rank: int
    relative: bool
    norm: str | None = None

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """A, and V as a product of two matrices of low rank, of every layer and head; scales; the bias."""
        n, sites, ranks = self.n_layers, self.length, (self.n_heads, self.value_rank, self.n_tokens)
        return {
            "positions": (n, self.n_heads, 2 * sites - 1 if self.relative else sites * sites),
            "values_in": (n, *ranks),
            "values_out": (n, *ranks),
            "scales": (max(0, n - 1),),
            "bias": (1 if self.relative else sites, self.n_tokens),
        }

    def initial(self, rng: np.random.Generator) -> Floats:
        """Small random weights; squares scaled by 1 / sqrt(4 L)."""
        drawn = {name: rng.standard_normal(shape) for name, shape in self.shapes().items()}
        drawn["positions"] /= math.sqrt(self.length)
        drawn["values_in"] /= math.sqrt(self.value_rank)
        drawn["values_out"][-1] *= 0.3 / math.sqrt(self.n_heads)
        drawn["scales"][:] = 1 / math.sqrt(4 * self.length)
        drawn["bias"] *= 0
        return np.concatenate([values.ravel() for values in drawn.values()])

    def logits(self, parameters: Mapping[str, Any], tokens: Any, sites: Any = None) -> Any:
        """(n, V) of one masked site a sequence; (n, L, V) of all sites, one pass each, where `sites` is None."""
        import torch

        if sites is None:
            each = [
                self.logits(parameters, tokens, torch.full((len(tokens),), site, device=tokens.device))
                for site in range(self.length)
            ]
            return torch.stack(each, dim=1)
        rows = torch.arange(len(tokens), device=tokens.device)
        masked = torch.where(tokens < 0, self.n_tokens, tokens)
        masked[rows, sites] = self.n_tokens  # the zero vector
        positions = self.full_positions(parameters["positions"])
        inner, outer = parameters["values_in"], parameters["values_out"]
        x = None  # the one-hot tokens are never written down in the first layer
        for layer in range(self.n_layers):
            seen = _embed(torch, masked, inner[layer]) if x is None else torch.einsum("bju,hru->hbjr", x, inner[layer])
            if layer == self.n_layers - 1:
                met = torch.einsum("hbj,hbjr->hbr", positions[layer][:, sites], seen)
                return torch.einsum("hbr,hrv->bv", met, outer[layer]) + self._bias(parameters)[sites]
            met = torch.einsum("hij,hbjr->bihr", positions[layer], seen).flatten(2)
            attended = met @ outer[layer].flatten(0, 1)
            if x is None:
                x = torch.nn.functional.one_hot(masked, self.n_tokens + 1)[..., :-1].to(attended.dtype)
            x = x + parameters["scales"][layer] * attended**2  # equation (3)
            if self.norm == "layer":
                x = torch.nn.functional.layer_norm(x, (self.n_tokens,), eps=NORM_EPSILON)
        return None

    def weights(self, parameters: Mapping[str, np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """A and V of every layer as `factored_logits` takes them, the scale of a square inside V."""
        positions = self.full_positions(parameters["positions"])
        values = np.einsum("nhrv,nhru->nhvu", parameters["values_out"], parameters["values_in"])
        for layer, scale in enumerate(parameters["scales"]):
            # s (sum_h A x V^T)^2 = (sum_h A x (sqrt(s) V)^T)^2, for s > 0
            values[layer] *= np.sqrt(np.abs(scale)).astype(values.dtype)
        return list(positions), list(values)

    def parts(self, parameters: Mapping[str, np.ndarray]) -> dict[str, list[np.ndarray]]:
        """As `Network`: of every layer, A (L, L) and V (V, V) of every head."""
        return {
            f"layer {at}": [*positions, *values]
            for at, (positions, values) in enumerate(zip(*self.weights(parameters), strict=True), 1)
        }

    def full_positions(self, entries: Any) -> Any:
        """A (n, H, L, L) from its entries; the masked token is the zero vector, so the diagonal is harmless."""
        site = np.arange(self.length)
        if self.relative:
            entries = entries[..., (site - site[:, None]).ravel() + self.length - 1]
        return entries.reshape(*entries.shape[:-1], self.length, self.length)

    def _bias(self, parameters: Mapping[str, Any]) -> Any:
        return parameters["bias"].expand(self.length, -1)


def layers_of_order(order: int) -> int:
    """Layers of the factored network whose largest order this is.

    Raises
    ------
    ParameterError
        If there is none: only 2, 3, 5, 9, 17, ... are.

    Examples
    --------
    >>> from infoscope.clones.factored import layers_of_order
    >>> layers_of_order(5)
    3
    """
    layers = 1 + math.log2(order - 1) if order > 1 else 0.5
    if layers != int(layers):
        below = 2 ** max(0, math.floor(layers) - 1) + 1
        near = (2, 3) if order < 2 else (below, 2 * below - 1)
        raise ParameterError(
            f"n layers of factored attention join 2^(n-1) + 1 tokens, which is never {order}: the nearest orders are "
            f"{near[0]} and {near[1]}; model='energy' takes any"
        )
    return int(layers)


def _embed(torch: Any, masked: Any, inner: Any) -> Any:
    """V one-hot for every token by lookup: (H, n, L, r)."""
    columns = torch.nn.functional.pad(inner.permute(2, 0, 1).flatten(1), (0, 0, 0, 1))
    found = torch.nn.functional.embedding(masked, columns)
    return found.unflatten(2, inner.shape[:2]).permute(2, 0, 1, 3)
