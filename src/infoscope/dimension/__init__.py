"""How many degrees of freedom: intrinsic dimension with error bars, at every scale, of numbers and of bits."""

from .abide import ABIDE
from .binarize import binarize
from .binarize_report import BinarizationReport, binarization_report
from .binary_curves import local_dimension, prefix_curve, scan_alpha, select_alpha
from .binary_id import BinaryID
from .binary_results import BinaryCurve, BinaryDimension, LocalDimension
from .bits import pack_bits
from .gride import Gride
from .hamming import HammingHistogram, hamming_histogram
from .k_star import k_star
from .results import Dimension, DimensionScan
from .table import NeighborTable, neighbor_table
from .two_nn import TwoNN

__all__ = [
    "ABIDE",
    "BinarizationReport",
    "BinaryCurve",
    "BinaryDimension",
    "BinaryID",
    "Dimension",
    "DimensionScan",
    "Gride",
    "HammingHistogram",
    "LocalDimension",
    "NeighborTable",
    "TwoNN",
    "binarization_report",
    "binarize",
    "hamming_histogram",
    "k_star",
    "local_dimension",
    "neighbor_table",
    "pack_bits",
    "prefix_curve",
    "scan_alpha",
    "select_alpha",
]
