"""How much do they share, how rich is it, how far apart: information measures with errors and a verdict."""

# what two descriptions of the same items share
# how two samples differ
# how rich one sample is
from .diffusion_entropy import diffusion_spectral_entropy, diffusion_spectral_information
from .drift import information_value, stability_index
from .drift_results import DriftTable, StabilityIndex, StabilityTable
from .effective_features import effective_features
from .effective_number import effective_number
from .information_results import Information, Reliability
from .manifold_spread import manifold_spread
from .matrix_entropy import matrix_entropy
from .mutual_information import mutual_information
from .nuclear_norm import nuclear_norm
from .reliability import reliability
from .spectral_results import (
    DiffusionInformation,
    EffectiveFeatures,
    EffectiveNumber,
    ManifoldSpread,
    NuclearNorm,
    SpectralEntropy,
)

# where a density bends, how it reacts

__all__ = [
    "DiffusionInformation",
    "DriftTable",
    "EffectiveFeatures",
    "EffectiveNumber",
    "Information",
    "ManifoldSpread",
    "NuclearNorm",
    "Reliability",
    "SpectralEntropy",
    "StabilityIndex",
    "StabilityTable",
    "diffusion_spectral_entropy",
    "diffusion_spectral_information",
    "effective_features",
    "effective_number",
    "information_value",
    "manifold_spread",
    "matrix_entropy",
    "mutual_information",
    "nuclear_norm",
    "reliability",
    "stability_index",
]
