"""All sequences of a small alphabet, and laws, marginals and conditionals as arrays over them.

States are in row-major order: site 0 is the slowest index, as in ``law.reshape((V,) * L)``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from infoscope.base import DataError, ParameterError, check_positive_int

from .token_arrays import check_alphabet, check_tokens

MOST_NUMBERS = 2**27  # numbers of one table: 1 GB
NORMALIZED = 1e-6  # how far the sum of a law may be from 1: what float32 leaves


def count_states(length: int, n_tokens: int, *, numbers_a_state: int = 1) -> int:
    """V^L, where a table of so many states fits into memory.

    Parameters
    ----------
    length, n_tokens : int
        L and V.
    numbers_a_state : int
        Numbers that the table holds for each of them.

    Returns
    -------
    int

    Raises
    ------
    ParameterError
        More than 2^27 numbers, fewer than two sites or tokens.

    Examples
    --------
    >>> from infoscope.clones.enumeration import count_states
    >>> count_states(6, 2)
    64
    """
    length, n_tokens = check_positive_int(length, "length", 2), check_alphabet(n_tokens)
    if n_tokens**length * numbers_a_state > MOST_NUMBERS:
        raise ParameterError(
            f"{n_tokens} tokens on {length} sites make {float(n_tokens) ** length:.3g} states, too many to list: take "
            "fewer sites or tokens, or fit a model (order_spectrum, InteractionModel)"
        )
    return n_tokens**length


def enumerate_states(length: int, n_tokens: int) -> np.ndarray:
    """Every sequence once, site 0 the slowest.

    Parameters
    ----------
    length, n_tokens : int
        Sites L and tokens V.

    Returns
    -------
    array (V^L, L) of int

    Examples
    --------
    >>> from infoscope.clones import enumerate_states
    >>> enumerate_states(2, 2).tolist()
    [[0, 0], [0, 1], [1, 0], [1, 1]]
    """
    n_states = count_states(length, n_tokens, numbers_a_state=length)
    return np.stack(np.unravel_index(np.arange(n_states), (n_tokens,) * length), axis=1)


def state_numbers(tokens: Any, n_tokens: int) -> np.ndarray:
    """Where sequences stand in `enumerate_states`.

    Parameters
    ----------
    tokens : array (n, L) of int
        Sequences.
    n_tokens : int
        V.

    Returns
    -------
    array (n,) of int

    Examples
    --------
    >>> from infoscope.clones import state_numbers
    >>> state_numbers([[0, 1], [1, 1]], 2)
    array([1, 3])
    """
    tokens, n_tokens = check_tokens(tokens, n_tokens)
    count_states(tokens.shape[1], n_tokens)
    return np.ravel_multi_index(tuple(tokens.T.astype(np.int64)), (n_tokens,) * tokens.shape[1])


def check_law(law: Any, length: int, n_tokens: int) -> np.ndarray:
    """A law over all sequences: probabilities that add up to one.

    Parameters
    ----------
    law : array (V^L,) or (V, V, ...)
        Probabilities, states as in `enumerate_states`.
    length, n_tokens : int
        L and V.

    Returns
    -------
    array (V^L,) of float64

    Raises
    ------
    DataError
        Wrong number of states, not finite, negative, or a sum that is not 1.

    Examples
    --------
    >>> from infoscope.clones.enumeration import check_law
    >>> check_law([0.5, 0.0, 0.0, 0.5], 2, 2)
    array([0.5, 0. , 0. , 0.5])
    """
    n_states = count_states(length, n_tokens)
    table = np.asarray(law, np.float64)
    if table.size != n_states or table.shape not in ((n_states,), (n_tokens,) * length):
        raise DataError(
            f"law has shape {table.shape}, but {n_tokens} tokens on {length} sites make {n_states} states: pass one "
            f"probability each, shape ({n_states},), site 0 the slowest index"
        )
    table = table.reshape(-1)
    if not np.isfinite(table).all():
        raise DataError(f"law is {table[~np.isfinite(table)][0]} for state {int(np.argmin(np.isfinite(table)))}")
    if table.min() < 0:
        raise DataError(
            f"law is negative ({table.min():.3g}) for state {int(table.argmin())}: pass probabilities, not logarithms"
        )
    if abs(table.sum() - 1) > NORMALIZED:
        raise DataError(f"law adds up to {table.sum():.6g}: divide it by its sum")
    return table / table.sum()


def law_of_energy(energy: Any) -> np.ndarray:
    """Probabilities from energies: exp(-E), normalized.

    Parameters
    ----------
    energy : array
        Energies of all states, in units of kT.

    Returns
    -------
    array

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.clones import law_of_energy
    >>> law_of_energy([1000.0, 1000.0 - np.log(3)])
    array([0.25, 0.75])
    """
    energy = np.asarray(energy, np.float64)
    if not energy.size or np.isnan(energy).any() or not np.isfinite(energy.min()):
        raise DataError("energies must be numbers, and the lowest finite: pass one energy a state")
    weight = np.exp(energy.min() - energy)
    return np.asarray(weight / weight.sum())


def context_law(law: np.ndarray, site: int, length: int, n_tokens: int) -> np.ndarray:
    """Joint probability of the other sites (rows, the first the slowest) and the token of one site (columns).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.clones.enumeration import context_law
    >>> context_law(np.array([0.5, 0.1, 0.0, 0.4]), 0, 2, 2)
    array([[0.5, 0. ],
           [0.1, 0.4]])
    """
    return np.moveaxis(law.reshape((n_tokens,) * length), site, -1).reshape(-1, n_tokens)


def exact_conditionals(law: Any, length: int, n_tokens: int) -> np.ndarray:
    """Log-probabilities of every token at every site, given the others.

    Parameters
    ----------
    law : array (V^L,)
        Probabilities of all states.
    length, n_tokens : int
        L and V.

    Returns
    -------
    array (V^L, L, V)
        Entry (s, i, a) is ``log p(s_i = a | all others as in s)``; uniform where the law never has these others.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.clones import exact_conditionals
    >>> np.exp(exact_conditionals([0.5, 0.1, 0.0, 0.4], 2, 2)[0, 0])
    array([1., 0.])
    """
    law = check_law(law, length, n_tokens)
    count_states(length, n_tokens, numbers_a_state=length * n_tokens)
    return np.stack([_log_conditional(law, site, length, n_tokens) for site in range(length)], axis=1)


def _log_conditional(law: np.ndarray, site: int, length: int, n_tokens: int) -> np.ndarray:
    """(V^L, V): of one site, repeated for each of its own tokens."""
    joint = np.moveaxis(law.reshape((n_tokens,) * length), site, -1)
    total = joint.sum(-1, keepdims=True)
    with np.errstate(divide="ignore"):
        log_p = np.log(np.where(total > 0, joint / np.where(total > 0, total, 1.0), 1.0 / n_tokens))
    whole = np.broadcast_to(np.expand_dims(log_p, site), (*(n_tokens,) * length, n_tokens))
    return whole.reshape(-1, n_tokens)
