"""The states of a network for many items, layer by layer, into a store that survives a kill."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from typing import Any, NamedTuple

import numpy as np

from infoscope.base import DataError, ParameterError, choose_device, progress, require
from infoscope.base.checks import check_choice, check_positive_int

from .sites import EMBEDDING, OUTPUT, choose_sites, listening, tensor_of
from .store import TEXT_SHOWN, RepresentationStore
from .tokens import POOLS, pool_tokens

SAMPLED = 256  # numbers of every parameter that tell two models apart


def extract(
    model: Any,
    processor: Any,
    items: Iterable[Any],
    out: str | PathLike[str],
    *,
    layers: str | Sequence[str] = "all",
    pool: str | Sequence[str] = "mean",
    n: int = 10,
    skip_first: int = 0,
    ids: Iterable[str | int] | None = None,
    dtype: str = "float16",
    token_budget: int = 4096,
    batch_size: int = 32,
    truncate: bool = False,
    device: Any = None,
    resume: bool = True,
) -> RepresentationStore:
    """Run a network on texts or pictures, and keep one vector an item of every layer.

    Parameters
    ----------
    model : torch.nn.Module
        The network, as `transformers` loads it, or any whose forward takes what the processor makes.
    processor : callable
        A tokenizer, called with texts, or an image processor, called with pictures.
    items : sequence of str, or of pictures
        The items.
    out : path-like
        Folder of the store.
    layers : str or sequence of str
        "all" blocks, with the input of the first ("embedding") and what the model returns ("output", after a final norm
        where there is one); or names of modules with wildcards, ``"*.mlp"``.
    pool : str or sequence of str
        How tokens are made one vector, see `pool_tokens`; several are kept beside each other.
    n, skip_first : int
        Tokens of "last_n" and "mean_last_n"; tokens that are left out first.
    ids : sequence of str or int, optional
        Of the items; their numbers by default.
    dtype : {"float16", "bfloat16", "float32", "float64"}
        How numbers are kept.
    token_budget : int
        Tokens of a batch, padding included; texts of like length go together.
    batch_size : int
        Pictures of a batch.
    truncate : bool
        Cut texts that are longer than the model takes, instead of naming them.
    device : None, str or torch.device
        Where to compute; where the model is by default.
    resume : bool
        Go on with a store that is there: batches that are missing are computed, to the same bits.

    Returns
    -------
    RepresentationStore
        Opened for reading.

    Raises
    ------
    DataError
        Empty texts, texts that are too long, states that are not finite (layer and item are named), items that differ
        from those of the store.
    ParameterError
        Sites that there are not; a store of another model, processor, or way of pooling.
    MissingExtraError
        Without PyTorch.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import torch
    >>> from infoscope.representations import extract
    >>> class Letters(torch.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.embed = torch.nn.Embedding(128, 8)
    ...         self.blocks = torch.nn.ModuleList(torch.nn.Linear(8, 8) for _ in range(2))
    ...     def forward(self, input_ids, attention_mask):
    ...         x = self.embed(input_ids)
    ...         for block in self.blocks:
    ...             x = x + block(x).tanh()
    ...         return x
    >>> def codes(texts, **_):
    ...     width = max(map(len, texts))
    ...     rows = [[ord(c) for c in text] + [0] * (width - len(text)) for text in texts]
    ...     ids = torch.tensor(rows)
    ...     return {"input_ids": ids, "attention_mask": (ids > 0).long()}
    >>> folder = pathlib.Path(tempfile.mkdtemp(), "letters")
    >>> extract(Letters(), codes, ["one", "two", "three"], folder).layers
    ('embedding', 'blocks.0', 'blocks.1', 'output')
    """
    torch = require("torch", "torch")
    listed = list(items)
    names = list(range(len(listed))) if ids is None else list(ids)
    if len(names) != len(listed):
        raise DataError(f"{len(listed)} items and {len(names)} ids: one for each item")
    pools = (pool,) if isinstance(pool, str) else tuple(pool)
    for one in pools:
        check_choice(one, "pool", POOLS)
    sites = choose_sites(model, layers)
    texts = _texts_of(listed, names)
    device = choose_device(device, next(model.parameters(), torch.empty(0)), name="the model")
    was_training = model.training
    model.to(device).eval()
    work = _Work(model, processor, sites, layers == "all", device, pools, dict(n=n, skip_first=skip_first), truncate)
    try:
        if texts is None:
            batches = _equal_batches(len(listed), check_positive_int(batch_size, "batch_size"))
        else:
            lengths = _lengths_of(model, processor, texts, names, truncate)
            batches = _batches_of_like_length(lengths, check_positive_int(token_budget, "token_budget"))
        first = work.run([listed[i] for i in batches[0]], [names[i] for i in batches[0]])
        widths = {layer: {one: found[one].shape[1] for one in pools} for layer, found in first.items()}
        options = {
            "model": _fingerprint(model),
            "processor": _describe(processor),
            "pool": dict(n=n, skip_first=skip_first),
            "batches": hashlib.blake2b(repr(batches).encode(), digest_size=8).hexdigest(),
            "truncate": truncate,
        }
        create: dict[str, Any] = dict(pools=pools, dtype=dtype, texts=texts, options=options, resume=resume)
        with RepresentationStore.create(out, names, widths, **create) as store:
            _fill(store, work, listed, batches, first)
    finally:
        model.train(was_training)
    return RepresentationStore.open(out)


# --------------------------------------------------------------------------------------------------------------- steps
class _Work(NamedTuple):
    """How a batch becomes vectors."""

    model: Any
    processor: Any
    sites: dict[str, Any]
    whole: bool
    device: Any
    pools: tuple[str, ...]
    pooling: dict[str, int]
    truncate: bool

    def run(self, items: list[Any], names: list[Any]) -> dict[str, dict[str, np.ndarray]]:
        """Vectors of a batch, by layer and pool."""
        import torch

        made = _process(self.processor, items, self.truncate)
        given = {name: one.to(self.device) if hasattr(one, "to") else one for name, one in made.items()}
        with torch.inference_mode(), listening(self.sites, with_input=self.whole) as heard:
            output = self.model(**given)
            if self.whole:
                heard[OUTPUT] = tensor_of(output, OUTPUT)
            order = [*([EMBEDDING] if self.whole else []), *self.sites, *([OUTPUT] if self.whole else [])]
            states = {name: heard[name].float().cpu().numpy() for name in order if name in heard}
        silent = [name for name in self.sites if name not in heard]
        if silent:
            raise ParameterError(f"{silent[0]} is never called by the model: leave it out of layers")
        mask = made.get("attention_mask")
        mask = None if mask is None else np.asarray(mask.cpu())
        return {layer: self._pooled(layer, x, mask, names) for layer, x in states.items()}

    def _pooled(self, layer: str, x: np.ndarray, mask: Any, names: list[Any]) -> dict[str, np.ndarray]:
        if x.ndim == 2 or (mask is not None and x.shape[:2] != mask.shape):
            if x.ndim == 2 and len(x) == len(names):
                return dict.fromkeys(self.pools, x)  # one vector an item already
            raise DataError(f"{layer} gives states of shape {x.shape}: (items, tokens, features) are needed")
        try:
            return {one: pool_tokens(x, mask, how=one, **self.pooling) for one in self.pools}
        except DataError as error:
            raise DataError(f"layer {layer}, items {names[0]!r} to {names[-1]!r}: {error}") from error


def _fill(
    store: RepresentationStore,
    work: _Work,
    items: list[Any],
    batches: list[list[int]],
    first: dict[str, dict[str, np.ndarray]],
) -> None:
    """Every batch that is not whole in the store, as it was cut: what a kill left half comes out the same."""
    lacking = set(store.missing())
    with progress(len(items), "states of the network", "items") as bar:
        for number, batch in enumerate(batches):
            ids = [store.ids[i] for i in batch]
            if lacking.intersection(ids):
                found = work.run([items[i] for i in batch], ids) if number else first
                for one in work.pools:
                    store.write(ids, {layer: vectors[one] for layer, vectors in found.items()}, pool=one)
            bar.update(len(batch))
    store.commit()


def _texts_of(items: list[Any], names: list[Any]) -> list[str] | None:
    """The items, if they are texts."""
    if not items:
        raise DataError("there are no items")
    texts = [isinstance(item, str) for item in items]
    if not any(texts):
        return None
    if not all(texts):
        raise DataError(f"item {names[texts.index(False)]!r} is no text, and others are: give items of one kind")
    empty = [name for name, text in zip(names, items, strict=True) if not text.strip()]
    if empty:
        raise DataError(f"item {empty[0]!r} is an empty text ({len(empty)} such items): leave it out of all models")
    return items


def _process(processor: Any, items: list[Any], truncate: bool) -> Mapping[str, Any]:
    if isinstance(items[0], str):
        return processor(items, padding=True, truncation=truncate, return_tensors="pt")
    return processor(images=items, return_tensors="pt")


def _lengths_of(model: Any, processor: Any, texts: list[str], names: list[Any], truncate: bool) -> list[int]:
    """Tokens of every text; one that the model cannot take is named with its text."""
    made = processor(texts, padding=False, truncation=truncate)
    counted = made.get("attention_mask", made["input_ids"])
    lengths = [int(sum(one)) if counted is not made["input_ids"] else len(one) for one in counted]
    limits = [getattr(processor, "model_max_length", None)]
    limits.append(getattr(getattr(model, "config", None), "max_position_embeddings", None))
    known = [int(one) for one in limits if isinstance(one, int) and 0 < one < 10**9]
    longest = int(np.argmax(lengths))
    if known and lengths[longest] > min(known):
        too_long = sum(length > min(known) for length in lengths)
        raise DataError(
            f"item {names[longest]!r} ({texts[longest][:TEXT_SHOWN]!r}) has {lengths[longest]} tokens, and the model "
            f"takes {min(known)} ({too_long} such items): leave them out of all models, or pass truncate=True"
        )
    return lengths


def _batches_of_like_length(lengths: list[int], budget: int) -> list[list[int]]:
    """Longest first, so that what does not fit into memory fails at once."""
    order = sorted(range(len(lengths)), key=lambda i: (-lengths[i], i))
    batches: list[list[int]] = []
    for i in order:
        if batches and lengths[batches[-1][0]] * (len(batches[-1]) + 1) <= budget:
            batches[-1].append(i)
        else:
            batches.append([i])
    return batches


def _equal_batches(n: int, size: int) -> list[list[int]]:
    return [list(range(start, min(start + size, n))) for start in range(0, n, size)]


def _fingerprint(model: Any) -> str:
    """A digest of names, shapes and some numbers of all parameters."""
    digest = hashlib.blake2b(type(model).__name__.encode(), digest_size=16)
    for name, one in model.named_parameters():
        digest.update(f"{name} {tuple(one.shape)}".encode())
        flat = one.detach().reshape(-1)
        some = flat[:: max(1, len(flat) // SAMPLED)][:SAMPLED].double().cpu().numpy()
        digest.update(np.ascontiguousarray(some).tobytes())
    return digest.hexdigest()


def _describe(processor: Any) -> str:
    name = getattr(processor, "__name__", type(processor).__name__)
    size = getattr(processor, "vocab_size", "")
    return f"{name} {size}".strip()
