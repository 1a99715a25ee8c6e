"""Equal sets of features: the lowest numbers are chosen, whatever the units, the order of rows and the last digits."""

import numpy as np
import pytest

from infoscope.imbalance import dii_backward, dii_exhaustive, dii_forward, dii_path, select_features_imbalance
from infoscope.imbalance.selection.results import SelectionPath, suggest
from infoscope.imbalance.selection.subset_search import ScoredSubset, best_of

UNITS = (1.0, 3.0, 1 / 3, -1.0)
TWINS = np.array([2, 0, 1, 0, 1, 2])  # every column occurs twice: 0 and 5, 1 and 3, 2 and 4
SEARCHES = {
    "forward": lambda x, y: select_features_imbalance(x, y, max_features=6),
    "backward": lambda x, y: select_features_imbalance(x, y, "backward"),
    "exhaustive": lambda x, y: select_features_imbalance(x, y, "exhaustive", max_features=3),
    "both ways": lambda x, y: select_features_imbalance(x, y, direction="both", k=3),
    "DII forward": lambda x, y: dii_forward(x, y, 4),
    "DII backward": lambda x, y: dii_backward(x, y),
    "DII exhaustive": lambda x, y: dii_exhaustive(x, y, 2),
    "DII path": lambda x, y: dii_path(x, y),
}


def fine_or_coarse(coarse):
    g = np.random.default_rng(1)
    x = g.integers(0, 4, (150, 3)) / 10 if coarse else g.normal(size=(150, 3))
    return x, x[:, :2] * [1, 0.5] + 0.05 * g.normal(size=(150, 2))


@pytest.mark.parametrize("coarse", [False, True])
@pytest.mark.parametrize("search", SEARCHES)
def test_of_equal_columns_the_first_are_chosen(search, coarse):
    """Copies in other units, and mirror images; coarse data put the minima of the DII on kinks."""
    x, y = fine_or_coarse(coarse)
    found = set()
    for unit in UNITS:
        columns = x[:, TWINS] * np.where(np.arange(6) < 3, 1.0, unit)
        for rows in (np.arange(150), np.random.default_rng(2).permutation(150)):
            path = SEARCHES[search](columns[rows], y[rows])
            found.add((path.sets, path.suggested_size))
    assert len(found) == 1
    ((sets, size),) = found
    assert size == 2 or (search != "DII forward" and size == 3)  # all there is to know, or one more
    for units in sets:
        for first, second in ((0, 5), (1, 3), (2, 4)):
            assert second not in units or first in units
    assert sets[:2] == ((1,), (1, 2))


@pytest.mark.parametrize("ulps", [-2, -1, 0, 1, 2])
def test_the_size_that_suffices(ulps):
    sizes, value = np.array([1, 2, 3]), 0.3 + ulps * 2**-54
    assert suggest(sizes, np.array([0.3, value, value]), np.zeros(3))[0] == 1
    assert suggest(sizes, np.array([0.306 + ulps * 2**-54, 0.3, 0.3]), np.zeros(3))[0] == 1  # exactly 2 % higher
    assert suggest(sizes, np.array([0.4 + ulps * 2**-54, 0.3, 0.3]), np.array([0.4 - 0.3, 0, 0]))[0] == 1


@pytest.mark.parametrize("ulps", [-2, -1, 0, 1, 2])
def test_a_value_one_interval_below_one_tells_nothing(ulps):
    found = SelectionPath(
        method="forward", measure="Δ", name="X", name_target="y", names=("a",), columns=((0,),), sets=((0,),),
        standard_weights=np.ones((1, 1)), weights=np.ones((1, 1)), value=np.array([0.8 + ulps * 2**-53]),
        value_se=np.array([0.1]), excess=np.zeros(1), excess_se=np.zeros(1), suggested_size=1, rule="", k=1,
        n_items=100, n_rows=100,
    )  # fmt: skip
    assert found.verdict.startswith("No set of up to 1 features")


def test_ties_go_by_number_and_are_measured_from_the_lowest():
    values = [0.3 + 2e-13, 0.3, 0.3 + 5e-13, 0.2 + 0.1]
    listed = [ScoredSubset((unit,), value, np.ones(1)) for unit, value in enumerate(values)]
    assert [one.units for one in best_of(listed[::-1], 4)] == [(0,), (1,), (3,), (2,)]
