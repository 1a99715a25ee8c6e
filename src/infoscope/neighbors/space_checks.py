"""What `Space` checks before it believes its arguments; every message says what is wrong, where, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np

from infoscope.base import DataError, ParameterError, checks, number_kinds, warn
from infoscope.base.array_types import Array, ArrayLike, Floats, Ints
from infoscope.base.time_values import as_times
from infoscope.statistics import check_period

NameOf: TypeAlias = Callable[[int], str]  # the name of a column

NETCDF_FILL = 9.969209968386869e36  # what netCDF writes where nothing was written, in float32 and float64 alike
LARGEST, SMALLEST = 1e145, 1e-145  # numbers beyond these have squares that float64 cannot hold


def item_numbers(values: ArrayLike, n: int, what: str) -> np.ndarray:
    """Numbers of items, each in 0 ... n - 1; a mask or coordinates given by mistake would mean something else."""
    array = np.atleast_1d(np.asarray(values))
    if array.size == 0:
        return np.empty(0, np.int64)
    if array.dtype.kind not in "iu" or array.ndim != 1:
        hint = "for a mask, pass np.flatnonzero(mask)" if array.dtype.kind == "b" else "new points go in as a Space"
        raise ParameterError(
            f"{what} must be item numbers (integers), got {array.dtype} of shape {array.shape}: " + hint
        )
    for number in (int(array.min()), int(array.max())):
        if not 0 <= number < n:
            raise ParameterError(f"{what} holds {number}, but the items are numbered 0 to {n - 1}")
    return array.astype(np.int64, copy=False)


def feature_names(names: Iterable[object] | None, d: int | None, name: str) -> tuple[str, ...] | None:
    if names is None:
        return None
    names = tuple(str(v) for v in names)
    if d is not None and len(names) != d:
        raise DataError(f"{len(names)} feature names for the {d} columns of {name}")
    return names


# ------------------------------------------------------------------------------------------------------------- features
def label_codes(values: ArrayLike, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Labels as numbers 0, 1, ... and the sorted names they stand for."""
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise DataError(
            f"label {int(np.argmax(np.ma.getmaskarray(values).reshape(-1)))} of {name} is masked: drop that item"
        )
    labels = np.asarray(values)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1:
        raise DataError(f"labels of {name} have shape {labels.shape}; one label an item is needed")
    if len(labels) == 0:
        raise DataError(f"{name} is empty")
    if labels.dtype.kind == "f" and not np.isfinite(labels).all():
        raise DataError(
            f"label {int(np.argmin(np.isfinite(labels)))} of {name} is missing (NaN or infinite): drop that item"
        )
    if labels.dtype == object:
        missing = [p for p, v in enumerate(labels) if _is_missing(v)]
        if missing:
            raise DataError(f"label {missing[0]} of {name} is missing: drop that item")
        labels = _texts_of(labels, name)
    elif labels.dtype.kind == "f" and np.abs(labels).max() > number_kinds.LARGEST_EXACT_INTEGER:
        warn(
            f"labels of {name} are floats beyond 2**53: whole numbers that were so large have lost digits, and "
            "different ones may be one class; read them as text or as whole numbers (a missing one made them floats)"
        )
    names, codes = np.unique(labels, return_inverse=True)
    return codes.reshape(-1), names


def _texts_of(labels: np.ndarray, name: str) -> np.ndarray:
    """Objects by their texts; an error where different ones have the same."""
    texts = np.array([str(label) for label in labels.tolist()])
    first: dict[str, Any] = {}
    for text, label in zip(texts.tolist(), labels.tolist(), strict=True):
        known = first.setdefault(text, label)
        if known is not label and known != label:
            raise DataError(
                f"labels of {name} hold {known!r} ({type(known).__name__}) and {label!r} ({type(label).__name__}), "
                "which have the same text: give all labels one type"
            )
    return texts


def _is_missing(label: object) -> bool:
    return label is None or type(label).__name__ == "NAType" or bool(label != label)


def packed_words(values: ArrayLike, n_bits: int | None, name: str) -> tuple[np.ndarray, int]:
    """Packed bytes as 64-bit words, and the number of bits; padding bits are zero, so they never differ."""
    packed = np.asarray(values)
    if packed.ndim != 2 or packed.dtype not in (np.uint8, np.uint64):
        raise DataError(
            f"{name} must be packed bits, a uint8 array (N, bytes) as np.packbits(bits, axis=1) makes, "
            f"not {packed.dtype} of shape {packed.shape}"
        )
    if packed.size == 0:
        raise DataError(f"{name} is empty")
    available = 8 * packed.dtype.itemsize * packed.shape[1]
    n_bits = available if n_bits is None else checks.check_positive_int(n_bits, "n_bits")
    if n_bits > available:
        raise ParameterError(f"n_bits is {n_bits}, but the rows of {name} hold {available} bits")
    if packed.dtype == np.uint64:
        if n_bits != available:
            raise ParameterError(
                f"n_bits={n_bits} of {available} needs bytes, whose order is defined: pass the uint8 "
                "array of np.packbits instead of words"
            )
        return np.ascontiguousarray(packed), n_bits
    words = np.zeros((len(packed), -(-packed.shape[1] // 8)), np.uint64)
    as_bytes = words.view(np.uint8)
    as_bytes[:, : packed.shape[1]] = packed
    as_bytes[:, -(-n_bits // 8) :] = 0
    if n_bits % 8:
        as_bytes[:, n_bits // 8] &= np.uint8(0xFF << (8 - n_bits % 8) & 0xFF)
    return words, n_bits


def checked_distances(values: np.ndarray, name: str) -> np.ndarray:
    """A square, symmetric matrix of distances with a zero diagonal."""
    if values.shape[0] != values.shape[1]:
        raise DataError(f"{name} has shape {values.shape}; distances must be a square matrix")
    _check_zeros(values, name)
    for r in range(0, len(values), 1024):  # by blocks: never a second N x N matrix
        block, mirror = values[r : r + 1024], values[:, r : r + 1024].T
        if (block < 0).any():
            i, j = np.argwhere(block < 0)[0]
            raise DataError(f"distance ({r + i}, {j}) of {name} is negative: {block[i, j]:g}")
        differs = ~np.isclose(block, mirror, rtol=1e-10, atol=0)
        if differs.any():
            i, j = np.argwhere(differs)[0]
            raise DataError(
                f"distances ({r + i}, {j}) and ({j}, {r + i}) of {name} differ ({block[i, j]:g} and "
                f"{mirror[i, j]:g}): the matrix must be symmetric; take (D + D.T) / 2 if you mean that"
            )
    diagonal = np.diagonal(values)
    if diagonal.any():
        raise DataError(
            f"the diagonal of {name} is not zero (item {int(np.argmax(diagonal != 0))}): "
            "is it a matrix of similarities?"
        )
    return np.ascontiguousarray(values)


def _check_zeros(values: np.ndarray, name: str) -> None:
    """Items at distance zero are one item to all others; where most entries are zero and this fails, none was there."""
    n = len(values)
    if n < 3 or n * n - np.count_nonzero(values) - n <= n * (n - 1) / 2:
        return
    for row in range(0, n, n // 10 + 1):
        zeros = values[row] == 0
        zeros[row] = False
        if zeros.any():
            other = int(np.argmax(zeros))
            zeros[row] = True
            third = zeros & (values[other] != 0)
            if third.any():
                raise DataError(
                    f"most distances of {name} are zero, and items {row} and {other} are at distance zero though item "
                    f"{int(np.argmax(third))} is at distance zero of one of them only: are these the absent entries of "
                    "a neighbour graph, which are unknown, not zero? NeighborGraph.from_sparse takes the sparse matrix"
                )


def refuse_near_only(space: Any) -> None:
    """Raise where all distances are needed of a space of which only the nearest are known."""
    if space.metric == "neighbors":
        raise ParameterError(
            f"of {space.name or 'the data'} only the nearest neighbours are known, and this needs all distances: a "
            "graph can tell about others (imbalance_matrix({'graph': graph}, targets={...})) and give dimensions and "
            "densities, but be no target; bring the features"
        )


def whole_graph(graph: Any, name: str) -> Any:
    """A neighbour graph with a row for every item."""
    if not hasattr(graph, "indptr") or not hasattr(graph, "squared"):
        raise ParameterError(
            f"metric 'neighbors' takes a neighbour graph, not {type(graph).__name__}: {name} is made by "
            "Space.from_neighbors or NeighborGraph.from_sparse"
        )
    if not np.array_equal(graph.rows, np.arange(len(graph))):
        raise DataError(f"the graph {name} has no row for every item: pass the graph of all items")
    return graph


def check_read_space(space: Any) -> None:
    """Raise where a space that was read holds what its constructor would never leave in it."""
    values, bits = space.features, space.metric == "bits"
    if not isinstance(values, np.ndarray) or values.ndim != 2 or not values.size or not values.flags.c_contiguous:
        raise DataError("features of Space must be a table with rows and columns")
    if values.dtype not in ([np.uint64] if bits else [np.float32, np.float64]):
        raise DataError(f"features of Space hold {values.dtype}, which does not go with the metric {space.metric}")
    n, d = values.shape
    if bits:
        if space.n_bits is None or not 1 <= space.n_bits <= 64 * d:
            raise DataError(f"n_bits of Space is {space.n_bits}, and a row has {64 * d}")
        most = int(np.unpackbits(np.bitwise_or.reduce(values, 0).view(np.uint8)).sum())
        if most > space.n_bits:
            raise DataError(f"rows of Space differ in {most} bits, and it has {space.n_bits}")
    elif not np.isfinite(values).all():
        raise DataError("features of Space hold a number that is not finite")
    if space.metric == "precomputed":
        checked_distances(values, "Space")
    elif space.metric in ("euclidean", "manhattan", "chebyshev"):
        check_magnitude(values.min(0), values.max(0), space.feature_weights, "Space", lambda a: f"column {a}")
    elif space.metric == "labels" and d != 1:
        raise DataError(f"features of Space have {d} columns of labels, and must have one")
    if not space.feature_weights.any():
        raise DataError("feature_weights of Space are all zero")
    graph = space.graph
    if (graph is None) == (space.metric == "neighbors"):
        raise DataError("graph of Space does not go with its metric")
    if (
        graph is not None
        and max((int(array.max()) for array in (graph.rows, graph.items) if len(array)), default=0) >= n
    ):
        raise DataError(f"graph of Space names an item beyond its {n}")
    names = space.feature_names
    if names is not None and (len(names) != d or not all(isinstance(one, str) for one in names)):
        raise DataError("feature_names of Space do not go with its columns")


# ---------------------------------------------------------------------------------------------------------------- items
def run_codes(run: ArrayLike, n: int, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Runs as numbers 0, 1, ... and their sorted names."""
    run = np.asarray(run)
    if run.shape != (n,):
        raise DataError(f"run has shape {run.shape}, {name} has {n} items: one label an item")
    codes, names = label_codes(run, "run")
    return names, codes


def one_per_run(values: Any, run_lengths: Sequence[int], what: str) -> Any:
    """One array per run becomes one array; anything else stays as it is."""
    by_run = isinstance(values, (list, tuple)) and len(values) == len(run_lengths)
    if not by_run or any(np.ndim(v) != 1 for v in values):
        return values
    for r, (part, length) in enumerate(zip(values, run_lengths, strict=True)):
        if len(part) != length:
            raise DataError(f"{what} of run {r} has {len(part)} entries, the run has {length} rows")
    return np.concatenate([np.asarray(part) for part in values])


def times(time: ArrayLike, n: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Times as numbers, and as they were given where these are something else: dates, or too large for float64."""
    time, given = as_times(time, "time"), None
    if np.issubdtype(time.dtype, np.datetime64):
        if np.isnat(time).any():
            raise DataError(f"time is missing (NaT) at row {int(np.argmax(np.isnat(time)))}: drop that item")
        given, time = time.copy(), (time - time.min()) / np.timedelta64(1, "s")
    elif number_kinds.beyond_float64(time):  # stamps in nanoseconds
        given, time = time.copy(), time - time.min()
    return checks.check_vector(time, "time", length=n).astype(np.float64), given


def warn_repeated_times(time: Floats, run: Ints | None, name: str) -> None:
    """Two items of one run at one time: frames of replicas, or a file read twice."""
    order = np.lexsort((time,) if run is None else (time, run))
    same = time[order][1:] == time[order][:-1]
    if run is not None:
        same &= run[order][1:] == run[order][:-1]
    if same.any():
        p = int(np.argmax(same))
        i, j = sorted(order[[p, p + 1]].tolist())
        warn(
            f"items {i} and {j} of {name} have the same time ({time[i]:g}) in the same run, one of "
            f"{int(same.sum())} such repetitions: were runs joined without run=, or frames read twice?"
        )


# -------------------------------------------------------------------------------------------------------------- measure
def checked_weights(weights: ArrayLike, d: int) -> np.ndarray:
    weights = checks.check_vector(weights, "feature_weights", length=d, of="features").astype(np.float64)
    if (weights < 0).any() or not weights.any():
        what = f"hold {weights.min():g} for feature {int(weights.argmin())}" if weights.any() else "are all zero"
        raise ParameterError(f"feature_weights {what}; they must be >= 0 and not all zero")
    return weights


def check_magnitude(low: Floats, high: Floats, weights: Floats, name: str, column_name: NameOf) -> None:
    """Squares of differences must be numbers: neither infinite nor all zero."""
    if (high == NETCDF_FILL).any():
        raise DataError(
            f"{column_name(int(np.argmax(high == NETCDF_FILL)))} of {name} holds 9.96921e+36, which netCDF writes "
            f"where nothing was written: these are missing values, {name}.where({name} != {name}.max()) in xarray; "
            "read_table and the commands know them"
        )
    sizes = np.maximum(np.abs(low), np.abs(high)).astype(np.float64) * weights
    largest = float(sizes.max())
    if largest > LARGEST:
        raise DataError(
            f"{column_name(int(sizes.argmax()))} of {name} holds numbers of size {largest:.1e}, whose "
            "squares overflow: divide it by a constant"
        )
    if 0 < largest < SMALLEST:
        raise DataError(
            f"{name} holds no number above {largest:.1e}, and the squares of such numbers vanish: multiply "
            "it by a constant"
        )


def period_notes(features: Array, low: Floats, high: Floats, period: Floats, column_name: NameOf, time: Floats | None,
                 run: Ints | None) -> tuple[str, ...]:  # fmt: skip
    """Whether the columns fit their periods; notes for the result."""
    notes = [
        check_period(features[:, a], period[a], column_name(a), time=time, run=run)
        for a in np.flatnonzero(period).tolist()
    ]
    turns = np.zeros(len(period), bool)
    for edge in (np.pi, 180.0):  # only columns that may be angles are looked at closely
        turns |= (low >= -1.001 * edge) & (high <= 1.001 * edge) & (high - low > 1.94 * edge)
    for a in np.flatnonzero(turns & (period == 0)).tolist():
        check_period(features[:, a], None, column_name(a))
    return tuple(note for note in notes if note)
