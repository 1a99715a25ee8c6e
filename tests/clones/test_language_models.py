"""Models of transformers, built here from a configuration: what they say of a site, and what they are refused for."""

import shutil
import sys

import numpy as np
import pytest

from infoscope.base import MissingExtraError
from infoscope.clones import (
    causal_conditional,
    checkpoint_conditionals,
    learning_curves,
    masked_conditional,
    read_tokenizer,
)

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

V, MASK, LENGTH = 5, 5, 7


def encoder(vocabulary=V + 1, seed=0):
    torch.manual_seed(seed)
    config = transformers.BertConfig(
        vocab_size=vocabulary, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        max_position_embeddings=LENGTH, initializer_range=0.5,
    )  # fmt: skip
    return transformers.BertForMaskedLM(config)


def decoder(vocabulary=V + 1, seed=0):
    torch.manual_seed(seed)
    config = transformers.GPT2Config(
        vocab_size=vocabulary, n_embd=8, n_layer=1, n_head=2, n_positions=LENGTH, bos_token_id=V, eos_token_id=V,
        initializer_range=0.5,
    )  # fmt: skip
    return transformers.GPT2LMHeadModel(config)


def sequences(n=30, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(V, size=(n, LENGTH)), rng.integers(LENGTH, size=n)


def by_hand(model, ids, site):
    """Of one sequence, without batches or padding: the softmax over the alphabet, in float64."""
    model.eval()
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([ids])).logits[0, site, :V].double().numpy()
    return logits - np.log(np.exp(logits).sum())


def test_a_masked_token_is_asked_of_all_others():
    tokens, sites = sequences()
    model = encoder()
    found = masked_conditional(model, V, mask_token=MASK, batch_size=8)(tokens, sites)
    for row, site, values in zip(tokens.tolist(), sites, found, strict=True):
        np.testing.assert_allclose(values, by_hand(model, [*row[:site], MASK, *row[site + 1 :]], site), atol=1e-5)
    assert found.std() > 0.1  # a model that says the same of all would pass as well
    model.train()
    masked_conditional(model, V, mask_token=MASK)(tokens, sites)
    assert model.training  # as it was left


def test_the_next_token_is_asked_of_those_before():
    tokens, sites = sequences()
    model = decoder()
    found = causal_conditional(model, V)(tokens, sites)
    for row, site, values in zip(tokens.tolist(), sites, found, strict=True):
        np.testing.assert_allclose(values, by_hand(model, [V, *row[:site]], site), atol=1e-5)
    assert found.std() > 0.1


@pytest.mark.parametrize("kind", ("masked", "causal"))
def test_padding_changes_nothing(kind):
    tokens, _ = sequences()
    ask = masked_conditional(encoder(), V, mask_token=MASK) if kind == "masked" else causal_conditional(decoder(), V)
    padded = np.where(np.arange(LENGTH) < 4, tokens, -1)
    sites = np.full(len(tokens), 2)
    np.testing.assert_allclose(ask(padded, sites), ask(tokens[:, :4], sites), atol=1e-5)


def test_a_folder_of_checkpoints_is_followed(tmp_path):
    tokens, _ = sequences(60)
    models = {step: encoder(seed=step) for step in (0, 50, 100)}
    for step, model in models.items():
        model.save_pretrained(tmp_path / f"checkpoint-{step}")
    (tmp_path / "runs").mkdir()
    found = checkpoint_conditionals(tmp_path, V, mask_token=MASK)
    assert list(found) == [0, 50, 100]
    by_file = learning_curves(found, {1: tokens[::-1]}, tokens, n_resamples=20)
    known = {step: masked_conditional(model, V, mask_token=MASK) for step, model in models.items()}
    np.testing.assert_allclose(
        by_file.loss, learning_curves(known, {1: tokens[::-1]}, tokens, n_resamples=20).loss, atol=1e-6
    )
    shutil.copytree(tmp_path / "checkpoint-50", tmp_path / "again-50")
    with pytest.raises(ValueError, match="both of step 50"):
        checkpoint_conditionals(tmp_path, V, mask_token=MASK)
    shutil.rmtree(tmp_path / "again-50")
    for step in (50, 100):
        (tmp_path / f"checkpoint-{step}" / "tokenizer.json").write_text(str(step))
    with pytest.raises(ValueError, match="not the same tokenizer"):
        checkpoint_conditionals(tmp_path, V, mask_token=MASK)
    decoder().save_pretrained(tmp_path / "next" / "step7")
    tokens, sites = sequences()
    last = checkpoint_conditionals(tmp_path / "next", V, kind="causal")[7]
    np.testing.assert_allclose(last(tokens, sites), causal_conditional(decoder(), V)(tokens, sites), atol=1e-6)


def test_what_a_folder_says_of_itself_need_not_be_passed(tmp_path):
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    words = {"a": 0, "b": 1, "c": 2, "d": 3, "[UNK]": 4, "[MASK]": MASK}
    saved = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    saved.pre_tokenizer = pre_tokenizers.Whitespace()
    saved.post_processor = processors.TemplateProcessing(single="[MASK] $A", special_tokens=[("[MASK]", MASK)])
    for step in (0, 10):
        encoder(seed=step).save_pretrained(tmp_path / f"checkpoint-{step}")
        saved.save(str(tmp_path / f"checkpoint-{step}" / "tokenizer.json"))
    tokenizer = read_tokenizer(tmp_path)
    assert tokenizer.n_tokens == V + 1
    assert tokenizer.encode("b a d").tolist() == [1, 0, 3]  # without the special tokens of its own
    tokens, sites = sequences()
    found = checkpoint_conditionals(tmp_path)[10](tokens, sites)
    expected = masked_conditional(encoder(seed=10), V + 1, mask_token=MASK)(tokens, sites)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    decoder().save_pretrained(tmp_path / "next" / "step7")
    assert list(checkpoint_conditionals(tmp_path / "next", V)) == [7]  # causal, as its file says


def test_what_does_not_fit_is_refused_with_a_way_out(tmp_path):
    tokens, sites = sequences()
    body = transformers.BertModel(encoder().config)
    body.save_pretrained(tmp_path / "body")
    (tmp_path / "empty").mkdir()
    headless = encoder()
    headless.save_pretrained(tmp_path / "bare")
    (tmp_path / "bare" / "model.safetensors").unlink()
    encoder().save_pretrained(tmp_path / "steps" / "step3")
    nameless = decoder()
    nameless.config.bos_token_id = None
    cases = [
        (lambda: masked_conditional(encoder(9), V, mask_token=MASK), "model has 9 tokens.*sequences 5 .and 1 special"),
        (lambda: causal_conditional(decoder(20), V), "model has 20 tokens.*sequences 5"),
        (lambda: masked_conditional(encoder(), V, mask_token=MASK)(tokens + 1, sites), "token 5, but n_tokens is 5"),
        (lambda: causal_conditional(decoder(), V)(np.tile(tokens, 2), sites), "14 sites, and the model knows 7"),
        (lambda: causal_conditional(nameless, V), "pass start_token"),
        (lambda: causal_conditional(decoder(), V, start_token=9), "start_token is 9, but the model has 6 tokens"),
        (lambda: masked_conditional(3, V, mask_token=MASK), "torch module"),
        (lambda: masked_conditional(tmp_path / "none", V, mask_token=MASK), "there is no folder"),
        (lambda: masked_conditional(tmp_path / "empty", V, mask_token=MASK), "no config.json"),
        (lambda: masked_conditional(tmp_path / "bare", V, mask_token=MASK), "no model.safetensors"),
        (lambda: masked_conditional(tmp_path / "body", V, mask_token=MASK), "lack cls.predictions"),
        (lambda: checkpoint_conditionals(tmp_path / "empty", V, mask_token=MASK), "holds no checkpoints"),
        (lambda: checkpoint_conditionals(tmp_path / "steps", V), "pass mask_token"),
        (lambda: checkpoint_conditionals(tmp_path / "steps", V, kind="both"), "masked"),
        (lambda: checkpoint_conditionals(tmp_path / "steps"), "no tokenizer.json"),
    ]
    for call, words in cases:
        with pytest.raises(ValueError, match=words):
            call()


def test_an_alphabet_that_the_model_does_not_have_is_found_in_the_curves():
    def ask(tokens, sites):
        return np.zeros((len(tokens), 3))

    with pytest.raises(ValueError, match="model knows 3 tokens, but the sequences hold token 4.* alphabet of 5"):
        learning_curves({0: ask, 1: ask}, {1: sequences()[0]}, sequences()[0])


def test_an_extra_that_is_missing_is_named(tmp_path, monkeypatch):
    encoder().save_pretrained(tmp_path)
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingExtraError, match=r"infoscope\[representations\]"):
        masked_conditional(tmp_path, V, mask_token=MASK)
