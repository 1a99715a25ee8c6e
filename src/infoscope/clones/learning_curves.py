"""Which orders a model has learnt at which step: its loss on real sequences and on their clones, along its training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from numbers import Integral
from typing import Any

import numpy as np

from infoscope.base import DataError, ParameterError, check_positive_int, provenance
from infoscope.base.checks import check_positive_number
from infoscope.base.progress import progress

from .clone_results import CloneResult
from .conditionals import ask_logits
from .curve_results import LearningCurves
from .documents import error_units
from .logistic import log_softmax
from .sequences import check_sequences

Conditional = Callable[[np.ndarray, np.ndarray], Any]
BATCH = 256  # sequences that a model sees together


def learning_curves(
    checkpoints: Mapping[int, Conditional] | list[Mapping[int, Conditional]],
    clones: Mapping[int, Any],
    real: Any,
    *,
    document: Any = None,
    n_sites: int = 4,
    clock_level: float = 0.05,
    n_resamples: int = 400,
    random_state: int = 0,
) -> LearningCurves:
    """Losses of a model on real sequences and on clones, at several steps of its training.

    Parameters
    ----------
    checkpoints : mapping of step to function (tokens (n, L), sites (n,)) -> (n, V)
        Log-probabilities (or logits) of the token at one masked site a sequence, given the others (encoders) or those
        before it (decoders). A list of mappings, with the same steps, for repeated trainings.
    clones : mapping of order to CloneResult or array (m, L)
        Copies of the data with interactions up to that order.
    real : array (n, L)
        Sequences that the model was not trained on; -1 is padding.
    document : array (n,), optional
        Which document each real sequence is from: they are resampled together.
    n_sites : int
        Sites of a sequence that are masked, one at a time, the same ones at all steps.
    clock_level : float
        A clone is learnt when this share of the fall of its loss is left.
    n_resamples : int
        Of documents, sequences of clones and trainings, for intervals.
    random_state : int

    Returns
    -------
    LearningCurves

    Raises
    ------
    DataError, ParameterError
        Sequences that do not fit together, trainings of other steps, fewer than two steps, clones of no order.

    References
    ----------
    Rende, Gerace, Laio & Goldt, arXiv 2410.19637 (2024).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.clones import learning_curves
    >>> rng = np.random.default_rng(0)
    >>> real = np.repeat(rng.integers(2, size=(300, 1)), 4, axis=1)  # all tokens equal
    >>> clone = rng.integers(2, size=(300, 4))  # order 1: independent tokens
    >>> def knows(trust):  # looks at the neighbouring token, more and more
    ...     return lambda tokens, sites: trust * np.eye(2)[tokens[np.arange(len(tokens)), sites - 1]]
    >>> curves = learning_curves({0: knows(0.0), 10: knows(1.0), 20: knows(4.0)}, {1: clone}, real)
    >>> curves.loss.round(2)
    array([[0.69, 0.31, 0.02],
           [0.69, 0.81, 2.0...]])
    """
    runs = list(checkpoints) if isinstance(checkpoints, list) else [checkpoints]
    steps = sorted(runs[0]) if runs else []
    if len(steps) < 2 or any(sorted(run) != steps for run in runs):
        raise ParameterError("checkpoints must hold at least two steps, and the same ones in every training")
    n_sites = check_positive_int(n_sites, "n_sites")
    clock_level = check_positive_number(clock_level, "clock_level")
    if clock_level >= 1:
        raise ParameterError(f"clock_level is {clock_level}: pass the share of the fall that is left, below 1")
    wrong = [order for order in clones if isinstance(order, bool) or not isinstance(order, Integral) or order < 1]
    if wrong:
        raise ParameterError(f"clones have the keys {wrong}: pass the order of each, a whole number from 1")
    sets, unit, note = _sets(real, clones, document)
    orders = np.array([0, *sorted(clones)])
    rng = np.random.default_rng(random_state)
    losses, right = [], []  # of every set: (runs, steps, sequences)
    with progress(len(runs) * len(steps) * len(sets), "learning curves", "losses") as bar:
        for tokens in sets:
            rows, sites = _masked_sites(tokens, n_sites, rng)
            table, hits = np.empty((2, len(runs), len(steps), len(tokens)))
            for r, run in enumerate(runs):
                for t, step in enumerate(steps):
                    table[r, t], hits[r, t] = _sequence_losses(run[step], tokens, rows, sites)
                    bar.update(1)
            losses.append(table)
            right.append(hits)
    units = [unit, *(np.arange(len(tokens)) for tokens in sets[1:])]
    return LearningCurves.of(
        np.array(steps), orders, losses, right, units, clock_level=clock_level,
        n_resamples=check_positive_int(n_resamples, "n_resamples"), random_state=random_state,
        notes=(note,) if note else (),
        provenance=provenance(
            "learning_curves", dict(n_sites=n_sites, clock_level=clock_level, n_resamples=n_resamples), random_state,
            *sets,
        ),
    )  # fmt: skip


# --------------------------------------------------------------------------------------------------------------- steps
def _sets(real: Any, clones: Mapping[int, Any], document: Any) -> tuple[list[np.ndarray], np.ndarray, str]:
    """Real sequences first, then clones by order; what real ones are resampled with, and a note on it."""
    given = [real, *(clones[order] for order in sorted(clones))]
    arrays = [np.asarray(one.tokens if isinstance(one, CloneResult) else one) for one in given]
    for order, one in sorted(clones.items()):
        if isinstance(one, CloneResult) and not one.converged:
            raise DataError(f"the clone of order {order} has not converged: {one.verdict}")
    n_tokens = max(2, max(int(array.max()) for array in arrays if array.size) + 1)
    length = arrays[0].shape[-1]
    sets = [check_sequences(array, n_tokens, length=length, min_sequences=2)[0] for array in arrays]
    n = len(sets[0])
    if document is not None and np.shape(document) != (n,):
        raise DataError(f"document has shape {np.shape(document)}, but there are {n} real sequences: pass one each")
    unit, note = error_units(document, n)
    return sets, np.arange(n) if unit is None else unit, note


def _masked_sites(tokens: np.ndarray, n_sites: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Row and site of everything that is masked; never padding."""
    order = np.where(tokens >= 0, rng.random(tokens.shape), 2.0).argsort(axis=1)[:, :n_sites]
    rows = np.repeat(np.arange(len(tokens)), order.shape[1])
    kept = tokens[rows, order.ravel()] >= 0
    return rows[kept], order.ravel()[kept]


def _sequence_losses(model: Conditional, tokens: np.ndarray, rows: np.ndarray, sites: np.ndarray) -> np.ndarray:
    """Mean loss over the masked sites of every sequence, and share of those whose likeliest token is right: (2, n)."""
    found, right = np.empty((2, len(rows)))
    for first in range(0, len(rows), BATCH):
        part = slice(first, first + BATCH)
        seen = tokens[rows[part]]
        own = seen[np.arange(len(seen)), sites[part]]
        logits = ask_logits(model, seen, sites[part])
        if own.max() >= logits.shape[1]:
            raise DataError(
                f"the model knows {logits.shape[1]} tokens, but the sequences hold token {own.max()}, of an alphabet "
                f"of {tokens.max() + 1} or more: use the tokenizer that the model was trained with"
            )
        found[part] = -log_softmax(logits)[np.arange(len(seen)), own]
        likeliest = logits == logits.max(axis=1, keepdims=True)
        right[part] = likeliest[np.arange(len(seen)), own] / likeliest.sum(axis=1)
    masked = np.bincount(rows, minlength=len(tokens))
    return np.stack([np.bincount(rows, values, len(tokens)) / masked for values in (found, right)])
