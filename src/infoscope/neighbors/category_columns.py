"""Columns of categories beside columns of numbers: indicators of words, so that two different ones are 1 apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from infoscope.base import DataError, ParameterError
from infoscope.base.checks import is_frame

from .convert import kind_of
from .frame_columns import collected
from .space import Space
from .targets import guess_target_kind

HALF = np.sqrt(0.5)  # two indicators differ where words do: (1/2 + 1/2)^(1/2) = 1


class Indicators(NamedTuple):
    """Columns of indicators of two samples, and their names."""

    names: tuple[str, ...]
    first: np.ndarray  # (N, words)
    second: np.ndarray


def indicators_of(first: Mapping[str, Any], second: Mapping[str, Any]) -> Indicators:
    """The indicators of every word that either sample has.

    Parameters
    ----------
    first, second : mapping of array
        Columns of words by name, the same in both.

    Raises
    ------
    DataError
        A column that only one sample has, or missing words.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.neighbors.category_columns import indicators_of
    >>> made = indicators_of({"pet": np.array(["cat", "dog"])}, {"pet": np.array(["dog", "eel"])})
    >>> made.names, float(((made.first[0] - made.first[1]) ** 2).sum().round(12))
    (('pet=cat', 'pet=dog', 'pet=eel'), 1.0)
    """
    if sorted(first) != sorted(second):
        raise DataError(
            f"columns of text differ: {', '.join(first) or 'none'} in the reference, {', '.join(second) or 'none'} in "
            "the test sample: choose the columns that both have"
        )
    names, parts = [], ([], [])  # type: ignore[var-annotated]
    for column in first:
        words = [_words(values, column) for values in (first[column], second[column])]
        levels = np.unique(np.concatenate(words))
        names += [f"{column}={level}" for level in levels]
        for made, own in zip(parts, words, strict=True):
            made.append(HALF * (own[:, None] == levels))
    return Indicators(tuple(names), *(np.concatenate(made, axis=1) for made in parts))


def encode_categories(reference: Any, test: Any) -> tuple[Any, Any, list[str]]:
    """Two frames with indicators in the place of columns of text, booleans or categories; other data as they are.

    Returns
    -------
    reference, test : as given, or pandas frames
    notes : list of str
        What was done.
    """
    reference, test = collected(reference), collected(test)
    if not all(kind_of(sample) in ("pandas", "polars") and is_frame(sample) for sample in (reference, test)):
        return reference, test, []
    words = [_word_columns(sample) for sample in (reference, test)]
    if not any(words):
        return reference, test, []
    import pandas

    made = indicators_of(
        *({name: _values(s, name) for name in w} for s, w in zip((reference, test), words, strict=True))
    )
    frames = []
    for sample, own, columns in zip((reference, test), words, made[1:], strict=True):
        numbers = {str(name): _values(sample, name) for name in sample.columns if name not in own}
        index = sample.index if kind_of(sample) == "pandas" else None
        table = numbers | dict(zip(made.names, np.asarray(columns).T, strict=True))
        frames.append(pandas.DataFrame(table, index=index))
    return frames[0], frames[1], [_told(words[0])]


def with_categories(
    first: Space, second: Space, words: tuple[Mapping[str, Any], Mapping[str, Any]]
) -> tuple[Space, Space, list[str]]:
    """Two Euclidean spaces with indicators of columns of words beside their columns of numbers."""
    if not words[0] and not words[1]:
        return first, second, []
    for space in (first, second):
        if space.metric != "euclidean":
            raise ParameterError(
                f"columns of text ({', '.join(words[0])}) go with the metric 'euclidean', not {space.metric!r}: choose "
                "the columns of numbers, or leave the metric out"
            )
    made = indicators_of(*words)
    spaces = [_widened(space, made.names, more) for space, more in zip((first, second), made[1:], strict=True)]
    return spaces[0], spaces[1], [_told(list(words[0]))]


# --------------------------------------------------------------------------------------------------------------- steps
def _word_columns(frame: Any) -> list[Any]:
    return [name for name in frame.columns if _holds_words(frame[name], str(name))]


def _holds_words(series: Any, name: str) -> bool:
    dtype = str(series.dtype).lower()
    numeric = any(word in dtype for word in ("int", "float", "date", "time", "duration")) and "categor" not in dtype
    return not numeric and guess_target_kind(series, name)[0] == "labels"


def _values(frame: Any, name: Any) -> np.ndarray:
    return np.asarray(frame[name].to_numpy())


def _words(values: Any, column: str) -> np.ndarray:
    values = np.asarray(values, dtype=object)
    missing = [row for row, one in enumerate(values.tolist()) if one is None or one != one or str(one) == "<NA>"]
    if missing:
        raise DataError(
            f"column {column!r} misses words in {len(missing)} rows, the first in row {missing[0]} (counted from 0): "
            "fill them in (a word of their own, say), or leave these rows out"
        )
    return np.array([str(one) for one in values.tolist()])


def _widened(space: Space, names: tuple[str, ...], more: np.ndarray) -> Space:
    d, extra = space.n_features, more.shape[1]
    own = [space.column_name(a) for a in range(d)]
    wide = Space(
        np.concatenate([np.asarray(space.features, np.float64), more], axis=1),
        period=np.concatenate([space.period, np.zeros(extra)]),
        period_check=False,
        feature_weights=np.concatenate([space.feature_weights, np.ones(extra)]),
        feature_names=(*own, *names),
        sample_weight=space.sample_weight,
        run=None if space.run is None else np.asarray(space.run_names)[space.run],
        time=space.time if space.given_time is None else space.given_time,
        ids=space.ids,
        name=space.name,
    )
    return wide if space.origin is None else wide.replace(origin=space.origin)


def _told(columns: list[Any]) -> str:
    few = ", ".join(map(str, columns))
    return f"two rows with different words in {few} are 1 apart in {'it' if len(columns) == 1 else 'each of these'}"
