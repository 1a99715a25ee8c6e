"""`Space`: N items and a way to measure distance between them."""

from __future__ import annotations

import dataclasses
from collections.abc import KeysView, Sequence, ValuesView
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from infoscope.base import DataError, ParameterError, checks, fingerprint
from infoscope.base.array_types import Array, ArrayLike, Floats
from infoscope.base.contents import choices, holds, integers, numbers, values
from infoscope.base.origin import Origin, check_origin
from infoscope.statistics import as_periods

from . import kernels, space_checks
from .column_statistics import deviations as deviations_of
from .column_statistics import inverse_deviations
from .convert import Data, kind_of, to_columns, to_numpy
from .directions import ON_ZERO, directions, note_of_zeros, refuse_on_zero, rows_of_own_axes
from .graph import NeighborGraph
from .known_neighbors import read_lists
from .ownership import owned

METRICS = ("euclidean", "manhattan", "chebyshev", "cosine", "hamming", "labels", "bits", "precomputed", "neighbors")
PERIODIC = ("euclidean", "manhattan", "chebyshev")

Given: TypeAlias = np.ndarray | Any  # whatever is given becomes an array; what may be left out may stay None
Queries: TypeAlias = "Space | ArrayLike | None"  # the rows: new points, numbers of some items, or all items


@dataclass(frozen=True, eq=False, repr=False)
class Space:
    """N items and a way to measure distance between them; immutable, without hidden caches.

    Parameters
    ----------
    features : array (N, D), frame, tensor, Dask array, or list of (T_i, D) arrays
        One row an item.  A list of arrays is a list of runs.  float32 and float64 are kept, under every metric, and all
        else becomes float64.  The numbers are copied, so that what is written to the data later changes nothing; a
        read-only array is not.
    metric : str
        "euclidean", "manhattan", "chebyshev", "cosine" (1 - cos), "hamming" (number of unequal entries), "labels"
        (0 or 1), "bits" (packed, Hamming), "precomputed" (a symmetric N x N matrix of distances).  `from_neighbors`
        makes a space of which only the nearest are known.
    period : float, sequence or dict, optional
        Period of each feature; 0 or None where a feature is not periodic.  A dict goes by feature name.
    feature_weights : array (D,), optional
        Multiply differences: d^2 = sum w^2 delta^2.
    scale : {"standard", None}
        "standard" divides each column by its standard deviation (circular for periodic ones).
    sample_weight : array (N,), optional
        Statistical weights of the items (reweighted or biased sampling).
    time, run : array (N,), optional
        When, and in which trajectory or series, an item was seen.  Dates become seconds since the first of them.
        ``time=False`` is for data that bring times (xarray) which are not to be used.
    ids : array (N,), optional
        Names of the items; two spaces with ids must agree in them, as in times and runs.
    feature_names : sequence of str, optional
        Names of the columns.
    name : str, optional
        What to call the space in results and plots.
    n_bits : int, optional
        For ``metric="bits"``: how many bits of the packed rows count.
    period_check : bool
        Whether columns are checked against their period (degrees read as radians).
    on_zero : {"raise", "far"}
        For ``metric="cosine"``, of NumPy arrays: what becomes of rows that are all zeros, which have no direction.
        "far" puts them at distance 1 from all others, and names them in the notes.
    digest : str, optional
        Of the numbers, where it is known, as `ArrayStore.digest` is: hashes of the input of results take it, and do not
        read all numbers again.
    origin : Origin, optional
        Files, rows or frames and times of the items, where they were read from files; results name items by it.

    Raises
    ------
    DataError
        NaN or infinite entries, wrong shapes, negative weights, a period that does not fit the data, ...
    ParameterError
        Unknown metric or scale, options that do not go together.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.neighbors import Space
    >>> space = Space(np.array([[0.0, 0.0], [3.0, 4.0]]))
    >>> space.pair_distances([0], [1])
    array([5.])
    """

    features: Array
    metric: str = "euclidean"
    period: Given = None
    feature_weights: Given = None
    scale: str | None = None
    sample_weight: Given = None
    time: Given = None
    run: Given = None
    ids: Given = None
    feature_names: tuple[str, ...] | Any = None
    name: str | None = None
    n_bits: int | None = None
    period_check: bool = True
    on_zero: str = "raise"
    digest: str | None = None
    origin: Origin | None = None
    given_time: Given = dataclasses.field(default=None, init=False)  # dates, where `time` is in seconds
    run_names: Given = dataclasses.field(default=None, init=False)
    label_names: Given = dataclasses.field(default=None, init=False)
    notes: tuple[str, ...] = dataclasses.field(default=(), init=False)
    graph: NeighborGraph | None = dataclasses.field(
        default=None, init=False
    )  # of metric "neighbors": all that is known
    counted: bool = dataclasses.field(default=False, init=False)  # rows came with a frame's own numbers 0 ... N - 1

    _contents = {
        "metric": choices(*METRICS),
        "on_zero": choices(*ON_ZERO),
        "period": numbers("n_features", low=0.0, finite=True),
        "feature_weights": numbers("n_features", low=0.0, finite=True),
        "sample_weight": numbers("features", low=0.0, finite=True),
        "time": numbers("features", finite=True),
        "run": integers("features", below="run_names"),
        "ids": values("features"),
        "origin": holds(Origin, length="features") | None,
        "given_time": values("features"),
        "run_names": values("R"),
        "label_names": values("L"),
    }

    def _check_contents(self) -> None:
        space_checks.check_read_space(self)
        if self.origin is not None:
            check_origin(self.origin, len(self), self.name or "the data")

    def __post_init__(self) -> None:
        checks.check_choice(self.metric, "metric", METRICS)
        if self.scale is not None:
            checks.check_choice(self.scale, "scale", ("standard",))
        if self.n_bits is not None and self.metric != "bits":
            raise ParameterError(f"n_bits goes with metric 'bits', not {self.metric!r}")
        name = self.name or "the data"
        if self.digest is not None and not (isinstance(self.digest, str) and self.digest):
            raise ParameterError(f"digest of {name} is {self.digest!r}; it must be text, as ArrayStore.digest gives it")
        if isinstance(self.features, Space):
            raise ParameterError(f"{name} is a Space already: use it as it is, or change it with its replace()")
        if self.metric == "neighbors":
            object.__setattr__(self, "graph", space_checks.whole_graph(self.features, name))
            self._put("features", np.arange(len(self.features), dtype=np.float64)[:, None])
        read = to_columns(self.features, name)
        names = self.feature_names if self.feature_names is not None else read.feature_names
        refuse_on_zero(self.on_zero, self.metric, kind_of(read.values))
        self._put("features", owned(self._checked_features(read.values, name, names), read.values))
        d = self.n_features
        zero = rows_of_own_axes(self.features, read.values) if self.on_zero == "far" else np.empty(0, np.int64)
        if names is not None:
            names = (*names, *(f"row {row} of zeros" for row in zero))
        named = self.metric not in ("bits", "precomputed", "labels", "neighbors")
        self._put("feature_names", space_checks.feature_names(names, d if named else None, name))
        ids, source = (read.ids, "the index") if self.ids is None else (self.ids, "ids")
        self._put(
            "ids", None if ids is None else owned(checks.check_unique(ids, len(self), f"{source} of {name}"), ids)
        )
        self._put("counted", ids is None and read.counted)
        self._put("notes", note_of_zeros(zero, self.ids))
        if self.time is False:
            self._put("time", None)
        elif self.time is None and read.time is not None:
            self._put("time", read.time)
        self._set_items(read.run_lengths, name)
        self._set_measure(d, name)

    def _put(self, field: str, value: object) -> None:
        object.__setattr__(self, field, _read_only(value))

    def __setstate__(self, state: dict[str, Any]) -> None:  # pickle forgets that arrays are read-only
        for field, value in state.items():
            self._put(field, value)

    # ---- reading the arguments ----
    def _checked_features(self, values: Array, name: str, names: Sequence[str] | None) -> Array:
        if kind_of(values) in ("torch", "dask"):
            return self._foreign_features(values, name)
        if self.metric == "labels":
            codes, label_names = space_checks.label_codes(values, name)
            self._put("label_names", label_names)
            return codes[:, None].astype(np.float64)
        if self.metric == "bits":
            words, n_bits = space_checks.packed_words(values, self.n_bits, name)
            self._put("n_bits", n_bits)
            return words
        values = checks.check_matrix(values, name, column_names=names)
        if self.metric == "precomputed":
            return space_checks.checked_distances(values, name)
        if self.metric == "cosine":
            if self.digest is not None and self.feature_weights is not None:  # they are in the directions
                object.__setattr__(self, "digest", f"{self.digest} times {fingerprint(self.feature_weights)}")
            return directions(values, self.feature_weights, name, self.on_zero)
        return np.ascontiguousarray(values)

    def _foreign_features(self, values: Array, name: str) -> Array:
        if self.metric not in ("euclidean", "cosine", "manhattan", "chebyshev", "hamming"):
            raise ParameterError(f"metric {self.metric!r} takes NumPy arrays; {name} is a {kind_of(values)} array")
        if values.ndim != 2:
            raise DataError(f"{name} has shape {tuple(values.shape)}; it needs two dimensions (items, features)")
        if kind_of(values) == "torch":
            from .tensors import checked_tensor

            return checked_tensor(values, name, self.metric, self.feature_weights)
        from .backend_dask import checked_chunks

        return checked_chunks(values, name, self.metric, self.feature_weights)

    def _set_items(
        self, run_lengths: tuple[int, ...] | None, name: str, fields: Sequence[str] = ("run", "time", "sample_weight")
    ) -> None:
        n = len(self)
        if run_lengths is not None:
            if self.run is not None:
                raise ParameterError("a list of arrays is a list of runs already: leave out run=")
            self._put("run", np.repeat(np.arange(len(run_lengths)), run_lengths))
            for field in ("time", "sample_weight"):
                self._put(field, space_checks.one_per_run(getattr(self, field), run_lengths, field))
        if "run" in fields:
            run_names, run = (None, None) if self.run is None else space_checks.run_codes(self.run, n, name)
            self._put("run_names", run_names)
            self._put("run", run)
        if "time" in fields and self.time is not None:
            time, given = space_checks.times(self.time, n)
            self._put("time", time)
            self._put("given_time", given)
        elif "time" in fields:
            self._put("given_time", None)
        if "sample_weight" in fields and self.sample_weight is not None:
            self._put("sample_weight", checks.check_sample_weight(self.sample_weight, n).astype(np.float64))
        if self.origin is not None:
            check_origin(self.origin, n, name)
        if self.time is not None and ("time" in fields or "run" in fields):
            space_checks.warn_repeated_times(self.time, self.run, name)

    def _set_measure(self, d: int, name: str) -> None:
        here = self._array()
        weights = self._checked_weights(self.feature_weights)
        period = as_periods(self.period, d, self.feature_names)
        if period.any() and self.metric not in PERIODIC:
            raise ParameterError(f"periodic features do not go with metric {self.metric!r}")
        extremes = (here.min(0), here.max(0)) if here is not None and self.metric in PERIODIC else None
        if extremes is not None and self.period_check:
            self._put(
                "notes", space_checks.period_notes(here, *extremes, period, self.column_name, self.time, self.run)
            )
        elif here is None and self.period_check and period.any():
            at = np.flatnonzero(period)  # one pass over the data; these columns come here
            angles = to_numpy(self.features[:, at])
            self._put(
                "notes",
                space_checks.period_notes(
                    angles,
                    angles.min(0),
                    angles.max(0),
                    period[at],
                    lambda a: self.column_name(int(at[a])),
                    self.time,
                    self.run,
                ),
            )
        if self.scale == "standard":
            if self.metric not in PERIODIC:
                raise ParameterError(f"scale='standard' does not go with metric {self.metric!r}")
            columns, deviations, turns = deviations_of(self.features, here, period)
            weights = weights * inverse_deviations(columns, deviations, turns, name, self.column_name)
            if not weights.any():
                raise DataError(f"all columns of {name} with a weight are constant: there are no distances to compare")
        if extremes is not None:
            space_checks.check_magnitude(*extremes, weights, name, self.column_name)
        self._put("feature_weights", weights)
        self._put("period", period)
        self._put("scale", None)  # it lives in feature_weights now

    def _array(self) -> np.ndarray | None:
        """The features as a NumPy array where that takes no copy, else None."""
        if self.backend == "torch" and self.features.device.type == "cpu":
            from .tensors import as_array

            return as_array(self.features)
        return self.features if self.backend == "numpy" else None

    def _checked_weights(self, weights: ArrayLike | None) -> np.ndarray:
        if weights is None or self.metric == "cosine":  # cosine has them in its directions
            return np.ones(self.n_features)
        if self.metric not in (*PERIODIC, "hamming"):
            raise ParameterError(f"feature_weights do not go with metric {self.metric!r}")
        return space_checks.checked_weights(weights, self.n_features)

    # ---- other ways to make one ----
    @classmethod
    def from_labels(cls, labels: Data, **options: Any) -> Space:
        """Items that are close (distance 0) when their labels agree, and far (1) when not.

        Parameters
        ----------
        labels : sequence of str or numbers, or pandas Series (its name and index are kept)
            One label an item.
        **options
            As for `Space`.

        Returns
        -------
        Space

        Raises
        ------
        DataError
            If a label is missing, or there is more than one an item.

        Examples
        --------
        >>> from infoscope.neighbors import Space
        >>> len(Space.from_labels(["cat", "dog", "cat"]))
        3
        """
        if kind_of(labels) == "pandas" and getattr(labels, "name", None) is not None:
            options.setdefault("name", str(labels.name))
        if isinstance(labels, ValuesView | KeysView):
            labels = list(labels)
        as_they_are = kind_of(labels) in ("pandas", "polars") or isinstance(labels, np.ma.MaskedArray)
        return cls(labels if as_they_are else np.asarray(labels), metric="labels", **options)

    @classmethod
    def from_distances(cls, distances: Data, **options: Any) -> Space:
        """Items given by their symmetric N x N matrix of distances.

        Parameters
        ----------
        distances : array (N, N)
            Symmetric, >= 0, zeros on the diagonal.
        **options
            As for `Space`.

        Returns
        -------
        Space

        Raises
        ------
        DataError
            If the matrix is not square, not symmetric, negative somewhere or not zero on its diagonal.

        Examples
        --------
        >>> import numpy as np
        >>> from infoscope.neighbors import Space
        >>> Space.from_distances(np.array([[0.0, 2.0], [2.0, 0.0]])).pair_distances([0], [1])
        array([2.])
        """
        return cls(distances, metric="precomputed", **options)

    @classmethod
    def from_bits(cls, packed: ArrayLike, n_bits: int | None = None, **options: Any) -> Space:
        """Items given by packed bits, compared by Hamming distance.

        Parameters
        ----------
        packed : array (N, bytes) of uint8
            As ``np.packbits(bits, axis=1)`` makes it.
        n_bits : int, optional
            How many bits of a row count; all of them by default.
        **options
            As for `Space`.

        Returns
        -------
        Space

        Raises
        ------
        DataError, ParameterError
            If these are not packed bits, or fewer than `n_bits`.

        Examples
        --------
        >>> import numpy as np
        >>> from infoscope.neighbors import Space
        >>> bits = np.array([[0, 0, 1], [1, 1, 1]], bool)
        >>> Space.from_bits(np.packbits(bits, axis=1), n_bits=3).pair_distances([0], [1])
        array([2.])
        """
        return cls(packed, metric="bits", n_bits=n_bits, **options)

    @classmethod
    def from_neighbors(cls, indices: ArrayLike, distances: ArrayLike, **options: Any) -> Space:
        """Items of which only the nearest neighbours are known, computed elsewhere.

        Parameters
        ----------
        indices : array (N, k) of int
            Item numbers of the neighbours of every item, as `faiss`, `pynndescent` and ``kneighbors`` of scikit-learn
            give them; the item itself may be among them, -1 stands for none.
        distances : array (N, k)
            Their distances; not squared, as those of faiss are: take their roots.
        **options
            What is known of the items (`sample_weight`, `time`, `run`, `ids`) and `name`, as for `Space`.

        Returns
        -------
        Space
            For every estimator that takes a `NeighborGraph`, and for `imbalance_matrix` among the spaces that predict.
            What needs all distances, as a target does, is refused: an item that is not listed is not far and not near,
            but unknown.

        Raises
        ------
        DataError
            Shapes that differ, numbers of no item, an item named twice in a row, distances that are none.

        Examples
        --------
        >>> from infoscope.neighbors import Space, nearest
        >>> space = Space.from_neighbors([[1, 2], [0, 2], [1, 0]], [[1.0, 3.0], [1.0, 2.0], [2.0, 3.0]])
        >>> nearest(space, 1).items
        array([1, 0, 1])
        """
        return cls(NeighborGraph.from_pairs(read_lists(indices, distances)), metric="neighbors", **options)

    # ---- what it is ----
    def __len__(self) -> int:
        return int(self.features.shape[0])

    @property
    def n_features(self) -> int:
        return int(self.features.shape[1])

    @property
    def backend(self) -> str:
        """The kind of array that holds the features: "numpy", "torch" or "dask"."""
        kind = kind_of(self.features)
        return kind if kind in ("torch", "dask") else "numpy"

    @property
    def hashed(self) -> Any:
        """What hashes of the input read of it: the digest that it came with, or the features."""
        return self.features if self.digest is None else f"{self.metric} {self.on_zero} of {self.digest}"

    @property
    def input_parts(self) -> tuple[Any, ...]:
        """What the record of a result hashes of its input: values, weights, times and runs."""
        return self.hashed, self.sample_weight, self.time, self.run

    @property
    def time_unit(self) -> str:
        """The unit of the times, for messages: "s" of dates, "rows" where there are none, "" where it is not known."""
        if self.time is None:
            return "rows"
        return "s" if self.given_time is not None and self.given_time.dtype.kind == "M" else ""

    def column_name(self, a: int) -> str:
        """Name of a feature, or "column 3"."""
        return self.feature_names[a] if self.feature_names is not None else f"column {a}"

    def __repr__(self) -> str:
        extras = [f"metric={self.metric!r}"]
        extras += [f"{len(np.unique(self.run))} runs"] if self.run is not None else []
        extras += [word for word, value in (("time", self.time), ("weights", self.sample_weight)) if value is not None]
        label = f"{self.name}: " if self.name else ""
        return f"Space({label}{len(self)} items x {self.n_features} features, {', '.join(extras)})"

    # ---- distances of chosen pairs ----
    def squared_distances(self, i: ArrayLike, j: ArrayLike) -> np.ndarray:
        """Exact squared distances of the pairs (i, j): float64, by direct subtraction.

        Parameters
        ----------
        i, j : array (P,) of int
            Item numbers.

        Returns
        -------
        array (P,)

        Raises
        ------
        ParameterError
            If there are no such items.
        """
        i, j = (space_checks.item_numbers(np.ravel(v), len(self), what) for v, what in ((i, "i"), (j, "j")))
        if len(i) != len(j):
            raise ParameterError(f"i has {len(i)} items and j has {len(j)}: pairs need one of each")
        if self.graph is not None:
            return self.graph.squared_of_pairs(i, j)
        if self.backend == "torch":
            from .tensors import squared_of_pairs

            return squared_of_pairs(self, i, j)
        if self.backend == "dask":
            from .backend_dask import squared_of_chunked_pairs

            return squared_of_chunked_pairs(self, i, j)
        from .backend_numpy import METRIC_CODES, periods

        return kernels.pair_squares(
            self.features, i, self.features, j, self.feature_weights, periods(self), METRIC_CODES[self.metric]
        )

    def pair_distances(self, i: ArrayLike, j: ArrayLike) -> np.ndarray:
        """Exact distances of the pairs (i, j), in the space's own metric.

        Examples
        --------
        >>> import numpy as np
        >>> from infoscope.neighbors import Space
        >>> Space(np.array([[0.0], [359.0]]), period=360).pair_distances([0], [1])
        array([1.])
        """
        return self.distances_from_squared(self.squared_distances(i, j))

    def distances_from_squared(self, squared: Floats) -> np.ndarray:
        """Distances from the squares the engine works with; the cosine metric is half a squared chord."""
        return squared / 2 if self.metric == "cosine" else np.sqrt(squared)

    def displacements(self, i: ArrayLike, j: ArrayLike) -> np.ndarray:
        """Differences features[j] - features[i] (P, D), float64, minimum image, without feature weights.

        Examples
        --------
        >>> import numpy as np
        >>> from infoscope.neighbors import Space
        >>> Space(np.array([[0.0], [359.0]]), period=360).displacements([0], [1])
        array([[-1.]])
        """
        if self.metric not in ("euclidean", "manhattan", "chebyshev", "cosine"):
            raise ParameterError(f"metric {self.metric!r} has no displacements")
        i, j = space_checks.item_numbers(i, len(self), "i"), space_checks.item_numbers(j, len(self), "j")
        delta = to_numpy(self.features[j]).astype(np.float64) - to_numpy(self.features[i]).astype(np.float64)
        p = np.where(self.period > 0, self.period, 1.0)
        return delta - np.where(self.period > 0, self.period * np.rint(delta / p), 0.0)

    def about_items(self, *, ids: bool = True) -> dict[str, Any]:
        """What is known of the items (weights, times, runs, perhaps ids) as it was given, for another space of them.

        Examples
        --------
        >>> import numpy as np
        >>> from infoscope.neighbors import Space
        >>> space = Space(np.eye(2), time=np.array(["2020-01-01", "2020-01-02"], "M8[D]"))
        >>> space.time, space.about_items()["time"]
        (array([    0., 86400.]), array(['2020-01-01', '2020-01-02'], dtype='datetime64[D]'))
        """
        about = dict(
            sample_weight=self.sample_weight,
            time=self.time if self.given_time is None else self.given_time,
            run=None if self.run is None else self.run_names[self.run],
            ids=self.ids if ids else None,
        )
        return {what: values for what, values in about.items() if values is not None}

    # ---- parts and variants ----
    def take(self, rows: ArrayLike) -> Space:
        """The space of some of the items, in the order given.

        Parameters
        ----------
        rows : array of int
            Item numbers.

        Returns
        -------
        Space

        Raises
        ------
        ParameterError
            If there are no such items.

        Examples
        --------
        >>> import numpy as np
        >>> from infoscope.neighbors import Space
        >>> len(Space(np.eye(4)).take([0, 2]))
        2
        """
        rows = space_checks.item_numbers(rows, len(self), "rows")
        part = object.__new__(Space)
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.name == "graph" and value is not None:
                value = value.among(rows)
            elif field.name == "features" and self.metric == "neighbors":
                value = np.arange(len(rows), dtype=np.float64)[:, None]
            elif field.name == "features":
                value = value[np.ix_(rows, rows)] if self.metric == "precomputed" else value[rows]
                value = np.ascontiguousarray(value) if self.backend == "numpy" else value
            elif field.name in ("sample_weight", "time", "given_time", "run", "ids") and value is not None:
                value = value[rows]
            elif field.name == "counted":
                value = False
            elif field.name == "digest":
                value = None
            elif field.name in ("period", "feature_weights") and self.metric == "precomputed":
                value = value[rows]
            elif field.name == "origin" and value is not None:
                value = value.take(rows)
            object.__setattr__(part, field.name, _read_only(value))
        return part

    def replace(self, **changes: Any) -> Space:
        """A space like this one with other `sample_weight`, `time`, `run`, `ids`, `origin`, `feature_weights`, `name`.

        Examples
        --------
        >>> import numpy as np
        >>> from infoscope.neighbors import Space
        >>> Space(np.eye(3)).replace(name="corners", run=[0, 0, 1])
        Space(corners: 3 items x 3 features, metric='euclidean', 2 runs)
        """
        allowed = {"sample_weight", "time", "run", "ids", "name", "feature_weights", "origin"}
        if not set(changes) <= allowed:
            raise ParameterError(
                f"replace changes {', '.join(sorted(allowed))}, not "
                f"{', '.join(sorted(set(changes) - allowed))}: make a new Space"
            )
        other = object.__new__(Space)
        for field in dataclasses.fields(self):
            object.__setattr__(other, field.name, changes.get(field.name, getattr(self, field.name)))
        other._set_items(None, self.name or "the data", tuple(changes))
        if changes.get("ids") is not None:
            ids = changes["ids"]
            other._put("ids", owned(checks.check_unique(ids, len(self), "ids"), ids))
            other._put("counted", False)
        if "feature_weights" in changes:
            if self.metric == "cosine":
                raise ParameterError("the cosine metric has its feature_weights in its directions: make a new Space")
            other._put("feature_weights", other._checked_weights(changes["feature_weights"]))
        return other


def as_space(data: Data, **options: Any) -> Space:
    """Make a `Space` of whatever the user brought; a Space passes through.

    Parameters
    ----------
    data : Space, array, frame, tensor, Dask array, or list of (T_i, D) arrays
        The items.
    **options
        As for `Space`.

    Returns
    -------
    Space

    Raises
    ------
    ParameterError
        If options are given together with a Space, which has its own.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.neighbors import as_space
    >>> as_space(np.zeros((3, 2)), name="zeros")
    Space(zeros: 3 items x 2 features, metric='euclidean')
    """
    if isinstance(data, NeighborGraph):  # of a space that is known, or of all that is known
        data = data.space if data.space is not None else Space(data, metric="neighbors", name=options.get("name"))
    if not isinstance(data, Space):
        return Space(data, **options)
    given = {k: v for k, v in options.items() if v is not None and k != "name"}
    if given:
        raise ParameterError(
            f"{', '.join(given)} given together with a Space, which has its own: pass it when making the Space"
        )
    if options.get("name") and data.name is None:
        return data.replace(name=options["name"])
    return data


# ---------------------------------------------------------------------------------------------------------- small steps
def _read_only(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.flags.writeable:
        value.flags.writeable = False
    return value
