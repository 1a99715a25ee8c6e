"""Whether the answer of any estimator of shared information may be believed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from infoscope.base import DataError, InfoscopeError, ParameterError, fingerprint, provenance
from infoscope.base.array_types import Ints
from infoscope.base.checks import check_positive_int, check_random_state, check_same_length, check_vector
from infoscope.neighbors import Space, series_correlation, series_shifts, share_items
from infoscope.statistics import Null, Shifts, check_n_permutations, choose_null, run_order
from infoscope.statistics.units import information_unit

from .estimates import NULLS
from .information_results import Reliability
from .sizes import MOST_PARTS, limit_of, size_curve
from .verdict import judge

FEWEST_ROWS = 8  # of a part


def reliability(
    estimator: Callable[[Any, Any], float],
    X: Any,
    Y: Any,
    *,
    parts: Sequence[int] = range(1, MOST_PARTS + 1),
    fewest: int = FEWEST_ROWS,
    n_permutations: int = 0,
    blocks: Any = None,
    unit: str = "nats",
    random_state: Any = 0,
) -> Reliability:
    """Does an estimate stay where it is when rows are taken away, and is it more than chance?

    Parameters
    ----------
    estimator : function (X, Y) -> float
        Any estimate of what two descriptions share: of this library, of another one, a trained critic.  It is called
        with parts of the rows, of the type that was given; a result with a `value` is taken too.
    X, Y : array (N, ...), frame or Space
        Two descriptions of the same N items.
    parts : sequence of int
        Into how many parts the rows are cut, 1 among them.
    fewest : int
        Rows that a part must have.
    n_permutations : int
        Shuffled samples for the p-value of "nothing is shared"; 0 for none.
    blocks : array (N,), optional
        Block of every row, where rows are correlated: parts are made of whole blocks, and blocks are shuffled.  Spaces
        with `time` or `run` need none: their parts are stretches of time, and they are shifted beyond the correlation
        time.
    unit : {"nats", "bits"}
        Of the estimator's answer.
    random_state : int or Generator
        Of the parts and of the shuffles.

    Returns
    -------
    Reliability

    Raises
    ------
    DataError
        Different numbers of rows; an estimator that does not answer with a number.
    ParameterError
        parts without 1, unknown unit.

    References
    ----------
    Holmes, Nemenman, Phys. Rev. E 100, 022404 (2019): the error, and the drift with the number of rows.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope import reliability
    >>> x = np.random.default_rng(0).normal(size=(1000, 2))
    >>> found = reliability(lambda a, b: -0.5 * np.log(1 - np.corrcoef(a, b)[0, 1] ** 2), x[:, 0], x.sum(axis=1))
    >>> found.reliable
    True
    """
    information_unit(unit)
    cuts = sorted({check_positive_int(n, "parts", 1) for n in parts})
    if cuts[:1] != [1] or len(cuts) < 2:
        raise ParameterError(f"parts is {list(parts)}; it must hold 1 and larger whole numbers")
    check_n_permutations(n_permutations)
    n = check_same_length({"X": X, "Y": Y})
    generator = check_random_state(random_state)
    name = getattr(estimator, "__name__", type(estimator).__name__)
    name = "the estimator" if name == "<lambda>" else name

    def answer(rows: Ints) -> float:
        return _number(estimator(rows_of(X, rows), rows_of(Y, rows)), name)

    rows = _rows(X, Y, n, blocks, generator)
    curve = size_curve(answer, rows.order, parts=cuts, fewest=fewest, dealt=rows.dealt)
    if not curve.parts:
        raise DataError(f"{name} has no answer that is a finite number from all rows")
    judged = judge(curve, unit, 1.0)
    limit = limit_of(curve)
    tested: dict[str, Any] = {}
    if n_permutations:
        every = np.arange(n)
        shuffles = (rows.null.shuffle(generator) for _ in range(n_permutations))
        null_values = np.array([_number(estimator(rows_of(X, every), rows_of(Y, s)), name) for s in shuffles])
        tested = rows.null.tested(curve.mean[0], null_values)
    parameters = dict(estimator=name, parts=cuts, fewest=fewest, n_permutations=n_permutations, unit=unit)
    return Reliability(
        value=float(curve.mean[0]),
        value_se=curve.standard_error,
        unit=unit,
        n_items=n,
        parts=np.array(curve.parts, np.int64),
        by_size=curve.mean,
        by_size_se=curve.mean_se,
        reliable=judged.reliable,
        reasons=judged.reasons,
        is_lower_bound=judged.is_lower_bound,
        **tested,
        null=rows.null.word if n_permutations else "none",
        estimator=name,
        limit=limit.value,
        limit_se=limit.value_se,
        follows_line=limit.line,
        provenance=provenance("reliability", parameters, random_state, *(_contents_of(data) for data in (X, Y))),
    )


# --------------------------------------------------------------------------------------------------------------- steps
class Rows(NamedTuple):
    """How rows are cut into parts and shuffled."""

    order: Ints
    dealt: bool  # whether parts are dealt from the order, or are stretches of it
    null: Null  # how they are shuffled


def rows_of(data: Any, rows: Ints) -> Any:
    """Some rows of an array, frame or Space."""
    if isinstance(data, Space):
        return data.take(rows)
    if hasattr(data, "iloc"):
        return data.iloc[rows]
    return data[rows] if hasattr(data, "shape") else [data[row] for row in rows]


def _number(found: Any, name: str) -> float:
    try:
        return float(getattr(found, "value", found))
    except (TypeError, ValueError) as error:
        if isinstance(error, InfoscopeError):
            raise
        raise DataError(f"{name} answers with {type(found).__name__}; it must be one number") from None


def _rows(X: Any, Y: Any, n: int, blocks: Any, generator: np.random.Generator) -> Rows:
    """How rows are cut and shuffled, by what is known of their order."""
    if blocks is not None:
        labels = np.unique(check_vector(blocks, "blocks", length=n), return_inverse=True)[1].reshape(-1)
        place = generator.permutation(labels.max() + 1)[labels]
        null = _null("blocks", n, Shifts(run_order(n), 0.0, 1.0), labels)
        return Rows(np.argsort(place, kind="stable"), False, null)
    spaces = [data for data in (X, Y) if isinstance(data, Space)]
    series = None
    if spaces:
        named = [space if space.name else space.replace(name="XY"[a]) for a, space in enumerate(spaces)]
        spaces = share_items(named)[0]
        series = series_correlation(spaces)
    if series is None:
        return Rows(generator.permutation(n), True, _null("shuffle", n))
    null = _null("shift", n, series_shifts(spaces[0], series))
    return Rows(run_order(n, spaces[0].time, spaces[0].run).rows, False, null)


def _null(word: str, n: int, shifts: Shifts | None = None, labels: Ints | None = None) -> Null:
    return choose_null(word, n, words=NULLS, auto=(word,), shifts=shifts, blocks=lambda: labels)


def _contents_of(data: Any) -> Any:
    if isinstance(data, Space):
        return data.features
    try:
        return np.asarray(data)
    except ValueError:
        return fingerprint(repr(type(data)))
