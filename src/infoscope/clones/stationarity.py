"""Whether sequences are alike at every place, as text cut anywhere is, or each site has a meaning of its own."""

from __future__ import annotations

import numpy as np

SHARES_APART = 0.05  # how far shares of tokens may be apart between sites, in standard deviations of one draw
MATCHES_APART = 0.02  # the same of the share of pairs, at one distance, that hold the same token twice
FEWEST = 100  # sequences; places of fewer differ together, by chance
SURE = 6.0  # standard errors beyond chance; the largest of 22 distances of Markov chains had 5.2 in 160 data sets


def places_differ(tokens: np.ndarray) -> bool:
    """Whether shares of tokens, or matches of two sites at one distance, differ from place to place.

    Text that is cut anywhere is stationary: weights may depend on the distance of two sites.  Columns of an alignment
    differ in their tokens, and sites of a lattice in who their neighbours are: a list of the rows of a square has pairs
    of next sites inside of a row, and others across its end.  Differences count where they are larger than chance and
    larger than what the beginnings of documents make.

    Parameters
    ----------
    tokens : array (n, L) of int
        -1 is padding.

    Returns
    -------
    bool

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.clones.stationarity import places_differ
    >>> rng = np.random.default_rng(0)
    >>> walks = (rng.integers(4, size=(2000, 1)) + rng.integers(2, size=(2000, 30)).cumsum(axis=1)) % 4
    >>> rows = np.repeat(rng.integers(4, size=(2000, 5)), 6, axis=1)  # five rows of six equal tokens
    >>> places_differ(walks), places_differ(rows)
    (False, True)
    """
    if len(tokens) < FEWEST:
        return False
    seen = tokens >= 0
    shares = (((tokens == a).sum(axis=0), seen.sum(axis=0)) for a in range(int(tokens.max()) + 1))
    if _apart(list(shares)) > SHARES_APART:
        return True
    length = tokens.shape[1]
    for lag in range(1, length - 1):
        both = seen[:, lag:] & seen[:, :-lag]
        matches = ((tokens[:, lag:] == tokens[:, :-lag]) & both).sum(axis=0)
        if _apart([(matches, both.sum(axis=0))]) > MATCHES_APART:
            return True
    return False


def _apart(counts: list[tuple[np.ndarray, np.ndarray]]) -> float:
    """How far shares differ from place to place, root mean square beyond chance; 0 where that may be chance.

    `counts` are successes and trials by place, of every kind; the squares of kinds add up.  The unit is the standard
    deviation of one draw, whose variance is 1 less the sum of the squared shares of all kinds.
    """
    excess = noise = variance = 0.0
    n_places = len(counts[0][0])
    for successes, trials in counts:
        known = trials > 0
        successes, trials = successes[known], trials[known]
        if len(trials) < 2:
            continue
        pooled = successes.sum() / trials.sum()
        chance = pooled * (1 - pooled) / trials  # binomial variance of a place
        if pooled in (0, 1):
            continue
        variance += pooled * (1 - pooled)
        excess += float(((successes / trials - pooled) ** 2 - chance).sum())
        tail = (1 / chance / trials - 6) / trials  # excess kurtosis of a binomial: rare tokens are no normal deviates
        noise += float((chance**2 * (2 + tail)).sum())  # variance of the sum of squares
    if excess <= SURE * np.sqrt(noise):
        return 0.0
    return float(np.sqrt(excess / n_places / variance))
