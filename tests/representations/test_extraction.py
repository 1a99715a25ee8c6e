"""Extraction from a small transformer made here: states by hand, padding, batches, kills, bad input."""

import os
import subprocess
import sys

import numpy as np
import pytest

from infoscope.base import DataError, ParameterError
from infoscope.representations import extract, pool_tokens
from infoscope.representations.torch_network import TorchNetwork
from infoscope.storage import ArrayStore

torch = pytest.importorskip("torch")
WORDS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]


class Small(torch.nn.Module):
    """Three blocks of attention, a final norm; blocks return tuples, as those of many packages do."""

    def __init__(self, seed=0):
        super().__init__()
        torch.manual_seed(seed)
        self.embed = torch.nn.Embedding(40, 16)
        self.blocks = torch.nn.ModuleList(Block() for _ in range(3))
        self.norm = torch.nn.LayerNorm(16)

    def forward(self, input_ids, attention_mask):
        x = self.embed(input_ids)
        for block in self.blocks:
            x = block(x, attention_mask)[0]
        return {"x": self.norm(x)}["x"]


class Block(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.TransformerEncoderLayer(16, 2, 32, dropout=0.5, batch_first=True)
        self.mlp = torch.nn.Linear(16, 16)

    def forward(self, x, mask):
        x = self.layer(x, src_key_padding_mask=mask == 0)
        return x + self.mlp(x), None


class Tokenizer:
    vocab_size, model_max_length = 40, 12

    def __init__(self, side="right"):
        self.side = side

    def __call__(self, texts, padding=True, truncation=False, return_tensors="pt"):
        rows = [[1 + WORDS.index(word) for word in text.split()] for text in texts]
        rows = [row[: self.model_max_length] for row in rows] if truncation else rows
        width = max(map(len, rows))
        pads = [[0] * (width - len(row)) for row in rows]
        right = self.side == "right"
        ids = [row + pad if right else pad + row for row, pad in zip(rows, pads, strict=True)]
        mask = [
            [1] * len(r) + [0] * len(p) if right else [0] * len(p) + [1] * len(r)
            for r, p in zip(rows, pads, strict=True)
        ]
        return {"input_ids": torch.tensor(ids), "attention_mask": torch.tensor(mask)}


@pytest.fixture(scope="module")
def texts():
    g = np.random.default_rng(0)
    return [" ".join(g.choice(WORDS, g.integers(3, 10))) for _ in range(40)]


def by_hand(model, text):
    """States of one text alone, of all layers."""
    model.eval()
    given = Tokenizer()([text])
    with torch.inference_mode():
        states = [model.embed(given["input_ids"])]
        for block in model.blocks:
            states.append(block(states[-1], given["attention_mask"])[0])
        states.append(model.norm(states[-1]))
    return [x[0].numpy() for x in states]


@pytest.mark.parametrize("side", ["right", "left"])
def test_states_are_those_of_each_text_alone(texts, tmp_path, side):
    """Batches, padding and pooling change nothing but rounding: 1e-5 in single precision."""
    model = Small()
    model.train()
    pools = ("mean", "last", "last_n")
    store = extract(model, Tokenizer(side), texts, tmp_path / "s", pool=pools, n=3, dtype="float32", token_budget=64)
    assert model.training  # as it was
    assert store.layers == ("embedding", "blocks.0", "blocks.1", "blocks.2", "output") and store.texts == texts
    model.eval()
    for row in (0, 7, 39):
        for layer, states in zip(store.layers, by_hand(model, texts[row]), strict=True):
            for pool in pools:
                expected = pool_tokens([states], how=pool, n=3)[0]
                np.testing.assert_allclose(store.read(layer, pool=pool)[row], expected, atol=1e-5)


def test_modules_by_their_names(texts, tmp_path):
    store = extract(Small(), Tokenizer(), texts, tmp_path / "s", layers=["*.mlp"])
    assert store.layers == ("blocks.0.mlp", "blocks.1.mlp", "blocks.2.mlp")
    with pytest.raises(ParameterError, match="no module matches"):
        extract(Small(), Tokenizer(), texts, tmp_path / "t", layers=["*.attention"])


def test_pictures_have_no_mask(tmp_path):
    class Picture(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.stages = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.Conv2d(8, 4, 3))

        def forward(self, pixel_values):
            return self.stages(pixel_values)

    def processor(images, return_tensors="pt"):
        return {"pixel_values": torch.stack([torch.tensor(x) for x in images])}

    g = np.random.default_rng(0)
    pictures = [g.normal(size=(3, 8, 8)).astype("f4") for _ in range(7)]
    model = Picture()
    store = extract(model, processor, pictures, tmp_path / "s", dtype="float32", batch_size=3)
    with torch.inference_mode():
        expected = model(torch.tensor(np.array(pictures))).mean((2, 3)).numpy()
    np.testing.assert_allclose(store.read("stages.1"), expected, atol=1e-5)
    assert store.read("stages.0").shape == (7, 8)


KILLED = """
import os, signal, sys
sys.path.insert(0, {folder!r})
import torch
from infoscope.storage import ArrayStore
from test_extraction import Small, Tokenizer, extract
torch.set_num_threads(1)
ArrayStore.__init__.__kwdefaults__["every"] = 0.0  # every write is committed
append = ArrayStore.append
for kill_at in {writes!r}:
    process = os.fork()
    if not process:
        done = []

        def append_and_die(*arguments):
            append(*arguments)
            done.append(1)
            if len(done) == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

        ArrayStore.append = append_and_die
        extract(Small(), Tokenizer(), {texts!r}, {out!r}, token_budget=10)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
def test_models_that_differ_in_one_number_are_told_apart():
    torch.manual_seed(0)
    network = torch.nn.Sequential(*(torch.nn.Linear(90, 90) for _ in range(3)))

    def digest():
        return TorchNetwork(network, "texts", layers=["1"]).fingerprint()

    before = digest()
    with torch.no_grad():
        network[1].weight[44, 13] += 1e-3
    assert digest() != before
    with torch.no_grad():
        network[1].weight.copy_(network[1].weight.T.clone())
    changed = digest()
    assert changed != before and changed == digest()


def test_killed_ten_times_and_resumed_to_the_same_bits(texts, tmp_path):
    """Ten processes are killed after a random number of layers of a batch; each finds what the last one left."""
    whole = extract(Small(), Tokenizer(), texts, tmp_path / "whole", token_budget=10)
    out = tmp_path / "killed"
    writes = np.random.default_rng(0).integers(6, 19, 10).tolist()  # 5 layers a batch, 40 batches
    code = KILLED.format(folder=os.path.dirname(__file__), texts=texts, out=str(out), writes=writes)
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, timeout=120)
    assert done.stdout.split() == ["-9"] * 10
    with ArrayStore(out, verify=False) as left:
        there = 40 - len(left.missing(next(iter(left.arrays))))
    assert 8 < there < 40  # they got on, and were not done
    again = extract(Small(), Tokenizer(), texts, out, token_budget=10)
    for layer in whole.layers:
        np.testing.assert_array_equal(again.read(layer), whole.read(layer))


@pytest.mark.parametrize(
    "change, error, said",
    [
        (dict(items=["one two three", " "]), DataError, "item 1 is an empty text"),
        (dict(items=[]), DataError, "no items"),
        (dict(items=["one two three", 5]), DataError, "item 1 is no text"),
        (dict(items=[" ".join(WORDS + WORDS)]), DataError, "has 24 tokens, and the model takes 12"),
        (dict(ids=["a"]), DataError, "40 items and 1 ids"),
        (dict(pool="middle"), ParameterError, "pool"),
        (dict(pool="last_n", n=8), DataError, "too short"),
        (dict(dtype="int8"), ParameterError, "dtype"),
        (dict(model=torch.nn.Linear(3, 3)), ParameterError, "no list of blocks"),
    ],
)
def test_what_makes_no_sense_is_said(texts, tmp_path, change, error, said):
    given = dict(model=Small(), items=texts) | change
    with pytest.raises(error, match=said):
        extract(given.pop("model"), Tokenizer(), given.pop("items"), tmp_path / "s", **given)


def test_long_texts_are_cut_when_asked(tmp_path):
    long = " ".join(WORDS + WORDS)
    store = extract(Small(), Tokenizer(), [long, long[:20].rsplit(" ", 1)[0]], tmp_path / "s", truncate=True)
    assert len(store) == 2


def test_a_store_of_another_model_is_refused(texts, tmp_path):
    extract(Small(), Tokenizer(), texts, tmp_path / "s")
    with pytest.raises((DataError, ParameterError), match="model"):
        extract(Small(seed=1), Tokenizer(), texts, tmp_path / "s")
    with pytest.raises((DataError, ParameterError)):
        extract(Small(), Tokenizer(), texts[::-1] + texts[:1], tmp_path / "s")


def test_states_that_overflow_are_named(texts, tmp_path):
    model = Small()
    with torch.no_grad():
        model.blocks[1].mlp.bias.fill_(1e6)
    longest = max(range(len(texts)), key=lambda i: (len(texts[i].split()), -i))
    told = rf"layer blocks.1 is .* for item {longest} \('{texts[longest]}.*float16 ends at 65,504, keep it as bfloat16"
    with pytest.raises(DataError, match=told):
        extract(model, Tokenizer(), texts, tmp_path / "s")
    assert extract(model, Tokenizer(), texts, tmp_path / "t", dtype="bfloat16").layers[2] == "blocks.1"
