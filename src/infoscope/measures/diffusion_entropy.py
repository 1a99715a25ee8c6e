"""Diffusion spectral entropy: how many states a random walk on the items tells apart, and how many inside a class."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from infoscope.base import DataError, ParameterError, provenance, warn
from infoscope.base.checks import check_positive_int, check_random_state
from infoscope.base.rounding import exceeds
from infoscope.neighbors import TIE, Space, as_space, kernel_matrix, kernel_product, kernel_sums, nearest, target_space
from infoscope.statistics.units import information_unit

from .effective_number import FEW_GROUPS, FEWEST_GROUPS, GROUPS, WIDE
from .kernel_forms import median_distance
from .lanczos import stochastic_spectrum
from .one_sample import OneSample, each, jackknife, read_sample
from .similarity import EXACT
from .spectral_results import NEAR_LIMIT, DiffusionInformation, SpectralEntropy
from .spectrum import entropy_of

NEIGHBORS = 10  # whose median distance, times sqrt 2, is the scale of "auto"
SCALES = 14  # of a sweep
FEWEST_SUBSETS, MOST_SUBSETS = 5, 100
SURE = 0.01  # share of the entropy to which that of random sets is found
BINS = 10  # of a continuous reference
TIED = 0.05  # share of the items whose tenth neighbour is equally far, from which the scale jumps


def diffusion_spectral_entropy(
    X: Any,
    *,
    sigma: float | str = "auto",
    t: float = 1.0,
    alpha: float = 0.0,
    weights: Any = None,
    unit: str = "bits",
    exclusion_window: float | str | None = None,
    random_state: Any = 0,
    n_jobs: int | None = None,
) -> SpectralEntropy:
    """Entropy of the eigenvalues of a random walk on the items.

    The walk goes from i to j in proportion to exp(-d_ij^2 / 2 sigma^2), itself included; the entropy is that of
    ``|lambda|^t / sum``.  It is at most log N, which it reaches where sigma is so small that items are alone.

    Parameters
    ----------
    X : Space, array (N, D), frame, tensor or Dask array
        The items; metric, weights, times and runs belong to a `Space`.
    sigma : float, "auto" or "sweep"
        Scale of the walk, in units of the distance.  "auto": sqrt 2 times the median distance of the tenth neighbour;
        "sweep": that, and the entropy at scales from a quarter of it to four median distances.
    t : float
        Steps of the walk.
    alpha : float
        How much of the density is divided out of the kernel first, from 0 (nothing; what published numbers have) to 1.
    weights : array (N,), optional
        Of the items, where X is no `Space`.
    unit : {"bits", "nats"}
        Of the entropy.
    exclusion_window : float, "auto" or None
        Time within which rows of a run belong together in the error; 0 says that rows are in no order.
    random_state : int or Generator
        For the random quadrature of large samples.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    SpectralEntropy
        Of kind "diffusion"; `relative` is the share of log N.

    Raises
    ------
    DataError
        Fewer than two items.
    ParameterError
        Scales, steps or alpha that are none.

    References
    ----------
    Liao et al., arXiv:2312.04823 (2023).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.measures.diffusion_entropy import diffusion_spectral_entropy
    >>> x = np.random.default_rng(3).standard_normal((200, 3))
    >>> round(diffusion_spectral_entropy(x, sigma=1.0).value, 6)
    4.860689
    """
    by = information_unit(unit)
    generator = check_random_state(random_state)
    t, alpha = _check_walk(t, alpha)
    sample = read_sample(X, weights, exclusion_window, n_jobs=n_jobs)
    n = len(sample.space)
    if n < 2:
        raise DataError(f"there is {n} item of positive weight: a walk is between two at least")
    scale, others = _scale_of(sample, sigma, n_jobs)
    found = walk_entropy(sample, scale, t, alpha, generator, n_jobs)
    beside = [walk_entropy(sample, s, t, alpha, generator, n_jobs, with_error=False).entropy for s in others]
    jump = float(np.ptp([found.entropy, *beside])) / 2  # ties: the scale itself may be another one in such data
    found = found._replace(entropy_se=float(np.hypot(found.entropy_se, jump)))
    scales = _sweep(sample.space, scale) if sigma == "sweep" else np.empty(0)
    sweep = [walk_entropy(sample, float(s), t, alpha, generator, n_jobs) for s in scales]
    limit = float(np.log(n))
    warnings, space = list(sample.warnings), sample.space
    if not exceeds(1 - NEAR_LIMIT, found.entropy / limit):
        warnings.append(
            f"the entropy is within {100 * NEAR_LIMIT:.0f} % of log N: at sigma={scale:.3g} items are alone, and the "
            "number is that of the items; take a larger sigma, or 'sweep'"
        )
        warn(warnings[-1])
    return SpectralEntropy(
        value=found.entropy / by,
        value_se=found.entropy_se / by,
        kind="diffusion",
        relative=found.entropy / limit,
        unit=unit,
        effective_number=float(np.exp(found.entropy)),
        sigma=scale,
        t=t,
        alpha=alpha,
        spectrum=found.spectrum,
        n_dropped=found.n_dropped,
        complete=found.complete,
        sigmas=scales,
        sweep=np.array([one.entropy for one in sweep]) / by,
        sweep_se=np.array([one.entropy_se for one in sweep]) / by,
        n_items=n,
        n_features=int(space.n_features),
        n_units=sample.n_units,
        warnings=tuple(warnings),
        notes=(*sample.notes, *_say_of_ties(scale, others)),
        provenance=provenance(
            "diffusion_spectral_entropy",
            dict(sigma=sigma, t=t, alpha=alpha, unit=unit, exclusion_window=exclusion_window, n_jobs=n_jobs),
            random_state,
            *space.input_parts,
        ),
    )


def diffusion_spectral_information(
    X: Any,
    labels: Any,
    *,
    sigma: float | str = "auto",
    t: float = 1.0,
    alpha: float = 0.0,
    unit: str = "bits",
    n_subsets: int | None = None,
    exclusion_window: float | str | None = None,
    random_state: Any = 0,
    n_jobs: int | None = None,
) -> DiffusionInformation:
    """How much lower is the diffusion entropy inside classes than in random sets of their size?

    ``sum_c p_c (entropy of random sets of N_c items - entropy of class c)``: sets of one size are compared, because the
    entropy grows with it.  It is *not* a mutual information: it may be negative, and changes with maps of the columns.

    Parameters
    ----------
    X : Space, array (N, D), frame, tensor or Dask array
        The items.
    labels : array (N,)
        Class of every item; one column of real numbers is cut into ten bins of equal counts.
    sigma, t, alpha, unit
        As for `diffusion_spectral_entropy`; "auto" is the scale of all items.
    n_subsets : int, optional
        Random sets for each class; by default until their mean is known to one part in a hundred.
    exclusion_window : float, "auto" or None
        Time within which rows of a run belong together in the error; 0 says that rows are in no order.
    random_state : int or Generator
        For the random sets.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    DiffusionInformation

    Raises
    ------
    DataError
        Labels of another length, or of one class.
    ParameterError
        Reference variables that are neither labels nor one column.

    References
    ----------
    Liao et al., arXiv:2312.04823 (2023).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.measures.diffusion_entropy import diffusion_spectral_information
    >>> label = np.repeat([0, 1], 60)
    >>> x = np.random.default_rng(0).normal(size=(120, 2)) + 6 * label[:, None]
    >>> found = diffusion_spectral_information(x, label, exclusion_window=0, random_state=0)
    >>> found.value > 2 * found.value_se > 0
    True
    """
    by = information_unit(unit)
    generator = check_random_state(random_state)
    t, alpha = _check_walk(t, alpha)
    if n_subsets is not None:
        check_positive_int(n_subsets, "n_subsets", 2)
    if sigma == "sweep":
        raise ParameterError("sigma='sweep' is for one entropy: pass a number, or 'auto'")
    space = as_space(X, name="X")
    codes, names, note = _classes(labels, len(space))
    sample = read_sample(space, None, exclusion_window, n_jobs=n_jobs)
    codes = codes[sample.kept]
    scale, others = _scale_of(sample, sigma, n_jobs)
    sizes = np.bincount(codes, minlength=len(names))
    inside = [
        walk_entropy(sample.part(np.flatnonzero(codes == c)), scale, t, alpha, generator, n_jobs)
        for c in range(len(names))
    ]
    outside = [_random_sets(sample, int(size), scale, t, alpha, n_subsets, generator, n_jobs) for size in sizes]
    shares = np.array([sample.weight[codes == c].sum() for c in range(len(names))])
    class_se = np.array([one.entropy_se for one in inside])
    random_se = np.array([one[1] for one in outside])
    apart = np.array([mean - one.entropy for one, (mean, _, _) in zip(inside, outside, strict=True)])
    return DiffusionInformation(
        value=float((shares * apart).sum()) / by,
        value_se=float(np.sqrt((shares**2 * (class_se**2 + random_se**2)).sum())) / by,
        unit=unit,
        classes=np.array(names),
        sizes=sizes,
        class_entropy=np.array([one.entropy for one in inside]) / by,
        class_entropy_se=class_se / by,
        random_entropy=np.array([one[0] for one in outside]) / by,
        random_entropy_se=random_se / by,
        n_subsets=max(one[2] for one in outside),
        sigma=scale,
        t=t,
        alpha=alpha,
        n_items=len(sample.space),
        warnings=sample.warnings,
        notes=(*sample.notes, *note, *_say_of_ties(scale, others)),
        provenance=provenance(
            "diffusion_spectral_information",
            dict(sigma=sigma, t=t, alpha=alpha, unit=unit, n_subsets=n_subsets, n_jobs=n_jobs)
            | dict(exclusion_window=exclusion_window),
            random_state,
            *(sample.space.features, codes),
        ),
    )


# ------------------------------------------------------------------------------------------------------------ the walk
class Walk(NamedTuple):
    """Entropy of a walk in nats, with its error, and the shares of the eigenvalues that are known."""

    entropy: float
    entropy_se: float
    spectrum: np.ndarray
    n_dropped: int
    complete: bool


def walk_entropy(
    sample: OneSample,
    sigma: float,
    t: float,
    alpha: float,
    generator: np.random.Generator,
    n_jobs: int | None,
    *,
    with_error: bool = True,
) -> Walk:
    """Entropy of the walk of one scale; its error leaves out groups of items."""
    n = len(sample.space)
    if n == 1:
        return Walk(0.0, 0.0, np.ones(1), 0, True)
    if n > EXACT:
        return _large_walk(sample, sigma, t, alpha, generator, n_jobs)
    kernel = kernel_matrix(sample.space, sigma, n_jobs=n_jobs)
    p, n_dropped = _walk_spectrum(kernel, sample.weight, t, alpha)
    group_of, n_groups = sample.groups(generator, GROUPS if n <= WIDE else FEW_GROUPS)
    error = np.nan
    if with_error and n_groups >= FEWEST_GROUPS:

        def entropy_without(g: int) -> float:
            left = np.flatnonzero(group_of != g)
            return entropy_of(_walk_spectrum(kernel[np.ix_(left, left)], sample.weight[left], t, alpha)[0], 1)

        error = float(jackknife(np.array(each(entropy_without, range(n_groups), n_jobs))))
    return Walk(entropy_of(p, 1), error, p, n_dropped, True)


def _walk_spectrum(kernel: np.ndarray, w: np.ndarray, t: float, alpha: float) -> tuple[np.ndarray, int]:
    """Shares |lambda|^t / sum of the eigenvalues of the walk, descending, and how many are rounding.

    The matrix D^-1/2 G D^-1/2 is symmetric and has the eigenvalues of the walk D^-1 G.
    """
    if alpha:
        density = kernel @ w
        kernel = kernel / (density[:, None] * density) ** alpha
    root = np.sqrt(w / (kernel @ w))
    size = np.sort(np.abs(np.linalg.eigvalsh(kernel * root[:, None] * root)))[::-1]
    kept = size > len(size) * np.finfo(float).eps * size[0]
    p = size[kept] ** t
    return p / p.sum(), int((~kept).sum())


def _large_walk(
    sample: OneSample, sigma: float, t: float, alpha: float, generator: np.random.Generator, n_jobs: int | None
) -> Walk:
    """Many items: products over tiles, random quadrature, and the error of a smaller sample carried over."""
    space, w, n = sample.space, sample.weight, len(sample.space)
    weighted = space.replace(sample_weight=w)
    density = np.exp(kernel_sums(weighted, sigma, include_self=True, n_jobs=n_jobs).log_sum)
    scale = density**-alpha
    if alpha:
        degree = scale * kernel_product(space, sigma, (w * scale)[:, None], n_jobs=n_jobs)[:, 0]
    else:
        degree = density
    root = scale * np.sqrt(w / degree)

    def product(vectors: np.ndarray) -> np.ndarray:
        return root[:, None] * kernel_product(space, sigma, root[:, None] * vectors, n_jobs=n_jobs)

    found = stochastic_spectrum(product, n, float((root**2).sum()), generator)

    def entropy(values: np.ndarray, counts: np.ndarray) -> float:
        p = values**t
        p, kept = p / (counts * p).sum(), p > 0
        return float(-(counts * p * np.log(np.where(kept, p, 1.0))).sum())

    spread = [entropy(*found.of_probe(p)) for p in range(len(found.nodes))]
    rows = np.sort(generator.permutation(n)[: EXACT // 2])
    small = walk_entropy(sample.part(rows), sigma, t, alpha, generator, n_jobs)
    values, counts = found.of_probe()
    probe = float(np.std(spread, ddof=1) / np.sqrt(len(spread))) if len(spread) > 1 else 0.0
    probe = float(np.hypot(probe, entropy(values, counts) - entropy(*(found.coarse or found).of_probe())))
    error = float(np.hypot(probe, small.entropy_se * np.sqrt(len(rows) / n)))
    return Walk(entropy(values, counts), error, found.top**t / float((counts * values**t).sum()), 0, False)


def _random_sets(
    sample: OneSample, size: int, sigma: float, t: float, alpha: float, wanted: int | None,
    generator: np.random.Generator, n_jobs: int | None,
) -> tuple[float, float, int]:  # fmt: skip
    """Mean entropy of random sets of one size, its error, and how many there were."""
    found: list[float] = []
    n = len(sample.space)
    while True:
        rows = np.sort(generator.choice(n, size, replace=False))
        found.append(walk_entropy(sample.part(rows), sigma, t, alpha, generator, n_jobs, with_error=False).entropy)
        if len(found) < (FEWEST_SUBSETS if wanted is None else wanted):
            continue
        error = float(np.std(found, ddof=1) / np.sqrt(len(found)))
        if wanted is not None or len(found) >= MOST_SUBSETS or not exceeds(error, SURE * float(np.mean(found))):
            return float(np.mean(found)), error, len(found)


# ------------------------------------------------------------------------------------------------------------- reading
def _check_walk(t: float, alpha: float) -> tuple[float, float]:
    if isinstance(t, bool | str) or not np.isfinite(t) or not t > 0:
        raise ParameterError(f"t is {t!r}; it must be a positive number of steps")
    if isinstance(alpha, bool | str) or not 0 <= alpha <= 1:
        raise ParameterError(f"alpha is {alpha!r}; it must lie between 0 and 1")
    return float(t), float(alpha)


def _scale_of(sample: OneSample, sigma: float | str, n_jobs: int | None) -> tuple[float, tuple[float, ...]]:
    """The scale of the walk: sqrt 2 times the median distance of the tenth neighbour, and what it may be in other data.

    Where items tie, distances of the tenth neighbour are a few numbers, and their median jumps from one to the next
    with a few items more: then also the scales at two standard errors of the median on both sides.  Without ties the
    entropy hardly depends on it, beside what the same items add by themselves.
    """
    if not isinstance(sigma, str):
        if isinstance(sigma, bool) or not np.isfinite(sigma) or not sigma > 0:
            raise ParameterError(f"sigma is {sigma!r}; it must be a positive number, 'auto' or 'sweep'")
        return float(sigma), ()
    if sigma not in ("auto", "sweep"):
        raise ParameterError(f"sigma is {sigma!r}; it must be a positive number, 'auto' or 'sweep'")
    space, n = sample.space, len(sample.space)
    bare = space.replace(sample_weight=None, time=None, run=None)
    k = min(NEIGHBORS, n - 1)
    squared = np.sort(nearest(bare, k, n_jobs=n_jobs).squared.reshape(-1, k)[:, -1])
    away = np.asarray(space.distances_from_squared(squared))
    middle = float(np.median(away))
    scale = float(np.sqrt(2) * (middle if middle > 0 else median_distance(space))) or 1.0  # one point: at any scale
    if np.count_nonzero(np.abs(away - middle) <= TIE * middle) <= max(2, TIED * n):
        return scale, ()
    apart = 1 / np.sqrt(sample.n_units)  # two standard errors of a median, in quantiles
    ends = [float(np.quantile(away, 0.5 + side * apart, method="nearest")) for side in (-1, 1)]
    others = [end for end in ends if end > 0]
    if min(ends) == 0:  # most items share their place: the scale is the median of all distances
        others += [median_distance(space, 0.5 + side * apart) for side in (-1, 1)]
    found = {float(np.sqrt(2) * other) for other in others} - {scale, 0.0}
    return scale, tuple(sorted(found))


def _say_of_ties(scale: float, others: tuple[float, ...]) -> tuple[str, ...]:
    if not others:
        return ()
    beside = " or ".join(f"{other:.3g}" for other in others)
    return (
        f"items tie: in data like these sigma='auto' may be {beside} beside {scale:.3g}; a sigma that is given stays",
    )


def _sweep(space: Space, scale: float) -> np.ndarray:
    """Scales from a quarter of the automatic one to four median distances."""
    return np.geomspace(scale / 4, max(4 * median_distance(space), 4 * scale), SCALES)


def _classes(labels: Any, n: int) -> tuple[np.ndarray, list[str], tuple[str, ...]]:
    """Class of every item, names, and a note where numbers were cut into bins."""
    target, _ = target_space(labels, "auto", name="labels", option="labels")
    if len(target) != n:
        raise DataError(f"labels has {len(target)} entries, but there are {n} rows of X: pass one for each")
    note: tuple[str, ...] = ()
    if target.metric == "labels":
        values = np.asarray(target.features)[:, 0].astype(np.int64)
        names = [str(name) for name in np.asarray(target.label_names)]
    elif target.metric == "euclidean" and target.n_features == 1:
        column = np.asarray(target.features, np.float64)[:, 0]
        edges = np.unique(np.quantile(column, np.linspace(0, 1, BINS + 1)[1:-1]))
        values = np.searchsorted(edges, column, "right")
        names = [f"bin {b}" for b in range(len(edges) + 1)]
        note = (f"labels is a column of real numbers and was cut into {len(names)} bins of equal counts",)
    else:
        raise ParameterError("labels has several columns or is no table: pass one label an item, of a clustering say")
    there, codes = np.unique(values, return_inverse=True)
    if len(there) < 2:
        raise DataError(f"all labels are {names[there[0]]}: at least two classes are needed")
    return codes.reshape(-1), [names[c] for c in there], note
