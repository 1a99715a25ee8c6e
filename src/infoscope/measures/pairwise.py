"""Which columns share something with which: all pairs of a table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from infoscope.base import DataError, DataWarning, ParameterError, progress, provenance, warn
from infoscope.base.array_types import Floats
from infoscope.base.checks import check_choice, check_positive_int, check_random_state
from infoscope.base.rounding import order_of
from infoscope.neighbors import Space, as_space, is_series
from infoscope.statistics import Null, adjust_p_values, check_n_permutations
from infoscope.statistics.units import information_unit

from .estimates import Recipe, estimate, part_order, settle_null
from .joint_sample import STRAIGHT, JointSample, check_enough, joint_sample, rank_normal
from .pairwise_results import InformationMatrix
from .sizes import MOST_PARTS, size_curve

METHODS = ("copula", "ksg", "screen-then-ksg")
SHUFFLES = 199  # of the null that pairs without ties share


def pairwise_mutual_information(
    frame: Any,
    *,
    method: str = "screen-then-ksg",
    n_refine: int = 1000,
    k: int = 3,
    se: bool = True,
    n_permutations: int | None = None,
    unit: str = "nats",
    exclusion_window: float | str | None = None,
    neighbors_from: str | None = None,
    random_state: Any = 0,
    n_jobs: int | None = None,
) -> InformationMatrix:
    """How much does every column share with every other?

    Parameters
    ----------
    frame : array (N, P), frame or Space
        Columns of real numbers; of a Space, periodic ones too (except for a copula).
    method : {"copula", "ksg", "screen-then-ksg"}
        A Gaussian copula for all pairs, in one matrix product: it sees what is monotone; neighbours for all pairs; or
        neighbours for the `n_refine` pairs in which the copula sees most.
    n_refine : int
        Pairs to refine.
    k : int
        Neighbours.
    se : bool
        Whether standard errors are computed, from ten disjoint parts of the rows.
    n_permutations : int, optional
        Shuffled samples for p-values.  None: 199 for neighbours, none for a copula, whose correlation of normal scores
        has a test of its own, and none where rows follow each other.
    unit : {"nats", "bits"}
        Of the answer.
    exclusion_window, neighbors_from, random_state, n_jobs
        As for `mutual_information`.

    Returns
    -------
    InformationMatrix

    Raises
    ------
    DataError
        Fewer than two columns, too few rows, NaN.
    ParameterError
        Unknown words, periodic columns for a copula.

    References
    ----------
    Kraskov, Stoegbauer, Grassberger, Phys. Rev. E 69, 066138 (2004), Eq. (8).  Benjamini, Hochberg, J. R. Stat. Soc. B
    57, 289 (1995).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope import pairwise_mutual_information
    >>> x = np.random.default_rng(0).normal(size=(500, 4))
    >>> x[:, 2] = x[:, 0] ** 2 + 0.3 * x[:, 2]
    >>> found = pairwise_mutual_information(x)
    >>> found.names[found.pairs()[0][0]], found.names[found.pairs()[0][1]], int(found.significant.sum() // 2)
    ('column 0', 'column 2', 1)
    """
    check_choice(method, "method", METHODS)
    scale = information_unit(unit)
    check_positive_int(n_refine, "n_refine", 1)
    generator = check_random_state(random_state)
    table = _read(frame, method, exclusion_window, neighbors_from, n_jobs)
    if method != "copula":
        check_enough(len(table.sample), check_positive_int(k, "k", 1))
    if n_permutations is not None:
        check_n_permutations(n_permutations)
    count = len(table.names)
    value, error, p = (np.full((count, count), np.nan) for _ in range(3))
    refined = np.zeros((count, count), bool)
    if method != "ksg":
        _copula(table, value, error, p, se, n_permutations, generator)
    pairs = _pairs_to_count(method, value, n_refine)
    if len(pairs):
        _count(table, pairs, k, se, n_permutations, generator, value, error, p)
        refined[pairs[:, 0], pairs[:, 1]] = refined[pairs[:, 1], pairs[:, 0]] = True
    for a in np.flatnonzero(table.constant):  # exactly nothing
        value[a], value[:, a], error[a], error[:, a] = 0.0, 0.0, 0.0, 0.0
        p[a], p[:, a], value[a, a], error[a, a], p[a, a] = 1.0, 1.0, np.nan, np.nan, np.nan
    upper = np.triu_indices(count, 1)
    known = bool(np.isfinite(p[upper]).any())
    adjusted = np.full_like(p, np.nan)
    adjusted[upper] = adjust_p_values(p[upper]) if known else np.nan
    adjusted[upper[1], upper[0]] = adjusted[upper]
    parameters = dict(
        method=method, n_refine=n_refine, k=k, se=se, n_permutations=n_permutations, unit=unit,
        exclusion_window=exclusion_window, neighbors_from=neighbors_from,
    )  # fmt: skip
    space = table.sample.spaces[0]
    return InformationMatrix(
        names=table.names,
        value=value / scale,
        value_se=error / scale,
        p_value=p if known else None,
        p_value_adjusted=adjusted if known else None,
        refined=refined,
        method=method,
        unit=unit,
        k=k,
        n_items=len(table.sample),
        warnings=tuple(dict.fromkeys((*table.warnings, *table.sample.warnings))),
        notes=tuple(dict.fromkeys(table.sample.notes)),
        provenance=provenance(
            "pairwise_mutual_information", parameters, random_state, table.columns, space.time, space.run
        ),
    )


# --------------------------------------------------------------------------------------------------------------- steps
@dataclass(frozen=True, eq=False)
class Table:
    """Columns made ready: normal scores of those on a line, angles as they are."""

    columns: Floats
    period: Floats
    names: tuple[str, ...]
    constant: np.ndarray
    tied: np.ndarray  # columns in which values repeat
    sample: JointSample  # of all of them, for what times and runs ask
    warnings: tuple[str, ...]

    def pair(self, a: int, b: int) -> JointSample:
        """Two columns as two spaces."""
        about = self.sample.spaces[0].about_items(ids=False)
        spaces = [
            Space(self.columns[:, [c]], period=[self.period[c]], period_check=False, name=self.names[c], **about)
            for c in (a, b)
        ]
        return replace(self.sample, spaces=tuple(spaces), scores=None, marginals=(None, None), constant=(False, False))


def _read(frame: Any, method: str, window: Any, neighbors_from: str | None, n_jobs: int | None) -> Table:
    space = as_space(frame, name="the table")
    if space.metric not in STRAIGHT or space.backend != "numpy":
        raise ParameterError(
            f"pairs of columns need columns of numbers in NumPy arrays, not metric {space.metric!r} in {space.backend}"
        )
    if space.n_features < 2:
        raise DataError(f"{space.name} has one column: pairs need two at least")
    if space.period.any() and method != "ksg":
        a = int(np.flatnonzero(space.period)[0])
        raise ParameterError(
            f"method={method!r} needs columns on a line, and {space.column_name(a)} is periodic: take 'ksg', or give "
            "cos and sin of it as two columns"
        )
    raw = np.asarray(space.features, np.float64)
    constant = raw.min(0) == raw.max(0)
    names = tuple(space.column_name(a) for a in range(space.n_features))
    warnings: tuple[str, ...] = ()
    if constant.any():
        listed = ", ".join(names[a] for a in np.flatnonzero(constant)[:5])
        warnings = (f"{constant.sum()} constant column(s) share exactly nothing: {listed}",)
        warn(warnings[0], DataWarning)
    sample = joint_sample({"the table": space}, exclusion_window=window, neighbors_from=neighbors_from, n_jobs=n_jobs)
    raw = np.asarray(sample.spaces[0].features, np.float64)  # rows of weight zero are no rows
    columns = np.where(space.period > 0, raw, rank_normal(raw))
    ordered = np.sort(raw, axis=0)
    return Table(columns, space.period, names, constant, (ordered[1:] == ordered[:-1]).any(0), sample, warnings)


def _pairs_to_count(method: str, value: Floats, n_refine: int) -> np.ndarray:
    first, second = np.triu_indices(len(value), 1)
    pairs = np.stack([first, second], axis=1)
    if method == "copula":
        return pairs[:0]
    return pairs if method == "ksg" else pairs[order_of(-value[first, second])[:n_refine]]


# -------------------------------------------------------------------------------------------------------------- copula
def _copula(table: Table, value: Floats, error: Floats, p: Floats, se: bool, n_permutations: int | None,
            generator: np.random.Generator) -> None:  # fmt: skip
    """Every pair from correlations of normal scores: one product, and one for every part and every shuffle."""
    columns, n = table.columns, len(table.sample)
    value[:] = copula_matrix(columns)
    if se:
        order, dealt = part_order(table.sample, generator)
        spread, weight = np.zeros_like(value), 0
        for parts in range(2, MOST_PARTS + 1):
            cut = [order[q::parts] for q in range(parts)] if dealt else np.array_split(order, parts)
            if min(map(len, cut)) < 4:
                break
            found = np.array([copula_matrix(rank_normal(columns[rows])) for rows in cut])
            spread += (parts - 1) / parts * found.var(0, ddof=1)
            weight += parts - 1
        error[:] = np.sqrt(spread / weight) if weight else np.nan
    if n_permutations:
        null = settle_null(table.sample, "auto")
        beaten = np.zeros_like(value)
        for _ in range(n_permutations):
            moved = np.stack([column[null.shuffle(generator)] for column in columns.T], axis=1)
            beaten += copula_matrix(moved) >= value
        p[:] = null.p_of_count(beaten, n_permutations)
    elif not is_series(table.sample.spaces[0]):
        from scipy.special import stdtr

        r = _correlations(columns)
        with np.errstate(divide="ignore"):
            t = np.abs(r) * np.sqrt((n - 2) / np.maximum(1 - r**2, 0))
        p[:] = 2 * stdtr(n - 2, -t)
    for one in (value, error, p):
        np.fill_diagonal(one, np.nan)


def copula_matrix(scores: Floats) -> Floats:
    """``-(1/2) log(1 - r^2)`` of every pair, without its bias: that of `gaussian_information` for 1 + 1 columns."""
    from scipy.special import digamma

    n, r = len(scores), _correlations(scores)
    np.fill_diagonal(r, 0.0)
    with np.errstate(divide="ignore"):
        found = -0.5 * np.log1p(-(r**2))
    return np.asarray(found + 0.5 * (digamma((n - 2) / 2) - digamma((n - 1) / 2)))


def _correlations(scores: Floats) -> Floats:
    centred = scores - scores.mean(0)
    length = np.sqrt((centred**2).sum(0))
    centred = centred / np.where(length > 0, length, 1.0)
    return np.clip(centred.T @ centred, -1.0, 1.0)


# ---------------------------------------------------------------------------------------------------------- neighbours
def _count(table: Table, pairs: np.ndarray, k: int, se: bool, n_permutations: int | None,
           generator: np.random.Generator, value: Floats, error: Floats, p: Floats) -> None:  # fmt: skip
    """Some pairs by neighbours.

    Normal scores of untied columns are the same numbers in some order, so that under "nothing is shared" all such pairs
    have one law: one set of shuffles serves them.
    """
    ordered = table.sample.ordered
    draws = (0 if ordered else SHUFFLES) if n_permutations is None else n_permutations
    alone = table.tied | (table.period > 0)
    shared: tuple[Null, Floats] | None = None
    with progress(len(pairs), "pairs") as bar:
        for a, b in pairs:
            bar.update(1)
            if table.constant[a] or table.constant[b]:
                continue
            sample = table.pair(int(a), int(b))
            found = estimate(sample, Recipe("auto", k))
            value[a, b] = value[b, a] = found.value
            if se:
                seed = int(generator.integers(2**31))
                error[a, b] = error[b, a] = _error_of(sample, found.value, found.recipe, seed)
            if not draws:
                p[a, b] = p[b, a] = np.nan
                continue
            own = ordered or alone[a] or alone[b]
            drawn = _null(sample, found.recipe, draws, generator) if own or shared is None else shared
            shared = shared if own else drawn
            p[a, b] = p[b, a] = drawn[0].p_value(found.value, drawn[1])


def _error_of(sample: JointSample, value: float, recipe: Recipe, seed: int) -> float:
    order, dealt = part_order(sample, np.random.default_rng(seed))
    return size_curve(
        lambda rows: estimate(sample.take(rows), recipe).value,
        order,
        fewest=2 * (recipe.k + 1),
        dealt=dealt,
        whole=value,
    ).standard_error


def _null(sample: JointSample, recipe: Recipe, draws: int, generator: np.random.Generator) -> tuple[Null, Floats]:
    null = settle_null(sample, "auto")
    return null, np.array([estimate(sample.shuffled(1, null.shuffle(generator)), recipe).value for _ in range(draws)])
