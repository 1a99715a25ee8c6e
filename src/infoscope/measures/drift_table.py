"""What changed between two samples: every feature by itself, and all numbers together, in one table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from infoscope.base import DataError, ParameterError, check_choice, provenance
from infoscope.neighbors import Space, settle_weights, settle_window
from infoscope.statistics import adjust_p_values

from .drift import ask, index_features, match_features, row_setting
from .drift_results import ALPHA, DriftTable
from .feature_columns import Feature, features_of
from .sample_units import seed_of
from .sliced_wasserstein import sliced_wasserstein

ADJUSTMENTS = ("bh", "by", "holm", "bonferroni")


def drift_table(
    reference: Any,
    test: Any,
    *,
    categories: tuple[Mapping[str, Any], Mapping[str, Any]] | None = None,
    n_bins: int = 10,
    empty: str = "pool",
    missing: str = "error",
    n_directions: int = 100,
    n_permutations: int = 200,
    adjust: str = "bh",
    alpha: float = ALPHA,
    exclusion_window: float | str | None = None,
    random_state: Any = None,
    n_jobs: int | None = None,
) -> DriftTable:
    """The drift of every feature, by its stability index, and of all numbers, by a sliced Wasserstein distance.

    Parameters
    ----------
    reference, test : frame, array (N, D) or Space
        The samples; columns of frames go by name, text and booleans are categories.  Spaces bring weights, times, runs
        and periods.
    categories : pair of mappings, optional
        Columns of text beside two Spaces: name and values, one for every row.
    n_bins, empty, missing : optional
        As for `stability_index`.
    n_directions : int
        Of the joint test.
    n_permutations : int
        How often labels are exchanged in the joint test; 0 leaves it without a p-value.
    adjust : {"bh", "by", "holm", "bonferroni"}
        How p-values are adjusted for their number: the false discovery rate, or the chance of any false alarm.
    alpha : float
        Level of adjusted p-values from which a feature counts as drifted.
    exclusion_window : float or "auto", optional
        Time within which rows of a Space belong together: the length of blocks; 0 says that rows are in no order.
    random_state : int or Generator, optional
    n_jobs : int, optional
        Threads.

    Returns
    -------
    DriftTable

    Raises
    ------
    DataError, ParameterError
        Samples without a common column, missing values, options that do not go together.

    Notes
    -----
    The joint test divides every column of numbers by its standard deviation in the reference and takes (cos, sin) of
    periodic ones; columns that miss values are left out of it.  Whether features drift by themselves says little where
    there are many: compare adjusted p-values.

    References
    ----------
    Benjamini & Hochberg (1995), J. R. Stat. Soc. B 57, 289.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from infoscope.measures import drift_table
    >>> g = np.random.default_rng(0)
    >>> old = pd.DataFrame({"x": g.normal(size=500), "y": g.normal(size=500), "kind": g.choice(list("ab"), 500)})
    >>> new = pd.DataFrame({"x": g.normal(size=400) + 0.5, "y": g.normal(size=400), "kind": g.choice(list("ab"), 400)})
    >>> drift_table(old, new, random_state=0).drifted
    ('x',)
    """
    check_choice(adjust, "adjust", ADJUSTMENTS)
    if isinstance(alpha, bool | str) or not 0 < alpha < 1:
        raise ParameterError(f"alpha is {alpha!r}; it must lie between 0 and 1")
    seed = seed_of(random_state)
    asked = ask(n_bins=n_bins, empty=empty, missing=missing, random_state=seed)
    pair = [_settled(one, exclusion_window) for one in (reference, test)]
    columns = [features_of(one, name) for one, name in zip(pair, ("the reference", "the test sample"), strict=True)]
    if categories is not None:
        columns = [[*known, *_words(words, len(one), known)] for known, words, one in zip(columns, categories, pair,
                                                                                        strict=True)]  # fmt: skip
    firsts, seconds, notes = match_features(columns[0], columns[1])
    rows = row_setting(pair[0], pair[1], None, exclusion_window)
    found = index_features(firsts, seconds, rows, asked)
    shifts = [_shift(one, other, pair) for one, other in zip(firsts, seconds, strict=True)]
    joint = _Joint(firsts, seconds, pair)
    notes = (*notes, *joint.notes)
    together: Any = None
    if joint.names:
        together = sliced_wasserstein(
            *joint.spaces, n_directions=n_directions, n_permutations=n_permutations, random_state=seed, n_jobs=n_jobs,
            exclusion_window=exclusion_window, extrapolate=False,
        )  # fmt: skip
    p_values = np.array([_or_nan(one.p_value) for one in found] + [_or_nan(together and together.p_value)])
    said = (*rows.warnings, *(together.warnings if together else ()), *(text for one in found for text in one.warnings))
    options = dict(n_bins=n_bins, empty=empty, missing=missing, n_directions=n_directions, adjust=adjust, alpha=alpha,
                   n_permutations=n_permutations, exclusion_window=exclusion_window)  # fmt: skip
    return DriftTable(
        names=tuple(one.name for one in found), features=tuple(found), shift=np.array([a for a, _ in shifts]),
        shift_se=np.array([b for _, b in shifts]), p_values=p_values, p_adjusted=adjust_p_values(p_values, adjust),
        joint=together.value if together else np.nan, joint_se=together.value_se if together else np.nan,
        joint_null_values=together.null_values if together else None,
        top_direction=together.top_direction if together else None, joint_names=joint.names, adjust=adjust,
        alpha=float(alpha), n_reference=rows.n[0], n_test=rows.n[1], n_blocks=found[0].n_blocks,
        provenance=provenance("drift_table", options, seed, *(one.values for one in (*firsts, *seconds))),
        warnings=tuple(dict.fromkeys(said)), notes=(*notes, *(text for one in found for text in one.notes)),
    )  # fmt: skip


# --------------------------------------------------------------------------------------------------------------- steps
def _settled(data: Any, exclusion_window: Any) -> Any:
    """A Space without rows of weight zero; other data as they are."""
    if not isinstance(data, Space):
        return data
    return settle_window(settle_weights(data).spaces[0], exclusion_window)[0]


def _words(words: Mapping[str, Any], n: int, known: list[Feature]) -> list[Feature]:
    found = []
    for name, values in words.items():
        (one,) = features_of(np.asarray(values, dtype=object), str(name))
        if len(one.values) != n:
            raise DataError(
                f"the categories {name!r} have {len(one.values)} rows, and the sample {n}: one for every row"
            )
        if name in {other.name for other in known}:
            raise DataError(f"{name!r} is a column of numbers and of categories: give it once")
        found.append(one.called(str(name)))
    return found


def _shift(first: Feature, second: Feature, pair: list[Any]) -> tuple[float, float]:
    """W_1 of one column of numbers in standard deviations of the reference, and its error; NaN for categories."""
    if first.is_text:
        return np.nan, np.nan
    kept = [~one.missing for one in (first, second)]
    values = [one.values[k] for one, k in zip((first, second), kept, strict=True)]
    if min(map(len, values)) < 2:
        return np.nan, np.nan
    spread = float(values[0].std())
    if spread == 0 or _period(pair[0], first.name):
        return np.nan, np.nan
    spaces = [
        Space(v[:, None] / spread, sample_weight=None if w is None else w[k], name=name)
        for v, w, k, name in zip(values, _weights(pair), kept, ("the reference", "the test sample"), strict=True)
    ]
    found = sliced_wasserstein(*spaces, p=1.0, directions=[[1.0]], exclusion_window=0, extrapolate=False)
    return found.value, found.value_se


def _weights(pair: list[Any]) -> list[np.ndarray | None]:
    return [one.sample_weight if isinstance(one, Space) else None for one in pair]


def _period(data: Any, name: str) -> float:
    if not isinstance(data, Space):
        return 0.0
    names = [data.column_name(a) for a in range(data.n_features)]
    return float(data.period[names.index(name)]) if name in names else 0.0


class _Joint:
    """Columns of numbers of both samples, in standard deviations of the reference, as two Spaces."""

    def __init__(self, firsts: list[Feature], seconds: list[Feature], pair: list[Any]) -> None:
        columns: list[tuple[np.ndarray, np.ndarray]] = []
        names, lacking = [], []
        self.notes: tuple[str, ...] = ()
        for first, second in zip(firsts, seconds, strict=True):
            if first.is_text:
                continue
            if first.missing.any() or second.missing.any():
                lacking.append(first.name)
                continue
            period = _period(pair[0], first.name)
            for name, a, b in _measured(first.name, first.values, second.values, period):
                names.append(name)
                columns.append((a, b))
        if lacking:
            self.notes = (f"{', '.join(lacking)} miss values and are not in the joint test",)
        self.names = tuple(names)
        if names:
            self.spaces = [
                Space(np.column_stack([c[s] for c in columns]), feature_names=list(names), name=name,
                      **(one.about_items() if isinstance(one, Space) else {}))
                for s, (one, name) in enumerate(zip(pair, ("the reference", "the test sample"), strict=True))
            ]  # fmt: skip


def _measured(name: str, a: np.ndarray, b: np.ndarray, period: float) -> list[tuple[str, np.ndarray, np.ndarray]]:
    if period:
        turn = 2 * np.pi / period
        return [
            (f"cos {name}", np.cos(turn * a), np.cos(turn * b)),
            (f"sin {name}", np.sin(turn * a), np.sin(turn * b)),
        ]
    spread = float(a.std()) if a.max() > a.min() else float(np.concatenate([a, b]).std())
    if spread == 0:
        return []
    return [(name, a / spread, b / spread)]


def _or_nan(value: Any) -> float:
    return np.nan if value is None else float(value)
