"""States a simulation never visits: flow proposals on collective variables, accepted by the work of the path."""

from .bennett import BennettDifference, bennett_difference
from .interfaces import CollectiveVariables, Potential, Proposal
from .switches import count_switches
from .waste_recycling import recycled_mean

__all__ = [
    "BennettDifference",
    "CollectiveVariables",
    "Potential",
    "Proposal",
    "bennett_difference",
    "count_switches",
    "recycled_mean",
]
