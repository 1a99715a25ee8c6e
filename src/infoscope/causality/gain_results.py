"""What `imbalance_gain` and `scan_lags` return."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from infoscope.base import Provenance, Result
from infoscope.base.contents import choices, numbers, whole
from infoscope.base.rounding import exceeds
from infoscope.statistics import say_detection_limit

__all__ = ["ImbalanceGain", "LagScan"]

SIGNIFICANT = 0.05
CLEAR = 3.0  # errors above zero of a cross-fitted gain that tells, at one of several lags and without p-values
LAG_TESTS = ("p", "p_adjusted", "detection_limit")
UNPREDICTED = 0.8  # imbalance of present and future of the target, above which a lag is hardly worth looking at


@dataclass(frozen=True, kw_only=True, eq=False)
class ImbalanceGain(Result):
    """How much better the source lets the future of the target be predicted than its present alone.

    Attributes
    ----------
    source, target : str
        Names.
    condition : tuple of str
        What else was known of the present.
    lag : float
        Steps ahead; 0 where the future was given as an array.
    gain, gain_se : float
        (D(0) - min D(alpha))/D(0), between 0 and 1, and its standard error.  The minimum makes it positive by chance.
    crossfit, crossfit_se : float
        The same with alpha chosen on other rows than it is judged on: on average 0, or a little below (a useless source
        costs resolution), where the source tells nothing.
    alpha : float
        What multiplies the distances of the source at the minimum; 0 where it tells nothing.
    alphas, delta : array (A,)
        The grid, and the Information Imbalance D at each.
    p_value : float or None
        Of "the source tells nothing", from rearranged sources.
    null_values : array (n_permutations,) or None
        Gains of these.
    detection_limit : float or None
        The largest gain whose p-value is above 0.05: what would not have been noticed.
    null_delta : array (2, A) or None
        Where the middle 95 % of their imbalances lie.
    null : str
        How they were rearranged.
    k, n_samples : int
        Neighbours and rows.
    exclusion_window : float
        Rows of a run within this time were no neighbours.
    condition_weights : array (B,)
        What multiplies the distances of the conditions.
    """

    source: str
    target: str
    lag: float
    gain: float
    gain_se: float
    crossfit: float
    crossfit_se: float
    alpha: float
    alphas: np.ndarray = field(repr=False)
    delta: np.ndarray = field(repr=False)
    p_value: float | None = None
    null_values: np.ndarray | None = field(default=None, repr=False)
    detection_limit: float | None = None
    null_delta: np.ndarray | None = field(default=None, repr=False)
    null: str = "none"
    condition: tuple[str, ...] = ()
    condition_weights: np.ndarray = field(default_factory=lambda: np.empty(0), repr=False)
    k: int = 0
    n_samples: int = 0
    exclusion_window: float = 0.0
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {
        "alphas": numbers("A"),
        "delta": numbers("alphas"),
        "null_values": numbers("P") | None,
        "null_delta": numbers(2, "alphas") | None,
        "null": choices("none", "shift", "block", "permute", "local"),
        "condition_weights": numbers("condition"),
        "k": whole(),
        "n_samples": whole(),
    }

    _references = ("imbalance_gain", "information_imbalance")

    @property
    def _title(self) -> str:
        given = f" given {', '.join(self.condition)}" if self.condition else ""
        what = f"{self.source} → {self.target}{given}, lag {self.lag:g}"
        return f"Imbalance gain {what} (k = {self.k}, N = {self.n_samples})"

    @property
    def _estimates(self) -> list[Any]:
        found: list[Any] = [("gain", self.gain, self.gain_se), ("cross-fitted", self.crossfit, self.crossfit_se)]
        return found + ([] if self.p_value is None else [("p-value", self.p_value, None)])

    @property
    def verdict(self) -> str:
        """One sentence: whether the source tells something about the future, and what that does not say."""
        source, target, p = self.source, self.target, self.p_value
        if not (exceeds(self.crossfit, 2 * self.crossfit_se) if p is None else p <= SIGNIFICANT):
            if self.detection_limit is None:
                limit = say_detection_limit(2 * self.crossfit_se, "a cross-fitted gain")
            else:
                limit = say_detection_limit(self.detection_limit, "a gain")
            return f"{source} is not seen to tell anything about the future of {target} beyond its present; {limit}."
        beyond = "its present and what was given" if self.condition else "its present"
        said = f"{source} tells about the future of {target} beyond {beyond} ({100 * self.gain:.2g} % less imbalance)"
        return f"{said}; a common cause or a slow {source} could do that too, so an intervention decides."


@dataclass(frozen=True, kw_only=True, eq=False)
class LagScan(Result):
    """Gains at several lags, in one or both directions.

    Attributes
    ----------
    source, target : str
        Names.
    condition : tuple of str
        What else was known of the present.
    lags : array (L,)
        Steps ahead.
    forward, backward : array (L,)
        Gains of source -> target, and of target -> source (NaN where that was not asked).
    forward_se, backward_se : array (L,)
        Standard errors.
    forward_crossfit, backward_crossfit, forward_crossfit_se, backward_crossfit_se : array (L,)
        Cross-fitted gains and their errors.
    forward_p, backward_p : array (L,) or None
        p-values of "nothing is told".
    forward_p_adjusted, backward_p_adjusted : array (L,) or None
        Adjusted for both directions and all lags together.
    forward_any_p, backward_any_p : float or None
        p-values of "nothing is told at any lag", from the largest gain over lags.
    forward_null, backward_null : array (L, n_permutations) or None
        Gains of rearranged sources.
    forward_detection_limit, backward_detection_limit : array (L,) or None
        The gain up to which a lag by itself would not be told from nothing, beside all lags and directions.
    forward_alpha, backward_alpha : array (L,)
        Where the minima are.
    target_delta, source_delta : array (L,)
        Imbalance from the present of the target (source) to its own future: above 0.8 a lag is hardly worth looking at.
    step : float
        Time of a step.
    adjust : str
        How p-values were adjusted.
    null, k, n_samples, exclusion_window
        As in `ImbalanceGain`.
    """

    source: str
    target: str
    lags: np.ndarray
    forward: np.ndarray
    backward: np.ndarray
    forward_se: np.ndarray = field(repr=False)
    backward_se: np.ndarray = field(repr=False)
    forward_crossfit: np.ndarray = field(repr=False)
    backward_crossfit: np.ndarray = field(repr=False)
    forward_crossfit_se: np.ndarray = field(repr=False)
    backward_crossfit_se: np.ndarray = field(repr=False)
    forward_alpha: np.ndarray = field(repr=False)
    backward_alpha: np.ndarray = field(repr=False)
    target_delta: np.ndarray = field(repr=False)
    source_delta: np.ndarray = field(repr=False)
    forward_p: np.ndarray | None = None
    backward_p: np.ndarray | None = None
    forward_p_adjusted: np.ndarray | None = field(default=None, repr=False)
    backward_p_adjusted: np.ndarray | None = field(default=None, repr=False)
    forward_any_p: float | None = None
    backward_any_p: float | None = None
    forward_null: np.ndarray | None = field(default=None, repr=False)
    backward_null: np.ndarray | None = field(default=None, repr=False)
    forward_detection_limit: np.ndarray | None = field(default=None, repr=False)
    backward_detection_limit: np.ndarray | None = field(default=None, repr=False)
    null: str = "none"
    adjust: str = "bh"
    condition: tuple[str, ...] = ()
    step: float = 1.0
    k: int = 0
    n_samples: int = 0
    exclusion_window: float = 0.0
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {
        "lags": numbers("L"),
        **{
            f"{way}{what}": numbers("lags")
            for way in ("forward", "backward")
            for what in ("", "_se", "_crossfit", "_crossfit_se", "_alpha")
        },
        "target_delta": numbers("lags"),
        "source_delta": numbers("lags"),
        **{f"{way}_{what}": numbers("lags") | None for way in ("forward", "backward") for what in LAG_TESTS},
        "forward_null": numbers("lags", "P") | None,
        "backward_null": numbers("lags", "P") | None,
        "null": choices("none", "shift", "block", "permute", "local"),
        "k": whole(),
        "n_samples": whole(),
    }

    _references = ("imbalance_gain", "information_imbalance")

    @property
    def both(self) -> bool:
        """Whether both directions were asked."""
        return bool(np.isfinite(self.backward).any())

    @property
    def _arrows(self) -> tuple[str, str]:
        return f"{self.source} → {self.target}", f"{self.target} → {self.source}"

    @property
    def _title(self) -> str:
        given = f" given {', '.join(self.condition)}" if self.condition else ""
        return f"Imbalance gain between {self.source} and {self.target}{given} (k = {self.k}, N = {self.n_samples})"

    @property
    def _estimates(self) -> list[Any]:
        return []

    def _rows(self) -> list[dict[str, Any]]:
        ways = ("forward", "backward") if self.both else ("forward",)
        rows = []
        for at, lag in enumerate(self.lags.tolist()):
            row: dict[str, Any] = dict(lag=lag)
            for way in ways:
                for what in ("", "_se", "_crossfit", "_crossfit_se", "_p", "_p_adjusted"):
                    values = getattr(self, f"{way}{what}")
                    row |= {} if values is None else {f"{way}{what}": float(values[at])}
            rows.append(row | dict(target_delta=float(self.target_delta[at])))
        return rows

    @property
    def verdict(self) -> str:
        """One sentence: which way something is told, at any of the lags, and what that does not say."""
        ways = [("forward", self._arrows[0]), *([("backward", self._arrows[1])] if self.both else [])]
        told = [arrow for way, arrow in ways if self._is_told(way)]
        if not told:
            limit = self._limit([way for way, _ in ways])
            if not self.both:
                return f"{self.source} is not seen to tell about the future of {self.target} at these lags; {limit}."
            return (
                f"Neither {self.source} nor {self.target} is seen to tell about the other's future at these lags; "
                f"{limit}."
            )
        said = " and ".join(told)
        how = "both ways" if len(told) == 2 else "one way"
        return (
            f"Information flows {how}: {said}; a common cause or a slow source could do that too, so an intervention "
            "decides."
        )

    def _limit(self, ways: list[str]) -> str:
        """What could have been there unseen, at the lag and in the direction where most could."""
        known = [getattr(self, f"{way}_detection_limit") for way in ways]
        if any(limit is None for limit in known):
            known = [CLEAR * np.asarray(getattr(self, f"{way}_crossfit_se")) for way in ways]
            return say_detection_limit(float(np.max(known)), "a cross-fitted gain")
        return say_detection_limit(float(np.max(known)), "a gain")

    def _is_told(self, way: str) -> bool:
        p, at_any = getattr(self, f"{way}_p_adjusted"), getattr(self, f"{way}_any_p")
        if p is not None and at_any is not None:
            return bool(np.min(p) <= SIGNIFICANT or at_any * (1 + self.both) <= SIGNIFICANT)
        value, se = (np.asarray(getattr(self, f"{way}_crossfit{what}")) for what in ("", "_se"))
        return bool((value > CLEAR * se).any())
