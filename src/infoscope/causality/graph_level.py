"""Do the tests of links keep their level on these data?  Shifted copies of all variables, which can tell nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from infoscope.imbalance.dii.many_targets import Lines

from .graph_fit import FITS, Memory, fit_weights
from .graph_links import judge, looks_at
from .graph_sample import GraphSample
from .graph_shadows import with_shadows


class LevelCheck(NamedTuple):
    """What `CommunityCausalGraph.check_level` returns.

    Attributes
    ----------
    p_value : array
        Of every shifted copy as a source of every target that was looked at.
    below_5, below_1 : float
        Share of them up to 0.05 and 0.01: not clearly more than that where the tests can be believed.
    """

    p_value: np.ndarray
    below_5: float
    below_1: float


def shadow_tests(estimator: Any, sample: GraphSample, n_targets: int, generator: np.random.Generator) -> LevelCheck:
    """Weights and tests of some targets, with a shifted copy of every variable beside it as a source."""
    d = sample.features.shape[1]
    wide = with_shadows(sample, generator)
    chosen = generator.permutation(len(sample.lines.values))[:n_targets]
    wide = replace(
        wide,
        lines=Lines(sample.lines.values[chosen], sample.lines.period[chosen]),
        targets=sample.targets[chosen % len(sample.targets)],
        lags=sample.lags[:1],
    ).screened()
    seeds = generator.integers(0, 2**31, 3)
    fits = fit_weights(wide, estimator._descent(), seeds, Memory(), estimator.n_jobs, FITS[1:])
    groups = [np.array([a]) for a in range(d, 2 * d)]
    of_parts = [fits[name].weights for name in FITS[1:]]
    p = np.concatenate(
        [
            judge(looks_at(wide, line), [w[line] for w in of_parts], groups, estimator.lambda_factor).p_value
            for line in range(len(chosen))
        ]
    )
    return LevelCheck(p, float((p <= 0.05).mean()), float((p <= 0.01).mean()))
