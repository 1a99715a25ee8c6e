"""Old names that still work for one release, and say what replaces them.

The policy:

- A public name that changes (a function, a class, an argument, a module or something in it) works under its old name
  for one minor release: what is renamed ``since="0.2"`` goes with ``remove="0.3"``.
- Its use is a `DeprecatedNameWarning` at the user's own line that says both names in one sentence.  It is a
  `FutureWarning`: Python shows a `DeprecationWarning` only where the line stands in a script itself.
- Both names at once are a `ParameterError`.
- An old name appears nowhere else: not in signatures, ``get_params``, documentation or records.
- All are registered in `DEPRECATIONS`; a test fails when the version of the package reaches ``remove`` of any of them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import wraps
from importlib import import_module
from inspect import signature
from pkgutil import resolve_name
from types import ModuleType
from typing import Any, NamedTuple, TypeVar

from .errors import DeprecatedNameWarning, ParameterError, warn

Named = TypeVar("Named", bound=Callable[..., Any])


class Deprecation(NamedTuple):
    """One old name, and the versions between which it works."""

    old: str
    instead: str
    since: str
    remove: str

    def warn(self) -> None:
        """Warn at the user's own line."""
        text = f"{self.old} is deprecated since infoscope {self.since} and goes in {self.remove}: use {self.instead}"
        warn(text, DeprecatedNameWarning)


DEPRECATIONS: list[Deprecation] = []


def deprecated(argument: str | None = None, *, since: str, remove: str, instead: str) -> Callable[[Named], Named]:
    """Decorate a function or class whose name is old, or one of whose arguments has an old name.

    Parameters
    ----------
    argument : str, optional
        Old name of an argument of the function, or of the constructor of the class (and of ``set_params``, where it has
        one); without it, the function or class as a whole is old.
    since, remove : str
        Versions with which the old name became one, and with which it goes.
    instead : str
        What to use: for an argument, its new name in the signature.

    Returns
    -------
    callable
        The decorator; a class stays the class it is.

    Examples
    --------
    >>> import warnings
    >>> from infoscope.base import deprecated
    >>> @deprecated("n_neighbors", since="0.1", remove="99", instead="k")
    ... def search(data, *, k=1):
    ...     return k
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     search([], n_neighbors=3)
    3
    >>> print(caught[0].message)
    search(n_neighbors=) is deprecated since infoscope 0.1 and goes in 99: use k
    """

    def decorate(thing: Named) -> Named:
        old = thing.__qualname__ + (f"({argument}=)" if argument else "")
        entry = _register(Deprecation(old, instead, since, remove))
        if not isinstance(thing, type):
            return _wrapped(thing, argument, entry)
        for method in ("__init__", "set_params") if argument and hasattr(thing, "set_params") else ("__init__",):
            setattr(thing, method, _wrapped(getattr(thing, method), argument, entry))
        return thing

    return decorate


def deprecated_names(module: str, names: Mapping[str, str], *, since: str, remove: str) -> Callable[[str], Any]:
    """The ``__getattr__`` of a module, some of whose names moved.

    A module with a ``__getattr__`` of its own calls this one last.

    Parameters
    ----------
    module : str
        Its ``__name__``.
    names : mapping
        From old names in it to new places: ``"package.module:name"``, or ``"package.module"`` for a submodule, which
        can then be imported under its old name as well.
    since, remove : str
        As for `deprecated`.

    Returns
    -------
    callable

    Examples
    --------
    In the ``__init__.py`` of a subpackage, ``__getattr__ = deprecated_names(__name__, ...)``; here as a function:

    >>> import math, warnings
    >>> from infoscope.base import deprecated_names
    >>> find = deprecated_names("infoscope.base", {"squareroot": "math:sqrt"}, since="0.1", remove="99")
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     find("squareroot") is math.sqrt
    True
    >>> print(caught[0].message)
    infoscope.base.squareroot is deprecated since infoscope 0.1 and goes in 99: use math.sqrt
    """
    entries = {
        old: _register(Deprecation(f"{module}.{old}", new.replace(":", "."), since, remove))
        for old, new in names.items()
    }

    def find(name: str) -> Any:
        if name not in entries:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        entries[name].warn()
        return resolve_name(names[name])

    for old, new in names.items():
        if ":" not in new:
            sys.modules[f"{module}.{old}"] = _stand_in(new, entries[old])
    return find


def current_argument(cls: type, argument: str) -> str:
    """The name that an argument of a class, or of one of its bases, has now: of files that were written before."""
    olds = {f"{one.__qualname__}({argument}=)" for one in cls.__mro__}
    return next((entry.instead for entry in DEPRECATIONS if entry.old in olds), argument)


# ---------------------------------------------------------------------------------------------------------------- steps
def _register(entry: Deprecation) -> Deprecation:
    DEPRECATIONS.append(entry)
    return entry


def _wrapped(function: Any, argument: str | None, entry: Deprecation) -> Any:
    """The function that warns first; `wraps` keeps the signature, from which scikit-learn reads the parameters."""

    @wraps(function)
    def wrapper(*args: Any, **options: Any) -> Any:
        if argument is None:
            entry.warn()
        elif argument in options:
            if entry.instead in options or entry.instead in signature(function).bind_partial(*args).arguments:
                raise ParameterError(f"{argument} is the old name of {entry.instead}, and both are given: leave it out")
            entry.warn()
            options[entry.instead] = options.pop(argument)
        return function(*args, **options)

    return wrapper


def _stand_in(module: str, entry: Deprecation) -> ModuleType:
    """A module under its old name; what is taken from it comes from the new one, which is loaded only then."""

    def attribute(name: str) -> Any:
        if name.startswith("__"):  # Python itself asks
            raise AttributeError(f"{entry.old} is now {module}, and has no {name}")
        value = getattr(import_module(module), name)
        entry.warn()
        return value

    old = ModuleType(entry.old)
    vars(old)["__getattr__"] = attribute
    return old
