"""Does one space tell more about a target than another does?  The error of a difference."""

from __future__ import annotations

from typing import Any

import numpy as np

from infoscope.base import provenance
from infoscope.base.checks import check_random_state
from infoscope.neighbors import as_space, target_space
from infoscope.statistics import item_degrees, student_p_value

from .class_counts import say_undecided
from .direction import floor_of, measure
from .direction import standard_error as error_of
from .imbalance import settle_neighbors, source_neighbors
from .plan import make_plan, refuse_jackknife
from .query_rows import query_rows
from .results import ImbalanceDifference


def compare_imbalances(
    A,
    B,
    target,
    *,
    k: int | None = None,
    rows: Any = None,
    columns: Any = None,
    neighbor_rule: str | None = None,
    exclusion_window: float | str | None = None,
    neighbors_from: str | None = None,
    run_weight: Any = "frames",
    n_rows: int | None = None,
    standard_error: str = "auto",
    random_state=None,
    n_jobs: int | None = None,
    approximate: bool = False,
    on_low_weight: str = "raise",
    on_starved: str = "raise",
    cap: float | None = None,
    target_kind: str = "auto",
) -> ImbalanceDifference:
    """Does A tell more about the target than B does?

    ``Delta_k(A -> target) - Delta_k(B -> target)``, with Delta_k as in `information_imbalance`: negative when A does.
    Both imbalances come from the same items, so their errors are correlated; the error of the difference counts pairs
    of neighbours that share a point (or a block) across both.

    Parameters
    ----------
    A, B : Space or array
        The two spaces that predict.
    target : Space, array, frame, labels, or matrix of distances
        What is predicted.
    k, rows, columns, neighbor_rule, exclusion_window, neighbors_from, run_weight, n_rows, random_state, n_jobs, \
approximate, on_low_weight, on_starved, cap : optional
        As for `information_imbalance`.
    standard_error : {"auto", "graph", "blocks", "rows"}
        Formula of the errors.
    target_kind : {"auto", "features", "labels", "distances"}
        What `target` is, where it is no Space; "auto" as for `DifferentiableImbalance`.

    Returns
    -------
    ImbalanceDifference

    Raises
    ------
    ParameterError, DataError
        As for `information_imbalance`.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope import compare_imbalances
    >>> x = np.random.default_rng(0).normal(size=(500, 4))
    >>> compare_imbalances(x[:, :3], x[:, :1], x).difference < 0
    True
    """
    refuse_jackknife(standard_error)
    goal, said = target_space(target, target_kind, name="target", option="target_kind")
    plan = make_plan(
        [as_space(A, name="A"), as_space(B, name="B"), goal],
        rows=rows,
        columns=columns,
        n_jobs=n_jobs,
        exclusion_window=exclusion_window,
        neighbors_from=neighbors_from,
        run_weight=run_weight,
        standard_error=standard_error,
        on_low_weight=on_low_weight,
    )
    plan.note(*said)
    k, rule = settle_neighbors(plan, k, neighbor_rule, cap=cap)
    generator = check_random_state(random_state)
    asked = query_rows(plan, k, n_rows, generator, on_starved)
    a, b, c = plan.spaces
    options: dict[str, Any] = dict(rule=rule, cap=cap, approximate=approximate)
    with plan.looking_at_order():
        sources = [source_neighbors(plan, source, k, asked, generator, **options) for source in (a, b)]
        plan.look_if_chosen()
    say_undecided(plan, c)
    found = [measure(plan, source, c) for source in sources]
    graphs = [d.neighbors.graph for d in found]
    first, second = (d.deviations() for d in found)
    difference, difference_se = found[0].value - found[1].value, error_of(plan, first.less(second))
    degrees = item_degrees(len(a) if asked is None else len(asked)) if plan.blocks is None else plan.degrees
    parameters = dict(
        k=k,
        neighbor_rule=rule,
        rows=None if rows is None else np.asarray(rows),
        columns=None if columns is None else np.asarray(columns),
        exclusion_window=plan.exclusion_window,
        n_rows=n_rows,
        neighbors_from=plan.neighbors_from,
        standard_error=plan.standard_error,
        approximate=approximate,
        cap=cap,
    )
    return ImbalanceDifference(
        name_a=str(a.name),
        name_b=str(b.name),
        name_target=str(c.name),
        k=k,
        a_to_target=found[0].value,
        a_to_target_se=error_of(plan, first),
        b_to_target=found[1].value,
        b_to_target_se=error_of(plan, second),
        difference=difference,
        difference_se=difference_se,
        p_value=float(student_p_value(difference, difference_se, degrees)),
        target_floor=max(floor_of(plan, d, c) for d in found),
        provenance=provenance(
            "compare_imbalances", parameters, random_state, *(part for s in plan.spaces for part in s.input_parts)
        ),
        **plan.fields(None if asked is None else len(asked), None, graphs),
    )
