"""`infoscope clones`: from a text to losses by order, clones, and what a transformer learns of them."""

import json
from contextvars import copy_context

import numpy as np
import pytest
from typer.testing import CliRunner

import infoscope
from infoscope.base.errors import DataError, ParameterError
from infoscope.cli.app import app

pytest.importorskip("torch")

SMALL = ("--orders", "1,2", "--tokenizer", "characters", "--length", "6", "--heads", "2", "--steps", "60")
CLONE = ("--sequences", "40", "--max-sweeps", "400", "-q")


@pytest.fixture
def text(tmp_path, monkeypatch):
    """Letters that come in pairs, mostly."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    letters = np.repeat(rng.integers(3, size=6000), 2)
    changed = rng.random(12_000) < 0.3  # or else no chain leaves its letters
    letters[changed] = rng.integers(3, size=changed.sum())
    (tmp_path / "pairs.txt").write_text("".join("abc"[letter] for letter in letters))
    return tmp_path


def call(*arguments):
    done = copy_context().run(CliRunner().invoke, app, list(arguments), obj=list(arguments))
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def test_a_text_is_climbed_and_climbed_again(text):
    shown = call("clones", "pairs.txt", *SMALL, *CLONE, "--resume", "models", "--output", "a.json", "--plot", "a.png")
    record = json.loads((text / "a.json").read_text())
    assert record["inputs"]["n_tokens"] == 3
    assert "order 2 is the highest that predicts better" in shown.output
    assert (text / "a.png").stat().st_size > 1000
    assert sorted(path.name for path in (text / "models").iterdir() if path.suffix == ".npz") == [
        "order_1.npz", "order_2.npz",
    ]  # fmt: skip
    again = call("rerun", "a.json").output
    assert "reproduced" in again and "not reproduced" not in again


def test_weight_decay_makes_a_clone_noisier(text):
    losses = {}
    for decay in ("0", "100"):
        call("clones", "pairs.txt", *SMALL, *CLONE, "--weight-decay", decay, "--output", "a.npz")
        losses[decay] = infoscope.load("a.npz").clone_loss[1]
    assert losses["0"] < np.log(3) - 0.05
    assert losses["100"] == pytest.approx(np.log(3), abs=0.01)  # nothing is left of the pairs


def test_a_transformer_is_followed_along_its_training(text):
    call("clones", "pairs.txt", *SMALL, *CLONE, "--study", "encoder", "--study-steps", "20", "--output", "a.npz")
    found = infoscope.load("a.npz")
    assert found.orders.tolist() == [0, 1, 2]
    assert found.steps[[0, -1]].tolist() == [0, 20]


def test_checkpoints_of_a_folder_are_followed(text):
    transformers = pytest.importorskip("transformers")
    from tokenizers import Tokenizer, models, pre_tokenizers

    saved = Tokenizer(models.WordLevel({"a": 0, "b": 1, "c": 2, "[MASK]": 3}, unk_token="a"))
    saved.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    config = transformers.BertConfig(
        vocab_size=4, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
    )
    for step in (0, 30):
        transformers.BertForMaskedLM(config).save_pretrained(text / "run" / f"checkpoint-{step}")
        saved.save(str(text / "run" / f"checkpoint-{step}" / "tokenizer.json"))
    call("clones", "pairs.txt", *SMALL[:2], *SMALL[4:], *CLONE, "--study", "run", "--output", "b.npz")
    found = infoscope.load("b.npz")
    assert found.steps.tolist() == [0, 30]
    assert found.loss[0] == pytest.approx(np.log(4), abs=0.2)  # it was never trained


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (["pairs.txt", "--orders", "1,two"], ParameterError, "separated by commas"),
        (["pairs.txt", "--tokenizer", "bpe:256"], ParameterError, "bpe:512"),
        (["pairs.txt", "--length", "9000"], DataError, "fewer than one window"),
        (["nothing.txt"], DataError, "nothing.txt"),
        (["pairs.txt", "--orders", "1,9", "--length", "6"], ParameterError, "6 sites"),
        (["pairs.txt", "--study", "encodr"], ParameterError, "encoder, decoder or a folder"),
    ],
)
def test_what_cannot_be_done_is_said(text, arguments, error, words):
    with pytest.raises(error, match=words):
        call("clones", *arguments, "-q")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["pairs.txt", "--length", "700"], "--length, 700 now"),
        (["pairs.txt", "--study", "encoder", "--sequences", "4"], "more --sequences"),
        (["same.txt"], "same.txt: one character again and again"),
        (["same.txt", "--tokenizer", "bpe:512"], "same.txt: one character again and again"),
    ],
)
def test_what_is_too_little_is_said_before_anything_is_trained(text, monkeypatch, arguments, words):
    from infoscope.clones import CloneLadder

    monkeypatch.setattr(CloneLadder, "fit", lambda *_, **__: pytest.fail("training began"))
    (text / "same.txt").write_text("x" * 20_000)
    with pytest.raises(DataError, match=words):
        call("clones", *arguments, "-q")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--kind", "losses"], "goes with --plot"),
        (["--kind", "curves", "--plot", "a.png"], "no picture of what is found without --study: losses"),
        (
            ["--kind", "losses", "--study", "encoder", "--plot", "a.png"],
            "with --study: curves, accuracy, orders, clock",
        ),
        (["--study", ".", "--tokenizer", "characters"], "leave it out"),
        (["--clones", "pairs.txt"], "--clones pairs.txt is a folder"),
    ],
)
def test_options_that_would_be_ignored_are_refused(text, arguments, words):
    with pytest.raises(ParameterError, match=words):
        call("clones", "pairs.txt", *arguments, "-q")


def test_a_study_without_a_certified_clone_ends_before_its_training(text, monkeypatch):
    from infoscope.clones import StudyTransformer

    monkeypatch.setattr(StudyTransformer, "fit", lambda *_, **__: pytest.fail("training began"))
    short = ("--orders", "2", "--sequences", "40", "--max-sweeps", "8", "-q")
    with pytest.raises(DataError, match="--max-sweeps"):
        call("clones", "pairs.txt", *SMALL[2:], *short, "--study", "encoder")


def test_clones_are_written_as_text_and_as_a_page(text):
    call("clones", "pairs.txt", *SMALL, *CLONE, "--clones", "drawn", "--sampler", "tempered", "--output", "a.json")
    assert sorted(path.name for path in (text / "drawn").iterdir()) == [
        "order-1.html", "order-1.txt", "order-2.html", "order-2.txt",
    ]  # fmt: skip
    pairs = {}
    for order in (1, 2):
        lines = (text / "drawn" / f"order-{order}.txt").read_text().splitlines()
        assert len(lines) == 40 and {len(line) for line in lines} == {6} and set("".join(lines)) == set("abc")
        pairs[order] = np.mean([line[at] == line[at + 1] for line in lines for at in range(5)])
    assert pairs[1] == pytest.approx(1 / 3, abs=0.1)  # 200 pairs: three errors
    assert pairs[2] > pairs[1] + 0.1
    assert "<mark" in (text / "drawn" / "order-2.html").read_text()
    assert "a clone with interactions of up to 2 tokens" in (text / "drawn" / "order-2.html").read_text()
    (text / "drawn" / "order-2.txt").unlink()
    call("rerun", "a.json")
    assert not (text / "drawn" / "order-2.txt").exists()  # a rerun writes nothing but its own record


def test_clones_that_have_not_converged_are_written_with_a_word_on_it(text):
    short = ("--orders", "2", "--sequences", "40", "--max-sweeps", "8")
    shown = call("clones", "pairs.txt", *SMALL[2:], *short, "--clones", "drawn")
    assert "order-2.txt holds a clone that has NOT CONVERGED" in shown.output
    assert "NOT CONVERGED after 8 sweeps" in (text / "drawn" / "order-2.html").read_text()
