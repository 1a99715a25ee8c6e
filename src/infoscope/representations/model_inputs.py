"""From items to what a network takes: the processor is called, and padding stands behind the tokens."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from infoscope.base import DataError, ParameterError, require

from .items import PICTURES, TEXTS, Items

PARTS = {TEXTS: "tokenizer", PICTURES: "image_processor"}  # of a processor that has both
MADE = {TEXTS: "input_ids", PICTURES: "pixel_values"}
NO_LIMIT = 10**9  # what tokenizers say that know of none


class ModelInputs:
    """Calls a tokenizer or an image processor.

    Parameters
    ----------
    processor : callable
        A tokenizer, an image processor, or what has both as `tokenizer` and `image_processor`.
    kind : {"texts", "pictures"}
        Of the items.
    truncate : bool
        Whether long texts are cut.
    tensors : {"pt", "np"}
        What the network takes: tensors of PyTorch, or arrays.

    Raises
    ------
    ParameterError
        Without a processor for items of this kind.
    """

    def __init__(self, processor: Any, kind: str, *, truncate: bool = False, tensors: str = "pt"):
        part = PARTS[kind]
        has_both = all(hasattr(processor, one) for one in PARTS.values())  # a wrapper of a tokenizer is called itself
        self.processor = getattr(processor, part) if has_both else processor
        makes = getattr(self.processor, "model_input_names", None) or [MADE[kind]]
        if not callable(self.processor) or MADE[kind] not in makes:
            raise ParameterError(
                f"there is no {part.replace('_', ' ')} for {kind}: pass one as processor (texts are str, pictures are "
                "images or pathlib.Path of their files)"
            )
        self.truncate, self.tensors = truncate, tensors
        self._seen = hashlib.blake2b(digest_size=8)  # of what was made: it tells two processors apart

    def __call__(self, items: Items) -> dict[str, Any]:
        """What the network takes for a batch: of texts with every row's padding behind its tokens.

        A network with learned positions counts them from the first column, whatever the mask: padding in front would
        give a text other positions in every batch.
        """
        if items.kind == PICTURES:
            return dict(self.processor(images=[_open(one) for one in items.values], return_tensors=self.tensors))
        made = dict(self._called(items.values, padding=True, return_tensors=self.tensors))
        if made.get("attention_mask") is None:
            self._refuse_unmasked(made, items)
            return made
        mask = np.asarray(made["attention_mask"])
        before = (mask != 0).argmax(1)
        if not before.any():
            return made
        rows = np.arange(len(mask))[:, None]
        columns = (np.arange(mask.shape[1]) + before[:, None]) % mask.shape[1]
        return {
            name: one[rows, columns] if tuple(getattr(one, "shape", ())[:2]) == mask.shape else one
            for name, one in made.items()
        }

    def lengths(self, items: Items, limit: int | None) -> list[int]:
        """Tokens of every text.

        Raises
        ------
        DataError
            With a text that is longer than the network, or its tokenizer, takes.
        """
        made = self._called(items.values, padding=False)
        ids, mask = made["input_ids"], made.get("attention_mask")
        lengths = [len(one) for one in ids] if mask is None else [int(sum(one)) for one in mask]
        for one in ids:
            self._seen.update(np.asarray(one, np.int64).tobytes() + b";")
        known = [one for one in (limit, getattr(self.processor, "model_max_length", None)) if one is not None]
        known = [int(one) for one in known if 0 < one < NO_LIMIT]
        longest = int(np.argmax(lengths))
        if known and lengths[longest] > min(known):
            too_long = sum(length > min(known) for length in lengths)
            raise DataError(
                f"{items.spell(longest)} has {lengths[longest]} tokens, and the model takes {min(known)} ({too_long} "
                "such items): leave them out of all models, or pass truncate=True"
            )
        return lengths

    def look_at(self, made: Mapping[str, Any]) -> None:
        """Remember what was made of pictures: those of another processor differ."""
        for name, one in sorted(made.items()):
            self._seen.update(name.encode() + np.ascontiguousarray(np.asarray(one)).tobytes())

    def tokens(self, made: Mapping[str, Any]) -> _TokenTexts:
        """Tokens of a batch as the tokenizer writes them, for messages."""
        return _TokenTexts(self.processor, made.get("input_ids"))

    def describe(self) -> str:
        """A processor by its kind, and by what it made."""
        name = getattr(self.processor, "__name__", type(self.processor).__name__)
        return f"{name} {self._seen.hexdigest()}"

    # ------------------------------------------------------------------------------------------------------------ steps
    def _called(self, texts: list[str], **options: Any) -> Mapping[str, Any]:
        try:
            return self.processor(texts, truncation=self.truncate, **options)
        except ValueError as error:
            if "padding token" not in str(error):
                raise
            raise DataError(
                "the tokenizer has no token for padding: set one, tokenizer.pad_token = tokenizer.eos_token"
            ) from error

    def _refuse_unmasked(self, made: Mapping[str, Any], items: Items) -> None:
        lengths = {len(one) for one in self._called(items.values, padding=False).get("input_ids", [])}
        if len(lengths) > 1:
            raise DataError(
                "the tokenizer returns no attention_mask, and texts of one batch have different numbers of tokens: "
                "padding cannot be told from tokens; let it return the mask, or pass token_budget=1"
            )


def _open(picture: Any) -> Any:
    """A picture of a file, in three colours."""
    if not isinstance(picture, Path):
        return picture
    image = require("PIL.Image", "representations")
    try:
        with image.open(picture) as file:
            return file.convert("RGB")
    except OSError as error:
        raise DataError(f"{picture} cannot be read as a picture: {error}") from error


class _TokenTexts(Sequence[Any]):
    """Rows of tokens, written when they are asked for."""

    def __init__(self, processor: Any, ids: Any):
        self._ids: Any = ids
        self._write: Any = getattr(processor, "convert_ids_to_tokens", None)

    def __len__(self) -> int:
        return 0 if self._ids is None or self._write is None else len(self._ids)

    def __getitem__(self, row: Any) -> Any:
        return self._write(np.asarray(self._ids[row]).tolist())
