"""What a file belongs to: the options of the work that wrote it, readable, comparable, with a digest."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from infoscope.base import fingerprint
from infoscope.base.errors import ParameterError

LONGEST_LIST = 32  # numbers of an array that are written; of a longer one its hash


def describe_options(options: Mapping[str, Any] | None) -> dict[str, Any]:
    """Options as JSON: equal exactly when the options are.

    Parameters
    ----------
    options : mapping or None
        Names with numbers, text, None, arrays (of more than 32 entries type, shape and hash are kept), paths, lists,
        and mappings of these. A NumPy number is the Python one, a tuple or an array is its list, NaN is "nan".

    Returns
    -------
    dict

    Raises
    ------
    ParameterError
        If one of them is something else: a function, a generator.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.storage.options import describe_options
    >>> describe_options({"k": np.int64(3), "period": (1.0, np.inf)})
    {'k': 3, 'period': [1.0, 'inf']}
    """
    return {} if options is None else _plain(dict(options), "")


def digest_of(described: Any) -> str:
    """32 hexadecimal digits of JSON, whatever the order of its keys.

    Examples
    --------
    >>> from infoscope.storage.options import digest_of
    >>> digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1}) != digest_of({"a": 1.0, "b": 2})
    True
    """
    text = json.dumps(described, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def check_same(path: Path, stored: Mapping[str, Any], given: Mapping[str, Any], what: str = "options") -> None:
    """Refuse a file that belongs to something else, and say what differs.

    Raises
    ------
    ParameterError
        With every name whose value differs.
    """
    if digest_of(stored) == digest_of(given):
        return
    there, here = _flat(stored, ""), _flat(given, "")
    texts = [
        f"{name} is {there.get(name, 'not given')} there and {here.get(name, 'not given')} here"
        for name in dict.fromkeys([*there, *here])
        if there.get(name) != here.get(name)
    ]
    raise ParameterError(f"{path} belongs to other {what}: {'; '.join(texts)}. Use the same, or another file")


def check_json(value: Any, name: str) -> Any:
    """The value, if it is JSON.

    Raises
    ------
    ParameterError
        If it is not: arrays, NaN, keys that are no text.
    """
    try:
        same = json.loads(json.dumps(value, allow_nan=False)) == value
    except (TypeError, ValueError) as error:
        raise ParameterError(f"{name} is not JSON ({error}): give text, finite numbers, lists and mappings") from None
    if not same:
        raise ParameterError(f"{name} is not JSON: give lists, not tuples, and text as the keys of mappings")
    return value


# --------------------------------------------------------------------------------------------------------------- steps
def _plain(value: Any, where: str) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else repr(value)
    if isinstance(value, (complex, np.generic)):  # what Python has no number for
        return repr(value)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        if not hasattr(value, "tolist") or math.prod(value.shape) > LONGEST_LIST:  # Dask has no list to give
            return f"array{tuple(value.shape)} of {value.dtype}, hash {fingerprint(value)}"
        return _plain(value.tolist(), where)
    if isinstance(value, Mapping):
        if names := [name for name in value if not isinstance(name, str)]:
            raise ParameterError(f"the name {names[0]!r} in options{where and ' ' + where} is no text")
        return {name: _plain(item, f"{where}.{name}".lstrip(".")) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, f"{where}[{index}]") for index, item in enumerate(value)]
    raise ParameterError(
        f"option {where} is a {type(value).__name__}, which cannot be compared with that of another run: "
        "give numbers, text, arrays, lists or mappings"
    )


def _flat(described: Mapping[str, Any], prefix: str) -> dict[str, str]:
    """The text of every value under its dotted name."""
    found: dict[str, str] = {}
    for name, value in described.items():
        if isinstance(value, dict) and value:
            found |= _flat(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = json.dumps(value, ensure_ascii=False)
    return found
