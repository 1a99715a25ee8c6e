"""Built-in systems to sample: laws known exactly, a field, and molecules in a solvent, with compiled paths."""

from .distances import DistanceVariables
from .gaussian_mixture import GaussianMixtureSystem
from .phi4 import Phi4Chain
from .quadrature import QuadratureSystem
from .tunnel import GaussianTunnel

__all__ = [
    # laws whose free energy is known
    "GaussianTunnel",
    "QuadratureSystem",
    "GaussianMixtureSystem",
    # a field on a chain
    "Phi4Chain",
    # variables
    "DistanceVariables",
]
