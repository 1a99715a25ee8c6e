"""One network at several times: what each of its layers still tells about the same layer of a reference, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from infoscope.base import DataError, Fingerprint, ParameterError, progress, provenance
from infoscope.base.checks import check_choice, check_positive_int
from infoscope.imbalance import information_imbalance
from infoscope.neighbors import looking_at_row_order, without_features
from infoscope.statistics import adjust_p_values, item_degrees, student_p_value

from .checkpoint_results import CheckpointComparison
from .layers import METRICS, WAY_OUT, Layers, check_stores, read_layers, spell_names

FIELDS = ("to_reference", "to_reference_se", "from_reference", "from_reference_se", "to_floor", "from_floor",
          "asymmetry", "asymmetry_se")  # fmt: skip


def compare_checkpoints(
    checkpoints: Any,
    reference: Any = "last",
    *,
    k: int = 1,
    metric: str = "cosine",
    adjust: str = "holm",
    level: float = 0.05,
    n_jobs: int | None = None,
) -> CheckpointComparison:
    """Which layers changed during training, or by fine-tuning, and in which direction was information lost?

    Every layer of every checkpoint is compared with the same layer of the reference, on the same items, by the
    Information Imbalance in both directions.

    Parameters
    ----------
    checkpoints : mapping of name to model, or sequence of models
        A model is what `compare_layers` takes: a `RepresentationStore`, a mapping or sequence of layers, an array
        (L, N, D); or a function that gives one, which is called when its turn comes, and its model is dropped after.
        Without names they are 0, 1, ...
    reference : {"last", "first"}, name of a checkpoint, or model
        What all are compared with: of one network through training its last state; of a fine-tuned one the base.
    k : int
        Neighbours.
    metric : {"cosine", "euclidean", "hamming"}
        Of the distances, as for `compare_layers`.
    adjust : {"holm", "bonferroni", "by", "bh"}
        Correction of the p-values of the asymmetries for the number of checkpoints and layers.
    level : float
        Of these tests.
    n_jobs : int, optional
        Threads; the answer does not depend on them.

    Returns
    -------
    CheckpointComparison

    Raises
    ------
    DataError
        Layers of different items or names, dead layers, NaN; the checkpoint and the layer are named.
    ParameterError
        Nothing to compare with; options that make no sense.

    Notes
    -----
    One layer of the reference and one of a checkpoint are in memory at a time, where they are loaded by functions or
    come from stores. Layers whose vectors were only rotated or scaled have not changed for their neighbours.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.representations import compare_checkpoints
    >>> g = np.random.default_rng(0)
    >>> base = [g.normal(size=(200, 8)), g.normal(size=(200, 8))]
    >>> tuned = [base[0], base[1] * [1, 1, 1, 1, 0, 0, 0, 0]]          # the second layer forgets half of its features
    >>> found = compare_checkpoints({"tuned": tuned}, base)
    >>> found.changed.tolist(), found.lost.tolist()
    ([[False, True]], [[False, True]])
    """
    check_choice(metric, "metric", METRICS)
    check_choice(adjust, "adjust", ("holm", "bonferroni", "by", "bh"))
    k = check_positive_int(k, "k")
    if not (isinstance(level, (int, float)) and 0 < level < 1):
        raise ParameterError(f"level is {level!r}: it must lie between 0 and 1")
    named = _by_name(checkpoints)
    about = _reference(named, reference)
    digest, said, tables = Fingerprint(), _Said([], []), []
    options: dict[str, Any] = dict(k=k, metric=metric, n_jobs=n_jobs)
    with looking_at_row_order(way_out=WAY_OUT) as look, progress(len(named), "checkpoints", "checkpoints") as bar:
        for name, given in named.items():
            model = about.model if name == about.name else _read(given, f"checkpoint {name}")
            tables.append(_beside(model, about.model, digest, options, said))
            bar.update(1)
    found = dict(zip(FIELDS, np.moveaxis(np.array(tables), 2, 0), strict=True))
    n_items = len(next(about.model.one_by_one(metric)).space)
    p_values = student_p_value(found["asymmetry"], found["asymmetry_se"], item_degrees(n_items))
    p_values[[name == about.name for name in named]] = np.nan  # beside itself: nothing to test
    parameters = dict(k=k, metric=metric, adjust=adjust, level=level, reference=about.name)
    return CheckpointComparison(
        checkpoints=tuple(named),
        layers=about.model.names,
        reference=about.name,
        **found,
        p_values=p_values,
        p_values_adjusted=adjust_p_values(p_values, adjust),
        adjust=adjust,
        k=k,
        metric=metric,
        level=float(level),
        n_items=n_items,
        provenance=provenance("compare_checkpoints", parameters, None, input_hash=digest.text),
        warnings=tuple(dict.fromkeys((*look.warnings, *said.warnings))),
        notes=tuple(dict.fromkeys((*look.notes, *said.notes))),
    )


# --------------------------------------------------------------------------------------------------------------- steps
class _Reference(NamedTuple):
    name: str
    model: Layers


class _Said(NamedTuple):
    """What comparisons said."""

    warnings: list[str]
    notes: list[str]


def _by_name(checkpoints: Any) -> dict[str, Any]:
    if isinstance(checkpoints, Mapping):
        named = {name: checkpoints[key] for name, key in spell_names(checkpoints, "checkpoints").items()}
    elif isinstance(checkpoints, Sequence) and not isinstance(checkpoints, str):
        named = {str(number): one for number, one in enumerate(checkpoints)}
    else:
        raise ParameterError(
            f"checkpoints is {type(checkpoints).__name__}: give a mapping of names (steps) to models, or a list of them"
        )
    if not named:
        raise ParameterError("there are no checkpoints")
    return named


def _reference(named: dict[str, Any], reference: Any) -> _Reference:
    """What all are compared with: one of the checkpoints, or another model."""
    if isinstance(reference, (str, int)) and not isinstance(reference, bool):
        if len(named) < 2:
            raise ParameterError("one checkpoint has nothing to be compared with: give reference=, a model, or several")
        names = list(named)
        name = {"last": names[-1], "first": names[0]}.get(str(reference), str(reference))
        if name not in named:
            raise ParameterError(
                f"reference is {reference!r}: it must be 'last', 'first', one of {', '.join(names)}, or a model"
            )
        return _Reference(name, _read(named[name], f"checkpoint {name}"))
    name = "reference" if "reference" not in named else "other reference"
    return _Reference(name, _read(reference, name))


def _read(given: Any, what: str) -> Layers:
    if callable(given) and not hasattr(given, "shape") and not isinstance(given, Mapping):
        given = given()
    return read_layers(given, what)


def _beside(model: Layers, reference: Layers, digest: Fingerprint, options: dict[str, Any], said: _Said) -> np.ndarray:
    """A table (layers, fields) of one checkpoint."""
    _check_alike(model, reference)
    rows = []
    others = reference.one_by_one(options["metric"])
    first = next(others)
    ours = model.one_by_one(options["metric"], without_features(first.space))
    for a, b in zip(ours, chain([first], others), strict=True):
        digest.update(a.space.features, b.space.features)
        found = information_imbalance(a.space, b.space, k=options["k"], n_jobs=options["n_jobs"])
        said.warnings.extend(found.warnings)
        said.notes.extend(found.notes)
        rows.append(
            (found.a_to_b, found.a_to_b_se, found.b_to_a, found.b_to_a_se, found.a_to_b_floor, found.b_to_a_floor,
             found.asymmetry, found.asymmetry_se)
        )  # fmt: skip
    return np.array(rows, dtype=np.float64)


def _check_alike(model: Layers, reference: Layers) -> None:
    """Both have the same layers, and the same items where stores know them."""
    if model.names != reference.names:
        other = [name for name in model.names if name not in reference.names]
        which = f"it has {other[0]!r}" if other else f"{len(model.names)} and {len(reference.names)}"
        raise DataError(f"{model.what} and {reference.what} have different layers ({which}): give those of both alone")
    check_stores(model, reference)
