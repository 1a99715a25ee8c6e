r"""Energies whose interactions stop at a given order: the star form, for any order, with all conditionals in one pass.

The log weight of a sequence s of L tokens is a sum over orders 1 to k.  Order 1 is a bias b_i[s_i]; order m is

    sum over heads h and sites i of g_h[s_i] e_{m-1}({A^h_ij v_h[s_j]}, j != i),                                   (1)

a *centre* g at site i times the elementary symmetric polynomial e_{m-1} of its *legs*, one leg from every other site j.
The polynomial multiplies m - 1 different sites, so a term touches m tokens and no more: the order is exact.  The sum is
linear in the one-hot of every single token, so the conditional of site j is a softmax of

    b_j[a] + sum_h g_h[a] e_{m-1}(j) + v_h[a] sum_{i != j} g_h[s_i] A_ij e_{m-2}(i without j),                      (2)

two numbers a head and site, then one matrix product for all tokens a.  With power sums p_r(i) = sum_j (A_ij v[s_j])^r,

    m e_m = sum_{r=1..m} (-1)^(r-1) e_{m-r} p_r  (Newton),   e_m(i without j) = sum_r (-x_ij)^r e_{m-r}(i),          (3)

so that all of it is matrix products of element-wise powers of A.  A masked token is the zero vector: no centre, no leg.
Nothing here depends on the library of arrays; the same lines serve NumPy and PyTorch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from infoscope.base.contents import numbers
from infoscope.base.errors import DataError

BLOCK = 256  # sequences that are looked at together, always so many: a product of fewer may round otherwise


@dataclass(frozen=True, eq=False)
class StarEnergy:
    """An energy of exact maximal order: log weights, and the logits of every site given the others.

    K = order - 1 interactions (orders 2, 3, ...), H heads each, L sites, V tokens.

    Attributes
    ----------
    bias : array (L, V)
        Order 1.
    legs, centres : array (K, H, V)
        v and g of equation (1).
    positions : array (K, H, L, L)
        A, with zeros on the diagonal: row i is the centre, column j the leg.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.clones.energy import StarEnergy
    >>> ferromagnet = StarEnergy(
    ...     bias=np.zeros((2, 2)), legs=np.array([[[1.0, -1.0]]]), centres=np.array([[[1.0, -1.0]]]),
    ...     positions=np.array([[[[0.0, 0.7], [0.0, 0.0]]]]),
    ... )
    >>> ferromagnet.log_weight(np.array([[0, 0], [0, 1]])).round(3)
    array([ 0.7, -0.7])
    >>> ferromagnet.conditional_logits(np.array([[0, 0]])).round(3)
    array([[[ 0.7, -0.7],
            [ 0.7, -0.7]]])
    """

    bias: np.ndarray
    legs: np.ndarray
    centres: np.ndarray
    positions: np.ndarray

    _contents = {
        "bias": numbers("L", "V", finite=True), "legs": numbers("K", "H", "V", finite=True),
        "centres": numbers("K", "H", "V", finite=True), "positions": numbers("K", "H", "L", "L", finite=True),
    }  # fmt: skip

    def _check_contents(self) -> None:
        if len(self.positions) and np.einsum("khii->khi", self.positions).any():
            raise DataError("positions has entries on its diagonal: a site is no leg of its own")

    @property
    def order(self) -> int:
        """Largest number of tokens that interact."""
        return len(self.legs) + 1

    @property
    def length(self) -> int:
        """L, sites of a sequence."""
        return int(self.bias.shape[0])

    @property
    def n_tokens(self) -> int:
        """V, size of the alphabet."""
        return int(self.bias.shape[1])

    def log_weight(self, tokens: np.ndarray) -> np.ndarray:
        """Logarithm of the probability of sequences (n, L) up to a constant: (n,), minus the energy."""
        found = []
        for rows in _blocks(tokens):
            total = _padded(self.bias)[np.arange(self.length), rows].sum(axis=1)
            for legs, centres, positions, order in self._orders(rows):
                total = total + (centres * order_sums(legs, positions, order - 1)[-1]).sum(axis=(0, 2))
            found.append(total)
        return np.concatenate([np.empty(0, self.bias.dtype), *found])[: len(tokens)]

    def conditional_logits(self, tokens: np.ndarray) -> np.ndarray:
        """Logits of every site given all others (n, L, V), equation (2); those of site j do not look at token j."""
        found = []
        for rows in _blocks(tokens):
            logits = np.broadcast_to(self.bias, (len(rows), *self.bias.shape)).copy()
            for at, (legs, centres, positions, order) in enumerate(self._orders(rows)):
                pull, own = site_features(legs, centres, positions, order)
                logits += np.moveaxis(pull, 0, -1) @ self.legs[at] + np.moveaxis(own, 0, -1) @ self.centres[at]
            found.append(logits)
        return np.concatenate([np.empty((0, *self.bias.shape), self.bias.dtype), *found])[: len(tokens)]

    def astype(self, dtype: Any) -> StarEnergy:
        """The same energy in another precision."""
        return StarEnergy(*(getattr(self, name).astype(dtype) for name in self._contents))

    def cooled(self, temperature: float) -> StarEnergy:
        """The law to the power 1/temperature, which is an energy of the same order."""
        scale = self.bias.dtype.type(1 / temperature)
        return StarEnergy(self.bias * scale, self.legs, self.centres * scale, self.positions)

    def _orders(self, rows: np.ndarray) -> Iterator[tuple[Any, Any, Any, int]]:
        for at, positions in enumerate(self.positions):
            legs, centres = _padded(self.legs[at])[:, rows], _padded(self.centres[at])[:, rows]
            yield legs, centres, positions, at + 2


def order_sums(legs: Any, positions: Any, order: int) -> list[Any]:
    """Elementary symmetric polynomials e_0 to e_order of the legs that meet at every site, equation (3).

    Parameters
    ----------
    legs : array or tensor (H, n, L)
        v of every token.
    positions : array or tensor (H, L, L)
    order : int

    Returns
    -------
    list of arrays or tensors (H, n, L)
        e_0 is the number 1.
    """
    sums, powers = [1.0], []
    leg, position = legs, positions
    for m in range(1, order + 1):
        powers.append(leg @ position.swapaxes(-1, -2))
        if m < order:
            leg, position = leg * legs, position * positions
        total = powers[m - 1] * ((-1.0) ** (m - 1))
        for r in range(1, m):
            total = total + sums[m - r] * powers[r - 1] * ((-1.0) ** (r - 1))
        sums.append(total / m if m > 1 else total)
    return sums


def site_features(legs: Any, centres: Any, positions: Any, order: int) -> tuple[Any, Any]:
    """What multiplies v[a] and g[a] in the logits of every site, equation (2).

    Parameters
    ----------
    legs, centres : array or tensor (H, n, L)
        v and g of every token; zero for those that are masked.
    positions : array or tensor (H, L, L)
    order : int
        At least 2.

    Returns
    -------
    pull, own : array or tensor (H, n, L)
    """
    sums = order_sums(legs, positions, order - 1)
    pull: Any = 0.0
    sign, position = 1.0, positions
    for r in range(order - 1):
        pull = pull + sign * ((centres * sums[order - 2 - r]) @ position)
        if r + 2 < order:
            sign, position = -legs * sign, position * positions
    return pull, sums[-1]


# --------------------------------------------------------------------------------------------------------------- steps
def _padded(values: np.ndarray) -> np.ndarray:
    """With a zero at the end of the last axis, where token -1, one that is masked, finds it."""
    return np.concatenate([values, np.zeros_like(values[..., :1])], axis=-1)


def _blocks(tokens: np.ndarray) -> Iterator[np.ndarray]:
    for first in range(0, len(tokens), BLOCK):
        rows = tokens[first : first + BLOCK].astype(np.intp)
        missing = BLOCK - len(rows) if len(tokens) > BLOCK else 0
        yield np.concatenate([rows, np.repeat(rows[:1], missing, axis=0)])
