"""Point-wise densities: a fixed number of neighbours, the k* of every point, and PAk."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln
from sklearn.base import BaseEstimator, DensityMixin

from infoscope.base import DataError, ParameterError, check_sample_weight, kernel, provenance
from infoscope.base.checks import check_positive_int
from infoscope.dimension import k_star
from infoscope.dimension.abide import adaptive_dimension
from infoscope.dimension.estimators import checked_input
from infoscope.dimension.k_star import FEWEST, thresholds
from infoscope.neighbors import NeighborGraph, Space, as_space

from .pak import most_likely_log_count
from .results import LogDensity
from .sample import Sample, make_sample, mass_within, neighbors_of_new

FOR_DIMENSION = 100  # neighbours that ABIDE may use
FEW_LOCAL = 5.0  # effective neighbours below which weights leave too little


class PointDensity(DensityMixin, BaseEstimator):
    """A scikit-learn estimator whose `fit` leaves a log density with its error at every item."""

    method = ""
    dimension: float | None
    n_jobs: int | None

    def fit(self, X, y=None, *, sample_weight=None):
        """Estimate the log density at every item.

        Parameters
        ----------
        X : array (N, D), frame, Space or NeighborGraph
            The items; a graph shares one neighbour search among several estimators.
        y : ignored
            For scikit-learn's pipelines.
        sample_weight : array (N,), optional
            Statistical weights, if `X` is not a Space that has them.  The density is that of the reweighted items.

        Returns
        -------
        self

        Raises
        ------
        DataError, ParameterError
            NaN, fewer than four different items, numbers of neighbours that do not fit.
        """
        if self.dimension is not None and not 0 < self.dimension < np.inf:
            raise ParameterError(f"dimension is {self.dimension!r}; it must be positive, or None to estimate it")
        space = None
        if not isinstance(X, NeighborGraph):
            space = _space_of(self, X, reset=True)
        if space is not None and sample_weight is not None:
            space = space.replace(sample_weight=check_sample_weight(sample_weight, len(space)))
        sample = make_sample(
            X if space is None else space,
            self._neighbors(),
            sample_weight=sample_weight if space is None else None,
            n_jobs=self.n_jobs,
        )
        table = sample.table
        self.dimension_ = float(self.dimension) if self.dimension is not None else _dimension_of(table)
        self.sample_, self.space_ = sample, space
        self._log_distances = np.log(table.distances)
        self._k = self._neighbors_of_points(table)
        self._values, self._errors, unsettled = self._densities(self._log_distances, table.items, self._k)
        self._spread(space, unsettled)
        return self

    def score_samples(self, X):
        """Log density at new points.

        All k neighbours of a new point are items of the sample.  A new point that equals an item is that item: its
        fitted value is given, in which the item itself is not counted.

        Parameters
        ----------
        X : array (M, D), frame or Space
            New points.

        Returns
        -------
        array (M,)
        """
        return self._at(self._new_space(X))[0]

    def score(self, X, y=None) -> float:
        """Sum of the log density over new points."""
        return float(self.score_samples(X).sum())

    def free_energy(self, temperature: float = 300.0, units: str = "kJ/mol") -> tuple[np.ndarray, np.ndarray]:
        """-kT times the log density of every item, minimum zero, and its standard error (see `LogDensity`)."""
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(self)
        return self.result_.free_energy(temperature, units)

    # ---- what methods differ in ----
    def _neighbors(self) -> int:
        raise TypeError(f"{type(self).__name__} does not define _neighbors")

    def _neighbors_of_points(self, table) -> np.ndarray:
        raise TypeError(f"{type(self).__name__} does not define _neighbors_of_points")

    def _neighbors_of_new(self, log_distances, items) -> np.ndarray:
        raise TypeError(f"{type(self).__name__} does not define _neighbors_of_new")

    def _densities(self, log_distances, items, k, new: bool = False):
        """log(k/N) - log V_d - d log r_k, mass in place of counts; its error is 1/sqrt of the effective neighbours."""
        mass, square = mass_within(self.sample_, items, k, new=new)
        value = np.log(mass) - self._log_volume(log_distances, k)
        return value, np.sqrt(square) / mass, 0

    def _log_volume(self, log_distances, k) -> np.ndarray:
        """log of N times the volume of the ball that holds k neighbours."""
        d = self.dimension_
        unit = d / 2 * np.log(np.pi) - gammaln(d / 2 + 1)
        return np.log(self.sample_.weight.sum()) + unit + d * log_distances[np.arange(len(k)), k - 1]

    # ---- steps ----
    def _at(self, new: Space) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Log density, error and neighbours at new points."""
        width = self.sample_.table.distances.shape[1]
        distances, items = neighbors_of_new(self.sample_, new, width, self.n_jobs)
        same = distances[:, 0] == 0
        with np.errstate(divide="ignore"):
            log_r = np.log(np.where(same[:, None], 1.0, distances))
        k = self._neighbors_of_new(log_r, items)
        value, error, _ = self._densities(log_r, items, k, new=True)
        value[same], error[same] = self._values[items[same, 0]], self._errors[items[same, 0]]
        return value, error, np.where(same, self._k[items[:, 0]], k)

    def _new_space(self, X) -> Space:
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(self)
        if self.space_ is None:
            raise ParameterError(
                "a density from a neighbour graph knows no features: fit it on the data to ask new points"
            )
        if isinstance(X, Space):
            return X
        known = self.space_
        if known.metric == "precomputed":
            raise ParameterError("new points need features, and this density was fitted on a matrix of distances")
        return Space(
            checked_input(self, X, reset=False),
            metric=known.metric,
            period=known.period if known.period.any() else None,
            feature_weights=None if known.metric == "cosine" else known.feature_weights,
            name="X",
            period_check=False,
        )

    def _spread(self, space: Space | None, unsettled: int) -> None:
        """From different points to all items, and into the result."""
        sample = self.sample_
        point = sample.point_of_item
        value, error, k = self._values[point], self._errors[point], self._k[point]
        outside = np.flatnonzero(point < 0)
        if len(outside) and space is not None:
            value[outside], error[outside], k[outside] = self._at(space.take(outside))
        self.log_density_, self.log_density_se_, self.k_star_ = value, error, k
        notes, warnings = self._remarks(unsettled)
        if space is not None and space.time is not None:
            warnings.append(
                "the rows are a trajectory: errors count them as independent, and are too small when "
                "neighbours in time are near each other"
            )
        coordinates = None
        if space is not None and space.backend == "numpy" and space.metric != "precomputed":
            coordinates = space.features
        parts = sample.table.input_parts if space is None else (space.features, space.sample_weight)
        self.result_ = LogDensity(
            log_density=value,
            log_density_se=error,
            k_star=k,
            dimension=self.dimension_,
            method=self.method,
            n_items=len(point),
            n_duplicates=sample.n_duplicates,
            n_effective=sample.n_effective,
            coordinates=coordinates,
            feature_names=None if space is None else space.feature_names,
            warnings=tuple(warnings),
            notes=tuple(notes),
            provenance=provenance(type(self).__name__, self.get_params(), None, *parts),
        )

    def _remarks(self, unsettled: int) -> tuple[list[str], list[str]]:
        sample = self.sample_
        notes, warnings = list(sample.notes), []
        if self.dimension is None:
            notes.append(
                f"the intrinsic dimension {self.dimension_:.3g} is that of ABIDE; its error is not in the "
                "errors of the density"
            )
        if unsettled:
            notes.append(
                f"{unsettled} points have too many neighbours at one distance for PAk; the density of their "
                "k* neighbours is given"
            )
        if sample.weighted:
            notes.append(
                "weights are mass in place of counts; k* is tested on plain counts"
                + (
                    "; PAk has no weighted likelihood: its value for the plain sample times the mean weight of the "
                    "neighbours is approximate"
                    if self.method == "PAk"
                    else ""
                )
            )
            mass, square = mass_within(sample, sample.table.items, self._k)
            local = float(np.median(mass**2 / square))
            if local < FEW_LOCAL:
                warnings.append(f"the weights leave a typical point {local:.2g} effective neighbours: use more")
        width = sample.table.distances.shape[1]
        more = width < sample.table.n_items - 1
        if more and self.method != "k-NN" and (capped := float(np.mean(self._k >= width - 1))) > 0.5:
            warnings.append(f"{capped:.0%} of the points would use more than {width} neighbours: raise n_neighbors")
        warnings += _beyond_half_period(sample, self._k)
        return notes, warnings


class KNNDensity(PointDensity):
    """Density from the distance of the k-th neighbour.

    Parameters
    ----------
    k : int
        Neighbours.
    dimension : float, optional
        Intrinsic dimension; that of `ABIDE` by default.
    n_jobs : int, optional
        Threads of the neighbour search.

    Attributes
    ----------
    log_density_, log_density_se_ : array (N,)
        Log density at every item and its standard error.
    k_star_ : array (N,) of int
        Neighbours used.
    dimension_ : float
        Intrinsic dimension.
    result_ : LogDensity
        All of it, with pictures.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.density import KNNDensity
    >>> x = np.random.default_rng(0).normal(size=(2000, 1))
    >>> found = KNNDensity(k=50, dimension=1).fit(x)
    >>> bool(abs(found.score_samples([[0.0]])[0] + 0.5 * np.log(2 * np.pi)) < 0.4)
    True
    """

    method = "k-NN"

    def __init__(self, k=10, *, dimension=None, n_jobs=None):
        self.k = k
        self.dimension = dimension
        self.n_jobs = n_jobs

    def _neighbors(self) -> int:
        k = check_positive_int(self.k, "k", 1)
        return k if self.dimension is not None else max(k, FOR_DIMENSION)

    def _neighbors_of_points(self, table) -> np.ndarray:
        return np.full(len(table.rows), min(self.k, table.distances.shape[1]), np.int64)

    def _neighbors_of_new(self, log_distances, items) -> np.ndarray:
        return np.full(len(items), min(self.k, items.shape[1]), np.int64)


class KStarNN(PointDensity):
    """Density from as many neighbours of every point as see a constant density.

    Parameters
    ----------
    alpha : float
        Level of the test that ends a neighbourhood.
    n_neighbors : int
        The most neighbours a point may have.
    dimension : float, optional
        Intrinsic dimension; that of `ABIDE` by default.
    n_jobs : int, optional
        Threads of the neighbour search.

    Attributes
    ----------
    log_density_, log_density_se_, k_star_, dimension_, result_
        As for `KNNDensity`.

    References
    ----------
    d'Errico, Facco, Laio, Rodriguez, Information Sciences 560, 476 (2021).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.density import KStarNN
    >>> x = np.random.default_rng(0).normal(size=(2000, 2))
    >>> values, errors = KStarNN().fit(x).free_energy(300, "kJ/mol")
    >>> float(values.min())
    0.0
    """

    method = "k*-NN"

    def __init__(self, alpha=1e-6, *, n_neighbors=100, dimension=None, n_jobs=None):
        self.alpha = alpha
        self.n_neighbors = n_neighbors
        self.dimension = dimension
        self.n_jobs = n_jobs

    def _neighbors(self) -> int:
        if not 0 < self.alpha < 1:
            raise ParameterError(f"alpha is {self.alpha!r}; it must lie between 0 and 1")
        return check_positive_int(self.n_neighbors, "n_neighbors", 4)

    def _neighbors_of_points(self, table) -> np.ndarray:
        width = table.distances.shape[1]
        if width <= FEWEST:  # too few for the test: all are used
            return np.full(len(table.rows), width, np.int64)
        return k_star(table, self.dimension_, self.alpha)

    def _neighbors_of_new(self, log_distances, items) -> np.ndarray:
        out = np.full(len(items), items.shape[1], np.int64)
        if items.shape[1] <= FEWEST:
            return out
        edge = thresholds(items.shape[1], self.alpha, self.dimension_)
        _first_failure_of_new(log_distances, items, self._log_distances, edge, out)
        return out


class PAk(KStarNN):
    """Density from the k* neighbours of every point, corrected for a linear change of the log density among them.

    Parameters
    ----------
    alpha, n_neighbors, dimension, n_jobs
        As for `KStarNN`.

    Attributes
    ----------
    log_density_, log_density_se_, k_star_, dimension_, result_
        As for `KNNDensity`.

    References
    ----------
    Rodriguez, d'Errico, Facco, Laio, Journal of Chemical Theory and Computation 14, 1206 (2018).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.density import PAk
    >>> x = np.random.default_rng(0).normal(size=(2000, 2))
    >>> found = PAk(dimension=2).fit(x)
    >>> pull = (found.log_density_ + np.log(2 * np.pi) + (x**2).sum(1) / 2) / found.log_density_se_
    >>> bool(0.7 < pull.std() < 1.3)
    True
    """

    method = "PAk"

    def __init__(self, alpha=1e-6, *, n_neighbors=100, dimension=None, n_jobs=None):
        super().__init__(alpha, n_neighbors=n_neighbors, dimension=dimension, n_jobs=n_jobs)

    def _densities(self, log_distances, items, k, new: bool = False):
        log_count, settled = most_likely_log_count(log_distances, k, self.dimension_)
        mass, square = mass_within(self.sample_, items, k, new=new)
        value = log_count + np.log(mass / k) - self._log_volume(log_distances, k)
        # (F, F) of the inverse Fisher matrix for k shells, and what the weights of k points add: CV^2/k
        variance = (4 * k + 2) / (k * (k - 1)) + np.maximum(square / mass**2 - 1 / k, 0.0)
        return value, np.sqrt(variance), int((~settled).sum())


# --------------------------------------------------------------------------------------------------------------- steps
def _dimension_of(table) -> float:
    try:
        return float(adaptive_dimension(table))
    except DataError as error:
        raise DataError(f"{error} Or pass the dimension, if you know it: dimension=2") from error


def _space_of(estimator, X, *, reset: bool) -> Space:
    space = X if isinstance(X, Space) else as_space(checked_input(estimator, X, reset=reset), name="X")
    estimator.n_features_in_ = space.n_features
    if space.feature_names is not None:
        estimator.feature_names_in_ = np.array(space.feature_names, dtype=object)
    return space


def _beyond_half_period(sample: Sample, k) -> list[str]:
    """Balls that meet themselves around the torus are no balls."""
    space = sample.space
    if space is None or not space.period.any():
        return []
    around = np.asarray(space.period * space.feature_weights)[np.asarray(space.period) > 0]
    around = around[around > 0]
    if not len(around):
        return []
    radius = sample.table.distances[np.arange(len(k)), k - 1]
    far = float(np.mean(radius > around.min() / 2))
    return (
        [
            f"{far:.0%} of the neighbourhoods are wider than half a period: their volumes are too large; use fewer "
            "neighbours"
        ]
        if far > 0.01
        else []
    )


@kernel()
def _first_failure_of_new(log_r, items, log_r_points, edge, out):
    """The k* test with the ball of a new point; a neighbour's ball is the one of the sample."""
    for i in range(log_r.shape[0]):
        out[i] = log_r.shape[1] - 1
        for k in range(3, log_r.shape[1]):
            if abs(log_r[i, k - 1] - log_r_points[items[i, k], k - 1]) > edge[k]:
                out[i] = k
                break
