"""``infoscope layers``: stores and archives, and a record that runs again."""

import json

import numpy as np
import pytest

from infoscope import RepresentationStore, compare_layers, load


@pytest.fixture
def models():
    g = np.random.default_rng(0)
    hidden = g.normal(size=(60, 3))
    a = {f"block {i}": (i * hidden @ g.normal(size=(3, 8)) + g.normal(size=(60, 8))).astype("f4") for i in range(3)}
    b = {f"head {i}": (hidden @ g.normal(size=(3, 5)) + g.normal(size=(60, 5))).astype("f4") for i in range(2)}
    return a, b


def test_archives_answer_as_the_library_and_run_again(infoscope, models, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, layers in zip("ab", models, strict=True):
        np.savez(f"{name}.npz", **layers)
    options = ["--permutations", "39", "--mutual", "5", "--measures", "imbalance", "--measures", "rsa"]
    files = [
        "--output",
        "out.json",
        "--output",
        "out.csv",
        "--output",
        "out.npz",
        "--plot",
        "out.png",
        "--kind",
        "depth",
    ]
    said = infoscope("layers", "a.npz", "b.npz", *options, *files)
    expected = compare_layers(*models, measures=("imbalance", "rsa"), k_mutual=5, n_permutations=39, random_state=0)
    assert said.code == 0 and str(expected) in said.out and (tmp_path / "out.png").stat().st_size > 5000
    np.testing.assert_array_equal(load("out.npz").values, expected.values)
    record = json.loads((tmp_path / "out.json").read_text())
    assert record["inputs"]["a"]["layers"] == ["block 0", "block 1", "block 2"] and len(record["files"]) == 2
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 1 + 3 * 6
    assert "reproduced" in infoscope("rerun", "out.json").out
    np.savez("b.npz", **{"head 0": models[1]["head 1"]})
    assert infoscope("rerun", "out.json").code == 2


def test_stores_answer_and_their_items_must_match(infoscope, models, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ids = [f"text {i}" for i in range(60)]
    for name, layers in zip("ab", models, strict=True):
        RepresentationStore.from_arrays(name, layers, ids=ids, dtype="float32")
    RepresentationStore.from_arrays("c", models[1], ids=ids[::-1], dtype="float32")
    said = infoscope("layers", "a", "b", "--permutations", "19", "--output", "out.json")
    assert said.code == 0 and str(compare_layers(*models, n_permutations=19, random_state=0)) in said.out
    assert "reproduced" in infoscope("rerun", "out.json").out
    assert infoscope("layers", "a", "c").code == 2


def test_layers_go_through_what_is_named_in_this_order(infoscope, models, tmp_path, monkeypatch):
    from infoscope.representations import Center, ClipRows, SignBits

    monkeypatch.chdir(tmp_path)
    for name, layers in zip("ab", models, strict=True):
        np.savez(f"{name}.npz", **layers)
    steps = ["--preprocess", "clip", "--preprocess", "center", "--preprocess", "signs", "--metric", "hamming"]
    said = infoscope("layers", "a.npz", "b.npz", "--permutations", "19", *steps, "--output", "out.json")
    expected = compare_layers(
        *models, metric="hamming", preprocess=[ClipRows(), Center(), SignBits()], n_permutations=19, random_state=0
    )
    assert said.code == 0 and str(expected) in said.out and "Center(), SignBits(), hamming" in said.out
    assert "reproduced" in infoscope("rerun", "out.json").out


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["a.npz"], "two models are needed"),
        (["a.npz", "b.csv"], "no store of layers and no .npz"),
        (["a.npz", "b.npz", "--pool", "last"], "--pool is of stores"),
        (["a.npz", "b.npz", "--measures", "cosine"], "measures"),
        (["a.npz", "b.npz", "--preprocess", "fold"], "preprocess"),
        (["a.npz", "b.npz", "--preprocess", "signs"], "hamming"),
        (["a.npz", "broken.npz"], "cannot be read as an archive"),
        (["a.npz", "."], "no store of arrays"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(infoscope, models, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    for name, layers in zip("ab", models, strict=True):
        np.savez(f"{name}.npz", **layers)
    (tmp_path / "b.csv").write_text("1,2\n")
    (tmp_path / "broken.npz").write_bytes(b"PK nothing")
    said = infoscope("layers", *arguments)
    assert said.code == 2 and words in said.err and "Traceback" not in said.err
