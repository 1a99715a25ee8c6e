"""What each layer of a network knows: a store of layers; layers of models beside each other, calibrated."""

from typing import TYPE_CHECKING, Any

from .calibration import Calibrated, calibrate
from .checkpoint_results import CheckpointComparison
from .checkpoints import compare_checkpoints
from .comparison_results import LayerComparison
from .conditional import conditional_imbalance
from .depth_results import DirectionComparison, LayerProfile, SemanticLayers
from .extraction import extract
from .joint_sources import joint_imbalance
from .layer_comparison import compare_layers
from .layer_profile import layer_profile
from .linear_similarity import canonical_correlations, linear_cka, procrustes_distance
from .model_files import LoadedModel, load_model
from .neighbor_kernels import cknna
from .onnx_network import OnnxModel
from .semantic_layers import compare_directions, semantic_layers
from .share_results import ConditionalImbalance, JointImbalance
from .split_choice import SplitChoice, choose_layers
from .store import RepresentationStore
from .token_numbers import token_number_curve
from .token_results import ControlledTokens, TokenNumberCurve
from .tokens import pool_tokens, token_lag_imbalance, window_asymmetry
from .training_callback import LayerProfileCallback

if TYPE_CHECKING:
    from .preprocessing import Center, ClipRows, RemoveCentroids, SignBits

__all__ = [
    # layers of one model
    "LoadedModel",
    "OnnxModel",
    "RepresentationStore",
    "extract",
    "load_model",
    "layer_profile",
    # layers of two models
    "calibrate",
    "choose_layers",
    "compare_directions",
    "compare_layers",
    "conditional_imbalance",
    "joint_imbalance",
    "semantic_layers",
    # what layers go through first
    "Center",
    "ClipRows",
    "RemoveCentroids",
    "SignBits",
    # one model at several times
    "compare_checkpoints",
    "LayerProfileCallback",
    # two layers, as plain numbers
    "canonical_correlations",
    "cknna",
    "linear_cka",
    "procrustes_distance",
    # tokens
    "pool_tokens",
    "token_lag_imbalance",
    "token_number_curve",
    "window_asymmetry",
    # results
    "Calibrated",
    "CheckpointComparison",
    "ConditionalImbalance",
    "ControlledTokens",
    "DirectionComparison",
    "JointImbalance",
    "LayerComparison",
    "LayerProfile",
    "SemanticLayers",
    "SplitChoice",
    "TokenNumberCurve",
]

_TRANSFORMERS = ("Center", "ClipRows", "RemoveCentroids", "SignBits")


def __getattr__(name: str) -> Any:
    """Transformers load when they are first used: scikit-learn, whose base classes they need, is slow to import."""
    if name in _TRANSFORMERS:
        from . import preprocessing

        return getattr(preprocessing, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
