"""Weights for many one-dimensional targets at once, by mini-batches that all of them share.

For a batch of B items let P be the squared differences of its B(B - 1)/2 pairs in every feature.  With the squared
weights of T targets as rows of S, all their squared distances are ``S P``, and all gradients ``G P^T``, where G is the
derivative by every pair's squared distance: two matrix products, exact, with periodic features for nothing.  Beyond
thousands of features every target weighs some only, of its own (`pair_batches`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from infoscope.base import DataError, available_threads, one_blas_thread, require
from infoscope.neighbors import UNRESTRICTED, Admissibility, Items, task

from .pair_batches import OwnSources, PairBatches

LONGEST_BLOCK = 128  # targets that share a product: few enough for the caches, enough to make the products worth it
SHORTEST_BLOCK = 32  # targets from which there are two blocks, for two threads
LAP, LAP_STEPS = 5, 100  # epochs, and steps, whose weights are averaged and compared with those of the lap before
MOMENT_1, MOMENT_2, SMALLEST = 0.9, 0.999, 1e-8  # of Adam


@dataclass(frozen=True)
class Descent:
    """How weights are found.

    Attributes
    ----------
    batch_size : int
        Items of a mini-batch, about.
    n_epochs : int
        Passes over all items, at most.
    k : int
        Neighbours of the bandwidth in a batch.
    lambda_factor : float
        What multiplies the k-th squared distance.
    learning_rate : float
        First step of Adam for weights of norm one; it falls to zero like a cosine.
    tolerance : float
        A target is done when the means of its weights over two laps of epochs differ by less, relative to the largest.
    """

    batch_size: int = 100
    n_epochs: int = 100
    k: int = 5
    lambda_factor: float = 0.1
    learning_rate: float = 0.01
    tolerance: float = 0.05


class Lines(NamedTuple):
    """Targets of one column each.

    Attributes
    ----------
    values : array (T, N), float64
        One row a target.
    period : array (T,)
        0 where a target has none.
    """

    values: np.ndarray
    period: np.ndarray

    def take(self, which: slice | np.ndarray) -> Lines:
        return Lines(np.ascontiguousarray(self.values[which], np.float64), self.period[which])


class ManyWeights(NamedTuple):
    """What `fit_many_targets` finds.

    Attributes
    ----------
    weights : array (T, D)
        Of norm one, >= 0: means over the last lap of epochs.
    losses : array (T, n_epochs)
        Mean DII of the batches of every epoch; NaN after the last.
    n_epochs : array (T,) of int
        Epochs that were made.
    converged : array (T,) of bool
        Whether the weights had come to rest.
    """

    weights: np.ndarray
    losses: np.ndarray
    n_epochs: np.ndarray
    converged: np.ndarray

    @classmethod
    def unknown(cls, n_targets: int, n_features: int, n_epochs: int) -> ManyWeights:
        """Nothing found yet."""
        return cls(
            np.full((n_targets, n_features), np.nan),
            np.full((n_targets, n_epochs), np.nan),
            np.zeros(n_targets, np.int64),
            np.zeros(n_targets, bool),
        )

    def put(self, block: slice, part: Sequence[np.ndarray]) -> None:
        """Fill in what was found for some of the targets."""
        for whole, some in zip(self, part, strict=True):
            whole[block] = some


def blocks_of_targets(n_targets: int) -> list[slice]:
    """Targets that are fitted together: equal blocks, whatever the number of threads."""
    n_blocks = max(-(-n_targets // LONGEST_BLOCK), 1 if n_targets < SHORTEST_BLOCK else 2)
    edges = np.linspace(0, n_targets, n_blocks + 1).astype(int)
    return [slice(a, b) for a, b in zip(edges[:-1], edges[1:], strict=True)]


def fit_many_targets(
    features: np.ndarray,
    period: np.ndarray,
    targets: Lines,
    items: Items,
    *,
    descent: Descent = Descent(),
    admissibility: Admissibility = UNRESTRICTED,
    seed: int = 0,
    n_jobs: int | None = None,
    on_cluster: bool = False,
    blocks: Sequence[slice] | None = None,
    sources: np.ndarray | None = None,
    device: Any = None,
    done: Callable[[slice, ManyWeights], None] | None = None,
) -> ManyWeights:
    """Minimise the DII from weighted features to each of many targets.

    Parameters
    ----------
    features : array (N, D)
        Of comparable size: nothing is standardised.
    period : array (D,)
        0 where a feature has none.
    targets : Lines
        The targets.
    items : Items
        Runs and times of the rows.
    descent : Descent
        How.
    admissibility : Admissibility
        Who may be whose neighbour.
    seed : int
        Of the batches, which are the same for all targets.
    n_jobs : int, optional
        Threads over blocks of targets; the answer does not depend on them.
    on_cluster : bool
        Whether blocks of targets are tasks of Dask, for whatever cluster is connected, instead of threads.
    blocks : sequence of slice, optional
        The blocks of `blocks_of_targets` that are to be fitted; all by default.  The rows of others stay NaN.
    sources : array (T, m) of int, optional
        The features that each target weighs; the weights of all others are zero.  All features by default.
    device : torch.device, optional
        Where batches are computed, with all sources for all targets; in kernels of the processor by default.
    done : callable, optional
        Called with every block and its weights when it is there.

    Returns
    -------
    ManyWeights
    """
    x = np.ascontiguousarray(features.T, np.float32)
    n_targets = len(targets.values)
    whole = ManyWeights.unknown(n_targets, len(x), descent.n_epochs)
    wanted = blocks_of_targets(n_targets) if blocks is None else list(blocks)

    def keep(block: slice, found: ManyWeights) -> None:
        whole.put(block, found)
        if done is not None:
            done(block, found)

    def own_of(block: slice) -> np.ndarray | None:
        return None if sources is None else np.asarray(sources)[block]

    shared = (device, x, np.asarray(period, np.float32), items, descent, admissibility, seed)
    if on_cluster:
        fit = task(_fit_block)
        answers = require("dask", "cluster").compute(
            *(fit(targets.take(block), own_of(block), *shared) for block in wanted)
        )
        for block, found in zip(wanted, answers, strict=True):
            keep(block, found)
        return whole
    with ThreadPoolExecutor(min(available_threads(n_jobs), len(wanted)) or 1) as pool:
        fits = pool.map(lambda block: _fit_block(targets.take(block), own_of(block), *shared), wanted)
        for block, found in zip(wanted, fits, strict=True):
            keep(block, found)
    return whole


# --------------------------------------------------------------------------------------------------------------- steps
def _fit_block(lines, sources, device, x, period, items, descent, admissibility, seed) -> ManyWeights:
    """Adam on the weights of some targets; those that have come to rest take no further part."""
    shared = (x, period, items, descent.batch_size, descent.k, descent.lambda_factor, admissibility)
    with one_blas_thread():
        if device is not None:
            from .pair_batches_torch import TorchBatches

            return _descend(lines, TorchBatches(device, *shared), len(x), descent, seed)
        if sources is None:
            return _descend(lines, PairBatches(*shared), len(x), descent, seed)
        found = _descend(lines, OwnSources(sources, *shared), sources.shape[1], descent, seed)
    weights = np.zeros((len(sources), len(x)))
    np.put_along_axis(weights, sources, found.weights, 1)
    return found._replace(weights=weights)


def _descend(lines, batches, d, descent, seed) -> ManyWeights:
    n_targets = len(lines.values)
    w = np.full((n_targets, d), 1 / np.sqrt(d))
    first, second = np.zeros_like(w), np.zeros_like(w)
    lap, before = np.zeros_like(w), np.full_like(w, np.nan)
    found = ManyWeights.unknown(n_targets, d, descent.n_epochs)
    active, moving = np.arange(n_targets), lines
    generator, step = np.random.default_rng(seed), 0
    epochs = max(LAP, -(-LAP_STEPS // batches.number))
    tolerance = descent.tolerance * min(1.0, descent.learning_rate * epochs * batches.number)  # slow steps are no rest
    for epoch in range(descent.n_epochs):
        loss = np.zeros(len(active))
        for rows in batches.draw(generator):
            values, slopes = batches.value_and_slopes(rows, moving, w[active] ** 2, active)
            loss += values
            step += 1
            w[active] = _adam(w[active], slopes, first, second, active, step, descent, batches.number)
            lap[active] += w[active]
        found.losses[active, epoch] = loss / batches.number
        if (epoch + 1) % epochs and epoch + 1 < descent.n_epochs:
            continue
        mean = lap[active] / np.linalg.norm(lap[active], axis=1, keepdims=True)
        if not np.isfinite(mean).all():
            raise DataError(
                "weights are not finite: columns hold values so close to each other beside others far away that their "
                "squared differences vanish; take logarithms or ranks of such columns, or leave them out"
            )
        found.weights[active], found.n_epochs[active] = mean, epoch + 1
        largest = mean.max(1)
        rests = np.abs(mean - before[active]).max(1) < tolerance * largest  # False in the first lap
        found.converged[active] = rests
        before[active], lap[active] = mean, 0.0
        active = active[~rests]
        if not len(active):
            break
        moving = lines.take(active)
    return found


def _adam(w, slopes, first, second, active, step, descent, per_epoch):
    """One step on weights of norm one (Kingma, Ba 2015); only their direction matters, so its gradient is projected."""
    gradient = 2 * w * slopes
    gradient -= w * (w * gradient).sum(1, keepdims=True)
    first[active] = MOMENT_1 * first[active] + (1 - MOMENT_1) * gradient
    second[active] = MOMENT_2 * second[active] + (1 - MOMENT_2) * gradient**2
    mean = first[active] / (1 - MOMENT_1**step)
    spread = np.sqrt(second[active] / (1 - MOMENT_2**step))
    rate = descent.learning_rate * (1 + np.cos(np.pi * step / (descent.n_epochs * per_epoch))) / 2
    moved = np.abs(w - rate * mean / (spread + SMALLEST))  # the sign of a weight means nothing
    return moved / np.linalg.norm(moved, axis=1, keepdims=True)
