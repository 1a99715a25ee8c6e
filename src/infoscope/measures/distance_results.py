"""What the distances between two samples return: a number, its error, its p-value, and where it comes from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from infoscope.base import Provenance, Result, say_estimate
from infoscope.base.contents import choices, numbers, whole
from infoscope.base.rounding import exceeds, order_of
from infoscope.statistics import say_detection_limit

__all__ = [
    "CauchySchwarz",
    "CauchySchwarzInformation",
    "FrechetDistance",
    "KernelDiscrepancy",
    "NeighborDivergence",
    "SlicedWasserstein",
]

ALPHA = 0.05
SHOWN = 3  # columns named in a verdict
LIMITED = "; how much is a guess, because too many rows have nothing of the other sample near them"


@dataclass(frozen=True, kw_only=True, eq=False)
class SampleDistance(Result):
    """What all distances between two samples hold.

    Attributes
    ----------
    value, value_se : float
        The distance and its standard error, 1.5 times too large where nothing changed: judge by `p_value` there.
    p_value : float or None
        (1 + c)/(1 + n) of the values after labels were exchanged, where these were asked for.
    null_values : array or None
        Those values.
    detection_limit : float or None
        The largest value whose p-value is above 0.05: what would not have been noticed.
    n_reference, n_test : int
        Rows.
    n_blocks : int
        Blocks of correlated rows in both samples; 0 where rows are independent.
    """

    value: float
    value_se: float
    p_value: float | None = None
    null_values: np.ndarray | None = field(default=None, repr=False)
    detection_limit: float | None = None
    n_reference: int
    n_test: int
    n_blocks: int = 0
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {"null_values": numbers("P"), "n_reference": whole(1), "n_test": whole(1), "n_blocks": whole()}
    _what = "distance"  # of the title and the verdict
    _blind = "what it cannot see may still differ"
    _tested = "values"

    @property
    def significant(self) -> bool:
        """Whether a value as large is rarer than 1 in 20 where nothing changed."""
        return self.p_value is not None and not exceeds(self.p_value, ALPHA)

    @property
    def _title(self) -> str:
        blocks = f", {self.n_blocks} blocks" if self.n_blocks else ""
        return f"{self._what} ({self.n_reference} and {self.n_test} rows{blocks})"

    @property
    def _estimates(self) -> list[tuple[str, Any, Any]]:
        rows: list[tuple[str, Any, Any]] = [("value", self.value, self.value_se), *self._more()]
        if self.p_value is not None:
            rows.append(("p-value", f"{self.p_value:.2g}", None))
        return rows

    def _more(self) -> list[tuple[str, Any, Any]]:
        return []

    def _rows(self) -> list[dict[str, Any]]:
        return [dict(value=self.value, value_se=self.value_se, p_value=self.p_value)]

    @property
    def verdict(self) -> str:
        """One sentence: whether the samples differ, and what this distance cannot tell."""
        said = say_estimate(self.value, self.value_se)
        if self.p_value is None:
            return f"The samples are {said} apart; whether that is noise, n_permutations=200 would tell."
        if self.significant:
            return f"The samples differ: {said}, p = {self.p_value:.2g}{self._where()}."
        return f"No difference was found ({said}, p = {self.p_value:.2g}); {self._unseen}{self._blind}."

    @property
    def _unseen(self) -> str:
        """What could not have been found, in words."""
        if self.detection_limit is None:  # samples that are the same rows, or of one place
            return ""
        return f"{say_detection_limit(self.detection_limit, self._tested)}, and "

    def _where(self) -> str:
        return ""


@dataclass(frozen=True, kw_only=True, eq=False)
class FrechetDistance(SampleDistance):
    """Squared Frechet distance between the means and covariances of two samples.

    Attributes
    ----------
    value, value_se : float
        d^2, extrapolated to infinitely many rows where asked for, and its standard error.
    plain, plain_se : float
        d^2 of all rows, which is too large by about c/N, and its standard error.
    mean_part : float
        ``|mu_a - mu_b|^2``, the part of `plain` that the means make.
    parts : array (S,) of int
        Into how many parts rows were cut, for the extrapolation.
    part_values : array (S,)
        Mean d^2 of these parts.
    part_sizes : array (S,)
        Rows of a part, harmonic mean of both samples.

    References
    ----------
    Heusel et al., NeurIPS 30 (2017).
    """

    plain: float
    plain_se: float
    mean_part: float
    parts: np.ndarray | None = field(default=None, repr=False)
    part_values: np.ndarray | None = field(default=None, repr=False)
    part_sizes: np.ndarray | None = field(default=None, repr=False)

    _contents = {"parts": numbers("S"), "part_values": numbers("S"), "part_sizes": numbers("S")}
    _references = ("frechet_inception",)
    _what = "Squared Fréchet distance"
    _blind = "all that is not in means and covariances may still differ"
    _tested = "values of all rows"

    def _more(self) -> list[tuple[str, Any, Any]]:
        return [("of all rows, biased", self.plain, self.plain_se), ("means alone", f"{self.mean_part:.4g}", None)]

    def _rows(self) -> list[dict[str, Any]]:
        return [
            dict(value=self.value, value_se=self.value_se, plain=self.plain, plain_se=self.plain_se,
                 mean_part=self.mean_part, p_value=self.p_value)
        ]  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class KernelDiscrepancy(SampleDistance):
    """Squared maximum mean discrepancy.

    Attributes
    ----------
    value, value_se : float
        Without bias: may be slightly negative where nothing changed.
    biased : float
        The form that counts every row with itself, never negative.
    kernel : {"gaussian", "cubic"}
    bandwidth : float or None
        Of the Gaussian kernel.

    References
    ----------
    Gretton et al., J. Mach. Learn. Res. 13, 723 (2012).
    """

    biased: float
    kernel: str = "gaussian"
    bandwidth: float | None = None

    _contents = {"kernel": choices("gaussian", "cubic")}
    _references = ("mmd",)
    _what = "Squared maximum mean discrepancy"
    _blind = "differences at scales far from the bandwidth may be missed"

    def _more(self) -> list[tuple[str, Any, Any]]:
        kernel = f"Gaussian, h = {self.bandwidth:.4g}" if self.kernel == "gaussian" else "(x.y/D + 1)^3"
        return [("kernel", kernel, None)]

    def _rows(self) -> list[dict[str, Any]]:
        return [
            dict(value=self.value, value_se=self.value_se, biased=self.biased, p_value=self.p_value, kernel=self.kernel,
                 bandwidth=self.bandwidth)
        ]  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class SlicedWasserstein(SampleDistance):
    """Sliced Wasserstein distance: transport along many directions.

    Attributes
    ----------
    value, value_se : float
        (mean over directions of W_p^p)^(1/p), and its standard error.
    power, power_se : float
        Its p-th power, the mean itself.
    power_rows_se, power_directions_se : float
        The two parts of that error: from the rows, and from the choice of directions.
    corrected, corrected_se : float
        The power without the bias of a finite sample; may be slightly negative where nothing changed.
    p : float
        Order.
    profile : array (L,)
        W_p^p along every direction.
    top_direction : array (D,)
        Loadings of the direction of the largest one; that of the centre where directions are concentrated.
    concentration : float or None
        Of the von Mises-Fisher distribution of the directions around `top_direction`; None: all directions alike.
    feature_names : tuple of str
        Names of the columns.

    References
    ----------
    Bonneel et al., J. Math. Imaging Vis. 51, 22 (2015). Nguyen et al., arXiv 2301.04791 (concentrated directions).
    """

    power: float
    power_se: float
    power_rows_se: float
    power_directions_se: float
    corrected: float
    corrected_se: float
    p: float = 2.0
    profile: np.ndarray = field(repr=False)
    top_direction: np.ndarray = field(repr=False)
    concentration: float | None = None
    feature_names: tuple[str, ...] = ()

    _contents = {"profile": numbers("L"), "top_direction": numbers("feature_names")}
    _what = "Sliced Wasserstein distance"
    _blind = "differences along a few of very many directions may be missed"

    @property
    def power_rows(self) -> float:
        """The power, whose error from the rows is `power_rows_se`."""
        return self.power

    @property
    def power_directions(self) -> float:
        """The power, whose error from the directions is `power_directions_se`."""
        return self.power

    @property
    def _references(self) -> tuple[str, ...]:  # type: ignore[override]
        extra = () if self.concentration is None else ("vmf_sliced_wasserstein",)
        return ("sliced_wasserstein", *extra)

    @property
    def top_features(self) -> tuple[str, ...]:
        """Columns in the order of their loadings in the top direction."""
        return tuple(self.feature_names[i] for i in order_of(-np.abs(self.top_direction), 1.0))

    def _more(self) -> list[tuple[str, Any, Any]]:
        what = f"{len(self.profile)} directions"
        if self.concentration is not None:
            what += f" around one, kappa = {self.concentration:g}"
        rows: list[tuple[str, Any, Any]] = [(f"W^{self.p:g} without bias", self.corrected, self.corrected_se)]
        return [*rows, (f"order {self.p:g}", what, None)]

    def _rows(self) -> list[dict[str, Any]]:
        return [
            dict(value=self.value, value_se=self.value_se, power=self.power, power_se=self.power_se,
                 corrected=self.corrected, corrected_se=self.corrected_se,
                 p_value=self.p_value, p=self.p, n_directions=len(self.profile))
        ]  # fmt: skip

    def _where(self) -> str:
        loadings = np.abs(self.top_direction)
        named = [f"{name} ({self.top_direction[self.feature_names.index(name)]:+.2f})"
                 for name in self.top_features[:SHOWN] if loadings[self.feature_names.index(name)] > 0.1]  # fmt: skip
        return f", most along {', '.join(named)}" if named and len(self.feature_names) > 1 else ""


@dataclass(frozen=True, kw_only=True, eq=False)
class CauchySchwarz(SampleDistance):
    """Cauchy-Schwarz divergence between two densities made of Gaussian kernels.

    Attributes
    ----------
    bandwidth : float
        Of the kernel exp(-d^2 / 2 h^2).
    diagonal : bool
        Whether every row counts as its own pair.
    """

    bandwidth: float
    diagonal: bool = False

    _references = ("cauchy_schwarz",)
    _what = "Cauchy-Schwarz divergence"
    _blind = "differences at scales below the bandwidth may be missed"

    def _more(self) -> list[tuple[str, Any, Any]]:
        return [("bandwidth", f"{self.bandwidth:.4g}", None)]

    def _rows(self) -> list[dict[str, Any]]:
        return [dict(value=self.value, value_se=self.value_se, p_value=self.p_value, bandwidth=self.bandwidth)]


@dataclass(frozen=True, kw_only=True, eq=False)
class CauchySchwarzInformation(Result):
    """Quadratic mutual information of Cauchy and Schwarz: how far the joint density is from the product.

    Attributes
    ----------
    value, value_se : float
    p_value, null_values, detection_limit
        After rows of y were exchanged, where asked for, and the largest value whose p-value is above 0.05.
    bandwidths : tuple of two float
        Of x and of y.
    diagonal : bool
    n_items, n_blocks : int
    """

    value: float
    value_se: float
    p_value: float | None = None
    null_values: np.ndarray | None = field(default=None, repr=False)
    detection_limit: float | None = None
    bandwidths: tuple[float, float]
    diagonal: bool = False
    n_items: int
    n_blocks: int = 0
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {"null_values": numbers("P"), "n_items": whole(1), "n_blocks": whole()}
    _references = ("cauchy_schwarz",)

    @property
    def _title(self) -> str:
        return f"Cauchy-Schwarz mutual information (N = {self.n_items})"

    @property
    def verdict(self) -> str:
        """One sentence: whether they depend on each other, and what the number is not."""
        said = say_estimate(self.value, self.value_se)
        if self.p_value is None:
            return (
                f"The joint density is {said} from the product; whether that is noise, n_permutations=200 would tell."
            )
        if not exceeds(self.p_value, ALPHA):
            return f"They depend on each other: {said}, p = {self.p_value:.2g}; the number hangs on the bandwidths."
        limit = "" if self.detection_limit is None else say_detection_limit(self.detection_limit) + ", and "
        return (
            f"No dependence was found ({said}, p = {self.p_value:.2g}) at these bandwidths; {limit}others may show one."
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class NeighborDivergence(SampleDistance):
    """Kullback-Leibler or Jeffreys divergence, from distances of nearest neighbours, in nats.

    Attributes
    ----------
    value, value_se : float
        Of infinitely many rows, as far as the curve over neighbours tells, unless another is asked for; the error is
        that of the rows and of the way there.
    plain, plain_se : float
        From k neighbours, and its error, which knows nothing of the bias.  The p-value is of this one.
    size_limited : bool
        Whether so many rows have nothing of the other sample near them that the value is a guess.
    forward, forward_se : float
        KL(reference || test).
    backward, backward_se : float or None
        KL(test || reference), of the Jeffreys divergence, their sum.
    kind : {"kl", "jeffreys"}
    k : int
        Neighbours.
    dimension : float
        Of the data, as the formula has it; NaN for equal radii, which need none.
    radii : {"each", "equal"}
    k_values, by_k : array (1 or 2,)
        Numbers of neighbours, and the value from each: what fewer rows would give.
    """

    plain: float
    plain_se: float
    size_limited: bool = False
    forward: float
    forward_se: float
    backward: float | None = None
    backward_se: float | None = None
    kind: str = "kl"
    k: int = 5
    dimension: float = np.nan
    radii: str = "each"
    k_values: np.ndarray = field(repr=False)
    by_k: np.ndarray = field(repr=False)

    _contents = {
        "kind": choices("kl", "jeffreys"),
        "radii": choices("each", "equal"),
        "k": whole(1),
        "k_values": numbers("K", low=1.0),
        "by_k": numbers("K"),
    }
    _references = ("knn_divergence",)
    _blind = "differences in tails that few rows reach may be there"
    _tested = "values of all rows"

    @property
    def _what(self) -> str:  # type: ignore[override]
        return "Kullback-Leibler divergence, nats" if self.kind == "kl" else "Jeffreys divergence, nats"

    def _more(self) -> list[tuple[str, Any, Any]]:
        rows: list[tuple[str, Any, Any]] = [
            ("of these rows, biased", self.plain, self.plain_se),
            ("neighbours", f"{self.k} ({self.radii} radii)", None),
        ]
        if self.backward is not None:
            rows = [("KL(reference || test)", self.forward, self.forward_se),
                    ("KL(test || reference)", self.backward, self.backward_se), *rows]  # fmt: skip
        return rows

    def _rows(self) -> list[dict[str, Any]]:
        return [
            dict(value=self.value, value_se=self.value_se, plain=self.plain, plain_se=self.plain_se,
                 forward=self.forward, forward_se=self.forward_se, backward=self.backward,
                 backward_se=self.backward_se, p_value=self.p_value, k=self.k, size_limited=self.size_limited)
        ]  # fmt: skip

    @property
    def verdict(self) -> str:
        """One sentence: whether the samples differ, and whether the number may be believed."""
        said = super().verdict
        return f"{said[:-1]}{LIMITED}." if self.size_limited else said
