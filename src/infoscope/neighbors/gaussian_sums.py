"""Sums of a Gaussian kernel over all admissible items of a row, with the mean and the covariance under it.

One pass over tiles gives what kernel densities, their derivatives, denoisers, mean shifts, kernel distances between
samples and purities are made of.  The largest weight of a row is known only at the end, so every state counts its
weights from the nearest item so far, and sinks when a nearer one comes (a softmax as a stream).  Means and scatters are
updated, never differences of large sums (West 1979; two states: Chan, Golub, LeVeque 1979).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from infoscope.base import ParameterError
from infoscope.base.array_types import ArrayLike, Floats, Ints
from infoscope.base.checks import check_positive_int

from . import gaussian_kernels as kernels
from .admissible import Admissibility
from .convert import Data
from .interfaces import Reduction, Tile
from .reductions import column_items, reduce_tiles
from .space import Queries, Space, as_space
from .space_checks import item_numbers, refuse_near_only

MOMENT_BYTES = 2**31  # that means and covariances of all rows may take
REACH = (0.0, 1e4, 1e2)  # bandwidths from the centre of a tile up to which moments come from matrix products


class KernelSums(NamedTuple):
    """Sums, means and covariances under the kernel of every row.

    Attributes
    ----------
    log_sum : array (R,) or (R, H)
        log sum_j w_j K_ij, from which nothing underflows; -inf where a row may use nobody.
    mean : array (R, D) or (R, H, D), or None
        sum_j p_ij (x_j - x_i) with p_ij = w_j K_ij / sum: mean displacement, minimum image, in the units of the
        features.  NaN where a row may use nobody.
    covariance : array (R, D, D) or (R, H, D, D), or None
        sum_j p_ij (x_j - x_i - mean)(x_j - x_i - mean)^T.
    """

    log_sum: np.ndarray
    mean: np.ndarray | None
    covariance: np.ndarray | None


def kernel_sums(
    space: Space | Data,
    bandwidth: ArrayLike,
    *,
    moments: int = 0,
    power: float = 1.0,
    include_self: bool = False,
    queries: Queries = None,
    columns: ArrayLike | None = None,
    exclusion_window: float = 0.0,
    neighbors_from: str = "any",
    n_jobs: int | None = None,
) -> KernelSums:
    """Sum the Gaussian kernel K_ij = exp(-d_ij^2 / 2 h^2) over the items that every row may use.

    Parameters
    ----------
    space : Space or array
        The items; those with `sample_weight` count with it.
    bandwidth : float, array (H,) or array (R, H)
        h, in units of the distance: one, several for every row, or several that each row has for itself.
    moments : {0, 1, 2}
        Beside the sum also the mean displacement (1) and its covariance (2); Euclidean spaces only.
    power : float
        Sum K^power instead; power 2 for sums of squares.
    include_self : bool
        Whether an item counts for itself, with distance zero, whatever the window; it must be among the columns.
    queries, columns, exclusion_window, neighbors_from, n_jobs
        As for `reduce_tiles`; with ``queries=`` another Space, sums between two samples.

    Returns
    -------
    KernelSums
        In float64.  The cosine metric enters by the chord between directions, d^2 = 2 (1 - cos).

    Raises
    ------
    ParameterError
        A bandwidth that is not positive, moments of a space without displacements, or of too many rows for memory.

    References
    ----------
    West, Communications of the ACM 22, 532 (1979): weighted means and variances as a stream.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.neighbors import Space, kernel_sums
    >>> x = Space(np.array([[0.0], [1.0], [3.0]]))
    >>> found = kernel_sums(x, 1.0, moments=1)
    >>> np.exp(found.log_sum).round(4), found.mean.ravel().round(4)
    (array([0.6176, 0.7419, 0.1464]), array([ 1.036 , -0.4527, -2.0759]))
    """
    space = as_space(space)
    refuse_near_only(space)
    check_positive_int(moments, "moments", 0, 2)
    if moments and space.metric != "euclidean":
        raise ParameterError(
            f"moments={moments} needs displacements, which {space.name or 'the space'} with metric {space.metric!r} "
            "does not have: take moments=0, or a Euclidean space"
        )
    if queries is not None and not isinstance(queries, Space):
        queries = item_numbers(queries, len(space), "queries")
    n = len(space) if queries is None else len(queries)
    rates, given = rates_of(bandwidth, power, n)
    _check_memory(n, rates.shape[1], space.n_features, moments)
    admissibility = Admissibility(exclusion_window, neighbors_from)
    state = reduce_tiles(
        [space],
        SumKernels(rates, moments, space.n_features),
        queries=queries,
        columns=columns,
        n_jobs=n_jobs,
        label="kernel sums",
        **admissibility.options,
    )
    if include_self:
        if isinstance(queries, Space):
            raise ParameterError("include_self=True, but new points are not among the items: leave it out")
        state = merged(state, _selves(space, queries, columns, state))
    return _answer(state, moments, given)


def rates_of(bandwidth: ArrayLike, power: float, n: int) -> tuple[Floats, int]:
    """power / 2 h^2 as (1, H) or (R, H), and how many dimensions the bandwidth had."""
    h = np.asarray(bandwidth, np.float64)
    if h.ndim > 2 or h.size == 0 or (h.ndim == 2 and len(h) != n):
        raise ParameterError(
            f"bandwidth has shape {h.shape}: pass one number, some for all rows (H,), or some for each of the {n} rows "
            f"({n}, H)"
        )
    if not (np.isfinite(power) and power > 0):
        raise ParameterError(f"power is {power!r}; it must be a positive number")
    with np.errstate(all="ignore"):
        rates = power / (2.0 * h * h)
    wrong = ~(np.isfinite(h) & (h > 0) & np.isfinite(rates) & (rates > 0))
    if wrong.any():
        raise ParameterError(
            f"bandwidth holds {h[wrong].flat[0]:g}; it must be positive, and neither 0 nor inf squared"
        )
    return (rates if h.ndim == 2 else rates.reshape(1, -1)), h.ndim


def _check_memory(n: int, n_bandwidths: int, d: int, moments: int) -> None:
    size = 8 * n * n_bandwidths * (0, d, d + d * d)[moments]
    if size > MOMENT_BYTES:
        raise ParameterError(
            f"moments={moments} of {n:,} rows, {n_bandwidths} bandwidths and {d} features would take "
            f"{size / 2**30:.1f} GiB: ask for some of the rows at a time (queries=), or for fewer features"
        )


# -------------------------------------------------------------------------------------------------------- the reduction
class Sums(NamedTuple):
    """What is known of a block of rows; weights count from the nearest item, exp(-(d^2 - nearest) rate)."""

    rates: Floats  # (b, H), 1 / 2 h^2
    nearest: Floats  # (b,) smallest squared distance so far
    total: Floats  # (b, H)
    mean: Floats  # (b, H, D); D is 0 where no moments are asked for
    scatter: Floats  # (b, H, D, D); sum of w (delta - mean)(delta - mean)^T


class SumKernels(Reduction):
    """Kernel sums with their moments.

    Parameters
    ----------
    rates : array (1, H) or (R, H)
        1 / 2 h^2.
    moments : {0, 1, 2}
        What is wanted beside the sums.
    d : int
        Features.
    """

    precision = np.float64

    def __init__(self, rates: Floats, moments: int, d: int) -> None:
        self.rates, self.moments = rates, moments
        self.d, self.d2 = (d if moments >= 1 else 0), (d if moments == 2 else 0)
        self.row_bytes = 8 * rates.shape[1] * (2 + self.d + self.d2 * self.d2)

    def start(self, block: slice) -> Sums:
        b, n_bandwidths = block.stop - block.start, self.rates.shape[1]
        return Sums(
            self._rates_of(block),
            np.full(b, np.inf),
            np.zeros((b, n_bandwidths)),
            np.zeros((b, n_bandwidths, self.d)),
            np.zeros((b, n_bandwidths, self.d2, self.d2)),
        )

    def update(self, state: Sums, tiles: Sequence[Tile]) -> int:
        (t,) = tiles
        if not isinstance(t.squared, np.ndarray):
            from .gaussian_sums_torch import sum_tile

            new = self.start(t.block)
            new = new._replace(nearest=sum_tile(t, new.rates, *new[2:]))
            for mine, joined in zip(state, merged(state, new), strict=True):
                mine[...] = joined
            return 0
        sharpen(t, state.rates)
        weighted = t.mass is not None
        mass: Floats = np.ones(1) if t.mass is None else t.mass
        buffer = np.empty(t.squared.shape[1])
        if self.moments == 0:
            kernels.add_sums(t.squared, mass, weighted, state.rates, state.nearest, state.total, buffer)
            return 0
        found = self._by_products(t, state, mass, weighted)
        if found is not None:
            for mine, joined in zip(state, merged(state, found), strict=True):
                mine[...] = joined
            return 0
        source = t.source
        kernels.add_moments(
            t.squared,
            mass,
            weighted,
            state.rates,
            source.rows.features,  # type: ignore[attr-defined]  # tiles of arrays know their sides
            source.rows.index[t.block],  # type: ignore[attr-defined]
            source.columns.features,
            source.columns.index[t.part],
            source.period,  # type: ignore[attr-defined]
            *state[1:],
            buffer,
            np.empty(self.d),
        )
        return 0

    def _by_products(self, t: Tile, state: Sums, mass: Floats, weighted: bool) -> Sums | None:
        """The sums of one tile alone, by matrix products; None where these would lose digits, and with periods.

        What is summed are coordinates from the centre of the tile, so the mean is off by u reach, the scatter by
        u reach^2 of the weights, reach the farthest of them; that must be little beside the bandwidth.
        """
        source: Any = t.source
        if len(source.period):
            return None
        x = source.rows.features[source.rows.index[t.block]].astype(np.float64)
        y = source.columns.features[source.columns.index[t.part]].astype(np.float64)
        centre = y.mean(0)
        x, y = x - centre, y - centre
        reach = max(float(np.abs(part * source.weights).max()) for part in (x, y))
        if reach * np.sqrt(2 * state.rates.max()) > REACH[self.moments]:
            return None
        new = self.start(t.block)
        a, b = np.triu_indices(self.d2)
        products = y[:, a] * y[:, b]
        weights = np.empty(t.squared.shape)
        for h in range(state.rates.shape[1]):
            kernels.weights_of_rows(t.squared, mass, weighted, state.rates[:, h].copy(), new.nearest, weights)
            total = weights.sum(1)
            share = np.where(total > 0, total, 1.0)[:, None]
            mean = weights @ y / share
            new.total[:, h], new.mean[:, h] = total, mean - x
            if self.d2:
                scatter = weights @ products - total[:, None] * mean[:, a] * mean[:, b]
                new.scatter[:, h, a, b] = new.scatter[:, h, b, a] = scatter
        return new

    def _rates_of(self, block: slice) -> Floats:
        if len(self.rates) == 1:
            return np.broadcast_to(self.rates, (block.stop - block.start, self.rates.shape[1])).copy()
        return np.ascontiguousarray(self.rates[block])

    def merge(self, state: Sums, other: Sums) -> Sums:
        return merged(state, other)

    def finish(self, states: list[Sums]) -> Sums:
        return Sums(*(np.concatenate(parts) for parts in zip(*states, strict=True)))

    def for_rows(self, block: slice) -> SumKernels:
        part = copy.copy(self)
        part.rates = self.rates if len(self.rates) == 1 else self.rates[block]
        return part


def merged(a: Sums, b: Sums) -> Sums:
    """Two states of the same rows; the formulas of Chan, Golub and LeVeque."""
    rates, nearest = a.rates, np.minimum(a.nearest, b.nearest)
    base = np.where(nearest < np.inf, nearest, 0.0)[:, None]
    first, second = (s.total * np.exp(-np.minimum((s.nearest[:, None] - base) * rates, 1e4)) for s in (a, b))
    total = first + second
    share = np.divide(second, total, out=np.zeros_like(total), where=total > 0)
    if not a.mean.size:
        return Sums(rates, nearest, total, a.mean, a.scatter)
    apart = b.mean - a.mean
    mean = np.where(share[..., None] > 0.5, b.mean - apart * (1 - share)[..., None], a.mean + apart * share[..., None])
    if not a.scatter.size:
        return Sums(rates, nearest, total, mean, a.scatter)
    sunk = [s.scatter * np.exp(-np.minimum((s.nearest[:, None] - base) * rates, 1e4))[..., None, None] for s in (a, b)]
    between = (first * share)[..., None, None] * apart[..., :, None] * apart[..., None, :]
    return Sums(rates, nearest, total, mean, sunk[0] + sunk[1] + between)


def sharpen(t: Tile, rates: Floats) -> None:
    """Measure the pairs whose bound leaves their weight uncertain, unless it is nothing anyway."""
    if not t.row_band.any():
        return
    sharpest = rates.max(axis=1)
    widest = float((sharpest * (t.row_band + t.column_band.max())).max())
    if widest <= kernels.EXPONENT_ERROR:
        return
    room = 4 * sum(t.squared.shape)
    while True:
        i, j = np.empty(room, np.int64), np.empty(room, np.int64)
        n = kernels.doubtful_pairs(t.squared, t.row_band, t.column_band, sharpest, rates.min(axis=1), i, j)
        if n <= room:
            break
        room = n
    if n:
        t.squared[i[:n], j[:n]] = t.measure(i[:n], j[:n])


# ----------------------------------------------------------------------------------------------------------- the answer
def _selves(space: Space, queries: Ints | None, columns: ArrayLike | None, like: Sums) -> Sums:
    """Every item at distance zero from itself, where it is among the candidates."""
    rows = np.arange(len(space)) if queries is None else queries
    weight = np.zeros(len(space))
    candidates = column_items(space, columns).numbers
    weight[candidates] = 1.0 if space.sample_weight is None else space.sample_weight[candidates]
    own = weight[rows]
    total = np.broadcast_to(own[:, None], like.total.shape)
    nearest = np.where(own > 0, 0.0, np.inf)
    return Sums(like.rates, nearest, total, np.zeros_like(like.mean), np.zeros_like(like.scatter))


def _answer(state: Sums, moments: int, given: int) -> KernelSums:
    nobody = state.total == 0
    with np.errstate(divide="ignore"):
        log_sum = np.log(state.total) - np.where(nobody, 0.0, state.nearest[:, None]) * state.rates
    mean = np.where(nobody[..., None], np.nan, state.mean) if moments >= 1 else None
    covariance = None
    if moments == 2:
        share = np.where(nobody, np.nan, state.total)[..., None, None]
        covariance = state.scatter / share
    if given == 0:
        log_sum = log_sum[:, 0]
        mean = None if mean is None else mean[:, 0]
        covariance = None if covariance is None else covariance[:, 0]
    return KernelSums(log_sum, mean, covariance)
