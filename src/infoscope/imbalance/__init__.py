"""Which data tells about which: the Information Imbalance, its errors and its pictures.

The numbers of formulas in comments are those of docs/rooms/imbalance_formulas.md.
"""

from typing import TYPE_CHECKING, Any

from .compare import compare_imbalances
from .dii import DIILoss, DIIRise, FeatureWeights, batch_ranks, dii_loss, dii_rise, dii_value_and_grad
from .imbalance import information_imbalance
from .matrix import imbalance_matrix
from .overlap import label_overlap, neighborhood_overlap
from .overlap_results import LabelOverlap, NeighborhoodOverlap
from .results import ImbalanceDifference, ImbalanceMatrix, InformationImbalance, ScaleCurve
from .scale import imbalance_scale_curve
from .selection import SelectionPath, dii_backward, dii_exhaustive, dii_forward, dii_path, select_features_imbalance

if TYPE_CHECKING:
    from .dii import DifferentiableImbalance

__all__ = [
    "DIILoss",
    "DIIRise",
    "DifferentiableImbalance",
    "FeatureWeights",
    "ImbalanceDifference",
    "ImbalanceMatrix",
    "InformationImbalance",
    "LabelOverlap",
    "NeighborhoodOverlap",
    "ScaleCurve",
    "SelectionPath",
    "batch_ranks",
    "compare_imbalances",
    "dii_backward",
    "dii_exhaustive",
    "dii_forward",
    "dii_loss",
    "dii_path",
    "dii_rise",
    "dii_value_and_grad",
    "imbalance_matrix",
    "imbalance_scale_curve",
    "information_imbalance",
    "label_overlap",
    "neighborhood_overlap",
    "select_features_imbalance",
]


def __getattr__(name: str) -> Any:
    """The estimator loads when it is first used: scikit-learn, whose base class it needs, is slow to import."""
    if name == "DifferentiableImbalance":
        from .dii import DifferentiableImbalance

        return DifferentiableImbalance
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
