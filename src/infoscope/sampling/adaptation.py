"""What is learnt before production: local step, basins, proposal, strength of springs, masses, time step, lengths."""

from __future__ import annotations

from typing import Any

import numpy as np

from infoscope.base import DataError
from infoscope.statistics import check_jumps, check_period

from .basins import CentreBasins, find_basins
from .buffer import FEWEST_PER_VARIABLE, LONGEST
from .iteration import make_embedding
from .mass_adaptation import PathVariance, masses_of
from .results import BURN_IN
from .state import RunState
from .step_adaptation import tune_lengths, tune_step
from .variables import short_way

SPRING_WIDTH = 0.2  # of the smallest width of a basin


class Adapter:
    """Which settings are found by the run, and how.

    Parameters
    ----------
    target, variables
        As the sampler has them.
    automatic : set of str
        Of "step", "step_length", "masses", "schedule", "kappa": those that are not given.
    learns : bool
        Whether the proposal has a `fit` of its own.
    given_basins : object or None
    client : dask.distributed.Client, optional
        Its workers drag the paths.
    """

    def __init__(
        self, target: Any, variables: Any, automatic: set[str], learns: bool, given_basins: Any, client: Any = None
    ) -> None:
        self.target, self.variables, self.automatic, self.learns = target, variables, automatic, learns
        self.given_basins, self.client = given_basins, client

    def adapt_local_step(self, state: RunState, acceptance: np.ndarray) -> None:
        """Dual averaging, with all chains' moves of one iteration."""
        state.local_rule.update(float(np.mean(acceptance)))
        state.settings = state.settings.but(local_step=state.local_rule.step_size)

    def freeze_local_step(self, state: RunState) -> None:
        """What the local step settles at, from here on."""
        state.settings = state.settings.but(local_step=state.local_rule.averaged)

    def end_burn_in(self, state: RunState) -> None:
        """Basins, and everything that needs them, from where local moves stayed."""
        trace, period = np.array(state.burn_in), self.variables.period
        late = trace[len(trace) // 4 :]
        state.basins = find_basins(late, period) if self.given_basins is None else self.given_basins
        flat = late.reshape(-1, late.shape[2])
        self._set_kappa(state, flat)
        state.variance = self._new_variance(state, flat)
        state.visited.add(flat, state.basins.labels(flat))
        self._look(state)

    def look_for_angles(self, state: RunState) -> None:
        """Warn of variables that local moves carried over the cut of an angle whose period was not said."""
        trace = np.array(state.burn_in)
        for at in np.flatnonzero(np.asarray(self.variables.period) == 0):
            if not check_jumps(trace[:, :, at], self.variables.names[at]):
                check_period(trace[:, :, at].ravel(), 0, self.variables.names[at])

    def look(self, state: RunState) -> None:
        """Take in where the chains are."""
        z = self.variables.values(state.chains.x)
        labels = state.basins.labels(z)
        state.visited.add(z, labels)
        if state.phase > BURN_IN:
            state.visited.count(labels)
        self._look(state)

    def train(self, state: RunState, *, anew: bool = True) -> None:
        """Fit the proposal to what was visited, every basin counting the same."""
        if not self.learns:
            return
        z, weights = state.visited.training_set(getattr(state.proposal, "most_rows", None) or LONGEST)
        names, m = self.variables.names, z.shape[1]
        if len(z) < FEWEST_PER_VARIABLE * m:
            raise DataError(
                f"{len(z)} values of {m} variable{'s' * (m > 1)} are too few to learn a proposal from: at least "
                f"{FEWEST_PER_VARIABLE * m} are needed; use more chains, a longer burn-in, or give "
                "proposal=GaussianMixtureProposal(means, covariances)"
            )
        still = np.flatnonzero(np.ptp(z, axis=0) == 0)
        if len(still):
            raise DataError(
                f"the variable {names[still[0]]} never changed: leave it out, or start chains where it is different"
            )
        learn = state.proposal.fit if anew or not hasattr(state.proposal, "partial_fit") else state.proposal.partial_fit
        learn(z, sample_weight=weights)

    def tune(self, state: RunState) -> None:
        """Masses, time step and lengths of the paths, with the proposal as it is."""
        settings, automatic = state.settings, self.automatic
        if "masses" in automatic and state.variance is not None:
            variance = state.variance.variance(settings.kappa)
            if variance is not None and (variance > 0).any():
                settings = settings.but(masses=masses_of(variance))
                if "schedule" in automatic:
                    settings = settings.but(schedule="cosine")
                if "step" in automatic:
                    settings = settings.but(step=1.0)
        underdamped = settings.path == "underdamped"
        if "step" in automatic:
            step = tune_step(self._make, settings, state.chains) if underdamped else settings.local_step
            settings = settings.but(step=step)
        if "step_length" in automatic:
            vary = "step" in automatic and underdamped
            settings, state.pilots = tune_lengths(
                self._make, state.proposal, state.basins, settings, state.chains, vary_step=vary
            )
        state.settings = settings

    # ---- steps ----
    def _make(self, settings: Any) -> Any:
        return make_embedding(self.target, self.variables, settings, self.client)

    def _set_kappa(self, state: RunState, z: np.ndarray) -> None:
        if "kappa" not in self.automatic or state.settings.embedding != "soft":
            return
        labels, period = state.basins.labels(z), self.variables.period
        widths = []
        for b in np.unique(labels):
            rows = z[labels == b]
            widths.append(np.sqrt((short_way(rows - rows[0], period)).var(0)))
        narrow = np.min(widths, axis=0)
        if (narrow == 0).any():
            name = self.variables.names[int(np.flatnonzero(narrow == 0)[0])]
            raise DataError(f"the variable {name} did not change within a basin: leave it out, or give kappa")
        state.settings = state.settings.but(kappa=1 / (SPRING_WIDTH * narrow) ** 2)

    def _new_variance(self, state: RunState, z: np.ndarray) -> PathVariance | None:
        if "masses" not in self.automatic or state.settings.embedding == "rigid":
            return None
        basins, period = state.basins, self.variables.period
        labels = basins.labels(z)
        if isinstance(basins, CentreBasins):
            centres, scale = basins.centres, basins.scale
        else:
            n = max(basins.n_basins, int(labels.max()) + 1)
            centres = np.array([z[labels == b][0] if (labels == b).any() else z[0] for b in range(n)])
            scale = np.ones(z.shape[1])
        d = self._make(state.settings).n_auxiliary
        return PathVariance.empty(centres, scale, period, d)

    def _look(self, state: RunState) -> None:
        """The rest of the coordinates, for the masses."""
        if state.variance is None:
            return
        z = self.variables.values(state.chains.x)
        y = state.chains.x
        if state.settings.embedding == "subset":
            y = self._make(state.settings).split(state.chains.x, state.chains.generators)[1]
        state.variance.add(z, y, state.basins.labels(z))
