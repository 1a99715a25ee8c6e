"""What exact diagonalisation found: a ground state, levels over couplings, the susceptibility over couplings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from infoscope.base import DataError, ParameterError, Provenance, Result
from infoscope.base.contents import integers, numbers, values, whole

from .configurations import LONGEST
from .spin_operators import SpinOperator

PARITIES = {1: "even", -1: "odd", 0: "mixed"}


@dataclass(frozen=True, kw_only=True, eq=False)
class GroundState(Result):
    """What `ground_state` found.

    Attributes
    ----------
    couplings : array (m,)
    coupling_names : tuple of str
    n_sites : int
    energy : float
    gap : float
        From the lowest level to the next one, NaN where the next one is not known.
    degeneracy : int
        How many states have the lowest energy, up to `tolerance`.
    parity : int
        +1 (even) or -1 (odd) under the flip of all spins; 0 where that is no symmetry, or states of both are lowest.
    amplitudes : array (S,) or None
        Of the ground state, norm 1, the first of the largest ones positive; None where it is degenerate: no vector is
        the ground state then.
    configurations : array (S,)
        Their numbers (site 0 is the lowest bit, 0 is up).
    tolerance : float
        Energy differences below are none.
    provenance : Provenance
    notes : tuple of str
    """

    couplings: np.ndarray
    coupling_names: tuple[str, ...]
    n_sites: int
    energy: float
    gap: float
    degeneracy: int
    parity: int
    amplitudes: np.ndarray | None
    configurations: np.ndarray
    tolerance: float
    provenance: Provenance | None = field(default=None, repr=False)
    notes: tuple[str, ...] = ()

    _contents = {
        "couplings": numbers("coupling_names", finite=True),
        "n_sites": whole(1),
        "degeneracy": whole(1),
        "amplitudes": values("S") | None,
        "configurations": integers("S", rising=True),
    }
    _references = ("exact_diagonalisation",)

    def _check_contents(self) -> None:
        if self.n_sites > LONGEST or (self.configurations >> self.n_sites).any():
            raise DataError(f"configurations of GroundState are those of more than {self.n_sites} spins")

    @property
    def energy_per_site(self) -> float:
        """Energy over the number of spins."""
        return self.energy / self.n_sites

    @property
    def _title(self) -> str:
        return f"Ground state of {self.n_sites} spins at {spell_couplings(self.coupling_names, self.couplings)}"

    @property
    def _estimates(self) -> tuple[Any, ...]:
        return (
            ("energy", f"{self.energy:.10g}", None),
            ("energy per site", f"{self.energy_per_site:.10g}", None),
            ("gap", f"{self.gap:.10g}", None),
            ("degeneracy", str(self.degeneracy), None),
        )

    @property
    def verdict(self) -> str:
        """Whether there is one ground state, and how well it is set apart."""
        if self.degeneracy > 1:
            return f"{self.degeneracy} states share the lowest energy: no single one of them is the ground state."
        own = f", {PARITIES[self.parity]} under the flip of all spins" if self.parity else ""
        return f"One ground state{own}, {self.gap:.4g} below the next level."

    def expect(self, operator: SpinOperator) -> float | complex:
        """The mean of an operator without couplings in the ground state.

        Parameters
        ----------
        operator : SpinOperator
            Its couplings put in (`SpinOperator.at`).

        Returns
        -------
        float, or complex where the operator is not its own adjoint

        Raises
        ------
        ParameterError
            If the ground state is degenerate.
        """
        psi = self.amplitudes
        if psi is None:
            raise ParameterError(
                f"{self.degeneracy} states share the lowest energy, so the mean of {operator!r} is not defined: "
                "take a sector (parity, magnetization) or couplings where one is lowest"
            )
        mean = np.vdot(psi, operator.matrix(states=self.configurations, project=True) @ psi)
        return float(mean.real) if operator.is_hermitian else complex(mean)


@dataclass(frozen=True, kw_only=True, eq=False)
class ExactSpectrum(Result):
    """What `exact_spectrum` found.

    Attributes
    ----------
    couplings : array (R, m)
    coupling_names : tuple of str
    n_sites : int
    energies : array (R, k)
        The lowest levels, rising, each as often as it is there.
    parities : array (R, k)
        +1 or -1 under the flip of all spins; 0 where that is no symmetry.
    gap : array (R,)
        From the lowest level to the next one, NaN where the next one is not known.
    degeneracy : array (R,)
        How many states have the lowest energy, up to `tolerance`.
    tolerance : array (R,)
        Energy differences below are none.
    provenance : Provenance
    notes : tuple of str
    """

    couplings: np.ndarray
    coupling_names: tuple[str, ...]
    n_sites: int
    energies: np.ndarray
    parities: np.ndarray
    gap: np.ndarray
    degeneracy: np.ndarray
    tolerance: np.ndarray
    provenance: Provenance | None = field(default=None, repr=False)
    notes: tuple[str, ...] = ()

    _contents = {
        "couplings": numbers("R", "coupling_names", finite=True),
        "n_sites": whole(1),
        "energies": numbers("R", "K"),
        "parities": integers("R", "K", low=-1, below=2),
        "gap": numbers("R"),
        "degeneracy": integers("R", low=1),
        "tolerance": numbers("R"),
    }
    _references = ("exact_diagonalisation",)

    @property
    def energy(self) -> np.ndarray:
        """The lowest energies, (R,)."""
        return self.energies[:, 0]

    @property
    def _title(self) -> str:
        return f"Lowest levels of {self.n_sites} spins at {len(self.couplings)} couplings"

    @property
    def _estimates(self) -> tuple[Any, ...]:
        return ()

    @property
    def verdict(self) -> str:
        """Where the ground state is degenerate, or where the gap is smallest."""
        several = np.flatnonzero(self.degeneracy > 1)
        if len(several):
            where = spell_couplings(self.coupling_names, self.couplings[several[0]])
            more = "" if len(several) == 1 else f", and at {len(several) - 1} more"
            return f"At {where}{more} the ground state is degenerate ({self.degeneracy[several[0]]} states)."
        if np.isnan(self.gap).all():
            return "One ground state everywhere."
        at = int(np.nanargmin(self.gap))
        where = spell_couplings(self.coupling_names, self.couplings[at])
        return f"One ground state everywhere; the gap is smallest, {self.gap[at]:.4g}, at {where}."

    def _rows(self) -> list[dict[str, Any]]:
        columns = zip(self.couplings, self.energies, self.gap, self.degeneracy, strict=True)
        return [
            {
                **dict(zip(self.coupling_names, map(float, c), strict=True)),
                "energy": float(levels[0]),
                "energy_per_site": float(levels[0]) / self.n_sites,
                "gap": float(gap),
                "degeneracy": int(n),
            }
            for c, levels, gap, n in columns
        ]


@dataclass(frozen=True, kw_only=True, eq=False)
class ExactSusceptibility(Result):
    """What `exact_susceptibility` found.

    Attributes
    ----------
    couplings : array (R, m)
    coupling_names : tuple of str
    n_sites : int
    chi : array (R, m, m)
        The tensor Re(<d_i psi|d_j psi> - <d_i psi|psi><psi|d_j psi>).
    chi_error : array (R,)
        How far the last two differences are from each other in any entry: what the numbers are good to.
    energy : array (R,)
    gap : array (R,)
        From the ground state to the next level of the same parity.
    parity : array (R,)
        Of the ground state; 0 where the flip of all spins is no symmetry.
    provenance : Provenance
    notes : tuple of str
    """

    couplings: np.ndarray
    coupling_names: tuple[str, ...]
    n_sites: int
    chi: np.ndarray
    chi_error: np.ndarray
    energy: np.ndarray
    gap: np.ndarray
    parity: np.ndarray
    provenance: Provenance | None = field(default=None, repr=False)
    notes: tuple[str, ...] = ()

    _contents = {
        "couplings": numbers("R", "coupling_names", finite=True),
        "n_sites": whole(1),
        "chi": numbers("R", "coupling_names", "coupling_names"),
        "chi_error": numbers("R"),
        "energy": numbers("R"),
        "gap": numbers("R"),
        "parity": integers("R", low=-1, below=2),
    }
    _references = ("fidelity_susceptibility", "exact_diagonalisation")

    @property
    def eigenvalues(self) -> np.ndarray:
        """Eigenvalues of the tensor, the largest first, (R, m)."""
        return np.linalg.eigvalsh(self.chi)[:, ::-1]

    @property
    def eigenvectors(self) -> np.ndarray:
        """Directions among the couplings, (R, m, m): ``[:, i]`` belongs to eigenvalue i, its largest entry > 0."""
        vectors = np.linalg.eigh(self.chi)[1][:, :, ::-1].transpose(0, 2, 1)
        at = np.argmax(np.abs(vectors) > (1 - 1e-9) * np.abs(vectors).max(axis=-1, keepdims=True), axis=-1)
        return vectors * np.sign(np.take_along_axis(vectors, at[..., None], axis=-1))

    @property
    def _title(self) -> str:
        return f"Fidelity susceptibility of {self.n_sites} spins at {len(self.couplings)} couplings"

    @property
    def _estimates(self) -> tuple[Any, ...]:
        return ()

    @property
    def verdict(self) -> str:
        """Where the ground state changes fastest."""
        largest = self.eigenvalues[:, 0]
        at = int(np.argmax(largest))
        where = spell_couplings(self.coupling_names, self.couplings[at])
        text = f"The ground state changes fastest at {where}, where the susceptibility is {largest[at]:.5g}"
        return f"{text} ({largest[at] / self.n_sites:.4g} a site)."

    def _rows(self) -> list[dict[str, Any]]:
        columns = zip(self.couplings, self.eigenvalues[:, 0], self.chi_error, self.energy, self.gap, strict=True)
        return [
            {
                **dict(zip(self.coupling_names, map(float, c), strict=True)),
                "chi": float(chi),
                "chi_per_site": float(chi) / self.n_sites,
                "chi_error": float(error),
                "energy": float(energy),
                "gap": float(gap),
            }
            for c, chi, error, energy, gap in columns
        ]


def spell_couplings(names: tuple[str, ...], couplings: Any) -> str:
    """Couplings for a sentence: "field = 0.75"; of many the first and their number.

    Examples
    --------
    >>> from infoscope.quantum.exact_results import spell_couplings
    >>> spell_couplings(("J1", "J2"), [1.0, 0.5])
    'J1 = 1, J2 = 0.5'
    """
    pairs = [f"{name} = {float(value):.6g}" for name, value in zip(names, couplings, strict=True)]
    return ", ".join(pairs) if len(pairs) <= 4 else f"{pairs[0]}, {pairs[1]}, ... ({len(pairs)} couplings)"
