"""What a state can be asked, as methods: thin calls of the functions that answer for any wave function."""

from __future__ import annotations

from typing import Any

from .disorder import disorder_average
from .expectations import ENERGY, quantum_expectation
from .results import DisorderAverage, QuantumExpectation
from .susceptibility import fidelity_susceptibility
from .susceptibility_results import FidelitySusceptibility


class Answers:
    """Methods of states that are wave functions (`WaveFunction`)."""

    def expect(self, observable: Any, couplings: Any, **options: Any) -> QuantumExpectation:
        """An observable in the systems with these couplings, see `quantum_expectation`.

        Parameters
        ----------
        observable : "energy", SpinOperator or function
            What is measured.
        couplings : array_like (R, m)
            Systems.
        **options
            ``method``, ``n_samples``, ``random_state``.

        Returns
        -------
        QuantumExpectation
        """
        return quantum_expectation(self, observable, couplings, **options)  # type: ignore[arg-type]

    def score(self, couplings: Any, **options: Any) -> QuantumExpectation:
        """Energies and V-scores: how far the state is from eigenstates; no exact answer is needed.

        Parameters
        ----------
        couplings : array_like (R, m)
            Systems.
        **options
            As for `expect`.

        Returns
        -------
        QuantumExpectation
            Whose ``v_score`` is below 0.001 for a good state.
        """
        return quantum_expectation(self, ENERGY, couplings, **options)  # type: ignore[arg-type]

    def fidelity_susceptibility(self, couplings: Any, **options: Any) -> FidelitySusceptibility:
        """How fast the state turns with its couplings, see `fidelity_susceptibility`.

        Parameters
        ----------
        couplings : array_like (R, m)
            Systems.
        **options
            ``method``, ``n_samples``, ``n_bootstrap``, ``random_state``.

        Returns
        -------
        FidelitySusceptibility
        """
        return fidelity_susceptibility(self, couplings, **options)  # type: ignore[arg-type]

    def disorder_average(self, observable: Any, couplings: Any, **options: Any) -> DisorderAverage:
        """The mean of an observable over realisations, see `disorder_average`.

        Parameters
        ----------
        observable : "energy", SpinOperator or function
            What is measured.
        couplings : array_like (R, m)
            Realisations of the disorder.
        **options
            As for `expect`.

        Returns
        -------
        DisorderAverage
        """
        return disorder_average(self, observable, couplings, **options)  # type: ignore[arg-type]
