"""Lattices in any unit are lattices, and strides are whole steps: no dimension comes out of rounded ties."""

import numpy as np
import pytest
from scipy.signal import lfilter

from infoscope.base import DataError
from infoscope.dimension import ABIDE, Gride, TwoNN, neighbor_table
from infoscope.neighbors import Space, nearest

UNITS = (1.0, 0.1, 3.0, 1 / 3, 0.7)


def lattice(unit, origin=0.0):
    """A torus, so that every point has its nearest four at one distance."""
    x, y = np.divmod(np.arange(144), 12)
    return Space(np.c_[x, y] * unit + origin, period=12 * unit, period_check=False)


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("origin", [0.0, 0.3])
@pytest.mark.parametrize("method", [TwoNN(), TwoNN("fit"), Gride(2), ABIDE(max_neighbors=20)])
def test_a_lattice_has_no_dimension_in_any_unit(method, unit, origin):
    with pytest.raises(DataError, match="lattice"):
        method.fit(lattice(unit, origin))
    with pytest.raises(DataError, match="lattice"):
        method.fit(nearest(lattice(unit, origin), 40))


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("origin", [0.0, 0.3])
def test_ties_of_a_table_are_equal_and_in_the_order_of_their_numbers(unit, origin):
    whole, other = (neighbor_table(space, 12) for space in (lattice(1.0), lattice(unit, origin)))
    np.testing.assert_array_equal(other.items, whole.items)
    np.testing.assert_array_equal(np.diff(other.distances, axis=1) == 0, np.diff(whole.distances, axis=1) == 0)
    np.testing.assert_allclose(other.distances, whole.distances * unit, rtol=1e-12)


@pytest.mark.parametrize("unit", [1.0, 0.7])
def test_strides_of_long_series_are_whole_steps(unit):
    """Steps of 0.7 are rounded: their median over 150,000 rows is not that over the rows of the correlation time."""
    series = lfilter(
        [1], [1, -1.6, 0.9], np.random.default_rng(0).normal(size=150_000)
    )  # its correlation time: 36 rows
    assert TwoNN()._stride(Space(series[:, None], time=unit * np.arange(150_000))) == 18
