"""Errors, input checks, threads, progress and results: what every room of the library shares."""

from .bibliography import REFERENCES, bibtex
from .checks import (
    check_choice,
    check_ids,
    check_matrix,
    check_positive_int,
    check_random_state,
    check_same_length,
    check_sample_weight,
    check_unique,
    check_vector,
)
from .deprecation import deprecated, deprecated_names
from .devices import choose_device
from .errors import (
    CorrelatedRowsWarning,
    DataError,
    DataWarning,
    DeprecatedNameWarning,
    InfoscopeError,
    InfoscopeWarning,
    MissingExtraError,
    ParameterError,
    require,
    warn,
)
from .frames import frame_columns, is_frame
from .jit import kernel
from .json_values import flat, plain
from .origin import Origin, SourceFile
from .progress import Progress, progress
from .provenance import Fingerprint, Provenance, fingerprint, provenance, versions
from .results import Result, format_estimate, missing_values, result_classes, say_estimate
from .threads import available_threads, do_all, one_blas_thread

__all__ = [
    "REFERENCES",
    "CorrelatedRowsWarning",
    "DataError",
    "DataWarning",
    "DeprecatedNameWarning",
    "Fingerprint",
    "InfoscopeError",
    "InfoscopeWarning",
    "MissingExtraError",
    "Origin",
    "ParameterError",
    "Progress",
    "Provenance",
    "Result",
    "SourceFile",
    "available_threads",
    "do_all",
    "bibtex",
    "check_choice",
    "check_ids",
    "check_matrix",
    "check_positive_int",
    "check_random_state",
    "check_same_length",
    "check_sample_weight",
    "check_unique",
    "check_vector",
    "choose_device",
    "deprecated",
    "deprecated_names",
    "fingerprint",
    "flat",
    "format_estimate",
    "frame_columns",
    "is_frame",
    "kernel",
    "missing_values",
    "one_blas_thread",
    "plain",
    "progress",
    "provenance",
    "require",
    "result_classes",
    "say_estimate",
    "versions",
    "warn",
]
