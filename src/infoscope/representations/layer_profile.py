"""How rich is each layer?  Intrinsic dimension by scale, dimension of the signs and effective number, over depth."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from infoscope.base import DataError, Fingerprint, InfoscopeWarning, ParameterError, progress, provenance, warn
from infoscope.base.checks import check_choice
from infoscope.neighbors import Space

from .comparison_results import LayerComparison
from .depth_results import MEASURES, LayerProfile, SemanticLayers
from .layer_steps import check_steps, describe_step
from .layers import Layer, read_layers

METRICS = ("euclidean", "cosine")


class Rich(NamedTuple):
    """One measure of a layer: values, errors, and the scale they belong to (NaN where there is none)."""

    values: np.ndarray
    errors: np.ndarray
    scales: np.ndarray
    ranks: np.ndarray | None = None


def layer_profile(
    layers: Any,
    *,
    measures: Sequence[str] = MEASURES,
    comparison: LayerComparison | SemanticLayers | None = None,
    max_rank: int | None = None,
    alpha_max: float = 0.4,
    metric: str = "euclidean",
    preprocess: Any = None,
    n_jobs: int | None = None,
) -> LayerProfile:
    """Intrinsic dimension, dimension of the signs and effective number of every layer, on one axis of depth.

    Parameters
    ----------
    layers : RepresentationStore, mapping, sequence, or array (L, N, D)
        Layers of one model, as for `compare_layers`.
    measures : sequence of str
        "two_nn" (dimension from two neighbours), "gride" (by scale), "signs" (Binary Intrinsic Dimension of the signs),
        "effective_number" (how many equally different items, by their cosines, order 2).
    comparison : LayerComparison or SemanticLayers, optional
        Of these layers as model a: its imbalances are drawn above.  Of a `LayerComparison` they are those of the best
        partner in each direction, chosen on the same items, and small by that choice.
    max_rank : int, optional
        The largest rank of "gride"; a quarter of the items, at most 1024, by default.
    alpha_max : float
        Share of the distances of signs that are fitted, the smallest first.
    metric : {"euclidean", "cosine"}
        Of the distances of "two_nn" and "gride".
    preprocess : transformer or sequence of them, optional
        What every layer goes through first, as for `compare_layers`; not `SignBits`.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    LayerProfile

    Raises
    ------
    DataError
        Too few different items, signs that are all the same, NaN; the layer is named.
    ParameterError
        Unknown measures; a comparison of other layers.

    Notes
    -----
    Dimensions belong to a scale: the mean distance of the neighbours that were used stands beside them.  A peak of the
    dimension in the first half of a language model marks the layers that predict those of other models.

    References
    ----------
    Facco, d'Errico, Rodriguez, Laio, Sci. Rep. 7, 12140 (2017): two neighbours.  Denti, Doimo, Laio, Mira, Sci. Rep.
    12, 20005 (2022): by scale.  Acevedo, Rodriguez, Laio, arXiv:2411.02126 (2024): bits.  Friedman, Dieng, TMLR (2023):
    effective number.  Cheng et al., arXiv:2405.15471 (2024): language models.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.representations import layer_profile
    >>> g = np.random.default_rng(0)
    >>> layers = [g.normal(size=(400, d)) @ g.normal(size=(d, 32)) for d in (2, 8, 4)]
    >>> layer_profile(layers, measures="two_nn").two_nn.round()
    array([2., 8., 4.])
    """
    names = _check_measures(measures)
    check_choice(metric, "metric", METRICS)
    steps, digest = check_steps(preprocess), Fingerprint()
    model = read_layers(layers, "layers", steps)
    against = _against(comparison, model.names)
    makers: dict[str, Callable[[Layer], Rich]] = {
        "two_nn": lambda layer: _two_nn(layer.space, n_jobs),
        "gride": lambda layer: _gride(layer.space, max_rank, n_jobs),
        "signs": lambda layer: _signs(layer, alpha_max, n_jobs),
        "effective_number": lambda layer: _effective(layer, n_jobs),
    }
    found: dict[str, list[Rich]] = {one: [] for one in names}
    widths, said, n = [], [], 0  # type: ignore[var-annotated]
    with progress(len(model.names), "layers", "layers") as bar:
        for name, layer in zip(model.names, model.one_by_one(metric), strict=True):
            digest.update(layer.space.features)
            widths.append(layer.space.n_features)
            n = len(layer.space)
            for one in names:
                found[one].append(_hear(makers[one], layer, f"{name}, {one}", said))
            bar.update(1)
    if said:
        warn(said[0] + (f" (and {len(said) - 1} more, in `warnings` of the result)" if len(said) > 1 else ""))
    done = tuple(describe_step(step) for step in steps)
    parameters = dict(measures=names, max_rank=max_rank, alpha_max=alpha_max, metric=metric, preprocess=done)
    return LayerProfile(
        names=model.names,
        widths=np.array(widths),
        **_columns(found),
        **against,
        metric=metric,
        preprocess=done,
        n_items=n,
        warnings=tuple(said),
        provenance=provenance("layer_profile", parameters, None, input_hash=digest.text),
    )


# --------------------------------------------------------------------------------------------------------------- steps
def _check_measures(measures: Sequence[str]) -> tuple[str, ...]:
    names = (measures,) if isinstance(measures, str) else tuple(measures)
    for name in names:
        check_choice(name, "measures", MEASURES)
    if not names or len(set(names)) < len(names):
        raise ParameterError(f"measures is {measures!r}: name at least one of {', '.join(MEASURES)}, and each once")
    return names


def _hear(make: Callable[[Layer], Rich], layer: Layer, name: str, said: list[str]) -> Rich:
    """One measure of one layer; what it complains of gets the name of the layer."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            found = make(layer)
        except DataError as error:
            raise DataError(f"{name}: {error}") from error
    for one in caught:
        if issubclass(one.category, InfoscopeWarning):
            said.append(f"{name}: {one.message}")
        else:
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)
    return found


def _against(comparison: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """Both imbalances of each layer with the one beside it, or with its best partner, chosen on the same items."""
    if comparison is None:
        return {}
    if not isinstance(comparison, (LayerComparison, SemanticLayers)):
        raise ParameterError(
            f"comparison is {type(comparison).__name__}: give what compare_layers or semantic_layers gave"
        )
    if comparison.names_a != names:
        raise ParameterError("comparison is of other layers: compare these as model a")
    if isinstance(comparison, SemanticLayers):
        values = np.array([comparison.a_to_b, comparison.b_to_a])
        return dict(imbalance=values, imbalance_se=np.array([comparison.a_to_b_se, comparison.b_to_a_se]))
    if "a_to_b" not in comparison.measures:
        raise ParameterError("comparison has no imbalances: compare_layers(..., measures='imbalance') makes them")
    tables = [(comparison.table(way), comparison.table(way, "values_se")) for way in ("a_to_b", "b_to_a")]
    best, depth = [table.argmin(1) for table, _ in tables], np.arange(len(names))
    chosen = dict(partners="best") if len(comparison.names_b) > 1 else {}
    return chosen | {
        key: np.array([pair[part][depth, at] for pair, at in zip(tables, best, strict=True)])
        for part, key in enumerate(("imbalance", "imbalance_se"))
    }


def _two_nn(space: Space, n_jobs: int | None) -> Rich:
    from infoscope.dimension import TwoNN

    found = TwoNN(n_jobs=n_jobs).fit(space, exclusion_window=0).result_
    return Rich(np.array([found.dimension]), np.array([found.dimension_se]), np.array([found.distance]))


def _gride(space: Space, max_rank: int | None, n_jobs: int | None) -> Rich:
    from infoscope.dimension import Gride

    found = Gride(max_rank, n_jobs=n_jobs).fit(space, exclusion_window=0).result_
    return Rich(found.dimension, found.dimension_se, found.distance, found.ranks)


def _signs(layer: Layer, alpha_max: float, n_jobs: int | None) -> Rich:
    from infoscope.dimension import BinaryID

    vectors = layer.space.features if layer.vectors is None else layer.vectors
    found = BinaryID(alpha_max=alpha_max, binarize="sign", n_jobs=n_jobs).fit(vectors)
    return Rich(np.array([found.dimension_]), np.array([found.dimension_se_]), np.array([np.nan]))


def _effective(layer: Layer, n_jobs: int | None) -> Rich:
    from infoscope.measures import effective_number

    vectors = layer.space if layer.vectors is None else layer.vectors
    found = effective_number(vectors, order=2, n_jobs=n_jobs)  # order 1 of wide layers grows with the items
    return Rich(np.array([found.value]), np.array([found.value_se]), np.array([np.nan]))


def _columns(found: dict[str, list[Rich]]) -> dict[str, Any]:
    """Fields of the result; scales that not all layers have are left out."""
    columns: dict[str, Any] = {}
    for name, layers in found.items():
        if name == "gride":
            shared = min(len(one.values) for one in layers)
            columns["gride_ranks"] = layers[0].ranks[:shared]  # type: ignore[index]
            for end, part in (("", "values"), ("_se", "errors"), ("_distance", "scales")):
                columns[f"gride{end}"] = np.array([getattr(one, part)[:shared] for one in layers])
            continue
        columns[name] = np.array([one.values[0] for one in layers])
        columns[f"{name}_se"] = np.array([one.errors[0] for one in layers])
        if name == "two_nn":
            columns["two_nn_distance"] = np.array([one.scales[0] for one in layers])
    return columns
