"""What the calibration atlas runs: every estimator that prints an error, and every test that prints a p-value.

An estimator takes a `Drawn` and gives `Found`s, or nothing where it does not apply.  A new one is a function and a line
of `ESTIMATORS`.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from atlas_situations import Drawn, autoregressive

MOST_OF_GRIDE = 3000  # rows: the errors of ranks up to a thousand take twenty seconds and more


class Found(NamedTuple):
    """One number of one data set.

    Attributes
    ----------
    quantity : str
    value, error : float or array
        Several of one data set (a density at every item) are summed up before they are kept.
    truth : float, array or None
        None: the mean of all replicates.
    interval : (float, float) or None
        95 %; None: value and 1.96 errors.
    p : float or None
        Of a test whose hypothesis is true.
    warned : bool
        Whether the result says something of itself.
    """

    quantity: str
    value: Any = np.nan
    error: Any = np.nan
    truth: Any = None
    interval: tuple[float, float] | None = None
    p: float | None = None
    warned: bool = False


def spaces(drawn: Drawn) -> tuple[Any, Any]:
    from infoscope import Space

    return Space(drawn.x, **drawn.options), Space(drawn.y, **drawn.options)


def generator_of(drawn: Drawn) -> np.random.Generator:
    """For what an estimator adds to the data, such as a column of noise; all the data decide, ties or not."""
    return np.random.default_rng([zlib.crc32(np.ascontiguousarray(part).tobytes()) for part in (drawn.x, drawn.y)])


def interval_of(result: Any, name: str) -> tuple[float, float] | None:
    """The interval that a result prints, if it has one."""
    found = getattr(result, f"{name}_interval", None)
    if found is None and name in ("dimension", "value"):
        found = getattr(result, "interval", None)
    return None if found is None else (float(found[0]), float(found[1]))


# -------------------------------------------------------------------------------------------------------- estimators
def information_imbalance(drawn: Drawn) -> Sequence[Found]:
    if drawn.bits or drawn.y is drawn.x or (drawn.labels is not None and "log density" not in drawn.truth):
        return ()
    from infoscope import information_imbalance

    r = information_imbalance(*spaces(drawn), n_jobs=1)
    told = bool(r.warnings)
    return (
        Found("imbalance, x to y", r.a_to_b, r.a_to_b_se, None, interval_of(r, "a_to_b"), warned=told),
        Found("imbalance, y to x", r.b_to_a, r.b_to_a_se, None, interval_of(r, "b_to_a"), warned=told),
        Found("imbalance, difference", r.a_to_b - r.b_to_a, r.asymmetry_se, None, interval_of(r, "asymmetry"),
              warned=told),
    )  # fmt: skip


def imbalance_of_labels(drawn: Drawn) -> Sequence[Found]:
    if drawn.labels is None:
        return ()
    from infoscope import Space, information_imbalance

    r = information_imbalance(Space(drawn.x, **drawn.options), Space(drawn.labels[:, None], metric="labels"), n_jobs=1)
    return (Found("imbalance, x to labels", r.a_to_b, r.a_to_b_se, warned=bool(r.warnings)),)


def overlaps(drawn: Drawn) -> Sequence[Found]:
    """Neighbours in common, and neighbours with the item's own label."""
    k = max(1, min(10, len(drawn.x) // 10))
    if drawn.bits or len(drawn.x) < 30:
        return ()
    from infoscope import Space, label_overlap, neighborhood_overlap

    found = []
    if drawn.y is not drawn.x:
        r = neighborhood_overlap(*spaces(drawn), k=k, n_jobs=1)
        found.append(Found("overlap of neighbours", r.overlap, r.overlap_se, None, interval_of(r, "overlap"),
                           warned=bool(r.warnings)))  # fmt: skip
    if drawn.labels is not None:
        own = label_overlap(Space(drawn.x, **drawn.options), drawn.labels, k=k, n_jobs=1)
        told = bool(own.warnings)
        found += [
            Found("overlap of labels", own.overlap, own.overlap_se, None, interval_of(own, "overlap"), warned=told),
            Found("overlap of labels, classes alike", own.balanced, own.balanced_se, None,
                  interval_of(own, "balanced"), warned=told),
        ]  # fmt: skip
    return found


def differentiable_imbalance(drawn: Drawn) -> Sequence[Found]:
    """The lowest value that weights of the columns reach."""
    if drawn.bits or drawn.y is drawn.x or drawn.labels is not None or not 30 <= len(drawn.x) <= 1000:
        return ()
    from infoscope import DifferentiableImbalance

    r = DifferentiableImbalance(n_jobs=1).fit(*spaces(drawn))
    return (Found("DII at its weights", r.dii_, r.dii_se_, warned=bool(r.warnings_)),)


def columns_not_needed(drawn: Drawn) -> Sequence[Found]:
    """A column of noise beside those that tell: the test of its rise rejects as often as it says."""
    if drawn.bits or "sample_weight" in drawn.options or drawn.y is drawn.x or not 40 <= len(drawn.x) <= 300:
        return ()
    if "time" in drawn.options:
        return ()
    from infoscope.imbalance import dii_rise

    rng = generator_of(drawn)
    r = dii_rise(np.column_stack([drawn.x, rng.normal(size=len(drawn.x))]), drawn.y, n_jobs=1)
    return (Found("column not needed, p-value", p=float(r.p_value[-1]), warned=bool(r.warnings)),)


def equal_imbalances(drawn: Drawn) -> Sequence[Found]:
    """Two descriptions that know alike: the test of their difference rejects as often as it says."""
    weighted = "sample_weight" in drawn.options
    if weighted or drawn.bits or drawn.y is drawn.x or drawn.labels is not None or not drawn.truth:
        return ()
    from infoscope import Space, compare_imbalances

    rng = generator_of(drawn)
    n, times = len(drawn.x), drawn.independent
    if "time" in drawn.options:
        if "run" in drawn.options:
            return ()
        z, u, v = (autoregressive(rng, n, n / (2 * times), 1) for _ in range(3))
    else:
        z, u, v = rng.normal(size=(3, n, 1))
    a, b, target = (Space(some, **drawn.options) for some in (z + 0.5 * u, z + 0.5 * v, z))
    r = compare_imbalances(a, b, target, n_jobs=1)
    return (
        Found("difference of two descriptions", r.difference, r.difference_se, 0.0, interval_of(r, "difference"),
              p=r.p_value, warned=bool(r.warnings)),
    )  # fmt: skip


def dimensions(drawn: Drawn) -> Sequence[Found]:
    if drawn.bits or "dimension" not in drawn.truth:
        return ()
    from infoscope import ABIDE, Gride, Space, TwoNN

    space, truth, found = Space(drawn.x, **drawn.options), drawn.truth["dimension"], []
    for name, estimator in (("TWO-NN", TwoNN(n_jobs=1)), ("ABIDE", ABIDE(n_jobs=1))):
        r = estimator.fit(space).result_
        found.append(Found(f"dimension, {name}", r.dimension, r.dimension_se, truth, interval_of(r, "dimension"),
                           warned=bool(r.warnings)))  # fmt: skip
    if len(drawn.x) > MOST_OF_GRIDE:
        return found
    r = Gride(n_jobs=1).fit(space).result_
    middle = len(r.dimension) // 2
    found.append(
        Found(
            "dimension, Gride, middle ranks",
            r.dimension[middle],
            r.dimension_se[middle],
            truth,
            warned=bool(r.warnings),
        )
    )
    return found


def log_densities(drawn: Drawn) -> Sequence[Found]:
    """At every item, and at the tenth with the lowest density."""
    truth, n = drawn.truth.get("log density"), len(drawn.x)
    if truth is None or drawn.x.shape[1] > 5 or n < 30 or n > 1000:
        return ()
    from infoscope import KStarNN, PAk, Space

    found = []
    space, low = Space(drawn.x, **drawn.options), np.argsort(truth)[: max(3, n // 10)]
    for name, estimator in (("k*-NN", KStarNN), ("PAk", PAk)):
        fitted = estimator(dimension=float(drawn.x.shape[1]), n_jobs=1).fit(space)
        value, error = fitted.log_density_, fitted.log_density_se_
        told = bool(fitted.result_.warnings)
        found += [
            Found(f"log density, {name}", value, error, truth, warned=told),
            Found(f"log density, {name}, lowest tenth", value[low], error[low], truth[low], warned=told),
        ]
    return found


def populations(drawn: Drawn) -> Sequence[Found]:
    if "populations" not in drawn.truth or len(drawn.x) < 100:
        return ()
    from infoscope import DensityPeaks, Space

    r = DensityPeaks(Z=2).fit(Space(drawn.x, **drawn.options)).result_
    if len(r.populations) != 2:  # peaks that noise made are no states
        return ()
    left = int(np.argmin(drawn.x[r.centers, 0]))
    share, error = float(r.populations[left]), float(r.populations_se[left])
    return (Found("population of a state", share, error, drawn.truth["populations"], warned=bool(r.warnings)),)


def mutual_information_of_columns(drawn: Drawn) -> Sequence[Found]:
    if "information" not in drawn.truth or drawn.x.shape[1] > 2 or len(drawn.x) < 30:
        return ()
    from infoscope import mutual_information

    r = mutual_information(*spaces(drawn), compress=None, n_jobs=1)
    return (Found("mutual information", r.value, r.value_se, drawn.truth["information"], interval_of(r, "value"),
                  warned=bool(r.warnings) or r.reliable is False),)  # fmt: skip


def entropies(drawn: Drawn) -> Sequence[Found]:
    if "entropy" not in drawn.truth or "sample_weight" in drawn.options or len(drawn.x) < 30:
        return ()
    from infoscope import Space, entropy

    r = entropy(Space(drawn.x, **drawn.options), n_jobs=1)
    return (Found("entropy", r.value, r.value_se, drawn.truth["entropy"], interval_of(r, "value"),
                  warned=bool(r.warnings) or r.reliable is False),)  # fmt: skip


def effective_numbers(drawn: Drawn) -> Sequence[Found]:
    if drawn.bits or "sample_weight" in drawn.options or drawn.x.shape[1] < 2 or len(drawn.x) < 30:
        return ()
    from infoscope import Space, effective_number

    r = effective_number(Space(drawn.x, **drawn.options), order=1.0, n_jobs=1)
    return (Found("effective number", r.value, r.value_se, None, interval_of(r, "value"), warned=bool(r.warnings)),)


def distances_of_samples(drawn: Drawn) -> Sequence[Found]:
    """Two halves of independent rows, one of them shifted; and unshifted, for the p-values."""
    n = len(drawn.x) // 2
    if drawn.bits or drawn.options or n < 15 or drawn.labels is not None:
        return ()
    from infoscope import frechet_distance, mmd, stability_index

    a, b, shift = drawn.x[:n], drawn.x[n : 2 * n], 0.5
    found = []
    for name, measure in (("MMD", mmd), ("Frechet distance", frechet_distance)):
        r = measure(a, b + shift)
        null = measure(a, b, n_permutations=99, random_state=0)
        found += [
            Found(name, r.value, r.value_se, None, interval_of(r, "value"), warned=bool(r.warnings)),
            Found(f"{name}, p-value", p=null.p_value, warned=bool(null.warnings)),
        ]
    index: Any = stability_index(a[:, 0], b[:, 0], random_state=0)
    return [*found, Found("stability index, p-value", p=index.p_value, warned=bool(index.warnings))]


def divergences_of_samples(drawn: Drawn) -> Sequence[Found]:
    """The same halves, by neighbours, by directions and by kernels; of normal columns the divergence is known."""
    n = len(drawn.x) // 2
    if drawn.bits or drawn.options or not 15 <= n <= 1000 or drawn.labels is not None:
        return ()
    from infoscope.measures import cauchy_schwarz, kl_divergence, sliced_wasserstein

    a, b, shift = drawn.x[:n], drawn.x[n : 2 * n] + 0.5, 0.5
    known = shift**2 / 2 * drawn.x.shape[1] if "entropy" in drawn.truth else None
    measures = (
        ("Kullback-Leibler divergence", kl_divergence, known),
        ("sliced Wasserstein distance", sliced_wasserstein, None),
        ("Cauchy-Schwarz divergence", cauchy_schwarz, None),
    )
    found = []
    for name, measure, truth in measures:
        r = measure(a, b)
        found.append(Found(name, r.value, r.value_se, truth, interval_of(r, "value"), warned=bool(r.warnings)))
    return found


def shared_by_several(drawn: Drawn) -> Sequence[Found]:
    """Of three columns together, and of two given the third: both in closed form for normal columns."""
    if drawn.bits or "information" not in drawn.truth or drawn.x.shape[1] != 2 or len(drawn.x) > 1000:
        return ()
    from infoscope import Space
    from infoscope.measures import conditional_mutual_information, total_correlation

    rng = generator_of(drawn)
    x, z = (Space(drawn.x[:, [c]], **drawn.options) for c in (0, 1))
    mixed = drawn.x[:, [0]] + drawn.x[:, [1]] + rng.normal(size=(len(drawn.x), 1))  # told by both, and by noise
    y = Space(mixed, **drawn.options)
    options: dict[str, Any] = dict(n_jobs=1)
    together = total_correlation([x, y, z], **options)
    given = conditional_mutual_information(x, y, z, **options)
    return [
        Found(name, r.value, r.value_se, truth, interval_of(r, "value"), warned=bool(r.warnings))
        for name, r, truth in (
            ("total correlation", together, 0.5 * float(np.log(3))),
            ("conditional information", given, 0.5 * float(np.log(2))),
        )
    ]


def transfers(drawn: Drawn) -> Sequence[Found]:
    """From a series to one that follows its steps: by covariances and by neighbours, in closed form."""
    if "time" not in drawn.options or "information" not in drawn.truth or not 60 <= len(drawn.x) <= 1000:
        return ()
    from infoscope.causality import transfer_entropy

    rng = generator_of(drawn)
    x = drawn.x[:, 0]
    y = np.append(0.0, x[:-1]) + rng.normal(size=len(x))
    rho = np.exp(-2 * drawn.independent / len(x))  # of the step from one row to the next
    truth = 0.5 * float(np.log(2 - rho**2 / 2))
    found = []
    for method in ("gaussian", "knn"):
        r = transfer_entropy(x, y, 1, method=method, n_jobs=1)
        found.append(
            Found(f"transfer entropy, {method}", r.forward[0], r.forward_se[0], truth, warned=bool(r.warnings))
        )
    return found


def similarities_of_layers(drawn: Drawn) -> Sequence[Found]:
    """All measures of two layers that see the same with noise."""
    if drawn.bits or drawn.options or drawn.x.shape[1] < 2 or not 30 <= len(drawn.x) <= 300 or drawn.y is drawn.x:
        return ()
    from infoscope import compare_layers

    r = compare_layers([drawn.x], [drawn.y], n_jobs=1)
    return [
        Found(f"layers, {name}", r.values[i, 0, 0], r.values_se[i, 0, 0], None, warned=bool(r.warnings))
        for i, name in enumerate(r.measures)
    ]


def binary_dimension(drawn: Drawn) -> Sequence[Found]:
    if not drawn.bits:
        return ()
    from infoscope import BinaryID, Space

    space = Space(np.packbits(drawn.x, axis=1), metric="bits", n_bits=drawn.x.shape[1], **drawn.options)
    r = BinaryID(n_jobs=1).fit(space).result_
    return (Found("binary dimension", r.d0, r.d0_se, drawn.truth.get("bits"), interval_of(r, "d0"),
                  warned=bool(r.warnings)),)  # fmt: skip


def gains(drawn: Drawn) -> Sequence[Found]:
    """A series that drives nothing."""
    if drawn.bits or "time" not in drawn.options or "run" in drawn.options or not 60 <= len(drawn.x) <= 300:
        return ()
    from infoscope import imbalance_gain

    rng = generator_of(drawn)
    driver = autoregressive(rng, len(drawn.x), len(drawn.x) / (2 * drawn.independent), 1)
    r = imbalance_gain(driver, drawn.x, lag=1, n_permutations=19, n_jobs=1)
    return (Found("imbalance gain, p-value", p=r.p_value, warned=bool(r.warnings)),)


def fidelity_susceptibilities(drawn: Drawn) -> Sequence[Found]:
    """Of an exact state, on configurations that were drawn from it."""
    if "chi" not in drawn.truth:
        return ()
    from infoscope.quantum import Chain, ExactQuantumState, IsingFamily, SpinSamples, fidelity_susceptibility

    state = ExactQuantumState(IsingFamily(Chain(8)), full_sum=False)
    n_chains = 4 if "run" in drawn.options else 1
    spins = np.where(drawn.x, -1, 1).astype(np.int8).reshape(n_chains, -1, 8)
    logs = state.log_amplitude(spins.reshape(-1, 8), 0.9).reshape(spins.shape[:2])
    state.sample = lambda *_, **__: SpinSamples(spins, logs, None, n_chains == 1)  # type: ignore[method-assign]
    r = fidelity_susceptibility(state, 0.9, n_samples=len(drawn.x))
    return (Found("fidelity susceptibility", float(r.chi[0, 0, 0]), float(r.chi_se[0, 0, 0]), drawn.truth["chi"],
                  warned=bool(r.warnings)),)  # fmt: skip


ESTIMATORS: tuple[Callable[[Drawn], Sequence[Found]], ...] = (
    information_imbalance,
    imbalance_of_labels,
    overlaps,
    differentiable_imbalance,
    columns_not_needed,
    equal_imbalances,
    dimensions,
    log_densities,
    populations,
    mutual_information_of_columns,
    entropies,
    effective_numbers,
    distances_of_samples,
    divergences_of_samples,
    shared_by_several,
    transfers,
    similarities_of_layers,
    binary_dimension,
    gains,
    fidelity_susceptibilities,
)
