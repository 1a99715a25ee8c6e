"""Correlation times, blocks, effective numbers, Markov chains, adjusted p-values: what all subpackages share."""

from .angles import as_periods, check_jumps, check_period, dihedral_angle
from .bias_differences import BiasDifferences, bias_differences, bias_sentence
from .chains import ChainMean, chain_effective_size, chain_error, r_hat
from .correlation import CorrelationTime, auto_window, correlation_time
from .multiple import adjust_p_values, level_of_one
from .nulls import Null, Shifts, choose_null
from .order import OrderTest, RunOrder, adjacency_test, block_labels, run_order
from .shuffles import (
    check_n_permutations,
    detection_limit,
    independent_shifts,
    permutation_p_value,
    say_detection_limit,
    shift_in_runs,
    shuffle_among_neighbors,
    shuffle_blocks,
    shuffle_rows,
    shuffle_within,
)
from .student_law import block_degrees, item_degrees, student_interval, student_p_value, student_reach
from .weights import effective_sample_size

__all__ = [
    "BiasDifferences",
    "ChainMean",
    "CorrelationTime",
    "Null",
    "OrderTest",
    "RunOrder",
    "Shifts",
    "adjacency_test",
    "adjust_p_values",
    "as_periods",
    "auto_window",
    "bias_differences",
    "bias_sentence",
    "block_degrees",
    "block_labels",
    "chain_effective_size",
    "chain_error",
    "check_jumps",
    "check_n_permutations",
    "check_period",
    "choose_null",
    "correlation_time",
    "detection_limit",
    "dihedral_angle",
    "effective_sample_size",
    "independent_shifts",
    "item_degrees",
    "level_of_one",
    "permutation_p_value",
    "r_hat",
    "run_order",
    "say_detection_limit",
    "shift_in_runs",
    "shuffle_among_neighbors",
    "shuffle_blocks",
    "shuffle_rows",
    "shuffle_within",
    "student_interval",
    "student_p_value",
    "student_reach",
]
