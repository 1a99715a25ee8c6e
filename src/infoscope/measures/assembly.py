"""From an estimate to a result: its error, how it moves with rows and neighbours, the null, and the verdict."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from infoscope.base import DataWarning, ParameterError, one_blas_thread, warn
from infoscope.base.array_types import Floats, Ints
from infoscope.neighbors import clock_of, find_repeated_rows, looking_at_row_order
from infoscope.statistics import Null, check_n_permutations, detection_limit
from infoscope.statistics.correlated_means import TimeWindows, mean_variance, time_windows
from infoscope.statistics.lost_variance import widened_p_value
from infoscope.statistics.units import information_unit

from .compression import FEATURES, FEWEST_COMPRESSED, IDENTITY, component_information
from .estimates import (
    CONDITIONAL,
    Estimate,
    Recipe,
    copula_beside,
    copula_of,
    curve_neighbors,
    estimate,
    halves_of,
    part_order,
    settle_null,
)
from .information_results import Information
from .joint_sample import JointSample
from .lower_bounds import MOST_ROWS, LowerBound, lower_bounds, spread
from .missed_information import missed_information
from .sizes import SizeCurve, size_curve
from .verdict import NeighborCurve, judge

# Rounded normal columns that share nothing (k = 3, 2000 rows) have 0.002 nats where 3 % of the rows are tied at their
# k-th place, 0.01 at 26 %, 0.04 at 44 % and 0.14 at 51 %; by the second algorithm -0.02 at 3 % and -0.18 at 26 %.
TIED = 0.1  # of the rows, from which ties are told
UNDECIDED = 0.05  # from which the second algorithm is refused
CHANCE = 2  # times as many repeats in one space as in all, from which they are those of few values


def assemble(
    sample: JointSample,
    recipe: Recipe,
    *,
    unit: str,
    record: Any,
    se: bool,
    n_permutations: int,
    null: str | Null,
    generator: np.random.Generator,
    **about: Any,
) -> Information:
    """Estimate, and what was asked for beside it.

    Parameters
    ----------
    sample : JointSample
    recipe : Recipe
    unit : {"nats", "bits"}
    record : Provenance
    se : bool
        Whether errors, curves and verdict are wanted.
    n_permutations : int
        Shuffled samples.
    null : str or Null
        How rows of the last space are shuffled; or the word for it, and a function that does it.
    generator : numpy.random.Generator
    **about
        Other fields of the result.

    Returns
    -------
    Information
    """
    check_n_permutations(n_permutations)
    if any(sample.constant):
        return _nothing(sample, recipe, unit, n_permutations, null, se, record, about)
    with looking_at_row_order(not sample.silent) as look:
        found = _measure(sample, recipe, se)
    said = (*look.warnings, *_copies(sample))
    sample = replace(sample, warnings=(*sample.warnings, *said), notes=(*sample.notes, *look.notes))
    result = _result(sample, found, unit, record, correlated_rows=look.correlated, **about)
    refuse_tied_places(found)
    if se:
        with one_blas_thread():  # fifty small parts: threads of BLAS would wait for each other
            result = replace(result, **_curves(sample, found, unit, generator))
    result = replace(result, **_against(sample, found, result.reasons))
    if n_permutations:
        result = replace(result, **_null(sample, found, n_permutations, null, information_unit(unit), generator))
    return result


# --------------------------------------------------------------------------------------------------------------- steps
def refuse_tied_places(found: Estimate) -> None:
    """Raise where the second algorithm has no k-th neighbour to speak of."""
    if found.recipe.estimator == "ksg2" and found.tied_places > UNDECIDED:
        raise ParameterError(f"estimator='ksg2' needs columns without ties, and {_tied(found)}: take 'ksg1' or 'mixed'")


def _tied(found: Estimate) -> str:
    return (
        f"the k-th neighbour of {found.tied_places:.0%} of the rows is as far as the one before it, as in rounded "
        "columns"
    )


def _against(sample: JointSample, found: Estimate, reasons: tuple[str, ...]) -> dict[str, Any]:
    """What speaks against a value whatever its error is: the verdict of parts does not see it."""
    if np.isinf(found.value):
        names = " and ".join(str(space.name) for space in sample.spaces)
        text = (
            f"normal scores of {names} are linear functions of each other, so that what a Gaussian copula shares has "
            "no bound"
        )
        return dict(reliable=False, reasons=(text,))
    as_given = any(
        space.metric != "labels" and done != "rank-normal"
        for space, done in zip(sample.spaces, sample.marginals, strict=True)
    )
    if found.tied_places > TIED and as_given:  # steps of normal scores differ from place to place, and share nothing
        text = (
            f"{_tied(found)}, and ties look like shared information: marginals='rank-normal' for columns on a line, "
            "else add noise as wide as the rounding"
        )
        return dict(reliable=False, reasons=(text, *reasons))
    return {}


def _measure(sample: JointSample, recipe: Recipe, se: bool) -> Estimate:
    """The estimate, and beside a compressed one that without compression."""
    if recipe.compress is not None:
        sample = sample.with_scores()
    found = estimate(sample, recipe, curve_neighbors(sample, recipe.estimator, recipe.k) if se else ())
    if recipe.compress is None:
        return found
    raw = estimate(sample, recipe._replace(compress=None))
    return replace(found, raw=raw.value, tie_fraction=raw.tie_fraction)


def _copies(sample: JointSample) -> tuple[str, ...]:
    """A warning where rows are copies of each other; where values are few, rows are equal by chance, and columns more
    often so than all of them together."""
    repeated = find_repeated_rows(sample.spaces, sample.admissibility)
    numbers = [space for space in sample.spaces if space.metric != "labels"]
    if repeated is None or not repeated.worth_a_warning or not numbers:
        return ()
    alone = [find_repeated_rows(space, sample.admissibility) for space in numbers]
    if any(one is not None and one.n_repeats > CHANCE * repeated.n_repeats for one in alone):
        return ()
    text = f"{repeated}: copies look like shared information, and p-values count them as rows of their own"
    warn(text, DataWarning)
    return (text,)


def _nothing(
    sample: JointSample, recipe: Recipe, unit: str, n: int, null: str | Null, se: bool, record: Any, about: Any
) -> Information:
    """A description that never varies tells nothing: exactly 0."""
    name = next(str(s.name) for s, constant in zip(sample.spaces, sample.constant, strict=True) if constant)
    text = f"{name} never varies, and so tells exactly nothing"
    recipe = recipe._replace(estimator="ksg1") if recipe.estimator == "auto" else recipe
    found = Estimate(0.0, np.empty(0, np.int64), np.empty(0), 0.0, recipe._replace(compress=None))
    result = _result(replace(sample, notes=(*sample.notes, text)), found, unit, record, **about)
    if n:
        word = null if isinstance(null, str) else null.word
        word = "shuffle" if word == "auto" else word
        result = replace(result, p_value=1.0, null_values=np.zeros(n), null=word)
    return replace(result, value_se=0.0, reliable=True) if se else result


def _result(
    sample: JointSample, found: Estimate, unit: str, record: Any, *, correlated_rows: bool = False, **more: Any
) -> Information:
    """The result of an estimate, without what parts and shuffles tell."""
    scale = information_unit(unit)
    many = len(found.k_values) > 1
    series, tried = sample.correlation, found.compressed
    if tried is not None:
        more |= dict(
            raw=None if found.raw is None else found.raw / scale,
            candidates=tried.candidates,
            candidate_values=tried.candidate_values / scale,
            chosen=tried.chosen,
            n_components=tried.n_components if tried.chosen != IDENTITY else None,
        )
    names = more.pop("names", tuple(str(space.name) for space in sample.spaces))
    return Information(
        names=names,
        value=found.value / scale,
        unit=unit,
        estimator=found.recipe.estimator,
        k=found.recipe.k,
        k_values=found.k_values if many else None,
        by_k=found.by_k / scale if many else None,
        tie_fraction=found.tie_fraction,
        n_items=len(sample),
        metrics=tuple(space.metric for space in sample.spaces),
        marginals=sample.marginals,
        exclusion_window=float(sample.admissibility.exclusion_window),
        neighbors_from=sample.admissibility.neighbors_from,
        correlation_time=None if series is None else float(series.tau.value),
        correlated_rows=correlated_rows,
        warnings=tuple(dict.fromkeys(sample.warnings)),
        notes=tuple(dict.fromkeys(sample.notes)),
        provenance=record,
        **more,
    )


def _curves(sample: JointSample, found: Estimate, unit: str, generator: np.random.Generator) -> dict[str, Any]:
    """The standard error, how the value moves with rows and neighbours, and the verdict."""
    scale, recipe, k = information_unit(unit), found.recipe, found.recipe.k
    sample = sample.with_scores()
    order, dealt = part_order(sample, generator)
    curve = size_curve(
        lambda rows: estimate(sample.take(rows), recipe).value,
        order,
        fewest=2 * (k + 1) if recipe.compress is None else FEWEST_COMPRESSED * (k + 1),
        dealt=dealt,
        whole=found.value,
    )
    bounds, along = _bounds(sample, found, generator)
    elsewhere = bounds[0].value if bounds and recipe.compress is None else None
    copula, neighbors = copula_beside(sample), _neighbor_curve(sample, found)
    judged = judge(
        curve,
        unit,
        scale,
        neighbors,
        bounds=bounds,
        missed=_missed(sample, found),
        in_halves=_in_halves(found),
        copula=copula,
        copula_se=_copula_error(sample, copula, order, dealt) if found.compressed is not None else None,
    )
    hidden = 0.0 if neighbors is None else neighbors.hidden(curve.standard_error)
    return curve_fields(curve, scale, hidden) | dict(
        component_values=along if along is None else along / scale,
        compressed=elsewhere if elsewhere is None else elsewhere / scale,
        reliable=judged.reliable,
        reasons=judged.reasons,
        is_lower_bound=judged.is_lower_bound,
        copula=None if copula is None else copula / scale,
    )


def _copula_error(sample: JointSample, copula: float | None, order: Ints, dealt: bool) -> float | None:
    """Of the Gaussian copula, from the parts that the error of the value comes from."""
    if copula is None or not np.isfinite(copula):
        return None
    columns = sum(z.shape[1] for z in sample.scores or () if z is not None)
    curve = size_curve(
        lambda rows: copula_of(sample.take(rows)), order, fewest=2 * columns + 2, dealt=dealt, whole=copula
    )
    return curve.parts_error


def _in_halves(found: Estimate) -> bool:
    """Whether the value is that of a few directions."""
    return found.compressed is not None and found.compressed.chosen != IDENTITY


def _neighbor_curve(sample: JointSample, found: Estimate) -> NeighborCurve | None:
    """The curve over neighbours, with the number of dimensions and rows in which they were counted."""
    if len(found.k_values) < 2:
        return None
    n, dimensions = len(sample), sum(space.n_features for space in sample.spaces if space.metric != "labels")
    if found.compressed is not None and _in_halves(found):
        n, dimensions = n // 2, 2 * found.compressed.n_components
    return NeighborCurve(found.k_values, found.by_k, found.recipe.k, max(dimensions, 1), n)


def _bounds(
    sample: JointSample, found: Estimate, generator: np.random.Generator
) -> tuple[list[LowerBound], Floats | None]:
    """What other functions of the columns of two spaces share, and the curve over components of what was compressed."""
    recipe, bounds = found.recipe, []
    halves, along = halves_of(sample, recipe.seed), None
    if found.compressed is not None and found.compressed.chosen in FEATURES:
        along = component_information(sample, recipe.k, halves, found.compressed.chosen)
        most = int(np.argmax(along))
        bounds.append(LowerBound(float(along[most]), f"{most + 1} of its directions alone hold {{}}"))
    scores = [z for z in sample.scores or () if z is not None]
    width = sum(z.shape[1] for z in scores)
    few = len(sample) < FEWEST_COMPRESSED * (recipe.k + 1)
    if recipe.estimator != "ksg1" or len(sample.spaces) != 2 or len(scores) != 2 or width <= 2 or few:
        return bounds, along
    if recipe.compress is None:
        recipe = recipe._replace(seed=int(generator.integers(2**31)))
        halves = halves_of(sample, recipe.seed)
        some = sample.take(spread(len(sample), MOST_ROWS)) if len(sample) > MOST_ROWS else sample
        value = estimate(some, recipe._replace(compress="canonical")).value
        bounds.append(LowerBound(value, "a few directions hold {}: compress='canonical'", len(sample) / len(some)))
    return [*bounds, *lower_bounds(sample, recipe.k, halves)], along


def _missed(sample: JointSample, found: Estimate) -> float:
    """What directions leave out; of correlated rows this is not known."""
    if found.compressed is None or found.compressed.chosen not in FEATURES:
        return 0.0
    if sample.correlation is not None and not sample.correlation.independent:
        return 0.0
    return missed_information(sample, halves_of(sample, found.recipe.seed), found.compressed.chosen)


def curve_fields(curve: SizeCurve, scale: float, hidden: float = 0.0) -> dict[str, Any]:
    """What a result holds of a curve over sizes, and of what the width of neighbourhoods may hide."""
    return dict(
        value_se=float(np.hypot(curve.standard_error, hidden)) / scale,
        width_bias=hidden / scale,
        parts=np.array(curve.parts, np.int64),
        by_size=curve.mean / scale,
        by_size_se=curve.mean_se / scale,
    )


def _null(
    sample: JointSample, found: Estimate, n: int, null: str | Null, scale: float, generator: np.random.Generator
) -> dict[str, Any]:
    """Values of samples in which nothing is shared, and how often they are as large."""
    null = settle_null(sample, null) if isinstance(null, str) else null
    moved = sample if found.compressed is None else sample.with_scores()
    values, variances, every = np.empty(n), np.empty(n), np.ones(len(sample))
    windows = _windows(sample) if found.terms is not None else None
    for draw in range(n):
        part = moved
        for which in range(1, len(sample.spaces)) if found.recipe.estimator != CONDITIONAL else (1,):
            part = part.shuffled(which, null.shuffle(generator))
        one = estimate(part, found.recipe)
        values[draw] = one.value
        if windows is not None and one.terms is not None:
            variances[draw] = mean_variance(one.terms, every, windows)
    tested = null.tested(found.value, values)
    if windows is not None and found.terms is not None:  # rows moved one by one forget what they remember beyond Z
        in_time = mean_variance(found.terms, every, windows)
        lost = 1 - variances.mean() / in_time if in_time else 0.0

        def widened(p_value: float) -> float:  # NaN: one or two visits only
            return 1.0 if np.isnan(lost) else widened_p_value(p_value, n, lost, sides=1)

        tested["p_value"] = widened(tested["p_value"])
        tested["detection_limit"] = detection_limit(values, p_value_of=lambda count: widened(null.p_of_count(count, n)))
    scaled = {name: tested[name] / scale for name in ("null_values", "detection_limit")}
    return tested | scaled | dict(null=null.word)


def _windows(sample: JointSample) -> TimeWindows | None:
    """Which rows may belong to one visit; None of rows that are as good as independent."""
    series = sample.correlation
    if series is None or series.independent:
        return None
    return time_windows(clock_of(sample.spaces[0], series.reach), series.reach)
