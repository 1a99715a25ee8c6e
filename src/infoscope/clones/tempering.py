"""Replica exchange: copies of every chain at rising temperatures, so that no chain is caught behind a barrier.

Gibbs sampling changes one token at a time, and a text that is changed one letter at a time hardly becomes another one.
A chain has one replica at each of several temperatures; each is swept by Gibbs sampling, and neighbours exchange their
sequences with probability min{1, exp((1/T - 1/T') (E - E'))}, which leaves the product of all laws as it is.  Those at
temperature 1 are the clone.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .energy import StarEnergy
from .gibbs_torch import gibbs_sampler


class TemperedSampler:
    """Chains of one energy with replicas at higher temperatures; `sweep` changes their tokens.

    Parameters
    ----------
    energy : StarEnergy
        Of temperature 1.
    tokens : array (n, L)
        Where all replicas of every chain start; -1 is padding.
    n_replicas : int
        1/T falls evenly from 1 to `coldness` of the last one.
    coldness : float
        1/T of the hottest replica.
    random_state : int
    n_jobs : int, optional
    device : str or torch.device, optional
        As in `gibbs_sampler`.

    Attributes
    ----------
    tokens : array (n, L)
        Of the replicas at temperature 1.
    exchange_rate : array (n_replicas - 1,)
        Share of exchanges between neighbours that were accepted.

    References
    ----------
    Hukushima & Nemoto, J. Phys. Soc. Jpn. 65, 1604 (1996).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.clones.energy import StarEnergy
    >>> from infoscope.clones.tempering import TemperedSampler
    >>> spins, pairs = np.array([[[1.0, -1.0]]]), np.triu(np.full((8, 8), 0.7), 1)[None, None]
    >>> magnet = StarEnergy(np.zeros((8, 2)), spins, spins, pairs)
    >>> chains = TemperedSampler(magnet, np.zeros((200, 8), dtype=int), n_replicas=6, coldness=0.1)
    >>> chains.sweep(60)
    >>> bool(abs(chains.tokens.mean() - 0.5) < 0.15)  # both states, though all began in one
    True
    """

    def __init__(
        self,
        energy: StarEnergy,
        tokens: np.ndarray,
        *,
        n_replicas: int = 10,
        coldness: float = 0.1,
        random_state: int = 0,
        n_jobs: int | None = None,
        device: Any = None,
    ):
        seeds = np.random.SeedSequence(random_state).generate_state(n_replicas + 1)
        self.energy = energy
        self.betas = np.linspace(1.0, coldness, n_replicas)
        self.replicas = [
            gibbs_sampler(energy.cooled(1 / beta), tokens, random_state=int(seed), n_jobs=n_jobs, device=device)
            for beta, seed in zip(self.betas, seeds[:-1], strict=True)
        ]
        self._rng = np.random.default_rng(seeds[-1])
        self._accepted, self._tried = np.zeros((2, max(0, n_replicas - 1)))
        self.n_sweeps = 0

    @property
    def tokens(self) -> np.ndarray:
        """Of temperature 1."""
        return self.replicas[0].tokens

    @property
    def exchange_rate(self) -> np.ndarray:
        """Share of exchanges that were accepted, between neighbours."""
        return self._accepted / np.maximum(1, self._tried)

    def sweep(self, n_sweeps: int = 1) -> None:
        """Draw every site of every replica anew, and exchange, so many times."""
        for _ in range(n_sweeps):
            for replica in self.replicas:
                replica.sweep()
            self._exchange(self.n_sweeps % 2)
            self.n_sweeps += 1

    def _exchange(self, first: int) -> None:
        """Of pairs (first, first + 1), (first + 2, first + 3), ..."""
        weights = [np.asarray(self.energy.log_weight(replica.tokens), np.float64) for replica in self.replicas]
        for low in range(first, len(self.replicas) - 1, 2):
            gain = (self.betas[low] - self.betas[low + 1]) * (weights[low + 1] - weights[low])
            swap = np.log1p(-self._rng.random(len(gain))) < gain
            cold, hot = self.replicas[low].tokens, self.replicas[low + 1].tokens
            cold[swap], hot[swap] = hot[swap], cold[swap]  # both sides are copies: arrays of indices
            self._accepted[low] += swap.sum()
            self._tried[low] += len(swap)
