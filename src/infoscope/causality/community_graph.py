"""Who drives whom among many variables, and which of them move by themselves together: the estimator."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from infoscope.base import ParameterError, provenance, warn
from infoscope.base.checks import check_positive_int, check_random_state
from infoscope.base.contents import holds, whole
from infoscope.imbalance.dii.cross_fit import student_test
from infoscope.imbalance.dii.many_targets import Descent, ManyWeights
from infoscope.statistics import adjust_p_values

from .communities import communities
from .graph_fit import FITS, Memory, fit_tests, fit_weights, open_memory
from .graph_level import LevelCheck, shadow_tests
from .graph_links import TargetTests, Weighed, leave_out_groups
from .graph_results import BY_WEIGHT, COPIES, UNPREDICTED, UNTESTED, CausalGraph
from .graph_sample import GraphSample, graph_sample

K_SHARE = 0.05  # of a batch


class CommunityCausalGraph(BaseEstimator):
    """Community causal graph: links between many variables with a bounded share of false ones, communities, levels.

    For every variable and lag, weights of all variables are found that make their present predict its future: the
    minimum of the Differentiable Information Imbalance, over mini-batches that all targets share.  A weight above the
    threshold is a link when leaving its source out makes the prediction worse on rows that did not choose the weights.
    Communities are the strongly connected components of the links; levels say how far each is from what nothing drives.

    Parameters
    ----------
    lags : sequence of int
        Steps ahead.  Several are needed where influence takes time.
    n_samples : int, optional
        Rows, evenly spaced; at most 2000 by default.
    threshold : float
        Share of a target's largest weight from which a source is looked at.
    fdr : float or None
        False discovery rate of the links (Benjamini and Hochberg).  None: weights alone decide, and nobody knows how
        many links are false.
    n_epochs : int
        Passes over the rows, at most.
    tolerance : float
        A target is done when its weights, averaged over five epochs, move by less than this share of the largest.
    batch_size : int
        Rows of a mini-batch.
    k : int, optional
        Neighbours of the bandwidth in a batch; one in twenty of its rows by default.
    lambda_factor : float
        What multiplies the k-th squared distance.
    learning_rate : float
        Of Adam, for weights of norm one.
    exclusion_window : float, "auto" or None
        Rows of a run within this time are no neighbours.  None means "auto" (two correlation times) for series.
    n_subsets : int
        Parts of the time on which links are sought again, to say how often each returns; 0 for none.
    random_state : int, Generator or None
        Of the batches.
    n_jobs : int, optional
        Threads over targets; the answer does not depend on them.

    Attributes
    ----------
    result_ : CausalGraph
        All of what was found, with a verdict, tables and pictures.
    adjacency_ : array (D, D) of bool
        Links, sources as rows.
    weights_ : array (L, D, D)
        Relative weights.
    labels_, levels_ : array (D,), array (C,)
        Community of every variable, level of every community.
    n_features_in_, feature_names_in_

    References
    ----------
    Allione, Del Tatto, Laio, arXiv 2501.10886 (2025): communities and levels.
    Wild, Wodaczek, Del Tatto, Cheng, Laio, Nature Communications 16, 270 (2025): the imbalance that is minimised.

    Examples
    --------
    >>> from infoscope.causality import CommunityCausalGraph
    >>> from infoscope.datasets import even_network
    >>> network = even_network(600, 4, 1, random_state=0)                    # the first drives the second by its square
    >>> graph = CommunityCausalGraph(lags=[1], random_state=0).fit(network.series).result_
    >>> [(row["source"], row["target"]) for row in graph.link_rows()]
    [('column 0', 'column 1')]
    """

    _contents = {"result_": holds(CausalGraph), "n_features_in_": whole(1)}

    def __init__(
        self,
        lags=(1,),
        *,
        n_samples=None,
        threshold=0.1,
        fdr=0.1,
        n_epochs=100,
        tolerance=0.05,
        batch_size=100,
        k=None,
        lambda_factor=0.1,
        learning_rate=0.01,
        exclusion_window=None,
        n_subsets=0,
        random_state=0,
        n_jobs=None,
    ):
        self.lags = lags
        self.n_samples = n_samples
        self.threshold = threshold
        self.fdr = fdr
        self.n_epochs = n_epochs
        self.tolerance = tolerance
        self.batch_size = batch_size
        self.k = k
        self.lambda_factor = lambda_factor
        self.learning_rate = learning_rate
        self.exclusion_window = exclusion_window
        self.n_subsets = n_subsets
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X, y=None, *, future=None, targets=None, checkpoint=None) -> CommunityCausalGraph:
        """Find the graph.

        Parameters
        ----------
        X : Space, array (T, D), frame, or list of runs
            A series of all variables, or their present where `future` is given.  Periods, time and runs belong to a
            `Space`.
        y : None
            Not used.
        future : array (N, D) or (L, N, D), or list, optional
            The same variables later, one for every lag, where the rows of X are items and not a series.
        targets : sequence of str or int, optional
            Look for what drives these only; all by default.
        checkpoint : path-like, optional
            A file that keeps what has been computed: a run that was killed goes on from it, to the same graph.

        Returns
        -------
        self

        Raises
        ------
        DataError
            NaN (with row and column), unequal steps of time, weights, constant targets, too few rows.
        ParameterError
            Options that make no sense; a checkpoint of another fit.
        """
        descent = self._descent()
        options: dict[str, Any] = dict(n_samples=self.n_samples, exclusion_window=self.exclusion_window)
        sample = graph_sample(
            X, self.lags, future=future, targets=targets, tested=self.fdr is not None, n_jobs=self.n_jobs, **options
        )
        known = {name: value for name, value in self.get_params().items() if name not in ("n_jobs", "random_state")}
        known |= {"lags": sample.lags, "targets": sample.targets}
        parts = []
        if self.n_subsets:
            from .graph_stability import link_frequency, parts_of_time

            parts = parts_of_time(sample, self.n_subsets)
        with open_memory(checkpoint, known, sample, self.random_state) as memory:
            self.result_ = self._result(sample, *self._compute(sample, descent, memory))
        if parts:
            self.result_ = link_frequency(self, parts, self.result_)
        self.n_features_in_ = len(sample.names)
        if not all(name.startswith("column ") for name in sample.names):
            self.feature_names_in_ = np.array(sample.names, dtype=object)
        return self

    def check_level(self, X, *, n_targets=20) -> LevelCheck:
        """Do the tests keep their level on these data?  A shifted copy of every variable, which can tell nothing, is
        given beside the variables as a source, and tested.

        Parameters
        ----------
        X : Space, array (T, D), frame, or list of runs
            The series.
        n_targets : int
            Targets that are looked at, drawn at random; each tests D copies.

        Returns
        -------
        LevelCheck
            p-values of all copies, and the shares of them up to 0.05 and 0.01.

        Raises
        ------
        DataError, ParameterError
            As for `fit`; runs that are too short to be shifted.
        """
        sample = graph_sample(
            X, self.lags, n_samples=self.n_samples, exclusion_window=self.exclusion_window, n_jobs=self.n_jobs
        )
        number = check_positive_int(n_targets, "n_targets")
        return shadow_tests(self, sample, number, check_random_state(self.random_state))

    @property
    def adjacency_(self) -> np.ndarray:
        return self.result_.adjacency

    @property
    def weights_(self) -> np.ndarray:
        return self.result_.weights

    @property
    def labels_(self) -> np.ndarray:
        return self.result_.labels

    @property
    def levels_(self) -> np.ndarray:
        return self.result_.levels

    # ---- steps ----
    def _compute(
        self, sample: GraphSample, descent: Descent, memory: Memory
    ) -> tuple[dict[str, ManyWeights], list[TargetTests] | None]:
        """Weights and, where links are tested, tests."""
        seeds = check_random_state(self.random_state).integers(0, 2**31, 3)
        fits = fit_weights(sample, descent, seeds, memory, self.n_jobs)
        if self.fdr is None:
            return fits, None
        of_parts = (fits[FITS[1]].weights, fits[FITS[2]].weights)
        weighed = Weighed(sample, fits[FITS[0]].weights, of_parts, self.threshold, self.fdr, self.lambda_factor)
        return fits, fit_tests(weighed, memory, self.n_jobs)

    def _links(self, sample: GraphSample) -> np.ndarray:
        """The links of a sample alone."""
        fits, tests = self._compute(sample, self._descent(), Memory())
        return self._tables(sample, fits, tests).adjacency

    def _tables(self, sample: GraphSample, fits: dict[str, ManyWeights], tests: list[TargetTests] | None) -> _Tables:
        found = _Tables(sample, fits[FITS[0]])
        if tests is None:
            found.link_by_weight(self.threshold)
        else:
            found.link_by_tests(tests, self.fdr)
        return found

    def _descent(self) -> Descent:
        batch_size = check_positive_int(self.batch_size, "batch_size", 10)
        for name, low, high in (
            ("threshold", 0.0, 1.0), ("tolerance", 0.0, 1.0), ("learning_rate", 0.0, 1.0), ("lambda_factor", 0.0, 10.0),
        ):  # fmt: skip
            value = getattr(self, name)
            if not (isinstance(value, (int, float, np.number)) and low <= value < high) or (
                name in ("learning_rate", "lambda_factor") and value == 0
            ):
                raise ParameterError(f"{name} is {value!r}; it must be a number between {low:g} and {high:g}")
        if self.fdr is not None and not (isinstance(self.fdr, (int, float, np.number)) and 0 < self.fdr < 1):
            raise ParameterError(f"fdr is {self.fdr!r}; it must lie between 0 and 1, or be None for weights alone")
        check_positive_int(self.n_subsets, "n_subsets", 0)
        k = max(1, round(K_SHARE * batch_size)) if self.k is None else check_positive_int(self.k, "k")
        if k > batch_size - 2:
            raise ParameterError(f"k={k} neighbours in a batch of {batch_size}: lower k or raise batch_size")
        return Descent(
            batch_size,
            check_positive_int(self.n_epochs, "n_epochs"),
            k,
            float(self.lambda_factor),
            float(self.learning_rate),
            float(self.tolerance),
        )

    def _result(
        self, sample: GraphSample, fits: dict[str, ManyWeights], tests: list[TargetTests] | None
    ) -> CausalGraph:
        found = self._tables(sample, fits, tests)
        if tests is None:
            warn(
                "links were chosen by their weight alone: nobody knows how many are false; give fdr= for links that "
                "are tested"
            )
        graph = communities(found.adjacency)
        of_parts = None if tests is None else (fits[FITS[1]].weights, fits[FITS[2]].weights)
        looked_at = found.relative > self.threshold
        edges = _edge_tests(sample, graph, of_parts, looked_at, self.lambda_factor)
        plan = sample.plan
        self._say(sample, fits[FITS[0]], found)
        fields = plan.fields()
        return CausalGraph(
            names=sample.names,
            lags=sample.lags,
            step=sample.step,
            labels=graph.labels,
            levels=graph.levels,
            edges=graph.edges,
            reduced=graph.reduced,
            **edges,
            **found.fields(),
            threshold=float(self.threshold),
            fdr=None if self.fdr is None else float(self.fdr),
            n_samples=len(sample.features),
            exclusion_window=float(plan.exclusion_window),
            warnings=fields["warnings"],
            notes=fields["notes"],
            provenance=provenance(
                "CommunityCausalGraph", self.get_params(), self.random_state, sample.features, sample.lines.values
            ),
        )

    def _say(self, sample: GraphSample, fit: ManyWeights, found: _Tables) -> None:
        plan, names = sample.plan, np.array(sample.names, dtype=object)[sample.columns]
        constant = [name for name in sample.names if name not in set(names)]
        if constant:
            plan.note(f"constant, and left out: {_some(constant)}")
        again = np.flatnonzero(sample.copy_of != np.arange(len(names)))
        if len(again):
            pairs = [f"{names[a]} of {names[sample.copy_of[a]]}" for a in again]
            plan.warn(f"copies, which were tested as one and are in one community: {_some(pairs)}; leave them out")
        lost = found.unpredicted(sample)
        if len(lost):
            plan.note(f"nothing predicts {_some(names[lost].tolist())} at these lags (imbalance above 0.8)")
        if not fit.converged.all():
            plan.note(
                f"the weights of {int((~fit.converged).sum())} of {len(fit.converged)} targets and lags still moved "
                f"after {self.n_epochs} epochs"
            )


class _Tables:
    """The matrices of a result, for all variables; those that were left out tell and are told nothing."""

    def __init__(self, sample: GraphSample, fit: ManyWeights):
        n, n_lags = len(sample.names), len(sample.lags)
        self.sample, self.fit = sample, fit
        self.columns, self.targets = sample.columns, sample.columns[sample.targets]
        self.weights = np.zeros((n_lags, n, n))
        self.dii, self.dii_se = np.full((n_lags, n), np.nan), np.full((n_lags, n), np.nan)
        self.values = {name: np.full((n, n), np.nan) for name in ("rise", "rise_se", "past_rise", "past_rise_se")}
        self.p_value, self.p_adjusted = np.ones((n, n)), np.ones((n, n))
        self.link_lag, self.test = np.full((n, n), -1), np.full((n, n), UNTESTED)
        self.adjacency = np.zeros((n, n), bool)
        relative = fit.weights / fit.weights.max(1, keepdims=True)
        self.relative = relative.reshape(n_lags, len(self.targets), -1).transpose(0, 2, 1)  # lag, source, target
        self.weights[np.ix_(np.arange(n_lags), self.columns, self.targets)] = self.relative

    def link_by_weight(self, threshold: float) -> None:
        """A link is a weight above the threshold."""
        values = self.fit.losses[np.arange(len(self.fit.losses)), self.fit.n_epochs - 1].reshape(len(self.dii), -1)
        told = np.where(values[:, None, :] <= UNPREDICTED, self.relative, 0.0)  # else weights mean nothing
        linked = (told > threshold).any(0)
        place = np.ix_(self.columns, self.targets)
        self.adjacency[place] = linked
        self.link_lag[place] = np.where(linked, told.argmax(0), -1)
        self.test[place] = np.where(linked, BY_WEIGHT, UNTESTED)
        self.dii[:, self.targets] = values
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
        self._finish()

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
        names = ("weights", "dii", "dii_se", "p_value", "p_adjusted", "link_lag", "test", "adjacency")
        return {
            **{name: getattr(self, name) for name in names},
            **self.values,
            "losses": losses,
            "n_epochs": n_epochs,
            "copy_of": copy_of,
        }


def _edge_tests(sample: GraphSample, graph, of_parts, looked_at, lambda_factor: float) -> dict[str, np.ndarray]:
    """The mean rise of all targets of a community, when all variables of another that were looked at are left out."""
    n_edges, n_lags = len(graph.edges), len(sample.lags)
    found = {name: np.full(n_edges, np.nan) for name in ("edge_rise", "edge_rise_se", "edge_p")}
    found["edge_lag"] = np.full(n_edges, -1)
    if of_parts is None or not n_edges:
        return found
    label = graph.labels[sample.columns]
    for community in np.unique(graph.edges[:, 1]):
        edges = np.flatnonzero(graph.edges[:, 1] == community)
        groups = [np.flatnonzero(label == graph.edges[edge, 0]) for edge in edges]
        members = [at for at, place in enumerate(sample.targets) if label[place] == community]
        rise, between = np.zeros((n_lags, len(edges))), [np.zeros(0)] * n_lags
        for lag in range(n_lags):
            parts = []
            for at in members:
                line = sample.line_of(lag, at)
                sources = [group[looked_at[lag, group, at]] for group in groups]
                weights = (of_parts[0][line], of_parts[1][line])
                parts.append(leave_out_groups(sample, line, weights, sources, lambda_factor))
            rise[lag] = np.mean([one for one, _ in parts], axis=0)
            between[lag] = np.mean([one for _, one in parts], axis=0)
        se, p = student_test(rise, np.array(between))
        best = p.argmin(0)
        clearest = (best, np.arange(len(edges)))
        found["edge_rise"][edges], found["edge_rise_se"][edges] = rise[clearest], se[clearest]
        found["edge_p"][edges], found["edge_lag"][edges] = np.minimum(1.0, n_lags * p[clearest]), best
    found["edge_p"] = adjust_p_values(found["edge_p"], "bh")
    return found


def _some(names: list[str]) -> str:
    return ", ".join(str(name) for name in names[:6]) + (f", ... ({len(names)})" if len(names) > 6 else "")
