"""How much do they share, how rich is it, how far apart: information measures with errors and a verdict."""

# what two descriptions of the same items share
# how two samples differ
from .drift import information_value, stability_index
from .drift_results import DriftTable, StabilityIndex, StabilityTable
from .information_results import Information, Reliability
from .mutual_information import mutual_information
from .reliability import reliability

# how rich one sample is

# where a density bends, how it reacts

__all__ = [
    "DriftTable",
    "Information",
    "Reliability",
    "StabilityIndex",
    "StabilityTable",
    "information_value",
    "mutual_information",
    "reliability",
    "stability_index",
]
