"""How much a Binary Intrinsic Dimension depends on the rule that made bits of numbers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from infoscope.base import DataError, ParameterError, Provenance, Result, check_matrix, provenance, warn
from infoscope.base.contents import integers, numbers
from infoscope.neighbors import kind_of, to_columns, to_numpy

from .binarize import RULES, bits_by_rule, settled
from .fit import AskedWindow, failed, fit_histogram
from .hamming import histogram_of, input_parts
from .packing import read_bits
from .results import BinaryDimension
from .standard_errors import dyadic_covariances


@dataclass(frozen=True, kw_only=True, eq=False)
class BinarizationReport(Result):
    """The dimension under several rules, and when their thresholds move a little.

    Attributes
    ----------
    rules : tuple of str
        The rules, in words.
    n_bits, n_varying : array (R,) of int
        Bits they make, and those in which not all items agree.
    ones : array (R,)
        Share of bits that are 1.
    flipped : array (R,)
        Share of bits that change when thresholds move up or down by `shift`.
    d0, d0_se, per_bit, per_bit_se : array (R,)
        As in `BinaryDimension`.
    moved : array (R,)
        The larger change of d0 when thresholds move.
    kl_ratio : array (R,)
        Misfit over noise.
    shift : float
        How far thresholds were moved, in standard deviations of a column.
    """

    rules: tuple[str, ...]
    n_bits: np.ndarray
    n_varying: np.ndarray
    ones: np.ndarray
    flipped: np.ndarray
    d0: np.ndarray
    d0_se: np.ndarray
    per_bit: np.ndarray
    per_bit_se: np.ndarray
    moved: np.ndarray
    kl_ratio: np.ndarray
    shift: float
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {
        "n_bits": integers("rules"),
        "n_varying": integers("rules"),
        "ones": numbers("rules"),
        "flipped": numbers("rules"),
        "d0": numbers("rules"),
        "d0_se": numbers("rules"),
        "per_bit": numbers("rules"),
        "per_bit_se": numbers("rules"),
        "moved": numbers("rules"),
        "kl_ratio": numbers("rules"),
    }

    _references = ("bid",)

    @property
    def _title(self) -> str:
        return f"Binary intrinsic dimension by rule (thresholds moved by {self.shift:g} deviations)"

    def _rows(self) -> list[dict[str, Any]]:
        names = ("n_bits", "n_varying", "ones", "flipped", "d0", "d0_se", "moved", "per_bit", "per_bit_se", "kl_ratio")
        return [{"rule": rule, **{n: getattr(self, n)[i].item() for n in names}} for i, rule in enumerate(self.rules)]

    @property
    def verdict(self) -> str:
        """One sentence: which rule depends least on its threshold."""
        share = self.moved / np.abs(self.d0)
        if not np.isfinite(share).any():
            return "No rule gives a number."
        best = int(np.nanargmin(share))
        return (
            f"The rule {self.rules[best]} depends least on its threshold: moving it changes d0 by "
            f"{share[best]:.1%}; per bit, rules give {np.nanmin(self.per_bit):.3g} to "
            f"{np.nanmax(self.per_bit):.3g}."
        )


def binarization_report(
    X, rules=RULES, *, alpha_max: float = 0.4, shift: float = 0.05, n_jobs: int | None = None
) -> BinarizationReport:
    """Compare rules that make bits of numbers, and see whether their thresholds matter.

    Parameters
    ----------
    X : array (N, D) or frame
        Finite numbers.
    rules : sequence
        Rules as for `binarize`.
    alpha_max : float
        As for `BinaryID`.
    shift : float
        How far to move thresholds, in standard deviations of their column.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    BinarizationReport

    Raises
    ------
    DataError, ParameterError
        Entries that are not finite; unknown rules.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.dimension import binarization_report
    >>> x = np.random.default_rng(0).normal(size=(500, 100)) + 0.3
    >>> binarization_report(x, ("sign", "median")).ones.round(2)
    array([0.62, 0.5 ])
    """
    values = (
        check_matrix(X, "X")
        if kind_of(X) in ("numpy", "builtins")
        else check_matrix(to_numpy(to_columns(X, "X").values), "X")
    )
    if not shift > 0:
        raise ParameterError(f"shift is {shift!r}; it must be a positive number of standard deviations")
    rules = list(rules)
    rows = [_of_rule(values, rule, alpha_max, shift, n_jobs) for rule in rules]
    record = provenance(
        "binarization_report",
        dict(rules=[str(r) for r in rules], alpha_max=alpha_max, shift=shift),
        None,
        *input_parts(values),
    )
    words = tuple(r if isinstance(r, str) else f"above {r:g}" if np.ndim(r) == 0 else "thresholds" for r in rules)
    columns: dict[str, Any] = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    return BinarizationReport(rules=words, shift=shift, provenance=record, **columns)


def _of_rule(values, rule, alpha_max: float, shift: float, n_jobs) -> dict[str, Any]:
    exact = settled(values, rule, "X")
    width = values.std(0) if exact.width is None else exact.width
    bits = bits_by_rule(values, exact)
    around = [replace(exact, thresholds=exact.thresholds + step * width) for step in (shift, -shift)]
    moved = [bits_by_rule(values, one) for one in around]
    found, *others = [_fitted(b, alpha_max, n_jobs, errors=b is bits) for b in (bits, *moved)]
    changes = [abs(other.d0 - found.d0) for other in others]
    return dict(
        n_bits=bits.shape[1],
        n_varying=found.n_varying,
        ones=float(bits.mean()),
        flipped=float(np.mean([(b != bits).mean() for b in moved])),
        d0=found.d0,
        d0_se=found.d0_se,
        per_bit=found.per_bit,
        per_bit_se=found.per_bit_se,
        kl_ratio=found.kl_ratio,
        moved=float(np.max(changes)),
    )


def _fitted(matrix: np.ndarray, alpha_max: float, n_jobs, *, errors: bool) -> BinaryDimension:
    bits = read_bits(matrix)
    h = histogram_of(bits, n_jobs=n_jobs)

    def covariance(fitted, window):
        return dyadic_covariances([fitted], [window], bits, n_jobs=n_jobs)[0] if errors else (None, None)

    try:
        return fit_histogram(h, AskedWindow(0.0, alpha_max), covariance)
    except DataError as error:
        warn(str(error))
        return failed(h, str(error))
