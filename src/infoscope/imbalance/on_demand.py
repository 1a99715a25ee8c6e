"""Spaces that are loaded when they are needed and dropped after, so that one at a time is in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from infoscope.base import DataError, ParameterError
from infoscope.neighbors import RowCodes, Space, as_space, check_same_items, without_features


class SpacesOnDemand:
    """Spaces by name, each made anew when it is asked for.

    Parameters
    ----------
    given : mapping of name to data
        Data, or functions without arguments that give them.  A mapping that is no dict is asked for its items one by
        one.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.imbalance.on_demand import SpacesOnDemand
    >>> spaces = SpacesOnDemand({"ones": lambda: np.ones((3, 1)), "corners": np.eye(3)})
    >>> spaces.any_loaded, spaces.load("ones")
    (True, Space(ones: 3 items x 1 features, metric='euclidean'))
    """

    def __init__(self, *given: Mapping[str, Any]):
        self._makers: dict[Any, Callable[[], Space]] = {}
        self.any_loaded = False
        for mapping in given:
            for name in mapping:
                if name in self._makers:
                    continue
                if not isinstance(mapping, dict):
                    self._makers[name] = partial(_load, name, partial(mapping.__getitem__, name))
                elif _is_loader(mapping[name]):
                    self._makers[name] = partial(_load, name, mapping[name])
                else:
                    self._makers[name] = _Made(name, mapping[name])
                    continue
                self.any_loaded = True

    @property
    def names(self) -> tuple[Any, ...]:
        return tuple(self._makers)

    def load(self, name: Any) -> Space:
        """The space of this name; of data that were given as they are always the same one."""
        return self._makers[name]()

    def look(self) -> tuple[list[Space], RowCodes | None]:
        """Load each once: what is known of the items, and codes by which rows that repeat are found.

        Raises
        ------
        DataError
            If they are not the same items.
        """
        items: list[Space] = []
        codes: RowCodes | None = RowCodes()
        for name in self._makers:
            space = self.load(name)
            items.append(without_features(space))
            check_same_items(items[0], items[-1])
            codes = None if codes is None else codes.with_space(space)
            del space
        return items, codes


class PlannedSpaces:
    """The spaces of a plan, one after the other and as often as asked, of which one at a time is held."""

    def __init__(self, space: Callable[[int], Space], n: int):
        self._space, self._n = space, n

    def __len__(self) -> int:
        return self._n

    def __iter__(self) -> Iterator[Space]:
        for i in range(self._n):
            yield self._space(i)


class _Made:
    """Data that are there already become a space once, when it is first asked for."""

    def __init__(self, name: Any, data: Any):
        self._name, self._data = name, data

    def __call__(self) -> Space:
        self._data = as_space(self._data, name=str(self._name))  # a Space passes through
        return self._data


def _is_loader(data: Any) -> bool:
    return callable(data) and not hasattr(data, "shape")


def _load(name: Any, load: Callable[[], Any]) -> Space:
    data = load()
    if _is_loader(data):
        data = data()
    if data is None:
        raise DataError(f"what loads {name} gave nothing: it must return a Space or an array")
    if isinstance(data, Mapping):
        raise ParameterError(f"what loads {name} gave a {type(data).__name__}: it must return a Space or an array")
    return as_space(data, name=str(name))
