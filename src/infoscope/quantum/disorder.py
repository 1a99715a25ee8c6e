"""Averages over disorder: many realisations of the couplings, one network."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from infoscope.base import DataError, provenance

from .expectations import quantum_expectation
from .interfaces import WaveFunction
from .results import DisorderAverage
from .spin_operators import SpinOperator


def disorder_average(
    state: WaveFunction,
    observable: str | SpinOperator | Callable[[np.ndarray], Any],
    couplings: Any,
    *,
    method: str = "auto",
    n_samples: int = 1024,
    name: str | None = None,
    random_state: Any = None,
) -> DisorderAverage:
    r"""What is the mean of an observable over realisations of the disorder, and where does its error come from?

    The variance of the mean of R values is their observed variance over R: it holds both the spread of the disorder and
    the sampling error of each.  What sampling contributes is known, and is reported apart.

    Parameters
    ----------
    state : WaveFunction
        A trained `FoundationQuantumState`, or an `ExactQuantumState`.
    observable : "energy", SpinOperator or function
        As for `quantum_expectation`.
    couplings : array_like (R, m)
        Independent realisations, at least two.
    method : {"auto", "full_sum", "sampling"}
        As for `quantum_expectation`.
    n_samples : int
        Draws of each realisation.
    name : str, optional
        What the observable is called in words and pictures.
    random_state : int, Generator or None
        For the draws.

    Returns
    -------
    DisorderAverage

    Raises
    ------
    DataError
        Fewer than two realisations.

    References
    ----------
    Rende, Viteritti, Becca, Scardicchio, Laio & Carleo (2025), Nature Communications 16, 7213, arXiv:2502.09488.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.quantum import Chain, ExactQuantumState, RandomFieldIsing
    >>> from infoscope.quantum import disorder_average, squared_magnetization
    >>> state = ExactQuantumState(RandomFieldIsing(Chain(6)))
    >>> fields = np.random.default_rng(0).uniform(0, 2, size=(20, 6))
    >>> found = disorder_average(state, squared_magnetization(6), fields)
    >>> 0.4 < found.value < 0.7, found.error_from_sampling
    (True, 0.0)
    """
    asked = quantum_expectation(
        state, observable, couplings, method=method, n_samples=n_samples, name=name, random_state=random_state
    )
    n = len(asked.couplings)
    if n < 2:
        raise DataError("one realisation of the disorder has no average: give couplings (R, m) with R of at least 2")
    observed = float(asked.value.var(ddof=1))
    sampled = float(np.mean(asked.value_se**2))
    between = max(observed - sampled, 0.0)
    parameters = {"observable": asked.observable, "method": method, "n_samples": n_samples}
    return DisorderAverage(
        observable=asked.observable,
        value=float(asked.value.mean()),
        value_se=math.sqrt(max(observed, sampled) / n),
        error_from_disorder=math.sqrt(between / n),
        error_from_sampling=math.sqrt(sampled / n),
        spread=math.sqrt(between),
        couplings=asked.couplings,
        per_realisation=asked.value,
        per_realisation_se=asked.value_se,
        outside=asked.outside,
        n_sites=asked.n_sites,
        method=asked.method,
        provenance=provenance("disorder_average", parameters, random_state, asked.couplings),
        warnings=asked.warnings,
    )
