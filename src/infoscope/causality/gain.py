"""Imbalance Gain: does the present of one system help to foretell the future of another?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from infoscope.base import ParameterError, progress, provenance
from infoscope.base.checks import check_positive_int, check_random_state
from infoscope.neighbors import Space, admissible_mass, nearest
from infoscope.statistics import Null, adjust_p_values, check_n_permutations, level_of_one

from .gain_null import settle_null
from .gain_results import SIGNIFICANT, ImbalanceGain, LagScan
from .gain_sample import GainSample, check_variation, given_sample, series_sample, typical_square
from .gain_search import Gains, Mixtures, condition_weights, default_alphas, search_gains

FEWEST_NEIGHBORS, NEIGHBOR_SHARE = 5, 0.002


def imbalance_gain(
    source: Any,
    target: Any,
    *,
    lag: int | None = None,
    future: Any = None,
    condition: Any = None,
    k: int | None = None,
    alphas: Any = None,
    n_samples: int | None = None,
    n_permutations: int = 99,
    null: str = "auto",
    exclusion_window: float | str | None = None,
    standard_error: str = "auto",
    allow_negative: bool = False,
    random_state: Any = 0,
    n_jobs: int | None = None,
) -> ImbalanceGain:
    """How much better is the future of the target predicted with the source than without?

    With ``D(alpha)`` the Information Imbalance from ``(alpha X(0), Y(0))`` to ``Y(lag)``, the gain is
    ``(D(0) - min D(alpha)) / D(0)``: 0 when X tells nothing beyond Y, near 1 when it tells all.

    Parameters
    ----------
    source, target : Space, array (N, D) or (N,), frame, or list of runs
        X and Y: two series of the same system, or their present in N items.  Scale columns of different units first;
        metric, periods, time and runs belong to a `Space`.  `embed` makes delay vectors of them.
    lag : int, optional
        Steps ahead.  Give it for series, where the future of Y is to be found in Y itself; a lag never crosses runs.
    future : Space or array (N, D), optional
        Give it instead of `lag` where X and Y are the presents of N items: the target later.
    condition : Space, array, or list of them, optional
        What else is known of the present; every block gets a weight of its own.
    k : int, optional
        Neighbours; one in 500 rows by default, at least 5.
    alphas : array (A,), optional
        Multipliers of the distances of X that are tried; 33 by default, from 0 to 32 times what makes X and Y alike in
        size.
    n_samples : int, optional
        Rows of the series that are used, evenly spaced; at most 2500 by default.
    n_permutations : int
        Rearranged sources for the p-value; 0 for none.
    null : {"auto", "shift", "block", "permute", "local"}
        How they are rearranged: shifted circularly inside runs by more than the window; in whole blocks; row by row;
        among neighbours in the present of Y, which keeps what X and Y share there.  "auto": "shift" for series (blocks
        where runs are too short for it), else "local".
    exclusion_window : float, "auto" or None
        Rows of a run within this time are no neighbours.  None means "auto" (two correlation times) for series, else 0.
    standard_error : {"auto", "graph", "blocks", "rows"}
        Formula of the errors, as in `infoscope.imbalance.information_imbalance`.
    allow_negative : bool
        Whether lags may be negative: the arrow of time.
    random_state : int or Generator
        Of rearrangements, and of the order of items tied in distance.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    ImbalanceGain
        The gain with its error and p-value, the cross-fitted gain, and D(alpha).

    Raises
    ------
    DataError
        NaN, different lengths, unequal steps of time, a constant target, weights.
    ParameterError
        Neither or both of `lag` and `future`, k too large, negative alphas.

    References
    ----------
    Del Tatto, Fortunato, Bueti, Laio (2024), PNAS 121, e2317256121: the gain.  Runge (2018), PMLR 84, 938: the local
    null.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.causality import imbalance_gain
    >>> g = np.random.default_rng(0)
    >>> x, y = g.normal(size=(2, 400))
    >>> for t in range(399):
    ...     y[t + 1] = 0.5 * y[t] + 0.6 * (x[t] ** 2 - 1) + 0.3 * g.normal()        # no linear test sees it
    >>> forth = imbalance_gain(x, y, lag=1, n_permutations=19)
    >>> back = imbalance_gain(y, x, lag=1, n_permutations=19)
    >>> round(forth.gain, 1), forth.p_value, back.p_value > 0.05
    (0.5, 0.05, True)
    """
    options: dict[str, Any] = dict(exclusion_window=exclusion_window, standard_error=standard_error, n_jobs=n_jobs)
    if (lag is None) == (future is None):
        raise ParameterError(
            "give lag= for two series, or future= for the present and future of N items, one of the two"
        )
    if lag is not None:
        sample = series_sample(
            source, target, [lag], condition, n_samples=n_samples, allow_negative=allow_negative, **options
        )
    else:
        if n_samples is not None:
            raise ParameterError("n_samples takes rows of a series; with future= all rows given are used")
        sample = given_sample(source, target, future, condition, **options)
    settings = _settle(sample, k, n_permutations, random_state)
    with sample.plan.looking_at_order():
        _look_at_order(sample)
        way = _one_way(sample, sample.futures, alphas, null, settings)
    gains = way.gains
    return ImbalanceGain(
        source=str(sample.source.name),
        target=str(sample.target.name),
        condition=tuple(str(space.name) for space in sample.conditions),
        lag=float(sample.lags[0]) if lag is not None else 0.0,
        gain=float(gains.gain[0]),
        gain_se=float(gains.gain_se[0]),
        crossfit=float(gains.crossfit[0]),
        crossfit_se=float(gains.crossfit_se[0]),
        alpha=float(way.alphas[gains.best[0]]),
        alphas=way.alphas,
        delta=gains.delta[0],
        p_value=None if way.p is None else float(way.p[0]),
        null_values=None if way.null is None else way.null[0],
        detection_limit=None if way.how is None or way.null is None else way.how.detection_limit(way.null[0]),
        null_delta=way.null_delta,
        null=way.kind,
        condition_weights=way.condition_weights[0],
        **_about(sample, "imbalance_gain", settings, random_state, lag=lag, alphas=way.alphas, null=way.kind),
    )


def scan_lags(
    source: Any,
    target: Any,
    lags: Any,
    *,
    both: bool = True,
    condition: Any = None,
    k: int | None = None,
    alphas: Any = None,
    n_samples: int | None = None,
    n_permutations: int = 99,
    null: str = "auto",
    adjust: str = "bh",
    exclusion_window: float | str | None = None,
    standard_error: str = "auto",
    allow_negative: bool = False,
    random_state: Any = 0,
    n_jobs: int | None = None,
) -> LagScan:
    """Gains at several lags from the same rows, in both directions: when does which tell about the other?

    The neighbours are found once for all lags; p-values are adjusted for all lags and both directions together, and the
    largest gain over lags is tested by itself.

    Parameters
    ----------
    source, target : Space, array, frame, or list of runs
        As for `imbalance_gain`.
    lags : sequence of int
        Steps ahead.
    both : bool
        Whether the question is asked the other way round as well.
    condition, k, alphas, n_samples, n_permutations, null
        As for `imbalance_gain`; alphas multiply the distances of what is the source in either direction.
    adjust : {"bh", "by", "holm", "bonferroni"}
        How p-values are adjusted.
    exclusion_window, standard_error, allow_negative, random_state, n_jobs
        As for `imbalance_gain`.

    Returns
    -------
    LagScan

    Raises
    ------
    DataError, ParameterError
        As for `imbalance_gain`.

    References
    ----------
    Del Tatto, Fortunato, Bueti, Laio (2024), PNAS 121, e2317256121.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.causality import scan_lags
    >>> g = np.random.default_rng(0)
    >>> x = g.normal(size=600)
    >>> y = np.roll(x, 3) + 0.5 * g.normal(size=600)                     # x comes three steps before y
    >>> scan = scan_lags(x, y, [1, 3, 5], n_permutations=19)
    >>> scan.forward.argmax(), scan.forward_p.tolist()[1], bool(scan.backward_any_p > 0.05)
    (np.int64(1), 0.05, True)
    """
    sample = series_sample(
        source,
        target,
        lags,
        condition,
        n_samples=n_samples,
        allow_negative=allow_negative,
        exclusion_window=exclusion_window,
        standard_error=standard_error,
        n_jobs=n_jobs,
    )
    settings = _settle(sample, k, n_permutations, random_state)
    with sample.plan.looking_at_order():
        _look_at_order(sample)
        ways = [_one_way(sample, sample.futures, alphas, null, settings)]
        if both:
            ways.append(_one_way(sample.turned(), sample.source_futures, alphas, null, settings))
    adjusted: list[np.ndarray | None] = [None, None]
    if ways[0].p is not None:
        together = adjust_p_values(np.array([way.p for way in ways]), adjust)
        adjusted = [*together, None][:2]
    found: dict[str, Any] = {}
    nothing = np.full(len(sample.lags), np.nan)
    for at, name in enumerate(("forward", "backward")):
        way = ways[at] if at < len(ways) else None
        gains = None if way is None else way.gains
        values = [nothing] * 4 if gains is None else [gains.gain, gains.gain_se, gains.crossfit, gains.crossfit_se]
        found |= dict(zip((name, f"{name}_se", f"{name}_crossfit", f"{name}_crossfit_se"), values, strict=True))
        found[f"{name}_alpha"] = nothing if way is None or gains is None else way.alphas[gains.best]
        found[f"{name}_p"] = None if way is None else way.p
        found[f"{name}_p_adjusted"] = adjusted[at]
        found[f"{name}_detection_limit"] = None if way is None else _detection_limits(way, adjust, len(ways))
        found[f"{name}_any_p"] = None if way is None else way.any_p
        found[f"{name}_null"] = None if way is None else way.null
    return LagScan(
        source=str(sample.source.name),
        target=str(sample.target.name),
        condition=tuple(str(space.name) for space in sample.conditions),
        lags=sample.lags,
        target_delta=ways[0].gains.delta[:, 0],
        source_delta=ways[1].gains.delta[:, 0] if both else nothing,
        null=ways[0].kind,
        adjust=adjust,
        step=sample.step,
        **found,
        **_about(sample, "scan_lags", settings, random_state, lags=sample.lags, both=both, null=ways[0].kind),
    )


# --------------------------------------------------------------------------------------------------------------- steps
class Settings(NamedTuple):
    """What both directions and all lags share."""

    k: int
    n_permutations: int
    tie_seed: int
    null_seed: int


class Way(NamedTuple):
    """One direction at every lag."""

    gains: Gains
    alphas: np.ndarray
    condition_weights: list[np.ndarray]
    how: Null | None
    null: np.ndarray | None  # (L, n_permutations)
    null_delta: np.ndarray | None
    p: np.ndarray | None
    any_p: float | None

    @property
    def kind(self) -> str:
        """How sources were rearranged."""
        return "none" if self.how is None else self.how.word


def _detection_limits(way: Way, adjust: str, n_ways: int) -> np.ndarray | None:
    """Gains of a lag by itself up to which neither its adjusted p-value nor that of any lag is 0.05."""
    if way.how is None or way.null is None:
        return None
    of_any = way.how.detection_limit(way.null.max(0), SIGNIFICANT / n_ways)
    level = level_of_one(n_ways * len(way.null), SIGNIFICANT, adjust)
    return np.array([min(of_any, way.how.detection_limit(values, level)) for values in way.null])


def _settle(sample: GainSample, k: int | None, n_permutations: int, random_state: Any) -> Settings:
    n = len(sample.source)
    k = max(FEWEST_NEIGHBORS, round(NEIGHBOR_SHARE * n)) if k is None else check_positive_int(k, "k")
    if k > n - 2:
        raise ParameterError(f"k={k} neighbours asked for, and there are {n} rows: lower k, or give longer series")
    admissible, _, _ = admissible_mass(sample.target, admissibility=sample.plan.admissibility)
    if admissible.min() < k:
        row = int(admissible.argmin())
        raise ParameterError(
            f"k={k} neighbours asked for, but row {row} may use only {admissible[row]} outside its exclusion window of "
            f"{sample.plan.exclusion_window:g}: lower k, shorten the window, or take longer series"
        )
    if n_permutations:
        check_n_permutations(n_permutations)
    seeds = check_random_state(random_state).integers(0, 2**31, 2)
    return Settings(k, int(n_permutations), int(seeds[0]), int(seeds[1]))


def _one_way(sample: GainSample, futures: Sequence[Space], alphas: Any, null: str, settings: Settings) -> Way:
    check_variation(sample, futures)
    plan, target, conditions = sample.plan, sample.target, sample.conditions
    size = typical_square(target)
    scale = float(np.sqrt(size / (typical_square(sample.source) or size)))
    grid = default_alphas(scale) if alphas is None else _check_alphas(alphas)
    scales = np.array([np.sqrt(size / (typical_square(space) or size)) for space in conditions])
    chosen = [
        condition_weights(plan, target, conditions, future, scales, settings.k, settings.tie_seed)
        for future in (futures if conditions else ())
    ] or [np.empty(0)]

    def gains_of(source: Space, errors: bool) -> Gains:
        """Without conditions all lags at once; with them every lag has weights of its own."""
        parts = [
            search_gains(
                plan, source, target, conditions, some, Mixtures.of(grid, gammas), settings.k, settings.tie_seed,
                errors=errors,
            )
            for gammas, some in zip(chosen, [[one] for one in futures] if conditions else [list(futures)], strict=True)
        ]  # fmt: skip
        return Gains(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    found = gains_of(sample.source, True)
    if not settings.n_permutations:
        return Way(found, grid, chosen, None, None, None, None, None)
    how = settle_null(sample, null)
    plan.note(*how.note(settings.n_permutations))
    values, curves = np.empty((len(futures), settings.n_permutations)), []
    seeds = np.random.SeedSequence(settings.null_seed).spawn(settings.n_permutations)
    with progress(settings.n_permutations, "rearranged sources", "draws") as bar:
        for at, seed in enumerate(seeds):
            drawn = gains_of(sample.source.take(how.shuffle(np.random.default_rng(seed))), False)
            values[:, at] = drawn.gain
            curves.append(drawn.delta[0])
            bar.update(1)
    p = np.array([how.p_value(g, drawn, size=1.0) for g, drawn in zip(found.gain, values, strict=True)])
    any_p = how.p_value(float(found.gain.max()), values.max(0), size=1.0)
    return Way(found, grid, chosen, how, values, np.quantile(curves, [0.025, 0.975], axis=0), p, any_p)


def _look_at_order(sample: GainSample) -> None:
    """Where nothing was said about time: do neighbouring rows look alike?"""
    if not sample.plan.silent:
        nearest(sample.target, 1, ties="all", n_jobs=sample.plan.n_jobs)


def _check_alphas(alphas: Any) -> np.ndarray:
    grid = np.unique(np.asarray(alphas, np.float64).ravel())
    if not len(grid) or not np.isfinite(grid).all() or grid[0] < 0:
        raise ParameterError(f"alphas is {alphas!r}: give numbers >= 0, for example numpy.linspace(0, 1, 50)")
    return grid if grid[0] == 0 else np.concatenate([[0.0], grid])


def _about(
    sample: GainSample, function: str, settings: Settings, random_state: Any, **parameters: Any
) -> dict[str, Any]:
    plan = sample.plan
    fields = plan.fields()
    return dict(
        k=settings.k,
        n_samples=len(sample.source),
        exclusion_window=float(plan.exclusion_window),
        warnings=fields["warnings"],
        notes=fields["notes"],
        provenance=provenance(
            function,
            dict(
                k=settings.k,
                n_permutations=settings.n_permutations,
                exclusion_window=plan.exclusion_window,
                standard_error=plan.standard_error,
                **parameters,
            ),
            random_state,
            *(part for s in (*plan.spaces, *sample.futures) for part in (s.hashed, s.time, s.run)),
        ),
    )
