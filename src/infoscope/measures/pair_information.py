"""How many nats two descriptions of the same items share, with an error, and whether to believe it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from infoscope.base import ParameterError, provenance
from infoscope.base.checks import check_choice, check_random_state
from infoscope.statistics.units import information_unit

from .assembly import assemble
from .compression import check_compressible, is_worth_compressing
from .estimates import Recipe, settle_estimator
from .information_results import Information
from .joint_sample import JointSample, contents_of, joint_sample
from .label_information import settle_small_labels


def mutual_information(
    X: Any,
    Y: Any,
    *,
    k: int = 3,
    estimator: str = "auto",
    marginals: str | None = "auto",
    compress: Any = "auto",
    surrogate: bool = False,
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
        ``fit(X, Y)`` and ``transform(X, Y)``.  "auto": "canonical" where a side has more than three plain columns of
        real numbers, else None.
    surrogate : bool
        With a compression: take away the bias that neighbours have in normal samples of the same covariance.  The
        answer is then no lower bound.
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
    information_unit(unit)
    check_choice(small_labels, "small_labels", ("raise", "drop"))
    refuse_unknown_compression(compress)
    generator = check_random_state(random_state)
    sample = joint_sample(
        {"X": X, "Y": Y},
        marginals=marginals,
        labels="auto" if estimator in ("auto", "labels") else "none",
        exclusion_window=exclusion_window,
        neighbors_from=neighbors_from,
        n_jobs=n_jobs,
    )
    estimator = settle_estimator(sample, estimator, k)
    if estimator == "labels" and not any(sample.constant):
        sample, said = settle_small_labels(sample, k, small_labels)
        sample = replace(sample, warnings=(*sample.warnings, *said))
    recipe = Recipe(estimator, k)
    if compress == "auto" and not surrogate:
        plain = estimator == "auto" and _has_plain_columns(sample)
        compress = "canonical" if plain and is_worth_compressing(sample.spaces, k) else None
    if compress is not None or surrogate:
        recipe = _compression(sample, recipe, compress, surrogate, generator)
    parameters = dict(
        k=k, estimator=estimator, marginals=marginals, surrogate=surrogate, se=se, null=null, unit=unit,
        compress=compress if compress is None or isinstance(compress, str) else type(compress).__name__,
        n_permutations=n_permutations, small_labels=small_labels, exclusion_window=exclusion_window,
        neighbors_from=neighbors_from,
    )  # fmt: skip
    record = provenance("mutual_information", parameters, random_state, *contents_of(sample))
    return assemble(
        sample, recipe, unit=unit, record=record, se=se, n_permutations=n_permutations, null=null, generator=generator
    )


# --------------------------------------------------------------------------------------------------------------- steps
def _has_plain_columns(sample: JointSample) -> bool:
    return not any(sample.constant) and all(one == "rank-normal" for one in sample.marginals)


def _compression(
    sample: JointSample, recipe: Recipe, compress: Any, surrogate: bool, generator: np.random.Generator
) -> Recipe:
    if compress in (None, "auto"):
        raise ParameterError("surrogate=True takes away the bias of a compression: give compress='canonical' too")
    if not any(sample.constant):
        check_compressible(sample)
    if recipe.estimator not in ("auto", "ksg1"):
        raise ParameterError(
            f"a compression is counted by estimator='ksg1', not {recipe.estimator!r}: leave it at 'auto'"
        )
    if any(sample.constant):
        return recipe
    return Recipe("ksg1", recipe.k, compress, surrogate, int(generator.integers(2**31)))


def refuse_unknown_compression(compress: Any) -> None:
    """Raise where a compression is neither a word that is known nor an object that can compress."""
    if compress in (None, "auto", "canonical") or (hasattr(compress, "fit") and hasattr(compress, "transform")):
        return
    raise ParameterError(
        f"compress is {compress!r}; it must be None, 'auto', 'canonical' or an object with fit(X, Y) and "
        "transform(X, Y)"
    )
