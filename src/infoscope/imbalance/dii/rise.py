"""Which features are needed: by how much the imbalance rises without each, on rows that did not choose the weights."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from infoscope.base import DataError, Provenance, Result, provenance
from infoscope.base.checks import check_random_state
from infoscope.base.contents import choices, number, numbers, whole
from infoscope.imbalance.plan import ComparisonPlan, make_plan
from infoscope.imbalance.rank_table import LIMIT_BYTES, rank_table
from infoscope.neighbors import content_ranks, items_of, refuse_weights, target_space
from infoscope.statistics import adjust_p_values, level_of_one, say_detection_limit

from .cross_fit import CrossFit, cross_fit_plan, detectable_rise, judge_rises
from .objective import Objective, make_objective
from .optimise import minimise
from .softmax import Bandwidth
from .value_and_grad import check_admissible, settled_k, source_space
from .without import sums_without

NEEDED = 0.05
OF_FEATURES = ("rise", "rise_se", "p_value", "p_adjusted", "detection_limit", "degrees", "standard_weights")


@dataclass(frozen=True, kw_only=True, eq=False)
class DIIRise(Result):
    """By how much the imbalance towards a target rises without each feature, or group of features.

    Attributes
    ----------
    name_a, name_b : str
        Names of the data and of the target.
    names : tuple of str
        Names of the features or groups.
    rise, rise_se : array (G,)
        Rise of the imbalance on rows that did not choose the weights, and its standard error.
    p_value, p_adjusted : array (G,)
        Of "the imbalance does not rise", one-sided; adjusted for their number.
    detection_limit : array (G,)
        The rise up to which a feature would not be among those that are needed, beside others that are not; NaN of one
        that got no weight.
    degrees : array (G,)
        Degrees of freedom of the errors.
    dii, dii_se : float
        Imbalance with all features, on the same rows.
    standard_weights : array (G,)
        Mean of the two fits, in units of standard deviations; the largest is 1.
    k, n_blocks, n_items : int
        Neighbours of the bandwidth; blocks of rows behind the errors; rows.
    exclusion_window : float
        Rows of a run within this time were no neighbours, and did not judge what the other had chosen.
    adjust : str
        How p-values were adjusted.
    """

    name_a: str
    name_b: str
    names: tuple[str, ...]
    rise: np.ndarray
    rise_se: np.ndarray
    p_value: np.ndarray
    p_adjusted: np.ndarray
    detection_limit: np.ndarray
    degrees: np.ndarray
    dii: float
    dii_se: float
    standard_weights: np.ndarray
    k: int = 0
    n_blocks: int = 0
    n_items: int = 0
    exclusion_window: float = 0.0
    adjust: str = "bh"
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {
        **{name: numbers("names") for name in OF_FEATURES},
        "dii": number(),
        "dii_se": number(),
        "k": whole(),
        "n_blocks": whole(),
        "n_items": whole(),
        "adjust": choices("bh", "by", "holm", "bonferroni"),
    }

    _references = ("differentiable_imbalance", "benjamini_hochberg")

    @property
    def needed(self) -> list[str]:
        """Names of the features without which the imbalance rises, at a level of 5 % for all of them."""
        return [name for name, p in zip(self.names, self.p_adjusted, strict=True) if p <= NEEDED]

    @property
    def _limit(self) -> str:
        limits = self.detection_limit[np.isfinite(self.detection_limit)]
        if not len(limits):
            return "none got a weight"
        return say_detection_limit(float(np.median(limits)), "of half of them a rise")

    def _rows(self) -> list[dict[str, Any]]:
        rows = [
            dict(feature=name, rise=float(r), rise_se=float(se), p_value=float(p), p_adjusted=float(q), weight=float(w))
            for name, r, se, p, q, w in zip(
                self.names, self.rise, self.rise_se, self.p_value, self.p_adjusted, self.standard_weights, strict=True
            )
        ]
        return sorted(rows, key=lambda row: -row["rise"])

    @property
    def _title(self) -> str:
        return f"What {self.name_a} loses about {self.name_b} without each feature (N = {self.n_items}, k = {self.k})"

    @property
    def _estimates(self) -> list[Any]:
        return []

    @property
    def verdict(self) -> str:
        """One sentence: which features cannot be done without, and what that does not say of the others."""
        if not self.needed:
            return (
                f"No single feature of {self.name_a} is needed for {self.name_b}: it tells nothing, or what one tells "
                f"others tell as well; {self._limit}."
            )
        shown = ", ".join(self.needed[:6]) + (", ..." if len(self.needed) > 6 else "")
        return (
            f"Without {shown} less is known of {self.name_b}; features that can replace each other are not among "
            "these, unless groups= tests them together."
        )


def dii_rise(
    X: Any,
    target: Any,
    *,
    groups: Any = None,
    k: int | None = None,
    lambda_factor: float = 0.1,
    period: Any = None,
    target_kind: str = "auto",
    time: Any = None,
    run: Any = None,
    exclusion_window: float | str | None = None,
    adjust: str = "bh",
    random_state: Any = 0,
    max_table_bytes: int | None = LIMIT_BYTES,
    n_jobs: int | None = None,
) -> DIIRise:
    """Test which features the imbalance needs: weights from one half of the rows, what they are worth from the other.

    The rows are cut into two halves, one behind the other in time where there is a time.  Each half finds weights that
    minimise the Differentiable Information Imbalance; on the other the imbalance is taken with all features, and with
    the weight of each set to zero.  Its error knows that pairs of rows share blocks of rows, and Student's law
    says whether it is above zero.

    Parameters
    ----------
    X : Space, array (N, D), frame, or list of (T_i, D) arrays
        Features; each is divided by its standard deviation.
    target : Space, array, frame, labels or distances
        What they should tell.
    groups : sequence, optional
        One label a column: columns with one label share a weight, and are left out together.
    k : int, optional
        Neighbours of the bandwidth; one in a hundred rows by default, at least three.
    lambda_factor : float
        What multiplies the k-th squared distance.
    period : float, sequence or dict, optional
        Periods of the columns, in their units.
    target_kind : {"auto", "features", "labels", "distances"}
        What `target` is.
    time, run : array (N,), optional
        Of the rows, where X is no `Space` that carries them.
    exclusion_window : float, "auto" or None
        Rows of a run within this time are no neighbours.  None means "auto" (two correlation times) for series, else 0.
    adjust : {"bh", "by", "holm", "bonferroni"}
        How p-values are adjusted for the number of features.
    random_state : int, Generator or None
        Which rows are in which half, where rows are in no order.
    max_table_bytes : int or None
        Limit of the rank table.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    DIIRise

    Raises
    ------
    DataError
        NaN, different numbers of rows, weights, fewer than forty rows, a window too wide for two halves.
    ParameterError
        Options that make no sense.

    Notes
    -----
    A weight is no test: where nothing is told, the largest is one all the same.

    References
    ----------
    Wild, Wodaczek, Del Tatto, Cheng, Laio, Nature Communications 16, 270 (2025): the imbalance.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.imbalance import dii_rise
    >>> x = np.random.default_rng(0).normal(size=(400, 4))
    >>> found = dii_rise(x, x[:, 0] + x[:, 2] ** 2)
    >>> found.needed
    ['column 0', 'column 2']
    """
    space = refuse_weights(source_space(X, period=period, time=time, run=run), "this test counts every row once")
    goal, notes = target_space(target, target_kind)
    plan = make_plan([space, goal], exclusion_window=exclusion_window, n_jobs=n_jobs)
    plan.note(*notes)
    plan.look_at_order()
    number_of_neighbors = settled_k(k, len(plan.spaces[0]))
    check_admissible(plan.spaces[0], 2 * number_of_neighbors, plan.admissibility)
    fold = _parts(plan, check_random_state(random_state))
    bandwidth = Bandwidth("point", number_of_neighbors, lambda_factor)
    whole_sample, standard = make_objective(plan, bandwidth, groups, limit_bytes=max_table_bytes)
    sets = [np.flatnonzero(whole_sample.groups == group) for group in range(whole_sample.n_weights)]
    weights, judged = [], []
    for part in fold.parts:
        half = _objective_of(plan, whole_sample, part.seen, max_table_bytes)
        chosen = minimise(half, show=False).weights
        if not np.isfinite(chosen).all():
            raise DataError(
                f"the weights of {space.name} are not finite: columns hold values so close to each other beside others "
                "far away that their squared differences vanish; take logarithms or ranks of such columns"
            )
        weights.append(chosen / chosen.max())
        rows = sums_without(
            whole_sample.space,
            whole_sample.table.take(part.judged),
            chosen[whole_sample.groups],
            sets,
            blocks=fold.blocks,
            n_blocks=fold.n_blocks,
            k=number_of_neighbors,
            lambda_factor=lambda_factor,
            queries=part.judged,
            admissibility=plan.admissibility,
            n_jobs=n_jobs,
        )
        judged.append(rows)
    found = judge_rises(judged)
    level = level_of_one(len(found.rise), NEEDED, adjust)
    fields = plan.fields()
    parameters = dict(k=number_of_neighbors, lambda_factor=lambda_factor, exclusion_window=plan.exclusion_window)
    return DIIRise(
        name_a=str(space.name),
        name_b=str(goal.name),
        names=_names(plan, standard.columns, groups, sets),
        p_adjusted=adjust_p_values(found.p_value, adjust),
        detection_limit=detectable_rise(found.rise_se, found.degrees, level),
        **found._asdict(),
        standard_weights=np.mean(weights, axis=0),
        k=number_of_neighbors,
        n_blocks=fold.n_blocks,
        n_items=len(plan.spaces[0]),
        exclusion_window=float(plan.exclusion_window),
        adjust=adjust,
        warnings=fields["warnings"],
        notes=fields["notes"],
        provenance=provenance(
            "dii_rise", parameters, random_state, *(one.features for one in (plan.spaces[0], plan.spaces[1]))
        ),
    )


# --------------------------------------------------------------------------------------------------------------- steps
def _parts(plan: ComparisonPlan, generator: np.random.Generator) -> CrossFit:
    """Halves of the time; of rows in no order, halves that their contents and the seed decide."""
    items = items_of(plan.spaces[0])
    if not plan.ordered:
        shuffled = generator.permutation(len(items.numbers)).astype(float)
        items = items._replace(time=shuffled[content_ranks(plan.spaces)])
    return cross_fit_plan(plan, items)


def _objective_of(plan: ComparisonPlan, whole_sample: Objective, rows: np.ndarray, limit_bytes) -> Objective:
    """The same for some of the rows, in the units of all, with as large a share of neighbours."""
    part = plan.take(rows, blocks=None, standard_error="graph", silent=True)
    table = rank_table(part.spaces[1], n_jobs=plan.n_jobs, limit_bytes=limit_bytes, admissibility=part.admissibility)
    k = max(1, round(whole_sample.bandwidth.k / 2))
    return replace(
        whole_sample,
        space=whole_sample.space.take(rows),
        table=table,
        bandwidth=replace(whole_sample.bandwidth, k=k),
        admissibility=part.admissibility,
    )


def _names(plan: ComparisonPlan, columns: np.ndarray, groups: Any, sets: list[np.ndarray]) -> tuple[str, ...]:
    space = plan.spaces[0]
    if groups is None:
        return tuple(space.column_name(int(a)) for a in columns)
    labels = np.asarray(groups)[columns]
    return tuple(str(labels[one[0]]) for one in sets)
