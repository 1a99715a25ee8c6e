"""What `order_spectrum` returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from infoscope.base import Provenance, Result, format_estimate
from infoscope.base.contents import integers, numbers, whole
from infoscope.statistics import student_interval

LEVEL = 0.05  # of the tests whether an order tells anything


@dataclass(frozen=True, kw_only=True, eq=False)
class OrderSpectrum(Result):
    """How much interactions of each order tell of a token, from data.

    Attributes
    ----------
    orders : array (K,)
        1 to K.
    losses, losses_se : array (K,)
        Smallest masked loss of each order, in nats a token: the mean of what fits reach on sequences that they saw and
        on others, which has no bias to first order.
    held_out, held_out_se : array (K,)
        Loss on sequences that the fits never saw.
    gains, gains_se : array (K - 1,)
        What orders 2 to K gain on the order below.
    held_out_gains, held_out_gains_se : array (K - 1,)
        The same on sequences that the fits never saw: negative where an order is not worth its parameters.
    p_values : array (K - 1,)
        Of "this order gains nothing on others", adjusted for the number of orders (Holm).
    shares, shares_se : array (K - 1,)
        Share of each gain in the order-1 loss minus the floor, or minus the loss of the highest order.
    told, told_se : float
        What all orders together tell, in nats a token: the whole of the shares.
    floor : float or None
        The smallest loss of all, where it was given.
    length, n_tokens : int
        Sites L and tokens V.
    n_sequences, n_units : int
        Sequences; independent units behind the errors.
    """

    orders: np.ndarray = field(repr=False)
    losses: np.ndarray = field(repr=False)
    losses_se: np.ndarray = field(repr=False)
    held_out: np.ndarray = field(repr=False)
    held_out_se: np.ndarray = field(repr=False)
    gains: np.ndarray = field(repr=False)
    gains_se: np.ndarray = field(repr=False)
    held_out_gains: np.ndarray = field(repr=False)
    held_out_gains_se: np.ndarray = field(repr=False)
    p_values: np.ndarray = field(repr=False)
    shares: np.ndarray = field(repr=False)
    shares_se: np.ndarray = field(repr=False)
    told: float
    told_se: float
    floor: float | None = None
    length: int = 0
    n_tokens: int = 0
    n_sequences: int = 0
    n_units: int = 0
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {
        "orders": integers("K", low=1),
        "losses": numbers("K"),
        "losses_se": numbers("K"),
        "held_out": numbers("K"),
        "held_out_se": numbers("K"),
        "gains": numbers("G"),
        "gains_se": numbers("G"),
        "held_out_gains": numbers("G"),
        "held_out_gains_se": numbers("G"),
        "p_values": numbers("G"),
        "shares": numbers("G"),
        "shares_se": numbers("G"),
        "length": whole(),
        "n_tokens": whole(),
        "n_sequences": whole(),
        "n_units": whole(),
    }
    _references = ("data_clones",)

    @property
    def highest_order(self) -> int:
        """The highest order that tells something on sequences that no fit saw; 1 where none does."""
        told = np.flatnonzero(self.p_values < LEVEL)
        return int(told[-1]) + 2 if len(told) else 1

    def interval(self, of: str = "losses", *, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """Ends of intervals that hold the truth with this probability, of "losses", "gains" or "shares"."""
        return student_interval(getattr(self, of), getattr(self, f"{of}_se"), self.n_units - 1, level=level)

    @property
    def _title(self) -> str:
        return (
            f"Order spectrum ({self.length} sites, {self.n_tokens} tokens, {self.n_sequences} sequences, nats a token)"
        )

    @property
    def _estimates(self) -> list[Any]:
        return []

    def _rows(self) -> list[dict[str, Any]]:
        rows = []
        for at, order in enumerate(self.orders):
            row = dict(order=int(order), loss=float(self.losses[at]), loss_se=float(self.losses_se[at]))
            for name in ("gains", "held_out_gains", "shares"):
                row[name[:-1]] = float(getattr(self, name)[at - 1]) if at else np.nan
                row[f"{name[:-1]}_se"] = float(getattr(self, f"{name}_se")[at - 1]) if at else np.nan
            row["p_value"] = float(self.p_values[at - 1]) if at else np.nan
            rows.append(row)
        return rows

    @property
    def verdict(self) -> str:
        """One sentence: which orders tell something, and how much."""
        highest, top = self.highest_order, int(self.orders[-1])
        if highest == 1:
            return f"No order from 2 to {top} tells anything of a token that these sequences could show."
        who = f"Orders up to {top}" if self.floor is None else "Other tokens"
        share = format_estimate(100 * float(self.shares[highest - 2]), 100 * float(self.shares_se[highest - 2]))
        return (
            f"{who} tell {format_estimate(self.told, self.told_se)} nats a token; the highest that tells anything is "
            f"order {highest}, with {share} % of it."
        )
