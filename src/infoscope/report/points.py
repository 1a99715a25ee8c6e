"""The items behind a result as points that can be looked at: coordinates, groups, values, where each is from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from infoscope.base import Origin, Result
from infoscope.statistics.distinct_columns import distinct_columns

MOST_POINTS = 100_000
MOST_COORDINATES = 12
FEWEST = 200  # points of a group that stay where it has so many


@dataclass(frozen=True, eq=False)
class Points:
    """Items on coordinates, in groups.

    Attributes
    ----------
    coordinates : mapping of str to array (N,)
        By name; the two that are drawn first come first.
    values : mapping of str to array (N,)
        What else is known of each.
    group : array (N,) of int
        Which group each is in.
    groups : tuple of str
        Their names, those of the rows of the table first.
    group_word : str
        What a group is: "state".
    items : array (N,) of int
        Number of each among all items.
    weight : array (N,) or None
        Statistical weight; None: all are equal.
    origin : Origin or None
        Of these items.
    n_columns : int
        How many coordinates there were.
    extract : mapping of int to str
        Options of ``infoscope extract`` that mean a group.
    marks : mapping of str to int
        Places of points that are marked with a text: centres of states.
    said : str
        What the page says of them.
    """

    coordinates: Mapping[str, np.ndarray]
    values: Mapping[str, np.ndarray]
    group: np.ndarray
    groups: tuple[str, ...]
    group_word: str
    items: np.ndarray
    weight: np.ndarray | None
    origin: Origin | None
    n_columns: int
    extract: Mapping[int, str] = field(default_factory=dict)
    marks: Mapping[str, int] = field(default_factory=dict)
    said: str = ""

    def __len__(self) -> int:
        return len(self.group)

    def take(self, chosen: np.ndarray) -> Points:
        """Some of the points."""
        return replace(
            self,
            coordinates={name: column[chosen] for name, column in self.coordinates.items()},
            values={name: column[chosen] for name, column in self.values.items()},
            group=self.group[chosen],
            items=self.items[chosen],
            weight=None if self.weight is None else self.weight[chosen],
            origin=None if self.origin is None else self.origin.take(chosen),
        )


def points_of(result: Result) -> Points | None:
    """The items of a result; None where it has none, or no coordinates."""
    for cls in type(result).__mro__:
        if cls.__name__ in MAKERS and getattr(result, "coordinates", None) is not None:
            return MAKERS[cls.__name__](result)
    return None


def thinned(points: Points, most: int = MOST_POINTS) -> Points:
    """At most about so many points: of every group the same share, but of small groups more; always the same ones.

    Parameters
    ----------
    points : Points
        All of them.
    most : int
        How many may stay.

    Returns
    -------
    Points
    """
    if len(points) <= most:
        return points
    counts = np.bincount(points.group, minlength=len(points.groups))
    floor = min(FEWEST, most // max(1, len(points.groups)))
    kept = np.maximum(np.minimum(counts, floor), np.floor(counts * (most / len(points)))).astype(int)
    while kept.sum() > most:  # what small groups were given, the largest gives
        kept[int(np.argmax(kept))] -= kept.sum() - most
    draw, chosen = np.random.default_rng(0), []
    for group, number in enumerate(kept.tolist()):
        members = np.flatnonzero(points.group == group)
        chosen.append(members if number >= len(members) else draw.choice(members, number, replace=False))
    return points.take(np.sort(np.concatenate(chosen)))


# --------------------------------------------------------------------------------------------------------------- steps
def _of_states(found: Any) -> Points:
    """States of a density: a group each, the halo last."""
    labels, n_states = np.asarray(found.labels), found.n_clusters
    group, names, _ = found.state_groups()
    energy = found.to_frame("items")["free_energy"].to_numpy()
    values = {"log density": np.asarray(found.log_density), f"free energy / {found.units}": energy}
    centres = np.asarray(found.coordinates, float)[np.asarray(found.centers)]
    weight, said = _weight_of_states(found, labels)
    return _points(
        found,
        centres,
        values,
        group=group,
        groups=(*(f"state {name}" for name in names[:n_states]), *names[n_states:]),
        group_word="state",
        weight=weight,
        said=said,
        extract={c: f"--state {c}" for c in range(n_states)},
        marks={str(c): int(item) for c, item in enumerate(found.centers)},
    )


def _weight_of_states(found: Any, labels: np.ndarray) -> tuple[np.ndarray | None, str]:
    """Weight of every item, and what to say of it: older files know it of whole states alone."""
    if found.item_weight is not None:
        return np.asarray(found.item_weight), ""
    inside = np.maximum(np.bincount(labels[labels >= 0], minlength=found.n_clusters), 1)
    each = np.asarray(found.populations) / inside
    if (labels < 0).any() or np.allclose(each, 1 / len(labels)):
        return None, ""
    return each[labels], (
        "The file does not tell the weights of single items: within a state all count alike, so the share of a part of "
        "one is rough."
    )


def _of_anomalies(found: Any) -> Points:
    """Regions where samples differ, in the order of the table; flagged items outside of them, and both samples."""
    labels, regions = np.asarray(found.labels), list(found.regions)
    rest = ("flagged, in no region", "reference", "test")
    group = np.where(labels == 1, len(regions) + 2, len(regions) + 1)
    group[np.unique(found.flagged_items())] = len(regions)
    for number, one in enumerate(regions):
        rows = one.anomalous_rows if len(one.anomalous_rows) else one.own_rows
        group[np.asarray(rows, int) + (found.n_reference if one.side == "over" else 0)] = number
    values = {}
    for side in found.sides:
        values[f"score, {side.side}"] = np.asarray(side.scores)
        values[f"p-value, {side.side}"] = np.asarray(side.p_values)
    centres = np.array([one.centre for one in regions], float) if regions else None
    weight = found.space.sample_weight
    return _points(
        found,
        centres,
        values,
        group=group,
        groups=(*(f"region {one.name}" for one in regions), *rest),
        group_word="region",
        weight=None if weight is None else np.asarray(weight),
        extract={number: f"--region '{one.name}'" for number, one in enumerate(regions)} | {len(regions): "--flagged"},
    )


def _of_density(found: Any) -> Points:
    """A density: one group, coloured by its free energy."""
    energy, error = found.free_energy(found.temperature, found.units)
    unit = found.units
    values = {
        f"free energy / {unit}": energy,
        f"its standard error / {unit}": error,
        "log density": np.asarray(found.log_density),
        "neighbours k*": np.asarray(found.k_star, float),
    }
    return _points(found, None, values)


def _of_dimensions(found: Any) -> Points:
    """The dimension around every item."""
    names = {"dimension": found.dimension, "its standard error": found.dimension_se, "distance": found.distance}
    return _points(found, None, {name: np.asarray(column) for name, column in names.items()})


MAKERS: Mapping[str, Callable[[Any], Points]] = {
    "Clusters": _of_states,
    "Anomalies": _of_anomalies,
    "LogDensity": _of_density,
    "PointwiseDimension": _of_dimensions,
}


def _points(found: Any, places: np.ndarray | None, values: Mapping[str, np.ndarray], **known: Any) -> Points:
    """Points of a result whose columns are put in the order in which some places stand out."""
    features = np.asarray(found.coordinates, float)
    n, n_columns = features.shape
    order = list(range(n_columns))
    if places is not None and len(places) and n_columns > 2 and np.isfinite(places).all():
        order = distinct_columns(features, places, getattr(getattr(found, "space", None), "period", None))
        order = [*sorted(order[:2]), *order[2:]]
    names = [f"column {c}" if found.feature_names is None else str(found.feature_names[c]) for c in range(n_columns)]
    usual: dict[str, Any] = dict(group=np.zeros(n, int), groups=("all items",), group_word="group", weight=None)
    return Points(
        coordinates={_free(names, c): features[:, c] for c in order[:MOST_COORDINATES]},
        values=values,
        items=np.arange(n),
        origin=found.origin,
        n_columns=n_columns,
        **(usual | known),
    )


def _free(names: list[str], c: int) -> str:
    """The name of a column; its number beside where another has the same."""
    return names[c] if names.count(names[c]) == 1 else f"{names[c]} ({c})"
