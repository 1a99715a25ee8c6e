"""Local energies of rows whose law is not enumerated: the network is asked for every configuration that H leads to."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from .metropolis import images_of
from .network import as_parameters
from .symmetric_amplitude import map_rows, rows_in_chunk, symmetric_log_amplitudes


def operator_arrays(operator: Any) -> dict[str, np.ndarray]:
    """What `local_energies` reads of a `SpinOperator`: the diagonal apart from what flips spins.

    Returns
    -------
    dict
        "turns" (K, n) of +1 and -1; "signs" (T, n); "couplings" (T,), m for none; "diagonal" (T,) and "weights" (T, K),
        the weights of the terms in the diagonal and in the element of each flip.
    """
    flipping = operator.flips.any(axis=1)
    weights = np.zeros((len(operator.term_flip), len(operator.flips)), operator.term_weight.dtype)
    weights[np.arange(len(operator.term_flip)), operator.term_flip] = operator.term_weight
    return {
        "turns": np.where(operator.flips[flipping], -1, 1).astype(np.int8),
        "signs": operator.term_signs.astype(np.float64),
        "couplings": np.where(operator.term_coupling < 0, operator.n_couplings, operator.term_coupling),
        "diagonal": weights[:, ~flipping].sum(axis=1),
        "weights": weights[:, flipping],
    }


def local_energies(
    theta: Any, spins: Any, logs: Any, couplings: Any, scaled: Any, operator: Any, group: Any, plan: Any
) -> Any:
    """E_L of rows.

    Parameters
    ----------
    theta : array (P,)
    spins : array of int8 (M, n)
    logs : array (M,)
        log psi of the rows.
    couplings, scaled : array (M, m)
    operator, group : mapping of arrays
        `operator_arrays`, and the symmetry group.
    plan : StepPlan

    Returns
    -------
    array (M,)
    """
    odd = ((1 - spins.astype(jnp.float64)) / 2 @ operator["signs"].T) % 2
    factors = jnp.concatenate([couplings, jnp.ones((len(spins), 1))], axis=1)[:, operator["couplings"]]
    terms = (1 - 2 * odd) * factors  # (M, T)
    found = terms @ operator["diagonal"]
    n_flips = operator["turns"].shape[0]
    if n_flips == 0:
        return found
    elements = terms @ operator["weights"]  # (M, K)
    parameters = as_parameters(theta.astype(plan.kind), plan.shape)

    def evaluate(row: Any, flip: Any) -> Any:
        images = images_of(spins[row] * operator["turns"][flip], group, plan.kind)
        return symmetric_log_amplitudes(
            parameters, plan.shape, images, group["characters"], scaled[row].astype(plan.kind), plan.trivial
        )

    row, flip = jnp.repeat(jnp.arange(len(spins)), n_flips), jnp.tile(jnp.arange(n_flips), len(spins))
    there = map_rows(evaluate, (row, flip), plan.chunk or rows_in_chunk(plan.shape, group["signs"].shape[0]))
    ratios = jnp.exp(there.reshape(len(spins), n_flips) - logs[:, None])
    return found + jnp.where(elements == 0, 0, elements * ratios).sum(axis=1)
