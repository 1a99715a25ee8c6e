"""From data to a `SelectionPath`: what all ways of selecting features share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from infoscope.base import DataError, ParameterError, progress, provenance
from infoscope.base.checks import check_positive_int
from infoscope.base.rounding import first_lowest
from infoscope.imbalance.dii.canonical_order import sorted_by_content
from infoscope.imbalance.dii.objective import columns_of, standardise
from infoscope.imbalance.dii.validation import Fold, make_folds, plan_held, plan_seen
from infoscope.imbalance.direction import standard_error as error_of
from infoscope.imbalance.plan import ComparisonPlan, make_plan, refuse_jackknife
from infoscope.imbalance.standard_errors import Deviations
from infoscope.neighbors import Space, as_space, nearest, target_space

from .results import SelectionPath, suggest
from .search_memory import RememberingScorer, open_memory
from .subset_search import ScoredSubset, number_of_sets

LARGEST = {"forward": 10, "exhaustive": 2}  # sizes by default; all otherwise


class Task(NamedTuple):
    """What is selected from what.

    Attributes
    ----------
    names : tuple of str
        The units to choose from: columns or groups.
    columns : tuple of tuple of int
        Columns of the data that belong to each.
    units : array
        Unit of every column of the first space of the plan.
    kept : array
        Number, in the data, of every column of that space.
    """

    function: str
    method: str
    names: tuple[str, ...]
    columns: tuple[tuple[int, ...], ...]
    units: np.ndarray
    kept: np.ndarray
    n_columns: int
    largest: int
    n_best: int
    folds: list[Fold]
    given: dict[str, Any]


def make_task(
    function: str,
    method: str,
    X,
    target,
    largest: int | None,
    n_best: int,
    *,
    generator,
    groups=None,
    among=None,
    validation=None,
    exclusion_window=None,
    neighbors_from=None,
    run_weight: Any = "frames",
    standard_error: str = "auto",
    on_low_weight: str = "raise",
    target_kind: str = "auto",
    n_jobs: int | None = None,
) -> tuple[Task, ComparisonPlan]:
    """Check what was asked for; settle window, runs, weights, units and folds."""
    n_best = check_positive_int(n_best, "n_best", 1)
    refuse_jackknife(standard_error)
    x = as_space(X, name="X")
    y, said = target_space(target, target_kind, name="target", option="target_kind")
    if x.metric != "euclidean" or x.backend != "numpy":
        what = f"metric {x.metric!r}" if x.metric != "euclidean" else f"{x.backend} arrays"
        raise ParameterError(f"{x.name} has {what}: features are selected from the columns of Euclidean NumPy data")
    labels, unit_of_column = _units(x, groups)
    chosen = _among(labels, among)
    number = np.full(len(labels), -1)
    number[chosen] = np.arange(len(chosen))
    kept = np.flatnonzero(number[unit_of_column] >= 0)
    plan = make_plan(
        [columns_of(x, kept) if len(kept) < x.n_features else x, y],
        exclusion_window=exclusion_window,
        neighbors_from=neighbors_from,
        run_weight=run_weight,
        standard_error=standard_error,
        on_low_weight=on_low_weight,
        n_jobs=n_jobs,
    )
    plan.note(*said)
    varying = standardise(plan.spaces[0])  # constant columns are named, and no feature
    units = number[unit_of_column[kept[varying.columns]]]
    alive, units = np.unique(units, return_inverse=True)
    names = tuple(labels[chosen[u]] for u in alive)
    kept = kept[varying.columns]
    if len(kept) < plan.spaces[0].n_features:
        plan.note("constant columns were left out")
        plan = replace(plan, spaces=(columns_of(plan.spaces[0], varying.columns), *plan.spaces[1:]))
    columns = tuple(tuple(kept[units == u].tolist()) for u in range(len(names)))
    largest = _largest(method, largest, len(names))
    plan = sorted_by_content(plan)
    folds = make_folds(plan, validation, generator)
    given = dict(
        n_best=n_best,
        max_features=largest,
        groups=groups is not None,
        among=among,
        validation=validation if validation is None or isinstance(validation, (str, float)) else "rows",
        exclusion_window=plan.exclusion_window,
        neighbors_from=plan.neighbors_from,
        run_weight=run_weight if isinstance(run_weight, str) else "array",
        standard_error=plan.standard_error,
    )
    return Task(function, method, names, columns, units, kept, x.n_features, largest, n_best, folds, given), plan


def run_task(
    task: Task,
    plan: ComparisonPlan,
    search: Callable,
    walk: Callable,
    elsewhere: Callable,
    generator,
    *,
    measure: str,
    k: int,
    parameters: dict[str, Any],
    random_state,
    bandwidth: str = "",
    rows: np.ndarray | None = None,
    checkpoint=None,
) -> SelectionPath:
    """Search on all items, then without those of every fold; collect values, errors and the suggestion."""
    data = [part for s in plan.spaces for part in (s.hashed, s.sample_weight, s.time, s.run)]
    drawn = rows is not None or isinstance(task.given["validation"], float)
    options = _options(task, plan, rows) | parameters | {"random_state": random_state}
    n_sets = number_of_sets(
        "forward" if task.method == "l1" else task.method, len(task.names), task.largest, task.n_best
    )
    with (
        open_memory(checkpoint, task.n_best, options, *data, drawn=drawn) as memory,
        progress(n_sets * (1 + len(task.folds)), "selection", "sets") as bar,
    ):

        def judged(part: ComparisonPlan) -> RememberingScorer:
            return RememberingScorer(search(part, task.units, bar), memory)

        scorer = judged(plan)
        path, steps = walk(scorer)
        reports = [scorer.report(found) for found in path]
        held = [_on_fold(plan, fold, judged, walk, elsewhere, [len(f.units) for f in path]) for fold in task.folds]
    with plan.looking_at_order():
        chosen = plan.spaces[0].replace(feature_weights=scorer.column_weights(path[-1]))
        nearest(chosen, 1, ties="all", n_jobs=plan.n_jobs, **plan.admissibility.options)
    sizes = np.array([len(found.units) for found in path])
    values, value_se = _values(plan, reports, 0)
    if sizes[-1] < task.largest and task.method != "l1":
        plan.note(f"no further feature lowers the {measure}: the path ends at {sizes[-1]}")
    extra: dict[str, Any] = {}
    if len(reports[0]) == 3:
        for way, name in ((1, "to_target"), (2, "from_target")):
            extra[name], extra[f"{name}_se"] = _values(plan, reports, way)
    excess, excess_se = _excess(values, [r[0][1] for r in reports], plan)
    if held:
        checked = _validated(plan, task.folds, held)
        extra |= {name: checked[name] for name in ("validation_value", "validation_value_se", "fold_values")}
        excess, excess_se = checked["excess"], checked["excess_se"]
        extra["fold_names"] = tuple(fold.name for fold in task.folds)
    size, rule = suggest(sizes, extra.get("validation_value", values), excess_se)
    standard_weights, weights = np.zeros((len(path), len(task.names))), np.zeros((len(path), task.n_columns))
    for row, found in enumerate(path):
        standard_weights[row, scorer.ids[list(found.units)]] = found.weights
        weights[row, task.kept] = scorer.column_weights(found)
    if steps:
        trace = np.zeros((len(steps), len(task.names)))
        trace[:, scorer.ids] = [step.weights for step in steps]
        extra |= dict(
            alphas=np.array([s.alpha for s in steps]),
            alpha_weights=trace,
            alpha_value=np.array([s.value for s in steps]),
        )
        _say_where_one_is_left(plan, task, steps)
    a, b = plan.spaces
    return SelectionPath(
        method=task.method,
        measure=measure,
        name=str(a.name),
        name_target=str(b.name),
        names=task.names,
        columns=task.columns,
        sets=tuple(tuple(int(u) for u in scorer.ids[list(f.units)]) for f in path),
        standard_weights=standard_weights,
        weights=weights,
        value=values,
        value_se=value_se,
        excess=excess,
        excess_se=excess_se,
        suggested_size=size,
        rule=rule,
        k=k,
        bandwidth=bandwidth,
        n_evaluated=bar.done,
        provenance=provenance(task.function, task.given | parameters, random_state, *data),
        **extra,
        **plan.fields(None if rows is None else len(rows)),
    )


# ---------------------------------------------------------------------------------------------------------- checkpoint
def _options(task: Task, plan: ComparisonPlan, rows: np.ndarray | None) -> dict[str, Any]:
    """What a search depends on, beside its parameters and the numbers in the data."""
    _, target = plan.spaces
    return {
        "function": task.function,
        **task.given,
        "features": task.names,
        "columns": task.columns,
        "period": [space.period for space in plan.spaces],
        "target": {"metric": target.metric, "feature_weights": target.feature_weights},
        "folds": {fold.name: fold.held for fold in task.folds},
        "rows": rows,
    }


# --------------------------------------------------------------------------------------------------------------- units
def _units(x: Space, groups) -> tuple[tuple[str, ...], np.ndarray]:
    """Names of the units, and the unit of every column."""
    if groups is None:
        return tuple(x.column_name(a) for a in range(x.n_features)), np.arange(x.n_features)
    labels = np.asarray(groups)
    if labels.shape != (x.n_features,):
        raise ParameterError(
            f"groups has shape {labels.shape}; one label for each of the {x.n_features} columns is needed"
        )
    _, first, number = np.unique(labels, return_index=True, return_inverse=True)
    order = np.argsort(first)  # in the order in which they appear
    return tuple(str(labels[f]) for f in first[order]), np.argsort(order)[number.reshape(-1)]


def _among(labels: Sequence[str], among) -> np.ndarray:
    """Numbers of the units to choose among."""
    if among is None:
        return np.arange(len(labels))
    wanted = [among] if isinstance(among, (str, int, np.integer)) else list(among)
    found = []
    for one in wanted:
        if isinstance(one, str):
            if one not in labels:
                known = ", ".join(labels[:8]) + (", ..." if len(labels) > 8 else "")
                raise ParameterError(f"among names {one!r}, which is no feature; there are {known}")
            found.append(labels.index(one))
        elif isinstance(one, (int, np.integer)) and not isinstance(one, bool) and 0 <= one < len(labels):
            found.append(int(one))
        else:
            raise ParameterError(
                f"among holds {one!r}; it must hold names or numbers of features, 0 to {len(labels) - 1}"
            )
    if not found:
        raise ParameterError("among is empty: there is nothing to choose from")
    return np.unique(found)


def _largest(method: str, largest: int | None, n_units: int) -> int:
    if largest is None:
        return min(LARGEST.get(method, n_units), n_units)
    largest = check_positive_int(largest, "size" if method == "exhaustive" else "max_features", 1)
    if largest > n_units:
        raise ParameterError(
            f"sets of {largest} features were asked for, but there are only {n_units} that vary: ask "
            f"for at most {n_units}"
        )
    return largest


# -------------------------------------------------------------------------------------------------------------- values
def _values(plan: ComparisonPlan, reports, way: int) -> tuple[np.ndarray, np.ndarray]:
    return (
        np.array([report[way][0] for report in reports]),
        np.array([error_of(plan, report[way][1]) for report in reports]),
    )


def _excess(values: np.ndarray, deviations: list[Deviations], plan: ComparisonPlan) -> tuple[np.ndarray, np.ndarray]:
    """Values above the lowest; the error of the difference counts pairs that share a point across both sets."""
    best = first_lowest(values)
    minus = deviations[best]._replace(eps=-deviations[best].eps)
    errors = [0.0 if i == best else error_of(plan, Deviations.joined(d, minus)) for i, d in enumerate(deviations)]
    return values - values[best], np.array(errors)


def _on_fold(plan: ComparisonPlan, fold: Fold, judged, walk, elsewhere, sizes: Sequence[int]):
    """Value and deviations, on the held-out rows, of the sets that a search without them finds."""
    part = plan_seen(plan, fold)
    scorer = judged(part)
    path: list[ScoredSubset] = walk(scorer)[0]
    held, rows = plan_held(plan, fold)
    by_size = {len(found.units): found for found in path}
    reports = {
        size: elsewhere(held, rows, scorer.column_weights(found))[0]
        for size, found in by_size.items()
        if size in set(sizes)
    }
    return held, [reports.get(size) for size in sizes]


def _validated(plan: ComparisonPlan, folds: list[Fold], held) -> dict[str, np.ndarray]:
    """Means over folds and their errors: over folds, or over the pairs of a single one."""
    weight = plan.spaces[0].sample_weight
    share = np.array([len(f.held) if weight is None else weight[f.held].sum() for f in folds], float)
    share /= share.sum()
    values = np.array([[np.nan if r is None else r[0] for r in reports] for _, reports in held]).T
    mean = (values * share).sum(axis=1)
    if not np.isfinite(mean).any():
        raise DataError("no size of set was found in all folds: validate a search that visits every size (forward)")
    best = first_lowest(mean)
    if len(folds) == 1:
        part, reports = held[0]
        known = [i for i, r in enumerate(reports) if r is not None]
        se, excess_se = np.full(len(mean), np.nan), np.full(len(mean), np.nan)
        se[known] = [error_of(part, reports[i][1]) for i in known]
        minus = reports[best][1]._replace(eps=-reports[best][1].eps)
        excess_se[known] = [
            0.0 if i == best else error_of(part, Deviations.joined(reports[i][1], minus)) for i in known
        ]
    else:
        se, excess_se = _error_over_folds(values, share), _error_over_folds(values - values[best], share)
    return dict(
        validation_value=mean, validation_value_se=se, fold_values=values, excess=mean - mean[best], excess_se=excess_se
    )


def _error_over_folds(values: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Standard error of the mean with these shares: sd/sqrt(n) for equal ones."""
    n = len(share)
    spread = (values - (values @ share)[:, None]) ** 2
    return np.sqrt(spread @ share**2 * n / (n - 1))


def _say_where_one_is_left(plan: ComparisonPlan, task: Task, steps) -> None:
    alone = [step for step in steps if step.size == 1]
    if alone and (len(alone) > 1 or len(steps) <= 2):
        name = task.names[int(np.flatnonzero(alone[0].weights)[0])]
        plan.note(
            f"from alpha = {alone[0].alpha:.3g} on the penalty leaves one feature, {name}: stronger ones change nothing"
        )
