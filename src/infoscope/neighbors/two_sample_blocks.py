"""Blocks of rows whose labels are exchanged together: runs, stretches of time, or groups that the user names.

Rows on both sides of a cut through a series are alike.  In the samples as they are these stay together; after an
exchange they do not, so that exchanged samples differ too little.  Of a series whose correlation falls exponentially,
with correlation time tau (1 + 2 sum of rho), a cut every L takes

    lost = tau / 2 L (1 - exp(-2 L / tau))

of the variance of a difference of means; n blocks of a sample have n - 1 cuts.  `SampleBlocks.widened` puts it back:
the probability of exchanged samples to be as far apart becomes what it would be if a normal difference had all of its
variance.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

import numpy as np

from infoscope.base import DataError, ParameterError
from infoscope.base.array_types import ArrayLike
from infoscope.base.origin import spell_duration
from infoscope.statistics import block_labels, shuffle_within
from infoscope.statistics.lost_variance import widened_p_value

from .correlation import BLOCK_TIMES, is_series, series_correlation
from .space import Space

LIKE = 1.5  # lengths up to this ratio are alike
ENOUGH = 2.0  # arrangements times alpha from which whole runs are blocks


@dataclass(frozen=True, eq=False)
class SampleBlocks:
    """Which block every row belongs to; blocks of like length exchange their labels.

    Attributes
    ----------
    code : array (N,) of int
        Block of every row, reference first.
    of_test : array (G,) of uint8
        Sample of every block.
    stratum : array (G,) of int
        Blocks of one stratum are of like length.
    kind : str
        What the blocks are, for messages.
    lost : float
        Share of the variance of a difference that a null of these blocks lacks, for they are cut out of series.
    window : float or None
        Time within which rows of a series know each other: two correlation times, or the length of a block that was
        given; None where blocks are whole runs or groups.
    """

    code: np.ndarray
    of_test: np.ndarray
    stratum: np.ndarray
    kind: str
    lost: float = 0.0
    window: float | None = None

    @property
    def arrangements(self) -> int:
        """How many different arrangements of the labels there are."""
        total = 1
        for s in np.unique(self.stratum):
            mine = self.of_test[self.stratum == s]
            total *= comb(len(mine), int(mine.sum()))
        return total

    def widened(self, p_value: float, n_exchanged: int) -> float:
        """A p-value of so many exchanged samples, with what their differences lack put back.

        Examples
        --------
        >>> import numpy as np
        >>> from infoscope.neighbors.two_sample_blocks import SampleBlocks
        >>> blocks = SampleBlocks(np.arange(2), np.array([0, 1]), np.zeros(2), "blocks", lost=0.1)
        >>> round(blocks.widened(0.05, 999), 3), round(blocks.widened(0.001, 999), 4)
        (0.063, 0.0017)
        """
        return widened_p_value(p_value, n_exchanged, self.lost)

    def exchanged(self, generator: np.random.Generator) -> np.ndarray:
        """Labels of all rows after the blocks of every stratum have exchanged theirs at random."""
        return self.of_test[shuffle_within(self.stratum, generator)][self.code]


def sample_blocks(
    reference: Space,
    test: Space,
    groups_reference: ArrayLike | None = None,
    groups_test: ArrayLike | None = None,
    *,
    alpha: float = 0.05,
    length: float | None = None,
    times: float = BLOCK_TIMES,
) -> SampleBlocks | None:
    """The blocks that the user named, or that runs and times ask for; None where nothing was said about the rows.

    Parameters
    ----------
    reference, test : Space
    groups_reference, groups_test : array (N,), optional
        Block of every row, as the user names it.
    alpha : float
        Whole runs are blocks where they have arrangements enough for a test at this level.
    length : float, optional
        Duration of a block; so many correlation times of the slowest column by default.
    times : float
        How many: neighbouring blocks share what lies within a correlation time of their border.

    Returns
    -------
    SampleBlocks or None

    Raises
    ------
    ParameterError, DataError
        Where only one of the samples has times, runs or groups, or they do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.neighbors import Space
    >>> from infoscope.neighbors.two_sample_blocks import sample_blocks
    >>> a, b = (Space(np.zeros((4, 1)), run=[0, 0, 1, 1]) for _ in range(2))
    >>> sample_blocks(a, b, length=2).code
    array([0, 0, 1, 1, 2, 2, 3, 3])
    """
    if (groups_reference is None) != (groups_test is None):
        raise ParameterError("groups_reference and groups_test go together: both samples are permuted in blocks")
    if groups_reference is not None and groups_test is not None:
        codes = [_codes(g, len(s), what) for g, s, what in (
            (groups_reference, reference, "groups_reference"), (groups_test, test, "groups_test"))]  # fmt: skip
        return _blocks(codes[0], codes[1], "groups")
    timed = [is_series(sample) for sample in (reference, test)]
    if not any(timed):
        if length is not None:
            raise ParameterError("block_length cuts runs or times into blocks, and the samples have neither")
        return None
    if not all(timed):
        lacking = "the test sample" if timed[0] else "the reference"
        raise ParameterError(f"{lacking} has neither time nor run, and the other sample has: blocks need both; give "
                             "both, or pass groups_reference and groups_test")  # fmt: skip
    if length is None and reference.run is not None and test.run is not None:
        whole = _blocks(np.asarray(reference.run), np.asarray(test.run), "whole runs")
        several = min(len(np.unique(reference.run)), len(np.unique(test.run))) > 1
        if several and whole.arrangements >= ENOUGH / alpha:
            return whole
    lost = 0.0
    if length is None:
        found = [one for one in map(series_correlation, (reference, test)) if one is not None]
        slowest = max(max(one.tau.value, one.step) for one in found)
        length, window = times * slowest, BLOCK_TIMES * slowest
        if not all(one.independent for one in found):
            lost = (1 - np.exp(-2 * times)) / (2 * times)
    elif isinstance(length, str) or not 0 < length < np.inf:
        raise ParameterError(f"block_length is {length!r}; it must be a positive time (rows, where there is no time)")
    else:
        window = length
    codes = [block_labels(s.time, s.run, length, min_blocks=1, max_blocks=len(s), n=len(s)) for s in (reference, test)]
    cuts = np.mean([1 - _n_runs(s) / (code.max() + 1) for s, code in zip((reference, test), codes, strict=True)])
    long = spell_duration(length, reference.time_unit or "units of time")
    return _blocks(codes[0], codes[1], f"blocks of {long}", float(lost * cuts), float(window))


# --------------------------------------------------------------------------------------------------------------- steps
def _n_runs(space: Space) -> int:
    return 1 if space.run is None else len(np.unique(space.run))


def _codes(groups: ArrayLike, n: int, name: str) -> np.ndarray:
    labels = np.asarray(groups)
    if labels.shape != (n,):
        raise DataError(f"{name} has shape {labels.shape}, but there are {n} rows: one label for each")
    return np.unique(labels, return_inverse=True)[1].reshape(-1)


def _blocks(
    first: np.ndarray, second: np.ndarray, kind: str, lost: float = 0.0, window: float | None = None
) -> SampleBlocks:
    """Blocks of both samples, in strata of like length."""
    a, b = (np.unique(codes, return_inverse=True)[1].reshape(-1) for codes in (first, second))
    n_a = int(a.max()) + 1
    code = np.concatenate([a, b + n_a])
    of_test = (np.arange(int(code.max()) + 1) >= n_a).astype(np.uint8)
    size = np.bincount(code)
    stratum = np.zeros(len(size), np.int64)
    shortest, number = size.min(), 0
    for block in np.argsort(size, kind="stable"):  # a new stratum where lengths leave the last one
        if size[block] > LIKE * shortest:
            shortest, number = size[block], number + 1
        stratum[block] = number
    return SampleBlocks(code, of_test, stratum, kind, lost, window)
