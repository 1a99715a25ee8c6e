"""How much do they share, how rich is it, how far apart: information measures with errors and a verdict."""

# what two descriptions of the same items share
from .compression import CanonicalCompressor
from .conditional import conditional_mutual_information

# how two samples differ
from .drift import information_value, stability_index
from .drift_results import DriftTable, StabilityIndex, StabilityTable
from .entropy import Entropy, entropy
from .information_results import Information, Reliability
from .mutual_information import mutual_information
from .pairwise import pairwise_mutual_information
from .pairwise_results import InformationMatrix
from .reliability import reliability
from .total_correlation import total_correlation

# how rich one sample is

# where a density bends, how it reacts

__all__ = [
    "CanonicalCompressor",
    "DriftTable",
    "Entropy",
    "Information",
    "InformationMatrix",
    "Reliability",
    "StabilityIndex",
    "StabilityTable",
    "conditional_mutual_information",
    "entropy",
    "information_value",
    "mutual_information",
    "pairwise_mutual_information",
    "reliability",
    "stability_index",
    "total_correlation",
]
