"""What the calibration atlas runs of the measures: information, distances of samples, spectra, curvatures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from atlas_found import Estimator, Found, generator_of, halves, rows_alone, spaces, tested, told
from atlas_situations import Drawn


def mutual_information_of_columns(drawn: Drawn) -> Sequence[Found]:
    if "information" not in drawn.truth or drawn.x.shape[1] > 2 or len(drawn.x) < 30:
        return ()
    from infoscope import mutual_information

    r = mutual_information(*spaces(drawn), compress=None, n_jobs=1)
    found = told("mutual information", r, truth=drawn.truth["information"])
    return (found._replace(warned=found.warned or r.reliable is False),)


def entropies(drawn: Drawn) -> Sequence[Found]:
    if "entropy" not in drawn.truth or "sample_weight" in drawn.options or len(drawn.x) < 30:
        return ()
    from infoscope import Space, entropy

    r = entropy(Space(drawn.x, **drawn.options), n_jobs=1)
    found = told("entropy", r, truth=drawn.truth["entropy"])
    return (found._replace(warned=found.warned or r.reliable is False),)


def effective_numbers(drawn: Drawn) -> Sequence[Found]:
    if drawn.bits or "sample_weight" in drawn.options or drawn.x.shape[1] < 2 or len(drawn.x) < 30:
        return ()
    from infoscope import Space, effective_number

    r = effective_number(Space(drawn.x, **drawn.options), order=1.0, n_jobs=1)
    return (told("effective number", r),)


def distances_of_samples(drawn: Drawn) -> Sequence[Found]:
    """Two halves of independent rows, one of them shifted; and unshifted, for the p-values."""
    if not rows_alone(drawn, most=10_000):
        return ()
    from infoscope import frechet_distance, mmd, stability_index

    (a, b), shift = halves(drawn), 0.5
    found = []
    for name, measure in (("MMD", mmd), ("Frechet distance", frechet_distance)):
        null = measure(a, b, n_permutations=99, random_state=0)
        found += [told(name, measure(a, b + shift)), tested(name, null)]
    return [*found, tested("stability index", stability_index(a[:, 0], b[:, 0], random_state=0))]


def divergences_of_samples(drawn: Drawn) -> Sequence[Found]:
    """The same halves, by neighbours, by directions and by kernels; of normal columns the divergence is known."""
    if not rows_alone(drawn, most=2000):
        return ()
    from infoscope.measures import cauchy_schwarz, kl_divergence, sliced_wasserstein

    (a, b), shift = halves(drawn), 0.5
    known = shift**2 / 2 * drawn.x.shape[1] if "entropy" in drawn.truth else None
    return (
        told("Kullback-Leibler divergence", kl_divergence(a, b + shift), truth=known),
        told("sliced Wasserstein distance", sliced_wasserstein(a, b + shift)),
        told("Cauchy-Schwarz divergence", cauchy_schwarz(a, b + shift)),
    )


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
    return (
        told("total correlation", together, truth=0.5 * float(np.log(3))),
        told("conditional information", given, truth=0.5 * float(np.log(2))),
    )


def information_of_pairs(drawn: Drawn) -> Sequence[Found]:
    """A pair that shares, of a frame of three columns."""
    if "information" not in drawn.truth or "sample_weight" in drawn.options or not 30 <= len(drawn.x) <= 300:
        return ()
    from infoscope import Space, pairwise_mutual_information

    frame = np.column_stack([drawn.x[:, :1], drawn.y[:, :1], generator_of(drawn).normal(size=len(drawn.x))])
    r = pairwise_mutual_information(Space(frame, **drawn.options), n_jobs=1)
    return (told("information of pairs", r, truth=0.5 * float(np.log(5)), at=(0, 1)),)


def spectra(drawn: Drawn) -> Sequence[Found]:
    """Numbers of a spectrum: of covariances, of singular values, of a diffusion."""
    if drawn.bits or drawn.x.shape[1] < 2 or not 30 <= len(drawn.x) <= 300 or "sample_weight" in drawn.options:
        return ()
    from infoscope import Space
    from infoscope.measures import diffusion_spectral_entropy, effective_features, matrix_entropy, nuclear_norm

    # columns alike are at the maximum of entropies, where what rows change vanishes to first order
    space = Space(drawn.x * 0.7 ** np.arange(drawn.x.shape[1]), **drawn.options)
    return [
        told(name, measure(space, n_jobs=1))
        for name, measure in (
            ("matrix entropy", matrix_entropy),
            ("nuclear norm", nuclear_norm),
            ("diffusion entropy", diffusion_spectral_entropy),
            ("effective features", effective_features),
        )
    ]


def entropy_inside_classes(drawn: Drawn) -> Sequence[Found]:
    if drawn.labels is None or not 30 <= len(drawn.x) <= 300:
        return ()
    from infoscope.measures import diffusion_spectral_information

    found = diffusion_spectral_information(drawn.x, drawn.labels, n_jobs=1)
    return (told("diffusion information of classes", found),)


def spread_of_views(drawn: Drawn) -> Sequence[Found]:
    """Four views of every item: groups are drawn anew, as the error says."""
    if not rows_alone(drawn, 100, 300, 2):
        return ()
    from infoscope.measures import manifold_spread

    views = drawn.x[:, None] + 0.5 * generator_of(drawn).normal(size=(len(drawn.x), 4, drawn.x.shape[1]))
    r = manifold_spread(views)
    return told("spread of groups", r), told("spread of groups, inside", r, "local_nuclear")


def curvatures(drawn: Drawn) -> Sequence[Found]:
    """Of a kernel density: of normal columns that of a wider normal law, at a point in its flank."""
    if drawn.bits or "entropy" not in drawn.truth or not 100 <= len(drawn.x) <= 1000 or drawn.x.shape[1] > 5:
        return ()
    from infoscope import Space, density_curvature

    d, place = drawn.x.shape[1], 0.5
    r = density_curvature(Space(drawn.x, **drawn.options), at=np.full((1, d), place), n_jobs=1)
    wide = 1 + r.scale**2
    log_density = -d * (0.5 * np.log(2 * np.pi * wide) + 0.5 * place**2 / wide)
    return (
        told("log density, kernel", r, "log_density", float(log_density), 0),
        told("score of a density", r, "score", -place / wide, (0, 0)),
        told("curvature of a density", r, "eigenvalues", None, (0, 0)),
        told("positive curvatures", density_curvature(Space(drawn.x, **drawn.options), n_jobs=1)),
    )


def information_of_a_shift(drawn: Drawn) -> Sequence[Found]:
    """Fisher information of the mean of normal columns (each adds one), and a distance between two places."""
    if not rows_alone(drawn, 100) or "entropy" not in drawn.truth or drawn.x.shape[1] > 2:
        return ()
    from infoscope.measures import fisher_information, information_estimation_distance

    step, d = 0.5, drawn.x.shape[1]
    places = step * np.array([-1, -0.5, 0.5, 1])
    samples = {float(t): part + t for t, part in zip(places, np.array_split(drawn.x, 4), strict=True)}
    fisher = fisher_information(samples, at=0.0, step=2 * step, n_jobs=1)
    apart = information_estimation_distance(drawn.x, np.zeros((1, d)), np.full((1, d), 0.5), n_jobs=1)
    return told("Fisher information", fisher, truth=float(d)), told("distance by denoising", apart)


def drifts(drawn: Drawn) -> Sequence[Found]:
    """Of one column and of all together, between halves of which one is shifted."""
    if not rows_alone(drawn, 60):
        return ()
    from infoscope import stability_index
    from infoscope.measures import drift_table

    (a, b), shift = halves(drawn), 0.5 if drawn.truth else 1.0  # lattices by a whole step
    index = stability_index(a[:, 0], b[:, 0] + shift, random_state=0)
    table = drift_table(a, b + shift, n_permutations=20, random_state=0, n_jobs=1)
    return (
        told("stability index", index),
        told("stability index, less its bias", index, "corrected"),
        told("drift of a column", table, "shift", at=0),
        told("drift of all columns", table, "joint"),
    )


def information_of_classes(drawn: Drawn) -> Sequence[Found]:
    """What a column tells by bins of classes half a standard deviation apart."""
    if drawn.labels is None or not 100 <= len(drawn.x) <= 1000:
        return ()
    from infoscope.measures import information_value

    column = 0.5 * drawn.labels + generator_of(drawn).normal(size=len(drawn.x))
    r = information_value(column[:, None], drawn.labels).features[0]
    return told("information value", r), told("information value, less its bias", r, "corrected")


def information_planes(drawn: Drawn) -> Sequence[Found]:
    """What a layer holds of its input and of the classes."""
    if drawn.labels is None or not 100 <= len(drawn.x) <= 300:
        return ()
    from infoscope.measures import information_plane

    layer = np.tanh(drawn.x) + 0.3 * generator_of(drawn).normal(size=drawn.x.shape)
    r = information_plane([layer], drawn.x, drawn.labels, n_jobs=1)
    return told("plane, of the input", r, "x_information", at=0), told("plane, of classes", r, "y_information", at=0)


ESTIMATORS: tuple[Estimator, ...] = (
    mutual_information_of_columns,
    entropies,
    effective_numbers,
    distances_of_samples,
    divergences_of_samples,
    shared_by_several,
    information_of_pairs,
    spectra,
    entropy_inside_classes,
    spread_of_views,
    curvatures,
    information_of_a_shift,
    drifts,
    information_of_classes,
    information_planes,
)
