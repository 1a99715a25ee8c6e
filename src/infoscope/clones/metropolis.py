r"""Metropolis-Hastings with masked conditionals as proposals, as clones of bidirectional models are usually drawn.

A site is masked, a token drawn from its conditional p, and accepted with min{1, exp(S(s') - S(s)) p(s_i) / p(s_i')}.
Two scores S: "mh_paper" sums over sites the logit of the own token, as published; "mh_pl" sums their log-probabilities.
A function of the other tokens, added to all logits of a site, changes no conditional; it changes no log-probability
either, and no logit once these are shifted to a mean of zero over the alphabet (the zero-sum gauge).

Neither samples the law whose conditionals these are.  A term of k tokens enters the logits of each of them, so the
published score counts it k times: for an energy of order k alone the target is p to the power k, a colder law.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from infoscope.base.progress import progress

from .logistic import log_softmax

Conditionals = Callable[[np.ndarray], np.ndarray]  # (n, L) to logits (n, L, V), site j not looking at token j

SCORES = ("mh_pl", "mh_paper")
GAUGES = ("zero_sum", "raw")


def metropolis_sweep(
    conditionals: Conditionals, tokens: np.ndarray, score: str, rng: np.random.Generator, temperature: float = 1.0
) -> float:
    """Propose a token at every site of every chain once, in an order of their own; `tokens` changes in place.

    Parameters
    ----------
    conditionals : function (tokens (n, L)) -> logits (n, L, V)
    tokens : array (n, L)
        -1 is padding, which stays.
    score : {"mh_paper", "mh_pl"}
    rng : Generator
    temperature : float
        Proposals and target are those of all logits divided by it.

    Returns
    -------
    float
        Share of proposals that were accepted.

    References
    ----------
    Rende, Gerace, Laio & Goldt, arXiv 2410.19637 (2024), appendix A.3; Goyal, Dyer & Berg-Kirkpatrick,
    arXiv 2106.02736 (2021).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.clones.metropolis import metropolis_sweep
    >>> tokens = np.zeros((5, 3), dtype=int)
    >>> metropolis_sweep(lambda s: np.zeros((len(s), 3, 2)), tokens, "mh_pl", np.random.default_rng(0))
    1.0
    """
    n, length = tokens.shape
    rows = np.arange(n)
    logits = conditionals(tokens) / temperature
    value = sequence_scores(logits, tokens, score)
    accepted = possible = 0
    with progress(length, "sweep", "sites", delay=20.0) as bar:
        for site in rng.permutation(length):
            log_p = log_softmax(logits[:, site])
            proposed = tokens.copy()
            drawn = np.argmax(log_p + rng.gumbel(size=log_p.shape), axis=1)
            proposed[:, site] = np.where(tokens[:, site] < 0, tokens[:, site], drawn)
            new_logits = conditionals(proposed) / temperature
            new_value = sequence_scores(new_logits, proposed, score)
            log_ratio = new_value - value + log_p[rows, tokens[:, site]] - log_p[rows, proposed[:, site]]
            taken = (np.log1p(-rng.random(n)) < log_ratio) & (tokens[:, site] >= 0)
            tokens[taken] = proposed[taken]
            logits[taken], value[taken] = new_logits[taken], new_value[taken]
            accepted, possible = accepted + int(taken.sum()), possible + int((tokens[:, site] >= 0).sum())
            bar.update(1)
    return accepted / max(1, possible)


def sequence_scores(logits: np.ndarray, tokens: np.ndarray, score: str, gauge: str = "zero_sum") -> np.ndarray:
    """Sum over sites of the logit, or log-probability, of the token that is there.

    Parameters
    ----------
    logits : array (n, L, V)
    tokens : array (n, L)
        -1 is padding, which counts for nothing.
    score : {"mh_pl", "mh_paper"}
    gauge : {"zero_sum", "raw"}
        Of "mh_paper": whether logits are first shifted to a mean of zero over the alphabet.

    Returns
    -------
    array (n,)
        A chain that is accepted by it samples the law exp(score).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.clones.metropolis import sequence_scores
    >>> logits = np.array([[[3.0, 1.0], [0.0, 4.0]]])
    >>> tokens = np.array([[0, 1]])
    >>> sequence_scores(logits, tokens, "mh_paper"), sequence_scores(logits, tokens, "mh_paper", "raw")
    (array([3.]), array([7.]))
    """
    if score == "mh_pl":
        logits = log_softmax(logits)
    elif gauge == "zero_sum":
        logits = logits - logits.mean(axis=-1, keepdims=True)
    own = np.take_along_axis(logits, np.maximum(tokens, 0)[..., None], axis=2)[..., 0]
    return np.asarray(np.where(tokens >= 0, own, 0.0).sum(axis=1))
