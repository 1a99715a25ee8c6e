"""Populations with errors from the reference runs of `sampling_peptides.py`, and what other runs reached.

Errors are delete-one-block jackknife errors over `BLOCKS` consecutive blocks of the frames.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import logsumexp

from peptide_dynamics import GAS_CONSTANT
from peptide_systems import BASINS, TEMPERATURE, dipeptide_basins, handedness, handedness_names, recipe

Row = dict[str, object]
BLOCKS = 20
KT = GAS_CONSTANT * TEMPERATURE


# ---------------------------------------------------------------- alanine dipeptide
def dipeptide_table(angles: np.ndarray, log_weights: np.ndarray, source: str, nanoseconds: float) -> list[Row]:
    """A row a basin, and one for both left-handed ones together; angles (frames, 2) in radians."""
    basin = dipeptide_basins(*np.degrees(angles.astype(np.float64)).T)
    masks = {name: basin == number for number, name in enumerate(BASINS)} | {"left-handed": basin >= 3}
    weights = np.exp(log_weights - log_weights.max())
    shares, errors = jackknife(lambda keep: weighted_shares(masks, weights, keep), len(weights))
    return [
        {
            "basin": name,
            "share": float(share),
            "share_se": float(error),
            "kJ/mol": float(-KT * np.log(share / shares[0])) if share > 0 else None,
            "frames": len(weights),
            "ns": nanoseconds,
            "from": source,
        }
        for name, share, error in zip(masks, shares, errors, strict=True)
    ]


def weighted_shares(masks: dict[str, np.ndarray], weights: np.ndarray, keep: np.ndarray) -> np.ndarray:
    return np.array([np.sum(weights[keep & mask]) for mask in masks.values()]) / np.sum(weights[keep])


def jackknife(estimate: Callable[[np.ndarray], np.ndarray], frames: int) -> tuple[np.ndarray, np.ndarray]:
    """An estimate of all frames, and its error from leaving out one block after the other."""
    block = np.arange(frames) * BLOCKS // frames
    left_out = np.stack([estimate(block != b) for b in range(BLOCKS)])
    error = np.sqrt((BLOCKS - 1) / BLOCKS * np.sum((left_out - left_out.mean(axis=0)) ** 2, axis=0))
    return estimate(np.ones(frames, dtype=bool)), error


def growing_log_weights(bias: np.ndarray, grids: np.ndarray, factor: float) -> np.ndarray:
    """Log weights of frames of well-tempered metadynamics by the bias each one felt (pieces, frames), in kJ/mol.

    (V - c)/kT with c/kT = ln sum exp(factor/(factor-1) V/kT) - ln sum exp(V/((factor-1) kT)) over the grid at the end
    of each piece, and linear in between (Tiwary and Parrinello, J. Phys. Chem. B 119, 736, 2015, eqs. 9 and 12). The
    bias at the end would weight all frames by one state of a bias that fluctuates, and blocks would not see that.
    """
    tilt = grids.reshape(len(grids), -1) / (KT * (factor - 1))
    offsets = np.concatenate([[0.0], logsumexp(factor * tilt, axis=1) - logsumexp(tilt, axis=1)])
    within = (np.arange(bias.shape[1]) + 1) / bias.shape[1]
    return bias / KT - (offsets[:-1, None] + np.diff(offsets)[:, None] * within)


def switches(angles: np.ndarray) -> Row:
    """Passages between the cores of the two hands, and between helix and extended on the right-handed side."""
    phi, psi = np.degrees(angles.astype(np.float64)).T
    return {"left and right": recipe.crossings(np.radians(phi)), "helix and extended": between_cores(phi, psi)}


def between_cores(phi: np.ndarray, psi: np.ndarray) -> int:
    """Passages between psi of -60 to 30 and psi of 120 to 180, phi from -180 to -30."""
    right = (phi > -180) & (phi < -30)
    core = np.where(right & (psi > -60) & (psi < 30), 1, np.where(right & (psi > 120), -1, 0))
    visited = core[core != 0]
    return int(np.sum(visited[1:] != visited[:-1]))


# ---------------------------------------------------------------- parallel tempering
def chain_table(angles: np.ndarray, energies: np.ndarray, ladder: np.ndarray, nanoseconds: float) -> list[Row]:
    """A row a pattern of hands of a chain: share of all temperatures reweighted to 300 K, and of 300 K alone.

    angles (frames, temperatures, 2n) in radians; energies (frames, temperatures) in kJ/mol.
    """
    pattern = patterns(angles.reshape(-1, angles.shape[2])).reshape(energies.shape)
    beta, count = 1 / (GAS_CONSTANT * ladder), 1 << angles.shape[2] // 2

    def reweighted(keep: np.ndarray) -> np.ndarray:
        return pattern_shares(pattern[keep].ravel(), mixture_weights(energies[keep], beta).ravel(), count)

    def cold(keep: np.ndarray) -> np.ndarray:
        return pattern_shares(pattern[keep, 0], np.zeros(int(np.sum(keep))), count)

    rows = pattern_rows(*jackknife(reweighted, len(energies)), "tempering, all temperatures", nanoseconds)
    return rows + pattern_rows(*jackknife(cold, len(energies)), "tempering, 300 K alone", nanoseconds)


def biased_chain_table(angles: np.ndarray, log_weights: np.ndarray, nanoseconds: float) -> list[Row]:
    """A row a pattern of hands of a chain; angles (frames, 2n) in radians."""
    pattern, count = patterns(angles), 1 << angles.shape[1] // 2
    shares = jackknife(lambda keep: pattern_shares(pattern[keep], log_weights[keep], count), len(pattern))
    return pattern_rows(*shares, "fixed bias", nanoseconds)


def patterns(angles: np.ndarray) -> np.ndarray:
    return handedness(np.degrees(angles[:, ::2].astype(np.float64)))


def pattern_shares(pattern: np.ndarray, log_weights: np.ndarray, count: int) -> np.ndarray:
    weights = np.exp(log_weights - log_weights.max())
    return np.bincount(pattern, weights, count) / weights.sum()


def pattern_rows(shares: np.ndarray, errors: np.ndarray, source: str, nanoseconds: float) -> list[Row]:
    names = handedness_names(int(np.log2(len(shares))))
    return [
        {"phi1 phi2 phi3": name, "share": float(share), "share_se": float(error), "ns": nanoseconds, "from": source}
        for name, share, error in zip(names, shares, errors, strict=True)
    ]


def mixture_weights(energies: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """Log weights at the first temperature of frames drawn at all of them (MBAR with equal numbers a temperature).

    The free energies f satisfy sum over frames of exp(f_k - beta_k E) / sum_j exp(f_j - beta_j E) = frames / K.
    """
    flat = energies.ravel()
    reduced = -beta[:, None] * flat  # (temperatures, frames)
    f = np.zeros(len(beta))
    for _ in range(2000):
        mixture = logsumexp(f[:, None] + reduced, axis=0)
        change = -logsumexp(reduced - mixture, axis=1) - f
        change -= change[0]
        f += change
        if np.abs(change).max() < 1e-9:
            break
    return (reduced[0] - logsumexp(f[:, None] + reduced, axis=0)).reshape(energies.shape)


def ladder_table(swapped: np.ndarray, ladder: np.ndarray) -> list[Row]:
    """Acceptance of swaps with the next temperature, and round trips of all replicas from cold to hot and back."""
    # A pair is tried every second turn.
    accepted = 2 * swapped.mean(axis=0)
    trips = round_trips(swapped, len(ladder))
    rows = [{"K": float(t), "swaps with the next": float(a)} for t, a in zip(ladder, [*accepted, np.nan], strict=True)]
    rows[-1]["swaps with the next"] = None
    return [row | {"round trips of all replicas": trips if k == 0 else None} for k, row in enumerate(rows)]


def round_trips(swapped: np.ndarray, temperatures: int) -> int:
    """Times a replica that was coldest came back to coldest after having been hottest."""
    holder, last, trips = np.arange(temperatures), ["cold"] + [""] * (temperatures - 1), 0
    for turn in swapped:
        for low in np.flatnonzero(turn):
            holder[low], holder[low + 1] = holder[low + 1], holder[low]
        cold, hot = holder[0], holder[-1]
        trips += last[cold] == "hot"
        last[cold] = "cold"
        if last[hot]:  # only a replica that was coldest once counts
            last[hot] = "hot"
    return int(trips)
