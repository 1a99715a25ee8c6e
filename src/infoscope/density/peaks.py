"""Clusters as peaks of the density that stand out of its error, with the saddles between them."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator, ClusterMixin, clone

from infoscope.base import DataError, ParameterError, provenance
from infoscope.base.contents import holds, integers, numbers
from infoscope.base.documentation import DocumentedEstimator
from infoscope.base.rounding import exceeds

from .estimators import PAk, PointDensity
from .new_points import StatesAtPoints, state_probabilities
from .peaks_result import Clusters
from .peaks_scan import ClusterScan, DecisionGraph, separation
from .populations import find_populations, shares_of_items
from .saddle_resolution import unresolved_saddles
from .topography import Basins, find_basins, merge_peaks
from .unique_points import neighbors_of_new, ranks_of


class DensityPeaks(ClusterMixin, DocumentedEstimator, BaseEstimator):
    """Clusters around the significant peaks of the density, without a number of clusters given.

    A peak is merged over a saddle where ``log rho_peak - log rho_saddle < Z (error_peak + error_saddle)``.

    Parameters
    ----------
    Z : float
        A peak is real when it is higher than its saddles by Z times the sum of the errors of both.
    density : estimator, optional
        `PAk` by default; or `KStarNN`, `KNNDensity`, with the options wanted.
    halo : bool
        Whether items below the highest saddle of their cluster get the label -1.

    Attributes
    ----------
    labels_ : array (N,) of int
        Cluster of every item, 0 the one with the highest peak.
    centers_ : array (C,) of int
        Item at each peak.
    peak_log_density_, peak_log_density_se_ : array (C,)
        Its height and error.
    saddle_log_density_, saddle_log_density_se_ : array (C, C)
        Highest point between two clusters; NaN where they do not touch.
    populations_, populations_se_ : array (C,)
        Share of the weight in every cluster, and its error.
    density_ : estimator
        The fitted density.
    result_ : Clusters
        All of it, with pictures.

    References
    ----------
    d'Errico, Facco, Laio, Rodriguez, Information Sciences 560, 476 (2021).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.density import DensityPeaks
    >>> g = np.random.default_rng(0)
    >>> x = np.concatenate([g.normal(size=(500, 2)), g.normal(size=(500, 2)) + 8])
    >>> np.bincount(DensityPeaks(Z=3).fit_predict(x)).tolist()
    [500, 500]
    """

    _contents = {
        "density_": holds(PointDensity),
        "basins_": holds(Basins),
        "result_": holds(Clusters),
        "labels_": integers("density_.log_density_", low=-1, below="centers_"),
        "centers_": integers("C", below="labels_"),
        "populations_": numbers("centers_"),
        "populations_se_": numbers("centers_") | None,
        "peak_log_density_": numbers("centers_"),
        "peak_log_density_se_": numbers("centers_"),
        "saddle_log_density_": numbers("centers_", "centers_"),
        "saddle_log_density_se_": numbers("centers_", "centers_"),
    }

    def _check_contents(self) -> None:
        if len(self.basins_.labels) != len(self.density_.sample_.weight):
            raise DataError("basins_ of DensityPeaks have other points than its density_")

    def __init__(self, Z=1.65, *, density=None, halo=False):
        self.Z = Z
        self.density = density
        self.halo = halo

    def fit(self, X, y=None, *, sample_weight=None, bias=None, exclusion_window=None):
        """Find the clusters.

        Parameters
        ----------
        X : array (N, D), frame, Space, NeighborGraph or fitted density
            The items; a density fitted before is used as it is.
        y : ignored
            For scikit-learn's pipelines.
        sample_weight : array (N,), optional
            Statistical weights, if `X` does not have them.
        bias : array (N,), optional
            Static bias potential in units of kT, as for the density.
        exclusion_window : float or "auto", optional
            As for the density.

        Returns
        -------
        self

        Raises
        ------
        DataError, ParameterError
            As for the density.
        """
        _check_significance(self.Z)
        if isinstance(X, PointDensity):
            if sample_weight is not None or bias is not None or exclusion_window is not None:
                raise ParameterError("a fitted density has its weights or its bias already, and its window")
            from sklearn.utils.validation import check_is_fitted

            check_is_fitted(X)
            self.density_ = X
        else:
            if self.density is not None and not isinstance(self.density, PointDensity):
                raise ParameterError(f"density is {self.density!r}; it is KNNDensity(), KStarNN(), PAk() or BMTI()")
            density = PAk(calibrate=False) if self.density is None else clone(self.density)
            self.density_ = density.fit(X, sample_weight=sample_weight, bias=bias, exclusion_window=exclusion_window)
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(self.density_, name):
                setattr(self, name, getattr(self.density_, name))
        fitted = self.density_
        if not np.isfinite(fitted._errors).all():
            raise ParameterError("the density has no errors, without which no peak is significant: fit it with errors")
        ranks = ranks_of(fitted.sample_)
        self.basins_ = find_basins(fitted._values, fitted._errors, fitted._k, fitted.sample_.table.items, ranks)
        self.result_ = found = self.cut(self.Z, halo=self.halo)
        self.labels_, self.centers_, self.populations_ = found.labels, found.centers, found.populations
        self.populations_se_ = found.populations_se
        self.peak_log_density_, self.peak_log_density_se_ = found.peak_log_density, found.peak_log_density_se
        self.saddle_log_density_, self.saddle_log_density_se_ = found.saddle_log_density, found.saddle_log_density_se
        return self

    def cut(self, Z: float, *, halo: bool | None = None) -> Clusters:
        """The clusters at another significance, from the same peaks; the estimator stays as it is.

        Parameters
        ----------
        Z : float
            Significance.
        halo : bool, optional
            As the estimator by default.

        Returns
        -------
        Clusters

        Examples
        --------
        >>> import numpy as np
        >>> from infoscope.density import DensityPeaks
        >>> g = np.random.default_rng(0)
        >>> x = np.concatenate([g.normal(size=(500, 2)), g.normal(size=(500, 2)) + 4])
        >>> found = DensityPeaks(Z=0).fit(x)
        >>> [found.cut(Z).n_clusters for Z in (1.65, 20)]
        [2, 1]
        """
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(self, "basins_")
        Z = _check_significance(Z)
        fitted, basins = self.density_, self.basins_
        value, error = fitted._values, fitted._errors
        merged, left, number, of_point = self._states(Z)
        saddle = np.full((len(left), len(left)), -1)
        for (a, b), point in merged.saddles.items():
            saddle[number[a], number[b]] = saddle[number[b], number[a]] = point
        height = np.where(saddle >= 0, value[saddle], np.nan)
        visited = find_populations(fitted, of_point, len(left))
        labels, n_halo = self._labels_of_items(of_point, height, self.halo if halo is None else bool(halo))
        item = self._first_items()
        peaks = basins.centers[left]
        record = dict(self.get_params(deep=False), Z=Z, halo=halo, density=repr(fitted))
        return Clusters(
            labels=labels,
            centers=item[peaks],
            peak_log_density=value[peaks],
            peak_log_density_se=error[peaks],
            saddle_log_density=height,
            saddle_log_density_se=np.where(saddle >= 0, error[saddle], np.nan),
            saddle_is_bound=unresolved_saddles(fitted, peaks, saddle),
            saddle_items=np.where(saddle >= 0, item[saddle], -1),
            populations=visited.shares,
            populations_se=visited.shares_se,
            populations_covariance=visited.covariance,
            n_stretches=visited.n_stretches,
            Z=Z,
            n_items=len(labels),
            n_peaks=len(basins.centers),
            n_halo=n_halo,
            merges=tuple(
                (int(item[basins.centers[a]]), int(item[basins.centers[b]]), float(value[p]), significance)
                for a, b, p, significance in merged.merges
            ),
            log_density=fitted.log_density_,
            item_weight=shares_of_items(fitted),
            method=fitted.method,
            dimension=fitted.dimension_,
            coordinates=fitted.result_.coordinates,
            feature_names=fitted.result_.feature_names,
            origin=fitted.result_.origin,
            warnings=(*fitted.result_.warnings, *visited.warnings),
            notes=(*fitted.result_.notes, *visited.notes),
            provenance=provenance("DensityPeaks", record, None, fitted.log_density_),
        )

    def scan(self, Z=None) -> ClusterScan:
        """How many clusters are left at each significance, from the same peaks.

        Parameters
        ----------
        Z : array-like, optional
            Significances; 0 to 10, or twice the estimator's, in 41 steps by default.

        Returns
        -------
        ClusterScan

        Examples
        --------
        >>> import numpy as np
        >>> from infoscope.density import DensityPeaks, PAk
        >>> g = np.random.default_rng(0)
        >>> x = np.concatenate([g.normal(size=(500, 2)), g.normal(size=(500, 2)) + 4])
        >>> print(DensityPeaks(density=PAk(dimension=2)).fit(x).scan([1.65, 3, 5, 50]).verdict)
        2 clusters over the longest stretch, Z = 1.65 to 3; 1 at Z = 50.
        """
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(self, "basins_")
        values = np.linspace(0, max(10.0, 2 * self.Z), 41) if Z is None else np.sort(np.atleast_1d(Z).astype(float))
        density, counts = self.density_, []
        for one in values:
            merged = merge_peaks(self.basins_, density._values, density._errors, _check_significance(float(one)))
            counts.append(len(np.unique(merged.survivor)))
        record = dict(self.get_params(deep=False), density=repr(density))
        return ClusterScan(
            Z=values,
            n_clusters=np.array(counts),
            Z_used=float(self.Z),
            provenance=provenance("DensityPeaks", record, None, density.log_density_),
        )

    def decision_graph(self) -> DecisionGraph:
        """Distance to the nearest denser item against log density less its error: peaks without any test.

        Returns
        -------
        DecisionGraph

        References
        ----------
        Rodriguez, Laio, Science 344, 1492 (2014).
        """
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(self, "basins_")
        density = self.density_
        point = density.sample_.point_of_item
        apart = np.where(point >= 0, separation(density)[point], np.nan)
        record = dict(self.get_params(deep=False), density=repr(density))
        return DecisionGraph(
            lower_log_density=density.log_density_ - density.log_density_se_,
            separation=apart,
            centers=self.centers_,
            origin=density.result_.origin,
            provenance=provenance("DensityPeaks", record, None, density.log_density_),
        )

    def predict(self, X, bias=None) -> np.ndarray:
        """State of new points: the most probable one.

        Parameters
        ----------
        X : array (M, D), frame or Space
            New points, with the features of the data.
        bias : array (M,), optional
            Potential at the new points, needed when the density was fitted with one.

        Returns
        -------
        array (M,) of int
            With ``halo=True`` -1 below the highest saddle of the state.  A point that equals an item has its state.

        Raises
        ------
        DataError, ParameterError
            Other features than those of the data; a density of a graph, which knows none; `bias` is missing.

        Examples
        --------
        >>> import numpy as np
        >>> from infoscope.density import DensityPeaks
        >>> g = np.random.default_rng(0)
        >>> x = np.concatenate([g.normal(size=(500, 2)), g.normal(size=(500, 2)) + 8])
        >>> peaks = DensityPeaks(Z=3).fit(x)
        >>> bool((peaks.predict([[0.1, 0], [7.9, 8]]) == peaks.labels_[[0, 500]]).all())
        True
        """
        found = self.states_at(X, bias)
        return np.where(found.in_halo, -1, found.state) if self.halo else found.state

    def predict_proba(self, X, bias=None) -> np.ndarray:
        """Probability of every state for new points, from the error of their density.

        A point belongs to its nearest neighbour that is denser; which one that is hangs on its own density, known to
        its error (`infoscope.density.new_points`).

        Parameters
        ----------
        X, bias
            As for `predict`.

        Returns
        -------
        array (M, C)
            Rows add up to one; also for points in the halo.

        Raises
        ------
        DataError, ParameterError
            As for `predict`.

        Examples
        --------
        >>> import numpy as np
        >>> from infoscope.density import DensityPeaks
        >>> g = np.random.default_rng(0)
        >>> x = np.concatenate([g.normal(size=(500, 2)), g.normal(size=(500, 2)) + 8])
        >>> float(DensityPeaks(Z=3).fit(x).predict_proba([[0.1, 0]]).max().round(6))
        1.0
        """
        return self.states_at(X, bias).probability

    def states_at(self, X, bias=None) -> StatesAtPoints:
        """All that is known of the states of new points, from one look at their densities.

        Parameters
        ----------
        X, bias
            As for `predict`.

        Returns
        -------
        StatesAtPoints
            ``state`` and ``in_halo`` (M,), ``probability`` (M, C).

        Raises
        ------
        DataError, ParameterError
            As for `predict`.

        Examples
        --------
        >>> import numpy as np
        >>> from infoscope.density import DensityPeaks
        >>> g = np.random.default_rng(0)
        >>> x = np.concatenate([g.normal(size=(500, 2)), g.normal(size=(500, 2)) + 8])
        >>> DensityPeaks(Z=3).fit(x).states_at([[0.1, 0], [7.9, 8]]).in_halo          # no saddle joins the two
        array([False, False])
        """
        probability, value = self._at_new(X, bias)
        state = np.argmax(probability, axis=1)
        saddles = np.where(np.isnan(self.saddle_log_density_), -np.inf, self.saddle_log_density_)
        return StatesAtPoints(state, exceeds(saddles.max(axis=1)[state], value, 1.0), probability)

    # ---- steps ----
    def _states(self, Z: float):
        """What is merged at this significance, the peaks that are left, the number of each, the state of each point."""
        basins, density = self.basins_, self.density_
        merged = merge_peaks(basins, density._values, density._errors, Z)
        left = np.flatnonzero(merged.survivor == np.arange(len(merged.survivor)))
        number = np.full(len(merged.survivor), -1)
        number[left] = np.arange(len(left))
        return merged, left, number, number[merged.survivor[basins.labels]]

    def _at_new(self, X, bias) -> tuple[np.ndarray, np.ndarray]:
        """Probabilities of states, and log density, of new points."""
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(self, "basins_")
        density = self.density_
        new = density._new_space(X, self)
        value, error, _ = density._at(new, bias)
        _, left, _, of_point = self._states(float(self.Z))
        width = density.sample_.table.distances.shape[1]
        distances, items = neighbors_of_new(density.sample_, new, width, density.n_jobs)
        lower = density._values - density._errors
        probability = state_probabilities(value - error, error, items, lower, of_point, len(left))
        same = distances[:, 0] == 0
        probability[same] = np.eye(len(left))[of_point[items[same, 0]]]
        return probability, value

    def _labels_of_items(self, of_point, height, halo: bool) -> tuple[np.ndarray, int]:
        fitted = self.density_
        point = fitted.sample_.point_of_item
        labels = of_point[point]
        outside = np.flatnonzero(point < 0)
        if fitted.space_ is not None and len(outside):  # weight zero (a graph has none): as the nearest point
            nearest = neighbors_of_new(fitted.sample_, fitted.space_.take(outside), 1, fitted.n_jobs)[1]
            labels[outside] = of_point[nearest[:, 0]]
        if not halo:
            return labels, 0
        highest = np.max(np.where(np.isnan(height), -np.inf, height), axis=1)
        below = exceeds(highest[labels], fitted.log_density_, 1.0)
        return np.where(below, -1, labels), int(below.sum())

    def _first_items(self) -> np.ndarray:
        """The first item on every point of the sample."""
        point = self.density_.sample_.point_of_item
        inside = np.flatnonzero(point >= 0)
        return inside[np.unique(point[inside], return_index=True)[1]]


# --------------------------------------------------------------------------------------------------------------- steps
def _check_significance(Z) -> float:
    if isinstance(Z, str) or not np.isscalar(Z) or not 0 <= float(Z) < np.inf:  # type: ignore[arg-type]
        raise ParameterError(f"Z is {Z!r}; it is a number of standard errors, zero or more")
    return float(Z)  # type: ignore[arg-type]
