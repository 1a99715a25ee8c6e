"""The experiment that decides whether an asymmetry is causal: configurations to start from, and what came of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from infoscope.base import DataError, ParameterError, progress, provenance
from infoscope.base.checks import check_choice, check_matrix, check_positive_int, check_random_state
from infoscope.base.frames import frame_columns, is_frame
from infoscope.statistics import detection_limit, permutation_p_value

from .results import SIGNIFICANT, Intervention

METHODS = ("kde", "energy")
FEWEST_COPIES = 20
GRID_POINTS, GRID_REACH = 256, 4.0  # of densities: points, and bandwidths beyond the outermost copy
TINY = 1e-300
BAND = (0.025, 0.975)


def intervene(state: Any, column: Any, value: Any) -> Any:
    """Configurations to restart from: copies of the state in which one column is set to a value, all else as it was.

    Parameters
    ----------
    state : array (N, D) or data frame
        N copies of the whole system in equilibrium; it is not changed.
    column : int, str or sequence of them
        What to set.
    value : float or sequence of float
        What to set it to, one number a column.

    Returns
    -------
    array or data frame
        Of the kind that was given.

    Raises
    ------
    ParameterError
        If there is no such column, or a number for each of them is missing.

    References
    ----------
    Del Tatto, Banerjee, Hassanali, Laio (2025), arXiv:2502.19384.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.causality import intervene
    >>> intervene(np.array([[1.0, 2.0], [3.0, 4.0]]), 0, 9)
    array([[9., 2.],
           [9., 4.]])
    """
    values = check_matrix(state, "state")
    names = frame_columns(state)
    columns = [column] if isinstance(column, str) or np.ndim(column) == 0 else list(column)
    numbers = [_column_number(one, values.shape[1], names) for one in columns]
    wanted = np.atleast_1d(np.asarray(value, np.float64))
    if wanted.shape != (len(numbers),) or not np.isfinite(wanted).all():
        raise ParameterError(
            f"value is {value!r}: give one finite number for each of the {len(numbers)} columns to set"
        )
    if not is_frame(state):
        changed = np.array(values, dtype=np.result_type(values, np.float32))
        changed[:, numbers] = wanted
        return changed
    if hasattr(state, "with_columns"):  # polars
        import polars

        new = [polars.Series(state.columns[a], np.full(len(values), v)) for a, v in zip(numbers, wanted, strict=True)]
        return state.with_columns(new)
    return state.assign(**{str(state.columns[a]): v for a, v in zip(numbers, wanted.tolist(), strict=True)})


def interventional_effect(
    samples_a: Any,
    samples_b: Any,
    *,
    lags: Any = None,
    method: str = "kde",
    n_bootstrap: int = 200,
    n_permutations: int = 199,
    random_state: Any = None,
    source: str = "x",
    target: str = "y",
    values: tuple[float, float] = (0.0, 1.0),
) -> Intervention:
    """How far apart the laws of a target are after two interventions, with bands, and whether that is more than chance.

    Parameters
    ----------
    samples_a, samples_b : array (N,) or (N, L)
        The target in every copy, one column a lag, after the source was set to the first and to the second value.
    lags : sequence of float, optional
        Of the columns; 1, 2, ... by default.
    method : {"kde", "energy"}
        "kde": the divergence KL[a || b] of Gaussian kernel densities (bandwidths of Silverman; each sample gets one
        more copy drawn from both, so that no density is zero where the other is not); "energy": the energy
        distance ``2 E|a - b| - E|a - a'| - E|b - b'|``, which needs no densities.
    n_bootstrap : int
        Resamples of copies for errors and bands.
    n_permutations : int
        Exchanges of copies between the two interventions for p-values; 0 for none.  All lags of a copy move together.
    random_state : int or Generator, optional
        For both.
    source, target : str
        Names.
    values : (float, float)
        What the source was set to.

    Returns
    -------
    Intervention
        The divergence of two samples is biased upwards, by what ``null_high`` shows: judge by the p-values.

    Raises
    ------
    DataError
        Fewer than twenty copies, numbers that are not finite, a different number of lags.
    ParameterError
        Unknown method.

    References
    ----------
    Del Tatto, Banerjee, Hassanali, Laio (2025), arXiv:2502.19384.  Silverman (1986), Density Estimation, Eq. (3.31).
    Szekely, Rizzo (2013), J. Stat. Plan. Inference 143, 1249, for the energy distance.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.causality import interventional_effect
    >>> g = np.random.default_rng(0)
    >>> found = interventional_effect(g.normal(size=500), 1 + g.normal(size=500), random_state=0)    # KL is 1/2
    >>> round(float(found.effect[0]), 2), round(float(found.effect_se[0]), 2), float(found.p_values[0])
    (0.53, 0.09, 0.005)
    """
    check_choice(method, "method", METHODS)
    a, b = _copies(samples_a, "samples_a"), _copies(samples_b, "samples_b")
    if a.shape[1] != b.shape[1]:
        raise DataError(f"samples_a has {a.shape[1]} lags and samples_b {b.shape[1]}: both need the same columns")
    times = np.arange(1.0, a.shape[1] + 1) if lags is None else np.atleast_1d(np.asarray(lags, np.float64))
    if times.shape != (a.shape[1],):
        raise DataError(f"lags has shape {times.shape}, and there are {a.shape[1]} columns of samples")
    n_bootstrap = check_positive_int(n_bootstrap, "n_bootstrap", 0)
    n_permutations = check_positive_int(n_permutations, "n_permutations", 0)
    seeds = check_random_state(random_state).integers(0, 2**63, 2)
    columns = [_Column(a[:, at], b[:, at], method) for at in range(a.shape[1])]
    weights = _bootstrap_weights(len(a), len(b), n_bootstrap, np.random.default_rng(seeds[0]))
    sides = _exchanged(len(a), len(b), n_permutations, np.random.default_rng(seeds[1]))
    effect = np.array([column.value(*column.own) for column in columns])
    drawn = _values([column.drawn_again for column in columns], weights, "bootstrap")
    null = _values([column.exchanged for column in columns], sides, "permutations")
    band = _band(effect, drawn) if n_bootstrap > 1 else (None, None)
    return Intervention(
        source=source,
        target=target,
        values=tuple(float(value) for value in values),
        lags=times,
        effect=effect,
        effect_se=drawn.std(1, ddof=1) if n_bootstrap > 1 else None,
        effect_low=band[0],
        effect_high=band[1],
        null_high=np.quantile(null, 0.95, axis=1) if n_permutations else None,
        p_values=np.array([permutation_p_value(*pair) for pair in zip(effect, null, strict=True)])
        if n_permutations
        else None,
        detection_limit=np.array([detection_limit(one, SIGNIFICANT / len(null)) for one in null])
        if n_permutations
        else None,
        grid=None,
        laws=None,
        method=method,
        n_samples=min(len(a), len(b)),
        provenance=provenance(
            "interventional_effect",
            dict(method=method, n_bootstrap=n_bootstrap, n_permutations=n_permutations, lags=times),
            random_state,
            a,
            b,
        ),
    )


def _band(effect: np.ndarray, drawn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """95 % of the resamples, without what resampling adds to a divergence, which is never negative."""
    centred = drawn - (drawn.mean(1) - effect)[:, None]
    low, high = np.quantile(centred, BAND, axis=1)
    return np.maximum(low, 0.0), high


# ------------------------------------------------------------------------------------------------ one lag at a time
class _Column:
    """Both samples of one lag, and their distance when every copy has a weight; nothing is computed twice.

    Copies that are drawn again keep the bandwidths, for the data have one density each.  Copies that change sides make
    new samples, whose bandwidths are their own: those of the data fit the data best, so that with them no exchanged
    samples would be as far apart.
    """

    def __init__(self, a: np.ndarray, b: np.ndarray, method: str) -> None:
        self.pooled, self.shares = np.concatenate([a, b]), (1 / len(a), 1 / len(b))
        self.own = _weights(np.ones(len(a)), len(b), 0), _weights(np.ones(len(b)), len(a), 1)
        self.by_energy = method == "energy"
        self.value: Callable[[np.ndarray, np.ndarray], float] = self._energy if self.by_energy else self._kde
        if self.by_energy:
            self.order = np.argsort(self.pooled, kind="stable")
            self.gaps = np.diff(self.pooled[self.order])
            return
        width = max(_bandwidth(a), _bandwidth(b))
        if not width > 0:
            raise DataError(
                "all copies have the same value at one of the lags: there is no density; use method='energy'"
            )
        low, high = self.pooled.min() - GRID_REACH * width, self.pooled.max() + GRID_REACH * width
        points = int(max(GRID_POINTS, np.ceil(4 * (high - low) / min(_bandwidth(a) or width, _bandwidth(b) or width))))
        self.edges, self.widest = np.linspace(low, high, points), width
        self.kernels = [_smooth(self.pooled, self.edges, _bandwidth(one) or width) for one in (a, b)]

    def drawn_again(self, weights: tuple[np.ndarray, np.ndarray]) -> float:
        """Their distance when copies have weights."""
        return self.value(*weights)

    def exchanged(self, first: np.ndarray) -> float:
        """Their distance when the copies marked are the first sample, and the others the second."""
        if self.by_energy:
            return self.value(first / first.sum(), ~first / (~first).sum())
        samples = self.pooled[first], self.pooled[~first]
        widths = [_bandwidth(one) for one in samples]
        other = max(widths) or self.widest  # of copies that are all the same
        return self._divergence(
            *(_smooth(one, self.edges, own or other).mean(1) for one, own in zip(samples, widths, strict=True))
        )

    def _kde(self, weight_a: np.ndarray, weight_b: np.ndarray) -> float:
        return self._divergence(*(k @ w for k, w in zip(self.kernels, (weight_a, weight_b), strict=True)))

    def _divergence(self, p: np.ndarray, q: np.ndarray) -> float:
        """KL of two kernel densities by the rectangle rule, which is exact to rounding for smooth functions."""
        both = (p + q) / 2  # one more copy of it in each sample: no copy lies where the other law is nothing at all
        p, q = ((one + share * both) / (1 + share) for one, share in zip((p, q), self.shares, strict=True))
        there = p > TINY
        return float((p[there] * np.log(p[there] / np.maximum(q[there], TINY))).sum() * (self.edges[1] - self.edges[0]))

    def _energy(self, weight_a: np.ndarray, weight_b: np.ndarray) -> float:
        """2 int (F - G)^2 dy, which is the energy distance of two laws on a line."""
        between = np.cumsum((weight_a - weight_b)[self.order])[:-1]
        return float(2 * (between**2 * self.gaps).sum())


def _bandwidth(x: np.ndarray) -> float:
    """0.9 min(sd, IQR/1.34) n^(-1/5)."""
    quartiles = np.quantile(x, [0.25, 0.75])
    spread = min(x.std(ddof=1), float(np.diff(quartiles)[0]) / 1.34) or x.std(ddof=1)
    return float(0.9 * spread * len(x) ** -0.2)


def _smooth(x: np.ndarray, grid: np.ndarray, width: float) -> np.ndarray:
    """(G, N) Gaussian kernels around every copy."""
    return np.exp(-(((grid[:, None] - x) / width) ** 2) / 2) / (width * np.sqrt(2 * np.pi))


def _weights(own: np.ndarray, others: int, side: int) -> np.ndarray:
    rest = np.zeros(others)
    return np.concatenate([own, rest] if side == 0 else [rest, own]) / own.sum()


def _bootstrap_weights(
    n: int, m: int, draws: int, generator: np.random.Generator
) -> list[tuple[np.ndarray, np.ndarray]]:
    """How often every copy is drawn again, of each intervention by itself."""
    return [
        (
            _weights(generator.multinomial(n, np.full(n, 1 / n)).astype(float), m, 0),
            _weights(generator.multinomial(m, np.full(m, 1 / m)).astype(float), n, 1),
        )
        for _ in range(draws)
    ]


def _exchanged(n: int, m: int, draws: int, generator: np.random.Generator) -> list[np.ndarray]:
    """Masks of the copies of the first side after copies changed sides: under the null no one can tell."""
    found = []
    for _ in range(draws):
        first = np.zeros(n + m, np.bool_)
        first[generator.permutation(n + m)[:n]] = True
        found.append(first)
    return found


def _values(distances: list[Callable[[Any], float]], draws: list[Any], what: str) -> np.ndarray:
    """Of every lag and draw."""
    found = np.zeros((len(distances), len(draws)))
    with progress(len(distances), what, "lags") as bar:
        for at, distance in enumerate(distances):
            found[at] = [distance(draw) for draw in draws]
            bar.update(1)
    return found


def _copies(samples: Any, name: str) -> np.ndarray:
    given = samples if getattr(samples, "ndim", 2) != 1 else np.asarray(samples)[:, None]
    return np.asarray(check_matrix(given, name, min_rows=FEWEST_COPIES), np.float64)


def _column_number(column: Any, n: int, names: Any) -> int:
    if isinstance(column, str):
        known = [] if names is None else list(map(str, names))
        if column not in known:
            raise ParameterError(f"there is no column {column!r}; known are {known or 'numbers only'}")
        return known.index(column)
    return check_positive_int(column, "column", 0, n - 1)
