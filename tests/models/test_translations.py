"""Translated texts through two models: the imbalances of every layer are reference values.

They were measured with a plain search over all pairs, on states that a loop over
``output_hidden_states`` gave.
"""

import numpy as np
import pytest
from tests.models.packaged import imbalances, or_skip

from infoscope.datasets import emoji_captions, translated_messages
from infoscope.representations import RepresentationStore, SignBits


def asked(texts):
    """As the encoder was trained to see them."""
    return [f"query: {text}" for text in texts]


@pytest.fixture(scope="module")
def messages(encoder, states):
    """Django's messages in the layers of the encoder, by language."""
    found = or_skip(translated_messages, ["it", "de", "es", "ja"])
    assert found.shape == (240, 5)
    found = found.sample(frac=1, random_state=0)  # sorted, messages that begin alike stand together: that is warned of
    return {one: states(f"messages {one}", encoder, asked(found[one])) for one in ("en", "it", "ja")}


@pytest.mark.parametrize(
    ("language", "forth", "back"),
    [
        (
            "it",
            [0.064, 0.054, 0.032, 0.031, 0.032, 0.044, 0.048, 0.037, 0.034],
            [0.079, 0.055, 0.040, 0.036, 0.045, 0.050, 0.043, 0.031, 0.025],
        ),
        (
            "ja",
            [0.075, 0.073, 0.063, 0.064, 0.069, 0.079, 0.084, 0.069, 0.044],
            [0.089, 0.067, 0.058, 0.065, 0.064, 0.071, 0.078, 0.057, 0.050],
        ),
    ],
)
def test_messages(messages, language, forth, back):
    found = imbalances(messages["en"], messages[language], layers=[0, 3, 6, 7, 8, 9, 10, 11, 12])
    np.testing.assert_allclose(found, [forth, back], atol=0.01)  # sums in another order may turn a neighbour


def test_what_goes_out_is_the_last_block(messages):
    """The encoder norms inside its blocks: nothing stands after the last one."""
    store = messages["en"]
    assert store.layers == ("embedding", *(f"encoder.layer.{i}" for i in range(12)), "output")
    np.testing.assert_array_equal(store.read("encoder.layer.11"), store.read("output"))


def test_shuffled_messages_tell_nothing(messages, tmp_path):
    store, order = messages["it"], np.random.default_rng(0).permutation(240)
    shuffled = RepresentationStore.from_arrays(
        tmp_path / "shuffled", {name: store.read(name)[order] for name in store.layers}, dtype="float32"
    )
    found = imbalances(messages["en"], shuffled)
    assert np.abs(found - 1).max() < 4 * 0.037 * 1.17  # 1/sqrt(3N), and what it lacks of the error; 28 values


@pytest.fixture(scope="module")
def names(encoder, states):
    """Names of 800 emoji in the layers of the encoder, by language."""
    found = or_skip(emoji_captions, ["en", "it", "de", "ja"])
    assert found.shape == (1400, 4)
    found = found.iloc[np.random.default_rng(0).permutation(1400)[:800]]
    return {one: states(f"names {one}", encoder, asked(found[one])) for one in found}


@pytest.mark.parametrize(
    ("language", "forth", "back"),
    [
        ("it", [0.348, 0.375, 0.342, 0.320, 0.273], [0.303, 0.347, 0.316, 0.340, 0.252]),
        ("de", [0.342, 0.390, 0.326, 0.312, 0.297], [0.334, 0.372, 0.332, 0.338, 0.273]),
        ("ja", [0.450, 0.500, 0.419, 0.395, 0.373], [0.422, 0.423, 0.382, 0.404, 0.298]),
    ],
)
def test_names_of_emoji(names, language, forth, back):
    found = imbalances(names["en"], names[language], layers=[0, 3, 6, 9, 12])
    np.testing.assert_allclose(found, [forth, back], atol=0.01)


# ------------------------------------------------------------------------------------ descriptions of Debian's packages
@pytest.fixture(scope="module")
def described(descriptions):
    if len(descriptions) != 3539:
        pytest.skip(f"the numbers are those of bookworm's 3539 descriptions, and here are {len(descriptions)}")
    return descriptions.iloc[np.random.default_rng(0).permutation(3539)[:400]]


@pytest.fixture(scope="module")
def described_states(described, encoder, states):
    return {
        one: states(f"described {one}", encoder, described[one], pool=("mean", "last")) for one in ("en", "it", "de")
    }


MEANS = {  # layers 0, 3, 6 to 12
    "it": (
        [0.143, 0.088, 0.051, 0.046, 0.046, 0.051, 0.056, 0.037, 0.031],
        [0.149, 0.088, 0.046, 0.042, 0.046, 0.055, 0.048, 0.032, 0.026],
    ),
    "de": (
        [0.212, 0.128, 0.091, 0.089, 0.087, 0.098, 0.095, 0.061, 0.047],
        [0.209, 0.128, 0.077, 0.061, 0.069, 0.078, 0.075, 0.061, 0.048],
    ),
}


@pytest.mark.parametrize("language", ["it", "de"])
def test_descriptions(described_states, language):
    found = imbalances(described_states["en"], described_states[language], layers=[0, 3, 6, 7, 8, 9, 10, 11, 12])
    np.testing.assert_allclose(found, MEANS[language], atol=0.01)


ENDS = slice(-11, -1)  # the last ten tokens before the one that ends a text
STATES = [0, 3, 6, 7, 8, 9, 10, 11, 12]
TOKENS = {  # English and Italian, by state; of one token state 0 says little more than the final stop
    "last": (
        [0.316, 0.193, 0.299, 0.296, 0.297, 0.222, 0.174, 0.176],
        [0.309, 0.165, 0.180, 0.200, 0.223, 0.182, 0.154, 0.159],
    ),
    "last ten": (
        [0.691, 0.496, 0.398, 0.378, 0.408, 0.422, 0.433, 0.288, 0.103],
        [0.661, 0.451, 0.361, 0.353, 0.383, 0.428, 0.460, 0.251, 0.092],
    ),
    "signs of the last ten": (
        [0.635, 0.522, 0.363, 0.325, 0.343, 0.367, 0.436, 0.222, 0.207],
        [0.659, 0.483, 0.332, 0.316, 0.317, 0.345, 0.424, 0.203, 0.182],
    ),
    "mean of the last ten": (
        [0.208, 0.175, 0.123, 0.106, 0.105, 0.106, 0.114, 0.051, 0.051],
        [0.249, 0.181, 0.119, 0.098, 0.100, 0.111, 0.101, 0.058, 0.035],
    ),
}


@pytest.fixture(scope="module")
def ends(described, encoder, states):
    options = dict(pool="window", start=ENDS.start, stop=ENDS.stop)
    return {one: states(f"ends {one}", encoder, described[one], **options) for one in ("en", "it")}


@pytest.mark.parametrize("which", list(TOKENS))
def test_some_tokens_of_descriptions(ends, which):
    made = {
        "last": lambda x: x[:, -384:],
        "last ten": lambda x: x,
        "signs of the last ten": lambda x: x,
        "mean of the last ten": lambda x: x.reshape(len(x), 10, 384).mean(1),
    }[which]
    signs = dict(preprocess=SignBits(), metric="hamming") if which.startswith("signs") else {}
    chosen = STATES[1:] if which == "last" else STATES
    english, italian = ({str(i): made(one.read(one.layers[i])) for i in chosen} for one in (ends["en"], ends["it"]))
    np.testing.assert_allclose(imbalances(english, italian, **signs), TOKENS[which], atol=0.03)


# SmolLM2, the first 160 descriptions; mean over all tokens, layers 0, 1, 3, ... 30
CAUSAL = {
    0: (0.334, 0.523), 1: (0.230, 0.219), 3: (0.454, 0.432), 6: (0.436, 0.380), 9: (0.406, 0.326),
    12: (0.303, 0.254), 15: (0.286, 0.230), 18: (0.262, 0.220), 21: (0.257, 0.223), 24: (0.333, 0.269),
    27: (0.302, 0.265), 29: (0.336, 0.231),
}  # fmt: skip
NORMED = (0.501, 0.367)  # what the model returns, after its norm
FEWER = {  # the last token; the last ten, one after the other
    "last": {3: (0.357, 0.378), 15: (0.384, 0.410), 31: (0.610, 0.567)},
    "last_n": {3: (0.68, 0.74), 15: (0.517, 0.483), 24: (0.476, 0.481)},
}
BETWEEN = {  # SmolLM2's layer and the last of the encoder, English
    0: (0.623, 0.702), 6: (0.378, 0.587), 12: (0.398, 0.664), 18: (0.399, 0.660), 24: (0.358, 0.490),
}  # fmt: skip


@pytest.fixture(scope="module")
def causal_states(described, smollm2, states):
    return {
        one: states(f"causal {one}", smollm2, described[one][:160], pool=("mean", "last", "last_n"))
        for one in ("en", "it")
    }


def test_descriptions_in_a_causal_model(causal_states):
    found = imbalances(causal_states["en"], causal_states["it"])
    np.testing.assert_allclose(found[:, list(CAUSAL)].T, list(CAUSAL.values()), atol=0.05)
    np.testing.assert_allclose(found[:, -1], NORMED, atol=0.05)


@pytest.mark.parametrize("pool", list(FEWER))
def test_fewer_tokens_of_a_causal_model(causal_states, pool):
    english, italian = (causal_states[one].arrays(pool=pool) for one in ("en", "it"))
    found = imbalances(english, italian, layers=list(FEWER[pool]))
    np.testing.assert_allclose(found.T, list(FEWER[pool].values()), atol=0.05)


def test_one_model_and_another(causal_states, described_states):
    found = imbalances(causal_states["en"], {"output": described_states["en"].read("output")[:160]}, other="output")
    np.testing.assert_allclose(found[:, list(BETWEEN)].T, list(BETWEEN.values()), atol=0.05)
    np.testing.assert_allclose(found[:, -1], (0.463, 0.497), atol=0.05)
