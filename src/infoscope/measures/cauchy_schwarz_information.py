"""Quadratic mutual information of Cauchy and Schwarz: the joint density against the product of the marginal ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from infoscope.base import ParameterError, check_choice, provenance
from infoscope.neighbors import (
    BLOCK_TIMES,
    Reduction,
    Space,
    Tile,
    check_same_items,
    is_series,
    items_of,
    looking_at_row_order,
    order_test,
    reduce_tiles,
    refuse_weights,
    series_correlation,
    series_shifts,
    settle_window,
    target_space,
    to_numpy,
)
from infoscope.statistics import check_n_permutations, choose_null, run_order

from .distance_results import CauchySchwarzInformation
from .kernel_forms import gaussian, median_distance
from .sample_units import seed_of

TOGETHER = 8  # shuffles of one sweep
TESTED = 2000  # rows that p-values come from, at most
TINY = np.finfo(float).tiny


def cauchy_schwarz_information(
    x: Any,
    y: Any,
    *,
    bandwidth: tuple[float, float] | str = "median",
    diagonal: bool = False,
    n_permutations: int = 0,
    exclusion_window: float | str | None = None,
    random_state: Any = None,
    n_jobs: int | None = None,
) -> CauchySchwarzInformation:
    """log( <K L> <K> <L> / <K_i L_i>^2 ), with K_i, L_i the row means of two Gaussian kernels.

    Parameters
    ----------
    x, y : array (N, D) or (N,), frame or Space
        Two descriptions of the same items.
    bandwidth : pair of float or "median"
        h of exp(-d^2 / 2 h^2) of x and of y; "median": the median distance of each.
    diagonal : bool
        Whether every row counts as its own pair.
    n_permutations : int
        How often rows of y are exchanged for a p-value (runs are shifted by more than the window instead); of more than
        2000 rows, some.
    exclusion_window : float or "auto", optional
        Time within which rows are correlated; 0 says that rows are in no order.
    random_state : int or Generator, optional
    n_jobs : int, optional
        Threads.

    Returns
    -------
    CauchySchwarzInformation

    Raises
    ------
    DataError, ParameterError
        Different items, NaN, weights that differ, a bandwidth that is not positive.

    References
    ----------
    Yu et al., arXiv 2404.17951 (2024). Principe, Information Theoretic Learning (2010), ch. 2.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.measures import cauchy_schwarz_information
    >>> x = np.random.default_rng(0).normal(size=(200, 1))
    >>> found = cauchy_schwarz_information(x, x**2, n_permutations=99, random_state=0)
    >>> found.p_value
    0.01
    """
    number, seed = check_n_permutations(n_permutations), seed_of(random_state)
    spaces = [target_space(data, "features", name=name)[0] for name, data in (("x", x), ("y", y))]
    check_same_items(*spaces)
    spaces = [refuse_weights(space, "pairs are counted, not weighed") for space in spaces]
    settled = [settle_window(space, exclusion_window) for space in spaces]
    spaces, window = [one for one, _ in settled], settled[0][1]
    bandwidths = _bandwidths(bandwidth, spaces)
    n = len(spaces[0])
    with looking_at_row_order(not is_series(spaces[0]) and exclusion_window != 0) as look:
        for space in spaces:
            if look.active and n >= 20 and space.backend != "dask":
                look.hear(order_test(space))
        warnings = look.warnings
    options = dict(bandwidth=bandwidth, diagonal=diagonal, n_permutations=number, exclusion_window=exclusion_window)
    record = provenance("cauchy_schwarz_information", options, seed, spaces[0].hashed, spaces[1].hashed)
    block = _blocks(spaces, window)
    shared: dict[str, Any] = dict(
        bandwidths=bandwidths, diagonal=diagonal, n_items=n, n_blocks=0 if block is None else int(block.max()) + 1,
        provenance=record, warnings=warnings,
    )  # fmt: skip
    if min(bandwidths) == 0:  # one of them is constant
        return CauchySchwarzInformation(value=0.0, value_se=0.0, p_value=1.0 if number else None, **shared)
    plain = [space.replace(time=None, run=None) for space in spaces]
    sums = Sums(plain, bandwidths, diagonal, n_jobs)
    value, influence = sums.information()
    unit = np.arange(n) if block is None else block
    pulled = np.bincount(unit, influence - influence.mean()) / n
    se = float(np.sqrt((pulled**2).sum() * len(pulled) / max(len(pulled) - 1, 1)))
    tested = _null(spaces, bandwidths, diagonal, number, seed, window, n_jobs) if number else {}
    return CauchySchwarzInformation(value=value, value_se=se, **tested, **shared)


# --------------------------------------------------------------------------------------------------------------- steps
class Sums:
    """Row sums of both kernels and of their product."""

    def __init__(self, spaces: Sequence[Space], bandwidths: tuple[float, float], diagonal: bool, n_jobs) -> None:
        self.spaces, self.bandwidths, self.diagonal, self.n_jobs = list(spaces), bandwidths, diagonal, n_jobs
        self.n = len(spaces[0])
        self.pairs = self.n if diagonal else self.n - 1
        own = 1.0 if diagonal else 0.0
        ones = np.ones((self.n, 1))
        k, product, _ = self._sweep([self.spaces[0], self.spaces[1]], ones)
        self.x, self.product = (k[:, 0] + own) / self.pairs, (product[:, 0] + own) / self.pairs
        self.y = (self._sweep([self.spaces[1]], ones, of=1)[0][:, 0] + own) / self.pairs

    def _sweep(self, spaces: Sequence[Space], vectors: np.ndarray, of: int = 0) -> Any:
        h = self.bandwidths[of : of + 1] if len(spaces) == 1 else (self.bandwidths[0],) + (self.bandwidths[1],) * (
            len(spaces) - 1)  # fmt: skip
        return reduce_tiles(spaces, Products(h, vectors), n_jobs=self.n_jobs, label="kernels")

    def information(self) -> tuple[float, np.ndarray]:
        """The value, and what every row adds to first order."""
        own = 1.0 if self.diagonal else 0.0
        kl, k, l, cross = (float(part.mean()) for part in (self.product, self.x, self.y, self.x * self.y))
        k_of_l = (self._sweep([self.spaces[0]], self.y[:, None])[0][:, 0] + own * self.y) / self.pairs
        l_of_k = (self._sweep([self.spaces[1]], self.x[:, None], of=1)[0][:, 0] + own * self.x) / self.pairs
        influence = 2 * (self.product / kl + self.x / k + self.y / l) - 2 * (self.x * self.y + k_of_l + l_of_k) / cross
        return self._value(kl, cross), influence

    def _value(self, product: float, cross: float) -> float:
        parts = (product, float(self.x.mean()), float(self.y.mean()), cross)
        logs = [float(np.log(max(part, TINY))) for part in parts]
        return logs[0] + logs[1] + logs[2] - 2 * logs[3]

    def shuffled(self, shuffles: Sequence[np.ndarray]) -> list[float]:
        """The value after rows of y were exchanged, several at a time."""
        found = []
        own = 1.0 if self.diagonal else 0.0
        for start in range(0, len(shuffles), TOGETHER):
            some = shuffles[start : start + TOGETHER]
            moved = [self.spaces[1].replace(ids=None).take(shuffle) for shuffle in some]
            *_, products = self._sweep([self.spaces[0].replace(ids=None), *moved], np.ones((self.n, 1)))
            for shuffle, total in zip(some, products, strict=True):
                product = (total / self.n + own) / self.pairs
                found.append(self._value(product, float((self.x * self.y[shuffle]).mean())))
        return found


class Products(Reduction):
    """Row sums of the first kernel times vectors, of its product with the second, and total of that with every one."""

    precision = np.float64

    def __init__(self, bandwidths: Sequence[float], vectors: np.ndarray) -> None:
        self.kernels, self.vectors = [gaussian(h) for h in bandwidths], vectors

    def start(self, block: slice) -> Any:
        rows = block.stop - block.start
        return np.zeros((rows, self.vectors.shape[1])), np.zeros((rows, 1)), np.zeros(max(len(self.kernels) - 1, 0))

    def update(self, state: Any, tiles: Sequence[Tile]) -> int:
        first = np.asarray(to_numpy(self.kernels[0](tiles[0])))
        columns = np.asarray(to_numpy(tiles[0].columns))
        state[0][:] += first @ self.vectors[columns]
        for at, (one, t) in enumerate(zip(self.kernels[1:], tiles[1:], strict=True)):
            rows = (first * np.asarray(to_numpy(one(t)))).sum(axis=1)
            state[2][at] += rows.sum()
            if at == 0:
                state[1][:, 0] += rows
        return 0

    def merge(self, state: Any, other: Any) -> Any:
        return tuple(a + b for a, b in zip(state, other, strict=True))

    def finish(self, states: list[Any]) -> Any:
        first, second = (np.concatenate([state[i] for state in states]) for i in (0, 1))
        return first, second, np.sum([state[2] for state in states], axis=0)


def _bandwidths(bandwidth: Any, spaces: Sequence[Space]) -> tuple[float, float]:
    if isinstance(bandwidth, str):
        check_choice(bandwidth, "bandwidth", ("median",))
        return median_distance(spaces[0]), median_distance(spaces[1])
    try:
        h = tuple(float(one) for one in bandwidth)
    except TypeError:
        h = ()
    if len(h) != 2 or not all(np.isfinite(one) and one > 0 for one in h):
        raise ParameterError(f"bandwidth is {bandwidth!r}; it must be two positive numbers, of x and of y, or 'median'")
    return h[0], h[1]


def _blocks(spaces: Sequence[Space], window: float | None) -> np.ndarray | None:
    found = series_correlation(spaces)
    if found is None:
        return None
    length = max(BLOCK_TIMES * window, 2 * found.step) if window else None
    return np.unique(found.blocks(spaces[0], length), return_inverse=True)[1].reshape(-1)


def _null(spaces, bandwidths, diagonal, number, seed, window, n_jobs) -> dict[str, Any]:
    """What the result holds of the test: all from the same rows."""
    n = len(spaces[0])
    generator = np.random.default_rng([seed, 19])
    series = is_series(spaces[0])
    rows = np.arange(n)
    if n > TESTED:
        step = -(-n // TESTED)
        rows = run_order(n, spaces[0].time, spaces[0].run).rows[::step] if series else np.sort(
            generator.choice(n, TESTED, replace=False))  # fmt: skip
    shifts = None
    if series:  # rows that are left keep the times they had, which a window is one of
        spaces = [space.replace(time=items_of(space).time) for space in spaces]
        part = [space.take(rows) for space in spaces]
        shifts = series_shifts(part[0], series_correlation(spaces), window or 0.0)
    else:
        part = [space.take(rows) for space in spaces]
    word = "shift" if series else "shuffle"
    chosen = choose_null(word, len(rows), words=("shift", "shuffle"), auto=(word,), shifts=shifts)
    shuffles = [chosen.shuffle(generator) for _ in range(number)]
    plain = [space.replace(time=None, run=None) for space in part]
    sums = Sums(plain, bandwidths, diagonal, n_jobs)
    observed, null = sums.shuffled([np.arange(len(rows))])[0], np.array(sums.shuffled(shuffles))
    return chosen.tested(observed, null, size=1.0)
