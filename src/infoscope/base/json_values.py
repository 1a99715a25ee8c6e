"""Numbers and containers of NumPy and friends as plain Python that JSON can hold."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np


def plain(value: Any) -> Any:
    """Turn a value into plain Python: numbers, strings, None, lists and dicts with string keys.

    Numbers that are not finite become None, because JSON has no name for them.  What is not known becomes its ``str``.

    Parameters
    ----------
    value : object
        Whatever a result or a parameter may hold.

    Returns
    -------
    None, bool, int, float, str, list or dict
        What JSON can hold.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.base import plain
    >>> plain({"a": np.float32(0.5), 1: np.array([1.0, np.nan])})
    {'a': 0.5, '1': [1.0, None]}
    """
    if value is None or isinstance(value, (bool, np.bool_)):
        return None if value is None else bool(value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return [plain(item) for item in sorted(value, key=str)]
    return str(value)


def flat(value: Any, name: str) -> dict[str, Any]:
    """Flatten nested mappings to ``{"name.key": number or string}``; lists become their text.

    Parameters
    ----------
    value : mapping or anything else
        What is flattened.
    name : str
        The first part of every key.

    Returns
    -------
    dict
        Numbers and strings by their keys.

    Examples
    --------
    >>> from infoscope.base import flat
    >>> flat({"k": 1, "period": [1.0, 2.0]}, "parameters")
    {'parameters.k': 1, 'parameters.period': '[1.0, 2.0]'}
    """
    value = plain(value)
    if isinstance(value, dict):
        return {key: item for part in value for key, item in flat(value[part], f"{name}.{part}").items()}
    return {name: str(value) if isinstance(value, list) else value}
