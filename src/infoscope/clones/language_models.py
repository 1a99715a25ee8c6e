"""Language models of others, as `learning_curves` asks them: modules, folders of transformers, and of checkpoints."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from infoscope.base import DataError, ParameterError, check_choice, check_positive_int
from infoscope.base.errors import require

from .sequences import PADDING
from .token_arrays import check_alphabet
from .tokens import SAVED as TOKENIZER
from .tokens import read_tokenizer

Conditional: TypeAlias = "Callable[[np.ndarray, np.ndarray], np.ndarray]"

KINDS = {"masked": "AutoModelForMaskedLM", "causal": "AutoModelForCausalLM"}
CONFIG, WEIGHTS = "config.json", "model*.safetensors"
MASKS = ("[MASK]", "<mask>")
STEP = re.compile(r"(\d+)$")  # as in checkpoint-500


def masked_conditional(model: Any, n_tokens: int, *, mask_token: int, batch_size: int = 64) -> Conditional:
    """The token at one site a sequence, given all others, by a model that fills in masked tokens.

    Parameters
    ----------
    model : torch.nn.Module, or path-like
        Called as ``model(input_ids=, attention_mask=)``, with ``logits`` (n, L, V) in what it returns, as masked
        language models of transformers are; or the folder that such a model was saved to.
    n_tokens : int
        Size of the alphabet of the sequences.
    mask_token : int
        The id that stands for a masked token; ``tokenizer.mask_token_id``.
    batch_size : int
        Sequences that the model sees together.

    Returns
    -------
    function (tokens (n, L), sites (n,)) -> array (n, n_tokens)
        Log-probabilities; special tokens beyond the alphabet have none.

    Raises
    ------
    DataError
        A vocabulary of the model that is not that of the sequences, sequences longer than the model knows; files that
        are missing or of another kind of model.
    MissingExtraError
        Without PyTorch; for folders, without transformers.

    Notes
    -----
    Sequences are passed on as they are: tokens that a model expects at their ends belong into the sequences.

    Examples
    --------
    >>> import numpy as np, torch
    >>> from types import SimpleNamespace
    >>> from infoscope.clones import masked_conditional
    >>> class Copies(torch.nn.Module):  # the token at the other site of two
    ...     def forward(self, input_ids, attention_mask):
    ...         return SimpleNamespace(logits=5.0 * torch.nn.functional.one_hot(input_ids.flip(1), 3))
    >>> ask = masked_conditional(Copies(), 2, mask_token=2)
    >>> ask(np.array([[0, 1], [1, 1]]), np.array([0, 0])).argmax(axis=1)
    array([1, 1])
    """
    return _Conditional("masked", _loaded(model, "masked"), n_tokens, mask_token, "mask_token", batch_size)


def causal_conditional(
    model: Any, n_tokens: int, *, start_token: int | None = None, batch_size: int = 64
) -> Conditional:
    """The token at one site a sequence, given those before it, by a model that predicts the next token.

    Parameters
    ----------
    model : torch.nn.Module, or path-like
        As for `masked_conditional`, of causal language models.
    n_tokens : int
        Size of the alphabet of the sequences.
    start_token : int, optional
        The id before the first token; ``config.bos_token_id`` of the model by default.
    batch_size : int
        Sequences that the model sees together.

    Returns
    -------
    function (tokens (n, L), sites (n,)) -> array (n, n_tokens)
        Log-probabilities; special tokens beyond the alphabet have none.

    Raises
    ------
    DataError, MissingExtraError
        As for `masked_conditional`.
    ParameterError
        No start token is known.

    Examples
    --------
    >>> import numpy as np, torch
    >>> from types import SimpleNamespace
    >>> from infoscope.clones import causal_conditional
    >>> class Repeats(torch.nn.Module):  # the token before
    ...     def forward(self, input_ids, attention_mask):
    ...         return SimpleNamespace(logits=5.0 * torch.nn.functional.one_hot(input_ids, 2))
    >>> ask = causal_conditional(Repeats(), 2, start_token=0)
    >>> ask(np.array([[1, 0, 1], [1, 1, 0]]), np.array([0, 2])).argmax(axis=1)
    array([0, 1])
    """
    model = _loaded(model, "causal")
    if start_token is None:
        start_token = getattr(getattr(model, "config", None), "bos_token_id", None)
    if start_token is None:
        raise ParameterError("the model names no token that sequences start with (bos_token_id): pass start_token")
    return _Conditional("causal", model, n_tokens, start_token, "start_token", batch_size)


def checkpoint_conditionals(
    folder: str | PathLike[str], n_tokens: int | None = None, *, kind: str | None = None, **options: Any
) -> dict[int, Conditional]:
    """What a model knew at each step of a training, from the folders that it was saved to.

    Parameters
    ----------
    folder : path-like
        Holds folders of transformers whose names end with the step, as in ``checkpoint-500``.
    n_tokens : int, optional
        Size of the alphabet of the sequences; that of the tokenizer in these folders by default.
    kind : {"masked", "causal"}, optional
        What the model was trained for; by default as its config.json says.
    **options
        As of `masked_conditional` or `causal_conditional`; ``mask_token`` is by default that of the tokenizer.

    Returns
    -------
    dict of int to function (tokens (n, L), sites (n,)) -> array (n, n_tokens)
        What `learning_curves` takes.  A model is read when it is asked, and dropped when another one is.

    Raises
    ------
    DataError
        No such folders; two of one step; tokenizers that differ; and, when it is asked, a model that
        `masked_conditional` refuses.

    Examples
    --------
    >>> from infoscope.clones import checkpoint_conditionals
    >>> checkpoint_conditionals("no/such/folder", 100, mask_token=100)
    Traceback (most recent call last):
    ...
    infoscope.base.errors.DataError: there is no folder no/such/folder: models are read from local files only
    """
    places = _steps_of(Path(folder))
    first = next(iter(places.values()))
    kind = _kind_of(first) if kind is None else check_choice(kind, "kind", tuple(KINDS))
    n_tokens = read_tokenizer(first).n_tokens if n_tokens is None else n_tokens
    if kind == "masked" and "mask_token" not in options:
        options["mask_token"] = _mask_of(first)
    make: Callable[..., Conditional] = masked_conditional if kind == "masked" else causal_conditional
    held: dict[Path, Conditional] = {}  # one at a time

    def ask_at(place: Path) -> Conditional:
        def ask(tokens: np.ndarray, sites: np.ndarray) -> np.ndarray:
            """Log-probabilities of one site a sequence."""
            if place not in held:
                held.clear()
                held[place] = make(place, n_tokens, **options)
            return held[place](tokens, sites)

        return ask

    return {step: ask_at(place) for step, place in sorted(places.items())}


# --------------------------------------------------------------------------------------------------------------- steps
class _Conditional:
    """A model, asked about one site a sequence."""

    def __init__(self, kind: str, model: Any, n_tokens: int, special: int, name: str, batch_size: int) -> None:
        self.kind, self.model, self.n_tokens = kind, model, check_alphabet(n_tokens)
        self.special = check_positive_int(special, name, 0)
        self.batch_size = check_positive_int(batch_size, "batch_size")
        config = getattr(model, "config", None)
        known = getattr(config, "vocab_size", None)
        self.longest = getattr(config, "max_position_embeddings", None)
        if known is not None and self.special >= known:
            raise ParameterError(f"{name} is {self.special}, but the model has {known} tokens, 0 to {known - 1}")
        # ids of the model's own, behind the alphabet of the sequences
        named = (getattr(config, f"{one}_token_id", None) for one in ("pad", "bos", "eos", "mask"))
        ids = {one for one in (self.special, *named) if isinstance(one, int)}
        self.extra = len([one for one in ids if self.n_tokens <= one < (known or one + 1)])
        if known is not None:
            self._check_vocabulary(known)

    def __call__(self, tokens: np.ndarray, sites: np.ndarray) -> np.ndarray:
        read, sites = np.array(tokens, np.int64), np.asarray(sites)
        if read.max() >= self.n_tokens:
            raise DataError(
                f"sequences hold token {read.max()}, but n_tokens is {self.n_tokens}: pass the size of their alphabet"
            )
        if self.longest is not None and read.shape[1] > self.longest:
            raise DataError(f"sequences have {read.shape[1]} sites, and the model knows {self.longest}: cut them")
        seen, rows = read != PADDING, np.arange(len(read))
        read[~seen] = 0
        if self.kind == "masked":
            read[rows, sites] = self.special
        else:  # what stands at a site is the token before it
            read = np.c_[np.full(len(read), self.special), read[:, :-1]]
            seen = np.c_[np.ones(len(read), bool), seen[:, :-1]]
        parts = [slice(first, first + self.batch_size) for first in range(0, len(read), self.batch_size)]
        return np.concatenate([self._ask(read[part], seen[part], sites[part]) for part in parts])

    def _ask(self, ids: np.ndarray, seen: np.ndarray, sites: np.ndarray) -> np.ndarray:
        torch = require("torch", "clones")
        device = next((one.device for one in self.model.parameters()), torch.device("cpu"))
        was_training = self.model.training
        self.model.eval()  # no dropout
        try:
            with torch.no_grad():
                given = torch.as_tensor(ids, device=device)
                made = self.model(input_ids=given, attention_mask=torch.as_tensor(seen, device=device).long()).logits
        finally:
            self.model.train(was_training)
        if made.shape[:2] != ids.shape:
            raise DataError(f"the model returned logits {tuple(made.shape)} for {ids.shape} tokens, not one row each")
        self._check_vocabulary(made.shape[2])
        rows = torch.arange(len(ids), device=device)
        logits = made[rows, torch.as_tensor(sites, device=device), : self.n_tokens].double()
        return np.asarray(torch.log_softmax(logits, dim=-1).cpu().numpy())

    def _check_vocabulary(self, known: int) -> None:
        if known not in (self.n_tokens, self.n_tokens + self.extra):
            raise DataError(
                f"the vocabulary of the model has {known} tokens, and that of the sequences {self.n_tokens}"
                + (f" (and {self.extra} special ones)" if self.extra else "")
                + ": use the tokenizer that the model was trained with, and pass the size of its vocabulary as n_tokens"
            )


def _loaded(model: Any, kind: str) -> Any:
    """A module as it is; a folder, read without a connection and without code of the files."""
    torch = require("torch", "clones")
    if isinstance(model, torch.nn.Module):
        return model
    if not isinstance(model, str | PathLike):
        raise ParameterError(f"model is {type(model).__name__}: pass a torch module, or the folder of a model")
    folder = _folder(Path(model))
    if not (folder / CONFIG).is_file():
        raise DataError(
            f"{folder} has no {CONFIG}, so it is no folder of a model: copy it from where the model is from"
        )
    if not any(folder.glob(WEIGHTS)):
        raise DataError(f"{folder} has no model.safetensors: save the model again with save_pretrained")
    transformers = require("transformers", "representations")
    try:
        made, told = getattr(transformers, KINDS[kind]).from_pretrained(
            str(folder), local_files_only=True, trust_remote_code=False, use_safetensors=True, output_loading_info=True
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        first = str(error).strip().split("\n")[0]
        raise DataError(f"{folder} cannot be read as a {kind} language model: {first}") from error
    lacking = sorted(told["missing_keys"])
    if lacking:
        raise DataError(
            f"the weights in {folder} lack {lacking[0]} ({len(lacking)} such parameters): they are of no {kind} "
            "language model, or of a part of one"
        )
    return made


def _folder(place: Path) -> Path:
    if not place.is_dir():
        raise DataError(f"there is no folder {place}: models are read from local files only")
    return place


def _steps_of(folder: Path) -> dict[int, Path]:
    found: dict[int, Path] = {}
    for place in sorted(_folder(folder).iterdir()):
        match = STEP.search(place.name)
        if match is None or not (place / CONFIG).is_file():
            continue
        step = int(match[1])
        if step in found:
            raise DataError(f"{found[step].name} and {place.name} in {folder} are both of step {step}: keep one")
        found[step] = place
    _refuse_other_tokenizers(list(found.values()))
    if not found:
        raise DataError(
            f"{folder} holds no checkpoints: folders with a {CONFIG}, whose names end with the step (checkpoint-500)"
        )
    return found


def _kind_of(folder: Path) -> str:
    """What a model was trained for, as its file says."""
    try:
        names = json.loads((folder / CONFIG).read_text(encoding="utf-8")).get("architectures") or ()
    except (ValueError, AttributeError) as error:
        raise DataError(f"{folder / CONFIG} is damaged: {error}") from error
    if any("MaskedLM" in name for name in names):
        return "masked"
    if any("CausalLM" in name or "LMHead" in name for name in names):
        return "causal"
    raise DataError(f"{folder / CONFIG} does not say whether the model is masked or causal: pass kind")


def _mask_of(folder: Path) -> int:
    vocabulary = read_tokenizer(folder).vocabulary if (folder / TOKENIZER).is_file() else ()
    found = next((vocabulary.index(name) for name in MASKS if name in vocabulary), None)
    if found is None:
        raise ParameterError(f"no tokenizer in {folder} names a mask: pass mask_token, the id of a masked token")
    return found


def _refuse_other_tokenizers(places: list[Path]) -> None:
    """Ids of one tokenizer mean nothing to a model of another, though both may know as many."""
    known = [place / TOKENIZER for place in places if (place / TOKENIZER).is_file()]
    for file in known[1:]:
        if file.read_bytes() != known[0].read_bytes():
            raise DataError(
                f"{known[0]} and {file} are not the same tokenizer: these are checkpoints of two trainings, which are "
                "to be followed one by one"
            )
