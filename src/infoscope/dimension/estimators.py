"""What the estimators of this room share: how data become tables, and what correlated rows ask for."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from infoscope.base import ParameterError, warn
from infoscope.base.rounding import STEPS
from infoscope.neighbors import NeighborGraph, Space, as_space
from infoscope.statistics import correlation_time


def checked_input(estimator, X, *, reset: bool = True):
    """What scikit-learn asks of its estimators' input; names, and where a NaN stands, are for `Space` to tell."""
    if type(X).__module__.split(".")[0] in ("torch", "dask"):
        return X
    from sklearn.utils.validation import validate_data

    values = validate_data(estimator, X, reset=reset, ensure_all_finite=False, ensure_min_samples=2 if reset else 1)
    return X if hasattr(X, "columns") else values


def warn_of_constant_columns(space: Space) -> None:
    """They change no distance; but who passes them may have meant something else."""
    if space.backend != "numpy" or space.metric in ("precomputed", "labels", "bits"):
        return
    same = np.flatnonzero((space.features == space.features[0]).all(axis=0))
    if not 0 < len(same) < space.n_features:
        return
    named = [str(d) if space.feature_names is None else str(space.feature_names[d]) for d in same[:5]]
    warn(
        f"{len(same)} of {space.n_features} columns of {space.name or 'the data'} are constant and tell nothing: "
        f"{', '.join(named)}{', ...' if len(same) > 5 else ''}"
    )


class DimensionEstimator(BaseEstimator):
    """A scikit-learn estimator whose `fit` leaves `result_`, `dimension_` and `dimension_se_`.

    Ratios of neighbour distances of a trajectory compare successive frames of one other passage, which no window
    repairs: rows are thinned to one in half a correlation time instead, and all such thinnings averaged.
    """

    thin: Any
    n_jobs: int | None

    def fit(self, X, y=None, *, time=None, run=None):
        """Estimate the dimension.

        Parameters
        ----------
        X : array (N, D), frame, Space or NeighborGraph
            The items; a graph shares one neighbour search among several estimators.
        y : ignored
            For scikit-learn's pipelines.
        time, run : array (N,), optional
            When and in which series an item was seen, if `X` is not a Space that knows.

        Returns
        -------
        self

        Raises
        ------
        DataError, ParameterError
            NaN, too few different items, ranks that do not fit.
        """
        if isinstance(X, NeighborGraph):
            if time is not None or run is not None:
                raise ParameterError("time and run go with data, not with a neighbour graph")
            self.result_ = self._estimate(X, ())
        else:
            space = X if isinstance(X, Space) else as_space(checked_input(self, X), name="X")
            space = (
                space
                if time is None and run is None
                else space.replace(
                    **{name: values for name, values in (("time", time), ("run", run)) if values is not None}
                )
            )
            warn_of_constant_columns(space)
            self.n_features_in_ = space.n_features
            if space.feature_names is not None:
                self.feature_names_in_ = np.array(space.feature_names, dtype=object)
            self.result_ = self._thinned(space)
        self.dimension_, self.dimension_se_ = self.result_.dimension, self.result_.dimension_se
        return self

    def _thinned(self, space: Space):
        stride = self._stride(space)
        if stride == 1:
            return self._estimate(space, ())
        rows = np.arange(len(space))
        order = rows if space.time is None else np.lexsort((space.time, rows * 0 if space.run is None else space.run))
        found = [self._estimate(space.take(np.sort(order[first::stride])), ()) for first in range(stride)]
        note = (
            f"rows are correlated: one in {stride} was used, and the estimates of the {stride} ways to do so were "
            "averaged; the error is that of one"
        )
        return self._averaged(found, stride, note)

    def _stride(self, space: Space) -> int:
        thin = self.thin
        if thin is None or (isinstance(thin, str) and thin == "auto" and space.time is None):
            return 1
        if isinstance(thin, str) and thin == "auto":
            from infoscope.imbalance.plan import row_step

            period = space.period if space.period.any() else None
            tau = correlation_time(space.features, time=space.time, run=space.run, period=period, n_jobs=self.n_jobs)
            return max(1, int(np.ceil(tau.value / row_step(space) / 2 * (1 - STEPS))))
        from infoscope.base.checks import check_positive_int

        return check_positive_int(thin, "thin", 1)

    def _estimate(self, data, notes):
        raise TypeError(f"{type(self).__name__} does not define _estimate")

    def _averaged(self, found, stride: int, note: str):
        raise TypeError(f"{type(self).__name__} does not define _averaged")
