"""States a simulation never visits: flow proposals on collective variables, accepted by the work of the path."""

from .interfaces import CollectiveVariables, Potential, Proposal

__all__ = ["CollectiveVariables", "Potential", "Proposal"]
