"""What the estimators of this room share: how data become tables, and what correlated rows ask for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from infoscope.base import DataError, ParameterError, check_positive_int, number_kinds, warn
from infoscope.base.documentation import DocumentedEstimator
from infoscope.base.origin import spell_duration
from infoscope.base.rounding import STEPS
from infoscope.neighbors import (
    Space,
    as_space,
    collected,
    graph_of,
    kind_of,
    looking_at_row_order,
    row_step,
    series_correlation,
    settle_window,
)
from infoscope.statistics import run_order

from .thinning_errors import Ratios, variance_ratio


def checked_input(estimator, X, *, reset: bool = True):
    """What scikit-learn asks of its estimators' input; names, and where a NaN stands, are for `Space` to tell."""
    X = collected(X)
    if kind_of(X) not in ("numpy", "pandas", "polars", "scipy") and not isinstance(X, (list, tuple)):
        return X  # tensors, chunks, named dimensions, tables of Arrow: a Space reads them, scikit-learn does not
    if isinstance(X, np.ndarray) and X.dtype.names:
        return X
    from sklearn.utils.validation import validate_data

    number_kinds.refuse_sparse(X, "X")
    number_kinds.refuse_complex(X, "X")
    if hasattr(X, "set_axis") and not all(isinstance(column, str) for column in X.columns):
        X = X.set_axis([str(column) for column in X.columns], axis=1)  # a column may be called 20
    if hasattr(X, "set_axis") and any(hasattr(dtype, "subtype") and hasattr(dtype, "fill_value") for dtype in X.dtypes):
        X = X.astype(
            {column: getattr(dtype, "subtype", dtype) for column, dtype in X.dtypes.items()}
        )  # zeros written out
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


class DimensionEstimator(DocumentedEstimator, BaseEstimator):
    """A scikit-learn estimator whose `fit` leaves `result_`, `dimension_` and `dimension_se_`.

    Ratios of neighbour distances of a trajectory compare successive frames of one other passage, which no window
    repairs: rows are thinned to one in half a correlation time instead, and all such thinnings averaged.
    """

    thin: Any
    n_jobs: int | None

    def fit(self, X, y=None, *, time=None, run=None, exclusion_window=None):
        """Estimate the dimension.

        Parameters
        ----------
        X : array (N, D), frame, Space or NeighborGraph
            The items; a graph shares one neighbour search among several estimators.  The weights of a Space say how
            much every item counts in the average.
        y : ignored
            For scikit-learn's pipelines.
        time, run : array (N,), optional
            When and in which series an item was seen, if `X` is not a Space that knows.
        exclusion_window : float or "auto", optional
            Time that rows must be apart to be used together; 0 says that rows are in no order (models, poses), and
            uses all of them.  Default: half a correlation time where times or runs are known.

        Returns
        -------
        self

        Raises
        ------
        DataError, ParameterError
            NaN, too few different items, ranks that do not fit.
        """
        given = {name: values for name, values in (("time", time), ("run", run)) if values is not None}
        if exclusion_window is not None and self.thin != "auto":
            raise ParameterError(f"thin={self.thin!r} and exclusion_window both say how rows are thinned: give one")
        silent = self.thin is None or exclusion_window == 0
        with looking_at_row_order(not silent, way_out="or `exclusion_window=0` to silence") as look:
            if (graph := graph_of(X)) is not None:
                if given:
                    raise ParameterError(f"{', '.join(given)} go with data, not with a neighbour graph")
                result = self._estimate(graph, ())
            else:
                space = X if isinstance(X, Space) else as_space(checked_input(self, X), name="X")
                space = space.replace(**given) if given else space
                warn_of_constant_columns(space)
                self.n_features_in_ = space.n_features
                if space.feature_names is not None:
                    self.feature_names_in_ = np.array(space.feature_names, dtype=object)
                result = self._thinned(*settle_window(space, exclusion_window))
        self.result_ = look.add_to(result)
        self.dimension_, self.dimension_se_ = self.result_.dimension, self.result_.dimension_se
        return self

    def _thinned(self, space: Space, window: float | None):
        stride = self._stride(space, window)
        if stride == 1:
            return self._estimate(space, ())
        order = run_order(len(space), space.time, space.run).rows
        parts = [np.sort(order[first::stride]) for first in range(stride)]
        try:
            found, ratios = zip(*(self._measured(space.take(part), ()) for part in parts), strict=True)
        except DataError as error:
            how = "half a correlation time"
            if window is not None:
                how = f"a window of {spell_duration(window, space.time_unit)}"
            raise DataError(
                f"rows are taken as a trajectory and thinned to one in {stride} ({how}), which leaves "
                f"{len(order) // stride} of {len(order)}: {error}. Rows that do not follow each other in time (models, "
                "docked poses) are used all with exclusion_window=0; a trajectory must be longer"
            ) from error
        note = (
            f"rows are correlated: one in {stride} was used, and the estimates of the {stride} ways to do so were "
            "averaged; the error is that of "
        )
        kept = [one._replace(rows=part[one.rows]) for one, part in zip(ratios, parts, strict=True) if one is not None]
        if not kept:
            return self._averaged(found, stride, note + "one")
        result = self._averaged(found, stride, note + "their mean")
        return self._of_mean(result, variance_ratio(space, kept, min(one.log_mu.shape[1] for one in kept)))

    def _stride(self, space: Space, window: float | None = None) -> int:
        return thinning(space, self.thin, window, n_jobs=self.n_jobs)

    def _estimate(self, data, notes):
        raise TypeError(f"{type(self).__name__} does not define _estimate")

    def _measured(self, data, notes) -> tuple[Any, Ratios | None]:
        """The estimate, and what its rows add; None where the error is more than their scatter."""
        return self._estimate(data, notes), None

    def _averaged(self, found, stride: int, note: str):
        raise TypeError(f"{type(self).__name__} does not define _averaged")

    def _of_mean(self, result, ratio: np.ndarray):
        """With the error of the mean, whose variance is in this ratio to that of one thinning, at every scale."""
        covariance = result.covariance * np.sqrt(np.outer(ratio, ratio))
        return replace(result, covariance=covariance, dimension_se=np.sqrt(np.diag(covariance)))


def thinning(space: Space, thin: Any = "auto", window: float | None = None, *, n_jobs: int | None = None) -> int:
    """Of every so many rows one is used, so that ratios of distances are of rows that do not remember each other.

    Parameters
    ----------
    space : Space
    thin : "auto", int or None
        "auto" takes half a correlation time where times or runs are known, None all rows.
    window : float, optional
        Time that rows must be apart, where it was given.
    n_jobs : int, optional
        Threads.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.dimension.estimators import thinning
    >>> from infoscope.neighbors import Space
    >>> poses = Space(np.random.default_rng(0).normal(size=(90, 2)), time=0.5 * np.arange(90))
    >>> thinning(poses), thinning(poses, window=1.5)
    (1, 3)
    """
    if thin is None or window == 0:
        return 1
    if window is not None:
        return max(1, int(np.ceil(window / row_step(space) * (1 - STEPS))))
    if isinstance(thin, str) and thin == "auto":
        series = series_correlation(space, n_jobs=n_jobs)
        return 1 if series is None else series.thinning
    return check_positive_int(thin, "thin", 1)
