"""Errors by leaving out blocks of points: as rows, and as neighbours of the other rows, without a new search.

A point that is gone moves the ranks behind it down by one, so the table is read a little deeper.  Blocks are drawn at
random for independent rows; for correlated ones they are pieces of the series.
"""

from __future__ import annotations

import numpy as np

from infoscope.base import kernel

N_BLOCKS = 30


def depth_for(rank: int, n_blocks: int = N_BLOCKS) -> int:
    """Neighbours to ask for, so that the given rank is still there when any block is gone (six deviations of a count).

    Examples
    --------
    >>> from infoscope.dimension.block_errors import depth_for
    >>> depth_for(2) > 2
    True
    """
    expected = rank / (n_blocks - 1)
    return int(np.ceil(rank + expected + 6 * np.sqrt(expected) + 2))


def random_blocks(n: int, n_blocks: int = N_BLOCKS, seed: int = 0) -> np.ndarray:
    """A block number for every item, blocks as equal as they can be.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.dimension.block_errors import random_blocks
    >>> np.bincount(random_blocks(90)).tolist() == [3] * 30
    True
    """
    n_blocks = min(n_blocks, n)
    return np.random.default_rng(seed).permutation(np.arange(n) % n_blocks)


@kernel()
def distances_without(distances, items, blocks, n_blocks, ranks, out):
    """Distance at each rank of each row when one block is gone: out[row, rank, block]; NaN where the table ends."""
    for i in range(distances.shape[0]):
        gone = np.zeros(n_blocks, np.int64)
        place = 0
        for r in range(len(ranks)):
            while place < ranks[r]:
                gone[blocks[items[i, place]]] += 1
                place += 1
            for b in range(n_blocks):
                missing, q = gone[b], ranks[r] - 1
                while missing > 0 and q + 1 < distances.shape[1]:
                    q += 1
                    if blocks[items[i, q]] != b:
                        missing -= 1
                out[i, r, b] = distances[i, q] if missing == 0 else np.nan
            # the rank itself may be gone: then the walk above started on a point of the block, which `gone` counts


def jackknife(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Standard errors and covariance of estimates from their values without each block, (B, ...) along the first axis.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.dimension.block_errors import jackknife
    >>> means = np.array([(10.0 - x) / 3 for x in (1.0, 2.0, 3.0, 4.0)])[:, None]     # of 1, 2, 3, 4 without one
    >>> bool(np.isclose(jackknife(means)[0][0], np.std([1, 2, 3, 4], ddof=1) / 2))
    True
    """
    n = len(values)
    away = values - values.mean(0)
    covariance = (n - 1) / n * away.T @ away
    return np.sqrt(np.diag(covariance)), covariance
