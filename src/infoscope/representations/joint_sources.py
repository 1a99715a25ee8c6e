"""Does A plus C tell more about B than A alone?  Several layers as one space, and what each adds to the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from infoscope.base import Fingerprint, ParameterError, provenance
from infoscope.base.checks import check_choice
from infoscope.neighbors import Space, looking_at_row_order, to_numpy

from .layer_pairs import Estimate, check_k, know, one_way
from .layer_steps import check_steps, describe_step
from .layer_tables import signs_of
from .layers import METRICS, WAY_OUT, Layer, check_stores, read_layer, read_layers
from .repeated_items import SeenItems
from .share_results import WEIGHTINGS, JointImbalance


def joint_imbalance(
    sources: Any,
    target: Any,
    *,
    weighting: str = "spread",
    k: int = 1,
    metric: str = "cosine",
    preprocess: Any = None,
    n_jobs: int | None = None,
) -> JointImbalance:
    """Do several representations tell more about a target together than without one of them?

    Parameters
    ----------
    sources : RepresentationStore, mapping, sequence, or array (S, N, D)
        Two layers at least, as for `compare_layers`.
    target : array (N, D), Space, function that loads one, or a model of one layer
        What is told about.
    weighting : {"spread", "equal"}
        Sources count alike: "spread" gives all the same mean squared distance of two items; "equal" takes distances as
        they are.
    k : int
        Neighbours.
    metric : {"cosine", "euclidean", "hamming"}
        Of the distances.
    preprocess : transformer or sequence of them, optional
        What every layer goes through first, as for `compare_layers`.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    JointImbalance

    Raises
    ------
    DataError
        Layers of different items, dead layers, NaN; the layer is named.
    ParameterError
        Fewer than two sources; options that make no sense.

    Notes
    -----
    The joint squared distance is the weighted sum over sources of 2 (1 - cos), of squared distances, or of the number
    of bits that differ: vectors of one length, one after the other.  With the cosine metric and "equal" it is the mean
    of the cosines.  "spread" divides by the mean squared distance of two items of the source: all vectors of a layer
    often point nearly the same way, and such a layer would count for nothing beside another.  A source that knows
    nothing of the target adds noise to the distances: what it adds is then below 0.

    References
    ----------
    Glielmo, Zeni, Cheng, Csanyi, Laio, PNAS Nexus 1, pgac039 (2022).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.representations import joint_imbalance
    >>> b = np.random.default_rng(0).normal(size=(300, 4))
    >>> found = joint_imbalance({"left": b[:, :2], "right": b[:, 2:]}, b, metric="euclidean")
    >>> found.alone.round(1), round(found.joint, 1)
    (array([0.5, 0.4]), 0.0)
    """
    check_choice(weighting, "weighting", WEIGHTINGS)
    check_choice(metric, "metric", METRICS)
    steps, digest = check_steps(preprocess), Fingerprint()
    given, goal = read_layers(sources, "sources", steps), read_layer(target, "target", steps)
    if len(given.names) < 2:
        raise ParameterError("sources holds one layer: give two at least, or use information_imbalance")
    check_stores(given, goal)
    about = goal.one(0, metric).space
    k = check_k(k, len(about))
    layers = list(given.one_by_one(metric, about))
    digest.update(about.features, *(layer.space.features for layer in layers))
    with looking_at_row_order(way_out=WAY_OUT) as look:
        told = [_tell([layer], about, weighting, k, n_jobs) for layer in layers]
    seen = SeenItems()
    for space in (about, *(layer.space for layer in layers)):
        seen.add(space)
    warnings, notes = seen.look()
    joint = _tell(layers, about, weighting, k, n_jobs)
    rest = [layers[:s] + layers[s + 1 :] for s in range(len(layers))]
    without = told[::-1] if len(layers) == 2 else [_tell(some, about, weighting, k, n_jobs) for some in rest]
    added = [one.less(joint) for one in without]
    done = tuple(describe_step(step) for step in steps)
    parameters = dict(weighting=weighting, k=k, metric=metric, preprocess=done)
    return JointImbalance(
        names=given.names,
        name_target=goal.names[0],
        joint=joint.value,
        joint_se=joint.value_se,
        alone=np.array([one.value for one in told]),
        alone_se=np.array([one.value_se for one in told]),
        without=np.array([one.value for one in without]),
        without_se=np.array([one.value_se for one in without]),
        added=np.array([one.value for one in added]),
        added_se=np.array([one.value_se for one in added]),
        p_values=np.array([one.p_value for one in added]),
        weighting=weighting,
        k=k,
        metric=metric,
        preprocess=done,
        n_items=len(about),
        warnings=(*look.warnings, *warnings),
        notes=(*look.notes, *notes),
        provenance=provenance("joint_imbalance", parameters, None, input_hash=digest.text),
    )


# --------------------------------------------------------------------------------------------------------------- steps
def _tell(layers: Sequence[Layer], target: Space, weighting: str, k: int, n_jobs: int | None) -> Estimate:
    space = layers[0].space if len(layers) == 1 else join_layers(layers, weighting)
    return one_way(know(space, k, n_jobs), target, n_jobs)


def join_layers(layers: Sequence[Layer], weighting: str) -> Space:
    """One space of several layers: its squared distances are weighted sums of theirs."""
    parts = []
    for layer in layers:
        x = _flat(layer.space)
        size = np.sqrt(x.var(axis=0).sum()) if weighting == "spread" else 1.0  # mean squared distance: 2 size^2
        parts.append(x / size)
    return Space(np.concatenate(parts, axis=1))


def _flat(space: Space) -> np.ndarray:
    """Vectors whose squared distances are the distances of the metric: 2 (1 - cos), d^2, the entries that differ."""
    if space.metric == "bits":
        return signs_of(space) / 2
    x = np.asarray(to_numpy(space.features))
    if space.metric == "hamming":  # one column a value: two entries differ in two of them
        return np.concatenate([column[:, None] == np.unique(column) for column in x.T], axis=1) / np.sqrt(2)
    return x.astype(np.float64)
