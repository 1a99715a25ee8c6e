"""Which rows are asked: all, a random part, those that have enough neighbours to choose from."""

from __future__ import annotations

import numpy as np

from infoscope.base import DataError, ParameterError
from infoscope.base.checks import check_choice, check_positive_int
from infoscope.neighbors import Space, admissible_mass, item_name

from .plan import FEWEST_ROWS, ComparisonPlan

TIED_PAIRS = 2**24  # pairs of equal items up to which all rows are used as queries
LOOKED_AT = 1000  # rows looked at first for duplicates


def query_rows(
    plan: ComparisonPlan, k: int, n_rows: int | None, generator, on_starved: str = "raise"
) -> np.ndarray | None:
    """The rows that are asked, sorted: those that the plan names, or a random part of them; None for all.

    Parameters
    ----------
    plan : ComparisonPlan
        The comparison.
    k : int
        Neighbours that every row must find.
    n_rows : int or None
        So many random rows.
    generator : numpy.random.Generator
        Draws them.
    on_starved : {"raise", "drop"}
        What becomes of rows whose window or runs leave fewer than k items to choose from.

    Returns
    -------
    array of int or None

    Raises
    ------
    ParameterError
        k is too large for some row.
    DataError
        Fewer than three rows are left.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.imbalance.plan import make_plan
    >>> from infoscope.imbalance.query_rows import query_rows
    >>> from infoscope.neighbors import Space
    >>> space = Space([np.zeros((6, 1)), np.ones((2, 1))], name="A")
    >>> plan = make_plan([space, space], neighbors_from="other_runs")
    >>> query_rows(plan, 5, None, np.random.default_rng(0), "drop")          # the first run finds only two others
    Traceback (most recent call last):
    ...
    infoscope.base.errors.DataError: only 2 rows of 8 have 5 items to choose neighbours from: use a smaller k, ...
    """
    check_choice(on_starved, "on_starved", ("raise", "drop"))
    n = len(plan.spaces[0])
    fed = _fed_rows(plan, k, on_starved)
    fed = plan.rows if fed is None else fed
    size = n if fed is None else len(fed)
    if n_rows is None or check_positive_int(n_rows, "n_rows", FEWEST_ROWS) >= size:
        return fed
    return np.sort(generator.choice(n if fed is None else fed, n_rows, replace=False))


def rows_for_source(plan: ComparisonPlan, space: Space, rows, generator) -> np.ndarray | None:
    """Fewer rows where each has a whole class of equal items as neighbours, which would fill the memory with pairs."""
    if rows is not None:
        return rows
    pairs = _tied_pairs(space, plan.columns)
    if pairs <= TIED_PAIRS:
        return None
    n = max(100, int(len(space) * TIED_PAIRS / pairs))
    kind = "labels" if space.metric == "labels" else "few different values"
    plan.note(
        f"from {space.name} ({kind}) the value was measured on {n:,} random rows: each has its whole "
        "class as neighbours"
    )
    return np.sort(generator.choice(len(space), n, replace=False))


# --------------------------------------------------------------------------------------------------------------- steps
def _fed_rows(plan: ComparisonPlan, k: int, on_starved: str) -> np.ndarray | None:
    """Rows with at least k admissible items; None where all have them."""
    space = plan.spaces[0]
    if not plan.admissibility.restricts and plan.columns is None:
        return None  # all others are admissible
    rows = np.arange(len(space)) if plan.rows is None else plan.rows
    admissible = admissible_mass(space, rows, plan.columns, plan.admissibility.check(space))[0]
    most = len(space) - 1 if plan.columns is None else len(plan.columns)
    fed = rows[admissible >= k]
    if len(fed) == len(rows) or k > most:  # the engine says what is wrong with such a k
        return None
    starved = int(np.flatnonzero(admissible < k)[0])
    if on_starved == "raise":
        row = int(rows[starved])
        name = item_name(space, row, int(plan.numbers[row]))
        run = "" if space.run is None else f" (run {space.run_names[space.run[row]]})"
        raise ParameterError(
            f"k={k} is too large: {name}{run} may use only {int(admissible[starved])} items "
            f"as neighbours, and {len(rows) - len(fed) - 1} more have too few; use a smaller "
            "k, shorten exclusion_window, bring more or longer runs, or pass on_starved='drop' to "
            "leave them out as queries"
        )
    if len(fed) < FEWEST_ROWS:
        raise DataError(
            f"only {len(fed)} rows of {len(rows)} have {k} items to choose neighbours from: use a smaller "
            "k, a smaller window, or more runs"
        )
    plan.warn(
        f"{len(rows) - len(fed)} rows were left out as queries: window and runs leave them fewer than k={k} "
        "items to choose from"
    )
    return fed


def _tied_pairs(space: Space, columns) -> float:
    """Pairs of items, the second among the columns, without any distance between them."""
    values = space.features
    if space.metric == "precomputed" or space.backend != "numpy":
        return 0.0
    if space.metric != "labels":  # a look at some rows first: most data have no twins
        some = values[:: len(values) // LOOKED_AT + 1]
        some = some + 0.0 if some.dtype.kind == "f" else some  # -0.0 is 0.0
        if len({row.tobytes() for row in some}) > len(some) / 2:
            return 0.0
    group = np.unique(values, axis=0, return_inverse=True)[1].reshape(-1)
    counts = np.bincount(group).astype(float)
    found = counts if columns is None else np.bincount(group[columns], minlength=len(counts))
    return float((counts * found).sum())
