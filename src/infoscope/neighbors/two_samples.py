"""Both samples as one space: the reference first, measured alike; what makes them unfit for a comparison is said."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from infoscope.base import DataError, DataWarning, Origin, ParameterError, warn
from infoscope.base.rounding import exceeds, first_lowest

from .convert import Data, kind_of, to_numpy
from .correlation import settle_window
from .order import order_test
from .origins import item_origin
from .ownership import hand_over
from .repeated_rows import find_repeated_rows
from .row_order import looking_at_row_order
from .space import Space, as_space
from .weighting import refuse_weights, settle_weights

JOINED = ("euclidean", "manhattan", "chebyshev", "cosine", "hamming", "bits")
UNEVEN = 100.0  # ratio of standard deviations of two columns from which one of them hardly counts
WAY_OUT = "or say which rows belong together (`groups_reference=`, `groups_test=`)"


class TwoSamples(NamedTuple):
    """Two samples, and both as one space.

    Attributes
    ----------
    space : Space
        All items, the reference first.
    labels : array (N,) of uint8
        1 for the test sample.
    reference, test : Space
    notes : tuple of str
        What was left out.
    kept : tuple of two arrays
        Numbers of the rows of both samples, as they were brought.
    """

    space: Space
    labels: np.ndarray
    reference: Space
    test: Space
    notes: tuple[str, ...]
    kept: tuple[np.ndarray, np.ndarray]

    @property
    def weights(self) -> tuple[np.ndarray | None, np.ndarray | None]:
        """Weights of the items of both samples; None where they are equal."""
        return self.reference.sample_weight, self.test.sample_weight

    @property
    def origin(self) -> Origin | None:
        """Where the items of both samples came from, where both know it."""
        both = [origin for sample in (self.reference, self.test) if (origin := item_origin(sample)) is not None]
        return Origin.joined(both) if len(both) == 2 else None

    @property
    def row_numbers(self) -> np.ndarray | None:
        """Number of every item in its sample as it was brought; None where all are there."""
        every = all(len(kept) == kept.max() + 1 for kept in self.kept)
        return None if every else np.concatenate(self.kept)


def join_samples(
    reference: Data,
    test: Data,
    *,
    metric: str = "euclidean",
    period: Any = None,
    feature_weights: Any = None,
    unweighted: str | None = None,
) -> TwoSamples:
    """One space of both samples; metric, period and feature_weights are those of the reference.

    Parameters
    ----------
    reference, test : array (N, D), frame, list of arrays (runs) or Space
    metric, period, feature_weights
        As for `Space`, where the reference is none.
    unweighted : str, optional
        Why weights that differ are refused; without it they are kept.

    Returns
    -------
    TwoSamples

    Raises
    ------
    DataError, ParameterError
        Columns, metrics or periods that differ, fewer than two rows, weights where they are refused.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.neighbors.two_samples import join_samples
    >>> both = join_samples(np.array([[0.0], [1.0]]), np.array([[2.0], [3.0], [4.0]]))
    >>> both.labels, len(both.space)
    (array([0, 0, 1, 1, 1], dtype=uint8), 5)
    """
    options = dict(metric=None if metric == "euclidean" else metric, period=period, feature_weights=feature_weights)
    if isinstance(test, Space) and not isinstance(reference, Space):
        first = as_space(reference, name="the reference", **_options_of(test, options))
        second = test
    else:
        first = _make_space(reference, "the reference", options)
        if first.metric == "cosine" and not isinstance(reference, Space) and not isinstance(test, Space):
            second = Space(test, metric="cosine", feature_weights=feature_weights, name="the test sample")
        else:
            second = test if isinstance(test, Space) else _measured_as(first, test)
    _check_alike(first, second)
    made, notes, kept = [], [], []
    for sample in (first, second):
        settled = settle_weights(sample)
        kept.append(settled.kept)
        notes += [f"{sample.name or 'a sample'}: {note}" for note in settled.notes]
        made.append(settled.spaces[0] if unweighted is None else refuse_weights(sample, unweighted))
    first, second = made
    if not np.array_equal(first.feature_weights, second.feature_weights):
        notes.append("the samples have different feature_weights: those of the reference are used for both")
    labels = np.zeros(len(first) + len(second), np.uint8)
    labels[len(first) :] = 1
    return TwoSamples(_joined(first, second), labels, first, second, tuple(notes), (kept[0], kept[1]))


class SharedRows(NamedTuple):
    """Rows that stand in both samples.

    Attributes
    ----------
    n : int
        Rows of the test sample that stand in the reference as well; 0 where the rows are not at hand.
    all : bool
        Whether both samples are the same rows in some order, with the same shares of the weight.
    on_grid : bool
        Whether every column has few values, so that equal rows may well be chance.
    """

    n: int
    all: bool
    on_grid: bool


def shared_rows(samples: TwoSamples) -> SharedRows:
    """Which rows of two samples are the same.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.neighbors import join_samples, shared_rows
    >>> x = np.array([[0.5], [1.5], [2.5]])
    >>> shared_rows(join_samples(x, x[::-1])).all, shared_rows(join_samples(x[:2], x[1:])).n
    (True, 1)
    """
    repeated = find_repeated_rows(samples.space)
    if repeated is None or not repeated.n_repeats:
        return SharedRows(0, False, False)
    n_groups = len(repeated.first)
    groups = [repeated.group[samples.labels == label] for label in (0, 1)]
    n = int(np.count_nonzero(np.isin(groups[1], groups[0])))
    same = len(groups[0]) == len(groups[1]) == n
    if same:
        shares = []
        for group, weight in zip(groups, samples.weights, strict=True):
            mass = np.bincount(group, weight, minlength=n_groups)
            shares.append(mass / mass.sum())
        same = not np.any(exceeds(*shares) | exceeds(*shares[::-1]))
    return SharedRows(n, same, repeated.on_grid)


def samples_in_time(samples: TwoSamples, exclusion_window: float | str | None) -> tuple[TwoSamples, float | None]:
    """The samples with what a window says of the order of their rows, and the length of blocks; None: to be found."""
    reference, window = settle_window(samples.reference, exclusion_window)
    test, _ = settle_window(samples.test, exclusion_window)
    return samples._replace(reference=reference, test=test), window or None


def measured_alike(space: Space, data: Data) -> Space:
    """New points, measured as the items of a space."""
    new = data if isinstance(data, Space) else _measured_as(space, data, "the new points")
    _check_columns(space, new, "the samples", "the new points")
    return new


def look_at_samples(samples: TwoSamples, *, independent: bool, way_out: str = WAY_OUT) -> tuple[str, ...]:
    """Warnings about the data; `independent` is False where something was said about time, runs or groups.

    `way_out` is the end of a warning: what the caller's user can do.
    """
    found = []
    space = samples.space
    if space.backend == "numpy" and space.metric in ("euclidean", "manhattan", "chebyshev"):
        found += _columns(space)
    with looking_at_row_order(independent, way_out=way_out) as look:
        for sample, name in ((samples.reference, "the reference"), (samples.test, "the test sample")):
            if look.active and len(sample) >= 20 and sample.backend != "dask":
                look.hear(order_test(sample), f"in {name}, ")
    return (*found, *look.warnings)


def repeated_in_samples(samples: TwoSamples) -> tuple[str, ...]:
    """What to say where rows have equal ones in their own sample: chance on a grid, copies elsewhere."""
    found = []
    for sample, name in ((samples.reference, "the reference"), (samples.test, "the test sample")):
        repeated = find_repeated_rows(sample)
        if repeated is not None and repeated.worth_a_warning:
            found.append(f"{repeated} of {name}")
    if not found:
        return ()
    return (
        f"{', '.join(found)}: copies (a file read twice, up-sampled or augmented rows) are not independent; leave them "
        "out, or say with groups_reference and groups_test which belong together",
    )


# --------------------------------------------------------------------------------------------------------------- steps
def _make_space(data: Data, name: str, options: dict[str, Any]) -> Space:
    """The reference as a space; numbers below two say so in the words of this subpackage."""
    given = {key: value for key, value in options.items() if value is not None}
    return as_space(data, **(given if isinstance(data, Space) else given | {"name": name}))


def _options_of(space: Space, options: dict[str, Any]) -> dict[str, Any]:
    if any(value is not None for value in options.values()):
        raise ParameterError("metric, period or feature_weights given together with a Space, which has its own: pass "
                             "them when making the Space")  # fmt: skip
    return _measure(space)


def _measure(space: Space) -> dict[str, Any]:
    measure: dict[str, Any] = dict(metric=space.metric, period=space.period if space.period.any() else None)
    if space.metric in ("euclidean", "manhattan", "chebyshev", "hamming"):
        measure["feature_weights"] = space.feature_weights
    return measure


def _measured_as(first: Space, data: Data, name: str = "the test sample") -> Space:
    if first.metric not in JOINED:
        _check_metric(first)
    if first.metric == "bits":
        return Space(data, metric="bits", n_bits=first.n_bits, name=name)
    if first.metric == "cosine":
        raise ParameterError(f"a Space with metric 'cosine' has its weights in its directions: make a Space of {name}, "
                             "with the same feature_weights")  # fmt: skip
    plain = Space(data, name=name, metric=first.metric, period_check=False)
    _check_columns(first, plain, "the reference", name)
    return Space(plain.features, **_measure(first), **plain.about_items(), name=plain.name,
                 feature_names=plain.feature_names)  # fmt: skip


def _check_metric(space: Space) -> None:
    raise ParameterError(f"metric {space.metric!r} knows no distances between two samples: order the neighbours "
                         "yourself and use score_from_neighbors")  # fmt: skip


def _check_columns(first: Space, second: Space, name: str, other: str) -> None:
    if first.n_features != second.n_features:
        raise DataError(f"{name} {'have' if name.endswith('s') else 'has'} {first.n_features} columns and {other} "
                        f"{second.n_features}: both need the same")  # fmt: skip
    names = first.feature_names, second.feature_names
    if None not in names and list(names[0]) != list(names[1]):
        wrong = next(i for i, (a, b) in enumerate(zip(*names, strict=True)) if a != b)
        raise DataError(f"column {wrong} is {names[0][wrong]!r} in {name} and {names[1][wrong]!r} in {other}: give "
                        "both the same columns in the same order")  # fmt: skip


def _check_alike(first: Space, second: Space) -> None:
    if first.metric not in JOINED:
        _check_metric(first)
    _check_columns(first, second, "the reference", "the test sample")
    if first.metric != second.metric or first.n_bits != second.n_bits:
        raise ParameterError(f"the reference has metric {first.metric!r} and the test sample {second.metric!r}")
    if not np.array_equal(first.period, second.period):
        raise ParameterError(f"the samples have different periods, {first.period.tolist()} and "
                             f"{second.period.tolist()}: measure both alike")  # fmt: skip
    if first.backend != second.backend:
        raise ParameterError(f"the reference is a {first.backend} array and the test sample a {second.backend} array: "
                             "convert one")  # fmt: skip
    for space, name in ((first, "the reference"), (second, "the test sample")):
        if len(space) < 2:
            raise DataError(f"{name} has {len(space)} row; a comparison needs at least two of each sample")


def _joined(first: Space, second: Space) -> Space:
    parts: Any = [first.features, second.features]
    kind = kind_of(first.features)
    features: Any
    if kind == "torch":
        import torch

        features = torch.cat([part.to(parts[0].device) for part in parts])
    elif kind == "dask":
        import dask.array

        features = dask.array.concatenate(parts)
    else:
        features = hand_over(np.concatenate(parts))
    if first.metric == "bits":
        return Space(features, metric="bits")  # whole words: the padding is zero in both
    names = first.feature_names if first.feature_names is not None else second.feature_names
    return Space(features, **_measure(first), feature_names=names, name="both samples", period_check=False)


def _columns(space: Space) -> list[str]:
    """Constant columns, and such as hardly count beside another."""
    x = to_numpy(space.features)
    spread = np.where(x.max(axis=0) > x.min(axis=0), x.std(axis=0), 0.0) * space.feature_weights
    found = []
    constant = np.flatnonzero((spread == 0) & (space.feature_weights > 0))
    if len(constant):
        names = ", ".join(space.column_name(a) for a in constant[:5])
        found.append(f"{names} is constant in both samples and tells nothing" if len(constant) == 1 else
                     f"{len(constant)} columns are constant in both samples and tell nothing ({names})")  # fmt: skip
    moving = np.flatnonzero(spread > 0)
    if len(moving) > 1 and exceeds(spread[moving].max(), UNEVEN * spread[moving].min()):
        a, b = (moving[first_lowest(values)] for values in (-spread[moving], spread[moving]))
        found.append(
            f"{space.column_name(a)} spreads {spread[a] / spread[b]:.3g} times as wide as {space.column_name(b)}, "
            "which hardly counts in distances: scale the columns if their units are arbitrary "
            "(Space(..., scale='standard') for the reference)"
        )
    for text in found:
        warn(text, DataWarning)
    return found
