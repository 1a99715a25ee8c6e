"""Stand-in until the engine has nearest_product."""

import numpy as np

from infoscope.neighbors import Admissibility, NeighborGraph, Space, admissible_pairs, column_items, nearest, row_items


def nearest_product(spaces, k, *, queries=None, exclusion_window=0.0, neighbors_from="any", n_jobs=None):
    first = spaces[0]
    n = len(first)
    if all(s.metric == "chebyshev" or (s.n_features == 1 and s.metric in ("euclidean", "manhattan")) for s in spaces):
        joint = Space(
            np.hstack([s.features for s in spaces]),
            metric="chebyshev",
            period=np.concatenate([s.period for s in spaces]),
            feature_weights=np.concatenate([s.feature_weights for s in spaces]),
            **first.about_items(ids=False),
        )
        return nearest(joint, k, exclusion_window=exclusion_window, neighbors_from=neighbors_from, n_jobs=n_jobs)
    pairs = admissible_pairs(
        row_items(first, None), column_items(first, None), Admissibility(exclusion_window, neighbors_from)
    )
    sq, it = np.empty((n, k)), np.empty((n, k), int)
    for r in range(n):
        d = np.max([s.squared_distances(np.full(n, r), np.arange(n)) for s in spaces], axis=0)
        d[pairs.columns[pairs.start[r] : pairs.stop[r]]] = np.inf
        o = np.lexsort((np.arange(n), d))[:k]
        sq[r], it[r] = d[o], o
    return NeighborGraph(np.arange(n), np.arange(n + 1) * k, it.ravel(), sq.ravel(), pairs.admissible)
