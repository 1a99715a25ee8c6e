"""What is known of bits after a fit: one Binary Intrinsic Dimension, or one for every value of a control."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from infoscope.base import DataError, Provenance, Result, check_same_length
from infoscope.base.contents import integers, numbers, whole

from .hamming import HammingHistogram

MISFIT = 10.0  # divergence over its noise floor from which the law does not describe the histogram


@dataclass(frozen=True, kw_only=True, eq=False)
class BinaryDimension(Result):
    """A Binary Intrinsic Dimension: how many independent fair bits are as far apart as the items are.

    Attributes
    ----------
    d0, d0_se : float
        The dimension, d(r) at distance zero, and its standard error, which counts that pairs share items.
    d1, d1_se : float
        Slope of d(r) = d0 + d1 r.
    per_bit, per_bit_se : float
        d0 over the number of bits that vary.
    d_mean, d_mean_se : float
        d at the mean distance of the window, which the histogram knows best.
    covariance : array (2, 2)
        Of (d0, d1).
    error : str or None
        Where the errors come from: "dyadic" (pairs that share an item), "blocks" of items, or a "jackknife", which
        takes the place of "dyadic" where that is no covariance, and is said in the notes.
    kl, kl_floor, kl_ratio : float
        Kullback-Leibler divergence of histogram and law, what noise alone makes of it, and their ratio: far above 1,
        the law does not describe the histogram.
    r_min, r_max : int
        The window.
    alpha : float
        Share of all pairs up to r_max.
    n_pairs, n_window_pairs : float
        Pairs, and those in the window.
    n_bits, n_varying, n_samples, n_duplicates, q, coding
        As in `HammingHistogram`.
    moment_d0, moment_d1 : float
        What mean and deviation of the whole histogram say; every fit of a large window converges to it.
    stride : int
        Distances lie on a lattice of this step.
    at_bound : bool
        Whether the optimum lies on the edge of what is possible.
    n_iter : int
        Newton steps.
    condition : float
        Condition number of the correlation matrix of (a, b): how well the two parameters can be told apart.
    r, p_emp, p_model : array (R,)
        The window: distances, observed and fitted probabilities.
    histogram : HammingHistogram
        What was fitted.
    """

    d0: float
    d0_se: float
    d1: float
    d1_se: float
    per_bit: float
    per_bit_se: float
    d_mean: float
    d_mean_se: float
    covariance: np.ndarray = field(repr=False)
    error: str | None = "dyadic"
    kl: float = np.nan
    kl_floor: float = np.nan
    kl_ratio: float = np.nan
    r_min: int = 0
    r_max: int = 0
    alpha: float = np.nan
    n_pairs: float = np.nan
    n_window_pairs: float = np.nan
    n_bits: int = 0
    n_varying: int | None = None
    n_samples: int | None = None
    n_duplicates: int | None = None
    q: int = 2
    coding: str = ""
    moment_d0: float = np.nan
    moment_d1: float = np.nan
    stride: int = 1
    at_bound: bool = False
    n_iter: int = 0
    condition: float = np.nan
    r: np.ndarray = field(repr=False)
    p_emp: np.ndarray = field(repr=False)
    p_model: np.ndarray = field(repr=False)
    histogram: HammingHistogram = field(repr=False)
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {
        "q": whole(2),
        "n_bits": whole(1),
        "stride": whole(1),
        "r_min": whole(),
        "r_max": whole(),
        "n_iter": whole(),
        "r": integers("R"),
        "p_emp": numbers("R"),
        "p_model": numbers("R"),
        "covariance": numbers(2, 2),
    }

    _references = ("bid",)

    @property
    def d_mode(self) -> float:
        """d at the most frequent distance of the law, d0/(q/(q-1) - d1)."""
        slope = self.q / (self.q - 1) - self.d1
        return self.d0 + self.d1 * self.d0 / slope if slope > 0 else np.nan

    @property
    def _title(self) -> str:
        items = "" if self.n_samples is None else f", N = {self.n_samples}"
        what = "bits" if self.q == 2 else f"sites of {self.q} states"
        return f"Binary intrinsic dimension ({self.n_bits} {what}{items})"

    @property
    def _estimates(self) -> list[tuple[str, Any, Any]]:
        rows: list[tuple[str, Any, Any]] = [
            (name, value, None if np.isnan(error) else error)
            for name, value, error in (
                ("d0", self.d0, self.d0_se),
                ("per bit", self.per_bit, self.per_bit_se),
                ("d1", self.d1, self.d1_se),
            )
        ]
        window = f"distances {self.r_min} to {self.r_max}, {self.alpha:.3g} of all pairs"
        return [
            *rows,
            ("by moments", self.moment_d0, None),
            ("window", window, None),
            ("misfit", f"divergence {self.kl:.3g}, {self.kl_ratio:.3g} times its noise", None),
        ]

    def _rows(self) -> list[dict[str, Any]]:
        names = (
            "d0",
            "d0_se",
            "d1",
            "d1_se",
            "per_bit",
            "per_bit_se",
            "d_mean",
            "d_mean_se",
            "kl",
            "kl_floor",
            "kl_ratio",
            "r_min",
            "r_max",
            "alpha",
            "n_pairs",
            "n_window_pairs",
            "n_bits",
            "moment_d0",
            "moment_d1",
            "stride",
            "at_bound",
        )
        return [{name: getattr(self, name) for name in names}]

    @property
    def verdict(self) -> str:
        """One sentence: how many independent bits, and whether the law describes the distances."""
        if not np.isfinite(self.d0):
            return "No number: the fit failed."
        if self.d0 == 0:
            return "All items are alike: there is nothing to count."
        unit = "bits" if self.q == 2 else f"sites of {self.q} states"
        said = (
            f"These items are as far apart as items of {self.d0:.4g} independent {unit} would be, "
            f"{self.per_bit:.3g} per {unit[:-1] if self.q == 2 else 'site'}"
        )
        if self.at_bound:
            return f"{said}, but the fit ended on the edge of what is possible: do not use the number."
        if self.kl_ratio > MISFIT:
            return (
                f"{said}, but the law does not describe the distances (misfit {self.kl_ratio:.2g} times its "
                "noise): compare windows."
            )
        return f"{said}."


@dataclass(frozen=True, kw_only=True, eq=False)
class BinaryCurve(Result):
    """Binary Intrinsic Dimension against something: the window, a number of columns, a temperature, a layer.

    Attributes
    ----------
    against : str
        What changes: "alpha_max", "bits", or a name of your own.
    control : array (C,)
        Its values.
    d0, d0_se, d1, d1_se, per_bit, per_bit_se : array (C,)
        As in `BinaryDimension`.
    n_bits : array (C,)
        Bits that the number belongs to.
    kl_ratio : array (C,)
        Misfit over noise.
    moment_d0 : array (C,)
        What moments say.
    """

    against: str
    control: np.ndarray
    d0: np.ndarray
    d0_se: np.ndarray
    d1: np.ndarray
    d1_se: np.ndarray
    per_bit: np.ndarray
    per_bit_se: np.ndarray
    n_bits: np.ndarray
    kl_ratio: np.ndarray
    moment_d0: np.ndarray
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {
        "control": numbers("C"),
        "d0": numbers("control"),
        "d0_se": numbers("control"),
        "d1": numbers("control"),
        "d1_se": numbers("control"),
        "per_bit": numbers("control"),
        "per_bit_se": numbers("control"),
        "kl_ratio": numbers("control"),
        "moment_d0": numbers("control"),
        "n_bits": integers("control"),
    }

    _references = ("bid",)

    @classmethod
    def of(cls, control, results, *, against: str, **record: Any) -> BinaryCurve:
        """Collect results of several fits.

        Parameters
        ----------
        control : array (C,)
            The temperature, the layer, ... of each.
        results : sequence of BinaryDimension
            The fits.
        against : str
            What the control is called.

        Returns
        -------
        BinaryCurve

        Raises
        ------
        DataError
            If there is not one result for each value, or none.

        Examples
        --------
        >>> import numpy as np
        >>> from infoscope import BinaryCurve, BinaryID
        >>> rng = np.random.default_rng(0)
        >>> bits = [rng.integers(0, 2, (300, n)) for n in (50, 100)]
        >>> BinaryCurve.of([50, 100], [BinaryID().fit(x).result_ for x in bits], against="bits").d0.round(-1)
        array([ 50., 100.])
        """
        control, results = np.asarray(control, float), list(results)
        if not results:
            raise DataError("a curve needs at least one result")
        check_same_length({"control": control, "results": results})
        names = ("d0", "d0_se", "d1", "d1_se", "per_bit", "per_bit_se", "n_bits", "kl_ratio", "moment_d0")
        columns: dict[str, Any] = {n: np.array([getattr(r, n) for r in results]) for n in names}
        return cls(against=against, control=control, **columns, **record)

    @property
    def _title(self) -> str:
        return f"Binary intrinsic dimension against {self.against}"

    @property
    def _estimates(self) -> list[tuple[str, float, float | None]]:
        return [
            (f"{self.against} {c:.4g}", float(d), None if np.isnan(se) else float(se))
            for c, d, se in zip(self.control, self.d0, self.d0_se, strict=True)
        ]

    def _rows(self) -> list[dict[str, Any]]:
        names = ("d0", "d0_se", "d1", "d1_se", "per_bit", "per_bit_se", "n_bits", "kl_ratio", "moment_d0")
        return [
            {self.against: float(c), **{n: getattr(self, n)[i].item() for n in names}}
            for i, c in enumerate(self.control)
        ]

    def exponent(self) -> float:
        """Slope of log(d0 per bit) against log(bits): 0 where each bit adds the same, -1/2 where few are behind all."""
        good = np.isfinite(self.per_bit) & (self.per_bit > 0)
        if np.unique(self.n_bits[good]).size < 2:
            return float("nan")
        return float(np.polyfit(np.log(self.n_bits[good]), np.log(self.per_bit[good]), 1)[0])

    def minima(self) -> np.ndarray:
        """Values of the control where d0 is lower than on both sides."""
        order = np.argsort(self.control)
        d = self.d0[order]
        inner = (d[1:-1] < d[:-2]) & (d[1:-1] < d[2:])
        return self.control[order][1:-1][inner]

    @property
    def verdict(self) -> str:
        """One sentence: what the curve does."""
        low, high = np.nanmin(self.d0), np.nanmax(self.d0)
        if self.against == "alpha_max":
            fine = self.control[self.kl_ratio <= MISFIT]
            fits = f"the law fits up to {fine.max():.2g}" if len(fine) else "the law fits no window"
            return f"Between {low:.4g} and {high:.4g} over windows ({(high - low) / high:.0%} of the larger); {fits}."
        if self.against == "bits":
            return f"From {self.d0[0]:.4g} to {self.d0[-1]:.4g}; per bit like (bits)^{self.exponent():.2f}."
        found = self.minima()
        where = f", with a minimum at {self.against} {found[0]:.4g}" if len(found) == 1 else ""
        return f"Between {low:.4g} and {high:.4g}{where}."


@dataclass(frozen=True, kw_only=True, eq=False)
class LocalDimension(Result):
    """The dimension that neighbouring shells of distance give, without any law for how it changes.

    Attributes
    ----------
    distance : array (S,)
        Mean distance of each group of shells.
    dimension, dimension_se : array (S,)
        Of each, with its standard error (from groups of items if the histogram has them, else of independent pairs).
    n_pairs : array (S,)
        Pairs in the shells.
    """

    distance: np.ndarray
    dimension: np.ndarray
    dimension_se: np.ndarray
    n_pairs: np.ndarray
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {
        "distance": numbers("S"),
        "dimension": numbers("S"),
        "dimension_se": numbers("S"),
        "n_pairs": numbers("S"),
    }

    _references = ("bid",)

    @property
    def _title(self) -> str:
        return "Local binary dimension"

    def _rows(self) -> list[dict[str, Any]]:
        return [
            dict(distance=float(r), dimension=float(d), dimension_se=float(se), n_pairs=float(n))
            for r, d, se, n in zip(self.distance, self.dimension, self.dimension_se, self.n_pairs, strict=True)
        ]

    @property
    def verdict(self) -> str:
        """One sentence: from the nearest to the farthest pairs."""
        return (
            f"From {self.dimension[0]:.4g} at distance {self.distance[0]:.4g} to {self.dimension[-1]:.4g} at "
            f"distance {self.distance[-1]:.4g}."
        )
