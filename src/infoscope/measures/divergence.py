"""Kullback-Leibler and Jeffreys divergence of two samples from distances of nearest neighbours, without bins."""

from __future__ import annotations

from typing import Any

import numpy as np

from infoscope.base import DataError, DataWarning, ParameterError, check_choice, check_positive_int, provenance, warn
from infoscope.base.rounding import exceeds
from infoscope.neighbors import item_name
from infoscope.statistics import check_n_permutations

from .distance_results import NeighborDivergence
from .divergence_bias import UNREACHED, Extrapolated, extrapolated, most_neighbors, unreached_share
from .mmd import about
from .neighbor_lists import JointLists, SampleLists, Units
from .sample_units import Prepared, permuted_labels, prepare, seed_of

LIMITED = (
    "sample-size limited: about {share:.0%} of the rows have nothing of the other sample near them; {n} rows give "
    "{plain:.3g}, and what infinitely many would give is a guess"
)
FEW = "{n} rows are too few to see how the value moves with their number: it is that of all rows, with its bias"
VOLUMES = ("euclidean", "manhattan", "chebyshev")  # metrics whose balls grow with the power of the dimension


def kl_divergence(
    a: Any,
    b: Any,
    *,
    k: int = 5,
    kind: str = "kl",
    dimension: Any = None,
    radii: str = "each",
    extrapolate: bool = True,
    n_permutations: int = 0,
    exclusion_window: float | str | None = None,
    random_state: Any = None,
    n_jobs: int | None = None,
) -> NeighborDivergence:
    """Divergence of b from a in nats, from distances to k-th neighbours: (d/n) sum log(nu_i/rho_i) + log(m/(n - 1)).

    Parameters
    ----------
    a, b : array (N, D), frame, list of arrays (runs) or Space
        The reference and the test sample.
    k : int
        Neighbours.
    kind : {"kl", "jeffreys"}
        KL(a || b), or the sum of both directions.
    dimension : float or result, optional
        d, where the data lie on something of fewer dimensions than there are columns: a number, or what
        `infoscope.dimension` found.  By default the number of columns.
    radii : {"each", "equal"}
        Distances to the k-th neighbour in each sample; or counts within the larger of the two, which have less bias,
        need no dimension and take any metric and shared points.
    extrapolate : bool
        Whether the value is that of infinitely many rows: how it moves with their number is seen from more neighbours.
        Otherwise it is the formula's, and its error as wide as it would move.
    n_permutations : int
        How often labels are exchanged for a p-value (of the formula's value).
    exclusion_window : float or "auto", optional
        Time within which rows of a Space belong together: the length of blocks, in which nobody is a neighbour; 0 says
        that rows are in no order.
    random_state : int or Generator, optional
        Of the permutations.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    NeighborDivergence

    Raises
    ------
    DataError
        Fewer than k + 1 rows of a sample, rows that both samples share (``radii="each"``), weights that differ.
    ParameterError
        Options that do not go together.

    Notes
    -----
    The formula's value, ``plain``, is biased: where one sample reaches beyond the other divergences come out too
    small, the more so the more columns there are.  ``value`` follows it from 8 k over k neighbours to none,
    as (k/N)^(1/(d + 2)), and 0.6 of what that adds counts in its standard error, beside the jackknife of twenty groups
    of rows of each sample.
    Of 200 pairs of normal samples each (1, 2 and 5 columns, 300 and 1000 rows, shifts up to 2 standard deviations,
    widths 0.7 to 1.5) 88 to 100 % of the 95 % intervals held the truth; those of the formula and its jackknife 0 to
    100 %.  Where ``size_limited`` is True, the fall of the value says that one row in four has nothing of the other
    sample near, and the value is a guess: a warning says so.

    References
    ----------
    Wang, Kulkarni & Verdu, IEEE Trans. Inf. Theory 55, 2392 (2009), eqs. (5) and (25).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.measures import kl_divergence
    >>> g = np.random.default_rng(1)
    >>> found = kl_divergence(g.normal(size=(2000, 1)), g.normal(size=(2000, 1)) + 0.5, kind="jeffreys", random_state=0)
    >>> abs(found.value - 0.25) < 2 * found.value_se
    True
    """
    check_choice(kind, "kind", ("kl", "jeffreys"))
    check_choice(radii, "radii", ("each", "equal"))
    check_positive_int(k, "k", 1)
    number, seed = check_n_permutations(n_permutations), seed_of(random_state)
    prepared = prepare(a, b, exclusion_window, unweighted="neighbours are counted, not weighed")
    for n, name in zip(prepared.n, ("the reference", "the test sample"), strict=True):
        if n < 2 * (k + 1):
            raise DataError(f"{name} has {n} rows, and k={k} neighbours need {2 * (k + 1)} at least: lower k")
    d = _dimension(dimension, prepared, radii)
    most = most_neighbors(k, min(prepared.n))
    ks = (k,) if most is None else (k, most)
    units, labels = Units(prepared), prepared.samples.labels
    lists: SampleLists | JointLists
    if radii == "each":
        lists = SampleLists(units, ks[-1], d, n_jobs=n_jobs)
        _refuse_shared(prepared, lists.squared_distances(labels, [k])[..., 0], k)
    else:
        lists = JointLists(units, ks[-1], labels, n_jobs=n_jobs)
    values, left_out = lists.estimate(labels, ks), units.left_out(lists, ks)
    which = (0, 1) if kind == "jeffreys" else (0,)
    rate = d if radii == "each" else _columns(prepared)
    whole, *parts = (
        extrapolated(values, left_out, ks[-1] / k, rate, some, follow=extrapolate) for some in (which, (0,), (1,))
    )
    tested: dict[str, Any] = {}
    if number:
        drawn = permuted_labels(prepared, number, seed)
        mixed = lists if radii == "equal" else JointLists(units, k, drawn[0], dimension=d, n_jobs=n_jobs)
        observed, *some = (float(mixed.estimate(z, (k,))[0, list(which)].sum()) for z in (labels, *drawn))
        tested = prepared.tested(observed, some, size=1.0)
    shared = about(prepared)
    share = unreached_share(values, ks[-1] / k, which)
    shared["warnings"] = (*shared["warnings"], *_said(prepared, whole, share, most))
    options = dict(k=k, kind=kind, dimension=d, radii=radii, extrapolate=extrapolate, n_permutations=number,
                   exclusion_window=exclusion_window)  # fmt: skip
    return NeighborDivergence(
        value=whole.value, value_se=whole.value_se, plain=whole.plain, plain_se=whole.plain_se,
        forward=parts[0].value, forward_se=parts[0].value_se,
        backward=parts[1].value if len(which) > 1 else None, backward_se=parts[1].value_se if len(which) > 1 else None,
        k_values=np.array(ks), by_k=values[:, list(which)].sum(1), size_limited=exceeds(share, UNREACHED),
        kind=kind, k=k, dimension=d, radii=radii,
        provenance=provenance("kl_divergence", options, seed, prepared.samples.reference.features,
                              prepared.samples.test.features),
        **tested, **shared,
    )  # fmt: skip


# --------------------------------------------------------------------------------------------------------------- steps
def _said(prepared: Prepared, whole: Extrapolated, share: float, most: int | None) -> tuple[str, ...]:
    """What there is to say against a value."""
    n = min(prepared.n)
    if most is None:
        text = FEW.format(n=n)
    elif exceeds(share, UNREACHED):
        text = LIMITED.format(share=min(share, 1.0), n=n, plain=whole.plain)
    else:
        return ()
    warn(text, DataWarning)
    return (text,)


def _columns(prepared: Prepared) -> float:
    """Of how many columns the rate is taken where volumes cancel."""
    return float(max(prepared.samples.space.n_features, 1))


def _dimension(dimension: Any, prepared: Prepared, radii: str) -> float:
    if radii == "equal":
        if dimension is not None:
            raise ParameterError("radii='equal' needs no dimension: volumes cancel. Leave it out")
        return float("nan")
    space = prepared.samples.space
    if dimension is None:
        if space.metric not in VOLUMES:
            raise ParameterError(
                f"balls of metric {space.metric!r} have no dimension: give dimension=, or radii='equal'"
            )
        return float(space.n_features)
    for name in ("value", "dimension"):
        if hasattr(dimension, name):
            dimension = getattr(dimension, name)
            break
    try:
        d = float(dimension)
    except (TypeError, ValueError):
        d = float("nan")
    if not (np.isfinite(d) and d > 0):
        raise ParameterError(f"dimension is {dimension!r}; it must be a positive number, or a result that holds one")
    return d


def _refuse_shared(prepared: Prepared, squared: np.ndarray, k: int) -> None:
    """Raise where the k-th row of either sample (2, N) is at distance zero."""
    labels = prepared.samples.labels
    for other, what in ((1, "stands {k} times or more in the other sample"),
                        (0, "has {k} copies or more in its own sample")):  # fmt: skip
        values = np.where(labels == other, squared[0], squared[1])
        zero = np.flatnonzero(values == 0)
        if len(zero):
            row = int(zero[0])
            n = prepared.n[0]
            sample = prepared.samples.reference if row < n else prepared.samples.test
            name = item_name(sample, row if row < n else row - n)
            whose = "the reference" if row < n else "the test sample"
            raise DataError(f"{name} of {whose} {what.format(k=k)} ({len(zero)} such rows): a distance of zero has no "
                            "logarithm. Leave copies out, or take radii='equal'")  # fmt: skip
