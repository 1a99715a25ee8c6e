"""Which proposal a run learns, and whether what the user gave is learnt at all."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
from sklearn.base import clone

from infoscope.base import ParameterError, fingerprint, warn
from infoscope.base.checks import check_choice

from .block_proposal import BlockProposal
from .defensive import DefensiveProposal
from .mixtures import GaussianMixtureProposal

NAMES = ("auto", "gaussian_mixture", "realnvp", "spline", "circular")
DENSITIES = 8  # of a law that is given, by which a checkpoint knows it
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


def describe_proposal(proposal: Any, z: np.ndarray) -> str:
    """What a checkpoint says of it: its parameters, or attributes; of a law that is not trained its density as well.

    Parameters
    ----------
    proposal : str or object
    z : ndarray, shape (n, m)
        Where its density is asked.

    Warns
    -----
    InfoscopeWarning
        If nothing but the name of its class can be said.
    """
    if isinstance(proposal, str):
        return proposal
    params = proposal.get_params() if hasattr(proposal, "get_params") else _attributes(proposal)
    told = [
        f"{name}={value}" if isinstance(value, (int, float, str)) else f"{name} {fingerprint(np.asarray(value))[:8]}"
        for name, value in sorted(params.items())
        if isinstance(value, (int, float, str, np.generic, np.ndarray)) or _is_plain_list(value)
    ]
    if not hasattr(proposal, "fit") or _is_given(proposal):  # figures that another machine has as well
        with np.errstate(all="ignore"):
            logs = np.asarray(proposal.log_prob(z[:DENSITIES]), np.float64)
        told.append("log_prob at the starts " + " ".join(f"{log:.6g}" for log in logs))
    if not told:
        warn(
            f"the checkpoint knows the proposal by the name of its class alone, {type(proposal).__name__}: another one "
            "of the same class would go on from it; give it a get_params, or public attributes"
        )
    return f"{type(proposal).__name__}({', '.join(told)})"


def kinds_of_laws(proposal: Any) -> tuple[str, ...]:
    """Of which kinds the laws are that a proposal draws from, each once: words of `choose_proposal`, or a class."""
    if isinstance(proposal, BlockProposal):
        parts = list(getattr(proposal, "laws_", ()))
    elif hasattr(proposal, "proposal_"):
        parts = [proposal.proposal_]
    elif isinstance(proposal, GaussianMixtureProposal):
        return ("gaussian_mixture",)
    else:
        return (getattr(proposal, "kind_", type(proposal).__name__),)
    return tuple(dict.fromkeys(kind for part in parts for kind in kinds_of_laws(part)))


def _attributes(proposal: Any) -> dict[str, Any]:
    """Those of an object, and of the class where it has no slots for its own."""
    return {name: value for name, value in getattr(proposal, "__dict__", {}).items() if not name.startswith("_")}


def _is_plain_list(value: Any) -> bool:
    if not isinstance(value, (list, tuple)):
        return False
    try:
        return np.asarray(value).dtype.kind in "biufU"
    except ValueError:  # of unequal lengths
        return False


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
