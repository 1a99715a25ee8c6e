"""The imbalance against the number of neighbours: at which scale do two spaces agree?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from infoscope.base import ParameterError, provenance
from infoscope.base.checks import check_choice, check_positive_int, check_random_state
from infoscope.neighbors import as_space

from .class_counts import say_undecided
from .direction import Direction, beyond_pairs, floor_of, measure, row_weights
from .direction import standard_error as error_of
from .imbalance import information_imbalance, refuse_without_weights, source_neighbors
from .neighbor_rules import RULES, Neighbors, count_weights
from .plan import make_plan, refuse_jackknife
from .query_rows import query_rows
from .results import ScaleCurve


def imbalance_scale_curve(
    A,
    B,
    *,
    k: Sequence[int] | None = None,
    rows: Any = None,
    columns: Any = None,
    exclusion_window: float | str | None = None,
    neighbors_from: str | None = None,
    run_weight: Any = "frames",
    n_rows: int | None = None,
    standard_error: str = "auto",
    random_state=None,
    n_jobs: int | None = None,
    neighbor_rule: str | None = None,
    on_low_weight: str = "raise",
    on_starved: str = "raise",
    cap: float | None = None,
) -> ScaleCurve:
    """Information Imbalance in both directions for several numbers of neighbours; one search serves them all.

    ``Delta_k(A -> B) = mean_i [2/(M_i + 1)] (1/k) sum_j rank_B(i, j)``, j the k nearest of i in A, as k grows.

    Parameters
    ----------
    A, B : Space, array (N, D), frame, tensor or Dask array
        Two descriptions of the same N items.
    k : sequence of int, optional
        Numbers of neighbours; 1, 2, 4, ... up to a quarter of the items that answer (at most 256) by default.
    rows, columns, exclusion_window, neighbors_from, run_weight, n_rows, random_state, n_jobs, neighbor_rule, \
on_low_weight, on_starved, cap : optional
        As for `information_imbalance`.
    standard_error : {"auto", "graph", "blocks", "rows"}
        Formula of the errors.

    Returns
    -------
    ScaleCurve

    Raises
    ------
    ParameterError, DataError
        As for `information_imbalance`.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope import imbalance_scale_curve
    >>> x = np.random.default_rng(0).normal(size=(200, 2))
    >>> curve = imbalance_scale_curve(x, x, k=(1, 4))
    >>> curve.a_to_b                                             # identical spaces: (k + 1)/N
    array([0.01 , 0.025])
    """
    refuse_jackknife(standard_error)
    settings: dict[str, Any] = dict(
        rows=rows,
        columns=columns,
        exclusion_window=exclusion_window,
        neighbors_from=neighbors_from,
        run_weight=run_weight,
        standard_error=standard_error,
        on_low_weight=on_low_weight,
        n_jobs=n_jobs,
    )
    plan = make_plan([as_space(A, name="A"), as_space(B, name="B")], **settings)
    a, b = plan.spaces
    if neighbor_rule is not None:
        check_choice(neighbor_rule, "neighbor_rule", RULES)
    most = len(a) if plan.columns is None else len(plan.columns)
    wanted = _powers_of_two(most) if k is None else np.atleast_1d(np.asarray(k)).tolist()
    ks = sorted({check_positive_int(one, "k", 1) for one in wanted})
    if not ks:
        raise ParameterError("k is empty: give at least one number of neighbours")
    if plan.weighted:
        settings |= dict(
            n_rows=n_rows, random_state=random_state, neighbor_rule=neighbor_rule, cap=cap, on_starved=on_starved
        )
        return _one_by_one(A, B, ks, settings)
    refuse_without_weights(plan, neighbor_rule=neighbor_rule, cap=cap)
    generator = check_random_state(random_state)
    asked = query_rows(plan, ks[-1], n_rows, generator, on_starved)
    table, graphs = np.empty((6, len(ks))), []
    for way, (source, target) in enumerate(((a, b), (b, a))):
        with plan.looking_at_order():
            nearest = source_neighbors(plan, source, ks[-1], asked, generator, rule=None)
        say_undecided(plan, target)
        ranks = measure(plan, nearest, target).ranks
        graphs.append(nearest.graph)
        for column, one in enumerate(ks):
            d = beyond_pairs(plan, _at(plan, nearest.graph, ranks, one), target)
            table[way::2, column] = d.value, error_of(plan, d.deviations()), floor_of(plan, d, target)
    plan.look_if_chosen()
    parameters = dict(
        k=ks,
        rows=None if rows is None else np.asarray(rows),
        columns=None if columns is None else np.asarray(columns),
        exclusion_window=plan.exclusion_window,
        neighbors_from=plan.neighbors_from,
        n_rows=n_rows,
        standard_error=plan.standard_error,
    )
    return ScaleCurve(
        name_a=str(a.name),
        name_b=str(b.name),
        k=np.array(ks),
        a_to_b=table[0],
        b_to_a=table[1],
        a_to_b_se=table[2],
        b_to_a_se=table[3],
        a_to_b_floor=table[4],
        b_to_a_floor=table[5],
        provenance=provenance("imbalance_scale_curve", parameters, random_state, a.hashed, b.hashed, a.time, a.run),
        **plan.fields(None if asked is None else len(asked), None, graphs),
    )


def _powers_of_two(n: int) -> list[int]:
    return [2**p for p in range(9) if 2**p <= max(n // 4, 1)]


def _at(plan, graph, ranks, k) -> Direction:
    """The direction made of the pairs that count at this k."""
    weights = count_weights(graph, k)
    used = np.flatnonzero(weights > 0)
    row = graph.row_of_pair[used]
    indptr = np.searchsorted(row, np.arange(len(graph) + 1))
    part = type(graph)(graph.rows, indptr, graph.items[used], graph.squared[used], graph.admissible)
    return Direction(Neighbors(part, weights[used], k=k), ranks[used], row_weights(plan, graph.rows))


def _one_by_one(A, B, ks, options) -> ScaleCurve:
    """With weights the neighbours of one k are no part of those of the next: as many comparisons as k."""
    found = [information_imbalance(A, B, k=one, **options) for one in ks]
    numbers = [f"{way}{part}" for way in ("a_to_b", "b_to_a") for part in ("", "_se", "_floor")]
    columns: dict[str, Any] = {name: np.array([getattr(result, name) for result in found]) for name in numbers}
    context = {
        item.name: getattr(found[-1], item.name)
        for item in fields(found[-1])
        if item.name not in columns and item.name in ScaleCurve.__dataclass_fields__
    }
    context["warnings"] = tuple(dict.fromkeys(text for result in found for text in result.warnings))
    return ScaleCurve(**(context | columns | {"k": np.array(ks)}))
