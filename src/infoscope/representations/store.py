"""`RepresentationStore`: what each layer of a network makes of each item, in a folder that survives a kill."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from infoscope.base import DataError, ParameterError, check_ids
from infoscope.neighbors import Space
from infoscope.storage import ArrayStore
from infoscope.storage.manifest import MANIFEST, read_manifest

from .dead_layers import is_dead, refuse_dead

DTYPES = ("float16", "bfloat16", "float32", "float64")
POOL = "mean"
LARGEST_HALF = 65_504.0
TEXT_SHOWN = 60  # characters of an item in a message


class RepresentationStore:
    """Vectors of items in the layers of a network: one array a layer and pooling, one row an item.

    Made by `create`, `from_arrays` and `open`.  It is a thin face of an `ArrayStore`: arrays are mapped into memory,
    batches are written in any order, and what was committed outlives a kill.

    Parameters
    ----------
    store : ArrayStore
        One that these made.

    Attributes
    ----------
    ids : list of str or int
        The items, in the order of the rows.
    texts : list of str or None
        What the items are, for messages.
    pools, layers : tuple of str
        How tokens were made one vector; names of the layers, in their order.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from infoscope import RepresentationStore, imbalance_matrix
    >>> x = np.random.default_rng(0).normal(size=(200, 8)).astype("f4")
    >>> path = pathlib.Path(tempfile.mkdtemp(), "run")
    >>> store = RepresentationStore.from_arrays(path, {"0": x, "1": x[:, :4] ** 3}, dtype="float32")
    >>> store
    RepresentationStore(200 items, 2 layers, pool mean)
    >>> imbalance_matrix(store.spaces()).names
    ('0', '1')
    """

    def __init__(self, store: ArrayStore):
        about = store.metadata
        if not isinstance(about, Mapping) or about.get("kind") != "representations":
            raise DataError(f"{store.path} is a store of other arrays: RepresentationStore.create makes one of layers")
        self._store = store
        self.ids: list[str | int] = store.ids
        self.texts: list[str] | None = about["texts"]
        self.pools, self.layers = tuple(about["pools"]), tuple(about["layers"])

    # ------------------------------------------------------------------------------------------------------------- make
    @classmethod
    def create(
        cls,
        path: str | PathLike[str],
        ids: Iterable[str | int] | int,
        layers: Mapping[str, int | Mapping[str, int]],
        *,
        pools: Sequence[str] = (POOL,),
        dtype: str = "float16",
        texts: Sequence[str] | None = None,
        options: Mapping[str, Any] | None = None,
        resume: bool = False,
    ) -> RepresentationStore:
        """A store to be filled by `write`; close it, or use it in a ``with`` block.

        Parameters
        ----------
        path : path-like
            The folder.
        ids : sequence of str or int, or int
            The items, or how many.
        layers : mapping of name to int, or to a mapping of pool to int
            Width of every layer, in the order of the network; by pool where poolings differ.
        pools : sequence of str
            How tokens are made one vector.
        dtype : {"float16", "bfloat16", "float32", "float64"}
            How numbers are kept.  float16 ends at 65,504; larger ones are refused, and bfloat16 holds them.
        texts : sequence of str, optional
            What the items are.
        options : mapping, optional
            What the layers depend on (model, tokenizer, prompt): a store of others is refused.
        resume : bool
            Go on with a store that is there.

        Returns
        -------
        RepresentationStore

        Raises
        ------
        ParameterError, DataError
            As `ArrayStore`.
        """
        if dtype not in DTYPES:
            raise ParameterError(f"dtype is {dtype!r}; it must be one of {', '.join(DTYPES)}")
        if not isinstance(layers, Mapping) or not layers or not pools:
            raise ParameterError("name at least one layer with its width, as in {'0': 576}, and one pool")
        names: list[str | int] = list(range(ids) if isinstance(ids, int) else ids)
        if texts is not None and len(texts) != len(names):
            raise DataError(f"{len(names)} ids and {len(texts)} texts: one for each item")
        about = {
            "kind": "representations",
            "pools": list(pools),
            "layers": list(layers),
            "texts": None if texts is None else [str(text) for text in texts],
        }
        arrays = {
            _array_name(pool, layer): (dtype, (width if isinstance(width, int) else width[pool],))
            for pool in pools
            for layer, width in layers.items()
        }
        if resume:
            _refuse_other_contents(path, names, about)
        return cls(ArrayStore(path, names, arrays, options=options, metadata=about, resume=resume))

    @classmethod
    def from_arrays(
        cls,
        path: str | PathLike[str],
        layers: Mapping[str, Any] | Sequence[Any] | np.ndarray,
        *,
        ids: Iterable[str | int] | None = None,
        pool: str = POOL,
        **options: Any,
    ) -> RepresentationStore:
        """A store of layers that are there: of a loop of one's own, or a cache of activations.

        Parameters
        ----------
        path : path-like
            The folder.
        layers : mapping of name to array (N, D), sequence of them, or array (L, N, D)
            The layers; without names they are called 0, 1, ...
        ids : sequence of str or int, optional
            The items; 0, 1, ... by default.
        pool : str
            How tokens were made one vector.
        **options
            As for `create`.

        Returns
        -------
        RepresentationStore
            Opened for reading.

        Raises
        ------
        DataError
            Layers of different numbers of items, NaN or infinite numbers.
        """
        named = layers if isinstance(layers, Mapping) else {str(i): layer for i, layer in enumerate(layers)}
        if not named:
            raise ParameterError("there is no layer")
        sizes = {name: tuple(layer.shape) for name, layer in named.items()}
        first = next(iter(sizes))
        for name, shape in sizes.items():
            if len(shape) != 2:
                raise DataError(f"layer {name} has shape {shape}; it needs two dimensions (items, features)")
            if shape[0] != sizes[first][0]:
                raise DataError(f"layer {first} has {sizes[first][0]} items, layer {name} has {shape[0]}")
        names = range(sizes[first][0]) if ids is None else ids
        widths = {name: shape[1] for name, shape in sizes.items()}
        with cls.create(path, list(names), widths, pools=(pool,), **options) as store:
            for name, layer in named.items():
                store.write(store.ids, {name: layer}, pool=pool)
        return cls.open(path)

    @classmethod
    def open(cls, path: str | PathLike[str], *, verify: bool = True) -> RepresentationStore:
        """A store to be read; with `verify` every row is compared with its digest."""
        return cls(ArrayStore(path, verify=verify))

    # ------------------------------------------------------------------------------------------------------------ write
    def write(self, ids: Iterable[str | int], layers: Mapping[str, Any], *, pool: str = POOL) -> None:
        """Write vectors of some items; what is there with the same values stays, other values are refused.

        Parameters
        ----------
        ids : sequence of str or int
            Items, in any order.
        layers : mapping of name to array or tensor (n_ids, D)
            Some of the layers, or all.
        pool : str
            How tokens were made one vector.

        Raises
        ------
        DataError
            NaN or infinite numbers (layer and item are named), numbers too large for the type, other values than are
            there.
        """
        names = list(ids)
        for layer, values in layers.items():
            half = self._store.arrays[self._name(pool, layer)].stored == np.float16
            self._refuse_not_finite(layer, names, values, LARGEST_HALF if half else np.inf)
        for layer, values in layers.items():
            self._store.append(self._name(pool, layer), names, values)

    def missing(self, layer: str | None = None, *, pool: str | None = None) -> list[str | int]:
        """Ids of items that a layer, or any of them, still lacks."""
        pools = self.pools if pool is None else (pool,)
        names = [self._name(p, name) for p in pools for name in (self.layers if layer is None else (layer,))]
        rows = np.unique(np.concatenate([self._store.missing(name) for name in names]))
        return [self.ids[row] for row in rows]

    def commit(self) -> None:
        """Wait until what was written is on the disk."""
        self._store.commit()

    def close(self) -> None:
        """Let another process write."""
        self._store.close()

    def __enter__(self) -> RepresentationStore:
        return self

    def __exit__(self, *error: object) -> None:
        self._store.__exit__(*error)

    # ------------------------------------------------------------------------------------------------------------- read
    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        pools = f"pool{'s' if len(self.pools) > 1 else ''} {', '.join(self.pools)}"
        return f"RepresentationStore({len(self)} items, {len(self.layers)} layers, {pools})"

    def read(self, layer: str, *, pool: str | None = None) -> np.ndarray:
        """A layer as an array (N, D): mapped into memory, of bfloat16 as float32.

        Raises
        ------
        DataError
            If items are missing.
        """
        return self._store.read(self._name(self._pool(pool), layer))

    def space(
        self, layer: str, *, pool: str | None = None, metric: str = "cosine", on_zero: str = "raise", **options: Any
    ) -> Space:
        """A layer as a space of its items, known by the digest of its array.

        Parameters
        ----------
        layer : str
            Its name.
        pool : str, optional
            How tokens were made one vector; the first pool by default.
        metric, on_zero, **options
            As for `Space`.

        Returns
        -------
        Space

        Raises
        ------
        DataError
            A dead layer, in which all items have the same vector; an item of zeros, which is named with its text.
        """
        values = self.read(layer, pool=pool)
        if values.dtype == np.float16:
            values = values.astype(np.float32)
        refuse_dead(values, f"layer {layer} of {self._store.path}")
        if metric == "cosine" and on_zero == "raise" and len(zero := np.flatnonzero(~values.any(1))):
            raise DataError(
                f"layer {layer} of {self._store.path} is zero for {self._spell(zero[0])}, one of {len(zero)} such "
                "items: leave them out, or pass on_zero='far'"
            )
        digest = self._store.digest(self._name(self._pool(pool), layer))
        about = dict(ids=self.ids, name=layer, digest=digest) | options
        return Space(values, metric=metric, on_zero=on_zero, **about)

    def spaces(
        self, layers: Iterable[str] | None = None, *, prefix: str = "", **options: Any
    ) -> dict[str, Callable[[], Space]]:
        """Functions that load the layers when they are needed, as `imbalance_matrix` takes them.

        Parameters
        ----------
        layers : iterable of str, optional
            Which; all by default.
        prefix : str
            Before their names, to tell two stores apart.
        **options
            As for `space`.
        """
        chosen = self.layers if layers is None else tuple(layers)
        return {f"{prefix}{name}": partial(self.space, name, **options, **_named(prefix, name)) for name in chosen}

    def arrays(
        self, layers: Iterable[str] | None = None, *, pool: str | None = None
    ) -> dict[str, Callable[[], np.ndarray]]:
        """Functions that load the layers as arrays, as `compare_layers` takes them."""
        chosen = self.layers if layers is None else tuple(layers)
        return {name: partial(self.read, name, pool=pool) for name in chosen}

    def check_same_items(self, other: RepresentationStore) -> None:
        """Raise where two stores hold different items, or the same in another order."""
        if len(self) != len(other):
            raise DataError(
                f"{self._store.path} has {len(self)} items, {other._store.path} has {len(other)}: both must describe "
                "the same items"
            )
        check_ids(self.ids, other.ids, str(self._store.path), str(other._store.path))

    def dead(self, layer: str, *, pool: str | None = None) -> list[str]:
        """What is wrong with a layer, in sentences: all items alike, or items of zeros, by id and text."""
        values = self.read(layer, pool=pool)
        if is_dead(values):
            return [f"layer {layer}: all {len(self)} items have the same vector"]
        return [f"layer {layer}: zero for {self._spell(row)}" for row in np.flatnonzero(~values.any(1))]

    # ------------------------------------------------------------------------------------------------------------ steps
    def _pool(self, pool: str | None) -> str:
        return self.pools[0] if pool is None else pool

    def _name(self, pool: str, layer: str) -> str:
        if pool not in self.pools:
            raise ParameterError(f"{self._store.path} has no pool {pool!r}: there are {', '.join(self.pools)}")
        if layer not in self.layers:
            raise ParameterError(f"{self._store.path} has no layer {layer!r}: there are {', '.join(self.layers)}")
        return _array_name(pool, layer)

    def _spell(self, row: int | np.integer[Any]) -> str:
        text = "" if self.texts is None else f" ({self.texts[row][:TEXT_SHOWN]!r})"
        return f"item {self.ids[row]!r}{text}"

    def _refuse_not_finite(self, layer: str, ids: list[str | int], values: Any, largest: float) -> None:
        if hasattr(values, "detach"):
            values = values.detach().float().cpu().numpy()
        values = np.asarray(values)
        numbers = values.astype(np.float32) if values.dtype.kind not in "fc" else values
        wrong = ~np.isfinite(numbers) | (np.abs(numbers) > largest)
        if not wrong.any():
            return
        at = np.argwhere(wrong)[0]
        row = int(self._store.rows_of([ids[at[0]]])[0])
        found = values[tuple(at)]
        larger = ""
        if np.isinf(found):
            larger = ": float16 ends at 65,504, compute the model in bfloat16 or float32"
        elif np.isfinite(found):
            larger = ": float16 ends at 65,504, keep it as bfloat16 or float32 (dtype=)"
        raise DataError(f"layer {layer} is {found} for {self._spell(row)}{larger}; nothing of this batch was written")


def _refuse_other_contents(path: str | PathLike[str], ids: list[str | int], about: Mapping[str, Any]) -> None:
    """Raise where a store that is there has other layers, pools or texts than are to be written."""
    if not (Path(path) / MANIFEST).exists():
        return
    there = read_manifest(Path(path))["metadata"]
    if not isinstance(there, Mapping) or there.get("kind") != about["kind"]:
        raise DataError(f"{path} is a store of other arrays: name another folder")
    for name in ("pools", "layers"):
        if there[name] != about[name]:
            has, given = (", ".join(one[name]) for one in (there, about))
            raise ParameterError(f"{path} belongs to other {name}: {has} there and {given} here. Name another folder")
    if there["texts"] is not None and about["texts"] is not None and len(there["texts"]) == len(ids):
        for item, then, now in zip(ids, there["texts"], about["texts"], strict=True):
            if then != now:
                shown = f"{then[:TEXT_SHOWN]!r} there and {now[:TEXT_SHOWN]!r} here"
                raise ParameterError(f"{path} belongs to other texts: item {item!r} is {shown}. Name another folder")


def _array_name(pool: str, layer: str) -> str:
    return f"{pool}+{layer}"


def _named(prefix: str, name: str) -> dict[str, str]:
    return {"name": f"{prefix}{name}"} if prefix else {}
