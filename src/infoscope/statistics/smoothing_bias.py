"""What densities from neighbours miss because the density changes within a neighbourhood."""

from __future__ import annotations

OFF = 2.5  # standard errors by which a value may be expected to be off before that is said


def smoothing_bias(near: float, wide: float, factor: float, n_dimensions: float) -> float:
    """By how much an average over log densities of k neighbours is off, from that of `factor` times as many.

    Where the density is smooth its mean over a ball of radius r differs from its value at the middle by order r^2, and
    k neighbours fill a ball with r^D in proportion to k: the bias b grows like k^(2/D), and b (factor^(2/D) - 1) is the
    difference that is seen.  Balls that hold much of the data are wider than that law is good for: then b is too large,
    but there it is large.

    Parameters
    ----------
    near, wide : float
        The averages with k and with `factor` times k neighbours.
    factor : float
        Above 1.
    n_dimensions : float
        D.

    Returns
    -------
    float

    Examples
    --------
    >>> from infoscope.statistics.smoothing_bias import smoothing_bias
    >>> round(smoothing_bias(1.0, 1.3, 4, 2), 12)  # in a plane the bias is in proportion to k
    0.1
    """
    return (wide - near) / (factor ** (2 / n_dimensions) - 1)
