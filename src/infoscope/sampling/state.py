"""Everything that a run needs to go on: in memory as objects, in a checkpoint as arrays, numbers and generators."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from infoscope.base import ParameterError

from .basins import CentreBasins
from .buffer import VisitedValues
from .chain_state import ChainState
from .iteration import Chains, Settings
from .local_moves import DualAveraging
from .mass_adaptation import PathVariance
from .results import BURN_IN


@dataclass
class RunState:
    """Where a run is.

    Attributes
    ----------
    chains : Chains
    settings : Settings
    proposal : object
    phase, done : int
        Phase, and iterations of it that are done.
    basins : object or None
        None until burn-in has found them.
    visited : VisitedValues
    variance : PathVariance or None
    burn_in : list of ndarray (n_chains, m)
    history : list of list of float
    pilots : ndarray, shape (P, 3)
    counts : dict
        Of paths that failed, in production.
    burn_in_gradients : int
    adapter : Generator
        For what is drawn for no chain: masses of the proposal.
    local_rule : DualAveraging
        Of the local step.
    """

    chains: Chains
    settings: Settings
    proposal: Any
    adapter: np.random.Generator
    local_rule: DualAveraging
    phase: int = BURN_IN
    done: int = 0
    basins: Any = None
    visited: VisitedValues = field(default_factory=lambda: VisitedValues([], []))
    variance: PathVariance | None = None
    burn_in: list[np.ndarray] = field(default_factory=list)
    history: list[list[float]] = field(default_factory=list)
    pilots: np.ndarray = field(default_factory=lambda: np.empty((0, 3)))
    counts: dict[str, int] = field(default_factory=lambda: {"n_nan": 0, "n_constraint_failed": 0, "n_ambiguous": 0})
    burn_in_gradients: int = 0

    def to_plain(self, keep_proposal: bool, keep_basins: bool) -> dict[str, Any]:
        """For a `Checkpoint`; what the user gave and nothing changes is not kept."""
        chains, variance = self.chains, self.variance
        return {
            "x": chains.state.x,
            "energy": chains.state.energy,
            "gradient": chains.state.gradient,
            "generators": list(chains.generators),
            "settings": asdict(self.settings),
            "proposal": self.proposal if keep_proposal else None,
            "adapter": self.adapter,
            "phase": self.phase,
            "done": self.done,
            "basins": _plain_basins(self.basins) if keep_basins and self.basins is not None else None,
            "basins_known": self.basins is not None,  # those that were given are known from the middle of burn-in on
            "visited": list(self.visited.values),
            "visits": list(self.visited.visits),
            "variance": None if variance is None else {**variance.sums, "centres": variance.centres},
            "burn_in": np.array(self.burn_in),
            "history": np.array(self.history, np.float64).reshape(-1, 5),
            "pilots": self.pilots,
            "counts": dict(self.counts),
            "burn_in_gradients": self.burn_in_gradients,
            "local_rule": self.local_rule.state(),
        }


def state_from_plain(plain: dict[str, Any], proposal: Any, basins: Any, period: np.ndarray) -> RunState:
    """The state that `RunState.to_plain` wrote; proposal and basins are those given where they were not kept."""
    found = None
    if plain["basins"] is not None:
        found = CentreBasins(plain["basins"]["centres"], plain["basins"]["scale"], period)
    settled = found if found is not None else basins
    sums = plain["variance"]
    variance = None
    if sums is not None:
        if settled is None:
            raise ParameterError("the checkpoint has sums of basins that it does not have: delete it to start anew")
        own = {name: one for name, one in sums.items() if name != "centres"}
        scale = settled.scale if isinstance(settled, CentreBasins) else np.ones(sums["centres"].shape[1])
        variance = PathVariance(sums["centres"], scale, period, own)
    return RunState(
        chains=Chains(ChainState(plain["x"], plain["energy"], plain["gradient"]), list(plain["generators"])),
        settings=Settings(**plain["settings"]),
        proposal=proposal if plain["proposal"] is None else plain["proposal"],
        adapter=plain["adapter"],
        local_rule=DualAveraging.restored(plain["local_rule"]),
        phase=plain["phase"],
        done=plain["done"],
        basins=settled if plain.get("basins_known", plain["phase"] > BURN_IN or found is not None) else None,
        visited=VisitedValues(list(plain["visited"]), list(plain["visits"])),
        variance=variance,
        burn_in=list(plain["burn_in"]),
        history=plain["history"].tolist(),
        pilots=plain["pilots"],
        counts=dict(plain["counts"]),
        burn_in_gradients=plain["burn_in_gradients"],
    )


def _plain_basins(basins: CentreBasins) -> dict[str, np.ndarray]:
    return {"centres": basins.centres, "scale": basins.scale}
