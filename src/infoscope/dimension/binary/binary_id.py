"""The Binary Intrinsic Dimension as an estimator: read, count, fit, and tell the error."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from infoscope.base import DataError, ParameterError, check_positive_int, deprecated, provenance, warn
from infoscope.base.checks import check_choice
from infoscope.base.contents import holds, number, whole
from infoscope.base.documentation import DocumentedEstimator
from infoscope.neighbors import PackedBits
from infoscope.statistics import run_order

from .curves import select_alpha
from .fit import AskedWindow, failed, fit_histogram
from .hamming import HammingHistogram, check_alike, chosen, histogram_of, input_parts
from .packing import Bits, read_bits
from .results import BinaryDimension
from .standard_errors import dyadic_covariances, jackknife_covariance

FEWEST_BLOCKS = 8  # that tell an error
INDEPENDENT = 1.5  # correlation time, in items, below which a series is none


@deprecated("max_samples", since="0.1", remove="0.2", instead="n_rows")
class BinaryID(DocumentedEstimator, BaseEstimator):
    """Binary Intrinsic Dimension: how many independent fair bits are as far apart as these items are.

    The Hamming distances of d independent fair bits are binomial.  Their histogram is fitted by that law,
    ``P(r) ~ 2^-d(r) binom(d(r), r)`` with d(r) = d0 + d1 r, in a window of small distances, and d0 is the dimension.
    The fit is a damped Newton search for the one optimum: no seed, no steps to choose, milliseconds.

    Parameters
    ----------
    alpha_min, alpha_max : float
        Quantiles of the histogram between which the law is fitted; ``alpha_max="auto"`` takes the largest window that
        the law describes (`select_alpha`).
    support : {"lattice", "observed"}
        Whether an empty bin inside the window is data; "observed" reproduces published numbers.
    q : int
        States of a column; with q > 2 the columns hold 0 to q - 1.
    binarize : str, float or array (D,), optional
        How numbers become bits: "sign", "median", "two_bit", one threshold or one a column.
    error : {"dyadic", "jackknife"} or None
        "dyadic" takes one more pass over the pairs; "jackknife" leaves out groups of items and is larger.  Where the
        dyadic sum is no covariance, each item is left out in linear order; ``result_.error`` says what was done.
    block_length : int or "auto"
        Successive items that are one piece of information: errors then compare blocks.  "auto" takes two correlation
        times where the data say when an item was seen, and single items else.
    n_groups : int
        Groups of the jackknife.
    n_rows : int, optional
        Use so many items, drawn at random; the error says what is lost.
    drop_duplicates : bool
        Leave out items that repeat an earlier one; else they count, at distance 0.
    on_fail : {"raise", "warn"}
        What to do when there is nothing to fit; "warn" gives NaN.
    random_state : int, Generator or None
        Seed of the draw.
    n_jobs : int, optional
        Threads.

    Attributes
    ----------
    result_ : BinaryDimension
        The estimate, its error, and how well the law describes the histogram.
    dimension_, dimension_se_ : float
        d0 in short.
    histogram_ : HammingHistogram
        What was fitted.

    References
    ----------
    Acevedo, Rodriguez, Laio, arXiv 2411.02126 (2024).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope import BinaryID
    >>> bits = np.random.default_rng(0).integers(0, 2, (1000, 200))
    >>> round(BinaryID().fit(bits).dimension_, -1)
    200.0
    """

    _contents = {
        "histogram_": holds(HammingHistogram),
        "result_": holds(BinaryDimension),
        "_bits": holds(Bits) | None,
        "_first": whole() | None,
        "dimension_": number(),
        "dimension_se_": number(),
        "n_features_in_": whole(1),
    }

    def _check_contents(self) -> None:
        if self._bits is not None and int(self._bits.n_bits[-1]) != self.histogram_.n_bits:
            raise DataError("_bits of BinaryID do not go with its histogram_")

    def __init__(
        self,
        alpha_min=0.0,
        alpha_max=0.4,
        *,
        support="lattice",
        q=2,
        binarize=None,
        error="dyadic",
        block_length="auto",
        n_groups=20,
        n_rows=None,
        drop_duplicates=False,
        on_fail="raise",
        random_state=None,
        n_jobs=None,
    ):
        self.alpha_min = alpha_min
        self.alpha_max = alpha_max
        self.support = support
        self.q = q
        self.binarize = binarize
        self.error = error
        self.block_length = block_length
        self.n_groups = n_groups
        self.n_rows = n_rows
        self.drop_duplicates = drop_duplicates
        self.on_fail = on_fail
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X, y=None, *, other=None, n_bits=None):
        """Estimate the dimension.

        Parameters
        ----------
        X : array (N, D), frame, tensor, Dask array or Space
            Two-valued columns, packed bytes (with `n_bits`), states, or numbers (with `binarize`).
        y : ignored
            For scikit-learn's pipelines.
        other : the same, optional
            A second set: pairs are between the two.
        n_bits : int, optional
            Says that X is packed bytes, as ``np.packbits(bits, axis=1)`` makes them, and how many bits count.

        Returns
        -------
        self

        Raises
        ------
        DataError, ParameterError
            More values than two and no rule, NaN, fewer than two items, fewer than four distances in the window.
        """
        self._check()
        bits = read_bits(X, n_bits=n_bits, q=self.q, binarize=self.binarize)
        bits, notes = chosen(bits, self.n_rows, self.drop_duplicates, self.random_state)
        partners = None
        if other is not None:
            partners = read_bits(other, n_bits=n_bits, q=self.q, binarize=self.binarize, name="other")
            check_alike(bits, partners)
        self._bits, self._first = None, 0
        self._finish(bits, partners, self._count(bits, partners), notes, X, other)
        self._bits = bits if partners is None else None
        return self

    def partial_fit(self, X, y=None, *, n_bits=None):
        """Add items: only their distances to each other and to those before are new.

        Errors that are "dyadic" need one pass over all pairs each time; "jackknife" and None need none.

        Parameters
        ----------
        X, y, n_bits
            As for `fit`.

        Returns
        -------
        self

        Raises
        ------
        DataError, ParameterError
            As `fit`; also if the new items have other bits than those before.
        """
        before = getattr(self, "_bits", None)
        if before is None:
            return self.fit(X, n_bits=n_bits)
        self._check()
        if self.n_rows is not None or self.drop_duplicates:
            raise ParameterError("partial_fit keeps all items: leave out n_rows and drop_duplicates")
        new = read_bits(X, n_bits=n_bits, q=self.q, binarize=self.binarize)
        bits = before.joined(new)
        h = self._count(new, None) if len(new) > 1 and self.error != "jackknife" else None
        if h is None:
            joined = self._count(bits, None)
        else:
            between = histogram_of(before, new, n_jobs=self.n_jobs)
            if len({len(one.counts) for one in (self.histogram_, between, h)}) > 1:
                raise DataError("the new items have other bits than the histogram of those before")
            counts = self.histogram_.counts + between.counts + h.counts
            n_duplicates = len(bits) - len(bits.packed.different_rows()) if counts[0] else 0
            joined = replace(
                self.histogram_,
                counts=counts,
                n_samples=len(bits),
                n_duplicates=n_duplicates,
                n_varying=int(bits.n_varying[-1]),
            )
        self._finish(bits, None, joined, (), X, None)
        self._bits = bits
        return self

    def fit_histogram(self, histogram: HammingHistogram):
        """Estimate the dimension from counts alone.

        Parameters
        ----------
        histogram : HammingHistogram
            Of `hamming_histogram`, or of an exact law.  Without the items there is no dyadic error; with
            ``hamming_histogram(n_groups=20)`` the jackknife gives one.

        Returns
        -------
        self

        Raises
        ------
        DataError, ParameterError
            If there is nothing to fit.
        """
        self._check()
        if not isinstance(histogram, HammingHistogram):
            raise ParameterError(
                f"fit_histogram takes a HammingHistogram, got {type(histogram).__name__}: make one "
                "with hamming_histogram, or pass the bits to fit"
            )
        self._bits = None
        self._finish(None, None, histogram, (), histogram.counts, None)
        return self

    # ---- steps ----
    def _check(self) -> None:
        check_choice(self.support, "support", ("lattice", "observed"))
        check_choice(self.on_fail, "on_fail", ("raise", "warn"))
        if self.error is not None:
            check_choice(self.error, "error", ("dyadic", "jackknife"))
        if self.block_length != "auto":
            check_positive_int(self.block_length, "block_length")
        if self.alpha_max != "auto" and (isinstance(self.alpha_max, (str, bool)) or not np.isscalar(self.alpha_max)):
            raise ParameterError(f"alpha_max is {self.alpha_max!r}; it must be a share between 0 and 1, or 'auto'")
        if isinstance(self.alpha_min, (str, bool)) or not np.isscalar(self.alpha_min):
            raise ParameterError(f"alpha_min is {self.alpha_min!r}; it must be a share between 0 and 1")

    def _count(self, bits: Bits, partners: Bits | None) -> HammingHistogram:
        groups = None
        if self.error == "jackknife" and partners is None and len(bits) > 1:
            n_groups = min(check_positive_int(self.n_groups, "n_groups", 3), len(bits))
            groups = np.empty(len(bits), np.int64)
            groups[_in_time(bits)] = np.arange(len(bits)) * n_groups // len(bits)
        return histogram_of(bits, partners, groups=groups, n_jobs=self.n_jobs)

    def _finish(self, bits, partners, h: HammingHistogram, notes, *data) -> None:
        parts = [part for one in data for part in input_parts(one)]
        record = provenance("BinaryID", self.get_params(), self.random_state, *parts)
        alpha_max = self.alpha_max
        if alpha_max == "auto":
            alpha_max = select_alpha(h, alpha_min=self.alpha_min, support=self.support)
        asked = AskedWindow(float(self.alpha_min), float(alpha_max), self.support)

        def covariance(fitted, window):
            return self._covariance(bits, partners, h, fitted, window)

        try:
            result = fit_histogram(h, asked, covariance)
        except DataError as error:
            if self.on_fail == "raise":
                raise
            warn(str(error))
            result = failed(h, str(error))
        result = replace(result, provenance=record, notes=(*result.notes, *notes))
        for said in result.warnings if np.isfinite(result.d0) else ():
            warn(said)
        self.histogram_, self.result_ = h, result
        self.dimension_, self.dimension_se_ = result.d0, result.d0_se
        self.n_features_in_ = h.n_bits

    def _covariance(self, bits, partners, h, fitted, window) -> tuple[str | None, np.ndarray | None]:
        """Where the error comes from, and the covariance of (a, b)."""
        if self.error is None:
            return None, None
        if h.group_counts is not None and (self.error == "jackknife" or bits is None):
            return "jackknife", jackknife_covariance(fitted, window, h)
        if bits is None or self.error == "jackknife":
            return None, None
        blocks = self._blocks(bits)
        return dyadic_covariances([fitted], [window], bits, partners, blocks=blocks, n_jobs=self.n_jobs)[0]

    def _blocks(self, bits: Bits) -> np.ndarray | None:
        length: Any = self.block_length
        if length == "auto":
            length = _correlated_items(bits, self.n_jobs)
            if length > len(bits) // FEWEST_BLOCKS:
                length = max(1, len(bits) // FEWEST_BLOCKS)
                warn(
                    f"the items are correlated over more than {length} in a row, and only {FEWEST_BLOCKS} blocks are "
                    "left to compare: the error is rough and rather too small"
                )
        if length == 1:
            return None
        order = _in_time(bits)
        run = np.zeros(len(bits), np.int64) if bits.run is None else np.asarray(bits.run)
        new_run = np.flatnonzero(np.diff(run[order], prepend=run[order][0] - 1))
        place = np.arange(len(bits)) - np.repeat(new_run, np.diff([*new_run, len(bits)]))
        label = np.cumsum(place % length == 0) - 1
        if label[-1] < 3:
            raise ParameterError(
                f"block_length={length} leaves {label[-1] + 1} blocks, too few to tell an error: use shorter blocks"
            )
        blocks = np.empty(len(bits), np.int64)
        blocks[order] = label
        return blocks


def _in_time(bits: Bits) -> np.ndarray:
    """Items in order of run and time."""
    if bits.time is None and bits.run is None:
        return np.arange(len(bits))
    return run_order(len(bits), bits.time, bits.run).rows


def _correlated_items(bits: Bits, n_jobs) -> int:
    """Two correlation times in items, from the distance to the first items of the series; 1 where no time is known."""
    if bits.time is None:
        return 1
    if not isinstance(bits.packed, PackedBits):
        warn("items have a time, and errors of blocks are for arrays in memory: error='jackknife' compares pieces")
        return 1
    from infoscope.statistics import correlation_time

    order = _in_time(bits)
    few = bits.packed.take(order[:: max(1, len(order) // 8)][:8])
    ramp = np.arange(int(bits.n_bits[-1]) + 1, dtype=float)[None, :, None]
    columns = np.column_stack(
        [bits.packed.sums([0], ramp, few.take([f]), n_jobs=n_jobs)[0][:, 0, 0] for f in range(len(few))]
    )
    run = None if bits.run is None else np.asarray(bits.run)[order]
    tau = correlation_time(columns[order], run=run, n_jobs=n_jobs)
    noise = tau.value < 2 * INDEPENDENT and tau.value - 2 * tau.value_se < 1  # of a short series
    return 1 if noise or tau.value < INDEPENDENT else int(np.ceil(2 * tau.value))
