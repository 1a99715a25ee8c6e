"""Is what two representations share more than a nuisance?  Imbalances among items that are alike in it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from infoscope.base import DataError, Fingerprint, ParameterError, available_threads, progress, provenance
from infoscope.base.checks import check_choice, check_positive_int, check_random_state
from infoscope.neighbors import Space, as_space, check_same_items, nearest, to_numpy
from infoscope.statistics import shuffle_among_neighbors
from infoscope.statistics.shuffles import check_n_permutations

from .calibration import calibrate
from .candidate_ranks import Candidates, candidate_estimate, shuffled_imbalances
from .layer_pairs import check_k
from .layer_steps import check_steps, describe_step, tied_groups
from .layer_tables import LayerTables, table_layers
from .layers import METRICS, Layers, check_stores, read_layer, read_layers
from .repeated_items import look_for_repeats
from .share_results import ConditionalImbalance
from .shuffle_width import NARROWEST, WIDTHS, choose_width, some_of


def conditional_imbalance(
    a: Any,
    b: Any,
    nuisance: Any,
    *,
    fraction: float = 0.25,
    n_like: int | str = "auto",
    k: int = 1,
    metric: str = "cosine",
    preprocess: Any = None,
    n_permutations: int = 200,
    level: float = 0.05,
    random_state: Any = None,
    n_jobs: int | None = None,
) -> ConditionalImbalance:
    """Do two representations share more than the length of a text, or its words?

    The neighbours of an item are looked for, and ranked, only among the `fraction` of items that are most like it in
    the nuisance.  Beside it stand as many candidates drawn at random, and a null: items of b shuffled among those of
    like nuisance, which leaves what the nuisance alone does.

    Parameters
    ----------
    a, b : RepresentationStore, mapping, sequence, or array (L, N, D) or (N, D)
        Layers of the two models, as for `compare_layers`, or one layer of each.
    nuisance : array (N,) or (N, D), frame, or Space
        What must not count: a length, counts of words; a `Space` for other distances than Euclidean ones (words under
        the cosine, labels, precomputed).
    fraction : float
        Of the items that may be neighbours of an item; all that are tied with the last one may as well.
    n_like : int or "auto"
        Items most alike in the nuisance, with itself, among which an item of b is shuffled.  "auto": ten, or as many
        fewer as leave what the nuisance does as it is (see Notes).
    k : int
        Neighbours.
    metric : {"cosine", "euclidean", "hamming"}
        Of the layers.
    preprocess : transformer or sequence of them, optional
        What every layer goes through first, as for `compare_layers`; not `RemoveCentroids`: its groups are a nuisance.
    n_permutations : int
        Shuffles, the same for all pairs of layers: 19 at least.
    level : float
        Of the thresholds.
    random_state : int, Generator or None
        Of the random candidates, and the shuffles.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    ConditionalImbalance

    Raises
    ------
    DataError
        Layers of different items, dead layers, a nuisance that is the same for all items.
    ParameterError
        A fraction that leaves too few candidates; `RemoveCentroids` in `preprocess`; options that make no sense.

    Notes
    -----
    Fewer candidates make an imbalance larger whatever they are, so values are compared with those among as many random
    ones.  Within the fraction the nuisance still differs a little, and may still be shared: the null knows it, a
    comparison with 1 does not.  It knows it down to the `n_like` most alike: what differs among these is shared and not
    in the null.  Where the nuisance is much of what layers hold, and items are few, ten differ too much: when places
    are changed twice, the mean of the null rises.  "auto" takes ten where it does not (by 0.02 standard deviations of
    the null), five where it rises by no more than 0.075, else the number after the largest at which it rises by no more
    than that, because a rise of a tenth is not seen in some hundred shuffles.  It warns where that is the most alike
    item alone; a number that is given is looked at in the same way.  Fewer find less.

    References
    ----------
    Runge, AISTATS 2018 (PMLR 84, 938): local permutations.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.representations import conditional_imbalance
    >>> g = np.random.default_rng(0)
    >>> length = g.integers(5, 25, 400)
    >>> a, b = (np.c_[length, g.normal(size=(400, 2))] for _ in range(2))              # nothing but the length
    >>> found = conditional_imbalance(a, b, length, fraction=0.05, metric="euclidean", random_state=0)
    >>> bool(found.unconditional[0, 0, 0] < 0.9), bool(found.p_values[0, 0, 0] > 0.05)
    (True, True)
    """
    check_choice(metric, "metric", METRICS)
    if n_like != "auto":
        n_like = check_positive_int(n_like, "n_like", NARROWEST)
    n_permutations = check_n_permutations(n_permutations)
    if n_permutations == 0:
        raise ParameterError("n_permutations is 0: the null needs shuffles, give 19 at least")
    if not (isinstance(fraction, (int, float)) and 0 < fraction <= 1):
        raise ParameterError(f"fraction is {fraction!r}: it must be above 0 and at most 1")
    generator, digest, steps = check_random_state(random_state), Fingerprint(), _steps(preprocess)
    models = [_read(one, what, steps) for one, what in ((a, "a"), (b, "b"))]
    check_stores(*models)
    alike = _read_nuisance(nuisance)
    k = check_k(k, len(alike))
    first, second = _tables(models, alike, k, metric, digest, n_jobs)
    warnings, notes = look_for_repeats(first.codes, second.codes, on_grid=first.on_grid and second.on_grid)
    number = _n_candidates(fraction, len(alike), k, n_like)
    candidates = Candidates.of(nearest(alike, number, ties="all"))
    any_others = candidates.at_random(generator)
    most = min(WIDTHS[0], number) if isinstance(n_like, str) else n_like
    like = nearest(alike, most - 1, ties="all", n_jobs=n_jobs)

    def null_of(some: list[np.ndarray]) -> np.ndarray:
        return _null(first, second, candidates, k, some, n_jobs)

    width = choose_width(like, n_like, null_of, n_permutations, generator)
    orders = [
        shuffle_among_neighbors(some_of(like, width.n_like - 1, generator), generator) for _ in range(n_permutations)
    ]
    tables, null = _all_pairs(first, second, candidates, any_others, k, n_jobs), null_of(orders)
    judged = [calibrate(1 - tables["values"][way], 1 - null[way], level) for way in (0, 1)]
    n_b = null.shape[3]  # both directions are tried: the best of all pairs and both, beside the best of every shuffle
    either = calibrate(1 - tables["values"].reshape(-1, n_b), 1 - null.swapaxes(0, 1).reshape(len(orders), -1, n_b))
    done = tuple(describe_step(step) for step in steps)
    parameters = dict(fraction=fraction, n_like=n_like, k=k, metric=metric, preprocess=done)
    parameters |= dict(n_permutations=n_permutations, level=level)
    return ConditionalImbalance(
        names_a=models[0].names,
        names_b=models[1].names,
        name_nuisance=alike.name or "nuisance",
        **tables,
        null_mean=null.mean(1),
        p_values=np.array([one.p_value for one in judged]),
        best_a=np.array([one.best[0] for one in judged]),
        best_b=np.array([one.best[1] for one in judged]),
        best_p=np.array([one.best_p for one in judged]),
        p_value=either.best_p,
        n_like=width.n_like,
        fraction=float(fraction),
        n_candidates=float(candidates.sizes.mean()),
        k=k,
        metric=metric,
        preprocess=done,
        level=float(level),
        n_permutations=n_permutations,
        n_items=len(alike),
        warnings=(*warnings, *width.warnings),
        notes=(*_notes(candidates, fraction), *width.notes, *notes),
        provenance=provenance("conditional_imbalance", parameters, random_state, input_hash=digest.text),
    )


# --------------------------------------------------------------------------------------------------------------- steps
def _steps(preprocess: Any) -> tuple[Any, ...]:
    steps = check_steps(preprocess)
    if tied_groups(steps) is not None:
        raise ParameterError(
            "preprocess takes centroids of groups away; the items of a group then add up to zero in every layer, and "
            "shuffles among items of like nuisance do not keep that. Leave RemoveCentroids out, and hold the groups "
            "fixed: nuisance=Space.from_labels(groups)"
        )
    return steps


def _read(given: Any, what: str, steps: tuple[Any, ...]) -> Layers:
    one = isinstance(given, Space) or getattr(given, "ndim", 0) == 2
    return (read_layer if one else read_layers)(given, what, steps)


def _read_nuisance(given: Any) -> Space:
    if isinstance(given, Space):
        space = given
    else:
        space = as_space(np.asarray(given)[:, None] if np.ndim(given) == 1 else given, name="nuisance")
    if space.metric not in ("precomputed", "neighbors") and not np.ptp(to_numpy(space.features), axis=0).any():
        raise DataError("the nuisance is the same for all items: there is nothing to hold fixed, use compare_layers")
    return space


def _tables(models, alike, k, metric, digest, n_jobs) -> tuple[LayerTables, LayerTables]:
    options: dict[str, Any] = dict(k=k, k_mutual=1, metric=metric, digest=digest, n_jobs=n_jobs)
    first = table_layers(models[0], ("imbalance",), items=None, **options)
    second = table_layers(models[1], ("imbalance",), items=first.first, **options)
    if len(alike) != first.n_items:
        raise DataError(f"nuisance has {len(alike)} items, and the layers {first.n_items}: row i must be the same item")
    if first.first is not None:
        check_same_items(first.first, alike)
    digest.update(alike.features)
    return first, second


def _n_candidates(fraction: float, n: int, k: int, n_like: int | str) -> int:
    number = min(int(np.ceil(fraction * (n - 1))), n - 1)
    if number < k + 2:
        raise ParameterError(
            f"fraction={fraction:g} of {n} items leaves {number} candidates, too few for {k} neighbours: give a larger "
            "fraction"
        )
    if not isinstance(n_like, str) and n_like > number:
        raise ParameterError(
            f"n_like={n_like} items among which items are shuffled, and {number} candidates: give fewer, or a larger "
            "fraction"
        )
    return number


def _all_pairs(
    first: LayerTables, second: LayerTables, candidates: Candidates, any_others: Candidates, k: int, n_jobs
) -> dict[str, Any]:
    """Tables (2, L_A, L_B) of the result."""
    shape = (first.ranks.shape[2], second.ranks.shape[2])
    names = ("values", "unconditional", "change")
    tables: dict[str, Any] = {f"{name}{end}": np.empty((2, *shape)) for name in names for end in ("", "_se")}
    with progress(shape[0] * shape[1], "pairs of layers", "pairs") as bar:
        for a, b, ranks_a, ranks_b in _pairs(first, second):
            for way, (source, target) in enumerate(((ranks_a, ranks_b), (ranks_b, ranks_a))):
                inside, outside = (candidate_estimate(source, target, some, k) for some in (candidates, any_others))
                for name, one in zip(names, (inside, outside, inside.less(outside)), strict=True):
                    tables[name][way, a, b], tables[f"{name}_se"][way, a, b] = one.value, one.value_se
            bar.update(1)
    return tables


def _pairs(first: LayerTables, second: LayerTables) -> Iterator[tuple[int, int, np.ndarray, np.ndarray]]:
    """Numbers of two layers, and their ranks."""
    for a in range(first.ranks.shape[2]):
        ranks_a = np.ascontiguousarray(first.ranks[:, :, a])
        for b in range(second.ranks.shape[2]):
            yield a, b, ranks_a, np.ascontiguousarray(second.ranks[:, :, b])


def _null(first: LayerTables, second: LayerTables, candidates: Candidates, k: int, orders, n_jobs) -> np.ndarray:
    """Both directions of all shuffles and pairs, array (2, K, L_A, L_B)."""
    found = np.empty((2, len(orders), first.ranks.shape[2], second.ranks.shape[2]))
    with (
        ThreadPoolExecutor(available_threads(n_jobs)) as pool,
        progress(found[0, 0].size, "shuffles of pairs of layers", "pairs") as bar,
    ):
        for a, b, ranks_a, ranks_b in _pairs(first, second):

            def one(order: np.ndarray, ranks: tuple[np.ndarray, np.ndarray] = (ranks_a, ranks_b)) -> Any:
                return shuffled_imbalances(*ranks, candidates, k, order)

            found[:, :, a, b] = np.array(list(pool.map(one, orders))).T
            bar.update(1)
    return found


def _notes(candidates: Candidates, fraction: float) -> tuple[str, ...]:
    wanted, mean = int(np.ceil(fraction * (len(candidates.sizes) - 1))), float(candidates.sizes.mean())
    if mean <= 1.5 * wanted:
        return ()
    return (f"many items are tied in the nuisance: {mean:.0f} candidates an item instead of {wanted}",)
