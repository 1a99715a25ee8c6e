"""What conditionals are: logits of every token at a site, given all other sites, from a table or a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from infoscope.base import DataError

from .enumeration import count_states, enumerate_states
from .logistic import log_softmax

Logits: TypeAlias = "np.ndarray | Callable[[np.ndarray, np.ndarray], Any]"

SELF_REFERENCE = 1e-6  # how far log-probabilities may change with the token they are of (float32 leaves less)


def ask_logits(logits: Callable[[np.ndarray, np.ndarray], Any], tokens: np.ndarray, sites: np.ndarray) -> np.ndarray:
    """What a function says of one masked site a sequence, checked.

    Parameters
    ----------
    logits : function (tokens (n, L), sites (n,)) -> array (n, V)
        Logits, or log-probabilities, of the token at ``sites[i]`` of row i given the others of that row.
    tokens : array (n, L) of int
        Sequences.
    sites : array (n,) of int
        One site each.

    Returns
    -------
    array (n, V) of float64

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.clones.conditionals import ask_logits
    >>> ask_logits(lambda tokens, sites: np.zeros((len(tokens), 3)), np.zeros((2, 4), int), np.array([0, 3])).shape
    (2, 3)
    """
    given = logits(tokens, sites)
    if hasattr(given, "detach"):
        given = given.detach().cpu().numpy()
    given = np.asarray(given, np.float64)
    if given.ndim != 2 or len(given) != len(tokens):
        raise DataError(
            f"the function of conditionals returned shape {given.shape} for {len(tokens)} sequences: it is called as "
            "logits(tokens, sites), and must return one row of V logits for each sequence"
        )
    return _check_logits(given)


def logits_table(logits: Logits, length: int, n_tokens: int) -> np.ndarray:
    """Logits of all states, sites and tokens.

    Parameters
    ----------
    logits : array (V^L, L, V) or function (tokens (n, L), sites (n,)) -> array (n, V)
        Logits or log-probabilities of every token at a site, given the others; states as in `enumerate_states`.
    length, n_tokens : int
        L and V.

    Returns
    -------
    array (V^L, L, V) of float64

    Raises
    ------
    DataError
        Wrong shape, NaN, probabilities instead of logits, or logits that know the token they are of.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.clones.conditionals import logits_table
    >>> logits_table(lambda tokens, sites: np.zeros((len(tokens), 2)), 3, 2).shape
    (8, 3, 2)
    """
    n_states = count_states(length, n_tokens, numbers_a_state=length * n_tokens)
    if callable(logits):
        states = enumerate_states(length, n_tokens)
        table = np.stack([ask_logits(logits, states, np.full(n_states, site)) for site in range(length)], axis=1)
    else:
        table = np.asarray(logits, np.float64)
    if table.shape != (n_states, length, n_tokens):
        raise DataError(
            f"logits have shape {table.shape}, but {n_tokens} tokens on {length} sites need ({n_states}, {length}, "
            f"{n_tokens}): states, site 0 the slowest index, then sites, then tokens"
        )
    _check_logits(table)
    if table.min() >= 0 and np.allclose(table.sum(-1), 1.0, atol=1e-6):
        raise DataError("logits look like probabilities (they add up to 1 over tokens): pass their logarithms")
    _refuse_self_reference(log_softmax(table), length, n_tokens)
    return table


# --------------------------------------------------------------------------------------------------------------- steps
def _check_logits(values: np.ndarray) -> np.ndarray:
    if np.isnan(values).any() or np.isposinf(values).any():
        raise DataError("logits hold NaN or infinity: -inf (a token that never occurs) is the one infinity allowed")
    if np.isneginf(values).all(-1).any():
        raise DataError("logits are -inf for every token of some context: at least one must be possible")
    return values


def _refuse_self_reference(log_p: np.ndarray, length: int, n_tokens: int) -> None:
    p = np.exp(log_p)
    for site in range(length):
        of_site = np.moveaxis(p[:, site].reshape((n_tokens,) * length + (n_tokens,)), site, 0)
        if np.abs(of_site - of_site[:1]).max() > SELF_REFERENCE:
            raise DataError(
                f"probabilities of the token at site {site} change with that token itself, so they are no "
                "conditionals given the others: mask the site before the function looks at it"
            )
