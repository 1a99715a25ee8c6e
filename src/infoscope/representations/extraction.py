"""The states of a network for many items, layer by layer, into a store that survives a kill."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from os import PathLike
from typing import Any

import numpy as np

from infoscope.base import DataError, ParameterError, progress, require
from infoscope.base.checks import check_positive_int

from .items import PICTURES, Items, batches_of_like_length, equal_batches, read_items
from .model_files import LoadedModel, load_model
from .model_inputs import ModelInputs
from .onnx_network import OnnxModel, OnnxNetwork
from .states import Pooling, States, make_pooling
from .store import RepresentationStore
from .torch_network import TorchNetwork


def extract(
    model: Any,
    processor: Any,
    items: Iterable[Any],
    out: str | PathLike[str],
    *,
    layers: str | Sequence[str] = "all",
    pool: str | Sequence[str] = "mean",
    n: int = 10,
    start: int = 0,
    stop: int | None = None,
    skip_first: int = 0,
    decoder: bool = False,
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
    model : path-like, torch.nn.Module, OnnxModel or LoadedModel
        What `load_model` reads: a local folder, a ``.gguf`` or an ``.onnx`` file.  Or a network, as `transformers`
        loads it, or any whose forward takes what the processor makes.  Of one for texts and pictures (CLIP), the half
        that the items are for is run.
    processor : callable or None
        A tokenizer, called with texts, or an image processor, called with pictures; None takes the one that stands
        beside the files of the model.
    items : sequence of str, or of pictures
        Texts; or pictures as PIL images, arrays, or as `pathlib.Path` of their files.
    out : path-like
        Folder of the store.
    layers : str or sequence of str
        "all" blocks, with the input of the first ("embedding") and what the model returns ("output", after a final norm
        where there is one); or names of modules with wildcards, ``"*.mlp"`` (of ONNX graphs: of values).
    pool : str or sequence of str
        How tokens are made one vector, see `pool_tokens`; several are kept beside each other.  Of pictures "first" is
        the class token, and the others are of patches, without class and register tokens.
    n, start, stop, skip_first : int
        Of `pool_tokens`: tokens of "last_n" and "mean_last_n"; the ends of "window"; tokens that are left out first.
    decoder : bool
        Whether the decoder of an encoder-decoder (T5) is run as well, and its layers are kept beside those of the
        encoder, which alone is run by default.  It is given the text shifted by one token, as in training, unless the
        processor gives `decoder_input_ids`.
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
        Where to compute; where the model is by default.  ONNX graphs are run on the CPU.
    resume : bool
        Go on with a store that is there: batches that are missing are computed, to the same bits.

    Returns
    -------
    RepresentationStore
        Opened for reading.

    Raises
    ------
    DataError
        Empty texts, texts that are too long, states that are not finite (layer, item and token are named), items that
        differ from those of the store; files of a model that are missing or damaged.
    ParameterError
        Sites that there are not; a store of another model, processor, or way of pooling.
    MissingExtraError
        Without PyTorch, or what a model in files needs.

    Notes
    -----
    Padding counts for nothing, on whichever side the tokenizer puts it: rows are moved to begin with their first token,
    as networks with learned positions count from the first column.

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
    read = read_items(items, ids)
    pooling = make_pooling(pool, n=n, start=start, stop=stop, skip_first=skip_first)
    if isinstance(model, str | PathLike):
        model = load_model(model, processor)
    if isinstance(model, LoadedModel):
        model, processor = model.model, model if processor is None else processor
    network = _network(model, read.kind, layers, decoder, device)
    inputs = ModelInputs(processor, read.kind, truncate=truncate, tensors=network.tensors)
    with network:
        if read.kind == PICTURES:
            batches = equal_batches(len(read.ids), check_positive_int(batch_size, "batch_size"))
        else:
            lengths = inputs.lengths(read, network.limit())
            batches = batches_of_like_length(lengths, check_positive_int(token_budget, "token_budget"))
        work = _Work(network, inputs, pooling, read)
        first = work.run(batches[0])
        widths = {layer: {one: x.shape[1] for one, x in found.items()} for layer, found in first.items()}
        options = {
            "model": network.fingerprint(),
            "processor": inputs.describe(),
            "pool": pooling.describe(),
            "batches": hashlib.blake2b(repr(batches).encode(), digest_size=8).hexdigest(),
            "truncate": truncate,
        }
        create: dict[str, Any] = dict(pools=pooling.pools, dtype=dtype, texts=read.words, options=options)
        with RepresentationStore.create(out, read.ids, widths, resume=resume, **create) as store:
            _fill(store, work, batches, first)
    return RepresentationStore.open(out)


# --------------------------------------------------------------------------------------------------------------- steps
class _Work:
    """How a batch becomes vectors."""

    def __init__(self, network: Any, inputs: ModelInputs, pooling: Pooling, items: Items):
        self.network, self.inputs, self.pooling, self.items = network, inputs, pooling, items
        self._looked = items.kind != PICTURES  # texts were looked at when they were counted

    def run(self, rows: list[int]) -> dict[str, dict[str, np.ndarray]]:
        """Vectors of a batch, by layer and pool."""
        batch = self.items.take(rows)
        made = self.inputs(batch)
        if not self._looked:
            self.inputs.look_at(made)
            self._looked = True
        tokens = self.inputs.tokens(made)
        found: dict[str, dict[str, np.ndarray]] = {}

        def hear(layer: str, states: States) -> None:
            found[layer] = self.pooling.vectors(layer, states, batch, tokens)

        return {layer: found[layer] for layer in self.network.run(made, hear)}


def _network(model: Any, kind: str, layers: str | Sequence[str], decoder: bool, device: Any) -> Any:
    if isinstance(model, OnnxModel):
        if decoder:
            raise ParameterError("decoder=True is for networks of PyTorch: of an ONNX graph, name values as layers")
        return OnnxNetwork(model, kind, layers, device=device)
    torch = require("torch", "representations")
    if not isinstance(model, torch.nn.Module):
        raise DataError(
            f"model is {type(model).__name__}: give a torch.nn.Module, the path of a folder or file, or what "
            "load_model returns; layers of other frameworks go into RepresentationStore.from_arrays"
        )
    return TorchNetwork(model, kind, layers, decoder=decoder, device=device)


def _fill(
    store: RepresentationStore, work: _Work, batches: list[list[int]], first: dict[str, dict[str, np.ndarray]]
) -> None:
    """Every batch that is not whole in the store, as it was cut: what a kill left half comes out the same."""
    lacking = set(store.missing())
    with progress(len(store.ids), "states of the network", "items") as bar:
        for number, batch in enumerate(batches):
            ids = [store.ids[i] for i in batch]
            if lacking.intersection(ids):
                found = work.run(batch) if number else first
                for one in work.pooling.pools:
                    store.write(ids, {layer: vectors[one] for layer, vectors in found.items()}, pool=one)
            bar.update(len(batch))
    store.commit()
