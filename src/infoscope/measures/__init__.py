"""How much do they share, how rich is it, how far apart: information measures with errors and a verdict."""

# what two descriptions of the same items share
# how two samples differ
from .cauchy_schwarz import cauchy_schwarz
from .cauchy_schwarz_information import cauchy_schwarz_information
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
from .frechet import frechet_distance
from .information_results import Information, Reliability
from .mmd import mmd
from .mutual_information import mutual_information
from .reliability import reliability
from .sliced_wasserstein import sliced_wasserstein

# how rich one sample is

# where a density bends, how it reacts

__all__ = [
    "CauchySchwarz",
    "CauchySchwarzInformation",
    "DriftTable",
    "FrechetDistance",
    "Information",
    "KernelDiscrepancy",
    "NeighborDivergence",
    "Reliability",
    "SlicedWasserstein",
    "StabilityIndex",
    "StabilityTable",
    "cauchy_schwarz",
    "cauchy_schwarz_information",
    "drift_table",
    "frechet_distance",
    "information_value",
    "kl_divergence",
    "mmd",
    "mutual_information",
    "reliability",
    "sliced_wasserstein",
    "stability_index",
]
