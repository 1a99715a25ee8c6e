"""Distances between conformations of a molecule: root mean square deviations after optimal superposition."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from infoscope.base import DataError, ParameterError, available_threads, checks, one_blas_thread, progress
from infoscope.base.array_types import ArrayLike, DTypeLike, Floats
from infoscope.base.jit import kernel

BLOCK = 128  # frames on each side of a block: a product of (3 * 128)^2 numbers stays in cache
UNITS = {"B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12}


def superposed_rmsd(
    positions: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    limit: int | str = "2 GB",
    dtype: DTypeLike = np.float64,
    n_jobs: int | None = None,
) -> np.ndarray:
    """RMSDs of all pairs of conformations, each pair superposed as well as translations and rotations can.

    ``d_ij^2 = min over R, t of sum_a w_a |x_ia - R x_ja - t|^2 / sum_a w_a``, R being a rotation: mirror images are
    not superposed.  The minimum is ``(G_i + G_j - 2 lambda) / sum_a w_a``, where ``G_i = sum_a w_a |x_ia|^2`` of
    centred positions, and lambda is the largest eigenvalue of the 4 x 4 matrix of a quaternion's quadratic form, made
    of the pair's covariance.

    Parameters
    ----------
    positions : array (N, atoms, 3)
        N conformations of the same atoms in the same order, whole (not cut by a periodic box); in nm or any unit.
    weights : array (atoms,), optional
        Weights of the atoms, such as their masses; equal by default.
    limit : int or str
        Largest size of the result, in bytes or such as "2 GB".
    dtype : dtype
        float64 or float32, which halves the memory.
    n_jobs : int, optional
        Threads; all that this process may use by default.

    Returns
    -------
    array (N, N)
        In the unit of the positions; symmetric, zeros on the diagonal.

    Raises
    ------
    DataError
        If positions are not of shape (N, atoms, 3), or not finite, or weights are negative or all zero.
    ParameterError
        If the result would be larger than `limit`.

    Notes
    -----
    A molecule turned into itself has distance 0 up to rounding (about 1e-15 of its size).  Distances of this kind obey
    the triangle inequality, but come from no Euclidean space: use them as ``Space.from_distances(...)``.
    For many frames, positions superposed on one structure are cheaper (``io.trajectory(..., features="positions")``):
    their Euclidean distance, divided by the square root of the number of atoms, is an upper bound of this RMSD.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.neighbors import Space, superposed_rmsd
    >>> square = np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]])
    >>> turned = square[:, [1, 0, 2]] * [-1, 1, 1] + 5
    >>> distances = superposed_rmsd(np.array([square, turned, 2 * square]))
    >>> distances.round(3).tolist()
    [[0.0, 0.0, 0.707], [0.0, 0.0, 0.707], [0.707, 0.707, 0.0]]
    >>> len(Space.from_distances(distances))
    3
    """
    dtype = np.dtype(dtype)
    if dtype not in (np.float32, np.float64):
        raise ParameterError(f"dtype is float64 or float32, not {dtype}")
    points, total = _centred(positions, weights)
    _check_size(len(points), dtype, limit)
    n = len(points)
    vectors = np.ascontiguousarray(points.transpose(0, 2, 1)).reshape(3 * n, -1)
    norms = np.einsum("nax,nax->n", points, points)
    distances = np.zeros((n, n), dtype)
    starts = range(0, n, BLOCK)
    blocks = [(i, j) for i in starts for j in starts if j >= i]
    stop, local = threading.Event(), threading.local()

    def work(block: tuple[int, int]) -> None:
        if stop.is_set():
            return
        i, j = block
        if not hasattr(local, "buffer"):
            local.buffer = np.empty(9 * BLOCK * BLOCK)
        rows, columns = vectors[3 * i : 3 * (i + BLOCK)], vectors[3 * j : 3 * (j + BLOCK)]
        covariances = local.buffer[: len(rows) * len(columns)].reshape(len(rows), len(columns))
        with one_blas_thread():
            np.matmul(rows, columns.T, out=covariances)
        _block_distances(covariances, points, norms, i, j, total, distances)
        bar.update(len(rows) * len(columns) // 9)

    with (
        one_blas_thread(),
        ThreadPoolExecutor(min(available_threads(n_jobs), len(blocks))) as pool,
        progress(n * (n + BLOCK) // 2, "superposed RMSD", "pairs") as bar,
    ):
        try:
            for _ in pool.map(work, blocks):
                pass
        except BaseException:  # Ctrl-C or an error: no new blocks, then out
            stop.set()
            raise
    return distances


# ----------------------------------------------------------------------------------------------------------- the input
def _centred(positions: ArrayLike, weights: ArrayLike | None) -> tuple[np.ndarray, float]:
    """Positions about their weighted centre, times the square roots of the weights; and the sum of the weights."""
    shape = np.shape(positions)
    if len(shape) != 3 or shape[2] != 3 or not shape[0] or not shape[1]:
        raise DataError(
            f"positions have shape {shape}; they need (frames, atoms, 3): reshape rows of x, y, z with "
            "positions.reshape(len(positions), -1, 3)"
        )
    flat = checks.check_matrix(
        np.reshape(positions, (shape[0], -1)),
        "positions",
        column_names=[f"atom {a} {axis}" for a in range(shape[1]) for axis in "xyz"],
    )
    points = flat.reshape(shape).astype(np.float64)
    if weights is None:
        return points - points.mean(axis=1, keepdims=True), float(shape[1])
    weights = checks.check_vector(weights, "weights", length=shape[1], of="atoms", nonnegative=True).astype(np.float64)
    if not weights.any():
        raise DataError("weights are all zero: give at least one atom a weight, or leave them out")
    centre = np.einsum("a,nax->nx", weights / weights.sum(), points)
    return (points - centre[:, None]) * np.sqrt(weights)[:, None], float(weights.sum())


def _check_size(n: int, dtype: np.dtype, limit: int | str) -> None:
    size, allowed = n * n * dtype.itemsize, _bytes(limit)
    if size <= allowed:
        return
    keep = max(2, int(np.sqrt(allowed / dtype.itemsize)))
    half = "" if dtype == np.float32 else ", dtype='float32'"
    raise ParameterError(
        f"the RMSDs of {n} frames take {size / 1e9:.3g} GB, more than limit={limit!r}: take fewer frames "
        f"(positions[::{-(-n // keep)}] fits){half}, raise the limit, or compare positions superposed on one structure "
        "(infoscope.io.trajectory(..., features='positions')), which needs no matrix"
    )


def _bytes(limit: int | str) -> float:
    if not isinstance(limit, str):
        return float(limit)
    number = limit.strip().rstrip("KMGTBkmgtb").strip()
    unit = limit.strip()[len(number) :].strip().upper() or "B"
    try:
        return float(number) * UNITS[unit]
    except (ValueError, KeyError):
        raise ParameterError(f"limit is a number of bytes or such as '2 GB', not {limit!r}") from None


# ------------------------------------------------------------------------------------------------------------- kernels
SMALL = 1e-7  # squared RMSD, relative to G_i + G_j, below which subtraction would cost digits
STEEP = 1e-2  # slope of the polynomial (roots scaled to <= 1) below which Newton's root is unsure


@kernel
def _block_distances(covariances: Floats, points: Floats, norms: Floats, first_row: int, first_column: int,
                     total: float, distances: Floats) -> None:  # fmt: skip
    """RMSDs of a block of pairs, written to both halves of the matrix."""
    rows, columns = covariances.shape[0] // 3, covariances.shape[1] // 3
    form, vectors = np.empty((4, 4)), np.empty((4, 4))
    c = np.empty((3, 3))
    for r in range(rows):
        i = first_row + r
        for s in range(columns):
            j = first_column + s
            if j <= i:
                continue
            mean = 0.5 * (norms[i] + norms[j])  # no eigenvalue is larger
            if mean == 0.0:  # all atoms at one point, in both
                distances[i, j] = distances[j, i] = 0.0
                continue
            for a in range(3):
                for b in range(3):
                    c[a, b] = covariances[3 * r + a, 3 * s + b] / mean
            largest = _largest_root(c)
            if largest < 0.0:
                largest = _largest_eigenvalue(c, form, vectors)
            squared = 2.0 * mean * (1.0 - largest)
            if squared < SMALL * 2.0 * mean:
                _largest_eigenvalue(c, form, vectors)
                squared = _residual(points, i, j, vectors[:, 0])
            distance = np.sqrt(max(squared, 0.0) / total)
            distances[i, j] = distance
            distances[j, i] = distance


@kernel(inner=True)
def _largest_root(c: Floats) -> float:
    """Largest eigenvalue from its polynomial by Newton's method from above; -1 where that may not be accurate.

    With singular values s and the sign of the determinant in the last one, the eigenvalues are s1 + s2 + s3,
    s1 - s2 - s3, -s1 + s2 - s3 and -s1 - s2 + s3, so their polynomial is
    (x^2 - p)^2 - 8 d x - 4 q,  p = |c|^2 (Frobenius), d = det c, q = |cofactors of c|^2.
    All roots are real, so from x = 1, which none exceeds, Newton's steps go down to the largest one.
    """
    p, q, d = 0.0, 0.0, 0.0
    for a in range(3):
        a1, a2 = (a + 1) % 3, (a + 2) % 3
        for b in range(3):
            b1, b2 = (b + 1) % 3, (b + 2) % 3
            cofactor = c[a1, b1] * c[a2, b2] - c[a1, b2] * c[a2, b1]
            p += c[a, b] * c[a, b]
            q += cofactor * cofactor
            if a == 0:
                d += c[0, b] * cofactor
    x = 1.0
    for _ in range(30):
        gap = x * x - p
        slope = 4.0 * x * gap - 8.0 * d
        if slope < STEEP:  # nearly a double root: ill-conditioned
            return -1.0
        step = (gap * gap - 8.0 * d * x - 4.0 * q) / slope
        x -= step
        if abs(step) < 1e-9:  # convergence is quadratic: the next one is below 1e-17
            gap = x * x - p
            return x if 4.0 * x * gap - 8.0 * d >= STEEP else -1.0
    return -1.0


@kernel(inner=True)
def _largest_eigenvalue(c: Floats, form: Floats, vectors: Floats) -> float:
    """Largest eigenvalue of the quadratic form of unit quaternions; its eigenvector goes to the first column.

    For the rotation R of a quaternion (w, u), trace(c R) is a quadratic form; its matrix holds the trace of c, the
    antisymmetric part of c (first row) and c + c^T - trace (the rest).  Jacobi's rotations cannot fail on it.
    """
    trace = c[0, 0] + c[1, 1] + c[2, 2]
    form[0, 0] = trace
    for a in range(3):
        b, e = (a + 1) % 3, (a + 2) % 3
        form[0, a + 1] = form[a + 1, 0] = c[e, b] - c[b, e]
        for f in range(3):
            form[a + 1, f + 1] = c[a, f] + c[f, a]
        form[a + 1, a + 1] -= trace
    for a in range(4):
        for b in range(4):
            vectors[a, b] = 1.0 if a == b else 0.0
    for _ in range(30):
        rest = 0.0
        for a in range(3):
            for b in range(a + 1, 4):
                rest += abs(form[a, b])
        if rest < 1e-17:
            break
        for a in range(3):
            for b in range(a + 1, 4):
                _rotate(form, vectors, a, b)
    best = 0
    for a in range(1, 4):
        if form[a, a] > form[best, best]:
            best = a
    for a in range(4):
        vectors[a, 0] = vectors[a, best]
    return form[best, best]


@kernel(inner=True)
def _rotate(form: Floats, vectors: Floats, a: int, b: int) -> None:
    """One Jacobi rotation: the entry (a, b) becomes zero."""
    off = form[a, b]
    if abs(off) < 1e-300:
        return
    ratio = 0.5 * (form[b, b] - form[a, a]) / off
    tangent = 1.0 / (abs(ratio) + np.sqrt(ratio * ratio + 1.0))
    if ratio < 0.0:
        tangent = -tangent
    cosine = 1.0 / np.sqrt(tangent * tangent + 1.0)
    sine = tangent * cosine
    for k in range(4):
        left, right = form[k, a], form[k, b]
        form[k, a], form[k, b] = cosine * left - sine * right, sine * left + cosine * right
    for k in range(4):
        left, right = form[a, k], form[b, k]
        form[a, k], form[b, k] = cosine * left - sine * right, sine * left + cosine * right
    form[a, b] = form[b, a] = 0.0
    for k in range(4):
        left, right = vectors[k, a], vectors[k, b]
        vectors[k, a], vectors[k, b] = cosine * left - sine * right, sine * left + cosine * right


@kernel(inner=True)
def _residual(points: Floats, i: int, j: int, quaternion: Floats) -> float:
    """Sum of squared differences after frame j was turned by a quaternion: exact where the difference is small."""
    w, x, y, z = quaternion[0], quaternion[1], quaternion[2], quaternion[3]
    total = 0.0
    for a in range(points.shape[1]):
        px, py, pz = points[j, a, 0], points[j, a, 1], points[j, a, 2]
        tx, ty, tz = 2.0 * (y * pz - z * py), 2.0 * (z * px - x * pz), 2.0 * (x * py - y * px)
        dx = points[i, a, 0] - (px + w * tx + y * tz - z * ty)
        dy = points[i, a, 1] - (py + w * ty + z * tx - x * tz)
        dz = points[i, a, 2] - (pz + w * tz + x * ty - y * tx)
        total += dx * dx + dy * dy + dz * dz
    return total
