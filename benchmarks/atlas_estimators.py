"""What the calibration atlas runs: every estimator that prints an error, and every test that prints a p-value.

An estimator takes a `Drawn` and gives `Found`s, or nothing where it does not apply.  A new one is a function and a line
of `ESTIMATORS`.  Here are those of imbalances, dimensions, densities, anomalies and quantum states.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import atlas_causality
import atlas_layers
import atlas_measures
from atlas_found import Estimator, Found, generator_of, halves, interval_of, rows_alone, spaces, told
from atlas_situations import Drawn, autoregressive


def information_imbalance(drawn: Drawn) -> Sequence[Found]:
    if drawn.bits or drawn.y is drawn.x or (drawn.labels is not None and "log density" not in drawn.truth):
        return ()
    from infoscope import information_imbalance

    r = information_imbalance(*spaces(drawn), n_jobs=1)
    difference = Found("imbalance, difference", r.a_to_b - r.b_to_a, r.asymmetry_se, None, interval_of(r, "asymmetry"))
    return (
        told("imbalance, x to y", r, "a_to_b"),
        told("imbalance, y to x", r, "b_to_a"),
        difference._replace(warned=bool(r.warnings)),
    )


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
        found.append(told("overlap of neighbours", r, "overlap"))
    if drawn.labels is not None:
        own = label_overlap(Space(drawn.x, **drawn.options), drawn.labels, k=k, n_jobs=1)
        found += [told("overlap of labels", own, "overlap"), told("overlap of labels, classes alike", own, "balanced")]
    return found


def differentiable_imbalance(drawn: Drawn) -> Sequence[Found]:
    """The lowest value that weights of the columns reach."""
    if drawn.bits or drawn.y is drawn.x or drawn.labels is not None or len(drawn.x) < 30:
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
    return (told("difference of two descriptions", r, "difference", 0.0)._replace(p=r.p_value),)


def dimensions(drawn: Drawn) -> Sequence[Found]:
    if drawn.bits or "dimension" not in drawn.truth:
        return ()
    from infoscope import ABIDE, Gride, Space, TwoNN

    space, truth, found = Space(drawn.x, **drawn.options), drawn.truth["dimension"], []
    for name, estimator in (("TWO-NN", TwoNN(n_jobs=1)), ("ABIDE", ABIDE(n_jobs=1))):
        found.append(told(f"dimension, {name}", estimator.fit(space).result_, "dimension", truth))
    r = Gride(n_jobs=1).fit(space).result_
    return [*found, told("dimension, Gride, middle ranks", r, "dimension", truth, len(r.dimension) // 2)]


def log_densities(drawn: Drawn) -> Sequence[Found]:
    """At every item, and at the tenth with the lowest density."""
    truth, n = drawn.truth.get("log density"), len(drawn.x)
    if truth is None or drawn.x.shape[1] > 5 or n < 30:
        return ()
    from infoscope import KStarNN, PAk, Space

    found = []
    space, low = Space(drawn.x, **drawn.options), np.argsort(truth)[: max(3, n // 10)]
    for name, estimator in (("k*-NN", KStarNN), ("PAk", PAk)):
        r = estimator(dimension=float(drawn.x.shape[1]), n_jobs=1).fit(space).result_
        found += [
            told(f"log density, {name}", r, "log_density", truth, slice(None)),
            told(f"log density, {name}, lowest tenth", r, "log_density", truth[low], low),
        ]
    return found


def populations(drawn: Drawn) -> Sequence[Found]:
    if (r := two_states(drawn)) is None:
        return ()
    left = int(np.argmin(drawn.x[r.centers, 0]))
    return (told("population of a state", r, "populations", drawn.truth["populations"], left),)


def two_states(drawn: Drawn) -> Any:
    """The states of a situation that has two, where two are found: peaks that noise made are no states."""
    if "populations" not in drawn.truth or len(drawn.x) < 100:
        return None
    from infoscope import DensityPeaks, Space

    r = DensityPeaks(Z=2).fit(Space(drawn.x, **drawn.options)).result_
    return r if len(r.populations) == 2 else None


def binary_dimension(drawn: Drawn) -> Sequence[Found]:
    if not drawn.bits:
        return ()
    from infoscope import BinaryID, Space

    space = Space(np.packbits(drawn.x, axis=1), metric="bits", n_bits=drawn.x.shape[1], **drawn.options)
    r = BinaryID(n_jobs=1).fit(space).result_
    return (told("binary dimension", r, "d0", drawn.truth.get("bits")),)


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
    return (told("fidelity susceptibility", r, "chi", drawn.truth["chi"], (0, 0, 0)),)


def scales_and_sets(drawn: Drawn) -> Sequence[Found]:
    """A scale of the curve, and the value of a set of columns that was chosen by it."""
    if drawn.bits or drawn.labels is not None or drawn.y is drawn.x or not 30 <= len(drawn.x) <= 300:
        return ()
    if "sample_weight" in drawn.options:
        return ()
    from infoscope import Space, imbalance_scale_curve, select_features_imbalance

    curve = imbalance_scale_curve(*spaces(drawn), n_jobs=1)
    found = [told("imbalance, at a middle scale", curve, "a_to_b", at=len(curve.a_to_b) // 2)]
    if drawn.options or drawn.x.shape[1] < 2:
        return found
    columns = np.column_stack([drawn.x[:, :2], generator_of(drawn).normal(size=len(drawn.x))])
    path = select_features_imbalance(columns, Space(drawn.y), n_jobs=1)
    return [*found, told("imbalance of a set that was chosen", path, "value", at=0)]


def rises(drawn: Drawn) -> Sequence[Found]:
    """What leaving out a column that tells costs, on rows that did not choose the weights."""
    plain = not drawn.bits and drawn.labels is None and drawn.y is not drawn.x and "sample_weight" not in drawn.options
    if not plain or not 40 <= len(drawn.x) <= 300 or drawn.x.shape[1] != 2:
        return ()
    from infoscope.imbalance import dii_rise

    r = dii_rise(drawn.x, drawn.y, n_jobs=1, **drawn.options)
    return told("rise of a column", r, "rise", at=0), told("DII on other rows", r, "dii")


def dimensions_of_subsets(drawn: Drawn) -> Sequence[Found]:
    """TWO-NN of parts of the rows, and the mean dimension around an item."""
    if drawn.bits or "dimension" not in drawn.truth or len(drawn.x) < 100 or "sample_weight" in drawn.options:
        return ()
    from infoscope import Decimation, Space, pointwise_dimension

    space, truth = Space(drawn.x, **drawn.options), drawn.truth["dimension"]
    r = Decimation(n_jobs=1).fit(space).result_
    around = pointwise_dimension(drawn.x, n_jobs=1, **drawn.options)
    # items share their neighbours: one of them a data set
    return (
        told("dimension, decimation, half of the rows", r, "dimension", truth, 1),
        told("dimension around an item", around, "dimension", truth, 0),
    )


def dimension_of_a_lattice(drawn: Drawn) -> Sequence[Found]:
    """Of whole numbers that fill a lattice of three columns."""
    if rows_alone(drawn, 100) and "dimension" not in drawn.truth and np.ptp(drawn.x) > 10:
        from infoscope import LatticeID, Space

        r = LatticeID(n_jobs=1).fit(Space(drawn.x.astype(int), metric="manhattan")).result_
        return (told("dimension of a lattice, middle radius", r, "dimension", None, len(r.dimension) // 2),)
    return ()


def other_densities(drawn: Drawn) -> Sequence[Found]:
    """Densities of a fixed number of neighbours and of differences, and the entropies that densities give."""
    truth = drawn.truth.get("log density")
    if truth is None or drawn.x.shape[1] > 5 or not 100 <= len(drawn.x) <= 300:
        return ()
    from infoscope import BMTI, KNNDensity, KStarNN, Space

    space, d = Space(drawn.x, **drawn.options), float(drawn.x.shape[1])
    knn, bmti, adaptive = (
        estimator(dimension=d, n_jobs=1).fit(space).result_ for estimator in (KNNDensity, BMTI, KStarNN)
    )
    return (
        told("log density, k-NN", knn, "log_density", truth, slice(None)),
        told("log density, BMTI", bmti, "log_density", truth, slice(None)),
        told("entropy of a density", adaptive, "entropy", drawn.truth.get("entropy")),
    )


def barriers(drawn: Drawn) -> Sequence[Found]:
    """From a state up to the place between two, and the density there."""
    r = two_states(drawn)
    if r is None or not np.isfinite(r.saddle_log_density[0, 1]) or r.saddle_is_bound[0, 1]:
        return ()
    left = r.to_frame().iloc[int(np.argmin(drawn.x[r.centers, 0]))]
    barrier = Found(
        "barrier between states", left.barrier, left.barrier_se, drawn.truth["barrier"], warned=bool(r.warnings)
    )
    return barrier, told("log density of a saddle", r, "saddle_log_density", at=(0, 1))


def regions(drawn: Drawn) -> Sequence[Found]:
    """Points beyond the background where a tenth more of them were put at one place of two columns."""
    if not rows_alone(drawn, 100) or drawn.x.shape[1] != 2 or "entropy" not in drawn.truth:
        return ()
    from infoscope import DensityAnomaly

    reference, test = halves(drawn)
    more = [2.0, 0.0] + 0.2 * generator_of(drawn).normal(size=(max(10, len(test) // 10), 2))
    r = DensityAnomaly(random_state=0, n_jobs=1).fit(reference, np.vstack([test, more])).result_
    found = [one for one in r.regions if one.side == "over" and one.resolved]
    return [
        Found(f"anomalies, {name} of a region", getattr(found[0], name), getattr(found[0], f"{name}_se"),
              warned=bool(r.warnings))
        for name in ("signal", "background", "purity") if found
    ]  # fmt: skip


ESTIMATORS: tuple[Estimator, ...] = (
    information_imbalance,
    imbalance_of_labels,
    overlaps,
    differentiable_imbalance,
    columns_not_needed,
    equal_imbalances,
    scales_and_sets,
    rises,
    dimensions,
    dimensions_of_subsets,
    dimension_of_a_lattice,
    binary_dimension,
    log_densities,
    other_densities,
    populations,
    barriers,
    regions,
    *atlas_measures.ESTIMATORS,
    *atlas_causality.ESTIMATORS,
    *atlas_layers.ESTIMATORS,
    fidelity_susceptibilities,
)
