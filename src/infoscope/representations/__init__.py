"""What each layer of a network knows: layers of models beside each other, calibrated."""

from .calibration import Calibrated, calibrate
from .comparison_results import LayerComparison
from .layer_comparison import compare_layers

__all__ = [
    # layers of two models
    "calibrate",
    "compare_layers",
    # results
    "Calibrated",
    "LayerComparison",
]
