"""Relaxation of a reversible process between the cells of a grid: exp(-L t), by modes or along a contour.

L is symmetric, its eigenvalues are the rates (the lowest is 0), and exp(-L t) is what carries square roots of
probabilities from one time to a later one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from infoscope.base import DataError

DENSE_UP_TO = 1600  # cells of which all modes are found
MODES = 60  # found of larger grids
FORGOTTEN = 36.0  # exp(-36) is below the unit roundoff
NODES = 16  # of the upper half of the contour: an error of 8.12^-16, below 1e-14


def symmetric_generator(energy: np.ndarray, kept: np.ndarray, hops: list[float]) -> Any:
    """L of a grid: -hops along every axis between neighbours, and what leaves a cell on the diagonal.

    Parameters
    ----------
    energy : array
        In units of kT, on the grid.
    kept : array of bool
        Cells that take part.
    hops : list of float
        ``kT / (gamma h^2)`` of every axis.

    Returns
    -------
    sparse matrix (cells, cells)
        Of the cells that take part, in their order.

    Raises
    ------
    DataError
        If the cells do not hang together.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.causality.diffusion import symmetric_generator
    >>> symmetric_generator(np.zeros(3), np.ones(3, bool), [1.0]).toarray()
    array([[ 1., -1.,  0.],
           [-1.,  2., -1.],
           [ 0., -1.,  1.]])
    """
    from scipy.sparse import coo_matrix, diags
    from scipy.sparse.csgraph import connected_components

    number = np.full(energy.shape, -1)
    number[kept] = np.arange(int(kept.sum()))
    rows, columns, rates = [], [], []
    leaving = np.zeros(int(kept.sum()))
    for axis, hop in enumerate(hops):
        low, high = (np.take(number, range(a, energy.shape[axis] - 1 + a), axis=axis) for a in (0, 1))
        step = np.diff(energy, axis=axis)
        both = (low >= 0) & (high >= 0)
        i, j, rise = low[both], high[both], step[both]
        np.add.at(leaving, i, hop * np.exp(-rise / 2))  # hop sqrt(p_j / p_i)
        np.add.at(leaving, j, hop * np.exp(rise / 2))
        rows += [i, j]
        columns += [j, i]
        rates.append(np.full(2 * len(i), -hop))
    between = coo_matrix((np.concatenate(rates), (np.concatenate(rows), np.concatenate(columns))), (len(leaving),) * 2)
    n_parts, _ = connected_components(between, directed=False)
    if n_parts > 1:
        raise DataError(
            f"the potential falls apart into {n_parts} basins without a way between them below 60 kT: take another "
            "temperature, or one basin at a time"
        )
    return (between + diags(leaving)).tocsc()


class Relaxation:
    """exp(-L t) times vectors, for any t: by the slowest modes where the others are forgotten, else along a contour.

    Parameters
    ----------
    generator : sparse matrix (n, n)
        L.
    """

    def __init__(self, generator: Any) -> None:
        self.generator = generator
        self._found: tuple[np.ndarray, np.ndarray] | None = None

    def rates(self, n: int) -> np.ndarray:
        """The lowest eigenvalues, 0 first."""
        rates, _ = self._modes(n)
        return rates[:n]

    def after(self, vectors: np.ndarray, time: float) -> np.ndarray:
        """exp(-L t) V of the columns of V."""
        if time == 0:
            return vectors
        rates, modes = self._modes(MODES)
        if len(rates) == self.generator.shape[0] or rates[-1] * time >= FORGOTTEN:
            return modes @ (np.exp(-rates * time)[:, None] * (modes.T @ vectors))
        return _along_contour(self.generator, vectors, time)

    def _modes(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        if self._found is None or (n > len(self._found[0]) and len(self._found[0]) < self.generator.shape[0]):
            self._found = _slowest_modes(self.generator, n)
        return self._found


def _slowest_modes(generator: Any, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Rates and modes: all of a small grid, else the n slowest, by inverse iteration just below zero."""
    size = generator.shape[0]
    if size <= DENSE_UP_TO or n >= size // 4:
        rates, modes = np.linalg.eigh(generator.toarray())
        return np.maximum(rates, 0.0), modes
    from scipy.sparse.linalg import eigsh

    shift = -1e-3 * float(np.abs(generator.diagonal()).min())
    start = np.random.default_rng(0).normal(size=size)  # the same every time
    rates, modes = eigsh(generator, max(n, MODES), sigma=shift, v0=start)
    order = np.argsort(rates, kind="stable")
    return np.maximum(rates[order], 0.0), modes[:, order]


def _along_contour(generator: Any, vectors: np.ndarray, time: float) -> np.ndarray:
    """exp(-L t) V = (1 / 2 pi i) int exp(z t) (z + L)^{-1} V dz, on a parabola around the eigenvalues of -L.

    Nodes and parabola of Weideman and Trefethen, Math. Comp. 76, 1341 (2007); conjugate nodes are taken together.
    """
    from scipy.sparse import identity
    from scipy.sparse.linalg import splu

    width, unit = 3 / NODES, identity(generator.shape[0], format="csc", dtype=complex)
    scale = np.pi * NODES / (12 * time)
    found = np.zeros(vectors.shape)
    right = np.ascontiguousarray(vectors, dtype=complex)
    for at in range(NODES):
        u = (at + 0.5) * width
        z, slope = scale * (1j * u + 1) ** 2, 2j * scale * (1j * u + 1)
        factors = splu(generator + z * unit, permc_spec="MMD_AT_PLUS_A", options=dict(SymmetricMode=True))
        found += (factors.solve(right) * (width / np.pi / 1j * np.exp(z * time) * slope)).real
    return found
