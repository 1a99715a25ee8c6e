"""Dataclass fields as JSON and arrays, and back: what is read can build result objects and nothing else."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from importlib import import_module
from typing import Any

import numpy as np

from infoscope.base import Provenance, Result, result_classes
from infoscope.base.errors import DataError, ParameterError

PACKAGE = "infoscope"
ROOMS = ("base", "statistics", "neighbors", "imbalance")  # where result classes live
KIND = "is"  # key that says what a JSON object stands for


class Writer:
    """Turns values into JSON; arrays are put aside under names that the JSON mentions."""

    def __init__(self) -> None:
        self.arrays: dict[str, np.ndarray] = {}

    def write(self, value: Any, where: str = "") -> Any:
        """JSON for a value; `where` is its place, for errors."""
        if value is None or type(value) in (bool, int, str):
            return value
        if type(value) is float:  # JSON has no name for the others
            return value if math.isfinite(value) else {KIND: "float", "value": repr(value)}
        if type(value) is complex:
            return {KIND: "complex", "parts": [self.write(value.real), self.write(value.imag)]}
        if type(value) is np.ndarray:
            return self._array(value, where)
        if isinstance(value, np.generic):
            return {KIND: "scalar", "array": self._put(np.asarray(value), where)}
        if type(value) in (list, tuple):
            items = [self.write(item, f"{where}[{index}]") for index, item in enumerate(value)]
            return items if type(value) is list else {KIND: "tuple", "items": items}
        if isinstance(value, Mapping):
            pairs = [[self.write(key, where), self.write(item, f"{where}[{key!r}]")] for key, item in value.items()]
            return {KIND: "mapping", "pairs": pairs}
        if isinstance(value, (Result, Provenance)) and is_dataclass(value):
            own = {item.name: getattr(value, item.name) for item in fields(value)}
            inside = {name: self.write(part, f"{where}.{name}".lstrip(".")) for name, part in own.items()}
            return {KIND: "result", "class": name_of(type(value)), "fields": inside}
        raise ParameterError(
            f"{where or 'this'} is a {type(value).__name__}, which cannot be saved: results hold numbers, text, "
            "arrays, lists, tuples, mappings and results"
        )

    def _array(self, value: np.ndarray, where: str) -> dict[str, Any]:
        if value.dtype.kind == "O":
            items = [self.write(item, f"{where}[{index}]") for index, item in enumerate(value.ravel().tolist())]
            return {KIND: "objects", "shape": list(value.shape), "items": items}
        return {KIND: "array", "array": self._put(value, where)}

    def _put(self, array: np.ndarray, where: str) -> str:
        if array.dtype.hasobject or array.dtype.kind == "T":
            raise ParameterError(
                f"{where or 'this'} is an array of {array.dtype}, which cannot be saved without pickle"
            )
        name = f"a{len(self.arrays)}"
        self.arrays[name] = array
        return name


class Reader:
    """Turns JSON and arrays back into values."""

    def __init__(self, arrays: Mapping[str, np.ndarray], file: str, writer: str) -> None:
        self.arrays, self.file, self.writer = arrays, file, writer

    def read(self, value: Any) -> Any:
        """The value that JSON stands for."""
        if isinstance(value, list):
            return [self.read(item) for item in value]
        if not isinstance(value, dict):
            return value
        kind = value[KIND]
        if kind == "float":
            return float(value["value"])
        if kind == "complex":
            return complex(*self.read(value["parts"]))
        if kind in ("array", "scalar"):
            array = self.arrays[value["array"]]
            return array if kind == "array" else array[()]
        if kind == "objects":
            filled = np.empty(len(value["items"]), dtype=object)
            for index, item in enumerate(value["items"]):
                filled[index] = self.read(item)
            return filled.reshape(value["shape"])
        if kind == "tuple":
            return tuple(self.read(value["items"]))
        if kind == "mapping":
            return {self.read(key): self.read(item) for key, item in value["pairs"]}
        if kind == "result":
            return self._result(value["class"], value["fields"])
        raise DataError(f"{self.file} holds a value of unknown kind {kind!r} (written by {PACKAGE} {self.writer})")

    def _result(self, name: str, inside: Mapping[str, Any]) -> Any:
        cls: Any = class_called(name)
        if cls is None:
            raise DataError(
                f"{self.file} holds a {name}, and there is no such result class here: it was written by {PACKAGE} "
                f"{self.writer}; install that version, or define the class if it is your own"
            )
        known = {item.name: item for item in fields(cls)}
        if extra := [field for field in inside if field not in known]:
            raise DataError(
                f"{self.file}: {name} has no field {extra[0]!r} in this version; the file was written by {PACKAGE} "
                f"{self.writer}: install that version"
            )
        needed = [field for field, item in known.items() if item.default is MISSING and item.default_factory is MISSING]
        if missing := [field for field in needed if field not in inside]:
            raise DataError(f"{self.file}: {name} needs a field {missing[0]!r}, which the file does not hold")
        values = {field: self.read(part) for field, part in inside.items()}
        made = cls(**{field: part for field, part in values.items() if known[field].init})
        for field in (field for field in values if not known[field].init):
            object.__setattr__(made, field, values[field])
        return made


def name_of(cls: type) -> str:
    """``infoscope.room.Class`` for a class of the library, whichever file of the room it is in; else module and name.

    Examples
    --------
    >>> from infoscope.io.fields import name_of
    >>> from infoscope.imbalance import ScaleCurve
    >>> name_of(ScaleCurve)
    'infoscope.imbalance.ScaleCurve'
    """
    package, *inner = cls.__module__.split(".")
    return (
        f"{PACKAGE}.{inner[0]}.{cls.__name__}" if package == PACKAGE and inner else f"{cls.__module__}.{cls.__name__}"
    )


def class_called(name: str) -> type | None:
    """The result class of that name, among those that are loaded and those of the library's rooms; None if unknown."""
    package, *inner = name.split(".")
    if package == PACKAGE and len(inner) == 2 and inner[0] in ROOMS:
        import_module(f"{PACKAGE}.{inner[0]}")
    found = [cls for cls in (*result_classes(), Provenance) if name_of(cls) == name and is_dataclass(cls)]
    return found[-1] if found else None
