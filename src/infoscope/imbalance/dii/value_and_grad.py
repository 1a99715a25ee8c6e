"""Value and gradient of the Differentiable Information Imbalance at given weights: nothing is fitted."""

from __future__ import annotations

import numpy as np

from infoscope.base import DataError, ParameterError
from infoscope.base.checks import check_choice, check_positive_int, check_vector
from infoscope.imbalance.plan import same_items
from infoscope.imbalance.rank_table import LIMIT_BYTES, RankTable, rank_table
from infoscope.neighbors import Admissibility, Space, admissible_mass, as_space, hand_over, target_space, to_numpy

from .objective import Objective, default_k
from .softmax import Bandwidth

PRECISIONS = {"float64": np.float64, "float32": np.float32}


def dii_value_and_grad(
    X,
    target,
    weights,
    *,
    k: int,
    bandwidth: str = "point",
    lambda_factor: float = 0.1,
    kernel_power: int = 2,
    period=None,
    groups=None,
    perplexity: float | None = None,
    exclusion_window: float = 0.0,
    neighbors_from: str = "any",
    target_kind: str = "auto",
    sample_weight=None,
    time=None,
    run=None,
    precision: str = "float64",
    max_table_bytes: int | None = LIMIT_BYTES,
    n_jobs: int | None = None,
) -> tuple[float, np.ndarray]:
    """Differentiable Information Imbalance at given weights, and its exact derivative by them.

    Distances are ``d^2 = sum_a (w_a delta_a)^2`` of the columns as they are: nothing is standardised.

    Parameters
    ----------
    X : Space, array (N, D) or frame
        The columns that are weighed.
    target : Space, array, frame, labels, distances, or RankTable
        What the neighbours should be near in.  A `infoscope.imbalance.rank_table.RankTable` saves ranking it anew.
    weights : array (D,) or (G,)
        One a column, or one a group in the order in which the groups appear; >= 0, not all zero.
    k : int
        Neighbours that set the bandwidth, for "point" and "global".
    bandwidth : {"point", "global", "gap", "fixed", "perplexity"}
        lambda_i is `lambda_factor` times the k-th neighbour's distance (to the power `kernel_power`); its mean over
        rows; from the gaps between first and second neighbour; `lambda_factor` itself, in squared units of w x for
        ``kernel_power=2``; or such that `perplexity` neighbours count.
    lambda_factor, kernel_power, perplexity : optional
        See above; ``kernel_power`` is 1 or 2.
    period : float, sequence or dict, optional
        Periods of the columns, in their units, before they are weighed.
    groups : sequence, optional
        One label a column: columns with the same label share a weight.
    exclusion_window, neighbors_from : optional
        Rows of the same run within this time are no neighbours; "any" or "other_runs".
    target_kind : {"auto", "features", "labels", "distances"}
        What `target` is.
    sample_weight, time, run : array (N,), optional
        Of the rows, where X is not a `Space` that carries them.
    precision : {"float64", "float32"}
        Of the tiles; ranks are exact and sums are float64 in any case.
    max_table_bytes : int or None
        Limit of the rank table.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    value : float
        DII: 0 is all of the information, 1 none; noise may lift it above 1.
    gradient : array, shape of `weights`
        2 w S (formula (14)); 0 where a weight is 0, whatever the slope S by the squared weight.

    Raises
    ------
    DataError
        NaN (with row and column), different items, too few rows.
    ParameterError
        Negative or all-zero weights, wrong shapes, k larger than what a row may choose from.

    References
    ----------
    Wild, Wodaczek, Del Tatto, Cheng, Laio, Nature Communications 16, 270 (2025).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope import dii_value_and_grad
    >>> x = np.random.default_rng(0).normal(size=(200, 2))
    >>> value, gradient = dii_value_and_grad(x, x * [1.0, 0.3], [1.0, 0.3], k=3)
    >>> value < 0.02, abs(float(gradient @ [1.0, 0.3])) < 1e-12            # only the direction of the weights matters
    (True, True)
    """
    space = source_space(X, period=period, sample_weight=sample_weight, time=time, run=run)
    admissibility = Admissibility(exclusion_window, neighbors_from)
    if isinstance(target, RankTable):
        if target.values.shape != (len(space), len(space)):
            raise DataError(
                f"the rank table has shape {target.values.shape}, X has {len(space)} rows: both must "
                "describe the same items"
            )
        table = target
    else:
        space, goal = same_items([space, target_space(target, target_kind)[0]])
        table = rank_table(goal, n_jobs=n_jobs, limit_bytes=max_table_bytes, admissibility=admissibility)
    check_admissible(space, k, admissibility)
    made = Objective(
        centred(space),
        table,
        group_numbers(groups, space.n_features),
        make_bandwidth(bandwidth, k, lambda_factor, perplexity, kernel_power),
        admissibility,
        None,
        PRECISIONS[check_choice(precision, "precision", tuple(PRECISIONS))],
        n_jobs,
    )
    w = check_weights(weights, made.n_weights)
    value, slopes = made(w)
    return value, 2 * w * slopes


# ---------------------------------------------------------------------------------------- reading what the user brought
def source_space(X, *, period=None, sample_weight=None, time=None, run=None, name: str = "X") -> Space:
    """X as a Space that carries what was given about its rows."""
    about = {what: v for what, v in dict(sample_weight=sample_weight, time=time, run=run).items() if v is not None}
    if not isinstance(X, Space):
        return as_space(X, period=period, name=name, **about)
    space = as_space(X, period=period, name=name)
    for what in about:
        if getattr(space, what) is not None:
            raise ParameterError(f"{what} given together with a Space that carries its own: leave out one of the two")
    return space.replace(**about) if about else space


def centred(space: Space) -> Space:
    """The columns about their medians, which costs no accuracy; periodic ones as they are."""
    if space.metric != "euclidean":
        raise ParameterError(
            f"{space.name or 'X'} has metric {space.metric!r}: weights belong to the features of a Euclidean space"
        )
    values = to_numpy(space.features).astype(np.float64)
    centre = np.where(space.period > 0, 0.0, np.median(values, axis=0))
    return Space(
        hand_over(values - centre),
        period=space.period if space.period.any() else None,
        period_check=False,
        feature_names=space.feature_names,
        name=space.name,
        **space.about_items(ids=False),
    )


def group_numbers(groups, d: int) -> np.ndarray:
    """Number of the group of every column, in the order in which the groups appear."""
    if groups is None:
        return np.arange(d)
    labels = np.asarray(groups)
    if labels.shape != (d,):
        raise ParameterError(f"groups has shape {labels.shape}; one label for each of the {d} columns is needed")
    _, first, numbers = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[numbers]


def check_weights(weights, n: int, name: str = "weights") -> np.ndarray:
    """Weights >= 0, not all zero, of the length wanted."""
    try:
        w = check_vector(weights, name).astype(np.float64)
    except DataError as error:
        raise ParameterError(str(error)) from None
    if w.shape != (n,):
        raise ParameterError(f"{name} has {len(w)} entries; {n} are needed, one for each column or group of columns")
    if (w < 0).any():
        at = int(np.argmax(w < 0))
        raise ParameterError(f"{name}[{at}] is negative ({w[at]:g}): weights multiply differences and must be >= 0")
    if not w.any():
        raise ParameterError(f"{name} are all zero: there are no distances to compare; make at least one positive")
    return w


def make_bandwidth(kind, k, factor, perplexity, power) -> Bandwidth:
    """The bandwidth of these parameters; the perplexity is as many neighbours as k where it is not given."""
    if kind != "perplexity":
        if perplexity is not None:
            raise ParameterError(f"perplexity goes with bandwidth='perplexity', not {kind!r}")
        return Bandwidth(kind, k, factor, power)
    return Bandwidth(kind, k, max(float(k), 2.0) if perplexity is None else perplexity, power)


def check_admissible(space: Space, k, admissibility: Admissibility) -> None:
    """Every row must have at least k items to choose from."""
    if len(space) < 3:
        raise DataError(f"{len(space)} items: an imbalance needs at least 3")
    k = check_positive_int(k, "k", 1)
    m, _, _ = admissible_mass(space, admissibility=admissibility)
    row = int(np.argmin(m))
    if k > m[row]:
        where = "" if space.run is None else f" of run {space.run_names[space.run[row]]!r}"
        raise ParameterError(
            f"k={k}, but row {row}{where} has only {int(m[row])} items to choose from: take a smaller "
            "k or exclusion_window, or more rows"
        )


def settled_k(k, n: int) -> int:
    """k as given, or one neighbour in a hundred items."""
    return default_k(n) if k is None else check_positive_int(k, "k", 1)
