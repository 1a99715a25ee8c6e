"""The layers of a model, one after the other: named, loaded when they are needed, of the same items."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from infoscope.base import DataError, ParameterError
from infoscope.neighbors import Space, as_space, check_same_items, is_series, refuse_weights, to_numpy

from .store import RepresentationStore

METRICS = ("cosine", "euclidean")
FEWEST = 4  # items from which the unbiased forms exist


class Layer(NamedTuple):
    """One layer: a space for its distances, and its vectors as they are.

    Attributes
    ----------
    space : Space
        With the cosine metric its rows are directions.
    vectors : array (N, D) or None
        None for a space of directions, whose lengths are gone.
    """

    space: Space
    vectors: np.ndarray | None


class Layers(NamedTuple):
    """Names of layers, and where they come from.

    Attributes
    ----------
    names : tuple of str
    given : tuple
        Arrays, Spaces, tensors, or functions that load one.
    what : str
        What messages call the model.
    ids : list or None
        Of the items, where a store knows them.
    """

    names: tuple[str, ...]
    given: tuple[Any, ...]
    what: str
    ids: list[str | int] | None = None

    def one_by_one(self, metric: str, items: Space | None = None) -> Iterator[Layer]:
        """One layer at a time, all of the same items.

        Parameters
        ----------
        metric : {"cosine", "euclidean"}
        items : Space, optional
            What the items of all layers must be those of.

        Raises
        ------
        DataError
            A layer of other items, one whose items are all the same, NaN; the layer is named.
        """
        for name, given in zip(self.names, self.given, strict=True):
            layer = _layer(given, f"{self.what}, {name}", metric)
            space = layer.space
            if items is None:
                items = space
            elif len(space) != len(items):
                raise DataError(
                    f"{self.what}, {name} has {len(space)} items, and the first layer {len(items)}: row i must be the "
                    "same item in all layers"
                )
            else:
                check_same_items(items, space)
            yield layer


def read_layers(given: Any, what: str) -> Layers:
    """Layers by name.

    Parameters
    ----------
    given : RepresentationStore, mapping, or sequence
        Layers, or functions that load one, with names or in order; an array (L, N, D) is a sequence.
    what : str
        What messages call the model.

    Raises
    ------
    ParameterError
        If it is a single layer, or none.
    """
    ids = None
    if isinstance(given, RepresentationStore):
        given, ids = given.arrays(), given.ids
    if isinstance(given, Mapping):
        layers: Mapping[Any, Any] | Sequence[Any] = given
        names = tuple(str(name) for name in given)
        found = tuple(given[name] if isinstance(given, dict) else _later(given, name) for name in given)
    elif isinstance(given, Sequence) or getattr(given, "ndim", 0) == 3:
        layers, found = given, tuple(given)
        names = tuple(f"layer {number}" for number in range(len(found)))
    else:
        raise ParameterError(
            f"{what} is {type(given).__name__}: give its layers as a mapping of names to arrays (N, D), as a list, or "
            "as an array (layers, N, D)"
        )
    if not len(layers):
        raise ParameterError(f"{what} has no layers")
    return Layers(names, found, what, ids)


def _later(given: Mapping[Any, Any], name: Any) -> Callable[[], Any]:
    """An item of a mapping that reads when it is asked."""
    return lambda: given[name]


def _layer(given: Any, name: str, metric: str) -> Layer:
    values = given() if callable(given) and not isinstance(given, Space) else given
    vectors: np.ndarray | None = None
    if isinstance(values, Space):
        if values.metric != metric:
            raise ParameterError(f"{name} is a space of metric {values.metric!r}, and metric is {metric!r}: say one")
        space = values
    else:
        try:
            space = as_space(values, metric=metric, period_check=False)
        except DataError as error:
            raise DataError(f"{name}: {error}") from error
        vectors = np.asarray(to_numpy(as_space(values, period_check=False).features), np.float64)
    if is_series(space):
        raise ParameterError(
            f"{name} has times or runs: layers are compared item by item; frames of a series go to imbalance_matrix"
        )
    refuse_weights(space, "layers are compared with every item once")
    if len(space) < FEWEST:
        raise DataError(f"{name} has {len(space)} items: {FEWEST} are needed")
    if vectors is None and metric == "euclidean":
        vectors = np.asarray(to_numpy(space.features), np.float64)
    if not np.ptp(to_numpy(space.features) if vectors is None else vectors, axis=0).any():
        raise DataError(f"{name}: all items are the same: a dead layer tells nothing; leave it out")
    return Layer(space, vectors)
