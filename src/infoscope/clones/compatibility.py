"""Whether conditionals belong to one joint law: the same ratio of probabilities, found along two orders of sites.

From sequence a to sequence b one may change one site after the other, and add up what the conditionals say of each
step.  If they belong to a joint law p, the sum is log p(b)/p(a) whatever the order of the sites.  A network that
predicts masked tokens promises nothing of the kind.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from infoscope.base import DataError, ParameterError, check_positive_int, check_random_state, provenance

from .conditionals import Logits, ask_logits, logits_table
from .enumeration import state_numbers
from .exact_results import CompatibilityIndex
from .logistic import log_softmax
from .token_arrays import check_tokens

FEWEST_PAIRS = 2


def compatibility_index(
    logits: Logits, tokens: Any, *, n_tokens: int | None = None, n_pairs: int = 200, random_state: Any = 0
) -> CompatibilityIndex:
    """How much a log-ratio of two sequences depends on the order in which sites are changed, relative to its size.

    Parameters
    ----------
    logits : function (tokens (n, L), sites (n,)) -> array (n, V), or array (V^L, L, V)
        Logits, or log-probabilities, of the token at ``sites[i]`` of row i given all others of that row.
    tokens : array (n, L) of int
        Sequences that pairs are drawn from.
    n_tokens : int, optional
        V; by default one more than the largest id.
    n_pairs : int
        Pairs, no sequence in two of them; fewer where there are too few sequences.
    random_state : int, Generator, optional
        Of pairs and orders.

    Returns
    -------
    CompatibilityIndex
        0 for conditionals of a joint law; the standard error is that of a jackknife over pairs.

    Raises
    ------
    DataError
        No tokens, fewer than four sequences, conditionals that rule a step out.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope import compatibility_index
    >>> from infoscope.clones import enumerate_states, exact_conditionals
    >>> law = np.random.default_rng(0).dirichlet(np.ones(16))
    >>> found = compatibility_index(exact_conditionals(law, 4, 2), enumerate_states(4, 2))
    >>> found.value < 1e-10
    True
    """
    read, n_tokens = check_tokens(tokens, n_tokens, min_sequences=2 * FEWEST_PAIRS)
    rng = check_random_state(random_state)
    n_pairs = min(check_positive_int(n_pairs, "n_pairs", FEWEST_PAIRS), len(read) // 2)
    ask = _as_function(logits, read.shape[1], n_tokens)
    chosen = rng.permutation(len(read))[: 2 * n_pairs]
    start, end = read[chosen[:n_pairs]].astype(np.int64), read[chosen[n_pairs:]].astype(np.int64)
    ratios = np.stack([_walk(ask, start, end, rng) for _ in range(2)])
    square, size = (ratios[0] - ratios[1]) ** 2 / 2, np.abs(ratios).mean(0)
    if not size.any():
        raise DataError("no pair of sequences differs in probability: pass sequences that are not all alike")
    value = np.sqrt(square.mean()) / size.mean()
    others = np.sqrt(np.maximum(square.sum() - square, 0.0) / (n_pairs - 1)) / ((size.sum() - size) / (n_pairs - 1))
    return CompatibilityIndex(
        value=float(value),
        value_se=float(np.sqrt((n_pairs - 1) / n_pairs * ((others - others.mean()) ** 2).sum())),
        log_ratios=ratios,
        n_pairs=n_pairs,
        provenance=provenance("compatibility_index", dict(n_tokens=n_tokens, n_pairs=n_pairs), random_state, read),
    )


# --------------------------------------------------------------------------------------------------------------- steps
def _as_function(logits: Logits, length: int, n_tokens: int) -> Any:
    if callable(logits):
        return logits
    table = logits_table(logits, length, n_tokens)
    return lambda tokens, sites: table[state_numbers(tokens, n_tokens), sites]


def _walk(ask: Any, start: np.ndarray, end: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Sum of log p(new)/p(old) along a random order of sites, another one for each pair."""
    n, length = start.shape
    at, rows, total = start.copy(), np.arange(n), np.zeros(n)
    orders = rng.permuted(np.broadcast_to(np.arange(length), (n, length)), axis=1)
    for sites in orders.T:
        old, new = at[rows, sites], end[rows, sites]
        log_p = log_softmax(ask_logits(ask, at, sites))
        if log_p.shape[1] <= max(old.max(), new.max()):
            raise ParameterError(
                f"conditionals are of {log_p.shape[1]} tokens, but sequences hold token {max(old.max(), new.max())}: "
                "pass the function of the same alphabet"
            )
        with np.errstate(invalid="ignore"):
            step = np.where(old == new, 0.0, log_p[rows, new] - log_p[rows, old])
        if not np.isfinite(step).all():
            raise DataError(
                "conditionals rule out a token on the way from one sequence to another, so its log-ratio is infinite: "
                "pass conditionals without zeros, or sequences that can become each other"
            )
        total += step
        at[rows, sites] = new
    return total
