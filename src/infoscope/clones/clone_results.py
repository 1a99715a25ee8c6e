"""What sampling a clone returns: the sequences, the certificate, and how they differ from the data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from infoscope.base import ParameterError, Provenance, Result, check_choice
from infoscope.base.contents import flags, integers, number, numbers, whole

from .convergence import LEVEL, SMALLEST_P, sweeps_needed

MANY_SWEEPS = 1e5  # that nobody waits for


@dataclass(frozen=True, kw_only=True, eq=False)
class CloneResult(Result):
    """Sequences whose tokens interact up to one order only, and whether the chains that drew them have converged.

    n chains of L sites; T sweeps; D statistics: the energy, and random functions of tokens, pairs and triples.

    Attributes
    ----------
    tokens : array (n, L)
        The clone; -1 is padding, as in the sequences that the chains began with.
    from_data : array (n,)
        Which chains began at data; the others at independent tokens.
    order : int
        Largest number of tokens that interact; 0 where the model has none (layer normalisation).
    sampler : str
    temperature : float
    n_sweeps : int
    converged : bool
        R-hat of every statistic below 1.05, and no difference between the two starts beyond chance.
    acceptance : float
        Share of proposals (of exchanges, if tempered) that were accepted; 1 for Gibbs.
    statistic_names : tuple of str
    r_hat : array (D,)
        Over all chains, of the second half of the sweeps.
    start_difference, start_difference_se : array (D,)
        Of the means of both starts, in standard deviations of a sequence.
    start_p : float
        Of all these differences being chance.
    trace : array (T, 2, D)
        Means over the chains from data and over the others, after every sweep.
    difference, difference_se : array (D,)
        Clone less data, in standard deviations of the data; what a model of this order was to reproduce is 0.
    table_distance, table_distance_se : array (2,)
        Squared distance of the clone's shares of tokens at a site from the data's, mean over sites, and the same of
        pairs of tokens at two sites: 0 where they agree, site by site, what `difference` averages over.
        Errors take sequences as independent.
    compatibility, compatibility_se : float
        Of the model's conditionals, as `compatibility_index` has it, on the sequences given; 0 of an energy, and NaN
        where padding leaves fewer than four of them whole.
    changed_fraction, changed_fraction_se : float
        Share of sites that differ from where the chain began, chains from data only; standard error over chains.
    nearest, nearest_se : float
        Mean share of sites in which a sequence of the clone differs from the nearest one that the model was trained on.
    nearest_data, nearest_data_se : float
        The same of the sequences that chains began with: a clone that is much nearer repeats what it was trained on.
    warnings, notes : tuple of str
    """

    tokens: np.ndarray = field(repr=False)
    from_data: np.ndarray = field(repr=False)
    order: int
    sampler: str
    temperature: float
    n_sweeps: int
    converged: bool
    acceptance: float
    statistic_names: tuple[str, ...] = field(repr=False)
    r_hat: np.ndarray = field(repr=False)
    start_difference: np.ndarray = field(repr=False)
    start_difference_se: np.ndarray = field(repr=False)
    start_p: float
    trace: np.ndarray = field(repr=False)
    difference: np.ndarray = field(repr=False)
    difference_se: np.ndarray = field(repr=False)
    table_distance: np.ndarray = field(repr=False)
    table_distance_se: np.ndarray = field(repr=False)
    compatibility: float
    compatibility_se: float
    changed_fraction: float
    changed_fraction_se: float
    nearest: float
    nearest_se: float
    nearest_data: float
    nearest_data_se: float
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    provenance: Provenance | None = field(default=None, repr=False)

    _references = ("infoscope", "data_clones")
    _contents = {
        "tokens": integers("N", "L", low=-1), "from_data": flags("N"), "order": whole(), "temperature": number(),
        "n_sweeps": whole(), "r_hat": numbers("D"), "start_difference": numbers("D"),
        "start_difference_se": numbers("D"), "trace": numbers("T", 2, "D"), "difference": numbers("D"),
        "difference_se": numbers("D"), "table_distance": numbers(2), "table_distance_se": numbers(2),
    }  # fmt: skip

    @property
    def _title(self) -> str:
        order = f"order {self.order}" if self.order else "no bounded order"
        return f"Clone of {order} ({len(self.tokens)} sequences, {self.sampler}, {self.n_sweeps} sweeps)"

    @property
    def verdict(self) -> str:
        """One sentence."""
        limit = f"interactions of up to {self.order} tokens" if self.order else "interactions of no known order"
        worst = int(np.argmax(np.nan_to_num(self.r_hat, nan=0.0, posinf=np.finfo(float).max)))
        value, name = float(self.r_hat[worst]), self.statistic_names[worst]
        if self.converged:
            return (
                f"a clone with {limit}: chains from data and from independent tokens agree after {self.n_sweeps} "
                f"sweeps (largest R-hat {value:.3f})"
            )
        if value > LEVEL:
            way_out = _way_out(sweeps_needed(value, self.n_sweeps))
            return (
                f"NOT CONVERGED after {self.n_sweeps} sweeps: R-hat of '{name}', the slowest statistic, is "
                f"{value:.4g}, above {LEVEL}; do not use these sequences: {way_out}"
            )
        at = int(np.nanargmax(np.abs(self.start_difference / np.maximum(self.start_difference_se, 1e-300))))
        return (
            f"NOT CONVERGED after {self.n_sweeps} sweeps: chains from data and from independent tokens differ in "
            f"'{self.statistic_names[at]}' by {self.start_difference[at]:.3g} standard deviations "
            f"(p {self.start_p:.1g}, below {SMALLEST_P}); sample longer"
        )

    def place_of(self, statistic: int | str) -> int:
        """Number of a statistic, of its name or number."""
        if isinstance(statistic, str):
            return self.statistic_names.index(check_choice(statistic, "statistic", self.statistic_names))
        n = len(self.statistic_names)
        if not -n <= statistic < n:
            raise ParameterError(
                f"there are {n} statistics, and no number {statistic}: {', '.join(self.statistic_names)}"
            )
        return range(n)[statistic]

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {
                "statistic": name,
                "r_hat": float(self.r_hat[at]),
                "start_difference": float(self.start_difference[at]),
                "start_difference_se": float(self.start_difference_se[at]),
                "difference": float(self.difference[at]),
                "difference_se": float(self.difference_se[at]),
            }
            for at, name in enumerate(self.statistic_names)
        ]


def _way_out(needed: float) -> str:
    if needed >= MANY_SWEEPS:
        return "barriers hold the chains: take sampler='tempered'"
    return (
        f"about {float(f'{needed:.2g}'):,.0f} sweeps would do if chains go on to forget at this rate (max_sweeps), and "
        "sampler='tempered' where barriers hold them"
    )
