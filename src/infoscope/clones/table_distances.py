r"""How far two sets of sequences are from each other, site by site and pair by pair of sites.

With f_i(a) the share of token a at site i, f_ij(a, b) that of two tokens at two sites, the squared distances are
:math:`D_1 = \langle \sum_a (f_i(a) - g_i(a))^2 \rangle_i` and :math:`D_2 = \langle \sum_{ab} (f_{ij}(a, b) -
g_{ij}(a, b))^2 \rangle_{ij}`.  The sum over tokens of f g is the probability that two sequences, one of each set, agree
at the site, so with h the number of sites at which two sequences agree both are squared maximum mean discrepancies, of
the kernels h / L and h (h - 1) / (L (L - 1)): no table of V^2 L^2 numbers is made, and pairs of different sequences
give them without bias.
"""

from __future__ import annotations

import numpy as np

MOST_ROWS = 1000  # sequences of each set that are compared, all with all


def table_distances(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Squared distances of the tables of one site and of two, and their standard errors.

    Parameters
    ----------
    a, b : array (n, L) of int
        As many sequences of each, L at least 2; -1 is padding, and agrees with nothing.

    Returns
    -------
    distances, errors : array (2,)
        Of one site and of two sites.  Distances have no bias, and may be below 0 where there is no difference; their
        errors are then a fifth to a third too large.

    References
    ----------
    Gretton et al., Journal of Machine Learning Research 13, 723 (2012), lemma 6; Hoeffding, Annals of Mathematical
    Statistics 19, 293 (1948), for the variance.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.clones.table_distances import table_distances
    >>> rng = np.random.default_rng(0)
    >>> pairs, independent = np.repeat(rng.integers(2, size=(500, 1)), 2, axis=1), rng.integers(2, size=(500, 2))
    >>> distances, errors = table_distances(pairs, independent)
    >>> bool(abs(distances[1] - 0.25) < 3 * errors[1] < 0.1)  # all four shares are off by a quarter: 4 / 16
    True
    """
    a, b = (rows[:: -(-len(rows) // MOST_ROWS)] for rows in (a, b))
    n, length = a.shape
    found = []
    ones = length, length * (length - 1)
    within_a, within_b, between = _agreements(a, a), _agreements(b, b), _agreements(a, b)
    for order, scale in enumerate(ones):
        kernels = (h * (h - 1) ** order / scale for h in (within_a, within_b, between))
        found.append(_u_statistic(*kernels))
    return np.array([value for value, _ in found]), np.array([error for _, error in found])


# --------------------------------------------------------------------------------------------------------------- steps
def _agreements(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Sites at which each sequence of a agrees with each of b."""
    total = np.zeros((len(a), len(b)))
    for one, other in zip(a.T, b.T, strict=True):
        total += (one[:, None] == other) & (one >= 0)[:, None]
    return total


def _u_statistic(within_a: np.ndarray, within_b: np.ndarray, between: np.ndarray) -> tuple[float, float]:
    """Mean over pairs i, j of k(a_i, a_j) + k(b_i, b_j) - k(a_i, b_j) - k(a_j, b_i), and its error."""
    n = len(between)
    each = within_a + within_b - between - between.T
    np.fill_diagonal(each, 0.0)
    n_pairs = n * (n - 1)
    mean = each.sum() / n_pairs
    of_one = each.sum(axis=1) / (n - 1) - mean
    of_two = max(0.0, (each**2).sum() / n_pairs - mean**2)
    # the mean over n - 1 partners scatters by their own variance as well
    of_one_alone = max(0.0, (of_one**2).sum() / (n - 1) - of_two / (n - 1))
    return float(mean), float(np.sqrt((4 * (n - 2) * of_one_alone + 2 * of_two) / n_pairs))
