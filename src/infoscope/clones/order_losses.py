"""The smallest masked loss that interactions up to each order allow, exactly, for a law that can be listed.

One token is masked at a time and predicted from all others; the loss is the mean of -log p over the sites.  A law whose
interactions join k sites at most has conditional logits of degree k - 1 in the other tokens.  So the smallest loss of
order k is one convex fit a site: the logits range over all polynomials of that degree.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from infoscope.base import provenance, warn

from .contrasts import contrast_features
from .enumeration import check_law, context_law, enumerate_states
from .exact_results import OrderLosses
from .logistic import fit_logits, mean_loss
from .token_arrays import check_order


def exact_order_losses(law: Any, length: int, n_tokens: int, max_order: int | None = None) -> OrderLosses:
    """Smallest masked loss of every order of interactions, and the floor that none goes below.

    Parameters
    ----------
    law : array (V^L,) or (V, V, ...)
        Probability of every sequence, site 0 the slowest index.
    length, n_tokens : int
        Sites L and tokens V.
    max_order : int, optional
        Highest order; L by default, where the loss is the floor.

    Returns
    -------
    OrderLosses

    Raises
    ------
    DataError
        The law is no law over these states.
    ParameterError
        An order above L, fewer than two sites or tokens, or too many states to list.

    References
    ----------
    Rende, Gerace, Laio, Goldt, NeurIPS 2024 (arXiv 2410.19637), Sec. 2: what models of bounded order can reach.

    Examples
    --------
    Three spins of which the third is the product of the others, nine times in ten: nothing below order 3 sees it.

    >>> import numpy as np
    >>> from infoscope import exact_order_losses
    >>> from infoscope.clones import enumerate_states
    >>> spins = 1 - 2 * enumerate_states(3, 2)
    >>> found = exact_order_losses(np.where(spins.prod(1) > 0, 0.9, 0.1) / 4, 3, 2)
    >>> found.losses.round(4)
    array([0.6931, 0.6931, 0.3251])
    """
    table = check_law(law, length, n_tokens)
    max_order = length if max_order is None else check_order(max_order, length, "max_order")
    by_site = np.array([_site_losses(table, site, length, n_tokens, max_order) for site in range(length)])
    floors = _site_floors(table, length, n_tokens)
    return OrderLosses(
        orders=np.arange(1, max_order + 1),
        losses=by_site.mean(0),
        floor=float(floors.mean()),
        site_losses=by_site,
        site_floors=floors,
        length=int(length),
        n_tokens=int(n_tokens),
        provenance=provenance(
            "exact_order_losses", dict(length=length, n_tokens=n_tokens, max_order=max_order), None, table
        ),
    )


def masked_floor(law: Any, length: int, n_tokens: int) -> float:
    """The smallest masked loss of all: mean entropy of a token given all others, in nats.

    Parameters
    ----------
    law : array (V^L,) or (V, V, ...)
        Probability of every sequence, site 0 the slowest index.
    length, n_tokens : int
        Sites L and tokens V.

    Returns
    -------
    float

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.clones import masked_floor
    >>> round(masked_floor([0.45, 0.05, 0.05, 0.45], 2, 2), 4)                         # two spins, alike 9 times in 10
    0.3251
    """
    return float(_site_floors(check_law(law, length, n_tokens), length, n_tokens).mean())


# --------------------------------------------------------------------------------------------------------------- steps
def _site_losses(law: np.ndarray, site: int, length: int, n_tokens: int, max_order: int) -> np.ndarray:
    """Smallest losses of one site, orders 1 to `max_order`."""
    weights = context_law(law, site, length, n_tokens)
    happens = weights.sum(1) > 0
    others = enumerate_states(length - 1, n_tokens) if length > 2 else np.arange(n_tokens)[:, None]
    others, weights = others[happens], weights[happens]
    losses, start = np.zeros(max_order), None
    for order in range(1, max_order + 1):
        if order == length:  # every context for itself
            losses[order - 1] = _entropy_given(weights)
            continue
        fit = fit_logits(contrast_features(others, n_tokens, order - 1), weights, start=start)
        if not fit.converged:
            warn(f"the fit of site {site} at order {order} ended early: its loss is an upper bound")
        losses[order - 1], start = fit.loss, fit.coefficients
    return losses


def _site_floors(law: np.ndarray, length: int, n_tokens: int) -> np.ndarray:
    return np.array([_entropy_given(context_law(law, site, length, n_tokens)) for site in range(length)])


def _entropy_given(joint: np.ndarray) -> float:
    """Entropy of the column, given the row."""
    total = joint.sum(1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_p = np.log(joint) - np.log(total)
    return mean_loss(joint, log_p)
