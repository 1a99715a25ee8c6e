"""Markov chains of tokens: how well each can be predicted, in closed form."""

from __future__ import annotations

from typing import Any

import numpy as np

from infoscope.base import DataError, provenance
from infoscope.base.checks import check_positive_int

from .exact_kernels import STOCHASTIC, stationary_law
from .exact_results import MarkovFloors
from .token_arrays import check_alphabet


def markov_floors(transition: Any, *, length: int | None = None) -> MarkovFloors:
    """Smallest losses on a stationary Markov chain: of a token alone, after the one before, between its two neighbours.

    Parameters
    ----------
    transition : array (V, V)
        Entry (a, b): probability of b after a.
    length : int, optional
        Sites of windows cut from the chain: their mean masked loss, whose two ends have one neighbour only, is
        ``window``.

    Returns
    -------
    MarkovFloors

    Raises
    ------
    DataError
        No transition matrix, or one with several stationary laws.

    Examples
    --------
    >>> from infoscope import markov_floors
    >>> found = markov_floors([[0.9, 0.1], [0.1, 0.9]], length=8)
    >>> round(found.independent, 4), round(found.next_token, 4), round(found.masked, 4), round(found.window, 4)
    (0.6931, 0.3251, 0.1788, 0.2154)
    """
    p = np.asarray(transition, np.float64)
    if p.ndim != 2 or p.shape[0] != p.shape[1] or not np.isfinite(p).all():
        raise DataError(f"transition has shape {p.shape}, or is not finite: pass (V, V), the next token in columns")
    check_alphabet(len(p))
    if p.min() < 0 or np.abs(p.sum(1) - 1).max() > STOCHASTIC:
        raise DataError("transition is no matrix of probabilities: rows must add up to one, entries not be negative")
    law = stationary_law(p)
    two_steps = p @ p
    middle = p[:, :, None] * p[None]  # (before, token, after)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = np.where(middle > 0, np.log(middle / two_steps[:, None, :]), 0.0)
    next_token = float(-(law[:, None] * _times_log(p)).sum())
    masked = float(-(law[:, None, None] * middle * between).sum())
    window = None
    if length is not None:
        length = check_positive_int(length, "length", 2)
        # given the one after, a token is as uncertain as given the one before: H(s) + H(s'|s) - H(s')
        window = ((length - 2) * masked + 2 * next_token) / length
    return MarkovFloors(
        independent=float(-_times_log(law).sum()),
        next_token=next_token,
        masked=masked,
        window=window,
        stationary=law,
        length=length,
        provenance=provenance("markov_floors", dict(length=length), None, p),
    )


def _times_log(p: np.ndarray) -> np.ndarray:
    return p * np.log(np.where(p > 0, p, 1.0))
