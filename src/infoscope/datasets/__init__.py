"""Data to learn with and to test on: small real data sets, and generators with known answers."""

from .chaos import coupled_lorenz, coupled_lorenz96, coupled_rossler
from .codes import copied_bits, copied_bits_distances, latent_text, latent_text_dimension
from .columns import gaussian_columns, gaussian_limit, noisy_sine
from .densities import double_well_6d, double_well_6d_log_density
from .docstrings import docstring_texts
from .dynamics import ar1, double_well, double_well_sample
from .emoji_captions import emoji_captions, emoji_pictures
from .equilibrium import langevin_wells, markov_chain, ornstein_uhlenbeck
from .molecules import MolecularFrames, load_alanine_dipeptide
from .networks import Network, even_network, logistic_network
from .packaged_models import packaged_model
from .planted_layers import SimulatedLayers, simulated_layers
from .real import digit_descriptions, load_breast_cancer, load_diabetes, load_digits, load_wine
from .spins import CRITICAL_TEMPERATURE, ising_chain, ising_chain_distances, ising_square, ising_square_energy, potts
from .translations import translated_descriptions, translated_messages

__all__ = [
    "CRITICAL_TEMPERATURE",
    "MolecularFrames",
    "Network",
    "SimulatedLayers",
    "ar1",
    "copied_bits",
    "copied_bits_distances",
    "coupled_lorenz",
    "coupled_lorenz96",
    "coupled_rossler",
    "digit_descriptions",
    "docstring_texts",
    "double_well",
    "double_well_6d",
    "double_well_6d_log_density",
    "double_well_sample",
    "emoji_captions",
    "emoji_pictures",
    "even_network",
    "gaussian_columns",
    "gaussian_limit",
    "ising_chain",
    "ising_chain_distances",
    "ising_square",
    "ising_square_energy",
    "langevin_wells",
    "latent_text",
    "latent_text_dimension",
    "load_alanine_dipeptide",
    "load_breast_cancer",
    "load_diabetes",
    "load_digits",
    "load_wine",
    "logistic_network",
    "markov_chain",
    "noisy_sine",
    "ornstein_uhlenbeck",
    "packaged_model",
    "potts",
    "simulated_layers",
    "translated_descriptions",
    "translated_messages",
]
