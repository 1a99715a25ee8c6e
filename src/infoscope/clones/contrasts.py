"""Products of contrasts: functions of several sites, each of an order of its own.

A contrast of one site is a function of its token that adds up to zero over the alphabet; a set of V - 1 of them, each
with mean square one and at right angles to the others, spans all (for two tokens it is the spin, 1 and -1).  A product
of contrasts of m sites is of order m exactly, and products of different sites are at right angles under equal
probabilities.  They are the Walsh functions of any alphabet.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import comb

import numpy as np

from infoscope.base import ParameterError

MOST_NUMBERS = 2**28  # of a matrix of features: 2 GB


def site_contrasts(n_tokens: int) -> np.ndarray:
    """V functions of one token: the constant, then V - 1 contrasts.

    Parameters
    ----------
    n_tokens : int
        V.

    Returns
    -------
    array (V, V)
        Row a: the functions of token a.  ``C.T @ C = V`` times the identity.

    Examples
    --------
    >>> from infoscope.clones.contrasts import site_contrasts
    >>> site_contrasts(2)
    array([[ 1.,  1.],
           [ 1., -1.]])
    """
    # Helmert's contrasts: token 0 to j - 1 against token j
    out = np.zeros((n_tokens, n_tokens))
    out[:, 0] = 1.0
    for j in range(1, n_tokens):
        out[:j, j], out[j, j] = 1.0, -float(j)
        out[:, j] *= np.sqrt(n_tokens / (j * (j + 1)))
    return out


def count_features(n_sites: int, n_tokens: int, degree: int) -> int:
    """Products of contrasts of at most `degree` of some sites, the constant included.

    Examples
    --------
    >>> from infoscope.clones.contrasts import count_features
    >>> count_features(5, 2, 2)
    16
    """
    return sum(comb(n_sites, m) * (n_tokens - 1) ** m for m in range(min(degree, n_sites) + 1))


def check_features(n_contexts: int, n_sites: int, n_tokens: int, degree: int) -> None:
    """Raise where the features of so many contexts do not fit into 2 GB.

    Examples
    --------
    >>> from infoscope.clones.contrasts import check_features
    >>> check_features(1000, 5, 2, 2)
    """
    n_features = count_features(n_sites, n_tokens, degree)
    if n_features * n_contexts > MOST_NUMBERS:
        raise ParameterError(
            f"{n_contexts} contexts with {n_features} interactions of degree {degree} are too many for exact fits: "
            "take a lower order, fewer sites or tokens, or an InteractionModel"
        )


def contrast_features(tokens: np.ndarray, n_tokens: int, degree: int) -> np.ndarray:
    """Products of contrasts of at most `degree` sites, sites in rising order.

    Parameters
    ----------
    tokens : array (n, M) of int
        The sites.
    n_tokens, degree : int
        V, and how many sites at most.

    Returns
    -------
    array (n, F)
        Low orders first; the constant is column 0.

    Raises
    ------
    ParameterError
        If it does not fit into 2 GB.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.clones.contrasts import contrast_features
    >>> contrast_features(np.array([[0, 1, 1]]), 2, 2)                    # 1, s0, s1, s2, s0 s1, s0 s2, s1 s2
    array([[ 1.,  1., -1., -1., -1., -1.,  1.]])
    """
    check_features(len(tokens), tokens.shape[1], n_tokens, degree)
    one_site = site_contrasts(n_tokens)[:, 1:][tokens]  # (n, M, V - 1)
    blocks = [np.ones((len(tokens), 1))]
    for m in range(1, min(degree, tokens.shape[1]) + 1):
        blocks += [_product(one_site, sites) for sites in combinations(range(tokens.shape[1]), m)]
    return np.concatenate(blocks, axis=1)


def _product(one_site: np.ndarray, sites: Sequence[int]) -> np.ndarray:
    """All products of one contrast a site."""
    out = one_site[:, sites[0]]
    for site in sites[1:]:
        out = (out[:, :, None] * one_site[:, None, site]).reshape(len(out), -1)
    return out
