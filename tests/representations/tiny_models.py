"""Tiny models with random weights and a tokenizer of words, as `transformers` and `tokenizers` make them."""

import numpy as np

WORDS = ["the", "a", "cat", "dog", "bird", "fish", "sees", "likes", "finds", "old", "new", "red", "small", "green"]
WORDS += ["house", "river", "tree", "road", "and", "of"]
SPECIAL = ["<pad>", "<unk>", "<s>", "</s>"]
SIZE = dict(vocab_size=len(WORDS) + len(SPECIAL), pad_token_id=0, bos_token_id=2, eos_token_id=3)


def some_texts(number=24, seed=0, shortest=3, longest=9):
    g = np.random.default_rng(seed)
    return [" ".join(g.choice(WORDS, g.integers(shortest, longest + 1))) for _ in range(number)]


def word_tokenizer(side="right", length=32, ends=True):
    """One token a word; `</s>` behind each text."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    vocabulary = {word: number for number, word in enumerate(SPECIAL + WORDS)}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    if ends:
        made.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 3)])
    names = dict(pad_token="<pad>", unk_token="<unk>", bos_token="<s>", eos_token="</s>")
    return PreTrainedTokenizerFast(tokenizer_object=made, padding_side=side, model_max_length=length, **names)


def seeded(model_class, config, seed=0):
    import torch

    torch.manual_seed(seed)
    return model_class(config).eval()


def gpt2(seed=0, **options):
    from transformers import GPT2Config, GPT2Model

    config = GPT2Config(n_embd=16, n_layer=3, n_head=2, n_positions=32, **SIZE | options)
    model = seeded(GPT2Model, config, seed)
    model.wpe.weight.data *= 50  # positions that matter
    return model


def llama(head=False, seed=0):
    from transformers import LlamaConfig, LlamaForCausalLM, LlamaModel

    config = LlamaConfig(
        hidden_size=16, intermediate_size=32, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2,
        max_position_embeddings=32, rms_norm_eps=1e-5, **SIZE,
    )  # fmt: skip
    return seeded(LlamaForCausalLM if head else LlamaModel, config, seed)


def bert(seed=0):
    from transformers import BertConfig, BertModel

    shape = dict(hidden_size=16, num_hidden_layers=3, num_attention_heads=2, intermediate_size=32)
    return seeded(BertModel, BertConfig(max_position_embeddings=32, **shape, **SIZE), seed)


def roberta(seed=0):
    """Positions begin behind that of the padding token."""
    from transformers import RobertaConfig, RobertaModel

    shape = dict(hidden_size=16, num_hidden_layers=3, num_attention_heads=2, intermediate_size=32)
    return seeded(RobertaModel, RobertaConfig(max_position_embeddings=32, **shape, **SIZE), seed)


def t5(head=False):
    from transformers import T5Config, T5ForConditionalGeneration, T5Model

    shape = dict(d_model=16, d_kv=8, d_ff=32, num_layers=2, num_decoder_layers=3, num_heads=2)
    config = T5Config(**shape, decoder_start_token_id=0, **SIZE)
    return seeded(T5ForConditionalGeneration if head else T5Model, config)


def dinov2(registers=0):
    from transformers import Dinov2Config, Dinov2Model, Dinov2WithRegistersConfig, Dinov2WithRegistersModel

    shape = dict(hidden_size=16, num_hidden_layers=3, num_attention_heads=2, mlp_ratio=2, image_size=16, patch_size=4)
    if registers:
        config = Dinov2WithRegistersConfig(num_register_tokens=registers, **shape)
        return seeded(Dinov2WithRegistersModel, config)
    return seeded(Dinov2Model, Dinov2Config(**shape))


def clip():
    from transformers import CLIPConfig, CLIPModel

    shape = dict(hidden_size=16, intermediate_size=32, num_attention_heads=2)
    text = dict(num_hidden_layers=2, max_position_embeddings=32, **shape, **SIZE)
    vision = dict(num_hidden_layers=3, image_size=16, patch_size=4, **shape)
    return seeded(CLIPModel, CLIPConfig(text_config=text, vision_config=vision, projection_dim=8))


def image_processor(size=16):
    from transformers.models.vit import ViTImageProcessorPil

    return ViTImageProcessorPil(size={"height": size, "width": size})


def some_pictures(number=6, seed=0):
    from PIL import Image

    g = np.random.default_rng(seed)
    return [Image.fromarray(g.integers(0, 256, (20, 24, 3)).astype("u1")) for _ in range(number)]


def states_alone(model, tokenizer, text):
    """`hidden_states` of one text by itself: no batch and no padding."""
    import torch

    with torch.inference_mode():
        found = model(**tokenizer([text], return_tensors="pt"), output_hidden_states=True)
    return [x[0].numpy() for x in found.hidden_states]
