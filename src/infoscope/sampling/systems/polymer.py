"""A short chain in a Lennard-Jones solvent, compact or extended."""

from __future__ import annotations

import numpy as np

from infoscope.base import DataError, ParameterError
from infoscope.base.array_types import Floats
from infoscope.base.checks import RandomState, check_positive_int, check_random_state
from infoscope.sampling.variables import SubsetVariables

from .distances import DistanceVariables
from .kinds import POLYMER
from .particles import ParticleSystem
from .system import check_basin

BASINS = ("compact", "extended")
SPRING, BOND, SECOND = 500.0, 1.0, 1.63  # constant, rest length to the next bead and to the one after
MIDDLE, WIDTH = 4.62, 0.8  # of the double well: minima at MIDDLE -+ sqrt(2) WIDTH
TRIES = 20_000


class PolymerInSolvent(ParticleSystem):
    """A chain of beads in a solvent of points, with a double well of its end-to-end distance.

    In units of the pairs: solvent pairs and pairs of solvent and bead have the Lennard-Jones energy, switched off
    between r = 2 and 2.5 by (c - r^2)^2 (c + 2 r^2 - 3 o) / (c - o)^3, c = 2.5^2, o = 2^2.  Within the chain, distances
    are not those of nearest images: springs 250 (d - 1)^2 to the next bead and 250 (d - 1.63)^2 to the one after, the
    same switched energy from the third on, and k [u^4 / 4 - u^2], u = (d - 4.62) / 0.8, of the two ends, with minima at
    3.489 and 5.751.

    Parameters
    ----------
    n_solvent, n_beads : int
    density : float
        Of the solvent in the box.
    kT : float
    k : float
        Depth of the double well, in units of the pairs.
    skin : float
        Of the neighbour list; it changes the speed alone.
    n_jobs : int, optional
        Threads, as in `available_threads`.

    Attributes
    ----------
    variables : DistanceVariables
        The end-to-end distance.
    bead_variables : SubsetVariables
        All coordinates of the beads, for the subset embedding.
    shape_variables : DistanceVariables
        The 3 n - 6 distances d(i, i + 1), d(i, i + 2) and d(0, k), k > 2, which fix the chain's shape up to mirrors.

    Raises
    ------
    ParameterError
        A box too small, constants that are not positive.

    References
    ----------
    Tamagnone, Laio, Gabrié (2024), J. Chem. Theory Comput. 20, 7796; Schönle, Carbone, Gabrié, Lelièvre, Stoltz (2025),
    arXiv:2512.16812.

    Examples
    --------
    >>> from infoscope.sampling.systems import PolymerInSolvent
    >>> polymer = PolymerInSolvent()
    >>> x = polymer.starts(1, basin=1, random_state=0)
    >>> x.shape, round(polymer.box, 3), bool(polymer.variables.values(x)[0, 0] > 4.62)
    ((1, 627), 7.469, True)
    """

    kind = POLYMER
    n_dim, cutoff, onset = 3, 2.5, 2.0

    def __init__(
        self,
        n_solvent: int = 200,
        n_beads: int = 9,
        *,
        density: float = 0.48,
        kT: float = 1.3,
        k: float = 9.1,
        skin: float = 0.45,
        n_jobs: int | None = None,
    ) -> None:
        self.n_molecule = check_positive_int(n_beads, "n_beads", 4)
        self.n_points = check_positive_int(n_solvent, "n_solvent") + self.n_molecule
        if not (density > 0 and kT > 0 and k > 0 and skin > 0):
            raise ParameterError(f"density is {density!r}, kT {kT!r}, k {k!r}, skin {skin!r}: all are positive")
        self.box, self.kT, self.k = float((n_solvent / density) ** (1 / 3)), float(kT), float(k)
        self.skin, self.n_jobs = float(skin), n_jobs
        self._molecule = np.array([SPRING, BOND, SECOND, self.k, MIDDLE, WIDTH])
        self.n_coordinates, self.gradient_seconds = 3 * self.n_points, 2e-7 * self.n_points
        self._check_box()

    def __repr__(self) -> str:
        n_solvent = self.n_points - self.n_molecule
        return f"PolymerInSolvent({n_solvent}, {self.n_molecule}, box={self.box:.4g}, kT={self.kT:g})"

    @property
    def variables(self) -> DistanceVariables:
        """The end-to-end distance."""
        return DistanceVariables([(0, self.n_molecule - 1)], n_dim=3, names=["end_to_end"])

    @property
    def bead_variables(self) -> SubsetVariables:
        """All coordinates of the beads."""
        names = [f"{axis}{bead}" for bead in range(self.n_molecule) for axis in "xyz"]
        return SubsetVariables(range(3 * self.n_molecule), n_coordinates=self.n_coordinates, names=names)

    @property
    def shape_variables(self) -> DistanceVariables:
        """Distances to the next bead and the one after, and of all others to the first."""
        n = self.n_molecule
        near = [(i, i + apart) for apart in (1, 2) for i in range(n - apart)]
        return DistanceVariables(near + [(0, bead) for bead in range(3, n)], n_dim=3)

    def starts(self, n: int, *, basin: int | None = None, random_state: RandomState = None) -> Floats:
        """Configurations equilibrated by local moves within a basin.

        Parameters
        ----------
        n : int
        basin : {0, 1}, optional
            Compact or extended (on which side of 4.62 the end-to-end distance is); every other chain by default.
        random_state : int, Generator or None

        Returns
        -------
        array (n, D)

        Raises
        ------
        ParameterError
            No such basin.
        DataError
            A chain that cannot have the end-to-end distance of the basin.
        """
        side, rng = check_basin(basin, BASINS), check_random_state(random_state)
        extended = np.arange(n) % 2 == 1 if side is None else np.full(n, side == 1)
        targets = MIDDLE + np.where(extended, 1, -1) * np.sqrt(2) * WIDTH
        chains = [
            _random_chain(self.n_molecule, target, one) for target, one in zip(targets, rng.spawn(n), strict=True)
        ]
        x = self._descend(self._fill(np.array(chains)))

        def inside(now: Floats) -> np.ndarray:
            return (self.variables.values(now)[:, 0] > MIDDLE) == extended

        return self._equilibrate(x, rng, inside, n_stretches=60, n_moves=2, n_leaps=20, step=0.015)


def _random_chain(n: int, end_to_end: float, rng: np.random.Generator) -> Floats:
    """Beads with rest lengths, random torsions and about this distance of the ends, none closer than 0.9."""
    cosine = 1 - SECOND**2 / (2 * BOND**2)  # of the angle at a bead
    sine = np.sqrt(1 - cosine**2)
    for _ in range(TRIES):
        points = [np.zeros(3), np.array([BOND, 0.0, 0.0])]
        points.append(points[1] + BOND * np.array([-cosine, sine, 0.0]))
        for torsion in rng.uniform(-np.pi, np.pi, n - 3):
            forward = (points[-1] - points[-2]) / BOND
            normal = np.cross(points[-2] - points[-3], forward)
            normal /= np.linalg.norm(normal)
            across = np.cross(normal, forward)
            turned = np.cos(torsion) * across + np.sin(torsion) * normal
            points.append(points[-1] + BOND * (-cosine * forward + sine * turned))
        chain = np.array(points)
        away = np.linalg.norm(chain[:, None] - chain, axis=2)[np.triu_indices(n, 3)]
        if abs(np.linalg.norm(chain[-1] - chain[0]) - end_to_end) < 0.1 and away.min() > 0.9:
            return chain
    raise DataError(f"no chain of {n} beads with its ends {end_to_end:.3g} apart was found")
