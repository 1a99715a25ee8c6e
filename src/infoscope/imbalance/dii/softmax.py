"""The softmax over neighbours as one reduction: value and gradient of the Differentiable Information Imbalance.

Each row i spreads a weight c_ij over the items near it in A and averages their rescaled ranks u_ij in B:

    c_ij = w_j exp(-e_ij/lambda_i) / sum_m w_m exp(-e_im/lambda_i),     e_ij = d_ij^q                             (12)
    DII = sum_i rho_i f_i,     f_i = sum_j c_ij u_ij,     rho_i = 2 w_i / sum w                                  (13)

`soft_ranks` gives the value, its derivative with respect to the squared weight of every feature, and what each row
contributes; subpackages that need other moments of the same softmax stand on `SoftRanks`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from infoscope.base import ParameterError
from infoscope.base.checks import check_choice
from infoscope.base.rounding import exceeds
from infoscope.imbalance.rank_changes import softened_deviations
from infoscope.imbalance.rank_table import RankTable
from infoscope.neighbors import (
    TIE,
    UNRESTRICTED,
    Admissibility,
    Reduction,
    Space,
    admissible_mass,
    nearest,
    reduce_tiles,
)

from . import softmax_kernels as kernels

BANDWIDTHS = ("point", "global", "gap", "fixed", "perplexity")
DENSE = 0.12  # share of pairs that weigh something from which a matrix product is cheaper
FOUR = 4  # columns of a factor that matrix products take together


@dataclass(frozen=True)
class Bandwidth:
    """How far a row looks.

    Parameters
    ----------
    kind : {"point", "global", "gap", "fixed", "perplexity"}
        lambda_i is `size` times the distance (to the power q) of the k-th neighbour of each row; `size` times its mean
        over all rows; half the sum of the smallest and the mean gap between first and second neighbour; `size` itself;
        or such that the softmax has the perplexity `size`.
    k : int
        Neighbours, for "point" and "global".
    size : float
        See above.
    power : {1, 2}
        q: distances or squared distances in the exponent.
    """

    kind: str = "point"
    k: int = 1
    size: float = 0.1
    power: int = 2

    def __post_init__(self):
        check_choice(self.kind, "bandwidth", BANDWIDTHS)
        if self.power not in (1, 2):
            raise ParameterError(f"kernel_power is {self.power!r}; it must be 1 or 2")
        if not (np.isfinite(self.size) and self.size > 0):
            raise ParameterError(f"the size of the bandwidth is {self.size!r}; it must be a positive number")
        if self.kind == "perplexity" and self.size <= 1:
            raise ParameterError(f"perplexity is {self.size:g}; it must be more than 1")


class SoftmaxRows(NamedTuple):
    """What a softmax over neighbours gives.

    Attributes
    ----------
    value : float
        DII (formula (13)).
    slopes : array (D,) or None
        S_a, the derivative with respect to the squared weight of feature a.
    rows : array (R,)
        2 f_i: one value a row, whose mean with the rows' weights is the DII.
    entropy : array (R,)
        Entropy of c_i; its exponential is the number of effective neighbours.
    pairs : tuple of arrays or None
        (row place, item, c, u) of the pairs that matter for a standard error.
    moved : array (N,) or None
        With the pairs: what every item adds because others are ranked beside it (`imbalance.rank_changes`).
    """

    value: float
    slopes: np.ndarray | None
    rows: np.ndarray
    entropy: np.ndarray
    pairs: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray] | None
    moved: np.ndarray | None = None


def soft_ranks(
    space: Space,
    table: RankTable,
    bandwidth: Bandwidth,
    *,
    gradient: bool = True,
    pairs: bool = False,
    queries=None,
    precision: Any = np.float64,
    admissibility: Admissibility = UNRESTRICTED,
    n_jobs: int | None = None,
) -> SoftmaxRows:
    """Value and gradient of the Differentiable Information Imbalance at the weights of a space.

    Parameters
    ----------
    space : Space
        A: Euclidean features with their `feature_weights`; centre them for the best accuracy.
    table : RankTable
        Ranks in the target, one row a query.
    bandwidth : Bandwidth
        How far a row looks.
    gradient : bool
        Whether to compute the slopes.
    pairs : bool
        Whether to return the pairs that matter (without gradient).
    queries : array of int, optional
        Only these rows.
    precision : {np.float64, np.float32}
        Of the tiles; sums are float64.
    admissibility : Admissibility
        Who may be whose neighbour.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    SoftmaxRows

    Raises
    ------
    ParameterError
        A space that is not Euclidean; a bandwidth that does not fit.

    References
    ----------
    Wild, Wodaczek, Del Tatto, Cheng, Laio, Nature Communications 16, 270 (2025).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.imbalance.rank_table import rank_table
    >>> from infoscope.imbalance.dii.softmax import Bandwidth, soft_ranks
    >>> from infoscope.neighbors import Space
    >>> x = np.random.default_rng(0).normal(size=(100, 2))
    >>> found = soft_ranks(Space(x), rank_table(Space(x[:, :1])), Bandwidth(k=3))
    >>> bool(found.slopes[0] < 0 < found.slopes[1])              # more of the first feature, less of the second
    True
    """
    if space.metric != "euclidean":
        raise ParameterError(
            f"{space.name or 'the space'} has metric {space.metric!r}: the Differentiable Information "
            "Imbalance weighs features of a Euclidean space"
        )
    weight = space.sample_weight
    rows = np.arange(len(space)) if queries is None else np.asarray(queries)
    own = np.ones(len(rows)) if weight is None else weight[rows]
    _, mass, mass2 = admissible_mass(space, queries, admissibility=admissibility)
    mode, size, shared = _in_a_row(space, bandwidth, queries, n_jobs, admissibility, gradient)
    reduction = SoftRanks(
        table,
        rho=2 * own / own.sum(),
        unit=mass2 / mass,
        k=bandwidth.k,
        mode=mode,
        size=size,
        power=bandwidth.power,
        gradient=gradient and not pairs,
        pairs=pairs,
        precision=precision,
    )
    found = reduce_tiles([space], reduction, queries=queries, n_jobs=n_jobs, label="softmax", **admissibility.options)
    slopes = found["slopes"]
    if slopes is not None and shared is not None:  # the common bandwidth moves with all rows
        slopes = slopes + found["pull"] * shared
    value = float((reduction.rho * found["f"]).sum())
    moved = None
    if found["pairs"] is not None:
        moved = softened_deviations(space, table, rows, own / own.sum(), found["pairs"][:3], (mass, mass2 / mass))
    return SoftmaxRows(value, slopes, 2 * found["f"], found["entropy"], found["pairs"], moved)


def _in_a_row(space, bandwidth, queries, n_jobs, admissibility, gradient):
    """(mode, size) as the kernel knows them, and the derivative of a common bandwidth by the squared weights."""
    kind, size = bandwidth.kind, bandwidth.size
    if kind == "point":
        return kernels.POINT, size, None
    if kind == "perplexity":
        return kernels.PERPLEXITY, float(np.log(size)), None
    if kind == "fixed":
        return kernels.FIXED, size, None
    depth = bandwidth.k if kind == "global" else 2
    graph = nearest(space, depth, ties="all", queries=queries, n_jobs=n_jobs, **admissibility.options)
    e = graph.squared ** (bandwidth.power / 2)
    start = graph.indptr[:-1]
    if kind == "global":
        lam = size * float(e[start + depth - 1].mean())
        share = size / len(graph) * _at(graph, depth)
    else:
        gaps = e[start + 1] - e[start]
        lam = (float(gaps.min()) + float(gaps.mean())) / 2
        per_row = np.full(len(graph), 0.5 / len(graph))
        least = ~exceeds(gaps, gaps.min(), e[start + 1])
        per_row[least] += 0.5 / least.sum()
        share = (_at(graph, 2) - _at(graph, 1)) * per_row[graph.row_of_pair]
    if lam <= 0:
        raise ParameterError(
            f"bandwidth={kind!r} is zero, because neighbours are duplicates: use 'point' or 'perplexity'"
        )
    return kernels.FIXED, lam, _slopes_of(space, graph, share, e, bandwidth.power) if gradient else None


def _at(graph, k: int) -> np.ndarray:
    """Weights of the pairs at the k-th distance: one a row, shared by ties."""
    kth = graph.squared[graph.indptr[:-1] + k - 1][graph.row_of_pair]
    tied = np.abs(graph.squared - kth) <= TIE * kth
    return tied / np.bincount(graph.row_of_pair, tied, len(graph))[graph.row_of_pair]


def _slopes_of(space, graph, share, e, power) -> np.ndarray:
    """sum of share x d e / d s_a over the pairs of a graph; s_a is the squared weight of feature a."""
    used = np.flatnonzero(share)
    inner = np.ones(len(used))
    if power == 1:
        inner = np.divide(0.5, e[used], out=np.zeros(len(used)), where=e[used] > 0)
    i, j = graph.rows[graph.row_of_pair[used]], graph.items[used]
    return (share[used] * inner) @ space.displacements(i, j) ** 2


class SoftRanks(Reduction):
    """The softmax over whole rows: mean ranks, entropies, and the slope of the value in every squared weight.

    Parameters
    ----------
    table : RankTable
        Ranks in the target.
    rho, unit : array (R,)
        Weight of each row in the value (2/R for equal weights); mass of one effective item (1 for equal weights).
    k, mode, size, power
        As `softmax_kernels.softmax_rows` takes them.
    gradient, pairs : bool
        What is wanted beside the value.
    precision : type
        Of the tiles.
    """

    whole_rows = True
    first = 0  # row of the whole that is row 0 here

    def __init__(self, table: RankTable, *, rho, unit, k, mode, size, power, gradient, pairs, precision):
        self.table, self.rho, self.unit = table, rho, unit
        self.k, self.mode, self.size, self.power = k, mode, size, power
        self.gradient, self.pairs, self.precision = gradient, pairs, precision
        self.sides: dict[tuple[int, int], tuple[np.ndarray, np.ndarray]] = {}
        self.row_bytes = table.values[:1].nbytes

    def start(self, block):
        return {}

    def update(self, state, tiles):
        (t,) = tiles
        if not isinstance(t.squared, np.ndarray):
            from .softmax_torch import soften_tile

            soften_tile(self, state, t)
            return 0
        (b, m), real = t.squared.shape, t.squared.dtype
        state |= {name: np.empty(b) for name in ("f", "entropy", "pull")}
        _sharpen(t)
        weighted = t.mass is not None
        mass = t.mass if weighted else np.ones(m)
        part = self.table.take(t.block)
        used = kernels.softmax_rows(
            t.squared,
            part.values,
            part.scale,
            t.columns,
            mass,
            weighted,
            self.unit[t.block],
            self.rho[t.block],
            self.k,
            self.mode,
            self.size,
            self.power,
            self.gradient,
            state["f"],
            state["entropy"],
            state["pull"],
            np.empty(self.k + 1),
            *(np.empty(m + 1, kind) for kind in (real, real, real, np.int64)),
        )
        if self.gradient:
            state["slopes"] = self._slopes(t, used)
        if self.pairs:
            i, j = np.nonzero(t.squared > kernels.LEAST_WEIGHT)
            u = part.values[i, t.columns[j]] * part.scale[i]
            state["pairs"] = (i + t.block.start + self.first, t.columns[j], t.squared[i, j].astype(np.float64), u)
        return 0

    def finish(self, states):
        joined: dict[str, Any] = {name: np.concatenate([state[name] for state in states]) for name in ("f", "entropy")}
        joined["pull"] = float(np.concatenate([state["pull"] for state in states]).sum())
        joined["slopes"] = np.sum([state["slopes"] for state in states], axis=0) if self.gradient else None
        joined["pairs"] = (
            tuple(map(np.concatenate, zip(*(state["pairs"] for state in states), strict=True))) if self.pairs else None
        )
        return joined

    def for_rows(self, block):
        part = SoftRanks.__new__(SoftRanks)
        part.__dict__ = self.__dict__ | {
            "table": self.table.take(block),
            "rho": self.rho[block],
            "unit": self.unit[block],
            "first": self.first + block.start,
            "sides": {},
        }
        return part

    def _slopes(self, t, used: int) -> np.ndarray:
        """sum_ij G_ij delta_ija^2, G in the tile: pair by pair, or by one product (both formula (15))."""
        source, g = t.source, t.squared
        x, rows = source.rows.features, source.rows.index[t.block]
        y, columns = source.columns.features, source.columns.index[t.part]
        d, slopes = x.shape[1], np.zeros(x.shape[1])
        if len(source.period) or used < DENSE * g.size:
            kernels.slopes_of_pairs(g, x, rows, y, columns, source.period, slopes)
            return slopes
        place = t.part.start, t.part.stop
        if place not in self.sides:  # whole rows: once a step
            self.sides[place] = _product_side(y, columns, g.dtype)
        factor, squares = self.sides[place]
        product, x = g @ factor, x[rows].astype(g.dtype, copy=False)
        slopes += product[:, d].astype(np.float64) @ x.astype(np.float64) ** 2
        slopes += (np.ones(len(g), g.dtype) @ g).astype(np.float64) @ squares
        return slopes - 2 * np.einsum("ia,ia->a", x, product[:, :d], dtype=np.float64)


def _sharpen(t) -> None:
    """Measure what the rounding of the tile may have spoilt: pairs far nearer than their distance from the centre."""
    if not np.any(t.row_band):
        return
    room = 4 * sum(t.squared.shape)
    while True:
        rows, columns = np.empty(room, np.int64), np.empty(room, np.int64)
        n = kernels.doubtful_pairs(
            t.squared, t.row_band, t.column_band, kernels.DOUBTFUL[t.squared.dtype], rows, columns
        )
        if n <= room:
            break
        room = n
    if n:
        t.squared[rows[:n], columns[:n]] = t.measure(rows[:n], columns[:n])


def _product_side(y, columns, kind) -> tuple[np.ndarray, np.ndarray]:
    """What tiles of G are multiplied with: features, and ones for the sums of rows; and the squares of the features."""
    n, d = len(columns), y.shape[1]
    factor = np.zeros((n, -(-(d + 1) // FOUR) * FOUR), kind)
    factor[:, :d], factor[:, d] = y[columns], 1
    return factor, factor[:, :d].astype(np.float64) ** 2
