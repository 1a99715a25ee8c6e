"""What a fitted density says about itself: what was done, and what to be careful with."""

from __future__ import annotations

from typing import Any

import numpy as np

from infoscope.base.origin import spell_duration
from infoscope.dimension.automatic_width import FIRST, is_auto
from infoscope.dimension.k_star import WIDE_TIES, ends_inside_ties, reaches_end
from infoscope.neighbors import Space, is_series

from .edges import METRICS
from .neighborhoods import TOO_WIDE, beyond_half_period
from .statistical_inefficiency import Correlated
from .unique_points import Sample, mass_within

FEW_LOCAL = 5.0  # effective neighbours below which weights leave too little


def notes_and_warnings(fitted: Any, unsettled: int) -> tuple[list[str], list[str]]:
    """What a fitted density (`estimators.PointDensity`) has to say."""
    sample = fitted.sample_
    notes, warnings = list(sample.notes), []
    if fitted.dimension is None:
        notes.append(
            f"the intrinsic dimension {fitted.dimension_:.3g} is that of ABIDE; its error is not in the "
            "errors of the density"
        )
    if (scale := fitted._dimension_scale) is not None:
        notes += scale.notes()
        if not scale.agrees:
            warnings.append(
                f"the dimension is {fitted.dimension_:.3g} by neighbourhoods of {scale.point.mean_k:.0f} items and "
                f"{scale.nearest:.3g} ± {scale.nearest_se:.2g} by the two nearest (TWO-NN): noise, or fine structure; "
                "pass dimension= if you know at which scale you ask"
            )
    if unsettled:
        notes.append(
            f"{unsettled} points have too many neighbours at one distance for PAk; the density of their "
            "k* neighbours is given"
        )
    if sample.weighted:
        notes.append(
            "weights are mass in place of counts; k* is tested on plain counts"
            + (
                "; PAk has no weighted likelihood: its value for the plain sample times the mean weight of the "
                "neighbours is approximate"
                if fitted.method == "PAk"
                else ""
            )
        )
        mass, square = mass_within(sample, sample.table.items, fitted._k)
        local = float(np.median(mass**2 / square))
        if local < FEW_LOCAL:
            warnings.append(f"the weights leave a typical point {local:.2g} effective neighbours: use more")
    width = sample.table.distances.shape[1]
    asked = getattr(fitted, "max_neighbors", width)
    if is_auto(asked) and width != FIRST:
        notes.append(f"max_neighbors='auto' used {width} neighbours")
    elif not is_auto(asked) and asked > width and width == sample.table.n_items - 1:
        warnings.append(f"max_neighbors={asked} is more than the {width} other points there are: {width} were used")
    more = width < sample.table.n_items - 1
    if more and fitted.method != "k-NN" and (capped := float(np.mean(reaches_end(sample.table, fitted._k)))) > 0.5:
        how = "raise max_neighbors" if width < fitted._offered else "build the graph with more"
        warnings.append(f"{capped:.0%} of the points would use more than {width} neighbours: {how}")
    if fitted.method != "k-NN" and (inside := int(ends_inside_ties(sample.table, fitted._k).sum())):
        warnings.append(WIDE_TIES.format(inside, width))
    warnings += _beyond_half_period(sample, fitted._k)
    if fitted._bias is not None:
        notes.append("the bias potential was added to the log density of the biased sample")
        warnings += filter(None, [fitted._bias.warning])
    if fitted._calibrated is not None:
        notes.append(fitted._calibrated.note)
    elif fitted.calibrate and sample.space is not None and sample.space.metric not in METRICS:
        notes.append(
            f"errors are as theory claims: metric {sample.space.metric!r} has no coordinates to calibrate them in"
        )
    said, loud = _on_correlated(fitted._correlated, fitted.space_)
    notes, warnings = notes + said, warnings + loud
    return notes, warnings


# --------------------------------------------------------------------------------------------------------------- steps
def _on_correlated(found: Correlated | None, space: Space | None) -> tuple[list[str], list[str]]:
    """Notes and warnings about rows of a series."""
    if space is None or not is_series(space):
        return [], []
    if found is None:
        return [], [
            "the rows are a trajectory: errors count them as independent, and are too small when neighbours in time "
            "are near each other"
        ]
    low, middle, high = np.sqrt(np.quantile(found.inefficiency, [0.05, 0.5, 0.95]))
    notes = [
        f"rows are correlated: errors are those of independent rows times {middle:.2g} ({low:.2g} to {high:.2g} over "
        f"the points), from how often neighbours were visited together within "
        f"{spell_duration(found.window, space.time_unit)}"
    ]
    short = ["the runs are too short for their correlation time: errors may still be too small"]
    return (notes if high > 1.05 else []), (short if found.too_short else [])


def _beyond_half_period(sample: Sample, k) -> list[str]:
    far = beyond_half_period(sample, k)
    return (
        [
            f"{far:.0%} of the neighbourhoods are wider than half a period: their volumes are too large; use fewer "
            "neighbours"
        ]
        if far > TOO_WIDE
        else []
    )
