"""How far apart bits are: the histogram of Hamming distances that a Binary Intrinsic Dimension is read from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from infoscope.base import (
    DataError,
    ParameterError,
    Provenance,
    Result,
    check_positive_int,
    check_random_state,
    deprecated,
    warn,
)
from infoscope.base import provenance as record_of
from infoscope.base.checks import RandomState
from infoscope.base.contents import numbers, whole

from .binarize import Rule
from .packing import Bits, read_bits


@dataclass(frozen=True, kw_only=True, eq=False)
class HammingHistogram(Result):
    """Counts of pairs at each Hamming distance.

    Attributes
    ----------
    counts : array (n_bits + 1,)
        Pairs at distance 0, 1, ...; whole numbers, or the probabilities of an exact law.
    n_bits : int
        Bits (or sites) of an item.
    q : int
        States of a site.
    n_samples, n_partners : int or None
        Items; items of the other set if pairs are between two sets.
    n_varying : int or None
        Bits in which not all items agree.
    n_duplicates : int or None
        Items that repeat an earlier one (they are kept, at distance 0 of it).
    coding : str
        What the values were that were read as bits.
    group_counts : array (G, n_bits + 1) or None
        Counts of the pairs that touch a group of items, for the jackknife.
    """

    counts: np.ndarray = field(repr=False)
    n_bits: int
    q: int = 2
    n_samples: int | None = None
    n_partners: int | None = None
    n_varying: int | None = None
    n_duplicates: int | None = None
    coding: str = ""
    group_counts: np.ndarray | None = field(default=None, repr=False)
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {
        "q": whole(2),
        "n_bits": whole(1),
        "counts": numbers("D", low=0.0, finite=True),
        "group_counts": numbers("G", "counts"),
    }

    _references = ("bid",)

    def __post_init__(self):
        counts = np.asarray(self.counts)
        if counts.ndim != 1 or counts.dtype.kind not in "iuf" or len(counts) < 2:
            raise DataError(
                f"counts has shape {counts.shape} and dtype {counts.dtype}: it needs one number for each "
                "distance 0, 1, ..., n_bits"
            )
        if not (np.isfinite(counts).all() and (counts >= 0).all() and counts.any()):
            raise DataError("counts must be finite, >= 0 and not all zero: is there no pair?")
        if len(counts) > self.n_bits + 1 and counts[self.n_bits + 1 :].any():
            raise DataError(
                f"counts has pairs at distance {int(np.flatnonzero(counts)[-1])}, but there are only {self.n_bits} bits"
            )

    @property
    def n_pairs(self) -> float:
        """Number of pairs (1 for an exact law)."""
        return self.counts.sum().item()

    @property
    def observed(self) -> np.ndarray:
        """Distances that occur."""
        return np.flatnonzero(self.counts)

    @property
    def stride(self) -> int:
        """Greatest common divisor of the differences of distances that occur; 2 for codes of constant weight."""
        observed = self.observed
        return int(np.gcd.reduce(np.diff(observed))) if len(observed) > 1 else 1

    @property
    def bits_that_vary(self) -> int:
        """What a dimension is divided by when it is asked for per bit."""
        return self.n_bits if self.n_varying is None else self.n_varying

    def moments(self) -> tuple[float, float]:
        """Mean and standard deviation of the distance."""
        r = self.observed
        p = self.counts[r] / self.n_pairs
        mean = float(p @ r)
        return mean, float(np.sqrt(p @ (r - mean) ** 2))

    def merge(self, other: HammingHistogram) -> HammingHistogram:
        """The pairs of both together: of items A, of items B and between A and B make those of all items.

        Raises
        ------
        DataError
            If the items have other bits or states.
        """
        if (self.n_bits, self.q) != (other.n_bits, other.q):
            raise DataError(
                f"histograms of {self.n_bits} bits (q={self.q}) and of {other.n_bits} (q={other.q}) do not add up"
            )
        return HammingHistogram(
            counts=self.counts + other.counts,
            n_bits=self.n_bits,
            q=self.q,
            coding=self.coding,
            notes=("merged: how many items there are is not known",),
        )

    @property
    def _title(self) -> str:
        items = "" if self.n_samples is None else f", N = {self.n_samples}"
        items += "" if self.n_partners is None else f" and {self.n_partners}"
        return f"Hamming distances of {self.n_bits} {'bits' if self.q == 2 else f'sites of {self.q} states'}{items}"

    @property
    def _estimates(self) -> list[tuple[str, Any, Any]]:
        mean, deviation = self.moments()
        return [("pairs", f"{self.n_pairs:,}", None), ("distance", f"{mean:.6g}, deviation {deviation:.4g}", None)]

    def _rows(self) -> list[dict[str, Any]]:
        total = self.n_pairs
        return [
            dict(distance=int(r), count=self.counts[r].item(), probability=float(self.counts[r] / total))
            for r in self.observed
        ]

    @property
    def verdict(self) -> str:
        """One sentence: how far apart two items are, and how far independent bits would be."""
        mean, _ = self.moments()
        fair = self.n_bits * (1 - 1 / self.q)
        return (
            f"Two items differ in {mean:.4g} of {self.n_bits} places; of independent fair ones it would be {fair:.4g}."
        )


@deprecated("max_samples", since="0.1", remove="0.2", instead="n_rows")
def hamming_histogram(
    X,
    Y=None,
    *,
    n_bits: int | None = None,
    q: int = 2,
    binarize: Rule = None,
    n_groups: int | None = None,
    n_rows: int | None = None,
    drop_duplicates: bool = False,
    random_state: RandomState = None,
    n_jobs: int | None = None,
) -> HammingHistogram:
    """Histogram of the Hamming distances of all pairs of items, or of all pairs between two sets.

    Memory is that of the packed bits and one histogram a thread; nothing of N x N is made.

    Parameters
    ----------
    X : array (N, D), frame, tensor, Dask array or Space
        Two-valued columns, packed bytes, states or numbers, as for `BinaryID`.
    Y : the same, optional
        A second set: only pairs of an item of X and one of Y count.
    n_bits : int, optional
        Says that X is packed bytes, and how many bits count.
    q : int
        States of a column, 0 to q - 1; the distance is the number of columns that differ.
    binarize : str, float or array, optional
        How numbers become bits.
    n_groups : int, optional
        Also count the pairs that touch each of so many groups of successive items, for the jackknife.
    n_rows : int, optional
        Use so many items, drawn at random.
    drop_duplicates : bool
        Leave out items that repeat an earlier one.
    random_state : int, Generator or None
        Seed of the draw.
    n_jobs : int, optional
        Threads; the counts do not depend on it.

    Returns
    -------
    HammingHistogram

    Raises
    ------
    DataError
        Fewer than two items, more than two values, entries that are not finite.
    ParameterError
        Options that do not go together.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope import hamming_histogram
    >>> bits = np.array([[0, 0, 1], [0, 1, 1], [1, 1, 0]])
    >>> hamming_histogram(bits).counts
    array([0, 1, 1, 1])
    """
    bits = read_bits(X, n_bits=n_bits, q=q, binarize=binarize)
    bits, notes = chosen(bits, n_rows, drop_duplicates, random_state)
    other = None
    if Y is not None:
        other = read_bits(Y, n_bits=n_bits, q=q, binarize=binarize, name="Y")
        check_alike(bits, other)
    parameters = dict(
        n_bits=n_bits, q=q, binarize=binarize, n_groups=n_groups, n_rows=n_rows, drop_duplicates=drop_duplicates
    )
    record = record_of("hamming_histogram", parameters, random_state, *input_parts(X), *input_parts(Y))
    if n_groups is not None:
        check_positive_int(n_groups, "n_groups", 2, len(bits))
    groups = None if n_groups is None else np.arange(len(bits)) * n_groups // len(bits)
    return replace(histogram_of(bits, other, groups=groups, n_jobs=n_jobs), provenance=record, notes=notes)


def histogram_of(
    bits: Bits, other: Bits | None = None, *, groups=None, n_jobs=None, segment: int = -1
) -> HammingHistogram:
    """The histogram of bits that are read already."""
    return histograms_of(bits, other, groups=groups, n_jobs=n_jobs)[segment]


def histograms_of(bits: Bits, other: Bits | None = None, *, groups=None, n_jobs=None) -> list[HammingHistogram]:
    """Histograms after every segment of the columns, from one pass over the pairs."""
    if len(bits) < 2 and other is None:
        raise DataError(f"there are {len(bits)} items: a distance needs two")
    if groups is not None and other is not None:
        raise ParameterError("groups of items are for pairs of one set: leave out n_groups, or Y")
    n_groups = 1 if groups is None else int(np.max(groups)) + 1
    found = bits.packed.count(None if other is None else other.packed, groups, n_groups, n_jobs=n_jobs)
    if other is not None or groups is None:
        total = found.ordered[:, 0] if other is not None else found.inside[:, 0]
    else:
        total = found.ordered.sum(1) // 2
    touching = None if groups is None else found.ordered - found.inside
    n_duplicates = None
    if other is None:
        n_duplicates = 0 if not total[-1, 0] else len(bits) - len(bits.packed.different_rows())
    return [
        HammingHistogram(
            counts=total[p, : d + 1],
            n_bits=d,
            q=bits.q,
            n_samples=len(bits),
            n_partners=None if other is None else len(other),
            n_varying=int(varying),
            n_duplicates=n_duplicates,
            coding=bits.coding,
            notes=bits.notes,
            group_counts=None if touching is None else touching[p, :, : d + 1],
        )
        for p, (d, varying) in enumerate(zip(bits.n_bits.tolist(), bits.n_varying, strict=True))
    ]


def chosen(bits: Bits, n_rows, drop_duplicates: bool, random_state) -> tuple[Bits, tuple[str, ...]]:
    """The items to use, and what was left out."""
    notes: list[str] = []
    if drop_duplicates:
        rows = bits.packed.different_rows()
        if len(rows) < len(bits):
            notes.append(f"{len(bits) - len(rows)} items that repeat an earlier one were left out")
            bits = bits.take(rows)
    if n_rows is not None and check_positive_int(n_rows, "n_rows", 2) < len(bits):
        rows = np.sort(check_random_state(random_state).choice(len(bits), n_rows, replace=False))
        notes.append(f"{n_rows} of {len(bits)} items were drawn at random")
        bits = bits.take(rows)
    return bits, tuple(notes)


def check_alike(bits: Bits, other: Bits) -> None:
    """Two sets must be measured alike, and their values mean the same."""
    if not np.array_equal(bits.n_bits, other.n_bits):
        raise DataError(f"X has {bits.n_bits[-1]} bits, Y has {other.n_bits[-1]}: they must be the same columns")
    if type(bits.packed) is not type(other.packed):
        raise DataError("X and Y are arrays of different kinds: convert both to NumPy, torch or Dask")
    if bits.coding != other.coding and "only" not in bits.coding + other.coding:
        warn(f"X holds {bits.coding}, Y holds {other.coding}: the larger value of each counts as 1")


def input_parts(data) -> tuple[Any, ...]:
    """What stands for the data in a record."""
    features = getattr(data, "features", data)
    if features is None:
        return ()
    if isinstance(features, (list, tuple)) and len(features) and np.ndim(features[0]) == 2:
        return tuple(features)  # runs of unequal length
    return (features if hasattr(features, "dtype") or hasattr(features, "__dask_graph__") else np.asarray(features),)
