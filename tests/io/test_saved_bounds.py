"""What points into something never points beyond it: every saved class says the bounds of its own arrays.

The entries that are looked at are found here without the library's help: whatever whole numbers a real object of the
class holds are set beyond everything, one array after the other.
"""

import dataclasses
import json
from importlib import import_module
from typing import get_args, get_type_hints

import numpy as np
import pytest
from tests.io.test_saved_estimators import EVERY

import infoscope
from infoscope import BinaryID, PAk, Space, TwoNN, nearest
from infoscope.base import DataError, Provenance, result_classes
from infoscope.base.contents import contents_of, fits
from infoscope.dimension import neighbor_table
from infoscope.io import load, save
from infoscope.storage import Checkpoint, allowed_classes

X = np.random.default_rng(2).normal(size=(60, 3))
FAR = 10**9


def with_array(path, name, change):
    """The same file with one array changed."""
    with np.load(path) as content:
        arrays = dict(content)
    arrays[name] = change(arrays[name])
    np.savez(path, **arrays)
    return path


def parts_of(value, where=""):
    """Dataclasses inside a JSON record, with their places."""
    if isinstance(value, dict):
        if value.get("is") in ("result", "part", "estimator"):
            yield where, value
        for key, inside in value.items():
            yield from parts_of(inside, f"{where}.{key}")
    elif isinstance(value, list):
        for number, inside in enumerate(value):
            yield from parts_of(inside, f"{where}[{number}]")


def named_arrays(path):
    """Class, field and name of every array that is a field itself."""
    with np.load(path) as content:
        record = json.loads(content["record"].item())
    for _, part in parts_of(record):
        for field, inside in {**part.get("fields", {}), **part.get("fitted", {})}.items():
            if isinstance(inside, dict) and inside.get("is") == "array":
                yield part["class"].rpartition(".")[2], field, inside["array"]


@pytest.fixture(scope="module")
def saved(saved_objects, tmp_path_factory):
    fit = TwoNN().fit(X)
    fit.space_ = Space(X, run=np.repeat([0, 1], 30), sample_weight=np.ones(60))
    fit.table_, fit.graph_ = neighbor_table(X, 3), nearest(Space(X), 2)
    return [*saved_objects, save(fit, tmp_path_factory.mktemp("bounds") / "graph.npz")]


# counts of pairs, points and clusters, names, and the numbers that rows had before: nothing is indexed with them
COUNTS = {
    ("HammingHistogram", "counts"), ("HammingHistogram", "group_counts"), ("ClusterScan", "n_clusters"),
    ("PowerCurve", "sizes"), ("ScaleCurve", "k"), ("DimensionScan", "ranks"),
    ("DimensionScan", "n_points"), ("BinaryCurve", "n_bits"),
    ("BinarizationReport", "n_bits"), ("BinarizationReport", "n_varying"), ("BinaryDimension", "r"),
    ("NeighborGraph", "admissible"), ("NeighborTable", "kept"), ("Excess", "pruned_step"), ("Bits", "n_varying"),
    ("PackedBits", "words"), ("Dimension", "k_star"), ("Space", "run_names"),
    ("CausalGraph", "lags"), ("CausalGraph", "levels"), ("CausalGraph", "n_epochs"),
    ("DirectEdges", "edges"), ("DirectEdges", "lag"),
    ("DensityCurvature", "n_positive"), ("DiffusionInformation", "sizes"), ("EmbeddingSuggestion", "delays"),
    ("EmbeddingSuggestion", "dimensions"), ("Entropy", "parts"), ("FrechetDistance", "parts"),
    ("Information", "k_values"), ("Information", "parts"), ("NeighborDivergence", "k_values"), ("Reliability", "parts"),
    ("LabelOverlap", "class_sizes"), ("LabelOverlap", "class_k"),
    ("LayerProfile", "gride_ranks"), ("LayerProfile", "widths"),
    ("TokenNumberCurve", "n_tokens"), ("FlowSamplingResult", "iteration"), ("FlowSamplingResult", "n_steps"),
    ("ExactSpectrum", "degeneracy"), ("InteractionDegree", "orders"), ("LadderLosses", "n_sweeps"),
    ("InteractionModel", "kept_steps_"), ("LadderLosses", "orders"), ("LearningCurves", "orders"),
    ("LearningCurves", "steps"), ("OrderLosses", "orders"),
    ("OrderSpectrum", "orders"), ("CloneResult", "tokens"), ("WeightMotion", "half_step"), ("WeightMotion", "steps"),
}  # fmt: skip


def test_whole_numbers_never_point_beyond(saved, tmp_path):
    looked, believed = 0, []
    for path in saved:
        for cls, field, name in named_arrays(path):
            with np.load(path) as content:
                array = content[name]
            if array.dtype.kind not in "iu" or not array.size or (cls, field) in COUNTS:
                continue
            for wrong in (FAR, -FAR):
                if array.dtype.kind == "u" and wrong < 0:
                    continue
                spoilt = array.astype(np.int64)
                spoilt.reshape(-1)[-1] = wrong
                changed = tmp_path / "changed.npz"
                changed.write_bytes(path.read_bytes())
                with_array(changed, name, lambda _, spoilt=spoilt: spoilt)
                looked += 1
                try:
                    load(changed)
                except DataError as error:
                    assert "damaged" in str(error)
                else:
                    believed.append((cls, field, wrong))
    assert not believed, str(sorted({(cls, field) for cls, field, _ in believed}))
    assert looked > 40


def test_a_neighbour_table_with_item_numbers_beyond_the_data(tmp_path):
    path = save(PAk(n_jobs=1).fit(X), tmp_path / "a.npz")
    name = next(name for cls, field, name in named_arrays(path) if (cls, field) == ("NeighborTable", "items"))
    with pytest.raises(DataError, match=r"items of NeighborTable holds 1000000, and must be under 60"):
        load(with_array(path, name, lambda items: np.where(items == items[0, 0], 10**6, items)))


def test_packed_rows_that_differ_in_more_bits_than_are_counted(tmp_path):
    path = save(BinaryID(alpha_max=0.8).fit(np.random.default_rng(0).random((90, 40)) < 0.5), tmp_path / "a.npz")
    name = next(name for cls, field, name in named_arrays(path) if (cls, field) == ("PackedBits", "words"))
    with pytest.raises(DataError, match="may differ in 64 places, more than 40"):
        load(with_array(path, name, lambda words: np.where(np.arange(90)[:, None] == 7, ~np.uint64(0), words)))


def test_a_graph_whose_rows_overlap(tmp_path):
    fit = TwoNN().fit(X)
    fit.graph_ = nearest(Space(X), 2)
    path = save(fit, tmp_path / "a.npz")
    name = next(name for cls, field, name in named_arrays(path) if (cls, field) == ("NeighborGraph", "indptr"))
    for change in (lambda a: a[::-1], lambda a: a + 1, lambda a: a[:-1], lambda a: np.where(a == 4, 9, a)):
        path = save(fit, tmp_path / "a.npz")
        with pytest.raises(DataError, match="indptr of NeighborGraph"):
            load(with_array(path, name, change))


def test_every_class_that_is_saved_says_what_its_arrays_hold():
    parts = {
        one
        for room in allowed_classes.rooms()
        for one in vars(import_module(f"infoscope.{room}")).values()
        if isinstance(one, type) and allowed_classes.is_part_class(one)
    }
    results = [cls for cls in result_classes() if cls.__module__.startswith("infoscope.")]
    results = [cls for cls in results if dataclasses.is_dataclass(cls)]
    for cls in {*parts, *results, Provenance}:
        hints = get_type_hints(cls)  # annotations that cannot be read would not be checked
        for field in dataclasses.fields(cls):
            kinds = (hints[field.name], *getattr(hints[field.name], "__args__", ()))
            told = np.ndarray not in kinds or float in kinds  # an array or one number: `_check_contents` looks at it
            assert told or field.name in contents_of(cls), f"{cls.__name__}.{field.name}: say its kind and shape"
    for cls in EVERY:
        assert any(name.endswith("_") for name in contents_of(cls)), f"{cls.__name__}: say what a fit leaves"


def test_every_class_that_a_saved_one_holds_can_be_saved():
    """Annotations of results lead to all parts: a part without a word on its arrays could not be saved."""
    waiting = [cls for cls in result_classes() if cls.__module__.startswith("infoscope.")]
    waiting = [cls for cls in waiting if dataclasses.is_dataclass(cls)]
    seen = set()
    while waiting:
        cls = waiting.pop()
        seen.add(cls)
        for hint in get_type_hints(cls).values():
            inside = [hint, *get_args(hint), *(one for part in get_args(hint) for one in get_args(part))]
            waiting += [one for one in inside if dataclasses.is_dataclass(one) and one not in seen]
    for cls in seen - {Provenance}:
        assert issubclass(cls, infoscope.base.Result) or allowed_classes.is_part_class(cls), cls
    assert {"Space", "Origin", "SourceFile", "Excess", "Region"} <= {cls.__name__ for cls in seen}


def test_names_in_the_declarations_are_fields():
    for cls in [*EVERY, *(one for one in result_classes() if one.__module__.startswith("infoscope."))]:
        known = {item.name for item in dataclasses.fields(cls)} if dataclasses.is_dataclass(cls) else None
        assert known is None or set(contents_of(cls)) <= known, cls


@pytest.mark.parametrize(
    ("source", "key", "wrong"),
    [("MT19937", "pos", 625), ("MT19937", "pos", -1), ("Philox", "buffer_pos", 99), ("Philox", "buffer_pos", -3)],
)
def test_a_generator_that_would_go_on_beyond_what_it_holds(source, key, wrong, tmp_path):
    import zipfile

    path, generator = tmp_path / "run.npz", np.random.Generator(getattr(np.random, source)(1))
    with Checkpoint(path, {}) as checkpoint:
        checkpoint.save({"rng": generator})
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    text = members["checkpoint.json"].decode()
    at = text.index(f'"{key}", ') + len(f'"{key}", ')
    members["checkpoint.json"] = (text[:at] + str(wrong) + text[text.index("]", at) :]).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, contents in members.items():
            archive.writestr(name, contents)
    with Checkpoint(path, {}, resume=True) as checkpoint, pytest.raises(DataError, match=f"{key} .* is {wrong}"):
        checkpoint.load()


def test_annotations():
    assert fits(np.float32(1), float) and fits(3, float) and not fits(True, int) and not fits("3", float)
    assert fits((1, "a"), tuple[int, str]) and not fits((1,), tuple[int, str]) and fits((), tuple[int, ...])
    assert fits({"a": [1]}, dict[str, list[int]]) and not fits({1: [1]}, dict[str, list[int]])
    assert not fits(10**30, int) and not fits([1], np.ndarray) and fits(None, int | None)
