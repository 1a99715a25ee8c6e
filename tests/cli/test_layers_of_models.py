"""``infoscope layers`` on models in files: extraction and comparison in one command that goes on where it was."""

import json

import numpy as np
import pytest
from tests.representations import tiny_models as tiny

from infoscope import RepresentationStore, compare_layers, load
from infoscope.representations import extract

pytest.importorskip("torch")
pytest.importorskip("transformers")
FEW = ["--permutations", "19", "--mutual", "3"]
N = 26


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two models of texts, one of pictures, one of both."""
    folder = tmp_path_factory.mktemp("models")
    for name, model in {
        "llama": tiny.llama(),
        "bert": tiny.bert(),
        "vision": tiny.dinov2(),
        "clip": tiny.clip(),
    }.items():
        model.save_pretrained(folder / name)
        if name != "vision":
            tiny.word_tokenizer().save_pretrained(folder / name)
        if name in ("vision", "clip"):
            tiny.image_processor().save_pretrained(folder / name)
    return folder


@pytest.fixture
def folder(made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("llama", "bert", "vision", "clip"):
        (tmp_path / name).symlink_to(made / name)
    names = [f"p{i:02d}" for i in np.random.default_rng(1).permutation(N)]
    for name, seed in (("en", 0), ("it", 1)):
        rows = [{"text": text, "name": one} for text, one in zip(tiny.some_texts(N, seed), names, strict=True)]
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "views").mkdir()
    for number, picture in enumerate(tiny.some_pictures(N)):
        picture.save(tmp_path / "views" / f"p{number:02d}.png")
    return tmp_path


def by_hand(model, processor, items, out, **options):
    store = extract(model, processor, items, out, **options)
    return {name: store.read(name) for name in store.layers}


def test_translations_through_one_model(infoscope, folder, monkeypatch):
    """The layers that the command compares are those of `extract`; called again it goes on with what is there."""
    files = ["--output", "out.json", "--output", "out.npz", "--plot", "out.png"]
    command = ["layers", "llama", "--texts", "en.jsonl:text", "--against", "it.jsonl:text", *FEW, *files]
    said = infoscope(*command)
    assert said.code == 0, said.err
    sides = [
        by_hand(tiny.llama(), tiny.word_tokenizer(), tiny.some_texts(N, seed), folder / f"hand{seed}")
        for seed in (0, 1)
    ]
    expected = compare_layers(*sides, k_mutual=3, n_permutations=19, random_state=0)
    assert str(expected) in said.out and (folder / "out.png").stat().st_size > 5000
    np.testing.assert_array_equal(load("out.npz").values, expected.values)
    assert "a  llama on 26 texts of en.jsonl:text; layers are kept in out.stores/a-llama-en\n" in said.out
    assert RepresentationStore.open("out.stores/b-llama-it").texts == tiny.some_texts(N, 1)
    monkeypatch.setattr("infoscope.representations.load_model", None)  # of a store that is whole, no model is read
    again = infoscope(*command)
    assert again.code == 0 and "layers are kept in out.stores/a-llama-en (which is whole)" in again.out, again.err
    assert str(expected) in again.out
    record = json.loads((folder / "out.json").read_text())
    assert record["inputs"]["b"] == {
        "model": "llama", "texts": "it.jsonl", "column": "text", "ids": None, "pool": "mean",
        "layers": ["embedding", "layers.0", "layers.1", "layers.2", "output"],
    }  # fmt: skip
    assert {"llama/model.safetensors", "en.jsonl"} <= {file["name"] for file in record["files"]}


def test_a_record_runs_again_from_the_model(infoscope, folder):
    """`rerun` makes the layers anew; it does not believe the store."""
    options = ["--texts", "en.jsonl:text", "--store-dir", "kept", "--measures", "mutual_knn", *FEW]
    assert infoscope("layers", "llama", "bert", *options, "--output", "out.json").code == 0
    assert sorted(path.name for path in (folder / "kept").iterdir()) == [
        "a-llama-en", "a-llama-en.json", "b-bert-en", "b-bert-en.json",
    ]  # fmt: skip
    for path in (folder / "kept").rglob("*.npy"):
        path.unlink()
    said = infoscope("rerun", "out.json")
    assert said.code == 0 and "reproduced" in said.out, said.err
    (folder / "en.jsonl").write_text((folder / "en.jsonl").read_text().replace("cat", "dog"))
    assert "is not the file that the result was made from" in infoscope("rerun", "out.json").err


def test_captions_and_pictures(infoscope, folder):
    """By name where a column has the names, whatever the order; else text i and the i-th picture by name."""
    options = ["--images", "views", "--pool", "last", "--dtype", "float32", *FEW, "--output", "out.npz"]
    said = infoscope("layers", "bert", "vision", "--texts", "en.jsonl:text", "--ids", "name", *options)
    assert said.code == 0, said.err
    a = RepresentationStore.open("out.stores/a-bert-en")
    b = RepresentationStore.open("out.stores/b-vision-views")
    assert a.ids == b.ids and b.texts == [f"{name}.png" for name in a.ids]
    pictures = tiny.some_pictures(N)
    order = [int(str(name)[1:]) for name in a.ids]
    expected = by_hand(
        tiny.dinov2(), tiny.image_processor(), [pictures[i] for i in order], "hand", pool="last", dtype="float32"
    )
    for layer in b.layers:
        np.testing.assert_array_equal(b.read(layer), expected[layer])
    said = infoscope("layers", "clip", "--texts", "en.jsonl:text", *options[:-1], "rows.npz")
    assert said.code == 0 and "note: text i belongs to the i-th picture by name" in said.out, said.err
    assert RepresentationStore.open("rows.stores/a-clip-en").ids == [f"p{i:02d}" for i in range(N)]
    assert RepresentationStore.open("rows.stores/b-clip-views").layers[1] == "vision_model.encoder.layers.0"


def test_chosen_modules_and_pictures_of_two_models(infoscope, folder):
    options = ["--images", "views", "--layers", "*.mlp", "--pool", "first", "--store-dir", "kept", *FEW]
    assert infoscope("layers", "vision", "clip", *options).code == 0
    assert len(RepresentationStore.open("kept/a-vision-views").layers) == 3


def test_windows_of_tokens(infoscope, folder):
    options = [
        "--texts",
        "en.jsonl:text",
        "--pool",
        "window",
        "--window=-3:",
        "--store-dir",
        "kept",
        "--dtype",
        "float32",
    ]
    assert infoscope("layers", "llama", "bert", *options, *FEW).code == 0
    kept, text = RepresentationStore.open("kept/a-llama-en"), tiny.some_texts(N, 0)[4]
    states = tiny.states_alone(tiny.llama(), tiny.word_tokenizer(), text)
    np.testing.assert_allclose(kept.read("layers.1")[4], states[2][-3:].ravel(), atol=2e-5)


def test_what_is_left_of_an_interrupted_run_is_used(infoscope, folder, monkeypatch):
    options = ["--texts", "en.jsonl:text", "--store-dir", "kept", "--token-budget", "30", *FEW]
    write = RepresentationStore.write

    def until_the_third(store, ids, layers, **more):
        until_the_third.left -= 1
        if until_the_third.left < 0:
            raise KeyboardInterrupt
        write(store, ids, layers, **more)

    until_the_third.left = 3
    monkeypatch.setattr(RepresentationStore, "write", until_the_third)
    assert infoscope("layers", "llama", "bert", *options).code == 130
    monkeypatch.setattr(RepresentationStore, "write", write)
    said = infoscope("layers", "llama", "bert", *options)
    assert said.code == 0 and "a-llama-en (which goes on)" in said.out
    whole = infoscope("layers", "llama", "bert", *options[:3], "fresh", *options[4:])
    assert said.out.partition("\n\n")[2] == whole.out.partition("\n\n")[2]


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["llama", "--texts", "en.jsonl:text"], "one model and one set of items"),
        (["vision", "--images", "views"], "one model and one set of items"),
        (["llama", "bert"], "llama is a model: say what it is run on"),
        (["llama", "--against", "it.jsonl:text"], "--against is compared with --texts"),
        (["llama", "--texts", "en.jsonl:text", "--against", "short.txt"], "row i of the one belongs to row i"),
        (["llama", "--texts", "en.jsonl:text", "--against", "it.jsonl:words"], "no field 'words'"),
        (["llama", "bert", "--texts", "en.jsonl"], "say which field of en.jsonl"),
        (["llama", "bert", "--texts", "short.txt", "--ids", "name"], "--ids is a column"),
        (["llama", "bert", "--texts", "blank.txt"], "item 1 is an empty text"),
        (["llama", "bert", "--texts", "long.txt"], "has 41 tokens, and the model takes 32"),
        (["llama", "vision", "--texts", "en.jsonl:text", "--images", "none"], "no such folder"),
        (["llama", "vision", "--texts", "short.txt", "--images", "views"], "text i belongs to the i-th picture"),
        (
            ["llama", "vision", "--texts", "other.jsonl:text", "--ids", "name", "--images", "views"],
            "none is called 'q'",
        ),
        (["llama", "nothing", "--texts", "en.jsonl:text"], "no file or folder nothing"),
        (["llama", "a.npz", "--texts", "en.jsonl:text"], "a.npz holds layers that are there"),
        (["llama", "bert", "--images", "views"], "no image processor for pictures"),
        (["llama", "bert", "--texts", "en.jsonl:text", "--decoder"], "--decoder is for encoder-decoders"),
        (["llama", "bert", "--texts", "en.jsonl:text", "--layers", "*.none"], "no module matches"),
        (["llama", "bert", "--texts", "en.jsonl:text", "--pool", "window"], "--window START:STOP go together"),
        (["llama", "bert", "--texts", "en.jsonl:text", "--pool", "window", "--window", "a"], "not 'a'"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(infoscope, folder, arguments, words):
    (folder / "short.txt").write_text("the cat\na dog\n")
    (folder / "blank.txt").write_text("the cat\n\na dog\n")
    (folder / "long.txt").write_text("the cat\n" + " ".join(tiny.WORDS * 2) + "\n")
    (folder / "other.jsonl").write_text('{"text": "a cat", "name": "q"}\n')
    np.savez("a.npz", x=np.eye(3))
    said = infoscope("layers", *arguments, *FEW)
    assert said.code == 2 and words in said.err and "Traceback" not in said.err and len(said.err.splitlines()) == 1
    assert "processor=" not in said.err


def test_a_store_of_another_model_says_the_way_out(infoscope, folder):
    options = ["--texts", "en.jsonl:text", "--store-dir", "kept", *FEW]
    assert infoscope("layers", "llama", "bert", *options).code == 0
    said = infoscope("layers", "llama", "bert", *options, "--pool", "last")
    assert said.code == 2 and "delete it, or name another folder with --store-dir" in said.err
    (folder / "kept" / "a-llama-en.json").write_text("{")
    assert "a-llama-en (which goes on)" in infoscope("layers", "llama", "bert", *options).out
    (folder / "en.jsonl").write_text((folder / "en.jsonl").read_text().replace("cat", "dog"))
    said = infoscope("layers", "llama", "bert", *options)
    assert said.code == 2 and "kept/a-llama-en belongs to other texts: item" in said.err
