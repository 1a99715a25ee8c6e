"""A space owns its numbers: what is written to the data afterwards changes nothing."""

import numpy as np
import pandas as pd
import pytest

from infoscope import Space, TwoNN, information_imbalance
from infoscope.neighbors import nearest
from infoscope.neighbors.ownership import is_locked

RNG = np.random.default_rng(0)


def test_a_buffer_that_is_filled_again_gives_every_space_its_own_numbers():
    """Two independent data sets through one buffer: about 1, not the 0.01 of one data set seen twice."""
    g, buffer, spaces = np.random.default_rng(0), np.empty((300, 3)), []
    for name in ("first", "second"):
        buffer[:] = g.normal(size=(300, 3))
        spaces.append(Space(buffer, name=name))
    result = information_imbalance(*spaces)
    assert 0.85 < result.a_to_b < 1.15 and 0.85 < result.b_to_a < 1.15


def written_over(kind: str, x: np.ndarray):
    """A space of x, made of an array, frame or tensor that is then filled with zeros; and what its features are."""
    if kind == "tensor":
        tensor = pytest.importorskip("torch").tensor(x)
        space = Space(tensor)
        tensor.zero_()
        return space
    given = np.packbits(x > 0, axis=1).astype(np.uint64) if kind == "bits" else x.copy()
    given = given.astype(np.float32) if kind == "float32" else given
    make = {
        "frame": lambda: Space(pd.DataFrame(given, columns=["a", "b"], copy=False)),
        "series": lambda: Space.from_labels(pd.Series(given[:, 0] > 0, copy=False)),
        "one run": lambda: Space([given]),
        "distances": lambda: Space.from_distances(given),
        "bits": lambda: Space.from_bits(given),
    }
    space = make.get(kind, lambda: Space(given))()
    given[:] = 0
    return space


@pytest.mark.parametrize("kind", ["float64", "float32", "frame", "series", "one run", "distances", "bits", "tensor"])
def test_whatever_carries_the_numbers(kind):
    """Distances are those of the moment in which the space was made."""
    x = np.random.default_rng(1).normal(size=(50, 2))
    if kind == "distances":
        x = np.abs(x[:, :1] - x[:, 0])
    i, j = np.arange(49), np.arange(1, 50)
    expected = {
        "distances": lambda: x[i, j],
        "bits": lambda: ((x[i] > 0) != (x[j] > 0)).sum(1),
        "series": lambda: (x[i, 0] > 0) != (x[j, 0] > 0),
    }.get(kind, lambda: np.sqrt(((x[i] - x[j]) ** 2).sum(1)))()
    assert np.allclose(written_over(kind, x).pair_distances(i, j), expected, atol=1e-6)


def test_weights_times_and_names_too():
    x, weight, time, ids = RNG.normal(size=(20, 2)), np.ones(20), np.arange(20.0), np.arange(20)
    space = Space(x, sample_weight=weight, time=time, ids=ids)
    weight[3], time[:], ids[:] = 100.0, 0.0, 7
    assert space.sample_weight.tolist() == [1.0] * 20
    assert space.time.tolist() == space.ids.tolist() == list(range(20))


def test_nan_written_later_does_not_become_item_minus_one():
    x = RNG.normal(size=(200, 3))
    space, same = Space(x), x.copy()
    x[5] = np.nan
    graph = nearest(space, 4)
    assert graph.items.min() >= 0
    assert TwoNN().fit(space).dimension_ == TwoNN().fit(same).dimension_


def test_a_locked_array_is_not_copied():
    """Who has no memory for two: a read-only array, or a file that is mapped to be read, is used as it is."""
    x = RNG.normal(size=(20, 2))
    view = x.view()
    view.flags.writeable = False
    assert not np.shares_memory(Space(view).features, x)  # x itself can still be written to
    x.flags.writeable = False
    assert np.shares_memory(Space(x).features, x) and np.shares_memory(Space(view).features, x)


def test_a_mapped_file_is_not_copied(tmp_path):
    np.save(tmp_path / "x.npy", RNG.normal(size=(20, 2)))
    x = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert is_locked(x) and np.shares_memory(Space(x).features, x)
    assert not is_locked(np.load(tmp_path / "x.npy", mmap_mode="c"))


def test_the_callers_array_stays_writeable():
    x, weight, ids = RNG.normal(size=(20, 2)), np.ones(20), np.arange(20)
    Space(x, sample_weight=weight, ids=ids, time=np.arange(20.0))
    assert x.flags.writeable and weight.flags.writeable and ids.flags.writeable
