"""Independent configurations of a trained state whose configurations can be enumerated."""

from __future__ import annotations

from typing import Any

import numpy as np

from .configurations import spins_of
from .signed_orbits import find_signed_orbits


def draw_configurations(
    state: Any, couplings: np.ndarray, n_samples: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Spins (n_samples, n_sites) and log psi (n_samples,): an orbit by its probability, then one of its members."""
    family = state.family
    orbits = find_signed_orbits(family.n_sites, state.network_choice().all_symmetries, family.magnetization)
    logs = state.log_amplitude(orbits.spins, couplings)
    weights = 2 * logs.real + np.log(orbits.counts)
    p = np.exp(weights - weights.max())
    drawn = rng.choice(len(orbits), n_samples, p=p / p.sum())
    members = np.argsort(orbits.orbit_of, kind="stable")[(orbits.orbit_of < 0).sum() :]
    first = np.cumsum(orbits.counts) - orbits.counts
    numbers = orbits.states[members[first[drawn] + rng.integers(orbits.counts[drawn])]]
    spins = spins_of(numbers, family.n_sites)
    kinds, where = np.unique(numbers, return_inverse=True)
    return spins, state.log_amplitude(spins_of(kinds, family.n_sites), couplings)[where]
