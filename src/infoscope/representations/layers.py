"""The layers of a model, one after the other: named, loaded when they are needed, of the same items."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from os import PathLike
from typing import Any, NamedTuple

import numpy as np

from infoscope.base import DataError, ParameterError, Result, check_ids
from infoscope.neighbors import Space, as_space, check_same_items, is_series, refuse_weights, to_numpy

from .dead_layers import refuse_dead
from .layer_steps import steps_of_rows, transform_layer
from .store import RepresentationStore

METRICS = ("cosine", "euclidean", "hamming")
HAMMING = ("bits", "hamming")  # metrics of spaces that "hamming" stands for
FEWEST = 4  # items from which the unbiased forms exist
WAY_OUT = (  # of the look at the order of rows
    "with spaces for imbalance_matrix, or thin the items; if they are in no order, shuffle them alike in all layers to "
    "silence"
)


class Layer(NamedTuple):
    """One layer: a space for its distances, and its vectors as they are.

    Attributes
    ----------
    space : Space
        With the cosine metric its rows are directions.
    vectors : array (N, D) or None
        None for a space of directions, whose lengths are gone, and for packed bits.
    dtype : dtype
        That the vectors came in: what lies below its rounding is none of the layer's.
    """

    space: Space
    vectors: np.ndarray | None
    dtype: np.dtype = np.dtype(np.float64)


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
    steps : tuple of transformers
        What every layer goes through first.
    """

    names: tuple[str, ...]
    given: tuple[Any, ...]
    what: str
    ids: list[str | int] | None = None
    steps: tuple[Any, ...] = ()

    def one_by_one(self, metric: str, items: Space | None = None) -> Iterator[Layer]:
        """One layer at a time, all of the same items.

        Parameters
        ----------
        metric : {"cosine", "euclidean", "hamming"}
        items : Space, optional
            What the items of all layers must be those of.

        Raises
        ------
        DataError
            A layer of other items, one whose items are all the same, NaN, one column for the cosine metric; the layer
            is named.
        """
        for name, given in zip(self.names, self.given, strict=True):
            layer = _layer(given, f"{self.what}, {name}", metric, self.steps)
            if self.ids is not None and layer.space.ids is None:  # a store gives plain arrays, and knows whose they are
                space = layer.space.replace(ids=self.ids, name=layer.space.name or f"{self.what}, {name}")
                layer = layer._replace(space=space)
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

    def one(self, place: int, metric: str, items: Space | None = None) -> Layer:
        """A single layer, as `one_by_one` gives it."""
        return next(self._replace(names=(self.names[place],), given=(self.given[place],)).one_by_one(metric, items))

    def take_layers(self, names: Sequence[str]) -> Layers:
        """Some of the layers.

        Raises
        ------
        ParameterError
            If there is no layer of that name, or none is asked for.
        """
        for name in names:
            if name not in self.names:
                raise ParameterError(f"{self.what} has no layer {name!r}: there are {', '.join(self.names)}")
        if not len(names):
            raise ParameterError(f"no layer of {self.what} is named")
        places = [self.names.index(name) for name in names]
        return self._replace(names=tuple(names), given=tuple(self.given[place] for place in places))

    def take(self, rows: np.ndarray) -> Layers:
        """The same layers of some of the items; they are still loaded when they are needed."""
        given = tuple(partial(_rows_of, one, rows) for one in self.given)
        return self._replace(given=given, ids=None, steps=steps_of_rows(self.steps, rows))

    @property
    def n_items(self) -> int:
        """How many items there are; the first layer is loaded for it."""
        first = _loaded(self.given[0])
        return len(first) if isinstance(first, Space) else len(as_space(first, period_check=False))


def read_layers(given: Any, what: str, steps: tuple[Any, ...] = ()) -> Layers:
    """Layers by name.

    Parameters
    ----------
    given : RepresentationStore, mapping, or sequence
        Layers, or functions that load one, with names or in order; an array (L, N, D) is a sequence.
    what : str
        What messages call the model.
    steps : tuple of transformers
        What every layer goes through first.

    Raises
    ------
    ParameterError
        If it is a single layer, none, or a result; if two names are spelt alike.
    """
    if isinstance(given, Layers):
        return given._replace(steps=steps)
    ids = None
    if isinstance(given, Result):
        raise ParameterError(
            f"{what} is a {type(given).__name__}, which keeps values and errors, and nothing of single items: give the "
            "layers again that it is of, as arrays or as a store"
        )
    if isinstance(given, (str, PathLike)):
        raise ParameterError(f"{what} is a path: open the store first, RepresentationStore.open({str(given)!r})")
    if isinstance(given, Space) or getattr(given, "ndim", 0) == 2:
        raise ParameterError(f"{what} is a single layer: give a list of layers, [layer] for one")
    if isinstance(given, RepresentationStore):
        given, ids = given.arrays(), given.ids
    if isinstance(given, Mapping):
        layers: Mapping[Any, Any] | Sequence[Any] = given
        names = tuple(spell_names(given, what))
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
    return Layers(names, found, what, ids, steps)


def read_layer(given: Any, what: str, steps: tuple[Any, ...] = ()) -> Layers:
    """A single layer: an array (N, D), a Space, a function that loads one, or a model of one layer.

    Raises
    ------
    ParameterError
        If there are several.
    """
    if isinstance(given, Space) or getattr(given, "ndim", 0) == 2 or callable(given):
        return Layers((what,), (given,), what, None, steps)
    found = read_layers(given, what, steps)
    if len(found.names) > 1:
        raise ParameterError(f"{what} has {len(found.names)} layers: give one, an array (N, D)")
    return found


def spell_names(given: Iterable[Any], what: str) -> dict[str, Any]:
    """Names as text, each with the one that was given.

    Raises
    ------
    ParameterError
        If two names are spelt alike, as 1 and "1".
    """
    found: dict[str, Any] = {}
    for name in given:
        if str(name) in found:
            other = found[str(name)]
            raise ParameterError(f"{what} has the names {other!r} and {name!r}, spelt alike: give one of them another")
        found[str(name)] = name
    return found


def check_stores(*models: Layers) -> None:
    """Raise where two stores hold other items, or the same in another order."""
    known = [model for model in models if model.ids is not None]
    for other in known[1:]:
        check_ids(known[0].ids, other.ids, known[0].what, other.what)


def _later(given: Mapping[Any, Any], name: Any) -> Callable[[], Any]:
    """An item of a mapping that reads when it is asked."""
    return lambda: given[name]


def _loaded(given: Any) -> Any:
    return given() if callable(given) and not isinstance(given, Space) else given


def _rows_of(given: Any, rows: np.ndarray) -> Any:
    values = _loaded(given)
    return values.take(rows) if isinstance(values, Space) else as_space(values, period_check=False).features[rows]


def _layer(given: Any, name: str, metric: str, steps: tuple[Any, ...]) -> Layer:
    values = _loaded(given)
    if isinstance(values, Space):
        if steps:
            raise ParameterError(f"{name} is a Space: preprocess= changes vectors, give them as an array")
        if values.metric not in (HAMMING if metric == "hamming" else (metric,)):
            raise ParameterError(f"{name} is a space of metric {values.metric!r}, and metric is {metric!r}: say one")
        vectors = None if values.metric in ("cosine", "bits") else np.asarray(to_numpy(values.features), np.float64)
        layer = Layer(values, vectors, np.dtype(getattr(to_numpy(values.features), "dtype", np.float64)))
    else:
        try:
            layer = _from_vectors(values, name, metric, steps)
        except DataError as error:
            known = str(error).startswith(name)
            raise error if known else DataError(f"{name}: {error}") from error
    space = layer.space
    if is_series(space):
        raise ParameterError(
            f"{name} has times or runs: layers are compared item by item; frames of a series go to imbalance_matrix"
        )
    layer = _with_weight(layer, name)
    space = layer.space
    if len(space) < FEWEST:
        raise DataError(f"{name} has {len(space)} items: {FEWEST} are needed")
    if space.metric == "cosine" and space.n_features == 1:
        raise DataError(
            f"{name} has one column: cosine distances know its sign alone, and all items of one sign are tied; take "
            "metric='euclidean'"
        )
    refuse_dead(to_numpy(space.features) if layer.vectors is None else layer.vectors, name)
    return layer


def _with_weight(layer: Layer, name: str) -> Layer:
    """The items of positive weight; an error where weights differ."""
    space, vectors = layer.space, layer.vectors
    if space.sample_weight is None:
        return layer
    left = refuse_weights(space.replace(name=name), "layers are compared with every item once")
    kept = None if vectors is None else vectors[np.flatnonzero(space.sample_weight)]
    return layer._replace(space=left, vectors=kept)


def _from_vectors(values: Any, name: str, metric: str, steps: tuple[Any, ...]) -> Layer:
    plain = as_space(values, period_check=False)
    if is_series(plain):
        return Layer(plain, None)  # refused by who asked
    own = to_numpy(plain.features)
    vectors = np.asarray(own, np.float64)
    made = transform_layer(vectors, steps, name) if steps else values
    if not isinstance(made, Space):
        vectors = np.asarray(to_numpy(as_space(made, period_check=False).features), np.float64) if steps else vectors
        made = _bits(made, name) if metric == "hamming" else as_space(made, metric=metric, period_check=False)
    elif metric != "hamming":
        raise ParameterError(f"{name} became signs, and metric is {metric!r}: say metric='hamming'")
    if steps and plain.ids is not None:
        made = made.replace(ids=plain.ids)
    return Layer(made, None if made.metric == "bits" else vectors, own.dtype)


def _bits(values: Any, name: str) -> Space:
    from infoscope.dimension import pack_bits

    try:
        return pack_bits(values)
    except DataError as error:
        raise DataError(f"{name}: {error}; SignBits() at the end of preprocess makes bits of numbers") from error
