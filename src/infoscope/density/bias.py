"""Samples under a static bias potential: their log density and the potential add up to that without it.

Near one point the potential is constant, so the biased density is exp(-V/kT) times the one looked for, up to one
constant: log density = log density of the biased sample + V/kT - log mean exp(V/kT).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.special import logsumexp

from infoscope.base import DataError, ParameterError, warn
from infoscope.base.checks import check_vector
from infoscope.base.contents import numbers
from infoscope.neighbors import Space, item_name
from infoscope.statistics import bias_differences, bias_sentence

from .unique_points import Sample

SAME = 1e-6  # kT by which the potential of repeats of one point may differ


@dataclass(frozen=True, eq=False)
class Bias:
    """A bias potential at the points of a sample.

    Attributes
    ----------
    potential : array (U,)
        In units of kT.
    constant : float
        log mean exp(potential): what keeps the density normalised.
    warning : str
        Where it is no function of the features: what is wrong.
    """

    potential: np.ndarray = field(repr=False)
    constant: float
    warning: str = ""

    _contents = {"potential": numbers("U", finite=True)}

    def removed(self, log_density: np.ndarray, potential: np.ndarray) -> np.ndarray:
        """Log density without the potential, from that of the biased sample."""
        return log_density + potential - self.constant


def bias_of_points(bias, sample: Sample, space: Space | None = None) -> Bias:
    """The potential of every item as one of every point; `space` names the items in errors.

    Raises
    ------
    DataError
        Not one finite number an item; items that are equal but have different potentials; a potential that grew while
        items were seen.
    ParameterError
        Together with statistical weights.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.density.bias import bias_of_points
    >>> from infoscope.density.unique_points import make_sample
    >>> from infoscope.neighbors import Space
    >>> sample = make_sample(Space(np.array([[0.0], [1.0], [1.5], [3.0]])), 3)
    >>> bias_of_points([0.0, 0.0, 0.0, 0.0], sample).constant
    0.0
    """
    values = check_vector(bias, "bias", length=len(sample.point_of_item))
    if sample.weighted or (sample.point_of_item < 0).any():
        raise ParameterError("bias and sample_weight are two ways to say the same: pass one of them")
    point, n = sample.point_of_item, len(sample.weight)
    low, high = np.full(n, np.inf), np.full(n, -np.inf)
    np.minimum.at(low, point, values)
    np.maximum.at(high, point, values)
    if (apart := high - low).max() > SAME:
        first, second = (item_name(space, int(item)) for item in np.flatnonzero(point == np.argmax(apart))[:2])
        raise DataError(
            f"{first} and {second} are equal, but their bias differs by {apart.max():.3g} kT: the potential must "
            "depend on the features alone; add the coordinate it acts on, or pass sample_weight=exp(bias)"
        )
    constant = logsumexp(values) - np.log(len(values))
    potential = (low + high) / 2
    return Bias(potential, float(constant), _checked_differences(potential, sample, space))


def _checked_differences(potential: np.ndarray, sample: Sample, space: Space | None) -> str:
    """What is wrong with a potential of which neighbours have different values; an error where it grew with time."""
    clock = None
    if space is not None and space.time is not None:
        clock = np.empty(len(potential))
        clock[sample.point_of_item[::-1]] = space.time[::-1]  # of equal items, the first
    found = bias_differences(potential, sample.table.items, clock)
    sentence = bias_sentence(found)
    if found.grows and found.differs:
        raise DataError(sentence)
    if sentence:
        warn(sentence)
    return sentence
