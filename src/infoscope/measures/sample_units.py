"""What two samples are made of: rows, or blocks of rows that follow each other; errors and nulls in these units."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from infoscope.base import DataWarning, check_random_state, warn
from infoscope.neighbors import (
    SampleBlocks,
    Space,
    TwoSamples,
    content_order,
    join_samples,
    look_at_samples,
    sample_blocks,
    samples_in_time,
    series_correlation,
    shared_rows,
    to_numpy,
)
from infoscope.statistics import detection_limit, permutation_p_value, shuffle_rows
from infoscope.statistics.shuffles import p_of_count

# Correlation times of a block whose label is exchanged.  Longer than a block that only errors come from
# (`one_sample.ERROR_BLOCK_TIMES`): what neighbours share, 4 % of the variance here, is lost from the null, and is put
# back only roughly (`SampleBlocks.widened`).
EXCHANGE_BLOCK_TIMES = 12.0
FEWEST_BLOCKS = 5  # of a sample; shorter blocks, of two correlation times at least, where there would be fewer
ROUGH_BLOCKS = 5  # of a sample, below which errors are said to be rough
WAY_OUT = "or say with `exclusion_window=0` that rows are in no order"
FEW_BLOCKS = "only {n} blocks of correlated rows in {name}: errors and p-values are rough"


class Prepared(NamedTuple):
    """Two samples, ready to be compared.

    Attributes
    ----------
    samples : TwoSamples
    blocks : SampleBlocks or None
        None where rows are independent.
    warnings, notes : tuple of str
    same_rows : bool
        Whether both samples are the same rows, which are at distance 0.
    """

    samples: TwoSamples
    blocks: SampleBlocks | None
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    same_rows: bool = False

    @property
    def n(self) -> tuple[int, int]:
        """Rows of both samples."""
        return len(self.samples.reference), len(self.samples.test)

    @property
    def n_blocks(self) -> int:
        """Blocks of both samples; 0 where rows are independent."""
        return 0 if self.blocks is None else len(self.blocks.of_test)

    def weight(self, label: int) -> np.ndarray:
        """Weights of one sample's rows, which add up to 1."""
        given = self.samples.weights[label]
        return np.full(self.n[label], 1 / self.n[label]) if given is None else given / given.sum()

    def unit(self, label: int) -> np.ndarray:
        """Number of the unit of every row of one sample, from 0."""
        if self.blocks is None:
            return np.arange(self.n[label])
        code = self.blocks.code[self.samples.labels == label]
        return code - code.min()

    def p_value(self, observed: float, exchanged: Any, *, size: float = 0.0) -> float:
        """How often labels that were exchanged give as large a value, with what cuts through series lack put back."""
        return self._widened(permutation_p_value(observed, exchanged, size=size), len(exchanged))

    def tested(self, observed: float, exchanged: Any, *, size: float = 0.0) -> dict[str, Any]:
        """What results hold of a test: the p-value, the values after exchange, and what would not have been noticed."""
        values = np.asarray(exchanged)
        return dict(
            p_value=self.p_value(observed, values, size=size),
            null_values=values,
            detection_limit=detection_limit(
                values, p_value_of=lambda count: self._widened(p_of_count(count, len(values)), len(values))
            ),
        )

    def _widened(self, p_value: float, n_exchanged: int) -> float:
        return p_value if self.blocks is None else self.blocks.widened(p_value, n_exchanged)

    def variance(self, label: int, influence: np.ndarray) -> float:
        """Of a statistic whose first-order change with a row of one sample is ``weight * influence``; NaN of one unit,
        which tells nothing of what another would have been."""
        weight = self.weight(label)
        pulled = weight * (influence - (weight * influence).sum())
        sums = np.bincount(self.unit(label), pulled)
        return float((sums**2).sum() * len(sums) / (len(sums) - 1)) if len(sums) > 1 else float("nan")


def prepare(reference: Any, test: Any, exclusion_window: Any = None, *, unweighted: str | None = None) -> Prepared:
    """Both samples as one space, their blocks where time or runs are known, and what is to be said about them.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.measures.sample_units import prepare
    >>> x = np.random.default_rng(0).normal(size=(30, 2))
    >>> prepare(x[:20], x[20:]).n
    (20, 10)
    """
    samples = join_samples(reference, test, unweighted=unweighted)
    samples, length = samples_in_time(samples, exclusion_window)
    blocks = find_blocks(samples, length)
    said = blocks is not None or exclusion_window == 0
    warnings = [*look_at_samples(samples, independent=not said, way_out=WAY_OUT)]
    if blocks is not None:
        for label, name in enumerate(("the reference", "the test sample")):
            n = int((blocks.of_test == label).sum())
            if n < ROUGH_BLOCKS:
                warnings.append(FEW_BLOCKS.format(n=n, name=name))
                warn(warnings[-1], DataWarning)
    shared = shared_rows(samples)
    several = samples.space.n_features > 1  # equal numbers of one column are no equal rows
    if several and shared.n and not shared.all and not shared.on_grid:
        text = f"{shared.n} rows of the test sample are in the reference as well: the samples are not independent"
        warnings.append(text)
        warn(text, DataWarning)
    return Prepared(samples, blocks, tuple(warnings), samples.notes, shared.all)


def find_blocks(samples: TwoSamples, length: float | None) -> SampleBlocks | None:
    """Blocks of twelve correlation times, or of fewer where there would be less than five blocks."""
    reference, test = samples.reference, samples.test
    if length is not None:
        return sample_blocks(reference, test, length=length)
    whole = sample_blocks(reference, test, times=EXCHANGE_BLOCK_TIMES)
    if whole is None or whole.kind == "whole runs":
        return whole
    counts = np.bincount(whole.of_test, minlength=2)
    if counts.min() >= FEWEST_BLOCKS:
        return whole
    found = [series_correlation(sample) for sample in (reference, test)]
    shortest = min(one.durations.sum() for one in found if one is not None)
    slowest = max(max(one.tau.value, one.step) for one in found if one is not None)
    times = float(np.clip(shortest / FEWEST_BLOCKS / slowest, 2.0, EXCHANGE_BLOCK_TIMES))
    return sample_blocks(reference, test, times=times)


def permuted_labels(prepared: Prepared, n_permutations: int, seed: int) -> np.ndarray:
    """Labels of all rows (P, N) after they were exchanged: of rows, or of whole blocks of like length.

    The rows are taken in an order that depends on what they hold, and the larger sample first, so that the same
    samples in other units, the rows in another order or the samples exchanged, have the same null.
    """
    labels, blocks = prepared.samples.labels, prepared.blocks
    made = np.empty((n_permutations, len(labels)), np.uint8)
    generators = (np.random.default_rng([seed, b]) for b in range(n_permutations))
    if blocks is not None:
        for row, generator in zip(made, generators, strict=True):
            row[:] = blocks.exchanged(generator)
        return made
    order, lined_up = content_order([prepared.samples.space]), np.sort(labels)
    if prepared.n[0] < prepared.n[1]:
        lined_up = lined_up[::-1]
    for row, generator in zip(made, generators, strict=True):
        row[order] = lined_up[shuffle_rows(len(labels), generator)]
    return made


def variance_of_both_orders(first: float, second: float) -> float:
    """Variance of a statistic of pairs, from the scatter of what single rows add and the part that no row explains.

    Hoeffding's variance is F + S: of rows, and of pairs beyond them.  What a row adds is a mean over its partners, and
    scatters by S as well, counted at both ends of every pair: `first` is F + 2 S.  It holds both orders, and adding S
    once more would make it 3 S where samples are alike.  Without its second S it would be right on average there, but
    it is small where the value is small by chance: intervals of values of two errors would hold in 86 % (now 91 %).

    Examples
    --------
    >>> from infoscope.measures.sample_units import variance_of_both_orders
    >>> variance_of_both_orders(5.0, 1.0), variance_of_both_orders(0.5, 1.0)
    (5.0, 1.0)
    """
    return max(first, second) if np.isfinite(first) else first


def seed_of(random_state: Any) -> int:
    """The seed that stands for a random state, and gives the same numbers when it is given itself."""
    if isinstance(random_state, int | np.integer) and not isinstance(random_state, bool) and random_state >= 0:
        return int(random_state)
    return int(check_random_state(random_state).integers(2**31))


def features_weighted(space: Space) -> np.ndarray:
    """Columns of a space times their feature weights, float64: differences of these are its distances."""
    return np.asarray(to_numpy(space.features), np.float64) * space.feature_weights
