"""Where the rows of a training step come from, for the parameters of an estimator."""

from __future__ import annotations

from typing import Any

from infoscope.base.checks import check_choice, check_positive_int

from .chain_rows import ChainRows
from .exact_rows import ExactRows
from .network import NetworkShape
from .network_choice import NetworkChoice


def make_rows(
    estimator: Any, choice: NetworkChoice, n_rows: int, per_step: int, n_systems: int, trained: Any, sampler: str
) -> Any:
    """The enumerated law, or Markov chains."""
    chunk = 0 if estimator.chunk_size is None else check_positive_int(estimator.chunk_size, "chunk_size")
    options = {
        "form": check_choice(estimator.form, "form", ("auto", "primal", "dual")),
        "trained": trained,
        "single": estimator.dtype == "float32",
        "chunk": chunk,
    }
    shape = NetworkShape(**choice.options)
    if sampler == "exact":
        return ExactRows(estimator.family, choice, shape, n_rows, per_step, estimator.training == "full_sum", options)
    return ChainRows(estimator, choice, shape, n_rows, per_step, n_systems, options)
