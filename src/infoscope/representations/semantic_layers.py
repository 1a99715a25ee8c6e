"""Where is the meaning?  The set of layers that cannot be told from the best, and which model tells more in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from infoscope.base import Fingerprint, ParameterError, provenance
from infoscope.base.checks import check_choice, check_positive_int, check_random_state
from infoscope.base.rounding import exceeds
from infoscope.neighbors import looking_at_row_order

from .depth_results import DirectionComparison, SemanticLayers
from .layer_pairs import Estimate, both_ways, check_k, know, mean, paired_curves, tables_of
from .layer_steps import check_steps, describe_step
from .layer_tables import table_layers
from .layers import FEWEST, METRICS, WAY_OUT, Layers, check_stores, read_layers
from .pair_measures import Imbalance
from .repeated_items import SeenItems

WAYS = ("both", "a_to_b", "b_to_a")


def semantic_layers(
    a: Any,
    b: Any = None,
    *,
    pairs: str = "auto",
    direction: str = "both",
    level: float = 0.05,
    share: float = 0.5,
    k: int = 1,
    metric: str = "cosine",
    preprocess: Any = None,
    n_draws: int = 2000,
    random_state: Any = None,
    n_jobs: int | None = None,
) -> SemanticLayers:
    """Which layers tell most of the same items seen otherwise (a translation, a caption)?  A set, not one layer.

    Parameters
    ----------
    a, b : RepresentationStore, mapping, sequence, or array (L, N, D)
        The layers of one model for both forms of the items, or those of two models, as for `compare_layers`.  What
        `compare_layers` gave is not enough: layers are told apart item by item, and a result keeps no items.
    pairs : {"auto", "same", "best"}
        "same": layer l of a beside layer l of b.  "best": each layer of a beside the layer of b that has most in common
        with it on some of the items; the others judge.  "auto" is "same" where both have as many layers.
    direction : {"both", "a_to_b", "b_to_a"}
        Which imbalance decides; "both" is their mean.
    level : float
        Probability that the set misses the best layer.
    share : float
        Of the items that choose partners, for "best".
    k : int
        Neighbours.
    metric : {"cosine", "euclidean", "hamming"}
        Of the distances.
    preprocess : transformer or sequence of them, optional
        What every layer goes through first, as for `compare_layers`.
    n_draws : int
        Drawn samples behind the margins and `share_best`.
    random_state : int, Generator or None
        Of the parts and the draws.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    SemanticLayers

    Raises
    ------
    DataError
        Layers of different items, dead layers, NaN; the layer is named.
    ParameterError
        Fewer than two layers; a result in the place of layers; options that make no sense.

    Notes
    -----
    Multiple comparisons with the best (Hsu): a layer is left out if it falls behind any other by more than the best
    layer would, with a probability of `level`, behind the worst of as many rivals.  All layers see the same items, so
    differences are paired.  The margins come from the influence of every item on every difference, multiplied by normal
    numbers: errors of the jackknife, which are too large rather than too small (Efron, Stein).

    References
    ----------
    Hsu, Annals of Statistics 12, 1136 (1984): multiple comparisons with the best.  Efron, Stein, Annals of Statistics
    9, 586 (1981): the jackknife.  Acevedo et al., arXiv:2505.17101 (2025): semantic layers.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.representations import semantic_layers
    >>> g = np.random.default_rng(0)
    >>> meaning = g.normal(size=(300, 4))
    >>> english, italian = ([s * meaning + g.normal(size=(300, 4)) for s in (0, 1, 3, 3, 1)] for _ in range(2))
    >>> semantic_layers(english, italian, random_state=0).layers_a
    ('layer 2', 'layer 3')
    """
    check_choice(pairs, "pairs", ("auto", "same", "best"))
    check_choice(direction, "direction", WAYS)
    check_choice(metric, "metric", METRICS)
    if not (isinstance(level, (int, float)) and 0 < level < 1):
        raise ParameterError(f"level is {level!r}: it must lie between 0 and 1")
    n_draws = check_positive_int(n_draws, "n_draws", 100)
    generator, digest, steps = check_random_state(random_state), Fingerprint(), check_steps(preprocess)
    first = read_layers(a, "a", steps)
    if b is None:
        raise ParameterError("b is missing: give the layers of the same items seen otherwise, or by another model")
    second = read_layers(b, "b", steps)
    check_stores(first, second)
    n_chose = 0
    if pairs == "same" or (pairs == "auto" and len(first.names) == len(second.names)):
        _check_same_number(first, second)
    else:
        first, second, n_chose = _choose_partners(first, second, direction, share, k, metric, generator, n_jobs)
    if len(first.names) < 2:
        raise ParameterError("a has one layer: there is no depth to look over")
    with looking_at_row_order(way_out=WAY_OUT) as look:
        there, back = paired_curves(first, second, k, metric, digest, seen := SeenItems(), n_jobs)
    warnings, notes = seen.look()
    judged = dict(both=[mean(both) for both in zip(there, back, strict=True)], a_to_b=there, b_to_a=back)[direction]
    best = _beside_the_best(judged, level, n_draws, generator)
    done = tuple(describe_step(step) for step in steps)
    parameters = dict(pairs=pairs, direction=direction, level=level, share=share, k=k, metric=metric, preprocess=done)
    return SemanticLayers(
        names_a=first.names,
        names_b=second.names,
        **tables_of("values", judged),
        **tables_of("a_to_b", there),
        **tables_of("b_to_a", back),
        **best._asdict(),
        direction=direction,
        level=float(level),
        k=k,
        metric=metric,
        preprocess=done,
        n_items=there[0].n_items,
        n_chose=n_chose,
        warnings=(*look.warnings, *warnings),
        notes=(*look.notes, *notes),
        provenance=provenance(
            "semantic_layers", parameters | dict(n_draws=n_draws), random_state, input_hash=digest.text
        ),
    )


def compare_directions(
    a: Any,
    b: Any,
    *,
    layers_a: Sequence[str] | None = None,
    layers_b: Sequence[str] | None = None,
    pairs: str = "all",
    k: int = 1,
    metric: str = "cosine",
    preprocess: Any = None,
    n_jobs: int | None = None,
) -> DirectionComparison:
    """Which of two models tells more about the other, over several of their layers?

    Parameters
    ----------
    a, b : RepresentationStore, mapping, sequence, or array (L, N, D)
        Layers of the two models, as for `compare_layers`.
    layers_a, layers_b : sequence of str, optional
        Which layers, as those that `semantic_layers` names; all by default.
    pairs : {"all", "same"}
        Each layer of a beside each of b, or the first beside the first, and so on.
    k, metric, preprocess, n_jobs
        As for `semantic_layers`.

    Returns
    -------
    DirectionComparison

    Raises
    ------
    DataError
        Layers of different items, dead layers, NaN; the layer is named.
    ParameterError
        Layers that are not there; options that make no sense.

    Notes
    -----
    Layers that were chosen by what both directions have in common (``direction="both"``) may be compared on the same
    items, as long as both directions have errors of like size: the choice then prefers neither.  The error of the
    difference is up to 30 % too large for models that tell much and as much of each other.

    References
    ----------
    Glielmo, Zeni, Cheng, Csanyi, Laio, PNAS Nexus 1, pgac039 (2022).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.representations import compare_directions
    >>> x = np.random.default_rng(0).normal(size=(300, 6))
    >>> large, small = [x, x + 0.1], [x[:, :2]]
    >>> found = compare_directions(large, small, metric="euclidean")
    >>> found.verdict
    'a tells more about b than b about a (p < 1e-6).'
    """
    check_choice(pairs, "pairs", ("all", "same"))
    check_choice(metric, "metric", METRICS)
    digest, steps = Fingerprint(), check_steps(preprocess)
    first, second = (read_layers(one, what, steps) for one, what in ((a, "a"), (b, "b")))
    check_stores(first, second)
    first = first if layers_a is None else first.take_layers(list(layers_a))
    second = second if layers_b is None else second.take_layers(list(layers_b))
    if pairs == "same":
        _check_same_number(first, second)
    compare = paired_curves if pairs == "same" else _all_pairs
    with looking_at_row_order(way_out=WAY_OUT) as look:
        there, back = compare(first, second, k, metric, digest, seen := SeenItems(), n_jobs)
    warnings, notes = seen.look()
    forward, backward = mean(there), mean(back)
    difference = forward.less(backward)
    done = tuple(describe_step(step) for step in steps)
    parameters = dict(layers_a=first.names, layers_b=second.names, pairs=pairs, k=k, metric=metric, preprocess=done)
    return DirectionComparison(
        layers_a=first.names,
        layers_b=second.names,
        pairs=pairs,
        a_to_b=forward.value,
        a_to_b_se=forward.value_se,
        b_to_a=backward.value,
        b_to_a_se=backward.value_se,
        difference=difference.value,
        difference_se=difference.value_se,
        p_value=difference.p_value,
        k=k,
        metric=metric,
        preprocess=done,
        n_items=forward.n_items,
        warnings=(*look.warnings, *warnings),
        notes=(*look.notes, *notes),
        provenance=provenance("compare_directions", parameters, None, input_hash=digest.text),
    )


# --------------------------------------------------------------------------------------------------------------- steps
def _check_same_number(first: Layers, second: Layers) -> None:
    if len(first.names) != len(second.names):
        raise ParameterError(
            f"a has {len(first.names)} layers and b {len(second.names)}: pairs='same' puts one beside the other"
        )


def _choose_partners(
    first: Layers, second: Layers, direction: str, share: float, k: int, metric: str, generator, n_jobs
) -> tuple[Layers, Layers, int]:
    """For each layer of a the layer of b with most in common on some of the items; both on the other items."""
    n = first.n_items
    some, others = (np.sort(part) for part in np.split(generator.permutation(n), [round(share * n)]))
    if min(len(some), len(others)) < max(FEWEST, k + 2):
        raise ParameterError(f"share is {share}: of {n} items, {max(FEWEST, k + 2)} at least must choose, and judge")
    options: dict[str, Any] = dict(k=k, k_mutual=1, metric=metric, digest=Fingerprint(), n_jobs=n_jobs)
    one = table_layers(first.take(some), ("imbalance",), items=None, **options)
    two = table_layers(second.take(some), ("imbalance",), items=one.first, **options)
    as_they_are = np.arange(len(some))
    there, back = (Imbalance(one, two, k, forward).shuffled(as_they_are) for forward in (True, False))
    value = dict(both=there + back, a_to_b=there, b_to_a=back)[direction]
    partners = [second.names[place] for place in value.argmin(1)]
    places = [second.names.index(name) for name in partners]
    beside = second._replace(names=tuple(partners), given=tuple(second.given[place] for place in places))
    return first.take(others), beside.take(others), len(some)


def _all_pairs(
    first: Layers, second: Layers, k: int, metric: str, digest: Fingerprint, seen: SeenItems, n_jobs: int | None
) -> tuple[list[Estimate], list[Estimate]]:
    """Both directions of all pairs; the layers of b stay in memory."""
    known, items = [], None
    for layer in second.one_by_one(metric):
        k, items = check_k(k, len(layer.space)), layer.space if items is None else items
        digest.update(layer.space.features)
        seen.add(layer.space)
        known.append(know(layer.space, k, n_jobs))
    there, back = [], []
    for layer in first.one_by_one(metric, items):
        digest.update(layer.space.features)
        seen.add(layer.space)
        one = know(layer.space, k, n_jobs)
        for two in known:
            forward, backward = both_ways(one, two, n_jobs)
            there.append(forward)
            back.append(backward)
    return there, back


class _Best(NamedTuple):
    behind: np.ndarray
    behind_se: np.ndarray
    margin: np.ndarray
    chosen: np.ndarray
    share_best: np.ndarray


def _beside_the_best(judged: list[Estimate], level: float, n_draws: int, generator: np.random.Generator) -> _Best:
    """Which layers a best one could be: multiple comparisons with the best, and who is best in drawn samples."""
    number = len(judged)
    values, touching = np.array([one.value for one in judged]), np.array([one.touching for one in judged])
    drawn = generator.normal(size=(n_draws, touching.shape[1])) @ touching.T
    behind, behind_se, margin = np.zeros(number), np.zeros(number), np.zeros(number)
    for i in range(number):
        others = np.delete(np.arange(number), i)
        size = np.linalg.norm(touching[i] - touching[others], axis=1)
        unit = np.where(size > 0, size, 1.0)
        worst = np.quantile(((drawn[:, [i]] - drawn[:, others]) / unit).max(1), 1 - level)
        gap = values[i] - values[others]
        at = int(np.argmax((gap - worst * size) / unit))
        behind[i], margin[i] = gap[at], worst * size[at]
        behind_se[i] = judged[i].less(judged[others[at]]).value_se
    chosen = ~np.asarray(exceeds(behind, margin, 1.0))
    se = np.array([one.value_se for one in judged])
    size = np.linalg.norm(touching, axis=1)
    best = np.argmin(values + drawn * np.where(size > 0, se / np.where(size > 0, size, 1.0), 0.0), axis=1)
    return _Best(behind, behind_se, margin, chosen, np.bincount(best, minlength=number) / n_draws)
