"""All layers of one model beside all layers of another, by several measures on common shuffles."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from infoscope.base import Fingerprint, ParameterError, available_threads, one_blas_thread, progress, provenance
from infoscope.base.checks import check_choice, check_positive_int, check_random_state
from infoscope.neighbors import looking_at_row_order
from infoscope.statistics import shuffle_rows, shuffle_within
from infoscope.statistics.shuffles import check_n_permutations

from .calibration import calibrate
from .comparison_results import LayerComparison
from .layer_steps import check_steps, describe_step, tied_groups
from .layer_tables import LayerTables, table_layers
from .layers import METRICS, WAY_OUT, check_stores, read_layers
from .nuclear_norms import ROTATIONS
from .pair_measures import Imbalance, MutualNeighbors, NearAlignment, PairMeasure, PairSum, RotatedLayers, asymmetry
from .repeated_items import look_for_repeats
from .trace_forms import FORMS

MEASURES = ("imbalance", "mutual_knn", "cknna", *FORMS, *ROTATIONS)
WITHIN = "items are shuffled within the groups of RemoveCentroids: without their centroids they add up to zero"
DEFAULT = ("imbalance", "cka_debiased", "mutual_knn")


def compare_layers(
    a: Any,
    b: Any,
    *,
    measures: Sequence[str] = DEFAULT,
    k: int = 1,
    k_mutual: int = 10,
    metric: str = "cosine",
    preprocess: Any = None,
    n_permutations: int = 200,
    level: float = 0.05,
    random_state: Any = None,
    n_jobs: int | None = None,
) -> LayerComparison:
    """What do the layers of two models have in common, beyond what chance and a choice among many give?

    Every measure is judged beside the same shuffles of the items: a value above its threshold t becomes
    (s - t)/(1 - t), and the best of all pairs is judged beside the best of all shuffled pairs.  Similarities of wide
    layers, and maxima over many layers, are large by chance alone; calibrated ones are not.

    Parameters
    ----------
    a, b : RepresentationStore, mapping, sequence, or array (L, N, D)
        Layers of the two models: arrays (N, D), Spaces, tensors, or functions that load one; row i is the same item in
        all, and ids of two stores must say so.  Each layer is loaded once, and dropped.
    measures : sequence of str
        "imbalance" (both directions), "mutual_knn", "cka", "cka_debiased", "rsa" (rank correlation of distances),
        "procrustes" (the cosine of `procrustes_distance`: 1 for layers that a rotation makes the same), "cca" (mean of
        the `canonical_correlations`), "svcca" (the same of the directions that hold 99 % of the variance), "cknna"
        (`cknna`, of `k_mutual` neighbours).
    k : int
        Neighbours of the imbalances.
    k_mutual : int
        Neighbours that are compared, of "mutual_knn" and "cknna".
    metric : {"cosine", "euclidean", "hamming"}
        Of the distances; CKA, Procrustes and CCA know none.  "hamming" counts the bits that differ, of layers of two
        values or of signs.
    preprocess : transformer or sequence of them, optional
        What every layer goes through first, each layer by itself: `ClipRows`, `Center`, `RemoveCentroids`, `SignBits`
        (last, with ``metric="hamming"``), or transformers of scikit-learn.  They are recorded in the result.
    n_permutations : int
        Shuffles of the items, the same for all pairs and measures: 19 at least.
    level : float
        Of the thresholds.
    random_state : int, Generator or None
        Of the shuffles.
    n_jobs : int, optional
        Threads; the answer does not depend on them.

    Returns
    -------
    LayerComparison

    Raises
    ------
    DataError
        Layers of different items, dead layers, NaN; the layer is named.
    ParameterError
        Options that make no sense; tables that would not fit into memory; for "cca" and "svcca", layers with as many
        directions as the items have, N - 1, so that all canonical correlations are 1.

    Warns
    -----
    CorrelatedRowsWarning, DataWarning
        Where items that follow each other look alike, so that they are not independent; where items are there twice.

    Notes
    -----
    Errors of imbalances and of mutual neighbours are those of averages over pairs that share points; those of the sums
    over pairs, "procrustes", "cca" and "svcca" come from the influence of every item.  That of "rsa" takes the ranks of
    distances as given, that of "svcca" the directions that are kept; those of the last three are too large where many
    directions are noise.  That of "cknna" is a jackknife of twenty blocks of items,
    of which no neighbour moves up; it is too large, as that of mutual neighbours.

    With `RemoveCentroids` items are shuffled inside their groups: without its centroid a group adds up to zero in every
    layer, which makes any two layers alike.

    References
    ----------
    Glielmo, Zeni, Cheng, Csanyi, Laio, PNAS Nexus 1, pgac039 (2022): Information Imbalance.
    Kornblith, Norouzi, Lee, Hinton, ICML (2019): CKA.  Song, Smola, Gretton, Bedo, Borgwardt, JMLR 13, 1393 (2012): its
    unbiased form.  Raghu, Gilmer, Yosinski, Sohl-Dickstein, NeurIPS (2017): SVCCA.  Huh, Cheung, Wang, Isola, ICML
    (2024): CKNNA.  arXiv 2602.14486 (2026): calibration, and the null of the maximum.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.representations import compare_layers
    >>> g = np.random.default_rng(0)
    >>> what = g.normal(size=(200, 4))
    >>> a = [what @ g.normal(size=(4, 16)), g.normal(size=(200, 16))]     # the second layer knows nothing
    >>> b = [what @ g.normal(size=(4, 32)) + 0.5 * g.normal(size=(200, 32))]
    >>> found = compare_layers(a, b, random_state=0)
    >>> found.table("cka_debiased", "p_values").round(3).tolist()
    [[0.005], [0.438]]
    """
    names = _check_measures(measures)
    check_choice(metric, "metric", METRICS)
    if "cknna" in names and metric != "cosine":
        raise ParameterError(f"metric is {metric!r}: cknna compares cosines, say metric='cosine' or leave it out")
    k, k_mutual = check_positive_int(k, "k"), check_positive_int(k_mutual, "k_mutual")
    n_permutations = check_n_permutations(n_permutations)
    if n_permutations == 0:
        raise ParameterError("n_permutations is 0: layers are judged beside shuffles, give 19 at least")
    if not (isinstance(level, (int, float)) and 0 < level < 1):
        raise ParameterError(f"level is {level!r}: it must lie between 0 and 1")
    generator, digest, steps = check_random_state(random_state), Fingerprint(), check_steps(preprocess)
    model_a, model_b = read_layers(a, "a", steps), read_layers(b, "b", steps)
    check_stores(model_a, model_b)
    options: dict[str, Any] = dict(k=k, k_mutual=k_mutual, metric=metric, digest=digest, n_jobs=n_jobs)
    with looking_at_row_order(way_out=WAY_OUT) as look:
        first = table_layers(model_a, names, items=None, **options)
        second = table_layers(model_b, names, items=first.first, **options)
    warnings, notes = look_for_repeats(first.codes, second.codes, on_grid=first.on_grid and second.on_grid)
    pairs = measures_of(names, first, second, k, k_mutual)
    measured = [one.measure() for one in pairs]
    n = first.n_items
    tied = tied_groups(steps)
    orders = [
        shuffle_rows(n, generator) if tied is None else shuffle_within(tied, generator) for _ in range(n_permutations)
    ]
    null = _shuffled_values(pairs, orders, n_jobs)
    judged = [
        calibrate(one.likeness(values.value), one.likeness(shuffled), level)
        for one, values, shuffled in zip(pairs, measured, null, strict=True)
    ]
    both = asymmetry(pairs[0], pairs[1], measured[0].value, measured[1].value) if "imbalance" in names else None  # type: ignore[arg-type]
    done = tuple(describe_step(step) for step in steps)
    parameters = dict(measures=names, k=k, k_mutual=k_mutual, metric=metric, preprocess=done)
    parameters |= dict(n_permutations=n_permutations, level=level)
    return LayerComparison(
        names_a=model_a.names,
        names_b=model_b.names,
        measures=tuple(one.name for one in pairs),
        values=np.array([one.value for one in measured]),
        values_se=np.array([one.value_se for one in measured]),
        thresholds=np.array([one.value_of(found.threshold) for one, found in zip(pairs, judged, strict=True)]),
        calibrated=np.array([found.calibrated for found in judged]),
        p_values=np.array([found.p_value for found in judged]),
        calibrated_a=np.array([found.calibrated_a for found in judged]),
        calibrated_b=np.array([found.calibrated_b for found in judged]),
        best_a=np.array([found.best[0] for found in judged]),
        best_b=np.array([found.best[1] for found in judged]),
        best_calibrated=np.array([found.best_calibrated for found in judged]),
        best_p=np.array([found.best_p for found in judged]),
        asymmetry=None if both is None else both.value,
        asymmetry_se=None if both is None else both.value_se,
        k=k,
        k_mutual=k_mutual,
        metric=metric,
        preprocess=done,
        level=float(level),
        n_permutations=n_permutations,
        n_items=n,
        warnings=(*look.warnings, *warnings),
        notes=(*look.notes, *notes, *(() if tied is None else (WITHIN,))),
        provenance=provenance("compare_layers", parameters, random_state, input_hash=digest.text),
    )


def measures_of(names: Sequence[str], a: LayerTables, b: LayerTables, k: int, k_mutual: int) -> list[PairMeasure]:
    """The measures asked for, the directions of the imbalance first and second."""
    found: list[PairMeasure] = []
    if "imbalance" in names:
        found += [Imbalance(a, b, k, forward=True), Imbalance(a, b, k, forward=False)]
    for name in names:
        if name == "mutual_knn":
            found.append(MutualNeighbors(a, b, k_mutual))
        elif name == "cknna":
            found.append(NearAlignment(a, b))
        elif name in FORMS:
            found.append(PairSum(name, a, b))
        elif name in ROTATIONS:
            found.append(RotatedLayers(name, a, b))
    return found


# --------------------------------------------------------------------------------------------------------------- steps
def _check_measures(measures: Sequence[str]) -> tuple[str, ...]:
    names = (measures,) if isinstance(measures, str) else tuple(measures)
    for name in names:
        check_choice(name, "measures", MEASURES)
    if not names or len(set(names)) < len(names):
        raise ParameterError(f"measures is {measures!r}: name at least one of {', '.join(MEASURES)}, and each once")
    return names


def _shuffled_values(pairs: list[PairMeasure], orders: list[np.ndarray], n_jobs: int | None) -> list[np.ndarray]:
    """Values (K, L_A, L_B) of every measure, with the items of the second model shuffled."""

    def all_measures(order: np.ndarray) -> list[np.ndarray]:
        with one_blas_thread():
            return [one.shuffled(order) for one in pairs]

    found = []
    threads = available_threads(n_jobs)
    with progress(len(orders), "shuffled items", "shuffles") as bar, ThreadPoolExecutor(threads) as pool:
        for values in pool.map(all_measures, orders):
            found.append(values)
            bar.update(1)
    return [np.array(of_one) for of_one in zip(*found, strict=True)]
