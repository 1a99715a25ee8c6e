"""Information Imbalance between all pairs of several spaces: each space's neighbours once, each target's ranks once."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np

from infoscope.base import Fingerprint, ParameterError, available_threads, progress, provenance
from infoscope.base.checks import check_choice, check_random_state
from infoscope.base.rounding import SAME
from infoscope.neighbors import NeighborGraph, Space
from infoscope.statistics import adjust_p_values, student_p_value

from .class_counts import say_undecided
from .direction import Direction, beyond_pairs, floor_from, floor_towards, row_weights
from .direction import standard_error as error_of
from .imbalance import sampled_columns, settle_neighbors, source_neighbors
from .neighbor_rules import Neighbors
from .on_demand import SpacesOnDemand
from .permutation import check_permutations, neighbors_in, permutation_p_value, ranks_in, testable_part
from .plan import ComparisonPlan, make_plan, refuse_jackknife
from .query_rows import query_rows
from .ranks import rescaled_ranks
from .results import ImbalanceMatrix

SIDE_BY_SIDE = 5000  # items up to which several targets are swept at a time


def imbalance_matrix(
    spaces: Mapping[str, Any],
    targets: Mapping[str, Any] | None = None,
    *,
    k: int | None = None,
    rows: Any = None,
    columns: Any = None,
    adjust: str = "by",
    neighbor_rule: str | None = None,
    exclusion_window: float | str | None = None,
    neighbors_from: str | None = None,
    run_weight: Any = "frames",
    n_rows: int | None = None,
    n_columns: int | None = None,
    standard_error: str = "auto",
    n_permutations: int = 0,
    random_state=None,
    n_jobs: int | None = None,
    approximate: bool = False,
    on_low_weight: str = "raise",
    on_starved: str = "raise",
    cap: float | None = None,
) -> ImbalanceMatrix:
    """Which of several descriptions of the same items tells most about the others?

    Entry (A, B) is ``Delta_k(A -> B) = mean_i [2/(M_i + 1)] (1/k) sum_j rank_B(i, j)``, j the k nearest of i in A.

    Parameters
    ----------
    spaces : mapping of name to Space or array, or to functions that load them
        The spaces that predict. Functions without arguments, and the items of a mapping that is no dict, are loaded
        when they are needed and dropped after: three times in all, to be looked at, to find neighbours, and to rank
        those of all others (and again where times and runs ask for a correlation time, and for permutations). One space
        at a time is in memory (up to 5,000 items one a thread), beside the neighbours of all. The numbers are the same.
    targets : mapping, optional
        The spaces that are predicted; the same spaces by default.
    k, rows, columns, neighbor_rule, exclusion_window, neighbors_from, run_weight, n_rows, n_columns, random_state, \
n_jobs, approximate, on_low_weight, on_starved, cap : optional
        As for `information_imbalance`.
    adjust : {"by", "bh", "holm", "bonferroni"}
        Correction of the p-values for the number of pairs; "by" holds whatever their dependence.
    standard_error : {"auto", "graph", "blocks", "rows"}
        Formula of the errors.
    n_permutations : int
        Permutations for the p-values; with 0 they come from (1 - value)/se.

    Returns
    -------
    ImbalanceMatrix

    Raises
    ------
    ParameterError
        Fewer than two spaces, unknown options.
    DataError
        As for `information_imbalance`.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope import imbalance_matrix
    >>> x = np.random.default_rng(0).normal(size=(300, 3))
    >>> result = imbalance_matrix({"xyz": x, "xy": x[:, :2], "z": x[:, 2:]})
    >>> bool(result.values[0, 1] < result.values[1, 0])          # xyz tells more about xy than the reverse
    True
    """
    refuse_jackknife(standard_error)
    check_choice(adjust, "adjust", ("by", "bh", "holm", "bonferroni"))
    for given, what in ((spaces, "spaces"), (targets or {}, "targets")):
        if not isinstance(given, Mapping):
            raise ParameterError(f"{what} is a {type(given).__name__}: give names and data, {{'a': a, 'b': b}}")
    names, target_names = tuple(spaces), tuple(spaces if targets is None else targets)
    if not names or not target_names or len({*names, *target_names}) < 2:
        raise ParameterError("imbalance_matrix needs at least two spaces")
    _check_names(spaces, targets)
    on_demand = SpacesOnDemand(spaces, {} if targets is None else targets)
    places = {name: place for place, name in enumerate(on_demand.names)}
    plan = make_plan(
        on_demand if on_demand.any_loaded else [on_demand.load(name) for name in places],
        rows=rows,
        columns=columns,
        exclusion_window=exclusion_window,
        neighbors_from=neighbors_from,
        run_weight=run_weight,
        standard_error=standard_error,
        on_low_weight=on_low_weight,
        n_jobs=n_jobs,
    )
    k, rule = settle_neighbors(plan, k, neighbor_rule, cap=cap)
    check_permutations(n_permutations, plan)
    generator = check_random_state(random_state)
    asked, n_columns = query_rows(plan, k, n_rows, generator, on_starved), sampled_columns(plan, n_columns)
    options: dict[str, Any] = dict(rule=rule, cap=cap, approximate=approximate)
    digest = Fingerprint()
    sources = _search_sources(plan, {name: places[name] for name in names}, k, asked, generator, digest, options)
    goals = {name: places[name] for name in target_names}
    values, errors, floors = _sweep_targets(plan, sources, goals, n_columns, generator, digest)
    p_values = _p_values(plan, names, target_names, places, values, errors, k, n_permutations, generator)
    parameters = dict(
        k=k,
        neighbor_rule=rule,
        rows=None if rows is None else np.asarray(rows),
        columns=None if columns is None else np.asarray(columns),
        adjust=adjust,
        exclusion_window=plan.exclusion_window,
        n_rows=n_rows,
        neighbors_from=plan.neighbors_from,
        n_columns=n_columns,
        n_permutations=n_permutations,
        standard_error=plan.standard_error,
        approximate=approximate,
        cap=cap,
    )
    off = np.isfinite(p_values)
    adjusted = np.full(p_values.shape, np.nan)
    adjusted[off] = adjust_p_values(p_values[off], adjust)
    return ImbalanceMatrix(
        names=tuple(map(str, names)),
        target_names=tuple(map(str, target_names)),
        values=values,
        values_se=errors,
        k=k,
        floors=np.nan_to_num(floors),
        p_values=p_values,
        p_values_adjusted=adjusted,
        adjust=adjust,
        provenance=provenance("imbalance_matrix", parameters, random_state, input_hash=digest.text),
        **plan.fields(None if asked is None else len(asked), n_columns, [found.graph for found in sources.values()]),
    )


def _search_sources(plan, places, k, asked, generator, digest, options) -> dict[str, Neighbors]:
    """Neighbours in every source, of which one at a time is at hand."""
    sources: dict[str, Neighbors] = {}
    with plan.looking_at_order():
        for name, place in places.items():
            space = plan.space(place)
            digest.update(*space.input_parts)
            sources[name] = _without_space(source_neighbors(plan, space, k, asked, generator, **options))
            del space  # before the next one is loaded
        plan.look_if_chosen()
    return sources


def _sweep_targets(plan, sources, places, n_columns, generator, digest) -> np.ndarray:
    """Values, errors and floors (3, n_names, n_targets): the pairs of all sources are ranked in a target at once."""
    names, floors = list(sources), {name: floor_from(plan, found) for name, found in sources.items()}
    table = np.full((3, len(names), len(places)), np.nan)

    def load(target: str) -> Space:
        space = plan.space(places[target])
        if target not in sources:
            digest.update(*space.input_parts)
        return space

    def rank(plan: ComparisonPlan, target: str, space: Space) -> None:
        others = {name: found for name, found in sources.items() if name != target}
        say_undecided(plan, space)
        for name, d in _directions_to(plan, others, space, n_columns, generator).items():
            entry = d.value, error_of(plan, d.deviations()), floor_towards(plan, floors[name], space)
            table[:, names.index(name), list(places).index(target)] = entry

    _for_each(plan, list(places), load, rank, alone=n_columns is not None)
    return table


def _for_each(plan: ComparisonPlan, names: list[str], load, work, alone: bool) -> None:
    """Load every space, in order, and do some work with it.

    Sweeps over few items leave threads idle between their steps: several spaces are then worked on at a time, by one
    thread each.  `alone` says that the order of the work matters, as that of random numbers does.
    """
    threads = min(available_threads(plan.n_jobs), len(names))
    many = len(plan.spaces[0]) > SIDE_BY_SIDE or any(space.backend != "numpy" for space in plan.spaces)
    with progress(len(names), "ranks", "spaces") as bar:
        if alone or many or threads == 1:
            for name in names:
                work(plan, name, load(name))
                bar.update()
            return
        plan = replace(plan, n_jobs=1)
        running: deque[Future[None]] = deque()
        with ThreadPoolExecutor(threads) as pool:
            try:
                for name in names:
                    running.append(pool.submit(work, plan, name, load(name)))
                    if len(running) == threads:  # no more spaces than threads in memory
                        running.popleft().result()
                        bar.update()
                while running:
                    running.popleft().result()
                    bar.update()
            finally:
                pool.shutdown(cancel_futures=True)


def _without_space(neighbors: Neighbors) -> Neighbors:
    """The neighbours alone: a graph keeps the items that it was made of in memory."""
    return neighbors._replace(graph=replace(neighbors.graph, space=None))


def _check_names(spaces: Mapping[str, Any], targets: Mapping[str, Any] | None) -> None:
    if targets is None or targets is spaces:
        return
    for name in targets:
        at_hand = isinstance(spaces, dict) and isinstance(targets, dict)
        if name in spaces and not (at_hand and targets[name] is spaces[name]):
            raise ParameterError(f"{name!r} is one thing in spaces and another in targets: a name stands for one space")


def _directions_to(
    plan: ComparisonPlan, sources: dict[str, Neighbors], target: Space, n_columns, generator
) -> dict[str, Direction]:
    """All sources against one target in one pass: their pairs are put together row by row."""
    found: dict[str, Direction] = {}
    names = list(sources)
    while names:  # sources with the same query rows share a pass
        rows = sources[names[0]].graph.rows
        together = [name for name in names if np.array_equal(sources[name].graph.rows, rows)]
        names = [name for name in names if name not in together]
        graphs = [sources[name].graph for name in together]
        joined, place = NeighborGraph.side_by_side(graphs)
        ranks = np.empty(joined.n_pairs)
        ranks[:] = rescaled_ranks(
            target,
            joined,
            weighted=plan.weighted,
            n_columns=n_columns,
            random_state=generator,
            n_jobs=plan.n_jobs,
            columns=plan.columns,
            admissibility=plan.admissibility,
        )
        for name, where in zip(together, place, strict=True):
            found[name] = beyond_pairs(plan, Direction(sources[name], ranks[where], row_weights(plan, rows)), target)
    return found


def _p_values(plan, names, target_names, places, values, errors, k, n_permutations, generator) -> np.ndarray:
    """One-sided p-values of "tells nothing": by permutation where asked for, else from the standard error."""
    p = student_p_value(values - 1, np.where(errors <= SAME, 0.0, errors), plan.degrees, alternative="less")
    if n_permutations == 0:
        return p
    small = testable_part(plan, n_permutations, generator)
    near = [_without_space(neighbors_in(small, small.space(places[name]), k)) for name in names]
    for j, name in enumerate(target_names):
        table = ranks_in(small, small.space(places[name]))
        for i in np.flatnonzero(np.isfinite(values[:, j])):
            p[i, j] = permutation_p_value(small, near[i], table, n_permutations, generator)
    return p
