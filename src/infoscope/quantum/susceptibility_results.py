"""What a susceptibility is: tensor, directions and errors, and the sentence that says whether to believe it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from infoscope.base import Provenance, Result, say_estimate
from infoscope.base.contents import choices, flags, numbers, whole

__all__ = ["FidelitySusceptibility"]

GOOD_V_SCORE = 1e-3
EIGENSTATE = 1e-12  # a V-score below it is rounding
R_HAT = 1.01
LARGE_ERROR = 0.3  # of chi


@dataclass(frozen=True, kw_only=True, eq=False)
class FidelitySusceptibility(Result):
    """How fast a state turns with its m couplings, at R values of them.

    Attributes
    ----------
    couplings : array (R, m)
    coupling_names : tuple of str
    trained : array (Q, m) or None
        Where the state was trained.
    n_sites : int
    chi, chi_se : array (R, m, m)
        The tensor of the state, with the error of sampling and that of the network together.
    error_from_sampling, error_from_network : array (R, m, m)
        The two parts.
    chi_corrected, chi_corrected_se : array (R, m, m)
        The tensor less what the residuals of the state say that it is too large by.
    eigenvalues, eigenvalues_se : array (R, m)
        From the largest.
    eigenvectors : array (R, m, m)
        Column i belongs to eigenvalue i; its largest component is positive.
    parity, parity_se : array (R,)
        Mean of the flip of all spins; NaN where the Hamiltonian has no such symmetry.
    mixed : array of bool (R,)
        Whether both parities are in the state, so that its chi is not that of a ground state.
    energy, energy_se, v_score, v_score_se : array (R,)
        Of the whole system.
    r_hat, effective_size : array (R,)
        Of the largest eigenvalue; NaN and infinite for sums over all configurations.
    outside : array of bool (R,)
        Beyond the trained couplings.
    peak, peak_se, peak_height, peak_height_se : float
        Of a scan of one coupling; NaN where its largest value lies at an end.
    method : {"full_sum", "independent", "chains"}
    """

    couplings: np.ndarray = field(repr=False)
    coupling_names: tuple[str, ...]
    trained: np.ndarray | None = field(repr=False)
    n_sites: int
    chi: np.ndarray = field(repr=False)
    chi_se: np.ndarray = field(repr=False)
    error_from_sampling: np.ndarray = field(repr=False)
    error_from_network: np.ndarray = field(repr=False)
    chi_corrected: np.ndarray = field(repr=False)
    chi_corrected_se: np.ndarray = field(repr=False)
    eigenvalues: np.ndarray = field(repr=False)
    eigenvalues_se: np.ndarray = field(repr=False)
    eigenvectors: np.ndarray = field(repr=False)
    parity: np.ndarray = field(repr=False)
    parity_se: np.ndarray = field(repr=False)
    mixed: np.ndarray = field(repr=False)
    energy: np.ndarray = field(repr=False)
    energy_se: np.ndarray = field(repr=False)
    v_score: np.ndarray = field(repr=False)
    v_score_se: np.ndarray = field(repr=False)
    r_hat: np.ndarray = field(repr=False)
    effective_size: np.ndarray = field(repr=False)
    outside: np.ndarray = field(repr=False)
    peak: float
    peak_se: float
    peak_height: float
    peak_height_se: float
    method: str
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {
        "couplings": numbers("R", "coupling_names"),
        "trained": numbers("Q", "coupling_names") | None,
        "n_sites": whole(1),
        **{
            name: numbers("couplings", "coupling_names", "coupling_names")
            for name in (
                *("chi", "chi_se", "error_from_sampling", "error_from_network"),
                *("chi_corrected", "chi_corrected_se", "eigenvectors"),
            )
        },
        "eigenvalues": numbers("couplings", "coupling_names"),
        "eigenvalues_se": numbers("couplings", "coupling_names"),
        **{
            name: numbers("couplings")
            for name in (
                *("parity", "parity_se", "energy", "energy_se", "v_score", "v_score_se", "r_hat", "effective_size"),
            )
        },
        "mixed": flags("couplings"),
        "outside": flags("couplings"),
        "method": choices("full_sum", "independent", "chains"),
    }

    _references = ("foundation_states", "fidelity_metric", "v_score")

    @property
    def is_scan(self) -> bool:
        """Whether one coupling takes several values."""
        return len(self.coupling_names) == 1 and len(self.couplings) > 1

    @property
    def _title(self) -> str:
        names = ", ".join(self.coupling_names[:4]) + (", ..." if len(self.coupling_names) > 4 else "")
        how = {"full_sum": "full sums", "independent": "independent draws", "chains": "Markov chains"}[self.method]
        n = len(self.couplings)
        return f"Fidelity susceptibility of {self.n_sites} spins in {names}: {n} system{'s' * (n > 1)} ({how})"

    @property
    def _estimates(self) -> list[Any]:
        shown: list[Any] = []
        if math.isfinite(self.peak):
            shown.append((f"peak at {self.coupling_names[0]}", self.peak, self.peak_se))
            shown.append(("height of the peak", self.peak_height, self.peak_height_se))
        elif len(self.couplings) == 1:
            shown.append(("largest eigenvalue", float(self.eigenvalues[0, 0]), float(self.eigenvalues_se[0, 0])))
        else:
            top = int(np.argmax(self.eigenvalues[:, 0]))
            shown.append(("largest of the scan", float(self.eigenvalues[top, 0]), float(self.eigenvalues_se[top, 0])))
        if np.isfinite(self.parity).any():
            shown.append(("least |parity|", float(np.nanmin(np.abs(self.parity))), None))
        worst = float(np.max(self.v_score))
        shown.append(("largest V-score", worst if worst > EIGENSTATE else f"below {EIGENSTATE:g}", None))
        return shown

    def _rows(self) -> list[dict[str, Any]]:
        rows = []
        for r, values in enumerate(self.couplings):
            row: dict[str, Any] = {name: float(v) for name, v in zip(self.coupling_names, values, strict=True)}
            if len(self.coupling_names) == 1:
                for name in ("chi", "chi_se", "chi_corrected", "chi_corrected_se"):
                    row[name] = float(getattr(self, name)[r, 0, 0])
            else:
                row |= {"largest": float(self.eigenvalues[r, 0]), "largest_se": float(self.eigenvalues_se[r, 0])}
                row |= {
                    f"along_{name}": float(v)
                    for name, v in zip(self.coupling_names, self.eigenvectors[r, :, 0], strict=True)
                }
            for name in ("energy", "energy_se", "v_score", "parity", "parity_se"):
                row[name] = float(getattr(self, name)[r])
            row |= {"mixed": bool(self.mixed[r]), "outside": bool(self.outside[r])}
            rows.append(row)
        return rows

    @property
    def verdict(self) -> str:
        """One sentence: where the state turns fastest, or why its numbers are not to be believed."""
        return susceptibility_verdict(self)


def susceptibility_verdict(found: FidelitySusceptibility) -> str:
    """The sentence of `FidelitySusceptibility`: the worst that is known comes first."""
    if found.mixed.any():
        worst = int(np.argmin(np.where(found.mixed, np.abs(found.parity), np.inf)))
        return (
            f"Do not believe this susceptibility: {_count(found.mixed)} mix both parities under the flip of all spins "
            f"(the flip has mean {say_estimate(found.parity[worst], found.parity_se[worst])} at "
            f"{_place(found, worst)}, and a ground state has +1 or -1), which looks like a ground state by its energy "
            "and turns at a rate of its own; train with spin_flip on."
        )
    if not np.isfinite(found.chi_se).all():
        worst = int(np.argmax(~np.isfinite(found.chi_se).all(axis=(1, 2))))
        return (
            f"Do not believe this susceptibility at {_place(found, worst)}: the state is not near a ground state there "
            f"(V-score {found.v_score[worst]:.2g}), so its error is not known; train longer."
        )
    said = _finding(found)
    v_score = float(found.v_score.max())
    if v_score > GOOD_V_SCORE:
        return f"{said}; but V-scores reach {v_score:.2g}, where 0.001 is good: train longer before you rely on it."
    ratio = found.eigenvalues_se[:, 0] / np.maximum(found.eigenvalues[:, 0], 1e-300)
    if float(ratio.max()) > LARGE_ERROR:
        worst = int(np.argmax(ratio))
        return f"{said}; but its error is {100 * ratio[worst]:.0f} % at {_place(found, worst)}."
    if np.isfinite(found.r_hat).any() and float(np.nanmax(found.r_hat)) > R_HAT:
        return f"{said}; but the chains do not agree yet (R-hat {np.nanmax(found.r_hat):.2f}): draw more samples."
    if found.outside.any():
        return f"{said}; {_count(found.outside)} lie outside the trained couplings, where no error bar holds."
    return f"{said}."


# --------------------------------------------------------------------------------------------------------------- words
def _finding(found: FidelitySusceptibility) -> str:
    if math.isfinite(found.peak):
        return (
            f"The ground state turns fastest at {found.coupling_names[0]} = {say_estimate(found.peak, found.peak_se)}, "
            f"with a susceptibility of {say_estimate(found.peak_height, found.peak_height_se)} "
            f"({found.peak_height / found.n_sites:.3g} a spin)"
        )
    top = int(np.argmax(found.eigenvalues[:, 0]))
    value = say_estimate(float(found.eigenvalues[top, 0]), float(found.eigenvalues_se[top, 0]))
    where = _place(found, top)
    if found.is_scan:
        return f"The largest susceptibility, {value}, lies at an end of the scan ({where}), so there is no peak inside"
    if len(found.coupling_names) == 1:
        return f"The susceptibility is {value} at {where}"
    along = ", ".join(
        f"{v:.2f} {name}" for name, v in list(zip(found.coupling_names, found.eigenvectors[top, :, 0], strict=True))[:3]
    )
    more = ", ..." if len(found.coupling_names) > 3 else ""
    return f"The ground state turns fastest at {where}, by {value} in the direction ({along}{more})"


def _place(found: FidelitySusceptibility, row: int) -> str:
    named = list(zip(found.coupling_names, found.couplings[row], strict=True))[:3]
    return ", ".join(f"{name} = {value:.4g}" for name, value in named) + (
        ", ..." if len(found.coupling_names) > 3 else ""
    )


def _count(flagged: np.ndarray) -> str:
    return f"{int(flagged.sum())} of {len(flagged)} systems"
