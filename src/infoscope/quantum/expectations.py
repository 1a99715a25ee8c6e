"""Expectations of observables, and the scores of states, at any couplings of the family."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from infoscope.base import ParameterError, check_random_state, progress, provenance, warn

from .draws import DrawnMean, draw
from .energies import v_score
from .extrapolation import outside_training, say_outside
from .interfaces import WaveFunction
from .local_values import local_values
from .results import QuantumExpectation
from .spin_operators import SpinOperator

ENERGY = "energy"


def quantum_expectation(
    state: WaveFunction,
    observable: str | SpinOperator | Callable[[np.ndarray], Any],
    couplings: Any,
    *,
    method: str = "auto",
    n_samples: int = 4096,
    name: str | None = None,
    random_state: Any = None,
) -> QuantumExpectation:
    """What is the value of an observable in the systems with these couplings?

    Parameters
    ----------
    state : WaveFunction
        A trained `FoundationQuantumState`, or an `ExactQuantumState`.
    observable : "energy", SpinOperator or function
        The Hamiltonian of each system; a sum of Pauli strings; or a function of spins (M, n_sites) that returns M
        numbers.
    couplings : array_like (R, m)
        Systems that are asked for; (R,) for families of one coupling.
    method : {"auto", "full_sum", "sampling"}
        Sum over all configurations, or draw; "auto" does what the state prefers: a trained one sums where its training
        enumerates them, up to 16 sites.
    n_samples : int
        Draws of each system.
    name : str, optional
        What the observable is called in words and pictures.
    random_state : int, Generator or None
        For the draws.

    Returns
    -------
    QuantumExpectation

    Raises
    ------
    DataError
        Couplings of the wrong number; a local value that is not finite.
    ParameterError
        An observable of another number of sites; a full sum over too many configurations.

    References
    ----------
    Wu, Rossi, Vicentini et al. (2024), Science 386, 296 (V-score).

    Examples
    --------
    >>> from infoscope.quantum import Chain, ExactQuantumState, IsingFamily, magnetization, quantum_expectation
    >>> state = ExactQuantumState(IsingFamily(Chain(8)))
    >>> quantum_expectation(state, "energy", 1.0).value.round(6)  # -2 sum sqrt(2 - 2 cos k)
    array([-10.251662])
    >>> quantum_expectation(state, magnetization(8, "x"), [0.5, 2.0]).value.round(3)
    array([0.26 , 0.934])
    """
    family = state.family
    values = family.as_systems(couplings)
    label, operator = named_observable(family, observable, name)
    rng = check_random_state(random_state)
    outside = outside_training(state.couplings_, values, per_site=family.per_site)
    means: list[DrawnMean] = []
    variances, scores, kind = [], [], "full_sum"
    with progress(len(values), label, "systems") as bar:
        for row in values:
            draws = draw(state, row, method=method, n_samples=n_samples, random_state=int(rng.integers(2**31)))
            local = local_values(state, operator, draws.spins, row, draws.log_amplitudes)
            mean = draws.mean(np.real(local))
            spread = draws.mean(np.abs(local - draws.average(local)) ** 2)
            means.append(mean)
            variances.append(spread.value)
            kind = draws.kind
            if operator is family.operator:
                scores.append(v_score(family, row, mean.value, spread))
            bar.update()
    warnings = say_outside(outside, family, values)
    for text in warnings:
        warn(text)
    columns = np.array(means)
    parameters = {"observable": label, "couplings": values, "method": method, "n_samples": n_samples}
    return QuantumExpectation(
        observable=label,
        couplings=values,
        coupling_names=tuple(family.coupling_names),
        trained=None if state.couplings_ is None else np.asarray(state.couplings_, np.float64),
        n_sites=family.n_sites,
        value=columns[:, 0],
        value_se=columns[:, 1],
        variance=np.array(variances),
        v_score=np.array(scores)[:, 0] if scores else None,
        v_score_se=np.array(scores)[:, 1] if scores else None,
        r_hat=columns[:, 2],
        effective_size=columns[:, 3],
        outside=outside,
        method=kind,
        provenance=provenance("quantum_expectation", parameters, random_state, values),
        warnings=tuple(warnings),
    )


def named_observable(family: Any, observable: Any, name: str | None = None) -> tuple[str, Any]:
    """What it is called, and the operator or the function; ParameterError for anything else."""
    if isinstance(observable, str):
        if observable != ENERGY:
            raise ParameterError(
                f"observable is {observable!r}: give 'energy', an operator such as magnetization({family.n_sites}), or "
                "a function of spins"
            )
        return name or ENERGY, family.operator
    if isinstance(observable, SpinOperator):
        if observable.n_sites != family.n_sites:
            raise ParameterError(
                f"the observable acts on {observable.n_sites} sites, and the family has {family.n_sites}"
            )
        if observable.n_couplings:
            raise ParameterError("the observable has couplings of its own: put numbers in with observable.at(...)")
        if not observable.is_hermitian:
            raise ParameterError(
                "the observable is not its own adjoint, so its mean is no real number: add its adjoint"
            )
        return name or "observable", observable
    if callable(observable):
        return name or getattr(observable, "__name__", "function").strip("<>"), observable
    raise ParameterError(f"observable is a {type(observable).__name__}: give 'energy', a SpinOperator or a function")
