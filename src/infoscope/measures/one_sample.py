"""One sample: which items count and how much, which rows belong together, and errors of means over them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from infoscope.base import ParameterError, available_threads, one_blas_thread, warn
from infoscope.neighbors import (
    UNRESTRICTED,
    Admissibility,
    Space,
    as_space,
    is_series,
    look_for_order,
    looking_at_row_order,
    series_correlation,
    settle_weights,
    settle_window,
    to_numpy,
)

ERROR_BLOCK_TIMES = 8.0  # correlation times of a block that errors come from: neighbours share a tenth of the variance
FEWEST_BLOCKS = 10  # from which an error can be told
ROW_BYTES = 2**25  # of rows that are looked at together
WAY_OUT = "or say with `exclusion_window=0` that rows are in no order"


class OneSample(NamedTuple):
    """A sample ready to be measured.

    Attributes
    ----------
    space : Space
        Items of positive weight.
    weight : array (N,)
        Adds up to 1.
    kept : array (N,) of int
        Their numbers among the items as they came.
    unit : array (N,) of int or None
        Block of every row, where rows are correlated.
    window : float
        Time within which rows of a run are no pair.
    notes, warnings : tuple of str
        What there is to say about the input.
    """

    space: Space
    weight: np.ndarray
    kept: np.ndarray
    unit: np.ndarray | None
    window: float
    notes: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def admissibility(self) -> Admissibility:
        """Which rows make a pair."""
        return Admissibility(self.window) if self.window > 0 else UNRESTRICTED

    @property
    def equal(self) -> bool:
        """Whether all items count alike."""
        return self.space.sample_weight is None

    @property
    def n_units(self) -> int:
        """Rows, or blocks of correlated rows."""
        return len(self.weight) if self.unit is None else int(self.unit.max()) + 1

    def error(self, influence: np.ndarray) -> Any:
        """Standard error of statistics that change with a row by weight times influence, (N,) or (N, Q)."""
        pulled = influence - np.tensordot(self.weight, influence, 1)
        pulled = pulled * (self.weight if influence.ndim == 1 else self.weight[:, None])
        if self.unit is not None:
            order = np.argsort(self.unit, kind="stable")
            starts = np.searchsorted(self.unit[order], np.arange(self.n_units))
            pulled = np.add.reduceat(pulled[order], starts, axis=0)
        n = len(pulled)
        return np.sqrt((pulled**2).sum(0) * n / max(n - 1, 1))

    def groups(self, generator: np.random.Generator, most: int, smallest: int = 4) -> tuple[np.ndarray, int]:
        """A random group for every row, as equal as they can be; correlated rows of a block are of one group.

        Their number is a power of two, so that halves, quarters, ... are unions of them.
        """
        n_groups = 1
        while 2 * n_groups <= most and 2 * n_groups * (smallest if self.unit is None else 1) <= self.n_units:
            n_groups *= 2
        of_unit = generator.permutation(np.arange(self.n_units) % n_groups)
        return (of_unit if self.unit is None else of_unit[self.unit]), n_groups

    def part(self, rows: np.ndarray) -> OneSample:
        """Some of the rows."""
        weight = self.weight[rows]
        unit = None if self.unit is None else np.unique(self.unit[rows], return_inverse=True)[1].reshape(-1)
        return self._replace(space=self.space.take(rows), weight=weight / weight.sum(), kept=self.kept[rows], unit=unit)

    def rows(self, values: Any = None) -> Iterator[tuple[slice, np.ndarray]]:
        """Blocks of rows of the features (or of other values) as float64 arrays, wherever they are."""
        values = self.space.features if values is None else values
        n, d = values.shape
        step = max(1, ROW_BYTES // (8 * d))
        for first in range(0, n, step):
            part = slice(first, min(first + step, n))
            yield part, np.asarray(to_numpy(values[part]), np.float64)


def read_sample(
    data: Any,
    weights: Any = None,
    exclusion_window: Any = None,
    *,
    name: str = "X",
    look: bool = True,
    n_jobs: int | None = None,
    **options: Any,
) -> OneSample:
    """Read a sample, settle its weights, and find what its times and runs ask.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.measures.one_sample import read_sample
    >>> sample = read_sample(np.arange(4.0)[:, None], [1, 1, 0, 2])
    >>> sample.weight.tolist(), sample.kept.tolist()
    ([0.25, 0.25, 0.5], [0, 1, 3])
    """
    space = as_space(data, name=name, sample_weight=weights, **options)
    silent = exclusion_window is not None or is_series(space)
    space, window = settle_window(space, exclusion_window)
    settled = settle_weights(space)
    (space,) = settled.spaces
    weight = np.ones(len(space)) if space.sample_weight is None else np.asarray(space.sample_weight, np.float64)
    notes, warnings, unit = [*settled.notes, *space.notes], [], None
    if is_series(space):
        series = series_correlation(space, n_jobs=n_jobs)
        if series is not None:
            window = series.window if window is None else window
            if not series.independent:
                unit = series.blocks(space, max(ERROR_BLOCK_TIMES * series.tau.value, window, 2 * series.step))
        if unit is not None and int(unit.max()) + 1 < FEWEST_BLOCKS:
            warnings.append(f"only {int(unit.max()) + 1} blocks of correlated rows: the standard error is rough")
            warn(warnings[-1])
    with looking_at_row_order(not silent, way_out=WAY_OUT) as order:
        if look and not silent:
            look_for_order(space)
    warnings += order.warnings
    notes += order.notes
    return OneSample(
        space, weight / weight.sum(), settled.kept, unit, float(window or 0.0), tuple(notes), tuple(warnings)
    )


def each(function: Callable[[Any], Any], given: Sequence[Any], n_jobs: int | None = None) -> list[Any]:
    """The function of everything given, on a pool of threads with one thread of BLAS each.

    Examples
    --------
    >>> from infoscope.measures.one_sample import each
    >>> each(abs, [-1, 2])
    [1, 2]
    """

    def alone(one: Any) -> Any:
        with one_blas_thread():  # some BLAS builds count threads per calling thread
            return function(one)

    with one_blas_thread(), ThreadPoolExecutor(min(available_threads(n_jobs), max(len(given), 1))) as pool:
        return list(pool.map(alone, given))


def jackknife(values: np.ndarray, left_out: float | None = None) -> np.ndarray:
    """Standard errors of statistics from their values without each of G groups, (G, ...).

    `left_out` is the share of the rows that is missing in each value, by default one of as many as there are values.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.measures.one_sample import jackknife
    >>> means = np.array([(10.0 - x) / 3 for x in (1.0, 2.0, 3.0, 4.0)])       # of 1, 2, 3, 4 without one
    >>> bool(np.isclose(jackknife(means), np.std([1, 2, 3, 4], ddof=1) / 2))
    True
    """
    n = len(values)
    if n < 2:
        return np.full(values.shape[1:], np.nan)
    with np.errstate(invalid="ignore"):  # infinite ones have no error
        share = 1 / n if left_out is None else left_out
        return np.asarray(np.sqrt((1 - share) / (share * n) * ((values - values.mean(0)) ** 2).sum(0)))


def several_groups(n_groups: int) -> np.ndarray:
    """Sets of groups to leave out together for the error of what jumps, such as a count, (B, groups of a set).

    What one group of sixteen moves takes a few points across a threshold, and the jackknife multiplies the squares of
    such jumps by sixteen: its error is twice the spread. Leaving out a larger share is right for counts as well as for
    means (Shao and Wu, Annals of Statistics 17, 1176 (1989)): of a sign that noise alone decides a share f gives the
    variance (1 - f)/f (1/4 - arcsin(1 - f)/(2 pi)) where 1/4 is right, which it is at f = 0.36. Every pair of groups
    is in equally many sets, so that the error of a mean is the jackknife's to the last digits.

    Examples
    --------
    >>> from infoscope.measures.one_sample import several_groups
    >>> several_groups(16).shape, several_groups(8).shape, several_groups(4).shape, several_groups(1).shape
    ((16, 6), (28, 2), (4, 1), (0, 1))
    """
    if n_groups == 16:  # the 2-(16, 6, 2) design: translates of the quadric x0 x1 + x2 x3 = 1 of GF(2)^4
        quadric = [x for x in range(16) if ((x & x >> 1) ^ (x >> 2 & x >> 3)) & 1]
        return np.arange(16)[:, None] ^ np.array(quadric)
    if n_groups < 2:
        return np.zeros((0, 1), np.int64)
    return np.array(list(combinations(range(n_groups), 2 if n_groups == 8 else 1)))


def refuse_periods(space: Space, what: str) -> None:
    """Raise where columns are angles, which have no directions from an origin."""
    if space.period.any():
        a = int(np.flatnonzero(space.period)[0])
        raise ParameterError(
            f"{what} needs columns on a line, and {space.column_name(a)} of {space.name or 'the data'} is periodic: "
            "give cos and sin of it as two columns"
        )
