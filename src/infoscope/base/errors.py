"""Errors and warnings of the library: what was wrong, where, and what to do about it."""

from __future__ import annotations

import sys
import warnings
from importlib import import_module
from types import ModuleType


class InfoscopeError(ValueError):
    """Base of every error this library raises for bad input."""


class DataError(InfoscopeError):
    """The data are wrong: not finite, misshapen, mismatched."""


class ParameterError(InfoscopeError):
    """An argument is wrong: ``k`` too large, an unknown name, a negative window."""


class MissingExtraError(ImportError):
    """An optional dependency is missing; the message names the extra to install."""


class InfoscopeWarning(UserWarning):
    """Base of every warning of this library."""


class DataWarning(InfoscopeWarning):
    """The data look unusual, and the result may not mean what it seems to mean."""


class CorrelatedRowsWarning(InfoscopeWarning):
    """Neighbouring rows are alike far more often than chance allows, and nothing was said about time or runs."""


class DeprecatedNameWarning(InfoscopeWarning, FutureWarning):
    """A name was used that goes with the next release; the message says the new one."""


def warn(text: str, category: type[InfoscopeWarning] = DataWarning) -> None:
    """Warn at the user's own line: the first one outside this package.

    Parameters
    ----------
    text : str
        What was seen, and what to do about it.
    category : type
        Class of the warning.

    Examples
    --------
    >>> import warnings
    >>> from infoscope.base import warn
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     warn("the file looks sorted")
    >>> caught[0].category.__name__
    'DataWarning'
    """
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "infoscope":
        level, frame = level + 1, frame.f_back
    warnings.warn(text, category, stacklevel=level)


def require(module: str, extra: str) -> ModuleType:
    """Import an optional dependency, or say which extra brings it.

    Parameters
    ----------
    module : str
        Dotted name of the module.
    extra : str
        Extra of this package that installs it.

    Returns
    -------
    module
        The imported module.

    Raises
    ------
    MissingExtraError
        If the module is not installed.

    Examples
    --------
    >>> from infoscope.base import require
    >>> require("json", "files").dumps([1])
    '[1]'
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        missing, top = error.name or module, module.split(".")[0]
        if missing.split(".")[0] != top:  # the module is there; something it imports is not
            hint = f"{module} needs {missing}, which is not installed"
        else:
            hint = f"{top} is not installed"
        raise MissingExtraError(f'{hint}. Install it with: pip install "infoscope[{extra}]"', name=missing) from error
