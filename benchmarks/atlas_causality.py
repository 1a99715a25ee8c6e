"""What the calibration atlas runs of causality: transfers, gains, graphs, interventions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from atlas_found import Estimator, Found, generator_of, halves, rows_alone, tested, told
from atlas_situations import Drawn, autoregressive


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
        found.append(told(f"transfer entropy, {method}", r, "forward", truth, 0))
    return found


def gains(drawn: Drawn) -> Sequence[Found]:
    """A series that drives nothing."""
    if drawn.bits or "time" not in drawn.options or "run" in drawn.options or not 60 <= len(drawn.x) <= 300:
        return ()
    from infoscope import imbalance_gain

    rng = generator_of(drawn)
    driver = autoregressive(rng, len(drawn.x), len(drawn.x) / (2 * drawn.independent), 1)
    r = imbalance_gain(driver, drawn.x, lag=1, n_permutations=19, n_jobs=1)
    return (tested("imbalance gain", r),)


def gains_of_a_driver(drawn: Drawn) -> Sequence[Found]:
    """What the next step of a series gains by the series that it follows, alone and over lags."""
    if "time" not in drawn.options or "information" not in drawn.truth or not 100 <= len(drawn.x) <= 300:
        return ()
    from infoscope import imbalance_gain, scan_lags

    x = drawn.x[:, 0]
    y = np.append(0.0, x[:-1]) + generator_of(drawn).normal(size=len(x))
    r: Any = imbalance_gain(x, y, lag=1, n_permutations=0, n_jobs=1)
    lags: Any = scan_lags(x, y, [1, 2], n_permutations=0, n_jobs=1)
    return (
        told("imbalance gain", r, "gain"),
        told("imbalance gain, cross-fitted", r, "crossfit"),
        told("imbalance gain, at the second lag", lags, "forward_crossfit", at=1),
    )


def causal_links(drawn: Drawn) -> Sequence[Found]:
    """Rises of a graph of three series: the first drives both others, the second the third."""
    if "time" not in drawn.options or "information" not in drawn.truth or not 100 <= len(drawn.x) <= 300:
        return ()
    from infoscope import CommunityCausalGraph, refine_edges

    noise = generator_of(drawn).normal(size=(2, len(drawn.x)))
    x = drawn.x[:, 0]
    y = np.append(0.0, x[:-1]) + noise[0]
    z = np.append(0.0, x[:-1] + y[:-1]) + noise[1]
    series = np.column_stack([x, y, z])
    r = CommunityCausalGraph(lags=[1], n_epochs=20, n_jobs=1).fit(series).result_
    found = [told("graph, DII of a target", r, "dii", at=(0, 1)), told("graph, rise of a link", r, "rise", at=(0, 1))]
    if np.isfinite(r.past_rise[1, 2]):
        found.append(told("graph, rise beside its past", r, "past_rise", at=(1, 2)))
    refined = refine_edges(r, series, n_jobs=1)
    ways = list(zip(refined.sources, refined.targets, strict=True))
    if ("column 0", "column 2") in ways:
        found.append(told("graph, rise of a direct edge", refined, "rise", at=ways.index(("column 0", "column 2"))))
    return found


def interventions(drawn: Drawn) -> Sequence[Found]:
    """Two experiments whose outcomes differ in their mean: Kullback-Leibler divergence of two normal laws."""
    if not rows_alone(drawn, 60) or "entropy" not in drawn.truth:
        return ()
    from infoscope import interventional_effect

    (a, b), shift = halves(drawn), 1.0
    r: Any = interventional_effect(a[:, 0], b[:, 0] + shift, n_permutations=0, random_state=0)
    found = told("effect of an intervention", r, "effect", shift**2 / 2, 0)
    return (found._replace(interval=(float(r.effect_low[0]), float(r.effect_high[0]))),)


ESTIMATORS: tuple[Estimator, ...] = (transfers, gains, gains_of_a_driver, causal_links, interventions)
