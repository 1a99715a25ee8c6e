"""What `DensityPeaks` returns: clusters, peaks, saddles."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from infoscope.base import Origin, ParameterError, Provenance, Result
from infoscope.base.checks import check_choice
from infoscope.base.contents import flags, holds, integers, numbers, whole
from infoscope.base.origin import spell_time
from infoscope.base.plot_style import APART, colour_of
from infoscope.base.rounding import first_lowest
from infoscope.statistics.units import energy_unit

if TYPE_CHECKING:
    import pandas

PRINTED = {"peak_log_density": "log density", "peak_log_density_se": "log density_se"}  # heads of the printed table
ONE_SIDED = 1.645  # standard errors between an estimate and its limit at 95 %


@dataclass(frozen=True, kw_only=True, eq=False)
class Clusters(Result):
    """Clusters around peaks of the density, the highest peak first.

    Attributes
    ----------
    labels : array (N,) of int
        Cluster of every item; -1 in the halo, if it was asked for.
    centers : array (C,) of int
        Item at each peak.
    peak_log_density, peak_log_density_se : array (C,)
        Height of the peaks.
    saddle_log_density, saddle_log_density_se : array (C, C)
        Height of the highest point between two clusters; NaN where they do not touch.
    saddle_is_bound : array (C, C) of bool
        Whether the gap holds too few items to measure the saddle: it is no higher than found, and barriers over it are
        lower bounds (see `infoscope.density.saddle_resolution`).
    saddle_items : array (C, C) of int
        That point; -1 where clusters do not touch.
    populations, populations_se : array (C,)
        Share of the weight, and its error; rows of a series count by how long they stay in one state.
    populations_covariance : array (C, C)
        Covariance of the shares.
    n_stretches : float
        Stretches of a series, independent of each other, that it is from; the effective number of independent items.
    Z : float
        Significance.
    n_items, n_peaks, n_halo : int
        Items; peaks before merging; items in the halo.
    merges : tuple of (absorbed item, surviving item, saddle log density, significance)
        What was merged, in order.
    log_density : array (N,)
        Of every item.
    item_weight : array (N,) or None
        Share of the weight of every item, the bias taken out; None where all are equal.
    dimension : float
        Intrinsic dimension.
    method : str
        Of the density.
    origin : Origin or None
        File, row (or frame), time and name of every item, as far as they are known.
    temperature, units : float, str
        Of the barriers; `with_units` changes them.
    """

    labels: np.ndarray = field(repr=False)
    centers: np.ndarray
    peak_log_density: np.ndarray
    peak_log_density_se: np.ndarray
    saddle_log_density: np.ndarray = field(repr=False)
    saddle_log_density_se: np.ndarray = field(repr=False)
    saddle_is_bound: Any = field(default=None, repr=False)
    saddle_items: np.ndarray = field(repr=False)
    populations: np.ndarray
    populations_se: np.ndarray
    populations_covariance: Any = field(default=None, repr=False)
    n_stretches: float = np.nan
    Z: float
    n_items: int = 0
    n_peaks: int = 0
    n_halo: int = 0
    merges: tuple[tuple[int, int, float, float], ...] = field(default=(), repr=False)
    log_density: np.ndarray = field(repr=False)
    item_weight: Any = field(default=None, repr=False)
    dimension: float = np.nan
    method: str = ""
    coordinates: Any = field(default=None, repr=False)
    feature_names: Any = field(default=None, repr=False)
    origin: Origin | None = field(default=None, repr=False)
    temperature: float = 300.0
    units: str = "kT"
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {
        "labels": integers("n_items", low=-1, below="centers"),
        "centers": integers("C", below="n_items"),
        "peak_log_density": numbers("centers"),
        "peak_log_density_se": numbers("centers"),
        "saddle_log_density": numbers("centers", "centers"),
        "saddle_log_density_se": numbers("centers", "centers"),
        "saddle_is_bound": flags("centers", "centers") | None,
        "saddle_items": integers("centers", "centers", low=-1, below="n_items"),
        "populations": numbers("centers"),
        "populations_se": numbers("centers"),
        "populations_covariance": numbers("centers", "centers") | None,
        "log_density": numbers("n_items"),
        "item_weight": numbers("n_items", low=0.0) | None,
        "coordinates": numbers("n_items", "D") | None,
        "n_peaks": whole(),
        "origin": holds(Origin, length="n_items") | None,
        "n_halo": whole(),
    }

    @property
    def _references(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("k_star", "pak") if self.method == "PAk" else ("k_star",)

    @property
    def n_clusters(self) -> int:
        """How many peaks are significant."""
        return len(self.centers)

    def state_groups(self) -> tuple[np.ndarray, tuple[str, ...], tuple[str, ...]]:
        """The group of every item, its state or the halo, with names and colours as pictures and files have them.

        Returns
        -------
        group : array (N,) of int
            Number of the state; that behind the last one in the halo.
        names : tuple of str
            "0", "1", ..., and "halo" where some items are in it.
        colours : tuple of str
            Of the groups.

        Examples
        --------
        >>> import numpy as np
        >>> from infoscope.density import DensityPeaks
        >>> x = np.random.default_rng(0).normal(size=(200, 2)) + np.repeat([[0.0], [4.0]], 100, axis=0)
        >>> group, names, colours = DensityPeaks(1.0, halo=True).fit(x).result_.state_groups()
        >>> names, len(group)
        (('0', '1', 'halo'), 200)
        """
        labels, n = np.asarray(self.labels), self.n_clusters
        halo = ("halo",) if (labels < 0).any() else ()
        names = (*map(str, range(n)), *halo)
        return np.where(labels < 0, n, labels), names, (*map(colour_of, range(n)), *APART[: len(halo)])

    @property
    def _title(self) -> str:
        how = f"{self.method}, N = {self.n_items}, dimension {self.dimension:.3g}, Z = {self.Z:g}"
        return f"Density peaks ({how}; barriers in {self.units})"

    @property
    def _estimates(self) -> list[tuple[str, float, float]]:
        return []

    def _rows(self) -> list[dict[str, Any]]:
        """What is printed: a centre by its file and row, where they are known, else by its number."""
        places = {"center": self.centers} if self.origin is None else self.origin.columns(self.centers)
        if self.origin is not None and len(self.origin.files) < 2:
            places.pop("file", None)
        rows = self._peaks({name: _as_written(np.asarray(values)) for name, values in places.items()})
        bounds = [row.pop("barrier_is_bound") for row in rows]
        rows = [{PRINTED.get(name, name): value for name, value in row.items()} for row in rows]
        if len(rows) == 1:  # all of the weight, by definition
            rows[0]["population_se"] = None
        if any(bounds):
            for row, bound in zip(rows, bounds, strict=True):
                row["barrier_at_least"] = row["barrier"] if bound else None
                if bound:
                    row.update(barrier=None, barrier_se=None)
        return rows

    def _peaks(self, places: dict[str, list[Any]]) -> list[dict[str, Any]]:
        highest = [self._highest_saddle(c) for c in range(self.n_clusters)]
        return [
            dict(
                cluster=c,
                **{name: values[c] for name, values in places.items()},
                population=float(self.populations[c]),
                population_se=float(self.populations_se[c]),
                peak_log_density=float(self.peak_log_density[c]),
                peak_log_density_se=float(self.peak_log_density_se[c]),
                barrier=barrier,
                barrier_se=error,
                barrier_is_bound=bound,
            )
            for c, (barrier, error, bound) in enumerate(highest)
        ]

    def free_energy_difference(self, a: int, b: int) -> tuple[float, float]:
        """Free energy of state a above that of state b, -kT log(p_a/p_b), in `units`, and its standard error.

        Parameters
        ----------
        a, b : int
            Clusters.

        Returns
        -------
        difference, error : float
            The error knows that populations add up to one.

        Raises
        ------
        ParameterError
            There is no such cluster.
        """
        for c in (a, b):
            if not 0 <= c < self.n_clusters:
                raise ParameterError(f"there is no cluster {c}: they are 0 to {self.n_clusters - 1}")
        share, covariance = np.asarray(self.populations), np.asarray(self.populations_covariance)
        kt = energy_unit(self.temperature, self.units)
        way = np.zeros(self.n_clusters)
        way[a] += 1 / share[a]
        way[b] -= 1 / share[b]
        return float(-kt * np.log(share[a] / share[b])), float(kt * np.sqrt(max(way @ covariance @ way, 0.0)))

    def to_frame(self, table: str = "peaks") -> pandas.DataFrame:
        """Peaks, saddles or items as a pandas frame; an item with its file, row and time, where they are known.

        Parameters
        ----------
        table : {"peaks", "saddles", "items"}
            One row a cluster (with the barrier to its highest saddle); one row a pair that touches (with the barriers
            from both sides); or one row an item, with its state: its cluster, -1 in the halo.  A barrier that is a
            bound has no error, and is a lower limit at 95 %.

        Returns
        -------
        pandas.DataFrame
        """
        import pandas

        if check_choice(table, "table", ("peaks", "saddles", "items")) == "items":
            free_energy = energy_unit(self.temperature, self.units) * (np.max(self.log_density) - self.log_density)
            numbers = {"state": self.labels, "log_density": self.log_density, "free_energy": free_energy}
            return pandas.DataFrame({**self._places(np.arange(self.n_items)), **numbers})
        if table == "peaks":
            places = {"center": self.centers} | ({} if self.origin is None else self.origin.columns(self.centers))
            return pandas.DataFrame(self._peaks({name: list(values) for name, values in places.items()}))
        pairs = [self._saddle_row(int(a), int(b)) for a, b in np.argwhere(np.triu(self.saddle_items >= 0, 1))]
        names = [
            "a",
            "b",
            "item",
            "saddle_log_density",
            "saddle_log_density_se",
            "barrier_from_a",
            "barrier_from_a_se",
            "barrier_from_b",
            "barrier_from_b_se",
            "is_bound",
        ]
        frame = pandas.DataFrame(pairs, columns=names)
        for place, (name, values) in enumerate(self._places(frame["item"].to_numpy(int)).items(), start=3):
            if name != "item":
                frame.insert(place, name, values)
        return frame

    @property
    def verdict(self) -> str:
        """One sentence: how many states, and how they are separated."""
        if self.n_clusters == 1:
            return f"One state: no second peak of the density is higher than its saddle by {self.Z:g} standard errors."
        touching = int((self.saddle_items >= 0).sum() // 2)
        largest = first_lowest(-self.populations)
        return (
            f"{self.n_clusters} states, the largest (cluster {largest}) with {self.populations[largest]:.0%} of "
            f"the weight; {touching} of {self.n_clusters * (self.n_clusters - 1) // 2} pairs touch{self._unmeasured()}."
        )

    def with_units(self, units: str, temperature: float = 300.0) -> Clusters:
        """The same result, its barriers in other units ("kT", "kJ/mol", "kcal/mol")."""
        energy_unit(temperature, units)
        return replace(self, units=units, temperature=float(temperature))

    # ---- steps ----
    def _places(self, items: np.ndarray) -> dict[str, np.ndarray]:
        """Columns that say where items are from; without an origin their numbers."""
        return {"item": items} if self.origin is None else self.origin.columns(items)

    def _is_bound(self, a: int, b: int) -> bool:
        return self.saddle_is_bound is not None and bool(self.saddle_is_bound[a, b])

    def _unmeasured(self) -> str:
        """Which barriers are no measured ones."""
        pairs = [(a, b) for a in range(self.n_clusters) for b in range(a) if self._is_bound(a, b)]
        if not pairs:
            return ""
        if len(pairs) > 1:
            return f"; too few items lie in the gaps of {len(pairs)} pairs: barriers there are lower bounds"
        a, b = sorted(pairs[0])
        return f"; too few items lie between clusters {a} and {b} to measure the saddle: the barrier is a lower bound"

    def _highest_saddle(self, c: int) -> tuple[float, float, bool]:
        """Height of a peak above its highest saddle, its error, and whether it is a bound; NaN if it touches none."""
        saddles = self.saddle_log_density[c]
        if np.isnan(saddles).all():
            return np.nan, np.nan, False
        other = first_lowest(-saddles, 1.0)
        return *self._barrier(c, other), self._is_bound(c, other)

    def _barrier(self, c: int, other: int) -> tuple[float, float]:
        """Height of peak c above the saddle, and its error; the lower limit, without error, where that is a bound."""
        height = self.peak_log_density[c] - self.saddle_log_density[c, other]
        kt = energy_unit(self.temperature, self.units)
        error = np.hypot(self.peak_log_density_se[c], self.saddle_log_density_se[c, other])
        if self._is_bound(c, other):
            return kt * max(float(height - ONE_SIDED * error), 0.0), np.nan
        return kt * float(height), kt * float(error)

    def _saddle_row(self, a: int, b: int) -> tuple:
        return (
            a,
            b,
            int(self.saddle_items[a, b]),
            float(self.saddle_log_density[a, b]),
            float(self.saddle_log_density_se[a, b]),
            *self._barrier(a, b),
            *self._barrier(b, a),
            self._is_bound(a, b),
        )


def _as_written(values: np.ndarray) -> list[Any]:
    """Values for a line that is printed; dates as dates, not as the nanoseconds that they are kept in."""
    return [spell_time(value) for value in values] if values.dtype.kind == "M" else values.tolist()
