"""The register of pictures: which functions draw a result, and the numbers that each of them shows.

Files of plots register what they draw; a file of results knows none of them, and so holds data only.  A subpackage
keeps its pictures in files called ``plots*.py``, which are loaded when one of its results is first drawn.  Who writes
pages registers here too.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from numbers import Integral
from pkgutil import iter_modules
from typing import Any, NamedTuple, TypeVar

from .checks import check_choice
from .errors import ParameterError

PACKAGE = __name__.partition(".")[0]
Draw = TypeVar("Draw", bound=Callable[..., Any])
Write = TypeVar("Write", bound=Callable[..., Any])


class Picture(NamedTuple):
    """One way to draw the results of a class.

    Attributes
    ----------
    draw : function (result, ax, *, style, ...)
        Returns the Axes.
    data : function (result, ...) or None
        The numbers it shows, as columns or rows of a table; None: those of ``to_frame``.
    when : function (result) or None
        Whether this result holds what is drawn; None: always.
    """

    draw: Callable[..., Any]
    data: Callable[..., Any] | None
    when: Callable[[Any], bool] | None

    @property
    def options(self) -> list[str]:
        """Names of what can be said about it, beside where and in which style."""
        return [name for name in list(inspect.signature(self.draw).parameters)[2:] if name != "style"]


_register: dict[type, dict[str, Picture]] = {}
_page_writers: list[Callable[..., Any]] = []


def picture(
    cls: type,
    kind: str,
    *,
    default: bool = False,
    data: Callable[..., Any] | None = None,
    when: Callable[[Any], bool] | None = None,
) -> Callable[[Draw], Draw]:
    """Register a function that draws results of a class.

    Parameters
    ----------
    cls : type
        The result class.
    kind : str
        What ``result.plot(kind=...)`` calls it.
    default : bool
        Whether ``result.plot()`` draws it; else the kind that was registered first is drawn.
    data, when
        As in `Picture`.

    Returns
    -------
    decorator
        It gives the function back as it is.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> from infoscope.base import Result
    >>> from infoscope.base.pictures import picture, pictures_of
    >>> @dataclass(frozen=True)
    ... class Length(Result):
    ...     value: float
    >>> @picture(Length, "line")
    ... def plot_line(found, ax=None, *, style="screen", colour="black"):
    ...     return ax
    >>> {kind: one.options for kind, one in pictures_of(Length(1.0)).items()}
    {'line': ['colour']}
    """

    def register(draw: Draw) -> Draw:
        own, others = {kind: Picture(draw, data, when)}, _register.get(cls, {})
        _register[cls] = own | others if default else others | own
        return draw

    return register


def registered_pictures() -> Mapping[type, Mapping[str, Picture]]:
    """Pictures of all classes whose files of plots are loaded."""
    return _register


def pictures_of(result: Any) -> dict[str, Picture]:
    """The pictures that a result can draw, its default first; of a class, those that any of its results can draw."""
    found: dict[str, Picture] = {}
    for cls in (result if isinstance(result, type) else type(result)).__mro__:
        load_pictures(cls.__module__)
        found |= {kind: one for kind, one in _register.get(cls, {}).items() if kind not in found}
    if isinstance(result, type):
        return found
    return {kind: one for kind, one in found.items() if one.when is None or one.when(result)}


def picture_of(result: Any, kind: str | None, options: Mapping[str, Any]) -> Picture:
    """The picture of that kind, or the default; ParameterError if it or one of the options is unknown."""
    name, known = type(result).__name__, pictures_of(result)
    if not known:
        raise TypeError(f"{name} has no picture")
    kind = next(iter(known)) if kind is None else check_choice(kind, "kind", tuple(known))
    unknown = [option for option in options if option not in known[kind].options]
    if unknown:
        listed = ", ".join(known[kind].options) or "none"
        raise ParameterError(f"kind {kind!r} of {name} has no option {unknown[0]!r}; its options are: style, {listed}")
    return known[kind]


def register_page_writer(write: Write) -> Write:
    """Register the function (results, path) that writes pages; it gives the function back as it is."""
    _page_writers[:] = [write]
    return write


def page_writer() -> Callable[..., Any]:
    """Who writes pages: the subpackage that does is loaded when the first of them is written."""
    if not _page_writers:
        import_module(f"{PACKAGE}.report")
    return _page_writers[0]


def load_pictures(module: str) -> None:
    """Load the files of plots beside a module of the library."""
    package = module.rpartition(".")[0]
    if package.partition(".")[0] != PACKAGE or package == PACKAGE:
        return  # a class of the user's own registers its pictures itself
    for beside in iter_modules(import_module(package).__path__):
        if beside.name.startswith("plots"):
            import_module(f"{package}.{beside.name}")


def place_among(asked: int | str, names: Sequence[str], what: str) -> int:
    """The number of what a picture shall show, asked for by name or number.

    Raises
    ------
    ParameterError
        If there is none.

    Examples
    --------
    >>> from infoscope.base.pictures import place_among
    >>> place_among("psi", ("phi", "psi"), "variable")
    1
    """
    at = asked if isinstance(asked, Integral) else names.index(asked) if asked in names else -1
    if not 0 <= at < len(names):
        raise ParameterError(f"{what} is {asked!r}: there are {', '.join(names)}")
    return int(at)
