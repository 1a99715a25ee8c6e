"""A TOML file that says which family of quantum systems to learn, and what to ask of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from infoscope.base.checks import check_choice, check_positive_int
from infoscope.base.errors import DataError, ParameterError

from .toml_tables import near, read_tables

FAMILIES = ("ising", "random_fields", "heisenberg", "pauli")
LATTICES = ("chain", "square", "graph")
ANSWERS = ("susceptibility", "expectation", "disorder_average", "training")
WITHOUT_OBSERVABLE = ("susceptibility", "training")
OBSERVABLES = ("energy", "magnetization", "squared_magnetization", "spin_correlation", "structure_factor")
NETWORK = (
    *("d_model", "n_heads", "n_layers", "patch_size", "attention", "complex_amplitude", "shared_embedding"),
    *("head_norm", "symmetries", "sampler", "training", "n_samples", "n_iter", "learning_rate", "diag_shift"),
    *("momentum", "form", "systems_per_step", "active", "n_chains", "n_sweeps", "chunk_size", "dtype", "exact"),
)
KEYS = {
    "family": (
        *("kind", "lattice", "size", "periodic", "bonds", "coupling", "couplings", "fixed", "field", "interaction"),
        *("magnetization", "marshall_sign", "terms", "per_site"),
    ),
    "train": ("couplings",),
    "network": NETWORK,
    "ask": ("what", "observable", "options", "couplings", "method", "n_samples", "exact"),
}
SETS = ("low", "high", "number", "spread", "random_state")


class QuantumConfig(NamedTuple):
    """What a file asks for, and the files that were read."""

    family: Any
    trained: np.ndarray | None
    network: dict[str, Any]
    what: str
    observable: Any
    name: str
    couplings: np.ndarray | None
    options: dict[str, Any]
    with_exact: bool
    files: list[Path]


def read_quantum_config(path: str) -> QuantumConfig:
    """Read a file of `infoscope quantum`.

    Parameters
    ----------
    path : str
        TOML with the tables family, train, network and ask.

    Returns
    -------
    QuantumConfig

    Raises
    ------
    DataError
        A file that is missing, or is no TOML; couplings of the wrong number.
    ParameterError
        A table or key that is unknown, or missing; a value that does not fit.
    """
    tables = read_tables(path, KEYS, ("family", "ask"), "docs/rooms/quantum")
    family = _family(path, tables["family"])
    network = dict(tables.get("network", {}))
    exact = network.pop("exact", False)
    if exact and network:
        raise ParameterError(f"{path}: exact = true diagonalises, so [network] has no use for '{next(iter(network))}'")
    train = tables.get("train", {})
    if not exact and "couplings" not in train:
        raise ParameterError(
            f"{path}: [train] needs couplings = {{low = 0.75, high = 2.0, number = 8}}, or rows of numbers; or put "
            "exact = true into [network] to diagonalise"
        )
    trained = None if exact else read_couplings(path, train["couplings"], family, "[train]")
    ask = tables["ask"]
    what = check_choice(ask.get("what", "susceptibility"), f"{path}: what of [ask]", ANSWERS)
    if what == "training":
        _check_training(path, ask, exact)
    elif "couplings" not in ask:
        raise ParameterError(f"{path}: [ask] needs couplings, as [train] has them")
    for key in ("observable", "options"):
        if key in ask and what in WITHOUT_OBSERVABLE:
            raise ParameterError(f"{path}: what = '{what}' asks for no {key}: leave it out")
    observable = None if what in WITHOUT_OBSERVABLE else _observable(path, ask, family)
    return QuantumConfig(
        family=family,
        trained=trained,
        network={name: tuple(one) if isinstance(one, list) else one for name, one in network.items()},
        what=what,
        observable=observable,
        name=str(ask.get("observable", "energy")).replace("_", " "),
        couplings=trained if what == "training" else read_couplings(path, ask["couplings"], family, "[ask]"),
        options={name: ask[name] for name in ("method", "n_samples") if name in ask},
        with_exact=bool(ask.get("exact", False)),
        files=[Path(path)],
    )


def read_couplings(path: str, given: Any, family: Any, where: str) -> np.ndarray:
    """Values of couplings: rows of numbers, evenly spaced ones, or draws.

    Examples
    --------
    >>> from infoscope.cli.inputs.quantum_config import read_couplings
    >>> from infoscope.quantum import Chain, IsingFamily
    >>> read_couplings("a.toml", {"low": 0.5, "high": 1.5, "number": 3}, IsingFamily(Chain(4)), "[ask]").ravel()
    array([0.5, 1. , 1.5])
    """
    if not isinstance(given, Mapping):
        try:
            return family.as_systems(given)  # type: ignore[no-any-return]
        except DataError as error:
            raise DataError(f"{path}: {where}: {error}") from error
    for key in given:
        if key not in SETS:
            raise ParameterError(f"{path}: couplings of {where} have no '{key}'. {near(key, SETS)}")
    missing = [key for key in ("low", "high", "number") if key not in given]
    if missing:
        raise ParameterError(f"{path}: couplings of {where} need {missing[0]}: {{low = 0.5, high = 1.5, number = 8}}")
    m = family.n_couplings
    try:
        low, high = (np.broadcast_to(np.asarray(given[key], np.float64), (m,)) for key in ("low", "high"))
    except (TypeError, ValueError):
        raise ParameterError(
            f"{path}: low and high of {where} are a number, or {m} numbers ({', '.join(family.coupling_names[:4])})"
        ) from None
    number = check_positive_int(given["number"], f"{path}: number of {where}")
    spread = "random" if family.per_site else "even"
    spread = check_choice(given.get("spread", spread), f"{path}: spread of {where}", ("even", "random"))
    if spread == "random":
        seed = check_positive_int(given.get("random_state", 0), f"{path}: random_state of {where}", 0)
        return np.random.default_rng(seed).uniform(low, high, (number, m))
    axes = [np.linspace(a, b, number) for a, b in zip(low, high, strict=True)]
    return np.stack([one.ravel() for one in np.meshgrid(*axes, indexing="ij")], axis=1)


# --------------------------------------------------------------------------------------------------------------- steps
def _check_training(path: str, ask: Mapping[str, Any], exact: bool) -> None:
    """What is asked of a training: nothing but whether exact energies are found beside it."""
    if exact:
        raise ParameterError(f"{path}: exact = true in [network] trains nothing, so what = 'training' has no answer")
    for key in ("couplings", "method", "n_samples"):
        if key in ask:
            raise ParameterError(f"{path}: what = 'training' is about the couplings of [train]: leave {key} out")


def _family(path: str, table: Mapping[str, Any]) -> Any:
    from infoscope.quantum import CustomFamily, HeisenbergFamily, IsingFamily, RandomFieldIsing

    if "kind" not in table:
        raise ParameterError(f"{path}: [family] needs kind = one of {', '.join(FAMILIES)}")
    kind = check_choice(table["kind"], f"{path}: kind of [family]", FAMILIES)
    makers: dict[str, tuple[Callable[..., Any], tuple[str, ...]]] = {
        "ising": (IsingFamily, ("coupling", "field", "interaction")),
        "random_fields": (RandomFieldIsing, ("interaction",)),
        "heisenberg": (HeisenbergFamily, ("couplings", "fixed", "magnetization", "marshall_sign")),
        "pauli": (CustomFamily, ("terms", "magnetization", "per_site")),
    }
    make, known = makers[kind]
    for key in table:
        if key not in (*known, "kind", "lattice", "size", "periodic", "bonds"):
            raise ParameterError(f"{path}: [family] of kind {kind} has no use for '{key}': it takes {', '.join(known)}")
    given = {key: table[key] for key in known if key in table}
    if kind == "pauli":
        given["terms"] = [tuple(one) for one in given.get("terms", ())]
    return make(_lattice(path, table), **given)


def _lattice(path: str, table: Mapping[str, Any]) -> Any:
    from infoscope.quantum import Chain, Graph, Square

    kind = check_choice(table.get("lattice", "chain"), f"{path}: lattice of [family]", LATTICES)
    if "size" not in table:
        raise ParameterError(f"{path}: [family] needs size = 12, or size = [4, 4] for a square")
    size = table["size"]
    given = size if isinstance(size, list) else [size]
    sizes = [check_positive_int(one, f"{path}: size of [family]") for one in given]
    periodic = bool(table.get("periodic", True))
    if len(sizes) > (2 if kind == "square" else 1):
        raise ParameterError(f"{path}: size = {size} does not fit a {kind}")
    if kind == "square":
        return Square(sizes[0], sizes[-1], periodic=periodic)
    if kind == "graph":
        return Graph(sizes[0], table.get("bonds", ()))
    return Chain(sizes[0], periodic=periodic)


def _observable(path: str, ask: Mapping[str, Any], family: Any) -> Any:
    from infoscope import quantum

    name = check_choice(ask.get("observable", "energy"), f"{path}: observable of [ask]", OBSERVABLES)
    options = ask.get("options", {})
    if not isinstance(options, Mapping):
        raise ParameterError(f"{path}: options of {name} are a table: options = {{axis = 'x'}}")
    if name == "energy":
        return "energy"
    first = family.lattice if name == "structure_factor" else family.n_sites
    try:
        return getattr(quantum, name)(first, **options)
    except TypeError as error:
        raise ParameterError(f"{path}: options of {name}: {error}") from error
