"""Models in local files: a folder of transformers, a GGUF file, an ONNX file.  Nothing is downloaded."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

from infoscope.base import DataError, ParameterError, require, warn

from .onnx_network import OnnxModel

CONFIG, WEIGHTS, SHARDS = "config.json", "model.safetensors", "model.safetensors.index.json"
TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.txt", "vocab.json", "spiece.model", "sentencepiece.bpe.model")
IMAGES = ("preprocessor_config.json", "processor_config.json")
PICKLES = ("*.bin", "*.pt", "*.pth")
UNUSED = "pooler."  # parameters behind the layers, which a model without its head may lack
IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}


class LoadedModel(NamedTuple):
    """A model with what makes its input.

    Attributes
    ----------
    model : torch.nn.Module or OnnxModel
        The network, without its head.
    tokenizer : callable or None
        Of texts.
    image_processor : callable or None
        Of pictures.
    """

    model: Any
    tokenizer: Any = None
    image_processor: Any = None


def load_model(path: str | PathLike[str], processor: Any = None, *, dtype: str = "float32") -> LoadedModel:
    """Read a model from local files, without a connection and without code of the files.

    Parameters
    ----------
    path : path-like
        A folder with config.json and safetensors, as `save_pretrained` writes it; a ``.gguf`` file; an ``.onnx`` file.
    processor : callable, optional
        A tokenizer or image processor, where the files have none.
    dtype : str
        Type of the parameters, of PyTorch; "auto": that of the files.

    Returns
    -------
    LoadedModel
        The network without its head, and the tokenizer and image processor that are there.

    Raises
    ------
    DataError
        Files that are missing or damaged, by name and with the way out; models that bring code of their own.
    MissingExtraError
        Without `transformers`, or what a format needs beside it.

    Examples
    --------
    >>> from infoscope.representations import load_model
    >>> load_model("no/such/folder")
    Traceback (most recent call last):
    ...
    infoscope.base.errors.DataError: there is no file or folder no/such/folder: models are read from local files only
    """
    place = Path(path)
    if not place.exists():
        raise DataError(f"there is no file or folder {place}: models are read from local files only")
    suffix = place.suffix.lower()
    if place.is_dir():
        return _from_folder(place, processor, dtype)
    if suffix == ".gguf":
        return _from_gguf(place, processor, dtype)
    if suffix == ".onnx":
        return _from_onnx(place, processor)
    raise DataError(f"{place} is no model: a model is a folder with {CONFIG}, a .gguf file or an .onnx file")


def model_paths(path: str | PathLike[str]) -> list[Path]:
    """The files that `load_model` reads: what a record of where numbers are from has to name."""
    place = Path(path)
    if place.is_dir():
        known = {CONFIG, *TOKENIZERS, *IMAGES, "tokenizer_config.json", "special_tokens_map.json", "merges.txt"}
        names = (one for one in place.iterdir() if one.name in known or ".safetensors" in one.name)
        return sorted(one for one in names if one.is_file())
    if place.suffix.lower() != ".onnx" or not place.is_file():
        return [place]
    beside = (folder / name for folder in _beside(place) for name in (*TOKENIZERS, *IMAGES, "tokenizer_config.json"))
    return [*OnnxModel(place).files, *(one for one in beside if one.is_file())]


# --------------------------------------------------------------------------------------------------------------- steps
def _from_folder(folder: Path, processor: Any, dtype: str) -> LoadedModel:
    _check_config(folder)
    _check_weights(folder)
    transformers = require("transformers", "representations")
    with _offline(transformers, folder):
        model, told = transformers.AutoModel.from_pretrained(
            str(folder), use_safetensors=True, dtype=dtype, output_loading_info=True, **_LOCAL
        )
    missing = sorted(name for name in told["missing_keys"] if not name.startswith(UNUSED))
    if missing:
        raise DataError(
            f"the weights in {folder} lack {missing[0]} ({len(missing)} such parameters): they belong to another model "
            f"than its {CONFIG}, or to a part of it; copy both from one place"
        )
    if processor is not None:
        return LoadedModel(model, processor, processor)
    return LoadedModel(model, *_processors(transformers, folder, [folder]))


def _from_gguf(file: Path, processor: Any, dtype: str) -> LoadedModel:
    require("gguf", "representations")
    transformers = require("transformers", "representations")
    given: dict[str, Any] = dict(gguf_file=file.name, **_LOCAL)
    with _offline(transformers, file):
        model = transformers.AutoModel.from_pretrained(str(file.parent), dtype=dtype, **given)
        if processor is None:
            processor = _with_padding(transformers.AutoTokenizer.from_pretrained(str(file.parent), **given))
    return LoadedModel(model, processor)


def _from_onnx(file: Path, processor: Any) -> LoadedModel:
    model = OnnxModel(file)
    if processor is not None:
        return LoadedModel(model, processor, processor)
    transformers = require("transformers", "representations")
    folders = _beside(file)
    shape = next((shape for shape in model.inputs.values() if len(shape) == 4), None)
    if shape is not None and not any((folder / name).is_file() for folder in folders for name in IMAGES):
        return LoadedModel(model, None, _for_pictures_of(transformers, file, shape))
    return LoadedModel(model, *_processors(transformers, file, folders))


def _beside(file: Path) -> list[Path]:
    """Folders in which the tokenizer of a graph may be: its own, and that of the model when it is in "onnx"."""
    return [file.parent, *([file.parent.parent] if file.parent.name == "onnx" else [])]


def _check_config(folder: Path) -> None:
    file = folder / CONFIG
    if not file.is_file():
        others = sorted(path.name for path in folder.iterdir() if path.suffix.lower() in (".gguf", ".onnx"))
        way_out = f"give {folder / others[0]}" if others else "copy it from where the model is from"
        raise DataError(f"{folder} has no {CONFIG}, so it is no folder of a model: {way_out}")
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{file} is damaged: {error}") from error
    if not isinstance(config, dict) or "model_type" not in config:
        raise DataError(f"{file} names no model_type, by which a model is built: copy it from where the model is from")


def _check_weights(folder: Path) -> None:
    if (folder / WEIGHTS).is_file():
        return
    index = folder / SHARDS
    if index.is_file():
        try:
            names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            raise DataError(f"{index} is damaged: {error}") from error
        lacking = [name for name in names if not (folder / name).is_file()]
        if lacking:
            raise DataError(
                f"{folder} lacks {lacking[0]}, one of the {len(names)} files of its weights ({len(lacking)} missing): "
                "copy it from where the model is from"
            )
        return
    pickles = sorted(path.name for pattern in PICKLES for path in folder.glob(pattern))
    if pickles:
        raise DataError(
            f"{folder} has its weights in {pickles[0]}, a pickle, which may run code, and no {WEIGHTS}: load it "
            "yourself and pass the model, or save it again with save_pretrained"
        )
    raise DataError(f"{folder} has no {WEIGHTS}, the weights of the model: copy it from where the model is from")


def _processors(transformers: Any, place: Path, folders: list[Path]) -> tuple[Any, Any]:
    """The tokenizer and the image processor that are there; at least one."""
    tokenizer = images = None
    for folder in folders:
        with _offline(transformers, folder):
            if tokenizer is None and any((folder / name).is_file() for name in TOKENIZERS):
                tokenizer = _with_padding(transformers.AutoTokenizer.from_pretrained(str(folder), **_LOCAL))
            if images is None and any((folder / name).is_file() for name in IMAGES):
                images = transformers.AutoImageProcessor.from_pretrained(str(folder), **_LOCAL)
    if tokenizer is None and images is None:
        raise DataError(
            f"{place} has no tokenizer ({TOKENIZERS[0]}) and no image processor ({IMAGES[0]}): copy it from where the "
            "model is from, or pass processor="
        )
    return tokenizer, images


def _with_padding(tokenizer: Any) -> Any:
    """Decoders come without a token for padding; any will do, as it is masked."""
    if getattr(tokenizer, "pad_token", None) is None and getattr(tokenizer, "eos_token", None) is not None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def _for_pictures_of(transformers: Any, file: Path, shape: list[int | str]) -> Any:
    """What makes pictures of the size that a graph takes, with the mean and deviation of ImageNet, and says so."""
    rows, columns = shape[2:]
    if not isinstance(rows, int) or not isinstance(columns, int) or not rows or not columns:
        raise DataError(
            f"{file} takes pictures of any size and has no {IMAGES[0]} beside it: copy it there, or pass processor="
        )
    warn(
        f"{file} has no {IMAGES[0]} beside it: pictures become {rows} x {columns}, with the mean and deviation of "
        "ImageNet; pass processor= where the network has seen others"
    )
    return transformers.models.vit.ViTImageProcessorPil(size={"height": rows, "width": columns}, **IMAGENET)


_LOCAL: dict[str, Any] = dict(local_files_only=True, trust_remote_code=False)


@contextmanager
def _offline(transformers: Any, place: Path) -> Iterator[None]:
    """No connection and no chatter meanwhile; what transformers raises becomes one sentence."""
    from huggingface_hub import constants
    from transformers.utils import logging

    before = (os.environ.get("HF_HUB_OFFLINE"), constants.HF_HUB_OFFLINE, logging.get_verbosity())
    bars = logging.is_progress_bar_enabled()
    os.environ["HF_HUB_OFFLINE"], constants.HF_HUB_OFFLINE = "1", True
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    except (DataError, ParameterError, MemoryError):
        raise
    except Exception as error:  # of many kinds: unknown architectures, damaged files, code that is needed
        raise DataError(f"{place} cannot be loaded: {_sentence(error)}") from error
    finally:
        if before[0] is None:
            os.environ.pop("HF_HUB_OFFLINE", None)
        else:
            os.environ["HF_HUB_OFFLINE"] = before[0]
        constants.HF_HUB_OFFLINE = before[1]
        logging.set_verbosity(before[2])
        if bars:
            logging.enable_progress_bar()


def _sentence(error: Exception) -> str:
    """What was wrong, and what to do about code that models bring."""
    text = " ".join(str(error).split())
    if "trust_remote_code" in text:
        return "it brings code of its own, which is never run: build the model yourself and pass it"
    return text or type(error).__name__
