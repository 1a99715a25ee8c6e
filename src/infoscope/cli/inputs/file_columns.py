"""What the files themselves say about their rows: when, in which run, of which name and weight."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from infoscope.base.errors import DataError
from infoscope.io.runs import piece_runs

from .read_space import ReadSpace

FIELDS = {"time": "--time", "ids": "--ids", "sample_weight": "--weights"}


def brought_arrays(spaces: Sequence[ReadSpace], given: Collection[str]) -> dict[str, Any]:
    """Arrays over the items that the files bring, except those `given` by options; spaces must agree in them."""
    arrays: dict[str, Any] = {}
    runs = {space.name: piece_runs(space.tables) for space in spaces if _knows_runs(space)}
    if runs and "--run" not in given:
        known = {name: _in_order_of_appearance(codes) for name, codes in runs.items()}
        arrays["run"] = _agree_on("run", "--run", known, spaces)
    for field, flag in FIELDS.items():
        known = {
            space.name: np.concatenate([getattr(table, field) for table in space.tables])
            for space in spaces
            if getattr(space.tables[0], field) is not None
        }
        if known and flag not in given:
            arrays[field] = _agree_on(field, flag, known, spaces)
    return arrays


def same_numbers(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Where two arrays hold the same, numbers up to the digits that text files print.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.cli.inputs.file_columns import same_numbers
    >>> same_numbers(np.array([0.1, 2.0]), np.array([0.1000000001, 3.0])).tolist()
    [True, False]
    """
    if {a.dtype.kind, b.dtype.kind} & set("biuf") and "M" in (
        a.dtype.kind,
        b.dtype.kind,
    ):  # dates, and seconds of dates
        a, b = _in_seconds(a), _in_seconds(b)
    if a.dtype.kind in "biuf" and b.dtype.kind in "biuf":
        return np.isclose(a, b, rtol=1e-6, atol=0)
    return np.asarray(a == b)


# ------------------------------------------------------------------------------------------------------------- steps
def _in_seconds(times: np.ndarray) -> np.ndarray:
    """Dates in seconds since 1970, numbers as they are."""
    return times if times.dtype.kind != "M" else (times - np.datetime64("1970-01-01")) / np.timedelta64(1, "s")


def _knows_runs(space: ReadSpace) -> bool:
    return len(space.tables) > 1 or space.tables[0].run is not None


def _in_order_of_appearance(codes: np.ndarray) -> np.ndarray:
    """Runs numbered 0, 1, ... as they come, so that two spaces with the same runs have the same numbers."""
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]


def _agree_on(field: str, flag: str, known: dict[str, np.ndarray], spaces: Sequence[ReadSpace]) -> np.ndarray:
    """What the first space knows, once no other contradicts it."""
    (first, values), *others = known.items()
    for name, other in others:
        differs = ~same_numbers(values, other)
        if differs.any():
            row = int(np.argmax(differs))
            place = next(space for space in spaces if space.name == first).spell(row)
            way_out = f"{flag} FILE, or --time none" if flag == "--time" else f"{flag} FILE"
            raise DataError(
                f"the files of {first} and {name} disagree in their {field.replace('_', ' ')}, first in {place}: "
                f"{values[row]} and {other[row]}. Are these the same items? If so, say {way_out}"
            )
    return values
