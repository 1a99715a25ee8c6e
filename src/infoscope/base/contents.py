"""What a class says of its own arrays, and whether values that were read from a file keep to it.

A class that is saved declares the entries of its arrays where it is defined, in ``_contents``: their kind, their shape
and the bounds of whole numbers, which are what compiled code indexes with. All else follows from the annotations.
"""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import lru_cache
from typing import Any, ClassVar, Literal, TypeAlias, Union, get_args, get_origin, get_type_hints

import numpy as np

from .errors import DataError

# a number; the path of a field that is a number or has a length; or a capital letter, for the length it meets first
Length: TypeAlias = "int | str"
Contents: TypeAlias = "Mapping[str, Entry]"
LARGEST = 2**62  # whole numbers of a file that are larger are none of ours
KINDS = {"integers": "iu", "numbers": "fiu", "flags": "b", "values": "biufcSUMm"}


@dataclass(frozen=True)
class Entry:
    """What one field may hold: made by the functions below; ``| None`` allows None.

    Attributes
    ----------
    kind : str
        A key of `KINDS`; or "whole" or "number", one of them and no array; or "words" or "classes", one of these.
    shape : tuple of (int or str)
        Lengths.
    low, below : int or str, optional
        Bounds of whole numbers, the second one excluded; text is the path of a field, as in `shape`.
    finite, rising : bool
        Whether every number is finite; whether they never fall.
    optional : bool
        Whether it may be None, or missing.
    words, classes : tuple
        What text may be, and what another object.
    """

    kind: str
    shape: tuple[Length, ...] = ()
    low: int | float | None = None
    below: Length | None = None
    finite: bool = False
    rising: bool = False
    optional: bool = False
    words: tuple[str, ...] = ()
    classes: tuple[type, ...] = ()

    def __or__(self, nothing: None) -> Entry:
        return replace(self, optional=True)


def integers(*shape: Length, low: int = 0, below: Length | None = None, rising: bool = False) -> Entry:
    """Whole numbers from `low` on and under `below`."""
    return Entry("integers", shape, low, below, rising=rising)


def numbers(*shape: Length, low: float | None = None, finite: bool = False) -> Entry:
    """Numbers with a fraction."""
    return Entry("numbers", shape, low, finite=finite)


def flags(*shape: Length) -> Entry:
    """True or False."""
    return Entry("flags", shape)


def values(*shape: Length) -> Entry:
    """Numbers, text or times, or whatever Python objects."""
    return Entry("values", shape)


def whole(low: int = 0, below: Length | None = None) -> Entry:
    """One whole number."""
    return Entry("whole", (), low, below)


def choices(*words: str) -> Entry:
    """One of some words."""
    return Entry("words", words=words)


def number(low: float | None = None) -> Entry:
    """One number."""
    return Entry("number", (), low)


def holds(*classes: type, length: Length | None = None) -> Entry:
    """An object of one of some classes, of some length."""
    return Entry("classes", () if length is None else (length,), classes=classes)


def contents_of(cls: type) -> dict[str, Entry]:
    """All entries that a class and those that it inherits from declare.

    Examples
    --------
    >>> from infoscope.base.contents import contents_of
    >>> from infoscope.neighbors import NeighborGraph
    >>> contents_of(NeighborGraph)["squared"].shape
    ('P',)
    """
    found: dict[str, Entry] = {}
    for one in reversed(cls.__mro__):
        found |= vars(one).get("_contents", {})
    return found


def check_contents(held: Any, given: Mapping[str, Any] | None = None) -> None:
    """Raise where an object that was read does not keep to what its class says of its fields.

    Parameters
    ----------
    held : dataclass or estimator
        What was read.
    given : mapping, optional
        Values by name, where they are not the fields of a dataclass.

    Raises
    ------
    DataError
        With the name of the field, what it must be, and what it is.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.base.contents import check_contents
    >>> from infoscope.neighbors import NeighborGraph
    >>> one = np.array([0])
    >>> check_contents(NeighborGraph(one, np.array([0, 1]), np.array([-7]), np.array([1.0]), one))
    Traceback (most recent call last):
    ...
    infoscope.base.errors.DataError: items of NeighborGraph holds -7, and must be at least 0
    """
    cls = type(held)
    if given is None:
        given = {item.name: getattr(held, item.name) for item in fields(held)}
        _check_kinds(cls, given)
    lengths: dict[str, int] = {}
    for name, entry in contents_of(cls).items():
        if name not in given:
            if entry.optional:
                continue
            raise DataError(f"{cls.__name__} lacks {name}")
        if given[name] is None:
            if not entry.optional and not is_dataclass(cls):  # of a dataclass, annotations say it
                raise DataError(f"{name} of {cls.__name__} is None, and must not be")
            continue
        _check_entry(f"{name} of {cls.__name__}", given[name], entry, held, lengths)
    more = getattr(cls, "_check_contents", None)
    if more is not None:
        more(held)


# ------------------------------------------------------------------------------------------------------------- entries
def _check_entry(where: str, value: Any, entry: Entry, held: Any, lengths: dict[str, int]) -> None:
    if entry.kind in ("words", "classes", "whole", "number"):
        _check_one(where, value, entry, held)
        return
    if not isinstance(value, np.ndarray):
        raise DataError(f"{where} is {_spell_value(value)}, and must be an array")
    kinds = KINDS[entry.kind] + ("O" if entry.kind == "values" else "")
    if value.dtype.kind not in kinds or value.dtype == np.float16:  # which numba cannot compile for
        raise DataError(f"{where} holds {value.dtype}, and must hold {entry.kind}")
    shape = tuple(_length(one, held, lengths, n) for one, n in zip(entry.shape, value.shape, strict=False))
    if value.ndim != len(entry.shape) or shape != value.shape:
        wanted = tuple(_length(one, held, lengths, one) for one in entry.shape)
        raise DataError(f"{where} has shape {value.shape}, and must have {wanted}".replace("'", ""))
    if not value.size:
        return
    if entry.finite and not np.isfinite(value).all():
        raise DataError(f"{where} holds a number that is not finite")
    if entry.low is not None or entry.below is not None:
        least, most = value.min(), value.max()  # NaN where there is one
        _check_bounds(where, least, most, entry, held)
    if entry.rising and (np.diff(value) < 0).any():
        raise DataError(f"{where} must not fall")


def _check_one(where: str, value: Any, entry: Entry, held: Any) -> None:
    """What is no array."""
    if entry.kind == "words":
        if not isinstance(value, str) or value not in entry.words:
            raise DataError(f"{where} must be one of {', '.join(map(repr, entry.words))}")
    elif entry.kind == "classes":
        if not isinstance(value, entry.classes):
            raise DataError(f"{where} is {_spell_value(value)}, and must be a {entry.classes[0].__name__}")
        if entry.shape and (n := _length_of(value)) != (length := _number_at(entry.shape[0], held)):
            raise DataError(f"{where} has {n} items, and must have {length}")
    elif not fits(value, int if entry.kind == "whole" else float):
        raise DataError(f"{where} is {_spell_value(value)}, and must be a {'whole ' * (entry.kind == 'whole')}number")
    else:
        _check_bounds(where, value, value, entry, held)


def _length_of(value: Any) -> int:
    return len(value)


def _check_bounds(where: str, least: Any, most: Any, entry: Entry, held: Any) -> None:
    whole_numbers = isinstance(least, int | np.integer)
    if entry.low is not None and least < entry.low:
        raise DataError(f"{where} holds {_spell_value(least)}, and must be at least {entry.low}")
    below = LARGEST if entry.below is None else _number_at(entry.below, held)
    if whole_numbers and most >= below and (entry.below is not None or entry.kind == "whole"):
        raise DataError(f"{where} holds {_spell_value(most)}, and must be under {below}")


def _length(one: Length, held: Any, lengths: dict[str, int], met: Any) -> Any:
    """A length that is given, that a field says, or that its letter met before."""
    if isinstance(one, str) and len(one) == 1 and one.isupper():
        return lengths.setdefault(one, met) if isinstance(met, int) else lengths.get(one, one)
    return _number_at(one, held)


def _number_at(path: Length, held: Any) -> int:
    """A number, the value of a field, or its length."""
    if isinstance(path, int):
        return path
    for name in path.split("."):
        held = getattr(held, name)
    return int(held) if isinstance(held, int | np.integer) else len(held)


def _spell_value(value: Any) -> str:
    """A value, short enough for a sentence."""
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype}"
    if isinstance(value, int | float | bool | np.generic | None):
        text = f"{value:.4g}" if isinstance(value, float | np.floating) else "a huge number"
        small = isinstance(value, int | np.integer) and abs(int(value)) < LARGEST
        return str(value) if value is None or isinstance(value, bool) or small else text
    return f"a {type(value).__name__}"


# --------------------------------------------------------------------------------------------------------- annotations
@lru_cache
def hints_of(cls: type) -> Mapping[str, Any]:
    """Annotations of the fields of a dataclass of the library; of others, which may be wrong, none.

    Examples
    --------
    >>> from infoscope.base.contents import hints_of
    >>> from infoscope.statistics import CorrelationTime
    >>> hints_of(CorrelationTime)["slowest"]
    <class 'int'>
    """
    return get_type_hints(cls) if cls.__module__.partition(".")[0] == __name__.partition(".")[0] else {}


def _check_kinds(cls: type, given: Mapping[str, Any]) -> None:
    for name, hint in hints_of(cls).items():
        if name in given and not fits(given[name], hint):
            raise DataError(
                f"{name} of {cls.__name__} is {_spell_value(given[name])}, and must be {_describe_hint(hint)}"
            )


def fits(value: Any, hint: Any) -> bool:
    """Whether a value is what an annotation says; annotations that are not understood hold for all.

    Examples
    --------
    >>> from infoscope.base.contents import fits
    >>> fits(3, int | None), fits(("a", 1), tuple[str, ...]), fits(True, float)
    (True, False, False)
    """
    origin, inside = get_origin(hint), get_args(hint)
    if hint is Any or hint is object or origin is ClassVar:
        return True
    if origin in (Union, types.UnionType):
        return any(fits(value, one) for one in inside)
    if origin is Literal:
        return isinstance(value, str | int) and value in inside
    if hint is None or hint is types.NoneType:
        return value is None
    plain = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if hint is int:
        return plain and abs(int(value)) < LARGEST
    if hint is float:
        return (plain and abs(int(value)) < LARGEST) or isinstance(value, float | np.floating)
    if hint is bool:
        return isinstance(value, bool | np.bool_)
    if origin is np.ndarray:
        return isinstance(value, np.ndarray) and _fits_dtype(value, inside)
    if origin is tuple:
        if not isinstance(value, tuple):
            return False
        each = inside[:1] * len(value) if inside[1:] == (...,) else inside
        return len(each) == len(value) and all(fits(one, hint) for one, hint in zip(value, each, strict=True))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return isinstance(value, Mapping) and all(
            fits(key, inside[0]) and fits(one, inside[1]) for key, one in value.items()
        )
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return isinstance(value, list | tuple) and all(fits(one, inside[0]) for one in value)
    return not isinstance(hint, type) or isinstance(value, hint)


def _fits_dtype(value: np.ndarray, inside: tuple[Any, ...]) -> bool:
    kinds = {np.integer: "iu", np.floating: "f"}
    asked = [get_origin(one) or one for dtype in inside[1:] for one in get_args(dtype)]
    return all(value.dtype.kind in kinds[one] for one in asked if one in kinds)


def _describe_hint(hint: Any) -> str:
    words = {int: "a whole number", float: "a number", bool: "True or False", str: "text", np.ndarray: "an array"}
    inside = [one for one in get_args(hint) if one is not types.NoneType]
    if get_origin(hint) is Literal:
        return " or ".join(repr(one) for one in inside)
    if get_origin(hint) in (Union, types.UnionType):
        nothing = ["None"] if types.NoneType in get_args(hint) else []
        return " or ".join([*(_describe_hint(one) for one in inside), *nothing])
    return words.get(hint, getattr(get_origin(hint) or hint, "__name__", "something else"))
