"""A chain of phi^4 sites in Haar wavelets: the coarsest is the magnetisation that must change its sign."""

from __future__ import annotations

import numpy as np

from infoscope.base import ParameterError
from infoscope.base.array_types import ArrayLike, Floats
from infoscope.base.checks import RandomState, check_positive_int, check_random_state

from .field_kernels import Phi4Terms
from .kinds import PHI4
from .system import BuiltInSystem, check_basin

BASINS = ("down", "up")


class Phi4Chain(BuiltInSystem):
    """V = beta [sum_i ((1 - f_i^2)^2 / 4a + h f_i) / N + a N / 2 sum_i (f_i - f_{i-1})^2], zero at both ends.

    A configuration holds the orthonormal Haar coefficients of the field f, the coarsest first: the first is sqrt(N)
    times the magnetisation, and any leading 1, 2, 4, ... of them describe the field at a coarser and coarser scale.
    Variables are the first coordinates.  With h = 0 both signs are equally likely, which is an exact test.

    Parameters
    ----------
    n_sites : int
        N, a power of two.
    a : float
        Strength of the coupling; wells are as much deeper as it is smaller.
    h : float
        Field that prefers one sign.
    beta : float
        Inverse temperature.
    n_jobs : int, optional
        Threads, as in `available_threads`.

    Raises
    ------
    ParameterError
        A number of sites that is no power of two, a or beta that are not positive.

    References
    ----------
    Gabrié, Rotskoff, Vanden-Eijnden (2022), PNAS 119, e2109420119; Schönle et al. (2025), arXiv:2512.16812.

    Examples
    --------
    >>> from infoscope.sampling.systems import Phi4Chain
    >>> chain = Phi4Chain(8)
    >>> up = chain.coefficients([[1.0] * 8])
    >>> up.round(4)[0, :3], chain.field(up)[0, :2]
    (array([2.8284, 0.    , 0.    ]), array([1., 1.]))
    """

    kind = PHI4

    def __init__(
        self, n_sites: int = 64, *, a: float = 0.1, h: float = 0.0, beta: float = 20.0, n_jobs: int | None = None
    ) -> None:
        self.n_coordinates = check_positive_int(n_sites, "n_sites", 2)
        if self.n_coordinates & (self.n_coordinates - 1):
            raise ParameterError(f"n_sites is {n_sites}: Haar wavelets need a power of two")
        if not (0 < a < np.inf and 0 < beta < np.inf and np.isfinite(h)):
            raise ParameterError(f"a is {a!r}, beta {beta!r}, h {h!r}: finite, the first two positive")
        self.a, self.h, self.beta, self.n_jobs = float(a), float(h), float(beta), n_jobs
        self.gradient_seconds = 1e-8 * self.n_coordinates

    def __repr__(self) -> str:
        return f"Phi4Chain({self.n_coordinates}, a={self.a:g}, h={self.h:g}, beta={self.beta:g})"

    def _terms(self) -> Phi4Terms:
        return Phi4Terms(self.beta, self.a, self.h, np.empty(self.n_coordinates), np.empty(self.n_coordinates))

    def field(self, x: ArrayLike) -> Floats:
        """The field at the sites.

        Parameters
        ----------
        x : array (n, N)
            Haar coefficients.

        Returns
        -------
        array (n, N)
        """
        field = self._configurations(x)
        length = 1
        while length < self.n_coordinates:
            mean, difference = field[:, :length], field[:, length : 2 * length]
            finer = np.stack([mean + difference, mean - difference], axis=2).reshape(len(field), -1) * np.sqrt(0.5)
            field = np.hstack([finer, field[:, 2 * length :]])
            length *= 2
        return field

    def coefficients(self, field: ArrayLike) -> Floats:
        """The Haar coefficients of a field.

        Parameters
        ----------
        field : array (n, N)
            Values at the sites.

        Returns
        -------
        array (n, N)
        """
        parts, mean = [], self._configurations(field)
        while mean.shape[1] > 1:
            even, odd = mean[:, ::2], mean[:, 1::2]
            parts.append((even - odd) * np.sqrt(0.5))
            mean = (even + odd) * np.sqrt(0.5)
        return np.hstack([mean, *parts[::-1]])

    def starts(self, n: int, *, basin: int | None = None, random_state: RandomState = None) -> Floats:
        """Chains of one sign, equilibrated by local moves that stay there.

        Parameters
        ----------
        n : int
        basin : {0, 1}, optional
            Negative or positive magnetisation; every other chain by default.
        random_state : int, Generator or None

        Returns
        -------
        array (n, N)

        Raises
        ------
        ParameterError
            No such basin.
        """
        side = check_basin(basin, BASINS)
        signs = np.where(np.arange(n) % 2, 1.0, -1.0) if side is None else np.full(n, 2.0 * side - 1)
        arch = np.minimum(np.arange(1, self.n_coordinates + 1), np.arange(self.n_coordinates, 0, -1))
        x = self.coefficients(signs[:, None] * np.tanh(arch / (self.a * self.n_coordinates * np.sqrt(2))))
        stiffest = self.beta * (4 * self.a * self.n_coordinates + 2 / (self.a * self.n_coordinates))
        return self._equilibrate(
            x,
            check_random_state(random_state),
            lambda now: now[:, 0] * signs > 0,
            n_stretches=20,
            n_moves=10,
            n_leaps=20,
            step=1 / np.sqrt(stiffest),
        )
