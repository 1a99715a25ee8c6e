"""Effective numbers of weighted rows."""

from __future__ import annotations

from typing import Any

from infoscope.base.checks import check_sample_weight


def effective_sample_size(sample_weight: Any) -> float:
    """Kish's effective number of rows, (sum w)^2 / sum w^2.

    Parameters
    ----------
    sample_weight : array_like, shape (N,)
        Finite, not negative, not all zero; the scale does not matter.

    Returns
    -------
    float
        Between 1 (one row has all the weight) and N (equal weights).

    Raises
    ------
    DataError
        If the weights are not valid.

    References
    ----------
    Kish, L. (1965). Survey Sampling. Wiley.

    Examples
    --------
    >>> from infoscope.statistics import effective_sample_size
    >>> effective_sample_size([1, 1, 2])
    2.6666666666666665
    """
    weight = check_sample_weight(sample_weight, len(sample_weight)).astype(float)
    weight = weight / weight.max()  # the squares of very large or small weights stay finite
    return float(weight.sum() ** 2 / (weight**2).sum())
