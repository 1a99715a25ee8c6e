"""The numbers that a picture of this subpackage shows, as a table: what stands beside a published figure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from infoscope.base.errors import ParameterError
from infoscope.base.rounding import exceeds

from .results import ImbalanceDifference, ImbalanceMatrix, InformationImbalance, ScaleCurve
from .verdicts import NOTABLE_FLOOR

WAYS = ("a_to_b", "b_to_a")


def plane_points(pairs: Sequence[InformationImbalance], normalized: bool | None = None) -> dict[str, Any]:
    """Centre and standard errors of every cross in the plane; NaN where an error is withheld or unknown."""
    if normalized is None:
        normalized = floors_removed(pairs)
    columns: dict[str, Any] = {"name_a": [r.name_a for r in pairs], "name_b": [r.name_b for r in pairs]}
    for way in WAYS:
        columns[way] = np.array([getattr(r, f"{way}_normalized" if normalized else way) for r in pairs], dtype=float)
        scale = np.array([1.0 - getattr(r, f"{way}_floor") if normalized else 1.0 for r in pairs])
        known = [math.nan if r.interval_withheld else getattr(r, f"{way}_se") for r in pairs]
        columns[f"{way}_se"] = np.array(known, dtype=float) / scale
    return columns | {"floor_removed": bool(normalized)}


def floors_removed(pairs: Sequence[InformationImbalance]) -> bool:
    """Whether the plane shows values without their floors: where any is worth it."""
    return exceeds(max(max(r.a_to_b_floor, r.b_to_a_floor) for r in pairs), NOTABLE_FLOOR)


def drawable(results: Any) -> list[InformationImbalance]:
    """The pairs of spaces that have both values."""
    if isinstance(results, InformationImbalance):
        return [results]
    pairs = results.pairs() if hasattr(results, "pairs") else list(results)
    pairs = [pair for pair in pairs if math.isfinite(pair.a_to_b) and math.isfinite(pair.b_to_a)]
    if not pairs:
        raise ParameterError("there is no pair of spaces with both directions to draw")
    return pairs


def rank_densities(result: InformationImbalance, bins: int = 20) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Edges and heights of the histograms of rescaled ranks; independence is 1 everywhere."""
    edges = np.linspace(0.0, 1.0, bins + 1)
    heights = {}
    for way in WAYS:
        ranks = getattr(result, f"{way}_ranks")
        if ranks is not None and len(ranks):
            weights = getattr(result, f"{way}_rank_weights")
            heights[way] = np.histogram(ranks, bins=edges, weights=weights, density=True)[0]
    if not heights:
        raise ParameterError("the result holds no ranks to draw")
    return edges, heights


def cumulative_weights(result: InformationImbalance) -> tuple[np.ndarray, np.ndarray]:
    """Share of the rows, heaviest first, and their share of the weight."""
    if result.row_weights is None:
        raise ParameterError("all rows weigh the same: there are no weights to draw")
    weights = np.sort(np.asarray(result.row_weights, dtype=float))[::-1]
    share = np.arange(len(weights) + 1) / len(weights)
    return share, np.concatenate([[0.0], np.cumsum(weights) / weights.sum()])


def leaf_order(matrix: ImbalanceMatrix) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns in the order of their clusters: one tree where both are the same spaces."""
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import pdist, squareform

    values = np.nan_to_num(np.asarray(matrix.values, dtype=float), nan=1.0)
    if tuple(matrix.names) == tuple(matrix.target_names):
        both = 0.5 * (values + values.T)
        np.fill_diagonal(both, 0.0)
        distances = [squareform(both, checks=False)] * 2
    else:
        distances = [pdist(values), pdist(values.T)]
    trees = [linkage(d, "average", optimal_ordering=True) if len(d) else None for d in distances]
    orders = [np.zeros(1, dtype=int) if tree is None else leaves_list(tree) for tree in trees]
    return orders[0], orders[1]


# --------------------------------------------------------------------------------- one table for each kind of picture
def plane_table(result: Any, **options: Any) -> dict[str, Any]:
    return plane_points(drawable(result), options.get("normalized"))


def ranks_table(result: InformationImbalance, **options: Any) -> dict[str, Any]:
    edges, heights = rank_densities(result, options.get("bins", 20))
    table: dict[str, Any] = {"rank_low": edges[:-1], "rank_high": edges[1:]}
    return table | {f"{way}_density": height for way, height in heights.items()}


def lags_table(result: InformationImbalance, **options: Any) -> dict[str, Any]:
    if result.lag_profile is None:
        raise ParameterError("the result holds no lag profile: pass time= or run= when the spaces are made")
    return dict(result.lag_profile) | {"exclusion_window": result.exclusion_window}


def runs_table(result: InformationImbalance, **options: Any) -> list[dict[str, Any]]:
    if result.run_values is None:
        raise ParameterError("the result holds no values by run: pass run= when the spaces are made")
    table = result.run_values
    ways = [name for way in WAYS for name in (way, f"{way}_se")]
    names = [name for name in ("run", "n_rows", *ways) if name in table]
    rows = [{name: table[name][index] for name in names} for index in range(len(table["run"]))]
    overall: dict[str, Any] = {"run": "all runs", "n_rows": result.n_rows}
    for way in WAYS:
        error = math.nan if result.interval_withheld else getattr(result, f"{way}_se")
        overall |= {way: getattr(result, way), f"{way}_se": error}
    return [*rows, {name: value for name, value in overall.items() if name in names}]


def weights_table(result: InformationImbalance, **options: Any) -> dict[str, Any]:
    share, cumulative = cumulative_weights(result)
    return {"share_of_rows": share, "share_of_weight": cumulative}


def heatmap_table(result: ImbalanceMatrix, **options: Any) -> list[dict[str, Any]]:
    rows, columns = (range(n) for n in np.shape(result.values))
    if options.get("order") == "clustered":
        rows, columns = (order.tolist() for order in leaf_order(result))
    p_name = "a_to_b_p" if result.p_values_adjusted is None else "a_to_b_p_adjusted"
    cells, table = set(result._cells()), []
    for i, j in ((i, j) for i in rows for j in columns if (i, j) in cells):
        entry = result._entry(i, j)
        line = {"name_a": result.names[i], "name_b": result.target_names[j], "a_to_b": entry["value"]}
        error = math.nan if result.interval_withheld else entry["se"]
        table.append(line | {"a_to_b_se": error, "a_to_b_floor": entry["floor"], p_name: entry["p"]})
    return table


def curve_table(result: ScaleCurve, **options: Any) -> dict[str, Any]:
    table: dict[str, Any] = {"k": np.asarray(result.k), "share": np.asarray(result.k, dtype=float) / result.n_answering}
    for way, floor in zip(WAYS, result.floors(), strict=True):
        values, se = np.asarray(getattr(result, way)), np.asarray(getattr(result, f"{way}_se"), dtype=float)
        table |= {way: values, f"{way}_se": se * (math.nan if result.interval_withheld else 1.0), f"{way}_floor": floor}
    return table


def difference_table(result: ImbalanceDifference, **options: Any) -> list[dict[str, Any]]:
    names = (f"{result.name_a} → {result.name_target}", f"{result.name_b} → {result.name_target}", "difference")
    rows = []
    for name, field in zip(names, ("a_to_target", "b_to_target", "difference"), strict=True):
        error = math.nan if result.interval_withheld else getattr(result, f"{field}_se")
        floor = math.nan if field == "difference" else result.target_floor
        rows.append({"name": name, "value": getattr(result, field), "value_se": error, "floor": floor})
    return rows
