"""Correlation times, blocks, effective numbers, adjusted p-values: statistics that every room shares."""

from .angles import as_periods, check_period
from .correlation import CorrelationTime, auto_window, correlation_time
from .multiple import adjust_p_values
from .order import OrderTest, RunOrder, adjacency_test, block_labels, run_order
from .weights import effective_sample_size

__all__ = [
    "CorrelationTime",
    "OrderTest",
    "RunOrder",
    "adjacency_test",
    "adjust_p_values",
    "as_periods",
    "auto_window",
    "block_labels",
    "check_period",
    "correlation_time",
    "effective_sample_size",
    "run_order",
]
