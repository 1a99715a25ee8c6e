"""The Differentiable Information Imbalance: weights of features, its value and gradient, a loss for networks."""

from typing import TYPE_CHECKING, Any

from .loss import DIILoss, batch_ranks, dii_loss
from .results import FeatureWeights
from .rise import DIIRise, dii_rise
from .value_and_grad import dii_value_and_grad

if TYPE_CHECKING:
    from .differentiable import DifferentiableImbalance

__all__ = [
    "DIILoss",
    "DIIRise",
    "DifferentiableImbalance",
    "FeatureWeights",
    "batch_ranks",
    "dii_loss",
    "dii_rise",
    "dii_value_and_grad",
]


def __getattr__(name: str) -> Any:
    """The estimator loads when it is first used: scikit-learn, whose base class it needs, is slow to import."""
    if name == "DifferentiableImbalance":
        from .differentiable import DifferentiableImbalance

        return DifferentiableImbalance
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
