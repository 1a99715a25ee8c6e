"""What `CloneLadder.compare` returns: how well each order predicts new sequences, and what its clone is worth."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from infoscope.base import Provenance, Result, format_estimate
from infoscope.base.contents import flags, integers, numbers


@dataclass(frozen=True, kw_only=True, eq=False)
class LadderLosses(Result):
    """Losses of models of rising order on sequences that none of them has seen.

    K orders. Errors are by documents where they are known, else by sequences.

    Attributes
    ----------
    orders : array (K,)
    loss, loss_se : array (K,)
        In nats a token, all others given.
    gain, gain_se : array (K,)
        Fall from the order before, from the same sequences; NaN for the first.
    clone_loss, clone_loss_se : array (K,)
        Of each model on its own clone, errors by chains; NaN where none was drawn.  Above `loss`, the clone is noisier
        than the real sequences: weight decay, or a training that ended early.
    converged : array (K,)
        Whether the clone was certified; False where none was drawn.
    r_hat : array (K,)
        Largest of the clone; NaN where none was drawn.
    n_sweeps : array (K,)
    nearest : array (K,)
        Mean share of sites in which the clone differs from the nearest training sequence.
    nearest_data : float
        The same of the real sequences.
    """

    orders: np.ndarray
    loss: np.ndarray
    loss_se: np.ndarray
    gain: np.ndarray = field(repr=False)
    gain_se: np.ndarray = field(repr=False)
    clone_loss: np.ndarray = field(repr=False)
    clone_loss_se: np.ndarray = field(repr=False)
    converged: np.ndarray = field(repr=False)
    r_hat: np.ndarray = field(repr=False)
    n_sweeps: np.ndarray = field(repr=False)
    nearest: np.ndarray = field(repr=False)
    nearest_data: float = float("nan")
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    provenance: Provenance | None = field(default=None, repr=False)

    _references = ("infoscope", "data_clones")
    _contents = {
        "orders": integers("K"), "loss": numbers("K"), "loss_se": numbers("K"), "gain": numbers("K"),
        "gain_se": numbers("K"), "clone_loss": numbers("K"), "clone_loss_se": numbers("K"), "converged": flags("K"),
        "r_hat": numbers("K"), "n_sweeps": integers("K"), "nearest": numbers("K"),
    }  # fmt: skip

    @property
    def _title(self) -> str:
        return f"Losses of models by their order ({len(self.orders)} orders)"

    @property
    def verdict(self) -> str:
        """One sentence."""
        sure = [at for at in range(1, len(self.orders)) if self.gain[at] > 2 * self.gain_se[at]]
        if sure:
            at = sure[-1]
            gain = format_estimate(float(self.gain[at]), float(self.gain_se[at]))
            text = f"order {self.orders[at]} is the highest that predicts better than the one before: by {gain} nats"
        else:
            text = f"no order above {self.orders[0]} predicts these sequences better, beyond two standard errors"
        bad = [str(order) for order, good, r in zip(self.orders, self.converged, self.r_hat, strict=True)
               if not good and not np.isnan(r)]  # fmt: skip
        if bad:
            text += f"; NOT CONVERGED: the clones of order {', '.join(bad)}"
        noisy = [str(order) for order in self.orders[1:][self._noisy()]]
        if noisy:
            text += (
                f"; NOISIER than the real sequences: the clones of order {', '.join(noisy)}, whose tokens cost "
                "their own model more than real ones cost the order before (less weight decay, more steps)"
            )
        return text

    def _noisy(self) -> np.ndarray:
        """(K - 1,): clones that lost to noise, beyond two errors, all that their order tells."""
        lost = self.clone_loss[1:] - self.loss[:-1]
        return np.asarray(lost > 2 * np.hypot(self.clone_loss_se[1:], self.loss_se[:-1]))

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {
                "order": int(order),
                "loss": float(self.loss[at]),
                "loss_se": float(self.loss_se[at]),
                "gain": float(self.gain[at]),
                "gain_se": float(self.gain_se[at]),
                "clone_loss": float(self.clone_loss[at]),
                "clone_loss_se": float(self.clone_loss_se[at]),
                "r_hat": float(self.r_hat[at]),
                "sweeps": int(self.n_sweeps[at]),
                "nearest": float(self.nearest[at]),
            }
            for at, order in enumerate(self.orders)
        ]
