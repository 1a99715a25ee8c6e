"""How large errors really are: the same estimate on data whose density is known and looks like that of the data.

What an estimator claims leaves out its bias (a neighbourhood is smoothed over) and how neighbourhoods depend on each
other.  Neither can be seen in the data, where the truth is unknown.  So a mixture of Gaussians, as fine as the data
allow, takes the place of the truth: points are drawn from it, as many as there are, the density is estimated from them
in the same way, and the root mean square of (error)/(claimed error) is what claimed errors are multiplied with.

Far out a neighbourhood is wide beside the length over which the density falls, and the bias is larger than at a peak.
So the ratio is taken in tenths of the points by their true density (by the estimate, those with a large error would
choose themselves), the lowest tenth in two parts, and each item gets the ratio at its own log density, between the mean
estimates of these parts.  Where true densities differ by less than the errors (an even density) one ratio serves all.

Of what is added to the noise, the bias does not grow where rows are correlated: with a statistical inefficiency g and a
ratio f > 1 the error is the claimed one times the root of g + f^2 - 1.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from infoscope.base.contents import numbers, whole
from infoscope.base.rounding import first_lowest
from infoscope.neighbors import Space

ENOUGH = 6000  # points drawn in all: the factor is known to a few percent
MOST_POINTS = 20_000  # of one set
MOST_SETS = 5
MOST_FITTED = 5000  # points the mixture is fitted to
SIZES = (1, 2, 3, 4, 6, 8, 12, 16)
WORSE = 2  # sizes in a row that do not help before the search ends
PER_PARAMETER = 3  # points that a parameter of the mixture needs
FEWEST = 20
PARTS = (0.0, 0.03, *np.linspace(0.1, 1.0, 10))  # of the points by density, each of which has a ratio
FEWEST_IN_PART = 30


@dataclass(frozen=True)
class Calibration:
    """What claimed errors are multiplied with.

    Attributes
    ----------
    factor, factor_se : float
        Root mean square of (error)/(claimed error) on the stand-in; its spread over sets of points, or nan for one.
    n_components : int
        Gaussians of the mixture that stands for the data; 0 for an even density on a torus, where that fits better.
    n_points, n_sets : int
        Points of one set; sets.
    dimension : int
        Coordinates of the stand-in: all, or as many principal components as the intrinsic dimension.
    log_densities, factors : array (P,)
        The ratio in parts of the points by density, and the mean estimate there, rising.
    """

    factor: float
    factor_se: float
    n_components: int
    n_points: int
    n_sets: int
    dimension: int
    log_densities: Any = field(default=None, repr=False)
    factors: Any = field(default=None, repr=False)

    _contents = {
        "n_components": whole(),
        "n_points": whole(),
        "n_sets": whole(),
        "dimension": whole(),
        "log_densities": numbers("P", finite=True) | None,
        "factors": numbers("log_densities", finite=True) | None,
    }

    def at(self, log_density: np.ndarray) -> np.ndarray:
        """The ratio for items of these log densities (estimated, of the biased sample)."""
        if self.log_densities is None:
            return np.full(len(log_density), self.factor)
        return np.exp(np.interp(log_density, self.log_densities, np.log(self.factors)))

    @property
    def note(self) -> str:
        """One sentence for the result."""
        drawn = f"from {self.n_components} Gaussians" if self.n_components else "evenly"
        return (
            f"claimed errors were multiplied with {self.factor:.2f}{self._range}, the ratio of true to claimed errors "
            f"on {self.n_sets} x {self.n_points} points drawn {drawn} in {self.dimension} dimensions that stand for "
            "the data"
        )

    @property
    def _range(self) -> str:
        if self.factors is None or len(self.factors) < 2:
            return ""
        return f" ({self.factors[0]:.2f} where the density is lowest, {self.factors[-1]:.2f} where it is highest)"


def calibrate(
    estimator: Any,
    coordinates: np.ndarray,
    period: np.ndarray,
    d: float,
    random_state: int = 0,
    *,
    weight: np.ndarray | None = None,
):
    """The ratio of true to claimed errors of an estimator on a stand-in for the data.

    Parameters
    ----------
    estimator : PointDensity
        Its parameters; it is not fitted again.
    coordinates : array (U, D)
        Of the points, in the metric of the estimate.
    period : array (D,) or empty
        Their periods; the stand-in is cut where the data are emptiest.
    d : float
        Intrinsic dimension.
    random_state : int
        Draws the points.
    weight : array (U,), optional
        Weight of each point over the mean weight around it: given to the stand-in in random order.  How weights change
        from place to place is held fixed, at even.

    Returns
    -------
    Calibration or None
        None for fewer than 20 points.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.density import KStarNN
    >>> from infoscope.density.calibration import calibrate
    >>> x = np.random.default_rng(0).normal(size=(1000, 6))
    >>> found = calibrate(KStarNN(max_neighbors=50), x, np.empty(0), 6.0)            # smoothing is not in 1/sqrt(k*)
    >>> found.n_components, bool(found.factor > 1.3)
    (1, True)
    """
    n = len(coordinates)
    if n < FEWEST:
        return None
    m = int(np.clip(round(d), 1, coordinates.shape[1]))
    x = _flat(_unrolled(coordinates, period), m)
    mixture = _mixture(x, random_state)
    torus = len(period) == m and bool(period.all())
    # an even density has no parameters: its criterion is -2 log L alone
    even = period if torus and 2 * len(x) * np.log(period).sum() < mixture.bic(x) else None
    n_points = min(n, MOST_POINTS)
    n_sets = int(np.clip(round(ENOUGH / n_points), 1, MOST_SETS))
    squares: list[float] = []
    told = []
    for s in range(n_sets):
        seed = [random_state, s]
        y, truth = _draw(mixture, n_points, seed) if even is None else _draw_evenly(even, n_points, seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is to be said about the data is said of the data
            drawn = None if weight is None else np.random.default_rng([*seed, 1]).permutation(weight)[:n_points]
            stand_in = Space(y, period=even, period_check=False, sample_weight=drawn, name="the stand-in")
            found = _fitted_again(estimator, m, stand_in)
        pull = (found.log_density_ - truth) / found.log_density_se_
        known = np.isfinite(pull)
        squares.append(float(np.mean(pull[known] ** 2)))
        told.append(np.stack([truth, found.log_density_, pull])[:, known])
    factor = float(np.sqrt(np.mean(squares)))
    spread = float(np.std(squares, ddof=1) / np.sqrt(n_sets) / (2 * factor)) if n_sets > 1 else np.nan
    n_components = mixture.n_components if even is None else 0
    return Calibration(factor, spread, n_components, n_points, n_sets, m, *_by_density(*np.concatenate(told, axis=1)))


# --------------------------------------------------------------------------------------------------------------- steps
def _by_density(truth: np.ndarray, found: np.ndarray, pull: np.ndarray):
    """Mean estimate and ratio in parts of the points by true density; one part where densities hardly differ."""
    cuts = np.unique(np.round(np.array(PARTS) * len(truth)).astype(int))
    if len(truth) < FEWEST_IN_PART / PARTS[1] or np.std(truth) < np.std(found - truth):
        cuts = cuts[[0, -1]]
    order = np.argsort(truth, kind="stable")
    parts = [order[a:b] for a, b in zip(cuts[:-1], cuts[1:], strict=True)]
    places = np.array([found[part].mean() for part in parts])
    ratios = np.array([np.sqrt(np.mean(pull[part] ** 2)) for part in parts])
    return np.maximum.accumulate(places), ratios


def _unrolled(x: np.ndarray, period: np.ndarray) -> np.ndarray:
    """Periodic coordinates cut in the middle of their largest gap."""
    if not len(period):
        return x
    x = x.copy()
    for a in np.flatnonzero(period > 0):
        around = np.sort(np.mod(x[:, a], period[a]))
        gaps = np.diff(np.append(around, around[0] + period[a]))
        after = first_lowest(-gaps, period[a])
        x[:, a] = np.mod(x[:, a] - around[after] - gaps[after] / 2, period[a])
    return x


def _flat(x: np.ndarray, m: int) -> np.ndarray:
    """The first m principal components, where data bend through more coordinates than they have dimensions."""
    x = x - x.mean(axis=0)
    if m == x.shape[1]:
        return x
    _, axes = np.linalg.eigh(x.T @ x)
    return x @ axes[:, ::-1][:, :m]


def _mixture(x: np.ndarray, random_state: int):
    """The mixture with the lowest Bayesian information criterion."""
    from sklearn.mixture import GaussianMixture

    from infoscope.base import one_blas_thread

    n, m = x.shape
    if n > MOST_FITTED:
        x = x[np.random.default_rng(random_state).choice(n, MOST_FITTED, replace=False)]
    unit = x.std(axis=0).mean()
    best, lowest, worse = None, np.inf, 0
    for size in SIZES:
        if size > 1 and PER_PARAMETER * size * (m + 1) * (m + 2) / 2 > len(x):
            break
        with one_blas_thread(), np.errstate(all="ignore"):
            fitted = GaussianMixture(size, random_state=random_state, max_iter=100, reg_covar=1e-6 * unit**2).fit(x)
        score = fitted.bic(x)
        if score < lowest:
            best, lowest, worse = fitted, score, 0
        else:
            worse += 1
        if worse == WORSE:
            break
    return best


def _draw(mixture, n: int, seed) -> tuple[np.ndarray, np.ndarray]:
    """Points of the mixture in random order, and their log density."""
    g = np.random.default_rng(seed)
    which = g.choice(mixture.n_components, n, p=mixture.weights_ / mixture.weights_.sum())
    roots = np.linalg.cholesky(mixture.covariances_)
    y = mixture.means_[which] + np.einsum("nij,nj->ni", roots[which], g.normal(size=(n, mixture.means_.shape[1])))
    return y, mixture.score_samples(y)


def _draw_evenly(period: np.ndarray, n: int, seed) -> tuple[np.ndarray, np.ndarray]:
    return np.random.default_rng(seed).random((n, len(period))) * period, np.full(n, -np.log(period).sum())


def _fitted_again(estimator: Any, m: int, space: Space):
    source = getattr(estimator, "_source", None)  # a density whose neighbourhoods were used
    return _again(estimator, m).fit(space if source is None else _again(source, m).fit(space))


def _again(estimator: Any, m: int):
    """An unfitted copy that knows the dimension, looks at as many neighbours, and claims what theory says."""
    from sklearn.base import clone

    known = {"dimension": float(m), "calibrate": False}
    if "max_neighbors" in estimator.get_params() and hasattr(estimator, "sample_"):
        known["max_neighbors"] = estimator.sample_.table.distances.shape[1]
    return clone(estimator).set_params(**known)
