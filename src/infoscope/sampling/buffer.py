"""Values of the variables that were visited, as many of every basin: what the proposal learns from."""

from __future__ import annotations

import numpy as np

LONGEST = 20_000  # values in all
FEWEST_PER_VARIABLE = 10
EVEN = 0.2  # share of the weight that all basins have alike; the rest goes by how often each was visited lately


class VisitedValues:
    """The last values of every basin.

    Attributes
    ----------
    values : list of ndarray (n_b, m)
        One for each basin.
    visits : list of ndarray (B,)
        Chains in every basin, one for each iteration with global moves.
    """

    def __init__(self, values: list[np.ndarray], visits: list[np.ndarray]) -> None:
        self.values, self.visits = values, visits

    def __len__(self) -> int:
        return sum(map(len, self.values))

    def add(self, z: np.ndarray, labels: np.ndarray) -> None:
        """Take in rows (n, m) of these basins; a basin that is new gets a place, and full ones forget their first."""
        finite = np.isfinite(z).all(1)
        while len(self.values) <= labels.max(initial=-1):
            self.values.append(np.empty((0, z.shape[1])))
        most = LONGEST // max(len(self.values), 1)
        for b in range(len(self.values)):
            rows = z[finite & (labels == b)]
            if len(rows) or len(self.values[b]) > most:
                self.values[b] = np.concatenate([self.values[b], rows])[-most:]

    def count(self, labels: np.ndarray) -> None:
        """Note where the chains are."""
        self.visits.append(np.bincount(labels, minlength=len(self.values)))

    def training_set(self, most: int = LONGEST) -> tuple[np.ndarray, np.ndarray]:
        """Values, at most so many, and weights of mean 1.

        Basins count by the visits in the later half of the iterations, and a fifth alike: most moves between basins are
        accepted where the proposal has their populations, and none must be lost.
        """
        filled = np.array([b for b, one in enumerate(self.values) if len(one)])
        every = max(1, -(-len(self) // most))
        parts = [self.values[b][::every] for b in filled]
        share = np.full(len(filled), 1 / len(filled))
        if self.visits:
            seen = np.zeros(len(self.values))
            for one in self.visits[len(self.visits) // 2 :]:
                seen[: len(one)] += one
            share = EVEN * share + (1 - EVEN) * seen[filled] / max(seen[filled].sum(), 1)
        n = sum(map(len, parts))
        weights = np.concatenate([np.full(len(one), w * n / len(one)) for one, w in zip(parts, share, strict=True)])
        return np.concatenate(parts), weights
