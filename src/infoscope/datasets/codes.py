"""Bits with known redundancy: copies, and words that share a topic."""

from __future__ import annotations

import numpy as np
from scipy.stats import binom

from infoscope.base.errors import ParameterError


def copied_bits(
    n: int, n_free: int, n_copies: int, *, random_state: int | np.random.Generator | None = None
) -> np.ndarray:
    """Independent fair bits, each repeated: d free ones in m d columns.

    Their Binary Intrinsic Dimension at the mean distance is sqrt(m) d, between the d that are free and the m d columns.

    Parameters
    ----------
    n : int
        Number of items.
    n_free : int
        d, independent bits.
    n_copies : int
        m, columns that show each of them.
    random_state : int, Generator or None
        Seed.

    Returns
    -------
    ndarray of bool, shape (n, n_free * n_copies)
        Copies side by side.

    Examples
    --------
    >>> from infoscope.datasets import copied_bits
    >>> copied_bits(2, 3, 2, random_state=0).astype(int)
    array([[1, 1, 1, 1, 1, 1],
           [0, 0, 0, 0, 0, 0]])
    """
    if min(n, n_free, n_copies) < 1:
        raise ParameterError("n, n_free and n_copies must be at least 1")
    free = np.random.default_rng(random_state).integers(0, 2, (n, n_free)).astype(bool)
    return np.repeat(free, n_copies, axis=1)


def copied_bits_distances(n_free: int, n_copies: int) -> np.ndarray:
    """Probability of every Hamming distance of two items of `copied_bits`.

    Parameters
    ----------
    n_free, n_copies
        As in `copied_bits`.

    Returns
    -------
    ndarray of shape (n_free * n_copies + 1,)

    Examples
    --------
    >>> from infoscope.datasets import copied_bits_distances
    >>> copied_bits_distances(1, 2)
    array([0.5, 0. , 0.5])
    """
    if min(n_free, n_copies) < 1:
        raise ParameterError("n_free and n_copies must be at least 1")
    law = np.zeros(n_free * n_copies + 1)
    law[::n_copies] = binom.pmf(np.arange(n_free + 1), n_free, 0.5)
    return law


def latent_text(
    n: int,
    n_tokens: int,
    *,
    n_channels: int = 32,
    n_topics: int = 16,
    new_topic_at: int | None = None,
    random_state: int | np.random.Generator | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Sign bits of passages whose tokens share a hidden topic: long-range correlation without a language model.

    Bit a of a passage is the sign of sqrt(1/2) z.w_a + sqrt(1/2) noise, with a Gaussian topic z of the passage and a
    fixed random unit vector w_a for every channel of every token.  Two bits have the correlation
    (2/pi) asin(w_a.w_b / 2), so the dimension per bit falls like a power of the length.

    Parameters
    ----------
    n : int
        Number of passages.
    n_tokens : int
        Tokens of each.
    n_channels : int
        Bits of a token.
    n_topics : int
        Dimension of the topic.
    new_topic_at : int, optional
        Token from which on the passage has another topic, as if two texts were joined.
    random_state : int, Generator or None
        Seed.

    Returns
    -------
    bits : ndarray of bool, shape (n, n_tokens * n_channels)
        Token by token.
    directions : ndarray of shape (n_tokens * n_channels, n_topics)
        The unit vectors w.

    See Also
    --------
    latent_text_dimension : What the correlations say.

    Examples
    --------
    >>> from infoscope.datasets import latent_text
    >>> bits, directions = latent_text(10, 5, random_state=0)
    >>> bits.shape, directions.shape
    ((10, 160), (160, 16))
    """
    if min(n, n_tokens, n_channels, n_topics) < 1:
        raise ParameterError("n, n_tokens, n_channels and n_topics must be at least 1")
    rng = np.random.default_rng(random_state)
    directions = rng.normal(size=(n_tokens * n_channels, n_topics))
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    topic = rng.normal(size=(n, n_topics))
    seen = topic @ directions.T
    if new_topic_at is not None:
        if not 0 < new_topic_at < n_tokens:
            raise ParameterError(f"new_topic_at is {new_topic_at}; it must lie between 1 and {n_tokens - 1}")
        place = new_topic_at * n_channels
        seen[:, place:] = rng.normal(size=(n, n_topics)) @ directions[place:].T
    return seen + rng.normal(size=seen.shape) > 0, directions


def latent_text_dimension(directions: np.ndarray) -> float:
    """Dimension per bit that the exact correlations of `latent_text` (one topic) give: (mean of sum_b C_ab^2)^(-1/2).

    Parameters
    ----------
    directions : ndarray of shape (N, K)
        Of the bits that are asked for.

    Returns
    -------
    float

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.datasets import latent_text_dimension
    >>> latent_text_dimension(np.eye(5))
    1.0
    """
    correlation = 2 / np.pi * np.arcsin(np.clip(directions @ directions.T / 2, -0.5, 0.5))
    np.fill_diagonal(correlation, 1.0)
    return float((correlation**2).sum(1).mean() ** -0.5)
