"""Layers of two models of which is known what they share: features, a meaning at some depths, or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from infoscope.base.checks import check_choice
from infoscope.base.errors import ParameterError

KINDS = ("meaning", "features", "random")
GAIN = 1.5  # of the weights of an untrained network: its layers neither die out nor saturate


class SimulatedLayers(NamedTuple):
    """Layers of two models, and what they share.

    Attributes
    ----------
    a, b : tuple of array (N, D)
        The layers, as `compare_layers` takes them.
    cka : array (L_A, L_B)
        Linear CKA of every pair of layers, of infinitely many items: what an estimate without bias is on average near.
    meaning : array (N, M)
        What is shared: the numbers behind the layers; of no columns where nothing is.
    """

    a: tuple[np.ndarray, ...]
    b: tuple[np.ndarray, ...]
    cka: np.ndarray
    meaning: np.ndarray


def simulated_layers(
    n_items: int = 500,
    kind: str = "meaning",
    *,
    widths_a: Sequence[int] = (64,) * 8,
    widths_b: Sequence[int] = (32,) * 6,
    strengths_a: Sequence[float] | None = None,
    strengths_b: Sequence[float] | None = None,
    n_shared: int = 4,
    random_state: int | np.random.Generator | None = None,
) -> SimulatedLayers:
    """Layers of two models of the same items, made so that what they share is known.

    Parameters
    ----------
    n_items : int
        Rows of all layers.
    kind : {"meaning", "features", "random"}
        "meaning": every layer is ``strength * meaning @ directions + noise``, with unit normal noise, `n_shared` unit
        normal numbers an item that both models mean, and orthonormal directions of its own.
        "features": every layer is the first so many of the same unit normal numbers, so that wider layers contain
        narrower ones.
        "random": two untrained networks (a matrix of random weights and tanh, layer after layer) that look at items of
        their own: nothing is shared, whatever the widths and the depths.
    widths_a, widths_b : sequence of int
        Width of every layer; as many as there are layers.
    strengths_a, strengths_b : sequence of float, optional
        "meaning": how strongly each layer speaks of it. By default a hill, from nearly 0 to 3 in the middle and back.
    n_shared : int
        "meaning": numbers that are meant; no layer is narrower.
    random_state : int, Generator or None
        Seed.

    Returns
    -------
    SimulatedLayers

    Raises
    ------
    ParameterError
        Sizes below 1, layers narrower than the meaning, strengths that are not one a layer.

    Notes
    -----
    With covariances S of the layers, ``CKA = |S_ab|^2 / (|S_aa| |S_bb|)``. First m and n > m of the same numbers:
    ``sqrt(m/n)``. A meaning of M numbers in strengths s and t, whose directions are orthonormal:
    ``s^2 t^2 M / (r(s, D) r(t, E))`` with ``r(s, D)^2 = M (s^2 + 1)^2 + D - M``.

    Examples
    --------
    >>> from infoscope.datasets import simulated_layers
    >>> layers = simulated_layers(100, widths_a=(16, 16, 16), widths_b=(8,), random_state=0)
    >>> [x.shape for x in layers.b], layers.cka.round(2).ravel().tolist()
    ([(100, 8)], [0.01, 0.79, 0.01])
    >>> simulated_layers(100, "features", widths_a=(5, 20), widths_b=(20,)).cka.tolist()
    [[0.5], [1.0]]
    """
    check_choice(kind, "kind", KINDS)
    widths = tuple(widths_a), tuple(widths_b)
    if n_items < 1 or n_shared < 1 or not all(one and min(one) >= 1 for one in widths):
        raise ParameterError("n_items, n_shared and all widths must be at least 1, and both models need a layer")
    if kind != "meaning" and not (strengths_a is None and strengths_b is None):
        raise ParameterError(f"strengths are of kind='meaning', and kind is {kind!r}: leave them out")
    generator = np.random.default_rng(random_state)
    if kind == "features":
        return _first_features(n_items, *widths, generator)
    if kind == "random":
        a, b = (_untrained(n_items, one, generator) for one in widths)
        return SimulatedLayers(a, b, np.zeros((len(a), len(b))), np.empty((n_items, 0)))
    if min(min(one) for one in widths) < n_shared:
        raise ParameterError(f"a layer is narrower than the meaning of {n_shared} numbers: give smaller n_shared")
    strengths = [
        _strengths(given, len(one), name)
        for given, one, name in zip((strengths_a, strengths_b), widths, ("strengths_a", "strengths_b"), strict=True)
    ]
    meaning = generator.normal(size=(n_items, n_shared))
    a, b = (
        tuple(_spoken(meaning, s, width, generator) for s, width in zip(of_one, one, strict=True))
        for of_one, one in zip(strengths, widths, strict=True)
    )
    norms = [
        np.sqrt(n_shared * (s**2 + 1) ** 2 + np.array(one) - n_shared) for s, one in zip(strengths, widths, strict=True)
    ]
    shared = n_shared * np.multiply.outer(strengths[0] ** 2, strengths[1] ** 2)
    return SimulatedLayers(a, b, shared / np.multiply.outer(*norms), meaning)


# --------------------------------------------------------------------------------------------------------------- steps
def _first_features(
    n_items: int, widths_a: tuple[int, ...], widths_b: tuple[int, ...], generator: np.random.Generator
) -> SimulatedLayers:
    numbers = generator.normal(size=(n_items, max(*widths_a, *widths_b)))
    a, b = (tuple(numbers[:, :width].copy() for width in widths) for widths in (widths_a, widths_b))
    ratio = np.divide.outer(np.array(widths_a, float), np.array(widths_b, float))
    return SimulatedLayers(a, b, np.sqrt(np.minimum(ratio, 1 / ratio)), numbers)


def _untrained(n_items: int, widths: tuple[int, ...], generator: np.random.Generator) -> tuple[np.ndarray, ...]:
    """The layers of a network of random weights, which looks at normal numbers."""
    states, found = generator.normal(size=(n_items, widths[0])), []
    for width in widths:
        weights = generator.normal(size=(states.shape[1], width)) * GAIN / np.sqrt(states.shape[1])
        states = np.tanh(states @ weights)
        found.append(states)
    return tuple(found)


def _strengths(given: Sequence[float] | None, n_layers: int, name: str) -> np.ndarray:
    if given is None:
        depth = (np.arange(n_layers) - (n_layers - 1) / 2) / max(n_layers - 1, 1)
        return 3 * np.exp(-((depth / 0.2) ** 2) / 2)
    found = np.asarray(given, float)
    if found.shape != (n_layers,) or not np.isfinite(found).all():
        raise ParameterError(f"{name} is {given!r}: give one finite number for each of {n_layers} layers")
    return found


def _spoken(meaning: np.ndarray, strength: float, width: int, generator: np.random.Generator) -> np.ndarray:
    """A layer that speaks of the meaning, in orthonormal directions of its own, and noise."""
    directions = np.linalg.qr(generator.normal(size=(width, meaning.shape[1])))[0].T
    return strength * meaning @ directions + generator.normal(size=(len(meaning), width))
