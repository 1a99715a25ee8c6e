"""Which proposal a run learns, and whether what the user gave is learnt at all."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
from sklearn.base import clone

from infoscope.base import ParameterError, fingerprint
from infoscope.base.checks import check_choice

from .defensive import DefensiveProposal
from .mixtures import GaussianMixtureProposal

NAMES = ("auto", "gaussian_mixture", "realnvp", "spline", "circular")
FEW = 3  # variables that a mixture is enough for


def choose_proposal(proposal: Any, variables: Any, random_state: Any) -> tuple[Any, bool]:
    """The proposal of a run, and whether it is trained.

    Parameters
    ----------
    proposal : str or object
    variables : CollectiveVariables
    random_state : int, Generator or None
        An int is the seed of training too.

    Raises
    ------
    ParameterError
        A word that is unknown, an object without `sample` and `log_prob`, of other variables, or whose answers have
        another shape.
    """
    m = len(variables.names)
    if isinstance(proposal, str):
        name = check_choice(proposal, "proposal", NAMES)
        if name == "auto" and (m <= FEW or not _has_flows()):
            name = "gaussian_mixture"  # else the flow chooses its own layers
        seed = int(random_state) if isinstance(random_state, (int, np.integer)) else 0
        period = np.asarray(variables.period, np.float64)
        return DefensiveProposal(_make_named(name, period, seed)), True
    missing = [name for name in ("sample", "log_prob") if not hasattr(proposal, name)]
    if missing:
        raise ParameterError(
            f"proposal is a {type(proposal).__name__} without {' and '.join(missing)}: give an object with "
            f"sample(n, rng) and log_prob(z), or one of {', '.join(map(repr, NAMES))}"
        )
    learns = hasattr(proposal, "fit") and not _is_given(proposal)
    n = getattr(proposal, "n_variables", m) if not learns else m
    if n != m:
        raise ParameterError(f"the proposal is of {n} variables, and there are {m}: {', '.join(variables.names)}")
    if not learns:
        _check_law(proposal, m)
    return (clone(proposal) if learns else proposal), learns


def describe_proposal(proposal: Any) -> str:
    """What a checkpoint says of it; a given law by its density at a few places."""
    if isinstance(proposal, str):
        return proposal
    params = proposal.get_params() if hasattr(proposal, "get_params") else {}
    arrays = {name: value for name, value in params.items() if isinstance(value, (int, float, str, np.ndarray, list))}
    told = ", ".join(
        f"{name}={value}" if isinstance(value, (int, float, str)) else f"{name} {fingerprint(np.asarray(value))[:8]}"
        for name, value in sorted(arrays.items())
    )
    return f"{type(proposal).__name__}({told})"


def _check_law(proposal: Any, m: int) -> None:
    """A law that is given draws rows of the variables, and knows one number for each of its own draws."""
    draws = np.asarray(proposal.sample(3, np.random.default_rng(0)))
    if draws.shape != (3, m):
        raise ParameterError(f"the proposal returns shape {draws.shape} for sample(3, rng): expected (3, {m})")
    logs = np.asarray(proposal.log_prob(draws))
    if logs.shape != (3,) or not np.isfinite(logs).all():
        what = f"shape {logs.shape}" if logs.shape != (3,) else f"{logs.tolist()}"
        raise ParameterError(
            f"log_prob of the proposal returns {what} for 3 of its own draws: expected 3 finite numbers"
        )


def _make_named(name: str, period: np.ndarray, seed: int) -> Any:
    if name == "gaussian_mixture":
        return GaussianMixtureProposal(period=period if period.any() else None, random_state=seed)
    from .flows import FlowProposal

    return FlowProposal(name, period=period if period.any() else None, random_state=seed)


def _has_flows() -> bool:
    return find_spec("torch") is not None and find_spec("zuko") is not None


def _is_given(proposal: Any) -> bool:
    """A law that is complete already: a mixture whose means were given, something that was fitted before."""
    if hasattr(proposal, "means") and proposal.means is not None:
        return True
    return any(name.endswith("_") and not name.startswith("_") for name in vars(proposal))
