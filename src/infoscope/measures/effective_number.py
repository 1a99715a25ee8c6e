"""How many equally different items is a sample worth? Vendi scores of any order, effective ranks, from one spectrum."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from infoscope.base import DataError, ParameterError, provenance, warn
from infoscope.base.checks import check_choice, check_matrix, check_random_state
from infoscope.base.rounding import exceeds
from infoscope.neighbors import Space, as_space, find_repeated_rows, kernel_matrix, to_numpy

from .kernel_forms import median_distance
from .lanczos import stochastic_spectrum
from .one_sample import OneSample, each, jackknife, read_sample, refuse_periods
from .similarity import EXACT, FeatureSide, GaussianStream, ItemSide, Vectors, VectorStream, minus_log
from .spectral_results import EffectiveNumber
from .spectrum import ORDERS, entropy_of

KERNELS = ("cosine", "gaussian", "covariance", "precomputed")
GROUPS, FEW_GROUPS, WIDE = 16, 8, 512  # that are left out for errors, and make the curve; where spectra take long
FEWEST_GROUPS = 4  # from which an error can be told
GROWTH = 0.02  # from half the items to all, from which a number has not converged


def effective_number(
    X: Any,
    *,
    order: float | None = None,
    kernel: str | Callable[[np.ndarray, np.ndarray], np.ndarray] = "cosine",
    sigma: float | str = "auto",
    weights: Any = None,
    unbiased: bool | None = None,
    exclusion_window: float | str | None = None,
    random_state: Any = 0,
    n_jobs: int | None = None,
) -> EffectiveNumber:
    """How many equally different items is a sample worth?

    The eigenvalues p_k of the matrix of similarities K_ij / N add up to 1, and exp(H_q), with the Renyi entropy
    ``H_q = log(sum p_k^q) / (1 - q)``, counts them: 1 if all items are the same, N if none is like another. With
    ``kernel="covariance"`` the eigenvalues are those of the covariance, and order 0 is the numerical rank, 1 the
    effective rank, 2 the participation ratio.

    Parameters
    ----------
    X : Space, array (N, D), frame, tensor or Dask array; with ``kernel="precomputed"`` an array (N, N)
        The items, or their similarities.  Metric, periods, weights, time and runs belong to a `Space`.
    order : float, optional
        q from 0 to infinity; large orders count what is frequent, small ones also what is rare.  By default 1 for
        kernels of finite dimension (cosine, covariance) and 2 for others, whose order 1 does not converge.
    kernel : {"cosine", "gaussian", "covariance", "precomputed"} or callable
        Similarity; a callable takes two arrays of rows, as those of ``sklearn.metrics.pairwise`` do.
    sigma : float or "auto"
        Scale of the Gaussian kernel exp(-d^2 / 2 sigma^2), in units of the distance; "auto" is the median distance.
    weights : array (N,), optional
        Of the items, where X is no `Space`.
    unbiased : bool, optional
        Whether order 2 is taken from pairs of different items: needs no eigenvalues, has no bias as an estimate for
        what the items were drawn from, and may exceed their number; infinite where no two have anything in common.
        By default so, but for ``kernel="precomputed"``, whose items are counted as they are: m for m groups of equal
        size that have nothing in common.
    exclusion_window : float, "auto" or None
        Rows of a run within this time are no pair.  None means "auto" for spaces with `time` or `run`.
    random_state : int or Generator
        For the parts of the curve, and the random quadrature of large samples.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    EffectiveNumber
        With its standard error, the profile over orders, and the curve over the number of items.

    Raises
    ------
    DataError
        Rows without direction, matrices that are no kernels, fewer than two items.
    ParameterError
        Unknown kernels, orders or scales.

    References
    ----------
    Friedman, Dieng, TMLR (2023), arXiv:2210.02410, and Pasarkar, Dieng, arXiv:2310.12952 (orders); Ospanov, Farnia,
    arXiv:2410.21719 (convergence).  Errors leave out groups of items; that of the unbiased order 2 is that of a mean
    over pairs.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.measures.effective_number import effective_number
    >>> x = np.random.default_rng(0).normal(size=(2000, 3))
    >>> print(effective_number(x))                                        # directions in three dimensions
    Effective number of items (order 1, cosine kernel, N = 2000)
      effective number  2.9985 ± 0.0011
    The sample is as rich as 2.9985 ± 0.0011 equally weighted items that have nothing in common, as this kernel ...
    >>> round(effective_number(x, kernel="covariance", order=2).value, 1)  # participation ratio
    3.0
    """
    generator = check_random_state(random_state)
    if not callable(kernel):
        check_choice(kernel, "kernel", KERNELS)
    order = _check_order(order, kernel)
    sample, features = _read(X, kernel, weights, exclusion_window, n_jobs)
    if len(sample.space) < 2:
        raise DataError(f"there is {len(sample.space)} item of positive weight: a sample has at least two")
    name = "function" if callable(kernel) else kernel
    if name != "gaussian" and sigma != "auto":
        raise ParameterError(f"sigma is the scale of kernel='gaussian', not of {name!r}: leave it out")
    scale = _scale(sample.space, sigma) if name == "gaussian" else None
    side = similarity_side(sample, features, kernel, scale, n_jobs)
    unbiased = (kernel != "precomputed" if unbiased is None else bool(unbiased)) and order == 2
    found = _constant(sample) if side is None else measure_entropy(side, order, unbiased, generator, n_jobs)
    warnings = list(sample.warnings)
    _say(warnings, sample, found, side is None)
    parameters = dict(
        order=order, kernel=name, sigma=sigma, unbiased=unbiased, exclusion_window=exclusion_window, n_jobs=n_jobs
    )
    space = sample.space
    number, number_se = _number_of(found, order)
    profile = np.exp(found.profile)
    return EffectiveNumber(
        value=number,
        value_se=number_se,
        entropy=found.entropy,
        entropy_se=found.entropy_se,
        order=float(order),
        kernel=name,
        sigma=scale,
        unbiased=unbiased,
        converged=found.converged,
        orders=np.array(ORDERS) if len(profile) else np.empty(0),
        profile=profile,
        profile_se=profile * found.profile_se,
        spectrum=found.spectrum,
        n_dropped=found.n_dropped,
        complete=found.complete,
        curve_sizes=found.curve_sizes,
        curve_orders=np.array(found.curve_orders, float),
        curve=np.exp(found.curve),
        n_items=len(space),
        n_features=int(space.n_features),
        n_units=sample.n_units,
        exclusion_window=sample.window,
        warnings=tuple(dict.fromkeys(warnings)),
        notes=sample.notes,
        provenance=provenance("effective_number", parameters, random_state, *space.input_parts),
    )


class Measured(NamedTuple):
    """Entropies in nats of a spectrum, with errors and the curve over sizes."""

    entropy: float
    entropy_se: float
    profile: np.ndarray
    profile_se: np.ndarray
    spectrum: np.ndarray
    n_dropped: int
    complete: bool
    curve_sizes: np.ndarray
    curve_orders: tuple[float, ...]
    curve: np.ndarray

    @property
    def converged(self) -> bool | None:
        """Whether the number grows from half the items to all by less than its error, or than two in a hundred."""
        if len(self.curve_sizes) < 2:
            return None
        half, last = self.curve[-2:, 0].tolist()
        if not (np.isfinite(last) and np.isfinite(half)):
            return False
        return not exceeds(abs(last - half), max(GROWTH, 2 * self.entropy_se))


# ------------------------------------------------------------------------------------------------------------- reading
def _check_order(order: float | None, kernel: Any) -> float:
    if order is None:
        return 1.0 if kernel in ("cosine", "covariance") else 2.0
    if isinstance(order, bool) or not isinstance(order, int | float | np.number) or not float(order) >= 0:
        raise ParameterError(f"order is {order!r}; it must be a number from 0 to infinity")
    return float(order)


def _read(X: Any, kernel: Any, weights: Any, window: Any, n_jobs: int | None) -> tuple[OneSample, np.ndarray | None]:
    """The sample, and the matrix of similarities where that is what was brought."""
    if kernel == "precomputed":
        if isinstance(X, Space):
            raise ParameterError("kernel='precomputed' takes a matrix (N, N) of similarities, no Space: pass the array")
        matrix = check_matrix(X, "X").astype(np.float64)
        _check_similarities(matrix)
        places = Space(np.arange(len(matrix), dtype=float)[:, None], name="X")
        sample = read_sample(places, None, 0 if window is None else window, look=False)
        if weights is not None:
            sample = read_sample(places.replace(sample_weight=weights), None, window, look=False)
        return sample, matrix[np.ix_(sample.kept, sample.kept)]
    if kernel == "gaussian" or callable(kernel):
        return read_sample(X, weights, window, n_jobs=n_jobs), None
    space = as_space(X, name="X", sample_weight=weights)
    if space.metric not in ("euclidean", "cosine"):
        raise ParameterError(
            f"kernel={kernel!r} needs columns of real numbers, and X has metric {space.metric!r}: take "
            "kernel='gaussian', which needs distances only"
        )
    refuse_periods(space, f"kernel={kernel!r}")
    if kernel == "cosine" and space.metric != "cosine":
        features = space.features  # directions keep the type of the rows, and eigenvalues are wanted to the last digits
        space = Space(
            features.double() if space.backend == "torch" else features.astype(np.float64, copy=False),
            metric="cosine",
            feature_weights=space.feature_weights,
            feature_names=space.feature_names,
            name=space.name,
            **space.about_items(),
        )
    elif kernel == "covariance" and space.metric == "cosine":
        raise ParameterError("X has metric 'cosine', whose lengths are gone: kernel='covariance' needs the columns")
    return read_sample(space, None, window, n_jobs=n_jobs), None


def _check_similarities(matrix: np.ndarray) -> None:
    """A square symmetric matrix with a positive diagonal."""
    if matrix.shape[0] != matrix.shape[1]:
        raise DataError(f"X has shape {matrix.shape}; a matrix of similarities is square (N, N)")
    away = np.abs(matrix - matrix.T)
    if exceeds(float(away.max()), 0.0, float(np.abs(matrix).max()), same=1e-8):
        row, column = np.unravel_index(np.argmax(away), away.shape)
        raise DataError(
            f"X is not symmetric: {matrix[row, column]:g} in row {row}, column {column}, {matrix[column, row]:g} in "
            f"row {column}, column {row}; similarities are"
        )
    if not (np.diag(matrix) > 0).all():
        at = int(np.argmin(np.diag(matrix)))
        raise DataError(f"X holds {matrix[at, at]:g} on its diagonal, row {at}: an item is like itself; leave it out")


def _scale(space: Space, sigma: float | str) -> float:
    if isinstance(sigma, str):
        if sigma != "auto":
            raise ParameterError(f"sigma is {sigma!r}; it must be a positive number or 'auto'")
        scale = median_distance(space)
        return scale if scale > 0 else 1.0  # most items are one: at any scale
    if isinstance(sigma, bool) or not np.isfinite(sigma) or not sigma > 0:
        raise ParameterError(f"sigma is {sigma!r}; it must be a positive number or 'auto'")
    return float(sigma)


def similarity_side(
    sample: OneSample, matrix: np.ndarray | None, kernel: Any, sigma: float | None, n_jobs: int | None
) -> Any:
    """The smaller side of the matrix of similarities; None where all items are one point."""
    n, d = len(sample.space), sample.space.n_features
    if matrix is not None:
        return ItemSide(sample, matrix, "X")
    if callable(kernel):
        rows = np.asarray(to_numpy(sample.space.features), np.float64)
        made = check_matrix(kernel(rows, rows), "the kernel of X").astype(np.float64)
        if made.shape != (n, n):
            raise DataError(f"the kernel of {n} items with themselves has shape {made.shape}; it must be ({n}, {n})")
        return ItemSide(sample, made)
    if sigma is not None:
        if n <= EXACT:
            return ItemSide(sample, kernel_matrix(sample.space, sigma, n_jobs=n_jobs))
        return GaussianStream(sample, sigma, n_jobs)
    vectors = Vectors(sample, centred=kernel != "cosine", unit=kernel != "covariance")
    if vectors.constant:
        return None
    if d <= min(n, EXACT):
        return FeatureSide(vectors)
    if n <= EXACT:
        phi = vectors.matrix()
        return ItemSide(sample, phi @ phi.T)
    return VectorStream(vectors, n_jobs)


def _number_of(found: Measured, order: float) -> tuple[float, float]:
    """exp of the entropy and its error; order 0 counts, and counts are whole numbers."""
    number = float(np.exp(found.entropy))
    if not np.isfinite(number):
        return number, np.nan
    error = number * found.entropy_se
    if order == 0:
        return float(round(number)), error if exceeds(error, 0.0, number, same=1e-9) else 0.0
    return number, error


def _constant(sample: OneSample) -> Measured:
    """All items are one point: one."""
    nothing = np.zeros(len(ORDERS))
    return Measured(0.0, 0.0, nothing, nothing, np.ones(1), 0, True, np.empty(0), (), np.empty((0, 0)))


def _say(warnings: list[str], sample: OneSample, found: Measured, constant: bool) -> None:
    """What the user should know."""
    said = []
    if constant:
        said.append("all items are one point: the effective number is 1")
    if found.entropy == np.inf:
        said.append("no two items have anything in common: the sample is too small to tell how many there are")
    elif exceeds(found.entropy, np.log(len(sample.space))):
        said.append(
            f"the number is larger than that of the items, {len(sample.space)}: it is an estimate, from few pairs, for "
            "what they were drawn from; unbiased=False counts the items themselves"
        )
    elif found.converged is False:
        growth = 100 * np.expm1(found.curve[-1, 0] - found.curve[-2, 0])
        said.append(
            f"the number changes by {growth:+.1f} % from half the items to all: it tells of this sample, not of its law"
            + ("; order 2 or more converges sooner" if found.curve_orders[0] < 2 else "")
        )
    repeated = find_repeated_rows(sample.space, sample.admissibility) if sample.space.metric != "precomputed" else None
    if repeated is not None and repeated.worth_a_warning and not constant:
        said.append(f"{repeated}: copies make a sample look poorer than it is")
    for text in said:
        warn(text)
    warnings += said


# ----------------------------------------------------------------------------------------------------------- measuring
def measure_entropy(
    side: Any, order: float, unbiased: bool, generator: np.random.Generator, n_jobs: int | None = None
) -> Measured:
    """Entropy of one order with its error, and the profile and the curve beside it."""
    if side.side == "pairs":
        return _from_products(side, order, unbiased, generator, n_jobs)
    group_of, n_groups = side.sample.groups(generator, GROUPS if _width(side) <= WIDE else FEW_GROUPS)
    orders = tuple(dict.fromkeys((float(order), *ORDERS)))
    number = np.arange(n_groups)
    without = [number != g for g in number] if n_groups >= FEWEST_GROUPS else []
    levels = [joined for joined in (n_groups // 8, n_groups // 4, n_groups // 2) if joined]
    parts = [(number >= first) & (number < first + j) for j in levels for first in range(0, n_groups, j)]
    looks = each(side.entropies(group_of, n_groups, orders, unbiased), [number >= 0, *without, *parts], n_jobs)
    (spectrum, whole), values = looks[0], np.array([one[1] for one in looks])
    error = jackknife(values[1 : 1 + n_groups]) if without else np.full(len(orders), np.nan)
    entropy, entropy_se = whole[0], float(error[0])
    if unbiased:
        entropy, entropy_se = _from_pairs(side.pair_squares(), side.sample)
    shown = tuple(dict.fromkeys((float(order), 1.0, 2.0)))
    at = np.cumsum([len(without) + 1, *(n_groups // j for j in levels)])
    curve = [values[a:b].mean(0) for a, b in zip(at[:-1], at[1:], strict=True)]
    sizes = np.array([*(side.n * j / n_groups for j in levels), float(side.n)])
    profile = [orders.index(q) for q in ORDERS]
    plain = values[0, profile]
    if unbiased:
        plain[ORDERS.index(2.0)] = entropy_of(spectrum.values, 2)
    return Measured(
        entropy, entropy_se, plain, error[profile], spectrum.values, spectrum.n_dropped, True, sizes, shown,
        np.array([*curve, values[0]])[:, [orders.index(q) for q in shown]],
    )  # fmt: skip


def _width(side: Any) -> int:
    return side.vectors.d if side.side == "features" else side.n


def _from_pairs(pairs: Any, sample: OneSample) -> tuple[float, float]:
    """The entropy of order 2 without the bias of the spectrum, and the error of a mean over pairs."""
    purity = pairs.purity(sample.weight)
    if not purity > 0:
        return np.inf, np.nan
    known = sample.n_units >= FEWEST_GROUPS
    return minus_log(purity), float(sample.error(pairs.influence(sample.weight))) if known else np.nan


def _from_products(
    side: Any, order: float, unbiased: bool, generator: np.random.Generator, n_jobs: int | None
) -> Measured:
    """Large samples: pairs for order 2, Lanczos for the largest eigenvalue, random quadrature for other orders."""
    if order == 0:
        raise ParameterError(
            f"order 0 counts all eigenvalues, of which there are {side.n:,}: take a larger order, or fewer items"
        )
    nothing = np.empty(0)
    if unbiased:
        entropy, entropy_se = _from_pairs(side.pair_squares(), side.sample)
        sizes, curve = _pair_curve(side, generator, entropy)
        return Measured(entropy, entropy_se, nothing, nothing, nothing, 0, False, sizes, (2.0,), curve)
    weight = side.sample.weight
    found = stochastic_spectrum(side.product, side.n, float(weight @ side.own()), generator)
    trace = float(weight @ side.own())
    values, counts = found.of_probe()
    profile = np.array([entropy_of(values / trace, q, counts) for q in (*ORDERS, order)])
    spread = np.array(
        [
            [entropy_of(v / trace, q, c) for q in (*ORDERS, order)]
            for v, c in (found.of_probe(p) for p in range(len(found.nodes)))
        ]
    )
    probe_se = spread.std(0, ddof=1) / np.sqrt(len(spread)) if len(spread) > 1 else np.zeros(len(profile))
    if found.coarse is not None:
        values, counts = found.coarse.of_probe()
        coarse = np.array([entropy_of(values / trace, q, counts) for q in (*ORDERS, order)])
        probe_se = np.hypot(probe_se, profile - coarse)
        values, counts = found.of_probe()
    sampling, sizes, curve = _subsample(side, order, generator, n_jobs)
    error = np.hypot(probe_se, sampling)
    if order == np.inf:  # the eigenvector is known: first-order perturbation theory
        squares = found.first**2 * found.top[0] / weight if len(found.top) else np.full(side.n, np.nan)
        error[-1] = float(side.sample.error(side.own() / trace - squares / values.max()))
    curve, sizes = np.vstack([curve, profile[[-1]]]), np.append(sizes, side.n)
    return Measured(
        profile[-1], float(error[-1]), profile[:-1], error[:-1], found.top / trace, 0, False, sizes, (order,), curve
    )


def _subsample(
    side: Any, order: float, generator: np.random.Generator, n_jobs: int | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Errors of a smaller sample, whose spectrum is known, carried over to the whole; and its curve."""
    size = min(EXACT // 2, side.n // 2)
    rows = np.sort(generator.permutation(side.n)[:size])
    small = _smaller(side, rows)
    found = measure_entropy(small, order, False, generator, n_jobs)
    errors = np.append(found.profile_se, found.entropy_se) * np.sqrt(size / side.n)
    return errors, found.curve_sizes, found.curve[:, :1]


def _smaller(side: Any, rows: np.ndarray) -> Any:
    """The same kernel on some of the items."""
    part = side.sample.part(rows)
    if isinstance(side, GaussianStream):
        if len(rows) > EXACT:
            return GaussianStream(part, side.sigma, side.n_jobs)
        return ItemSide(part, kernel_matrix(part.space, side.sigma, n_jobs=side.n_jobs))
    vectors = Vectors(part, side.vectors.centred, side.vectors.unit)
    if len(rows) > EXACT:
        return VectorStream(vectors, side.n_jobs)
    phi = vectors.matrix()
    return ItemSide(part, phi @ phi.T)


def _pair_curve(side: Any, generator: np.random.Generator, entropy: float) -> tuple[np.ndarray, np.ndarray]:
    """Order 2 of one random half, two quarters of the rest, and of all items: half as much again as all alone."""
    order, n = generator.permutation(side.n), side.n
    sizes, curve = [], []
    for share, first in ((8, 0), (4, n // 8), (2, n // 2)):
        rows = np.sort(order[first : first + n // share])
        small = _smaller(side, rows)
        pairs = small.pair_squares()
        sizes.append(float(len(rows)))
        curve.append([_from_pairs(pairs, small.sample)[0]])
    return np.array([*sizes, float(n)]), np.array([*curve, [entropy]])
