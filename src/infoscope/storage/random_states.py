"""Random generators of NumPy as plain values and back: the next number is the one that would have come."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np

Random: TypeAlias = "np.random.Generator | np.random.BitGenerator | np.random.SeedSequence"
BIT_GENERATORS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")


def random_parts(value: Any) -> dict[str, Any] | None:
    """What a generator, its source of bits, or a seed sequence (which counts its children) consists of; None else.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.storage.random_states import random_parts, random_from_parts
    >>> first = np.random.default_rng(0)
    >>> source = random_from_parts(random_parts(first.bit_generator))
    >>> np.random.Generator(source).random() == first.random()
    True
    """
    if type(value) is np.random.Generator:
        return {"bit_generator": value.bit_generator}
    if type(value) is np.random.SeedSequence:
        return {"seed": value.state}
    name = type(value).__name__
    if name in BIT_GENERATORS and type(value) is getattr(np.random, name):
        return {"name": name, "state": value.state, "seed_seq": value.seed_seq}
    return None


def random_from_parts(parts: Mapping[str, Any]) -> Random:
    """The object with these parts."""
    if "bit_generator" in parts:
        return np.random.Generator(parts["bit_generator"])
    if "seed" in parts:
        return np.random.SeedSequence(**parts["seed"])
    if parts["name"] not in BIT_GENERATORS:
        raise ValueError(f"there is no source of random bits called {parts['name']}")
    source: np.random.BitGenerator = getattr(np.random, parts["name"])(parts["seed_seq"])
    source.state = parts["state"]
    return source
