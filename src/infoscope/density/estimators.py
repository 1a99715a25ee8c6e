"""Point-wise densities: a fixed number of neighbours, the k* of every point, and PAk."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from scipy.special import gammaln, psi
from sklearn.base import BaseEstimator, DensityMixin

from infoscope.base import DataError, ParameterError, check_sample_weight, deprecated, provenance
from infoscope.base.checks import check_choice, check_positive_int, check_vector
from infoscope.base.contents import holds, integers, number, numbers
from infoscope.base.documentation import DocumentedEstimator
from infoscope.dimension import k_star
from infoscope.dimension.abide import adaptive_scale
from infoscope.dimension.automatic_width import MOST, first_width, is_auto, next_width
from infoscope.dimension.estimators import checked_input, warn_of_constant_columns
from infoscope.dimension.k_star import FEWEST, check_correction, first_failure, thresholds
from infoscope.dimension.neighborhood_scale import Scale
from infoscope.neighbors import Space, as_space, graph_of, is_series, item_origin, looking_at_row_order, settle_window

from .bias import Bias, bias_of_points
from .calibration import Calibration, calibrate
from .edges import METRICS, coordinates_of, mean_shifts
from .entropy import entropy
from .fit_notes import notes_and_warnings
from .neighborhoods import TOO_WIDE, beyond_half_period
from .pak import most_likely_log_count
from .results import LogDensity
from .statistical_inefficiency import Correlated, statistical_inefficiency
from .unique_points import Sample, make_sample, mass_within, neighbors_of_new, with_neighbors

FOR_DIMENSION = 100  # neighbours that ABIDE may use
COUNTS = ("k", "k-1", "digamma")
SILENCE = "or `exclusion_window=0` to silence"


class PointDensity(DensityMixin, DocumentedEstimator, BaseEstimator):
    """A scikit-learn estimator whose `fit` leaves a log density with its error at every item."""

    method = ""
    count = "k"
    dimension: float | None
    calibrate: bool
    n_jobs: int | None
    result_: LogDensity
    _window: float | None = None  # within which rows count as one visit, where it was given
    _calibrated: Calibration | None = None
    _dimension_scale: Scale | None = None  # where the dimension is from, until the notes have told it

    _contents = {
        "sample_": holds(Sample),
        "space_": holds(Space) | None,
        "result_": holds(LogDensity),
        "dimension_": number(0),
        "calibration_": number(0),
        "log_density_": numbers("sample_.point_of_item"),
        "log_density_se_": numbers("sample_.point_of_item"),
        "k_star_": integers("sample_.point_of_item"),
        "_k": integers("sample_.weight", low=1),
        "_values": numbers("sample_.weight"),
        "_errors": numbers("sample_.weight"),
        "_log_distances": numbers("sample_.weight", "K"),
        "_gradient": numbers("sample_.weight", "D") | None,
        "_bias": holds(Bias) | None,
        "_correlated": holds(Correlated) | None,
    }

    def _check_contents(self) -> None:
        """Raise where neighbourhoods that were read are wider than the table, or something has other points."""
        sample, width = self.sample_, self.sample_.table.distances.shape[1]
        if int(self._k.max()) > width or self._log_distances.shape[1] != width:
            raise DataError(f"_k of {type(self).__name__} goes beyond the {width} neighbours of its table")
        lengths: list[tuple[int | None, int | None]]
        lengths = [(None if self.space_ is None else len(self.space_), len(sample.point_of_item))]
        lengths += [(None if self._bias is None else len(self._bias.potential), len(sample.weight))]
        lengths += [(None if self._correlated is None else len(self._correlated.inefficiency), len(sample.weight))]
        gradient, known = self._gradient, sample.space
        lengths += [
            (
                None if gradient is None or known is None else gradient.shape[1],
                None if known is None else known.n_features,
            )
        ]
        if any(length not in (None, wanted) for length, wanted in lengths):
            raise DataError(f"the parts of {type(self).__name__} have different points")

    def fit(self, X, y=None, *, sample_weight=None, bias=None, exclusion_window=None):
        """Estimate the log density at every item.

        Parameters
        ----------
        X : array (N, D), frame, Space or NeighborGraph
            The items; a graph shares one neighbour search among several estimators.
        y : ignored
            For scikit-learn's pipelines.
        sample_weight : array (N,), optional
            Statistical weights, if `X` is not a Space that has them.  The density is that of the reweighted items.
        bias : array (N,), optional
            Static bias potential of every item in units of kT, a function of the features: the density is that without
            it.  Better than weights, which leave few effective neighbours where the potential was low.
        exclusion_window : float or "auto", optional
            Time within which rows of a run count as one visit, for the errors; 0 says that rows are in no order
            (models, poses), and counts each.  Default: two correlation times where times or runs are known.

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
        graph = graph_of(X)
        known = X if graph is None else graph.space  # a graph may know its items
        space: Space | Any = None if graph is not None and known is None else _space_of(self, known)
        if space is not None and sample_weight is not None:
            space = space.replace(sample_weight=check_sample_weight(sample_weight, len(space)))
        self._window = None
        if space is not None:
            space, self._window = settle_window(space, exclusion_window)
        with looking_at_row_order(self._window != 0, way_out=SILENCE) as look:
            self._offered = MOST if graph is None else int(np.diff(graph.indptr).min())
            data: Any = space if graph is None else replace(graph, space=space)
            sample = make_sample(
                data, self._neighbors(), sample_weight=sample_weight if space is None else None, n_jobs=self.n_jobs
            )
            self._use(sample, space)
            self._widen(graph)
            self._estimate(bias)
        self.result_ = look.add_to(self.result_)
        return self

    def _estimate(self, bias):
        """Log density and errors from sample and neighbourhoods."""
        space, self._gradient = self.space_, None
        self._log_distances = np.log(self.sample_.table.distances)
        self._bias = None if bias is None else bias_of_points(bias, self.sample_, self.space_)
        self._correlated = None
        if space is not None and is_series(space):
            self._correlated = statistical_inefficiency(
                space, self.sample_, self._k, slope=self.method == "PAk", window=self._window, n_jobs=self.n_jobs
            )
        self._values, self._errors, unsettled = self._densities(self._log_distances, self.sample_.table.items, self._k)
        self._calibrate()
        rows = None if self._correlated is None else self._correlated.inefficiency
        self._errors = self._true_errors(self._errors, self._values, rows)
        if self._bias is not None:
            self._values = self._bias.removed(self._values, self._bias.potential)
        self._spread(space, unsettled)
        return self

    def score_samples(self, X, bias=None):
        """Log density at new points.

        All k neighbours of a new point are items of the sample.  A new point that equals an item is that item: its
        fitted value is given, in which the item itself is not counted.

        Parameters
        ----------
        X : array (M, D), frame or Space
            New points.
        bias : array (M,), optional
            Potential at the new points, needed when the density was fitted with one.

        Returns
        -------
        array (M,)

        Raises
        ------
        ParameterError
            `bias` is missing, or was not there in `fit`.
        """
        return self._at(self._new_space(X), bias)[0]

    def score(self, X, y=None, *, bias=None) -> float:
        """Sum of the log density over new points."""
        return float(self.score_samples(X, bias).sum())

    def free_energy(self, temperature: float = 300.0, units: str = "kJ/mol") -> tuple[np.ndarray, np.ndarray]:
        """-kT times the log density of every item, minimum zero, and its standard error (see `LogDensity`)."""
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(self)
        return self.result_.free_energy(temperature, units)

    @property
    def gradient_(self) -> np.ndarray:
        """Gradient of the log density at every item, (N, D), from mean shifts (`BMTI` keeps those of its fit).

        That of the biased density, if there is a bias potential; NaN where the weight is zero.
        """
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(self, "sample_")
        sample = self.sample_
        if self._gradient is None:
            if int(self._k.min()) < 2:
                raise ParameterError("a gradient needs neighbourhoods of two neighbours or more: raise k")
            self._gradient = mean_shifts(sample, self._k, self.dimension_, n_jobs=self.n_jobs)[0]
        known, point = sample.space, sample.point_of_item
        weights: Any = 1.0 if known is None or known.metric == "cosine" else known.feature_weights
        return np.where((point >= 0)[:, None], self._gradient[point] * weights, np.nan)

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
        value = np.log(mass) - self._log_volume(log_distances, k) + _correction(mass**2 / square, self.count)
        return value, np.sqrt(square) / mass, 0

    def _densities_of_new(self, new: Space, log_distances, items, k) -> tuple[np.ndarray, np.ndarray]:
        return self._densities(log_distances, items, k, new=True)[:2]

    def _log_volume(self, log_distances, k) -> np.ndarray:
        """log of N times the volume of the ball that holds k neighbours."""
        d = self.dimension_
        unit = d / 2 * np.log(np.pi) - gammaln(d / 2 + 1)
        return np.log(self.sample_.weight.sum()) + unit + d * log_distances[np.arange(len(k)), k - 1]

    # ---- steps ----
    def _use(self, sample: Sample, space: Space | Any) -> None:
        """Dimension and neighbourhoods of one table."""
        self.sample_, self.space_ = sample, space
        if self.dimension is None:
            self._dimension_scale = _scale_of(sample.table)
            self.dimension_ = self._dimension_scale.point.dimension
        else:
            self.dimension_ = float(self.dimension)
        self._k = self._neighbors_of_points(sample.table)

    def _widen(self, graph: Any) -> None:
        """As many neighbours as many points would use, at the dimension of the first table; then that of the last."""
        first = self.sample_
        while (wider := self._wider()) is not None:
            before, k = self.sample_, self._k
            self.sample_ = with_neighbors(first, wider, graph=graph, n_jobs=self.n_jobs)
            self._k = self._neighbors_of_points(self.sample_.table)
            if beyond_half_period(self.sample_, self._k) > TOO_WIDE:
                self.sample_, self._k = before, k
                break
        if self.sample_ is not first and self.dimension is None:
            self._use(self.sample_, self.space_)

    def _wider(self) -> int | None:
        """How many neighbours to ask for next; None if they are enough, or were given."""
        if not is_auto(getattr(self, "max_neighbors", None)):
            return None
        return next_width(self.sample_.table, self._k, self._offered)

    def _calibrate(self) -> None:
        """How far the errors that theory claims are from those that a known density like this one has."""
        known = self.sample_.space
        self.calibration_, self._calibrated = 1.0, None
        if not self.calibrate or known is None or known.metric not in METRICS or not np.isfinite(self._errors).all():
            return
        seed = int(getattr(self, "random_state", 0))
        weight = None
        if self.sample_.weighted:
            mass, _ = mass_within(self.sample_, self.sample_.table.items, self._k)
            weight = self.sample_.weight * self._k / mass
        self._calibrated = calibrate(self, *coordinates_of(known), self.dimension_, seed, weight=weight)
        if self._calibrated is not None:
            self.calibration_ = self._calibrated.factor

    def _true_errors(self, claimed, log_density, inefficiency) -> np.ndarray:
        """Claimed errors of independent rows, calibrated at each log density; a series has more noise, not bias."""
        ratio = self.calibration_ if self._calibrated is None else self._calibrated.at(log_density)
        if inefficiency is None:
            return claimed * ratio
        noise = np.minimum(ratio, 1.0) ** 2
        return claimed * np.sqrt(noise * inefficiency + ratio**2 - noise)

    def _masses(self) -> tuple[np.ndarray, float]:
        """Weight on every point without the bias potential, and Kish's number of equally weighted items."""
        sample = self.sample_
        if self._bias is None:
            return sample.weight, sample.n_effective
        factor = np.exp(self._bias.potential - self._bias.potential.max())
        mass = sample.weight * factor
        return mass, float(mass.sum() ** 2 / (sample.square * factor**2).sum())

    def _at(self, new: Space, bias=None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Log density, error and neighbours at new points."""
        if (bias is None) != (self._bias is None):
            raise ParameterError(
                "the density was fitted with a bias potential: pass its values at the new points, bias="
                if bias is None
                else "the density was fitted without a bias potential: fit(X, bias=...) first"
            )
        width = self.sample_.table.distances.shape[1]
        distances, items = neighbors_of_new(self.sample_, new, width, self.n_jobs)
        same = distances[:, 0] == 0
        with np.errstate(divide="ignore"):
            log_r = np.log(np.where(same[:, None], 1.0, distances))
        k = self._neighbors_of_new(log_r, items)
        value, error = self._densities_of_new(new, log_r, items, k)
        error = self._true_errors(error, value, None if self._correlated is None else self._correlated.among(items, k))
        if self._bias is not None:
            value = self._bias.removed(value, check_vector(bias, "bias", length=len(value)))
        value[same], error[same] = self._values[items[same, 0]], self._errors[items[same, 0]]
        return value, error, np.where(same, self._k[items[:, 0]], k)

    def _new_space(self, X, asked: Any = None) -> Space:
        """New points as a space; the estimator that was asked, if not this one, checks their features."""
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
            checked_input(self if asked is None else asked, X, reset=False),
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
        notes, warnings = notes_and_warnings(self, unsettled)
        self._dimension_scale = None
        coordinates = None
        if space is not None and space.backend == "numpy" and space.metric != "precomputed":
            coordinates = space.features
        parts = sample.table.input_parts if space is None else (space.hashed, space.sample_weight)
        total, total_se, off = entropy(
            sample, self._log_distances, self.dimension_, bias=self._bias, space=space, correlated=self._correlated
        )
        if off:
            warnings.append(f"of the entropy: {off}")
        count = None if self._correlated is None else self._correlated.inefficiency
        self.result_ = LogDensity(
            log_density=value,
            log_density_se=error,
            k_star=k,
            dimension=self.dimension_,
            method=self.method,
            n_items=len(point),
            n_duplicates=sample.n_duplicates,
            n_effective=self._masses()[1],
            entropy=total,
            entropy_se=total_se,
            calibration=self.calibration_,
            inefficiency=1.0 if count is None else float(np.median(count)),
            coordinates=coordinates,
            feature_names=None if space is None else space.feature_names,
            origin=item_origin(sample.space if space is None else space),
            warnings=tuple(warnings),
            notes=tuple(notes),
            provenance=provenance(type(self).__name__, self.get_params(), None, *parts),
        )


class KNNDensity(PointDensity):
    """Density from the distance of the k-th neighbour.

    Parameters
    ----------
    k : int
        Neighbours.
    count : {"k", "k-1", "digamma"}
        What stands for the number of neighbours: with "k-1" the density is right on average, with "digamma" its
        logarithm is.
    dimension : float, optional
        Intrinsic dimension; that of `ABIDE` by default.
    calibrate : bool
        Multiply the claimed errors with the ratio of true to claimed errors on a known density that looks like the
        data (see `infoscope.density.calibration`), which is `calibration_`.
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
    calibration_ : float
        What the claimed errors were multiplied with.
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

    def __init__(self, k=10, *, count="k", dimension=None, calibrate=True, n_jobs=None):
        self.k = k
        self.count = count
        self.dimension = dimension
        self.calibrate = calibrate
        self.n_jobs = n_jobs

    def _neighbors(self) -> int:
        k = check_positive_int(self.k, "k", 1)
        _checked_count(self.count, k)
        return k if self.dimension is not None else max(k, FOR_DIMENSION)

    def _neighbors_of_points(self, table) -> np.ndarray:
        return np.full(len(table.rows), min(self.k, table.distances.shape[1]), np.int64)

    def _neighbors_of_new(self, log_distances, items) -> np.ndarray:
        return np.full(len(items), min(self.k, items.shape[1]), np.int64)


@deprecated("n_neighbors", since="0.1", remove="0.2", instead="max_neighbors")
class KStarNN(PointDensity):
    """Density from as many neighbours of every point as see a constant density.

    ``log rho = log k* - log N - log V_d - d log r_k*``, with the volume V_d of the unit ball in d dimensions.

    Parameters
    ----------
    alpha : float
        Level of the test that ends a neighbourhood.
    correction : {None, "points", "tests", "bonferroni"}
        Whether that is the level of one test, or of all points at one k, of all tests at a point, or of both together,
        as for `infoscope.dimension.k_star`.
    max_neighbors : int or "auto"
        The most neighbours a point may have.  "auto" starts with 100 and doubles them, up to 1000, while more than a
        fifth of the points would use more.
    count : {"k", "k-1", "digamma"}
        As for `KNNDensity`.
    dimension : float, optional
        Intrinsic dimension; that of `ABIDE` by default.
    calibrate : bool
        Multiply the claimed errors with the ratio of true to claimed errors on a known density that looks like the
        data (see `infoscope.density.calibration`), which is `calibration_`.
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

    def __init__(
        self,
        alpha=1e-6,
        *,
        correction=None,
        max_neighbors="auto",
        count="k",
        dimension=None,
        calibrate=True,
        n_jobs=None,
    ):
        self.alpha = alpha
        self.correction = correction
        self.max_neighbors = max_neighbors
        self.count = count
        self.dimension = dimension
        self.calibrate = calibrate
        self.n_jobs = n_jobs

    @property
    def _level(self) -> tuple[float, str | None]:
        """Level of the k* test, and what it is the level of."""
        return self.alpha, self.correction

    def _neighbors(self) -> int:
        alpha, correction = self._level
        if not 0 < alpha < 1:
            raise ParameterError(f"alpha is {alpha!r}; it must lie between 0 and 1")
        check_correction(correction)
        _checked_count(self.count, FEWEST)
        return first_width(self.max_neighbors)

    def _neighbors_of_points(self, table) -> np.ndarray:
        width = table.distances.shape[1]
        if width <= FEWEST:  # too few for the test: all are used
            return np.full(len(table.rows), width, np.int64)
        alpha, correction = self._level
        return k_star(table, self.dimension_, alpha, correction=correction)

    def _neighbors_of_new(self, log_distances, items) -> np.ndarray:
        out = np.full(len(items), items.shape[1], np.int64)
        if items.shape[1] <= FEWEST:
            return out
        alpha, correction = self._level
        edge = thresholds(items.shape[1], alpha, self.dimension_, correction, self.sample_.table.n_items)
        first_failure(log_distances, self._log_distances, items, edge, out)
        return out


@deprecated("n_neighbors", since="0.1", remove="0.2", instead="max_neighbors")
class PAk(KStarNN):
    """Density from the k* neighbours of every point, corrected for a linear change of the log density among them.

    F = log(N rho) and a maximise ``sum_l [F + a l - v_l exp(F + a l)]`` over shells l = 1 ... k* of volumes v_l.

    Parameters
    ----------
    alpha, correction, max_neighbors, dimension, calibrate, n_jobs
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

    def __init__(
        self, alpha=1e-6, *, correction=None, max_neighbors="auto", dimension=None, calibrate=True, n_jobs=None
    ):
        limits = dict(correction=correction, max_neighbors=max_neighbors, dimension=dimension)
        super().__init__(alpha, **limits, calibrate=calibrate, n_jobs=n_jobs)

    def _densities(self, log_distances, items, k, new: bool = False):
        log_count, settled = most_likely_log_count(log_distances, k, self.dimension_)
        mass, square = mass_within(self.sample_, items, k, new=new)
        value = log_count + np.log(mass / k) - self._log_volume(log_distances, k)
        # (F, F) of the inverse Fisher matrix for k shells, and what the weights of k points add: CV^2/k
        variance = (4 * k + 2) / (k * (k - 1)) + np.maximum(square / mass**2 - 1 / k, 0.0)
        return value, np.sqrt(variance), int((~settled).sum())


# --------------------------------------------------------------------------------------------------------------- steps
def _correction(k: np.ndarray, count: str) -> np.ndarray:
    """What another count in place of k changes: k - 1 makes a density right on average, digamma its logarithm."""
    if count == "k":
        return np.zeros(len(k))
    return (np.log(k - 1) if count == "k-1" else psi(k)) - np.log(k)


def _checked_count(count: str, fewest: float) -> None:
    check_choice(count, "count", COUNTS)
    if count == "k-1" and fewest <= 1:
        raise ParameterError("count='k-1' leaves nothing of one neighbour: use more, or another count")


def _scale_of(table) -> Scale:
    if table.distances.shape[1] < FEWEST + 1:
        raise DataError(
            f"{table.n_items} different items are too few to find their dimension: pass it, as in dimension=2"
        )
    try:
        return adaptive_scale(table)
    except DataError as error:
        raise DataError(f"{error} Or pass the dimension, if you know it: dimension=2") from error


def _space_of(estimator, X) -> Space:
    space = X if isinstance(X, Space) else as_space(checked_input(estimator, X, reset=True), name="X")
    warn_of_constant_columns(space)
    estimator.n_features_in_ = space.n_features
    if space.feature_names is not None:
        estimator.feature_names_in_ = np.array(space.feature_names, dtype=object)
    return space
