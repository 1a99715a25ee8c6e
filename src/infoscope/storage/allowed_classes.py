"""Which classes a saved file may name: results and estimators of the library, and those of the user's own."""

from __future__ import annotations

import sys
from dataclasses import is_dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from infoscope.base import Provenance, Result, result_classes

PACKAGE = "infoscope"


def name_of(cls: type) -> str:
    """``infoscope.room.Class`` for a class of the library, whichever file of the room it is in; else module and name.

    Examples
    --------
    >>> from infoscope.storage.allowed_classes import name_of
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
    _load_room(name)
    found = [cls for cls in (*result_classes(), Provenance) if name_of(cls) == name and is_dataclass(cls)]
    return found[-1] if found else None


def estimator_called(name: str) -> type | None:
    """The estimator class of that name, likewise."""
    _load_room(name)
    found = [cls for cls in estimator_classes() if name_of(cls) == name]
    return found[-1] if found else None


def part_called(name: str) -> type | None:
    """The dataclass of that name among those of the library's rooms that are no results; None if unknown."""
    _load_room(name)
    room, _, own = name.rpartition(".")
    loaded = [module for path, module in list(sys.modules.items()) if path == room or path.startswith(f"{room}.")]
    found = [one for module in loaded if isinstance(one := vars(module).get(own), type)]
    return next((cls for cls in found if is_part_class(cls) and name_of(cls) == name), None)


def is_part_class(cls: type) -> bool:
    """Whether it is a dataclass of the library that results and estimators hold: a `Space`, a table of neighbours.

    It says of its own arrays what they may hold (`infoscope.base.contents`); one that does not is not saved.
    """
    own = is_dataclass(cls) and cls.__module__.split(".")[0] == PACKAGE and "_contents" in vars(cls)
    return own and not issubclass(cls, (Result, Provenance))


def estimator_classes() -> list[type]:
    """Every loaded estimator class of the library, and classes that inherit from one; bases of several are among them.

    Examples
    --------
    >>> from infoscope.dimension import TwoNN
    >>> from infoscope.storage.allowed_classes import estimator_classes
    >>> TwoNN in estimator_classes()
    True
    """
    base = _base_estimator()
    return [] if base is None else [cls for cls in _below(base) if _is_ours(cls)]


def rooms() -> list[str]:
    """Names of the library's packages, a new one included; a file can make one of them load, and nothing else."""
    return [module.name for module in iter_modules(import_module(PACKAGE).__path__) if module.ispkg]


def is_estimator(value: Any) -> bool:
    """Whether it is an estimator of scikit-learn's kind, from here or from elsewhere."""
    base = _base_estimator()
    return base is not None and isinstance(value, base)


def is_own_estimator(value: Any) -> bool:
    """Whether it is one of the library, or of a class that inherits from one of the library."""
    return is_estimator(value) and _is_ours(type(value))


# --------------------------------------------------------------------------------------------------------------- steps
def _load_room(name: str) -> None:
    package, *inner = name.split(".")
    if package == PACKAGE and len(inner) == 2 and inner[0] in rooms():
        room = import_module(f"{PACKAGE}.{inner[0]}")
        if inner[1] in getattr(room, "__all__", ()):  # some names load when they are asked for
            getattr(room, inner[1])


def _base_estimator() -> Any:
    """The base class of all estimators; None where scikit-learn is not loaded, for then there are none."""
    module = sys.modules.get("sklearn.base")
    return getattr(module, "BaseEstimator", None)


def _below(cls: type) -> list[type]:
    children: list[type] = cls.__subclasses__()
    found = [one for child in children for one in (child, *_below(child))]
    return list(dict.fromkeys(found))


def _is_ours(cls: type) -> bool:
    return any(one.__module__.split(".")[0] == PACKAGE for one in cls.__mro__)
