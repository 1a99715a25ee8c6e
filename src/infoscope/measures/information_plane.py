"""What does each layer of a network keep of its input and of the label? Two numbers a layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from infoscope.base import DataError, ParameterError, provenance
from infoscope.base.checks import check_choice, check_positive_int, check_same_length
from infoscope.neighbors import as_space, target_space, to_numpy
from infoscope.statistics.units import information_unit

from .one_sample import jackknife
from .pair_information import mutual_information
from .plane_results import InformationPlane
from .sample_units import seed_of

COMPRESSIONS = ("pca", "canonical")
GROUPS = 8  # of rows that principal components are found without, for what hangs on their choice


def information_plane(
    layers: Any,
    X: Any,
    y: Any,
    *,
    noise: float = 0.1,
    compress: Any = "pca",
    n_components: int = 8,
    k: int = 3,
    unit: str = "nats",
    exclusion_window: float | str | None = None,
    random_state: Any = 0,
    n_jobs: int | None = None,
) -> InformationPlane:
    """What does each layer keep of its input, and of the label?

    A layer is a function of its input, and shares infinitely much with a continuous one. So the question is asked of
    T = layer + noise: how much survives a disturbance of this size. The noise, the compression and the parts of rows
    that errors come from are the same for all layers.

    Parameters
    ----------
    layers : mapping of str to array (N, D), or sequence of arrays
        Activations of every layer for the same N inputs, in the order of the network.
    X : Space, array (N, D) or frame
        The inputs.
    y : array (N,)
        Labels, or one column of real numbers.
    noise : float
        Standard deviation of the noise, relative to that of the layer's columns (root of their mean variance).
    compress : {"pca", "canonical"}, object or None
        "pca": inputs and layers by their first principal components; "canonical" and objects as `mutual_information`
        takes them, for the input and for a y that is no label (labels keep the principal components); None: all
        columns.
    n_components : int
        Principal components.
    k : int
        Neighbours.
    unit : {"nats", "bits"}
        Of the answers.
    exclusion_window : float, "auto" or None
        As for `mutual_information`.
    random_state : int or Generator
        Of the noise, and of the parts that errors come from.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    InformationPlane
        Errors are those of the numbers and, of principal components, of their choice: which directions come first
        hangs on the rows where several vary alike.  Of canonical directions of a y that is no label, and of your own
        compression, only what `mutual_information` counts.

    Raises
    ------
    DataError
        Layers of another length than the inputs, constant layers, NaN.
    ParameterError
        A noise that is not positive.

    References
    ----------
    Butakov et al., arXiv:2305.08013 (2023): noise and compression before an estimate.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.measures import information_plane
    >>> g = np.random.default_rng(0)
    >>> x = g.normal(size=(400, 2))
    >>> label = (x[:, 0] > 0).astype(int)
    >>> found = information_plane({"copy": x, "sign": np.sign(x[:, :1])}, x, label, noise=0.3)
    >>> bool(found.x_information[0] > found.x_information[1])             # the sign keeps less of the input
    True
    """
    if isinstance(noise, bool | str) or not np.isfinite(noise) or not noise > 0:
        raise ParameterError(f"noise is {noise!r}; it must be positive: without it a layer holds infinitely much")
    if isinstance(compress, str):
        check_choice(compress, "compress", COMPRESSIONS)
    n_components, seed = check_positive_int(n_components, "n_components"), seed_of(random_state)
    named, columns = _layers(layers), _columns(X, "X")
    target, _ = target_space(y, "auto", name="y", option="y")
    check_same_length({"X": columns} | {"y": len(target)} | named)
    labels = target.metric == "labels"
    pca = compress == "pca"
    source = _principal(columns, n_components) if pca else columns
    options: dict[str, Any] = dict(k=k, unit=unit, exclusion_window=exclusion_window, random_state=seed, n_jobs=n_jobs)
    told = None if pca else compress
    about_x, about_y, choices, deviations = [], [], [], []
    for layer in named.values():
        disturbed, deviation = _disturbed(layer, noise, seed)
        deviations.append(deviation)
        kept = _principal(disturbed, n_components) if pca or labels else disturbed
        about_x.append(mutual_information(source, kept if pca else disturbed, compress=told, **options))
        about_y.append(mutual_information(kept, target, compress=None if labels else told, **options))
        layer_kept = (disturbed, n_components) if pca or labels else (disturbed, None)
        choices.append(
            (
                _error_of_choice([(columns, n_components), layer_kept], None, options) if pca else 0.0,
                _error_of_choice([layer_kept], target, options),
            )
        )
    said = [text for one in (*about_x, *about_y) for text in one.warnings]
    return InformationPlane(
        layers=tuple(named),
        x_information=np.array([one.value for one in about_x]),
        x_information_se=np.hypot([one.value_se for one in about_x], [x for x, _ in choices]),
        y_information=np.array([one.value for one in about_y]),
        y_information_se=np.hypot([one.value_se for one in about_y], [y for _, y in choices]),
        x_reliable=np.array([bool(one.reliable) for one in about_x]),
        y_reliable=np.array([bool(one.reliable) for one in about_y]),
        noise=float(noise),
        deviations=np.array(deviations),
        compress=compress if compress is None or isinstance(compress, str) else type(compress).__name__,
        n_components=n_components if pca or labels else None,
        label_entropy=_label_entropy(target, unit) if labels else None,
        unit=unit,
        n_items=len(columns),
        warnings=tuple(dict.fromkeys(said)),
        provenance=provenance(
            "information_plane",
            dict(noise=noise, compress=None if compress is None else str(compress), n_components=n_components, k=k)
            | dict(unit=unit, exclusion_window=exclusion_window),
            random_state,
            columns,
            *named.values(),
        ),
    )


# --------------------------------------------------------------------------------------------------------------- steps
def _layers(layers: Any) -> dict[str, np.ndarray]:
    if isinstance(layers, Mapping):
        given = {str(name): values for name, values in layers.items()}
    elif isinstance(layers, Sequence) and not isinstance(layers, str):
        given = {f"layer {at + 1}": values for at, values in enumerate(layers)}
    else:
        raise ParameterError(
            f"layers is a {type(layers).__name__}: pass a mapping of names to arrays (N, D), or a list"
        )
    if not given:
        raise ParameterError("layers is empty: pass the activations of one layer at least")
    return {name: _columns(values, name) for name, values in given.items()}


def _columns(data: Any, name: str) -> np.ndarray:
    space = as_space(data, name=name)
    if space.metric not in ("euclidean", "chebyshev", "manhattan"):
        raise ParameterError(f"{name} has metric {space.metric!r}: pass columns of real numbers")
    return np.asarray(to_numpy(space.features), np.float64)


def _disturbed(layer: np.ndarray, noise: float, seed: int) -> tuple[np.ndarray, float]:
    """A layer with noise, and the standard deviation of that; the same draws for every layer of one width."""
    spread = float(np.sqrt(layer.var(0).mean()))
    if not spread > 0:
        raise DataError("a layer is constant and holds nothing: leave it out")
    deviation = noise * spread
    draws = np.random.default_rng([seed, layer.shape[1]]).standard_normal(layer.shape)
    return layer + deviation * draws, deviation


def _error_of_choice(sides: list[tuple[np.ndarray, int | None]], target: Any, options: dict[str, Any]) -> float:
    """Of an information between principal components, what their choice adds: a jackknife of the rows that they are
    found on, counted in all rows.  0 where there is nothing to choose."""
    if all(wanted is None or columns.shape[1] <= wanted for columns, wanted in sides):
        return 0.0
    n, quick = len(sides[0][0]), options | dict(se=False, compress=None)
    group_of = np.random.default_rng([options["random_state"], 5]).permutation(n) % GROUPS
    values = []
    for g in range(GROUPS):
        seen = np.flatnonzero(group_of != g)
        both = [x if wanted is None else _principal(x, wanted, seen) for x, wanted in sides]
        values.append(mutual_information(both[0], target if len(both) == 1 else both[1], **quick).value)
    return float(jackknife(np.array(values)))


def _principal(columns: np.ndarray, n_components: int, seen: np.ndarray | None = None) -> np.ndarray:
    """The first principal components, where there are more columns; found on some of the rows, if given."""
    if columns.shape[1] <= n_components:
        return columns
    away = columns - columns.mean(0)
    known = away if seen is None else away[seen] - away[seen].mean(0)
    if known.shape[1] <= known.shape[0]:
        directions = np.linalg.eigh(known.T @ known)[1][:, ::-1]
    else:
        directions = np.linalg.svd(known, full_matrices=False)[2].T
    return np.asarray(away @ directions[:, :n_components])


def _label_entropy(target: Any, unit: str) -> float:
    counts = np.bincount(np.asarray(target.features)[:, 0].astype(np.int64))
    p = counts[counts > 0] / counts.sum()
    return float(-(p * np.log(p)).sum() / information_unit(unit))
