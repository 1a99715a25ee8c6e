"""Several descriptions of the same items, made ready for counting neighbours: columns, metric, who may be near whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from infoscope.base import CorrelatedRowsWarning, DataError, DataWarning, InfoscopeError, ParameterError, warn
from infoscope.base.checks import check_choice
from infoscope.neighbors import (
    UNRESTRICTED,
    Admissibility,
    SeriesCorrelation,
    Space,
    admissible_pairs,
    column_items,
    is_series,
    items_of,
    refuse_weights,
    row_items,
    series_correlation,
    settle_admissibility,
    settle_weights,
    share_items,
    target_space,
    to_numpy,
)
from infoscope.statistics.correlation import normal_scores

MARGINALS = ("auto", "rank-normal", "standardize")
MAXIMUM_NORM_UP_TO = 3  # columns of a plain array; above, the Euclidean distance
STRAIGHT = ("euclidean", "manhattan", "chebyshev")
CATEGORIES = ("labels",)
NO_WEIGHTS = "counts of neighbours have no weighted form"


class Side(NamedTuple):
    """One description of the items, as it is measured."""

    space: Space
    brought: bool  # whether the caller made the Space
    constant: bool  # whether nothing varies in it
    marginals: str | None  # what was done to the columns
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def categorical(self) -> bool:
        return self.space.metric in CATEGORIES


@dataclass(frozen=True, eq=False)
class JointSample:
    """Descriptions of the same items.

    Attributes
    ----------
    spaces : tuple of Space
        How each measures distance.
    scores : tuple of (array or None), or None
        Normal scores of their columns, where these are real numbers; None before `with_scores`.
    admissibility : Admissibility
        Who may be whose neighbour.
    correlation : SeriesCorrelation or None
        Of the rows, where something was said about their order.
    silent : bool
        Whether the order of rows is not looked at, because something was said about it.
    notes, warnings : tuple of str
        What there is to say about the input.
    """

    spaces: tuple[Space, ...]
    admissibility: Admissibility = UNRESTRICTED
    correlation: SeriesCorrelation | None = None
    silent: bool = False
    n_jobs: int | None = None
    marginals: tuple[str | None, ...] = ()
    constant: tuple[bool, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    scores: tuple[np.ndarray | None, ...] | None = None

    def __len__(self) -> int:
        return len(self.spaces[0])

    @property
    def ordered(self) -> bool:
        """Whether rows follow each other."""
        return is_series(self.spaces[0]) or self.admissibility.restricts

    @property
    def options(self) -> dict[str, Any]:
        """For the verbs of the engine."""
        return self.admissibility.options | {"n_jobs": self.n_jobs}

    def take(self, rows: np.ndarray) -> JointSample:
        """Some of the rows, which keep the times they had."""
        spaces: Sequence[Space] = self.spaces
        if self.admissibility.restricts and spaces[0].time is None:  # a window is one of places in the run
            spaces = [space.replace(time=items_of(space).time) for space in spaces]
        return replace(
            self,
            spaces=tuple(space.take(rows) for space in spaces),
            scores=None if self.scores is None else tuple(None if z is None else z[rows] for z in self.scores),
        )

    def keep(self, kept: Sequence[int]) -> JointSample:
        """Some of the descriptions, by their numbers."""
        return replace(
            self,
            spaces=tuple(self.spaces[a] for a in kept),
            marginals=tuple(self.marginals[a] for a in kept),
            constant=tuple(self.constant[a] for a in kept),
            scores=None if self.scores is None else tuple(self.scores[a] for a in kept),
        )

    def shuffled(self, which: int, shuffle: np.ndarray) -> JointSample:
        """The contents of one space rearranged, while times and runs stay in their places."""
        spaces = list(self.spaces)
        about = spaces[which].about_items(ids=False)
        moved = spaces[which].take(shuffle)
        spaces[which] = moved.replace(**{name: about.get(name) for name in ("time", "run")}) if about else moved
        part = replace(self, spaces=tuple(spaces))
        if self.scores is None or (own := self.scores[which]) is None:
            return part
        return replace(part, scores=(*self.scores[:which], own[shuffle], *self.scores[which + 1 :]))

    def with_scores(self) -> JointSample:
        """The same with the normal scores of its columns, which are those of all rows, whatever part is taken later."""
        if self.scores is not None:
            return self
        made = zip(self.spaces, self.marginals, strict=True)
        return replace(self, scores=tuple(scores_of(space, marginals) for space, marginals in made))

    def admissible(self) -> np.ndarray:
        """How many items every row may use."""
        space = self.spaces[0]
        return admissible_pairs(row_items(space, None), column_items(space, None), self.admissibility).admissible


def joint_sample(
    given: dict[str, Any],
    *,
    marginals: str | None = "auto",
    labels: str = "auto",
    maximum_norm: bool = False,
    exclusion_window: float | str | None = None,
    neighbors_from: str | None = None,
    n_jobs: int | None = None,
) -> JointSample:
    """Read several descriptions of the same items, and settle what times and runs ask.

    Parameters
    ----------
    given : dict of str to (Space, array, frame or labels)
        By the names that messages give them.
    marginals : {"auto", "rank-normal", "standardize"} or None
        What is done to the columns; "auto": rank-normal for plain real columns, nothing for a Space.
    labels : {"auto", "none"}
        Whether a plain column may be taken as labels.
    maximum_norm : bool
        Whether plain columns are compared by their largest difference, however many there are.
    exclusion_window, neighbors_from, n_jobs
        As everywhere.

    Returns
    -------
    JointSample

    Raises
    ------
    DataError
        Different items, weights that differ, numbers that are none.
    ParameterError
        Unknown words; ranks of what has none.
    """
    if marginals is not None:
        check_choice(marginals, "marginals", MARGINALS)
    kind = "auto" if labels == "auto" else "features"
    read = [target_space(data, kind, name=name, option="labels") for name, data in given.items()]
    shared, borrowed = share_items([space for space, _ in read])
    refuse_weights(shared[0], NO_WEIGHTS)
    weighting = settle_weights(shared)
    sides = [
        _made_ready(space, isinstance(data, Space), name, marginals, maximum_norm, notes)
        for space, (name, data), (_, notes) in zip(weighting.spaces, given.items(), read, strict=True)
    ]
    spaces = [side.space for side in sides]
    said = exclusion_window is not None or is_series(spaces[0]) or neighbors_from == "other_runs"
    automatic = exclusion_window == "auto" or (exclusion_window is None and is_series(spaces[0]))
    if isinstance(exclusion_window, str) and not automatic:
        raise ParameterError(f"exclusion_window is {exclusion_window!r}; it must be a time >= 0, 'auto' or None")
    notes, correlation = [*borrowed, *weighting.notes], None
    if automatic or exclusion_window or is_series(spaces[0]):
        try:
            varying = [space for space, side in zip(spaces, sides, strict=True) if not side.constant]
            correlation = series_correlation(varying or spaces, in_order=True, n_jobs=n_jobs)
        except InfoscopeError as error:  # a window given as a number does without
            if automatic:
                raise
            notes.append(f"no correlation time: {error}")
    settled = settle_admissibility(spaces[0], correlation, exclusion_window, neighbors_from, automatic=automatic)
    warnings = [text for side in sides for text in side.warnings]
    if settled.too_short:
        warnings.append(settled.too_short)
        warn(settled.too_short, CorrelatedRowsWarning)
    return JointSample(
        tuple(spaces),
        settled.admissibility,
        correlation,
        silent=said,
        n_jobs=n_jobs,
        marginals=tuple(side.marginals for side in sides),
        constant=tuple(side.constant for side in sides),
        notes=(*notes, *settled.notes, *(note for side in sides for note in side.notes)),
        warnings=tuple(warnings),
    )


def check_enough(n: int, k: int) -> None:
    """Raise where there are too few items for k neighbours."""
    if n < 2 * (k + 1):
        raise DataError(f"{n} items are too few for k={k} neighbours: at least {2 * (k + 1)} are needed; lower k")


def contents_of(sample: JointSample) -> list[Any]:
    """What the hash of the input is made of."""
    return [part for space in sample.spaces for part in (space.hashed, space.time, space.run)]


# ---------------------------------------------------------------------------------------------------- one description
def _made_ready(
    space: Space, brought: bool, name: str, marginals: str | None, maximum_norm: bool, notes: list[str]
) -> Side:
    """One description: constant columns are left out of plain data, and the others made alike in scale."""
    said = tuple(f"{note.partition(';')[0]}; floats are compared by their size" for note in notes)
    if brought or space.metric != "euclidean" or space.backend != "numpy":
        return _space_side(space, name, marginals, said)
    return _plain_side(space, marginals, maximum_norm, said)


def _space_side(space: Space, name: str, marginals: str | None, notes: tuple[str, ...]) -> Side:
    """A Space that the caller made stays as it is, unless its columns are to be changed by word."""
    if marginals in ("rank-normal", "standardize") and space.metric not in CATEGORIES:
        _refuse_marginals(space, name, marginals)
        columns = np.asarray(to_numpy(space.features), np.float64)
        made = Space(
            _transformed(columns, marginals),
            metric=space.metric,
            feature_weights=space.feature_weights,
            feature_names=space.feature_names,
            name=space.name,
            **space.about_items(),
        )
        return Side(made, True, _is_constant(made), marginals, notes)
    return Side(space, True, _is_constant(space), None, notes)


def plain_space(space: Space) -> Space:
    """What plain columns become, of a Space of such columns: normal scores, and the metric that goes with their number.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.measures.joint_sample import plain_space
    >>> from infoscope.neighbors import Space
    >>> plain_space(Space(np.array([[1.0], [10.0], [100.0]]))).features.ravel().round(2).tolist()
    [-0.67, 0.0, 0.67]
    """
    return _plain_side(space, "rank-normal", False, ()).space


def _plain_side(space: Space, marginals: str | None, maximum_norm: bool, notes: tuple[str, ...]) -> Side:
    columns = np.asarray(space.features, np.float64)
    varying = np.flatnonzero(columns.min(0) != columns.max(0))
    warnings: tuple[str, ...] = ()
    if len(varying) < columns.shape[1]:
        left_out = np.setdiff1d(np.arange(columns.shape[1]), varying)
        names = ", ".join(space.column_name(int(a)) for a in left_out[:5]) + (", ..." if len(left_out) > 5 else "")
        text = f"{len(left_out)} constant column(s) of {space.name} were left out: {names}"
        warn(text, DataWarning)
        warnings = (text,)
    if not len(varying):
        return Side(space, False, True, None, notes, warnings)
    columns = columns[:, varying]
    marginals = "rank-normal" if marginals == "auto" else marginals
    metric = "chebyshev" if maximum_norm or len(varying) <= MAXIMUM_NORM_UP_TO else "euclidean"
    changed = _transformed(columns, marginals)
    changed.flags.writeable = False  # nobody else has it: the Space need not copy
    columns_of = None if space.feature_names is None else [space.feature_names[a] for a in varying]
    made = Space(changed, metric=metric, feature_names=columns_of, name=space.name, **space.about_items())
    return Side(made, False, False, marginals, notes, warnings)


def _transformed(columns: np.ndarray, marginals: str | None) -> np.ndarray:
    if marginals == "rank-normal":
        return rank_normal(columns)
    if marginals == "standardize":
        deviation = columns.std(0)
        return np.asarray((columns - columns.mean(0)) / np.where(deviation > 0, deviation, 1.0))
    return columns.copy()


def rank_normal(columns: np.ndarray) -> np.ndarray:
    """Every column by its normal scores, Phi^-1(rank/(N + 1)), mean ranks for ties."""
    scores = np.empty(columns.shape)
    for a in range(columns.shape[1]):
        scores[:, a] = normal_scores(columns[:, a], offset=0.0)
    return scores


def scores_of(space: Space, marginals: str | None) -> np.ndarray | None:
    """Normal scores of columns that lie on a line; None of angles, categories, distances, and data elsewhere."""
    if space.metric not in STRAIGHT or space.period.any() or space.backend != "numpy":
        return None
    columns = np.asarray(space.features, np.float64)
    used = np.asarray(space.feature_weights) > 0
    used &= columns.min(0) != columns.max(0)
    columns = columns if used.all() else columns[:, used]
    return columns if marginals == "rank-normal" else rank_normal(columns)


def _refuse_marginals(space: Space, name: str, marginals: str) -> None:
    if space.metric not in STRAIGHT or space.backend != "numpy":
        raise ParameterError(
            f"marginals={marginals!r} changes columns of real numbers, and {name} is measured by {space.metric!r} in "
            f"{space.backend} arrays: leave marginals at 'auto'"
        )
    if space.period.any():
        a = int(np.flatnonzero(space.period)[0])
        raise ParameterError(
            f"marginals={marginals!r} needs a line, and {space.column_name(a)} of {name} is periodic: leave marginals "
            "at 'auto', or give cos and sin of it as two columns"
        )


def _is_constant(space: Space) -> bool:
    """Whether no two items are apart."""
    features = space.features
    if space.metric == "neighbors":
        raise ParameterError(f"of {space.name} only the nearest neighbours are known: all distances are needed")
    if space.backend == "dask":
        return bool((features == features[:1]).all().compute())
    if space.metric == "precomputed":
        return not features.any()
    used = np.asarray(space.feature_weights) > 0
    same = features == features[:1]
    return bool(to_numpy(same.all(0) if space.backend == "numpy" else same.all(dim=0))[used].all())
