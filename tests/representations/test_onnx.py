"""ONNX graphs made here: their values by hand, texts and pictures, blocks found by their names, bad files."""

import numpy as np
import pytest
from tests.representations import tiny_models as tiny

from infoscope.base import DataError, DataWarning, ParameterError
from infoscope.representations import OnnxModel, RepresentationStore, extract, load_model

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
WIDTH, BLOCKS, PATCH, SIZE = 8, 3, 4, 16


@pytest.fixture(scope="module")
def weights():
    g = np.random.default_rng(0)
    made = {f"w{i}": g.normal(size=(WIDTH, WIDTH)) / 3 for i in range(BLOCKS)}
    made |= {"words": g.normal(size=(24, WIDTH)), "kernel": g.normal(size=(WIDTH, 3, PATCH, PATCH)) / 5}
    made |= {"class": g.normal(size=(1, 1, WIDTH)), "head": g.normal(size=(WIDTH, 2))}
    return {name: x.astype("f4") for name, x in made.items()}


def blocks_of(weights, x):
    """States of all layers, by hand: every block adds tanh(x W)."""
    found = [x]
    for i in range(BLOCKS):
        found.append(found[-1] + np.tanh(found[-1] @ weights[f"w{i}"]))
    return found


def write_graph(path, weights, *, pictures, batch="n", masked=True, head=False, external=False):
    """Embedding, three blocks called /encoder/layer.0 and so on, and what they give."""
    make, helper = onnx.helper.make_node, onnx.helper
    nodes, inputs = [], []
    names = [f"w{i}" for i in range(BLOCKS)]
    if pictures:
        inputs.append(helper.make_tensor_value_info("view", 1, [batch, 3, SIZE, SIZE]))
        names += ["kernel", "class"]
        nodes += [
            make("Conv", ["view", "kernel"], ["/patches/Conv_output_0"], kernel_shape=[PATCH] * 2, strides=[PATCH] * 2),
            make("Reshape", ["/patches/Conv_output_0", "flat"], ["/patches/Reshape_output_0"]),
            make("Transpose", ["/patches/Reshape_output_0"], ["/patches/Transpose_output_0"], perm=[0, 2, 1]),
            make("Shape", ["/patches/Transpose_output_0"], ["/Shape_output_0"], start=0, end=1),
            make("Concat", ["/Shape_output_0", "one_one"], ["/Concat_output_0"], axis=0),
            make("Expand", ["class", "/Concat_output_0"], ["/Expand_output_0"]),
            make("Concat", ["/Expand_output_0", "/patches/Transpose_output_0"], ["/embeddings/Add_output_0"], axis=1),
        ]
    else:
        inputs.append(helper.make_tensor_value_info("input_ids", 7, [batch, "t"]))
        names += ["words"]
        if masked:
            inputs.append(helper.make_tensor_value_info("attention_mask", 7, [batch, "t"]))
        nodes.append(make("Gather", ["words", "input_ids"], ["/embeddings/Add_output_0"]))
    last = "/embeddings/Add_output_0"
    for i in range(BLOCKS):
        at = f"/encoder/layer.{i}"
        nodes += [
            make("MatMul", [last, f"w{i}"], [f"{at}/mlp/MatMul_output_0"]),
            make("Tanh", [f"{at}/mlp/MatMul_output_0"], [f"{at}/mlp/Tanh_output_0"]),
            make("Add", [last, f"{at}/mlp/Tanh_output_0"], [f"{at}/Add_1_output_0"]),
        ]
        last = f"{at}/Add_1_output_0"
    nodes.append(make("MatMul", [last, "head"], ["y"]) if head else make("Identity", [last], ["y"]))
    names += ["head"] * head
    stored = [onnx.numpy_helper.from_array(weights[name], name) for name in names]
    stored.append(onnx.numpy_helper.from_array(np.array([0, WIDTH, -1]), "flat"))
    stored.append(onnx.numpy_helper.from_array(np.array([1, 1]), "one_one"))
    outputs = [helper.make_tensor_value_info("y", 1, None)]
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, initializer=stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    options = dict(save_as_external_data=True, location="weights.bin", size_threshold=64) if external else {}
    onnx.save(model, str(path), **options)
    return path


@pytest.mark.parametrize("external", [False, True])
def test_texts_through_a_graph(weights, tmp_path, external):
    path = write_graph(tmp_path / "text.onnx", weights, pictures=False, external=external)
    tiny.word_tokenizer().save_pretrained(tmp_path)
    texts = tiny.some_texts()
    store = extract(path, None, texts, tmp_path / "s", pool=("mean", "last"), dtype="float32", token_budget=40)
    assert store.layers == ("embedding", "encoder.layer.0", "encoder.layer.1", "encoder.layer.2", "output")
    for row in (0, 7, 23):
        ids = tiny.word_tokenizer()(texts[row])["input_ids"]
        states = blocks_of(weights, weights["words"][ids])
        for layer, x in zip(store.layers, [*states, states[-1]], strict=True):
            np.testing.assert_allclose(store.read(layer)[row], x.mean(0), atol=1e-5)
            np.testing.assert_allclose(store.read(layer, pool="last")[row], x[-1], atol=1e-5)


@pytest.mark.parametrize("batch", ["n", 1, 4])
def test_pictures_through_a_graph(weights, tmp_path, batch):
    """The class token is first; a graph that takes just so many pictures gets them, the last one again if need be."""
    path = write_graph(tmp_path / "view.onnx", weights, pictures=True, batch=batch, head=True)
    pictures, processor = tiny.some_pictures(), tiny.image_processor()
    with pytest.warns(DataWarning, match="view.onnx returns y, 17 x 2 numbers .* there is no layer 'output'") as told:
        store = extract(
            path, processor, pictures, tmp_path / "s", pool=("first", "mean"), dtype="float32", batch_size=4
        )
    assert len(told) == 1  # of several batches
    assert store.layers == ("embedding", "encoder.layer.0", "encoder.layer.1", "encoder.layer.2")  # y is no states
    x = np.asarray(processor(images=pictures, return_tensors="np")["pixel_values"])
    cut = x.reshape(len(x), 3, 4, PATCH, 4, PATCH).transpose(0, 2, 4, 1, 3, 5).reshape(len(x), 16, -1)
    patches = cut @ weights["kernel"].reshape(WIDTH, -1).T
    states = blocks_of(weights, np.concatenate([np.repeat(weights["class"], len(x), 0), patches], 1))
    for layer, expected in zip(store.layers, states, strict=True):
        np.testing.assert_allclose(store.read(layer, pool="first"), expected[:, 0], atol=1e-5)
        np.testing.assert_allclose(store.read(layer, pool="mean"), expected[:, 1:].mean(1), atol=1e-5)


def test_a_graph_alone_says_what_it_does_to_pictures(weights, tmp_path):
    path = write_graph(tmp_path / "view.onnx", weights, pictures=True)
    with pytest.warns(DataWarning, match="pictures become 16 x 16, with the mean and deviation of ImageNet"):
        loaded = load_model(path)
    pixels = loaded.image_processor(images=tiny.some_pictures(1), return_tensors="np")["pixel_values"]
    picture = np.asarray(tiny.some_pictures(1)[0].resize((16, 16), 2), float) / 255
    expected = (picture - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    np.testing.assert_allclose(np.asarray(pixels[0]).transpose(1, 2, 0), expected, atol=2e-2)


def test_values_by_name(weights, tmp_path):
    path = write_graph(tmp_path / "text.onnx", weights, pictures=False)
    store = extract(path, tiny.word_tokenizer(), tiny.some_texts(), tmp_path / "s", layers="*/Tanh_output_0")
    assert store.layers == tuple(f"encoder.layer.{i}.mlp.Tanh_output_0" for i in range(BLOCKS))
    with pytest.raises(ParameterError, match="no value of the graph matches: there are /embeddings/Add_output_0"):
        extract(path, tiny.word_tokenizer(), tiny.some_texts(), tmp_path / "t", layers=["*.mlp"])


class Interrupted:
    """A tokenizer that is interrupted after so many batches."""

    def __init__(self, batches):
        self.batches = batches

    def __call__(self, words, **options):
        if "return_tensors" in options:
            self.batches -= 1
            if self.batches < 0:
                raise KeyboardInterrupt
        return tiny.word_tokenizer()(words, **options)


def test_an_interrupted_run_goes_on_and_another_graph_is_refused(weights, tmp_path):
    path = write_graph(tmp_path / "text.onnx", weights, pictures=False)
    texts, options = tiny.some_texts(), dict(token_budget=40)
    whole = extract(path, Interrupted(99), texts, tmp_path / "whole", **options)
    with pytest.raises(KeyboardInterrupt):
        extract(path, Interrupted(3), texts, tmp_path / "s", **options)
    with pytest.raises(DataError, match="missing|lack"):
        extract_read(tmp_path / "s")
    again = extract(path, Interrupted(99), texts, tmp_path / "s", **options)
    for layer in whole.layers:
        np.testing.assert_array_equal(again.read(layer), whole.read(layer))
    other = write_graph(tmp_path / "other.onnx", weights | {"w0": weights["w1"]}, pictures=False)
    with pytest.raises(ParameterError, match="model is"):
        extract(other, Interrupted(99), texts, tmp_path / "s", **options)


def extract_read(folder):
    return RepresentationStore.open(folder).read("output")


def test_what_a_graph_cannot_do_is_said(weights, tmp_path):
    texts, tokenizer = tiny.some_texts(), tiny.word_tokenizer()
    path = write_graph(tmp_path / "text.onnx", weights, pictures=False, masked=False)
    with pytest.raises(DataError, match="takes no attention_mask.*token_budget=1"):
        extract(path, tokenizer, texts, tmp_path / "s")
    assert len(extract(path, tokenizer, texts, tmp_path / "s", token_budget=1)) == 24
    with pytest.raises(ParameterError, match="ONNX graphs are run on the CPU"):
        extract(path, tokenizer, texts, tmp_path / "s", device="cuda")
    with pytest.raises(ParameterError, match="of an ONNX graph, name values"):
        extract(path, tokenizer, texts, tmp_path / "s", decoder=True)
    view = write_graph(tmp_path / "view.onnx", weights, pictures=True)
    with pytest.raises(ParameterError, match="takes 'view', which the processor does not make"):
        extract(view, tokenizer, texts, tmp_path / "t")


def test_values_with_other_tokens_than_the_text_are_refused(weights, tmp_path):
    """Every token twice: which of them are padding is not known, and none is averaged."""
    make, helper = onnx.helper.make_node, onnx.helper
    nodes = [make("Gather", ["words", "input_ids"], ["once"]), make("Concat", ["once", "once"], ["twice"], axis=1),
             make("Identity", ["attention_mask"], ["seen"])]  # fmt: skip
    inputs = [helper.make_tensor_value_info(name, 7, ["n", "t"]) for name in ("input_ids", "attention_mask")]
    stored = [onnx.numpy_helper.from_array(weights["words"], "words")]
    outputs = [helper.make_tensor_value_info("once", 1, None), helper.make_tensor_value_info("seen", 7, None)]
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, initializer=stored)
    path = tmp_path / "twice.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))
    texts, tokenizer = tiny.some_texts(), tiny.word_tokenizer()
    with pytest.raises(DataError, match="twice gives states of shape"):
        extract(path, tokenizer, texts, tmp_path / "s", layers="twice")
    ids = tokenizer(texts[3])["input_ids"]
    store = extract(path, tokenizer, texts, tmp_path / "t", layers="once", dtype="float32")
    np.testing.assert_allclose(store.read("once")[3], weights["words"][ids].mean(0), atol=1e-6)


def test_files_that_are_no_graph_are_said(weights, tmp_path):
    (tmp_path / "bad.onnx").write_bytes(b"no graph")
    with pytest.raises(DataError, match="bad.onnx (cannot be read as ONNX|holds no graph)"):
        OnnxModel(tmp_path / "bad.onnx")
    path = write_graph(tmp_path / "text.onnx", weights, pictures=False, external=True)
    with pytest.raises(DataError, match="text.onnx has no tokenizer"):
        load_model(path)
    (tmp_path / "weights.bin").unlink()
    with pytest.raises(DataError, match=r"parameters in weights.bin, which is not beside it"):
        load_model(path)
    wrong = onnx.helper.make_graph(
        [onnx.helper.make_node("Relu", [f"/layer.{i}"], [f"/layer.{i + 1}/Relu_output_0"]) for i in range(2)], "g",
        [onnx.helper.make_tensor_value_info("/layer.0", 1, ["n", "t"])],
        [onnx.helper.make_tensor_value_info("/layer.2/Relu_output_0", 1, None)],
    )  # fmt: skip
    onnx.save(onnx.helper.make_model(wrong, ir_version=8), str(tmp_path / "wrong.onnx"))
    with pytest.raises(DataError, match=r"wrong\.onnx cannot be run by onnxruntime"):
        extract(tmp_path / "wrong.onnx", tiny.word_tokenizer(), ["the cat"], tmp_path / "s", layers="*Relu*")
    plain = onnx.helper.make_graph(
        [onnx.helper.make_node("Relu", ["input_ids"], ["a"]), onnx.helper.make_node("Relu", ["a"], ["b"])], "g",
        [onnx.helper.make_tensor_value_info("input_ids", 1, ["n", "t"])],
        [onnx.helper.make_tensor_value_info("b", 1, None)],
    )  # fmt: skip
    onnx.save(onnx.helper.make_model(plain, ir_version=8), str(tmp_path / "plain.onnx"))
    with pytest.raises(ParameterError, match="no values with the names of blocks.*there are a, b"):
        extract(tmp_path / "plain.onnx", tiny.word_tokenizer(), ["the cat"], tmp_path / "s")
