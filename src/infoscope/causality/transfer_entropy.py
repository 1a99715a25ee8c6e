"""Transfer entropy of measured series: from counts, from covariances, from nearest neighbours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from infoscope.base import DataError, ParameterError, progress, provenance
from infoscope.base.checks import check_choice, check_positive_int, check_random_state
from infoscope.base.rounding import SAME
from infoscope.measures import conditional_mutual_information
from infoscope.neighbors import Space, to_numpy
from infoscope.statistics import check_n_permutations

from .embedding import embed
from .gain_null import settle_null
from .gain_sample import GainSample, check_variation, series_sample
from .joint_laws import unit_factor
from .results import SIGNIFICANT, TransferEntropy
from .steps import series_space

WAY = ("", "_se", "_p", "_null", "_detection_limit")  # of one direction, in the names of the result
METHODS = ("knn", "gaussian", "discrete")
MANY_VALUES = 0.1  # values a row from which counts tell little


class Columns(NamedTuple):
    """What one direction and one lag is about, one row a moment."""

    x: np.ndarray  # (N, .) source now
    later: np.ndarray  # target later
    known: np.ndarray  # target now, and what else is known
    periods: tuple[np.ndarray, np.ndarray, np.ndarray]


Estimate = tuple[float, float]  # nats, and the standard error
Estimator = Callable[[Columns, Space, bool], Estimate]


def transfer_entropy(
    source: Any,
    target: Any,
    lag: Any,
    *,
    condition: Any = None,
    method: str = "knn",
    k: int = 5,
    history: tuple[int, int] = (1, 1),
    n_samples: int | None = None,
    se: bool = True,
    n_permutations: int = 0,
    null: str = "auto",
    unit: str = "nats",
    exclusion_window: float | str | None = None,
    random_state: Any = 0,
    n_jobs: int | None = None,
) -> TransferEntropy:
    """Transfer entropy ``I(X(0); Y(lag) | Y(0))`` between two measured series, in both directions.

    Parameters
    ----------
    source, target : array (T,) or (T, D), frame, Space, or list of runs
        Two series of the same system.  A lag never crosses runs.
    lag : int or sequence of int
        Steps ahead.
    condition : array, Space, or list of them, optional
        What else is known of the present.
    method : {"knn", "gaussian", "discrete"}
        "knn": distances to neighbours, for numbers of any law, repeated values included; "gaussian": covariances, which
        see linear relations only (half the Granger causality); "discrete": counts of states, less their bias to first
        order.
    k : int
        "knn": neighbours.
    history : (int, int)
        Rows of the source and of the target that count as their present.
    n_samples : int, optional
        Rows that are used, evenly spaced: for "knn" at most 2500 by default, for the others all.
    se : bool
        Whether standard errors are computed; for "knn" they are most of the work.
    n_permutations : int
        Rearranged sources for p-values; 0 for none.
    null : {"auto", "shift", "block", "permute", "local"}
        How they are rearranged, as for `imbalance_gain`.
    unit : {"nats", "bits"}
    exclusion_window : float, "auto" or None
        "knn": rows of a run within this time are no neighbours; two correlation times by default.
    random_state : int or Generator
        Of rearrangements, and of the parts from which the error of "knn" comes.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    TransferEntropy
        Estimates may be negative: nothing is cut at zero, which would make them too large on average.

    Raises
    ------
    DataError
        NaN, different lengths, unequal steps of time, a constant target, a singular covariance.
    ParameterError
        Unknown method, k too large.

    References
    ----------
    Schreiber (2000), Phys. Rev. Lett. 85, 461.  Frenzel, Pompe (2007), Phys. Rev. Lett. 99, 204101: "knn".  Barnett,
    Barrett, Seth (2009), Phys. Rev. Lett. 103, 238701: "gaussian".  Miller (1955) in Quastler (ed.), Information Theory
    in Psychology, 95: the bias of counts.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.causality import transfer_entropy
    >>> x = np.random.default_rng(0).integers(0, 2, 2000)
    >>> found = transfer_entropy(x, np.roll(x, 1), 1, method="discrete", unit="bits")     # y repeats x a step later
    >>> found.forward.round(2), bool(abs(found.backward[0]) < 0.01)
    (array([1.]), True)
    """
    check_choice(method, "method", METHODS)
    factor = unit_factor(unit)
    if len(history) != 2:
        raise ParameterError(f"history is {history!r}: give the number of rows for source and target")
    sizes = [check_positive_int(rows, "history") for rows in history]
    series = [series_space(data, name) for data, name in ((source, "source"), (target, "target"))]
    widths = [space.n_features for space in series]
    past: list[Any] = series
    if max(sizes) > 1:  # rows are matched by their times then
        past = [embed(one, rows) for one, rows in zip(series, sizes, strict=True)]
        several = condition if isinstance(condition, (list, tuple)) else [condition]
        condition = None if condition is None else [embed(block, 1) for block in several]
    n_samples = n_samples if method == "knn" or n_samples is not None else 2**31
    sample = series_sample(
        past[0], past[1], lag, condition, n_samples=n_samples, exclusion_window=exclusion_window, n_jobs=n_jobs
    )
    check_variation(sample, sample.futures)
    if n_permutations:
        check_n_permutations(n_permutations)
    seeds = check_random_state(random_state).integers(0, 2**31, 2)
    estimator = _estimator(method, sample, check_positive_int(k, "k"), int(seeds[0]), n_jobs)
    ways = [
        _one_way(one, width, estimator, se, n_permutations, null, int(seeds[1]))
        for one, width in ((sample, widths[1]), (sample.turned(), widths[0]))
    ]
    values: dict[str, Any] = {
        f"{name}{what}": None if found is None else found * scale
        for name, way in zip(("forward", "backward"), ways, strict=True)
        for what, found, scale in zip(WAY, way, (factor, factor, 1.0, factor, factor), strict=True)
    }
    if not se:
        values |= dict(forward_se=None, backward_se=None)
    return TransferEntropy(
        source=str(series[0].name),
        target=str(series[1].name),
        lags=sample.lags,
        method=method,
        condition=", ".join(str(space.name) for space in sample.conditions) or None,
        unit=unit,
        n_samples=len(sample.source),
        warnings=tuple(sample.plan.fields()["warnings"]),
        notes=tuple(sample.plan.fields()["notes"]),
        provenance=provenance(
            "transfer_entropy",
            dict(
                lag=lag, method=method, k=k, history=sizes, se=se, n_permutations=n_permutations, null=null, unit=unit
            ),
            random_state,
            *(part for space in sample.plan.spaces for part in (space.hashed, space.time, space.run)),
        ),
        **values,
    )


# --------------------------------------------------------------------------------------------------------------- steps
def _one_way(
    sample: GainSample, width: int, estimator: Estimator, errors: bool, n_permutations: int, null: str, seed: int
) -> tuple[np.ndarray | None, ...]:
    """Values, errors, p-values, surrogates and what would not have been noticed (`WAY`) at every lag, in nats."""
    lagged = [_columns(sample, future, width) for future in sample.futures]
    rows = sample.source
    value, se = np.array([estimator(columns, rows, errors) for columns in lagged]).T
    if not n_permutations:
        return value, se, None, None, None
    how = settle_null(sample, null)
    sample.plan.note(*how.note(n_permutations))
    drawn = np.empty((len(lagged), n_permutations))
    children = np.random.SeedSequence(seed).spawn(n_permutations)
    with progress(n_permutations, "rearranged sources", "draws") as bar:
        for at, child in enumerate(children):
            shuffle = how.shuffle(np.random.default_rng(child))
            for number, columns in enumerate(lagged):
                drawn[number, at] = estimator(columns._replace(x=columns.x[shuffle]), rows, False)[0]
            bar.update(1)
    p = np.array([how.p_value(one, some, size=1.0) for one, some in zip(value, drawn, strict=True)])
    limits = np.array([how.detection_limit(some, SIGNIFICANT / len(lagged)) for some in drawn])
    return value, se, p, drawn, limits


def _columns(sample: GainSample, future: Space, width: int) -> Columns:
    """Of delay vectors, the future is the newest row alone."""
    known = [sample.target, *sample.conditions]
    return Columns(
        np.asarray(to_numpy(sample.source.features), np.float64),
        np.asarray(to_numpy(future.features), np.float64)[:, :width],
        np.concatenate([np.asarray(to_numpy(space.features), np.float64) for space in known], axis=1),
        (sample.source.period, future.period[:width], np.concatenate([space.period for space in known])),
    )


def _estimator(method: str, sample: GainSample, k: int, seed: int, n_jobs: int | None) -> Estimator:
    blocks = sample.plan.blocks
    if method == "knn":
        window = sample.plan.exclusion_window

        def by_neighbors(columns: Columns, rows: Space, error: bool) -> Estimate:
            about: dict[str, Any] = dict(time=rows.time, run=rows.run)
            spaces = [
                Space(values, metric="chebyshev", period=period, period_check=False, **about)
                for values, period in zip(columns[:3], columns.periods, strict=True)
            ]
            plain = not any(period.any() for period in columns.periods)
            found = conditional_mutual_information(
                *spaces,
                k=k,
                marginals="rank-normal" if plain else None,
                se=error,
                exclusion_window=window,
                neighbors_from=sample.plan.neighbors_from,
                random_state=seed,
                n_jobs=n_jobs,
            )
            return found.value, found.value_se

        return by_neighbors
    local = _gaussian_terms if method == "gaussian" else _counted_terms

    def by_terms(columns: Columns, rows: Space, error: bool) -> Estimate:
        terms, bias = local(columns)
        return float(terms.mean()) - bias, _mean_error(terms, blocks) if error else np.nan

    return by_terms


def _mean_error(terms: np.ndarray, blocks: np.ndarray | None) -> float:
    """Error of a plug-in value: each row moves it by its own term, to first order; rows of a block move together."""
    apart = terms - terms.mean()
    if blocks is None:
        return float(np.sqrt((apart**2).mean() / len(terms)))
    sums = np.bincount(blocks, apart)
    return float(np.sqrt((sums**2).sum() * len(sums) / max(len(sums) - 1, 1)) / len(terms))


def _gaussian_terms(columns: Columns) -> tuple[np.ndarray, float]:
    """log p(later | known, x) - log p(later | known) of every row, with covariances of the sample."""
    if any(period.any() for period in columns.periods):
        raise ParameterError("method='gaussian' takes no periodic columns: give their cosine and sine, or take 'knn'")
    n = len(columns.x)
    terms = np.zeros(n)
    for sign, given in ((1, np.hstack([columns.known, columns.x])), (-1, columns.known)):
        design = np.column_stack([np.ones(n), given])
        coefficients, _, rank, _ = np.linalg.lstsq(design, columns.later, rcond=None)
        left = columns.later - design @ coefficients
        covariance = left.T @ left / n
        determinant, logarithm = np.linalg.slogdet(covariance)
        if determinant <= 0 or rank < design.shape[1]:
            raise DataError(
                "the covariance is singular: a column is a linear function of others (or of its own past): leave it out"
            )
        squares = (left * np.linalg.solve(covariance, left.T).T).sum(1)
        terms += sign * -(logarithm + squares) / 2
    return terms, 0.0


def _counted_terms(columns: Columns) -> tuple[np.ndarray, float]:
    """log n(x, y', y) n(y) / (n(x, y) n(y', y)) of every row, and the bias of their mean (Miller 1955)."""
    codes = [_codes(values) for values in columns[:3]]
    x, later, known = codes
    terms, cells = np.zeros(len(x)), 0
    for sign, parts in ((1, (x, later, known)), (1, (known,)), (-1, (x, known)), (-1, (later, known))):
        code = _codes(np.column_stack(parts))
        counts = np.bincount(code)
        terms += sign * np.log(counts[code])
        cells += sign * len(counts)
    terms[np.abs(terms) <= SAME * np.log(len(x) + 1)] = 0.0  # what cancels but for rounding
    if len(np.unique(_codes(np.column_stack(codes)))) > MANY_VALUES * len(x) and len(np.unique(x)) > 50:
        raise DataError(
            "nearly every row is a state of its own, so counts tell nothing: take method='knn', or fewer states"
        )
    return terms, cells / (2 * len(x))


def _codes(values: np.ndarray) -> np.ndarray:
    return np.unique(values, axis=0, return_inverse=True)[1].reshape(-1)
