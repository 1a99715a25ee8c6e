"""Data to learn with and to test on: small real data sets, and generators with known answers."""

from infoscope.datasets.columns import gaussian_columns, gaussian_limit, noisy_sine
from infoscope.datasets.densities import double_well_6d, double_well_6d_log_density
from infoscope.datasets.dynamics import ar1, double_well, double_well_sample
from infoscope.datasets.molecules import MolecularFrames, load_alanine_dipeptide
from infoscope.datasets.real import digit_descriptions, load_breast_cancer, load_diabetes, load_digits, load_wine

__all__ = [
    "MolecularFrames",
    "ar1",
    "digit_descriptions",
    "double_well",
    "double_well_6d",
    "double_well_6d_log_density",
    "double_well_sample",
    "gaussian_columns",
    "gaussian_limit",
    "load_alanine_dipeptide",
    "load_breast_cancer",
    "load_diabetes",
    "load_digits",
    "load_wine",
    "noisy_sine",
]
