"""How far apart, and how many: the delay and the dimension of delay vectors that predict a series best."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from warnings import catch_warnings, simplefilter

import numpy as np

from infoscope.base import CorrelatedRowsWarning, DataError, DataWarning, Provenance, Result, progress, provenance, warn
from infoscope.base.checks import check_positive_int, check_random_state
from infoscope.base.contents import integers, numbers, whole
from infoscope.base.errors import InfoscopeWarning
from infoscope.base.rounding import exceeds, first_lowest
from infoscope.imbalance.direction import measure, standard_error
from infoscope.imbalance.imbalance import source_neighbors
from infoscope.imbalance.plan import make_plan
from infoscope.measures import mutual_information
from infoscope.neighbors import Space, series_correlation

from .embedding import at_most_rows, embed
from .steps import Steps, series_space

MOST_SAMPLES, FEWEST_SAMPLES = 2000, 20
MOST_DELAYS = 50
AS_WELL = 0.1  # share of an imbalance that makes no difference
FORGOTTEN = np.exp(-2.0)  # share of the information at one step, below which nothing is left to fall


@dataclass(frozen=True, kw_only=True, eq=False)
class EmbeddingSuggestion(Result):
    """What `suggest_embedding` found.

    Attributes
    ----------
    dimension, delay : int
        The suggestion.
    delays : array (L,) of int
        Delays that were looked at.
    information : array (L,)
        What a row tells about the one so many steps later, nats.
    dimensions : array (E,) of int
        Dimensions that were looked at.
    delta, delta_se : array (E,)
        Information Imbalance from the delay vector to the row `lag` steps ahead, with its standard error.
    lag : int
        How far ahead was predicted.
    n_samples : int
        Rows that were used.
    """

    dimension: int
    delay: int
    delays: np.ndarray = field(repr=False)
    information: np.ndarray = field(repr=False)
    dimensions: np.ndarray = field(repr=False)
    delta: np.ndarray = field(repr=False)
    delta_se: np.ndarray = field(repr=False)
    lag: int = 1
    n_samples: int = 0
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {
        "dimension": whole(1),
        "delay": whole(1),
        "lag": whole(1),
        "n_samples": whole(1),
        "delays": integers("L", low=1),
        "information": numbers("delays"),
        "dimensions": integers("E", low=1),
        "delta": numbers("dimensions"),
        "delta_se": numbers("dimensions"),
    }

    _references = ("information_imbalance", "imbalance_gain")

    @property
    def _title(self) -> str:
        return f"Delay vectors of dimension {self.dimension}, {self.delay} steps apart"

    @property
    def _estimates(self) -> list[Any]:
        return []

    def _rows(self) -> list[dict[str, Any]]:
        found = zip(self.dimensions.tolist(), self.delta.tolist(), self.delta_se.tolist(), strict=True)
        return [dict(dimension=e, delta=value, delta_se=se) for e, value, se in found]

    @property
    def verdict(self) -> str:
        """One sentence: what was chosen and why; the dynamics may need more than data of this length show."""
        return (
            f"{self.dimension} rows, {self.delay} steps apart, predict the row {self.lag} steps ahead about as well as "
            "more do; longer series may show that more are needed."
        )


def suggest_embedding(
    series: Any,
    *,
    max_delay: int | None = None,
    max_dimension: int = 8,
    lag: int | None = None,
    k: int = 5,
    n_samples: int | None = None,
    random_state: Any = 0,
    n_jobs: int | None = None,
) -> EmbeddingSuggestion:
    """A delay and a dimension for `embed`.

    The delay is the first minimum of the information between a row and a later one (or where it has fallen to a
    seventh), or one step where that predicts better; the dimension is the smallest whose delay vectors predict the row
    `lag` steps ahead as well as the best do, within one standard error or a tenth, by the Information Imbalance.

    Parameters
    ----------
    series : array (T,) or (T, D), frame, Space, or list of runs
        As for `embed`.
    max_delay : int, optional
        Longest delay that is tried; two correlation times by default, at most fifty steps.
    max_dimension : int
        Largest dimension that is tried.
    lag : int, optional
        How far ahead is predicted; the delay by default.
    k : int
        Neighbours.
    n_samples : int, optional
        Rows that are used, evenly spaced; 2000 at most by default.
    random_state : int or Generator
        Of the estimate of the information.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    EmbeddingSuggestion

    Raises
    ------
    DataError
        Steps of time that are not equal; runs too short.

    References
    ----------
    Fraser, Swinney (1986), Phys. Rev. A 33, 1134, for the delay.  Del Tatto, Fortunato, Bueti, Laio (2024), PNAS 121,
    e2317256121, for delay vectors in the imbalance.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.causality import suggest_embedding
    >>> x = np.zeros(600)
    >>> for t in range(2, 600):                                    # a map of two variables, of which one is seen
    ...     x[t] = 1 - 1.4 * x[t - 1] ** 2 + 0.3 * x[t - 2]
    >>> found = suggest_embedding(x, max_dimension=3, lag=1)
    >>> found.dimension, found.delay
    (2, 1)
    """
    space = series_space(series, "the series")
    steps = Steps(space)
    dimensions = np.arange(1, check_positive_int(max_dimension, "max_dimension", 2) + 1)
    delays = np.arange(1, _longest_delay(space, steps, max_delay, len(dimensions)) + 1)
    seed = int(check_random_state(random_state).integers(2**31))
    rows = at_most_rows(steps, [int(delays[-1])], n_samples, MOST_SAMPLES, least=FEWEST_SAMPLES)
    with progress(len(delays) + 2 * len(dimensions), "embeddings", "delay vectors") as bar:
        information = np.zeros(len(delays))
        for at, delay in enumerate(delays.tolist()):
            later = _plain(space, steps.moved(rows, delay))
            shared = mutual_information(
                _plain(space, rows), later, se=False, random_state=seed, n_jobs=n_jobs, exclusion_window=0
            )
            information[at] = shared.value
            bar.update(1)
        first = int(delays[_first_minimum(information)])
        ahead = first if lag is None else check_positive_int(lag, "lag")
        before = (int(dimensions[-1]) - 1) * first
        rows = at_most_rows(steps, [ahead], n_samples, MOST_SAMPLES, before=before, least=FEWEST_SAMPLES)
        curves, said = {}, []
        for delay in sorted({first, 1}, reverse=True):
            found = [_prediction(space, steps, rows, e, delay, ahead, k, n_jobs) for e in dimensions.tolist()]
            curves[delay] = np.array([one[:2] for one in found]).T
            said += [text for one in found for text in one[2]]
            bar.update(len(dimensions))
    delay = min(curves, key=lambda d: (round(float(curves[d][0].min()), 12), -d))
    delta, delta_se = curves[delay]
    best = first_lowest(delta)
    enough = ~exceeds(delta, delta[best] + max(delta_se[best], AS_WELL * delta[best]))
    warnings = tuple(dict.fromkeys(said))
    for text in warnings:
        warn(text, CorrelatedRowsWarning if "correlation time" in text else DataWarning)
    return EmbeddingSuggestion(
        dimension=int(dimensions[np.argmax(enough)]),
        delay=delay,
        delays=delays,
        information=information,
        dimensions=dimensions,
        delta=delta,
        delta_se=delta_se,
        lag=ahead,
        n_samples=len(rows),
        warnings=warnings,
        provenance=provenance(
            "suggest_embedding",
            dict(max_delay=max_delay, max_dimension=max_dimension, lag=lag, k=k, n_samples=n_samples),
            random_state,
            space.features,
            space.time,
            space.run,
        ),
    )


def _longest_delay(space: Space, steps: Steps, asked: int | None, dimensions: int) -> int:
    room = (steps.longest - 2) // dimensions  # so that the largest dimension still has rows
    if room < 2:
        raise DataError(
            f"{steps.name}: the longest run has {steps.longest} rows, too few for delay vectors of {dimensions}: lower "
            "max_dimension"
        )
    if asked is not None:
        return check_positive_int(asked, "max_delay", 2, room)
    tau = series_correlation(space, in_order=True)
    return min(room, MOST_DELAYS, max(4, 4 if tau is None else int(np.ceil(2 * tau.rows)) + 2))


def _plain(space: Space, rows: np.ndarray) -> Space:
    """Some rows, whose order says nothing."""
    return space.take(rows).replace(time=None, run=None, ids=None)


def _first_minimum(information: np.ndarray) -> int:
    """Place of the first value below its two successors, or below a seventh of the first; else of the lowest."""
    later = [np.append(information[step:], np.full(step, np.inf)) for step in (1, 2)]
    low = (information <= later[0]) & (information <= later[1])
    low[-2:] = False
    low |= information <= FORGOTTEN * information[0]
    return int(np.argmax(low)) if low.any() else first_lowest(information)


def _prediction(
    space: Space, steps: Steps, rows: np.ndarray, dimension: int, delay: int, ahead: int, k: int, n_jobs: int | None
) -> tuple[float, float, list[str]]:
    """Delta(delay vector -> row ahead) its error, and what the comparison warns of."""
    vectors = embed(space, dimension, delay=delay, name="delay vectors")
    known = np.sort(steps.with_steps((dimension - 1) * delay, 0))
    present = vectors.take(np.searchsorted(known, rows)).replace(ids=None)
    future = space.take(steps.moved(rows, ahead)).replace(ids=None, name="future", **_about(present))
    with catch_warnings():  # said once, at the end
        simplefilter("ignore", InfoscopeWarning)
        plan = make_plan([present, future], n_jobs=n_jobs)
        near = source_neighbors(plan, plan.spaces[0], k, None, None, rule=None)
        way = measure(plan, near, plan.spaces[1])
    return way.value, standard_error(plan, way.deviations()), plan.log.warnings


def _about(space: Space) -> dict[str, Any]:
    about = space.about_items(ids=False)
    return {name: about.get(name) for name in ("time", "run", "sample_weight")}
