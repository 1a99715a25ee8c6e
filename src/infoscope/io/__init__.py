"""Files in, records out: one reader a format, one writer for results."""

from .annotate import write_to_anndata
from .columns import parse_columns
from .common_times import match_times
from .digests import file_digest
from .extraction import write_items
from .figures import check_figure_path, save_figure
from .hills import hills_offset
from .inspection import ColumnReport, FileReport, inspect_file
from .openmm_topology import openmm_variables
from .plumed import plumed_snippet
from .readers import column_names, read_column, read_table, split_key
from .result_files import check_result_path, read_record, write_result
from .runs import read_pieces
from .saved_records import load, save
from .table import Table
from .trajectories import trajectory
from .weights import weights_from_bias

__all__ = [
    "ColumnReport",
    "FileReport",
    "Table",
    "check_figure_path",
    "check_result_path",
    "column_names",
    "file_digest",
    "hills_offset",
    "inspect_file",
    "load",
    "match_times",
    "openmm_variables",
    "parse_columns",
    "plumed_snippet",
    "read_column",
    "read_pieces",
    "read_record",
    "read_table",
    "save",
    "save_figure",
    "split_key",
    "trajectory",
    "weights_from_bias",
    "write_items",
    "write_result",
    "write_to_anndata",
]
