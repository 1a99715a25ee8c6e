"""What densities from neighbours miss because the density changes within a neighbourhood."""

from __future__ import annotations

import math

from infoscope.base.rounding import exceeds

WIDER = 4  # times as many neighbours are asked too, to see what wide neighbourhoods miss
ROWS = 2  # for each of these neighbours, from which they say something
# Of the entropy of normal columns (2 to 20; 30 to 300 rows) a fifth to a third of what the law below says is true, and
# values for 3 and 12 neighbours differ by chance by 0.75 errors in one column, 0.3 in ten: two deviations in many.
HALF, NOISE = 0.5, 0.8
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


def hidden_by_width(near: float, wide: float, factor: float, n_dimensions: float, noise: float) -> float:
    """What wide neighbourhoods may hide, for the error of an average: `smoothing_bias`, less what is noise.

    Parameters
    ----------
    near, wide, factor, n_dimensions
        As above.
    noise : float
        What the difference of both may be by chance: a bias b counts as the root of what b^2 has beyond its square.

    Returns
    -------
    float

    Examples
    --------
    >>> from infoscope.statistics.smoothing_bias import hidden_by_width
    >>> round(hidden_by_width(1.0, 1.3, 4, 2, 0.0), 12), hidden_by_width(1.0, 1.3, 4, 2, 0.4)
    (0.1, 0.0)
    """
    seen = math.sqrt(max((wide - near) ** 2 - noise**2, 0.0))
    return smoothing_bias(0.0, seen, factor, n_dimensions)


def width_of_entropy(
    near: float,
    wide: float,
    *,
    k: int,
    n_rows: int,
    se: float,
    n_dimensions: float,
    unit: str = "nats",
    scale: float = 1.0,
) -> tuple[float, str]:
    """What the width of k neighbourhoods may hide from the error of an entropy, and what is said where that is much.

    Parameters
    ----------
    near, wide : float
        The entropies with k and with `WIDER` times k neighbours, in nats.
    k, n_rows : int
    se : float
        The standard error by the rows.
    n_dimensions : float
        D.
    unit, scale : str, float
        For the sentence: nats in a unit.

    Returns
    -------
    hidden : float
        For the error, in nats: half of `hidden_by_width`; 0 where there are too few rows to tell.
    said : str
        As of `entropy_is_off`; "" where there are too few rows, of which that is said.

    Examples
    --------
    >>> from infoscope.statistics.smoothing_bias import width_of_entropy
    >>> hidden, said = width_of_entropy(1.0, 1.3, k=3, n_rows=30, se=0.0, n_dimensions=2)
    >>> round(hidden, 12), said
    (0.05, '')
    """
    if not math.isfinite(se) or ROWS * WIDER * k > n_rows:
        return 0.0, ""
    hidden = HALF * hidden_by_width(near, wide, WIDER, n_dimensions, NOISE * se)
    if WIDER**2 * k > n_rows:
        return hidden, ""
    return hidden, entropy_is_off(near, wide, k=k, se=se, n_dimensions=n_dimensions, unit=unit, scale=scale)


def entropy_is_off(
    near: float, wide: float, *, k: int, se: float, n_dimensions: float, unit: str = "nats", scale: float = 1.0
) -> str:
    """What is said of an entropy of k neighbours where the density changes among these by more than its error; or "".

    Parameters
    ----------
    near, wide : float
        The entropy with k and with `WIDER` times k neighbours, in nats.
    k : int
    se : float
        The standard error.
    n_dimensions : float
        D.
    unit : str
        For the sentence.
    scale : float
        Nats in a unit.

    Returns
    -------
    str

    Examples
    --------
    >>> from infoscope.statistics.smoothing_bias import entropy_is_off
    >>> entropy_is_off(1.0, 1.01, k=3, se=0.1, n_dimensions=2)
    ''
    """
    off = smoothing_bias(near, wide, WIDER, n_dimensions)
    if not math.isfinite(se) or not exceeds(abs(off), OFF * se, abs(near)):
        return ""
    return (
        f"its neighbourhoods are so wide that the density changes in them: {k} neighbours give {near / scale:.3g} "
        f"{unit}, {WIDER * k} give {wide / scale:.3g}, and in {n_dimensions:.3g} dimensions a radius hardly falls with "
        f"more rows; it may be off by up to {abs(off) / scale:.2g} {unit}, half of which its error holds"
    )
