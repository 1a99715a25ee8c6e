"""How many nats two descriptions of the same items share, with an error, and whether to believe it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from infoscope.base import ParameterError, provenance
from infoscope.base.checks import check_choice, check_positive_int, check_random_state
from infoscope.neighbors import looking_at_row_order
from infoscope.statistics import permutation_p_value

from .estimates import Estimate, copula_beside, curve_neighbors, estimate, part_order, settle_estimator, shuffler
from .information_results import UNITS, Information
from .joint_sample import JointSample, joint_sample
from .label_information import settle_small_labels
from .sizes import SizeCurve, size_curve
from .verdict import NeighborCurve, judge

FEWEST_PERMUTATIONS = 19


def mutual_information(
    X: Any,
    Y: Any,
    *,
    k: int = 3,
    estimator: str = "auto",
    marginals: str | None = "auto",
    compress: Any = "auto",
    se: bool = True,
    n_permutations: int = 0,
    null: str = "auto",
    small_labels: str = "raise",
    unit: str = "nats",
    exclusion_window: float | str | None = None,
    neighbors_from: str | None = None,
    random_state: Any = 0,
    n_jobs: int | None = None,
) -> Information:
    """How much do two descriptions of the same items share?

    Parameters
    ----------
    X, Y : Space, array (N, D) or (N,), frame, or labels
        Two descriptions of the same N items, in the same order.  Text, categories, booleans and a single column of
        whole numbers with at most twenty values are labels; all else are features.  The metric, periods, time and runs
        of a Space are used.  Plain columns are compared by their largest difference up to three of them, by the
        Euclidean distance beyond.
    k : int
        Neighbours of every item.
    estimator : {"auto", "ksg1", "ksg2", "mixed", "labels", "copula"}
        Both algorithms of Kraskov, Stoegbauer and Grassberger; that of Gao et al. for columns with repeated values;
        that of Ross for columns against labels (of two sets of labels: the table of their counts); the Gaussian
        copula.  "auto": "labels" where there are some, "mixed" where a k-th neighbour is at distance zero, else
        "ksg1".
    marginals : {"auto", "rank-normal", "standardize"} or None
        What is done to every column first; information does not change under it.  "auto": rank-normal for plain real
        columns, nothing for a Space, which has its metric, scale and periods from the caller.
    compress : {"auto", "canonical"}, object or None
        Estimate on a few directions that were found on other rows: see `CanonicalCompressor`.  An object has
        ``fit(X, Y)`` and ``transform(X, Y)``.  "auto" is None.
    se : bool
        Whether the standard error, the curves over rows and neighbours, and the verdict are computed: about ten times
        the work of the number alone.
    n_permutations : int
        Shuffled samples for the p-value of "nothing is shared"; 0 for none.
    null : {"auto", "shuffle", "shift", "blocks"}
        How they are shuffled: single rows; circularly inside runs, beyond the correlation time; whole blocks.  "auto":
        "shift" where something was said about time, else "shuffle".
    small_labels : {"raise", "drop"}
        What to do with labels of no more than k members.
    unit : {"nats", "bits"}
        Of the answer.
    exclusion_window : float, "auto" or None
        Rows of the same run within this time are not neighbours.  None means "auto" (two correlation times) when a
        Space has `time` or `run`, else 0.
    neighbors_from : {"any", "other_runs", "auto"}, optional
        Whether a row may find neighbours in its own run.
    random_state : int or Generator
        Of the parts that the error comes from, and of the shuffles.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    Information

    Raises
    ------
    DataError
        NaN, different items, too few rows, weights that differ, labels with too few members.
    ParameterError
        Unknown words, an estimator that does not suit the data.

    References
    ----------
    Kraskov, Stoegbauer, Grassberger, Phys. Rev. E 69, 066138 (2004), Eqs. (8) and (9).  Gao, Kannan, Oh, Viswanath,
    NeurIPS 2017, algorithm 1.  Ross, PLoS ONE 9, e87357 (2014), Eq. (2).  Holmes, Nemenman, Phys. Rev. E 100, 022404
    (2019): the standard error.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope import mutual_information
    >>> generator = np.random.default_rng(0)
    >>> x = generator.normal(size=2000)
    >>> found = mutual_information(x, 0.8 * x + 0.6 * generator.normal(size=2000))  # the truth is 0.511
    >>> print(f"{found.value:.2f} ± {found.value_se:.2f}")
    0.50 ± 0.03
    """
    scale = _scale_of(unit)
    check_choice(small_labels, "small_labels", ("raise", "drop"))
    refuse_unknown_compression(compress)
    if n_permutations:
        check_positive_int(n_permutations, "n_permutations", FEWEST_PERMUTATIONS)
    generator = check_random_state(random_state)
    sample = joint_sample(
        {"X": X, "Y": Y},
        marginals=marginals,
        labels="auto" if estimator in ("auto", "labels") else "none",
        exclusion_window=exclusion_window,
        neighbors_from=neighbors_from,
        n_jobs=n_jobs,
    )
    parameters = dict(
        k=k, estimator=estimator, marginals=marginals, compress=_word_of(compress), se=se, null=null, unit=unit,
        n_permutations=n_permutations, small_labels=small_labels, exclusion_window=exclusion_window,
        neighbors_from=neighbors_from,
    )  # fmt: skip
    record = provenance(
        "mutual_information", parameters, random_state,
        *(part for s in sample.spaces for part in (s.features, s.time, s.run)),
    )  # fmt: skip
    estimator = settle_estimator(sample, estimator, k)
    if any(sample.constant):
        return _nothing(sample, estimator, k, unit, n_permutations, null, se, record)
    if estimator == "labels":
        sample, said = settle_small_labels(sample, k, small_labels)
        sample = replace(sample, warnings=(*sample.warnings, *said))
    with looking_at_row_order(not sample.silent) as look:
        found = _measure(sample, estimator, k, se)
    sample = replace(sample, warnings=(*sample.warnings, *look.warnings), notes=(*sample.notes, *look.notes))
    result = result_of(sample, found, k, unit, record, correlated_rows=look.correlated)
    if se:
        result = replace(result, **_curves(sample, found, k, unit, generator))
    if n_permutations:
        result = replace(result, **_null(sample, found, k, n_permutations, null, scale, generator))
    return result


# --------------------------------------------------------------------------------------------------------------- steps
def _scale_of(unit: str) -> float:
    check_choice(unit, "unit", UNITS)
    return 1.0 if unit == "nats" else float(np.log(2))


def _word_of(compress: Any) -> Any:
    return compress if compress is None or isinstance(compress, str) else type(compress).__name__


def _measure(sample: JointSample, estimator: str, k: int, se: bool) -> Estimate:
    return estimate(sample, estimator, k, curve_neighbors(sample, estimator, k) if se else ())


def result_of(
    sample: JointSample, found: Estimate, k: int, unit: str, record: Any, *, correlated_rows: bool = False, **more: Any
) -> Information:
    """The result of an estimate, without what parts and shuffles tell."""
    scale = _scale_of(unit)
    many = len(found.k_values) > 1
    series = sample.correlation
    return Information(
        names=tuple(str(space.name) for space in sample.spaces),
        value=found.value / scale,
        unit=unit,
        estimator=found.estimator,
        k=k,
        k_values=found.k_values if many else None,
        by_k=found.by_k / scale if many else None,
        tie_fraction=found.tie_fraction,
        n_items=len(sample),
        metrics=tuple(space.metric for space in sample.spaces),
        marginals=sample.marginals,
        exclusion_window=float(sample.admissibility.exclusion_window),
        neighbors_from=sample.admissibility.neighbors_from,
        correlation_time=None if series is None else float(series.tau.value),
        correlated_rows=correlated_rows,
        warnings=tuple(dict.fromkeys(sample.warnings)),
        notes=tuple(dict.fromkeys(sample.notes)),
        provenance=record,
        **more,
    )


def _curves(sample: JointSample, found: Estimate, k: int, unit: str, generator: np.random.Generator) -> dict[str, Any]:
    """The standard error, how the value moves with rows and neighbours, and the verdict."""
    scale = _scale_of(unit)
    sample = sample.with_scores()
    order, dealt = part_order(sample, generator)
    curve = size_curve(
        lambda rows: estimate(sample.take(rows), found.estimator, k).value,
        order,
        fewest=2 * (k + 1),
        dealt=dealt,
        whole=found.value,
    )
    neighbors = NeighborCurve(found.k_values, found.by_k, k) if len(found.k_values) > 1 else None
    judged = judge(curve, unit, scale, neighbors)
    copula = copula_beside(sample)
    return curve_fields(curve, scale) | dict(
        reliable=judged.reliable,
        reasons=judged.reasons,
        is_lower_bound=judged.is_lower_bound,
        copula=None if copula is None else copula / scale,
    )


def curve_fields(curve: SizeCurve, scale: float) -> dict[str, Any]:
    """What a result holds of a curve over sizes."""
    return dict(
        value_se=curve.standard_error / scale,
        parts=np.array(curve.parts, np.int64),
        by_size=curve.mean / scale,
        by_size_se=curve.mean_se / scale,
    )


def _null(
    sample: JointSample, found: Estimate, k: int, n: int, null: str, scale: float, generator: np.random.Generator
) -> dict[str, Any]:
    """Values of samples in which nothing is shared, and how often they are as large."""
    null, shuffle = shuffler(sample, null)
    last = len(sample.spaces) - 1
    values = np.array([estimate(sample.shuffled(last, shuffle(generator)), found.estimator, k).value for _ in range(n)])
    return dict(p_value=permutation_p_value(found.value, values), null_values=values / scale, null=null)


def _nothing(
    sample: JointSample, estimator: str, k: int, unit: str, n_permutations: int, null: str, se: bool, record: Any
) -> Information:
    """A description that never varies tells nothing: exactly 0."""
    name = next(str(s.name) for s, constant in zip(sample.spaces, sample.constant, strict=True) if constant)
    text = f"{name} never varies, and so tells exactly nothing"
    estimator = "ksg1" if estimator == "auto" else estimator
    found = Estimate(0.0, np.empty(0, np.int64), np.empty(0), 0.0, estimator)
    result = result_of(replace(sample, notes=(*sample.notes, text)), found, k, unit, record)
    if n_permutations:
        word = "shuffle" if null == "auto" else null
        result = replace(result, p_value=1.0, null_values=np.zeros(n_permutations), null=word)
    return replace(result, value_se=0.0, reliable=True) if se else result


def refuse_unknown_compression(compress: Any) -> None:
    """Raise where a compression is neither a word that is known nor an object that can compress."""
    if compress in (None, "auto", "canonical") or (hasattr(compress, "fit") and hasattr(compress, "transform")):
        return
    raise ParameterError(
        f"compress is {compress!r}; it must be None, 'auto', 'canonical' or an object with fit(X, Y) and "
        "transform(X, Y)"
    )
