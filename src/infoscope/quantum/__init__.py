"""Whole families of quantum spin systems: lattices, Hamiltonians with couplings that change, exact answers."""

from .configurations import enumerate_configurations, numbers_of, spins_of
from .diagonalisation import exact_spectrum, ground_state
from .disorder import disorder_average
from .exact_results import ExactSpectrum, ExactSusceptibility, GroundState
from .exact_state import ExactQuantumState
from .exact_susceptibility import exact_susceptibility
from .expectations import quantum_expectation
from .extrapolation import outside_training
from .families import CustomFamily, HeisenbergFamily, IsingFamily, RandomFieldIsing, SpinFamily
from .interfaces import SpinSamples, WaveFunction
from .lattices import Chain, Graph, Square
from .natural_gradient import NaturalGradient, natural_gradient
from .netket_operators import from_netket, lattice_from_netket, to_netket
from .observables import magnetization, spin_correlation, squared_magnetization, structure_factor
from .orbits import Orbits, find_orbits
from .published_parameters import from_published_parameters, to_published_parameters
from .results import DisorderAverage, QuantumExpectation, ReweightedExpectation
from .reweighting import reweighted_expectation
from .spin_operators import SpinOperator, pauli_sum
from .spin_space import spin_space
from .state import FoundationQuantumState
from .susceptibility import fidelity_susceptibility
from .susceptibility_results import FidelitySusceptibility
from .training_curves import training_curves
from .training_results import TrainingCurves
from .transverse_ising import TransverseIsingChain, transverse_ising_chain_exact

__all__ = [
    # where spins are
    "Chain",
    "Graph",
    "Square",
    # Hamiltonians with couplings
    "CustomFamily",
    "HeisenbergFamily",
    "IsingFamily",
    "RandomFieldIsing",
    "SpinFamily",
    # operators and observables
    "SpinOperator",
    "magnetization",
    "pauli_sum",
    "spin_correlation",
    "squared_magnetization",
    "structure_factor",
    # exact answers
    "ExactSpectrum",
    "ExactSusceptibility",
    "GroundState",
    "TransverseIsingChain",
    "exact_spectrum",
    "exact_susceptibility",
    "ground_state",
    "transverse_ising_chain_exact",
    # of NetKet
    "from_netket",
    "lattice_from_netket",
    "to_netket",
    # one wave function for a family
    "FoundationQuantumState",
    "NaturalGradient",
    "from_published_parameters",
    "natural_gradient",
    "TrainingCurves",
    "training_curves",
    "to_published_parameters",
    # configurations
    "Orbits",
    "enumerate_configurations",
    "find_orbits",
    "numbers_of",
    "spins_of",
    # states
    "ExactQuantumState",
    # answers
    "DisorderAverage",
    "FidelitySusceptibility",
    "QuantumExpectation",
    "ReweightedExpectation",
    "disorder_average",
    "fidelity_susceptibility",
    "outside_training",
    "quantum_expectation",
    "reweighted_expectation",
    "spin_space",
    # what answers ask of a state
    "SpinSamples",
    "WaveFunction",
]
