"""`Space`: N items and a way to measure distance between them."""
from __future__ import annotations

import dataclasses
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..base import DataError, DataWarning, ParameterError, checks
from ..statistics import check_period
from . import kernels
from .convert import kind_of, to_columns

METRICS = ("euclidean", "manhattan", "chebyshev", "cosine", "hamming", "labels", "bits", "precomputed")
PERIODIC = ("euclidean", "manhattan", "chebyshev")


@dataclass(frozen=True, eq=False, repr=False)
class Space:
    """N items and a way to measure distance between them; immutable, without hidden caches.

    Parameters
    ----------
    features : array (N, D), frame, tensor, Dask array, or list of (T_i, D) arrays
        One row an item.  A list of arrays is a list of runs.  float32 and float64 are kept, everything else becomes float64.
    metric : str
        "euclidean", "manhattan", "chebyshev", "cosine" (1 - cos), "hamming" (number of unequal entries), "labels" (0 or 1),
        "bits" (packed, Hamming), "precomputed" (a symmetric N x N matrix of distances).
    period : float, sequence or dict, optional
        Period of each feature; 0 or None where a feature is not periodic.  A dict goes by feature name.
    feature_weights : array (D,), optional
        Multiply differences: d^2 = sum w^2 delta^2.
    scale : {"standard", None}
        "standard" divides each column by its standard deviation (circular for periodic ones).
    sample_weight : array (N,), optional
        Statistical weights of the items (reweighted or biased sampling).
    time, run : array (N,), optional
        When, and in which trajectory or series, an item was seen.
    ids : array (N,), optional
        Names of the items; two spaces with ids must agree in them.
    feature_names : sequence of str, optional
        Names of the columns.
    name : str, optional
        What to call the space in results and plots.
    n_bits : int, optional
        For ``metric="bits"``: how many bits of the packed rows count.
    period_check : bool
        Whether columns are checked against their period (degrees read as radians).

    Raises
    ------
    DataError
        NaN or infinite entries, wrong shapes, negative weights, a period that does not fit the data, ...
    ParameterError
        Unknown metric or scale, options that do not go together.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope import Space
    >>> space = Space(np.array([[0.0, 0.0], [3.0, 4.0]]))
    >>> space.pair_distances([0], [1])
    array([5.])
    """

    features: Any
    metric: str = "euclidean"
    period: Any = None
    feature_weights: Any = None
    scale: str | None = None
    sample_weight: Any = None
    time: Any = None
    run: Any = None
    ids: Any = None
    feature_names: Any = None
    name: str | None = None
    n_bits: int | None = None
    period_check: bool = True
    run_names: Any = dataclasses.field(default=None, init=False)
    label_names: Any = dataclasses.field(default=None, init=False)
    notes: tuple[str, ...] = dataclasses.field(default=(), init=False)

    def __post_init__(self):
        checks.check_choice(self.metric, "metric", METRICS)
        name = self.name or "the data"
        read = to_columns(self.features, name)
        put = lambda field, value: object.__setattr__(self, field, _read_only(value))  # noqa: E731
        names = self.feature_names if self.feature_names is not None else read.feature_names
        put("features", self._checked_features(read.values, name, names))
        d = self.n_features
        put("feature_names", _names(names, d if self.metric not in ("bits", "precomputed", "labels") else None, name))
        ids = self.ids if self.ids is not None else read.ids
        put("ids", None if ids is None else checks.check_unique(ids, len(self), f"ids of {name}"))
        self._set_items(read.run_lengths, name, put)
        self._set_measure(d, name, put)

    # ---- reading the arguments ----
    def _checked_features(self, values, name, names):
        if kind_of(values) in ("torch", "dask"):
            return self._foreign_features(values, name)
        if self.metric == "labels":
            labels = np.asarray(values)
            if labels.ndim == 2 and labels.shape[1] == 1:
                labels = labels[:, 0]
            codes, label_names = _codes(labels, name)
            object.__setattr__(self, "label_names", label_names)
            return codes[:, None].astype(np.float64)
        if self.metric == "bits":
            return _packed_words(values, self.n_bits, name)
        values = checks.check_matrix(values, name, column_names=names)
        if self.metric == "precomputed":
            return _checked_distances(values, name)
        if self.metric == "cosine":
            if self.feature_weights is not None:
                values = values * checks.check_vector(self.feature_weights, "feature_weights", length=values.shape[1])
            norms = np.sqrt((values.astype(np.float64) ** 2).sum(1))
            if (norms == 0).any():
                raise DataError(f"row {int(np.argmin(norms))} of {name} is all zeros: its direction, which the cosine metric "
                                "compares, does not exist; drop the row or use another metric")
            return values / norms[:, None]
        return np.ascontiguousarray(values)

    def _foreign_features(self, values, name):
        if self.metric not in ("euclidean", "cosine", "manhattan", "chebyshev", "hamming"):
            raise ParameterError(f"metric {self.metric!r} takes NumPy arrays; {name} is a {kind_of(values)} array")
        if values.ndim != 2:
            raise DataError(f"{name} has shape {tuple(values.shape)}; it needs two dimensions (items, features)")
        if kind_of(values) == "torch":
            from .backend_torch import checked_tensor
            return checked_tensor(values, name, self.metric)
        from .backend_dask import checked_chunks
        return checked_chunks(values, name, self.metric)

    def _set_items(self, run_lengths, name, put):
        n = len(self)
        run, time, weight = self.run, self.time, self.sample_weight
        if run_lengths is not None:
            if run is not None:
                raise ParameterError("a list of arrays is a list of runs already: leave out run=")
            run = np.repeat(np.arange(len(run_lengths)), run_lengths)
            time, weight = (np.concatenate([np.asarray(p) for p in v]) if isinstance(v, (list, tuple)) and len(v) == len(run_lengths)
                            and np.ndim(v[0]) == 1 else v for v in (time, weight))
        if run is not None:
            run = np.asarray(run)
            if run.shape != (n,):
                raise DataError(f"run has shape {run.shape}, {name} has {n} items: one label an item")
            run_names, run = np.unique(run, return_inverse=True)
            put("run_names", run_names)
            put("run", run.reshape(-1))
        if time is not None:
            time = np.asarray(time)
            if np.issubdtype(time.dtype, np.datetime64):
                time = (time - time.min()) / np.timedelta64(1, "s")
            put("time", checks.check_vector(time, "time", length=n).astype(np.float64))
        if weight is not None:
            put("sample_weight", checks.check_sample_weight(weight, n))

    def _set_measure(self, d, name, put):
        weighted = self.metric in ("euclidean", "manhattan", "chebyshev", "hamming")
        weights = np.ones(d)
        if self.feature_weights is not None and self.metric != "cosine":     # cosine has them in its directions
            if not weighted:
                raise ParameterError(f"feature_weights do not go with metric {self.metric!r}")
            weights = checks.check_vector(self.feature_weights, "feature_weights", length=d).astype(np.float64)
            if (weights < 0).any() or not weights.any():
                raise ParameterError("feature_weights must be >= 0 and not all zero")
        period = _checked_period(self.period, d, self.feature_names)
        if period.any() and self.metric not in PERIODIC:
            raise ParameterError(f"periodic features do not go with metric {self.metric!r}")
        notes = []
        if self.period_check and period.any() and self.backend == "numpy":
            for a in np.flatnonzero(period):
                note = check_period(self.features[:, a], period[a], self.column_name(a), time=self.time)
                if note:
                    notes.append(note)
        if self.scale not in (None, "standard"):
            raise ParameterError(f"scale is {self.scale!r}; it must be 'standard' or None")
        if self.scale == "standard":
            if not weighted or self.metric == "hamming":
                raise ParameterError(f"scale='standard' does not go with metric {self.metric!r}")
            weights = weights * self._inverse_deviations(period, name)
        put("feature_weights", weights)
        put("period", period)
        put("scale", None)                                       # it lives in feature_weights now
        object.__setattr__(self, "notes", tuple(notes))

    def _inverse_deviations(self, period, name):
        if self.backend == "torch":
            deviations = self.features.double().std(0, correction=0).cpu().numpy()
        else:
            deviations = np.asarray(self.features.std(0, dtype=np.float64))
        for a in np.flatnonzero(period):                         # circular: sqrt(-2 ln R) P / 2 pi
            z = np.exp(2j * np.pi * np.asarray(self.features[:, a], np.float64) / period[a])
            resultant = min(max(abs(z.mean()), 1e-300), 1.0)
            deviations[a] = np.sqrt(-2 * np.log(resultant)) * period[a] / (2 * np.pi)
        constant = np.flatnonzero(deviations <= 1e-14 * np.abs(np.asarray(self.features[0])))
        if len(constant) == len(deviations):
            raise DataError(f"all columns of {name} are constant: there are no distances to compare")
        if len(constant):
            names = ", ".join(self.column_name(a) for a in constant[:5])
            warnings.warn(f"{len(constant)} constant column(s) of {name} got weight 0: {names}", DataWarning, stacklevel=5)
        out = np.zeros(len(deviations))
        varied = np.setdiff1d(np.arange(len(deviations)), constant)
        out[varied] = 1 / deviations[varied]
        return out

    # ---- other ways to make one ----
    @classmethod
    def from_labels(cls, labels, **options) -> Space:
        """Items that are close (distance 0) when their labels agree, and far (1) when not.

        Examples
        --------
        >>> from infoscope import Space
        >>> len(Space.from_labels(["cat", "dog", "cat"]))
        3
        """
        if kind_of(labels) == "pandas":
            options.setdefault("name", None if labels.name is None else str(labels.name))
            labels = labels.to_numpy()
        return cls(np.asarray(labels), metric="labels", **options)

    @classmethod
    def from_distances(cls, distances, **options) -> Space:
        """Items given by their symmetric N x N matrix of distances."""
        return cls(distances, metric="precomputed", **options)

    @classmethod
    def from_bits(cls, packed, n_bits: int | None = None, **options) -> Space:
        """Items given by packed bits (``np.packbits`` along the last axis), compared by Hamming distance."""
        return cls(packed, metric="bits", n_bits=n_bits, **options)

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

    def column_name(self, a: int) -> str:
        return self.feature_names[a] if self.feature_names is not None else f"column {a}"

    def __repr__(self) -> str:
        extras = [f"metric={self.metric!r}"]
        extras += [f"{len(np.unique(self.run))} runs"] if self.run is not None else []
        extras += [word for word, value in (("time", self.time), ("weights", self.sample_weight)) if value is not None]
        label = f"{self.name}: " if self.name else ""
        return f"Space({label}{len(self)} items x {self.n_features} features, {', '.join(extras)})"

    # ---- distances of chosen pairs ----
    def squared_distances(self, i, j) -> np.ndarray:
        """Exact squared distances of the pairs (i, j): float64, by direct subtraction."""
        i, j = np.asarray(i, np.int64).ravel(), np.asarray(j, np.int64).ravel()
        if self.backend == "torch":
            from .backend_torch import squared_of_pairs
            return squared_of_pairs(self, i, j)
        if self.backend == "dask":
            from .backend_dask import squared_of_chunked_pairs
            return squared_of_chunked_pairs(self, i, j)
        from .backend_numpy import METRIC_CODES
        period = self.period if self.period.any() else np.empty(0)
        return kernels.pair_squares(self.features, i, self.features, j, self.feature_weights, period,
                                    METRIC_CODES[self.metric])

    def pair_distances(self, i, j) -> np.ndarray:
        """Exact distances of the pairs (i, j), in the space's own metric."""
        return self.distances_from_squared(self.squared_distances(i, j))

    def distances_from_squared(self, squared) -> np.ndarray:
        """Distances from the squares the engine works with; the cosine metric is half a squared chord."""
        return squared / 2 if self.metric == "cosine" else np.sqrt(squared)

    def displacements(self, i, j) -> np.ndarray:
        """Differences features[j] - features[i] (P, D), float64, minimum image, without feature weights."""
        if self.metric not in ("euclidean", "manhattan", "chebyshev", "cosine"):
            raise ParameterError(f"metric {self.metric!r} has no displacements")
        if self.backend != "numpy":
            i, j = (np.asarray(v, np.int64) for v in (i, j))
        delta = np.asarray(self.features[j], np.float64) - np.asarray(self.features[i], np.float64)
        p = np.where(self.period > 0, self.period, 1.0)
        return delta - np.where(self.period > 0, self.period * np.rint(delta / p), 0.0)

    # ---- parts and variants ----
    def take(self, rows) -> Space:
        """The space of some of the items, in the order given.

        Examples
        --------
        >>> import numpy as np
        >>> from infoscope import Space
        >>> len(Space(np.eye(4)).take([0, 2]))
        2
        """
        rows = np.asarray(rows, np.int64)
        part = object.__new__(Space)
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.name == "features":
                value = value[np.ix_(rows, rows)] if self.metric == "precomputed" else value[rows]
                value = np.ascontiguousarray(value) if self.backend == "numpy" else value
            elif field.name in ("sample_weight", "time", "run", "ids") and value is not None:
                value = value[rows]
            elif field.name in ("period", "feature_weights") and self.metric == "precomputed":
                value = value[rows]
            object.__setattr__(part, field.name, _read_only(value))
        return part

    def replace(self, **changes) -> Space:
        """A space like this one with other `sample_weight`, `time`, `run`, `ids`, `feature_weights` or `name`."""
        allowed = {"sample_weight", "time", "run", "ids", "name", "feature_weights"}
        if not set(changes) <= allowed:
            raise ParameterError(f"replace changes {', '.join(sorted(allowed))}, not {', '.join(sorted(set(changes) - allowed))}: "
                                 "make a new Space")
        other = object.__new__(Space)
        for field in dataclasses.fields(self):
            object.__setattr__(other, field.name, changes.get(field.name, getattr(self, field.name)))
        put = lambda field, value: object.__setattr__(other, field, _read_only(value))  # noqa: E731
        other._set_items(None, self.name or "the data", put)
        if "run" not in changes:
            put("run_names", self.run_names)
        if "feature_weights" in changes:
            put("feature_weights", checks.check_vector(changes["feature_weights"], "feature_weights", length=self.n_features))
        return other


def as_space(data, **options) -> Space:
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
    >>> from infoscope import as_space
    >>> as_space(np.zeros((3, 2)), name="zeros")
    Space(zeros: 3 items x 2 features, metric='euclidean')
    """
    if not isinstance(data, Space):
        return Space(data, **options)
    given = {k: v for k, v in options.items() if v is not None and k != "name"}
    if given:
        raise ParameterError(f"{', '.join(given)} given together with a Space, which has its own: pass it when making the Space")
    if options.get("name") and data.name is None:
        return data.replace(name=options["name"])
    return data


# -------------------------------------------------------------------------------------------------------------- small checks
def _read_only(value):
    if isinstance(value, np.ndarray):
        value = value.view()
        value.flags.writeable = False
    return value


def _names(names, d, name):
    if names is None:
        return None
    names = tuple(str(v) for v in names)
    if d is not None and len(names) != d:
        raise DataError(f"{len(names)} feature names for the {d} columns of {name}")
    return names


def _codes(labels, name):
    if labels.ndim != 1:
        raise DataError(f"labels of {name} have shape {labels.shape}; one label an item is needed")
    if len(labels) == 0:
        raise DataError(f"{name} is empty")
    if labels.dtype.kind == "f" and not np.isfinite(labels).all():
        raise DataError(f"label {int(np.argmin(np.isfinite(labels)))} of {name} is missing (NaN or infinite): drop that item")
    if labels.dtype == object:
        missing = [p for p, v in enumerate(labels) if v is None or v != v]
        if missing:
            raise DataError(f"label {missing[0]} of {name} is missing: drop that item")
        labels = labels.astype(str)
    names, codes = np.unique(labels, return_inverse=True)
    return codes.reshape(-1), names


def _packed_words(values, n_bits, name):
    """Bytes to 64-bit words; padding bits are zero, so they never differ."""
    packed = np.asarray(values)
    if packed.dtype != np.uint8 or packed.ndim != 2:
        if packed.dtype == np.uint64 and packed.ndim == 2:
            return np.ascontiguousarray(packed)
        raise DataError(f"{name} must be packed bits, a uint8 array (N, bytes) as np.packbits(bits, axis=1) makes, "
                        f"not {packed.dtype} of shape {packed.shape}")
    if packed.size == 0:
        raise DataError(f"{name} is empty")
    if n_bits is not None and not 0 < n_bits <= 8 * packed.shape[1]:
        raise ParameterError(f"n_bits is {n_bits}, but the rows of {name} hold {8 * packed.shape[1]} bits")
    n_bits = 8 * packed.shape[1] if n_bits is None else n_bits
    words = np.zeros((len(packed), -(-packed.shape[1] // 8)), np.uint64)
    as_bytes = words.view(np.uint8)
    as_bytes[:, : packed.shape[1]] = packed
    as_bytes[:, -(-n_bits // 8) :] = 0
    if n_bits % 8:
        as_bytes[:, n_bits // 8] &= np.uint8(0xFF << (8 - n_bits % 8) & 0xFF)
    return words


def _checked_distances(values, name):
    if values.shape[0] != values.shape[1]:
        raise DataError(f"{name} has shape {values.shape}; distances must be a square matrix")
    rows = np.arange(0, len(values), 1024)
    for r in rows:                                               # by blocks: never a second N x N matrix
        block = values[r : r + 1024]
        if (block < 0).any():
            i, j = np.argwhere(block < 0)[0]
            raise DataError(f"distance ({r + i}, {j}) of {name} is negative")
        differs = block != values[:, r : r + 1024].T
        if differs.any():
            i, j = np.argwhere(differs)[0]
            if not np.allclose(block, values[:, r : r + 1024].T, rtol=1e-10, atol=0):
                raise DataError(f"distances ({r + i}, {j}) and ({j}, {r + i}) of {name} differ: the matrix must be symmetric; "
                                "take (D + D.T) / 2 if that is what you mean")
    diagonal = np.diagonal(values)
    if diagonal.any():
        raise DataError(f"the diagonal of {name} is not zero (item {int(np.argmax(diagonal != 0))}): is it a matrix of similarities?")
    return np.ascontiguousarray(values)


def _checked_period(period, d, names):
    if period is None:
        return np.zeros(d)
    if isinstance(period, dict):
        unknown = [k for k in period if names is None or k not in names]
        if unknown:
            raise ParameterError(f"period is given for {unknown[0]!r}, which is not a column name"
                                 + (f" ({', '.join(names)})" if names else ": the data have no column names"))
        period = [period.get(v) or 0.0 for v in names]
    elif np.ndim(period) == 0:
        period = [period] * d
    out = np.array([0.0 if p is None else p for p in period], dtype=float)
    if out.shape != (d,):
        raise ParameterError(f"period has length {len(out)}, the data have {d} columns: one number a column, 0 where not periodic")
    if not (out >= 0).all() or np.isinf(out).any():
        raise ParameterError(f"period of column {int(np.argmin(out >= 0))} is {out[np.argmin(out >= 0)]}; it must be >= 0 and finite")
    return out
