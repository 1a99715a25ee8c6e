"""How much interactions of each order tell of a token, from data: fits of every order, judged on other sequences.

A fit of order k with d parameters to n sequences looks better by d/2n nats on its own sequences than it can be, and
worse by as much on others.  The mean of both is the smallest loss of order k itself, without that bias; the loss on
others alone says whether an order is worth its parameters.  Errors are those of means over sequences: the least of a
loss does not change to first order with the parameters that reach it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from infoscope.base import DataError, DataWarning, check_positive_int, check_random_state, provenance, warn
from infoscope.base.checks import check_positive_number
from infoscope.base.progress import progress
from infoscope.base.rounding import exceeds
from infoscope.statistics import adjust_p_values, student_p_value

from .contrasts import check_features, contrast_features, count_features
from .documents import error_units, unit_means
from .logistic import fit_logits, log_softmax
from .spectrum_results import OrderSpectrum
from .token_arrays import check_order, check_tokens

# The penalty is 1/(spread^2 n), next to none on the constant: it moves the least loss by 1/n^2 only, and keeps fits to
# few sequences so far from the edge that what they gain on these and lose on others stays alike.
SPREAD, CONSTANT_SPREAD = 0.5, 30.0
ENOUGH = 10  # sequences a parameter
CORRELATED = 4.0  # errors at which losses of neighbouring rows are alike
FEWEST = 20  # sequences


def order_spectrum(
    tokens: Any,
    max_order: int = 3,
    *,
    n_tokens: int | None = None,
    run: Any = None,
    floor: float | None = None,
    n_folds: int = 5,
    random_state: Any = 0,
) -> OrderSpectrum:
    """Smallest masked loss of each order of interactions, from data, for small alphabets and short sequences.

    Parameters
    ----------
    tokens : array (n, L) of int
        Sequences.
    max_order : int
        Highest order of interactions.
    n_tokens : int, optional
        V; by default one more than the largest id.
    run : array (n,), optional
        The document of each sequence: sequences of one are kept together in folds and errors.  Fewer than 20 documents
        are cut into stretches.  Without it sequences are taken to be independent.
    floor : float, optional
        The smallest loss of all, in nats a token, where it is known: shares are then of the order-1 loss minus it,
        else minus the loss of `max_order`.
    n_folds : int
        Parts that sequences are dealt into; each is judged by fits to the others.
    random_state : int, Generator, optional
        Deals them.

    Returns
    -------
    OrderSpectrum

    Raises
    ------
    DataError
        No tokens, fewer than 20 sequences, or too few documents.
    ParameterError
        An order above L, or fits that do not fit into memory (then fit an InteractionModel).

    References
    ----------
    Rende, Gerace, Laio, Goldt, NeurIPS 2024 (arXiv 2410.19637), whose clones show the same as curves.

    Examples
    --------
    Spins of which the third is the product of the others, nine times in ten:

    >>> import numpy as np
    >>> from infoscope import order_spectrum
    >>> rng = np.random.default_rng(0)
    >>> s = rng.integers(2, size=(1000, 3))
    >>> s[:, 2] = s[:, 0] ^ s[:, 1] ^ (rng.random(1000) < 0.1)
    >>> found = order_spectrum(s)
    >>> print(found.verdict)
    Orders up to 3 tell 0.327 ± 0.020 nats a token; the highest that tells anything is order 3, with 99.4 ± 0.6 % of it.
    """
    read, n_tokens = check_tokens(tokens, n_tokens, min_sequences=FEWEST)
    n, length = read.shape
    max_order = check_order(max_order, length, "max_order")
    check_features(len(np.unique(read[:, 1:], axis=0)), length - 1, n_tokens, max_order - 1)
    unit, note = error_units(run, n)
    known_floor = None if floor is None else check_positive_number(floor, "floor", zero=True)
    fold = _deal(unit, n, check_positive_int(n_folds, "n_folds", 2), check_random_state(random_state))
    effective = _effective_share(read, n_tokens, unit)
    seen, unseen = _losses_by_sequence(read.astype(np.int64), n_tokens, max_order, fold, effective)
    losses, covariance = unit_means((seen + unseen) / 2, unit)
    n_units = n if unit is None else int(unit.max()) + 1
    held, held_covariance = unit_means(unseen, unit)
    gains, gains_se = _differences(losses, covariance)
    held_gains, held_gains_se = _differences(held, held_covariance)
    p = student_p_value(held_gains, held_gains_se, n_units - 1, size=float(held[0]), alternative="greater")
    told, told_se, shares, shares_se = _shares(losses, covariance, known_floor)
    said = [
        *_of_few(round(n * effective), length, n_tokens, held_gains, held_gains_se),
        *_of_neighbors(unseen[:, 0], run),
    ]
    for text in said:
        warn(text, DataWarning)
    return OrderSpectrum(
        orders=np.arange(1, max_order + 1),
        losses=losses,
        losses_se=np.sqrt(np.diag(covariance)),
        held_out=held,
        held_out_se=np.sqrt(np.diag(held_covariance)),
        gains=gains,
        gains_se=gains_se,
        held_out_gains=held_gains,
        held_out_gains_se=held_gains_se,
        p_values=adjust_p_values(np.atleast_1d(p), "holm") if max_order > 1 else np.zeros(0),
        told=told,
        told_se=told_se,
        shares=shares,
        shares_se=shares_se,
        floor=known_floor,
        length=length,
        n_tokens=n_tokens,
        n_sequences=n,
        n_units=n_units,
        warnings=tuple(said),
        notes=(note,) if note else (),
        provenance=provenance(
            "order_spectrum",
            dict(max_order=max_order, n_tokens=n_tokens, floor=floor, n_folds=n_folds),
            random_state,
            read,
            run,
        ),
    )


# --------------------------------------------------------------------------------------------------------------- steps
class _Contexts(NamedTuple):
    """Different surroundings of one site, and which each sequence has."""

    rows: np.ndarray  # (C, L - 1)
    number: np.ndarray  # (n,)


def _losses_by_sequence(
    tokens: np.ndarray, n_tokens: int, max_order: int, fold: np.ndarray, effective: float
) -> tuple[np.ndarray, np.ndarray]:
    """Losses (n, K), means over sites, by fits that saw a sequence and by those that did not."""
    n, length = tokens.shape
    seen, unseen = np.zeros((n, max_order)), np.zeros((n, max_order))
    with progress(length * max_order, "fits of every order", "fits") as done:
        for site in range(length):
            rows, number = np.unique(np.delete(tokens, site, axis=1), axis=0, return_inverse=True)
            contexts = _Contexts(rows, number.ravel())
            for order in range(1, max_order + 1):
                inside, outside = _site_losses(tokens[:, site], contexts, n_tokens, order, fold, effective)
                seen[:, order - 1] += inside / length
                unseen[:, order - 1] += outside / length
                done.update(1)
    return seen, unseen


def _site_losses(
    token: np.ndarray, contexts: _Contexts, n_tokens: int, order: int, fold: np.ndarray, effective: float
) -> tuple[np.ndarray, np.ndarray]:
    """-log p of the token of one site: mean over the fits that saw the sequence, and by the one that did not."""
    features = contrast_features(contexts.rows, n_tokens, order - 1)
    shares = np.bincount(contexts.number, minlength=len(features)) / len(token)
    features[:, 1:] -= shares @ features[:, 1:]  # what never varies adds nothing to the constant
    spread = np.where(np.arange(features.shape[1]) == 0, CONSTANT_SPREAD, SPREAD)[:, None]
    cell = contexts.number * n_tokens + token
    inside, outside, start = np.zeros(len(token)), np.zeros(len(token)), None
    n_folds = int(fold.max()) + 1
    for held in range(n_folds):
        rows = fold != held
        counts = np.bincount(cell[rows], minlength=len(features) * n_tokens).reshape(-1, n_tokens)
        used = counts.sum(1) > 0
        n_seen = int(rows.sum())
        penalty = 1 / (spread**2 * n_seen * effective)
        fit = fit_logits(features[used], counts[used] / n_seen, penalty=penalty, start=start, done=1e-9)
        start = fit.coefficients
        losses = -log_softmax(features @ fit.coefficients)[contexts.number, token]
        inside += np.where(rows, losses, 0.0) / (n_folds - 1)
        outside[~rows] = losses[~rows]
    return inside, outside


def _effective_share(tokens: np.ndarray, n_tokens: int, unit: np.ndarray | None) -> float:
    """How many independent sequences one is worth, as losses of independent tokens show it: at most 1."""
    if unit is None:
        return 1.0
    losses = np.zeros((len(tokens), 1))
    for column in tokens.T:
        losses[:, 0] -= np.log(np.maximum(np.bincount(column, minlength=n_tokens), 1) / len(tokens))[column]
    alone, together = (unit_means(losses, one)[1][0, 0] for one in (None, unit))
    return float(min(1.0, alone / together)) if together > 0 else 1.0


def _deal(unit: np.ndarray | None, n: int, n_folds: int, rng: np.random.Generator) -> np.ndarray:
    """Part of every sequence; units stay together."""
    n_units = n if unit is None else int(unit.max()) + 1
    if n_folds > n_units:
        raise DataError(f"n_folds is {n_folds}, but there are {n_units} independent sequences or documents")
    part = rng.permutation(n_units) % n_folds
    return part if unit is None else part[unit]


def _differences(losses: np.ndarray, covariance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What each order gains on the one below, and its error."""
    variance = np.diag(covariance)[1:] + np.diag(covariance)[:-1] - 2 * np.diag(covariance, 1)
    return -np.diff(losses), np.sqrt(np.maximum(variance, 0.0))


def _shares(
    losses: np.ndarray, covariance: np.ndarray, floor: float | None
) -> tuple[float, float, np.ndarray, np.ndarray]:
    """All that is told and its error; the share of each gain in it, and its error by the delta method."""
    steps = np.eye(len(losses))[:-1] - np.eye(len(losses))[1:]
    whole = np.eye(len(losses))[0] - (np.eye(len(losses))[-1] if floor is None else 0.0)
    told = float(whole @ losses) - (floor or 0.0)
    told_se = float(np.sqrt(max(whole @ covariance @ whole, 0.0)))
    if not told > 0:
        return told, told_se, np.full(len(steps), np.nan), np.full(len(steps), np.nan)
    shares = steps @ losses / told
    slopes = (steps - shares[:, None] * whole) / told
    errors = np.sqrt(np.maximum(np.einsum("ki,ij,kj->k", slopes, covariance, slopes), 0.0))
    return told, told_se, shares, errors


def _of_few(n: int, length: int, n_tokens: int, gains: np.ndarray, errors: np.ndarray) -> list[str]:
    """What is said where an order has fewer than ten sequences a parameter."""
    for order in range(2, len(gains) + 2):
        n_parameters = count_features(length - 1, n_tokens, order - 1) * (n_tokens - 1)
        if n < ENOUGH * n_parameters:
            return [
                f"order {order} has {n_parameters} parameters a site, and {n} independent sequences are fewer than "
                f"{ENOUGH} for each: on others it gains {gains[order - 2]:.3g} ± {errors[order - 2]:.2g} nats; "
                "losses of this order and above may be biased, so take a lower max_order or more sequences"
            ]
    return []


def _of_neighbors(losses: np.ndarray, run: Any) -> list[str]:
    """What is said where rows beside each other are alike, and nothing was said of documents."""
    away = losses - losses.mean()
    if run is not None or not exceeds(float(np.abs(away).max()), 0.0, float(np.abs(losses).max())):
        return []
    alike = float(away[1:] @ away[:-1] / (away @ away))
    if alike * np.sqrt(len(losses)) < CORRELATED:
        return []
    return [
        f"losses of rows beside each other are alike (correlation {alike:.2g}): rows look like windows of documents; "
        "pass run=, the document of each, or errors are too small"
    ]
