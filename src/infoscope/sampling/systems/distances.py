"""Distances between points of a configuration, as collective variables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from infoscope.base import ParameterError
from infoscope.base.array_types import ArrayLike, Floats


class DistanceVariables:
    """``xi_i = offset_i + scale_i |r_a - r_b|`` for pairs of points (a, b) of a configuration (r_0, r_1, ...).

    Built-in systems drag along them by themselves, in the soft embedding.

    Parameters
    ----------
    pairs : array (m, 2)
        Numbers of the points, each pair of two different ones.
    n_dim : int
        Coordinates of a point.
    box : float
        Side of a periodic cube, within which nearest images are taken; 0 without.
    scale, offset : float or array (m,)
        Of each variable.
    names : sequence of str, optional
        "r0_8" for points 0 and 8 by default.

    Attributes
    ----------
    period : array (m,)
        Zeros.

    Raises
    ------
    ParameterError
        Pairs that are none, a box that is negative, a scale of zero.

    Examples
    --------
    >>> from infoscope.sampling.systems import DistanceVariables
    >>> bond = DistanceVariables([(0, 1)], n_dim=2, box=10.0)
    >>> bond.names, bond.values([[0.5, 0.0, 9.5, 0.0]])
    (('r0_1',), array([[1.]]))
    """

    def __init__(
        self,
        pairs: ArrayLike,
        *,
        n_dim: int = 3,
        box: float = 0.0,
        scale: Any = 1.0,
        offset: Any = 0.0,
        names: Sequence[str] | None = None,
    ) -> None:
        self.pairs = np.ascontiguousarray(pairs, np.int64)
        if self.pairs.ndim != 2 or self.pairs.shape[1] != 2 or (self.pairs < 0).any():
            raise ParameterError(f"pairs has shape {self.pairs.shape}: two numbers of points for each variable")
        if (self.pairs[:, 0] == self.pairs[:, 1]).any():
            raise ParameterError("a pair holds one point twice: its distance is zero")
        m = len(self.pairs)
        self.n_dim, self.box = int(n_dim), float(box)
        self.scale = np.ascontiguousarray(np.broadcast_to(np.asarray(scale, np.float64), (m,)))
        self.offset = np.ascontiguousarray(np.broadcast_to(np.asarray(offset, np.float64), (m,)))
        if not self.box >= 0 or not self.scale.all() or self.n_dim < 1:
            raise ParameterError(f"box is {box!r}, n_dim {n_dim!r}, scale {scale!r}: none is negative, no scale zero")
        self.names = tuple(f"r{a}_{b}" for a, b in self.pairs.tolist()) if names is None else tuple(names)
        self.period = np.zeros(m)

    def values(self, x: ArrayLike) -> Floats:
        """Their values.

        Parameters
        ----------
        x : array (n, D)
            Configurations.

        Returns
        -------
        array (n, m)
        """
        return self.offset + self.scale * np.linalg.norm(self._differences(x), axis=-1)

    def pull_back(self, x: ArrayLike, weights: ArrayLike) -> Floats:
        """The gradient of sum_i weights_i xi_i.

        Parameters
        ----------
        x : array (n, D)
            Configurations.
        weights : array (n, m)

        Returns
        -------
        array (n, D)
        """
        given = np.asarray(x, np.float64)
        pulls = np.asarray(weights, np.float64)[:, :, None] * self._directions(given)
        gradient = np.zeros((len(given), given.shape[1] // self.n_dim, self.n_dim))
        for i, (a, b) in enumerate(self.pairs.tolist()):
            gradient[:, a] += pulls[:, i]
            gradient[:, b] -= pulls[:, i]
        return gradient.reshape(given.shape)

    def jacobian(self, x: ArrayLike) -> Floats:
        """All gradients.

        Parameters
        ----------
        x : array (n, D)
            Configurations.

        Returns
        -------
        array (n, m, D)
        """
        n, m = len(np.asarray(x)), len(self.pairs)
        one_each = [np.broadcast_to(np.eye(m)[i], (n, m)) for i in range(m)]
        return np.stack([self.pull_back(x, weights) for weights in one_each], axis=1)

    def _differences(self, x: ArrayLike) -> Floats:
        given = np.asarray(x, np.float64)
        points = given.reshape(len(given), -1, self.n_dim)
        away = points[:, self.pairs[:, 0]] - points[:, self.pairs[:, 1]]
        return away - self.box * np.rint(away / self.box) if self.box > 0 else away

    def _directions(self, x: ArrayLike) -> Floats:
        away = self._differences(x)
        return np.asarray(self.scale[:, None] * away / np.linalg.norm(away, axis=-1, keepdims=True))
