"""Transition matrices of samplers over all sequences of a small alphabet: what they leave unchanged, exactly.

A step changes one site.  Gibbs sampling draws the token from its conditional.  Metropolis sampling proposes that and
accepts by a score, so its law is exp(score) and not the one that the conditionals came from:

- "mh_pl": the score is the sum over sites of the log-probability of the token given the others (pseudo-likelihood);
- "mh_paper": it is the sum of the logits of the tokens.  For an energy of order k alone the sum of its zero-sum logits
  is k times the log-probability, so the chain samples the law to the power k, which is colder.

Conditionals of a model need not belong to any joint law.  A Gibbs chain then has a stationary law all the same, which
depends on the order of the sites.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from infoscope.base import DataError, ParameterError, check_choice
from infoscope.base.checks import check_positive_number

from .conditionals import Logits, logits_table
from .enumeration import MOST_NUMBERS, count_states, enumerate_states
from .logistic import log_softmax
from .metropolis import GAUGES, SCORES, sequence_scores

SCANS = ("random", "sweep")
STOCHASTIC = 1e-9  # how far rows of a kernel may be from adding up to one


def gibbs_kernel(
    logits: Logits, length: int, n_tokens: int, *, scan: str = "random", temperature: float = 1.0
) -> np.ndarray:
    """Transition matrix of Gibbs sampling.

    Parameters
    ----------
    logits : array (V^L, L, V) or function (tokens (n, L), sites (n,)) -> array (n, V)
        Logits, or log-probabilities, of every token at a site, given the others; states as in `enumerate_states`.
    length, n_tokens : int
        Sites L and tokens V.
    scan : {"random", "sweep"}
        One site drawn at random, or all sites once, site 0 first.
    temperature : float
        Divides the logits.

    Returns
    -------
    array (V^L, V^L)
        Entry (s, t): probability of a step from s to t.

    Raises
    ------
    DataError
        No such conditionals.
    ParameterError
        Too many states, an unknown scan, a temperature that is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.clones import exact_conditionals, gibbs_kernel
    >>> law = np.array([0.4, 0.1, 0.2, 0.3])
    >>> kernel = gibbs_kernel(exact_conditionals(law, 2, 2), 2, 2)
    >>> law @ kernel
    array([0.4, 0.1, 0.2, 0.3])
    """
    check_choice(scan, "scan", SCANS)
    temperature = check_positive_number(temperature, "temperature")
    _check_size(length, n_tokens)
    table = logits_table(logits, length, n_tokens) / temperature
    steps = (_site_kernel(np.exp(log_softmax(table[:, site])), site, length, n_tokens) for site in range(length))
    if scan == "random":
        return sum(steps, np.zeros((len(table), len(table)))) / length
    kernel = np.eye(len(table))
    for step in steps:
        kernel = kernel @ step
    return kernel


def metropolis_kernel(
    logits: Logits,
    length: int,
    n_tokens: int,
    *,
    sampler: str = "mh_pl",
    gauge: str = "zero_sum",
    temperature: float = 1.0,
) -> np.ndarray:
    """Transition matrix of Metropolis sampling with proposals from the conditionals, one site drawn at random.

    Parameters
    ----------
    logits, length, n_tokens
        As for `gibbs_kernel`.
    sampler : {"mh_pl", "mh_paper"}
        What the score sums: log-probabilities, or logits.
    gauge : {"zero_sum", "raw"}
        Of "mh_paper": whether logits are first shifted to a mean of zero over the alphabet.  Raw logits may hold any
        function of the other tokens, which changes no conditional, and yet the score.
    temperature : float
        Logits are divided by it, those of the score and of the proposals.

    Returns
    -------
    array (V^L, V^L)
        Entry (s, t): probability of a step from s to t.

    Raises
    ------
    DataError, ParameterError
        As `gibbs_kernel`.

    References
    ----------
    Rende, Gerace, Laio, Goldt, NeurIPS 2024 (arXiv 2410.19637), Sec. 4 and App. A.3.

    Examples
    --------
    The clone of two coupled spins is too cold:

    >>> import numpy as np
    >>> from infoscope.clones import enumerate_states, metropolis_kernel, stationary_law
    >>> from infoscope.clones import exact_conditionals
    >>> law = np.array([0.4, 0.1, 0.1, 0.4])
    >>> cold = stationary_law(metropolis_kernel(exact_conditionals(law, 2, 2), 2, 2, sampler="mh_paper"))
    >>> cold.round(4), (law**2 / (law**2).sum()).round(4)
    (array([0.4706, 0.0294, 0.0294, 0.4706]), array([0.4706, 0.0294, 0.0294, 0.4706]))
    """
    _check_size(length, n_tokens)
    check_choice(sampler, "sampler", SCORES)
    check_choice(gauge, "gauge", GAUGES)
    table = logits_table(logits, length, n_tokens) / check_positive_number(temperature, "temperature")
    if sampler == "mh_paper" and not np.isfinite(table).all():
        raise DataError("a sum of logits needs finite ones, and some are -inf: take sampler='mh_pl'")
    score = sequence_scores(table, enumerate_states(length, n_tokens), sampler, gauge)
    kernel = np.zeros((len(table), len(table)))
    for site in range(length):
        log_p = log_softmax(table[:, site])
        proposal = _site_kernel(np.exp(log_p), site, length, n_tokens)
        came, went = np.nonzero(proposal)
        state = enumerate_states(length, n_tokens)[:, site]
        # min(1, exp(score' - score) q(s | s') / q(s' | s)): contexts are the same, so both are entries of one row
        ratio = score[went] - score[came] + log_p[came, state[came]] - log_p[came, state[went]]
        accepted = proposal[came, went] * np.exp(np.minimum(ratio, 0.0))
        kernel[came, went] += np.where(came == went, 0.0, accepted) / length
    kernel[np.diag_indices_from(kernel)] = 1 - kernel.sum(1)
    return kernel


def stationary_law(kernel: Any) -> np.ndarray:
    """The law that a transition matrix leaves unchanged.

    Parameters
    ----------
    kernel : array (K, K)
        Rows add up to one.

    Returns
    -------
    array (K,)

    Raises
    ------
    DataError
        No transition matrix, or one that leaves several laws unchanged.

    Examples
    --------
    >>> from infoscope.clones import stationary_law
    >>> stationary_law([[0.9, 0.1], [0.3, 0.7]])
    array([0.75, 0.25])
    """
    matrix = np.asarray(kernel, np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not np.isfinite(matrix).all():
        raise DataError(f"kernel has shape {matrix.shape}, or is not finite: pass a square transition matrix")
    if matrix.min() < -STOCHASTIC or np.abs(matrix.sum(1) - 1).max() > STOCHASTIC:
        raise DataError("kernel is no transition matrix: entries must not be negative, and rows must add up to one")
    n_classes = _count_closed_classes(matrix > 0)
    if n_classes > 1:
        raise DataError(
            f"kernel leaves {n_classes} sets of states that are never left, so its law depends on where a chain "
            "starts: look at each set alone"
        )
    # law (P - 1) = 0 and a sum of one, in least squares
    system = np.vstack([(matrix - np.eye(len(matrix))).T, np.ones(len(matrix))])
    law = np.linalg.lstsq(system, np.append(np.zeros(len(matrix)), 1.0), rcond=None)[0]
    law = np.maximum(law, 0.0)
    return np.asarray(law / law.sum())


# --------------------------------------------------------------------------------------------------------------- steps
def _check_size(length: int, n_tokens: int) -> None:
    n_states = count_states(length, n_tokens)
    if n_states**2 > MOST_NUMBERS:
        raise ParameterError(
            f"{n_tokens} tokens on {length} sites make a matrix of {n_states} x {n_states}: take fewer sites or tokens"
        )


def _site_kernel(p: np.ndarray, site: int, length: int, n_tokens: int) -> np.ndarray:
    """Transition matrix of a draw of one site, from probabilities (V^L, V) of its tokens."""
    n_states, stride = len(p), n_tokens ** (length - 1 - site)
    came = np.arange(n_states)
    own = came // stride % n_tokens
    kernel = np.zeros((n_states, n_states))
    for token in range(n_tokens):
        kernel[came, came + (token - own) * stride] = p[:, token]
    return kernel


def _count_closed_classes(reached: np.ndarray) -> int:
    """How many sets of states a chain never leaves."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    n, labels = connected_components(csr_array(reached), directed=True, connection="strong")
    came, went = np.nonzero(reached)
    left = np.zeros(n, bool)
    left[labels[came[labels[came] != labels[went]]]] = True
    return int((~left).sum())
