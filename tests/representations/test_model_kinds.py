"""Every kind of network beside what it returns itself, item by item: decoders, encoders, both, pictures, two halves."""

import numpy as np
import pytest
from tests.representations import tiny_models as tiny

from infoscope.base import DataError, ParameterError
from infoscope.representations import extract, pool_tokens

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
CLOSE = dict(atol=2e-5)  # batches and padding change the order of sums in single precision


@pytest.fixture(scope="module")
def texts():
    return tiny.some_texts()


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("make", [tiny.gpt2, tiny.llama, tiny.bert, tiny.roberta], ids=lambda make: make.__name__)
def test_padding_changes_nothing(texts, tmp_path, make, side):
    """Learned positions (GPT-2, BERT) are counted from the first token, whatever the side of the padding."""
    model, pools = make(), ("mean", "last", "first", "window")
    store = extract(model, tiny.word_tokenizer(side), texts, tmp_path / "s", pool=pools, start=-3, dtype="float32",
                    token_budget=50)  # fmt: skip
    for row in (0, 5, 23):
        states = tiny.states_alone(model, tiny.word_tokenizer(), texts[row])
        for layer, x in zip(store.layers[:3], states[:3], strict=True):  # the last block is before the final norm
            for pool in pools:
                expected = pool_tokens([x], how=pool, start=-3)[0]
                np.testing.assert_allclose(store.read(layer, pool=pool)[row], expected, **CLOSE)
        np.testing.assert_allclose(store.read("output", pool="last")[row], states[-1][-1], **CLOSE)


def test_the_last_block_stands_before_the_final_norm_and_after_it(texts, tmp_path):
    model = tiny.llama()
    store = extract(model, tiny.word_tokenizer(), texts, tmp_path / "s", pool="last", dtype="float32")
    assert store.layers == ("embedding", "layers.0", "layers.1", "layers.2", "output")
    with torch.inference_mode():
        normed = model.norm(torch.tensor(store.read("layers.2"))).numpy()
    np.testing.assert_allclose(store.read("output"), normed, **CLOSE)


def test_a_head_is_left_out(texts, tmp_path):
    """Logits are no layer: the model under the head is run, and it is the same as without one."""
    headed = tiny.llama(head=True)
    store = extract(headed, tiny.word_tokenizer(), texts, tmp_path / "s")
    again = extract(headed.model, tiny.word_tokenizer(), texts, tmp_path / "s")  # goes on: the same model
    assert store.read("output").shape == (24, 16) and again.layers == store.layers


def test_modules_by_name_of_the_whole_model(texts, tmp_path):
    store = extract(tiny.llama(head=True), tiny.word_tokenizer(), texts, tmp_path / "s", layers="*.mlp")
    assert store.layers == tuple(f"model.layers.{i}.mlp" for i in range(3))


# ------------------------------------------------------------------------------------------------------ two directions
@pytest.mark.parametrize("head", [False, True])
def test_of_an_encoder_decoder_the_encoder_is_run(texts, tmp_path, head):
    model, tokenizer = tiny.t5(head), tiny.word_tokenizer()
    store = extract(model, tokenizer, texts, tmp_path / "s", dtype="float32", token_budget=40)
    assert store.layers == ("embedding", "encoder.block.0", "encoder.block.1", "output")
    for row in (0, 23):
        states = tiny.states_alone(model.encoder, tokenizer, texts[row])
        np.testing.assert_allclose(store.read("encoder.block.0")[row], states[1].mean(0), **CLOSE)
        np.testing.assert_allclose(store.read("output")[row], states[-1].mean(0), **CLOSE)


@pytest.mark.parametrize("head", [False, True])
def test_both_halves_with_the_text_shifted(texts, tmp_path, head):
    model, tokenizer = tiny.t5(head), tiny.word_tokenizer()
    store = extract(model, tokenizer, texts, tmp_path / "s", pool=("mean", "last"), dtype="float32", decoder=True)
    blocks = ["decoder.block.0", "decoder.block.1", "decoder.block.2"]
    assert store.layers[4:] == ("decoder.embedding", *blocks, "decoder.output")
    assert store.layers[:2] == ("encoder.embedding", "encoder.block.0") and store.layers[3] == "encoder.output"
    for row in (0, 23):
        given = tokenizer([texts[row]], return_tensors="pt")
        shifted = torch.tensor([[0, *given["input_ids"][0, :-1].tolist()]])
        with torch.inference_mode():
            found = model(**given, decoder_input_ids=shifted, output_hidden_states=True)
        for layer, x in zip(store.layers[4:7], found.decoder_hidden_states, strict=False):
            np.testing.assert_allclose(store.read(layer)[row], x[0].mean(0).numpy(), **CLOSE)
            np.testing.assert_allclose(store.read(layer, pool="last")[row], x[0, -1].numpy(), **CLOSE)
        np.testing.assert_allclose(
            store.read("encoder.output")[row], found.encoder_last_hidden_state[0].mean(0), **CLOSE
        )


def test_what_the_processor_decodes_has_a_length_of_its_own(texts, tmp_path):
    model, tokenizer = tiny.t5(), tiny.word_tokenizer()

    def with_prompt(words, **options):
        made = tokenizer(words, **options)
        if options.get("return_tensors"):
            made["decoder_input_ids"] = torch.tensor([[0, 7]] * len(words))
        return made

    store = extract(model, with_prompt, texts, tmp_path / "s", pool="last", dtype="float32", decoder=True)
    given = tokenizer([texts[3]], return_tensors="pt")
    with torch.inference_mode():
        found = model(**given, decoder_input_ids=torch.tensor([[0, 7]]))
    np.testing.assert_allclose(store.read("decoder.output")[3], found.last_hidden_state[0, -1].numpy(), **CLOSE)


def test_modules_of_the_decoder_need_the_decoder(texts, tmp_path):
    named = dict(layers="decoder.*.EncDecAttention", dtype="float32")
    with pytest.raises(ParameterError, match="decoder=True"):
        extract(tiny.t5(), tiny.word_tokenizer(), texts, tmp_path / "s", **named)
    store = extract(tiny.t5(), tiny.word_tokenizer(), texts, tmp_path / "s", decoder=True, **named)
    assert len(store.layers) == 3
    with pytest.raises(ParameterError, match="GPT2Model is none"):
        extract(tiny.gpt2(), tiny.word_tokenizer(), texts, tmp_path / "t", decoder=True)


# ------------------------------------------------------------------------------------------------------------ pictures
@pytest.mark.parametrize("registers", [0, 4])
def test_the_class_token_is_first_and_patches_are_the_mean(tmp_path, registers):
    model, processor, pictures = tiny.dinov2(registers), tiny.image_processor(), tiny.some_pictures()
    store = extract(model, processor, pictures, tmp_path / "s", pool=("first", "mean", "last"), dtype="float32",
                    batch_size=4)  # fmt: skip
    with torch.inference_mode():
        found = model(**processor(images=pictures, return_tensors="pt"), output_hidden_states=True)
    for layer, x in zip(store.layers[:3], found.hidden_states, strict=False):
        assert x.shape[1] == 1 + registers + 16
        np.testing.assert_allclose(store.read(layer, pool="first"), x[:, 0].numpy(), **CLOSE)
        np.testing.assert_allclose(store.read(layer, pool="mean"), x[:, 1 + registers :].mean(1).numpy(), **CLOSE)
        np.testing.assert_allclose(store.read(layer, pool="last"), x[:, -1].numpy(), **CLOSE)
    np.testing.assert_allclose(store.read("output", pool="first"), found.last_hidden_state[:, 0].numpy(), **CLOSE)


def test_pictures_from_files(tmp_path):
    pictures = tiny.some_pictures()
    paths = [tmp_path / f"{number}.png" for number in range(len(pictures))]
    for path, picture in zip(paths, pictures, strict=True):
        picture.save(path)
    store = extract(tiny.dinov2(), tiny.image_processor(), paths, tmp_path / "files")
    again = extract(tiny.dinov2(), tiny.image_processor(), pictures, tmp_path / "memory")
    np.testing.assert_array_equal(store.read("output"), again.read("output"))
    assert store.texts == [path.name for path in paths]
    (tmp_path / "0.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"0\.png cannot be read as a picture"):
        extract(tiny.dinov2(), tiny.image_processor(), paths, tmp_path / "t")
    with pytest.raises(DataError, match="is no file of a picture"):
        extract(tiny.dinov2(), tiny.image_processor(), [tmp_path / "none.png"], tmp_path / "t")


def test_without_a_class_token_none_is_made_up(tmp_path):
    from transformers import SiglipVisionConfig, SiglipVisionModel

    shape = dict(hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2)
    model = tiny.seeded(SiglipVisionModel, SiglipVisionConfig(image_size=16, patch_size=4, **shape))
    with pytest.raises(DataError, match="no class token"):
        extract(model, tiny.image_processor(), tiny.some_pictures(), tmp_path / "s", pool="first")


def test_the_items_choose_the_half_of_clip(texts, tmp_path):
    model = tiny.clip()

    class Both:
        tokenizer, image_processor = tiny.word_tokenizer(), tiny.image_processor()

    words = extract(model, Both(), texts, tmp_path / "texts", pool="last", dtype="float32")
    views = extract(model, Both(), tiny.some_pictures(), tmp_path / "views", pool="first", dtype="float32")
    assert words.layers == ("embedding", *(f"text_model.encoder.layers.{i}" for i in range(2)), "output")
    assert views.layers == ("embedding", *(f"vision_model.encoder.layers.{i}" for i in range(3)), "output")
    states = tiny.states_alone(model.text_model, Both.tokenizer, texts[4])
    np.testing.assert_allclose(words.read("text_model.encoder.layers.0")[4], states[1][-1], **CLOSE)
    with torch.inference_mode():
        found = model.vision_model(**Both.image_processor(images=tiny.some_pictures(), return_tensors="pt"))
    np.testing.assert_allclose(views.read("output"), found.last_hidden_state[:, 0].numpy(), **CLOSE)
    some = extract(model, Both(), texts, tmp_path / "some", layers="text_model.*.mlp")
    assert some.layers == tuple(f"text_model.encoder.layers.{i}.mlp" for i in range(2))
    with pytest.raises(ParameterError, match="no module of text_model, which texts are for, matches"):
        extract(model, Both(), texts, tmp_path / "none", layers="vision_model.*")


# ----------------------------------------------------------------------------------------------------------- bad input
def test_states_that_are_not_finite_are_named_with_their_token(texts, tmp_path):
    model = tiny.llama()
    model.embed_tokens.weight.data[4 + tiny.WORDS.index("river")] = float("nan")
    first = next(row for row, text in enumerate(texts) if "river" in text.split())
    item = f"token {texts[first].split().index('river')} of item {first} \\('{texts[first]}'\\)"
    with pytest.raises(DataError, match=f"layer embedding: {item} is not finite .*the token is 'river'"):
        extract(model, tiny.word_tokenizer(), texts, tmp_path / "s", token_budget=1)
    assert not (tmp_path / "s").exists()


def test_too_few_tokens_are_named(texts, tmp_path):
    short = [*texts, "cat"]
    with pytest.raises(DataError, match=r"item 24 \('cat'\) has 2 tokens, and 4 are needed"):
        extract(tiny.llama(), tiny.word_tokenizer(), short, tmp_path / "s", pool="window", start=-4)


def test_texts_beyond_the_context_are_named(texts, tmp_path):
    """The learned positions are the limit where the tokenizer knows of none."""
    long = [*texts, " ".join(tiny.WORDS * 2)]
    with pytest.raises(DataError, match=r"item 24 \('the a cat.* has 41 tokens, and the model takes 32"):
        extract(tiny.gpt2(), tiny.word_tokenizer(length=10**30), long, tmp_path / "s")
    with pytest.raises(DataError, match="the model takes 31"):
        extract(tiny.roberta(), tiny.word_tokenizer(length=10**30), long, tmp_path / "s")
    cut = extract(tiny.gpt2(), tiny.word_tokenizer(), long, tmp_path / "s", truncate=True)
    assert len(cut) == 25


def test_another_tokenizer_is_refused(texts, tmp_path):
    """It has the same class and as many words; what it makes of the texts differs."""
    extract(tiny.llama(), tiny.word_tokenizer(), texts, tmp_path / "s")
    with pytest.raises(ParameterError, match="processor is"):
        extract(tiny.llama(), tiny.word_tokenizer(ends=False), texts, tmp_path / "s")
    with pytest.raises(DataError, match="other items|items"):
        extract(tiny.llama(), tiny.word_tokenizer(), texts, tmp_path / "s", ids=[f"t{i}" for i in range(24)])
    with pytest.raises(ParameterError, match="belongs to other pools: mean there and last here"):
        extract(tiny.llama(), tiny.word_tokenizer(), texts, tmp_path / "s", pool="last")
    with pytest.raises(ParameterError, match="belongs to other layers"):
        extract(tiny.llama(), tiny.word_tokenizer(), texts, tmp_path / "s", layers="*.mlp")
    with pytest.raises(ParameterError, match="belongs to other texts: item 1 is"):
        extract(tiny.llama(), tiny.word_tokenizer(), [*texts[:1], *texts[:0:-1]], tmp_path / "s")


def test_what_wraps_a_tokenizer_is_called_itself(texts, tmp_path):
    class Prompted:
        tokenizer = tiny.word_tokenizer()

        def __call__(self, words, **options):
            return self.tokenizer([f"the cat {text}" for text in words], **options)

    wrapped = extract(tiny.llama(), Prompted(), texts, tmp_path / "s")
    asked = extract(tiny.llama(), tiny.word_tokenizer(), [f"the cat {text}" for text in texts], tmp_path / "t")
    np.testing.assert_array_equal(wrapped.read("output"), asked.read("output"))


def test_a_tokenizer_without_padding_is_said(texts, tmp_path):
    bare = tiny.word_tokenizer()
    bare.pad_token = None
    with pytest.raises(DataError, match="set one, tokenizer.pad_token"):
        extract(tiny.llama(), bare, texts, tmp_path / "s")


def test_a_tokenizer_without_a_mask_is_said(texts, tmp_path):
    tokenizer = tiny.word_tokenizer()
    tokenizer.model_input_names = ["input_ids"]
    with pytest.raises(DataError, match="no attention_mask"):
        extract(tiny.llama(), tokenizer, texts, tmp_path / "s")
    alone = extract(tiny.llama(), tokenizer, texts, tmp_path / "s", token_budget=1, dtype="float32")
    whole = extract(tiny.llama(), tiny.word_tokenizer(), texts, tmp_path / "t", dtype="float32")
    np.testing.assert_allclose(alone.read("output"), whole.read("output"), **CLOSE)


def test_what_is_no_network_is_said(texts, tmp_path):
    with pytest.raises(DataError, match="model is dict"):
        extract({}, tiny.word_tokenizer(), texts, tmp_path / "s")
    for processor in (None, tiny.image_processor()):
        with pytest.raises(ParameterError, match="no tokenizer for texts"):
            extract(tiny.llama(), processor, texts, tmp_path / "s")
    with pytest.raises(ParameterError, match=r"no image processor for pictures.*pathlib\.Path"):
        extract(tiny.dinov2(), tiny.word_tokenizer(), tiny.some_pictures(), tmp_path / "s")
    with pytest.raises(ParameterError, match=r"texts are str, pictures are images or pathlib\.Path"):
        extract(tiny.dinov2(), tiny.image_processor(), ["a.png", "b.png"], tmp_path / "s")
