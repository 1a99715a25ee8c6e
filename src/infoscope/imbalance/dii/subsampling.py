"""How steady fitted weights are: the fit is repeated on random halves of the rows.

A bootstrap is not valid for neighbour methods: the copy of a row is its own nearest neighbour.  A half holds no copies;
its ranks in the target, its bandwidth and its minimum are all found anew, and its scatter around the mean of all halves
is, to leading order, the scatter of the whole fit over data sets: the variance of m rows drawn without replacement from
n is sigma^2 (1/m - 1/n), that of n rows is sigma^2/n.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from infoscope.base import DataError, progress
from infoscope.imbalance.plan import ComparisonPlan
from infoscope.imbalance.rank_table import LIMIT_BYTES, rank_table

from .objective import Objective
from .optimise import minimise
from .softmax import Bandwidth

ROUGH = 1e-6  # tolerance of a half: far below what halving changes
HALF_ITER = 60
LOW, HIGH = 0.025, 0.975
POSITIVE = 1e-6  # of the largest: a weight above it counts as positive
FEWEST_ROWS = 8  # of a half
TRIALS = 1000


class Stability(NamedTuple):
    """What halves say about the weights (G,), in units of the standardised columns.

    Attributes
    ----------
    se, low, high : array (G,)
        Standard error, and the 95 % interval.
    positive_share : array (G,)
        Share of the halves in which a weight is positive.
    resamples : array (B, G)
        The weights of all halves, each as long (in the Euclidean norm) as the fitted weights.
    """

    se: np.ndarray
    low: np.ndarray
    high: np.ndarray
    positive_share: np.ndarray
    resamples: np.ndarray


def halves_of_fit(
    plan: ComparisonPlan,
    objective: Objective,
    weights: np.ndarray,
    n_resamples: int,
    generator: np.random.Generator,
    *,
    start: np.ndarray | None = None,
    alpha: float = 0.0,
    limit_bytes: int | None = LIMIT_BYTES,
) -> Stability:
    """Fit the weights again to random halves of the rows (of the blocks, where rows are correlated).

    Every fit begins anew, with as large a share of its rows as neighbours: a fit that began at the weights of the whole
    would stay near them and be too sure.

    Parameters
    ----------
    plan : ComparisonPlan
        What was fitted.
    objective : Objective
        Its objective, with the columns in the units of the whole.
    weights : array (G,)
        Where its minimum is.
    n_resamples : int
        Halves.
    generator : Generator
        Draws them.
    start : array (G,), optional
        Where every fit begins; equal weights by default.
    alpha : float
        Strength of the penalty in the fit.
    limit_bytes : int or None
        Limit of the table of ranks.

    Returns
    -------
    Stability

    Raises
    ------
    DataError
        Too few rows, blocks or runs for a half.

    References
    ----------
    Politis, Romano, Annals of Statistics 22, 2031 (1994); Meinshausen, Buhlmann, J. R. Stat. Soc. B 72, 417 (2010).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.imbalance.dii.objective import make_objective
    >>> from infoscope.imbalance.dii.optimise import minimise
    >>> from infoscope.imbalance.plan import make_plan
    >>> from infoscope.imbalance.dii.softmax import Bandwidth
    >>> from infoscope.imbalance.dii.subsampling import halves_of_fit
    >>> from infoscope.neighbors import Space
    >>> x = np.random.default_rng(0).normal(size=(200, 2))
    >>> plan = make_plan([Space(x), Space(x * [2, 1])])
    >>> objective, _ = make_objective(plan, Bandwidth(k=4))
    >>> found = halves_of_fit(plan, objective, minimise(objective).weights, 20, np.random.default_rng(1))
    >>> bool((found.se < 0.1).all())
    True
    """
    plan = replace(plan, spaces=(objective.space, plan.spaces[1]))
    n, size = len(objective.space), np.linalg.norm(weights)
    found, spread = np.empty((n_resamples, len(weights))), np.empty((n_resamples, 1))
    with progress(n_resamples, "weights of halves", "halves") as bar:
        for b in range(n_resamples):
            rows = _half(plan, objective.bandwidth.k, generator)
            half = _objective_of(plan.take(rows), objective, limit_bytes)
            best = _minimum(half, start, alpha)
            found[b] = best * (size / np.linalg.norm(best))
            spread[b] = np.sqrt(len(rows) / (n - len(rows)))
            bar.update(1)
    away = (found - found.mean(axis=0)) * spread
    low, high = np.maximum(weights + np.quantile(away, [LOW, HIGH], axis=0), 0)
    se = away.std(axis=0, ddof=1) if n_resamples > 1 else np.full(len(weights), np.nan)
    return Stability(se, low, high, (found > POSITIVE * found.max(1, keepdims=True)).mean(0), found)


# ---------------------------------------------------------------------------------------------------------------- steps
def _half(plan: ComparisonPlan, k: int, generator: np.random.Generator) -> np.ndarray:
    """Rows of half of the blocks; of two runs at least, where neighbours come from other runs."""
    space = plan.spaces[0]
    n = len(space)
    blocks = np.arange(n) if plan.blocks is None else plan.blocks
    n_blocks = int(blocks.max()) + 1
    for _ in range(TRIALS):
        rows = np.flatnonzero(np.isin(blocks, generator.permutation(n_blocks)[: n_blocks // 2]))
        enough = max(FEWEST_ROWS, _halved(k) + 2) <= len(rows) <= n - 1
        if enough and (plan.neighbors_from != "other_runs" or len(np.unique(space.run[rows])) > 1):
            return rows
    raise DataError(
        f"{n} rows in {n_blocks} blocks are too few to judge weights by halves of them: leave n_resamples "
        "at 0, or bring more data"
    )


def _halved(k: int) -> int:
    return max(1, round(k / 2))


def _objective_of(part: ComparisonPlan, whole: Objective, limit_bytes) -> Objective:
    """The same for some of the rows, with half as many neighbours."""
    table = rank_table(part.spaces[1], n_jobs=part.n_jobs, limit_bytes=limit_bytes, **part.rule)
    wide: Bandwidth = whole.bandwidth
    changes: dict[str, Any] = {"k": _halved(wide.k)}
    if wide.kind == "perplexity":
        changes["size"] = max(wide.size / 2, min(wide.size, 1.5))
    return replace(whole, space=part.spaces[0], table=table, bandwidth=replace(wide, **changes), rule=part.rule)


def _minimum(half: Objective, start: np.ndarray | None, alpha: float) -> np.ndarray:
    """Weights of a half; 0 for columns that are constant in it, which no gradient would move."""
    w = np.ones(half.n_weights) if start is None else start.copy()
    varies = np.zeros(half.n_weights, bool)
    varies[half.groups[np.ptp(half.space.features, axis=0) > 0]] = True
    w = np.where(varies, w, 0.0)
    w = w if w.any() else varies.astype(float)
    if not w.any():
        return np.ones(half.n_weights)
    common: dict[str, Any] = dict(max_iter=HALF_ITER, tol=ROUGH, show=False)
    w = minimise(half, w, **common).weights
    return minimise(half, w, alpha=alpha, continuation=False, **common).weights if alpha > 0 else w
