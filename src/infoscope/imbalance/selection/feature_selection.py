"""Which few of many features carry the information of a target: sets of every size.

`dii_forward`, `dii_backward`, `dii_exhaustive` and `dii_path` find weights as well; `select_features_imbalance`
compares sets as they are, with all weights one.
"""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from typing import Any

import numpy as np

from infoscope.base import ParameterError
from infoscope.base.checks import check_choice, check_positive_int, check_random_state
from infoscope.imbalance.dii.objective import Standardised, default_k, standardise
from infoscope.imbalance.dii.softmax import Bandwidth
from infoscope.imbalance.imbalance import settle_neighbors
from infoscope.imbalance.query_rows import query_rows

from .dii_search import Settings, SoftSearch, soft_value_elsewhere
from .imbalance_search import DIRECTIONS, Aim, PlainSearch, directions_of
from .l1_path import check_alphas, penalty_path
from .results import SelectionPath
from .subset_search import WALKS, check_affordable
from .task import Task, make_task, run_task

MAX_SETS = 20_000  # looked at by an exhaustive search without being asked for more


def dii_forward(X, target, max_features: int | None = None, n_best: int = 5, **options) -> SelectionPath:
    """Add features one by one, with the weights that the Differentiable Information Imbalance asks for.

    A set S of features is worth ``min DII(w)`` over weights w >= 0, zero outside S (see `DifferentiableImbalance`).

    A beam search: of every size the `n_best` sets are kept, and each is tried with every other feature.  A candidate is
    judged by two evaluations at the weights of the set it joins, with a weight of its own as large as these and a fifth
    of it.  The sets with the lowest values (two for every set kept, at least six) are optimised from there; the best
    set of every size once more from equal weights and many neighbours.  Where no feature helps alone, all pairs are
    tried (up to 2,000), because some features tell something only together; where no pair helps either, the path ends.

    Parameters
    ----------
    X : Space or array (N, D)
        Features to choose from, Euclidean; they are standardised.
    target : Space or array
        What should be predicted: features, labels or distances, as for `DifferentiableImbalance`.
    max_features : int, optional
        The largest size; 10 or all there are by default.
    n_best : int
        Sets kept of every size.  Greedy selection is ``n_best=1``.
    k : int, optional
        Neighbours of the "point" and "global" bandwidths; max(3, N/100) by default.
    bandwidth : {"point", "global", "gap", "fixed", "perplexity"}
        How far a row looks, see `infoscope.imbalance.dii.softmax.Bandwidth`.
    lambda_factor : float
        Size of the bandwidth: the share of the k-th distance (0.1), the bandwidth itself ("fixed"), the perplexity.
    kernel_power : {1, 2}
        Distances or squared distances in the exponent; 2 by default.
    groups : sequence, optional
        One label a column; columns with the same label are one feature with one weight.
    among : sequence of str or int, optional
        Names or numbers of the features (groups) to choose among; all by default.
    validation : None, float, array of int, or "runs"
        Repeat the search without some rows, which then scorer it: a share of the rows, row numbers, or each run in turn
        (a single run in five parts).  Values on the rows that were searched are too low: the lowest of many.
    exclusion_window, neighbors_from, run_weight, on_low_weight : optional
        As for `information_imbalance`.
    standard_error : {"auto", "graph", "blocks", "rows"}
        Formula of the errors.
    max_iter, tol : optional
        Of the weights of the best set of every size, see `infoscope.imbalance.dii.optimise.minimise`.
    precision : {"float64", "float32"}
        Of the tiles.
    max_table_bytes : int, optional
        Largest rank table.
    target_kind : {"auto", "features", "labels", "distances"}
        What `target` is, where it is no Space.
    checkpoint : path-like, optional
        A file in which the best sets of every finished size are kept.  A search that was killed goes on from it when it
        is called again, and ends with the same result, bit for bit; the file of another search is refused.
    random_state : int or Generator, optional
        Draws validation rows.
    n_jobs : int, optional
        Threads; the answer does not depend on it.

    Returns
    -------
    SelectionPath

    Raises
    ------
    DataError
        Bad data; all columns constant.
    ParameterError
        More features than there are, ``n_best < 1``, unknown names, ...

    References
    ----------
    Wild, Wodaczek, Del Tatto, Cheng, Laio, Nature Communications 16, 270 (2025).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.imbalance import dii_forward
    >>> x = np.random.default_rng(0).normal(size=(200, 5))
    >>> path = dii_forward(x, x[:, [1, 3]] * [1.0, 0.5], 3)
    >>> path.sets[1], path.suggested_size
    ((1, 3), 2)
    """
    return _soft("dii_forward", "forward", X, target, max_features, n_best, **options)


def dii_backward(X, target, max_features: int | None = None, n_best: int = 5, **options) -> SelectionPath:
    """Remove features one by one from all of them, with the weights the DII asks for.

    Candidates are judged by one evaluation at the weights that remain, and the best (two for every set kept, at least
    six) are optimised from there.  A feature whose weight is zero leaves at no cost.

    Parameters
    ----------
    X, target, n_best, **options
        As for `dii_forward`.
    max_features : int, optional
        The largest size reported; all by default.

    Returns
    -------
    SelectionPath

    Raises
    ------
    DataError, ParameterError
        As for `dii_forward`.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.imbalance import dii_backward
    >>> x = np.random.default_rng(0).normal(size=(200, 4))
    >>> dii_backward(x, x[:, [1, 3]] * [1.0, 0.5], n_best=1).sets[1]
    (1, 3)
    """
    return _soft("dii_backward", "backward", X, target, max_features, n_best, **options)


def dii_exhaustive(
    X, target, size: int = 2, *, refine: int | None = 50, max_sets: int = MAX_SETS, **options
) -> SelectionPath:
    """Look at all sets up to a size: features that tell something only together are found.

    Every set is judged by one evaluation at equal weights; the best of each size are optimised.

    Parameters
    ----------
    X, target, **options
        As for `dii_forward`.
    size : int
        The largest size.
    refine : int, optional
        Sets of each size whose weights are optimised; None for all.
    max_sets : int
        More sets than this are refused.

    Returns
    -------
    SelectionPath

    Raises
    ------
    DataError, ParameterError
        As for `dii_forward`; more than `max_sets` sets.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.imbalance import dii_exhaustive
    >>> x = np.random.default_rng(0).normal(size=(300, 5))
    >>> dii_exhaustive(x, x[:, [1]] * x[:, [3]]).sets[1]         # neither tells much alone
    (1, 3)
    """
    refine = max_sets if refine is None else check_positive_int(refine, "refine", 1)
    return _soft("dii_exhaustive", "exhaustive", X, target, size, 1, refine=refine, max_sets=max_sets, **options)


def dii_path(X, target, alphas=None, refit: bool = True, **options) -> SelectionPath:
    """Sets of features from a growing penalty on the weights: minimise ``DII + alpha |w|_1/|w|_2``.

    The path starts without penalty and every step from the weights before.  Of every number of weights that are not
    zero the lowest DII is kept, after the weights were fitted again without the penalty, which shrinks them.  A size
    that the path jumps over is filled by the next larger set without the feature it misses least.  Below 20 features
    this set also replaces that of the path where it does better, because a feature that the penalty drops does not come
    back; and of one feature all are looked at.

    Parameters
    ----------
    X, target, **options
        As for `dii_forward`.
    alphas : sequence of float, optional
        Penalties; by default they grow by factors of four from 1e-4 until one feature is left.
    refit : bool
        Whether weights are fitted again without penalty; without it there are only the sets of the path.

    Returns
    -------
    SelectionPath
        With `alphas`, `alpha_weights` and `alpha_value`.

    Raises
    ------
    DataError, ParameterError
        As for `dii_forward`; penalties that are negative or not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.imbalance import dii_path
    >>> x = np.random.default_rng(0).normal(size=(200, 4))
    >>> dii_path(x, x[:, [1, 3]] * [1.0, 0.5]).suggested
    ('column 1', 'column 3')
    """
    return _soft("dii_path", "l1", X, target, None, 1, alphas=check_alphas(alphas), refit=bool(refit), **options)


def select_features_imbalance(
    X,
    target,
    method: str = "forward",
    k: int | None = None,
    direction: str = "to_target",
    n_best: int = 5,
    n_rows: int | None = None,
    *,
    max_features: int | None = None,
    scale: str | None = "standard",
    neighbor_rule: str | None = None,
    cap: float | None = None,
    max_sets: int = MAX_SETS,
    random_state=None,
    on_starved: str = "raise",
    max_table_bytes: int | None = 2**31,
    checkpoint: str | PathLike[str] | None = None,
    **options,
) -> SelectionPath:
    """Sets of features by the plain Information Imbalance, all weights one.

    The squared distances of a set grow column by column, so a candidate costs N^2 whatever its size; ranks in the
    target are looked up in one table.

    Parameters
    ----------
    X, target, n_best
        As for `dii_forward`.
    method : {"forward", "backward", "exhaustive"}
        How sets are walked through.
    k, neighbor_rule, cap, n_rows, on_starved : optional
        As for `information_imbalance`.
    direction : {"to_target", "from_target", "both"}
        What is minimised: from the set to the target, back, or the mean of both.
    max_features : int, optional
        The largest size; 10 by default, 2 for "exhaustive", all for "backward".
    scale : {"standard", None}
        Whether columns are divided by their standard deviations; None takes them as they are, with the weights of
        their Space.
    max_sets : int
        An exhaustive search of more sets is refused.
    random_state : int or Generator, optional
        Draws rows.
    max_table_bytes : int, optional
        Largest rank table.
    checkpoint : path-like, optional
        As for `dii_forward`.
    **options
        groups, among, validation, exclusion_window, neighbors_from, run_weight, on_low_weight, standard_error,
        target_kind, n_jobs:
        as for `dii_forward`.

    Returns
    -------
    SelectionPath

    Raises
    ------
    DataError, ParameterError
        As for `dii_forward` and `information_imbalance`.

    References
    ----------
    Glielmo, Zeni, Cheng, Csanyi, Laio, PNAS Nexus 1, pgac039 (2022).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.imbalance import select_features_imbalance
    >>> x = np.random.default_rng(0).normal(size=(300, 5))
    >>> select_features_imbalance(x, x[:, [1, 3]], max_features=2).sets[1]
    (1, 3)
    """
    check_choice(method, "method", tuple(WALKS))
    check_choice(direction, "direction", DIRECTIONS)
    if scale not in ("standard", None):
        raise ParameterError(f"scale is {scale!r}; it must be 'standard' or None")
    generator = check_random_state(random_state)
    task, plan = make_task(
        "select_features_imbalance", method, X, target, max_features, n_best, generator=generator, **options
    )
    if method == "exhaustive":
        check_affordable(len(task.names), task.largest, max_sets)
    k, rule = settle_neighbors(plan, k, neighbor_rule, cap=cap)
    aim = Aim(k, rule, direction, query_rows(plan, k, n_rows, generator, on_starved), cap, max_table_bytes)

    def search(part, units, bar):
        rows = aim.rows if part is plan else query_rows(part, k, n_rows, generator, on_starved)
        standard = standardise(part.spaces[0])
        if scale is None:
            standard = Standardised(part.spaces[0], np.ones(len(units)), np.arange(len(units)))
        return PlainSearch(part, standard, units, aim._replace(rows=rows), bar)

    def elsewhere(part, rows, weights):
        return directions_of(part, part.spaces[0].replace(feature_weights=weights), aim._replace(rows=rows))

    parameters = dict(method=method, k=k, direction=direction, n_rows=n_rows, scale=scale, neighbor_rule=rule, cap=cap)
    return run_task(
        task,
        plan,
        search,
        _walk(method, task),
        elsewhere,
        generator,
        measure="Δ",
        k=k,
        parameters=parameters,
        random_state=random_state,
        rows=aim.rows,
        checkpoint=checkpoint,
    )


# --------------------------------------------------------------------------------------------------------------- steps
def _soft(
    function: str,
    method: str,
    X,
    target,
    largest,
    n_best,
    *,
    k: int | None = None,
    bandwidth: str = "point",
    lambda_factor: float = 0.1,
    kernel_power: int = 2,
    max_iter: int = 200,
    tol: float = 1e-7,
    precision: str = "float64",
    max_table_bytes: int | None = 2**31,
    random_state=None,
    refine: int | None = None,
    max_sets: int = MAX_SETS,
    alphas=None,
    refit: bool = True,
    checkpoint: str | PathLike[str] | None = None,
    **options,
):
    """What the four searches with weights share."""
    check_choice(precision, "precision", ("float64", "float32"))
    generator = check_random_state(random_state)
    task, plan = make_task(function, method, X, target, largest, n_best, generator=generator, **options)
    n = len(plan.spaces[0])
    k = default_k(n) if k is None else check_positive_int(k, "k", 1, n - 2)
    kernel = Bandwidth(bandwidth, k, lambda_factor, kernel_power)
    if method == "exhaustive":
        check_affordable(len(task.names), task.largest, max_sets)
    settings = Settings(kernel, task.n_best, refine, max_iter, tol, np.dtype(precision).type, max_table_bytes)
    query_rows(plan, k, None, generator)  # says which rows find fewer than k

    def search(part, units, bar):
        return SoftSearch(part, units, settings, bar)

    def elsewhere(part, rows, weights):
        return [soft_value_elsewhere(part, rows, weights, settings)]

    def walk_path(scorer):
        found, steps = penalty_path(scorer, alphas, refit)
        return found, steps

    parameters = dict(
        k=k,
        bandwidth=bandwidth,
        lambda_factor=lambda_factor,
        kernel_power=kernel_power,
        max_iter=max_iter,
        tol=tol,
        precision=precision,
    )
    if method == "exhaustive":
        parameters |= dict(refine=refine)
    if method == "l1":
        parameters |= dict(alphas=None if alphas is None else alphas.tolist(), refit=refit)
    walk = walk_path if method == "l1" else _walk(method, task)
    named = (
        f"{bandwidth}, {'d' if kernel_power == 1 else 'd²'}, {lambda_factor:g}"
        if bandwidth != "gap"
        else f"gap, {'d' if kernel_power == 1 else 'd²'}"
    )
    return run_task(
        task,
        plan,
        search,
        walk,
        elsewhere,
        generator,
        measure="DII",
        k=k,
        bandwidth=named,
        parameters=parameters,
        random_state=random_state,
        checkpoint=checkpoint,
    )


def _walk(method: str, task: Task) -> Callable[[Any], tuple[list, list]]:
    def walk(scorer):
        return WALKS[method](scorer, min(task.largest, scorer.n_units), task.n_best), []

    return walk
