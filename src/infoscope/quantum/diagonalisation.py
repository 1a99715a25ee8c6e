"""Ground states and lowest levels of a family, exactly: sparse matrices in sectors of symmetry, Lanczos' method.

A ground state that is degenerate is said to be so, and no vector of it is given: which one would hang on rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from infoscope.base import ParameterError, progress, provenance
from infoscope.base.checks import check_positive_int, check_positive_number
from infoscope.base.rounding import exceeds

from .configurations import MAX_STATES
from .exact_results import ExactSpectrum, GroundState
from .families import SpinFamily
from .lowest_levels import MOST_COPIES, lowest_levels
from .sparse_matrices import Sector, SectorMatrices, forecast_bytes, parity_sector, refuse_large

TOLERANCE = 1e-10  # of the size of the Hamiltonian: what two levels may differ by and be one
TIED = 1e-6  # amplitudes whose sizes differ by less, relatively, are as large: the first of them sets the sign


def ground_state(
    family: SpinFamily,
    couplings: Any,
    *,
    parity: int | None = None,
    tolerance: float = TOLERANCE,
    max_states: int = MAX_STATES,
) -> GroundState:
    """The ground state of a family at given couplings.

    Parameters
    ----------
    family : SpinFamily
        Which Hamiltonian, on which spins; of its magnetisation, if it has one.
    couplings : array (m,), number or mapping
        Of one system.
    parity : {1, -1}, optional
        Only states that are even (1) or odd (-1) under the flip of all spins.
    tolerance : float
        Levels nearer to each other than this times the size of the Hamiltonian (the sum of its weights) are one.
    max_states : int
        More configurations are refused, with the memory that they would take.

    Returns
    -------
    GroundState
        With the gap to the next level and the degeneracy.  Where it is degenerate, it has no amplitudes.

    Raises
    ------
    DataError
        For couplings of a wrong number, or not finite.
    ParameterError
        For too many configurations, or a parity that is no symmetry.

    Notes
    -----
    A Hamiltonian that commutes with the flip of all spins is diagonalised in both parities apart, half the states each;
    levels that differ by less than rounding are told apart so.  Time and memory grow as the number of configurations
    times that of the spins or bonds: for rings of 16, 18 and 20 Ising spins 0.4, 2 and 12 seconds of one core, and up
    to 1 GB.

    Examples
    --------
    >>> from infoscope.quantum import Chain, IsingFamily, ground_state
    >>> found = ground_state(IsingFamily(Chain(10)), 1.0)
    >>> print(found)
    Ground state of 10 spins at field = 1
      energy           -12.78490644
      energy per site  -1.278490644
      gap              0.1574034136
      degeneracy       1
    One ground state, even under the flip of all spins, 0.1574 below the next level.
    """
    system = family.as_system(couplings)
    spectra = Sectors(family, parity=parity, max_states=max_states)
    solved = spectra.solve(system, 2, check_positive_number(tolerance, "tolerance"))
    single = solved.degeneracy == 1
    parities = {int(one) for one in solved.parities[: solved.degeneracy]}
    return GroundState(
        couplings=system,
        coupling_names=family.coupling_names,
        n_sites=family.n_sites,
        energy=float(solved.levels[0]),
        gap=solved.gap,
        degeneracy=solved.degeneracy,
        parity=parities.pop() if len(parities) == 1 else 0,
        amplitudes=fix_sign(solved.amplitudes(spectra.configurations)) if single else None,
        configurations=spectra.configurations,
        tolerance=solved.width,
        provenance=provenance(
            "infoscope.ground_state", {"family": repr(family), "parity": parity, "tolerance": tolerance}, None, system
        ),
        notes=solved.notes,
    )


def exact_spectrum(
    family: SpinFamily,
    couplings: Any,
    k: int = 2,
    *,
    parity: int | None = None,
    tolerance: float = TOLERANCE,
    max_states: int = MAX_STATES,
) -> ExactSpectrum:
    """The lowest levels of a family over couplings, with the gap and the degeneracy.

    Parameters
    ----------
    family : SpinFamily
        Which Hamiltonian, on which spins.
    couplings : array (R, m), or (R,) where there is one coupling
        Of all systems.
    k : int
        How many levels, each counted as often as it is there.
    parity, tolerance, max_states
        As for `ground_state`.

    Returns
    -------
    ExactSpectrum

    Raises
    ------
    DataError
        For couplings of a wrong number, or not finite.
    ParameterError
        For too many configurations, more levels than there are states, or a parity that is no symmetry.

    Examples
    --------
    >>> from infoscope.quantum import Chain, HeisenbergFamily, exact_spectrum
    >>> found = exact_spectrum(HeisenbergFamily(Chain(8), ("J2",)), [0.0, 0.5], k=3)
    >>> found.energies.round(4)
    array([[-3.6511, -3.1284, -2.6996],
           [-3.    , -3.    , -2.5955]])
    >>> found.verdict
    'At J2 = 0.5 the ground state is degenerate (2 states).'
    """
    systems = family.as_systems(couplings)
    width = check_positive_number(tolerance, "tolerance")
    spectra = Sectors(family, parity=parity, max_states=max_states)
    k = check_positive_int(k, "k", 1, spectra.n_states)
    solved = []
    with progress(len(systems), "diagonalisation", "systems") as bar:
        for system in systems:
            solved.append(spectra.solve(system, k, width))
            bar.update()
    return ExactSpectrum(
        couplings=systems,
        coupling_names=family.coupling_names,
        n_sites=family.n_sites,
        energies=np.array([one.levels[:k] for one in solved]),
        parities=np.array([one.parities[:k] for one in solved]),
        gap=np.array([one.gap for one in solved]),
        degeneracy=np.array([one.degeneracy for one in solved]),
        tolerance=np.array([one.width for one in solved]),
        provenance=provenance(
            "infoscope.exact_spectrum",
            {"family": repr(family), "k": k, "parity": parity, "tolerance": tolerance},
            None,
            systems,
        ),
        notes=tuple(dict.fromkeys(note for one in solved for note in one.notes)),
    )


# ------------------------------------------------------------------------------------------------------------- sectors
@dataclass(frozen=True, eq=False)
class Solved:
    """The lowest levels of one system, of all sectors, and what they say."""

    levels: np.ndarray
    parities: np.ndarray
    gap: float
    degeneracy: int
    width: float
    sector: Sector
    vector: np.ndarray
    sector_gap: float
    notes: tuple[str, ...] = ()

    def amplitudes(self, configurations: np.ndarray) -> np.ndarray:
        """Of the first of the lowest states, at all configurations."""
        return self.sector.amplitudes(self.vector, configurations)


class Sectors:
    """The Hamiltonians of a family, by sectors of parity where that is a symmetry."""

    def __init__(self, family: SpinFamily, *, parity: int | None, max_states: int) -> None:
        max_states = check_positive_int(max_states, "max_states")
        commutes = family.spin_flip_commutes()
        if parity is not None and parity not in (1, -1):
            raise ParameterError(f"parity must be 1 (even), -1 (odd) or None, got {parity!r}")
        if parity is not None and not commutes:
            raise ParameterError("the flip of all spins is no symmetry of this family: leave parity out")
        operator = family.operator
        parts = 1 + (operator.n_couplings if operator.n_couplings <= SectorMatrices.MOST_PARTS else 1)
        n_bytes = forecast_bytes(family.n_states, operator.n_flips, parts)
        refuse_large(family.n_states, max_states, n_bytes, f"the Hamiltonian of {family.n_sites} spins")
        self.operator = operator
        self.configurations = family.configurations(max_states=max_states)
        chosen = [parity] if parity is not None or not commutes else [1, -1]
        sectors = [parity_sector(self.configurations, family.n_sites, one) for one in chosen]
        self.matrices = {one.parity: SectorMatrices(operator, one) for one in sectors if len(one.states)}
        self.n_states = sum(len(one.states) for one in sectors)

    def solve(self, couplings: np.ndarray, k: int, tolerance: float) -> Solved:
        """The k lowest levels, and as many more as it takes to leave the lowest one."""
        width = tolerance * self.size(couplings)
        want = max(k, 2)
        while True:
            found = {
                parity: lowest_levels(one.at(couplings), want, width=width) for parity, one in self.matrices.items()
            }
            levels = np.concatenate([one for one, _ in found.values()])
            parities = np.concatenate([np.full(len(one), parity or 0) for parity, (one, _) in found.items()])
            order = np.argsort(levels, kind="stable")
            levels, parities = levels[order], parities[order]
            degeneracy = int((levels <= levels[0] + width).sum())
            if all(
                one[-1] > levels[0] + width or len(one) == len(self.matrices[parity].sector.states)
                for parity, (one, _) in found.items()
            ):
                break  # no sector hides a copy of the lowest level
            if want >= MOST_COPIES:
                break
            want = min(2 * want, MOST_COPIES)
        return self._summary(found, levels, parities, degeneracy, width)

    def size(self, couplings: np.ndarray) -> float:
        """The sum of the sizes of all weights but that of the identity: no level is farther from the middle."""
        factors = np.abs(self.operator.factors(couplings))
        own = self.operator.flips[self.operator.term_flip].any(axis=1) | self.operator.term_signs.any(axis=1)
        return float(factors[own].sum()) or 1.0

    def _summary(self, found: Any, levels: Any, parities: Any, degeneracy: int, width: float) -> Solved:
        above = levels[levels > levels[0] + width]
        notes: tuple[str, ...] = ()
        if not len(above) and len(levels) < self.n_states:
            notes = (f"The ground state is at least {degeneracy}-fold degenerate: more states were not looked for.",)
        parity = int(parities[0]) or None
        own, vectors = found[parity]
        return Solved(
            levels=levels,
            parities=parities,
            gap=float(above[0] - levels[0]) if len(above) else np.nan,
            degeneracy=degeneracy,
            width=width,
            sector=self.matrices[parity].sector,
            vector=vectors[:, 0],
            sector_gap=float(own[1] - own[0]) if len(own) > 1 else np.inf,
            notes=notes,
        )


def fix_sign(vector: np.ndarray) -> np.ndarray:
    """The vector with the first of its largest entries real and positive.

    Examples
    --------
    >>> from infoscope.quantum.diagonalisation import fix_sign
    >>> fix_sign([0.1, -0.7, 0.7])
    array([-0.1,  0.7, -0.7])
    """
    vector = np.asarray(vector)
    size = np.abs(vector)
    first = vector[int(np.argmax(~exceeds(size.max(), size, same=TIED)))]
    return vector * (np.conj(first) / abs(first))
