"""Sliced Wasserstein distance: transport along many directions, with the error of both rows and directions."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from infoscope.base import DataError, ParameterError, available_threads, check_positive_int, provenance
from infoscope.base.rounding import first_lowest
from infoscope.statistics import check_n_permutations

from .directions import around_first_axis, orthonormal_blocks, turned
from .distance_results import SlicedWasserstein
from .frechet import parts_of, refuse_angles
from .line_transport import add_potential, exchanged_costs, sorted_with_mass, transport
from .mmd import about
from .sample_units import Prepared, features_weighted, permuted_labels, prepare, seed_of

PARTITIONS, FEWEST_ROWS = 4, 16  # into halves, for the bias
STEPS, SHRINK, SMALLEST = 40, 0.5, 1e-3  # of the ascent to the best centre of concentrated directions
NULL_STEPS = 10  # after labels were exchanged


def sliced_wasserstein(
    a: Any,
    b: Any,
    *,
    p: float = 2.0,
    n_directions: int = 100,
    directions: Any = None,
    concentration: float | None = None,
    extrapolate: bool = True,
    n_permutations: int = 0,
    exclusion_window: float | str | None = None,
    random_state: Any = None,
    n_jobs: int | None = None,
) -> SlicedWasserstein:
    """SW_p = (mean over directions theta of W_p^p between theta.a and theta.b)^(1/p).

    Parameters
    ----------
    a, b : array (N, D), frame, list of arrays (runs) or Space
        The reference and the test sample; weights of a Space count.
    p : float
        Order, at least 1.
    n_directions : int
        How many directions at least: whole random orthonormal bases.
    directions : array (L, D), optional
        Directions that are given; they are scaled to length 1.
    concentration : float, optional
        Directions gather around one, with density exp(kappa theta.centre) on the sphere, and the centre is where the
        distance is largest: 0 is the plain distance, infinity would be the largest one over all directions.
    extrapolate : bool
        Whether the bias of the power, about c/N, is measured by halves and left out of `corrected`.
    n_permutations : int
        How often labels are exchanged for a p-value (with `concentration`, the centre is sought anew each time).
    exclusion_window : float or "auto", optional
        Time within which rows of a Space belong together: the length of blocks; 0 says that rows are in no order.
    random_state : int or Generator, optional
        Of directions and permutations.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    SlicedWasserstein

    Raises
    ------
    DataError, ParameterError
        Columns that differ, NaN, too few rows, periodic columns or another metric than the Euclidean one.

    Notes
    -----
    The error of the rows is of first order: the mean over directions of the potentials of optimal transport is what a
    row adds.  That of the directions comes from their blocks.

    References
    ----------
    Bonneel et al., J. Math. Imaging Vis. 51, 22 (2015). Nguyen et al., arXiv 2301.04791: concentrated directions.
    Villani, Topics in Optimal Transportation, ch. 2 (2003): order on a line, potentials.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.measures import sliced_wasserstein
    >>> x = np.random.default_rng(0).normal(size=(300, 4))
    >>> found = sliced_wasserstein(x, x + [2, 0, 0, 0], random_state=0)   # exact: 2 / sqrt(4)
    >>> round(found.value, 6), found.top_features[0]
    (1.0, 'column 0')
    """
    if isinstance(p, bool) or not np.isfinite(p) or p < 1:
        raise ParameterError(f"p is {p!r}; it must be a number >= 1")
    number, seed = check_n_permutations(n_permutations), seed_of(random_state)
    check_positive_int(n_directions, "n_directions", 1)
    prepared = prepare(a, b, exclusion_window)
    for space in (prepared.samples.reference, prepared.samples.test):
        refuse_angles(space, "a sliced Wasserstein distance")
    space = prepared.samples.space
    blocks = _blocks_of_directions(space.n_features, n_directions, directions, concentration, seed)
    options = dict(p=p, n_directions=n_directions, directions=directions, concentration=concentration,
                   extrapolate=extrapolate, n_permutations=number, exclusion_window=exclusion_window)  # fmt: skip
    record = provenance("sliced_wasserstein", options, seed, prepared.samples.reference.features,
                        prepared.samples.test.features)  # fmt: skip
    names = tuple(space.column_name(c) for c in range(space.n_features))
    shared: dict[str, Any] = dict(p=float(p), concentration=concentration, feature_names=names, provenance=record,
                                  **about(prepared))  # fmt: skip
    if prepared.same_rows:
        profile = np.zeros(sum(map(len, blocks)))
        zero: dict[str, Any] = dict.fromkeys(("value", "power", "corrected"), 0.0)
        errors: dict[str, Any] = {f"{name}_se": 0.0 for name in (*zero, "power_rows", "power_directions")}
        return SlicedWasserstein(**zero, **errors, profile=profile, top_direction=np.zeros(space.n_features),
                                 p_value=1.0 if number else None, **shared)  # fmt: skip
    lines = Lines(prepared, float(p), n_jobs)
    centre = None
    if concentration is not None and space.n_features > 1:
        seeking, blocks = blocks, around_first_axis(space.n_features, concentration, n_directions, _generator(seed, 12))
        centre = best_centre(lines, seeking, lines.mean_difference(lines.labels), lines.labels, STEPS)
        fresh, blocks = blocks, [turned(block, centre) for block in blocks]
    found = lines.measure(blocks, lines.labels)
    power, top = found.mean, centre
    if top is None:
        at = first_lowest(-found.profile)
        top = np.concatenate(blocks)[at]
    rows_se = float(np.sqrt(sum(prepared.variance(label, part) for label, part in enumerate(found.influence))))
    blind = directions is not None or len(blocks) < 2
    directions_se = 0.0 if blind else float(np.std(found.block_means, ddof=1) / np.sqrt(len(blocks)))
    se = float(np.hypot(rows_se, directions_se))
    value = power ** (1 / p)
    null = None
    if number:
        arrangements = permuted_labels(prepared, number, seed)
        means = lines.null(blocks, arrangements) if centre is None else lines.null_of_best(seeking, fresh, arrangements)
        null = means ** (1 / p)
    corrected, corrected_se = power, se
    if extrapolate:
        corrected, more = _without_bias(lines, blocks, prepared, power, seed)
        corrected_se = float(np.sqrt(se**2 + more))
    return SlicedWasserstein(
        value=float(value), value_se=float(se / (p * value ** (p - 1))) if value > 0 else 0.0, power=power, power_se=se,
        corrected=corrected, corrected_se=corrected_se,
        power_rows_se=rows_se, power_directions_se=directions_se, profile=found.profile, top_direction=_facing(top),
        **({} if null is None else prepared.tested(float(value), null)), **shared,
    )  # fmt: skip


# --------------------------------------------------------------------------------------------------------------- steps
class Profile(NamedTuple):
    """W_p^p along every direction, the means of the blocks of directions, and what every row adds."""

    profile: np.ndarray
    block_means: np.ndarray
    influence: tuple[np.ndarray, np.ndarray]
    gradient: np.ndarray  # (L, D) of W_p^p by the direction

    @property
    def mean(self) -> float:
        return float(self.profile.mean())


class Lines:
    """Rows of both samples, projected onto directions a block at a time."""

    def __init__(self, prepared: Prepared, p: float, n_jobs: int | None) -> None:
        self.x, self.p, self.threads = features_weighted(prepared.samples.space), p, available_threads(n_jobs)
        self.labels = prepared.samples.labels
        given = prepared.samples.weights
        self.mass = np.concatenate([np.ones(n) if w is None else w for n, w in zip(prepared.n, given, strict=True)])
        self.x = self.x - np.median(self.x, axis=0)  # a common shift changes nothing but rounding

    def measure(self, blocks: Sequence[np.ndarray], labels: np.ndarray, *, gradients: bool = False) -> Profile:
        """Transport along the directions of all blocks."""
        sides = [np.flatnonzero(labels == label) for label in (0, 1)]
        masses = self._masses(sides)

        def one(block: np.ndarray) -> tuple[np.ndarray, list[np.ndarray], np.ndarray]:
            projected = [np.ascontiguousarray((self.x[side] @ block.T).T) for side in sides]
            costs, potentials = np.empty(len(block)), [np.zeros(len(side)) for side in sides]
            slopes = np.zeros(block.shape)
            for at in range(len(block)):
                lines = [sorted_with_mass(part[at], mass) for part, mass in zip(projected, masses, strict=True)]
                slope = [np.empty(len(side)) for side in sides]
                total = float(masses[0].sum())
                costs[at] = transport(lines[0][0], lines[1][0], lines[0][1], lines[1][1], total, self.p, *slope)
                for line, height, part, side in zip(lines, slope, potentials, sides, strict=True):
                    add_potential(line[0], height, line[2], part)
                    if gradients:
                        slopes[at] += (line[1] * height / total) @ self.x[side][line[2]]
            return costs, potentials, slopes

        with ThreadPoolExecutor(self.threads) as pool:
            done = list(pool.map(one, blocks))
        profile = np.concatenate([costs for costs, _, _ in done])
        influence = [np.sum([potentials[s] for _, potentials, _ in done], axis=0) / len(profile) for s in (0, 1)]
        means = np.array([costs.mean() for costs, _, _ in done])
        gradient = np.concatenate([slopes for _, _, slopes in done])
        return Profile(profile, means, (influence[0], influence[1]), gradient)

    def _masses(self, sides: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Masses with one total on both sides: whole numbers where rows weigh the same, so that sums are exact."""
        own = [self.mass[side] for side in sides]
        totals = [float(part.sum()) for part in own]
        return [own[0] * totals[1], own[1] * totals[0]]

    def mean_difference(self, labels: np.ndarray) -> np.ndarray:
        """Direction from one mean to the other; the first axis where they are equal."""
        means = [np.average(self.x[labels == s], axis=0, weights=self.mass[labels == s]) for s in (0, 1)]
        away = means[1] - means[0]
        size = float(np.linalg.norm(away))
        return away / size if size > 0 else np.eye(len(away))[0]

    def null_of_best(
        self, seeking: Sequence[np.ndarray], fresh: Sequence[np.ndarray], arrangements: np.ndarray
    ) -> np.ndarray:
        """The same around the best centre of every arrangement."""
        found = []
        for labels in arrangements:
            centre = best_centre(self, seeking, self.mean_difference(labels), labels, NULL_STEPS)
            found.append(self.measure([turned(block, centre) for block in fresh], labels).mean)
        return np.array(found)

    def null(self, blocks: Sequence[np.ndarray], arrangements: np.ndarray) -> np.ndarray:
        """Mean W_p^p of every arrangement of the labels."""

        def one(block: np.ndarray) -> np.ndarray:
            projected, costs = np.ascontiguousarray((self.x @ block.T).T), np.zeros(len(arrangements))
            for line in projected:
                values, _, order = sorted_with_mass(line, self.mass)
                exchanged_costs(values, order, self.mass, arrangements, self.p, costs)
            return costs

        with ThreadPoolExecutor(self.threads) as pool:
            sums = np.sum(list(pool.map(one, blocks)), axis=0)
        return np.asarray(sums / sum(map(len, blocks)))


def best_centre(
    lines: Lines, blocks: Sequence[np.ndarray], start: np.ndarray, labels: np.ndarray, steps: int
) -> np.ndarray:
    """The centre around which the distance is largest, by ascent on the sphere.

    A small turn of all directions in the plane of the centre c and a tangent d changes the mean of f(theta) by
    d . mean[(c.theta) g - (c.g) theta], g the gradient of f.
    """
    centre, step = start, 0.5
    found = lines.measure([turned(block, centre) for block in blocks], labels, gradients=True)
    for _ in range(steps):
        theta = np.concatenate([turned(block, centre) for block in blocks])
        along = theta @ centre
        uphill = np.mean(along[:, None] * found.gradient - (found.gradient @ centre)[:, None] * theta, axis=0)
        uphill -= (uphill @ centre) * centre
        size = float(np.linalg.norm(uphill))
        if size == 0 or step < SMALLEST:
            break
        moved = centre + step * uphill / size
        moved /= np.linalg.norm(moved)
        new = lines.measure([turned(block, moved) for block in blocks], labels, gradients=True)
        if new.mean > found.mean:
            centre, found, step = moved, new, min(2 * step, 1.0)
        else:
            step *= SHRINK
    return centre


def _blocks_of_directions(
    d: int, n_directions: int, directions: Any, concentration: float | None, seed: int
) -> list[np.ndarray]:
    generator = _generator(seed, 11)
    if directions is not None:
        if concentration is not None:
            raise ParameterError("directions and concentration both say where directions point: give one of them")
        given = np.atleast_2d(np.asarray(directions, float))
        if given.ndim != 2 or given.shape[1] != d or not len(given):
            raise DataError(f"directions have shape {np.shape(directions)}, and the samples {d} columns: (L, {d})")
        lengths = np.linalg.norm(given, axis=1)
        if not np.isfinite(lengths).all() or (lengths == 0).any():
            at = int(np.flatnonzero(~np.isfinite(lengths) | (lengths == 0))[0])
            raise DataError(f"direction {at} has length {lengths[at]:g}: it must be a finite vector that is not zero")
        return [given / lengths[:, None]]
    if concentration is None:
        return orthonormal_blocks(d, n_directions, generator)
    if isinstance(concentration, bool) or not np.isfinite(concentration) or concentration < 0:
        raise ParameterError(f"concentration is {concentration!r}; it must be a number >= 0")
    return around_first_axis(d, float(concentration), n_directions, generator)


def _generator(seed: int, use: int) -> np.random.Generator:
    return np.random.default_rng([seed, use])


def _without_bias(
    lines: Lines, blocks: Sequence[np.ndarray], prepared: Prepared, power: float, seed: int
) -> tuple[float, float]:
    """2 W(N) - W(N/2), which has no term of order 1/N, and what halving adds to its variance (as for `frechet`)."""
    if min(prepared.n) < FEWEST_ROWS or (prepared.blocks is not None and prepared.n_blocks < FEWEST_ROWS):
        return power, 0.0
    drawn = []
    for t in range(PARTITIONS):
        part = parts_of(prepared, 2, [seed, 13, t])
        drawn.append(np.mean([lines.measure(blocks, np.where(part == s, lines.labels, 2)).mean for s in (0, 1)]))
    return float(2 * power - np.mean(drawn)), float(np.var(drawn, ddof=1) * (1 + 1 / PARTITIONS))


def _facing(direction: np.ndarray) -> np.ndarray:
    """Of a direction and its opposite, the one whose largest loading is positive."""
    at = first_lowest(-np.abs(direction), 1.0)
    return direction if direction[at] >= 0 else -direction
