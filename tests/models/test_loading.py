"""The packaged models say what models of their kind say."""

import numpy as np
import pytest


def test_smollm2_knows_the_capital_of_france(smollm2):
    """The words that come next are read out by the embedding, as the model was trained: its head is tied to it."""
    torch = pytest.importorskip("torch")

    model, tokenizer, _ = smollm2
    with torch.inference_mode():
        made = tokenizer(["The capital of France is"], return_tensors="pt")
        last = model(**made).last_hidden_state[0, -1]
        likeliest = int((model.get_input_embeddings().weight @ last).argmax())
    assert tokenizer.decode([likeliest]).strip() == "Paris"
    assert len(model.layers) == 30 and model.config.hidden_size == 576


@pytest.mark.parametrize("name", ["encoder", "minilm"])
def test_encoders_put_the_same_sentences_together(name, request):
    torch = pytest.importorskip("torch")

    model, tokenizer, _ = request.getfixturevalue(name)
    pairs = [
        ("query: A man is eating food.", "query: Someone is having a meal."),
        ("query: The train leaves at noon.", "query: Departure of the train is at twelve o'clock."),
        ("query: She plays the violin.", "query: She is a violinist."),
        ("query: It will rain tomorrow.", "query: The forecast for the next day is wet weather."),
    ]
    with torch.inference_mode():
        made = [tokenizer(list(texts), padding=True, return_tensors="pt") for texts in zip(*pairs, strict=True)]
        a, b = (
            (model(**one).last_hidden_state * (mask := one["attention_mask"][..., None])).sum(1) / mask.sum(1)
            for one in made
        )
    likeness = torch.nn.functional.normalize(a) @ torch.nn.functional.normalize(b).T
    np.testing.assert_array_equal(likeness.argmax(1).numpy(), np.arange(len(pairs)))
