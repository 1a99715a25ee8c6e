"""Configurations that answers are averaged over, all with their weights or samples, and the error of a mean."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from infoscope.base import ParameterError
from infoscope.base.checks import check_choice, check_positive_int
from infoscope.base.rounding import SAME
from infoscope.statistics import chain_error, r_hat

from .configurations import spins_of
from .interfaces import WaveFunction

METHODS = ("auto", "full_sum", "sampling")
FULL_SUM_STATES = 2**16  # more configurations are never summed over


class DrawnMean(NamedTuple):
    """A mean with its sampling error; R-hat is NaN where there are no chains that could disagree."""

    value: float
    value_se: float
    r_hat: float
    effective_size: float


class Draws(NamedTuple):
    """Configurations of one state.

    Attributes
    ----------
    spins : array (M, n_sites)
        Chain by chain.
    log_amplitudes : array (M,)
    weights : array (M,)
        With sum 1; all equal for samples.
    n_chains : int
    kind : {"full_sum", "independent", "chains"}
    """

    spins: np.ndarray
    log_amplitudes: np.ndarray
    weights: np.ndarray
    n_chains: int
    kind: str

    def mean(self, values: np.ndarray) -> DrawnMean:
        """Mean of real values (M,)."""
        if self.kind == "full_sum":
            return DrawnMean(float(self.weights @ values), 0.0, math.nan, math.inf)
        spread = float(np.ptp(values))
        if spread <= SAME * float(np.abs(values).max()):  # an eigenstate: what differs is rounding
            return DrawnMean(float(values.mean()), 0.0, math.nan, float(len(values)))
        if self.kind == "independent":
            n = len(values)
            return DrawnMean(float(values.mean()), float(values.std(ddof=1) / math.sqrt(n)), math.nan, float(n))
        chains = values.reshape(self.n_chains, -1)
        found = chain_error(chains)
        return DrawnMean(found.value, found.value_se, float(r_hat(chains)), float(found.effective_size))

    def average(self, values: np.ndarray) -> Any:
        """Mean over the first axis, without an error."""
        return np.tensordot(self.weights, values, 1)

    def parts(self, n_parts: int) -> list[np.ndarray]:
        """Row numbers of parts that are as good as independent: stretches of chains."""
        per_chain = max(1, math.ceil(n_parts / self.n_chains))
        rows = np.arange(len(self.spins)).reshape(self.n_chains, -1)
        return [part for chain in rows for part in np.array_split(chain, per_chain) if len(part)]


def draw(state: WaveFunction, couplings: np.ndarray, *, method: str, n_samples: int, random_state: Any) -> Draws:
    """The configurations that a state is asked on.

    Parameters
    ----------
    state : WaveFunction
        The state.
    couplings : array (m,)
        Of one system.
    method : {"auto", "full_sum", "sampling"}
        "auto" does what the state prefers.
    n_samples : int
        At least 16, for sampling.
    random_state
        For sampling.
    """
    family = state.family
    n_states = family.n_states
    if check_choice(method, "method", METHODS) == "auto":
        method = "full_sum" if state.full_sum and n_states <= FULL_SUM_STATES else "sampling"
    if method == "full_sum":
        if n_states > FULL_SUM_STATES:
            raise ParameterError(
                f"method='full_sum' would sum over {n_states:,} configurations; at most {FULL_SUM_STATES:,} are "
                "summed: leave it out, samples are drawn then"
            )
        spins = spins_of(family.configurations(), family.n_sites)
        logs = np.asarray(state.log_amplitude(spins, couplings))
        seen = np.isfinite(logs.real)
        spins, logs = spins[seen], logs[seen]
        weights = np.exp(2 * (logs.real - logs.real.max()))
        return Draws(spins, logs, weights / weights.sum(), 1, "full_sum")
    n_samples = check_positive_int(n_samples, "n_samples", 16)
    found = state.sample(couplings, n_samples, random_state=random_state)
    n_chains, n_draws, n_sites = found.spins.shape
    m = n_chains * n_draws
    kind = "independent" if found.exact else "chains"
    spins, logs = found.spins.reshape(m, n_sites), np.asarray(found.log_amplitudes).reshape(m)
    return Draws(spins, logs, np.full(m, 1 / m), n_chains, kind)
