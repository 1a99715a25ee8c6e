"""Parameters of published networks, in and out: ``ViTFNQS`` of netket-foundation, and the architecture of the paper.

Both have the shape of ours, without standardised couplings and without sums over symmetries.  The first has no layer
norms in its head; both embed spins and fields of a disordered family by the same map.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from infoscope.base import DataError, ParameterError, require

if TYPE_CHECKING:
    from .state import FoundationQuantumState

PARTS = {
    "embedding.spins": "patches_and_embed/embed",
    "embedding": "embed",
    "attention.weights": "attn/J",
    "attention.value": "attn/v",
    "attention.output": "attn/W",
    "norm1": "layer_norm_1",
    "norm2": "layer_norm_2",
    "hidden": "ff/layers_0",
    "output": "ff/layers_2",
    "head.norm": "output/out_layer_norm",
    "head.amplitude.norm": "output/norm0",
    "head.phase.norm": "output/norm1",
    "head.amplitude": "output/output_layer0",
    "head.phase": "output/output_layer1",
}


def from_published_parameters(
    source: Any, family: Any, couplings: Any, *, patch_size: Any = "auto", symmetries: Any = None, **options: Any
) -> FoundationQuantumState:
    """A trained state from parameters of a published network.

    Parameters
    ----------
    source : path or mapping
        A folder with ``flax_model.msgpack`` or a ``.npz`` file, such a file, or the nested mapping ``params`` itself.
        Names in a ``.npz`` file join the levels by ``/``.
    family : SpinFamily
        What it was trained for.
    couplings : array (R, m)
        Where it was trained.
    patch_size : int or "auto"
    symmetries : None, "auto", sequence or mapping
        Sums over images that are put around it; none by default, as it was published.
    **options
        Further parameters of `FoundationQuantumState`, for fine-tuning.

    Returns
    -------
    FoundationQuantumState

    Raises
    ------
    DataError
        Arrays that are missing, or do not fit the family.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.quantum import Chain, FoundationQuantumState, IsingFamily
    >>> from infoscope.quantum import from_published_parameters, to_published_parameters
    >>> network = {"d_model": 4, "n_heads": 2, "n_layers": 1, "n_samples": 32, "symmetries": None, "random_state": 0}
    >>> state = FoundationQuantumState(IsingFamily(Chain(4)), n_iter=1, **network).fit([[0.5], [1.5]])
    >>> again = from_published_parameters(to_published_parameters(state), state.family, [[0.5], [1.5]])
    >>> bool(np.allclose(again.log_amplitude([[1, 1, -1, 1]], 0.7), state.log_amplitude([[1, 1, -1, 1]], 0.7)))
    True
    """
    from .jax_precision import double_precision
    from .state import FoundationQuantumState

    held = _read(source)
    systems = family.as_systems(couplings)
    weights = _get(held, "encoder/layers_0/attn/J")
    embedding = "patches_and_embed/embed/kernel" if family.per_site else "embed/kernel"
    d_model = _get(held, "output/output_layer0/bias").shape[0]
    layers = {match[1] for name in held if (match := re.match(r"encoder/layers_(\d+)/", name))}
    state = FoundationQuantumState(
        family, d_model=int(d_model), n_heads=int(weights.shape[0]), n_layers=len(layers), patch_size=patch_size,
        attention="rolled" if weights.ndim == 2 else "free", symmetries=symmetries,
        complex_amplitude="output/output_layer1/kernel" in held, shared_embedding=bool(family.per_site),
        head_norm="output/norm0/scale" in held, **options,
    )  # fmt: skip
    from .network_choice import choose_network, settle_network

    settled = settle_network(state, systems)
    choice = choose_network(state, settled)
    with double_precision():
        from .network import NetworkShape, as_vector, parameter_shapes

        shape = NetworkShape(**choice.options)
        named = {}
        for name, wanted in parameter_shapes(shape).items():
            array = _get(held, published_name(name))
            if array.shape != wanted:
                fits = f" (patches of {len(shape.patches[0])} sites)" if embedding.startswith("embed") else ""
                raise DataError(
                    f"{published_name(name)} has shape {array.shape}, and a network of this family has {wanted}{fits}: "
                    "give the family and the patch_size that it was trained with"
                )
            named[name] = array.astype(np.float64)
        vector = as_vector(named, shape)
    if not np.isfinite(vector).all():
        raise DataError("the parameters hold a number that is not finite")
    m = systems.shape[1]
    state.couplings_, state.weights_ = systems, np.full(len(systems), 1 / len(systems))
    state.parameters_, state.scaling_ = vector, np.stack([np.zeros(m), np.ones(m)])
    state.history_, state.n_iter_, state.n_samples_ = {}, 0, 0
    state._settle(settled)
    return state


def to_published_parameters(state: FoundationQuantumState, path: str | PathLike[str] | None = None) -> dict[str, Any]:
    """The parameters of a trained state as netket-foundation's ``ViTFNQS`` takes them.

    Parameters
    ----------
    state : FoundationQuantumState
        Standardised couplings are folded into the embedding; sums over symmetries stay outside.
    path : path, optional
        A ``.npz`` file to write them to, which `from_published_parameters` reads.

    Returns
    -------
    dict
        Nested, for ``model.apply({"params": ...}, ...)``.

    Raises
    ------
    ParameterError
        If separate embeddings or scales of a disordered family have no counterpart there.

    Examples
    --------
    >>> from infoscope.quantum import Chain, FoundationQuantumState, IsingFamily, to_published_parameters
    >>> network = {"d_model": 4, "n_heads": 2, "n_layers": 1, "n_samples": 32, "symmetries": None, "random_state": 0}
    >>> state = FoundationQuantumState(IsingFamily(Chain(4)), n_iter=1, **network).fit([[0.5], [1.5]])
    >>> sorted(to_published_parameters(state))
    ['embed', 'encoder', 'output']
    """
    named = state.named_parameters()
    mean, scale = state.scaling_
    if state.family.per_site:
        if not state.shared_embedding:
            raise ParameterError(
                "published networks embed spins and fields by one map: train with shared_embedding=True"
            )
        if mean.any() or (scale != 1).any():
            raise ParameterError(
                "couplings were standardised, which one map for spins and fields cannot express: only networks that "
                "came from published parameters go back"
            )
    else:
        kernel, m = named["embedding.kernel"], len(mean)
        kernel[-m:] /= scale[:, None]  # of raw couplings: (c - mean) / scale
        named["embedding.bias"] -= mean @ kernel[-m:]
    flat = {published_name(name): value for name, value in named.items()}
    if path is not None:
        from infoscope.storage.atomic import atomic_path

        with atomic_path(path) as temporary, open(temporary, "wb") as file:
            np.savez(file, **flat)  # type: ignore[arg-type]
    return _nested(flat)


def published_name(name: str) -> str:
    """What one of our parameters is called there."""
    *inside, last = name.split(".")
    if last == "weights":
        inside, last = [*inside, last], ""
    prefix = ""
    if inside[0].startswith("block"):
        prefix, inside = f"encoder/layers_{inside[0].removeprefix('block')}/", inside[1:]
    return f"{prefix}{PARTS['.'.join(inside)]}{'/' * bool(last)}{last}"


# --------------------------------------------------------------------------------------------------------------- files
def _read(source: Any) -> dict[str, np.ndarray]:
    """Arrays by names that join the levels."""
    if isinstance(source, Mapping):
        return _flat(source.get("params", source))
    path = Path(source)
    if path.is_dir():
        files = [path / "flax_model.msgpack", *sorted(path.glob("*.npz"))]
        found = [one for one in files if one.exists()]
        if not found:
            raise DataError(f"{path} holds neither flax_model.msgpack nor a .npz file: name a folder with parameters")
        path = found[0]
    if not path.exists():
        raise DataError(f"{path} does not exist: name a folder or a file with parameters")
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as archive:
            return {name.removeprefix("params/"): archive[name] for name in archive.files}
    held = require("msgpack", "quantum").unpackb(path.read_bytes(), ext_hook=_array, strict_map_key=False)
    return _flat(held.get("params", held))


def _array(code: int, data: bytes) -> np.ndarray:
    """An array as flax writes it: shape, type and bytes."""
    if code != 1:
        raise DataError(f"the file holds an object of the unknown kind {code}: only arrays are read")
    shape, kind, content = require("msgpack", "quantum").unpackb(data, raw=True)
    kind = kind.decode() if isinstance(kind, bytes) else kind
    return np.frombuffer(content, dtype=np.dtype(kind)).reshape(shape)


def _flat(held: Mapping[str, Any], prefix: str = "") -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    for name, value in held.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{name}/")
        else:
            found[f"{prefix}{name}"] = np.asarray(value)
    return found


def _nested(flat: Mapping[str, np.ndarray]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in flat.items():
        *levels, last = name.split("/")
        inner = found
        for level in levels:
            inner = inner.setdefault(level, {})
        inner[last] = value
    return found


def _get(held: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    if name not in held:
        raise DataError(f"the parameters lack {name}: they are not those of a network of this kind")
    return held[name]
