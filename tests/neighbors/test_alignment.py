"""Row i of two spaces must be the same item: ids, times and runs are compared as they were given."""

import numpy as np
import pandas as pd
import pytest

from infoscope import Space, TwoNN, dii_value_and_grad, imbalance_matrix, information_imbalance
from infoscope.base import DataError, DataWarning

G = np.random.default_rng(0)
DAYS = np.datetime64("2000-01-01") + np.arange(400)
FIELD = G.normal(size=(400, 3))
COPY = FIELD + 0.003 * np.random.default_rng(1).normal(size=(400, 3))


def array(values, rows, name):
    xarray = pytest.importorskip("xarray")
    return xarray.DataArray(values[rows], dims=("time", "x"), coords={"time": DAYS[rows]}, name=name)


# ---------------------------------------------------------------------------------------------------------------- times
def test_two_arrays_of_other_days_are_refused():
    """300 of 400 days, shifted by 100 days: 1.01, 'independent', when only the rows are counted."""
    first, shifted = array(FIELD, slice(0, 300), "a"), array(COPY, slice(100, 400), "b")
    with pytest.raises(DataError, match=r"first in row 0: 2000-01-01 in A, 2000-04-10 in B\. 200 of 300 times are"):
        information_imbalance(first, shifted)
    result = information_imbalance(first, array(COPY, slice(0, 300), "b"), exclusion_window=0)
    assert result.a_to_b < 0.05 and result.b_to_a < 0.05


@pytest.mark.parametrize("unit", ["h", "ns"])
def test_spaces_with_dates_and_numbers(unit):
    """Other than arrays of a library: `time=`, where the shift is an hour or a nanosecond; and stamps as integers."""
    x, start = FIELD[:50], DAYS[:50].astype("M8[ns]")
    late = start + np.timedelta64(1, unit)
    with pytest.raises(DataError, match="different times, first in row 0"):
        information_imbalance(Space(x, time=start, name="A"), Space(x, time=late, name="B"))
    with pytest.raises(DataError, match="different times, first in row 0"):
        information_imbalance(
            Space(x, time=start.astype(np.int64), name="A"), Space(x, time=late.astype(np.int64), name="B")
        )
    information_imbalance(Space(x, time=start), Space(x, time=start.astype("M8[s]")), exclusion_window=0)


def test_dates_and_the_seconds_that_a_file_counts():
    """Seconds since 1970, as files bring them, are the same times as dates; other seconds are not known to be."""
    x, seconds = FIELD[:50], (DAYS[:50] - np.datetime64("1970-01-01")) / np.timedelta64(1, "s")
    information_imbalance(Space(x, time=DAYS[:50]), Space(x, time=seconds), exclusion_window=0)
    with pytest.raises(DataError, match="give both dates"):
        information_imbalance(Space(x, time=DAYS[:50]), Space(x, time=seconds - seconds[0]))


def test_the_same_times_in_another_order():
    with pytest.raises(DataError, match="The same times in another order: sort B like A"):
        information_imbalance(Space(FIELD, time=DAYS, name="A"), Space(FIELD[::-1], time=DAYS[::-1], name="B"))


def test_times_are_lent_as_they_were_given():
    """A third space is compared with what the second lent to the first."""
    spaces = [Space(FIELD, name="a"), Space(COPY, time=DAYS, name="b"), Space(COPY, time=DAYS + 1, name="c")]
    with pytest.raises(DataError, match="b and c carry different times"):
        imbalance_matrix(dict(zip("abc", spaces, strict=True)), exclusion_window=0)
    with pytest.raises(DataError, match="different times"):
        dii_value_and_grad(spaces[1], spaces[2], [1.0, 1.0, 1.0], k=3)
    value, _ = dii_value_and_grad(spaces[1], spaces[1], [1.0, 1.0, 1.0], k=3)
    assert value < 0.05


def test_parts_keep_the_dates():
    part = Space(FIELD, time=DAYS).take([5, 7])
    assert part.given_time.tolist() == DAYS[[5, 7]].tolist()
    assert Space(FIELD, time=DAYS).replace(time=None).given_time is None


# ------------------------------------------------------------------------------------------------------------------ ids
FRAME = pd.DataFrame(FIELD, columns=["a", "b", "c"])


def test_a_shuffled_frame_is_no_longer_the_same_rows():
    """0.99 'independent' for a frame and itself in another order, when only the rows are counted."""
    with pytest.raises(DataError, match=r"same ids in another order: sort B like A \(B\.sort_index\(\)\)\. B\.reset"):
        information_imbalance(FRAME, FRAME.sample(frac=1, random_state=0))
    with pytest.raises(DataError, match="same ids in another order: sort A like B"):
        information_imbalance(FRAME[::-1], FRAME)


def test_shuffled_labels_and_targets():
    """The same of a series of classes."""
    classes = pd.Series(np.where(FIELD[:, 0] > 0, "up", "down"), name="class")
    with pytest.raises(DataError, match="same ids in another order"):
        information_imbalance(FRAME, Space.from_labels(classes.sample(frac=1, random_state=0)))


def test_slices_of_frames():
    """Rows 0 to 299 and 100 to 399: two slices contradict each other, one and a default index may."""
    with pytest.raises(DataError, match="row 0 is 50 in A and 100 in B"):
        information_imbalance(FRAME.iloc[50:350], FRAME.iloc[100:])
    with pytest.warns(DataWarning, match="the index of B says that its row 0 is 100, and A has the default index"):
        information_imbalance(FRAME.iloc[:300], FRAME.iloc[100:])


def test_rows_that_were_said_to_be_the_same():
    shuffled = FRAME.sample(frac=1, random_state=0)
    information_imbalance(FRAME, shuffled.reset_index(drop=True))
    information_imbalance(FRAME, shuffled.to_numpy())  # an array has no names
    information_imbalance(shuffled, shuffled * 2)
    information_imbalance(FRAME, FRAME.set_axis(np.arange(400)))  # the same numbers, not as a range


def test_ids_that_a_conversion_would_merge():
    """Whole numbers beyond 2^53 beside negative ones become float64 in NumPy, and text swallows numbers."""
    x = FIELD[:3]
    assert Space(x, ids=[2**63, 2**63 + 1, -1]).ids.tolist() == [2**63, 2**63 + 1, -1]
    assert Space(x, ids=[1, "1", 2]).ids.tolist() == [1, "1", 2]
    with pytest.raises(DataError, match="ids differ: row 1"):
        information_imbalance(Space(x, ids=[2**63, 2**63 + 1, -1]), Space(x, ids=[2**63, 2**63 + 2, -1]))


# ----------------------------------------------------------------------------------------------------------------- runs
def test_runs_of_other_names():
    """Codes are the same for any two names: the names are compared, too; numbers 0, 1, ... are places."""
    north, south = np.repeat(["n1", "n2"], 200), np.repeat(["s1", "s2"], 200)
    with pytest.raises(DataError, match="carry different run, first in row 0: n1 in A, s1 in B"):
        information_imbalance(Space(FIELD, run=north, name="A"), Space(FIELD, run=south, name="B"))
    information_imbalance(Space(FIELD, run=north), Space([FIELD[:200], FIELD[200:]]), exclusion_window=0)
    with pytest.raises(DataError, match="carry different run, first in row 100"):
        information_imbalance(Space(FIELD, run=north), Space([FIELD[:100], FIELD[100:]]))


def test_a_dimension_needs_no_partner():
    TwoNN().fit(Space(FIELD, time=DAYS))
