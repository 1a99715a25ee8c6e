"""Files in, records out: one reader a format, one writer for results."""

from infoscope.io.annotate import write_to_anndata
from infoscope.io.columns import parse_columns
from infoscope.io.digests import file_digest
from infoscope.io.figures import check_figure_path, save_figure
from infoscope.io.pieces import read_pieces
from infoscope.io.plumed import plumed_snippet
from infoscope.io.readers import column_names, read_column, read_table, split_key
from infoscope.io.records import load, save
from infoscope.io.results import check_result_path, read_record, write_result
from infoscope.io.table import Table
from infoscope.io.trajectories import trajectory
from infoscope.io.weights import weights_from_bias

__all__ = [
    "Table",
    "check_figure_path",
    "check_result_path",
    "column_names",
    "file_digest",
    "load",
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
    "write_result",
    "write_to_anndata",
]
