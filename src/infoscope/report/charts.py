"""Curves with bands, bars with intervals and matrices, from the numbers that a picture shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from infoscope.base import Result, plain
from infoscope.base.errors import ParameterError
from infoscope.base.printable import printable

from .answers import Answer
from .explorer import colour_scale, rows_of_groups
from .markup import data_block, tag

if TYPE_CHECKING:
    import pandas

MOST_BARS, MOST_PLACES, MOST_CELLS, MOST_SERIES = 80, 5000, 10_000, 6


def chart_data(answer: Answer) -> dict[str, Any] | None:
    """What the chart of a result draws; None where its numbers make none."""
    return None if answer.result is None else _chart(answer, answer.result)


def chart_of(data: dict[str, Any] | None, number: int) -> tuple[str, str]:
    """Markup of a chart, and the block of its data; two empty texts where there is none."""
    if data is None:
        return "", ""
    box = tag("div", "", id=f"chart-{number}", class_="interactive chart", hidden=True)
    return box, data_block(data | {"number": number}, f"chart-data-{number}")


def rows_of_chart(data: dict[str, Any] | None, n_rows: int) -> int:
    """How many rows of the table stand for a bar or place of the chart, in its order: all or none."""
    return n_rows if data is not None and data["kind"] != "matrix" and len(data["names"]) == n_rows else 0


# --------------------------------------------------------------------------------------------------------------- steps
def _chart(answer: Answer, result: Result) -> dict[str, Any] | None:
    frame = _numbers(answer, result)
    if frame is None or not 2 <= len(frame) <= MOST_CELLS:  # of one number the drawing says more
        return None
    series = [name for name in frame.columns if f"{name}_se" in frame.columns and frame[name].dtype.kind in "fiu"]
    if not series:
        return None
    heads = [str(name) for name in frame.columns[:2]]
    if len(heads) == 2 and heads[0].endswith("_a") and heads[1].endswith("_b"):
        return _matrix(frame, series[0])
    labels = frame.iloc[:, 0]
    if not labels.is_unique or frame.columns[0] in series:
        return None
    # places that are numbers of states and the like are no scale
    as_curve = labels.dtype.kind in "fiu" and len(frame) > 2 and not rows_of_groups(answer, len(frame))
    if len(frame) > (MOST_PLACES if as_curve else MOST_BARS):
        return None
    return {
        "kind": "curve" if as_curve else "bars",
        "word": printable(str(frame.columns[0])),
        "names": [printable(str(plain(one))) for one in labels],
        "x": plain(labels.astype(float).to_numpy()) if as_curve else list(range(len(frame))),
        "series": [_series(frame, name) for name in series[:MOST_SERIES]],
    }


def _numbers(answer: Answer, result: Result) -> pandas.DataFrame | None:
    """What the picture shows; of states and regions their table, for their points are another picture."""
    if rows_of_groups(answer, len(result._rows())):
        return result.to_frame()
    if not result.pictures():
        return None
    try:
        return result.plot_data()
    except (ParameterError, TypeError):  # the drawing says why
        return None


def _series(frame: pandas.DataFrame, name: str) -> dict[str, Any]:
    value, error = (frame[column].to_numpy(float, na_value=np.nan) for column in (name, f"{name}_se"))
    return {"name": printable(str(name).replace("_", " ")), "value": plain(value), "se": plain(error)}


def _matrix(frame: pandas.DataFrame, name: str) -> dict[str, Any] | None:
    a, b = (frame.iloc[:, c].astype(str) for c in (0, 1))
    if frame.iloc[:, :2].duplicated().any():
        return None
    across, up = list(dict.fromkeys(b)), list(dict.fromkeys(a))
    return {
        "kind": "matrix",
        "word": printable(str(name).replace("_", " ")),
        "names": [printable(one) for one in up],
        "across": [printable(one) for one in across],
        "x": [across.index(one) for one in b],
        "y": [up.index(one) for one in a],
        "series": [_series(frame, name)],
        "scale": colour_scale(),
    }
