"""A folder of layers: what goes in comes out, items are named, two stores agree on them or fail."""

import numpy as np
import pytest

from infoscope import RepresentationStore, Space, imbalance_matrix, information_imbalance
from infoscope.base import DataError, ParameterError
from infoscope.storage import ArrayStore

G = np.random.default_rng(0)
IDS = [f"s{i}" for i in range(30)]
TEXTS = [f"sentence number {i}" for i in range(30)]
LAYERS = {"embedding": G.normal(size=(30, 4)), "0": G.normal(size=(30, 6)), "1.mlp": G.normal(size=(30, 5)) * 100}
LAYERS = {name: layer.astype(np.float32) for name, layer in LAYERS.items()}
WIDTHS = {name: layer.shape[1] for name, layer in LAYERS.items()}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run"


def filled(path, **options):
    options = dict(ids=IDS, texts=TEXTS, dtype="float32") | options
    return RepresentationStore.from_arrays(path, LAYERS, **options)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_what_goes_in_comes_out(path, dtype):
    store = filled(path, dtype=dtype)
    assert (store.ids, store.texts, store.layers, store.pools) == (IDS, TEXTS, tuple(LAYERS), ("mean",))
    bits = {"float16": 2.0**-11, "bfloat16": 2.0**-8, "float32": 0, "float64": 0}[dtype]  # half a unit, relative
    for name, layer in LAYERS.items():
        np.testing.assert_allclose(store.read(name), layer, rtol=bits)
        space = store.space(name)
        assert space.metric == "cosine" and space.name == name and space.ids.tolist() == IDS
        assert space.features.dtype == (np.float64 if dtype == "float64" else np.float32)


def test_lists_and_blocks_are_numbered_layers(path, tmp_path):
    store = RepresentationStore.from_arrays(path, G.normal(size=(3, 10, 4)), dtype="float32")
    assert store.layers == ("0", "1", "2") and store.ids == list(range(10))
    torch = pytest.importorskip("torch")
    tensors = [torch.ones(10, 4).cumsum(0).bfloat16(), torch.zeros(10, 2).bfloat16() + torch.arange(2).bfloat16()]
    store = RepresentationStore.from_arrays(tmp_path / "torch", tensors, dtype="bfloat16")
    np.testing.assert_array_equal(store.read("0"), tensors[0].float().numpy())


def test_batches_in_any_order_and_again(path):
    batches = np.array_split(np.random.default_rng(1).permutation(30), 4)
    options = dict(dtype="float32", texts=TEXTS, pools=("mean", "last"), options={"model": "m"})
    with RepresentationStore.create(path, IDS, WIDTHS, **options) as store:
        for rows in batches[:2]:
            store.write([IDS[r] for r in rows], {name: layer[rows] for name, layer in LAYERS.items()})
        store.commit()
        assert store.missing(pool="mean") == [IDS[r] for r in sorted(np.concatenate(batches[2:]))]
        assert store.missing("0") == IDS  # the other pool lacks all
    with RepresentationStore.create(path, IDS, WIDTHS, resume=True, **options) as store:
        for rows in batches:  # the first two again: nothing happens
            for pool in ("mean", "last"):
                store.write([IDS[r] for r in rows], {name: layer[rows] for name, layer in LAYERS.items()}, pool=pool)
        with pytest.raises(DataError, match=r"'s3' \(row 3\) is there already with other values"):
            store.write(["s3"], {"0": LAYERS["0"][[4]]})
    store = RepresentationStore.open(path)
    assert not store.missing() and repr(store) == "RepresentationStore(30 items, 3 layers, pools mean, last)"
    np.testing.assert_array_equal(store.read("1.mlp", pool="last"), LAYERS["1.mlp"])
    with pytest.raises(ParameterError, match="model"):
        RepresentationStore.create(path, IDS, WIDTHS, resume=True, **(options | {"options": {"model": "other"}}))


def test_layers_are_loaded_when_a_matrix_needs_them(path):
    store = filled(path)
    lazy = imbalance_matrix(store.spaces(), exclusion_window=0)
    eager = imbalance_matrix(
        {name: Space(x, metric="cosine", name=name, ids=IDS) for name, x in LAYERS.items()}, exclusion_window=0
    )
    np.testing.assert_array_equal(lazy.values, eager.values)
    np.testing.assert_array_equal(lazy.values_se, eager.values_se)
    across = imbalance_matrix(store.spaces(prefix="a "), store.spaces(["0"], prefix="b "), exclusion_window=0)
    assert (across.names[0], across.target_names) == ("a embedding", ("b 0",))
    assert across.values[0, 0] == eager.values[0, 1]


def test_two_stores_hold_the_same_items_or_fail(path, tmp_path):
    first = filled(path)
    first.check_same_items(filled(tmp_path / "same"))
    shuffled = filled(tmp_path / "other", ids=[*IDS[1:], IDS[0]])
    with pytest.raises(DataError, match="ids"):
        first.check_same_items(shuffled)
    with pytest.raises(DataError, match="ids"):
        information_imbalance(first.space("0"), shuffled.space("1.mlp"))
    fewer = RepresentationStore.from_arrays(tmp_path / "fewer", {"0": LAYERS["0"][:20]}, dtype="float32")
    with pytest.raises(DataError, match="has 30 items, .* has 20"):
        first.check_same_items(fewer)


def test_dead_layers_and_items_are_named(path):
    layers = {"dead": np.ones((30, 3)), "holes": LAYERS["0"].copy(), "fine": LAYERS["0"]}
    layers["holes"][[7, 9]] = 0
    store = RepresentationStore.from_arrays(path, layers, ids=IDS, texts=TEXTS, dtype="float32")
    assert store.dead("dead") == ["layer dead: all 30 items have the same vector"]
    assert store.dead("holes")[0] == "layer holes: zero for item 's7' ('sentence number 7')"
    assert len(store.dead("holes")) == 2 and store.dead("fine") == []
    with pytest.raises(DataError, match="layer dead of .* is dead"):
        store.space("dead")
    with pytest.raises(DataError, match=r"layer holes .* zero for item 's7' \('sentence number 7'\), one of 2"):
        store.space("holes")
    far = store.space("holes", on_zero="far")
    assert "7 (s7), 9 (s9)" in far.notes[0]


def test_what_is_not_finite_is_named_and_nothing_of_it_written(path):
    values = {name: layer.copy() for name, layer in LAYERS.items()}
    values["0"][4, 2] = np.inf
    with RepresentationStore.create(path, IDS, WIDTHS, texts=TEXTS) as store:
        with pytest.raises(DataError, match=r"layer 0 is inf for item 's4' \('sentence number 4'\): float16 ends at"):
            store.write(IDS, values)
        assert store.missing("embedding") == IDS
        with pytest.raises(DataError, match="layer 0 is 1000000.0 for item .s0.*keep it as bfloat16"):
            store.write(IDS[:1], {"0": np.full((1, 6), 1e6, np.float32)})


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda p: RepresentationStore.create(p, IDS, WIDTHS, dtype="int8"), ParameterError, "dtype is 'int8'"),
        (lambda p: RepresentationStore.create(p, IDS, {}), ParameterError, "at least one layer"),
        (lambda p: RepresentationStore.create(p, IDS, WIDTHS, texts=TEXTS[:3]), DataError, "30 ids and 3 texts"),
        (lambda p: RepresentationStore.create(p, IDS, {"a/b": 3}), ParameterError, "cannot be called"),
        (lambda p: RepresentationStore.from_arrays(p, {}), ParameterError, "no layer"),
        (
            lambda p: RepresentationStore.from_arrays(p, {"a": np.ones((3, 2)), "b": np.ones((4, 2))}),
            DataError,
            "3 items",
        ),
        (lambda p: RepresentationStore.from_arrays(p, {"a": np.ones(3)}), DataError, r"layer a has shape \(3,\)"),
        (lambda p: filled(p).read("2"), ParameterError, "has no layer '2'"),
        (lambda p: filled(p).read("0", pool="last"), ParameterError, "has no pool 'last'"),
    ],
)
def test_what_cannot_be(path, call, error, message):
    with pytest.raises(error, match=message):
        call(path)


def test_another_store_is_none(path):
    with ArrayStore(path, IDS, {"x": "f4"}):
        pass
    with pytest.raises(DataError, match="store of other arrays"):
        RepresentationStore.open(path)
