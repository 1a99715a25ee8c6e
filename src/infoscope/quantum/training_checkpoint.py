"""The file that a run of training goes on from, and what it must agree with."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from infoscope.base import ParameterError
from infoscope.storage import Checkpoint

from .network_choice import NetworkChoice
from .training_options import settle_sampler


def open_checkpoint(
    path: Any, options: dict[str, Any], *, resume: bool, every: float
) -> AbstractContextManager[Checkpoint | None]:
    """The checkpoint, as a context; None where none was asked for."""
    if path is None:
        if resume:
            raise ParameterError("resume=True needs checkpoint=, the file to go on from")
        return nullcontext()
    if not str(path).endswith(".npz"):
        raise ParameterError(f"checkpoint is {str(path)!r}: its name must end in .npz")
    return Checkpoint(path, options, resume=resume, every=every)


def checkpoint_options(
    estimator: Any, rows: Any, weights: Any, choice: NetworkChoice, scaling: Any, schedule: Any, trained: Any,
    n_rows: int, theta: Any,
) -> dict[str, Any]:  # fmt: skip
    """What a checkpoint must agree with: of another lattice, precision or schedule none is taken."""
    operator = estimator.family.operator
    seed = estimator.random_state if isinstance(estimator.random_state, (int, np.integer)) else "drawn"
    return {
        "lattice": repr(estimator.family.lattice),
        "dtype": estimator.dtype,
        "hamiltonian": [operator.flips, operator.term_flip, operator.term_signs, operator.term_weight],
        "network": {name: str(value) for name, value in choice.options.items()},
        "symmetries": [choice.group.permutations, choice.group.flips, choice.group.characters],
        "couplings": rows,
        "weights": weights,
        "scaling": scaling,
        "schedule": {name: str(value) for name, value in vars(schedule).items()},
        "trained": ", ".join(trained),
        "rows": n_rows,
        "sampler": [settle_sampler(estimator), estimator.training, str(estimator.n_chains), float(estimator.n_sweeps)],
        "systems_per_step": str(estimator.systems_per_step),
        "active": bool(estimator.active),
        "seed": seed,
        "start": np.asarray(theta) if trained else "random",
    }
