"""What the exact tools return: losses of every order, degrees of functions, compatibility, floors, gradient flows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from infoscope.base import Provenance, Result
from infoscope.base.contents import integers, numbers, whole
from infoscope.base.rounding import first_lowest

SEEN = 1e-9  # nats below which a fit does not tell two losses apart
NOISE = 1e-24  # share of the power of a function that rounding leaves in orders it does not have


@dataclass(frozen=True, kw_only=True, eq=False)
class OrderLosses(Result):
    """Smallest masked losses of a law, by the highest order of interactions.

    Attributes
    ----------
    orders : array (K,)
        1 to K.
    losses : array (K,)
        Smallest masked loss of each order, in nats a token.
    floor : float
        Smallest masked loss without any bound: mean entropy of a token given all others.
    site_losses : array (L, K)
        The same by site.
    site_floors : array (L,)
        Entropy of each token given all others.
    length, n_tokens : int
        Sites L and tokens V.
    """

    orders: np.ndarray = field(repr=False)
    losses: np.ndarray = field(repr=False)
    floor: float
    site_losses: np.ndarray = field(repr=False)
    site_floors: np.ndarray = field(repr=False)
    length: int = 0
    n_tokens: int = 0
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {
        "orders": integers("K", low=1),
        "losses": numbers("K"),
        "site_losses": numbers("length", "K"),
        "site_floors": numbers("length"),
        "length": whole(),
        "n_tokens": whole(),
    }
    _references = ("data_clones",)

    @property
    def shares(self) -> np.ndarray:
        """Share of what others tell of a token (order-1 loss minus floor) that each order adds; NaN where nothing."""
        told = self.losses[0] - self.floor
        steps = -np.diff(self.losses, prepend=self.losses[0])
        steps = np.where(np.abs(steps) > SEEN, steps, 0.0)
        return steps / told if told > SEEN else np.full(len(steps), np.nan)

    @property
    def complete_order(self) -> int | None:
        """The lowest order that reaches the floor; None where none of those looked at does."""
        reached = self.losses - self.floor <= SEEN
        return int(self.orders[np.argmax(reached)]) if reached.any() else None

    @property
    def _title(self) -> str:
        return f"Smallest masked losses by order ({self.length} sites, {self.n_tokens} tokens, nats a token)"

    @property
    def _estimates(self) -> list[Any]:
        return []

    def _rows(self) -> list[dict[str, Any]]:
        return [
            dict(order=int(order), loss=float(loss), above_floor=float(loss - self.floor), share=float(share))
            for order, loss, share in zip(self.orders, self.losses, self.shares, strict=True)
        ]

    @property
    def verdict(self) -> str:
        """One sentence: which order is enough."""
        whole_order = self.complete_order
        if whole_order == 1:
            return "Tokens are independent: no other token tells anything of one."
        if whole_order is not None:
            return f"Interactions up to order {whole_order} tell all that the other tokens tell of one."
        left = float(self.losses[-1] - self.floor)
        return f"Orders above {int(self.orders[-1])} tell {left:.4g} nats a token more."


@dataclass(frozen=True, kw_only=True, eq=False)
class InteractionDegree(Result):
    """Power of a function at each order of interaction.

    Attributes
    ----------
    orders : array (L + 1,)
        0 (the constant) to L.
    power : array (L + 1,)
        Mean square of the part that joins so many sites.
    length, n_tokens : int
        Sites L and tokens V.
    """

    orders: np.ndarray = field(repr=False)
    power: np.ndarray = field(repr=False)
    length: int = 0
    n_tokens: int = 0
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {"orders": integers("P"), "power": numbers("P", low=0.0), "length": whole(), "n_tokens": whole()}
    _references = ("data_clones",)

    @property
    def degree(self) -> int:
        """The highest order with more power than rounding leaves."""
        seen = np.flatnonzero(self.power > NOISE * self.power.sum())
        return int(seen[-1]) if len(seen) else 0

    @property
    def shares(self) -> np.ndarray:
        """Share of the variance at each order from 1 on; NaN where the function is constant."""
        varies = float(self.power[1:].sum())
        return self.power[1:] / varies if self.degree else np.full(self.length, np.nan)

    @property
    def _title(self) -> str:
        return f"Power by order of interaction ({self.length} sites, {self.n_tokens} tokens)"

    @property
    def _estimates(self) -> list[Any]:
        return []

    def _rows(self) -> list[dict[str, Any]]:
        shares = np.concatenate([[np.nan], self.shares])
        return [
            dict(order=int(order), power=float(power), share=float(share))
            for order, power, share in zip(self.orders, self.power, shares, strict=True)
        ]

    @property
    def verdict(self) -> str:
        """One sentence: how many sites the function joins."""
        if self.degree == 0:
            return "The function is constant."
        shares = self.shares
        most = first_lowest(-shares)
        return (
            f"The function joins {self.degree} of {self.length} sites at most, and order {most + 1} holds the most of "
            f"its variance ({100 * float(shares[most]):.3g} %)."
        )
