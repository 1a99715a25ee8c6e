"""Which few of many features carry the information of a target: sets of every size."""

from .feature_selection import dii_backward, dii_exhaustive, dii_forward, dii_path, select_features_imbalance
from .results import SelectionPath

__all__ = ["SelectionPath", "dii_backward", "dii_exhaustive", "dii_forward", "dii_path", "select_features_imbalance"]
