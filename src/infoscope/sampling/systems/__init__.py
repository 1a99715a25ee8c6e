"""Built-in systems to sample: laws known exactly, a field, and molecules in a solvent, with compiled paths."""

from .dimer import DimerInSolvent
from .distances import DistanceVariables
from .gaussian_mixture import GaussianMixtureSystem
from .phi4 import Phi4Chain
from .polymer import PolymerInSolvent
from .quadrature import QuadratureSystem
from .tunnel import GaussianTunnel

__all__ = [
    # laws whose free energy is known
    "GaussianTunnel",
    "QuadratureSystem",
    "GaussianMixtureSystem",
    # a field on a chain
    "Phi4Chain",
    # molecules in a solvent
    "DimerInSolvent",
    "PolymerInSolvent",
    # variables
    "DistanceVariables",
]
