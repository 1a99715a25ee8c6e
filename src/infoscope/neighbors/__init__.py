"""The engine: one noun (`Space`), one loop (`reduce_tiles`) and a handful of verbs."""

from .graph import NeighborGraph
from .order import order_test
from .reductions import Reduction, reduce_tiles
from .rmsd import superposed_rmsd
from .space import Space, as_space
from .verbs import count_closer, count_within, distance_histogram, nearest, nearest_blocks

__all__ = [
    "NeighborGraph",
    "Reduction",
    "Space",
    "as_space",
    "count_closer",
    "count_within",
    "distance_histogram",
    "nearest",
    "nearest_blocks",
    "order_test",
    "reduce_tiles",
    "superposed_rmsd",
]
