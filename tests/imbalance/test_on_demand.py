"""Spaces that are loaded when they are needed: the numbers of those that are there, few loads, one or two in memory."""

import dataclasses
import tracemalloc
import weakref
from collections.abc import Mapping

import numpy as np
import pytest

from infoscope.base import DataError, ParameterError
from infoscope.imbalance import imbalance_matrix
from infoscope.neighbors import NeighborGraph, Space

G = np.random.default_rng(0)
X = G.normal(size=(120, 6))
TIME, RUN = np.tile(np.arange(40.0), 3), np.repeat(["u", "v", "w"], 40)


def arrays():
    return {"all": X, "half": X[:, :3], "one": X[:, 5:], "grid": np.rint(X[:, 2:4])}


class Counted:
    """Loads spaces, counts how often, and how many are alive at once."""

    def __init__(self, given, **options):
        self.given, self.options, self.loads, self.alive, self.most = given, options, dict.fromkeys(given, 0), set(), 0

    def load(self, name):
        self.loads[name] += 1
        space = Space(self.given[name].copy(), name=name, **self.options)
        number = object()
        self.alive.add(number)
        weakref.finalize(space.features, self.alive.discard, number)
        self.most = max(self.most, len(self.alive))
        return space

    def functions(self, *names):
        return {name: (lambda name=name: self.load(name)) for name in names or self.given}


class Lazily(Mapping):
    def __init__(self, counted):
        self.counted = counted

    def __getitem__(self, name):
        return self.counted.load(name)

    def __iter__(self):
        return iter(self.counted.given)

    def __len__(self):
        return len(self.counted.given)


def same(found, expected):
    for field in dataclasses.fields(found):
        a, b = getattr(found, field.name), getattr(expected, field.name)
        if isinstance(a, np.ndarray):
            np.testing.assert_array_equal(a, b)
        else:
            assert a == b, field.name


OPTIONS = {
    "plain": ({}, {}),
    "k": ({}, dict(k=4)),
    "sampled": ({}, dict(n_rows=50, n_columns=30, random_state=3)),
    "permutations": ({}, dict(n_permutations=19, random_state=1)),
    "halves": ({}, dict(rows=np.arange(60), columns=np.arange(60, 120))),
    "weights": (dict(sample_weight=np.where(np.arange(120) % 7, G.uniform(0.5, 2, 120), 0)), {}),
    "runs": (dict(time=TIME, run=RUN), dict(neighbors_from="other_runs")),
    "series": (dict(time=TIME, run=RUN), dict(n_permutations=19, random_state=0)),
    "cosine": (dict(metric="cosine"), {}),
}


@pytest.mark.filterwarnings("ignore::infoscope.base.errors.InfoscopeWarning")
@pytest.mark.parametrize("what", OPTIONS)
def test_same_numbers_bit_for_bit(what):
    of_space, options = OPTIONS[what]
    given = {name: x for name, x in arrays().items() if name != "grid" or what != "cosine"}
    eager = imbalance_matrix({name: Space(x, name=name, **of_space) for name, x in given.items()}, **options)
    for kind in (Counted.functions, Lazily):
        lazy = Counted(given, **of_space)
        same(imbalance_matrix(kind(lazy), **options), eager)
        assert lazy.most <= 2


def test_loads_are_few_and_only_graphs_stay():
    lazy = Counted(arrays())
    imbalance_matrix(lazy.functions(), n_jobs=1)
    assert lazy.loads == dict.fromkeys(arrays(), 3)  # the items, the search, the sweep
    assert not lazy.alive and lazy.most == 1  # without a collection: nothing holds them in a circle
    lazy = Counted(arrays())
    imbalance_matrix(lazy.functions("all", "half"), lazy.functions("one", "grid"))
    assert lazy.loads == dict.fromkeys(arrays(), 2)
    lazy = Counted(arrays())
    imbalance_matrix(lazy.functions(), n_permutations=19, n_jobs=1)
    assert lazy.loads == dict.fromkeys(arrays(), 5) and lazy.most == 1


@pytest.mark.parametrize("weighted", [False, True])
def test_targets_side_by_side_and_one_after_the_other_are_the_same(weighted):
    given = {f"layer {i}": np.random.default_rng(i).normal(size=(300, 5)) for i in range(15)}  # 14 ranks a row
    options = dict(sample_weight=np.linspace(1, 2, 300)) if weighted else {}
    lazy = Counted(given, **options)
    alone, beside = (imbalance_matrix(lazy.functions(), n_jobs=threads) for threads in (1, 3))
    same(beside, alone)
    assert 1 < lazy.most <= 3


def test_an_error_in_one_of_several_targets_is_raised(monkeypatch):
    given = {f"layer {i}": np.random.default_rng(i).normal(size=(60, 5)) for i in range(6)}

    def fail(space, *_, **__):
        raise DataError(f"no ranks in {space.name}")

    monkeypatch.setattr("infoscope.imbalance.matrix.rescaled_ranks", fail)
    with pytest.raises(DataError, match="no ranks in layer 0"):
        imbalance_matrix(given, n_jobs=2)


def test_some_loaded_and_some_given():
    lazy, given = Counted(arrays()), arrays()
    mixed = {"all": given["all"], **lazy.functions("half", "one"), "grid": Space(given["grid"])}
    same(imbalance_matrix(mixed), imbalance_matrix({name: Space(x) for name, x in given.items()}))
    same(imbalance_matrix({name: (lambda x=x: x) for name, x in given.items()}), imbalance_matrix(given))
    functions = lazy.functions()
    some = {name: functions[name] for name in ("all", "half")}
    result = imbalance_matrix(functions, some)
    np.testing.assert_array_equal(result.values, imbalance_matrix(given, {n: given[n] for n in some}).values)


def test_what_the_items_are_is_taken_from_whoever_knows():
    of_space = dict(time=TIME, run=RUN)
    lazy = {"a": lambda: X[:, :2], "b": lambda: Space(X, **of_space), "c": lambda: Space(X[:, 3:])}
    found = imbalance_matrix(lazy)
    same(found, imbalance_matrix({name: load() for name, load in lazy.items()}))
    assert found.correlation_time is not None
    assert any("a carries no time, run: taken from b" in note for note in found.notes)


def test_rows_that_repeat_are_found_among_loaded_spaces():
    twice = np.vstack([X, X[:5]])
    given = {"a": twice, "b": twice[:, :2]}
    with pytest.warns(UserWarning, match="5 of 125 rows repeat another one in both spaces"):
        lazy = imbalance_matrix({name: (lambda x=x: x) for name, x in given.items()})
    with pytest.warns(UserWarning, match="5 of 125 rows repeat another one in both spaces"):
        same(lazy, imbalance_matrix(given))


def test_a_known_graph_can_be_loaded():
    away = np.sqrt(((X[:, None] - X[None]) ** 2).sum(-1))
    near = np.argsort(away, axis=1)[:, 1:9]
    known = lambda: Space.from_neighbors(near, np.take_along_axis(away, near, 1))  # noqa: E731
    lazy = imbalance_matrix({"known": known}, {"half": lambda: X[:, :3]})
    same(lazy, imbalance_matrix({"known": known()}, {"half": X[:, :3]}))
    assert isinstance(known().graph, NeighborGraph)


def test_memory_is_that_of_one_space_and_the_graphs():
    """Eight spaces of 9.6 MB each: the peak stays below three of them, and tiles."""
    n, d = 400, 3000
    make = lambda seed: lambda: np.random.default_rng(seed).normal(size=(n, d), scale=10)  # noqa: E731
    lazy = {f"layer {seed}": make(seed) for seed in range(8)}
    imbalance_matrix({"a": lambda: X, "b": lambda: X[:, :3]})  # kernels are compiled
    tracemalloc.start()
    imbalance_matrix(lazy, exclusion_window=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * 8 * n * d + 2**24


@pytest.mark.parametrize(
    ("spaces", "error", "message"),
    [
        ({"a": lambda: X, "b": lambda: X[:50]}, DataError, "a has 120 rows, b has 50"),
        ({"a": lambda: X, "b": lambda: None}, DataError, "what loads b gave nothing"),
        ({"a": lambda: X, "b": lambda: {"b": X}}, ParameterError, "what loads b gave a dict"),
        ({"a": lambda: X, "b": lambda: np.full((120, 2), np.nan)}, DataError, "b"),
    ],
)
def test_what_cannot_be_loaded(spaces, error, message):
    with pytest.raises(error, match=message):
        imbalance_matrix(spaces)


def test_spaces_must_be_the_same_every_time():
    sizes = iter([120, 60, 60])
    with pytest.raises(DataError, match="b was loaded again and has 60 rows"):
        imbalance_matrix({"a": lambda: X, "b": lambda: X[: next(sizes)]}, exclusion_window=0)


def test_a_name_stands_for_one_space():
    lazy = Lazily(Counted(arrays()))
    assert imbalance_matrix(lazy, lazy).values.shape == (4, 4)
    with pytest.raises(ParameterError, match="is one thing in spaces and another in targets"):
        imbalance_matrix(lazy, Lazily(lazy.counted))
