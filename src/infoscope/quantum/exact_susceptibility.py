"""The fidelity susceptibility of exact ground states, by differences between couplings that are extrapolated to zero.

With D_i = d psi / d coupling_i,

    chi_ij = Re( <D_i|D_j> - <D_i|psi><psi|D_j> ),        |<psi(c)|psi(c + d)>|^2 = 1 - d chi d + O(d^3)

(Gu 2010, Int. J. Mod. Phys. B 24, 4371).  D_i comes from central differences of steps h, h/2 and h/4 by Richardson's
rule, which takes out the errors in h^2 and h^4; h is a tenth of the distance in which the state can change much: the
gap over the spread of dH/dc_i in the state.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from infoscope.base import ParameterError, progress, provenance
from infoscope.base.checks import check_positive_number

from .configurations import MAX_STATES
from .diagonalisation import TOLERANCE, Sectors, Solved
from .exact_results import ExactSusceptibility, spell_couplings
from .families import SpinFamily
from .lowest_levels import lowest_levels
from .sparse_matrices import SectorMatrices

SHARE = 0.1  # of the distance in which the state can change much: the largest step
HALVINGS = 2
GOOD = 1e-8  # of the largest entry: differences that agree so well are not refined
REFINED = 3  # times that the step is made smaller, by 4
ALIKE = 0.9  # overlap with the state in the middle, below which another state was met


def exact_susceptibility(
    family: SpinFamily,
    couplings: Any,
    *,
    parity: int | None = None,
    tolerance: float = TOLERANCE,
    max_states: int = MAX_STATES,
) -> ExactSusceptibility:
    """How fast the ground state changes with the couplings, exactly.

    Parameters
    ----------
    family : SpinFamily
        Which Hamiltonian, on which spins.
    couplings : array (R, m), or (R,) where there is one coupling
        Of all systems.
    parity, tolerance, max_states
        As for `ground_state`.

    Returns
    -------
    ExactSusceptibility

    Raises
    ------
    DataError
        For couplings of a wrong number, or not finite.
    ParameterError
        Where the ground state is degenerate, so that its susceptibility is not defined; for too many configurations, or
        a parity that is no symmetry.

    Notes
    -----
    Every system takes one diagonalisation with its gap, and six searches from a good start for each coupling.

    Examples
    --------
    >>> from infoscope.quantum import Chain, IsingFamily, exact_susceptibility
    >>> found = exact_susceptibility(IsingFamily(Chain(10)), [0.75, 1.0, 2.0])
    >>> found.chi[:, 0, 0].round(6)                               # N (N - 1) / 32 = 2.8125 at the transition
    array([1.777788, 2.8125  , 0.053352])
    """
    systems = family.as_systems(couplings)
    width = check_positive_number(tolerance, "tolerance")
    spectra = Sectors(family, parity=parity, max_states=max_states)
    tensors, errors, solved = [], [], []
    with progress(len(systems), "susceptibility", "systems") as bar:
        for system in systems:
            solved.append(_solve_one(family, spectra, system, width))
            tensor, error = _tensor(spectra.matrices[solved[-1].sector.parity], system, solved[-1])
            tensors.append(tensor)
            errors.append(error)
            bar.update()
    return ExactSusceptibility(
        couplings=systems,
        coupling_names=family.coupling_names,
        n_sites=family.n_sites,
        chi=np.array(tensors),
        chi_error=np.array(errors),
        energy=np.array([one.levels[0] for one in solved]),
        gap=np.array([one.sector_gap for one in solved]),
        parity=np.array([one.parities[0] for one in solved]),
        provenance=provenance(
            "infoscope.exact_susceptibility",
            {"family": repr(family), "parity": parity, "tolerance": tolerance},
            None,
            systems,
        ),
    )


# --------------------------------------------------------------------------------------------------------------- steps
def _solve_one(family: SpinFamily, spectra: Sectors, system: np.ndarray, width: float) -> Solved:
    found = spectra.solve(system, 2, width)
    if found.degeneracy > 1:
        several = len(spectra.matrices) > 1 and found.sector_gap > found.width
        way_out = ", or parity=1 or -1 for the lowest state of that parity" if several else ""
        raise ParameterError(
            f"at {spell_couplings(family.coupling_names, system)} the ground state is degenerate: {found.degeneracy} "
            f"states lie within {found.width:.2g} of each other, so its susceptibility is not defined; take other "
            f"couplings{way_out}"
        )
    return found


def _tensor(matrices: SectorMatrices, system: np.ndarray, found: Solved) -> tuple[np.ndarray, float]:
    """The tensor at one system, and how far the last two extrapolations are apart."""
    psi = found.vector
    columns = [_derivative(matrices, system, at, psi, found.sector_gap) for at in range(len(system))]
    best, before = (np.stack(one, axis=1) for one in zip(*columns, strict=True))
    tensor = _metric(psi, best)
    return tensor, float(np.abs(tensor - _metric(psi, before)).max())


def _derivative(
    matrices: SectorMatrices, system: np.ndarray, at: int, psi: np.ndarray, gap: float
) -> tuple[np.ndarray, np.ndarray]:
    """D of one coupling, extrapolated from three steps, and from the last two of them."""
    slope = matrices.part(at) @ psi
    spread = float(np.linalg.norm(slope - psi * np.vdot(psi, slope)))  # of dH/dc in the state
    size = float(np.linalg.norm(slope))
    if not np.isfinite(gap) or spread <= 1e-13 * size:
        return np.zeros_like(psi), np.zeros_like(psi)  # nothing to change into, or an eigenstate of dH/dc
    h = SHARE * gap / spread
    best: tuple[float, np.ndarray, np.ndarray] | None = None
    for _ in range(REFINED + 1):
        found = [_difference(matrices, system, at, psi, h / 2**halving) for halving in range(HALVINGS + 1)]
        rows = [one for one in found if one is not None]
        if len(rows) == len(found):
            end, before = _extrapolate(rows)
            apart = float(np.linalg.norm(end - before) / np.linalg.norm(end))
            best = (apart, end, before) if best is None or apart < best[0] else best
            if apart < GOOD:
                break
        h /= 4
    if best is not None:
        return best[1:]
    raise ParameterError(
        f"the ground state changes into another one within {4 * h:.2g} of coupling {at} = {system[at]:.6g}: its "
        "susceptibility is not defined there; take other couplings"
    )


def _difference(matrices: SectorMatrices, system: np.ndarray, at: int, psi: np.ndarray, h: float) -> np.ndarray | None:
    """(psi(c + h) - psi(c - h)) / 2h, both with a real positive overlap with psi; None where one is another state."""
    ends = []
    for side in (1, -1):
        moved = system.copy()
        moved[at] += side * h
        _, vectors = lowest_levels(matrices.at(moved), 1, width=0.0, start=psi, copies=False)
        overlap = np.vdot(vectors[:, 0], psi)
        if abs(overlap) < ALIKE:
            return None
        ends.append(vectors[:, 0] * (overlap / abs(overlap)))
    return (ends[0] - ends[1]) / (2 * h)


def _extrapolate(rows: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Richardson's table of central differences with steps h, h/2, h/4: its end, and the entry before it."""
    order = 1
    while len(rows) > 2:
        rows = [(4**order * fine - coarse) / (4**order - 1) for coarse, fine in zip(rows, rows[1:], strict=False)]
        order += 1
    coarse, fine = rows
    return (4**order * fine - coarse) / (4**order - 1), fine


def _metric(psi: np.ndarray, derivatives: np.ndarray) -> np.ndarray:
    along = derivatives.conj().T @ psi
    return np.real(derivatives.conj().T @ derivatives - np.outer(along, along.conj()))
