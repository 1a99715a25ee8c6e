"""Information Imbalance between two spaces: do neighbours in one predict neighbours in the other?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from infoscope.base import ParameterError, provenance
from infoscope.base.checks import check_choice, check_positive_int, check_random_state
from infoscope.neighbors import OneWay, Space, as_space, neighbors_and_ranks

from .class_counts import undecided
from .diagnostics import lag_profile, other_runs, run_values
from .direction import Direction, beyond_pairs, floor_of, jackknife_error, measure, row_weights, standard_error
from .neighbor_rules import RULES, Neighbors, choose_neighbors
from .permutation import check_permutations, neighbors_in, permutation_p_value, ranks_in, testable_part
from .plan import ComparisonPlan, make_plan
from .query_rows import query_rows, rows_for_source
from .results import InformationImbalance

WEIGHTED_K = 10  # default neighbours with sample weights
FEW_WEIGHTED = 5


def information_imbalance(
    A,
    B,
    *,
    k: int | None = None,
    rows: Any = None,
    columns: Any = None,
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
    effective_unit: float | None = None,
) -> InformationImbalance:
    """Which of two descriptions of the same items tells more about the other?

    ``Delta_k(A -> B) = mean_i [2/(M_i + 1)] (1/k) sum_j rank_B(i, j)`` over the k nearest j of item i in A, with ranks
    among the M_i items that i may use: near 0 when neighbours in A predict neighbours in B, 1 when they do not.

    Parameters
    ----------
    A, B : Space, array (N, D), frame, tensor or Dask array
        Two descriptions of the same N items, in the same order.  Metric, periods, weights, time and runs belong to a
        `Space`; labels are ``Space.from_labels(y)``.
    k : int, optional
        Neighbours; 1 by default, 10 with sample weights.
    rows, columns : array of int or bool, optional
        Numbers (or a mask) of the items that ask, and of those that may be neighbours and take part in the order, such
        as two halves that have no item in common. All items by default; nobody is a neighbour of itself.
    neighbor_rule : {"mass", "count", "thinning"}, optional
        With sample weights: how neighbours share their row (nearest until k effective points are used up; the k
        nearest; as if rows survived a thinning).  "mass" by default.
    exclusion_window : float, "auto" or None
        Rows of the same run within this time are not neighbours.  None means "auto" (two correlation times) when the
        spaces have `time`, else 0.
    neighbors_from : {"any", "other_runs", "auto"}, optional
        Whether a row may find neighbours in its own run.  None means "auto" together with an automatic window (other
        runs when there are at least four and each is short), else "any".
    run_weight : {"frames", "equal"} or array
        Weight of the runs.
    n_rows : int, optional
        Use this many random rows (of `rows`) as queries: unbiased at the full N.
    n_columns : int, optional
        Estimate each rank from this many random columns: unbiased at the full N.
    standard_error : {"auto", "graph", "blocks", "rows", "jackknife"}
        Formula of the errors; "auto" takes blocks of correlated rows when there are any, else single points.
    n_permutations : int
        Permutations for the p-values of "tells nothing"; 0 for none. Chosen rows and columns are shuffled apart, and
        not where there are times or runs.
    random_state : int or Generator, optional
        For sampled rows, columns and permutations.
    n_jobs : int, optional
        Threads.
    approximate : bool
        Find neighbours by an HNSW index; the measured recall is in the result.
    on_low_weight : {"raise", "warn"}
        What to do when the weights leave fewer than ten effective items.
    on_starved : {"raise", "drop"}
        What to do with rows that window or runs leave fewer than k items to choose from: "drop" leaves them out as
        queries, with a warning.
    cap : float, optional
        "thinning": weight at which a row surely survives.
    effective_unit : float, optional
        Mass of one effective point, to compare with replicated rows; do not set otherwise.

    Returns
    -------
    InformationImbalance
        Both directions with standard errors, a verdict, and what they were computed from.

    Raises
    ------
    DataError
        NaN, different items, too few rows, weights that leave fewer than ten effective items, ...
    ParameterError
        k too large, unknown options.

    References
    ----------
    Glielmo, Zeni, Cheng, Csanyi, Laio, PNAS Nexus 1, pgac039 (2022), Eq. (2).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope import information_imbalance
    >>> x = np.random.default_rng(42).normal(size=(1000, 3))
    >>> result = information_imbalance(x, x[:, :1])
    >>> round(result.a_to_b, 4), round(result.b_to_a, 4)
    (0.1313, 0.6629)
    >>> result.relation
    'a contains b'
    """
    plan = make_plan(
        [as_space(A, name="A"), as_space(B, name="B")],
        rows=rows,
        columns=columns,
        exclusion_window=exclusion_window,
        neighbors_from=neighbors_from,
        run_weight=run_weight,
        standard_error=standard_error,
        on_low_weight=on_low_weight,
        n_jobs=n_jobs,
    )
    _refuse_graphs(plan)
    k, rule = settle_neighbors(plan, k, neighbor_rule, cap=cap, effective_unit=effective_unit)
    check_permutations(n_permutations, plan)
    generator = check_random_state(random_state)
    asked, n_columns = query_rows(plan, k, n_rows, generator, on_starved), sampled_columns(plan, n_columns)
    if plan.standard_error == "jackknife" and (asked is not None or plan.chosen or n_columns is not None):
        raise ParameterError(
            "standard_error='jackknife' does not go with chosen or sampled rows or columns: leave out rows, columns, "
            "n_rows and n_columns, or take 'auto'"
        )
    options = dict(rule=rule, cap=cap, approximate=approximate, n_columns=n_columns, unit=effective_unit)
    with plan.looking_at_order():
        forth, back = both_directions(plan, k, asked, generator, **options)
        plan.look_if_chosen()
    a_to_b_se, b_to_a_se, asymmetry_se = errors_of(plan, k, [forth, back], rule, cap, generator)
    p_values = _p_values(plan, k, n_permutations, generator)
    apart = other_runs(plan, (forth, back), k, lambda p: both_directions(p, k, asked, generator, **options))
    a, b = plan.spaces
    parameters = dict(
        k=k,
        neighbor_rule=rule,
        rows=None if rows is None else np.asarray(rows),
        columns=None if columns is None else np.asarray(columns),
        exclusion_window=plan.exclusion_window,
        n_rows=n_rows,
        neighbors_from=plan.neighbors_from,
        n_columns=n_columns,
        n_permutations=n_permutations,
        run_weight=run_weight if isinstance(run_weight, str) else "array",
        standard_error=plan.standard_error,
        approximate=approximate,
        cap=cap,
    )
    timed = plan.ordered or plan.log.correlated_rows
    return InformationImbalance(
        name_a=str(a.name),
        name_b=str(b.name),
        k=k,
        a_to_b=forth.value,
        a_to_b_se=a_to_b_se,
        b_to_a=back.value,
        b_to_a_se=b_to_a_se,
        asymmetry_se=asymmetry_se,
        a_to_b_floor=floor_of(plan, forth, b),
        b_to_a_floor=floor_of(plan, back, a),
        a_to_b_undecided=undecided(b),
        b_to_a_undecided=undecided(a),
        a_to_b_p=p_values[0],
        b_to_a_p=p_values[1],
        a_to_b_rows=forth.row_values,
        b_to_a_rows=back.row_values,
        row_weights=forth.row_weights,
        a_to_b_ranks=forth.ranks,
        b_to_a_ranks=back.ranks,
        a_to_b_rank_weights=forth.pair_weights,
        b_to_a_rank_weights=back.pair_weights,
        n_effective=effective_number(plan, [forth, back], [a_to_b_se, b_to_a_se]),
        lag_profile=lag_profile(plan, forth, back) if timed else None,
        run_values=run_values(plan, forth, back) if a.run is not None else None,
        other_runs=apart,
        provenance=provenance(
            "information_imbalance", parameters, random_state, *(part for s in (a, b) for part in s.input_parts)
        ),
        **plan.fields(len(forth.row_weights), n_columns, [forth.neighbors.graph, back.neighbors.graph]),
    )


# -------------------------------------------------------------------------------------------------- steps of the family
def settle_neighbors(plan: ComparisonPlan, k: int | None, rule: str | None, **options: Any) -> tuple[int, str | None]:
    """Defaults of k and of the neighbour rule; warnings about few weighted neighbours."""
    if k is not None:
        k = check_positive_int(k, "k", 1)
    if rule is not None:
        check_choice(rule, "neighbor_rule", RULES)
    if not plan.weighted:
        refuse_without_weights(plan, neighbor_rule=rule, **options)
        return (1 if k is None else k), None
    rule = "mass" if rule is None else rule
    k = (1 if rule == "thinning" else WEIGHTED_K) if k is None else k
    if k < FEW_WEIGHTED and rule != "thinning":
        plan.warn(
            f"k={k} with weights and neighbor_rule={rule!r}: the choice among neighbours needs several "
            "candidates unless the weight depends only on what both spaces see; take k >= 5, or "
            "neighbor_rule='thinning'"
        )
    return k, rule


def refuse_without_weights(plan: ComparisonPlan, **options: Any) -> None:
    """Options that say what weights do to neighbours; without weights that differ they would change nothing."""
    given = [f"{name}={value!r}" for name, value in options.items() if value is not None]
    if given and not plan.weights_given:
        raise ParameterError(
            f"{', '.join(given)} says how neighbours of different weights are chosen, and there are no weights: give "
            "sample_weight to a space (or run_weight), or leave it out"
        )


def _refuse_graphs(plan: ComparisonPlan) -> None:
    """A graph of near items can tell about others, but not be told about, and here both ways are asked."""
    a, b = plan.spaces
    for graph, other in ((a, b), (b, a)):
        if graph.graph is not None:
            raise ParameterError(
                f"of {graph.name} only the nearest neighbours are known, so {other.name} → {graph.name} cannot be "
                f"told: imbalance_matrix({{'{graph.name}': ...}}, targets={{'{other.name}': ...}}) tells the other way"
            )


def sampled_columns(plan: ComparisonPlan, n_columns: int | None) -> int | None:
    """How many columns ranks are measured in; None for all."""
    most = len(plan.spaces[0]) if plan.columns is None else len(plan.columns)
    if n_columns is None or check_positive_int(n_columns, "n_columns", 2) >= most:
        return None
    if plan.weighted:
        raise ParameterError("n_columns (rank sampling) does not go with sample weights yet: leave out n_columns")
    return n_columns


def source_neighbors(
    plan: ComparisonPlan, space: Space, k: int, rows, generator, *, rule, cap=None, approximate=False, unit=None
) -> Neighbors:
    """Neighbours of the query rows in one space."""
    rows = rows_for_source(plan, space, rows, generator)
    options: dict[str, Any] = dict(n_jobs=plan.n_jobs, approximate=approximate)
    options |= dict(columns=plan.columns, admissibility=plan.admissibility)
    return choose_neighbors(space, k, rule, cap, rows, unit, **options)


def both_directions(
    plan: ComparisonPlan, k: int, rows, generator, *, rule, cap=None, approximate=False, n_columns=None, unit=None
) -> tuple[Direction, Direction]:
    a, b = plan.spaces[:2]
    if rows is None and plan.columns is None and rule is None and not approximate and n_columns is None:
        ways = neighbors_and_ranks(a, b, k, n_jobs=plan.n_jobs, admissibility=plan.admissibility)
        if ways is not None:
            return _from_sweep(plan, ways[0], k, b), _from_sweep(plan, ways[1], k, a)
    found = []
    for source, target in ((a, b), (b, a)):
        neighbors = source_neighbors(
            plan, source, k, rows, generator, rule=rule, cap=cap, approximate=approximate, unit=unit
        )
        found.append(measure(plan, neighbors, target, n_columns=n_columns, random_state=generator, unit=unit))
    return found[0], found[1]


def _from_sweep(plan: ComparisonPlan, way: OneWay, k: int, target: Space) -> Direction:
    """A direction without ties at the k-th distance, from one sweep over both spaces (formulas (1) and (2))."""
    graph = way.graph
    ranks = (way.closer + (way.tied + 1) / 2) / (graph.admissible[graph.row_of_pair] + 1)
    source = Neighbors(graph, np.full(graph.n_pairs, 1 / k), k=k)
    return beyond_pairs(plan, Direction(source, ranks, row_weights(plan, graph.rows)), target)


def errors_of(plan: ComparisonPlan, k: int, directions: list[Direction], rule, cap, generator) -> list[float]:
    """Standard errors of both directions, and of their difference, by the plan's formula."""
    if plan.standard_error != "jackknife":
        forth, back = (d.deviations() for d in directions)
        return [standard_error(plan, one) for one in (forth, back, forth.less(back))]

    def values_without(kept):
        part = plan.take(kept)
        forth, back = both_directions(part, k, None, generator, rule=rule, cap=cap)
        return [forth.value, back.value, forth.value - back.value]

    return [float(se) for se in jackknife_error(plan, values_without)]


def _p_values(plan: ComparisonPlan, k: int, n_permutations: int, generator) -> list[float | None]:
    if n_permutations == 0:
        return [None, None]
    part = testable_part(plan, n_permutations, generator)
    a, b = part.spaces
    return [
        permutation_p_value(part, neighbors_in(part, source, k), ranks_in(part, target), n_permutations, generator)
        for source, target in ((a, b), (b, a))
    ]


def effective_number(plan: ComparisonPlan, directions: list[Direction], errors: list[float]) -> float:
    """Rows worth of precision: n_kish times the ratio of single-row to block variance, at most n_kish."""
    if plan.blocks is None:
        return plan.n_kish
    single = replace(plan, blocks=None, standard_error="graph")
    ratios = [
        (standard_error(single, d.deviations()) / se) ** 2 for d, se in zip(directions, errors, strict=True) if se > 0
    ]
    return plan.n_kish * min([1.0, *ratios])
