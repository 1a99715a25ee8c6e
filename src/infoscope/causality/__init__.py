"""What drives what: lags and delay vectors, gains of prediction, transfer entropy, and the experiment that decides.

The numbers of formulas in comments are those of docs/rooms/causality.md.
"""

from typing import TYPE_CHECKING, Any

from .communities import Communities, communities
from .embedding import embed, sample_times
from .gain import imbalance_gain, scan_lags
from .gain_results import ImbalanceGain, LagScan
from .graph_results import CausalGraph
from .interventions import intervene, interventional_effect
from .langevin_grid import LangevinGrid
from .markov import markov_transfer_entropy
from .ornstein_uhlenbeck import LinearProcess, ou_intervention, ou_transfer_entropy
from .refinement import DirectEdges, refine_edges
from .results import Intervention, TransferEntropy
from .scores import CommunityScores, community_scores
from .suggest import EmbeddingSuggestion, suggest_embedding
from .transfer_entropy import transfer_entropy

if TYPE_CHECKING:
    from .community_graph import CommunityCausalGraph

__all__ = [
    # series
    "embed",
    "sample_times",
    "suggest_embedding",
    # what is told
    "imbalance_gain",
    "scan_lags",
    "transfer_entropy",
    # many variables
    "CommunityCausalGraph",
    "communities",
    "refine_edges",
    # laws that are known
    "LangevinGrid",
    "LinearProcess",
    "markov_transfer_entropy",
    "ou_intervention",
    "ou_transfer_entropy",
    # experiments
    "intervene",
    "interventional_effect",
    # beside the truth
    "CommunityScores",
    "community_scores",
    # results
    "CausalGraph",
    "Communities",
    "DirectEdges",
    "EmbeddingSuggestion",
    "ImbalanceGain",
    "Intervention",
    "LagScan",
    "TransferEntropy",
]


def __getattr__(name: str) -> Any:
    """The estimator loads when it is first used: scikit-learn, whose base class it needs, is slow to import."""
    if name == "CommunityCausalGraph":
        from .community_graph import CommunityCausalGraph

        return CommunityCausalGraph
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
