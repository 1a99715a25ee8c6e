"""What systems of points in a periodic box share: the room of their neighbour list, and how they are first placed."""

from __future__ import annotations

import numpy as np

from infoscope.base import ParameterError
from infoscope.base.array_types import Floats

from .neighbor_list import ParticleTerms
from .system import BuiltInSystem

LARGEST_MOVE = 0.05  # of a point in a step of descent
DESCENT = 300  # steps
MAX_CELLS = 64  # along a side
CHUNK = 512  # pairs whose differences are in cache


class ParticleSystem(BuiltInSystem):
    """A molecule, whose points come first, and a solvent of points in a periodic cube of nearest images.

    Coordinates are unwrapped: (x_0, y_0, ..., x_1, y_1, ...), and a point may leave the box on one side without coming
    in on the other.  Pairs stand in a neighbour list that is made anew whenever two points may have come closer by more
    than its skin, so that it always holds every pair within the cutoff.
    """

    n_points: int
    n_molecule: int
    n_dim: int
    box: float
    cutoff: float
    onset: float
    skin: float
    _molecule: Floats

    def _terms(self) -> ParticleTerms:
        n, n_pairs = self.n_points, self.n_points * (self.n_points - 1) // 2
        room = max(n, CHUNK)
        side = min(int(self.box / (self.cutoff + self.skin)), MAX_CELLS)
        return ParticleTerms(
            self.n_dim, n, self.n_molecule, self.box, self.cutoff, self.onset, self.skin, self.kT, self._molecule,
            np.zeros(n + 1, np.int64), np.zeros(n_pairs + 1, np.uint32), np.zeros(n * self.n_dim), np.zeros((3, room)),
            np.zeros(room), np.zeros(side**self.n_dim if side >= 3 else 0, np.int64), np.zeros(n, np.int64),
        )  # fmt: skip

    def points(self, x: Floats) -> Floats:
        """Configurations as points.

        Parameters
        ----------
        x : array (n, D)

        Returns
        -------
        array (n, N, n_dim)
        """
        return self._configurations(x).reshape(len(x), self.n_points, self.n_dim)

    def _check_box(self) -> None:
        if not self.box > 2 * self.cutoff:
            raise ParameterError(
                f"the box is {self.box:g} wide, and pairs reach {self.cutoff:g}: nearest images need more than "
                f"{2 * self.cutoff:g}"
            )

    def _fill(self, molecules: Floats) -> Floats:
        """Solvent on a lattice around molecules (n, n_molecule, n_dim), on its sites that are farthest from them."""
        n_solvent = self.n_points - self.n_molecule
        side = int(np.ceil((n_solvent + self.n_molecule) ** (1 / self.n_dim)))
        grid = np.meshgrid(*[np.arange(side) * self.box / side] * self.n_dim, indexing="ij")
        sites, filled = np.stack(grid, axis=-1).reshape(-1, self.n_dim), []
        for molecule in molecules:
            away = sites[:, None] - molecule
            away -= self.box * np.rint(away / self.box)
            nearest = (away**2).sum(-1).min(1)
            chosen = np.sort(np.argsort(-nearest, kind="stable")[:n_solvent])
            filled.append(np.concatenate([molecule, sites[chosen]]).ravel())
        return np.array(filled)

    def _descend(self, x: Floats) -> Floats:
        """Steps down the gradient in which no coordinate moves far, until nothing overlaps."""
        for _ in range(DESCENT):
            gradient = self.energy_and_gradient(x)[1]
            x = x - np.clip(1e-3 * gradient, -LARGEST_MOVE, LARGEST_MOVE)
        return x
