"""Training by pseudo-likelihood: steps of Adam on the loss of tokens given the others, until held-out rows lose.

The state is plain arrays.  The rows of a step follow from the seed and the number of the step, so a training that is
stored and goes on takes the same steps as one that never stopped; PyTorch computes on one thread, because the order of
its sums decides bits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from infoscope.base.array_types import Floats
from infoscope.base.contents import integers, number, numbers, whole
from infoscope.base.errors import require, warn
from infoscope.base.progress import progress
from infoscope.base.threads import one_torch_thread

from .networks import Network, site_losses, split

BETAS, EPSILON = (0.9, 0.99), 1e-8
LOOKS = 40  # at the held-out rows, over all steps
LOOK_TOKENS = 2**16  # of them that a look takes at most
LEAST_SHARE = 1e-3  # of the steps, before which nothing is kept but the start
WARM_UP = 0.03  # share of the steps in which the learning rate rises
MOST_RESTORED = 1  # the rate is halved once, then it is an error


class Schedule(NamedTuple):
    """How steps are taken.

    Attributes
    ----------
    n_steps, batch_size : int
    learning_rate : float
        Largest; it rises linearly, and falls to 0 along a cosine.
    optimizer : {"adamw", "sgd"}
    weight_decay : float
        Share of a parameter that a step of rate 1 takes away; the bias keeps all.
    clip : float
        Largest length of a gradient.
    patience : int
        Looks at held-out rows without a better value after which training ends.
    every_site : bool
        Whether a step sees all sites of its sequences; one random site each otherwise.
    kept : tuple of int
        Numbers of steps after which the parameters are kept; the last one that was taken is kept with them.
    """

    n_steps: int
    batch_size: int
    learning_rate: float
    optimizer: str = "adamw"
    weight_decay: float = 0.0
    clip: float = 1.0
    patience: int = 10
    every_site: bool = True
    kept: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class TrainingState:
    """Where a training stands.

    Attributes
    ----------
    parameters, first_moments, second_moments : array (P,)
        Of the last step, and what Adam keeps of the gradients.
    n_steps : int
        Taken so far.
    best : array (P,)
        Parameters that held-out rows liked best; the last ones where nothing is held out.
    best_loss : float
    curve : array (C, 3)
        Step, loss of the steps since the last look, loss of held-out rows.
    running : float
        Sum of the losses of the steps since the last look.
    n_worse : int
        Looks since the best one.
    rate_factor : float
        What the learning rate is multiplied by.
    n_restored : int
        How often the last good state was restored.
    kept_steps : array (K,)
        Steps whose parameters are kept.
    kept : array (K, P)
        These parameters.
    """

    parameters: np.ndarray
    first_moments: np.ndarray
    second_moments: np.ndarray
    best: np.ndarray
    n_steps: int = 0
    best_loss: float = math.inf
    curve: np.ndarray = field(default_factory=lambda: np.empty((0, 3)))
    running: float = 0.0
    n_worse: int = 0
    rate_factor: float = 1.0
    n_restored: int = 0
    kept_steps: np.ndarray = field(default_factory=lambda: np.empty(0, int))
    kept: np.ndarray = field(default_factory=lambda: np.empty((0, 0), np.float32))

    _contents = {
        "parameters": numbers("P", finite=True), "first_moments": numbers("P", finite=True),
        "second_moments": numbers("P", finite=True), "best": numbers("P", finite=True), "n_steps": whole(),
        "best_loss": number(), "curve": numbers("C", 3), "running": number(), "n_worse": whole(),
        "rate_factor": number(), "n_restored": whole(), "kept_steps": integers("K"), "kept": numbers("K", "P"),
    }  # fmt: skip


class Rows(NamedTuple):
    """Sequences and their weights, of mean 1."""

    tokens: np.ndarray
    weights: np.ndarray


def start_training(parameters: Floats) -> TrainingState:
    """A state before the first step."""
    single = np.asarray(parameters, np.float32)
    return TrainingState(
        single, np.zeros_like(single), np.zeros_like(single), single, kept=np.empty((0, single.size), np.float32)
    )


def logarithmic_steps(n_steps: int, n_kept: int) -> tuple[int, ...]:
    """The start, the end, and steps between them evenly on a logarithmic axis.

    Examples
    --------
    >>> from infoscope.clones.training import logarithmic_steps
    >>> logarithmic_steps(1000, 5)
    (0, 1, 10, 100, 1000)
    """
    first = max(1, round(LEAST_SHARE * n_steps))
    between = np.geomspace(first, n_steps, max(2, n_kept - 1)).round().astype(int).tolist()
    return tuple(sorted({0, n_steps, *between}))


def train(
    network: Network,
    rows: Rows,
    held_out: Rows | None,
    state: TrainingState,
    schedule: Schedule,
    seed: int,
    *,
    after_each: Callable[[Callable[[], TrainingState]], object] = lambda make_state: None,
    label: str = "training",
) -> TrainingState:
    """Take steps from a state to the last one, or until held-out rows like none better.

    Parameters
    ----------
    network : Network
    rows, held_out : Rows
        Tokens (n, L) of any integer type, -1 for padding, and weights (n,).
    state : TrainingState
    schedule : Schedule
    seed : int
        Of the rows and sites of every step.
    after_each : function (make_state)
        Called after every step with a function that gives the state as it then is.
    label : str
        Of the progress bar.

    Returns
    -------
    TrainingState

    Raises
    ------
    RuntimeError
        If losses are not finite again after the last good state was restored, with half the learning rate.
    """
    torch = require("torch", "clones")
    with one_torch_thread():
        run = _Run(torch, network, rows, held_out, schedule, seed)
        run.take(state)
        look_every = max(1, schedule.n_steps // LOOKS)
        with progress(schedule.n_steps, label, "steps") as bar:
            bar.update(state.n_steps)
            run.keep_when_due()
            good = run.give()
            while run.n_steps < schedule.n_steps and run.state.n_worse <= schedule.patience:
                loss = run.step()
                if not math.isfinite(loss):
                    good = _restored(good, loss, run.n_steps)
                    run.take(good)
                    continue
                bar.update(1)
                run.keep_when_due()
                if run.n_steps % look_every == 0 or run.n_steps == schedule.n_steps:
                    run.look()
                    good = run.give()
                    bar.note(f"loss {good.curve[-1, 1]:.4f}, held out {good.curve[-1, 2]:.4f}")
                after_each(run.give)
        if schedule.kept:
            run.keep()  # training may have ended before the last of them
        return run.give()


def mean_loss(network: Network, parameters: Floats, rows: Rows) -> tuple[Floats, Floats]:
    """Mean loss of the tokens of every row, and how many tokens that is: (n,) both; padding counts for nothing."""
    torch = require("torch", "clones")
    with one_torch_thread(), torch.inference_mode():
        views = split(network, torch.as_tensor(parameters))
        sums = [
            site_losses(network, views, torch.as_tensor(block.astype(np.int64))).double().sum(dim=1).numpy()
            for block in _blocks(rows.tokens)
        ]
    n_seen = (rows.tokens >= 0).sum(axis=1)
    total = np.concatenate([np.empty(0), *sums])
    return total / np.maximum(n_seen, 1), n_seen


# --------------------------------------------------------------------------------------------------------------- steps
class _Run:
    """Tensors of a training: parameters, moments, and the rows."""

    def __init__(
        self, torch: Any, network: Network, rows: Rows, held_out: Rows | None, schedule: Schedule, seed: int
    ) -> None:
        self.torch, self.network, self.rows, self.schedule, self.seed = torch, network, rows, schedule, seed
        self.held_out = None if held_out is None else _thinned(held_out, network.length)
        self.decayed = np.concatenate(
            [np.full(math.prod(shape), name != "bias", np.float32) for name, shape in network.shapes().items()]
        )
        self.decay = torch.as_tensor(self.decayed * np.float32(schedule.weight_decay))
        self.whole = len(rows.tokens) <= schedule.batch_size
        self.all_rows = self._tensors(slice(None)) if self.whole else None

    def take(self, state: TrainingState) -> None:
        self.state, self.n_steps, self.running = state, state.n_steps, state.running
        tensor = self.torch.tensor
        self.parameters = tensor(state.parameters, requires_grad=True)
        self.first, self.second = tensor(state.first_moments), tensor(state.second_moments)

    def give(self) -> TrainingState:
        parameters = self.parameters.detach().numpy().copy()
        return replace(
            self.state, parameters=parameters, first_moments=self.first.numpy().copy(), n_steps=self.n_steps,
            second_moments=self.second.numpy().copy(), running=self.running,
            best=parameters if self.held_out is None else self.state.best,
        )  # fmt: skip

    def keep_when_due(self) -> None:
        if self.n_steps in self.schedule.kept:
            self.keep()

    def keep(self) -> None:
        """Keep the parameters as they are, unless they are kept already."""
        state = self.state
        if self.n_steps not in state.kept_steps:
            kept = np.vstack([state.kept, self.parameters.detach().numpy()])
            self.state = replace(state, kept_steps=np.append(state.kept_steps, self.n_steps), kept=kept)

    def step(self) -> float:
        """One step; its loss, which is not finite where no step was taken."""
        torch, schedule = self.torch, self.schedule
        rng = np.random.default_rng([self.seed, self.n_steps])
        tokens, weights = self.all_rows or self._tensors(rng.integers(len(self.rows.tokens), size=schedule.batch_size))
        sites = None
        if not schedule.every_site:
            sites = torch.as_tensor(rng.integers(self.network.length, size=len(tokens)))
        losses = site_losses(self.network, split(self.network, self.parameters), tokens, sites)
        seen = tokens >= 0 if sites is None else tokens[torch.arange(len(tokens)), sites][:, None] >= 0
        loss = (losses * weights[:, None]).sum() / (seen * weights[:, None]).sum()
        (gradient,) = torch.autograd.grad(loss, self.parameters)
        length = float(gradient.norm())
        value = float(loss.detach())
        if not (math.isfinite(value) and math.isfinite(length)):
            return math.nan
        with torch.no_grad():
            self._move(gradient * min(1.0, schedule.clip / max(length, 1e-12)))
        self.n_steps += 1
        self.running += value
        return value

    def _move(self, gradient: Any) -> None:
        rate = self.schedule.learning_rate * self.state.rate_factor * _share(self.n_steps, self.schedule.n_steps)
        if self.schedule.optimizer == "sgd":
            self.parameters -= rate * (gradient + self.decay * self.parameters)
            return
        t = self.n_steps + 1
        self.first.lerp_(gradient, 1 - BETAS[0])
        self.second.mul_(BETAS[1]).addcmul_(gradient, gradient, value=1 - BETAS[1])
        scale = (self.second / (1 - BETAS[1] ** t)).sqrt_().add_(EPSILON)
        self.parameters -= rate * (self.first / ((1 - BETAS[0] ** t) * scale) + self.decay * self.parameters)

    def look(self) -> None:
        """Add a row to the curve, and keep the parameters if held-out rows like them best."""
        since = self.n_steps - (int(self.state.curve[-1, 0]) if len(self.state.curve) else 0)
        held_out = math.nan
        parameters = self.parameters.detach().numpy().copy()
        state = self.state
        if self.held_out is not None:
            losses, seen = mean_loss(self.network, parameters, self.held_out)
            held_out = float(np.average(losses, weights=seen * self.held_out.weights))
            better = held_out < state.best_loss
            state = replace(
                state, best=parameters if better else state.best, best_loss=min(held_out, state.best_loss),
                n_worse=0 if better else state.n_worse + 1,
            )  # fmt: skip
        row = [self.n_steps, self.running / max(1, since), held_out]
        self.state, self.running = replace(state, curve=np.vstack([state.curve, row])), 0.0

    def _tensors(self, which: Any) -> tuple[Any, Any]:
        tokens = self.torch.as_tensor(self.rows.tokens[which].astype(np.int64))
        return tokens, self.torch.as_tensor(self.rows.weights[which].astype(np.float32))


def _share(step: int, n_steps: int) -> float:
    """Of the largest learning rate."""
    warm = max(1, round(WARM_UP * n_steps))
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, n_steps - warm)))


def _thinned(rows: Rows, length: int) -> Rows:
    most = max(1, LOOK_TOKENS // length)
    kept = np.unique(np.linspace(0, len(rows.tokens) - 1, most).astype(int)) if len(rows.tokens) > most else slice(None)
    return Rows(rows.tokens[kept], rows.weights[kept])


def _blocks(tokens: np.ndarray) -> list[np.ndarray]:
    return [tokens[first : first + 256] for first in range(0, len(tokens), 256)]


def _restored(good: TrainingState, loss: float, step: int) -> TrainingState:
    text = f"the loss of step {step} is not finite"
    if good.n_restored >= MOST_RESTORED:
        raise RuntimeError(f"{text}, with half the learning rate as well: pass a smaller learning_rate")
    warn(f"{text}: going on from step {good.n_steps} with half the learning rate")
    return replace(good, rate_factor=good.rate_factor / 2, n_restored=good.n_restored + 1)
