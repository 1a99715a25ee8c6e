"""Who drives whom among many variables, and which of them move by themselves together: the estimator."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator

from infoscope.base import ParameterError, provenance, warn
from infoscope.base.checks import check_choice, check_positive_int, check_random_state
from infoscope.base.contents import holds, whole
from infoscope.base.documentation import DocumentedEstimator
from infoscope.imbalance.dii.many_targets import Descent, ManyWeights

from .communities import communities
from .graph_edges import edge_tests, untested_edges
from .graph_fit import FITS, Memory, fit_tests, fit_weights, open_memory
from .graph_level import LevelCheck, shadow_tests
from .graph_links import TargetTests, Weighed
from .graph_results import CausalGraph
from .graph_sample import GraphSample, graph_sample
from .graph_shadows import with_shadows
from .graph_tables import Tables

K_SHARE = 0.05  # of a batch


class CommunityCausalGraph(DocumentedEstimator, BaseEstimator):
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
    test : {"rise", "shadows"}
        "rise": the tests above.  "shadows": weights beside those of shifted copies of all variables, at twice the cost:
        the least difference that so few copies exceed that their share among links is `fdr`.  Its bound holds only
        where a copy stands for a source that tells nothing, which weights of a target that nothing predicts break.
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
    n_sources : int, optional
        Variables that every target weighs: by default all where there are 2,000 at most, and otherwise the 180 on which
        its ranks depend most, beyond its own past, and 20 at random.  The others are no sources.
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
    >>> network = even_network(600, 4, 1, random_state=1)                    # the first drives the second by its square
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
        test="rise",
        n_epochs=100,
        tolerance=0.05,
        batch_size=100,
        k=None,
        lambda_factor=0.1,
        learning_rate=0.01,
        exclusion_window=None,
        n_sources=None,
        n_subsets=0,
        random_state=0,
        n_jobs=None,
    ):
        self.lags = lags
        self.n_samples = n_samples
        self.threshold = threshold
        self.fdr = fdr
        self.test = test
        self.n_epochs = n_epochs
        self.tolerance = tolerance
        self.batch_size = batch_size
        self.k = k
        self.lambda_factor = lambda_factor
        self.learning_rate = learning_rate
        self.exclusion_window = exclusion_window
        self.n_sources = n_sources
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
        sample = self._sample(X, future=future, targets=targets, tested=self._by_rise)
        known = {name: value for name, value in self.get_params().items() if name not in ("n_jobs", "random_state")}
        known |= {"lags": sample.lags, "targets": sample.targets}
        parts = []
        if self.n_subsets:
            from .graph_stability import link_frequency, parts_of_time

            parts = parts_of_time(sample, self.n_subsets)
        with open_memory(checkpoint, known, sample, self.random_state) as memory:
            self.result_ = self._result(sample, *self._compute(sample, descent, memory), memory)
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
        sample = self._sample(X)
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
    @property
    def _by_rise(self) -> bool:
        """Whether links are tested on rows that did not choose the weights."""
        return self.fdr is not None and self.test == "rise"

    def _sample(self, X, **given) -> GraphSample:
        options = dict(n_samples=self.n_samples, exclusion_window=self.exclusion_window, n_sources=self.n_sources)
        return graph_sample(X, self.lags, n_jobs=self.n_jobs, **options, **given)

    def _compute(
        self, sample: GraphSample, descent: Descent, memory: Memory
    ) -> tuple[dict[str, ManyWeights], list[TargetTests] | None]:
        """Weights and, where links are tested, tests."""
        seeds = check_random_state(self.random_state).integers(0, 2**31, 3)
        if self.fdr is not None and self.test == "shadows":
            sample = with_shadows(sample, np.random.default_rng(int(seeds[2]))).screened()
        fits = fit_weights(sample, descent, seeds, memory, self.n_jobs)
        if not self._by_rise:
            return fits, None
        return fits, fit_tests(self._weigh_all(sample, fits), memory, self.n_jobs)

    def _weigh_all(self, sample: GraphSample, fits: dict[str, ManyWeights]) -> Weighed:
        of_parts = (fits[FITS[1]].weights, fits[FITS[2]].weights)
        return Weighed(sample, fits[FITS[0]].weights, of_parts, self.threshold, self.fdr, self.lambda_factor)

    def _links(self, sample: GraphSample) -> np.ndarray:
        """The links of a sample alone."""
        fits, tests = self._compute(sample, self._descent(), Memory())
        return self._tables(sample, fits, tests).adjacency

    def _tables(self, sample: GraphSample, fits: dict[str, ManyWeights], tests: list[TargetTests] | None) -> Tables:
        found = Tables(sample, fits[FITS[0]])
        if tests is not None:
            found.link_by_tests(tests, self.fdr)
        elif self.fdr is not None:
            found.link_by_shadows(self.fdr)
        else:
            found.link_by_weight(self.threshold)
        return found

    def _descent(self) -> Descent:
        check_choice(self.test, "test", ("rise", "shadows"))
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
        self, sample: GraphSample, fits: dict[str, ManyWeights], tests: list[TargetTests] | None, memory: Memory
    ) -> CausalGraph:
        found = self._tables(sample, fits, tests)
        if tests is None and self.fdr is not None:
            warn(
                "links were chosen by weights beside those of shifted copies: where nothing predicts a target its "
                "weights mean nothing, and the share of false links is not bounded; test='rise' tests them"
            )
        elif tests is None:
            warn(
                "links were chosen by their weight alone: nobody knows how many are false; give fdr= for links that "
                "are tested"
            )
        graph = communities(found.adjacency)
        if tests is None:
            edges = untested_edges(len(graph.edges))
        else:
            edges = edge_tests(self._weigh_all(sample, fits), graph, memory, self.n_jobs)
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

    def _say(self, sample: GraphSample, fit: ManyWeights, found: Tables) -> None:
        plan, names = sample.plan, np.array(sample.names, dtype=object)[sample.columns]
        constant = [name for name in sample.names if name not in set(names)]
        if constant:
            plan.note(f"constant, and left out: {_some(constant)}")
        again = np.flatnonzero(sample.copy_of != np.arange(len(names)))
        if len(again):
            pairs = [f"{names[a]} of {names[sample.copy_of[a]]}" for a in again]
            plan.warn(f"copies, which were tested as one and are in one community: {_some(pairs)}; leave them out")
        if sample.sources is not None:
            plan.note(
                f"every target weighs {sample.n_sources} of {len(names)} sources: those on which its ranks depend "
                "most, and a tenth at random; what tells only in company of others may not be among them"
            )
        lost = found.unpredicted(sample)
        if len(lost):
            plan.note(f"nothing predicts {_some(names[lost].tolist())} at these lags (imbalance above 0.8)")
        if not fit.converged.all():
            plan.note(
                f"the weights of {int((~fit.converged).sum())} of {len(fit.converged)} targets and lags still moved "
                f"after {self.n_epochs} epochs"
            )


def _some(names: list[str]) -> str:
    return ", ".join(str(name) for name in names[:6]) + (f", ... ({len(names)})" if len(names) > 6 else "")
