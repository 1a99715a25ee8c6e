"""Words for "nothing is shared", what rows do under each, and how many of these rearrangements say something new."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from infoscope.base import ParameterError
from infoscope.base.checks import check_choice

from .order import RunOrder
from .shuffles import (
    detection_limit,
    independent_shifts,
    p_of_count,
    permutation_p_value,
    shift_in_runs,
    shuffle_among_neighbors,
    shuffle_blocks,
    shuffle_rows,
)

Shuffle = Callable[[np.random.Generator], np.ndarray]
BY_ROWS, BY_BLOCKS = ("shuffle", "permute"), ("blocks", "block")  # two words, one meaning


class Shifts(NamedTuple):
    """Circular shifts of the rows of a series inside its runs.

    Attributes
    ----------
    order : RunOrder
        Of the rows.
    reach : float
        Shifts go further than this, in units of time (rows where there is none).
    memory : float
        How long rows remember: shifts that differ by less say the same.

    Examples
    --------
    >>> from infoscope.statistics import Shifts, run_order
    >>> Shifts(run_order(100), reach=10.0, memory=5.0).distinct
    16.0
    """

    order: RunOrder
    reach: float
    memory: float

    def shuffle(self, generator: np.random.Generator) -> np.ndarray:
        """Which row stands in each place, as `shift_in_runs` says it."""
        return shift_in_runs(self.order, self.reach, generator)

    @property
    def distinct(self) -> float:
        """How many shifts say something new."""
        return independent_shifts(self.order, self.reach, self.memory)

    @property
    def possible(self) -> bool:
        """Whether every run is longer than two times the reach."""
        try:
            self.shuffle(np.random.default_rng(0))
        except ParameterError:
            return False
        return True


class Null(NamedTuple):
    """How rows are rearranged so that nothing is shared.

    Attributes
    ----------
    word : str
        What it is called, never "auto".
    shuffle : function (Generator) -> array (N,) of int
        Which row stands in each place.
    distinct : float or None
        How many rearrangements say something new; None where they are as good as endless.
    """

    word: str
    shuffle: Shuffle
    distinct: float | None = None

    def p_value(self, observed: float, shuffled: Any, *, larger: bool = True, size: float = 0.0) -> float:
        """That of `permutation_p_value`, with no more shuffles counted than say something new."""
        return permutation_p_value(observed, shuffled, larger=larger, size=size, independent=self.distinct)

    def p_of_count(self, count: Any, n_permutations: int) -> Any:
        """The same where `count` of so many shuffled values are known to be as extreme; of numbers or arrays."""
        return p_of_count(count, n_permutations, self.distinct)

    def detection_limit(self, shuffled: Any, level: float = 0.05) -> float:
        """The largest value whose `p_value` is above a level; infinite where none would be below it."""
        return detection_limit(shuffled, level, lambda count: self.p_of_count(count, len(shuffled)))

    def tested(self, observed: float, shuffled: Any, *, size: float = 0.0) -> dict[str, Any]:
        """What results hold of a test: the p-value, the shuffled values, and what would not have been noticed."""
        values = np.asarray(shuffled)
        return dict(
            p_value=self.p_value(observed, values, size=size),
            null_values=values,
            detection_limit=self.detection_limit(values),
        )

    def note(self, n_permutations: int) -> tuple[str, ...]:
        """What to say where more were drawn than say something new."""
        if self.distinct is None or self.distinct >= n_permutations:
            return ()
        return (
            f"the series has about {self.distinct:.0f} shifts that say something new: p-values count these, not the "
            f"{n_permutations} that were drawn, and go no lower than {1 / (1 + self.distinct):.2g}",
        )


def choose_null(
    word: str,
    n: int,
    *,
    words: Sequence[str],
    auto: Sequence[str],
    shifts: Shifts | None = None,
    blocks: Callable[[], np.ndarray | None] | None = None,
    fewest_blocks: int = 1,
    neighbors: Callable[[], np.ndarray] | None = None,
    by_content: Callable[[], np.ndarray] | None = None,
) -> Null:
    """From the word for a null to what rows do.

    Parameters
    ----------
    word : str
        "shift": rows are shifted circularly inside runs, which keeps what they remember; "blocks" or "block": whole
        blocks change places; "shuffle" or "permute": single rows do; "local": rows change places with neighbours;
        "auto": the first of `auto` that the rows allow.
    n : int
        How many rows there are.
    words : sequence of str
        Those that may be said here, without "auto".
    auto : sequence of str
        What "auto" stands for, best first; the last is taken whatever the rows are.
    shifts : Shifts, optional
        For "shift".
    blocks : function () -> array (N,) of int or None, optional
        Block of every row, for "blocks"; asked only then.
    fewest_blocks : int
        How many blocks there must be.
    neighbors : function () -> array (N, k) of int, optional
        Neighbours of every row, itself among them, for "local"; asked once, at the first draw.
    by_content : function () -> array (N,) of int, optional
        Rows in an order that their contents decide: the same rows in another order then have the same "shuffle".

    Returns
    -------
    Null

    Raises
    ------
    ParameterError
        An unknown word, or one that does not suit the rows.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.statistics import Shifts, choose_null, run_order
    >>> series = Shifts(run_order(6), reach=1.0, memory=1.0)
    >>> null = choose_null("auto", 6, words=("shift", "shuffle"), auto=("shift",), shifts=series)
    >>> null.word, null.distinct, null.shuffle(np.random.default_rng(0)).tolist()
    ('shift', 4.0, [2, 3, 4, 5, 0, 1])
    """
    check_choice(word, "null", ("auto", *words))
    if word == "auto":
        fitting = (one for one in auto[:-1] if one != "shift" or (shifts is not None and shifts.possible))
        word = next(fitting, auto[-1])
    if word == "shift" and shifts is not None:
        return Null(word, shifts.shuffle, shifts.distinct)
    if word in BY_BLOCKS:
        labels = None if blocks is None else blocks()
        if labels is None or shifts is None or len(np.unique(labels)) < fewest_blocks:
            plain = next((one for one in words if one in BY_ROWS), "auto")
            raise ParameterError(
                f"null={word!r} needs blocks of correlated rows, at least {fewest_blocks}: give time or run, or take "
                f"null={plain!r}"
            )
        order = shifts.order
        return Null(word, lambda generator: shuffle_blocks(order, labels, generator))
    if word == "local" and neighbors is not None:
        return Null(word, _near_by(neighbors))
    contents = None if by_content is None else by_content()
    return Null(word, lambda generator: _all_rows(n, contents, generator))


# --------------------------------------------------------------------------------------------------------------- steps
def _all_rows(n: int, order: np.ndarray | None, generator: np.random.Generator) -> np.ndarray:
    shuffle = shuffle_rows(n, generator)
    if order is None:
        return shuffle
    moved = np.empty(n, np.int64)
    moved[order] = order[shuffle]
    return moved


def _near_by(neighbors: Callable[[], np.ndarray]) -> Shuffle:
    found: list[np.ndarray] = []

    def shuffle(generator: np.random.Generator) -> np.ndarray:
        if not found:
            found.append(neighbors())
        return shuffle_among_neighbors(found[0], generator)

    return shuffle
