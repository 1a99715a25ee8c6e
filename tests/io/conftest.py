"""Files that several tests look at."""

import pytest
from tests.io.test_saved_estimators import EVERY, FRAME, items, made, target
from tests.results import one_of_each

from infoscope.io import save


@pytest.fixture(scope="session")
def saved_objects(tmp_path_factory):
    """One small file of every class of results and estimators."""
    folder = tmp_path_factory.mktemp("saved")
    paths = [save(result, folder / f"{cls.__name__}.npz") for cls, result in one_of_each().items()]
    rows = FRAME.to_numpy()[:60]
    fits = {cls: made(cls).fit(items(cls, rows), target(cls, 60)) for cls in EVERY}
    return paths + [save(fitted, folder / f"fit_{cls.__name__}.npz") for cls, fitted in fits.items()]
