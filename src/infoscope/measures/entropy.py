"""Differential entropy of columns, from the volumes that their neighbours are in."""

from __future__ import annotations

from math import lgamma
from typing import Any

import numpy as np

from infoscope.base import DataError, DataWarning, ParameterError, provenance, warn
from infoscope.base.array_types import Floats
from infoscope.base.checks import check_positive_int, check_random_state
from infoscope.neighbors import Space, find_repeated_rows, looking_at_row_order, nearest, target_space
from infoscope.statistics.smoothing_bias import WIDER, width_of_entropy
from infoscope.statistics.units import information_unit

from .assembly import curve_fields
from .estimates import part_order
from .information_results import Entropy
from .joint_sample import STRAIGHT, JointSample, check_enough, contents_of, joint_sample
from .sizes import size_curve
from .verdict import judge

LISTED = 5  # rows that are named


def entropy(
    X: Any,
    *,
    k: int = 3,
    se: bool = True,
    unit: str = "nats",
    exclusion_window: float | str | None = None,
    neighbors_from: str | None = None,
    random_state: Any = 0,
    n_jobs: int | None = None,
) -> Entropy:
    """Differential entropy of columns (Kozachenko and Leonenko).

    ``<psi(N_i)> - psi(k) + log V_d + (d/N) sum_i log r_i``, with V_d the volume of a unit ball of the metric.

    Parameters
    ----------
    X : array (N, D) or (N,), frame, or Space
        Columns; of a Space with metric "euclidean", "manhattan" or "chebyshev".  Its weights stretch distances, and
        volumes are taken back to the units of the columns.  Volumes end at the edge of a period: exactly so for the
        largest difference and for one column; in other metrics a neighbour beyond half a period is an error.
    k : int
        Neighbours of every item.
    se : bool
        Whether the standard error and the verdict are computed.
    unit : {"nats", "bits"}
        Of the answer.
    exclusion_window, neighbors_from, random_state, n_jobs
        As for `mutual_information`.

    Returns
    -------
    Entropy

    Raises
    ------
    DataError
        Repeated rows or constant columns, whose entropy is minus infinity; too few rows.
    ParameterError
        A metric whose balls have no known volume.

    References
    ----------
    Kozachenko, Leonenko, Probl. Inf. Transm. 23, 95 (1987).  Kraskov, Stoegbauer, Grassberger, Phys. Rev. E 69, 066138
    (2004), Eq. (20).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope import entropy
    >>> found = entropy(np.random.default_rng(0).normal(size=2000))  # the truth is 1.419
    >>> print(f"{found.value:.2f} ± {found.value_se:.2f}")
    1.44 ± 0.02
    """
    scale = information_unit(unit)
    generator = check_random_state(random_state)
    _refuse_constant(target_space(X, "features", name="X")[0])  # before plain columns that never vary are left out
    sample = joint_sample(
        {"X": X},
        marginals=None,
        labels="none",
        exclusion_window=exclusion_window,
        neighbors_from=neighbors_from,
        n_jobs=n_jobs,
    )
    (space,) = sample.spaces
    _check(space)
    check_enough(len(space), check_positive_int(k, "k", 1))
    with looking_at_row_order(not sample.silent) as look:
        value = _entropy(sample, k)
    repeated, said = find_repeated_rows(space, sample.admissibility), []
    if repeated is not None and repeated.worth_a_warning:
        said.append(f"{repeated}: copies draw the entropy down, without end as they become more")
        warn(said[0], DataWarning)
    parameters = dict(k=k, se=se, unit=unit, exclusion_window=exclusion_window, neighbors_from=neighbors_from)
    record = provenance("entropy", parameters, random_state, *contents_of(sample))
    more: dict[str, Any] = {}
    if se:
        order, dealt = part_order(sample, generator)
        curve = size_curve(
            lambda rows: _entropy(sample.take(rows), k), order, fewest=2 * (k + 1), dealt=dealt, whole=value
        )
        judged = judge(curve, unit, scale)
        hidden, said_of_width = _of_wide_neighborhoods(sample, k, value, curve.parts_error, unit, scale)
        reasons = (*judged.reasons, *([said_of_width] if said_of_width else []))
        more = curve_fields(curve, scale, hidden) | dict(reliable=not reasons, reasons=reasons)
    return Entropy(
        name=str(space.name),
        value=value / scale,
        unit=unit,
        k=k,
        n_features=int((np.asarray(space.feature_weights) > 0).sum()),
        n_items=len(space),
        metric=space.metric,
        warnings=tuple(dict.fromkeys((*sample.warnings, *look.warnings, *said))),
        notes=tuple(dict.fromkeys((*sample.notes, *look.notes))),
        provenance=record,
        **more,
    )


# --------------------------------------------------------------------------------------------------------------- steps
def _check(space: Space) -> None:
    name = space.name
    if space.metric not in STRAIGHT:
        raise ParameterError(
            f"{name} has metric {space.metric!r}, whose balls have no known volume: entropy needs columns compared by "
            "'euclidean', 'manhattan' or 'chebyshev'"
        )
    _refuse_constant(space)


def _refuse_constant(space: Space) -> None:
    columns = space.features
    if space.backend == "numpy" and space.metric in STRAIGHT:
        used = np.asarray(space.feature_weights) > 0
        constant = np.flatnonzero((columns.min(0) == columns.max(0)) & used)
        if len(constant):
            which = space.column_name(int(constant[0]))
            raise DataError(f"{which} of {space.name} never varies, so its entropy is minus infinity: leave it out")


def _entropy(sample: JointSample, k: int) -> float:
    from scipy.special import digamma

    (space,) = sample.spaces
    graph = nearest(space, k, **sample.options)
    squared = graph.squared.reshape(len(graph), -1)[:, -1]
    if (squared == 0).any():
        rows = np.flatnonzero(squared == 0)
        listed = ", ".join(map(str, rows[:LISTED])) + (", ..." if len(rows) > LISTED else "")
        raise DataError(
            f"{len(rows)} rows of {space.name} are there more than {k} times (rows {listed}), and the entropy of what "
            "repeats is minus infinity: leave repeats out, take a larger k, or add the noise of the measurement"
        )
    return float((digamma(graph.admissible + 1.0) - digamma(k) + log_volumes(space, np.sqrt(squared))).mean())


def _of_wide_neighborhoods(
    sample: JointSample, k: int, value: float, se: float, unit: str, scale: float
) -> tuple[float, str]:
    """What neighbourhoods may hide because the density changes within them, and what is said where that is much."""
    (space,) = sample.spaces
    try:
        wide = _entropy(sample, WIDER * k)
    except (DataError, ParameterError):  # more than there are, beyond half a period, or more than a window leaves
        return 0.0, ""
    d = int((np.asarray(space.feature_weights) > 0).sum())
    return width_of_entropy(value, wide, k=k, n_rows=len(space), se=se, n_dimensions=d, unit=unit, scale=scale)


def log_volumes(space: Space, radii: Floats) -> Floats:
    """Logarithms of the volumes of balls, in the units of the columns and inside their periods."""
    weights = np.asarray(space.feature_weights)
    used = weights > 0
    weights, period = weights[used], np.asarray(space.period)[used] * weights[used]
    d = int(used.sum())
    if space.metric == "chebyshev" or d == 1:
        sides = [np.minimum(2 * radii, p) if p > 0 else 2 * radii for p in period]
        return np.asarray(np.log(sides).sum(0) - np.log(weights).sum())
    shortest = period[period > 0].min(initial=np.inf)
    if radii.max() > shortest / 2:
        raise DataError(
            f"neighbours in {space.name} reach beyond half a period, where the volume of a {space.metric} ball is not "
            "known: take more rows, or metric='chebyshev'"
        )
    unit = d / 2 * np.log(np.pi) - lgamma(d / 2 + 1) if space.metric == "euclidean" else d * np.log(2) - lgamma(d + 1)
    return np.asarray(unit + d * np.log(radii) - np.log(weights).sum())
