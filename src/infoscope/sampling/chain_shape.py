"""Shapes of a chain of beads: the distances that fix one, and the density of coordinates that follows from theirs."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.exceptions import NotFittedError

from infoscope.base.array_types import Floats
from infoscope.base.contents import holds, whole
from infoscope.base.errors import DataError, ParameterError

from .interfaces import draw_each
from .learned_proposal import LearnedProposal
from .mixtures import GaussianMixtureProposal


class ChainShapeProposal(LearnedProposal):
    """A law of the 3 n - 6 distances that fix the shape of a chain of n beads, as a law of the beads' coordinates.

    The distances are those to the next bead, to the one after, and of all further ones to the first; they leave n - 3
    mirror images, the rotation and the place of the first bead, which are drawn evenly.  Distances that no triangle has
    are drawn again; that constant is left out of `log_prob`.

    Parameters
    ----------
    proposal : Proposal, optional
        Of the distances; a `GaussianMixtureProposal` if not given.  One with a `fit` of its own is copied and fitted.
    box : sequence of 3 floats, optional
        Lengths of a periodic box; the variables are then the 3 n coordinates of all beads, the first one anywhere in
        the box and the others where the chain puts them, which may be outside.  Without a box they are the 3 n - 3
        coordinates of all but the first bead, seen from it.

    Attributes
    ----------
    proposal_ : Proposal
        Of the distances, fitted.

    Raises
    ------
    DataError
        If the number of variables is no chain of three beads or more.
    ParameterError
        If `box` is not three positive lengths.

    Notes
    -----
    ``ln q = ln q_distances - ln |det dx / dd| - 2 ln d_01 - ln y_2 - ln 8 pi^2 - (n - 3) ln 2``, with y_2 the height of
    bead 2 above the line through beads 0 and 1, and x what rotations leave of the coordinates.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.sampling import ChainShapeProposal
    >>> steps = np.random.default_rng(0).normal(size=(200, 3, 3))
    >>> chain = ChainShapeProposal().fit(steps.cumsum(axis=1).reshape(200, 9))
    >>> chain.sample(2, np.random.default_rng(1)).shape
    (2, 9)
    """

    _contents = {"n_features_in_": whole(6), "proposal_": holds(object)}

    def __init__(self, proposal: Any = None, *, box: Any = None):
        self.proposal = proposal
        self.box = box

    # --------------------------------------------------------------------------------------------------------- steps
    def _learn(self, z: Floats, weight: Floats) -> None:
        distances = chain_distances(self._beads(z))
        self.proposal_ = GaussianMixtureProposal() if self.proposal is None else copy.deepcopy(self.proposal)
        if hasattr(self.proposal_, "fit"):
            self.proposal_.fit(distances, sample_weight=weight)

    def _learn_more(self, z: Floats, weight: Floats) -> None:
        if hasattr(self.proposal_, "partial_fit"):
            self.proposal_.partial_fit(chain_distances(self._beads(z)), sample_weight=weight)

    def _lengths(self) -> Floats | None:
        if self.box is None:
            return None
        lengths = np.asarray(self.box, dtype=np.float64)
        if lengths.shape != (3,) or not (np.isfinite(lengths) & (lengths > 0)).all():
            raise ParameterError(f"box is {self.box!r}: three positive lengths are needed")
        return lengths

    def _beads(self, z: Floats) -> Floats:
        """Beads (n, beads, 3), the first at the origin."""
        given = 0 if self._lengths() is None else 1
        if z.shape[1] % 3 or z.shape[1] // 3 + 1 - given < 3:
            raise DataError(
                f"{z.shape[1]} variables are no chain: three coordinates for each of three beads or more are needed, "
                f"{'the first one included, for there is a box' if given else 'without the first one'}"
            )
        beads = z.reshape(len(z), -1, 3)
        return beads - beads[:, :1] if given else np.concatenate([np.zeros((len(z), 1, 3)), beads], axis=1)

    def _inner(self) -> Any:
        if not hasattr(self, "proposal_"):
            raise NotFittedError("this ChainShapeProposal has not seen chains yet: call fit first")
        return self.proposal_

    def _draw(self, n: int, rng: np.random.Generator) -> Floats:
        distances = self._inner().sample(n, rng)
        return self._place(distances, *self._evenly(n, distances.shape[1] // 3 - 1, rng))

    def _draw_each(self, generators: Sequence[np.random.Generator]) -> Floats:
        distances = draw_each(self._inner(), generators)
        evenly = [self._evenly(1, distances.shape[1] // 3 - 1, rng) for rng in generators]
        return self._place(distances, *(np.concatenate(parts) for parts in zip(*evenly, strict=True)))

    def _evenly(self, n: int, n_mirrors: int, rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
        """Mirror signs, quaternions of rotations, and places in the box as shares of it."""
        signs = 2.0 * rng.integers(2, size=(n, n_mirrors)) - 1
        return signs, rng.standard_normal((n, 4)), rng.random((n, 3)) if self.box is not None else np.empty((n, 3))

    def _place(self, distances: Floats, signs: Floats, quaternions: Floats, shares: Floats) -> Floats:
        beads = rotate(place_beads(distances, signs), quaternions)
        lengths = self._lengths()
        placed = beads[:, 1:] if lengths is None else beads + (shares * lengths)[:, None]
        return placed.reshape(len(distances), -1)

    def _inside(self, z: Floats) -> Any:
        return np.isfinite(z).all(axis=1)  # else distances that no triangle has

    def _log_density(self, z: Floats) -> Floats:
        beads, lengths = self._beads(z), self._lengths()
        density = self._inner().log_prob(chain_distances(beads)) - log_volume(beads)
        density -= 0.0 if lengths is None else np.log(lengths).sum()
        return np.where(np.isfinite(density), density, -np.inf)  # of beads on one line


def chain_distances(beads: Floats) -> Floats:
    """Distances to the next bead, to the one after, and of bead 3 and all further ones to the first: (n, 3 beads - 6).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.sampling.chain_shape import chain_distances
    >>> chain_distances(np.array([[[0.0, 0, 0], [3, 0, 0], [3, 4, 0]]]))
    array([[3., 4., 5.]])
    """
    n = beads.shape[1]
    pairs = [(i, i + 1) for i in range(n - 1)] + [(i, i + 2) for i in range(n - 2)] + [(0, k) for k in range(3, n)]
    first, second = np.array(pairs).T
    return _length(beads[:, second] - beads[:, first])


def place_beads(distances: Floats, signs: Floats) -> Floats:
    """Beads (n, beads, 3) with these distances: bead 0 at the origin, bead 1 on the x axis, bead 2 in the xy plane.

    Every further bead is where three spheres meet, on the side that its sign says; NaN where they do not.
    """
    n = distances.shape[1] // 3 + 2
    nexts, seconds, firsts = np.split(distances, [n - 1, 2 * n - 3], axis=1)
    beads = np.full((len(distances), n, 3), np.nan)
    beads[:, 0] = 0.0
    with np.errstate(invalid="ignore", divide="ignore"):
        beads[:, 1] = nexts[:, :1] * [1.0, 0.0, 0.0]
        x = (nexts[:, 0] ** 2 + seconds[:, 0] ** 2 - nexts[:, 1] ** 2) / (2 * nexts[:, 0])
        beads[:, 2] = np.stack([x, np.sqrt(seconds[:, 0] ** 2 - x**2), np.zeros_like(x)], axis=1)
        for k in range(3, n):
            beads[:, k] = _meet(
                beads[:, k - 2], beads[:, k - 1], firsts[:, k - 3], seconds[:, k - 2], nexts[:, k - 1], signs[:, k - 3]
            )
    beads[(distances <= 0).any(axis=1)] = np.nan
    return beads


def log_volume(beads: Floats) -> Floats:
    """ln of the volume of coordinates for that of distances, of mirror images, rotations and all: (n,).

    The distances of a bead to three others have unit vectors as gradients; their determinant is that of the three
    vectors over the product of the distances, and a bead depends on no later one, so determinants multiply.
    """
    n = beads.shape[1]
    first, second = beads[:, 1], beads[:, 2]
    d01, d12 = _length(first), _length(second - first)
    height = _length(np.cross(first, second)) / d01
    with np.errstate(divide="ignore", invalid="ignore"):
        # bead 2 in its plane, then the rotations: bead 1 anywhere on its sphere, bead 2 anywhere on its circle
        found = np.log(_length(second) * d12 / (d01 * height)) + 2 * np.log(d01) + np.log(height)
        for k in range(3, n):
            at, a, b = beads[:, k], beads[:, k - 2], beads[:, k - 1]
            triple = abs((at * np.cross(a, b)).sum(axis=1))
            found = found + np.log(_length(at) * _length(at - a) * _length(at - b) / triple)
    return np.asarray(found + math.log(8 * math.pi**2) + (n - 3) * math.log(2))


def rotate(beads: Floats, quaternions: Floats) -> Floats:
    """Beads (n, beads, 3) turned by quaternions (n, 4) of any length; normal ones make all rotations equally likely."""
    w, v = np.split(quaternions / _length(quaternions)[:, None], [1], axis=1)
    v = np.broadcast_to(v[:, None], beads.shape)
    across = 2 * np.cross(v, beads)
    return np.asarray(beads + w[:, None] * across + np.cross(v, across))


# --------------------------------------------------------------------------------------------------------------- steps
def _length(vectors: Floats) -> Floats:
    return np.asarray(np.sqrt((vectors**2).sum(axis=-1)))


def _meet(a: Floats, b: Floats, r0: Floats, ra: Floats, rb: Floats, sign: Floats) -> Floats:
    """The point at r0 from the origin, ra from a and rb from b, on the side of a x b that the sign says."""
    length = _length(a)
    along = a / length[:, None]
    b_along = (along * b).sum(axis=1)
    across = b - b_along[:, None] * along
    b_across = _length(across)
    across = across / b_across[:, None]
    x = (r0**2 - ra**2 + length**2) / (2 * length)
    y = (r0**2 - rb**2 + b_along**2 + b_across**2 - 2 * b_along * x) / (2 * b_across)
    z = sign * np.sqrt(r0**2 - x**2 - y**2)
    return np.asarray(x[:, None] * along + y[:, None] * across + z[:, None] * np.cross(along, across))
