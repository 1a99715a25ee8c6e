"""From texts to windows of tokens: characters, or byte pairs learnt here; documents are kept apart."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from infoscope.base import DataError, ParameterError, check_positive_int
from infoscope.base.contents import integers
from infoscope.base.errors import require
from infoscope.storage import atomic_path

from .token_arrays import check_alphabet

BYTES = 256  # the alphabet of byte pairs before the first merge
SAVED = "tokenizer.json"
OTHER = "\ufffd"  # stands for characters that were too rare for the alphabet


@dataclass(frozen=True)
class Tokenizer:
    """What turns text into ids and back.

    Attributes
    ----------
    kind : str
        "characters", "characters:60", "bpe:512"; "file", of one that was read.
    vocabulary : tuple of str
        What every id stands for.
    rules : str
        JSON of `tokenizers`; empty for characters.
    """

    kind: str
    vocabulary: tuple[str, ...] = field(repr=False)
    rules: str = field(default="", repr=False)

    @property
    def n_tokens(self) -> int:
        """V."""
        return len(self.vocabulary)

    def encode(self, text: str) -> np.ndarray:
        """Ids of a text: (n,) of uint16."""
        if self.rules:
            return np.array(_byte_pairs(self.rules).encode(text, add_special_tokens=False).ids, dtype=np.uint16)
        number = {character: at for at, character in enumerate(self.vocabulary)}
        other = number.get(OTHER)
        ids = [number.get(character, other) for character in text]
        if None in ids:
            raise DataError(f"the character {text[ids.index(None)]!r} is not in the alphabet of this tokenizer")
        return np.array(ids, dtype=np.uint16)

    def decode(self, ids: Any) -> str:
        """Text of ids; padding is left out."""
        kept = [int(number) for number in np.asarray(ids).ravel() if number >= 0]
        if self.rules:
            return str(_byte_pairs(self.rules).decode(kept))
        return "".join(self.vocabulary[number] for number in kept)


@dataclass(frozen=True, eq=False)
class TokenWindows:
    """Windows of equal length, none of them across two documents.

    Attributes
    ----------
    tokens : array (n, L) of uint16
        Memory-mapped where a file was named.
    document : array (n,)
        Which document each window is from.
    tokenizer : Tokenizer
    """

    tokens: np.ndarray = field(repr=False)
    document: np.ndarray = field(repr=False)
    tokenizer: Tokenizer

    _contents = {"tokens": integers("N", "L", below=2**16), "document": integers("N")}

    def __len__(self) -> int:
        return len(self.tokens)

    def split(self, share: float = 0.1, *, random_state: int = 0) -> tuple[TokenWindows, TokenWindows]:
        """Windows to train with, and windows of other documents to test with.

        Parameters
        ----------
        share : float
            Of the windows in the second part, about.
        random_state : int
            Which documents those are.

        Returns
        -------
        train, test : TokenWindows
        """
        names, counts = np.unique(self.document, return_counts=True)
        if len(names) < 2:
            raise DataError("there is one document only: cut it into chapters, or pass a test text of its own")
        order = np.random.default_rng(random_state).permutation(len(names))
        enough = np.searchsorted(np.cumsum(counts[order]), share * counts.sum()) + 1
        away = np.isin(self.document, names[order[: min(enough, len(names) - 1)]])
        return self._take(~away), self._take(away)

    def _take(self, rows: np.ndarray) -> TokenWindows:
        return TokenWindows(np.asarray(self.tokens[rows]), self.document[rows], self.tokenizer)


def train_tokenizer(texts: Iterable[str], kind: str = "bpe:512") -> Tokenizer:
    """Learn an alphabet from texts.

    Parameters
    ----------
    texts : iterable of str
    kind : str
        "characters": all that occur; "characters:60": the 59 most frequent, the others become one; "bpe:512": byte
        pairs, 256 bytes and as many merges as are left.

    Returns
    -------
    Tokenizer

    Raises
    ------
    ParameterError
        An unknown kind, byte pairs without a merge.
    DataError
        No text.

    Examples
    --------
    >>> from infoscope.clones import train_tokenizer
    >>> tokenizer = train_tokenizer(["abracadabra"], "characters")
    >>> tokenizer.encode("cab"), tokenizer.decode([0, 1, 1, 0])
    (array([2, 0, 1], dtype=uint16), 'abba')
    """
    name, _, number = kind.partition(":")
    size = None if not number else check_positive_int(_whole(number, kind), "the size of the alphabet", 2, 2**16)
    texts = list(texts)
    if not any(texts):
        raise DataError("there is no text to learn an alphabet from")
    if name == "characters":
        counts = Counter("".join(texts))
        if size is None or len(counts) <= size:
            return Tokenizer(kind, tuple(sorted(counts)))
        frequent = sorted(counts, key=lambda character: (-counts[character], character))[: size - 1]
        return Tokenizer(kind, (*sorted(frequent), OTHER))
    if name != "bpe":
        raise ParameterError(f"tokenizer {kind!r} is unknown: pass 'characters', 'characters:60' or 'bpe:512'")
    if size is None or size <= BYTES:
        raise ParameterError(f"{kind!r} leaves no merge: the alphabet of bytes has 256 already, write 'bpe:512'")
    return _learn_byte_pairs(texts, kind, size)


def read_tokenizer(path: str | PathLike[str]) -> Tokenizer:
    """The tokenizer of a model that was saved, so that texts become the ids that it knows.

    Parameters
    ----------
    path : path-like
        A ``tokenizer.json``, the folder of a model that holds one, or a folder of such folders.

    Returns
    -------
    Tokenizer
        Special tokens have ids as well; `encode` adds none.

    Raises
    ------
    DataError
        No such file, a damaged one, more than 65,536 tokens.
    MissingExtraError
        Without `tokenizers`.

    Examples
    --------
    >>> from infoscope.clones import read_tokenizer
    >>> read_tokenizer("no/such/folder")
    Traceback (most recent call last):
    ...
    infoscope.base.errors.DataError: there is no tokenizer.json in no/such/folder: copy it from where the model is from
    """
    place = Path(path)
    known = [place] if place.is_file() else [place / SAVED, *sorted(place.glob(f"*/{SAVED}"))]
    file = next((one for one in known if one.is_file()), None)
    if file is None:
        raise DataError(f"there is no {SAVED} in {place}: copy it from where the model is from")
    reader = require("tokenizers", "clones").Tokenizer
    try:
        made = reader.from_str(file.read_text(encoding="utf-8"))
    except Exception as error:  # tokenizers raises no class of its own
        raise DataError(f"{file} is damaged, or no tokenizer: {error}") from error
    made.no_truncation()
    made.no_padding()
    n = check_alphabet(made.get_vocab_size())
    return Tokenizer("file", tuple(made.id_to_token(number) or "" for number in range(n)), made.to_str())


def token_windows(
    documents: Sequence[str], tokenizer: Tokenizer, length: int = 32, *, path: str | PathLike[str] | None = None
) -> TokenWindows:
    """Cut documents into windows.

    Parameters
    ----------
    documents : sequence of str
        What is left of each after its last whole window is not used.
    tokenizer : Tokenizer
    length : int
        L.
    path : path, optional
        A ``.npy`` file that keeps the windows; they are then mapped, and need no memory.

    Returns
    -------
    TokenWindows

    Raises
    ------
    DataError
        No document is as long as one window.

    Examples
    --------
    >>> from infoscope.clones import token_windows, train_tokenizer
    >>> texts = ["abracadabra", "barb"]
    >>> windows = token_windows(texts, train_tokenizer(texts, "characters"), 4)
    >>> [windows.tokenizer.decode(row) for row in windows.tokens], windows.document
    (['abra', 'cada', 'barb'], array([0, 0, 1]))
    """
    length = check_positive_int(length, "length", 2)
    if isinstance(documents, str):
        documents = [documents]
    parts, numbers, longest = [], [], 0
    for at, text in enumerate(documents):
        ids = tokenizer.encode(text)
        longest = max(longest, len(ids))
        n = len(ids) // length
        parts.append(ids[: n * length].reshape(n, length))
        numbers.append(np.full(n, at))
    tokens = np.concatenate([np.empty((0, length), np.uint16), *parts])
    if not len(tokens):
        raise DataError(
            f"the longest of {len(documents)} documents has {longest} tokens, fewer than one window of {length}: pass "
            "longer texts or a smaller length"
        )
    if path is not None:
        with atomic_path(Path(path)) as temporary, open(temporary, "wb") as file:
            np.save(file, tokens)
        tokens = np.load(path, mmap_mode="r")
    return TokenWindows(tokens, np.concatenate(numbers), tokenizer)


# --------------------------------------------------------------------------------------------------------------- steps
def _whole(number: str, kind: str) -> int:
    if not number.isdigit():
        raise ParameterError(f"tokenizer {kind!r}: what follows the colon is the size of the alphabet")
    return int(number)


def _learn_byte_pairs(texts: list[str], kind: str, size: int) -> Tokenizer:
    tokenizers = require("tokenizers", "clones")
    from tokenizers import decoders, models, pre_tokenizers, trainers

    learner = tokenizers.Tokenizer(models.BPE())
    learner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    learner.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    learner.train_from_iterator(texts, trainer)
    vocabulary = tuple(learner.id_to_token(number) for number in range(learner.get_vocab_size()))
    return Tokenizer(kind, vocabulary, json.dumps(json.loads(learner.to_str()), sort_keys=True))


_known: dict[str, Any] = {}


def _byte_pairs(rules: str) -> Any:
    """The tokenizer of some rules, made once."""
    if rules not in _known:
        _known.clear()
        _known[rules] = require("tokenizers", "clones").Tokenizer.from_str(rules)
    return _known[rules]
