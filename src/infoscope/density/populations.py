"""How often each state is visited, with an error that knows how long the rows of a series stay in one state."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from infoscope.base import InfoscopeError
from infoscope.base.contents import numbers
from infoscope.base.origin import spell_duration
from infoscope.neighbors import Space, clock_of, is_series, series_correlation
from infoscope.statistics.correlated_means import TimeWindows, share_covariance, time_windows
from infoscope.statistics.student_law import student_reach

if TYPE_CHECKING:
    from .estimators import PointDensity

FEW_STRETCHES = 10.0  # whose errors are rough: Student's 97.5 % point is 2.3 from there on down


@dataclass(frozen=True, eq=False)
class Populations:
    """Shares of the weight in states.

    Attributes
    ----------
    shares : array (C,)
        Of the weight.
    covariance : array (C, C)
        Of the shares; NaN where a series has fewer than two stretches that are independent of each other.
    n_stretches : float
        Stretches of a series, as long as its memory both ways, that the covariance is from; Kish's number of items
        where they are independent.
    window : float
        Time within which rows count as one visit; 0 for independent items.
    too_short : bool
        Whether the runs are too short to know.
    time_unit : str
        Of the window, in words.
    """

    shares: np.ndarray = field(repr=False)
    covariance: np.ndarray = field(repr=False)
    n_stretches: float
    window: float = 0.0
    too_short: bool = False
    time_unit: str = ""

    _contents = {"shares": numbers("C"), "covariance": numbers("shares", "shares")}

    @property
    def shares_se(self) -> np.ndarray:
        """Standard errors of the shares."""
        return np.sqrt(np.maximum(np.diag(self.covariance), 0.0))  # of one state: zero, but for rounding

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to be careful with."""
        if not self.window:
            return ()
        if self.too_short:
            return ("the runs are too short to see states come and go: errors of populations may be too small",)
        if self.n_stretches >= FEW_STRETCHES:
            return ()
        wide = float(student_reach(max(self.n_stretches - 1, 1.0)))
        return (
            f"populations rest on {self.n_stretches:.1f} stretches of the series that are independent of each other: "
            f"their errors are rough, and a 95 % interval reaches {wide:.1f} of them to either side (Student's law)",
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What was done."""
        if not self.window:
            return ()
        window = spell_duration(self.window, self.time_unit)
        return (
            f"errors of populations count rows within {window} as one visit, which leaves {self.n_stretches:.3g} "
            "stretches",
        )


def find_populations(density: PointDensity, of_point: np.ndarray, n_states: int) -> Populations:
    """Share of the weight in every state, and the covariance of the shares.

    Parameters
    ----------
    density : PointDensity
        Fitted; its times and runs, its window if one was given, its weights and its bias potential count.
    of_point : array (U,) of int
        State of each of its points.
    n_states : int
        How many there are.

    Returns
    -------
    Populations

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.density import KNNDensity
    >>> from infoscope.density.populations import find_populations
    >>> x = np.random.default_rng(0).normal(size=(400, 1))
    >>> found = find_populations(KNNDensity(10, dimension=1, calibrate=False).fit(x), (x[:, 0] > 0).astype(int), 2)
    >>> bool(np.isclose(found.shares_se[0], np.sqrt(found.shares.prod() / 400)))                      # binomial
    True
    """
    items, weight = _weight_of_items(density)
    states = of_point[density.sample_.point_of_item[items]]
    windows, window, too_short = _windows_of(density, items, states)
    shares, covariance = share_covariance(states, n_states, weight, windows)
    alone = float(weight.sum() ** 2 / (weight @ weight))
    stretches = alone if windows is None else min(1 / windows.share(weight), alone)
    # one cluster: but for rounding
    unit = "" if density.space_ is None else density.space_.time_unit
    return Populations(np.minimum(shares, 1.0), covariance, stretches, window, too_short, unit)


def shares_of_items(density: PointDensity) -> np.ndarray | None:
    """Share of the weight of every item of a fitted density, its bias potential taken out; None where all are equal."""
    items, weight = _weight_of_items(density)
    shares = np.zeros(len(density.sample_.point_of_item))
    shares[items] = weight / weight.sum()
    return None if np.ptp(shares) == 0 else shares


# --------------------------------------------------------------------------------------------------------------- steps
def _weight_of_items(density: PointDensity) -> tuple[np.ndarray, np.ndarray]:
    """Items of the sample, and the weight of each without the bias potential."""
    sample, space = density.sample_, density.space_
    items = np.flatnonzero(sample.point_of_item >= 0)
    point = sample.point_of_item[items]
    if space is None or space.sample_weight is None:
        given = (sample.weight / np.bincount(point, minlength=len(sample.weight)))[point]
    else:
        given = np.asarray(space.sample_weight, float)[items]
    if density._bias is None:
        return items, given
    potential = density._bias.potential
    return items, given * np.exp(potential - potential.max())[point]


def _windows_of(density: PointDensity, items: np.ndarray, states: np.ndarray) -> tuple[TimeWindows | None, float, bool]:
    """Windows of the density, or longer ones where states last longer than any of the columns tells."""
    space, correlated = density.space_, density._correlated
    if space is None or correlated is None or not is_series(space):
        return None, 0.0, False
    window, too_short = correlated.window, correlated.too_short
    rows = space.take(items) if len(items) < len(space) else space
    if density._window is None:
        labels = Space.from_labels(states, time=rows.time, run=rows.run)
        try:
            series = series_correlation(labels, n_jobs=density.n_jobs)
        except InfoscopeError:
            series = None
        if series is not None and series.visit[0] > window:
            window, too_short = series.visit
    return time_windows(clock_of(rows, window), window), window, too_short
