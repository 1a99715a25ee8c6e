"""A dimer with two bond lengths in a repulsive solvent, which must make room for the longer one."""

from __future__ import annotations

import numpy as np

from infoscope.base import ParameterError
from infoscope.base.array_types import ArrayLike, Floats
from infoscope.base.checks import RandomState, check_positive_int, check_random_state

from .distances import DistanceVariables
from .kinds import DIMER
from .particles import ParticleSystem
from .system import check_basin

BASINS = ("compact", "stretched")
R0 = 2 ** (1 / 6)  # where the repulsion ends


class DimerInSolvent(ParticleSystem):
    """Points in a periodic square; all pairs repel but the first two, which a double well of their distance binds.

    Pairs have the energy 4 (r^-12 - r^-6) + 1 below r0 = 2^(1/6) and none beyond (WCA, lengths and energies in units of
    the pair's own, kT = 1); the bond has h [1 - (r - r0 - w)^2 / w^2]^2, with minima at r0 and r0 + 2w.  The variable
    is (r - r0) / 2w: 0 compact, 1 stretched.

    Parameters
    ----------
    n_points : int
        The dimer included.
    box : float
        Side of the square.
    h, w : float
        Height of the barrier in kT, and half the distance between the minima.
    skin : float
        Of the neighbour list; it changes the speed alone.
    n_jobs : int, optional
        Threads, as in `available_threads`.

    Raises
    ------
    ParameterError
        A box too small, heights or widths that are not positive.

    References
    ----------
    Schönle, Carbone, Gabrié, Lelièvre, Stoltz (2025), arXiv:2512.16812.

    Examples
    --------
    >>> from infoscope.sampling.systems import DimerInSolvent
    >>> dimer = DimerInSolvent()
    >>> x = dimer.starts(2, basin=0, random_state=0)
    >>> x.shape, dimer.variables.names, bool((dimer.variables.values(x) < 0.5).all())
    ((2, 200), ('bond',), True)
    """

    kind = DIMER
    n_dim, n_molecule, cutoff, onset = 2, 2, R0, R0

    def __init__(
        self,
        n_points: int = 100,
        *,
        box: float = 15.0,
        h: float = 2.0,
        w: float = 2.0,
        skin: float = 0.6,
        n_jobs: int | None = None,
    ) -> None:
        self.n_points, self.box, self.skin = check_positive_int(n_points, "n_points", 2), float(box), float(skin)
        if not (h > 0 and w > 0 and skin > 0):
            raise ParameterError(f"h is {h!r}, w {w!r}, skin {skin!r}: all are positive")
        self.h, self.w, self.r0, self.n_jobs = float(h), float(w), R0, n_jobs
        self._molecule = np.array([self.h, self.w, self.r0])
        self.n_coordinates, self.gradient_seconds = 2 * self.n_points, 1e-7 * self.n_points
        self._check_box()

    def __repr__(self) -> str:
        return f"DimerInSolvent({self.n_points}, box={self.box:g}, h={self.h:g}, w={self.w:g})"

    @property
    def variables(self) -> DistanceVariables:
        """(r - r0) / 2w."""
        scale = 1 / (2 * self.w)
        return DistanceVariables([(0, 1)], n_dim=2, box=self.box, scale=scale, offset=-self.r0 * scale, names=["bond"])

    def bond_energy(self, r: ArrayLike) -> Floats:
        """h [1 - (r - r0 - w)^2 / w^2]^2.

        Parameters
        ----------
        r : array
            Bond lengths.

        Returns
        -------
        array, shape of r
            In kT.
        """
        return np.asarray(self.h * (1 - (np.asarray(r, np.float64) - self.r0 - self.w) ** 2 / self.w**2) ** 2)

    def starts(self, n: int, *, basin: int | None = None, random_state: RandomState = None) -> Floats:
        """Configurations equilibrated by local moves within a basin.

        Parameters
        ----------
        n : int
        basin : {0, 1}, optional
            Compact or stretched (on which side of the barrier at r0 + w); every other chain by default.
        random_state : int, Generator or None

        Returns
        -------
        array (n, D)

        Raises
        ------
        ParameterError
            No such basin.
        """
        side, rng = check_basin(basin, BASINS), check_random_state(random_state)
        stretched = np.arange(n) % 2 == 1 if side is None else np.full(n, side == 1)
        half = np.where(stretched, self.r0 + 2 * self.w, self.r0)[:, None] / 2 * np.array([1.0, 0.0])
        x = self._descend(self._fill(self.box / 2 + np.stack([-half, half], axis=1)))

        def inside(now: Floats) -> np.ndarray:
            return (self.variables.values(now)[:, 0] > 0.5) == stretched

        return self._equilibrate(x, rng, inside, n_stretches=150, n_moves=1, n_leaps=20, step=0.02)
