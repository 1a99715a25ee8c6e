"""What a result was computed from: enough to run it again."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from .json_values import flat, plain

CHUNK_BYTES = 2**24
ALWAYS_NAMED = ("infoscope", "numpy", "scipy", "numba")
NAMED_WHEN_LOADED = (
    "torch",
    "dask",
    "faiss",
    "sklearn",
    "pandas",
    "zuko",
    "openmm",
    "jax",
    "tokenizers",
    "bokeh",
    "transformers",
)
DISTRIBUTIONS = {"faiss": "faiss-cpu", "sklearn": "scikit-learn"}  # where module and distribution differ


def fingerprint(*arrays: Any) -> str:
    """Short hash of dtype, shape and contents; the memory layout (order, strides) does not matter.

    Parameters
    ----------
    *arrays : array_like or None
        Numbers, strings, objects (by type and text), torch tensors.  Of a Dask array, the name that Dask derived from
        how it is made is hashed: its contents are not computed.

    Returns
    -------
    str
        32 hexadecimal digits.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.base import fingerprint
    >>> fingerprint(np.arange(3)) == fingerprint(np.arange(6)[::2] // 2), len(fingerprint(None))
    (True, 32)
    """
    digest = Fingerprint()
    digest.update(*arrays)
    return digest.text


class Fingerprint:
    """The same of arrays that come one after the other, and need not be there at once.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.base import Fingerprint, fingerprint
    >>> digest = Fingerprint()
    >>> digest.update(np.arange(3))
    >>> digest.update(None)
    >>> digest.text == fingerprint(np.arange(3), None)
    True
    """

    def __init__(self) -> None:
        self._digest = hashlib.blake2b(digest_size=16)

    def update(self, *arrays: Any) -> None:
        """Take in arrays."""
        for array in arrays:
            for piece in _pieces(array):
                self._digest.update(piece)

    @property
    def text(self) -> str:
        """32 hexadecimal digits."""
        return self._digest.hexdigest()


def _pieces(array: Any) -> Iterator[Any]:
    if array is None:
        yield b"none;"
        return
    if hasattr(array, "__dask_graph__") and hasattr(array, "name"):
        yield f"dask;{array.name};{array.dtype};{array.shape};".encode()
        return
    if hasattr(array, "detach"):  # torch, on any device
        tensor = array.detach().cpu()
        try:
            array = tensor.numpy()
        except TypeError:  # bfloat16 and other types unknown to NumPy; float32 holds their values exactly
            yield f"{tensor.dtype};".encode()
            array = tensor.float().numpy()
    array = np.asarray(array)
    yield f"{array.dtype.str};{array.shape};".encode()
    if array.dtype.hasobject or array.dtype.kind == "T":
        for item in array.ravel().tolist():
            text = f"{type(item).__name__}:{item}".encode(errors="surrogatepass")
            yield f"{len(text)};".encode() + text
        return
    if array.dtype.kind in "mM":
        array = array.view(np.int64)
    array = array.reshape(1) if array.ndim == 0 else array
    step = max(1, CHUNK_BYTES // max(1, array.nbytes // max(1, len(array))))
    for start in range(0, len(array), step):  # by chunks: a strided array is never copied whole
        yield np.ascontiguousarray(array[start : start + step]).reshape(-1).view(np.uint8).data


@dataclass(frozen=True)
class Provenance:
    """Function, parameters, seed, hash of the input and versions behind a result."""

    function: str
    parameters: dict[str, Any] = field(default_factory=dict)
    seed: Any = None
    input_hash: str = ""
    versions: dict[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Flat, JSON-safe dictionary: ``parameters.k``, ``versions.numpy`` and so on."""
        return {
            "function": self.function,
            **flat(self.parameters, "parameters"),
            "seed": plain(self.seed),
            "input_hash": self.input_hash,
            **flat(self.versions, "versions"),
        }


def provenance(
    function: str, parameters: dict[str, Any], seed: Any, *arrays: Any, input_hash: str | None = None
) -> Provenance:
    """Record a call.

    Parameters
    ----------
    function : str
        Public name of the function.
    parameters : dict
        Its arguments.  Arrays are stored as lists up to 32 numbers, as their fingerprint beyond.
    seed : int, None, SeedSequence or Generator
        ``random_state`` as given; a NumPy integer becomes an int, a SeedSequence its text, and a Generator, whose state
        has moved on, the name of its bit generator.
    *arrays
        The input, for the hash.
    input_hash : str, optional
        The hash, where it was made on the way.

    Returns
    -------
    Provenance

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.base import provenance
    >>> provenance("information_imbalance", {"k": 1}, 0, np.eye(3)).to_dict()["parameters.k"]
    1
    """
    short = {name: _short(value) for name, value in parameters.items()}
    return Provenance(function, short, _short(seed), input_hash or fingerprint(*arrays), versions())


def _short(value: Any) -> Any:
    if isinstance(value, np.random.Generator):
        return f"Generator({type(value.bit_generator).__name__})"
    if hasattr(value, "shape") and hasattr(value, "dtype") and int(np.prod(value.shape)) > 32:
        return f"array{tuple(value.shape)} of {value.dtype}, hash {fingerprint(value)}"
    return plain(value)


def versions() -> dict[str, str]:
    """Versions of Python, of this package and of the numerical libraries in use.

    Returns
    -------
    dict of str to str
        The versions by name.

    Examples
    --------
    >>> from infoscope.base import versions
    >>> "numpy" in versions()
    True
    """
    names = [*ALWAYS_NAMED, *(name for name in NAMED_WHEN_LOADED if name in sys.modules)]
    python = ".".join(str(part) for part in sys.version_info[:3])
    return {"python": python, "platform": sys.platform, **{name: _version(name) for name in names}}


@lru_cache
def _version(name: str) -> str:
    try:
        return version(DISTRIBUTIONS.get(name, name))
    except PackageNotFoundError:
        return str(getattr(sys.modules.get(name), "__version__", "unknown"))
