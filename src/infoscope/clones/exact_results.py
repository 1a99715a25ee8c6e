"""What the exact tools return: losses of every order, degrees of functions, compatibility, floors, gradient flows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from infoscope.base import Provenance, Result
from infoscope.base.contents import integers, numbers, whole
from infoscope.base.rounding import exceeds, first_lowest

SEEN = 1e-9  # nats below which a fit does not tell two losses apart
SINGLE = 1e-5  # spread over orders of sites that sums in single precision leave
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
    def above_floor(self) -> np.ndarray:
        """What each order leaves above the floor; zero where it is no more than rounding."""
        above = self.losses - self.floor
        return np.where(above > SEEN, above, 0.0)

    @property
    def complete_order(self) -> int | None:
        """The lowest order that reaches the floor; None where none of those looked at does."""
        reached = self.above_floor == 0.0
        return int(self.orders[np.argmax(reached)]) if reached.any() else None

    @property
    def _title(self) -> str:
        return f"Smallest masked losses by order ({self.length} sites, {self.n_tokens} tokens, nats a token)"

    @property
    def _estimates(self) -> list[Any]:
        return []

    def _rows(self) -> list[dict[str, Any]]:
        return [
            dict(order=int(order), loss=float(loss), above_floor=float(above), share=float(share))
            for order, loss, above, share in zip(self.orders, self.losses, self.above_floor, self.shares, strict=True)
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


@dataclass(frozen=True, kw_only=True, eq=False)
class CompatibilityIndex(Result):
    """How far conditionals are from those of a joint law.

    Attributes
    ----------
    value, value_se : float
        Standard deviation of a log-ratio of two sequences over orders of sites, divided by its mean size; and its
        standard error.
    log_ratios : array (2, n)
        Log-ratios of the pairs along two orders.
    n_pairs : int
        Pairs of sequences.
    """

    value: float
    value_se: float
    log_ratios: np.ndarray = field(repr=False)
    n_pairs: int = 0
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {"log_ratios": numbers(2, "n_pairs"), "n_pairs": whole()}
    _references = ("data_clones",)

    @property
    def compatible(self) -> bool:
        """Whether orders agree to the precision of single-precision sums."""
        return self.value < SINGLE

    @property
    def _title(self) -> str:
        return f"Compatibility of conditionals ({self.n_pairs} pairs of sequences)"

    @property
    def _estimates(self) -> list[tuple[str, float, float]]:
        return [("spread over orders of sites", self.value, self.value_se)]

    @property
    def verdict(self) -> str:
        """One sentence: whether there is a joint law."""
        if self.compatible:
            return "The conditionals belong to one joint law: Gibbs sampling draws from it."
        return (
            "The conditionals belong to no joint law: a log-ratio of two sequences changes by "
            f"{100 * self.value:.2g} % with the order of the sites, and so does what Gibbs sampling draws from."
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class MarkovFloors(Result):
    """Smallest losses on a stationary Markov chain, in nats a token.

    Attributes
    ----------
    independent : float
        Of a token alone: the entropy of the stationary law.
    next_token : float
        Of a token after the one before.
    masked : float
        Of a token between its two neighbours.
    window : float or None
        Mean masked loss of the sites of a window, whose ends have one neighbour.
    stationary : array (V,)
        The stationary law.
    length : int or None
        Sites of the window.
    """

    independent: float
    next_token: float
    masked: float
    window: float | None = None
    stationary: np.ndarray = field(repr=False)
    length: int | None = None
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {"stationary": numbers("V", low=0.0), "length": whole() | None}
    _references = ("data_clones",)

    @property
    def _title(self) -> str:
        return f"Smallest losses on a Markov chain ({len(self.stationary)} tokens, nats a token)"

    @property
    def _estimates(self) -> list[Any]:
        return []

    def _rows(self) -> list[dict[str, Any]]:
        named = {
            "independent tokens (order 1)": self.independent,
            "next token": self.next_token,
            "masked token (order 2)": self.masked,
            f"masked, window of {self.length}": self.window,
        }
        return [dict(loss_of=name, loss=value) for name, value in named.items() if value is not None]

    @property
    def verdict(self) -> str:
        """One sentence: what neighbours tell."""
        return (
            f"The token before tells {self.independent - self.next_token:.3g} nats of the next, and both neighbours "
            f"tell {self.independent - self.masked:.3g} of the one between; no higher order tells more."
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class GaussianFlow(Result):
    """Weights and loss of a two-layer factored network that learns from Gaussian tokens.

    Attributes
    ----------
    times : array (T,)
        Times.
    weights : array (T, L - 1)
        Weights of the other tokens.
    losses : array (T,)
        Mean squared errors.
    limit : array (L - 1,)
        Weights after a long time, ``C^-1 h``.
    limit_loss : float
        Mean squared error there, which no weights go below.
    rates : array (L - 1,)
        Rates of the modes, the fastest first.
    growth : array (T,)
        Rate at which the square grows from nothing; zero without third moments.
    """

    times: np.ndarray = field(repr=False)
    weights: np.ndarray = field(repr=False)
    losses: np.ndarray = field(repr=False)
    limit: np.ndarray = field(repr=False)
    limit_loss: float
    rates: np.ndarray = field(repr=False)
    growth: np.ndarray = field(repr=False)
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {
        "times": numbers("T", low=0.0),
        "weights": numbers("T", "W"),
        "losses": numbers("T"),
        "limit": numbers("W"),
        "rates": numbers("W", low=0.0),
        "growth": numbers("T"),
    }
    _references = ("data_clones",)

    @property
    def _title(self) -> str:
        return f"Gradient flow from Gaussian tokens ({len(self.limit) + 1} tokens)"

    @property
    def _estimates(self) -> list[Any]:
        return []

    def _rows(self) -> list[dict[str, Any]]:
        return [
            dict(time=float(t), loss=float(loss), above_limit=float(loss - self.limit_loss), growth=float(growth))
            for t, loss, growth in zip(self.times, self.losses, self.growth, strict=True)
        ]

    @property
    def verdict(self) -> str:
        """One sentence: how long it takes, and whether the square is learnt."""
        moving = self.rates[self.rates > 0]
        said = "Nothing is learnt: the other tokens never vary" if not len(moving) else (
            f"Modes are learnt in times from {1 / moving[0]:.3g} to {1 / moving[-1]:.3g}, down to a loss of "
            f"{self.limit_loss:.4g}"
        )  # fmt: skip
        if exceeds(self.growth.max(initial=0.0), 0.0, 1.0):
            return f"{said}; third moments let the square grow, at a rate of up to {self.growth.max():.3g}."
        return f"{said}; the square is never learnt."
