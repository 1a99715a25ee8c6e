"""What an array of tokens is: whole numbers from 0 to V - 1, one row a sequence, one column a site."""

from __future__ import annotations

from typing import Any

import numpy as np

from infoscope.base import DataError, ParameterError, check_positive_int

LARGEST = 2**16  # tokens an alphabet may have: ids fit into uint16


def check_tokens(tokens: Any, n_tokens: int | None = None, *, min_sequences: int = 1) -> tuple[np.ndarray, int]:
    """Sequences of tokens as they were given, and the size of their alphabet.

    Parameters
    ----------
    tokens : array (n, L) of int
        Ids from 0 to V - 1.
    n_tokens : int, optional
        V; by default one more than the largest id.
    min_sequences : int
        Fewest rows that will do.

    Returns
    -------
    tokens : array (n, L) of int
        No copy where it is an array already.
    n_tokens : int
        V.

    Raises
    ------
    DataError
        No whole numbers, ids out of range, a single site, too few sequences, one token only.

    Examples
    --------
    >>> from infoscope.clones import check_tokens
    >>> check_tokens([[0, 2, 1], [1, 1, 0]])[1]
    3
    """
    array = np.asarray(tokens)
    if array.dtype.kind not in "iu":
        raise DataError(f"tokens are {array.dtype}, not whole numbers: pass the ids of tokens, 0 to V - 1")
    if array.ndim != 2:
        raise DataError(f"tokens have shape {array.shape}: pass (n, L), one sequence a row")
    if len(array) < min_sequences:
        raise DataError(f"tokens hold {len(array)} sequences, and at least {min_sequences} are needed: pass more rows")
    if array.shape[1] < 2:
        raise DataError(f"sequences have {array.shape[1]} site: interactions need at least two")
    lowest, highest = (int(array.min()), int(array.max())) if array.size else (0, 0)
    if lowest < 0:
        row, site = np.argwhere(array < 0)[0]
        raise DataError(f"row {row}, site {site} holds {lowest}: ids of tokens start at 0")
    if n_tokens is None:
        if highest == 0:
            raise DataError("all tokens are 0: pass n_tokens, the size of the alphabet, if there are others")
        return array, check_alphabet(highest + 1)
    n_tokens = check_alphabet(n_tokens)
    if highest >= n_tokens:
        row, site = np.argwhere(array >= n_tokens)[0]
        raise DataError(
            f"row {row}, site {site} holds token {int(array[row, site])}, but there are {n_tokens} tokens, 0 to "
            f"{n_tokens - 1}: pass the alphabet that these ids belong to"
        )
    return array, n_tokens


def check_alphabet(n_tokens: Any) -> int:
    """The size of an alphabet: two tokens at least.

    Examples
    --------
    >>> from infoscope.clones.token_arrays import check_alphabet
    >>> check_alphabet(26)
    26
    """
    return check_positive_int(n_tokens, "n_tokens", 2, LARGEST)


def check_order(order: Any, length: int, name: str = "order") -> int:
    """An order of interactions: at least one, and no more than there are sites.

    Examples
    --------
    >>> from infoscope.clones.token_arrays import check_order
    >>> check_order(3, 8)
    3
    """
    order = check_positive_int(order, name)
    if order > length:
        raise ParameterError(f"{name} is {order}, but sequences have {length} sites: no interaction joins more")
    return order
