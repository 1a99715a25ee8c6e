"""What is trained: one vector of parameters, and the negative log-likelihood of tokens given the others, in PyTorch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from infoscope.base.array_types import Floats

from .energy import StarEnergy, site_features

ALMOST_OFF = 0.1  # of new centres, where an order is added to a trained energy


class Network(Protocol):
    """What `train` asks of a family of conditional laws."""

    @property
    def length(self) -> int:
        """L."""

    @property
    def n_tokens(self) -> int:
        """V."""

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the parameters, in the order of the vector."""

    def initial(self, rng: np.random.Generator) -> Floats:
        """Parameters before the first step."""

    def logits(self, parameters: Mapping[str, Any], tokens: Any, sites: Any) -> Any:
        """(n, L, V) of all sites where `sites` is None; else (n, V), of one site a sequence."""

    def parts(self, parameters: Mapping[str, np.ndarray]) -> dict[str, list[np.ndarray]]:
        """Matrices of every part whose motion is followed, from the input to the output; biases are of no part."""


@dataclass(frozen=True)
class EnergyNetwork:
    """The star energy of `energy`: all L conditionals in one pass.

    Attributes
    ----------
    order, length, n_tokens, n_heads : int
    relative : bool
        Whether A and the bias depend on the distance of sites alone.
    """

    order: int
    length: int
    n_tokens: int
    n_heads: int
    relative: bool

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """As `Network`: a table (V, K, 2, H) of legs and centres, the entries of A, the bias."""
        k, sites = self.order - 1, self.length
        return {
            "table": (self.n_tokens, k, 2, self.n_heads),
            "positions": (k, self.n_heads, 2 * sites - 1 if self.relative else sites * sites),
            "bias": (1 if self.relative else sites, self.n_tokens),
        }

    def initial(self, rng: np.random.Generator) -> Floats:
        """As `Network`: legs whose sum over sites is of order 1, and small centres: close to independent tokens."""
        drawn = {name: rng.standard_normal(shape) for name, shape in self.shapes().items()}
        drawn["table"][:, :, 1] *= 0.3 / math.sqrt(self.n_heads)
        drawn["positions"] /= math.sqrt(self.length)
        drawn["bias"] *= 0
        return np.concatenate([values.ravel() for values in drawn.values()])

    def continue_from(self, start: Floats, below: EnergyNetwork, trained: Floats) -> Floats:
        """Parameters that begin as a trained energy of a lower order, with the interactions above it almost off."""
        found = start.copy()
        views, known = split(self, found), split(below, trained)
        n = below.order - 1
        views["table"][:, :n], views["positions"][:n] = known["table"], known["positions"]
        views["bias"][:] = known["bias"]
        views["table"][:, n:, 1] *= ALMOST_OFF
        return found

    def logits(self, parameters: Mapping[str, Any], tokens: Any, sites: Any = None) -> Any:
        """As `Network`; tokens -1 are masked."""
        import torch

        table = parameters["table"]
        n_columns = 2 * (self.order - 1) * self.n_heads
        bias = parameters["bias"].expand(self.length, -1)
        if not n_columns:
            found = bias.expand(len(tokens), -1, -1)
        else:
            padded = torch.nn.functional.pad(table.reshape(self.n_tokens, n_columns), (0, 0, 0, 1))
            rows = torch.where(tokens < 0, self.n_tokens, tokens)
            # (n, L, columns) -> (columns, n, L): sites side by side, so that A multiplies whole matrices
            values = torch.nn.functional.embedding(rows, padded).permute(2, 0, 1).contiguous()
            values = values.view(self.order - 1, 2, self.n_heads, len(tokens), self.length)
            weights = self.full_positions(parameters["positions"])
            columns = [
                part
                for at in range(self.order - 1)
                for part in site_features(values[at, 0], values[at, 1], weights[at], at + 2)
            ]
            features = torch.cat(columns).view(n_columns, -1)
            flat = table.reshape(self.n_tokens, n_columns)
            found = (features.T @ flat.T).view(len(tokens), self.length, self.n_tokens) + bias
        return found if sites is None else found[torch.arange(len(tokens)), sites]

    def full_positions(self, entries: Any) -> Any:
        """A (K, H, L, L) from its entries, with zeros on the diagonal; arrays and tensors alike."""
        site = np.arange(self.length)
        if self.relative:
            entries = entries[..., (site - site[:, None]).ravel() + self.length - 1]
        full = entries.reshape(*entries.shape[:-1], self.length, self.length)
        return full * entries.new_tensor(1.0 - np.eye(self.length)) if hasattr(full, "new_tensor") else (
            full * (1 - np.eye(self.length, dtype=full.dtype))
        )  # fmt: skip

    def parts(self, parameters: Mapping[str, np.ndarray]) -> dict[str, list[np.ndarray]]:
        """As `Network`: of every order, legs and centres (V, H), and A of every head."""
        table, positions = parameters["table"], self.full_positions(parameters["positions"])
        return {
            f"order {at + 2}": [table[:, at, 0], table[:, at, 1], *positions[at]] for at in range(self.order - 1)
        }  # fmt: skip

    def energy(self, parameters: Mapping[str, np.ndarray]) -> StarEnergy:
        """The energy that trained parameters are."""
        table = np.moveaxis(parameters["table"], 0, -1)  # (K, 2, H, V)
        bias = np.broadcast_to(parameters["bias"], (self.length, self.n_tokens)).copy()
        return StarEnergy(
            bias, table[:, 0].copy(), table[:, 1].copy(), self.full_positions(parameters["positions"])
        )  # fmt: skip


def split(network: Network, vector: Any) -> dict[str, Any]:
    """Views of one vector, array or tensor, as the parameters of a network."""
    found, first = {}, 0
    for name, shape in network.shapes().items():
        size = math.prod(shape)
        found[name] = vector[first : first + size].reshape(shape)
        first += size
    return found


def site_losses(network: Network, parameters: Mapping[str, Any], tokens: Any, sites: Any = None) -> Any:
    """Negative log-likelihood of every token given the others (n, L), or of one a sequence (n, 1), in nats.

    Tokens -1 are padding: their loss is 0.
    """
    import torch

    logits = network.logits(parameters, tokens, sites)
    wanted = tokens if sites is None else tokens[torch.arange(len(tokens)), sites][:, None]
    losses = torch.nn.functional.cross_entropy(
        logits.reshape(-1, network.n_tokens), wanted.reshape(-1), ignore_index=-1, reduction="none"
    )
    return losses.view(wanted.shape)
