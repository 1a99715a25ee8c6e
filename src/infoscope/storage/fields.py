"""Results and estimators as JSON and arrays, and back: what is read can build these objects and nothing else."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from inspect import Parameter, signature
from typing import Any

import numpy as np

from infoscope.base import Provenance, Result
from infoscope.base.contents import check_contents
from infoscope.base.deprecation import current_argument
from infoscope.base.errors import DataError, ParameterError

from .allowed_classes import (
    PACKAGE,
    class_called,
    estimator_called,
    is_estimator,
    is_own_estimator,
    is_part_class,
    name_of,
    part_called,
)
from .random_states import random_from_parts, random_parts

KIND = "is"  # key that says what a JSON object stands for
DEEPEST = 100  # lists in lists, results in results
MOST_EMPTY = 2**20  # rows, or columns, of an array without numbers
TOO_DEEP = f"it is nested more than {DEEPEST} times"


class Writer:
    """Turns values into JSON; arrays are put aside under names that the JSON mentions.

    With `random`, generators are written as they stand, to go on from there; what holds results asks for seeds instead.
    """

    def __init__(self, *, random: bool = False) -> None:
        self.arrays: dict[str, np.ndarray] = {}
        self._names: dict[int, str] = {}
        self._keeps_random, self._random = random, list[Any]()
        self._depth = 0

    def write(self, value: Any, where: str = "") -> Any:
        """JSON for a value; `where` is its place, for errors."""
        if self._depth > DEEPEST:
            raise ParameterError(f"{where[:80]}... cannot be saved: {TOO_DEEP}")
        self._depth += 1
        try:
            return self._write(value, where)
        finally:
            self._depth -= 1

    def _write(self, value: Any, where: str) -> Any:
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
        if is_estimator(value):
            return self._estimator(value, where)
        if is_part_class(type(value)):
            own = {item.name: getattr(value, item.name) for item in fields(value)}
            inside = {name: self.write(part, f"{where}.{name}".lstrip(".")) for name, part in own.items()}
            return {KIND: "part", "class": name_of(type(value)), "fields": inside}
        if self._keeps_random and (parts := random_parts(value)) is not None:
            return self._write_random(value, parts, where)
        way_out = "numbers, text, arrays, lists, tuples, mappings and results can"
        if isinstance(value, (np.random.Generator, np.random.RandomState)):
            way_out = "set a seed (a number) in its place before saving"
        raise ParameterError(f"{where or 'this'} is a {type(value).__name__}, which cannot be saved: {way_out}")

    def _estimator(self, estimator: Any, where: str) -> dict[str, Any]:
        name = type(estimator).__name__
        if not is_own_estimator(estimator):
            raise ParameterError(
                f"{where or 'this'} is a {name}, which is no estimator of {PACKAGE} and cannot be saved: save the "
                f"estimators of {PACKAGE} that it holds"
            )
        parameters = estimator.get_params(deep=False)
        fitted = {item: value for item, value in vars(estimator).items() if item not in parameters}
        if "_metadata_request" in fitted:
            raise ParameterError(
                f"{where or name} holds requests for metadata (set_fit_request and the like), which cannot be saved: "
                "save it without, and set them again after loading"
            )
        inside = f"{where}." if where else ""
        return {
            KIND: "estimator",
            "class": name_of(type(estimator)),
            "parameters": {
                item: self.write(value, f"{inside}parameter {item} of {name}") for item, value in parameters.items()
            },
            "fitted": {item: self.write(value, f"{inside}{item} of {name}") for item, value in fitted.items()},
        }

    def _write_random(self, value: Any, parts: dict[str, Any], where: str) -> dict[str, Any]:
        """Who shares a generator goes on sharing it: one that was written already is only named."""
        for number, written in enumerate(self._random):
            if written is value:
                return {KIND: "random", "number": number}
        self._random.append(value)
        return {KIND: "random", "number": len(self._random) - 1, "parts": self.write(parts, where)}

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
        name = self._names.setdefault(id(array), f"a{len(self.arrays)}")  # what is held twice is written once
        self.arrays[name] = array
        return name


class Reader:
    """Turns JSON and arrays back into values."""

    def __init__(self, arrays: Mapping[str, np.ndarray], file: str, writer: str) -> None:
        self.arrays, self.file, self.writer = arrays, file, writer
        self._random: dict[int, Any] = {}
        self._classes: dict[tuple[Any, str], Any] = {}
        self._depth = 0

    def read(self, value: Any) -> Any:
        """The value that JSON stands for."""
        if self._depth > DEEPEST:
            raise DataError(f"{self.file} is damaged: {TOO_DEEP}")
        self._depth += 1
        try:
            return self._read(value)
        finally:
            self._depth -= 1

    def _read(self, value: Any) -> Any:
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
            if kind == "scalar" and array.ndim:
                raise DataError(f"{self.file} is damaged: {value['array']} is no single number")
            return self._bounded(array) if kind == "array" else array[()]
        if kind == "objects":
            filled = np.empty(len(value["items"]), dtype=object)
            for index, item in enumerate(value["items"]):
                filled[index] = self.read(item)
            return self._bounded(filled.reshape(value["shape"]))
        if kind == "tuple":
            return tuple(self.read(value["items"]))
        if kind == "mapping":
            return {self.read(key): self.read(item) for key, item in value["pairs"]}
        if kind == "random":
            if "parts" in value:
                self._random[value["number"]] = random_from_parts(self.read(value["parts"]))
            return self._random[value["number"]]
        if kind == "result":
            return self._result(value["class"], value["fields"])
        if kind == "part":
            return self._part(value["class"], value["fields"])
        if kind == "estimator":
            return self._estimator(value["class"], value["parameters"], value["fitted"])
        raise DataError(f"{self.file} holds a value of unknown kind {kind!r} (written by {PACKAGE} {self.writer})")

    def _bounded(self, array: np.ndarray) -> np.ndarray:
        """An array whose extents its contents can answer for: one without numbers may still have 10^9 rows."""
        if array.size == 0 and max(array.shape) > MOST_EMPTY:
            raise DataError(f"{self.file} is damaged: an array of shape {array.shape} without a number")
        return array

    def _result(self, name: str, inside: Mapping[str, Any]) -> Any:
        cls: Any = self._class(class_called, name)
        if cls is None:
            raise DataError(
                f"{self.file} holds a {name}, and there is no such result class here: it was written by {PACKAGE} "
                f"{self.writer}; install that version, or define the class if it is your own"
            )
        known = self._fields(cls, name, inside)
        values = {field: self.read(part) for field, part in inside.items()}
        made = cls(**{field: part for field, part in values.items() if known[field].init})
        for field in (field for field in values if not known[field].init):
            object.__setattr__(made, field, values[field])
        return self._checked(made)

    def _part(self, name: str, inside: Mapping[str, Any]) -> Any:
        cls: Any = self._class(part_called, name)
        if cls is None:
            raise DataError(
                f"{self.file} holds a {name}, and there is no such class here: it was written by {PACKAGE} "
                f"{self.writer}; install that version"
            )
        known = self._fields(cls, name, inside)
        values = {field: self.read(part) for field, part in inside.items()}
        for field in (field for field in known if field not in values):  # younger than the file
            item = known[field]
            values[field] = item.default if item.default_factory is MISSING else item.default_factory()
        made = cls.__new__(cls)  # not made anew: what it worked out from its arguments is kept to the last bit
        if hasattr(cls, "__setstate__"):
            made.__setstate__(values)
        else:
            for field, part in values.items():
                object.__setattr__(made, field, part)
        return self._checked(made)

    def _class(self, find: Any, name: Any) -> Any:
        """The class of a name, looked for once."""
        if not isinstance(name, str):
            raise DataError(f"{self.file} is damaged: {name!r:.80} is no name of a class")
        if (find, name) not in self._classes:
            self._classes[find, name] = find(name)
        return self._classes[find, name]

    def _checked(self, made: Any, given: Mapping[str, Any] | None = None) -> Any:
        """An object that keeps to what its class says of itself."""
        try:
            check_contents(made, given)
        except DataError as error:
            raise DataError(f"{self.file} is damaged: {error}") from error
        return made

    def _fields(self, cls: Any, name: str, inside: Mapping[str, Any]) -> dict[str, Any]:
        """The fields of a class, when those of the file go with them."""
        known = {item.name: item for item in fields(cls)}
        if extra := [field for field in inside if field not in known]:
            raise DataError(
                f"{self.file}: {name} has no field {extra[0]!r} in this version; the file was written by {PACKAGE} "
                f"{self.writer}: install that version"
            )
        needed = [field for field, item in known.items() if item.default is MISSING and item.default_factory is MISSING]
        if missing := [field for field in needed if field not in inside]:
            raise DataError(f"{self.file}: {name} needs a field {missing[0]!r}, which the file does not hold")
        return known

    def _estimator(self, name: str, parameters: Mapping[str, Any], fitted: Mapping[str, Any]) -> Any:
        cls: Any = self._class(estimator_called, name)
        if cls is None:
            raise DataError(
                f"{self.file} holds a {name}, and there is no such estimator here: it was written by {PACKAGE} "
                f"{self.writer}; install that version, or define the class if it is your own"
            )
        known = dict(signature(cls).parameters)
        parameters = {current_argument(cls, item): value for item, value in parameters.items()}
        if extra := [item for item in parameters if item not in known]:
            raise DataError(
                f"{self.file}: {name} has no parameter {extra[0]!r} in this version; the file was written by {PACKAGE} "
                f"{self.writer}: install that version"
            )
        needed = [item for item, one in known.items() if one.default is Parameter.empty]
        if missing := [item for item in needed if item not in parameters]:
            raise DataError(f"{self.file}: {name} needs a parameter {missing[0]!r}, which the file does not hold")
        made = cls(**{item: self.read(value) for item, value in parameters.items()})
        for item, value in fitted.items():
            if item in known or item.startswith("__") or callable(getattr(cls, item, None)):  # nothing that save writes
                raise DataError(f"{self.file} is damaged: {item!r} is no fitted attribute of {name}")
            setattr(made, item, self.read(value))
        return self._checked(made, vars(made)) if any(is_fitted_name(item) for item in fitted) else made


def is_fitted_name(name: str) -> bool:
    """Whether an attribute says that an estimator was fitted, by scikit-learn's own rule."""
    return name.endswith("_") and not name.startswith("__")
