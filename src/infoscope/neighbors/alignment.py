"""Whether row i of two spaces is the same item, judged by what was given: names, numbers of a frame, times and runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from infoscope.base import DataError, checks, warn
from infoscope.base.array_types import Ints

from .space import Space

EPOCH = np.datetime64(0, "s")


def check_same_items(first: Space, other: Space) -> None:
    """Raise where two spaces hold different items, or the same in another order; what only one carries is not compared.

    Parameters
    ----------
    first, other : Space
        With names, for the messages.

    Raises
    ------
    DataError
        Different numbers of rows, ids, times or runs; the first row that differs is named.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.neighbors import Space, check_same_items
    >>> a, b = (Space(np.eye(3), time=np.arange(3) + start, name=name) for name, start in (("a", 0), ("b", 1)))
    >>> check_same_items(a, b)
    Traceback (most recent call last):
    ...
    infoscope.base.errors.DataError: a and b carry different times, first in row 0: 0 in a, 1 in b. ...
    """
    if len(first) != len(other):
        raise DataError(
            f"{first.name} has {len(first)} rows, {other.name} has {len(other)}: both must describe the same items, in "
            "the same order"
        )
    checks.check_ids(first.ids, other.ids, str(first.name), str(other.name))
    _check_numbering(first, other)
    _check_times(first, other)
    _check_runs(first, other)


def share_items(spaces: Sequence[Space]) -> tuple[list[Space], list[str]]:
    """Spaces of the same items with equal weights, times and runs: what only some carry, the others borrow.

    Parameters
    ----------
    spaces : sequence of Space
        With names, for messages and notes.

    Returns
    -------
    spaces : list of Space
        In the order given.
    notes : list of str
        Who borrowed what from whom.

    Raises
    ------
    DataError
        As `check_same_items`, for every pair of them; weights that differ.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.neighbors import Space, share_items
    >>> shared, notes = share_items([Space(np.eye(3), time=[0, 1, 2], name="a"), Space(np.eye(3), name="b")])
    >>> shared[1].time, notes
    (array([0., 1., 2.]), ['b carries no time: taken from a'])
    """
    first = spaces[0]
    for other in spaces[1:]:
        check_same_items(first, other)
    borrowed: list[dict[str, Any]] = [{} for _ in spaces]  # put in together: times mean little without runs
    taken: dict[tuple[str | None, str | None], list[str]] = {}
    for what in ("sample_weight", "time", "run"):
        owner = next((s for s in spaces if getattr(s, what) is not None), None)
        if owner is None:
            continue
        for space, lacking in zip(spaces, borrowed, strict=True):
            if getattr(space, what) is None:
                lacking[what] = owner.about_items()[what]
                taken.setdefault((space.name, owner.name), []).append(what)
            elif what == "sample_weight":
                _check_weights_agree(owner, space)
            elif space is not owner:
                check_same_items(owner, space)  # the first space may carry none
    made = [space.replace(**lacking) if lacking else space for space, lacking in zip(spaces, borrowed, strict=True)]
    return made, [f"{name} carries no {', '.join(what)}: taken from {owner}" for (name, owner), what in taken.items()]


def _check_weights_agree(owner: Space, space: Space) -> None:
    differs = owner.sample_weight != space.sample_weight
    if differs.any():
        row = int(np.argmax(differs))
        raise DataError(
            f"{owner.name} and {space.name} carry different sample_weight, first in row {row} "
            f"({owner.sample_weight[row]:g} and {space.sample_weight[row]:g}): give both the same, or make one with "
            "space.replace(sample_weight=...)"
        )


def _check_numbering(first: Space, other: Space) -> None:
    """The numbers 0 ... N - 1 of a frame are names as long as the other frame's are numbers too."""
    for counted, numbered in ((first, other), (other, first)):
        ids = numbered.ids
        if not counted.counted or ids is None or ids.dtype.kind not in "iu":
            continue
        natural = np.arange(len(ids))
        if np.array_equal(ids, natural):
            return
        row = int(np.argmax(ids != natural))
        reset = f"{numbered.name}.reset_index(drop=True) says that row i is the same item all the same"
        if np.array_equal(np.sort(ids), natural):
            raise DataError(
                f"ids differ: row {row} is {row} in {counted.name} and {ids[row]} in {numbered.name}; the same ids in "
                f"another order: sort {numbered.name} like {counted.name} ({numbered.name}.sort_index()). {reset}"
            )
        warn(
            f"the index of {numbered.name} says that its row {row} is {ids[row]}, and {counted.name} has the default "
            f"index 0 to {len(ids) - 1}: rows are taken as the same items in the order given. {reset}"
        )


def _check_times(first: Space, other: Space) -> None:
    if first.time is None or other.time is None:
        return
    a, b = (space.time if space.given_time is None else space.given_time for space in (first, other))
    dates = [times.dtype.kind == "M" for times in (a, b)]
    if dates == [True, False]:
        a = (a - EPOCH) / np.timedelta64(1, "s")
    elif dates == [False, True]:
        b = (b - EPOCH) / np.timedelta64(1, "s")
    if np.array_equal(a, b):
        return
    row = int(np.argmax(a != b))
    names = f"{first.name} and {other.name}"
    values = f"{_spell(first, row)} in {first.name}, {_spell(other, row)} in {other.name}"
    if any(dates) and not all(dates):
        way_out = "Numbers stand for the same times as dates where they are seconds since 1970-01-01: give both dates"
    elif np.array_equal(np.sort(a), np.sort(b)):
        way_out = f"The same times in another order: sort {other.name} like {first.name}"
    else:
        n_common = len(np.intersect1d(a, b))
        way_out = f"{n_common} of {len(a)} times are in both: choose the rows of common times, in the same order"
    raise DataError(f"{names} carry different times, first in row {row}: {values}. {way_out}.")


def _check_runs(first: Space, other: Space) -> None:
    """Names of runs are compared; numbers 0, 1, ... count as places, whatever the other side calls them."""
    if first.run is None or other.run is None:
        return
    if not (_are_places(first) or _are_places(other)):
        a, b = first.run_names[first.run], other.run_names[other.run]
        differs = np.asarray(a != b)
    else:
        a, b = first.run, other.run
        differs = _in_order(a) != _in_order(b)
    if differs.any():
        row = int(np.argmax(differs))
        named = [f"{space.run_names[space.run[row]]} in {space.name}" for space in (first, other)]
        raise DataError(
            f"{first.name} and {other.name} carry different run, first in row {row}: {', '.join(named)}. Give both the "
            "same, or make one with space.replace(run=...)"
        )


def _are_places(space: Space) -> bool:
    names = space.run_names
    return names.dtype.kind in "iu" and np.array_equal(names, np.arange(len(names)))


def _in_order(codes: Ints) -> Ints:
    """The same groups, numbered in the order in which they appear."""
    _, first, group = np.unique(codes, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[group.reshape(-1)]


def _spell(space: Space, row: int) -> str:
    if space.given_time is None:
        return f"{space.time[row]:.15g}"
    text = str(space.given_time[row])
    return text.partition("T00:00:00")[0] if text.partition("T00:00:00")[2].strip("0.") == "" else text
