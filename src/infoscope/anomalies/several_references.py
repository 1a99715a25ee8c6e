"""One test sample against several references: anomalous against all of them, or against any."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.base import clone

from infoscope.base import DataError, ParameterError, Provenance, Result, check_choice, provenance
from infoscope.base.contents import choices, flags, numbers, whole
from infoscope.base.rounding import exceeds

from .anomaly import DensityAnomaly
from .multiple_testing import above, adjusted_p_values
from .result import Anomalies


@dataclass(frozen=True, kw_only=True, eq=False)
class ManyReferences(Result):
    """One test sample against several references; what `compare_many` returns.

    Attributes
    ----------
    mode : {"all", "any"}
        Points that are anomalous against every reference (intersection-union: the largest p-value, valid under any
        dependence), or against at least one (the smallest, times the number of references).
    p_values, adjusted : array (M,)
        Of the excess at every test row; the latter for the number of rows.
    flagged : array (M,) of bool
    results : dict of Anomalies
        Against each reference alone.
    explained : array (R, C)
        For every region of the first reference's over side, and every other reference: the share of its recovered
        points that the first reference would flag as points of that other one: what the references differ in.
    control, alpha : str, float
    """

    mode: str
    p_values: np.ndarray = field(repr=False)
    adjusted: np.ndarray = field(repr=False)
    flagged: np.ndarray = field(repr=False)
    results: dict[str, Anomalies] = field(repr=False)
    explained: np.ndarray = field(repr=False)
    n_test: int
    control: str
    alpha: float
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {
        "mode": choices("all", "any"),
        "n_test": whole(1),
        "p_values": numbers("n_test"),
        "adjusted": numbers("n_test"),
        "flagged": flags("n_test"),
        "explained": numbers("R", "C"),
    }
    _references = ("eagleeye",)

    @property
    def _title(self) -> str:
        return f"Test points against {len(self.results)} references (N = {self.n_test})"

    @property
    def verdict(self) -> str:
        """One sentence."""
        which = "every reference" if self.mode == "all" else "at least one reference"
        return (f"{int(self.flagged.sum())} of {self.n_test} test points stand out against {which} "
                f"({len(self.results)} references, level {self.alpha:g}).")  # fmt: skip

    def _rows(self) -> list[dict[str, Any]]:
        rows = [{"reference": name, "flagged": found.over.n_flagged if found.over else 0,
                 "regions": len(found.over.established) if found.over else 0, "threshold": found.over.threshold
                 if found.over else np.nan} for name, found in self.results.items()]  # fmt: skip
        return [*rows, {"reference": self.mode, "flagged": int(self.flagged.sum())}]


def compare_many(references, Y_test, *, mode: str = "all", estimator: DensityAnomaly | None = None) -> ManyReferences:
    """Compare a test sample with several references.

    Parameters
    ----------
    references : mapping or sequence of arrays, frames or Spaces
        At least two.
    Y_test : array (M, D), frame or Space
        The test sample.
    mode : {"all", "any"}
        Excess against every reference, or against at least one.
    estimator : DensityAnomaly, optional
        The settings (control "fdr", "fdr_by" or "fpr").

    Returns
    -------
    ManyReferences

    Raises
    ------
    DataError, ParameterError
        Fewer than two references; a control that rests on permutations.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.anomalies import compare_many
    >>> g = np.random.default_rng(0)
    >>> one, two, test = (g.normal(size=(1000, 2)) for _ in range(3))
    >>> test[:60] = 2.5 + 0.1 * g.normal(size=(60, 2))
    >>> found = compare_many([one, two], test)
    >>> bool(found.flagged[:60].mean() > 0.9)
    True
    """
    check_choice(mode, "mode", ("all", "any"))
    given = dict(references) if isinstance(references, Mapping) else {f"reference {i}": r for i, r in
                                                                      enumerate(references)}  # fmt: skip
    if len(given) < 2:
        raise DataError(f"compare_many needs at least two references, got {len(given)}: for one use DensityAnomaly")
    settings = DensityAnomaly() if estimator is None else estimator
    if settings.control == "fwer" or settings.side == "under":
        raise ParameterError("compare_many joins p-values of single points of the excess: control must be 'fdr', "
                             "'fdr_by' or 'fpr', and side 'over' or 'both'")  # fmt: skip
    fitted = {str(name): clone(settings).fit(reference, Y_test) for name, reference in given.items()}
    results = {name: model.result_ for name, model in fitted.items()}
    control = next(iter(results.values())).control
    if control == "fwer":
        raise ParameterError("the samples have runs or times: p-values of single points assume independent rows; "
                             "compare each reference alone")  # fmt: skip
    each = np.array([found.over.p_values[found.n_reference :] for found in results.values()])
    p = each.max(axis=0) if mode == "all" else np.minimum(each.min(axis=0) * len(each), 1.0)
    adjusted = adjusted_p_values(p, control)
    warnings = [f"{name}: {text}" for name, found in results.items() for text in found.warnings]
    return ManyReferences(
        mode=mode,
        p_values=p,
        adjusted=adjusted,
        flagged=~exceeds(adjusted, settings.alpha),
        results=results,
        explained=_explained(settings, given, fitted),
        n_test=len(p),
        control=control,
        alpha=float(settings.alpha),
        provenance=provenance("compare_many", settings.get_params() | {"mode": mode}, settings.random_state, each),
        warnings=tuple(dict.fromkeys(warnings)),
    )


# --------------------------------------------------------------------------------------------------------------- steps
def _explained(settings: DensityAnomaly, references: dict, fitted: dict[str, DensityAnomaly]) -> np.ndarray:
    """Share of each region's points with a score above the threshold when the other reference is the test sample."""
    names = list(fitted)
    first = fitted[names[0]]
    found = first.result_
    regions = () if found.over is None else found.over.resolved
    shares = np.full((len(regions), len(names) - 1), np.nan)
    if not regions:
        return shares
    rows = [region.anomalous_rows + found.n_reference for region in regions]
    points = found.space.take(np.concatenate(rows))
    ends = np.cumsum([len(part) for part in rows])[:-1]
    one, *others = references.values()
    for column, other in enumerate(others):
        between = clone(settings).set_params(side="over", equalise=False, n_permutations=None).fit(one, other)
        flagged = above(between.score_samples(points), between.result_.over.threshold)
        shares[:, column] = [part.mean() for part in np.split(flagged, ends)]
    return shares
