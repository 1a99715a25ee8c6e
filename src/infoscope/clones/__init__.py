"""Which interactions a sequence model has learnt: clones of data whose interactions stop at a given order."""

from .enumeration import enumerate_states, exact_conditionals, law_of_energy, state_numbers
from .exact_kernels import gibbs_kernel, metropolis_kernel, stationary_law
from .exact_results import InteractionDegree, OrderLosses
from .factored_logits import factored_logits
from .interaction_degree import interaction_degree
from .order_losses import exact_order_losses, masked_floor
from .token_arrays import check_tokens

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
    # samplers as matrices
    "gibbs_kernel",
    "metropolis_kernel",
    "stationary_law",
    # models
    "factored_logits",
    # what every piece asks
    "check_tokens",
]
