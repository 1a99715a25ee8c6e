"""How large an excess must be to be seen: power curves from signals injected into two background samples."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.base import clone

from infoscope.base import DataError, Provenance, Result, check_positive_int, check_random_state, progress, provenance
from infoscope.base.checks import check_matrix
from infoscope.base.contents import integers, numbers, whole

from .anomaly import DensityAnomaly


@dataclass(frozen=True, kw_only=True, eq=False)
class PowerCurve(Result):
    """Chance to see an excess, by its size; what `power_curve` returns.

    Attributes
    ----------
    sizes : array (S,) of int
        Signal points injected.
    power, power_se : array (S,)
        Share of trials in which signal was flagged, and its standard error.
    recovered, recovered_se : array (S,)
        Mean share of the signal that was flagged.
    purity : array (S,)
        Mean share of signal among the points of regions with signal (NaN where there were none).
    false_flags : array (S,)
        Mean number of flagged background points.
    half_power : float
        Size seen in half of the trials, interpolated; NaN where the curve does not cross one half.
    n_trials, n_reference, n_test : int
    """

    sizes: np.ndarray
    power: np.ndarray
    power_se: np.ndarray
    recovered: np.ndarray
    recovered_se: np.ndarray
    purity: np.ndarray
    false_flags: np.ndarray
    half_power: float
    n_trials: int
    n_reference: int
    n_test: int
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    _references = ("eagleeye",)

    _contents = {
        "sizes": integers("S", low=1),
        "power": numbers("sizes"),
        "power_se": numbers("sizes"),
        "recovered": numbers("sizes"),
        "recovered_se": numbers("sizes"),
        "purity": numbers("sizes"),
        "false_flags": numbers("sizes"),
        "n_test": whole(1),
        "n_trials": whole(1),
        "n_reference": whole(1),
    }

    @property
    def _title(self) -> str:
        return (
            f"Power to see an excess ({self.n_reference} reference, {self.n_test} test, {self.n_trials} trials a size)"
        )

    @property
    def verdict(self) -> str:
        """One sentence."""
        if np.isfinite(self.half_power):
            return f"An excess of {self.half_power:.0f} points among {self.n_test} is seen in half of the trials."
        seen = "in most trials already" if self.power[0] > 0.5 else "in fewer than half of the trials"
        return f"Excesses of {self.sizes.min()} to {self.sizes.max()} points are seen {seen}."

    def _rows(self) -> list[dict[str, Any]]:
        names = ("sizes", "power", "power_se", "recovered", "recovered_se", "purity", "false_flags")
        return [{name.removesuffix("s") if name == "sizes" else name: getattr(self, name)[i].item() for name in names}
                for i in range(len(self.sizes))]  # fmt: skip


def power_curve(X, signal, sizes, *, n_trials: int = 20, estimator: DensityAnomaly | None = None, random_state=None):
    """How often an excess of each size would be seen.

    In every trial the background is split at random into two halves, and signal points drawn from `signal` (without
    repeats) replace as many of the test half.

    Parameters
    ----------
    X : array (N, D)
        Background: simulated, or a sample without the signal.
    signal : array (M, D) or callable
        Signal points; or ``signal(generator, size)`` that draws them.
    sizes : sequence of int
        Numbers of signal points; 0 shows what is flagged without any.
    n_trials : int
        Trials a size.
    estimator : DensityAnomaly, optional
        The settings.
    random_state : int or Generator, optional
        Of splits and draws.

    Returns
    -------
    PowerCurve

    Raises
    ------
    DataError, ParameterError
        Sizes beyond what there is, columns that differ.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.anomalies import power_curve
    >>> g = np.random.default_rng(0)
    >>> def clump(g, size):
    ...     return 1.5 + 0.05 * g.normal(size=(size, 2))
    >>> found = power_curve(g.normal(size=(1000, 2)), clump, (3, 60), n_trials=4, random_state=0)
    >>> found.power.tolist()
    [0.0, 1.0]
    """
    x = check_matrix(X, "X", min_rows=4)
    generator, n_trials = check_random_state(random_state), check_positive_int(n_trials, "n_trials")
    wanted = np.array([check_positive_int(size, "sizes", 0) for size in sizes])
    half = len(x) // 2
    points = None if callable(signal) else check_matrix(signal, "signal")
    most = half if points is None else min(half, len(points))
    if not len(wanted) or wanted.max() > most:
        raise DataError(f"sizes must be between 0 and {most}, the points there are; got {wanted.tolist()}")
    settings = DensityAnomaly(side="over") if estimator is None else estimator
    found = np.full((len(wanted), n_trials, 3), np.nan)  # share of signal flagged, purity, false flags
    with progress(found[..., 0].size, "power", "trials") as bar:
        for s, size in enumerate(wanted):
            for t in range(n_trials):
                order = generator.permutation(len(x))
                if points is None:
                    drawn = check_matrix(signal(generator, int(size)), "signal") if size else x[:0]
                else:
                    drawn = points[generator.choice(len(points), size, replace=False)]
                test = np.concatenate([x[order[half + size : 2 * half]], drawn])
                found[s, t] = _one(clone(settings), x[order[:half]], test, int(size))
                bar.update(1)
    seen = np.where(wanted[:, None] > 0, found[..., 0] > 0, False)
    power, shares = seen.mean(axis=1), np.nan_to_num(found[..., 0])
    with np.errstate(invalid="ignore"):
        known = np.isfinite(found[..., 1])
        purity = np.where(known, found[..., 1], 0).sum(axis=1) / np.where(known.any(axis=1), known.sum(axis=1), np.nan)
    smoothed = (seen.sum(axis=1) + 1) / (n_trials + 2)  # an error that is not zero at 0 and 1
    return PowerCurve(
        sizes=wanted,
        power=power,
        power_se=np.sqrt(smoothed * (1 - smoothed) / n_trials),
        recovered=shares.mean(axis=1),
        recovered_se=shares.std(axis=1, ddof=min(1, n_trials - 1)) / np.sqrt(n_trials),
        purity=purity,
        false_flags=found[..., 2].mean(axis=1),
        half_power=_half(wanted, power),
        n_trials=n_trials,
        n_reference=half,
        n_test=half,
        provenance=provenance("power_curve", settings.get_params() | {"sizes": wanted, "n_trials": n_trials},
                              random_state, x, points),
    )  # fmt: skip


# --------------------------------------------------------------------------------------------------------------- steps
def _one(settings: DensityAnomaly, reference, test, size: int) -> tuple[float, float, float]:
    """(share of the signal that is flagged, purity of regions with signal, flagged background points) of one trial."""
    found = settings.fit(reference, test).result_
    is_signal = np.arange(len(test)) >= len(test) - size
    flagged = found.over.flagged[found.n_reference :]
    rows = [region.anomalous_rows for region in found.over.resolved if is_signal[region.anomalous_rows].any()]
    purity = float(is_signal[np.concatenate(rows)].mean()) if rows else np.nan
    share = float(flagged[is_signal].mean()) if size else 0.0
    return share, purity, float(np.count_nonzero(flagged & ~is_signal))


def _half(sizes: np.ndarray, power: np.ndarray) -> float:
    """Where the curve first crosses one half."""
    order = np.argsort(sizes)
    x, y = sizes[order].astype(float), power[order]
    for a in range(len(x) - 1):
        if y[a] < 0.5 <= y[a + 1]:
            return float(x[a] + (0.5 - y[a]) / (y[a + 1] - y[a]) * (x[a + 1] - x[a]))
    return float("nan")
