"""How much do they share, how rich is it, how far apart: information measures with errors and a verdict."""

from .cauchy_schwarz import cauchy_schwarz
from .cauchy_schwarz_information import cauchy_schwarz_information
from .compression import CanonicalCompressor
from .conditional import conditional_mutual_information
from .curvature_results import DensityCurvature, FisherInformation, InformationEstimationDistance, ParameterScale
from .density_curvature import density_curvature
from .diffusion_entropy import diffusion_spectral_entropy, diffusion_spectral_information
from .distance_results import (
    CauchySchwarz,
    CauchySchwarzInformation,
    FrechetDistance,
    KernelDiscrepancy,
    NeighborDivergence,
    SlicedWasserstein,
)
from .divergence import kl_divergence
from .drift import information_value, stability_index
from .drift_results import DriftTable, StabilityIndex, StabilityTable
from .drift_table import drift_table
from .effective_features import effective_features
from .effective_number import effective_number
from .entropy import entropy
from .estimation_distance import information_estimation_distance
from .fisher_information import fisher_information, parameter_scale
from .frechet import frechet_distance
from .information_plane import information_plane
from .information_results import Entropy, Information, Reliability
from .manifold_spread import manifold_spread
from .matrix_entropy import matrix_entropy
from .mmd import mmd
from .neural import neural_information
from .nuclear_norm import nuclear_norm
from .pair_information import mutual_information
from .pairwise import pairwise_mutual_information
from .pairwise_results import InformationMatrix
from .plane_results import InformationPlane
from .reliability import reliability
from .sliced_wasserstein import sliced_wasserstein
from .spectral_results import (
    DiffusionInformation,
    EffectiveFeatures,
    EffectiveNumber,
    ManifoldSpread,
    NuclearNorm,
    SpectralEntropy,
)
from .total_correlation import total_correlation

__all__ = [
    "CanonicalCompressor",
    "CauchySchwarz",
    "CauchySchwarzInformation",
    "DensityCurvature",
    "DiffusionInformation",
    "DriftTable",
    "EffectiveFeatures",
    "EffectiveNumber",
    "Entropy",
    "FisherInformation",
    "FrechetDistance",
    "Information",
    "InformationEstimationDistance",
    "InformationMatrix",
    "InformationPlane",
    "KernelDiscrepancy",
    "ManifoldSpread",
    "NeighborDivergence",
    "NuclearNorm",
    "ParameterScale",
    "Reliability",
    "SlicedWasserstein",
    "SpectralEntropy",
    "StabilityIndex",
    "StabilityTable",
    "cauchy_schwarz",
    "cauchy_schwarz_information",
    "conditional_mutual_information",
    "density_curvature",
    "diffusion_spectral_entropy",
    "diffusion_spectral_information",
    "drift_table",
    "effective_features",
    "effective_number",
    "entropy",
    "fisher_information",
    "frechet_distance",
    "information_estimation_distance",
    "information_plane",
    "information_value",
    "kl_divergence",
    "manifold_spread",
    "matrix_entropy",
    "mmd",
    "mutual_information",
    "neural_information",
    "nuclear_norm",
    "pairwise_mutual_information",
    "parameter_scale",
    "reliability",
    "sliced_wasserstein",
    "stability_index",
    "total_correlation",
]
