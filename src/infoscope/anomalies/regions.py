"""Places of excess: flagged points that belong together, what is genuine among them, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from infoscope.base import DataError, InfoscopeError, ParameterError
from infoscope.base.contents import choices, integers, numbers, whole
from infoscope.base.rounding import exceeds, level_ties
from infoscope.neighbors import Space, to_numpy

from .neighbor_stream import Ordered

CLUSTERINGS = ("components", "peaks", "hdbscan")
FEWEST = 10  # points below which density peaks see one cluster
ONE_SIDED = 0.95


@dataclass(frozen=True, eq=False)
class Region:
    """One place where a sample has more points than the other.

    "Own" is the sample with the excess: the test sample for ``side="over"``, the reference for ``"under"``.  Row
    numbers count from the start of each sample.

    Attributes
    ----------
    side : {"over", "under"}
    number : int
        0 for the largest signal of the side.
    resolved : bool
        Whether any point was pruned; without, there are no counts (NaN).
    n_flagged, n_pruned, n_anomalous, n_injected : int
        Own points above the threshold; those removed by equalisation; those recovered, with scores like the pruned
        ones; points of the other sample that would score as high (the background).
    level : float
        Score from which points are recovered.
    background, background_se : float
        Own points expected without an excess.
    signal, signal_se : float
        Own points beyond them. Errors are those of the counts of this region; where its border runs is not in them.
    purity, purity_se, purity_lower : float
        Share of genuine points among the recovered ones, not clipped; one-sided 95 % lower bound.
    significance, significance_li_ma : float
        S / sqrt(B) (infinite at B = 0), and the Poisson likelihood ratio that knows B is counted (Li & Ma 1983).
    density_ratio, density_ratio_lower : float
        Own density over that expected; one-sided 95 % lower bound.
    p_value : float
        Smallest p-value of its flagged points.
    scale : float
        Median rank at which the points stand out most.
    centre : array (D,)
        Mean (circular where periodic) of the recovered points.
    shift : array (D,)
        Their displacement, per feature, from the background points of the region (from the middle of the other sample
        where there are fewer than two), in standard deviations of the other sample.
    own_rows, other_rows : array of int
        Flagged rows of both samples.
    anomalous_rows, injected_rows, pruned_rows : array of int
    """

    side: str
    number: int
    resolved: bool
    n_flagged: int
    n_pruned: int
    n_anomalous: int
    n_injected: int
    level: float
    background: float
    background_se: float
    signal: float
    signal_se: float
    purity: float
    purity_se: float
    purity_lower: float
    significance: float
    significance_li_ma: float
    density_ratio: float
    density_ratio_lower: float
    p_value: float
    scale: float
    centre: np.ndarray = field(repr=False)
    shift: np.ndarray = field(repr=False)
    own_rows: np.ndarray = field(repr=False)
    other_rows: np.ndarray = field(repr=False)
    anomalous_rows: np.ndarray = field(repr=False)
    injected_rows: np.ndarray = field(repr=False)
    pruned_rows: np.ndarray = field(repr=False)

    _contents = {
        "side": choices("over", "under"),
        "number": whole(),
        "centre": numbers("D"),
        "shift": numbers("D"),
        "own_rows": integers("F"),
        "other_rows": integers("G"),
        "anomalous_rows": integers("A"),
        "injected_rows": integers("I"),
        "pruned_rows": integers("P"),
    }

    @property
    def established(self) -> bool:
        """Whether its signal is above zero with 95 % confidence."""
        return bool(self.purity_lower > 0)

    @property
    def name(self) -> str:
        return f"{self.side} {self.number}"

    def to_dict(self) -> dict:
        """The numbers, without the rows."""
        hidden = ("centre", "shift", "own_rows", "other_rows", "anomalous_rows", "injected_rows", "pruned_rows")
        return {key: value for key, value in vars(self).items() if key not in hidden}


class Counts(NamedTuple):
    """What counts say about a region."""

    background: float
    background_se: float
    signal: float
    signal_se: float
    purity: float
    purity_se: float
    purity_lower: float
    significance: float
    significance_li_ma: float
    density_ratio: float
    density_ratio_lower: float


def group_flagged(ordered: Ordered, flagged, pruned, k_star: np.ndarray, own: int, clustering: str, Z: float):
    """Cluster of every flagged item (places in `flagged`), -1 for none.

    "components": pruned points are joined when each is among the other's k* nearest, its own detected scale; every
    other flagged point goes with the nearest pruned one among its k* nearest.  Those that see none are joined among
    themselves.  (Joining all flagged points at once makes one region of several: the surroundings of an excess stand
    out at the largest ranks, and reach each other.)
    """
    if len(flagged) == 0:
        return np.empty(0, np.int64)
    if clustering == "components":
        return _components(ordered, flagged, np.isin(flagged, pruned), np.maximum(k_star[flagged] - own, 1))
    part = ordered.space.take(flagged)
    if len(flagged) < FEWEST:
        return np.zeros(len(flagged), np.int64)
    return _peaks(part, Z) if clustering == "peaks" else _hdbscan(part)


def count_signal(n_own: int, n_other: int, exposure: float) -> Counts:
    """Background, signal, purity and their errors; `exposure` is own over other where nothing happened (spec 2.9)."""
    from scipy.stats import beta

    background, signal = exposure * n_other, n_own - exposure * n_other
    if not n_own:  # a counting half may see nobody
        nothing = dict.fromkeys(Counts._fields, np.nan)
        return Counts(**(nothing | dict(background=background, signal=signal)))
    purity = signal / n_own
    # Clopper-Pearson: the share of the other sample among all points of the region is at most `share`
    share = float(beta.ppf(ONE_SIDED, n_other + 1, n_own))
    rate = share / (1 - share) * exposure if share < 1 else np.inf
    return Counts(
        background=background,
        background_se=exposure * np.sqrt(max(n_other, 1)),  # none seen is known no better than one
        signal=signal,
        signal_se=float(np.sqrt(n_own + exposure**2 * max(n_other, 1))),
        purity=purity,
        purity_se=exposure / n_own * np.sqrt(n_other**2 / n_own + max(n_other, 1)),
        purity_lower=1 - rate,
        significance=signal / np.sqrt(background) if background else np.inf,
        significance_li_ma=_li_ma(n_own, n_other, exposure),
        density_ratio=n_own / background if background else np.inf,
        density_ratio_lower=1 / rate if rate else np.inf,
    )


def make_regions(side, space, labels, rows, cluster, scores, p_values, k_star, pruned, level, exposure, quantile):
    """Regions of one side, the largest signal first, and the region of every row asked about (-1: none).

    `labels` are 1 for the sample with the excess; `rows` are the flagged items of both, `cluster` their clusters.
    """
    first_of = _offsets(side, labels)
    background = _background(space, labels)
    was_pruned = np.zeros(len(labels), np.bool_)
    was_pruned[pruned] = True
    found = []
    for c in range(int(cluster.max(initial=-1)) + 1):
        members = rows[cluster == c]
        own, other = members[labels[members] == 1], members[labels[members] == 0]
        if not len(own):
            continue  # only points that would be flagged, and nobody who is
        gone = own[was_pruned[own]]
        region: dict = dict(side=side, n_flagged=len(own), n_pruned=len(gone), p_value=float(p_values[own].min()))
        region.update(scale=float(np.median(k_star[own])), resolved=len(gone) > 0)
        anomalous, injected, from_level = own[:0], other[:0], np.nan
        counts: dict = dict.fromkeys(Counts._fields, np.nan)
        if len(gone):
            from_level = float(np.quantile(scores[gone], quantile))
            anomalous, injected = (items[~exceeds(from_level, scores[items])] for items in (own, other))
            counts = count_signal(len(anomalous), len(injected), exposure)._asdict()
        shown = anomalous if len(anomalous) else own
        region.update(level=from_level, n_anomalous=len(anomalous), n_injected=len(injected), **counts)
        region.update(_place(space, shown, injected, background))
        for key, items, sample in (("own_rows", own, 1), ("other_rows", other, 0), ("anomalous_rows", anomalous, 1),
                                   ("injected_rows", injected, 0), ("pruned_rows", gone, 1)):  # fmt: skip
            region[key] = np.sort(items) - first_of[sample]
        found.append((members, region))
    found = _in_order(found, background)
    of_item = np.full(len(labels), -1, np.int64)
    regions = []
    for number, (members, region) in enumerate(found):
        of_item[members] = number
        regions.append(Region(number=number, **region))
    return tuple(regions), of_item


# --------------------------------------------------------------------------------------------------------------- steps
def _in_order(found: list, background) -> list:
    """The resolved ones first, by signal, then by flagged points, p-value and place, as far as rounding can tell."""
    keys = [(not one["resolved"], -np.nan_to_num(one["signal"]), -one["n_flagged"], one["p_value"], *one["centre"])
            for _, one in found]  # fmt: skip
    if not keys:
        return found
    sizes = np.ones(len(keys[0]))
    sizes[3] = 0.0
    if background is not None:
        sizes[4:] = np.abs(background[0]) + background[1]
    levels = [level_ties(column, size) for column, size in zip(np.transpose(keys), sizes, strict=True)]
    return [found[i] for i in np.lexsort(levels[::-1])]


def _components(ordered: Ordered, flagged: np.ndarray, core: np.ndarray, reach: np.ndarray) -> np.ndarray:
    i, j, squared = _pairs(ordered, flagged, reach)
    cluster = np.full(len(flagged), -1, np.int64)
    cluster[core] = _joined(i, j, core)
    size = np.bincount(cluster[core], minlength=1)
    follows = ~core[i] & core[j]
    i_core, j_core = i[follows], j[follows]
    order = np.lexsort((cluster[j_core], -size[cluster[j_core]], level_ties(squared[follows]), i_core))
    who, first = np.unique(i_core[order], return_index=True)
    cluster[who] = cluster[j_core[order][first]]
    alone = cluster < 0
    cluster[alone] = cluster.max() + 1 + _joined(i, j, alone)
    return cluster


def _pairs(ordered: Ordered, flagged: np.ndarray, reach: np.ndarray):
    """(i, j, squared distance) of flagged points j among the nearest of flagged points i, as far as each reaches."""
    number = np.full(len(ordered), -1, np.int32)
    number[flagged] = np.arange(len(flagged))
    found = []
    width = int(reach.max())

    def look(places, squared, items):
        near = np.where(np.arange(width) < reach[places][:, None], number[items], -1)
        row, column = np.nonzero(near >= 0)
        found.append((places[row], near[row, column], squared[row, column]))

    ordered.each(look, width, flagged, label="regions")
    return tuple(np.concatenate(part) for part in zip(*found, strict=True))


def _joined(i: np.ndarray, j: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Connected components of the chosen points, where each of a pair sees the other."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    m = len(chosen)
    both = chosen[i] & chosen[j]
    sees = coo_array((np.ones(int(both.sum()), np.int8), (i[both], j[both])), shape=(m, m)).tocsr()
    labels = connected_components(sees.multiply(sees.T), directed=False)[1][chosen]
    return np.unique(labels, return_inverse=True)[1].reshape(-1)


def _peaks(part: Space, Z: float) -> np.ndarray:
    from infoscope.density import DensityPeaks, PAk

    try:
        return DensityPeaks(Z, density=PAk(max_neighbors=min(100, len(part) - 1), calibrate=False)).fit(part).labels_
    except InfoscopeError as error:
        raise DataError(f"density peaks of the {len(part)} flagged points failed ({error}); use "
                        "clustering='components'") from error  # fmt: skip


def _hdbscan(part: Space) -> np.ndarray:
    from sklearn.cluster import HDBSCAN

    if part.metric not in ("euclidean", "manhattan", "chebyshev") or part.period.any():
        raise ParameterError("clustering='hdbscan' needs plain distances without periods; use 'components'")
    x = to_numpy(part.features).astype(np.float64) * part.feature_weights
    return HDBSCAN(metric=part.metric, copy=True).fit(x).labels_.astype(np.int64)


def _li_ma(n_on: int, n_off: int, exposure: float) -> float:
    """Eq. 17 of Li & Ma (1983), signed; exposure is on over off."""
    total = n_on + n_off
    on = n_on * np.log((1 + exposure) / exposure * n_on / total) if n_on else 0.0
    off = n_off * np.log((1 + exposure) * n_off / total) if n_off else 0.0
    return float(np.sign(n_on - exposure * n_off) * np.sqrt(max(2 * (on + off), 0.0)))


def _offsets(side: str, labels: np.ndarray) -> dict[int, int]:
    """Item number of the first row of the own (1) and of the other sample (0)."""
    if side == "over":
        return {1: int(np.count_nonzero(labels == 0)), 0: 0}
    return {1: 0, 0: int(np.count_nonzero(labels == 1))}


def _background(space: Space, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Mean and standard deviation of every feature over the background sample, circular where periodic."""
    if space.backend != "numpy" or space.metric not in ("euclidean", "manhattan", "chebyshev"):
        return None
    x, p = np.asarray(space.features[labels == 0], np.float64), space.period
    mean = x.mean(axis=0)
    for a in np.flatnonzero(p > 0):
        angle = x[:, a] * (2 * np.pi / p[a])
        mean[a] = np.arctan2(np.sin(angle).mean(), np.cos(angle).mean()) * p[a] / (2 * np.pi)
    return mean, np.sqrt(np.mean(_nearest_image(x - mean, p) ** 2, axis=0))


def _nearest_image(away: np.ndarray, period: np.ndarray) -> np.ndarray:
    p = np.where(period > 0, period, 1.0)
    return away - np.where(period > 0, period * np.rint(away / p), 0.0)


def _place(space: Space, shown, injected, background) -> dict:
    """Centre of the points shown, and how far it is from the injected ones, or from the middle of the background."""
    d = space.n_features
    if background is None:
        return dict(centre=np.full(d, np.nan), shift=np.full(d, np.nan))
    middle, spread = background
    varies = exceeds(spread, 0.0, np.abs(middle))
    first = to_numpy(space.features[shown[0]]).astype(np.float64)
    centre = first + space.displacements(np.full(len(shown), shown[0]), shown).mean(axis=0)
    if len(injected) > 1:
        middle = first + space.displacements(np.full(len(injected), shown[0]), injected).mean(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        shift = np.where(varies, _nearest_image(centre - middle, space.period) / spread, 0.0)
    x = np.asarray(space.features, np.float64)
    within = (x.min(axis=0) + x.max(axis=0)) / 2  # periodic centres are given in the turn that the data are in
    return dict(centre=within + _nearest_image(centre - within, space.period), shift=shift)
