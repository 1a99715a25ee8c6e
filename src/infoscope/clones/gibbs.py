"""Gibbs sampling of a star energy: exact conditionals site by site, order sums kept up to date instead of computed.

A sweep visits every site once, in an order of its own, the same for all chains.  Chains go in blocks of a fixed number,
each with its own random numbers: the draws do not depend on the number of threads.  Per block and site there is one
matrix product (features of the chains by the table of tokens); the rest are serial compiled loops over what is in
cache.  Order sums are computed anew at the start of every sweep, so that rounding does not add up.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from infoscope.base.threads import do_all, one_blas_thread

from .energy import StarEnergy, order_sums
from .gibbs_kernels import LANES, draw, leave_out, shift

CHAINS = 64  # of a block


class GibbsSampler:
    """Chains of one energy; `sweep` changes their tokens.

    Parameters
    ----------
    energy : StarEnergy
    tokens : array (n, L)
        Where the chains start; -1 is padding, which stays.
    random_state : int or sequence of int
        Of all draws.
    n_jobs : int, optional
        Threads, as in `available_threads`.

    Attributes
    ----------
    tokens : array (n, L) of int32

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.clones.energy import StarEnergy
    >>> from infoscope.clones.gibbs import GibbsSampler
    >>> tossed = StarEnergy(np.log([[0.9, 0.1]] * 4), *np.zeros((2, 0, 1, 2)), np.zeros((0, 1, 4, 4)))
    >>> chains = GibbsSampler(tossed, np.ones((1000, 4), dtype=int), random_state=0)
    >>> chains.sweep()
    >>> float(chains.tokens.mean().round(1))
    0.1
    """

    def __init__(self, energy: StarEnergy, tokens: np.ndarray, *, random_state: Any = 0, n_jobs: int | None = None):
        self.energy, self.n_jobs = energy.astype(np.float32), n_jobs
        self.tokens = np.array(tokens, dtype=np.int32)
        self.n_sweeps = 0
        self._order, streams = random_streams(random_state, len(self.tokens))
        tables = _Tables(self.energy)
        self._blocks = [
            _Block(tables, self.tokens[at * CHAINS : (at + 1) * CHAINS], rng) for at, (rng, _) in enumerate(streams)
        ]

    def sweep(self, n_sweeps: int = 1) -> None:
        """Draw every site of every chain anew, so many times."""
        orders = [self._order.permutation(self.energy.length) for _ in range(n_sweeps)]
        with one_blas_thread():
            do_all(lambda block: block.sweep(orders), self._blocks, self.n_jobs)
        self.n_sweeps += n_sweeps


def random_streams(
    random_state: Any, n_chains: int
) -> tuple[np.random.Generator, list[tuple[np.random.Generator, int]]]:
    """The generator of the orders of sites, and of every block one of its own, with the number of its chains."""
    counts = [min(CHAINS, n_chains - first) for first in range(0, n_chains, CHAINS)]
    *seeds, of_order = np.random.SeedSequence(random_state).spawn(len(counts) + 1)
    return np.random.default_rng(of_order), [
        (np.random.default_rng(seed), n) for seed, n in zip(seeds, counts, strict=True)
    ]


class _Tables:
    """The parameters as the kernels want them: heads last, token -1 the zero vector in a last row."""

    def __init__(self, energy: StarEnergy) -> None:
        self.energy = energy
        self.legs, self.centres = (_rows(values) for values in (energy.legs, energy.centres))
        self.positions = np.ascontiguousarray(energy.positions.transpose(3, 0, 2, 1))  # leg, order, centre, head
        k, h, v = energy.legs.shape
        table = np.stack([energy.legs, energy.centres], axis=1)  # (K, 2, H, V)
        self.table = np.ascontiguousarray(table.reshape(k * 2 * h, v))


class _Block:
    """Chains that share matrix products, on one thread."""

    def __init__(self, tables: _Tables, tokens: np.ndarray, rng: np.random.Generator) -> None:
        self.tables, self.tokens, self.rng = tables, tokens, rng
        k, n_heads, n_tokens = tables.energy.legs.shape
        n, length = len(tokens), tables.energy.length
        self.sums = np.empty((n, k * (k + 1) // 2, length, n_heads), np.float32)
        self.features = np.zeros((CHAINS, k, 2, n_heads), np.float32)  # of all rows: products of one size
        self.logits = np.empty((CHAINS, n_tokens), np.float32)
        self.work = np.empty(n_heads, np.float32)
        self.lanes, self.parts = np.empty(LANES, np.float32), np.empty(n_tokens // LANES + 1, np.float32)

    def sweep(self, orders: list[np.ndarray]) -> None:
        tables, n = self.tables, len(self.tokens)
        features, logits = self.features, self.logits[:n]
        for order in orders:
            self._refresh()
            uniform = self.rng.random((len(order), n))
            for place, site in enumerate(order):
                leave_out(
                    site, self.tokens, self.sums, tables.legs, tables.centres, tables.positions, features, self.work
                )  # fmt: skip
                np.matmul(features.reshape(CHAINS, -1), tables.table, out=self.logits)
                shift(logits, tables.energy.bias[site], self.lanes)
                np.exp(logits, out=logits)
                draw(
                    logits, uniform[place], site, self.tokens, self.sums, tables.legs, tables.positions, self.work,
                    self.parts,
                )  # fmt: skip

    def _refresh(self) -> None:
        slot = 0
        for at, positions in enumerate(self.tables.energy.positions):
            legs = self.tables.legs[self.tokens, at]  # (n, L, H)
            for e in order_sums(np.ascontiguousarray(legs.transpose(2, 0, 1)), positions, at + 1)[1:]:
                self.sums[:, slot] = e.transpose(1, 2, 0)
                slot += 1


def _rows(values: np.ndarray) -> np.ndarray:
    """(K, H, V) as (V + 1, K, H)."""
    return np.ascontiguousarray(np.concatenate([values, np.zeros_like(values[..., :1])], axis=-1).transpose(2, 0, 1))
