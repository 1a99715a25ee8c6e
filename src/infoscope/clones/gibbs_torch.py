"""The Gibbs sampler on a device of PyTorch: the same sweeps with the same random numbers, all chains side by side.

What the compiled kernels do chain by chain is here one operation over all chains, so a device with many lanes is busy;
on a processor the kernels are faster.  Sums round in another order: a draw that falls on the boundary of two tokens may
go the other way, as one in some 10^6 does, and chains part there; their law is the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from infoscope.base.devices import choose_device
from infoscope.base.errors import require

from .energy import StarEnergy, order_sums
from .gibbs import GibbsSampler, random_streams


def gibbs_sampler(
    energy: StarEnergy, tokens: np.ndarray, *, random_state: Any = 0, n_jobs: int | None = None, device: Any = None
) -> GibbsSampler | TorchGibbsSampler:
    """The sampler for a device: compiled kernels where none is named, PyTorch otherwise."""
    if device is None:
        return GibbsSampler(energy, tokens, random_state=random_state, n_jobs=n_jobs)
    return TorchGibbsSampler(energy, tokens, random_state=random_state, device=device)


class TorchGibbsSampler:
    """Chains of one energy on a device; `sweep` changes their tokens.

    Parameters
    ----------
    energy : StarEnergy
    tokens : array (n, L)
        Where the chains start; -1 is padding, which stays.
    random_state : int or sequence of int
        Of all draws, which are those of `GibbsSampler`.
    device : str or torch.device
        Tokens come back to the processor after every call of `sweep`.

    Attributes
    ----------
    tokens : array (n, L) of int32

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.clones.energy import StarEnergy
    >>> from infoscope.clones.gibbs_torch import TorchGibbsSampler
    >>> tossed = StarEnergy(np.log([[0.9, 0.1]] * 4), *np.zeros((2, 0, 1, 2)), np.zeros((0, 1, 4, 4)))
    >>> chains = TorchGibbsSampler(tossed, np.ones((1000, 4), dtype=int), random_state=0, device="cpu")
    >>> chains.sweep()
    >>> float(chains.tokens.mean().round(1))
    0.1
    """

    def __init__(self, energy: StarEnergy, tokens: np.ndarray, *, random_state: Any = 0, device: Any):
        torch = require("torch", "torch")
        self.energy = energy.astype(np.float32)
        self.device = choose_device(device, float64=False)
        self.tokens = np.array(tokens, dtype=np.int32)
        self.n_sweeps = 0
        self._order, self._streams = random_streams(random_state, len(self.tokens))
        self._bias = torch.as_tensor(self.energy.bias, device=self.device)
        self._positions = torch.as_tensor(self.energy.positions, device=self.device)
        # The zero vector at the end is what token -1 finds.
        padded = (np.pad(values, ((0, 0), (0, 0), (0, 1))) for values in (self.energy.legs, self.energy.centres))
        self._legs, self._centres = (torch.as_tensor(values, device=self.device) for values in padded)

    def sweep(self, n_sweeps: int = 1) -> None:
        """Draw every site of every chain anew, so many times."""
        torch = require("torch", "torch")
        tokens = torch.as_tensor(self.tokens, device=self.device).long()
        with torch.no_grad():
            for _ in range(n_sweeps):
                order = self._order.permutation(self.energy.length)
                uniform = np.concatenate([rng.random((len(order), n)) for rng, n in self._streams], axis=1)
                self._sweep_once(tokens, order, torch.as_tensor(uniform.astype(np.float32), device=self.device))
        self.tokens[:] = tokens.cpu().numpy()
        self.n_sweeps += n_sweeps

    def _sweep_once(self, tokens: Any, order: np.ndarray, uniform: Any) -> None:
        sums = [  # e_1 to e_{m-1} of every order m, each (H, n, L)
            order_sums(self._legs[at][:, tokens], positions, at + 1)[1:] for at, positions in enumerate(self._positions)
        ]
        for place, site in enumerate(order.tolist()):
            old = tokens[:, site]
            new = _draw(self._logits(tokens, sums, site), uniform[place])
            new = new.where(old >= 0, old)
            self._update(sums, site, old, new)
            tokens[:, site] = new

    def _logits(self, tokens: Any, sums: list[list[Any]], site: int) -> Any:
        """Of all tokens at one site: equation (2) of `energy`."""
        logits = self._bias[site].expand(len(tokens), -1)
        for at, e in enumerate(sums):
            legs, centres, position = self._legs[at], self._centres[at], self._positions[at][:, None, :, site]
            x = position * legs[:, tokens[:, site], None]
            without = 1.0
            for m in range(at):
                without = e[m] - x * without
            pull = (centres[:, tokens] * position * without).sum(dim=2)  # (H, n)
            logits = logits + pull.T @ legs[:, :-1] + e[at][:, :, site].T @ centres[:, :-1]
        return logits

    def _update(self, sums: list[list[Any]], site: int, old: Any, new: Any) -> None:
        """Bring the order sums up to a change of one site's tokens: e_m = e_m without the site + x e_{m-1} without."""
        for at, e in enumerate(sums):
            legs, position = self._legs[at], self._positions[at][:, None, :, site]
            before, change = legs[:, old, None], (legs[:, new] - legs[:, old])[..., None]
            without = 1.0
            for m in range(at + 1):
                rest = e[m] - position * before * without
                e[m] = e[m] + position * change * without
                without = rest


def _draw(logits: Any, uniform: Any) -> Any:
    """The token at which the running sum of weights passes a share `uniform` of the total, of every chain."""
    weights = (logits - logits.amax(dim=1, keepdim=True)).exp()
    running = weights.cumsum(dim=1)
    found = (running <= uniform[:, None] * running[:, -1:]).sum(dim=1)
    # Where rounding passes the end: the last token that is possible.
    last = weights.shape[1] - 1 - (weights.flip(1) > 0).int().argmax(dim=1)
    return found.minimum(last)
