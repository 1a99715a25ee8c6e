"""States a simulation never visits: flow proposals on collective variables, accepted by the work of the path."""

from .bennett import BennettDifference, bennett_difference
from .block_proposal import BlockProposal
from .chain_shape import ChainShapeProposal
from .chain_state import ChainState, start_chains
from .defensive import DefensiveProposal
from .embeddings import SoftEmbedding, SubsetEmbedding
from .flows import FlowProposal
from .free_energy_profile import free_energy_profile
from .global_move import GlobalMove, global_move
from .interfaces import CollectiveVariables, PathEngine, Potential, Proposal
from .invariance import check_invariance
from .invariance_results import InvarianceCheck
from .local_moves import DualAveraging, LocalMoves, local_moves
from .mixtures import GaussianMixtureProposal
from .openmm_target import OpenMMTarget
from .openmm_variables import AngleVariable, DistanceVariable, ForceVariable, MolecularVariables, TorsionVariable
from .paths import steered_path
from .results import FlowSamplingResult, FreeEnergyProfile
from .rigid import RigidEmbedding
from .sampler import FlowCVSampler
from .switches import count_switches
from .targets import Target, as_target
from .variables import FunctionVariables, LinearVariables, SubsetVariables
from .waste_recycling import recycled_mean

__all__ = [
    # the law
    "Target",
    "as_target",
    # collective variables
    "FunctionVariables",
    "LinearVariables",
    "SubsetVariables",
    # molecules in OpenMM
    "AngleVariable",
    "DistanceVariable",
    "ForceVariable",
    "MolecularVariables",
    "OpenMMTarget",
    "TorsionVariable",
    # how variables and the rest make a configuration
    "RigidEmbedding",
    "SoftEmbedding",
    "SubsetEmbedding",
    # proposals
    "BlockProposal",
    "ChainShapeProposal",
    "DefensiveProposal",
    "FlowProposal",
    "GaussianMixtureProposal",
    # moves
    "ChainState",
    "DualAveraging",
    "GlobalMove",
    "LocalMoves",
    "global_move",
    "local_moves",
    "start_chains",
    "steered_path",
    # may one trust them?
    "InvarianceCheck",
    "check_invariance",
    # the sampler
    "FlowCVSampler",
    "FlowSamplingResult",
    # what the samples say
    "BennettDifference",
    "FreeEnergyProfile",
    "bennett_difference",
    "count_switches",
    "free_energy_profile",
    "recycled_mean",
    # what the pieces ask of each other
    "CollectiveVariables",
    "PathEngine",
    "Potential",
    "Proposal",
]
