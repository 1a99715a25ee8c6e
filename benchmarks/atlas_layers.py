"""What the calibration atlas runs of representations: layers, checkpoints, sources, tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from atlas_found import Estimator, Found, generator_of, rows_alone, told
from atlas_situations import Drawn


def similarities_of_layers(drawn: Drawn) -> Sequence[Found]:
    """All measures of two layers that see the same with noise."""
    if drawn.bits or drawn.options or drawn.x.shape[1] < 2 or not 30 <= len(drawn.x) <= 300 or drawn.y is drawn.x:
        return ()
    from infoscope import compare_layers

    noisy = drawn.x + 0.5 * generator_of(drawn).normal(size=drawn.x.shape)
    metric = "cosine" if drawn.truth or drawn.labels is not None else "euclidean"  # rows of a lattice may be zero
    r = compare_layers([drawn.x], [noisy], metric=metric, n_permutations=19, random_state=0, n_jobs=1)
    return [told(f"layers, {name}", r, "values", at=(i, 0, 0)) for i, name in enumerate(r.measures)]


def sources_together(drawn: Drawn) -> Sequence[Found]:
    """What two sources tell of a target, each alone and together."""
    if not rows_alone(drawn, most=300, columns=2):
        return ()
    from infoscope.representations import joint_imbalance

    noise = generator_of(drawn).normal(size=(2, len(drawn.x), 2))
    target = drawn.x[:, :2]
    sources = [target * wide + 0.5 * some for wide, some in zip(([1, 0.3], [0.3, 1]), noise, strict=True)]
    r = joint_imbalance(sources, target, metric="euclidean", n_jobs=1)
    return (
        told("two sources, together", r, "joint"),
        told("two sources, one alone", r, "alone", at=0),
        told("two sources, what one adds", r, "added", at=0),
    )


def given_a_nuisance(drawn: Drawn) -> Sequence[Found]:
    if not rows_alone(drawn, most=300, columns=2):
        return ()
    from infoscope.representations import conditional_imbalance

    rng = generator_of(drawn)
    shared = rng.normal(size=(len(drawn.x), 1))
    a, b = drawn.x + shared, drawn.x + shared + 0.5 * rng.normal(size=drawn.x.shape)
    r = conditional_imbalance(a, b, shared, metric="euclidean", n_permutations=19, random_state=0, n_jobs=1)
    first = (0, 0, 0)
    return told("given a nuisance", r, "values", at=first), told("change by a nuisance", r, "change", at=first)


def checkpoints(drawn: Drawn) -> Sequence[Found]:
    """Directions between a checkpoint, a noisier one and a reference."""
    if not rows_alone(drawn, most=300, columns=2):
        return ()
    from infoscope.representations import compare_checkpoints, compare_directions

    noise = generator_of(drawn).normal(size=(2, *drawn.x.shape))
    far, near = drawn.x + 0.6 * noise[0], drawn.x + 0.3 * noise[1]
    r = compare_checkpoints({"far": [far], "near": [near]}, [drawn.x], metric="euclidean", n_jobs=1)
    way = compare_directions([far], [near], metric="euclidean", n_jobs=1)
    return (
        told("checkpoint, to the reference", r, "to_reference", at=(0, 0)),
        told("checkpoint, from the reference", r, "from_reference", at=(0, 0)),
        told("checkpoint, difference of both", r, "asymmetry", at=(0, 0)),
        told("layers, difference of directions", way, "difference"),
    )


def profiles(drawn: Drawn) -> Sequence[Found]:
    """What a profile says of a layer, and what a layer stays behind the best one."""
    if not rows_alone(drawn, 100, 300, 5):
        return ()
    from infoscope.representations import layer_profile, semantic_layers

    rng = generator_of(drawn)
    some, other = ([drawn.x + s * rng.normal(size=drawn.x.shape) for s in (0.8, 0.5)] for _ in range(2))
    r = layer_profile(some, measures=("two_nn", "gride", "effective_number"), n_jobs=1)
    best = semantic_layers(some, other, metric="euclidean", n_draws=200, random_state=0, n_jobs=1)
    return (
        told("profile, TWO-NN", r, "two_nn", at=0),
        told("profile, Gride", r, "gride", at=(0, 2)),
        told("profile, effective number", r, "effective_number", at=0),
        told("profile, mean imbalance", best, "values", at=1),
        told("profile, behind the best layer", best, "behind", at=0),
    )


def tokens(drawn: Drawn) -> Sequence[Found]:
    """Texts of twelve tokens that follow each other: lags, windows, and how many tokens tell."""
    if not rows_alone(drawn, most=300, columns=2):
        return ()
    from infoscope.representations import token_lag_imbalance, token_number_curve, window_asymmetry

    rng = generator_of(drawn)
    states = rng.normal(size=(len(drawn.x), 12, drawn.x.shape[1]))
    states[:, 0] = drawn.x
    for t in range(1, 12):
        states[:, t] = 0.7 * states[:, t - 1] + 0.7 * states[:, t]
    noisy = states + 0.5 * rng.normal(size=states.shape)
    shuffled = rng.permuted(states, axis=1)
    texts: Any = [list(some) for some in (states, noisy, shuffled)]
    lagged: Any = token_lag_imbalance(texts[0], lags=(1,), controls={"shuffled": texts[2]}, n_jobs=1)
    windows: Any = window_asymmetry(texts[0], n_permutations=19, random_state=0, n_jobs=1)
    curve = token_number_curve(texts[0], None, texts[1], None, numbers=(1, 3, 6), how=("mean_last_n",), n_jobs=1)
    return (
        told("tokens, at a lag", lagged, "values", at=(0, 0, 0)),
        told("tokens, gain over a control", lagged, "gain", at=(0, 0, 0)),
        told("tokens, difference of windows", windows, "asymmetry", at=(0, 0)),
        told("tokens, three of them", curve, "values", at=(0, 0, 1)),
        told("tokens, gain of three", curve, "gain", at=(0, 0, 1)),
    )


ESTIMATORS: tuple[Estimator, ...] = (
    similarities_of_layers,
    sources_together,
    given_a_nuisance,
    checkpoints,
    profiles,
    tokens,
)
