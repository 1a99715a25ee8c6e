"""Which interactions a sequence model has learnt: clones of data whose interactions stop at a given order."""

from .changed_tokens import changed_tokens
from .clone_results import CloneResult
from .compatibility import compatibility_index
from .curve_results import LearningCurves
from .enumeration import enumerate_states, exact_conditionals, law_of_energy, state_numbers
from .exact_kernels import gibbs_kernel, metropolis_kernel, stationary_law
from .exact_results import CompatibilityIndex, GaussianFlow, InteractionDegree, MarkovFloors, OrderLosses
from .factored_logits import factored_logits
from .gaussian_flow import gaussian_gradient_flow
from .interaction_degree import interaction_degree
from .interaction_model import InteractionModel
from .ladder import CloneLadder
from .ladder_results import LadderLosses
from .language_models import causal_conditional, checkpoint_conditionals, masked_conditional
from .learning_curves import learning_curves
from .markov import markov_floors
from .order_losses import exact_order_losses, masked_floor
from .order_spectrum import order_spectrum
from .simple_clones import independent_clone, markov_clone, shuffled_clone
from .spectrum_results import OrderSpectrum
from .study_models import StudyTransformer
from .token_arrays import check_tokens
from .tokens import Tokenizer, TokenWindows, read_tokenizer, token_windows, train_tokenizer
from .weight_motion import WeightMotion

__all__ = [
    # laws that can be listed
    "InteractionDegree",
    "OrderLosses",
    "enumerate_states",
    "exact_conditionals",
    "exact_order_losses",
    "interaction_degree",
    "law_of_energy",
    "masked_floor",
    "state_numbers",
    # closed forms
    "GaussianFlow",
    "MarkovFloors",
    "gaussian_gradient_flow",
    "markov_floors",
    # samplers as matrices
    "gibbs_kernel",
    "metropolis_kernel",
    "stationary_law",
    # of data
    "OrderSpectrum",
    "order_spectrum",
    # clones that need no model
    "independent_clone",
    "markov_clone",
    "shuffled_clone",
    # may one trust conditionals?
    "CompatibilityIndex",
    "compatibility_index",
    # models, and clones drawn from them
    "CloneLadder",
    "CloneResult",
    "InteractionModel",
    "LadderLosses",
    "changed_tokens",
    "factored_logits",
    # what a model has learnt
    "LearningCurves",
    "StudyTransformer",
    "WeightMotion",
    "causal_conditional",
    "checkpoint_conditionals",
    "learning_curves",
    "masked_conditional",
    # from texts to tokens
    "TokenWindows",
    "Tokenizer",
    "read_tokenizer",
    "token_windows",
    "train_tokenizer",
    # what every piece asks
    "check_tokens",
]
