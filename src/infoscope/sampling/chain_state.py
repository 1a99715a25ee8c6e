"""Where the chains are, with what is known there."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .interfaces import Potential
from .targets import check_start


class ChainState(NamedTuple):
    """Configurations of n chains, with their potentials and gradients, so that no move computes them again.

    A checkpoint keeps all three: energies computed anew may differ in their last bit.

    Attributes
    ----------
    x : ndarray, shape (n, D)
    energy : ndarray, shape (n,)
    gradient : ndarray, shape (n, D)
    """

    x: np.ndarray
    energy: np.ndarray
    gradient: np.ndarray

    def moved(self, accepted: np.ndarray, x: np.ndarray, energy: np.ndarray, gradient: np.ndarray) -> ChainState:
        """The accepted chains at their new place, with all that is known there; the others as they are."""
        column = accepted[:, None]
        return ChainState(
            np.where(column, x, self.x),
            np.where(accepted, energy, self.energy),
            np.where(column, gradient, self.gradient),
        )


def start_chains(target: Potential, x: Any) -> ChainState:
    """Chains at their first configurations.

    Parameters
    ----------
    target : Potential
    x : array (n_chains, D)

    Returns
    -------
    ChainState

    Raises
    ------
    DataError
        As `targets.check_start`.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.sampling import Target
    >>> from infoscope.sampling.chain_state import start_chains
    >>> spring = Target(lambda x: (x**2).sum(1), lambda x: 2 * x, n_coordinates=3)
    >>> start_chains(spring, np.ones((2, 3))).energy
    array([3., 3.])
    """
    start = check_start(target, x)
    return ChainState(start, *target.energy_and_gradient(start))
