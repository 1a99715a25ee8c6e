"""Transfer entropy of a Markov chain, exactly, and whether it runs the same forwards and backwards."""

from __future__ import annotations

from typing import Any

import numpy as np

from infoscope.base import DataError, provenance
from infoscope.base.checks import check_matrix, check_vector
from infoscope.base.rounding import SAME, exceeds

from .joint_laws import table_information, unit_factor
from .results import TransferEntropy
from .steps import check_lags

ROW_SUM = 1e-9  # what a row of probabilities may miss one by
BALANCE = 1e-10  # relative difference of the flows of a pair, up to which the chain is reversible


def markov_transfer_entropy(
    P: Any, source: Any, target: Any, lags: Any, *, condition: Any = None, pi: Any = None, unit: str = "nats"
) -> TransferEntropy:
    """Transfer entropy between two functions of the state of a stationary Markov chain, without sampling.

    ``T(X -> Y) = I(X(0); Y(lag) | Y(0))``, from the joint law ``pi_i (P^lag)_ij``.

    Parameters
    ----------
    P : array (m, m)
        Probabilities of the next state (column) in every state (row).
    source, target : array (m,)
        What X and Y are in every state: numbers or text.
    lags : int or sequence of int
        Steps.
    condition : array (m,), optional
        A third function of the state, known at time 0 as well.
    pi : array (m,), optional
        Stationary probabilities; found from `P` by default.
    unit : {"nats", "bits"}

    Returns
    -------
    TransferEntropy
        Both directions, whether the chain is reversible, and its entropy production per step.

    Raises
    ------
    DataError
        Rows that are no probabilities, states that never reach each other, a `pi` that is not stationary.

    References
    ----------
    Schreiber (2000), Phys. Rev. Lett. 85, 461, Eq. (4).  Grassmann, Taksar, Heyman (1985), Oper. Res. 33, 1107, for pi.
    Del Tatto, Banerjee, Hassanali, Laio (2025), arXiv:2502.19384, for chains in equilibrium.

    Examples
    --------
    >>> from infoscope.causality import markov_transfer_entropy
    >>> P = [[0, 0.5, 0.5], [0.5, 0.4, 0.1], [0.5, 0.1, 0.4]]
    >>> found = markov_transfer_entropy(P, [0, 1, 2], [0, 0, 1], [1, 2])      # Y is a function of X
    >>> found.forward.round(6), found.backward.round(6), found.is_reversible
    (array([0.067833, 0.002597]), array([0., 0.]), True)
    """
    P = _check_chain(P)
    m, steps, factor = len(P), check_lags(lags, least=0), unit_factor(unit)
    pi = _stationary(P) if pi is None else _check_stationary(pi, P)
    maps = [_codes(one, m, name) for one, name in ((source, "source"), (target, "target"))]
    known = np.zeros(m, np.int64) if condition is None else _codes(condition, m, "condition")
    forward, backward = np.zeros((2, len(steps)))
    reached, power = 0, np.eye(m)
    for at, lag in enumerate(steps.tolist()):
        power, reached = power @ np.linalg.matrix_power(P, lag - reached), lag
        forward[at] = _information(pi, power, maps[0], maps[1], known)
        backward[at] = _information(pi, power, maps[1], maps[0], known)
    reversible, produced = _entropy_production(P, pi)
    return TransferEntropy(
        source="source",
        target="target",
        lags=steps.astype(float),
        forward=forward * factor,
        backward=backward * factor,
        method="markov",
        condition=None if condition is None else "condition",
        unit=unit,
        is_reversible=reversible,
        entropy_production=produced,
        provenance=provenance("markov_transfer_entropy", dict(lags=lags, unit=unit), None, P, pi, *maps, known),
    )


def _information(pi: np.ndarray, power: np.ndarray, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> float:
    """I(X(0); Y(lag) | Y(0), Z(0)) from sums of pi_i (P^lag)_ij over what the functions do not tell apart."""
    n_x, n_y = int(x.max()) + 1, int(y.max()) + 1
    later = np.zeros((len(pi), n_y))
    np.add.at(later.T, y, power.T)  # probability of Y(lag) in every state
    given = np.unique(y + n_y * z, return_inverse=True)[1].reshape(-1)
    joint = np.zeros((int(given.max()) + 1, n_x, n_y))
    np.add.at(joint, (given, x), pi[:, None] * later)
    return table_information(joint)


def _check_chain(P: Any) -> np.ndarray:
    P = np.asarray(check_matrix(P, "P"), np.float64)
    if P.shape[0] != P.shape[1]:
        raise DataError(f"P has shape {P.shape}: a chain of m states has m rows and m columns")
    if P.min() < 0:
        i, j = np.unravel_index(int(P.argmin()), P.shape)
        raise DataError(f"P holds {P[i, j]:g} in row {i}, column {j}: probabilities are not negative")
    off = np.abs(P.sum(1) - 1)
    if off.max() > ROW_SUM:
        row = int(off.argmax())
        raise DataError(f"row {row} of P adds up to {P[row].sum():.6g}, not to 1: every row holds probabilities")
    from scipy.sparse.csgraph import connected_components

    n, part = connected_components(P > 0, connection="strong")
    if n > 1:
        first, other = 0, int(np.argmax(part != part[0]))
        raise DataError(
            f"the chain is reducible: states {first} and {other} do not reach each other both ways, so its "
            "stationary law is not its own; give one of the parts"
        )
    return P


def _codes(values: Any, m: int, name: str) -> np.ndarray:
    given = np.asarray(values)
    if given.shape != (m,):
        raise DataError(f"{name} has shape {given.shape}, and there are {m} states: say what it is in each of them")
    return np.unique(given, return_inverse=True)[1].reshape(-1)


def _stationary(P: np.ndarray) -> np.ndarray:
    """Stationary law by elimination of one state after the other, without a subtraction (Grassmann, Taksar, Heyman)."""
    A = P.copy()
    for n in range(len(A) - 1, 0, -1):
        A[:n, n] /= A[n, :n].sum()
        A[:n, :n] += np.outer(A[:n, n], A[n, :n])
    pi = np.ones(len(A))
    for n in range(1, len(A)):
        pi[n] = (pi[:n] * A[:n, n]).sum()
    return pi / pi.sum()


def _check_stationary(pi: Any, P: np.ndarray) -> np.ndarray:
    pi = check_vector(pi, "pi", length=len(P), of="states", nonnegative=True).astype(np.float64)
    if abs(pi.sum() - 1) > ROW_SUM:
        raise DataError(f"pi adds up to {pi.sum():.6g}, not to 1: it holds the probabilities of the states")
    moved = np.abs(pi @ P - pi)
    if moved.max() > ROW_SUM:
        state = int(moved.argmax())
        raise DataError(f"pi is not stationary: one step changes state {state} by {moved[state]:.3g}; leave it out")
    return pi


def _entropy_production(P: np.ndarray, pi: np.ndarray) -> tuple[bool, float]:
    """Whether pi_i P_ij = pi_j P_ji, and sum of pi_i P_ij log(pi_i P_ij / (pi_j P_ji)) in nats a step."""
    flow = pi[:, None] * P
    balanced = not exceeds(np.abs(flow - flow.T).max(), BALANCE * flow.max(), same=SAME)
    if balanced:
        return True, 0.0
    there = flow > 0
    if (there & (flow.T == 0)).any():
        return False, float("inf")
    ratio = np.where(there, flow / np.where(there, flow.T, 1.0), 1.0)
    return False, float((flow * np.log(ratio)).sum())
