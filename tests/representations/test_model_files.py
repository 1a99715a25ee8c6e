"""Models from local files: whole and damaged folders, GGUF and what is no model; nothing is fetched, no code is run."""

import json
import shutil
import socket

import numpy as np
import pytest
from tests.representations import tiny_models as tiny

from infoscope.base import DataError
from infoscope.representations import extract, load_model

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def texts():
    return tiny.some_texts()


@pytest.fixture(autouse=True)
def without_a_connection(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a connection was asked for")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "llama"
    tiny.llama(head=True).save_pretrained(folder)
    tiny.word_tokenizer().save_pretrained(folder)
    return folder


@pytest.fixture
def folder(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "model")


def test_a_folder_gives_what_the_model_gave(texts, whole, tmp_path):
    """The head of the saved model is left out, and the tokenizer stands beside it."""
    store = extract(whole, None, texts, tmp_path / "path", dtype="float32")
    again = extract(tiny.llama(), tiny.word_tokenizer(), texts, tmp_path / "memory", dtype="float32")
    assert store.layers == again.layers
    for layer in store.layers:
        np.testing.assert_array_equal(store.read(layer), again.read(layer))
    given = load_model(str(whole), tiny.word_tokenizer(ends=False))
    third = extract(given, None, texts, tmp_path / "given", dtype="float32")
    assert not np.array_equal(third.read("output"), store.read("output"))
    loaded = load_model(whole, dtype="bfloat16")
    assert loaded.model.dtype == torch.bfloat16 and loaded.image_processor is None


def test_a_folder_of_pictures_and_one_of_both(texts, tmp_path):
    pictures = tiny.some_pictures()
    tiny.dinov2(4).save_pretrained(tmp_path / "vision")
    tiny.image_processor().save_pretrained(tmp_path / "vision")
    store = extract(tmp_path / "vision", None, pictures, tmp_path / "v", pool="first", dtype="float32")
    again = extract(tiny.dinov2(4), tiny.image_processor(), pictures, tmp_path / "m", pool="first", dtype="float32")
    np.testing.assert_array_equal(store.read("output"), again.read("output"))
    tiny.clip().save_pretrained(tmp_path / "clip")
    tiny.word_tokenizer().save_pretrained(tmp_path / "clip")
    tiny.image_processor().save_pretrained(tmp_path / "clip")
    both = load_model(tmp_path / "clip")
    assert extract(both, None, texts, tmp_path / "a").layers[1] == "text_model.encoder.layers.0"
    assert extract(both, None, pictures, tmp_path / "b").layers[1] == "vision_model.encoder.layers.0"


def _remove(name):
    return lambda folder: (folder / name).unlink()


def _write(name, text):
    return lambda folder: (folder / name).write_text(text)


def _of_another_model(folder):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 5}))


def _wider(folder):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"intermediate_size": 48}))


def _shards(folder):
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def _pickled(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def _own_code(folder):
    code = {"model_type": "of_its_own", "auto_map": {"AutoModel": "code.Model", "AutoConfig": "code.Config"}}
    (folder / "config.json").write_text(json.dumps(code))
    (folder / "code.py").write_text("raise SystemExit('code of the folder was run')")


def _cut(folder):
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-200])


def _only_graph(folder):
    (folder / "config.json").rename(folder / "graph.onnx")


@pytest.mark.parametrize(
    "damage, said",
    [
        (_remove("config.json"), "has no config.json, so it is no folder of a model: copy it"),
        (_only_graph, r"has no config.json.*: give .*graph\.onnx"),
        (_write("config.json", "{"), "config.json is damaged"),
        (_write("config.json", "{}"), "names no model_type"),
        (_remove("model.safetensors"), "has no model.safetensors, the weights of the model: copy it"),
        (_shards, "lacks model-00002-of-00002.safetensors, one of the 2 files"),
        (_pickled, "pytorch_model.bin, a pickle, which may run code"),
        (_cut, "cannot be loaded"),
        (_of_another_model, r"lack layers\.3\..* they belong to another model"),
        (_wider, "cannot be loaded|lack"),
        (_own_code, "code of its own, which is never run|cannot be loaded"),
        (_remove("tokenizer.json"), r"has no tokenizer \(tokenizer.json\).*pass processor="),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_what_a_folder_lacks_is_named_with_the_way_out(folder, texts, tmp_path, damage, said):
    damage(folder)
    with pytest.raises(DataError, match=said) as told:
        extract(folder, None, texts, tmp_path / "s")
    assert str(folder) in str(told.value) and not (tmp_path / "s").exists()


def test_a_tokenizer_of_ones_own_serves_a_folder_without(folder, texts, tmp_path):
    (folder / "tokenizer.json").unlink()
    assert len(extract(folder, tiny.word_tokenizer(), texts, tmp_path / "s")) == len(texts)


@pytest.mark.parametrize("name, said", [("none", "no file or folder"), ("a.bin", "is no model: a model is a folder")])
def test_what_is_no_model_is_said(tmp_path, name, said):
    (tmp_path / "a.bin").write_bytes(b"x")
    with pytest.raises(DataError, match=said):
        load_model(tmp_path / name)


# ---------------------------------------------------------------------------------------------------------------- GGUF
def write_gguf(path, model):
    """A Llama as GGUF keeps it: names of its own, rotations of heads in pairs, pieces and merges of the tokenizer."""
    gguf = pytest.importorskip("gguf")
    config = model.config
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(10000.0)
    writer.add_rope_dimension_count(config.hidden_size // config.num_attention_heads)
    writer.add_vocab_size(config.vocab_size)
    letters = [*"abcdefghijklmnopqrs", "ab", "\u0120"]
    tokens = [*tiny.SPECIAL[:3], *letters][: config.vocab_size]
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(tokens)
    writer.add_token_types([3, 3, 3] + [1] * (len(tokens) - 3))
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(2)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(1)
    names = {"input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm", "self_attn.q_proj": "attn_q",
             "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
             "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down"}  # fmt: skip
    heads = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}
    state = {name: x.numpy() for name, x in model.state_dict().items()}
    writer.add_tensor("token_embd.weight", state["embed_tokens.weight"])
    writer.add_tensor("output_norm.weight", state["norm.weight"])
    for i in range(config.num_hidden_layers):
        for long, short in names.items():
            x = state[f"layers.{i}.{long}.weight"]
            if short in heads:  # (head, half, place) become (head, place, half)
                n = heads[short]
                x = x.reshape(n, 2, x.shape[0] // n // 2, x.shape[1]).swapaxes(1, 2).reshape(x.shape)
            writer.add_tensor(f"blk.{i}.{short}.weight", np.ascontiguousarray(x))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_a_gguf_file_gives_the_states_of_the_model_it_was_written_from(tmp_path):
    pytest.importorskip("accelerate")
    write_gguf(tmp_path / "tiny.gguf", tiny.llama())
    texts = ["abc", "badcafe", "hi there"[:2], "fade"]
    store = extract(tmp_path / "tiny.gguf", None, texts, tmp_path / "s", pool="last", dtype="float32")
    tokenizer = load_model(tmp_path / "tiny.gguf").tokenizer
    assert store.layers == ("embedding", "layers.0", "layers.1", "layers.2", "output")
    for row, text in enumerate(texts):
        states = tiny.states_alone(tiny.llama(), tokenizer, text)
        np.testing.assert_allclose(store.read("layers.1")[row], states[2][-1], atol=2e-5)
        np.testing.assert_allclose(store.read("output")[row], states[-1][-1], atol=2e-5)


def test_a_damaged_gguf_file_is_said(tmp_path):
    (tmp_path / "bad.gguf").write_bytes(b"GGUF nothing")
    with pytest.raises(DataError, match=r"bad\.gguf cannot be loaded"):
        load_model(tmp_path / "bad.gguf")
