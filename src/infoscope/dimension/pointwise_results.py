"""The dimension around every item: what `pointwise_dimension` returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import gammaincinv

from infoscope.base import Origin, Provenance, Result
from infoscope.base.array_types import Floats
from infoscope.base.contents import holds, numbers, whole
from infoscope.base.origin import spell_item
from infoscope.base.rounding import first_lowest

if TYPE_CHECKING:
    import pandas

DIFFERS = 0.01  # p-value below which the dimension is said to differ from place to place


@dataclass(frozen=True, kw_only=True, eq=False)
class PointwiseDimension(Result):
    """The intrinsic dimension around every item.

    Attributes
    ----------
    dimension, dimension_se : array (N,)
        At every item, and its standard error; NaN where all neighbours are at one distance, and for items of weight
        zero.
    n_ratios : array (N,)
        How many independent ratios of distances each is worth: `k` - 1, and with smoothing as many as neighbourhoods
        that share items leave.
    distance : array (N,)
        To the k-th neighbour: the scale the number belongs to.
    k, smoothing : int
        Neighbours of every item, and nearest neighbours whose ratios are pooled with its own.
    n_items, n_duplicates : int
        Items; those that repeat another one, whose number they have.
    thinned : int
        Neighbours are one row in so many.
    p_value : float or None
        Probability that neighbourhoods that share no item differ as much if the dimension were the same everywhere;
        None for fewer than five of them.
    coordinates : array (N, D) or None
        The features, for pictures.
    feature_names : sequence of str or None
        Their names.
    origin : Origin or None
        File, row (or frame), time and name of every item, as far as they are known.
    """

    dimension: np.ndarray = field(repr=False)
    dimension_se: np.ndarray = field(repr=False)
    n_ratios: np.ndarray = field(repr=False)
    distance: np.ndarray = field(repr=False)
    k: int
    smoothing: int = 0
    n_items: int = 0
    n_duplicates: int = 0
    thinned: int = 1
    p_value: float | None = None
    coordinates: Any = field(default=None, repr=False)
    feature_names: Any = field(default=None, repr=False)
    origin: Origin | None = field(default=None, repr=False)
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {
        "dimension": numbers("n_items"),
        "dimension_se": numbers("n_items"),
        "n_ratios": numbers("n_items"),
        "distance": numbers("n_items"),
        "k": whole(3),
        "smoothing": whole(),
        "n_items": whole(),
        "n_duplicates": whole(),
        "thinned": whole(1),
        "coordinates": numbers("n_items", "D") | None,
        "origin": holds(Origin, length="n_items") | None,
    }
    _references = ("local_likelihood",)

    @property
    def interval(self) -> Floats:
        """(N, 2): 95 % intervals.

        With a independent ratios, d times their mean has the law Gamma(a)/a; `dimension` is (a - 1)/a over the mean.
        """
        a = self.n_ratios[:, None]
        return self.dimension[:, None] * gammaincinv(a, [0.025, 0.975]) / (a - 1)

    @property
    def _title(self) -> str:
        smooth = f", pooled over {self.smoothing} neighbours" if self.smoothing else ""
        return f"Intrinsic dimension at every item (k = {self.k}{smooth}, N = {self.n_items})"

    @property
    def _estimates(self) -> list[tuple[str, float, float]]:
        known = np.flatnonzero(np.isfinite(self.dimension))
        if not len(known):
            return []
        places = [("smallest", first_lowest(self.dimension)), ("largest", first_lowest(-self.dimension))]
        return [
            (f"{name} ({spell_item(self.origin, at)})", float(self.dimension[at]), float(self.dimension_se[at]))
            for name, at in places
        ]

    @property
    def verdict(self) -> str:
        """One sentence: the dimension of a typical item, and whether it differs from place to place."""
        known = self.dimension[np.isfinite(self.dimension)]
        if not len(known):
            return "No item has a dimension: all its neighbours are at one distance."
        low, middle, high = np.quantile(known, [0.05, 0.5, 0.95])
        said = (
            f"About {middle:.2g} variables are needed around a typical item, {low:.2g} to {high:.2g} around nine in ten"
        )
        if self.p_value is None:
            return f"{said}; too few neighbourhoods share no item to tell whether that is more than chance."
        if self.p_value < DIFFERS:
            return (
                f"{said}, which is more than chance makes (p = {self.p_value:.1g}): the dimension, or how the density "
                "changes within neighbourhoods, differs from place to place."
            )
        return f"{said}, which is no more than chance makes (p = {self.p_value:.2g})."

    def to_frame(self) -> pandas.DataFrame:
        """One row an item: where it is from, dimension, error, independent ratios, distance of the k-th neighbour."""
        import pandas

        return pandas.DataFrame(
            {
                **({} if self.origin is None else self.origin.columns()),
                "dimension": self.dimension,
                "dimension_se": self.dimension_se,
                "n_ratios": self.n_ratios,
                "distance": self.distance,
            }
        )
