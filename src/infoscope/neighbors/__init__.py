"""The engine: one noun (`Space`), one loop (`reduce_tiles`) and a handful of verbs.

What a user brings    `convert`, `space_checks`, `directions`, `column_statistics`, `xarray_columns`, `targets` make a
                      `space`
Same items?           `alignment`: ids, times and runs as they were given; `ownership`: nobody writes to them later
What the rest means   `correlation`: time and runs, `shifts` of them; `weighting`: weights; `row_order`: do rows follow
                      each other?
Who may be near whom  `admissible`: self, windows and runs
The loop              `reductions`; what it hands to a reduction, and what a reduction is: `interfaces`
The backends          `backend_numpy` with `kernels`; `backend_torch` with `tensors`; `backend_dask` with `chunks`
Sorted by contents    `sorted_rows`: whatever order rows came in
The verbs             `verbs` and `product_neighbors` give a `graph` or counts; as exact and faster in few dimensions or
                      for two spaces at once: `shortcuts`, `box_search` (`boxes`, `box_kernels`), `cross_ranks`; not
                      exact, with its recall: `approximate`
Ties                  `tie_groups`: what a group is; `k_smallest`: the k nearest, ties by the lowest number
Sums of a Gaussian    `gaussian_sums` with `gaussian_kernels`, twin `gaussian_sums_torch`; its matrix `gaussian_matrix`
Neighbours known      `known_neighbors` reads what was computed elsewhere, `known_search` answers from it
Two samples           `two_samples`: one space of both; `two_sample_blocks`: whose labels are exchanged together
All pairs of bits     `bits` with `bit_kernels`; twins `bits_torch`, `bits_dask`
Loaded when needed    `featureless`: what is known of items whose features are elsewhere
Beside them           `origins`: where items came from;  `repeated_rows`: which rows are there twice?
                      `order`: are neighbouring rows alike?  `rmsd`: distances of conformations

Authors of a reduction import `Reduction`, `Tile` and `reduce_tiles`; rooms import from here, never from these files.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .gaussian_sums import KernelSums, kernel_sums
from .graph import NeighborGraph
from .interfaces import Reduction, Tile
from .order import look_for_order, order_test
from .product_neighbors import nearest_product
from .reductions import reduce_tiles
from .space import Space, as_space
from .verbs import count_closer, count_within, distance_histogram, nearest, nearest_blocks

__all__ = [
    "KernelSums",
    "NeighborGraph",
    "Space",
    "as_space",
    "count_closer",
    "count_within",
    "distance_histogram",
    "kernel_sums",
    "nearest",
    "nearest_blocks",
    "nearest_product",
    "order_test",
    "superposed_rmsd",
    # for authors of reductions
    "Reduction",
    "Tile",
    "reduce_tiles",
]

# ---------------------------------------------------------------- for authors of reductions and rooms, not for users
from .admissible import UNRESTRICTED, WINDOW_SLACK, Admissibility, Items, Pairs, admissible_pairs, items_of
from .alignment import check_same_items, share_items
from .bits import PackedBits, frozen, pack_segments
from .column_statistics import deviations
from .convert import DENSE_LIMIT, kind_of, to_columns, to_numpy
from .correlation import (
    BLOCK_TIMES,
    CORRELATED_FROM,
    SeriesCorrelation,
    clock_of,
    is_series,
    row_step,
    series_correlation,
    settle_admissibility,
    settle_window,
)
from .cross_ranks import OneWay, neighbors_and_ranks
from .featureless import with_features, without_features
from .frame_columns import collected
from .gaussian_matrix import kernel_matrix, kernel_product
from .interfaces import Tiles
from .kernels import TIE
from .known_search import graph_of
from .origins import item_name, item_origin
from .ownership import hand_over
from .reductions import admissible_mass, column_items, count_in_samples, row_items
from .repeated_rows import RepeatedRows, RowCodes, find_repeated_rows, has_few_values
from .row_order import RowOrderLook, is_looking, looking_at_row_order, not_looking, show_neighbors
from .shifts import series_shifts
from .sorted_rows import content_order, content_ranks
from .space_checks import item_numbers
from .tensors import as_arrays, has_kernels, on_device
from .tie_groups import level_rows
from .two_sample_blocks import SampleBlocks, sample_blocks
from .two_samples import (
    TwoSamples,
    join_samples,
    look_at_samples,
    measured_alike,
    repeated_in_samples,
    samples_in_time,
    shared_rows,
)
from .weighting import refuse_weights, run_weights, settle_weights

if TYPE_CHECKING:
    from .bits_dask import DaskBits
    from .bits_torch import TorchBits
    from .boxes import Boxes
    from .category_columns import encode_categories, with_categories
    from .chunks import task
    from .rmsd import superposed_rmsd
    from .targets import guess_target_kind, is_integer_column, target_space
    from .xarray_columns import flat_names, is_dates, row_dimension, row_time, time_values
else:
    _ON_FIRST_USE = {"DaskBits": "bits_dask", "TorchBits": "bits_torch", "Boxes": "boxes", "task": "chunks"}
    _ON_FIRST_USE |= {"superposed_rmsd": "rmsd"}
    _ON_FIRST_USE |= dict.fromkeys(("encode_categories", "with_categories"), "category_columns")
    _ON_FIRST_USE |= dict.fromkeys(("guess_target_kind", "is_integer_column", "target_space"), "targets")
    _ON_FIRST_USE |= dict.fromkeys(
        ("flat_names", "is_dates", "row_dimension", "row_time", "time_values"), "xarray_columns"
    )

    def __getattr__(name: str) -> Any:
        if name not in _ON_FIRST_USE:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f".{_ON_FIRST_USE[name]}", __name__), name)
