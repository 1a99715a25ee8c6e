"""Where every item came from: its file, the row or frame there, its time and its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .array_types import ArrayLike
from .contents import choices, integers, values, whole
from .errors import DataError

FRAME, ROW = "frame", "row"


@dataclass(frozen=True)
class SourceFile:
    """A file that items were read from.

    Attributes
    ----------
    name : str
        As it was given.
    item : {"row", "frame"}
        What an item is there.
    key : str or None
        Which array of a file that holds several.
    topology : SourceFile or None
        Names of the atoms, of a trajectory that does not hold them.
    options : mapping
        How it was read, where that was said: what its reader takes.
    size, modified : int
        Bytes, and time of the last change in nanoseconds, when it was read; -1 where nobody looked.
    hash : str
        Of its contents, as ``infoscope.io.file_digest`` makes it; empty until a result is saved.
    """

    name: str
    item: str = ROW
    key: str | None = None
    topology: SourceFile | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    size: int = -1
    modified: int = -1
    hash: str = ""

    _contents = {"item": choices(ROW, FRAME), "size": whole(-1), "modified": whole(-1)}

    def __str__(self) -> str:
        return f"{self.name}/{self.key}" if self.key else self.name


@dataclass(frozen=True, eq=False)
class Origin:
    """Where N items came from, whatever start, stride, gaps, restarts and pieces lay between.

    Attributes
    ----------
    row : array (N,) of int
        Row of the file, or frame, counted from 0.
    files : tuple of SourceFile
        The files; none for arrays in memory.
    file : array (N,) of int or None
        Which of them each item is from; None: all are from the first.
    time : array (N,) or None
        When each item was seen, as it was given.
    ids : array (N,) or None
        Names of the items.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.base import Origin, SourceFile
    >>> origin = Origin(np.array([500, 510]), (SourceFile("run.xtc", "frame"),), time=np.array([50.0, 51.0]))
    >>> origin.spell(1)
    'frame 510 of run.xtc, time 51'
    """

    row: np.ndarray
    files: tuple[SourceFile, ...] = ()
    file: np.ndarray | None = None
    time: np.ndarray | None = None
    ids: np.ndarray | None = None

    _contents = {
        "row": integers("N"),
        "file": integers("N", below="files") | None,
        "time": values("N") | None,
        "ids": values("N") | None,
    }

    def __len__(self) -> int:
        return len(self.row)

    @property
    def kind(self) -> str:
        """What an item is: "frame" where all files hold frames, else "row"."""
        return FRAME if self.files and all(file.item == FRAME for file in self.files) else ROW

    def take(self, items: ArrayLike) -> Origin:
        """Those of some of the items, in the order given.

        Parameters
        ----------
        items : array of int or bool
            Numbers of items.

        Returns
        -------
        Origin
        """
        chosen = np.asarray(items)
        chosen = chosen.astype(np.int64) if not chosen.size else chosen
        parts: dict[str, Any] = {
            name: None if (array := getattr(self, name)) is None else array[chosen] for name in _ARRAYS
        }
        return replace(self, row=np.asarray(self.row)[chosen], **parts)

    def replace_known(self, *, time: ArrayLike | None = None, ids: ArrayLike | None = None) -> Origin:
        """The same with times or names, where they are known from elsewhere.

        Parameters
        ----------
        time, ids : array (N,), optional
            In place of those there.

        Returns
        -------
        Origin
        """
        given: dict[str, Any] = {
            name: np.asarray(value) for name, value in (("time", time), ("ids", ids)) if value is not None
        }
        return replace(self, **given)

    @classmethod
    def joined(cls, parts: Sequence[Origin]) -> Origin:
        """Items of several origins, one behind the other; a file of two of them stands once.

        Parameters
        ----------
        parts : sequence of Origin
            At least one.

        Returns
        -------
        Origin
            Times and names only where all parts have them.

        Examples
        --------
        >>> import numpy as np
        >>> from infoscope.base import Origin, SourceFile
        >>> first, second = (Origin(np.arange(2), (SourceFile(name),)) for name in ("a.csv", "b.csv"))
        >>> Origin.joined([first, second]).spell(3)
        'row 1 of b.csv'
        """
        if len(parts) == 1:
            return parts[0]
        memory = (SourceFile("an array"),) if any(part.files for part in parts) else ()
        files = [part.files or memory for part in parts]
        known = {repr(file): file for several in files for file in several}
        names, numbers = list(known), []
        for part, several in zip(parts, files, strict=True):
            place: np.ndarray = np.array([names.index(repr(file)) for file in several] or [0], _smallest(len(names)))
            numbers.append(np.broadcast_to(place[:1], len(part)) if part.file is None else place[part.file])
        return cls(
            np.concatenate([part.row for part in parts]),
            tuple(known.values()),
            np.concatenate(numbers) if len(known) > 1 else None,
            _all_or_none([part.time for part in parts]),
            _all_or_none([part.ids for part in parts]),
        )

    def spell(self, item: int) -> str:
        """An item in words: ``row 814 of runs.csv``; its name first, where it has one; its time last.

        Parameters
        ----------
        item : int
            Its number.

        Returns
        -------
        str
        """
        source = self.source(item)
        text = f"{source.item if source else ROW} {int(self.row[item])}"
        text += f" of {source}" if source else ""
        if self.time is not None:
            text += f", time {spell_time(self.time[item])}"
        return text if self.ids is None else f"{self.ids[item]} ({text})"

    def source(self, item: int) -> SourceFile | None:
        """The file of an item; None for an array in memory."""
        if not self.files:
            return None
        return self.files[0 if self.file is None else int(self.file[item])]

    def columns(self, items: ArrayLike | None = None) -> dict[str, np.ndarray]:
        """Columns of a table about some of the items, or all: what they are called, when, and where they stand.

        Parameters
        ----------
        items : array of int, optional
            Numbers of items.

        Returns
        -------
        dict of str to array
            ``id`` and ``time`` where they are known, ``file`` where there is one, and ``row`` (or ``frame``).
        """
        here = self if items is None else self.take(items)
        columns: dict[str, np.ndarray] = {} if here.ids is None else {"id": here.ids}
        if self.files:
            names = np.array([str(file) for file in self.files], object)
            columns["file"] = names[np.zeros(len(here), int) if here.file is None else here.file]
        columns[self.kind] = np.asarray(here.row)
        return columns if here.time is None else columns | {"time": here.time}


def spell_item(origin: Origin | None, item: int) -> str:
    """An item in words where its origin is known, else its number.

    Examples
    --------
    >>> from infoscope.base.origin import spell_item
    >>> spell_item(None, 3)
    'item 3'
    """
    return f"item {item}" if origin is None else origin.spell(item)


def spell_time(time: Any) -> str:
    """A time, or a date, for a message.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.base.origin import spell_time
    >>> spell_time(np.float64(2.0)), spell_time(np.datetime64("2020-01-31"))
    ('2', '2020-01-31')
    """
    if isinstance(time, np.datetime64):
        return str(np.datetime_as_string(time, unit="auto"))
    return f"{time:.10g}" if isinstance(time, float | int | np.number) else str(time)


DURATIONS = (("days", 86400.0), ("h", 3600.0), ("min", 60.0))


def spell_duration(duration: float, unit: str = "") -> str:
    """A stretch of time for a message: seconds in days, hours or minutes, anything else in its own unit.

    Parameters
    ----------
    duration : float
        How long.
    unit : str
        Its unit; "s" is that of data whose times are dates.

    Examples
    --------
    >>> from infoscope.base.origin import spell_duration
    >>> spell_duration(231_000.0, "s"), spell_duration(36.0, "s"), spell_duration(2.31), spell_duration(3, "rows")
    ('2.67 days', '36 s', '2.31', '3 rows')
    """
    scale = 1.0
    if unit == "s":
        unit, scale = next(((name, size) for name, size in DURATIONS if duration >= size), ("s", 1.0))
    number = f"{duration / scale:.3g}"
    return f"{number} {unit[:-1] if number == '1' and unit == 'days' else unit}".rstrip()


def check_origin(origin: Any, n: int, name: str) -> Origin:
    """Raise where an origin is not that of n items.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.base.origin import Origin, check_origin
    >>> len(check_origin(Origin(np.arange(3)), 3, "the data"))
    3
    """
    if not isinstance(origin, Origin) or any(
        array is not None and np.shape(array) != (n,) for array in (origin.row, *_arrays_of(origin))
    ):
        raise DataError(f"origin is not that of the {n} items of {name}: an Origin with one entry an item is needed")
    return origin


# --------------------------------------------------------------------------------------------------------------- steps
_ARRAYS = ("file", "time", "ids")


def _arrays_of(origin: Origin) -> list[np.ndarray | None]:
    return [getattr(origin, name) for name in _ARRAYS]


def _smallest(n: int) -> type:
    return np.uint8 if n <= 256 else np.int32


def _all_or_none(arrays: Sequence[np.ndarray | None]) -> np.ndarray | None:
    known = [array for array in arrays if array is not None]
    return np.concatenate(known) if len(known) == len(arrays) else None
