"""Has a feature drifted, and is it noise?  The stability index (PSI), which is the information value and Jeffreys'
divergence, with its error, its bias and its law where nothing changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from infoscope.base import (
    DataError,
    DataWarning,
    ParameterError,
    check_choice,
    check_positive_int,
    check_sample_weight,
    provenance,
    warn,
)
from infoscope.base.rounding import exceeds
from infoscope.neighbors import Space, looking_at_row_order, order_test, settle_weights, target_space
from infoscope.statistics import adjust_p_values, check_n_permutations, effective_sample_size, permutation_p_value
from infoscope.statistics.units import information_unit

from .binning import Bins, make_bins
from .drift_results import StabilityIndex, StabilityTable
from .feature_columns import Feature, features_of
from .jeffreys import Joining, Shares, jeffreys, jeffreys_index, join_empty, joined, null_law, plain_shares, unit_shares
from .sample_units import WAY_OUT, Prepared, permuted_labels, prepare, seed_of

ENOUGH = 40.0  # rows expected in every bin from which the chi-square law holds: 5 % are then 5 to 5.7 %
PERMUTATIONS = 999
FEWEST_ROWS = 20  # of a sample whose order is looked at


def stability_index(
    a: Any,
    b: Any,
    *,
    bins: str = "quantile",
    n_bins: int = 10,
    edges: Any = None,
    categories: Sequence[Any] | None = None,
    empty: str = "pool",
    missing: str = "error",
    sample_weight: tuple[Any, Any] | None = None,
    n_permutations: int | None = None,
    exclusion_window: float | str | None = None,
    unit: str = "nats",
    random_state: Any = None,
) -> StabilityIndex | StabilityTable:
    """How far the shares of the bins of a feature differ between two samples: J = sum (p - q) log(p/q).

    The same number is called population stability index, information value and Jeffreys divergence.

    Parameters
    ----------
    a, b : array (N,), (N, D), series, frame or Space
        The reference and the test sample; of several columns, each by itself.  With ``bins="counts"``, the counts of
        the bins.
    bins : {"quantile", "counts"}
        Quantiles of the reference (categories, where the values are text), or counts that are given.
    n_bins : int
        Number of quantile bins; a column of fewer values has one for each.
    edges : array, optional
        Edges between bins of numbers, in place of quantiles; values on an edge belong above it.
    categories : sequence, optional
        The categories; all else is "other".
    empty : {"pool", "smooth", "error"}
        What becomes of a bin that is empty in one sample: joined to a neighbour (to the others of its kind among
        categories) where its emptiness may be chance, fewer than ten rows being expected; else, and with "smooth", 1/2
        is added to all counts.
    missing : {"error", "bin"}
        Whether missing values are refused, or are a bin of their own.
    sample_weight : pair of arrays (N,), optional
        Weights of the rows, where `a` and `b` are no Spaces with weights.
    n_permutations : int, optional
        How often labels are exchanged for the p-value; 0 for the chi-square law.  By default 999 times where fewer than
        40 rows are expected in a bin or rows are correlated, else not at all.
    exclusion_window : float or "auto", optional
        Time within which rows of a Space belong together: the length of the blocks whose labels are exchanged, and of
        which errors come; 0 says that rows are in no order.
    unit : {"nats", "bits"}
    random_state : int or Generator, optional
        Of the permutations.

    Returns
    -------
    StabilityIndex or StabilityTable
        The latter for several columns.

    Raises
    ------
    DataError
        Missing or infinite values, columns that differ, an empty bin with ``empty="error"``.
    ParameterError
        Options that do not go together.

    Notes
    -----
    The standard error is that of the delta method, of first order: where nothing changed, judge by `p_value` and
    `null_quantile`.  There J follows (1/n + 1/m) chi-square with B - 1 degrees of freedom, whatever the thresholds 0.1
    and 0.25 of folklore say.

    References
    ----------
    Jeffreys (1946), Proc. R. Soc. A 186, 453. Rao & Scott (1981), J. Am. Stat. Assoc. 76, 221 (weighted rows).

    Examples
    --------
    >>> from infoscope.measures import stability_index
    >>> found = stability_index([50, 30, 20], [40, 40, 40], bins="counts", n_permutations=0)
    >>> print(round(found.value, 6), round(found.value_se, 6), round(found.p_value, 4))
    0.1392 0.101257 0.0225
    """
    asked = ask(bins, n_bins, edges, categories, empty, missing, n_permutations, unit, random_state)
    if bins == "counts":
        if sample_weight is not None or edges is not None or categories is not None:
            raise ParameterError(
                "bins='counts' takes the counts as they are: leave sample_weight, edges and categories"
            )
        return _of_counts(a, b, asked)
    a, b = (settle_weights(one).spaces[0] if isinstance(one, Space) else one for one in (a, b))
    firsts, seconds = features_of(a, "the reference"), features_of(b, "the test sample")
    if len(firsts) == len(seconds) == 1 and firsts[0].name == "the reference":
        firsts, seconds = [firsts[0].called("the feature")], [seconds[0].called("the feature")]
    firsts, seconds, notes = match_features(firsts, seconds)
    rows = row_setting(a, b, sample_weight, exclusion_window)
    rows = look_at_order(firsts, seconds, rows, exclusion_window)
    found = index_features(firsts, seconds, rows, asked)
    record = provenance("stability_index", asked.record(), asked.seed, *(one.values for one in (*firsts, *seconds)))
    return _with(found[0], rows.warnings, notes, record) if len(found) == 1 else table_of(found, rows, notes, record)


def information_value(X: Any, y: Any, **options: Any) -> StabilityTable:
    """How well each feature tells two classes apart: the stability index of the two, column by column.

    Parameters
    ----------
    X : array (N, D), frame or Space
        Features: numbers or categories.
    y : array (N,)
        The class of every row, of two.
    **options
        Of `stability_index`; weights have one number for every row.

    Returns
    -------
    StabilityTable
        The reference is the first class in order, whose quantiles are the bins; positive weights of evidence speak
        for it.

    Raises
    ------
    DataError
        If there are not two classes, or as `stability_index` raises it.

    References
    ----------
    Kullback (1959), Information Theory and Statistics, Wiley.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.measures import information_value
    >>> g = np.random.default_rng(0)
    >>> y = g.integers(0, 2, 1000)
    >>> table = information_value(np.c_[y + g.normal(size=1000), g.normal(size=1000)], y)
    >>> table.p_adjusted.round(3) < 0.05
    array([ True, False])
    """
    labels = target_space(y, "labels")[0]
    codes = np.asarray(labels.features)[:, 0].astype(np.int64)
    if labels.label_names is None or len(np.unique(codes)) != 2:
        raise DataError(f"y has {len(np.unique(codes))} classes; the information value compares two: pick two of them, "
                        "or make one class of the others")  # fmt: skip
    whole = features_of(X, "X")
    if len(whole[0].values) != len(codes):
        raise DataError(f"X has {len(whole[0].values)} rows and y {len(codes)}: one class for every row is needed")
    given = options.pop("sample_weight", X.sample_weight if isinstance(X, Space) else None)
    window = options.pop("exclusion_window", None)
    unknown = [name for name in options if name not in _OPTIONS]
    if unknown:
        raise ParameterError(f"information_value has no option {unknown[0]!r}; there are {', '.join(_OPTIONS)}, "
                             "sample_weight and exclusion_window")  # fmt: skip
    asked = ask(**(_OPTIONS | options))
    classes = np.unique(codes)
    halves = [np.flatnonzero(codes == one) for one in classes]
    parts = [X.take(half) if isinstance(X, Space) else np.zeros(len(half)) for half in halves]
    weights = None if given is None else tuple(check_sample_weight(given, len(codes))[half] for half in halves)
    rows = row_setting(parts[0], parts[1], weights, window)
    firsts, seconds = ([one.take(half) for one in whole] for half in halves)
    rows = look_at_order(firsts, seconds, rows, window)
    found = index_features(firsts, seconds, rows, asked)
    record = provenance("information_value", asked.record(), asked.seed, codes, *(one.values for one in whole))
    named = [str(labels.label_names[code]) for code in classes]
    return table_of(found, rows, (f"reference: class {named[0]}; test sample: class {named[1]}",), record)


_OPTIONS: dict[str, Any] = dict(
    bins="quantile", n_bins=10, edges=None, categories=None, empty="pool", missing="error", n_permutations=None,
    unit="nats", random_state=None,
)  # fmt: skip


# --------------------------------------------------------------------------------------------------------------- steps
class Asked(NamedTuple):
    """What was asked for."""

    bins: str
    n_bins: int
    edges: Any
    categories: Sequence[Any] | None
    empty: str
    missing: str
    n_permutations: int | None
    unit: str
    seed: int

    def record(self) -> dict[str, Any]:
        """For the provenance."""
        return {name: value for name, value in self._asdict().items() if name != "seed"}


class RowSetting(NamedTuple):
    """What rows of both samples weigh, and which of them go together."""

    n: tuple[int, int]
    weights: tuple[np.ndarray | None, np.ndarray | None]
    prepared: Prepared | None  # where rows go together
    warnings: tuple[str, ...] = ()

    @property
    def plain(self) -> bool:
        """Whether rows are independent and weigh the same."""
        return self.prepared is None and all(weight is None for weight in self.weights)


def ask(
    bins: str = "quantile", n_bins: int = 10, edges: Any = None, categories: Sequence[Any] | None = None,
    empty: str = "pool", missing: str = "error", n_permutations: int | None = None, unit: str = "nats",
    random_state: Any = None,
) -> Asked:  # fmt: skip
    """What was asked for, once it is known to be possible."""
    check_choice(bins, "bins", ("quantile", "counts"))
    check_choice(empty, "empty", ("pool", "smooth", "error"))
    check_choice(missing, "missing", ("error", "bin"))
    information_unit(unit)
    if edges is not None and categories is not None:
        raise ParameterError("edges and categories both say what the bins are: give one of them")
    number = None if n_permutations is None else check_n_permutations(n_permutations)
    n_bins = check_positive_int(n_bins, "n_bins", 2)
    return Asked(bins, n_bins, edges, categories, empty, missing, number, unit, seed_of(random_state))


def match_features(
    firsts: list[Feature], seconds: list[Feature]
) -> tuple[list[Feature], list[Feature], tuple[str, ...]]:
    """The features of both samples in one order: by name where names say so; those in one sample only are left out."""
    names, others = ([one.name for one in many] for many in (firsts, seconds))
    if names == others or len(names) == len(others) == 1:
        return firsts, seconds, ()
    if all(many == [f"column {p}" for p in range(len(many))] for many in (names, others)):
        raise DataError(f"the reference has {len(names)} columns and the test sample {len(others)}, and they have no "
                        "names: give the same columns, or frames whose columns are matched by name")  # fmt: skip
    place = {name: p for p, name in enumerate(others)}
    common = [name for name in names if name in place]
    if not common:
        raise DataError(f"the samples share no column: the reference has {', '.join(names[:5])}, the test sample "
                        f"{', '.join(others[:5])}")  # fmt: skip
    notes = [
        f"{', '.join(lost)} left out, because only {whose} has it"
        for whose, lost in (
            ("the reference", [n for n in names if n not in place]),
            ("the test sample", [n for n in others if n not in set(names)]),
        )
        if lost
    ]
    kept = {one.name: one for one in firsts}
    return [kept[n] for n in common], [seconds[place[n]] for n in common], tuple(notes)


def row_setting(a: Any, b: Any, sample_weight: Any = None, exclusion_window: Any = None) -> RowSetting:
    """Weights and blocks of the rows: those of Spaces, or weights that are given."""
    n = len(a), len(b)
    warnings: tuple[str, ...] = ()
    prepared = None
    spaces = [isinstance(one, Space) for one in (a, b)]
    if all(spaces) and any(one.time is not None or one.run is not None for one in (a, b)):
        prepared = prepare(a, b, exclusion_window)
        warnings = prepared.warnings
        prepared = prepared if prepared.blocks is not None else None
    given = [one.sample_weight if space else None for one, space in zip((a, b), spaces, strict=True)]
    if sample_weight is not None:
        if len(sample_weight) != 2:
            raise ParameterError("sample_weight is a pair: weights of the reference and of the test sample")
        given = [None if w is None else check_sample_weight(w, m, f"sample_weight[{s}]")
                 for s, (w, m) in enumerate(zip(sample_weight, n, strict=True))]  # fmt: skip
    alike = [w if w is not None and exceeds(w.max(), w.min()) else None for w in given]
    return RowSetting(n, (alike[0], alike[1]), prepared, warnings)


def look_at_order(firsts: list[Feature], seconds: list[Feature], rows: RowSetting, exclusion_window: Any) -> RowSetting:
    """The rows, with a warning where neighbouring ones look alike though nothing was said about their order."""
    with looking_at_row_order(rows.prepared is None and exclusion_window != 0, way_out=WAY_OUT) as look:
        for features, name in ((firsts, "the reference"), (seconds, "the test sample")):
            columns = [one.values for one in features if not one.is_text and np.isfinite(one.values).all()]
            if look.active and columns and len(columns[0]) >= FEWEST_ROWS:
                look.hear(order_test(Space(np.column_stack(columns), period_check=False)), f"in {name}, ")
        return rows._replace(warnings=tuple(dict.fromkeys((*rows.warnings, *look.warnings))))


def _of_counts(a: Any, b: Any, asked: Asked) -> StabilityIndex:
    counts = []
    for values, name in ((a, "a"), (b, "b")):
        one = np.asarray(values, float)
        if one.ndim != 1 or not len(one) or not np.isfinite(one).all() or (one < 0).any() or one.sum() <= 0:
            raise DataError(f"{name} must be counts of the bins, none negative and not all zero, got {values!r}")
        counts.append(one)
    if len(counts[0]) != len(counts[1]):
        raise DataError(f"a has {len(counts[0])} bins and b {len(counts[1])}: both need the same")
    binned = Bins(tuple(f"bin {p}" for p in range(len(counts[0]))), (np.empty(0), np.empty(0)), None, len(counts[0]))
    rows = RowSetting((round(counts[0].sum()), round(counts[1].sum())), (None, None), None)
    found = _index(binned, "the counts", rows, asked, tables=(counts[0], counts[1]))
    return _with(found, (), (), provenance("stability_index", asked.record(), asked.seed, *counts))


def index_features(
    firsts: list[Feature], seconds: list[Feature], rows: RowSetting, asked: Asked
) -> list[StabilityIndex]:
    """The index of every feature."""
    how = dict(n_bins=asked.n_bins, edges=asked.edges, categories=asked.categories, missing=asked.missing)
    pairs = zip(firsts, seconds, strict=True)
    return [_index(make_bins(one, other, **how), one.name, rows, asked) for one, other in pairs]


def _index(binned: Bins, name: str, rows: RowSetting, asked: Asked, tables: Any = None) -> StabilityIndex:
    """The index of one feature whose bins are known."""
    width = len(binned.names)
    if tables is None:
        tables = [_table(binned.codes[s], width, rows, s) for s in (0, 1)]
    sums = [table if table.ndim == 1 else table.sum(axis=0) for table in tables]
    for n, sample in zip(rows.n, ("the reference", "the test sample"), strict=True):
        if n < 2:
            many = f"{n} row" if n == 1 else f"{n} rows"
            column = name if name.startswith("column ") else f"column '{name}'"
            raise DataError(f"{sample} has {many} in {column}: shares of bins, and their errors, need two at least")
    lone = np.flatnonzero((sums[0] == 0) != (sums[1] == 0))
    if asked.empty == "error" and len(lone):
        at = int(lone[0])
        lacking = "the reference" if sums[0][at] == 0 else "the test sample"
        raise DataError(f"the bin {binned.names[at]!r} of {name} is empty in {lacking}: take fewer or other bins, or "
                        "empty='pool' or 'smooth'")  # fmt: skip
    joining = join_empty(sums[0], sums[1], binned.n_ordered, asked.empty)
    shares = [_shares(table, joining, rows, s) for s, table in enumerate(tables)]
    index = jeffreys_index(shares[0], shares[1])
    scale = information_unit(asked.unit)
    lost = sum(x + y > 0 for x, y in zip(*sums, strict=True)) - len(joining.groups)
    p, quantile, law, null = _null(shares, index.value, tables, joining, binned.n_ordered, rows, asked)
    se, warnings = float(np.sqrt(index.variance)), []
    if lost and len(joining.groups) < 2:  # unlike a constant column, of which there is nothing more to know
        p, quantile, se = None, None, np.nan
        warnings.append(f"{rows.n[0]} and {rows.n[1]} rows are too few for the bins of {name}: all were joined to one, "
                        "and whether it drifted is not known; take fewer bins or more rows")  # fmt: skip
        warn(warnings[0], DataWarning)
    if joining.smoothed and asked.empty == "pool":
        warnings.append(f"a bin of {name} is empty in one sample, and not by chance: 1/2 was added to every count, and "
                        "the value grows with the number of rows")  # fmt: skip
        warn(warnings[0], DataWarning)
    names = tuple(_name_of(group, binned) for group in joining.groups)
    said = "1 bin" if lost == 1 else f"{lost} bins"
    notes = (f"{said} of {name}, empty in one sample, joined to others",) if lost else ()
    return StabilityIndex(
        name=name, value=index.value / scale, value_se=se / scale, corrected=(index.value - index.bias) / scale,
        corrected_se=se / scale, bias=index.bias / scale, p_value=p,
        null_quantile=None if quantile is None else quantile / scale, null_law=law,
        null_values=None if null is None else null / scale, bins=names, counts_reference=shares[0].counts,
        counts_test=shares[1].counts, woe=index.woe, woe_se=index.woe_se, edges=binned.edges, n_reference=rows.n[0],
        n_test=rows.n[1], n_blocks=0 if rows.prepared is None else rows.prepared.n_blocks, smoothed=joining.smoothed,
        unit=asked.unit, warnings=tuple(warnings), notes=notes,
    )  # fmt: skip


def _table(codes: np.ndarray, width: int, rows: RowSetting, sample: int) -> np.ndarray:
    """Counts of the bins (B,), or of every unit in them (G, B) where units differ."""
    weight = rows.weights[sample]
    if rows.prepared is not None:
        unit = rows.prepared.unit(sample)
        flat = np.bincount(unit * width + codes, weight, minlength=(int(unit.max()) + 1) * width)
        return flat.reshape(-1, width).astype(float)
    if rows.plain:
        return np.bincount(codes, minlength=width).astype(float)
    weight = np.ones(len(codes)) if weight is None else weight
    table = np.zeros((len(codes), width))
    table[np.arange(len(codes)), codes] = weight / weight.mean()
    return table


def _shares(table: np.ndarray, joining: Joining, rows: RowSetting, sample: int) -> Shares:
    less = joined(table, joining)
    half = 0.5 if joining.smoothed else 0.0
    if less.ndim == 1:
        return plain_shares(less + half)
    known = unit_shares(less, float(rows.n[sample]))
    if not half:
        return known
    counts = known.counts + half
    return Shares(counts, counts / counts.sum(), known.covariance)


def _name_of(group: tuple[int, ...], binned: Bins) -> str:
    names = [binned.names[bin] for bin in group]
    if len(group) > 1 and max(group) < binned.n_ordered and binned.edges is not None:
        first, last = names[0], names[-1]
        low = first.partition(" to ")[0] if " to " in first else None
        high = last.partition(" to ")[2] if " to " in last else None
        if low is not None and high is not None:
            return f"{low} to {high}"
        return f"below {high}" if high is not None else f"from {low}" if low is not None else "all"
    return " + ".join(names)


def _null(
    shares: list[Shares], value: float, tables: Any, joining: Joining, n_ordered: int, rows: RowSetting, asked: Asked
) -> tuple[float | None, float | None, str, np.ndarray | None]:
    """p-value, 95 % quantile, where they come from, and values after labels were exchanged."""
    from scipy.stats import chi2

    if len(joining.groups) < 2:
        return 1.0, 0.0, "none", None
    number = asked.n_permutations
    if number is None:
        number = 0 if _expected(shares, rows) >= ENOUGH and rows.prepared is None else PERMUTATIONS
    if number == 0:
        scale, freedom = null_law(shares[0], shares[1], plain=rows.plain)
        if scale == 0:
            return 1.0, 0.0, "chi-square", None
        return float(chi2.sf(value / scale, freedom)), float(scale * chi2.ppf(0.95, freedom)), "chi-square", None
    drawn = _exchanged(tables, rows, number, asked.seed)
    null = _values(*drawn, n_ordered, asked.empty)
    p = permutation_p_value(value, null) if rows.prepared is None else rows.prepared.p_value(value, null)
    return p, float(np.quantile(null, 0.95)), "permutations", null


def _expected(shares: list[Shares], rows: RowSetting) -> float:
    """Effective rows expected in the emptiest bin of the smaller sample where nothing changed."""
    totals = [
        one.counts.sum() if w is None else effective_sample_size(w) for one, w in zip(shares, rows.weights, strict=True)
    ]
    pooled = (shares[0].counts + shares[1].counts) / (shares[0].counts.sum() + shares[1].counts.sum())
    return float(min(totals) * pooled.min())


def _exchanged(tables: Any, rows: RowSetting, number: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Counts of the bins (P, B) of both samples, after labels of rows or of blocks were exchanged."""
    if tables[0].ndim == 1 and all((table == np.round(table)).all() for table in tables):
        first, second = (table.astype(np.int64) for table in tables)
        draws = np.random.default_rng([seed, 0]).multivariate_hypergeometric(first + second, int(first.sum()), number)
        return draws.astype(float), (first + second - draws).astype(float)
    if tables[0].ndim == 1:  # counts of weighted rows: as if each were one row
        raise ParameterError("labels cannot be exchanged between counts that are no whole numbers: n_permutations=0")
    both = np.concatenate(tables)
    of_test = np.repeat(np.array([0, 1], np.uint8), [len(table) for table in tables])
    if rows.prepared is not None:
        labels = permuted_labels(rows.prepared, number, seed)
        first_row = np.unique(rows.prepared.blocks.code, return_index=True)[1]  # type: ignore[union-attr]
        mixed = labels[:, first_row].astype(float)
    else:
        order = np.lexsort(both.T)
        mixed = np.empty((number, len(both)))
        for b in range(number):
            mixed[b, order] = np.sort(of_test)[np.random.default_rng([seed, b]).permutation(len(both))]
    tests = mixed @ both
    return both.sum(axis=0) - tests, tests


def _values(a: np.ndarray, b: np.ndarray, n_ordered: int, empty: str) -> np.ndarray:
    """The index of many tables of counts (P, B), with what is done about empty bins."""
    p, q = a / a.sum(axis=1, keepdims=True), b / b.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = ((p - q) * np.log(p / q)).sum(axis=1)
    for trial in np.flatnonzero(np.minimum(a, b).min(axis=1) <= 0):
        joining = join_empty(a[trial], b[trial], n_ordered, "pool" if empty == "error" else empty)
        half = 0.5 if joining.smoothed else 0.0
        x, y = joined(a[trial], joining) + half, joined(b[trial], joining) + half
        found[trial] = jeffreys(x / x.sum(), y / y.sum())
    return found


def _with(found: StabilityIndex, warnings, notes, record) -> StabilityIndex:
    return replace(found, provenance=record, warnings=(*warnings, *found.warnings), notes=(*notes, *found.notes))


def table_of(
    found: list[StabilityIndex], rows: RowSetting, notes: tuple[str, ...], record: Any, adjust: str = "bh"
) -> StabilityTable:
    """One table of many features, their p-values adjusted."""
    p = np.array([np.nan if one.p_value is None else one.p_value for one in found])
    return StabilityTable(
        names=tuple(one.name for one in found), features=tuple(found), p_adjusted=adjust_p_values(p, adjust),
        adjust=adjust, provenance=record, warnings=(*rows.warnings, *(text for one in found for text in one.warnings)),
        notes=(*notes, *(text for one in found for text in one.notes)),
    )  # fmt: skip
