"""How steady fitted weights are: a Bayesian bootstrap over a fixed table of ranks.

Drawing rows with replacement is not valid for neighbour methods: the copy of a row is its own nearest neighbour.  Here
rows keep their places and get random weights from an exponential distribution, one for each block of correlated rows.
"""
from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from infoscope.base import progress
from infoscope.neighbors import reduce_tiles
from infoscope.neighbors.reductions import admissible_mass

from .objective import Objective
from .optimise import minimise
from .softmax import Softened, SoftRanks, _in_a_row

ROUGH = 1e-6                       # tolerance of a resample: far below what resampling changes
RESAMPLE_ITER = 60
LOW, HIGH = 0.025, 0.975
POSITIVE = 1e-6                    # of the largest: a weight above it counts as positive


class Stability(NamedTuple):
    """What resampling says about the weights (G,), in units of the standardised columns.

    Attributes
    ----------
    se, low, high : array (G,)
        Standard deviation over the resamples, and their 2.5 % and 97.5 % points.
    positive_share : array (G,)
        Share of the resamples in which a weight is positive.
    resamples : array (B, G)
        All of them, each as long (in the Euclidean norm) as the fitted weights.
    """

    se: np.ndarray
    low: np.ndarray
    high: np.ndarray
    positive_share: np.ndarray
    resamples: np.ndarray


def bootstrap_weights(objective: Objective, weights: np.ndarray, n_bootstrap: int, generator: np.random.Generator, *,
                      blocks: np.ndarray | None = None, alpha: float = 0.0) -> Stability:
    """Fit the weights again to randomly weighted rows, from the optimum onwards.

    Every resample draws one weight from an exponential distribution for each block (for each row without blocks) and
    gives it to the rows of the block: as queries in the average, and as candidates in the softmax.  Two things stay as
    they are in the unweighted data, which is an approximation: the ranks in the target, whose own fluctuation is of
    order 1/N, and the mass at which the bandwidth is read, which is that of k average rows.

    Parameters
    ----------
    objective : Objective
        What was minimised.
    weights : array (G,)
        Where its minimum is.
    n_bootstrap : int
        Resamples.
    generator : Generator
        Source of the random weights.
    blocks : array (N,) of int, optional
        Blocks of correlated rows.
    alpha : float
        Strength of the penalty in the fit.

    Returns
    -------
    Stability

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.imbalance.objective import Objective
    >>> from infoscope.imbalance.optimise import minimise
    >>> from infoscope.imbalance.rank_table import rank_table
    >>> from infoscope.imbalance.softmax import Bandwidth
    >>> from infoscope.imbalance.stability import bootstrap_weights
    >>> from infoscope.neighbors import Space
    >>> generator = np.random.default_rng(0)
    >>> x = generator.normal(size=(200, 2))
    >>> objective = Objective(Space(x), rank_table(Space(x * [2, 1])), np.arange(2), Bandwidth(k=3))
    >>> found = bootstrap_weights(objective, minimise(objective).weights, 20, generator)
    >>> bool((found.se < 0.1).all())
    True
    """
    n = len(objective.space)
    own = np.ones(n) if objective.space.sample_weight is None else objective.space.sample_weight
    blocks = np.arange(n) if blocks is None else blocks
    size = np.linalg.norm(weights)
    found = np.empty((n_bootstrap, len(weights)))
    with progress(n_bootstrap, "resampled weights", "resamples") as bar:
        for b in range(n_bootstrap):
            drawn = generator.exponential(size=int(blocks.max()) + 1)[blocks] * own
            resampled = _Reweighted.of(objective, drawn / drawn.mean())
            best = minimise(resampled, weights, alpha=alpha, max_iter=RESAMPLE_ITER, tol=ROUGH, continuation=False,
                            show=False)
            found[b] = best.weights * (size / np.linalg.norm(best.weights))
            bar.update(1)
    low, high = np.quantile(found, [LOW, HIGH], axis=0)
    se = found.std(axis=0, ddof=1) if n_bootstrap > 1 else np.full(len(weights), np.nan)
    return Stability(se, low, high, (found > POSITIVE * found.max(1, keepdims=True)).mean(0), found)


# ---------------------------------------------------------------------------------------------------------------- steps
@dataclass(frozen=True)
class _Reweighted(Objective):
    """An objective whose rows weigh differently, over the same ranks and, on average, the same bandwidth."""

    unit: np.ndarray | None = None

    @classmethod
    def of(cls, objective: Objective, mass: np.ndarray) -> _Reweighted:
        space = objective.space.replace(sample_weight=np.maximum(mass, 1e-12))
        parts = {name: getattr(objective, name) for name in objective.__dataclass_fields__} | {"space": space}
        before = admissible_mass(objective.space, objective.queries, **objective.rule)
        after = admissible_mass(space, objective.queries, **objective.rule)
        per_item = before[2] / before[1] / before[1]             # share of the row's mass that one item is
        return cls(**parts, unit=after[1] * per_item)

    def soften(self, weights: np.ndarray, *, gradient: bool = False, pairs: bool = False) -> Softened:
        space = self.space.replace(feature_weights=np.asarray(weights, float)[self.groups])
        mode, size, shared = _in_a_row(space, self.bandwidth, self.queries, self.n_jobs, self.rule, gradient)
        own: Any = space.sample_weight if self.queries is None else space.sample_weight[self.queries]
        reduction = SoftRanks(self.table, rho=2 * own / own.sum(), unit=self.unit, k=self.bandwidth.k, mode=mode,
                              size=size, power=self.bandwidth.power, gradient=gradient, pairs=pairs,
                              precision=self.precision)
        found = reduce_tiles([space], reduction, queries=self.queries, n_jobs=self.n_jobs, label="softmax", **self.rule)
        slopes = found["slopes"]
        if slopes is not None and shared is not None:            # the common bandwidth moves with all rows
            slopes = slopes + found["pull"] * shared
        return Softened(float(reduction.rho @ found["f"]), slopes, 2 * found["f"], found["entropy"], found["pairs"])

    def with_bandwidth(self, **changes: Any) -> Objective:
        return replace(self, bandwidth=replace(self.bandwidth, **changes))
