"""From the values of one feature in two samples to counts in bins: quantiles, given edges, or categories."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from infoscope.base import DataError, ParameterError
from infoscope.base.rounding import level_ties

from .feature_columns import Feature

MISSING = "missing"
MOST_CATEGORIES = 200  # different words from which a column of text is no feature but names


class Bins(NamedTuple):
    """The bin of every row of two samples.

    Attributes
    ----------
    names : tuple of str
    codes : tuple of two arrays of int
        Bin of every row of the reference and of the test sample.
    edges : array or None
        Between the bins of numbers, without the infinite ends.
    n_ordered : int
        The first so many bins are in order, so that neighbours can be pooled; 0 for categories.
    """

    names: tuple[str, ...]
    codes: tuple[np.ndarray, np.ndarray]
    edges: np.ndarray | None
    n_ordered: int


def make_bins(
    first: Feature, second: Feature, *, n_bins: int, edges: Any, categories: Sequence[Any] | None, missing: str
) -> Bins:
    """Bins of one feature; `missing` values are refused ("error") or make a bin of their own ("bin")."""
    if first.is_text != second.is_text:
        kind = {True: "text", False: "numbers"}
        raise DataError(f"{first.name} holds {kind[first.is_text]} in the reference and {kind[second.is_text]} in the "
                        "test sample: read both alike")  # fmt: skip
    gone = [first.missing, second.missing]
    if missing == "error":
        for feature, sample in ((first, "the reference"), (second, "the test sample")):
            if feature.missing.any():
                raise DataError(f"{feature.name} misses a value in row {int(feature.missing.argmax())} of {sample} "
                                f"({int(feature.missing.sum())} in all): leave such rows out, or count what is missing "
                                "as a bin of its own (missing='bin')")  # fmt: skip
    if first.is_text or categories is not None:
        if edges is not None:
            raise ParameterError(f"edges are for numbers, and {first.name} is text: give categories instead")
        names, codes = _categories(first, second, categories)
        cuts, ordered = None, 0
    else:
        if any(np.isinf(one.values).any() for one in (first, second)):
            sample, one = next((s, o) for s, o in (("the reference", first), ("the test sample", second))
                               if np.isinf(o.values).any())  # fmt: skip
            raise DataError(f"{one.name} is infinite in row {int(np.isinf(one.values).argmax())} of {sample}: leave "
                            "the row out, or give a number")  # fmt: skip
        cuts = quantile_edges(first.values[~first.missing], n_bins) if edges is None else _given_edges(edges)
        codes = [np.searchsorted(cuts, one.values, side="right") for one in (first, second)]
        names, ordered = _intervals(cuts), len(cuts) + 1
    if any(part.any() for part in gone):
        codes = [np.where(lost, len(names), code) for lost, code in zip(gone, codes, strict=True)]
        names = [*names, MISSING]
    return Bins(tuple(names), (codes[0], codes[1]), cuts, ordered)


def quantile_edges(values: np.ndarray, n_bins: int) -> np.ndarray:
    """Edges between bins of like counts, in the middle between neighbouring values, so that none lies on an edge.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.measures.binning import quantile_edges
    >>> quantile_edges(np.array([0.0, 1.0, 2.0, 3.0]), 2), quantile_edges(np.array([0.0, 0.0, 0.0, 1.0]), 10)
    (array([1.5]), array([0.5]))
    """
    if not len(values):
        raise DataError("the reference has no values to make bins of: all are missing")
    distinct, counts = np.unique(level_ties(values), return_counts=True)
    if len(distinct) == 1:
        # one value: what lies below it, the value itself, what lies above
        return np.array([np.nextafter(distinct[0], -np.inf), np.nextafter(distinct[0], np.inf)])
    middles = (distinct[1:] + distinct[:-1]) / 2
    middles = np.where(middles > distinct[:-1], middles, distinct[1:])  # neighbouring floats have no middle
    if len(distinct) <= n_bins:
        return middles
    below = np.cumsum(counts)[:-1]  # rows below each middle
    wanted = np.arange(1, n_bins) * (len(values) / n_bins)
    at = np.searchsorted(below, wanted * (1 - 1e-12))
    at = np.clip(at, 0, len(middles) - 1)
    lower = np.clip(at - 1, 0, len(middles) - 1)
    nearer = np.abs(below[lower] - wanted) < np.abs(below[at] - wanted)
    return np.unique(middles[np.where(nearer, lower, at)])


# --------------------------------------------------------------------------------------------------------------- steps
def _given_edges(edges: Any) -> np.ndarray:
    values = np.asarray(edges, float)
    if values.ndim != 1 or not len(values) or np.isnan(values).any() or (np.diff(values) <= 0).any():
        raise ParameterError(f"edges must be rising numbers, one at least, got {edges!r}")
    return values[np.isfinite(values)]


def _intervals(edges: np.ndarray) -> list[str]:
    texts = [f"{edge:.4g}" for edge in edges]
    if len(set(texts)) < len(texts):
        texts = [f"{edge!r}" for edge in edges.tolist()]
    return [f"below {texts[0]}", *(f"{a} to {b}" for a, b in zip(texts, texts[1:], strict=False)), f"from {texts[-1]}"]


def _categories(first: Feature, second: Feature, given: Sequence[Any] | None) -> tuple[list[str], list[np.ndarray]]:
    words = [_as_text(one) for one in (first, second)]
    if given is None:
        kept = [w[~one.missing] for w, one in zip(words, (first, second), strict=True)]
        known = np.unique(np.concatenate(kept)) if sum(map(len, kept)) else np.array([""])
        if len(known) > MOST_CATEGORIES and len(known) > 0.2 * sum(map(len, words)):
            raise DataError(f"{first.name} holds {len(known)} different words in {sum(map(len, words))} rows: names of "
                            "rows, not categories. Leave it out, or give categories=")  # fmt: skip
        names = known.tolist()
    else:
        names = [_word(one) for one in given]
        if len(set(names)) < len(names) or not names:
            raise ParameterError(f"categories must be different words, one at least, got {list(given)!r}")
    place = {name: p for p, name in enumerate(names)}
    codes = [np.array([place.get(w, len(names)) for w in one.tolist()], np.int64) for one in words]
    if any((code[~one.missing] == len(names)).any() for code, one in zip(codes, (first, second), strict=True)):
        names = [*names, "other"]
    return names, codes


def _as_text(feature: Feature) -> np.ndarray:
    if feature.is_text:
        return feature.values
    return np.array([_word(value) for value in feature.values.tolist()])


def _word(value: Any) -> str:
    """A category by its name: 3 and 3.0 are one."""
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    return str(int(value)) if number and np.isfinite(value) and value == int(value) else str(value)
