"""What the measures of how a density bends and reacts return."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from infoscope.base import Provenance, Result, say_estimate
from infoscope.base.contents import choices, integers, numbers, whole
from infoscope.base.rounding import exceeds


@dataclass(frozen=True, kw_only=True, eq=False)
class DensityCurvature(Result):
    """How the logarithm of a density bends at some points.

    Attributes
    ----------
    value, value_se : float
        Mean number of positive curvatures, and its standard error: up to twice the spread where one sign is rare.
    scale : float
        Bandwidth h of the kernel that the arrays of points belong to.
    points : array (R, D)
        Where, in the units of the features.
    log_density, log_density_se : array (R,)
        Logarithm of the kernel density, in the coordinates of the distance.
    score, score_se : array (R, D)
        Its gradient.
    eigenvalues, eigenvalues_se : array (R, D)
        Of its Hessian, rising; curvatures are their negatives.
    n_positive : array (R,) of int
        Positive curvatures: D on peaks, D - 1 on ridges, ..., 0 in voids.
    threshold : float
        Curvature from which one counts as positive.
    scales : array (S,)
        All bandwidths asked for.
    curve, curve_se : array (S,)
        Mean number of positive curvatures at each.
    shares : array (S, D + 1)
        Shares of points with 0, 1, ..., D positive curvatures.
    n_items, n_features, n_units : int
        Items, features that count, and independent units behind the errors.
    """

    value: float
    value_se: float
    scale: float
    points: np.ndarray = field(repr=False)
    log_density: np.ndarray = field(repr=False)
    log_density_se: np.ndarray = field(repr=False)
    score: np.ndarray = field(repr=False)
    score_se: np.ndarray = field(repr=False)
    eigenvalues: np.ndarray = field(repr=False)
    eigenvalues_se: np.ndarray = field(repr=False)
    n_positive: np.ndarray = field(repr=False)
    threshold: float = 0.0
    scales: np.ndarray = field(repr=False)
    curve: np.ndarray = field(repr=False)
    curve_se: np.ndarray = field(repr=False)
    shares: np.ndarray = field(repr=False)
    n_items: int = 0
    n_features: int = 0
    n_units: int = 0
    feature_names: tuple[str, ...] | None = None
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {
        "points": numbers("R", "D"),
        "log_density": numbers("points"),
        "log_density_se": numbers("points"),
        "score": numbers("points", "n_features"),
        "score_se": numbers("points", "n_features"),
        "eigenvalues": numbers("points", "n_features"),
        "eigenvalues_se": numbers("points", "n_features"),
        "n_positive": integers("points"),
        "scales": numbers("scales", low=0.0),
        "curve": numbers("scales"),
        "curve_se": numbers("scales"),
        "shares": numbers("scales", "W", low=0.0),
        "n_items": whole(),
        "n_features": whole(1),
        "n_units": whole(),
    }
    _references = ("kernel_derivatives",)

    @property
    def unsmoothed(self) -> np.ndarray:
        """Eigenvalues without the smoothing of the kernel, as if the density were normal around each point.

        A normal law of variance s^2 has -1/(s^2 + h^2) after smoothing, and -1/s^2 before.
        """
        left = 1 + self.eigenvalues * self.scale**2
        return np.where(left > 0, self.eigenvalues / np.where(left > 0, left, 1.0), -np.inf)

    @property
    def _title(self) -> str:
        return f"Curvature of the log density (scale {self.scale:.3g}, N = {self.n_items}, {len(self.points)} points)"

    @property
    def _estimates(self) -> list[tuple[str, float, float]]:
        return [("positive curvatures", self.value, self.value_se)]

    def _rows(self) -> list[dict[str, Any]]:
        return [
            dict(
                log_density=float(self.log_density[i]),
                log_density_se=float(self.log_density_se[i]),
                n_positive=int(self.n_positive[i]),
                **{f"eigenvalue_{a}": float(self.eigenvalues[i, a]) for a in range(self.n_features)},
                **{f"eigenvalue_{a}_se": float(self.eigenvalues_se[i, a]) for a in range(self.n_features)},
            )
            for i in range(len(self.points))
        ]

    @property
    def verdict(self) -> str:
        """One sentence: where the points lie, as a kernel of this scale sees the density."""
        at = int(np.argmin(np.abs(self.scales - self.scale)))
        peak, void = 100 * self.shares[at, -1], 100 * self.shares[at, 0]
        said = f"{peak:.0f} % of the points lie where the density bends down in all {self.n_features} directions"
        if self.n_features > 1:
            said += f", {void:.0f} % where in none"
        return f"{said}, as a kernel of scale {self.scale:.3g} sees it; what is finer is smoothed away."


@dataclass(frozen=True, kw_only=True, eq=False)
class InformationEstimationDistance(Result):
    """How different points are as a density sees them.

    Attributes
    ----------
    value, value_se : float
        Mean distance over the pairs, and its standard error.
    distance, distance_se : array (P,)
        Of every pair.
    squared, squared_se : array (P,)
        Its square, the integral itself.
    euclidean : array (P,)
        Plain distance of the pairs.
    p, q : array (P, D)
        The points.
    gammas : array (G,)
        Ratios of signal to noise, 1/sigma^2.
    integrand, integrand_se : array (P, G)
        Mean squared difference of the errors at each.
    metric : array (P, D, D) or None
        Local metric at p, in which small distances are measured; None where it was not asked for.
    scale : float or None
        Bandwidth of the kernel; None with a denoiser.
    n_draws : int
        Draws of the noise.
    n_items, n_features : int
        Items of the sample (0 with a denoiser), features.
    """

    value: float
    value_se: float
    distance: np.ndarray = field(repr=False)
    distance_se: np.ndarray = field(repr=False)
    squared: np.ndarray = field(repr=False)
    squared_se: np.ndarray = field(repr=False)
    euclidean: np.ndarray = field(repr=False)
    p: np.ndarray = field(repr=False)
    q: np.ndarray = field(repr=False)
    gammas: np.ndarray = field(repr=False)
    integrand: np.ndarray = field(repr=False)
    integrand_se: np.ndarray = field(repr=False)
    metric: np.ndarray | None = field(default=None, repr=False)
    scale: float | None = None
    n_draws: int = 0
    n_items: int = 0
    n_features: int = 0
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {
        "distance": numbers("P"),
        "distance_se": numbers("P"),
        "squared": numbers("P"),
        "squared_se": numbers("P"),
        "euclidean": numbers("P"),
        "p": numbers("P", "n_features"),
        "q": numbers("P", "n_features"),
        "gammas": numbers("G", low=0.0),
        "integrand": numbers("P", "G"),
        "integrand_se": numbers("P", "G"),
        "metric": numbers("P", "n_features", "n_features"),
        "n_draws": whole(),
        "n_items": whole(),
        "n_features": whole(1),
    }
    _references = ("information_estimation",)

    @property
    def _title(self) -> str:
        return f"Information-estimation distance ({len(self.distance)} pair{'s' * (len(self.distance) != 1)})"

    @property
    def _estimates(self) -> list[tuple[str, float, float]]:
        return [("distance", self.value, self.value_se)]

    def _rows(self) -> list[dict[str, Any]]:
        return [
            dict(distance=float(d), distance_se=float(se), euclidean=float(plain))
            for d, se, plain in zip(self.distance, self.distance_se, self.euclidean, strict=True)
        ]

    @property
    def verdict(self) -> str:
        """One sentence: how far, in units of the spread of the density, and what is smoothed."""
        said = (
            f"The points are {say_estimate(self.value, self.value_se)} apart, in units of the spread of the density "
            "around them"
        )
        if self.scale is None:
            return f"{said}, as the denoiser knows it."
        return f"{said}, smoothed by a kernel of scale {self.scale:.3g}: finer structure is not seen."


@dataclass(frozen=True, kw_only=True, eq=False)
class FisherInformation(Result):
    """How sharply the law of the data reacts to a parameter.

    Attributes
    ----------
    value, value_se : float
        Fisher information at `at`, per squared unit of the parameter, and its standard error.
    at, step : float
        Where, and how far apart the two laws are.
    method : str
        "knn", "gaussian" or "exponential".
    plain, plain_se : float
        From the two laws one step apart alone.
    wide, wide_se : float or None
        From those two steps apart; with it, what grows with the square of the step is taken away from `value`.
    bound : float
        1/sqrt(value): the smallest error of the parameter from one row.
    n_items, n_features : int
        Rows of each sample (the fewest), features.
    """

    value: float
    value_se: float
    at: float
    step: float
    method: str
    plain: float
    plain_se: float
    wide: float | None = None
    wide_se: float | None = None
    bound: float = np.nan
    n_items: int = 0
    n_features: int = 0
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {"method": choices("knn", "gaussian", "exponential"), "n_items": whole(), "n_features": whole()}
    _references = ("perceptual_scale",)

    @property
    def _title(self) -> str:
        return f"Fisher information at {self.at:g} ({self.method}, step {self.step:g}, N = {self.n_items})"

    @property
    def _estimates(self) -> list[tuple[str, float, float]]:
        return [("Fisher information", self.value, self.value_se)]

    @property
    def verdict(self) -> str:
        """One sentence: what one row tells about the parameter, or that nothing is seen."""
        if not exceeds(self.value, 2 * self.value_se):
            return (
                "No reaction to the parameter is seen beyond the error: a weak one may be there; take more rows or a "
                "larger step."
            )
        return (
            f"Near {self.at:g}, one row cannot tell the parameter to better than ± {self.bound:.3g}, nor N rows to "
            f"better than ± {self.bound:.3g}/√N."
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class ParameterScale(Result):
    """A parameter measured in steps that the data can tell apart.

    Attributes
    ----------
    value, value_se : float
        Length of the whole range, the integral of the root of the Fisher information.
    parameters : array (S,)
        Values of the parameter.
    root, root_se : array (S,)
        Root of the Fisher information.
    scale, scale_se : array (S,)
        The integral up to each value, from 0 to 1.
    """

    value: float
    value_se: float
    parameters: np.ndarray = field(repr=False)
    root: np.ndarray = field(repr=False)
    root_se: np.ndarray = field(repr=False)
    scale: np.ndarray = field(repr=False)
    scale_se: np.ndarray = field(repr=False)
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {
        "parameters": numbers("parameters", finite=True),
        "root": numbers("parameters"),
        "root_se": numbers("parameters"),
        "scale": numbers("parameters"),
        "scale_se": numbers("parameters"),
    }
    _references = ("perceptual_scale",)

    @property
    def _title(self) -> str:
        low, high = float(self.parameters[0]), float(self.parameters[-1])
        return f"Scale of a parameter from {low:g} to {high:g}"

    @property
    def _estimates(self) -> list[tuple[str, float, float]]:
        return [("length", self.value, self.value_se)]

    def _rows(self) -> list[dict[str, Any]]:
        return [
            dict(parameter=float(t), root=float(r), root_se=float(re), scale=float(s), scale_se=float(se))
            for t, r, re, s, se in zip(self.parameters, self.root, self.root_se, self.scale, self.scale_se, strict=True)
        ]

    @property
    def verdict(self) -> str:
        """One sentence: where the law changes fastest."""
        at = int(np.argmax(self.root))
        return (
            f"One row tells apart about {self.value:.3g} values over the range; the law changes fastest near "
            f"{self.parameters[at]:g}, as far as these {len(self.parameters)} values show."
        )
