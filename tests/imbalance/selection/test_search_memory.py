"""A search that was stopped anywhere goes on to the same result, bit for bit, and computes nothing twice."""

import numpy as np
import pytest
from tests.same import same

from infoscope.base import DataError, ParameterError
from infoscope.imbalance import dii_backward, dii_exhaustive, dii_forward, dii_path, select_features_imbalance
from infoscope.imbalance.selection.search_memory import SearchMemory
from infoscope.storage import Checkpoint

N = 80
SEARCHES = {
    "forward": lambda *data, **more: dii_forward(*data, 4, 3, validation=0.3, random_state=1, **more),
    "backward": lambda *data, **more: dii_backward(*data, n_best=2, validation="runs", **more),
    "exhaustive": lambda *data, **more: dii_exhaustive(*data, 2, refine=4, **more),
    "pairs": lambda x, y, **more: dii_forward(x, x[:, [1]] * x[:, [3]], 3, 2, **more),  # no column helps alone
    "l1": lambda *data, **more: dii_path(*data, **more),
    "alphas": lambda *data, **more: dii_path(*data, alphas=[1e-3, 1e-2, 0.1], refit=False, **more),
    "plain": lambda *data, **more: select_features_imbalance(*data, "backward", n_best=2, **more),
    "rows": lambda *data, **more: select_features_imbalance(
        *data, direction="both", n_rows=40, max_features=3, validation=0.3, random_state=2, **more
    ),
}


@pytest.fixture
def data():
    x = np.random.default_rng(0).normal(size=(N, 6))
    return x, x[:, [1, 3]] * [1.0, 0.5] + 0.1 * x[:, [0, 5]]


class Stopped(Exception):
    """In the place of a kill."""


@pytest.fixture
def questions(monkeypatch):
    """How many questions were computed; from `stop` on no answer comes."""
    seen = {"computed": 0, "stop": np.inf}
    recall = SearchMemory.recall

    def counted(self, compute, *others):
        def answer():
            if seen["computed"] >= seen["stop"]:
                raise Stopped
            seen["computed"] += 1
            return compute()

        return recall(self, answer, *others)

    monkeypatch.setattr(SearchMemory, "recall", counted)
    return seen


@pytest.mark.filterwarnings("ignore::infoscope.base.InfoscopeWarning")
@pytest.mark.parametrize("name", SEARCHES)
def test_a_stopped_search_ends_like_one_that_was_not(data, tmp_path, questions, name):
    search, file = SEARCHES[name], tmp_path / "search.npz"
    whole = search(*data)
    n = questions["computed"]
    questions["computed"] = 0
    assert same(search(*data, checkpoint=file), whole)  # keeping answers changes nothing
    assert questions["computed"] == n >= 4
    assert same(search(*data, checkpoint=file), whole)  # all answers are there
    assert questions["computed"] == n
    file.unlink()
    questions["computed"], stops = 0, sorted({1, 2, n // 2, n - 1})
    for stop in stops:  # one run after the other, each stopped a little later
        questions["stop"] = stop
        with pytest.raises(Stopped):
            search(*data, checkpoint=file)
        assert questions["computed"] == stop  # none of those before was computed again
    questions["stop"] = np.inf
    assert same(search(*data, checkpoint=file), whole)
    assert questions["computed"] == n


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"k": 9}, "k is 3 there and 9 here"),
        ({"bandwidth": "global"}, 'bandwidth is "point" there and "global" here'),
        ({"n_best": 2}, "n_best is 5 there and 2 here"),
        ({"max_features": 3}, "max_features is 2 there and 3 here"),
        ({"groups": [0, 0, 1, 2, 3, 4]}, "groups is false there and true here"),
        ({"among": [0, 1, 2]}, "among"),
        ({"validation": 0.3, "random_state": 0}, "validation"),
        ({"exclusion_window": 2}, "exclusion_window"),
    ],
)
def test_the_file_of_another_search_is_refused(data, tmp_path, changed, message):
    common = {"k": 3, "max_features": 2, "exclusion_window": 0}
    dii_forward(*data, checkpoint=tmp_path / "a.npz", **common)
    before = (tmp_path / "a.npz").read_bytes()
    with pytest.raises(ParameterError, match="belongs to other options") as caught:
        dii_forward(*data, checkpoint=tmp_path / "a.npz", **common | changed)
    assert message in str(caught.value)
    assert (tmp_path / "a.npz").read_bytes() == before


def test_other_data_and_other_draws_are_refused(data, tmp_path):
    x, y = data
    common = {"max_features": 2, "validation": 0.3, "checkpoint": tmp_path / "a.npz"}
    dii_forward(x, y, random_state=0, **common)
    for x_other, y_other in ((x + 1e-12, y), (x, y + 1e-12)):
        with pytest.raises(ParameterError, match="data is"):
            dii_forward(x_other, y_other, random_state=0, **common)
    with pytest.raises(ParameterError, match="random_state is 0 there and 1 here"):
        dii_forward(x, y, random_state=1, **common)
    for seed in (None, np.random.default_rng(0)):
        with pytest.raises(ParameterError, match="give a number as random_state"):
            dii_forward(x, y, random_state=seed, **common)
    dii_forward(x, y, 2, checkpoint=tmp_path / "b.npz")  # nothing is drawn: no seed is needed
    with pytest.raises(ParameterError, match="function is"):
        dii_backward(x, y, 2, checkpoint=tmp_path / "b.npz")


def test_damaged_and_busy_files(data, tmp_path):
    file = tmp_path / "a.npz"
    file.write_text("no checkpoint")
    with pytest.raises(DataError, match="is no checkpoint"):
        dii_forward(*data, 2, checkpoint=file)
    file.unlink()
    with Checkpoint(file, {}), pytest.raises(ParameterError, match="is being written by process"):
        dii_forward(*data, 2, checkpoint=file)
