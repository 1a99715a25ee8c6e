"""How many sites a function joins: its power at each order of interaction, for a small alphabet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from infoscope.base import DataError, provenance

from .contrasts import site_contrasts
from .enumeration import count_states, enumerate_states
from .exact_results import InteractionDegree


def interaction_degree(
    function: np.ndarray | Callable[[np.ndarray], Any], length: int, n_tokens: int
) -> InteractionDegree:
    """Power of a function of L tokens at each order, under equal probabilities of all sequences.

    The function is written as a sum over sets of sites, ``f(s) = sum_S f_S(s_S)``, where f_S averages to zero over each
    of its sites.  The parts are at right angles, and the power of order m is the mean square of all parts of m sites:
    the Walsh spectrum by weight for two tokens, the analysis of variance for more.

    Parameters
    ----------
    function : array (V^L,) or (V^L, C), or function (tokens (n, L)) -> (n,) or (n, C)
        Values for all states (site 0 the slowest index), or what makes them: an energy, or the C logits of a masked
        token as a function of all sites.
    length, n_tokens : int
        Sites L and tokens V.

    Returns
    -------
    InteractionDegree
        Powers of several columns are added.

    Raises
    ------
    DataError
        A wrong number of values, or values that are not finite.
    ParameterError
        Fewer than two sites or tokens, or too many states to list.

    Examples
    --------
    >>> from infoscope import interaction_degree
    >>> found = interaction_degree(lambda tokens: tokens[:, 0] * tokens[:, 2] + tokens[:, 1], 4, 2)
    >>> found.power, found.degree
    (array([0.5625, 0.375 , 0.0625, 0.    , 0.    ]), 2)
    """
    n_states = count_states(length, n_tokens)
    values = function(enumerate_states(length, n_tokens)) if callable(function) else function
    if hasattr(values, "detach"):
        values = values.detach().cpu().numpy()
    values = np.asarray(values, np.float64)
    if values.ndim not in (1, 2) or len(values) != n_states:
        raise DataError(
            f"the function has values of shape {values.shape}, but {n_tokens} tokens on {length} sites make {n_states} "
            "states: one value, or one row, is needed for each"
        )
    if not np.isfinite(values).all():
        raise DataError(f"the function is not finite for state {int(np.argwhere(~np.isfinite(values))[0][0])}")
    power = order_power(values, length, n_tokens)
    return InteractionDegree(
        orders=np.arange(length + 1),
        power=power,
        length=int(length),
        n_tokens=int(n_tokens),
        provenance=provenance("interaction_degree", dict(length=length, n_tokens=n_tokens), None, values),
    )


def order_power(values: np.ndarray, length: int, n_tokens: int) -> np.ndarray:
    """Power of orders 0 to L of values (V^L,) or (V^L, C).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.clones.interaction_degree import order_power
    >>> order_power(np.array([1.0, -1.0, -1.0, 1.0]), 2, 2)
    array([0., 0., 1.])
    """
    rotation = site_contrasts(n_tokens) / n_tokens  # mean over the token, times each contrast
    coefficients = values.reshape((n_tokens,) * length + (-1,))
    for site in range(length):
        coefficients = np.moveaxis(np.tensordot(coefficients, rotation, axes=(site, 0)), -1, site)
    joined = (enumerate_states(length, n_tokens) > 0).sum(1)
    return np.bincount(joined, (coefficients.reshape(len(joined), -1) ** 2).sum(1), length + 1)
