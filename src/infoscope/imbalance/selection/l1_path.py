"""The regularisation path: weights under a growing penalty, each from the one before, then fitted again without it.

A weight of zero is stationary for every positive penalty, so the path goes from no penalty upwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from infoscope.base import ParameterError
from infoscope.base.rounding import exceeds
from infoscope.imbalance.dii.optimise import minimise

from .search_memory import RememberingScorer
from .subset_search import ScoredSubset, best_of, members_only

FIRST, FACTOR, MOST = 1e-4, 4.0, 16  # penalties when none are given
HALVINGS = 2  # of a step that loses several features at once
TOLERANCE, ITERATIONS = 1e-4, 30  # of the weights along the path
CHECKED = 20  # sets of fewer features are held against the next larger set without one of its own


class Step(NamedTuple):
    """One penalty, the weights and the DII there (penalty not included)."""

    alpha: float
    weights: np.ndarray
    value: float

    @property
    def size(self) -> int:
        return int(np.count_nonzero(self.weights))


def penalty_path(
    search: RememberingScorer, alphas: Sequence[float] | None, refit: bool
) -> tuple[list[ScoredSubset], list[Step]]:
    """The best set of every size met on the path, the smallest first; and the path.

    What the penalty drops does not come back, and where the value hardly depends on the weights it may drop the wrong
    one.  Refitted sets of fewer than `CHECKED` features are therefore replaced where the next larger set without one of
    its features does better, and the single feature where another one does.

    Parameters
    ----------
    search : RememberingScorer
        Of a `SoftSearch`.
    alphas : sequence of float or None
        Penalties; None: growing by factors of four until one feature is left, with smaller steps where several are lost
        at once.
    refit : bool
        Whether to fit the weights of every support again without penalty.
    """
    start = search.score_sets([tuple(range(search.n_units))])[0]
    steps = [Step(0.0, start.weights, start.value)]
    if alphas is None:
        while steps[-1].size > 1 and len(steps) < MOST:
            before = steps[-1]
            after = _solve(search, before, FIRST * FACTOR ** (len(steps) - 1))
            steps.append(after)
        steps = [
            step
            for before, after in zip(steps, steps[1:], strict=False)
            for step in (before, *_between(search, before, after, HALVINGS))
        ] + steps[-1:]
    else:
        for alpha in alphas:
            if alpha > 0:
                steps.append(_solve(search, steps[-1], alpha))
    found = members_only(_supports(search, steps, refit))
    return (_checked(search, _filled(search, found)) if refit else found), steps


def check_alphas(alphas) -> np.ndarray | None:
    """Penalties in ascending order; ParameterError for those that are none."""
    if alphas is None:
        return None
    try:
        found = np.unique(np.atleast_1d(np.asarray(alphas, float)))
    except (TypeError, ValueError):
        found = np.empty(0)
    if not len(found) or found.ndim != 1 or not np.isfinite(found).all() or found[0] < 0:
        raise ParameterError(f"alphas is {alphas!r}; it must hold finite numbers >= 0")
    return found


# --------------------------------------------------------------------------------------------------------------- steps
def _solve(search: RememberingScorer, before: Step, alpha: float) -> Step:
    if before.size == 1:
        return before._replace(alpha=alpha)
    (found,) = search.recall(lambda: [_minimum(search, before.weights, alpha)])
    return Step(alpha, found.weights, found.value)


def _minimum(search: RememberingScorer, weights: np.ndarray, alpha: float) -> ScoredSubset:
    """The minimum with a penalty, from the weights of the one before."""
    while True:
        end = minimise(
            search.objective, weights, alpha=alpha, max_iter=ITERATIONS, tol=TOLERANCE, continuation=False, show=False
        )
        search.note(end.value)
        weights = _pruned(search, end.weights, end.value, alpha)
        if np.count_nonzero(weights) in (1, np.count_nonzero(end.weights)):
            break
    value = end.value if np.array_equal(weights, end.weights) else search.objective.softmax_rows(weights).value
    return ScoredSubset(tuple(range(search.n_units)), value, weights)


def _pruned(search: RememberingScorer, weights: np.ndarray, value: float, alpha: float) -> np.ndarray:
    """Without the smallest weights, as long as the penalised value falls: not every bandwidth is smooth."""
    while np.count_nonzero(weights) > 1:
        tried = weights.copy()
        smallest = weights[weights > 0].min()
        tried[np.flatnonzero((weights > 0) & ~exceeds(weights, smallest, same=search.same))[-1]] = 0.0
        there = search.objective.softmax_rows(tried).value
        if exceeds(there + alpha * _spread(tried), value + alpha * _spread(weights)):
            break
        weights, value = tried, there
    return weights


def _spread(weights: np.ndarray) -> float:
    return float(weights.sum() / np.linalg.norm(weights))


def _between(search: RememberingScorer, before: Step, after: Step, left: int) -> list[Step]:
    """Smaller steps where more than one feature is lost."""
    if before.size - after.size <= 1 or left == 0:
        return []
    low = before.alpha if before.alpha > 0 else after.alpha / FACTOR**2
    middle = _solve(search, before, float(np.sqrt(low * after.alpha)))
    return [*_between(search, before, middle, left - 1), middle, *_between(search, middle, after, left - 1)]


def _filled(search: RememberingScorer, found: list[ScoredSubset]) -> list[ScoredSubset]:
    """Sizes that the path jumped over: the next larger set without the feature it misses least."""
    known = {len(one.units): one for one in found}
    for size in range(max(known) - 1, 0, -1):
        if size not in known and size + 1 in known:
            less = best_of(search.shrink_sets([known[size + 1]]), 1, search.same)[0]
            known[size] = search.finish_set(less)
    return members_only(known.values())


def _checked(search: RememberingScorer, found: list[ScoredSubset]) -> list[ScoredSubset]:
    """Of every size the better of the set found and of those got by removing a feature of the next larger one.

    Of one feature all are looked at, which costs one evaluation each.
    """
    known = {len(one.units): one for one in found}
    for size in range(min(max(known), CHECKED) - 1, 0, -1):
        if size + 1 not in known:
            continue
        if size == 1:
            others = search.score_sets([(unit,) for unit in range(search.n_units)])
        else:
            others = search.shrink_sets([known[size + 1]])
        other = best_of(others, 1, search.same)[0]
        if size not in known or other.units != known[size].units:
            (other,) = members_only([search.finish_set(other)])
            size = len(other.units)
            known[size] = best_of((known[size], other), 1, search.same)[0] if size in known else other
    return members_only(known.values())


def _supports(search: RememberingScorer, steps: list[Step], refit: bool) -> list[ScoredSubset]:
    """Every support that occurs, with the weights of its last penalty, or fitted again."""
    last = {tuple(np.flatnonzero(step.weights).tolist()): step for step in steps}
    found = [ScoredSubset(units, step.value, step.weights[list(units)]) for units, step in last.items()]
    return [search.finish_set(one) for one in found] if refit else found
