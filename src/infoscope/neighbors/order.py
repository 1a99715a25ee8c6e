"""Do neighbouring rows look alike?  The warning nobody asked for and everybody with a trajectory needs."""

from __future__ import annotations

import numpy as np

from infoscope.base.checks import RandomState
from infoscope.statistics import OrderTest, adjacency_test

from .convert import Data
from .space import Space, as_space
from .verbs import nearest

QUERIES = 2000  # random rows looked at
FEW_QUERIES, LOOK = 100, 2**31  # fewer, down to so many, where a look would take more multiplications


def order_test(space: Space | Data, random_state: RandomState = 0) -> OrderTest:
    """Test whether nearest neighbours stand next to each other in the file more often than chance allows.

    A time series or a sorted file gives itself away: without a window, neighbour methods then see a row's own past and
    future instead of other visits to the same place, and answer far too optimistically.

    Parameters
    ----------
    space : Space or array (N, D)
        The items, in file order.
    random_state : int or Generator
        Chooses the rows looked at and breaks ties in distance.

    Returns
    -------
    OrderTest
        p-value, share of adjacent pairs, the share by chance, and a sentence to print.

    Raises
    ------
    DataError, ParameterError
        If these are no items that could be measured, or there is only one.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.neighbors import order_test
    >>> walk = np.cumsum(np.random.default_rng(0).normal(size=(500, 3)), axis=0)
    >>> order_test(walk).level
    'loud'
    """
    space = as_space(space)
    generator = np.random.default_rng(random_state)
    n = len(space)
    shuffled = generator.permutation(n)  # ties must not fall to the row number
    places = generator.choice(n, min(n, QUERIES), replace=False)
    if space.run is None:
        part = space.take(shuffled).replace(sample_weight=None, time=None) if _movable(space) else space
        graph = nearest(part, 1, queries=np.argsort(shuffled)[places] if part is not space else places)
        items = shuffled[graph.items] if part is not space else graph.items
        return adjacency_test(places, items, n)
    return _inside_runs(space, generator)


def _movable(space: Space) -> bool:
    return space.backend != "dask" and space.metric != "precomputed"


def _inside_runs(space: Space, generator: np.random.Generator) -> OrderTest:
    """With runs, neighbours and adjacency are looked for inside each run."""
    i, j = [], []
    assert_run = np.unique(space.run)
    for r in assert_run:
        rows = generator.permutation(np.flatnonzero(space.run == r))
        if len(rows) < 3:
            continue
        part = space.take(rows).replace(run=None, sample_weight=None, time=None)
        ask = generator.choice(len(rows), min(len(rows), max(50, QUERIES // len(assert_run))), replace=False)
        i.append(rows[ask])
        j.append(rows[nearest(part, 1, queries=ask).items])
    if not i:
        return adjacency_test(np.empty(0, int), np.empty(0, int), len(space))
    return adjacency_test(np.concatenate(i), np.concatenate(j), len(space), run=space.run)


def look_for_order(space: Space) -> None:
    """Show some random rows and their nearest to the look that is open, for measures that search no neighbours.

    Examples
    --------
    >>> import warnings
    >>> import numpy as np
    >>> from infoscope.neighbors import Space, look_for_order, looking_at_row_order
    >>> walk = np.cumsum(np.random.default_rng(0).normal(size=(500, 3)), axis=0)
    >>> with warnings.catch_warnings(), looking_at_row_order() as look:
    ...     warnings.simplefilter("ignore")
    ...     look_for_order(Space(walk))
    >>> look.correlated
    True
    """
    n = len(space)
    if n < 3:
        return
    most = int(np.clip(LOOK / (n * space.n_features), FEW_QUERIES, QUERIES))
    nearest(space, 2, queries=np.sort(np.random.default_rng(0).choice(n, min(n, most), replace=False)))
