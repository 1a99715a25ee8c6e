"""Random generators of NumPy as plain values and back: the next number is the one that would have come."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np

from infoscope.base.contents import fits

Random: TypeAlias = "np.random.Generator | np.random.BitGenerator | np.random.SeedSequence"
BIT_GENERATORS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")
PLACES = {"MT19937": {"pos": 624}, "Philox": {"buffer_pos": 4}}  # where they go on in what they hold; NumPy believes it
LARGEST_POOL = 1024


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
    """The object with these parts.

    Raises
    ------
    ValueError
        If they are no state that a generator can be in: some of them index what it holds.
    """
    if "bit_generator" in parts:
        return np.random.Generator(parts["bit_generator"])
    if "seed" in parts:
        seed = parts["seed"]
        if not fits(seed.get("pool_size", 4), int) or not 4 <= seed.get("pool_size", 4) <= LARGEST_POOL:
            raise ValueError(f"pool_size is {seed['pool_size']!r}")
        return np.random.SeedSequence(**seed)
    name, state = parts["name"], parts["state"]
    if name not in BIT_GENERATORS:
        raise ValueError(f"there is no source of random bits called {name}")
    for place, last in PLACES.get(name, {}).items():
        at = (state["state"] if place == "pos" else state)[place]
        if not fits(at, int) or not 0 <= at <= last:
            raise ValueError(f"{place} of {name} is {at!r}, and must be 0 to {last}")
    source: np.random.BitGenerator = getattr(np.random, name)(parts["seed_seq"])
    source.state = state
    return source
