"""How many degrees of freedom: intrinsic dimension with error bars, at every scale."""
from .abide import ABIDE
from .gride import Gride
from .k_star import k_star
from .results import Dimension, DimensionScan
from .table import NeighborTable, neighbor_table
from .two_nn import TwoNN

__all__ = ["ABIDE", "Dimension", "DimensionScan", "Gride", "NeighborTable", "TwoNN", "k_star", "neighbor_table"]
