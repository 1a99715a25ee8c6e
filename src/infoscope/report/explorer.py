"""What the explorer of a page is given: points, where they are from, and the commands that fetch them."""

from __future__ import annotations

import shlex
from typing import Any

import numpy as np

from infoscope.base import Origin, plain
from infoscope.base.plot_style import APART, colour_of
from infoscope.base.printable import printable

from .answers import WHOLE, Answer
from .markup import data_block, tag, text_of
from .packing import packed, packed_texts
from .points import Points, thinned

SCALE_STEPS = 64


def explorer_of(answer: Answer, number: int) -> tuple[str, str]:
    """Markup of the explorer, and the block of its data; two empty texts where there are no points."""
    points = answer.points
    if points is None:
        return "", ""
    shown = thinned(points)
    said = _describe_omissions(points, shown)
    note = tag("p", text_of(said), class_="aside") if said else ""
    box = tag("div", "", id=f"explorer-{number}", class_="interactive", hidden=True)
    return box + note, data_block(_data(answer, points, shown, number), f"points-{number}")


def rows_of_groups(answer: Answer, n_rows: int) -> int:
    """How many rows of the table are groups of points: states, or regions."""
    points = answer.points
    if points is None:
        return 0
    named = sum(name.startswith(f"{points.group_word} ") for name in points.groups)
    return named if named == n_rows else 0


def _describe_omissions(points: Points, shown: Points) -> str:
    """What is not on the page."""
    parts = [points.said] if points.said else []
    if len(shown) < len(points):
        parts.append(
            f"Of {len(points):,} items {len(shown):,} are drawn and can be selected here, of every {points.group_word} "
            "the same share (of small ones more); tables, and commands for a whole state or region, know all of them."
        )
    if len(points.coordinates) < points.n_columns:
        parts.append(f"Of {points.n_columns} columns {len(points.coordinates)} can be chosen, those that stand out.")
    return " ".join(parts)


def _data(answer: Answer, points: Points, shown: Points, number: int) -> dict[str, Any]:
    """All that the script needs, as JSON; names are made harmless for the eye here, for the markup by the script."""
    origin, whole = shown.origin, _weights(points)
    count, weight = (np.bincount(points.group, each, len(points.groups)) for each in (None, whole))
    columns: dict[str, np.ndarray] = {"group": shown.group, "row": shown.items if origin is None else origin.row}
    if origin is not None and origin.file is not None:
        columns["file"] = np.asarray(origin.file)
    dated = False
    if origin is not None and origin.time is not None:
        columns["time"], dated = _times(np.asarray(origin.time))
    each = _weights(shown)
    share = np.bincount(shown.group, each, len(points.groups))
    if points.weight is not None or len(shown) < len(points):
        scale = np.divide(weight, share, out=np.zeros_like(weight), where=share > 0)
        columns["weight"] = each * scale[shown.group] / weight.sum()
    drawn = {f"c{place}": column for place, column in enumerate((*shown.coordinates.values(), *shown.values.values()))}
    exact = {
        f"c{place}" for place, name in enumerate((*shown.coordinates, *shown.values)) if name.startswith("p-value")
    }
    text, parts = packed(columns | drawn, levels=set(drawn) - exact, wide=["time"])
    return {
        "number": number,
        "text": text,
        "parts": parts,
        "coordinates": [printable(name) for name in shown.coordinates],
        "values": [printable(name) for name in shown.values],
        "word": points.group_word,
        "groups": _groups(points, count, weight),
        "items": len(points),
        "kind": "item" if origin is None else origin.kind,
        "files": [] if origin is None else [str(file) for file in origin.files],
        "dated": dated,
        "ids": "" if origin is None or origin.ids is None else packed_texts([str(one) for one in origin.ids]),
        "scale": colour_scale(),
        "marks": _marks(points),
        **_extract(answer, origin),
    }


def _groups(points: Points, count: np.ndarray, weight: np.ndarray) -> list[dict[str, Any]]:
    named = [name.startswith(points.group_word) for name in points.groups]
    greys = iter(APART * len(points.groups))
    return [
        {
            "name": printable(name),
            "colour": colour_of(number) if named[number] else next(greys),
            "count": int(count[number]),
            "share": float(weight[number] / weight.sum()),
            "extract": points.extract.get(number, ""),
        }
        for number, name in enumerate(points.groups)
    ]


def _marks(points: Points) -> list[dict[str, Any]]:
    columns = [*points.coordinates.values(), *points.values.values()]
    return [
        {"text": text, "at": plain([float(column[item]) for column in columns])} for text, item in points.marks.items()
    ]


def _weights(points: Points) -> np.ndarray:
    return np.ones(len(points)) if points.weight is None else np.asarray(points.weight, float)


def _extract(answer: Answer, origin: Origin | None) -> dict[str, str]:
    """The command that fetches items, and where to; nothing where they came from no file."""
    if origin is None or not origin.files:
        return {"extract": "", "suffix": ""}
    known = answer.file.lower().endswith(WHOLE)
    return {
        "extract": f"infoscope extract {shlex.quote(answer.file) if known else 'RESULT.npz'}",
        "suffix": ".pdb" if origin.kind == "frame" else ".csv",
    }


def _times(time: np.ndarray) -> tuple[np.ndarray, bool]:
    """Times as numbers; dates as milliseconds since 1970, and whether they are that."""
    if time.dtype.kind == "M":
        return time.astype("datetime64[ms]").astype(np.int64).astype(float), True
    if time.dtype.kind in "iuf":
        return time.astype(float), False
    return np.array([plain(one) if isinstance(one, int | float) else np.nan for one in time.tolist()], float), False


def colour_scale() -> list[str]:
    """Colours of numbers, from low to high."""
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    return [to_hex(colour) for colour in colormaps["viridis"](np.linspace(0, 1, SCALE_STEPS))]
