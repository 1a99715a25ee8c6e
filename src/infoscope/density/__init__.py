"""Where the data is dense, and which states it visits: log densities with error bars, peaks and saddles."""

from .bmti import BMTI
from .estimators import KNNDensity, KStarNN, PAk
from .peaks import DensityPeaks
from .peaks_result import Clusters
from .peaks_scan import ClusterScan, DecisionGraph
from .results import LogDensity

__all__ = [
    "BMTI",
    "ClusterScan",
    "Clusters",
    "DecisionGraph",
    "DensityPeaks",
    "KNNDensity",
    "KStarNN",
    "LogDensity",
    "PAk",
]
