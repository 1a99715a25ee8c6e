"""What the measures of richness return: effective numbers, entropies of spectra, nuclear norms, spreads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from infoscope.base import Provenance, Result, say_estimate
from infoscope.base.contents import choices, numbers, values, whole
from infoscope.base.rounding import exceeds

NEAR_LIMIT = 0.02  # share of log2 N within which a diffusion entropy sees no neighbours any more
KERNELS = ("cosine", "gaussian", "covariance", "precomputed", "function")


def name_of_order(order: float) -> str:
    """An order as it is written."""
    return "∞" if order == np.inf else f"{order:g}"


@dataclass(frozen=True, kw_only=True, eq=False)
class EffectiveNumber(Result):
    """How many equally different items a sample is worth.

    Attributes
    ----------
    value, value_se : float
        exp of the entropy of order `order` of the eigenvalues, and its standard error.
    entropy, entropy_se : float
        The entropy itself, in nats.
    order : float
        q of the Renyi entropy.
    kernel : str
        "cosine", "gaussian", "covariance", "precomputed" or "function".
    sigma : float or None
        Scale of the Gaussian kernel.
    unbiased : bool
        Whether the order 2 is from pairs of different items, without the bias of the spectrum.
    converged : bool or None
        Whether the value still changes with the number of items; None where that was not looked at.
    orders, profile, profile_se : array (Q,)
        exp(H_q) of the spectrum for other orders.
    spectrum : array (K,)
        Eigenvalues that add up to 1, descending; the largest where not all are known.
    n_dropped : int
        Eigenvalues that rounding cannot tell from zero.
    complete : bool
        Whether all eigenvalues are known; else the largest, and random quadrature for the others.
    curve_sizes : array (S,)
        Numbers of items.
    curve_orders : array (C,)
        Orders of the curve.
    curve : array (S, C)
        exp(H_q) of random parts of so many items, averaged over disjoint ones.
    n_items, n_features : int
        Items that count; features.
    n_units : int
        Independent units behind the error: rows, or blocks of correlated rows.
    exclusion_window : float
        Time within which rows of a run are no pair.
    """

    value: float
    value_se: float
    entropy: float
    entropy_se: float
    order: float
    kernel: str
    sigma: float | None = None
    unbiased: bool = False
    converged: bool | None = None
    orders: np.ndarray = field(repr=False)
    profile: np.ndarray = field(repr=False)
    profile_se: np.ndarray = field(repr=False)
    spectrum: np.ndarray = field(repr=False)
    n_dropped: int = 0
    complete: bool = True
    curve_sizes: np.ndarray = field(repr=False)
    curve_orders: np.ndarray = field(repr=False)
    curve: np.ndarray = field(repr=False)
    n_items: int = 0
    n_features: int = 0
    n_units: int = 0
    exclusion_window: float = 0.0
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {
        "kernel": choices(*KERNELS),
        "orders": numbers("orders"),
        "profile": numbers("orders"),
        "profile_se": numbers("orders"),
        "spectrum": numbers("K", low=0.0),
        "curve_sizes": numbers("S", low=0.0),
        "curve_orders": numbers("C"),
        "curve": numbers("S", "C"),
        "n_dropped": whole(),
        "n_items": whole(),
        "n_features": whole(),
        "n_units": whole(),
    }

    @property
    def _references(self) -> tuple[str, ...]:  # type: ignore[override]
        return () if self.kernel == "covariance" else ("vendi", "vendi_orders", "vendi_convergence")

    @property
    def _title(self) -> str:
        scale = "" if self.sigma is None else f" of scale {self.sigma:.3g}"
        kernel = f"order {name_of_order(self.order)}, {self.kernel} kernel{scale}"
        return f"Effective number of items ({kernel}, N = {self.n_items})"

    @property
    def _estimates(self) -> list[tuple[str, float, float]]:
        what = "effective number"
        if self.kernel == "covariance":
            what = {0.0: "numerical rank", 2.0: "participation ratio"}.get(self.order, "effective rank")
        return [(what, self.value, self.value_se)]

    def _rows(self) -> list[dict[str, Any]]:
        return [
            dict(order=float(q), effective_number=float(v), effective_number_se=float(se))
            for q, v, se in zip(self.orders, self.profile, self.profile_se, strict=True)
        ]

    @property
    def verdict(self) -> str:
        """One sentence: how rich, and whether more items would change it."""
        if self.value == np.inf:
            return (
                "No two items have anything in common, as this kernel sees likeness: the sample is too small to tell "
                "how many different ones there are."
            )
        alike = "direction" if self.kernel == "covariance" else "item"
        alike += "" if f"{self.value:.3g}" == "1" else "s"
        said = f"The sample is as rich as {say_estimate(self.value, self.value_se)} equally weighted {alike}"
        if self.kernel != "covariance":
            said += " that have nothing in common, as this kernel sees likeness"
        if self.converged is False:
            return f"{said}; the number still grows with the number of items, so it tells of this sample only."
        return f"{said}."


@dataclass(frozen=True, kw_only=True, eq=False)
class SpectralEntropy(Result):
    """Entropy of the eigenvalues of a matrix made of a sample.

    Attributes
    ----------
    value, value_se : float
        The entropy, in `unit`, and its standard error.
    kind : str
        "matrix": rows without their mean, made as long as 1. "diffusion": a random walk on the items.
    relative : float
        Share of the largest value it can have, log D or log N.
    unit : str
        "nats" or "bits".
    effective_number : float
        exp of the entropy in nats.
    sigma, t, alpha : float or None
        Scale of the walk, its steps, and how much of the density is divided out.
    spectrum : array (K,)
        Shares of the eigenvalues, descending.
    n_dropped : int
        Eigenvalues that rounding cannot tell from zero.
    complete : bool
        Whether all eigenvalues are known.
    sigmas, sweep, sweep_se : array (S,)
        Scales, entropies and standard errors of ``sigma="sweep"``; else of length 0.
    n_items, n_features, n_units : int
        Items, features, and independent units behind the error.
    """

    value: float
    value_se: float
    kind: str
    relative: float
    unit: str
    effective_number: float
    sigma: float | None = None
    t: float | None = None
    alpha: float | None = None
    spectrum: np.ndarray = field(repr=False)
    n_dropped: int = 0
    complete: bool = True
    sigmas: np.ndarray = field(repr=False, default_factory=lambda: np.empty(0))
    sweep: np.ndarray = field(repr=False, default_factory=lambda: np.empty(0))
    sweep_se: np.ndarray = field(repr=False, default_factory=lambda: np.empty(0))
    n_items: int = 0
    n_features: int = 0
    n_units: int = 0
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {
        "kind": choices("matrix", "diffusion"),
        "unit": choices("nats", "bits"),
        "spectrum": numbers("K", low=0.0),
        "sigmas": numbers("sigmas", low=0.0),
        "sweep": numbers("sigmas"),
        "sweep_se": numbers("sigmas"),
        "n_dropped": whole(),
        "n_items": whole(),
        "n_features": whole(),
        "n_units": whole(),
    }

    @property
    def _references(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("diffusion_entropy",) if self.kind == "diffusion" else ("matrix_nuclear_norm",)

    @property
    def _title(self) -> str:
        if self.kind == "matrix":
            return f"Matrix entropy (N = {self.n_items}, D = {self.n_features})"
        return f"Diffusion spectral entropy (N = {self.n_items}, scale {self.sigma:.3g}, t = {self.t:g})"

    @property
    def _estimates(self) -> list[tuple[str, float, float]]:
        return [(f"entropy, {self.unit}", self.value, self.value_se)]

    def _rows(self) -> list[dict[str, Any]]:
        if not len(self.sigmas):
            return [dict(entropy=self.value, entropy_se=self.value_se, relative=self.relative)]
        return [
            dict(sigma=float(s), entropy=float(v), entropy_se=float(se))
            for s, v, se in zip(self.sigmas, self.sweep, self.sweep_se, strict=True)
        ]

    @property
    def verdict(self) -> str:
        """One sentence: how many directions or states, and how far from the limit."""
        number = f"{self.effective_number:.3g}"
        what = ("direction" if self.kind == "matrix" else "state") + ("" if number == "1" else "s")
        what += "" if self.kind == "matrix" else " that a walker of this scale tells apart"
        said = f"About {number} {what}, {100 * self.relative:.0f} % of the largest entropy possible"
        if self.kind == "diffusion" and not exceeds(1 - NEAR_LIMIT, self.relative):
            return f"{said}: at this scale items are alone, and the number is that of the items."
        return f"{said}."


@dataclass(frozen=True, kw_only=True, eq=False)
class DiffusionInformation(Result):
    """How much lower the diffusion entropy is inside classes than in random sets of their size.

    Attributes
    ----------
    value, value_se : float
        sum_c p_c (entropy of random sets - entropy of class c), in `unit`; not a mutual information.
    unit : str
        "nats" or "bits".
    classes : array (C,)
        Names of the classes.
    sizes : array (C,) of int
        Their items.
    class_entropy, class_entropy_se : array (C,)
        Entropy inside each class.
    random_entropy, random_entropy_se : array (C,)
        Mean entropy of random sets of the same size; the error is that of the choice of sets from these items.
    n_subsets : int
        Random sets for each class.
    sigma, t, alpha : float
        Of the walk.
    n_items : int
        Items.
    """

    value: float
    value_se: float
    unit: str
    classes: np.ndarray = field(repr=False)
    sizes: np.ndarray = field(repr=False)
    class_entropy: np.ndarray = field(repr=False)
    class_entropy_se: np.ndarray = field(repr=False)
    random_entropy: np.ndarray = field(repr=False)
    random_entropy_se: np.ndarray = field(repr=False)
    n_subsets: int = 0
    sigma: float = np.nan
    t: float = 1.0
    alpha: float = 0.0
    n_items: int = 0
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {
        "unit": choices("nats", "bits"),
        "classes": values("C"),
        "sizes": numbers("classes", low=0.0),
        "class_entropy": numbers("classes"),
        "class_entropy_se": numbers("classes"),
        "random_entropy": numbers("classes"),
        "random_entropy_se": numbers("classes"),
        "n_subsets": whole(),
        "n_items": whole(),
    }
    _references = ("diffusion_entropy",)

    @property
    def _title(self) -> str:
        return f"Diffusion spectral information (N = {self.n_items}, {len(self.classes)} classes)"

    @property
    def _estimates(self) -> list[tuple[str, float, float]]:
        return [(f"information, {self.unit}", self.value, self.value_se)]

    def _rows(self) -> list[dict[str, Any]]:
        columns = ("class_entropy", "class_entropy_se", "random_entropy", "random_entropy_se")
        return [
            dict(label=str(name), size=int(size), **{c: float(getattr(self, c)[at]) for c in columns})
            for at, (name, size) in enumerate(zip(self.classes, self.sizes, strict=True))
        ]

    @property
    def verdict(self) -> str:
        """One sentence: whether classes are simpler than random sets; this is no mutual information."""
        if exceeds(self.value, 2 * self.value_se):
            said = "Items of one class visit fewer states than as many random ones"
        elif exceeds(-self.value, 2 * self.value_se):
            said = "Items of one class visit more states than as many random ones"
        else:
            said = "Classes are as rich as random sets of their size, as far as this sample can tell"
        return f"{said}; the number is no mutual information and may be negative."


@dataclass(frozen=True, kw_only=True, eq=False)
class NuclearNorm(Result):
    """Sum of the singular values of the rows without their mean, made as long as 1.

    Attributes
    ----------
    value, value_se : float
        The norm, or its surrogate, and its standard error.
    per_item : float
        Divided by the number of items.
    method : str
        "exact", or "column-norms": the sum of the largest norms of columns, which depends on the axes.
    bound : float
        sqrt(N min(N, D)), which no such norm exceeds.
    spectrum : array (K,)
        Squared singular values by their sum, descending; of length 0 for the surrogate.
    n_items, n_features, n_units : int
        Items, features, and independent units behind the error.
    """

    value: float
    value_se: float
    per_item: float
    method: str
    bound: float
    spectrum: np.ndarray = field(repr=False, default_factory=lambda: np.empty(0))
    n_items: int = 0
    n_features: int = 0
    n_units: int = 0
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {
        "method": choices("exact", "column-norms"),
        "spectrum": numbers("K", low=0.0),
        "n_items": whole(),
        "n_features": whole(),
        "n_units": whole(),
    }
    _references = ("matrix_nuclear_norm",)

    @property
    def _title(self) -> str:
        return f"Nuclear norm ({self.method}, N = {self.n_items}, D = {self.n_features})"

    @property
    def _estimates(self) -> list[tuple[str, float, float]]:
        return [("nuclear norm", self.value, self.value_se)]

    @property
    def verdict(self) -> str:
        """One sentence: how far from flat, or what the surrogate cannot know."""
        share = f"{100 * self.value / self.bound:.0f} % of what {self.n_features} equal directions would have"
        if self.method == "exact":
            return f"The directions are used to {share}."
        return f"The surrogate is {share}; it is no smaller than the norm, and changes when the axes are turned."


@dataclass(frozen=True, kw_only=True, eq=False)
class ManifoldSpread(Result):
    """Whether groups are compact and their centres spread.

    Attributes
    ----------
    value, value_se : float
        Spread of the centres, ``|C|_* / sqrt(B min(B, D))``, between 0 and 1, and its standard error.
    global_nuclear, global_nuclear_se : float
        Nuclear norm of the centres of the groups, C.
    local_nuclear, local_nuclear_se : float
        Mean nuclear norm of a group's members.
    compactness : float
        Mean length of a centre, 1 where all members of a group are one direction.
    n_groups, n_items, n_features : int
        Groups (items with several views, or classes), members in all, features.
    """

    value: float
    value_se: float
    global_nuclear: float
    global_nuclear_se: float
    local_nuclear: float
    local_nuclear_se: float
    compactness: float
    n_groups: int = 0
    n_items: int = 0
    n_features: int = 0
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {"n_groups": whole(), "n_items": whole(), "n_features": whole()}
    _references = ("manifold_capacity",)

    @property
    def _title(self) -> str:
        return f"Manifold spread ({self.n_groups} groups, N = {self.n_items}, D = {self.n_features})"

    @property
    def _estimates(self) -> list[tuple[str, float, float]]:
        return [
            ("spread of the centres", self.value, self.value_se),
            ("|centres|_*", self.global_nuclear, self.global_nuclear_se),
            ("|members|_*", self.local_nuclear, self.local_nuclear_se),
        ]

    @property
    def verdict(self) -> str:
        """One sentence: how spread the centres are, and how compact the groups."""
        return (
            f"Centres use {100 * self.value:.0f} % of the spread that {self.n_groups} groups in {self.n_features} "
            f"directions can have; members of a group share {100 * self.compactness:.0f} % of their length."
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class EffectiveFeatures(Result):
    """How many features carry the activity of a layer.

    Attributes
    ----------
    value, value_se : float
        exp of the entropy of the shares of activity, and its standard error.
    superposition : float
        Per neuron of the layer, where their number was given, else per feature.
    shares : array (M,)
        Mean absolute activity of each feature, adding up to 1.
    n_neurons : int
        What `superposition` is per.
    n_items, n_features, n_units : int
        Items, features, and independent units behind the error.
    """

    value: float
    value_se: float
    superposition: float
    shares: np.ndarray = field(repr=False)
    n_neurons: int = 0
    n_items: int = 0
    n_features: int = 0
    n_units: int = 0
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {
        "shares": numbers("n_features", low=0.0),
        "n_neurons": whole(),
        "n_items": whole(),
        "n_features": whole(),
        "n_units": whole(),
    }
    _references = ("effective_features",)

    @property
    def _title(self) -> str:
        return f"Effective features (N = {self.n_items}, {self.n_features} features)"

    @property
    def _estimates(self) -> list[tuple[str, float, float]]:
        return [("effective features", self.value, self.value_se)]

    @property
    def verdict(self) -> str:
        """One sentence: how many features, and what the number hangs on."""
        return (
            f"The activity is as spread as over {self.value:.3g} equally active features, {self.superposition:.2g} per "
            "neuron; the number hangs on the dictionary and its penalty, and counts activity, not meaning."
        )
