"""Data to learn with and to test on: small real data sets, and generators with known answers."""

from .codes import copied_bits, copied_bits_distances, latent_text, latent_text_dimension
from .columns import gaussian_columns, gaussian_limit, noisy_sine
from .densities import double_well_6d, double_well_6d_log_density
from .dynamics import ar1, double_well, double_well_sample
from .molecules import MolecularFrames, load_alanine_dipeptide
from .real import digit_descriptions, load_breast_cancer, load_diabetes, load_digits, load_wine
from .spins import CRITICAL_TEMPERATURE, ising_chain, ising_chain_distances, ising_square, ising_square_energy, potts

__all__ = [
    "CRITICAL_TEMPERATURE",
    "MolecularFrames",
    "ar1",
    "copied_bits",
    "copied_bits_distances",
    "digit_descriptions",
    "double_well",
    "double_well_6d",
    "double_well_6d_log_density",
    "double_well_sample",
    "gaussian_columns",
    "gaussian_limit",
    "ising_chain",
    "ising_chain_distances",
    "ising_square",
    "ising_square_energy",
    "latent_text",
    "latent_text_dimension",
    "load_alanine_dipeptide",
    "load_breast_cancer",
    "load_diabetes",
    "load_digits",
    "load_wine",
    "noisy_sine",
    "potts",
]
