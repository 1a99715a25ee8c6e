"""One estimate of shared information from one sample, by the estimator that was settled on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from infoscope.base import DataError, ParameterError, one_blas_thread
from infoscope.base.array_types import Floats, Ints
from infoscope.base.checks import check_choice, check_positive_int
from infoscope.neighbors import NeighborGraph, content_order, is_looking, series_shifts, show_neighbors
from infoscope.statistics import Null, choose_null, run_order

from .compression import Compressed, compressed_information
from .conditional_counts import conditional_information
from .gaussian_copula import gaussian_information
from .joint_sample import JointSample, check_enough
from .label_information import codes_of, label_information
from .neighbor_counts import KSG, Counted, count_information, joint_neighbors, searched
from .scalar_pairs import scalar_pair_terms

ESTIMATORS = ("auto", *KSG, "labels", "copula")
NULLS = ("shuffle", "shift", "blocks")
K_CURVE = (1, 3, 5, 10, 20, 50)
CONDITIONAL = "frenzel-pompe"


class Recipe(NamedTuple):
    """How shared information is estimated, from all rows and from parts of them alike.

    Attributes
    ----------
    estimator : str
        As `settle_estimator` left it.
    k : int
        Neighbours.
    compress : None, "canonical" or object
        As `compressed_information` takes it.
    surrogate : bool
        Whether the bias of normal samples is taken away from what was compressed.
    seed : int
        Of the halves of a compression, and of these samples.
    """

    estimator: str
    k: int
    compress: Any = None
    surrogate: bool = False
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Estimate:
    """What one look at a sample gave, in nats.

    Attributes
    ----------
    value : float
        At the k that was asked for.
    k_values, by_k : array (K,)
        For every k that was looked at.
    tie_fraction : float
        Share of items whose k-th neighbour is at distance zero.
    recipe : Recipe
        How it was made: with the estimator that was used.
    raw : float or None
        The value without compression, where there was one.
    compressed : Compressed or None
        What the compressions gave.
    tied_places : float
        Share of items whose k-th neighbour is tied with the one before it, and not at distance zero.
    terms : array (N,) or None
        Of every item, whose mean a conditional value is.
    """

    value: float
    k_values: Ints
    by_k: Floats
    tie_fraction: float
    recipe: Recipe
    raw: float | None = None
    compressed: Compressed | None = None
    tied_places: float = 0.0
    terms: Floats | None = None


def settle_estimator(sample: JointSample, estimator: str, k: int) -> str:
    """The estimator, or "auto" where only the neighbours can tell ("mixed" where some are at distance zero)."""
    check_choice(estimator, "estimator", ESTIMATORS)
    check_positive_int(k, "k", 1)
    labels = [space for space in sample.spaces if space.metric == "labels"]
    if estimator == "auto" and labels:
        estimator = "labels"
    if estimator == "labels" and not labels:
        raise ParameterError(
            "estimator='labels' needs labels: give text, categories, whole numbers of few values, or "
            "Space.from_labels(...)"
        )
    if estimator in ("ksg1", "ksg2", "copula") and labels:
        raise ParameterError(
            f"estimator={estimator!r} needs numbers, and {labels[0].name} holds labels: take 'labels', 'mixed' or "
            "'auto'"
        )
    if estimator == "copula" and any(z is None for z in sample.with_scores().scores or ()):
        raise ParameterError(
            "estimator='copula' needs columns of real numbers that lie on a line: give cos and sin of a periodic one "
            "as two columns, or take 'ksg1'"
        )
    if estimator != "copula":
        check_enough(len(sample), k)
    return estimator


def estimate(sample: JointSample, recipe: Recipe, ks: Sequence[int] = ()) -> Estimate:
    """Information of a sample for k neighbours, and for others from the same search.

    Parameters
    ----------
    sample : JointSample
    recipe : Recipe
        How.
    ks : sequence of int
        Other numbers of neighbours.

    Returns
    -------
    Estimate
    """
    if recipe.compress is not None:
        return _compressed(sample, recipe, ks)
    every = np.unique([recipe.k, *ks])
    if recipe.estimator == "copula":
        return Estimate(copula_of(sample), np.empty(0, np.int64), np.empty(0), 0.0, recipe)
    if recipe.estimator == "labels":
        counted = label_information(sample, every.tolist())
    elif (quick := _scalar_pair(sample, recipe.estimator, every)) is not None:
        recipe, counted = recipe._replace(estimator="ksg1"), quick
    else:
        graph = joint_neighbors(sample, searched(recipe.estimator, int(every[-1])))
        if recipe.estimator == CONDITIONAL:
            show_neighbors(sample.spaces[0], graph)
            counted = conditional_information(sample, every.tolist(), graph)
        else:
            recipe, counted = _from_graph(sample, recipe, every.tolist(), graph)
    at = int(np.flatnonzero(every == recipe.k)[0])
    places = 0.0 if counted.tied_places is None else float(counted.tied_places[at])
    terms = None if counted.terms is None else counted.terms[:, at]
    return Estimate(
        float(counted.values[at]), every, counted.values, counted.tie_fraction, recipe, tied_places=places, terms=terms
    )


def _compressed(sample: JointSample, recipe: Recipe, ks: Sequence[int]) -> Estimate:
    most = len(sample) // 4 - 1  # neighbours are counted in halves
    every = [recipe.k, *sorted({k for k in ks if k <= most and k != recipe.k})]
    check_enough(len(sample) // 2, recipe.k)
    halves = halves_of(sample, recipe.seed)
    with one_blas_thread():  # matrices are as small as columns are few: its threads would mostly wait
        found = compressed_information(
            sample, every, halves, recipe.compress, surrogate=recipe.surrogate, seed=recipe.seed
        )
    order = np.argsort(every)
    return Estimate(
        float(found.values[0]),
        np.array(every, np.int64)[order],
        found.values[order],
        0.0,
        recipe._replace(estimator="ksg1"),
        compressed=found,
    )


def halves_of(sample: JointSample, seed: int) -> tuple[Ints, Ints]:
    """Two halves of the rows: at random, or stretches of time with a gap as wide as the correlation reaches."""
    order, dealt = part_order(sample, np.random.default_rng(seed))
    if dealt:
        return np.sort(order[::2]), np.sort(order[1::2])
    middle, gap = len(order) // 2, 0
    if sample.correlation is not None and not sample.correlation.independent:
        gap = min(int(np.ceil(sample.correlation.reach / sample.correlation.step)), len(order) // 8)
    return np.sort(order[: middle - gap // 2]), np.sort(order[middle + (gap + 1) // 2 :])


def copula_of(sample: JointSample) -> float:
    """That of a Gaussian copula."""
    scores = sample.with_scores().scores or ()
    return gaussian_information([z for z in scores if z is not None])


def copula_beside(sample: JointSample) -> float | None:
    """The same, for comparison; None where columns are no real numbers, or too many for the rows."""
    scores = sample.scores or ()
    if len(scores) != len(sample.spaces) or any(z is None for z in scores):
        return None
    try:
        return copula_of(sample)
    except DataError:
        return None


def _scalar_pair(sample: JointSample, estimator: str, ks: Ints) -> Counted | None:
    """Of two single columns, where nobody asks for neighbours."""
    if estimator not in ("auto", "ksg1") or is_looking():
        return None
    terms = scalar_pair_terms(sample, ks.tolist())
    return None if terms is None else Counted(np.asarray(terms.mean(0)), 0.0)


def _from_graph(sample: JointSample, recipe: Recipe, every: list[int], graph: NeighborGraph) -> tuple[Recipe, Counted]:
    show_neighbors(sample.spaces[0], graph)
    if recipe.estimator == "auto":
        some_at_zero = bool((graph.squared[graph.indptr[:-1] + recipe.k - 1] == 0).any())
        recipe = recipe._replace(estimator="mixed" if some_at_zero else "ksg1")
    return recipe, count_information(sample, recipe.estimator, every, graph)


# ------------------------------------------------------------------------------------------------ parts and shuffles
def curve_neighbors(sample: JointSample, estimator: str, k: int) -> list[int]:
    """Numbers of neighbours that the k-curve is made of: those that the rows allow."""
    if estimator == "copula":
        return []
    most = len(sample) // 2 - 1
    if estimator == "labels":
        for codes in (codes_of(space) for space in sample.spaces if space.metric == "labels"):
            members = [np.flatnonzero(codes == label) for label in range(int(codes.max()) + 1)]
            most = min(most, *(int(sample.take(some).admissible().min()) for some in members))
    elif sample.admissibility.restricts:
        most = min(most, int(sample.admissible().min()) // 2)
    return [one for one in sorted({*K_CURVE, k, 2 * k}) if k <= one <= most or one < k]


def part_order(sample: JointSample, generator: np.random.Generator) -> tuple[Ints, bool]:
    """Rows in the order in which parts take them, and whether they are dealt out (else cut into stretches of time)."""
    n = len(sample)
    if sample.ordered:
        space = sample.spaces[0]
        return run_order(n, space.time, space.run).rows, False
    order = content_order(sample.spaces)[generator.permutation(n)]
    for space in sample.spaces:
        if space.metric == "labels":  # every part gets its share of every label
            order = order[np.argsort(codes_of(space)[order], kind="stable")]
    return order, True


def settle_null(sample: JointSample, word: str) -> Null:
    """How rows are shuffled under "nothing is shared"; the same rows in another order have the same null."""
    space, series = sample.spaces[0], sample.correlation
    return choose_null(
        word,
        len(sample),
        words=NULLS,
        auto=("shift",) if sample.ordered else ("shuffle",),
        shifts=series_shifts(space, series, sample.admissibility.exclusion_window),
        blocks=lambda: None if series is None else series.blocks(space),
        by_content=lambda: content_order(sample.spaces),
    )
