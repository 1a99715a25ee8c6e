"""The same tokens in several conditions: a model and its controls, with differences paired by item."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from infoscope.base import DataError, Fingerprint, ParameterError, provenance
from infoscope.base.checks import check_choice

from .layer_pairs import Estimate, paired_curves, tables_of
from .layer_steps import check_steps, describe_step
from .layers import METRICS, Layers
from .repeated_items import SeenItems
from .token_results import ControlledTokens

OPTIONS = ("k", "metric", "preprocess", "n_jobs")


def compare_controls(
    conditions: Mapping[str, tuple[dict[str, np.ndarray], dict[str, np.ndarray]]], **options: Any
) -> ControlledTokens:
    """Imbalances of what is given and of every control, and their differences.

    Parameters
    ----------
    conditions : mapping of str to (layers of a, layers of b)
        What is given first; b has one layer, or as many as a.
    **options
        `k`, `metric`, `preprocess`, `n_jobs` of `compare_layers`.

    Raises
    ------
    DataError
        Controls of another number of items.
    ParameterError
        Other options.
    """
    unknown = [name for name in options if name not in OPTIONS]
    if unknown:
        raise ParameterError(f"{unknown[0]} goes without controls: beside them {', '.join(OPTIONS)} are known")
    k, metric, n_jobs = options.get("k", 1), options.get("metric", "cosine"), options.get("n_jobs")
    check_choice(metric, "metric", METRICS)
    steps, digest = check_steps(options.get("preprocess")), Fingerprint()
    found: list[tuple[list[Estimate], list[Estimate]]] = []
    seen = SeenItems()
    names_a: tuple[str, ...] = ()
    names_b: tuple[str, ...] = ()
    wanted = len(next(iter(next(iter(conditions.values()))[0].values())))
    for name, (a, b) in conditions.items():
        n = len(next(iter(a.values())))
        if n != wanted:
            raise DataError(f"control {name} has {n} items, and {wanted} are given: row i must be the same item in all")
        beside = [next(iter(b.items()))] * len(a) if len(b) == 1 else list(b.items())
        names_a, names_b = tuple(a), tuple(key for key, _ in beside)
        first = Layers(names_a, tuple(a.values()), f"{name}, a", None, steps)
        second = Layers(names_b, tuple(values for _, values in beside), f"{name}, b", None, steps)
        found.append(paired_curves(first, second, k, metric, digest, seen, n_jobs))
    warnings, notes = seen.look()
    skew = [[one.less(two) for one, two in zip(there, back, strict=True)] for there, back in found]
    gain = [[[other.less(own) for own, other in zip(found[0][way], control[way], strict=True)] for control in found[1:]]
            for way in (0, 1)]  # fmt: skip
    skew_gain = [[own.less(other) for own, other in zip(skew[0], control, strict=True)] for control in skew[1:]]
    done = tuple(describe_step(step) for step in steps)
    parameters = dict(k=k, metric=metric, preprocess=done, controls=list(conditions)[1:])
    return ControlledTokens(
        names_a=names_a,
        names_b=names_b,
        conditions=tuple(conditions),
        controls=tuple(conditions)[1:],
        **tables_of("values", [[one[way] for one in found] for way in (0, 1)]),
        **tables_of("asymmetry", skew),
        **tables_of("gain", gain),
        **tables_of("asymmetry_gain", skew_gain),
        k=k,
        metric=metric,
        preprocess=done,
        n_items=wanted,
        warnings=warnings,
        notes=notes,
        provenance=provenance("compare_controls", parameters, None, input_hash=digest.text),
    )
