"""Training of a flow: steps of Adam on the negative log density of visited values, and the average of their parameters.

The state is plain arrays.  The rows of a step follow from the seed and the number of the step, and which rows are held
out from their contents, so a training that is stored and goes on takes the same steps as one that never stopped.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from infoscope.base.array_types import Floats
from infoscope.base.contents import numbers, whole
from infoscope.base.errors import require, warn
from infoscope.base.threads import one_torch_thread

from .flow_network import FlowNetwork, make_module

HELD_OUT = 10  # one row in so many
DECAY = 0.99  # of the average over steps
BETAS, EPSILON = (0.9, 0.999), 1e-8
CHECKED = 50  # steps between two looks at the rows that are held out
MOST_RESTORED = 10


class Schedule(NamedTuple):
    """How steps are taken.

    Attributes
    ----------
    learning_rate : float
    batch_size : int
    clip : float
        Largest length of a gradient.
    max_updates : int
    patience : int or None
        Looks at the held-out rows without a better value after which training ends; None for all the steps.
    """

    learning_rate: float
    batch_size: int
    clip: float
    max_updates: int
    patience: int | None


@dataclass(frozen=True, eq=False)
class TrainingState:
    """Where a training stands.

    Attributes
    ----------
    parameters, average : array (P,)
        Those of the last step, and their average over steps.
    first_moments, second_moments : array (P,)
        Of the gradient, as Adam keeps them.
    n_updates : int
        Steps so far.
    rate_factor : float
        What the learning rate is multiplied by, halved whenever a step was not finite.
    n_restored : int
        How often that was.
    """

    parameters: np.ndarray
    average: np.ndarray
    first_moments: np.ndarray
    second_moments: np.ndarray
    n_updates: int = 0
    rate_factor: float = 1.0
    n_restored: int = 0

    _contents = {
        "parameters": numbers("P", finite=True), "average": numbers("P", finite=True),
        "first_moments": numbers("P", finite=True), "second_moments": numbers("P", finite=True),
        "n_updates": whole(), "n_restored": whole(),
    }  # fmt: skip


class Trained(NamedTuple):
    """The last state, the averaged parameters that held-out rows liked best, their mean -ln q, and the curve of it."""

    state: TrainingState
    best: Floats
    held_out: float
    curve: Floats


def start_training(parameters: Floats) -> TrainingState:
    """A state before the first step."""
    single = parameters.astype(np.float32)
    return TrainingState(single, single.copy(), np.zeros_like(single), np.zeros_like(single))


def train(
    network: FlowNetwork, u: Floats, weights: Floats, state: TrainingState, schedule: Schedule, seed: int
) -> Trained:
    """Take steps from a state on standard values.

    Parameters
    ----------
    network : FlowNetwork
        The architecture; its own parameters count for nothing.
    u : array (N, d)
        Standard values.
    weights : array (N,)
    state : TrainingState
    schedule : Schedule
    seed : int
        Of the rows of every step.

    Returns
    -------
    Trained
        With early stopping, `state` is that of the best look, and the next training goes on from there.
    """
    torch = require("torch", "sampling")
    held = held_out_rows(u)
    with one_torch_thread():
        module = make_module(network)
        rows, share = _tensors(torch, u[~held], weights[~held])
        judged, judged_share = _tensors(torch, u[held], weights[held])
        batch = min(schedule.batch_size, len(rows))
        cumulative = np.cumsum(weights[~held]) / weights[~held].sum()
        even = bool((weights == weights[0]).all())
        last = good = best_state = state
        best, best_value, curve, waited = last.average, math.inf, [], 0
        for count in range(1, schedule.max_updates + 1):
            rng = np.random.default_rng([seed, 1, last.n_updates + last.n_restored])
            chosen = rng.integers(len(rows), size=batch) if even else np.searchsorted(cumulative, rng.random(batch))
            advanced = _step(torch, module, last, rows[torch.as_tensor(chosen)], schedule)
            if advanced is None:
                last = _restored(good, last)
                if last.n_restored - state.n_restored >= MOST_RESTORED:
                    warn(
                        f"training a flow stopped after {MOST_RESTORED} steps that were not finite: lower learning_rate"
                    )
                    break
                continue
            last = advanced
            if count % CHECKED and count < schedule.max_updates:
                continue
            value = _value(torch, module, last.average, judged, judged_share)
            curve.append(value)
            if not math.isfinite(value):
                last = _restored(good, last)
                continue
            good = last
            if value < best_value:
                best, best_value, best_state, waited = last.average, value, last, 0
            else:
                waited += 1
            if schedule.patience is not None and waited >= schedule.patience:
                break
    ended = last if schedule.patience is None else best_state
    ended = replace(ended, rate_factor=last.rate_factor, n_restored=last.n_restored)
    return Trained(ended, best, best_value, np.array(curve))


def mean_loss(network: FlowNetwork, parameters: Floats, u: Floats, weights: Floats) -> float:
    """-ln q of the held-out rows, on average, under some parameters; in standard values."""
    torch, held = require("torch", "sampling"), held_out_rows(u)
    with one_torch_thread():
        return _value(torch, make_module(network), parameters, *_tensors(torch, u[held], weights[held]))


def held_out_rows(u: Floats) -> Any:
    """Which rows judge: a tenth, by their contents, so that a row that is repeated never is on both sides.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.sampling.training import held_out_rows
    >>> u = np.random.default_rng(0).normal(size=(1000, 2))
    >>> held = held_out_rows(u)
    >>> bool(60 < held.sum() < 140), bool((held_out_rows(u[::-1]) == held[::-1]).all())
    (True, True)
    """
    mixed = np.zeros(len(u), dtype=np.uint64)
    for column in np.ascontiguousarray(u.T, dtype=np.float32):  # the bits of a row, stirred as splitmix64 does
        mixed = (mixed + column.view(np.uint32) + np.uint64(0x9E3779B97F4A7C15)) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    held = mixed % np.uint64(HELD_OUT) == 0
    if not held.any() or held.all():  # few rows, or all alike
        held = np.arange(len(u)) % HELD_OUT == 0
    return held


# --------------------------------------------------------------------------------------------------------------- steps
def _tensors(torch: Any, u: Floats, weights: Floats) -> tuple[Any, Any]:
    share = (weights / weights.sum()).astype(np.float32)
    return torch.as_tensor(u.astype(np.float32)), torch.as_tensor(share)


def _step(torch: Any, module: Any, state: TrainingState, rows: Any, schedule: Schedule) -> TrainingState | None:
    """One step of Adam with a clipped gradient, and the average after it; None where something is not finite."""
    vector = torch.tensor(state.parameters, requires_grad=True)
    loss = -module.use(vector).log_density(rows).mean()
    loss.backward()
    with torch.no_grad():
        gradient = vector.grad
        length = float(gradient.double().norm())
        if not (math.isfinite(float(loss)) and math.isfinite(length)):
            return None
        gradient *= min(1.0, schedule.clip / max(length, 1e-12))
        optimiser = torch.optim.Adam([vector], lr=schedule.learning_rate * state.rate_factor, betas=BETAS, eps=EPSILON)
        optimiser.state[vector] = {
            "step": torch.tensor(float(state.n_updates)),
            "exp_avg": torch.tensor(state.first_moments),
            "exp_avg_sq": torch.tensor(state.second_moments),
        }
        optimiser.step()
        moments = optimiser.state[vector]
        n = state.n_updates + 1
        decay = min(DECAY, (1 + n) / (10 + n))  # the first steps are forgotten sooner
        parameters = vector.detach().numpy()
        average = (decay * state.average + (1 - decay) * parameters).astype(np.float32)
    if not np.isfinite(parameters).all():
        return None
    return replace(
        state,
        parameters=parameters,
        average=average,
        first_moments=moments["exp_avg"].numpy(),
        second_moments=moments["exp_avg_sq"].numpy(),
        n_updates=n,
    )


def _restored(good: TrainingState, last: TrainingState) -> TrainingState:
    """The last good state with half the learning rate."""
    return replace(good, rate_factor=last.rate_factor / 2, n_restored=last.n_restored + 1)


def _value(torch: Any, module: Any, parameters: Floats, rows: Any, share: Any) -> float:
    with torch.inference_mode():
        return -float((module.use(torch.as_tensor(parameters, dtype=rows.dtype)).log_density(rows) * share).sum())
