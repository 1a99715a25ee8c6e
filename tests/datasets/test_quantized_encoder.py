"""The file of a four-bit encoder: one that the test writes comes back, weight by weight and token by token."""

import struct

import numpy as np
import pytest

from infoscope.base import DataError

pytest.importorskip("transformers")
pytest.importorskip("torch")

from infoscope.datasets.quantized_encoder import read_encoder_file, read_quantized_encoder  # noqa: E402

HIDDEN, LAYERS, HEADS, INNER, VOCABULARY, POSITIONS, TYPES = SHAPE = (32, 2, 2, 64, 12, 16, 2)
PIECES = {"<s>": 0.0, "<pad>": 0.0, "</s>": 0.0, "<unk>": 0.0, "▁": -4.0, "▁a": -2.0, "▁ab": -2.5, "b": -2.0, "c": -2.0}
SPELLING = {ord("\t"): " ", ord("ß"): "bb", 0x200D: ""}


def four_bits(g, n):
    """Blocks of 32 weights, and the weights one by one: (q - 8) d with q of four bits."""
    stored, weights = b"", []
    for _ in range(n // 32):
        d, q = np.float16(g.uniform(0.01, 0.1)), g.integers(0, 16, 32)
        stored += d.tobytes() + bytes(int(q[j]) | int(q[j + 16]) << 4 for j in range(16))
        weights += [(int(one) - 8) * float(d) for one in q]
    return stored, np.array(weights)


def tensors(g):
    """Name, type, stored bytes and true values of every tensor."""

    def plain(n):
        values = g.normal(0, 0.3, n).astype("<f4")
        return 0, values.tobytes(), values.astype(float)

    found = {"emb.word": (1, *four_bits(g, VOCABULARY * HIDDEN))}
    found |= {"emb.pos": plain(POSITIONS * HIDDEN), "emb.type": plain(TYPES * HIDDEN)}
    found |= {"emb.ln.w": plain(HIDDEN), "emb.ln.b": plain(HIDDEN)}
    for layer in range(LAYERS):
        for part, (out, into) in dict(
            q=(HIDDEN, HIDDEN), k=(HIDDEN, HIDDEN), v=(HIDDEN, HIDDEN), ao=(HIDDEN, HIDDEN), fi=(INNER, HIDDEN),
            fo=(HIDDEN, INNER),
        ).items():  # fmt: skip
            found[f"l{layer}.{part}.w"] = (1, *four_bits(g, out * into))
            found[f"l{layer}.{part}.b"] = plain(out)
        for part in ("aln", "oln"):
            found |= {f"l{layer}.{part}.w": plain(HIDDEN), f"l{layer}.{part}.b": plain(HIDDEN)}
    return found


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    found = tensors(np.random.default_rng(0))
    words = [piece.encode() for piece in PIECES]
    ends = np.cumsum([0, *map(len, words)]).astype("<u4")
    norm = b"".join(struct.pack(f"<IB{len(to)}I", code, len(to), *map(ord, to)) for code, to in SPELLING.items())
    head = b"E5S1" + struct.pack("<I7ifi", 1, *SHAPE, 1e-12, 32) + struct.pack("<5i", len(PIECES), 0, 2, 1, 3)
    head += struct.pack("<Q", ends[-1]) + ends.tobytes() + np.array(list(PIECES.values()), "<f4").tobytes()
    head += b"".join(words) + struct.pack("<iI", len(SPELLING), len(norm)) + norm
    records_size = 4 + sum(2 + len(name) + 1 + 4 + 8 + 8 for name in found)
    place, records, body = len(head) + records_size, struct.pack("<i", len(found)), b""
    for name, (kind, stored, values) in found.items():
        records += struct.pack("<H", len(name)) + name.encode()
        records += struct.pack("<BIQQ", kind, len(values), place + len(body), len(stored))
        body += stored
    path = tmp_path_factory.mktemp("encoder") / "small.bin"
    path.write_bytes(head + records + body)
    return path, {name: values for name, (_, _, values) in found.items()}


def test_every_weight_comes_back(written):
    path, weights = written
    found = read_encoder_file(path)
    assert tuple(found.shape) == SHAPE and list(found.tensors) == list(weights)
    for name, values in weights.items():
        np.testing.assert_allclose(found.tensors[name], values, rtol=1e-7, atol=1e-9)  # one rounding of float32
    assert found.vocabulary.spelling == SPELLING


def normed(x, weight, bias):
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-12) * weight + bias


def forward(w, tokens):
    """The encoder by hand: attention and a GELU network, each added to what came in and normed after."""
    from scipy.special import erf

    x = w["emb.word"].reshape(-1, HIDDEN)[tokens] + w["emb.pos"].reshape(-1, HIDDEN)[: len(tokens)]
    x = normed(x + w["emb.type"][:HIDDEN], w["emb.ln.w"], w["emb.ln.b"])
    for layer in range(LAYERS):

        def dense(x, part, layer=layer):
            return x @ w[f"l{layer}.{part}.w"].reshape(-1, x.shape[1]).T + w[f"l{layer}.{part}.b"]

        size, mixed = HIDDEN // HEADS, []
        for head in range(HEADS):
            q, k, v = (dense(x, part)[:, head * size : (head + 1) * size] for part in "qkv")
            attention = np.exp(q @ k.T / np.sqrt(size))
            mixed.append(attention / attention.sum(1, keepdims=True) @ v)
        x = normed(x + dense(np.hstack(mixed), "ao"), w[f"l{layer}.aln.w"], w[f"l{layer}.aln.b"])
        inner = dense(x, "fi")
        inner = inner * (1 + erf(inner / np.sqrt(2))) / 2
        x = normed(x + dense(inner, "fo"), w[f"l{layer}.oln.w"], w[f"l{layer}.oln.b"])
    return x


def test_the_network_is_that_of_the_weights(written):
    import torch

    path, weights = written
    model, tokenizer = read_quantized_encoder(path)
    made = tokenizer(["ab c", "a"], padding=True, return_tensors="pt")
    with torch.inference_mode():
        states = model(**made).last_hidden_state.numpy()
    for row, mask in enumerate(made["attention_mask"].numpy().astype(bool)):
        tokens = made["input_ids"][row].numpy()[mask]
        np.testing.assert_allclose(states[row, mask], forward(weights, tokens), atol=2e-5)  # float32, two layers


def test_texts_are_spelt_and_cut_into_the_likeliest_pieces(written):
    tokenizer = read_quantized_encoder(written[0])[1]

    def pieces(text):
        return tokenizer.convert_ids_to_tokens(tokenizer([text])["input_ids"][0])

    assert pieces("ab") == ["<s>", "▁ab", "</s>"]  # -2.5, likelier than a, b with -4
    assert pieces("a\t\t bß") == ["<s>", "▁a", "▁", "b", "b", "b", "</s>"]
    assert pieces("c\u200dc") == ["<s>", "▁", "c", "c", "</s>"]
    assert pieces("z") == ["<s>", "▁", "<unk>", "</s>"]
    assert tokenizer.model_max_length == POSITIONS and tokenizer.vocab_size == len(PIECES)


def test_other_files_and_cut_ones_are_refused(written, tmp_path):
    data = written[0].read_bytes()
    (tmp_path / "other.bin").write_bytes(b"GGUF" + data[4:])
    with pytest.raises(DataError, match="begins with b'GGUF', not b'E5S1'"):
        read_encoder_file(tmp_path / "other.bin")
    (tmp_path / "cut.bin").write_bytes(data[:-100])
    with pytest.raises(DataError, match="is cut off"):
        read_encoder_file(tmp_path / "cut.bin")
