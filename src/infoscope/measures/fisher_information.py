"""How sharply does the law of the data react to a parameter? Fisher information from samples, and its scale."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from infoscope.base import DataError, ParameterError, provenance, warn
from infoscope.base.checks import check_choice, check_positive_int, check_random_state, check_vector
from infoscope.base.rounding import exceeds
from infoscope.neighbors import as_space, refuse_weights, to_numpy

from .curvature_results import FisherInformation, ParameterScale
from .divergence import kl_divergence
from .one_sample import OneSample, jackknife, read_sample, refuse_periods

GROUPS = 16  # of each sample that are left out for errors
METHODS = ("knn", "gaussian", "exponential")
SAME = 1e-9  # relative difference of two parameters that are one

Samples = Callable[[float, np.random.Generator], Any] | Mapping[float, Any]


def fisher_information(
    samples: Any,
    *,
    at: float,
    step: float,
    method: str = "knn",
    k: int = 10,
    extrapolate: bool = True,
    exclusion_window: float | str | None = None,
    random_state: Any = 0,
    n_jobs: int | None = None,
) -> FisherInformation:
    """How sharply does the law of the data react to a parameter?

    ``I(s) = lim J(p_{s - d/2}, p_{s + d/2}) / d^2`` with the Jeffreys divergence J of two samples; with samples twice
    as far apart, the term that grows with d^2 is taken away (Richardson).

    Parameters
    ----------
    samples : callable or mapping
        ``samples(parameter, generator)`` gives rows (N, D); or a mapping of parameters to samples, which holds
        ``at - step/2`` and ``at + step/2``, and for the extrapolation ``at - step`` and ``at + step``.  For
        "exponential", the sufficient statistic at `at`: a column, or a callable or mapping that gives it.
    at : float
        Where.
    step : float
        d, in units of the parameter.
    method : {"knn", "gaussian", "exponential"}
        The divergence by nearest neighbours, for any law; that of two normal laws; or the variance of the sufficient
        statistic of an exponential family, which needs one sample and no step.
    k : int
        Neighbours, for "knn".
    extrapolate : bool
        Whether samples two steps apart are used, where they are given or can be drawn.
    exclusion_window : float, "auto" or None
        Time within which rows of a run belong together; 0 says that rows are in no order.
    random_state : int or Generator
        For the samples that are drawn.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    FisherInformation

    Raises
    ------
    DataError
        Samples of different columns, too few rows.
    ParameterError
        A step that is not positive, parameters that are missing.

    References
    ----------
    Kullback, Information Theory and Statistics (1959), Section 2.6: divergence and Fisher information.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.measures import fisher_information
    >>> draw = lambda mean, g: g.normal(mean, 1.0, (4000, 1))                   # I = 1
    >>> found = fisher_information(draw, at=0.0, step=0.5, method="gaussian")
    >>> abs(found.value - 1) < 3 * found.value_se
    True
    """
    check_choice(method, "method", METHODS)
    at = _number(at, "at")
    generator = check_random_state(random_state)
    parameters = dict(at=at, step=step, method=method, k=k, extrapolate=extrapolate, exclusion_window=exclusion_window)
    record = provenance("fisher_information", parameters, random_state, None)
    if method == "exponential":
        return _exponential(samples, at, exclusion_window, generator, record, n_jobs)
    step = _number(step, "step")
    if not step > 0:
        raise ParameterError(f"step is {step:g}; it must be positive")
    options: dict[str, Any] = dict(method=method, k=check_positive_int(k, "k"), window=exclusion_window, n_jobs=n_jobs)
    near = _divergence(samples, at, step, generator, **options)
    if near is None:
        raise ParameterError(f"samples has none at {at - step / 2:g} and {at + step / 2:g}, at -+ step/2: add them")
    far = _divergence(samples, at, 2 * step, generator, **options) if extrapolate else None
    plain, plain_se = near.value / step**2, near.error / step**2
    value, value_se, wide, wide_se, notes = plain, plain_se, None, None, list(near.notes)
    if far is not None:  # J(d) = I d^2 + c d^4
        wide, wide_se = far.value / (4 * step**2), far.error / (4 * step**2)
        value, value_se = (4 * plain - wide) / 3, float(np.hypot(4 * plain_se, wide_se) / 3)
    elif extrapolate:
        notes.append(
            f"no samples at {at - step:g} and {at + step:g}: what grows with the square of the step is left in"
        )
    return FisherInformation(
        value=value,
        value_se=value_se,
        at=at,
        step=step,
        method=method,
        plain=plain,
        plain_se=plain_se,
        wide=wide,
        wide_se=wide_se,
        bound=float(value**-0.5) if value > 0 else np.inf,
        n_items=near.n_items,
        n_features=near.n_features,
        warnings=tuple(dict.fromkeys(near.warnings + (() if far is None else far.warnings))),
        notes=tuple(dict.fromkeys(notes)),
        provenance=record,
    )


def parameter_scale(
    information: Sequence[FisherInformation] | Any, *, parameters: Any = None, information_se: Any = None
) -> ParameterScale:
    """A parameter measured in steps that the data can tell apart: the integral of the root of the Fisher information.

    Parameters
    ----------
    information : sequence of FisherInformation, or array (S,)
        Fisher information at rising parameters.
    parameters : array (S,), optional
        The parameters, where information are numbers.
    information_se : array (S,), optional
        Their standard errors, where information are numbers.

    Returns
    -------
    ParameterScale
        From 0 at the first to 1 at the last parameter, by the trapezoid rule.

    Raises
    ------
    DataError
        Fewer than two parameters, numbers that are not finite, no information at all.
    ParameterError
        Numbers without parameters, or results with.

    References
    ----------
    Vacher, Mamassian, arXiv:2310.11759 (2023).

    Examples
    --------
    >>> from infoscope.measures import parameter_scale
    >>> found = parameter_scale([1.0, 1.0, 4.0], parameters=[0.0, 1.0, 2.0], information_se=[0.1, 0.1, 0.4])
    >>> found.scale.round(3).tolist(), round(found.value, 3)
    ([0.0, 0.4, 1.0], 2.5)
    """
    t, information, error = _read_information(information, parameters, information_se)
    order = np.argsort(t, kind="stable")
    t, information, error = t[order], information[order], error[order]
    if len(t) < 2 or not (np.diff(t) > 0).all():
        raise DataError(f"parameters are {t.tolist()}: at least two different ones are needed, each once")
    warnings = []
    if (information < 0).any():
        warnings.append(f"{int((information < 0).sum())} information are negative within their errors, and count as 0")
        warn(warnings[-1])
    root = np.sqrt(np.maximum(information, 0.0))
    root_se = np.divide(error, 2 * root, out=np.sqrt(np.abs(error)), where=exceeds(root**2, error))
    # the scale is linear in the roots: weights of the trapezoid rule up to every parameter, (S, S)
    width = np.diff(t) / 2
    up_to = np.tri(len(t), len(t) - 1, -1) * width
    weights = np.zeros((len(t), len(t)))
    weights[:, :-1] += up_to
    weights[:, 1:] += up_to
    length = weights @ root
    total = float(length[-1])
    if not total > 0:
        raise DataError("all information are zero: the law does not react to the parameter, and there is no scale")
    scale = length / total
    slope = (weights - scale[:, None] * weights[-1]) / total
    return ParameterScale(
        value=total,
        value_se=float(np.sqrt(((weights[-1] * root_se) ** 2).sum())),
        parameters=t,
        root=root,
        root_se=root_se,
        scale=scale,
        scale_se=np.sqrt((slope * root_se) ** 2 @ np.ones(len(t))),
        warnings=tuple(warnings),
        provenance=provenance("parameter_scale", {}, None, t, information, error),
    )


# ------------------------------------------------------------------------------------------------------------- reading
def _number(value: Any, name: str) -> float:
    if isinstance(value, bool | str) or not np.isscalar(value) or not np.isfinite(value):  # type: ignore[arg-type]
        raise ParameterError(f"{name} is {value!r}; it must be a number")
    return float(value)  # type: ignore[arg-type]


def _sample_at(samples: Any, parameter: float, generator: np.random.Generator) -> Any:
    """The sample of a parameter, or None where a mapping has none."""
    if callable(samples):
        return samples(parameter, generator)
    if not isinstance(samples, Mapping):
        raise ParameterError(
            f"samples is a {type(samples).__name__}; pass a function of (parameter, generator), or a mapping of "
            "parameters to samples"
        )
    for known, sample in samples.items():
        if abs(float(known) - parameter) <= SAME * max(abs(parameter), abs(float(known)), 1e-300):
            return sample
    return None


def _read_information(
    information: Any, parameters: Any, information_se: Any
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if isinstance(information, Sequence) and all(isinstance(one, FisherInformation) for one in information):
        if parameters is not None or information_se is not None:
            raise ParameterError("results bring their own parameters and errors: leave them out")
        return tuple(np.array([getattr(one, name) for one in information]) for name in ("at", "value", "value_se"))  # type: ignore[return-value]
    if parameters is None:
        raise ParameterError("information are numbers: pass their parameters, or results of fisher_information")
    values = check_vector(information, "information")
    t = check_vector(parameters, "parameters", length=len(values), of="information")
    if information_se is None:
        return t, values, np.zeros(len(values))
    return (
        t,
        values,
        check_vector(information_se, "information_se", length=len(values), of="information", nonnegative=True),
    )


# ---------------------------------------------------------------------------------------------------------- divergences
class Jeffreys(NamedTuple):
    """The divergence of two samples."""

    value: float
    error: float
    n_items: int
    n_features: int
    warnings: tuple[str, ...]
    notes: tuple[str, ...]


def _divergence(
    samples: Any, at: float, step: float, generator: np.random.Generator, *, method: str, k: int, window: Any,
    n_jobs: int | None,
) -> Jeffreys | None:  # fmt: skip
    """Of the samples half a step to both sides; None where a mapping lacks them."""
    low, high = (_sample_at(samples, at + side * step / 2, generator) for side in (-1, 1))
    if low is None or high is None:
        return None
    if method == "gaussian":
        return _normal_jeffreys(low, high, window, n_jobs)
    seed = int(generator.integers(2**31))
    found = kl_divergence(low, high, k=k, kind="jeffreys", exclusion_window=window, random_state=seed, n_jobs=n_jobs)
    spaces = [as_space(sample) for sample in (low, high)]
    return Jeffreys(
        found.value, found.value_se, min(map(len, spaces)), spaces[0].n_features, found.warnings, found.notes
    )


def _normal_jeffreys(low: Any, high: Any, window: Any, n_jobs: int | None) -> Jeffreys:
    """Of two normal laws with the means and covariances of the samples, its bias taken away by the jackknife."""
    pair = [_columns(sample, name, window, n_jobs) for sample, name in ((low, "the lower sample"), (high, "the upper"))]
    (a, x), (b, y) = pair
    d = x.shape[1]
    if y.shape[1] != d:
        raise DataError(f"the lower sample has {d} columns, the upper {y.shape[1]}: pass the same columns")
    if min(len(x), len(y)) < d + 2:
        raise DataError(f"samples of {len(x)} and {len(y)} rows are too few for {d} columns: {d + 2} at least")
    value = _normal_divergence(x, y)
    generator = np.random.default_rng(0)
    variance, bias = 0.0, 0.0
    for side, sample in enumerate((a, b)):
        group_of, n_groups = sample.groups(generator, GROUPS, smallest=max(4, -(-(d + 2) // GROUPS)))
        left = [
            _normal_divergence(*(z[group_of != g] if at == side else z for at, z in enumerate((x, y))))
            for g in range(n_groups)
        ]
        variance += float(jackknife(np.array(left))) ** 2
        bias += (n_groups - 1) * (float(np.mean(left)) - value)
    said = tuple(dict.fromkeys(a.warnings + b.warnings))
    return Jeffreys(value - bias, float(np.sqrt(variance)), min(len(x), len(y)), d, said, a.notes + b.notes)


def _normal_divergence(x: np.ndarray, y: np.ndarray) -> float:
    """J = (tr(A^-1 B) + tr(B^-1 A)) / 2 - D + (m_a - m_b)^T (A^-1 + B^-1) (m_a - m_b) / 2."""
    d = x.shape[1]
    a, b = (np.cov(z, rowvar=False).reshape(d, d) for z in (x, y))
    apart = x.mean(0) - y.mean(0)
    try:
        inverse = [np.linalg.inv(c) for c in (a, b)]
    except np.linalg.LinAlgError:
        raise DataError(
            "a column is constant or a sum of others: the normal law has no density; leave it out"
        ) from None
    traces = np.trace(inverse[0] @ b) + np.trace(inverse[1] @ a)
    return float(traces / 2 - d + apart @ (inverse[0] + inverse[1]) @ apart / 2)


def _columns(data: Any, name: str, window: Any, n_jobs: int | None) -> tuple[OneSample, np.ndarray]:
    space = refuse_weights(as_space(data, name=name), "this estimate has no weighted form")
    if space.metric != "euclidean":
        raise ParameterError(f"{name} has metric {space.metric!r}: a normal law needs columns of real numbers")
    refuse_periods(space, "a normal law")
    sample = read_sample(space, None, window, name=name, n_jobs=n_jobs)
    return sample, np.asarray(to_numpy(sample.space.features), np.float64)


def _exponential(
    samples: Any, at: float, window: Any, generator: np.random.Generator, record: Any, n_jobs: int | None
) -> FisherInformation:
    """The variance of the sufficient statistic at one parameter."""
    drawn = samples
    if callable(samples) or isinstance(samples, Mapping):
        drawn = _sample_at(samples, at, generator)
        if drawn is None:
            raise ParameterError(f"samples has none at {at:g}: add it")
    drawn = np.asarray(drawn)[:, None] if isinstance(drawn, np.ndarray | list) and np.ndim(drawn) == 1 else drawn
    sample, values = _columns(drawn, "the sufficient statistic", window, n_jobs)
    if values.shape[1] != 1:
        raise DataError(
            f"the sufficient statistic has {values.shape[1]} columns: one, that of the parameter, is needed"
        )
    n = len(values)
    if n < 3:
        raise DataError(f"the sufficient statistic has {n} rows: three at least are needed")
    away = (values[:, 0] - values[:, 0].mean()) ** 2
    value, error = float(away.sum() / (n - 1)), float(sample.error(away))
    return FisherInformation(
        value=value,
        value_se=error,
        at=at,
        step=0.0,
        method="exponential",
        plain=value,
        plain_se=error,
        bound=float(value**-0.5) if value > 0 else np.inf,
        n_items=n,
        n_features=1,
        warnings=sample.warnings,
        notes=sample.notes,
        provenance=record,
    )
