"""Chains of a model from two starts, until they agree: the loop behind `InteractionModel.sample`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from infoscope.base import check_positive_int, format_estimate, provenance
from infoscope.base.errors import ParameterError
from infoscope.base.progress import progress
from infoscope.neighbors import Space, nearest

from .clone_results import CloneResult
from .compatibility import FEWEST_PAIRS, compatibility_index
from .convergence import Certificate, SequenceStatistics, certify
from .energy import StarEnergy
from .gibbs_torch import gibbs_sampler
from .metropolis import SCORES, metropolis_sweep
from .table_distances import table_distances
from .tempering import TemperedSampler

UNBIASED = ("gibbs", "tempered")
SAMPLERS = (*UNBIASED, *SCORES)
FEWEST_CHAINS = 4  # two for each start
LOOKS = (16, 24, 32, 48, 64, 96, 128, 160, 200, 300, 400, 600, 800, 1200, 1600, 2400, 3200)  # sweeps before a look
FAR_ENERGY, FAR_ERRORS = 0.5, 5.0  # standard deviations of the data, and errors, of a law that is not that of the data
FAR_TABLES = 4.0  # errors of a distance of tables that is told
MOST_COMPARED = 2000  # sequences of each kind that are compared one by one

Sweep = Callable[[], "tuple[np.ndarray, float]"]  # tokens after it, and the share of accepted proposals


def draw_clone(
    start: np.ndarray,
    energy: StarEnergy | None,
    conditionals: Any,
    frequencies: np.ndarray,
    training: np.ndarray,
    *,
    order: int,
    sampler: str,
    temperature: float,
    n_sweeps: int | str,
    max_sweeps: int,
    random_state: int,
    n_jobs: int | None,
    device: Any = None,
) -> CloneResult:
    """Half of the chains from data, half from independent tokens, until they agree.

    Parameters
    ----------
    start : array (n, L)
    energy : StarEnergy, optional
        Where the model has one.
    conditionals : function (tokens, sites=None)
        Its logits otherwise.
    frequencies : array (1 or L, V)
        Of independent tokens.
    training : array (m, L)
        Some of the sequences that the model was trained on.
    order, sampler, temperature, n_sweeps, max_sweeps, random_state, n_jobs, device
        As in `InteractionModel.sample`.

    Returns
    -------
    CloneResult
    """
    automatic = isinstance(n_sweeps, str)
    if automatic and n_sweeps != "auto":
        raise ParameterError(f"n_sweeps is {n_sweeps!r}: pass a whole number, or 'auto'")
    most = max_sweeps if automatic else check_positive_int(n_sweeps, "n_sweeps")
    looks = {number for number in LOOKS if number < most} | {most} if automatic else {most}
    seeds = np.random.SeedSequence(random_state).generate_state(3)
    from_data = np.arange(len(start)) < (len(start) + 1) // 2
    begun = _starts(start, from_data, frequencies, np.random.default_rng(seeds[0]))
    statistics = SequenceStatistics(frequencies.mean(axis=0), start.shape[1], seed=int(seeds[1]))
    measure, names = _measures(statistics, energy)
    sweep = _sweeper(begun, energy, conditionals, sampler, temperature, int(seeds[2]), n_jobs, device)

    draws: list[np.ndarray] = []
    accepted: list[float] = []
    with progress(most, f"clone of order {order}", "sweeps") as bar:
        while len(draws) < most:
            tokens, share = sweep()
            draws.append(measure(tokens))
            accepted.append(share)
            bar.update(1)
            if len(draws) in looks:
                certificate = certify(np.stack(draws), from_data)
                if automatic and certificate.converged:
                    break
    compatibility = _compatibility(energy, conditionals, start, frequencies.shape[1])
    return _result(
        tokens, begun, start, training, from_data, np.stack(draws), measure, names, certificate, compatibility,
        order=order, sampler=sampler, temperature=temperature, acceptance=float(np.mean(accepted)),
        provenance=provenance(
            "InteractionModel.sample",
            dict(n_sweeps=n_sweeps, sampler=sampler, temperature=temperature, max_sweeps=max_sweeps),
            random_state, start,
        ),
    )  # fmt: skip


# --------------------------------------------------------------------------------------------------------------- steps
def _starts(start: np.ndarray, from_data: np.ndarray, frequencies: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Data, and independent tokens with the padding of data."""
    cumulative = np.cumsum(np.broadcast_to(frequencies, (start.shape[1], frequencies.shape[1])), axis=1)
    uniform = rng.random(start.shape) * cumulative[:, -1]
    drawn = np.stack(
        [np.searchsorted(cumulative[site], uniform[:, site], side="right") for site in range(start.shape[1])], axis=1
    )
    drawn = np.minimum(drawn, frequencies.shape[1] - 1)
    return np.where(from_data[:, None] | (start < 0), start, drawn).astype(np.int32)


def _measures(
    statistics: SequenceStatistics, energy: StarEnergy | None
) -> tuple[Callable[[np.ndarray], np.ndarray], tuple[str, ...]]:
    if energy is None:
        return statistics, statistics.names

    def measure(tokens: np.ndarray) -> np.ndarray:
        return np.column_stack([-energy.log_weight(tokens), statistics(tokens)])

    return measure, ("energy", *statistics.names)


def _sweeper(
    begun: np.ndarray,
    energy: StarEnergy | None,
    conditionals: Any,
    sampler: str,
    temperature: float,
    seed: int,
    n_jobs: int | None,
    device: Any,
) -> Sweep:
    """A function that makes one sweep with all chains."""
    if device is not None and (energy is None or sampler not in UNBIASED):
        raise ParameterError(
            "device is of Gibbs sampling of an energy: use model='energy' with sampler='gibbs' or 'tempered', "
            "or leave device out"
        )
    if sampler == "tempered":
        if energy is None:
            raise ParameterError("sampler='tempered' needs an energy: use model='energy', or sampler='gibbs'")
        replicas = TemperedSampler(energy.cooled(temperature), begun, random_state=seed, n_jobs=n_jobs, device=device)

        def exchanged() -> tuple[np.ndarray, float]:
            replicas.sweep()
            return replicas.tokens, float(replicas.exchange_rate.mean())

        return exchanged
    if sampler == "gibbs" and energy is not None:
        chains = gibbs_sampler(energy.cooled(temperature), begun, random_state=seed, n_jobs=n_jobs, device=device)

        def exact() -> tuple[np.ndarray, float]:
            chains.sweep()
            return chains.tokens, 1.0

        return exact
    tokens, rng = begun.copy(), np.random.default_rng(seed)

    def masked() -> tuple[np.ndarray, float]:
        """Gibbs with conditionals of no common law: every site in turn, one pass each."""
        for site in rng.permutation(tokens.shape[1]):
            logits = conditionals(tokens, np.full(len(tokens), site)) / temperature
            drawn = np.argmax(logits + rng.gumbel(size=logits.shape), axis=1)
            tokens[:, site] = np.where(tokens[:, site] < 0, tokens[:, site], drawn)
        return tokens, 1.0

    def proposed() -> tuple[np.ndarray, float]:
        all_logits = conditionals if energy is None else energy.conditional_logits
        return tokens, metropolis_sweep(all_logits, tokens, sampler, rng, temperature)

    return masked if sampler == "gibbs" else proposed


def _result(
    tokens: np.ndarray,
    begun: np.ndarray,
    start: np.ndarray,
    training: np.ndarray,
    from_data: np.ndarray,
    draws: np.ndarray,
    measure: Callable[[np.ndarray], np.ndarray],
    names: tuple[str, ...],
    certificate: Certificate,
    compatibility: tuple[float, float, str],
    **about: Any,
) -> CloneResult:
    data, clone = measure(start), draws[-1]
    spread = data.std(axis=0, ddof=1)
    spread = np.where(spread > 0, spread, 1.0)
    variance = (data.var(axis=0, ddof=1) + clone.var(axis=0, ddof=1)) / len(start)
    seen = start[from_data] >= 0
    changed = ((tokens != begun)[from_data] & seen).sum(axis=1) / np.maximum(1, seen.sum(axis=1))
    near, near_data = (_nearest_share(rows[:MOST_COMPARED], training) for rows in (tokens, start))
    means = np.stack([draws[:, from_data].mean(axis=1), draws[:, ~from_data].mean(axis=1)], axis=1)
    distances, distances_se = table_distances(tokens, start)
    notes = [compatibility[2], _note_of_tables(distances, distances_se, about["order"])]
    if about["sampler"] not in UNBIASED:
        notes.append(
            f"sampler='{about['sampler']}' does not sample the law whose conditionals these are: its own is colder"
        )
    difference, difference_se = (clone.mean(axis=0) - data.mean(axis=0)) / spread, np.sqrt(variance) / spread
    return CloneResult(
        warnings=_warn_of_energy(names, difference, difference_se, about),
        tokens=tokens.copy(), from_data=from_data, n_sweeps=len(draws), converged=certificate.converged,
        statistic_names=names, r_hat=certificate.r_hat, start_difference=certificate.start_difference,
        start_difference_se=certificate.start_difference_se, start_p=certificate.start_p, trace=means,
        difference=difference, difference_se=difference_se,
        table_distance=distances, table_distance_se=distances_se,
        compatibility=compatibility[0], compatibility_se=compatibility[1],
        changed_fraction=float(changed.mean()), changed_fraction_se=_error(changed), nearest=float(near.mean()),
        nearest_se=_error(near), nearest_data=float(near_data.mean()), nearest_data_se=_error(near_data),
        notes=tuple(note for note in notes if note), **about,
    )  # fmt: skip


def _compatibility(
    energy: StarEnergy | None, conditionals: Any, start: np.ndarray, n_tokens: int
) -> tuple[float, float, str]:
    """Whether conditionals belong to a law at all, with its error, and a note where they do not."""
    if energy is not None:
        return 0.0, 0.0, ""
    whole = start[(start >= 0).all(axis=1)]
    if len(whole) < 2 * FEWEST_PAIRS or (whole == whole[0]).all():
        return float("nan"), float("nan"), ""
    found = compatibility_index(conditionals, whole, n_tokens=n_tokens)
    return found.value, found.value_se, "" if found.compatible else found.verdict


def _note_of_tables(distances: np.ndarray, errors: np.ndarray, order: int) -> str:
    """Which tables of tokens, that a model of this order was to reproduce, are not those of the data."""
    for at, what in ((0, "tokens at a site"), (1, "pairs of tokens at two sites"))[: order or 2]:
        if distances[at] > FAR_TABLES * errors[at]:
            return (
                f"{what} are not those of the data: their shares differ by "
                f"{format_estimate(distances[at], errors[at])} (sum of squares, mean over sites)"
            )
    return ""


def _warn_of_energy(
    names: tuple[str, ...], difference: np.ndarray, difference_se: np.ndarray, about: dict[str, Any]
) -> tuple[str, ...]:
    """The mean energy of a law that fits is that of its data, whatever the order."""
    if names[0] != "energy" or about["sampler"] not in UNBIASED or about["temperature"] != 1:
        return ()
    far = abs(difference[0])
    if far <= FAR_ENERGY or far <= FAR_ERRORS * difference_se[0]:
        return ()
    return (
        f"the mean energy of the clone is {difference[0]:+.2g} standard deviations from that of the data: the model "
        "predicts single tokens, but its law has its weight elsewhere; look at its sequences for runs of one token, "
        "and take such rows out of the data",
    )


def _nearest_share(rows: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Share of sites in which each row differs from the nearest of others."""
    graph = nearest(Space(others, metric="hamming"), 1, queries=Space(rows, metric="hamming"))
    return np.asarray(graph.distances / rows.shape[1])


def _error(values: np.ndarray) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("nan")
