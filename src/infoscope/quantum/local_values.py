"""Local values of operators, <s|A psi> / <s|psi>: their mean over |psi|^2 is the expectation of A.

Configurations that an operator leads to are mostly among the rows themselves, all of them in a sum over everything:
what is known there is looked up, and the state is asked for the others alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from infoscope.base import DataError

from .configurations import LONGEST, numbers_of, places_of
from .interfaces import WaveFunction

ROWS = 2**17  # configurations that are written down at once


class LocalResponse(NamedTuple):
    """What tells how far a state is from a ground state that follows its couplings.

    Attributes
    ----------
    energy : array (M,)
        E_L = (H psi) / psi.
    slopes : array (M, m)
        (V_i psi) / psi with V_i = dH/d coupling i.
    moved : array (M, m)
        (H d_i) / psi, where d_i is the derivative of the state.
    turned : array (M, m, m)
        (V_j d_i) / psi at [:, i, j].
    """

    energy: np.ndarray
    slopes: np.ndarray
    moved: np.ndarray
    turned: np.ndarray


def local_values(
    state: WaveFunction, operator: Any, spins: np.ndarray, couplings: np.ndarray, log_amplitudes: np.ndarray
) -> np.ndarray:
    """(A psi)(s) / psi(s), (M,), of an operator with ``connected``, or the values of a function of spins."""
    if callable(operator):
        return _function_values(operator, spins)
    known, pieces = KnownRows.of(spins), []
    for part in _blocks(operator, spins):
        connected, elements = operator.connected(spins[part], couplings if operator.n_couplings else None)
        there = (elements != 0) & state.family.holds(connected)  # others have no amplitude, whatever a network says
        logs = known.evaluate(lambda s: state.log_amplitude(s, couplings), log_amplitudes, connected, there, -np.inf)
        pieces.append((elements * _ratios(logs, log_amplitudes[part])).sum(axis=1))
    return _finite(np.concatenate(pieces), spins, couplings)


def local_response(
    state: WaveFunction, spins: np.ndarray, couplings: np.ndarray, log_amplitudes: np.ndarray, derivatives: np.ndarray
) -> LocalResponse:
    """Local energies, slopes of the Hamiltonian and H applied to the derivatives of the state, in one pass.

    The derivatives (M, m) are those of log psi in the rows.
    """
    operator, n, known = state.family.operator, len(couplings), KnownRows.of(spins)
    pieces: tuple[list[np.ndarray], ...] = ([], [], [], [])
    for part in _blocks(operator, spins):
        connected, elements = operator.connected(spins[part], couplings)
        # the Hamiltonian is linear in its couplings: what one of them multiplies is a difference
        fixed = operator.elements(spins[part], np.zeros(n))
        slopes = np.stack([operator.elements(spins[part], unit) - fixed for unit in np.eye(n)], axis=2)
        there = (elements != 0) | (slopes != 0).any(axis=2)
        logs = known.evaluate(lambda s: state.log_amplitude(s, couplings), log_amplitudes, connected, there, -np.inf)
        ratios = _ratios(logs, log_amplitudes[part])
        turns = known.evaluate(lambda s: state.coupling_derivatives(s, couplings), derivatives, connected, there, 0.0)
        turns = np.where(np.isfinite(turns), turns, 0.0)  # of amplitudes that are zero
        pushes = slopes * ratios[:, :, None]
        pieces[0].append((elements * ratios).sum(axis=1))
        pieces[1].append(pushes.sum(axis=1))
        pieces[2].append(np.einsum("mk,mki->mi", elements * ratios, turns))
        pieces[3].append(np.einsum("mki,mkj->mij", turns, pushes))
    energy, slope, moved, turned = (np.concatenate(one) for one in pieces)
    return LocalResponse(_finite(energy, spins, couplings), slope, moved, turned)


@dataclass(frozen=True, eq=False)
class KnownRows:
    """Rows in which a state is known: where each of their configurations stands among them.

    Attributes
    ----------
    numbers : array of int64 (D,)
        Of the distinct configurations, rising; none where one does not fit into a whole number.
    rows : array of int (D,)
        A row of each.
    n_sites : int
    """

    numbers: np.ndarray
    rows: np.ndarray
    n_sites: int

    @classmethod
    def of(cls, spins: np.ndarray) -> KnownRows:
        """The rows of spins (M, n_sites)."""
        if spins.shape[1] > LONGEST:
            return cls(np.zeros(0, np.int64), np.zeros(0, np.int64), spins.shape[1])
        return cls(*np.unique(numbers_of(spins), return_index=True), spins.shape[1])

    def evaluate(
        self,
        function: Callable[[np.ndarray], Any],
        values: np.ndarray,
        connected: np.ndarray,
        there: np.ndarray,
        elsewhere: float,
    ) -> np.ndarray:
        """Values (M, K, ...) of those connected configurations (M, K, n) that are there.

        `values` (M, ...) are those of the rows; the function is asked for all others, each once.
        """
        asked = connected[there]
        places = np.full(len(asked), -1)
        if len(self.numbers):
            places = places_of(self.numbers, numbers_of(asked), self.n_sites)
        new = places < 0
        kind = values.dtype
        if new.any():
            rows, inverse = distinct(asked[new])
            fresh = np.asarray(function(rows))
            kind = np.result_type(kind, fresh)
        found = np.full((*there.shape, *values.shape[1:]), elsewhere, kind)
        filled = np.empty((len(asked), *values.shape[1:]), kind)
        filled[~new] = values[self.rows[places[~new]]]
        if new.any():
            filled[new] = fresh[inverse]
        found[there] = filled
        return found


def distinct(spins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct configurations, and which of them each row is: a few sites have few configurations."""
    packed = np.ascontiguousarray(np.packbits(spins < 0, axis=1))
    keys = packed.view(np.dtype((np.void, packed.shape[1]))).ravel()
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    return spins[first], inverse.ravel()


# --------------------------------------------------------------------------------------------------------------- steps
def _blocks(operator: Any, spins: np.ndarray) -> Iterator[slice]:
    step = max(1, ROWS // operator.n_flips)
    for start in range(0, len(spins), step):
        yield slice(start, start + step)


def _ratios(logs: np.ndarray, at: np.ndarray) -> np.ndarray:
    return np.exp(logs - at[:, None])  # always of differences: amplitudes themselves overflow


def _function_values(function: Callable[[np.ndarray], Any], spins: np.ndarray) -> np.ndarray:
    values = np.asarray(function(spins))
    if values.shape != (len(spins),) or values.dtype.kind not in "fiub":
        raise DataError(
            f"a function of spins (M, n_sites) must return M real numbers; {getattr(function, '__name__', 'it')} "
            f"returned shape {values.shape} of {values.dtype} for {len(spins)} rows"
        )
    return _finite(values.astype(np.float64), spins, None)


def _finite(values: np.ndarray, spins: np.ndarray, couplings: np.ndarray | None) -> np.ndarray:
    """The values; DataError with the configuration where one is not finite: it is never averaged away."""
    wrong = np.flatnonzero(~np.isfinite(values))
    if len(wrong):
        row = int(wrong[0])
        where = "" if couplings is None else f" at couplings {np.array2string(np.asarray(couplings), precision=4)}"
        raise DataError(
            f"a local value is {values[row]} in row {row}{where}, spins {spins[row].tolist()}: the amplitude of a "
            "configuration that was drawn is zero or not finite"
        )
    return values
