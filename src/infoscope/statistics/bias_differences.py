"""Is a bias potential a function of the features?  Then neighbours have the same, whenever they were seen.

The bias of a metadynamics run grows while rows are sampled: a row that comes back to a place later finds it higher.
Taken as static, such a bias is wrong by as much as it grew between visits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from infoscope.base.array_types import Floats, Ints

LARGEST = 1.0  # kT by which the bias of neighbours may differ: above, it does not depend on the features alone
NOTICED = 0.3  # kT, of a bias that grows
GROWS = 0.5  # later minus earlier pairs among those that differ; about 0 for a static bias, 1 for one that only grows
LOOKED_AT = 50  # neighbours among which another visit is looked for
APART = 20  # two rows are of different visits when a twentieth of the whole time lies between them
FEWEST = 20  # pairs of different visits that can tell


@dataclass(frozen=True)
class BiasDifferences:
    """How much the bias of neighbours differs.

    Attributes
    ----------
    typical : float
        Median of the absolute difference, in kT.
    growth : float
        Share of pairs in which the later row has the higher bias, less the share in which it has the lower one: 0 for
        a static bias, 1 for one that grows at every visit; 0 where nothing is known of it.
    """

    typical: float
    growth: float

    @property
    def differs(self) -> bool:
        """Whether the bias is no function of the features."""
        return self.typical > LARGEST

    @property
    def grows(self) -> bool:
        """Whether that is because it grows with time."""
        return self.growth > GROWS and self.typical > NOTICED


def bias_differences(
    potential: Floats, items: Ints, clock: Floats | None = None, rows: Ints | None = None
) -> BiasDifferences:
    """Differences of the bias between every row and its nearest neighbour of another visit.

    Parameters
    ----------
    potential : array (N,)
        Of every row, in kT.
    items : array (N, k) of int
        Its neighbours, the nearest first.
    clock : array (N,), optional
        When rows were seen; their order without it.
    rows : array (M,) of int, optional
        The rows that `items` (M, k) holds the neighbours of, where it is not all.

    Returns
    -------
    BiasDifferences

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.statistics import bias_differences
    >>> x = np.random.default_rng(0).uniform(size=400)
    >>> items = np.argsort(np.abs(x - x[:, None]), axis=1)[:, 1:11]
    >>> static, growing = bias_differences(3 * x, items), bias_differences(3 * x + np.arange(400) / 100, items)
    >>> static.differs, static.grows, growing.differs, growing.grows
    (False, False, True, True)
    """
    potential, items = np.asarray(potential, float), np.asarray(items)[:, :LOOKED_AT]
    time = np.arange(len(potential), dtype=float) if clock is None else np.asarray(clock, float)
    rows = np.arange(len(potential)) if rows is None else np.asarray(rows)
    apart = np.abs(time[items] - time[rows][:, None]) > np.ptp(time) / APART
    others = np.flatnonzero(apart.any(axis=1))
    if len(others) < FEWEST:
        return BiasDifferences(float(np.median(np.abs(potential[rows] - potential[items[:, 0]]))), 0.0)
    partners, rows = items[others, apart[others].argmax(axis=1)], rows[others]
    difference, later = potential[rows] - potential[partners], time[rows] - time[partners]
    return BiasDifferences(float(np.median(np.abs(difference))), float(np.mean(np.sign(difference) * np.sign(later))))


def bias_sentence(found: BiasDifferences, name: str = "the bias") -> str:
    """What is wrong with a bias that is no function of the features, and the way out; empty where nothing is.

    Parameters
    ----------
    found : BiasDifferences
        How the bias of neighbours differs.
    name : str
        What to call the bias.

    Returns
    -------
    str

    Examples
    --------
    >>> from infoscope.statistics.bias_differences import BiasDifferences, bias_sentence
    >>> bias_sentence(BiasDifferences(0.1, 0.0))
    ''
    """
    if found.grows:
        return (
            f"{name} of neighbours differs by {found.typical:.3g} kT, and the later one has the higher: it grew while "
            "rows were sampled, as metad.bias does, and is no function of the features. Use metad.rbias (PLUMED: "
            "CALC_RCT), which is metad.bias less c(t); without it, c(t) comes from the HILLS file "
            "(infoscope.io.hills_offset); or leave out the rows from before the bias was converged"
        )
    if found.differs:
        return (
            f"{name} of neighbours differs by {found.typical:.3g} kT: it is no function of the features, or they are "
            "too far apart. Add the coordinate it acts on to the features, or pass weights; of metadynamics use "
            "metad.rbias, which is metad.bias less its growth c(t)"
        )
    return ""
