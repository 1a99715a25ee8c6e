"""The matrices of a graph, for all variables, filled by one of three rules for what is a link."""

from __future__ import annotations

from typing import Any

import numpy as np

from infoscope.imbalance.dii.cross_fit import detectable_rise
from infoscope.imbalance.dii.many_targets import ManyWeights
from infoscope.statistics import adjust_p_values, level_of_one

from .graph_links import TargetTests
from .graph_results import BY_SHADOWS, BY_WEIGHT, COPIES, UNPREDICTED, UNTESTED
from .graph_sample import GraphSample
from .graph_shadows import ratio_threshold


class Tables:
    """The matrices of a result, for all variables; those that were left out tell and are told nothing."""

    def __init__(self, sample: GraphSample, fit: ManyWeights):
        n, n_lags = len(sample.names), len(sample.lags)
        self.sample, self.fit = sample, fit
        self.columns, self.targets = sample.columns, sample.columns[sample.targets]
        self.weights = np.zeros((n_lags, n, n))
        self.dii, self.dii_se = np.full((n_lags, n), np.nan), np.full((n_lags, n), np.nan)
        self.values = {name: np.full((n, n), np.nan) for name in ("rise", "rise_se", "past_rise", "past_rise_se")}
        self.detection_limit = np.full((n, n), np.nan)
        self.p_value, self.p_adjusted = np.ones((n, n)), np.ones((n, n))
        self.link_lag, self.test = np.full((n, n), -1), np.full((n, n), UNTESTED)
        self.adjacency = np.zeros((n, n), bool)
        weights = fit.weights[:, : len(sample.columns)]  # without those of shifted copies
        relative = weights / np.maximum(weights.max(1, keepdims=True), 1e-300)
        self.relative = relative.reshape(n_lags, len(self.targets), -1).transpose(0, 2, 1)  # lag, source, target
        self.weights[np.ix_(np.arange(n_lags), self.columns, self.targets)] = self.relative

    def link_by_weight(self, threshold: float) -> None:
        """A link is a weight above the threshold."""
        values = self._last_losses()
        told = np.where(values[:, None, :] <= UNPREDICTED, self.relative, 0.0)  # else weights mean nothing
        linked = (told > threshold).any(0)
        place = np.ix_(self.columns, self.targets)
        self.adjacency[place] = linked
        self.link_lag[place] = np.where(linked, told.argmax(0), -1)
        self.test[place] = np.where(linked, BY_WEIGHT, UNTESTED)
        self.dii[:, self.targets] = values
        self._finish()

    def link_by_shadows(self, fdr: float) -> None:
        """A link is a weight that is larger than that of a shifted copy by more than the ratio rule asks (5.3)."""
        d = len(self.columns)
        apart = (self.fit.weights[:, :d] - self.fit.weights[:, d:]).reshape(len(self.dii), len(self.targets), d)
        lag = np.abs(apart).argmax(0)  # (targets, sources)
        clearest = np.take_along_axis(apart, lag[None], 0)[0]
        clearest[np.arange(len(self.targets)), self.targets] = 0.0  # a target is no source of its own
        linked = clearest >= ratio_threshold(clearest, fdr)
        place = np.ix_(self.columns, self.targets)
        self.adjacency[place], self.link_lag[place] = linked.T, np.where(linked, lag, -1).T
        self.test[place] = np.where(linked, BY_SHADOWS, UNTESTED).T
        self.dii[:, self.targets] = self._last_losses()
        self._finish()

    def link_by_tests(self, tests: list[TargetTests], fdr: float) -> None:
        """A link is a source whose p-value, the least over lags times their number, is rejected among all pairs."""
        n_lags, n_targets = len(self.dii), len(self.targets)

        def stacked(name: str) -> np.ndarray:  # (L, targets, ...)
            values = np.array([getattr(one, name) for one in tests])
            return values.reshape(n_lags, n_targets, *values.shape[1:])

        self.dii[:, self.targets], self.dii_se[:, self.targets] = stacked("dii"), stacked("dii_se")
        p = stacked("p")
        lag = p.argmin(0)  # (targets, sources)
        least = np.take_along_axis(p, lag[None], 0)[0]
        tested = np.isfinite(stacked("rise")).any(0)
        place = np.ix_(self.columns, self.targets)
        self.p_value[place] = np.minimum(1.0, n_lags * least).T
        for name, values in self.values.items():
            values[place] = np.take_along_axis(stacked(name), lag[None], 0)[0].T
        self.link_lag[place] = np.where(tested, lag, -1).T
        self.test[place] = np.where(tested, np.take_along_axis(stacked("test"), lag[None], 0)[0], UNTESTED).T
        pairs = np.zeros(self.p_value.shape, bool)
        pairs[place] = True
        np.fill_diagonal(pairs, False)
        self.p_adjusted[pairs] = adjust_p_values(self.p_value[pairs], "bh")
        self.adjacency = pairs & (self.p_adjusted <= fdr)
        level = level_of_one(int(pairs.sum()), fdr, "bh") / (2 * n_lags)  # of one of two tests at one lag
        reaches = [
            detectable_rise(stacked(se), stacked(degrees), level)
            for degrees, se in (("degrees", "rise_se"), ("past_degrees", "past_rise_se"))
        ]
        self.detection_limit[place] = np.fmin.reduce(np.concatenate(reaches)).T
        self._finish()

    def _last_losses(self) -> np.ndarray:
        """Imbalances on the rows that chose the weights, (L, targets)."""
        return self.fit.losses[np.arange(len(self.fit.losses)), self.fit.n_epochs - 1].reshape(len(self.dii), -1)

    def _finish(self) -> None:
        """Copies are joined both ways; what is no link has no test; nothing drives itself."""
        whose = self.columns[self.sample.copy_of]
        same = np.zeros_like(self.adjacency)
        same[np.ix_(self.columns, self.columns)] = whose[:, None] == whose
        np.fill_diagonal(same, False)
        self.adjacency |= same
        np.fill_diagonal(self.adjacency, False)
        self.test = np.where(same, COPIES, np.where(self.adjacency, self.test, UNTESTED))

    def unpredicted(self, sample: GraphSample) -> np.ndarray:
        """Places of targets whose imbalance is above 0.8 at all lags."""
        values = self.dii[:, self.targets]
        return sample.targets[(values > UNPREDICTED).all(0)]

    def fields(self) -> dict[str, Any]:
        n_lags, n = self.dii.shape
        losses = np.full((n_lags, n, self.fit.losses.shape[1]), np.nan)
        losses[:, self.targets] = self.fit.losses.reshape(n_lags, len(self.targets), -1)
        n_epochs = np.zeros((n_lags, n), np.int64)
        n_epochs[:, self.targets] = self.fit.n_epochs.reshape(n_lags, -1)
        copy_of = np.arange(n)
        copy_of[self.columns] = self.columns[self.sample.copy_of]
        of_links = ("p_value", "p_adjusted", "detection_limit", "link_lag", "test", "adjacency")
        names = ("weights", "dii", "dii_se", *of_links)
        return {
            **{name: getattr(self, name) for name in names},
            **self.values,
            "losses": losses,
            "n_epochs": n_epochs,
            "copy_of": copy_of,
        }
