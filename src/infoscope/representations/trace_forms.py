"""Similarities that are one sum over pairs of items, s = sum_ij U_ij V_ij: CKA, debiased CKA, rank correlation (RSA).

Every layer becomes a symmetric matrix U whose squares add up to one, made once.  Items of one layer exchanged by a
permutation exchange rows and columns of its matrix: nothing is measured again.  Matrices are kept in single precision,
since all layers and all shuffles want them; `linear_cka` needs none, and is the same sum in double precision from
features.  Neither can be made of the other: a sum over features knows no shuffle without being measured again.
"""

from __future__ import annotations

import numpy as np

from infoscope.base import kernel

from .dead_layers import refuse_alike

SMALLEST = 1e-12  # size of a matrix, relative to the squares of the vectors, below which it is rounding
BLOCK = 32  # rows of a matrix that are gathered at a time: they stay in the cache until they are multiplied


def centred_gram(x: np.ndarray) -> np.ndarray:
    """K = Xc Xc^T of centred columns (N, N), for the linear CKA of Kornblith et al. (2019)."""
    x = x - x.mean(0)
    return x @ x.T


def unbiased_gram(x: np.ndarray) -> np.ndarray:
    """The U-centred matrix (Szekely, Rizzo 2014) whose products are the unbiased HSIC (Song et al. 2012)."""
    n = len(x)
    gram = centred_gram(x)
    np.fill_diagonal(gram, 0.0)
    rows = gram.sum(1) / (n - 2)
    gram -= rows[:, None] + rows - rows.sum() / (n - 1)
    np.fill_diagonal(gram, 0.0)
    return gram


def distance_ranks(x: np.ndarray, metric: str = "cosine") -> np.ndarray:
    """Centred mean ranks of all distances, 0 on the diagonal: products are Spearman's correlation (RSA)."""
    from scipy.spatial.distance import pdist, squareform
    from scipy.stats import rankdata

    distances = pdist(x, metric)
    ranks = rankdata(np.round(distances / max(distances.max(), 1e-300), 12))  # what differs by rounding is tied
    return squareform(ranks - ranks.mean(), checks=False)


FORMS = ("cka", "cka_debiased", "rsa")


def unit_form(x: np.ndarray, measure: str, name: str, metric: str = "cosine") -> np.ndarray:
    """The matrix of a layer, its squares adding up to one.

    Parameters
    ----------
    x : array (N, D)
        Vectors of the items.
    measure : {"cka", "cka_debiased", "rsa"}
    name : str
        What messages call the layer.
    metric : {"cosine", "euclidean"}
        Of the distances of "rsa".

    Raises
    ------
    DataError
        If all pairs of items are alike, as in a layer of one unit an item, so that there is nothing to compare.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.representations.trace_forms import unit_form
    >>> x = np.random.default_rng(0).normal(size=(20, 3))
    >>> u = unit_form(x, "cka", "a")
    >>> round(float((u * unit_form(x @ np.diag([1, 1, 1]) * 7 + 5, "cka", "b")).sum()), 12)
    1.0
    """
    x = np.asarray(x, np.float64)
    if measure == "rsa":
        form = distance_ranks(x, metric)
    else:
        form = centred_gram(x) if measure == "cka" else unbiased_gram(x)
    size = np.sqrt((form**2).sum())
    refuse_alike(size, SMALLEST * (1.0 if measure == "rsa" else (x**2).sum()), measure, name)
    return form / size


def sums_of_rows(forms_a: np.ndarray, forms_b: np.ndarray) -> np.ndarray:
    """h_i = sum_j U_ij V_ij of all pairs of layers, array (N, L_A, L_B): their sum over items is the similarity.

    Parameters
    ----------
    forms_a, forms_b : array (L, N, N)
    """
    rows = np.empty((forms_a.shape[1], len(forms_a), len(forms_b)))
    for i in range(len(rows)):
        rows[i] = forms_a[:, i].astype(np.float64) @ forms_b[:, i].astype(np.float64).T
    return rows


def influence(both: np.ndarray, own_a: np.ndarray, own_b: np.ndarray) -> np.ndarray:
    """What each item adds to the similarity, to first order: twice its part of the sum, less those of both norms.

    Parameters
    ----------
    both : array (N, L_A, L_B)
        `sums_of_rows` of different layers.
    own_a, own_b : array (N, L)
        Of each layer with itself.

    Returns
    -------
    array (N, L_A, L_B)
        Of mean zero over items; their variance over N is that of the similarity.
    """
    value = both.sum(0)
    return 2 * len(both) * (both - value / 2 * (own_a[:, :, None] + own_b[:, None, :]))


class PermutedSums:
    """Similarities of all pairs of layers when the items of the second are exchanged.

    Parameters
    ----------
    forms_a, forms_b : array (L, N, N), float32
    """

    def __init__(self, forms_a: np.ndarray, forms_b: np.ndarray):
        self.forms_b, n = forms_b, forms_a.shape[1]
        self.starts = range(0, n, BLOCK)
        self.blocks = []
        for start in self.starts:
            stop = min(start + BLOCK, n)
            part = forms_a[:, start:stop, start:].copy()
            part[:, :, stop - start :] *= 2  # of i < j in different blocks only one is looked at
            self.blocks.append(part.reshape(len(forms_a), -1))

    def __call__(self, order: np.ndarray) -> np.ndarray:
        """array (L_A, L_B): item i of the first layers stands beside item order[i] of the second."""
        found = np.zeros((len(self.blocks[0]), len(self.forms_b)))
        for start, part in zip(self.starts, self.blocks, strict=True):
            gathered = np.empty((len(self.forms_b), part.shape[1]), np.float32)
            _gather(self.forms_b, order, start, min(start + BLOCK, len(order)), gathered)
            found += part @ gathered.T
        return found


# ------------------------------------------------------------------------------------------------------------- kernels
@kernel()
def _gather(forms, order, start, stop, out):
    """Rows start:stop and columns from start on of every matrix, in another order."""
    n = len(order)
    for layer in range(len(forms)):
        p = 0
        for i in range(start, stop):
            row = forms[layer, order[i]]
            for j in range(start, n):
                out[layer, p] = row[order[j]]
                p += 1
