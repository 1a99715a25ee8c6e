"""Where the data is dense, and which states it visits: log densities with error bars, peaks and saddles."""

from .bmti import BMTI
from .estimators import KNNDensity, KStarNN, PAk
from .peaks import DensityPeaks
from .peaks_result import Clusters
from .results import LogDensity

__all__ = ["BMTI", "Clusters", "DensityPeaks", "KNNDensity", "KStarNN", "LogDensity", "PAk"]
