"""Parameters of an estimator, checked and settled: which systems are trained, on how many rows, at which rates."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from infoscope.base import DataError, ParameterError, warn
from infoscope.base.checks import check_choice, check_positive_int, check_positive_number, check_sample_weight

from .families import SpinFamily
from .natural_gradient import check_momentum

FEW_ROWS, MANY_SYSTEMS = 16, 32
MAX_EXACT_SITES = 16  # up to which "auto" draws from the enumerated law
HALVING = 32  # steps after which the shift has halved
LAST_RATE = 0.1  # of the learning rate, at the end of the cosine


@dataclass(frozen=True)
class Schedule:
    """Rates of every step.

    Attributes
    ----------
    n_iter : int
    learning_rate : float
        At the start; it follows a cosine to a tenth.
    diag_shift : tuple of two float
        At the start, halved every 32 steps, and the least.
    momentum : float
    """

    n_iter: int
    learning_rate: float
    diag_shift: tuple[float, float]
    momentum: float

    def rates(self, step: int) -> dict[str, float]:
        """Of one step, counted from 0."""
        cosine = 0.5 * (1 + math.cos(math.pi * step / self.n_iter))
        return {
            "learning_rate": self.learning_rate * (LAST_RATE + (1 - LAST_RATE) * cosine),
            "diag_shift": max(self.diag_shift[0] * 0.5 ** (step / HALVING), self.diag_shift[1]),
            "momentum": self.momentum,
        }


def check_schedule(estimator: Any, n_iter: Any = None, learning_rate: Any = None, diag_shift: Any = None) -> Schedule:
    """The rates of an estimator, or others in their place."""
    shift = estimator.diag_shift if diag_shift is None else diag_shift
    pair = (shift, shift) if np.ndim(shift) == 0 else tuple(shift)
    if len(pair) != 2:
        raise ParameterError(f"diag_shift is {shift!r}: give one number, or the first and the least")
    first, least = (check_positive_number(one, "diag_shift") for one in pair)
    rate = estimator.learning_rate if learning_rate is None else learning_rate
    return Schedule(
        check_positive_int(estimator.n_iter if n_iter is None else n_iter, "n_iter"),
        check_positive_number(rate, "learning_rate"),
        (first, min(first, least)),
        check_momentum(estimator.momentum),
    )


# ------------------------------------------------------------------------------------------------------------- systems
def training_systems(estimator: Any, couplings: Any, sample_weight: Any, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Couplings (R, m) to train on and their weights of sum one; equal rows become one with their weights added."""
    family = estimator.family
    if couplings is None:
        if estimator.couplings is None:
            raise ParameterError("couplings are missing: give a range (low, high) to the estimator, or values to fit")
        rows = systems_in_range(family, estimator.couplings, _n_systems(estimator), seed)
    else:
        rows = family.as_systems(couplings)
    weights = check_sample_weight(sample_weight, len(rows)) if sample_weight is not None else np.ones(len(rows))
    rows, of = np.unique(rows + 0.0, axis=0, return_inverse=True)
    weights = np.bincount(of.ravel(), weights)
    rows, weights = rows[weights > 0], weights[weights > 0]
    return rows, weights / weights.sum()


def _n_systems(estimator: Any) -> int:
    if estimator.n_systems is not None:
        return check_positive_int(estimator.n_systems, "n_systems")
    return max(1, min(MANY_SYSTEMS, settle_n_samples(estimator, 1) // 64))


def systems_in_range(family: Any, ranges: Any, n_systems: int, seed: int) -> np.ndarray:
    """Couplings between bounds: evenly spaced where one varies, `fill_box` for several, uniform for a field per site.

    `ranges` is (low, high) for all couplings, m pairs, or a mapping of names to pairs.
    """
    m = family.n_couplings
    if isinstance(ranges, Mapping):
        if set(ranges) != set(family.coupling_names):
            raise ParameterError(
                f"couplings names {', '.join(ranges)}: give a range for {', '.join(family.coupling_names)}"
            )
        ranges = [ranges[name] for name in family.coupling_names]
    bounds = np.asarray(ranges, np.float64)
    if bounds.ndim == 2 and bounds.shape[1] == m != 2:  # m pairs and two rows of two couplings would look the same
        raise ParameterError(
            f"couplings has shape {bounds.shape}, {len(bounds)} rows of values: those go to fit(couplings); the "
            f"estimator takes a range, (low, high) for all couplings or one such pair for each of the {m}"
        )
    bounds = np.broadcast_to(bounds, (m, 2)) if bounds.shape == (2,) else bounds
    if bounds.shape != (m, 2) or not np.isfinite(bounds).all() or (bounds[:, 0] > bounds[:, 1]).any():
        raise ParameterError(
            f"couplings is {ranges!r}: give (low, high), or one such pair for each of the {m} couplings; "
            "values to train on go to fit(couplings)"
        )
    low, high = bounds.T
    if family.per_site and m > 1:
        return np.random.default_rng(seed).uniform(low, high, (n_systems, m))
    varying = low < high
    if varying.sum() <= 1:
        return np.linspace(low, high, n_systems)
    rows = np.tile(low, (n_systems, 1))
    rows[:, varying] += (high - low)[varying] * fill_box(n_systems, int(varying.sum()))
    return rows


def fill_box(n_points: int, m: int) -> np.ndarray:
    """Points (n_points, m) of the unit cube: its corners, where they are no more than half of the points, and a Sobol
    sequence.

    Without its corners the hull of the points is smaller than the box that was asked for (`outside_training`).
    """
    from scipy.stats import qmc

    n_corners = 2**m if 2 ** (m + 1) <= n_points else 0
    corners = np.array(list(product((0.0, 1.0), repeat=m)))[:n_corners]
    # the first point of the sequence is a corner
    first, n_sequence = min(n_corners, 1), n_points - n_corners
    sequence = qmc.Sobol(m, scramble=False).random_base2(max(1, (first + n_sequence - 1).bit_length()))
    return np.concatenate([corners, sequence[first : first + n_sequence]])


def scaling_of(couplings: np.ndarray, per_site: bool) -> np.ndarray:
    """Mean and scale of the couplings, (2, m): of all sites together where each has its own."""
    if per_site:
        mean, spread = np.full(couplings.shape[1], couplings.mean()), np.full(couplings.shape[1], couplings.std())
    else:
        mean, spread = couplings.mean(axis=0), couplings.std(axis=0)
    return np.stack([mean, np.where(spread > 1e-12 * np.abs(mean).clip(1e-300), spread, 1.0)])


# ---------------------------------------------------------------------------------------------------------------- rows
def settle_sampler(estimator: Any) -> str:
    """Where rows come from: "exact", the enumerated law, or "metropolis", chains; it refuses what is no family."""
    if not isinstance(estimator.family, SpinFamily):
        raise ParameterError(
            f"family is {estimator.family!r}: give an IsingFamily, HeisenbergFamily or another SpinFamily"
        )
    check_choice(estimator.sampler, "sampler", ("auto", "exact", "metropolis"))
    check_choice(estimator.training, "training", ("sampling", "full_sum"))
    if estimator.sampler == "auto":
        enumerated = estimator.family.n_sites <= MAX_EXACT_SITES or estimator.training == "full_sum"
        return "exact" if enumerated else "metropolis"
    if estimator.sampler == "metropolis" and estimator.training == "full_sum":
        raise ParameterError('training="full_sum" sums over all configurations: take sampler="exact" or "auto"')
    return estimator.sampler


def systems_a_step(estimator: Any, n_systems: int) -> int:
    """How many systems a step looks at."""
    if estimator.systems_per_step is None:
        return n_systems
    return check_positive_int(estimator.systems_per_step, "systems_per_step", 1, n_systems)


def settle_n_samples(estimator: Any, n_systems: int, n_chains: int | None = None) -> int:
    """M, rows a step: what the user says; else 512 for up to 16 sites and 4096 above, or the next number of which every
    system gets the same share, a multiple of the chains it has and not too few."""
    if isinstance(estimator.n_samples, str):
        check_choice(estimator.n_samples, "n_samples", ("auto",))
        goal = 512 if estimator.family.n_sites <= 16 else 4096
        share, unit = max(FEW_ROWS, -(-goal // n_systems)), n_chains or 1
        return n_systems * unit * -(-share // unit)
    return check_positive_int(estimator.n_samples, "n_samples", 2)


def chains_of_a_system(estimator: Any, n_systems: int) -> int | None:
    """How many chains each of all systems has; None: one for each of its rows."""
    if estimator.n_chains is None:
        return None
    n_chains = check_positive_int(estimator.n_chains, "n_chains")
    if n_chains % n_systems:
        raise ParameterError(
            f"n_chains is {n_chains} for {n_systems} systems: the first must be a multiple of the second, one chain or "
            "more for each"
        )
    return n_chains // n_systems


def rows_of_a_system(n_samples: int, n_systems: int, n_chains: int | None = None) -> int:
    """M_k: an equal number for every system of a step, rounded up, and for each of its chains."""
    rows = -(-n_samples // n_systems)
    if rows * n_systems != n_samples:
        warn(
            f"n_samples is {n_samples} and a step looks at {n_systems} systems: it takes {rows * n_systems} rows, "
            f"{rows} of each"
        )
    if rows < 2:
        raise ParameterError(
            f"n_samples is {n_samples} for {n_systems} systems a step, {rows} row each, and nothing to be centred by: "
            "take at least 2 rows a system, or a smaller systems_per_step"
        )
    if n_chains is not None and rows % n_chains:
        raise ParameterError(
            f"n_samples is {n_samples}, {rows} rows for each of {n_systems} systems, and n_chains gives each "
            f"{n_chains} chains, which do not share them out: take n_samples={n_systems * n_chains} or a multiple"
        )
    if rows < FEW_ROWS:
        warn(f"{rows} rows a system are few (n_samples={n_samples}, {n_systems} systems a step): steps will be noisy")
    return rows


def active_probabilities(v_scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """With which probability a step takes each system: half by its weight, half by weight times V-score."""
    known = np.where(np.isfinite(v_scores), v_scores, 0.0).clip(0)
    if not known.sum() > 0:
        return weights
    hard = weights * np.where(np.isfinite(v_scores), known, known.max())  # never seen: as hard as any
    return 0.5 * weights + 0.5 * hard / hard.sum()


def check_finite_energy(report: Mapping[str, Any], couplings: np.ndarray, n_rows: int, spins: Any) -> None:
    """Raise for a local energy that is not finite: it is never averaged away."""
    bad = int(report["bad"])
    if bad < 0:
        return
    where = ", ".join(f"{one:.6g}" for one in couplings[bad // n_rows][:6])
    raise DataError(
        f"the local energy of row {bad} is not finite (couplings {where}; spins {spins(bad).tolist()}): training "
        "diverged; take a smaller learning_rate or a larger diag_shift"
    )
