"""The Binary Intrinsic Dimension against its window, against a number of columns, and shell by shell of distance."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import gammaln

from infoscope.base import DataError, ParameterError, check_positive_int, provenance, warn

from .binarize import Rule
from .fit import AskedWindow, as_result, failed, fit_window
from .hamming import HammingHistogram, histogram_of, histograms_of, input_parts
from .packing import read_bits
from .results import MISFIT, BinaryCurve, BinaryDimension, LocalDimension
from .standard_errors import dyadic_covariances
from .window import first_valley

ALPHAS = tuple(float(a) for a in np.round(np.arange(0.1, 0.95, 0.1), 2))
FINE = tuple(float(a) for a in np.round(np.arange(0.05, 1.0, 0.05), 2))


def scan_alpha(
    X,
    alphas=ALPHAS,
    *,
    alpha_min: float = 0.0,
    support: str = "lattice",
    q: int = 2,
    binarize: Rule = None,
    n_bits: int | None = None,
    errors: bool = True,
    n_jobs: int | None = None,
) -> BinaryCurve:
    """The dimension in windows of several sizes: one that is right does not depend on it.

    Parameters
    ----------
    X : HammingHistogram, array (N, D), frame, tensor, Dask array or Space
        A histogram (then there are no errors), or bits as for `BinaryID`.
    alphas : sequence of float
        Quantiles of the histogram at which windows end.
    alpha_min, support, q, binarize, n_bits
        As for `BinaryID`.
    errors : bool
        Whether to take one more pass over the pairs for standard errors of all windows.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    BinaryCurve
        NaN where a window has too few distances.

    Raises
    ------
    DataError, ParameterError
        As `BinaryID`; also if no window can be fitted.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope import scan_alpha
    >>> bits = np.random.default_rng(0).integers(0, 2, (500, 100))
    >>> scan_alpha(bits, (0.2, 0.5)).d0.round(-1)
    array([100., 100.])
    """
    bits = None
    if isinstance(X, HammingHistogram):
        h = X
    else:
        bits = read_bits(X, n_bits=n_bits, q=q, binarize=binarize)
        h = histogram_of(bits, n_jobs=n_jobs)
    alphas = [float(a) for a in np.atleast_1d(alphas)]
    asked = [AskedWindow(alpha_min, a, support) for a in alphas]
    record = provenance(
        "scan_alpha",
        dict(alphas=alphas, alpha_min=alpha_min, support=support, q=q, binarize=binarize),
        None,
        *input_parts(h.counts if bits is None else X),
    )
    results = _fits([h] * len(asked), asked, bits if errors else None, by_segment=False, n_jobs=n_jobs)
    return BinaryCurve.of(alphas, results, against="alpha_max", provenance=record, notes=h.notes)


def select_alpha(X, alphas=FINE, *, alpha_min: float = 0.0, support: str = "lattice", misfit: float = MISFIT) -> float:
    """The largest window that the law describes: with one peak, and a divergence that noise explains.

    Parameters
    ----------
    X : HammingHistogram, or bits as for `BinaryID`
    alphas : sequence of float
        Candidates.
    alpha_min, support
        As for `BinaryID`.
    misfit : float
        Largest divergence over its noise floor.

    Returns
    -------
    float
        The best candidate, with a warning, where none is good.

    Raises
    ------
    DataError
        If no window can be fitted.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope import select_alpha
    >>> select_alpha(np.random.default_rng(0).integers(0, 2, (500, 100)))
    0.95
    """
    h = X if isinstance(X, HammingHistogram) else histogram_of(read_bits(X))
    if h.observed[-1] == 0:
        return float(max(alphas))
    candidates = sorted(float(a) for a in np.atleast_1d(alphas))
    results = _fits(
        [h] * len(candidates),
        [AskedWindow(alpha_min, a, support) for a in candidates],
        None,
        by_segment=False,
        n_jobs=1,
    )
    ratios = np.array([r.kl_ratio if first_valley(h, r.r_max) is None and not r.at_bound else np.nan for r in results])
    good = np.flatnonzero(ratios <= misfit)
    if len(good):
        return candidates[good[-1]]
    ratios = np.array([r.kl_ratio for r in results]) if np.isnan(ratios).all() else ratios
    best = int(np.nanargmin(ratios))
    warn(
        f"the law describes no window of this histogram; alpha_max={candidates[best]:g} is the least bad, with a "
        f"divergence {ratios[best]:.3g} times its noise"
    )
    return candidates[best]


def prefix_curve(
    X,
    boundaries,
    *,
    alpha_min: float = 0.0,
    alpha_max: float = 0.4,
    support: str = "lattice",
    q: int = 2,
    binarize: Rule = None,
    n_bits: int | None = None,
    errors: bool = True,
    n_jobs: int | None = None,
) -> BinaryCurve:
    """The dimension of the first columns, of more, and of all: against the number of tokens, pixels or layers.

    Hamming distances add up over columns, so all histograms come from one pass over the pairs.

    Parameters
    ----------
    X : array (N, D), frame, tensor, Dask array or Space
        Bits as for `BinaryID`, columns in order.
    boundaries : sequence of int
        Columns of each prefix, rising; or one number, for prefixes of so many columns, twice as many, and so on.
    alpha_min, alpha_max, support, q, binarize, n_bits
        As for `BinaryID`.
    errors : bool
        Whether to take one more pass over the pairs for standard errors of all prefixes.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    BinaryCurve
        Against "bits".

    Raises
    ------
    DataError, ParameterError
        As `BinaryID`; also if the boundaries do not rise, or no prefix can be fitted.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope import prefix_curve
    >>> bits = np.random.default_rng(0).integers(0, 2, (500, 300))
    >>> prefix_curve(bits, [100, 200, 300]).d0.round(-1)
    array([100., 200., 300.])
    """
    if np.ndim(boundaries) == 0:
        step = check_positive_int(boundaries, "boundaries", 1)
        width = n_bits if n_bits is not None else getattr(X, "n_bits", None)
        width = int(np.shape(X)[1] if width is None and not hasattr(X, "n_features") else width or X.n_features)
        boundaries = np.arange(step, width + 1, step)
    bits = read_bits(X, n_bits=n_bits, q=q, binarize=binarize, boundaries=boundaries)
    histograms = histograms_of(bits, n_jobs=n_jobs)
    asked = AskedWindow(alpha_min, alpha_max, support)
    parameters = dict(
        boundaries=np.asarray(boundaries),
        alpha_min=alpha_min,
        alpha_max=alpha_max,
        support=support,
        q=q,
        binarize=binarize,
    )
    record = provenance("prefix_curve", parameters, None, *input_parts(X))
    results = _fits(histograms, [asked] * len(histograms), bits if errors else None, by_segment=True, n_jobs=n_jobs)
    return BinaryCurve.of(bits.n_bits, results, against="bits", provenance=record, notes=bits.notes)


def _fits(histograms, asked, bits, *, by_segment: bool, n_jobs) -> list[BinaryDimension]:
    """Results of several windows; NaN where one cannot be fitted, DataError if none can."""
    fitted: dict[int, Any] = {}
    results: list[Any] = [None] * len(asked)
    for i, (h, one) in enumerate(zip(histograms, asked, strict=True)):
        try:
            fitted[i] = fit_window(h, one)
        except ParameterError:
            raise
        except DataError as error:
            results[i] = error
    if not fitted:
        raise results[0]
    covariances: list[Any] = [(None, None)] * len(fitted)
    if bits is not None:
        fits, windows = ([pair[k] for pair in fitted.values()] for k in (0, 1))
        if by_segment and len(fitted) < len(asked):  # a table for every segment; nothing is summed of some
            some = next(iter(fitted.values()))
            fits, windows = ([fitted.get(i, some)[k] for i in range(len(asked))] for k in (0, 1))
            found = dyadic_covariances(fits, windows, bits, by_segment=True, n_jobs=n_jobs)
            covariances = [found[i] for i in fitted]
        else:
            covariances = dyadic_covariances(fits, windows, bits, by_segment=by_segment, n_jobs=n_jobs)
    for (i, (one, window)), covariance in zip(fitted.items(), covariances, strict=True):
        results[i] = as_result(histograms[i], one, window, asked[i], *covariance)
    return [failed(h, str(r)) if isinstance(r, DataError) else r for h, r in zip(histograms, results, strict=True)]


# ------------------------------------------------------------------------------------------------------ shell by shell
def local_dimension(
    X,
    *,
    n_shells: int = 20,
    q: int | None = None,
    binarize: Rule = None,
    n_bits: int | None = None,
    n_groups: int = 20,
    n_jobs: int | None = None,
) -> LocalDimension:
    """The dimension from the growth of the histogram between neighbouring distances: no law for how it changes.

    For constant d, P(r + 1)/P(r) = (q - 1) (d - r)/(r + 1); on a lattice of larger steps the product of these.  Shells
    are pooled to about equal numbers of pairs.

    Parameters
    ----------
    X : HammingHistogram, or bits as for `BinaryID`
    n_shells : int
        Groups of neighbouring distances.
    q, binarize, n_bits, n_jobs
        As for `BinaryID`; a histogram has its own.
    n_groups : int
        Groups of items for the errors, if `X` is not a histogram.

    Returns
    -------
    LocalDimension

    Raises
    ------
    DataError
        If there are fewer than two different distances.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.stats import binom
    >>> from infoscope import HammingHistogram, local_dimension
    >>> exact = HammingHistogram(counts=binom.pmf(np.arange(101), 100, 0.5), n_bits=100)
    >>> local_dimension(exact, n_shells=3).dimension.round(6)
    array([100., 100., 100.])
    """
    h = X
    if not isinstance(X, HammingHistogram):
        bits = read_bits(X, n_bits=n_bits, q=2 if q is None else q, binarize=binarize)
        groups = np.arange(len(bits)) * min(n_groups, len(bits)) // len(bits)
        h = histogram_of(bits, groups=groups, n_jobs=n_jobs)
    check_positive_int(n_shells, "n_shells")
    steps = np.arange(h.observed[0], h.observed[-1], h.stride)
    if not len(steps):
        raise DataError("all pairs are at one distance: there is no growth to tell a dimension from")
    weight = np.cumsum(h.counts[steps])
    edges = np.unique(np.searchsorted(weight, weight[-1] * np.arange(1, n_shells + 1) / n_shells * (1 - 1e-12)))
    shells = [part for part in np.split(steps, edges[:-1] + 1) if len(part) and h.counts[part].sum() > 0]
    growth = [_growth(part, h) for part in shells]
    counts = np.asarray(h.counts, float)
    d = np.array([one(counts) for one in growth])
    if h.group_counts is None:
        notes: tuple[str, ...] = ("errors are those of independent pairs, which are too small",)
        error = np.array([_pair_error(part, h, one) for part, one in zip(shells, d, strict=True)])
    else:
        notes = ()
        left = np.array([[one(counts - gone) for one in growth] for gone in h.group_counts])
        error = np.sqrt((len(left) - 1) / len(left) * ((left - left.mean(0)) ** 2).sum(0))
    n_pairs = np.array([counts[part].sum() for part in shells])
    distance = np.array([part @ counts[part] / n for part, n in zip(shells, n_pairs, strict=True)])
    return LocalDimension(
        distance=distance,
        dimension=d,
        dimension_se=error,
        n_pairs=n_pairs,
        notes=notes,
        provenance=provenance("local_dimension", dict(n_shells=n_shells, q=h.q), None, h.counts),
    )


def _growth(r: np.ndarray, h: HammingHistogram):
    """A function of counts: the d at which the shells r grow into the next ones as observed."""
    g, q = h.stride, h.q

    def pooled(counts: np.ndarray) -> float:
        here, there = counts[r], counts[r + g]
        if here.sum() <= 0:
            return np.nan
        if g == 1:
            return float(((r + 1) * there / (q - 1) + r * here).sum() / here.sum())

        def excess(d):
            ratio = (
                gammaln(d - r + 1) - gammaln(d - r - g + 1) - gammaln(r + g + 1) + gammaln(r + 1) + g * np.log(q - 1)
            )
            return float((here * np.exp(ratio) - there).sum())

        low, high = float(r[-1] + g - 1) + 1e-9, 1e3 * (h.n_bits + g)
        return float(brentq(excess, low, high)) if excess(low) < 0 < excess(high) else np.nan

    return pooled


def _pair_error(r, h: HammingHistogram, d: float) -> float:
    """Standard error of a pooled shell if pairs were independent (counts of Poisson)."""
    here, there = np.asarray(h.counts[r], float), np.asarray(h.counts[r + h.stride], float)
    n = here.sum()
    if h.stride > 1:
        return float(d * np.sqrt(1 / n + 1 / max(there.sum(), 1.0)) / h.stride)
    spread = (((r + 1) / (h.q - 1)) ** 2 * there + (r - d) ** 2 * here).sum()
    return float(np.sqrt(spread) / n)
