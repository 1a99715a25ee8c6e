"""What the exact and estimated transfer entropies and interventions return."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from infoscope.base import Provenance, Result
from infoscope.base.contents import choices, numbers
from infoscope.base.rounding import exceeds
from infoscope.statistics import say_detection_limit

__all__ = ["Intervention", "TransferEntropy"]

NEGLIGIBLE = 1e-9  # nats: what a sum over a law leaves of nothing
ONE_WAY = 10.0  # ratio of two transfers from which information is said to flow one way
SIGNIFICANT = 0.05


@dataclass(frozen=True, kw_only=True, eq=False)
class TransferEntropy(Result):
    """Transfer entropy in both directions at one or several lags.

    Attributes
    ----------
    source, target : str
        Names of the two.
    lags : array (L,)
        Steps of a chain or series; units of time of a process in continuous time.
    forward, backward : array (L,)
        From source to target, and from target to source.
    forward_se, backward_se : array (L,) or None
        Standard errors; None where the values follow from a law, without any data.
    forward_p, backward_p : array (L,) or None
        p-values of "no transfer", where surrogates were drawn.
    forward_null, backward_null : array (L, n_permutations) or None
        The transfers of the surrogates.
    forward_detection_limit, backward_detection_limit : array (L,) or None
        The transfer up to which a lag would not be told from nothing, beside all lags of its direction.
    method : {"markov", "ou", "grid", "knn", "gaussian", "discrete"}
        What they were computed from.
    condition : str or None
        What else was known of the present.
    unit : {"nats", "bits"}
    is_reversible : bool or None
        Whether the process obeys detailed balance; None where that is not known.
    entropy_production : float or None
        Nats per step of a chain, per unit of time of a process in continuous time.
    n_samples : int or None
        Rows that were used; None where there were no data.
    """

    source: str
    target: str
    lags: np.ndarray
    forward: np.ndarray
    backward: np.ndarray
    forward_se: np.ndarray | None = None
    backward_se: np.ndarray | None = None
    forward_p: np.ndarray | None = None
    backward_p: np.ndarray | None = None
    forward_null: np.ndarray | None = field(default=None, repr=False)
    backward_null: np.ndarray | None = field(default=None, repr=False)
    forward_detection_limit: np.ndarray | None = field(default=None, repr=False)
    backward_detection_limit: np.ndarray | None = field(default=None, repr=False)
    method: str = "markov"
    condition: str | None = None
    unit: str = "nats"
    is_reversible: bool | None = None
    entropy_production: float | None = None
    n_samples: int | None = None
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {
        "lags": numbers("L"),
        "forward": numbers("lags"),
        "backward": numbers("lags"),
        "forward_se": numbers("lags") | None,
        "backward_se": numbers("lags") | None,
        "forward_p": numbers("lags") | None,
        "backward_p": numbers("lags") | None,
        "forward_null": numbers("lags", "P") | None,
        "backward_null": numbers("lags", "P") | None,
        "forward_detection_limit": numbers("lags") | None,
        "backward_detection_limit": numbers("lags") | None,
        "method": choices("markov", "ou", "grid", "knn", "gaussian", "discrete"),
        "unit": choices("nats", "bits"),
    }

    _references = ("transfer_entropy", "reversible_transfer")

    @property
    def _title(self) -> str:
        given = f" given {self.condition}" if self.condition else ""
        return f"Transfer entropy between {self.source} and {self.target}{given} ({self.method}, {self.unit})"

    @property
    def _estimates(self) -> list[Any]:
        if len(self.lags) > 1:
            return []
        both = zip(self._arrows, (self.forward, self.backward), (self.forward_se, self.backward_se), strict=True)
        return [(arrow, float(value[0]), None if se is None else float(se[0])) for arrow, value, se in both]

    @property
    def _arrows(self) -> tuple[str, str]:
        return f"{self.source} → {self.target}", f"{self.target} → {self.source}"

    def _rows(self) -> list[dict[str, Any]]:
        rows = []
        for at, lag in enumerate(self.lags.tolist()):
            row: dict[str, Any] = dict(lag=lag)
            for name in ("forward", "backward"):
                row[name] = float(getattr(self, name)[at])
                for more in ("se", "p"):
                    values = getattr(self, f"{name}_{more}")
                    row |= {} if values is None else {f"{name}_{more}": float(values[at])}
            rows.append(row)
        return rows

    @property
    def verdict(self) -> str:
        """One sentence: which way information flows, and what that does not say."""
        forth, back = self._arrows
        seen = [self._seen(self.forward, self.forward_p, self.forward_se)]
        seen.append(self._seen(self.backward, self.backward_p, self.backward_se))
        most = [float(np.max(one)) for one in (self.forward, self.backward)]
        if not any(seen):
            nothing = f"No transfer of information is seen between {self.source} and {self.target} at these lags"
            return f"{nothing}{self._limit}."
        big, small = (0, 1) if most[0] >= most[1] else (1, 0)
        one_way = not seen[1 - big] or exceeds(most[big], ONE_WAY * max(most[small], 0.0))
        if one_way:
            said = f"Information flows {(forth, back)[big]}, and hardly back"
        else:
            said = f"Information flows both ways, at most {most[0]:.3g} {forth} and {most[1]:.3g} {back}"
        if self.is_reversible:
            return (
                f"{said}; the dynamics obeys detailed balance, so this asks who is slow and how the landscape is "
                "shaped, not who drives: an intervention tells."
            )
        return f"{said}; whether one drives the other an intervention, or all common causes, would tell."

    @property
    def _limit(self) -> str:
        """What could have been there unseen, at the lag and in the direction where most could; not of exact laws."""
        known = [self.forward_detection_limit, self.backward_detection_limit]
        if any(limit is None for limit in known):
            known = [None if se is None else 2 * np.asarray(se) for se in (self.forward_se, self.backward_se)]
        most = [float(np.max(limit)) for limit in known if limit is not None]
        return f"; {say_detection_limit(max(most), 'a transfer', self.unit)}" if most else ""

    def _seen(self, values: np.ndarray, p: np.ndarray | None, se: np.ndarray | None) -> bool:
        if p is not None:
            return not exceeds(float(np.min(p)) * len(p), SIGNIFICANT)
        floor = NEGLIGIBLE if se is None else np.maximum(2 * np.asarray(se), NEGLIGIBLE)
        return bool((np.asarray(values) > floor).any())


@dataclass(frozen=True, kw_only=True, eq=False)
class Intervention(Result):
    """How far apart the laws of the target are after its source was set to one value, or to another.

    Attributes
    ----------
    source, target : str
        What was set, and what was looked at.
    values : tuple of float
        The two values that the source was set to.
    lags : array (L,)
        Times after the intervention.
    effect : array (L,)
        Divergence of the two laws of the target, KL[do(a) || do(b)] in nats, or the energy distance.
    effect_se : array (L,) or None
        Standard errors; None where the laws are known.
    effect_low, effect_high : array (L,) or None
        95 % band.
    null_high : array (L,) or None
        What 95 % of the values stay below when nothing is caused.
    p_values : array (L,) or None
        Of "no effect", by exchanging copies between the two interventions.
    detection_limit : array (L,) or None
        The effect up to which a lag would not be told from nothing, beside all lags.
    observed : array (L,) or None
        The same divergence of the laws of those copies whose source has these values by itself: equal to the effect
        where nothing confounds the two.
    grid : array (G,) or None
        Values of the target at which the laws are given.
    laws : array (2, L, G) or None
        Densities of the target after do(a) and do(b).
    method : {"ou", "grid", "kde", "knn", "energy"}
    n_samples : int or None
        Copies of each intervention.
    """

    source: str
    target: str
    values: tuple[float, ...]
    lags: np.ndarray
    effect: np.ndarray
    effect_se: np.ndarray | None = None
    effect_low: np.ndarray | None = None
    effect_high: np.ndarray | None = None
    null_high: np.ndarray | None = None
    p_values: np.ndarray | None = None
    detection_limit: np.ndarray | None = None
    observed: np.ndarray | None = None
    grid: np.ndarray | None = field(default=None, repr=False)
    laws: np.ndarray | None = field(default=None, repr=False)
    method: str = "ou"
    n_samples: int | None = None
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {
        "lags": numbers("L"),
        "effect": numbers("lags"),
        "effect_se": numbers("lags") | None,
        "effect_low": numbers("lags") | None,
        "effect_high": numbers("lags") | None,
        "null_high": numbers("lags") | None,
        "p_values": numbers("lags") | None,
        "detection_limit": numbers("lags") | None,
        "observed": numbers("lags") | None,
        "grid": numbers("G") | None,
        "laws": numbers(2, "lags", "grid") | None,
        "method": choices("ou", "grid", "kde", "knn", "energy"),
    }

    _references = ("reversible_transfer",)

    @property
    def _what(self) -> str:
        return "energy distance" if self.method == "energy" else "KL divergence"

    @property
    def _title(self) -> str:
        a, b = (f"{value:g}" for value in self.values[:2])
        return f"{self.target} after do({self.source} = {a}) and do({self.source} = {b}): {self._what} ({self.method})"

    @property
    def _estimates(self) -> list[Any]:
        if len(self.lags) > 1:
            return []
        return [("effect", float(self.effect[0]), None if self.effect_se is None else float(self.effect_se[0]))]

    def _rows(self) -> list[dict[str, Any]]:
        names = ("effect", "effect_se", "effect_low", "effect_high", "null_high", "p_values", "observed")
        given = [(name, getattr(self, name)) for name in names]
        return [
            dict(lag=lag) | {name: float(values[at]) for name, values in given if values is not None}
            for at, lag in enumerate(self.lags.tolist())
        ]

    @property
    def verdict(self) -> str:
        """One sentence: whether the target notices, and when most."""
        best = int(np.argmax(self.effect))
        if self.p_values is None:
            there = bool(self.effect[best] > NEGLIGIBLE)
        else:
            there = not exceeds(float(np.min(self.p_values)) * len(self.p_values), SIGNIFICANT)
        if not there:
            nothing = f"No effect of {self.source} on {self.target} is seen at these lags and between these two values"
            if self.detection_limit is None:
                return f"{nothing}."
            return f"{nothing}; {say_detection_limit(float(np.max(self.detection_limit)), 'an effect')}."
        said = f"{self.source} causes {self.target}: the effect is largest, {self.effect[best]:.3g}, at a lag of "
        return f"{said}{self.lags[best]:.4g}; other values, and lags between these, were not tried."
