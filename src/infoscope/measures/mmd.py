"""Maximum mean discrepancy: how far apart two samples are for a kernel, without bias, with error and p-value."""

from __future__ import annotations

from typing import Any

import numpy as np

from infoscope.base import ParameterError, check_choice, provenance
from infoscope.neighbors import to_numpy
from infoscope.statistics import check_n_permutations

from .distance_results import KernelDiscrepancy
from .kernel_forms import cubic, gaussian, median_distance
from .sample_units import Prepared, prepare, seed_of, variance_of_both_orders
from .two_sample_forms import KernelMeans, Means, kernel_means


def mmd(
    a: Any,
    b: Any,
    *,
    kernel: str = "gaussian",
    bandwidth: float | str = "median",
    n_permutations: int = 0,
    exclusion_window: float | str | None = None,
    random_state: Any = None,
    n_jobs: int | None = None,
) -> KernelDiscrepancy:
    """Squared maximum mean discrepancy of two samples: mean kernel inside them less that between them.

    Parameters
    ----------
    a, b : array (N, D), frame, list of arrays (runs) or Space
        The reference and the test sample.  The Gaussian kernel takes the distances of the Space.
    kernel : {"gaussian", "cubic"}
        exp(-d^2 / 2 h^2), or (x.y / D + 1)^3, whose value is also called kernel inception distance.
    bandwidth : float or "median"
        h of the Gaussian kernel; "median" is the median distance in both samples together.
    n_permutations : int
        How often labels are exchanged for a p-value; all of them cost one sweep over the pairs.
    exclusion_window : float or "auto", optional
        Time within which rows of a Space belong together: the length of blocks; 0 says that rows are in no order.
    random_state : int or Generator, optional
    n_jobs : int, optional
        Threads.

    Returns
    -------
    KernelDiscrepancy

    Raises
    ------
    DataError, ParameterError
        Columns that differ, NaN, too few rows, a bandwidth that is not positive.

    References
    ----------
    Gretton et al., J. Mach. Learn. Res. 13, 723 (2012), eq. (3).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.measures import mmd
    >>> g = np.random.default_rng(0)
    >>> found = mmd(g.normal(size=(200, 2)), g.normal(size=(150, 2)) + 0.5, n_permutations=99, random_state=0)
    >>> found.p_value
    0.01
    """
    check_choice(kernel, "kernel", ("gaussian", "cubic"))
    number, seed = check_n_permutations(n_permutations), seed_of(random_state)
    prepared = prepare(a, b, exclusion_window)
    space = prepared.samples.space
    if kernel == "cubic" and (space.metric != "euclidean" or space.period.any()):
        raise ParameterError("kernel='cubic' is made of inner products, and the samples are periodic or not Euclidean: "
                             "take kernel='gaussian', or (cos, sin) of the angles")  # fmt: skip
    h = bandwidth_of(bandwidth, prepared) if kernel == "gaussian" else None
    record = provenance(
        "mmd", dict(kernel=kernel, bandwidth=bandwidth, n_permutations=number, exclusion_window=exclusion_window), seed,
        prepared.samples.reference.features, prepared.samples.test.features,
    )  # fmt: skip
    shared: dict[str, Any] = dict(kernel=kernel, bandwidth=h, provenance=record, **about(prepared))
    if h == 0 or prepared.same_rows:
        return KernelDiscrepancy(value=0.0, value_se=0.0, biased=0.0, p_value=1.0 if number else None, **shared)
    diagonal = np.ones(len(space)) if h is not None else _cubes(space)
    found = kernel_means(prepared, cubic(space) if h is None else gaussian(h), None, number, seed, n_jobs)
    value, null = discrepancy(found.means), discrepancy(found.null)
    influence = [2 * (own - other) for own, other in zip(found.own, found.other, strict=True)]
    first_order = sum(prepared.variance(label, influence[label]) for label in (0, 1))
    variance = variance_of_both_orders(first_order, found.second_order(prepared))
    size = abs(found.means.between) + abs(found.means.inside[0])
    return KernelDiscrepancy(
        value=float(value), value_se=float(np.sqrt(variance)), biased=_biased(prepared, found, diagonal),
        **(prepared.tested(float(value), null, size=size) if number else {}), **shared,
    )  # fmt: skip


def discrepancy(means: Means) -> Any:
    """The mean inside both samples less twice that between them."""
    return means.inside[0] + means.inside[1] - 2 * means.between


def bandwidth_of(bandwidth: float | str, prepared: Prepared) -> float:
    """The bandwidth; 0 where all rows are equal."""
    if isinstance(bandwidth, str):
        check_choice(bandwidth, "bandwidth", ("median",))
        return median_distance(prepared.samples.space)
    if isinstance(bandwidth, bool) or not np.isfinite(bandwidth) or bandwidth <= 0:
        raise ParameterError(f"bandwidth is {bandwidth!r}; it must be a positive number or 'median'")
    return float(bandwidth)


def about(prepared: Prepared) -> dict[str, Any]:
    """What every distance says of its samples."""
    n, m = prepared.n
    return dict(n_reference=n, n_test=m, n_blocks=prepared.n_blocks, warnings=prepared.warnings, notes=prepared.notes)


# --------------------------------------------------------------------------------------------------------------- steps
def _cubes(space: Any) -> np.ndarray:
    rows = np.asarray(to_numpy(space.features), np.float64) * space.feature_weights
    return np.asarray(((rows**2).sum(axis=1) / space.n_features + 1) ** 3)


def _biased(prepared: Prepared, found: KernelMeans, diagonal: np.ndarray) -> float:
    """With every row as its own pair: the squared norm of the difference of the mean features."""
    inside = []
    for label in (0, 1):
        w = prepared.weight(label)
        mine = diagonal[prepared.samples.labels == label]
        square = (w**2).sum()
        inside.append(found.means.inside[label] * (1 - square) + (w**2 * mine).sum())
    return float(max(inside[0] + inside[1] - 2 * found.means.between, 0.0))
