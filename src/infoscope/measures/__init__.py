"""How much do they share, how rich is it, how far apart: information measures with errors and a verdict."""

# what two descriptions of the same items share
from .information_results import Information, Reliability
from .mutual_information import mutual_information
from .reliability import reliability

# how two samples differ

# how rich one sample is

# where a density bends, how it reacts

__all__ = ["Information", "Reliability", "mutual_information", "reliability"]
