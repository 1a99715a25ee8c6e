"""Where two samples differ: local density anomalies with exact statistics."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from infoscope.base import (
    DataError,
    DataWarning,
    ParameterError,
    check_choice,
    check_positive_int,
    check_random_state,
    provenance,
    warn,
)
from infoscope.base.contents import fits, holds, integers, whole
from infoscope.base.documentation import DocumentedEstimator
from infoscope.neighbors import (
    SampleBlocks,
    Space,
    TwoSamples,
    encode_categories,
    join_samples,
    look_at_samples,
    measured_alike,
    repeated_in_samples,
    sample_blocks,
    samples_in_time,
)

from .blind_rows import LONGEST, look_at_ties
from .crossfit import cross_fit
from .multiple_testing import CONTROLS
from .neighbor_stream import Ordered
from .null import check_level
from .permutations import MAX_GRAPH_BYTES
from .regions import CLUSTERINGS
from .result import Anomalies
from .scores import Rule, scan_items
from .search import Found, Options, search

MOST, SHARE, FEWEST = 500, 20, 10  # k="auto": at most 500, a twentieth of the rows, at least 10
TOO_WIDE = 0.05  # share of the rows from which a neighbourhood is no longer local
PERMUTATIONS = 999  # of control="fwer"
SIDES = {"both": ("over", "under"), "over": ("over",), "under": ("under",)}


class DensityAnomaly(DocumentedEstimator, BaseEstimator):
    """Find where two samples differ: points of excess with exact p-values, regions with purity.

    Around every point the labels of its neighbours, nearest first, are a row of coin flips where nothing happened; the
    largest score of the row, ``max_k -log P[Bin(k, p) >= S_k]`` with S_k of the first k from the test sample and its
    share p of all points, is compared with its exact law (see `scan_null_tail`).

    Parameters
    ----------
    k : int or "auto"
        Largest rank of the scan; "auto" is a twentieth of all rows, at most 500; where more neighbours than that are
        equally near (categories, counts), it grows to the end of the longest such group, at most 5000.
    k_min : int
        Smallest rank.
    alpha : float
        Level of the control.
    control : {"auto", "fdr", "fdr_by", "fwer", "fpr"}
        What `alpha` bounds, on each side: the share of false flags among all ("fdr", Benjamini-Hochberg; "fdr_by",
        Benjamini-Yekutieli, under any dependence), the chance of any false flag ("fwer", largest score under label
        permutations), or the rate per point ("fpr").  "auto" is "fwer" where blocks of rows are known (runs, times or
        groups), "fdr" elsewhere: p-values of single points hold for independent rows only.
    null : {"permutation", "iid"}
        Labels drawn without replacement (exact in finite samples), or independent.
    prior : float or "refit", optional
        Share of test points where nothing happened, if not that of all points; "refit" takes it from what equalisation
        leaves, in up to three rounds.
    side : {"both", "over", "under"}
        Excess of the test sample, of the reference, or both.
    self_rank : {"exclude", "include"}
        Whether a point is its own first neighbour, a success always.
    equalise : bool
        Whether the excess is estimated by removing points until none stands out.
    trim : {1, 0}
        Whether the last point of a stretch that meets the other sample is spared by it.
    clustering : {"components", "peaks", "hdbscan"}
        How flagged points make regions: joined at each point's own scale, density peaks, HDBSCAN.
    Z : float
        Significance of density peaks.
    quantile : float
        Points of a region with scores above this quantile of its pruned points are recovered.
    cross_fit : bool
        Half of the rows find the regions, the other half counts: no selection bias, less power.
    metric, period, feature_weights
        As for `Space`, where the reference is none.
    n_permutations : int, optional
        Label permutations: 999 for ``control="fwer"``, else none; with some there is a global p-value.
    block_length : float, optional
        Duration of the blocks of rows that are permuted as a whole, where runs or times are known: whole runs if there
        are several, else two correlation times of the slowest column.  Longer is safer; an excess that falls into
        very few blocks cannot be told from chance.
    n_jobs : int, optional
        Threads.
    random_state : int or Generator, optional
        Of permutations and halves.

    Attributes
    ----------
    result_ : Anomalies
        Scores, p-values, thresholds, regions, with pictures.
    regions_ : tuple of Region
        Places of excess.

    References
    ----------
    Springer et al., arXiv 2503.23927 (2025).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.anomalies import DensityAnomaly
    >>> g = np.random.default_rng(0)
    >>> x, y = g.normal(size=(2000, 2)), g.normal(size=(2000, 2))
    >>> y[:100] = 2 + 0.1 * g.normal(size=(100, 2))
    >>> found = DensityAnomaly().fit(x, y)
    >>> region = found.regions_[0]
    >>> region.side, 90 < region.signal < 115
    ('over', True)
    """

    _contents = {
        "result_": holds(Anomalies),
        "regions_": holds(tuple),
        "n_features_in_": whole(1),
        "_space": holds(Space),
        "_labels": integers("_space", below=2),
        "_rule": holds(tuple),
    }

    def _check_contents(self) -> None:
        """Raise where the scan that was read goes beyond the rows there are."""
        rule = self._rule
        if len(rule) != 4 or not all(fits(one, kind) for one, kind in zip(rule, (int, int, float, bool), strict=True)):
            raise DataError("_rule of DensityAnomaly must be two ranks, a probability, and whether a row counts itself")
        last, first, share, _ = rule
        if not (1 <= first <= last < len(self._labels) and 0 < share < 1):
            raise DataError("_rule of DensityAnomaly goes beyond the rows there are")

    def __init__(self, k="auto", *, k_min=1, alpha=0.05, control="auto", null="permutation", prior=None, side="both",
                 self_rank="exclude", equalise=True, trim=1, clustering="components", Z=2.65, quantile=0.01,
                 cross_fit=False, metric="euclidean", period=None, feature_weights=None, n_permutations=None,
                 block_length=None, n_jobs=None, random_state=None):  # fmt: skip
        self.k = k
        self.k_min = k_min
        self.alpha = alpha
        self.control = control
        self.null = null
        self.prior = prior
        self.side = side
        self.self_rank = self_rank
        self.equalise = equalise
        self.trim = trim
        self.clustering = clustering
        self.Z = Z
        self.quantile = quantile
        self.cross_fit = cross_fit
        self.metric = metric
        self.period = period
        self.feature_weights = feature_weights
        self.n_permutations = n_permutations
        self.block_length = block_length
        self.n_jobs = n_jobs
        self.random_state = random_state

    @classmethod
    def eagleeye(cls, k: int = 500, **changes: Any) -> DensityAnomaly:
        """The published settings: the point itself counted, ranks 20 to k - 1, independent labels, 1e-5 a point."""
        published = dict(k=k, k_min=20, alpha=1e-5, control="fpr", null="iid", self_rank="include", clustering="peaks")
        return cls(**(published | changes))

    def fit(self, X_reference, Y_test, groups_reference=None, groups_test=None, *, exclusion_window=None):
        """Compare a test sample with a reference.

        Parameters
        ----------
        X_reference, Y_test : array (N, D), frame, list of arrays (runs) or Space
            The samples.  Metric, period and feature_weights are those of the reference.  Columns of text, booleans or
            categories of two frames become indicators: rows with different words are 1 apart in such a column.  Where
            both have `run` or `time`, labels are permuted by whole runs or stretches of time.
        groups_reference, groups_test : array (N,), optional
            Blocks of rows that belong together, permuted as a whole.
        exclusion_window : float or "auto", optional
            Time within which rows of a run belong together: the length of blocks; 0 says that rows are in no order
            (models, poses) and independent.  Default: `block_length`.

        Returns
        -------
        self

        Raises
        ------
        DataError, ParameterError
            Columns that differ, NaN, too few rows, ranks that do not fit, permutations that memory cannot hold.
        """
        self._check()
        X_reference, Y_test, encoded = encode_categories(X_reference, Y_test)
        pooled = join_samples(
            X_reference, Y_test, metric=self.metric, period=self.period, feature_weights=self.feature_weights,
            unweighted="weighted counts are not binomial",
        )  # fmt: skip
        pooled, length = self._settled(pooled, exclusion_window)
        n = len(pooled.labels)
        if self.cross_fit and min(len(pooled.reference), len(pooled.test)) < 4:
            raise ParameterError("cross_fit needs at least four rows of each sample: halves of two")
        k = self._ranks(n // 2 if self.cross_fit else n)
        known = zip((groups_reference, groups_test), pooled.kept, strict=True)
        of_reference, of_test = (groups if groups is None else _kept_groups(groups, kept) for groups, kept in known)
        blocks = sample_blocks(
            pooled.reference, pooled.test, of_reference, of_test, alpha=float(self.alpha), length=length
        )
        options = self._options(blocks)
        warnings = list(look_at_samples(pooled, independent=blocks is None and exclusion_window != 0))
        if self.k != "auto" and k > TOO_WIDE * n:
            warnings.append(f"k={k} neighbours are {k / n:.0%} of all rows: scores are no longer local; k up to "
                            f"{max(n // SHARE, 1)} is")  # fmt: skip
            warn(warnings[-1], DataWarning)
        include = self.self_rank == "include"
        k, needed, grown = self._past_ties(pooled.space, k, include)
        rule = Rule(k - include, self.k_min, self._share(pooled.labels), include)
        if self.cross_fit:
            found, ordered, inside = cross_fit(pooled, rule, options, blocks)
            labels = pooled.labels[inside]
        else:
            ordered, labels = Ordered(pooled.space, self.n_jobs), pooled.labels
            found = search(ordered, labels, rule, options, blocks)
        if blocks is None:
            found.warnings.extend(repeated_in_samples(pooled))
        self._space, self._labels, self._rule = ordered.space, labels, tuple(found.rule)  # what new points are asked of
        for text in found.warnings:
            warn(text, DataWarning)
        found.notes.extend([*encoded, *grown])
        self._keep(pooled, found, options, blocks, [*warnings, *found.warnings], needed if found.n_blind else 0)
        return self

    def score_samples(self, X, *, side: str = "over") -> np.ndarray:
        """Scores of new points: those that they would have as points of the sample with the excess.

        Parameters
        ----------
        X : array (M, D), frame or Space
            New points; they do not count as anybody's neighbours.
        side : {"over", "under"}

        Returns
        -------
        array (M,)
        """
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(self, "result_")
        check_choice(side, "side", ("over", "under"))
        new = measured_alike(self._space, X)
        scan = scan_items(Ordered(self._space, self.n_jobs), self._labels, Rule._make(self._rule), new=new)
        return scan.over if side == "over" else scan.under

    # ---- steps ----
    def _settled(self, pooled: TwoSamples, exclusion_window: Any) -> tuple[TwoSamples, Any]:
        """The samples with what a window says of their order, and the length of blocks."""
        if exclusion_window is None or exclusion_window == "auto":
            return pooled, self.block_length
        if self.block_length is not None:
            raise ParameterError("block_length and exclusion_window both say how long blocks are: give one of them")
        return samples_in_time(pooled, exclusion_window)

    def _check(self) -> None:
        check_level(self.alpha)
        check_positive_int(self.k_min, "k_min")
        for name, choices in (("control", CONTROLS), ("null", ("permutation", "iid")), ("side", tuple(SIDES)),
                              ("self_rank", ("exclude", "include")), ("clustering", CLUSTERINGS)):  # fmt: skip
            check_choice(getattr(self, name), name, choices)
        if self.trim not in (0, 1):
            raise ParameterError(f"trim is {self.trim!r}; it must be 0 or 1")
        if isinstance(self.quantile, str) or not 0 <= self.quantile < 1:
            raise ParameterError(f"quantile is {self.quantile!r}; it must lie in [0, 1)")
        if self.prior is not None and self.prior != "refit":
            check_level(self.prior, "prior")

    def _ranks(self, n: int) -> int:
        """k, the last rank (of a list with the point itself, one more)."""
        if isinstance(self.k, str):
            check_choice(self.k, "k", ("auto",))
            return min(max(min(MOST, n // SHARE), FEWEST, self.k_min + 1), n - 1)
        k = check_positive_int(self.k, "k")
        include = self.self_rank == "include"
        if k > n - 1:
            raise ParameterError(f"k={k} neighbours asked for, but a row has only {n - 1} others: lower k")
        if self.k_min > k - include:
            raise ParameterError(f"k_min={self.k_min} is beyond the last rank {k - include} of the scan")
        return k

    def _past_ties(self, space: Space, k: int, include: bool) -> tuple[int, int, list[str]]:
        """k, grown past groups of ties where it is "auto"; the k that would look at all of them; what was done."""
        if self.cross_fit:
            return k, 0, []  # ties in a random half are known when it is drawn
        ties = look_at_ties(space, k - include, self.k_min, self.n_jobs)
        if not len(ties.ends):
            return k, 0, []
        needed = int(ties.ends[-1]) + include
        if self.k != "auto":
            return k, needed, []
        most = min(LONGEST, MAX_GRAPH_BYTES // (4 * len(space)))  # permutations keep the neighbours
        grown = max(ties.grown(most) + include, k)
        note = f"k grew from {k} to {grown}: more than {k} neighbours of {ties.share:.0%} of the rows are equally near"
        return grown, needed, [note] if grown > k else []

    def _options(self, blocks: SampleBlocks | None) -> Options:
        control = self.control
        if control == "auto":
            control = "fdr" if blocks is None else "fwer"
        if blocks is not None and control != "fwer":
            raise ParameterError(
                f"control={control!r} rests on p-values of single points, which hold for independent rows; with "
                f"{blocks.kind} use control='fwer' (or 'auto'), or leave groups, run and time out"
            )
        permutations = self.n_permutations
        if permutations is None:
            permutations = PERMUTATIONS if control == "fwer" else 0
        permutations = check_positive_int(permutations, "n_permutations", 0)
        if control == "fwer" and permutations < 1:
            raise ParameterError("control='fwer' needs label permutations: n_permutations=999, say")
        if permutations and self.prior is not None:
            raise ParameterError("label permutations know one share of test points, that of the data: leave prior out")
        seed = int(check_random_state(self.random_state).integers(2**31)) if permutations or self.cross_fit else 0
        return Options(
            alpha=float(self.alpha), control=control, sides=SIDES[self.side],
            drawn=self.null == "permutation" and self.prior is None, equalise=bool(self.equalise), trim=self.trim,
            clustering=self.clustering, Z=self.Z, quantile=float(self.quantile), n_permutations=permutations, seed=seed,
            refit=self.prior == "refit", n_jobs=self.n_jobs,
        )  # fmt: skip

    def _share(self, labels: np.ndarray) -> float:
        return float(self.prior) if self.prior not in (None, "refit") else float(labels.mean())

    def _keep(self, pooled: TwoSamples, found: Found, options: Options, blocks: SampleBlocks | None, warnings,
              k_needed: int) -> None:  # fmt: skip
        notes = [*pooled.notes, *found.notes]
        if blocks is not None:
            notes.append(f"labels are permuted by {blocks.kind} ({len(blocks.of_test)} blocks); p-values of single "
                         "points assume independent rows, adjusted ones do not")  # fmt: skip
        if self.prior is not None and self.null == "permutation":
            notes.append("with a prior labels are not exchangeable: the null is that of independent labels")
        sides = found.sides
        self.regions_ = tuple(region for side in sides.values() for region in side.regions)
        self.n_features_in_ = pooled.space.n_features
        self.result_ = Anomalies(
            over=sides.get("over"),
            under=sides.get("under"),
            regions=self.regions_,
            global_p_value=found.global_p_value,
            n_reference=len(pooled.reference),
            n_test=len(pooled.test),
            k=found.rule.K,
            k_min=found.rule.k_min,
            probability=found.rule.p,
            exposure=found.exposure,
            control=options.control,
            alpha=options.alpha,
            null="permutation" if options.drawn else "iid",
            n_permutations=options.n_permutations,
            n_blocks=0 if blocks is None else len(blocks.of_test),
            cross_fit=bool(self.cross_fit),
            n_blind=found.n_blind,
            k_needed=k_needed,
            too_few=found.too_few,
            includes_self=found.rule.includes_self,
            labels=pooled.labels,
            space=pooled.space,
            ids=_ids(pooled.reference, pooled.test),
            row_numbers=pooled.row_numbers,
            origin=pooled.origin,
            provenance=provenance("DensityAnomaly", self.get_params(), self.random_state, pooled.space.features,
                                  pooled.labels),
            warnings=tuple(warnings),
            notes=tuple(notes),
        )  # fmt: skip


def _kept_groups(groups, kept: np.ndarray) -> np.ndarray:
    """Labels of the rows that are left, where rows of weight zero were left out; lengths are checked later."""
    labels = np.asarray(groups)
    return labels[kept] if labels.ndim == 1 and len(kept) < len(labels) > kept.max() else labels


def _ids(reference: Space, test: Space) -> np.ndarray | None:
    """Names of all items where both samples have them."""
    if reference.ids is None or test.ids is None:
        return None
    return np.concatenate([np.asarray(reference.ids, object), np.asarray(test.ids, object)])
