"""Which columns of a table say when, where or how a row was seen, and not what it is like: by name, or by counting."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

FEWEST_ROWS = 10  # of fewer rows, numbers follow each other evenly by chance
LOOKED_AT = 16  # rows at the beginning that decide whether a column is looked at whole
EVEN = 0.02  # deviation from even steps, in steps, that printed digits explain

# kinds, and the names that mean them; of a time the first kind that is there wins
TIME, STEP, FRAME, ITERATION = "time", "step", "frame", "iteration"
INDEX, RUN, BIAS, EFFORT, FEATURE = "index", "run", "bias", "effort", "feature"
CLOCKS = (TIME, STEP, FRAME, ITERATION)
NAMES = {
    TIME: r"t|times?|timestamps?|date|dates|date ?time|(simulation|sim|model) time|time in \w+",
    STEP: r"steps?|n ?steps?|time ?steps?|md ?steps?|ts",
    FRAME: r"frames?|frame (number|id|index)|snapshots?|models?",
    ITERATION: r"iterations?|iters?|it|epochs?|sweeps?|draws?",
    INDEX: r"index|unnamed:? ?\d+|level \d+| ?index level \d+ ?|row|row ?(number|names?|id|index)|id",
    RUN: r"walkers?|walker ?(id|number|index)|replicas?|replica ?(id|number|index)|runs?|run ?(id|number|index)"
    r"|trajectory|traj|traj(ectory)? ?(id|number|index)|chains?",
    # METAD, OPES, restraints and walls of PLUMED
    BIAS: r"bias|bias ?potential|.*\.(bias|rbias|rct|work|acc|maxbias|transbias|zed|neff|nker|nlker|nlsteps|force2"
    r"|[\w ]+ (bias|work|cntr|kappa))",
    EFFORT: r"(elapsed|wall|cpu) ?(clock)? ?time|walltime|time remaining|progress",  # of the computer
}
PATTERNS = {kind: re.compile(pattern) for kind, pattern in NAMES.items()}
WEAK = re.compile(r"t|ts|id|row|models?|runs?|chains?|draws?")  # a name that may also mean something else
UNIT = re.compile(r"\s*(\([^()]*\)|\[[^\[\]]*\]|/\s*\w+)\s*$")  # "Time (ps)", "time [ns]", "t/ps"
ABBREVIATED = re.compile(r"^(.*\btime|t)_(as|fs|ps|ns|us|ms|s|sec|min|h)$")  # time_ps

WORDS = {
    TIME: "when a row was seen",
    STEP: "when a row was seen",
    FRAME: "when a row was seen",
    ITERATION: "when a row was seen",
    INDEX: "which row it is",
    RUN: "which run a row is of",
    BIAS: "how a row was sampled",
    EFFORT: "what the computer did",
}


@dataclass(frozen=True)
class ColumnRole:
    """What a column is for, and why.

    Attributes
    ----------
    position : int
        Number of the column.
    name : str
        Its name.
    kind : str
        "feature", or what it says of the rows: "time", "step", "frame", "iteration", "index", "run", "bias", "effort".
    reason : str
        Why, as the end of a sentence; empty for a feature.

    Examples
    --------
    >>> from infoscope.base.column_roles import ColumnRole
    >>> ColumnRole(0, "Frame", "frame", "its name says when a row was seen").is_feature
    False
    """

    position: int
    name: str
    kind: str = FEATURE
    reason: str = ""

    @property
    def is_feature(self) -> bool:
        """Whether it says what a row is like."""
        return self.kind == FEATURE


def kind_of_name(name: str) -> str:
    """What a column is for, as far as its name says.

    Parameters
    ----------
    name : str
        Upper and lower case, ``#`` in front, units and underscores count as the same.

    Returns
    -------
    str
        As the `kind` of a `ColumnRole`.

    Examples
    --------
    >>> from infoscope.base.column_roles import kind_of_name
    >>> [kind_of_name(name) for name in ("Time (ps)", "#Frame", "Unnamed: 0", "metad.bias", "phi", "T")]
    ['time', 'frame', 'index', 'bias', 'feature', 'feature']
    """
    plain = name.strip().lstrip("#").strip().strip("\"'")
    plain = UNIT.sub("", plain).strip(" _")
    plain = ABBREVIATED.sub(r"\1", plain)
    if plain in ("T", "TS"):  # a temperature, a transition state
        return FEATURE
    plain = re.sub(r"[\s_-]+", " ", plain).lower()
    return next((kind for kind, pattern in PATTERNS.items() if pattern.fullmatch(plain)), FEATURE)


def is_weak(name: str) -> bool:
    """Whether a name that says when or which may also be that of a measured number, so that its values must agree.

    Examples
    --------
    >>> from infoscope.base.column_roles import is_weak
    >>> is_weak("t (s)"), is_weak("time")
    (True, False)
    """
    plain = UNIT.sub("", name.strip().lstrip("#").strip()).strip(" _")
    return WEAK.fullmatch(ABBREVIATED.sub(r"\1", plain).lower()) is not None


def counts_rows(values: Any) -> bool:
    """Whether numbers grow by the same step from row to row, and so say nothing but the number of the row.

    Parameters
    ----------
    values : array_like of shape (N,)
        Numbers.

    Returns
    -------
    bool
        False for fewer than ten rows, which may do so by chance.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.base.column_roles import counts_rows
    >>> counts_rows(np.linspace(0, 1, 50)), counts_rows(np.linspace(0, 1, 50) ** 2), counts_rows(np.ones(50))
    (True, False, False)
    """
    array = np.asarray(values)
    if len(array) < FEWEST_ROWS or not _is_even(array[:LOOKED_AT]):
        return False
    return _is_even(array)


def counts_in_parts(values: Any, others: Any) -> bool:
    """Whether whole numbers count rows from 0 or 1 and start again, as those of tables put one below the other do.

    In a grid they do so as well, but there another column stays the same from start to start.

    Parameters
    ----------
    values : array_like of shape (N,)
        Numbers.
    others : array_like of shape (N, D)
        The other columns.

    Returns
    -------
    bool
        False where a part has fewer than ten rows.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.base.column_roles import counts_in_parts
    >>> twice, x = np.tile(np.arange(12), 2), np.random.default_rng(0).normal(size=(24, 1))
    >>> counts_in_parts(twice, x), counts_in_parts(twice, np.repeat([[0.0], [0.5]], 12, axis=0))
    (True, False)
    """
    array, others = np.asarray(values, float), np.asarray(others, float)
    if len(array) < 2 * FEWEST_ROWS or array[0] not in (0, 1):
        return False
    steps = np.diff(array)
    starts = np.concatenate([[0], np.flatnonzero(steps != 1) + 1])
    lengths = np.diff(np.append(starts, len(array)))
    if len(starts) < 2 or not (array[starts] == array[0]).all() or lengths.min() < FEWEST_ROWS:
        return False
    spread = np.maximum.reduceat(others, starts) - np.minimum.reduceat(others, starts)
    return bool(spread.any(axis=0).all())


def _is_even(array: np.ndarray) -> bool:
    """Whether steps are equal up to printed digits and the precision of the numbers, and not zero."""
    precision = np.finfo(array.dtype).eps if array.dtype.kind == "f" else 0.0
    numbers = array.astype(np.float64)
    step = (numbers[-1] - numbers[0]) / (len(numbers) - 1)
    rounding = 4 * precision * float(np.abs(numbers).max())
    if not np.isfinite(step) or step == 0 or rounding > abs(step) / 4:
        return False
    line = numbers[0] + step * np.arange(len(numbers))
    return bool(np.abs(numbers - line).max() <= EVEN * abs(step) + rounding)
