"""Expectations at other couplings from the samples of one system, as far as they reach."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from infoscope.base import ParameterError, check_random_state, provenance, warn

from .draws import Draws, draw
from .expectations import named_observable
from .extrapolation import outside_training, say_outside
from .interfaces import WaveFunction
from .local_values import local_values
from .results import ReweightedExpectation
from .spin_operators import SpinOperator

MINIMUM_SHARE = 0.1


def reweighted_expectation(
    state: WaveFunction,
    observable: str | SpinOperator | Callable[[np.ndarray], Any],
    origin: Any,
    couplings: Any,
    *,
    n_samples: int = 4096,
    minimum_share: float = MINIMUM_SHARE,
    force: bool = False,
    name: str | None = None,
    random_state: Any = None,
) -> ReweightedExpectation:
    r"""What does an observable do around a system, by the samples of that system alone?

    Samples at :math:`\gamma_0` stand for :math:`\gamma` with weights
    :math:`w = |\psi(s|\gamma) / \psi(s|\gamma_0)|^2`, scaled to sum 1.  The error is that of a ratio of two means
    (delta method), :math:`\sqrt{\sum w^2 (f - \bar f)^2}` for independent draws.  Where the effective number
    :math:`1 / \sum w^2` is below a tenth of the samples, the value is NaN: a few samples would decide it.

    Parameters
    ----------
    state : WaveFunction
        A trained `FoundationQuantumState`, or an `ExactQuantumState`.
    observable : "energy", SpinOperator or function
        As for `quantum_expectation`.
    origin : array_like (m,)
        Where samples are drawn.
    couplings : array_like (R, m)
        Systems that are asked for.
    n_samples : int
        Draws at the origin.
    minimum_share : float
        Of the samples that must count, between 0 and 1.
    force : bool
        Whether values are given below it as well.
    name : str, optional
        What the observable is called in words and pictures.
    random_state : int, Generator or None
        For the draws.

    Returns
    -------
    ReweightedExpectation

    Raises
    ------
    ParameterError
        A share that is not between 0 and 1; an unknown observable.

    Examples
    --------
    >>> from infoscope.quantum import Chain, ExactQuantumState, IsingFamily, reweighted_expectation
    >>> state = ExactQuantumState(IsingFamily(Chain(8)))
    >>> found = reweighted_expectation(state, "energy", 1.0, [0.9, 1.0, 1.1], random_state=0)
    >>> found.share.round(2)
    array([0.93, 1.  , 0.94])
    """
    if not 0 <= minimum_share <= 1:
        raise ParameterError(f"minimum_share is {minimum_share}: give a share between 0 and 1")
    family = state.family
    start, values = family.as_system(origin), family.as_systems(couplings)
    label, operator = named_observable(family, observable, name)
    seed = int(check_random_state(random_state).integers(2**31))
    draws = draw(state, start, method="sampling", n_samples=n_samples, random_state=seed)
    found = [_at(state, operator, draws, row) for row in values]
    share = np.array([one[2] for one in found])
    refused = share < minimum_share
    value, error = np.array([one[:2] for one in found]).T
    outside = outside_training(state.couplings_, values, per_site=family.per_site)
    warnings = say_outside(outside, family, values)
    if refused.any():
        done = "these values hang on few samples" if force else "their values are NaN"
        warnings.append(
            f"at {int(refused.sum())} of {len(values)} couplings less than {100 * minimum_share:.0f} % of the samples "
            f"count (down to {100 * share.min():.2g} %), {done}: draw samples there, with quantum_expectation"
        )
    for text in warnings:
        warn(text)
    kept = ~refused | force
    parameters = {"observable": label, "origin": start, "couplings": values, "n_samples": n_samples}
    parameters |= {"minimum_share": minimum_share, "force": force}
    return ReweightedExpectation(
        observable=label,
        origin=start,
        couplings=values,
        coupling_names=tuple(family.coupling_names),
        value=np.where(kept, value, np.nan),
        value_se=np.where(kept, error, np.nan),
        share=share,
        minimum_share=float(minimum_share),
        refused=refused,
        outside=outside,
        n_samples=len(draws.spins),
        n_sites=family.n_sites,
        method=draws.kind,
        provenance=provenance("reweighted_expectation", parameters, random_state, values),
        warnings=tuple(warnings),
    )


def _at(state: WaveFunction, operator: Any, draws: Draws, couplings: np.ndarray) -> tuple[float, float, float]:
    """Value, error and effective share at other couplings."""
    logs = np.asarray(state.log_amplitude(draws.spins, couplings))
    log_weights = 2 * np.real(logs - draws.log_amplitudes)
    weights = np.exp(log_weights - log_weights.max())
    weights /= weights.sum()
    share = 1 / (len(weights) * float((weights**2).sum()))
    local = np.real(local_values(state, operator, draws.spins, couplings, logs))
    value = float(weights @ local)
    # the influence of each draw on a ratio of means
    influence = draws.mean(len(weights) * weights * (local - value))
    return value, influence.value_se if math.isfinite(influence.value_se) else math.nan, share
