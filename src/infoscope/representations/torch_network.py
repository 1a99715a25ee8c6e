"""A network of PyTorch that is run on batches, with its blocks listened to."""

from __future__ import annotations

import hashlib
import inspect
import sys
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np

from infoscope.base import ParameterError, choose_device

from .items import PICTURES, TEXTS
from .sites import EMBEDDING, OUTPUT, choose_sites, find_blocks, listening, tensor_of
from .states import Hear, States, patch_tokens

WHOLE = 2**30  # bytes of parameters up to which all are digested: a third of a second for 135 million of float32
SAMPLED = 256  # numbers of every parameter that tell two larger models apart
TOWERS = {TEXTS: "text_model", PICTURES: "vision_model"}  # of a network that has both
ENCODER, DECODER = "encoder", "decoder"


class Part(NamedTuple):
    """A part of a network that gets tokens of its own.

    Attributes
    ----------
    prefix : str
        Before "embedding" and "output" in the names of its layers.
    module : torch.nn.Module
        What returns its output.
    sites : dict of name to module
        Where it is listened to.
    mask : str
        Which of the inputs says what is padding.
    """

    prefix: str
    module: Any
    sites: dict[str, Any]
    mask: str = "attention_mask"


class TorchNetwork:
    """A `torch.nn.Module` that is run on batches.

    Parameters
    ----------
    model : torch.nn.Module
        The network.  Of a network for texts and pictures, the half that the items are for is run; of an
        encoder-decoder the encoder, unless `decoder`.
    kind : {"texts", "pictures"}
        Of the items.
    layers : str or sequence of str
        As for `extract`.
    decoder : bool
        Whether the decoder of an encoder-decoder is run as well.
    device : None, str or torch.device
        Where to compute; where the model is by default.
    """

    tensors = "pt"

    def __init__(
        self, model: Any, kind: str, layers: str | Sequence[str] = "all", *, decoder: bool = False, device: Any = None
    ):
        import torch

        self.whole = layers == "all"
        self.model = _without_head(model) if self.whole else model
        self.device = choose_device(device, next(model.parameters(), torch.empty(0)), name="the model")
        config = getattr(self.model, "config", None)
        encodes = bool(getattr(config, "is_encoder_decoder", False)) and hasattr(self.model, "get_encoder")
        if decoder and not encodes:
            raise ParameterError(f"decoder=True is for encoder-decoders, and {type(model).__name__} is none")
        if encodes:
            self.run_module, self.parts = self._encoder_decoder(layers, decoder)
        else:
            name = _tower(self.model, kind)
            self.run_module = getattr(self.model, name) if name else self.model
            what = f"module of {name}, which {kind} are for," if name else "module"
            self.parts = [Part("", self.run_module, _sites(self.run_module, layers, name, what))]
        self.patch = _patch_size(self.run_module) if kind == PICTURES else None
        named = inspect.signature(self.run_module.forward).parameters
        self._takes_types = "token_type_ids" in named
        self._without_cache = {"use_cache": False} if "use_cache" in named else {}
        self._shifts = decoder

    def __enter__(self) -> TorchNetwork:
        self._was_training = self.model.training
        self.model.to(self.device).eval()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.model.train(self._was_training)

    def fingerprint(self) -> str:
        """A digest of names, shapes and numbers of all parameters; of a model above 1 GiB, of some of the numbers."""
        import torch

        digest = hashlib.sha256(type(self.run_module).__name__.encode())
        named = list(self.run_module.named_parameters())
        whole = sum(one.numel() * one.element_size() for _, one in named) <= WHOLE
        for name, one in named:
            digest.update(f"{name} {tuple(one.shape)} {one.dtype}".encode())
            flat = one.detach().reshape(-1)
            some = flat if whole else flat[:: max(1, len(flat) // SAMPLED)][:SAMPLED]
            digest.update(some.contiguous().view(torch.uint8).cpu().numpy())
        return digest.hexdigest()[:32]

    def limit(self) -> int | None:
        """Tokens that the network takes, where it knows."""
        import torch

        config = getattr(self.run_module, "config", None) or getattr(self.model, "config", None)
        known = [getattr(config, "max_position_embeddings", None)]
        for name, module in self.run_module.named_modules():
            if isinstance(module, torch.nn.Embedding) and name.rpartition(".")[2] in ("position_embeddings", "wpe"):
                before = 0 if module.padding_idx is None else module.padding_idx + 1  # positions that no token has
                known.append(module.num_embeddings - before)
        numbers = [one for one in known if isinstance(one, int) and one > 0]
        return min(numbers, default=None)

    def run(self, made: dict[str, Any], hear: Hear) -> list[str]:
        """Run a batch; `hear` gets the states of every layer.  The layers in their order."""
        import torch

        given = {name: one.to(self.device) if hasattr(one, "to") else one for name, one in made.items()}
        if not self._takes_types:
            given.pop("token_type_ids", None)
        if self._shifts:
            given = _with_decoder_input(given, getattr(self.model, "config", None))
        heard: set[str] = set()
        with torch.inference_mode(), listening(self._listeners(given, made, heard, hear)):
            self.run_module(**given, **self._without_cache)
        order = [name for part in self.parts for name in _layers_of(part, self.whole)]
        silent = [name for name in order if name not in heard]
        if silent:
            raise ParameterError(f"{silent[0]} is never called by the model: leave it out of layers")
        return order

    # ------------------------------------------------------------------------------------------------------------ steps
    def _encoder_decoder(self, layers: str | Sequence[str], decoder: bool) -> tuple[Any, list[Part]]:
        encoder = self.model.get_encoder()
        name = next(name for name, module in self.model.named_modules() if module is encoder)
        if not decoder:
            what = "module of the encoder, which alone is run without decoder=True,"
            return encoder, [Part("", encoder, _sites(encoder, layers, name, what))]
        decoder_module = self.model.get_decoder()
        place = next(name for name, module in self.model.named_modules() if module is decoder_module)
        if self.whole:
            halves = [_sites(encoder, layers, name), _sites(decoder_module, layers, place)]
        else:
            found = choose_sites(self.model, layers)
            inside = {name for name in found if f"{name}.".startswith(f"{place}.")}
            halves = [{name: one for name, one in found.items() if (name in inside) is half} for half in (False, True)]
        masks = ("attention_mask", "decoder_attention_mask")
        parts = [
            Part(f"{prefix}.", module, sites, mask)
            for prefix, module, sites, mask in zip(
                (ENCODER, DECODER), (encoder, decoder_module), halves, masks, strict=True
            )
        ]
        return self.model, [part for part in parts if part.sites]

    def _listeners(
        self, given: dict[str, Any], made: dict[str, Any], heard: set[str], hear: Hear
    ) -> list[tuple[Any, bool, Callable[[Any], None]]]:
        """(module, whether its input is meant, what is done with it)."""
        pixels = made.get("pixel_values")
        picture = None if pixels is None else tuple(pixels.shape[-2:])

        def listener(name: str, mask: Any) -> Callable[[Any], None]:
            def take(output: Any) -> None:
                tensor, places = tensor_of(output, name)
                x = tensor if str(tensor.dtype) == "torch.float64" else tensor.float()
                before = None if places or picture is None else patch_tokens(x.shape, picture, self.patch)
                heard.add(name)
                hear(name, States(x.cpu().numpy(), mask, before))

            return take

        listeners = []
        for part in self.parts:
            mask = given.get(part.mask)
            mask = None if mask is None else np.asarray(mask.cpu())
            if self.whole:
                name = f"{part.prefix}{EMBEDDING}"
                listeners.append((next(iter(part.sites.values())), True, listener(name, mask)))
            listeners += [(module, False, listener(name, mask)) for name, module in part.sites.items()]
            if self.whole:
                listeners.append((part.module, False, listener(f"{part.prefix}{OUTPUT}", mask)))
        return listeners


def _layers_of(part: Part, whole: bool) -> list[str]:
    return [f"{part.prefix}{EMBEDDING}", *part.sites, f"{part.prefix}{OUTPUT}"] if whole else list(part.sites)


def _sites(module: Any, layers: str | Sequence[str], prefix: str, what: str = "module") -> dict[str, Any]:
    if layers != "all":
        return choose_sites(module, layers, prefix, what)
    found = find_blocks(module)
    return {f"{prefix}.{name}" if prefix else name: one for name, one in found.items()}


def _without_head(model: Any) -> Any:
    """What stands under a head: logits of all words are large, and no layer."""
    transformers = sys.modules.get("transformers")
    known = transformers is not None and isinstance(model, transformers.PreTrainedModel)
    return model.base_model if known else model


def _tower(model: Any, kind: str) -> str:
    """The half of a network for texts and pictures that takes such items; "" of others."""
    return TOWERS[kind] if all(hasattr(model, name) for name in TOWERS.values()) else ""


def _patch_size(model: Any) -> tuple[int, int] | None:
    """Rows and columns of a patch: what the first convolution without overlap takes at once."""
    import torch

    for module in model.modules():
        if isinstance(module, torch.nn.Conv2d) and module.kernel_size == module.stride and min(module.stride) > 1:
            return module.stride[0], module.stride[1]
    return None


def _with_decoder_input(given: dict[str, Any], config: Any) -> dict[str, Any]:
    """The texts shifted by one token, with the start token before them, unless the processor gives what is decoded."""
    import torch

    if "decoder_input_ids" in given:
        return given
    starts = (getattr(config, name, None) for name in ("decoder_start_token_id", "bos_token_id", "pad_token_id"))
    start = next((one for one in starts if one is not None), None)
    if start is None:
        raise ParameterError("the model names no decoder_start_token_id: let the processor give decoder_input_ids")
    ids = given["input_ids"]
    shifted = torch.cat([torch.full_like(ids[:, :1], start), ids[:, :-1]], 1)
    found = given | {"decoder_input_ids": shifted}
    return found | ({"decoder_attention_mask": given["attention_mask"]} if "attention_mask" in given else {})
