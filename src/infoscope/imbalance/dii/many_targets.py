"""Weights for many one-dimensional targets at once: mini-batches whose squared pair differences all of them share.

For a batch of B items let P be the squared differences of its B(B - 1)/2 pairs in every feature.  With the squared
weights of T targets as rows of S, all their squared distances are ``S P``, and all gradients ``G P^T``, where G is the
derivative by every pair's squared distance: two matrix products, exact, with periodic features for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from infoscope.base import DataError, available_threads, kernel, one_blas_thread, require
from infoscope.imbalance.rank_kernels import ranks_on_lines
from infoscope.neighbors import UNRESTRICTED, Admissibility, Items, admissible_pairs, task

from . import softmax_kernels as kernels

LONGEST_BLOCK = 128  # targets that share a product: few enough for the caches, enough to make the products worth it
CACHED = 8  # targets whose ranks in a batch fit into a processor's cache
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

    shared = (x, np.asarray(period, np.float32), items, descent, admissibility, seed)
    if on_cluster:
        fit = task(_fit_block)
        answers = require("dask", "cluster").compute(*(fit(targets.take(block), *shared) for block in wanted))
        for block, found in zip(wanted, answers, strict=True):
            keep(block, found)
        return whole
    with ThreadPoolExecutor(min(available_threads(n_jobs), len(wanted)) or 1) as pool:
        for block, found in zip(wanted, pool.map(lambda b: _fit_block(targets.take(b), *shared), wanted), strict=True):
            keep(block, found)
    return whole


# --------------------------------------------------------------------------------------------------------------- steps
def _fit_block(lines, x, period, items, descent, admissibility, seed) -> ManyWeights:
    """Adam on the weights of some targets; those that have come to rest take no further part."""
    with one_blas_thread():
        return _descend(lines, x, period, items, descent, admissibility, seed)


def _descend(lines, x, period, items, descent, admissibility, seed) -> ManyWeights:
    n_targets, d = len(lines.values), len(x)
    batches = _Batches(x, period, items, descent, admissibility)
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
            values, slopes = batches.value_and_slopes(rows, moving, w[active] ** 2)
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


class _Batches:
    """Mini-batches of all items, and what is computed on one."""

    def __init__(self, x, period, items, descent, admissibility):
        n = x.shape[1]
        self.x, self.period = x, period
        pairs = admissible_pairs(items, items, admissibility)
        self.start, self.stop, self.place = pairs.start, pairs.stop, np.empty(n, np.int64)
        self.place[pairs.columns] = np.arange(n)
        self.number = max(1, round(n / descent.batch_size))
        self.size = b = n // self.number  # what is left of a permutation is left out of its epoch
        self.k, self.factor = min(descent.k, b - 1), descent.lambda_factor
        self.differences = np.empty((len(x), b * (b - 1) // 2), np.float32)
        self.ranks = np.empty((CACHED, b, b), np.uint16)
        self.squared = np.empty((0, 0), np.float32)  # kept: new memory costs more than the sums in it
        shapes: list[Any] = [(b, b), self.k + 1, b, b, b]
        self.buffers: list[Any] = [np.zeros(shape, np.float32) for shape in shapes]

    def draw(self, generator):
        """The batches of an epoch."""
        rows = generator.permutation(self.x.shape[1])[: self.number * self.size]
        return rows.reshape(self.number, self.size)

    def value_and_slopes(self, rows, lines, squared_weights):
        """DII of every target on a batch, and its derivative by the squared weights."""
        b = self.size
        order = np.sort(self.place[rows])  # forbidden rows stand together in the order of runs and times
        place, start, stop = (np.searchsorted(order, of[rows]) for of in (self.place, self.start, self.stop))
        _fill_differences(self.x, rows, self.period, self.differences)
        n_targets = len(lines.values)
        if len(self.squared) != n_targets:
            self.squared = np.empty((n_targets, self.differences.shape[1]), np.float32)
        squared = self.squared
        np.matmul(squared_weights.astype(np.float32), self.differences, out=squared)
        everyone, values = np.arange(b), np.empty(n_targets)
        y = lines.values[:, rows]
        tile, heap, e, c, u = self.buffers
        for first in range(0, n_targets, len(self.ranks)):  # so few that their ranks stay in the cache
            part = slice(first, min(first + len(self.ranks), n_targets))
            ranks = self.ranks[: part.stop - first]
            ranks_on_lines(y[part], lines.period[part], everyone, place, start, stop, ranks)
            kernels.soften_triangles(
                squared[part], ranks, place, start, stop, self.k, self.factor, values[part], tile, heap, e, c, u
            )
        return values, np.matmul(squared, self.differences.T).astype(np.float64)


# ------------------------------------------------------------------------------------------------------------- kernels
@kernel()
def _fill_differences(x, rows, period, out):
    """Squared differences of all pairs i < j of a batch in every feature."""
    b = len(rows)
    values = np.empty(b, np.float32)
    for a in range(len(x)):
        for i in range(b):
            values[i] = x[a, rows[i]]
        p = 0
        if period[a] > 0:
            for i in range(b):
                for j in range(i + 1, b):
                    delta = values[j] - values[i]
                    delta -= period[a] * np.rint(delta / period[a])
                    out[a, p] = delta * delta
                    p += 1
        else:
            for i in range(b):
                for j in range(i + 1, b):
                    delta = values[j] - values[i]
                    out[a, p] = delta * delta
                    p += 1
