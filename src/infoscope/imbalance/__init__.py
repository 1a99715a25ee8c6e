"""Which data tells about which: the Information Imbalance, its errors and its pictures.

The numbers of formulas in comments are those of docs/rooms/imbalance_formulas.md.
"""
from .compare import compare_imbalances
from .imbalance import information_imbalance
from .matrix import imbalance_matrix
from .results import ImbalanceDifference, ImbalanceMatrix, InformationImbalance, ScaleCurve
from .scale import imbalance_scale_curve

__all__ = ["ImbalanceDifference", "ImbalanceMatrix", "InformationImbalance", "ScaleCurve", "compare_imbalances",
           "imbalance_matrix", "imbalance_scale_curve", "information_imbalance"]
