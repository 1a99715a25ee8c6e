"""Samples along the couplings as a `Space`: bits whose runs are the couplings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from infoscope.base import check_random_state
from infoscope.base.checks import check_positive_int

from .interfaces import WaveFunction

if TYPE_CHECKING:
    from infoscope.neighbors import Space


def spin_space(state: WaveFunction, couplings: Any, *, n_samples: int = 1024, random_state: Any = None) -> Space:
    """Configurations of several systems as bits, for dimensions, imbalances and anomalies.

    Parameters
    ----------
    state : WaveFunction
        A trained `FoundationQuantumState`, or an `ExactQuantumState`.
    couplings : array_like (R, m)
        Systems, whose samples are the runs.
    n_samples : int
        Draws of each.
    random_state : int, Generator or None
        For the draws.

    Returns
    -------
    Space
        Of metric "hamming", 1 for a spin that is down.  ``run`` is the number of the system, 0 for the first; for
        Markov chains ``time`` counts their steps, so that windows of correlation are kept.

    Examples
    --------
    >>> from infoscope.quantum import Chain, ExactQuantumState, IsingFamily, spin_space
    >>> state = ExactQuantumState(IsingFamily(Chain(10)))
    >>> spin_space(state, [0.8, 1.0, 2.0], n_samples=500, random_state=0)
    Space(spins: 1500 items x 10 features, metric='hamming', 3 runs)
    """
    from infoscope.neighbors import Space

    family = state.family
    systems = family.as_systems(couplings)
    n_samples = check_positive_int(n_samples, "n_samples", 2)
    rng = check_random_state(random_state)
    rows, run, time, exact = [], [], [], True
    for number, system in enumerate(systems):
        found = state.sample(system, n_samples, random_state=int(rng.integers(2**31)))
        n_chains, n_draws, n_sites = found.spins.shape
        rows.append(found.spins.reshape(-1, n_sites) < 0)
        run += [number] * (n_chains * n_draws)
        # chains of one run are far apart in time
        time.append((np.arange(n_chains)[:, None] * 3 * n_draws + np.arange(n_draws)).ravel())
        exact = exact and found.exact
    return Space(
        np.concatenate(rows),
        metric="hamming",
        run=np.array(run),
        time=None if exact else np.concatenate(time).astype(np.float64),
        feature_names=[f"spin {site}" for site in range(family.n_sites)],
        name="spins",
    )
