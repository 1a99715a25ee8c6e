"""How many degrees of freedom: intrinsic dimension with error bars, at every scale, of numbers and of bits."""

from .abide import ABIDE
from .binary.binarize import binarize
from .binary.binarize_report import BinarizationReport, binarization_report
from .binary.binary_id import BinaryID
from .binary.curves import local_dimension, prefix_curve, scan_alpha, select_alpha
from .binary.hamming import HammingHistogram, hamming_histogram
from .binary.packing import pack_bits
from .binary.results import BinaryCurve, BinaryDimension, LocalDimension
from .decimation import Decimation
from .gride import Gride
from .k_star import k_star
from .lattice import LatticeID
from .neighbor_table import NeighborTable, neighbor_table
from .pointwise import pointwise_dimension
from .pointwise_results import PointwiseDimension
from .results import Dimension, DimensionScan
from .two_nn import TwoNN

__all__ = [
    "ABIDE",
    "BinarizationReport",
    "BinaryCurve",
    "BinaryDimension",
    "BinaryID",
    "Decimation",
    "Dimension",
    "DimensionScan",
    "Gride",
    "HammingHistogram",
    "LatticeID",
    "LocalDimension",
    "NeighborTable",
    "PointwiseDimension",
    "TwoNN",
    "binarization_report",
    "binarize",
    "hamming_histogram",
    "k_star",
    "local_dimension",
    "neighbor_table",
    "pack_bits",
    "pointwise_dimension",
    "prefix_curve",
    "scan_alpha",
    "select_alpha",
]
