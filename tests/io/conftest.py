"""Files that several tests look at."""

import pytest
from tests.io.test_saved_estimators import EVERY, FRAME, items, made, target
from tests.results import one_of_each

from infoscope.io import delimited, save
from infoscope.io.plain_numbers import read_plain_numbers
from infoscope.io.text_parsers import parse_text


@pytest.fixture(scope="session")
def saved_objects(tmp_path_factory):
    """One small file of every class of results and estimators."""
    folder = tmp_path_factory.mktemp("saved")
    paths = [save(result, folder / f"{cls.__name__}.npz") for cls, result in one_of_each().items()]
    rows = FRAME.to_numpy()[:60]
    fits = {cls: made(cls).fit(items(cls, rows), target(cls, 60)) for cls in EVERY}
    return paths + [save(fitted, folder / f"fit_{cls.__name__}.npz") for cls, fitted in fits.items()]


@pytest.fixture(autouse=True)
def small_tables_read_both_ways(monkeypatch):
    """Every table that is read without pandas is read with it as well: the same columns, bit for bit."""

    def read_and_compare(path, layout):
        found = read_plain_numbers(path, layout)
        if found is not None:
            frame = parse_text(path, layout)
            assert frame.shape == (len(found[0]), len(found))
            for position, column in enumerate(found):
                assert (
                    frame[position].dtype == column.dtype and frame[position].to_numpy().tobytes() == column.tobytes()
                )
        return found

    monkeypatch.setattr(delimited, "read_plain_numbers", read_and_compare)
