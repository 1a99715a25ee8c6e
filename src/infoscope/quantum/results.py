"""What expectations, disorder averages and reweighted expectations return."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from infoscope.base import Provenance, Result, say_estimate
from infoscope.base.contents import choices, flags, number, numbers, whole

__all__ = ["DisorderAverage", "QuantumExpectation", "ReweightedExpectation"]

GOOD_V_SCORE = 1e-3
R_HAT = 1.01
HOW = {"full_sum": "full sums", "independent": "independent draws", "chains": "Markov chains"}


@dataclass(frozen=True, kw_only=True, eq=False)
class QuantumExpectation(Result):
    """An observable in R systems of a family.

    Attributes
    ----------
    observable : str
    couplings : array (R, m)
    coupling_names : tuple of str
    trained : array (Q, m) or None
    n_sites : int
    value, value_se : array (R,)
        Expectation in the state, and its sampling error: how far the state is from the ground state is not in it.
    variance : array (R,)
        Of the observable in the state; NaN for a function of spins it is that of its values.
    v_score, v_score_se : array (R,) or None
        N Var(H) / E^2 for the energy: how far the state is from an eigenstate.
    r_hat, effective_size : array (R,)
        Of the chains; NaN and infinite for full sums.
    outside : array of bool (R,)
        Beyond the trained couplings.
    method : {"full_sum", "independent", "chains"}
    """

    observable: str
    couplings: np.ndarray = field(repr=False)
    coupling_names: tuple[str, ...]
    trained: np.ndarray | None = field(repr=False)
    n_sites: int
    value: np.ndarray
    value_se: np.ndarray
    variance: np.ndarray = field(repr=False)
    v_score: np.ndarray | None = field(repr=False)
    v_score_se: np.ndarray | None = field(repr=False)
    r_hat: np.ndarray = field(repr=False)
    effective_size: np.ndarray = field(repr=False)
    outside: np.ndarray = field(repr=False)
    method: str
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {
        "couplings": numbers("R", "coupling_names"),
        "trained": numbers("Q", "coupling_names") | None,
        "n_sites": whole(1),
        **{name: numbers("couplings") for name in ("value", "value_se", "variance", "r_hat", "effective_size")},
        "v_score": numbers("couplings") | None,
        "v_score_se": numbers("couplings") | None,
        "outside": flags("couplings"),
        "method": choices(*HOW),
    }

    _references = ("foundation_states", "v_score")

    @property
    def _title(self) -> str:
        n = len(self.couplings)
        what = self.observable[:1].upper() + self.observable[1:]
        return f"{what} of {self.n_sites} spins in {n} system{'s' * (n > 1)} ({HOW[self.method]})"

    @property
    def _estimates(self) -> list[Any]:
        if len(self.couplings) > 1:
            return []
        shown: list[Any] = [(self.observable, float(self.value[0]), float(self.value_se[0]))]
        return shown if self.v_score is None else [*shown, ("V-score", float(self.v_score[0]), None)]

    def _rows(self) -> list[dict[str, Any]]:
        rows = []
        for r, values in enumerate(self.couplings):
            row: dict[str, Any] = {name: float(v) for name, v in zip(self.coupling_names, values, strict=True)}
            for name in ("value", "value_se", "variance", "r_hat", "effective_size"):
                row[name] = float(getattr(self, name)[r])
            if self.v_score is not None:
                row["v_score"] = float(self.v_score[r])
            rows.append(row | {"outside": bool(self.outside[r])})
        return rows

    @property
    def verdict(self) -> str:
        """One sentence: how good the state is where this was asked, as far as its energy can tell."""
        said = f"{self.observable[:1].upper() + self.observable[1:]} is known in {len(self.couplings)} systems"
        if len(self.couplings) == 1:
            said = f"The {self.observable} is {say_estimate(float(self.value[0]), float(self.value_se[0]))}"
        if np.isfinite(self.r_hat).any() and float(np.nanmax(self.r_hat)) > R_HAT:
            return f"{said}; but the chains do not agree yet (R-hat {np.nanmax(self.r_hat):.2f}): draw more samples."
        if self.v_score is not None:
            worst = float(np.max(self.v_score))
            if worst > GOOD_V_SCORE:
                return f"{said}; but V-scores reach {worst:.2g}, where 0.001 is good: the state is not a ground state."
            said = f"{said}, with V-scores up to {worst:.2g}: good states (below 0.001)"
        if self.outside.any():
            return f"{said}; {int(self.outside.sum())} lie outside the trained couplings."
        return f"{said}."


@dataclass(frozen=True, kw_only=True, eq=False)
class DisorderAverage(Result):
    """The mean of an expectation over realisations of the disorder.

    Attributes
    ----------
    observable : str
    value, value_se : float
    error_from_disorder, error_from_sampling : float
        Parts of the error: few realisations, and few draws of each.
    spread : float
        Standard deviation over realisations, sampling taken out.
    couplings : array (R, m)
        The realisations.
    per_realisation, per_realisation_se : array (R,)
    outside : array of bool (R,)
    n_sites : int
    method : {"full_sum", "independent", "chains"}
    """

    observable: str
    value: float
    value_se: float
    error_from_disorder: float
    error_from_sampling: float
    spread: float
    couplings: np.ndarray = field(repr=False)
    per_realisation: np.ndarray = field(repr=False)
    per_realisation_se: np.ndarray = field(repr=False)
    outside: np.ndarray = field(repr=False)
    n_sites: int
    method: str
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {
        "value": number(),
        "couplings": numbers("R", "M"),
        "per_realisation": numbers("couplings"),
        "per_realisation_se": numbers("couplings"),
        "outside": flags("couplings"),
        "n_sites": whole(1),
        "method": choices(*HOW),
    }

    _references = ("foundation_states",)

    @property
    def _title(self) -> str:
        n = len(self.couplings)
        return f"Disorder average of {self.observable}: {n} realisations of {self.n_sites} spins ({HOW[self.method]})"

    @property
    def _estimates(self) -> list[Any]:
        return [
            ("average", self.value, self.value_se),
            ("error from disorder", self.error_from_disorder, None),
            ("error from sampling", self.error_from_sampling, None),
            ("spread over realisations", self.spread, None),
        ]

    def _rows(self) -> list[dict[str, Any]]:
        pairs = zip(self.per_realisation, self.per_realisation_se, self.outside, strict=True)
        return [
            {"realisation": r, "value": float(v), "value_se": float(se), "outside": bool(out)}
            for r, (v, se, out) in enumerate(pairs)
        ]

    @property
    def verdict(self) -> str:
        """One sentence: the average, and what would make its error smaller."""
        said = f"Averaged over disorder, {self.observable} is {say_estimate(self.value, self.value_se)}"
        if self.error_from_sampling > self.error_from_disorder:
            return f"{said}; its error comes mostly from sampling: draw more of each realisation."
        return f"{said}; its error comes mostly from the disorder: take more realisations."


@dataclass(frozen=True, kw_only=True, eq=False)
class ReweightedExpectation(Result):
    """An observable at R couplings from the samples of one.

    Attributes
    ----------
    observable : str
    origin : array (m,)
        Couplings that the samples are from.
    couplings : array (R, m)
    coupling_names : tuple of str
    value, value_se : array (R,)
        NaN where too few samples count.
    share : array (R,)
        Effective number of samples over their number, 1 at the origin.
    minimum_share : float
    refused, outside : array of bool (R,)
        Where the share is below that; beyond the trained couplings.
    n_samples : int
    n_sites : int
    method : {"full_sum", "independent", "chains"}
    """

    observable: str
    origin: np.ndarray
    couplings: np.ndarray = field(repr=False)
    coupling_names: tuple[str, ...]
    value: np.ndarray
    value_se: np.ndarray
    share: np.ndarray
    minimum_share: float
    refused: np.ndarray = field(repr=False)
    outside: np.ndarray = field(repr=False)
    n_samples: int
    n_sites: int
    method: str
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {
        "origin": numbers("coupling_names"),
        "couplings": numbers("R", "coupling_names"),
        **{name: numbers("couplings") for name in ("value", "value_se", "share")},
        "minimum_share": number(0),
        "refused": flags("couplings"),
        "outside": flags("couplings"),
        "n_samples": whole(1),
        "n_sites": whole(1),
        "method": choices(*HOW),
    }

    _references = ("foundation_states",)

    @property
    def _title(self) -> str:
        start = ", ".join(f"{n} = {v:.4g}" for n, v in list(zip(self.coupling_names, self.origin, strict=True))[:3])
        return f"{self.observable} in {len(self.couplings)} systems from {self.n_samples} samples at {start}"

    @property
    def _estimates(self) -> list[Any]:
        return []

    def _rows(self) -> list[dict[str, Any]]:
        rows = []
        for r, values in enumerate(self.couplings):
            row: dict[str, Any] = {name: float(v) for name, v in zip(self.coupling_names, values, strict=True)}
            row |= {name: float(getattr(self, name)[r]) for name in ("value", "value_se", "share")}
            rows.append(row | {"refused": bool(self.refused[r]), "outside": bool(self.outside[r])})
        return rows

    @property
    def verdict(self) -> str:
        """One sentence: how far the samples reach."""
        n, kept = len(self.refused), ~self.refused
        if kept.all():
            return f"The samples reach all {n} systems: at least {100 * self.share.min():.0f} % of them count."
        if not kept.any():
            return f"The samples reach none of the {n} systems: draw at each of them."
        return f"The samples reach {int(kept.sum())} of {n} systems; draw anew at the others."
