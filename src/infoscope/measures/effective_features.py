"""How many features carry the activity of a layer: the entropy of the shares of activity."""

from __future__ import annotations

from typing import Any

import numpy as np

from infoscope.base import DataError, ParameterError, provenance
from infoscope.base.checks import check_positive_int

from .one_sample import read_sample
from .spectral_results import EffectiveFeatures
from .spectrum import entropy_of


def effective_features(
    activations: Any,
    *,
    n_neurons: int | None = None,
    weights: Any = None,
    exclusion_window: float | str | None = None,
    n_jobs: int | None = None,
) -> EffectiveFeatures:
    """How many equally active features carry the activity of a layer?

    ``exp(H)`` with the entropy of ``p_j = mean_i |a_ij| / sum``. The activations are given, usually those of a sparse
    autoencoder; training it is not done here.

    Parameters
    ----------
    activations : Space, array (N, M), frame, tensor or Dask array
        Activity of M features for N inputs.
    n_neurons : int, optional
        Neurons of the layer behind them; the number of features by default.
    weights : array (N,), optional
        Of the inputs, where they are no `Space`.
    exclusion_window : float, "auto" or None
        Time within which rows of a run belong together in the error; 0 says that rows are in no order.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    EffectiveFeatures

    Raises
    ------
    DataError
        If nothing is active.

    References
    ----------
    arXiv:2512.13568 (2025).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.measures.effective_features import effective_features
    >>> print(round(effective_features(np.abs(np.eye(4)[[0, 1, 2, 3, 0, 1, 2, 3]]), exclusion_window=0).value, 6))
    4.0
    """
    sample = read_sample(activations, weights, exclusion_window, name="activations", n_jobs=n_jobs)
    if sample.space.metric in ("labels", "bits", "precomputed", "neighbors"):
        raise ParameterError(f"activations have metric {sample.space.metric!r}: pass one column a feature")
    n, m = len(sample.space), int(sample.space.n_features)
    n_neurons = m if n_neurons is None else check_positive_int(n_neurons, "n_neurons")
    mean = np.zeros(m)
    for part, rows in sample.rows():
        mean += (sample.weight[part, None] * np.abs(rows)).sum(0)
    total = float(mean.sum())
    if not total > 0:
        raise DataError("no feature of activations is active: all of them are zero")
    used = np.flatnonzero(mean)
    shares = mean[used] / total
    entropy, influence = entropy_of(shares, 1), np.empty(n)
    for part, rows in sample.rows():  # dp_j = (|a_ij| - p_j sum_j |a_ij|) / total
        activity = np.abs(rows[:, used]) / total
        influence[part] = -activity @ np.log(shares) - entropy * activity.sum(1)
    number = float(np.exp(entropy))
    return EffectiveFeatures(
        value=number,
        value_se=number * float(sample.error(influence)),
        superposition=number / n_neurons,
        shares=mean / total,
        n_neurons=n_neurons,
        n_items=n,
        n_features=m,
        n_units=sample.n_units,
        warnings=sample.warnings,
        notes=sample.notes,
        provenance=provenance(
            "effective_features",
            dict(n_neurons=n_neurons, exclusion_window=exclusion_window, n_jobs=n_jobs),
            None,
            *(sample.space.hashed, sample.space.sample_weight),
        ),
    )
