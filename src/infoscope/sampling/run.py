"""The loop of a run: burn-in, adaptation, production; what is kept on the way, and how it ends early."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from infoscope.base.progress import progress

from .adaptation import Adapter
from .global_move import GlobalMove
from .iteration import Chains, make_embedding, move_globally, move_locally
from .results import ADAPTATION, BURN_IN, PRODUCTION
from .state import RunState

LEAST_LOCAL = 10  # local moves an iteration before production: basins have to be seen
PHASES = ("burn-in", "adaptation", "production")


class RunInterrupted(KeyboardInterrupt):
    """Ctrl-C, noticed between two iterations: the state is whole."""


class Run:
    """One run of a sampler.

    Parameters
    ----------
    target, variables
    adapter : Adapter
    lengths : tuple of three int
        Iterations of burn-in, adaptation and production.
    train_every : int
        Iterations of adaptation between two trainings of the proposal.
    always : bool
        Whether to go on adapting in production.
    keep : function (columns)
        Takes the rows of one iteration of production.
    client : dask.distributed.Client, optional
        Its workers drag the paths.
    """

    def __init__(
        self,
        target: Any,
        variables: Any,
        adapter: Adapter,
        lengths: tuple[int, int, int],
        train_every: int,
        always: bool,
        keep: Callable[[dict[str, np.ndarray]], None],
        client: Any = None,
    ) -> None:
        self.target, self.variables, self.adapter, self.lengths = target, variables, adapter, lengths
        self.train_every, self.always, self.keep, self.client = train_every, always, keep, client

    def go(self, state: RunState, after_each: Callable[[], None]) -> None:
        """To the end; `after_each` is called between iterations, where a state is whole.

        Raises
        ------
        RunInterrupted
            Ctrl-C, at the end of the iteration in which it came.
        """
        with interrupts_deferred() as interrupted:
            while state.phase < PRODUCTION:
                self._phase(state, after_each, interrupted)
            self._phase(state, after_each, interrupted)

    # ---- steps ----
    def _phase(self, state: RunState, after_each: Callable[[], None], interrupted: Any) -> None:
        total, phase = self.lengths[state.phase], state.phase
        label = f"sampling, {PHASES[phase]}"
        switches = _Switches()
        with progress(total, label, "iterations") as bar:
            bar.update(state.done)
            while state.done < total:
                (self._burn_in, self._adapt, self._produce)[phase](state)
                state.done += 1
                bar.update(1)
                bar.note(switches.note(self, state))
                after_each()
                if interrupted() and not (phase == PRODUCTION and state.done == total):
                    raise RunInterrupted
        if phase == BURN_IN:
            self._end_burn_in(state)
        elif phase == ADAPTATION:
            if total:
                self.adapter.train(state)
                self.adapter.tune(state)
            self.adapter.freeze_local_step(state)
        if phase == PRODUCTION:
            return
        state.phase, state.done = phase + 1, 0
        after_each()
        if interrupted():
            raise RunInterrupted

    def _burn_in(self, state: RunState) -> None:
        n_moves = max(state.settings.n_local, LEAST_LOCAL)
        state.chains, acceptance, n_gradients = move_locally(self.target, state.chains, state.settings, n_moves)
        self.adapter.adapt_local_step(state, acceptance)
        state.burn_in.append(self.variables.values(state.chains.x))
        state.burn_in_gradients = n_gradients
        state.history.append([BURN_IN, np.nan, np.nan, np.nan, np.nan])
        if state.basins is not None:
            self.adapter.look(state)
        elif len(state.burn_in) == max(2, self.lengths[BURN_IN] // 2):
            self.adapter.end_burn_in(state)

    def _end_burn_in(self, state: RunState) -> None:
        if state.basins is None:
            self.adapter.end_burn_in(state)
        self.adapter.look_for_angles(state)
        self.adapter.train(state)
        self.adapter.tune(state)

    def _adapt(self, state: RunState) -> None:
        n_moves = max(state.settings.n_local, LEAST_LOCAL)
        state.chains, acceptance, _ = move_locally(self.target, state.chains, state.settings, n_moves)
        self.adapter.adapt_local_step(state, acceptance)
        self._record(state, self._global(state), ADAPTATION)
        self.adapter.look(state)
        done = state.done + 1
        if done == self.lengths[ADAPTATION] // 2:
            self.adapter.train(state, anew=False)
            self.adapter.tune(state)
        elif done % self.train_every == 0:
            self.adapter.train(state, anew=False)

    def _produce(self, state: RunState) -> None:
        settings = state.settings
        state.chains, _, n_local = move_locally(self.target, state.chains, settings, settings.n_local)
        xi = self.variables.values(state.chains.x)
        move = self._global(state)
        self._record(state, move, PRODUCTION)
        for name, failed in (
            ("n_nan", move.is_nan),
            ("n_constraint_failed", move.constraint_failed),
            ("n_ambiguous", move.ambiguous),
        ):
            state.counts[name] += int(failed.sum())
        self.keep(rows_of(state.chains, self.variables, xi, move, n_local))
        if self.always:
            self.adapter.look(state)
            if (state.done + 1) % self.train_every == 0:
                self.adapter.train(state, anew=False)

    def _global(self, state: RunState) -> GlobalMove:
        embedding = make_embedding(self.target, self.variables, state.settings, self.client)
        state.chains, move = move_globally(embedding, state.proposal, state.settings, state.chains)
        return move

    def _record(self, state: RunState, move: GlobalMove, phase: int) -> None:
        crossing = state.basins.labels(move.z_before) != state.basins.labels(move.z_proposed)
        nll = -float(np.mean(move.log_q_before))
        state.history.append(
            [
                float(phase),
                float(move.accepted.mean()),
                float(move.accepted[crossing].mean()) if crossing.any() else np.nan,
                nll if np.isfinite(nll) else np.nan,
                state.settings.step_length,
            ]
        )


def rows_of(
    chains: Chains, variables: Any, before: np.ndarray, move: GlobalMove, n_local: int
) -> dict[str, np.ndarray]:
    """Columns of one iteration, a row a chain; `before` are the variables before its global move."""
    beyond = np.asarray(variables.values(move.x_proposed), np.float64)
    with np.errstate(invalid="ignore"):
        work = move.log_q_before - move.log_q_proposed - move.log_acceptance
    return {
        "positions": chains.x,
        "variables": np.where(move.accepted[:, None], beyond, before),
        "start": move.z_before,
        "proposed": move.z_proposed,
        "before": np.asarray(before, np.float64),
        "beyond": beyond,
        "accepted": move.accepted,
        "log_acceptance": move.log_acceptance,
        "work": np.where(np.isfinite(move.log_acceptance), work, np.inf),
        "n_steps": move.n_steps,
        "n_gradients": move.n_gradients + n_local,
    }


def columns_of(n_coordinates: int, n_variables: int) -> dict[str, Any]:
    """Names and types of what `rows_of` gives, for a stream."""
    m = ("f8", (n_variables,))
    return {
        "positions": ("f8", (n_coordinates,)),
        **{name: m for name in ("variables", "start", "proposed", "before", "beyond")},
        "accepted": "?",
        **{name: "f8" for name in ("log_acceptance", "work")},
        **{name: "i8" for name in ("n_steps", "n_gradients")},
    }


@contextmanager
def interrupts_deferred() -> Iterator[Callable[[], bool]]:
    """While it lasts, Ctrl-C is only noted: what is yielded says whether it came.  A second one ends at once."""
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False  # only the main thread hears of signals
        return
    seen = False
    before = signal.getsignal(signal.SIGINT)

    def note(number: int, frame: Any) -> None:
        nonlocal seen
        if seen:
            signal.signal(signal.SIGINT, before)
            raise KeyboardInterrupt
        seen = True

    if before is None or before is signal.SIG_IGN:
        yield lambda: False
        return
    signal.signal(signal.SIGINT, note)
    try:
        yield lambda: seen
    finally:
        signal.signal(signal.SIGINT, before)


class _Switches:
    """What is shown beside the bar: acceptance of the last iterations, and changes of basin seen so far."""

    def __init__(self) -> None:
        self.where: np.ndarray | None = None
        self.count, self.rates = 0, list[float]()

    def note(self, run: Run, state: RunState) -> str:
        if state.basins is None or not state.history:
            return ""
        where = state.basins.cores(run.variables.values(state.chains.x))
        if self.where is not None:
            inside = where >= 0
            self.count += int((inside & (self.where >= 0) & (where != self.where)).sum())
            where = np.where(inside, where, self.where)
        self.where = where
        self.rates = [*self.rates[-49:], state.history[-1][1]]
        rate = float(np.mean(self.rates))
        return "" if np.isnan(rate) else f"acceptance {rate:.2f}, {self.count} switches"
