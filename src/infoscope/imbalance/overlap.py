"""Shares of neighbours: those that two descriptions have in common, and those that carry the item's own label."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from infoscope.base import ParameterError, provenance
from infoscope.base.checks import check_positive_int, check_random_state
from infoscope.base.rounding import exceeds
from infoscope.neighbors import Space, admissible_mass, as_space, target_space

from .direction import DIGITS, row_weights
from .direction import standard_error as error_of
from .effective_unit import last_of_rows, unit_deviations, without_rounding
from .imbalance import source_neighbors
from .neighbor_rules import Neighbors
from .overlap_results import LabelOverlap, NeighborhoodOverlap
from .plan import ComparisonPlan, make_plan, refuse_jackknife
from .query_rows import query_rows, rows_for_source
from .shared_neighbors import ListedPairs, PairShares, common_neighbors


def neighborhood_overlap(
    A,
    B,
    *,
    k: int = 30,
    rows: Any = None,
    columns: Any = None,
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
) -> NeighborhoodOverlap:
    """How many of the k nearest neighbours do two descriptions of the same items have in common?

    ``mean_i (1/k) |N_k^A(i) and N_k^B(i)|``: 1 for the same neighbours, k/(N - 1) by chance. Neighbours that are tied
    at the k-th distance count by their part in both (the mean over orders in which ties may be broken); with weights a
    neighbourhood is k effective items of mass, as in `information_imbalance`.

    Parameters
    ----------
    A, B : Space, array (N, D), frame, tensor or Dask array
        Two descriptions of the same N items; labels are ``Space.from_labels(y)``.
    k : int
        Neighbours.
    rows, columns, exclusion_window, neighbors_from, run_weight, n_rows, random_state, n_jobs, approximate, \
on_low_weight, on_starved : optional
        As for `information_imbalance`.
    standard_error : {"auto", "graph", "blocks", "rows"}
        Formula of the error; "auto" takes blocks of correlated rows when there are any, else single points.

    Returns
    -------
    NeighborhoodOverlap

    Raises
    ------
    ParameterError, DataError
        As for `information_imbalance`.

    Notes
    -----
    It is `return_data_overlap` of DADApy with an error, and the ``mutual_knn`` of `compare_layers`.

    References
    ----------
    Doimo, Glielmo, Ansuini, Laio, NeurIPS 33 (2020), Eq. (1).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope import neighborhood_overlap
    >>> x = np.random.default_rng(0).normal(size=(500, 2))
    >>> found = neighborhood_overlap(x, x + 0.1, k=10)
    >>> found.overlap, round(found.chance, 3)
    (1.0, 0.02)
    """
    k, generator = check_positive_int(k, "k", 1), check_random_state(random_state)
    refuse_jackknife(standard_error)
    plan = make_plan(
        [as_space(A, name="A"), as_space(B, name="B")], rows=rows, columns=columns, n_jobs=n_jobs,
        exclusion_window=exclusion_window, neighbors_from=neighbors_from, run_weight=run_weight,
        standard_error=standard_error, on_low_weight=on_low_weight,
    )  # fmt: skip
    asked = query_rows(plan, k, n_rows, generator, on_starved)
    for space in plan.spaces:
        asked = rows_for_source(plan, space, asked, generator)
    with plan.looking_at_order():
        a, b = (_neighbors(plan, space, k, asked, generator, approximate) for space in plan.spaces)
        plan.look_if_chosen()
    weights, rows_asked = _weights_of_rows(plan, a.graph.rows), a.graph.rows
    mass = _mass_of_neighborhoods(plan, rows_asked, k)
    in_a, in_b = _listed(a), _listed(b)
    shares = common_neighbors(in_a, in_b, mass.of_item, weights, plan.spaces[0].sample_weight)
    if plan.weighted:
        there = common_neighbors(in_b, in_a, mass.of_item, weights, plan.spaces[0].sample_weight)
        last = last_of_rows(plan, a, shares.share) + last_of_rows(plan, b, there.share)
        shares = shares._replace(
            alone=_of_unit(plan, rows_asked, row_weights(plan, rows_asked), last - shares.of_rows(rows_asked))
        )
    at_best = [common_neighbors(one, one, mass.of_item, weights, plan.spaces[0].sample_weight) for one in (in_a, in_b)]
    ceiling = np.sqrt(at_best[0].of_rows(rows_asked) * at_best[1].of_rows(rows_asked))  # Cauchy and Schwarz, row by row
    own = row_weights(plan, rows_asked)
    ceiling, value = round(float((own * ceiling).sum()), DIGITS), shares.value
    same = not np.any(shares.deviations().eps)
    error = error_of(plan, shares.deviations())
    parameters = dict(k=k, n_rows=n_rows, **_decided(plan, rows, columns), approximate=approximate)
    return NeighborhoodOverlap(
        name_a=str(plan.spaces[0].name),
        name_b=str(plan.spaces[1].name),
        k=k,
        overlap=value,
        overlap_se=error
        if same and value > 0
        else max(error, _smallest_error(plan, value, plan.effective_size(rows_asked), k)),
        chance=float((own * mass.chance).sum()),
        ceiling=ceiling,
        rows=shares.of_rows(rows_asked),
        row_weights=own,
        provenance=_record("neighborhood_overlap", parameters, random_state, plan),
        **plan.fields(len(rows_asked), None, [a.graph, b.graph]),
    )


def label_overlap(
    X,
    labels,
    *,
    k: int | None = None,
    class_fraction: float | None = None,
    rows: Any = None,
    columns: Any = None,
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
) -> LabelOverlap:
    """How many of the k nearest neighbours carry the item's own label?

    ``mean_i (1/k) sum_j [y_j = y_i]`` over the k nearest j of item i, over all items, over those of each class, and
    over classes that count alike. Neighbours that are tied at the k-th distance share what is left of k.

    Parameters
    ----------
    X : Space, array (N, D), frame, tensor or Dask array
        Where neighbours are looked for.
    labels : sequence, Series or Space
        One label an item.
    k : int, optional
        Neighbours; 30 by default.
    class_fraction : float, optional
        In the place of k: every item takes this share of its own class as its number of neighbours, rounded down, and
        at least one; a small class is then not asked for more neighbours than it has.
    rows, columns, exclusion_window, neighbors_from, run_weight, n_rows, random_state, n_jobs, approximate, \
on_low_weight, on_starved : optional
        As for `information_imbalance`.
    standard_error : {"auto", "graph", "blocks", "rows"}
        Formula of the errors; "auto" takes blocks of correlated rows when there are any, else single points.

    Returns
    -------
    LabelOverlap

    Raises
    ------
    ParameterError
        k and class_fraction both, or one beyond its range; else as for `information_imbalance`.
    DataError
        As for `information_imbalance`.

    Notes
    -----
    It is `return_label_overlap` of DADApy with errors; ``balanced`` is what that gives by default.
    ``information_imbalance(X, Space.from_labels(y), k=k)`` is a fixed function of `overlap`.

    References
    ----------
    Doimo, Glielmo, Ansuini, Laio, NeurIPS 33 (2020), Eq. (1).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope import label_overlap
    >>> x = np.arange(8.0)[:, None]
    >>> label_overlap(x, list("aaaabbbb"), k=1).overlap  # the two in the middle are as near to a as to b
    0.875
    """
    generator = check_random_state(random_state)
    refuse_jackknife(standard_error)
    if k is not None and class_fraction is not None:
        raise ParameterError("k and class_fraction both say how many neighbours count: give one of them")
    if class_fraction is not None and not (isinstance(class_fraction, (int, float)) and 0 < class_fraction <= 1):
        raise ParameterError(f"class_fraction is {class_fraction!r}; it must lie in (0, 1]")
    goal, said = target_space(labels, "labels" if not isinstance(labels, Space) else "auto", name="label")
    if goal.metric != "labels":
        raise ParameterError(
            f"labels is a Space with metric {goal.metric!r}: give labels, or Space.from_labels(labels)"
        )
    plan = make_plan(
        [as_space(X, name="X"), goal], rows=rows, columns=columns, n_jobs=n_jobs, exclusion_window=exclusion_window,
        neighbors_from=neighbors_from, run_weight=run_weight, standard_error=standard_error,
        on_low_weight=on_low_weight,
    )  # fmt: skip
    plan.note(*said)
    space, label = plan.spaces[0], plan.spaces[1].features[:, 0].astype(np.int64)
    counts = np.bincount(label if plan.columns is None else label[plan.columns], minlength=int(label.max()) + 1)
    one_k = 30 if k is None else check_positive_int(k, "k", 1)
    wanted = (
        np.full(len(counts), one_k) if class_fraction is None else np.maximum(1, (class_fraction * counts).astype(int))
    )
    most = int(wanted.max())
    asked = query_rows(plan, most, n_rows, generator, on_starved)
    asked = rows_for_source(plan, space, asked, generator)
    groups: list[tuple[int, Any]] = [(most, asked)]
    if class_fraction is not None:
        everybody = np.arange(len(space)) if asked is None else asked
        groups = [(int(wanted[c]), everybody[label[everybody] == c]) for c in np.unique(label[everybody])]
    with plan.looking_at_order():
        found = [_neighbors(plan, space, number, some, generator, approximate) for number, some in groups]
        plan.look_if_chosen()
    rows_asked = np.sort(np.concatenate([one.graph.rows for one in found]))
    i, j, c = (np.concatenate(part) for part in zip(*(_listed(one) for one in found), strict=True))
    weights = _weights_of_rows(plan, rows_asked)
    shares = PairShares(i, j, weights[i] * c, (label[i] == label[j]).astype(float))
    own, chance = row_weights(plan, rows_asked), _chance_of_labels(plan, label, rows_asked)
    growth = np.zeros(len(space))
    if plan.weighted:
        last = [last_of_rows(plan, one, label[_listed(one)[0]] == label[one.graph.items]) for one in found]
        growth[np.concatenate([one.graph.rows for one in found])] = np.concatenate(last)
        growth[rows_asked] -= shares.of_rows(rows_asked)
        shares = shares._replace(alone=_of_unit(plan, rows_asked, own, growth[rows_asked]))
    classes = _by_class(plan, shares, label, rows_asked, own, chance, wanted, growth)
    smallest = _smallest_error(plan, shares.value, plan.effective_size(rows_asked), most)
    parameters = dict(k=k, class_fraction=class_fraction, n_rows=n_rows, **_decided(plan, rows, columns))
    return LabelOverlap(
        name_a=str(space.name),
        name_b=str(plan.spaces[1].name),
        k=most,
        class_fraction=class_fraction,
        overlap=shares.value,
        overlap_se=max(error_of(plan, shares.deviations()), smallest),
        chance=float((own * chance).sum()),
        rows=shares.of_rows(rows_asked),
        row_weights=own,
        **classes,
        provenance=_record("label_overlap", parameters | {"approximate": approximate}, random_state, plan),
        **plan.fields(len(rows_asked), None, [one.graph for one in found]),
    )


# --------------------------------------------------------------------------------------------------------------- steps
class Mass(NamedTuple):
    """Of neighbourhoods: that of every item, and its share of all that the rows may use."""

    of_item: Any  # a number, or array (N,)
    chance: np.ndarray  # (R,)


def _neighbors(plan: ComparisonPlan, space: Space, k: int, rows, generator, approximate: bool) -> Neighbors:
    rule = "mass" if plan.weighted else None
    return source_neighbors(plan, space, k, rows, generator, rule=rule, approximate=approximate)


def _of_unit(plan: ComparisonPlan, rows: np.ndarray, row_weights: np.ndarray, growth: np.ndarray) -> np.ndarray:
    """What the effective unit adds to a share: a neighbourhood of mass K = k e takes in last what it takes in, so that
    d f/de = (f_last - f)/e, the growth over e.
    """
    _, mass, squares = admissible_mass(plan.spaces[0], rows, plan.columns, plan.admissibility)
    return unit_deviations(plan, rows, row_weights, without_rounding(growth) * mass / squares)


def _listed(one: Neighbors) -> ListedPairs:
    return one.graph.rows[one.graph.row_of_pair], one.graph.items, one.weights


def _weights_of_rows(plan: ComparisonPlan, rows: np.ndarray) -> np.ndarray:
    """Those of `row_weights`, by number of the item; 0 for those that do not ask."""
    weights = np.zeros(len(plan.spaces[0]))
    weights[rows] = row_weights(plan, rows)
    return weights


def _mass_of_neighborhoods(plan: ComparisonPlan, rows: np.ndarray, k: int) -> Mass:
    """k items; with weights k e_i of mass (formula (7)), of all that there is."""
    _, total, squares = admissible_mass(plan.spaces[0], rows, plan.columns, plan.admissibility)
    if not plan.weighted:
        return Mass(k, k / total)
    mass = np.zeros(len(plan.spaces[0]))
    mass[rows] = np.minimum(k * squares / total, total)
    return Mass(mass, mass[rows] / total)


def _chance_of_labels(plan: ComparisonPlan, label: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Share of the items that every row may use which carry its own label."""
    space, chance = plan.spaces[0], np.zeros(len(rows))
    total = admissible_mass(space, rows, plan.columns, plan.admissibility)[1]
    columns = np.arange(len(space)) if plan.columns is None else plan.columns
    for c in np.unique(label[rows]):
        here, there = label[rows] == c, columns[label[columns] == c]
        if len(there):
            chance[here] = admissible_mass(space, rows[here], there, plan.admissibility)[1] / total[here]
    return chance


def _by_class(plan, shares: PairShares, label, rows, own, chance, wanted, growth) -> dict[str, Any]:
    """Shares of every class that asks, and their mean with each class alike."""
    names, asking = plan.spaces[1].label_names, np.unique(label[rows])
    n = len(asking)
    mass = np.bincount(label[rows], own, len(wanted))
    share, error, smallest, by_chance = np.empty((4, n))
    omega = shares.omega / mass[label[shares.i]]  # those of every class add up to one
    alike = np.zeros(len(omega))  # deviations of the mean over classes
    alone = None if shares.alone is None else np.zeros(len(label))
    for place, c in enumerate(asking):
        mine = np.flatnonzero(label[shares.i] == c)
        part = PairShares(shares.i[mine], shares.j[mine], omega[mine], shares.share[mine])
        if alone is not None:
            some = label[rows] == c
            of_class = _of_unit(plan, rows[some], own[some] / mass[c], growth[rows[some]])
            part, alone = part._replace(alone=of_class), alone + of_class / n
        d, value = part.deviations(), part.value
        share[place], alike[mine] = value, d.eps / n
        smallest[place] = _smallest_error(plan, value, plan.effective_size(rows[label[rows] == c]), int(wanted[c]))
        error[place] = max(error_of(plan, d), smallest[place])
        by_chance[place] = (own * chance)[label[rows] == c].sum() / mass[c]
    balanced = error_of(plan, shares.deviations()._replace(eps=alike, alone=alone))
    return dict(
        class_names=tuple(str(names[c]) for c in asking),
        class_sizes=np.bincount(label, minlength=len(wanted))[asking],
        class_k=wanted[asking],
        class_overlap=share,
        class_overlap_se=error,
        class_chance=by_chance,
        balanced=float(share.mean()),
        balanced_se=max(balanced, float(np.sqrt((smallest**2).sum())) / n),
        balanced_chance=float(by_chance.mean()),
    )


def _smallest_error(plan: ComparisonPlan, share: float, n_rows: float, k: int) -> float:
    """Binomial error of a share of as many independent pairs, one half added to either side: no error bar is zero.

    Where all pairs are alike no formula knows how they are correlated: then independent rows count, and not their k
    neighbours (an item on the wrong side takes all of its own with it).
    """
    n = n_rows * k
    if not exceeds(share, 0.0, 1.0) or not exceeds(1.0, share):
        known = plan.fields(n_rows=0)
        n = n_rows * min(known["n_independent"] / known["n_kish"], 1.0)
    near = (n * share + 0.5) / (n + 1)
    return math.sqrt(near * (1 - near) / max(n, 1.0))


def _decided(plan: ComparisonPlan, rows: Any, columns: Any) -> dict[str, Any]:
    return dict(
        rows=None if rows is None else np.asarray(rows),
        columns=None if columns is None else np.asarray(columns),
        exclusion_window=plan.exclusion_window,
        neighbors_from=plan.neighbors_from,
        standard_error=plan.standard_error,
    )


def _record(name: str, parameters: dict[str, Any], random_state: Any, plan: ComparisonPlan) -> Any:
    return provenance(name, parameters, random_state, *(part for s in plan.spaces for part in s.input_parts))
